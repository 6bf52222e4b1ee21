import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { expect, test } from 'vitest'
import { createAuthority } from '../../system/certificate-maker.ts'
import type { parseCertificate } from './certificate.ts'
import { nameText } from './distinguished-name.ts'
import type { Certificate } from './model.ts'
import { readChain } from './pem.ts'
import { keyText } from './public-key.ts'

test('a chain is read certificate by certificate, without a fault', async () => {
  const root = await createAuthority({ commonName: 'Root' })
  const leaf = await (await root.intermediate({ commonName: 'Middle', pathLength: 0 })).leaf({
    names: ['mx.example.org', '*.example.org', '192.0.2.1'],
  })
  const [first, second, ...rest] = readChain(`leaf:\n${leaf.chain}`).map(certificateOf)
  if (first === undefined) throw new Error('no certificate')
  expect(rest).toEqual([])
  expect(nameText(first.subject)).toBe('CN=mx.example.org')
  expect(nameText(first.issuer)).toBe('CN=Middle')
  expect(first.alternativeNames).toEqual([
    { type: 'dns', value: 'mx.example.org' },
    { type: 'dns', value: '*.example.org' },
    { type: 'ip', value: new Uint8Array([192, 0, 2, 1]) },
  ])
  expect([...(first.keyUsage ?? [])]).toEqual(['digitalSignature'])
  expect(first.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(keyText(first.publicKey.facts)).toBe('EC P-256')
  expect(second?.basicConstraints).toEqual({ isCa: true, pathLength: 0 })
  expect([first.faults, second?.faults]).toEqual([[], []])
})

test('the roots that Node trusts are read as Node reads them', () => {
  const faults = new Set<string>()
  for (const pem of rootCertificates) {
    const [certificate] = readChain(pem).map(certificateOf)
    agreesWithNode(certificate)
    for (const fault of certificate?.faults ?? []) faults.add(`${fault.reason} ${fault.detail}`)
  }
  // One of them, of 2006, has it.
  expect([...faults]).toEqual(['x509.serial-number the serial number is zero'])
})

function agreesWithNode(certificate: Certificate | undefined): void {
  if (certificate === undefined) throw new Error('no certificate')
  const node = new X509Certificate(certificate.der)
  expect(certificate.notBeforeMs).toBe(node.validFromDate.getTime())
  expect(certificate.notAfterMs).toBe(node.validToDate.getTime())
  expect(Buffer.from(certificate.publicKey.spki)).toEqual(node.publicKey.export({ type: 'spki', format: 'der' }))
}

function certificateOf(read: ReturnType<typeof parseCertificate>): Certificate {
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return read.certificate
}
