/**
 * The one function that text from outside passes before any terminal, log, DSN or page sees it (ARCHITECTURE decision 10).
 *
 * Success means: the result has no control character, no line break, no character that is invisible or that turns the
 * direction of what follows, no half of a surrogate pair, and at most `maxChars` UTF-16 units. What was replaced is shown as an
 * escape (`\x1b`, `\r`, `\u202e`, `\u{e0001}`), so the reader sees that something was there. Of combining marks stacked on one character all but
 * the first `mostMarks` are escaped, or a name would paint over the lines around it. Calling it twice changes nothing.
 *
 * It does not make text unambiguous: a backslash stays as it is, so a peer may write `\x1b` in plain letters.
 */

/** Enough for a reply line or a name; documents that need more say so. */
const visibleChars = 300

/**
 * @param text Text, or bytes taken for UTF-8; bytes that are not UTF-8 are shown as `\x..` from 0x80 up.
 * @param maxChars Longest result in UTF-16 units, the ellipsis included; an escape is never cut in two.
 */
export function visible(text: string | Uint8Array, maxChars = visibleChars): string {
  const whole = typeof text === 'string' ? text : decoded(text, maxChars)
  // No character becomes shorter, so what stands beyond this can never be shown: bounds the work as well.
  const start = whole.length > maxChars + 2 ? whole.slice(0, maxChars + 2) : whole
  if (start.length <= maxChars && !hidden.test(start) && !stacked.test(start)) return start

  const pieces: string[] = []
  let length = 0
  let marks = 0
  for (const character of start) {
    marks = mark.test(character) ? marks + 1 : 0
    const piece = marks > mostMarks || hidden.test(character) ? escaped(character) : character
    pieces.push(piece)
    length += piece.length
  }
  if (length <= maxChars && start.length === whole.length) return pieces.join('')
  while (length > maxChars - 1) length -= pieces.pop()?.length ?? length
  return `${pieces.join('')}…`
}

function escaped(character: string): string {
  const short = shortEscapes.get(character)
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

function decoded(bytes: Uint8Array, maxChars: number): string {
  const enough = (maxChars + 2) * 4
  const isCut = bytes.length > enough
  const start = isCut ? bytes.subarray(0, enough) : bytes
  try {
    // `stream` forgives only a character that our own cut went through.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(start, { stream: isCut })
  } catch {
    let text = ''
    for (const byte of start) text += byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`
    return text
  }
}

/** Marks on one character: Vietnamese has two, pointed Hebrew and Tibetan some four. */
const mostMarks = 8
const mark = /^\p{M}/u
const stacked = new RegExp(`\\p{M}{${mostMarks + 1}}`, 'u')

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\r', '\\r'],
  ['\n', '\\n'],
  ['\t', '\\t'],
])

/**
 * Cc: C0, DEL, C1. Cf: bidi controls, zero-width, soft hyphen, tags. Cs: a surrogate without its other half. Zl, Zp: line breaks of
 * Unicode. Default-ignorable: fillers and variation selectors that no font shows.
 */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u
