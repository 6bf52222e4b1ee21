/**
 * Where every chain begins: the keys of the root as IANA publishes them, or those of a file of the operator's (RFC 4033 §2, RFC 4035 §4.4).
 *
 * A file has the form of a zone file, as `dns-root-data`, unbound-anchor and `dnssec-dsfromkey` write it: DS and DNSKEY records, owners with or without the
 * last dot and always absolute, class and TTL if they like, comments, parentheses. Or it is what BIND reads (anchor-statements.ts). Nothing else is taken for
 * an anchor, and one line that cannot be read makes the whole file a fault: an anchor left out in silence would be a zone whose answers are all bogus, or all
 * believed.
 */
import { type Name, parseName } from '../dns/name.ts'
import { findAlgorithm } from './algorithms.ts'
import { hasStatements, recordsOfStatements } from './anchor-statements.ts'
import { dnskeyRdata } from './encoding.ts'
import { digestBytes } from './keys.ts'
import { readDnskey } from './records.ts'
import type { TrustAnchor } from './types.ts'
import { isRevoked, isZoneKey } from './verify-set.ts'

export type ReadAnchors =
  | { readonly kind: 'anchors'; readonly anchors: readonly TrustAnchor[] }
  /** `says`: a whole sentence without text from the file. `line` counts from 1; null: it is about the file as a whole. */
  | { readonly kind: 'fault'; readonly line: number | null; readonly says: string }

/**
 * KSK-2017, in use since 2018, and KSK-2024, which is to take over in October 2026: https://data.iana.org/root-anchors/root-anchors.xml. Both count, so that
 * nothing is to be done on that day.
 */
export const rootAnchors: readonly TrustAnchor[] = [
  rootAnchor(20326, 'e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d'),
  rootAnchor(38696, '683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16'),
]

/**
 * The anchors in a file. Left out are keys that the file itself says are revoked (RFC 5011 §2.1), and those that unbound keeps beside the ones it trusts: seen, but
 * not for long enough to be believed (RFC 5011 §2.4.1), or gone.
 */
export function readAnchors(text: string): ReadAnchors {
  const anchors: TrustAnchor[] = []
  let owner: Name | null = null
  for (const record of hasStatements(text) ? fromStatements(text) : recordsOf(text)) {
    const { line, tokens, isTrusted } = record
    if (record.fault !== null) return { kind: 'fault', line, says: record.fault }
    if (tokens[0]?.startsWith('$')) {
      // A default TTL changes nothing here; another origin would change names.
      if (tokens[0].toUpperCase() === '$TTL') continue
      return { kind: 'fault', line, says: 'Directives are not read here: write names with all their labels.' }
    }
    const rest = [...tokens]
    if (!record.isContinued) owner = parseName(rest.shift() ?? '')
    if (owner === null) return { kind: 'fault', line, says: 'The record does not begin with the name of a zone.' }
    while (rest[0] !== undefined && (/^[0-9]+[smhdw]?$/i.test(rest[0]) || rest[0].toUpperCase() === 'IN'))
      rest.shift()
    const type = rest.shift()?.toUpperCase()
    const read =
      type === 'DS' ? readDsText(owner, rest) : type === 'DNSKEY' ? readDnskeyText(owner, rest) : notAnAnchor
    if (typeof read === 'string') return { kind: 'fault', line, says: read }
    if (isTrusted && (read.kind !== 'dnskey' || !isRevoked(read.dnskey))) anchors.push(read)
  }
  return anchors.length > 0
    ? { kind: 'anchors', anchors }
    : { kind: 'fault', line: null, says: 'There is no DS and no DNSKEY record in it.' }
}

/** The anchor, or what is wrong with it. */
function readDsText(
  zone: Name,
  [tagText, algorithmText, typeText, ...hex]: readonly string[],
): TrustAnchor | string {
  const keyTag = readNumber(tagText, 0xffff)
  const algorithm = readNumber(algorithmText, 0xff)
  const digestType = readNumber(typeText, 0xff)
  const digest = hex.join('')
  if (keyTag === null || algorithm === null || digestType === null || !/^(?:[0-9a-f]{2})+$/i.test(digest))
    return 'A DS record is a key tag, an algorithm, a digest type, all as numbers, and the digest in hex.'
  const expected = digestBytes(digestType)
  if (expected === null || findAlgorithm(algorithm) === null)
    return 'The DS record has an algorithm or a digest type that is not known here, so that nothing could be proven with it.'
  if (digest.length !== expected * 2)
    return `A digest of type ${digestType} has ${expected} bytes, and this one does not.`
  return { kind: 'ds', zone, ds: { keyTag, algorithm, digestType, digest: Buffer.from(digest, 'hex') } }
}

function readDnskeyText(
  zone: Name,
  [flagsText, protocolText, algorithmText, ...base64]: readonly string[],
): TrustAnchor | string {
  const flags = readNumber(flagsText, 0xffff)
  const protocol = readNumber(protocolText, 0xff)
  const algorithm = readNumber(algorithmText, 0xff)
  const key = base64.join('')
  if (flags === null || protocol === null || algorithm === null || !isBase64(key))
    return 'A DNSKEY record is flags, a protocol, an algorithm, all as numbers, and the key in Base64.'
  const dnskey = readDnskey({ rdata: dnskeyRdata(flags, algorithm, Buffer.from(key, 'base64'), protocol) })
  if (dnskey === 'malformed' || !isZoneKey(dnskey))
    return 'The DNSKEY record is not the key of a zone: its flags must have 256, and its protocol must be 3.'
  if (findAlgorithm(algorithm) === null)
    return 'The DNSKEY record has an algorithm that is not known here, so that nothing could be proven with it.'
  return { kind: 'dnskey', zone, dnskey }
}

interface RecordText {
  /** Where it begins. */
  readonly line: number
  readonly tokens: readonly string[]
  /** It begins with a blank, and so belongs to the owner before (RFC 1035 §5.1). */
  readonly isContinued: boolean
  /** False where unbound wrote behind it that it is not believed. */
  readonly isTrusted: boolean
  readonly fault: string | null
}

function* fromStatements(text: string): Generator<RecordText> {
  for (const record of recordsOfStatements(text)) yield { ...record, isContinued: false, isTrusted: true }
}

/** Records of a zone file as words (RFC 1035 §5.1): a line each, or several within parentheses. Quotes are not known: none of our types has them. */
function* recordsOf(text: string): Generator<RecordText> {
  let tokens: string[] = []
  let line = 0
  let isContinued = false
  let isTrusted = true
  let depth = 0
  const faulty = (fault: string) => ({ line, tokens, isContinued, isTrusted, fault })
  for (const [index, content] of text.split(/\r\n|\r|\n/).entries()) {
    const words = content.replace(/;.*/s, '').match(/[()]|[^\s()]+/g) ?? []
    if (tokens.length === 0 && depth === 0) {
      line = index + 1
      isContinued = /^\s/.test(content)
      isTrusted = true
    }
    const state = /;;state=([0-9])/.exec(content)?.[1]
    if (state !== undefined) isTrusted = trustedStates.includes(state)
    for (const word of words) {
      if (word === '(') depth++
      else if (word === ')') depth--
      else tokens.push(word)
      if (depth < 0 || depth > 1) return yield faulty('Parentheses do not match.')
    }
    if (tokens.length === 0 || depth > 0) continue
    yield { line, tokens, isContinued, isTrusted, fault: null }
    tokens = []
  }
  if (depth > 0) yield faulty('The record has no closing parenthesis.')
}

function readNumber(text: string | undefined, most: number): number | null {
  return text !== undefined && /^[0-9]{1,5}$/.test(text) && Number(text) <= most ? Number(text) : null
}

function isBase64(text: string): boolean {
  return text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

function rootAnchor(keyTag: number, digest: string): TrustAnchor {
  return {
    kind: 'ds',
    zone: [],
    ds: { keyTag, algorithm: 8, digestType: 2, digest: Uint8Array.from(Buffer.from(digest, 'hex')) },
  }
}

/** Of unbound: VALID, and MISSING, which is still believed. */
const trustedStates = ['2', '3']
const notAnAnchor = 'Only DS and DNSKEY records are anchors.'
