import { describe, expect, test } from 'vitest'
import { createTlsa, tlsaText } from '../protocol/dane/tlsa.ts'
import type { Certificate } from '../protocol/x509/model.ts'
import { readChain } from '../protocol/x509/pem.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import { judgeDanePeer, keptPlan, recordRemarks } from './dane-peer.ts'
import { judge } from './judge.ts'
import type { DanePlan, PlannedRecord } from './plan.ts'
import { planFor } from './plan-rules.ts'

type Records = Extract<DanePlan, { kind: 'records' }>

const root = await createAuthority({ commonName: 'Root' })
const between = await root.intermediate({ commonName: 'Between' })
const { chain: pem } = await between.leaf({ names: ['mx.example', 'other.example'], commonName: 'not.a.host' })
const chain = readChain(pem)
const [leaf, issuer] = chain.flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
const atMs = Date.now()
const names = (...list: string[]) => list.map(name => ({ name, from: 'mx-name' }) as const)
const mx = names('mx.example')

function recordFor(certificate: Certificate | undefined, usage: 2 | 3): string {
  if (certificate === undefined) throw new Error('no such certificate')
  const [made] = createTlsa(certificate, { usages: [usage], selectors: [1], matchingTypes: [1] })
  if (made === undefined) throw new Error('no record')
  return tlsaText(made)
}

const stranger = `3 1 1 ${'ab'.repeat(32)}`
const counting = (...texts: string[]): PlannedRecord[] => texts.map(text => ({ text, state: 'counts' }))
const plan = (records: readonly PlannedRecord[], more: Partial<Records> = {}): Records => ({
  kind: 'records',
  base: 'mx.example',
  from: 'host',
  owner: '_25._tcp.mx.example',
  aliases: [],
  records,
  asks: 'authenticate',
  ...more,
})

describe('records decide', () => {
  test('usage 3 proves the peer by its key, whatever names and dates say', () => {
    const ee = recordFor(leaf, 3)
    const judged = judgeDanePeer(names('wrong.example'), plan(counting(stranger, ee)), {
      chain,
      atMs: atMs + 100 * 365 * 86_400_000,
    })
    expect(judged).toMatchObject({
      by: 'dane-ee',
      record: ee,
      matched: null,
      failure: null,
      validUntilMs: null,
      path: null,
    })
    expect(judged.dane).toMatchObject({ record: 1, depth: 0 })
    expect(judged.dane?.records.map(({ says }) => says)).toEqual([
      "It names another public key than the server's own.",
      "It names the public key of the server's own certificate, and decides.",
    ])
  })

  test('usage 2 proves the peer by its issuer and a name, until its own certificate ends', () => {
    const ta = recordFor(issuer, 2)
    const judged = judgeDanePeer(names('a.example', 'other.example'), plan(counting(ta)), { chain, atMs })
    expect(judged).toMatchObject({ by: 'dane-ta', record: ta, matched: 'other.example', failure: null })
    expect(judged.validUntilMs).toBe(leaf?.notAfterMs)
    expect(judged.dane).toMatchObject({ record: 0, depth: 1 })
  })

  test('usage 2 without a fitting name refuses, and says what was wanted', () => {
    const judged = judgeDanePeer(names('mx2.example'), plan(counting(recordFor(issuer, 2))), { chain, atMs })
    expect(judged.failure).toMatchObject({
      reason: 'x509.name-mismatch',
      detail: 'wanted mx2.example; it carries mx.example, other.example',
    })
    expect(judged).toMatchObject({ record: null, matched: null })
  })

  test('when nothing matches, the owner of the zone can compare', () => {
    const judged = judgeDanePeer(mx, plan(counting(stranger)), { chain, atMs })
    expect(judged.failure?.reason).toBe('dane.no-match')
    expect(judged.failure?.detail).toBe(`CN=not.a.host has the key ${recordFor(leaf, 3)}`)
  })

  test('when what matches counts for nothing beside a stronger digest, that is what is told', () => {
    const ee = recordFor(leaf, 3)
    const stale = `3 1 2 ${'cd'.repeat(64)}`
    const records: PlannedRecord[] = [{ text: ee, state: 'shadowed' }, ...counting(stale)]
    const { failure } = judgeDanePeer(mx, plan(records), { chain, atMs })
    expect(failure?.reason).toBe('dane.no-match')
    expect(failure?.detail).toMatch(/^3 1 1 .* fits, but counts for nothing beside 3 1 2 cdcd/)
  })

  test('a record that holds the key alone names no certificate: the dates of all that were sent end the proof', () => {
    if (leaf === undefined || issuer === undefined) throw new Error('no chain')
    const [bare] = createTlsa(issuer, { usages: [2], selectors: [1], matchingTypes: [0] })
    if (bare === undefined) throw new Error('no record')
    const judged = judgeDanePeer(mx, plan(counting(tlsaText(bare))), { chain: chain.slice(0, 1), atMs })
    expect(judged).toMatchObject({ by: 'dane-ta', failure: null, validUntilMs: leaf.notAfterMs })
  })

  test('neither roots nor OpenSSL have a say: a chain of the public web without its record is refused', () => {
    const judged = judgeDanePeer(mx, plan(counting(stranger)), { chain, atMs })
    const dane = planFor({
      level: 'dane',
      host: 'mx.example',
      from: 'mx-name',
      implicitTls: false,
      tlsa: {
        ...plan([]),
        records: [{ usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32).fill(0xab) }],
      },
    })
    expect(judge(dane, { kind: 'tls', peer: judged })).toMatchObject({ kind: 'refused' })
    // A proof by the roots is no proof here, should anybody bring one.
    const pkix = { failure: null, matched: 'mx.example', by: 'pkix', record: null } as const
    expect(judge(dane, { kind: 'tls', peer: pkix }).kind).toBe('refused')
  })

  test('a server that shows no certificate is refused', () => {
    expect(judgeDanePeer(mx, plan(counting(stranger)), { chain: [], atMs }).failure?.reason).toBe(
      'x509.no-certificate',
    )
  })
})

describe('what is told of the records', () => {
  test('those that cannot be used, and that none can', () => {
    const unusable: PlannedRecord[] = [{ text: `1 1 1 ${'cd'.repeat(32)}`, state: 'unusable' }]
    expect(recordRemarks(plan([...counting(stranger), ...unusable]))).toEqual([
      { reason: 'dane.record-unusable', detail: '1 1 1 cdcdcdcdcdcdcdcd…', reply: null },
    ])
    expect(recordRemarks(plan(unusable, { asks: 'encrypt' }))).toEqual([
      { reason: 'dane.all-unusable', detail: null, reply: null },
    ])
    expect(recordRemarks(plan(counting(stranger)))).toEqual([])
  })

  test('a record without data is judged like any other', () => {
    const empty: PlannedRecord[] = [{ text: '3 1 1 ', state: 'unusable' }]
    expect(
      judgeDanePeer(mx, plan([...empty, ...counting(recordFor(leaf, 3))]), { chain, atMs }).failure,
    ).toBeNull()
  })

  test('evidence is bounded where the zone is not', () => {
    const huge = counting(
      ...Array.from({ length: 200 }, (_, i) => `3 0 0 ${i.toString(16).padStart(4, '0').repeat(500)}`),
    )
    const judged = judgeDanePeer(mx, plan(huge), { chain, atMs })
    expect(judged.dane?.records).toHaveLength(30)
    const whole = planFor({ level: 'dane', host: 'mx.example', from: 'mx-name', implicitTls: false })
    const kept = keptPlan({ ...whole, dane: plan(huge) })
    expect(JSON.stringify(kept).length).toBeLessThan(15_000)
    expect(keptPlan(whole)).toBe(whole)
  })
})
