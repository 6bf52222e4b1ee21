/**
 * DER, read strictly (ITU-T X.690 §10, §11): definite lengths in as few octets as possible, tag numbers in as few octets as possible,
 * one encoding for each value. What two programs could read differently is refused here, not interpreted. Some encodings are not DER, and yet OpenSSL,
 * GnuTLS and whoever else takes them read the same: TRUE as 01, or the zero bits at the end of a key usage, by old software. These are read, and noted as oddities.
 *
 * A `Der` is a place in the octets of one element's content. `next` reads one element's header and moves behind the element; what was read stands
 * in `tag`, `start` and `from` (it ends at `at`) until the following `next`. Nothing is copied, and nothing is read that nobody asks for:
 * depth is that of the grammar that the caller follows, never of the input.
 *
 * Nothing here throws for any octets. A reader that fails answers false or null, and the first problem is kept in the `Reading` that all places of
 * one input share, until `takeProblem`.
 */
import type { Oid } from './model.ts'

/** What the places of one input share. */
export interface Reading {
  readonly bytes: Uint8Array
  /** The same octets, for texts. */
  readonly buffer: Buffer
  /** The first problem since the last `takeProblem`, with its place; null: none. */
  problem: string | null
  /** The first of the encodings that are not DER and are read alike all the same, each with its place; null: none. */
  oddities: string[] | null
  /** How many there are. */
  oddityCount: number
  /** Elements whose header was read: the work done, for tests of its growth. */
  elements: number
}

/** A place in the content of one element. */
export interface Der {
  readonly reading: Reading
  /** Where the next element begins. */
  at: number
  /** Where the content ends. */
  readonly end: number
  /** Identifier octet of the element read last; `otherTag` for tag numbers over 30. */
  tag: number
  /** Where the element read last begins. */
  start: number
  /** Where its content begins. It ends at `at`. */
  from: number
}

/** The start of `bytes`. They are not copied: what is read refers to them, so they must not change later. */
export function openDer(bytes: Uint8Array): Der {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const plain =
    bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const reading: Reading = { bytes: plain, buffer, problem: null, oddities: null, oddityCount: 0, elements: 0 }
  return placeAt(reading, 0, plain.length)
}

/** The content of the element read last. */
export function enter(der: Der): Der {
  return placeAt(der.reading, der.from, der.at)
}

/** Whether anything stands behind the element read last; whether that is DER, `next` says. */
export function hasMore(der: Der): boolean {
  return der.at < der.end
}

/** Reads one element of any tag. False: there is none, or it is not DER. */
export function next(der: Der): boolean {
  const { reading, end } = der
  const { bytes } = reading
  reading.elements++
  der.start = der.at
  let at = der.at
  if (at + 2 > end) return fail(der, at === end ? 'an element is missing' : 'an element is cut off')
  let tag = bytes[at++] ?? 0
  if ((tag & 0x1f) === 0x1f) {
    at = behindLongTag(bytes, at, end)
    if (at === -1) return fail(der, 'a tag number is not minimal, or too long')
    tag = otherTag
  } else if (tag === 0) return fail(der, 'the tag 0 is reserved')

  let length = bytes[at++] ?? 0x80
  if (length >= 0x80) {
    const octets = length & 0x7f
    if (octets === 0) return fail(der, 'an indefinite length')
    if (octets > 4) return fail(der, 'a length of more than four octets')
    if (at + octets > end) return fail(der, 'an element is cut off')
    length = 0
    for (let index = 0; index < octets; index++) length = length * 256 + (bytes[at++] ?? 0)
    // The first octet of a minimal length is not zero, and up to 127 the short form is the only one (X.690 §10.1).
    if (length < 0x80 || length < 256 ** (octets - 1)) return fail(der, 'a length that is not minimal')
  }
  if (length > end - at) return fail(der, 'an element is longer than what it stands in')
  der.tag = tag
  der.from = at
  der.at = at + length
  return true
}

/** Reads one element, which must have this tag. `what`: how a person would call it. */
export function nextAs(der: Der, tag: number, what: string): boolean {
  if (der.at === der.end) return fail(der, `${what} is missing`)
  if (!next(der)) return false
  return der.tag === tag || failHere(der, `${what} is missing or of another type`)
}

/** Reads one element if there is one and it has this tag; false leaves the place as it was. Whether an element that is not DER follows shows at the next `next`. */
export function nextIf(der: Der, tag: number): boolean {
  return der.at < der.end && der.reading.bytes[der.at] === tag && next(der)
}

/** True at the end of the content; otherwise a problem. */
export function isAtEnd(der: Der, what: string): boolean {
  return der.at === der.end || fail(der, `something follows ${what}`)
}

/** The content octets of the element read last. */
export function content(der: Der): Uint8Array {
  return der.reading.bytes.subarray(der.from, der.at)
}

/** The element read last, with tag and length. */
export function whole(der: Der): Uint8Array {
  return der.reading.bytes.subarray(der.start, der.at)
}

/** The content of the element read last, one character an octet. */
export function latin1(der: Der): string {
  return der.reading.buffer.toString('latin1', der.from, der.at)
}

/** Notes a problem at the next element, and answers false. The first one is kept. */
export function fail(der: Der, problem: string): false {
  der.reading.problem ??= `${problem} at octet ${der.at}`
  return false
}

/** Notes a problem of the element read last, and answers false. */
export function failHere(der: Der, problem: string): false {
  der.reading.problem ??= `${problem} at octet ${der.start}`
  return false
}

/** Notes that the element read last is not encoded as DER wants it, though its value is beyond doubt. */
export function noteOddity(der: Der, oddity: string): void {
  const { reading } = der
  reading.oddityCount++
  reading.oddities ??= []
  if (reading.oddities.length < maxOddities) reading.oddities.push(`${oddity} at octet ${der.start}`)
}

/** The problem, which is then forgotten. */
export function takeProblem(der: Der): string {
  const problem = der.reading.problem ?? 'unreadable'
  der.reading.problem = null
  return problem
}

/** Reads an OBJECT IDENTIFIER (X.690 §8.19). */
export function nextOid(der: Der, what: string): Oid | null {
  if (!nextAs(der, tags.oid, what)) return null
  const { bytes } = der.reading
  const { from, at } = der
  // 2.5.4.N and 2.5.29.N, most of what a certificate has.
  if (at - from === 3 && bytes[from] === 0x55) {
    const [second = 0, third = 0] = [bytes[from + 1], bytes[from + 2]]
    if (third < 0x80) {
      if (second === 29) return extensionArcs[third] ?? null
      if (second === 4) return attributeArcs[third] ?? null
    }
  }
  const oid = decodeOid(bytes, from, at)
  if (oid === null) failHere(der, `${what} is no well-formed object identifier`)
  return oid
}

/**
 * Reads a BOOLEAN: 00 or FF (X.690 §11.1).
 *
 * Any other octet is TRUE (X.690 §8.2.2), and an oddity: Mbed TLS wrote 01 until 2015; OpenSSL and GnuTLS read it so.
 */
export function nextBoolean(der: Der, what: string): boolean | null {
  if (!nextAs(der, tags.boolean, what)) return null
  if (der.at - der.from !== 1) {
    failHere(der, `${what} is not of one octet`)
    return null
  }
  const value = der.reading.bytes[der.from]
  if (value !== 0 && value !== 0xff) noteOddity(der, `${what} is TRUE, and not written as FF`)
  return value !== 0
}

/** Reads a BOOLEAN DEFAULT FALSE. FALSE written out, which DER leaves out (X.690 §11.5), is an oddity. */
export function nextFlag(der: Der, what: string): boolean | null {
  if (der.at === der.end || der.reading.bytes[der.at] !== tags.boolean) return false
  const value = nextBoolean(der, what)
  if (value === false) noteOddity(der, `${what} is FALSE, and written out`)
  return value
}

/** Reads an INTEGER that may not be negative. Larger ones than a number holds exactly become `Infinity`. */
export function nextCount(der: Der, what: string): number | null {
  if (!nextAs(der, tags.integer, what)) return null
  const { bytes } = der.reading
  if (!isMinimalInteger(bytes, der.from, der.at)) {
    failHere(der, `${what} is not a minimal INTEGER`)
    return null
  }
  if ((bytes[der.from] ?? 0) >= 0x80) {
    failHere(der, `${what} is negative`)
    return null
  }
  if (der.at - der.from > 6) return Number.POSITIVE_INFINITY
  let value = 0
  for (let at = der.from; at < der.at; at++) value = value * 256 + (bytes[at] ?? 0)
  return value
}

/** Whether these are the content octets of an INTEGER in its shortest form (X.690 §8.3.2). */
export function isMinimalInteger(bytes: Uint8Array, from: number, end: number): boolean {
  if (end <= from) return false
  if (end - from === 1) return true
  const [first = 0, second = 0] = [bytes[from], bytes[from + 1]]
  return !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
}

/**
 * Reads a BIT STRING of whole octets, as keys and signatures are.
 * @returns its octets, null for anything else.
 */
export function nextOctetsAsBits(der: Der, what: string): Uint8Array | null {
  if (!nextAs(der, tags.bitString, what)) return null
  if (der.at > der.from && der.reading.bytes[der.from] === 0)
    return der.reading.bytes.subarray(der.from + 1, der.at)
  failHere(der, `${what} is not a BIT STRING of whole octets`)
  return null
}

/**
 * Reads a BIT STRING whose bits have names (X.690 §11.2.2): unused bits zero, and no zero bit at the end.
 *
 * Zero bits at the end are an oddity: they say nothing. Unused bits that are set are a problem: GnuTLS counts them, OpenSSL does not.
 * @returns its octets, null for anything else.
 */
export function nextNamedBits(der: Der, what: string): Uint8Array | null {
  if (!nextAs(der, tags.bitString, what)) return null
  const { bytes } = der.reading
  const unused = bytes[der.from] ?? 8
  const length = der.at - der.from - 1
  if (length < 0 || unused > 7 || (length === 0 && unused > 0)) {
    failHere(der, `${what} is no BIT STRING`)
    return null
  }
  const last = length === 0 ? 0 : (bytes[der.at - 1] ?? 0)
  if ((last & ((1 << unused) - 1)) !== 0) {
    failHere(der, `unused bits of ${what} are set`)
    return null
  }
  // The lowest used bit of the last octet is the last bit.
  if (length > 0 && (last & (1 << unused)) === 0) noteOddity(der, `${what} ends with zero bits`)
  return bytes.subarray(der.from + 1, der.at)
}

/**
 * Reads a Time (RFC 5280 §4.1.2.5): UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`, no other form.
 *
 * A GeneralizedTime between 1950 and 2050 is an oddity: RFC 5280 §4.1.2.5 wants UTCTime there, and yet it has one meaning only.
 * @returns milliseconds since 1970, null for anything that is no such time.
 */
export function nextTime(der: Der, what: string): number | null {
  if (!next(der)) return null
  const { bytes } = der.reading
  const { from, at } = der
  const yearDigits = der.tag === tags.utcTime ? 2 : der.tag === tags.generalizedTime ? 4 : 0
  const isForm = yearDigits !== 0 && at - from === yearDigits + 11 && bytes[at - 1] === 0x5a
  const written = isForm ? digits(bytes, from, yearDigits) : -1
  // RFC 5280 §4.1.2.5.1: 50 to 99 are of the twentieth century.
  const year = yearDigits === 4 ? written : written >= 50 ? 1900 + written : 2000 + written
  const rest = from + yearDigits
  const time = written < 0 ? null : momentOf(year, bytes, rest)
  if (time === null) failHere(der, `${what} is no time in the form of RFC 5280`)
  else if (yearDigits === 4 && year >= 1950 && year < 2050)
    noteOddity(der, `${what} is before 2050, and no UTCTime`)
  return time
}

/** Identifier octets. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** Context-specific tags, `[0]` to `[30]`. */
export const context = {
  primitive: (number: number) => 0x80 | number,
  constructed: (number: number) => 0xa0 | number,
} as const

/** So many oddities are told one by one; the rest are counted. */
export const maxOddities = 8

/** Stands for every tag number over 30, of which no standard read here has any. */
const otherTag = -1

function placeAt(reading: Reading, at: number, end: number): Der {
  return { reading, at, end, tag: 0, start: at, from: at }
}

/** Behind the octets of a tag number over 30 (X.690 §8.1.2.4); -1 when it is not minimal, cut off, or over four octets. */
function behindLongTag(bytes: Uint8Array, from: number, end: number): number {
  const first = bytes[from] ?? 0
  if (first === 0x80 || first < 0x1f) return -1
  for (let at = from; at < end - 1 && at < from + 4; at++) if ((bytes[at] ?? 0) < 0x80) return at + 1
  return -1
}

/** Dotted decimal; null when the octets are no minimal object identifier, or longer than any in use. */
function decodeOid(bytes: Uint8Array, from: number, end: number): Oid | null {
  if (end <= from || end - from > maxOidBytes || (bytes[end - 1] ?? 0x80) >= 0x80) return null
  let text = ''
  let at = from
  while (at < end) {
    const start = at
    if (bytes[at] === 0x80) return null
    let arc = 0
    let octet = 0x80
    while (octet >= 0x80) {
      octet = bytes[at++] ?? 0
      arc = arc * 128 + (octet & 0x7f)
    }
    // Seven octets are 49 bits, which a number holds exactly.
    const value = at - start <= 7 ? arc : longArc(bytes, start, at)
    if (text !== '') text += `.${value}`
    else if (value < 80) text = value < 40 ? `0.${value}` : `1.${Number(value) - 40}`
    else text = typeof value === 'number' ? `2.${value - 80}` : `2.${value - 80n}`
  }
  return text
}

function longArc(bytes: Uint8Array, from: number, end: number): bigint {
  let arc = 0n
  for (let at = from; at < end; at++) arc = (arc << 7n) | BigInt((bytes[at] ?? 0) & 0x7f)
  return arc
}

/** The number that `count` decimal digits write; -1 when one is no digit. */
function digits(bytes: Uint8Array, from: number, count: number): number {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Milliseconds since 1970 of `MMDDHHMMSS` at `from` in that year; null when there is no such moment. */
function momentOf(year: number, bytes: Uint8Array, from: number): number | null {
  const month = digits(bytes, from, 2)
  const day = digits(bytes, from + 2, 2)
  const hour = digits(bytes, from + 4, 2)
  const minute = digits(bytes, from + 6, 2)
  const second = digits(bytes, from + 8, 2)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(month, year)) return null
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return null
  // Date.UTC takes years below 100 for those of the twentieth century; 400 years later everything is the same but for a constant.
  return Date.UTC(year + 400, month - 1, day, hour, minute, second) - fourCenturiesMs
}

function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Far over the longest in use (2.25 with a UUID: 20 octets), and short enough for arithmetic on one arc. */
const maxOidBytes = 64
const fourCenturiesMs = 146_097 * 86_400_000

const attributeArcs: readonly Oid[] = Array.from({ length: 128 }, (_, index) => `2.5.4.${index}`)
const extensionArcs: readonly Oid[] = Array.from({ length: 128 }, (_, index) => `2.5.29.${index}`)
