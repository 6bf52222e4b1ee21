import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bitString, children, nullValue, oid, sequence } from '../../../test/certificates/der.ts'
import { keyOf } from '../../../test/certificates/keys.ts'
import { makeAuthority, makeLeaf } from '../../../test/certificates/maker.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { associationOf, createTlsa, parseTlsa, readTlsaRdata, standings, tlsaText, usability } from './tlsa.ts'
import type { Tlsa } from './types.ts'

const sha256 = 'ab'.repeat(32)
const sha512 = 'cd'.repeat(64)
const made = makeLeaf({ issuer: makeAuthority({ subject: 'CN=Test Root', key: keyOf('root') }) })
const certificate = certificateOf(made.der)

/** Keys to OpenSSL, and none that we verify with. */
const oddKeys = {
  rsa: sequence(
    sequence(oid('1.2.840.113549.1.1.1'), oid('1.2.3')),
    children(keyOf('odd', 'rsa-2048').spki)[1] ?? nullValue,
  ),
  ec: sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bitString(Buffer.alloc(65, 6))),
  bits: sequence(sequence(oid('1.2.840.113549.1.1.1')), bitString(Buffer.of(0x80), 7)),
}

function certificateOf(der: Uint8Array) {
  const read = parseCertificate(der)
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return read.certificate
}

function record(text: string): Tlsa {
  const parsed = parseTlsa(text)
  if (parsed.kind !== 'record') throw new Error(parsed.says)
  return parsed.record
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test.each<[string, string]>([
  ['2 1 1 8d02', '2 1 1 8d02'],
  ['2 1 1 8D02', '2 1 1 8d02'],
  ['  2\t1  1\r\n 8d 0 2  ', '2 1 1 8d02'],
  ['3 1 1 ( 8d02\n\t505c )', '3 1 1 8d02505c'],
  ['3 1 1(8d02)(505c)', '3 1 1 8d02505c'],
  ['( 3 1 1 8d02 )', '3 1 1 8d02'],
  ['3 1 1 ((8d)(02))', '3 1 1 8d02'],
  ['255 254 253 00', '255 254 253 00'],
  ['003 001 001 ff', '3 1 1 ff'],
  ['0 0 0 1', ''],
])('%j is the record %j', (text, expected) => {
  const parsed = parseTlsa(text)
  expect(parsed.kind === 'record' ? tlsaText(parsed.record) : '').toBe(expected)
})

test.each<[string, RegExp]>([
  ['', /ends before its certificate usage/],
  ['   ', /ends before its certificate usage/],
  ['3', /ends before its selector/],
  ['3 1', /ends before its matching type/],
  ['3 1 1', /no data/],
  ['3 1 1 ()', /no data/],
  ['256 1 1 ab', /certificate usage .* 0 to 255/],
  ['3 999 1 ab', /selector .* 0 to 255/],
  ['3 1 0001 ab', /matching type .* 0 to 255/],
  ['3 1 -1 ab', /matching type .* 0 to 255/],
  ['3 +1 1 ab', /selector .* 0 to 255/],
  ['3 1.0 1 ab', /selector .* 0 to 255/],
  ['3 0x1 1 ab', /selector .* 0 to 255/],
  ['٣ 1 1 ab', /certificate usage .* 0 to 255/],
  ['3,1,1,ab', /certificate usage .* 0 to 255/],
  ['DANE-EE SPKI SHA2-256 ab', /certificate usage .* 0 to 255/],
  ['_25._tcp.mx.example. IN TLSA 3 1 1 ab', /certificate usage .* 0 to 255/],
  ['3 1 1 xy', /hexadecimal/],
  ['3 1 1 0xab', /hexadecimal/],
  ['3 1 1 ab:cd', /hexadecimal/],
  ['3 1 1 ab ; comment', /hexadecimal/],
  ['3 1 1 ab\u00a0cd', /hexadecimal/],
  ['3 1 1 ab\0', /hexadecimal/],
  ['3 1 1 abc', /odd number/],
  ['3 1 1 (ab', /not balanced/],
  ['3 1 1 ab)', /not balanced/],
  ['3 1 1 )ab(', /not balanced/],
  [`3 1 0 ${'00'.repeat(65_533)}`, /65,532 octets/],
  [`3 1 0 ${' '.repeat(300_000)}ab`, /65,532 octets/],
])('%.60j is no record, and a sentence says why', (text, says) => {
  const parsed = parseTlsa(text)
  expect(parsed.kind === 'fault' ? parsed.says : 'a record').toMatch(says)
  expect(parsed.kind === 'fault' ? parsed.says : '').toMatch(/^[A-Z].*\.$/s)
})

test('the longest data that RDATA can hold are a record', () => {
  expect(record(`3 1 0 ${'00'.repeat(65_532)}`).data).toHaveLength(65_532)
})

test('wherever a record is cut, there is a shorter record or a fault, and never a throw', () => {
  const text = `2 1 1 ( ${sha256.slice(0, 32)}\n ${sha256.slice(32)} )`
  for (let cut = 0; cut < text.length; cut++)
    expect(parseTlsa(text.slice(0, cut)).kind, `cut at ${cut}`).toBe('fault')
  const flat = `2 1 1 ${sha256}`
  for (let cut = 8; cut <= flat.length; cut++)
    expect(parseTlsa(flat.slice(0, cut)).kind, `cut at ${cut}`).toBe(cut % 2 === 0 ? 'record' : 'fault')
})

test('whatever text is changed anywhere, what comes out as a record comes back from its own text', () => {
  const text = `2 1 1 ( ${sha256} )`
  for (let at = 0; at < text.length; at++)
    for (const odd of ['', '\0', ' ', '(', ')', '9', 'f', 'g', '-', '\u00e9', '\ud800']) {
      const parsed = parseTlsa(text.slice(0, at) + odd + text.slice(at + 1))
      if (parsed.kind === 'record') expect(parseTlsa(tlsaText(parsed.record))).toEqual(parsed)
    }
})

test('RDATA is three octets and the rest', () => {
  expect(readTlsaRdata(Uint8Array.of(2, 1, 1, 0x8d, 0x02))).toEqual(record('2 1 1 8d02'))
  expect(readTlsaRdata(Uint8Array.of(2, 1, 1))).toEqual({
    ...{ usage: 2, selector: 1, matchingType: 1 },
    data: new Uint8Array(),
  })
  for (const short of [[], [2], [2, 1]]) expect(readTlsaRdata(Uint8Array.from(short))).toBe('malformed')
})

test.each<[string, string | null]>([
  [`2 0 1 ${sha256}`, null],
  [`2 0 2 ${sha512}`, null],
  [`2 1 1 ${sha256}`, null],
  [`2 1 2 ${sha512}`, null],
  [`3 0 1 ${sha256}`, null],
  [`3 1 2 ${sha512}`, null],
  [`3 0 0 ${hex(made.der)}`, null],
  [`2 0 0 ${hex(made.der)}`, null],
  [`2 1 0 ${hex(made.key.spki)}`, null],
  [`3 1 0 ${hex(made.key.spki)}`, null],
  [`0 1 1 ${sha256}`, 'usage-for-pkix'],
  [`1 0 0 ${hex(made.der)}`, 'usage-for-pkix'],
  [`4 1 1 ${sha256}`, 'usage-unknown'],
  [`255 255 255 00`, 'usage-unknown'],
  [`3 2 1 ${sha256}`, 'selector-unknown'],
  [`3 255 0 ${hex(made.der)}`, 'selector-unknown'],
  [`3 1 3 ${sha256}`, 'matching-type-unknown'],
  [`2 0 255 ${sha512}`, 'matching-type-unknown'],
  [`3 1 1 ${sha256.slice(2)}`, 'digest-length'],
  [`3 1 1 ${sha256}00`, 'digest-length'],
  [`3 1 1 ${sha512}`, 'digest-length'],
  [`2 0 2 ${sha256}`, 'digest-length'],
  [`3 0 0 ${hex(made.key.spki)}`, 'data-unreadable'],
  [`2 0 0 ${hex(made.der)}00`, 'data-unreadable'],
  [`2 0 0 ${hex(made.der.subarray(1))}`, 'data-unreadable'],
  [`2 1 0 ${hex(made.der)}`, 'data-unreadable'],
  // rsaEncryption with an object identifier for parameters; a point of P-256 in hybrid form; bits that are no octets.
  [`3 1 0 ${hex(oddKeys.rsa)}`, null],
  [`2 1 0 ${hex(oddKeys.rsa)}`, null],
  [`3 1 0 ${hex(oddKeys.ec)}`, null],
  [`3 1 0 ${hex(oddKeys.bits)}`, null],
  [`3 1 0 ${hex(oddKeys.rsa)}00`, 'data-unreadable'],
  [`3 1 0 ${hex(oddKeys.rsa.subarray(2))}`, 'data-unreadable'],
  [`3 1 0 ${hex(made.key.spki.subarray(0, 40))}`, 'data-unreadable'],
  [`3 1 0 ${sha256}`, 'data-unreadable'],
])('%.40s: %s', (text, because) => {
  expect(usability(record(text))).toBe(because)
})

test('every cut of a key, odd or not, is no key', () => {
  for (const spki of [made.key.spki, ...Object.values(oddKeys)])
    for (let end = 1; end < spki.length; end++)
      expect(usability(record(`3 1 0 ${hex(spki.subarray(0, end))}`))).toBe('data-unreadable')
})

test('a record without data is no use to anybody', () => {
  for (const numbers of [
    [3, 1, 1],
    [2, 0, 0],
    [3, 1, 0],
  ]) {
    const empty = readTlsaRdata(Uint8Array.from(numbers))
    expect(empty === 'malformed' ? empty : usability(empty)).toMatch(/digest-length|data-unreadable/)
  }
})

test.each<[string, readonly string[], readonly string[]]>([
  ['SHA-512 shadows SHA-256', [`3 1 1 ${sha256}`, `3 1 2 ${sha512}`], ['shadowed', 'counts']],
  ['in any order', [`3 1 2 ${sha512}`, `3 1 1 ${sha256}`], ['counts', 'shadowed']],
  [
    'every weaker one',
    [`2 0 1 ${sha256}`, `2 0 2 ${sha512}`, `2 0 1 ${sha256}`],
    ['shadowed', 'counts', 'shadowed'],
  ],
  ['not under another selector', [`3 1 1 ${sha256}`, `3 0 2 ${sha512}`], ['counts', 'counts']],
  ['not under another usage', [`2 1 1 ${sha256}`, `3 1 2 ${sha512}`], ['counts', 'counts']],
  ['whole octets are not shadowed', [`3 1 0 ${hex(made.key.spki)}`, `3 1 2 ${sha512}`], ['counts', 'counts']],
  ['and do not shadow', [`3 1 0 ${hex(made.key.spki)}`, `3 1 1 ${sha256}`], ['counts', 'counts']],
  ['an unusable record does not shadow', [`3 1 1 ${sha256}`, `3 1 2 ${sha256}`], ['counts', 'unusable']],
  ['an unknown digest is not strong', [`3 1 1 ${sha256}`, `3 1 3 ${sha512}`], ['counts', 'unusable']],
  ['usages of PKIX shadow nothing', [`1 1 1 ${sha256}`, `1 1 2 ${sha512}`], ['unusable', 'unusable']],
])('digest agility: %s', (_, texts, states) => {
  const found = standings(texts.map(record))
  expect(found.map(({ state }) => state)).toEqual(states)
  for (const { state, because } of found) {
    if (state === 'counts') expect(because).toBeNull()
    if (state === 'shadowed') expect(because).toBe('stronger-digest-published')
  }
})

test('an association is what the selector takes, whole or digested', () => {
  const spki = made.key.spki
  const digest = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest('hex')
  const found = (selector: number, matchingType: number) => {
    const association = associationOf(certificate, selector, matchingType)
    return association === null ? null : hex(association)
  }
  expect(found(0, 0)).toBe(hex(made.der))
  expect(found(0, 1)).toBe(digest('sha256', made.der))
  expect(found(0, 2)).toBe(digest('sha512', made.der))
  expect(found(1, 0)).toBe(hex(spki))
  expect(found(1, 1)).toBe(digest('sha256', spki))
  expect(found(1, 2)).toBe(digest('sha512', spki))
  expect(found(2, 1)).toBeNull()
  expect(found(0, 3)).toBeNull()
})

test('records are made for each combination that is asked for, and are usable', () => {
  const records = createTlsa(certificate, { usages: [2, 3], selectors: [0, 1], matchingTypes: [0, 1, 2] })
  expect(records.map(({ usage, selector, matchingType }) => `${usage}${selector}${matchingType}`).join(' ')).toBe(
    '200 201 202 210 211 212 300 301 302 310 311 312',
  )
  for (const each of records) {
    expect(usability(each)).toBeNull()
    expect(record(tlsaText(each))).toEqual(each)
  }
  expect(() => createTlsa(certificate, { usages: [3], selectors: [2], matchingTypes: [1] })).toThrow(RangeError)
  expect(() => createTlsa(certificate, { usages: [256], selectors: [1], matchingTypes: [1] })).toThrow(RangeError)
})
