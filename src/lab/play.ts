/**
 * Plays one scenario against a relay and gathers what happened: what the client was told, what arrived at which host and how, and what the
 * relay itself wrote down. It judges nothing (judge.ts does), and never rejects for anything the relay does: a relay that hangs or goes away is an observation.
 */
import type { IncidentEvent, LifeEvent } from '../journal/journal.ts'
import type { DeliveryDocument, SessionDocument } from '../judgement/evidence.ts'
import { isMessageId, type MessageId } from '../protocol/mail/message-id.ts'
import { type Injection, injectBehindStartTls, type Submission, type Submitted, submit } from './client.ts'
import type { ReceivedMessage, Visit } from './host.ts'
import type { Lab } from './lab.ts'
import type { RelayUnderTest } from './relay-under-test.ts'
import { type Scenario, senderAddress, senderHost } from './scenario.ts'

export interface Observation {
  /** What was submitted; null for an attack. */
  readonly submission: Submission | null
  readonly submitted: Submitted | null
  readonly injection: Injection | null
  /** Why the conversation with the relay broke off, in the system's words. */
  readonly broke: string | null
  /** The id the relay gave it. */
  readonly message: MessageId | null
  readonly life: readonly LifeEvent[]
  readonly deliveries: readonly DeliveryDocument[]
  /** Every connection the deliveries name, in order. */
  readonly sessions: readonly SessionDocument[]
  /** What arrived at hosts meanwhile, returned mail apart. */
  readonly arrivals: readonly ReceivedMessage[]
  readonly returned: readonly ReceivedMessage[]
  readonly visits: readonly Visit[]
  /** What the lab's DNS was asked meanwhile, in order. What the relay still remembers from before is not asked again. */
  readonly asked: readonly { readonly name: string; readonly type: string }[]
  readonly incidents: readonly IncidentEvent[]
  readonly ms: number
}

/** @param submission what to submit instead of the scenario's own small message (the tour's larger ones) */
export async function play(
  lab: Lab,
  relay: RelayUnderTest,
  scenario: Scenario,
  submission: Submission = submissionFor(scenario),
): Promise<Observation> {
  const startedAt = performance.now()
  const before = lab.hosts.map(host => ({ host, messages: host.messages.length, visits: host.visits.length }))
  const questionsBefore = lab.dns.questions
  const incidentsBefore = (await relay.incidents()).length
  const attack = scenario.act.kind === 'injection'
  let submitted: Submitted | null = null
  let injection: Injection | null = null
  let broke: string | null = null
  try {
    if (scenario.act.kind === 'injection')
      injection = await injectBehindStartTls(relay.smtp, scenario.act.commands)
    else submitted = await submit(relay.smtp, submission)
  } catch (error) {
    broke = error instanceof Error ? error.message : String(error)
  }

  const message = submitted?.accepted === true ? idIn(submitted.reply.lines) : null
  await relay.settled(settleMs)
  const isReturned = (life: readonly LifeEvent[]) => life.some(event => event.kind === 'returned')
  const life =
    message === null
      ? []
      : await until(
          () => relay.life(message),
          seen => isAttempted(seen),
        )
  const news = () => before.flatMap(({ host, messages }) => host.messages.slice(messages))
  if (isReturned(life))
    await until(
      () => Promise.resolve(news()),
      seen => seen.some(isReturn),
    )
  const incidents = await until(
    async () => (await relay.incidents()).length,
    seen => !attack || seen > incidentsBefore,
  )

  const deliveries = life.flatMap(event => (event.kind === 'attempted' ? [event.delivery] : []))
  const sessions: SessionDocument[] = []
  for (const id of deliveries.flatMap(delivery => delivery.sessions)) {
    const session = await until(
      () => relay.session(id),
      seen => seen !== null,
    )
    if (session !== null) sessions.push(session)
  }
  const arrived = news()
  return {
    submission: attack ? null : submission,
    submitted,
    injection,
    broke,
    message,
    life,
    deliveries,
    sessions,
    arrivals: arrived.filter(arrival => !isReturn(arrival)),
    returned: arrived.filter(isReturn),
    visits: before.flatMap(({ host, visits }) => host.visits.slice(visits)),
    asked: newest(lab.dns.asked, lab.dns.questions - questionsBefore),
    // The reader gives the newest first.
    incidents: (await relay.incidents()).slice(0, Math.max(0, incidents - incidentsBefore)),
    ms: Math.round(performance.now() - startedAt),
  }
}

/** The scenario's own small message. */
export function submissionFor(scenario: Scenario): Submission {
  const to = scenario.act.kind === 'mail' ? scenario.act.to : ''
  const eightBit = scenario.act.kind === 'mail' && scenario.act.content === 'eight-bit'
  const lines = [
    `From: Alice <${senderAddress}>`,
    `To: <${to}>`,
    `Subject: ${scenario.name}`,
    'Date: Sat, 21 Nov 2026 12:00:00 +0000',
    `Message-ID: <${scenario.name}@sender.example>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}`,
    '',
    eightBit ? 'Grüße aus dem Labor.' : 'Greetings from the lab.',
    '.',
    '..two dots begin this line, one the line before.',
    '',
  ]
  return { from: senderAddress, to: [to], content: Buffer.from(lines.join('\r\n')), smtputf8: false }
}

function isAttempted(life: readonly LifeEvent[]): boolean {
  return life.some(event => event.kind === 'attempted' && settles(event.delivery, life))
}

/** A failed recipient is followed by the notice to its sender; a delivered message by its completion. */
function settles(delivery: DeliveryDocument, life: readonly LifeEvent[]): boolean {
  const failed = delivery.recipients.some(({ outcome }) => outcome === 'failed')
  return !failed || life.some(({ kind }) => kind === 'returned')
}

function newest<T>(all: readonly T[], count: number): readonly T[] {
  return count === 0 ? [] : all.slice(-count)
}

/** RFC 3464: a notice has the null sender. */
function isReturn(message: ReceivedMessage): boolean {
  return message.host === senderHost && message.from === ''
}

function idIn(lines: readonly string[]): MessageId | null {
  for (const word of lines.join(' ').split(/[^0-9a-z]+/)) if (isMessageId(word)) return word
  return null
}

/** Asks until the answer will do, or patience ends: the relay's journal is written a little behind its work. */
async function until<T>(ask: () => Promise<T>, willDo: (answer: T) => boolean): Promise<T> {
  for (let left = tries; ; left--) {
    const answer = await ask()
    if (willDo(answer) || left === 0) return answer
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
}

/** A delivery in the lab takes milliseconds; one of 25 MB a second or two. */
const settleMs = 60_000
const pauseMs = 20
const tries = 250
