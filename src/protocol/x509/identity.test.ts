import { expect, test } from 'vitest'
import { nameBytes } from '../../../test/certificates/maker.ts'
import { parseIp } from '../ip.ts'
import { type IdentityOptions, matchIdentity, presentedNames } from './identity.ts'
import type { Certificate, GeneralName } from './model.ts'

const dns = (...values: string[]): GeneralName[] => values.map(value => ({ type: 'dns', value }))
const ip = (text: string): GeneralName => ({ type: 'ip', value: parseIp(text) ?? new Uint8Array() })

/** A certificate of which only the names can be read. */
function named(alternativeNames: readonly GeneralName[] | null, subject = ''): Certificate {
  const nothing = new Uint8Array()
  return {
    der: nothing,
    tbs: nothing,
    version: 3,
    serial: nothing,
    signatureAlgorithm: { oid: '1.3.101.112', parameters: null },
    signature: nothing,
    issuer: { der: nameBytes('CN=Test Root') },
    subject: { der: nameBytes(subject) },
    notBeforeMs: 0,
    notAfterMs: 0,
    publicKey: { spki: nothing, facts: { kind: 'ed25519' } },
    extensions: [],
    basicConstraints: null,
    keyUsage: null,
    extendedKeyUsage: null,
    alternativeNames,
    nameConstraints: null,
    subjectKeyIdentifier: null,
    authorityKeyIdentifier: null,
    faults: [],
  }
}

const suffixes = new Set(['co.uk', 'example.co'])
const options: IdentityOptions = { cn: 'never', ip: 'allow', isPublicSuffix: name => suffixes.has(name) }

test.each<[string, GeneralName[], string]>([
  ['mx.example.org', dns('mx.example.org'), 'mx.example.org'],
  ['MX.Example.ORG', dns('mx.eXample.org'), 'mx.example.org'],
  ['mx.example.org.', dns('mx.example.org'), 'mx.example.org'],
  ['mx.example.org', dns('mx.example.org.'), 'mx.example.org.'],
  ['mx.example.org', dns('*.example.org'), '*.example.org'],
  ['mx.example.org.', dns('*.Example.org.'), '*.example.org.'],
  ['mail.dev.example', dns('other.example', '*.dev.example'), '*.dev.example'],
  ['mx.example.co.uk', dns('*.example.co.uk'), '*.example.co.uk'],
  ['xn--bcher-kva.example.org', dns('*.example.org'), '*.example.org'],
  ['xn--bcher-kva.example.org', dns('xn--BCHER-kva.example.org'), 'xn--bcher-kva.example.org'],
  ['_weird_host.example.org', dns('_weird_host.example.org'), '_weird_host.example.org'],
  ['localhost', dns('localhost'), 'localhost'],
  ['192.0.2.1', [ip('192.0.2.1')], '192.0.2.1'],
  ['[192.0.2.1]', [ip('192.0.2.1')], '192.0.2.1'],
  ['[IPv6:2001:db8::1]', [ip('2001:db8::1')], '2001:db8::1'],
  ['2001:DB8:0::1', [ip('2001:db8::1')], '2001:db8::1'],
  ['192.0.2.1.example', dns('192.0.2.1.example'), '192.0.2.1.example'],
])('%s is proved by %j', (reference, names, presented) => {
  expect(matchIdentity([reference], named(names), options)).toEqual({ reference, presented })
})

const longLabel = 'a'.repeat(63)
const longest = `${longLabel}.${longLabel}.${longLabel}.${'a'.repeat(61)}`

test.each<[string, GeneralName[], string]>([
  ['mx.example.org', [], 'there is no name at all'],
  ['mx.example.org', dns('example.org'), 'the parent is another name'],
  ['example.org', dns('*.example.org'), 'a wildcard stands for one label, not for none'],
  ['a.b.example.org', dns('*.example.org'), 'a wildcard stands for one label, not for two'],
  ['mx.example.org', dns('m*.example.org'), 'a wildcard is a whole label'],
  ['mx.example.org', dns('*x.example.org'), 'a wildcard is a whole label'],
  ['mx.example.org', dns('m*x.example.org'), 'a wildcard is a whole label'],
  ['xn--bcher-kva.example.org', dns('xn--*.example.org'), 'a wildcard is never a part of an A-label'],
  ['mx.example.org', dns('mx.*.org'), 'a wildcard is the left-most label'],
  ['mx.example.org', dns('*.*.org'), 'there is one wildcard'],
  ['mx.example.org', dns('**.example.org'), 'two stars are no wildcard'],
  ['mx.example.org', dns('*'), 'a wildcard needs a parent'],
  ['org', dns('*'), 'a wildcard needs a parent'],
  ['mx.example.org', dns('*.'), 'a wildcard needs a parent'],
  ['example.org', dns('*.org'), 'a wildcard does not cover a top level'],
  ['example.org', dns('*.org.'), 'a wildcard does not cover a top level'],
  ['example.co.uk', dns('*.co.uk'), 'a wildcard does not cover a public suffix'],
  ['example.co.uk', dns('*.CO.uk.'), 'a wildcard does not cover a public suffix in any spelling'],
  ['*.example.org', dns('mx.example.org'), 'only the certificate may have wildcards'],
  ['*.example.org', dns('*.example.org'), 'a wildcard is no name to ask for'],
  ['mx.example.org', dns('*..example.org'), 'an empty label is none'],
  ['mx.example.org', [{ type: 'email', value: 'mx.example.org' }], 'a mail address is no host'],
  ['mx.example.org', [{ type: 'uri', value: 'mx.example.org' }], 'a URI is no host'],
  ['192.0.2.1', dns('192.0.2.1'), 'an address is not proved by a DNS name'],
  ['192.0.2.1', dns('*.0.2.1'), 'nor by a wildcard'],
  ['192.0.2.010', dns('192.0.2.010'), 'nor does what some programs read as an address pass for a name'],
  ['mx.42', dns('mx.42'), 'a last label of digits is part of an address'],
  ['192.0.2.1', [ip('192.0.2.10')], 'it is another address'],
  ['192.0.2.1', [ip('::ffff:192.0.2.1')], 'the mapped address has other octets'],
  ['192.0.2.1', [{ type: 'ip', value: Uint8Array.of(192, 0, 2, 1, 255, 255, 255, 255) }], 'a range is no address'],
  ['mx.example.org', [ip('192.0.2.1')], 'a name is not proved by an address'],
  ['mx.example.org', dns('mx.example.org\0.evil.example'), 'a NUL is not part of a name'],
  ['mx.example.org', dns('mx.example.org\0'), 'a NUL at the end is still there'],
  ['mx.example.org\0', dns('mx.example.org\0'), 'nor may it be asked for'],
  ['mx.example.org', dns('mx.example.org '), 'nor is a blank'],
  ['mx.example.org', dns('mx.example.org\n'), 'nor is a line end'],
  ['mx.example.org', dns('mx.example.org..'), 'one last dot is allowed, not two'],
  ['mx.example.org', dns('.mx.example.org'), 'a leading dot is an empty label'],
  ['bücher.example', dns('bücher.example'), 'names are A-labels on both sides'],
  ['bücher.example', dns('*.example'), 'a U-label is not covered by a wildcard either'],
  ['bücher.example', dns('xn--bcher-kva.example'), 'conversion is for whoever took the name from people'],
  ['mx.\u212Aeys.example', dns('mx.keys.example'), 'KELVIN SIGN is not k'],
  ['mx.keys.example', dns('mx.\u212Aeys.example'), 'in the certificate neither'],
  ['mx\u3002example.org', dns('mx.example.org'), 'an ideographic full stop is not a dot'],
  ['', dns(''), 'an empty name proves nothing'],
  ['.', dns('.'), 'nor does the root'],
  ['mx..example', dns('mx..example'), 'nor does an empty label'],
  [`${longLabel}a.example`, dns(`${longLabel}a.example`), 'a label has 63 octets at most'],
  [`${longest}b`, dns(`${longest}b`), 'a name has 253 at most'],
])('%j is not proved by %j: %s', (reference, names) => {
  expect(matchIdentity([reference], named(names), { ...options, cn: 'if-no-dns-id' })).toBeNull()
})

test('the longest name there can be is a name', () => {
  expect(matchIdentity([longest], named(dns(longest)), options)).not.toBeNull()
})

test('the first reference that fits is told, with the first name that fits it', () => {
  const certificate = named(dns('third.example', '*.example.org', 'mx.example.org', 'second.example'))
  const references = ['nobody.example', 'mx.example.org', 'second.example', 'third.example']
  expect(matchIdentity(references, certificate, options)).toEqual({
    reference: 'mx.example.org',
    presented: '*.example.org',
  })
})

test('without references nothing fits', () => {
  expect(matchIdentity([], named(dns('mx.example.org')), options)).toBeNull()
})

test('an address fits nothing where addresses are not to be compared, and a name still does', () => {
  const certificate = named([ip('192.0.2.1'), ...dns('192.0.2.1', 'mx.example.org')], 'CN=192.0.2.1')
  const strict = { ...options, ip: 'never', cn: 'if-no-dns-id' } as const
  expect(matchIdentity(['192.0.2.1', '[192.0.2.1]'], certificate, strict)).toBeNull()
  expect(matchIdentity(['192.0.2.1', 'mx.example.org'], certificate, strict)?.reference).toBe('mx.example.org')
})

test.each<[string, GeneralName[] | null, IdentityOptions['cn'], string | null, string]>([
  [
    'CN=mx.example.org',
    null,
    'if-no-dns-id',
    'mx.example.org',
    'it stands in when there are no alternative names',
  ],
  ['CN=mx.example.org', [ip('192.0.2.1')], 'if-no-dns-id', 'mx.example.org', 'an address is no DNS-ID'],
  ['CN=*.example.org', null, 'if-no-dns-id', '*.example.org', 'it may be a wildcard'],
  ['CN=other,CN=mx.example.org', null, 'if-no-dns-id', 'mx.example.org', 'each of several may fit'],
  ['CN=mx.example.org', null, 'never', null, 'RFC 9525 knows none'],
  ['CN=mx.example.org', dns('other.example'), 'if-no-dns-id', null, 'a DNS-ID displaces it'],
  ['CN=mx.example.org', dns('\0'), 'if-no-dns-id', null, 'a DNS-ID that is no name displaces it too'],
  ['CN=*.co.uk', null, 'if-no-dns-id', null, 'public suffixes are none of anybody’s'],
  ['O=mx.example.org', null, 'if-no-dns-id', null, 'another attribute is no common name'],
])('the common name: %s beside %j, taken %s, gives %j: %s', (subject, names, cn, presented) => {
  const references = ['mx.example.org', 'example.co.uk']
  expect(matchIdentity(references, named(names, subject), { ...options, cn })?.presented ?? null).toBe(presented)
})

test('an address in the common name proves no address', () => {
  expect(matchIdentity(['192.0.2.1'], named(null, 'CN=192.0.2.1'), { ...options, cn: 'if-no-dns-id' })).toBeNull()
})

test('alternative names that cannot be read may hold a DNS-ID, so the common name does not stand in', () => {
  const extension = { oid: '2.5.29.17', critical: false, value: Uint8Array.of(0xff) }
  const certificate = { ...named(null, 'CN=mx.example.org'), extensions: [extension] }
  expect(matchIdentity(['mx.example.org'], certificate, { ...options, cn: 'if-no-dns-id' })).toBeNull()
})

test('names for people: in order, with common names last', () => {
  const certificate = named(
    [
      ...dns('MX.Example.org'),
      { type: 'email', value: 'Post@example.org' },
      { type: 'uri', value: 'https://example.org/A' },
      ip('2001:db8::1'),
      { type: 'ip', value: Uint8Array.of(1, 2, 3) },
      { type: 'directory', value: { der: nameBytes('CN=x') } },
      { type: 'other', tag: 0, der: new Uint8Array() },
    ],
    'CN=Some Server,O=Example',
  )
  expect(presentedNames(certificate)).toEqual([
    { type: 'dns', value: 'mx.example.org' },
    { type: 'email', value: 'Post@example.org' },
    { type: 'uri', value: 'https://example.org/A' },
    { type: 'ip', value: '2001:db8::1' },
    { type: 'cn', value: 'Some Server' },
  ])
})

test('names for people are bounded in number and length', () => {
  const many = named(dns(...Array.from({ length: 5_000 }, (_, index) => `h${index}.example`)), 'CN=x')
  expect(presentedNames(many)).toHaveLength(1_000)
  expect(presentedNames(named(dns('a'.repeat(100_000), 'mx.example')))).toEqual([
    { type: 'dns', value: 'mx.example' },
  ])
})

test('what it costs is one look-up for each name, however many references there are', () => {
  let asked = 0
  const counting: IdentityOptions = { ...options, isPublicSuffix: () => ++asked > 0 }
  const count = 2_000
  const names = dns(...Array.from({ length: count }, (_, index) => `*.d${index}.example`))
  const references = Array.from({ length: count }, (_, index) => `mx.d${index}.example`)
  expect(matchIdentity(references, named(names), counting)).toBeNull()
  expect(asked).toBe(count)
})
