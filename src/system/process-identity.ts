/**
 * A process by its number and the moment it began: numbers are used again, and whoever ends a process by its number alone may end another's.
 *
 * Known only where there is /proc (Linux).
 */
import { readFileSync } from 'node:fs'

/** `1234 5678901`; null when there is no such process, or it is not known here. */
export function processIdentity(pid: number): string | null {
  try {
    // proc(5): field 22 is the start time; the second, the command in parentheses, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')
    return `${pid} ${fields?.[19] ?? ''}`
  } catch {
    return null
  }
}

/** The number of the process that this identity is of; null when it is gone. */
export function livingProcess(identity: string): number | null {
  const pid = Number(identity.split(' ')[0])
  return Number.isSafeInteger(pid) && pid > 0 && processIdentity(pid) === identity ? pid : null
}
