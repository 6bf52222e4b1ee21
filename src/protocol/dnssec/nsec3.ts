/**
 * Denial of existence by NSEC3 records (RFC 5155 §8, RFC 6840 §4, RFC 9276).
 *
 * As with NSEC, every name of the zone has a record that lists its types and leads to the next one; but names are hashed, and the order is that of the
 * hashes. So a span says nothing about the tree, and what exists has to be shown: the *closest encloser*, the longest ancestor that exists, by a
 * record that matches it, and that the *next closer* name, one label longer, does not exist, by a span around its hash (§8.3). Empty non-terminals have
 * records of their own, without types.
 *
 * A span with the Opt-Out flag leaves out unsigned delegations (§6): what it covers may be one, or be below one. Whatever is proven with such a span
 * around the next closer name is therefore `opt-out`, insecure, and never `proven` (§9.2). Flags of other records do not matter.
 *
 * Success, `proven`, means that the records leave no other possibility in a zone that was signed whole. Expected of the caller: every record was
 * verified with a key of `zone` under the name it stands at, not as an expanded wildcard; that also makes `too-many-iterations` the zone's own word
 * (RFC 9276 §3.2). Every hash is paid from the budget, in SHA-1 blocks, and no name is hashed twice for one question (CVE-2023-50868).
 */
import { hash as digest } from 'node:crypto'
import { equalNames, isAtOrBelow, type Name, nameKey, wireLength } from '../dns/name.ts'
import { typeName, typeNumbers } from '../dns/numbers.ts'
import { canonicalNameBytes } from './canonical.ts'
import {
  faultOfType,
  hidesBelow,
  isDelegation,
  isOfZone,
  isQueryType,
  nameInText,
  nextCloserName,
  said,
  unproven,
  wildcardOf,
} from './denial-rules.ts'
import type { Denial, NoDs, Unproven } from './denial-types.ts'
import type { DnssecBudget, Nsec3 } from './types.ts'

export interface Nsec3Evidence {
  readonly zone: Name
  readonly records: readonly Nsec3[]
  readonly budget: DnssecBudget
}

/**
 * More additional iterations than this are no proof, and the answer is insecure. RFC 9276 §3.2 names no number and leaves zones no need for any but 0;
 * its appendix A found that 100 disturbs nobody. unbound has 150 (`val-nsec3-keysize-iterations`), BIND had 150 up to 9.18 and has 50 since 9.20. What is
 * insecure has no DANE, and whoever can replay a record of before decides that it is: so here the highest number in use, as the budget bounds the
 * work in any case.
 */
export const maxNsec3Iterations = 150

/** There is no such name, and no wildcard that would stand in for it (RFC 5155 §8.4). */
export function deniesName(evidence: Nsec3Evidence, name: Name): Denial {
  return withChain(evidence, name, chain => {
    const encloser = chain.closestEncloser(name)
    if (encloser.kind !== 'encloser') return encloser
    const wildcard = wildcardOf(encloser.name)
    const place = chain.look(wildcard)
    if (place === 'over-budget') return overBudget
    if (place.spanning.length === 0)
      return chain.fail(`No NSEC3 record shows that ${said(wildcard)} does not exist.`)
    return encloser.isOptOut ? optOut : proven
  })
}

/**
 * The name exists, or a wildcard stands in for it, and has no record of the type, nor a CNAME that would lead on (RFC 5155 §8.5 to §8.7).
 *
 * When nothing of the sort is shown but the next closer name lies in a span of opt-out, it is `opt-out` for every type, not for DS alone: an empty
 * non-terminal above nothing but unsigned delegations has no record (erratum 3441 to §8.5, verified). It gives nothing away: who can show that span can as well
 * show an unsigned delegation there.
 */
export function deniesType(evidence: Nsec3Evidence, name: Name, type: number): Denial {
  return withChain(evidence, name, chain => {
    if (isQueryType(type))
      return chain.fail(`No NSEC3 record lists ${typeName(type)}, whether there is any or not.`)
    const place = chain.look(name)
    if (place === 'over-budget') return overBudget
    if (place.matching.length > 0) return chain.faultOfTypes(name, place.matching, type, 'matched') ?? proven
    const encloser = chain.closestEncloser(name)
    if (encloser.kind !== 'encloser') return encloser
    const wildcard = wildcardOf(encloser.name)
    const standIn = chain.look(wildcard)
    if (standIn === 'over-budget') return overBudget
    const fault = chain.faultOfTypes(wildcard, standIn.matching, type, 'synthesized')
    if (fault !== null) return fault
    if (encloser.isOptOut) return optOut
    if (standIn.matching.length > 0) return proven
    return chain.fail(`${said(name)} does not exist, and no NSEC3 record says which types ${said(wildcard)} has.`)
  })
}

/**
 * A positive answer was made of a wildcard, and rightly: no closer match exists (RFC 5155 §8.8).
 *
 * @param wildcardLabels labels of the wildcard's owner without the asterisk, as its RRSIG says (RFC 4034 §3.1.3): those of the closest encloser.
 */
export function deniesWildcardExpansion(evidence: Nsec3Evidence, name: Name, wildcardLabels: number): Denial {
  return withChain(evidence, name, chain => {
    const nextCloser = nextCloserName(evidence.zone, name, wildcardLabels)
    if (nextCloser === null)
      return chain.fail(`No wildcard with ${wildcardLabels} labels can stand in for ${said(name)}.`)
    const place = chain.look(nextCloser)
    if (place === 'over-budget') return overBudget
    if (place.spanning.length === 0)
      return chain.fail(
        `No NSEC3 record shows that ${said(nextCloser)} does not exist, so that a wildcard may stand in for it.`,
      )
    return place.spanning.some(isOptOut) ? optOut : proven
  })
}

/** What the zone says of a delegation at `name` (RFC 5155 §8.6, §8.9): `proven` that it is unsigned, `opt-out` that it may be one, `not-delegated`. */
export function deniesDs(evidence: Nsec3Evidence, name: Name): NoDs {
  return withChain<NoDs>(evidence, name, chain => {
    const place = chain.look(name)
    if (place === 'over-budget') return overBudget
    if (place.matching.length > 0) {
      const fault = chain.faultOfTypes(name, place.matching, typeNumbers.DS, 'matched')
      if (fault !== null) return fault
      return place.matching.every(isDelegation) ? proven : notDelegated
    }
    const encloser = chain.closestEncloser(name)
    if (encloser.kind !== 'encloser') return encloser
    // A wildcard does not matter: it makes no delegations (RFC 4592 §4.2).
    return encloser.isOptOut ? optOut : notDelegated
  })
}

/** The hash of RFC 5155 §5: SHA-1 of the name in canonical form and the salt, then as often as said of the hash and the salt. */
export function nsec3Hash(name: Name, salt: Uint8Array, iterations: number): Uint8Array {
  let hashed: Uint8Array = canonicalNameBytes(name)
  for (let round = 0; round <= iterations; round++)
    hashed = digest('sha1', Buffer.concat([hashed, salt]), 'buffer')
  return hashed
}

/** What one hash costs: blocks of 64 bytes that SHA-1 works through, with the nine bytes it adds. */
export function nsec3HashBlocks(nameBytes: number, saltBytes: number, iterations: number): number {
  const blocks = (bytes: number) => Math.ceil((bytes + 9) / 64)
  return blocks(nameBytes + saltBytes) + iterations * blocks(sha1Bytes + saltBytes)
}

/** The records that can say anything in this zone, and how to ask them. */
interface Chain {
  look(name: Name): Place | 'over-budget'
  /** RFC 5155 §8.3. */
  closestEncloser(name: Name): Encloser | Unproven
  faultOfTypes(
    owner: Name,
    matching: readonly Nsec3[],
    type: number,
    use: 'matched' | 'synthesized',
  ): Unproven | null
  fail(detail: string): Unproven
}

/** Where the hash of a name is in the chain. */
interface Place {
  readonly matching: readonly Nsec3[]
  readonly spanning: readonly Nsec3[]
}

interface Encloser {
  readonly kind: 'encloser'
  readonly name: Name
  /** The next closer name may be an unsigned delegation. */
  readonly isOptOut: boolean
}

function withChain<Result extends NoDs>(
  evidence: Nsec3Evidence,
  name: Name,
  prove: (chain: Chain) => Result,
): Result | Denial {
  const { zone, records, budget } = evidence
  if (!isAtOrBelow(name, zone))
    return unproven('dnssec.denial-of-wrong-zone', `${said(name)} is not in the zone ${said(zone)}.`)
  const own = records.filter(record => equalNames(record.zone, zone))
  const known = own.filter(isKnown)
  const [first] = known
  if (first === undefined) {
    if (own.length < records.length)
      return unproven(
        'dnssec.denial-of-wrong-zone',
        `The NSEC3 records that came are not of the zone ${said(zone)}.`,
      )
    return unproven('dnssec.denial-unproven', `No NSEC3 record came that could be understood.`)
  }
  // RFC 5155 §8.2 allows it: one answer is made from one chain, and each further set of parameters would be hashed for again.
  if (!known.every(record => hasSameParameters(record, first)))
    return unproven(
      'dnssec.denial-unproven',
      `The NSEC3 records of ${nameInText(zone)} do not agree on salt and iterations.`,
    )
  if (first.iterations > maxNsec3Iterations) return tooManyIterations
  return prove(createChain(zone, known, first, budget, own.length < records.length ? 'with-strangers' : 'alone'))
}

function createChain(
  zone: Name,
  records: readonly Nsec3[],
  parameters: Nsec3,
  budget: DnssecBudget,
  company: 'alone' | 'with-strangers',
): Chain {
  const places = new Map<string, Place>()
  const fail = (detail: string) =>
    company === 'alone'
      ? unproven('dnssec.denial-unproven', detail)
      : unproven(
          'dnssec.denial-of-wrong-zone',
          `${detail} The NSEC3 records that came are not all of the zone ${said(zone)}.`,
        )

  const look = (name: Name): Place | 'over-budget' => {
    const key = nameKey(name)
    const known = places.get(key)
    if (known !== undefined) return known
    const hashed = paidHash(name, parameters, budget)
    if (hashed === null) return 'over-budget'
    const place = {
      matching: records.filter(record => Buffer.compare(record.hash, hashed) === 0),
      spanning: records.filter(record => isBetween(record, hashed)),
    }
    places.set(key, place)
    return place
  }

  const closestEncloser = (name: Name): Encloser | Unproven => {
    const itself = look(name)
    if (itself === 'over-budget') return overBudget
    if (itself.matching.length > 0) return fail(`${said(name)} exists.`)
    // From the longest: an ancestor that is shown to exist says that all above it do, and answers show no other.
    for (let labels = name.length - 1; labels >= zone.length; labels--) {
      const ancestor = name.slice(name.length - labels)
      const place = look(ancestor)
      if (place === 'over-budget') return overBudget
      if (place.matching.length === 0) continue
      const fault = faultOfEncloser(zone, ancestor, place.matching)
      if (fault !== null) return fault
      const nextCloser = name.slice(name.length - labels - 1)
      const next = look(nextCloser)
      if (next === 'over-budget') return overBudget
      if (next.spanning.length === 0) return fail(`No NSEC3 record shows that ${said(nextCloser)} does not exist.`)
      return { kind: 'encloser', name: ancestor, isOptOut: next.spanning.some(isOptOut) }
    }
    return fail(`No NSEC3 record shows which ancestor of ${said(name)} exists.`)
  }

  return {
    look,
    closestEncloser,
    faultOfTypes: (owner, matching, type, use) =>
      matching.map(record => faultOfType(zone, owner, record, type, use)).find(fault => fault !== null) ?? null,
    fail,
  }
}

/** RFC 5155 §8.3, last paragraph: what is below a delegation or a DNAME is not the zone's, and another zone's apex does not count. */
function faultOfEncloser(zone: Name, name: Name, matching: readonly Nsec3[]): Unproven | null {
  if (!matching.every(record => isOfZone(zone, name, record)))
    return unproven('dnssec.denial-of-wrong-zone', `The record at ${said(name)} is not of the zone ${said(zone)}.`)
  if (!matching.some(hidesBelow)) return null
  const why = matching.some(isDelegation) ? 'which is delegated' : 'which is a DNAME'
  return unproven('dnssec.denial-of-wrong-zone', `${said(zone)} cannot say what is below ${said(name)}, ${why}.`)
}

function paidHash(name: Name, { salt, iterations }: Nsec3, budget: DnssecBudget): Uint8Array | null {
  const paid = hashesPaid.get(budget) ?? new Map<string, Uint8Array>()
  hashesPaid.set(budget, paid)
  const key = `${iterations} ${Buffer.from(salt).toString('hex')} ${nameKey(name)}`
  const known = paid.get(key)
  // What is paid costs nothing more; but once a budget has refused anything, it refuses everything.
  const blocks = known === undefined ? nsec3HashBlocks(wireLength(name), salt.length, iterations) : 0
  if (!budget.spend('nsec3-hashes', blocks)) return null
  if (known !== undefined) return known
  const hashed = nsec3Hash(name, salt, iterations)
  paid.set(key, hashed)
  return hashed
}

/** RFC 5155 §8.1, §8.2: others are ignored. */
function isKnown({ algorithm, flags, hash, nextHash }: Nsec3): boolean {
  return (
    algorithm === sha1 &&
    (flags === 0 || flags === optOutFlag) &&
    hash.length === sha1Bytes &&
    nextHash.length === sha1Bytes
  )
}

function hasSameParameters(one: Nsec3, other: Nsec3): boolean {
  return one.iterations === other.iterations && Buffer.compare(one.salt, other.salt) === 0
}

function isOptOut({ flags }: Nsec3): boolean {
  return flags === optOutFlag
}

/** Whether a hash lies after the record's own and before the next: the last record leads back to the first, the only one to itself (RFC 5155 §3.1.7). */
function isBetween({ hash, nextHash }: Nsec3, hashed: Uint8Array): boolean {
  const isAfter = Buffer.compare(hash, hashed) < 0
  const isBefore = Buffer.compare(hashed, nextHash) < 0
  if (Buffer.compare(hash, nextHash) < 0) return isAfter && isBefore
  return isAfter || isBefore
}

const proven = { kind: 'proven' } as const
const optOut = { kind: 'opt-out' } as const
const tooManyIterations = { kind: 'too-many-iterations' } as const
const notDelegated = { kind: 'not-delegated' } as const
const overBudget = unproven(
  'dnssec.over-budget',
  'Checking the NSEC3 records takes more hashing than one question may cost.',
)

/** What was hashed for a question, and so paid: an answer is tried as more than one kind of denial, and zones are asked more than once. */
const hashesPaid = new WeakMap<DnssecBudget, Map<string, Uint8Array>>()

/** The only hash algorithm there is, and the only flag (RFC 5155 §11). */
const sha1 = 1
const sha1Bytes = 20
const optOutFlag = 1
