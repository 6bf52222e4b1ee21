import { expect, test } from 'vitest'
import { createDnssecBudget, defaultDnssecLimits } from './budget.ts'

test('work may be done up to the limit, each kind on its own account', () => {
  const budget = createDnssecBudget({ questions: 3 })
  expect(budget.spend('questions', 2)).toBe(true)
  expect(budget.spend('nsec3-hashes', 1000)).toBe(true)
  expect(budget.spend('questions', 1)).toBe(true)
  expect(budget.spent).toEqual({ questions: 3, signatures: 0, digests: 0, 'nsec3-hashes': 1000 })
})

test('once refused, everything is refused: half a validation is no verdict', () => {
  const budget = createDnssecBudget({ questions: 3 })
  expect(budget.spend('questions', 4)).toBe(false)
  expect(budget.spend('questions', 1)).toBe(false)
  expect(budget.spend('signatures', 1)).toBe(false)
  expect(budget.spent).toEqual({ questions: 0, signatures: 0, digests: 0, 'nsec3-hashes': 0 })
})

test('limits that are not given are the default ones', () => {
  const budget = createDnssecBudget()
  for (const work of ['questions', 'signatures', 'digests', 'nsec3-hashes'] as const)
    expect(budget.spend(work, defaultDnssecLimits[work])).toBe(true)
  expect(budget.spend('questions', 1)).toBe(false)
})
