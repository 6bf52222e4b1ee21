/**
 * Where a lab that stays up keeps what others need to find it, and who holds it.
 *
 * One lab at a time is up for each user. The lock is the kernel's (a lock on a file of SQLite's making), so it is never left behind: whoever can take it
 * knows that no lab runs, and that what lies here is of one that has ended. Only a directory that belongs to this user and is no link is used.
 */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { makeDirectories } from '../system/directories.ts'

/** Where to look: passed in by tests. */
export interface Places {
  readonly stateHome: string | undefined
  readonly home: string
  readonly temporary: string
}

export const placesHere = (): Places => ({
  stateHome: process.env['XDG_STATE_HOME'],
  home: homedir(),
  temporary: tmpdir(),
})

/** What lies in a state directory. */
export interface LabPaths {
  readonly directory: string
  readonly anchors: string
  readonly root: string
  readonly configuration: string
  readonly log: string
  /** Name of the socket in the directory. */
  readonly socket: string
}

export function labPaths(directory: string): LabPaths {
  return {
    directory,
    anchors: join(directory, 'anchors'),
    root: join(directory, 'ca.pem'),
    configuration: join(directory, 'hermetic.yaml'),
    log: join(directory, 'lab.log'),
    socket: 'lab.sock',
  }
}

export interface HeldDirectory {
  readonly path: string
  /** Once. Another lab may come up then. */
  release(): void
}

export type Claimed =
  | { readonly kind: 'claimed'; readonly directory: HeldDirectory }
  /** A lab is up there. */
  | { readonly kind: 'held'; readonly path: string }

/**
 * `$XDG_STATE_HOME/hermetic-lab`, else `~/.local/state/hermetic-lab`, else `hermetic-lab-UID` in the temporary directory: the first that can be written.
 * @throws when not even the last can be
 */
export function claimStateDirectory(places: Places = placesHere()): Claimed {
  let refusal: unknown = null
  for (const path of candidates(places)) {
    try {
      makeDirectories(join(path, '..'), 0o700)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      if (!isOurs(path)) throw new Error(`${path} is not a directory of this user`)
      return claim(path)
    } catch (error) {
      refusal = error
    }
  }
  throw refusal
}

/** Those that are there and belong to this user. */
export function stateDirectories(places: Places = placesHere()): readonly string[] {
  return candidates(places).filter(isOurs)
}

/** @throws what the system says against the file of the lock */
export function claim(path: string): Claimed {
  const lock = new DatabaseSync(join(path, lockName), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (isBusy(error)) return { kind: 'held', path }
    throw error
  }
  return { kind: 'claimed', directory: { path, release: () => lock.close() } }
}

/** What a lab made outside its directory, to be removed when it is over: written down before it is made. */
const madeSchema = z.strictObject({
  namespace: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** Device and inode of its file; null while it is being made. */
  id: z.string().nullable(),
  /** What of `/etc/netns/NAME/resolv.conf` was not there before. */
  etc: z.array(z.enum(['/etc/netns', 'directory', 'resolv.conf'])),
})
export type Made = Readonly<z.output<typeof madeSchema>>

/** What is still there of a lab, or belongs to the one that is up; null when it made nothing. @throws Error for a file that was tampered with */
export function readMade(directory: string): Made | null {
  let text: string
  try {
    text = readFileSync(join(directory, madeName), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  return madeSchema.parse(JSON.parse(text))
}

/** Whole or not at all. Null: all of it is gone. */
export function writeMade(directory: string, made: Made | null): void {
  const path = join(directory, madeName)
  if (made === null) {
    rmSync(path, { force: true })
    return
  }
  writeFileSync(`${path}.new`, `${JSON.stringify(made)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

function candidates({ stateHome, home, temporary }: Places): readonly string[] {
  // The XDG rule: a path that is not absolute is to be ignored.
  const states = stateHome !== undefined && isAbsolute(stateHome) ? stateHome : join(home, '.local', 'state')
  return [join(states, 'hermetic-lab'), join(temporary, `hermetic-lab-${process.getuid?.() ?? 'user'}`)]
}

function isOurs(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === (process.getuid?.() ?? stat.uid)
}

/** SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}

const lockName = 'lock'
const madeName = 'made.json'
