/**
 * The thread that owns a partition's database: a batch of operations in, one commit, one answer each.
 *
 * What changes the store is done first, in one transaction that is synced before any answer; what only reads comes after it and so sees durable
 * things only. A batch that only notes what is done is not synced by itself: the next one that takes mail in syncs it along. Leases live here in memory: after a crash everything is available again. It does not touch the body files except to remove them.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, statfsSync, unlink, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { isConstraint, openDatabase, pragmaNumber, storageFault } from '../system/sqlite.ts'
import { serveStore, type ThreadStore } from '../system/store-thread.ts'
import { keyOf } from './key.ts'
import type {
  Answers,
  ContentRow,
  Expedited,
  MessageRow,
  OpenedStore,
  Operation,
  PendingRow,
  StoreData,
  StoredRow,
} from './protocol.ts'
import { spoolSchema } from './schema.ts'
import type { StoreFault } from './spool.ts'

/** The role of this module as a thread. */
export const storeRole = 'spool'
export const storeModule = new URL(import.meta.url)

/** Where body files are, in folders by the first two characters of their name. */
export function bodyPath(directory: string, file: string): string {
  return join(directory, 'bodies', file.slice(0, 2), file)
}

interface Lease {
  /** Due time of the row, to find the place again when the lease is given back. */
  readonly dueMs: number
  /** What a message has that nobody tried yet, so that it can be deleted unread; null otherwise. */
  readonly fresh: { readonly recipients: number; readonly size: number; readonly file: string | null } | null
}

type Write = Extract<Operation, { kind: 'accept' | 'settle' | 'expedite' | 'remove' | 'reserve' }>

export function openStore({
  directory,
  minFreeBytes,
  slab,
}: StoreData): ThreadStore<OpenedStore, readonly Operation[], Answers> {
  const database = openDatabase({
    path: join(directory, 'spool.db'),
    schema: spoolSchema,
    synchronous: 'FULL',
    access: 'exclusive',
  })
  const sql = statements(database)
  makeBodyFolders(directory)
  sweep(database, directory)

  const leases = new Map<bigint, Lease>()
  const total = sql.total.get()
  let messages = numberOf(total?.['messages'])
  let bytes = numberOf(total?.['bytes'])
  /** Everything due before this place is leased. */
  let front: { dueMs: number; key: bigint } = { dueMs: 0, key: 0n }
  /** What becomes true in memory when the transaction is durable. */
  let effects: (() => void)[] = []
  const space = freeSpaceWatch(directory, minFreeBytes)
  let durability: 'FULL' | 'NORMAL' = 'FULL'
  let isGivingBack = false

  function available(dueMs: number, key: bigint): void {
    if (dueMs < front.dueMs || (dueMs === front.dueMs && key <= front.key)) front = { dueMs, key: key - 1n }
  }

  function handle(operations: readonly Operation[]): Answers {
    const answers: unknown[] = new Array(operations.length).fill(null)
    // Before the writes for a removal that follows in this batch; in its turn again, for a message that was accepted in it.
    for (const operation of operations) if (operation.kind === 'release') release(operation.id)
    const fault = commit(operations, answers, 'all')
    if (fault !== null) {
      // Room for a deletion may be left where there is none for a message; and what was delivered must not be forgotten.
      foldLog(database)
      const worse = commit(operations, answers, 'settlements')
      for (const [index, { kind }] of operations.entries())
        if (isWrite(kind) && (kind !== 'settle' || worse !== null)) answers[index] = fault
    }
    for (const [index, operation] of operations.entries())
      if (!isWrite(operation.kind)) answers[index] = answerRead(operation)
    return answers
  }

  /** Does all writes (or only the settlements) in one transaction. Null when it is durable; else nothing was changed. */
  function commit(
    operations: readonly Operation[],
    answers: unknown[],
    which: 'all' | 'settlements',
  ): StoreFault | null {
    effects = []
    try {
      beDurable(operations.some(mustSurvivePowerCut) ? 'FULL' : 'NORMAL')
      for (const [index, operation] of operations.entries()) {
        if (!isWriteOperation(operation) || (which === 'settlements' && operation.kind !== 'settle')) continue
        if (!database.isTransaction) sql.begin.run()
        answers[index] = write(operation)
      }
      if (database.isTransaction) sql.commit.run()
    } catch (error) {
      // SQLite has rolled back by itself after some errors.
      if (database.isTransaction) sql.rollback.run()
      return storageFault(error)
    }
    for (const effect of effects) effect()
    return null
  }

  /**
   * A note of what is done need not wait for the disk: if a power cut takes it, the message is tried again, which is what a power cut a moment
   * earlier would have brought about as well. Killing the process takes nothing, since the system has the bytes. But a body's file is unlinked
   * after the note, so that one must be safe.
   */
  function mustSurvivePowerCut(operation: Operation): boolean {
    if (!isWriteOperation(operation)) return false
    if (operation.kind !== 'settle' || operation.notify !== null) return true
    const fresh = leases.get(keyOf(operation.id) ?? -1n)?.fresh
    return fresh === undefined || fresh === null || fresh.file !== null
  }

  /** In WAL mode a FULL commit syncs the log, with all that went before it; a NORMAL one leaves it to the next. */
  function beDurable(how: 'FULL' | 'NORMAL'): void {
    if (durability === how) return
    database.exec(`PRAGMA synchronous = ${how}`)
    durability = how
  }

  function write(operation: Write): unknown {
    switch (operation.kind) {
      case 'accept':
        return space.fault() ?? insert(operation.row, 'leased')
      case 'settle':
        return settle(operation)
      case 'expedite':
        return expedite(operation)
      case 'remove':
        return remove(operation.id)
      case 'reserve':
        sql.reserve.run(operation.untilMs)
        return null
      default:
        return operation satisfies never
    }
  }

  function insert(row: MessageRow, lease: 'leased' | 'free'): StoreFault | null {
    const key = keyOf(row.id)
    if (key === null) return { kind: 'failed', says: `${row.id} is no message id.` }
    const { body, sizeBytes: size, dueMs } = row
    const file = typeof body === 'string' ? body : null
    try {
      sql.insertMessage.run(key, row.id, dueMs, size, file, row.meta)
    } catch (error) {
      if (!isConstraint(error)) throw error
      return { kind: 'failed', says: `There is a message ${row.id} already.` }
    }
    if (typeof body === 'number') sql.insertBody.run(key, new Uint8Array(slab, body, size))
    else if (typeof body !== 'string') sql.insertBody.run(key, body)
    effects.push(() => {
      messages++
      bytes += size
      if (lease === 'leased') leases.set(key, { dueMs, fresh: { recipients: row.recipients, size, file } })
      else available(dueMs, key)
    })
    return null
  }

  function settle(settlement: Extract<Operation, { kind: 'settle' }>): StoreFault | null {
    const { id, done, deferred, lease, notify } = settlement
    if (notify !== null) {
      const fault = insert(notify, 'free')
      if (fault !== null) return fault
    }
    const key = keyOf(id)
    if (key === null) return null
    const fresh = leases.get(key)?.fresh ?? null
    if (fresh !== null && deferred.length === 0 && coversAll(done, fresh.recipients)) {
      forget(key, fresh.size, fresh.file)
      return null
    }
    const row = sql.messageForSettling.get(key)
    if (row === undefined) return null
    const pending = new Map(pendingOf(row).map(one => [one[0], one]))
    for (const index of done) pending.delete(index)
    for (const { index, nextAttemptAtMs, failure } of deferred) {
      const before = pending.get(index)
      if (before !== undefined) pending.set(index, [index, before[1] + 1, nextAttemptAtMs, failure])
    }
    if (pending.size === 0) {
      forget(key, numberOf(row['size']), textOrNull(row['file']))
      return null
    }
    const left = [...pending.values()]
    const dueMs = earliest(left)
    sql.updatePending.run(dueMs, JSON.stringify(left), key)
    effects.push(() => {
      if (lease === 'keep' && leases.has(key)) {
        leases.set(key, { dueMs, fresh: null })
        return
      }
      leases.delete(key)
      available(dueMs, key)
    })
    return null
  }

  function forget(key: bigint, size: number, file: string | null): void {
    sql.deleteMessage.run(key)
    if (file === null) sql.deleteBody.run(key)
    effects.push(() => {
      leases.delete(key)
      messages--
      bytes -= size
      // If this is lost in a crash, the sweep at the next start finds the file.
      if (file !== null) unlink(bodyPath(directory, file), () => {})
    })
  }

  function remove(id: string): boolean {
    const key = keyOf(id)
    if (key === null || leases.has(key)) return false
    const row = sql.messageForSettling.get(key)
    if (row === undefined) return false
    forget(key, numberOf(row['size']), textOrNull(row['file']))
    return true
  }

  function expedite({ which, nowMs }: Extract<Operation, { kind: 'expedite' }>): Expedited {
    if ('one' in which) {
      const key = keyOf(which.one)
      const row = key === null ? undefined : sql.show.get(key)
      if (row !== undefined) expediteRow(row, nowMs)
      return { messages: row === undefined ? 0 : 1, last: null }
    }
    const rows = sql.list.all(which.after === null ? -1n : keyOf(which.after), expediteAtOnce)
    for (const row of rows) expediteRow(row, nowMs)
    const last = rows.length < expediteAtOnce ? null : textOrNull(rows.at(-1)?.['id'])
    return { messages: rows.length, last }
  }

  function expediteRow(row: Row, nowMs: number): void {
    const key = keyOf(String(row['id']))
    const before = pendingOf(row)
    if (key === null || before.every(one => one[2] <= nowMs)) return
    const pending = before.map(one => [one[0], one[1], Math.min(one[2], nowMs), one[3]] as const)
    const dueMs = earliest(pending)
    sql.updatePending.run(dueMs, JSON.stringify(pending), key)
    effects.push(() => {
      if (leases.has(key)) leases.set(key, { dueMs, fresh: null })
      else available(dueMs, key)
    })
  }

  function answerRead(operation: Operation): unknown {
    try {
      switch (operation.kind) {
        case 'take':
          return take(operation.nowMs, operation.limit)
        case 'release':
          return release(operation.id)
        case 'counts':
          return counts()
        case 'list':
          return list(operation.after, operation.limit)
        case 'show': {
          const key = keyOf(operation.id)
          const row = key === null ? undefined : sql.show.get(key)
          return row === undefined ? null : storedRow(row)
        }
        case 'read':
          return read(operation.id)
        default:
          return null
      }
    } catch (error) {
      return storageFault(error)
    }
  }

  function release(id: string): null {
    const key = keyOf(id)
    const lease = key === null ? undefined : leases.get(key)
    if (key !== null && lease !== undefined) {
      leases.delete(key)
      available(lease.dueMs, key)
    }
    return null
  }

  function take(nowMs: number, limit: number): StoredRow[] {
    const taken: StoredRow[] = []
    for (const place of waiting(nowMs)) {
      if (taken.length === limit) break
      const row = sql.show.get(place.key)
      if (row === undefined) continue
      taken.push(storedRow(row))
      leases.set(place.key, { dueMs: place.dueMs, fresh: null })
    }
    return taken
  }

  /** The places of messages that nobody has, in the order they are due, up to a time. Moves the front on past those that somebody has. */
  function* waiting(untilMs: number): Generator<{ dueMs: number; key: bigint }> {
    const start = front
    let allLeased = true
    // Two scans, because only the first of two columns bounds SQLite's search of an index, and after an expedition all messages may be due in one millisecond.
    for (const rows of [
      sql.dueAtAfter.iterate(start.dueMs, start.key, untilMs),
      sql.dueAfter.iterate(start.dueMs, untilMs),
    ])
      for (const { key, due } of rows) {
        if (typeof key !== 'bigint' || typeof due !== 'bigint') continue
        const place = { dueMs: Number(due), key }
        if (!leases.has(key)) {
          yield place
          allLeased &&= leases.has(key)
        }
        if (allLeased) front = place
      }
  }

  function counts(): unknown {
    const oldest = sql.oldest.get()?.['meta']
    const receivedAtMs: unknown = typeof oldest === 'string' ? JSON.parse(oldest)?.receivedAtMs : null
    let nextAttemptAtMs: number | null = null
    for (const place of waiting(Number.MAX_SAFE_INTEGER)) {
      nextAttemptAtMs = place.dueMs
      break
    }
    return {
      messages,
      bytes,
      oldestReceivedAtMs: typeof receivedAtMs === 'number' ? receivedAtMs : null,
      nextAttemptAtMs,
    }
  }

  function list(after: string | null, limit: number): StoredRow[] {
    const key = after === null ? -1n : keyOf(after)
    return key === null ? [] : sql.list.all(key, limit).map(storedRow)
  }

  function read(id: string): ContentRow | null {
    const key = keyOf(id)
    const row = key === null ? undefined : sql.content.get(key)
    if (row === undefined) return null
    const content = row['content']
    return {
      size: numberOf(row['size']),
      file: textOrNull(row['file']),
      content: content instanceof Uint8Array ? content : null,
    }
  }

  /** Gives pages that a drained store has left over back to the disk, a little at a time. */
  function giveBack(): void {
    if (isGivingBack || !hasTooManyPages()) return
    isGivingBack = true
    setTimeout(() => {
      isGivingBack = false
      if (!database.isOpen) return
      try {
        database.exec(`PRAGMA incremental_vacuum(${giveBackPages})`)
        giveBack()
      } catch {
        // Nothing was changed, and it is tried again after a later batch.
      }
    }, giveBackEveryMs).unref()
  }

  function hasTooManyPages(): boolean {
    const free = pragmaNumber(database, 'freelist_count')
    return free > keptPages && free > pragmaNumber(database, 'page_count') / 2
  }

  return {
    opened: { reservedMs: Math.max(numberOf(sql.reserved.get()?.['until']), 0) },
    handle,
    afterwards: giveBack,
    close() {
      foldLog(database)
      database.close()
    },
  }
}

function statements(database: DatabaseSync) {
  const bigints = { readBigInts: true }
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    insertMessage: database.prepare(
      'INSERT INTO message (key, id, due, size, file, meta) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    insertBody: database.prepare('INSERT INTO body (key, content) VALUES (?, ?)'),
    deleteMessage: database.prepare('DELETE FROM message WHERE key = ?'),
    deleteBody: database.prepare('DELETE FROM body WHERE key = ?'),
    updatePending: database.prepare('UPDATE message SET due = ?, pending = ? WHERE key = ?'),
    messageForSettling: database.prepare('SELECT size, file, pending, meta FROM message WHERE key = ?'),
    dueAtAfter: database.prepare(
      'SELECT key, due FROM message WHERE due = ? AND key > ? AND due <= ? ORDER BY key',
      bigints,
    ),
    dueAfter: database.prepare(
      'SELECT key, due FROM message WHERE due > ? AND due <= ? ORDER BY due, key',
      bigints,
    ),
    show: database.prepare('SELECT id, size, meta, pending FROM message WHERE key = ?'),
    list: database.prepare('SELECT id, size, meta, pending FROM message WHERE key > ? ORDER BY key LIMIT ?'),
    oldest: database.prepare('SELECT meta FROM message ORDER BY key LIMIT 1'),
    total: database.prepare('SELECT count(*) AS messages, total(size) AS bytes FROM message'),
    content: database.prepare(
      'SELECT message.size, message.file, body.content FROM message LEFT JOIN body USING (key) WHERE key = ?',
    ),
    reserve: database.prepare('UPDATE reservation SET until = ?'),
    reserved: database.prepare('SELECT until FROM reservation'),
  }
}

function isWrite(kind: Operation['kind']): kind is Write['kind'] {
  switch (kind) {
    case 'accept':
    case 'settle':
    case 'expedite':
    case 'remove':
    case 'reserve':
      return true
    case 'release':
    case 'take':
    case 'read':
    case 'counts':
    case 'list':
    case 'show':
      return false
    default:
      return kind satisfies never
  }
}

function isWriteOperation(operation: Operation): operation is Write {
  return isWrite(operation.kind)
}

function coversAll(done: readonly number[], recipients: number): boolean {
  if (done.length !== recipients) return false
  return done.every(index => index >= 0 && index < recipients) && new Set(done).size === recipients
}

function pendingOf(row: Row): readonly PendingRow[] {
  const pending = row['pending']
  if (typeof pending === 'string') return JSON.parse(pending)
  const { envelope, receivedAtMs } = JSON.parse(String(row['meta']))
  return Array.from(
    { length: envelope.recipients.length },
    (_, index) => [index, 0, receivedAtMs, null] satisfies PendingRow,
  )
}

function earliest(pending: readonly PendingRow[]): number {
  return pending.reduce((least, one) => Math.min(least, one[2]), Number.MAX_SAFE_INTEGER)
}

function storedRow(row: Row): StoredRow {
  return {
    id: String(row['id']),
    size: numberOf(row['size']),
    meta: String(row['meta']),
    pending: textOrNull(row['pending']),
  }
}

type Row = Readonly<Record<string, unknown>>

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Whether the disk has room to take messages in, looked up once a second at most. */
function freeSpaceWatch(directory: string, minFreeBytes: number): { fault(): StoreFault | null } {
  let askAtMs = 0
  let fault: StoreFault | null = null
  return {
    fault() {
      const nowMs = performance.now()
      if (nowMs < askAtMs) return fault
      askAtMs = nowMs + 1000
      const { bavail, bsize } = statfsSync(directory)
      fault =
        bavail * bsize >= minFreeBytes
          ? null
          : { kind: 'full', says: `The disk of ${directory} has less than ${minFreeBytes} bytes left.` }
      return fault
    },
  }
}

/** Puts the write-ahead log's content where it belongs and empties it, if the disk lets it. */
function foldLog(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // The log stays as it is: nothing in it is lost, and the next start reads it.
  }
}

function makeBodyFolders(directory: string): void {
  const bodies = join(directory, 'bodies')
  for (let i = 0; i < 256; i++)
    mkdirSync(join(bodies, i.toString(16).padStart(2, '0')), { recursive: true, mode: 0o700 })
  // A synced file is lost all the same when the folder it is in does not survive the power cut.
  for (const folder of [bodies, directory]) {
    const handle = openSync(folder, 'r')
    fsyncSync(handle)
    closeSync(handle)
  }
}

/** Removes body files that no message has: left by a crash between a file and its commit, or between a deletion and its file. */
function sweep(database: DatabaseSync, directory: string): void {
  const known = new Set<unknown>()
  for (const { file } of database.prepare('SELECT file FROM message WHERE file IS NOT NULL').iterate())
    known.add(file)
  for (const folder of readdirSync(join(directory, 'bodies')))
    for (const file of readdirSync(join(directory, 'bodies', folder)))
      if (!known.has(file)) unlinkSync(join(directory, 'bodies', folder, file))
}

/** How many messages one commit brings forward: others wait some 20 ms for it at most. */
const expediteAtOnce = 2000

/** Unused pages that stay for the next messages: 8 MB. */
const keptPages = 2048
/** Pages given back at a time (4 MB), and how often, in ms. */
const giveBackPages = 1024
const giveBackEveryMs = 1000

serveStore(storeRole, openStore)
