/**
 * What holds for NSEC and NSEC3 records alike: which names take part in a proof, and what the types at a name say about whose record it is
 * (RFC 4035 §5.4, RFC 5155 §8, RFC 6840 §4).
 */
import { equalNames, formatName, type Name } from '../dns/name.ts'
import { typeName, typeNumbers } from '../dns/numbers.ts'
import type { Unproven } from './denial-types.ts'
import type { BogusReason } from './reasons.ts'
import type { TypeSet } from './types.ts'

/** A record of a denial, for its types. */
export interface Typed {
  readonly types: TypeSet
}

/** NS without SOA: the parent's side of a zone cut (RFC 6840 §4.1). */
export function isDelegation({ types }: Typed): boolean {
  return types.has(typeNumbers.NS) && !types.has(typeNumbers.SOA)
}

/** RFC 6840 §4.1: what is below a delegation or a DNAME is not for this zone to deny. */
export function hidesBelow(record: Typed): boolean {
  return isDelegation(record) || record.types.has(typeNumbers.DNAME)
}

/** Whether a record at `owner` is the zone's own: its apex has the SOA, and nothing else has. At a cut, parent and child have one record each. */
export function isOfZone(zone: Name, owner: Name, { types }: Typed): boolean {
  return types.has(typeNumbers.SOA) === equalNames(owner, zone)
}

/** Types that are asked for and never stored (RFC 6895 §3.1): a bitmap says nothing about them (RFC 4034 §4.1.2). */
export function isQueryType(type: number): boolean {
  return type === 0 || type === typeNumbers.OPT || (type >= 128 && type <= 255)
}

/**
 * Why a record does not deny the type at the name it stands at; null when it does.
 *
 * @param use whether it stands at the name asked for, or at the wildcard that the name would be made from.
 */
export function faultOfType(
  zone: Name,
  owner: Name,
  { types }: Typed,
  type: number,
  use: 'matched' | 'synthesized',
): Unproven | null {
  // The DS of a zone is its parent's (RFC 4035 §2.4): no record of the zone itself speaks of it.
  if (type === typeNumbers.DS && equalNames(owner, zone))
    return unproven(
      'dnssec.denial-of-wrong-zone',
      `Whether ${said(zone)} has a DS is for its parent to say, not for itself.`,
    )
  if (!isOfZone(zone, owner, { types }))
    return unproven(
      'dnssec.denial-of-wrong-zone',
      `The record at ${said(owner)} is not of the zone ${said(zone)}.`,
    )
  // No delegation is made from a wildcard (RFC 4592 §4.2), so one at a wildcard denies not even a DS.
  if (isDelegation({ types }) && (type !== typeNumbers.DS || use === 'synthesized'))
    return unproven(
      'dnssec.denial-of-wrong-zone',
      `${said(owner)} is delegated, and which types it has is not for ${said(zone)} to say.`,
    )
  if (types.has(type))
    return unproven('dnssec.denial-unproven', `${said(owner)} has records of type ${typeName(type)}.`)
  // RFC 6840 §4.3: an alias is followed, and the type is to be denied where it leads.
  if (types.has(typeNumbers.CNAME)) return unproven('dnssec.denial-unproven', `${said(owner)} is an alias.`)
  return null
}

/**
 * The name one label longer than the closest encloser (RFC 5155 §1.3); null when the encloser would be outside the zone, or the name itself.
 *
 * @param encloserLabels how many labels the closest encloser has.
 */
export function nextCloserName(zone: Name, name: Name, encloserLabels: number): Name | null {
  if (encloserLabels < zone.length || encloserLabels >= name.length) return null
  return name.slice(name.length - encloserLabels - 1)
}

/** The wildcard directly below a name (RFC 4592 §2.1.1). */
export function wildcardOf(name: Name): Name {
  return [asterisk, ...name]
}

export function unproven(reason: BogusReason, detail: string): Unproven {
  return { kind: 'unproven', reason, detail }
}

/** A name for a sentence: the root is a dot. */
export function said(name: Name): string {
  return name.length === 0 ? '.' : formatName(name)
}

/** `the root`, or the name, in the middle of a sentence: a dot would be taken for the end of it. */
export function nameInText(name: Name): string {
  return name.length === 0 ? 'the root' : formatName(name)
}

const asterisk = Uint8Array.of(0x2a)
