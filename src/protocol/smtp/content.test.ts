import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createContentReader } from './content.ts'
import { beginContent, type ContentLimits, contentFacts, step, type Transparency } from './content-machine.ts'
import { defaultServerLimits } from './server.ts'
import { everyCut } from './testing/transcript.ts'

interface Outcome {
  readonly content: string | null
  readonly fault: string | null
  readonly sizeBytes: number
  readonly eightBit: boolean | null
  readonly receivedFields: number | null
  readonly ended: boolean
  /** What stands behind the true end. */
  readonly rest: string
}

/** What is said of content that has a fault, apart from that and its end, need not be complete. */
function outcome(facts: ReturnType<typeof contentFacts>, content: string, ended: boolean, rest: string): Outcome {
  const { fault, sizeBytes, eightBit, receivedFields } = facts
  return fault === null
    ? { content, fault, sizeBytes, eightBit, receivedFields, ended, rest }
    : { content: null, fault, sizeBytes, eightBit: null, receivedFields: null, ended, rest }
}

function byReference(bytes: Uint8Array, limits: ContentLimits, transparency?: Transparency): Outcome {
  const state = beginContent(transparency)
  const kept: number[] = []
  let at = 0
  let ended = false
  while (at < bytes.length && !ended) {
    const byte = bytes[at] ?? 0
    const effect = step(state, byte, limits)
    if (effect === 'end') ended = true
    else if (effect !== 'hold') kept.push(byte)
    at += 1
  }
  return outcome(contentFacts(state), Buffer.from(kept).toString('latin1'), ended, latin1(bytes.subarray(at)))
}

function byReader(pieces: readonly Uint8Array[], limits: ContentLimits, transparency?: Transparency): Outcome {
  const reader = createContentReader(limits, transparency)
  let content = ''
  let rest = ''
  let ended = false
  for (const piece of pieces) {
    if (ended) {
      rest += latin1(piece)
      continue
    }
    const buffer = Buffer.from(piece)
    const read = reader.read(buffer)
    content += latin1(read.bytes)
    ended = read.ended
    rest += latin1(buffer.subarray(read.used))
    expect(ended || read.used === buffer.length).toBe(true)
  }
  return outcome(reader.facts(), content, ended, rest)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

const small: ContentLimits = { textLineBytes: 12, messageBytes: 60, receivedFields: 2 }

const corpus: [text: string, fault: string | null, content: string | null, rest: string | null][] = [
  ['.\r\n', null, '', ''],
  ['a\r\n.\r\nQUIT\r\n', null, 'a\r\n', 'QUIT\r\n'],
  ['\r\n.\r\n', null, '\r\n', ''],
  ['..\r\n.\r\n', null, '.\r\n', ''],
  ['.a\r\n..b\r\n...\r\n.\r\nx', null, 'a\r\n.b\r\n..\r\n', 'x'],
  ['a.\r\n.\r\n', null, 'a.\r\n', ''],
  ['a\r\n. \r\n.\r\n', null, 'a\r\n \r\n', ''],
  ['\xff\r\n.\r\n', null, '\xff\r\n', ''],
  // The smuggling corpus: each of these has been somebody's end of DATA.
  ['a\n.\nMAIL\r\n.\r\nx', 'smtp.bare-lf', null, 'x'],
  ['a\n.\r\nMAIL\r\n.\r\nx', 'smtp.bare-lf', null, 'x'],
  ['a\r.\rMAIL\r\n.\r\nx', 'smtp.bare-cr', null, 'x'],
  ['a\r\n.\rMAIL\r\n.\r\nx', 'smtp.bare-cr', null, 'x'],
  ['a\r\n.\nMAIL\r\n.\r\nx', 'smtp.bare-lf', null, 'x'],
  ['a\r\n\0.\r\nMAIL\r\n.\r\nx', 'smtp.nul', null, 'x'],
  ['a\r.\r\nMAIL\r\n.\r\nx', 'smtp.bare-cr', null, 'x'],
  ['a\r\n.\r\r\nM\r\n.\r\nx', 'smtp.bare-cr', null, 'x'],
  ['a\r\r\n.\r\nx', 'smtp.bare-cr', null, 'x'],
  ['a\n\r\n.\r\nx', 'smtp.bare-lf', null, 'x'],
  ['\r\r\n.\r\nx', 'smtp.bare-cr', null, 'x'],
  // Limits.
  ['1234567890\r\n.\r\nx', null, '1234567890\r\n', 'x'],
  ['.1234567890\r\n.\r\nx', null, '1234567890\r\n', 'x'],
  ['12345678901\r\n.\r\nx', 'smtp.line-too-long', null, 'x'],
  [`${'123456\r\n'.repeat(7)}12\r\n.\r\nx`, null, `${'123456\r\n'.repeat(7)}12\r\n`, 'x'],
  [`${'123456\r\n'.repeat(8)}.\r\nx`, 'smtp.message-too-big', null, 'x'],
  ['Received: 1\r\n', 'smtp.line-too-long', null, null],
]

describe('the reference and the reader agree, however the content is cut', () => {
  test.each(corpus)('%j', (text, fault, content, rest) => {
    const bytes = Buffer.from(text, 'latin1')
    const expected = byReference(bytes, small)
    expect(expected.fault).toBe(fault)
    expect(expected.content).toBe(content)
    if (rest !== null) expect(expected).toMatchObject({ ended: true, rest })
    for (const pieces of everyCut(bytes)) expect(byReader(pieces, small)).toEqual(expected)
  })

  test('for any octets in any cut', () => {
    const parts = fc.array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.constantFrom('\r\n', '.', 'a', 'text', '\r\n.', 'Received:', 'received: x', '\xe9'),
        },
        { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\0', '\r\n.\r\n') },
      ),
      { maxLength: 30 },
    )
    const limits = fc.record({
      textLineBytes: fc.integer({ min: 2, max: 30 }),
      messageBytes: fc.integer({ min: 1, max: 80 }),
      receivedFields: fc.integer({ min: 0, max: 3 }),
    })
    fc.assert(
      fc.property(parts, limits, fc.array(fc.nat(200)), (texts, bounds, cuts) => {
        const bytes = Buffer.from(`${texts.join('')}\r\n.\r\nrest`, 'latin1')
        const places = [...new Set([0, ...cuts.map(cut => Math.min(cut, bytes.length))])].sort((a, b) => a - b)
        const pieces = places.map((from, i) => bytes.subarray(from, places[i + 1] ?? bytes.length))
        expect(byReader(pieces, bounds)).toEqual(byReference(bytes, bounds))
        expect(byReader(pieces, bounds, 'plain')).toEqual(byReference(bytes, bounds, 'plain'))
      }),
      { numRuns: 2_000 },
    )
  })
})

test('Received fields are counted in the header only, whatever their case', () => {
  const text = 'Received: a\r\nReceivedX: b\r\nRECEIVED:c\r\n received: folded\r\n\r\nReceived: body\r\n.\r\n'
  for (const pieces of everyCut(Buffer.from(text)))
    expect(byReader(pieces, { ...small, textLineBytes: 100, messageBytes: 1_000 })).toMatchObject({
      receivedFields: 2,
      fault: null,
    })
  expect(
    byReference(Buffer.from(text), { textLineBytes: 100, messageBytes: 1_000, receivedFields: 1 }).fault,
  ).toBe('smtp.too-many-received')
})

test('content without stuffed dots is handed out as a view, not as a copy', () => {
  const chunk = Buffer.from('Subject: x\r\n\r\nhello. dots.\r\n.\r\n')
  const { bytes } = createContentReader(defaultServerLimits).read(chunk)
  expect(bytes.buffer).toBe(chunk.buffer)
  expect(bytes.byteOffset).toBe(chunk.byteOffset)
})

test('one chunk gives one piece, however many dots are in it', () => {
  const chunk = Buffer.from('..\r\n'.repeat(16_000))
  expect(createContentReader(defaultServerLimits).read(chunk).bytes.toString()).toBe('.\r\n'.repeat(16_000))
})

test('hostile content is looked at a bounded number of times for each octet', () => {
  for (const pattern of [
    '\r',
    '\n',
    '.',
    '\r\n',
    '\r\n.',
    'a\n',
    '\r\n.\r',
    '..\r\n',
    '\0\r\n',
    'r23456789:\r\n',
    'R',
  ]) {
    const work = [64_000, 128_000].map(length =>
      nativeSearchBytes(Buffer.from(pattern.repeat(length / pattern.length))),
    )
    const [one = 0, two = 0] = work
    expect(two, JSON.stringify(pattern)).toBeLessThanOrEqual(one * 2.1 + 1_000)
  }
})

/** Octets passed over by the native searches while the reader takes the chunk. */
function nativeSearchBytes(chunk: Buffer): number {
  let passed = 0
  const indexOf = chunk.indexOf.bind(chunk)
  const counted = (what: number | Uint8Array, from = 0) => {
    const found = indexOf(what, from)
    passed += (found === -1 ? chunk.length : found) - from
    return found
  }
  Object.defineProperty(chunk, 'indexOf', { value: counted })
  createContentReader({ ...defaultServerLimits, messageBytes: 1e9 }).read(chunk)
  return passed
}

test('plain content has neither stuffed dots nor an end', () => {
  const text = '..a\r\n.\r\n.b\r\n.'
  for (const pieces of everyCut(Buffer.from(text)))
    expect(byReader(pieces, small, 'plain')).toMatchObject({ content: text, ended: false, fault: null })
  const reader = createContentReader(small, 'plain')
  reader.read(Buffer.from('.\r\n'))
  expect(reader.atLineStart()).toBe(true)
  reader.read(Buffer.from('a\r'))
  expect(reader.atLineStart()).toBe(false)
})
