/**
 * What an answer holds that may prove an absence: the NSEC and NSEC3 records of one zone, each verified with its keys (RFC 4035 §5.4).
 *
 * A record is taken when the zone signed it under the name it stands at. One made from a wildcard says nothing where it stands; one that another zone signed,
 * the parent or the child, is not this zone's word. Both are left out, and remembered for the reason.
 */
import { equalNames, isAtOrBelow, type Name } from '../dns/name.ts'
import { typeNumbers } from '../dns/numbers.ts'
import { readData } from '../dns/records.ts'
import type { DenialEvidence } from './denial.ts'
import type { Unproven } from './denial-types.ts'
import type { Inquiry } from './inquiry.ts'
import { readNsec, readNsec3 } from './records.ts'
import type { Dnskey, Nsec, Nsec3, Rrset } from './types.ts'
import { type BogusRrset, verifyRrsetWithKeys } from './verify-set.ts'

export interface Evidence extends DenialEvidence {
  /**
   * How long what it proves may be kept: the TTLs of the records, of the zone's SOA and its minimum, whichever ends first (RFC 2308 §5, RFC 9077 §3). The SOA
   * need not be verified, since it can only shorten.
   */
  readonly ttlSeconds: number
  /** For people. */
  readonly mechanism: 'NSEC' | 'NSEC3'
  /** Why a record was not taken that claims to be the zone's; null when all were. */
  readonly fault: BogusRrset | null
  readonly hasStrangers: boolean
}

/** @param zone with its keys, proven */
export function readEvidence(
  inquiry: Inquiry,
  zone: { readonly zone: Name; readonly keys: readonly Dnskey[] },
  authorities: readonly Rrset[],
): Evidence {
  const { nowMs, sha1 = 'insecure' } = inquiry.context
  const nsec: Nsec[] = []
  const nsec3: Nsec3[] = []
  let ttlSeconds = negativeTtl(zone.zone, authorities)
  let fault: BogusRrset | null = null
  const proofs = authorities.filter(({ type }) => isProof(type))
  const own = proofs.filter(rrset => isSignedBy(rrset, zone.zone))
  let bad = 0
  for (const rrset of own.slice(0, maxProofRecords)) {
    if (bad >= maxBadProofs || nsec.length + nsec3.length >= maxProofRecords) break
    const verdict = verifyRrsetWithKeys(rrset, zone.zone, zone.keys, { nowMs, sha1, budget: inquiry.budget })
    if (verdict.kind === 'bogus') {
      fault ??= verdict
      bad++
      continue
    }
    if (verdict.isWildcard) continue
    ttlSeconds = Math.min(ttlSeconds, verdict.ttlSeconds)
    // A name has one NSEC, and a hash one NSEC3 (RFC 4034 §4, RFC 5155 §7.1).
    for (const record of rrset.records.slice(0, maxProofRecords))
      if (rrset.type === typeNumbers.NSEC) {
        const read = readNsec(record)
        if (read !== 'malformed') nsec.push(read)
      } else {
        const read = readNsec3(record)
        if (read !== 'malformed') nsec3.push(read)
      }
  }
  return {
    zone: zone.zone,
    nsec,
    nsec3,
    budget: inquiry.budget,
    ttlSeconds: Number.isFinite(ttlSeconds) ? ttlSeconds : 0,
    mechanism: nsec3.length > 0 ? 'NSEC3' : 'NSEC',
    fault,
    hasStrangers: own.length < proofs.length,
  }
}

/** The reason that tells most: a proof that could not be made for want of a good signature is told as the fault of that signature. */
export function whyUnproven(evidence: Evidence, unproven: Unproven): Pick<Unproven, 'reason' | 'detail'> {
  if (unproven.reason !== 'dnssec.denial-unproven') return unproven
  if (evidence.fault !== null) return evidence.fault
  return evidence.hasStrangers ? { ...unproven, reason: 'dnssec.denial-of-wrong-zone' } : unproven
}

export function isProof(type: number): boolean {
  return type === typeNumbers.NSEC || type === typeNumbers.NSEC3
}

function isSignedBy({ name, signatures }: Rrset, zone: Name): boolean {
  // Without any signature it may be the zone's, stripped: looked at, so that the fault can be told.
  return (
    isAtOrBelow(name, zone) &&
    (signatures.length === 0 || signatures.some(({ signer }) => equalNames(signer, zone)))
  )
}

function negativeTtl(zone: Name, authorities: readonly Rrset[]): number {
  let ttlSeconds = Number.POSITIVE_INFINITY
  for (const { name, type, records } of authorities) {
    if (type !== typeNumbers.SOA || !equalNames(name, zone)) continue
    for (const record of records) {
      const data = readData(record)
      if (data !== null && data !== 'malformed' && data.type === 'SOA')
        ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds, data.minimum)
    }
  }
  return ttlSeconds
}

/** A denial takes three records at most, a chain of aliases within one zone one more for each wildcard. What comes after these is padding. */
const maxProofRecords = 16

/** Of those, such as have no good signature: each may cost as many verifications as an RRset may, and all are done without a pause. */
const maxBadProofs = 4
