import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatPath,
  isInternational,
  parseAddress,
  parseAddressLiteral,
  parseDomain,
  parsePath,
  unquotedLocal,
} from './address.ts'

describe('a path is read by the grammar', () => {
  test.each([
    ['<user@example.org>', 'user', 'example.org', 'user@example.org', ''],
    ['<User.Name+tag@EXAMPLE.Org> SIZE=1', 'User.Name+tag', 'example.org', 'User.Name+tag@EXAMPLE.Org', 'SIZE=1'],
    ['<a@b>   X', 'a', 'b', 'a@b', 'X'],
    ['<"john doe"@example.org>', '"john doe"', 'example.org', '"john doe"@example.org', ''],
    ['<"a>b<c@d\\"e"@example.org> X', '"a>b<c@d\\"e"', 'example.org', '"a>b<c@d\\"e"@example.org', 'X'],
    ['<""@example.org>', '""', 'example.org', '""@example.org', ''],
    ['<u@[192.0.2.1]>', 'u', '[192.0.2.1]', 'u@[192.0.2.1]', ''],
    ['<u@[010.000.2.001]>', 'u', '[10.0.2.1]', 'u@[010.000.2.001]', ''],
    ['<u@[ipv6:2001:DB8::1]>', 'u', '[IPv6:2001:db8::1]', 'u@[ipv6:2001:DB8::1]', ''],
    ['<@a.example,@b.example:user@c.example>', 'user', 'c.example', 'user@c.example', ''],
    ['<@a.example:"q@q"@c.example>', '"q@q"', 'c.example', '"q@q"@c.example', ''],
    ['<пользователь@пример.рф>', 'пользователь', 'xn--e1afmkfd.xn--p1ai', 'пользователь@пример.рф', ''],
    ['<u@Bücher.example>', 'u', 'xn--bcher-kva.example', 'u@Bücher.example', ''],
    ['<u@xn--bcher-kva.example>', 'u', 'xn--bcher-kva.example', 'u@xn--bcher-kva.example', ''],
    ["<!#$%&'*+-/=?^_`{|}~@e.org>", "!#$%&'*+-/=?^_`{|}~", 'e.org', "!#$%&'*+-/=?^_`{|}~@e.org", ''],
  ])('%s', (text, local, domain, written, rest) => {
    expect(parsePath(text, 'reverse')).toEqual({ kind: 'path', path: { local, domain, text: written }, rest })
    expect(parsePath(text, 'forward')).toEqual({ kind: 'path', path: { local, domain, text: written }, rest })
  })

  test.each([
    ['user@example.org', 'no-brackets'],
    ['', 'no-brackets'],
    ['<user@example.org', 'not-closed'],
    ['<user@example.org>SIZE=1', 'not-closed'],
    ['<user@example.org>\tSIZE=1', 'not-closed'],
    ['<"user@example.org>', 'not-closed'],
    ['<user>', 'no-domain'],
    ['<user@>', 'no-domain'],
    ['<"user">', 'no-domain'],
    ['<@example.org>', 'source-route'],
    ['<@:u@example.org>', 'source-route'],
    ['<.a@example.org>', 'local-part'],
    ['<a..b@example.org>', 'local-part'],
    ['<a.@example.org>', 'local-part'],
    ['<a b@example.org>', 'local-part'],
    ['<a"b"@example.org>', 'local-part'],
    ['<"a"b@example.org>', 'local-part'],
    ['<a@b@example.org>', 'domain'],
    ['<a@-b.org>', 'domain'],
    ['<a@b-.org>', 'domain'],
    ['<a@b..org>', 'domain'],
    ['<a@b.org.>', 'domain'],
    ['<a@b_c.org>', 'domain'],
    [`<a@${'b'.repeat(64)}.org>`, 'domain'],
    ['<a@192.0.2.1>', 'domain-is-address'],
    ['<a@[192.0.2.256]>', 'literal'],
    ['<a@[192.0.2]>', 'literal'],
    ['<a@[2001:db8::1]>', 'literal'],
    ['<a@[IPv6:fe80::1%eth0]>', 'literal'],
    ['<a@[x]>', 'literal'],
    [`<${'a'.repeat(254)}@example.org>`, 'too-long'],
  ])('%s is refused: %s', (text, fault) => {
    expect(parsePath(text, 'reverse')).toEqual({ kind: 'fault', fault })
  })

  test('the null path is a sender and no recipient', () => {
    expect(parsePath('<>', 'reverse')).toEqual({ kind: 'path', path: null, rest: '' })
    expect(parsePath('<> BODY=7BIT', 'reverse')).toEqual({ kind: 'path', path: null, rest: 'BODY=7BIT' })
    expect(parsePath('<>', 'forward')).toEqual({ kind: 'fault', fault: 'null-path' })
  })

  test('postmaster without a domain is a recipient and no sender', () => {
    expect(parsePath('<PostMaster>', 'forward')).toMatchObject({ path: { local: 'PostMaster', domain: '' } })
    expect(parsePath('<postmaster>', 'reverse')).toEqual({ kind: 'fault', fault: 'no-domain' })
  })

  test('the longest path is 256 octets with its brackets, however its local part and domain share them', () => {
    const local = 'a'.repeat(256 - 2 - '@example.org'.length)
    expect(parsePath(`<${local}@example.org>`, 'reverse').kind).toBe('path')
    expect(parsePath(`<${local}a@example.org>`, 'reverse')).toEqual({ kind: 'fault', fault: 'too-long' })
    expect(parsePath(`<@route.example:${local}@example.org>`, 'reverse').kind).toBe('path')
  })

  test('what is cut off anywhere is refused or another path, and never throws', () => {
    const text = '<@r.example:"a\\" b"@[IPv6:::ffff:192.0.2.1]> SIZE=12'
    for (let cut = 0; cut <= text.length; cut++) {
      const parsed = parsePath(text.slice(0, cut), 'reverse')
      expect(parsed.kind).toBe(cut < text.indexOf('> ') + 1 ? 'fault' : 'path')
    }
  })

  test('a path that was read is written as it came, and reads the same again', () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,8}$/)
    const quoted = fc.stringMatching(/^"(?:[ !#-[\]-~]|\\[ -~]){0,8}"$/)
    const label = fc.stringMatching(/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,5}[a-zA-Z0-9])?$/)
    const local = fc.oneof(
      fc.array(word, { minLength: 1, maxLength: 3 }).map(words => words.join('.')),
      quoted,
    )
    const domain = fc.array(label, { minLength: 1, maxLength: 3 }).map(labels => `${labels.join('.')}.x`)
    fc.assert(
      fc.property(local, domain, (l, d) => {
        const parsed = parsePath(`<${l}@${d}> REST`, 'forward')
        expect(parsed).toEqual({
          kind: 'path',
          path: { local: l, domain: d.toLowerCase(), text: `${l}@${d}` },
          rest: 'REST',
        })
        if (parsed.kind === 'path') expect(formatPath(parsed.path)).toBe(`<${l}@${d}>`)
      }),
    )
  })

  test('whatever stands in the argument, there is an answer', () => {
    const odd = fc.array(
      fc.constantFrom('<', '>', '"', '\\', '@', '.', ':', ',', '[', ']', 'a', '1', '-', ' ', 'é', 'ａ'),
    )
    fc.assert(
      fc.property(odd, parts => {
        expect(parsePath(`<${parts.join('')}`, 'reverse').kind).toMatch(/^(?:path|fault)$/)
      }),
    )
  })

  test('hostile lengths cost what their length costs, and no more', () => {
    // A pattern that could match one text in many ways would not come back from these.
    for (const text of [
      `<${'a.'.repeat(100_000)}`,
      `<"${'\\a'.repeat(100_000)}`,
      `<a@${'a-'.repeat(100_000)}>`,
      `<${'@a,'.repeat(100_000)}`,
    ])
      expect(parsePath(text, 'reverse').kind).toBe('fault')
  })
})

test.each([
  ['[IPv6:1:2:3:4:5:6:7:8]', '[IPv6:1:2:3:4:5:6:7:8]'],
  ['[IPv6:::]', '[IPv6:::]'],
  ['[IPv6:::1]', '[IPv6:::1]'],
  ['[IPv6:1::]', '[IPv6:1::]'],
  ['[IPv6:1:2:3:4:5:6:192.0.2.1]', '[IPv6:1:2:3:4:5:6:c000:201]'],
  ['[IPv6:::ffff:192.0.2.1]', '[IPv6:::ffff:192.0.2.1]'],
  ['[IPv6:1:2:3:4:5:6:7]', null],
  ['[IPv6:1:2:3:4:5:6:7::]', '[IPv6:1:2:3:4:5:6:7:0]'],
  ['[ipv6:2001:0DB8:0:0::0001]', '[IPv6:2001:db8::1]'],
  ['[IPv6:1:2:3:4:5:6:7:8::]', null],
  ['[IPv6:1::2::3]', null],
  ['[IPv6::1]', null],
  ['[IPv6:12345::]', null],
  ['[IPv6:1:2:3:4:5:6:7:192.0.2.1]', null],
  ['[IPv6:192.0.2.1::]', null],
  ['[]', null],
  ['[192.0.2.1', null],
])('the literal %s means %s', (text, literal) => {
  expect(parseAddressLiteral(text)).toBe(literal)
})

test('a name beyond ASCII is taken only if it is a name in U-labels, label for label', () => {
  expect(parseDomain('bücher.example')).toBe('xn--bcher-kva.example')
  expect(parseDomain('ＥＸＡＭＰＬＥ.org')).toBeNull() // full-width letters
  expect(parseDomain('a。example')).toBeNull() // an ideographic full stop
  expect(parseDomain('１２７.0.0.1')).toBeNull()
  expect(parseDomain('exam\u00adple.org')).toBeNull() // a soft hyphen
  expect(parseDomain(`${'ü'.repeat(60)}.example`)).toBeNull() // its A-label is too long
})

test('a bare address is read without brackets', () => {
  expect(parseAddress('user@example.org')).toEqual({
    local: 'user',
    domain: 'example.org',
    text: 'user@example.org',
  })
  expect(parseAddress('<user@example.org>')).toBe('local-part')
  expect(parseAddress('user')).toBe('no-domain')
  expect(parseAddress('"@"@example.org')).toMatchObject({ local: '"@"', domain: 'example.org' })
})

test('all quoted forms of a local part mean the same', () => {
  const local = (text: string) => {
    const path = parseAddress(text)
    return typeof path === 'string' ? path : unquotedLocal(path)
  }
  expect(local('"user"@e.org')).toBe('user')
  expect(local('"u\\s\\er"@e.org')).toBe('user')
  expect(local('user@e.org')).toBe('user')
  expect(local('"a\\\\b"@e.org')).toBe('a\\b')
})

test('an address beyond ASCII is told from the others', () => {
  const path = parseAddress('ü@example.org')
  expect(typeof path !== 'string' && isInternational(path)).toBe(true)
  expect(formatPath(null)).toBe('<>')
})
