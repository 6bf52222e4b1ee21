import { expect, test } from 'vitest'
import { name } from './testing/validating.ts'
import type { KnownZone } from './types.ts'
import { createZoneCache } from './zone-cache.ts'

const known = (expiresAtMs = 1_000): KnownZone => ({ kind: 'secure', keys: [], expiresAtMs, steps: [] })

test('a zone is known by its name in any case, until it expires', () => {
  const zones = createZoneCache()
  const zone = known()
  zones.put(name('Example.COM'), zone)
  expect(zones.get(name('example.com'), 999)).toBe(zone)
  expect(zones.get(name('example.com'), 1_000)).toBe(null)
  expect(zones.get(name('example.com'), 999)).toBe(null)
})

test('the root is a zone like others, and no other is taken for it', () => {
  const zones = createZoneCache()
  zones.put([], known())
  expect(zones.get([], 0)).not.toBe(null)
  expect(zones.get(name('example'), 0)).toBe(null)
})

test('no more zones are kept than it was made for; the one unused for longest goes', () => {
  const zones = createZoneCache(2)
  zones.put(name('one'), known())
  zones.put(name('two'), known())
  zones.get(name('one'), 0)
  zones.put(name('three'), known())
  expect(['one', 'two', 'three'].map(each => zones.get(name(each), 0) !== null)).toEqual([true, false, true])
})

test('one made for nothing keeps nothing', () => {
  const zones = createZoneCache(0)
  zones.put(name('one'), known())
  expect(zones.get(name('one'), 0)).toBe(null)
})
