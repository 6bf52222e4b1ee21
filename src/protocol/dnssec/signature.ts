/**
 * One signature, one key: were these records signed by the holder of this key (RFC 4034 §3.1.8.1)? And is it the time for it (§3.1.5)?
 *
 * `good` says that the bytes were signed, nothing more. Whether the fields of the RRSIG fit the records and the zone is looked at in verify-set.ts, whether the
 * key may be trusted in keys.ts.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type Algorithm, findAlgorithm } from './algorithms.ts'
import { signedData } from './canonical.ts'
import type { Dnskey, DnssecBudget, Rrset, Rrsig } from './types.ts'

/**
 * `bad`: not signed by this key. `unusable-key`: the key breaks the form of its algorithm, or is larger than what is verified; nobody's signature fits it.
 * `unknown-algorithm`: nothing we verify. `over-budget`: not tried.
 */
export type SignatureVerdict = 'good' | 'bad' | 'unusable-key' | 'unknown-algorithm' | 'over-budget'

/**
 * Verifies `rrsig` over `rrset` with `key`. Never throws for what servers can send. Algorithms with SHA-1 are verified like the others: whether they
 * count is the caller's to say.
 *
 * @param budget pays for each verification that is really done, by the size of key and data; what a length settles is free
 */
export function verifyRrset(rrset: Rrset, rrsig: Rrsig, key: Dnskey, budget: DnssecBudget): SignatureVerdict {
  const algorithm = findAlgorithm(rrsig.algorithm)
  if (algorithm === null) return 'unknown-algorithm'
  if (rrsig.algorithm !== key.algorithm) return 'bad'
  const shape = keyShape(key, algorithm)
  if (shape === null) return 'unusable-key'
  if (rrsig.signature.length !== shape.signatureBytes) return 'bad'
  const data = signedData(rrset, rrsig)
  if (data === null) return 'bad'
  if (!budget.spend('signatures', shape.units + data.length / bytesHashedPerUnit)) return 'over-budget'
  const imported = importKey(key, shape)
  if (imported === null) return 'unusable-key'
  return isSigned(algorithm, data, imported, rrsig.signature) ? 'good' : 'bad'
}

/** Whether a signature holds now, by its own word. Times are compared in a circle of 2^32 seconds (RFC 4034 §3.1.5, RFC 1982). */
export function signatureTime(
  { inception, expiration }: Pick<Rrsig, 'inception' | 'expiration'>,
  nowMs: number,
): 'valid' | 'expired' | 'not-yet-valid' {
  const now = Math.floor(nowMs / 1000)
  if (secondsFrom(now, inception) > 0) return 'not-yet-valid'
  // Expiry before inception, half a circle apart: there is no time at which it holds.
  return secondsFrom(now, expiration) < 0 || secondsFrom(inception, expiration) < 0 ? 'expired' : 'valid'
}

/** When a signature that is valid at `nowMs` ends, in milliseconds since 1970. */
export function signatureEndMs({ expiration }: Pick<Rrsig, 'expiration'>, nowMs: number): number {
  const now = Math.floor(nowMs / 1000)
  return (now + secondsFrom(now, expiration)) * 1000
}

/** Serial difference, -2^31 to 2^31-1. Exactly half the circle, which RFC 1982 §3.2 leaves undefined, counts as before. */
function secondsFrom(one: number, other: number): number {
  return (other - one) | 0
}

interface KeyShape {
  readonly spki: () => Uint8Array
  readonly signatureBytes: number
  /** Of one RSA-2048 verification; measured, rounded up. */
  readonly units: number
}

/** What the public key field tells without any arithmetic. Null: it is not as its algorithm wants it. */
function keyShape({ publicKey }: Dnskey, algorithm: Algorithm): KeyShape | null {
  switch (algorithm.kind) {
    case 'rsa':
      return rsaShape(publicKey, algorithm.leastBits)
    case 'ecdsa':
      // RFC 6605 §4: both are two numbers of the curve's size, one after the other.
      return publicKey.length === algorithm.keyBytes
        ? {
            spki: () => Buffer.concat([algorithm.spkiHead, publicKey]),
            signatureBytes: algorithm.keyBytes,
            units: algorithm.units,
          }
        : null
    case 'eddsa':
      return publicKey.length === algorithm.keyBytes
        ? {
            spki: () => Buffer.concat([algorithm.spkiHead, publicKey]),
            signatureBytes: algorithm.signatureBytes,
            units: algorithm.units,
          }
        : null
    default:
      return algorithm satisfies never
  }
}

/** RFC 3110 §2: length of the exponent in one byte, or in three when it is above 255; the exponent; the modulus. Neither begins with a zero byte. */
function rsaShape(publicKey: Uint8Array, leastBits: number): KeyShape | null {
  const [first, high, low] = publicKey
  if (first === undefined) return null
  const isLong = first === 0
  const start = isLong ? 3 : 1
  const end = start + (isLong ? ((high ?? 0) << 8) | (low ?? 0) : first)
  const exponent = publicKey.subarray(start, end)
  const modulus = publicKey.subarray(end)
  if (end >= publicKey.length || modulus[0] === 0 || exponent[0] === 0) return null
  const bits = bitLength(modulus)
  const exponentBits = bitLength(exponent)
  if (bits < leastBits || bits > mostModulusBits || exponentBits < 2 || exponentBits > mostExponentBits)
    return null
  return {
    spki: () => rsaSpki(modulus, exponent),
    signatureBytes: modulus.length,
    units: Math.max(1, (bits / 2048) ** 2) * Math.max(1, exponentBits / 17),
  }
}

/** SubjectPublicKeyInfo of an RSA key (RFC 3279 §2.3.1). */
function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const key = der(0x30, unsigned(modulus), unsigned(exponent))
  return der(0x30, rsaEncryption, der(0x03, Uint8Array.of(0), key))
}

const unsigned = (bytes: Uint8Array) =>
  (bytes[0] ?? 0) & 0x80 ? der(0x02, Uint8Array.of(0), bytes) : der(0x02, bytes)

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...size), content])
}

/**
 * RFC 6605 §4 writes the two numbers one after the other, each as long as the curve's; OpenSSL reads them as RFC 3279 §2.2.3 has it. Written in place, as it is
 * done for every signature.
 */
function ecdsaDer(signature: Uint8Array): Uint8Array {
  const half = signature.length >> 1
  // Two numbers of 48 bytes, each with a zero, a tag and a length, are 102: one byte is enough for every length.
  const out = new Uint8Array(signature.length + 8)
  const end = putInteger(out, putInteger(out, 2, signature, 0, half), signature, half, signature.length)
  out[0] = 0x30
  out[1] = end - 2
  return out.subarray(0, end)
}

/** DER has each number in its shortest form, with a zero before a first bit that is set. Returns where it ends. */
function putInteger(out: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  let first = start
  while (first < end - 1 && from[first] === 0) first++
  const zeros = ((from[first] ?? 0) & 0x80) === 0 ? 0 : 1
  const length = end - first + zeros
  out[at] = 0x02
  out[at + 1] = length
  for (let index = first; index < end; index++) out[at + 2 + zeros + index - first] = from[index] ?? 0
  return at + 2 + length
}

function bitLength(bytes: Uint8Array): number {
  const [first] = bytes
  return first === undefined ? 0 : bytes.length * 8 - Math.clz32(first) + 24
}

/** The key, ready for use; null when OpenSSL does not take it: a point off its curve. Costs once for each `Dnskey`. */
function importKey(key: Dnskey, shape: KeyShape): KeyObject | null {
  const known = importedKeys.get(key)
  if (known !== undefined) return known
  const imported = importFresh(shape.spki())
  importedKeys.set(key, imported)
  return imported
}

function importFresh(spki: Uint8Array): KeyObject | null {
  try {
    // As text: given bytes and their format, Node takes two to three times as long, to look what it was given.
    const base64 = Buffer.from(spki.buffer, spki.byteOffset, spki.length).toString('base64')
    return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`)
  } catch {
    return null
  }
}

function isSigned(algorithm: Algorithm, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  try {
    switch (algorithm.kind) {
      case 'rsa':
        return verify(algorithm.hash, data, key, signature)
      case 'ecdsa':
        // Node could do it, but then takes a third longer for the whole verification: it has to look what kind of key it was given.
        return verify(algorithm.hash, data, key, ecdsaDer(signature))
      case 'eddsa':
        return verify(null, data, key, signature)
      default:
        return algorithm satisfies never
    }
  } catch {
    // OpenSSL throws for a few keys that it imports: a modulus too small for the padding, an even one.
    return false
  }
}

/** RFC 5702 §2. */
const mostModulusBits = 4096

/** BIND's bound. Real exponents are 3, 65537 and, from BIND's own `-e`, 2^32+1: 33 bits. OpenSSL would take 64, and a verification grows with each of them. */
const mostExponentBits = 35

/** SHA-512 takes some 30 µs for it, where there is no instruction for the hash. */
const bytesHashedPerUnit = 16_384

/** AlgorithmIdentifier of rsaEncryption with NULL. */
const rsaEncryption = Uint8Array.from(Buffer.from('300d06092a864886f70d0101010500', 'hex'))

const importedKeys = new WeakMap<Dnskey, KeyObject | null>()
