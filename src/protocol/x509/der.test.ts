import { expect, test } from 'vitest'
import {
  type Der,
  hasMore,
  maxOddities,
  next,
  nextBoolean,
  nextCount,
  nextFlag,
  nextNamedBits,
  nextOctetsAsBits,
  nextOid,
  nextTime,
  openDer,
  takeProblem,
} from './der.ts'
import { element, hex, text } from './testing/der.ts'

const headers: readonly (readonly [octets: string, meaning: string, problem: string | null])[] = [
  ['0500', 'no content', null],
  ['0401aa', 'one octet', null],
  [`047f${'aa'.repeat(127)}`, 'the longest short length', null],
  [`048180${'aa'.repeat(128)}`, 'the shortest long length', null],
  [`04820100${'aa'.repeat(256)}`, 'a length of two octets', null],
  ['9f1f00', 'the lowest tag number of the long form', null],
  ['9f87ffff7f00', 'a tag number of four octets', null],
  ['', 'nothing', 'an element is missing'],
  ['04', 'a tag without a length', 'an element is cut off'],
  ['0402aa', 'less content than the length says', 'an element is longer than what it stands in'],
  ['048101aa', 'a short length in the long form', 'a length that is not minimal'],
  ['04820080', 'a length with a zero in front', 'a length that is not minimal'],
  ['0481', 'a length that is cut off', 'an element is cut off'],
  ['0484ffffffff', 'the longest length there is', 'an element is longer than what it stands in'],
  ['048500000000ff', 'a length of five octets', 'a length of more than four octets'],
  ['04ff', 'the reserved length', 'a length of more than four octets'],
  ['24800000', 'an indefinite length', 'an indefinite length'],
  ['0000', 'an end of contents', 'the tag 0 is reserved'],
  ['9f1e00', 'a low tag number in the long form', 'a tag number is not minimal, or too long'],
  ['9f801f00', 'a tag number with a zero in front', 'a tag number is not minimal, or too long'],
  ['9f8181818100', 'a tag number of five octets', 'a tag number is not minimal, or too long'],
  ['9f81', 'a tag number that is cut off', 'a tag number is not minimal, or too long'],
]

test.each(headers)('the element %s is %s, for which the problem is: %s', (octets, _, problem) => {
  const der = openDer(hex(octets))
  expect(next(der)).toBe(problem === null)
  if (problem === null) expect(hasMore(der)).toBe(false)
  else expect(takeProblem(der)).toContain(problem)
})

test('a problem names its place, and the first one is kept', () => {
  const der = openDer(hex('0500 0401'))
  expect([next(der), next(der), next(der)]).toEqual([true, false, false])
  expect(takeProblem(der)).toBe('an element is longer than what it stands in at octet 2')
})

const values: readonly (readonly [what: string, read: (der: Der) => unknown, octets: Buffer, value: unknown])[] = [
  ['TRUE', boolean, hex('0101ff'), true],
  ['FALSE', boolean, hex('010100'), false],
  ['a BOOLEAN of 01', boolean, hex('010101'), true],
  ['a flag that is not there', flag, hex(''), false],
  ['a flag that is another element', flag, hex('0400'), false],
  ['a flag that is TRUE', flag, hex('0101ff'), true],
  ['a flag that is FALSE', flag, hex('010100'), false],
  ['a flag of two octets', flag, hex('01020000'), null],
  ['a BOOLEAN without content', boolean, hex('0100'), null],
  ['a BOOLEAN of two octets', boolean, hex('0102ffff'), null],
  ['0', count, hex('020100'), 0],
  ['127', count, hex('02017f'), 127],
  ['128', count, hex('02020080'), 128],
  ['the largest of six octets', count, hex('02067fffffffffff'), 2 ** 47 - 1],
  ['one of seven octets', count, hex('020701ffffffffffff'), Number.POSITIVE_INFINITY],
  ['an INTEGER without content', count, hex('0200'), null],
  ['a zero in front', count, hex('0202007f'), null],
  ['a negative one', count, hex('0201ff'), null],
  ['a negative one that is not minimal', count, hex('0202ff80'), null],
  ['2.5.29.17', oid, hex('0603551d11'), '2.5.29.17'],
  ['2.5.4.3', oid, hex('0603550403'), '2.5.4.3'],
  ['2.5.4.128', oid, hex('060455048100'), '2.5.4.128'],
  ['0.9.2342', oid, hex('0603099226'), '0.9.2342'],
  ['1.2.840.113549', oid, hex('06062a864886f70d'), '1.2.840.113549'],
  ['1.39', oid, hex('06014f'), '1.39'],
  ['2.0', oid, hex('060150'), '2.0'],
  ['2.999', oid, hex('06028837'), '2.999'],
  ['the largest UUID', oid, hex('06146983ffffffffffffffffffffffffffffffffff7f'), `2.25.${2n ** 128n - 1n}`],
  ['an object identifier without content', oid, hex('0600'), null],
  ['an arc with a zero in front', oid, hex('0603558003'), null],
  ['an arc that does not end', oid, hex('0603551d91'), null],
  ['an object identifier of 65 octets', oid, element(0x06, Buffer.alloc(65, 1)), null],
  ['an arc of 64 octets', oid, element(0x06, Buffer.from([...Array(63).fill(0xff), 1])), `2.${2n ** 448n - 207n}`],
  ['whole octets', bits, hex('030300abcd'), 'abcd'],
  ['no octets', bits, hex('030100'), ''],
  ['seven octets and seven bits', bits, hex('030301abce'), null],
  ['a BIT STRING without content', bits, hex('0300'), null],
  ['one named bit', namedBits, hex('03020780'), '80'],
  ['the last bit of the octet', namedBits, hex('03020001'), '01'],
  ['no named bit', namedBits, hex('030100'), ''],
  ['no named bit, yet bits unused', namedBits, hex('030107'), null],
  ['a zero bit at the end', namedBits, hex('03020680'), '80'],
  ['a zero octet at the end', namedBits, hex('0303008000'), '8000'],
  ['a set bit among the unused', namedBits, hex('03020781'), null],
  ['a set bit among the unused, and no other', namedBits, hex('03020740'), null],
  ['eight unused bits', namedBits, hex('03020880'), null],
  ['named bits without content', namedBits, hex('0300'), null],
]

test.each(values)('%s is read as the one value its octets have, or refused', (_, read, octets, value) => {
  const der = openDer(octets)
  expect(read(der)).toEqual(value)
  if (value === null) expect(takeProblem(der)).toMatch(/ at octet \d+$/)
})

const oddities: readonly (readonly [
  what: string,
  read: (der: Der) => unknown,
  octets: Buffer,
  oddity: string | null,
])[] = [
  ['TRUE', boolean, hex('0101ff'), null],
  ['a BOOLEAN of 01', boolean, hex('010101'), 'it is TRUE, and not written as FF at octet 0'],
  ['a flag that is left out', flag, hex('0400'), null],
  ['a flag that is TRUE', flag, hex('0101ff'), null],
  ['a flag of 01', flag, hex('010101'), 'it is TRUE, and not written as FF at octet 0'],
  ['a flag that is FALSE', flag, hex('010100'), 'it is FALSE, and written out at octet 0'],
  ['one named bit', namedBits, hex('03020780'), null],
  ['no named bit', namedBits, hex('030100'), null],
  ['a zero bit at the end', namedBits, hex('03020680'), 'it ends with zero bits at octet 0'],
  ['eight bits, the first one set', namedBits, hex('03020080'), 'it ends with zero bits at octet 0'],
  ['a zero octet at the end', namedBits, hex('0303008000'), 'it ends with zero bits at octet 0'],
  ['a UTCTime', time, text(0x17, '491231235959Z'), null],
  [
    'a GeneralizedTime of 2049',
    time,
    text(0x18, '20491231235959Z'),
    'it is before 2050, and no UTCTime at octet 0',
  ],
  ['a GeneralizedTime of 2050', time, text(0x18, '20500101000000Z'), null],
  [
    'a GeneralizedTime of 1950',
    time,
    text(0x18, '19500101000000Z'),
    'it is before 2050, and no UTCTime at octet 0',
  ],
  ['a GeneralizedTime of 1949, which UTCTime does not have', time, text(0x18, '19491231235959Z'), null],
]

test.each(oddities)('%s is read, and noted where DER has another encoding', (_, read, octets, oddity) => {
  const der = openDer(octets)
  expect(read(der)).not.toBeNull()
  expect(der.reading.oddities).toEqual(oddity === null ? null : [oddity])
  expect(der.reading.oddityCount).toBe(oddity === null ? 0 : 1)
})

test('of many oddities the first are kept, and all are counted', () => {
  const der = openDer(Buffer.concat(Array<Buffer>(1_000).fill(hex('010100'))))
  for (let index = 0; index < 1_000; index++) expect(flag(der)).toBe(false)
  expect(der.reading.oddities).toHaveLength(maxOddities)
  expect(der.reading.oddityCount).toBe(1_000)
})

const utc = 0x17
const generalized = 0x18
const times: readonly (readonly [tag: number, written: string, time: string | null])[] = [
  [utc, '260228235959Z', '2026-02-28T23:59:59.000Z'],
  [utc, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [utc, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [utc, '000229000000Z', '2000-02-29T00:00:00.000Z'],
  [generalized, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  [generalized, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  [generalized, '00000101000000Z', '0000-01-01T00:00:00.000Z'],
  [generalized, '00990101000000Z', '0099-01-01T00:00:00.000Z'],
  // Against RFC 5280 §4.1.2.5, and of one meaning.
  [generalized, '20260101000000Z', '2026-01-01T00:00:00.000Z'],
  [utc, '2601010000Z', null],
  [utc, '260101000000', null],
  [utc, '260101000000+0000', null],
  [utc, '260101000000z', null],
  [utc, '20260101000000Z', null],
  [utc, '260229000000Z', null],
  [utc, '261301000000Z', null],
  [utc, '260001000000Z', null],
  [utc, '260100000000Z', null],
  [utc, '260431000000Z', null],
  [utc, '260101240000Z', null],
  [utc, '260101006000Z', null],
  [utc, '260101000060Z', null],
  [utc, '2601010000-1Z', null],
  [utc, ' 60101000000Z', null],
  [utc, '', null],
  [utc, 'Z', null],
  [generalized, '19000229000000Z', null],
  [generalized, '20500101000000.5Z', null],
  [generalized, '20500101000000.Z', null],
  [generalized, '205001010000Z', null],
  [generalized, '20500101000000', null],
  [generalized, '500101000000Z', null],
  [0x13, '260101000000Z', null],
]

test.each(times)('the time of tag %i, written %s, is %s', (tag, written, time) => {
  expect(nextTime(openDer(text(tag, written)), 'it')).toBe(time === null ? null : Date.parse(time))
})

function boolean(der: Der) {
  return nextBoolean(der, 'it')
}

function flag(der: Der) {
  return nextFlag(der, 'it')
}

function time(der: Der) {
  return nextTime(der, 'it')
}

function count(der: Der) {
  return nextCount(der, 'it')
}

function oid(der: Der) {
  return nextOid(der, 'it')
}

function bits(der: Der) {
  return hexOf(nextOctetsAsBits(der, 'it'))
}

function namedBits(der: Der) {
  return hexOf(nextNamedBits(der, 'it'))
}

function hexOf(octets: Uint8Array | null) {
  return octets === null ? null : Buffer.from(octets).toString('hex')
}
