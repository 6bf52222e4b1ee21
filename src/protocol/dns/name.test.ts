import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  equalNames,
  formatName,
  isAtOrBelow,
  isHostName,
  type Name,
  nameKey,
  parseName,
  wireLength,
} from './name.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const name = (text: string): Name => {
  const parsed = parseName(text)
  if (parsed === null) throw new Error(text)
  return parsed
}
const anyName = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 20 })
  .filter(labels => wireLength(labels) <= 255)

test.each<[string, string[]]>([
  ['', []],
  ['.', []],
  ['example.org', ['example', 'org']],
  ['Example.ORG.', ['Example', 'ORG']],
  ['a\\.b.c', ['a.b', 'c']],
  ['a\\\\b', ['a\\b']],
  ['\\065\\000', ['A\0']],
  ['*._tcp', ['*', '_tcp']],
])('%j has the labels %j', (text, labels) => expect(parseName(text)).toEqual(labels.map(bytes)))

test.each([
  '..',
  '.a',
  'a..b',
  'a\\',
  'a\\25',
  'a\\256',
  'a\\2x5',
  'a b',
  'ä',
  'a\0',
  'a\n',
  `${'x'.repeat(64)}.org`,
  'a\\é',
])('%j is no name', text => expect(parseName(text)).toBeNull())

test('a name takes 255 bytes on the wire and no more', () => {
  const label = 'x'.repeat(61)
  const longest = [label, label, label, label, 'xxxxx'].join('.')
  expect(wireLength(name(longest))).toBe(255)
  expect(parseName(`${longest}x`)).toBeNull()
  expect(parseName(`a.${longest}`)).toBeNull()
  expect(parseName('a.'.repeat(127))).not.toBeNull()
  expect(parseName('a.'.repeat(128))).toBeNull()
})

test('text and labels undo each other, whatever the bytes', () => {
  fc.assert(
    fc.property(anyName, labels => {
      const text = formatName(labels)
      expect(text).toMatch(/^[\x21-\x7e]*$/)
      expect(parseName(text)).toEqual(labels)
      expect(parseName(`${text}.`)).toEqual(labels)
    }),
  )
})

test('keys are equal exactly when names are', () => {
  const fewBytes = fc.array(
    fc
      .array(fc.constantFrom(...bytes('aAzZ@`[{.')), { minLength: 1, maxLength: 3 })
      .map(list => Uint8Array.from(list)),
    { maxLength: 2 },
  )
  fc.assert(
    fc.property(fewBytes, fewBytes, (one, other) => {
      expect(nameKey(one) === nameKey(other)).toBe(equalNames(one, other))
    }),
    { numRuns: 1000 },
  )
})

test('only ASCII letters are the same in both cases', () => {
  expect(equalNames(name('EXAMPLE.org'), name('example.ORG'))).toBe(true)
  expect(equalNames(name('a@'), name('a`'))).toBe(false)
  expect(equalNames([Uint8Array.of(0xc0)], [Uint8Array.of(0xe0)])).toBe(false)
  expect(equalNames(name('a.b'), name('a\\.b'))).toBe(false)
})

test('a name is at or below its own parents only', () => {
  expect(isAtOrBelow(name('mx.Example.org'), name('example.ORG'))).toBe(true)
  expect(isAtOrBelow(name('example.org'), name('example.org'))).toBe(true)
  expect(isAtOrBelow(name('org'), [])).toBe(true)
  expect(isAtOrBelow(name('badexample.org'), name('example.org'))).toBe(false)
  expect(isAtOrBelow(name('org'), name('example.org'))).toBe(false)
})

describe('a host name', () => {
  test.each(['mx.example.org', 'MX1', 'a-b.example', 'under_score.example', 'xn--bcher-kva.example', '1.example'])(
    'can be %s',
    text => expect(isHostName(name(text))).toBe(true),
  )
  test.each([
    '',
    '192.0.2.1',
    '-a.example',
    'a-.example',
    '*.example',
    'a\\.b.example',
    'a\\032b',
    '\\228.example',
    'a.0',
  ])('cannot be %j', text => expect(isHostName(name(text))).toBe(false))
})
