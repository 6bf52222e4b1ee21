import { describe, expect, test } from 'vitest'
import {
  explicit,
  generalizedTime,
  integer,
  nullValue,
  oid,
  sequence,
  tlv,
} from '../../../test/certificates/der.ts'
import { keyOf } from '../../../test/certificates/keys.ts'
import { extension, makeAuthority, makeLeaf } from '../../../test/certificates/maker.ts'
import {
  dayBefore,
  deltaIndicator,
  distributionPoint,
  entry,
  entryIssuer,
  enumerated,
  flag,
  type ListRecipe,
  listNumber,
  makeList,
  pointAt,
  reason,
  weekAfter,
} from '../../../test/certificates/revocation.ts'
import { createBudget } from './budget.ts'
import { nameText } from './distinguished-name.ts'
import { readPublicKey } from './public-key.ts'
import {
  maxRevocationListBytes,
  parseCountedList,
  parseRevocationList,
  type RevocationList,
} from './revocation-list.ts'
import { verifySignature } from './signature.ts'

const issuer = makeAuthority({ subject: 'CN=Issuer', key: keyOf('issuer') })
const other = makeAuthority({ subject: 'CN=Other', key: keyOf('other') })
const leaf = makeLeaf({ issuer })
const serial = (number: number) => Buffer.from([number])

const list = (recipe: Partial<ListRecipe> = {}) => makeList({ issuer, ...recipe })

function read(octets: Uint8Array, serials: readonly Uint8Array[] = [leaf.serial]): RevocationList {
  const answer = parseRevocationList(octets, serials)
  if (answer.kind === 'malformed') throw new Error(answer.detail)
  return answer.list
}

test('a list says whose it is, of when, and who is in it', () => {
  const answer = read(list({ entries: [entry(serial(1)), entry(leaf.serial, reason(1)), entry(serial(2))] }))
  expect(nameText(answer.issuer)).toBe('CN=Issuer')
  expect(answer).toMatchObject({
    thisUpdateMs: dayBefore.getTime(),
    nextUpdateMs: weekAfter.getTime(),
    number: '7',
    entries: 3,
    unknownCritical: [],
    scope: { isDelta: false, points: null, only: null, hasOnlySomeReasons: false, isIndirect: false },
    found: [{ revokedAtMs: dayBefore.getTime(), reason: 'keyCompromise' }],
  })
  expect(answer.found).toHaveLength(1)
  const key = readPublicKey(issuer.key.spki)
  expect(key === null || verifySignature(answer, key, createBudget())).toBe('good')
})

describe('also read are', () => {
  test.each<[string, Partial<ListRecipe>, Partial<RevocationList>]>([
    ['a list without entries', {}, { entries: 0, found: [] }],
    ['an empty list of entries', { editTbs: fields => fields.toSpliced(5, 0, sequence()) }, { entries: 0 }],
    ['version 1', { extensions: [], editTbs: fields => fields.slice(1) }, { number: null }],
    ['no time for the next one', { nextUpdate: null }, { nextUpdateMs: null }],
    [
      'a time in the form of after 2050',
      { thisUpdate: generalizedTime('20510101000000Z') },
      { thisUpdateMs: Date.UTC(2051, 0, 1) },
    ],
    [
      'a number beyond what a number holds',
      { extensions: [extension('2.5.29.20', integer(2n ** 150n))] },
      { number: String(2n ** 150n) },
    ],
    [
      'an extension that is not critical and not known',
      { extensions: [extension('1.2.3', nullValue)] },
      { unknownCritical: [] },
    ],
    [
      'one that is critical',
      { extensions: [extension('1.2.3', nullValue, 'critical')] },
      { unknownCritical: ['1.2.3'] },
    ],
    [
      'one that is critical, of an entry that nobody asked for',
      { entries: [entry(serial(1), extension('1.2.4', nullValue, 'critical'))] },
      { unknownCritical: ['1.2.4'] },
    ],
  ])('%s', (_, recipe, expected) => {
    expect(read(list(recipe))).toMatchObject(expected)
  })

  test.each([
    [0, 'unspecified'],
    [6, 'certificateHold'],
    [7, null],
    [8, 'removeFromCRL'],
    [10, 'aACompromise'],
    [11, null],
  ])('the reason %i, which is %s', (number, word) => {
    expect(read(list({ entries: [entry(leaf.serial, reason(number))] })).found[0]?.reason).toBe(word)
  })

  test.each<[string, readonly Uint8Array[], object]>([
    ['only leaves', [distributionPoint(flag(1))], { only: 'leaves' }],
    ['only authorities', [distributionPoint(flag(2))], { only: 'authorities' }],
    ['only attribute certificates', [distributionPoint(flag(5))], { only: 'attribute-certificates' }],
    [
      'only some reasons',
      [distributionPoint(tlv(0x83, Buffer.from('0640', 'hex')))],
      { hasOnlySomeReasons: true },
    ],
    ['other issuers too', [distributionPoint(flag(4))], { isIndirect: true }],
    ['one address', [distributionPoint(pointAt('http://crl.example/1'))], { points: ['http://crl.example/1'] }],
    ['changes', [deltaIndicator], { isDelta: true }],
    ['changes of leaves', [deltaIndicator, distributionPoint(flag(1))], { isDelta: true, only: 'leaves' }],
    [
      'leaves, of which only the changes',
      [distributionPoint(flag(1)), deltaIndicator],
      { isDelta: true, only: 'leaves' },
    ],
  ])('a list of %s', (_, extensions, scope) => {
    expect(read(list({ extensions })).scope).toMatchObject(scope)
  })

  test('entries of other issuers, which hold for those that follow', () => {
    const entries = [
      entry(leaf.serial),
      entry(serial(1), entryIssuer(other.subject)),
      entry(leaf.serial, reason(4)),
      entry(leaf.serial, reason(1)),
    ]
    const { found } = read(list({ entries, extensions: [distributionPoint(flag(4))] }))
    expect(found.map(one => [nameText(one.issuer), one.reason])).toEqual([
      ['CN=Issuer', null],
      ['CN=Other', 'superseded'],
    ])
  })
})

describe('no list is', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'is missing'],
    ['a certificate', leaf.der, 'another type'],
    ['a list with something behind', Buffer.concat([list(), nullValue]), 'something follows'],
    ['a list of version 3', list({ editTbs: ([, ...fields]) => [integer(2), ...fields] }), 'version'],
    [
      'a list whose algorithms differ',
      list({ outerAlgorithm: sequence(oid('1.3.101.112')) }),
      'is not the one outside',
    ],
    ['a list with no time', list({ thisUpdate: nullValue }), 'no time in the form'],
    ['an entry that is no SEQUENCE', list({ entries: [nullValue] }), 'another type'],
    ['an entry without a date', list({ entries: [sequence(integer(1))] }), 'is missing'],
    [
      'an entry with a long serial number that is not minimal',
      list({ entries: [entry(Buffer.from([0, 1]))] }),
      'minimal',
    ],
    [
      'an entry with something behind',
      list({
        entries: [sequence(integer(1), generalizedTime('20510101000000Z'), sequence(reason(1)), nullValue)],
      }),
      'something follows',
    ],
    [
      'an entry with empty extensions',
      list({ entries: [sequence(integer(1), generalizedTime('20510101000000Z'), sequence())] }),
      'empty',
    ],
    [
      'an entry with a reason twice',
      list({ entries: [entry(serial(1), reason(1), reason(2))] }),
      'more than once',
    ],
    [
      'a reason that is no ENUMERATED',
      list({ entries: [entry(serial(1), extension('2.5.29.21', integer(1)))] }),
      'another type',
    ],
    [
      'a reason of two octets',
      list({ entries: [entry(serial(1), extension('2.5.29.21', tlv(0x0a, Buffer.of(0, 1))))] }),
      'below 128',
    ],
    [
      'a reason below zero',
      list({ entries: [entry(serial(1), extension('2.5.29.21', enumerated(0xff)))] }),
      'below 128',
    ],
    [
      'an issuer of an entry that is no name',
      list({ entries: [entry(serial(1), extension('2.5.29.29', sequence(tlv(0x82, Buffer.from('a')))))] }),
      'no directory name',
    ],
    ['a negative number', list({ extensions: [extension('2.5.29.20', tlv(2, Buffer.of(0xff)))] }), 'negative'],
    [
      'a number of 21 octets',
      list({ extensions: [extension('2.5.29.20', tlv(2, Buffer.alloc(21, 1)))] }),
      'too long',
    ],
    ['a list only for two kinds', list({ extensions: [distributionPoint(flag(1), flag(2))] }), 'several kinds'],
    ['a flag of 01', list({ extensions: [distributionPoint(tlv(0x81, Buffer.of(1)))] }), 'not TRUE'],
    ['a point without a name', list({ extensions: [distributionPoint(explicit(0))] }), 'is missing'],
    [
      'a hundred extensions',
      list({ extensions: Array.from({ length: 100 }, (_, index) => extension(`1.2.${index}`, nullValue)) }),
      'more than 64',
    ],
    ['a list that is too long', new Uint8Array(maxRevocationListBytes + 1), 'more than'],
  ])('%s', (_, octets, problem) => {
    const answer = parseRevocationList(octets, [leaf.serial])
    expect(answer.kind === 'malformed' && answer.detail).toContain(problem)
  })

  const rich = list({
    entries: [entry(serial(1), reason(1)), entry(leaf.serial, entryIssuer(other.subject), reason(3))],
    extensions: [
      listNumber(300),
      deltaIndicator,
      distributionPoint(pointAt('http://a.example'), flag(1), flag(4)),
    ],
  })

  test('a list that is cut anywhere', () => {
    for (let cut = 0; cut < rich.length; cut++)
      expect(parseRevocationList(rich.subarray(0, cut), [leaf.serial]).kind, `cut at ${cut}`).toBe('malformed')
  })

  test('what octets make it throw, of 20,000 changed in up to four places', () => {
    const random = xorshift(0xc41)
    const kinds = { list: 0, malformed: 0 }
    for (let round = 0; round < 20_000; round++) {
      const octets = Buffer.from(rich)
      for (let changes = random(4) + 1; changes > 0; changes--) octets[random(octets.length)] = random(256)
      const answer = parseRevocationList(octets, [leaf.serial, serial(1)])
      kinds[answer.kind]++
      if (answer.kind === 'list') {
        expect(answer.list.found.length).toBeLessThanOrEqual(answer.list.entries)
        expect(Number.isFinite(answer.list.thisUpdateMs)).toBe(true)
      }
    }
    expect(Math.min(kinds.list, kinds.malformed)).toBeGreaterThan(100)
  })
})

test('twice the entries are twice the work, and of 200,000 one is found', () => {
  const large = (count: number) => {
    const one = entry(Buffer.from([1, 0, 0, 0, 1]), reason(1))
    const all = Buffer.alloc(one.length * count, one)
    // The second to fourth octet of the serial number, behind the headers of entry and INTEGER.
    for (let index = 0; index < count; index++) all.writeUIntBE(index, index * one.length + 5, 3)
    return list({ entries: [all] })
  }
  const wanted = [Buffer.from([1, 0, 1, 0, 1]), leaf.serial]
  const work = [25_000, 50_000, 200_000].map(count => {
    const { read: answer, elements } = parseCountedList(large(count), wanted)
    expect(answer).toMatchObject({ kind: 'list', list: { entries: count, found: [{ reason: 'keyCompromise' }] } })
    return elements
  })
  const [small = 0, double = 0, whole = 0] = work
  expect(double).toBeLessThanOrEqual(small * 2)
  expect(whole).toBeLessThanOrEqual(small * 8)
})

/** The same sequence of numbers below `limit` for the same seed (Marsaglia, xorshift32). */
function xorshift(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}
