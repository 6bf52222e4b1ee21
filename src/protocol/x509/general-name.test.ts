import { expect, test } from 'vitest'
import { openDer, takeProblem } from './der.ts'
import { constraintProblem, nameProblem, nextGeneralName } from './general-name.ts'
import type { GeneralName } from './model.ts'
import { hex, implicit, octetString, oid, sequence, tagged, text, utf8 } from './testing/der.ts'

const label = 'a'.repeat(63)
const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`

test.each([
  'mx.example.org',
  'MX.Example.ORG',
  'localhost',
  '*.example.org',
  '*.org',
  '_smtp._tls.example.org',
  'xn--bcher-kva.example',
  '3com.example',
  '1.2.3.example',
  `${label}.example`,
  longest,
])('%s is a DNS name', value => {
  expect(nameProblem({ type: 'dns', value })).toBeNull()
})

test.each<readonly [value: string, problem: string]>([
  ['', 'a DNS name is empty'],
  ['.', "'.' is no DNS name"],
  ['.example.org', "'.example.org' is no DNS name"],
  ['example.org.', "'example.org.' is no DNS name"],
  ['a..b', "'a..b' is no DNS name"],
  ['-a.example', "'-a.example' is no DNS name"],
  ['a-.example', "'a-.example' is no DNS name"],
  ['a/b', "'a/b' is no DNS name"],
  ['a@b.example', "'a@b.example' is no DNS name"],
  [`a${label}.example`, `'a${label}.example' is no DNS name`],
  [`a${longest}`, `'a${longest.slice(0, 99)}…' is no DNS name`],
  ['*', "'*' has a * that is not the whole left-most of several labels"],
  ['*.', "'*.' has a * that is not the whole left-most of several labels"],
  ['*.*.example', "'*.*.example' has a * that is not the whole left-most of several labels"],
  ['a.*.example', "'a.*.example' has a * that is not the whole left-most of several labels"],
  ['a*.example', "'a*.example' has a * that is not the whole left-most of several labels"],
  ['xn--*-1b3c148a.example', "'xn--*-1b3c148a.example' has a * that is not the whole left-most of several labels"],
  ['8.8.8.8', "'8.8.8.8' is an address, written as a DNS name"],
  ['*.8.8.8', "'*.8.8.8' is an address, written as a DNS name"],
  ['010.0.0.1', "'010.0.0.1' is an address, written as a DNS name"],
  ['2130706433', "'2130706433' is an address, written as a DNS name"],
  ['0x7f000001', "'0x7f000001' is an address, written as a DNS name"],
  ['2001:db8::1', "'2001:db8::1' is an address, written as a DNS name"],
  ['b\u00fccher.example', "'b\u00fccher.example' is no DNS name: it has characters beyond ASCII, or blanks"],
  ['a b.example', "'a b.example' is no DNS name: it has characters beyond ASCII, or blanks"],
  [
    'example.org\0.evil.example',
    "'example.org\0.evil.example' is no DNS name: it has characters beyond ASCII, or blanks",
  ],
  ['example.org\n', "'example.org\n' is no DNS name: it has characters beyond ASCII, or blanks"],
])('%j is no DNS name, and is told so', (value, problem) => {
  expect(nameProblem({ type: 'dns', value })).toBe(problem)
})

const others: readonly (readonly [name: GeneralName, isSound: boolean])[] = [
  [mail('post@example.org'), true],
  [mail('**@example.com'), true],
  [mail("o'hara+tag=1@example.org"), true],
  [mail('"a b\\"@c"@example.org'), true],
  [mail('a.b.c@localhost'), true],
  [mail('a@[192.0.2.1]'), true],
  [mail('a@[IPv6:2001:db8::1]'), true],
  [mail(''), false],
  [mail('example.org'), false],
  [mail('@example.org'), false],
  [mail('a@'), false],
  [mail('invalid@address@example.com'), false],
  [mail('a..b@example.org'), false],
  [mail('.a@example.org'), false],
  [mail('a b@example.org'), false],
  [mail('"a"b@example.org'), false],
  [mail('a@*.example.org'), false],
  [mail('a@192.0.2.1'), false],
  [mail('a@[192.0.2.256]'), false],
  [mail('a@example.org\0'), false],
  [mail('\u00fc@example.org'), false],
  [mail(`${'a'.repeat(320)}@example.org`), false],
  [uri('https://example.org/a?b'), true],
  [uri('urn:uuid:0'), true],
  [uri('/relative'), false],
  [uri('https:'), false],
  [uri('https://example.org/a b'), false],
  [uri('https://b\u00fccher.example'), false],
  [uri('1a:b'), false],
  [uri(''), false],
  [ip('c0000201'), true],
  [ip('20010db8000000000000000000000001'), true],
  [ip(''), false],
  [ip('c00002'), false],
  [ip('c0000200ffffff00'), false],
  [{ type: 'other', tag: 0, der: hex('a000') }, true],
  [{ type: 'directory', value: { der: hex('3000') } }, true],
]

test.each(others)('the alternative name %j is well-formed: %j', (name, isSound) => {
  expect(nameProblem(name) === null).toBe(isSound)
})

const nested = (depth: number): Buffer => (depth === 0 ? hex('0500') : sequence(nested(depth - 1)))
const principal = oid('1.3.6.1.5.2.2')

const unread: readonly (readonly [what: string, der: Buffer, problem: string | null])[] = [
  ['an otherName', tagged(0, principal, tagged(0, utf8('a'))), null],
  ['one of several elements', tagged(0, principal, tagged(0, sequence(utf8('a'), sequence(octetString())))), null],
  ['an otherName without anything', tagged(0), 'the type of an otherName is missing'],
  ['without a value', tagged(0, principal), 'the value of an otherName is missing'],
  ['with an empty value', tagged(0, principal, tagged(0)), 'the value of an otherName is empty'],
  [
    'with a value of no tag',
    tagged(0, principal, utf8('a')),
    'the value of an otherName is missing or of another type',
  ],
  [
    'with two values',
    tagged(0, principal, tagged(0, utf8('a'), utf8('b'))),
    'something follows the value of an otherName',
  ],
  [
    'with something behind',
    tagged(0, principal, tagged(0, utf8('a')), utf8('b')),
    'something follows an otherName',
  ],
  [
    'with another type than an object identifier',
    hex('a004c0000201'),
    'the type of an otherName is missing or of another type',
  ],
  [
    'with a value cut off inside',
    tagged(0, principal, tagged(0, sequence(hex('0c0561')))),
    'an element is longer than what it stands in',
  ],
  [
    'with an indefinite length inside',
    tagged(0, principal, tagged(0, sequence(hex('30800000')))),
    'an indefinite length',
  ],
  ['nested as deep as anybody needs', tagged(0, principal, tagged(0, nested(16))), null],
  ['nested deeper', tagged(0, principal, tagged(0, nested(18))), 'elements are nested too deep'],
  ['an x400Address', tagged(3, sequence(text(0x61, '')), sequence()), null],
  ['an x400Address of nothing', tagged(3), 'the attributes of an x400Address is missing'],
  ['an x400Address that is none', hex('a304ffffffff'), 'a tag number is not minimal, or too long'],
  [
    'one with half an element behind',
    tagged(3, sequence(), hex('3005')),
    'an element is longer than what it stands in',
  ],
  ['an ediPartyName', tagged(5, tagged(0, utf8('a')), tagged(1, text(0x14, 'b'))), null],
  ['an ediPartyName without assigner', tagged(5, tagged(1, utf8('b'))), null],
  ['an ediPartyName of nothing', tagged(5), 'the partyName of an ediPartyName is missing'],
  [
    'an ediPartyName of an assigner alone',
    tagged(5, tagged(0, utf8('a'))),
    'the partyName of an ediPartyName is missing',
  ],
  [
    'an ediPartyName that is none',
    hex('a504c0000201'),
    'the partyName of an ediPartyName is missing or of another type',
  ],
  ['an ediPartyName of an empty text', tagged(5, tagged(1)), 'a text of an ediPartyName is missing'],
  [
    'an ediPartyName of octets',
    tagged(5, tagged(1, octetString())),
    'a text of an ediPartyName is of another type',
  ],
  [
    'an ediPartyName of two texts',
    tagged(5, tagged(1, utf8('a'), utf8('b'))),
    'something follows a text of an ediPartyName',
  ],
  ['a registeredID', implicit(8, hex('2a0304')), null],
  ['a registeredID of nothing', implicit(8, ''), 'a registeredID is no well-formed object identifier'],
  [
    'a registeredID that ends inside a number',
    implicit(8, hex('2a83')),
    'a registeredID is no well-formed object identifier',
  ],
  [
    'a registeredID longer than any',
    implicit(8, Buffer.alloc(200, 1)),
    'a registeredID is no well-formed object identifier',
  ],
]

test.each(unread)('of kinds that mail has no use for: %s', (_what, octets, problem) => {
  const der = openDer(octets)
  const name = nextGeneralName(der)
  if (problem === null)
    expect(name).toEqual({ type: 'other', tag: (octets[0] ?? 0) & 0x1f, der: Uint8Array.from(octets) })
  else {
    expect(name).toBeNull()
    expect(takeProblem(der)).toMatch(new RegExp(`^${problem} at octet \\d+$`))
  }
})

test('every cut of such a name is none, also with its own length made to fit', () => {
  for (const [, octets, problem] of unread) {
    if (problem !== null) continue
    for (let end = 0; end < octets.length; end++) {
      expect(nextGeneralName(openDer(octets.subarray(0, end)))).toBeNull()
      const fitting = Buffer.from(octets.subarray(0, Math.max(end, 2)))
      fitting[1] = fitting.length - 2
      const isWholeAgain = fitting[0] === 0xa3 || fitting[0] === 0x88
      if (!isWholeAgain) expect(nextGeneralName(openDer(fitting))).toBeNull()
    }
  }
})

test('octets of such names are read once: work grows as their number', () => {
  const elements = (count: number) => {
    const der = openDer(
      tagged(0, principal, tagged(0, sequence(...Array.from({ length: count }, () => nested(8))))),
    )
    expect(nextGeneralName(der)).not.toBeNull()
    return der.reading.elements
  }
  expect(elements(2_000) / elements(1_000)).toBeLessThan(2.01)
})

const bases: readonly (readonly [name: GeneralName, isSound: boolean])[] = [
  [{ type: 'dns', value: 'example.org' }, true],
  [{ type: 'dns', value: 'org' }, true],
  [{ type: 'dns', value: '' }, true],
  [{ type: 'dns', value: '.example.org' }, false],
  [{ type: 'dns', value: '*.example.org' }, false],
  [{ type: 'dns', value: '192.0.2.1' }, false],
  [mail('example.org'), true],
  [mail('.example.org'), true],
  [mail('post@example.org'), true],
  [mail('**@example.com'), true],
  [mail(''), true],
  [mail('*.example.org'), false],
  [mail('@example.org'), false],
  [uri('example.org'), true],
  [uri('.example.org'), true],
  [uri('https://example.org'), false],
  [uri('192.0.2.1'), false],
  [ip('c0000200ffffff00'), true],
  [ip('0000000000000000'), true],
  [ip('c0000201ffffffff'), true],
  [ip(`${'00'.repeat(16)}${'ff'.repeat(6)}fe${'00'.repeat(9)}`), true],
  [ip('c0000200ff00ff00'), false],
  [ip('c0000200ffffff01'), false],
  [ip('c0000201'), false],
  [ip(''), false],
  [{ type: 'other', tag: 0, der: hex('a000') }, true],
  [{ type: 'directory', value: { der: hex('3000') } }, true],
]

test.each(bases)('the base %j of a constraint is well-formed: %j', (name, isSound) => {
  expect(constraintProblem(name) === null).toBe(isSound)
})

test('texts made to make a pattern go back and forth are answered', () => {
  const mega = 1_000_000
  for (const value of [
    '-'.repeat(mega),
    'a.'.repeat(mega),
    `${'a-'.repeat(mega)}!`,
    '1'.repeat(mega),
    '*'.repeat(mega),
  ])
    for (const type of ['dns', 'email', 'uri'] as const) {
      expect(nameProblem({ type, value })).not.toBeNull()
      expect(constraintProblem({ type, value })).not.toBeNull()
    }
})

function mail(value: string): GeneralName {
  return { type: 'email', value }
}

function uri(value: string): GeneralName {
  return { type: 'uri', value }
}

function ip(digits: string): GeneralName {
  return { type: 'ip', value: new Uint8Array(hex(digits)) }
}
