/** What is tried in the lab and what must come of it, as values: play.ts plays a scenario, judge.ts holds what happened against it. */
import type { ReasonCode } from '../judgement/failure.ts'

export interface Scenario {
  readonly name: string
  /** The situation, in one line. */
  readonly says: string
  /** What must happen, in one line. */
  readonly expects: string
  /** `case 3`, `RFC 7505 §3`: where the rule is from. */
  readonly from: string
  readonly act: Act
  readonly expect: Expectation
}

type Act =
  /** A message is submitted to the relay over STARTTLS. */
  | { readonly kind: 'mail'; readonly to: string; readonly content: 'plain' | 'eight-bit' }
  /** A man in the middle puts commands behind the client's STARTTLS. */
  | { readonly kind: 'injection'; readonly commands: readonly string[] }

export type Expectation =
  | {
      readonly outcome: 'delivered'
      /** The host that must hold the message, byte for byte save trace fields. */
      readonly at: string
      readonly peer: 'pkix' | 'encrypted' | 'clear'
      /** The names the plan asked the certificate for: exactly these. */
      readonly references: readonly string[]
      /** The SNI that the host saw; null for none. */
      readonly sni: string | null
      /** What sessions before it failed for, in order. */
      readonly failedBefore: readonly ReasonCode[]
      /** Hosts that must have seen no mail command. */
      readonly untouched: readonly string[]
    }
  | {
      readonly outcome: 'deferred'
      readonly reason: ReasonCode
      readonly untouched: readonly string[]
    }
  | {
      readonly outcome: 'returned'
      readonly reason: ReasonCode
      readonly untouched: readonly string[]
    }
  | {
      /** The client is told so and nothing is accepted. */
      readonly outcome: 'refused'
      readonly code: number
      /** The incident in the relay's journal. */
      readonly incident: string
    }

/** Where the senders of the lab get their returned mail. */
export const senderAddress = 'alice@sender.example'
export const senderHost = 'mx.sender.example'
