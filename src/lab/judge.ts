/**
 * Holds what happened in a scenario against what must happen. Success is an empty list of differences; nothing is taken on the relay's word
 * that the hosts can tell: what arrived, how, and who saw no mail command.
 */
import type { SessionDocument } from '../judgement/evidence.ts'
import { visible } from '../judgement/visible.ts'
import type { Visit } from './host.ts'
import type { Observation } from './play.ts'
import { type Expectation, type Scenario, senderAddress } from './scenario.ts'

export interface Judgement {
  readonly ok: boolean
  /** What happened, in one line. */
  readonly happened: string
  /** Where it differs from what must happen, a sentence each. */
  readonly differences: readonly string[]
}

export function judge(scenario: Scenario, seen: Observation): Judgement {
  const differences = [...differencesFrom(scenario.expect, seen)]
  return { ok: differences.length === 0, happened: happened(seen), differences }
}

/** What is left of a received message without the trace fields that were put before it; null when it does not end with the original. */
export function traceBefore(original: Buffer, received: Buffer): string | null {
  const trace = received.subarray(0, Math.max(0, received.length - original.length))
  if (!received.subarray(trace.length).equals(original)) return null
  const text = trace.toString('latin1')
  return /^(?:Received:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*$/i.test(text) ? text : null
}

function* differencesFrom(expect: Expectation, seen: Observation): Generator<string> {
  if (seen.broke !== null) yield `the conversation with the relay broke off: ${visible(seen.broke)}`
  switch (expect.outcome) {
    case 'refused':
      yield* notRefused(expect, seen)
      return
    case 'delivered':
      yield* notDelivered(expect, seen)
      return
    case 'deferred':
      if (outcomeOf(seen) !== 'deferred') yield `it was ${outcomeOf(seen)}, not deferred`
      yield* nothingSent(expect, seen)
      yield* uncalled(expect.uncalled, seen.visits)
      yield* askedForTlsa(expect.tlsa, seen)
      return
    case 'returned':
      if (outcomeOf(seen) !== 'failed') yield `it was ${outcomeOf(seen)}, not failed for good`
      yield* nothingSent(expect, seen)
      if (!seen.returned.some(({ recipients }) => recipients.includes(senderAddress)))
        yield 'no notice of it reached the sender'
      return
    default:
      expect satisfies never
  }
}

function* notRefused(expect: Extract<Expectation, { outcome: 'refused' }>, seen: Observation): Generator<string> {
  const { injection } = seen
  if (injection === null) return yield 'nothing was tried'
  if (injection.reply?.code !== expect.code)
    yield `the answer was ${injection.reply?.code ?? 'none'}, not ${expect.code}`
  if (injection.wentIntoTls) yield 'it went into TLS all the same'
  if (!injection.hungUp) yield 'the conversation went on'
  if (seen.arrivals.length > 0) yield 'what was injected was delivered'
  if (!seen.incidents.some(({ code }) => code === expect.incident))
    yield `no incident ${expect.incident} was recorded`
}

function* notDelivered(
  expect: Extract<Expectation, { outcome: 'delivered' }>,
  seen: Observation,
): Generator<string> {
  if (outcomeOf(seen) !== 'delivered') yield `it was ${outcomeOf(seen)}, not delivered`
  const [arrival, ...more] = seen.arrivals
  if (more.length > 0) yield `it arrived ${seen.arrivals.length} times`
  if (arrival === undefined) yield 'it arrived nowhere'
  else {
    if (arrival.host !== expect.at) yield `it arrived at ${arrival.host}, not ${expect.at}`
    const sni = arrival.tls?.sni ?? null
    if (sni !== expect.sni) yield `the SNI was ${sni ?? 'absent'}, not ${expect.sni ?? 'absent'}`
    if ((arrival.tls === null) !== (expect.peer === 'clear'))
      yield arrival.tls === null ? 'it arrived in clear text' : 'it arrived over TLS'
    if (seen.submission !== null) {
      const trace = traceBefore(seen.submission.content, arrival.content)
      if (trace === null) yield 'what arrived is not what was submitted'
      else if (trace === '') yield 'the relay left no Received field'
      if (arrival.from !== seen.submission.from) yield `its sender became ${visible(arrival.from)}`
      if (arrival.recipients.join() !== seen.submission.to.join())
        yield `its recipients became ${visible(arrival.recipients.join())}`
    }
  }
  const carried = carrier(seen)
  if (carried === null) yield 'the relay wrote down no session that carried it'
  else {
    if (carried.verdict?.peer !== expect.peer)
      yield `the relay says the peer was ${carried.verdict?.peer ?? 'refused'}, not ${expect.peer}`
    if (carried.plan.name !== expect.name)
      yield `the relay says the name of the next hop is ${carried.plan.name}, not ${expect.name}`
    yield* otherRecord(expect.record, carried)
    const { dane } = carried.plan
    if (dane?.kind === 'records' && dane.owner !== expect.tlsa.at(-1))
      yield `the TLSA records are those of ${visible(dane.owner)}, not of ${expect.tlsa.at(-1) ?? 'nobody'}`
    for (const code of expect.remarks)
      if (!carried.findings.some(finding => finding.code === code)) yield `nothing is told of ${code}`
    const asked = carried.plan.references.map(({ name }) => name).join(', ')
    if (asked !== expect.references.join(', '))
      yield `the certificate was asked for ${asked}, not ${expect.references.join(', ')}`
  }
  const failures = failuresBefore(seen).join(', ')
  if (failures !== expect.failedBefore.join(', '))
    yield `before it ${failures || 'nothing'} failed, not ${expect.failedBefore.join(', ') || 'nothing'}`
  yield* touched(expect.untouched, seen.visits)
  yield* uncalled(expect.uncalled, seen.visits)
  yield* askedForTlsa(expect.tlsa, seen)
}

/** The record that decided is told twice: by its text, and by its place. */
function* otherRecord(
  expected: { readonly index: number; readonly begins: string } | null,
  { verdict, tls }: SessionDocument,
): Generator<string> {
  const text = verdict?.record ?? null
  const index = tls?.dane?.record ?? null
  if (expected === null) {
    if (text !== null || index !== null) yield `a TLSA record decided: ${visible(text ?? String(index))}`
    return
  }
  if (index !== expected.index)
    yield `the TLSA record that decided is ${index === null ? 'not told' : `in place ${index}`}, not in ${expected.index}`
  if (text?.startsWith(`${expected.begins} `) !== true)
    yield `the TLSA record that decided is ${visible(text ?? 'not told')}, not one of ${expected.begins}`
}

function* nothingSent(
  expect: Extract<Expectation, { outcome: 'deferred' | 'returned' }>,
  seen: Observation,
): Generator<string> {
  const reasons = reasonsOf(seen)
  if (!reasons.includes(expect.reason))
    yield `the reason was ${reasons.join(', ') || 'not told'}, not ${expect.reason}`
  if (seen.arrivals.length > 0) yield `it arrived at ${seen.arrivals.map(({ host }) => host).join(', ')}`
  yield* touched(expect.untouched, seen.visits)
}

/** Hosts that must have been called, and have seen neither a mail command nor bytes behind what they injected. */
function* touched(untouched: readonly string[], visits: readonly Visit[]): Generator<string> {
  for (const host of untouched) {
    const there = visits.filter(visit => visit.host === host)
    if (there.length === 0) yield `${host} was never called`
    const mail = there
      .flatMap(visit => [...visit.clear, ...visit.secured])
      .find(line => /^(?:MAIL|RCPT|DATA)/i.test(line))
    if (mail !== undefined) yield `${host} was sent ${visible(mail)}`
    const behind = there.reduce((sum, visit) => sum + visit.afterInjection, 0)
    if (behind > 0) yield `${host} was sent ${behind} octets after its injected replies`
  }
}

function* uncalled(hosts: readonly string[], visits: readonly Visit[]): Generator<string> {
  for (const host of hosts) if (visits.some(visit => visit.host === host)) yield `${host} was called`
}

function* askedForTlsa(owners: readonly string[], { asked }: Observation): Generator<string> {
  for (const { name, type } of asked)
    if (type === 'TLSA' && !owners.includes(name)) yield `TLSA records of ${visible(name)} were asked for`
}

/** The worst that a recipient met in the last attempt. */
function outcomeOf(seen: Observation): 'delivered' | 'deferred' | 'failed' | 'not accepted' | 'not attempted' {
  if (seen.message === null) return 'not accepted'
  const outcomes = seen.deliveries.at(-1)?.recipients.map(({ outcome }) => outcome) ?? []
  if (outcomes.length === 0) return 'not attempted'
  if (outcomes.includes('failed')) return 'failed'
  return outcomes.includes('deferred') ? 'deferred' : 'delivered'
}

/** The connection that carried the message. */
function carrier(seen: Observation): SessionDocument | null {
  return seen.sessions.findLast(session => session.failure === null) ?? null
}

function failuresBefore(seen: Observation): readonly string[] {
  return seen.sessions.flatMap(({ failure }) => (failure === null ? [] : [failure.code]))
}

export function reasonsOf(seen: Observation): readonly string[] {
  const codes = seen.deliveries.flatMap(({ recipients }) =>
    recipients.flatMap(({ failure }) => (failure === null ? [] : [failure.code])),
  )
  return [...new Set(codes)]
}

function happened(seen: Observation): string {
  const { injection, submitted } = seen
  if (injection !== null) {
    const incident = seen.incidents[0]?.code ?? 'no incident recorded'
    return `${replyText(injection.reply)}${injection.hungUp ? ', then hung up' : ''}; ${incident}`
  }
  if (submitted === null) return 'nothing could be submitted'
  if (seen.message === null) return `not accepted: ${replyText(submitted.reply)}`
  const [arrival] = seen.arrivals
  const before = failuresBefore(seen)
  switch (outcomeOf(seen)) {
    case 'delivered': {
      const channel = arrival?.tls == null ? 'in clear text' : `over ${arrival.tls.version}`
      const peer = carrier(seen)?.verdict?.peer ?? 'not told'
      const tried = before.length === 0 ? '' : `, after ${before.join(', ')}`
      return `delivered to ${arrival?.host ?? 'nobody'} ${channel}, peer ${peer}, SNI ${arrival?.tls?.sni ?? 'none'}${tried}`
    }
    case 'deferred':
      return `deferred: ${reasonsOf(seen).join(', ')}`
    case 'failed':
      return `${seen.returned.length > 0 ? 'returned' : 'failed'}: ${reasonsOf(seen).join(', ')}`
    case 'not attempted':
      return 'accepted, and not attempted'
    case 'not accepted':
      return 'not accepted'
    default:
      return 'something else'
  }
}

function replyText(reply: { readonly code: number; readonly lines: readonly string[] } | null): string {
  return reply === null ? 'no answer' : visible(`${reply.code} ${reply.lines.join(' ')}`)
}
