/** The two machines against each other: any envelope, any content, any decisions, any cuts. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Path, parseAddress } from '../mail/address.ts'
import { type ClientEvent, createSmtpClient, defaultClientTimeouts, type SmtpClient } from './client.ts'
import { type Reply, reply } from './reply.ts'
import { createSmtpServer, defaultServerLimits, type ServerEvent, type SmtpServer } from './server.ts'

interface Message {
  readonly recipients: number
  readonly content: string
  /** Where the content is cut on its way into the client's machine. */
  readonly pieces: readonly number[]
  /** 2, 4 or 5 for MAIL, each RCPT in turn, DATA and the final dot. */
  readonly verdicts: {
    readonly mail: number
    readonly rcpt: readonly number[]
    readonly data: number
    readonly dot: number
  }
}

const verdict = fc.oneof({ weight: 5, arbitrary: fc.constant(2) }, fc.constantFrom(4, 5))
const line = fc.oneof(
  fc.constantFrom('', '.', '..', '.x', 'Received: a', 'QUIT', 'RSET', 'text', 'x.', 'é ü'),
  fc.stringMatching(/^[ -~]{0,12}$/),
)
const message: fc.Arbitrary<Message> = fc.record({
  recipients: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(130)),
  content: fc
    .tuple(fc.array(line, { maxLength: 8 }), fc.boolean())
    .map(([lines, isEnded]) => lines.map(text => `${text}\r\n`).join('') + (isEnded ? '' : 'no end')),
  pieces: fc.array(fc.nat(60), { maxLength: 6 }),
  verdicts: fc.record({
    mail: verdict,
    rcpt: fc.array(verdict, { minLength: 1, maxLength: 5 }),
    data: verdict,
    dot: verdict,
  }),
})

interface Outcome {
  sender: number | null
  readonly recipients: (number | null)[]
  data: number | null
  message: number | null
}

interface Receipt {
  from: Path | null
  readonly to: Path[]
  content: string
  verdict: number
}

/** Runs the messages through a pair of machines; `cut` says how many bytes go at a time. */
function exchange(messages: readonly Message[], pipelining: boolean, cut: () => number) {
  const server = createSmtpServer({
    hostname: 'mx.example',
    limits: { ...defaultServerLimits, errors: 100_000 },
    offerStartTls: false,
    secured: false,
  })
  const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: false })
  const outcomes: Outcome[] = []
  const receipts: Receipt[] = []
  const failures: ClientEvent[] = []
  let rcpts = 0
  let receipt: Receipt = { from: null, to: [], content: '', verdict: 0 }
  let hasQuit = false

  /** The message the server is being offered: the one the client began last. */
  const offered = () => messages[outcomes.length - 1]
  const coded = (digit: number | undefined): Reply => reply((digit ?? 2) * 100 + 50, null, 'as drawn')

  function judge(event: ServerEvent): Reply | null {
    const verdicts = offered()?.verdicts
    switch (event.kind) {
      case 'hello':
        return reply(250, null, '')
      case 'mail':
        receipt = { from: event.from, to: [], content: '', verdict: 0 }
        rcpts = 0
        return coded(verdicts?.mail)
      case 'recipient': {
        const answer = coded(verdicts?.rcpt[rcpts++ % verdicts.rcpt.length])
        if (answer.code === 250) receipt.to.push(event.to)
        return answer
      }
      case 'data':
        return verdicts?.data === 2 ? reply(354, null, 'Go on') : coded(verdicts?.data)
      case 'content':
        receipt.content += Buffer.from(event.bytes).toString('latin1')
        return null
      case 'content-end': {
        const answer = coded(verdicts?.dot)
        receipt.verdict = answer.code
        receipts.push(receipt)
        return answer
      }
      case 'reset':
      case 'quit':
        return null
      case 'fault':
        // What falls with a refused sender or recipient; anything else would be a command the client should not have sent.
        expect(event.code).toBe('smtp.bad-sequence')
        return null
      case 'starttls':
      case 'verify':
        throw new Error(`nobody asked for ${event.kind}`)
      default:
        return event satisfies never
    }
  }

  function serve(): Uint8Array | null {
    for (let event = server.next(); typeof event !== 'string'; event = server.next()) {
      const answer = judge(event)
      if (answer !== null) server.answer(answer)
    }
    const bytes = server.output()
    // A server that does not pipeline is one whose EHLO does not say so.
    return bytes === null || pipelining
      ? bytes
      : Buffer.from(Buffer.from(bytes).toString('latin1').replace('250-PIPELINING\r\n', ''))
  }

  function actOn(event: ClientEvent, sent: Uint8Array[]): void {
    const outcome = outcomes.at(-1)
    if (event.kind === 'greeting') client.hello('me.example')
    else if (event.kind === 'failed') failures.push(event)
    else if (event.kind === 'quit') hasQuit = true
    else if (event.kind === 'hello' || event.kind === 'transaction-over') beginNext()
    else if (outcome === undefined) throw new Error(`${event.kind} out of turn`)
    else if (event.kind === 'sender') outcome.sender = event.reply.code
    else if (event.kind === 'recipient') outcome.recipients[event.index] = event.reply.code
    else if (event.kind === 'data') {
      outcome.data = event.reply.code
      if (event.reply.code === 354) sent.push(...contentOf(client, offered()), client.endContent())
    } else if (event.kind === 'message') {
      outcome.message = event.reply.code
      beginNext()
    }
  }

  function beginNext(): void {
    const next = messages[outcomes.length]
    if (next === undefined) {
      client.quit()
      return
    }
    outcomes.push({
      sender: null,
      recipients: new Array<null>(next.recipients).fill(null),
      data: null,
      message: null,
    })
    client.begin({
      from: addressed(`from${outcomes.length}`),
      recipients: Array.from({ length: next.recipients }, (_, i) => addressed(`to${i}`)),
      parameters: { sizeBytes: next.content.length, body: '8BITMIME', smtputf8: false },
    })
  }

  let toClient = serve()
  for (let round = 0; !hasQuit && failures.length === 0 && round < 10_000; round++) {
    const sent: Uint8Array[] = []
    for (const piece of inPieces(toClient, cut)) {
      client.receive(piece)
      for (let event = client.next(); typeof event !== 'string'; event = client.next()) actOn(event, sent)
    }
    const commands = client.output()
    const bytes = Buffer.concat(commands === null ? sent : [...sent, commands])
    const replies: Uint8Array[] = []
    for (const piece of inPieces(bytes, cut)) {
      server.receive(piece)
      const out = serve()
      if (out !== null) replies.push(out)
    }
    toClient = Buffer.concat(replies)
  }
  expect(failures).toEqual([])
  expect(hasQuit).toBe(true)
  return { outcomes, receipts, server }
}

function contentOf(client: SmtpClient, offered: Message | undefined): Uint8Array[] {
  const bytes = Buffer.from(offered?.content ?? '', 'latin1')
  const places = [...new Set([0, ...(offered?.pieces ?? []).map(at => Math.min(at, bytes.length))])].sort(
    (a, b) => a - b,
  )
  return places.flatMap((from, i) => client.content(bytes.subarray(from, places[i + 1] ?? bytes.length)))
}

function inPieces(bytes: Uint8Array | null, cut: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; bytes !== null && at < bytes.length; ) {
    const length = Math.max(1, cut())
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}

function addressed(local: string): Path {
  const path = parseAddress(`${local}@example.org`)
  if (typeof path === 'string') throw new Error(path)
  return path
}

/** What RFC 5321 says must come of it. */
function expected(given: Message): { outcome: Outcome; isReceived: boolean } {
  const code = (digit: number) => digit * 100 + 50
  const { mail, rcpt, data, dot } = given.verdicts
  const outcome: Outcome = {
    sender: code(mail),
    recipients: new Array<null>(given.recipients).fill(null),
    data: null,
    message: null,
  }
  if (mail !== 2) return { outcome, isReceived: false }
  for (let i = 0; i < given.recipients; i++) outcome.recipients[i] = code(rcpt[i % rcpt.length] ?? 2)
  if (!outcome.recipients.includes(250)) return { outcome, isReceived: false }
  outcome.data = data === 2 ? 354 : code(data)
  if (data !== 2) return { outcome, isReceived: false }
  outcome.message = code(dot)
  return { outcome, isReceived: true }
}

test('whatever is sent is received, and both sides know the same of every transaction', () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      fc.infiniteStream(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 30 }), fc.constant(100_000))),
      (messages, pipelining, lengths) => {
        const { outcomes, receipts } = exchange(messages, pipelining, () => lengths.next().value ?? 1)
        const wanted = messages.map(expected)
        expect(outcomes).toEqual(wanted.map(({ outcome }) => outcome))
        const received = messages.filter((_, i) => wanted[i]?.isReceived)
        expect(receipts.map(({ content }) => content)).toEqual(
          received.map(({ content }) => (content === '' || content.endsWith('\r\n') ? content : `${content}\r\n`)),
        )
        for (const [i, { to, verdict: code }] of receipts.entries()) {
          const outcome = outcomes.filter(({ message: answer }) => answer !== null)[i]
          expect(code).toBe(outcome?.message)
          expect(to.map(({ local }) => local)).toEqual(
            outcome?.recipients.flatMap((answer, n) => (answer === 250 ? [`to${n}`] : [])),
          )
        }
      },
    ),
    { numRuns: 400 },
  )
})

test('a message of many megabytes passes through both machines without being kept by either', () => {
  const server: SmtpServer = createSmtpServer({
    hostname: 'mx',
    limits: { ...defaultServerLimits, messageBytes: 1e9 },
    offerStartTls: false,
    secured: true,
  })
  server.receive(Buffer.from('EHLO x\r\n'))
  answerAll(server)
  server.receive(Buffer.from('MAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\n'))
  answerAll(server)
  const chunk = Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(800))
  const before = process.memoryUsage().arrayBuffers
  let received = 0
  for (let i = 0; i < 1_600; i++) {
    server.receive(chunk)
    received += answerAll(server)
  }
  expect(received).toBe(chunk.length * 1_600)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
})

function answerAll(server: SmtpServer): number {
  let received = 0
  for (let event = server.next(); typeof event !== 'string'; event = server.next()) {
    if (event.kind === 'content') received += event.bytes.length
    else server.answer(event.kind === 'data' ? reply(354, null, 'Go') : reply(250, null, 'Ok'))
  }
  return received
}
