/**
 * Denial of existence by NSEC records (RFC 4034 §4, RFC 4035 §5.4, RFC 6840 §4).
 *
 * An NSEC stands at a name of the zone and says two things: which types that name has, and which name of the zone comes after it in canonical
 * order, so that none lies between. Three kinds of name are not owners and need care: an empty non-terminal has no record of its own, but the next
 * name is below it (RFC 4592 §2.2.2); what lies below a delegation or a DNAME belongs to somebody else, and no record about it means anything
 * (RFC 6840 §4.1); and a delegation has two NSEC records, one in each zone, told apart by the SOA bit.
 *
 * Success, `proven`, means that the records leave no other possibility in a zone that was signed whole. Expected of the caller: every record was
 * verified with a key of `zone`, and stands under the very name that was signed. One expanded from a wildcard stands under a name at which it says
 * nothing, and must be left out or put back under its wildcard. No signature is looked at here, and no response code.
 */
import { equalNames, isAtOrBelow, type Name } from '../dns/name.ts'
import { typeName, typeNumbers } from '../dns/numbers.ts'
import { compareNames } from './canonical.ts'
import {
  faultOfType,
  hidesBelow,
  isDelegation,
  isOfZone,
  isQueryType,
  nextCloserName,
  said,
  unproven,
  wildcardOf,
} from './denial-rules.ts'
import type { Denial, Unproven } from './denial-types.ts'
import type { Nsec } from './types.ts'

export interface NsecEvidence {
  readonly zone: Name
  readonly records: readonly Nsec[]
}

type Answer = Extract<Denial, { kind: 'proven' }> | Unproven

/**
 * There is no such name, and no wildcard that would stand in for it (RFC 4035 §5.4): an NSEC spans the name, and one spans the wildcard at the
 * closest encloser, the longest ancestor that exists.
 */
export function deniesName(evidence: NsecEvidence, name: Name): Answer {
  const chain = readChain(evidence, name)
  const span = chain.spanning(name)
  if (span === null) return chain.fail(`No NSEC record shows that ${said(name)} does not exist.`)
  const wildcard = wildcardOf(closestEncloser(span, name))
  if (chain.spanning(wildcard) === null)
    return chain.fail(`No NSEC record shows that ${said(wildcard)} does not exist.`)
  return proven
}

/** The name exists, or a wildcard stands in for it, and has no record of the type, nor a CNAME that would lead on (RFC 4035 §5.4, RFC 6840 §4.3). */
export function deniesType(evidence: NsecEvidence, name: Name, type: number): Answer {
  const chain = readChain(evidence, name)
  if (isQueryType(type)) return chain.fail(`No NSEC record lists ${typeName(type)}, whether there is any or not.`)
  const matching = chain.matching(name)
  if (matching.length > 0)
    return (
      chain.firstFault(matching, record => faultOfType(evidence.zone, name, record, type, 'matched')) ?? proven
    )
  if (chain.isEmptyNonTerminal(name)) return proven
  const span = chain.spanning(name)
  if (span === null) return chain.fail(`No NSEC record says which types ${said(name)} has.`)
  const wildcard = wildcardOf(closestEncloser(span, name))
  const standIn = chain.matching(wildcard)
  // A delegation cannot be synthesized (RFC 4592 §4.2), so its NSEC says nothing about a name that would match.
  if (standIn.length > 0)
    return (
      chain.firstFault(standIn, record => faultOfType(evidence.zone, wildcard, record, type, 'synthesized')) ??
      proven
    )
  if (chain.isEmptyNonTerminal(wildcard)) return proven
  return chain.fail(`${said(name)} does not exist, and no NSEC record says which types ${said(wildcard)} has.`)
}

/**
 * A positive answer was made of a wildcard, and rightly: no closer match exists (RFC 4035 §5.3.4).
 *
 * @param wildcardLabels labels of the wildcard's owner without the asterisk, as its RRSIG says (RFC 4034 §3.1.3). What is there to prove exists only
 *   where this is less than `name` has, and where `name` is not itself the wildcard.
 */
export function deniesWildcardExpansion(evidence: NsecEvidence, name: Name, wildcardLabels: number): Answer {
  const chain = readChain(evidence, name)
  const nextCloser = nextCloserName(evidence.zone, name, wildcardLabels)
  if (nextCloser === null)
    return chain.fail(`No wildcard with ${wildcardLabels} labels can stand in for ${said(name)}.`)
  if (chain.spanning(nextCloser) === null)
    return chain.fail(
      `No NSEC record shows that ${said(nextCloser)} does not exist, so that a wildcard may stand in for it.`,
    )
  return proven
}

/** What the zone says of a delegation at `name`: `proven` that it is unsigned, or `not-delegated` (RFC 4035 §5.2, RFC 6840 §4.4). */
export function deniesDs(evidence: NsecEvidence, name: Name): Answer | { readonly kind: 'not-delegated' } {
  const chain = readChain(evidence, name)
  const matching = chain.matching(name)
  if (matching.length > 0) {
    const fault = chain.firstFault(matching, record =>
      faultOfType(evidence.zone, name, record, typeNumbers.DS, 'matched'),
    )
    if (fault !== null) return fault
    return matching.every(isDelegation) ? proven : notDelegated
  }
  // A wildcard does not matter: it makes no delegations (RFC 4592 §4.2).
  if (chain.isEmptyNonTerminal(name) || chain.spanning(name) !== null) return notDelegated
  return chain.fail(`No NSEC record shows that ${said(name)} has no DS.`)
}

/** The records that can say anything in this zone, and how to ask them. */
interface Chain {
  matching(name: Name): readonly Nsec[]
  /** A record that shows that the name does not exist. */
  spanning(name: Name): Nsec | null
  /** Nothing stands at the name, but something below it. */
  isEmptyNonTerminal(name: Name): boolean
  firstFault(records: readonly Nsec[], faultOf: (record: Nsec) => Unproven | null): Unproven | null
  /** Not proven, for a better reason than the one given if records of another zone came. */
  fail(detail: string): Unproven
}

function readChain({ zone, records }: NsecEvidence, name: Name): Chain {
  const isInside = isAtOrBelow(name, zone)
  const own = records.filter(record => isOf(zone, record))
  const beyondCut = own.find(record => hidesBelow(record) && isBelow(name, record.owner))
  const spans = (record: Nsec, other: Name) =>
    isBetween(record, other, zone) && !(hidesBelow(record) && isBelow(other, record.owner))
  return {
    matching: other => own.filter(({ owner }) => equalNames(owner, other)),
    spanning: other => own.find(record => spans(record, other) && !isBelow(record.next, other)) ?? null,
    isEmptyNonTerminal: other => own.some(record => spans(record, other) && isBelow(record.next, other)),
    firstFault: (some, faultOf) => some.map(faultOf).find(fault => fault !== null) ?? null,
    fail: detail => {
      if (!isInside)
        return unproven('dnssec.denial-of-wrong-zone', `${said(name)} is not in the zone ${said(zone)}.`)
      if (beyondCut !== undefined)
        return unproven(
          'dnssec.denial-of-wrong-zone',
          `${said(zone)} cannot say what is below ${said(beyondCut.owner)}, ${isDelegation(beyondCut) ? 'which is delegated' : 'which is a DNAME'}.`,
        )
      if (own.length < records.length)
        return unproven(
          'dnssec.denial-of-wrong-zone',
          `${detail} The NSEC records that came are not all of the zone ${said(zone)}.`,
        )
      return unproven('dnssec.denial-unproven', detail)
    },
  }
}

/** Whether this is an NSEC of the zone, and not one of its parent's or of a child's that stands at the same name. */
function isOf(zone: Name, { owner, next, types }: Nsec): boolean {
  if (!isAtOrBelow(owner, zone) || !isAtOrBelow(next, zone)) return false
  return isOfZone(zone, owner, { types })
}

/** Whether a name of the zone would come after the owner and before the next name, the last NSEC being the one that leads back to the apex. */
function isBetween({ owner, next }: Nsec, name: Name, zone: Name): boolean {
  if (compareNames(owner, name) >= 0) return false
  return compareNames(name, next) < 0 || (equalNames(next, zone) && isAtOrBelow(name, zone))
}

/** The longest ancestor that exists: one that the name has in common with one of the two names of the zone between which it would lie. */
function closestEncloser({ owner, next }: Nsec, name: Name): Name {
  return name.slice(name.length - Math.max(labelsInCommon(owner, name), labelsInCommon(next, name)))
}

function labelsInCommon(one: Name, other: Name): number {
  let count = 0
  while (count < one.length && count < other.length && equalNames(one.slice(-1 - count), other.slice(-1 - count)))
    count++
  return count
}

function isBelow(name: Name, ancestor: Name): boolean {
  return name.length > ancestor.length && isAtOrBelow(name, ancestor)
}

const proven = { kind: 'proven' } as const
const notDelegated = { kind: 'not-delegated' } as const
