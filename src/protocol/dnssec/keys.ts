/**
 * The keys of a zone, from what vouches for them: the DS set of its parent, or an anchor (RFC 4035 §5.2, RFC 6840 §5.2, §5.11).
 *
 * `secure` means that the DNSKEY set is signed by a key that a DS, or the anchor, names; then every key in it belongs to the zone. `insecure` means that all of what
 * vouches is made with algorithms that prove nothing here: the zone counts as unsigned. One DS that could have been followed is enough to make everything else bogus,
 * or whoever can add a DS nobody knows could take the zone's signatures away.
 */
import { createHash } from 'node:crypto'
import { formatName, type Name } from '../dns/name.ts'
import { algorithmCounts, algorithmName, algorithmStatus, type Sha1Policy } from './algorithms.ts'
import { canonicalNameBytes } from './canonical.ts'
import type { BogusReason, InsecureReason } from './reasons.ts'
import { keyTag, readDnskey } from './records.ts'
import type { Dnskey, DnssecBudget, Ds, Rrset, Rrsig } from './types.ts'
import { isRevoked, isZoneKey, revokeBit, type SignatureContext, verifyRrsetWithKeys } from './verify-set.ts'

/** What vouches for a key: a DS, or the key itself. Every `TrustAnchor` is one. */
export type TrustPoint =
  | { readonly kind: 'ds'; readonly ds: Ds }
  | { readonly kind: 'dnskey'; readonly dnskey: Dnskey }

export type TrustedKeys =
  | {
      readonly kind: 'secure'
      /** All that the set holds, revoked ones included: `verifyRrsetWithKeys` passes over those that cannot sign. */
      readonly keys: readonly Dnskey[]
      /** The signature that ties the set to the DS or the anchor. */
      readonly signature: Rrsig
      /** As in `ValidRrset`. What vouches has a lifetime of its own. */
      readonly ttlSeconds: number
    }
  | Unusable
  /** `detail` is one sentence; names in it are in presentation form. */
  | { readonly kind: 'bogus'; readonly reason: BogusReason; readonly detail: string }

/** Nothing of what vouches can be followed. */
export interface Unusable {
  readonly kind: 'insecure'
  readonly reason: Extract<InsecureReason, 'dnssec.unknown-algorithms' | 'dnssec.sha1-algorithms'>
  readonly detail: string
}

/**
 * @param dnskeys the zone's DNSKEY set; null when there is none
 * @param trust all of the zone's DS, proven, or all its anchors. None at all is bogus: that there is no DS is proven in other ways.
 */
export function trustedKeys(
  zone: Name,
  dnskeys: Rrset | null,
  trust: readonly TrustPoint[],
  context: SignatureContext,
): TrustedKeys {
  const name = zone.length === 0 ? '.' : formatName(zone)
  const unusable = unusableTrust(zone, trust, context.sha1)
  if (unusable !== null) return unusable
  if (dnskeys === null || dnskeys.records.length === 0)
    return bogus('dnssec.dnskey-missing', `The zone ${name} is meant to be signed, and has no keys.`)
  const keys = dnskeys.records.map(readDnskey).filter(key => key !== 'malformed')
  const entries = findEntries(zone, keys, usable(trust, context.sha1 ?? 'insecure'), context.budget)
  if (entries === null)
    return bogus('dnssec.over-budget', `The keys of ${name} ask for more hashing than is done for one answer.`)
  const { named, revoked } = entries
  if (named.length === 0)
    return revoked
      ? bogus('dnssec.key-revoked', `The zone ${name} has revoked the key that vouches for its keys.`)
      : bogus('dnssec.no-trusted-key', `The zone ${name} has none of the keys that vouch for its keys.`)
  const verdict = verifyRrsetWithKeys(dnskeys, zone, named, context)
  if (verdict.kind === 'valid')
    return { kind: 'secure', keys, signature: verdict.signature, ttlSeconds: verdict.ttlSeconds }
  // Its other keys may have signed the set: that proves nothing.
  return verdict.reason === 'dnssec.key-missing'
    ? bogus('dnssec.no-trusted-key', `The keys of ${name} are not signed by the key that vouches for them.`)
    : verdict
}

/**
 * Whether nothing of what vouches can be followed, so that the zone counts as unsigned (RFC 4035 §5.2, RFC 6840 §5.2); null when something can. Needs no
 * DNSKEY set.
 */
export function unusableTrust(
  zone: Name,
  trust: readonly TrustPoint[],
  sha1: Sha1Policy = 'insecure',
): Unusable | null {
  if (trust.length === 0 || usable(trust, sha1).length > 0) return null
  const name = zone.length === 0 ? '.' : formatName(zone)
  const names = [...new Set(trust.map(describe))].slice(0, 3).join(', ')
  return trust.some(isSha1)
    ? {
        kind: 'insecure',
        reason: 'dnssec.sha1-algorithms',
        detail: `The zone ${name} is signed with ${names}: SHA-1 no longer proves anything.`,
      }
    : {
        kind: 'insecure',
        reason: 'dnssec.unknown-algorithms',
        detail: `The zone ${name} is signed with ${names}, which is not known here.`,
      }
}

/** Whether this DS names this key: tag, algorithm and digest (RFC 4034 §5.2). False for digest types that are not known. */
export function dsMatches(ds: Ds, zone: Name, key: Dnskey): boolean {
  if (ds.keyTag !== key.keyTag || ds.algorithm !== key.algorithm) return false
  const digest = keyDigest(zone, key.rdata, ds.digestType)
  return digest !== null && Buffer.compare(digest, ds.digest) === 0
}

/** The digest of a DS: hash of owner in canonical form and DNSKEY RDATA (RFC 4034 §5.1.4). Null when the type is not known. */
export function keyDigest(zone: Name, dnskeyRdata: Uint8Array, digestType: number): Uint8Array | null {
  const hash = digestHashes.get(digestType)
  return hash === undefined ? null : createHash(hash).update(canonicalNameBytes(zone)).update(dnskeyRdata).digest()
}

/** Bytes of a digest of this type; null when the type is not known. */
export function digestBytes(digestType: number): number | null {
  return digestLengths.get(digestType) ?? null
}

/**
 * What can be followed. A SHA-1 digest alone still can: to forge one takes a second preimage, which nobody can find, and RFC 8624 §3.3 has it validated. Beside a
 * better one that can be followed it is left aside (RFC 4509 §3).
 */
function usable(trust: readonly TrustPoint[], sha1: Sha1Policy): readonly TrustPoint[] {
  const known = trust.filter(point =>
    point.kind === 'ds'
      ? algorithmCounts(point.ds.algorithm, sha1) && digestHashes.has(point.ds.digestType)
      : algorithmCounts(point.dnskey.algorithm, sha1),
  )
  const better = known.filter(point => point.kind === 'dnskey' || point.ds.digestType !== sha1Digest)
  return better.length > 0 ? better : known
}

/**
 * Keys of the set that are vouched for, in time linear in keys and DS, however many share a tag. `revoked`: one of them was, and is revoked now (RFC 5011 §2.1), so that its
 * tag and digest have changed. Null: over budget.
 */
function findEntries(
  zone: Name,
  keys: readonly Dnskey[],
  trust: readonly TrustPoint[],
  budget: DnssecBudget,
): { readonly named: readonly Dnskey[]; readonly revoked: boolean } | null {
  const anchors = new Set<string>()
  const digests = new Set<string>()
  const typesByTag = new Map<string, Set<number>>()
  for (const point of trust)
    if (point.kind === 'dnskey') anchors.add(latin1(point.dnskey.rdata))
    else {
      const { keyTag: tag, algorithm, digestType, digest } = point.ds
      const key = `${tag} ${algorithm}`
      digests.add(`${key} ${digestType} ${latin1(digest)}`)
      typesByTag.set(key, (typesByTag.get(key) ?? new Set()).add(digestType))
    }

  const isNamed = (rdata: Uint8Array, algorithm: number): boolean | null => {
    if (anchors.has(latin1(rdata))) return true
    const key = `${keyTag(rdata)} ${algorithm}`
    for (const digestType of typesByTag.get(key) ?? []) {
      if (!budget.spend('digests', 1 + rdata.length / bytesPerDigest)) return null
      const digest = keyDigest(zone, rdata, digestType)
      if (digest !== null && digests.has(`${key} ${digestType} ${latin1(digest)}`)) return true
    }
    return false
  }

  const named: Dnskey[] = []
  let revoked = false
  for (const key of keys) {
    if (!isZoneKey(key)) continue
    const found = isNamed(key.rdata, key.algorithm)
    if (found === null) return null
    if (!isRevoked(key)) {
      if (found) named.push(key)
      continue
    }
    const before = Uint8Array.from(key.rdata)
    before[1] = (before[1] ?? 0) & ~revokeBit
    const was = found || isNamed(before, key.algorithm)
    if (was === null) return null
    revoked ||= was
  }
  return { named, revoked }
}

function isSha1(point: TrustPoint): boolean {
  return algorithmStatus(algorithmOf(point)) === 'sha1'
}

function algorithmOf(point: TrustPoint): number {
  return point.kind === 'ds' ? point.ds.algorithm : point.dnskey.algorithm
}

function describe(point: TrustPoint): string {
  const name = algorithmName(algorithmOf(point))
  return point.kind === 'dnskey' || digestHashes.has(point.ds.digestType)
    ? name
    : `${name} under digest type ${point.ds.digestType}`
}

function bogus(reason: BogusReason, detail: string): TrustedKeys {
  return { kind: 'bogus', reason, detail }
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

const sha1Digest = 1

/** RFC 4034 §5.1.3, RFC 4509, RFC 6605 §2. */
const digestHashes: ReadonlyMap<number, string> = new Map([
  [sha1Digest, 'sha1'],
  [2, 'sha256'],
  [4, 'sha384'],
])

const digestLengths: ReadonlyMap<number, number> = new Map([
  [sha1Digest, 20],
  [2, 32],
  [4, 48],
])

const bytesPerDigest = 4096
