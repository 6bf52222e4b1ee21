/**
 * The vocabulary of evidence, version 1: what was seen at every step, as plain JSON values. Documents
 * (`hermetic.session/1`, `hermetic.delivery/1`) are composed from these parts; docs/evidence.schema.json is their JSON Schema.
 *
 * Never in here: message content, credentials, key material. Text from outside is kept as it came (bounded), and shown through `visible`.
 */
import type { DnsSecurity } from '../protocol/dns/answer.ts'
import type { KeyUsage } from '../protocol/x509/model.ts'
import type { ReasonCode } from './failure.ts'
import type { Level, NameProof, Plan } from './plan.ts'

/** RFC 3339 in UTC with milliseconds. */
export type Timestamp = string

export type Culprit = 'peer' | 'zone' | 'network' | 'policy' | 'us' | 'operator' | 'sender'
export type Condemns = 'session' | 'host' | 'message' | 'recipient'
export type Severity = 'info' | 'warning' | 'error'

/** One question to the DNS and what came back. */
export interface DnsEvidence {
  readonly name: string
  readonly type: string
  readonly answer: 'records' | 'no-data' | 'no-such-name' | 'failed'
  /** Presentation form of each record of the wanted type. */
  readonly records: readonly string[]
  /** The names passed through by CNAME, the last being the one that answered; empty without an alias. */
  readonly aliases: readonly string[]
  /** Of everything that led to it, aliases included. `unvalidated`: nobody was asked to say. */
  readonly security: DnsSecurity
  /** Why it is insecure or bogus, in one sentence. */
  readonly because: string | null
  readonly ttlSeconds: number | null
  /** Which server answered, `address:port`, or `cache`, `hosts-file`; null when none did. */
  readonly server: string | null
  /** Why it failed: `SERVFAIL`, `timeout`, `malformed`… */
  readonly why: string | null
}

/** All but `position` and `sha256` are null, or empty, for what is no certificate. */
export interface CertificateEvidence {
  /** Place in the chain as sent, the leaf is 0. */
  readonly position: number
  /** RFC 4514. */
  readonly subject: string | null
  readonly issuer: string | null
  /** DNS names as A-labels in lower case. */
  readonly names: readonly { readonly type: 'dns' | 'ip' | 'email' | 'uri' | 'cn'; readonly value: string }[]
  /** Null: no such extension, which permits everything. */
  readonly keyUsage: readonly KeyUsage[] | null
  /** Null: the date cannot be read. */
  readonly notBefore: Timestamp | null
  readonly notAfter: Timestamp | null
  /** `RSA 2048`, `EC P-256`, `Ed25519`. */
  readonly key: string | null
  readonly sha256: string
}

/** Our own judgement of the path, never of the name (ARCHITECTURE decision 7). */
export interface PathEvidence {
  /** Leaf first, the trusted root last; empty when no path is valid. `position` is null for what was not sent. */
  readonly certificates: readonly { readonly position: number | null; readonly subject: string }[]
  /** Why no path is valid. */
  readonly failure: FailureEvidence | null
}

/** What every TLSA record of the plan came to against the chain as sent. */
export interface DaneEvidence {
  readonly records: readonly {
    readonly text: string
    readonly state: 'counts' | 'shadowed' | 'unusable'
    /** Certificates that it names: place in the chain as sent (null: only the record holds it), and steps from the leaf (null: no signature leads there). */
    readonly matches: readonly { readonly position: number | null; readonly depth: number | null }[]
    /** In one sentence. */
    readonly says: string
  }[]
  /** Place of the record that decided, from 0; null when none did. */
  readonly record: number | null
  /** Of the certificate it named, steps from the leaf; null when none did. */
  readonly depth: number | null
}

export interface TlsEvidence {
  readonly outcome: 'established' | 'failed'
  /** `TLSv1.3`. */
  readonly version: string | null
  readonly cipher: string | null
  /** Key exchange group where it is known: `X25519MLKEM768`, `ECDH prime256v1 256`, `DH 2048`. */
  readonly group: string | null
  readonly sni: string | null
  /** As sent, leaf first; only the first of a long chain. */
  readonly chain: readonly CertificateEvidence[]
  /** How many certificates were sent. */
  readonly sent: number
  readonly path: PathEvidence | null
  /** Null: the plan holds no TLSA records that could prove the peer. */
  readonly dane: DaneEvidence | null
  /** OpenSSL's second opinion on the path (never on the name). */
  readonly openssl: { readonly authorized: boolean; readonly error: string | null } | null
  readonly failure: FailureEvidence | null
}

export interface ReplyEvidence {
  readonly code: number
  readonly enhanced: string | null
  readonly text: string
}

export interface SmtpEvidence {
  readonly greeting: ReplyEvidence | null
  /** Keywords of the EHLO answer in clear text, and again inside TLS. */
  readonly offered: { readonly clear: readonly string[] | null; readonly tls: readonly string[] | null }
}

/** A finding as documents carry it: findings.ts holds the register they come from. */
export interface Finding {
  readonly code: ReasonCode
  readonly severity: Severity
  readonly culprit: Culprit
  readonly condemns: Condemns
  readonly lasting: 'for-now' | 'for-good'
  /** What happened, in one sentence. */
  readonly says: string
  /** Who must act and the narrowest fix, in one sentence. */
  readonly remedy: string
  /** Where the rule is written: `RFC 3207 §4.2`; null where none is. */
  readonly spec: string | null
}

export interface FailureEvidence {
  readonly code: ReasonCode
  readonly detail: string | null
  readonly reply: ReplyEvidence | null
}

export interface VerdictEvidence {
  readonly kind: 'authenticated' | 'encrypted' | 'clear' | 'refused'
  /** The two axes (ARCHITECTURE decision 2). `peer` is null when refused. */
  readonly name: string
  readonly peer: string | null
  readonly matched: string | null
  /** The TLSA record that decided, `2 1 1 8d02…`; null when none did. */
  readonly record: string | null
  /** One sentence. */
  readonly says: string
}

/** One connection to one address of one host: `hermetic.session/1`. */
export interface SessionDocument {
  readonly schema: 'hermetic.session/1'
  readonly id: string
  readonly at: Timestamp
  readonly host: string
  readonly address: string
  readonly port: number
  readonly plan: Plan
  readonly dns: readonly DnsEvidence[]
  readonly connected: boolean
  readonly tls: TlsEvidence | null
  readonly smtp: SmtpEvidence
  readonly verdict: VerdictEvidence | null
  readonly failure: FailureEvidence | null
  readonly findings: readonly Finding[]
  /** Milliseconds spent: connecting, until the greeting, in the TLS handshake. */
  readonly ms: {
    readonly connect: number | null
    readonly greeting: number | null
    readonly handshake: number | null
  }
}

export interface RecipientOutcome {
  readonly address: string
  readonly outcome: 'delivered' | 'deferred' | 'failed'
  readonly failure: FailureEvidence | null
  /** The last reply that decided it, positive ones included. */
  readonly reply: ReplyEvidence | null
}

export type { DnsStanding } from '../protocol/dns/standing.ts'

/** What the route asks of the peer, and how the next hop's name is known; null as long as the DNS has told none. */
export interface Planned {
  readonly level: Level
  readonly name: NameProof | null
}

/** One attempt to pass one message to one next hop: `hermetic.delivery/1`. */
export interface DeliveryDocument {
  readonly schema: 'hermetic.delivery/1'
  readonly id: string
  readonly message: string
  readonly at: Timestamp
  readonly attempt: number
  readonly from: string
  /** The next hop as the route named it, and the rule that won. */
  readonly nextHop: string
  readonly route: string
  readonly recipients: readonly RecipientOutcome[]
  /** Connections tried for it, in order; the last carried it, if any did. */
  readonly sessions: readonly string[]
  /** The host that the outcome is from: that took or refused the mail, or was itself refused or not reached; null when there was none. */
  readonly host: string | null
  readonly address: string | null
  readonly port: number | null
  /** How that host was judged, on both axes (ARCHITECTURE decision 2). */
  readonly verdict: VerdictEvidence | null
  /** What was planned before any host was asked; null when no route led to a next hop. */
  readonly planned: Planned | null
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; null in clear, or when no host answered. */
  readonly tls: string | null
  readonly findings: readonly Finding[]
  readonly nextAttempt: Timestamp | null
  readonly ms: number
}
