/**
 * `hermetic.cert/1`: a chain in words, with what each certificate tells besides. Composed here from parts, shown by chain-outline-text.ts;
 * docs/cert.schema.json is its JSON Schema.
 *
 * Whether the chain is sound is for chain-outline.ts to say; nothing that is added here changes it. Texts from the certificates are as they stand
 * there (bounded), and are shown through `visible`.
 */
import { type InformationalPart, readInformational } from '../protocol/x509/informational.ts'
import type { Read } from '../protocol/x509/model.ts'
import type { OcspStatus } from '../protocol/x509/ocsp-response.ts'
import type { RevocationReason } from '../protocol/x509/revocation-fields.ts'
import type { SignatureVerdict } from '../protocol/x509/signature.ts'
import type { ChainOutline, OutlinedCertificate } from './chain-outline.ts'
import type { Timestamp } from './evidence.ts'

export interface CertDocument extends ChainOutline {
  readonly certificates: readonly ShownCertificate[]
  /** What revocation lists and OCSP responses say of them; empty when none was given. */
  readonly revocation: readonly RevocationReport[]
}

export interface ShownCertificate extends OutlinedCertificate {
  /** Null for a block that is no certificate. */
  readonly informational: InformationalEvidence | null
}

/** What a certificate tells, and nothing decides by. */
export interface InformationalEvidence {
  /** It promises an OCSP answer with each handshake (RFC 7633). */
  readonly mustStaple: boolean
  /** Timestamps of public logs in it (RFC 6962 §3.3); their signatures were not checked. */
  readonly scts: readonly {
    /** 0: version 1. */
    readonly version: number
    readonly logId: string | null
    readonly timestamp: Timestamp | null
  }[]
  readonly ocsp: readonly string[]
  readonly caIssuers: readonly string[]
  readonly crls: readonly string[]
  /** The parts that could not be read, or not to the end. */
  readonly unreadable: readonly { readonly part: InformationalPart; readonly problem: string }[]
}

export type RevocationReport = ListReport | OcspReport

/** A revocation list (RFC 5280 §5). */
export interface ListReport {
  readonly kind: 'crl'
  readonly file: string
  /** Whose it is, who signed it, whether it is out of date: in whole sentences. */
  readonly says: string
  readonly issuer: string
  /** cRLNumber in decimal digits; null: it has none. */
  readonly number: string | null
  readonly entries: number
  readonly thisUpdate: Timestamp
  readonly nextUpdate: Timestamp | null
  readonly freshness: Freshness
  readonly signature: SignatureReport
  readonly certificates: readonly CertificateStatus[]
}

/** An OCSP response (RFC 6960). */
export interface OcspReport {
  readonly kind: 'ocsp'
  readonly file: string
  readonly says: string
  /** Without success all that follows is null or empty of answers. */
  readonly response: OcspStatus
  readonly responder: string | null
  readonly producedAt: Timestamp | null
  readonly signature: SignatureReport | null
  readonly certificates: readonly CertificateStatus[]
}

/** Against the time that was asked about. */
export type Freshness = 'current' | 'out-of-date' | 'not-yet'

export interface SignatureReport {
  readonly verdict: SignatureVerdict | 'no-signer'
  /** The signer's subject; where none was found, who should have signed. */
  readonly by: string
  /** Where the signer's certificate was found: in the file of the chain, among the known roots, in the answer itself. */
  readonly where: 'file' | 'roots' | 'answer' | null
  readonly position: number | null
}

export interface CertificateStatus {
  readonly position: number
  /** `good`: not revoked, as far as this source tells. `not-covered`: it is not about this certificate. */
  readonly status: 'good' | 'revoked' | 'unknown' | 'not-covered'
  readonly revokedAt: Timestamp | null
  readonly reason: RevocationReason | null
  readonly thisUpdate: Timestamp | null
  readonly nextUpdate: Timestamp | null
  readonly freshness: Freshness | null
  /**
   * Who vouches for it: the key that signed the certificate; one that its issuer certified for this (RFC 6960 §4.2.2.2); one of the same name,
   * and another key; or nobody who may.
   */
  readonly authority: 'issuer' | 'delegate' | 'namesake' | 'nobody'
  /** Whole sentences. */
  readonly says: string
}

/** @param chain What `outline` was made of. */
export function certDocument(
  outline: ChainOutline,
  chain: readonly Read[],
  revocation: readonly RevocationReport[] = [],
): CertDocument {
  return {
    ...outline,
    revocation,
    certificates: outline.certificates.map((certificate, index) => ({
      ...certificate,
      informational: informationalEvidence(chain[index]),
    })),
  }
}

function informationalEvidence(read: Read | undefined): InformationalEvidence | null {
  if (read?.kind !== 'certificate') return null
  const { scts, ...rest } = readInformational(read.certificate)
  return {
    ...rest,
    scts: scts.map(({ version, logId, timestampMs }) => ({
      version,
      logId,
      timestamp: timestampMs === null ? null : new Date(timestampMs).toISOString(),
    })),
  }
}
