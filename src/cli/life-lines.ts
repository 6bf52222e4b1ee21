/**
 * The life of a message as a page: every step, what it came to in plain words, and at its end what to do about mail that waits or failed.
 *
 * Lines have at most 100 columns. Words about failures are those of the findings in the documents; it adds no opinion.
 */
import type { LifeEvent } from '../journal/journal.ts'
import { wrapped } from '../judgement/columns.ts'
import type { DeliveryDocument, Finding, RecipientOutcome } from '../judgement/evidence.ts'
import { replyLine } from '../judgement/findings.ts'
import { failureText, verdictText } from '../judgement/text.ts'
import { visible } from '../judgement/visible.ts'
import { bytes } from './table.ts'

/** @param events In the order it happened. */
export function lifeLines(events: readonly LifeEvent[]): string[] {
  const remedies = [...new Set(openFindings(events).map(finding => finding.remedy))]
  return [
    ...events.flatMap(eventLines),
    ...remedies
      .slice(0, shownRemedies)
      .flatMap(remedy => wrapped(`What to do: ${visible(remedy, maxSentenceChars)}`, '', below)),
  ]
}

/** A step of a life: what, and below it what it came to. */
function eventLines(event: LifeEvent): string[] {
  const step = (text: string) => wrapped(`${visible(event.at)}  ${text}`, '', below)
  switch (event.kind) {
    case 'accepted': {
      const { from, client, helo, tls, via, sizeBytes, recipients } = event
      const where = client === null ? '' : ` from ${visible(helo ?? '')} [${visible(client)}]`
      const how = tls === null ? '' : `, ${visible(tls)}`
      return [
        ...step(`accepted by ${visible(via)}${where}${how}; ${bytes(sizeBytes)} from <${visible(from)}>`),
        ...recipients
          .slice(0, shownRecipients)
          .flatMap(recipient => wrapped(`for <${visible(recipient)}>`, below, furtherBelow)),
        ...(recipients.length > shownRecipients
          ? [`${below}and ${recipients.length - shownRecipients} more`]
          : []),
      ]
    }
    case 'attempted':
      return [...step(attemptText(event.delivery)), ...outcomeLines(event.delivery)]
    case 'returned':
      return step(
        `returned to its sender as ${visible(event.dsn)}, for ${event.recipients.map(one => `<${visible(one)}>`).join(', ')}`,
      )
    case 'completed':
      return step('completed: nothing of it waits any more')
    case 'removed':
      return step('removed by the operator')
    default:
      return event satisfies never
  }
}

function attemptText({ attempt: number, nextHop, route, host, address, ms, tls }: DeliveryDocument): string {
  const where =
    host === null ? '' : `; ${visible(host)} [${visible(address ?? '')}]${tls === null ? '' : `, ${visible(tls)}`}`
  return `attempt ${number}: to ${visible(nextHop)} by route "${visible(route)}"${where}; ${ms} ms`
}

function outcomeLines(delivery: DeliveryDocument): string[] {
  const { recipients, verdict, nextAttempt, id } = delivery
  return [
    ...recipients
      .slice(0, shownRecipients)
      .flatMap(recipient => wrapped(outcomeText(recipient, delivery.findings), below, furtherBelow)),
    ...(recipients.length > shownRecipients ? [`${below}and ${recipients.length - shownRecipients} more`] : []),
    ...(verdict === null ? [] : wrapped(verdictText(verdict, delivery.findings), below, furtherBelow)),
    ...(nextAttempt === null ? [] : [`${below}next attempt ${visible(nextAttempt)}`]),
    `${below}everything seen: hermetic log --attempt ${visible(id)}`,
  ]
}

/** With the marks of the log lines. */
function outcomeText(
  { address, outcome, failure, reply }: RecipientOutcome,
  findings: readonly Finding[],
): string {
  const mark = { delivered: '=>', deferred: '==', failed: '**' }[outcome]
  const said = reply === null ? '' : replyLine(reply)
  const whom = `${mark} <${visible(address)}> ${outcome}`
  if (failure === null) return said === '' ? whom : `${whom}: ${said}`
  // A finding speaks for all recipients who failed alike; the replies they got may differ.
  const finding = findings.find(
    ({ code, says }) => code === failure.code && visible(says, maxSentenceChars).includes(said),
  )
  return finding === undefined
    ? `${whom}: ${failureText(failure)}`
    : `${whom} (${finding.code}): ${visible(finding.says, maxSentenceChars)}`
}

/** The findings that stand in the way of recipients who did not get the message; none once the operator removed it. */
function openFindings(events: readonly LifeEvent[]): Finding[] {
  if (events.some(({ kind }) => kind === 'removed')) return []
  const latest = new Map<string, { readonly outcome: RecipientOutcome; readonly delivery: DeliveryDocument }>()
  for (const event of events)
    if (event.kind === 'attempted')
      for (const outcome of event.delivery.recipients)
        latest.set(outcome.address, { outcome, delivery: event.delivery })
  const found: Finding[] = []
  for (const { outcome, delivery } of latest.values())
    for (const finding of outcome.failure === null ? [] : delivery.findings) {
      // What stood in the way before a message expired is no recipient's code any more, and says more than that.
      const isNobodys = delivery.recipients.every(({ failure }) => failure?.code !== finding.code)
      if ((finding.code === outcome.failure?.code || isNobodys) && !found.includes(finding)) found.push(finding)
    }
  return found
}

const below = '    '
const furtherBelow = `${below}   `
const shownRecipients = 20
const shownRemedies = 5
const maxSentenceChars = 1_200
