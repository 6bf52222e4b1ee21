/**
 * Certificates for tests with any field wrong: a recipe in, a signed certificate out.
 *
 * A recipe that says nothing makes a certificate that both profiles accept. Whatever it says is taken as it stands: nothing is checked,
 * so that a case can break one thing and only that. Names and the standard extensions are encoded by `@peculiar/x509`; the certificate
 * around them, and everything broken, is written in plain DER here. No code is shared with the reader under test.
 *
 * Everything is made relative to `at`; only keys and signatures differ from run to run. Defaults are valid from 2020 to 2036, so that
 * programs which know no time but the present agree with the cases too.
 */
import 'reflect-metadata'
import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509'
import {
  bitString,
  boolean,
  children,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  rawInteger,
  sequence,
  utf8String,
  time as writeTime,
} from './der.ts'
import {
  algorithmIdentifier,
  keyOf,
  type SignatureKind,
  signatureOf,
  type TestKey,
  usualSignature,
} from './keys.ts'

/** The time of every case, unless it says otherwise. */
export const at: Date = new Date('2026-06-01T00:00:00Z')

export interface Made {
  readonly der: Uint8Array
  readonly pem: string
  /** The Name of its subject, encoded. */
  readonly subject: Uint8Array
  readonly serial: Uint8Array
  readonly key: TestKey
  /** What certificates that it issues put into authorityKeyIdentifier. */
  readonly subjectKeyIdentifier: Uint8Array
}

export type UsageName = Exclude<keyof typeof KeyUsageFlags, number>

/** One extension, encoded: the whole SEQUENCE. */
export type ExtensionBytes = Uint8Array

export interface Recipe {
  /** Text such as `CN=mx.example.com`, or the encoded Name. */
  readonly subject?: string | Uint8Array
  /** Left out: self-signed. */
  readonly issuer?: Made
  /** The issuer's Name, when it is not to be the issuer's subject. */
  readonly issuerName?: string | Uint8Array
  /** The key that signs, when it is not to be the issuer's. */
  readonly signer?: TestKey
  readonly key?: TestKey
  /** SubjectPublicKeyInfo, when it is not to be the key's. */
  readonly spki?: Uint8Array
  /** Encoded version number (0 = v1, 2 = v3); null: none, which is v1. */
  readonly version?: number | null
  /** Content octets. */
  readonly serial?: Uint8Array
  /** A date, or an encoded time. */
  readonly notBefore?: Date | Uint8Array
  readonly notAfter?: Date | Uint8Array
  readonly signature?: SignatureKind
  /** The AlgorithmIdentifiers in and outside of the signed part, when they are not to be those of `signature`. */
  readonly algorithm?: Uint8Array
  readonly outerAlgorithm?: Uint8Array
  /** Changes the standard extensions: by name, null leaves one out. */
  readonly extensions?: Partial<Record<StandardExtension, ExtensionBytes | null>>
  /** Added behind the others. */
  readonly more?: readonly ExtensionBytes[]
  /** The whole list, in place of all above; empty: no extensions field at all. */
  readonly onlyExtensions?: readonly ExtensionBytes[]
  /** Changes the fields of the signed part before it is signed. */
  readonly editTbs?: (fields: Uint8Array[]) => Uint8Array[]
  /** Changes the certificate after it was signed. */
  readonly editSigned?: (der: Uint8Array) => Uint8Array
}

export type StandardExtension =
  | 'basicConstraints'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'subjectAltName'
  | 'nameConstraints'
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'

/** A certificate with the extensions of a CA. */
export function makeAuthority(recipe: Recipe): Made {
  return make(recipe, {
    basicConstraints: basicConstraints('ca'),
    keyUsage: keyUsage(['keyCertSign', 'cRLSign']),
  })
}

/** A certificate with the extensions of a server: its names, digitalSignature, serverAuth. */
export function makeLeaf(recipe: Recipe & { readonly names?: readonly string[] }): Made {
  const names = recipe.names ?? ['mx.example.com']
  return make(
    { subject: `CN=${names[0] ?? 'a server without names'}`, key: keyOf('leaf'), ...recipe },
    {
      basicConstraints: basicConstraints('not-ca'),
      keyUsage: keyUsage(['digitalSignature']),
      extendedKeyUsage: extendedKeyUsage(['serverAuth']),
      subjectAltName: names.length === 0 ? null : subjectAltName(names),
    },
  )
}

/** RFC 5280 §4.2.1.9 */
export function basicConstraints(
  which: 'ca' | 'not-ca',
  pathLength?: number,
  criticality: Criticality = 'critical',
): ExtensionBytes {
  return bytes(new BasicConstraintsExtension(which === 'ca', pathLength, criticality === 'critical').rawData)
}

/** RFC 5280 §4.2.1.3 */
export function keyUsage(usages: readonly UsageName[], criticality: Criticality = 'critical'): ExtensionBytes {
  const flags = usages.reduce((all, usage) => all | KeyUsageFlags[usage], 0)
  return bytes(new KeyUsagesExtension(flags, criticality === 'critical').rawData)
}

/** RFC 5280 §4.2.1.12. `any` is anyExtendedKeyUsage. */
export function extendedKeyUsage(
  usages: readonly ('serverAuth' | 'clientAuth' | 'emailProtection' | 'codeSigning' | 'any')[],
  criticality: Criticality = 'not-critical',
): ExtensionBytes {
  const list = usages.map(usage => (usage === 'any' ? '2.5.29.37.0' : purposes[usage]))
  return bytes(new ExtendedKeyUsageExtension(list, criticality === 'critical').rawData)
}

/** RFC 5280 §4.2.1.6. DNS names, and addresses where the text is one. */
export function subjectAltName(
  names: readonly string[],
  criticality: Criticality = 'not-critical',
): ExtensionBytes {
  const items = names.map(value => ({ type: isAddress(value) ? ('ip' as const) : ('dns' as const), value }))
  return bytes(new SubjectAlternativeNameExtension(items, criticality === 'critical').rawData)
}

/** The same with names as they are encoded: `generalName`, or anything else. */
export function rawSubjectAltName(
  names: readonly Uint8Array[],
  criticality: Criticality = 'not-critical',
): ExtensionBytes {
  return extension('2.5.29.17', sequence(...names), criticality)
}

/** RFC 5280 §4.2.1.2 */
export function subjectKeyIdentifier(id: Uint8Array, criticality: Criticality = 'not-critical'): ExtensionBytes {
  return bytes(
    new SubjectKeyIdentifierExtension(Buffer.from(id).toString('hex'), criticality === 'critical').rawData,
  )
}

/** RFC 5280 §4.2.1.1 */
export function authorityKeyIdentifier(id: Uint8Array, criticality: Criticality = 'not-critical'): ExtensionBytes {
  return bytes(
    new AuthorityKeyIdentifierExtension(Buffer.from(id).toString('hex'), criticality === 'critical').rawData,
  )
}

/** The same with the issuer's issuer and serial number too, or (`id` null) with nothing else. */
export function authorityKeyIdentifierWithIssuer(
  id: Uint8Array | null,
  issuer: Uint8Array,
  serial: Uint8Array,
): ExtensionBytes {
  return extension(
    '2.5.29.35',
    sequence(
      ...(id === null ? [] : [implicit(0, id)]),
      explicit(1, generalName('directory', issuer)),
      implicit(2, serial),
    ),
  )
}

/** RFC 5280 §4.2.1.10; null: the field is absent, empty: it is there and holds nothing. */
export function nameConstraints(
  permitted: readonly Uint8Array[] | null,
  excluded: readonly Uint8Array[] | null = null,
  criticality: Criticality = 'critical',
): ExtensionBytes {
  const subtrees = (number: number, names: readonly Uint8Array[] | null): readonly Uint8Array[] =>
    names === null ? [] : [explicit(number, ...names.map(name => sequence(name)))]
  return extension('2.5.29.30', sequence(...subtrees(0, permitted), ...subtrees(1, excluded)), criticality)
}

/** A GeneralName. `ip` takes `192.0.2.1`, `::1`, or a range `192.0.2.0/24` as name constraints have it. */
export function generalName(type: 'dns' | 'email' | 'uri' | 'ip', value: string): Uint8Array
export function generalName(type: 'directory', value: string | Uint8Array): Uint8Array
export function generalName(type: string, value: string | Uint8Array): Uint8Array {
  if (type === 'directory') return explicit(4, nameBytes(value))
  const text = typeof value === 'string' ? value : ''
  if (type === 'ip') return implicit(7, addressOctets(text))
  return implicit(type === 'email' ? 1 : type === 'dns' ? 2 : 6, Buffer.from(text, 'latin1'))
}

/** otherName with a type nobody knows. */
export function otherName(text: string): Uint8Array {
  return explicit(0, oid('1.3.6.1.4.1.55555.2'), explicit(0, utf8String(text)))
}

/** Any extension. */
export function extension(
  id: string,
  value: Uint8Array,
  criticality: Criticality = 'not-critical',
): ExtensionBytes {
  return sequence(oid(id), ...(criticality === 'critical' ? [boolean(true)] : []), octetString(value))
}

/** The extension's OID is nobody's. */
export function unknownExtension(criticality: Criticality): ExtensionBytes {
  return extension('1.3.6.1.4.1.55555.1', utf8String('unknown'), criticality)
}

/** A Name from its text, or as it is. */
export function nameBytes(name: string | Uint8Array): Uint8Array {
  if (typeof name !== 'string') return name
  const known = encodedNames.get(name)
  if (known !== undefined) return known
  const encoded = bytes(new Name(name).toArrayBuffer())
  encodedNames.set(name, encoded)
  return encoded
}

/** `2 1 1 HEX` for this certificate. */
export function tlsa(usage: number, selector: number, matchingType: number, made: Made): string {
  const subject = selector === 1 ? spkiOf(made) : made.der
  const digest = matchingType === 1 ? 'sha256' : 'sha512'
  const data = matchingType === 0 ? subject : createHash(digest).update(subject).digest()
  return `${usage} ${selector} ${matchingType} ${Buffer.from(data).toString('hex')}`
}

export function pemOf(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

export type Criticality = 'critical' | 'not-critical'

function make(recipe: Recipe, usual: Recipe['extensions']): Made {
  const key = recipe.key ?? keyOf('leaf')
  const issuer = recipe.issuer
  const signer = recipe.signer ?? issuer?.key ?? key
  const subject = nameBytes(recipe.subject ?? sequence())
  const serial = recipe.serial ?? nextSerial()
  const kind = recipe.signature ?? usualSignature(signer.kind)
  const algorithm = recipe.algorithm ?? algorithmIdentifier(kind)
  const extensions =
    recipe.onlyExtensions ?? listed({ ...usual, ...identifiers(key, issuer), ...recipe.extensions }, recipe.more)
  const version = recipe.version === undefined ? 2 : recipe.version
  const fields = [
    ...(version === null ? [] : [explicit(0, integer(version))]),
    rawInteger(serial),
    algorithm,
    nameBytes(recipe.issuerName ?? issuer?.subject ?? subject),
    sequence(timeOf(recipe.notBefore ?? defaultNotBefore), timeOf(recipe.notAfter ?? defaultNotAfter)),
    subject,
    recipe.spki ?? key.spki,
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  ]
  const tbs = sequence(...(recipe.editTbs?.(fields) ?? fields))
  const signed = sequence(tbs, recipe.outerAlgorithm ?? algorithm, bitString(signatureOf(kind, signer, tbs)))
  const der = recipe.editSigned?.(signed) ?? signed
  return { der, pem: pemOf(der), subject, serial, key, subjectKeyIdentifier: key.identifier }
}

function identifiers(key: TestKey, issuer: Made | undefined): Recipe['extensions'] {
  return {
    subjectKeyIdentifier: subjectKeyIdentifier(key.identifier),
    ...(issuer === undefined
      ? {}
      : { authorityKeyIdentifier: authorityKeyIdentifier(issuer.subjectKeyIdentifier) }),
  }
}

function listed(
  extensions: NonNullable<Recipe['extensions']>,
  more: readonly ExtensionBytes[] = [],
): readonly ExtensionBytes[] {
  return [...Object.values(extensions).filter(each => each !== null), ...more]
}

function spkiOf(made: Made): Uint8Array {
  const fields = children(children(made.der)[0] ?? made.der)
  return fields[fields[0]?.[0] === 0xa0 ? 6 : 5] ?? made.key.spki
}

/** Positive, and eight octets long: like those of real CAs, but the same in every run. */
function nextSerial(): Uint8Array {
  serials++
  return Buffer.from((0x4100_0000_0000_0000n + BigInt(serials)).toString(16), 'hex')
}

function timeOf(value: Date | Uint8Array): Uint8Array {
  return value instanceof Date ? writeTime(value) : value
}

function isAddress(text: string): boolean {
  return isIPv4(text) || text.includes(':')
}

function addressOctets(text: string): Uint8Array {
  const [address = '', prefix] = text.split('/')
  const octets = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : addressOctets6(address)
  if (prefix === undefined) return octets
  return Buffer.concat([octets, maskOctets(Number(prefix), octets.length)])
}

function addressOctets6(address: string): Uint8Array {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): string[] =>
    text === '' ? [] : text.split(':').map(group => group.padStart(4, '0'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = Array<string>(8 - before.length - after.length).fill('0000')
  return Buffer.from([...before, ...zeros, ...after].join(''), 'hex')
}

function maskOctets(prefix: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))) & 0xff)
}

function bytes(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(buffer)
}

let serials = 0

const encodedNames = new Map<string, Uint8Array>()

const defaultNotBefore = new Date('2020-01-01T00:00:00Z')
const defaultNotAfter = new Date('2036-01-01T00:00:00Z')

const purposes = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
} as const
