import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAddressList } from './address-list.ts'

const good: [string, string[]][] = [
  ['', []],
  ['pat@example.org', ['pat@example.org']],
  ['pat@example.org, chris@example.net', ['pat@example.org', 'chris@example.net']],
  ['Pat Smith <pat@example.org>', ['pat@example.org']],
  ['Pat Q. Smith <pat@example.org>', ['pat@example.org']],
  ['"Smith, Pat" <pat@example.org>, b@c', ['pat@example.org', 'b@c']],
  ['"a \\" , b" <pat@example.org>', ['pat@example.org']],
  ['<pat@example.org>', ['pat@example.org']],
  ['pat@example.org (Pat, (nested) \\) Smith)', ['pat@example.org']],
  ['(c)pat(c)@(c)example(c).(c)org(c)', ['pat@example.org']],
  ['"quoted local"@example.org', ['"quoted local"@example.org']],
  ['pat.q.smith@example.org', ['pat.q.smith@example.org']],
  ['pat@[192.0.2.1]', ['pat@[192.0.2.1]']],
  ['team: a@example.org, B <b@example.org>;, c@example.org', ['a@example.org', 'b@example.org', 'c@example.org']],
  ['undisclosed-recipients:;', []],
  [
    'a@example.org,\r\n b@example.org,\r\n\tC\r\n <c@example.org>',
    ['a@example.org', 'b@example.org', 'c@example.org'],
  ],
  [', ,a@example.org,,', ['a@example.org']],
  ['<@relay.example,@b.example:pat@example.org>', ['pat@example.org']],
  ['root', ['root']],
  ['root, <cron>', ['root', 'cron']],
  ['Jörg <jörg@bücher.example>', ['jörg@bücher.example']],
  ['=?utf-8?q?J=C3=B6rg?= <j@example.org>', ['j@example.org']],
]

test.each(good)('%j holds %j', (value, addresses) => {
  expect(parseAddressList(value)).toEqual({ addresses })
})

const bad: [string, number, string][] = [
  ['Pat Smith', 0, 'an address'],
  ['a@example.org b@example.org', 0, 'an address'],
  ['<a@example.org', 14, '>'],
  ['Pat <>', 5, 'an address between < and >'],
  ['<a@example.org> x', 16, 'a comma'],
  ['"open', 0, 'a closing quote'],
  ['a@example.org (open', 14, 'a closing parenthesis'],
  ['a@[192.0.2.1', 2, 'a closing bracket'],
  ['a@@b', 0, 'an address'],
  ['.a@example.org', 0, 'an address'],
  ['a..b@example.org', 0, 'an address'],
  ['a@example.', 0, 'an address'],
  ['group: a@example.org', 20, '; at the end of the group'],
  ['a@example.org;', 13, 'an address'],
  ['a: b: c@d;;', 4, 'an address'],
  ['a\x00b@example.org', 1, 'an address'],
]

test.each(bad)('%j stops at %i: %s expected', (value, offset, expected) => {
  expect(parseAddressList(value)).toEqual({ offset, expected })
})

test('any text at all is a list or a fault, and a list that is cut has at most one more address than before', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      expect(parseAddressList(text)).toBeTypeOf('object')
    }),
  )
  for (const [value, addresses] of good)
    for (let cut = 0; cut < value.length; cut++) {
      const part = parseAddressList(value.slice(0, cut))
      if ('addresses' in part) expect(part.addresses.length).toBeLessThanOrEqual(addresses.length + 1)
    }
})

test('a long list of open comments takes time in proportion to its length', () => {
  expect(parseAddressList('('.repeat(200_000))).toEqual({ offset: 0, expected: 'a closing parenthesis' })
  expect(parseAddressList('a,'.repeat(100_000))).toHaveProperty('addresses.length', 100_000)
})
