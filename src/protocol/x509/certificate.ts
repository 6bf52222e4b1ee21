/**
 * Certificates from bytes (RFC 5280 §4.1).
 *
 * Success means that the outline could be read: the three parts of a Certificate and the fields of its TBSCertificate stand where they belong, each in DER,
 * and nothing follows. Then its bytes and its key can be told, which is all that DANE-EE needs (RFC 7671 §5.1). Whatever is broken inside a
 * field, or was issued against the rules, is a fault of the certificate; where nobody can say what the field means, it is null.
 *
 * Faults here are those that one certificate shows by itself. What depends on its place in a path, on a name or on the time is for others to say; so is whether a
 * fault refuses. No signature is checked.
 *
 * Nothing is copied: a certificate refers to the bytes it was read from. Time and memory grow with the number of its elements.
 */
import {
  content,
  context,
  type Der,
  enter,
  fail,
  hasMore,
  isAtEnd,
  isMinimalInteger,
  maxOddities,
  nextAs,
  nextFlag,
  nextIf,
  nextOid,
  nextTime,
  noteOddity,
  openDer,
  tags,
  takeProblem,
  whole,
} from './der.ts'
import { isEmptyName, isName } from './distinguished-name.ts'
import {
  isAuthorityInformation,
  isDistributionPoints,
  isTimestampList,
  readAlternativeNames,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readNameConstraints,
  readSubjectKeyIdentifier,
} from './extensions.ts'
import { constraintProblem, nameProblem } from './general-name.ts'
import type {
  AlgorithmIdentifier,
  Certificate,
  DistinguishedName,
  Extension,
  Fault,
  GeneralName,
  Oid,
  PublicKeyFacts,
  Read,
} from './model.ts'
import { extensionOids } from './oids.ts'
import { readAlgorithm, readKeyFacts, unreadableKey } from './public-key.ts'
import type { X509Reason } from './reasons.ts'

/** Octets of a certificate at most: what a handshake carries is a tenth of a megabyte, and most are two thousand octets. */
export const maxCertificateBytes = 2 * 1024 * 1024

/** @param der The octets of one certificate. Must not change as long as the result is used. */
export function parseCertificate(der: Uint8Array): Read {
  return parseCounted(der).read
}

/** The same, and how many elements were read for it: what tests of growth count. */
export function parseCounted(bytes: Uint8Array): { readonly read: Read; readonly elements: number } {
  const der = openDer(bytes)
  const isTooLong = bytes.length > maxCertificateBytes
  if (isTooLong) fail(der, `a certificate of more than ${maxCertificateBytes} octets`)
  const certificate = isTooLong ? null : readOutline(der)
  const read: Read =
    certificate === null
      ? { kind: 'malformed', der: der.reading.bytes, detail: takeProblem(der) }
      : { kind: 'certificate', certificate }
  return { read, elements: der.reading.elements }
}

function readOutline(der: Der): Certificate | null {
  if (!nextAs(der, tags.sequence, 'the certificate') || !isAtEnd(der, 'the certificate')) return null
  const outer = enter(der)
  if (!nextAs(outer, tags.sequence, 'TBSCertificate')) return null
  const tbs = whole(outer)
  const fields = enter(outer)
  if (!nextAs(outer, tags.sequence, 'signatureAlgorithm')) return null
  const algorithm = { inside: enter(outer), octets: whole(outer) }
  if (!nextAs(outer, tags.bitString, 'the signature')) return null
  const signature = enter(outer)
  if (!isAtEnd(outer, 'the signature')) return null

  const faults = createFaults(der)
  const version = readVersion(fields, faults)
  if (!nextAs(fields, tags.integer, 'serialNumber')) return null
  const serial = content(fields)
  judgeSerial(serial, faults)
  if (!nextAs(fields, tags.sequence, 'the inner signatureAlgorithm')) return null
  if (!areEqual(whole(fields), algorithm.octets)) faults.add('x509.algorithm-mismatch', null)
  const signatureAlgorithm =
    readAlgorithm(algorithm.inside, 'signatureAlgorithm') ?? faults.unreadable(noAlgorithm)
  if (!nextAs(fields, tags.sequence, 'issuer')) return null
  const issuer = { der: whole(fields) }
  if (!isName(enter(fields))) faults.unreadable(null)
  if (!nextAs(fields, tags.sequence, 'validity')) return null
  const validity = readValidity(enter(fields), faults)
  if (!nextAs(fields, tags.sequence, 'subject')) return null
  const subject = { der: whole(fields) }
  if (!isName(enter(fields))) faults.unreadable(null)
  if (!nextAs(fields, tags.sequence, 'subjectPublicKeyInfo')) return null
  const spki = whole(fields)
  const facts = readKeyFacts(enter(fields)) ?? faults.unreadable(unreadableKey)
  judgeKey(facts, faults)
  const extensions = readExtensions(fields, version, subject, faults)

  return {
    der: der.reading.bytes,
    tbs,
    version,
    serial,
    signatureAlgorithm,
    signature: readSignature(signature, faults),
    issuer,
    subject,
    notBeforeMs: validity.notBeforeMs,
    notAfterMs: validity.notAfterMs,
    publicKey: { spki, facts },
    extensions: extensions.all,
    basicConstraints: extensions.basicConstraints,
    keyUsage: extensions.keyUsage,
    extendedKeyUsage: extensions.extendedKeyUsage,
    alternativeNames: extensions.alternativeNames,
    nameConstraints: extensions.nameConstraints,
    subjectKeyIdentifier: extensions.subjectKeyIdentifier,
    authorityKeyIdentifier: extensions.authorityKeyIdentifier,
    faults: faults.all(),
  }
}

/** RFC 5280 §4.1.2.1. Anything that is no version is malformed, and counts as the one in use. */
function readVersion(fields: Der, faults: Faults): 1 | 2 | 3 {
  if (!nextIf(fields, context.constructed(0))) {
    faults.add('x509.old-version', 'version 1')
    return 1
  }
  const octets = content(fields)
  const number = octets.length === 3 && octets[0] === tags.integer && octets[1] === 1 ? (octets[2] ?? 0xff) : 0xff
  if (number === 2) return 3
  if (number > 2) {
    faults.add('x509.malformed', 'the version is none of 1, 2, 3')
    return 3
  }
  const version = number === 0 ? 1 : 2
  if (version === 1) noteOddity(fields, 'the version is 1, and written out')
  faults.add('x509.old-version', `version ${version}`)
  return version
}

/** RFC 5280 §4.1.2.2: positive, and of 20 octets at most. Octets too many deceive nobody, but OpenSSL cannot read such a certificate. */
function judgeSerial(serial: Uint8Array, faults: Faults): void {
  const first = serial[0] ?? 0
  if (!isMinimalInteger(serial, 0, serial.length))
    faults.add('x509.malformed', 'serialNumber is not a minimal INTEGER')
  else if (first >= 0x80) faults.add('x509.serial-number', 'the serial number is negative')
  else if (first === 0 && serial.length === 1) faults.add('x509.serial-number', 'the serial number is zero')
  else if (serial.length > maxSerialBytes)
    faults.add('x509.serial-number', `the serial number has ${serial.length} octets, over ${maxSerialBytes}`)
}

function readValidity(
  validity: Der,
  faults: Faults,
): { readonly notBeforeMs: number | null; readonly notAfterMs: number | null } {
  const notBeforeMs = nextTime(validity, 'notBefore') ?? faults.unreadable(null)
  const notAfterMs = nextTime(validity, 'notAfter') ?? faults.unreadable(null)
  if (!isAtEnd(validity, 'notAfter')) faults.unreadable(null)
  return { notBeforeMs, notAfterMs }
}

/** RFC 5280 §4.1.1.3: all signatures here are of whole octets. `signature`: the content of the BIT STRING. */
function readSignature(signature: Der, faults: Faults): Uint8Array {
  const { bytes } = signature.reading
  if (hasMore(signature) && bytes[signature.at] === 0) return bytes.subarray(signature.at + 1, signature.end)
  faults.add('x509.malformed', 'the signature is not of whole octets')
  return bytes.subarray(signature.end, signature.end)
}

function judgeKey(facts: PublicKeyFacts, faults: Faults): void {
  switch (facts.kind) {
    case 'rsa':
    case 'rsa-pss':
      if (facts.bits < leastRsaBits) faults.add('x509.key-too-weak', `RSA of ${facts.bits} bits`)
      else if (facts.bits < soundRsaBits) faults.add('x509.key-short', `RSA of ${facts.bits} bits`)
      if (facts.bits % 8 !== 0) faults.add('x509.key-size-odd', `RSA of ${facts.bits} bits`)
      return
    case 'ec':
    case 'ed25519':
    case 'ed448':
      return
    case 'unsupported':
      faults.add('x509.unsupported-algorithm', facts.name)
      return
    default:
      facts satisfies never
  }
}

/** What the extensions say, while they are read. */
type Extensions = { -readonly [Key in keyof Decoded]: Decoded[Key] } & { readonly all: Extension[] }

type Decoded = Pick<
  Certificate,
  | 'basicConstraints'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'alternativeNames'
  | 'nameConstraints'
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
>

/** Reads what follows the key: unique identifiers, which nobody uses (RFC 5280 §4.1.2.8), and the extensions. */
function readExtensions(fields: Der, version: 1 | 2 | 3, subject: DistinguishedName, faults: Faults): Extensions {
  const found: Extensions = {
    all: [],
    basicConstraints: null,
    keyUsage: null,
    extendedKeyUsage: null,
    alternativeNames: null,
    nameConstraints: null,
    subjectKeyIdentifier: null,
    authorityKeyIdentifier: null,
  }
  const hasUniqueId = [nextIf(fields, context.primitive(1)), nextIf(fields, context.primitive(2))].includes(true)
  if (hasUniqueId && version === 1) faults.add('x509.malformed', 'unique identifiers in version 1')
  if (nextIf(fields, context.constructed(3))) {
    // RFC 5280 §4.1.2.9. Some programs would not look at them, and they may forbid things.
    if (version !== 3) faults.add('x509.malformed', `extensions in version ${version}`)
    const list = enter(fields)
    if (!nextAs(list, tags.sequence, 'the list of extensions') || !isAtEnd(list, 'the list of extensions'))
      faults.unreadable(null)
    else readExtensionList(enter(list), found, subject, faults)
  }
  if (!isAtEnd(fields, 'the extensions')) faults.unreadable(null)
  return found
}

function readExtensionList(list: Der, found: Extensions, subject: DistinguishedName, faults: Faults): void {
  if (!hasMore(list)) faults.add('x509.malformed', 'the list of extensions is empty')
  const seen = new Set<Oid>()
  const repeated = new Set<Oid>()
  while (hasMore(list)) {
    if (!nextAs(list, tags.sequence, 'an extension')) {
      faults.unreadable(null)
      // A header that is not DER leaves no place to go on from.
      if (list.at === list.start) return
      continue
    }
    const der = enter(list)
    const extension = readExtension(der)
    if (extension === null) {
      faults.unreadable(null)
      continue
    }
    found.all.push(extension)
    if (seen.has(extension.oid)) repeated.add(extension.oid)
    else decode(extension, enter(der), found, subject, faults)
    seen.add(extension.oid)
  }
  // RFC 5280 §4.2: each at most once. Which one counts is anybody's guess, so none does.
  for (const oid of repeated) {
    faults.add('x509.malformed', `extension ${oid} is there more than once`)
    forget(oid, found)
  }
}

/** Reads the content of an Extension, and leaves `der` at extnValue. */
function readExtension(der: Der): Extension | null {
  const oid = nextOid(der, 'the identifier of an extension')
  if (oid === null) return null
  const critical = nextFlag(der, `critical of extension ${oid}`)
  if (critical === null) return null
  if (!nextAs(der, tags.octetString, 'extnValue') || !isAtEnd(der, 'extnValue')) return null
  return { oid, critical, value: content(der) }
}

/** Decodes the extensions that are known, and tells the faults that show in one of them. `value`: the inside of extnValue. */
function decode(
  { oid, critical }: Extension,
  value: Der,
  found: Extensions,
  subject: DistinguishedName,
  faults: Faults,
): void {
  switch (oid) {
    case extensionOids.basicConstraints:
      found.basicConstraints = readBasicConstraints(value) ?? faults.unreadable(null)
      // RFC 5280 §4.2.1.9.
      if (found.basicConstraints?.isCa === true && !critical)
        faults.add('x509.basic-constraints-not-critical', null)
      return
    case extensionOids.keyUsage:
      found.keyUsage = readKeyUsage(value) ?? faults.unreadable(null)
      return
    case extensionOids.extKeyUsage:
      found.extendedKeyUsage = readExtendedKeyUsage(value) ?? faults.unreadable(null)
      return
    case extensionOids.subjectAltName:
      found.alternativeNames = readAlternativeNames(value) ?? faults.unreadable(null)
      // RFC 5280 §4.2.1.6: it alone says who this is.
      if (!critical && isEmptyName(subject)) faults.add('x509.san-not-critical', null)
      judgeNames(found.alternativeNames ?? [], nameProblem, faults)
      return
    case extensionOids.nameConstraints:
      found.nameConstraints = readNameConstraints(value) ?? faults.unreadable(null)
      // RFC 5280 §4.2.1.10, for all that follows.
      if (!critical) faults.add('x509.name-constraints-not-critical', null)
      if (found.nameConstraints === null) return
      if (found.nameConstraints.permitted.length + found.nameConstraints.excluded.length === 0)
        faults.add('x509.name-constraints-empty', null)
      judgeNames(found.nameConstraints.permitted, constraintProblem, faults)
      judgeNames(found.nameConstraints.excluded, constraintProblem, faults)
      return
    case extensionOids.subjectKeyIdentifier:
      found.subjectKeyIdentifier = readSubjectKeyIdentifier(value) ?? faults.unreadable(null)
      // RFC 5280 §4.2.1.2.
      if (critical) faults.add('x509.key-id-critical', 'subjectKeyIdentifier')
      return
    case extensionOids.authorityKeyIdentifier:
      found.authorityKeyIdentifier = readAuthorityKeyIdentifier(value) ?? faults.unreadable(null)
      // RFC 5280 §4.2.1.1.
      if (critical) faults.add('x509.key-id-critical', 'authorityKeyIdentifier')
      if (found.authorityKeyIdentifier?.hasIssuerAndSerial === true) faults.add('x509.aki-issuer', null)
      return
    case extensionOids.policyConstraints:
      // RFC 5280 §4.2.1.11.
      if (!critical) faults.add('x509.policy-constraints-not-critical', null)
      return
    case extensionOids.authorityInfoAccess:
      if (!isAuthorityInformation(value)) faults.passOver()
      return
    case extensionOids.crlDistributionPoints:
      if (!isDistributionPoints(value)) faults.passOver()
      return
    case extensionOids.timestampList:
      if (!isTimestampList(value)) faults.passOver()
      return
    default:
  }
}

function forget(oid: Oid, found: Extensions): void {
  switch (oid) {
    case extensionOids.basicConstraints:
      found.basicConstraints = null
      return
    case extensionOids.keyUsage:
      found.keyUsage = null
      return
    case extensionOids.extKeyUsage:
      found.extendedKeyUsage = null
      return
    case extensionOids.subjectAltName:
      found.alternativeNames = null
      return
    case extensionOids.nameConstraints:
      found.nameConstraints = null
      return
    case extensionOids.subjectKeyIdentifier:
      found.subjectKeyIdentifier = null
      return
    case extensionOids.authorityKeyIdentifier:
      found.authorityKeyIdentifier = null
      return
    default:
  }
}

function judgeNames(
  names: readonly GeneralName[],
  problemOf: (name: GeneralName) => string | null,
  faults: Faults,
): void {
  for (const name of names) {
    const problem = problemOf(name)
    if (problem !== null) faults.add('x509.malformed-name', problem)
  }
}

interface Faults {
  add(reason: X509Reason, detail: string | null): void
  /** Adds the problem that the reading has met, and answers `instead`. */
  unreadable<T>(instead: T): T
  /** Adds the problem as one of an extension that no decision rests on. */
  passOver(): void
  all(): readonly Fault[]
}

/** So many of each reason are told one by one; the rest are counted. A certificate can be wrong in a hundred thousand places. */
const maxToldFaults = maxOddities

function createFaults(der: Der): Faults {
  const told: Fault[] = []
  const counts = new Map<X509Reason, number>()
  const add = (reason: X509Reason, detail: string | null) => {
    const count = (counts.get(reason) ?? 0) + 1
    counts.set(reason, count)
    if (count <= maxToldFaults) told.push({ reason, detail })
  }
  return {
    add,
    unreadable: instead => {
      add('x509.malformed', takeProblem(der))
      return instead
    },
    passOver: () => add('x509.extension-unreadable', takeProblem(der)),
    all: () => {
      const { oddities, oddityCount } = der.reading
      for (const oddity of oddities ?? []) told.push({ reason: 'x509.encoding', detail: oddity })
      if (oddityCount > 0) counts.set('x509.encoding', oddityCount)
      for (const [reason, count] of counts)
        if (count > maxToldFaults) told.push({ reason, detail: `and ${count - maxToldFaults} more of the kind` })
      return told
    },
  }
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, index) => octet === other[index])
}

/** Stands where none could be read: nothing verifies with it. */
const noAlgorithm: AlgorithmIdentifier = { oid: '', parameters: null }

/** RFC 5280 §4.1.2.2. */
const maxSerialBytes = 20
/** Below this RSA is within reach of a patient stranger; below the other it is shorter than anybody issues (CA/Browser Forum, NIST SP 800-131A). */
const leastRsaBits = 1_024
const soundRsaBits = 2_048
