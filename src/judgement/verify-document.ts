/**
 * `hermetic.verify/1`: one chain judged, as plain JSON values; types only. Composed by verify.ts, shown by verify-text.ts; docs/verify.schema.json is its JSON Schema.
 *
 * Texts from the certificates are as they stand there (bounded), and are shown through `visible`.
 */
import type { CertificateEvidence, Culprit, Severity, Timestamp } from './evidence.ts'
import type { ReasonCode } from './failure.ts'

export type VerifyVerdict =
  | 'authenticated'
  /** The chain proves itself, and nobody said which name it should carry. */
  | 'authenticated-for-unchecked-name'
  /** TLSA records, none of them usable: TLS is owed, the peer's identity is not (RFC 7672 §2.2). */
  | 'encrypt-only'
  | 'not-authenticated'

export interface VerifyDocument {
  readonly schema: 'hermetic.verify/1'
  readonly verdict: VerifyVerdict
  /** The verdict and its reason in one sentence. */
  readonly says: string
  readonly by: 'dane-ee' | 'dane-ta' | 'pkix' | null
  /** Along the path, leaf 0: what authenticated; null when nothing did. */
  readonly depth: number | null
  /** Index of the deciding record; null without TLSA, or when none decided. */
  readonly record: number | null
  /** The path that decided, leaf first; empty when none did. `position` is null for a certificate that was not sent (a root, a record's). */
  readonly path: readonly { readonly position: number | null; readonly subject: string }[]
  readonly records: readonly VerifyRecord[]
  readonly certificates: readonly CertificateEvidence[]
  readonly names: { readonly tried: readonly string[]; readonly matched: string | null }
  readonly findings: readonly VerifyFinding[]
  readonly stacks: readonly StackOpinion[]
  readonly at: Timestamp
}

export interface VerifyRecord {
  readonly index: number
  /** `2 1 1 8d02505c…`, whole and in lower case. */
  readonly text: string
  readonly state: 'counts' | 'shadowed' | 'unusable'
  /** At most ten; `why` says how many more there are. `position` null: only the record itself holds it. `depth` null: no signatures lead there from the leaf. `subject` null: a bare key, or a certificate that cannot be read. */
  readonly matches: readonly {
    readonly depth: number | null
    readonly position: number | null
    readonly subject: string | null
  }[]
  /** One sentence. */
  readonly why: string
}

export interface VerifyFinding {
  readonly code: ReasonCode
  readonly severity: Severity
  readonly culprit: Culprit
  /** Place of the certificate concerned; null when none is, or when it was not sent. */
  readonly position: number | null
  readonly says: string
  /** Who must act, and the narrowest fix. */
  readonly remedy: string
}

export type StackName =
  | 'gnutls'
  | 'openssl'
  | 'exim-gnutls'
  | 'postfix'
  | 'go'
  | 'rustls'
  | 'schannel'
  | 'jsse'
  | 'hermetic'

export type KeyExchange = 'rsa' | 'ecdhe' | 'tls1.3'

/** What the TLS library would do in the handshake with this leaf, by its key usage alone: path, names and records are not in it. */
export interface StackOpinion {
  readonly stack: StackName
  readonly would: 'accept' | 'refuse' | 'unknown'
  readonly because: string
  /** `lab`: seen, by a test against the real program. `source`: read in its source. */
  readonly proof: 'lab' | 'source' | 'unproven'
}
