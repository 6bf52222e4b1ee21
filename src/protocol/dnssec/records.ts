/**
 * RDATA of DNSSEC's types: RRSIG, DNSKEY, DS, NSEC (RFC 4034), NSEC3 (RFC 5155 §3).
 *
 * A value means that every byte has its place in the type's format, nothing more: signatures are verified elsewhere (signature.ts), and whether a number is
 * one we know is asked where it is used. Reading never throws. What is read holds views of the record's bytes, as the message itself does.
 */
import type { ResourceRecord } from '../dns/message.ts'
import { readName } from '../dns/records.ts'
import type { Dnskey, Ds, Nsec, Nsec3, Rrsig, TypeSet } from './types.ts'

/** RFC 4034 §3.1. */
export function readRrsig({ rdata }: Pick<ResourceRecord, 'rdata'>): Rrsig | 'malformed' {
  const signer = readName(rdata, rrsigFixedBytes)
  // A signature of no bytes is none.
  if (signer === null || signer.end >= rdata.length) return 'malformed'
  return {
    typeCovered: u16(rdata, 0),
    algorithm: u8(rdata, 2),
    labels: u8(rdata, 3),
    originalTtlSeconds: u32(rdata, 4),
    expiration: u32(rdata, 8),
    inception: u32(rdata, 12),
    keyTag: u16(rdata, 16),
    signer: signer.name,
    signature: rdata.subarray(signer.end),
    head: rdata.subarray(0, signer.end),
  }
}

/** RFC 4034 §2.1. What the public key must be like depends on the algorithm, and is looked at when a signature needs it. */
export function readDnskey({ rdata }: Pick<ResourceRecord, 'rdata'>): Dnskey | 'malformed' {
  if (rdata.length < 5) return 'malformed'
  return {
    flags: u16(rdata, 0),
    protocol: u8(rdata, 2),
    algorithm: u8(rdata, 3),
    publicKey: rdata.subarray(4),
    rdata,
    keyTag: keyTag(rdata),
  }
}

/** RFC 4034 §5.1. A digest of the wrong length for a known type matches nothing, but is no fault of the format. */
export function readDs({ rdata }: Pick<ResourceRecord, 'rdata'>): Ds | 'malformed' {
  if (rdata.length < 5) return 'malformed'
  return { keyTag: u16(rdata, 0), algorithm: u8(rdata, 2), digestType: u8(rdata, 3), digest: rdata.subarray(4) }
}

/** RFC 4034 §4.1. The bitmap has at least one block: the owner has an NSEC. */
export function readNsec({ name, rdata }: Pick<ResourceRecord, 'name' | 'rdata'>): Nsec | 'malformed' {
  const next = readName(rdata, 0)
  if (next === null || next.end === rdata.length) return 'malformed'
  const types = readTypeBitmap(rdata.subarray(next.end))
  return types === null ? 'malformed' : { owner: name, next: next.name, types }
}

/**
 * RFC 5155 §3.2, with the hash that the owner's first label holds (§3). Without any type it belongs to an empty non-terminal (§7.1).
 * Whether algorithm and flags are known is asked by who uses it (§8.1, §8.2).
 */
export function readNsec3({ name, rdata }: Pick<ResourceRecord, 'name' | 'rdata'>): Nsec3 | 'malformed' {
  const saltEnd = 5 + u8(rdata, 4)
  const nextEnd = saltEnd + 1 + u8(rdata, saltEnd)
  const [label, ...zone] = name
  if (rdata.length < nextEnd || label === undefined) return 'malformed'
  const hash = fromBase32Hex(label)
  const nextHash = rdata.subarray(saltEnd + 1, nextEnd)
  const types = readTypeBitmap(rdata.subarray(nextEnd))
  const algorithm = u8(rdata, 0)
  if (hash === null || types === null || nextHash.length === 0 || hash.length !== nextHash.length)
    return 'malformed'
  // RFC 5155 §11: algorithm 1 is SHA-1.
  if (algorithm === 1 && hash.length !== 20) return 'malformed'
  return {
    zone,
    hash,
    algorithm,
    flags: u8(rdata, 1),
    iterations: u16(rdata, 2),
    salt: rdata.subarray(5, saltEnd),
    nextHash,
    types,
  }
}

/** RFC 4034 appendix B: a sum over the whole RDATA. Algorithm 1, which has another, is long gone. */
export function keyTag(dnskeyRdata: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < dnskeyRdata.length; at += 2) sum += u16(dnskeyRdata, at)
  return (sum + (sum >>> 16)) & 0xffff
}

/**
 * Types present at a name (RFC 4034 §4.1.2): blocks in increasing order, each of 1 to 32 bytes and none with a zero byte at its end. Null when it is not
 * so; BIND is as strict. Bits of pseudo-types are ignored, as the RFC has it. The bits stay bits: a bitmap may list 65,000 types, and few are ever asked for.
 */
export function readTypeBitmap(bytes: Uint8Array): TypeSet | null {
  const blocks = new Map<number, Uint8Array>()
  let lastBlock = -1
  for (let at = 0; at < bytes.length; ) {
    const block = u8(bytes, at)
    const length = u8(bytes, at + 1)
    const bitmap = bytes.subarray(at + 2, at + 2 + length)
    if (block <= lastBlock || length < 1 || length > 32 || bitmap.length !== length || bitmap.at(-1) === 0)
      return null
    blocks.set(block, bitmap)
    lastBlock = block
    at += 2 + length
  }
  const has = (type: number) => {
    const byte = blocks.get(type >> 8)?.[(type & 0xff) >> 3] ?? 0
    return (byte & (0x80 >> (type & 7))) !== 0 && !isPseudoType(type)
  }
  return {
    has,
    *[Symbol.iterator]() {
      for (const [block, bitmap] of blocks)
        for (let type = block * 256; type < block * 256 + bitmap.length * 8; type++) if (has(type)) yield type
    },
  }
}

/** Base 32 with extended hex alphabet, without padding, in any case (RFC 4648 §7, RFC 5155 §3.3); null when it is none. */
export function fromBase32Hex(text: Uint8Array): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let at = 0
  let bits = 0
  let held = 0
  for (const character of text) {
    const value = base32Value(character)
    if (value === null) return null
    held = ((held << 5) | value) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = held >>> bits
    }
  }
  // Only whole bytes, and nothing in the bits left over: one hash has one form.
  return bits < 5 && (held & ((1 << bits) - 1)) === 0 ? bytes : null
}

function base32Value(character: number): number | null {
  if (character >= 0x30 && character <= 0x39) return character - 0x30
  const lower = character | 0x20
  return lower >= 0x61 && lower <= 0x76 ? lower - 0x61 + 10 : null
}

/** RFC 6895 §3.1: 0 is reserved, 41 is OPT, 128 to 255 are questions and meta-data. None is ever in a zone. */
const isPseudoType = (type: number) => type === 0 || type === 41 || (type >= 128 && type <= 255)

const u8 = (bytes: Uint8Array, at: number) => bytes[at] ?? 0
const u16 = (bytes: Uint8Array, at: number) => (u8(bytes, at) << 8) | u8(bytes, at + 1)
const u32 = (bytes: Uint8Array, at: number) => u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2)

/** The fields of RRSIG before the signer's name. */
const rrsigFixedBytes = 18
