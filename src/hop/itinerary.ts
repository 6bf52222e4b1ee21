/**
 * The way to a destination: hosts, addresses, plans, in the order to try them. Nothing is sent to anybody but DNS servers.
 *
 * What the DNS says is read by the walks of protocol/dns; the plan of each host is judgement's. Here the two meet. The order is the zone's or
 * the operator's: an itinerary may be kept for an hour, so what was learned since is heeded only when one is tried (hope.ts).
 */
import { dnsEvidence } from '../judgement/evidence-of.ts'
import type { Failure } from '../judgement/failure.ts'
import { entryOf } from '../judgement/findings.ts'
import { planFor } from '../judgement/plan-rules.ts'
import {
  hostAddresses,
  type MailHosts,
  type MailHostsInput,
  mailExchanges,
  mailHosts,
} from '../protocol/dns/mail-hosts.ts'
import type { Resolver } from '../system/resolver.ts'
import { drive } from '../system/walk-driver.ts'
import type { Destination, Hop, Itinerary } from './types.ts'

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
  const found = await drive(mailHosts(destination.domain, parts.walkInput), parts.resolver)
  const { domain, level } = destination
  const isNamedByMx = (host: string) => host !== domain.toLowerCase() && !domain.startsWith('[')
  const candidates = found.hosts.flatMap(({ host, preference, addresses }) => {
    const from = isNamedByMx(host) ? 'mx-name' : 'recipient-domain'
    const plan = planFor({ level, host, from, implicitTls: false })
    return addresses.map(({ address, aliases }) => ({ host, address, port: smtpPort, preference, aliases, plan }))
  })
  return {
    destination,
    candidates,
    skipped: found.skipped.map(({ host, address, reason, detail }) => ({
      host,
      address,
      failure: { reason, detail, reply: null },
    })),
    failure: found.failure === null ? null : { ...found.failure, reply: null },
    dns: found.answers.map(dnsEvidence),
    expiresAtMs: expiry(parts.now(), found.ttlSeconds),
    mxNames: found.mxNames,
  }
}

async function hostsItinerary(parts: ItineraryParts, destination: HostsDestination): Promise<Itinerary> {
  const { hosts, level, implicitTls, ipv4Only } = destination
  const found = await Promise.all(
    hosts.map(async ({ name, port }) => ({
      name,
      port,
      ...(await drive(hostAddresses(name, { ipv4Only }), parts.hostsResolver)),
    })),
  )
  const candidates = found.flatMap(({ name, port, hosts: resolved }) => {
    const plan = planFor({ level, host: name, from: 'operator', implicitTls })
    return resolved.flatMap(({ addresses }) =>
      addresses.map(({ address, aliases }) => ({ host: name, address, port, preference: null, aliases, plan })),
    )
  })
  const skipped = found.flatMap(({ name, failure }) =>
    failure === null ? [] : [{ host: name, address: null, failure: routeHostFailure(name, failure) }],
  )
  const ttls = found.flatMap(({ ttlSeconds }) => (ttlSeconds === null ? [] : [ttlSeconds]))
  return {
    destination,
    candidates,
    skipped,
    failure: candidates.length > 0 ? null : (skipped[0]?.failure ?? noHosts),
    dns: found.flatMap(({ answers }) => answers.map(dnsEvidence)),
    expiresAtMs: expiry(parts.now(), ttls.length === 0 ? null : Math.min(...ttls)),
    mxNames: [],
  }
}

/** A host that the operator wrote and nobody knows is the operator's to repair: the mail waits, where a stranger's would be returned. */
function routeHostFailure(name: string, { reason, detail }: NonNullable<MailHosts['failure']>): Failure {
  if (entryOf(reason).lasting === 'for-now')
    return { reason, detail: detail === null ? name : `${name}: ${detail}`, reply: null }
  return { reason: 'policy.route-host-not-found', detail: detail ?? reasonsInWords[reason] ?? null, reply: null }
}

function expiry(nowMs: number, ttlSeconds: number | null): number {
  return nowMs + Math.min(ttlSeconds ?? maxLifeSeconds, maxLifeSeconds) * 1000
}

const reasonsInWords: Readonly<Partial<Record<string, string>>> = {
  'dns.no-such-domain': 'no such name',
  'dns.name-invalid': 'not a name',
}

const noHosts: Failure = { reason: 'policy.route-host-not-found', detail: 'the route names no host', reply: null }

/** RFC 5321 §2.3.5 and IANA: mail between relays goes to port 25. */
const smtpPort = 25

const maxLifeSeconds = 3_600
