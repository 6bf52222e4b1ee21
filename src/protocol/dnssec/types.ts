/**
 * DNSSEC (RFC 4033, 4034, 4035): what is read from records, what the validator asks, and what it answers. Types only.
 *
 * The validator is a walk over whole DNS messages (validate.ts): whoever drives it fetches them, with DO and CD set, from any resolver or recording.
 * Nothing a server says is believed but what signatures prove: not its AD bit, and not its response code.
 */

import type { Message, ResourceRecord } from '../dns/message.ts'
import type { Name } from '../dns/name.ts'
import type { DnsReason } from '../dns/reasons.ts'
import type { Sha1Policy } from './algorithms.ts'
import type { DnssecReason, InsecureReason } from './reasons.ts'

/**
 * RFC 4035 §4.3. `secure`: a chain of signatures from the anchor proves it. `insecure`: it is proven that no such chain is meant to exist.
 * `bogus`: one is meant to exist, and is broken. `indeterminate`: nothing could be found out, because no usable answer came, or because there is no anchor.
 */
export type Security = 'secure' | 'insecure' | 'bogus' | 'indeterminate'

/** RFC 4034 §3.1. */
export interface Rrsig {
  readonly typeCovered: number
  readonly algorithm: number
  /** Labels of the owner without root and wildcard: fewer than the owner has means a wildcard was expanded. */
  readonly labels: number
  readonly originalTtlSeconds: number
  /** Seconds since 1970 modulo 2^32: compared in serial arithmetic (RFC 4034 §3.1.5). */
  readonly expiration: number
  readonly inception: number
  readonly keyTag: number
  readonly signer: Name
  readonly signature: Uint8Array
  /** The RDATA up to the signature, as it stood on the wire. */
  readonly head: Uint8Array
}

/** RFC 4034 §2.1. */
export interface Dnskey {
  readonly flags: number
  readonly protocol: number
  readonly algorithm: number
  readonly publicKey: Uint8Array
  readonly rdata: Uint8Array
  /** RFC 4034 appendix B: a hint, which several keys may share. */
  readonly keyTag: number
}

/** RFC 4034 §5.1. */
export interface Ds {
  readonly keyTag: number
  readonly algorithm: number
  readonly digestType: number
  readonly digest: Uint8Array
}

/** Types that a bitmap lists (RFC 4034 §4.1.2), in increasing order. A set of numbers is one too. */
export interface TypeSet extends Iterable<number> {
  has(type: number): boolean
}

/** RFC 4034 §4. */
export interface Nsec {
  readonly owner: Name
  readonly next: Name
  readonly types: TypeSet
}

/** RFC 5155 §3. */
export interface Nsec3 {
  /** The zone: the owner without its first label. */
  readonly zone: Name
  /** The hash in the owner's first label, decoded from base32hex. */
  readonly hash: Uint8Array
  readonly algorithm: number
  readonly flags: number
  readonly iterations: number
  readonly salt: Uint8Array
  readonly nextHash: Uint8Array
  readonly types: TypeSet
}

/** Records of one owner, type and class, and the signatures that came with them. */
export interface Rrset {
  readonly name: Name
  readonly type: number
  readonly records: readonly ResourceRecord[]
  /** Unverified. What cannot be read as RRSIG is left out. */
  readonly signatures: readonly Rrsig[]
  /** Smallest of the records and their signatures, as received. */
  readonly ttlSeconds: number
}

/** A key that is trusted without a proof: the DS or the DNSKEY of a zone. */
export type TrustAnchor = { readonly zone: Name } & (
  | { readonly kind: 'ds'; readonly ds: Ds }
  | { readonly kind: 'dnskey'; readonly dnskey: Dnskey }
)

export interface WireQuestion {
  readonly name: Name
  readonly type: number
}

/** What came back for one question. */
export type WireAnswer =
  /** `server`: who sent it, for people. */
  | { readonly kind: 'message'; readonly message: Message; readonly server: string }
  | { readonly kind: 'failed'; readonly reason: DnsReason; readonly why: string; readonly server: string | null }

export interface ValidationContext {
  readonly anchors: readonly TrustAnchor[]
  /** Negative trust anchors (RFC 7646): at and below these nothing is validated, and everything is insecure. */
  readonly insecure: readonly Name[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
  readonly budget: DnssecBudget
  /** Whether algorithms with SHA-1 count as signed. Left out: `insecure` (RFC 9905 §2). */
  readonly sha1?: Sha1Policy
  /** Zones whose keys were validated before; the walk reads and adds. */
  readonly zones: ZoneCache
}

/** Work that servers can cause, counted at one door (budget.ts). `spend` answers false when there is no more, for good. */
export interface DnssecBudget {
  spend(work: DnssecWork, amount: number): boolean
  readonly spent: Readonly<Record<DnssecWork, number>>
}

export type DnssecWork =
  | 'questions'
  /** Signature verifications, in units of one RSA-2048 verification (CVE-2023-50387). */
  | 'signatures'
  /** Hash computations for DS and key tags that collide. */
  | 'digests'
  /** SHA-1 blocks of NSEC3 hashing, iterations included (CVE-2023-50868, RFC 9276). */
  | 'nsec3-hashes'

/** What is known of a zone, and until when. In memory; bounded by whoever makes it. */
export interface ZoneCache {
  get(zone: Name, nowMs: number): KnownZone | null
  put(zone: Name, known: KnownZone): void
}

export type KnownZone =
  /** Its keys, proven. */
  | {
      readonly kind: 'secure'
      readonly keys: readonly Dnskey[]
      readonly expiresAtMs: number
      readonly steps: readonly ZoneStep[]
    }
  /** Proven to be unsigned, or signed with nothing we can verify. */
  | {
      readonly kind: 'insecure'
      readonly reason: InsecureReason
      readonly expiresAtMs: number
      readonly steps: readonly ZoneStep[]
    }

/** One link of the chain of reasons, root first. */
export interface ZoneStep {
  /** Presentation form; the root is `.`. */
  readonly zone: string
  readonly security: Security
  /** Null where nothing is wrong. */
  readonly reason: DnssecReason | DnsReason | null
  /** What was found, in one sentence; holds text from outside only in presentation form. */
  readonly says: string
}

export interface AliasStep {
  readonly from: Name
  readonly to: Name
  readonly by: 'CNAME' | 'DNAME'
  /** Of this hop alone. */
  readonly security: Security
}

export interface ValidatedAnswer {
  readonly question: WireQuestion
  readonly outcome: 'records' | 'no-data' | 'no-such-name' | 'failed'
  /** Of everything that led here: the weakest of all hops and of the end. */
  readonly security: Security
  /** Of the last owner alone, without the aliases that led there. */
  readonly endSecurity: Security
  /** Of the type asked for, owned by the last alias's target; empty unless `outcome` is `records`. */
  readonly records: readonly ResourceRecord[]
  readonly aliases: readonly AliasStep[]
  /** How long it may be kept: smallest TTL, original TTL and rest of a signature's life on the way (RFC 4035 §5.3.3); null when it failed. */
  readonly ttlSeconds: number | null
  /** Why it is bogus, insecure, indeterminate or failed; null when it is secure. */
  readonly reason: DnssecReason | DnsReason | null
  readonly steps: readonly ZoneStep[]
  /** Who sent the last answer. */
  readonly server: string | null
}
