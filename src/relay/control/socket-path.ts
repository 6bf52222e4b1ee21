/** Where the control socket of a relay is, by its state directory. */
import { type SocketPath, socketPathIn } from '../../system/socket-path.ts'

export const controlSocketName = 'control.sock'

/** Throws what node:fs throws when the directory is long and cannot be opened. */
export function socketPath(stateDirectory: string): SocketPath {
  return socketPathIn(stateDirectory, controlSocketName)
}
