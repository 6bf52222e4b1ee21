import { expect, test } from 'vitest'
import { isHeaderLine } from './header.ts'
import { createTextLines } from './text-lines.ts'

const longest = 998

function read(pieces: readonly string[], { dotEnds = true } = {}) {
  const reader = createTextLines({ dotEnds, longestLineBytes: longest + 2, isHeaderLine })
  const lines = [...pieces, null].flatMap(piece =>
    reader.feed(piece === null ? 'end' : Buffer.from(piece, 'latin1')).map(line => line.toString('latin1')),
  )
  return { lines, ended: reader.ended }
}

const x = (count: number) => 'x'.repeat(count)

const cases: [string, string[], boolean][] = [
  ['', [], false],
  ['a\nb\n', ['a', 'b'], false],
  ['a\r\nb\r\n', ['a', 'b'], false],
  ['a\nb', ['a', 'b'], false],
  ['\n\n', ['', ''], false],
  ['a\n.\nb\n', ['a'], true],
  ['a\r\n.\r\nb', ['a'], true],
  ['a\n..\n.b\n', ['a', '..', '.b'], false],
  ['a\n.', ['a'], true],
  ['\xff\xfe\n', ['\xff\xfe'], false],
  // A CR alone ends a line of the body, several are one, and those before LF are part of its end.
  ['\n10%\r20%\r\r30%\nz\n', ['', '10%', '20%', '30%', 'z'], false],
  ['\na\r\r\nb\r\r', ['', 'a', 'b'], false],
  ['\na\r.\rb\n', ['', 'a', '.', 'b'], false],
  ['\n\ra\n', ['', '', 'a'], false],
  // In the header it is a blank: nobody begins a field with it.
  ['Subject: a\rBcc: b\r\r\n\nc\rd\n', ['Subject: a Bcc: b', '', 'c', 'd'], false],
  ['\na\x00b\x00\n\x00.\n', ['', 'ab'], true],
  [`\n${x(998)}\n`, ['', x(998)], false],
  [`\n${x(999)}\n`, ['', x(990), x(9)], false],
  [`\n${x(2500)}\r${x(999)}\n`, ['', x(990), x(990), x(520), x(990), x(9)], false],
  [`\n${x(989)}\xe2\x82\xac${x(20)}\n`, ['', x(989), `\xe2\x82\xac${x(20)}`], false],
  [`\n${x(987)}\xf0\x9f\x98\x80${x(20)}\n`, ['', x(987), `\xf0\x9f\x98\x80${x(20)}`], false],
  [`\n${'\x80'.repeat(1000)}\n`, ['', '\x80'.repeat(990), '\x80'.repeat(10)], false],
  // The end of a line that was broken is no lone dot.
  [`\n${x(1500)}\r.\nb\n`, ['', x(990), x(510), '.', 'b'], false],
  // Header lines are folded: at white space, else behind a comma, else where they must be.
  [`A: ${x(980)} ${x(900)}\n`, [`A: ${x(980)}`, ` ${x(900)}`], false],
  [`To: ${x(600)},${x(600)}\n`, ['To:', ` ${x(600)},`, ` ${x(600)}`], false],
  [`To:${x(600)},${x(600)}\n`, [`To:${x(600)},`, ` ${x(600)}`], false],
  [`A:${x(2000)}\n`, [`A:${x(988)}`, ` ${x(989)}`, ` ${x(23)}`], false],
  [`A: b\n ${x(2000)}\n`, ['A: b', ` ${x(989)}`, ` ${x(989)}`, ` ${x(22)}`], false],
  [`A:b${' '.repeat(2000)}c\n`, [`A:b${' '.repeat(987)}`, `${' '.repeat(23)}c`], false],
]

test.each(cases)('%j has the lines %j, however it is cut', (input, lines, ended) => {
  const expected = { lines, ended }
  expect(read([input])).toEqual(expected)
  for (let cut = 0; cut <= input.length; cut++)
    expect(read([input.slice(0, cut), input.slice(cut)])).toEqual(expected)
  expect(read([...input])).toEqual(expected)
})

test('no line is too long, no field begins where none was, and nothing but line ends is added or lost', () => {
  const input = `X: ${'word '.repeat(700)}\nY:${x(3000)}\n\n${'ü'.repeat(2000)}\n`
  const { lines } = read([Buffer.from(input).toString('latin1')])
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(longest)
  expect(lines.filter(line => /^\S+:/.test(line))).toHaveLength(2)
  expect(lines.join('').replaceAll(/[ \n]/g, '')).toBe(
    Buffer.from(input).toString('latin1').replaceAll(/[ \n]/g, ''),
  )
})

test('a lone dot is a line like others when it does not end the text', () => {
  expect(read(['a\n.\nb\n'], { dotEnds: false })).toEqual({ lines: ['a', '.', 'b'], ended: false })
})

test('a line without end is handed on before it fills the memory', () => {
  const reader = createTextLines({ dotEnds: true, longestLineBytes: 1000, isHeaderLine })
  expect(reader.feed(Buffer.alloc(100_000, 'x')).length).toBe(101)
  expect(reader.feed(Buffer.alloc(100_000, '\r'))).toEqual([])
  expect(reader.feed(Buffer.alloc(100_000, 0))).toEqual([])
  expect(reader.feed('end').length).toBe(1)
})
