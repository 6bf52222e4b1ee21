import { describe, expect, test } from 'vitest'
import { dnskeyRdata } from './encoding.ts'
import { readDnskey } from './records.ts'
import { name } from './testing/validating.ts'
import type { Dnskey, KnownZone } from './types.ts'
import { createZoneCache } from './zone-cache.ts'

const known = (expiresAtMs = 1_000): KnownZone => ({ kind: 'secure', keys: [], expiresAtMs, steps: [] })

test('a zone is known by its name in any case, until it expires', () => {
  const zones = createZoneCache()
  const zone = known()
  zones.put(name('Example.COM'), zone)
  expect(zones.get(name('example.com'), 999)).toEqual(zone)
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

test('what is forgotten is not known, and takes no room', () => {
  const zones = createZoneCache(2)
  for (const each of ['one', 'two']) zones.put(name(each), known())
  zones.forget(name('ONE'))
  zones.forget(name('nobody'))
  zones.put(name('three'), known())
  expect(['one', 'two', 'three'].map(each => zones.get(name(each), 0) !== null)).toEqual([false, true, true])
})

describe('room is bounded, whatever the owners of zones publish', () => {
  const keyIn = (message: Uint8Array, at: number, bytes: number): Dnskey => {
    const key = readDnskey({ rdata: message.subarray(at, at + bytes) })
    if (key === 'malformed') throw new Error('not a key')
    return key
  }
  const withKeys = (keys: readonly Dnskey[]): KnownZone => ({ kind: 'secure', keys, expiresAtMs: 1, steps: [] })
  const secure = (known: KnownZone | null) => (known?.kind === 'secure' ? known : null)

  test('keys are kept without the messages that they came in', () => {
    const zones = createZoneCache()
    const message = Uint8Array.from([...new Uint8Array(60_000), ...dnskeyRdata(257, 13, new Uint8Array(64))])
    zones.put(name('example'), withKeys([keyIn(message, 60_000, 68)]))
    const [key] = secure(zones.get(name('example'), 0))?.keys ?? []
    expect(key).toEqual(keyIn(message, 60_000, 68))
    expect(key?.rdata.buffer.byteLength).toBe(68)
    expect(key?.publicKey.buffer).toBe(key?.rdata.buffer)
    // The same objects each time: what is worked out of a key is remembered by the key.
    expect(secure(zones.get(name('example'), 0))?.keys[0]).toBe(key)
  })

  test('a zone with thousands of keys is not kept, and what was known of it goes', () => {
    const zones = createZoneCache()
    const keys = Array.from({ length: 2_000 }, () => keyIn(new Uint8Array(16), 0, 16))
    zones.put(name('example'), withKeys([]))
    zones.put(name('example'), withKeys(keys))
    expect(zones.get(name('example'), 0)).toBe(null)
    zones.put(name('example'), withKeys(keys.slice(0, 20)))
    expect(secure(zones.get(name('example'), 0))?.keys).toHaveLength(20)
  })

  test('and the oldest go when all together take too much', () => {
    const zones = createZoneCache(100, 4_000)
    for (const each of ['one', 'two', 'three'])
      zones.put(name(each), withKeys([keyIn(new Uint8Array(900), 0, 900)]))
    expect(['one', 'two', 'three'].map(each => zones.get(name(each), 0) !== null)).toEqual([false, true, true])
    zones.put(name('two'), known())
    zones.put(name('four'), withKeys([keyIn(new Uint8Array(900), 0, 900)]))
    expect(['two', 'three', 'four'].map(each => zones.get(name(each), 0) !== null)).toEqual([true, false, true])
  })
})
