/**
 * Whether a certificate carries one of the names that a plan accepts (RFC 9525 §6).
 *
 * Two sorts of identity: a DNS name (DNS-ID) and an address (IP-ID). The rules are strict on purpose:
 * - only subject alternative names count; the subject's common name never does (RFC 9525 §2);
 * - names are compared label by label as A-labels, without regard to case and to one last dot;
 * - `*` stands for exactly one label, as the whole left-most one; it never stands for an address, and never covers a
 *   public suffix such as `co.uk` (RFC 9525 §7.1);
 * - an address matches only an address of the certificate, never a DNS name that looks like one.
 *
 * It does not look at the path or at dates.
 */
import { canonicalIp } from '../protocol/ip.ts'
import type { CertificateEvidence } from './evidence.ts'
import type { ReferenceIdentifier } from './plan.ts'
import { isPublicSuffix } from './public-suffix.ts'

export type PresentedName = CertificateEvidence['names'][number]

export interface NameMatch {
  readonly reference: ReferenceIdentifier
  /** The name of the certificate that fitted, as it stands there. */
  readonly presented: string
}

/** The first of `references` that the certificate carries; null when it carries none. */
export function matchName(
  references: readonly ReferenceIdentifier[],
  presented: readonly PresentedName[],
): NameMatch | null {
  for (const reference of references) {
    const name = presented.find(candidate => fits(reference.name, candidate))
    if (name !== undefined) return { reference, presented: name.value }
  }
  return null
}

/** `192.0.2.1`, `[192.0.2.1]`, `[IPv6:2001:db8::1]`: the address alone in canonical text; null for anything else. */
export function literalAddress(name: string): string | null {
  const inner = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
  return canonicalIp(/^ipv6:/i.test(inner) ? inner.slice(5) : inner)
}

function fits(reference: string, presented: PresentedName): boolean {
  const address = literalAddress(reference)
  if (address !== null) return presented.type === 'ip' && canonicalIp(presented.value) === address
  if (presented.type !== 'dns') return false
  const wanted = labelsOf(reference)
  const offered = labelsOf(presented.value)
  if (wanted === null || offered === null || wanted.length !== offered.length) return false
  if (offered[0] === '*') {
    const parent = offered.slice(1)
    return !isPublicSuffix(parent.join('.')) && parent.every((label, index) => label === wanted[index + 1])
  }
  return offered.every((label, index) => label === wanted[index])
}

/** Lower-case labels; null unless each is made of letters, digits, `-` and `_` (or is a whole `*` at the left). */
function labelsOf(name: string): readonly string[] | null {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.')
  const areSound = labels.every(
    (label, index) => /^[a-z0-9_-]{1,63}$/.test(label) || (label === '*' && index === 0 && labels.length > 1),
  )
  return areSound ? labels : null
}
