/**
 * Our own certificate cases: every rule of both profiles and of DANE, broken and kept.
 *
 * What is expected follows from the RFCs that each case names, not from what any program does. Keys are new in every run, all else is
 * the same; the time of the cases is `at` of maker.ts. `cases.test.ts` holds our judges against them, `test/peers` real programs,
 * and `write.ts` puts them into files for a trial by hand.
 */
import type { CertificateCase } from './case.ts'
import { constraintCases } from './constraint-cases.ts'
import { daneCases } from './dane-cases.ts'
import { graphCases } from './graph-cases.ts'
import { nameCases } from './name-cases.ts'
import { pkixCases } from './pkix-cases.ts'

export type { CertificateCase, Expectation } from './case.ts'

/** All of them, made once. */
export function certificateCases(): Promise<readonly CertificateCase[]> {
  made ??= Promise.resolve([...pkixCases(), ...graphCases(), ...nameCases(), ...constraintCases(), ...daneCases()])
  return made
}

let made: Promise<readonly CertificateCase[]> | undefined
