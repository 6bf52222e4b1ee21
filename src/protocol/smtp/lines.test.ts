import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLines } from './lines.ts'
import { everyCut } from './testing/transcript.ts'

function readAll(pieces: readonly Uint8Array[], limit = 10): string[] {
  const lines = createLines(limit)
  const found: string[] = []
  for (const piece of pieces) {
    lines.receive(piece)
    for (let line = lines.next(); line !== 'need-bytes'; line = lines.next())
      found.push(typeof line === 'string' ? `!${line}` : line.toString('latin1'))
  }
  return [...found, `${lines.unreadBytes} unread`]
}

test.each([
  ['a\r\nbc\r\n', ['a', 'bc', '0 unread']],
  ['\r\n\r\n', ['', '', '0 unread']],
  ['12345678\r\n', ['12345678', '0 unread']],
  ['123456789\r\nx\r\n', ['!too-long', 'x', '0 unread']],
  ['12345678901234567890\r\nx\r\n', ['!too-long', 'x', '0 unread']],
  ['a\nb\r\nc\r\n', ['!bare-lf', 'c', '0 unread']],
  ['a\rb\r\nc\r\n', ['!bare-cr', 'c', '0 unread']],
  ['a\r\r\nc\r\n', ['!bare-cr', 'c', '0 unread']],
  ['\n\r\nc\r\n', ['!bare-lf', 'c', '0 unread']],
  ['a\n12345678901234567890\r\nx\r\n', ['!bare-lf', 'x', '0 unread']],
  ['12345678901234567890\n\r\nx\r\n', ['!too-long', 'x', '0 unread']],
  ['a\r\nrest', ['a', '4 unread']],
  ['a\r\n\r', ['a', '1 unread']],
])('%j is the same lines however it is cut', (text, expected) => {
  for (const pieces of everyCut(Buffer.from(text, 'latin1'))) expect(readAll(pieces)).toEqual(expected)
})

test('any octets in any cut give the same lines', () => {
  const octets = fc.array(fc.constantFrom(13, 10, 46, 65, 0, 200), { maxLength: 40 })
  fc.assert(
    fc.property(octets, fc.array(fc.nat(40)), (bytes, cuts) => {
      const whole = Uint8Array.from(bytes)
      const places = [...new Set([0, ...cuts.map(cut => Math.min(cut, whole.length)), whole.length])].sort(
        (a, b) => a - b,
      )
      const pieces = places.map((from, i) => whole.subarray(from, places[i + 1] ?? whole.length))
      expect(readAll(pieces)).toEqual(readAll([whole]))
    }),
  )
})

test('of an endless line no more is kept than the limit', () => {
  const lines = createLines(1_000)
  const chunk = Buffer.alloc(100_000, 'x')
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 2_000; i++) {
    lines.receive(chunk)
    expect(lines.next()).toBe('need-bytes')
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
  expect(lines.unfinishedFault).toBe('too-long')
  lines.receive(Buffer.from('\r\nok\r\n'))
  expect(lines.next()).toBe('too-long')
  expect(String(lines.next())).toBe('ok')
})

test('what is not a line can be taken as it is, behind the lines that were read', () => {
  const lines = createLines(100)
  lines.receive(Buffer.from('DATA\r\nabc'))
  expect(String(lines.next())).toBe('DATA')
  expect(lines.firstByte()).toBe(97)
  expect(String(lines.peek())).toBe('abc')
  lines.skip(2)
  expect(String(lines.peek())).toBe('c')
  lines.skip(1)
  expect(lines.peek()).toBeNull()
  expect(lines.firstByte()).toBe(-1)
})

test('what is wrong with a line is known before its end comes', () => {
  const lines = createLines(100)
  lines.receive(Buffer.from('a\r'))
  expect(lines.next()).toBe('need-bytes')
  expect(lines.unfinishedFault).toBeNull()
  lines.receive(Buffer.from('b'))
  expect(lines.next()).toBe('need-bytes')
  expect(lines.unfinishedFault).toBe('bare-cr')
})
