/**
 * General names (RFC 5280 §4.2.1.6): read from DER, and what is wrong with the texts in them.
 *
 * Reading keeps every octet. Kinds that mail has no use for (otherName, x400Address, ediPartyName, registeredID) have to be made as their types say, and of
 * what stands in them without a type of its own every element has to be DER; what it means is not asked. Whether a text is a name of its kind is a question of its own, with one answer for alternative names (`nameProblem`) and one
 * for the bases of name constraints (`constraintProblem`, RFC 5280 §4.2.1.10). Neither says whether a name matches anything.
 */
import { parseIp } from '../ip.ts'
import {
  content,
  context,
  type Der,
  enter,
  fail,
  failHere,
  hasMore,
  isAtEnd,
  latin1,
  next,
  nextAs,
  nextIf,
  nextOid,
  openDer,
  tags,
  whole,
} from './der.ts'
import { isName } from './distinguished-name.ts'
import type { GeneralName } from './model.ts'

/** Reads the content of GeneralNames: at least one. Null, and a problem noted, when it is anything else. */
export function readGeneralNames(der: Der, what: string): readonly GeneralName[] | null {
  const names: GeneralName[] = []
  while (hasMore(der)) {
    const name = nextGeneralName(der)
    if (name === null) return null
    names.push(name)
  }
  if (names.length > 0) return names
  failHere(der, `${what} is empty`)
  return null
}

/** Reads one GeneralName. */
export function nextGeneralName(der: Der): GeneralName | null {
  if (!next(der)) return null
  switch (der.tag) {
    case context.primitive(1):
      return { type: 'email', value: latin1(der) }
    case context.primitive(2):
      return { type: 'dns', value: latin1(der) }
    case context.primitive(6):
      return { type: 'uri', value: latin1(der) }
    case context.primitive(7):
      return { type: 'ip', value: content(der) }
    case context.constructed(4): {
      // Explicitly tagged, since Name is a CHOICE.
      const inside = enter(der)
      if (!nextAs(inside, tags.sequence, 'a directory name') || !isAtEnd(inside, 'a directory name')) return null
      return isName(enter(inside)) ? { type: 'directory', value: { der: whole(inside) } } : null
    }
    case context.constructed(0):
      return isOtherName(enter(der)) ? otherOf(der) : null
    case context.constructed(3):
      return isX400Address(enter(der)) ? otherOf(der) : null
    case context.constructed(5):
      return isEdiPartyName(enter(der)) ? otherOf(der) : null
    case context.primitive(8):
      return isRegisteredId(der) ? otherOf(der) : null
    default:
      failHere(der, 'a general name is of no known kind')
      return null
  }
}

function otherOf(der: Der): GeneralName {
  return { type: 'other', tag: der.tag & 0x1f, der: whole(der) }
}

/** A type, and a value in [0]. */
function isOtherName(der: Der): boolean {
  if (nextOid(der, 'the type of an otherName') === null) return false
  if (!nextAs(der, context.constructed(0), 'the value of an otherName')) return false
  const value = enter(der)
  if (!hasMore(value)) return failHere(der, 'the value of an otherName is empty')
  return (
    next(value) &&
    isSound(value, deepest) &&
    isAtEnd(value, 'the value of an otherName') &&
    isAtEnd(der, 'an otherName')
  )
}

/** ORAddress: standard attributes, which may be followed by others. */
function isX400Address(der: Der): boolean {
  if (!nextAs(der, tags.sequence, 'the attributes of an x400Address') || !isSound(der, deepest)) return false
  return areSound(der, deepest)
}

/** nameAssigner [0], which may be missing, and partyName [1]: a text each. */
function isEdiPartyName(der: Der): boolean {
  if (nextIf(der, context.constructed(0)) && !isDirectoryString(enter(der))) return false
  if (!nextAs(der, context.constructed(1), 'the partyName of an ediPartyName')) return false
  return isDirectoryString(enter(der)) && isAtEnd(der, 'an ediPartyName')
}

function isDirectoryString(der: Der): boolean {
  const what = 'a text of an ediPartyName'
  if (!hasMore(der)) return fail(der, `${what} is missing`)
  if (!next(der)) return false
  return directoryStrings.has(der.tag) ? isAtEnd(der, what) : failHere(der, `${what} is of another type`)
}

/** The octets of an object identifier, under another tag. */
function isRegisteredId(der: Der): boolean {
  const octets = content(der)
  const isOid =
    octets.length < 0x80 && nextOid(openDer(Uint8Array.of(tags.oid, octets.length, ...octets)), 'it') !== null
  return isOid || failHere(der, 'a registeredID is no well-formed object identifier')
}

/** Whether all elements that are left are DER, and all inside them. */
function areSound(der: Der, depth: number): boolean {
  while (hasMore(der)) if (!next(der) || !isSound(der, depth)) return false
  return true
}

/** The same for what is inside the element read last. */
function isSound(der: Der, depth: number): boolean {
  if (!isConstructed(der)) return true
  if (depth === 0) return failHere(der, 'elements are nested too deep')
  return areSound(enter(der), depth - 1)
}

/** X.690 §8.1.2.5. */
function isConstructed(der: Der): boolean {
  return ((der.reading.bytes[der.start] ?? 0) & 0x20) !== 0
}

/** What keeps an alternative name from being a name of its kind, for people; null: it is well-formed, or of a kind that is not looked into. */
export function nameProblem(name: GeneralName): string | null {
  switch (name.type) {
    case 'dns':
      return dnsProblem(name.value)
    case 'email':
      return isMailbox(name.value) ? null : `${shown(name.value)} is no mail address`
    case 'uri':
      return uri.test(name.value) ? null : `${shown(name.value)} is no URI`
    case 'ip':
      return name.value.length === 4 || name.value.length === 16
        ? null
        : `an address of ${name.value.length} octets, not 4 or 16`
    case 'directory':
    case 'other':
      return null
    default:
      return name satisfies never
  }
}

/**
 * What keeps the base of a name constraint from meaning anything (RFC 5280 §4.2.1.10), for people; null: it is well-formed, or of a kind that is not
 * looked into. The empty text is well-formed: it stands for all names of its kind.
 */
export function constraintProblem(name: GeneralName): string | null {
  switch (name.type) {
    case 'dns':
      if (name.value === '' || isHostName(name.value)) return null
      return isHostOrDomain(name.value)
        ? `the constraint ${shown(name.value)} begins with a dot, as none of DNS names does`
        : `${shown(name.value)} is no domain`
    case 'email':
      return name.value === '' || isHostOrDomain(name.value) || isMailbox(name.value)
        ? null
        : `${shown(name.value)} is no mail address, host or domain`
    case 'uri':
      return name.value === '' || isHostOrDomain(name.value) ? null : `${shown(name.value)} is no host or domain`
    case 'ip':
      return isNetwork(name.value) ? null : 'an address and mask that make no network'
    case 'directory':
    case 'other':
      return null
    default:
      return name satisfies never
  }
}

/**
 * What keeps a dNSName from being one, wildcard and underscore allowed; null: nothing.
 *
 * RFC 5280 §4.2.1.6: preferred name syntax of RFC 1034 §3.5, not empty, no trailing dot. Underscores are let through: hosts have them. A `*` may only be
 * the whole left-most label, with another behind it (RFC 9525 §6.3).
 */
export function dnsProblem(value: string): string | null {
  const host = value.startsWith('*.') ? value.slice(2) : value
  if (isHostName(host)) return null
  if (value === '') return 'a DNS name is empty'
  const what = shown(value)
  if (parseIp(value) !== null || endsInNumber.test(value)) return `${what} is an address, written as a DNS name`
  if (!printable.test(value)) return `${what} is no DNS name: it has characters beyond ASCII, or blanks`
  if (value.includes('*')) return `${what} has a * that is not the whole left-most of several labels`
  return `${what} is no DNS name`
}

/** Letters, digits, `-` inside, `_`; labels to 63, 253 in all; not what some programs take for an IPv4 address. */
function isHostName(value: string): boolean {
  return value.length <= maxHostName && hostName.test(value) && !endsInNumber.test(value)
}

function isHostOrDomain(value: string): boolean {
  return isHostName(value.startsWith('.') ? value.slice(1) : value)
}

/** RFC 5280 §4.2.1.6: the Mailbox of RFC 5321 §4.1.2, in ASCII. */
function isMailbox(value: string): boolean {
  if (value.length > maxMailbox) return false
  const at = value.lastIndexOf('@')
  if (at < 1 || !localPart.test(value.slice(0, at))) return false
  const domain = value.slice(at + 1)
  if (!domain.startsWith('[') || !domain.endsWith(']')) return isHostName(domain)
  const literal = domain.slice(1, -1)
  return parseIp(/^ipv6:/i.test(literal) ? literal.slice(5) : literal) !== null
}

/** RFC 5280 §4.2.1.10: an address and a mask in the sense of CIDR, ones before zeros. */
function isNetwork(octets: Uint8Array): boolean {
  if (octets.length !== 8 && octets.length !== 32) return false
  let isOver = false
  for (let index = octets.length / 2; index < octets.length; index++) {
    const octet = octets[index] ?? 0
    if (isOver ? octet !== 0 : !leadingOnes.has(octet)) return false
    isOver ||= octet !== 0xff
  }
  return true
}

/** Short enough for a sentence. */
function shown(value: string): string {
  return value.length > maxShown ? `'${value.slice(0, maxShown)}…'` : `'${value}'`
}

/** Each label begins and ends with a letter, a digit or `_` (RFC 1034 §3.5, RFC 1123 §2.1). Looks at each character at most twice. */
const hostName = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/i
/** A last label of digits, or of `0x` and hex: RFC 1123 §2.1 has none, and some resolvers read an IPv4 address. */
const endsInNumber = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$/i
const printable = /^[\x21-\x7e]+$/
/** Dot-string or quoted string. */
const localPart =
  /^(?:[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*")$/
/** RFC 3986 §3: a scheme, and something behind it. */
const uri = /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i

/** DirectoryString (RFC 5280 §4.1.2.4). */
const directoryStrings: ReadonlySet<number> = new Set([
  tags.teletexString,
  tags.printableString,
  tags.universalString,
  tags.utf8String,
  tags.bmpString,
])

/** Elements inside each other, in names that nobody reads. A Kerberos principal has five. */
const deepest = 16

const leadingOnes: ReadonlySet<number> = new Set([0, 0x80, 0xc0, 0xe0, 0xf0, 0xf8, 0xfc, 0xfe, 0xff])

/** RFC 1035 §2.3.4, as text without the last dot. */
const maxHostName = 253
/** RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain, and `@`. */
const maxMailbox = 320
const maxShown = 100
