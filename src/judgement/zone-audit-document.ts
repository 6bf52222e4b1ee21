/** `hermetic.zone-audit/1`: what the owner of a zone, and who relies on it for mail, should know of it; docs/zone-audit.schema.json is its JSON Schema. Types only. */
import type { DnsReason } from '../protocol/dns/reasons.ts'
import type { DnssecReason } from '../protocol/dnssec/reasons.ts'
import type { Security } from '../protocol/dnssec/types.ts'
import type { Severity, Timestamp } from './evidence.ts'
import type { ZoneCode } from './zone-findings.ts'

export interface ZoneAuditDocument {
  readonly schema: 'hermetic.zone-audit/1'
  /** As asked for. */
  readonly domain: string
  /** That the domain lies in. */
  readonly zone: string
  /** The time that signatures were held against. */
  readonly at: Timestamp
  /** `broken`: an error among the findings. `warnings`: none, and warnings. */
  readonly verdict: 'sound' | 'warnings' | 'broken'
  /** The verdict in one sentence. */
  readonly says: string
  /** Of the zone's SOA. */
  readonly security: Security
  /** Errors first. */
  readonly findings: readonly ZoneFinding[]
  /** From the trust anchor down; then zones of the mail hosts. */
  readonly chain: readonly ZoneLink[]
  /** Of what was looked at in the zone and in those of the mail hosts: the one that ends first comes first. */
  readonly signatures: readonly ZoneSignatures[]
  readonly denials: readonly ZoneDenial[]
  /** How the zone proves what is not there; null when that was not seen. */
  readonly denial: ZoneDenialParameters | null
  readonly mail: ZoneMail
  /** Answers that were too large for a datagram. */
  readonly large: readonly LargeAnswer[]
  readonly servers: readonly ZoneServer[]
  readonly questions: number
}

/** Who must act. `parent`: the zone's owner, at the registrar. */
export type ZoneActor = 'zone' | 'parent' | 'mail' | 'resolver' | 'clock' | 'nobody'

export interface ZoneFinding {
  readonly code: ZoneCode
  readonly severity: Severity
  /** The zone, the host or the server that is spoken of. */
  readonly subject: string
  readonly says: string
  readonly actor: ZoneActor
  /** In words, for the middle of a sentence. */
  readonly acts: string
  /** The narrowest fix. */
  readonly remedy: string
  readonly spec: string | null
  /** Of the answer that it is about, where one could not be used or is not secure; docs/findings.md. */
  readonly reason: DnssecReason | DnsReason | null
}

export interface ZoneLink {
  readonly zone: string
  /** `above`: on the way to the zone, or to that of a mail host. */
  readonly role: 'above' | 'audited' | 'mail'
  readonly security: Security
  /** What the validator found. */
  readonly says: string
  /** What the parent publishes; empty for the zone of a trust anchor. */
  readonly ds: readonly ZoneDs[]
  readonly keys: readonly ZoneKeyFacts[]
}

export interface ZoneDs {
  readonly keyTag: number
  readonly algorithm: number
  readonly algorithmName: string
  readonly digestType: number
  /** `matches`: names a key that is there. `unknown`: its algorithm or digest is not known here. */
  readonly state: 'matches' | 'no-key' | 'unknown'
}

export interface ZoneKeyFacts {
  readonly keyTag: number
  readonly algorithm: number
  readonly algorithmName: string
  /** Of RSA; null for others. */
  readonly bits: number | null
  /** The SEP bit (RFC 4034 §2.1.1). */
  readonly isEntryPoint: boolean
  readonly isRevoked: boolean
  /** Its tag is on a signature that was seen. */
  readonly isUsed: boolean
}

export interface ZoneSignatures {
  readonly name: string
  readonly type: string
  readonly signer: string
  readonly keyTags: readonly number[]
  readonly algorithms: readonly number[]
  /** `now`: at least one of them holds. */
  readonly state: 'now' | 'ended' | 'not-yet'
  readonly begins: Timestamp
  /** Of the one that ends last among those that hold; of all, where none does. */
  readonly ends: Timestamp
  /** Negative when it has ended. */
  readonly secondsLeft: number
  readonly ttlSeconds: number
}

export interface ZoneDenial {
  readonly question: string
  /** `exists`: there is something, so nothing was to be proven. */
  readonly state: 'proven' | 'unproven' | 'not-signed' | 'exists' | 'unanswered'
  readonly says: string
}

export interface ZoneDenialParameters {
  readonly by: 'nsec' | 'nsec3'
  /** Of NSEC3; null for NSEC. */
  readonly iterations: number | null
  /** In hexadecimal digits; empty: none. */
  readonly salt: string | null
  readonly optOut: boolean
}

export interface ZoneMail {
  /** `implicit`: no MX records, so that the domain stands for itself; `no-mail`: it has no address either. */
  readonly mx: 'records' | 'implicit' | 'no-mail' | 'null-mx' | 'no-such-name' | 'unknown'
  readonly security: Security
  readonly hosts: readonly ZoneMailHost[]
  readonly hostsLeftOut: number
}

export interface ZoneMailHost {
  readonly host: string
  readonly preference: number | null
  readonly addresses: number
  /** Of the addresses, aliases included: the weakest. */
  readonly security: Security
  readonly aliases: readonly string[]
  /** What a sender can go by: `usable` is authenticated, `unusable` only encrypted, `not-signed` is not looked at. */
  readonly tlsa: 'usable' | 'unusable' | 'absent' | 'not-signed' | 'failed'
  /** Owner of the records, or where they were looked for. */
  readonly owner: string
  readonly records: readonly ZoneTlsa[]
}

export interface ZoneTlsa {
  /** `3 1 1 8d02…`, whole. */
  readonly text: string
  readonly state: 'counts' | 'shadowed' | 'unusable'
}

export interface LargeAnswer {
  readonly question: string
  readonly bytes: number
}

export interface ZoneServer {
  readonly server: string
  /** Whether it answered anything at all. */
  readonly isThere: boolean
  readonly signatures: 'arrive' | 'stripped' | 'unknown'
  readonly tcp: 'works' | 'fails' | 'unknown'
  readonly clock: 'sane' | 'ahead' | 'behind' | 'unknown'
  /** Of the zone's SOA; null when it is not known, or when there is only this server. */
  readonly serial: number | null
}
