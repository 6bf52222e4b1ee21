/**
 * The DNS client: questions go to recursive servers, and come back as `DnsAnswer`.
 *
 * UDP with EDNS, TCP for what was cut; servers in order with failover and retransmission; equal questions in flight asked
 * once; answers kept for their TTL. Success means that a server answered the question we asked with records, or said that
 * there are none. Everything else is `failed` with a reason, never "no records": a message must wait, not bounce, when the DNS is down.
 *
 * It does not validate (answers are `unvalidated`), does not recurse from the root, and completes no names by search suffixes.
 */
import { randomInt } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'
import { type Edns, type Message, makeQuery } from '../protocol/dns/message.ts'
import { type Name, nameKey, parseName } from '../protocol/dns/name.ts'
import { rcodeName, rcodes, typeNumbers } from '../protocol/dns/numbers.ts'
import { maxAliases, readResponse } from '../protocol/dns/reading.ts'
import type { DnsReason } from '../protocol/dns/reasons.ts'
import { parseIp } from '../protocol/ip.ts'
import { createDnsCache } from './dns-cache.ts'
import { type Exchange, exchange, type NameServer } from './dns-exchange.ts'
import { type HostEntry, parseHostsFile } from './hosts-file.ts'
import { parseResolvConf } from './resolv-conf.ts'
import type { Resolver } from './resolver.ts'
import { createWatchedFile } from './watched-file.ts'

export interface DnsClientOptions {
  /** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`, in order of preference. Empty: those of resolv.conf. */
  readonly servers: readonly string[]
  /** Where to look up A and AAAA before asking anybody; null: nowhere. */
  readonly hostsFile: string | null
  /** A question is given up after this time, in ms, whatever servers are left. */
  readonly timeoutMs: number
  /** How long one server is waited for at most, in ms; less when `timeoutMs` must do for several. Default: resolv.conf's `timeout`, or `defaultWaitMs`. */
  readonly waitMs?: number
  /** How often all silent servers are asked. Default: resolv.conf's `attempts`, or `defaultAttempts`. */
  readonly attempts?: number
  readonly resolvConf?: string
  /** A whole number, evenly spread over 0 to `below` - 1, that nobody can guess. */
  readonly random?: (below: number) => number
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

/** What fits through almost every path without fragments. */
export const udpPayloadBytes = 1232

export const defaultWaitMs = 2500
export const defaultAttempts = 3

/** Answers are kept for their TTL, within these bounds, in seconds. A TTL of 0 would make every message ask again. */
export const minTtlSeconds = 5
export const maxTtlSeconds = 24 * 3600

/** "There is none" is kept no longer than this (RFC 2308 §5 advises one to three hours). */
export const maxNegativeTtlSeconds = 3600

/** RFC 9520 §3.2 asks for at least one second, so that a broken zone is not asked for with every message. */
export const failureTtlSeconds = 5

/** A server that did not answer is asked after the others for this long (RFC 2308 §7.2 allows five minutes). */
export const deadServerMs = 30_000

/** A server that does not understand EDNS is asked without it for this long (RFC 6891 §6.2.2). */
export const withoutEdnsMs = 15 * 60_000

/** Questions on their way at the same time; further ones wait for their turn. Each has one socket. */
export const maxQuestionsInFlight = 200

/** An `address` or `address:port`; null when it is none. IPv6 with a port is written in brackets. */
export function parseNameServer(text: string): NameServer | null {
  // A link-local server may carry its interface: `fe80::1%eth0`.
  if (parseIp(text) !== null || isIPv6(text)) return { address: text, port: 53 }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([0-9.]+))(?::([0-9]{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? plain ?? ''
  const isAddress = bracketed === undefined ? parseIp(address)?.length === 4 : isIPv6(address)
  const port = digits === undefined ? 53 : Number(digits)
  return isAddress && port >= 1 && port <= 65_535 ? { address, port } : null
}

/** @throws RangeError for a server that is not an address: the configuration is checked before it gets here */
export function createDnsClient(options: DnsClientOptions): Resolver {
  const { timeoutMs, now = () => performance.now(), random = (below: number) => randomInt(below) } = options
  const configured = options.servers.map(text => {
    const server = parseNameServer(text)
    if (server === null) throw new RangeError(`not the address of a name server: ${text}`)
    return server
  })
  const resolvConf = createWatchedFile(options.resolvConf ?? '/etc/resolv.conf', parseResolvConf, now)
  const hostsFile =
    options.hostsFile === null ? () => noHosts : createWatchedFile(options.hostsFile, parseHostsFile, now)

  const cache = createDnsCache(now)
  const inFlight = new Map<string, Promise<DnsAnswer>>()
  const exchanges = new Set<Exchange>()
  const habits = new Map<string, { deadUntilMs: number; plainUntilMs: number }>()
  const turns = createTurns(maxQuestionsInFlight)
  let isClosed = false

  function settings(): Settings {
    const file = configured.length > 0 ? null : resolvConf()
    return {
      servers: file === null ? configured : file.servers.map(address => ({ address, port: 53 })),
      waitMs: options.waitMs ?? file?.timeoutMs ?? defaultWaitMs,
      attempts: options.attempts ?? file?.attempts ?? defaultAttempts,
    }
  }

  function habitsOf(server: NameServer) {
    const id = nameServer(server)
    const known = habits.get(id) ?? {
      deadUntilMs: Number.NEGATIVE_INFINITY,
      plainUntilMs: Number.NEGATIVE_INFINITY,
    }
    habits.set(id, known)
    return known
  }

  /** In their own order, those that lately did not answer last. They are never left out: all may be silent for another reason. */
  function inOrder(servers: readonly NameServer[]): readonly NameServer[] {
    const isDead = (server: NameServer) => habitsOf(server).deadUntilMs > now()
    return [...servers.filter(server => !isDead(server)), ...servers.filter(isDead)]
  }

  async function askOnce(server: NameServer, question: Asked, waitMs: number, edns: Edns | null) {
    const { name, type } = question
    const query = makeQuery({ id: random(65_536), name, type: typeNumbers[type], edns })
    const running = exchange(server, query, waitMs)
    exchanges.add(running)
    try {
      return await running.done
    } finally {
      exchanges.delete(running)
    }
  }

  /** One server, with EDNS and, if it does not understand that, without. */
  async function askServer(server: NameServer, question: Asked, waitMs: number) {
    const habit = habitsOf(server)
    if (habit.plainUntilMs > now()) return askOnce(server, question, waitMs, null)
    const result = await askOnce(server, question, waitMs, ourEdns)
    if (result.kind !== 'response' || !isEdnsRefused(result.message)) return result
    const plain = await askOnce(server, question, waitMs, null)
    if (plain.kind === 'response' && !isEdnsRefused(plain.message)) habit.plainUntilMs = now() + withoutEdnsMs
    return plain
  }

  /** All servers until one answers. Those that refuse are not asked again; those that are silent are, `attempts` times in all. */
  async function askServers(question: Asked, deadlineMs: number): Promise<Answered | Unanswered> {
    const { servers, waitMs, attempts } = settings()
    const refused = new Set<NameServer>()
    let failure: Unanswered = { kind: 'failed', why: 'timeout', reason: 'dns.timeout', server: null }
    const order = inOrder(servers)
    for (let round = 0; round < attempts; round++) {
      for (const [index, server] of order.entries()) {
        if (refused.has(server)) continue
        const leftMs = deadlineMs - now()
        // Shared out, so that one silent server cannot use up the time of those behind it.
        const triesLeft = order.length * (attempts - round) - index
        if (isClosed) return closed
        if (leftMs <= 0) return failure
        const result = await askServer(server, question, Math.min(waitMs, leftMs / triesLeft))
        switch (result.kind) {
          case 'closed':
            return closed
          case 'timeout':
          case 'unreachable':
            habitsOf(server).deadUntilMs = now() + deadServerMs
            if (result.kind === 'unreachable' && failure.server === null)
              failure = { ...failure, why: `unreachable (${result.why})`, reason: 'dns.lookup-failed' }
            continue
          case 'malformed':
            failure = refusal(server, `malformed answer (${result.why})`)
            break
          case 'response': {
            habitsOf(server).deadUntilMs = Number.NEGATIVE_INFINITY
            const { message } = result
            if (message.rcode !== rcodes.NOERROR && message.rcode !== rcodes.NXDOMAIN) {
              failure = refusal(server, rcodeName(message.rcode))
              break
            }
            const reading = readResponse(question.name, question.type, message, question.passed)
            if (reading.kind === 'malformed') failure = refusal(server, `malformed answer (${reading.because})`)
            else if (reading.kind === 'referral') failure = refusal(server, 'referral instead of an answer')
            else return { kind: 'answered', reading, server: nameServer(server) }
            break
          }
          default:
            result satisfies never
        }
        refused.add(server)
      }
    }
    return failure
  }

  /** The whole question: through aliases that one response does not follow to their end. */
  async function lookUp(question: DnsQuestion, start: Name, deadlineMs: number): Promise<DnsAnswer> {
    const aliases: string[] = []
    let name = start
    let ttlSeconds = Number.POSITIVE_INFINITY
    for (let followed = 0; followed <= maxAliases; followed++) {
      const passed = [nameKey(start), ...aliases]
      const result = await askServers({ name, type: question.type, passed }, deadlineMs)
      if (result.kind === 'failed') return failed(question, result, aliases)
      const { reading, server } = result
      if (reading.kind === 'alias-loop') return failed(question, { ...aliasLoop, server }, aliases)
      aliases.push(...reading.aliases)
      ttlSeconds = Math.min(ttlSeconds, reading.ttlSeconds ?? 0)
      if (reading.kind === 'continues') {
        name = reading.at
        continue
      }
      const mostSeconds = reading.kind === 'records' ? maxTtlSeconds : maxNegativeTtlSeconds
      return {
        ...base,
        question,
        outcome: reading.kind,
        records: reading.kind === 'records' ? reading.records : [],
        aliases,
        ttlSeconds: Math.min(Math.max(ttlSeconds, minTtlSeconds), mostSeconds),
        server,
      }
    }
    return failed(question, { ...aliasLoop, server: null }, aliases)
  }

  async function inTurn(question: DnsQuestion, name: Name, key: string, id: string): Promise<DnsAnswer> {
    // The wait for a turn counts: when no server answers, a long queue is over soon after its first questions.
    const deadlineMs = now() + timeoutMs
    const done = await turns.take()
    try {
      const answer = isClosed ? failed(question, closed, []) : await lookUp(question, name, deadlineMs)
      if (answer.why !== closed.why) cache.put(key, answer, (answer.ttlSeconds ?? failureTtlSeconds) * 1000)
      return answer
    } finally {
      done()
      inFlight.delete(id)
    }
  }

  return {
    async resolve(question) {
      const name = parseName(question.name)
      if (name === null)
        return failed(
          question,
          { kind: 'failed', why: 'not a name', reason: 'dns.name-invalid', server: null },
          [],
        )
      const key = nameKey(name)
      const entry = question.type === 'A' || question.type === 'AAAA' ? hostsFile().get(key) : undefined
      if (entry !== undefined) return fromHostsFile(question, entry)
      const kept = cache.get(key, question)
      if (kept !== null) return kept
      const id = `${question.type} ${key}`
      const running = inFlight.get(id) ?? inTurn(question, name, key, id)
      inFlight.set(id, running)
      const answer = await running
      return answer.question === question ? answer : { ...answer, question }
    },
    async close() {
      isClosed = true
      for (const running of exchanges) running.abort()
      await Promise.all(inFlight.values())
    },
  }
}

interface Settings {
  readonly servers: readonly NameServer[]
  readonly waitMs: number
  readonly attempts: number
}

interface Asked {
  readonly name: Name
  readonly type: DnsQuestion['type']
  /** Names that led here. */
  readonly passed: readonly string[]
}

interface Answered {
  readonly kind: 'answered'
  readonly reading: Exclude<ReturnType<typeof readResponse>, { kind: 'malformed' | 'referral' }>
  readonly server: string
}

interface Unanswered {
  readonly kind: 'failed'
  readonly why: string
  readonly reason: DnsReason
  readonly server: string | null
}

/** FORMERR or NOTIMP without an OPT of its own comes from a server that does not know EDNS; BADVERS from one that knows another (RFC 6891 §6.1.3, RFC 6891 §7). */
function isEdnsRefused(message: Message): boolean {
  if (message.rcode === rcodes.BADVERS) return true
  return message.edns === null && (message.rcode === rcodes.FORMERR || message.rcode === rcodes.NOTIMP)
}

function fromHostsFile(question: DnsQuestion, entry: HostEntry): DnsAnswer {
  const type: 'A' | 'AAAA' = question.type === 'AAAA' ? 'AAAA' : 'A'
  const records = (type === 'AAAA' ? entry.ipv6 : entry.ipv4).map(address => ({ type, address }))
  const outcome = records.length > 0 ? 'records' : 'no-data'
  return { ...base, question, outcome, records, ttlSeconds: minTtlSeconds, server: 'hosts-file' }
}

function failed(
  question: DnsQuestion,
  { why, reason, server }: Unanswered,
  aliases: readonly string[],
): DnsAnswer {
  return { ...base, question, outcome: 'failed', aliases, ttlSeconds: null, server, why, reason }
}

function refusal(server: NameServer, why: string): Unanswered {
  return { kind: 'failed', why, reason: 'dns.lookup-failed', server: nameServer(server) }
}

/** `192.0.2.53:53`, `[2001:db8::53]:53`. */
const nameServer = ({ address, port }: NameServer) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** Hands out a bounded number of turns, first come, first served. `take` resolves to the function that gives the turn back. */
function createTurns(count: number) {
  const waiting: (() => void)[] = []
  let free = count
  const give = () => {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
  return {
    async take(): Promise<() => void> {
      if (free > 0) free--
      else await new Promise<void>(resolve => waiting.push(resolve))
      return give
    },
  }
}

const base = {
  records: [],
  aliases: [],
  ttlSeconds: null,
  security: 'unvalidated',
  server: null,
  cached: false,
  why: null,
  reason: null,
} as const

const closed: Unanswered = { kind: 'failed', why: 'closed', reason: 'dns.lookup-failed', server: null }
const aliasLoop = { kind: 'failed', why: 'alias loop', reason: 'dns.alias-loop' } as const
const ourEdns: Edns = { udpPayloadBytes, version: 0, dnssecOk: false, options: [] }
const noHosts: ReadonlyMap<string, HostEntry> = new Map()
