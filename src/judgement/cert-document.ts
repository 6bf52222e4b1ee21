/**
 * `hermetic.cert/1`: a chain in words, with what each certificate tells besides. Composed here from parts, shown by chain-outline-text.ts;
 * docs/cert.schema.json is its JSON Schema.
 *
 * Whether the chain is sound is for chain-outline.ts to say; nothing that is added here changes it. Texts from the certificates are as they stand
 * there (bounded), and are shown through `visible`.
 */
import { type InformationalPart, readInformational } from '../protocol/x509/informational.ts'
import type { Read } from '../protocol/x509/model.ts'
import type { ChainOutline, OutlinedCertificate } from './chain-outline.ts'
import type { Timestamp } from './evidence.ts'

export interface CertDocument extends ChainOutline {
  readonly certificates: readonly ShownCertificate[]
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

/** @param chain What `outline` was made of. */
export function certDocument(outline: ChainOutline, chain: readonly Read[]): CertDocument {
  return {
    ...outline,
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
