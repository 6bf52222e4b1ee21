import { describe, expect, test } from 'vitest'
import type { LifeEvent } from '../journal/journal.ts'
import type { RecipientOutcome } from '../judgement/evidence.ts'
import { failureEvidence } from '../judgement/evidence-of.ts'
import type { Failure } from '../judgement/failure.ts'
import { findingFor } from '../judgement/findings.ts'
import { delivery as example } from '../judgement/testing/documents.ts'
import { lifeLines } from './life-lines.ts'

const message = '01k9v3p0c2ma7'
const { at } = example
const accepted: LifeEvent = {
  kind: 'accepted',
  at,
  message,
  from: 'pat@example.org',
  recipients: [`${'long.'.repeat(30)}@example.net`],
  sizeBytes: 5_000,
  via: 'esmtps',
  client: '192.0.2.1',
  helo: 'mail.example',
  tls: null,
}
const refused: Failure = { reason: 'net.refused', detail: null, reply: null }
const words = 'mx.example.net refused the connection: nothing listens there'
const toDo = 'What to do: The postmaster of mx.example.net must start its mail service'

function attempted(failures: readonly (Failure | null)[], outcome: 'deferred' | 'failed' = 'deferred'): LifeEvent {
  const recipients = failures.map(
    (failure, i): RecipientOutcome => ({
      address: `r${i}@example.net`,
      outcome: failure === null ? 'delivered' : outcome,
      failure: failure === null ? null : failureEvidence(failure),
      reply: null,
    }),
  )
  const findings = failures
    .filter(failure => failure !== null)
    .map(failure => findingFor(failure, 'mx.example.net'))
  return { kind: 'attempted', at, message, delivery: { ...example, recipients, findings, verdict: null } }
}

/** As one text, whatever way it was wrapped. */
function told(...events: LifeEvent[]): string {
  const lines = lifeLines(events)
  expect(lines.filter(line => line.length > 100)).toEqual([])
  return lines.map(line => line.trim()).join(' ')
}

describe('the life of a message', () => {
  test('says why it waits in words, with the code behind them, and at the end what to do', () => {
    const text = told(accepted, attempted([refused]))
    expect(text).toContain(`== <r0@example.net> deferred (net.refused): ${words}`)
    expect(text).toContain(toDo)
    expect(text.indexOf(toDo)).toBeGreaterThan(text.indexOf('everything seen'))
  })

  test('says a sentence once: the verdict calls it by its code', () => {
    const text = told(accepted, { kind: 'attempted', at, message, delivery: example })
    expect(text.split('is for other names')).toHaveLength(2)
    expect(text).toContain('Refused before any mail was sent: x509.name-mismatch.')
  })

  test('says what to do of mail that was returned, also when it expired behind another failure', () => {
    const expired: Failure = { reason: 'message.expired', detail: null, reply: null }
    const event = attempted([expired], 'failed')
    if (event.kind !== 'attempted') throw new Error('not an attempt')
    const findings = [...event.delivery.findings, findingFor(refused, 'mx.example.net')]
    const text = told(
      accepted,
      { ...event, delivery: { ...event.delivery, findings } },
      { kind: 'returned', at, message, dsn: '01k9v3p0c2ma8', recipients: ['r0@example.net'] },
      { kind: 'completed', at, message },
    )
    expect(text).toContain(toDo)
  })

  test('asks for nothing once everybody got it, before the first attempt, or when it was removed', () => {
    const completed: LifeEvent = { kind: 'completed', at, message }
    expect(told(accepted)).not.toContain('What to do')
    expect(told(accepted, attempted([refused]), attempted([null]), completed)).not.toContain('What to do')
    expect(told(accepted, attempted([refused]), { kind: 'removed', at, message })).not.toContain('What to do')
  })

  test('says the same remedy once, and leaves out the one of a recipient who got it since', () => {
    const timeout: Failure = { reason: 'net.timeout', detail: null, reply: null }
    const text = told(accepted, attempted([refused, refused, timeout]), attempted([refused, refused, null]))
    expect(text.split('What to do').length - 1).toBe(1)
  })

  test('shows the reply that a recipient got, where the finding tells of another one', () => {
    const refusal = (text: string): Failure => ({
      reason: 'smtp.recipient-refused-for-good',
      detail: null,
      reply: { code: 550, enhanced: '5.1.1', lines: [text] },
    })
    const event = attempted([refusal('no one'), refusal('no two')], 'failed')
    if (event.kind !== 'attempted') throw new Error('not an attempt')
    const recipients = event.delivery.recipients.map(one => ({ ...one, reply: one.failure?.reply ?? null }))
    const findings = event.delivery.findings.slice(0, 1)
    const text = told(accepted, { ...event, delivery: { ...event.delivery, recipients, findings } })
    expect(text).toContain('refused this recipient: “550 5.1.1 no one”')
    expect(text).toContain('smtp.recipient-refused-for-good: 550 5.1.1 no two')
  })
})
