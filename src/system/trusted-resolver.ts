/**
 * The relay's resolver: answers whose security is known, and the word on whether it can be known here (ARCHITECTURE decision 6).
 *
 * `validate`: every answer is validated in process. `ad`: a resolver on this machine, or one that proves its name over TLS, validates, and says so with the AD bit. `none`: answers as they come.
 * Where the servers make the first two impossible, answers come as they are and are `unvalidated`, so that mail goes on without DANE; unless `require` or what was
 * known of these servers says that mail waits: then every answer is `failed` with `dns.validation-unavailable`, but for mail that asks for no proof (`lenient`). It is never a single answer that is
 * treated more weakly than the others because something failed.
 *
 * Names of the hosts file are the operator's own word. They and the names below which nothing is validated do not depend on what the servers are good for.
 */

import { type DnsAnswer, type DnsQuestion, failedAnswer } from '../protocol/dns/answer.ts'
import { isAtOrBelow, type Name, parseName } from '../protocol/dns/name.ts'
import { typeNumbers } from '../protocol/dns/numbers.ts'
import type { DnsStanding } from '../protocol/dns/standing.ts'
import { readAnchors, rootAnchors } from '../protocol/dnssec/anchors.ts'
import { trustFingerprint } from '../protocol/dnssec/kept-zone.ts'
import { negativeAnchors } from '../protocol/dnssec/private-names.ts'
import type { TrustAnchor } from '../protocol/dnssec/types.ts'
import { createDnsClient, type DnsClientOptions } from './dns-client.ts'
import { defaultWaitMs } from './dns-servers.ts'
import { createDnsWire, type DnsWire } from './dns-wire.ts'
import { withHostsFile } from './hosts-resolver.ts'
import { keptZones, knownZones, type ProofMemory } from './kept-zones.ts'
import { parseNameServer } from './name-server.ts'
import type { Resolver, TrustedResolver } from './resolver.ts'
import { createValidatingClient, faultAtAnchor } from './validating-client.ts'
import { createValidatingResolver, whyUnproven } from './validating-resolver.ts'
import {
  keepStanding,
  type ServerFinding,
  type StandingKeeper,
  type ValidationMemory,
} from './validation-standing.ts'
import { version } from './version.ts'

export { createValidationMemory, type ValidationMemory } from './validation-standing.ts'

export interface TrustedResolverOptions extends DnsClientOptions {
  readonly trust: 'validate' | 'ad' | 'none'
  /** With `ad`: servers that are asked in clear text beyond loopback are believed, too. */
  readonly adFromAnywhere: boolean
  /** While security cannot be known every answer fails, instead of being `unvalidated`. */
  readonly require: boolean
  /** Negative trust anchors (RFC 7646), beside the names that are never global. */
  readonly insecure: readonly string[]
  /** Text of a file of trust anchors; null: those of the public root. */
  readonly anchors: string | null
  readonly memory: ValidationMemory
  /** With `validate`: where keys of zones, once proven, outlive the process. Left out: nowhere. */
  readonly proofs?: ProofMemory
  /** Milliseconds since 1970: what signatures are held against. Default: `Date.now`. */
  readonly clock?: () => number
  /** Called when what the servers are good for, or what is to be said about it, has changed. */
  readonly onStanding?: (standing: DnsStanding) => void
}

/** @throws RangeError for servers, names and anchors that cannot be read: the configuration is checked before it gets here */
export function createTrustedResolver(options: TrustedResolverOptions): TrustedResolver {
  const { hostsFile, now = () => performance.now() } = options
  const bare = { ...options, hostsFile: null, now }
  if (options.trust === 'none') return untrusting(createDnsClient({ ...options, now }))
  const trusted = options.trust === 'validate' ? validating(bare) : believing(bare)
  const resolver = whereTrusted(trusted, createDnsClient(bare))
  if (hostsFile === null) return resolver
  const { resolve, lenient = resolver } = withHostsFile(resolver, hostsFile, now)
  return {
    ...resolver,
    get standing() {
      return resolver.standing
    },
    resolve,
    lenient,
  }
}

/** One way to answers whose security is known. */
interface Trusted {
  readonly keeper: StandingKeeper
  readonly client: Resolver
  /** Whether the answer needs nothing of the servers that they may not be able to do. */
  isExempt(question: DnsQuestion): boolean
  close(): Promise<void>
}

type Bare = TrustedResolverOptions & { readonly now: () => number }

/** @param plain answers as they come */
function whereTrusted({ keeper, client, isExempt, close }: Trusted, plain: Resolver): TrustedResolver {
  /** @param whenLost what becomes of the question when these servers made proofs possible once, and do not any more */
  async function resolve(question: DnsQuestion, whenLost: 'wait' | 'go-on'): Promise<DnsAnswer> {
    const wait = keeper.due()
    if (wait !== null) await wait
    const { validation, trust } = keeper.standing
    switch (validation) {
      case 'works':
      case 'mistimed':
        return client.resolve(question)
      case 'unknown':
        // The word of a server that nobody could ask whether it validates is worth nothing; a proof is one whoever sends it.
        return trust === 'validate'
          ? client.resolve(question)
          : failedAnswer(question, 'no resolver answers', 'dns.timeout')
      case 'lost':
      case 'required':
        if (validation === 'lost' && whenLost === 'go-on') return plain.resolve(question)
        return isExempt(question)
          ? client.resolve(question)
          : failedAnswer(question, 'answers cannot be validated', 'dns.validation-unavailable')
      case 'unavailable':
      case 'off':
        return plain.resolve(question)
      default:
        return validation satisfies never
    }
  }
  return {
    resolve: question => resolve(question, 'wait'),
    lenient: { resolve: question => resolve(question, 'go-on') },
    probe: () => keeper.probe(),
    get standing() {
      return keeper.standing
    },
    async close() {
      await Promise.all([close(), plain.close()])
    },
  }
}

function validating(options: Bare): Trusted {
  const { now, clock = Date.now, proofs: kept } = options
  const anchors = anchorsFrom(options.anchors)
  const insecure = negativeAnchors(namesFrom(options.insecure), anchors)
  const wire = createDnsWire(options)
  const probing = probeWire(options)
  const prober = createValidatingResolver({ wire: probing, anchors, insecure, now: clock })
  const keeper = keepStanding({
    ...standingOptions(options, wire),
    trust: 'validate',
    probe: () =>
      prober.probeServers().map(async one => {
        const { signatures, ...rest } = await one
        return { ...rest, proof: proofs[signatures] }
      }),
    onFound: found => wire.askLast(found.filter(isUseless).map(({ server }) => server)),
  })
  const trust = () => trustFingerprint({ anchors, insecure, sha1: 'insecure', validator: version() })
  const zones = kept === undefined ? knownZones() : keptZones(kept, trust(), clock)
  const client = createValidatingClient({
    resolver: createValidatingResolver({ wire, anchors, insecure, now: clock, zones }),
    now,
    timeoutMs: options.timeoutMs,
    heard(answer) {
      const { security, reason } = answer
      if (security === 'secure') keeper.worked()
      else if (faultAtAnchor(answer) !== null || (reason !== null && signsOfStripping.has(reason)))
        keeper.doubted()
    },
  })
  return {
    keeper,
    client,
    isExempt({ name: text }) {
      const name = parseName(text)
      return name !== null && insecure.some(anchor => isAtOrBelow(name, anchor))
    },
    async close() {
      await Promise.all([wire.close(), probing.close(), keeper.close(), client.close()])
    },
  }
}

function believing(options: Bare): Trusted {
  const { now, adFromAnywhere } = options
  const [anchor] = anchorsFrom(options.anchors).toSorted((one, other) => one.zone.length - other.zone.length)
  const zone = anchor?.zone ?? []
  const probing = probeWire(options)
  const others = (server: string) => probing.servers().filter(other => other !== server)
  let believed: readonly string[] = []
  const makeClient = () =>
    // Others are not even asked when these fall silent: what they leave unsaid would count as insecure.
    createDnsClient({
      ...options,
      ad: { avoid: () => probing.servers().filter(server => !believed.includes(server)) },
    })
  let client = makeClient()
  const confirmed = new Map<string, { readonly atMs: number; readonly isSo: Promise<boolean> }>()
  const closing = new Set<Promise<void>>()

  const keeper = keepStanding({
    ...standingOptions(options, probing),
    trust: 'ad',
    probe: () => probing.servers().map(server => probeWord(probing, zone, server, others(server), adFromAnywhere)),
    onFound(found) {
      believed = found.filter(({ proof }) => proof === 'arrives').map(({ server }) => server)
    },
  })

  /** Whether the server validates still: what one that stopped leaves unsaid would count as insecure, and nothing would tell. */
  function stillValidates(server: string): Promise<boolean> {
    const last = confirmed.get(server)
    if (last !== undefined && now() - last.atMs < confirmEveryMs) return last.isSo
    const isSo = wordFor(probing, zone, others(server)).then(({ proof }) => proof === 'arrives')
    confirmed.set(server, { atMs: now(), isSo })
    return isSo
  }

  return {
    keeper,
    client: {
      async resolve(question) {
        const asked = client
        const answer = await asked.resolve(question)
        if (answer.security === 'secure') keeper.worked()
        if (answer.security !== 'insecure' || answer.cached || answer.server === null) return answer
        if (await stillValidates(answer.server)) return answer
        // What was kept in the meantime is no better.
        if (asked === client) {
          client = makeClient()
          const close = asked.close().finally(() => closing.delete(close))
          closing.add(close)
        }
        confirmed.delete(answer.server)
        await keeper.probe()
        return failedAnswer(question, 'the resolver does not validate any more', 'dns.validation-unavailable')
      },
      close: () => client.close(),
    },
    isExempt: () => false,
    async close() {
      await Promise.all([probing.close(), keeper.close(), client.close(), ...closing])
    },
  }
}

async function probeWord(
  wire: DnsWire,
  zone: Name,
  server: string,
  others: readonly string[],
  anywhere: boolean,
): Promise<ServerFinding> {
  const found = {
    server,
    isThere: true,
    unproven: null,
    proof: 'not-believed',
    tcp: 'unknown',
    clock: 'unknown',
  } as const
  if (!anywhere && !isOutOfReach(server)) return found
  const question = { name: zone, type: typeNumbers.SOA }
  const [word, overTcp] = await Promise.all([
    wordFor(wire, zone, others),
    wire.ask(question, { checking: 'enabled', avoid: others, over: 'tcp' }),
  ])
  const isThere = word.isThere || overTcp.server !== null
  return {
    ...found,
    isThere,
    unproven: word.unproven ?? whyUnproven(overTcp),
    tcp: overTcp.server !== null ? 'works' : isThere ? 'fails' : 'unknown',
    proof: word.proof,
  }
}

/** Whether the server says that what it sends for the zone is secure, which it does only when it validates. */
async function wordFor(
  wire: DnsWire,
  zone: Name,
  others: readonly string[],
): Promise<Pick<ServerFinding, 'isThere' | 'proof' | 'unproven'>> {
  const reply = await wire.ask({ name: zone, type: typeNumbers.SOA }, { checking: 'enabled', avoid: others })
  if (reply.kind === 'message')
    return { isThere: true, proof: reply.message.authenticData ? 'arrives' : 'missing', unproven: null }
  // Whoever fails may be unable to validate for now; whoever refuses, or knows no EDNS, never does.
  const isFailing = reply.server === null || reply.why === 'SERVFAIL'
  const unproven = whyUnproven(reply)
  return { isThere: reply.server !== null, proof: isFailing ? 'unknown' : 'missing', unproven }
}

function standingOptions({ require, memory, now, clock = Date.now, onStanding }: Bare, wire: DnsWire) {
  return {
    require,
    memory,
    now,
    clock,
    servers: () => wire.servers(),
    onStanding: (standing: DnsStanding) => onStanding?.(standing),
  }
}

/** Keeps nothing, as a probe is about what the servers do now, and is patient for less long than a question. */
function probeWire(options: Bare): DnsWire {
  const { timeoutMs, waitMs = defaultWaitMs, ...rest } = options
  return createDnsWire({ ...rest, timeoutMs: Math.min(timeoutMs, probeTimeoutMs), waitMs, attempts: 2 }, 0)
}

function untrusting(client: Resolver): TrustedResolver {
  const standing: DnsStanding = { trust: 'none', validation: 'off', says: [] }
  return { ...client, standing, probe: () => Promise.resolve(standing) }
}

function anchorsFrom(text: string | null): readonly TrustAnchor[] {
  if (text === null) return rootAnchors
  const read = readAnchors(text)
  if (read.kind === 'fault') throw new RangeError(`not trust anchors: ${read.says}`)
  return read.anchors
}

function namesFrom(texts: readonly string[]): readonly Name[] {
  return texts.map(text => {
    const name = parseName(text)
    if (name === null) throw new RangeError(`not a name: ${text}`)
    return name
  })
}

/** Whether nobody on the way can change what the server says: it is on this machine, or asked over TLS and nobody else answers (RFC 7672 §2.1.3). */
function isOutOfReach(text: string): boolean {
  const server = parseNameServer(text)
  if (server === null) return false
  const { address, authenticationName } = server
  return authenticationName !== null || address.startsWith('127.') || address === '::1'
}

/** What cannot be proven with it is proven with any other, if there is one. */
function isUseless({ proof, clock }: ServerFinding): boolean {
  return proof === 'missing' || clock === 'ahead' || clock === 'behind'
}

const proofs = { arrive: 'arrives', stripped: 'missing', unknown: 'unknown' } as const

/** What answers come to when somebody takes signatures, or proofs of absence, out of them. */
const signsOfStripping: ReadonlySet<string> = new Set([
  'dnssec.signature-missing',
  'dnssec.dnskey-missing',
  'dnssec.denial-unproven',
])

/** How long a resolver that has just said what is secure is taken to do so. */
const confirmEveryMs = 5_000

/** A probe asks twice, one after the other, at most. */
const probeTimeoutMs = 3_000
