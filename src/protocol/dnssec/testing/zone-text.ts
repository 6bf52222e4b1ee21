/**
 * Records from zone file text, one to a line, as RFCs print them and signers write them (`dnssec-signzone -O full`). For tests: it throws at what it does not know.
 * Names are absolute, with or without the last dot; a `;` ends the line.
 */

import { nameBytes, type ResourceRecord } from '../../dns/message.ts'
import { parseName } from '../../dns/name.ts'
import { classInternet, typeFromName } from '../../dns/numbers.ts'
import { parseIp } from '../../ip.ts'
import { dnskeyRdata, dsRdata, nsec3Rdata, nsecRdata, rrsigHead } from '../encoding.ts'
import { fromBase32Hex } from '../records.ts'

export function recordsFromText(text: string): readonly ResourceRecord[] {
  return text
    .split('\n')
    .map(line => line.replace(/;.*/, '').trim())
    .filter(line => line !== '')
    .map(recordFromText)
}

export function nameFromText(text: string) {
  const name = parseName(text)
  if (name === null) throw new Error(`not a name: ${text}`)
  return name
}

function recordFromText(line: string): ResourceRecord {
  const [owner = '', ttl = '', , type = '', ...fields] = line.split(/\s+/)
  const number = typeFromName(type)
  if (number === null) throw new Error(`not a type: ${type}`)
  return {
    name: nameFromText(owner),
    type: number,
    class: classInternet,
    ttlSeconds: Number(ttl),
    rdata: Uint8Array.from(rdataFromText(type, fields)),
  }
}

function rdataFromText(type: string, fields: readonly string[]): Uint8Array {
  const text = (index: number) => fields[index] ?? ''
  const number = (index: number) => Number(fields[index])
  const joined = (from: number) => fields.slice(from).join('')
  const name = (index: number) => nameBytes(nameFromText(text(index)))
  const types = (from: number) => fields.slice(from).map(mnemonic => typeFromName(mnemonic) ?? -1)
  switch (type) {
    case 'A':
    case 'AAAA':
      return parseIp(text(0)) ?? new Uint8Array(0)
    case 'NS':
    case 'CNAME':
    case 'DNAME':
    case 'PTR':
      return name(0)
    case 'MX':
      return Buffer.concat([u16(number(0)), name(1)])
    case 'SRV':
      return Buffer.concat([u16(number(0)), u16(number(1)), u16(number(2)), name(3)])
    case 'SOA':
      return Buffer.concat([name(0), name(1), ...[2, 3, 4, 5, 6].map(index => u32(number(index)))])
    case 'TXT':
      return Buffer.concat(fields.map(quoted => string(quoted.replaceAll('"', ''))))
    case 'HINFO':
      return Buffer.concat(fields.map(quoted => string(quoted.replaceAll('"', ''))))
    case 'NAPTR':
      return Buffer.concat([
        u16(number(0)),
        u16(number(1)),
        ...[2, 3, 4].map(index => string(text(index).replaceAll('"', ''))),
        name(5),
      ])
    case 'TLSA':
      return Buffer.concat([Uint8Array.of(number(0), number(1), number(2)), Buffer.from(joined(3), 'hex')])
    case 'DS':
      return dsRdata({
        keyTag: number(0),
        algorithm: number(1),
        digestType: number(2),
        digest: Buffer.from(joined(3), 'hex'),
      })
    case 'DNSKEY':
      return dnskeyRdata(number(0), number(2), Buffer.from(joined(3), 'base64'), number(1))
    case 'RRSIG':
      return Buffer.concat([
        rrsigHead({
          typeCovered: typeFromName(text(0)) ?? -1,
          algorithm: number(1),
          labels: number(2),
          originalTtlSeconds: number(3),
          expiration: seconds(text(4)),
          inception: seconds(text(5)),
          keyTag: number(6),
          signer: nameFromText(text(7)),
        }),
        Buffer.from(joined(8), 'base64'),
      ])
    case 'NSEC':
      return nsecRdata(nameFromText(text(0)), types(1))
    case 'NSEC3':
      return nsec3Rdata({
        algorithm: number(0),
        flags: number(1),
        iterations: number(2),
        salt: Buffer.from(text(3) === '-' ? '' : text(3), 'hex'),
        nextHash: fromBase32Hex(Buffer.from(text(4))) ?? new Uint8Array(0),
        types: types(5),
      })
    case 'NSEC3PARAM':
      return Buffer.concat([
        Uint8Array.of(number(0), number(1)),
        u16(number(2)),
        bytesWithLength(Buffer.from(text(3) === '-' ? '' : text(3), 'hex')),
      ])
    default:
      throw new Error(`no text form here for ${type}`)
  }
}

/** `20300101000000`, or plain seconds (RFC 4034 §3.2). */
export function seconds(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text) ?? []
  return year === undefined
    ? Number(text)
    : (Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) /
        1000) %
        2 ** 32
}

const string = (text: string) => bytesWithLength(Buffer.from(text, 'latin1'))
const bytesWithLength = (bytes: Uint8Array) => Buffer.concat([Uint8Array.of(bytes.length), bytes])
const u16 = (value: number) => Uint8Array.of(value >> 8, value & 0xff)
const u32 = (value: number) => Buffer.concat([u16(value >>> 16), u16(value & 0xffff)])
