import { expect, test } from 'vitest'
import { createReplyReader, maxReplyLineBytes, maxReplyLines } from './reply-reader.ts'
import { everyCut } from './testing/transcript.ts'

function readAll(pieces: readonly Uint8Array[]): unknown[] {
  const reader = createReplyReader()
  const found: unknown[] = []
  for (const piece of pieces) {
    reader.receive(piece)
    for (let read = reader.next(); read !== 'need-bytes'; read = reader.next()) {
      if ('fault' in read) return [...found, read.fault.kind]
      const { code, enhanced, lines } = read.reply
      found.push([code, enhanced, ...lines])
    }
  }
  return found
}

test.each<[string, unknown[]]>([
  ['250 ok\r\n', [[250, null, 'ok']]],
  ['250\r\n', [[250, null, '']]],
  ['250 \r\n', [[250, null, '']]],
  ['250-a\r\n250-b\r\n250 c\r\n', [[250, null, 'a', 'b', 'c']]],
  ['250-a\r\n250\r\n', [[250, null, 'a', '']]],
  [
    '250 2.1.0 Ok\r\n550 5.1.1 No\r\n',
    [
      [250, '2.1.0', 'Ok'],
      [550, '5.1.1', 'No'],
    ],
  ],
  ['550-5.7.1 a\r\n550-5.7.1\r\n550 b\r\n', [[550, '5.7.1', 'a', '', 'b']]],
  ['550 5.7.123 a\r\n', [[550, '5.7.123', 'a']]],
  // Not of the reply's class, or not a code at all: it is text.
  ['550 4.7.1 a\r\n', [[550, null, '4.7.1 a']]],
  ['250 2.0.0Ok\r\n', [[250, null, '2.0.0Ok']]],
  ['354 3.0.0 go\r\n', [[354, null, '3.0.0 go']]],
  ['299 new code\r\n', [[299, null, 'new code']]],
  ['250 gr\xc3\xbc\xc3\x9fe\r\n', [[250, null, 'grüße']]],
  ['250 \xff\r\n', [[250, null, '\ufffd']]],
  ['250-a\r\n251 b\r\n', ['malformed']],
  ['ok\r\n', ['malformed']],
  ['\r\n', ['malformed']],
  ['25\r\n', ['malformed']],
  ['2500\r\n', ['malformed']],
  ['150 a\r\n', ['malformed']],
  ['650 a\r\n', ['malformed']],
  ['250_a\r\n', ['malformed']],
  ['250 a\n', ['malformed']],
  ['250 a\n250 b\r\n', ['malformed']],
  ['250 a\rb\r\n', ['malformed']],
  ['250 a\r\r\n', ['malformed']],
  [`250 ${'a'.repeat(maxReplyLineBytes - 6)}\r\n`, [[250, null, 'a'.repeat(maxReplyLineBytes - 6)]]],
])('%j', (text, expected) => {
  const bytes = Buffer.from(text, 'latin1')
  const ways = bytes.length > 100 ? [[bytes]] : everyCut(bytes)
  for (const pieces of ways) expect(readAll(pieces)).toEqual(expected)
})

test('a line or a reply without end is given up at its limit', () => {
  expect(readAll([Buffer.from(`250 ${'a'.repeat(maxReplyLineBytes)}`)])).toEqual(['too-long'])
  expect(readAll([Buffer.from('250-a\r\n'.repeat(maxReplyLines - 1)), Buffer.from('250 b\r\n')])).toHaveLength(1)
  expect(readAll([Buffer.from('250-a\r\n'.repeat(maxReplyLines))])).toEqual(['too-long'])
})

test('a bare LF is noticed before a line end comes', () => {
  expect(readAll([Buffer.from('220 ready\n')])).toEqual(['malformed'])
})

test('bytes behind a reply are counted, those of an unfinished reply too', () => {
  const reader = createReplyReader()
  reader.receive(Buffer.from('220 go\r\n250-injected\r\n250'))
  expect(reader.next()).toMatchObject({ reply: { code: 220 } })
  expect(reader.unreadBytes).toBe('250-injected\r\n250'.length)
  expect(reader.next()).toBe('need-bytes')
  expect(reader.unreadBytes).toBeGreaterThan(0)
})
