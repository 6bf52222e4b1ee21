/** Where everything lies in the state directory: one place that says it, for the relay and for the commands that look in without it. */
import { join } from 'node:path'
import { controlSocketName } from './control/socket-path.ts'
import { maildropName } from './maildrop/drop.ts'

export interface StatePaths {
  /** Partition 0 of the spool. */
  readonly spool: string
  readonly journal: string
  readonly knowledge: string
  readonly maildrop: string
  /** Keys and certificates made by ourselves. */
  readonly tls: string
  readonly control: string
}

export function statePaths(state: string): StatePaths {
  return {
    spool: join(state, 'spool', '0'),
    journal: join(state, 'journal'),
    knowledge: join(state, 'knowledge'),
    maildrop: join(state, maildropName),
    tls: join(state, 'tls'),
    control: join(state, controlSocketName),
  }
}
