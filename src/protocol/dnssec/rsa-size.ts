/** How large the modulus of an RSA key in a DNSKEY is (RFC 3110 §2). Says nothing of whether the key can be used. */
import { findAlgorithm } from './algorithms.ts'
import type { Dnskey } from './types.ts'

/** In bits; null when the algorithm is not RSA, or is not known, or the key is cut short. */
export function rsaModulusBits({ algorithm, publicKey }: Pick<Dnskey, 'algorithm' | 'publicKey'>): number | null {
  if (findAlgorithm(algorithm)?.kind !== 'rsa') return null
  const [first, high, low] = publicKey
  if (first === undefined) return null
  // The length of the exponent stands in one byte, or in three when it is above 255.
  const start = first === 0 ? 3 + (((high ?? 0) << 8) | (low ?? 0)) : 1 + first
  const modulus = publicKey.subarray(start)
  const zeros = modulus.findIndex(byte => byte !== 0)
  if (zeros < 0) return null
  return (modulus.length - zeros) * 8 - (Math.clz32(modulus[zeros] ?? 0) - 24)
}
