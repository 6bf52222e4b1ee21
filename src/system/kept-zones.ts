/**
 * What is known of zones, in memory and beyond the end of the process: a cache that begins with what the last one proved under the same anchors.
 *
 * What was kept is looked at when it is first needed, zone by zone, so that a start costs nothing. It counts as proven as if it had been proven now, but for one thing:
 * it is never the reason why an answer is bogus. An operator who starts the relay anew after somebody changed keys in a hurry expects that to help; so the first
 * answer that does not fit makes it forgotten (`doubt`), and is asked for again.
 */
import { type Name, nameKey } from '../protocol/dns/name.ts'
import { type KeptZone, keepZone, readKeptZone } from '../protocol/dnssec/kept-zone.ts'
import type { ZoneCache } from '../protocol/dnssec/types.ts'
import { createZoneCache } from '../protocol/dnssec/zone-cache.ts'

/** Where proofs are kept. It may lose any of them at any time, and bounds itself. */
export interface ProofMemory {
  /** Said once, before anything else: whatever was kept under another trust, or is not of this time, is forgotten. */
  begin(trust: string, nowMs: number): void
  /** What was kept by a process before this one; null when nothing was, or it was taken already. */
  take(zone: string): KeptZone | null
  keep(proof: KeptZone): void
  /** It was of use again: of all, it is the last to make room. */
  used(zone: string): void
  forget(zone: string): void
}

export interface KnownZones extends ZoneCache {
  /**
   * An answer about these names is bogus. What was kept for them, and for whatever is above them, is forgotten. False: nothing of it had been used, so that
   * asking again would come to the same.
   */
  doubt(names: readonly Name[]): boolean
}

/** Of this process alone. */
export function knownZones(): KnownZones {
  return { ...createZoneCache(), doubt: () => false }
}

/** @param trust what proofs are made under (`trustFingerprint`) @param nowMs milliseconds since 1970 */
export function keptZones(memory: ProofMemory, trust: string, nowMs: () => number): KnownZones {
  const zones = createZoneCache()
  /** Zones that are known only because they were kept. No more than were kept. */
  const restored = new Set<string>()
  memory.begin(trust, nowMs())

  return {
    get(zone, atMs) {
      const known = zones.get(zone, atMs)
      const key = nameKey(zone)
      if (known !== null) {
        memory.used(key)
        return known
      }
      const kept = memory.take(key)
      if (kept === null) return null
      const read = readKeptZone(kept, zone, trust, atMs)
      if (read === null) {
        memory.forget(key)
        return null
      }
      zones.put(zone, read)
      restored.add(key)
      memory.used(key)
      return zones.get(zone, atMs)
    },
    put(zone, known) {
      zones.put(zone, known)
      const key = nameKey(zone)
      restored.delete(key)
      const proof = keepZone(zone, known, trust, nowMs())
      if (proof === null) memory.forget(key)
      else memory.keep(proof)
    },
    doubt(names) {
      const above = new Map(names.flatMap(withAncestors).map(zone => [nameKey(zone), zone]))
      if (![...above.keys()].some(key => restored.has(key))) return false
      for (const [key, zone] of above) {
        if (restored.delete(key)) {
          zones.forget(zone)
          memory.forget(key)
        } else if (memory.take(key) !== null) memory.forget(key)
      }
      return true
    },
  }
}

/** The name itself and everything above it, down from the root. */
function withAncestors(name: Name): readonly Name[] {
  return Array.from({ length: name.length + 1 }, (_, labels) => name.slice(name.length - labels))
}
