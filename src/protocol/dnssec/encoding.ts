/**
 * RDATA of DNSSEC's types to bytes: what records.ts reads. For who signs zones: the lab and the tests; the validator writes nothing.
 * Numbers are taken as they are, so that a test can also write what no zone should hold.
 */
import { nameBytes } from '../dns/message.ts'
import type { Name } from '../dns/name.ts'
import type { Ds, Nsec3, Rrsig } from './types.ts'

/** RDATA of RRSIG up to the signature (RFC 4034 §3.1), in the case of the signer given. */
export function rrsigHead(fields: Omit<Rrsig, 'signature' | 'head'>): Uint8Array {
  return Buffer.concat([
    u16(fields.typeCovered),
    Uint8Array.of(fields.algorithm, fields.labels),
    u32(fields.originalTtlSeconds),
    u32(fields.expiration),
    u32(fields.inception),
    u16(fields.keyTag),
    nameBytes(fields.signer),
  ])
}

export function dnskeyRdata(flags: number, algorithm: number, publicKey: Uint8Array, protocol = 3): Uint8Array {
  return Buffer.concat([u16(flags), Uint8Array.of(protocol, algorithm), publicKey])
}

export function dsRdata({ keyTag, algorithm, digestType, digest }: Ds): Uint8Array {
  return Buffer.concat([u16(keyTag), Uint8Array.of(algorithm, digestType), digest])
}

export function nsecRdata(next: Name, types: Iterable<number>): Uint8Array {
  return Buffer.concat([nameBytes(next), typeBitmap(types)])
}

export function nsec3Rdata(
  fields: Omit<Nsec3, 'zone' | 'hash' | 'types'> & { readonly types: Iterable<number> },
): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(fields.algorithm, fields.flags),
    u16(fields.iterations),
    Uint8Array.of(fields.salt.length),
    fields.salt,
    Uint8Array.of(fields.nextHash.length),
    fields.nextHash,
    typeBitmap(fields.types),
  ])
}

/** RFC 4034 §4.1.2. No types make no bytes. */
export function typeBitmap(types: Iterable<number>): Uint8Array {
  const blocks = new Map<number, Uint8Array>()
  for (const type of [...types].sort((one, other) => one - other)) {
    const block = type >> 8
    const bitmap = blocks.get(block) ?? new Uint8Array(32)
    blocks.set(block, bitmap)
    const at = (type & 0xff) >> 3
    bitmap[at] = (bitmap[at] ?? 0) | (0x80 >> (type & 7))
  }
  const parts: Uint8Array[] = []
  for (const [block, bitmap] of blocks) {
    const length = bitmap.findLastIndex(byte => byte !== 0) + 1
    parts.push(Uint8Array.of(block, length), bitmap.subarray(0, length))
  }
  return Buffer.concat(parts)
}

/** Base 32 with extended hex alphabet in lower case, without padding (RFC 4648 §7): the first label of an NSEC3 (RFC 5155 §3). */
export function toBase32Hex(bytes: Uint8Array): Uint8Array {
  const out: number[] = []
  let bits = 0
  let held = 0
  const put = (value: number) => out.push(value < 10 ? 0x30 + value : 0x61 + value - 10)
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) put((held >>> (bits - 5)) & 31)
  }
  if (bits > 0) put((held << (5 - bits)) & 31)
  return Uint8Array.from(out)
}

function u16(value: number): Uint8Array {
  return Uint8Array.of((value >>> 8) & 0xff, value & 0xff)
}

function u32(value: number): Uint8Array {
  return Buffer.concat([u16(value >>> 16), u16(value)])
}
