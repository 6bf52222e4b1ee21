/**
 * Ctrl-C, or being told to end, for commands that have something to put away first: they stop at once, in order, and exit as a shell expects of a signal (130).
 *
 * A second time the process ends at once.
 */
import type { RelayUnderTest } from '../lab/relay-under-test.ts'
import { CliFailure } from './failure.ts'

/** Aborted by the first signal, with the failure that the command ends with. */
export function firstSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      // The terminal has written ^C into the line.
      if (signal === 'SIGINT' && process.stderr.isTTY === true) process.stderr.write('\n')
      controller.abort(new CliFailure('cli.interrupted', 'interrupted', ''))
    })
  return controller.signal
}

/** Rejects with the interruption when that comes first. */
export function orInterrupted<T>(work: Promise<T>, interruption: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    aborted(interruption).then((): never => {
      throw interruption.reason
    }),
  ])
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The relay as the lab sees it, which rejects every question from the interruption on: a scenario in play ends then, instead of waiting for answers. */
export function whileUp(relay: RelayUnderTest, interruption: AbortSignal): RelayUnderTest {
  const unlessInterrupted = async <T>(question: () => Promise<T>): Promise<T> => {
    interruption.throwIfAborted()
    return await question()
  }
  return {
    smtp: relay.smtp,
    settled: deadlineMs => unlessInterrupted(() => orInterrupted(relay.settled(deadlineMs), interruption)),
    life: message => unlessInterrupted(() => relay.life(message)),
    session: id => unlessInterrupted(() => relay.session(id)),
    incidents: () => unlessInterrupted(() => relay.incidents()),
  }
}
