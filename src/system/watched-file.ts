/**
 * A small configuration file of the machine that is read again when it has changed, without a watcher.
 *
 * Asking costs nothing within a second, one stat(2) after it. A file that is missing, unreadable or too large is read as empty:
 * for the files meant here (resolv.conf, hosts) that has a meaning, and mail must go on.
 */
import { readFileSync, statSync } from 'node:fs'

/** Gives the parsed content of the file as it is now, a second ago at most. `now` in ms. */
export function createWatchedFile<T>(
  path: string,
  parse: (text: string) => T,
  now: () => number,
  maxBytes = 1024 * 1024,
): () => T {
  let seen: string | null = null
  let checkedAt = Number.NEGATIVE_INFINITY
  let content = parse('')
  return () => {
    if (now() - checkedAt < recheckMs) return content
    checkedAt = now()
    try {
      const { mtimeMs, size, ino } = statSync(path)
      const state = `${mtimeMs} ${size} ${ino}`
      if (state === seen) return content
      seen = state
      content = parse(size > maxBytes ? '' : readFileSync(path, 'utf8'))
    } catch {
      seen = null
      content = parse('')
    }
    return content
  }
}

/** How long a file is taken to be unchanged without a look. */
const recheckMs = 1000
