/**
 * Chains that prove what a zone does not hold: NSEC (RFC 4034 §4) and NSEC3 (RFC 5155 §7.1), and which of their records to show (RFC 4035 §3.1.3,
 * RFC 5155 §7.2).
 *
 * Made from the names of a zone and the types at them. What is signed, and damaged, is sign-zone.ts.
 */
import { createHash } from 'node:crypto'
import { nameBytes, type ResourceRecord } from '../../protocol/dns/message.ts'
import { type Name, nameKey } from '../../protocol/dns/name.ts'
import { classInternet, typeNumbers } from '../../protocol/dns/numbers.ts'
import { compareNames, lowered } from './canonical-form.ts'

export type Denial =
  | { readonly kind: 'nsec' }
  | {
      readonly kind: 'nsec3'
      readonly iterations: number
      /** In hex. */
      readonly salt: string
      /** `unsigned-delegations`: those have no record of their own (RFC 5155 §6). */
      readonly optOut: 'none' | 'unsigned-delegations'
      /** 1 is SHA-1, the only one there is; with another number the hashes are still made so. */
      readonly hashAlgorithm?: number
    }
  /** Answers made up as they are needed: every name exists, and owns nothing (RFC 9824). */
  | { readonly kind: 'compact' }

/** A name of the zone that a chain tells of. */
export interface ChainName {
  readonly name: Name
  readonly types: readonly number[]
  readonly kind: 'authoritative' | 'empty' | 'signed-delegation' | 'unsigned-delegation'
}

export interface DenialChain {
  /** In the order of the chain. */
  readonly records: readonly ResourceRecord[]
  /** The record of this name, if it has one. */
  match(name: Name): ResourceRecord | null
  /** The record whose span this name, which is not in the chain, falls into. */
  cover(name: Name): ResourceRecord | null
}

/** @param names all of the zone, each once */
export function nsecChain(names: readonly ChainName[], ttlSeconds: number): DenialChain {
  const owners = names.filter(({ kind }) => kind !== 'empty').toSorted((a, b) => compareNames(a.name, b.name))
  const records = owners.map(({ name, types }, index): ResourceRecord => {
    const next = owners[(index + 1) % owners.length]?.name ?? name
    return nsecRecord(name, next, [...types, typeNumbers.RRSIG, typeNumbers.NSEC], ttlSeconds)
  })
  const byOwner = new Map(records.map(record => [nameKey(record.name), record]))
  return {
    records,
    match: name => byOwner.get(nameKey(name)) ?? null,
    cover: name => lastBefore(records, record => compareNames(record.name, name)),
  }
}

export function nsecRecord(owner: Name, next: Name, types: readonly number[], ttlSeconds: number): ResourceRecord {
  const rdata = Buffer.concat([nameBytes(next), typeBitmap(types)])
  return { name: owner, type: typeNumbers.NSEC, class: classInternet, ttlSeconds, rdata }
}

export function nsec3Chain(
  apex: Name,
  names: readonly ChainName[],
  ttlSeconds: number,
  denial: Denial & { readonly kind: 'nsec3' },
): DenialChain {
  const salt = Buffer.from(denial.salt, 'hex')
  const hash = (name: Name) => nsec3Hash(name, salt, denial.iterations)
  const isOptedOut = ({ kind }: ChainName) => denial.optOut !== 'none' && kind === 'unsigned-delegation'
  // An empty name has a record only where something below it has one.
  const kept = names.filter(each => !isOptedOut(each))
  const needed = new Set(kept.filter(({ kind }) => kind !== 'empty').flatMap(({ name }) => suffixKeys(name)))
  const hashed = kept
    .filter(({ name }) => needed.has(nameKey(name)))
    .map(each => ({ ...each, hash: hash(each.name) }))
    .toSorted((a, b) => Buffer.compare(a.hash, b.hash))
  const entries = hashed.map(({ hash: own, types, kind }, index) => {
    const next = hashed[(index + 1) % hashed.length]?.hash ?? own
    const isSigned = kind === 'authoritative' || kind === 'signed-delegation'
    const rdata = Buffer.concat([
      Uint8Array.of(denial.hashAlgorithm ?? 1, denial.optOut === 'none' ? 0 : 1),
      Uint8Array.of(denial.iterations >> 8, denial.iterations & 0xff, salt.length),
      salt,
      Uint8Array.of(next.length),
      next,
      typeBitmap(isSigned ? [...types, typeNumbers.RRSIG] : types),
    ])
    const name = [Buffer.from(base32hex(own)), ...apex]
    return { own, record: { name, type: typeNumbers.NSEC3, class: classInternet, ttlSeconds, rdata } }
  })
  const byHash = new Map(entries.map(({ own, record }) => [own.toString('hex'), record]))
  return {
    records: entries.map(({ record }) => record),
    match: name => byHash.get(hash(name).toString('hex')) ?? null,
    cover(name) {
      const wanted = hash(name)
      return lastBefore(entries, ({ own }) => Buffer.compare(own, wanted))?.record ?? null
    },
  }
}

/** RDATA of NSEC3PARAM (RFC 5155 §4.2). */
export function nsec3Parameters(denial: Denial & { readonly kind: 'nsec3' }): Uint8Array {
  const salt = Buffer.from(denial.salt, 'hex')
  const { iterations } = denial
  return Buffer.concat([
    Uint8Array.of(denial.hashAlgorithm ?? 1, 0, iterations >> 8, iterations & 0xff, salt.length),
    salt,
  ])
}

/** RFC 5155 §5. */
export function nsec3Hash(name: Name, salt: Uint8Array, iterations: number): Buffer {
  let digest: Uint8Array = nameBytes(lowered(name))
  for (let round = 0; round <= iterations; round++)
    digest = createHash('sha1').update(digest).update(salt).digest()
  return Buffer.from(digest)
}

/** RFC 4648 §7, in lower case and without padding. */
export function base32hex(bytes: Uint8Array): string {
  const bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map(five => Number.parseInt(five.padEnd(5, '0'), 2).toString(32)).join('')
}

/** RFC 4034 §4.1.2. */
function typeBitmap(types: readonly number[]): Uint8Array {
  const windows = new Map<number, Buffer>()
  for (const type of new Set(types)) {
    const window = windows.get(type >> 8) ?? Buffer.alloc(32)
    const low = type & 0xff
    window[low >> 3] = (window[low >> 3] ?? 0) | (0x80 >> (low & 7))
    windows.set(type >> 8, window)
  }
  const parts: Uint8Array[] = []
  for (const [number, window] of [...windows].toSorted(([a], [b]) => a - b)) {
    const length = window.findLastIndex(byte => byte !== 0) + 1
    parts.push(Uint8Array.of(number, length), window.subarray(0, length))
  }
  return Buffer.concat(parts)
}

/** The last entry that stands before what `compare` looks for; the last of all when none does, for the chain is a ring. */
function lastBefore<T>(entries: readonly T[], compare: (entry: T) => number): T | null {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    const entry = entries[middle]
    if (entry !== undefined && compare(entry) < 0) low = middle + 1
    else high = middle
  }
  return entries[low - 1] ?? entries.at(-1) ?? null
}

function suffixKeys(name: Name): readonly string[] {
  return [...name, new Uint8Array(0)].map((_, index) => nameKey(name.slice(index)))
}
