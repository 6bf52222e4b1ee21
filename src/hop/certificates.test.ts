import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAuthority } from '../system/certificate-maker.ts'
import { createCertificateReader } from './certificates.ts'

test('a certificate is read once, and keeps its place in each chain', async () => {
  const authority = await createAuthority({ commonName: 'Root, of tests' })
  const leaf = await authority.leaf({ names: ['mx.example', '192.0.2.1'], commonName: 'a+b' })
  const [one, root] = [new X509Certificate(leaf.certificate).raw, new X509Certificate(authority.root).raw]
  const reader = createCertificateReader(1)
  const [first, second] = reader.read([one, root])
  expect(first?.evidence).toMatchObject({
    position: 0,
    subject: 'CN=a\\+b',
    issuer: 'CN=Root\\, of tests',
    key: 'EC P-256',
    keyUsage: ['digitalSignature'],
    names: [
      { type: 'dns', value: 'mx.example' },
      { type: 'ip', value: '192.0.2.1' },
      { type: 'cn', value: 'a+b' },
    ],
  })
  expect(first?.evidence.sha256).toMatch(/^[0-9a-f]{64}$/)
  expect(second?.evidence).toMatchObject({ position: 1, subject: first?.evidence.issuer })
  const [again] = reader.read([root])
  expect(again?.read).toBe(second?.read)
  expect(again?.evidence).toEqual({ ...second?.evidence, position: 0 })
  expect(reader.read([one])[0]?.read).not.toBe(first?.read)
})

test('what is no certificate is told as such, in its place', () => {
  const [seen] = createCertificateReader().read([new Uint8Array([0x30, 0x00])])
  expect(seen?.read.kind).toBe('malformed')
  expect(seen?.evidence).toMatchObject({ position: 0, subject: null, names: [], notAfter: null })
})

test('a certificate far larger than any of the public web is read, and not kept', async () => {
  const authority = await createAuthority({ commonName: 'Root' })
  const names = Array.from({ length: 400 }, (_, i) => `mx${i}.example`)
  const { raw } = new X509Certificate((await authority.leaf({ names })).certificate)
  const reader = createCertificateReader()
  const [one, other] = [reader.read([raw])[0], reader.read([raw])[0]]
  expect(one?.evidence).toEqual(other?.evidence)
  expect(one?.read).not.toBe(other?.read)
  // Evidence has as many names as fit; the certificate has all.
  expect(one?.evidence.names.length).toBeLessThan(400)
  expect(one?.read.kind === 'certificate' && one.read.certificate.alternativeNames?.length).toBe(400)
})
