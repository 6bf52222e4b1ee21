/**
 * Makes certificates: authorities, intermediates and leaves, with keys of their own. For the relay's first start, the lab and tests.
 *
 * Success is a PEM chain and a PEM key that a TLS server can serve as they are. It makes what it is asked for, the wrong kinds too
 * (expired, without a name, with an unfit key usage): whether a certificate is any good is for others to say. RFC 5280 §4.1 and §4.2.
 * The library behind it is loaded with the first certificate, not before.
 */
import { createHash, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'

/** `ec`: P-256. `rsa`: 2048 bits, slower to make by far. */
export type KeyKind = 'ec' | 'rsa'

/** RFC 5280 §4.2.1.3. */
export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'keyAgreement' | 'keyCertSign' | 'cRLSign'

/** RFC 5280 §4.2.1.12. */
export type ExtendedKeyUsage = 'serverAuth' | 'clientAuth'

export interface AuthorityOptions {
  readonly commonName: string
  /** Default: an hour ago. */
  readonly notBeforeMs?: number
  /** Default: ten years ahead. */
  readonly notAfterMs?: number
  readonly key?: KeyKind
  /** Authorities that may stand below this one; default: no limit. */
  readonly pathLength?: number
}

export interface LeafOptions {
  /** Default: the first of `names`. */
  readonly commonName?: string
  /** Subject alternative names: DNS names (`*.example.org` too) and addresses. Empty: no such extension. */
  readonly names: readonly string[]
  readonly notBeforeMs?: number
  /** Default: ten years ahead. */
  readonly notAfterMs?: number
  readonly key?: KeyKind
  /** Default: `digitalSignature`, and `keyEncipherment` with an RSA key. Null: no such extension, which permits everything. */
  readonly keyUsage?: readonly KeyUsage[] | null
  /** Default: `serverAuth`. Null: no such extension. */
  readonly extendedKeyUsage?: readonly ExtendedKeyUsage[] | null
}

export interface Certified {
  /** This certificate alone. */
  readonly certificate: string
  /** It and the intermediates above it, as a server sends them; the root is left out, unless this is one. */
  readonly chain: string
  /** PKCS #8. */
  readonly key: string
}

export interface Authority extends Certified {
  /** The self-signed certificate at the top, which clients are told to trust. */
  readonly root: string
  intermediate(options: AuthorityOptions): Promise<Authority>
  leaf(options: LeafOptions): Promise<Certified>
}

/** A self-signed authority. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  return authorityFrom(options, null)
}

/** A certificate signed by its own key, as a server makes for itself: nobody can check who it is from. */
export async function createSelfSigned(options: LeafOptions): Promise<Certified> {
  return leafFrom(options, null)
}

interface Keys {
  readonly kind: KeyKind
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** Who signs. */
interface Issuer {
  readonly subject: string
  readonly keys: Keys
  /** Its own certificate and those above it, without the root. */
  readonly sent: readonly string[]
  readonly root: string
}

async function authorityFrom(options: AuthorityOptions, issuer: Issuer | null): Promise<Authority> {
  const x509 = await library()
  const keys = await makeKeys(options.key ?? 'ec')
  const certificate = await sign(options, options.commonName, keys, issuer, [
    new x509.BasicConstraintsExtension(true, options.pathLength, true),
    new x509.KeyUsagesExtension(usageBits(['keyCertSign', 'cRLSign', 'digitalSignature']), true),
  ])
  const self: Issuer = {
    subject: options.commonName,
    keys,
    sent: issuer === null ? [] : [certificate, ...issuer.sent],
    root: issuer === null ? certificate : issuer.root,
  }
  return {
    certificate,
    chain: issuer === null ? certificate : self.sent.join(''),
    key: pkcs8(keys),
    root: self.root,
    intermediate: below => authorityFrom(below, self),
    leaf: below => leafFrom(below, self),
  }
}

async function leafFrom(options: LeafOptions, issuer: Issuer | null): Promise<Certified> {
  const x509 = await library()
  const keys = await makeKeys(options.key ?? 'ec')
  const rsaToo: readonly KeyUsage[] = keys.kind === 'rsa' ? ['keyEncipherment'] : []
  const { keyUsage = ['digitalSignature', ...rsaToo], extendedKeyUsage = ['serverAuth'] } = options
  const names = options.names.map(value => ({
    type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
    value,
  }))
  const certificate = await sign(options, options.commonName ?? options.names[0] ?? 'unnamed', keys, issuer, [
    new x509.BasicConstraintsExtension(false, undefined, true),
    ...(keyUsage === null ? [] : [new x509.KeyUsagesExtension(usageBits(keyUsage), true)]),
    ...(extendedKeyUsage === null
      ? []
      : [new x509.ExtendedKeyUsageExtension(extendedKeyUsage.map(usage => extendedUsages[usage]))]),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
  ])
  return { certificate, chain: certificate + (issuer?.sent.join('') ?? ''), key: pkcs8(keys) }
}

async function sign(
  validity: { readonly notBeforeMs?: number; readonly notAfterMs?: number },
  commonName: string,
  keys: Keys,
  issuer: Issuer | null,
  extensions: readonly InstanceType<Library['Extension']>[],
): Promise<string> {
  const x509 = await library()
  const signer = issuer?.keys ?? keys
  const algorithm = algorithms[signer.kind]
  const now = Date.now()
  const made = await x509.X509CertificateGenerator.create({
    // RFC 5280 §4.1.2.2: positive, and never the same twice.
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    // As pairs, not as text: a comma in a name would begin another attribute.
    subject: [{ CN: [commonName] }],
    issuer: [{ CN: [issuer?.subject ?? commonName] }],
    notBefore: new Date(validity.notBeforeMs ?? now - 3_600_000),
    notAfter: new Date(validity.notAfterMs ?? now + tenYearsMs),
    publicKey: keys.publicKey.toCryptoKey(algorithms[keys.kind], true, ['verify']),
    signingKey: signer.privateKey.toCryptoKey(algorithm, false, ['sign']),
    signingAlgorithm: algorithm,
    extensions: [
      ...extensions,
      new x509.SubjectKeyIdentifierExtension(keyIdentifier(keys.publicKey)),
      new x509.AuthorityKeyIdentifierExtension(keyIdentifier(signer.publicKey)),
    ],
  })
  return `${made.toString('pem')}\n`
}

/** RFC 7093 §2 (4): of the whole SubjectPublicKeyInfo, as authority and subject need only agree. */
function keyIdentifier(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 40)
}

async function makeKeys(kind: KeyKind): Promise<Keys> {
  const made =
    kind === 'ec'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: 2048, publicExponent: 65_537 })
  return { kind, ...made }
}

function pkcs8(keys: Keys): string {
  return keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function usageBits(usages: readonly KeyUsage[]): number {
  return usages.reduce((bits, usage) => bits | usageBit[usage], 0)
}

type Library = typeof import('@peculiar/x509')
let loaded: Promise<Library> | null = null

function library(): Promise<Library> {
  loaded ??= import('reflect-metadata').then(() => import('@peculiar/x509'))
  return loaded
}

const generate = promisify(generateKeyPair)

const algorithms = {
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
} as const satisfies Record<KeyKind, object>

/** KeyUsageFlags of the library, which is not loaded yet when this file is. */
const usageBit: Readonly<Record<KeyUsage, number>> = {
  digitalSignature: 1,
  keyEncipherment: 4,
  keyAgreement: 16,
  keyCertSign: 32,
  cRLSign: 64,
}

const extendedUsages: Readonly<Record<ExtendedKeyUsage, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}

const tenYearsMs = 3_652 * 86_400_000
