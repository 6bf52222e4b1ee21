/** A time given on the command line. */
import { visible } from '../judgement/visible.ts'
import { CliFailure } from './failure.ts'
import { parseRfc3339 } from './rfc3339.ts'

/** @returns milliseconds since 1970. @throws CliFailure 64 when it is not RFC 3339. */
export function timeOption(text: string, option: string): number {
  const atMs = parseRfc3339(text)
  if (atMs !== null) return atMs
  throw new CliFailure(
    'cli.usage',
    `${option} '${visible(text, 60)}' is not a time as RFC 3339 writes it, with its offset`,
    `For example ${option} 2026-03-01T12:00:00Z or ${option} 2026-03-01T13:00:00+01:00`,
  )
}
