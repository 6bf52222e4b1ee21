/**
 * Which candidates are tried in one attempt, and in which order: those that failed lately last, better late than never when they are all there is.
 *
 * It is asked at each attempt, because what is learned changes faster than an itinerary. A hostile zone can name hundreds of hosts, and an attempt
 * that tried them all would not end in a day; RFC 5321 §5.1 asks for two addresses at least.
 */
import { type Knowledge, longestAvoidMs } from '../knowledge/knowledge.ts'
import type { Candidate } from './types.ts'

export interface InOrderOfHope {
  readonly tried: readonly Candidate[]
  /** Left out because they are too many. They did not refuse anything. */
  readonly left: readonly Candidate[]
}

export function inOrderOfHope(
  candidates: readonly Candidate[],
  knowledge: Pick<Knowledge, 'hint'>,
  nowMs: number,
): InOrderOfHope {
  const failedLately = candidates.filter(({ address, port }) => {
    const leftMs = (knowledge.hint(`${address}:${port}`)?.avoidUntilMs ?? 0) - nowMs
    // Longer than anything is avoided for: noted when the clock was ahead.
    return leftMs > 0 && leftMs <= longestAvoidMs
  })
  const ordered =
    failedLately.length === 0
      ? candidates
      : [...candidates.filter(candidate => !failedLately.includes(candidate)), ...failedLately]
  return { tried: ordered.slice(0, maxTried), left: ordered.slice(maxTried) }
}

/** Addresses tried in one attempt. */
export const maxTried = 10
