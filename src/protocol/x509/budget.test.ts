import { expect, test } from 'vitest'
import { createBudget, defaultLimits } from './budget.ts'

test('work may be done up to the limit, each kind on its own account', () => {
  const budget = createBudget({ steps: 3 })
  expect(budget.spend('steps', 2)).toBe(true)
  expect(budget.spend('name-comparisons', 1000)).toBe(true)
  expect(budget.spend('steps', 1)).toBe(true)
  expect(budget.spent).toEqual({ signatures: 0, steps: 3, 'name-comparisons': 1000 })
})

test('once refused, everything is refused: half a search is no verdict', () => {
  const budget = createBudget({ steps: 3 })
  expect(budget.spend('steps', 4)).toBe(false)
  expect(budget.spend('steps', 1)).toBe(false)
  expect(budget.spend('signatures', 1)).toBe(false)
  expect(budget.spent).toEqual({ signatures: 0, steps: 0, 'name-comparisons': 0 })
})

test('limits that are not given are the default ones', () => {
  const budget = createBudget()
  for (const work of ['signatures', 'steps', 'name-comparisons'] as const)
    expect(budget.spend(work, defaultLimits[work])).toBe(true)
  expect(budget.spend('steps', 1)).toBe(false)
})
