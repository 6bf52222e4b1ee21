/**
 * Makes the engine of types.ts. One for the whole process: what it holds is shared (TLS contexts, certificates read, open
 * conversations).
 */
import { mayConnect, parseNetwork } from '../judgement/addresses.ts'
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
  /** A whole number, evenly spread over 0 to `below` - 1. */
  readonly random: (below: number) => number
}

export function createHop(options: HopOptions): Hop {
  const { resolver, knowledge, now, random, dialer } = options
  const open = new Set<Conversation>()
  const stopping = new AbortController()
  /** Which roots a candidate's peer was or will be judged by. A candidate that is not of ours is in here for nobody, and satisfies nothing. */
  const rootsOf = new WeakMap<Candidate, { readonly roots: string | null }>()

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

  const satisfies = (channel: Channel, candidate: Candidate): boolean => {
    const { plan: made } = channel.candidate
    const { plan: asked } = candidate
    const [madeRoots, askedRoots] = [rootsOf.get(channel.candidate), rootsOf.get(candidate)]
    const proof = peerProof(channel.verdict)
    return (
      channel.usable &&
      now() < channel.expiresAtMs &&
      channel.candidate.address === candidate.address &&
      channel.candidate.port === candidate.port &&
      made.implicitTls === asked.implicitTls &&
      madeRoots !== undefined &&
      askedRoots !== undefined &&
      madeRoots.roots === askedRoots.roots &&
      hasSameNames(made, asked) &&
      hasSameRecords(made, asked) &&
      isAsStrict(made, asked) &&
      proof !== null &&
      isAtLeast(proof, asked.least.peer)
    )
  }

  return {
    async itinerary(destination) {
      const found: Itinerary = await findItinerary(itineraryParts, destination)
      const roots = destination.kind === 'hosts' ? destination.roots : null
      for (const candidate of found.candidates) rootsOf.set(candidate, { roots })
      return found
    },
    mxNames: domain => findMxNames(itineraryParts, domain),
    reach: (candidate, itinerary, clearText = 'as-planned') => reach(reachParts, candidate, itinerary, clearText),
    satisfies,
    close() {
      stopping.abort()
      for (const conversation of [...open]) conversation.destroy()
      return Promise.resolve()
    },
  }
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
