/**
 * The thread that writes the journal: one transaction for each batch, none of them synced, since a crash of the machine may cost its last second.
 * Also forgets what is too old or too much, a little at a time.
 */
import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { isConstraint, openDatabase } from '../system/sqlite.ts'
import { serveStore, type ThreadStore } from '../system/store-thread.ts'
import { journalPath, journalSchema } from './schema.ts'

export const journalRole = 'journal'
export const journalModule = new URL(import.meta.url)

export type JournalEntry =
  | {
      readonly what: 'event'
      readonly kind: string
      readonly message: string | null
      readonly delivery: string | null
      readonly body: string
    }
  | { readonly what: 'session'; readonly id: string; readonly constant: string; readonly varying: string }

export interface JournalBatch {
  readonly nowMs: number
  readonly entries: readonly JournalEntry[]
}

/** How many of the batch's entries were lost because the disk did not take them. */
export type JournalReply = number

export interface JournalData {
  readonly directory: string
  readonly limits: JournalLimits
}

/** What the journal keeps. Whatever is reached first counts. */
export interface JournalLimits {
  readonly keepMs: number
  readonly events: number
  readonly sessions: number
  /** Distinct contents of sessions; a few KB each. */
  readonly contents: number
}

function openJournalStore({ directory, limits }: JournalData): ThreadStore<null, JournalBatch, JournalReply> {
  const database = openDatabase({
    path: journalPath(directory),
    schema: journalSchema,
    synchronous: 'OFF',
    access: 'shared',
  })
  const sql = {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    event: database.prepare('INSERT INTO event (written, kind, message, delivery, body) VALUES (?, ?, ?, ?, ?)'),
    session: database.prepare('INSERT INTO session (written, id, content, varying) VALUES (?, ?, ?, ?)'),
    content: database.prepare(
      `INSERT INTO content (hash, used, body) VALUES (?, ?, ?)
       ON CONFLICT (hash) DO UPDATE SET used = excluded.used RETURNING key`,
    ),
  }
  const forget = {
    event: forgetOldest(database, 'event', limits.events),
    session: forgetOldest(database, 'session', limits.sessions),
    content: forgetUnused(database, limits.contents),
  }
  /** Contents used lately, so that one that is used all the time is not looked up and touched all the time. */
  const recent = new Map<string, { readonly key: number; readonly usedMs: number }>()
  let sinceForgetting = forgetEvery

  function contentKey(body: string, nowMs: number): number {
    const digest = hash('sha256', body, 'base64url')
    const known = recent.get(digest)
    if (known !== undefined && nowMs - known.usedMs < touchAfterMs) return known.key
    const key = Number(sql.content.get(digest, nowMs, body)?.['key'])
    if (recent.size >= recentContents) recent.clear()
    recent.set(digest, { key, usedMs: nowMs })
    return key
  }

  function write(entry: JournalEntry, nowMs: number): void {
    if (entry.what === 'event') sql.event.run(nowMs, entry.kind, entry.message, entry.delivery, entry.body)
    else
      try {
        sql.session.run(nowMs, entry.id, contentKey(entry.constant, nowMs), entry.varying)
      } catch (error) {
        // The same session twice: what is there stays.
        if (!isConstraint(error)) throw error
      }
  }

  function forgetSome(nowMs: number): void {
    // What the map says of contents may not be true afterwards.
    recent.clear()
    const beforeMs = nowMs - limits.keepMs
    const some = [forget.event(beforeMs), forget.session(beforeMs), forget.content(beforeMs - touchAfterMs)]
    sinceForgetting = some.includes(forgetAtOnce) ? forgetEvery : 0
  }

  return {
    opened: null,
    handle({ nowMs, entries }) {
      try {
        sql.begin.run()
        if (sinceForgetting >= forgetEvery) forgetSome(nowMs)
        for (const entry of entries) write(entry, nowMs)
        sql.commit.run()
        sinceForgetting += entries.length
        return 0
      } catch {
        if (database.isTransaction) sql.rollback.run()
        recent.clear()
        return entries.length
      }
    },
    close() {
      database.close()
    },
  }
}

/** Forgets rows of a table that is in the order of time: those too old, and the oldest of too many. Answers how many, `forgetAtOnce` when there may be more. */
function forgetOldest(
  database: DatabaseSync,
  table: 'event' | 'session',
  most: number,
): (beforeMs: number) => number {
  const ends = database.prepare(`SELECT min(seq) AS first, max(seq) AS last FROM ${table}`)
  const remove = database.prepare(`DELETE FROM ${table} WHERE seq < ? AND (written < ? OR seq <= ?)`)
  return beforeMs => {
    const { first, last } = ends.get() ?? {}
    if (typeof first !== 'number' || typeof last !== 'number') return 0
    return Number(remove.run(first + forgetAtOnce, beforeMs, last - most).changes)
  }
}

/** Forgets contents that no session has referred to for long, and the longest unused of too many. Answers as above. */
function forgetUnused(database: DatabaseSync, most: number): (beforeMs: number) => number {
  const count = database.prepare('SELECT count(*) AS n FROM content')
  const remove = database.prepare(
    `DELETE FROM content WHERE key IN (SELECT key FROM content WHERE used < ? ORDER BY used LIMIT ${forgetAtOnce})`,
  )
  const removeSurplus = database.prepare(
    'DELETE FROM content WHERE key IN (SELECT key FROM content ORDER BY used LIMIT ?)',
  )
  return beforeMs => {
    const unused = Number(remove.run(beforeMs).changes)
    const surplus = Math.min(Math.max(Number(count.get()?.['n']) - most, 0), forgetAtOnce)
    return Math.max(unused, Number(removeSurplus.run(surplus).changes))
  }
}

/** After so many entries the store looks for what is to be forgotten. */
const forgetEvery = 2000
/** No more rows at once than take some 20 ms. */
const forgetAtOnce = 4000

/** A content's time of use is written once a day at most: it only has to outlive the sessions that refer to it. */
const touchAfterMs = 86_400_000
const recentContents = 10_000

serveStore(journalRole, openJournalStore)
