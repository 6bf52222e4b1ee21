/**
 * The rules that certificates and paths are held against, as a table: for each reason what it means, where it is written, and what either profile makes of it.
 * Documentation is drawn from it, and path.ts refuses by it.
 *
 * `mail` refuses what could admit a wrong peer and reports the rest; `strict` refuses faults of issuance as well (ARCHITECTURE decision 7). Here are also the
 * faults that depend on the place of a certificate in a path. Those that a certificate shows by itself are its `faults`.
 */
import { formatIp } from '../ip.ts'
import { commonNames, isEmptyName, sameName } from './distinguished-name.ts'
import type { Certificate, Fault, KeyUsage, Profile, Purpose } from './model.ts'
import { extensionOids, purposeOids } from './oids.ts'
import type { X509Reason } from './reasons.ts'

export interface Rule {
  /** What is asked for, in one sentence. */
  readonly what: string
  /** Where it is written: `RFC 5280 §…`; `CA/B BR §…` where only the public web's authorities are bound; null: our own. */
  readonly spec: string | null
  readonly mail: Treatment
  readonly strict: Treatment
  /** Which certificate it is held against. */
  readonly about: 'leaf' | 'issuer' | 'anchor' | 'path' | 'any'
  /** When `strict` reports all the same. */
  readonly unless?: string
}

export type Treatment = 'refuse' | 'report'

/** Whether the profile refuses a path for what was found in `certificate`. */
export function isRefused(profile: Profile, reason: X509Reason, certificate: Certificate): boolean {
  if (rules[reason][profile] === 'report') return false
  if (reason === 'x509.leaf-is-ca') return certificate.keyUsage?.has('keyCertSign') !== true
  if (reason === 'x509.leaf-key-usage') return profile === 'mail' || !isFullAuthority(certificate)
  if (reason === 'x509.cn-not-in-san') return strayCommonNames(certificate).isMisleading
  return true
}

/** Faults of a certificate in the place of a leaf, beside its own. They hold whether or not there is a path. */
export function leafFaults(leaf: Certificate, purpose: Purpose): readonly Fault[] {
  const faults: Fault[] = []
  const add = (reason: X509Reason, detail: string | null = null) => faults.push({ reason, detail })
  const isCa = leaf.basicConstraints?.isCa === true
  if (isCa) add('x509.leaf-is-ca')
  else if (leaf.keyUsage?.has('keyCertSign') === true) add('x509.leaf-may-sign')
  if (!isCa && hasExtension(leaf, extensionOids.nameConstraints)) add('x509.name-constraints-in-leaf')
  if (!hasExtension(leaf, extensionOids.extKeyUsage)) add('x509.no-extended-key-usage')
  if (isCa && !hasKeyIdentifier(leaf)) add('x509.missing-ski')
  const names = leaf.extensions.find(({ oid }) => oid === extensionOids.subjectAltName)
  if (names?.critical === true && !isEmptyName(leaf.subject)) add('x509.san-critical')
  if (names === undefined) add('x509.no-san')
  else if (purpose === 'server') {
    const { first } = strayCommonNames(leaf)
    if (first !== null) add('x509.cn-not-in-san', first)
  }
  return faults
}

/** Faults of a certificate in the place of an issuer, beside its own. */
export function issuerFaults(issuer: Certificate): readonly Fault[] {
  const faults: Fault[] = []
  if (!hasKeyIdentifier(issuer)) faults.push({ reason: 'x509.missing-ski', detail: null })
  if (isEmptyName(issuer.subject))
    faults.push({ reason: 'x509.malformed-name', detail: 'an authority without a subject' })
  return faults
}

/**
 * Faults of how a certificate points at its issuer.
 *
 * @param issuer whose key did sign it; null when that is a bare key.
 */
export function linkFaults(certificate: Certificate, issuer: Certificate | null): readonly Fault[] {
  const named = certificate.authorityKeyIdentifier?.keyIdentifier ?? null
  if (named === null) return [{ reason: 'x509.missing-aki', detail: null }]
  return issuer !== null && keyIdentifierFit(certificate, issuer) === 'mismatch'
    ? [{ reason: 'x509.aki-mismatch', detail: null }]
    : []
}

/** Whether the key identifiers say that `issuer` signed `certificate` (RFC 5280 §4.2.1.1); a hint for building, never a proof. */
export function keyIdentifierFit(certificate: Certificate, issuer: Certificate): 'match' | 'unknown' | 'mismatch' {
  const named = certificate.authorityKeyIdentifier?.keyIdentifier ?? null
  const own = issuer.subjectKeyIdentifier
  if (named === null || own === null) return 'unknown'
  return Buffer.compare(named, own) === 0 ? 'match' : 'mismatch'
}

/** Whether subject and issuer are one name: of an authority that replaces its own key, or of a root (RFC 5280 §6.1). */
export function isSelfIssued(certificate: Certificate): boolean {
  return sameName(certificate.subject, certificate.issuer)
}

/** Critical extensions that nothing here honours (RFC 5280 §4.2). */
export function criticalFaults(certificate: Certificate): readonly Fault[] {
  return certificate.extensions
    .filter(({ oid, critical }) => critical && !honoured.has(oid))
    .map(({ oid }) => ({ reason: 'x509.unknown-critical-extension', detail: oid }))
}

/** Why the certificate may not be used for `purpose`; null when it may. Issuers that name purposes are held to them too, as all implementations do. */
export function purposeFault(certificate: Certificate, purpose: Purpose): Fault | null {
  const named = certificate.extendedKeyUsage
  if (named === null) return null
  const wanted = purpose === 'server' ? purposeOids.serverAuth : purposeOids.clientAuth
  if (named.includes(wanted) || named.includes(purposeOids.any)) return null
  return { reason: 'x509.extended-key-usage', detail: `it is for ${named.slice(0, 4).join(', ')}` }
}

/**
 * Whether the key of a leaf may not be used in a TLS handshake at all: one fault, or none when some key exchange may. Which one the peers come to is not asked:
 * RFC 5280 §4.2.1.3 ties no protocol to a bit, and programs differ. OpenSSL draws the same line.
 */
export function leafKeyUsageFaults({ keyUsage }: Certificate, purpose: Purpose): readonly Fault[] {
  if (keyUsage === null || handshakeUsages[purpose].some(usage => keyUsage.has(usage))) return []
  return [{ reason: 'x509.leaf-key-usage', detail: `it is for ${[...keyUsage].join(', ') || 'nothing'}` }]
}

/** Why the certificate is not valid at `atMs`, which counts by whole seconds begun; null when it is. RFC 5280 §4.1.2.5: both ends are included. */
export function validityFault(certificate: Certificate, atMs: number): Fault | null {
  const { notBeforeMs, notAfterMs } = certificate
  const secondMs = Math.floor(atMs / 1000) * 1000
  // A time that cannot be read is a fault of the certificate already, and refused.
  if (notBeforeMs !== null && secondMs < notBeforeMs)
    return { reason: 'x509.not-yet-valid', detail: `it begins ${timeText(notBeforeMs)}` }
  if (notAfterMs !== null && secondMs > notAfterMs)
    return { reason: 'x509.expired', detail: `it ended ${timeText(notAfterMs)}` }
  return null
}

function isFullAuthority({ basicConstraints, keyUsage }: Certificate): boolean {
  return basicConstraints?.isCa === true && keyUsage?.has('keyCertSign') === true
}

function hasExtension(certificate: Certificate, oid: string): boolean {
  return certificate.extensions.some(extension => extension.oid === oid)
}

function hasKeyIdentifier(certificate: Certificate): boolean {
  return hasExtension(certificate, extensionOids.subjectKeyIdentifier)
}

/** Common names that are no alternative names. */
interface StrayNames {
  readonly first: string | null
  /** Whether somebody who reads one would expect another server than the alternative names tell. */
  readonly isMisleading: boolean
}

/** Certificates do not change, and are asked about once for each path. */
const knownStrays = new WeakMap<Certificate, StrayNames>()

function strayCommonNames(leaf: Certificate): StrayNames {
  const known = knownStrays.get(leaf)
  if (known !== undefined) return known
  const strays = findStrays(leaf)
  knownStrays.set(leaf, strays)
  return strays
}

/** The common name is to be a copy of an alternative one, character for character (CA/B BR §7.1.4.3); addresses as RFC 5952 writes them. */
function findStrays(leaf: Certificate): StrayNames {
  const all = commonNames(leaf.subject)
  if (all.length > mostCommonNames) return { first: `${all.length} common names`, isMisleading: true }
  const copies = new Set<string>()
  const hosts: string[] = []
  for (const name of leaf.alternativeNames ?? []) {
    if (name.type === 'ip' && (name.value.length === 4 || name.value.length === 16))
      copies.add(formatIp(name.value))
    if (name.type === 'dns' || name.type === 'email' || name.type === 'uri') copies.add(name.value)
    if (name.type === 'dns') hosts.push(name.value)
  }
  const strays = all.filter(text => !copies.has(text))
  return { first: strays[0] ?? null, isMisleading: strays.some(text => isMisleading(text, hosts)) }
}

function isMisleading(text: string, hosts: readonly string[]): boolean {
  if (likeAddress.test(text)) return true
  return likeHost.test(text) && hosts.length > 0 && !hosts.some(name => name.endsWith(`.${text}`))
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/**
 * Extensions that path.ts honours when critical. Policies and their mappings cannot refuse anything as long as no policy is demanded (RFC 5280 §6.1.5 (g)); what
 * demands one, policyConstraints, is not among them. Key identifiers have a fault of their own.
 */
const honoured: ReadonlySet<string> = new Set([
  extensionOids.basicConstraints,
  extensionOids.keyUsage,
  extensionOids.extKeyUsage,
  extensionOids.subjectAltName,
  extensionOids.nameConstraints,
  extensionOids.subjectKeyIdentifier,
  extensionOids.authorityKeyIdentifier,
  // certificatePolicies, policyMappings, inhibitAnyPolicy.
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.54',
])

/** A client signs in every key exchange; keyAgreement was for fixed Diffie-Hellman. */
const handshakeUsages: Readonly<Record<Purpose, readonly KeyUsage[]>> = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
}

/** Each is looked for among the alternative names. Sound certificates have one (CA/B BR §7.1.4.2). */
const mostCommonNames = 16

/** An address in whatever notation, right or wrong. */
const likeAddress = /^(?:0x[0-9a-f]+|[0-9.]+|[0-9a-f.]*:[0-9a-f:.]*)$/i
/** A name of several labels, in whatever script. */
const likeHost = /^[^\s./:@]+(?:\.[^\s./:@]+)+$/

const refusal = { mail: 'refuse', strict: 'refuse' } as const
const issuance = { mail: 'report', strict: 'refuse' } as const
const remark = { mail: 'report', strict: 'report' } as const

/** Every rule, in the order of reasons.ts. */
export const rules: Readonly<Record<X509Reason, Rule>> = {
  'x509.no-certificate': { ...refusal, about: 'path', spec: 'RFC 5280 §6.1', what: 'There is a certificate.' },
  'x509.malformed': {
    ...refusal,
    about: 'any',
    spec: 'RFC 5280 §4.1',
    what: 'Every certificate of the path can be read, and in one way only: it is DER but for what `x509.encoding` lists, and extensions that decide hold what their types say.',
  },
  'x509.name-mismatch': {
    ...refusal,
    about: 'leaf',
    spec: 'RFC 9525 §6',
    what: 'The leaf carries one of the names that are asked for.',
  },
  'x509.untrusted-root': {
    ...refusal,
    about: 'path',
    spec: 'RFC 5280 §6.1',
    what: 'The path ends at a trust anchor.',
  },
  'x509.self-signed': {
    ...refusal,
    about: 'leaf',
    spec: 'RFC 5280 §6.1',
    what: 'A leaf that signed itself is a trust anchor.',
  },
  'x509.missing-intermediate': {
    ...refusal,
    about: 'path',
    spec: 'RFC 8446 §4.4.2',
    what: 'The issuer of the leaf was sent, or is a trust anchor.',
  },
  'x509.expired': {
    ...refusal,
    about: 'any',
    spec: 'RFC 5280 §4.1.2.5',
    what: 'No certificate of the path is past its notAfter, the second itself included; the anchor counts.',
  },
  'x509.not-yet-valid': {
    ...refusal,
    about: 'any',
    spec: 'RFC 5280 §4.1.2.5',
    what: 'Every certificate of the path has reached its notBefore; the anchor counts.',
  },
  'x509.bad-signature': {
    ...refusal,
    about: 'path',
    spec: 'RFC 5280 §6.1.3',
    what: "Each certificate was signed with the key of the next one. The anchor's own signature does not matter.",
  },
  'x509.weak-signature': {
    ...refusal,
    about: 'path',
    spec: 'RFC 9155 §2',
    what: "No signature uses MD5, SHA-1 or older. The anchor's own signature does not matter.",
  },
  'x509.unsupported-algorithm': {
    ...refusal,
    about: 'any',
    spec: 'RFC 5280 §4.1.1.2',
    what: 'Keys and signatures are RSA, ECDSA with P-256, P-384 or P-521, Ed25519 or Ed448, with the parameters that their RFCs demand.',
  },
  'x509.algorithm-mismatch': {
    ...refusal,
    about: 'any',
    spec: 'RFC 5280 §4.1.1.2',
    what: 'The signature algorithm inside the signed part is the one outside.',
  },
  'x509.key-too-weak': {
    ...refusal,
    about: 'any',
    spec: null,
    what: 'No RSA key has fewer than 1,024 bits.',
  },
  'x509.issuer-not-ca': {
    ...refusal,
    about: 'issuer',
    spec: 'RFC 5280 §6.1.4 (k)',
    what: 'Every issuer says in basicConstraints that it is an authority; a self-issued anchor of version 1, which cannot say it, is one by being an anchor.',
  },
  'x509.path-length': {
    ...refusal,
    about: 'issuer',
    spec: 'RFC 5280 §4.2.1.9',
    what: 'No issuer has more authorities below it than its path length allows, self-issued ones not counted; the anchor counts.',
  },
  'x509.path-too-long': {
    ...refusal,
    about: 'path',
    spec: null,
    what: 'There are no more certificates between leaf and anchor than the caller allows, self-issued ones not counted.',
  },
  'x509.issuer-key-usage': {
    ...refusal,
    about: 'issuer',
    spec: 'RFC 5280 §6.1.4 (n)',
    what: 'The key usage of an issuer, where present, has keyCertSign.',
  },
  'x509.extended-key-usage': {
    ...refusal,
    about: 'any',
    spec: 'RFC 5280 §4.2.1.12',
    what: 'The extended key usage, where present, has serverAuth (for a client: clientAuth) or anyExtendedKeyUsage; in issuers and the anchor too.',
  },
  'x509.leaf-key-usage': {
    ...refusal,
    about: 'leaf',
    spec: 'RFC 5280 §4.2.1.3',
    what: 'The key usage of the leaf, where present, has digitalSignature, keyEncipherment or keyAgreement (for a client: digitalSignature or keyAgreement).',
    unless: 'it is an authority in full, with keyCertSign: RFC 5280 §4.2.1.9 lets one be the last of a path',
  },
  'x509.name-constraints': {
    ...refusal,
    about: 'path',
    spec: 'RFC 5280 §4.2.1.10',
    what: 'Every name below an issuer is permitted and not excluded by it; those of self-issued intermediates are not looked at, the constraints of the anchor are.',
  },
  'x509.unknown-critical-extension': {
    ...refusal,
    about: 'any',
    spec: 'RFC 5280 §4.2',
    what: 'No critical extension is one that is not understood here.',
  },
  'x509.over-budget': {
    ...refusal,
    about: 'path',
    spec: null,
    what: 'The work that the certificates cause stays within the budget.',
  },

  'x509.encoding': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.1',
    what: 'No DEFAULT is written out (critical, cA, version, minimum), TRUE is FF, a key usage ends with a bit that is set, times before 2050 are UTCTime, and attributes of one relative name are sorted. OpenSSL and GnuTLS read what differs as we do.',
  },
  'x509.extension-unreadable': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.2',
    what: 'Extensions that play no part in validation (authorityInfoAccess, cRLDistributionPoints, the list of timestamps) hold what their types say.',
  },
  'x509.key-short': {
    ...issuance,
    about: 'any',
    spec: 'CA/B BR §6.1.5',
    what: 'RSA keys have 2,048 bits or more.',
  },
  'x509.key-size-odd': {
    ...issuance,
    about: 'any',
    spec: 'CA/B BR §6.1.5',
    what: 'The size of an RSA key is a multiple of eight bits.',
  },
  'x509.missing-aki': {
    ...issuance,
    about: 'path',
    spec: 'RFC 5280 §4.2.1.1',
    what: 'Every certificate below the anchor says which key signed it; an anchor does, or leaves the extension out.',
  },
  'x509.missing-ski': {
    ...issuance,
    about: 'issuer',
    spec: 'RFC 5280 §4.2.1.2',
    what: 'Every authority has an identifier for its key.',
  },
  'x509.aki-issuer': {
    ...issuance,
    about: 'any',
    spec: 'CA/B BR §7.1.2.1.3',
    what: 'The issuer is not named by name and serial number in the key identifier.',
  },
  'x509.aki-mismatch': {
    ...issuance,
    about: 'path',
    spec: 'RFC 5280 §4.2.1.1',
    what: 'The identifier of the key that signed is the one that the issuer has; in a self-signed anchor its own.',
  },
  'x509.key-id-critical': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.2.1.1',
    what: 'Key identifiers are not critical.',
  },
  'x509.serial-number': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.1.2.2',
    what: 'The serial number is positive and has at most 20 octets.',
  },
  'x509.old-version': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.1.2.1',
    what: 'Certificates are of version 3.',
  },
  'x509.basic-constraints-not-critical': {
    ...issuance,
    about: 'issuer',
    spec: 'RFC 5280 §4.2.1.9',
    what: 'An authority marks its basicConstraints as critical.',
  },
  'x509.leaf-is-ca': {
    ...issuance,
    about: 'leaf',
    spec: 'CA/B BR §7.1.2.7.8',
    what: 'The leaf is no authority.',
    unless: 'it is one in full, with keyCertSign: RFC 5280 §4.2.1.9 lets an authority be the last of a path',
  },
  'x509.leaf-may-sign': {
    ...issuance,
    about: 'leaf',
    spec: 'RFC 5280 §4.2.1.3',
    what: 'A leaf that is no authority does not have the key usage keyCertSign.',
  },
  'x509.san-not-critical': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.2.1.6',
    what: 'Where the subject is empty, the subjectAltName is critical.',
  },
  'x509.san-critical': {
    ...issuance,
    about: 'leaf',
    spec: 'CA/B BR §7.1.2.7.12',
    what: 'Where the leaf has a subject, its subjectAltName is not critical.',
  },
  'x509.no-san': { ...issuance, about: 'leaf', spec: 'RFC 9525 §6.1', what: 'The leaf has a subjectAltName.' },
  'x509.name-constraints-not-critical': {
    ...issuance,
    about: 'issuer',
    spec: 'RFC 5280 §4.2.1.10',
    what: 'Name constraints are critical.',
  },
  'x509.name-constraints-in-leaf': {
    ...issuance,
    about: 'leaf',
    spec: 'RFC 5280 §4.2.1.10',
    what: 'A leaf that is no authority has no name constraints.',
  },
  'x509.name-constraints-empty': {
    ...issuance,
    about: 'issuer',
    spec: 'RFC 5280 §4.2.1.10',
    what: 'Name constraints permit or exclude something.',
  },
  'x509.policy-constraints-not-critical': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.2.1.11',
    what: 'Policy constraints are critical. Critical ones refuse in both profiles, since they are not understood.',
  },
  'x509.malformed-name': {
    ...issuance,
    about: 'any',
    spec: 'RFC 5280 §4.2.1.6',
    what: 'Alternative names, and names in constraints, are well-formed, and an authority has a subject. A malformed name matches nothing, but for a DNS name that is sound without one dot at its end; any refuses where a constraint applies to it. A constraint `.example.org` of DNS names permits the names below it, and excludes that name, too.',
  },
  'x509.public-suffix-wildcard': {
    ...issuance,
    about: 'leaf',
    spec: 'RFC 9525 §7.1',
    what: 'No wildcard covers the names that strangers register. It matches nothing.',
  },
  'x509.cn-not-in-san': {
    ...issuance,
    about: 'leaf',
    spec: 'CA/B BR §7.1.4.3',
    what: 'The common name of a server is among its alternative names, as a copy; of more than 16 none is looked for.',
    unless:
      'it is text, or the domain that an alternative name lies in, or a host name beside nothing but addresses',
  },

  'x509.no-extended-key-usage': {
    ...remark,
    about: 'leaf',
    spec: 'RFC 5280 §4.2.1.12',
    what: 'The leaf says what it is for.',
  },
  'x509.key-usage-no-signature': {
    ...remark,
    about: 'leaf',
    spec: 'RFC 5280 §4.2.1.3',
    what: 'The key usage of the leaf, where present, has digitalSignature.',
  },
  'x509.key-usage-no-encipherment': {
    ...remark,
    about: 'leaf',
    spec: 'RFC 5280 §4.2.1.3',
    what: 'The key usage of an RSA leaf, where present, has keyEncipherment.',
  },
  'x509.chain-out-of-order': {
    ...remark,
    about: 'path',
    spec: 'RFC 8446 §4.4.2',
    what: 'Each certificate sent is followed by its issuer.',
  },
  'x509.chain-has-strangers': {
    ...remark,
    about: 'path',
    spec: 'RFC 8446 §4.4.2',
    what: 'No certificate was sent that the path has no use for.',
  },
  'x509.root-sent': { ...remark, about: 'anchor', spec: 'RFC 8446 §4.4.2', what: 'The root is left out.' },
}
