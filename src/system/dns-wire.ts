/**
 * Questions to recursive servers for who validates the answers: the whole message comes back, with the signatures in it (RFC 4035 §4.1, RFC 6840 §5.9).
 *
 * DO is set, so that signatures are sent, and CD, so that a server which validates passes on what it thinks is bogus; `checking: 'enabled'` leaves CD out.
 * Servers, retransmission and TCP are those of every question (dns-servers.ts). Equal questions in flight are asked once; messages are kept for the smallest
 * TTL in them, and come out of the cache with what is left of each. Success means that a server answered this question with NOERROR or NXDOMAIN.
 * Nothing in the message is verified, and AD is nobody's word.
 */
import type { Message, ResourceRecord } from '../protocol/dns/message.ts'
import { type Name, nameKey } from '../protocol/dns/name.ts'
import { typeNumbers } from '../protocol/dns/numbers.ts'
import { readData } from '../protocol/dns/records.ts'
import { readRrsig } from '../protocol/dnssec/records.ts'
import type { WireAnswer, WireQuestion } from '../protocol/dnssec/types.ts'
import {
  failureTtlSeconds,
  maxNegativeTtlSeconds,
  maxQuestionsInFlight,
  maxTtlSeconds,
  minTtlSeconds,
} from './dns-client.ts'
import type { Transport } from './dns-exchange.ts'
import { closed, createDnsServers, type DnsServersOptions } from './dns-servers.ts'
import { createExpiringCache } from './expiring-cache.ts'
import { createTurns } from './turns.ts'

export interface DnsWireOptions extends DnsServersOptions {
  /** A question is given up after this time, in ms, whatever servers are left. */
  readonly timeoutMs: number
}

export interface WireHow {
  /** `disabled`: CD is set. */
  readonly checking: 'disabled' | 'enabled'
  /** Servers whose answer is not wanted, as `servers` has them. */
  readonly avoid: readonly string[]
  /** `tcp`: not over UDP, and neither from the cache nor into it. Default: `udp`, and TCP for what was cut. */
  readonly over?: 'udp' | 'tcp'
}

/** What came back, and how. */
export type WireReply = WireAnswer & {
  /** Kept from before: nobody was asked. */
  readonly cached: boolean
  /** Null when nothing came. */
  readonly over: Transport | null
  /** Of the message; 0 when nothing came. */
  readonly bytes: number
  readonly ms: number
}

export interface DnsWire {
  /** Never rejects for anything a server does; a failure is an answer. */
  ask(question: WireQuestion, how: WireHow): Promise<WireReply>
  /** `192.0.2.53:53`, in the order in which they are asked. */
  servers(): readonly string[]
  /** From now on these are asked after the others: they answer, and pass nothing on that can be validated. */
  askLast(servers: readonly string[]): void
  /** What is kept for these questions turned out to be of no use: it is kept no longer than a failure would be (RFC 4035 §4.7). */
  doubt(questions: readonly WireQuestion[], checking: WireHow['checking']): void
  close(): Promise<void>
}

/** Roughly what the cache of messages may hold, in bytes. A signed answer counts for 2 to 4 KB. */
export const maxWireCacheBytes = 8 * 1024 * 1024

/** @throws RangeError for a server that is not an address: the configuration is checked before it gets here */
export function createDnsWire(options: DnsWireOptions, maxCacheBytes: number = maxWireCacheBytes): DnsWire {
  const { timeoutMs, now = () => performance.now() } = options
  const servers = createDnsServers(options)
  const cache = createExpiringCache<Kept>(now, maxCacheBytes)
  const inFlight = new Map<string, Promise<WireReply>>()
  const turns = createTurns(maxQuestionsInFlight)
  let isClosed = false

  function fromCache(id: string, avoid: readonly string[]): WireReply | null {
    const found = cache.get(id)
    if (found === null) return null
    const { reply, keptAtMs } = found.value
    if (reply.server !== null && avoid.includes(reply.server)) return null
    // That nobody answered may be due to those that are to be avoided now.
    if (reply.kind === 'failed' && avoid.length > 0) return null
    if (reply.kind === 'failed') return { ...reply, cached: true, ms: 0 }
    const message = aged(reply.message, Math.floor((now() - keptAtMs) / 1000))
    return { ...reply, message, cached: true, ms: 0 }
  }

  async function askServers(question: WireQuestion, how: WireHow, deadlineMs: number): Promise<WireReply> {
    const { checking, avoid, over = 'udp' } = how
    const startMs = now()
    const heard = isClosed
      ? closed
      : await servers.ask({ ...question, dnssec: 'wanted', checking, avoid, over }, deadlineMs, message => ({
          kind: 'taken',
          value: message,
        }))
    const ms = Math.round(now() - startMs)
    if (heard.kind === 'failed') return { ...heard, cached: false, over: null, bytes: 0, ms }
    const { value, server, bytes } = heard
    return { kind: 'message', message: asSigned(value), server, cached: false, over: heard.over, bytes, ms }
  }

  async function inTurn(question: WireQuestion, how: WireHow, id: string): Promise<WireReply> {
    // The wait for a turn counts: when no server answers, a long queue is over soon after its first questions.
    const deadlineMs = now() + timeoutMs
    const done = await turns.take()
    try {
      const reply = await askServers(question, how, deadlineMs)
      // A failure while servers were avoided is none of the question's.
      const isKept = how.over !== 'tcp' && !isClosed && (reply.kind === 'message' || how.avoid.length === 0)
      if (isKept)
        cache.put(id, { reply, keptAtMs: now() }, { ms: keepSeconds(reply) * 1000, bytes: sizeOf(reply) })
      return reply
    } finally {
      done()
    }
  }

  return {
    async ask(question, how) {
      const id = idOf(question, how.checking)
      const kept = how.over === 'tcp' ? null : fromCache(id, how.avoid)
      if (kept !== null) return kept
      const flight = `${how.over ?? 'udp'} ${how.avoid.toSorted().join(' ')} ${id}`
      const running = inFlight.get(flight)
      if (running !== undefined) return running
      const asking = inTurn(question, how, id).finally(() => inFlight.delete(flight))
      inFlight.set(flight, asking)
      return asking
    },
    servers: () => servers.names(),
    askLast: last => servers.askLast(last),
    doubt(questions, checking) {
      for (const question of questions) cache.shorten(idOf(question, checking), failureTtlSeconds * 1000)
    },
    async close() {
      isClosed = true
      servers.close()
      await Promise.all(inFlight.values())
    },
  }
}

interface Kept {
  readonly reply: WireReply
  readonly keptAtMs: number
}

function idOf({ name, type }: WireQuestion, checking: WireHow['checking']): string {
  return `${checking} ${type} ${nameKey(name)}`
}

/**
 * No TTL is larger than the one that was signed (RFC 4034 §3.1.4, RFC 4035 §5.3.3): who replays records may give them any other, and would have them kept for as long.
 * What signatures say is not verified, and can only shorten.
 */
function asSigned(message: Message): Message {
  const signed = new Map<string, number>()
  const sections = [message.answers, message.authorities] as const
  // Names that a message shares are one array: each is written out once.
  const written = new Map<Name, string>()
  const keyOf = (name: Name, type: number) => {
    const key = written.get(name) ?? nameKey(name)
    written.set(name, key)
    return `${type} ${key}`
  }
  for (const record of sections.flat()) {
    const rrsig = record.type === typeNumbers.RRSIG ? readRrsig(record) : 'malformed'
    if (rrsig === 'malformed') continue
    const key = keyOf(record.name, rrsig.typeCovered)
    signed.set(key, Math.min(rrsig.originalTtlSeconds, signed.get(key) ?? Number.POSITIVE_INFINITY))
  }
  const least = [...signed.values()].reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY)
  if (sections.flat().every(({ ttlSeconds }) => ttlSeconds <= least)) return message
  const limited = (records: readonly ResourceRecord[]) =>
    records.map(record => {
      const most = signed.get(keyOf(record.name, record.type)) ?? Number.POSITIVE_INFINITY
      return record.ttlSeconds > most ? { ...record, ttlSeconds: most } : record
    })
  return { ...message, answers: limited(message.answers), authorities: limited(message.authorities) }
}

/** The message as its sender would send it now. */
function aged(message: Message, seconds: number): Message {
  if (seconds === 0) return message
  const older = (records: readonly ResourceRecord[]) =>
    records.map(record => ({ ...record, ttlSeconds: Math.max(0, record.ttlSeconds - seconds) }))
  return { ...message, answers: older(message.answers), authorities: older(message.authorities) }
}

/** RFC 2181 §5.2, RFC 2308 §5. The proofs of a "no" live as long as it does. */
function keepSeconds(reply: WireReply): number {
  if (reply.kind === 'failed') return failureTtlSeconds
  const { answers, authorities } = reply.message
  const negative = authorities.flatMap(record => {
    const data = record.type === typeNumbers.SOA ? readData(record) : null
    return data !== null && data !== 'malformed' && data.type === 'SOA' ? [data.minimum] : []
  })
  const all = [...answers, ...authorities].map(({ ttlSeconds }) => ttlSeconds)
  // A message without any record says "no" without saying for how long: such an answer should not be kept (RFC 2308 §5).
  const seconds = [...all, ...negative].reduce(
    (least, ttl) => Math.min(least, ttl),
    all.length === 0 ? 0 : maxTtlSeconds,
  )
  const mostSeconds = answers.length > 0 && negative.length === 0 ? maxTtlSeconds : maxNegativeTtlSeconds
  return Math.min(Math.max(seconds, minTtlSeconds), mostSeconds)
}

/** In memory each label is an object, whatever its length; names that a message shares are one. */
function sizeOf(reply: WireReply): number {
  if (reply.kind === 'failed') return 500
  const { answers, authorities, additionals } = reply.message
  const records = [...answers, ...authorities, ...additionals]
  const names = new Set(records.map(({ name }) => name))
  const labels = [...names].reduce((sum, name) => sum + name.length, 0)
  return 1000 + reply.bytes + records.length * 500 + labels * 120
}
