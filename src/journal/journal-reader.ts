/**
 * The journal on SQLite, the reading side: for `hermetic log`, in any process, whether a relay writes just now or none was ever started (then
 * there is nothing). Every call sees what was written until then.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { SessionDocument } from '../judgement/evidence.ts'
import type { MessageId } from '../protocol/mail/message-id.ts'
import { openForReading } from '../system/sqlite.ts'
import type { IncidentEvent, JournalReader, LifeEvent, MessageSummary } from './journal.ts'
import { journalPath, journalSchema } from './schema.ts'
import { summarise } from './summary.ts'
import { rejoin, type StoredContent, type Varying } from './varying.ts'

/** @throws {StoreRefused} when there is a journal that cannot be read, now or with a later call. */
export function openJournalReader({ directory }: { readonly directory: string }): JournalReader {
  let database = open()

  function open(): DatabaseSync | null {
    return openForReading(journalPath(directory), journalSchema)
  }

  /** All that is parsed here was written by our own writer, into a file whose kind and version were checked. */
  function rows(sql: string, ...parameters: (string | number)[]): Iterable<Readonly<Record<string, unknown>>> {
    database ??= open()
    return database === null ? [] : database.prepare(sql).iterate(...parameters)
  }

  function one<T>(sql: string, parameter: string): T | null {
    for (const { body } of rows(sql, parameter)) return JSON.parse(String(body))
    return null
  }

  function session(condition: string, ...parameters: (string | number)[]): SessionDocument | null {
    const sql = `SELECT body, varying FROM session JOIN content ON content.key = session.content WHERE ${condition}`
    for (const { body, varying } of rows(sql, ...parameters)) {
      const constant: StoredContent = JSON.parse(String(body))
      const differing: Varying = JSON.parse(String(varying))
      return rejoin(constant, differing)
    }
    return null
  }

  function life(id: MessageId): readonly LifeEvent[] {
    return Array.from(rows('SELECT body FROM event WHERE message = ? ORDER BY seq', id), ({ body }) =>
      JSON.parse(String(body)),
    )
  }

  return {
    recent(limit, matching) {
      const wanted = matching?.toLowerCase() ?? null
      const found: MessageSummary[] = []
      for (const { message } of [...newestAccepted(rows, limit, wanted)]) {
        const summary = summarise(life(message))
        if (summary !== null) found.push(summary)
      }
      return found
    },
    life,
    delivery(id) {
      const event = one<Extract<LifeEvent, { kind: 'attempted' }>>('SELECT body FROM event WHERE delivery = ?', id)
      return event?.delivery ?? null
    },
    session: id => session('id = ?', id),
    lastSeen: ({ host, address, port }) =>
      session(
        `session.seq = (
           SELECT max((SELECT max(seq) FROM session WHERE content = content.key)) FROM content
           WHERE json_extract(body, '$.host') = ? AND json_extract(body, '$.address') = ? AND json_extract(body, '$.port') = ?)`,
        host,
        address,
        port,
      ),
    incidents(limit) {
      return Array.from(
        rows("SELECT body FROM event WHERE kind = 'incident' ORDER BY seq DESC LIMIT ?", limit),
        ({ body }): IncidentEvent => JSON.parse(String(body)),
      )
    },
    close() {
      database?.close()
      database = null
    },
  }
}

type Accepted = Extract<LifeEvent, { kind: 'accepted' }>

/** Newest first. Those that match by sender, recipient or id: looked at one by one, since no index helps to find a part of a text. */
function* newestAccepted(
  rows: (sql: string, ...parameters: (string | number)[]) => Iterable<Readonly<Record<string, unknown>>>,
  limit: number,
  wanted: string | null,
): Generator<Accepted> {
  let left = limit
  if (left <= 0) return
  for (const { body } of rows("SELECT body FROM event WHERE kind = 'accepted' ORDER BY seq DESC")) {
    const event: Accepted = JSON.parse(String(body))
    const texts = [event.message, event.from, ...event.recipients]
    if (wanted !== null && !texts.some(text => text.toLowerCase().includes(wanted))) continue
    yield event
    left--
    if (left === 0) return
  }
}
