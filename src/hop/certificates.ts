/**
 * Certificates as evidence, from what Node's parser makes of them. The same certificate is looked into once and
 * remembered by its fingerprint, because most connections of a busy relay see the same few.
 *
 * It reads; it judges nothing.
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import type { CertificateEvidence } from '../judgement/evidence.ts'
import { timestamp } from '../judgement/evidence-of.ts'

export interface CertificateReader {
  /** @param chain as sent, leaf first */
  read(chain: readonly X509Certificate[]): readonly CertificateEvidence[]
}

export function createCertificateReader(maxRemembered = 1_000): CertificateReader {
  const known = new Map<string, CertificateEvidence>()
  return {
    read(chain) {
      return chain.map((certificate, position) => {
        const id = certificate.fingerprint256
        const found = known.get(id) ?? evidenceOf(certificate)
        // Newest last, so that the first key is always the one longest unused.
        known.delete(id)
        known.set(id, found)
        if (known.size > maxRemembered) {
          const oldest = known.keys().next()
          if (oldest.done !== true) known.delete(oldest.value)
        }
        return found.position === position ? found : { ...found, position }
      })
    },
  }
}

function evidenceOf(certificate: X509Certificate): CertificateEvidence {
  return {
    position: 0,
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    names: [...alternativeNames(certificate.subjectAltName ?? ''), ...commonNames(certificate.subject)].slice(
      0,
      maxNames,
    ),
    notBefore: timestamp(certificate.validFromDate.getTime()),
    notAfter: timestamp(certificate.validToDate.getTime()),
    key: keyOf(certificate),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

/**
 * Node writes the alternative names as `DNS:a.example, IP Address:192.0.2.1`, and a value that holds a comma, a quote or
 * anything odd as a JSON string (its answer to CVE-2021-44532). What does not read that way is left out: it could only be a name nobody should believe.
 */
export function alternativeNames(text: string): CertificateEvidence['names'] {
  const names: CertificateEvidence['names'][number][] = []
  const entry = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y
  while (entry.lastIndex < text.length) {
    const [, label = '', written = ''] = entry.exec(text) ?? []
    if (label === '') break
    const type = nameTypes.get(label)
    if (type !== undefined) names.push({ type, value: nameValue(written) })
  }
  return names
}

function nameValue(written: string): string {
  const value: unknown = written.startsWith('"') ? JSON.parse(written) : written
  return String(value).slice(0, maxValueChars)
}

/** Node gives one attribute a line, in the order of the encoding; RFC 4514 §2.1 wants the last one first. Both escape alike. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? '').split('\n').reverse().join(',').replaceAll(' + ', '+').slice(0, maxValueChars)
}

function commonNames(subject: string | undefined): CertificateEvidence['names'] {
  return (subject ?? '')
    .split('\n')
    .filter(line => line.startsWith('CN='))
    .map(line => ({ type: 'cn', value: line.slice(3, maxValueChars) }))
}

function keyOf(certificate: X509Certificate): string {
  let key: KeyObject
  try {
    key = certificate.publicKey
  } catch {
    return 'unknown'
  }
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return `RSA ${modulusLength ?? '?'}`
    case 'ec':
      return `EC ${curveNames.get(namedCurve ?? '') ?? namedCurve ?? '?'}`
    case 'ed25519':
      return 'Ed25519'
    case 'ed448':
      return 'Ed448'
    default:
      return key.asymmetricKeyType ?? 'unknown'
  }
}

const nameTypes: ReadonlyMap<string, CertificateEvidence['names'][number]['type']> = new Map([
  ['DNS', 'dns'],
  ['IP Address', 'ip'],
  ['email', 'email'],
  ['URI', 'uri'],
])

const curveNames: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
])

/** Certificates with a thousand names exist; OpenSSL gives up on a chain above 100 KB in any case. */
const maxNames = 2_000

/** Longer than any name of the DNS, so that cutting cannot make a name fit that did not. */
const maxValueChars = 1_000
