/**
 * Where log lines go: a file that is appended to, or an output of the process.
 *
 * Lines are gathered while a write is under way, so a busy relay makes few and large ones, and nothing waits for the log. A disk that says no costs lines, never
 * mail: it is told once on standard error, lines are counted that were lost, and writing goes on when it can.
 */
import { closeSync, openSync, write, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

export interface LogOutput {
  line(text: string): void
  /** Opens the file anew, after somebody moved it away (logrotate). Keeps the old one when that fails. */
  reopen(): void
  /** Writes what is left. */
  close(): void
}

/** Throws what node:fs throws when the file cannot be opened. `tell` is for what the log itself cannot say. */
export function createLogFile(path: string, tell: (text: string) => void): LogOutput {
  let file = openSync(path, 'a', 0o640)
  let waiting = ''
  let lost = 0
  let isWriting = false
  let isBroken = false
  let reopenWanted = false

  function flush(): void {
    if (isWriting || waiting === '') return
    isWriting = true
    const bytes = Buffer.from(waiting)
    waiting = ''
    write(file, bytes, 0, bytes.length, null, (error, written) => {
      isWriting = false
      if (error !== null || written < bytes.length) {
        lost += countLines(bytes.subarray(written))
        if (!isBroken) tell(`the log file ${path} cannot be written: ${error?.message ?? 'the disk is full'}`)
        isBroken = true
      } else {
        isBroken = false
        if (lost > 0) waiting = `${lost} log lines were lost\n${waiting}`
        lost = 0
      }
      if (reopenWanted) reopen()
      flush()
    })
  }

  function reopen(): void {
    // A write under way has the number of the old file.
    reopenWanted = isWriting
    if (isWriting) return
    try {
      const next = openSync(path, 'a', 0o640)
      closeSync(file)
      file = next
    } catch (error) {
      tell(
        `the log file ${path} cannot be opened again: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  return {
    line(text) {
      if (waiting.length > mostWaiting) {
        lost++
        return
      }
      waiting += `${text}\n`
      // In the next turn, so that what one turn brings is one write.
      if (!isWriting) setImmediate(flush)
    },
    reopen,
    close() {
      try {
        writeSync(file, waiting)
      } catch (error) {
        tell(`the end of the log was lost: ${error instanceof Error ? error.message : String(error)}`)
      }
      waiting = ''
      // With a write under way the number must stay valid; the process ends now anyway.
      if (!isWriting) closeSync(file)
    },
  }
}

/** Standard output or error. */
export function createLogStream(stream: Writable): LogOutput {
  // Whatever cannot be written is lost; that the relay goes on counts more.
  stream.on('error', () => {})
  return {
    line(text) {
      if (stream.writableLength < mostWaiting) stream.write(`${text}\n`)
    },
    reopen() {},
    close() {},
  }
}

function countLines(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0)
}

/** Characters that wait for a slow disk at most. */
const mostWaiting = 16 * 1024 * 1024
