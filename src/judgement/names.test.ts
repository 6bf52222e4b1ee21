import { expect, test } from 'vitest'
import { literalAddress, matchName, type PresentedName } from './names.ts'

const dns = (...values: string[]): PresentedName[] => values.map(value => ({ type: 'dns', value }))
const ip = (value: string): PresentedName => ({ type: 'ip', value })

function matches(reference: string, presented: readonly PresentedName[]): boolean {
  return matchName([{ name: reference, from: 'operator' }], presented) !== null
}

test.each<[string, PresentedName[]]>([
  ['mx.example.org', dns('mx.example.org')],
  ['MX.Example.ORG', dns('mx.eXample.org')],
  ['mx.example.org.', dns('mx.example.org')],
  ['mx.example.org', dns('mx.example.org.')],
  ['mx.example.org', dns('*.example.org')],
  ['mail.dev.example', dns('other.example', '*.dev.example')],
  ['mx.example.co.uk', dns('*.example.co.uk')],
  ['xn--bcher-kva.example.org', dns('*.example.org')],
  ['xn--bcher-kva.example.org', dns('xn--BCHER-kva.example.org')],
  ['_weird_host.example.org', dns('_weird_host.example.org')],
  ['a.user.github.io', dns('*.user.github.io')],
  ['192.0.2.1', [ip('192.0.2.1')]],
  ['[192.0.2.1]', [ip('192.0.2.1')]],
  ['[IPv6:2001:db8::1]', [ip('2001:DB8:0:0:0:0:0:1')]],
])('%s is proved by %j', (reference, presented) => {
  expect(matches(reference, presented)).toBe(true)
})

test.each<[string, PresentedName[], string]>([
  ['mx.example.org', [], 'no name at all'],
  ['mx.example.org', dns('example.org'), 'the parent is another name'],
  ['example.org', dns('*.example.org'), 'a wildcard stands for one label, not for none'],
  ['a.b.example.org', dns('*.example.org'), 'a wildcard stands for one label, not for two'],
  ['mx.example.org', dns('m*.example.org'), 'a wildcard is a whole label'],
  ['mx.example.org', dns('*x.example.org'), 'a wildcard is a whole label'],
  ['mx.example.org', dns('mx.*.org'), 'a wildcard is the left-most label'],
  ['mx.example.org', dns('*.*.org'), 'there is one wildcard'],
  ['mx.example.org', dns('*'), 'a wildcard needs a parent'],
  ['example.org', dns('*.org'), 'a wildcard does not cover a public suffix'],
  ['example.co.uk', dns('*.co.uk'), 'a wildcard does not cover a public suffix of two labels'],
  ['mail.local', dns('*.local'), 'an unknown top level is a public suffix'],
  ['*.example.org', dns('mx.example.org'), 'only the certificate may have wildcards'],
  ['mx.example.org', [{ type: 'cn', value: 'mx.example.org' }], 'the common name never counts'],
  ['mx.example.org', [{ type: 'email', value: 'mx.example.org' }], 'nor does another type'],
  ['192.0.2.1', dns('192.0.2.1'), 'an address is not proved by a DNS name'],
  ['192.0.2.1', dns('*.0.2.1'), 'nor by a wildcard'],
  ['192.0.2.1', [ip('192.0.2.10')], 'another address'],
  ['mx.example.org', [ip('192.0.2.1')], 'a name is not proved by an address'],
  ['mx.example.org', dns('mx.example.org\0.evil.example'), 'a NUL is not part of a name'],
  ['mx.example.org', dns('mx.example.org '), 'nor is a blank'],
  ['bücher.example', dns('bücher.example'), 'names are A-labels on both sides'],
  ['', dns(''), 'an empty name proves nothing'],
  ['mx..example', dns('mx..example'), 'nor does an empty label'],
])('%s is not proved by %j: %s', (reference, presented) => {
  expect(matches(reference, presented)).toBe(false)
})

test('the match tells which reference and which name of the certificate', () => {
  const references = [
    { name: 'mx.example.org', from: 'mx-name' },
    { name: 'example.org', from: 'recipient-domain' },
  ] as const
  expect(matchName(references, dns('other.example', 'Example.ORG'))).toEqual({
    reference: references[1],
    presented: 'Example.ORG',
  })
})

test('an address literal is its address', () => {
  expect(literalAddress('[192.0.2.1]')).toBe('192.0.2.1')
  expect(literalAddress('[IPv6:2001:DB8::1]')).toBe('2001:db8::1')
  expect(literalAddress('mx.example')).toBeNull()
})
