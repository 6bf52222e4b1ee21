/**
 * RDATA of the types we read and write: A, AAAA, MX, CNAME, PTR, NS, TXT, SOA, TLSA (RFC 1035 §3.3, RFC 3596 §2.2, RFC 6698 §2.1).
 * Every other type stays raw bytes in its `ResourceRecord`.
 *
 * Names come out in lower case without the last dot. Reading never throws; making throws for our own wrong input.
 */
import { formatIp, parseIp } from '../ip.ts'
import type { RecordData } from './answer.ts'
import { nameBytes, type ResourceRecord } from './message.ts'
import { type Name, nameKey, parseName } from './name.ts'
import { classInternet, typeNumbers } from './numbers.ts'

export interface StartOfAuthority {
  readonly type: 'SOA'
  readonly primary: string
  readonly mailbox: string
  readonly serial: number
  /** Seconds, all four. `minimum` bounds how long a negative answer may be kept (RFC 2308 §4). */
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

export type KnownData = RecordData | { readonly type: 'NS'; readonly target: string } | StartOfAuthority

/** What the RDATA says; null when the type is not one of ours. RDATA that breaks its type's form is `malformed`. */
export function readData(record: ResourceRecord): KnownData | 'malformed' | null {
  const { rdata } = record
  switch (record.type) {
    case typeNumbers.A:
      return rdata.length === 4 ? { type: 'A', address: formatIp(rdata) } : 'malformed'
    case typeNumbers.AAAA:
      return rdata.length === 16 ? { type: 'AAAA', address: formatIp(rdata) } : 'malformed'
    case typeNumbers.MX: {
      const exchange = readName(rdata, 2)
      if (exchange === null || exchange.end !== rdata.length) return 'malformed'
      return { type: 'MX', preference: u16(rdata, 0), exchange: nameKey(exchange.name) }
    }
    case typeNumbers.CNAME:
    case typeNumbers.PTR:
    case typeNumbers.NS: {
      const target = readName(rdata, 0)
      if (target === null || target.end !== rdata.length) return 'malformed'
      const type = record.type === typeNumbers.CNAME ? 'CNAME' : record.type === typeNumbers.PTR ? 'PTR' : 'NS'
      return { type, target: nameKey(target.name) }
    }
    case typeNumbers.TXT: {
      const text = readStrings(rdata)
      return text === null ? 'malformed' : { type: 'TXT', text }
    }
    case typeNumbers.SOA:
      return readSoa(rdata)
    case typeNumbers.TLSA: {
      const [usage, selector, matchingType] = rdata
      if (usage === undefined || selector === undefined || matchingType === undefined) return 'malformed'
      return { type: 'TLSA', usage, selector, matchingType, data: Uint8Array.from(rdata.subarray(3)) }
    }
    default:
      return null
  }
}

/**
 * A record of class IN.
 * @param owner presentation form
 * @throws RangeError when a name or address in it is none, or a string is longer than 255 bytes
 */
export function makeRecord(owner: string, ttlSeconds: number, data: KnownData): ResourceRecord {
  return {
    name: nameOf(owner),
    type: typeNumbers[data.type],
    class: classInternet,
    ttlSeconds,
    rdata: rdataOf(data),
  }
}

function rdataOf(data: KnownData): Uint8Array {
  switch (data.type) {
    case 'A':
    case 'AAAA': {
      const bytes = parseIp(data.address)
      if (bytes?.length !== (data.type === 'A' ? 4 : 16))
        throw new RangeError(`not an address for ${data.type}: ${data.address}`)
      return bytes
    }
    case 'MX':
      return Uint8Array.of(data.preference >> 8, data.preference & 0xff, ...nameBytes(nameOf(data.exchange)))
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return nameBytes(nameOf(data.target))
    case 'TXT':
      if (data.text.some(part => part.length > 255)) throw new RangeError('a TXT string is longer than 255 bytes')
      return Uint8Array.from(data.text.flatMap(part => [part.length, ...part]))
    case 'TLSA':
      return Uint8Array.of(data.usage, data.selector, data.matchingType, ...data.data)
    case 'SOA': {
      const numbers = new DataView(new ArrayBuffer(20))
      const fields = [data.serial, data.refresh, data.retry, data.expire, data.minimum]
      for (const [index, value] of fields.entries()) numbers.setUint32(index * 4, value)
      return Uint8Array.of(
        ...nameBytes(nameOf(data.primary)),
        ...nameBytes(nameOf(data.mailbox)),
        ...new Uint8Array(numbers.buffer),
      )
    }
    default:
      return data satisfies never
  }
}

function nameOf(text: string): Name {
  const name = parseName(text)
  if (name === null) throw new RangeError(`not a domain name: ${text}`)
  return name
}

/** An uncompressed name inside RDATA: message.ts has written the pointers out. Lengths are checked again, for RDATA from elsewhere. */
export function readName(rdata: Uint8Array, start: number): { name: Name; end: number } | null {
  const labels: Uint8Array[] = []
  for (let at = start; at - start < 255; ) {
    const length = rdata[at]
    if (length === undefined || length > 63) return null
    if (length === 0) return { name: labels, end: at + 1 }
    if (at + 1 + length > rdata.length) return null
    labels.push(rdata.subarray(at + 1, at + 1 + length))
    at += 1 + length
  }
  return null
}

/** One or more character strings (RFC 1035 §3.3.14), copied: an answer outlives its message. */
function readStrings(rdata: Uint8Array): readonly Uint8Array[] | null {
  const strings: Uint8Array[] = []
  for (let at = 0; at < rdata.length; ) {
    const end = at + 1 + (rdata[at] ?? 0)
    if (end > rdata.length) return null
    strings.push(Uint8Array.from(rdata.subarray(at + 1, end)))
    at = end
  }
  return strings.length === 0 ? null : strings
}

function readSoa(rdata: Uint8Array): StartOfAuthority | 'malformed' {
  const primary = readName(rdata, 0)
  const mailbox = primary === null ? null : readName(rdata, primary.end)
  if (primary === null || mailbox === null || rdata.length !== mailbox.end + 20) return 'malformed'
  const field = (index: number) => u32(rdata, mailbox.end + index * 4)
  return {
    type: 'SOA',
    primary: nameKey(primary.name),
    mailbox: nameKey(mailbox.name),
    serial: field(0),
    refresh: field(1),
    retry: field(2),
    expire: field(3),
    minimum: field(4),
  }
}

const u16 = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
const u32 = (bytes: Uint8Array, at: number) => u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2)
