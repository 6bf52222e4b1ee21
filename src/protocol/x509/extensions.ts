/**
 * The contents of the extensions that decisions rest on (RFC 5280 §4.2.1), read from `der`, the octets inside extnValue.
 *
 * Each reader answers the decoded value, or null with a problem noted when the octets are not exactly one value of its type in DER: a DEFAULT that is written
 * out, a list that may not be empty and is, anything behind the value. What the value means for a path is not decided here.
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
  nextBoolean,
  nextCount,
  nextIf,
  nextNamedBits,
  nextOid,
  tags,
} from './der.ts'
import { nextGeneralName, readGeneralNames } from './general-name.ts'
import type { AuthorityKeyIdentifier, Certificate, GeneralName, KeyUsage, NameConstraints, Oid } from './model.ts'

/** RFC 5280 §4.2.1.9. A path length is read whether or not this is an authority. */
export function readBasicConstraints(der: Der): Certificate['basicConstraints'] {
  const what = 'basicConstraints'
  const inside = onlySequence(der, what)
  if (inside === null) return null
  let isCa = false
  if (isNext(inside, tags.boolean)) {
    const written = nextBoolean(inside, 'cA')
    if (written === null) return null
    if (!written) return broken(inside, 'cA is FALSE, which DER leaves out')
    isCa = true
  }
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
  if (bits.length === 0) return broken(der, 'keyUsage is empty')
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

/** RFC 5280 §4.2.1.10: minimum is always 0, which DER leaves out, and maximum is not used. */
function readSubtrees(der: Der): readonly GeneralName[] | null {
  const bases: GeneralName[] = []
  if (!hasMore(der)) return broken(der, 'a list of subtrees is empty')
  while (hasMore(der)) {
    if (!nextAs(der, tags.sequence, 'a subtree')) return null
    const inside = enter(der)
    const base = nextGeneralName(inside)
    if (base === null || !isAtEnd(inside, 'the base of a subtree')) return null
    bases.push(base)
  }
  return bases
}

/** The content of the one SEQUENCE that is there. */
function onlySequence(der: Der, what: string): Der | null {
  return nextAs(der, tags.sequence, what) && isAtEnd(der, what) ? enter(der) : null
}

function isNext(der: Der, tag: number): boolean {
  return hasMore(der) && der.reading.bytes[der.at] === tag
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
