/**
 * Keeps the memory of large messages small while they pass through.
 *
 * Each piece of a large message is a buffer outside V8's heap that is garbage a moment later. V8 frees such buffers when its small heap fills up, which they hardly
 * contribute to, so some 60 MB of them can lie about. Whoever moves large bodies says how much has passed, and every few megabytes the young generation
 * is collected, which takes less than a millisecond. It decides nothing, and where V8 offers no such call nothing happens.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** @param bytes that passed through memory and are not needed any more */
export function passedThrough(bytes: number): void {
  sinceCollection += bytes
  if (sinceCollection < collectEveryBytes) return
  sinceCollection = 0
  collect ??= youngCollector()
  collect()
}

let sinceCollection = 0
let collect: (() => void) | undefined

function youngCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  return typeof gc === 'function' ? () => void gc({ type: 'minor' }) : () => {}
}

const collectEveryBytes = 8 * 1024 * 1024
