/** A certificate in the vocabulary of evidence: the same in a session, in `verify` and in `cert show`. */
import { createHash } from 'node:crypto'
import { nameText } from '../protocol/x509/distinguished-name.ts'
import { presentedNames } from '../protocol/x509/identity.ts'
import type { Read } from '../protocol/x509/model.ts'
import { keyText } from '../protocol/x509/public-key.ts'
import type { CertificateEvidence, Timestamp } from './evidence.ts'

/** One certificate of a chain as it was sent, or what stood in its place. */
export function certificateEvidence(read: Read, position: number): CertificateEvidence {
  if (read.kind === 'malformed') return { ...unreadable, position, sha256: fingerprint(read.der) }
  const { subject, issuer, keyUsage, notBeforeMs, notAfterMs, publicKey, der } = read.certificate
  return {
    position,
    subject: nameText(subject),
    issuer: nameText(issuer),
    names: presentedNames(read.certificate),
    keyUsage: keyUsage === null ? null : [...keyUsage],
    notBefore: dateOf(notBeforeMs),
    notAfter: dateOf(notAfterMs),
    key: keyText(publicKey.facts),
    sha256: fingerprint(der),
  }
}

/** SHA-256 of the whole certificate, in hexadecimal digits. */
export function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

function dateOf(timeMs: number | null): Timestamp | null {
  return timeMs === null ? null : new Date(timeMs).toISOString()
}

const unreadable = {
  subject: null,
  issuer: null,
  names: [],
  keyUsage: null,
  notBefore: null,
  notAfter: null,
  key: null,
}
