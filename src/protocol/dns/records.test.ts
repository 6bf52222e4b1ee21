import { describe, expect, test } from 'vitest'
import { classInternet, rcodeName, typeFromName, typeName, typeNumbers } from './numbers.ts'
import { type KnownData, makeRecord, readData } from './records.ts'

const text = (...parts: string[]) => parts.map(part => new TextEncoder().encode(part))
const every: readonly KnownData[] = [
  { type: 'A', address: '192.0.2.1' },
  { type: 'AAAA', address: '2001:db8::1' },
  { type: 'MX', preference: 65_535, exchange: 'mx.example.org' },
  { type: 'MX', preference: 0, exchange: '' },
  { type: 'CNAME', target: 'a\\.b.example.org' },
  { type: 'PTR', target: 'mx.example.org' },
  { type: 'NS', target: '' },
  { type: 'TXT', text: text('v=spf1', '', 'x'.repeat(255)) },
  {
    type: 'SOA',
    primary: 'ns.example.org',
    mailbox: 'host.example.org',
    serial: 4_294_967_295,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 5,
  },
]

describe.each(every)('a record of type $type', data => {
  const record = makeRecord('example.org', 60, data)
  test('says what it was made of', () => expect(readData(record)).toEqual(data))
  test('is malformed at every cut, and never something else', () => {
    for (let cut = 0; cut < record.rdata.length; cut++) {
      const read = readData({ ...record, rdata: record.rdata.subarray(0, cut) })
      // A TXT record cut between its strings is a shorter TXT record.
      if (read !== 'malformed') expect([data.type, 'TXT']).toEqual(['TXT', (read as KnownData | null)?.type])
    }
  })
  test('is malformed with a byte behind it', () => {
    expect(readData({ ...record, rdata: Uint8Array.of(...record.rdata, 9) })).toBe('malformed')
  })
})

test('names are read in lower case', () => {
  expect(readData(makeRecord('x', 1, { type: 'MX', preference: 1, exchange: 'MX.Example.ORG' }))).toMatchObject({
    exchange: 'mx.example.org',
  })
})

test('a TLSA record has three numbers and whatever follows, even nothing', () => {
  const data = { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: Uint8Array.of(0xab, 0xcd) } as const
  const record = makeRecord('_25._tcp.mx.example.org', 60, data)
  expect(readData(record)).toEqual(data)
  for (const cut of [0, 1, 2])
    expect(readData({ ...record, rdata: record.rdata.subarray(0, cut) })).toBe('malformed')
  expect(readData({ ...record, rdata: record.rdata.subarray(0, 3) })).toEqual({ ...data, data: new Uint8Array() })
})

test('other types are not read, only carried', () => {
  expect(
    readData({
      name: [],
      type: typeNumbers.SRV,
      class: classInternet,
      ttlSeconds: 1,
      rdata: Uint8Array.of(3, 1, 1),
    }),
  ).toBeNull()
})

test.each<KnownData>([
  { type: 'A', address: '::1' },
  { type: 'AAAA', address: '192.0.2.1' },
  { type: 'A', address: '127.1' },
  { type: 'MX', preference: 0, exchange: 'a..b' },
  { type: 'TXT', text: text('x'.repeat(256)) },
])('our own mistake in $type is thrown', data => expect(() => makeRecord('x', 1, data)).toThrow(RangeError))

test('every type has a name that is read back', () => {
  for (let type = 0; type <= 0xffff; type++) expect(typeFromName(typeName(type))).toBe(type)
  expect(typeFromName('mx')).toBe(15)
  expect(typeFromName('type15')).toBe(15)
  for (const wrong of ['', 'MXX', 'TYPE', 'TYPE65536', 'TYPE01', 'constructor'])
    expect(typeFromName(wrong)).toBeNull()
  expect([rcodeName(2), rcodeName(16), rcodeName(999)]).toEqual(['SERVFAIL', 'BADVERS', 'RCODE999'])
})
