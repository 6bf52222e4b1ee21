/** Reading held against others: what OpenSSL, and Node by it, read in the same octets. */
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { formatIp } from '../ip.ts'
import { commonNames, nameText } from './distinguished-name.ts'
import type { Certificate, GeneralName } from './model.ts'
import { readChain } from './pem.ts'
import { keyText } from './public-key.ts'

/** Kept beside the checkout, not in it. */
const limboFile = join(import.meta.dirname, '../../../../shared/vectors/x509-limbo-a.json')
const hasLimbo = existsSync(limboFile)

/** Every certificate of x509-limbo with its test case, sound or not. */
function limboCertificates(): readonly (readonly [id: string, pem: string])[] {
  const { testcases } = JSON.parse(readFileSync(limboFile, 'utf8')) as {
    readonly testcases: readonly {
      readonly id: string
      readonly trusted_certs: readonly string[]
      readonly untrusted_intermediates: readonly string[]
      readonly peer_certificate: string
    }[]
  }
  return testcases.flatMap(
    ({ id, trusted_certs: roots, untrusted_intermediates: between, peer_certificate: leaf }) =>
      [leaf, ...between, ...roots].map(pem => [id, pem] as const),
  )
}

test.skipIf(!hasLimbo)(
  `every certificate of x509-limbo is read as Node reads it${hasLimbo ? '' : ' (skipped: the vectors are not beside this checkout)'}`,
  () => {
    const certificates = limboCertificates()
    expect(certificates.length).toBeGreaterThan(200)
    for (const [id, pem] of certificates) agreesWithNode(pem, id)
  },
)

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const openssl = test.skipIf(!hasOpenssl)
const absent = hasOpenssl ? '' : ' (skipped: openssl is not installed)'
const folder = mkdtempSync(join(tmpdir(), 'hermetic-x509-'))
afterAll(() => rmSync(folder, { recursive: true }))

openssl.each<readonly [key: string, options: readonly string[]]>([
  ['EC P-256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
  ['EC P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
  ['RSA 1536', ['-newkey', 'rsa:1536']],
  ['RSA-PSS 1024', ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:1024']],
  ['Ed25519', ['-newkey', 'ed25519']],
  ['Ed448', ['-newkey', 'ed448']],
])(`a certificate that openssl makes with %s is read as Node reads it${absent}`, (key, options) => {
  const names =
    'subjectAltName=DNS:mx.example.org,DNS:*.example.org,IP:192.0.2.1,IP:2001:db8::1,email:a@example.org,URI:urn:a'
  const pem = make([...options, '-subj', '/C=DE/O=Example/CN=mx.example.org', '-addext', names])
  const read = agreesWithNode(pem, key)
  expect(keyText(read.publicKey.facts)).toBe(key)
  expect(read.extensions.map(extension => extension.oid)).toContain('2.5.29.17')
})

openssl.each([
  '/CN=mx.example.org',
  '/C=DE/ST=Berlin/L=Berlin/O=Example GmbH/OU=Mail/CN=mx.example.org',
  '/DC=org/DC=example/UID=someone/CN=a',
  '/O=A, B+C "D" <E>; F\\\\G/CN=#first',
  '/CN= blanks at both ends ',
  '/O=Lučić Zürich 株式会社',
  '/street=A 1/CN=x',
])(`the name %j is written as openssl writes it${absent}`, subject => {
  const pem = make(['-newkey', 'ed25519', '-utf8', '-multivalue-rdn', '-subj', subject])
  const written = execFileSync(
    'openssl',
    ['x509', '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb,utf8,-esc_ctrl'],
    { input: pem },
  )
  const [read] = readChain(pem)
  const text = read?.kind === 'certificate' ? nameText(read.certificate.subject) : null
  expect(`subject=${text}\n`).toBe(written.toString().replace('street=', 'STREET='))
})

function make(options: readonly string[]): string {
  const keyFile = join(folder, 'key.pem')
  return execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '3', '-keyout', keyFile, ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString()
}

/** Dates, common names, alternative names and key: the same as Node's, where Node can read the certificate. */
function agreesWithNode(pem: string, label: string): Certificate {
  const [read] = readChain(pem)
  if (read?.kind !== 'certificate') throw new Error(`${label}: ${read?.detail}`)
  const { certificate } = read
  const node = new X509Certificate(pem)
  expect(certificate.notBeforeMs, label).toBe(node.validFromDate.getTime())
  expect(certificate.notAfterMs, label).toBe(node.validToDate.getTime())
  // Node writes negative numbers by their amount.
  if ((certificate.serial[0] ?? 0) < 0x80)
    expect(BigInt(`0x${Buffer.from(certificate.serial).toString('hex')}`), label).toBe(
      BigInt(`0x${node.serialNumber}`),
    )
  const legacy = node.toLegacyObject()
  expect(commonNames(certificate.subject), label).toEqual([legacy.subject?.CN ?? []].flat())
  expect(commonNames(certificate.issuer), label).toEqual([legacy.issuer?.CN ?? []].flat())
  // OpenSSL takes self-signed certificates of version 1 for authorities, and none that may not sign certificates.
  if (certificate.version === 3 && node.ca) expect(certificate.basicConstraints?.isCa, label).toBe(true)
  if (certificate.alternativeNames?.every(isPlain) === true)
    expect(certificate.alternativeNames.map(asNode).join(', '), label).toBe(node.subjectAltName)
  if (certificate.publicKey.facts.kind !== 'unsupported')
    expect(Buffer.from(certificate.publicKey.spki), label).toEqual(
      node.publicKey.export({ type: 'spki', format: 'der' }),
    )
  return certificate
}

/** Those that Node writes without quotation marks. */
function isPlain(name: GeneralName): boolean {
  return name.type === 'dns' || name.type === 'email' || name.type === 'uri'
    ? /^[\w.@:/-]*$/.test(name.value)
    : name.type === 'ip' && name.value.length === 4
}

function asNode(name: GeneralName): string {
  switch (name.type) {
    case 'dns':
      return `DNS:${name.value}`
    case 'email':
      return `email:${name.value}`
    case 'uri':
      return `URI:${name.value}`
    case 'ip':
      return `IP Address:${formatIp(name.value)}`
    case 'directory':
    case 'other':
      throw new Error('not compared')
    default:
      return name satisfies never
  }
}
