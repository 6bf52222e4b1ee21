/** A relay that does not start, as a failure of the command that wanted it: `serve`, `tour`, `lab`. */
import type { Settings } from '../relay/settings.ts'
import { StartFailure, type StartFailureCode } from '../relay/start-failure.ts'
import { StoreRefused } from '../system/sqlite.ts'
import { CliFailure, type FailureCode } from './failure.ts'

/** Every reason why a relay does not start, as a sentence with what to do. What is no known reason is thrown as it is. */
export function startFailure(error: unknown, settings: Settings): unknown {
  if (error instanceof StartFailure) return new CliFailure(exitOf[error.code], error.message, error.hint)
  if (error instanceof StoreRefused) return new CliFailure('cli.store-unreachable', error.message, error.hint)
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new CliFailure(
      'cli.start',
      `this user may not write the state directory ${settings.state}`,
      'Give it to the user who runs the relay, or name another directory as state.',
    )
  return error
}

const exitOf: Readonly<Record<StartFailureCode, FailureCode>> = {
  'start.port-taken': 'cli.start',
  'start.port-forbidden': 'cli.start',
  'start.address-unknown': 'cli.configuration',
  'start.already-runs': 'cli.start',
  'start.certificate': 'cli.configuration',
  'start.store-newer': 'cli.store-unreachable',
  'start.store-damaged': 'cli.store-unreachable',
  'start.state-unwritable': 'cli.start',
  'start.disk-full': 'cli.start',
}
