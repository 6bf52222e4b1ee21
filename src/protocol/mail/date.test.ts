import { expect, test } from 'vitest'
import { mailDate } from './date.ts'

test.each([
  [Date.UTC(2026, 10, 21, 3, 4, 5), 0, 'Sat, 21 Nov 2026 03:04:05 +0000'],
  [Date.UTC(2026, 10, 21, 3, 4, 5, 999), 60, 'Sat, 21 Nov 2026 04:04:05 +0100'],
  // The offset moves the day, the month and the year.
  [Date.UTC(2026, 11, 31, 23, 30, 0), 330, 'Fri, 1 Jan 2027 05:00:00 +0530'],
  [Date.UTC(2027, 0, 1, 1, 0, 0), -210, 'Thu, 31 Dec 2026 21:30:00 -0330'],
  [0, 0, 'Thu, 1 Jan 1970 00:00:00 +0000'],
])('%d at %d minutes east of UTC is %s', (timeMs, offset, text) => {
  expect(mailDate(timeMs, offset)).toBe(text)
})

test('what is written reads back as the same second', () => {
  for (const offset of [-720, -1, 0, 59, 840]) {
    const timeMs = 1_800_000_000_000 + offset * 86_400_000
    expect(Date.parse(mailDate(timeMs, offset))).toBe(timeMs)
  }
})
