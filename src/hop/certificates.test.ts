import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAuthority } from '../system/certificate-maker.ts'
import { alternativeNames, createCertificateReader } from './certificates.ts'

test.each([
  ['', []],
  ['DNS:mx.example', [['dns', 'mx.example']]],
  [
    'DNS:a.example, DNS:*.b.example, IP Address:192.0.2.1',
    [
      ['dns', 'a.example'],
      ['dns', '*.b.example'],
      ['ip', '192.0.2.1'],
    ],
  ],
  ['IP Address:2001:DB8:0:0:0:0:0:1', [['ip', '2001:DB8:0:0:0:0:0:1']]],
  [
    'email:x@a.example, URI:https://a.example/',
    [
      ['email', 'x@a.example'],
      ['uri', 'https://a.example/'],
    ],
  ],
  // CVE-2021-44532: one name that looks like two.
  ['DNS:"evil.example, DNS:mx.example"', [['dns', 'evil.example, DNS:mx.example']]],
  [
    'DNS:"mx.example\\u0000.evil.example", DNS:b.example',
    [
      ['dns', 'mx.example\0.evil.example'],
      ['dns', 'b.example'],
    ],
  ],
  ['othername:<unsupported>, DNS:a.example', [['dns', 'a.example']]],
  ['DirName:CN = x, DNS:a.example', [['dns', 'a.example']]],
])('%j', (text, names) => {
  expect(alternativeNames(text).map(({ type, value }) => [type, value])).toEqual(names)
})

test('a certificate is read once, and keeps its place in each chain', async () => {
  const authority = await createAuthority({ commonName: 'Root, of tests' })
  const leaf = await authority.leaf({ names: ['mx.example', '192.0.2.1'], commonName: 'a+b' })
  const [one, root] = [new X509Certificate(leaf.certificate), new X509Certificate(authority.root)]
  const reader = createCertificateReader(1)
  const [first, second] = reader.read([one, root])
  expect(first).toMatchObject({
    position: 0,
    subject: 'CN=a\\+b',
    issuer: 'CN=Root\\, of tests',
    key: 'EC P-256',
    names: [
      { type: 'dns', value: 'mx.example' },
      { type: 'ip', value: '192.0.2.1' },
      { type: 'cn', value: 'a\\+b' },
    ],
  })
  expect(first?.sha256).toMatch(/^[0-9a-f]{64}$/)
  expect(second).toMatchObject({ position: 1, subject: first?.issuer })
  const [again] = reader.read([root])
  expect(again).toEqual({ ...second, position: 0 })
})
