/**
 * The trace field that a relay puts before every message it takes in (RFC 5321 §4.4).
 *
 * Success is one folded `Received:` field with its CRLF, whatever the client called itself: what fits RFC 5321's grammar stands where the
 * grammar has it, what does not is shown in a comment with its odd characters replaced. It adds nothing that the client could use to write a
 * second field.
 */
import type { Path } from './address.ts'

export interface Trace {
  /** The argument of EHLO or HELO as written; null when there was none. */
  readonly helo: string | null
  /** The client's address as the connection shows it. */
  readonly address: string
  /** Our own name. */
  readonly by: string
  readonly protocol: TraceProtocol
  /** Version, cipher suite and what else is known, shown in this order with colons between; empty without TLS. */
  readonly tls: readonly string[]
  readonly id: string
  /** Given only when there is a single recipient: more would tell each about the others (RFC 5321 §7.2). */
  readonly recipient: Path | null
  /** From `mailDate`. */
  readonly date: string
}

/** The registered names: RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3. */
export type TraceProtocol = 'SMTP' | 'ESMTP' | 'ESMTPS' | 'UTF8SMTP' | 'UTF8SMTPS'

/** Which name fits a conversation. RFC 3848 has none for TLS without EHLO. */
export function traceProtocol(hello: 'EHLO' | 'HELO', secured: boolean, smtputf8: boolean): TraceProtocol {
  if (hello === 'HELO') return 'SMTP'
  if (smtputf8) return secured ? 'UTF8SMTPS' : 'UTF8SMTP'
  return secured ? 'ESMTPS' : 'ESMTP'
}

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3) from an address. */
export function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

export function receivedField(trace: Trace): string {
  const { helo, address, by, protocol, tls, id, recipient, date } = trace
  const facts = tls.length === 0 ? '' : ` (${tls.map(comment).join(':')})`
  const receiver = recipient === null ? '' : `\r\n\tfor <${recipient.text}>`
  const from = fromDomain(helo, addressLiteral(address))
  return `Received: from ${from}\r\n\tby ${by}\r\n\twith ${protocol}${facts} id ${id}${receiver};\r\n\t${date}\r\n`
}

/** The same for mail that a program of this machine handed in: no network, but a user. */
export function localReceivedField(trace: Pick<Trace, 'by' | 'id' | 'date'> & { readonly uid: number }): string {
  const { by, uid, id, date } = trace
  return `Received: by ${by} (Hermetic, from userid ${uid}) id ${id};\r\n\t${date}\r\n`
}

function fromDomain(helo: string | null, literal: string): string {
  if (helo === null) return `${literal} (${literal})`
  // Underscores are no part of a domain by the grammar, but of many machines' names.
  if (helo.length <= 255 && /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(helo)) return `${helo} (${literal})`
  if (/^\[[0-9A-Za-z.:]{2,60}\]$/.test(helo)) return `${helo} (${literal})`
  return `${literal} (${literal}) (said ${comment(helo)})`
}

/** Text that may stand in a comment and on one line: RFC 5322 §3.2.2 (ctext). */
function comment(text: string): string {
  return text.slice(0, 64).replace(/[^!-'*-[\]-~]/g, '?')
}
