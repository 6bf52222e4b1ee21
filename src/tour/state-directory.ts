/**
 * The directory where the tour keeps the relay's state: claimed for one tour, emptied of an earlier one's.
 *
 * Success means a directory of ours alone, mode 0700, empty but for the mark. Only a directory that carries the tour's mark, is no link and
 * belongs to this user is ever emptied; one that a living tour holds, or that is anything else, is left alone and the next name is taken.
 * What it leaves behind when the tour ends is meant to be read with `hermetic log`.
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { makeDirectories } from '../system/directories.ts'
import { livingProcess, processIdentity } from '../system/process-identity.ts'

export interface ClaimedDirectory {
  readonly path: string
  /** The tour is over: the next one may empty the directory. */
  release(): void
}

/** Where to look: passed in by tests. */
export interface Places {
  readonly stateHome: string | undefined
  readonly home: string
  readonly temporary: string
}

const here = (): Places => ({ stateHome: process.env['XDG_STATE_HOME'], home: homedir(), temporary: tmpdir() })

/**
 * `$XDG_STATE_HOME/hermetic-tour`, else `~/.local/state/hermetic-tour`, else one in the temporary directory; with `-2`, `-3` … behind it while those are held.
 * Throws only when not even the temporary directory can be written to.
 */
export function claimStateDirectory(places: Places = here()): ClaimedDirectory {
  const { stateHome, home, temporary } = places
  // The XDG rule: a path that is not absolute is to be ignored.
  const states = stateHome !== undefined && isAbsolute(stateHome) ? stateHome : join(home, '.local', 'state')
  for (const [parent, name] of [
    [states, 'hermetic-tour'],
    [temporary, `hermetic-tour-${process.getuid?.() ?? 'user'}`],
  ] as const) {
    try {
      makeDirectories(parent, 0o700)
      for (let number = 1; number <= mostTours; number++) {
        const claimed = claim(join(parent, number === 1 ? name : `${name}-${number}`))
        if (claimed !== null) return claimed
      }
    } catch (error) {
      // Not writable: the next place. The last one's refusal is told.
      if (parent === temporary) throw error
    }
  }
  throw new Error(
    `every directory for the tour's state is held: remove some of ${join(temporary, 'hermetic-tour*')}`,
  )
}

/** Null: held by somebody, or not the tour's. */
function claim(path: string): ClaimedDirectory | null {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    if (!isOurs(path)) return null
  }
  const lock = join(path, lockName)
  // Whoever makes this file, and only he, may look at the mark and empty the directory.
  if (!createOnce(lock)) return null
  if (isHeld(path)) {
    rmSync(lock, { force: true })
    return null
  }
  for (const entry of readdirSync(path))
    if (entry !== lockName) rmSync(join(path, entry), { recursive: true, force: true })
  writeMark(path, processIdentity(process.pid))
  rmSync(lock, { force: true })
  return { path, release: () => writeMark(path, null) }
}

/** A directory, no link to one, of this user, empty or with the tour's mark. */
function isOurs(path: string): boolean {
  const stat = lstatSync(path)
  if (!stat.isDirectory() || stat.uid !== (process.getuid?.() ?? stat.uid)) return false
  const entries = readdirSync(path)
  return entries.length === 0 || entries.includes(markName)
}

function isHeld(path: string): boolean {
  let holder: unknown
  try {
    holder = JSON.parse(readFileSync(join(path, markName), 'utf8')).holder
  } catch {
    return false
  }
  return typeof holder === 'string' && livingProcess(holder) !== null
}

function writeMark(path: string, holder: string | null): void {
  const mark = { what: 'state of a Hermetic tour; the next one empties this directory', holder }
  writeFileSync(join(path, markName), `${JSON.stringify(mark)}\n`)
}

/** False when it exists. One left by a tour that was killed in these few milliseconds costs its name, and no more. */
function createOnce(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600))
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** More than anybody starts at once. */
const mostTours = 50
const markName = '.hermetic-tour'
const lockName = '.hermetic-tour.lock'
