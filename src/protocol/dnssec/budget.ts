/**
 * The work that servers may cause by one question, counted at one door.
 *
 * Success of `spend` means that the work may be done. Once refused, everything is refused: what is found out afterwards would be half a validation, and half
 * a validation must not become a verdict. It measures no time: the same answers cost the same everywhere.
 */
import type { DnssecBudget, DnssecWork } from './types.ts'

/** What one question may cost, all its aliases and zones included. Together they stay below half a second on one core of a small machine. */
export const defaultDnssecLimits: Readonly<Record<DnssecWork, number>> = {
  /**
   * Questions to servers. A name five zones deep takes eleven when nothing is known, each alias into another such tree four to eight more; the longest chain of
   * aliases that is followed, cold and everywhere in other zones, stays below.
   */
  questions: 150,
  /**
   * One unit: an RSA verification with 2,048 bits and the usual exponent, some 30 µs. A cold chain of five zones takes some fifteen verifications: 45 units with
   * P-256, 315 when everything is P-384. KeyTrap (CVE-2023-50387) makes one answer cost millions; here it ends after some 75 ms, and each RRset on its own
   * after `maxVerifications`.
   */
  signatures: 2500,
  /** Keys hashed to be compared with a DS, in units of 4 KB. A zone has two to six keys and as many DS. */
  digests: 400,
  /**
   * SHA-1 blocks. A name of ten labels below a zone takes eleven hashes, each of one block for each round: with the 150 additional iterations at most that
   * count as proof, some 1,800 for each denial (CVE-2023-50868, RFC 9276 §3.2).
   */
  'nsec3-hashes': 40_000,
}

/** A new budget for one question; what `limits` leaves out is as in `defaultDnssecLimits`. */
export function createDnssecBudget(limits: Partial<Readonly<Record<DnssecWork, number>>> = {}): DnssecBudget {
  const allowed = { ...defaultDnssecLimits, ...limits }
  const spent: Record<DnssecWork, number> = { questions: 0, signatures: 0, digests: 0, 'nsec3-hashes': 0 }
  let isExhausted = false
  return {
    spent,
    spend(work, amount) {
      if (isExhausted) return false
      if (spent[work] + amount > allowed[work]) {
        isExhausted = true
        return false
      }
      spent[work] += amount
      return true
    },
  }
}
