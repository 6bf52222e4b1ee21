/**
 * Is this RRset signed by this zone (RFC 4035 §5.3)?
 *
 * `valid` means that one signature keeps every condition of §5.3.1, holds now, and was made with one of the zone's keys. It does not mean that the name was meant to
 * be answered so: when `isWildcard` is set, the records were made from a wildcard, and that nothing closer exists is still to be proven (§5.3.4).
 *
 * Any one signature is enough (RFC 6840 §5.4, §5.12), so bad ones beside a good one harm nothing. When none is good the reason is the one that tells most: a signature
 * with a fitting key that failed says more than one whose key is not there.
 */
import { equalNames, isAtOrBelow, type Name } from '../dns/name.ts'
import { typeName } from '../dns/numbers.ts'
import { algorithmCounts, algorithmName, type Sha1Policy } from './algorithms.ts'
import { labelCount } from './canonical.ts'
import { nameInText } from './denial-rules.ts'
import type { BogusReason } from './reasons.ts'
import { signatureEndMs, signatureTime, verifyRrset } from './signature.ts'
import type { Dnskey, DnssecBudget, Rrset, Rrsig } from './types.ts'

export interface SignatureContext {
  /** Milliseconds since 1970. */
  readonly nowMs: number
  readonly budget: DnssecBudget
  /** Left out: `insecure` (RFC 9905 §2). */
  readonly sha1?: Sha1Policy
}

export type RrsetVerdict = ValidRrset | BogusRrset

export interface ValidRrset {
  readonly kind: 'valid'
  readonly signature: Rrsig
  /** Fewer labels are signed than the owner has: the records come from a wildcard (RFC 4034 §3.1.3). */
  readonly isWildcard: boolean
  /** The most that the RRset may be kept: TTLs as received, original TTL and the rest of the signature's life (RFC 4035 §5.3.3). */
  readonly ttlSeconds: number
}

export interface BogusRrset {
  readonly kind: 'bogus'
  readonly reason: BogusReason
  /** One sentence; names in it are in presentation form. */
  readonly detail: string
}

/**
 * @param zone the one that must have signed: for a DS it is the parent
 * @param keys of the zone, proven; those that are no zone keys or are revoked are passed over here
 */
export function verifyRrsetWithKeys(
  rrset: Rrset,
  zone: Name,
  keys: readonly Dnskey[],
  context: SignatureContext,
): RrsetVerdict {
  let worst: BogusRrset | null = null
  let attempts = 0
  for (const rrsig of rrset.signatures) {
    const fitting = fittingKeys(rrset, rrsig, zone, keys, context)
    if (fitting.kind === 'bogus') {
      worst = moreTelling(worst, fitting)
      continue
    }
    for (const key of fitting.keys) {
      if (++attempts > maxVerifications) return tooMany(rrset)
      const verdict = verifyRrset(rrset, rrsig, key, context.budget)
      if (verdict === 'good') return valid(rrset, rrsig, context.nowMs)
      if (verdict === 'over-budget') return tooMany(rrset)
      const why =
        verdict === 'unusable-key'
          ? `The ${signatureName(rrset, rrsig)} needs a key that is not as its algorithm wants it.`
          : `The ${signatureName(rrset, rrsig)} does not fit the records.`
      worst = moreTelling(worst, bogus('dnssec.signature-bad', why))
    }
  }
  return (
    worst ??
    bogus(
      'dnssec.signature-missing',
      `No signature came with the ${typeName(rrset.type)} records of ${nameInText(rrset.name)}.`,
    )
  )
}

/** Keys with which it is worth to verify: everything but the arithmetic is settled here (RFC 4035 §5.3.1). */
function fittingKeys(
  rrset: Rrset,
  rrsig: Rrsig,
  zone: Name,
  keys: readonly Dnskey[],
  { nowMs, sha1 = 'insecure' }: SignatureContext,
): { readonly kind: 'keys'; readonly keys: readonly Dnskey[] } | BogusRrset {
  const name = signatureName(rrset, rrsig)
  if (!equalNames(rrsig.signer, zone) || !isAtOrBelow(rrset.name, zone))
    return bogus(
      'dnssec.signer-not-zone',
      `The ${name} is by ${nameInText(rrsig.signer)}, and not by ${zone.length === 0 ? 'the root' : `the zone ${nameInText(zone)}`}.`,
    )
  if (rrsig.typeCovered !== rrset.type)
    return bogus('dnssec.signature-missing', `The ${name} covers ${typeName(rrsig.typeCovered)} records.`)
  // A wildcard that stands above the zone is not the zone's to sign.
  if (rrsig.labels > labelCount(rrset.name) || rrsig.labels < zone.length)
    return bogus(
      'dnssec.signature-bad',
      `The ${name} says ${rrsig.labels} labels, which the name and its zone cannot have.`,
    )
  if (!algorithmCounts(rrsig.algorithm, sha1))
    return bogus(
      'dnssec.signature-missing',
      `The ${name} is made with ${algorithmName(rrsig.algorithm)}, which does not count.`,
    )
  const tagged = keysByTag(keys).get(tagOf(rrsig))
  if (tagged === undefined)
    return bogus('dnssec.key-missing', `The ${name} is by a key that ${nameInText(zone)} does not have.`)
  if (tagged.length === 0)
    return bogus('dnssec.key-revoked', `The ${name} is by a key that ${nameInText(zone)} has revoked.`)
  switch (signatureTime(rrsig, nowMs)) {
    case 'expired':
      return bogus('dnssec.signature-expired', `The ${name} expired ${timeOf(rrsig.expiration, nowMs)}.`)
    case 'not-yet-valid':
      return bogus(
        'dnssec.signature-not-yet-valid',
        `The ${name} is valid from ${timeOf(rrsig.inception, nowMs)} on.`,
      )
    default:
      return { kind: 'keys', keys: tagged }
  }
}

/** Whether it signs records of its zone at all (RFC 4034 §2.1.1, §2.1.2). The SEP bit means nothing to a validator. */
export function isZoneKey(key: Dnskey): boolean {
  return (key.flags & 0x0100) !== 0 && key.protocol === 3
}

/** RFC 5011 §2.1: it proves nothing any more but its own revocation. */
export function isRevoked(key: Dnskey): boolean {
  return (key.flags & revokeBit) !== 0
}

export const revokeBit = 0x0080

function valid(rrset: Rrset, signature: Rrsig, nowMs: number): ValidRrset {
  const leftSeconds = Math.floor((signatureEndMs(signature, nowMs) - nowMs) / 1000)
  return {
    kind: 'valid',
    signature,
    isWildcard: signature.labels < labelCount(rrset.name),
    ttlSeconds: Math.max(0, Math.min(rrset.ttlSeconds, signature.originalTtlSeconds, leftSeconds)),
  }
}

/**
 * Keys of the zone by what a signature says of them, without those that are revoked: where no other is left there are none. Made once, as the same keys come
 * with every RRset of their zone, and a thousand signatures may ask for a thousand keys of one tag.
 */
function keysByTag(keys: readonly Dnskey[]): ReadonlyMap<number, readonly Dnskey[]> {
  const known = tagMaps.get(keys)
  if (known !== undefined) return known
  const byTag = new Map<number, Dnskey[]>()
  for (const key of keys) {
    if (!isZoneKey(key)) continue
    const tagged = byTag.get(tagOf(key)) ?? []
    byTag.set(tagOf(key), tagged)
    if (!isRevoked(key)) tagged.push(key)
  }
  tagMaps.set(keys, byTag)
  return byTag
}

const tagOf = ({ keyTag, algorithm }: Pick<Dnskey, 'keyTag' | 'algorithm'>) => algorithm * 0x1_0000 + keyTag

function moreTelling(one: BogusRrset | null, other: BogusRrset): BogusRrset {
  return one === null || telling.indexOf(other.reason) > telling.indexOf(one.reason) ? other : one
}

function tooMany(rrset: Rrset): BogusRrset {
  return bogus(
    'dnssec.over-budget',
    `The ${typeName(rrset.type)} records of ${nameInText(rrset.name)} ask for more verifications than are done for one answer.`,
  )
}

function bogus(reason: BogusReason, detail: string): BogusRrset {
  return { kind: 'bogus', reason, detail }
}

function signatureName(rrset: Rrset, rrsig: Rrsig): string {
  return `signature on ${typeName(rrset.type)} of ${nameInText(rrset.name)} with key tag ${rrsig.keyTag}`
}

function timeOf(seconds: number, nowMs: number): string {
  const endMs = signatureEndMs({ expiration: seconds }, nowMs)
  const time = new Date(endMs)
  return Number.isNaN(time.getTime()) ? 'at another time' : time.toISOString().replace('.000Z', 'Z')
}

/** From what tells least to what tells most. */
const telling: readonly BogusReason[] = [
  'dnssec.signature-missing',
  'dnssec.signer-not-zone',
  'dnssec.key-missing',
  'dnssec.key-revoked',
  'dnssec.signature-not-yet-valid',
  'dnssec.signature-expired',
  'dnssec.signature-bad',
]

/**
 * Verifications for one RRset, at most. A zone that changes its algorithm and its keys at once has four signatures; two keys of one tag and algorithm happen, three
 * do not. Unbound tries as many. KeyTrap (CVE-2023-50387) is hundreds of each.
 */
export const maxVerifications = 8

const tagMaps = new WeakMap<readonly Dnskey[], ReadonlyMap<number, readonly Dnskey[]>>()
