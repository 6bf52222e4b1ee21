/**
 * The work that one peer may cause by its certificates, counted at one door.
 *
 * Success of `spend` means that the work may be done. Once refused, everything is refused: what is found out afterwards would be half a search,
 * and half a search must not become a verdict. It measures no time: the same input costs the same everywhere.
 */
import type { Budget, Work } from './path-types.ts'

/**
 * What one verdict may cost. All together stay below a tenth of a second on one core of a small machine.
 */
export const defaultLimits: Readonly<Record<Work, number>> = {
  /**
   * One unit: an RSA verification with 2,048 bits and the usual exponent, some 30 µs. A chain of four with P-384 throughout takes 63, three of
   * RSA-4096 take 12. The worst 1,500 units can mean is some 50 ms (and 24 keys of 16,384 bits).
   */
  signatures: 1500,
  /** A chain of three takes five; ten authorities that all signed each other, ninety certificates in one message, take a thousand. */
  steps: 5000,
  /** 500 constraints over 500 names. Real issuers have some ten constraints; the largest known have a few hundred. */
  'name-comparisons': 250_000,
}

/** A new budget; what `limits` leaves out is as in `defaultLimits`. */
export function createBudget(limits: Partial<Readonly<Record<Work, number>>> = {}): Budget {
  const allowed = { ...defaultLimits, ...limits }
  const spent: Record<Work, number> = { signatures: 0, steps: 0, 'name-comparisons': 0 }
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
