import { describe, expect, test } from 'vitest'
import { typeNumbers } from '../dns/numbers.ts'
import { deniesDs, deniesName, deniesType, deniesWildcardExpansion } from './nsec.ts'
import { nameOf, nsec } from './testing/denial-zone.ts'

/** The zone of RFC 4035 appendix A. */
const example = {
  apex: 'example a.example NS SOA MX RRSIG NSEC DNSKEY',
  a: 'a.example ai.example NS DS RRSIG NSEC',
  ai: 'ai.example b.example A HINFO AAAA RRSIG NSEC',
  b: 'b.example ns1.example NS RRSIG NSEC',
  ns1: 'ns1.example ns2.example A RRSIG NSEC',
  ns2: 'ns2.example *.w.example A RRSIG NSEC',
  wildcard: '*.w.example x.w.example MX RRSIG NSEC',
  xw: 'x.w.example x.y.w.example MX RRSIG NSEC',
  xyw: 'x.y.w.example xx.example MX RRSIG NSEC',
  xx: 'xx.example example A HINFO AAAA RRSIG NSEC',
}
const all = Object.values(example)

const from = (records: readonly string[], zone = 'example') => ({ zone: nameOf(zone), records: records.map(nsec) })
const noName = (name: string, ...records: string[]) => outcome(deniesName(from(records), nameOf(name)))
const noData = (name: string, type: keyof typeof typeNumbers, ...records: string[]) =>
  outcome(deniesType(from(records), nameOf(name), typeNumbers[type]))
const noDs = (name: string, ...records: string[]) => outcome(deniesDs(from(records), nameOf(name)))
const wildcard = (name: string, labels: number, ...records: string[]) =>
  outcome(deniesWildcardExpansion(from(records), nameOf(name), labels))
const outcome = (denial: { kind: string; reason?: string }) => denial.reason?.replace('dnssec.', '') ?? denial.kind

describe('the answers of RFC 4035 appendix B', () => {
  test.each([
    ['B.2 name error', noName('ml.example', example.b, example.apex), 'proven'],
    ['B.2 without the record for the wildcard', noName('ml.example', example.b), 'denial-unproven'],
    ['B.2 without the record for the name', noName('ml.example', example.apex), 'denial-unproven'],
    ['B.3 no data', noData('ns1.example', 'MX', example.ns1), 'proven'],
    ['B.3 for a type that is there', noData('ns1.example', 'A', example.ns1), 'denial-unproven'],
    ['B.3 with the record of another name', noData('ns1.example', 'MX', example.ns2), 'denial-unproven'],
    ['B.4 signed delegation, with its record', noDs('a.example', example.a), 'denial-unproven'],
    ['B.5 unsigned delegation', noDs('b.example', example.b), 'proven'],
    ['B.6 wildcard expansion', wildcard('a.z.w.example', 2, example.xyw), 'proven'],
    ['B.6 without proof', wildcard('a.z.w.example', 2, example.xw), 'denial-unproven'],
    ['B.7 wildcard no data', noData('a.z.w.example', 'AAAA', example.xyw, example.wildcard), 'proven'],
    [
      'B.7 for the type that the wildcard has',
      noData('a.z.w.example', 'MX', example.xyw, example.wildcard),
      'denial-unproven',
    ],
    ['B.7 without the wildcard', noData('a.z.w.example', 'AAAA', example.xyw), 'denial-unproven'],
    [
      'B.7 without the proof that the name is not there',
      noData('a.z.w.example', 'AAAA', example.wildcard),
      'denial-unproven',
    ],
    ['B.8 DS asked of the child', noDs('example', example.apex), 'denial-of-wrong-zone'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected)
  })
})

describe('a name', () => {
  test.each([
    ['that is there, is not denied by all records of the zone', noName('ns1.example', ...all), 'denial-unproven'],
    ['is the same in capitals', noName('ML.EXAMPLE', example.b, example.apex), 'proven'],
    ['that is there in capitals, is not denied', noName('NS1.example', ...all), 'denial-unproven'],
    [
      'after the last one is spanned by the record that leads to the apex',
      noName('zz.example', example.xx, example.apex),
      'proven',
    ],
    ['before the first one, likewise', noName('0.example', example.apex), 'proven'],
    ['that is an empty non-terminal, exists', noName('w.example', ...all), 'denial-unproven'],
    ['that is one further down, exists', noName('y.w.example', ...all), 'denial-unproven'],
    ['below a wildcard that would stand in, is not denied', noName('k.w.example', ...all), 'denial-unproven'],
    ['below a name beside that wildcard, is denied where it ends', noName('k.x.w.example', ...all), 'proven'],
    ['below an empty non-terminal beside it, likewise', noName('k.y.w.example', ...all), 'proven'],
    ['below a delegation is not for the zone to deny', noName('k.b.example', ...all), 'denial-of-wrong-zone'],
    [
      'below a DNAME is not there to be denied',
      noName('k.d.example', 'd.example example DNAME RRSIG NSEC', example.apex),
      'denial-of-wrong-zone',
    ],
    [
      'below an apex with a DNAME, likewise',
      noName('k.example', 'example example SOA NS DNAME RRSIG NSEC'),
      'denial-of-wrong-zone',
    ],
    [
      'beside a DNAME is denied',
      noName('k.example', 'd.example example DNAME RRSIG NSEC', example.apex),
      'proven',
    ],
    ['outside the zone is nothing to it', noName('k.other', ...all), 'denial-of-wrong-zone'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected)
  })

  test('is not denied with a wildcard further up than the closest encloser', () => {
    // ml.x.w.example: the encloser is x.w.example. That *.example is absent says nothing.
    expect(noName('ml.x.w.example', example.xw, example.apex)).toBe('proven')
    const [spanning, atTop] = ['m.w.example z.w.example A RRSIG NSEC', 'example a.example SOA NS RRSIG NSEC']
    expect(noName('n.w.example', spanning, atTop)).toBe('denial-unproven')
    expect(noName('n.w.example', spanning, atTop, 'v.example k.w.example A RRSIG NSEC')).toBe('proven')
  })

  test('is not denied when the wildcard is an empty non-terminal: it would answer', () => {
    expect(noName('k.example', 'example a.*.example SOA NS RRSIG NSEC', 'a.*.example example A RRSIG NSEC')).toBe(
      'denial-unproven',
    )
    expect(
      noData('k.example', 'A', 'example a.*.example SOA NS RRSIG NSEC', 'a.*.example example A RRSIG NSEC'),
    ).toBe('proven')
  })

  test('is denied by records made for it alone, narrow around it (RFC 4470)', () => {
    expect(noName('k.example', 'j.example k\\000.example RRSIG NSEC', '\\+.example -.example RRSIG NSEC')).toBe(
      'denial-unproven',
    )
    expect(noName('k.example', 'j.example k\\000.example RRSIG NSEC', '\\!~.example \\+.example RRSIG NSEC')).toBe(
      'proven',
    )
  })
})

describe('a type', () => {
  test.each([
    [
      'is not denied where an alias stands',
      noData('c.example', 'A', 'c.example d.example CNAME RRSIG NSEC'),
      'denial-unproven',
    ],
    [
      'is not denied where the wildcard is an alias',
      noData('k.c.example', 'A', '*.c.example c.d.example CNAME RRSIG NSEC'),
      'denial-unproven',
    ],
    ['is denied at an empty non-terminal', noData('y.w.example', 'A', example.xw), 'proven'],
    ['is denied at one above a wildcard', noData('w.example', 'A', example.ns2), 'proven'],
    ['of the child is not denied at a delegation', noData('b.example', 'A', example.b), 'denial-of-wrong-zone'],
    ['that a delegation has, is not denied either', noData('b.example', 'NS', example.b), 'denial-of-wrong-zone'],
    ['DS is denied at an unsigned delegation', noData('b.example', 'DS', example.b), 'proven'],
    ['DS is denied at a name that is no delegation', noData('ns1.example', 'DS', example.ns1), 'proven'],
    ['DS is not denied by the zone it is of', noData('example', 'DS', example.apex), 'denial-of-wrong-zone'],
    ['is denied at the apex', noData('example', 'TLSA', example.apex), 'proven'],
    ['is not denied at a name that does not exist', noData('ml.example', 'A', ...all), 'denial-unproven'],
    ['is not denied below a delegation', noData('k.b.example', 'A', ...all), 'denial-of-wrong-zone'],
    ['that is only ever asked for, is never listed', noData('ns1.example', 'ANY', example.ns1), 'denial-unproven'],
    [
      'is denied by a record made for the name alone, with the next name just below (RFC 9824)',
      noData('k.example', 'A', 'k.example \\000.k.example RRSIG NSEC TYPE128'),
      'proven',
    ],
    [
      'is not denied by a wildcard that is a delegation',
      noData('k.d.example', 'A', '*.d.example example NS RRSIG NSEC'),
      'denial-of-wrong-zone',
    ],
    ['not even DS', noData('k.d.example', 'DS', '*.d.example example NS RRSIG NSEC'), 'denial-of-wrong-zone'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected)
  })

  test('of a wildcard is denied only at the closest encloser', () => {
    // x.w.example exists, so *.w.example does not stand in for what is below.
    expect(noData('k.x.w.example', 'AAAA', example.xw, example.wildcard)).toBe('denial-unproven')
    // And a wildcard further down does not stand in for what is above.
    expect(noData('k.example', 'AAAA', example.b, example.wildcard)).toBe('denial-unproven')
  })

  test('is not denied by one of two records for the name', () => {
    expect(noData('k.example', 'A', 'k.example l.example MX RRSIG NSEC', 'k.example l.example A RRSIG NSEC')).toBe(
      'denial-unproven',
    )
  })
})

describe('an expanded wildcard', () => {
  test.each([
    ['is allowed when the next closer name is spanned', wildcard('a.z.w.example', 2, ...all), 'proven'],
    ['is not allowed for a name that is there', wildcard('x.w.example', 2, ...all), 'denial-unproven'],
    ['is not allowed below a name that is there', wildcard('k.x.w.example', 2, ...all), 'denial-unproven'],
    ['is not allowed below an empty non-terminal', wildcard('k.y.w.example', 2, ...all), 'denial-unproven'],
    ['is not allowed from above the closest encloser', wildcard('k.w.example', 1, ...all), 'denial-unproven'],
    ['is not allowed from outside the zone', wildcard('k.w.example', 0, ...all), 'denial-unproven'],
    ['is not allowed with as many labels as the name', wildcard('k.w.example', 3, ...all), 'denial-unproven'],
    ['is not allowed below a delegation', wildcard('k.b.example', 1, ...all), 'denial-of-wrong-zone'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected)
  })
})

describe('a delegation', () => {
  test.each([
    ['without DS is unsigned', noDs('b.example', ...all), 'proven'],
    ['with DS is not', noDs('a.example', ...all), 'denial-unproven'],
    ['is none at a name with other records', noDs('ns1.example', ...all), 'not-delegated'],
    ['is none at an empty non-terminal', noDs('w.example', ...all), 'not-delegated'],
    ['is none at a name that does not exist', noDs('ml.example', ...all), 'not-delegated'],
    ['is none where a wildcard would stand in', noDs('k.w.example', ...all), 'not-delegated'],
    ['may be anywhere below another', noDs('k.b.example', ...all), 'denial-of-wrong-zone'],
    ['is not denied by an alias', noDs('c.example', 'c.example d.example CNAME RRSIG NSEC'), 'denial-unproven'],
    [
      'is not denied by the apex of the child, which has an SOA',
      noDs('b.example', 'b.example k.b.example NS SOA RRSIG NSEC'),
      'denial-of-wrong-zone',
    ],
    ['is not denied by nothing', noDs('b.example'), 'denial-unproven'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected)
  })
})

describe('the chain', () => {
  test('of one name spans everything else', () => {
    const only = 'example example SOA NS RRSIG NSEC DNSKEY'
    expect(noName('k.example', only)).toBe('proven')
    expect(noName('k.l.example', only)).toBe('proven')
    expect(noName('example', only)).toBe('denial-unproven')
    expect(noData('example', 'MX', only)).toBe('proven')
  })

  test('of the root works like any other', () => {
    const root = (...records: string[]) =>
      from(
        records.map(record => record.replaceAll('ROOT', '.')),
        '.',
      )
    const records = root('ROOT aaa SOA NS RRSIG NSEC DNSKEY', 'aaa ROOT NS DS RRSIG NSEC')
    expect(deniesName(records, nameOf('zz')).kind).toBe('proven')
    expect(outcome(deniesDs(records, nameOf('.')))).toBe('denial-of-wrong-zone')
    expect(outcome(deniesDs(records, nameOf('aaa')))).toBe('denial-unproven')
    expect(deniesDs(records, nameOf('zz')).kind).toBe('not-delegated')
  })

  test('turns back only at the apex: another record that leads backwards says nothing', () => {
    expect(noName('k.example', 'j.example c.example A RRSIG NSEC', example.apex)).toBe('denial-unproven')
  })

  test('is of one zone: records that stand or lead outside are not looked at', () => {
    expect(noName('k.example', 'a.other z.other A RRSIG NSEC')).toBe('denial-of-wrong-zone')
    expect(noName('k.example', 'example z.other NS SOA RRSIG NSEC')).toBe('denial-of-wrong-zone')
    // The apex without SOA is the delegation in the zone above.
    expect(noName('k.example', 'example f NS RRSIG NSEC')).toBe('denial-of-wrong-zone')
    expect(noData('example', 'MX', 'example example NS RRSIG NSEC')).toBe('denial-of-wrong-zone')
  })

  test('is asked whatever the order of its records', () => {
    for (let turn = 0; turn < all.length; turn++) {
      const turned = [...all.slice(turn), ...all.slice(0, turn)]
      expect(noName('ml.example', ...turned)).toBe('proven')
      expect(noName('ml.example', ...turned.reverse())).toBe('proven')
    }
  })
})

test('a missing proof is told in a sentence', () => {
  expect(deniesName(from([example.apex]), nameOf('ml.example'))).toEqual({
    kind: 'unproven',
    reason: 'dnssec.denial-unproven',
    detail: 'No NSEC record shows that ml.example does not exist.',
  })
  expect(deniesName(from([example.b]), nameOf('k.b.example'))).toEqual({
    kind: 'unproven',
    reason: 'dnssec.denial-of-wrong-zone',
    detail: 'example cannot say what is below b.example, which is delegated.',
  })
})
