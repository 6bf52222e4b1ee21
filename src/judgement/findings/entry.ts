/** The form of an entry in the register of findings (findings.ts), and what its texts may mention: types only. */
import type { Condemns, Culprit, Severity } from '../evidence.ts'

/** What a text may mention; made harmless and never empty. */
export interface Seen {
  /** The host concerned, or `the server`. */
  readonly host: string
  /** What was seen, as ` (…)`, or nothing. */
  readonly detail: string
  /** The peer's reply as ` “550 5.1.1 no such user”`, or nothing. */
  readonly reply: string
}

export interface FindingEntry {
  readonly severity: Severity
  readonly culprit: Culprit
  readonly condemns: Condemns
  readonly lasting: 'for-now' | 'for-good'
  /** RFC 3463 status for DSNs and our own replies, where the peer gave none: class 4 for now, 5 for good. */
  readonly enhanced: `${4 | 5}.${number}.${number}`
  readonly spec: string | null
  readonly says: (seen: Seen) => string
  readonly remedy: (seen: Seen) => string
}
