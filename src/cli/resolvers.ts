/** The DNS as the relay sees it, for commands beside it: the same settings, and what the relay remembers of the servers, as far as this user may read it. */
import { readValidationMemory } from '../knowledge/knowledge-reader.ts'
import { createResolvers, type Resolvers } from '../relay/resolvers.ts'
import type { Settings } from '../relay/settings.ts'
import { statePaths } from '../relay/state-paths.ts'

/** To be closed by the caller. Nothing is asked yet. */
export function resolversOf({ dns, state }: Settings): Resolvers {
  return createResolvers(dns, { memory: readValidationMemory(statePaths(state).knowledge) })
}
