/**
 * Questions to one name server over TLS (RFC 7858), on connections that are kept for the questions to come (RFC 7858 §3.4, RFC 7766 §6.2).
 *
 * A connection is opened with the first question, takes as many as the server answers at a time, and is closed when there have been none for a while. A server may close
 * when it likes (RFC 7766 §6.2.3): what it left unanswered is asked again on another connection, provided that it answered something on that one. One on which
 * nothing comes while a question waits is given up. Success is an answer of the server that proved its name; there is no way from here to clear text.
 */
import type { Message } from '../protocol/dns/message.ts'
import {
  type DnsConnection,
  type NameServerTrust,
  openDnsConnection,
  type SentQuestion,
  type TlsNameServer,
} from './dns-connection.ts'
import type { Exchange, Exchanged } from './dns-exchange.ts'

export interface DnsOverTlsOptions {
  readonly server: TlsNameServer
  readonly trust: NameServerTrust
  /** A whole number, evenly spread over 0 to `below` - 1, that nobody can guess. */
  readonly random: (below: number) => number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** How long a connection without questions is kept, in ms. Default: `idleMs`. */
  readonly idleMs?: number
}

export interface DnsOverTls {
  /** Asks once, and waits `waitMs` in all, for a connection too. `done` never rejects. */
  ask(query: Message, waitMs: number): Exchange
  /** Ends every question as `closed`, and all connections. */
  close(): void
}

/** How long a connection without questions is kept, in ms: mail comes in bursts, and servers keep one for 10 to 30 s. */
export const idleMs = 20_000

/** Open at the same time, at most. One does as long as the server answers what it was sent. */
export const maxConnections = 4

/** In flight on one connection, at most; further questions wait for their turn. */
export const maxInFlight = 100

/** A server that did not prove its name is not connected to again for this long, in ms. */
export const unprovenMs = 5_000

export function createDnsOverTls(options: DnsOverTlsOptions): DnsOverTls {
  const { server, trust, random, now } = options
  const questions = new Set<Waiting>()
  /** Those of them that are on no connection, first come first. */
  const queue: Waiting[] = []
  const open = new Map<DnsConnection, IdleTimer>()
  const opening = new Set<AbortController>()
  let unproven: { readonly result: Exchanged; readonly untilMs: number } | null = null
  /** Learned: less than `maxInFlight` for a server that closes before it has answered everything. */
  let limit = maxInFlight
  let isClosed = false

  function settle(question: Waiting, result: Exchanged): void {
    if (!questions.delete(question)) return
    clearTimeout(question.timer)
    const place = queue.indexOf(question)
    if (place >= 0) queue.splice(place, 1)
    question.resolve(result)
  }

  /** The connection has one question less. */
  function eased(connection: DnsConnection): void {
    const idle = open.get(connection)
    if (idle === undefined || connection.inFlight > 0) return
    if (connection.isUsable) idle.start(() => drop(connection))
    else drop(connection)
  }

  function drop(connection: DnsConnection): void {
    open.get(connection)?.stop()
    open.delete(connection)
    connection.close()
  }

  /** What was on it goes to the head of the queue. */
  function requeue(connection: DnsConnection): void {
    const left = [...questions].filter(question => question.on?.connection === connection)
    for (const question of left) question.on = null
    queue.unshift(...left)
  }

  function ended(connection: DnsConnection, how: 'closed' | { readonly broken: string }): void {
    open.get(connection)?.stop()
    open.delete(connection)
    const left = [...questions].filter(question => question.on?.connection === connection)
    if (how !== 'closed') for (const question of left) settle(question, { kind: 'malformed', why: how.broken })
    else if (connection.answers === 0) for (const question of left) settle(question, closedUnanswered)
    else {
      // It answers so many and no more: to send all of them again and again would cost their square.
      if (left.length > 0) limit = Math.max(1, Math.min(limit, connection.answers))
      requeue(connection)
    }
    dispatch()
  }

  function put(question: Waiting, connection: DnsConnection): void {
    open.get(connection)?.stop()
    const sent = connection.send(question.query, outcome => {
      // It answers more than that, and stays.
      if (connection.answers > limit) limit = Math.min(maxInFlight, limit * 2)
      settle(question, outcome)
      eased(connection)
      dispatch()
    })
    question.on = { connection, sent, sinceMs: now() }
  }

  function dispatch(): void {
    if (isClosed) return
    for (const connection of open.keys())
      while (connection.isUsable && connection.inFlight < limit) {
        const question = queue.shift()
        if (question === undefined) return
        put(question, connection)
      }
    while (queue.length > opening.size * limit && open.size + opening.size < maxConnections) void openOne()
  }

  async function openOne(): Promise<void> {
    const stop = new AbortController()
    opening.add(stop)
    const opened = await openDnsConnection({ server, trust, random, now, onEnd: ended }, stop.signal)
    opening.delete(stop)
    if (opened.kind === 'open') {
      const { connection } = opened
      if (isClosed) connection.close()
      else {
        open.set(connection, createIdleTimer(options.idleMs ?? idleMs))
        dispatch()
        // It may be that nobody waits any more.
        eased(connection)
      }
      return
    }
    if (opened.kind === 'unproven') unproven = { result: opened, untilMs: now() + unprovenMs }
    // Others may still come to be, or have room again.
    if (open.size + opening.size === 0) for (const question of queue.splice(0)) settle(question, opened)
  }

  /** The time of the question is over. */
  function timedOut(question: Waiting, waitMs: number): void {
    const { on } = question
    settle(question, { kind: 'timeout' })
    if (on === null) return
    const { connection, sent, sinceMs } = on
    const isSilent = sent.forget() === 'silence' && now() - sinceMs >= waitMs / 2
    if (!isSilent) {
      eased(connection)
      return
    }
    // A way that was lost without a word looks like this, as at a firewall that forgot about the connection.
    requeue(connection)
    drop(connection)
    dispatch()
  }

  return {
    ask(query, waitMs) {
      const { promise, resolve } = Promise.withResolvers<Exchanged>()
      const timer = setTimeout(() => timedOut(question, waitMs), waitMs)
      const question: Waiting = { query, resolve, timer, on: null }
      questions.add(question)
      if (isClosed) settle(question, { kind: 'closed' })
      else if (unproven !== null && now() < unproven.untilMs) settle(question, unproven.result)
      else {
        queue.push(question)
        dispatch()
      }
      return {
        done: promise,
        abort() {
          const { on } = question
          settle(question, { kind: 'closed' })
          if (on === null) return
          on.sent.forget()
          eased(on.connection)
        },
      }
    },
    close() {
      isClosed = true
      for (const question of [...questions]) settle(question, { kind: 'closed' })
      for (const stop of opening) stop.abort()
      for (const connection of [...open.keys()]) drop(connection)
    },
  }
}

interface Waiting {
  readonly query: Message
  readonly resolve: (result: Exchanged) => void
  readonly timer: NodeJS.Timeout
  /** Null: it waits for a connection. */
  on: {
    readonly connection: DnsConnection
    readonly sent: SentQuestion
    readonly sinceMs: number
  } | null
}

interface IdleTimer {
  start(over: () => void): void
  stop(): void
}

function createIdleTimer(ms: number): IdleTimer {
  let timer: NodeJS.Timeout | undefined
  return {
    start(over) {
      clearTimeout(timer)
      timer = setTimeout(over, ms)
      timer.unref()
    },
    stop() {
      clearTimeout(timer)
    },
  }
}

const closedUnanswered: Exchanged = { kind: 'unreachable', why: 'connection closed' }
