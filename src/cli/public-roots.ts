/** Mozilla's roots, as this Node.js carries them: what `verify` and `cert show` trust where nobody says otherwise. */
import { rootCertificates } from 'node:tls'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { enter, next, openDer, tags, whole } from '../protocol/x509/der.ts'
import { nameKey, sameName } from '../protocol/x509/distinguished-name.ts'
import type { Certificate, DistinguishedName, Read } from '../protocol/x509/model.ts'
import { certificatesOf } from './certificate-file.ts'

/**
 * Those that may have signed a certificate of the chain, by their names. Reading all of them would take a tenth of the whole command.
 * One that could not be read would be left out, and what stands below it called untrusted; a test holds that there is none.
 */
export function publicRootsFor(chain: readonly Read[]): readonly Certificate[] {
  const issuers = certificatesOf(chain).map(({ issuer }) => issuer)
  // Prepared once: a comparison of each root with each issuer costs as much as all the rest.
  const keys = new Set(issuers.map(nameKey))
  const isWanted = (subject: DistinguishedName) => {
    const key = nameKey(subject)
    return key === null ? issuers.some(issuer => sameName(issuer, subject)) : keys.has(key)
  }
  return rootCertificates.flatMap(pem => {
    const der = derOf(pem)
    const subject = subjectOf(der)
    if (subject === null || !isWanted(subject)) return []
    return certificatesOf([parseCertificate(der)])
  })
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.slice(pem.indexOf('\n'), pem.lastIndexOf('\n-----')), 'base64')
}

/** The sixth field of TBSCertificate behind the version (RFC 5280 §4.1). */
function subjectOf(bytes: Uint8Array): DistinguishedName | null {
  const outer = openDer(bytes)
  if (!next(outer)) return null
  const parts = enter(outer)
  if (!next(parts)) return null
  const fields = enter(parts)
  if (!next(fields)) return null
  for (let left = fields.tag === tags.integer ? 4 : 5; left > 0; left--) if (!next(fields)) return null
  return { der: whole(fields) }
}
