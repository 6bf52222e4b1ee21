/**
 * From a candidate to a channel: connect, greet, secure, judge. The order is the point (ARCHITECTURE decision 1): after a TLS handshake
 * no SMTP byte leaves before the verdict, and under a plan that asks for more than clear text none of the mail leaves without it.
 *
 * What is learned on the way goes to `knowledge`: addresses that do not answer. Clear text is never remembered (ARCHITECTURE decision 9): after a failed
 * handshake it is used only under a plan that accepts it, and only for a message whose own handshakes failed, which the caller says each time.
 */
import type { SecureContext } from 'node:tls'
import { connectFailure, handshakeFailure } from '../judgement/connection-failures.ts'
import { judgeDanePeer, keptPlan, recordRemarks } from '../judgement/dane-peer.ts'
import type { Finding, SessionDocument, SmtpEvidence, TlsEvidence } from '../judgement/evidence.ts'
import { failureEvidence, replyEvidence, timestamp, verdictEvidence } from '../judgement/evidence-of.ts'
import type { Failure } from '../judgement/failure.ts'
import { findingFor } from '../judgement/findings.ts'
import { type Conversation as HowItStands, judge } from '../judgement/judge.ts'
import { judgePeer } from '../judgement/peer.ts'
import type { Verdict } from '../judgement/verdict.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import { type ClientTimeouts, createSmtpClient, type ServerOffers } from '../protocol/smtp/client.ts'
import { type Reply, replyClass } from '../protocol/smtp/reply.ts'
import type { Certificate } from '../protocol/x509/model.ts'
import type { Dialer } from '../system/dialer.ts'
import { connectTcp, secureClient, tlsSessionFacts } from '../system/outgoing.ts'
import type { CertificateReader } from './certificates.ts'
import { leave, mintChannel } from './channel.ts'
import { type Conversation, createConversation } from './conversation.ts'
import type { Candidate, ClearText, Itinerary, Reached } from './types.ts'

/** What every reach of one engine shares. */
export interface ReachParts {
  readonly dialer: Dialer
  readonly knowledge: Knowledge
  readonly hostname: string
  readonly timeouts: ClientTimeouts
  readonly connectMs: number
  readonly handshakeMs: number
  readonly now: () => number
  readonly certificates: CertificateReader
  /** Roots that cannot be read vouch for nobody. */
  readonly trustIn: (roots: string | null) => Trust
  readonly nextSessionId: () => string
  /** Conversations that stand, so that the engine can end them. */
  readonly open: Set<Conversation>
  /** Ends what is still being connected. */
  readonly signal: AbortSignal
}

/** The same roots, for OpenSSL and for us. */
export interface Trust {
  readonly context: SecureContext
  readonly roots: readonly Certificate[]
}

export async function reach(
  parts: ReachParts,
  candidate: Candidate,
  itinerary: Itinerary,
  clearText: ClearText,
): Promise<Reached> {
  const { plan, host, address, port } = candidate
  const notes = createNotes(parts.now())
  const target = `${address}:${port}`
  const roots = itinerary.destination.kind === 'hosts' ? itinerary.destination.roots : null
  const { knowledge } = parts

  const document = (failure: Failure | null, verdict: Verdict | null): SessionDocument => ({
    schema: 'hermetic.session/1',
    id: notes.id,
    at: timestamp(notes.startedMs),
    host,
    address,
    port,
    plan: keptPlan(plan),
    dns: itinerary.dns,
    connected: notes.connected,
    tls: notes.tls,
    smtp: notes.smtp,
    verdict: verdict === null ? null : verdictEvidence(verdict, plan, host),
    failure: failure === null ? null : failureEvidence(failure),
    findings: findingsOf(failure, verdict, notes.remarks, host),
    ms: notes.ms,
  })
  const failed = (failure: Failure, verdict: Verdict | null = null): Reached => ({
    kind: 'failed',
    failure,
    session: document(failure, verdict),
  })
  /** The address is of no use at present, whatever the plan. */
  const unanswered = (failure: Failure, verdict: Verdict | null = null): Reached => {
    // What we ended ourselves says nothing about the peer.
    if (!parts.signal.aborted) knowledge.failed(target, failure.reason, parts.now())
    return failed(failure, verdict)
  }

  function createNotes(startedMs: number): Notes {
    return {
      id: parts.nextSessionId(),
      startedMs,
      connected: false,
      tls: null,
      remarks: [],
      validUntilMs: null,
      smtp: { greeting: null, offered: { clear: null, tls: null } },
      ms: { connect: null, greeting: null, handshake: null },
    }
  }
  const converse = (socket: Parameters<typeof createConversation>[0], secured: boolean): Conversation => {
    const client = createSmtpClient({ timeouts: parts.timeouts, secured })
    const conversation = createConversation(socket, client, () => parts.open.delete(conversation))
    parts.open.add(conversation)
    return conversation
  }

  /** The handshake and its evidence. Null: it succeeded, and `notes.tls` tells the rest. */
  const secure = async (socket: Parameters<typeof secureClient>[0]) => {
    const trust = parts.trustIn(roots)
    const before = performance.now()
    const patience = { timeoutMs: parts.handshakeMs, signal: parts.signal }
    const secured = await secureClient(socket, { context: trust.context, sni: plan.sni }, patience)
    notes.ms.handshake = since(before)
    if (secured.kind === 'failed') {
      const failure = handshakeFailure(secured)
      notes.tls = failedTls(plan.sni, failure)
      return { kind: 'failed', failure } as const
    }
    const facts = tlsSessionFacts(secured.socket)
    const openssl = { authorized: facts.authorized, error: facts.error }
    const seen = parts.certificates.read(facts.chain.map(({ raw }) => raw))
    const chain = seen.map(({ read }) => read)
    const shown = { chain, roots: trust.roots, atMs: parts.now(), openssl }
    const { dane } = plan
    const peer =
      dane?.kind === 'records' && dane.asks === 'authenticate'
        ? judgeDanePeer(plan.references, dane, shown)
        : judgePeer(plan.references, shown)
    notes.remarks =
      dane?.kind === 'records' && dane.asks === 'encrypt'
        ? [...peer.remarks, ...recordRemarks(dane)]
        : peer.remarks
    notes.validUntilMs = peer.validUntilMs
    notes.tls = {
      outcome: 'established',
      version: facts.version,
      cipher: facts.cipher,
      group: facts.group,
      sni: plan.sni,
      chain: seen.slice(0, mostCertificatesKept).map(({ evidence }) => evidence),
      sent: seen.length,
      path: peer.path,
      dane: peer.dane,
      openssl,
      failure: null,
    }
    return { kind: 'secured', socket: secured.socket, peer } as const
  }

  const channel = (
    conversation: Conversation,
    verdict: Exclude<Verdict, { kind: 'refused' }>,
    offers: ServerOffers,
  ): Reached => {
    knowledge.answered(target)
    return {
      kind: 'channel',
      channel: mintChannel({
        candidate,
        verdict,
        offers,
        session: notes.id,
        tls: notes.tls === null ? null : `${notes.tls.version ?? ''} ${notes.tls.cipher ?? ''}`,
        // How long the answers of the DNS hold is not the channel's to say: hop.ts asks that of the candidate, whose answers may be newer, for each transaction.
        expiresAtMs: Math.min(parts.now() + channelLifeMs, notes.validUntilMs ?? Number.POSITIVE_INFINITY),
        conversation,
        quitMs: parts.timeouts.quitMs,
      }),
      session: document(null, verdict),
    }
  }

  /**
   * Before TLS nobody has proved anything: where TLS is owed, a word that would send the mail back for good may be that of whoever stands between, and counts for now.
   */
  const refused = (what: 'greeting' | 'hello', where: 'clear' | 'tls', reply: Reply): Failure =>
    where === 'clear' && plan.starttls === 'required' && replyClass(reply) === 'refused-for-good'
      ? { reason: 'smtp.refused-before-tls', detail: null, reply }
      : refusal(what, reply)

  /** The greeting of a fresh conversation. */
  const greet = async (conversation: Conversation, where: 'clear' | 'tls') => {
    const before = performance.now()
    const greeting = await conversation.ask(null)
    notes.ms.greeting = since(before)
    if (greeting.kind === 'failed') {
      const { reply } = greeting.failure
      if (reply !== null) notes.smtp = { ...notes.smtp, greeting: replyEvidence(reply) }
      return { kind: 'failed', failure: greeting.failure } as const
    }
    if (greeting.kind !== 'greeting') throw outOfTurn(greeting.kind)
    notes.smtp = { ...notes.smtp, greeting: replyEvidence(greeting.reply) }
    if (replyClass(greeting.reply) === 'positive') return { kind: 'greeted' } as const
    void leave(conversation, parts.timeouts.quitMs)
    return { kind: 'failed', failure: refused('greeting', where, greeting.reply) } as const
  }

  const hello = async (conversation: Conversation, where: 'clear' | 'tls') => {
    const answer = await conversation.ask(client => client.hello(parts.hostname))
    if (answer.kind === 'failed') return { kind: 'failed', failure: answer.failure } as const
    if (answer.kind !== 'hello') throw outOfTurn(answer.kind)
    if (replyClass(answer.reply) !== 'positive') {
      void leave(conversation, parts.timeouts.quitMs)
      return { kind: 'failed', failure: refused('hello', where, answer.reply) } as const
    }
    const offered = { ...notes.smtp.offered, [where]: answer.offers.keywords }
    notes.smtp = { ...notes.smtp, offered }
    return { kind: 'offers', offers: answer.offers } as const
  }

  /** The verdict on a conversation in clear text, and what follows from it. */
  const goOnInClear = (
    conversation: Conversation,
    offers: ServerOffers,
    because: Extract<HowItStands, { kind: 'clear' }>['because'],
    failure: Failure | null,
  ): Reached => {
    const verdict = judge(plan, { kind: 'clear', because, failure })
    if (verdict.kind !== 'refused') return channel(conversation, verdict, offers)
    knowledge.answered(target)
    void leave(conversation, parts.timeouts.quitMs)
    return failed(verdict.failure, verdict)
  }

  const dial = parts.dialer({ host, address, port })
  if (dial === 'unreachable') return unanswered({ reason: 'net.unreachable', detail: null, reply: null })
  const beforeConnect = performance.now()
  const connected = await connectTcp(dial, { timeoutMs: parts.connectMs, signal: parts.signal })
  notes.ms.connect = since(beforeConnect)
  if (connected.kind === 'failed') return unanswered(connectFailure(connected))
  notes.connected = true

  if (plan.implicitTls) {
    const secured = await secure(connected.socket)
    // Here TLS is how the address answers at all; after STARTTLS it had answered, and serves plans without TLS.
    if (secured.kind === 'failed') return unanswered(secured.failure)
    const verdict = judge(plan, { kind: 'tls', peer: secured.peer })
    if (verdict.kind === 'refused') {
      knowledge.answered(target)
      secured.socket.destroy()
      return failed(verdict.failure, verdict)
    }
    const conversation = converse(secured.socket, false)
    const greeted = await greet(conversation, 'tls')
    if (greeted.kind === 'failed') return unanswered(greeted.failure, verdict)
    const said = await hello(conversation, 'tls')
    return said.kind === 'failed' ? unanswered(said.failure, verdict) : channel(conversation, verdict, said.offers)
  }

  const clear = converse(connected.socket, false)
  const greeted = await greet(clear, 'clear')
  if (greeted.kind === 'failed') return unanswered(greeted.failure)
  const said = await hello(clear, 'clear')
  if (said.kind === 'failed') return unanswered(said.failure)

  if (plan.starttls === 'never') return goOnInClear(clear, said.offers, 'plan', null)
  if (!said.offers.startTls) return goOnInClear(clear, said.offers, 'not-offered', notOffered)
  if (plan.starttls === 'if-offered' && clearText === 'after-failed-handshake')
    return goOnInClear(clear, said.offers, 'handshake-failed-before', null)

  const answer = await clear.ask(client => client.startTls())
  if (answer.kind === 'failed') return failed(answer.failure)
  if (answer.kind !== 'starttls') throw outOfTurn(answer.kind)
  if (answer.trailing > 0) {
    clear.destroy()
    return failed({ reason: 'starttls.bytes-after-220', detail: `${answer.trailing} octets`, reply: answer.reply })
  }
  if (replyClass(answer.reply) !== 'positive') {
    const refused: Failure = { reason: 'starttls.refused', detail: null, reply: answer.reply }
    return goOnInClear(clear, said.offers, 'refused', refused)
  }

  const secured = await secure(clear.detach())
  if (secured.kind === 'failed') return failed(secured.failure)
  const verdict = judge(plan, { kind: 'tls', peer: secured.peer })
  if (verdict.kind === 'refused') {
    knowledge.answered(target)
    secured.socket.destroy()
    return failed(verdict.failure, verdict)
  }
  const conversation = converse(secured.socket, true)
  const saidAgain = await hello(conversation, 'tls')
  return saidAgain.kind === 'failed'
    ? failed(saidAgain.failure, verdict)
    : channel(conversation, verdict, saidAgain.offers)
}

/** What is seen on the way; becomes the session document. */
interface Notes {
  readonly id: string
  readonly startedMs: number
  connected: boolean
  tls: TlsEvidence | null
  remarks: readonly Failure[]
  validUntilMs: number | null
  smtp: SmtpEvidence
  readonly ms: { connect: number | null; greeting: number | null; handshake: number | null }
}

function refusal(what: 'greeting' | 'hello', reply: Reply): Failure {
  const isForGood = replyClass(reply) === 'refused-for-good'
  const reason = isForGood ? (`smtp.${what}-refused-for-good` as const) : (`smtp.${what}-refused-for-now` as const)
  return { reason, detail: null, reply }
}

/** What decided comes first. What did not is worth a look; under a plan that asks for proof it may decide tomorrow, which is worth a warning. */
function findingsOf(
  failure: Failure | null,
  verdict: Verdict | null,
  remarks: readonly Failure[],
  host: string,
): readonly Finding[] {
  const besides = remarks
    .filter(({ reason }) => reason !== failure?.reason)
    .map(remark => findingFor(remark, host))
    .map((finding): Finding => (finding.severity === 'error' ? { ...finding, severity: 'warning' } : finding))
  if (failure !== null) return [findingFor(failure, host), ...besides]
  // Nothing was in the way of the mail: worth a look, not a warning.
  if (verdict?.kind === 'encrypted')
    return [...(verdict.wouldFail === null ? [] : [findingFor(verdict.wouldFail, host)]), ...besides].map(
      (finding): Finding => ({ ...finding, severity: 'info' }),
    )
  if (verdict?.kind === 'clear' && verdict.because === 'handshake-failed-before')
    return [findingFor({ reason: 'starttls.left-out', detail: null, reply: null }, host)]
  return besides
}

function failedTls(sni: string | null, failure: Failure): TlsEvidence {
  return {
    outcome: 'failed',
    version: null,
    cipher: null,
    group: null,
    sni,
    chain: [],
    sent: 0,
    path: null,
    dane: null,
    openssl: null,
    failure: failureEvidence(failure),
  }
}

const since = (start: number) => Math.round((performance.now() - start) * 10) / 10

const outOfTurn = (kind: string) => new Error(`the client machine told of ${kind} out of turn`)

const notOffered: Failure = { reason: 'starttls.not-offered', detail: null, reply: null }

/** A verdict holds no longer than the path it was made from, and in any case not for ever: roots and routes change. */
const channelLifeMs = 3_600_000

/** All that were sent are judged; evidence has the first. */
const mostCertificatesKept = 20
