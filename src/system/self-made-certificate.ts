/**
 * The certificate that a relay makes for itself when it is started without any, so that STARTTLS works from the first minute.
 *
 * Success is two PEM files in the given directory (`self-made.pem`, `self-made.key`, the key for its owner alone), made once and kept as long as
 * they fit: the key is not changed behind the back of somebody who has pinned it. Made anew only when missing, damaged, expired, or made for another name.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSelfSigned } from './certificate-maker.ts'
import type { CertificateFiles } from './server-certificates.ts'

/**
 * The paths of the files, which are there afterwards.
 * @param directory Made when missing, for its owner alone.
 * @throws what node:fs throws when the directory cannot be written.
 */
export async function selfMadeCertificate(
  directory: string,
  hostname: string,
  nowMs: number,
): Promise<CertificateFiles & { readonly made: 'now' | 'before' }> {
  const chain = join(directory, 'self-made.pem')
  const key = join(directory, 'self-made.key')
  if (isUsable(chain, key, hostname, nowMs)) return { chain, key, made: 'before' }
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const certified = await createSelfSigned({
    names: [hostname],
    notBeforeMs: nowMs - 3_600_000,
    notAfterMs: nowMs + lifeMs,
  })
  // The key first: a crash in between leaves a pair that does not fit, which the next start replaces.
  writeWhole(key, certified.key, 0o600)
  writeWhole(chain, certified.chain, 0o644)
  return { chain, key, made: 'now' }
}

function isUsable(chain: string, key: string, hostname: string, nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(chain))
    return (
      certificate.checkPrivateKey(createPrivateKey(readFileSync(key))) &&
      certificate.checkHost(hostname) !== undefined &&
      certificate.validToDate.getTime() > nowMs
    )
  } catch {
    return false
  }
}

function writeWhole(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode })
  renameSync(`${path}.new`, path)
}

const lifeMs = 3_652 * 86_400_000
