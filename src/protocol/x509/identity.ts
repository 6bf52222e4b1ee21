/**
 * Whether a certificate carries a name that was asked for (RFC 9525 §6, RFC 7672 §3.2.3).
 *
 * Two sorts of identity: a DNS name (DNS-ID) and an address (IP-ID). The rules are strict on purpose:
 * - names are compared label by label as A-labels, without regard to ASCII case and to one last dot; a name with any other
 *   octet in it (NUL, blank, not ASCII) fits nothing, on either side;
 * - `*` stands for exactly one label, as the whole left-most one; its parent has two labels or more and is no public
 *   suffix (RFC 9525 §7.1); it may stand for an `xn--` label, and never for a part of one;
 * - an address fits only an iPAddress of the same octets, never a DNS name or common name that looks like one;
 * - the subject's common name counts only where the caller says so, and then only when there is no DNS-ID at all.
 *
 * It looks at one certificate: not at its path, its dates, or name constraints. The cost is one look-up for each name of the
 * certificate, however many references there are.
 */
import { formatIp, parseIp } from '../ip.ts'
import { commonNames } from './distinguished-name.ts'
import type { Certificate } from './model.ts'

export interface IdentityMatch {
  /** As it was asked for. */
  readonly reference: string
  /** The name of the certificate, as `presentedNames` shows it. */
  readonly presented: string
}

export interface IdentityOptions {
  /** The subject's common name: never (RFC 9525 §2), or when the certificate has no DNS-ID (RFC 7672 §3.2.3). */
  readonly cn: 'never' | 'if-no-dns-id'
  /** References that are addresses: held against iPAddress, or fitting nothing (TLSA records belong to names). */
  readonly ip: 'allow' | 'never'
  /** A name under which strangers register theirs. Asked with lower-case names of two labels or more. */
  readonly isPublicSuffix: (name: string) => boolean
}

export interface PresentedName {
  readonly type: 'dns' | 'ip' | 'email' | 'uri' | 'cn'
  readonly value: string
}

/**
 * The first of `references` that the certificate carries, and the first name that fits it; null when it carries none.
 * @param references DNS names as A-labels, or addresses: `192.0.2.1`, `[192.0.2.1]`, `2001:db8::1`, `[IPv6:2001:db8::1]`.
 *   What is neither fits nothing: a name in U-labels is to be converted by whoever took it from people.
 */
export function matchIdentity(
  references: readonly string[],
  certificate: Certificate,
  options: IdentityOptions,
): IdentityMatch | null {
  const wanted = indexReferences(references)
  let best: { readonly rank: number; readonly presented: string } | null = null
  for (const presented of identities(certificate, options.cn)) {
    const rank =
      typeof presented === 'string'
        ? rankOfName(presented, wanted, options.isPublicSuffix)
        : options.ip === 'allow' && isAddress(presented)
          ? wanted.addresses.get(formatIp(presented))
          : undefined
    if (rank === undefined || (best !== null && rank >= best.rank)) continue
    best = { rank, presented: typeof presented === 'string' ? asciiLowerCase(presented) : formatIp(presented) }
    if (rank === 0) break
  }
  if (best === null) return null
  return { reference: references[best.rank] ?? '', presented: best.presented }
}

/**
 * The names of a certificate for people and evidence: those of the extension in their order, then common names.
 * Lower case where names are compared so; addresses in canonical text. At most `mostNamesShown`, each of at most
 * `longestNameShown` characters; what does not fit, and what has no text form, is left out.
 */
export function presentedNames(certificate: Certificate): readonly PresentedName[] {
  const names: PresentedName[] = []
  for (const name of certificate.alternativeNames ?? []) {
    if (names.length === mostNamesShown) return names
    const shown = shownName(name.type, 'value' in name ? name.value : null)
    if (shown !== null) names.push(shown)
  }
  for (const value of commonNames(certificate.subject)) {
    if (names.length === mostNamesShown) return names
    const shown = shownName('cn', value)
    if (shown !== null) names.push(shown)
  }
  return names
}

/** What stands after the first label of a well-formed wildcard, ready to be compared; null for anything else. */
export function wildcardParent(presented: string): string | null {
  if (!presented.startsWith('*.') || presented.length > longestName + 1) return null
  return comparableName(presented.slice(2))
}

/** The octets of an address written plainly or as a literal of mail (RFC 5321 §4.1.3); null for anything else. */
function literalAddress(text: string): Uint8Array | null {
  const inner = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  return parseIp(/^ipv6:/i.test(inner) ? inner.slice(5) : inner)
}

interface WantedNames {
  /** Each to its place among the references: whole names, names less their first label, addresses in canonical text. */
  readonly names: ReadonlyMap<string, number>
  readonly parents: ReadonlyMap<string, number>
  readonly addresses: ReadonlyMap<string, number>
}

function indexReferences(references: readonly string[]): WantedNames {
  const names = new Map<string, number>()
  const parents = new Map<string, number>()
  const addresses = new Map<string, number>()
  const putFirst = (map: Map<string, number>, key: string, rank: number) => {
    if (!map.has(key)) map.set(key, rank)
  }
  for (const [rank, reference] of references.entries()) {
    const address = literalAddress(reference)
    if (address !== null) {
      putFirst(addresses, formatIp(address), rank)
      continue
    }
    const name = comparableName(reference)
    if (name === null) continue
    putFirst(names, name, rank)
    putFirst(parents, name.slice(name.indexOf('.') + 1), rank)
  }
  return { names, parents, addresses }
}

function rankOfName(
  presented: string,
  wanted: WantedNames,
  isPublicSuffix: (name: string) => boolean,
): number | undefined {
  if (!presented.startsWith('*.')) {
    const name = comparableName(presented)
    return name === null ? undefined : wanted.names.get(name)
  }
  const parent = wildcardParent(presented)
  if (parent === null || !parent.includes('.')) return undefined
  const rank = wanted.parents.get(parent)
  return rank === undefined || isPublicSuffix(parent) ? undefined : rank
}

/** DNS names and common names as texts, addresses as octets. Without a DNS-ID the common names stand in, if they may. */
function* identities(certificate: Certificate, cn: IdentityOptions['cn']): Generator<string | Uint8Array> {
  let hasDnsId = false
  for (const name of certificate.alternativeNames ?? []) {
    if (name.type === 'dns') hasDnsId = true
    if (name.type === 'dns' || name.type === 'ip') yield name.value
  }
  if (cn === 'never' || hasDnsId) return
  // An extension that cannot be read may well hold DNS-IDs: then nobody can say that there is none.
  if (certificate.alternativeNames === null && certificate.extensions.some(({ oid }) => oid === subjectAltName))
    return
  yield* commonNames(certificate.subject)
}

/**
 * A DNS name in the form in which it is compared: lower case, no last dot. Null unless each label is made of ASCII letters,
 * digits, `-` and `_` (which hosts on the Internet do have), and for a last label of digits only, which some programs would
 * take for an address.
 */
function comparableName(text: string): string | null {
  if (text.length > longestName + 1) return null
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  if (name.length > longestName || !/^[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/.test(name)) return null
  // Only now: toLowerCase turns some letters that are not ASCII into ASCII ones (KELVIN SIGN into k).
  return /(?:^|\.)[0-9]+$/.test(name) ? null : name.toLowerCase()
}

function shownName(type: string, value: unknown): PresentedName | null {
  if (type === 'ip')
    return value instanceof Uint8Array && isAddress(value) ? { type, value: formatIp(value) } : null
  if (typeof value !== 'string' || value.length > longestNameShown) return null
  if (type === 'dns') return { type, value: asciiLowerCase(value) }
  if (type === 'email' || type === 'uri' || type === 'cn') return { type, value }
  return null
}

function isAddress(octets: Uint8Array): boolean {
  return octets.length === 4 || octets.length === 16
}

function asciiLowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, letters => letters.toLowerCase())
}

/** Of a DNS name in text form without its last dot: RFC 1035 §3.1 counts 255 octets on the wire. */
const longestName = 253
const mostNamesShown = 1_000
const longestNameShown = 1_024
const subjectAltName = '2.5.29.17'
