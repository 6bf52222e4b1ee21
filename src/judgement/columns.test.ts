import { describe, expect, test } from 'vitest'
import { columnsOf, pageColumns, wrapped } from './columns.ts'

test.each<[string, number]>([
  ['', 0],
  ['mx.example', 10],
  ['bücher', 6],
  ['u\u0308', 1],
  ['日本語', 6],
  ['한국어', 6],
  ['ﾊﾝｶｸ', 4],
  ['ＦＵＬＬ', 8],
  ['🙂', 2],
  ['𠀀', 2],
  ['Привет', 6],
])('%j takes %i columns', (text, columns) => {
  expect(columnsOf(text)).toBe(columns)
})

describe('lines keep to the page', () => {
  test.each([
    ['words of a wide script', '証明書 '.repeat(80)],
    ['one word of it', '証'.repeat(333)],
    ['a word that begins in the last column', `${'x'.repeat(95)} ${'書'.repeat(60)}`],
    ['surrogates, which are never halved', '𠀀'.repeat(101)],
    ['marks', 'e\u0301'.repeat(250)],
  ])('%s', (_title, text) => {
    for (const first of ['', '  label ', '   0  ']) {
      const lines = wrapped(text, first, '    ')
      for (const line of lines) {
        expect(columnsOf(line)).toBeLessThanOrEqual(pageColumns)
        expect(line).not.toMatch(/[\ud800-\udbff]$/)
      }
      expect(lines.join('').replaceAll(' ', '')).toBe(`${first}${text}`.replaceAll(' ', ''))
    }
  })
})
