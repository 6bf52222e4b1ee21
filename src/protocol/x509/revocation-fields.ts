/** What revocation lists (RFC 5280 §5) and OCSP responses (RFC 6960 §4.2) have in common: signed parts, reasons, extensions. Read strictly, never throwing. */
import {
  content,
  type Der,
  enter,
  failHere,
  hasMore,
  isAtEnd,
  nextAs,
  nextBoolean,
  nextOctetsAsBits,
  nextOid,
  tags,
} from './der.ts'
import type { AlgorithmIdentifier, Extension, Oid } from './model.ts'
import { readAlgorithm } from './public-key.ts'

/** RFC 5280 §5.3.1. */
export type RevocationReason =
  | 'unspecified'
  | 'keyCompromise'
  | 'cACompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'removeFromCRL'
  | 'privilegeWithdrawn'
  | 'aACompromise'

/** Reads a CRLReason. Null: a number that stands for none; false, and a problem noted: no CRLReason. */
export function nextReason(der: Der): RevocationReason | null | false {
  if (!nextAs(der, enumeratedTag, 'the reason')) return false
  const octets = content(der)
  const number = octets[0] ?? 0x80
  if (octets.length !== 1 || number >= 0x80) return failHere(der, 'the reason is no number below 128')
  return reasons[number] ?? null
}

/** Reads signatureAlgorithm and signature, which follow what is signed. */
export function nextSignature(
  der: Der,
): { readonly signatureAlgorithm: AlgorithmIdentifier; readonly signature: Uint8Array } | null {
  if (!nextAs(der, tags.sequence, 'signatureAlgorithm')) return null
  const signatureAlgorithm = readAlgorithm(enter(der), 'signatureAlgorithm')
  if (signatureAlgorithm === null) return null
  const signature = nextOctetsAsBits(der, 'the signature')
  return signature === null ? null : { signatureAlgorithm, signature }
}

/**
 * Reads Extensions (RFC 5280 §4.1): at least one, each at most once.
 * @param der The content of the SEQUENCE.
 * @param take Is given each one, and its value to be read; answers false, with a problem noted, when it cannot be. What it leaves unread is not looked at.
 */
export function readExtensions(der: Der, take: (extension: Extension, value: Der) => boolean): boolean {
  if (!hasMore(der)) return failHere(der, 'a list of extensions is empty')
  const seen: Oid[] = []
  while (hasMore(der)) {
    if (!nextAs(der, tags.sequence, 'an extension')) return false
    const inside = enter(der)
    const oid = nextOid(inside, 'the identifier of an extension')
    if (oid === null) return false
    if (seen.includes(oid)) return failHere(der, `extension ${oid} is there more than once`)
    // No list or response in use has a quarter of this; it keeps the search above short.
    if (seen.push(oid) > maxExtensions) return failHere(der, `more than ${maxExtensions} extensions`)
    let critical = false
    if (hasMore(inside) && inside.reading.bytes[inside.at] === tags.boolean) {
      const written = nextBoolean(inside, 'critical')
      if (written === null) return false
      if (!written) return failHere(inside, 'critical is FALSE, which DER leaves out')
      critical = true
    }
    if (!nextAs(inside, tags.octetString, 'extnValue') || !isAtEnd(inside, 'extnValue')) return false
    if (!take({ oid, critical, value: content(inside) }, enter(inside))) return false
  }
  return true
}

/** Identifier octet of ENUMERATED, which nothing else here has. */
export const enumeratedTag = 0x0a

/** RFC 5280 §5.3.1, by number; 7 is not used. */
const reasons: readonly (RevocationReason | undefined)[] = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
]

const maxExtensions = 64
