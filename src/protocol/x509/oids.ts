/** Object identifiers that are known here, by the names that the RFCs give them. */
import type { Oid } from './model.ts'

/** Attributes of names: RFC 5280 §A.1, RFC 4519, RFC 2985 §5.2.1. */
export const attributeOids = {
  commonName: '2.5.4.3',
  emailAddress: '1.2.840.113549.1.9.1',
} as const satisfies Record<string, Oid>

/** Extensions: RFC 5280 §4.2.1, §4.2.2. */
export const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  policyConstraints: '2.5.29.36',
  crlDistributionPoints: '2.5.29.31',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  /** Signed certificate timestamps: RFC 6962 §3.3. */
  timestampList: '1.3.6.1.4.1.11129.2.4.2',
} as const satisfies Record<string, Oid>

/** Public keys: RFC 3279 §2.3, RFC 4055 §1.2, RFC 5480 §2.1, RFC 8410 §3. */
export const keyOids = {
  rsaEncryption: '1.2.840.113549.1.1.1',
  rsassaPss: '1.2.840.113549.1.1.10',
  ecPublicKey: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
} as const satisfies Record<string, Oid>

/** Purposes of extendedKeyUsage: RFC 5280 §4.2.1.12. */
export const purposeOids = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const satisfies Record<string, Oid>
