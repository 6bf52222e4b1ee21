/**
 * One TLS connection to a name server, and the questions in flight on it (RFC 7858, RFC 7766 §6.2.1.1).
 *
 * It opens only to a server that proved its name (RFC 8310 §8.1): not one byte of a question goes to any other, and clear text is never tried. Questions
 * go out padded, each at once, whatever answers are outstanding; answers come in any order and are matched by id and question (RFC 7766 §7). Success is
 * the connection; what becomes of questions when it is lost is for its owner. Nothing here retries or chooses.
 */
import type { SecureContext, TLSSocket } from 'node:tls'
import { decodeHead, encodeMessage, type Message } from '../protocol/dns/message.ts'
import { padded } from '../protocol/dns/padding.ts'
import { createMessageReader, withLength } from '../protocol/dns/stream.ts'
import { type Exchanged, readAnswer } from './dns-exchange.ts'
import { connectTcp, secureClient, type TlsSessionFacts, tlsSessionFacts } from './outgoing.ts'

/** A name server that is asked over TLS. */
export interface TlsNameServer {
  readonly address: string
  readonly port: number
  readonly authenticationName: string
}

/** Who is believed to be a name server. */
export interface NameServerTrust {
  /** For the handshake, with the roots of the judge: its second opinion comes from there. */
  context(): SecureContext
  /** Why the peer is not proved to be `name`, in a few words that may be shown; null: it is. */
  unproven(name: string, facts: TlsSessionFacts): string | null
}

/** What a question in flight came to. */
export type Outcome = Extract<Exchanged, { kind: 'response' | 'malformed' }>

export interface DnsConnection {
  /** How many questions wait for their answer on it. */
  readonly inFlight: number
  /** How many answers came on it. */
  readonly answers: number
  /** Whether further questions may go on it. */
  readonly isUsable: boolean
  /** @param settled called once with the answer, unless `forget` comes before, or the end of the connection. */
  send(query: Message, settled: (outcome: Outcome) => void): SentQuestion
  close(): void
}

export interface SentQuestion {
  /** The answer is not waited for any more. Whether anything came on the connection since the question went out. */
  forget(): 'heard' | 'silence'
}

export type Opened =
  | { readonly kind: 'open'; readonly connection: DnsConnection }
  | Extract<Exchanged, { kind: 'unreachable' | 'unproven' | 'closed' }>

export interface ConnectionOptions {
  readonly server: TlsNameServer
  readonly trust: NameServerTrust
  /** A whole number, evenly spread over 0 to `below` - 1, that nobody can guess. */
  readonly random: (below: number) => number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** The end of an open connection, once, unless `close` was called: `closed` by the other side, or `broken` because what came is no DNS. Its questions are not settled any more. */
  readonly onEnd: (connection: DnsConnection, how: 'closed' | { readonly broken: string }) => void
}

/** How long opening may take, in ms: some three journeys there and back, and what is lost on the way once again. */
export const openingMs = 5_000

/** A connection is not used longer than this, in ms, as what its certificate proved may have changed. */
export const connectionLifeMs = 3_600_000

/** Never rejects. */
export async function openDnsConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Opened> {
  const { server, trust, now } = options
  const startMs = now()
  const connected = await connectTcp(server, { timeoutMs: openingMs, signal })
  if (connected.kind === 'failed') return failed(connected.code)
  const patience = { timeoutMs: Math.max(1, openingMs - (now() - startMs)), signal }
  const how = { context: trust.context(), sni: server.authenticationName }
  const secured = await secureClient(connected.socket, how, patience)
  if (secured.kind === 'failed') return failed(secured.code, 'no TLS: ')
  const why = trust.unproven(server.authenticationName, tlsSessionFacts(secured.socket))
  if (why === null) return { kind: 'open', connection: converse(secured.socket, options) }
  secured.socket.destroy()
  return {
    kind: 'unproven',
    why: `the certificate of ${server.address} does not prove ${server.authenticationName}: ${why}`,
  }
}

function failed(code: string, what = ''): Opened {
  return code === 'STOPPED' ? { kind: 'closed' } : { kind: 'unreachable', why: `${what}${code}` }
}

interface Waiting {
  /** With the id that it has on this connection. */
  readonly query: Message
  readonly settled: (outcome: Outcome) => void
}

function converse(socket: TLSSocket, { random, now, onEnd }: ConnectionOptions): DnsConnection {
  const reader = createMessageReader()
  const waiting = new Map<number, Waiting>()
  /** Ids whose answers nobody waits for any more, and which may come. */
  const forgotten = new Set<number>()
  const openedAtMs = now()
  let answers = 0
  let received = 0
  let isOver = false

  function over(how: 'closed' | { readonly broken: string }): void {
    if (isOver) return
    isOver = true
    socket.destroy()
    onEnd(connection, how)
  }

  function receive(bytes: Uint8Array): void {
    const head = decodeHead(bytes)
    if (head.kind === 'malformed') {
      over({ broken: `${head.because} at byte ${head.at}` })
      return
    }
    const { id } = head.value
    const question = waiting.get(id)
    if (question === undefined) {
      // As many as were given up may come late. Whoever sends more does not answer us.
      if (!forgotten.delete(id)) over({ broken: 'an answer to something else' })
      return
    }
    waiting.delete(id)
    answers++
    const result = readAnswer(bytes, question.query, 'tls')
    if (result === 'not-ours') question.settled({ kind: 'malformed', why: 'an answer to something else' })
    else if (result === 'truncated') question.settled({ kind: 'malformed', why: 'truncated over TLS' })
    else if (result.kind === 'response' || result.kind === 'malformed') question.settled(result)
  }

  function freeId(): number {
    let id = random(65_536)
    while (waiting.has(id) || forgotten.has(id)) id = (id + 1) % 65_536
    return id
  }

  socket.on('data', chunk => {
    for (const message of reader.receive(chunk)) {
      if (isOver) return
      received++
      receive(message)
    }
  })
  socket.on('error', () => over('closed'))
  socket.on('end', () => over('closed'))
  socket.on('close', () => over('closed'))

  const connection: DnsConnection = {
    get inFlight() {
      return waiting.size
    },
    get answers() {
      return answers
    },
    get isUsable() {
      return !isOver && now() - openedAtMs < connectionLifeMs && forgotten.size < mostForgotten
    },
    send(query, settled) {
      const sent = { query: padded({ ...query, id: freeId() }), settled }
      const receivedBefore = received
      waiting.set(sent.query.id, sent)
      socket.write(withLength(encodeMessage(sent.query)))
      return {
        forget() {
          if (waiting.get(sent.query.id) === sent) {
            waiting.delete(sent.query.id)
            forgotten.add(sent.query.id)
          }
          return received > receivedBefore ? 'heard' : 'silence'
        },
      }
    },
    close() {
      isOver = true
      socket.destroy()
    },
  }
  return connection
}

const mostForgotten = 1_000
