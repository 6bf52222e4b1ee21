/**
 * A failure as a value: a stable reason code, and what was seen. Culprit, what is condemned, whether it lasts, and the words
 * come from the finding of that code (findings.ts), so that two parts of one failure cannot disagree.
 */
import type { DaneReason } from '../protocol/dane/reasons.ts'
import type { DnsReason } from '../protocol/dns/reasons.ts'
import type { DnssecReason } from '../protocol/dnssec/reasons.ts'
import type { SmtpReason, StartTlsReason } from '../protocol/smtp/reasons.ts'
import type { Reply } from '../protocol/smtp/reply.ts'
import type { TlsReason } from '../protocol/tls/reasons.ts'
import type { X509Reason } from '../protocol/x509/reasons.ts'

/** Why no connection came about. */
export type NetReason = 'net.refused' | 'net.timeout' | 'net.unreachable' | 'net.reset' | 'net.failed'

/** Of OpenSSL's opinion on a path, which is asked beside our own (ARCHITECTURE decision 7). */
export type SecondOpinionReason =
  /** It accepts what we refuse, or the other way round. */
  'x509.openssl-disagrees'

/** What the relay itself decides against a message, and faults of our own. */
type RelayReason =
  | 'policy.rejected-by-route'
  /** A host that a route names has no address: unlike a stranger's, it is ours to repair, so mail waits. */
  | 'policy.route-host-not-found'
  | 'message.expired'
  | 'us.content-unreadable'
  /** Put back into the queue without an attempt: its next hop is slow, and memory is needed for mail to others. */
  | 'us.next-hop-busy'
  | 'us.internal'

export type ReasonCode =
  | DnsReason
  | DnssecReason
  | NetReason
  | SmtpReason
  | StartTlsReason
  | TlsReason
  | X509Reason
  | SecondOpinionReason
  | DaneReason
  | RelayReason

export interface Failure {
  readonly reason: ReasonCode
  /** What was seen, in one line; may hold text from outside, so it is shown through `visible` only. Null when the code says it all. */
  readonly detail: string | null
  /** The peer's reply, when it was one that failed us. */
  readonly reply: Reply | null
}
