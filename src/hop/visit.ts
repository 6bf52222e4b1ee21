/**
 * Visits every host and address of a destination to see its certificates: greeting, EHLO, STARTTLS, handshake, EHLO, QUIT, and never a mail command.
 *
 * The way, the conversation and the judgement are the relay's own (itinerary.ts, reach.ts); two things differ. No host is left out for being ourselves, since
 * a postmaster looks at the own host first. And each address is visited again, asked for a chain whose key is of the other kind (RSA, ECDSA): a server can have one
 * of each, and which of them a sender gets depends on the sender.
 *
 * Success means that every address has its visits, each with a whole session document; what could not be seen says so in there. Time is bounded for each
 * step, and for all of it together.
 */
import { mayConnect, parseNetwork } from '../judgement/addresses.ts'
import type { ChainVisit } from '../judgement/tlsa-check-document.ts'
import { nothingLearned } from '../knowledge/nothing-learned.ts'
import { type ClientTimeouts, defaultClientTimeouts } from '../protocol/smtp/client.ts'
import type { Read } from '../protocol/x509/model.ts'
import type { Dialer } from '../system/dialer.ts'
import { createClientContext, type ServerKeys } from '../system/outgoing.ts'
import type { Resolver } from '../system/resolver.ts'
import { createCertificateReader } from './certificates.ts'
import type { Conversation } from './conversation.ts'
import { findItinerary } from './itinerary.ts'
import { type ReachParts, reach } from './reach.ts'
import { rememberTrust } from './trust.ts'
import type { Candidate, Destination, Itinerary } from './types.ts'

export interface VisitorOptions {
  readonly resolver: Resolver
  readonly dialer: Dialer
  /** Our name in EHLO. */
  readonly hostname: string
  /** Networks (CIDR) that a stranger's MX may point to although they are loopback or private. */
  readonly allowAddresses: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A whole number, evenly spread over 0 to `below` - 1. */
  readonly random: (below: number) => number
  readonly patience?: Partial<VisitPatience>
}

/** How long each step may take, and all visits together, in milliseconds. */
export interface VisitPatience {
  readonly connectMs: number
  readonly greetingMs: number
  readonly commandMs: number
  readonly handshakeMs: number
  readonly altogetherMs: number
}

export interface Visitor {
  /** Asks the DNS and plans, as the relay does. */
  itinerary(destination: Destination): Promise<Itinerary>
  /** One visit. Never rejects for anything a server does. */
  visit(candidate: Candidate, itinerary: Itinerary, asked: ServerKeys): Promise<ChainVisit>
  /**
   * Visits all candidates of the itinerary, several at a time. Never rejects for anything a server does.
   * @param onVisited called after each address, with how many are done
   * @returns in the order of the candidates; no visit at all where time was over before
   */
  visitAll(itinerary: Itinerary, onVisited: (done: number) => void): Promise<readonly (readonly ChainVisit[])[]>
  close(): Promise<void>
}

export function createVisitor(options: VisitorOptions): Visitor {
  const { resolver, now, random, dialer, hostname } = options
  const patience = { ...defaultPatience, ...options.patience }
  const allow = options.allowAddresses.map(text => {
    const network = parseNetwork(text)
    if (network === null) throw new Error(`not a network: ${text}`)
    return network
  })
  const open = new Set<Conversation>()
  const stopping = new AbortController()
  const certificates = createCertificateReader()
  const trustIn = rememberTrust()
  const contexts = new Map<string, ReturnType<typeof createClientContext>>()
  let serial = 0

  const timeouts: ClientTimeouts = {
    ...defaultClientTimeouts,
    greetingMs: patience.greetingMs,
    commandMs: patience.commandMs,
    quitMs: quitMs,
  }
  const parts: ReachParts = {
    dialer,
    knowledge: nothingLearned,
    hostname,
    timeouts,
    connectMs: patience.connectMs,
    handshakeMs: patience.handshakeMs,
    now,
    certificates,
    trustIn,
    nextSessionId: () => `v${++serial}`,
    open,
    signal: stopping.signal,
  }

  async function visit(candidate: Candidate, itinerary: Itinerary, asked: ServerKeys): Promise<ChainVisit> {
    let chain: readonly Read[] = []
    const own: ReachParts = {
      ...parts,
      trustIn: roots =>
        asked === 'any' ? trustIn(roots) : { ...trustIn(roots), context: contextFor(roots, asked) },
      certificates: {
        read(sent) {
          const seen = certificates.read(sent)
          chain = seen.map(({ read }) => read)
          return seen
        },
      },
    }
    const reached = await reach(own, candidate, itinerary, 'as-planned')
    if (reached.kind === 'channel') await reached.channel.close()
    return { asked, session: reached.session, chain }
  }

  function contextFor(roots: string | null, keys: ServerKeys) {
    const id = `${keys} ${roots ?? ''}`
    const context = contexts.get(id) ?? createClientContext(roots, keys)
    contexts.set(id, context)
    return context
  }

  async function visitAddress(candidate: Candidate, itinerary: Itinerary): Promise<readonly ChainVisit[]> {
    const visits: ChainVisit[] = []
    const first = await visit(candidate, itinerary, 'any')
    visits.push(first)
    for (const asked of otherKeys(first))
      if (!stopping.signal.aborted) visits.push(await visit(candidate, itinerary, asked))
    return visits
  }

  return {
    itinerary: destination =>
      findItinerary(
        {
          resolver,
          hostsResolver: resolver,
          now,
          walkInput: {
            own: { hostname: '', addresses: [] },
            mayConnect: address => mayConnect(address, { own: [], allow }),
            random,
          },
        },
        destination,
      ),
    visit,
    async visitAll(itinerary, onVisited) {
      const { candidates } = itinerary
      const results: (readonly ChainVisit[])[] = candidates.map(() => [])
      const timer = setTimeout(stop, patience.altogetherMs)
      let next = 0
      let done = 0
      const work = async () => {
        while (next < candidates.length && !stopping.signal.aborted) {
          const index = next++
          const candidate = candidates[index]
          if (candidate === undefined) return
          results[index] = await visitAddress(candidate, itinerary)
          onVisited(++done)
        }
      }
      try {
        await Promise.all(Array.from({ length: Math.min(mostAtOnce, candidates.length) }, work))
      } finally {
        clearTimeout(timer)
      }
      return results
    },
    close() {
      stop()
      return Promise.resolve()
    },
  }

  function stop() {
    stopping.abort()
    for (const conversation of [...open]) conversation.destroy()
  }
}

/** What else the server may have to show. Where not even TLS was come to, nothing. */
function otherKeys({ session, chain }: ChainVisit): readonly Exclude<ServerKeys, 'any'>[] {
  if (session.tls === null) return []
  const [leaf] = chain
  const kind = leaf?.kind === 'certificate' ? leaf.certificate.publicKey.facts.kind : null
  if (kind === 'rsa') return ['ecdsa']
  if (kind === 'ec') return ['rsa']
  return ['rsa', 'ecdsa']
}

/** Less than mail is worth (RFC 5321 §4.5.3.2), as somebody waits for the page; some servers make a stranger wait for the greeting. */
const defaultPatience: VisitPatience = {
  connectMs: 10_000,
  greetingMs: 40_000,
  commandMs: 20_000,
  handshakeMs: 20_000,
  altogetherMs: 5 * 60_000,
}

const quitMs = 3_000

/** Addresses. A domain has 200 at most, each of them a host of its own. */
const mostAtOnce = 8
