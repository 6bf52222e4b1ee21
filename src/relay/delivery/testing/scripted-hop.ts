/**
 * A hop without a network: hosts and how they answer are written down by the test, and everything that is done is kept for it to look at.
 */
import type {
  Candidate,
  Channel,
  ClearText,
  Destination,
  Hop,
  Itinerary,
  Mail,
  Reached,
  RecipientResult,
  TransactionResult,
} from '../../../hop/types.ts'
import type { SessionDocument } from '../../../judgement/evidence.ts'
import type { Failure, ReasonCode } from '../../../judgement/failure.ts'
import type { Reply } from '../../../protocol/smtp/reply.ts'

export function failure(reason: ReasonCode, reply: Reply | null = null, detail: string | null = null): Failure {
  return { reason, detail, reply }
}

export const accepted: RecipientResult = {
  kind: 'delivered',
  reply: { code: 250, enhanced: '2.0.0', lines: ['queued'] },
}

export function refused(reason: ReasonCode, reply: Reply | null = null): RecipientResult {
  return { kind: 'failed', failure: failure(reason, reply) }
}

/** How a host answers. What is not written down goes well. */
export interface Host {
  /** Instead of a connection. */
  readonly unreachable?: (clearText: ClearText) => Failure | null
  /** Before a connection stands, or fails. */
  readonly greets?: () => Promise<void>
  /** What is unreachable was so because we refused it. */
  readonly refusedByUs?: boolean
  /** Per transaction; one result for all, or one each. A promise holds the transaction until the test lets it go. */
  readonly answer?: (
    mail: Mail,
    channel: { readonly serial: number; readonly transactions: number },
  ) => Answer | Promise<Answer>
}

export type Answer =
  | { readonly results: readonly RecipientResult[] | RecipientResult; readonly reusable?: boolean }
  | RecipientResult

/** The hosts of a destination, and those that are not there with the reason. */
export interface Way {
  readonly hosts: readonly string[]
  readonly skipped: readonly { readonly host: string; readonly why: Failure }[]
}

/** What was done, one line each: `connect mx1`, `connect mx1 in clear`, `mx1#1 a@x, b@x`, `close mx1#1`. */
export interface ScriptedHop extends Hop {
  readonly did: readonly string[]
  readonly open: number
  readonly mostOpen: number
}

/** @param ways Hosts of each destination (its domain, or `smart` for hosts) in order; or why there is none. */
export function createScriptedHop(
  ways: (name: string) => readonly string[] | Way | Failure,
  hosts: Readonly<Record<string, Host>> = {},
  {
    now,
    lifeMs = 3_600_000,
    holdsMs = 300_000,
  }: { readonly now: () => number; readonly lifeMs?: number; readonly holdsMs?: number },
): ScriptedHop {
  const did: string[] = []
  const aborts = new Map<Channel, () => void>()
  const holdUntil = new WeakMap<Candidate, number>()
  let serial = 0
  let open = 0
  let mostOpen = 0

  function connect(candidate: Candidate, clearText: ClearText): Channel {
    const mine = ++serial
    const name = `${candidate.host}#${mine}`
    let usable = true
    let transactions = 0
    open++
    mostOpen = Math.max(mostOpen, open)
    const leave = (how: string) => {
      if (!usable) return
      usable = false
      open--
      did.push(`${how} ${name}`)
    }
    const base = {
      candidate,
      verdict: {
        kind: 'clear',
        name: 'unauthenticated',
        because: clearText === 'as-planned' ? 'not-offered' : 'handshake-failed-before',
      } as const,
      offers: { pipelining: true, eightBitMime: true, smtputf8: true, enhancedStatusCodes: true, sizeBytes: null },
      session: `session-${mine}`,
      tls: null,
      expiresAtMs: now() + lifeMs,
      authenticated: false as const,
      get usable() {
        return usable
      },
      async send(mail: Mail): Promise<TransactionResult> {
        did.push(`${name} ${mail.recipients.map(({ text }) => text).join(', ')}`)
        transactions++
        const content = mail.content()
        if (!(content instanceof Uint8Array)) for await (const _piece of content);
        const written = hosts[candidate.host]?.answer?.(mail, { serial: mine, transactions }) ?? accepted
        const aborted = new Promise<Answer>(resolve => {
          aborts.set(channel, () => resolve({ results: refused('smtp.closed'), reusable: false }))
        })
        const answer = await Promise.race([Promise.resolve(written), aborted])
        const { results, reusable = true } = 'results' in answer ? answer : { results: answer }
        if (!reusable) leave('lost')
        const list = Array.isArray(results) ? results : mail.recipients.map(() => results)
        return { recipients: list, reusable }
      },
      close: () => {
        leave('close')
        return Promise.resolve()
      },
      abort: () => {
        aborts.get(channel)?.()
        leave('abort')
      },
    }
    // Only hop mints channels; this one stands in for it, and the mark exists for the type checker only.
    const channel = base as unknown as Channel
    return channel
  }

  return {
    get did() {
      return did
    },
    get open() {
      return open
    },
    get mostOpen() {
      return mostOpen
    },
    itinerary(destination) {
      const name = destination.kind === 'mx' ? destination.domain : 'smart'
      did.push(`plan ${name}`)
      const found = ways(name)
      const names = 'reason' in found ? [] : 'hosts' in found ? found.hosts : found
      const skipped = 'skipped' in found ? found.skipped : []
      const itinerary: Itinerary = {
        destination,
        candidates: names.map((host, i) => candidateFor(host, i, destination)),
        skipped: skipped.map(({ host, why }) => ({ host, address: null, failure: why })),
        failure: 'reason' in found ? found : null,
        dns: [],
        expiresAtMs: now() + holdsMs,
        mx: null,
        mxNames: names,
      }
      for (const candidate of itinerary.candidates) holdUntil.set(candidate, itinerary.expiresAtMs)
      return Promise.resolve(itinerary)
    },
    mxNames: () => Promise.resolve({ names: [], failure: null, dns: [] }),
    async reach(candidate, _itinerary, clearText = 'as-planned'): Promise<Reached> {
      did.push(`connect ${candidate.host}${clearText === 'as-planned' ? '' : ' in clear'}`)
      await hosts[candidate.host]?.greets?.()
      const why = hosts[candidate.host]?.unreachable?.(clearText) ?? null
      if (why !== null) {
        const isRefused = hosts[candidate.host]?.refusedByUs === true
        const session = sessionFor(candidate, `failed-${++serial}`, why, isRefused)
        return { kind: 'failed', failure: why, session }
      }
      const channel = connect(candidate, clearText)
      return { kind: 'channel', channel, session: sessionFor(candidate, channel.session, null) }
    },
    isCurrent: ({ expiresAtMs }) => now() < expiresAtMs,
    satisfies: (channel, candidate) =>
      channel.usable && now() < channel.expiresAtMs && now() < (holdUntil.get(candidate) ?? 0),
    close: () => Promise.resolve(),
  }
}

function candidateFor(host: string, place: number, destination: Destination): Candidate {
  return {
    host,
    address: `192.0.2.${place + 1}`,
    port: 25,
    preference: place,
    aliases: [],
    plan: {
      level: destination.level,
      starttls: 'if-offered',
      implicitTls: false,
      least: { name: 'unauthenticated', peer: 'clear' },
      name: destination.kind === 'mx' ? 'unauthenticated' : 'configured',
      references: [{ name: host, from: 'mx-name' }],
      sni: host,
      dane: null,
    },
  }
}

function sessionFor(candidate: Candidate, id: string, why: Failure | null, isRefused = false): SessionDocument {
  const { host, address, port, plan } = candidate
  return {
    schema: 'hermetic.session/1',
    id,
    at: '2026-11-21T03:04:05.000Z',
    host,
    address,
    port,
    plan,
    dns: [],
    connected: why === null,
    tls: null,
    smtp: { greeting: null, offered: { clear: null, tls: null } },
    verdict:
      why === null
        ? {
            kind: 'clear',
            name: 'unauthenticated',
            peer: 'clear',
            matched: null,
            record: null,
            says: 'Clear text.',
          }
        : isRefused
          ? { kind: 'refused', name: 'unauthenticated', peer: null, matched: null, record: null, says: 'Refused.' }
          : null,
    failure: why === null ? null : { code: why.reason, detail: why.detail, reply: null },
    findings: [],
    ms: { connect: 1, greeting: 1, handshake: null },
  }
}
