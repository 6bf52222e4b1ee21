import { expect, test } from 'vitest'
import { found, lookupFailed, noSuchName } from '../protocol/dns/testing/replay.ts'
import { createDnsCache } from './dns-cache.ts'

const a = (name: string, ttlSeconds = 60) =>
  found(name, 'A', [{ type: 'A', address: '192.0.2.1' }], { ttlSeconds })
const ask = (name: string, type: 'A' | 'AAAA' = 'A') => ({ name, type })

test('an answer is kept for its time, tells what is left of it, and is gone to the millisecond', () => {
  let clock = 0
  const cache = createDnsCache(() => clock)
  cache.put('x', a('x'), 60_000)
  clock = 20_500
  expect(cache.get('x', ask('X'))).toEqual({ ...a('x'), question: ask('X'), ttlSeconds: 40, cached: true })
  expect(cache.get('x', ask('x', 'AAAA'))).toBeNull()
  clock = 59_999
  expect(cache.get('x', ask('x'))?.ttlSeconds).toBe(1)
  clock = 60_000
  expect(cache.get('x', ask('x'))).toBeNull()
  expect(cache.bytes).toBe(0)
})

test('a name that does not exist has no record of any type; behind an alias only the one asked for', () => {
  const cache = createDnsCache(() => 0)
  cache.put('gone', noSuchName('gone', 'A'), 1000)
  cache.put('alias', noSuchName('alias', 'A', ['gone']), 1000)
  expect(cache.get('gone', ask('gone', 'AAAA'))?.outcome).toBe('no-such-name')
  expect(cache.get('alias', ask('alias', 'AAAA'))).toBeNull()
  expect(cache.get('alias', ask('alias'))?.outcome).toBe('no-such-name')
})

test('a failure is kept too, without a TTL', () => {
  const cache = createDnsCache(() => 0)
  cache.put('x', lookupFailed('x', 'A'), 5000)
  expect(cache.get('x', ask('x'))).toMatchObject({ outcome: 'failed', ttlSeconds: null, cached: true })
})

test('when room is short the least recently used goes, and room is counted in bytes', () => {
  const cache = createDnsCache(() => 0, 16 * 1000)
  const names = [...Array(40).keys()].map(String)
  for (const name of names) {
    cache.put(name, a(name), 1000)
    expect(cache.get('0', ask('0'))).not.toBeNull()
    expect(cache.bytes).toBeLessThanOrEqual(16_000)
  }
  expect(cache.get('39', ask('39'))).not.toBeNull()
  expect(cache.get('1', ask('1'))).toBeNull()
})

test('an answer that would fill much of the cache is not kept', () => {
  const cache = createDnsCache(() => 0, 16 * 1000)
  const records = [...Array(100)].map(() => ({ type: 'A' as const, address: '192.0.2.1' }))
  cache.put('x', found('x', 'A', records), 1000)
  expect(cache.get('x', ask('x'))).toBeNull()
})

test('an answer put twice counts once', () => {
  const cache = createDnsCache(() => 0)
  cache.put('x', a('x'), 1000)
  const { bytes } = cache
  cache.put('x', a('x'), 1000)
  expect(cache.bytes).toBe(bytes)
})
