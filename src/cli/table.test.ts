import { describe, expect, test } from 'vitest'
import { senderText, shared } from './table.ts'

describe('two columns that share a width', () => {
  const long = ['x'.repeat(80)]
  test.each<[string, string[], string[], [number, number]]>([
    ['each get what they need', ['alice@sender.example.org'], ['b@c.example'], [25, 25]],
    ['the longer gets what the shorter leaves', ['a@b.example'], long, [12, 38]],
    ['on either side', long, ['a@b.example'], [38, 12]],
    ['halves where both are long', long, long, [25, 25]],
    ['room for their titles when empty', [], [], [5, 45]],
  ])('%s', (_title, left, right, widths) => {
    expect(shared(50, [left, right])).toEqual(widths)
  })

  test('count what is shown, not what came', () => {
    expect(shared(50, [['\u202e'.repeat(3)], []])[0]).toBe(19)
  })
})

test('a sender stands without brackets, and the null sender as <>', () => {
  expect([senderText('a@b.example'), senderText('')]).toEqual(['a@b.example', '<>'])
})
