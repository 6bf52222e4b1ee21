/**
 * Where compiled code is kept, so that starting is quick and no thread loads the compiler again (some 25 MB each).
 *
 * What lies there is run without a question: whoever can write to it runs code as us. So it must be ours alone, all the way up to the root, as ssh asks
 * of its keys: in the checkout when that is ours, else in the user's own cache, else nowhere. Node's own choice, a directory in /tmp
 * that the first user to come makes for all others, is never taken.
 *
 * JavaScript with types in comments: it runs before there is a cache, and one TypeScript file more or less loads the compiler or does not.
 */
import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * @typedef {object} CompileCachePlaces
 * @property {string} packages The checkout's `node_modules`.
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {number | null} uid Who we are; null where users have no numbers.
 */

/** From here on, compiled code is kept; does nothing where there is no place for it. */
export function keepCompiledCode() {
  // Set by whoever started us: Node has taken it already, and the choice is his.
  if ((process.env['NODE_COMPILE_CACHE'] ?? '') !== '') return
  const packages = join(import.meta.dirname, '..', '..', 'node_modules')
  const directory = compileCacheDirectory({ packages, env: process.env, uid: process.getuid?.() ?? null })
  if (directory === null) return
  enableCompileCache(directory)
  // Threads look for it here.
  process.env['NODE_COMPILE_CACHE'] = directory
}

/**
 * A directory that is there and nobody else can write to; null when there is no such place.
 *
 * @param {CompileCachePlaces} places
 * @returns {string | null}
 */
export function compileCacheDirectory({ packages, env, uid }) {
  if (uid === null) return null
  const home = env['HOME'] ?? ''
  const xdg = env['XDG_CACHE_HOME'] ?? ''
  return (
    within(packages, ['.cache', 'compiled'], uid) ??
    (xdg.startsWith('/') ? within(xdg, ['hermetic', 'compiled'], uid) : null) ??
    (home.startsWith('/') ? within(home, ['.cache', 'hermetic', 'compiled'], uid) : null)
  )
}

/**
 * Makes what is missing under `base`, as long as all of it is ours.
 *
 * @param {string} base
 * @param {readonly string[]} names
 * @param {number} uid
 * @returns {string | null}
 */
function within(base, names, uid) {
  try {
    let directory = realpathSync(base)
    if (!isOurs(directory, uid) || !isOutOfReach(dirname(directory), uid)) return null
    for (const name of names) {
      directory = join(directory, name)
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      // A link would lead out of what was looked at.
      if (realpathSync(directory) !== directory || !isOurs(directory, uid)) return null
    }
    // Node makes directories in it by the umask, which may be none.
    chmodSync(directory, 0o700)
    return directory
  } catch {
    // Missing, a file, not for us: whatever it is, that place is none.
    return null
  }
}

/**
 * @param {string} directory
 * @param {number} uid
 */
function isOurs(directory, uid) {
  const status = statSync(directory)
  return status.isDirectory() && status.uid === uid && (status.mode & writableByOthers) === 0
}

/**
 * Nobody but root and we can put another directory in the place of one below.
 *
 * @param {string} directory
 * @param {number} uid
 * @returns {boolean}
 */
function isOutOfReach(directory, uid) {
  const { uid: owner, mode } = statSync(directory)
  const isKept = (mode & writableByOthers) === 0 || (mode & sticky) !== 0
  if (!isKept || (owner !== uid && owner !== 0)) return false
  return dirname(directory) === directory || isOutOfReach(dirname(directory), uid)
}

const writableByOthers = 0o022
const sticky = 0o1000
