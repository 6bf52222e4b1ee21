/** The thread that keeps what was learned: `knowledge.db`. Not synced: what a crash of the machine costs is learned again. Only its owner may read the file. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase, type StoreSchema } from '../system/sqlite.ts'
import { serveStore, type ThreadStore } from '../system/store-thread.ts'
import type { HostHint } from './knowledge.ts'
import { openProofTable, type ProofBatch, type ProofsFound, proofTables } from './proof-table.ts'

export const knowledgeRole = 'knowledge'
export const knowledgeModule = new URL(import.meta.url)

/** What changed since the last time. */
export interface KnowledgeBatch {
  readonly hints: readonly HostHint[]
  /** Targets without a hint now. */
  readonly forgotten: readonly string[]
  readonly counters: readonly (readonly [name: string, value: number])[]
  readonly validation: readonly ServersWorked[]
  /** Sets of servers that are not known any more. */
  readonly unknownServers: readonly string[]
  readonly proofs: ProofBatch | null
}

/** Name servers that passed signatures on, and when they last did, in ms since 1970. */
export type ServersWorked = readonly [servers: string, atMs: number]

/** Whether it was written. Of proofs nobody asks. */
export type KnowledgeReply = boolean

export interface KnowledgeFound {
  /** Those that expire first come first. */
  readonly hints: readonly HostHint[]
  readonly counters: readonly (readonly [name: string, value: number])[]
  /** Those that worked longest ago come first. */
  readonly validation: readonly ServersWorked[]
  readonly proofs: ProofsFound
}

export const knowledgeSchema: StoreSchema = {
  applicationId: 0x68_6d_6b_6e, // "hmkn"
  migrations: [
    `CREATE TABLE hint (target TEXT PRIMARY KEY, failures INTEGER NOT NULL, avoid_until INTEGER NOT NULL, reason TEXT NOT NULL)
       STRICT, WITHOUT ROWID;
     CREATE TABLE counter (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT, WITHOUT ROWID;`,
    'CREATE TABLE validation (servers TEXT PRIMARY KEY, worked_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;',
    proofTables,
  ],
}

export function knowledgePath(directory: string): string {
  return join(directory, 'knowledge.db')
}

function openKnowledgeStore(directory: string): ThreadStore<KnowledgeFound, KnowledgeBatch, KnowledgeReply> {
  const database = openDatabase({
    path: knowledgePath(directory),
    schema: knowledgeSchema,
    synchronous: 'OFF',
    access: 'shared',
  })
  closeToOthers(knowledgePath(directory))
  const proofTable = openProofTable(database)
  const sql = {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    hint: database.prepare(
      'INSERT OR REPLACE INTO hint (target, failures, avoid_until, reason) VALUES (?, ?, ?, ?)',
    ),
    forget: database.prepare('DELETE FROM hint WHERE target = ?'),
    counter: database.prepare('INSERT OR REPLACE INTO counter (name, value) VALUES (?, ?)'),
    worked: database.prepare('INSERT OR REPLACE INTO validation (servers, worked_at) VALUES (?, ?)'),
    unknown: database.prepare('DELETE FROM validation WHERE servers = ?'),
  }
  return {
    opened: {
      hints: database
        .prepare('SELECT * FROM hint ORDER BY avoid_until')
        .all()
        .map(row => ({
          target: String(row['target']),
          failures: Number(row['failures']),
          avoidUntilMs: Number(row['avoid_until']),
          reason: String(row['reason']),
        })),
      counters: database
        .prepare('SELECT name, value FROM counter')
        .all()
        .map(row => [String(row['name']), Number(row['value'])] as const),
      validation: database
        .prepare('SELECT servers, worked_at FROM validation ORDER BY worked_at')
        .all()
        .map(row => [String(row['servers']), Number(row['worked_at'])] as const),
      proofs: proofTable.found,
    },
    handle({ hints, forgotten, counters, validation, unknownServers, proofs }) {
      if (proofs !== null) proofTable.write(proofs)
      try {
        sql.begin.run()
        for (const target of forgotten) sql.forget.run(target)
        for (const { target, failures, avoidUntilMs, reason } of hints)
          sql.hint.run(target, failures, avoidUntilMs, reason)
        for (const [name, value] of counters) sql.counter.run(name, value)
        for (const servers of unknownServers) sql.unknown.run(servers)
        for (const [servers, atMs] of validation) sql.worked.run(servers, atMs)
        sql.commit.run()
        return true
      } catch {
        if (database.isTransaction) sql.rollback.run()
        return false
      }
    },
    close() {
      database.close()
    },
  }
}

function closeToOthers(path: string): void {
  try {
    chmodSync(path, 0o600)
  } catch {
    // The file is another user's, or the file system knows no modes. Its directory is closed to others in any case.
  }
}

serveStore(knowledgeRole, openKnowledgeStore)
