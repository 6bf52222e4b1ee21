/**
 * The signer's own idea of canonical form (RFC 4034 §6, RFC 6840 §5.1) and of what is signed (RFC 4034 §3.1.8.1).
 *
 * It is deliberately not shared with the validator in protocol/dnssec: where the two disagree a test fails, and real validators
 * (test/peers) say who is wrong.
 */
import { nameBytes, type ResourceRecord } from '../../protocol/dns/message.ts'
import type { Name } from '../../protocol/dns/name.ts'
import { typeNumbers } from '../../protocol/dns/numbers.ts'

/** Everything of an RRSIG but the signature. Times in seconds since 1970. */
export interface SignatureHead {
  readonly typeCovered: number
  readonly algorithm: number
  readonly labels: number
  readonly originalTtlSeconds: number
  readonly expiration: number
  readonly inception: number
  readonly keyTag: number
  readonly signer: Name
}

export function lowered(name: Name): Name {
  return name.map(label => label.map(byte => (byte > 0x40 && byte < 0x5b ? byte | 0x20 : byte)))
}

/** Canonical order of names (RFC 4034 §6.1): label by label from the right, as unsigned bytes in lower case. */
export function compareNames(one: Name, other: Name): number {
  const [a, b] = [lowered(one).toReversed(), lowered(other).toReversed()]
  for (const [index, label] of a.entries()) {
    const against = b[index]
    if (against === undefined) return 1
    const order = Buffer.compare(label, against)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** RRSIG RDATA up to the signature. */
export function signatureHead(head: SignatureHead): Uint8Array {
  const fixed = Buffer.alloc(18)
  fixed.writeUInt16BE(head.typeCovered, 0)
  fixed.writeUInt8(head.algorithm, 2)
  fixed.writeUInt8(head.labels, 3)
  fixed.writeUInt32BE(head.originalTtlSeconds, 4)
  fixed.writeUInt32BE(head.expiration >>> 0, 8)
  fixed.writeUInt32BE(head.inception >>> 0, 12)
  fixed.writeUInt16BE(head.keyTag, 16)
  return Buffer.concat([fixed, nameBytes(lowered(head.signer))])
}

/**
 * The bytes that a signature is made over.
 * @param records one RRset, under the owner that the zone has: the wildcard itself, where one was expanded
 */
export function signedBytes(head: SignatureHead, records: readonly ResourceRecord[]): Uint8Array {
  const forms = records.map(record => ({ record, rdata: Buffer.from(canonicalRdata(record)) }))
  forms.sort((a, b) => Buffer.compare(a.rdata, b.rdata))
  const parts: Uint8Array[] = [signatureHead(head)]
  for (const [index, { record, rdata }] of forms.entries()) {
    // RFC 4034 §6.3: the same record twice is one record.
    if (index > 0 && forms[index - 1]?.rdata.equals(rdata) === true) continue
    const fixed = Buffer.alloc(10)
    fixed.writeUInt16BE(record.type, 0)
    fixed.writeUInt16BE(record.class, 2)
    fixed.writeUInt32BE(head.originalTtlSeconds, 4)
    fixed.writeUInt16BE(rdata.length, 8)
    parts.push(nameBytes(lowered(record.name)), fixed, rdata)
  }
  return Buffer.concat(parts)
}

/** Names in the RDATA of the old types are in lower case; those of NSEC stay as they are (RFC 6840 §5.1). */
function canonicalRdata(record: ResourceRecord): Uint8Array {
  const start = namesStartAt.get(record.type)
  if (start === undefined) return record.rdata
  const out = Uint8Array.from(record.rdata)
  let at = start
  for (let names = record.type === typeNumbers.SOA ? 2 : 1; names > 0; names--) {
    for (let length = out[at] ?? 0; length > 0; length = out[at] ?? 0) {
      const label = out.subarray(at + 1, at + 1 + length)
      for (const [index, byte] of label.entries()) if (byte > 0x40 && byte < 0x5b) label[index] = byte | 0x20
      at += 1 + length
    }
    at++
  }
  return out
}

/** Of the types in RFC 4034 §6.2 those that the zones of the lab hold. */
const namesStartAt = new Map<number, number>([
  [typeNumbers.NS, 0],
  [typeNumbers.CNAME, 0],
  [typeNumbers.PTR, 0],
  [typeNumbers.DNAME, 0],
  [typeNumbers.SOA, 0],
  [typeNumbers.MX, 2],
  [typeNumbers.SRV, 6],
])
