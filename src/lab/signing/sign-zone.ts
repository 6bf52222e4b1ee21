/**
 * A zone of the lab, signed (RFC 4035 §2) or not, and damaged only where that was asked for.
 *
 * Success means that every RRset the zone is responsible for can be asked for together with its signatures, and that a chain of NSEC or NSEC3 tells what is
 * not there. Delegations and what lies below them are not signed, except DS. Signatures are made when they are first needed, so large worlds cost little.
 *
 * Times come from the clock that is passed in. Which records answer which question is answering.ts.
 */
import type { ResourceRecord } from '../../protocol/dns/message.ts'
import { equalNames, isAtOrBelow, type Name, nameKey } from '../../protocol/dns/name.ts'
import { classInternet, type TypeMnemonic, typeNumbers } from '../../protocol/dns/numbers.ts'
import { readData } from '../../protocol/dns/records.ts'
import { type SignatureHead, signatureHead, signedBytes } from './canonical-form.ts'
import { type ChainName, type Denial, type DenialChain, nsec3Chain, nsec3Parameters, nsecChain } from './denial.ts'
import { collidingKeys, type ZoneKey, zoneKey } from './zone-keys.ts'
import { nameOf, recordOf } from './zone-lines.ts'

export interface ZoneSource {
  /** Whole, without the last dot; the root is `''`. */
  readonly apex: string
  /** SOA and NS of the apex are added when they are missing. */
  readonly records: readonly ResourceRecord[]
}

export interface SigningOptions {
  /** Each signs everything. */
  readonly algorithms?: readonly number[]
  /** `split`: a KSK for the DNSKEY set and a ZSK for all the rest. */
  readonly keys?: 'combined' | 'split'
  readonly denial?: Denial
  readonly damage?: readonly Damage[]
}

/** Which RRsets: both given, both must fit; none given, all of the zone. */
interface Scope {
  readonly type?: TypeMnemonic
  /** The owner, whole; of a wildcard the wildcard itself. */
  readonly name?: string
}

export type Damage =
  /** No signatures. */
  | ({ readonly kind: 'stripped' } & Scope)
  | ({ readonly kind: 'expired' } & Scope)
  | ({ readonly kind: 'not-yet-valid' } & Scope)
  /** One bit of each signature. */
  | ({ readonly kind: 'flipped-bit' } & Scope)
  /** The signer's name is another zone's; the key is our own, and so is the key tag. */
  | ({ readonly kind: 'wrong-signer'; readonly signer: string } & Scope)
  /** Signed by a key that is in no DNSKEY set. */
  | ({ readonly kind: 'unknown-key' } & Scope)
  /** The keys that sign have the REVOKE bit. */
  | { readonly kind: 'revoked-key' }
  /** The DNSKEY set is empty, or lacks what signs everything but itself. */
  | { readonly kind: 'missing-dnskey'; readonly which: 'all' | 'zsk' }
  /** The record of the chain that tells of this name, or would, is not to be had. */
  | { readonly kind: 'gap'; readonly at: string }
  /** So many more keys with the tag of the one that signs, before it in the set, and so many worthless signatures before the good one. */
  | { readonly kind: 'colliding-keys'; readonly keys: number; readonly signatures: number }

export interface LabRrset {
  readonly name: Name
  readonly type: number
  readonly records: readonly ResourceRecord[]
  /** RRSIG records; none in a zone that is not signed. */
  readonly signatures: readonly ResourceRecord[]
  /** Not as honest signing would have left it. */
  readonly isDamaged: boolean
}

/** How to sign, when not as the zone's own signer does. */
export interface SigningWish extends Partial<SignatureHead> {
  readonly key?: ZoneKey
}

export interface LabZone {
  readonly apex: Name
  readonly isSigned: boolean
  readonly denial: Denial | null
  readonly chain: DenialChain | null
  readonly keys: readonly ZoneKey[]
  /** Whether something of the whole zone is damaged: its keys. */
  readonly hasBadKeys: boolean
  /** The types at a name, chain records aside; null when there is no such name. Empty names have none. */
  typesAt(name: Name): readonly number[] | null
  rrset(name: Name, type: number): LabRrset | null
  /** The delegation that the name is at or below; null when the zone is responsible for it. */
  delegationOf(name: Name): Name | null
  /** The RRset of one record of the chain; null where it is missing on purpose. */
  proof(record: ResourceRecord): LabRrset | null
  /** RRSIGs of records that need not be in the zone: what its owner, or the thief of its key, could sign. */
  sign(records: readonly ResourceRecord[], wish?: SigningWish): readonly ResourceRecord[]
  readonly soa: LabRrset
  readonly negativeTtlSeconds: number
}

/** @param signing null: the zone is not signed. @param nowMs milliseconds since 1970 */
export function signZone(source: ZoneSource, signing: SigningOptions | null, nowMs: number): LabZone {
  const apex = nameOf(source.apex)
  const damage = signing?.damage ?? []
  const keys = signing === null ? [] : keysOf(apex, signing)
  const records = [...source.records]
  const isAt = (type: number) => records.some(record => record.type === type && equalNames(record.name, apex))
  const dot = source.apex === '' ? '' : `.${source.apex}`
  const owner = source.apex === '' ? '.' : source.apex
  if (!isAt(typeNumbers.SOA))
    records.push(recordOf(`${owner} SOA ns${dot} hostmaster${dot} 1 3600 600 86400 ${negativeSeconds}`))
  if (!isAt(typeNumbers.NS)) records.push(recordOf(`${owner} NS ns${dot}`))
  const denial = signing === null ? null : (signing.denial ?? { kind: 'nsec' })
  const atApex = (type: number, rdata: Uint8Array, ttlSeconds: number) =>
    records.push({ name: apex, type, class: classInternet, ttlSeconds, rdata })
  for (const key of publishedKeys(keys, damage)) atApex(typeNumbers.DNSKEY, key.rdata, keyTtlSeconds)
  if (denial?.kind === 'nsec3') atApex(typeNumbers.NSEC3PARAM, nsec3Parameters(denial), 0)

  const nodes = group(records, apex)
  const cuts = [...nodes.values()].filter(
    ({ name, rrsets }) => rrsets.has(typeNumbers.NS) && !equalNames(name, apex),
  )
  const cutKeys = new Map(cuts.map(({ name }) => [nameKey(name), name]))
  const delegationOf = (name: Name) => {
    for (let from = name.length - apex.length - 1; from >= 0; from--) {
      const cut = cutKeys.get(nameKey(name.slice(from)))
      if (cut !== undefined) return cut
    }
    return null
  }
  const soaData = nodes.get(nameKey(apex))?.rrsets.get(typeNumbers.SOA)?.[0]
  const soaRead = soaData === undefined ? null : readData(soaData)
  if (soaData === undefined || soaRead === null || soaRead === 'malformed' || soaRead.type !== 'SOA')
    throw new Error(`the SOA of ${owner} cannot be read`)
  const negativeTtlSeconds = Math.min(soaRead.minimum, soaData.ttlSeconds)

  const sign = (set: readonly ResourceRecord[], wish: SigningWish = {}) =>
    signaturesOf(set, { apex, keys, nowMs, wish, damage: [] })
  const rrsetOf = (set: readonly ResourceRecord[]): LabRrset | null => {
    const [first] = set
    if (first === undefined) return null
    const cut = delegationOf(first.name)
    const isOurs =
      cut === null ||
      (equalNames(cut, first.name) && (first.type === typeNumbers.DS || first.type === typeNumbers.NSEC))
    const fitting = damage.filter(each => fits(each, first))
    let made: readonly ResourceRecord[] | null = null
    return {
      name: first.name,
      type: first.type,
      records: set,
      get signatures() {
        if (signing === null || !isOurs) return []
        made ??= signaturesOf(set, { apex, keys, nowMs, wish: {}, damage: fitting })
        return made
      },
      isDamaged: fitting.some(({ kind }) => kind !== 'colliding-keys'),
    }
  }
  const kept = new Map<string, LabRrset | null>()
  const remembered = (set: readonly ResourceRecord[]) => {
    const id = set[0] === undefined ? '' : `${nameKey(set[0].name)} ${set[0].type}`
    const known = kept.get(id)
    if (known !== undefined) return known
    const made = rrsetOf(set)
    kept.set(id, made)
    return made
  }

  const chain = onceAsked(() =>
    denial === null ? null : chainOf(apex, denial, chainNames(nodes, delegationOf), negativeTtlSeconds),
  )
  const missing = onceAsked(() => {
    const gaps = damage.flatMap(each => (each.kind === 'gap' ? [nameOf(each.at)] : []))
    return new Set(gaps.map(at => chain()?.match(at) ?? chain()?.cover(at) ?? null))
  })
  const soa = remembered([soaData])
  if (soa === null) throw new Error('one record is an RRset')
  return {
    apex,
    isSigned: signing !== null,
    denial,
    get chain() {
      return chain()
    },
    keys,
    hasBadKeys: damage.some(({ kind }) => kind === 'revoked-key' || kind === 'missing-dnskey'),
    typesAt: name => nodes.get(nameKey(name))?.types() ?? null,
    rrset(name, type) {
      const fromChain = type === typeNumbers.NSEC ? chain()?.match(name) : undefined
      if (fromChain?.type === type && !missing().has(fromChain)) return remembered([fromChain])
      return remembered(nodes.get(nameKey(name))?.rrsets.get(type) ?? [])
    },
    delegationOf,
    proof: record => (missing().has(record) ? null : remembered([record])),
    sign,
    soa,
    negativeTtlSeconds,
  }
}

interface Node {
  readonly name: Name
  readonly rrsets: Map<number, ResourceRecord[]>
  types(): readonly number[]
}

/** Every name of the zone, those in between that own nothing included (RFC 8020 §2). */
function group(records: readonly ResourceRecord[], apex: Name): Map<string, Node> {
  const nodes = new Map<string, Node>()
  const nodeOf = (name: Name) => {
    const known = nodes.get(nameKey(name))
    if (known !== undefined) return known
    const rrsets = new Map<number, ResourceRecord[]>()
    const node = { name, rrsets, types: () => [...rrsets.keys()] }
    nodes.set(nameKey(name), node)
    return node
  }
  for (const record of records) {
    if (!isAtOrBelow(record.name, apex)) throw new Error(`not in the zone: ${nameKey(record.name)}`)
    for (let from = 1; record.name.length - from >= apex.length; from++) nodeOf(record.name.slice(from))
    const { rrsets } = nodeOf(record.name)
    const set = rrsets.get(record.type)
    if (set === undefined) rrsets.set(record.type, [record])
    else set.push(record)
  }
  return nodes
}

function chainNames(
  nodes: ReadonlyMap<string, Node>,
  delegationOf: (name: Name) => Name | null,
): readonly ChainName[] {
  const names: ChainName[] = []
  for (const { name, types } of nodes.values()) {
    const cut = delegationOf(name)
    if (cut === null) names.push({ name, types: types(), kind: types().length === 0 ? 'empty' : 'authoritative' })
    else if (equalNames(cut, name)) {
      const own = types().filter(type => type === typeNumbers.NS || type === typeNumbers.DS)
      names.push({
        name,
        types: own,
        kind: own.includes(typeNumbers.DS) ? 'signed-delegation' : 'unsigned-delegation',
      })
    }
  }
  return names
}

function chainOf(apex: Name, denial: Denial, names: readonly ChainName[], ttlSeconds: number): DenialChain | null {
  switch (denial.kind) {
    case 'nsec':
      return nsecChain(names, ttlSeconds)
    case 'nsec3':
      return nsec3Chain(apex, names, ttlSeconds, denial)
    case 'compact':
      return null
    default:
      return denial satisfies never
  }
}

/** The keys a zone is signed with, whether or not they are published. */
export function keysOf(
  apex: Name,
  { algorithms = [13], keys = 'combined', damage = [] }: SigningOptions,
): readonly ZoneKey[] {
  const state = damage.some(({ kind }) => kind === 'revoked-key') ? 'revoked' : 'good'
  const purposes = keys === 'combined' ? (['csk'] as const) : (['ksk', 'zsk'] as const)
  return algorithms.flatMap(algorithm => purposes.map(purpose => zoneKey(apex, { algorithm, purpose, state })))
}

function publishedKeys(keys: readonly ZoneKey[], damage: readonly Damage[]): readonly ZoneKey[] {
  const missing = damage.find(({ kind }) => kind === 'missing-dnskey')
  if (missing?.kind === 'missing-dnskey' && missing.which === 'all') return []
  const kept = missing === undefined ? keys : keys.filter(({ purpose }) => purpose === 'ksk')
  const collisions = damage.find(({ kind }) => kind === 'colliding-keys')
  if (collisions?.kind !== 'colliding-keys') return kept
  return [...kept.flatMap(key => collidingKeys(key, collisions.keys)), ...kept]
}

function fits(damage: Damage, { name, type }: ResourceRecord): boolean {
  switch (damage.kind) {
    case 'revoked-key':
    case 'missing-dnskey':
    case 'gap':
      return false
    case 'colliding-keys':
      return true
    default:
      return (
        (damage.type === undefined || typeNumbers[damage.type] === type) &&
        (damage.name === undefined || equalNames(name, nameOf(damage.name)))
      )
  }
}

interface Signing {
  readonly apex: Name
  readonly keys: readonly ZoneKey[]
  readonly nowMs: number
  readonly wish: SigningWish
  /** What fits this RRset. */
  readonly damage: readonly Damage[]
}

function signaturesOf(set: readonly ResourceRecord[], signing: Signing): readonly ResourceRecord[] {
  const [first] = set
  if (first === undefined) throw new Error('an RRset has a record')
  const { apex, damage, wish, nowMs } = signing
  const find = <K extends Damage['kind']>(kind: K) =>
    damage.find((each): each is Extract<Damage, { readonly kind: K }> => each.kind === kind)
  if (find('stripped') !== undefined) return []
  const now = Math.floor(nowMs / 1_000)
  const [inception, expiration] =
    find('expired') !== undefined
      ? [now - 30 * daySeconds, now - 3 * daySeconds]
      : find('not-yet-valid') !== undefined
        ? [now + 3 * daySeconds, now + 30 * daySeconds]
        : [now - hourSeconds, now + 14 * daySeconds]
  const wrongSigner = find('wrong-signer')
  const own = signing.keys.filter(({ purpose }) =>
    first.type === typeNumbers.DNSKEY ? purpose !== 'zsk' : purpose !== 'ksk',
  )
  const keys = wish.key === undefined ? own : [wish.key]
  return keys.flatMap(key => {
    const signer =
      find('unknown-key') === undefined
        ? key
        : zoneKey(apex, { algorithm: key.algorithm, purpose: key.purpose, generation: 1 })
    const head: SignatureHead = {
      typeCovered: first.type,
      algorithm: key.algorithm,
      labels: first.name.length - (isWildcard(first.name) ? 1 : 0),
      originalTtlSeconds: first.ttlSeconds,
      expiration,
      inception,
      keyTag: signer.keyTag,
      signer: wrongSigner === undefined ? apex : nameOf(wrongSigner.signer),
      ...wish,
    }
    const signature = Uint8Array.from(signer.sign(signedBytes(head, set)))
    if (find('flipped-bit') !== undefined) signature[10] = (signature[10] ?? 0) ^ 0x04
    const worthless = Array.from({ length: find('colliding-keys')?.signatures ?? 0 }, (_, index) => {
      const other = Uint8Array.from(signature)
      const at = 8 + (index % 16)
      other[at] = (other[at] ?? 0) ^ (1 + Math.floor(index / 16))
      return other
    })
    return [...worthless, signature].map(bytes => ({
      name: first.name,
      type: typeNumbers.RRSIG,
      class: first.class,
      ttlSeconds: first.ttlSeconds,
      rdata: Buffer.concat([signatureHead(head), bytes]),
    }))
  })
}

/** Large chains are made only when somebody asks for what is not there. */
function onceAsked<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function isWildcard(name: Name): boolean {
  return name[0]?.length === 1 && name[0][0] === 0x2a
}

const hourSeconds = 3_600
const daySeconds = 24 * hourSeconds
const keyTtlSeconds = 3_600
const negativeSeconds = 60
