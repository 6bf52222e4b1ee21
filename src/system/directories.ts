/**
 * Makes a directory and those above it that are missing, one at a time.
 *
 * Node's own recursive mkdir tries for ever where a directory exists and cannot hold another, as under /proc. This one ends with what the system says.
 */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** @param mode Of each that is made, less the umask. @returns the first that was made; null when all were there. Throws what the system says. */
export function makeDirectories(path: string, mode: number): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return null
  const first = found === undefined ? makeDirectories(dirname(path), mode) : null
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    // Another process was quicker: `sendmail` is called many times at once. A file in its place is told, as EEXIST.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return first
    throw error
  }
  return first ?? path
}
