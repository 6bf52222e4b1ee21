/** The question that path.ts answers, and its answer: types only. */
import type { Certificate, Fault, Profile, PublicKey, Purpose } from './model.ts'
import type { X509Refusal } from './reasons.ts'

/**
 * Where a path may end. A certificate of `trusted` roots, or one that a TLSA record names; or a key without a certificate (TLSA `2 1 0`).
 * An anchor's own signature is never checked; its constraints and usages are, and its dates as the question says.
 */
export type Anchor =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'key'; readonly publicKey: PublicKey }

export interface PathQuestion {
  readonly leaf: Certificate
  /** Certificates that came with it, in any order, strangers and the leaf itself included. */
  readonly others: readonly Certificate[]
  readonly anchors: readonly Anchor[]
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly profile: Profile
  readonly purpose: Purpose
  /**
   * Dates of an anchor's certificate (RFC 5280 §6.2 leaves them to the verifier). `judged`, also when left out: for trusted roots. `reported`, for
   * anchors that a TLSA record names: those of a certificate that another authority signed are only told, since the record vouches for the
   * anchor as long as the DNS does; a self-issued one is held to its own dates. OpenSSL, and with it Postfix, does the same.
   */
  readonly anchorDates?: 'judged' | 'reported'
  /** Certificates between leaf and anchor, self-issued ones not counted. */
  readonly maxIntermediates: number
  /** Spent by this question; hand the same one to several questions that one peer caused. */
  readonly budget: Budget
}

/** Work that a peer can cause, counted at one door (budget.ts). `spend` answers false when there is no more, for good. */
export interface Budget {
  spend(work: Work, amount: number): boolean
  /** What was spent so far. */
  readonly spent: Readonly<Record<Work, number>>
}

export type Work =
  /** Signature verifications, in units of one RSA-2048 verification. */
  | 'signatures'
  /** Extensions of a partial path by one certificate. */
  | 'steps'
  /** One name held against one constraint. */
  | 'name-comparisons'

export interface ValidPath {
  /** Leaf first. Ends with the anchor's certificate, or with the highest certificate that the anchor's key signed. */
  readonly certificates: readonly Certificate[]
  readonly anchor: Anchor
  /** The anchor's place: its certificate's index in `certificates`; for a bare key that of the highest certificate it signed. */
  readonly depth: number
  /** Faults of issuance of the path's certificates, which the profile lets pass. */
  readonly faults: readonly PathFault[]
}

/** Why there is no path: what was wrong with the one that came furthest. */
export interface NoPath {
  readonly reason: X509Refusal | Fault['reason']
  readonly detail: string | null
  /** The certificate concerned; null when none is. */
  readonly certificate: Certificate | null
  /** The furthest that signatures led from the leaf, leaf first: for explanations. */
  readonly furthest: readonly Certificate[]
}

export interface PathFault extends Fault {
  readonly certificate: Certificate
}

/**
 * All anchors that a valid path leads to, each by its shortest path, shortest first; with a path to the same anchor tried again
 * when a shorter one was refused. Empty: `none` says why.
 */
export interface PathAnswer {
  readonly paths: readonly ValidPath[]
  readonly none: NoPath | null
}
