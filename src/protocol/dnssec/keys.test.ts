import { describe, expect, test } from 'vitest'
import type { ResourceRecord } from '../dns/message.ts'
import { createDnssecBudget } from './budget.ts'
import { dnskeyRdata } from './encoding.ts'
import { dsMatches, keyDigest, type TrustPoint, trustedKeys, unusableTrust } from './keys.ts'
import { groupRrsets } from './rrsets.ts'
import {
  asDnskey,
  dnskeyRecord,
  makeKey,
  type RrsigFields,
  type SigningKey,
  signRecords,
  testInception,
  testNowMs,
  withFlags,
} from './testing/signing.ts'
import { nameFromText } from './testing/zone-text.ts'
import type { Dnskey, Ds, Rrset } from './types.ts'
import { type SignatureContext, verifyRrsetWithKeys } from './verify-set.ts'

const zone = nameFromText('example')
const ksk = makeKey(13)
const zsk = makeKey(13, 256)
const stranger = makeKey(13)

const context = (changes: Partial<SignatureContext> = {}): SignatureContext => ({
  nowMs: testNowMs,
  budget: createDnssecBudget(),
  ...changes,
})
const dsOf = (key: SigningKey, digestType = 2, changes: Partial<Ds> = {}): TrustPoint => ({
  kind: 'ds',
  ds: {
    keyTag: key.dnskey.keyTag,
    algorithm: key.dnskey.algorithm,
    digestType,
    digest: keyDigest(zone, key.dnskey.rdata, digestType) ?? new Uint8Array(32).fill(9),
    ...changes,
  },
})
const anchorOf = ({ dnskey }: SigningKey): TrustPoint => ({ kind: 'dnskey', dnskey })

/** The zone's DNSKEY set. `by`: who signs it. */
function keySet(
  keys: readonly SigningKey[],
  by: readonly SigningKey[] = [ksk],
  changes: Partial<RrsigFields> = {},
): Rrset {
  const records: readonly ResourceRecord[] = keys.map(({ dnskey }) => dnskeyRecord(zone, dnskey))
  const [set] = groupRrsets([...records, ...by.map(key => signRecords(records, zone, key, changes))])
  if (set === undefined) throw new Error('no keys')
  return set
}
const outcome = (set: Rrset | null, trust: readonly TrustPoint[], changes: Partial<SignatureContext> = {}) => {
  const found = trustedKeys(zone, set, trust, context(changes))
  if (found.kind !== 'secure') expect(found.detail).toMatch(/^[A-Z][^\n]*\.$/)
  return found.kind === 'secure' ? 'secure' : found.reason
}
const good = keySet([ksk, zsk])

describe('the keys of a zone are proven', () => {
  test('by a DS of any digest, and then all keys are the zone’s', () => {
    for (const digestType of [1, 2, 4]) expect(outcome(good, [dsOf(ksk, digestType)])).toBe('secure')
    const found = trustedKeys(zone, good, [dsOf(ksk)], context())
    expect(found.kind === 'secure' ? found.keys.map(({ keyTag }) => keyTag) : []).toEqual([
      ksk.dnskey.keyTag,
      zsk.dnskey.keyTag,
    ])
    expect(found).toMatchObject({ ttlSeconds: 3600, signature: { keyTag: ksk.dnskey.keyTag } })
  })
  test('by the anchor, as DNSKEY', () => {
    expect(outcome(good, [anchorOf(ksk)])).toBe('secure')
  })
  test('by any one path, whatever the others are (RFC 6840 §5.11)', () => {
    const wrong = [
      dsOf(stranger),
      dsOf(ksk, 2, { digest: new Uint8Array(32) }),
      dsOf(ksk, 3),
      dsOf(ksk, 2, { algorithm: 99 }),
      anchorOf(stranger),
    ]
    expect(outcome(good, [...wrong, dsOf(ksk)])).toBe('secure')
    expect(outcome(good, [dsOf(ksk), ...wrong])).toBe('secure')
  })
  test('without the SEP bit, which means nothing here (RFC 4034 §2.1.1)', () => {
    expect(outcome(keySet([zsk], [zsk]), [dsOf(zsk)])).toBe('secure')
  })
  test('for the root', () => {
    const records = [dnskeyRecord([], ksk.dnskey)]
    const [set] = groupRrsets([...records, signRecords(records, [], ksk)])
    const ds = {
      ...dsOf(ksk),
      ds: {
        keyTag: ksk.dnskey.keyTag,
        algorithm: 13,
        digestType: 2,
        digest: keyDigest([], ksk.dnskey.rdata, 2) ?? new Uint8Array(0),
      },
    }
    expect(trustedKeys([], set ?? null, [{ kind: 'ds', ds: ds.ds }], context()).kind).toBe('secure')
  })
  test('and what stands beside them and is no DNSKEY is passed over', () => {
    const broken = { ...dnskeyRecord(zone, ksk.dnskey), rdata: new Uint8Array(3) }
    const records = [dnskeyRecord(zone, ksk.dnskey), broken]
    const [set] = groupRrsets([...records, signRecords(records, zone, ksk)])
    const found = trustedKeys(zone, set ?? null, [dsOf(ksk)], context())
    expect(found.kind === 'secure' ? found.keys.length : 0).toBe(1)
  })
})

describe('a zone is bogus', () => {
  const revoked = withFlags(ksk, 0x0181)
  const noZoneKey = withFlags(ksk, 1)
  test.each<[string, Rrset | null, readonly TrustPoint[], string]>([
    ['without keys', null, [dsOf(ksk)], 'dnssec.dnskey-missing'],
    ['with keys that no DS covers', good, [dsOf(stranger)], 'dnssec.no-trusted-key'],
    ['with nothing that vouches', good, [], 'dnssec.no-trusted-key'],
    ['with a DS of another digest', good, [dsOf(ksk, 2, { digest: new Uint8Array(32) })], 'dnssec.no-trusted-key'],
    [
      'with a DS whose digest is cut',
      good,
      [dsOf(ksk, 2, { digest: new Uint8Array(1) })],
      'dnssec.no-trusted-key',
    ],
    ['with a DS of another tag', good, [dsOf(ksk, 2, { keyTag: ksk.dnskey.keyTag ^ 1 })], 'dnssec.no-trusted-key'],
    ['with a DS of another algorithm', good, [dsOf(ksk, 2, { algorithm: 8 })], 'dnssec.no-trusted-key'],
    [
      'whose key in the DS is no zone key',
      keySet([noZoneKey], [noZoneKey]),
      [dsOf(noZoneKey)],
      'dnssec.no-trusted-key',
    ],
    ['whose keys are signed by another of them', keySet([ksk, zsk], [zsk]), [dsOf(ksk)], 'dnssec.no-trusted-key'],
    ['whose keys are not signed', keySet([ksk, zsk], []), [dsOf(ksk)], 'dnssec.signature-missing'],
    [
      'whose keys’ signature is over',
      keySet([ksk], [ksk], { expiration: testInception }),
      [dsOf(ksk)],
      'dnssec.signature-expired',
    ],
    [
      'whose keys’ signature is bad',
      { ...good, records: good.records.slice(0, 1) },
      [dsOf(ksk)],
      'dnssec.signature-bad',
    ],
    [
      'that revoked the key of the anchor',
      keySet([revoked, zsk], [revoked]),
      [anchorOf(ksk)],
      'dnssec.key-revoked',
    ],
    ['that revoked the key of the DS', keySet([revoked, zsk], [revoked]), [dsOf(ksk)], 'dnssec.key-revoked'],
    ['whose DS names a revoked key', keySet([revoked, zsk], [revoked]), [dsOf(revoked)], 'dnssec.key-revoked'],
  ])('%s', (_, set, trust, reason) => {
    expect(outcome(set, trust)).toBe(reason)
  })
  test('when a revoked key signs its keys, and nothing that is signed with it counts', () => {
    const set = keySet([ksk, revoked])
    const found = trustedKeys(zone, set, [dsOf(ksk)], context())
    if (found.kind !== 'secure') throw new Error(found.detail)
    const [rrset] = groupRrsets([...set.records, signRecords(set.records, zone, revoked)])
    if (rrset === undefined) throw new Error('no set')
    expect(verifyRrsetWithKeys(rrset, zone, found.keys, context())).toMatchObject({ reason: 'dnssec.key-revoked' })
  })
})

describe('a zone counts as unsigned', () => {
  const sha1 = makeKey(7)
  const sha1Set = keySet([sha1], [sha1])
  test.each<[string, readonly TrustPoint[], string]>([
    [
      'when no DS has an algorithm we know',
      [dsOf(ksk, 2, { algorithm: 99 }), dsOf(ksk, 2, { algorithm: 12 })],
      'dnssec.unknown-algorithms',
    ],
    [
      'when no DS has a digest we know (RFC 6840 §5.2)',
      [dsOf(ksk, 3), dsOf(ksk, 0), dsOf(ksk, 255)],
      'dnssec.unknown-algorithms',
    ],
    [
      'when a private algorithm is all there is (RFC 6840 §5.3)',
      [dsOf(ksk, 2, { algorithm: 253 })],
      'dnssec.unknown-algorithms',
    ],
    ['when it is signed with SHA-1', [dsOf(sha1)], 'dnssec.sha1-algorithms'],
    [
      'when it is signed with SHA-1 or something unknown',
      [dsOf(ksk, 2, { algorithm: 99 }), dsOf(sha1)],
      'dnssec.sha1-algorithms',
    ],
    ['when its anchor is a key with SHA-1', [anchorOf(sha1)], 'dnssec.sha1-algorithms'],
  ])('%s', (_, trust, reason) => {
    expect(outcome(sha1Set, trust)).toBe(reason)
    expect(outcome(null, trust)).toBe(reason)
    expect(unusableTrust(zone, trust)?.reason).toBe(reason)
  })
  test('but not with SHA-1 when that is told to count', () => {
    expect(outcome(sha1Set, [dsOf(sha1)], { sha1: 'validates' })).toBe('secure')
    expect(unusableTrust(zone, [dsOf(sha1)], 'validates')).toBeNull()
  })
  test('but not when one DS among unknown ones can be followed, and leads nowhere: that would be a way down', () => {
    const unknown = [dsOf(stranger, 2, { algorithm: 99 }), dsOf(stranger, 3), dsOf(sha1)]
    expect(outcome(good, [...unknown, dsOf(stranger)])).toBe('dnssec.no-trusted-key')
    expect(outcome(null, [...unknown, dsOf(stranger)])).toBe('dnssec.dnskey-missing')
    expect(unusableTrust(zone, [...unknown, dsOf(stranger)])).toBeNull()
  })
  test('but not when there is nothing that could vouch', () => {
    expect(unusableTrust(zone, [])).toBeNull()
  })
})

describe('a SHA-1 digest', () => {
  test('counts alone: to forge one takes a second preimage', () => {
    expect(outcome(good, [dsOf(ksk, 1)])).toBe('secure')
  })
  test('is left aside beside a better one (RFC 4509 §3)', () => {
    expect(outcome(good, [dsOf(ksk, 1), dsOf(stranger, 2)])).toBe('dnssec.no-trusted-key')
    expect(outcome(good, [dsOf(ksk, 1), dsOf(stranger, 4)])).toBe('dnssec.no-trusted-key')
  })
  test('counts beside a better one that cannot be followed: else that would be a way down', () => {
    expect(outcome(good, [dsOf(ksk, 1), dsOf(ksk, 2, { algorithm: 99 })])).toBe('secure')
    expect(outcome(good, [dsOf(stranger, 1), dsOf(ksk, 2, { algorithm: 99 })])).toBe('dnssec.no-trusted-key')
  })
})

describe('a DS names a key', () => {
  test('whatever the case of the zone’s name', () => {
    const { ds } = {
      ds: {
        keyTag: ksk.dnskey.keyTag,
        algorithm: 13,
        digestType: 2,
        digest: keyDigest(zone, ksk.dnskey.rdata, 2) ?? new Uint8Array(0),
      },
    }
    expect(dsMatches(ds, nameFromText('EXAMPLE'), ksk.dnskey)).toBe(true)
  })
  test('never by a digest that is not known', () => {
    expect(keyDigest(zone, ksk.dnskey.rdata, 3)).toBeNull()
    expect(
      dsMatches(
        { keyTag: ksk.dnskey.keyTag, algorithm: 13, digestType: 3, digest: new Uint8Array(0) },
        zone,
        ksk.dnskey,
      ),
    ).toBe(false)
  })
})

describe('work is bounded', () => {
  /** Keys that all have one tag: the tag is a sum, so the last two bytes can make up the difference. */
  function collidingKeys(count: number): readonly Dnskey[] {
    return Array.from({ length: count }, (_, index) => {
      const publicKey = new Uint8Array(64)
      const view = new DataView(publicKey.buffer)
      view.setUint16(0, index)
      const missing = 4711 - asDnskey(dnskeyRdata(257, 13, publicKey)).keyTag
      // A carry may add one.
      for (const carry of [0, 1]) {
        view.setUint16(62, (missing - carry) & 0xffff)
        const key = asDnskey(dnskeyRdata(257, 13, publicKey))
        if (key.keyTag === 4711) return key
      }
      throw new Error('no collision')
    })
  }
  const setOf = (keys: readonly Dnskey[]): Rrset => ({
    ...good,
    records: keys.map(key => dnskeyRecord(zone, key)),
  })

  test('in hashing, which grows with the keys and not with keys times DS', () => {
    const spentFor = (count: number) => {
      const budget = createDnssecBudget({ digests: 100_000 })
      const trust = Array.from({ length: count }, (_, index) =>
        dsOf(ksk, 2, { keyTag: 4711, digest: new Uint8Array(32).fill(index) }),
      )
      trustedKeys(zone, setOf(collidingKeys(count)), trust, context({ budget }))
      return budget.spent.digests
    }
    const [few, many] = [spentFor(10), spentFor(40)]
    expect(many / few).toBeCloseTo(4)
    expect(many).toBeLessThan(50)
  })
  test('and beyond the budget the answer is bogus, not insecure', () => {
    const trust = [dsOf(ksk, 2, { keyTag: 4711 })]
    expect(outcome(setOf(collidingKeys(12)), trust, { budget: createDnssecBudget({ digests: 10 }) })).toBe(
      'dnssec.over-budget',
    )
  })
  test('in verifications, when every key that collides is vouched for and none has signed', () => {
    const keys = collidingKeys(20)
    const trust = keys.map((dnskey): TrustPoint => ({ kind: 'dnskey', dnskey }))
    const budget = createDnssecBudget()
    const [signature] = good.signatures
    if (signature === undefined) throw new Error('no signature')
    const set = { ...setOf(keys), signatures: Array.from({ length: 20 }, () => ({ ...signature, keyTag: 4711 })) }
    expect(outcome(set, trust, { budget })).toBe('dnssec.over-budget')
    expect(budget.spent.signatures).toBeLessThan(8 * 4)
  })
})
