/** One message at one next hop: what next-hop.ts is given, and what it hands back. */
import type { Candidate, RecipientResult } from '../../hop/types.ts'
import type { Planned, VerdictEvidence } from '../../judgement/evidence.ts'
import type { Path } from '../../protocol/mail/address.ts'
import type { StoredMessage } from '../../spool/spool.ts'

export interface TaskRecipient {
  /** Place in the envelope. */
  readonly index: number
  readonly path: Path
  /** Made before this one. */
  readonly attempts: number
  /** Reason code of the latest of them; null when there was none. */
  readonly lastFailure: string | null
  /** Name of the rule that sent it here. */
  readonly rule: string
}

export interface Task {
  readonly message: StoredMessage
  readonly recipients: readonly TaskRecipient[]
  /** Place among the next hops of this message in this round. */
  readonly place: number
  readonly content: () => Uint8Array | AsyncIterable<Uint8Array>
  /** By the clock that never goes back. */
  readonly queuedAtMs: number
}

/** What came of a recipient. `result` null: it was not tried, because the relay stops; it stays as it was. */
export interface Outcome {
  readonly result: RecipientResult | null
  /** The host that it happened with; null when none was reached. */
  readonly host: string | null
}

export interface TaskReport {
  readonly task: Task
  /** In the order of `task.recipients`. */
  readonly outcomes: readonly Outcome[]
  /** Session documents of the connections used, in order. */
  readonly sessions: readonly string[]
  readonly carrier: Carrier | null
  readonly planned: Planned | null
  readonly startedAtMs: number
  readonly nextHop: string
}

/** The host that the outcome is from, and how it was judged: null when it came to no verdict. */
export interface Carrier {
  readonly candidate: Candidate
  readonly verdict: VerdictEvidence | null
  readonly tls: string | null
}

/**
 * A TLS handshake failed for this message, in an earlier attempt of its own. Only then may it go in clear text to a host that offers STARTTLS and cannot do it,
 * under a plan that accepts that.
 */
export function hadFailedHandshake({ recipients }: Task): boolean {
  return recipients.every(({ lastFailure }) => lastFailure !== null && isHandshakeReason(lastFailure))
}

export function isHandshakeReason(reason: string): boolean {
  return reason.startsWith('tls.')
}
