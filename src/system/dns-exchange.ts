/**
 * One question to one name server over UDP, and over TCP when the answer was cut: sockets and nothing else.
 *
 * Every question leaves from a socket of its own, so its source port is the kernel's random choice, beside the random id that
 * the caller made (RFC 5452 §9.2). The socket is connected: the kernel drops whatever does not come from the server's address
 * and port, and tells at once when nobody listens there. A datagram that is not a response with our id and our question is
 * passed over, and waiting goes on (RFC 5452 §9.1). One that has the question in another case than it was sent in (question-case.ts) is believed only over TCP, or from
 * a server that has no TCP. Nothing here retries, chooses, or judges what a response says.
 */
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import {
  decodeHead,
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageHead,
} from '../protocol/dns/message.ts'
import { equalNames } from '../protocol/dns/name.ts'
import { rcodes, typeNumbers } from '../protocol/dns/numbers.ts'
import { hasCaseOf, inCaseOf, withMixedCase } from '../protocol/dns/question-case.ts'
import { createMessageReader, withLength } from '../protocol/dns/stream.ts'
import type { NameServer } from './name-server.ts'

export type Transport = 'udp' | 'tcp' | 'tls'

export type Exchanged =
  | {
      readonly kind: 'response'
      readonly message: Message
      readonly over: Transport
      readonly bytes: number
    }
  | { readonly kind: 'timeout' }
  /** Nobody listens, no route, connection lost; `why` is the system's code. */
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string }
  /** Over TLS: whoever is there did not prove the name. It was asked nothing. */
  | { readonly kind: 'unproven'; readonly why: string }
  | { readonly kind: 'closed' }

export interface Exchange {
  readonly done: Promise<Exchanged>
  /** Ends it as `closed`. */
  abort(): void
}

/** How the case of questions over UDP is thrown. */
export interface CaseMixing {
  /** A whole number, evenly spread over 0 to `below` - 1, that nobody can guess. */
  readonly random: (below: number) => number
  /** It turned out that this server does not send names back in the case that they came in. */
  readonly notEchoed: () => void
}

/**
 * Asks once. Waits `waitMs` for UDP and, if the answer was cut or came in another case, as long again for TCP, and for UDP once more. `done` never rejects.
 *
 * @param over `tcp`: without asking over UDP before
 * @param mixing null: the case of the query stays as it is
 */
export function exchange(
  server: Place,
  query: Message,
  waitMs: number,
  over: 'udp' | 'tcp',
  mixing: CaseMixing | null,
): Exchange {
  const plain = encodeMessage(query)
  const mixed = mixing === null ? plain : withMixedCase(plain, mixing.random)
  let isAborted = false
  let current: Attempt | null = null
  const run = async (start: () => Attempt): Promise<Came> => {
    if (isAborted) return { kind: 'closed' }
    current = start()
    return current.done
  }
  const udp = (sent: Uint8Array) => run(() => overUdp(server, query, { sent, plain }, waitMs))
  const tcp = (sent: Uint8Array) =>
    run(() => overTcp(server, query, { sent, plain, otherCase: () => mixing?.notEchoed() }, waitMs))

  const step = async (): Promise<Exchanged> => {
    const first = over === 'udp' ? await udp(mixed) : 'truncated'
    if (first === 'truncated') return whole(await tcp(plain))
    if (mixing !== null && isBareNo(first)) {
      const again = await udp(plain)
      return typeof again === 'string' || isNoWay(again) ? whole(first) : again
    }
    if (first !== 'other-case') return first
    // Somebody else may have sent it. Over TCP nobody else can, and it shows whether that is how this server answers.
    const second = await tcp(mixed)
    if (!isNoWay(second)) return whole(second)
    // A server without TCP: as good as it would be if no case were thrown.
    mixing?.notEchoed()
    const third = await udp(plain)
    return whole(third === 'truncated' ? second : third)
  }
  return {
    done: step(),
    abort() {
      isAborted = true
      current?.abort()
    },
  }
}

/** `other-case`: an answer to our question, whose name is in another case than it was sent in. Over UDP only. */
type Came = Exchanged | 'truncated' | 'other-case'

/**
 * That there is no such name, without a signature: a few servers of zones know their names in one case only, and what is denied on the word of such a one would be
 * returned to its sender. It is asked once more in our own case.
 */
function isBareNo(came: Came): boolean {
  if (typeof came === 'string' || came.kind !== 'response') return false
  const { rcode, answers, authorities } = came.message
  return rcode === rcodes.NXDOMAIN && [...answers, ...authorities].every(({ type }) => type !== typeNumbers.RRSIG)
}

const whole = (came: Came): Exchanged => (typeof came === 'string' ? cutOverTcp : came)

const isNoWay = (came: Came) =>
  typeof came !== 'string' && (came.kind === 'timeout' || came.kind === 'unreachable')

type Place = Pick<NameServer, 'address' | 'port'>

interface Attempt {
  readonly done: Promise<Came>
  abort(): void
}

/** The query's bytes, in the case in which they go out and in that of the query. */
interface Bytes {
  readonly sent: Uint8Array
  readonly plain: Uint8Array
}

function overUdp(server: Place, query: Message, { sent, plain }: Bytes, waitMs: number): Attempt {
  return attempt(waitMs, finish => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    const failed = (error: Error) => finish({ kind: 'unreachable', why: codeOf(error) })
    const send = () =>
      socket.send(sent, error => {
        if (error !== null) failed(error)
      })
    socket.on('message', datagram => {
      const isEchoed = hasCaseOf(sent, datagram)
      const result = readAnswer(isEchoed ? inCaseOf(plain, datagram) : datagram, query, 'udp')
      if (result === 'not-ours') return
      // A case that was not thrown proves nothing, and what was cut is asked for over TCP anyway.
      finish(isEchoed || sent === plain || result === 'truncated' ? result : 'other-case')
    })
    socket.on('error', failed)
    // A listener, not the callback of `connect`: that one is called for a failure too (no route to the server), and `error` is not emitted then.
    socket.once('connect', send)
    socket.connect(server.port, server.address)
    return () => {
      // `connect` may be on its way, and a closed socket throws at who sends.
      socket.off('connect', send)
      socket.close()
    }
  })
}

/** RFC 7766 §8: two bytes of length, then the message. */
function overTcp(
  server: Place,
  query: Message,
  { sent, plain, otherCase }: Bytes & { readonly otherCase: () => void },
  waitMs: number,
): Attempt {
  return attempt(waitMs, finish => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true })
    const reader = createMessageReader()
    socket.on('connect', () => {
      socket.write(withLength(sent))
    })
    socket.on('data', chunk => {
      const [message] = reader.receive(chunk)
      if (message === undefined) return
      const isEchoed = hasCaseOf(sent, message)
      const result = readAnswer(isEchoed ? inCaseOf(plain, message) : message, query, 'tcp')
      if (result !== 'not-ours' && !isEchoed) otherCase()
      // Over TCP nobody else can have sent it, so there is nothing to wait for.
      finish(result === 'not-ours' ? { kind: 'malformed', why: 'an answer to something else' } : result)
    })
    socket.on('error', error => finish({ kind: 'unreachable', why: codeOf(error) }))
    socket.on('close', () => finish({ kind: 'unreachable', why: 'connection closed' }))
    return () => socket.destroy()
  })
}

/** The life of one socket: the first `finish` counts, and after it neither socket nor timer is left. */
function attempt(waitMs: number, open: (finish: (result: Came) => void) => () => void): Attempt {
  const { promise, resolve } = Promise.withResolvers<Came>()
  let isOver = false
  const finish = (result: Came) => {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    close?.()
    resolve(result)
  }
  const timer = setTimeout(() => finish({ kind: 'timeout' }), waitMs)
  let close: (() => void) | null = null
  try {
    close = open(finish)
  } catch (error) {
    // A socket that cannot even be made: an answer like any other, and no timer must be left that believes there is one.
    finish({ kind: 'unreachable', why: error instanceof Error ? codeOf(error) : String(error) })
  }
  return { done: promise, abort: () => finish({ kind: 'closed' }) }
}

/** What came for a question. `not-ours`: it is no response, or one to another. The message holds views of `bytes`. */
export function readAnswer(
  bytes: Uint8Array,
  query: Message,
  over: Transport,
): Exchanged | 'truncated' | 'not-ours' {
  const head = decodeHead(bytes)
  if (head.kind === 'malformed' || !isResponseTo(head.value, query)) return 'not-ours'
  // What follows may be cut in the middle, so it is not even decoded (RFC 2181 §9).
  if (head.value.truncated) return 'truncated'
  const whole = decodeMessage(bytes)
  if (whole.kind === 'malformed') return { kind: 'malformed', why: `${whole.because} at byte ${whole.at}` }
  return { kind: 'response', message: whole.value, over, bytes: bytes.length }
}

function isResponseTo(head: MessageHead, query: Message): boolean {
  if (!head.isResponse || head.id !== query.id || head.opcode !== query.opcode) return false
  const [asked] = query.questions
  const [echoed] = head.questions
  // A server that cannot read the question may send it back empty; that refuses, and says nothing of any name.
  if (echoed === undefined) return refusals.has(head.rcode)
  return (
    head.questions.length === 1 &&
    asked !== undefined &&
    echoed.type === asked.type &&
    echoed.class === asked.class &&
    equalNames(echoed.name, asked.name)
  )
}

const cutOverTcp: Exchanged = { kind: 'malformed', why: 'truncated over TCP' }
const refusals: ReadonlySet<number> = new Set([rcodes.FORMERR, rcodes.SERVFAIL, rcodes.NOTIMP, rcodes.REFUSED])

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
