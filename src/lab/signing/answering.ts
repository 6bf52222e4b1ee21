/**
 * What one zone says about one question: the records, an alias, or the right kind of "no", each with the records that prove it (RFC 4035 §3.1, RFC 5155 §7.2,
 * RFC 6672 §3.2, RFC 9824).
 *
 * Looks at nothing but the zone; what is in another zone is said to be so. Following aliases and choosing zones is signed-world.ts.
 */
import { nameBytes, type ResourceRecord } from '../../protocol/dns/message.ts'
import { equalNames, isAtOrBelow, maxNameBytes, type Name, wireLength } from '../../protocol/dns/name.ts'
import { classInternet, typeNumbers } from '../../protocol/dns/numbers.ts'
import { nsecRecord } from './denial.ts'
import type { LabRrset, LabZone } from './sign-zone.ts'

export type ZoneReply =
  | {
      readonly kind: 'records' | 'no-data' | 'no-such-name'
      readonly answers: readonly LabRrset[]
      readonly proofs: readonly Proof[]
    }
  | {
      readonly kind: 'alias'
      readonly answers: readonly LabRrset[]
      readonly proofs: readonly Proof[]
      readonly to: Name
    }
  /** The name is at or below a delegation. */
  | { readonly kind: 'elsewhere' }
  /** What a DNAME makes of the name is longer than a name may be (RFC 6672 §2.2). */
  | { readonly kind: 'too-long' }

/** Null: it would be needed, and the zone lacks it on purpose. */
type Proof = LabRrset | null

export function lookUpIn(zone: LabZone, name: Name, type: number): ZoneReply {
  const cut = zone.delegationOf(name)
  if (cut !== null && !(equalNames(cut, name) && type === typeNumbers.DS)) return { kind: 'elsewhere' }

  for (let from = name.length - zone.apex.length; from > 0; from--) {
    const dname = zone.rrset(name.slice(from), typeNumbers.DNAME)
    const target = dname?.records[0]
    if (dname !== null && target !== undefined) return throughDname(name, from, dname, target)
  }

  const types = zone.typesAt(name)
  if (types !== null) {
    const answers = wanted(zone, name, types, type)
    if (answers.length > 0) return { kind: 'records', answers, proofs: [] }
    const alias = zone.rrset(name, typeNumbers.CNAME)
    if (alias !== null) return { kind: 'alias', answers: [alias], proofs: [], to: targetOf(alias) }
    return { kind: 'no-data', answers: [], proofs: noDataProofs(zone, name) }
  }

  const encloser = closestEncloser(zone, name)
  const wildcard = [asterisk, ...encloser]
  const wildcardTypes = zone.typesAt(wildcard)
  if (wildcardTypes === null) {
    // RFC 9824 §3: that there is no such name is one of the types it says are there.
    if (zone.denial?.kind === 'compact')
      return { kind: 'no-data', answers: [], proofs: [compactProof(zone, name, [nxNameType])] }
    return { kind: 'no-such-name', answers: [], proofs: noNameProofs(zone, name, encloser) }
  }
  const proofs = wildcardProofs(zone, name, encloser)
  const found = wanted(zone, wildcard, wildcardTypes, type).map(set => expanded(zone, set, name))
  if (found.length > 0) return { kind: 'records', answers: found, proofs }
  const alias = zone.rrset(wildcard, typeNumbers.CNAME)
  if (alias !== null) return { kind: 'alias', answers: [expanded(zone, alias, name)], proofs, to: targetOf(alias) }
  return { kind: 'no-data', answers: [], proofs: wildcardNoDataProofs(zone, name, wildcard, encloser) }
}

/** The first name inside RDATA that begins with one. */
export function targetOf(set: LabRrset): Name {
  const rdata = set.records[0]?.rdata ?? new Uint8Array(1)
  const labels: Uint8Array[] = []
  for (let at = 0, length = rdata[0] ?? 0; length > 0; at += 1 + length, length = rdata[at] ?? 0)
    labels.push(rdata.subarray(at + 1, at + 1 + length))
  return labels
}

function wanted(zone: LabZone, name: Name, types: readonly number[], type: number): readonly LabRrset[] {
  const present = (each: number) => zone.rrset(name, each) ?? []
  if (type === typeNumbers.ANY) return types.flatMap(present)
  if (type !== typeNumbers.RRSIG) return [present(type)].flat()
  const signatures = types.flatMap(present).flatMap(set => set.signatures)
  return signatures.length === 0 ? [] : [{ name, type, records: signatures, signatures: [], isDamaged: false }]
}

function throughDname(name: Name, from: number, dname: LabRrset, record: ResourceRecord): ZoneReply {
  const to = [...name.slice(0, from), ...targetOf(dname)]
  if (wireLength(to) > maxNameBytes) return { kind: 'too-long' }
  const { ttlSeconds } = record
  const cname = { name, type: typeNumbers.CNAME, class: classInternet, ttlSeconds, rdata: nameBytes(to) }
  // RFC 6672 §5.3.1: it is made anew for each question, and not signed.
  const synthesised = { name, type: typeNumbers.CNAME, records: [cname], signatures: [], isDamaged: false }
  return { kind: 'alias', answers: [dname, synthesised], proofs: [], to }
}

/** RFC 4035 §3.1.3.3: the owner is the name that was asked for, in the signatures as well; their count of labels tells. */
function expanded(zone: LabZone, set: LabRrset, name: Name): LabRrset {
  const owned = (records: readonly ResourceRecord[]) => records.map(record => ({ ...record, name }))
  if (zone.denial?.kind === 'compact') {
    const records = owned(set.records)
    return { ...set, name, records, signatures: zone.sign(records) }
  }
  return { ...set, name, records: owned(set.records), signatures: owned(set.signatures) }
}

function closestEncloser(zone: LabZone, name: Name): Name {
  for (let from = 1; from <= name.length - zone.apex.length; from++)
    if (zone.typesAt(name.slice(from)) !== null) return name.slice(from)
  return zone.apex
}

/** For NSEC3 one that has a record: names that lead to opted-out delegations alone have none (RFC 5155 §7.2.4). */
function provenEncloser(zone: LabZone, name: Name): { readonly encloser: Name; readonly nextCloser: Name } {
  for (let from = 1; from <= name.length - zone.apex.length; from++)
    if (zone.chain?.match(name.slice(from)) != null)
      return { encloser: name.slice(from), nextCloser: name.slice(from - 1) }
  throw new Error('the apex has a record in its chain')
}

function noDataProofs(zone: LabZone, name: Name): readonly Proof[] {
  const { chain, denial } = zone
  if (denial?.kind === 'compact') return [compactProof(zone, name, zone.typesAt(name) ?? [])]
  if (chain === null) return []
  const own = chain.match(name)
  if (own !== null) return shown(zone, [own])
  // RFC 4035 §3.1.3.2: a name that is empty has no NSEC; the span it lies in ends below it.
  if (denial?.kind === 'nsec') return shown(zone, [chain.cover(name)])
  const { encloser, nextCloser } = provenEncloser(zone, name)
  return shown(zone, [chain.match(encloser), chain.cover(nextCloser)])
}

function noNameProofs(zone: LabZone, name: Name, encloser: Name): readonly Proof[] {
  const { chain, denial } = zone
  if (chain === null) return []
  if (denial?.kind === 'nsec') return shown(zone, [chain.cover(name), chain.cover([asterisk, ...encloser])])
  const proven = provenEncloser(zone, name)
  return shown(zone, [
    chain.match(proven.encloser),
    chain.cover(proven.nextCloser),
    chain.cover([asterisk, ...proven.encloser]),
  ])
}

/** That the name itself is not there, so that the wildcard may speak for it. */
function wildcardProofs(zone: LabZone, name: Name, encloser: Name): readonly Proof[] {
  const { chain, denial } = zone
  if (chain === null) return []
  return shown(zone, [chain.cover(denial?.kind === 'nsec' ? name : nextCloserOf(name, encloser))])
}

function wildcardNoDataProofs(zone: LabZone, name: Name, wildcard: Name, encloser: Name): readonly Proof[] {
  const { chain, denial } = zone
  if (denial?.kind === 'compact') return [compactProof(zone, name, zone.typesAt(wildcard) ?? [])]
  if (chain === null) return []
  const atWildcard = chain.match(wildcard) ?? chain.cover(wildcard)
  if (denial?.kind === 'nsec') return shown(zone, [atWildcard, chain.cover(name)])
  return shown(zone, [chain.match(encloser), chain.cover(nextCloserOf(name, encloser)), atWildcard])
}

const nextCloserOf = (name: Name, encloser: Name): Name => name.slice(name.length - encloser.length - 1)

/** Each once, as one record often proves two things. */
function shown(zone: LabZone, records: readonly (ResourceRecord | null)[]): readonly Proof[] {
  return [...new Set(records)].map(record => (record === null ? null : zone.proof(record)))
}

function compactProof(zone: LabZone, name: Name, types: readonly number[]): LabRrset {
  const next = [Uint8Array.of(0), ...name]
  const all = [...types, typeNumbers.RRSIG, typeNumbers.NSEC]
  const record = nsecRecord(name, next, all, zone.negativeTtlSeconds)
  return { name, type: typeNumbers.NSEC, records: [record], signatures: zone.sign([record]), isDamaged: false }
}

/** Whether a zone could hold this question's answer: of DS it is the parent's (RFC 4035 §3.1.4.1). */
export function isAnsweredBy(zone: LabZone, name: Name, type: number): boolean {
  if (!isAtOrBelow(name, zone.apex)) return false
  return type !== typeNumbers.DS || zone.apex.length === 0 || !equalNames(zone.apex, name)
}

const asterisk = Uint8Array.of(0x2a)
/** NXNAME (RFC 9824 §3.4). */
const nxNameType = 128
