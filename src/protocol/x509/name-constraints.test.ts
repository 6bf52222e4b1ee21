import { describe, expect, test } from 'vitest'
import { implicit, oid, sequence, set, tlv, utf8String } from '../../../test/certificates/der.ts'
import { keyOf } from '../../../test/certificates/keys.ts'
import {
  generalName,
  makeAuthority,
  makeLeaf,
  nameBytes,
  nameConstraints,
  otherName,
  type Recipe,
  rawSubjectAltName,
} from '../../../test/certificates/maker.ts'
import { createBudget } from './budget.ts'
import { parseCertificate } from './certificate.ts'
import type { Certificate, GeneralName } from './model.ts'
import { breachOf } from './name-constraints.ts'

type Form = 'dns' | 'email' | 'uri' | 'ip' | 'directory'
type Answer = 'allowed' | 'forbidden'

/** [form, base, name, as the only permitted, as excluded] */
const pairs: readonly (readonly [Form, string, string, Answer, Answer])[] = [
  ['dns', 'example.com', 'example.com', 'allowed', 'forbidden'],
  ['dns', 'example.com', 'MX.Example.COM', 'allowed', 'forbidden'],
  ['dns', 'example.com', 'a.b.example.com', 'allowed', 'forbidden'],
  ['dns', 'example.com', 'notexample.com', 'forbidden', 'allowed'],
  ['dns', 'example.com', 'com', 'forbidden', 'allowed'],
  ['dns', '', 'example.com', 'allowed', 'forbidden'],
  // A leading dot permits those below only, as all who take one read it, and excludes the name itself, too.
  ['dns', '.example.com', 'mx.example.com', 'allowed', 'forbidden'],
  ['dns', '.Example.COM', 'MX.example.com', 'allowed', 'forbidden'],
  ['dns', '.example.com', 'example.com', 'forbidden', 'forbidden'],
  ['dns', '.example.com', 'notexample.com', 'forbidden', 'allowed'],
  // Nobody knows what these mean.
  ['dns', '.', 'example.com', 'forbidden', 'forbidden'],
  ['dns', '..example.com', 'mx.example.com', 'forbidden', 'forbidden'],
  ['dns', '.*.example.com', 'mx.example.com', 'forbidden', 'forbidden'],
  // CVE-2025-61727: a wildcard is every name it covers.
  ['dns', 'example.com', '*.example.com', 'allowed', 'forbidden'],
  ['dns', '.example.com', '*.example.com', 'allowed', 'forbidden'],
  ['dns', 'bar.example.com', '*.example.com', 'forbidden', 'forbidden'],
  ['dns', '.bar.example.com', '*.example.com', 'forbidden', 'forbidden'],
  ['dns', 'deep.bar.example.com', '*.example.com', 'forbidden', 'allowed'],
  ['dns', 'example.com', '*.a.example.com', 'allowed', 'forbidden'],
  ['dns', 'example.com', '*.com', 'forbidden', 'forbidden'],
  ['dns', 'example.com', '*.example.org', 'forbidden', 'allowed'],
  // Neither permitted nor harmless: not well-formed, on either side.
  ['dns', 'example.com', '.example.com', 'forbidden', 'forbidden'],
  ['dns', 'example.com', 'mx.example.com.', 'forbidden', 'forbidden'],
  ['dns', 'example.com', 'm*.example.com', 'forbidden', 'forbidden'],
  ['dns', 'example.com', '*', 'forbidden', 'forbidden'],
  ['dns', 'example.com', '', 'forbidden', 'forbidden'],
  ['dns', 'example.com', 'mx.example.com\0.example.org', 'forbidden', 'forbidden'],
  ['dns', '*.example.com', 'mx.example.com', 'forbidden', 'forbidden'],
  ['dns', 'example.com.', 'mx.example.org', 'forbidden', 'forbidden'],

  ['email', 'postmaster@example.com', 'postmaster@EXAMPLE.com', 'allowed', 'forbidden'],
  ['email', 'postmaster@example.com', 'Postmaster@example.com', 'forbidden', 'allowed'],
  ['email', 'postmaster@example.com', 'other@example.com', 'forbidden', 'allowed'],
  ['email', 'example.com', 'other@example.com', 'allowed', 'forbidden'],
  ['email', 'example.com', 'other@mx.example.com', 'forbidden', 'allowed'],
  ['email', '.example.com', 'other@mx.example.com', 'allowed', 'forbidden'],
  ['email', '.example.com', 'other@example.com', 'forbidden', 'allowed'],
  ['email', 'example.com', '"a@example.org"@example.com', 'allowed', 'forbidden'],
  ['email', '**@example.com', '**@example.com', 'allowed', 'forbidden'],
  ['email', '**@example.com', 'anybody@example.com', 'forbidden', 'allowed'],
  ['email', 'example.com', 'invalid@address@example.com', 'forbidden', 'forbidden'],
  ['email', 'example.com', 'example.com', 'forbidden', 'forbidden'],

  ['uri', 'example.com', 'https://example.com/path', 'allowed', 'forbidden'],
  ['uri', 'example.com', 'https://user@EXAMPLE.com:8443?query', 'allowed', 'forbidden'],
  ['uri', 'example.com', 'https://mx.example.com/', 'forbidden', 'allowed'],
  ['uri', '.example.com', 'https://mx.example.com/', 'allowed', 'forbidden'],
  ['uri', '.example.com', 'https://example.com/', 'forbidden', 'allowed'],
  ['uri', 'example.com', 'https://example.com@example.org/', 'forbidden', 'allowed'],
  ['uri', 'example.com', 'urn:example:com', 'forbidden', 'forbidden'],
  ['uri', 'example.com', 'https://192.0.2.1/', 'forbidden', 'forbidden'],
  ['uri', 'example.com', 'https://[2001:db8::1]/', 'forbidden', 'forbidden'],

  ['ip', '192.0.2.0/24', '192.0.2.77', 'allowed', 'forbidden'],
  ['ip', '192.0.2.0/24', '192.0.3.1', 'forbidden', 'allowed'],
  ['ip', '192.0.2.77/24', '192.0.2.1', 'allowed', 'forbidden'],
  ['ip', '192.0.2.0/25', '192.0.2.128', 'forbidden', 'allowed'],
  ['ip', '0.0.0.0/0', '203.0.113.9', 'allowed', 'forbidden'],
  ['ip', '2001:db8::/32', '2001:db8:ffff::1', 'allowed', 'forbidden'],
  ['ip', '2001:db8::/32', '2001:db9::1', 'forbidden', 'allowed'],
  ['ip', '192.0.2.0/24', '2001:db8::1', 'forbidden', 'allowed'],
  ['ip', '0.0.0.0/0', '::ffff:192.0.2.1', 'forbidden', 'allowed'],

  ['directory', 'O=Example', 'O=Example, CN=mx', 'allowed', 'forbidden'],
  ['directory', 'O=Example', 'O=example', 'allowed', 'forbidden'],
  ['directory', 'O=Example, CN=mx', 'O=Example', 'forbidden', 'allowed'],
  ['directory', 'O=Example', 'O=Other', 'forbidden', 'allowed'],
]

describe('a name against one constraint', () => {
  test.each(pairs.map(each => [...each] as const))(
    '%s %j and the name %j: permitted %s, excluded %s',
    (form, base, name, permitted, excluded) => {
      const bases = [bytesOf(form, base)]
      const subject = leafWith([bytesOf(form, name)])
      expect(answer(authorityWith(bases, null), subject)).toBe(permitted)
      expect(answer(authorityWith(null, bases), subject)).toBe(excluded)
    },
  )
})

describe('an excluded directory name in other string types, as OpenSSL compares them', () => {
  const organization = (tag: number, octets: Uint8Array) =>
    sequence(set(sequence(oid('2.5.4.10'), tlv(tag, octets))))
  const base = generalName('directory', organization(0x0c, Buffer.from('Evil')))
  test.each<readonly [what: string, tag: number, octets: Uint8Array, excluded: Answer]>([
    ['PrintableString', 0x13, Buffer.from('eVil'), 'forbidden'],
    ['TeletexString', 0x14, Buffer.from('Evil'), 'forbidden'],
    ['BMPString', 0x1e, Buffer.from('Evil', 'utf16le').swap16(), 'forbidden'],
    [
      'UniversalString',
      0x1c,
      Buffer.from('000000450000007600000069 0000006c'.replace(' ', ''), 'hex'),
      'forbidden',
    ],
    ['OCTET STRING', 0x04, Buffer.from('Evil'), 'forbidden'],
    ['TeletexString of another', 0x14, Buffer.from('Good'), 'allowed'],
  ])('%s', (_what, tag, octets, excluded) => {
    const subject = leafWith(null, { subject: organization(tag, octets) })
    expect(answer(authorityWith(null, [base]), subject)).toBe(excluded)
    // RFC 5280 §7.1: to be permitted, it has to be the same.
    expect(answer(authorityWith([base], null), subject)).toBe(tag === 0x13 ? 'allowed' : 'forbidden')
  })
})

describe('several constraints', () => {
  const [com, org, bad] = ['example.com', 'example.org', 'bad.example.com'].map(base => generalName('dns', base))
  const constraints = authorityWith([com, org].filter(isGiven), [bad].filter(isGiven))
  test.each<readonly [readonly string[], Answer]>([
    [['mx.example.com', 'mx.example.org'], 'allowed'],
    [['mx.example.com', 'mx.example.net'], 'forbidden'],
    [['bad.example.com'], 'forbidden'],
    [['mx.example.com', 'x.bad.example.com'], 'forbidden'],
  ])('every name has to be in one of the permitted and in none of the excluded: %j', (names, expected) => {
    expect(answer(constraints, leafWith(names.map(name => generalName('dns', name))))).toBe(expected)
  })

  test('limit only names of their own form', () => {
    const subject = leafWith([generalName('dns', 'mx.example.net')])
    expect(
      answer(authorityWith([generalName('ip', '192.0.2.0/24')], [generalName('email', 'example.net')]), subject),
    ).toBe('allowed')
  })
})

describe('names that stand in the subject', () => {
  const permittedOrganisation = authorityWith([generalName('directory', 'O=Example')], null)

  test('the subject is a directory name', () => {
    expect(answer(permittedOrganisation, leafWith(null, { subject: 'O=Example, CN=mx' }))).toBe('allowed')
    expect(answer(permittedOrganisation, leafWith(null, { subject: 'O=Other, CN=mx' }))).toBe('forbidden')
  })

  test('an empty subject names nobody', () => {
    expect(
      answer(permittedOrganisation, leafWith([generalName('dns', 'mx.example.com')], { subject: sequence() })),
    ).toBe('allowed')
  })

  test('e-mail addresses of the subject count (RFC 5280 §4.2.1.10)', () => {
    const mail = (address: string) => leafWith(null, { subject: withAttribute('1.2.840.113549.1.9.1', address) })
    const constraints = authorityWith([generalName('email', 'example.com')], null)
    expect(answer(constraints, mail('me@example.com'))).toBe('allowed')
    expect(answer(constraints, mail('me@example.org'))).toBe('forbidden')
  })

  describe('the common name of a leaf without a DNS name counts, for it may be taken for one', () => {
    const constraints = authorityWith([generalName('dns', 'example.com')], [generalName('dns', 'bad.example.com')])
    test.each<readonly [string, Answer]>([
      ['CN=mx.example.com', 'allowed'],
      ['CN=mx.example.org', 'forbidden'],
      ['CN=*.example.com', 'forbidden'],
      ['CN=bad.example.com.', 'forbidden'],
      ['CN=Mail Server of Example', 'allowed'],
    ])('%s', (subject, expected) => {
      expect(answer(constraints, leafWith(null, { subject }))).toBe(expected)
      expect(answer(constraints, leafWith([generalName('dns', 'mx.example.com')], { subject }))).toBe('allowed')
    })

    test('that of an authority does not', () => {
      const subject = leafWith(null, { subject: 'CN=mx.example.org' })
      expect(breachOf(constraints, subject, 'issuer', createBudget())).toBeNull()
    })
  })
})

describe('forms that cannot be compared', () => {
  const subject = leafWith([generalName('dns', 'mx.example.com'), otherName('somebody')])
  test.each<readonly [string, Certificate, Answer]>([
    ['a critical constraint refuses', authorityWith([otherName('somebody')], null), 'forbidden'],
    ['permitted or excluded', authorityWith(null, [otherName('another')]), 'forbidden'],
    ['one that is not critical does not', authorityWith(null, [otherName('another')], 'not-critical'), 'allowed'],
    ['one of another form does not', authorityWith(null, [generalName('ip', '192.0.2.0/24')]), 'allowed'],
  ])('%s', (_what, authority, expected) => {
    expect(answer(authority, subject)).toBe(expected)
  })
})

describe('an address that is none refuses', () => {
  test.each([0, 3, 5, 8, 15, 17, 32])('%i octets in the name', length => {
    const subject = leafWith([implicit(7, Buffer.alloc(length, 192))])
    expect(answer(authorityWith(null, [generalName('ip', '10.0.0.0/8')]), subject)).toBe('forbidden')
  })

  test.each(['ff00ff00', '00ffffff', 'fffffffd', '01000000'])('the mask %s', mask => {
    const base = implicit(7, Buffer.from(`c0000200${mask}`, 'hex'))
    expect(answer(authorityWith([base], null), leafWith([generalName('ip', '192.0.2.1')]))).toBe('forbidden')
  })

  test.each([0, 4, 7, 9, 16, 31, 33])('%i octets in the constraint', length => {
    const base = implicit(7, Buffer.alloc(length))
    expect(answer(authorityWith(null, [base]), leafWith([generalName('ip', '192.0.2.1')]))).toBe('forbidden')
  })
})

test('names times constraints of each form are paid before they are compared', () => {
  const bases = Array.from({ length: 30 }, (_, index) => generalName('dns', `bad${index}.example.com`))
  const names = Array.from({ length: 20 }, (_, index) => generalName('dns', `mx${index}.example.com`))
  const [authority, subject] = [authorityWith([generalName('ip', '192.0.2.0/24')], bases), leafWith(names)]
  const budget = createBudget()
  expect(breachOf(authority, subject, 'leaf', budget)).toBeNull()
  expect(budget.spent['name-comparisons']).toBe(600)
  expect(breachOf(authority, subject, 'leaf', createBudget({ 'name-comparisons': 599 }))).toEqual({
    kind: 'over-budget',
  })
})

test('the names of a certificate are read once, however many authorities it is held against', () => {
  const subject = leafWith([generalName('dns', 'mx.example.com'), generalName('dns', 'mx.example.org')])
  let reads = 0
  const counted: Certificate = {
    ...subject,
    get alternativeNames() {
      reads++
      return subject.alternativeNames
    },
  }
  for (let round = 0; round < 50; round++) {
    const authority = authorityWith(null, [generalName('dns', `bad${round}.example.com`)])
    expect(breachOf(authority, counted, 'leaf', createBudget())).toBeNull()
  }
  expect(reads).toBe(1)
})

test('what cannot be paid for is not read', () => {
  const values: GeneralName[] = Array.from({ length: 100 }, () => ({
    type: 'dns',
    get value(): string {
      throw new Error('read all the same')
    },
  }))
  const subject: Certificate = { ...leafWith(null), alternativeNames: values }
  const authority = authorityWith(null, [generalName('dns', 'example.org')])
  expect(breachOf(authority, subject, 'leaf', createBudget({ 'name-comparisons': 99 }))).toEqual({
    kind: 'over-budget',
  })
})

function answer(authority: Certificate, subject: Certificate): Answer {
  const breach = breachOf(authority, subject, 'leaf', createBudget())
  if (breach?.kind === 'over-budget') throw new Error('these are few')
  return breach === null ? 'allowed' : 'forbidden'
}

function authorityWith(
  permitted: readonly Uint8Array[] | null,
  excluded: readonly Uint8Array[] | null,
  criticality: 'critical' | 'not-critical' = 'critical',
): Certificate {
  return parsed(
    makeAuthority({
      subject: 'CN=Authority',
      key: keyOf('authority'),
      extensions: { nameConstraints: nameConstraints(permitted, excluded, criticality) },
    }).der,
  )
}

/** Null: no subjectAltName. */
function leafWith(names: readonly Uint8Array[] | null, recipe: Recipe = {}): Certificate {
  const subjectAltName = names === null ? null : rawSubjectAltName(names)
  return parsed(makeLeaf({ subject: sequence(), ...recipe, extensions: { subjectAltName } }).der)
}

function bytesOf(form: Form, value: string): Uint8Array {
  if (form !== 'directory') {
    // The maker's addresses are plain; this is one with IPv4 inside.
    if (value === '::ffff:192.0.2.1') return implicit(7, Buffer.from('00000000000000000000ffffc0000201', 'hex'))
    return generalName(form, value)
  }
  return generalName('directory', nameBytes(value))
}

function withAttribute(type: string, value: string): Uint8Array {
  return sequence(set(sequence(oid(type), utf8String(value))))
}

function parsed(der: Uint8Array): Certificate {
  const read = parseCertificate(der)
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return read.certificate
}

function isGiven<T>(value: T | undefined): value is T {
  return value !== undefined
}
