/**
 * Records of a section of a message as RRsets, each with the signatures that came with it (RFC 2181 §5, RFC 4035 §5.3.1).
 *
 * Order is that of the first record of each set. Records of another class than IN are left out, and so is an RRSIG that cannot be read, or that covers
 * nothing that is here. Nothing is verified.
 */
import type { ResourceRecord } from '../dns/message.ts'
import type { Name } from '../dns/name.ts'
import { classInternet, typeNumbers } from '../dns/numbers.ts'
import { canonicalNameBytes, canonicalRdata } from './canonical.ts'
import { readRrsig } from './records.ts'
import type { Rrset, Rrsig } from './types.ts'

/** Records that are the same but for case of a name that does not matter count once (RFC 4034 §6.3). Takes time linear in the bytes of the records. */
export function groupRrsets(records: readonly ResourceRecord[]): readonly Rrset[] {
  const open = new Map<string, OpenSet>()
  // Names that a message shares are one array: they are brought into canonical form once.
  const owners = new Map<Name, string>()
  const ownerOf = (name: Name): string => {
    const known = owners.get(name) ?? latin1(canonicalNameBytes(name))
    owners.set(name, known)
    return known
  }
  const signatures: { readonly key: string; readonly rrsig: Rrsig; readonly ttlSeconds: number }[] = []
  for (const record of records) {
    if (record.class !== classInternet) continue
    const owner = ownerOf(record.name)
    if (record.type === typeNumbers.RRSIG) {
      const rrsig = readRrsig(record)
      if (rrsig !== 'malformed')
        signatures.push({ key: `${rrsig.typeCovered} ${owner}`, rrsig, ttlSeconds: record.ttlSeconds })
      continue
    }
    const key = `${record.type} ${owner}`
    const set = open.get(key) ?? {
      first: record,
      ttlSeconds: record.ttlSeconds,
      byRdata: new Map(),
      signatures: [],
    }
    open.set(key, set)
    const rdata = latin1(canonicalRdata(record.type, record.rdata))
    if (!set.byRdata.has(rdata)) set.byRdata.set(rdata, record)
    set.ttlSeconds = Math.min(set.ttlSeconds, record.ttlSeconds)
  }
  for (const { key, rrsig, ttlSeconds } of signatures) {
    const set = open.get(key)
    if (set === undefined) continue
    set.signatures.push(rrsig)
    set.ttlSeconds = Math.min(set.ttlSeconds, ttlSeconds)
  }
  return Array.from(open.values(), ({ first, ttlSeconds, byRdata, signatures }) => ({
    name: first.name,
    type: first.type,
    records: [...byRdata.values()],
    signatures,
    ttlSeconds,
  }))
}

interface OpenSet {
  readonly first: ResourceRecord
  readonly byRdata: Map<string, ResourceRecord>
  readonly signatures: Rrsig[]
  ttlSeconds: number
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
