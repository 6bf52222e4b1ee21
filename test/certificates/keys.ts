/**
 * Keys and signatures for test certificates, right and wrong: each key is generated once, at its first use, and kept.
 *
 * A key belongs to a holder (`root`, `leaf`, …), so that two certificates share one only when a case says so.
 */
import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
} from 'node:crypto'
import { bitString, children, explicit, integer, nullValue, oid, sequence } from './der.ts'

export type KeyKind =
  | 'p256'
  | 'p384'
  | 'p521'
  | 'p192'
  | 'p224'
  | 'secp256k1'
  /** P-256 with its parameters written out, which RFC 5480 §2.1.1 forbids. */
  | 'p256-explicit'
  | 'ed25519'
  | 'ed448'
  | 'dsa'
  | 'rsa-pss'
  | `rsa-${number}`

export interface TestKey {
  readonly kind: KeyKind
  readonly privateKey: KeyObject
  readonly spki: Uint8Array
  /** SHA-1 of the key's bits: method 1 of RFC 5280 §4.2.1.2. */
  readonly identifier: Uint8Array
}

export type SignatureKind =
  | `rsa-${'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'}`
  | `pss-${'sha1' | 'sha256' | 'sha384' | 'sha512'}`
  | `ecdsa-${'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'}`
  | 'ed25519'
  | 'ed448'
  | 'dsa-sha256'

/** The key of that kind that this holder has. */
export function keyOf(holder: string, kind: KeyKind = 'p256'): TestKey {
  const id = `${holder}/${kind}`
  const known = keys.get(id)
  if (known !== undefined) return known
  const made = generate(kind)
  keys.set(id, made)
  return made
}

/** What a key of that kind signs with unless a case says otherwise. */
export function usualSignature(kind: KeyKind): SignatureKind {
  if (kind === 'rsa-pss') return 'pss-sha256'
  if (kind.startsWith('rsa-')) return 'rsa-sha256'
  if (kind === 'ed25519' || kind === 'ed448') return kind
  if (kind === 'dsa') return 'dsa-sha256'
  if (kind === 'p384') return 'ecdsa-sha384'
  return kind === 'p521' ? 'ecdsa-sha512' : 'ecdsa-sha256'
}

export function signatureOf(kind: SignatureKind, key: TestKey, bytes: Uint8Array): Uint8Array {
  const [family, digest] = kind.split('-')
  if (digest === undefined) return sign(null, bytes, key.privateKey)
  const input: SignKeyObjectInput = { key: key.privateKey }
  if (family === 'pss') {
    input.padding = constants.RSA_PKCS1_PSS_PADDING
    input.saltLength = constants.RSA_PSS_SALTLEN_DIGEST
  }
  return sign(digest, bytes, input)
}

/** AlgorithmIdentifier as RFC 3279, 4055, 5758 and 8410 write it. */
export function algorithmIdentifier(kind: SignatureKind): Uint8Array {
  if (kind.startsWith('pss-')) return sequence(oid('1.2.840.113549.1.1.10'), pssParameters(kind.slice(4)))
  return sequence(oid(oids[kind] ?? ''), ...(kind.startsWith('rsa-') ? [nullValue] : []))
}

/** RSASSA-PSS-params (RFC 4055 §3.1); `maskDigest` and `saltLength` differ from the digest only in broken ones. */
export function pssParameters(
  digest: string,
  maskDigest = digest,
  saltLength = saltLengths[digest] ?? 20,
): Uint8Array {
  if (digest === 'sha1' && maskDigest === 'sha1' && saltLength === 20) return sequence()
  return sequence(
    explicit(0, hashIdentifier(digest)),
    explicit(1, sequence(oid('1.2.840.113549.1.1.8'), hashIdentifier(maskDigest))),
    explicit(2, integer(saltLength)),
  )
}

/** The bits of a SubjectPublicKeyInfo, hashed. */
export function keyIdentifierOf(spki: Uint8Array): Uint8Array {
  const [, bits = bitString(Buffer.of())] = children(spki)
  const header = (bits[1] ?? 0) < 0x80 ? 2 : 2 + ((bits[1] ?? 0) & 0x7f)
  return createHash('sha1')
    .update(bits.subarray(header + 1))
    .digest()
}

function hashIdentifier(digest: string): Uint8Array {
  return sequence(oid(hashOids[digest] ?? ''), nullValue)
}

function generate(kind: KeyKind): TestKey {
  const { privateKey, publicKey } = pairOf(kind)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { kind, privateKey, spki, identifier: keyIdentifierOf(spki) }
}

function pairOf(kind: KeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  if (kind === 'ed448') return generateKeyPairSync('ed448')
  if (kind === 'dsa') return generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
  if (kind === 'rsa-pss') return generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  if (kind.startsWith('rsa-')) return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(4)) })
  return generateKeyPairSync('ec', {
    namedCurve: curves[kind] ?? kind,
    paramEncoding: kind === 'p256-explicit' ? 'explicit' : 'named',
  })
}

const keys = new Map<string, TestKey>()

const curves: Readonly<Partial<Record<KeyKind, string>>> = {
  p192: 'prime192v1',
  p224: 'secp224r1',
  p256: 'prime256v1',
  'p256-explicit': 'prime256v1',
  p384: 'secp384r1',
  p521: 'secp521r1',
}

const oids: Readonly<Partial<Record<SignatureKind, string>>> = {
  'rsa-md5': '1.2.840.113549.1.1.4',
  'rsa-sha1': '1.2.840.113549.1.1.5',
  'rsa-sha224': '1.2.840.113549.1.1.14',
  'rsa-sha256': '1.2.840.113549.1.1.11',
  'rsa-sha384': '1.2.840.113549.1.1.12',
  'rsa-sha512': '1.2.840.113549.1.1.13',
  'ecdsa-sha1': '1.2.840.10045.4.1',
  'ecdsa-sha224': '1.2.840.10045.4.3.1',
  'ecdsa-sha256': '1.2.840.10045.4.3.2',
  'ecdsa-sha384': '1.2.840.10045.4.3.3',
  'ecdsa-sha512': '1.2.840.10045.4.3.4',
  'dsa-sha256': '2.16.840.1.101.3.4.3.2',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
}

const hashOids: Readonly<Record<string, string>> = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
}

const saltLengths: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }
