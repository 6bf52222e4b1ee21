/**
 * What the messages of an inspection hold of zones: DS and keys, signatures and their times, how absence is proven. Facts for zone-audit.ts, which judges them.
 *
 * Nothing is verified here: what holds was said by the validator. So a fact may come from a record that nobody signed; it is of use to who looks for what is wrong.
 */
import type { ResourceRecord } from '../protocol/dns/message.ts'
import { equalNames, isAtOrBelow, type Name, nameKey, parseName } from '../protocol/dns/name.ts'
import { typeName, typeNumbers } from '../protocol/dns/numbers.ts'
import { algorithmName, algorithmStatus } from '../protocol/dnssec/algorithms.ts'
import { digestBytes, dsMatches } from '../protocol/dnssec/keys.ts'
import { readDnskey, readDs, readNsec3 } from '../protocol/dnssec/records.ts'
import { groupRrsets } from '../protocol/dnssec/rrsets.ts'
import { rsaModulusBits } from '../protocol/dnssec/rsa-size.ts'
import { signatureEndMs, signatureTime } from '../protocol/dnssec/signature.ts'
import type { Dnskey, Ds, Rrset, Rrsig } from '../protocol/dnssec/types.ts'
import { isRevoked, isZoneKey } from '../protocol/dnssec/verify-set.ts'
import { plainName } from './dns-document.ts'
import type { ZoneDenialParameters, ZoneLink, ZoneSignatures } from './zone-audit-document.ts'
import type { ZoneInspection } from './zone-inspection.ts'

/** An RRset with all signatures that were seen over it. */
export interface SignedSet extends ZoneSignatures {
  /** From the first second to the last, of the signature that holds longest. */
  readonly windowSeconds: number
  /** One of its signatures has not begun. */
  readonly isEarly: boolean
}

export interface ZoneFacts {
  readonly zone: Name
  readonly link: ZoneLink
  readonly keys: readonly Dnskey[]
  readonly ds: readonly Ds[]
  /** Whether its DNSKEY set came at all. */
  readonly hasKeySet: boolean
  /** Algorithms of its keys that have not signed its SOA; none when no signed SOA was seen. */
  readonly unusedAlgorithms: readonly number[]
}

export interface InspectionFacts {
  readonly zones: readonly ZoneFacts[]
  /** Of the audited zone and those of mail hosts, and the DS sets that lead there. */
  readonly signatures: readonly SignedSet[]
  readonly denial: ZoneDenialParameters | null
}

export function factsOf(inspection: ZoneInspection): InspectionFacts {
  const { apex, heard, atMs } = inspection
  const sets = merged(
    heard.flatMap(({ message }) =>
      message === null ? [] : [...groupRrsets(message.answers), ...groupRrsets(message.authorities)],
    ),
  )
  const mailZones = zonesOfHosts(inspection).filter(zone => !equalNames(zone, apex))
  const watched = [apex, ...mailZones]
  const zones = zonesOnTheWay(inspection, watched).map(({ zone, security, says }) => {
    const isMail = mailZones.some(each => equalNames(each, zone))
    const role = equalNames(zone, apex) ? 'audited' : isMail ? 'mail' : 'above'
    return zoneFacts(zone, { role, security, says }, sets)
  })
  return {
    zones,
    signatures: [...sets.values()]
      .filter(({ name, type, signatures }) =>
        signatures.some(
          ({ signer }) =>
            isAmong(signer, watched) ||
            (type === typeNumbers.DS && isAmong(name, watched) && isAtOrBelow(name, signer)),
        ),
      )
      .map(set => signedSet(set, atMs))
      .toSorted((one, other) => one.secondsLeft - other.secondsLeft),
    denial: denialParameters(apex, inspection, sets),
  }
}

function zoneFacts(
  zone: Name,
  seen: Pick<ZoneLink, 'role' | 'security' | 'says'>,
  sets: ReadonlyMap<string, Rrset>,
): ZoneFacts {
  const keySet = sets.get(keyOf(zone, typeNumbers.DNSKEY))
  const keys = (keySet?.records ?? []).map(readDnskey).filter(key => key !== 'malformed')
  const ds = (sets.get(keyOf(zone, typeNumbers.DS))?.records ?? [])
    .map(readDs)
    .filter(each => each !== 'malformed')
  const own = [...sets.values()].flatMap(({ signatures }) =>
    signatures.filter(({ signer }) => equalNames(signer, zone)),
  )
  const used = new Set(own.map(({ keyTag, algorithm }) => `${keyTag} ${algorithm}`))
  const soa = sets.get(keyOf(zone, typeNumbers.SOA))?.signatures ?? []
  const signing = keys.filter(key => isZoneKey(key) && !isRevoked(key)).map(({ algorithm }) => algorithm)
  return {
    zone,
    keys,
    ds,
    hasKeySet: keySet !== undefined,
    unusedAlgorithms:
      soa.length === 0
        ? []
        : [...new Set(signing)].filter(number => soa.every(({ algorithm }) => algorithm !== number)),
    link: {
      zone: plainName(zone),
      ...seen,
      ds: ds.slice(0, mostDs).map(each => ({
        keyTag: each.keyTag,
        algorithm: each.algorithm,
        algorithmName: algorithmName(each.algorithm),
        digestType: each.digestType,
        state: dsState(each, zone, keys),
      })),
      keys: keys.map(key => ({
        keyTag: key.keyTag,
        algorithm: key.algorithm,
        algorithmName: algorithmName(key.algorithm),
        bits: rsaModulusBits(key),
        isEntryPoint: (key.flags & 1) !== 0,
        isRevoked: isRevoked(key),
        isUsed: used.has(`${key.keyTag} ${key.algorithm}`),
      })),
    },
  }
}

function dsState(ds: Ds, zone: Name, keys: readonly Dnskey[]): ZoneLink['ds'][number]['state'] {
  if (algorithmStatus(ds.algorithm) === 'unknown' || digestBytes(ds.digestType) === null) return 'unknown'
  // Few keys share the tag of a DS; of those that do not, none is hashed.
  return keys.slice(0, mostKeys).some(key => dsMatches(ds, zone, key)) ? 'matches' : 'no-key'
}

/** Zones in the chains of all answers that lead to the watched ones: those above the first of them, itself, then the others. */
function zonesOnTheWay({ answers }: ZoneInspection, watched: readonly Name[]) {
  const found = new Map<string, { readonly zone: Name } & Pick<ZoneLink, 'security' | 'says'>>()
  for (const { answer } of answers)
    for (const { zone: text, security, says } of answer.steps) {
      const zone = parseName(text)
      // The first that is said of a zone is how it hangs from the one above.
      if (zone === null || found.has(nameKey(zone)) || !watched.some(each => isAtOrBelow(each, zone))) continue
      found.set(nameKey(zone), { zone, security, says })
    }
  const [first = []] = watched
  const place = (zone: Name) => (isAtOrBelow(first, zone) ? 0 : 1_000) + zone.length
  return [...found.values()].toSorted((one, other) => place(one.zone) - place(other.zone))
}

/** The last zone that was come to on the way to each address. */
function zonesOfHosts({ hosts }: ZoneInspection): readonly Name[] {
  const zones = new Map<string, Name>()
  for (const { addresses, tlsa } of hosts)
    for (const { steps, security } of [...addresses, ...tlsa]) {
      const zone = security === 'secure' || security === 'bogus' ? parseName(steps.at(-1)?.zone ?? '.') : null
      if (zone !== null && zone.length > 0) zones.set(nameKey(zone), zone)
    }
  return [...zones.values()]
}

function merged(sets: readonly Rrset[]): ReadonlyMap<string, Rrset> {
  const open = new Map<
    string,
    {
      readonly first: Rrset
      readonly records: Map<string, ResourceRecord>
      readonly signatures: Map<string, Rrsig>
    }
  >()
  for (const set of sets) {
    const key = keyOf(set.name, set.type)
    const known = open.get(key) ?? { first: set, records: new Map(), signatures: new Map() }
    open.set(key, known)
    for (const record of set.records) known.records.set(latin1(record.rdata), record)
    for (const rrsig of set.signatures)
      known.signatures.set(`${latin1(rrsig.head)} ${latin1(rrsig.signature)}`, rrsig)
  }
  return new Map(
    Array.from(open, ([key, { first, records, signatures }]) => [
      key,
      { ...first, records: [...records.values()], signatures: [...signatures.values()] },
    ]),
  )
}

function signedSet({ name, type, signatures }: Rrset, atMs: number): SignedSet {
  const times = signatures.map(rrsig => ({
    rrsig,
    time: signatureTime(rrsig, atMs),
    beginsMs: signatureEndMs({ expiration: rrsig.inception }, atMs),
    endsMs: signatureEndMs(rrsig, atMs),
  }))
  const valid = times.filter(({ time }) => time === 'valid')
  const early = times.filter(({ time }) => time === 'not-yet-valid')
  const state = valid.length > 0 ? 'now' : early.length > 0 ? 'not-yet' : 'ended'
  // Any one signature is enough (RFC 6840 §5.12), so the set holds until the last one of those that hold now.
  const counting = valid.length > 0 ? valid : early.length > 0 ? early : times
  const last = counting.reduce((one, other) => (other.endsMs > one.endsMs ? other : one), counting[0] ?? nothing)
  return {
    name: plainName(name),
    type: typeName(type),
    signer: plainName(signatures[0]?.signer ?? []),
    keyTags: [...new Set(signatures.map(({ keyTag }) => keyTag))],
    algorithms: [...new Set(signatures.map(({ algorithm }) => algorithm))],
    state,
    begins: new Date(last.beginsMs).toISOString(),
    ends: new Date(last.endsMs).toISOString(),
    secondsLeft: Math.round((last.endsMs - Math.floor(atMs / 1000) * 1000) / 1000),
    ttlSeconds: signatures[0]?.originalTtlSeconds ?? 0,
    windowSeconds: Math.round((last.endsMs - last.beginsMs) / 1000),
    isEarly: early.length > 0,
  }
}

const nothing = { beginsMs: 0, endsMs: 0 }

function denialParameters(
  apex: Name,
  { answers }: ZoneInspection,
  sets: ReadonlyMap<string, Rrset>,
): ZoneDenialParameters | null {
  const own = [...sets.values()].filter(({ signatures }) =>
    signatures.some(({ signer }) => equalNames(signer, apex)),
  )
  const nsec3 = own
    .filter(({ type }) => type === typeNumbers.NSEC3)
    .flatMap(({ records }) => records.map(readNsec3))
    .filter(read => read !== 'malformed')
  const [first] = nsec3
  if (first !== undefined)
    return {
      by: 'nsec3',
      iterations: nsec3.reduce((most, { iterations }) => Math.max(most, iterations), 0),
      salt: Buffer.from(first.salt).toString('hex'),
      // RFC 5155 §3.1.2.1.
      optOut: nsec3.some(({ flags }) => (flags & 1) !== 0),
    }
  if (own.some(({ type }) => type === typeNumbers.NSEC))
    return { by: 'nsec', iterations: null, salt: null, optOut: false }
  // RFC 5155 §4.2: no flags but what is reserved, so nothing is known of opt-out.
  const parameters = answers.find(({ role }) => role === 'nsec3param')?.answer.records[0]?.rdata
  if (parameters === undefined || parameters.length < 5) return null
  return {
    by: 'nsec3',
    iterations: Buffer.from(parameters).readUInt16BE(2),
    salt: Buffer.from(parameters.subarray(5, 5 + (parameters[4] ?? 0))).toString('hex'),
    optOut: false,
  }
}

const isAmong = (name: Name, names: readonly Name[]) => names.some(each => equalNames(each, name))
const keyOf = (name: Name, type: number) => `${type} ${nameKey(name)}`
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
const mostKeys = 100
const mostDs = 50
