/**
 * The content of one DATA command, byte for byte (RFC 5321 §4.5.2).
 *
 * An oracle: it shares no code with the relay's own reader, searches for nothing but CRLF.CRLF, and takes away only the dots that
 * stuffing added. It judges nothing: a bare LF is kept as it came.
 */

export interface ContentCollector {
  /** Takes what arrived. Null while the end has not been seen; then the content and the bytes behind its end. */
  receive(bytes: Uint8Array): { readonly content: Buffer; readonly rest: Buffer } | null
  /** Octets taken so far, before unstuffing. */
  readonly size: number
}

export function createContentCollector(): ContentCollector {
  // What ends an empty message is `.CRLF` at the very start, so the CRLF of the DATA command counts as seen.
  const pieces: Buffer[] = [Buffer.from('\r\n')]
  let tail = Buffer.from('\r\n')
  let size = 0

  return {
    receive(bytes) {
      const piece = Buffer.from(bytes)
      size += piece.length
      const joined = Buffer.concat([tail, piece])
      const at = joined.indexOf(end)
      pieces.push(piece)
      if (at < 0) {
        tail = joined.subarray(Math.max(0, joined.length - end.length + 1))
        return null
      }
      const behind = joined.length - (at + end.length)
      const whole = Buffer.concat(pieces)
      const stuffed = whole.subarray(0, whole.length - behind - '.\r\n'.length)
      return { content: unstuff(stuffed).subarray(2), rest: piece.subarray(piece.length - behind) }
    },
    get size() {
      return size
    },
  }
}

/** Takes away the first dot of each line that begins with one; `stuffed` begins with the CRLF before its first line. */
function unstuff(stuffed: Buffer): Buffer {
  const kept: Buffer[] = []
  let from = 0
  for (let at = stuffed.indexOf(lineDot); at >= 0; at = stuffed.indexOf(lineDot, at + 3)) {
    kept.push(stuffed.subarray(from, at + 2))
    from = at + 3
  }
  kept.push(stuffed.subarray(from))
  return kept.length === 1 ? stuffed : Buffer.concat(kept)
}

const end = Buffer.from('\r\n.\r\n')
const lineDot = Buffer.from('\r\n.')
