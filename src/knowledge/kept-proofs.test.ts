import { beforeEach, describe, expect, test } from 'vitest'
import type { KeptZone } from '../protocol/dnssec/kept-zone.ts'
import { createKeptProofs, type KeptProofs } from './kept-proofs.ts'
import { maxKeptBytes, maxKeptZones, type ProofsFound } from './proof-table.ts'

const hourMs = 3_600_000
let nowMs: number
let changes: number
let file: Map<string, KeptZone>
let seenAtMs: number
let proofs: KeptProofs
beforeEach(() => {
  nowMs = 1_800_000_000_000
  file = new Map()
  seenAtMs = 0
  open()
})

function open(found?: Partial<ProofsFound>): void {
  changes = 0
  proofs = createKeptProofs(
    { zones: [...file.values()], seenAtMs, ...found },
    () => nowMs,
    () => void changes++,
  )
}
function write(occasion: 'now and then' | 'end' = 'now and then') {
  const batch = proofs.takeBatch(occasion)
  for (const zone of batch?.forgotten ?? []) file.delete(zone)
  for (const kept of batch?.kept ?? []) {
    file.delete(kept.zone)
    file.set(kept.zone, kept)
  }
  seenAtMs = batch?.seenAtMs ?? seenAtMs
  return batch
}
function restart(trust = 'trust'): void {
  write('end')
  open()
  proofs.memory.begin(trust, nowMs)
}
const proof = (zone: string, more: Partial<KeptZone> = {}): KeptZone => ({
  zone,
  trust: 'trust',
  keptAtMs: nowMs,
  expiresAtMs: nowMs + hourMs,
  proof: '{}',
  sum: '',
  ...more,
})
const keep = (...zones: readonly string[]) => {
  for (const zone of zones) proofs.memory.keep(proof(zone))
}

test('what is kept is found once after a restart, and nothing before', () => {
  keep('a', 'b')
  expect(proofs.memory.take('a')).toBe(null)
  restart()
  expect(proofs.memory.take('a')).toEqual(proof('a'))
  expect(proofs.memory.take('a')).toBe(null)
  restart()
  expect(proofs.memory.take('a')).toEqual(proof('a'))
})

test('only what changed is written, and of a zone the last that was said', () => {
  keep('a', 'b', 'c')
  proofs.memory.forget('b')
  expect(changes).toBe(4)
  expect(write()).toEqual({ forgotten: ['b'], kept: [proof('a'), proof('c')], seenAtMs: nowMs })
  expect(write()).toBe(null)
  proofs.memory.forget('nobody')
  proofs.memory.used('a')
  expect(write()).toBe(null)
  nowMs += 5_000
  expect(write('end')).toEqual({ forgotten: [], kept: [], seenAtMs: nowMs })
  proofs.memory.forget('a')
  proofs.memory.forget('c')
  write()
  expect(write('end')).toBe(null)
})

describe('at a start', () => {
  test.each<[string, Partial<KeptZone>]>([
    ['under other anchors', { trust: 'another' }],
    ['what has ended', { expiresAtMs: 1_800_000_000_000 }],
    ['what is from the future', { keptAtMs: 1_800_000_000_001 }],
  ])('%s is forgotten, in the file too', (_, more) => {
    file.set('bad', proof('bad', more))
    file.set('good', proof('good'))
    open()
    proofs.memory.begin('trust', nowMs)
    expect(proofs.memory.take('bad')).toBe(null)
    write()
    expect([...file.keys()]).toEqual(['good'])
  })

  test('everything is forgotten by a clock that is behind the last writing', () => {
    keep('a')
    write()
    nowMs += 10_000
    write('end')
    nowMs -= 1
    open()
    proofs.memory.begin('trust', nowMs)
    expect(proofs.memory.take('a')).toBe(null)
    write()
    expect(file.size).toBe(0)
    keep('b')
    restart()
    expect(proofs.memory.take('b')).not.toBe(null)
  })
})

test('a clock that is set back while it runs has everything forgotten that was kept until then', () => {
  keep('a')
  write()
  nowMs -= 1_000
  keep('b')
  write()
  expect(file.size).toBe(0)
  keep('c')
  write()
  expect([...file.keys()]).toEqual(['c'])
})

describe('there is a bound', () => {
  test('on their number: the one unused for longest makes room, in the file too', () => {
    for (let i = 0; i < maxKeptZones; i++) keep(`zone${i}`)
    write()
    proofs.memory.used('zone0')
    keep('zone2', 'one more', 'and one')
    write()
    expect(file.size).toBe(maxKeptZones)
    expect(['zone0', 'zone1', 'zone2', 'zone3', 'zone4'].map(zone => file.has(zone))).toEqual([
      true,
      false,
      true,
      false,
      true,
    ])
  })

  test('on their size', () => {
    const large = (zone: string) => proof(zone, { proof: 'x'.repeat(32_000) })
    for (let i = 0; i < 400; i++) proofs.memory.keep(large(`zone${i}`))
    write()
    const size = [...file.values()].reduce((sum, one) => sum + one.proof.length, 0)
    expect(size).toBeLessThanOrEqual(maxKeptBytes)
    expect(size).toBeGreaterThan(maxKeptBytes - 100_000)
    expect(file.has('zone399')).toBe(true)
    // What is replaced is counted once.
    const { size: count } = file
    for (let i = 0; i < 400; i++) proofs.memory.keep(large('zone399'))
    write()
    expect(file.size).toBe(count)
  })

  test('and what was found counts', () => {
    for (let i = 0; i < maxKeptZones; i++) file.set(`zone${i}`, proof(`zone${i}`))
    open()
    proofs.memory.begin('trust', nowMs)
    keep('one more')
    expect(proofs.memory.take('zone0')).toBe(null)
    expect(proofs.memory.take('zone1')).not.toBe(null)
  })
})
