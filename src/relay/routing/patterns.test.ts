import { describe, expect, test } from 'vitest'
import type { Path } from '../../protocol/mail/address.ts'
import { compileNames, compileNetworks, compilePaths } from './patterns.ts'

const path = (text: string): Path => {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1), text }
}

describe('a pattern for addresses', () => {
  const cases: readonly [pattern: string, fits: readonly string[], not: readonly string[]][] = [
    ['example.org', ['a@example.org'], ['a@mx.example.org', 'a@xexample.org', 'a@org']],
    ['*.example.org', ['a@mx.example.org', 'a@a.b.example.org'], ['a@example.org', 'a@xexample.org']],
    ['.example.org', ['a@example.org', 'a@mx.example.org'], ['a@xexample.org', 'a@example.org.test']],
    ['user@example.org', ['user@example.org', 'USER@example.org', '"user"@example.org'], ['other@example.org']],
    ['user@*.example.org', ['user@mx.example.org'], ['user@example.org', 'other@mx.example.org']],
    ['a@[192.0.2.1]', ['a@[192.0.2.1]'], ['b@[192.0.2.1]', 'a@[192.0.2.2]']],
    ['a@[IPv6:2001:db8::1]', ['a@[IPv6:2001:db8::1]'], ['a@[IPv6:2001:db8::2]']],
    ['*.1]', [], ['a@[192.0.2.1]']],
  ]
  for (const [pattern, fits, not] of cases)
    test(`${pattern} fits ${fits.join(', ') || 'nothing'} and not ${not.join(', ')}`, () => {
      const matcher = compilePaths([pattern])
      for (const each of fits) expect(matcher.matches(path(each)), each).toBe(true)
      for (const each of not) expect(matcher.matches(path(each)), each).toBe(false)
      expect(matcher.matches(null)).toBe(false)
    })

  test('<> fits the null sender and nobody else', () => {
    expect(compilePaths(['<>']).matches(null)).toBe(true)
    expect(compilePaths(['<>']).matches(path('a@example.org'))).toBe(false)
  })

  test('any of several is enough', () => {
    const matcher = compilePaths(['a@example.org', 'a@example.net', 'example.com'])
    expect(['a@example.org', 'a@example.net', 'z@example.com'].every(each => matcher.matches(path(each)))).toBe(
      true,
    )
    expect(matcher.matches(path('b@example.org'))).toBe(false)
  })

  test('an empty list fits nothing', () => {
    expect(compilePaths([]).matches(path('a@example.org'))).toBe(false)
  })
})

test('patterns for names are compared without regard to case', () => {
  expect(compileNames(['MX.Example.org']).matches('mx.example.org')).toBe(true)
})

test('a network fits the addresses in it, and an IPv4-mapped address is the IPv4 address', () => {
  const matcher = compileNetworks(['192.0.2.0/24', '2001:db8::1'])
  expect(['192.0.2.7', '::ffff:192.0.2.7', '2001:db8:0::1'].every(each => matcher.matches(each))).toBe(true)
  expect(['192.0.3.7', '2001:db8::2', 'nonsense', ''].some(each => matcher.matches(each))).toBe(false)
})
