/**
 * From a domain to the hosts and addresses that take its mail, in the order to try them (RFC 5321 §5.1, RFC 7505, RFC 2181 §10.3).
 *
 * Walks: they yield questions and are given answers. Success means at least one host with at least one address that we
 * may connect to; everything left out is listed with its reason. A lookup that failed never counts as "there is none":
 * when nothing else is left, the failure says so, and the mail waits.
 *
 * An alias never changes a host's name: `host` is the MX name as published, the domain itself (implicit MX), or what the
 * operator wrote; the names behind it are only recorded.
 *
 * What may be connected to is the caller's judgement (`mayConnect`), and so is chance (`random`).
 */

import type { DnssecReason } from '../dnssec/reasons.ts'
import { canonicalIp, parseIp } from '../ip.ts'
import { ask, type Walk } from '../walk.ts'
import type { DnsAnswer, DnsQuestion, DnsSecurity } from './answer.ts'
import { formatName, isHostName, nameKey, parseName } from './name.ts'
import { type DnsReason, mayPass } from './reasons.ts'

/** MX hosts whose addresses are looked up, best preference first. Some large domains have ten. */
export const maxMailHosts = 20

/** Addresses kept of one host. */
export const maxAddressesPerHost = 10

/** How long a way that a failed answer had a part in may be believed, in seconds. */
export const failedAnswerSeconds = 10

export interface HostAddress {
  /** Canonical text: `192.0.2.1`, `2001:db8::1`. */
  readonly address: string
  /** Names passed through by CNAME between the host and this address. */
  readonly aliases: readonly string[]
  /** Of the answer it is from, aliases included. */
  readonly security: DnsSecurity
  /** It is the operator's own word, and says nothing of what the DNS can prove. */
  readonly byHostsFile?: true
}

export interface MailHost {
  /** Lower case without the last dot; an address for an address literal. */
  readonly host: string
  /** Null for hosts that the operator configured. */
  readonly preference: number | null
  /** IPv6 and IPv4 by turns, each family in the order the DNS gave. Never empty. */
  readonly addresses: readonly HostAddress[]
}

export interface DnsFailure {
  readonly reason: DnsReason | DnssecReason
  /** What was seen, in a few words; may hold text from outside. */
  readonly detail: string | null
}

export interface SkippedHost extends DnsFailure {
  readonly host: string
  /** Null when the whole host was left out. */
  readonly address: string | null
}

export interface MailHosts {
  /** In the order to try. Empty only together with `failure`. */
  readonly hosts: readonly MailHost[]
  readonly skipped: readonly SkippedHost[]
  readonly failure: DnsFailure | null
  /** Every answer seen, in order. */
  readonly answers: readonly DnsAnswer[]
  /** The smallest TTL of them all; null when no question was asked. */
  readonly ttlSeconds: number | null
  /** The MX names as published, best preference first; the domain itself for an implicit MX; none for literals and configured hosts. */
  readonly mxNames: readonly string[]
  /** Names passed through by CNAME from the domain to its MX records. */
  readonly domainAliases: readonly string[]
  /** Of the answer that named the hosts, or that said there is no MX; `unvalidated` where the DNS was not asked for any. */
  readonly security: DnsSecurity
}

export interface MailHostsInput {
  /** By what we are known: our host name, and the addresses we can be reached at (leave loopback out, so that a stranger's MX at 127.0.0.1 is only ignored). */
  readonly own: { readonly hostname: string; readonly addresses: readonly string[] }
  /** Whether a stranger's DNS may make us connect to this address. */
  readonly mayConnect: (address: string) => boolean
  /** A whole number, evenly spread over 0 to `below` - 1. */
  readonly random: (below: number) => number
  readonly ipv4Only?: boolean
}

/** The MX names of a domain, without a look at any host. */
export interface MailExchanges {
  readonly kind: 'exchanges'
  /** Best preference first, equal ones shuffled. */
  readonly exchanges: readonly Exchange[]
  /** No MX record exists and the domain stands for itself. */
  readonly isImplicit: boolean
  readonly answer: DnsAnswer
}

export interface Exchange {
  readonly host: string
  readonly preference: number
}

/** The domain has MX names, or why none is known. For a literal ask `mailHosts`. */
export type ExchangesFound =
  | MailExchanges
  | { readonly kind: 'none'; readonly failure: DnsFailure; readonly answer: DnsAnswer | null }

type DnsWalk<T> = Walk<DnsQuestion, DnsAnswer, T>

/**
 * Where mail for `domain` goes.
 * @param domain A-labels, or an address literal in brackets (RFC 5321 §4.1.3)
 */
export function* mailHosts(domain: string, input: MailHostsInput): DnsWalk<MailHosts> {
  if (domain.startsWith('[')) return literalHost(domain, input)
  const found = yield* mailExchanges(domain, input.random)
  if (found.kind === 'none') return failed(found.failure, found.answer === null ? [] : [found.answer])

  const { exchanges, answer } = found
  const skipped: SkippedHost[] = []
  const usable: Exchange[] = []
  for (const exchange of exchanges) {
    const fault = nameFault(exchange.host)
    if (fault === null) usable.push(exchange)
    else skipped.push({ host: exchange.host, address: null, reason: 'dns.name-invalid', detail: fault })
  }
  const considered = usable.slice(0, maxMailHosts)
  const looked = yield* lookUp(considered, input.ipv4Only === true)
  const answers = [answer, ...looked.flatMap(host => host.answers)]

  const ourPreference = preferenceOfOurs(usable, looked, input.own)
  const beyond = usable[maxMailHosts]
  if (beyond !== undefined && (ourPreference === null || beyond.preference < ourPreference)) {
    const detail = `${usable.length} MX hosts, of which ${maxMailHosts} are looked at`
    skipped.push({ host: beyond.host, address: null, reason: 'dns.too-many-hosts', detail })
  }
  const hosts: MailHost[] = []
  for (const host of looked) {
    if (ourPreference !== null && host.exchange.preference >= ourPreference) {
      const detail = `preference ${host.exchange.preference}, and ${ourPreference} is ours`
      skipped.push({ host: host.exchange.host, address: null, reason: 'dns.mx-points-to-us', detail })
      continue
    }
    const allowed = keepAllowed(host, input.mayConnect, skipped)
    if (allowed.length > 0) hosts.push({ ...host.exchange, addresses: allowed.slice(0, maxAddressesPerHost) })
  }
  return {
    hosts,
    skipped,
    failure: hosts.length > 0 ? null : whyNoneIsLeft(skipped, ourPreference, found.isImplicit),
    answers,
    ttlSeconds: smallestTtl(answers),
    mxNames: exchanges.map(({ host }) => host),
    domainAliases: answer.aliases,
    security: answer.security,
  }
}

/** Only the first step of `mailHosts`: one question. */
export function* mailExchanges(domain: string, random: (below: number) => number): DnsWalk<ExchangesFound> {
  const name = parseName(domain)
  if (name === null || !isHostName(name))
    return { kind: 'none', failure: { reason: 'dns.name-invalid', detail: null }, answer: null }
  const answer = yield* ask<DnsQuestion, DnsAnswer>({ name: formatName(name), type: 'MX' })
  const none = (reason: DnsFailure['reason'], detail: string | null): ExchangesFound => ({
    kind: 'none',
    failure: { reason, detail },
    answer,
  })
  switch (answer.outcome) {
    case 'failed':
      return none(answer.reason ?? 'dns.lookup-failed', answer.because ?? answer.why)
    case 'no-such-name':
      return none('dns.no-such-domain', answer.aliases.length > 0 ? `alias of ${answer.aliases.join(', ')}` : null)
    case 'no-data':
      // RFC 5321 §5.1: as if it had an MX of preference 0 that points to itself.
      return { kind: 'exchanges', exchanges: [{ host: nameKey(name), preference: 0 }], isImplicit: true, answer }
    case 'records': {
      const published = answer.records.filter(record => record.type === 'MX')
      // RFC 7505 §3. Beside other MX records, which that section forbids, it is only a host without a name.
      if (published.length > 0 && published.every(record => record.exchange === ''))
        return none('dns.null-mx', null)
      return { kind: 'exchanges', exchanges: inOrder(published, random), isImplicit: false, answer }
    }
    default:
      return answer.outcome satisfies never
  }
}

/**
 * The addresses of a host that the operator configured: no MX, no limits on where it may be. One host, or a failure.
 * @param name a DNS or hosts-file name, or an address with or without brackets
 */
export function* hostAddresses(name: string, options: { readonly ipv4Only: boolean }): DnsWalk<MailHosts> {
  const literal = canonicalIp(name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name)
  if (literal !== null)
    return single({
      host: literal,
      preference: null,
      addresses: [{ address: literal, aliases: [], security: 'unvalidated' }],
    })
  const parsed = parseName(name)
  if (parsed === null || !isHostName(parsed)) return failed({ reason: 'dns.name-invalid', detail: null }, [])
  const [looked] = yield* lookUp([{ host: nameKey(parsed), preference: 0 }], options.ipv4Only)
  if (looked === undefined) throw new Error('one host was asked for and none came back')
  const { addresses, failure, answers } = looked
  if (failure !== null) {
    const missing = answers.every(answer => answer.outcome === 'no-such-name')
    return failed(missing ? { reason: 'dns.no-such-domain', detail: null } : failure, answers)
  }
  const host = { host: looked.exchange.host, preference: null, addresses: addresses.slice(0, maxAddressesPerHost) }
  return { ...single(host), answers, ttlSeconds: smallestTtl(answers) }
}

interface LookedUp {
  readonly exchange: Exchange
  /** All of them. Empty only together with `failure`. */
  readonly addresses: readonly HostAddress[]
  readonly failure: DnsFailure | null
  readonly answers: readonly DnsAnswer[]
}

/** Asks for the addresses of all hosts at the same time. */
function* lookUp(exchanges: readonly Exchange[], ipv4Only: boolean): DnsWalk<readonly LookedUp[]> {
  if (exchanges.length === 0) return []
  const families = ipv4Only ? (['A'] as const) : (['AAAA', 'A'] as const)
  const answers = yield exchanges.flatMap(({ host }) => families.map(type => ({ name: host, type })))
  return exchanges.map((exchange, index) => {
    const own = answers.slice(index * families.length, (index + 1) * families.length)
    if (own.length < families.length) throw new Error('the driver of a walk gave too few answers')
    const addresses = byTurns(own.map(addressesOf))
    return { exchange, addresses, failure: addresses.length > 0 ? null : whyNoAddress(own), answers: own }
  })
}

function addressesOf(answer: DnsAnswer): HostAddress[] {
  const found = new Map<string, HostAddress>()
  for (const record of answer.records) {
    if (record.type !== 'A' && record.type !== 'AAAA') continue
    const address = canonicalIp(record.address) ?? record.address
    if (!found.has(address))
      found.set(address, {
        address,
        aliases: answer.aliases,
        security: answer.security,
        ...(answer.server === 'hosts-file' ? { byHostsFile: true } : {}),
      })
  }
  return [...found.values()]
}

/** One family may fail while the other answers; but "no address" is only believed when both say so. */
function whyNoAddress(answers: readonly DnsAnswer[]): DnsFailure {
  const lost = answers.find(answer => answer.outcome === 'failed')
  if (lost !== undefined) return { reason: lost.reason ?? 'dns.lookup-failed', detail: lost.because ?? lost.why }
  const missing = answers.some(answer => answer.outcome === 'no-such-name')
  return { reason: 'dns.host-without-address', detail: missing ? 'no such name' : 'no A or AAAA record' }
}

/** The addresses that may be connected to; every other one goes into `skipped`. */
function keepAllowed(
  host: LookedUp,
  mayConnect: (address: string) => boolean,
  skipped: SkippedHost[],
): HostAddress[] {
  if (host.failure !== null) skipped.push({ host: host.exchange.host, address: null, ...host.failure })
  return host.addresses.filter(({ address }, index) => {
    if (mayConnect(address)) return true
    // A host can have hundreds; the first ones tell enough.
    if (index < maxAddressesPerHost)
      skipped.push({ host: host.exchange.host, address, reason: 'dns.address-forbidden', detail: null })
    return false
  })
}

/**
 * The best preference at which we are in the list ourselves, by name, by a name behind an alias, or by address. Passing
 * mail to a host of that preference or a worse one would send it in circles (RFC 5321 §5.1).
 */
function preferenceOfOurs(
  exchanges: readonly Exchange[],
  looked: readonly LookedUp[],
  own: MailHostsInput['own'],
): number | null {
  const hostname = nameKey(parseName(own.hostname) ?? [])
  const addresses = new Set(own.addresses.map(address => canonicalIp(address) ?? address))
  const byName = exchanges.filter(({ host }) => host === hostname)
  const byAddress = looked.filter(host =>
    host.addresses.some(({ address, aliases }) => addresses.has(address) || aliases.includes(hostname)),
  )
  const preferences = [...byName, ...byAddress.map(host => host.exchange)].map(({ preference }) => preference)
  return preferences.length === 0 ? null : Math.min(...preferences)
}

/** The one reason for an empty list. What may pass comes first: while one host is only unreachable for now, nothing is final. */
function whyNoneIsLeft(skipped: readonly SkippedHost[], ours: number | null, isImplicit: boolean): DnsFailure {
  const passing = skipped.find(({ reason }) => mayPass(reason))
  if (passing !== undefined) return { reason: passing.reason, detail: nameIt(passing) }
  if (ours !== null) return { reason: 'dns.mx-points-to-us', detail: null }
  const first = skipped[0]
  if (first === undefined) return { reason: 'dns.no-mail-host', detail: null }
  if (isImplicit && first.reason === 'dns.host-without-address')
    return { reason: 'dns.no-mail-host', detail: null }
  return { reason: first.reason, detail: nameIt(first) }
}

const nameIt = ({ host, address, detail }: SkippedHost) =>
  [address === null ? host : `${host} ${address}`, ...(detail === null ? [] : [detail])].join(': ')

/** Sorted by preference, equal ones in random order (RFC 5321 §5.1); a name listed twice keeps its better place. */
function inOrder(
  published: readonly { exchange: string; preference: number }[],
  random: (below: number) => number,
): Exchange[] {
  const shuffled = [...published]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random(last + 1)
    const [one, two] = [shuffled[last], shuffled[other]]
    if (one === undefined || two === undefined) throw new RangeError('random(below) left its range')
    shuffled[last] = two
    shuffled[other] = one
  }
  shuffled.sort((one, two) => one.preference - two.preference)
  const byName = new Map<string, Exchange>()
  for (const { exchange, preference } of shuffled)
    if (!byName.has(exchange)) byName.set(exchange, { host: exchange, preference })
  return [...byName.values()]
}

/** Why a published MX name cannot be a host, or null. */
function nameFault(host: string): string | null {
  if (host === '') return 'the root'
  if (parseIp(host) !== null) return 'an address instead of a name'
  const name = parseName(host)
  return name !== null && isHostName(name) ? null : 'not a host name'
}

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]`; other tags name nothing we can connect to. */
function literalHost(domain: string, { own, mayConnect }: MailHostsInput): MailHosts {
  const inner = /^\[(.*)\]$/.exec(domain)?.[1] ?? ''
  const isTagged = inner.slice(0, 5).toLowerCase() === 'ipv6:'
  const bytes = parseIp(isTagged ? inner.slice(5) : inner)
  const address = canonicalIp(isTagged ? inner.slice(5) : inner)
  if (bytes === null || address === null || isTagged !== (bytes.length === 16))
    return failed({ reason: 'dns.name-invalid', detail: null }, [])
  if (own.addresses.some(ours => canonicalIp(ours) === address))
    return failed({ reason: 'dns.mx-points-to-us', detail: null }, [])
  if (!mayConnect(address)) {
    const failure = { reason: 'dns.literal-forbidden', detail: address } as const
    return { ...failed(failure, []), skipped: [{ host: address, address, reason: failure.reason, detail: null }] }
  }
  return single({ host: address, preference: 0, addresses: [{ address, aliases: [], security: 'unvalidated' }] })
}

function single(host: MailHost): MailHosts {
  return {
    hosts: [host],
    skipped: [],
    failure: null,
    answers: [],
    ttlSeconds: null,
    mxNames: [],
    domainAliases: [],
    security: 'unvalidated',
  }
}

function failed(failure: DnsFailure, answers: readonly DnsAnswer[]): MailHosts {
  const [first] = answers
  return {
    hosts: [],
    skipped: [],
    failure,
    answers,
    ttlSeconds: smallestTtl(answers),
    mxNames: [],
    domainAliases: first?.aliases ?? [],
    security: first?.security ?? 'unvalidated',
  }
}

function smallestTtl(answers: readonly DnsAnswer[]): number | null {
  if (answers.length === 0) return null
  return Math.min(...answers.map(answer => answer.ttlSeconds ?? failedAnswerSeconds))
}

/** The first of each list, then the second of each: when one family does not work, the next try is the other one. */
function byTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map(list => list.length))
  const turns = Array.from({ length: longest }, (_, turn) => lists.flatMap(list => list.slice(turn, turn + 1)))
  return turns.flat()
}
