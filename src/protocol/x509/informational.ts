/**
 * What a certificate tells besides who it is: that an OCSP answer comes with each handshake (must-staple, RFC 7633), which public logs have seen it
 * (RFC 6962 §3.3), where its issuer and its revocation are to be had (RFC 5280 §4.2.2.1, §4.2.1.13).
 *
 * For people. Nothing here decides: no path, no verdict and no fault rests on it, no address is visited, and no signature of a log is checked. What
 * cannot be read is told with its part; the other parts are read all the same. Lists and texts are bounded, and what is left out is told as well.
 */
import {
  content,
  context,
  type Der,
  enter,
  fail,
  failHere,
  hasMore,
  isAtEnd,
  nextAs,
  nextCount,
  nextIf,
  nextOid,
  openDer,
  tags,
  takeProblem,
} from './der.ts'
import { nameText } from './distinguished-name.ts'
import { nextGeneralName, readGeneralNames } from './general-name.ts'
import type { Certificate, Extension, GeneralName, Oid } from './model.ts'

export interface Informational {
  /** The TLS feature status_request, or its second version: the server owes an OCSP answer in each handshake (RFC 7633 §4.2.3). */
  readonly mustStaple: boolean
  readonly scts: readonly SignedCertificateTimestamp[]
  /** Where to ask by OCSP, as the certificate writes it: URIs, and directory names as RFC 4514 writes them. */
  readonly ocsp: readonly string[]
  /** Where the issuer's certificate is to be had. */
  readonly caIssuers: readonly string[]
  /** Where revocation lists are to be had. */
  readonly crls: readonly string[]
  /** The parts that could not be read, or not to the end. */
  readonly unreadable: readonly UnreadablePart[]
}

export interface SignedCertificateTimestamp {
  /** 0 is version 1, the only one there is (RFC 6962 §3.2). */
  readonly version: number
  /** SHA-256 of the log's key, in hexadecimal digits; null for versions that are not known. */
  readonly logId: string | null
  /** Milliseconds since 1970; null for versions that are not known, and beyond the calendar. */
  readonly timestampMs: number | null
}

export interface UnreadablePart {
  readonly part: InformationalPart
  /** What is wrong, in one clause. */
  readonly problem: string
}

export type InformationalPart = 'tls-feature' | 'sct-list' | 'authority-information' | 'crl-distribution-points'

/** Never throws for what a certificate can hold. */
export function readInformational(certificate: Pick<Certificate, 'extensions'>): Informational {
  const unreadable: UnreadablePart[] = []
  const read = <T>(part: InformationalPart, oid: Oid, reader: (der: Der) => Answer<T> | null, none: T): T => {
    const [extension, another] = certificate.extensions.filter(one => one.oid === oid)
    if (extension === undefined) return none
    const answer =
      another === undefined ? contentOf(extension, reader) : { value: none, problem: 'it is there more than once' }
    if (answer.problem !== null) unreadable.push({ part, problem: answer.problem })
    return answer.value ?? none
  }
  const features = read<readonly number[]>('tls-feature', informationalOids.tlsFeature, readFeatures, [])
  const scts = read<Informational['scts']>('sct-list', informationalOids.sctList, readSctList, [])
  const access = read('authority-information', informationalOids.authorityInfoAccess, readAccess, noAccess)
  const crls = read<readonly string[]>(
    'crl-distribution-points',
    informationalOids.crlDistributionPoints,
    readDistributionPoints,
    [],
  )
  return {
    mustStaple: features.some(feature => feature === statusRequest || feature === statusRequestV2),
    scts,
    ocsp: access.ocsp,
    caIssuers: access.caIssuers,
    crls,
    unreadable,
  }
}

/** Of each list so many entries are told. */
export const maxToldEntries = 64

/** The value, and what is to be told of it beside. */
interface Answer<T> {
  readonly value: T
  readonly problem: string | null
}

function contentOf<T>(
  { value }: Extension,
  reader: (der: Der) => Answer<T> | null,
): { readonly value: T | null; readonly problem: string | null } {
  const der = openDer(value)
  return reader(der) ?? { value: null, problem: takeProblem(der) }
}

/** RFC 7633 §4.1: numbers of TLS extensions. */
function readFeatures(der: Der): Answer<readonly number[]> | null {
  const inside = onlySequence(der, 'the TLS feature extension')
  if (inside === null) return null
  const features: number[] = []
  while (hasMore(inside)) {
    const feature = nextCount(inside, 'a TLS feature')
    if (feature === null) return null
    features.push(feature)
  }
  return { value: features, problem: null }
}

/** RFC 6962 §3.3: a list in the encoding of TLS, in an OCTET STRING of its own. */
function readSctList(der: Der): Answer<Informational['scts']> | null {
  const what = 'the list of timestamps'
  if (!nextAs(der, tags.octetString, what) || !isAtEnd(der, what)) return null
  const list = content(der)
  if (list.length < 2 || uint16(list, 0) !== list.length - 2)
    return brokenAt(der, `the length of ${what} is wrong`)
  const scts: SignedCertificateTimestamp[] = []
  let count = 0
  for (let at = 2; at < list.length; count++) {
    const length = uint16(list, at)
    const end = at + 2 + length
    if (at + 2 > list.length || length === 0 || end > list.length) return brokenAt(der, 'a timestamp is cut off')
    const sct = readSct(list.subarray(at + 2, end))
    if (sct === null) return brokenAt(der, 'a timestamp is not as RFC 6962 wants it')
    if (count < maxToldEntries) scts.push(sct)
    at = end
  }
  return count === 0 ? brokenAt(der, `${what} is empty`) : { value: scts, problem: beyond(count, 'timestamps') }
}

/** RFC 6962 §3.2. Other versions are passed over, as §3.3 wants; they are counted all the same. */
function readSct(sct: Uint8Array): SignedCertificateTimestamp | null {
  const version = sct[0] ?? 0
  if (version !== 0) return { version, logId: null, timestampMs: null }
  const extensionsAt = 1 + logIdBytes + timestampBytes
  if (sct.length < extensionsAt + 2) return null
  // Two octets of algorithms follow the extensions, then the signature with its length.
  const signatureAt = extensionsAt + 2 + uint16(sct, extensionsAt) + 2
  if (signatureAt + 2 > sct.length || signatureAt + 2 + uint16(sct, signatureAt) !== sct.length) return null
  let timestampMs = 0
  for (const octet of sct.subarray(1 + logIdBytes, extensionsAt)) timestampMs = timestampMs * 256 + octet
  return {
    version,
    logId: Buffer.from(sct.subarray(1, 1 + logIdBytes)).toString('hex'),
    timestampMs: timestampMs <= lastMomentMs ? timestampMs : null,
  }
}

type Access = Pick<Informational, 'ocsp' | 'caIssuers'>

/** RFC 5280 §4.2.2.1. Methods that are not known are passed over. */
function readAccess(der: Der): Answer<Access> | null {
  const inside = onlySequence(der, 'authorityInfoAccess')
  if (inside === null) return null
  if (!hasMore(inside)) return brokenAt(der, 'authorityInfoAccess is empty')
  const ocsp: string[] = []
  const caIssuers: string[] = []
  while (hasMore(inside)) {
    if (!nextAs(inside, tags.sequence, 'an access description')) return null
    const description = enter(inside)
    const method = nextOid(description, 'an access method')
    const location = method === null ? null : nextGeneralName(description)
    if (location === null || !isAtEnd(description, 'an access location')) return null
    if (method === accessOcsp) ocsp.push(...addressOf(location))
    if (method === accessCaIssuers) caIssuers.push(...addressOf(location))
  }
  return {
    value: { ocsp: ocsp.slice(0, maxToldEntries), caIssuers: caIssuers.slice(0, maxToldEntries) },
    problem: beyond(Math.max(ocsp.length, caIssuers.length), 'addresses'),
  }
}

/** RFC 5280 §4.2.1.13. */
function readDistributionPoints(der: Der): Answer<readonly string[]> | null {
  const inside = onlySequence(der, 'cRLDistributionPoints')
  if (inside === null) return null
  if (!hasMore(inside)) return brokenAt(der, 'cRLDistributionPoints is empty')
  const addresses: string[] = []
  while (hasMore(inside)) {
    if (!nextAs(inside, tags.sequence, 'a distribution point')) return null
    const point = enter(inside)
    const names = nextIf(point, context.constructed(0)) ? readPointName(enter(point)) : []
    if (names === null) return null
    addresses.push(...names.flatMap(addressOf))
    nextIf(point, context.primitive(1))
    if (nextIf(point, context.constructed(2)) && readGeneralNames(enter(point), 'cRLIssuer') === null) return null
    if (!isAtEnd(point, 'a distribution point')) return null
  }
  return { value: addresses.slice(0, maxToldEntries), problem: beyond(addresses.length, 'addresses') }
}

/**
 * The names of a DistributionPointName (RFC 5280 §4.2.1.13); empty for one that is relative to the name of the issuer, which is no address.
 * @param der The content of its `[0]`. @returns null, with a problem noted, when it is anything else.
 */
export function readPointName(der: Der): readonly GeneralName[] | null {
  const what = 'the name of a distribution point'
  if (nextIf(der, context.constructed(0))) {
    const names = readGeneralNames(enter(der), what)
    return names !== null && isAtEnd(der, what) ? names : null
  }
  if (!nextIf(der, context.constructed(1))) {
    fail(der, `${what} is missing`)
    return null
  }
  return isAtEnd(der, what) ? [] : null
}

/** The name as an address, one or none. Bounded; as it is written. */
export function addressOf(name: GeneralName): readonly string[] {
  if (name.type === 'directory') return [nameText(name.value)]
  if (name.type !== 'uri') return []
  return [name.value.length > maxAddressChars ? `${name.value.slice(0, maxAddressChars)}…` : name.value]
}

/** The content of the one SEQUENCE that is there. */
function onlySequence(der: Der, what: string): Der | null {
  return nextAs(der, tags.sequence, what) && isAtEnd(der, what) ? enter(der) : null
}

function brokenAt(der: Der, problem: string): null {
  failHere(der, problem)
  return null
}

function beyond(count: number, what: string): string | null {
  return count > maxToldEntries ? `it has ${count} ${what}, and the first ${maxToldEntries} are told` : null
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
}

const noAccess: Access = { ocsp: [], caIssuers: [] }

const informationalOids = {
  /** RFC 7633 §6 */
  tlsFeature: '1.3.6.1.5.5.7.1.24',
  /** RFC 6962 §3.3 */
  sctList: '1.3.6.1.4.1.11129.2.4.2',
  /** RFC 5280 §4.2.2.1 */
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  /** RFC 5280 §4.2.1.13 */
  crlDistributionPoints: '2.5.29.31',
} as const satisfies Record<string, Oid>

const accessOcsp: Oid = '1.3.6.1.5.5.7.48.1'
const accessCaIssuers: Oid = '1.3.6.1.5.5.7.48.2'

/** Numbers of TLS extensions: RFC 6066 §8, RFC 6961 §2.2. */
const statusRequest = 5
const statusRequestV2 = 17

const logIdBytes = 32
const timestampBytes = 8
/** The last moment that a Date holds. */
const lastMomentMs = 8_640_000_000_000_000
const maxAddressChars = 2_048
