/**
 * A small internet of our own: zones from a private root downwards, signed or not, and a recursive resolver in front of them (RFC 4035 §3.2, RFC 6840 §5.7 and
 * §5.9), as one function from query to response.
 *
 * Success means that a validator that trusts `anchors` comes to the status each zone was made for, as real validators do (test/peers). Nothing here validates: the
 * resolver that says it does knows what is broken because it was told.
 */
import { type Message, makeQuery, type ResourceRecord } from '../../protocol/dns/message.ts'
import { isAtOrBelow, type Name } from '../../protocol/dns/name.ts'
import { classInternet, rcodes, type TypeMnemonic, typeNumbers } from '../../protocol/dns/numbers.ts'
import type { TrustAnchor, WireAnswer, WireQuestion } from '../../protocol/dnssec/types.ts'
import { isAnsweredBy, lookUpIn } from './answering.ts'
import {
  keysOf,
  type LabRrset,
  type LabZone,
  type SigningOptions,
  signZone,
  type ZoneSource,
} from './sign-zone.ts'
import { dsRdata, type ZoneKey, zoneKey } from './zone-keys.ts'
import { nameOf, recordOf, recordsOf } from './zone-lines.ts'

export interface WorldZone extends ZoneSource {
  /** Null: not signed. */
  readonly signing: SigningOptions | null
  /** What the parent publishes; of a zone that is not signed, nothing. */
  readonly ds?: DsPublication
  /** `none`: the parent has never heard of the zone. The resolver knows it all the same, as it does with names of a local network. */
  readonly delegation?: 'from-parent' | 'none'
  readonly servers?: readonly ServerHabit[]
}

export type DsPublication =
  | 'honest'
  | 'none'
  | 'sha-1'
  | 'sha-384'
  /** SHA-1 and SHA-256 of the same key. */
  | 'two-digests'
  | 'wrong-digest'
  | 'wrong-tag'
  /** One for a key that the zone does not have. */
  | 'another-key'
  | 'unknown-algorithm'
  | 'unknown-digest-type'
  /** The good one, and one of an unknown algorithm. */
  | 'unknown-and-good'
  /** One of an unknown algorithm, and a wrong one of a known algorithm. */
  | 'unknown-and-wrong'

/** What the zone's servers do when they are asked for these types, at or below `under` if that is given. */
export interface ServerHabit {
  readonly types: readonly TypeMnemonic[] | 'all'
  readonly under?: string
  /** `empty`: they say NOERROR and nothing else. */
  readonly does: 'servfail' | 'silence' | 'empty'
}

/**
 * `honest`: passes everything on and judges nothing. `strips-signatures`: does not know DNSSEC (RFC 4035 §4.7 calls it not security-aware).
 * `validates`: SERVFAIL for what is bogus, unless CD is set, and AD for what is secure.
 */
export type ResolverBehaviour = 'honest' | 'strips-signatures' | 'validates'

export type Forge = (question: WireQuestion, honest: Message) => Message | 'silence'

export interface SignedWorld {
  /** The keys of the root. */
  readonly anchors: readonly TrustAnchor[]
  /** The same for tools: master-file lines of DS and DNSKEY. */
  readonly anchorLines: { readonly ds: readonly string[]; readonly dnskey: readonly string[] }
  readonly nowMs: number
  respond(query: Message): Message | 'silence'
  /** The zone with this apex. @throws Error when there is none */
  zone(apex: string): LabZone
}

export interface WorldOptions {
  readonly zones: readonly WorldZone[]
  /** Milliseconds since 1970: what signatures are made around. */
  readonly nowMs: number
  readonly behaviour?: ResolverBehaviour
}

/** Zones above that are not listed do not come about by themselves, but the root does. */
export function createSignedWorld(options: WorldOptions): SignedWorld {
  const { nowMs, behaviour = 'honest' } = options
  const listed = options.zones.some(({ apex }) => apex === '')
  const sources = listed ? options.zones : [worldZone('', [], { keys: 'split' }), ...options.zones]
  const places = connect(sources, nowMs)
  const rootKeys = places.find(({ zone }) => zone.apex.length === 0)?.zone.keys.filter(isEntryPoint) ?? []

  return {
    anchors: rootKeys.map(key => anchorOf(key)),
    anchorLines: {
      ds: rootKeys.map(key => `. IN DS ${dsText(dsRdata([], key))}`),
      dnskey: rootKeys.map(key => {
        const publicKey = Buffer.from(key.rdata.subarray(4)).toString('base64')
        return `. IN DNSKEY ${key.flags} 3 ${key.algorithm} ${publicKey}`
      }),
    },
    nowMs,
    respond: query => respond(places, behaviour, query),
    zone(apex) {
      const found = places.find(place => place.source.apex === apex)
      if (found === undefined) throw new Error(`no zone ${apex} in this world`)
      return found.zone
    },
  }
}

/** A zone from lines (zone-lines.ts). */
export function worldZone(
  apex: string,
  lines: readonly string[],
  signing: SigningOptions | null,
  rest: Pick<WorldZone, 'ds' | 'delegation' | 'servers'> = {},
): WorldZone {
  return { apex, records: recordsOf(lines), signing, ...rest }
}

/** The same world behind somebody who changes answers. */
export function forged(world: SignedWorld, forge: Forge): SignedWorld {
  return {
    ...world,
    respond(query) {
      const honest = world.respond(query)
      const [question] = query.questions
      return honest === 'silence' || question === undefined ? honest : forge(question, honest)
    },
  }
}

/** The world in memory: each question asked with DO and CD, as a validator's driver asks. */
export function answersOf(world: SignedWorld): (question: WireQuestion) => WireAnswer {
  return ({ name, type }) => {
    const edns = { udpPayloadBytes: 1_232, version: 0, dnssecOk: true, options: [] }
    const query = { ...makeQuery({ id: 1, name, type, edns }), checkingDisabled: true }
    const message = world.respond(query)
    return message === 'silence'
      ? { kind: 'failed', reason: 'dns.timeout', why: 'timeout', server }
      : { kind: 'message', message, server }
  }
}

interface Place {
  readonly source: WorldZone
  readonly zone: LabZone
  readonly parent: Place | null
}

/** Zones with their delegations in place, parents first. */
function connect(sources: readonly WorldZone[], nowMs: number): readonly Place[] {
  const sorted = sources.toSorted((a, b) => nameOf(a.apex).length - nameOf(b.apex).length)
  const parentOf = (child: WorldZone) =>
    sorted.findLast(({ apex }) => apex !== child.apex && isAtOrBelow(nameOf(child.apex), nameOf(apex)))
  const places: Place[] = []
  for (const source of sorted) {
    const children = sorted.filter(each => each.delegation !== 'none' && parentOf(each) === source)
    const delegations = children.flatMap(child => [
      recordOf(`${child.apex} NS ns.${child.apex}`),
      ...dsOf(child).map(rdata => ({
        name: nameOf(child.apex),
        type: typeNumbers.DS,
        class: classInternet,
        ttlSeconds: dsTtlSeconds,
        rdata,
      })),
    ])
    const zone = signZone({ ...source, records: [...source.records, ...delegations] }, source.signing, nowMs)
    const above = parentOf(source)
    places.push({ source, zone, parent: places.find(place => place.source === above) ?? null })
  }
  return places
}

function dsOf(child: WorldZone): readonly Uint8Array[] {
  if (child.signing === null) return []
  const apex = nameOf(child.apex)
  const named = keysOf(apex, child.signing).filter(isEntryPoint)
  const good = named.map(key => dsRdata(apex, key))
  const changed = (change: (rdata: Uint8Array) => void) =>
    good.map(rdata => {
      const copy = Uint8Array.from(rdata)
      change(copy)
      return copy
    })
  const flip = (at: number) => changed(rdata => rdata.set([(rdata[at] ?? 0) ^ 1], at))
  const unknown = changed(rdata => rdata.set([unassignedAlgorithm], 2))
  const publication = child.ds ?? 'honest'
  switch (publication) {
    case 'honest':
      return good
    case 'none':
      return []
    case 'sha-1':
      return named.map(key => dsRdata(apex, key, 1))
    case 'sha-384':
      return named.map(key => dsRdata(apex, key, 4))
    case 'two-digests':
      return [...named.map(key => dsRdata(apex, key, 1)), ...good]
    case 'wrong-digest':
      return flip(10)
    case 'wrong-tag':
      return flip(1)
    case 'another-key':
      return named.map(({ algorithm, purpose }) =>
        dsRdata(apex, zoneKey(apex, { algorithm, purpose, generation: 2 })),
      )
    case 'unknown-algorithm':
      return unknown
    case 'unknown-digest-type':
      return changed(rdata => rdata.set([unassignedDigestType], 3))
    case 'unknown-and-good':
      return [...unknown, ...good]
    case 'unknown-and-wrong':
      return [...unknown, ...flip(10)]
    default:
      return publication satisfies never
  }
}

interface Collected {
  readonly rcode: number
  readonly answers: readonly LabRrset[]
  /** Null for one that should be there. */
  readonly proofs: readonly (LabRrset | null)[]
  readonly soa: LabRrset | null
  readonly passed: readonly Place[]
}

function respond(places: readonly Place[], behaviour: ResolverBehaviour, query: Message): Message | 'silence' {
  const [question] = query.questions
  const response: Message = {
    ...query,
    isResponse: true,
    authoritative: false,
    truncated: false,
    recursionAvailable: true,
    authenticData: false,
    answers: [],
    authorities: [],
    additionals: [],
    edns: query.edns === null ? null : { ...query.edns, udpPayloadBytes: 1_232, version: 0, options: [] },
  }
  if (question === undefined || question.class !== classInternet) return { ...response, rcode: rcodes.REFUSED }
  const collected = collect(places, question)
  if (collected === 'silence') return 'silence'
  const security = securityOf(collected)
  const validates = behaviour === 'validates'
  if (validates && security === 'bogus' && !query.checkingDisabled) return { ...response, rcode: rcodes.SERVFAIL }

  const wantsSignatures = query.edns?.dnssecOk === true && behaviour !== 'strips-signatures'
  const wholly = (set: LabRrset) => [...set.records, ...(wantsSignatures ? set.signatures : [])]
  const { soa, proofs } = collected
  const authorities = [
    ...(soa === null ? [] : wholly(soa).map(record => withTtl(record, collected))),
    ...(wantsSignatures ? proofs.flatMap(set => (set === null ? [] : wholly(set))) : []),
  ]
  return {
    ...response,
    rcode: collected.rcode,
    // RFC 6840 §5.8: to those who show that they understand it.
    authenticData: validates && security === 'secure' && (wantsSignatures || query.authenticData),
    answers: collected.answers.flatMap(wholly),
    authorities,
  }
}

function collect(places: readonly Place[], question: WireQuestion): Collected | 'silence' {
  const answers: LabRrset[] = []
  const proofs: (LabRrset | null)[] = []
  const passed: Place[] = []
  const nothing = (rcode: number): Collected => ({ rcode, answers: [], proofs: [], soa: null, passed })
  let { name } = question
  for (let step = 0; step <= mostAliases; step++) {
    // Parents come first, so the last that fits is the nearest.
    const place = places.findLast(({ zone }) => isAnsweredBy(zone, name, question.type))
    if (place === undefined) return nothing(rcodes.REFUSED)
    passed.push(place)
    const habit = place.source.servers?.find(each => applies(each, name, question.type))
    if (habit?.does === 'silence') return 'silence'
    if (habit?.does === 'servfail') return nothing(rcodes.SERVFAIL)
    if (habit?.does === 'empty') return { ...nothing(rcodes.NOERROR), answers }
    const reply = lookUpIn(place.zone, name, question.type)
    if (reply.kind === 'elsewhere') return nothing(rcodes.SERVFAIL)
    if (reply.kind === 'too-long') return { ...nothing(rcodes.YXDOMAIN), answers }
    answers.push(...reply.answers)
    proofs.push(...reply.proofs)
    if (reply.kind !== 'alias') {
      const rcode = reply.kind === 'no-such-name' ? rcodes.NXDOMAIN : rcodes.NOERROR
      const soa = reply.kind === 'records' ? null : place.zone.soa
      return { rcode, answers, proofs, soa, passed }
    }
    name = reply.to
  }
  // An alias loop: what unbound and BIND say when they give up.
  return nothing(rcodes.SERVFAIL)
}

function applies(habit: ServerHabit, name: Name, type: number): boolean {
  const isOfType = habit.types === 'all' || habit.types.some(each => typeNumbers[each] === type)
  return isOfType && (habit.under === undefined || isAtOrBelow(name, nameOf(habit.under)))
}

/** RFC 2308 §3: the SOA of a "no" lives as long as the "no" does. */
function withTtl(record: ResourceRecord, { passed }: Collected): ResourceRecord {
  const ttlSeconds = passed.at(-1)?.zone.negativeTtlSeconds ?? record.ttlSeconds
  return { ...record, ttlSeconds }
}

type KnownSecurity = 'secure' | 'insecure' | 'bogus'

function securityOf({ answers, proofs, soa, passed }: Collected): KnownSecurity {
  const ofZones = passed.map(place => securityOfZone(place))
  if (ofZones.includes('bogus')) return 'bogus'
  const sets = [...answers, ...proofs, ...(soa === null ? [] : [soa])]
  const isSecure = !ofZones.includes('insecure')
  if (sets.some(set => set === null || set.isDamaged)) return isSecure ? 'bogus' : 'insecure'
  return isSecure ? 'secure' : 'insecure'
}

function securityOfZone({ source, zone, parent }: Place): KnownSecurity {
  const above = parent === null ? 'secure' : securityOfZone(parent)
  if (above !== 'secure') return above
  if (source.delegation === 'none') return 'insecure'
  if (parent !== null) {
    const ds = source.ds ?? 'honest'
    if (source.signing === null || insecureDs.has(ds)) return 'insecure'
    if (parent.zone.rrset(zone.apex, typeNumbers.DS)?.isDamaged === true || bogusDs.has(ds)) return 'bogus'
  }
  const isBroken = zone.hasBadKeys || zone.rrset(zone.apex, typeNumbers.DNSKEY)?.isDamaged !== false
  return isBroken ? 'bogus' : 'secure'
}

function anchorOf(key: ZoneKey): TrustAnchor {
  const digest = dsRdata([], key).subarray(4)
  return { zone: [], kind: 'ds', ds: { keyTag: key.keyTag, algorithm: key.algorithm, digestType: 2, digest } }
}

function dsText(rdata: Uint8Array): string {
  const [high = 0, low = 0, algorithm, digestType] = rdata
  return `${high * 256 + low} ${algorithm} ${digestType} ${Buffer.from(rdata.subarray(4)).toString('hex')}`
}

const isEntryPoint = ({ purpose }: ZoneKey) => purpose !== 'zsk'

const insecureDs = new Set<DsPublication>(['none', 'unknown-algorithm', 'unknown-digest-type'])
const bogusDs = new Set<DsPublication>(['wrong-digest', 'wrong-tag', 'another-key', 'unknown-and-wrong'])
/** Neither is assigned by IANA. */
const unassignedAlgorithm = 200
const unassignedDigestType = 200
const dsTtlSeconds = 3_600
/** Aliases followed in one answer. */
const mostAliases = 16
const server = 'lab'
