/**
 * Lines from bytes, however the network cut them, for commands and replies alike. Only CRLF ends a line (RFC 5321 §2.3.8).
 *
 * Success: a line of at most `limitBytes` with its CRLF, given without it. A line that is too long, or has a CR or LF elsewhere, is read to its
 * true end, forgotten while it is read, and reported once. Memory: what `receive` was given and not yet read, and one line.
 * It does not know what a line means, and it reads no further than it is asked, so that the bytes behind a line can be counted or taken as something else.
 */

export type LineFault = 'too-long' | 'bare-cr' | 'bare-lf'

export interface Lines {
  receive(chunk: Uint8Array): void
  /** The next line without its CRLF (a view: valid until the next call), its fault, or that its end has not come yet. */
  next(): Buffer | LineFault | 'need-bytes'
  /** What is wrong already with the line whose end has not come. */
  readonly unfinishedFault: LineFault | null
  /** Bytes received that belong to no line given so far. */
  readonly unreadBytes: number
  /** Some of them were never looked at: `next` may find a line. */
  readonly hasUnreadChunk: boolean
  /** The first of those bytes, or -1. */
  firstByte(): number
  /** For bytes that are not lines: the rest of the oldest chunk, or null. Only between lines. */
  peek(): Buffer | null
  /** So many of them were used. */
  skip(bytes: number): void
}

export function createLines(limitBytes: number): Lines {
  const chunks: Buffer[] = []
  let current: Buffer = nothing
  let position = 0
  /** The beginning of a line whose end is in a later chunk: its buffer is made only when a cut falls into a line. */
  let held: Buffer | null = null
  let heldBytes = 0
  let heldEndsInCr = false
  let fault: LineFault | null = null

  function nextChunk(): boolean {
    const chunk = chunks.shift()
    if (chunk === undefined) {
      current = nothing
      position = 0
      return false
    }
    current = chunk
    position = 0
    return true
  }

  function hold(from: number, to: number): void {
    if (from === to) return
    const bytes = to - from
    heldEndsInCr = current[to - 1] === 13
    if (fault === null && heldBytes + bytes > limitBytes) fault = 'too-long'
    if (fault === null) {
      held ??= Buffer.allocUnsafe(limitBytes)
      current.copy(held, heldBytes, from, to)
    } else {
      held = null
    }
    heldBytes += bytes
  }

  /** The line ends before `end` in the current chunk, its LF at `end`. */
  function finish(end: number): Buffer | LineFault {
    const length = heldBytes + end + 1 - position
    let line: Buffer
    if (heldBytes === 0) line = current.subarray(position, Math.max(end - 1, position))
    else if (fault !== null || length > limitBytes || held === null) line = nothing
    else {
      current.copy(held, heldBytes, position, end)
      line = held.subarray(0, length - 2)
    }
    const problem = fault ?? (length > limitBytes ? 'too-long' : line.includes(13) ? 'bare-cr' : null)
    position = end + 1
    held = null
    heldBytes = 0
    heldEndsInCr = false
    fault = null
    return problem ?? line
  }

  return {
    receive(chunk) {
      if (chunk.length > 0) chunks.push(asBuffer(chunk))
    },
    next() {
      while (position < current.length || nextChunk()) {
        let from = position
        for (;;) {
          const lf = current.indexOf(10, from)
          if (lf === -1) {
            hold(position, current.length)
            position = current.length
            break
          }
          const afterCr = lf > position ? current[lf - 1] === 13 : heldEndsInCr
          if (afterCr) return finish(lf)
          fault ??= heldBytes + lf + 1 - position > limitBytes ? 'too-long' : 'bare-lf'
          from = lf + 1
        }
      }
      return 'need-bytes'
    },
    get unfinishedFault() {
      if (fault !== null || held === null) return fault
      const cr = held.subarray(0, heldBytes).indexOf(13)
      return cr !== -1 && cr < heldBytes - 1 ? 'bare-cr' : null
    },
    get unreadBytes() {
      let bytes = heldBytes + current.length - position
      for (const chunk of chunks) bytes += chunk.length
      return bytes
    },
    get hasUnreadChunk() {
      return position < current.length || chunks.length > 0
    },
    firstByte() {
      if (heldBytes > 0) return held?.[0] ?? -1
      if (position === current.length && !nextChunk()) return -1
      return current[position] ?? -1
    },
    peek() {
      if (heldBytes > 0) throw new Error('bytes were asked for in the middle of a line')
      if (position === current.length && !nextChunk()) return null
      return current.subarray(position)
    },
    skip(bytes) {
      position += bytes
    },
  }
}

/** The same bytes, with Buffer's native searches. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const nothing = Buffer.alloc(0)
