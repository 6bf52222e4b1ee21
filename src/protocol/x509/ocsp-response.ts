/**
 * OCSP responses from bytes (RFC 6960 §4.2), as a server staples them (RFC 6066 §8) and `openssl ocsp -respout` writes them.
 *
 * Success means that the whole response is what its ASN.1 says, in DER, and that nothing follows. The certificates that it carries are read one by one: one that is
 * broken is there as such. No signature is checked, and nothing is decided here: whether the responder may speak for an issuer, and whether the answer is still good,
 * is for others to say.
 *
 * Nothing is copied; time is linear in the octets.
 */
import { createHash } from 'node:crypto'
import { parseCertificate } from './certificate.ts'
import {
  content,
  context,
  type Der,
  enter,
  fail,
  failHere,
  hasMore,
  isAtEnd,
  next,
  nextAs,
  nextIf,
  nextOctetsAsBits,
  nextOid,
  nextTime,
  openDer,
  tags,
  takeProblem,
  whole,
} from './der.ts'
import { isName } from './distinguished-name.ts'
import type { Certificate, DistinguishedName, Oid, PublicKey, Read } from './model.ts'
import { readAlgorithm } from './public-key.ts'
import {
  enumeratedTag,
  nextReason,
  nextSignature,
  type RevocationReason,
  readExtensions,
} from './revocation-fields.ts'
import type { Signed } from './signature.ts'

/** RFC 6960 §4.2.1. All but the first come without an answer, and unsigned. */
export type OcspStatus =
  | 'successful'
  | 'malformedRequest'
  | 'internalError'
  | 'tryLater'
  | 'sigRequired'
  | 'unauthorized'

export type OcspResponse =
  | { readonly status: 'successful'; readonly answer: OcspAnswer }
  | { readonly status: Exclude<OcspStatus, 'successful'> }

/** A BasicOCSPResponse. */
export interface OcspAnswer extends Signed {
  readonly responder: Responder
  /** Milliseconds since 1970. */
  readonly producedAtMs: number
  readonly answers: readonly SingleAnswer[]
  /** Sent along to prove the responder. */
  readonly certificates: readonly Read[]
  /** Critical extensions that are not understood here: the answer must not be believed (RFC 6960 §4.4). */
  readonly unknownCritical: readonly Oid[]
}

export type Responder =
  | { readonly kind: 'name'; readonly name: DistinguishedName }
  /** SHA-1 of its key's bits. */
  | { readonly kind: 'key'; readonly hash: Uint8Array }

/** About one certificate, which is told by its issuer and serial number. */
export interface SingleAnswer {
  readonly hash: IdHash | null
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** Content octets. */
  readonly serial: Uint8Array
  readonly status:
    | { readonly kind: 'good' }
    | { readonly kind: 'unknown' }
    | { readonly kind: 'revoked'; readonly atMs: number; readonly reason: RevocationReason | null }
  readonly thisUpdateMs: number
  /** Null: newer information is to be had at any time. */
  readonly nextUpdateMs: number | null
}

/** What issuers are told by. Nothing is proved by these digests, so SHA-1 will do; null in the answer: another one. */
export type IdHash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

export type OcspRead =
  | { readonly kind: 'response'; readonly response: OcspResponse }
  | { readonly kind: 'malformed'; readonly detail: string }

/** A response is a kilobyte or two; this is room for one about thousands of certificates. */
export const maxOcspBytes = 1024 * 1024

/** @param der The octets of one OCSPResponse. Must not change as long as the result is used. */
export function parseOcspResponse(der: Uint8Array): OcspRead {
  return parseCountedOcsp(der).read
}

/** The same, and how many elements were read for it, those of certificates in it not counted: what tests of growth count. */
export function parseCountedOcsp(bytes: Uint8Array): { readonly read: OcspRead; readonly elements: number } {
  const der = openDer(bytes)
  const isTooLong = bytes.length > maxOcspBytes
  if (isTooLong) fail(der, `an OCSP response of more than ${maxOcspBytes} octets`)
  const response = isTooLong ? null : readResponse(der)
  const read: OcspRead =
    response === null ? { kind: 'malformed', detail: takeProblem(der) } : { kind: 'response', response }
  return { read, elements: der.reading.elements }
}

/** Whether the answer is about this certificate, as far as the name of its issuer and its serial number tell. */
export function isAbout(answer: SingleAnswer, certificate: Certificate): boolean {
  return (
    answer.hash !== null &&
    Buffer.compare(answer.serial, certificate.serial) === 0 &&
    isDigest(answer.issuerNameHash, answer.hash, certificate.issuer.der)
  )
}

/** Whether the answer is about a certificate that this key signed. */
export function isOfIssuer(answer: SingleAnswer, key: PublicKey): boolean {
  const bits = keyBits(key)
  return answer.hash !== null && bits !== null && isDigest(answer.issuerKeyHash, answer.hash, bits)
}

/** Whether a ResponderID that is the digest of a key means this one (RFC 6960 §4.2.1: SHA-1). */
export function isKeyHash(hash: Uint8Array, key: PublicKey): boolean {
  const bits = keyBits(key)
  return bits !== null && isDigest(hash, 'sha1', bits)
}

function isDigest(digest: Uint8Array, hash: IdHash, octets: Uint8Array): boolean {
  return Buffer.compare(digest, createHash(hash).update(octets).digest()) === 0
}

/** The octets of subjectPublicKey, which are what digests are made of (RFC 6960 §4.1.1). */
function keyBits({ spki }: PublicKey): Uint8Array | null {
  const outer = openDer(spki)
  if (!nextAs(outer, tags.sequence, 'the public key')) return null
  const inside = enter(outer)
  return nextAs(inside, tags.sequence, 'its algorithm') ? nextOctetsAsBits(inside, 'its bits') : null
}

function readResponse(der: Der): OcspResponse | null {
  if (!nextAs(der, tags.sequence, 'the response') || !isAtEnd(der, 'the response')) return null
  const outer = enter(der)
  if (!nextAs(outer, enumeratedTag, 'responseStatus')) return null
  const octets = content(outer)
  const status = octets.length === 1 ? statuses[octets[0] ?? 0xff] : undefined
  if (status === undefined) return broken(outer, 'responseStatus is none that RFC 6960 has')
  const hasBytes = nextIf(outer, context.constructed(0))
  if (!isAtEnd(outer, 'responseBytes')) return null
  if (!hasBytes) return status === 'successful' ? broken(outer, 'responseBytes is missing') : { status }
  if (status !== 'successful') return broken(outer, 'a response without success has an answer')
  const bytes = enter(outer)
  if (!nextAs(bytes, tags.sequence, 'responseBytes') || !isAtEnd(bytes, 'responseBytes')) return null
  const inside = enter(bytes)
  const type = nextOid(inside, 'responseType')
  if (type === null) return null
  if (type !== basicResponse) return broken(inside, `responseType is ${type}, which is not the basic one`)
  if (!nextAs(inside, tags.octetString, 'the answer') || !isAtEnd(inside, 'the answer')) return null
  const answer = readAnswer(enter(inside))
  return answer === null ? null : { status, answer }
}

function readAnswer(der: Der): OcspAnswer | null {
  if (!nextAs(der, tags.sequence, 'BasicOCSPResponse') || !isAtEnd(der, 'BasicOCSPResponse')) return null
  const outer = enter(der)
  if (!nextAs(outer, tags.sequence, 'ResponseData')) return null
  const tbs = whole(outer)
  const fields = enter(outer)
  const signed = nextSignature(outer)
  if (signed === null) return null
  const certificates = nextIf(outer, context.constructed(0)) ? readCertificates(enter(outer)) : []
  if (certificates === null || !isAtEnd(outer, 'the certificates')) return null

  // DER leaves version 1 out, and there is no other. Some responders write it all the same, which means the same.
  if (nextIf(fields, context.constructed(0)) && Buffer.from(content(fields)).toString('hex') !== '020100')
    return broken(fields, 'the version is not 1')
  const responder = nextResponder(fields)
  if (responder === null) return null
  const producedAtMs = nextGeneralizedTime(fields, 'producedAt')
  if (producedAtMs === null || !nextAs(fields, tags.sequence, 'the answers')) return null
  const unknownCritical = new Set<Oid>()
  const answers: SingleAnswer[] = []
  const list = enter(fields)
  while (hasMore(list)) {
    if (!nextAs(list, tags.sequence, 'an answer')) return null
    const answer = readSingle(enter(list), unknownCritical)
    if (answer === null) return null
    answers.push(answer)
  }
  if (!nextIfExtensions(fields, unknownCritical) || !isAtEnd(fields, 'the extensions')) return null
  return {
    tbs,
    ...signed,
    responder,
    producedAtMs,
    answers,
    certificates,
    unknownCritical: [...unknownCritical],
  }
}

function readCertificates(der: Der): readonly Read[] | null {
  if (!nextAs(der, tags.sequence, 'the certificates') || !isAtEnd(der, 'the certificates')) return null
  const list = enter(der)
  const reads: Read[] = []
  while (hasMore(list)) {
    if (!nextAs(list, tags.sequence, 'a certificate')) return null
    if (reads.length === maxCertificates) return broken(list, `more than ${maxCertificates} certificates`)
    reads.push(parseCertificate(whole(list)))
  }
  return reads
}

/** RFC 6960 §4.2.1: a CHOICE, tagged explicitly. */
function nextResponder(der: Der): Responder | null {
  const what = 'responderID'
  if (!next(der)) return null
  const inside = enter(der)
  if (der.tag === context.constructed(1)) {
    if (!nextAs(inside, tags.sequence, what) || !isAtEnd(inside, what)) return null
    return isName(enter(inside)) ? { kind: 'name', name: { der: whole(inside) } } : null
  }
  if (der.tag !== context.constructed(2)) return broken(der, `${what} is neither a name nor a key`)
  return nextAs(inside, tags.octetString, what) && isAtEnd(inside, what)
    ? { kind: 'key', hash: content(inside) }
    : null
}

function readSingle(der: Der, unknownCritical: Set<Oid>): SingleAnswer | null {
  if (!nextAs(der, tags.sequence, 'certID')) return null
  const id = enter(der)
  if (!nextAs(id, tags.sequence, 'hashAlgorithm')) return null
  const algorithm = readAlgorithm(enter(id), 'hashAlgorithm')
  if (algorithm === null || !nextAs(id, tags.octetString, 'issuerNameHash')) return null
  const issuerNameHash = content(id)
  if (!nextAs(id, tags.octetString, 'issuerKeyHash')) return null
  const issuerKeyHash = content(id)
  if (!nextAs(id, tags.integer, 'serialNumber') || !isAtEnd(id, 'serialNumber')) return null
  const serial = content(id)
  const status = nextStatus(der)
  if (status === null) return null
  const thisUpdateMs = nextGeneralizedTime(der, 'thisUpdate')
  if (thisUpdateMs === null) return null
  const hasNext = nextIf(der, context.constructed(0))
  const nextUpdateMs = hasNext ? onlyGeneralizedTime(enter(der), 'nextUpdate') : null
  if (hasNext && nextUpdateMs === null) return null
  if (!nextIfExtensions(der, unknownCritical) || !isAtEnd(der, 'an answer')) return null
  return {
    hash: idHashes.get(algorithm.oid) ?? null,
    issuerNameHash,
    issuerKeyHash,
    serial,
    status,
    thisUpdateMs,
    nextUpdateMs,
  }
}

/** RFC 6960 §4.2.1: a CHOICE, tagged implicitly. */
function nextStatus(der: Der): SingleAnswer['status'] | null {
  if (!next(der)) return null
  const { tag } = der
  if (tag === context.primitive(0) || tag === context.primitive(2)) {
    if (der.at !== der.from) return broken(der, 'certStatus is NULL with a content')
    return { kind: tag === context.primitive(0) ? 'good' : 'unknown' }
  }
  if (tag !== context.constructed(1)) return broken(der, 'certStatus is neither good, revoked nor unknown')
  const inside = enter(der)
  const atMs = nextGeneralizedTime(inside, 'revocationTime')
  if (atMs === null) return null
  const hasReason = nextIf(inside, context.constructed(0))
  const field = enter(inside)
  const reason = hasReason ? nextReason(field) : null
  if (reason === false || (hasReason && !isAtEnd(field, 'the reason')) || !isAtEnd(inside, 'the reason'))
    return null
  return { kind: 'revoked', atMs, reason }
}

/** `[1]`, where there is one: in ResponseData and in SingleResponse alike. */
function nextIfExtensions(der: Der, unknownCritical: Set<Oid>): boolean {
  if (!nextIf(der, context.constructed(1))) return true
  const field = enter(der)
  if (!nextAs(field, tags.sequence, 'the list of extensions') || !isAtEnd(field, 'the list of extensions'))
    return false
  return readExtensions(enter(field), ({ oid, critical }) => {
    if (critical && !knownExtensions.has(oid) && unknownCritical.size < maxUnknownCritical)
      unknownCritical.add(oid)
    return true
  })
}

/** RFC 6960 §4.2.2.1: no UTCTime. */
function nextGeneralizedTime(der: Der, what: string): number | null {
  if (hasMore(der) && der.reading.bytes[der.at] !== tags.generalizedTime) {
    fail(der, `${what} is not a GeneralizedTime`)
    return null
  }
  return nextTime(der, what)
}

function onlyGeneralizedTime(der: Der, what: string): number | null {
  const timeMs = nextGeneralizedTime(der, what)
  return isAtEnd(der, what) ? timeMs : null
}

function broken(der: Der, problem: string): null {
  failHere(der, problem)
  return null
}

/** RFC 6960 §4.2.1, by number; 4 is not used. */
const statuses: readonly (OcspStatus | undefined)[] = [
  'successful',
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
]

const idHashes: ReadonlyMap<Oid, IdHash> = new Map<Oid, IdHash>([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

/** RFC 6960 §4.2.1: id-pkix-ocsp-basic. */
const basicResponse: Oid = '1.3.6.1.5.5.7.48.1.1'
/** The nonce, which belongs to a request that is not known here (RFC 6960 §4.4.1). */
const knownExtensions: ReadonlySet<Oid> = new Set(['1.3.6.1.5.5.7.48.1.2'])

const maxCertificates = 20
const maxUnknownCritical = 8
