/**
 * The client's side of an SMTP conversation (RFC 5321), without any I/O.
 *
 * How it is driven: call one of the actions, write `output`, `receive` what arrives, and call `next` until it says 'need-bytes' or 'idle'.
 * Commands of a transaction go out together up to the synchronisation points when the server offers PIPELINING (RFC 2920), else one by one; the caller sees no difference.
 *
 * A reply that was there before its command was sent answers nothing: the conversation fails rather than take it for the answer. Replies that refuse are events,
 * and what became of a transaction can be read from them; 'failed' means that the conversation is over. A transaction that ended without content leaves the server
 * with an open one: the next `begin` clears it first.
 * It does not decide whom to trust, and it never parses a byte behind the `220` to STARTTLS: those are reported.
 */
import { formatPath, isInternational, type Path } from '../mail/address.ts'
import { createDotStuffing, type DotStuffing } from './dot-stuffing.ts'
import type { SmtpReason, StartTlsReason } from './reasons.ts'
import { type Reply, replyClass } from './reply.ts'
import { createReplyReader } from './reply-reader.ts'

/** RFC 5321 §4.5.3.2: how long the client waits in each phase, in milliseconds. */
export interface ClientTimeouts {
  readonly greetingMs: number
  readonly mailMs: number
  readonly rcptMs: number
  readonly dataMs: number
  /** Between two pieces of content, the peer taking nothing. */
  readonly contentMs: number
  /** After the final dot. */
  readonly finalDotMs: number
  /** EHLO, STARTTLS, RSET. */
  readonly commandMs: number
  readonly quitMs: number
}

export const defaultClientTimeouts: ClientTimeouts = {
  greetingMs: 5 * 60_000,
  mailMs: 5 * 60_000,
  rcptMs: 5 * 60_000,
  dataMs: 2 * 60_000,
  contentMs: 3 * 60_000,
  finalDotMs: 10 * 60_000,
  commandMs: 5 * 60_000,
  quitMs: 5_000,
}

/** The extensions of an EHLO answer that we know, and all its keywords (upper case, with parameters) for evidence. */
export interface ServerOffers {
  readonly keywords: readonly string[]
  readonly startTls: boolean
  readonly pipelining: boolean
  readonly eightBitMime: boolean
  readonly smtputf8: boolean
  readonly enhancedStatusCodes: boolean
  readonly sizeBytes: number | null
}

export interface TransactionRequest {
  readonly from: Path | null
  readonly recipients: readonly Path[]
  readonly parameters: {
    readonly sizeBytes: number | null
    readonly body: '8BITMIME' | null
    readonly smtputf8: boolean
  }
}

export type ClientEvent =
  | { readonly kind: 'greeting'; readonly reply: Reply }
  /** The answer to EHLO, or to the HELO that followed a 5xx to it (then nothing is offered). */
  | { readonly kind: 'hello'; readonly reply: Reply; readonly offers: ServerOffers }
  /** 220: the transport may be handed to TLS, unless bytes trail behind the reply. Other codes: no TLS. */
  | { readonly kind: 'starttls'; readonly reply: Reply; readonly trailing: number }
  | { readonly kind: 'sender'; readonly reply: Reply }
  /** Not given for the recipients behind a refused sender. */
  | { readonly kind: 'recipient'; readonly index: number; readonly reply: Reply }
  /** 354: content is wanted now: call `content` then `endContent`. 4xx or 5xx: it was refused, and 'transaction-over' follows. If every recipient was refused the machine ends an unwanted DATA itself (RFC 2920 §3.1) and says 'transaction-over'. */
  | { readonly kind: 'data'; readonly reply: Reply }
  /** The reply to the final dot. */
  | { readonly kind: 'message'; readonly reply: Reply }
  /** The transaction ended without content; the reasons were given by the events before. The conversation is in order for the next. */
  | { readonly kind: 'transaction-over' }
  | { readonly kind: 'reset'; readonly reply: Reply }
  | { readonly kind: 'quit'; readonly reply: Reply | null }
  /** The conversation cannot go on: malformed or unexpected reply, 421, too long, closed. `reply` where one was read. */
  | {
      readonly kind: 'failed'
      readonly reason: SmtpReason | StartTlsReason
      readonly detail: string | null
      readonly reply: Reply | null
    }

export interface SmtpClient {
  receive(input: Uint8Array | 'end'): void
  /** Never throws for anything a peer can send. 'closed' after 'failed', 'quit', a granted STARTTLS, and when the peer went away between transactions. */
  next(): ClientEvent | 'need-bytes' | 'idle' | 'closed'
  output(): Uint8Array | null
  /** After the greeting: EHLO, and HELO if that is refused with 5xx. */
  hello(name: string): void
  /** Allowed after a hello that offered it. */
  startTls(): void
  begin(request: TransactionRequest): void
  /** Takes a piece of content as it is stored (CRLF lines, not dot-stuffed) and returns what is to be written for it (stuffed; may be the same bytes). Pieces may be cut anywhere. */
  content(bytes: Uint8Array): readonly Uint8Array[]
  /** The final dot (with a CRLF before it if the content lacked one), to be written. Empty when the server spoke too early: `next` tells. */
  endContent(): Uint8Array
  reset(): void
  quit(): void
  /** How long the caller waits for the peer now, by phase. */
  readonly timeoutMs: number
  /** Name of the phase, for findings: `greeting`, `EHLO`, `STARTTLS`, `MAIL`, `RCPT`, `DATA`, `content`, `final dot`, `QUIT`. */
  readonly phase: string
}

/** Replies that are awaited, in the order of their commands. */
type Awaited =
  | 'greeting'
  | 'EHLO'
  | 'HELO'
  | 'STARTTLS'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'final dot'
  /** The dot that ends a DATA nobody is to receive (RFC 2920 §3.1). */
  | 'lone dot'
  | 'RSET'
  /** A RSET of the machine's own before a transaction. */
  | 'clearing RSET'
  | 'QUIT'

/** What is known of the transaction in work. */
interface Transaction {
  readonly request: TransactionRequest
  /** Recipients whose RCPT was sent; as many were answered as `answered` says. */
  sent: number
  answered: number
  accepted: number
  sender: 'awaited' | 'accepted' | 'refused'
}

/** What each phase is called and which timeout holds in it. */
const phases: Readonly<Record<Awaited, readonly [name: string, timeout: keyof ClientTimeouts]>> = {
  greeting: ['greeting', 'greetingMs'],
  EHLO: ['EHLO', 'commandMs'],
  HELO: ['EHLO', 'commandMs'],
  STARTTLS: ['STARTTLS', 'commandMs'],
  MAIL: ['MAIL', 'mailMs'],
  RCPT: ['RCPT', 'rcptMs'],
  DATA: ['DATA', 'dataMs'],
  'final dot': ['final dot', 'finalDotMs'],
  'lone dot': ['final dot', 'finalDotMs'],
  RSET: ['RSET', 'commandMs'],
  'clearing RSET': ['RSET', 'commandMs'],
  QUIT: ['QUIT', 'quitMs'],
}

/**
 * RCPT commands sent in one go. A server that does not read while its replies are not read must not come to a halt with us (RFC 2920 §3.1),
 * and its answers must fit in memory.
 */
export const recipientsPerGroup = 100

const nothingOffered: ServerOffers = {
  keywords: [],
  startTls: false,
  pipelining: false,
  eightBitMime: false,
  smtputf8: false,
  enhancedStatusCodes: false,
  sizeBytes: null,
}

/**
 * @param options `secured`: the conversation goes on inside TLS after STARTTLS: there is no greeting, and the first action is hello.
 * @example
 * const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: false })
 * socket.on('data', bytes => client.receive(bytes))
 */
export function createSmtpClient(options: {
  readonly timeouts: ClientTimeouts
  readonly secured: boolean
}): SmtpClient {
  const { timeouts } = options
  const reader = createReplyReader()
  const awaited: Awaited[] = options.secured ? [] : ['greeting']
  const upcoming: ClientEvent[] = []
  let open: 'open' | 'ended' | 'over' = 'open'
  let text = ''
  let ownName = ''
  let offers = nothingOffered
  let transaction: Transaction | null = null
  let stuffing: DotStuffing | null = null
  /** Bytes were there when a command or the end of the content was to be sent: whatever they become, they answer nothing. */
  let spokeEarly = false
  /** The server holds a transaction that came to nothing. */
  let isClearingDue = false

  function send(line: string, reply: Awaited): void {
    text += `${line}\r\n`
    awaited.push(reply)
  }

  function fail(reason: SmtpReason | StartTlsReason, detail: string | null, reply: Reply | null): void {
    upcoming.push({ kind: 'failed', reason, detail, reply })
    end()
  }

  function end(): void {
    open = 'over'
    transaction = null
    stuffing = null
    awaited.length = 0
    text = ''
  }

  /** Whether a command may be sent now. What the server said before it is read by `next`, and then there is no other use for it than to fail. */
  function mayAct(): boolean {
    if (open === 'over') return false
    if (awaited.length > 0 || transaction !== null)
      throw new Error(`an action was begun while ${phase()} was not over`)
    if (reader.unreadBytes > 0) {
      spokeEarly = true
      return false
    }
    if (open === 'ended') fail('smtp.closed', null, null)
    return open === 'open'
  }

  function phase(): string {
    const [first] = awaited
    if (first !== undefined) return phases[first][0]
    return stuffing === null ? 'idle' : 'content'
  }

  function step(): ClientEvent | 'need-bytes' | 'idle' | 'closed' | null {
    const event = upcoming.shift()
    if (event !== undefined) return event
    if (open === 'over') return 'closed'
    const read = reader.next()
    if (read === 'need-bytes') {
      if (open === 'ended') return peerWentAway()
      if (spokeEarly) {
        fail('smtp.reply-unexpected', 'a reply began before it was asked for', null)
        return null
      }
      return awaited.length > 0 || stuffing !== null ? 'need-bytes' : 'idle'
    }
    if ('fault' in read) {
      const { kind, says } = read.fault
      fail(kind === 'too-long' ? 'smtp.reply-too-long' : 'smtp.reply-malformed', says, null)
      return null
    }
    take(read.reply)
    return null
  }

  function peerWentAway(): null {
    const [first] = awaited
    if (first === 'QUIT') upcoming.push({ kind: 'quit', reply: null })
    else if (first === 'final dot') fail('smtp.closed-after-dot', null, null)
    else if (first !== undefined || stuffing !== null) fail('smtp.closed', null, null)
    end()
    return null
  }

  /** A reply, and the command it answers. */
  function take(reply: Reply): void {
    const answered = awaited.shift()
    const verdict = replyClass(reply)
    const isRefused = verdict === 'refused-for-now' || verdict === 'refused-for-good'
    if (answered === 'QUIT') {
      upcoming.push({ kind: 'quit', reply })
      end()
    } else if (reply.code === 421) fail(farewell(answered), null, reply)
    else if (answered === undefined) unasked(reply)
    else if (!isRefused && verdict !== (answered === 'DATA' ? 'intermediate' : 'positive'))
      fail('smtp.reply-unexpected', `${reply.code} cannot answer ${phases[answered][0]}`, reply)
    else matched(answered, reply, isRefused)
  }

  function matched(answered: Exclude<Awaited, 'QUIT'>, reply: Reply, isRefused: boolean): void {
    switch (answered) {
      case 'greeting':
        upcoming.push({ kind: 'greeting', reply })
        break
      case 'EHLO':
      case 'HELO':
        helloAnswered(answered, reply, isRefused)
        break
      case 'STARTTLS':
        upcoming.push({ kind: 'starttls', reply, trailing: reader.unreadBytes })
        if (reply.code === 220) end()
        break
      case 'MAIL':
        senderAnswered(reply, isRefused)
        break
      case 'RCPT':
        recipientAnswered(reply, isRefused)
        break
      case 'DATA':
        dataAnswered(reply, isRefused)
        break
      case 'lone dot':
        isClearingDue = false
        transactionOver()
        break
      case 'final dot':
        transaction = null
        upcoming.push({ kind: 'message', reply })
        break
      case 'RSET':
        if (!isRefused) isClearingDue = false
        upcoming.push({ kind: 'reset', reply })
        break
      case 'clearing RSET':
        isClearingDue = false
        if (isRefused) fail('smtp.reply-unexpected', `${reply.code} cannot answer RSET`, reply)
        else if (!offers.pipelining) sendMail()
        break
      default:
        answered satisfies never
    }
  }

  function helloAnswered(answered: 'EHLO' | 'HELO', reply: Reply, isRefused: boolean): void {
    // RFC 5321 §3.2: a server without extensions refuses EHLO, and HELO is tried.
    if (answered === 'EHLO' && replyClass(reply) === 'refused-for-good') {
      send(`HELO ${ownName}`, 'HELO')
      return
    }
    offers = answered === 'HELO' || isRefused ? nothingOffered : parseOffers(reply)
    upcoming.push({ kind: 'hello', reply, offers })
  }

  function farewell(answered: Awaited | undefined): SmtpReason {
    if (answered === 'greeting') return 'smtp.greeting-refused-for-now'
    return answered === 'EHLO' || answered === 'HELO' ? 'smtp.hello-refused-for-now' : 'smtp.shutting-down'
  }

  /** A reply to nothing. While content is on its way some servers refuse the message before its end. */
  function unasked(reply: Reply): void {
    const verdict = replyClass(reply)
    if (stuffing !== null && verdict === 'refused-for-now') fail('smtp.message-refused-for-now', null, reply)
    else if (stuffing !== null && verdict === 'refused-for-good')
      fail('smtp.message-refused-for-good', null, reply)
    else fail('smtp.reply-unexpected', 'a reply came before it was asked for', reply)
  }

  function senderAnswered(reply: Reply, isRefused: boolean): void {
    const current = inWork()
    current.sender = isRefused ? 'refused' : 'accepted'
    if (!isRefused) isClearingDue = true
    upcoming.push({ kind: 'sender', reply })
    if (awaited.length > 0) return
    if (isRefused) transactionOver()
    else sendGroup(current)
  }

  function recipientAnswered(reply: Reply, isRefused: boolean): void {
    const current = inWork()
    if (current.sender === 'accepted') {
      upcoming.push({ kind: 'recipient', index: current.answered, reply })
      if (!isRefused) current.accepted += 1
    }
    current.answered += 1
    if (awaited.length > 0) return
    if (current.sender === 'refused') transactionOver()
    else if (current.sent < current.request.recipients.length) sendGroup(current)
    else if (current.accepted > 0) send('DATA', 'DATA')
    else transactionOver()
  }

  function dataAnswered(reply: Reply, isRefused: boolean): void {
    const isWanted = inWork().accepted > 0
    if (isWanted) upcoming.push({ kind: 'data', reply })
    if (isRefused) transactionOver()
    else if (isWanted) stuffing = createDotStuffing()
    else send('.', 'lone dot')
  }

  function transactionOver(): void {
    transaction = null
    upcoming.push({ kind: 'transaction-over' })
  }

  function inWork(): Transaction {
    if (transaction === null) throw new Error('a reply was awaited for a transaction that does not exist')
    return transaction
  }

  function sendMail(): void {
    const current = inWork()
    const { from, parameters } = current.request
    let line = `MAIL FROM:${formatPath(from)}`
    if (parameters.sizeBytes !== null && offersSize(offers)) line += ` SIZE=${parameters.sizeBytes}`
    if (parameters.body !== null) line += ` BODY=${parameters.body}`
    if (parameters.smtputf8) line += ' SMTPUTF8'
    send(line, 'MAIL')
    if (offers.pipelining) sendGroup(current)
  }

  /** The next RCPT, or as many as go together, and DATA behind the last. */
  function sendGroup(current: Transaction): void {
    const { recipients } = current.request
    const end = Math.min(current.sent + (offers.pipelining ? recipientsPerGroup : 1), recipients.length)
    for (; current.sent < end; current.sent++) {
      const recipient = recipients[current.sent]
      if (recipient !== undefined) send(`RCPT TO:${formatPath(recipient)}`, 'RCPT')
    }
    if (offers.pipelining && end === recipients.length) send('DATA', 'DATA')
  }

  /** What a request needs and this server did not offer. Whoever asks should have looked; nothing is sent all the same. */
  function missing({ from, recipients, parameters }: TransactionRequest): SmtpReason | null {
    const isBeyondAscii =
      parameters.smtputf8 || (from !== null && isInternational(from)) || recipients.some(isInternational)
    if (isBeyondAscii && !offers.smtputf8) return 'smtp.no-smtputf8'
    if (parameters.body === '8BITMIME' && !offers.eightBitMime) return 'smtp.no-8bitmime'
    return null
  }

  return {
    receive(input) {
      if (open !== 'open') return
      if (input === 'end') open = 'ended'
      else reader.receive(input)
    },
    next() {
      for (;;) {
        const result = step()
        if (result !== null) return result
      }
    },
    output() {
      if (text === '') return null
      const bytes = Buffer.from(text, 'utf8')
      text = ''
      return bytes
    },
    hello(name) {
      if (!mayAct()) return
      ownName = checked(name)
      send(`EHLO ${ownName}`, 'EHLO')
    },
    startTls() {
      if (!mayAct()) return
      if (offers.startTls) send('STARTTLS', 'STARTTLS')
      else fail('starttls.not-offered', null, null)
    },
    begin(request) {
      if (request.recipients.length === 0) throw new Error('a transaction has no recipients')
      for (const path of request.recipients) checked(path.text)
      if (request.from !== null) checked(request.from.text)
      if (!mayAct()) return
      const lacking = missing(request)
      if (lacking !== null) {
        fail(lacking, null, null)
        return
      }
      transaction = { request, sent: 0, answered: 0, accepted: 0, sender: 'awaited' }
      if (isClearingDue) send('RSET', 'clearing RSET')
      if (!isClearingDue || offers.pipelining) sendMail()
    },
    content(bytes) {
      if (open === 'over') return []
      if (stuffing === null) throw new Error('content was given that is not wanted')
      return [stuffing.piece(bytes)]
    },
    endContent() {
      if (open === 'over') return new Uint8Array()
      if (stuffing === null) throw new Error('content was ended that was not wanted')
      // An answer that is there before the end would be taken for the answer to it.
      if (reader.unreadBytes > 0) {
        spokeEarly = true
        return new Uint8Array()
      }
      const dot = stuffing.end()
      stuffing = null
      isClearingDue = false
      awaited.push('final dot')
      return dot
    },
    reset() {
      if (mayAct()) send('RSET', 'RSET')
    },
    quit() {
      if (mayAct()) send('QUIT', 'QUIT')
    },
    get timeoutMs() {
      const [first] = awaited
      if (first !== undefined) return timeouts[phases[first][1]]
      return stuffing === null ? timeouts.commandMs : timeouts.contentMs
    },
    get phase() {
      return phase()
    },
  }
}

/** RFC 5321 §4.1.1.1: the keywords are on the lines behind the first, in any case of letters. */
function parseOffers(reply: Reply): ServerOffers {
  const keywords = reply.lines.slice(1).map(line => line.trim().toUpperCase())
  const words = new Map(keywords.map(line => [line.split(' ', 1)[0] ?? '', line]))
  const size = Number(/^SIZE +(\d{1,20})$/.exec(words.get('SIZE') ?? '')?.[1] ?? 0)
  return {
    keywords,
    startTls: words.has('STARTTLS'),
    pipelining: words.has('PIPELINING'),
    eightBitMime: words.has('8BITMIME'),
    smtputf8: words.has('SMTPUTF8'),
    enhancedStatusCodes: words.has('ENHANCEDSTATUSCODES'),
    // RFC 1870 §3: nothing or zero says that there is no fixed limit.
    sizeBytes: size > 0 ? size : null,
  }
}

/** RFC 1870 §3: offered also where no limit is told. */
function offersSize(offers: ServerOffers): boolean {
  return offers.keywords.some(line => line === 'SIZE' || line.startsWith('SIZE '))
}

/** Nothing that goes into a command may end it. What is parsed never does; what is made by hand is our mistake. */
function checked(text: string): string {
  if (/[\x00-\x1f\x7f]/.test(text)) throw new Error('a control character would go into a command')
  return text
}
