/**
 * Proofs of zones that outlive the process: what `knowledge.db` had of them at the start, and what is to be written to it.
 *
 * Bounded in number and bytes: the one unused for longest goes first; at a start the order is that of writing. Nothing here is urgent, and nothing is tried twice: what
 * is lost is asked for again.
 *
 * The time of the last writing is kept too. A clock that is behind it has been set back, and would prolong everything: then all of it is forgotten.
 */
import { holdsAt, type KeptZone } from '../protocol/dnssec/kept-zone.ts'
import type { ProofMemory } from '../system/kept-zones.ts'
import { keptBytes, maxKeptBytes, maxKeptZones, type ProofBatch, type ProofsFound } from './proof-table.ts'

export interface KeptProofs {
  readonly memory: ProofMemory
  /**
   * What changed since the last time; null when there is nothing to be written.
   * @param occasion at the end the time is written in any case, if anything is kept at all
   */
  takeBatch(occasion: 'now and then' | 'end'): ProofBatch | null
}

/** @param changed called when there is something to be written */
export function createKeptProofs(found: ProofsFound, now: () => number, changed: () => void): KeptProofs {
  /** All that is in the file, or will be: what each takes. The one unused for longest comes first. */
  const sizes = new Map<string, number>()
  /** Found at the start and not taken yet. */
  const untaken = new Map<string, KeptZone>()
  const pending = new Map<string, KeptZone | 'forgotten'>()
  let seenAtMs = found.seenAtMs
  let held = 0

  function setSize(zone: string, bytes: number | null): void {
    held -= sizes.get(zone) ?? 0
    sizes.delete(zone)
    if (bytes === null) return
    held += bytes
    sizes.set(zone, bytes)
  }

  function forget(zone: string): void {
    if (!sizes.has(zone)) return
    setSize(zone, null)
    untaken.delete(zone)
    pending.set(zone, 'forgotten')
    changed()
  }

  function forgetAll(): void {
    for (const zone of [...sizes.keys()]) forget(zone)
  }

  for (const kept of found.zones) {
    setSize(kept.zone, keptBytes(kept))
    untaken.set(kept.zone, kept)
  }

  return {
    memory: {
      begin(trust, nowMs) {
        if (nowMs < seenAtMs) forgetAll()
        for (const kept of [...untaken.values()])
          if (kept.trust !== trust || !holdsAt(kept, nowMs)) forget(kept.zone)
      },
      take(zone) {
        const kept = untaken.get(zone) ?? null
        untaken.delete(zone)
        return kept
      },
      keep(proof) {
        untaken.delete(proof.zone)
        setSize(proof.zone, keptBytes(proof))
        pending.set(proof.zone, proof)
        for (const oldest of sizes.keys()) {
          if (sizes.size <= maxKeptZones && held <= maxKeptBytes) break
          forget(oldest)
        }
        changed()
      },
      used(zone) {
        const bytes = sizes.get(zone)
        if (bytes !== undefined) setSize(zone, bytes)
      },
      forget,
    },
    takeBatch(occasion) {
      const nowMs = now()
      if (nowMs < seenAtMs) forgetAll()
      if (pending.size === 0 && (occasion === 'now and then' || sizes.size === 0)) return null
      seenAtMs = nowMs
      const changes = [...pending]
      pending.clear()
      return {
        forgotten: changes.flatMap(([zone, what]) => (what === 'forgotten' ? [zone] : [])),
        kept: changes.flatMap(([, what]) => (what === 'forgotten' ? [] : [what])),
        seenAtMs,
      }
    },
  }
}
