import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDotStuffing } from './dot-stuffing.ts'
import { everyCut } from './testing/transcript.ts'

function stuffed(pieces: readonly Uint8Array[]): string {
  const stuffing = createDotStuffing()
  return Buffer.concat([...pieces.map(piece => stuffing.piece(piece)), stuffing.end()]).toString('latin1')
}

/** One octet after the other, by the letter of RFC 5321 §4.5.2. */
function byTheLetter(text: string): string {
  let out = ''
  for (const [i, character] of [...text].entries()) {
    const isLineStart = i === 0 || text.slice(0, i).endsWith('\r\n')
    out += isLineStart && character === '.' ? '..' : character
  }
  if (text === '' || text.endsWith('\r\n')) return `${out}.\r\n`
  return text.endsWith('\r') ? `${out}\n.\r\n` : `${out}\r\n.\r\n`
}

test.each([
  ['', '.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['a', 'a\r\n.\r\n'],
  ['a\r', 'a\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['..\r\n.\r\n.a\r\n', '...\r\n..\r\n..a\r\n.\r\n'],
  ['a.\r\nb\r\n.\r\n', 'a.\r\nb\r\n..\r\n.\r\n'],
  ['a\n.\r.b\r\n', 'a\n.\r.b\r\n.\r\n'],
  ['\r\n.\r\n', '\r\n..\r\n.\r\n'],
])('%j goes out as %j, however it is cut', (text, expected) => {
  expect(byTheLetter(text)).toBe(expected)
  for (const pieces of everyCut(Buffer.from(text))) expect(stuffed(pieces)).toBe(expected)
})

test('any content in any cut is stuffed by the letter', () => {
  const octets = fc.array(fc.constantFrom('\r\n', '\r', '\n', '.', 'a'), { maxLength: 30 })
  fc.assert(
    fc.property(octets, fc.array(fc.nat(40)), (parts, cuts) => {
      const bytes = Buffer.from(parts.join(''))
      const places = [...new Set([0, ...cuts.map(cut => Math.min(cut, bytes.length))])].sort((a, b) => a - b)
      const pieces = places.map((from, i) => bytes.subarray(from, places[i + 1] ?? bytes.length))
      expect(stuffed(pieces)).toBe(byTheLetter(parts.join('')))
    }),
  )
})

test('where no dot is needed the very same bytes come back', () => {
  const bytes = new Uint8Array(Buffer.from('Subject: a.b\r\n\r\ntext...\r\n'))
  expect(createDotStuffing().piece(bytes)).toBe(bytes)
})

test('bytes that are given are never changed', () => {
  const bytes = Buffer.from('.a\r\n.b\r\n')
  createDotStuffing().piece(bytes)
  expect(bytes.toString()).toBe('.a\r\n.b\r\n')
})
