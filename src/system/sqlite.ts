/**
 * Opens the SQLite files that the relay's stores live in: finds out whether they may be used, brings an older schema up to date, and sets how
 * durable a commit is.
 *
 * Success means that the file is ours to write (and, if asked for, ours alone) and holds the schema this program knows. Everything
 * that an operator can do something about is thrown as `StoreRefused`: a plain sentence and what to do. It knows nothing of what the tables mean.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Why a store cannot be used. */
export type RefusalReason =
  | 'unwritable'
  | 'unreadable'
  | 'owned'
  | 'full'
  | 'newer'
  | 'foreign'
  | 'damaged'
  | 'failed'

/** A store that cannot be opened: an operator's matter, said in one sentence, with a second one that says what to do. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused'
  readonly reason: RefusalReason
  readonly hint: string
  constructor(reason: RefusalReason, says: string, hint: string) {
    super(says)
    this.reason = reason
    this.hint = hint
  }
}

/** What a store's file holds. */
export interface StoreSchema {
  /** Marks the file as this kind of store (SQLite's `application_id`), so that one is never opened as the other. */
  readonly applicationId: number
  /**
   * Step n brings a file of version n to version n + 1; a new file is version 0. Steps are only ever added at the end. Each runs in a
   * transaction of its own, together with the change of the version.
   */
  readonly migrations: readonly string[]
}

export interface DatabaseOptions {
  readonly path: string
  readonly schema: StoreSchema
  /** `FULL`: a commit survives a power cut. `OFF`: it survives the end of this process only. */
  readonly synchronous: 'FULL' | 'OFF'
  /** Whether no other process may open the file while we have it. The lock dies with the process. */
  readonly access: 'exclusive' | 'shared'
}

/** @throws {StoreRefused} */
export function openDatabase(options: DatabaseOptions): DatabaseSync {
  const { path, schema } = options
  const directory = dirname(path)
  let database: DatabaseSync | null = null
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    database = new DatabaseSync(path, { timeout: lockTimeoutMs })
    if (options.access === 'exclusive') database.exec('PRAGMA locking_mode = EXCLUSIVE')
    // Incremental: deleted pages can be given back to the disk in small steps, without rewriting the file. Has to be said before there is a table.
    if (pragmaNumber(database, 'page_count') === 0) database.exec('PRAGMA auto_vacuum = INCREMENTAL')
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.synchronous}`)
    checkKind(database, path, schema)
    // Takes the lock, and finds out about a read-only disk now rather than with the first message. Writes nothing: a store that is there already
    // opens on a full disk too, so that what it holds can be delivered.
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    migrate(database, schema)
    if (options.access === 'exclusive') noteOwner(directory)
    return database
  } catch (error) {
    database?.close()
    throw error instanceof StoreRefused ? error : refusal(error, path)
  }
}

/** Opens a store for reading only, beside its writer. Null when there is none yet. @throws {StoreRefused} */
export function openForReading(path: string, schema: StoreSchema): DatabaseSync | null {
  let database: DatabaseSync | null = null
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return null
    database = new DatabaseSync(path, { readOnly: true, timeout: lockTimeoutMs })
    checkKind(database, path, schema)
    // The writer has made the file and not its tables yet, or will bring it up to date when it starts.
    if (versionOf(database) === schema.migrations.length) return database
    database.close()
    return null
  } catch (error) {
    database?.close()
    if (error instanceof StoreRefused) throw error
    const { primary, text } = codesOf(error)
    if (primary === sqlite.corrupt || primary === sqlite.notADatabase) throw refusal(error, path)
    throw new StoreRefused(
      'unreadable',
      `${path} cannot be read: ${text}.`,
      'Run this command as the user that the relay runs as.',
    )
  }
}

/** What SQLite or the file system said, in the three cases that matter to a store. */
export function storageFault(error: unknown): { readonly kind: 'full' | 'failed'; readonly says: string } {
  const { primary, system, text } = codesOf(error)
  const full = primary === sqlite.full || system === 'ENOSPC' || system === 'EDQUOT'
  return full
    ? { kind: 'full', says: `The disk is full: ${text}.` }
    : { kind: 'failed', says: `The disk failed: ${text}.` }
}

/** Whether a statement failed because of a row that is there already: its own fault, not the disk's. */
export function isConstraint(error: unknown): boolean {
  return codesOf(error).primary === sqlite.constraint
}

function checkKind(database: DatabaseSync, path: string, schema: StoreSchema): void {
  const id = pragmaNumber(database, 'application_id')
  const version = versionOf(database)
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0
  if (id !== schema.applicationId && (id !== 0 || (tables !== 0 && version === 0)))
    throw new StoreRefused(
      'foreign',
      `${path} is a database of another program.`,
      'Move it away, or choose another state directory.',
    )
  if (version > schema.migrations.length)
    throw new StoreRefused(
      'newer',
      `${path} was written by a newer version of this program (format ${version}; this one knows up to ${schema.migrations.length}).`,
      'Start the newer version again, or let it deliver what is there and begin with an empty state directory.',
    )
}

function migrate(database: DatabaseSync, schema: StoreSchema): void {
  for (let version = versionOf(database); version < schema.migrations.length; version++) {
    database.exec('BEGIN IMMEDIATE')
    database.exec(schema.migrations[version] ?? '')
    database.exec(`PRAGMA application_id = ${schema.applicationId}; PRAGMA user_version = ${version + 1}`)
    database.exec('COMMIT')
  }
}

function versionOf(database: DatabaseSync): number {
  return pragmaNumber(database, 'user_version')
}

export function pragmaNumber(database: DatabaseSync, pragma: string): number {
  const value = database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]
  return typeof value === 'number' ? value : 0
}

function refusal(error: unknown, path: string): StoreRefused {
  const directory = dirname(path)
  const { primary, system, text } = codesOf(error)
  if (primary === sqlite.busy || primary === sqlite.locked) {
    const owner = ownerOf(directory)
    const who = owner === null ? 'another process' : `process ${owner}`
    return new StoreRefused(
      'owned',
      `${path} is in use by ${who}.`,
      owner === null
        ? 'Stop that process first, or choose another state directory.'
        : `If that is a relay, talk to it instead; else stop it (\`ps -p ${owner}\` shows what it is), or choose another state directory.`,
    )
  }
  if (primary === sqlite.full || system === 'ENOSPC' || system === 'EDQUOT')
    return new StoreRefused(
      'full',
      `The disk that holds ${directory} is full.`,
      'Make room there, or choose another state directory.',
    )
  if (primary === sqlite.corrupt || primary === sqlite.notADatabase)
    return new StoreRefused(
      'damaged',
      `${path} is damaged: ${text}.`,
      `Keep a copy, then try \`sqlite3 ${path} .recover\`, or move it away to begin with an empty one.`,
    )
  if (
    primary === sqlite.cantOpen ||
    primary === sqlite.readOnly ||
    primary === sqlite.permission ||
    (system !== null && unwritable.has(system))
  )
    return new StoreRefused(
      'unwritable',
      `${path} cannot be written: ${text}.`,
      `Make ${directory} a directory that belongs to the user this program runs as, or choose another state directory.`,
    )
  return new StoreRefused(
    'failed',
    `${path} cannot be opened: ${text}.`,
    'See what the system log says of that disk.',
  )
}

/** For whoever is refused because of us. Only words depend on it, so a failure is no matter. */
function noteOwner(directory: string): void {
  try {
    writeFileSync(ownerFile(directory), `${process.pid}\n`)
  } catch {
    // The disk is full.
  }
}

/** Who wrote its process id last; only asked when the lock says that somebody has the store now. */
function ownerOf(directory: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(ownerFile(directory), 'utf8'), 10)
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}

function ownerFile(directory: string): string {
  return join(directory, 'owner')
}

function codesOf(error: unknown): { primary: number | null; system: string | null; text: string } {
  if (!(error instanceof Error)) return { primary: null, system: null, text: String(error) }
  const extended = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : null
  const system = 'code' in error && typeof error.code === 'string' ? error.code : null
  // The low byte is the kind, what is above it the occasion (https://www.sqlite.org/rescode.html).
  return { primary: extended === null ? null : extended & 0xff, system, text: error.message.replace(/\.$/, '') }
}

const unwritable: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'ENOENT',
  'ELOOP',
])

/** Result codes of SQLite. */
const sqlite = {
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  constraint: 19,
  notADatabase: 26,
} as const

/** How long to wait for a process that is just ending, in ms. Longer would only delay the message that says who has it. */
const lockTimeoutMs = 500
