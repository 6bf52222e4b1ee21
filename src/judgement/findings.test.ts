import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { passingDnsReasons } from '../protocol/dns/reasons.ts'
import type { Failure, ReasonCode } from './failure.ts'
import { enhancedStatus, entryOf, findingFor, findings } from './findings.ts'
import { findingsPage } from './testing/findings-page.ts'

const codes = Object.keys(findings).filter((code): code is ReasonCode => code in findings)
const hostile = '\u001b[2J\r\n\u202e'
const plain = (reason: ReasonCode): Failure => ({ reason, detail: null, reply: null })

describe.each(codes)('%s', code => {
  const entry = entryOf(code)

  test('its status has the class of its lasting', () => {
    expect(entry.enhanced).toMatch(entry.lasting === 'for-now' ? /^4\.\d\.\d{1,2}$/ : /^5\.\d\.\d{1,2}$/)
  })

  test('its texts are whole sentences, with and without details', () => {
    for (const finding of [
      findingFor(plain(code), null),
      findingFor(
        { reason: code, detail: 'what was seen', reply: { code: 450, enhanced: '4.7.1', lines: ['no', 'way'] } },
        'mx.example',
      ),
    ])
      for (const sentence of [finding.says, finding.remedy]) {
        expect(sentence).toMatch(/^(\p{Lu}|mx\.example ).*\.$/u)
        expect(sentence).not.toMatch(/undefined|null(?! MX)| {2}|\.\.$/)
      }
  })

  test('nothing from outside reaches its texts unescaped', () => {
    const failure: Failure = {
      reason: code,
      detail: hostile,
      reply: { code: 550, enhanced: null, lines: [hostile] },
    }
    const { says, remedy } = findingFor(failure, `mx${hostile}.example`)
    expect(says + remedy).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  test('its citation has our form', () => {
    if (entry.spec !== null) expect(entry.spec).toMatch(/^RFC \d{3,4} §\d+(\.\d+)*$/)
  })
})

test('which DNS reasons may pass is one list, whoever asks', () => {
  const passing = codes.filter(code => code.startsWith('dns.') && entryOf(code).lasting === 'for-now')
  expect([...passingDnsReasons].sort()).toEqual(passing.sort())
})

test('detail and reply are told', () => {
  const failure: Failure = {
    reason: 'smtp.recipient-refused-for-good',
    detail: null,
    reply: { code: 550, enhanced: '5.1.1', lines: ['no such user', 'here'] },
  }
  expect(findingFor(failure, 'mx.example').says).toBe(
    'mx.example refused this recipient: “550 5.1.1 no such user / here”.',
  )
})

test('the peer’s own status goes into a DSN when its class fits, else the register’s', () => {
  const failure = (enhanced: string | null): Failure => ({
    reason: 'smtp.recipient-refused-for-good',
    detail: null,
    reply: { code: 550, enhanced, lines: [] },
  })
  expect(enhancedStatus(failure('5.2.1'))).toBe('5.2.1')
  expect(enhancedStatus(failure('4.2.1'))).toBe('5.1.1')
  expect(enhancedStatus(failure(null))).toBe('5.1.1')
  expect(enhancedStatus(plain('dns.null-mx'))).toBe('5.1.10')
})

describe('something in the sources produces', () => {
  const root = join(import.meta.dirname, '..')
  /** Where codes are only named, or explained. */
  const registers = /^judgement\/(findings|failure)\.ts$|^judgement\/findings\//
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing\/|\/reasons\.ts$/.test(file))
    .filter(file => !registers.test(file))
    .map(file => readFileSync(join(root, file), 'utf8').replace(/^ *(\/?\*|\/\/).*$|^ *'[a-z0-9.-]+':/gm, ''))
    .join('\n')
  /** Codes that are put together: `smtp.${what}-refused-for-good`. */
  const templates = [...sources.matchAll(/`([a-z]+\.[a-z-]*)\$\{\w+\}([a-z-]*)`/g)]

  test.each(codes)('%s', code => {
    const isPutTogether = templates.some(
      ([, start = '', end = '']) => code.startsWith(start) && code.endsWith(end),
    )
    expect(isPutTogether || sources.includes(`'${code}'`)).toBe(true)
  })
})

describe('docs/findings.md', () => {
  test('is what the register says (vitest -u writes it anew)', async () => {
    await expect(findingsPage()).toMatchFileSnapshot('../../docs/findings.md')
  })

  test('has every code, and no other', () => {
    const told = [...findingsPage().matchAll(/^### `(.+)`$/gm)].map(([, code]) => code)
    expect(told.toSorted()).toEqual(codes.toSorted())
  })
})
