import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createWatchdog } from './watchdog.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function watched() {
  const expired = vi.fn<() => void>()
  return { expired, watchdog: createWatchdog(expired) }
}

test('runs out once, at the limit set last', () => {
  const { expired, watchdog } = watched()
  watchdog.arm(1_000)
  vi.advanceTimersByTime(900)
  watchdog.arm(1_000)
  vi.advanceTimersByTime(900)
  expect(expired).not.toHaveBeenCalled()
  vi.advanceTimersByTime(200)
  expect(expired).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(10_000)
  expect(expired).toHaveBeenCalledTimes(1)
})

test('a nearer limit holds, although the timer was set for a farther one', () => {
  const { expired, watchdog } = watched()
  watchdog.arm(600_000)
  watchdog.arm(50)
  vi.advanceTimersByTime(60)
  expect(expired).toHaveBeenCalledTimes(1)
})

test('disarmed it stays quiet, and can be armed again', () => {
  const { expired, watchdog } = watched()
  watchdog.arm(100)
  watchdog.disarm()
  vi.advanceTimersByTime(1_000)
  expect(expired).not.toHaveBeenCalled()
  watchdog.arm(100)
  vi.advanceTimersByTime(150)
  expect(expired).toHaveBeenCalledTimes(1)
})

test('a thousand steps need no thousand timers', () => {
  const { watchdog } = watched()
  const set = vi.spyOn(globalThis, 'setTimeout')
  for (let step = 0; step < 1_000; step++) watchdog.arm(300_000)
  expect(set).toHaveBeenCalledTimes(1)
})

test('stopped it holds no timer', () => {
  const { watchdog } = watched()
  watchdog.arm(100)
  watchdog.stop()
  expect(vi.getTimerCount()).toBe(0)
})
