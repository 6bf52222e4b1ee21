/**
 * The way to a destination: hosts, addresses, plans, in the order to try them. Nothing is sent to anybody but DNS servers.
 *
 * What the DNS says is read by the walks of protocol/dns and protocol/dane; the plan of each host is judgement's. Here the two meet. The order is the zone's or
 * the operator's: an itinerary may be kept for an hour, so what was learned since is heeded only when one is tried (hope.ts).
 */
import { dnsEvidence } from '../judgement/evidence-of.ts'
import type { Failure } from '../judgement/failure.ts'
import { entryOf } from '../judgement/findings.ts'
import type { Level, Plan } from '../judgement/plan.ts'
import { asksForDane, type NextHop, type PlanInput, planFor, unmetByDns } from '../judgement/plan-rules.ts'
import { findTlsa, type TlsaFound } from '../protocol/dane/discovery.ts'
import type { DnsAnswer } from '../protocol/dns/answer.ts'
import {
  failedAnswerSeconds,
  type HostAddress,
  hostAddresses,
  type MailHosts,
  type MailHostsInput,
  mailExchanges,
  mailHosts,
} from '../protocol/dns/mail-hosts.ts'
import type { Resolver } from '../system/resolver.ts'
import { drive } from '../system/walk-driver.ts'
import type { Candidate, Destination, Hop, Itinerary } from './types.ts'

export interface ItineraryParts {
  readonly resolver: Resolver
  /** For hosts that the operator wrote: the hosts file before the DNS. */
  readonly hostsResolver: Resolver
  readonly walkInput: MailHostsInput
  readonly now: () => number
}

export async function findItinerary(parts: ItineraryParts, destination: Destination): Promise<Itinerary> {
  return destination.kind === 'mx' ? mxItinerary(parts, destination) : hostsItinerary(parts, destination)
}

export async function findMxNames(parts: ItineraryParts, domain: string): ReturnType<Hop['mxNames']> {
  const found = await drive(mailExchanges(domain, parts.walkInput.random), parts.resolver)
  const dns = found.answer === null ? [] : [dnsEvidence(found.answer)]
  if (found.kind === 'none') return { names: [], failure: { ...found.failure, reply: null }, dns }
  return { names: found.exchanges.map(({ host }) => host), failure: null, dns }
}

type MxDestination = Extract<Destination, { kind: 'mx' }>
type HostsDestination = Extract<Destination, { kind: 'hosts' }>

async function mxItinerary(parts: ItineraryParts, destination: MxDestination): Promise<Itinerary> {
  const { domain, level } = destination
  const resolver = doorFor(level, parts.resolver)
  const found = await drive(mailHosts(domain, parts.walkInput), resolver)
  const isLiteral = domain.startsWith('[')
  const isNamedByMx = (host: string) => host !== domain.toLowerCase() && !isLiteral
  const nextHop: NextHop | null = isLiteral
    ? null
    : { domain, aliases: found.domainAliases, security: found.security }
  const ways = found.hosts.flatMap(({ host, preference, addresses }) =>
    addresses.map(address => ({ host, port: smtpPort, preference, address })),
  )
  const planned = await planWays(resolver, ways, ({ host }) => ({
    level,
    from: isNamedByMx(host) ? 'mx-name' : 'recipient-domain',
    implicitTls: false,
    nextHop,
  }))
  return {
    destination,
    candidates: planned.candidates,
    skipped: [
      ...found.skipped.map(({ host, address, reason, detail }) => ({
        host,
        address,
        failure: { reason, detail, reply: null },
      })),
      ...planned.skipped,
    ],
    failure: found.failure === null ? whyNone(planned) : { ...found.failure, reply: null },
    dns: [...found.answers, ...planned.answers].map(dnsEvidence),
    expiresAtMs: expiry(parts.now(), [found.ttlSeconds, ...planned.answers.map(lifeOf)]),
    mx: isLiteral
      ? null
      : { security: found.security, because: found.answers[0]?.because ?? null, aliases: found.domainAliases },
    mxNames: found.mxNames,
  }
}

async function hostsItinerary(parts: ItineraryParts, destination: HostsDestination): Promise<Itinerary> {
  const { hosts, level, implicitTls, ipv4Only } = destination
  const resolver = doorFor(level, parts.hostsResolver)
  const found = await Promise.all(
    hosts.map(async ({ name, port }) => ({
      name,
      port,
      ...(await drive(hostAddresses(name, { ipv4Only }), resolver)),
    })),
  )
  const ways = found.flatMap(({ name, port, hosts: resolved }) =>
    resolved.flatMap(({ addresses }) =>
      addresses.map(address => ({ host: name, port, preference: null, address })),
    ),
  )
  const planned = await planWays(resolver, ways, () => ({
    level,
    from: 'operator',
    implicitTls,
    nextHop: null,
  }))
  const skipped = [
    ...found.flatMap(({ name, failure }) =>
      failure === null ? [] : [{ host: name, address: null, failure: routeHostFailure(name, failure) }],
    ),
    ...planned.skipped,
  ]
  const { candidates } = planned
  return {
    destination,
    candidates,
    skipped,
    failure: candidates.length > 0 ? null : (whyNone(planned) ?? skipped[0]?.failure ?? noHosts),
    dns: [...found.flatMap(({ answers }) => answers), ...planned.answers].map(dnsEvidence),
    expiresAtMs: expiry(parts.now(), [
      ...found.map(({ ttlSeconds }) => ttlSeconds),
      ...planned.answers.map(lifeOf),
    ]),
    mx: null,
    mxNames: [],
  }
}

/** Mail that asks for no proof of the DNS does not wait for one. */
function doorFor(level: Level, resolver: Resolver): Pick<Resolver, 'resolve'> {
  return asksForDane(level) ? resolver : (resolver.lenient ?? resolver)
}

/** One address of one host, before it is planned for. */
interface Way {
  readonly host: string
  readonly port: number
  readonly preference: number | null
  readonly address: HostAddress
}

interface Planned {
  readonly candidates: readonly Candidate[]
  readonly skipped: Itinerary['skipped']
  /** Of the questions for TLSA records. */
  readonly answers: readonly DnsAnswer[]
}

/** Looks for TLSA records where the level asks for them, and plans. A way whose records could not be found out is left out (RFC 7672 §2.1.2). */
async function planWays(
  resolver: Pick<Resolver, 'resolve'>,
  ways: readonly Way[],
  inputFor: (way: Way) => Omit<PlanInput, 'host' | 'tlsa'>,
): Promise<Planned> {
  const inputs = ways.map(inputFor)
  const isAsked = inputs.some(({ level }) => asksForDane(level))
  const { found, answers } = isAsked ? await drive(findTlsa(ways), resolver) : { found: [], answers: [] }
  const candidates: Candidate[] = []
  const skipped = new Map<string, Itinerary['skipped'][number]>()
  for (const [index, way] of ways.entries()) {
    const input = inputs[index]
    if (input === undefined) throw new Error('a way lost its input')
    const planned = planWay(way, input, found[index] ?? null)
    const { host, port, preference, address } = way
    if ('reason' in planned) skipped.set(`${host} ${planned.detail}`, { host, address: null, failure: planned })
    else
      candidates.push({
        host,
        address: address.address,
        port,
        preference,
        aliases: address.aliases,
        plan: planned,
      })
  }
  return { candidates, skipped: [...skipped.values()], answers }
}

function planWay({ host }: Way, input: Omit<PlanInput, 'host' | 'tlsa'>, tlsa: TlsaFound | null): Plan | Failure {
  if (tlsa?.kind !== 'failed') {
    const plan = planFor({ ...input, host, tlsa })
    return unmetByDns(plan) ?? plan
  }
  const { question, reason, detail } = tlsa
  // It goes into parentheses.
  const seen = `${question}: ${detail ?? entryOf(reason).says({ host, detail: '', reply: '' })}`.replace(/\.$/, '')
  return { reason: 'dane.lookup-failed', detail: seen, reply: null }
}

/** When nobody is left, what may pass comes first. */
function whyNone({ candidates, skipped }: Planned): Failure | null {
  if (candidates.length > 0) return null
  const failures = skipped.map(({ failure }) => failure)
  return failures.find(({ reason }) => entryOf(reason).lasting === 'for-now') ?? failures[0] ?? null
}

function lifeOf({ ttlSeconds }: DnsAnswer): number {
  return ttlSeconds ?? failedAnswerSeconds
}

/** A host that the operator wrote and nobody knows is the operator's to repair: the mail waits, where a stranger's would be returned. */
function routeHostFailure(name: string, { reason, detail }: NonNullable<MailHosts['failure']>): Failure {
  if (entryOf(reason).lasting === 'for-now')
    return { reason, detail: detail === null ? name : `${name}: ${detail}`, reply: null }
  return { reason: 'policy.route-host-not-found', detail: detail ?? reasonsInWords[reason] ?? null, reply: null }
}

/** The answer that ends first ends it all. Null: no question was asked. */
function expiry(nowMs: number, ttls: readonly (number | null)[]): number {
  return nowMs + Math.min(maxLifeSeconds, ...ttls.map(ttl => ttl ?? maxLifeSeconds)) * 1000
}

const reasonsInWords: Readonly<Partial<Record<string, string>>> = {
  'dns.no-such-domain': 'no such name',
  'dns.name-invalid': 'not a name',
}

const noHosts: Failure = { reason: 'policy.route-host-not-found', detail: 'the route names no host', reply: null }

/** RFC 5321 §2.3.5 and IANA: mail between relays goes to port 25. */
const smtpPort = 25

const maxLifeSeconds = 3_600
