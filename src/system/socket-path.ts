/**
 * The path of a Unix socket in a state directory, short enough for the kernel.
 *
 * A Unix socket's path has at most 107 bytes (unix(7), sun_path). State directories can be longer, and then the directory is
 * opened and the socket named through /proc/self/fd, which Linux resolves like any path.
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

export interface SocketPath {
  readonly path: string
  /**
   * Gives back what was opened for it, once: after the socket was closed. The socket file is removed through this path too, and
   * a number given back earlier would by then be somebody else's.
   */
  release(): void
}

/** Throws what node:fs throws when the directory is long and cannot be opened. */
export function socketPathIn(directory: string, name: string): SocketPath {
  const path = join(directory, name)
  if (Buffer.byteLength(path) <= longestPathBytes) return { path, release() {} }
  const opened = openSync(directory, 'r')
  return { path: `/proc/self/fd/${opened}/${name}`, release: () => closeSync(opened) }
}

const longestPathBytes = 107
