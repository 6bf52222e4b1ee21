/**
 * Mail addresses as SMTP carries them (RFC 5321 §4.1.2, RFC 6531 §3.3): `local@domain`, where domain is a DNS name
 * in A-labels and lower case, or an address literal.
 *
 * Success means the text is a mailbox by the RFC's grammar, within its size limits (RFC 5321 §4.5.3.1.2, §4.5.3.1.3). It does not mean that the mailbox exists.
 * Local parts over the 64 octets of RFC 5321 §4.5.3.1.1 are accepted as far as the path allows: senders rewritten by forwarders (SRS, VERP) are longer,
 * and RFC 5321 §4.5.3.1 asks for as few limits as possible.
 */
import { domainToASCII } from 'node:url'
import { canonicalIp } from '../ip.ts'

/** A parsed forward- or reverse-path. */
export interface Path {
  /** The local part as it goes on the wire (quoted string included), case kept. */
  readonly local: string
  /** The domain for decisions and DNS: lower case, A-labels, no trailing dot; or the literal `[192.0.2.1]`, `[IPv6:…]`. Empty only for the bare `postmaster` (RFC 5321 §4.5.1). */
  readonly domain: string
  /** Exactly what the client wrote between the brackets, without a source route. Goes out again as it came. */
  readonly text: string
}

/** Octets of a path with its brackets: RFC 5321 §4.5.3.1.3. A source route, which is dropped, does not count. */
export const maxPathBytes = 256

export type PathFault =
  | 'no-brackets'
  | 'not-closed'
  | 'null-path'
  | 'no-domain'
  | 'local-part'
  | 'source-route'
  | 'domain'
  | 'domain-is-address'
  | 'literal'
  | 'too-long'

/** What a person is told about each fault. */
export const pathFaultSays: Readonly<Record<PathFault, string>> = {
  'no-brackets': 'the address must stand in angle brackets, as in <user@example.org>',
  'not-closed': 'the address has no closing angle bracket, or something follows it without a space',
  'null-path': 'a recipient cannot be empty',
  'no-domain': 'the address has no @ and domain',
  'local-part': 'the part before the @ is not well-formed; odd characters belong in quotes',
  'source-route': 'the source route before the address is not well-formed',
  domain: 'the domain is not well-formed: letters, digits and hyphens between single dots',
  'domain-is-address': 'an IP address in place of a domain must stand in square brackets, as in user@[192.0.2.1]',
  literal: 'the address in square brackets is neither IPv4 nor IPv6: as in [192.0.2.1] or [IPv6:2001:db8::1]',
  'too-long': 'the address is too long',
}

export type ParsedPath =
  /** `rest`: what follows the closing bracket (parameters), without the blank between. `path` is null for `<>`. */
  | { readonly kind: 'path'; readonly path: Path | null; readonly rest: string }
  | { readonly kind: 'fault'; readonly fault: PathFault }

/**
 * The path at the start of the argument of MAIL (`reverse`: may be `<>`) or RCPT (`forward`: may be `<postmaster>`), brackets included.
 * A source route is recognised and dropped (RFC 5321 §4.1.1.3). Characters beyond ASCII are let through; `isInternational` tells whether SMTPUTF8 is needed.
 */
export function parsePath(text: string, direction: 'reverse' | 'forward'): ParsedPath {
  const plain = plainPath.exec(text)
  if (plain !== null) {
    const [whole, local = '', domain = ''] = plain
    if (whole.length <= maxPathBytes && domain.length <= maxDomainBytes && !endsInNumber.test(domain)) {
      const path = { local, domain: domain.toLowerCase(), text: whole.slice(1, -1) }
      if (longestLabel(path.domain) <= 63) return behind(path, text, whole.length)
    }
  }
  if (!text.startsWith('<')) return fault('no-brackets')
  if (text.startsWith('<>')) return direction === 'reverse' ? behind(null, text, 2) : fault('null-path')
  let at = 1
  if (text.startsWith('@', at)) {
    const route = sourceRoute.exec(text)
    if (route === null) return fault('source-route')
    at = route[0].length
  }
  const close = closingBracket(text, at)
  if (close === -1) return fault('not-closed')
  const inside = text.slice(at, close)
  if (direction === 'forward' && at === 1 && inside.toLowerCase() === 'postmaster')
    return behind({ local: inside, domain: '', text: inside }, text, close + 1)
  const path = parseMailbox(inside)
  return typeof path === 'string' ? fault(path) : behind(path, text, close + 1)
}

/** A bare `user@domain`, as in a configuration or on a command line. */
export function parseAddress(text: string): Path | PathFault {
  return parseMailbox(text)
}

/** As MAIL and RCPT carry it: `<user@example.org>`, or `<>` for null. */
export function formatPath(path: Path | null): string {
  return path === null ? '<>' : `<${path.text}>`
}

/** Not all ASCII, so that it may travel only with SMTPUTF8 (RFC 6531 §3.2). */
export function isInternational(path: Path): boolean {
  return nonAscii.test(path.text)
}

/** The local part's meaning without quotes: for comparing, all quoted forms are the same mailbox (RFC 5321 §4.1.2). */
export function unquotedLocal(path: Path): string {
  return path.local.startsWith('"') ? path.local.slice(1, -1).replace(/\\(.)/gsu, '$1') : path.local
}

/** A domain name as it stands in `Path.domain`, or null when it is not one. U-labels become A-labels. */
export function parseDomain(text: string): string | null {
  if (text.length > maxDomainBytes) return null
  if (!nonAscii.test(text)) {
    if (!asciiDomain.test(text)) return null
    const domain = text.toLowerCase()
    return longestLabel(domain) > 63 ? null : domain
  }
  // RFC 6531 §3.2. The conversion is lenient (it maps full-width letters, other dots, soft hyphens): what does not come back label for label,
  // an A-label for each label beyond ASCII and nothing else changed, was not a name in U-labels.
  const ascii = domainToASCII(text)
  const before = text.split('.')
  const after = ascii.split('.')
  const isFaithful =
    before.length === after.length &&
    before.every((label, i) =>
      nonAscii.test(label) ? after[i]?.startsWith('xn--') : label.toLowerCase() === after[i],
    )
  return isFaithful && asciiDomain.test(ascii) && longestLabel(ascii) <= 63 && ascii.length <= maxDomainBytes
    ? ascii
    : null
}

/**
 * `[192.0.2.1]` or `[IPv6:2001:db8::1]`, or null: RFC 5321 §4.1.3. Each address has one written form here, RFC 5952's for IPv6, so that literals
 * compare as text. The numbers of an IPv4 literal are decimal, whatever zeros stand before them.
 */
export function parseAddressLiteral(text: string): string | null {
  if (!text.startsWith('[') || !text.endsWith(']')) return null
  const inside = text.slice(1, -1)
  if (/^IPv6:/i.test(inside)) {
    const address = inside.includes(':', 5) ? canonicalIp(inside.slice(5)) : null
    return address === null ? null : `[IPv6:${address}]`
  }
  const numbers = ipv4Numbers(inside)
  return numbers === null ? null : `[${numbers.join('.')}]`
}

function parseMailbox(text: string): Path | PathFault {
  if (Buffer.byteLength(text) + 2 > maxPathBytes) return 'too-long'
  const local = text.startsWith('"') ? quotedString.exec(text)?.[0] : text.slice(0, Math.max(text.indexOf('@'), 0))
  if (local === undefined) return 'local-part'
  if (!local.startsWith('"') && !text.includes('@')) return 'no-domain'
  if (text[local.length] !== '@') return local.length === text.length ? 'no-domain' : 'local-part'
  if (!local.startsWith('"') && !dotString.test(local)) return 'local-part'
  const written = text.slice(local.length + 1)
  if (written.startsWith('[')) {
    const literal = parseAddressLiteral(written)
    return literal === null ? 'literal' : { local, domain: literal, text }
  }
  const domain = parseDomain(written)
  if (domain === null) return written === '' ? 'no-domain' : 'domain'
  // By the grammar 192.0.2.1 is a domain. No top level domain is a number, and taken for an address it could lead anywhere.
  return endsInNumber.test(domain) ? 'domain-is-address' : { local, domain, text }
}

/** Where the path that began before `from` ends: brackets inside a quoted string do not count. */
function closingBracket(text: string, from: number): number {
  if (text[from] !== '"') return text.indexOf('>', from)
  quotedStringAt.lastIndex = from
  const quoted = quotedStringAt.exec(text)
  return quoted === null ? -1 : text.indexOf('>', from + quoted[0].length)
}

function behind(path: Path | null, text: string, end: number): ParsedPath {
  if (end === text.length) return { kind: 'path', path, rest: '' }
  return text[end] === ' ' ? { kind: 'path', path, rest: text.slice(end + 1).trimStart() } : fault('not-closed')
}

function fault(what: PathFault): ParsedPath {
  return { kind: 'fault', fault: what }
}

function longestLabel(domain: string): number {
  if (domain.length <= 63) return 0
  return Math.max(...domain.split('.').map(label => label.length))
}

function ipv4Numbers(text: string): number[] | null {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return null
  const numbers = text.split('.').map(Number)
  return numbers.every(n => n <= 255) ? numbers : null
}

/** 253 characters of dotted name are the 255 octets of RFC 5321 §4.5.3.1.2 as the DNS counts them. */
const maxDomainBytes = 253
const nonAscii = /[^\x00-\x7f]/
const endsInNumber = /(?:^|\.)\d+$/
// No part of these can match the same text in two ways, so that they take time in proportion to the text.
const label = '[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*'
const name = `${label}(?:\\.${label})*`
const asciiDomain = new RegExp(`^${name}$`)
const atext = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
/** A mailbox in ASCII without quotes or brackets, as nearly all are. */
const plainPath = new RegExp(`^<(${atext}+(?:\\.${atext}+)*)@(${name})>`)
/** Domains of a route are not used, so their form need only keep the mailbox findable. */
const sourceRoute = /^<@[^\s@,:<>"]+(?:,@[^\s@,:<>"]+)*:/
const utf8Atext = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-\\u{80}-\\u{10ffff}]"
const dotString = new RegExp(`^${utf8Atext}+(?:\\.${utf8Atext}+)*$`, 'u')
const quoted = '"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\u{80}-\\u{10ffff}]|\\\\[\\x20-\\x7e])*"'
const quotedString = new RegExp(`^${quoted}`, 'u')
const quotedStringAt = new RegExp(quoted, 'uy')
