/**
 * Distinguished names (RFC 5280 §4.1.2.4): as text, compared, and looked into.
 *
 * Comparing follows RFC 5280 §7.1: equal octets are equal names; otherwise attribute by attribute, where values of PrintableString, UTF8String and
 * IA5String are prepared as RFC 4518 §2 says (spaces folded, case folded, NFKC) and all others are compared as they are. The order of attributes
 * within one relative name does not count. A name that cannot be read equals only itself.
 *
 * That two names differ by these rules does not mean that nobody takes them for one: OpenSSL compares texts of every type. Where a name is to be kept
 * out, `mayBeWithin` is the question to ask.
 *
 * Each name is prepared once, however often it is compared, and in time that grows with its length: values that Unicode could not normalize in such a
 * time (long runs of combining marks) are compared as they are.
 */
import {
  type Der,
  enter,
  failHere,
  hasMore,
  next,
  nextAs,
  nextOid,
  noteOddity,
  openDer,
  tags,
  whole,
} from './der.ts'
import type { DistinguishedName, Oid } from './model.ts'
import { attributeOids } from './oids.ts'

/**
 * The text of RFC 4514: most specific first, `CN=mx.example,O=Example`, odd characters escaped. For people, never to be compared.
 * Long names end in `…`. It may hold control characters other than NUL: show it through `visible`. Made once for each name.
 */
export function nameText(name: DistinguishedName): string {
  const known = texts.get(name)
  if (known !== undefined) return known
  const text = textOf(name)
  texts.set(name, text)
  return text
}

/** Whether both are the name of one entity (RFC 5280 §7.1). */
export function sameName(one: DistinguishedName, other: DistinguishedName): boolean {
  if (one === other || equalOctets(one.der, other.der)) return true
  const key = nameKey(one)
  return key !== null && key === nameKey(other)
}

/** Equal for two names exactly when `sameName` says so, as far as they can be read; null when this one cannot. For looking names up. */
export function nameKey(name: DistinguishedName): string | null {
  return preparedOf(name)?.whole ?? null
}

/** Whether `name` lies in the tree that `subtree` is the root of (RFC 5280 §4.2.1.10): it begins with all its relative names. False when either cannot be read. */
export function isWithin(subtree: DistinguishedName, name: DistinguishedName): boolean {
  const root = preparedOf(subtree)
  const below = preparedOf(name)
  if (root === null || below === null || root.relatives.length > below.relatives.length) return false
  return root.relatives.every((relative, index) => relative === below.relatives[index])
}

/**
 * Whether somebody could find `name` in the tree of `subtree`: where `isWithin` does; where texts are the same but for their types; and where two values of one
 * attribute cannot be compared, because only one is a text, or one cannot be read. False when either name cannot be read.
 */
export function mayBeWithin(subtree: DistinguishedName, name: DistinguishedName): boolean {
  if (isWithin(subtree, name)) return true
  const root = looseOf(subtree)
  const below = looseOf(name)
  if (root === null || below === null || root.length > below.length) return false
  return root.every((relative, index) => mayBeSame(relative, below[index] ?? new Map()))
}

/** Values of commonName, in the order of the encoding; a value that is no text as `#` and hex. */
export function commonNames(name: DistinguishedName): readonly string[] {
  return valuesOf(name, attributeOids.commonName)
}

/** Values of PKCS #9 emailAddress, which name constraints apply to (RFC 5280 §4.2.1.10); a value that is no text as `#` and hex. */
export function emailAddresses(name: DistinguishedName): readonly string[] {
  return valuesOf(name, attributeOids.emailAddress)
}

/** Whether it is the empty sequence, which leaves it to the alternative names to say who this is (RFC 5280 §4.1.2.6). */
export function isEmptyName(name: DistinguishedName): boolean {
  return name.der.length === 2
}

/**
 * Whether `der`, the content of a Name, is well-formed: relative names of at least one attribute each. A problem is noted if not.
 *
 * Attributes of one relative name in another order than X.690 §11.6 has them are an oddity: it changes nothing of what the name means.
 */
export function isName(der: Der): boolean {
  while (hasMore(der)) {
    if (!nextAs(der, tags.set, 'a relative name')) return false
    const relative = enter(der)
    if (!hasMore(relative)) return failHere(der, 'a relative name is empty')
    let previous: Uint8Array | null = null
    let isSorted = true
    while (hasMore(relative)) {
      if (!nextAs(relative, tags.sequence, 'an attribute of a name')) return false
      const attribute = enter(relative)
      // Nearly all have one attribute.
      if (previous !== null || hasMore(relative)) {
        const present = whole(relative)
        isSorted &&= previous === null || Buffer.compare(previous, present) <= 0
        previous = present
      }
      if (nextOid(attribute, 'the type of an attribute') === null || !next(attribute)) return false
      if (hasMore(attribute)) return failHere(relative, 'an attribute has more than a value')
    }
    if (!isSorted) noteOddity(der, 'the attributes of a relative name are not sorted')
  }
  return true
}

function textOf(name: DistinguishedName): string {
  const relatives = relativesOf(name)
  if (relatives === null) return '(unreadable name)'
  let text = ''
  for (let index = relatives.length - 1; index >= 0; index--) {
    const attributes = relatives[index] ?? []
    const parts = attributes.slice(0, maxTextAttributes).map(attributeText)
    if (attributes.length > maxTextAttributes) parts.push('…')
    text += `${text === '' ? '' : ','}${parts.join('+')}`
    if (text.length > maxNameText) return `${text.slice(0, maxNameText)}…`
  }
  return text
}

/** Names do not change. */
const texts = new WeakMap<DistinguishedName, string>()

interface Attribute {
  readonly oid: Oid
  readonly tag: number
  readonly value: Uint8Array
  /** The value with tag and length. */
  readonly der: Uint8Array
}

/** Its relative names in the order of the encoding; null when it cannot be read. */
function relativesOf(name: DistinguishedName): readonly (readonly Attribute[])[] | null {
  const der = openDer(name.der)
  if (!nextAs(der, tags.sequence, 'a name') || hasMore(der) || !isName(enter(der))) return null
  const sequence = enter(der)
  const relatives: Attribute[][] = []
  while (hasMore(sequence) && next(sequence)) {
    const attributes: Attribute[] = []
    const relative = enter(sequence)
    while (hasMore(relative) && next(relative)) {
      const attribute = enter(relative)
      const oid = nextOid(attribute, 'the type of an attribute')
      if (oid === null || !next(attribute)) return null
      const { bytes } = attribute.reading
      attributes.push({
        oid,
        tag: attribute.tag,
        value: bytes.subarray(attribute.from, attribute.at),
        der: bytes.subarray(attribute.start, attribute.at),
      })
    }
    relatives.push(attributes)
  }
  return relatives
}

interface Prepared {
  readonly relatives: readonly string[]
  readonly whole: string
}

/** What is compared. Names do not change, so it is made once for each. */
const prepared = new WeakMap<DistinguishedName, Prepared | 'unreadable'>()

function preparedOf(name: DistinguishedName): Prepared | null {
  let found = prepared.get(name)
  if (found === undefined) {
    found = prepare(name) ?? 'unreadable'
    prepared.set(name, found)
  }
  return found === 'unreadable' ? null : found
}

/** A value for comparing with care. `unclear`: nobody can say what it is the same as. */
type Loose = { readonly kind: 'text' | 'octets'; readonly value: string } | { readonly kind: 'unclear' }
type LooseRelative = ReadonlyMap<Oid, Loose>

const loose = new WeakMap<DistinguishedName, readonly LooseRelative[] | 'unreadable'>()

function looseOf(name: DistinguishedName): readonly LooseRelative[] | null {
  let found = loose.get(name)
  if (found === undefined) {
    found = relativesOf(name)?.map(looseRelative) ?? 'unreadable'
    loose.set(name, found)
  }
  return found === 'unreadable' ? null : found
}

function looseRelative(attributes: readonly Attribute[]): LooseRelative {
  const relative = new Map<Oid, Loose>()
  // X.501 §9.3 has each type at most once: which one is meant is anybody's guess.
  for (const attribute of attributes)
    relative.set(attribute.oid, relative.has(attribute.oid) ? { kind: 'unclear' } : looseValue(attribute))
  return relative
}

function looseValue(attribute: Attribute): Loose {
  if (!textTypes.has(attribute.tag)) return { kind: 'octets', value: octetsAsText(attribute.der) }
  const text = attributeValue(attribute)
  const value = text === null ? null : preparedText(text)
  return value === null ? { kind: 'unclear' } : { kind: 'text', value }
}

function mayBeSame(one: LooseRelative, other: LooseRelative): boolean {
  if (one.size !== other.size) return false
  for (const [oid, value] of one) {
    const facing = other.get(oid)
    if (facing === undefined) return false
    if (value.kind === 'unclear' || facing.kind !== value.kind) continue
    if (value.value !== facing.value) return false
  }
  return true
}

function prepare(name: DistinguishedName): Prepared | null {
  const relatives = relativesOf(name)?.map(attributes =>
    attributes.length === 1 && attributes[0] !== undefined
      ? preparedAttribute(attributes[0])
      : attributes.map(preparedAttribute).sort().join(''),
  )
  if (relatives === undefined) return null
  return { relatives, whole: relatives.map(relative => `${relative.length}:${relative}`).join('') }
}

/** Lengths stand before texts, so that no text can pretend to be two attributes. */
function preparedAttribute(attribute: Attribute): string {
  const text = comparedAsText.has(attribute.tag) ? attributeValue(attribute) : null
  const prepared = text === null ? null : preparedText(text)
  const value = prepared === null ? `#${attribute.tag}:${octetsAsText(attribute.value)}` : `=${prepared}`
  return `${attribute.oid}:${value.length}${value}`
}

/** RFC 4518 §2: map, normalize, insignificant spaces. Null for what cannot be normalized in time that grows with its length. */
function preparedText(text: string): string | null {
  const normalized = plain.test(text) ? text : normalizedText(text)
  return normalized?.toLowerCase().replace(spaces, ' ').trim() ?? null
}

function normalizedText(text: string): string | null {
  const mapped = text.replace(mappedToSpace, ' ').replace(mappedToNothing, '').toLowerCase()
  return markedTooOften.test(mapped) ? null : mapped.normalize('NFKC')
}

function valuesOf(name: DistinguishedName, oid: Oid): readonly string[] {
  const values: string[] = []
  for (const relative of relativesOf(name) ?? [])
    for (const attribute of relative)
      if (attribute.oid === oid) values.push(attributeValue(attribute) ?? hexValue(attribute))
  return values
}

/** The value as text; null when its type is none of text, or its octets are not of its type. */
function attributeValue({ tag, value }: Attribute): string | null {
  switch (tag) {
    case tags.utf8String:
      return decoded(utf8, value)
    case tags.printableString:
    case tags.ia5String:
    case tags.numericString:
    case tags.visibleString: {
      const text = octetsAsText(value)
      return ascii.test(text) ? text : null
    }
    // T.61 on paper; everybody who writes it means ISO 8859-1.
    case tags.teletexString:
      return octetsAsText(value)
    case tags.bmpString:
      return value.length % 2 === 0 ? decoded(utf16, swapped(value)) : null
    case tags.universalString:
      return utf32Text(value)
    default:
      return null
  }
}

/** RFC 4514 §2.3, §2.4. */
function attributeText(attribute: Attribute): string {
  const key = shortNames.get(attribute.oid) ?? attribute.oid
  const text = attributeValue(attribute)
  return `${key}=${text === null ? hexValue(attribute) : escaped(text)}`
}

function escaped(text: string): string {
  const start = text.length > maxNameText ? text.slice(0, maxNameText + 1) : text
  return start.replace(escapedAnywhere, '\\$&').replaceAll('\0', '\\00').replace(escapedAtTheEnds, '\\$&')
}

function hexValue({ der }: Attribute): string {
  const hex = Buffer.from(der.buffer, der.byteOffset, Math.min(der.length, maxHexOctets)).toString('hex')
  return `#${hex}${der.length > maxHexOctets ? '…' : ''}`
}

function decoded(decoder: typeof utf8, octets: Uint8Array): string | null {
  try {
    return decoder.decode(octets)
  } catch {
    return null
  }
}

/** UTF-16 the other way round: not every build of Node decodes big-endian. */
function swapped(octets: Uint8Array): Uint8Array {
  return Buffer.from(octets).swap16()
}

/** UTF-32, big-endian. */
function utf32Text(octets: Uint8Array): string | null {
  if (octets.length % 4 !== 0) return null
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  const characters: string[] = []
  for (let at = 0; at < octets.length; at += 4) {
    const code = view.getUint32(at)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null
    characters.push(String.fromCodePoint(code))
  }
  return characters.join('')
}

function octetsAsText(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
}

function equalOctets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && Buffer.compare(one, other) === 0
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf16 = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true })

const comparedAsText: ReadonlySet<number> = new Set([tags.printableString, tags.utf8String, tags.ia5String])

/** Of all types of text; GeneralString, GraphicString and VideotexString are among them, and nobody can read those. */
const textTypes: ReadonlySet<number> = new Set([
  ...comparedAsText,
  tags.numericString,
  tags.visibleString,
  tags.teletexString,
  tags.bmpString,
  tags.universalString,
  0x15,
  0x19,
  0x1b,
])

const ascii = /^[\x00-\x7f]*$/
const plain = /^[\x20-\x7e]*$/
const spaces = / +/g
/** RFC 4518 §2.2. */
const mappedToSpace = /[\t-\r\x85\p{Z}]/gu
const mappedToNothing = /[\p{Cc}\p{Cf}\p{Variation_Selector}\u1806\ufffc]|\u034f/gu
/**
 * Combining marks in a row are sorted by normalizing, in time that grows with the square of their number. 30 is what the Stream-Safe Text Format has at
 * most (UAX #15 §13); no language comes near. The two that are no marks become some (halfwidth voiced sound marks).
 */
const markedTooOften = /[\p{M}\uff9e\uff9f]{31}/u

const escapedAnywhere = /["+,;<>\\]/g
const escapedAtTheEnds = /^[ #]| $/g

/** Characters of a text, and how much of an octet string is written out: enough to tell a name by. */
const maxNameText = 1_000
const maxHexOctets = 64
const maxTextAttributes = 32

/** RFC 4514 §3, and descriptors of RFC 4519 and RFC 2985 that people know. Everything else is shown by number. */
const shortNames: ReadonlyMap<Oid, string> = new Map([
  [attributeOids.commonName, 'CN'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.6', 'C'],
  ['2.5.4.9', 'STREET'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['2.5.4.4', 'sn'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.12', 'title'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.42', 'givenName'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.97', 'organizationIdentifier'],
  [attributeOids.emailAddress, 'emailAddress'],
])
