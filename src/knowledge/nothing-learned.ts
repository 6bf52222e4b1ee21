/** A knowledge that knows nothing and keeps nothing, for commands beside the relay: they neither read nor change what it has learned of hosts. */
import type { Knowledge } from './knowledge.ts'

export const nothingLearned: Knowledge = {
  hint: () => null,
  failed() {},
  answered() {},
  hints: () => [],
  count() {},
  counters: () => ({}),
  close: () => Promise.resolve(),
}
