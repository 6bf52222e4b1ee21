/**
 * The canonical form that signatures are made over, and the canonical order of names (RFC 4034 §6, RFC 6840 §5.1).
 *
 * `signedData` gives the bytes a signature covers. It asks nothing about the signature itself: whether its fields fit the records is looked at in
 * verify-set.ts.
 */
import { nameBytes } from '../dns/message.ts'
import type { Name } from '../dns/name.ts'
import { typeNumbers } from '../dns/numbers.ts'
import { readName } from '../dns/records.ts'
import type { Rrset, Rrsig } from './types.ts'

/** Labels of an owner as RRSIG counts them: without the root, and without a `*` in front (RFC 4034 §3.1.3). */
export function labelCount(owner: Name): number {
  return isWildcard(owner) ? owner.length - 1 : owner.length
}

export function isWildcard(name: Name): boolean {
  return name[0]?.length === 1 && name[0][0] === asterisk
}

/**
 * The owner as it stands in the zone, given how many labels the signature says it has (RFC 4035 §5.3.2): the name itself, or the wildcard it was made from.
 * Null when the signature says more labels than there are.
 */
export function originalOwner(owner: Name, labels: number): Name | null {
  const count = labelCount(owner)
  if (labels > count) return null
  return labels === count ? owner : [Uint8Array.of(asterisk), ...owner.slice(owner.length - labels)]
}

/** Canonical order of names (RFC 4034 §6.1): by labels from the right, as bytes in lower case; a name comes before those below it. Negative, 0, positive. */
export function compareNames(one: Name, other: Name): number {
  const shared = Math.min(one.length, other.length)
  for (let back = 1; back <= shared; back++) {
    const order = compareLabels(one[one.length - back] ?? nothing, other[other.length - back] ?? nothing)
    if (order !== 0) return order
  }
  return one.length - other.length
}

/** Wire form in lower case (RFC 4034 §6.2). Bytes of labels only: a length byte is below 64, and no letter. */
export function canonicalNameBytes(name: Name): Uint8Array {
  return lowered(nameBytes(name))
}

/** RDATA with the names in it in lower case, for the types of RFC 4034 §6.2 as RFC 6840 §5.1 corrects the list. RDATA that breaks its form stays as it is. */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  const layout = typesWithNames.get(type)
  if (layout === undefined) return rdata
  const out = Uint8Array.from(rdata)
  let at = 0
  for (const part of layout) {
    if (part === 'name') {
      const name = readName(rdata, at)
      if (name === null) return rdata
      lowerInPlace(out.subarray(at, name.end))
      at = name.end
    } else at += part === 'string' ? 1 + (rdata[at] ?? 0) : part
  }
  return out
}

/** What is signed: RRSIG RDATA without the signature, then the records in canonical form and order (RFC 4034 §3.1.8.1). Null as with `originalOwner`. */
export function signedData(rrset: Rrset, rrsig: Rrsig): Uint8Array | null {
  const owner = originalOwner(rrset.name, rrsig.labels)
  const [first] = rrset.records
  if (owner === null || first === undefined) return null
  const head = [rrsig.head.subarray(0, 18), canonicalNameBytes(rrsig.signer)]
  const front = Buffer.concat([
    canonicalNameBytes(owner),
    Uint8Array.of(rrset.type >> 8, rrset.type & 0xff, first.class >> 8, first.class & 0xff),
    // The original TTL, whatever is left of it here (RFC 4034 §6.2).
    rrsig.head.subarray(4, 8),
  ])
  const sorted = sortedRdata(rrset)
  const headBytes = head.reduce((sum, part) => sum + part.length, 0)
  const out = Buffer.alloc(sorted.reduce((sum, rdata) => sum + front.length + 2 + rdata.length, headBytes))
  let at = 0
  const put = (bytes: Uint8Array) => {
    out.set(bytes, at)
    at += bytes.length
  }
  head.forEach(put)
  for (const rdata of sorted) {
    put(front)
    at = out.writeUInt16BE(rdata.length, at)
    put(rdata)
  }
  return out
}

/** Each RDATA in canonical form once, in canonical order (RFC 4034 §6.3). Made once for each RRset, however many signatures it has. */
function sortedRdata(rrset: Rrset): readonly Uint8Array[] {
  const known = sortedSets.get(rrset)
  if (known !== undefined) return known
  const sorted = rrset.records
    .map(({ rdata }) => canonicalRdata(rrset.type, rdata))
    .sort(Buffer.compare)
    .filter((rdata, index, all) => index === 0 || Buffer.compare(rdata, all[index - 1] ?? nothing) !== 0)
  sortedSets.set(rrset, sorted)
  return sorted
}

function compareLabels(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length)
  for (let at = 0; at < shared; at++) {
    const order = lower(one[at] ?? 0) - lower(other[at] ?? 0)
    if (order !== 0) return order
  }
  return one.length - other.length
}

function lowered(bytes: Uint8Array): Uint8Array {
  lowerInPlace(bytes)
  return bytes
}

function lowerInPlace(bytes: Uint8Array): void {
  // Not over `entries()`: this runs for every byte of a name, of up to thousands of records.
  for (let at = 0; at < bytes.length; at++) bytes[at] = lower(bytes[at] ?? 0)
}

const lower = (byte: number) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)
const asterisk = 0x2a
const nothing = new Uint8Array(0)
const sortedSets = new WeakMap<Rrset, readonly Uint8Array[]>()

type RdataPart = number | 'name' | 'string'

/**
 * Where names lie in RDATA, up to the last one. Not in the list: NSEC, which RFC 6840 §5.1 takes out; HINFO, which has no names; A6, which is historic
 * (RFC 6563); and all newer types (RFC 3597 §7).
 */
const typesWithNames: ReadonlyMap<number, readonly RdataPart[]> = new Map<number, readonly RdataPart[]>([
  [typeNumbers.NS, ['name']],
  [typeNumbers.MD, ['name']],
  [typeNumbers.MF, ['name']],
  [typeNumbers.CNAME, ['name']],
  [typeNumbers.SOA, ['name', 'name']],
  [typeNumbers.MB, ['name']],
  [typeNumbers.MG, ['name']],
  [typeNumbers.MR, ['name']],
  [typeNumbers.PTR, ['name']],
  [typeNumbers.MINFO, ['name', 'name']],
  [typeNumbers.MX, [2, 'name']],
  [typeNumbers.RP, ['name', 'name']],
  [typeNumbers.AFSDB, [2, 'name']],
  [typeNumbers.RT, [2, 'name']],
  [typeNumbers.SIG, [18, 'name']],
  [typeNumbers.PX, [2, 'name', 'name']],
  [typeNumbers.NXT, ['name']],
  [typeNumbers.SRV, [6, 'name']],
  [typeNumbers.NAPTR, [4, 'string', 'string', 'string', 'name']],
  // KX (RFC 2230).
  [36, [2, 'name']],
  [typeNumbers.DNAME, ['name']],
  [typeNumbers.RRSIG, [18, 'name']],
])
