/**
 * What becomes of a recipient whose delivery failed: tried again by the schedule, or returned to the sender. Pure.
 *
 * The finding of the failure decides whether waiting can help (ARCHITECTURE decision 3). When it can, the message's age decides how long: the last
 * attempt is made when it expires, and a failure from then on is for good.
 */
import type { Failure } from '../../judgement/failure.ts'
import { entryOf } from '../../judgement/findings.ts'
import type { Reply } from '../../protocol/smtp/reply.ts'
import type { RetrySettings } from '../settings.ts'

export type Fate =
  | { readonly kind: 'delivered'; readonly reply: Reply }
  | { readonly kind: 'deferred'; readonly failure: Failure; readonly nextAttemptAtMs: number }
  /** `last`: what stood in the way when the message expired. */
  | { readonly kind: 'returned'; readonly failure: Failure; readonly last: Failure | null }

/** @param attempts made before this one. @param lasting When it is not what the finding says: a route's 4xx reply. */
export function fateOf(
  failure: Failure,
  { attempts, expiresAtMs }: { readonly attempts: number; readonly expiresAtMs: number },
  { scheduleMs }: RetrySettings,
  nowMs: number,
  lasting: 'for-now' | 'for-good' = entryOf(failure.reason).lasting,
): Fate {
  if (lasting === 'for-good') return { kind: 'returned', failure, last: null }
  if (nowMs >= expiresAtMs)
    return {
      kind: 'returned',
      failure: { reason: 'message.expired', detail: failure.detail, reply: null },
      last: failure,
    }
  const waitMs = scheduleMs[Math.min(attempts, scheduleMs.length - 1)] ?? fallbackWaitMs
  return { kind: 'deferred', failure, nextAttemptAtMs: Math.min(nowMs + waitMs, expiresAtMs) }
}

/** For an empty schedule: RFC 5321 §4.5.4.1 asks for at least half an hour. */
const fallbackWaitMs = 30 * 60_000
