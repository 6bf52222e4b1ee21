/**
 * One time limit for one connection, moved on at every step. Moving it costs an assignment: the timer underneath is only
 * set anew when it runs out too early, or when the new limit is nearer than what it was set for.
 */

export interface Watchdog {
  /** From now on, `ms` without another call runs `expired` once. */
  arm(ms: number): void
  /** Nothing is awaited. */
  disarm(): void
  /** As `disarm`, and lets go of the timer. */
  stop(): void
}

export function createWatchdog(expired: () => void): Watchdog {
  let deadline = Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  let firesAt = Number.POSITIVE_INFINITY

  function set(now: number) {
    if (timer !== null) clearTimeout(timer)
    firesAt = deadline
    timer = setTimeout(fired, Math.max(1, deadline - now))
  }
  function fired() {
    timer = null
    firesAt = Number.POSITIVE_INFINITY
    if (deadline === Number.POSITIVE_INFINITY) return
    const now = performance.now()
    if (now < deadline) return set(now)
    deadline = Number.POSITIVE_INFINITY
    expired()
  }
  return {
    arm(ms) {
      const now = performance.now()
      deadline = now + ms
      if (deadline < firesAt) set(now)
    },
    disarm() {
      deadline = Number.POSITIVE_INFINITY
    },
    stop() {
      deadline = Number.POSITIVE_INFINITY
      firesAt = Number.POSITIVE_INFINITY
      if (timer !== null) clearTimeout(timer)
      timer = null
    },
  }
}
