/** The walk alone: which questions it asks, over answers that are made up. */
import { describe, expect, test } from 'vitest'
import { formatName, type Name, parseName } from '../protocol/dns/name.ts'
import { typeName } from '../protocol/dns/numbers.ts'
import { makeRecord } from '../protocol/dns/records.ts'
import type { ValidatedAnswer, WireQuestion } from '../protocol/dnssec/types.ts'
import { type AuditAnswers, maxAuditedHosts, zoneQuestions } from './zone-questions.ts'

const nameOf = (text: string): Name => parseName(text) ?? []
const textOf = ({ name, type }: WireQuestion) => `${formatName(name)} ${typeName(type)}`

function answer(question: WireQuestion, rest: Partial<ValidatedAnswer>): ValidatedAnswer {
  return {
    question,
    outcome: 'no-data',
    security: 'secure',
    endSecurity: 'secure',
    records: [],
    aliases: [],
    ttlSeconds: 60,
    reason: null,
    steps: [],
    server: null,
    ...rest,
  }
}

/** Whatever is not in the table does not exist at its name. */
function walked(domain: string, table: Readonly<Record<string, Partial<ValidatedAnswer>>>) {
  const walk = zoneQuestions(nameOf(domain), 'unused')
  const asked: string[] = []
  let step = walk.next()
  while (step.done !== true) {
    asked.push(...step.value.map(textOf))
    step = walk.next(step.value.map(question => answer(question, table[textOf(question)] ?? {})))
  }
  const result: AuditAnswers = step.value
  return { asked, ...result, apexText: formatName(result.apex) }
}

const apexAt = (zone: string) => ({ [`${zone} SOA`]: { outcome: 'records' } as const })
const mxOf = (domain: string, ...hosts: readonly (readonly [preference: number, exchange: string])[]) => ({
  [`${domain} MX`]: {
    outcome: 'records' as const,
    records: hosts.map(([preference, exchange]) => makeRecord(domain, 60, { type: 'MX', preference, exchange })),
  },
})

describe('the zone is', () => {
  test('the domain, where that has a SOA', () => {
    expect(walked('a.example', apexAt('a.example')).apexText).toBe('a.example')
  })

  test('the next one above that has one', () => {
    const { apexText, asked } = walked('x.y.a.example', apexAt('a.example'))
    expect(apexText).toBe('a.example')
    expect(asked.filter(each => each.endsWith(' SOA'))).toEqual([
      'x.y.a.example SOA',
      'y.a.example SOA',
      'a.example SOA',
    ])
  })

  test('not where an alias leads', () => {
    const alias = {
      from: nameOf('w.a.example'),
      to: nameOf('b.example'),
      by: 'CNAME',
      security: 'secure',
    } as const
    const table = { 'w.a.example SOA': { outcome: 'records', aliases: [alias] } as const, ...apexAt('a.example') }
    expect(walked('w.a.example', table).apexText).toBe('a.example')
  })

  test('the last one that was come to, where there is no answer', () => {
    const steps = ['.', 'example', 'a.example', 'elsewhere.test'].map(zone => ({
      zone,
      security: 'secure' as const,
      reason: null,
      says: '',
    }))
    expect(walked('x.a.example', { 'x.a.example SOA': { outcome: 'failed', steps } }).apexText).toBe('a.example')
  })

  test('the root, which has no DS', () => {
    const { apexText, asked } = walked('.', { ' SOA': { outcome: 'records' } })
    expect(apexText).toBe('')
    expect(asked.filter(each => each.endsWith(' DS'))).toEqual([])
  })
})

test('what is not there is asked for: a name, a type, and a TLSA record', () => {
  const { asked } = walked('a.example', apexAt('a.example'))
  expect(asked).toContain('unused.a.example A')
  expect(asked).toContain('a.example TLSA')
  expect(asked).toContain('_25._tcp.unused.a.example TLSA')
})

test('hosts are asked for in the order of their preference, each once, the domain itself where there is no MX', () => {
  const table = { ...apexAt('a.example'), ...mxOf('a.example', [20, 'two.b'], [10, 'one.b'], [30, 'ONE.b']) }
  const { hosts, asked } = walked('a.example', table)
  expect(hosts.map(({ name, preference }) => [formatName(name), preference])).toEqual([
    ['one.b', 10],
    ['two.b', 20],
  ])
  expect(asked.slice(-6)).toEqual([
    'one.b A',
    'one.b AAAA',
    'two.b A',
    'two.b AAAA',
    '_25._tcp.one.b TLSA',
    '_25._tcp.two.b TLSA',
  ])
  expect(walked('a.example', apexAt('a.example')).hosts.map(({ name }) => formatName(name))).toEqual(['a.example'])
})

test('a null MX has no host', () => {
  expect(walked('a.example', { ...apexAt('a.example'), ...mxOf('a.example', [0, '']) }).hosts).toEqual([])
})

test('TLSA is asked for at the end of the aliases of a host, too', () => {
  const alias = { from: nameOf('mx.b'), to: nameOf('real.b'), by: 'CNAME', security: 'secure' } as const
  const { asked, hosts } = walked('a.example', {
    ...apexAt('a.example'),
    ...mxOf('a.example', [10, 'mx.b']),
    'mx.b A': { outcome: 'records', aliases: [alias] },
  })
  expect(asked.slice(-2)).toEqual(['_25._tcp.mx.b TLSA', '_25._tcp.real.b TLSA'])
  expect(hosts[0]?.tlsa.map(({ question }) => textOf(question))).toEqual(asked.slice(-2))
})

test('however many hosts there are, so many are looked at, and the rest are counted', () => {
  const many = Array.from({ length: 500 }, (_, index) => [index, `mx${index}.b`] as const)
  const { hosts, hostsLeftOut, asked } = walked('a.example', {
    ...apexAt('a.example'),
    ...mxOf('a.example', ...many),
  })
  expect(hosts).toHaveLength(maxAuditedHosts)
  expect(hostsLeftOut).toBe(500 - maxAuditedHosts)
  expect(asked.length).toBeLessThan(10 + 4 * maxAuditedHosts)
})
