/**
 * What is known of zones, from one validation to the next: the keys that were proven, and the delegations proven to be unsigned.
 *
 * In memory, `maxZones` at most; the one unused for longest goes first. Nothing bogus and nothing that merely failed is ever in it,
 * because `KnownZone` has no such kind. It belongs to one set of anchors: other anchors need another cache.
 */
import { type Name, nameKey } from '../dns/name.ts'
import type { KnownZone, ZoneCache } from './types.ts'

/** @param maxZones zones kept at most. A zone takes about 2 KB: its keys and a few sentences. */
export function createZoneCache(maxZones: number = defaultMaxZones): ZoneCache {
  // A Map keeps the order of insertion: what is used is inserted anew, so the first is the one unused for longest.
  const zones = new Map<string, KnownZone>()
  return {
    get(zone, nowMs) {
      const key = nameKey(zone)
      const known = zones.get(key)
      if (known === undefined) return null
      zones.delete(key)
      if (known.expiresAtMs <= nowMs) return null
      zones.set(key, known)
      return known
    },
    put(zone: Name, known: KnownZone) {
      const key = nameKey(zone)
      zones.delete(key)
      if (maxZones > 0) zones.set(key, known)
      for (const oldest of zones.keys()) {
        if (zones.size <= maxZones) break
        zones.delete(oldest)
      }
    },
  }
}

const defaultMaxZones = 10_000
