import { describe, expect, test } from 'vitest'
import { lookUp, zone } from './zones.ts'

const zones = [
  zone('example', ['down.example MX 10 mx1.down.example', 'down.example MX 20 mx2.down.example']),
  zone('dev.example', ['mail.dev.example CNAME mail.example.local', 'a.deep.dev.example A 192.0.2.1']),
  zone('example.local', ['mail.example.local A 192.0.2.6', 'loop.example.local CNAME loop.example.local']),
]

describe('a recursive answer from the zones', () => {
  test('an alias is followed into another zone and stands before what it leads to', () => {
    const answer = lookUp(zones, 'Mail.Dev.Example.', 'A')
    expect(answer.outcome).toBe('records')
    expect(answer.answers).toEqual([
      { owner: 'mail.dev.example', record: { type: 'CNAME', target: 'mail.example.local' } },
      { owner: 'mail.example.local', record: { type: 'A', address: '192.0.2.6' } },
    ])
  })

  test('an alias asked for itself is not followed', () => {
    expect(lookUp(zones, 'mail.dev.example', 'CNAME').answers).toHaveLength(1)
  })

  test.each([
    ['a name that is not there', 'none.dev.example', 'A', 'no-such-name', 'dev.example'],
    ['a name with other records only', 'down.example', 'AAAA', 'no-data', 'example'],
    ['an alias to a name without such records', 'mail.dev.example', 'MX', 'no-data', 'example.local'],
    ['an empty non-terminal', 'deep.dev.example', 'A', 'no-data', 'dev.example'],
    ['a name of no zone', 'www.elsewhere.test', 'A', 'no-such-name', ''],
    ['an alias loop', 'loop.example.local', 'A', 'servfail', ''],
  ])('%s', (_, name, type, outcome, apex) => {
    expect(lookUp(zones, name, type)).toMatchObject({ outcome, apex })
  })

  test('equal owners keep all their records', () => {
    expect(lookUp(zones, 'down.example', 'MX').answers).toHaveLength(2)
  })

  test('a line that is no record is our mistake and throws', () => {
    expect(() => zone('example', ['x.example SRV 1 2 3'])).toThrow('not a record')
    expect(() => zone('example', ['x.test A 192.0.2.1'])).toThrow('not in the zone')
  })
})
