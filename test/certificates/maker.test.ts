/** The maker against programs that are not ours: what it calls right has to be right for them. */
import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import { X509Certificate as PeculiarCertificate } from '@peculiar/x509'
import { describe, expect, test } from 'vitest'
import { intermediate, leaf, leafWith, root } from './case.ts'
import { children, integer, oid, sequence, time } from './der.ts'
import { keyOf } from './keys.ts'
import { at, type Made, pemOf } from './maker.ts'

describe('a certificate from an empty recipe', () => {
  const pairs: readonly (readonly [string, Made, Made])[] = [
    ['leaf', leaf(), intermediate()],
    ['intermediate', intermediate(), root()],
    ['root', root(), root()],
  ]

  test.each(pairs)('is one that node:crypto reads and verifies: %s', (_, made, issuer) => {
    const [certificate, above] = [new X509Certificate(made.pem), new X509Certificate(issuer.pem)]
    expect(certificate.checkIssued(above)).toBe(true)
    expect(certificate.verify(above.publicKey)).toBe(true)
    expect(certificate.ca).toBe(made !== leaf())
  })

  test.each(pairs)('is one that @peculiar/x509 reads and verifies: %s', async (_, made, issuer) => {
    const certificate = new PeculiarCertificate(made.pem)
    const publicKey = new PeculiarCertificate(issuer.pem).publicKey
    expect(await certificate.verify({ date: at, publicKey })).toBe(true)
  })

  test('is the same leaf at every call, with the names and the key it is asked for', () => {
    expect(leaf()).toBe(leaf())
    const made = new X509Certificate(
      leafWith({ names: ['a.example.com', '192.0.2.1'], key: keyOf('leaf', 'p384') }).pem,
    )
    expect(made.subjectAltName).toBe('DNS:a.example.com, IP Address:192.0.2.1')
    expect(made.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'secp384r1' })
  })
})

describe('DER', () => {
  test.each([
    ['a small number', integer(127), '02017f'],
    ['a number that would look negative', integer(128), '02020080'],
    ['nought', integer(0), '020100'],
    ['an object identifier', oid('1.2.840.113549'), '06062a864886f70d'],
    ['a date of this century', time(new Date('2049-12-31T23:59:59Z')), '170d3439313233313233353935395a'],
    ['a date from 2050 on', time(new Date('2050-01-01T00:00:00Z')), '180f32303530303130313030303030305a'],
  ])('writes %s', (_, der, hex) => {
    expect(Buffer.from(der).toString('hex')).toBe(hex)
  })

  test('takes apart what it put together, however long', () => {
    const parts = [integer(5), sequence(Buffer.alloc(200)), sequence(Buffer.alloc(70_000))]
    expect(children(sequence(...parts)).map(each => each.length)).toEqual(parts.map(each => each.length))
  })

  test('is written as PEM of lines of 64 characters', () => {
    expect(
      pemOf(Buffer.alloc(60))
        .split('\n')
        .map(line => line.length),
    ).toEqual([27, 64, 16, 25, 0])
  })
})
