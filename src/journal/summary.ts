/** A message's life in one line: what `hermetic log` lists. Pure. */
import type { DeliveryDocument, RecipientOutcome } from '../judgement/evidence.ts'
import type { LifeEvent, MessageSummary } from './journal.ts'

/** @param life In the order it happened. Null when its beginning is not known (any more). */
export function summarise(life: readonly LifeEvent[]): MessageSummary | null {
  let accepted: Extract<LifeEvent, { kind: 'accepted' }> | null = null
  let state: MessageSummary['state'] = 'queued'
  let says = 'waits for its first attempt'
  let hasFailed = false
  for (const event of life)
    switch (event.kind) {
      case 'accepted':
        accepted = event
        break
      case 'attempted':
        if (event.delivery.recipients.some(one => one.outcome === 'deferred')) state = 'deferred'
        hasFailed ||= event.delivery.recipients.some(one => one.outcome === 'failed')
        says = attemptSays(event.delivery)
        break
      case 'returned':
        state = 'returned'
        says = `returned to its sender with ${event.dsn} for ${event.recipients.join(', ')}`
        break
      case 'completed':
        // Some recipients got it and others were returned: the failure is what somebody looks for.
        if (state !== 'returned') state = hasFailed ? 'failed' : 'delivered'
        break
      case 'removed':
        state = 'removed'
        says = 'removed by the operator'
        break
      default:
        event satisfies never
    }
  if (accepted === null) return null
  const { message, at, from, recipients, sizeBytes } = accepted
  return { message, at, from, recipients, sizeBytes, state, says }
}

function attemptSays(delivery: DeliveryDocument): string {
  // The worst outcome says most.
  const outcome =
    delivery.recipients.find(one => one.outcome === 'failed') ??
    delivery.recipients.find(one => one.outcome === 'deferred') ??
    delivery.recipients[0]
  if (outcome === undefined) return `attempt ${delivery.attempt} at ${delivery.nextHop}`
  const same = delivery.recipients.filter(one => one.outcome === outcome.outcome).length
  const whom = same === 1 ? outcome.address : `${outcome.address} and ${same - 1} more`
  const where = delivery.host === null ? delivery.nextHop : `${delivery.host} [${delivery.address ?? '?'}]`
  const next =
    outcome.outcome === 'deferred' && delivery.nextAttempt !== null ? `; next at ${delivery.nextAttempt}` : ''
  return `${verbs[outcome.outcome]} ${whom} at ${where}: ${reasonOf(outcome, delivery)}${next}`
}

function reasonOf(outcome: RecipientOutcome, delivery: DeliveryDocument): string {
  const reply = outcome.reply ?? outcome.failure?.reply ?? null
  if (reply !== null) return [reply.code, reply.enhanced, reply.text].filter(part => part !== null).join(' ')
  const code = outcome.failure?.code
  const finding = delivery.findings.find(one => one.code === code)
  return finding?.says ?? outcome.failure?.detail ?? code ?? outcome.outcome
}

const verbs = { delivered: 'delivered to', deferred: 'deferred', failed: 'failed' } as const
