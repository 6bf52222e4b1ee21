/**
 * The journal on SQLite, the writing side: `journal.db`, written by a thread of its own, in batches.
 *
 * What `record` costs its caller is turning the event into JSON text. It never waits and never throws: when the writer cannot keep up, the oldest
 * unwritten entries go, and an incident `journal.dropped` says how many.
 */
import { startStoreThread } from '../system/store-thread.ts'
import type { IncidentEvent, Journal } from './journal.ts'
import {
  type JournalBatch,
  type JournalData,
  type JournalEntry,
  type JournalLimits,
  type JournalReply,
  journalModule,
  journalRole,
} from './store.ts'
import { split } from './varying.ts'

export interface JournalOptions {
  /** Made when it is not there. */
  readonly directory: string
  /** The wall clock, in ms; `Date.now` when not given. */
  readonly now?: () => number
  readonly limits?: Partial<JournalLimits>
}

/** What a journal keeps unless told otherwise: 30 days of a busy relay, some 10 GB at most. */
export const journalLimits: JournalLimits = {
  keepMs: 30 * 86_400_000,
  events: 5_000_000,
  sessions: 2_000_000,
  contents: 100_000,
}

/** @throws {StoreRefused} */
export async function openJournal({ directory, now = Date.now, limits }: JournalOptions): Promise<Journal> {
  let waiting: JournalEntry[] = []
  /** Where the oldest of `waiting` is: dropping it must not move all the others. */
  let first = 0
  let waitingBytes = 0
  let dropped = 0
  let isWriting = false
  let isClosed = false
  let timer: NodeJS.Timeout | null = null
  let whenIdle: (() => void)[] = []

  const thread = await startStoreThread<null, JournalBatch, JournalReply>({
    module: journalModule,
    role: journalRole,
    data: { directory, limits: { ...journalLimits, ...limits } } satisfies JournalData,
    onReply(lost) {
      isWriting = false
      dropped += lost
      const unwritten = waiting.length - first
      if (unwritten >= writeAtCount || (unwritten > 0 && whenIdle.length > 0)) write()
      // After a failure `dropped` is to be recorded, but not at once, or a full disk would keep the thread busy.
      else if (unwritten > 0 || dropped > 0) arm()
      if (!isWriting) idle()
    },
    onLost() {
      isClosed = true
      isWriting = false
      idle()
    },
  })

  function idle(): void {
    for (const done of whenIdle) done()
    whenIdle = []
  }

  function add(entry: JournalEntry): void {
    if (isClosed) return
    waiting.push(entry)
    waitingBytes += bytesOf(entry)
    while (waiting.length - first > maxWaiting || waitingBytes > maxWaitingBytes) dropOldest()
    if (isWriting) return
    if (waiting.length - first >= writeAtCount) write()
    else arm()
  }

  function dropOldest(): void {
    const oldest = waiting[first]
    if (oldest === undefined) return
    waitingBytes -= bytesOf(oldest)
    first++
    dropped++
    if (first > maxWaiting) {
      waiting = waiting.slice(first)
      first = 0
    }
  }

  function arm(): void {
    timer ??= setTimeout(write, writeAfterMs)
  }

  function write(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (isWriting || isClosed) return
    const entries = first === 0 ? waiting : waiting.slice(first)
    if (dropped > 0) entries.push(droppedEntry(dropped, now()))
    if (entries.length === 0) return
    dropped = 0
    waiting = []
    first = 0
    waitingBytes = 0
    isWriting = true
    thread.post({ nowMs: now(), entries })
  }

  function flush(): Promise<void> {
    if (isClosed) return Promise.resolve()
    write()
    if (!isWriting) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    whenIdle.push(resolve)
    return promise
  }

  return {
    record(event) {
      const isIncident = event.kind === 'incident'
      add({
        what: 'event',
        kind: event.kind,
        message: isIncident ? null : event.message,
        delivery: event.kind === 'attempted' ? event.delivery.id : null,
        body: JSON.stringify(event),
      })
    },
    keep(session) {
      const { varying, constant } = split(session)
      add({
        what: 'session',
        id: session.id,
        constant: JSON.stringify(constant),
        varying: JSON.stringify(varying),
      })
    },
    flush,
    async close() {
      if (isClosed) return
      await flush()
      isClosed = true
      if (timer !== null) clearTimeout(timer)
      await thread.close()
    },
  }
}

/** Near enough: characters, not octets. */
function bytesOf(entry: JournalEntry): number {
  return entry.what === 'event' ? entry.body.length : entry.constant.length + entry.varying.length
}

function droppedEntry(count: number, nowMs: number): JournalEntry {
  const incident: IncidentEvent = {
    kind: 'incident',
    at: new Date(nowMs).toISOString(),
    code: 'journal.dropped',
    client: '',
    says: `${count} ${count === 1 ? 'entry was' : 'entries were'} not recorded: the disk was too slow or full.`,
  }
  return { what: 'event', kind: 'incident', message: null, delivery: null, body: JSON.stringify(incident) }
}

/** What waits is written after so many entries, or so many ms, whichever comes first. */
const writeAtCount = 512
const writeAfterMs = 100

/** What may wait for the writer: seconds of a busy relay, and a bound on memory. */
const maxWaiting = 50_000
const maxWaitingBytes = 64 * 1024 * 1024
