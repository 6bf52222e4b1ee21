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
    const id = createHash('sha256').update(der).digest('base64')
    const found = known.get(id) ?? seen(der)
    if (isHeavy(found.read)) return found
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
  const evidence = certificateEvidence(read, 0)
  return {
    read,
    evidence: {
      ...evidence,
      subject: evidence.subject?.slice(0, maxTextChars) ?? null,
      issuer: evidence.issuer?.slice(0, maxTextChars) ?? null,
      names: withinChars(evidence.names),
    },
  }
}

/** The first names, as many as fit: a certificate can have thousands, and every session with it is kept. What is judged is the certificate itself. */
function withinChars(names: CertificateEvidence['names']): CertificateEvidence['names'] {
  let left = maxNamesChars
  const end = names.findIndex(({ value }) => {
    left -= value.length + 10
    return left < 0
  })
  return end < 0 ? names : names.slice(0, end)
}

/** Whether it would take far more memory than certificates of the public web do. Strangers can send such, and must not fill our memory with them. */
function isHeavy(read: Read): boolean {
  if (read.kind === 'malformed') return read.der.length > maxRememberedBytes
  const { der, extensions, alternativeNames, nameConstraints, faults } = read.certificate
  const parts =
    extensions.length +
    (alternativeNames?.length ?? 0) +
    (nameConstraints?.permitted.length ?? 0) +
    (nameConstraints?.excluded.length ?? 0) +
    faults.length
  return der.length > maxRememberedBytes || parts > maxRememberedParts
}

/** A certificate of the public web has 1 to 5 KB, and a hundred names at most. */
const maxRememberedBytes = 16_384
const maxRememberedParts = 300

/** In evidence. Longer than any name of a host, so that none is cut in two that could be one. */
const maxTextChars = 500
const maxNamesChars = 4_000
