/**
 * Zones for benchmarks of validation: a root, and below it chains that share nothing but it, each a top-level domain with one zone, all of one algorithm, NSEC3
 * without salt and iterations. The keys are those of this process.
 */
import { createSignedWorld, type SignedWorld, worldZone } from '../../src/lab/signing/signed-world.ts'

/** One kind of answer, and the questions that get it. */
export interface AnswerCase {
  readonly label: string
  /** What an answer should be, beside secure. */
  readonly outcome: 'records' | 'no-data'
  /** @param index of the name in its zone, from 0 */
  question(chain: number, index: number): string
}

export const answerCases: readonly AnswerCase[] = [
  {
    label: 'TLSA records',
    outcome: 'records',
    question: (chain, index) => `_25._tcp.mx${index}.${zoneName(chain)} TLSA`,
  },
  {
    label: 'no data, by NSEC3',
    outcome: 'no-data',
    question: (chain, index) => `mx${index}.${zoneName(chain)} AAAA`,
  },
  {
    label: 'from a wildcard, NSEC3',
    outcome: 'records',
    question: (chain, index) => `name${index}.wild.${zoneName(chain)} A`,
  },
]

/** @param names in each zone that the first two cases ask for */
export function signedZones(algorithm: number, chains: number, names: number): SignedWorld {
  const signing = {
    algorithms: [algorithm],
    denial: { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' },
  } as const
  const zones = Array.from({ length: chains }, (_, chain) => {
    const apex = zoneName(chain)
    const hosts = Array.from({ length: names }, (_, index) => [
      `mx${index}.${apex} 3600 A 192.0.2.${index % 256}`,
      `_25._tcp.mx${index}.${apex} 3600 TLSA 3 1 1 ${'00112233'.repeat(8)}`,
    ])
    return [
      worldZone(`top${chain}`, [], signing),
      worldZone(apex, [...hosts.flat(), `*.wild.${apex} 3600 A 192.0.2.4`], signing),
    ]
  })
  return createSignedWorld({ zones: [worldZone('', [], signing), ...zones.flat()], nowMs: Date.now() })
}

function zoneName(chain: number): string {
  return `zone.top${chain}`
}
