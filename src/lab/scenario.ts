/** What is tried in the lab and what must come of it, as values: play.ts plays a scenario, judge.ts holds what happened against it. */
import type { ReasonCode } from '../judgement/failure.ts'
import type { NameProof, PeerProof } from '../judgement/plan.ts'

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

export type Expectation = Delivered | Deferred | Returned | Refused

interface Delivered {
  readonly outcome: 'delivered'
  /** The host that must hold the message, byte for byte save trace fields. */
  readonly at: string
  /** The two axes: how the next hop's name was known, and how the peer was proved. */
  readonly name: NameProof
  readonly peer: PeerProof
  /** The names the plan asked the certificate for: exactly these. */
  readonly references: readonly string[]
  /** The SNI that the host saw; null for none. Under DANE the TLSA base domain. */
  readonly sni: string | null
  /** The TLSA record that decided: its place in the answer, from 0, and the numbers it begins with. Null: none did. */
  readonly record: { readonly index: number; readonly begins: string } | null
  /** What sessions before it failed for, in order. */
  readonly failedBefore: readonly ReasonCode[]
  /** What the session that carried it must tell beside. */
  readonly remarks: readonly ReasonCode[]
  /** Hosts that must have been called, and have seen no mail command. */
  readonly untouched: readonly string[]
  /** Hosts that must not have been called. */
  readonly uncalled: readonly string[]
  /** Owners that TLSA records may be asked for, no other; the last is the one of the records that count. */
  readonly tlsa: readonly string[]
}

interface Deferred {
  readonly outcome: 'deferred'
  readonly reason: ReasonCode
  readonly untouched: readonly string[]
  readonly uncalled: readonly string[]
  readonly tlsa: readonly string[]
}

interface Returned {
  readonly outcome: 'returned'
  readonly reason: ReasonCode
  readonly untouched: readonly string[]
}

interface Refused {
  /** The client is told so and nothing is accepted. */
  readonly outcome: 'refused'
  readonly code: number
  /** The incident in the relay's journal. */
  readonly incident: string
}

/** A message for this recipient, submitted as ordinary clients do. */
export function mailTo(to: string, content: 'plain' | 'eight-bit' = 'plain'): Act {
  return { kind: 'mail', to, content }
}

/** Unless said otherwise: over TLS with the first of the names as SNI, at the first host that is called, without a TLSA record or a question for one. */
export function delivered(
  at: string,
  expect: Pick<Delivered, 'name' | 'peer' | 'references'> & Partial<Omit<Delivered, 'outcome' | 'at'>>,
): Delivered {
  return {
    outcome: 'delivered',
    at,
    sni: expect.references[0] ?? null,
    record: null,
    failedBefore: [],
    remarks: [],
    untouched: [],
    uncalled: [],
    tlsa: [],
    ...expect,
  }
}

export function deferred(
  reason: ReasonCode,
  expect: Partial<Omit<Deferred, 'outcome' | 'reason'>> = {},
): Deferred {
  return { outcome: 'deferred', reason, untouched: [], uncalled: [], tlsa: [], ...expect }
}

/** Where the senders of the lab get their returned mail. */
export const senderAddress = 'alice@sender.example'
export const senderHost = 'mx.sender.example'
