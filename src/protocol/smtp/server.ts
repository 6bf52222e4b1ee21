/**
 * The server's side of an SMTP conversation (RFC 5321), without any I/O: bytes in, events out, replies taken as bytes.
 *
 * How it is driven: `receive` what arrived, then call `next` until it says 'need-bytes', 'waiting' or 'closed'. An event that
 * asks for a decision (`hello`, `mail`, `recipient`, `data`, `content-end`, `starttls`, `verify`) must be answered by `answer` before `next` gives another event ('waiting' until then).
 * Between calls take `output` and write it.
 *
 * It keeps the order of commands (503), the grammar (501, 500, 502), the named limits, and the synchronisation points; replies of a pipelined group come out as one piece:
 * while commands of the group wait to be read or decided, `output` says null.
 * It does not decide who may send what to whom, and it never reads ahead across STARTTLS: bytes found behind that command are reported with the event.
 * Bytes behind EHLO or HELO before its answer are refused too (RFC 2920 §3.1), and so are bytes behind a DATA that is then refused, since they may be content.
 *
 * A client that talks before the greeting is seen only by the caller, who knows when it was written: call `shutDown` before the first `output`, and its reply takes the greeting's place.
 */
import type { Path } from '../mail/address.ts'
import { parseCommandLine, parseHelloName, parseMail, parseRecipient, type Verb } from './command.ts'
import { type ContentReader, createContentReader } from './content.ts'
import { type CommandFault, contentFaultReply, faultCloses, faultCode, faultReply } from './faults.ts'
import { createLines } from './lines.ts'
import { type Reply, reply } from './reply.ts'
import { formatReply } from './reply-text.ts'

export interface ServerLimits {
  /** A command line with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512; extensions raise it (MAIL with SMTPUTF8, SIZE, BODY, AUTH). */
  readonly commandLineBytes: number
  /** A line of content with its CRLF: RFC 5321 §4.5.3.1.6, 1,000. */
  readonly textLineBytes: number
  /** Recipients in one transaction: RFC 5321 §4.5.3.1.8 asks for at least 100. One more is answered 452 4.5.3. */
  readonly recipients: number
  /** Errors (5xx replies) until the conversation ends with 421 4.7.0. */
  readonly errors: number
  /** Largest content, announced as SIZE. */
  readonly messageBytes: number
  /** `Received:` fields until the message is taken for looping (RFC 5321 §6.3). */
  readonly receivedFields: number
}

export const defaultServerLimits: ServerLimits = {
  commandLineBytes: 2_048,
  textLineBytes: 1_000,
  recipients: 1_000,
  errors: 20,
  messageBytes: 50 * 1024 * 1024,
  receivedFields: 100,
}

export interface ServerOptions {
  /** Our name in the greeting and the answer to EHLO. */
  readonly hostname: string
  readonly limits: ServerLimits
  /** STARTTLS is offered, and not used yet. */
  readonly offerStartTls: boolean
  /** The conversation is inside TLS already. */
  readonly secured: boolean
  /** False right after STARTTLS: the greeting was given in clear, and inside TLS the client speaks first (RFC 3207 §4.2). Else, and with implicit TLS, true. Default true. */
  readonly greets?: boolean
  /**
   * The input is a script of this machine's, in a file or pipe (`sendmail -bs`), which waits for no answer: what stands behind EHLO is then its next command.
   * Never for a connection, where bytes behind EHLO may be somebody else's. Default false.
   */
  readonly isScript?: boolean
}

/** Why content that was read to its true end is not accepted. */
export type ContentFault =
  | 'smtp.bare-cr'
  | 'smtp.bare-lf'
  | 'smtp.nul'
  | 'smtp.line-too-long'
  | 'smtp.message-too-big'
  | 'smtp.too-many-received'

export interface ContentFacts {
  /** Octets after dot-unstuffing. */
  readonly sizeBytes: number
  /** An octet above 127 was seen. */
  readonly eightBit: boolean
  /** `Received:` fields in the header. */
  readonly receivedFields: number
  /** The first fault; content is not handed out any further once one is known, and the other facts may be incomplete then. */
  readonly fault: ContentFault | null
}

export interface MailParameters {
  /** SIZE= (RFC 1870). */
  readonly sizeBytes: number | null
  /** BODY=8BITMIME (RFC 6152). */
  readonly body: '7BIT' | '8BITMIME'
  readonly smtputf8: boolean
}

export type ServerEvent =
  /** EHLO or HELO with its argument as written (bounded, not trusted). The machine writes the greeting line and the extensions itself when answered 250. */
  | { readonly kind: 'hello'; readonly verb: 'EHLO' | 'HELO'; readonly name: string }
  /** `from` is null for `<>`. */
  | { readonly kind: 'mail'; readonly from: Path | null; readonly parameters: MailParameters }
  | { readonly kind: 'recipient'; readonly to: Path }
  /** Answer 354 to begin, anything else to refuse. Comes only when at least one recipient was accepted (else the machine says 503 or 554 itself). */
  | { readonly kind: 'data' }
  /** A piece of content, dot-unstuffed. The bytes may be a view of what was received: use or copy them before the next `receive`. Needs no answer. */
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  /** The true end. With a fault the machine has its own reply ready and no answer is awaited; without one the answer decides. */
  | { readonly kind: 'content-end'; readonly facts: ContentFacts }
  /**
   * STARTTLS. `trailing`: bytes that stood behind it in clear text: an injection (RFC 3207 §4.2, CVE-2011-0411).
   * With `trailing` > 0 the machine refuses (554 5.5.1), closes, and needs no answer. Else answer 220, write the output, and hand the transport to TLS; then make a new machine with `secured`.
   * Bytes that came between the event and the answer 220 make a second event with `trailing` > 0 instead of that 220: call `next` before the transport is handed over, which says 'closed'
   * in both cases, and hand over only what no such event came for.
   */
  | { readonly kind: 'starttls'; readonly trailing: number }
  | { readonly kind: 'verify'; readonly what: string }
  /** RSET, or a new EHLO: the transaction is forgotten. Needs no answer. */
  | { readonly kind: 'reset' }
  /** QUIT: write the output, then close. */
  | { readonly kind: 'quit' }
  /** Something was refused by the machine itself, for the log. Needs no answer. `code` such as `smtp.command-too-long`, `smtp.bad-sequence`, `smtp.too-many-errors`. */
  | { readonly kind: 'fault'; readonly code: ServerFaultCode }

export type ServerFaultCode =
  | 'smtp.command-too-long'
  | 'smtp.command-malformed'
  | 'smtp.command-unknown'
  | 'smtp.argument-malformed'
  | 'smtp.parameter-unknown'
  | 'smtp.bad-sequence'
  | 'smtp.too-many-recipients'
  | 'smtp.too-many-errors'
  | 'smtp.line-ending'
  /** SIZE= above the limit. */
  | 'smtp.message-too-big'
  /** HTTP, TLS or a mail header in place of a command: the conversation was closed. */
  | 'smtp.not-smtp'

export interface SmtpServer {
  /** Bytes just as they arrived. `'end'`: the peer half-closed. After 'closed' they are ignored. */
  receive(input: Uint8Array | 'end'): void
  /** Never throws for anything a peer can send. */
  next(): ServerEvent | 'need-bytes' | 'waiting' | 'closed'
  /** Decides on the event given last. Ignored once the machine is closed, so that a decision may come too late. */
  answer(reply: Reply): void
  /** What is to be written now; null when nothing is, or when a pipelined group is not answered to its end: ask again after `next` said 'need-bytes' or 'closed'. The greeting is there from the start. */
  output(): Uint8Array | null
  /** Ends the conversation from our side: queues the reply (421 as a rule) and closes. */
  shutDown(reply: Reply): void
  /** What the peer is expected to do next; picks the timeout (RFC 5321 §4.5.3.2.7: at least 5 minutes for a command). */
  readonly awaiting: 'command' | 'content' | 'nothing'
}

/** Where a conversation stands between two commands. */
type Stage =
  /** No EHLO or HELO yet. */
  | 'opened'
  | 'ready'
  /** MAIL was refused: what was pipelined behind it falls with it. */
  | 'sender-refused'
  | 'sender'
  /** Every RCPT so far was refused. */
  | 'no-recipient'
  | 'recipients'

type OrderedVerb = 'MAIL' | 'RCPT' | 'DATA' | 'STARTTLS'

/** The order of commands (RFC 5321 §4.1.4, RFC 3207 §4.2); all others may come at any time. */
const order: Readonly<Record<OrderedVerb, Readonly<Record<Stage, CommandFault | 'proceed'>>>> = {
  MAIL: {
    opened: 'hello-first',
    ready: 'proceed',
    'sender-refused': 'proceed',
    sender: 'nested-mail',
    'no-recipient': 'nested-mail',
    recipients: 'nested-mail',
  },
  RCPT: {
    opened: 'hello-first',
    ready: 'mail-first',
    'sender-refused': 'mail-first',
    sender: 'proceed',
    'no-recipient': 'proceed',
    recipients: 'proceed',
  },
  DATA: {
    opened: 'hello-first',
    ready: 'mail-first',
    'sender-refused': 'mail-first',
    sender: 'rcpt-first',
    'no-recipient': 'no-valid-recipients',
    recipients: 'proceed',
  },
  STARTTLS: {
    opened: 'hello-first',
    ready: 'proceed',
    'sender-refused': 'proceed',
    sender: 'proceed',
    'no-recipient': 'proceed',
    recipients: 'proceed',
  },
}

/** What the machine waits to be told. */
type Decision = 'EHLO' | 'HELO' | 'mail' | 'recipient' | 'data' | 'content-end' | 'starttls' | 'verify'

/**
 * @param options fixed for the life of the machine; after STARTTLS a new one is made
 * @example
 * const server = createSmtpServer({ hostname: 'mx.example.org', limits: defaultServerLimits, offerStartTls: false, secured: false })
 * socket.write(server.output() ?? '')
 */
export function createSmtpServer(options: ServerOptions): SmtpServer {
  const { hostname, limits, isScript = false } = options
  const lines = createLines(limits.commandLineBytes)
  let stage: Stage = 'opened'
  let open: 'open' | 'ended' | 'closed' = 'open'
  let decision: Decision | null = null
  let content: ContentReader | null = null
  let text = options.greets === false ? '' : formatReply(reply(220, null, `${hostname} ESMTP Hermetic`), 'plain')
  /** Nothing but the greeting was queued, and nobody has taken it. */
  let isGreetingDue = true
  /** Events that follow from one thing that happened. */
  const upcoming: ServerEvent[] = []
  let smtputf8 = false
  let recipients = 0
  let errors = 0

  function say(answer: Reply): void {
    text += formatReply(answer, 'enhanced')
  }

  /** One 5xx more; a consequence of a refused MAIL or RCPT is not counted again. */
  function countError(code: number, isConsequence: boolean): void {
    if (code < 500 || isConsequence || open === 'closed') return
    errors += 1
    if (errors >= limits.errors) refuse('too-many-errors')
  }

  function refuse(fault: CommandFault, more?: string): void {
    const answer = faultReply(fault, more)
    say(answer)
    upcoming.push({ kind: 'fault', code: faultCode(fault) })
    if (faultCloses(fault)) close()
    else
      countError(
        answer.code,
        fault === 'no-valid-recipients' || (fault === 'mail-first' && stage === 'sender-refused'),
      )
  }

  function close(): void {
    open = 'closed'
    decision = null
    content = null
  }

  function forgetTransaction(): void {
    if (stage !== 'opened') stage = 'ready'
    smtputf8 = false
    recipients = 0
  }

  function isInTransaction(): boolean {
    return stage === 'sender' || stage === 'no-recipient' || stage === 'recipients'
  }

  function decide(what: Decision, event: ServerEvent): ServerEvent {
    decision = what
    return event
  }

  /** Reads one line and acts; null when it led to no event. */
  function readCommand(): ServerEvent | 'need-bytes' | null {
    const first = lines.firstByte()
    // The first byte of a TLS record, or of an SSL 2 hello: no command begins so, and no line end would come.
    if (first === 0x16 || first === 0x80) {
      refuse(options.secured ? 'not-smtp' : 'tls-in-clear')
      return null
    }
    const line = lines.next()
    if (line === 'need-bytes') return line
    if (typeof line === 'string') {
      refuse(line)
      return null
    }
    const command = parseCommandLine(line)
    if (command.kind === 'fault') {
      refuse(command.fault)
      return null
    }
    return obey(command.verb, command.argument)
  }

  function obey(verb: Verb, argument: string): ServerEvent | null {
    switch (verb) {
      case 'EHLO':
      case 'HELO': {
        const name = parseHelloName(argument)
        if (!isScript && lines.unreadBytes > 0) refuse('bytes-behind-hello')
        else if (name === null) refuse('hello-name')
        else return decide(verb, { kind: 'hello', verb, name })
        return null
      }
      case 'MAIL':
        return inOrder(verb) ? mail(argument) : null
      case 'RCPT':
        return inOrder(verb) ? recipient(argument) : null
      case 'DATA':
        if (!withoutArgument(argument) || !inOrder(verb)) return null
        return decide('data', { kind: 'data' })
      case 'RSET':
        if (!withoutArgument(argument)) return null
        forgetTransaction()
        say(flushed)
        return { kind: 'reset' }
      case 'NOOP':
        say(ok)
        return null
      case 'HELP':
        say(help)
        return null
      case 'VRFY':
        if (argument === '') refuse('verify-what')
        else return decide('verify', { kind: 'verify', what: argument })
        return null
      case 'QUIT':
        if (!withoutArgument(argument)) return null
        say(reply(221, '2.0.0', `${hostname} says goodbye`))
        close()
        return { kind: 'quit' }
      case 'STARTTLS':
        return withoutArgument(argument) ? startTls() : null
      default:
        return verb satisfies never
    }
  }

  function inOrder(verb: OrderedVerb): boolean {
    const verdict = order[verb][stage]
    if (verdict === 'proceed') return true
    refuse(verdict)
    return false
  }

  function withoutArgument(argument: string): boolean {
    if (argument !== '') refuse('argument-not-allowed')
    return argument === ''
  }

  function mail(argument: string): ServerEvent | null {
    const parsed = parseMail(argument)
    if (parsed.kind === 'mail') {
      const { from, parameters } = parsed
      if (parameters.sizeBytes === null || parameters.sizeBytes <= limits.messageBytes) {
        smtputf8 = parameters.smtputf8
        return decide('mail', { kind: 'mail', from, parameters })
      }
      refuse('declared-too-big')
    } else refuse(parsed.fault, parsed.more)
    if (open !== 'closed') stage = 'sender-refused'
    return null
  }

  function recipient(argument: string): ServerEvent | null {
    const parsed = parseRecipient(argument, smtputf8)
    if (parsed.kind === 'recipient') {
      if (recipients < limits.recipients) return decide('recipient', { kind: 'recipient', to: parsed.to })
      refuse('too-many-recipients')
    } else refuse(parsed.fault, parsed.more)
    if (stage === 'sender') stage = 'no-recipient'
    return null
  }

  function startTls(): ServerEvent | null {
    const trailing = lines.unreadBytes
    if (options.secured) refuse('tls-already')
    else if (!options.offerStartTls) refuse('tls-not-offered')
    else if (trailing > 0) return injected(trailing)
    else if (inOrder('STARTTLS')) return decide('starttls', { kind: 'starttls', trailing: 0 })
    return null
  }

  /** Clear text behind STARTTLS: somebody wants it taken for what the client says inside TLS. */
  function injected(trailing: number): ServerEvent {
    say(faultReply('bytes-behind-starttls'))
    close()
    return { kind: 'starttls', trailing }
  }

  function readContent(reader: ContentReader): ServerEvent | 'need-bytes' {
    for (;;) {
      const chunk = lines.peek()
      if (chunk === null) return 'need-bytes'
      const { bytes, used, ended } = reader.read(chunk)
      lines.skip(used)
      if (ended) {
        const event = endContent(reader)
        if (bytes.length === 0) return event
        upcoming.push(event)
        return { kind: 'content', bytes }
      }
      if (bytes.length > 0) return { kind: 'content', bytes }
    }
  }

  function endContent(reader: ContentReader): ServerEvent {
    const facts = reader.facts()
    content = null
    if (facts.fault === null) return decide('content-end', { kind: 'content-end', facts })
    const answer = contentFaultReply(facts.fault)
    forgetTransaction()
    say(answer)
    countError(answer.code, false)
    return { kind: 'content-end', facts }
  }

  function sayHello(verb: 'EHLO' | 'HELO'): void {
    const keywords = [
      'PIPELINING',
      `SIZE ${limits.messageBytes}`,
      '8BITMIME',
      'SMTPUTF8',
      'ENHANCEDSTATUSCODES',
      'HELP',
    ]
    if (options.offerStartTls && !options.secured) keywords.push('STARTTLS')
    text += formatReply(reply(250, null, hostname, ...(verb === 'EHLO' ? keywords : [])), 'plain')
  }

  /** What a decision makes of the conversation. */
  function apply(what: Decision, answer: Reply): void {
    const isGranted = answer.code >= 200 && answer.code < 300
    switch (what) {
      case 'EHLO':
      case 'HELO':
        helloDecided(what, answer, isGranted)
        return
      case 'starttls':
        if (answer.code === 220) {
          startTlsGranted(answer)
          return
        }
        break
      case 'mail':
        stage = isGranted ? 'sender' : 'sender-refused'
        break
      case 'recipient':
        if (isGranted) recipients += 1
        if (isGranted) stage = 'recipients'
        else if (stage === 'sender') stage = 'no-recipient'
        break
      case 'data':
        if (answer.code === 354) content = createContentReader(limits)
        break
      case 'content-end':
        forgetTransaction()
        break
      case 'verify':
        break
      default:
        what satisfies never
    }
    say(answer)
    if (what === 'data' && content === null && lines.unreadBytes > 0) refuse('bytes-behind-refused-data')
    else countError(answer.code, false)
  }

  function helloDecided(verb: 'EHLO' | 'HELO', answer: Reply, isGranted: boolean): void {
    if (!isScript && lines.unreadBytes > 0) refuse('bytes-behind-hello')
    else if (isGranted) {
      if (isInTransaction()) upcoming.push({ kind: 'reset' })
      stage = 'ready'
      forgetTransaction()
      sayHello(verb)
    } else {
      text += formatReply(answer, 'plain')
      countError(answer.code, false)
    }
  }

  function startTlsGranted(answer: Reply): void {
    if (lines.unreadBytes > 0) upcoming.push(injected(lines.unreadBytes))
    else {
      say(answer)
      close()
    }
  }

  return {
    receive(input) {
      if (open === 'closed') return
      if (input === 'end') open = 'ended'
      else if (open === 'open') lines.receive(input)
    },
    next() {
      for (;;) {
        const event = upcoming.shift()
        if (event !== undefined) return event
        if (open === 'closed') return 'closed'
        if (decision !== null) return 'waiting'
        const read = content === null ? readCommand() : readContent(content)
        if (read === 'need-bytes') {
          if (open !== 'ended') return read
          close()
        } else if (read !== null) return read
      }
    },
    answer(answer) {
      if (open === 'closed') return
      if (decision === null) throw new Error('an answer was given to no event')
      const what = decision
      decision = null
      apply(what, answer)
    },
    output() {
      if (text === '') return null
      // A group's replies go out together, when nothing of it is left to be read or decided; content may be waited for at any time.
      if (open !== 'closed' && (decision !== null || (content === null && lines.hasUnreadChunk))) return null
      isGreetingDue = false
      const bytes = Buffer.from(text, 'latin1')
      text = ''
      return bytes
    },
    shutDown(answer) {
      if (open === 'closed') return
      if (isGreetingDue) text = formatReply(answer, 'plain')
      else say(answer)
      close()
    },
    get awaiting() {
      if (open === 'closed' || decision !== null) return 'nothing'
      return content === null ? 'command' : 'content'
    },
  }
}

const ok = reply(250, '2.0.0', 'Ok')
const flushed = reply(250, '2.0.0', 'Ok: nothing of a transaction is left')
const help = reply(214, '2.0.0', 'EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT, and what EHLO lists')
