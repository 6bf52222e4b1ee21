/**
 * The engine that relay, route and (later) check share: plan(destination) -> reach(host, plan) -> judge -> channel.
 * Types only; hop.ts makes the engine.
 */
import type { DnsEvidence, SessionDocument } from '../judgement/evidence.ts'
import type { Failure } from '../judgement/failure.ts'
import type { Level, Plan } from '../judgement/plan.ts'
import type { Verdict } from '../judgement/verdict.ts'
import type { DnsSecurity } from '../protocol/dns/answer.ts'
import type { Path } from '../protocol/mail/address.ts'
import type { Demands } from '../protocol/mail/envelope.ts'
import type { Reply } from '../protocol/smtp/reply.ts'

/** Where a route sends a message. */
export type Destination =
  | { readonly kind: 'mx'; readonly domain: string; readonly level: Level }
  | {
      readonly kind: 'hosts'
      /** Tried in this order. `name` is a DNS or hosts-file name, or an address, as the operator wrote it. */
      readonly hosts: readonly { readonly name: string; readonly port: number }[]
      readonly level: Level
      readonly implicitTls: boolean
      readonly ipv4Only: boolean
      /** Trust only these roots (PEM) for this destination; null: the ones of the machine's Node (Mozilla's). */
      readonly roots: string | null
    }

/** One address of one host that mail may be offered to, with the plan that holds for it. */
export interface Candidate {
  /** The MX name as published, or the host as the operator wrote it. Never an alias's target. */
  readonly host: string
  readonly address: string
  readonly port: number
  readonly preference: number | null
  /** The names passed through by CNAME between `host` and its address. */
  readonly aliases: readonly string[]
  readonly plan: Plan
}

/** The way to a destination: what `hermetic route` prints. Nothing has been sent to anybody but DNS servers. */
export interface Itinerary {
  readonly destination: Destination
  /** In the order of the zone or the operator (hope.ts puts off those that failed lately). Empty only together with `failure`. */
  readonly candidates: readonly Candidate[]
  /** MX hosts and addresses that were left out, each with its reason. */
  readonly skipped: readonly {
    readonly host: string
    readonly address: string | null
    readonly failure: Failure
  }[]
  /** Why there is no candidate. */
  readonly failure: Failure | null
  readonly dns: readonly DnsEvidence[]
  /** How the hosts are known: what the answer that named them is worth, why no more, and the names passed through to it. Null where no MX records were asked for. */
  readonly mx: {
    readonly security: DnsSecurity
    readonly because: string | null
    readonly aliases: readonly string[]
  } | null
  /** After this the DNS must be asked again. Of the wall clock, for people; whether it is so is what `Hop.isCurrent` says. */
  readonly expiresAtMs: number
  /** The MX host names of the domain as published, in order of preference (for routes on any MX host); empty for `hosts`. */
  readonly mxNames: readonly string[]
}

/** What a server said it can do (EHLO), after TLS if there is any. */
interface Offers {
  readonly pipelining: boolean
  readonly eightBitMime: boolean
  readonly smtputf8: boolean
  readonly enhancedStatusCodes: boolean
  /** RFC 1870: the largest message it takes; null when not said or 0. */
  readonly sizeBytes: number | null
}

/** The mail to hand over. `content` may be read more than once, when the first host fails. */
export interface Mail {
  readonly from: Path | null
  readonly recipients: readonly Path[]
  readonly demands: Demands
  readonly sizeBytes: number
  /** The whole content in memory, or a way to read it in pieces. */
  content(): Uint8Array | AsyncIterable<Uint8Array>
}

/** What came of one transaction, recipient by recipient, in the order of `Mail.recipients`. */
export interface TransactionResult {
  readonly recipients: readonly RecipientResult[]
  /** The channel can carry another transaction. */
  readonly reusable: boolean
}

export type RecipientResult =
  | { readonly kind: 'delivered'; readonly reply: Reply }
  | { readonly kind: 'failed'; readonly failure: Failure }

declare const minted: unique symbol

/** A conversation past its verdict, ready for mail. Only hop makes one. */
interface ChannelBase {
  readonly candidate: Candidate
  readonly verdict: Verdict
  readonly offers: Offers
  /** Id of the session document this channel's transactions refer to. */
  readonly session: string
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`, or null in clear. */
  readonly tls: string | null
  /**
   * When the certificates it was judged by expire, and in any case in an hour: no transaction may begin after this, which `Hop.satisfies` heeds. What the DNS said
   * has a time of its own, that of the candidate which a transaction goes by.
   */
  readonly expiresAtMs: number
  /** Passes one message. Never rejects for anything a peer does. One at a time. */
  send(mail: Mail): Promise<TransactionResult>
  /** False once the peer hung up or a transaction left it unusable. */
  readonly usable: boolean
  /** QUIT, then closes; does not wait longer than a few seconds. */
  close(): Promise<void>
  /** Drops the connection at once. */
  abort(): void
}

/** The only channel a transaction under an authenticating plan can begin on (ARCHITECTURE decision 1). */
export interface AuthenticatedChannel extends ChannelBase {
  readonly [minted]: 'authenticated'
  readonly authenticated: true
}

/** A channel under a plan that asks for no authentication. */
export interface UnauthenticatedChannel extends ChannelBase {
  readonly [minted]: 'unauthenticated'
  readonly authenticated: false
}

export type Channel = AuthenticatedChannel | UnauthenticatedChannel

/**
 * Whether STARTTLS may be left out although it is offered. `as-planned`: TLS is tried. `after-failed-handshake`: the caller saw a handshake fail for the very
 * message this is for, in an earlier attempt and again in this one; then a plan that accepts clear text gets it. Any other plan takes no notice.
 */
export type ClearText = 'as-planned' | 'after-failed-handshake'

/** What came of trying one candidate. The session document is complete either way. */
export type Reached =
  | { readonly kind: 'channel'; readonly channel: Channel; readonly session: SessionDocument }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly session: SessionDocument }

export interface Hop {
  /** Asks the DNS and plans. Never rejects for anything DNS does. */
  itinerary(destination: Destination): Promise<Itinerary>
  /** Only the MX host names of a domain, for routes that match on them. */
  mxNames(domain: string): Promise<{
    readonly names: readonly string[]
    readonly failure: Failure | null
    readonly dns: readonly DnsEvidence[]
  }>
  /** Connects, greets, secures and judges; no mail command has been sent when it resolves. */
  reach(candidate: Candidate, itinerary: Itinerary, clearText?: ClearText): Promise<Reached>
  /** Whether mail may still be planned by it: its answers hold, and the name servers are good for what they were good for then. */
  isCurrent(itinerary: Itinerary): boolean
  /**
   * Whether a transaction may begin now on the channel for mail that goes by this candidate: the channel was judged under its own plan, and the candidate may have another
   * (ARCHITECTURE decision 1). False as well once the records that the candidate's plan stands on have reached the end of their time, its own channel's included.
   */
  satisfies(channel: Channel, candidate: Candidate): boolean
  close(): Promise<void>
}
