/**
 * The small languages of the configuration file: durations (`5m`), sizes (`50MB`), host names, networks and patterns.
 *
 * Each reader takes the operator's text and returns its value, or in one phrase what was expected instead. None of them asks the
 * network or a file. Names are turned to A-labels in lower case (RFC 5890 §2.3.2.1), so that what is matched later is what the wire carries.
 */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'
import { nameServerText, parseNameServer } from '../../system/name-server.ts'

export type Parsed<T> = { readonly value: T } | { readonly expected: string }

export const durationPattern = /^(\d{1,9})(ms|s|m|h|d)$/
export const durationWords = 'a duration: a whole number and ms, s, m, h or d'

/** @returns milliseconds, at most a year. */
export function parseDuration(text: string): Parsed<number> {
  const [, digits, unit] = durationPattern.exec(text) ?? []
  if (digits === undefined || unit === undefined) return { expected: durationWords }
  const ms = Number(digits) * (unitMs[unit] ?? Number.NaN)
  return ms <= 366 * day ? { value: ms } : { expected: `${durationWords}, at most 366d` }
}

/** The shortest way to write a duration: the form that `parseDuration` reads. */
export function writeDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  }
  return `${ms}ms`
}

export const sizePattern = /^(\d{1,9})(B|KB|MB|GB)$/
export const sizeWords = 'a size: a whole number and B, KB, MB or GB'

/** @returns bytes. KB, MB and GB are powers of 1,024. */
export function parseSize(text: string): Parsed<number> {
  const [, digits, unit] = sizePattern.exec(text) ?? []
  if (digits === undefined || unit === undefined) return { expected: sizeWords }
  const bytes = Number(digits) * 1024 ** ['B', 'KB', 'MB', 'GB'].indexOf(unit)
  return bytes <= 1024 ** 4 ? { value: bytes } : { expected: `${sizeWords}, at most 1024GB` }
}

/** A DNS name of one label or more, without its last dot. */
export function parseHostName(text: string): Parsed<string> {
  const expected = 'a host name: letters, digits and hyphens, with dots between'
  // Only text that is not ASCII passes through IDNA: the URL standard's rules would turn `1.2` into an address.
  const ascii = /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : domainToASCII(text)
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii
  if (name.length === 0 || name.length > 253) return { expected }
  if (isIP(name) !== 0) return { expected: `${expected} (this is an address)` }
  const wellFormed = name.split('.').every(label => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  return wellFormed ? { value: name } : { expected }
}

export const domainNameWords = 'a domain name (example.org), which stands for itself and every name below it'

/** A name that stands for all below it. Not the root: to validate nothing is an option of its own. */
export function parseDomainName(text: string): Parsed<string> {
  const name = parseHostName(text)
  return 'value' in name ? name : { expected: domainNameWords }
}

export const mailPatternWords =
  'an address (user@example.org), a domain (example.org), *.example.org or .example.org'

/** Pattern for recipients and senders: `user@domain`, `domain`, `*.domain` (below it), `.domain` (it and below), and `<>` for the null sender. */
export function parseMailPattern(text: string, side: 'recipient' | 'sender'): Parsed<string> {
  if (side === 'sender' && text === '<>') return { value: text }
  const at = text.lastIndexOf('@')
  if (at < 0) {
    const domain = parseNamePattern(text)
    return 'value' in domain ? domain : { expected: mailPatternWords }
  }
  const local = text.slice(0, at)
  if (!isLocalPart(local)) return { expected: mailPatternWords }
  const domain = parseMailDomain(text.slice(at + 1))
  return 'value' in domain ? { value: `${local}@${domain.value}` } : { expected: mailPatternWords }
}

/** Pattern for names alone: `name`, `*.name`, `.name`. */
export function parseNamePattern(text: string): Parsed<string> {
  const expected = 'a name (example.org), *.example.org (names below it) or .example.org (it and names below)'
  const prefix = text.startsWith('*.') ? '*.' : text.startsWith('.') ? '.' : ''
  const name = parseHostName(text.slice(prefix.length))
  return 'value' in name ? { value: prefix + name.value } : { expected }
}

/** A whole address, for `postmaster`. */
export function parseMailAddress(text: string): Parsed<string> {
  const expected = 'a mail address: user@example.org'
  const at = text.lastIndexOf('@')
  if (at < 1 || !isLocalPart(text.slice(0, at))) return { expected }
  const domain = parseMailDomain(text.slice(at + 1))
  return 'value' in domain ? { value: `${text.slice(0, at)}@${domain.value}` } : { expected }
}

export const networkWords = 'an address (192.0.2.1) or a network (192.0.2.0/24, 2001:db8::/32)'

/** An address or a network in CIDR form, canonical. A network with bits set behind its prefix is a slip of the pen, and refused. */
export function parseNetwork(text: string): Parsed<string> {
  const [address = '', bits, ...rest] = text.split('/')
  // net.isIP first: ipaddr.js reads 010.0.0.1 as octal.
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return { expected: networkWords }
  const parsed = ipaddr.parse(address)
  if (bits === undefined) return { value: parsed.toString() }
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (!(length <= (family === 4 ? 32 : 128))) return { expected: networkWords }
  const network = networkOf(parsed.toByteArray(), length)
  const canonical = `${ipaddr.fromByteArray(network).toString()}/${length}`
  if (parsed.toByteArray().some((byte, i) => byte !== network[i]))
    return { expected: `${networkWords}; with this prefix length the network is ${canonical}` }
  return { value: canonical }
}

/** `address`, `address:port` or `[address]:port`; over TLS `tls://` before that, and `#name` behind. */
export function parseServer(text: string): Parsed<string> {
  const overTls = 'tls://192.0.2.53#dns.example'
  const expected = `an address, or address:port (192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53), or over TLS ${overTls}`
  if (/^tls:/i.test(text)) {
    const server = parseNameServer(text)
    if (server?.authenticationName != null) return { value: nameServerText(server) }
    return {
      expected: `tls://, an address, :port unless it is 853, # and the host name that the server's certificate proves (${overTls}, tls://[2001:db8::53]:8853#dns.example)`,
    }
  }
  if (/[@#]/.test(text))
    return { expected: `${expected}: a name that a certificate must prove stands behind tls:// alone` }
  if (isIP(text) !== 0) return { value: text }
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const address = bracketed ?? plain ?? ''
  if (isIP(address) === 0 || !isPort(Number(port))) return { expected }
  return { value: `${isIP(address) === 6 ? `[${address}]` : address}:${Number(port)}` }
}

export interface NextHost {
  readonly name: string
  /** Null: the route's. */
  readonly port: number | null
}

/** A next hop's host: `name`, `name:port`, `address`, `address:port`, `[address]`, `[address]:port`. */
export function parseNextHost(text: string): Parsed<NextHost> {
  const expected = 'a host: a name or an address, and :port where it has its own'
  if (isIP(text) !== 0) return { value: { name: text, port: null } }
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  if (port !== undefined && !isPort(Number(port))) return { expected }
  const own = port === undefined ? null : Number(port)
  if (bracketed !== undefined)
    return isIP(bracketed) === 0 ? { expected } : { value: { name: bracketed, port: own } }
  if (plain !== undefined && isIP(plain) !== 0) return { value: { name: plain, port: own } }
  const name = parseHostName(plain ?? '')
  return 'value' in name ? { value: { name: name.value, port: own } } : { expected }
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535
}

/** RFC 5321 §4.5.3.1.1: at most 64 octets. */
function isLocalPart(text: string): boolean {
  return (
    text.length > 0 &&
    Buffer.byteLength(text) <= 64 &&
    /^(?:[^\s"<>()@,;:\\[\]\x00-\x1f\x7f]+|"[^"\x00-\x1f\x7f]+")$/.test(text)
  )
}

function parseMailDomain(text: string): Parsed<string> {
  if (/^\[[0-9A-Za-z.:]+\]$/.test(text)) return { value: text.toLowerCase().replace('[ipv6:', '[IPv6:') }
  return parseHostName(text)
}

function networkOf(address: readonly number[], length: number): number[] {
  return address.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, length - i * 8))
    return byte & (0xff << (8 - kept)) & 0xff
  })
}

const day = 24 * 60 * 60_000
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 60 * 60_000, d: day }
