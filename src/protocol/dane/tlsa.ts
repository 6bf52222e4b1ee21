/**
 * TLSA records: reading, writing and making them, and which of them count (RFC 6698 §2, RFC 7671 §9, RFC 7672 §3.1).
 *
 * A record is three numbers and the association data: *usage* (3: the server's own certificate; 2: an authority above it),
 * *selector* (0: the certificate; 1: its public key), *matching type* (0: the octets themselves; 1: their SHA-256; 2: SHA-512).
 * Usages 0 and 1 ask for the public authorities as well, which mail between servers does not know (RFC 7672 §3.1.3).
 *
 * A record is *usable* when we can act on it. Among usable records of one usage and selector only the strongest digest
 * published counts, and whole octets always do: *digest agility*. Nothing here looks at a chain: judge.ts does.
 */
import { hash } from 'node:crypto'
import { parseCertificate } from '../x509/certificate.ts'
import type { Certificate, PublicKey } from '../x509/model.ts'
import { readKeyOutline } from '../x509/public-key.ts'
import type { RecordState, Tlsa, UnusableBecause } from './types.ts'

export type ParsedTlsa =
  | { readonly kind: 'record'; readonly record: Tlsa }
  /** `says`: a whole sentence for the operator. */
  | { readonly kind: 'fault'; readonly says: string }

/**
 * A record as zone files write its data (RFC 6698 §2.2): `2 1 1 8D02…`. Blanks, line ends and balanced parentheses may stand
 * anywhere between the numbers and inside the hexadecimal digits. Any numbers and any length are a record: whether it is
 * usable is another question.
 */
export function parseTlsa(text: string): ParsedTlsa {
  if (text.length > longestText)
    return fault('A TLSA record holds at most 65,532 octets of data, and this is longer.')
  if (!hasBalancedParentheses(text)) return fault('The parentheses in this TLSA record are not balanced.')
  const [usage, selector, matchingType, ...rest] = text.split(/[ \t\r\n()]+/).filter(part => part !== '')
  const numbers: number[] = []
  for (const [index, part] of [usage, selector, matchingType].entries()) {
    const what = fieldNames[index] ?? ''
    if (part === undefined) return fault(`This TLSA record ends before its ${what}.`)
    if (!/^[0-9]{1,3}$/.test(part) || Number(part) > 255)
      return fault(`The ${what} of a TLSA record is a number from 0 to 255.`)
    numbers.push(Number(part))
  }
  const digits = rest.join('')
  if (digits === '') return fault('This TLSA record has no data after its three numbers.')
  if (!/^[0-9a-fA-F]*$/.test(digits))
    return fault('The data of a TLSA record is written in hexadecimal digits, and something else stands there.')
  if (digits.length % 2 !== 0)
    return fault(
      'The data of this TLSA record has an odd number of hexadecimal digits: at least one digit is missing.',
    )
  if (digits.length / 2 > longestData)
    return fault('A TLSA record holds at most 65,532 octets of data, and this is longer.')
  const [u = 0, s = 0, m = 0] = numbers
  return {
    kind: 'record',
    record: { usage: u, selector: s, matchingType: m, data: new Uint8Array(Buffer.from(digits, 'hex')) },
  }
}

/** The record's data as one line of a zone file: `2 1 1 8d02505c…`, whole and in lower case. */
export function tlsaText(record: Tlsa): string {
  return `${record.usage} ${record.selector} ${record.matchingType} ${Buffer.from(record.data).toString('hex')}`
}

/** RDATA (RFC 6698 §2.1). Three octets without data are a record too, an unusable one; fewer are none. */
export function readTlsaRdata(rdata: Uint8Array): Tlsa | 'malformed' {
  const [usage, selector, matchingType] = rdata
  if (usage === undefined || selector === undefined || matchingType === undefined) return 'malformed'
  return { usage, selector, matchingType, data: rdata.slice(3) }
}

/** Why a client of mail cannot act on the record (RFC 6698 §4.1, RFC 7672 §3.1.3); null when it can. */
export function usability(record: Tlsa): UnusableBecause | null {
  return readRecord(record).because
}

/** A record and whether it counts beside the others; with what its data holds, where that is a certificate or key. */
export interface RecordStanding {
  readonly state: RecordState
  readonly because: UnusableBecause | 'stronger-digest-published' | null
  /** Matching type 0 and selector 0. */
  readonly certificate: Certificate | null
  /** Matching type 0 and selector 1. */
  readonly publicKey: PublicKey | null
}

/**
 * What becomes of each record of one RRset, in its order (RFC 7671 §9): unusable, shadowed by a usable record of the same
 * usage and selector with a stronger digest, or counting.
 */
export function standings(records: readonly Tlsa[]): readonly RecordStanding[] {
  const readings = records.map(readRecord)
  const strongest = new Map<string, number>()
  for (const [index, record] of records.entries()) {
    if (readings[index]?.because !== null) continue
    const key = `${record.usage} ${record.selector}`
    strongest.set(key, Math.max(record.matchingType, strongest.get(key) ?? 0))
  }
  return records.map((record, index): RecordStanding => {
    const { because, certificate, publicKey } = readings[index] ?? readRecord(record)
    if (because !== null) return { state: 'unusable', because, certificate, publicKey }
    // SHA-512 (2) is stronger than SHA-256 (1); whole octets (0) neither shadow nor are shadowed.
    const isShadowed =
      record.matchingType !== 0 && record.matchingType < (strongest.get(`${record.usage} ${record.selector}`) ?? 0)
    return isShadowed
      ? { state: 'shadowed', because: 'stronger-digest-published', certificate, publicKey }
      : { state: 'counts', because: null, certificate, publicKey }
  })
}

/**
 * What a record with these numbers holds when it names this certificate (RFC 6698 §2.1).
 * Null when a number is none that we know.
 */
export function associationOf(
  certificate: Certificate,
  selector: number,
  matchingType: number,
): Uint8Array | null {
  if (selector !== 0 && selector !== 1) return null
  const selected = selector === 0 ? certificate.der : certificate.publicKey.spki
  const algorithm = digestNames.get(matchingType)
  if (algorithm !== undefined) return new Uint8Array(hash(algorithm, selected, 'buffer'))
  return matchingType === 0 ? selected : null
}

/**
 * Records that name this certificate: one for each combination of what is asked for, in that order.
 * @throws RangeError for a selector or matching type that RFC 6698 does not define, or a usage that is no octet
 */
export function createTlsa(
  certificate: Certificate,
  wanted: {
    readonly usages: readonly number[]
    readonly selectors: readonly number[]
    readonly matchingTypes: readonly number[]
  },
): readonly Tlsa[] {
  return wanted.usages.flatMap(usage => {
    if (!Number.isInteger(usage) || usage < 0 || usage > 255)
      throw new RangeError(`no certificate usage: ${usage}`)
    return wanted.selectors.flatMap(selector =>
      wanted.matchingTypes.map(matchingType => {
        const data = associationOf(certificate, selector, matchingType)
        if (data === null) throw new RangeError(`no selector and matching type: ${selector} ${matchingType}`)
        return { usage, selector, matchingType, data }
      }),
    )
  })
}

interface RecordReading {
  readonly because: UnusableBecause | null
  readonly certificate: Certificate | null
  readonly publicKey: PublicKey | null
}

function readRecord(record: Tlsa): RecordReading {
  const nothing = { certificate: null, publicKey: null }
  if (record.usage === 0 || record.usage === 1) return { because: 'usage-for-pkix', ...nothing }
  if (record.usage !== 2 && record.usage !== 3) return { because: 'usage-unknown', ...nothing }
  if (record.selector !== 0 && record.selector !== 1) return { because: 'selector-unknown', ...nothing }
  if (record.matchingType !== 0) {
    const length = digestLengths.get(record.matchingType)
    if (length === undefined) return { because: 'matching-type-unknown', ...nothing }
    return { because: record.data.length === length ? null : 'digest-length', ...nothing }
  }
  if (record.selector === 0) {
    const read = parseCertificate(record.data)
    if (read.kind === 'malformed') return { because: 'data-unreadable', ...nothing }
    return { because: null, certificate: read.certificate, publicKey: null }
  }
  // What has the form of a key is one to somebody: OpenSSL reads keys that we do not verify with. Usage 3 compares octets, and under usage 2 a key that
  // signed nothing proves nobody; to leave the record out of account could leave the peer without any that counts.
  const publicKey = readKeyOutline(record.data)
  if (publicKey === null) return { because: 'data-unreadable', ...nothing }
  return { because: null, certificate: null, publicKey }
}

function hasBalancedParentheses(text: string): boolean {
  let open = 0
  for (const character of text) {
    if (character === '(') open++
    if (character === ')' && --open < 0) return false
  }
  return open === 0
}

function fault(says: string): ParsedTlsa {
  return { kind: 'fault', says }
}

const fieldNames = ['certificate usage', 'selector', 'matching type'] as const

const digestNames: ReadonlyMap<number, string> = new Map([
  [1, 'sha256'],
  [2, 'sha512'],
])
const digestLengths: ReadonlyMap<number, number> = new Map([
  [1, 32],
  [2, 64],
])

/** RDATA has at most 65,535 octets, three of them numbers. */
const longestData = 65_532
/** Room for every digit, and for as many blanks again. */
const longestText = 4 * longestData
