/**
 * Records from lines such as `mx.signed.example 300 TLSA 3 1 1 AB…`, for zones that are written down as text. Whole names, without the last dot; `.` is the
 * root. The number after the owner, seconds to live, may be left out.
 *
 * Any type can be given as `TYPE731 \# AABB` (RFC 3597 §5). It throws on a line it cannot read: the lines are ours.
 */
import { nameBytes, type ResourceRecord } from '../../protocol/dns/message.ts'
import { type Name, parseName } from '../../protocol/dns/name.ts'
import { classInternet, typeFromName, typeNumbers } from '../../protocol/dns/numbers.ts'
import { makeRecord } from '../../protocol/dns/records.ts'

export function recordsOf(lines: readonly string[]): readonly ResourceRecord[] {
  return lines.map(recordOf)
}

/** @throws Error when the line is none */
export function recordOf(line: string): ResourceRecord {
  const [owner = '', ...rest] = line.trim().split(/\s+/)
  const hasTtl = /^[0-9]+$/.test(rest[0] ?? '')
  const ttlSeconds = hasTtl ? Number(rest.shift()) : ordinaryTtlSeconds
  const [type = '', ...fields] = rest
  const [first = '', second = ''] = fields
  switch (type) {
    case 'A':
    case 'AAAA':
      return makeRecord(owner, ttlSeconds, { type, address: first })
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return makeRecord(owner, ttlSeconds, { type, target: first })
    case 'MX':
      return makeRecord(owner, ttlSeconds, { type, preference: Number(first), exchange: second })
    case 'TXT':
      return makeRecord(owner, ttlSeconds, { type, text: [Buffer.from(fields.join(' '))] })
    case 'SOA':
      return makeRecord(owner, ttlSeconds, {
        type,
        primary: first,
        mailbox: second,
        serial: number(fields[2]),
        refresh: number(fields[3]),
        retry: number(fields[4]),
        expire: number(fields[5]),
        minimum: number(fields[6]),
      })
    case 'DNAME':
      return raw(owner, typeNumbers.DNAME, ttlSeconds, nameBytes(nameOf(first)))
    case 'SRV': {
      const numbers = [first, second, fields[2]].flatMap(text => [number(text) >> 8, number(text) & 0xff])
      return raw(
        owner,
        typeNumbers.SRV,
        ttlSeconds,
        Uint8Array.of(...numbers, ...nameBytes(nameOf(fields[3] ?? ''))),
      )
    }
    case 'TLSA':
      return raw(owner, typeNumbers.TLSA, ttlSeconds, hexOf(fields.slice(3), [first, second, fields[2]]))
    default: {
      const number = typeFromName(type)
      if (number === null || first !== '\\#') throw new Error(`not a record of the lab: ${line}`)
      return raw(owner, number, ttlSeconds, hexOf(fields.slice(1), []))
    }
  }
}

/** @throws RangeError when it is no name */
export function nameOf(text: string): Name {
  const name = parseName(text)
  if (name === null) throw new RangeError(`not a domain name: ${text}`)
  return name
}

function raw(owner: string, type: number, ttlSeconds: number, rdata: Uint8Array): ResourceRecord {
  return { name: nameOf(owner), type, class: classInternet, ttlSeconds, rdata }
}

/** Single bytes in decimals, then the rest in hex. */
function hexOf(fields: readonly string[], bytes: readonly (string | undefined)[]): Uint8Array {
  const hex = fields.join('')
  if (!/^([0-9A-Fa-f]{2})*$/.test(hex)) throw new RangeError(`not hexadecimal: ${hex}`)
  return Buffer.concat([Uint8Array.from(bytes, number), Buffer.from(hex, 'hex')])
}

function number(text: string | undefined): number {
  if (text === undefined || !/^[0-9]+$/.test(text)) throw new RangeError(`not a number: ${text}`)
  return Number(text)
}

const ordinaryTtlSeconds = 300
