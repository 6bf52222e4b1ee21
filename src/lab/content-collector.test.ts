import { describe, expect, test } from 'vitest'
import { createContentCollector } from './content-collector.ts'

function collect(pieces: readonly Buffer[]): { content: string; rest: string } | null {
  const collector = createContentCollector()
  for (const [i, piece] of pieces.entries()) {
    const done = collector.receive(piece)
    if (done === null) continue
    const rest = Buffer.concat([done.rest, ...pieces.slice(i + 1)])
    return { content: done.content.toString('latin1'), rest: rest.toString('latin1') }
  }
  return null
}

describe('the content of DATA', () => {
  const cases: readonly [what: string, wire: string, content: string, rest: string][] = [
    ['lines', 'a\r\nb\r\n.\r\nQUIT\r\n', 'a\r\nb\r\n', 'QUIT\r\n'],
    ['nothing at all', '.\r\n', '', ''],
    ['an empty line', '\r\n.\r\n', '\r\n', ''],
    ['stuffed dots, the first line too', '..a\r\n...\r\nb\r\n.\r\n', '.a\r\n..\r\nb\r\n', ''],
    ['a stuffed dot alone', '..\r\n.\r\n', '.\r\n', ''],
    ['dots after a line end that is none', 'a\n.\nb\n.\r\nc\r\n.\r\n', 'a\n.\nb\n.\r\nc\r\n', ''],
    ['no dot inside a line is touched', 'a..b.\r\n.\r\n', 'a..b.\r\n', ''],
    ['two messages', 'a\r\n.\r\nb\r\n.\r\n', 'a\r\n', 'b\r\n.\r\n'],
    ['8-bit octets', '\xff\xfe\r\n.\r\n', '\xff\xfe\r\n', ''],
  ]
  test.each(cases)('%s: however the network cuts it, the answer is the same', (_, wire, content, rest) => {
    const bytes = Buffer.from(wire, 'latin1')
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(collect([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toEqual({ content, rest })
    expect(collect(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)))).toEqual({ content, rest })
  })

  test('content without its end is not there yet', () => {
    expect(collect([Buffer.from('a\r\n..\r\n.\r'), Buffer.from('x')])).toBeNull()
  })
})
