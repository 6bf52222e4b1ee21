/** Runs something once after a time, in ms; returns how to call it off. Passed in, so that tests hold the clock. */
export type After = (delayMs: number, run: () => void) => () => void

/** Node's timers, which do not keep the process alive. */
export const afterTimeout: After = (delayMs, run) => {
  const timer = setTimeout(run, delayMs).unref()
  return () => clearTimeout(timer)
}
