/**
 * Carries content from the machine, which lends it, to the spool, which keeps it: every byte is copied once, and however small the pieces are that a
 * client sends, what is kept is not much larger than its bytes.
 */
import type { BodyWriter, StoreFault } from '../../spool/spool.ts'

export interface ContentSink {
  readonly body: BodyWriter
  /** Takes a piece that stays valid until `settle`. */
  add(piece: Uint8Array): void
  /**
   * Copies what was added: to be called before more is received.
   * @param more `more-comes`: small pieces may be held back. `complete`: all goes to the body.
   * @returns what `BodyWriter.write` does: a promise to wait for, or undefined.
   */
  settle(more: 'more-comes' | 'complete'): undefined | Promise<undefined | StoreFault>
}

export function createContentSink(body: BodyWriter): ContentSink {
  let pieces: Uint8Array[] = []
  let bytes = 0
  let held: Buffer | null = null
  let heldBytes = 0

  function takeAll(): Uint8Array {
    if (held !== null) pieces.unshift(held.subarray(0, heldBytes))
    const all = Buffer.concat(pieces, heldBytes + bytes)
    held = null
    heldBytes = 0
    return all
  }

  function hold(): void {
    held ??= Buffer.allocUnsafeSlow(holdBytes)
    for (const piece of pieces) {
      held.set(piece, heldBytes)
      heldBytes += piece.length
    }
  }

  return {
    body,
    add(piece) {
      pieces.push(piece)
      bytes += piece.length
    },
    settle(more) {
      if (heldBytes + bytes === 0) return undefined
      let waiting: undefined | Promise<undefined | StoreFault>
      if (more === 'complete' || heldBytes + bytes > holdBytes) waiting = body.write(takeAll())
      else hold()
      pieces = []
      bytes = 0
      return waiting
    },
  }
}

/** As much as a client may send in single bytes before it is passed on as one piece. */
const holdBytes = 16 * 1024
