import { rootCertificates } from 'node:tls'
import { expect, test } from 'vitest'
import { readChain } from '../protocol/x509/pem.ts'
import { publicRootsFor } from './public-roots.ts'

test('every root of Node.js is found as its own issuer, and none is malformed', () => {
  const all = readChain(rootCertificates.join('\n'), rootCertificates.length)
  expect(rootCertificates.length).toBeGreaterThan(100)
  expect(all.filter(({ kind }) => kind === 'malformed')).toEqual([])
  expect(publicRootsFor(all)).toHaveLength(rootCertificates.length)
})

test('roots that signed nothing of the chain are left alone', () => {
  const one = readChain(rootCertificates[5] ?? '')
  expect(publicRootsFor(one).map(({ der }) => Buffer.from(der))).toEqual(
    one.flatMap(read => (read.kind === 'certificate' ? [Buffer.from(read.certificate.der)] : [])),
  )
  expect(publicRootsFor([])).toEqual([])
})
