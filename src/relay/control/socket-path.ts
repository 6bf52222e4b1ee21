/**
 * The path of the control socket, short enough for the kernel.
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

const longestPathBytes = 107

export const controlSocketName = 'control.sock'

/** Throws what node:fs throws when the directory is long and cannot be opened. */
export function socketPath(stateDirectory: string): SocketPath {
  const path = join(stateDirectory, controlSocketName)
  if (Buffer.byteLength(path) <= longestPathBytes) return { path, release() {} }
  const directory = openSync(stateDirectory, 'r')
  return { path: `/proc/self/fd/${directory}/${controlSocketName}`, release: () => closeSync(directory) }
}
