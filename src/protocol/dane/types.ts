/** TLSA records and what becomes of them against a chain (RFC 6698, 7671, 7672): types only. */
import type { Certificate, Read } from '../x509/model.ts'
import type { Budget, NoPath, ValidPath } from '../x509/path-types.ts'

/** A record as published (RFC 6698 §2.1): three octets and the association data. Any numbers, any length. */
export interface Tlsa {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Uint8Array
}

export type RecordState = 'counts' | 'shadowed' | 'unusable'

/** One record against the chain. */
export interface RecordJudgement {
  /** Place among the records as given, from 0. */
  readonly index: number
  readonly record: Tlsa
  readonly state: RecordState
  /** Why it is unusable or shadowed; null when it counts. */
  readonly because: UnusableBecause | 'stronger-digest-published' | null
  /**
   * Every certificate whose bytes (or whose key's bytes) the record names, whatever its state and the names; leaf first, copies too.
   * Last what only a counting record holds, where signatures lead to it.
   */
  readonly matches: readonly RecordMatch[]
  /** What became of a record that counts; null otherwise. */
  readonly outcome: RecordOutcome | null
}

export type UnusableBecause =
  /** 0 and 1 (PKIX-TA, PKIX-EE): RFC 7672 §3.1.3. */
  | 'usage-for-pkix'
  | 'usage-unknown'
  | 'selector-unknown'
  | 'matching-type-unknown'
  /** SHA-256 has 32 octets, SHA-512 has 64. */
  | 'digest-length'
  /** Matching type 0 whose data is no certificate, or no key. */
  | 'data-unreadable'

export interface RecordMatch {
  /** Null when the certificate or key exists only in the record (`2 0 0`, `2 1 0`). */
  readonly position: number | null
  /** Steps of verified signatures from the leaf; null when nothing leads there. */
  readonly depth: number | null
  /** Null for a bare key. */
  readonly certificate: Certificate | null
}

export type RecordOutcome =
  /** It authenticates the peer: this one, or one before it in rank, decides. */
  | { readonly kind: 'authenticates'; readonly depth: number }
  /** A valid path leads to it, but the leaf carries none of the names. */
  | { readonly kind: 'name-mismatch'; readonly depth: number }
  /** It names a certificate, and no valid path leads from the leaf to that. `because` null: why not was not looked into, for that was done for many other records. */
  | { readonly kind: 'no-path'; readonly because: NoPath | null }
  /** Usage 2, and the only certificate it names is the leaf: RFC 7671 §5.2 wants an issuer. */
  | { readonly kind: 'ta-is-leaf' }
  /** Usage 3, and it names another certificate than the leaf. */
  | { readonly kind: 'ee-not-leaf' }
  /** It names no certificate that was sent; and where it holds a certificate or key itself, no signature leads there. */
  | { readonly kind: 'no-match' }

export interface DaneQuestion {
  /** As sent, leaf first. */
  readonly chain: readonly Read[]
  /** In the order they are to be numbered. Not empty. */
  readonly records: readonly Tlsa[]
  /** Reference identifiers for usage 2, first wins; null: names are not to be checked. */
  readonly names: readonly string[] | null
  readonly atMs: number
  readonly maxIntermediates: number
  readonly profile: 'mail' | 'strict'
  readonly purpose: 'server' | 'client'
  /** A name under which strangers register theirs: `*` never covers one. */
  readonly isPublicSuffix: (name: string) => boolean
  readonly budget: Budget
}

export interface DaneJudgement {
  readonly verdict:
    | {
        readonly kind: 'authenticated'
        readonly by: 'dane-ee' | 'dane-ta'
        readonly record: number
        readonly depth: number
        /** The name of the certificate that fitted; null under usage 3, and when names were not checked. */
        readonly matched: { readonly reference: string; readonly presented: string } | null
        /** Usage 2: the path; null under usage 3. */
        readonly path: ValidPath | null
      }
    /** No record is usable: RFC 7672 §2.2 wants TLS, and nothing of the peer. */
    | { readonly kind: 'encrypt-only' }
    | {
        readonly kind: 'not-authenticated'
        readonly reason: 'dane.no-match' | 'x509.name-mismatch' | 'x509.no-certificate' | NoPath['reason']
        readonly detail: string | null
        /** Of the record whose reason it is; null when it is that of no path. */
        readonly none: NoPath | null
      }
  /** One for each record as given. */
  readonly records: readonly RecordJudgement[]
}
