/**
 * What the register of findings cannot know, as it sees one fault alone: words that depend on which certificate of the chain is concerned, and how it came.
 *
 * An authority's certificate that has expired is replaced or left out, not renewed; a block cut in the middle says nothing about who made the certificate; a
 * certificate that came twice is no stranger. Whoever shows a chain puts these words in the place of the register's.
 */

import type { Certificate, Fault, Read } from '../protocol/x509/model.ts'
import { maxChainCertificates } from '../protocol/x509/pem.ts'
import { validityFault } from '../protocol/x509/rules.ts'
import type { ReasonCode } from './failure.ts'
import { rangesText } from './verify-text.ts'
import { visible } from './visible.ts'

/** In the place of what the register says; `host` is harmless, and `the server` where no name is known. */
export interface Words {
  readonly says?: (host: string) => string
  readonly remedy?: (host: string) => string
}

/** @param position Place in the file; null for a certificate that was not sent. @param read What stands there, if it is known. */
export function wordsFor(code: ReasonCode, position: number | null, read: Read | undefined): Words {
  if (code === 'x509.expired')
    return { remedy: position === null ? currentAnchor : position === 0 ? renewOwn : replaceAuthority }
  if (code === 'x509.malformed' && read?.kind === 'malformed' && read.der.length === 0)
    return position === maxChainCertificates ? tooMany : brokenBlock(read.detail)
  return {}
}

/** A certificate that was sent, has expired, and is not needed: RFC 4158 §3.5.12 has other clients try it first. */
export function needlessExpired(certificate: Certificate, atMs: number): (Fault & Words) | null {
  const fault = validityFault(certificate, atMs)
  if (fault === null || fault.reason !== 'x509.expired') return null
  return {
    reason: fault.reason,
    detail: `${fault.detail ?? ''}; the path does not need it`,
    remedy: host =>
      `The postmaster of ${host} should take this certificate out of the chain file: OpenSSL 1.0, GnuTLS before 3.6.14 and others of their age follow it and give up.`,
  }
}

/** The same certificate in several places. @param positions Of its copies, in order. */
export function sentAgain(positions: readonly number[], of: number): Words {
  const isOne = positions.length === 1
  const which = `${isOne ? 'certificate' : 'certificates'} ${rangesText(positions)}`
  return {
    says: host =>
      `${host} sends a certificate more than once (${which}: ${isOne ? 'a copy' : 'copies'} of ${of}).`,
    remedy: host =>
      `The postmaster of ${host} should take the ${isOne ? 'copy' : 'copies'} out of the chain file.`,
  }
}

/** @param path Places from the server's own certificate to the first. */
export function upsideDown(path: readonly number[], next: string): Words {
  const [own = 0, signer = 0] = path
  return {
    says: host =>
      `The chain of ${host} is upside down: certificate ${own} is the server's own and was signed by ${signer}; the order would be ${path.join(', ')}.`,
    remedy: () =>
      `Put the server's own certificate first in the file, then the one that signed it, and so on upwards.${next === '' ? '' : ` ${next}`}`,
  }
}

/** Object identifiers in a text, by the names that people know. */
export function withNames(text: string): string {
  return text.replaceAll(/\b[0-2](?:\.\d+){3,}\b/g, oid => oidNames.get(oid) ?? oid)
}

/** `CN=R3: what was seen`, harmless; a name that is said twice is said once. */
export function seenOf(reason: ReasonCode, subject: string | null, detail: string | null): string | null {
  const seen = detail === null ? null : withNames(detail)
  if (subject === null) return seen
  const text = seen === null ? subject : visible(seen, subject.length + 1)
  if (seen === null || text === subject || `CN=${text}` === subject) return subject
  return namesIssuer.has(reason) ? `${subject}, issued by ${seen}` : `${subject}: ${seen}`
}

const renewOwn = (host: string): string =>
  `The postmaster of ${host} must renew it; if it was renewed, the server must load the new one.`

const replaceAuthority = (host: string): string =>
  `This is an authority's certificate, not the server's own: the postmaster of ${host} must replace it in the chain file by the current one, or leave it out where a path leads on without it. A private authority has to be renewed first.`

const currentAnchor = (): string =>
  'It was not sent, it is trusted here: put the current certificate of this authority among the roots, or in the TLSA record, in its place.'

const tooMany: Words = {
  says: () => `The chain has more than ${maxChainCertificates} certificates, and no more than that are read.`,
  remedy: () => 'Give only the certificates of one server: its own, and the authorities above it.',
}

function brokenBlock(detail: string): Words {
  return {
    says: () => `A block of the file that calls itself a certificate cannot be decoded (${visible(detail)}).`,
    remedy: () =>
      'The file was cut short or altered on the way, so nothing can be said of the certificate: copy it anew, whole, from BEGIN to END.',
  }
}

const namesIssuer: ReadonlySet<ReasonCode> = new Set(['x509.untrusted-root', 'x509.missing-intermediate'])

/** RFC 5280 §4.2.1.12, and those that certificates of mail servers are seen with. */
const oidNames: ReadonlyMap<string, string> = new Map([
  ['2.5.29.37.0', 'anyExtendedKeyUsage'],
  ['1.3.6.1.5.5.7.3.1', 'serverAuth'],
  ['1.3.6.1.5.5.7.3.2', 'clientAuth'],
  ['1.3.6.1.5.5.7.3.3', 'codeSigning'],
  ['1.3.6.1.5.5.7.3.4', 'emailProtection'],
  ['1.3.6.1.5.5.7.3.5', 'ipsecEndSystem'],
  ['1.3.6.1.5.5.7.3.6', 'ipsecTunnel'],
  ['1.3.6.1.5.5.7.3.7', 'ipsecUser'],
  ['1.3.6.1.5.5.7.3.8', 'timeStamping'],
  ['1.3.6.1.5.5.7.3.9', 'OCSPSigning'],
  ['1.3.6.1.5.5.7.3.17', 'ipsecIKE'],
  ['1.3.6.1.5.5.7.1.24', 'tlsfeature'],
  ['1.3.6.1.4.1.311.20.2.2', 'smartcardLogon'],
  ['2.5.29.36', 'policyConstraints'],
  ['2.5.29.46', 'freshestCRL'],
])
