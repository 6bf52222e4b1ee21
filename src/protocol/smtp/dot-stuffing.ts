/**
 * Content on its way out: a dot more on lines that begin with one, and the end of the content (RFC 5321 §4.5.2, §4.1.1.4).
 *
 * Takes content as it is stored: lines that end in CRLF, and no CR or LF elsewhere (whoever stores it sees to that; a bare LF goes out as it is).
 * Pieces may be cut anywhere. Where no dot is needed the same bytes come back, without a copy.
 */
import { asBuffer } from './lines.ts'

export interface DotStuffing {
  piece(bytes: Uint8Array): Uint8Array
  /** The final dot, behind a line end if the content had none. */
  end(): Uint8Array
}

export function createDotStuffing(): DotStuffing {
  let where: 'line-start' | 'text' | 'cr' = 'line-start'

  return {
    piece(bytes) {
      if (bytes.length === 0) return bytes
      const piece = asBuffer(bytes)
      /** Where a dot is to be put before. */
      let dots: number[] | null = null
      const carried = where === 'line-start' ? 0 : where === 'cr' && piece[0] === 10 ? 1 : -1
      if (carried !== -1 && piece[carried] === 46) dots = [carried]
      for (let at = piece.indexOf(crlfDot); at !== -1; at = piece.indexOf(crlfDot, at + 3)) {
        dots ??= []
        dots.push(at + 2)
      }
      const last = piece[piece.length - 1]
      if (last === 13) where = 'cr'
      else if (last === 10 && (piece.length > 1 ? piece[piece.length - 2] === 13 : where === 'cr'))
        where = 'line-start'
      else where = 'text'
      return dots === null ? bytes : withDots(piece, dots)
    },
    end() {
      return where === 'line-start' ? finalDot : where === 'cr' ? lfFinalDot : crlfFinalDot
    },
  }
}

function withDots(piece: Buffer, dots: readonly number[]): Buffer {
  const stuffed = Buffer.allocUnsafe(piece.length + dots.length)
  let from = 0
  let to = 0
  for (const dot of dots) {
    to += piece.copy(stuffed, to, from, dot)
    stuffed[to] = 46
    to += 1
    from = dot
  }
  piece.copy(stuffed, to, from)
  return stuffed
}

const crlfDot = Buffer.from('\r\n.')
const finalDot = Buffer.from('.\r\n')
const lfFinalDot = Buffer.from('\n.\r\n')
const crlfFinalDot = Buffer.from('\r\n.\r\n')
