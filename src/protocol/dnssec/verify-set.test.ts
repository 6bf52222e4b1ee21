import { describe, expect, test } from 'vitest'
import type { ResourceRecord } from '../dns/message.ts'
import { createDnssecBudget } from './budget.ts'
import { dnskeyRdata } from './encoding.ts'
import { groupRrsets } from './rrsets.ts'
import {
  asDnskey,
  makeKey,
  type RrsigFields,
  type SigningKey,
  signRecords,
  testExpiration,
  testInception,
  testNowMs,
  withFlags,
} from './testing/signing.ts'
import { nameFromText, recordsFromText } from './testing/zone-text.ts'
import type { Dnskey, Rrset } from './types.ts'
import { maxVerifications, type RrsetVerdict, type SignatureContext, verifyRrsetWithKeys } from './verify-set.ts'

const zone = nameFromText('example')
const key = makeKey(13)
const other = makeKey(13)
const context = (changes: Partial<SignatureContext> = {}): SignatureContext => ({
  nowMs: testNowMs,
  budget: createDnssecBudget(),
  ...changes,
})
const a = recordsFromText('www.example 3600 IN A 192.0.2.1')

function setOf(records: readonly ResourceRecord[]): Rrset {
  const [rrset] = groupRrsets(records)
  if (rrset === undefined) throw new Error('no records')
  return rrset
}
const signed = (changes: Partial<RrsigFields> = {}, by: SigningKey = key, records = a, signer = zone) =>
  signRecords(records, signer, by, changes)
const judge = (
  signatures: readonly ResourceRecord[],
  keys: readonly Dnskey[] = [key.dnskey],
  changes: Partial<SignatureContext> = {},
): RrsetVerdict => verifyRrsetWithKeys(setOf([...a, ...signatures]), zone, keys, context(changes))
const reasonOf = (verdict: RrsetVerdict) => (verdict.kind === 'valid' ? 'valid' : verdict.reason)

describe('a set is valid', () => {
  test('when the zone signed it', () => {
    expect(judge([signed()])).toMatchObject({ kind: 'valid', isWildcard: false, ttlSeconds: 3600 })
  })
  test('when one signature of several is good, wherever it stands (RFC 6840 §5.4, §5.12)', () => {
    const bad = [signed({}, other), signed({ expiration: testInception }), signed({ signer: nameFromText('org') })]
    expect(judge([...bad, signed()]).kind).toBe('valid')
    expect(judge([signed(), ...bad]).kind).toBe('valid')
  })
  test('when two keys share a tag and an algorithm, whichever signed', () => {
    // A tag that is the same by being written so: a real collision takes a search of 65,536 keys.
    const collision = { ...other.dnskey, keyTag: key.dnskey.keyTag }
    expect(judge([signed()], [collision, key.dnskey]).kind).toBe('valid')
    expect(judge([signed()], [key.dnskey, collision]).kind).toBe('valid')
  })
  test('whatever the case of owner and signer', () => {
    const rrsig = signed({ signer: nameFromText('example') })
    const loud = { ...rrsig, name: nameFromText('WWW.Example') }
    const records = recordsFromText('WwW.eXaMpLe 3600 IN A 192.0.2.1')
    expect(
      verifyRrsetWithKeys(setOf([...records, loud]), nameFromText('EXAMPLE'), [key.dnskey], context()).kind,
    ).toBe('valid')
  })
  test('whatever is left of its TTL, which bounds how long it may be kept (RFC 4035 §5.3.3)', () => {
    const ttlOf = (ttlSeconds: number, changes: Partial<RrsigFields>, nowMs = testNowMs) => {
      const records = [...a.map(record => ({ ...record, ttlSeconds })), signed(changes)]
      const verdict = verifyRrsetWithKeys(setOf(records), zone, [key.dnskey], context({ nowMs }))
      return verdict.kind === 'valid' ? verdict.ttlSeconds : verdict.reason
    }
    expect(ttlOf(17, {})).toBe(17)
    expect(ttlOf(3600, { originalTtlSeconds: 300 })).toBe(300)
    expect(ttlOf(3600, { expiration: testNowMs / 1000 + 60 })).toBe(60)
    expect(ttlOf(3600, { expiration: testNowMs / 1000 + 60 }, testNowMs + 1500)).toBe(58)
    expect(ttlOf(3600, { expiration: testNowMs / 1000 })).toBe(0)
  })
})

describe('a wildcard', () => {
  const wild = recordsFromText('*.example 3600 IN A 192.0.2.1')
  const expanded = (text: string) => {
    const name = nameFromText(text)
    return setOf([...wild, signed({}, key, wild)].map(record => ({ ...record, name })))
  }
  const verdict = (rrset: Rrset) => verifyRrsetWithKeys(rrset, zone, [key.dnskey], context())
  test('is valid when expanded, over one label or several, and said to be one', () => {
    expect(verdict(expanded('www.example'))).toMatchObject({ kind: 'valid', isWildcard: true })
    expect(verdict(expanded('a.b.c.example'))).toMatchObject({ kind: 'valid', isWildcard: true })
  })
  test('that was asked for by its own name was not expanded', () => {
    expect(verdict(expanded('*.example'))).toMatchObject({ kind: 'valid', isWildcard: false })
  })
  test('below a wildcard label is an expansion like any other', () => {
    expect(verdict(expanded('*.a.example'))).toMatchObject({ kind: 'valid', isWildcard: true })
  })
  test('is not for names beside its parent', () => {
    const inner = recordsFromText('*.a.example 3600 IN A 192.0.2.1')
    const name = nameFromText('x.b.example')
    const rrset = setOf([...inner, signed({}, key, inner)].map(record => ({ ...record, name })))
    expect(reasonOf(verdict(rrset))).toBe('dnssec.signature-bad')
  })
  test('above the zone is not the zone’s to sign', () => {
    const name = nameFromText('www.sub.example')
    const sub = nameFromText('sub.example')
    const rrsig = { ...signed({ signer: sub }, key, wild), name }
    const rrset = setOf([...wild.map(record => ({ ...record, name })), rrsig])
    expect(reasonOf(verifyRrsetWithKeys(rrset, sub, [key.dnskey], context()))).toBe('dnssec.signature-bad')
  })
})

describe('a set is bogus, for the reason that tells most', () => {
  const revoked = withFlags(key, 0x0180)
  test.each<[string, readonly ResourceRecord[], readonly Dnskey[], string]>([
    ['without a signature', [], [key.dnskey], 'dnssec.signature-missing'],
    ['signed by another zone', [signed({ signer: nameFromText('org') })], [key.dnskey], 'dnssec.signer-not-zone'],
    ['signed by the zone above', [signed({ signer: [] })], [key.dnskey], 'dnssec.signer-not-zone'],
    [
      'signed by a zone below',
      [signed({ signer: nameFromText('www.example') })],
      [key.dnskey],
      'dnssec.signer-not-zone',
    ],
    ['signed with a key the zone does not have', [signed({}, other)], [key.dnskey], 'dnssec.key-missing'],
    ['when the zone has no keys', [signed()], [], 'dnssec.key-missing'],
    [
      'signed with a tag of a key of another algorithm',
      [signed({ algorithm: 8 })],
      [key.dnskey],
      'dnssec.key-missing',
    ],
    [
      'signed with a key that is no zone key',
      [signed({}, withFlags(key, 1))],
      [withFlags(key, 1).dnskey],
      'dnssec.key-missing',
    ],
    [
      'signed with a key of another protocol',
      [signed({ keyTag: asProtocol(4).keyTag })],
      [asProtocol(4)],
      'dnssec.key-missing',
    ],
    ['signed with a revoked key', [signed({}, revoked)], [revoked.dnskey], 'dnssec.key-revoked'],
    [
      'when its signature is over',
      [signed({ expiration: testNowMs / 1000 - 1 })],
      [key.dnskey],
      'dnssec.signature-expired',
    ],
    [
      'when its signature has not begun',
      [signed({ inception: testNowMs / 1000 + 1 })],
      [key.dnskey],
      'dnssec.signature-not-yet-valid',
    ],
    [
      'when its signature is of other records',
      [signed({}, key, recordsFromText('www.example 3600 IN A 192.0.2.9'))],
      [key.dnskey],
      'dnssec.signature-bad',
    ],
    ['when its signature has more labels than it', [signed({ labels: 3 })], [key.dnskey], 'dnssec.signature-bad'],
    [
      'when its signature was made over another TTL',
      [tampered({ originalTtlSeconds: 7200 })],
      [key.dnskey],
      'dnssec.signature-bad',
    ],
    [
      'when the life of its signature was made longer',
      [tampered({ expiration: testExpiration + 9 })],
      [key.dnskey],
      'dnssec.signature-bad',
    ],
    [
      'signed with an algorithm nobody knows',
      [signed({ algorithm: 99 })],
      [key.dnskey],
      'dnssec.signature-missing',
    ],
    [
      'with an expired signature beside one of a key that is gone',
      [signed({}, other), signed({ expiration: testNowMs / 1000 - 1 })],
      [key.dnskey],
      'dnssec.signature-expired',
    ],
    [
      'with a bad signature beside an expired one',
      [signed({ expiration: testNowMs / 1000 - 1 }), tampered({ originalTtlSeconds: 1 })],
      [key.dnskey],
      'dnssec.signature-bad',
    ],
  ])('%s', (_, signatures, keys, reason) => {
    const verdict = judge(signatures, keys)
    expect(reasonOf(verdict)).toBe(reason)
    if (verdict.kind === 'bogus') expect(verdict.detail).toMatch(/^[A-Z][^\n]*\.$/)
  })

  test('outside of the zone, though the zone signed it', () => {
    const records = recordsFromText('www.org 3600 IN A 192.0.2.1')
    const rrset = setOf([...records, signed({}, key, records)])
    expect(reasonOf(verifyRrsetWithKeys(rrset, zone, [key.dnskey], context()))).toBe('dnssec.signer-not-zone')
  })
  test('of another type than its signature covers', () => {
    const rrset = { ...setOf([...a, signed()]), type: 16 }
    expect(reasonOf(verifyRrsetWithKeys(rrset, zone, [key.dnskey], context()))).toBe('dnssec.signature-missing')
  })
  test('when the key breaks the form of its algorithm', () => {
    const broken = asDnskey(dnskeyRdata(257, 13, new Uint8Array(63)))
    expect(judge([signed({ keyTag: broken.keyTag })], [broken])).toMatchObject({ reason: 'dnssec.signature-bad' })
  })
  test('and a time that no calendar has does not throw', () => {
    expect(reasonOf(judge([signed()], [key.dnskey], { nowMs: 8.64e15 }))).toBe('dnssec.signature-expired')
  })
  test('names from outside stand in the detail in presentation form only', () => {
    const evil = [[Uint8Array.from([0x1b, 0x5b, 0x0a, 0x2e])], [Uint8Array.from([0xe2, 0x80, 0xae])]].flat()
    const verdict = judge([signed({ signer: evil })])
    expect(verdict.kind === 'bogus' ? verdict.detail : '').toContain('\\027[\\010\\..\\226\\128\\174')
  })
})

describe('SHA-1 (RFC 9905 §2)', () => {
  const old = makeKey(7)
  test('counts no more by default, and is told as a signature that is missing', () => {
    expect(judge([signed({}, old)], [old.dnskey])).toMatchObject({
      reason: 'dnssec.signature-missing',
      detail: expect.stringContaining('RSASHA1-NSEC3-SHA1, which does not count'),
    })
  })
  test('can be told to count', () => {
    expect(judge([signed({}, old)], [old.dnskey], { sha1: 'validates' }).kind).toBe('valid')
  })
})

describe('work is bounded (CVE-2023-50387)', () => {
  const colliding = (count: number) =>
    Array.from({ length: count }, () => ({ ...other.dnskey, keyTag: key.dnskey.keyTag }))
  const badSignatures = (count: number) =>
    Array.from({ length: count }, (_, index) => tampered({ originalTtlSeconds: index + 10 }))

  test('to as many verifications as an honest zone could need', () => {
    const spentFor = (keys: number, signatures: number) => {
      const budget = createDnssecBudget()
      const verdict = judge(badSignatures(signatures), colliding(keys), { budget })
      return { reason: reasonOf(verdict), signatures: Math.round(budget.spent.signatures) }
    }
    expect(spentFor(2, 4)).toEqual({ reason: 'dnssec.signature-bad', signatures: 3 * maxVerifications })
    // Three times the keys and the signatures, nine times the pairs: no more work.
    for (const size of [3, 30, 90])
      expect(spentFor(size, size)).toEqual({ reason: 'dnssec.over-budget', signatures: 3 * maxVerifications })
  })
  test('to the budget of the whole question', () => {
    const budget = createDnssecBudget({ signatures: 10 })
    expect(judge([signed()], [key.dnskey], { budget }).kind).toBe('valid')
    expect(reasonOf(judge(badSignatures(5), [key.dnskey], { budget }))).toBe('dnssec.over-budget')
    expect(reasonOf(judge([signed()], [key.dnskey], { budget }))).toBe('dnssec.over-budget')
  })
  test('and signatures that are settled without arithmetic cost nothing', () => {
    const budget = createDnssecBudget()
    const idle = Array.from({ length: 200 }, (_, index) => signed({ keyTag: index, expiration: testInception }))
    expect(judge([...idle, signed()], [key.dnskey], { budget }).kind).toBe('valid')
    expect(Math.round(budget.spent.signatures)).toBe(3)
  })
})

/** A signature whose fields were changed after it was made. */
function tampered(changes: Partial<RrsigFields>): ResourceRecord {
  const honest = signed()
  const forged = signed(changes)
  return { ...forged, rdata: Buffer.concat([forged.rdata.subarray(0, -64), honest.rdata.subarray(-64)]) }
}

function asProtocol(protocol: number): Dnskey {
  return asDnskey(dnskeyRdata(257, 13, key.dnskey.publicKey, protocol))
}
