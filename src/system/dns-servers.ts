/**
 * Recursive name servers, asked one question until one of them answers it.
 *
 * They are asked in order with failover and retransmission: those that refuse once, those that are silent several times, and those that lately were
 * silent last. Which answer will do is for the caller to say. Success means that one did; everything else is `failed` with a reason. Nothing is kept
 * here but the habits of servers; nothing is validated.
 */
import { randomInt } from 'node:crypto'
import { type Edns, type Message, makeQuery } from '../protocol/dns/message.ts'
import type { Name } from '../protocol/dns/name.ts'
import { rcodeName, rcodes } from '../protocol/dns/numbers.ts'
import type { DnsReason } from '../protocol/dns/reasons.ts'
import type { NameServerTrust } from './dns-connection.ts'
import { type Exchange, type Exchanged, exchange, type Transport } from './dns-exchange.ts'
import { createDnsOverTls, type DnsOverTls } from './dns-over-tls.ts'
import { clearPort, type NameServer, nameServerText, parseNameServer } from './name-server.ts'
import { parseResolvConf } from './resolv-conf.ts'
import { createWatchedFile } from './watched-file.ts'

export interface DnsServersOptions {
  /** As `parseNameServer` reads them, in order of preference. Empty: those of resolv.conf. */
  readonly servers: readonly string[]
  /** Who is believed to be a server that is asked over TLS; without it there may be none. */
  readonly tls?: NameServerTrust
  /** How long one server is waited for at most, in ms; less when the time for the question must do for several. Default: resolv.conf's `timeout`, or `defaultWaitMs`. */
  readonly waitMs?: number
  /** How often all silent servers are asked. Default: resolv.conf's `attempts`, or `defaultAttempts`. */
  readonly attempts?: number
  readonly resolvConf?: string
  /** A whole number, evenly spread over 0 to `below` - 1, that nobody can guess. */
  readonly random?: (below: number) => number
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

export interface AskedOfServers {
  readonly name: Name
  readonly type: number
  /** DO: signatures are wanted, so a server that does not understand EDNS has failed. Otherwise it is asked without. */
  readonly dnssec: 'wanted' | 'not-wanted'
  /** CD (RFC 4035 §3.2.2). */
  readonly checking: 'disabled' | 'enabled'
  /** `udp`: and over TCP what was cut. A server that is asked over TLS is so in any case. */
  readonly over: 'udp' | 'tcp'
  /** Servers that are not asked, as `names` has them. */
  readonly avoid: readonly string[]
}

/** `refused`: this server need not be asked again, another may know more; `why` in a few words. */
export type Taken<T> =
  | { readonly kind: 'taken'; readonly value: T }
  | { readonly kind: 'refused'; readonly why: string }

export type Heard<T> =
  | {
      readonly kind: 'taken'
      readonly value: T
      readonly server: string
      readonly over: Transport
      readonly bytes: number
    }
  | Unheard

export interface Unheard {
  readonly kind: 'failed'
  readonly why: string
  readonly reason: DnsReason
  /** Who refused; null when nobody said anything. */
  readonly server: string | null
}

export interface DnsServers {
  /** As `nameServerText` writes them, in order. */
  names(): readonly string[]
  /** @param deadlineMs on the clock of `now`. @param take is shown responses that are NOERROR or NXDOMAIN. */
  ask<T>(asked: AskedOfServers, deadlineMs: number, take: (message: Message) => Taken<T>): Promise<Heard<T>>
  /** From now on these are asked after the others, as `names` has them; whoever was among them before is not. */
  askLast(servers: readonly string[]): void
  /** Ends what is under way as `closed`, and whatever comes later. */
  close(): void
}

/** What fits through almost every path without fragments. */
export const udpPayloadBytes = 1232

export const defaultWaitMs = 2500
export const defaultAttempts = 3

/** A server that did not answer is asked after the others for this long (RFC 2308 §7.2 allows five minutes). */
export const deadServerMs = 30_000

/** A server that does not understand EDNS is asked without it for this long (RFC 6891 §6.2.2). */
export const withoutEdnsMs = 15 * 60_000

/** A server that sends names back in a case of its own is asked in ours for this long. */
export const ownCaseMs = 15 * 60_000

/** Why a server that cannot send signatures is no use to who wants them. */
export const noEdns = 'it does not understand EDNS, so it cannot send signatures'

export const closed: Unheard = { kind: 'failed', why: 'closed', reason: 'dns.lookup-failed', server: null }

/** @throws RangeError for a server that cannot be read, or one over TLS without `tls`: the configuration is checked before it gets here */
export function createDnsServers(options: DnsServersOptions): DnsServers {
  const { now = () => performance.now(), random = (below: number) => randomInt(below) } = options
  const configured = options.servers.map(text => {
    const server = parseNameServer(text)
    if (server === null) throw new RangeError(`not the address of a name server: ${text}`)
    if (server.authenticationName !== null && options.tls === undefined)
      throw new RangeError(`nobody to judge the certificate of ${text}`)
    return server
  })
  const resolvConf = createWatchedFile(options.resolvConf ?? '/etc/resolv.conf', parseResolvConf, now)
  const exchanges = new Set<Exchange>()
  const overTls = new Map<string, DnsOverTls>()
  const habits = new Map<string, { deadUntilMs: number; plainUntilMs: number; ownCaseUntilMs: number }>()
  let last: readonly string[] = []
  let isClosed = false

  function settings(): Settings {
    const file = configured.length > 0 ? null : resolvConf()
    return {
      servers: file === null ? configured : file.servers.map(fromFile),
      waitMs: options.waitMs ?? file?.timeoutMs ?? defaultWaitMs,
      attempts: options.attempts ?? file?.attempts ?? defaultAttempts,
    }
  }

  function habitsOf(server: NameServer) {
    const id = nameServerText(server)
    const known = habits.get(id) ?? {
      deadUntilMs: Number.NEGATIVE_INFINITY,
      plainUntilMs: Number.NEGATIVE_INFINITY,
      ownCaseUntilMs: Number.NEGATIVE_INFINITY,
    }
    habits.set(id, known)
    return known
  }

  /** In their own order, those that lately did not answer last. They are never left out: all may be silent for another reason. */
  function inOrder(servers: readonly NameServer[]): readonly NameServer[] {
    const rank = (server: NameServer) =>
      habitsOf(server).deadUntilMs > now() ? 2 : last.includes(nameServerText(server)) ? 1 : 0
    return servers
      .map(server => ({ server, rank: rank(server) }))
      .sort((one, other) => one.rank - other.rank)
      .map(({ server }) => server)
  }

  async function askOnce(server: NameServer, asked: AskedNow, waitMs: number, edns: Edns | null) {
    const { name, type, checking } = asked
    const plain = makeQuery({ id: random(65_536), name, type, edns })
    const query = { ...plain, checkingDisabled: checking === 'disabled' }
    const running = tlsTo(server)?.ask(query, waitMs) ?? inClear(server, query, waitMs, asked)
    exchanges.add(running)
    try {
      return await running.done
    } finally {
      exchanges.delete(running)
    }
  }

  function inClear(server: NameServer, query: Message, waitMs: number, { over, again }: AskedNow): Exchange {
    const habit = habitsOf(server)
    const notEchoed = () => {
      habit.ownCaseUntilMs = now() + ownCaseMs
    }
    // Whoever is silent may be so because of the case.
    const mixing = again || habit.ownCaseUntilMs > now() ? null : { random, notEchoed }
    return exchange(server, query, waitMs, over, mixing)
  }

  /** Null: the server is asked in clear text. One that is not never is, whatever becomes of its connections. */
  function tlsTo(server: NameServer): DnsOverTls | null {
    const { address, port, authenticationName } = server
    if (authenticationName === null) return null
    if (options.tls === undefined) throw new Error('servers over TLS were refused before')
    const id = nameServerText(server)
    const known = overTls.get(id)
    if (known !== undefined) return known
    const made = createDnsOverTls({
      server: { address, port, authenticationName },
      trust: options.tls,
      random,
      now,
    })
    overTls.set(id, made)
    return made
  }

  /** One server, with EDNS and, if it does not understand that and may do without, without. */
  async function askServer(server: NameServer, asked: AskedNow, waitMs: number): Promise<Exchanged> {
    if (asked.dnssec === 'wanted') return askOnce(server, asked, waitMs, { ...ourEdns, dnssecOk: true })
    const habit = habitsOf(server)
    if (habit.plainUntilMs > now()) return askOnce(server, asked, waitMs, null)
    const result = await askOnce(server, asked, waitMs, ourEdns)
    if (result.kind !== 'response' || !isEdnsRefused(result.message)) return result
    const plain = await askOnce(server, asked, waitMs, null)
    if (plain.kind === 'response' && !isEdnsRefused(plain.message)) habit.plainUntilMs = now() + withoutEdnsMs
    return plain
  }

  return {
    names: () => settings().servers.map(nameServerText),
    /** All servers until one answers. Those that refuse are not asked again; those that are silent are, `attempts` times in all. */
    async ask(asked, deadlineMs, take) {
      const { servers, waitMs, attempts } = settings()
      const refused = new Set<NameServer>()
      let failure: Unheard = { kind: 'failed', why: 'timeout', reason: 'dns.timeout', server: null }
      const order = inOrder(servers.filter(server => !asked.avoid.includes(nameServerText(server))))
      if (order.length === 0) return { ...failure, why: 'there is no other server', reason: 'dns.lookup-failed' }
      for (let round = 0; round < attempts; round++) {
        for (const [index, server] of order.entries()) {
          if (refused.has(server)) continue
          const leftMs = deadlineMs - now()
          // Shared out, so that one silent server cannot use up the time of those behind it.
          const triesLeft = order.length * (attempts - round) - index
          if (isClosed) return closed
          if (leftMs <= 0) return failure
          const result = await askServer(
            server,
            { ...asked, again: round > 0 },
            Math.min(waitMs, leftMs / triesLeft),
          )
          switch (result.kind) {
            case 'closed':
              return closed
            case 'timeout':
            case 'unreachable':
              habitsOf(server).deadUntilMs = now() + deadServerMs
              if (result.kind === 'unreachable' && failure.server === null && failure.reason !== unproven)
                failure = { ...failure, why: `unreachable (${result.why})`, reason: 'dns.lookup-failed' }
              continue
            case 'unproven':
              habitsOf(server).deadUntilMs = now() + deadServerMs
              // Whoever it is, he said nothing; what a server said that did prove its name is more to the point.
              if (failure.server === null) failure = { ...failure, why: result.why, reason: unproven }
              break
            case 'malformed':
              failure = refusal(server, `malformed answer (${result.why})`)
              break
            case 'response': {
              habitsOf(server).deadUntilMs = Number.NEGATIVE_INFINITY
              const taken = judged(asked, result.message, take)
              if (taken.kind === 'taken') {
                const { over, bytes } = result
                return { kind: 'taken', value: taken.value, server: nameServerText(server), over, bytes }
              }
              failure = refusal(server, taken.why)
              break
            }
            default:
              result satisfies never
          }
          refused.add(server)
        }
      }
      return failure
    },
    askLast(servers) {
      last = servers
    },
    close() {
      isClosed = true
      for (const running of exchanges) running.abort()
      for (const each of overTls.values()) each.close()
    },
  }
}

/** `again`: all servers were asked before, and none answered. */
type AskedNow = AskedOfServers & { readonly again: boolean }

interface Settings {
  readonly servers: readonly NameServer[]
  readonly waitMs: number
  readonly attempts: number
}

function judged<T>(asked: AskedOfServers, message: Message, take: (message: Message) => Taken<T>): Taken<T> {
  const { rcode, edns } = message
  // Without an OPT of its own the server has not seen ours (RFC 6891 §6.1.1): that there are no signatures says nothing of the zone.
  if (asked.dnssec === 'wanted' && (isEdnsRefused(message) || (edns === null && isAnswer(rcode))))
    return { kind: 'refused', why: noEdns }
  return isAnswer(rcode) ? take(message) : { kind: 'refused', why: rcodeName(rcode) }
}

const isAnswer = (rcode: number) => rcode === rcodes.NOERROR || rcode === rcodes.NXDOMAIN

/** FORMERR or NOTIMP without an OPT of its own comes from a server that does not know EDNS; BADVERS from one that knows another (RFC 6891 §6.1.3, RFC 6891 §7). */
function isEdnsRefused(message: Message): boolean {
  if (message.rcode === rcodes.BADVERS) return true
  return message.edns === null && (message.rcode === rcodes.FORMERR || message.rcode === rcodes.NOTIMP)
}

function refusal(server: NameServer, why: string): Unheard {
  return { kind: 'failed', why, reason: 'dns.lookup-failed', server: nameServerText(server) }
}

const fromFile = (address: string): NameServer => ({ address, port: clearPort, authenticationName: null })

const unproven: DnsReason = 'dns.server-unproven'

const ourEdns: Edns = { udpPayloadBytes, version: 0, dnssecOk: false, options: [] }
