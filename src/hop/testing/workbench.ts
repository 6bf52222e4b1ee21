/** What tests of the engine need around it: a resolver with a zone, a knowledge that forgets at the end, mail, and a hop on loopback. */

import type { Level } from '../../judgement/plan.ts'
import type { HostHint, Knowledge } from '../../knowledge/knowledge.ts'
import type { DnsAnswer, RecordData } from '../../protocol/dns/answer.ts'
import type { Path } from '../../protocol/mail/address.ts'
import { defaultClientTimeouts } from '../../protocol/smtp/client.ts'
import type { Resolver } from '../../system/resolver.ts'
import { createHop, type HopOptions } from '../hop.ts'
import type { Candidate, Channel, Destination, Itinerary, Mail, Reached } from '../types.ts'

/** Records by `name TYPE`; `alias` leads from a name to another first. */
export function zone(
  records: Readonly<Record<string, readonly RecordData[]>>,
  aliases: Readonly<Record<string, string>> = {},
): Resolver {
  return {
    resolve(question) {
      const passed: string[] = []
      let name = question.name.toLowerCase().replace(/\.$/, '')
      for (let target = aliases[name]; target !== undefined; target = aliases[name]) {
        passed.push(target)
        name = target
      }
      const found = records[`${name} ${question.type}`] ?? []
      const exists = Object.keys(records).some(key => key.startsWith(`${name} `))
      const answer: DnsAnswer = {
        question,
        outcome: found.length > 0 ? 'records' : exists ? 'no-data' : 'no-such-name',
        records: found,
        aliases: passed,
        ttlSeconds: 300,
        security: 'unvalidated',
        because: null,
        server: '192.0.2.53:53',
        cached: false,
        why: null,
        reason: null,
      }
      return Promise.resolve(answer)
    },
    close: () => Promise.resolve(),
  }
}

export const a = (address: string): RecordData => ({ type: 'A', address })
export const aaaa = (address: string): RecordData => ({ type: 'AAAA', address })
export const mx = (preference: number, exchange: string): RecordData => ({ type: 'MX', preference, exchange })

/** Hints that last a minute of the given time. */
export function memory(): Knowledge {
  const hints = new Map<string, HostHint>()
  const counters: Record<string, number> = {}
  return {
    hint: target => hints.get(target) ?? null,
    failed(target, reason, nowMs) {
      const failures = (hints.get(target)?.failures ?? 0) + 1
      hints.set(target, { target, failures, avoidUntilMs: nowMs + 60_000, reason })
    },
    answered(target) {
      hints.delete(target)
    },
    hints: () => [...hints.values()],
    count(counter, by = 1) {
      counters[counter] = (counters[counter] ?? 0) + by
    },
    counters: () => counters,
    close: () => Promise.resolve(),
  }
}

/** A hop whose connections to any address and port end at `port` of this machine. */
export function workbench(port: number, options: Partial<HopOptions> = {}) {
  const { knowledge = memory(), now = Date.now } = options
  const hop = createHop({
    resolver: zone({ 'mail.example A': [a('192.0.2.1')] }),
    dialer: () => ({ address: '127.0.0.1', port }),
    knowledge,
    hostname: 'relay.example',
    ownAddresses: [],
    allowAddresses: ['192.0.2.0/24', '2001:db8::/32'],
    timeouts: defaultClientTimeouts,
    now,
    monotonicMs: now,
    random: below => Math.floor(Math.random() * below),
    ...options,
  })
  return { hop, knowledge }
}

export function route(level: Level, options: Partial<Extract<Destination, { kind: 'hosts' }>> = {}): Destination {
  return {
    kind: 'hosts',
    hosts: [{ name: 'mail.example', port: 25 }],
    level,
    implicitTls: false,
    ipv4Only: false,
    roots: null,
    ...options,
  }
}

/** The first candidate of a destination. */
export async function firstOf(
  hop: ReturnType<typeof createHop>,
  destination: Destination,
): Promise<[Candidate, Itinerary]> {
  const itinerary = await hop.itinerary(destination)
  const [candidate] = itinerary.candidates
  if (candidate === undefined) throw new Error(`no candidate: ${JSON.stringify(itinerary.failure)}`)
  return [candidate, itinerary]
}

export async function reachFirst(hop: ReturnType<typeof createHop>, destination: Destination): Promise<Reached> {
  return hop.reach(...(await firstOf(hop, destination)))
}

export function channelOf(reached: Reached): Channel {
  if (reached.kind === 'failed') throw new Error(`not reached: ${JSON.stringify(reached.failure)}`)
  return reached.channel
}

export function path(text: string): Path {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1), text }
}

export function mail(content: string | Uint8Array, options: Partial<Mail> = {}): Mail {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  return {
    from: path('sender@example.org'),
    recipients: [path('one@example.net')],
    demands: { eightBit: false, smtputf8: false },
    sizeBytes: bytes.length,
    content: () => bytes,
    ...options,
  }
}
