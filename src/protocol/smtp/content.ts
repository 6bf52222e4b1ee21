/**
 * The content of a message as DATA carries it, on whole chunks. Says exactly what content-machine.ts says byte by byte (a test holds that),
 * but takes ordinary lines with native searches and hands content out as views of what arrived.
 *
 * Memory: none of its own, except a copy of a chunk from which stuffed dots had to be taken.
 */
import { isAscii } from 'node:buffer'
import { beginContent, type ContentLimits, contentFacts, step, type Transparency } from './content-machine.ts'
import type { ContentFacts } from './server.ts'

export interface ContentReader {
  /** Takes bytes up to the true end of the content, or all of them. */
  read(chunk: Buffer): ContentPiece
  /** Whether what was read ends with a whole line, or is nothing. */
  atLineStart(): boolean
  facts(): ContentFacts
}

export interface ContentPiece {
  /** Content without stuffed dots, a view of the chunk where possible. Empty from the first fault on. */
  readonly bytes: Buffer
  /** How many bytes of the chunk were used; fewer than all only at the end. */
  readonly used: number
  readonly ended: boolean
}

/** @param transparency `plain` reads content without stuffed dots, which has no end of its own. */
export function createContentReader(limits: ContentLimits, transparency: Transparency = 'stuffed'): ContentReader {
  const state = beginContent(transparency)
  /** What may be a stuffed dot or the end; in plain content no byte is. */
  const dot = transparency === 'stuffed' ? 46 : -1

  function read(chunk: Buffer): ContentPiece {
    /** Parts of the chunk that are content: from the last held byte on, and the closed ones before it. */
    let from = 0
    let closed: Buffer[] | null = null
    let position = 0
    let nextNul = -2
    let ended = false

    while (position < chunk.length && !ended) {
      if (state.fault !== null) {
        const skipped = skim(chunk, position)
        if (skipped > position) {
          position = skipped
          continue
        }
      } else if (state.where === 'text' || (state.where === 'line-start' && chunk[position] !== dot)) {
        if (nextNul === -2) nextNul = chunk.indexOf(0, position)
        const after = ordinaryLines(chunk, position, nextNul)
        if (after > position) {
          position = after
          continue
        }
      }
      // Out of the ordinary, or the unfinished line at the end of the chunk: byte by byte to the next line.
      do {
        const effect = step(state, chunk[position] ?? 0, limits)
        if (effect === 'hold' || effect === 'end') {
          if (position > from) {
            closed ??= []
            closed.push(chunk.subarray(from, position))
          }
          from = position + 1
          ended = effect === 'end'
        }
        position += 1
      } while (!ended && position < chunk.length && state.where !== 'line-start' && state.fault === null)
    }

    if (state.fault !== null) return { bytes: nothing, used: position, ended }
    const last = chunk.subarray(from, Math.max(position, from))
    const bytes = closed === null ? last : joined(closed, last)
    if (!state.eightBit && !isAscii(bytes)) state.eightBit = true
    return { bytes, used: position, ended }
  }

  /** Passes over whole lines that need no second look; answers where the first other one begins. */
  function ordinaryLines(chunk: Buffer, start: number, nextNul: number): number {
    let position = start
    for (;;) {
      if (state.where === 'line-start' && chunk[position] === dot) return position
      const lf = chunk.indexOf(10, position)
      if (lf === -1) return position
      const end = lf + 1
      const lineBytes = state.lineBytes + end - position
      if (
        lf === position ||
        chunk.indexOf(13, position) !== lf - 1 ||
        lineBytes > limits.textLineBytes ||
        state.sizeBytes + end - position > limits.messageBytes ||
        (nextNul !== -1 && nextNul < lf) ||
        (state.inHeader && isReceivedOrUnknown(chunk, position))
      )
        return position
      if (lineBytes === 2) state.inHeader = false
      state.sizeBytes += end - position
      state.lineBytes = 0
      state.matched = 0
      state.where = 'line-start'
      position = end
      if (position === chunk.length) return position
    }
  }

  /** A header line that may be a `Received:` field is counted by the reference. */
  function isReceivedOrUnknown(chunk: Buffer, position: number): boolean {
    if (state.where !== 'line-start') return state.matched !== -1
    const first = chunk[position]
    return (first === 82 || first === 114) && chunk[position + 8] === 58 // R or r, and the colon behind eight letters
  }

  /** After a fault only the end matters: the place from which on the reference must look. */
  function skim(chunk: Buffer, position: number): number {
    if (state.where !== 'text') return position
    // Not in a CR here, so that an end lies behind a whole CRLF dot, or behind one that is cut off at the end of the chunk.
    const dotLine = chunk.indexOf(crlfDot, position)
    const stop = dotLine === -1 ? Math.max(chunk.length - 2, position) : dotLine
    state.sizeBytes += stop - position
    return stop
  }

  return { read, atLineStart: () => state.where === 'line-start', facts: () => contentFacts(state) }
}

function joined(closed: readonly Buffer[], last: Buffer): Buffer {
  const [only] = closed
  return closed.length === 1 && only !== undefined && last.length === 0 ? only : Buffer.concat([...closed, last])
}

const nothing = Buffer.alloc(0)
const crlfDot = Buffer.from('\r\n.')
