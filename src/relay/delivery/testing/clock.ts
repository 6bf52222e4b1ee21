/** A clock that tests hold in their hands: nothing happens until it is moved. */
import type { After } from '../timer.ts'

export interface Clock {
  now(): number
  readonly after: After
  /** Moves on by `ms`, running what falls due on the way, each at its time, and lets all that follows from it settle. */
  advance(ms: number): Promise<void>
  /** Timers that wait. */
  readonly waiting: number
}

export function createClock(startMs = Date.UTC(2026, 10, 21, 3, 4, 5)): Clock {
  let nowMs = startMs
  let timers: { readonly atMs: number; readonly run: () => void }[] = []
  return {
    now: () => nowMs,
    after: (delayMs, run) => {
      const timer = { atMs: nowMs + delayMs, run }
      timers.push(timer)
      return () => {
        timers = timers.filter(other => other !== timer)
      }
    },
    async advance(ms) {
      const untilMs = nowMs + ms
      await rest()
      for (;;) {
        const next = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined) break
        timers = timers.filter(other => other !== next)
        nowMs = Math.max(nowMs, next.atMs)
        next.run()
        await rest()
      }
      nowMs = untilMs
    },
    get waiting() {
      return timers.length
    },
  }
}

/** Lets everything that can happen without time passing happen. */
export async function rest(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>(resolve => setImmediate(resolve))
}
