/**
 * A process by its number and the moment it began: numbers are used again, and whoever ends a process by its number alone may end another's.
 *
 * Known only where there is /proc (Linux).
 */
import { readFileSync } from 'node:fs'

/** `1234 5678901`; null when there is no such process, when it has ended and only waits to be noticed (a zombie), or when that is not known here. */
export function processIdentity(pid: number): string | null {
  try {
    // proc(5): field 3 is the state, field 22 the start time; the second, the command in parentheses, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')
    return fields?.[0] === 'Z' || fields?.[0] === 'X' ? null : `${pid} ${fields?.[19] ?? ''}`
  } catch {
    return null
  }
}

/** The number of the process that this identity is of; null when it is gone. */
export function livingProcess(identity: string): number | null {
  const pid = Number(identity.split(' ')[0])
  return Number.isSafeInteger(pid) && pid > 0 && processIdentity(pid) === identity ? pid : null
}
