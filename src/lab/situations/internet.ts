/** The zones above all others: a root of the lab's own and the top level, and what is not in its tree, names of a local network. */

import { worldZone } from '../signing/signed-world.ts'
import type { Situation } from '../situation.ts'

export const internet: Situation = {
  scenarios: [],
  stage: () => ({
    zones: [
      // As the real one: RSA, NSEC, a key for keys and one for the rest.
      worldZone('', [], { algorithms: [8], keys: 'split' }),
      worldZone('example', [], { algorithms: [13], keys: 'split', denial: nsec3 }),
    ],
  }),
}

const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const
