/**
 * One client's connection: glues a transport to the machine of protocol/smtp/server.ts, answers its questions by policy and routes, and hands
 * what it takes in to the spool.
 *
 * Success of a transaction is a 250 behind the final dot, which is said only after the spool has made the message durable; from then on it
 * is ours. A client that is gone by then is delivered for all the same: it may or may not have read the reply (RFC 5321 §6.1, RFC 1047).
 *
 * STARTTLS (RFC 3207 §4.2): nothing that was said in clear is known inside TLS, nothing that stood behind the command is read as SMTP, and
 * nothing but a TLS record is read after the 220. A session has no timer; whoever owns it calls `sweep` now and then.
 *
 * What throws in here is a fault of ours. It is told, ends this connection, and is never thrown at the event loop, where it would end all others.
 */
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { formatPath, isInternational, type Path } from '../../protocol/mail/address.ts'
import type { MessageId } from '../../protocol/mail/message-id.ts'
import { receivedField, traceProtocol } from '../../protocol/mail/received.ts'
import { type Reply, reply } from '../../protocol/smtp/reply.ts'
import {
  type ContentFacts,
  createSmtpServer,
  type MailParameters,
  type ServerEvent,
  type ServerFaultCode,
  type SmtpServer,
} from '../../protocol/smtp/server.ts'
import type { BodyWriter, NewMessage, Spool, StoredMessage, StoreFault } from '../../spool/spool.ts'
import type { Delivery, Reporter, RouteDecision, Routing } from '../ports.ts'
import type { Settings } from '../settings.ts'
import { type ContentSink, createContentSink } from './content-sink.ts'
import type { Incidents } from './incidents.ts'
import type { RelayClient, RelayPolicy } from './policy.ts'

/** What all sessions of a relay share. */
export interface SessionContext {
  readonly settings: Pick<Settings, 'hostname' | 'limits' | 'retry'>
  readonly spool: Pick<Spool, 'newId' | 'openBody' | 'accept' | 'release'>
  readonly delivery: Pick<Delivery, 'submit' | 'hasRoom' | 'wake'>
  /** Null when no route rejects anybody: then nobody has to be asked at RCPT. */
  readonly routing: Routing | null
  readonly policy: RelayPolicy
  readonly reporter: Reporter
  readonly incidents: Incidents
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds of a clock that never jumps. */
  monotonicMs(): number
  /** The time as trace fields carry it. */
  mailDate(nowMs: number): string
  /** Watches the client for a while before it is greeted: who speaks in that time is refused. */
  beforeGreeting(client: RelayClient, greet: () => void): void
  /** True once the relay is to end. */
  isStopping(): boolean
  /** The connection is closed. */
  onGone(session: Session): void
  /** A message is being made durable, or is so: the spool must not be closed in between. */
  onStoring(change: 1 | -1): void
}

export interface SessionOptions {
  readonly transport: Duplex
  readonly client: RelayClient
  readonly tls: 'none' | 'starttls' | 'implicit'
  /** Makes the server's side of TLS on the transport, whose first bytes have been put back. Null only without TLS. */
  readonly secure: (() => TLSSocket) | null
}

export interface Session {
  readonly client: RelayClient
  /** Ends what has taken too long. @param nowMs of the clock that never jumps */
  sweep(nowMs: number): void
  /** Ends it politely: at once between transactions, else behind the one that is under way. */
  stop(): void
  /** Drops the connection. */
  destroy(): void
}

type Phase =
  /** The greeting has not been sent: who speaks now does not wait for us ever. */
  | 'hushed'
  | 'talking'
  /** Where the first byte must be TLS. */
  | 'client-hello'
  | 'handshake'
  /** All is said; what still comes is not read. */
  | 'parting'
  | 'gone'

interface Transaction {
  readonly from: Path | null
  readonly parameters: MailParameters
  readonly recipients: Path[]
  content: Content | null
}

/** A message in the course of being received. */
interface Content {
  readonly id: MessageId
  readonly atMs: number
  readonly sink: ContentSink
  fault: StoreFault | null
}

/** Begins a session. It lives until the transport is closed. */
export function openSession(context: SessionContext, options: SessionOptions): Session {
  const { client, secure } = options
  const { limits, hostname } = context.settings
  const openedMs = context.monotonicMs()
  let transport = options.transport
  let machine = newMachine(options.tls === 'implicit', true)
  let phase: Phase = options.tls === 'implicit' ? 'client-hello' : 'hushed'
  let phaseSinceMs = openedMs
  let heardMs = openedMs
  let receivedBytes = 0
  /** Reasons to read nothing for now. */
  let holds = 0
  /** Those of them that are not the client's fault: its time does not run. */
  let ourHolds = 0
  let isHeldForDecision = false
  /** STARTTLS was granted: what follows the 220 is TLS. */
  let isUpgrading = false
  let tls: { readonly version: string; readonly cipher: string } | null = null
  let hello: { readonly verb: 'EHLO' | 'HELO'; readonly name: string } | null = null
  let transaction: Transaction | null = null
  let contentSinceMs = 0
  let contentFromBytes = 0
  let partingFromBytes = 0
  let partingUntilMs = 0

  const session: Session = {
    client,
    sweep: nowMs => guard(() => sweep(nowMs)),
    stop: () => guard(stop),
    destroy,
  }
  // A reset shows as `close` too; without a listener it would end the process.
  transport.on('error', expected)
  transport.once('close', onClose)
  listenTo(transport)
  if (phase === 'hushed') context.beforeGreeting(client, greet)
  return session

  function guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      onFault(error)
    }
  }

  function onFault(error: unknown): void {
    const says = error instanceof Error ? (error.stack ?? error.message) : String(error)
    context.reporter.notice('error', `The conversation with ${client.address} met a fault of our own: ${says}`)
    destroy()
  }

  function newMachine(secured: boolean, greets: boolean): SmtpServer {
    return createSmtpServer({
      hostname,
      limits: limits.server,
      offerStartTls: options.tls === 'starttls',
      secured,
      greets,
    })
  }

  function enter(next: Phase): void {
    phase = next
    phaseSinceMs = context.monotonicMs()
    heardMs = phaseSinceMs
  }

  function listenTo(stream: Duplex): void {
    stream.on('data', onData)
    stream.on('end', onEnd)
  }

  function greet(): void {
    if (phase !== 'hushed') return
    enter('talking')
    guard(proceed)
  }

  function onData(chunk: Buffer): void {
    guard(() => hear(chunk))
  }

  function hear(chunk: Buffer): void {
    // A command counts when it is whole: single bytes of one must not hold a place for ever.
    if (machine.awaiting !== 'command' || chunk.includes(lineFeed)) heardMs = context.monotonicMs()
    receivedBytes += chunk.length
    switch (phase) {
      case 'talking':
        takeIn(chunk)
        break
      case 'hushed':
        incident('smtp.talks-before-greeting', 'The client sent something before it was greeted.')
        shutDown(talksBeforeGreeting)
        break
      case 'client-hello':
        beginHandshake(chunk)
        break
      case 'parting':
        ignore()
        break
      case 'handshake':
      case 'gone':
        break
      default:
        phase satisfies never
    }
  }

  function takeIn(chunk: Buffer): void {
    const isDeciding = machine.awaiting === 'nothing'
    machine.receive(chunk)
    if (!isDeciding) proceed()
    else if (!isHeldForDecision) {
      // One chunk is taken while we decide; the rest waits in the kernel.
      isHeldForDecision = true
      holdOurs()
    }
  }

  /**
   * What a client sends behind our last word is read and dropped: closing with it unread would be a reset, which takes the word from the client's
   * hands, and not reading on would hide from us that it has gone. Who sends very much is borne for a moment only.
   */
  function ignore(): void {
    if (receivedBytes - partingFromBytes <= maxIgnoredBytes) return
    partingUntilMs = Math.min(partingUntilMs, context.monotonicMs() + partingFromFloodMs)
  }

  function onEnd(): void {
    if (phase === 'talking') guard(hearEnd)
    else if (phase === 'parting') transport.end()
    else destroy()
  }

  function hearEnd(): void {
    machine.receive('end')
    if (machine.awaiting !== 'nothing') proceed()
  }

  /** Takes the machine as far as it goes, and writes what it has to say in one piece. */
  function proceed(): void {
    for (;;) {
      const event = machine.next()
      if (event === 'closed') {
        conclude()
        return
      }
      if (event === 'need-bytes' || event === 'waiting') break
      obey(event)
    }
    settleContent()
    write(machine.output())
    if (context.isStopping() && phase === 'talking' && machine.awaiting === 'command') shutDown(stopping)
  }

  function conclude(): void {
    dropTransaction()
    write(machine.output())
    if (phase === 'gone') return
    if (isUpgrading) {
      isUpgrading = false
      enter('client-hello')
    } else part()
  }

  function part(): void {
    enter('parting')
    partingFromBytes = receivedBytes
    partingUntilMs = phaseSinceMs + partingMs
    while (holds > 0) release()
    transport.end()
  }

  function obey(event: ServerEvent): void {
    switch (event.kind) {
      case 'hello':
        hello = event
        machine.answer(welcome)
        break
      case 'mail':
        transaction = { from: event.from, parameters: event.parameters, recipients: [], content: null }
        machine.answer(senderOk)
        break
      case 'recipient':
        considerRecipient(event.to)
        break
      case 'data':
        beginContent()
        break
      case 'content':
        transaction?.content?.sink.add(event.bytes)
        break
      case 'content-end':
        endContent(event.facts)
        break
      case 'starttls':
        considerTls(event.trailing)
        break
      case 'verify':
        machine.answer(cannotVerify)
        break
      case 'reset':
        dropTransaction()
        break
      case 'fault':
        tellFault(event.code)
        break
      case 'quit':
        break
      default:
        event satisfies never
    }
  }

  function tellFault(code: ServerFaultCode): void {
    const says = toldFaults[code]
    if (says !== null) incident(code, says)
  }

  function considerTls(trailing: number): void {
    isUpgrading = trailing === 0
    if (isUpgrading) machine.answer(readyForTls)
    else
      incident(
        'starttls.bytes-after-command',
        `${trailing} bytes stood behind STARTTLS in clear text: somebody wanted them read as if they had come through TLS.`,
      )
  }

  function considerRecipient(to: Path): void {
    const sender = transaction?.from ?? null
    const verdict = context.policy.decide(client, to)
    if (verdict.kind === 'refuse') {
      incident(
        'relay.denied',
        `Relaying from ${formatPath(sender)} to ${formatPath(to)} was refused: the domain is not in relay.to, nor the client in relay.from.`,
      )
      machine.answer(verdict.reply)
    } else if (context.routing === null || verdict.isPostmaster) acceptRecipient(verdict.recipient)
    else
      context.routing.decide({ recipient: verdict.recipient, sender, source: client.address }).then(
        decision => decided(() => applyRoute(decision, verdict.recipient)),
        (error: unknown) => {
          context.reporter.notice('error', `Routing failed: ${messageOf(error)}`)
          decided(() => machine.answer(localError))
        },
      )
  }

  function applyRoute(decision: RouteDecision, recipient: Path): void {
    // What the DNS does not tell now is asked again when the message is delivered.
    if (decision.kind === 'reject') machine.answer(decision.reply)
    else acceptRecipient(recipient)
  }

  function acceptRecipient(recipient: Path): void {
    transaction?.recipients.push(recipient)
    machine.answer(recipientOk)
  }

  /** Something that was waited for is known. */
  function decided(apply: () => void): void {
    if (phase !== 'talking') return
    guard(() => {
      apply()
      if (isHeldForDecision) {
        isHeldForDecision = false
        releaseOurs()
      }
      // Whether or not it sent something meanwhile: the time was ours.
      heardMs = context.monotonicMs()
      proceed()
    })
  }

  function beginContent(): void {
    if (transaction === null) throw new Error('content came without a transaction')
    const atMs = context.now()
    const id = context.spool.newId(atMs)
    const [recipient = null] = transaction.recipients
    const verb = hello?.verb ?? 'HELO'
    const field = receivedField({
      helo: hello?.name ?? null,
      address: client.address,
      by: hostname,
      protocol: traceProtocol(verb, tls !== null, transaction.parameters.smtputf8),
      tls: tls === null ? [] : [tls.version.replace('v', ''), tls.cipher],
      id,
      recipient: transaction.recipients.length === 1 ? recipient : null,
      date: context.mailDate(atMs),
    })
    const sink = createContentSink(context.spool.openBody())
    sink.add(Buffer.from(field))
    transaction.content = { id, atMs, sink, fault: null }
    contentSinceMs = context.monotonicMs()
    contentFromBytes = receivedBytes
    machine.answer(goAhead)
  }

  /** Passes on what this turn brought, and reads no further while the store is behind. */
  function settleContent(): void {
    const content = transaction?.content
    if (content === null || content === undefined) return
    const waiting = content.sink.settle('more-comes')
    if (waiting === undefined) return
    holdOurs()
    waiting.then(fault => {
      content.fault ??= fault ?? null
      if (phase === 'gone' || phase === 'parting') return
      releaseOurs()
    }, onFault)
  }

  function endContent(facts: ContentFacts): void {
    const ended = transaction
    transaction = null
    const content = ended?.content
    if (ended === null || content === null || content === undefined)
      throw new Error('content ended that never began')
    if (facts.fault !== null) {
      content.sink.body.discard()
      incident(facts.fault, 'A message was refused for what no mail may carry, or for its size.')
      return
    }
    void content.sink.settle('complete')
    if (content.fault !== null) {
      content.sink.body.discard()
      machine.answer(storeFaultReply(content.fault))
      return
    }
    const message = describe(ended, content, facts)
    context.onStoring(1)
    store(message, content.sink.body)
      .catch((error: unknown) => {
        context.reporter.notice('error', `Passing on ${message.id} failed: ${messageOf(error)}`)
      })
      .finally(() => context.onStoring(-1))
  }

  function describe(ended: Transaction, content: Content, facts: ContentFacts): NewMessage {
    const { from, parameters, recipients } = ended
    const { retry } = context.settings
    const [recipient] = recipients
    // The trace field names a single recipient, so its address may be what makes the content 8-bit.
    const isTraceEightBit = recipients.length === 1 && recipient !== undefined && isInternational(recipient)
    return {
      id: content.id,
      envelope: {
        from,
        recipients,
        demands: { eightBit: facts.eightBit || isTraceEightBit, smtputf8: parameters.smtputf8 },
      },
      receivedAtMs: content.atMs,
      expiresAtMs: content.atMs + (from === null ? retry.expireBounceMs : retry.expireMs),
      origin: {
        via: 'smtp',
        address: client.address,
        helo: hello?.name ?? null,
        tls: tls === null ? null : `${tls.version} ${tls.cipher}`,
      },
    }
  }

  async function store(message: NewMessage, body: BodyWriter): Promise<void> {
    const fault = await context.spool
      .accept(message, body)
      .catch((error: unknown): StoreFault => ({ kind: 'failed', says: messageOf(error) }))
    if (fault !== null) {
      context.reporter.notice('error', `A message could not be stored: ${fault.says}`)
      decided(() => machine.answer(storeFaultReply(fault)))
      return
    }
    const sizeBytes = body.size
    report(message, sizeBytes)
    decided(() => machine.answer(queued(message.id)))
    // Only now: the client's reply is the more urgent work.
    pass(message, sizeBytes, body.content())
  }

  function report(message: NewMessage, sizeBytes: number): void {
    const { envelope, origin } = message
    context.reporter.event({
      kind: 'accepted',
      at: new Date(context.now()).toISOString(),
      message: message.id,
      from: envelope.from?.text ?? '',
      recipients: envelope.recipients.map(one => one.text),
      sizeBytes,
      via: traceProtocol(hello?.verb ?? 'HELO', tls !== null, envelope.demands.smtputf8).toLowerCase(),
      client: origin.address,
      helo: origin.helo,
      tls: origin.tls,
    })
  }

  function pass(message: NewMessage, sizeBytes: number, content: Uint8Array | null): void {
    if (!context.delivery.hasRoom(sizeBytes)) {
      context.spool.release(message.id)
      context.delivery.wake()
      return
    }
    const stored: StoredMessage = {
      ...message,
      sizeBytes,
      pending: message.envelope.recipients.map((_, index) => ({
        index,
        attempts: 0,
        nextAttemptAtMs: message.receivedAtMs,
        lastFailure: null,
      })),
    }
    context.delivery.submit(stored, content)
  }

  function dropTransaction(): void {
    transaction?.content?.sink.body.discard()
    transaction = null
  }

  /** The first bytes after the 220, or of a connection that is TLS from the start. */
  function beginHandshake(chunk: Buffer): void {
    if (secure === null) throw new Error('TLS was begun where none is offered')
    if (!startsTls(chunk)) {
      incident(
        'starttls.clear-text-instead-of-tls',
        'The client sent clear text where the TLS handshake should begin.',
      )
      destroy()
      return
    }
    transport.removeListener('data', onData)
    transport.removeListener('end', onEnd)
    transport.pause()
    transport.unshift(chunk)
    // The handshake's time began when the client was told to start it.
    phase = 'handshake'
    const secured = secure()
    // Before the handshake is over, and after it for a failing record, errors come as `_tlsError` on a socket that no tls.Server owns.
    secured.on('error', expected)
    // A client that closes its side in the middle of it: no error, and half-open connections are not closed by themselves.
    secured.once('end', onHandshakeEnd)
    secured.on('_tlsError', (error: Error) => {
      if (phase === 'handshake') incident('tls.handshake-failed', `The TLS handshake failed: ${tlsWords(error)}.`)
      destroy()
    })
    // With TLS 1.2 a refused renegotiation announces itself in the same way.
    secured.once('secure', () => guard(() => onSecure(secured)))
    transport = secured
  }

  function onHandshakeEnd(): void {
    if (phase !== 'handshake') return
    incident('tls.handshake-failed', hungUp)
    destroy()
  }

  function onSecure(secured: TLSSocket): void {
    if (phase !== 'handshake') return
    tls = { version: secured.getProtocol() ?? 'TLS', cipher: secured.getCipher().standardName }
    listenTo(secured)
    if (options.tls === 'implicit') {
      enter('hushed')
      context.beforeGreeting(client, greet)
      return
    }
    // RFC 3207 §4.2: what the client said in clear is forgotten, and EHLO comes first again.
    hello = null
    transaction = null
    machine = newMachine(true, false)
    enter('talking')
  }

  function write(bytes: Uint8Array | null): void {
    if (bytes === null || phase === 'gone') return
    transport.write(bytes)
    if (!transport.writableNeedDrain) return
    if (transport.writableLength > maxUnsentBytes) {
      incident('smtp.replies-not-read', 'The client sends commands and does not read the replies.')
      destroy()
      return
    }
    hold()
    transport.once('drain', release)
  }

  function hold(): void {
    holds += 1
    if (holds === 1) transport.pause()
  }

  function release(): void {
    if (holds === 0) return
    holds -= 1
    if (holds === 0) transport.resume()
  }

  function holdOurs(): void {
    ourHolds += 1
    hold()
  }

  /** The client's time goes on from here as if we had not kept it waiting. */
  function releaseOurs(): void {
    ourHolds -= 1
    const nowMs = context.monotonicMs()
    contentSinceMs += nowMs - heardMs
    heardMs = nowMs
    release()
  }

  function shutDown(last: Reply): void {
    machine.shutDown(last)
    isUpgrading = false
    conclude()
  }

  function sweep(nowMs: number): void {
    switch (phase) {
      case 'client-hello':
      case 'handshake':
        if (nowMs - phaseSinceMs <= limits.handshakeMs) break
        incident('tls.handshake-timeout', 'The TLS handshake was not over in time.')
        destroy()
        break
      case 'talking':
        sweepTalk(nowMs)
        break
      case 'parting':
        if (nowMs > partingUntilMs) destroy()
        break
      case 'hushed':
      case 'gone':
        break
      default:
        phase satisfies never
    }
  }

  function sweepTalk(nowMs: number): void {
    // While we decide, or write to the disk, the client has nothing to be late with.
    if (ourHolds > 0 || machine.awaiting === 'nothing') return
    if (nowMs - heardMs > limits.idleMs) shutDown(idle)
    else if (nowMs - openedMs > limits.sessionMs) shutDown(sessionTooLong)
    else if (machine.awaiting === 'content' && isContentTooSlow(nowMs)) {
      incident('smtp.content-too-slow', 'The client sent its message too slowly to keep its place.')
      shutDown(tooSlow)
    }
  }

  function isContentTooSlow(nowMs: number): boolean {
    const elapsedMs = nowMs - contentSinceMs
    if (elapsedMs <= limits.idleMs) return false
    return receivedBytes - contentFromBytes < (elapsedMs / 1000) * limits.contentBytesPerSecond
  }

  function stop(): void {
    switch (phase) {
      case 'hushed':
        shutDown(stopping)
        break
      case 'talking':
        if (machine.awaiting === 'command') shutDown(stopping)
        break
      case 'client-hello':
      case 'handshake':
        destroy()
        break
      case 'parting':
      case 'gone':
        break
      default:
        phase satisfies never
    }
  }

  function destroy(): void {
    phase = 'gone'
    transport.destroy()
  }

  function onClose(): void {
    // Some clients (GnuTLS) do not say what they dislike about a certificate.
    if (phase === 'handshake') incident('tls.handshake-failed', hungUp)
    phase = 'gone'
    dropTransaction()
    context.onGone(session)
  }

  function incident(code: string, says: string): void {
    context.incidents.tell(code, client.address, says)
  }
}

/** RFC 5321 §4.2.4, RFC 3463 §3.4: 452 for a full disk, which empties; 451 for one that fails. */
function storeFaultReply(fault: StoreFault): Reply {
  return fault.kind === 'full'
    ? reply(452, '4.3.1', 'Out of space here: try again later')
    : reply(451, '4.3.0', 'The message could not be stored here: try again later')
}

function queued(id: MessageId): Reply {
  return reply(250, '2.0.0', `Ok: queued as ${id}`)
}

/** A handshake record, an alert (RFC 8446 §5.1), or a hello of SSL 2: all OpenSSL's matter. */
function startsTls(chunk: Buffer): boolean {
  return chunk[0] === 0x16 || chunk[0] === 0x15 || chunk[0] === 0x80
}

/** OpenSSL's words without its addresses and file names. */
function tlsWords(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function expected(): void {}

const hungUp = 'The client hung up during the TLS handshake.'

const welcome = reply(250, null, '')
const senderOk = reply(250, '2.1.0', 'Ok')
const recipientOk = reply(250, '2.1.5', 'Ok')
const goAhead = reply(354, null, 'Send the message, and a line with only a dot behind it')
const readyForTls = reply(220, '2.0.0', 'Ready for TLS')
const cannotVerify = reply(252, '2.1.5', 'Not verified here: send mail, and it will be tried')
const localError = reply(451, '4.3.0', 'An error of ours: try again later')
const talksBeforeGreeting = reply(554, '5.5.1', 'You spoke before you were greeted: closing')
const stopping = reply(421, '4.3.2', 'This server is going down for a while: try again later')
const idle = reply(421, '4.4.2', 'Nothing came from you for too long: closing')
const tooSlow = reply(421, '4.4.2', 'The message comes too slowly: closing')
const sessionTooLong = reply(421, '4.7.0', 'This connection has lasted too long: closing')

/** Which of the machine's refusals are worth telling: those that no well-meant client causes. */
const toldFaults: Readonly<Record<ServerFaultCode, string | null>> = {
  'smtp.command-too-long': 'A command line was longer than any command.',
  'smtp.command-malformed': null,
  'smtp.command-unknown': null,
  'smtp.argument-malformed': null,
  'smtp.parameter-unknown': null,
  'smtp.bad-sequence': null,
  'smtp.too-many-recipients': null,
  'smtp.too-many-errors': 'The conversation was ended after too many errors.',
  'smtp.line-ending': 'A command did not end in CRLF, or had half of it inside.',
  'smtp.message-too-big': null,
  'smtp.not-smtp': 'The client spoke another protocol than SMTP.',
}

/** Replies that a client leaves unread before it is dropped: it costs it nothing to ask, and us memory to answer. */
const maxUnsentBytes = 256 * 1024
/** How long a client may take to close its side after our last word. */
const partingMs = 5_000
/** The same for one that does not stop sending. */
const partingFromFloodMs = 1_000
/** What a client may have on its way when it is told that this is the end, and still has the whole time to close. */
const maxIgnoredBytes = 1024 * 1024
const lineFeed = 10
