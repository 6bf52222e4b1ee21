/**
 * The contents of the extensions that decisions rest on (RFC 5280 §4.2.1), read from `der`, the octets inside extnValue.
 *
 * Each reader answers the decoded value, or null with a problem noted when the octets are not exactly one value of its type: a list that may not be empty and is,
 * anything behind the value. A DEFAULT that is written out is an oddity (der.ts). What the value means for a path is not decided here.
 *
 * Of extensions that no decision rests on it is asked only whether they can be read.
 */
import {
  content,
  context,
  type Der,
  enter,
  failHere,
  hasMore,
  isAtEnd,
  nextAs,
  nextCount,
  nextFlag,
  nextIf,
  nextNamedBits,
  nextOid,
  noteOddity,
  tags,
} from './der.ts'
import { nextGeneralName, readGeneralNames } from './general-name.ts'
import { readPointName } from './informational.ts'
import type { AuthorityKeyIdentifier, Certificate, GeneralName, KeyUsage, NameConstraints, Oid } from './model.ts'

/** RFC 5280 §4.2.1.9. A path length is read whether or not this is an authority. */
export function readBasicConstraints(der: Der): Certificate['basicConstraints'] {
  const what = 'basicConstraints'
  const inside = onlySequence(der, what)
  if (inside === null) return null
  const isCa = nextFlag(inside, 'cA')
  if (isCa === null) return null
  let pathLength: number | null = null
  if (hasMore(inside)) {
    pathLength = nextCount(inside, 'pathLenConstraint')
    if (pathLength === null) return null
  }
  return isAtEnd(inside, what) ? { isCa, pathLength } : null
}

/** RFC 5280 §4.2.1.3: at least one bit is set. Bits without a name are passed over. */
export function readKeyUsage(der: Der): ReadonlySet<KeyUsage> | null {
  const bits = nextNamedBits(der, 'keyUsage')
  if (bits === null || !isAtEnd(der, 'keyUsage')) return null
  if (bits.every(octet => octet === 0)) return broken(der, 'keyUsage is empty')
  const usages = new Set<KeyUsage>()
  for (const [index, usage] of keyUsageBits.entries())
    if (((bits[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0) usages.add(usage)
  return usages
}

/** RFC 5280 §4.2.1.12: at least one purpose. */
export function readExtendedKeyUsage(der: Der): readonly Oid[] | null {
  const inside = onlySequence(der, 'extKeyUsage')
  if (inside === null) return null
  if (!hasMore(inside)) return broken(der, 'extKeyUsage is empty')
  const purposes: Oid[] = []
  while (hasMore(inside)) {
    const purpose = nextOid(inside, 'a purpose')
    if (purpose === null) return null
    purposes.push(purpose)
  }
  return purposes
}

/** RFC 5280 §4.2.1.6. */
export function readAlternativeNames(der: Der): readonly GeneralName[] | null {
  const inside = onlySequence(der, 'subjectAltName')
  return inside === null ? null : readGeneralNames(inside, 'subjectAltName')
}

/** RFC 5280 §4.2.1.10. Both lists are empty when the extension holds neither. */
export function readNameConstraints(der: Der): NameConstraints | null {
  const what = 'nameConstraints'
  const inside = onlySequence(der, what)
  if (inside === null) return null
  const permitted = nextIf(inside, context.constructed(0)) ? readSubtrees(enter(inside)) : []
  const excluded = nextIf(inside, context.constructed(1)) ? readSubtrees(enter(inside)) : []
  if (permitted === null || excluded === null || !isAtEnd(inside, what)) return null
  return { permitted, excluded }
}

/** RFC 5280 §4.2.1.2. */
export function readSubjectKeyIdentifier(der: Der): Uint8Array | null {
  const what = 'subjectKeyIdentifier'
  return nextAs(der, tags.octetString, what) && isAtEnd(der, what) ? content(der) : null
}

/** RFC 5280 §4.2.1.1. */
export function readAuthorityKeyIdentifier(der: Der): AuthorityKeyIdentifier | null {
  const what = 'authorityKeyIdentifier'
  const inside = onlySequence(der, what)
  if (inside === null) return null
  const keyIdentifier = nextIf(inside, context.primitive(0)) ? content(inside) : null
  const hasIssuer = nextIf(inside, context.constructed(1))
  if (hasIssuer && readGeneralNames(enter(inside), 'authorityCertIssuer') === null) return null
  const hasSerial = nextIf(inside, context.primitive(2))
  return isAtEnd(inside, what) ? { keyIdentifier, hasIssuerAndSerial: hasIssuer || hasSerial } : null
}

/** RFC 5280 §4.2.2.1: at least one description. */
export function isAuthorityInformation(der: Der): boolean {
  const inside = onlySequence(der, 'authorityInfoAccess')
  if (inside === null) return false
  if (!hasMore(inside)) return failHere(der, 'authorityInfoAccess is empty')
  while (hasMore(inside)) {
    if (!nextAs(inside, tags.sequence, 'an access description')) return false
    const description = enter(inside)
    if (nextOid(description, 'an access method') === null || nextGeneralName(description) === null) return false
    if (!isAtEnd(description, 'an access location')) return false
  }
  return true
}

/** RFC 5280 §4.2.1.13: at least one point. */
export function isDistributionPoints(der: Der): boolean {
  const inside = onlySequence(der, 'cRLDistributionPoints')
  if (inside === null) return false
  if (!hasMore(inside)) return failHere(der, 'cRLDistributionPoints is empty')
  while (hasMore(inside)) {
    if (!nextAs(inside, tags.sequence, 'a distribution point')) return false
    const point = enter(inside)
    if (nextIf(point, context.constructed(0)) && readPointName(enter(point)) === null) return false
    nextIf(point, context.primitive(1))
    if (nextIf(point, context.constructed(2)) && readGeneralNames(enter(point), 'cRLIssuer') === null) return false
    if (!isAtEnd(point, 'a distribution point')) return false
  }
  return true
}

/** RFC 6962 §3.3: an OCTET STRING with a list in the encoding of TLS, at least one timestamp in it; the timestamps themselves are not looked into. */
export function isTimestampList(der: Der): boolean {
  const what = 'the list of timestamps'
  if (!nextAs(der, tags.octetString, what) || !isAtEnd(der, what)) return false
  const { bytes } = der.reading
  const lengthAt = (at: number) => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
  let at = der.from + 2
  if (der.at - at < 3 || lengthAt(der.from) !== der.at - at) return failHere(der, `the length of ${what} is wrong`)
  while (at < der.at) {
    const length = lengthAt(at)
    if (length === 0 || der.at - at - 2 < length) return failHere(der, 'a timestamp is empty, or cut off')
    at += 2 + length
  }
  return true
}

/** RFC 5280 §4.2.1.10: minimum is always 0, which DER leaves out, and maximum is not used. */
function readSubtrees(der: Der): readonly GeneralName[] | null {
  const bases: GeneralName[] = []
  if (!hasMore(der)) return broken(der, 'a list of subtrees is empty')
  while (hasMore(der)) {
    if (!nextAs(der, tags.sequence, 'a subtree')) return null
    const inside = enter(der)
    const base = nextGeneralName(inside)
    if (base === null) return null
    if (nextIf(inside, context.primitive(0))) {
      const [minimum, more] = content(inside)
      if (minimum !== 0 || more !== undefined) return broken(inside, 'the minimum of a subtree is not 0')
      noteOddity(inside, 'the minimum of a subtree is 0, and written out')
    }
    if (!isAtEnd(inside, 'the base of a subtree')) return null
    bases.push(base)
  }
  return bases
}

/** The content of the one SEQUENCE that is there. */
function onlySequence(der: Der, what: string): Der | null {
  return nextAs(der, tags.sequence, what) && isAtEnd(der, what) ? enter(der) : null
}

function broken(der: Der, problem: string): null {
  failHere(der, problem)
  return null
}

const keyUsageBits: readonly KeyUsage[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
]
