import { expect, test } from 'vitest'
import type { DnsStanding } from './evidence.ts'
import { standingNotices, standingSeverity } from './standing-text.ts'

const says = ['The resolver 192.0.2.53 does what it does.']

test.each<[DnsStanding, ReturnType<typeof standingSeverity>, readonly string[]]>([
  [{ trust: 'validate', validation: 'works', says: [] }, 'info', ['signatures arrive, and answers are validated']],
  [
    { trust: 'validate', validation: 'works', says },
    'warning',
    ['signatures arrive, and answers are validated', ...says],
  ],
  [{ trust: 'ad', validation: 'works', says: [] }, 'info', ['the resolver validates answers, and is believed']],
  [{ trust: 'validate', validation: 'unavailable', says }, 'warning', says],
  [{ trust: 'ad', validation: 'required', says }, 'error', says],
  [{ trust: 'validate', validation: 'lost', says }, 'error', says],
  [{ trust: 'validate', validation: 'mistimed', says }, 'error', says],
  [{ trust: 'validate', validation: 'unknown', says }, 'warning', says],
  [
    { trust: 'validate', validation: 'unknown', says: [] },
    'info',
    ['it is not known whether answers can be validated'],
  ],
  [{ trust: 'none', validation: 'off', says: [] }, 'info', ['off, as dns.trust says: no TLSA record counts']],
])('%o is told as %s', (standing, severity, texts) => {
  expect(standingSeverity(standing)).toBe(severity)
  expect(standingNotices(standing)).toEqual(
    texts.map((text, i) => ({
      // The good news of a line is not told as a warning for what is said beside it.
      severity: standing.validation === 'works' && i === 0 ? 'info' : severity,
      text,
    })),
  )
})
