/**
 * Answers of the DNS that are validated here (ARCHITECTURE decision 6): the validator's walk, driven against servers.
 *
 * Success means that the answer carries its security, and how it came about. Bogus is not final at once, as it may be the fault of one server or of what it
 * keeps: the walk is driven again with the servers avoided that answered, and then with CD left out, since a server that validates may have kept something
 * better to send than what it was told not to look at. All of that is paid from the budget of the one question. The first of these answers that is
 * not bogus counts; if there is none, the first one's verdict stands.
 *
 * Keys of zones, once proven, are kept for all questions, and where the caller has it so beyond the end of the process (kept-zones.ts). An answer that is bogus beside such
 * is asked for again before anything else, with nothing known but what was proven since the start. Answers are not kept here; the wire keeps messages.
 */
import type { Name } from '../protocol/dns/name.ts'
import { rcodeName, typeNumbers } from '../protocol/dns/numbers.ts'
import { createDnssecBudget } from '../protocol/dnssec/budget.ts'
import type {
  DnssecBudget,
  DnssecWork,
  Security,
  TrustAnchor,
  ValidatedAnswer,
  WireAnswer,
  WireQuestion,
  ZoneCache,
} from '../protocol/dnssec/types.ts'
import { validate } from '../protocol/dnssec/validate.ts'
import type { Transport } from './dns-exchange.ts'
import { noEdns } from './dns-servers.ts'
import type { DnsWire, WireHow, WireReply } from './dns-wire.ts'
import { type KnownZones, knownZones } from './kept-zones.ts'

export interface ValidatingResolverOptions {
  /** Closed by whoever made it. */
  readonly wire: DnsWire
  readonly anchors: readonly TrustAnchor[]
  /** Negative trust anchors (RFC 7646). */
  readonly insecure: readonly Name[]
  /** Milliseconds since 1970: what signatures are held against. */
  readonly now: () => number
  /** After this time, in ms, no further question is asked for one answer. Default: `maxAnswerMs`. */
  readonly maxMs?: number
  /** What all messages of one walk may take, in bytes; what comes beyond that has failed. Default: `maxAnswerBytes`. */
  readonly maxBytes?: number
  /** What is known of zones before the first question, under these anchors. Default: nothing. */
  readonly zones?: KnownZones
  /** What one answer may cost; what is left out is as in `defaultDnssecLimits`. */
  readonly limits?: Partial<Readonly<Record<DnssecWork, number>>>
}

export interface ResolvedAnswer extends ValidatedAnswer {
  /** How often the walk was driven, and what each came to; the last one counts unless all are bogus. */
  readonly passes: readonly Pass[]
  /** Every question that was asked, in the order in which answers came. */
  readonly asked: readonly AskedQuestion[]
}

export interface Pass {
  readonly checking: WireHow['checking']
  readonly avoided: readonly string[]
  readonly outcome: ValidatedAnswer['outcome']
  readonly security: Security
  readonly reason: ValidatedAnswer['reason']
  /** Who answered in it. */
  readonly servers: readonly string[]
}

export interface AskedQuestion {
  readonly question: WireQuestion
  /** Index into `passes`. */
  readonly pass: number
  readonly server: string | null
  /** `cache`: asked before. Null when nothing came. */
  readonly over: Transport | 'cache' | null
  readonly bytes: number
  readonly ms: number
  /** `NOERROR`; null when nothing came that could be used. */
  readonly rcode: string | null
  /** Those of `AA TC RD RA AD CD` that are set, and DO. */
  readonly flags: readonly string[]
  readonly answers: number
  readonly authorities: number
  readonly signatures: number
  /** Why it failed. */
  readonly why: string | null
}

/** What can be said of the servers, without any question of a user's. */
export interface ResolverProbe {
  /** `arrive`: at least one server passes signatures on. `unknown`: none could be asked, or what came is signed by nobody that the anchors name. */
  readonly signatures: 'arrive' | 'stripped' | 'unknown'
  /** Whether all of them that answer do so over TCP too: large answers come over nothing else. */
  readonly tcp: 'works' | 'fails' | 'unknown'
  /** `ahead`: signatures have ended already that should be fresh. `behind`: they have not begun. */
  readonly clock: 'sane' | 'ahead' | 'behind' | 'unknown'
  /** Whole sentences, about what is not as it should be first. */
  readonly says: readonly string[]
  readonly servers: readonly Omit<ServerProbe, 'isThere' | 'unproven'>[]
}

export interface ServerProbe {
  readonly server: string
  /** Whether it answered anything at all. */
  readonly isThere: boolean
  /** Of a server over TLS: why whoever is there is not proved to be it, so that nothing was asked; else null. */
  readonly unproven: string | null
  readonly signatures: ResolverProbe['signatures']
  readonly tcp: ResolverProbe['tcp']
  readonly clock: ResolverProbe['clock']
}

export interface ValidatingResolver {
  /** Never rejects for anything a server does. */
  resolve(name: Name, type: number): Promise<ResolvedAnswer>
  /** Asks each server for the keys of the anchor's zone, over UDP and TCP. */
  probe(): Promise<ResolverProbe>
  /** The same, server by server as their answers come. None of them rejects. */
  probeServers(): readonly Promise<ServerProbe>[]
}

/** Longer than a question may take, so that a slow server does not cost the answer; shorter than anybody waits. */
export const maxAnswerMs = 30_000

/** All messages that one answer is made of, in bytes: some thirty of the largest. A cold chain of five zones takes 30 KB; decoded, a message takes many times its size. */
export const maxAnswerBytes = 1024 * 1024

export function createValidatingResolver(options: ValidatingResolverOptions): ValidatingResolver {
  const { wire, anchors, insecure, now, maxMs = maxAnswerMs, maxBytes = maxAnswerBytes } = options
  const { zones = knownZones() } = options

  /** One walk from beginning to end. */
  async function drive(
    question: WireQuestion,
    how: WireHow,
    from: { zones: ZoneCache; budget: DnssecBudget },
    deadlineMs: number,
  ) {
    const replies: { readonly question: WireQuestion; readonly reply: WireReply }[] = []
    let bytes = 0
    const ask = async (one: WireQuestion): Promise<WireAnswer> => {
      const heard = performance.now() > deadlineMs ? tooLate : await wire.ask(one, how)
      bytes += heard.bytes
      const reply = bytes > maxBytes ? tooMuch(heard) : heard
      replies.push({ question: one, reply })
      return reply
    }
    const context = { anchors, insecure, nowMs: now(), ...from }
    const walk = validate(question, context)
    let sliceStartMs = performance.now()
    let step = walk.next()
    while (step.done !== true) {
      const answers = await Promise.all(step.value.map(ask))
      // What comes from the cache comes without a turn of the event loop, and others wait for theirs.
      if (step.value.length === 0 || performance.now() - sliceStartMs > maxSliceMs) {
        await immediately()
        sliceStartMs = performance.now()
      }
      step = walk.next(answers)
    }
    return { answer: step.value, replies }
  }

  async function resolve(name: Name, type: number): Promise<ResolvedAnswer> {
    const question = { name, type }
    const deadlineMs = performance.now() + maxMs
    const budget = createDnssecBudget(options.limits)
    const passes: Pass[] = []
    const asked: AskedQuestion[] = []

    const pass = async (how: WireHow): Promise<ValidatedAnswer> => {
      const { answer, replies } = await drive(question, how, { zones, budget }, deadlineMs)
      const { outcome, security, reason } = answer
      for (const each of replies) asked.push(askedQuestion(each, passes.length))
      const servers = [...new Set(replies.flatMap(({ reply }) => reply.server ?? []))]
      passes.push({ checking: how.checking, avoided: how.avoid, outcome, security, reason, servers })
      if (security === 'bogus')
        wire.doubt(
          replies.map(each => each.question),
          how.checking,
        )
      return answer
    }

    const plainly = { checking: 'disabled', avoid: [] } as const
    let first = await pass(plainly)
    if (first.security === 'bogus' && zones.doubt(asked.map(each => each.question.name)))
      first = await pass(plainly)
    // When the budget is spent, nobody else can be asked from it.
    if (first.security !== 'bogus' || !budget.spend('questions', 0)) return { ...first, passes, asked }
    const used = passes.at(-1)?.servers ?? []
    const hasOthers = wire.servers().some(server => !used.includes(server))
    // Where all of them had a part in it, the one that sent the answer itself is the likeliest.
    const avoid = hasOthers ? used : used.length > 1 && first.server !== null ? [first.server] : []
    const furtherWays: readonly WireHow[] = [
      ...(avoid.length > 0 ? [{ checking: 'disabled', avoid } as const] : []),
      { checking: 'enabled', avoid: [] },
    ]
    for (const how of furtherWays) {
      const answer = await pass(how)
      if (answer.outcome !== 'failed') return { ...answer, passes, asked }
    }
    return { ...first, passes, asked }
  }

  async function probeServer(server: string, others: readonly string[]): Promise<ServerProbe> {
    const zone = anchors.reduce<Name | null>(
      (least, anchor) => (least === null || anchor.zone.length < least.length ? anchor.zone : least),
      null,
    )
    const unknown = {
      server,
      isThere: false,
      unproven: null,
      signatures: 'unknown',
      tcp: 'unknown',
      clock: 'unknown',
    } as const
    if (zone === null) return unknown
    const question = { name: zone, type: typeNumbers.DNSKEY }
    const how = { checking: 'disabled', avoid: others } as const
    const [{ answer, replies }, overTcp] = await Promise.all([
      drive(question, how, { zones: knownZones(), budget: createDnssecBudget() }, performance.now() + maxMs),
      wire.ask(question, { ...how, over: 'tcp' }),
    ])
    // Whoever refuses is there, and so is the way.
    const isThere = overTcp.server !== null || replies.some(({ reply }) => reply.server !== null)
    const tcp = overTcp.server !== null ? 'works' : isThere ? 'fails' : 'unknown'
    const unproven = whyUnproven(overTcp) ?? replies.map(({ reply }) => whyUnproven(reply)).find(isSaid) ?? null
    const found = { ...unknown, isThere, unproven, tcp } as const
    if (answer.security === 'secure') return { ...found, signatures: 'arrive', clock: 'sane' }
    switch (answer.reason) {
      case 'dnssec.signature-expired':
        return { ...found, signatures: 'arrive', clock: 'ahead' }
      case 'dnssec.signature-not-yet-valid':
        return { ...found, signatures: 'arrive', clock: 'behind' }
      case 'dnssec.signature-missing':
      case 'dnssec.dnskey-missing':
        return { ...found, signatures: 'stripped' }
      default:
    }
    if (replies.some(({ reply }) => reply.kind === 'message')) return found
    // It has nothing to say of the keys. Whether that is for now or for ever shows in what it says of the zone otherwise.
    const isRefused = replies.some(({ reply }) => reply.kind === 'failed' && neverAnswered.has(reply.why))
    if (isRefused) return { ...found, signatures: 'stripped' }
    const other = await wire.ask({ name: zone, type: typeNumbers.SOA }, how)
    if (other.kind === 'failed') {
      // Without EDNS a large answer comes over TCP, and where there is no TCP it does not come at all.
      if (neverAnswered.has(other.why)) return { ...found, isThere: true, signatures: 'stripped' }
      return { ...found, isThere: isThere || other.server !== null }
    }
    const isBare = other.message.answers.every(({ type }) => type !== typeNumbers.RRSIG)
    return { ...found, isThere: true, signatures: isBare ? 'stripped' : 'unknown' }
  }

  function probeServers(): readonly Promise<ServerProbe>[] {
    const all = wire.servers()
    return all.map(server =>
      probeServer(
        server,
        all.filter(other => other !== server),
      ),
    )
  }

  async function probe(): Promise<ResolverProbe> {
    const servers = await Promise.all(probeServers())
    const any = <K extends 'signatures' | 'tcp' | 'clock'>(key: K, ...values: ServerProbe[K][]) =>
      values.find(value => servers.some(each => each[key] === value))
    return {
      signatures: any('signatures', 'arrive', 'stripped') ?? 'unknown',
      tcp: any('tcp', 'fails', 'works') ?? 'unknown',
      clock: any('clock', 'sane', 'ahead', 'behind') ?? 'unknown',
      says: servers.flatMap(faultsOf),
      servers: servers.map(({ server, signatures, tcp, clock }) => ({ server, signatures, tcp, clock })),
    }
  }

  return { resolve, probe, probeServers }
}

/** Why whoever is there is not proved to be the server that was to be asked over TLS; null: that is not why it failed. */
export function whyUnproven(reply: WireReply): string | null {
  return reply.kind === 'failed' && reply.reason === 'dns.server-unproven' ? reply.why : null
}

function askedQuestion(
  { question, reply }: { question: WireQuestion; reply: WireReply },
  pass: number,
): AskedQuestion {
  const { server, bytes, ms } = reply
  const over = reply.cached ? 'cache' : reply.over
  if (reply.kind === 'failed')
    return {
      question,
      pass,
      server,
      over,
      bytes,
      ms,
      rcode: null,
      flags: [],
      answers: 0,
      authorities: 0,
      signatures: 0,
      why: reply.why,
    }
  const { message } = reply
  const flags = [
    ...(message.authoritative ? ['AA'] : []),
    ...(message.recursionDesired ? ['RD'] : []),
    ...(message.recursionAvailable ? ['RA'] : []),
    ...(message.authenticData ? ['AD'] : []),
    ...(message.checkingDisabled ? ['CD'] : []),
    ...(message.edns?.dnssecOk === true ? ['DO'] : []),
  ]
  const records = [...message.answers, ...message.authorities]
  return {
    question,
    pass,
    server,
    over,
    bytes,
    ms,
    rcode: rcodeName(message.rcode),
    flags,
    answers: message.answers.length,
    authorities: message.authorities.length,
    signatures: records.filter(({ type }) => type === typeNumbers.RRSIG).length,
    why: null,
  }
}

function faultsOf({ server, unproven, signatures, tcp, clock }: ServerProbe): string[] {
  if (unproven !== null) return [`The server ${server} was asked nothing: ${unproven}.`]
  return [
    ...(signatures === 'stripped'
      ? [`The server ${server} does not pass DNSSEC signatures on: nothing can be validated with it.`]
      : []),
    ...(signatures === 'unknown'
      ? [`The server ${server} sent no keys of the root that the trust anchors vouch for.`]
      : []),
    ...(tcp === 'fails'
      ? [`The server ${server} answers over UDP and not over TCP: answers that do not fit a datagram are lost.`]
      : []),
    ...(clock === 'ahead'
      ? [
          `The signatures that ${server} sends for the root have ended: the clock of this machine is ahead, or the server sends what is old.`,
        ]
      : []),
    ...(clock === 'behind'
      ? [`The signatures that ${server} sends for the root have not begun: the clock of this machine is behind.`]
      : []),
  ]
}

/** What a server says that will say the same tomorrow. Of SERVFAIL that cannot be known. */
const neverAnswered: ReadonlySet<string> = new Set([noEdns, 'REFUSED', 'NOTIMP', 'FORMERR'])

const isSaid = (text: string | null) => text !== null

const immediately = () => new Promise<void>(resolve => setImmediate(resolve))

/** How long a walk may go on with what is kept before others have their turn, in ms. */
const maxSliceMs = 10

function tooMuch({ server, cached, over, bytes, ms }: WireReply): WireReply {
  const why = 'its messages are larger than any answer needs'
  return { kind: 'failed', reason: 'dns.lookup-failed', why, server, cached, over, bytes, ms }
}

const tooLate: WireReply = {
  kind: 'failed',
  reason: 'dns.timeout',
  why: 'the time for the whole answer is over',
  server: null,
  cached: false,
  over: null,
  bytes: 0,
  ms: 0,
}
