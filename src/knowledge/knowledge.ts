/**
 * What is learned about hosts and name servers, kept across restarts. One store for the whole relay (ARCHITECTURE decision 8). A hint is advice that saves time;
 * losing it costs a wasted connection, never a message and never security. That name servers once passed signatures on is known for more than that: without it, servers
 * that stop are taken for such as never did.
 */
import type { ProofMemory } from '../system/kept-zones.ts'
import type { ValidationMemory } from '../system/validation-standing.ts'

/** An address that did not answer is left alone until then, unless it is the only one left to try. */
export interface HostHint {
  /** `address:port`. What is said here never decides whether TLS is used: clear text is not remembered (ARCHITECTURE decision 9). */
  readonly target: string
  readonly failures: number
  readonly avoidUntilMs: number
  readonly reason: string
}

export interface Knowledge {
  /** Also one whose time is over, for an hour and more: that it failed not long ago is worth knowing too. */
  hint(target: string): HostHint | null
  /** Notes a failed connection: avoids the target for a time that doubles with each failure in a row, from a minute up to an hour. */
  failed(target: string, reason: string, nowMs: number): void
  /** Notes that it answered: forgets the hint. Costs nothing when there is none. */
  answered(target: string): void
  hints(): readonly HostHint[]
  count(counter: string, by?: number): void
  counters(): Readonly<Record<string, number>>
  close(): Promise<void>
}

/** What is kept beyond what hops need. */
export interface StoredKnowledge extends Knowledge {
  readonly validation: ValidationMemory
  /** Zones that were proven, by the DNS. */
  readonly proofs: ProofMemory
}

/** How long a target is left alone at most, in ms. */
export const longestAvoidMs = 60 * 60_000
