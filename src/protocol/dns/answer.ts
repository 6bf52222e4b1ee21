/**
 * Questions that pure code puts to the DNS, and the answers it gets: the Q and A of our walks.
 */
import type { DnssecReason } from '../dnssec/reasons.ts'
import type { DnsReason } from './reasons.ts'

export type RecordType = 'A' | 'AAAA' | 'MX' | 'CNAME' | 'TXT' | 'PTR' | 'TLSA'

export interface DnsQuestion {
  /** Presentation form, A-labels, any case, with or without the last dot. */
  readonly name: string
  readonly type: RecordType
}

/** Parsed RDATA of the types we decide on. Names in lower case without the last dot; the root is the empty string. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: string }
  | { readonly type: 'CNAME' | 'PTR'; readonly target: string }
  | { readonly type: 'TXT'; readonly text: readonly Uint8Array[] }
  | TlsaData

/** RFC 6698 §2.1. Any numbers, any length: what mail can use is for protocol/dane to say. */
export interface TlsaData {
  readonly type: 'TLSA'
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Uint8Array
}

export interface DnsAnswer {
  readonly question: DnsQuestion
  readonly outcome: 'records' | 'no-data' | 'no-such-name' | 'failed'
  readonly records: readonly RecordData[]
  /** Names passed through by CNAME, in order: the last one owns the records. Empty without an alias. */
  readonly aliases: readonly string[]
  /** Smallest TTL on the way, or the negative one (RFC 2308 §5); null when it failed. */
  readonly ttlSeconds: number | null
  /**
   * Of everything that led here, aliases included: the weakest. `unvalidated`: nobody was asked to say. An answer that is bogus has `failed`, always; one that is
   * indeterminate for want of a trust anchor may have records, and is worth what an insecure one is (RFC 7672 §2.1.1).
   */
  readonly security: DnsSecurity
  /** Why it is insecure or bogus, in one sentence; null otherwise. Holds text from outside in presentation form. */
  readonly because: string | null
  /** Who answered: `address:port`, `hosts-file`; null when nobody did. `cached`: not asked again. */
  readonly server: string | null
  readonly cached: boolean
  /** Set when `outcome` is `failed`: `SERVFAIL`, `REFUSED`, `timeout`, `malformed answer`, `alias loop`. */
  readonly why: string | null
  readonly reason: DnsReason | DnssecReason | null
}

export type DnsSecurity = 'unvalidated' | 'secure' | 'insecure' | 'bogus' | 'indeterminate'

/** The answer to a question that nobody answered, or not so that it can be used. @param why in a few words */
export function failedAnswer(
  question: DnsQuestion,
  why: string,
  reason: DnsReason | DnssecReason,
  security: DnsSecurity = 'indeterminate',
): DnsAnswer {
  return {
    question,
    outcome: 'failed',
    records: [],
    aliases: [],
    ttlSeconds: null,
    security,
    because: null,
    server: null,
    cached: false,
    why,
    reason,
  }
}
