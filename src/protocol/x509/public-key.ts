/**
 * What a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) says of its key: kind, size, curve. Read from the octets alone, so that a key costs nothing until it is used.
 *
 * Success means that the key is of a kind that signatures here are verified with, and has the outer form of one. Whether a point lies on its curve, or a
 * modulus is one, shows when the key is used. RFC 3279 §2.3.1, RFC 4055 §1.2, RFC 5480 §2, RFC 8410 §3 and §4.
 */
import {
  type Der,
  enter,
  hasMore,
  isAtEnd,
  isMinimalInteger,
  next,
  nextAs,
  nextOctetsAsBits,
  nextOid,
  openDer,
  tags,
  whole,
} from './der.ts'
import type { AlgorithmIdentifier, PublicKey, PublicKeyFacts } from './model.ts'
import { keyOids } from './oids.ts'

/** The key in these octets; null when they are not one SubjectPublicKeyInfo: an algorithm, a BIT STRING, nothing else. */
export function readPublicKey(spki: Uint8Array): PublicKey | null {
  const der = openDer(spki)
  if (!nextAs(der, tags.sequence, 'the public key') || !isAtEnd(der, 'the public key')) return null
  const facts = readKeyFacts(enter(der))
  return facts === null ? null : { spki: der.reading.bytes, facts }
}

/**
 * The same with as little asked as possible: an algorithm and a BIT STRING, in whatever form; what is not read is `unreadableKey`. For comparing octets: others read
 * keys that we do not.
 */
export function readKeyOutline(spki: Uint8Array): PublicKey | null {
  const key = readPublicKey(spki)
  if (key !== null) return key
  const der = openDer(spki)
  if (!nextAs(der, tags.sequence, 'the public key') || !isAtEnd(der, 'the public key')) return null
  const inside = enter(der)
  const hasOutline =
    nextAs(inside, tags.sequence, 'the algorithm of the public key') &&
    nextAs(inside, tags.bitString, 'the public key') &&
    isAtEnd(inside, 'the public key')
  return hasOutline ? { spki: der.reading.bytes, facts: unreadableKey } : null
}

/** The same, from within a certificate: `der` is the content of the SubjectPublicKeyInfo. */
export function readKeyFacts(der: Der): PublicKeyFacts | null {
  if (!nextAs(der, tags.sequence, 'the algorithm of the public key')) return null
  const algorithm = readAlgorithm(enter(der), 'the algorithm of the public key')
  if (algorithm === null) return null
  const bits = nextOctetsAsBits(der, 'the public key')
  if (bits === null || !isAtEnd(der, 'the public key')) return null
  return factsOf(algorithm, bits)
}

/** Reads the content of an AlgorithmIdentifier (RFC 5280 §4.1.1.2). */
export function readAlgorithm(der: Der, what: string): AlgorithmIdentifier | null {
  const oid = nextOid(der, what)
  if (oid === null) return null
  if (!hasMore(der)) return { oid, parameters: null }
  if (!next(der)) return null
  const parameters = whole(der)
  return isAtEnd(der, what) ? { oid, parameters } : null
}

/** For people: `RSA 2048`, `RSA-PSS 3072`, `EC P-256`, `Ed25519`, or what it is instead. */
export function keyText(facts: PublicKeyFacts): string {
  switch (facts.kind) {
    case 'rsa':
      return `RSA ${facts.bits}`
    case 'rsa-pss':
      return `RSA-PSS ${facts.bits}`
    case 'ec':
      return `EC ${facts.curve}`
    case 'ed25519':
      return 'Ed25519'
    case 'ed448':
      return 'Ed448'
    case 'unsupported':
      return facts.name
    default:
      return facts satisfies never
  }
}

/** The name of a key whose octets are not what its algorithm says. */
export const unreadableKey = { kind: 'unsupported', name: 'an unreadable key' } as const satisfies PublicKeyFacts

function factsOf(algorithm: AlgorithmIdentifier, key: Uint8Array): PublicKeyFacts {
  const { oid, parameters } = algorithm
  switch (oid) {
    case keyOids.rsaEncryption:
      // RFC 3279 §2.3.1 wants NULL; without parameters the key is the same.
      return parameters === null || isNull(parameters) ? rsaFacts('rsa', key) : unreadableKey
    case keyOids.rsassaPss:
      return rsaFacts('rsa-pss', key)
    case keyOids.ecPublicKey:
      return ecFacts(parameters, key)
    case keyOids.ed25519:
      return parameters === null && key.length === 32 ? { kind: 'ed25519' } : unreadableKey
    case keyOids.ed448:
      return parameters === null && key.length === 57 ? { kind: 'ed448' } : unreadableKey
    default:
      return { kind: 'unsupported', name: otherKeys.get(oid) ?? `a key of algorithm ${oid}` }
  }
}

/** RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }. */
function rsaFacts(kind: 'rsa' | 'rsa-pss', key: Uint8Array): PublicKeyFacts {
  const der = openDer(key)
  if (!nextAs(der, tags.sequence, 'the RSA key') || !isAtEnd(der, 'the RSA key')) return unreadableKey
  const inside = enter(der)
  if (!nextAs(inside, tags.integer, 'the modulus')) return unreadableKey
  const bits = positiveBits(inside)
  const isModulusOdd = isOdd(inside)
  if (!nextAs(inside, tags.integer, 'the exponent')) return unreadableKey
  const exponentBits = positiveBits(inside)
  if (bits === 0 || exponentBits === 0 || !isAtEnd(inside, 'the exponent')) return unreadableKey
  const name = kind === 'rsa' ? 'RSA' : 'RSA-PSS'
  if (bits > maxRsaBits) return { kind: 'unsupported', name: `${name} ${bits}, over ${maxRsaBits} bits` }
  // Two divides it: everybody has its factors.
  if (!isModulusOdd) return { kind: 'unsupported', name: `${name} ${bits} with an even modulus` }
  if (exponentBits > maxExponentBits)
    return { kind: 'unsupported', name: `${name} ${bits} with an exponent of ${exponentBits} bits` }
  // RFC 8017 §3.1: odd, and at least 3. With 1, everything is its own signature.
  if (exponentBits < 2 || !isOdd(inside))
    return { kind: 'unsupported', name: `${name} ${bits} with an even exponent, or 1` }
  return { kind, bits, exponentBits }
}

/** Bits of the INTEGER read last; 0 when it is not minimal, not positive, or zero. */
function positiveBits(der: Der): number {
  const { bytes } = der.reading
  const { from, at } = der
  if (!isMinimalInteger(bytes, from, at) || (bytes[from] ?? 0) >= 0x80) return 0
  const first = bytes[from] === 0 ? from + 1 : from
  return first === at ? 0 : (at - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24)
}

function isOdd(der: Der): boolean {
  return ((der.reading.bytes[der.at - 1] ?? 0) & 1) === 1
}

/** RFC 5480 §2.1.1: the curve by name, never by its parameters (which may make any point anybody's). §2.2: the forms of a point. */
function ecFacts(parameters: Uint8Array | null, key: Uint8Array): PublicKeyFacts {
  if (parameters?.[0] === tags.sequence) return { kind: 'unsupported', name: 'EC with a curve of its own making' }
  if (parameters?.[0] !== tags.oid) return { kind: 'unsupported', name: 'EC without a curve' }
  const der = openDer(parameters)
  const oid = nextOid(der, 'the curve')
  if (oid === null) return unreadableKey
  const curve = curves.get(oid)
  if (curve === undefined) return { kind: 'unsupported', name: `EC ${otherCurves.get(oid) ?? oid}` }
  const form = key[0]
  const isPoint =
    form === 4 ? key.length === 2 * curve.bytes + 1 : (form === 2 || form === 3) && key.length === curve.bytes + 1
  return isPoint ? { kind: 'ec', curve: curve.name } : unreadableKey
}

function isNull(parameters: Uint8Array): boolean {
  return parameters.length === 2 && parameters[0] === tags.null && parameters[1] === 0
}

/** OpenSSL verifies with no longer one (OPENSSL_RSA_MAX_MODULUS_BITS); one verification takes about 3 ms. */
const maxRsaBits = 16_384
/** The same there for long moduli (OPENSSL_RSA_MAX_PUBEXP_BITS); here for all, since the cost grows with it and 17 bits are usual. */
const maxExponentBits = 64

/** RFC 5480 §2.1.1.1. `bytes`: of one coordinate. */
const curves: ReadonlyMap<string, { readonly name: 'P-256' | 'P-384' | 'P-521'; readonly bytes: number }> =
  new Map([
    ['1.2.840.10045.3.1.7', { name: 'P-256', bytes: 32 }],
    ['1.3.132.0.34', { name: 'P-384', bytes: 48 }],
    ['1.3.132.0.35', { name: 'P-521', bytes: 66 }],
  ])

/** Others that people may meet; the rest is shown by its number. */
const otherCurves: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10045.3.1.1', 'P-192'],
  ['1.3.132.0.33', 'P-224'],
  ['1.3.132.0.10', 'secp256k1'],
  ['1.3.36.3.3.2.8.1.1.7', 'brainpoolP256r1'],
  ['1.3.36.3.3.2.8.1.1.11', 'brainpoolP384r1'],
  ['1.3.36.3.3.2.8.1.1.13', 'brainpoolP512r1'],
])

const otherKeys: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10040.4.1', 'DSA'],
  ['1.2.840.10046.2.1', 'Diffie-Hellman'],
  ['1.3.101.110', 'X25519'],
  ['1.3.101.111', 'X448'],
  ['1.2.643.7.1.1.1.1', 'GOST R 34.10-2012 (256 bits)'],
  ['1.2.643.7.1.1.1.2', 'GOST R 34.10-2012 (512 bits)'],
  ['2.16.840.1.101.3.4.3.17', 'ML-DSA-44'],
  ['2.16.840.1.101.3.4.3.18', 'ML-DSA-65'],
  ['2.16.840.1.101.3.4.3.19', 'ML-DSA-87'],
])
