import { expect, test } from 'vitest'
import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'
import { noData } from '../protocol/dns/testing/replay.ts'
import type { Walk } from '../protocol/walk.ts'
import type { Resolver } from './resolver.ts'
import { drive } from './walk-driver.ts'

const question = (name: string): DnsQuestion => ({ name, type: 'A' })

/** Asks for each list in turn, and returns who answered what. */
function* lists(...names: readonly (readonly string[])[]): Walk<DnsQuestion, DnsAnswer, string[]> {
  const seen: string[] = []
  for (const list of names) {
    const answers = yield list.map(question)
    seen.push(...answers.map(answer => `${answer.question.name}: ${answer.why ?? answer.outcome}`))
  }
  return seen
}

test('questions of one step are under way at the same time, and answered in their order', async () => {
  const waiting: (() => void)[] = []
  const resolver: Resolver = {
    resolve: ({ name, type }) =>
      new Promise(resolve => {
        waiting.push(() => resolve(noData(name, type)))
        // Nobody is answered before both have asked, and then the last one first.
        if (waiting.length === 2) for (const answer of waiting.reverse()) answer()
      }),
    close: () => Promise.resolve(),
  }
  expect(await drive(lists(['a', 'b']), resolver)).toEqual(['a: no-data', 'b: no-data'])
})

test('questions beyond the budget are not asked, and fail', async () => {
  const asked: string[] = []
  const resolver: Resolver = {
    resolve: ({ name, type }) => {
      asked.push(name)
      return Promise.resolve(noData(name, type))
    },
    close: () => Promise.resolve(),
  }
  expect(await drive(lists(['a'], ['b', 'c'], ['d']), resolver, 2)).toEqual([
    'a: no-data',
    'b: no-data',
    'c: too many questions for one destination',
    'd: too many questions for one destination',
  ])
  expect(asked).toEqual(['a', 'b'])
})

test('a walk that asks nothing returns at once', async () => {
  const resolver: Resolver = { resolve: () => Promise.reject(new Error('asked')), close: () => Promise.resolve() }
  expect(await drive(lists(), resolver)).toEqual([])
})

test('one walk has no more than ten questions under way, so that it cannot hold up all others', async () => {
  let underWay = 0
  let most = 0
  const resolver: Resolver = {
    async resolve({ name, type }) {
      most = Math.max(most, ++underWay)
      await new Promise(resolve => setImmediate(resolve))
      underWay--
      return noData(name, type)
    },
    close: () => Promise.resolve(),
  }
  const names = Array.from({ length: 41 }, (_, i) => `host${i}`)
  expect(await drive(lists(names), resolver)).toHaveLength(41)
  expect(most).toBe(10)
})
