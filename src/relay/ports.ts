/** The seams between the parts of the relay: who hands what to whom. relay.ts joins them. */

import type { Destination } from '../hop/types.ts'
import type { IncidentEvent, LifeEvent } from '../journal/journal.ts'
import type { SessionDocument } from '../judgement/evidence.ts'
import type { Failure } from '../judgement/failure.ts'
import type { Path } from '../protocol/mail/address.ts'
import type { Reply } from '../protocol/smtp/reply.ts'
import type { StoredMessage } from '../spool/spool.ts'
import type { RouteRule } from './settings.ts'

export interface RoutingInput {
  readonly recipient: Path
  /** Null: the null sender. */
  readonly sender: Path | null
  /** The client's address; null for mail of this machine. */
  readonly source: string | null
}

export type RouteDecision =
  | {
      readonly kind: 'deliver'
      readonly rule: RouteRule
      readonly destination: Destination
      readonly passed: readonly PassedRule[]
    }
  | {
      readonly kind: 'reject'
      readonly rule: RouteRule
      readonly reply: Reply
      readonly passed: readonly PassedRule[]
    }
  /** A rule asks for MX hosts and the DNS does not tell them now. */
  | {
      readonly kind: 'defer'
      readonly rule: RouteRule
      readonly failure: Failure
      readonly passed: readonly PassedRule[]
    }

/** A rule that came earlier and did not match: which condition failed, in words. */
export interface PassedRule {
  readonly rule: string
  readonly because: string
  /** Whether it nearly matched: another condition of it holds, or it names the recipient's domain, or one above or below it. */
  readonly isNear: boolean
}

export interface Routing {
  decide(input: RoutingInput): Promise<RouteDecision>
}

/** One door for everything that is told: the journal, the log line and the counters are fed from here. Never throws, never waits. */
export interface Reporter {
  event(event: LifeEvent | IncidentEvent): void
  session(document: SessionDocument): void
  /** A line about the relay itself: started, stopped, disk full, certificate reloaded. */
  notice(severity: 'info' | 'warning' | 'error', text: string): void
}

/** The delivery side, as the receiving side sees it. */
export interface Delivery {
  /** Takes over a message that is durable and leased. `content` is its whole content when it is small and was kept in memory. */
  submit(message: StoredMessage, content: Uint8Array | null): void
  /** Whether `submit` would still keep this message in memory; if not, release it and let the spool hand it out later. */
  hasRoom(sizeBytes: number): boolean
  /** Look into the spool now: an operator expedited something or changed the limits, or mail was put there. */
  wake(): void
  /** Nothing in work and nothing due. */
  readonly idle: boolean
  /** True as soon as it is idle and all is recorded; false when that took longer. @param deadlineMs milliseconds from now */
  settled(deadlineMs: number): Promise<boolean>
  /** Begins nothing new, lets what is under way end, and drops what is left at the deadline: it stays in the spool. @param deadlineMs milliseconds from now */
  stop(deadlineMs: number): Promise<void>
  /**
   * The process is about to end by a fault of our own. What is in work is put off as after a failed attempt, so that the message which met the
   * fault, whichever it was, is not what the next life begins with. Resolves when that is recorded.
   */
  abandon(): Promise<void>
}
