/**
 * When messages are taken out of the spool: when somebody says that there are some, when room becomes free, and by one timer when the next falls
 * due. Never more than there is room for, and never two looks at a time.
 */
import type { Spool, StoredMessage } from '../../spool/spool.ts'
import type { After } from './timer.ts'

export interface Taking {
  /** There may be something due now. */
  look(): void
  /** Something falls due then. */
  dueAt(timeMs: number): void
  /** Somebody is about to put back what there was no room for: look as soon as there is, and in a while at the latest. */
  expect(): void
  /** A message left memory. */
  roomFreed(): void
  /** Nothing is being looked for, and nothing known to be due waits for room (which counts no more after `stop`). */
  readonly idle: boolean
  stop(): void
}

export function createTaking(parts: {
  readonly spool: Pick<Spool, 'take' | 'counts'>
  readonly now: () => number
  readonly after: After
  /** How many messages there is room for now. */
  readonly room: () => number
  /** Half of the room is free again: time to look for more. */
  readonly plenty: () => boolean
  readonly taken: (message: StoredMessage) => void
  /** The look is over. */
  readonly looked: () => void
  readonly failed: (error: unknown) => void
}): Taking {
  const { spool, now, after, room, plenty, taken, looked, failed } = parts
  let hasMore = false
  let isLooking = false
  let isStopped = false
  let timer: { readonly atMs: number; readonly cancel: () => void } | null = null

  async function lookNow(): Promise<void> {
    isLooking = true
    try {
      while (hasMore && !isStopped) {
        const limit = Math.min(batch, room())
        if (limit <= 0) return
        // Cleared before the question: what is said meanwhile counts for the next round.
        hasMore = false
        const messages = await spool.take(now(), limit)
        if (messages.length === limit) hasMore = true
        for (const message of messages) taken(message)
      }
      const { nextAttemptAtMs } = await spool.counts()
      if (nextAttemptAtMs !== null) dueAt(nextAttemptAtMs)
    } catch (error) {
      failed(error)
      dueAt(now() + afterFaultMs)
    } finally {
      isLooking = false
      looked()
    }
  }

  function look(): void {
    hasMore = true
    if (!isLooking && !isStopped && room() > 0) void lookNow()
  }

  function dueAt(timeMs: number): void {
    if (isStopped || (timer !== null && timer.atMs <= timeMs)) return
    timer?.cancel()
    const cancel = after(Math.min(Math.max(timeMs - now(), coarseMs), longestMs), () => {
      timer = null
      look()
    })
    timer = { atMs: timeMs, cancel }
  }

  return {
    look,
    dueAt,
    expect() {
      hasMore = true
      dueAt(now() + expectMs)
    },
    roomFreed() {
      if (hasMore && !isLooking && !isStopped && plenty()) void lookNow()
    },
    get idle() {
      return !isLooking && (isStopped || (!hasMore && (timer === null || timer.atMs > now())))
    },
    stop() {
      isStopped = true
      timer?.cancel()
      timer = null
    },
  }
}

/** Messages of one look at the spool. */
const batch = 100
/** Looks are this far apart at least when a timer asks for them: what falls due together is taken together. */
const coarseMs = 100
/** Longer than Node's timers go would fire at once. */
const longestMs = 24 * 60 * 60_000
/** What is put back a moment after it was looked for is found by then. */
const expectMs = 1_000
const afterFaultMs = 10_000
