import { constants, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bitString, explicit, integer, nullValue, oid, sequence } from '../../../test/certificates/der.ts'
import { type KeyKind, keyOf, pssParameters, type SignatureKind } from '../../../test/certificates/keys.ts'
import { type Made, makeAuthority, makeLeaf, type Recipe } from '../../../test/certificates/maker.ts'
import { createBudget } from './budget.ts'
import { parseCertificate } from './certificate.ts'
import type { Certificate } from './model.ts'
import { readPublicKey } from './public-key.ts'
import { signatureScheme, verificationCost, verifySignature } from './signature.ts'

describe('a signature by the right key is good, by another of its kind bad, and with one bit changed bad', () => {
  const cases: readonly (readonly [KeyKind, SignatureKind])[] = [
    ['rsa-2048', 'rsa-sha256'],
    ['rsa-2048', 'rsa-sha384'],
    ['rsa-2048', 'rsa-sha512'],
    ['rsa-2048', 'pss-sha256'],
    ['rsa-2048', 'pss-sha384'],
    ['rsa-2048', 'pss-sha512'],
    ['rsa-pss', 'pss-sha256'],
    ['p256', 'ecdsa-sha256'],
    ['p256', 'ecdsa-sha512'],
    ['p384', 'ecdsa-sha384'],
    ['p521', 'ecdsa-sha512'],
    ['ed25519', 'ed25519'],
    ['ed448', 'ed448'],
  ]
  test.each(cases)('%s, %s', (kind, signature) => {
    const certificate = signedBy(kind, { signature })
    expect(verdict(certificate, kind)).toBe('good')
    expect(verdict(certificate, kind, 'somebody else')).toBe('bad')
    const tbs = Uint8Array.from(certificate.tbs)
    tbs[20] = (tbs[20] ?? 0) ^ 1
    expect(verdict({ ...certificate, tbs }, kind)).toBe('bad')
  })
})

describe('a hash that can be forged is weak, whatever the signature', () => {
  test.each<readonly [KeyKind, SignatureKind]>([
    ['rsa-2048', 'rsa-md5'],
    ['rsa-2048', 'rsa-sha1'],
    ['rsa-2048', 'pss-sha1'],
    ['p256', 'ecdsa-sha1'],
  ])('%s, %s', (kind, signature) => {
    const budget = createBudget()
    expect(verifySignature(signedBy(kind, { signature }), publicKey(kind), budget)).toBe('weak')
    expect(budget.spent.signatures).toBe(0)
  })
})

describe('an algorithm or a key that is not verified here is unsupported', () => {
  test.each<readonly [KeyKind, SignatureKind]>([
    ['rsa-2048', 'rsa-sha224'],
    ['p256', 'ecdsa-sha224'],
    ['dsa', 'dsa-sha256'],
    ['p192', 'ecdsa-sha256'],
    ['secp256k1', 'ecdsa-sha256'],
    ['p256-explicit', 'ecdsa-sha256'],
  ])('%s, %s', (kind, signature) => {
    expect(verdict(signedBy(kind, { signature }), kind)).toBe('unsupported')
  })
})

test('a key of another kind cannot have signed it, and nothing is spent to find out', () => {
  const budget = createBudget()
  expect(verifySignature(signedBy('p256', {}), publicKey('rsa-2048'), budget)).toBe('bad')
  expect(verifySignature(signedBy('rsa-pss', {}), publicKey('ed25519'), budget)).toBe('bad')
  expect(budget.spent.signatures).toBe(0)
})

test('a key for PSS only does not verify PKCS #1 v1.5 (RFC 4055 §1.2)', () => {
  const certificate = signedBy('rsa-2048', { signature: 'rsa-sha256' })
  expect(verdict(certificate, 'rsa-pss')).toBe('bad')
})

describe('parameters are those that the RFCs demand', () => {
  const rsa256 = '1.2.840.113549.1.1.11'
  const ecdsa256 = '1.2.840.10045.4.3.2'
  test.each<readonly [string, KeyKind, Uint8Array, 'good' | 'unsupported']>([
    ['RSA with NULL', 'rsa-2048', sequence(oid(rsa256), nullValue), 'good'],
    ['RSA with none, which RFC 4055 §5 has accepted', 'rsa-2048', sequence(oid(rsa256)), 'good'],
    ['RSA with others', 'rsa-2048', sequence(oid(rsa256), integer(1)), 'unsupported'],
    ['ECDSA with none', 'p256', sequence(oid(ecdsa256)), 'good'],
    ['ECDSA with NULL', 'p256', sequence(oid(ecdsa256), nullValue), 'unsupported'],
    ['Ed25519 with NULL', 'ed25519', sequence(oid('1.3.101.112'), nullValue), 'unsupported'],
  ])('%s', (_what, kind, algorithm, expected) => {
    expect(verdict(signedBy(kind, { algorithm }), kind)).toBe(expected)
  })
})

describe('parameters of PSS', () => {
  const pss = '1.2.840.113549.1.1.10'
  const parsed = (parameters: Uint8Array) => {
    const { signatureAlgorithm } = signedBy('rsa-2048', {
      algorithm: sequence(oid(pss), parameters),
      signature: 'pss-sha256',
    })
    return signatureScheme(signatureAlgorithm)
  }
  const sha256 = (...parameters: readonly Uint8Array[]) => sequence(oid('2.16.840.1.101.3.4.2.1'), ...parameters)
  const mgf1 = (hash: Uint8Array) => sequence(oid('1.2.840.113549.1.1.8'), hash)

  test.each([0, 19, 21, 32, 48, 64, 127, 128, 222])('the salt length %i is read', saltBytes => {
    expect(parsed(pssParameters('sha256', 'sha256', saltBytes))).toEqual({
      kind: 'rsa-pss',
      hash: 'sha256',
      saltBytes,
    })
  })

  test('hashes may come with NULL or without parameters (RFC 4055 §2.1)', () => {
    const salt = explicit(2, integer(32))
    for (const own of [sha256(), sha256(nullValue)])
      for (const mask of [sha256(), sha256(nullValue)])
        expect(parsed(sequence(explicit(0, own), explicit(1, mgf1(mask)), salt))).toMatchObject({
          kind: 'rsa-pss',
          saltBytes: 32,
        })
  })

  test('a salt length left out is 20', () => {
    expect(parsed(sequence(explicit(0, sha256()), explicit(1, mgf1(sha256()))))).toMatchObject({ saltBytes: 20 })
  })

  test.each<readonly [string, Uint8Array]>([
    ['20 written out, which DER leaves out', pssParameters('sha256', 'sha256', 20)],
    ['a mask of another hash', pssParameters('sha256', 'sha384')],
    ['SHA-1 only in the mask', pssParameters('sha256', 'sha1')],
    [
      'a trailer field',
      sequence(
        explicit(0, sha256()),
        explicit(1, mgf1(sha256())),
        explicit(2, integer(32)),
        explicit(3, integer(1)),
      ),
    ],
    [
      'a negative salt length',
      sequence(explicit(0, sha256()), explicit(1, mgf1(sha256())), explicit(2, Buffer.of(2, 1, 0x80))),
    ],
    [
      'a salt length that is not minimal',
      sequence(explicit(0, sha256()), explicit(1, mgf1(sha256())), explicit(2, Buffer.of(2, 2, 0, 32))),
    ],
    ['no mask', sequence(explicit(0, sha256()), explicit(2, integer(32)))],
    ['NULL', nullValue],
  ])('%s is not read', (_what, parameters) => {
    expect(parsed(parameters).kind).toBe('unsupported')
  })

  test('every cut of the parameters is not read, and does not throw', () => {
    const whole = pssParameters('sha512', 'sha512', 64)
    for (let cut = 0; cut < whole.length; cut++)
      expect(signatureScheme({ oid: pss, parameters: whole.subarray(0, cut) }).kind, `cut at ${cut}`).toBe(
        'unsupported',
      )
    expect(signatureScheme({ oid: pss, parameters: Buffer.concat([whole, Buffer.of(0)]) }).kind).toBe(
      'unsupported',
    )
  })

  test('a salt of another length than said makes the signature bad', () => {
    const certificate = signedBy('rsa-2048', { signature: 'pss-sha256' })
    const signature = sign('sha256', certificate.tbs, {
      key: keyOf('issuer', 'rsa-2048').privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 20,
    })
    expect(verdict({ ...certificate, signature }, 'rsa-2048')).toBe('bad')
  })
})

describe('hostile keys and signatures are values', () => {
  test('a point that is not on its curve is unsupported', () => {
    const spki = sequence(
      sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')),
      bitString(Buffer.from([4, ...Array<number>(64).fill(7)])),
    )
    const key = readPublicKey(spki)
    if (key === null) throw new Error('the outline is that of a key')
    expect(verifySignature(signedBy('p256', {}), key, createBudget())).toBe('unsupported')
  })

  test.each(['rsa-2048', 'p256', 'ed25519', 'ed448'] as const)('%s: a signature of any length is bad', kind => {
    const certificate = signedBy(kind, {})
    for (const signature of [
      Buffer.of(),
      Buffer.of(0),
      Buffer.alloc(5000, 0x30),
      Buffer.concat([certificate.signature, Buffer.of(0)]),
    ])
      expect(verdict({ ...certificate, signature }, kind)).toBe('bad')
  })
})

describe('what a verification costs', () => {
  test('is paid before it is done', () => {
    const certificate = signedBy('p256', {})
    expect(verifySignature(certificate, publicKey('p256'), createBudget({ signatures: 2 }))).toBe('over-budget')
  })

  test.each([
    [{ kind: 'rsa', bits: 1024, exponentBits: 17 }, 1],
    [{ kind: 'rsa', bits: 2048, exponentBits: 2 }, 1],
    [{ kind: 'rsa', bits: 4096, exponentBits: 17 }, 4],
    [{ kind: 'rsa-pss', bits: 16_384, exponentBits: 17 }, 64],
    [{ kind: 'rsa', bits: 2048, exponentBits: 34 }, 2],
    [{ kind: 'ec', curve: 'P-256' }, 3],
    [{ kind: 'unsupported', name: 'DSA' }, 0],
  ] as const)('%o: %d', (facts, units) => {
    expect(verificationCost(facts)).toBe(units)
  })
})

function signedBy(kind: KeyKind, recipe: Recipe): Certificate {
  const issuer: Made = makeAuthority({ subject: 'CN=Issuer', key: keyOf('issuer', kind), signature: usual(kind) })
  const made = makeLeaf({
    issuer,
    ...(recipe.signature === undefined ? { signature: usual(kind) } : {}),
    ...recipe,
  })
  const read = parseCertificate(made.der)
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return read.certificate
}

function usual(kind: KeyKind): SignatureKind {
  if (kind.startsWith('rsa-')) return kind === 'rsa-pss' ? 'pss-sha256' : 'rsa-sha256'
  if (kind === 'ed25519' || kind === 'ed448') return kind
  return kind === 'dsa' ? 'dsa-sha256' : 'ecdsa-sha256'
}

function publicKey(kind: KeyKind, holder = 'issuer') {
  const key = readPublicKey(keyOf(holder, kind).spki)
  if (key === null) throw new Error('a key of our own')
  return key
}

function verdict(certificate: Certificate, kind: KeyKind, holder?: string) {
  return verifySignature(certificate, publicKey(kind, holder), createBudget())
}
