/**
 * Keys that zones of the lab are signed with, and the DNSKEY and DS that publish them (RFC 4034 §2 and §5, RFC 3110, RFC 5702, RFC 6605, RFC 8080).
 *
 * A key is made once per process for a zone, an algorithm and a purpose, so two worlds of one process share their keys: yesterday's signature of a zone
 * still verifies today. RSA keys are slow to make: all zones share those of a purpose, under DNSKEYs of their own.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { nameBytes } from '../../protocol/dns/message.ts'
import { type Name, nameKey } from '../../protocol/dns/name.ts'
import { lowered } from './canonical-form.ts'

/** `csk` signs everything; `ksk` the DNSKEY set alone, `zsk` all but that. */
export type KeyPurpose = 'csk' | 'ksk' | 'zsk'

export interface ZoneKey {
  readonly algorithm: number
  readonly purpose: KeyPurpose
  readonly flags: number
  /** DNSKEY RDATA. */
  readonly rdata: Uint8Array
  readonly keyTag: number
  sign(bytes: Uint8Array): Uint8Array
}

export interface KeyWish {
  readonly algorithm: number
  readonly purpose: KeyPurpose
  /** Another number, another key of the same zone. */
  readonly generation?: number
  /** `revoked`: with the REVOKE bit (RFC 5011 §2.1), which changes the tag. */
  readonly state?: 'good' | 'revoked'
}

/** Algorithm numbers that can be signed with. */
export const signingAlgorithms = [5, 7, 8, 10, 13, 14, 15, 16] as const

/** @throws RangeError for an algorithm that is not in `signingAlgorithms` */
export function zoneKey(zone: Name, wish: KeyWish): ZoneKey {
  const isRsa = rsaHashes.has(wish.algorithm)
  const owner = isRsa ? 'rsa' : `${nameKey(zone)} ${wish.algorithm}`
  const material = kept(`${owner} ${wish.purpose} ${wish.generation ?? 0}`, () => makeMaterial(wish.algorithm))
  const flags =
    (wish.purpose === 'zsk' ? zoneFlag : zoneFlag | entryPointFlag) | (wish.state === 'revoked' ? revokeFlag : 0)
  return asZoneKey(material, wish.algorithm, wish.purpose, flags)
}

/** RDATA of the DS that names the key. Digest types: 1 SHA-1, 2 SHA-256, 4 SHA-384. */
export function dsRdata(zone: Name, key: ZoneKey, digestType: 1 | 2 | 4 = 2): Uint8Array {
  const hash = { 1: 'sha1', 2: 'sha256', 4: 'sha384' }[digestType]
  const digest = createHash(hash)
    .update(nameBytes(lowered(zone)))
    .update(key.rdata)
    .digest()
  return Buffer.concat([Uint8Array.of(key.keyTag >> 8, key.keyTag & 0xff, key.algorithm, digestType), digest])
}

/**
 * Other keys, real ones, that share tag and algorithm with `key` (CVE-2023-50387). The flags' reserved bits, which receivers ignore
 * (RFC 4034 §2.1.1), make up for most of the difference; RSA has its modulus for that.
 */
export function collidingKeys(key: ZoneKey, count: number): readonly ZoneKey[] {
  const found: ZoneKey[] = []
  for (let generation = 0; found.length < count; generation++) {
    const other = kept(`collision ${key.algorithm} ${generation}`, () =>
      rsaHashes.has(key.algorithm) ? madeUpModulus() : makeMaterial(key.algorithm),
    )
    const fitted = rsaHashes.has(key.algorithm) ? fitModulus(other, key) : fitFlags(other, key)
    if (fitted !== null) found.push(fitted)
  }
  return found
}

/** RFC 4034 appendix B. */
export function keyTagOf(rdata: Uint8Array): number {
  let sum = 0
  for (const [index, byte] of rdata.entries()) sum += index % 2 === 0 ? byte << 8 : byte
  return (sum + (sum >>> 16)) & 0xffff
}

interface Material {
  readonly publicKey: Uint8Array
  /** Null: nobody has it, and what it signs is noise. */
  readonly privateKey: KeyObject | null
}

const materials = new Map<string, Material>()

function kept(id: string, make: () => Material): Material {
  const known = materials.get(id)
  if (known !== undefined) return known
  const made = make()
  materials.set(id, made)
  return made
}

function makeMaterial(algorithm: number): Material {
  if (rsaHashes.has(algorithm)) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: rsaBits })
    const { e = '', n = '' } = publicKey.export({ format: 'jwk' })
    return { publicKey: rsaPublicKey(Buffer.from(e, 'base64url'), Buffer.from(n, 'base64url')), privateKey }
  }
  const { publicKey, privateKey } = makeCurveKey(algorithm)
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return { publicKey: Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]), privateKey }
}

function makeCurveKey(algorithm: number): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (algorithm) {
    case 13:
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 14:
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 15:
      return generateKeyPairSync('ed25519')
    case 16:
      return generateKeyPairSync('ed448')
    default:
      throw new RangeError(`the lab does not sign with algorithm ${algorithm}`)
  }
}

function asZoneKey(material: Material, algorithm: number, purpose: KeyPurpose, flags: number): ZoneKey {
  const rdata = Buffer.concat([
    Uint8Array.of(flags >> 8, flags & 0xff, dnssecProtocol, algorithm),
    material.publicKey,
  ])
  return {
    algorithm,
    purpose,
    flags,
    rdata,
    keyTag: keyTagOf(rdata),
    sign(bytes) {
      const { privateKey } = material
      if (privateKey === null) return randomBytes(rsaBits / 8)
      const hash = rsaHashes.get(algorithm) ?? curveHashes.get(algorithm) ?? null
      return sign(hash, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    },
  }
}

/** RFC 3110 §2. */
function rsaPublicKey(exponent: Uint8Array, modulus: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(exponent.length), exponent, modulus])
}

/** Odd, and of full length: nobody can tell that its factors are unknown to everybody. */
function madeUpModulus(): Material {
  const modulus = randomBytes(rsaBits / 8)
  modulus[0] = (modulus[0] ?? 0) | 0x80
  modulus[modulus.length - 1] = (modulus.at(-1) ?? 0) | 1
  return { publicKey: rsaPublicKey(Uint8Array.of(1, 0, 1), modulus), privateKey: null }
}

/** Two bytes in the middle of the modulus make up for the difference. */
function fitModulus(material: Material, key: ZoneKey): ZoneKey | null {
  return withMissingWord(key, word => {
    const publicKey = Uint8Array.from(material.publicKey)
    publicKey.set([word >> 8, word & 0xff], 100)
    return asZoneKey({ ...material, publicKey }, key.algorithm, key.purpose, key.flags)
  })
}

function fitFlags(material: Material, key: ZoneKey): ZoneKey | null {
  const needed = key.flags & ~reservedFlags
  return withMissingWord(key, word =>
    (word & reservedFlags) !== word ? null : asZoneKey(material, key.algorithm, key.purpose, needed | word),
  )
}

/** The tag is a sum of words of 16 bits with the carry added, so the word that is missing, or its neighbour, fits. */
function withMissingWord(key: ZoneKey, withWord: (word: number) => ZoneKey | null): ZoneKey | null {
  const missing = (key.keyTag - (withWord(0)?.keyTag ?? 0) + 0xffff) % 0xffff
  for (const word of [missing, missing + 1, missing - 1]) {
    const made = word < 0 || word > 0xffff ? null : withWord(word)
    if (made?.keyTag === key.keyTag) return made
  }
  return null
}

const zoneFlag = 0x0100
const revokeFlag = 0x0080
const entryPointFlag = 0x0001
const reservedFlags = 0xffff & ~(zoneFlag | revokeFlag | entryPointFlag)
const dnssecProtocol = 3
const rsaBits = 2_048

const rsaHashes = new Map([
  [5, 'sha1'],
  [7, 'sha1'],
  [8, 'sha256'],
  [10, 'sha512'],
])
const curveHashes = new Map([
  [13, 'sha256'],
  [14, 'sha384'],
])
