/** The delivery document of one attempt (ARCHITECTURE decision 4), from what the attempt reported and what was decided of each recipient. */
import type { DeliveryDocument, Finding, RecipientOutcome } from '../../judgement/evidence.ts'
import { failureEvidence, replyEvidence, timestamp } from '../../judgement/evidence-of.ts'
import type { Failure, ReasonCode } from '../../judgement/failure.ts'
import { findingFor } from '../../judgement/findings.ts'
import type { Fate } from './fate.ts'
import type { TaskRecipient, TaskReport } from './task.ts'

export interface Decided {
  readonly recipient: TaskRecipient
  readonly fate: Fate
  /** The host it happened with. */
  readonly host: string | null
}

/** @param decided Never empty: an attempt in which nothing was decided is none. */
export function deliveryDocument(
  report: TaskReport,
  decided: readonly Decided[],
  nowMs: number,
): DeliveryDocument {
  const { task, carrier, planned, sessions, startedAtMs, nextHop } = report
  const { message } = task
  // The id says when the attempt began, counted from the message's arrival: unique also after a crash that forgot an attempt.
  const sinceArrival = Math.max(0, startedAtMs - message.receivedAtMs).toString(36)
  return {
    schema: 'hermetic.delivery/1',
    id: `${message.id}.${sinceArrival}${task.place === 0 ? '' : `.${task.place}`}`,
    message: message.id,
    at: timestamp(nowMs),
    attempt: 1 + decided.reduce((most, { recipient }) => Math.max(most, recipient.attempts), 0),
    from: message.envelope.from?.text ?? '',
    nextHop,
    route: routesOf(decided),
    recipients: decided.map(outcomeOf),
    sessions,
    host: carrier?.candidate.host ?? null,
    address: carrier?.candidate.address ?? null,
    port: carrier?.candidate.port ?? null,
    verdict: carrier?.verdict ?? null,
    planned,
    tls: carrier?.tls ?? null,
    findings: findingsOf(decided),
    nextAttempt: nextAttemptOf(decided),
    ms: Math.max(0, nowMs - startedAtMs),
  }
}

function outcomeOf({ recipient, fate }: Decided): RecipientOutcome {
  const address = recipient.path.text
  switch (fate.kind) {
    case 'delivered':
      return { address, outcome: 'delivered', failure: null, reply: replyEvidence(fate.reply) }
    case 'deferred':
      return { address, outcome: 'deferred', failure: failureEvidence(fate.failure), reply: replyOf(fate.failure) }
    case 'returned':
      return {
        address,
        outcome: 'failed',
        failure: failureEvidence(fate.failure),
        reply: replyOf(fate.last ?? fate.failure),
      }
    default:
      return fate satisfies never
  }
}

function replyOf({ reply }: Failure) {
  return reply === null ? null : replyEvidence(reply)
}

/** As a rule one; several when different rules lead to the same next hop. */
function routesOf(decided: readonly Decided[]): string {
  const [first] = decided
  if (first !== undefined && decided.every(({ recipient }) => recipient.rule === first.recipient.rule))
    return first.recipient.rule
  return [...new Set(decided.map(({ recipient }) => recipient.rule))].join(', ')
}

/** One finding for each kind of failure, however many recipients it concerned. */
function findingsOf(decided: readonly Decided[]): readonly Finding[] {
  const found = new Map<ReasonCode, Finding>()
  for (const { fate, host } of decided) {
    if (fate.kind === 'delivered') continue
    const failures = fate.kind === 'returned' && fate.last !== null ? [fate.failure, fate.last] : [fate.failure]
    for (const failure of failures)
      if (!found.has(failure.reason)) found.set(failure.reason, findingFor(failure, host))
  }
  return [...found.values()]
}

function nextAttemptOf(decided: readonly Decided[]): string | null {
  let soonest = Number.POSITIVE_INFINITY
  for (const { fate } of decided)
    if (fate.kind === 'deferred' && fate.nextAttemptAtMs < soonest) soonest = fate.nextAttemptAtMs
  return soonest === Number.POSITIVE_INFINITY ? null : timestamp(soonest)
}
