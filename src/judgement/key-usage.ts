/**
 * What a leaf's key usage permits in a TLS handshake (RFC 5280 §4.2.1.3, RFC 5246 §7.4.2, RFC 8446 §4.4.2.2), and the findings about it.
 *
 * RSA key exchange encrypts to the leaf's key: keyEncipherment. ECDHE, DHE and all of TLS 1.3 are signed with it: digitalSignature. A leaf
 * without the extension may do either. Case 2 hangs on this: GnuTLS refuses what does not fit, OpenSSL takes no notice. The verdict on a
 * peer never depends on it; stacks.ts says what other programs make of it.
 */
import type { KeyUsage, PublicKeyFacts } from '../protocol/x509/model.ts'
import type { KeyExchange } from './verify-document.ts'

/** What is asked of a leaf: the kind of its key, and its key usage; null where the extension is absent. */
export interface LeafKey {
  /** `ec`: P-256 and the like. `other`: Ed25519, RSA for PSS alone and whatever else only signs. */
  readonly kind: 'rsa' | 'ec' | 'other'
  readonly keyUsage: ReadonlySet<KeyUsage> | null
}

/** How the key usage stands to a key exchange; `impossible`: a key that cannot encrypt, where RSA key exchange is asked for. */
export type KeyUsageFit = 'absent' | 'fits' | 'lacking' | 'impossible'

/** What matters of a leaf's key in a handshake. @param keyUsage Null: the extension is absent. */
export function leafKey(facts: PublicKeyFacts, keyUsage: ReadonlySet<KeyUsage> | null): LeafKey {
  return { kind: facts.kind === 'rsa' || facts.kind === 'ec' ? facts.kind : 'other', keyUsage }
}

/** The bit that a key exchange needs in the leaf: the key decrypts for RSA, and signs for all others (RFC 5246 §7.4.2, RFC 8446 §4.4.2.2). */
export function neededUsage(exchange: KeyExchange): 'keyEncipherment' | 'digitalSignature' {
  return exchange === 'rsa' ? 'keyEncipherment' : 'digitalSignature'
}

/** Whether a leaf will do for a key exchange by its kind of key and its key usage: `fits` and `absent` permit it. */
export function keyUsageFit({ kind, keyUsage }: LeafKey, exchange: KeyExchange): KeyUsageFit {
  if (exchange === 'rsa' && kind !== 'rsa') return 'impossible'
  if (keyUsage === null) return 'absent'
  return keyUsage.has(neededUsage(exchange)) ? 'fits' : 'lacking'
}

export interface KeyUsageFinding {
  readonly code: 'x509.key-usage-no-signature' | 'x509.key-usage-no-encipherment'
  /** Lacking keyEncipherment matters only where somebody asks for RSA key exchange. */
  readonly severity: 'info' | 'warning'
}

/** @param exchange The one in question; null: whichever the peers come to. */
export function keyUsageFindings(leaf: LeafKey, exchange: KeyExchange | null): readonly KeyUsageFinding[] {
  const lacksSignature = exchange !== 'rsa' && keyUsageFit(leaf, 'tls1.3') === 'lacking'
  const lacksEncipherment = (exchange ?? 'rsa') === 'rsa' && keyUsageFit(leaf, 'rsa') === 'lacking'
  return [
    ...(lacksSignature ? [{ code: 'x509.key-usage-no-signature', severity: 'warning' } as const] : []),
    ...(lacksEncipherment
      ? [{ code: 'x509.key-usage-no-encipherment', severity: exchange === 'rsa' ? 'warning' : 'info' } as const]
      : []),
  ]
}
