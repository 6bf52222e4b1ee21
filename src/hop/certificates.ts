/**
 * Certificates of a handshake, read: for judging, and as evidence. The same certificate is read once and remembered by its
 * fingerprint, because most connections of a busy relay see the same few; with it goes whatever was learned of its key.
 *
 * It reads; it judges nothing. What is no certificate to us (Node's parser is more lenient) is told as such.
 */
import { createHash } from 'node:crypto'
import { certificateEvidence } from '../judgement/certificate-evidence.ts'
import type { CertificateEvidence } from '../judgement/evidence.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import type { Read } from '../protocol/x509/model.ts'

export interface SeenCertificate {
  readonly read: Read
  readonly evidence: CertificateEvidence
}

export interface CertificateReader {
  /** @param chain as sent, leaf first, each certificate in DER */
  read(chain: readonly Uint8Array[]): readonly SeenCertificate[]
}

export function createCertificateReader(maxRemembered = 1_000): CertificateReader {
  const known = new Map<string, SeenCertificate>()
  return {
    read: chain =>
      chain.map((der, position) => {
        const found = remembered(der)
        return position === 0 ? found : { ...found, evidence: { ...found.evidence, position } }
      }),
  }

  function remembered(der: Uint8Array): SeenCertificate {
    if (der.length > maxRememberedBytes) return seen(der)
    const id = createHash('sha256').update(der).digest('base64')
    const found = known.get(id) ?? seen(der)
    // Newest last, so that the first key is always the one longest unused.
    known.delete(id)
    known.set(id, found)
    if (known.size > maxRemembered) {
      const oldest = known.keys().next()
      if (oldest.done !== true) known.delete(oldest.value)
    }
    return found
  }
}

function seen(der: Uint8Array): SeenCertificate {
  const read = parseCertificate(der)
  return { read, evidence: certificateEvidence(read, 0) }
}

/** A certificate of the public web has 1 to 5 KB. Strangers can send larger ones, and must not fill our memory with them. */
const maxRememberedBytes = 16_384
