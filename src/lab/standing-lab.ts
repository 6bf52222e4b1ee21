/**
 * A lab that stays up for others to use: hosts and DNS as in every lab, and a word on what came to them. In a network namespace it makes its addresses
 * real too, with a validating resolver on port 53 (RFC 4035 §3.2) in front of its DNS.
 *
 * Success means that everything listens. It owns neither the namespace nor the state directory, and plays no scenario: what comes, comes from outside.
 */
import { existsSync } from 'node:fs'
import { readAnchors } from '../protocol/dnssec/anchors.ts'
import type { TrustAnchor } from '../protocol/dnssec/types.ts'
import { createDnsWire } from '../system/dns-wire.ts'
import { type LabDns, startDns } from './dns-server.ts'
import { type Door, openDoors } from './doors.ts'
import type { LabHost } from './host.ts'
import { type Lab, type Place, startLab } from './lab.ts'
import { addAddresses } from './namespace.ts'
import { createValidatingFront } from './validating-front.ts'
import { reportVisit, type VisitReport } from './visit-report.ts'

export interface StandingLab {
  readonly lab: Lab
  /** Where programs ask that want validated answers; null without a namespace. */
  readonly resolver: LabDns | null
  report(): LabReport
  close(): Promise<void>
}

/** What came so far. */
export interface LabReport {
  readonly dns: DnsReport
  /** Null without a namespace. */
  readonly resolver: DnsReport | null
  readonly hosts: readonly HostReport[]
}

export interface DnsReport {
  readonly address: string
  readonly port: number
  /** How many questions came. */
  readonly questions: number
  /** The last of them, newest last: `mx.example.org A`; the root is `. DNSKEY`. */
  readonly newest: readonly string[]
}

export interface HostReport {
  readonly name: string
  /** As the DNS of the lab has them. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Where it really listens, as `address:port`; null when it is down on purpose. */
  readonly listens: string | null
  readonly visits: number
  readonly messages: number
  /** Newest last. */
  readonly newest: readonly VisitReport[]
}

/** @throws what the system says against an address or port, `NamespaceRefused` among it */
export async function startStandingLab(where: 'loopback' | 'namespace'): Promise<StandingLab> {
  const lab = await startLab()
  const { places } = lab
  // What came long ago is counted, and else forgotten: it may stay up for weeks.
  const forgetting = setInterval(() => {
    for (const host of lab.hosts) host.forget(mostVisits)
  }, forgetEveryMs)
  forgetting.unref()
  const closers: (() => Promise<void>)[] = [() => lab.close()]
  const close = async (): Promise<void> => {
    clearInterval(forgetting)
    for (const each of closers.splice(0).toReversed()) await each()
  }
  try {
    const resolver = where === 'namespace' ? await makeReal(lab, places, closers) : null
    return { lab, resolver, report: () => reportOf(lab, places, resolver), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function makeReal(lab: Lab, places: readonly Place[], closers: (() => Promise<void>)[]): Promise<LabDns> {
  const reachable = (address: string) => !address.includes(':') || hasIpv6()
  await addAddresses(places.flatMap(({ addresses }) => addresses.filter(reachable)))
  const doors = await openDoors(places.flatMap(place => doorsOf(place, reachable)))
  closers.push(() => doors.close())
  const wire = createDnsWire({
    servers: [`${lab.dns.address}:${lab.dns.port}`],
    timeoutMs: answerMs,
    waitMs,
    attempts: 2,
  })
  closers.push(() => wire.close())
  const front = createValidatingFront({ wire, anchors: anchorsOf(lab), now: Date.now })
  const resolver = await startDns(front, { address: '127.0.0.1', port: 53 })
  closers.push(() => resolver.close())
  return resolver
}

/** Where a host is down, nobody listens: the address is there, and refuses. */
function doorsOf({ addresses, port, to }: Place, reachable: (address: string) => boolean): readonly Door[] {
  return to === null ? [] : addresses.filter(reachable).map(address => ({ address, port, to }))
}

function anchorsOf(lab: Lab): readonly TrustAnchor[] {
  const read = readAnchors(lab.anchors)
  if (read.kind !== 'anchors') throw new Error(`the lab's own trust anchors cannot be read: ${read.says}`)
  return read.anchors
}

/** A kernel may have none. */
function hasIpv6(): boolean {
  return existsSync('/proc/net/if_inet6')
}

function reportOf(lab: Lab, places: readonly Place[], resolver: LabDns | null): LabReport {
  return {
    dns: dnsReport(lab.dns),
    resolver: resolver === null ? null : dnsReport(resolver),
    hosts: places.map(place => hostReport(place, lab.hosts)),
  }
}

function dnsReport({ address, port, questions, asked }: LabDns): DnsReport {
  const newest = asked.slice(-mostQuestions).map(({ name, type }) => `${name === '' ? '.' : name} ${type}`)
  return { address, port, questions, newest }
}

function hostReport({ name, addresses, port, to }: Place, hosts: readonly LabHost[]): HostReport {
  const host = hosts.find(each => each.name === name)
  return {
    name,
    addresses,
    port,
    listens: to === null ? null : `${to.address}:${to.port}`,
    visits: host?.came.visits ?? 0,
    messages: host?.came.messages ?? 0,
    newest: host?.visits.slice(-mostVisits).map(reportVisit) ?? [],
  }
}

const mostVisits = 20
const forgetEveryMs = 10_000
const mostQuestions = 20
/** Shorter than the patience of those who ask: they are told SERVFAIL, as a resolver of theirs would. */
const answerMs = 4_000
const waitMs = 1_500
