/** Every scenario of the lab, in the order in which they are listed and played. What has to be there for each stands beside it, in situations/. */
import type { Scenario } from './scenario.ts'
import { groups } from './world.ts'

export type { Scenario } from './scenario.ts'

export const scenarios: readonly Scenario[] = groups
  .flatMap(({ situations }) => situations)
  .flatMap(situation => situation.scenarios)
