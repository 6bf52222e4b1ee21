/** The version of this program, from its own package.json. */
import { readFileSync } from 'node:fs'

/** Read once. `unknown` only when the installation is incomplete. */
export function version(): string {
  known ??= read()
  return known
}

let known: string | undefined

function read(): string {
  try {
    const parsed: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    return parsed instanceof Object && 'version' in parsed ? String(parsed.version) : 'unknown'
  } catch {
    return 'unknown'
  }
}
