/** Mozilla's roots, as this Node.js carries them: what `verify` and `cert show` trust where nobody says otherwise. */
import { rootCertificates } from 'node:tls'
import type { Certificate } from '../protocol/x509/model.ts'
import { readChain } from '../protocol/x509/pem.ts'
import { certificatesOf } from './certificate-file.ts'

/** One that we could not read would be left out, and what stands below it called untrusted; a test holds that there is none. */
export function publicRoots(): readonly Certificate[] {
  return certificatesOf(readChain(rootCertificates.join('\n'), rootCertificates.length))
}
