/**
 * What is known of zones, from one validation to the next: the keys that were proven, and the delegations proven to be unsigned.
 *
 * In memory, `maxZones` and `maxBytes` at most; the one unused for longest goes first. Keys are copied, since they are views of the messages that they came in,
 * and a zone that its owner has made too large to be worth its room is not kept. Nothing bogus and nothing that merely failed is ever in it,
 * because `KnownZone` has no such kind. It belongs to one set of anchors: other anchors need another cache.
 */
import { type Name, nameKey } from '../dns/name.ts'
import { readDnskey } from './records.ts'
import type { Dnskey, KnownZone, ZoneCache } from './types.ts'

/**
 * @param maxZones zones kept at most. A zone takes about 2 KB: its keys and a few sentences.
 * @param maxBytes what all of them may take, roughly
 */
export function createZoneCache(
  maxZones: number = defaultMaxZones,
  maxBytes: number = defaultMaxBytes,
): ZoneCache & {
  /** Nothing is known of the zone any more. */
  forget(zone: Name): void
} {
  // A Map keeps the order of insertion: what is used is inserted anew, so the first is the one unused for longest.
  const zones = new Map<string, { readonly known: KnownZone; readonly bytes: number }>()
  let held = 0
  const remove = (key: string) => {
    held -= zones.get(key)?.bytes ?? 0
    zones.delete(key)
  }
  return {
    get(zone, nowMs) {
      const key = nameKey(zone)
      const entry = zones.get(key)
      if (entry === undefined) return null
      if (entry.known.expiresAtMs <= nowMs) {
        remove(key)
        return null
      }
      zones.delete(key)
      zones.set(key, entry)
      return entry.known
    },
    put(zone: Name, given: KnownZone) {
      const key = nameKey(zone)
      remove(key)
      const bytes = bytesOf(given)
      if (maxZones <= 0 || bytes > Math.min(maxBytes, maxZoneBytes)) return
      zones.set(key, { known: compacted(given), bytes })
      held += bytes
      for (const oldest of zones.keys()) {
        if (zones.size <= maxZones && held <= maxBytes) break
        remove(oldest)
      }
    },
    forget(zone) {
      remove(nameKey(zone))
    },
  }
}

/** Estimated: an object for each key and each step, and what these hold. Steps of the zones above are shared with them. */
function bytesOf(known: KnownZone): number {
  const keys = known.kind === 'secure' ? known.keys : []
  return 500 + known.steps.length * 50 + keys.reduce((sum, { rdata }) => sum + 500 + rdata.length, 0)
}

function compacted(known: KnownZone): KnownZone {
  if (known.kind !== 'secure') return known
  const keys = known.keys.flatMap((key): readonly Dnskey[] => {
    const copy = readDnskey({ rdata: Uint8Array.from(key.rdata) })
    return copy === 'malformed' ? [] : [copy]
  })
  return { ...known, keys }
}

const defaultMaxZones = 10_000
const defaultMaxBytes = 32 * 1024 * 1024

/** Six keys of 4,096 bits take 6 KB; a DNSKEY set can have 64 KB, and thousands of keys. */
const maxZoneBytes = 32 * 1024
