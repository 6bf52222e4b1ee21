/**
 * Records as lines of a zone file (RFC 1035 §5.1): types that people read in the form of their RFC, all others, and RDATA that breaks its type's form, as
 * `\# 4 C0000201` (RFC 3597 §5).
 *
 * Success means that a reader of zone files makes the same record of the line, and that it is plain ASCII whatever the record holds. Names end in a dot.
 */
import type { ResourceRecord } from './dns/message.ts'
import { formatName, type Name } from './dns/name.ts'
import { classInternet, typeName, typeNumbers } from './dns/numbers.ts'
import { readName } from './dns/records.ts'
import { toBase32Hex } from './dnssec/encoding.ts'
import { readTypeBitmap } from './dnssec/records.ts'
import { formatIp } from './ip.ts'

/** `mx.example. 300 IN A 192.0.2.1`. */
export function recordLine(record: ResourceRecord): string {
  const { name, type, class: recordClass, ttlSeconds, rdata } = record
  const className = recordClass === classInternet ? 'IN' : `CLASS${recordClass}`
  return `${nameText(name)} ${ttlSeconds} ${className} ${typeName(type)} ${rdataText(type, rdata)}`
}

/** What follows the type. */
export function rdataText(type: number, rdata: Uint8Array): string {
  const layout = layouts.get(type)
  const words = layout === undefined ? null : readFields(layout, rdata)
  return words === null ? unknownText(rdata) : words.join(' ')
}

/** With its last dot; the root is a dot. */
export function nameText(name: Name): string {
  return `${formatName(name)}.`
}

function unknownText(rdata: Uint8Array): string {
  return rdata.length === 0 ? '\\# 0' : `\\# ${rdata.length} ${hexText(rdata)}`
}

/** Null when the RDATA does not have these fields, all of it. */
function readFields(layout: readonly Field[], rdata: Uint8Array): readonly string[] | null {
  const words: string[] = []
  let at = 0
  for (const field of layout) {
    const read = readers[field](rdata, at)
    if (read === null) return null
    words.push(...read.words)
    at = read.end
  }
  return at === rdata.length ? words : null
}

type Field = keyof typeof readers
interface Read {
  readonly words: readonly string[]
  readonly end: number
}
type Reader = (rdata: Uint8Array, at: number) => Read | null

const number =
  (bytes: number): Reader =>
  (rdata, at) => {
    if (at + bytes > rdata.length) return null
    return { words: [String(integerAt(rdata, at, bytes))], end: at + bytes }
  }

const address =
  (bytes: number): Reader =>
  (rdata, at) =>
    at + bytes > rdata.length ? null : { words: [formatIp(rdata.subarray(at, at + bytes))], end: at + bytes }

const rest =
  (text: (bytes: Uint8Array) => string, least: number): Reader =>
  (rdata, at) => {
    const bytes = rdata.subarray(at)
    return bytes.length < least ? null : { words: [text(bytes)], end: rdata.length }
  }

/** Bytes after a length of one byte. */
const counted =
  (text: (bytes: Uint8Array) => string | null): Reader =>
  (rdata, at) => {
    const end = at + 1 + (rdata[at] ?? 0)
    const word = at < rdata.length && end <= rdata.length ? text(rdata.subarray(at + 1, end)) : null
    return word === null ? null : { words: [word], end }
  }

const readers = {
  u8: number(1),
  u16: number(2),
  u32: number(4),
  ipv4: address(4),
  ipv6: address(16),
  name: (rdata, at) => {
    const read = readName(rdata, at)
    return read === null ? null : { words: [nameText(read.name)], end: read.end }
  },
  type: (rdata, at) =>
    at + 2 > rdata.length ? null : { words: [typeName(integerAt(rdata, at, 2))], end: at + 2 },
  /** RFC 4034 §3.2. */
  time: (rdata, at) =>
    at + 4 > rdata.length ? null : { words: [timeText(integerAt(rdata, at, 4))], end: at + 4 },
  string: counted(quoted),
  strings: (rdata, at) => {
    const words: string[] = []
    let next = at
    while (next < rdata.length) {
      const read = readers.string(rdata, next)
      if (read === null) return null
      words.push(...read.words)
      next = read.end
    }
    return words.length === 0 ? null : { words, end: next }
  },
  hex: rest(hexText, 1),
  base64: rest(bytes => Buffer.from(bytes).toString('base64'), 1),
  quotedRest: rest(quoted, 0),
  salt: counted(bytes => (bytes.length === 0 ? '-' : hexText(bytes))),
  hash: counted(bytes => (bytes.length === 0 ? null : Buffer.from(toBase32Hex(bytes)).toString('latin1'))),
  /** RFC 4034 §4.2. */
  bitmap: (rdata, at) => {
    const types = readTypeBitmap(rdata.subarray(at))
    return types === null ? null : { words: [...types].map(typeName), end: rdata.length }
  },
  /** A name of letters and digits (RFC 8659 §4.1). */
  tag: counted(bytes => {
    const text = Buffer.from(bytes).toString('latin1')
    return /^[0-9A-Za-z]+$/.test(text) ? text : null
  }),
} as const satisfies Readonly<Record<string, Reader>>

const layouts: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [typeNumbers.A, ['ipv4']],
  [typeNumbers.AAAA, ['ipv6']],
  [typeNumbers.MX, ['u16', 'name']],
  [typeNumbers.NS, ['name']],
  [typeNumbers.CNAME, ['name']],
  [typeNumbers.DNAME, ['name']],
  [typeNumbers.PTR, ['name']],
  [typeNumbers.SOA, ['name', 'name', 'u32', 'u32', 'u32', 'u32', 'u32']],
  [typeNumbers.TXT, ['strings']],
  [typeNumbers.SPF, ['strings']],
  [typeNumbers.SRV, ['u16', 'u16', 'u16', 'name']],
  [typeNumbers.TLSA, ['u8', 'u8', 'u8', 'hex']],
  [typeNumbers.SMIMEA, ['u8', 'u8', 'u8', 'hex']],
  [typeNumbers.SSHFP, ['u8', 'u8', 'hex']],
  [typeNumbers.DS, ['u16', 'u8', 'u8', 'hex']],
  [typeNumbers.CDS, ['u16', 'u8', 'u8', 'hex']],
  [typeNumbers.DNSKEY, ['u16', 'u8', 'u8', 'base64']],
  [typeNumbers.CDNSKEY, ['u16', 'u8', 'u8', 'base64']],
  [typeNumbers.RRSIG, ['type', 'u8', 'u8', 'u32', 'time', 'time', 'u16', 'name', 'base64']],
  [typeNumbers.NSEC, ['name', 'bitmap']],
  [typeNumbers.NSEC3, ['u8', 'u8', 'u16', 'salt', 'hash', 'bitmap']],
  [typeNumbers.NSEC3PARAM, ['u8', 'u8', 'u16', 'salt']],
  [typeNumbers.CAA, ['u8', 'tag', 'quotedRest']],
])

/** Between quotes, with what is not plain ASCII as `\DDD`. */
function quoted(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    if (byte < 0x20 || byte > 0x7e) text += `\\${String(byte).padStart(3, '0')}`
    else if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`
    else text += String.fromCharCode(byte)
  }
  return `"${text}"`
}

/** `20260115120000`, in UTC. A number of 32 bits that has gone round once means another century, and a zone file cannot say so. */
function timeText(seconds: number): string {
  return new Date(seconds * 1000)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[^0-9]/g, '')
}

function integerAt(rdata: Uint8Array, at: number, bytes: number): number {
  let value = 0
  for (let index = at; index < at + bytes; index++) value = value * 256 + (rdata[index] ?? 0)
  return value
}

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
