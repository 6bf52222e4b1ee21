import { expect, test, vi } from 'vitest'
import {
  commonNames,
  emailAddresses,
  isEmptyName,
  isWithin,
  mayBeWithin,
  nameKey,
  nameText,
  sameName,
} from './distinguished-name.ts'
import type { DistinguishedName } from './model.ts'
import { commonName, hex, ia5, name, oid, printable, sequence, set, text, utf8 } from './testing/der.ts'

const cn = '2.5.4.3'
const organization = '2.5.4.10'
const country = '2.5.4.6'
const domainComponent = '0.9.2342.19200300.100.1.25'
const email = '1.2.840.113549.1.9.1'
const teletex = 0x14
const bmp = 0x1e
const universal = 0x1c

const texts: readonly (readonly [text: string, der: Buffer])[] = [
  ['', name()],
  // RFC 4514 §4.
  [
    'UID=jsmith,DC=example,DC=net',
    name(
      [[domainComponent, ia5('net')]],
      [[domainComponent, ia5('example')]],
      [['0.9.2342.19200300.100.1.1', utf8('jsmith')]],
    ),
  ],
  [
    'OU=Sales+CN=J.  Smith,DC=net',
    name(
      [[domainComponent, ia5('net')]],
      [
        ['2.5.4.11', utf8('Sales')],
        [cn, utf8('J.  Smith')],
      ],
    ),
  ],
  ['CN=James \\"Jim\\" Smith\\, III', commonName('James "Jim" Smith, III')],
  ['CN=Before\rAfter', commonName('Before\rAfter')],
  ['1.3.6.1.4.1.1466.0=#04024869', name([['1.3.6.1.4.1.1466.0', hex('04024869')]])],
  ['CN=Lučić', commonName('Lučić')],
  ['C=DE,emailAddress=a@b', name([[email, ia5('a@b')]], [[country, printable('DE')]])],
  ['CN=\\ a\\ ', commonName(' a ')],
  ['CN=\\ ', commonName(' ')],
  ['CN=\\#a#', commonName('#a#')],
  ['CN=\\+\\;\\<\\>\\\\=', commonName('+;<>\\=')],
  ['CN=a\\00b', commonName('a\0b')],
]

test.each(texts)('a name is written %j', (written, der) => {
  expect(nameText(named(der))).toBe(written)
})

test.each<readonly [value: Buffer, written: string]>([
  [hex('14065afc72696368'), 'Zürich'],
  [hex('1e0400410161'), 'Aš'],
  [hex('1e03004101'), '#1e03004101'],
  [hex('1e02d800'), '#1e02d800'],
  [hex('0c02c328'), '#0c02c328'],
  [hex('130261ff'), '#130261ff'],
  [hex('1c08000000410001f44b'), 'A👋'],
  [hex('1c0500000041ff'), '#1c0500000041ff'],
  [hex('1c040000d800'), '#1c040000d800'],
  [hex('1c0400110000'), '#1c0400110000'],
  [hex('3000'), '#3000'],
])('the value %j is written as the text it is, or as its octets', (value, written) => {
  expect(nameText(named(name([[cn, value]])))).toBe(`CN=${written}`)
})

test('a long name ends in an ellipsis, whatever makes it long', () => {
  const long = [
    commonName('a'.repeat(100_000)),
    name([[cn, Buffer.concat([hex('04820fff'), Buffer.alloc(0xfff)])]]),
    name(...Array.from({ length: 1_000 }, () => [[cn, utf8('abc')] as const])),
    name(Array.from({ length: 1_000 }, () => [cn, utf8('abc')] as const)),
  ]
  for (const der of long) {
    expect(nameText(named(der)).length).toBeLessThanOrEqual(1_001)
    expect(nameText(named(der))).toMatch(/…$/)
  }
})

test('the text of a name is made once, however often it is asked for', () => {
  const subject = named(commonName('Lučić'))
  const decode = vi.spyOn(TextDecoder.prototype, 'decode')
  for (let round = 0; round < 100; round++) expect(nameText(subject)).toBe('CN=Lučić')
  const { length } = decode.mock.calls
  decode.mockRestore()
  expect(length).toBe(1)
})

const marks = '\u0301'.repeat(31)

const pairs: readonly (readonly [what: string, one: Buffer, other: Buffer, areSame: boolean])[] = [
  ['the same octets', commonName('a'), commonName('a'), true],
  ['case', commonName('Example CA'), commonName('EXAMPLE ca'), true],
  ['spaces', commonName('  Example   CA '), commonName('Example CA'), true],
  ['PrintableString and UTF8String', name([[cn, printable('Example')]]), commonName('example'), true],
  ['IA5String and UTF8String', name([[email, ia5('A@B')]]), name([[email, utf8('a@b')]]), true],
  ['case beyond ASCII', commonName('ÉCOLE'), commonName('école'), true],
  ['composed and decomposed letters', commonName('\u00e9'), commonName('e\u0301'), true],
  ['a soft hyphen', commonName('exam\u00adple'), commonName('example'), true],
  ['a line break and a space', commonName('a\nb'), commonName('a b'), true],
  [
    'the order within a relative name',
    name([
      [cn, utf8('a')],
      [organization, utf8('b')],
    ]),
    name([
      [organization, utf8('B')],
      [cn, utf8('A')],
    ]),
    true,
  ],
  ['other values', commonName('a'), commonName('b'), false],
  ['other attributes', commonName('a'), name([[organization, utf8('a')]]), false],
  [
    'another order',
    name([[cn, utf8('a')]], [[organization, utf8('b')]]),
    name([[organization, utf8('b')]], [[cn, utf8('a')]]),
    false,
  ],
  [
    'two relative names and one',
    name([[cn, utf8('a')]], [[organization, utf8('b')]]),
    name([
      [cn, utf8('a')],
      [organization, utf8('b')],
    ]),
    false,
  ],
  ['one more', name([[cn, utf8('a')]]), name([[cn, utf8('a')]], [[cn, utf8('a')]]), false],
  ['a space inside', commonName('ab'), commonName('a b'), false],
  ['TeletexString of another case', name([[cn, text(teletex, 'A')]]), name([[cn, text(teletex, 'a')]]), false],
  ['TeletexString and UTF8String', name([[cn, text(teletex, 'a')]]), commonName('a'), false],
  ['BMPString and UTF8String', name([[cn, text(bmp, '\0a')]]), commonName('a'), false],
  [
    'a value that looks like two attributes',
    commonName('a\u00002.5.4.3:2=b'),
    name([
      [cn, utf8('a')],
      [cn, utf8('b')],
    ]),
    false,
  ],
  [
    'case beside thirty marks in a row',
    commonName(`A${'\u0301'.repeat(30)}`),
    commonName(`a${'\u0301'.repeat(30)}`),
    true,
  ],
  ['case beside more marks than any language has', commonName(`A${marks}`), commonName(`a${marks}`), false],
  ['nothing, with more marks than any language has', commonName(`a${marks}`), commonName(`a${marks}`), true],
  [
    'type, with more marks than any language has',
    commonName(`a${marks}`),
    name([[cn, text(bmp, `\0a${'\u0003\u0001'.repeat(31)}`)]]),
    false,
  ],
  ['octets that look like text', name([[cn, hex('0c02c328')]]), commonName('#12:\u00c3('), false],
  ['empty names', name(), name(), true],
  ['unreadable names of the same octets', sequence(set()), sequence(set()), true],
  ['unreadable names', sequence(set()), sequence(set(), set()), false],
]

test.each(pairs)('names that differ by %s are the same, or not', (_, one, other, areSame) => {
  expect(sameName(named(one), named(other))).toBe(areSame)
  expect(sameName(named(other), named(one))).toBe(areSame)
  const keys = [nameKey(named(one)), nameKey(named(other))]
  if (keys[0] !== null) expect(keys[0] === keys[1]).toBe(areSame)
})

test.each<readonly [what: string, subtree: Buffer, below: Buffer, isBelow: boolean]>([
  ['itself', commonName('a'), commonName('A'), true],
  [
    'with more behind',
    name([[country, printable('DE')]]),
    name([[country, printable('de')]], [[cn, utf8('a')]]),
    true,
  ],
  ['below the root of all', name(), commonName('a'), true],
  ['with less', name([[country, printable('DE')]], [[cn, utf8('a')]]), name([[country, printable('DE')]]), false],
  [
    'in another tree',
    name([[country, printable('DE')]]),
    name([[country, printable('FR')]], [[cn, utf8('a')]]),
    false,
  ],
  ['with the same at the end', commonName('a'), name([[country, printable('DE')]], [[cn, utf8('a')]]), false],
  [
    'with half a relative name',
    name([[country, printable('DE')]]),
    name([
      [country, printable('DE')],
      [cn, utf8('a')],
    ]),
    false,
  ],
  ['that is unreadable', sequence(set()), sequence(set()), false],
])('a name %s is within the subtree, or not', (_, subtree, below, isBelow) => {
  expect(isWithin(named(subtree), named(below))).toBe(isBelow)
})

test.each<readonly [what: string, value: Buffer, mayBe: boolean]>([
  ['in another case', printable('eVIL'), true],
  ['as TeletexString', text(teletex, 'Evil'), true],
  ['as BMPString', text(bmp, '\0E\0v\0i\0l'), true],
  ['as UniversalString', text(universal, '\0\0\0E\0\0\0v\0\0\0i\0\0\0l'), true],
  ['as VisibleString', text(0x1a, 'EVIL'), true],
  ['as NumericString, which it cannot be', text(0x12, 'Evil'), true],
  ['as GeneralString, which nobody reads', text(0x1b, 'Evil'), true],
  ['as octets', hex('04044576696c'), true],
  ['as text that is not of its type', hex('0c02c328'), true],
  ['under marks that nobody can prepare', utf8(`Evil${marks}`), true],
  ['otherwise', utf8('Good'), false],
  ['otherwise, as TeletexString', text(teletex, 'Good'), false],
  ['otherwise, as BMPString', text(bmp, '\0G\0o\0o\0d'), false],
])('a value written %s may be taken for the one of the subtree, or not', (_, value, mayBe) => {
  const subtree = named(name([[organization, utf8('Evil')]]))
  expect(mayBeWithin(subtree, named(name([[organization, value]], [[cn, utf8('mx')]])))).toBe(mayBe)
  expect(mayBeWithin(subtree, named(name([[cn, value]])))).toBe(false)
})

test.each<readonly [what: string, subtree: Buffer, below: Buffer, mayBe: boolean]>([
  [
    'values of one type that is no text differ',
    name([[cn, hex('03020780')]]),
    name([[cn, hex('03020740')]]),
    false,
  ],
  [
    'one relative name has more attributes',
    name([[cn, utf8('a')]]),
    name([
      [cn, utf8('a')],
      [country, printable('DE')],
    ]),
    false,
  ],
  [
    'a type comes twice',
    name([[cn, utf8('a')]]),
    name([
      [cn, utf8('b')],
      [cn, utf8('c')],
    ]),
    true,
  ],
  ['everything is below the empty name', name(), commonName('a'), true],
  ['the subtree is longer', name([[cn, utf8('a')]], [[cn, utf8('a')]]), name([[cn, utf8('a')]]), false],
  ['one cannot be read', sequence(set()), commonName('a'), false],
])('where %s', (_, subtree, below, mayBe) => {
  expect(mayBeWithin(named(subtree), named(below))).toBe(mayBe)
})

test.each<readonly [what: string, value: string]>([
  ['marks of two classes', '\u0301'.repeat(5_000) + '\u0334'.repeat(5_000)],
  ['marks that become two', '\u0344'.repeat(5_000) + '\u0334'.repeat(5_000)],
  ['marks with what is left out between them', '\u0301\u200d\u0334\u00ad'.repeat(5_000)],
  ['letters that become marks', '\u0301'.repeat(20) + '\uff9e\u0301'.repeat(5_000)],
  ['short runs of marks', `a${'\u0301\u0334'.repeat(15)}`.repeat(1_000)],
])('no run that costs the square of its length is normalized: %s', (_, value) => {
  const normalize = vi.spyOn(String.prototype, 'normalize')
  const key = nameKey(named(commonName(value)))
  const given = normalize.mock.contexts.map(String)
  normalize.mockRestore()
  expect(key).not.toBeNull()
  for (const each of given) expect(each).not.toMatch(/[\p{M}\uff9e\uff9f]{31}/u)
})

test('common names and mail addresses are found wherever they stand', () => {
  const der = name(
    [
      [cn, utf8('a')],
      [email, ia5('x@a')],
    ],
    [[organization, utf8('o')]],
    [[cn, hex('0c02c328')]],
  )
  expect(commonNames(named(der))).toEqual(['a', '#0c02c328'])
  expect(emailAddresses(named(der))).toEqual(['x@a'])
  expect(commonNames(named(sequence(set())))).toEqual([])
})

test('only the empty sequence is the empty name', () => {
  expect([isEmptyName(named(name())), isEmptyName(named(commonName('')))]).toEqual([true, false])
})

test.each<readonly [what: string, der: Buffer]>([
  ['an empty relative name', sequence(set())],
  ['a sequence in place of a set', sequence(sequence())],
  ['an attribute without value', sequence(set(sequence(oid(cn))))],
  ['an attribute of two values', sequence(set(sequence(oid(cn), utf8('a'), utf8('b'))))],
  ['something behind', Buffer.concat([name(), hex('0500')])],
  ['nothing', Buffer.alloc(0)],
])('%s makes a name unreadable', (_, der) => {
  expect(nameText(named(der))).toBe('(unreadable name)')
  expect(nameKey(named(der))).toBeNull()
})

test('every cut of a name is unreadable', () => {
  const der = name(
    [[country, printable('DE')]],
    [
      [cn, utf8('a')],
      [email, ia5('x@a')],
    ],
  )
  for (let end = 0; end < der.length; end++) expect(nameKey(named(der.subarray(0, end)))).toBeNull()
})

function named(der: Uint8Array): DistinguishedName {
  return { der }
}
