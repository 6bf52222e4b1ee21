import { beforeEach, describe, expect, test } from 'vitest'
import { type Name, parseName } from '../protocol/dns/name.ts'
import { dnskeyRdata } from '../protocol/dnssec/encoding.ts'
import type { KeptZone } from '../protocol/dnssec/kept-zone.ts'
import { readDnskey } from '../protocol/dnssec/records.ts'
import type { KnownZone } from '../protocol/dnssec/types.ts'
import { keptZones, type ProofMemory } from './kept-zones.ts'

const hourMs = 3_600_000
let nowMs: number
/** What the last process left, what this one keeps, and what was said of both. */
let before: Map<string, KeptZone>
let kept: Map<string, KeptZone>
let said: string[]
beforeEach(() => {
  nowMs = 1_800_000_000_000
  before = new Map()
  kept = new Map()
  said = []
})

const memory: ProofMemory = {
  begin: trust => said.push(`begin ${trust}`),
  take(zone) {
    const found = before.get(zone) ?? null
    before.delete(zone)
    return found
  },
  keep: proof => void kept.set(proof.zone, proof),
  used: zone => void said.push(`used ${zone}`),
  forget(zone) {
    kept.delete(zone)
    said.push(`forget ${zone}`)
  },
}
const open = (trust = 'trust') => keptZones(memory, trust, () => nowMs)
function restart(trust?: string) {
  before = new Map([...before, ...kept])
  said = []
  return open(trust)
}

const name = (text: string): Name => parseName(text) ?? []
function secure(text: string, lifeMs = hourMs): KnownZone {
  const key = readDnskey({ rdata: Uint8Array.from(dnskeyRdata(257, 13, new Uint8Array(64).fill(text.length))) })
  if (key === 'malformed') throw new Error('a key')
  const step = { zone: text, security: 'secure', reason: null, says: 'It is signed.' } as const
  return { kind: 'secure', keys: [key], expiresAtMs: nowMs + lifeMs, steps: [step] }
}
const reason = 'dnssec.unsigned-delegation'
function insecure(text: string): KnownZone {
  const step = { zone: text, security: 'insecure', reason, says: 'It is not signed.' } as const
  return { kind: 'insecure', reason, expiresAtMs: nowMs + hourMs, steps: [step] }
}

test('what was proven is known after a restart, signed or proven not to be, in any case', () => {
  const zones = open()
  zones.put(name('example'), secure('example'))
  zones.put(name('unsigned.example'), insecure('unsigned.example'))
  const again = restart()
  expect(again.get(name('Example'), nowMs)).toEqual(secure('example'))
  expect(again.get(name('unsigned.example'), nowMs)).toEqual(insecure('unsigned.example'))
  expect(again.get(name('other.example'), nowMs)).toBe(null)
  // The same object each time, as what is worked out of a key is remembered by the key.
  expect(again.get(name('example'), nowMs)).toBe(again.get(name('example'), nowMs))
})

test('it is told which zones are of use', () => {
  open().put(name('example'), secure('example'))
  const again = restart()
  again.get(name('example'), nowMs)
  again.get(name('example'), nowMs)
  expect(said).toEqual(['begin trust', 'used example', 'used example'])
})

test.each<[string, number, string, (proof: KeptZone) => KeptZone]>([
  ['under other anchors', 0, 'another', proof => proof],
  ['after its end', hourMs, 'trust', proof => proof],
  ['by a clock that was set back', -1, 'trust', proof => proof],
  ['when it is damaged', 0, 'trust', proof => ({ ...proof, proof: proof.proof.replace('signed', 'singed') })],
])('it is not known %s, and is forgotten', (_, laterMs, trust, damage) => {
  open().put(name('example'), secure('example'))
  kept = new Map([...kept].map(([zone, proof]) => [zone, damage(proof)]))
  nowMs += laterMs
  const again = restart(trust)
  expect(again.get(name('example'), nowMs)).toBe(null)
  expect(said).toContain('forget example')
})

test('a clock that is set back while it runs, before a zone is needed, makes nothing known', () => {
  open().put(name('example'), secure('example'))
  const again = restart()
  expect(again.get(name('example'), nowMs - 1)).toBe(null)
})

test('what was proven anew stands in place of what was kept, also when it is not worth keeping', () => {
  open().put(name('example'), secure('example'))
  const again = restart()
  again.put(name('example'), insecure('example'))
  expect(again.get(name('example'), nowMs)).toMatchObject({ kind: 'insecure' })
  again.put(name('example'), secure('example', 1_000))
  expect(kept.has('example')).toBe(false)
})

describe('when an answer is bogus', () => {
  const chain = ['', 'example', 'a.example', 'b.example']
  function prove() {
    const zones = open()
    for (const each of chain) zones.put(name(each), secure(each === '' ? '.' : each))
  }
  const known = (zones: ReturnType<typeof open>) =>
    chain.filter(each => zones.get(name(each), nowMs) !== null).join(' ')

  test('what was kept on the way to it is forgotten, used or not, and nothing else', () => {
    prove()
    const again = restart()
    again.get(name('a.example'), nowMs)
    expect(again.doubt([name('www.a.example')])).toBe(true)
    expect(known(again)).toBe('b.example')
    expect([...kept.keys()]).toEqual(['b.example'])
  })

  test('nothing is, when nothing of it was of use', () => {
    prove()
    const again = restart()
    again.get(name('a.example'), nowMs)
    expect(again.doubt([name('www.b.other')])).toBe(false)
    expect(again.doubt([])).toBe(false)
    expect(known(again)).toBe(chain.join(' '))
  })

  test('what was proven since the start stays', () => {
    prove()
    const again = restart()
    expect(known(again)).toBe(chain.join(' '))
    for (const each of chain) again.put(name(each), secure(each === '' ? '.' : each))
    expect(again.doubt([name('a.example')])).toBe(false)
    expect(known(again)).toBe(chain.join(' '))
  })

  test('each zone is doubted once', () => {
    prove()
    const again = restart()
    again.get(name('example'), nowMs)
    expect(again.doubt([name('example')])).toBe(true)
    again.put(name('example'), secure('example'))
    expect(again.doubt([name('example')])).toBe(false)
  })
})
