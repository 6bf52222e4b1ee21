import { describe, expect, test } from 'vitest'
import { formatName } from '../dns/name.ts'
import { typeName } from '../dns/numbers.ts'
import { groupRrsets } from './rrsets.ts'
import { recordsFromText } from './testing/zone-text.ts'

const outline = (text: string) =>
  groupRrsets(recordsFromText(text)).map(
    ({ name, type, records, signatures, ttlSeconds }) =>
      `${formatName(name)} ${typeName(type)} ${records.length}+${signatures.length} ${ttlSeconds}`,
  )
const rrsig = (covered: string, ttl = 300) => `${ttl} IN RRSIG ${covered} 8 2 300 20 10 7 example AQID`

describe('records become sets', () => {
  test('by owner in any case, and by type, in the order in which they began', () => {
    expect(
      outline(
        'b.example 300 IN A 1.1.1.1\na.example 300 IN A 1.1.1.1\nB.EXAMPLE 300 IN A 1.1.1.2\nb.example 300 IN MX 1 x',
      ),
    ).toEqual(['b.example A 2+0 300', 'a.example A 1+0 300', 'b.example MX 1+0 300'])
  })
  test('with the signatures that cover their type, wherever these stand', () => {
    expect(
      outline(
        `a.example ${rrsig('A')}\na.example 300 IN A 1.1.1.1\nA.example ${rrsig('A')}\na.example ${rrsig('MX')}`,
      ),
    ).toEqual(['a.example A 1+2 300'])
  })
  test('with the smallest TTL of records and signatures', () => {
    expect(outline(`a 300 IN A 1.1.1.1\na 200 IN A 1.1.1.2\na ${rrsig('A', 250)}`)).toEqual(['a A 2+1 200'])
    expect(outline(`a 300 IN A 1.1.1.1\na ${rrsig('A', 100)}`)).toEqual(['a A 1+1 100'])
  })
  test('without what came twice, in canonical form', () => {
    expect(outline('a 300 IN MX 1 b\na 200 IN MX 1 B\na 300 IN TXT "b"\na 300 IN TXT "B"')).toEqual([
      'a MX 1+0 200',
      'a TXT 2+0 300',
    ])
  })
  test('without signatures that nothing here needs, or that cannot be read', () => {
    expect(outline(`a ${rrsig('A')}`)).toEqual([])
    const [broken] = recordsFromText(`a ${rrsig('A')}`)
    if (broken === undefined) throw new Error('no record')
    const records = [...recordsFromText('a 300 IN A 1.1.1.1'), { ...broken, rdata: broken.rdata.subarray(0, 18) }]
    expect(groupRrsets(records)).toMatchObject([{ signatures: [] }])
  })
  test('without records of other classes', () => {
    const records = recordsFromText('a 300 IN A 1.1.1.1\na 300 IN A 1.1.1.2').map((record, index) => ({
      ...record,
      class: index === 0 ? 3 : 1,
    }))
    expect(groupRrsets(records)).toMatchObject([{ records: [{ class: 1 }] }])
  })
  test('and owners that look alike in text stay apart', () => {
    expect(outline('a\\.b 300 IN A 1.1.1.1\na.b 300 IN A 1.1.1.1\n1\\032a 300 IN A 1.1.1.1')).toHaveLength(3)
  })
})
