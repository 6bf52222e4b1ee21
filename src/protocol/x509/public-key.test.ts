import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { keyText, readPublicKey } from './public-key.ts'
import { bitString, ed25519Key, hex, integer, oid, rsaKey, sequence } from './testing/der.ts'

const made: readonly (readonly [text: string, spki: () => Buffer])[] = [
  ['EC P-256', () => spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }))],
  ['EC P-384', () => spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }))],
  ['EC P-521', () => spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }))],
  ['EC P-192', () => spkiOf(generateKeyPairSync('ec', { namedCurve: 'prime192v1' }))],
  ['EC secp256k1', () => spkiOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))],
  [
    'EC with a curve of its own making',
    () => spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })),
  ],
  ['Ed25519', () => spkiOf(generateKeyPairSync('ed25519'))],
  ['Ed448', () => spkiOf(generateKeyPairSync('ed448'))],
  ['X25519', () => spkiOf(generateKeyPairSync('x25519'))],
  ['RSA 1024', () => spkiOf(generateKeyPairSync('rsa', { modulusLength: 1024 }))],
  ['RSA 1031', () => spkiOf(generateKeyPairSync('rsa', { modulusLength: 1031 }))],
  ['RSA-PSS 1024', () => spkiOf(generateKeyPairSync('rsa-pss', { modulusLength: 1024 }))],
  ['DSA', () => spkiOf(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }))],
]

test.each(made)('a key made by OpenSSL is told to be %s', (text, spki) => {
  const key = readPublicKey(spki())
  expect(key === null ? null : keyText(key.facts)).toBe(text)
})

test('the exponent is measured', () => {
  expect(readPublicKey(rsaKey(2048, 3))?.facts).toEqual({ kind: 'rsa', bits: 2048, exponentBits: 2 })
  expect(readPublicKey(rsaKey(2048))?.facts).toEqual({ kind: 'rsa', bits: 2048, exponentBits: 17 })
})

const rsa = sequence(oid('1.2.840.113549.1.1.1'), hex('0500'))
const ec = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'))
const point = Buffer.alloc(64, 1)

const odd: readonly (readonly [what: string, spki: Buffer, text: string])[] = [
  ['a modulus of 16,384 bits', rsaKey(16_384), 'RSA 16384'],
  ['a modulus of 16,385 bits', rsaKey(16_385), 'RSA 16385, over 16384 bits'],
  ['an exponent of 1', rsaKey(2048, 1), 'RSA 2048 with an even exponent, or 1'],
  ['an exponent of 2', rsaKey(2048, 2), 'RSA 2048 with an even exponent, or 1'],
  ['an exponent of 0', rsaKey(2048, 0), 'an unreadable key'],
  ['an exponent of 64 bits', rsaKey(2048, 'ffffffffffffffff'), 'RSA 2048'],
  ['an exponent of 65 bits', rsaKey(2048, '010000000000000001'), 'RSA 2048 with an exponent of 65 bits'],
  ['an even modulus', rsaOf(sequence(integer('80000000'), integer(3))), 'RSA 32 with an even modulus'],
  ['a negative modulus', rsaOf(sequence(hex('0204ffff0001'), integer(3))), 'an unreadable key'],
  ['a modulus that is not minimal', rsaOf(sequence(hex('02020001'), integer(3))), 'an unreadable key'],
  ['three numbers', rsaOf(sequence(integer(3), integer(3), integer(3))), 'an unreadable key'],
  ['one number', rsaOf(sequence(integer(3))), 'an unreadable key'],
  ['no numbers', rsaOf(hex('0500')), 'an unreadable key'],
  [
    'something behind the numbers',
    rsaOf(Buffer.concat([sequence(integer(3), integer(3)), hex('00')])),
    'an unreadable key',
  ],
  [
    'RSA without parameters',
    sequence(sequence(oid('1.2.840.113549.1.1.1')), bitString(0, sequence(integer('f1'), integer(3)))),
    'RSA 8',
  ],
  [
    'RSA with parameters',
    sequence(
      sequence(oid('1.2.840.113549.1.1.1'), hex('3000')),
      bitString(0, sequence(integer('f1'), integer(3))),
    ),
    'an unreadable key',
  ],
  ['a compressed point', sequence(ec, bitString(0, hex('02'), point.subarray(32))), 'EC P-256'],
  ['a hybrid point', sequence(ec, bitString(0, hex('06'), point)), 'an unreadable key'],
  ['a short point', sequence(ec, bitString(0, hex('04'), point.subarray(1))), 'an unreadable key'],
  ['the point at infinity', sequence(ec, bitString(0, hex('00'))), 'an unreadable key'],
  ['no point', sequence(ec, bitString(0)), 'an unreadable key'],
  ['no curve', sequence(sequence(oid('1.2.840.10045.2.1')), bitString(0, hex('04'), point)), 'EC without a curve'],
  [
    'an implicit curve',
    sequence(sequence(oid('1.2.840.10045.2.1'), hex('0500')), bitString(0, hex('04'), point)),
    'EC without a curve',
  ],
  [
    'a curve nobody knows',
    sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.3')), bitString(0, hex('04'), point)),
    'EC 1.2.3',
  ],
  [
    'Ed25519 with parameters',
    sequence(sequence(oid('1.3.101.112'), hex('0500')), bitString(0, Buffer.alloc(32))),
    'an unreadable key',
  ],
  [
    'Ed25519 of 33 octets',
    sequence(sequence(oid('1.3.101.112')), bitString(0, Buffer.alloc(33))),
    'an unreadable key',
  ],
  ['an algorithm nobody knows', sequence(sequence(oid('1.2.3')), bitString(0)), 'a key of algorithm 1.2.3'],
]

test.each(odd)('%s: what the key is, or that it is none, is told', (_, spki, text) => {
  const key = readPublicKey(spki)
  expect(key === null ? null : keyText(key.facts)).toBe(text)
  expect(Buffer.from(key?.spki ?? [])).toEqual(spki)
})

test.each<readonly [what: string, spki: Buffer]>([
  ['nothing', Buffer.alloc(0)],
  ['an octet behind', Buffer.concat([ed25519Key, hex('00')])],
  ['no algorithm', sequence(bitString(0))],
  ['an algorithm without identifier', sequence(sequence(), bitString(0))],
  ['an algorithm of three parts', sequence(sequence(oid('1.2.3'), hex('0500'), hex('0500')), bitString(0))],
  ['no key', sequence(sequence(oid('1.2.3')))],
  ['a key of odd bits', sequence(sequence(oid('1.2.3')), bitString(1, hex('fe')))],
  ['something behind the key', sequence(sequence(oid('1.2.3')), bitString(0), hex('0500'))],
])('%s makes it no public key', (_, spki) => {
  expect(readPublicKey(spki)).toBeNull()
})

test('every cut of a public key is none', () => {
  for (const spki of [ed25519Key, rsaKey(1024)])
    for (let end = 0; end < spki.length; end++) expect(readPublicKey(spki.subarray(0, end))).toBeNull()
})

function rsaOf(key: Buffer): Buffer {
  return sequence(rsa, bitString(0, key))
}

function spkiOf({ publicKey }: ReturnType<typeof generateKeyPairSync>): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}
