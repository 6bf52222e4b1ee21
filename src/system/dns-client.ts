/**
 * The DNS client: questions go to recursive servers, and come back as `DnsAnswer`.
 *
 * UDP with EDNS, TCP for what was cut; servers in order with failover and retransmission; equal questions in flight asked
 * once; answers kept for their TTL. Success means that a server answered the question we asked with records, or said that
 * there are none. Everything else is `failed` with a reason, never "no records": a message must wait, not bounce, when the DNS is down.
 *
 * It does not validate (answers are `unvalidated`), does not recurse from the root, and completes no names by search suffixes.
 */
import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'
import type { Message } from '../protocol/dns/message.ts'
import { type Name, nameKey, parseName } from '../protocol/dns/name.ts'
import { typeNumbers } from '../protocol/dns/numbers.ts'
import { maxAliases, readResponse } from '../protocol/dns/reading.ts'
import { createDnsCache } from './dns-cache.ts'
import { closed, createDnsServers, type DnsServersOptions, type Taken, type Unheard } from './dns-servers.ts'
import { type HostEntry, parseHostsFile } from './hosts-file.ts'
import type { Resolver } from './resolver.ts'
import { createTurns } from './turns.ts'
import { createWatchedFile } from './watched-file.ts'

export interface DnsClientOptions extends DnsServersOptions {
  /** Where to look up A and AAAA before asking anybody; null: nowhere. */
  readonly hostsFile: string | null
  /** A question is given up after this time, in ms, whatever servers are left. */
  readonly timeoutMs: number
  /** The servers validate, and are believed: with the AD bit an answer is `secure`, without it `insecure` (RFC 4035 §3.2.3). Default: answers are `unvalidated`. */
  readonly ad?: {
    /** Servers that are not asked, as they are not believed. */
    readonly avoid: () => readonly string[]
  }
}

/** Answers are kept for their TTL, within these bounds, in seconds. A TTL of 0 would make every message ask again. */
export const minTtlSeconds = 5
export const maxTtlSeconds = 24 * 3600

/** "There is none" is kept no longer than this (RFC 2308 §5 advises one to three hours). */
export const maxNegativeTtlSeconds = 3600

/** RFC 9520 §3.2 asks for at least one second, so that a broken zone is not asked for with every message. */
export const failureTtlSeconds = 5

/** Questions on their way at the same time; further ones wait for their turn. Each has one socket. */
export const maxQuestionsInFlight = 200

/** @throws RangeError for a server that is not an address: the configuration is checked before it gets here */
export function createDnsClient(options: DnsClientOptions): Resolver {
  const { timeoutMs, ad, now = () => performance.now() } = options
  const servers = createDnsServers(options)
  const hostsFile =
    options.hostsFile === null ? () => noHosts : createWatchedFile(options.hostsFile, parseHostsFile, now)

  const cache = createDnsCache(now)
  const inFlight = new Map<string, Promise<DnsAnswer>>()
  const turns = createTurns(maxQuestionsInFlight)
  let isClosed = false

  /** The whole question: through aliases that one response does not follow to their end. */
  async function lookUp(question: DnsQuestion, start: Name, deadlineMs: number): Promise<DnsAnswer> {
    const aliases: string[] = []
    let name = start
    let ttlSeconds = Number.POSITIVE_INFINITY
    /** The server that did not vouch for its part. */
    let doubted: string | null = null
    for (let followed = 0; followed <= maxAliases; followed++) {
      const passed = [nameKey(start), ...aliases]
      const how = ad === undefined ? plainly : ({ ...plainly, dnssec: 'wanted', avoid: ad.avoid() } as const)
      const asked = { ...how, name, type: typeNumbers[question.type] }
      const result = await servers.ask(asked, deadlineMs, message => read(name, question.type, message, passed))
      if (result.kind === 'failed') return failed(question, result, aliases)
      const {
        value: { reading, isAuthentic },
        server,
      } = result
      if (!isAuthentic) doubted ??= server
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
        ...(ad === undefined ? {} : wordOf(doubted)),
      }
    }
    return failed(question, { ...aliasLoop, server: null }, aliases)
  }

  async function inTurn(question: DnsQuestion, name: Name, key: string, id: string): Promise<DnsAnswer> {
    // The wait for a turn counts: when no server answers, a long queue is over soon after its first questions.
    const deadlineMs = now() + timeoutMs
    const done = await turns.take()
    try {
      const found = isClosed ? failed(question, closed, []) : await lookUp(question, name, deadlineMs)
      const isUnknown = ad !== undefined && found.outcome === 'failed'
      const answer: DnsAnswer = isUnknown ? { ...found, security: 'indeterminate' } : found
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
      servers.close()
      await Promise.all(inFlight.values())
    },
  }
}

type Usable = Exclude<ReturnType<typeof readResponse>, { kind: 'malformed' | 'referral' }>

/** @param passed names that led here */
function read(
  name: Name,
  type: DnsQuestion['type'],
  message: Message,
  passed: readonly string[],
): Taken<{ readonly reading: Usable; readonly isAuthentic: boolean }> {
  const reading = readResponse(name, type, message, passed)
  if (reading.kind === 'malformed') return { kind: 'refused', why: `malformed answer (${reading.because})` }
  if (reading.kind === 'referral') return { kind: 'refused', why: 'referral instead of an answer' }
  return { kind: 'taken', value: { reading, isAuthentic: message.authenticData } }
}

/** What a resolver that validates has said with the AD bit, or left unsaid. */
function wordOf(doubted: string | null): Pick<DnsAnswer, 'security' | 'because'> {
  if (doubted === null) return { security: 'secure', because: null }
  return {
    security: 'insecure',
    because: `The resolver ${doubted}, which validates, does not call the answer secure.`,
  }
}

/** An entry of the hosts file as an answer. */
export function fromHostsFile(question: DnsQuestion, entry: HostEntry): DnsAnswer {
  const type: 'A' | 'AAAA' = question.type === 'AAAA' ? 'AAAA' : 'A'
  const records = (type === 'AAAA' ? entry.ipv6 : entry.ipv4).map(address => ({ type, address }))
  const outcome = records.length > 0 ? 'records' : 'no-data'
  return { ...base, question, outcome, records, ttlSeconds: minTtlSeconds, server: 'hosts-file' }
}

function failed(question: DnsQuestion, { why, reason, server }: Unheard, aliases: readonly string[]): DnsAnswer {
  return { ...base, question, outcome: 'failed', aliases, ttlSeconds: null, server, why, reason }
}

const base = {
  records: [],
  aliases: [],
  ttlSeconds: null,
  security: 'unvalidated',
  because: null,
  server: null,
  cached: false,
  why: null,
  reason: null,
} as const

const aliasLoop = { kind: 'failed', why: 'alias loop', reason: 'dns.alias-loop' } as const
const plainly = { dnssec: 'not-wanted', checking: 'enabled', over: 'udp', avoid: [] } as const
const noHosts: ReadonlyMap<string, HostEntry> = new Map()
