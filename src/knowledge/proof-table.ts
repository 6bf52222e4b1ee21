/**
 * The tables of `knowledge.db` that hold proofs of zones, on the store's thread.
 *
 * Whatever is wrong with them, nothing else in the file is held up by it: what cannot be read is not there, and what cannot be written is not kept. Rows are taken as they
 * are; whether they may be believed is not known here (protocol/dnssec/kept-zone.ts).
 */
import type { DatabaseSync } from 'node:sqlite'
import type { KeptZone } from '../protocol/dnssec/kept-zone.ts'

export interface ProofsFound {
  /** The last one kept comes last. No more than fit into the bounds, the newest of them. */
  readonly zones: readonly KeptZone[]
  /** When something was last written, in ms since 1970; 0: never. */
  readonly seenAtMs: number
}

export interface ProofBatch {
  readonly forgotten: readonly string[]
  readonly kept: readonly KeptZone[]
  readonly seenAtMs: number
}

export interface ProofTable {
  readonly found: ProofsFound
  write(batch: ProofBatch): void
}

/** A step of the schema (`StoreSchema`). */
export const proofTables = `
  CREATE TABLE proof (zone TEXT PRIMARY KEY, trust TEXT NOT NULL, kept_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, proof TEXT NOT NULL,
    sum TEXT NOT NULL) STRICT;
  CREATE TABLE proof_seen (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;`

/** Zones, and what they may take in bytes: those that a relay meets within a day, and no more than makes a start slower by a twentieth of a second. */
export const maxKeptZones = 10_000
export const maxKeptBytes = 8 * 1024 * 1024

/** What a zone takes in the file and in memory, roughly. */
export function keptBytes({ zone, trust, proof, sum }: KeptZone): number {
  return zone.length + trust.length + proof.length + sum.length + 100
}

export function openProofTable(database: DatabaseSync): ProofTable {
  const found = attempt(() => read(database))
  if (found === null) attempt(() => database.exec('DELETE FROM proof; DELETE FROM proof_seen'))
  return {
    found: found ?? { zones: [], seenAtMs: 0 },
    write({ forgotten, kept, seenAtMs }) {
      const written = attempt(() => {
        database.exec('BEGIN IMMEDIATE')
        const forget = database.prepare('DELETE FROM proof WHERE zone = ?')
        for (const zone of forgotten) forget.run(zone)
        const keep = database.prepare(
          'INSERT OR REPLACE INTO proof (zone, trust, kept_at, expires_at, proof, sum) VALUES (?, ?, ?, ?, ?, ?)',
        )
        for (const { zone, trust, keptAtMs, expiresAtMs, proof, sum } of kept)
          keep.run(zone, trust, keptAtMs, expiresAtMs, proof, sum)
        database.prepare('INSERT OR REPLACE INTO proof_seen (id, at) VALUES (1, ?)').run(seenAtMs)
        database.exec('COMMIT')
        return true
      })
      if (written === null && database.isTransaction) attempt(() => database.exec('ROLLBACK'))
    },
  }
}

function read(database: DatabaseSync): ProofsFound {
  const seenAtMs = Number(database.prepare('SELECT at FROM proof_seen').get()?.['at'] ?? 0)
  const zones: KeptZone[] = []
  let bytes = 0
  const rows = database.prepare(
    'SELECT zone, trust, kept_at, expires_at, proof, sum FROM proof ORDER BY kept_at DESC',
  )
  for (const row of rows.iterate()) {
    const kept = {
      zone: String(row['zone']),
      trust: String(row['trust']),
      keptAtMs: Number(row['kept_at']),
      expiresAtMs: Number(row['expires_at']),
      proof: String(row['proof']),
      sum: String(row['sum']),
    }
    bytes += keptBytes(kept)
    if (zones.length >= maxKeptZones || bytes > maxKeptBytes)
      return { zones: withoutRest(database, zones), seenAtMs }
    zones.push(kept)
  }
  return { zones: zones.reverse(), seenAtMs }
}

/** There are more than are ever kept at once, because a write failed: the older ones go. */
function withoutRest(database: DatabaseSync, newestFirst: readonly KeptZone[]): readonly KeptZone[] {
  database
    .prepare('DELETE FROM proof WHERE kept_at < ?')
    .run(newestFirst.at(-1)?.keptAtMs ?? Number.MAX_SAFE_INTEGER)
  return newestFirst.toReversed()
}

/** Null: it failed. A disk that is full or damaged costs what was kept, and nothing else. */
function attempt<T>(does: () => T): T | null {
  try {
    return does()
  } catch {
    return null
  }
}
