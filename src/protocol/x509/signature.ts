/**
 * The signature on a certificate: was it made by the holder of this key (RFC 5280 §4.1.1.3)?
 *
 * `good` means that the bytes of TBSCertificate were signed with the private half of the key, by an algorithm that nobody is known to break. It says
 * nothing about the certificate that carries the key: whether that one may sign is asked in path.ts.
 *
 * RSA PKCS #1 v1.5 and PSS (RFC 4055, RFC 8017), ECDSA on P-256, P-384 and P-521 (RFC 5758), Ed25519 and Ed448 (RFC 8410), with SHA-256, SHA-384 and SHA-512.
 * MD5, SHA-1 and older are recognised only to say so.
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { AlgorithmIdentifier, Certificate, Oid, PublicKey, PublicKeyFacts } from './model.ts'
import type { Budget } from './path-types.ts'

export type SignatureVerdict = 'good' | 'bad' | 'weak' | 'unsupported' | 'over-budget'

/** How a certificate is signed, as far as its AlgorithmIdentifier tells. */
export type SignatureScheme =
  | { readonly kind: 'rsa-pkcs1'; readonly hash: Hash }
  | { readonly kind: 'rsa-pss'; readonly hash: Hash; readonly saltBytes: number }
  | { readonly kind: 'ecdsa'; readonly hash: Hash }
  | { readonly kind: 'ed25519' | 'ed448' }
  /** MD5, SHA-1 or older: whoever finds a collision has two certificates for one signature. */
  | { readonly kind: 'weak'; readonly name: string }
  /** Nothing we verify, or parameters other than its RFC demands. `name`: for people. */
  | { readonly kind: 'unsupported'; readonly name: string }

export type Hash = 'sha256' | 'sha384' | 'sha512'

/** What signatures are on: certificates, and what is signed in the same form (RFC 5280 §5.1.1, RFC 6960 §4.2.1). */
export type Signed = Pick<Certificate, 'tbs' | 'signatureAlgorithm' | 'signature'>

/**
 * Whether `signed` was signed by the holder of `key`. Never throws for what a certificate can hold.
 *
 * @param budget pays for the verification itself; what the algorithm or the kind of key already settles is free.
 */
export function verifySignature(signed: Signed, key: PublicKey, budget: Budget): SignatureVerdict {
  const scheme = signatureScheme(signed.signatureAlgorithm)
  if (scheme.kind === 'weak' || scheme.kind === 'unsupported') return scheme.kind
  if (key.facts.kind === 'unsupported') return 'unsupported'
  if (!canBeOf(scheme, key.facts)) return 'bad'
  if (!budget.spend('signatures', verificationCost(key.facts))) return 'over-budget'
  const imported = importKey(key)
  if (imported === null) return 'unsupported'
  return isSigned(scheme, signed, imported) ? 'good' : 'bad'
}

/** What the AlgorithmIdentifier of a signature stands for. */
export function signatureScheme(algorithm: AlgorithmIdentifier): SignatureScheme {
  if (algorithm.oid === rsassaPss) return pssScheme(algorithm.parameters)
  const known = schemes.get(algorithm.oid)
  if (known === undefined) return { kind: 'unsupported', name: `the signature algorithm ${algorithm.oid}` }
  const { scheme, parameters } = known
  if (scheme.kind === 'weak' || scheme.kind === 'unsupported') return scheme
  // RFC 4055 §5: NULL for RSA, and absent has to be accepted as well. RFC 5758 §3.2, RFC 8410 §3: absent for the others.
  const fits = algorithm.parameters === null || (parameters === 'null' && equal(algorithm.parameters, derNull))
  return fits ? scheme : { kind: 'unsupported', name: `${known.name} with parameters it must not have` }
}

/**
 * Units of one RSA-2048 verification; measured, rounded up. RSA grows with the square of the modulus and, beyond the usual 17 bits, with the
 * length of the exponent.
 */
export function verificationCost(facts: PublicKeyFacts): number {
  switch (facts.kind) {
    case 'rsa':
    case 'rsa-pss':
      return Math.max(1, (facts.bits / 2048) ** 2) * Math.max(1, facts.exponentBits / 17)
    case 'ec':
      return { 'P-256': 3, 'P-384': 21, 'P-521': 47 }[facts.curve]
    case 'ed25519':
      return 3
    case 'ed448':
      return 7
    case 'unsupported':
      return 0
    default:
      return facts satisfies never
  }
}

function canBeOf(scheme: Verifiable, facts: PublicKeyFacts): boolean {
  switch (scheme.kind) {
    case 'rsa-pkcs1':
      return facts.kind === 'rsa'
    case 'rsa-pss':
      return facts.kind === 'rsa' || facts.kind === 'rsa-pss'
    case 'ecdsa':
      return facts.kind === 'ec'
    case 'ed25519':
    case 'ed448':
      return facts.kind === scheme.kind
    default:
      return scheme satisfies never
  }
}

function isSigned(scheme: Verifiable, { tbs, signature }: Signed, key: KeyObject): boolean {
  try {
    switch (scheme.kind) {
      // PKCS #1 v1.5 is what a plain RSA key verifies with by default, and DER what ECDSA does. Saying so would double the time: Node unpacks an options object slowly.
      case 'rsa-pkcs1':
      case 'ecdsa':
        return verify(scheme.hash, tbs, key, signature)
      case 'rsa-pss':
        // An exact salt length is compared, not looked for (RFC 8017 §9.1.2). MGF1 takes the same hash.
        return verify(
          scheme.hash,
          tbs,
          { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltBytes },
          signature,
        )
      case 'ed25519':
      case 'ed448':
        return verify(null, tbs, key, signature)
      default:
        return scheme satisfies never
    }
  } catch {
    // OpenSSL throws where a key forbids the hash or the salt (RFC 4055 §3.3), or is smaller than the padding.
    return false
  }
}

/** The key, ready for use; null when OpenSSL does not take it (a point off its curve, a modulus that is none). Costs once for each `PublicKey`. */
function importKey(key: PublicKey): KeyObject | null {
  const known = importedKeys.get(key)
  if (known !== undefined) return known
  const imported = importFresh(key)
  importedKeys.set(key, imported)
  return imported
}

function importFresh(key: PublicKey): KeyObject | null {
  try {
    // As text: given bytes and their format, Node takes two to three times as long, to look what it was given.
    const { buffer, byteOffset, length } = key.spki
    const base64 = Buffer.from(buffer, byteOffset, length).toString('base64')
    return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`)
  } catch {
    return null
  }
}

/**
 * RSASSA-PSS-params (RFC 4055 §3.1). A DER encoding has few shapes, so the ones that are right are written out and compared: SHA-256, SHA-384 or SHA-512,
 * MGF1 with the same hash, any salt length, trailer field left out; each hash with NULL or without parameters (§2.1).
 */
function pssScheme(parameters: Uint8Array | null): SignatureScheme {
  const unsupported = { kind: 'unsupported', name: 'RSA-PSS with other parameters than we read' } as const
  if (parameters === null) return unsupported
  // All defaults: SHA-1 (RFC 4055 §3.1).
  if (equal(parameters, new Uint8Array([0x30, 0]))) return { kind: 'weak', name: 'RSA-PSS with SHA-1' }
  for (const shape of pssShapes) {
    if (parameters.length < shape.fields.length || !equal(fieldsOf(parameters, shape), shape.fields)) continue
    const saltBytes = saltLength(parameters.subarray(2 + shape.fields.length))
    return saltBytes === null || parameters[1] !== parameters.length - 2
      ? unsupported
      : { kind: 'rsa-pss', hash: shape.hash, saltBytes }
  }
  return unsupported
}

function fieldsOf(parameters: Uint8Array, shape: PssShape): Uint8Array {
  // SEQUENCE with a length of one octet: these parameters have some 60 octets.
  return parameters[0] === 0x30 ? parameters.subarray(2, 2 + shape.fields.length) : parameters.subarray(0, 0)
}

/** `[2] INTEGER`, in one or two octets; absent: 20 (RFC 4055 §3.1), and 20 written out is not DER (X.690 §11.5). */
function saltLength(field: Uint8Array): number | null {
  if (field.length === 0) return 20
  const octets = field.length - 4
  const isOutlined = field[0] === 0xa2 && field[1] === octets + 2 && field[2] === 2 && field[3] === octets
  if (!isOutlined || octets < 1 || octets > 2) return null
  const [high, low] = octets === 1 ? [0, field[4] ?? 0] : [field[4] ?? 0, field[5] ?? 0]
  const value = high * 256 + low
  // Minimal and not negative (X.690 §8.3.2).
  const isMinimal = octets === 1 ? value < 0x80 : high < 0x80 && value >= 0x80
  return isMinimal && value !== 20 ? value : null
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  return Buffer.concat([new Uint8Array([tag, content.length]), content])
}

type Verifiable = Exclude<SignatureScheme, { readonly kind: 'weak' | 'unsupported' }>

interface KnownScheme {
  readonly scheme: SignatureScheme
  readonly name: string
  readonly parameters: 'null' | 'absent'
}

interface PssShape {
  readonly hash: Hash
  /** `[0]` and `[1]`, as encoded. */
  readonly fields: Uint8Array
}

const importedKeys = new WeakMap<PublicKey, KeyObject | null>()

const derNull = new Uint8Array([5, 0])

const rsassaPss: Oid = '1.2.840.113549.1.1.10'

const pssShapes: readonly PssShape[] = (['sha256', 'sha384', 'sha512'] as const).flatMap(hash => {
  const last = { sha256: 1, sha384: 2, sha512: 3 }[hash]
  // 2.16.840.1.101.3.4.2.x and id-mgf1, 1.2.840.113549.1.1.8.
  const hashOid = new Uint8Array([6, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last])
  const mgf1 = new Uint8Array([6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08])
  const identifiers = [tlv(0x30, hashOid, derNull), tlv(0x30, hashOid)]
  return identifiers.flatMap(own =>
    identifiers.map(mask => ({ hash, fields: Buffer.concat([tlv(0xa0, own), tlv(0xa1, tlv(0x30, mgf1, mask))]) })),
  )
})

const schemes: ReadonlyMap<Oid, KnownScheme> = new Map<Oid, KnownScheme>([
  // RFC 4055 §5.
  [
    '1.2.840.113549.1.1.11',
    { name: 'RSA with SHA-256', scheme: { kind: 'rsa-pkcs1', hash: 'sha256' }, parameters: 'null' },
  ],
  [
    '1.2.840.113549.1.1.12',
    { name: 'RSA with SHA-384', scheme: { kind: 'rsa-pkcs1', hash: 'sha384' }, parameters: 'null' },
  ],
  [
    '1.2.840.113549.1.1.13',
    { name: 'RSA with SHA-512', scheme: { kind: 'rsa-pkcs1', hash: 'sha512' }, parameters: 'null' },
  ],
  // RFC 5758 §3.2.
  [
    '1.2.840.10045.4.3.2',
    { name: 'ECDSA with SHA-256', scheme: { kind: 'ecdsa', hash: 'sha256' }, parameters: 'absent' },
  ],
  [
    '1.2.840.10045.4.3.3',
    { name: 'ECDSA with SHA-384', scheme: { kind: 'ecdsa', hash: 'sha384' }, parameters: 'absent' },
  ],
  [
    '1.2.840.10045.4.3.4',
    { name: 'ECDSA with SHA-512', scheme: { kind: 'ecdsa', hash: 'sha512' }, parameters: 'absent' },
  ],
  // RFC 8410 §3.
  ['1.3.101.112', { name: 'Ed25519', scheme: { kind: 'ed25519' }, parameters: 'absent' }],
  ['1.3.101.113', { name: 'Ed448', scheme: { kind: 'ed448' }, parameters: 'absent' }],
  ...weak('1.2.840.113549.1.1.2', 'RSA with MD2'),
  ...weak('1.2.840.113549.1.1.3', 'RSA with MD4'),
  ...weak('1.2.840.113549.1.1.4', 'RSA with MD5'),
  ...weak('1.3.14.3.2.3', 'RSA with MD5'),
  ...weak('1.2.840.113549.1.1.5', 'RSA with SHA-1'),
  ...weak('1.3.14.3.2.29', 'RSA with SHA-1'),
  ...weak('1.2.840.10045.4.1', 'ECDSA with SHA-1'),
  ...weak('1.2.840.10040.4.3', 'DSA with SHA-1'),
  ...weak('1.3.14.3.2.27', 'DSA with SHA-1'),
  ...unsupported('1.2.840.113549.1.1.14', 'RSA with SHA-224'),
  ...unsupported('1.2.840.10045.4.3.1', 'ECDSA with SHA-224'),
  ...unsupported('2.16.840.1.101.3.4.3.1', 'DSA with SHA-224'),
  ...unsupported('2.16.840.1.101.3.4.3.2', 'DSA with SHA-256'),
  ...unsupported('2.16.840.1.101.3.4.3.10', 'ECDSA with SHA3-256'),
  ...unsupported('2.16.840.1.101.3.4.3.14', 'RSA with SHA3-256'),
])

function weak(oid: Oid, name: string): readonly [readonly [Oid, KnownScheme]] {
  return [[oid, { name, scheme: { kind: 'weak', name }, parameters: 'null' }]]
}

function unsupported(oid: Oid, name: string): readonly [readonly [Oid, KnownScheme]] {
  return [[oid, { name, scheme: { kind: 'unsupported', name }, parameters: 'null' }]]
}
