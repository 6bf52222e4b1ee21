/**
 * Writes DER, and certificates part by part, right or wrong as asked: for tests of reading. Nothing is signed.
 */
import type { Oid } from '../model.ts'

/** One element with the shortest length. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content])
}

export const sequence = (...contents: readonly Uint8Array[]) => element(0x30, ...contents)
export const set = (...contents: readonly Uint8Array[]) => element(0x31, ...contents)
/** Constructed, context-specific: `[number]`. */
export const tagged = (number: number, ...contents: readonly Uint8Array[]) => element(0xa0 | number, ...contents)
/** Primitive, context-specific. */
export const implicit = (number: number, text: string | Uint8Array) => element(0x80 | number, Buffer.from(text))
export const octetString = (...contents: readonly Uint8Array[]) => element(0x04, ...contents)
export const bitString = (unused: number, ...contents: readonly Uint8Array[]) =>
  element(0x03, Buffer.from([unused]), ...contents)
export const text = (tag: number, value: string) => element(tag, Buffer.from(value))
export const utf8 = (value: string) => text(0x0c, value)
export const printable = (value: string) => text(0x13, value)
export const ia5 = (value: string) => text(0x16, value)
export const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex')
/** A BOOLEAN. */
export const yes = hex('0101ff')
export const no = hex('010100')

/** A positive INTEGER from a number or hex digits. */
export function integer(value: number | string): Buffer {
  const digits = typeof value === 'string' ? value : value.toString(16)
  const octets = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  return element(0x02, (octets[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), octets)
}

export function oid(dotted: Oid): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second, ...rest].flatMap(arc => {
    const groups = [arc & 0x7f]
    for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128))
      groups.unshift(0x80 | (more & 0x7f))
    return groups
  })
  return element(0x06, Buffer.from(octets))
}

/** A Name of relative names; each is a list of attributes. */
export function name(...relatives: readonly (readonly (readonly [type: Oid, value: Uint8Array])[])[]): Buffer {
  return sequence(
    ...relatives.map(attributes => set(...attributes.map(([type, value]) => sequence(oid(type), value)))),
  )
}

export const commonName = (value: string) => name([['2.5.4.3', utf8(value)]])

export const extension = (id: Oid, value: Uint8Array, critical: Uint8Array = Buffer.alloc(0)) =>
  sequence(oid(id), critical, octetString(value))

/** A SubjectPublicKeyInfo of Ed25519. */
export const ed25519Key = sequence(sequence(oid('1.3.101.112')), bitString(0, Buffer.alloc(32, 7)))

/** A SubjectPublicKeyInfo of RSA; the modulus is the product of nothing. */
export function rsaKey(bits: number, exponent: number | string = 65_537): Buffer {
  const modulus = `${(2 ** ((bits - 1) % 4)).toString(16)}${'f'.repeat(Math.floor((bits - 1) / 4))}`
  const key = sequence(integer(modulus), integer(exponent))
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), hex('0500')), bitString(0, key))
}

/** The parts of a certificate as encoded; each can be replaced, and left out by an empty buffer. */
export interface Parts {
  readonly version: Uint8Array
  readonly serial: Uint8Array
  readonly innerAlgorithm: Uint8Array
  readonly issuer: Uint8Array
  readonly validity: Uint8Array
  readonly subject: Uint8Array
  readonly key: Uint8Array
  readonly uniqueIds: Uint8Array
  readonly extensions: readonly Uint8Array[]
  /** The list with its tags, in place of `extensions`. */
  readonly extensionsField: Uint8Array | null
  readonly algorithm: Uint8Array
  readonly signature: Uint8Array
}

/** A certificate, sound but for the parts given. */
export function certificate(parts: Partial<Parts> = {}): Buffer {
  const all: Parts = { ...soundParts, ...parts }
  const list = all.extensions.length === 0 ? Buffer.alloc(0) : tagged(3, sequence(...all.extensions))
  const tbs = sequence(
    all.version,
    all.serial,
    all.innerAlgorithm,
    all.issuer,
    all.validity,
    all.subject,
    all.key,
    all.uniqueIds,
    all.extensionsField ?? list,
  )
  return sequence(tbs, all.algorithm, all.signature)
}

/** In the way of PEM. */
export function pemOf(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 0xff)
  return [0x80 | octets.length, ...octets]
}

const ed25519 = sequence(oid('1.3.101.112'))

const soundParts: Parts = {
  version: tagged(0, integer(2)),
  serial: integer('0102030405060708'),
  innerAlgorithm: ed25519,
  issuer: commonName('Root'),
  validity: sequence(text(0x17, '260101000000Z'), text(0x17, '270101000000Z')),
  subject: commonName('mx.example.org'),
  key: ed25519Key,
  uniqueIds: Buffer.alloc(0),
  extensions: [extension('2.5.29.17', sequence(implicit(2, 'mx.example.org')))],
  extensionsField: null,
  algorithm: ed25519,
  signature: bitString(0, Buffer.alloc(64, 9)),
}
