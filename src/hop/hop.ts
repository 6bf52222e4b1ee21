/**
 * Makes the engine of types.ts. One for the whole process: what it holds is shared (TLS contexts, certificates read, open
 * conversations).
 */
import { mayConnect, parseNetwork } from '../judgement/addresses.ts'
import type { DnsStanding } from '../judgement/evidence.ts'
import type { NameProof, Plan } from '../judgement/plan.ts'
import { isAtLeast } from '../judgement/plan-rules.ts'
import { peerProof } from '../judgement/verdict.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import type { ClientTimeouts } from '../protocol/smtp/client.ts'
import type { Dialer } from '../system/dialer.ts'
import type { Resolver } from '../system/resolver.ts'
import { createCertificateReader } from './certificates.ts'
import type { Conversation } from './conversation.ts'
import { findItinerary, findMxNames, type ItineraryParts } from './itinerary.ts'
import { type ReachParts, reach } from './reach.ts'
import { rememberTrust } from './trust.ts'
import type { Candidate, Channel, Hop, Itinerary } from './types.ts'

/** `hostname` and the times are looked up for each connection, so that getters may change them while the engine is at work. */
export interface HopOptions {
  readonly resolver: Resolver
  /** Resolves the hosts that operators write (hosts file first, then DNS); default: `resolver`. */
  readonly hostsResolver?: Resolver
  readonly dialer: Dialer
  readonly knowledge: Knowledge
  /** Our name in EHLO. */
  readonly hostname: string
  /** Where we can be reached: a stranger's MX that points there is ourselves. Without loopback. */
  readonly ownAddresses: readonly string[]
  /** Networks (CIDR) that a stranger's MX may point to although they are loopback, private or our own. */
  readonly allowAddresses: readonly string[]
  readonly timeouts: ClientTimeouts
  /** TCP connection; default 30 s: nobody who takes mail needs longer, and a dead host must not hold up the next one. */
  readonly connectMs?: number
  /** TLS handshake; default 60 s. */
  readonly handshakeMs?: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds of a clock that never goes back, which tells how long something holds. Default: `performance.now`. */
  readonly monotonicMs?: () => number
  /** A whole number, evenly spread over 0 to `below` - 1. */
  readonly random: (below: number) => number
}

export function createHop(options: HopOptions): Hop {
  const { resolver, knowledge, now, random, dialer, monotonicMs = () => performance.now() } = options
  const open = new Set<Conversation>()
  const stopping = new AbortController()
  const groundsOf = new WeakMap<Itinerary | Candidate, Grounds>()
  /** When the certificates of a channel expire, by the clock that never goes back. */
  const endOf = new WeakMap<Channel, number>()

  const networks = (texts: readonly string[]) =>
    texts.map(text => {
      const network = parseNetwork(text)
      if (network === null) throw new Error(`not a network: ${text}`)
      return network
    })
  const own = networks(options.ownAddresses)
  const allow = networks(options.allowAddresses)
  const itineraryParts: ItineraryParts = {
    resolver,
    hostsResolver: options.hostsResolver ?? resolver,
    now,
    walkInput: {
      own: {
        get hostname() {
          return options.hostname
        },
        addresses: options.ownAddresses,
      },
      mayConnect: address => mayConnect(address, { own, allow }),
      random,
    },
  }
  const reachParts: ReachParts = {
    dialer,
    knowledge,
    get hostname() {
      return options.hostname
    },
    get timeouts() {
      return options.timeouts
    },
    get connectMs() {
      return options.connectMs ?? 30_000
    },
    get handshakeMs() {
      return options.handshakeMs ?? 60_000
    },
    now,
    open,
    signal: stopping.signal,
    certificates: createCertificateReader(),
    trustIn: rememberTrust(),
    nextSessionId: sessionIds(now, random),
  }

  const validation = () => resolver.standing?.validation
  const isOfThisStanding = ({ standing }: Grounds) => standing === 'any' || standing === validation()

  const groundsFor = ({ dns, expiresAtMs, destination }: Itinerary, standing: Grounds['standing']): Grounds => {
    const leftMs = Math.max(leastLifeMs, expiresAtMs - now())
    const roots = destination.kind === 'hosts' ? destination.roots : null
    if (!isUnvalidated(dns) || resolver.standing === undefined || resolver.standing.trust === 'none')
      return { roots, untilMs: monotonicMs() + leftMs, standing: 'any' }
    return { roots, untilMs: monotonicMs() + Math.min(leftMs, unvalidatedLifeMs), standing }
  }

  const satisfies = (channel: Channel, candidate: Candidate): boolean => {
    const { plan: made } = channel.candidate
    const { plan: asked } = candidate
    const [madeOn, askedOn] = [groundsOf.get(channel.candidate), groundsOf.get(candidate)]
    const endMs = endOf.get(channel)
    // A candidate or a channel that is not of ours satisfies nothing.
    if (madeOn === undefined || askedOn === undefined || endMs === undefined) return false
    if (!channel.usable || now() >= channel.expiresAtMs || monotonicMs() >= endMs) return false
    if (!isOfThisStanding(askedOn)) return false
    // What records prove is true for as long as they are (RFC 7672 §2.2.1, RFC 7671 §8.1).
    if (asked.dane?.kind === 'records' && monotonicMs() >= askedOn.untilMs) return false
    // The very candidate it was opened for needs no comparing.
    if (channel.candidate === candidate) return true
    const proof = peerProof(channel.verdict)
    return (
      channel.candidate.address === candidate.address &&
      channel.candidate.port === candidate.port &&
      made.implicitTls === asked.implicitTls &&
      madeOn.roots === askedOn.roots &&
      hasSameNames(made, asked) &&
      hasSameRecords(made, asked) &&
      isAsStrict(made, asked) &&
      proof !== null &&
      isAtLeast(proof, asked.least.peer)
    )
  }

  return {
    async itinerary(destination) {
      let standing = validation()
      let found = await findItinerary(itineraryParts, destination)
      if (standing !== validation() && isUnvalidated(found.dns)) {
        // Some answers are from before the change, and some from after it.
        standing = validation()
        found = await findItinerary(itineraryParts, destination)
      }
      const grounds = groundsFor(found, standing)
      for (const of of [found, ...found.candidates]) groundsOf.set(of, grounds)
      return found
    },
    isCurrent(itinerary) {
      const grounds = groundsOf.get(itinerary)
      if (grounds === undefined || !isOfThisStanding(grounds)) return false
      return now() < itinerary.expiresAtMs && monotonicMs() < grounds.untilMs
    },
    mxNames: domain => findMxNames(itineraryParts, domain),
    async reach(candidate, itinerary, clearText = 'as-planned') {
      const reached = await reach(reachParts, candidate, itinerary, clearText)
      if (reached.kind === 'channel')
        endOf.set(reached.channel, monotonicMs() + reached.channel.expiresAtMs - now())
      return reached
    },
    satisfies,
    close() {
      stopping.abort()
      for (const conversation of [...open]) conversation.destroy()
      return Promise.resolve()
    },
  }
}

/** What an itinerary and its candidates stand on. */
interface Grounds {
  /** Which roots the peers are judged by. */
  readonly roots: string | null
  /** When the first of the answers reaches the end of its time, by the clock that never goes back. */
  readonly untilMs: number
  /** What the name servers have to be good for, still: what was planned by answers that nobody could validate says nothing about what they say once somebody can. */
  readonly standing: DnsStanding['validation'] | 'any' | undefined
}

function isUnvalidated(answers: Itinerary['dns']): boolean {
  return answers.some(({ security }) => security === 'unvalidated')
}

function hasSameNames(one: Plan, other: Plan): boolean {
  const names = (plan: Plan) => plan.references.map(({ name }) => name).sort()
  return one.sni === other.sni && names(one).join(' ') === names(other).join(' ')
}

/** A channel that records proved serves none that others would have to prove, nor one that owes nothing to any: it would be told as what it is not. */
function hasSameRecords(made: Plan, asked: Plan): boolean {
  if (made.dane?.kind !== 'records' || asked.dane?.kind !== 'records') return made.dane?.kind === asked.dane?.kind
  if (made.dane === asked.dane) return true
  const [one, other] = [made.dane, asked.dane]
  const texts = (dane: typeof one) =>
    dane.records
      .map(({ text }) => text)
      .sort()
      .join('\n')
  return one.owner === other.owner && texts(one) === texts(other)
}

/** What the channel was made under asks for no less than what is asked now, so its verdict cannot have been an easier one. */
function isAsStrict(made: Plan, asked: Plan): boolean {
  return (
    nameOrder.indexOf(made.name) >= nameOrder.indexOf(asked.least.name) &&
    isAtLeast(made.least.peer, asked.least.peer) &&
    (made.implicitTls || startTlsOrder.indexOf(made.starttls) >= startTlsOrder.indexOf(asked.starttls))
  )
}

/** What was asked for a moment ago is good for what it was asked for, though its time be over (RFC 1035 §3.2.1, a TTL of zero). */
const leastLifeMs = 1_000

/** Whether answers can be validated again is found out when questions are asked: mail that goes by some that could not be asks once a minute. */
const unvalidatedLifeMs = 60_000

const nameOrder: readonly NameProof[] = ['unauthenticated', 'mta-sts', 'secure-mx', 'configured']
const startTlsOrder: readonly Plan['starttls'][] = ['never', 'if-offered', 'required']

/** `s` with the time, this engine's own letters and a number: unique over restarts and workers. */
function sessionIds(now: () => number, random: (below: number) => number): () => string {
  const mark = random(36 ** 4)
    .toString(36)
    .padStart(4, '0')
  let serial = 0
  return () => {
    serial = (serial + 1) % 36 ** 3
    return `s${now().toString(36)}${mark}${serial.toString(36).padStart(3, '0')}`
  }
}
