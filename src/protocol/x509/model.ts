/**
 * What a certificate is to us (RFC 5280 §4.1): types only. Made by certificate.ts from bytes; judged by path.ts.
 *
 * Everything keeps its raw bytes. A certificate whose outline can be read is a `Certificate` even when a part of it is broken:
 * its key and its bytes are there (DANE-EE needs no more, RFC 7671 §5.1), and what is broken stands in `faults`.
 */
import type { X509Reason } from './reasons.ts'

/** Dotted decimal: `2.5.29.17`. */
export type Oid = string

/** One thing wrong, or worth telling, with one certificate. */
export interface Fault {
  readonly reason: X509Reason
  /** What was seen, in one clause; may hold text of the certificate, so it is shown through `visible` only. Null when the code says it all. */
  readonly detail: string | null
}

/** A distinguished name, kept as it was encoded. Read it with the functions of distinguished-name.ts. */
export interface DistinguishedName {
  /** The whole Name, tag and length included. */
  readonly der: Uint8Array
}

/** RFC 5280 §4.2.1.6. Texts are as encoded (one character an octet): what is well-formed is decided where they are used. */
export type GeneralName =
  | { readonly type: 'dns' | 'email' | 'uri'; readonly value: string }
  /** 4 or 16 octets when well-formed; in a name constraint 8 or 32, address and mask. */
  | { readonly type: 'ip'; readonly value: Uint8Array }
  | { readonly type: 'directory'; readonly value: DistinguishedName }
  /** otherName, x400Address, ediPartyName, registeredID: nothing that mail can match. `tag`: the number of the choice. */
  | { readonly type: 'other'; readonly tag: number; readonly der: Uint8Array }

/** RFC 5280 §4.2.1.3, in the order of the bits. */
export type KeyUsage =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly'

export interface Extension {
  readonly oid: Oid
  readonly critical: boolean
  /** The octets inside extnValue. */
  readonly value: Uint8Array
}

export interface AlgorithmIdentifier {
  readonly oid: Oid
  /** The parameters as encoded, tag and length included; null when absent. */
  readonly parameters: Uint8Array | null
}

/** What can be told of a public key without using it. */
export type PublicKeyFacts =
  | { readonly kind: 'rsa' | 'rsa-pss'; readonly bits: number; readonly exponentBits: number }
  | { readonly kind: 'ec'; readonly curve: 'P-256' | 'P-384' | 'P-521' }
  | { readonly kind: 'ed25519' | 'ed448' }
  /** DSA, other and explicit curves, unreadable keys: nothing of ours verifies with it. `name`: for people. */
  | { readonly kind: 'unsupported'; readonly name: string }

export interface PublicKey {
  /** SubjectPublicKeyInfo, as encoded. */
  readonly spki: Uint8Array
  readonly facts: PublicKeyFacts
}

/** Base and nothing else: RFC 5280 §4.2.1.10 has no use for minimum and maximum, and refuses them. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | null
  readonly hasIssuerAndSerial: boolean
}

export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array
  /** TBSCertificate: what is signed. */
  readonly tbs: Uint8Array
  readonly version: 1 | 2 | 3
  /** Content octets of the serial number. */
  readonly serial: Uint8Array
  readonly signatureAlgorithm: AlgorithmIdentifier
  /** Contents of the BIT STRING. */
  readonly signature: Uint8Array
  readonly issuer: DistinguishedName
  readonly subject: DistinguishedName
  /** Milliseconds since 1970; null when the time could not be read (a fault says so). Valid from notBefore to notAfter, both included. */
  readonly notBeforeMs: number | null
  readonly notAfterMs: number | null
  readonly publicKey: PublicKey
  /** All of them, known or not, in the order of the encoding. */
  readonly extensions: readonly Extension[]
  /** Decoded extensions: null when absent, or when unreadable (a fault says so). */
  readonly basicConstraints: { readonly isCa: boolean; readonly pathLength: number | null } | null
  readonly keyUsage: ReadonlySet<KeyUsage> | null
  readonly extendedKeyUsage: readonly Oid[] | null
  readonly alternativeNames: readonly GeneralName[] | null
  readonly nameConstraints: NameConstraints | null
  readonly subjectKeyIdentifier: Uint8Array | null
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | null
  /** What is broken (`x509.malformed`) or was issued against the rules: everything that can be told from this certificate alone. */
  readonly faults: readonly Fault[]
}

/** One certificate of a chain as sent: read, or not a certificate at all. */
export type Read =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  /** `der`: the octets there were; empty when the PEM block could not even be decoded. `detail`: what is wrong, and where. */
  | { readonly kind: 'malformed'; readonly der: Uint8Array; readonly detail: string }

/** What decides where judges may differ: the relay's rules, or every rule of issuance too (ARCHITECTURE decision 7). */
export type Profile = 'mail' | 'strict'

export type Purpose = 'server' | 'client'
