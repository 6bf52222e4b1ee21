/**
 * Revocation lists (RFC 5280 §5) and OCSP responses (RFC 6960 §4.2) for tests, right or wrong: a recipe in, signed octets out.
 *
 * A recipe that says nothing makes something that is current at `at` and sound. Nothing is checked, and no code is shared with the reader under test.
 */
import { createHash } from 'node:crypto'
import {
  bitString,
  children,
  explicit,
  generalizedTime,
  integer,
  octetString,
  oid,
  rawInteger,
  sequence,
  time,
  tlv,
} from './der.ts'
import { algorithmIdentifier, type SignatureKind, signatureOf, type TestKey, usualSignature } from './keys.ts'
import { at, extension, generalName, type Made, nameBytes } from './maker.ts'

export interface ListRecipe {
  readonly issuer: Made
  /** The issuer's Name, when it is not to be the issuer's subject. */
  readonly issuerName?: string
  /** The key that signs, when it is not to be the issuer's. */
  readonly signer?: TestKey
  readonly signature?: SignatureKind
  readonly thisUpdate?: Date | Uint8Array
  /** Null: none. */
  readonly nextUpdate?: Date | null
  /** Encoded; empty: no list of entries. */
  readonly entries?: readonly Uint8Array[]
  /** Encoded; empty: no extensions. */
  readonly extensions?: readonly Uint8Array[]
  /** Changes the fields of the signed part before it is signed. */
  readonly editTbs?: (fields: Uint8Array[]) => Uint8Array[]
  readonly outerAlgorithm?: Uint8Array
}

/** A list in DER; number 7, unless its extensions say otherwise. */
export function makeList(recipe: ListRecipe): Uint8Array {
  const signer = recipe.signer ?? recipe.issuer.key
  const kind = recipe.signature ?? usualSignature(signer.kind)
  const { entries = [], extensions = [listNumber(7)], thisUpdate = dayBefore, nextUpdate = weekAfter } = recipe
  const fields = [
    integer(1),
    algorithmIdentifier(kind),
    recipe.issuerName === undefined ? recipe.issuer.subject : nameBytes(recipe.issuerName),
    thisUpdate instanceof Date ? time(thisUpdate) : thisUpdate,
    ...(nextUpdate === null ? [] : [time(nextUpdate)]),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extensions.length === 0 ? [] : [explicit(0, sequence(...extensions))]),
  ]
  const tbs = sequence(...(recipe.editTbs?.(fields) ?? fields))
  const algorithm = recipe.outerAlgorithm ?? algorithmIdentifier(kind)
  return sequence(tbs, algorithm, bitString(signatureOf(kind, signer, tbs)))
}

/** An entry for this serial number; extensions encoded. */
export function entry(serial: Uint8Array, ...extensions: readonly Uint8Array[]): Uint8Array {
  return sequence(
    rawInteger(serial),
    time(dayBefore),
    ...(extensions.length === 0 ? [] : [sequence(...extensions)]),
  )
}

export const reason = (number: number) => extension('2.5.29.21', enumerated(number))
export const listNumber = (number: number) => extension('2.5.29.20', integer(number))
/** The entries from here on are of this issuer (RFC 5280 §5.3.3). */
export const entryIssuer = (issuer: Uint8Array) =>
  extension('2.5.29.29', sequence(generalName('directory', issuer)), 'critical')
export const deltaIndicator = extension('2.5.29.27', integer(6), 'critical')

/** RFC 5280 §5.2.5; its fields encoded. */
export const distributionPoint = (...fields: readonly Uint8Array[]) =>
  extension('2.5.29.28', sequence(...fields), 'critical')
export const pointAt = (address: string) => explicit(0, explicit(0, generalName('uri', address)))
/** `[number] TRUE` */
export const flag = (number: number) => tlv(0x80 | number, Buffer.of(0xff))

export function enumerated(number: number): Uint8Array {
  return tlv(0x0a, Buffer.of(number))
}

export interface OcspRecipe {
  /** Whose key signs. */
  readonly signer: Made
  readonly key?: TestKey
  readonly responder?: 'name' | 'key'
  readonly answers: readonly Uint8Array[]
  /** Sent along. */
  readonly certificates?: readonly Uint8Array[]
  readonly extensions?: readonly Uint8Array[]
  readonly signature?: SignatureKind
  readonly editTbs?: (fields: Uint8Array[]) => Uint8Array[]
}

/** A successful response in DER. */
export function makeOcsp(recipe: OcspRecipe): Uint8Array {
  const { signer, certificates = [], extensions = [] } = recipe
  const key = recipe.key ?? signer.key
  const kind = recipe.signature ?? usualSignature(key.kind)
  const fields = [
    recipe.responder === 'key' ? explicit(2, octetString(signer.key.identifier)) : explicit(1, signer.subject),
    moment(dayBefore),
    sequence(...recipe.answers),
    ...(extensions.length === 0 ? [] : [explicit(1, sequence(...extensions))]),
  ]
  const tbs = sequence(...(recipe.editTbs?.(fields) ?? fields))
  return ocspResponse(
    sequence(
      tbs,
      algorithmIdentifier(kind),
      bitString(signatureOf(kind, key, tbs)),
      ...(certificates.length === 0 ? [] : [explicit(0, sequence(...certificates))]),
    ),
  )
}

/** A response with this answer, of this type. */
export function ocspResponse(answer: Uint8Array, type = '1.3.6.1.5.5.7.48.1.1'): Uint8Array {
  return sequence(enumerated(0), explicit(0, sequence(oid(type), octetString(answer))))
}

export interface AnswerRecipe {
  readonly status?: Uint8Array
  readonly hash?: 'sha1' | 'sha256'
  /** OID of the digest, when it is not to be that of `hash`. */
  readonly hashOid?: string
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date | null
  readonly extensions?: readonly Uint8Array[]
}

/** A SingleResponse about the certificate, which `issuer` issued. */
export function answerFor(certificate: Made, issuer: Made, recipe: AnswerRecipe = {}): Uint8Array {
  const { hash = 'sha1', status = isGood, nextUpdate = weekAfter, extensions = [] } = recipe
  const digest = (octets: Uint8Array) => octetString(createHash(hash).update(octets).digest())
  const bits = children(issuer.key.spki)[1] ?? new Uint8Array(0)
  return sequence(
    sequence(
      sequence(oid(recipe.hashOid ?? hashOids[hash]), tlv(0x05)),
      digest(issuer.subject),
      // The content of the BIT STRING behind the number of unused bits.
      digest(contentOf(bits).subarray(1)),
      rawInteger(certificate.serial),
    ),
    status,
    moment(recipe.thisUpdate ?? dayBefore),
    ...(nextUpdate === null ? [] : [explicit(0, moment(nextUpdate))]),
    ...(extensions.length === 0 ? [] : [explicit(1, sequence(...extensions))]),
  )
}

export const isGood = tlv(0x80)
export const isUnknown = tlv(0x82)
export function isRevoked(reasonNumber: number | null = null): Uint8Array {
  const field = reasonNumber === null ? [] : [explicit(0, enumerated(reasonNumber))]
  return tlv(0xa1, moment(dayBefore), ...field)
}

function moment(date: Date): Uint8Array {
  return generalizedTime(`${date.toISOString().replaceAll(/\D/g, '').slice(0, 14)}Z`)
}

function contentOf(element: Uint8Array): Uint8Array {
  const length = element[1] ?? 0
  return element.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f))
}

const dayMs = 86_400_000
/** Of all that is made here, unless a recipe says otherwise. */
export const dayBefore: Date = new Date(at.getTime() - dayMs)
export const weekAfter: Date = new Date(at.getTime() + 7 * dayMs)

const hashOids = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' } as const
