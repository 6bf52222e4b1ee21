/**
 * Revocation lists from bytes (CRL, RFC 5280 §5), looked through for certain serial numbers.
 *
 * Success means that the whole list is what its ASN.1 says, in DER, every entry included, and that nothing follows. Of the entries only those with a serial number
 * that was asked for are kept, so that memory does not grow with the list. No signature is checked, and nothing is decided here: a list may be of another
 * issuer, cover only some certificates or be out of date, and what tells so stands in the answer.
 *
 * Time is linear in the octets.
 */
import {
  content,
  context,
  type Der,
  enter,
  fail,
  failHere,
  hasMore,
  isAtEnd,
  isMinimalInteger,
  latin1,
  nextAs,
  nextIf,
  nextTime,
  openDer,
  tags,
  takeProblem,
  whole,
} from './der.ts'
import { isName, nameKey } from './distinguished-name.ts'
import { readGeneralNames } from './general-name.ts'
import { addressOf, readPointName } from './informational.ts'
import type { DistinguishedName, Oid } from './model.ts'
import { nextReason, nextSignature, type RevocationReason, readExtensions } from './revocation-fields.ts'
import type { Signed } from './signature.ts'

export interface RevocationList extends Signed {
  readonly issuer: DistinguishedName
  /** Milliseconds since 1970. */
  readonly thisUpdateMs: number
  /** When the next list comes at the latest; null: it does not say. */
  readonly nextUpdateMs: number | null
  /** cRLNumber, in decimal digits; null: it has none. */
  readonly number: string | null
  /** How many entries it has in all. */
  readonly entries: number
  readonly scope: RevocationScope
  /** Critical extensions, of the list or of an entry, that are not understood here: it must not be believed about any certificate (RFC 5280 §5.2, §5.3). */
  readonly unknownCritical: readonly Oid[]
  /** The entries with a serial number that was asked for, one for each number and issuer. */
  readonly found: readonly RevokedEntry[]
}

/** What the list is about (RFC 5280 §5.2.4, §5.2.5). A list without these extensions is about all certificates of its issuer. */
export interface RevocationScope {
  /** It has only what changed since another list. */
  readonly isDelta: boolean
  /** Only for certificates that name one of these addresses as theirs; null: for all. */
  readonly points: readonly string[] | null
  readonly only: 'leaves' | 'authorities' | 'attribute-certificates' | null
  /** It leaves some reasons out. */
  readonly hasOnlySomeReasons: boolean
  /** It has entries of other issuers too. */
  readonly isIndirect: boolean
}

export interface RevokedEntry {
  /** Content octets. */
  readonly serial: Uint8Array
  /** Of the certificate: the list's own issuer, unless the list is indirect. */
  readonly issuer: DistinguishedName
  readonly revokedAtMs: number
  /** Null: not told. */
  readonly reason: RevocationReason | null
}

export type RevocationListRead =
  | { readonly kind: 'list'; readonly list: RevocationList }
  | { readonly kind: 'malformed'; readonly detail: string }

/** More than any authority's list that mail servers are likely to be in; room for some 400,000 entries. */
export const maxRevocationListBytes = 16 * 1024 * 1024

/**
 * @param der The octets of one list. Must not change as long as the result is used.
 * @param serials Content octets of the serial numbers to look for.
 */
export function parseRevocationList(der: Uint8Array, serials: readonly Uint8Array[]): RevocationListRead {
  return parseCountedList(der, serials).read
}

/** The same, and how many elements were read for it: what tests of growth count. */
export function parseCountedList(
  bytes: Uint8Array,
  serials: readonly Uint8Array[],
): { readonly read: RevocationListRead; readonly elements: number } {
  const der = openDer(bytes)
  const isTooLong = bytes.length > maxRevocationListBytes
  if (isTooLong) fail(der, `a revocation list of more than ${maxRevocationListBytes} octets`)
  const wanted = new Set(serials.map(serial => Buffer.from(serial).toString('latin1')))
  const list = isTooLong ? null : readList(der, wanted)
  const read: RevocationListRead =
    list === null ? { kind: 'malformed', detail: takeProblem(der) } : { kind: 'list', list }
  return { read, elements: der.reading.elements }
}

function readList(der: Der, wanted: ReadonlySet<string>): RevocationList | null {
  if (!nextAs(der, tags.sequence, 'the revocation list') || !isAtEnd(der, 'the revocation list')) return null
  const outer = enter(der)
  if (!nextAs(outer, tags.sequence, 'TBSCertList')) return null
  const tbs = whole(outer)
  const fields = enter(outer)
  const algorithmAt = outer.at
  const signed = nextSignature(outer)
  if (signed === null || !isAtEnd(outer, 'the signature')) return null

  // RFC 5280 §5.1.2.1: version 2 is written, version 1 is not.
  if (nextIf(fields, tags.integer) && !(content(fields).length === 1 && content(fields)[0] === 1))
    return broken(fields, 'the version is none of 1, 2')
  if (!nextAs(fields, tags.sequence, 'the inner signatureAlgorithm')) return null
  const inner = whole(fields)
  // RFC 5280 §5.1.1.2.
  if (Buffer.compare(inner, outer.reading.bytes.subarray(algorithmAt, algorithmAt + inner.length)) !== 0)
    return broken(fields, 'the signature algorithm in the signed part is not the one outside')
  if (!nextAs(fields, tags.sequence, 'issuer')) return null
  const issuer = { der: whole(fields) }
  if (!isName(enter(fields))) return null
  const thisUpdateMs = nextTime(fields, 'thisUpdate')
  if (thisUpdateMs === null) return null
  const hasNext = hasMore(fields) && timeTags.includes(fields.reading.bytes[fields.at] ?? 0)
  const nextUpdateMs = hasNext ? nextTime(fields, 'nextUpdate') : null
  if (hasNext && nextUpdateMs === null) return null

  const collected = { entries: 0, found: new Map<string, RevokedEntry>(), unknownCritical: new Set<Oid>() }
  if (nextIf(fields, tags.sequence) && !readEntries(enter(fields), issuer, wanted, collected)) return null
  const facts: ListFacts = { number: null, scope: wholeScope }
  if (nextIf(fields, context.constructed(0)) && !readListExtensions(enter(fields), facts, collected)) return null
  if (!isAtEnd(fields, 'the extensions')) return null
  return {
    tbs,
    ...signed,
    issuer,
    thisUpdateMs,
    nextUpdateMs,
    ...facts,
    entries: collected.entries,
    unknownCritical: [...collected.unknownCritical].slice(0, maxUnknownCritical),
    found: [...collected.found.values()],
  }
}

interface Collected {
  entries: number
  readonly found: Map<string, RevokedEntry>
  readonly unknownCritical: Set<Oid>
}

function readEntries(
  list: Der,
  listIssuer: DistinguishedName,
  wanted: ReadonlySet<string>,
  collected: Collected,
): boolean {
  let issuer = listIssuer
  while (hasMore(list)) {
    if (!nextAs(list, tags.sequence, 'an entry')) return false
    const entry = enter(list)
    if (!nextAs(entry, tags.integer, 'the serial number of an entry')) return false
    const { bytes } = entry.reading
    if (!isMinimalInteger(bytes, entry.from, entry.at))
      return failHere(entry, 'the serial number of an entry is not a minimal INTEGER')
    const serial = content(entry)
    const key = latin1(entry)
    const revokedAtMs = nextTime(entry, 'the date of an entry')
    if (revokedAtMs === null) return false
    const facts: EntryFacts = { reason: null, issuer: null }
    if (nextIf(entry, tags.sequence) && !readEntryExtensions(enter(entry), facts, collected)) return false
    if (!isAtEnd(entry, 'an entry')) return false
    // RFC 5280 §5.3.3: it holds for the entries that follow as well.
    issuer = facts.issuer ?? issuer
    collected.entries++
    if (!wanted.has(key)) continue
    const place = `${key} ${nameKey(issuer) ?? ''}`
    if (!collected.found.has(place))
      collected.found.set(place, { serial, issuer, revokedAtMs, reason: facts.reason })
  }
  return true
}

interface EntryFacts {
  reason: RevocationReason | null
  issuer: DistinguishedName | null
}

/** RFC 5280 §5.3. */
function readEntryExtensions(der: Der, facts: EntryFacts, { unknownCritical }: Collected): boolean {
  return readExtensions(der, ({ oid, critical }, value) => {
    switch (oid) {
      case oids.reasonCode: {
        const reason = nextReason(value)
        if (reason === false) return false
        facts.reason = reason
        return isAtEnd(value, 'the reason')
      }
      case oids.certificateIssuer: {
        if (!nextAs(value, tags.sequence, 'certificateIssuer') || !isAtEnd(value, 'certificateIssuer'))
          return false
        const name = readGeneralNames(enter(value), 'certificateIssuer')?.find(({ type }) => type === 'directory')
        if (name?.type !== 'directory') return failHere(value, 'certificateIssuer has no directory name')
        facts.issuer = name.value
        return true
      }
      case oids.invalidityDate:
        return nextTime(value, 'invalidityDate') !== null && isAtEnd(value, 'invalidityDate')
      default:
        if (critical && unknownCritical.size < maxUnknownCritical) unknownCritical.add(oid)
        return true
    }
  })
}

interface ListFacts {
  number: string | null
  scope: RevocationScope
}

/** RFC 5280 §5.2. @param der The content of `[0]`. */
function readListExtensions(der: Der, facts: ListFacts, { unknownCritical }: Collected): boolean {
  if (!nextAs(der, tags.sequence, 'the list of extensions') || !isAtEnd(der, 'the list of extensions'))
    return false
  return readExtensions(enter(der), ({ oid, critical }, value) => {
    switch (oid) {
      case oids.cRLNumber: {
        const number = readNumber(value, 'cRLNumber')
        facts.number = number
        return number !== null
      }
      case oids.deltaCRLIndicator:
        facts.scope = { ...facts.scope, isDelta: true }
        return readNumber(value, 'deltaCRLIndicator') !== null
      case oids.issuingDistributionPoint: {
        const scope = readScope(value)
        if (scope !== null) facts.scope = { ...scope, isDelta: facts.scope.isDelta }
        return scope !== null
      }
      // It says which of the issuer's keys signed, which is tried anyway.
      case oids.authorityKeyIdentifier:
        return true
      default:
        if (critical && unknownCritical.size < maxUnknownCritical) unknownCritical.add(oid)
        return true
    }
  })
}

/** An INTEGER that is not negative, of 20 octets at most (RFC 5280 §5.2.3), in decimal digits. */
function readNumber(der: Der, what: string): string | null {
  if (!nextAs(der, tags.integer, what) || !isAtEnd(der, what)) return null
  const octets = content(der)
  if (!isMinimalInteger(octets, 0, octets.length) || (octets[0] ?? 0) >= 0x80 || octets.length > maxNumberBytes)
    return broken(der, `${what} is negative, too long or not minimal`)
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`).toString()
}

/** RFC 5280 §5.2.5. */
function readScope(der: Der): RevocationScope | null {
  const what = 'issuingDistributionPoint'
  if (!nextAs(der, tags.sequence, what) || !isAtEnd(der, what)) return null
  const inside = enter(der)
  const names = nextIf(inside, context.constructed(0)) ? readPointName(enter(inside)) : 'all'
  const onlyLeaves = nextIfTrue(inside, 1)
  const onlyAuthorities = nextIfTrue(inside, 2)
  const hasOnlySomeReasons = nextIf(inside, context.primitive(3))
  const isIndirect = nextIfTrue(inside, 4)
  const onlyAttributes = nextIfTrue(inside, 5)
  if (names === null || onlyLeaves === null || onlyAuthorities === null) return null
  if (isIndirect === null || onlyAttributes === null || !isAtEnd(inside, what)) return null
  if (Number(onlyLeaves) + Number(onlyAuthorities) + Number(onlyAttributes) > 1)
    return broken(der, `${what} is about nothing: it is only for several kinds`)
  const only = onlyLeaves
    ? 'leaves'
    : onlyAuthorities
      ? 'authorities'
      : onlyAttributes
        ? 'attribute-certificates'
        : null
  return {
    isDelta: false,
    points: names === 'all' ? null : names.flatMap(addressOf),
    only,
    hasOnlySomeReasons,
    isIndirect,
  }
}

/** Reads `[number] IMPLICIT BOOLEAN DEFAULT FALSE`. Null, and a problem noted: it is there, and not TRUE. */
function nextIfTrue(der: Der, number: number): boolean | null {
  if (!nextIf(der, context.primitive(number))) return false
  const octets = content(der)
  return octets.length === 1 && octets[0] === 0xff
    ? true
    : broken(der, 'a field of issuingDistributionPoint is not TRUE')
}

function broken(der: Der, problem: string): null {
  failHere(der, problem)
  return null
}

const wholeScope: RevocationScope = {
  isDelta: false,
  points: null,
  only: null,
  hasOnlySomeReasons: false,
  isIndirect: false,
}

const timeTags: readonly number[] = [tags.utcTime, tags.generalizedTime]

/** RFC 5280 §5.2, §5.3. */
const oids = {
  cRLNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCRLIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  authorityKeyIdentifier: '2.5.29.35',
} as const satisfies Record<string, Oid>

/** RFC 5280 §5.2.3. */
const maxNumberBytes = 20
/** Enough for the message; one is enough to disbelieve. */
const maxUnknownCritical = 8
