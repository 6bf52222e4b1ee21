/**
 * Conversations as tables of `S:` and `C:` lines, for tests of the machines. Consecutive lines of one side are one piece of bytes, each line with CRLF.
 * In a line `\r`, `\n`, `\0` and `\xNN` stand for those octets, and a line that ends in `\` has no CRLF.
 */

export interface Turn {
  readonly side: 'S' | 'C'
  readonly bytes: Buffer
}

export function turns(table: string): Turn[] {
  const result: { side: 'S' | 'C'; text: string }[] = []
  for (const row of table.split('\n').map(line => line.trimStart())) {
    const match = /^([SC]): ?(.*)$/.exec(row)
    if (match === null) {
      if (row.trim() !== '') throw new Error(`neither S: nor C: ${row}`)
      continue
    }
    const side = match[1] === 'S' ? 'S' : 'C'
    const line = unescaped(match[2] ?? '')
    const last = result.at(-1)
    if (last?.side === side) last.text += line
    else result.push({ side, text: line })
  }
  return result.map(({ side, text }) => ({ side, bytes: Buffer.from(text, 'latin1') }))
}

function unescaped(line: string): string {
  const isCut = line.endsWith('\\')
  const utf8 = Buffer.from(isCut ? line.slice(0, -1) : line).toString('latin1')
  const text = utf8.replace(/\\(?:x([0-9a-f]{2})|([rn0]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined
      ? ({ r: '\r', n: '\n', '0': '\0' }[letter] ?? '')
      : String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return isCut ? text : `${text}\r\n`
}

/** The bytes in pieces: whole, one by one, or cut once at each place. */
export function everyCut(bytes: Uint8Array): Uint8Array[][] {
  const ways: Uint8Array[][] = [[bytes], Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))]
  for (let at = 1; at < bytes.length; at++) ways.push([bytes.subarray(0, at), bytes.subarray(at)])
  return ways
}
