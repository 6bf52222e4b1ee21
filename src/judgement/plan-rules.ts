/**
 * From the level an operator asked for and what the DNS says of the host in question to a plan: what is acceptable, and which names prove the peer.
 *
 * Case 3 is settled here: the names to verify and the SNI are the one the operator wrote, or the MX name as published. An alias behind them counts only
 * where a secure chain leads to it and TLSA records stand at its end. What each level asks for:
 *
 * | level | STARTTLS | least on the peer axis |
 * |---|---|---|
 * | none | never used | clear |
 * | opportunistic | used when offered | clear |
 * | dane, no TLSA records | used when offered | clear |
 * | dane, records that none can use | required | encrypted |
 * | dane, records | required | dane-ta |
 * | encrypt | required | encrypted |
 * | verify | required | pkix |
 * | dane-only, records, secure MX | required | dane-ta |
 * | dane-only, anything else | the host is not used | |
 *
 * On the name axis a `host` route is `configured`, and the MX names of a domain are as good as the answer that held them: `secure-mx` when it was secure. With an
 * insecure one TLSA records of the host are enforced all the same: the peer then proves that it is the host which the DNS named, not that the DNS named the right
 * host. Every log line shows both axes, so that nobody takes the one for the other.
 */
import { domainToASCII } from 'node:url'
import type { TlsaFound } from '../protocol/dane/discovery.ts'
import { standings, tlsaText } from '../protocol/dane/tlsa.ts'
import type { Tlsa } from '../protocol/dane/types.ts'
import type { DnsSecurity } from '../protocol/dns/answer.ts'
import { isHostName, parseName } from '../protocol/dns/name.ts'
import { canonicalIp } from '../protocol/ip.ts'
import type { Failure } from './failure.ts'
import type { DanePlan, Level, NameProof, PeerProof, Plan, PlannedRecord, ReferenceIdentifier } from './plan.ts'

export interface PlanInput {
  readonly level: Level
  /** The host to verify: as the operator wrote it, or the MX name as published; an address for address literals. */
  readonly host: string
  /** Where that name is from: the route, the domain's MX records, or the recipient's domain itself (implicit MX, address literal). */
  readonly from: ReferenceIdentifier['from']
  readonly implicitTls: boolean
  /** The domain whose MX records were asked for; null for hosts that the operator wrote, and for address literals. */
  readonly nextHop?: NextHop | null
  /** What came of the search for TLSA records; null where the level asks for none. */
  readonly tlsa?: Exclude<TlsaFound, { kind: 'failed' }> | null
}

export interface NextHop {
  readonly domain: string
  /** Names passed through by CNAME to its MX records. */
  readonly aliases: readonly string[]
  /** Of the answer that named the hosts, aliases included. */
  readonly security: DnsSecurity
}

export function planFor({ level, host, from, implicitTls, nextHop = null, tlsa = null }: PlanInput): Plan {
  const name = referenceName(host)
  const proof = nameProof(from, nextHop)
  const dane = asksForDane(level) && tlsa !== null ? danePlan(tlsa) : null
  const asks = dane?.kind === 'records' ? dane.asks : null
  const peer =
    level === 'dane-only' || asks === 'authenticate'
      ? 'dane-ta'
      : asks === 'encrypt'
        ? 'encrypted'
        : leastPeer[level]
  const references: readonly ReferenceIdentifier[] =
    dane?.kind === 'records' ? daneReferences(dane, { name, from }, nextHop) : [{ name, from }]
  const sni = references[0]?.name ?? name
  return {
    level,
    starttls: implicitTls ? 'never' : asks === null ? startTls[level] : 'required',
    implicitTls,
    least: { name: proof, peer: implicitTls && peer === 'clear' ? 'encrypted' : peer },
    name: proof,
    references,
    sni: canBeSni(sni) ? sni : null,
    dane,
  }
}

/** Why a host may not be used under this plan at all, whatever it shows: `dane-only` without what it needs (RFC 7672 §6); null when it may. */
export function unmetByDns({ level, name, dane }: Plan): Failure | null {
  if (level !== 'dane-only') return null
  if (dane?.kind === 'none' && dane.because === 'dns-not-validated')
    return { reason: 'dns.validation-unavailable', detail: null, reply: null }
  if (name === 'unauthenticated') return { reason: 'dane.mx-insecure', detail: null, reply: null }
  const lacking =
    dane === null
      ? 'no records were sought'
      : dane.kind === 'none'
        ? noDaneWords[dane.because]
        : dane.asks === 'encrypt'
          ? 'no record can be used'
          : null
  return lacking === null ? null : { reason: 'dane.required', detail: lacking, reply: null }
}

/** Whether TLSA records are sought at this level. */
export function asksForDane(level: Level): boolean {
  return level === 'dane' || level === 'dane-only'
}

function nameProof(from: ReferenceIdentifier['from'], nextHop: NextHop | null): NameProof {
  if (from === 'operator') return 'configured'
  return nextHop?.security === 'secure' ? 'secure-mx' : 'unauthenticated'
}

function danePlan(tlsa: Exclude<TlsaFound, { kind: 'failed' }>): DanePlan {
  if (tlsa.kind === 'none') return tlsa
  const { base, from, owner, aliases } = tlsa
  const records = plannedRecords(tlsa.records)
  const asks = records.some(({ state }) => state === 'counts') ? 'authenticate' : 'encrypt'
  return { kind: 'records', base, from, owner, aliases, records, asks }
}

/** Once for each set: it may be as large as a DNS message, and be that of hundreds of addresses. */
function plannedRecords(set: readonly Tlsa[]): readonly PlannedRecord[] {
  const known = planned.get(set)
  if (known !== undefined) return known
  const states = standings(set)
  const records = set.map((record, index) => ({
    text: tlsaText(record),
    state: states[index]?.state ?? 'unusable',
  }))
  planned.set(set, records)
  return records
}

const planned = new WeakMap<readonly Tlsa[], readonly PlannedRecord[]>()

/**
 * RFC 7672 §3.2.2: the TLSA base domain, and whatever else securely names the next hop. A name behind an insecure answer is nobody's word: then the host
 * itself is all that there is.
 */
function daneReferences(
  dane: Extract<DanePlan, { kind: 'records' }>,
  host: ReferenceIdentifier,
  nextHop: NextHop | null,
): readonly ReferenceIdentifier[] {
  const base: ReferenceIdentifier =
    dane.from === 'expansion' ? { name: dane.base, from: 'secure-alias' } : { ...host, name: dane.base }
  const expansion = nextHop?.aliases.at(-1)
  const more: readonly ReferenceIdentifier[] =
    nextHop === null
      ? [host]
      : nextHop.security === 'secure'
        ? [
            { name: referenceName(nextHop.domain), from: 'recipient-domain' },
            ...(expansion === undefined ? [] : [{ name: expansion, from: 'secure-alias' } as const]),
          ]
        : []
  const known = new Set<string>()
  return [base, ...more].filter(({ name }) => !known.has(name) && known.add(name))
}

const noDaneWords: Readonly<Record<Extract<DanePlan, { kind: 'none' }>['because'], string>> = {
  'dns-not-validated': 'answers of the DNS are not validated here',
  'no-name': 'an address has no TLSA records',
  'host-insecure': 'nothing vouches for the address of the host, so records were not sought',
  absent: 'the host has no TLSA records',
  'records-insecure': 'nothing vouches for the TLSA records of the host',
}

/** RFC 6066 §3: a host name, no address; what is neither would not be sent, or as something else. */
function canBeSni(name: string): boolean {
  if (literalAddress(name) !== null) return false
  const parsed = parseName(name)
  return parsed !== null && isHostName(parsed)
}

/** Lower case, A-labels, no last dot; addresses without brackets. A name that is no name stays what it is: nothing will match it. */
function referenceName(host: string): string {
  const address = literalAddress(host)
  if (address !== null) return address
  const bare = host.replace(/\.$/, '')
  const ascii = /^[\x21-\x7e]*$/.test(bare) ? bare.toLowerCase() : domainToASCII(bare)
  return ascii === '' ? bare : ascii
}

/** `192.0.2.1`, `[192.0.2.1]`, `[IPv6:2001:db8::1]`: the address alone in canonical text; null for anything else. */
export function literalAddress(name: string): string | null {
  const inner = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
  return canonicalIp(/^ipv6:/i.test(inner) ? inner.slice(5) : inner)
}

const startTls = {
  none: 'never',
  opportunistic: 'if-offered',
  dane: 'if-offered',
  encrypt: 'required',
  verify: 'required',
  'dane-only': 'required',
} as const satisfies Record<Level, Plan['starttls']>

const leastPeer: Readonly<Record<Level, PeerProof>> = {
  none: 'clear',
  opportunistic: 'clear',
  dane: 'clear',
  encrypt: 'encrypted',
  verify: 'pkix',
  'dane-only': 'dane-ta',
}

/** `one` is at least as strong a proof of the peer as `other`. */
export function isAtLeast(one: PeerProof, other: PeerProof): boolean {
  return peerOrder.indexOf(one) >= peerOrder.indexOf(other)
}

const peerOrder: readonly PeerProof[] = ['clear', 'encrypted', 'pkix', 'dane-ta', 'dane-ee']
