/**
 * How wide a text is on a terminal, and lines that keep to a page. Wide scripts (Han, Hangul, Kana, emoji) take two columns a character, marks that
 * sit on another character none (Unicode UAX #11, UAX #44); whatever a font makes of joined emoji is not known here, so these count in full.
 */
export const pageColumns = 100

/** @param text Without control characters: what `visible` has passed. */
export function columnsOf(text: string): number {
  if (plain.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += columnsOfOne(character)
  return columns
}

/** Broken at blanks; a word longer than a line is broken anywhere. */
export function wrapped(text: string, first: string, following: string): string[] {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(' ')) {
    let rest = word
    while (columnsOf(line) + (isEmpty ? 0 : 1) + columnsOf(rest) > pageColumns) {
      if (isEmpty) {
        const start = startOf(rest, pageColumns - columnsOf(line))
        line += start
        rest = rest.slice(start.length)
      }
      lines.push(line)
      line = following
      isEmpty = true
    }
    line += isEmpty ? rest : ` ${rest}`
    isEmpty = false
  }
  return [...lines, line]
}

/** As much as fits, and one character at least, so that there is an end. */
function startOf(text: string, columns: number): string {
  let start = ''
  let left = columns
  for (const character of text) {
    left -= columnsOfOne(character)
    if (left < 0 && start !== '') break
    start += character
  }
  return start
}

function columnsOfOne(character: string): 0 | 1 | 2 {
  if (marks.test(character)) return 0
  const code = character.codePointAt(0) ?? 0
  if (code < 0x1100) return 1
  return emoji.test(character) || wide.some(([from, to]) => code >= from && code <= to) ? 2 : 1
}

const plain = /^[\x20-\x7e]*$/
const marks = /^[\p{Mn}\p{Me}]$/u
const emoji = /^\p{Emoji_Presentation}$/u

/** East Asian Wide and Fullwidth, in blocks: a few characters in them that are narrow cost a column. */
const wide: readonly (readonly [from: number, to: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x1b000, 0x1b2ff],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
]
