import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { visible } from './visible.ts'

describe('text from outside is shown without its power over a terminal', () => {
  test.each([
    ['plain words', 'plain words'],
    ['Grüße, 世界 👋', 'Grüße, 世界 👋'],
    ['\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
    ['one\r\ntwo', 'one\\r\\ntwo'],
    ['tab\there', 'tab\\there'],
    ['\x00\x07\x7f', '\\x00\\x07\\x7f'],
    ['C1: \x85\x9b31m', 'C1: \\x85\\x9b31m'],
    ['\u202egpj.exe', '\\u202egpj.exe'],
    ['\u2066a\u2069 \u200e\u200f \u061c', '\\u2066a\\u2069 \\u200e\\u200f \\u061c'],
    ['zero\u200bwidth\u200d\ufeff', 'zero\\u200bwidth\\u200d\\ufeff'],
    ['soft\u00adhyphen', 'soft\\xadhyphen'],
    ['line\u2028paragraph\u2029', 'line\\u2028paragraph\\u2029'],
    ['half \ud800 pair \udc00', 'half \\ud800 pair \\udc00'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['a \\x1b in letters stays', 'a \\x1b in letters stays'],
  ])('%j', (text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  test('bytes are UTF-8, or shown one by one', () => {
    expect(visible(new TextEncoder().encode('Grüße\x1b'))).toBe('Grüße\\x1b')
    expect(visible(Uint8Array.of(0x47, 0xfc, 0x0a))).toBe('G\\xfc\\n')
    expect(visible(Uint8Array.of(0xe2, 0x82))).toBe('\\xe2\\x82')
  })
})

describe('marks stacked on one character', () => {
  const acute = '\u0301'
  test.each<readonly [what: string, text: string, shown: string]>([
    ['eight stay', `a${acute.repeat(8)}b`, `a${acute.repeat(8)}b`],
    ['the ninth is escaped, and all behind it', `a${acute.repeat(10)}b`, `a${acute.repeat(8)}\\u0301\\u0301b`],
    ['of whatever kind', `a${acute.repeat(7)}\u0334\u20dd\u0903`, `a${acute.repeat(7)}\u0334\\u20dd\\u0903`],
    ['each character has its own', `a${acute.repeat(8)}`.repeat(3), `a${acute.repeat(8)}`.repeat(3)],
    ['a joiner between them is not one', `a${acute.repeat(8)}\u034f${acute}`, `a${acute.repeat(8)}\\u034f\\u0301`],
    ['words of languages with many', 'Tiếng Việt, בְּרֵאשִׁ֖ית, กิ๊, བརྒྱུད', 'Tiếng Việt, בְּרֵאשִׁ֖ית, กิ๊, བརྒྱུད'],
  ])('%s', (_, text, shown) => {
    expect(visible(text)).toBe(shown)
    expect(visible(shown)).toBe(shown)
  })

  test('however many there are, and however long a text may be', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(acute, '\u0334', '\u034f', '\u200d', 'a', '\x1b'), { maxLength: 200 }),
        parts => {
          const shown = visible(parts.join(''), 500)
          expect(shown).not.toMatch(/\p{M}{9}/u)
          expect(visible(shown, 500)).toBe(shown)
        },
      ),
    )
  })
})

describe('length is bounded', () => {
  test('a long text ends in an ellipsis', () => {
    expect(visible('abcdefgh', 5)).toBe('abcd…')
    expect(visible('abcde', 5)).toBe('abcde')
    expect(visible(new TextEncoder().encode('ü'.repeat(1000)), 5)).toBe('üüüü…')
  })

  test('neither an escape nor a surrogate pair is cut in two', () => {
    expect(visible('ab\x1bcd', 5)).toBe('ab…')
    expect(visible('ab👋cd', 4)).toBe('ab…')
  })

  test('whatever comes in: bounded, harmless, and the same when shown twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 1, max: 50 }), (text, max) => {
        const shown = visible(text, max)
        expect(shown.length).toBeLessThanOrEqual(max)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u)
        expect(visible(shown, max)).toBe(shown)
      }),
    )
  })

  test('whatever bytes come in, it does not throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 60 }), (bytes, max) => {
        expect(visible(bytes, max).length).toBeLessThanOrEqual(max)
      }),
    )
  })
})
