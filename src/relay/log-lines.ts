/**
 * The log: one line for each thing that happened, for people in the spirit of Exim's, or as JSON.
 *
 *     2026-11-21T03:04:05.678Z 01k9v3p0c2ma7 <= a@example.net H=mail.example.net [192.0.2.7] P=esmtps X=TLSv1.3:TLS_AES_256_GCM_SHA384 S=1234
 *     … 01k9v3p0c2ma7 => b@example.org R=default H=mx.example.org [192.0.2.9]:25 N=unauthenticated V=pkix X=… C="250 2.0.0 queued"
 *     … 01k9v3p0c2ma7 == c@example.org R=default H=… smtp.recipient-refused-for-now: … next=2026-11-21T03:09:05.678Z
 *     … 01k9v3p0c2ma7 ** d@example.org R=default H=… smtp.recipient-refused-for-good: …
 *     … 01k9v3p0c2ma7 Completed
 *     … host mx1.example.org [192.0.2.8]:25 N=unauthenticated V=- L=opportunistic failed net.refused: …
 *
 * `N=` is how the next hop's name was authenticated, `V=` how its TLS peer was: every line of a next hop says both (ARCHITECTURE decision 2). Where the peer
 * proved nothing, `L=` is the level that the route asks for.
 *
 * Text from outside passes `visible`, also where it could not well be harmful: a line is a line, whatever a peer writes (ARCHITECTURE decision 10).
 * Blanks in addresses and names of hosts are escaped, so that none can pretend to be a field.
 */
import type { IncidentEvent, LifeEvent } from '../journal/journal.ts'
import type {
  DeliveryDocument,
  DnsStanding,
  Planned,
  RecipientOutcome,
  SessionDocument,
  VerdictEvidence,
} from '../judgement/evidence.ts'
import { replyLine } from '../judgement/findings.ts'
import { standingNotices } from '../judgement/standing-text.ts'
import { shortRecord } from '../judgement/tlsa-text.ts'
import { visible } from '../judgement/visible.ts'

export function humanLines(event: LifeEvent | IncidentEvent): readonly string[] {
  switch (event.kind) {
    case 'accepted': {
      const { at, message, from, sizeBytes, via, client, helo, tls } = event
      const host = client === null ? '' : ` H=${helo === null ? '?' : word(helo)} [${word(client)}]`
      return [
        `${at} ${message} <= ${from === '' ? '<>' : word(from)}${host} P=${word(via)}${tlsField(tls)} S=${sizeBytes}`,
      ]
    }
    case 'attempted': {
      const { delivery } = event
      const where = whereFields(delivery)
      if (delivery.recipients.length === 1 && delivery.recipients[0] !== undefined)
        return [recipientLine(event, delivery.recipients[0], where)]
      return delivery.recipients.map(recipient => recipientLine(event, recipient, where))
    }
    case 'returned': {
      const { at, message, dsn, recipients } = event
      const who = recipients.slice(0, 5).map(word).join(' ')
      const more = recipients.length > 5 ? ` and ${recipients.length - 5} more` : ''
      return [`${at} ${message} returned to its sender as ${dsn}: ${who}${more}`]
    }
    case 'completed':
      return [`${event.at} ${event.message} Completed`]
    case 'removed':
      return [`${event.at} ${event.message} removed by the operator`]
    case 'incident':
      return [`${event.at} incident ${word(event.code)} [${word(event.client)}]: ${visible(event.says)}`]
    default:
      return event satisfies never
  }
}

function recipientLine(
  { at, message, delivery }: Extract<LifeEvent, { kind: 'attempted' }>,
  { address, outcome, failure, reply }: RecipientOutcome,
  where: string,
): string {
  switch (outcome) {
    case 'delivered':
      return `${at} ${message} => ${word(address)}${where} C="${reply === null ? '' : quoted(reply)}"`
    case 'deferred':
      return `${at} ${message} == ${word(address)}${where} ${why(delivery, failure)} next=${delivery.nextAttempt ?? '?'}`
    case 'failed':
      return `${at} ${message} ** ${word(address)}${where} ${why(delivery, failure)}`
    default:
      return outcome satisfies never
  }
}

function whereFields({ route, host, address, port, verdict, planned, tls, nextHop }: DeliveryDocument): string {
  const where = host === null ? `T=${word(nextHop)}` : `H=${word(host)} [${word(address ?? '?')}]:${port ?? '?'}`
  return ` R=${word(route)} ${where}${axes(verdict, planned)}${tlsField(tls)}`
}

/**
 * Both axes, and the TLSA record that decided. A host that was not reached came to no verdict (`-`); one that was refused has a verdict without a proof. In both cases the level says what
 * would have been enough.
 */
function axes(verdict: VerdictEvidence | null, planned: Planned | null): string {
  const name = verdict?.name ?? planned?.name ?? '-'
  if (verdict !== null && verdict.peer !== null)
    return ` N=${name} V=${verdict.peer}${verdict.record === null ? '' : ` D=${shortRecord(verdict.record).replaceAll(' ', ':')}`}`
  const level = planned === null ? '' : ` L=${planned.level}`
  return ` N=${name} V=${verdict === null ? '-' : 'refused'}${level}`
}

/** The code, and what its finding says: that quotes the reply where there was one. */
function why({ findings }: DeliveryDocument, failure: RecipientOutcome['failure']): string {
  if (failure === null) return 'unknown'
  const finding = findings.find(({ code }) => code === failure.code)
  return `${failure.code}: ${finding?.says ?? visible(failure.detail ?? '')}`
}

function quoted(reply: NonNullable<RecipientOutcome['reply']>): string {
  return replyLine({ ...reply, text: reply.text.replaceAll('\n', ' / ') }).replaceAll('"', "'")
}

function tlsField(tls: string | null): string {
  return tls === null ? '' : ` X=${visible(tls).replaceAll(' ', ':')}`
}

/** One word: harmless, and without blanks. */
function word(text: string): string {
  // Nearly all that comes by is plain, and looking is cheaper than escaping.
  if (plainWord.test(text)) return text
  return visible(text).replaceAll(' ', '\\x20')
}

/**
 * A connection that came to nothing: without it a message that went to the second-best host would not say why.
 * @param at When that was clear; the document has the time at which it began
 */
export function failedSessionLine(at: string, session: SessionDocument): string {
  const { host, address, port, plan, verdict, tls, failure, findings } = session
  const suite = tls?.outcome === 'established' ? `${tls.version ?? ''} ${tls.cipher ?? ''}` : null
  const code = failure?.code ?? 'unknown'
  const says = findings.find(finding => finding.code === code)?.says ?? visible(failure?.detail ?? '')
  return `${at} host ${word(host)} [${word(address)}]:${port}${axes(verdict, plan)}${tlsField(suite)} failed ${code}: ${says}`
}

/** One JSON object. Characters that a terminal would obey are escaped, so that the value stays what it was. */
export function jsonLine(event: object): string {
  const text = JSON.stringify(event)
  return unsafe.test(text) ? text.replace(unsafeAll, escapeJson) : text
}

/** A line about the relay itself. */
export function noticeLine(at: string, severity: 'info' | 'warning' | 'error', text: string): string {
  return severity === 'info' ? `${at} ${visible(text, 2_000)}` : `${at} ${severity}: ${visible(text, 2_000)}`
}

/** Whether answers of the DNS can be trusted: at the start, and when that changed. */
export function standingLines(at: string, standing: DnsStanding): readonly string[] {
  return standingNotices(standing).map(({ severity, text }) => noticeLine(at, severity, `DNSSEC: ${text}`))
}

function escapeJson(character: string): string {
  let escaped = ''
  for (let i = 0; i < character.length; i++)
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  return escaped
}

const plainWord = /^[\x21-\x7e]{0,300}$/
/** What `visible` hides and JSON does not escape by itself. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
const unsafeAll = new RegExp(unsafe.source, 'gu')
