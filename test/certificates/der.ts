/**
 * Writing DER (X.690), right or wrong: what certificates for tests are put together from.
 *
 * Nothing here checks what it is given: broken certificates are the purpose. It shares no code with the reader under test.
 */

/** One element: tag octet, length in the shortest form, contents. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.of(tag), lengthOctets(content.length), content])
}

export function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(0x30, ...contents)
}

/** SET OF with its members as given: DER wants them sorted, and one member needs no order. */
export function set(...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(0x31, ...contents)
}

export function boolean(value: boolean): Uint8Array {
  return tlv(0x01, Buffer.of(value ? 0xff : 0))
}

/** INTEGER with the content octets given: negative, padded or empty as they are. */
export function rawInteger(octets: Uint8Array): Uint8Array {
  return tlv(0x02, octets)
}

/** A non-negative INTEGER in its shortest form. */
export function integer(value: bigint | number): Uint8Array {
  const digits = BigInt(value).toString(16)
  const octets = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  return rawInteger((octets[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets)
}

export function bitString(octets: Uint8Array, unusedBits = 0): Uint8Array {
  return tlv(0x03, Buffer.of(unusedBits), octets)
}

export function octetString(octets: Uint8Array): Uint8Array {
  return tlv(0x04, octets)
}

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tlv(0x06, Buffer.concat([first * 40 + second, ...rest].map(base128)))
}

export function utf8String(text: string): Uint8Array {
  return tlv(0x0c, Buffer.from(text, 'utf8'))
}

export function printableString(text: string): Uint8Array {
  return tlv(0x13, Buffer.from(text, 'latin1'))
}

/** UTCTime through 2049, GeneralizedTime after it (RFC 5280 §4.1.2.5). */
export function time(date: Date): Uint8Array {
  return date.getUTCFullYear() < 2050 ? utcTime(timeText(date).slice(2)) : generalizedTime(timeText(date))
}

/** UTCTime with this text, whatever it says. */
export function utcTime(text: string): Uint8Array {
  return tlv(0x17, Buffer.from(text, 'latin1'))
}

/** GeneralizedTime with this text, whatever it says. */
export function generalizedTime(text: string): Uint8Array {
  return tlv(0x18, Buffer.from(text, 'latin1'))
}

/** Context-specific and constructed: `[number] { … }`. */
export function explicit(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(0xa0 | number, ...contents)
}

/** Context-specific and primitive: `[number] IMPLICIT octets`. */
export function implicit(number: number, octets: Uint8Array): Uint8Array {
  return tlv(0x80 | number, octets)
}

export const nullValue: Uint8Array = Buffer.of(0x05, 0)

/** The elements inside a constructed element that is well-formed: for taking our own certificates apart again. */
export function children(der: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = headerLength(der, 0); at < der.length; ) {
    const end = at + headerLength(der, at) + contentLength(der, at)
    found.push(der.subarray(at, end))
    at = end
  }
  return found
}

function contentLength(der: Uint8Array, at: number): number {
  const first = der[at + 1] ?? 0
  if (first < 0x80) return first
  return der.subarray(at + 2, at + 2 + (first & 0x7f)).reduce((total, octet) => total * 256 + octet, 0)
}

function headerLength(der: Uint8Array, at: number): number {
  const first = der[at + 1] ?? 0
  return first < 0x80 ? 2 : 2 + (first & 0x7f)
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Buffer.of(length)
  const octets = base256(length)
  return Buffer.concat([Buffer.of(0x80 | octets.length), octets])
}

function base256(value: number): Uint8Array {
  const octets: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Buffer.from(octets)
}

function base128(value: number): Uint8Array {
  const octets = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    octets.unshift(0x80 | (rest % 128))
  return Buffer.from(octets)
}

/** `20260601000000Z` */
function timeText(date: Date): string {
  return `${date.toISOString().replaceAll(/\D/g, '').slice(0, 14)}Z`
}
