/**
 * What the configuration takes from the machine: files, environment, user. As a value, so that tests and the tour can give their own;
 * and the two rules that depend on it: which file is read, and where state lives.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'

export interface Surroundings {
  readonly env: { readonly HERMETIC_CONFIG?: string | undefined; readonly XDG_STATE_HOME?: string | undefined }
  readonly isRoot: boolean
  readonly home: string
  readonly hostname: string
  readonly directory: string
  exists(path: string): boolean
  /** The file's text; throws what node:fs throws. */
  read(path: string): string
}

export function realSurroundings(): Surroundings {
  return {
    env: process.env,
    isRoot: process.getuid?.() === 0,
    home: homedir(),
    hostname: hostname(),
    directory: workingDirectory(),
    exists: existsSync,
    read(path) {
      if (statSync(path).size > largestReadBytes) throw new Error('the file is larger than 64 MB')
      return readFileSync(path, 'utf8')
    },
  }
}

/** One that was deleted has no name. Nothing can be found from there, and most commands need not. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}

/** The file to read: `--config`, else $HERMETIC_CONFIG, else /etc/hermetic/hermetic.yaml if it is there, else none (null). */
export function configurationFile(option: string | null, surroundings: Surroundings): string | null {
  const named = option ?? surroundings.env.HERMETIC_CONFIG ?? ''
  if (named !== '') return named
  return surroundings.exists(systemFile) ? systemFile : null
}

/**
 * Where state lives when the file does not say. The system's file means the system's state for everybody: so that a user's `sendmail` drops its mail
 * where root's relay looks.
 */
export function stateDirectory({ env, isRoot, home }: Surroundings, file: string | null): string {
  if (isRoot || file === systemFile) return '/var/lib/hermetic'
  const base = env.XDG_STATE_HOME
  // The XDG specification: a path that is not absolute is to be ignored.
  return base?.startsWith('/') ? join(base, 'hermetic') : join(home, '.local/state/hermetic')
}

const systemFile = '/etc/hermetic/hermetic.yaml'
const largestReadBytes = 64 * 1024 * 1024
