import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { privateInternet } from '../../lab/signing/private-internet.ts'
import { answersOf, createSignedWorld, worldZone } from '../../lab/signing/signed-world.ts'
import { type Name, nameKey } from '../dns/name.ts'
import { type KeptZone, keepZone, maxKeptMs, readKeptZone, type Trust, trustFingerprint } from './kept-zone.ts'
import { name, runValidation } from './testing/validating.ts'
import type { KnownZone, TrustAnchor } from './types.ts'
import { createZoneCache } from './zone-cache.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const hourMs = 3_600_000
const childOfMany = worldZone('unsigned.iterations.example', ['mx.unsigned.iterations.example A 192.0.2.1'], null)
const internet = [...privateInternet(), childOfMany]
const world = createSignedWorld({ zones: internet, nowMs })
const [anchor] = world.anchors
if (anchor === undefined) throw new Error('the world has a root')
const trust = trustFingerprint({ anchors: world.anchors, insecure: [], sha1: 'insecure', validator: '1' })

/** Every zone that is proven to be signed or not on the way to these answers. */
const proven: ReadonlyMap<string, { readonly zone: Name; readonly known: KnownZone }> = (() => {
  const found = new Map<string, { zone: Name; known: KnownZone }>()
  const inner = createZoneCache()
  const zones = {
    get: inner.get,
    put(zone: Name, known: KnownZone) {
      inner.put(zone, known)
      // Its keys as the cache copies them, without the messages that they came in.
      found.set(nameKey(zone), { zone, known: inner.get(zone, nowMs) ?? known })
    },
  }
  for (const { apex } of internet)
    if (apex !== '') runValidation(`mx.${apex} A`, answersOf(world), { anchors: world.anchors, nowMs, zones })
  return found
})()

const sample = (key = 'nsec.example'): { zone: Name; known: KnownZone; kept: KeptZone } => {
  const found = proven.get(key)
  const kept = found === undefined ? null : keepZone(found.zone, found.known, trust, nowMs)
  if (found === undefined || kept === null) throw new Error(key)
  return { ...found, kept }
}
const read = (kept: KeptZone, at = nowMs, zone = name(kept.zone), under = trust) =>
  readKeptZone(kept, zone, under, at)

/** With a sum that fits. */
function summed(kept: KeptZone, changes: Partial<KeptZone>): KeptZone {
  const changed = { ...kept, ...changes }
  const { zone, keptAtMs, expiresAtMs, proof } = changed
  const parts = JSON.stringify(['kept zone 1', changed.trust, zone, keptAtMs, expiresAtMs, proof])
  return { ...changed, sum: createHash('sha256').update(parts).digest('hex') }
}

test('every zone of the private internet is read as it was proven, be it signed or proven not to be', () => {
  const reasons = new Set<string>()
  for (const { zone, known } of proven.values()) {
    const kept = keepZone(zone, known, trust, nowMs)
    if (kept === null) throw new Error(nameKey(zone))
    reasons.add(known.kind === 'insecure' ? known.reason : known.kind)
    expect(read(kept)).toEqual({
      ...known,
      expiresAtMs: Math.min(Math.floor(known.expiresAtMs), nowMs + maxKeptMs),
    })
  }
  expect([...reasons].sort()).toEqual([
    'dnssec.opt-out',
    'dnssec.sha1-algorithms',
    'dnssec.too-many-iterations',
    'dnssec.unknown-algorithms',
    'dnssec.unsigned-delegation',
    'secure',
  ])
})

describe('its time', () => {
  const { known, zone } = sample()
  const within = (ms: number) => ({ ...known, expiresAtMs: nowMs + ms })

  test.each<[string, number, number, 'read' | 'nothing']>([
    ['at once', hourMs, 0, 'read'],
    ['just before its end', hourMs, hourMs - 1, 'read'],
    ['at its end', hourMs, hourMs, 'nothing'],
    ['after it', hourMs, 2 * hourMs, 'nothing'],
    ['before it was written, by a clock that was set back', hourMs, -1, 'nothing'],
    ['within a day, however long it holds', 100 * maxKeptMs, maxKeptMs - 1, 'read'],
    ['after a day, however long it holds', 100 * maxKeptMs, maxKeptMs, 'nothing'],
    ['within a day, when it holds for ever', Number.POSITIVE_INFINITY, maxKeptMs - 1, 'read'],
  ])('%s', (_, lifeMs, laterMs, outcome) => {
    const kept = keepZone(zone, within(lifeMs), trust, nowMs)
    if (kept === null) throw new Error('not kept')
    const expiresAtMs = nowMs + Math.min(lifeMs, maxKeptMs)
    expect(read(kept, nowMs + laterMs)).toEqual(outcome === 'read' ? { ...known, expiresAtMs } : null)
  })

  test('what ends within half a minute is not kept', () => {
    expect(keepZone(zone, within(29_999), trust, nowMs)).toBe(null)
    expect(keepZone(zone, within(-1), trust, nowMs)).toBe(null)
    expect(keepZone(zone, within(30_000), trust, nowMs)).not.toBe(null)
  })

  test('a life longer than anything is kept for is not believed, even with a sum that fits', () => {
    const { kept } = sample()
    expect(read(summed(kept, { expiresAtMs: kept.keptAtMs + maxKeptMs }))).not.toBe(null)
    expect(read(summed(kept, { expiresAtMs: kept.keptAtMs + maxKeptMs + 1 }))).toBe(null)
  })
})

describe('damage', () => {
  test.each(['nsec.example', 'unsigned.example', ''])('every bit of %j counts', key => {
    const { kept } = sample(key)
    const { proof, sum } = kept
    for (const field of ['proof', 'sum'] as const)
      for (let at = 0; at < kept[field].length; at++) {
        const text = kept[field]
        const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << (at % 7)))
        expect(read({ ...kept, [field]: text.slice(0, at) + flipped + text.slice(at + 1) })).toBe(null)
      }
    for (let cut = 0; cut < proof.length; cut++) expect(read({ ...kept, proof: proof.slice(0, cut) })).toBe(null)
    expect(read({ ...kept, proof: `${proof} ` })).toBe(null)
    expect(read({ ...kept, sum: '' })).toBe(null)
    expect(read({ ...kept, expiresAtMs: kept.expiresAtMs + 1 })).toBe(null)
    expect(read({ ...kept, keptAtMs: kept.keptAtMs - 1 })).toBe(null)
    expect(read({ ...kept, keptAtMs: Number.NaN })).toBe(null)
    expect(read({ ...kept, proof, sum })).not.toBe(null)
  })

  test('one zone’s proof is not another’s', () => {
    const { kept } = sample()
    expect(read(kept, nowMs, name('NSEC.example'))).not.toBe(null)
    expect(read(kept, nowMs, name('nsec3.example'))).toBe(null)
    expect(read({ ...kept, zone: 'nsec3.example' })).toBe(null)
    expect(read(summed(kept, { zone: 'nsec3.example' }))).toBe(null)
  })

  const step = (zone: string) => [zone, 'It is so.']
  const key = Buffer.from([1, 1, 3, 13, 1, 2, 3]).toString('base64')
  const steps = [step('.'), step('example'), step('nsec.example')]
  const insecure = { kind: 'insecure', reason: 'dnssec.unsigned-delegation', steps }

  test.each<[string, unknown, 'read' | 'nothing']>([
    ['a key and steps', { kind: 'secure', keys: [key], steps }, 'read'],
    ['a reason and steps', insecure, 'read'],
    ['nothing', null, 'nothing'],
    ['a list', [], 'nothing'],
    ['no kind', { keys: [key], steps }, 'nothing'],
    ['a kind that is never kept', { kind: 'bogus', reason: 'dnssec.signature-bad', steps }, 'nothing'],
    ['no keys', { kind: 'secure', steps }, 'nothing'],
    ['no key', { kind: 'secure', keys: [], steps }, 'nothing'],
    ['a key that is none', { kind: 'secure', keys: [key, 'AQE='], steps }, 'nothing'],
    ['a key that is a number', { kind: 'secure', keys: [1], steps }, 'nothing'],
    ['no steps', { kind: 'secure', keys: [key] }, 'nothing'],
    ['not one step', { kind: 'secure', keys: [key], steps: [] }, 'nothing'],
    ['a step without words', { kind: 'secure', keys: [key], steps: [['nsec.example']] }, 'nothing'],
    ['a step that is text', { kind: 'secure', keys: [key], steps: ['nsec.example'] }, 'nothing'],
    ['steps that end above', { kind: 'secure', keys: [key], steps: steps.slice(0, 2) }, 'nothing'],
    ['steps in another order', { kind: 'secure', keys: [key], steps: steps.toReversed() }, 'nothing'],
    ['a step elsewhere', { kind: 'secure', keys: [key], steps: [step('test'), ...steps.slice(2)] }, 'nothing'],
    ['a step that is no name', { kind: 'secure', keys: [key], steps: [step('..'), ...steps] }, 'nothing'],
    ['no reason', { ...insecure, reason: null }, 'nothing'],
    ['a reason of what is bogus', { ...insecure, reason: 'dnssec.signature-bad' }, 'nothing'],
    ['a negative anchor, which is configured', { ...insecure, reason: 'dnssec.negative-anchor' }, 'nothing'],
    ['a reason that everything has', { ...insecure, reason: 'toString' }, 'nothing'],
  ])('%s, with a sum that fits', (_, proof, outcome) => {
    const kept = summed(sample().kept, { proof: JSON.stringify(proof) })
    expect(read(kept) === null ? 'nothing' : 'read').toBe(outcome)
  })

  test('a zone with more keys than fit is not kept, nor read', () => {
    const { zone, known, kept } = sample()
    if (known.kind !== 'secure') throw new Error('signed')
    const many = Array.from({ length: 400 }, () => known.keys).flat()
    expect(keepZone(zone, { ...known, keys: many }, trust, nowMs)).toBe(null)
    const proof = JSON.stringify({ kind: 'secure', keys: Array.from({ length: 10_000 }, () => key), steps })
    expect(read(summed(kept, { proof }))).toBe(null)
  })
})

describe('what it was proven under', () => {
  const dnskey = (): TrustAnchor => {
    const known = proven.get('')?.known
    const [key] = known?.kind === 'secure' ? known.keys : []
    if (key === undefined) throw new Error('the root is signed')
    return { zone: [], kind: 'dnskey', dnskey: key }
  }
  const base: Trust = {
    anchors: [anchor, dnskey()],
    insecure: [name('local'), name('lan')],
    sha1: 'insecure',
    validator: '1',
  }
  const [ds] = [anchor].filter(one => one.kind === 'ds')
  if (ds === undefined) throw new Error('the anchor is a DS')
  const other = (changes: Partial<typeof ds.ds>): TrustAnchor => ({ ...ds, ds: { ...ds.ds, ...changes } })

  test.each<[string, Partial<Trust>]>([
    ['in another order', { anchors: base.anchors.toReversed(), insecure: base.insecure.toReversed() }],
    ['in another case', { insecure: [name('LOCAL'), name('Lan')] }],
    ['said twice', { anchors: [...base.anchors, anchor], insecure: [...base.insecure, name('lan')] }],
  ])('is the same %s', (_, changes) => {
    expect(trustFingerprint({ ...base, ...changes })).toBe(trustFingerprint(base))
  })

  test('is another with any other anchor, negative anchor, rule or program', () => {
    const all = [
      base,
      { ...base, anchors: [anchor] },
      { ...base, anchors: [dnskey()] },
      { ...base, anchors: [] },
      { ...base, anchors: [{ ...anchor, zone: name('example') }, dnskey()] },
      { ...base, anchors: [other({ keyTag: ds.ds.keyTag ^ 1 }), dnskey()] },
      { ...base, anchors: [other({ algorithm: 8 }), dnskey()] },
      { ...base, anchors: [other({ digestType: 4 }), dnskey()] },
      { ...base, anchors: [other({ digest: ds.ds.digest.map(byte => byte ^ 1) }), dnskey()] },
      { ...base, insecure: [] },
      { ...base, insecure: [name('local')] },
      { ...base, insecure: [name('local.lan')] },
      { ...base, sha1: 'validates' as const },
      { ...base, validator: '2' },
    ]
    expect(new Set(all.map(trustFingerprint)).size).toBe(all.length)
  })

  test('a proof made under one is none under another', () => {
    const { kept } = sample()
    const another = trustFingerprint({ ...base, validator: '2' })
    expect(read(kept, nowMs, name(kept.zone), another)).toBe(null)
    expect(read({ ...kept, trust: another }, nowMs, name(kept.zone), another)).toBe(null)
  })
})
