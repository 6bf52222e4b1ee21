import { describe, expect, test } from 'vitest'
import { type Message, makeQuery } from './message.ts'
import { type Name, parseName } from './name.ts'
import { rcodes, typeNumbers } from './numbers.ts'
import { maxAliases, readResponse } from './reading.ts'
import { type KnownData, makeRecord } from './records.ts'

const name = (text: string): Name => parseName(text) ?? []
const rr = (owner: string, data: KnownData, ttl = 300) => makeRecord(owner, ttl, data)
const a = (owner: string, address: string, ttl?: number) => rr(owner, { type: 'A', address }, ttl)
const cname = (owner: string, target: string, ttl?: number) => rr(owner, { type: 'CNAME', target }, ttl)
const soa = (owner: string, ttl: number, minimum: number) =>
  rr(
    owner,
    { type: 'SOA', primary: 'ns', mailbox: 'me', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
    ttl,
  )

const respond = (parts: Partial<Message>): Message => ({
  ...makeQuery({ id: 1, name: name('www.example'), type: typeNumbers.A, edns: null }),
  isResponse: true,
  ...parts,
})
const read = (parts: Partial<Message>, passed: string[] = []) =>
  readResponse(name('www.example'), 'A', respond(parts), passed)

describe('a response', () => {
  test('gives the records of the name, with the smallest TTL', () => {
    expect(read({ answers: [a('WWW.example', '192.0.2.1', 60), a('www.EXAMPLE', '192.0.2.2', 30)] })).toEqual({
      kind: 'records',
      aliases: [],
      ttlSeconds: 30,
      records: [
        { type: 'A', address: '192.0.2.1' },
        { type: 'A', address: '192.0.2.2' },
      ],
    })
  })

  test('is followed through its aliases, in whatever order they stand', () => {
    expect(
      read({
        answers: [
          a('c.example', '192.0.2.1', 60),
          cname('b.example', 'C.example', 20),
          cname('www.example', 'b.example', 90),
        ],
      }),
    ).toEqual({
      kind: 'records',
      aliases: ['b.example', 'c.example'],
      ttlSeconds: 20,
      records: [{ type: 'A', address: '192.0.2.1' }],
    })
  })

  test('gives no record that the question does not lead to', () => {
    expect(
      read({
        answers: [a('other.example', '192.0.2.66'), cname('elsewhere.example', 'www.example')],
        authorities: [soa('example', 60, 30)],
      }),
    ).toMatchObject({ kind: 'no-data' })
    expect(read({ answers: [cname('www.example', 'b.example'), a('www2.example', '192.0.2.66')] })).toMatchObject({
      kind: 'continues',
      at: name('b.example'),
    })
  })

  test('asked for the alias itself is not followed', () => {
    const reading = readResponse(
      name('www.example'),
      'CNAME',
      respond({ answers: [cname('www.example', 'b.example')] }),
      [],
    )
    expect(reading).toMatchObject({
      kind: 'records',
      aliases: [],
      records: [{ type: 'CNAME', target: 'b.example' }],
    })
  })

  test('without the end of its chain leads to a further question', () => {
    expect(read({ answers: [cname('www.example', 'b.example', 20)] })).toEqual({
      kind: 'continues',
      at: name('b.example'),
      aliases: ['b.example'],
      ttlSeconds: 20,
    })
  })

  test.each([
    ['to itself', [cname('www.example', 'WWW.example')], []],
    ['in a circle', [cname('www.example', 'b.example'), cname('b.example', 'www.example')], []],
    ['back to a name that led here', [cname('www.example', 'start.example')], ['start.example']],
    [
      'through too many names',
      [...Array(maxAliases + 1).keys()].map(n =>
        cname(n === 0 ? 'www.example' : `${n}.example`, `${n + 1}.example`),
      ),
      [],
    ],
  ])('whose alias leads %s is a loop', (_, answers, passed) =>
    expect(read({ answers }, passed)).toEqual({ kind: 'alias-loop' }),
  )

  test('may lead through as many names as allowed', () => {
    const chain = [...Array(maxAliases).keys()].map(n =>
      cname(n === 0 ? 'www.example' : `${n}.example`, `${n + 1}.example`),
    )
    expect(read({ answers: [...chain, a(`${maxAliases}.example`, '192.0.2.1')] })).toMatchObject({
      kind: 'records',
    })
  })

  test('with two different aliases for one name is malformed, with one twice it is not', () => {
    expect(
      read({ answers: [cname('www.example', 'b.example'), cname('www.example', 'c.example')] }),
    ).toMatchObject({ kind: 'malformed' })
    expect(
      read({ answers: [cname('www.example', 'b.example'), cname('www.example', 'B.example')] }),
    ).toMatchObject({ kind: 'continues' })
  })

  test('with RDATA that is no address is malformed', () => {
    expect(read({ answers: [{ ...a('www.example', '192.0.2.1'), rdata: new Uint8Array(3) }] })).toMatchObject({
      kind: 'malformed',
    })
  })

  test('of another class gives nothing', () => {
    expect(read({ answers: [{ ...a('www.example', '192.0.2.1'), class: 3 }] })).toMatchObject({ kind: 'no-data' })
  })
})

describe('a negative response', () => {
  const nx = { rcode: rcodes.NXDOMAIN }
  test.each<[string, Partial<Message>, object]>([
    [
      'keeps the smaller of the TTL of its SOA and the minimum in it',
      { authorities: [soa('example', 60, 30)] },
      { kind: 'no-data', ttlSeconds: 30, aliases: [] },
    ],
    [
      'keeps the smaller, the other way round',
      { ...nx, authorities: [soa('example', 20, 30)] },
      { kind: 'no-such-name', ttlSeconds: 20, aliases: [] },
    ],
    ['has no TTL without an SOA', nx, { kind: 'no-such-name', ttlSeconds: null, aliases: [] }],
    [
      'has no TTL when the SOA is of another zone',
      { ...nx, authorities: [soa('other', 60, 30)] },
      { kind: 'no-such-name', ttlSeconds: null, aliases: [] },
    ],
    [
      'behind an alias speaks of the last name',
      { ...nx, answers: [cname('www.example', 'b.example', 10)], authorities: [soa('example', 60, 30)] },
      { kind: 'no-such-name', ttlSeconds: 10, aliases: ['b.example'] },
    ],
    [
      'behind an alias says no data when it has an SOA',
      { answers: [cname('www.example', 'b.example')], authorities: [soa('example', 60, 30)] },
      { kind: 'no-data', ttlSeconds: 30, aliases: ['b.example'] },
    ],
    ['with nothing in it says no data', {}, { kind: 'no-data', ttlSeconds: null, aliases: [] }],
  ])('%s', (_, parts, expected) => expect(read(parts)).toEqual(expected))

  test('that only names other servers is a referral, never "no data"', () => {
    const authorities = [rr('example', { type: 'NS', target: 'ns.example' })]
    expect(read({ authorities })).toEqual({ kind: 'referral' })
    expect(read({ authorities, authoritative: true })).toMatchObject({ kind: 'no-data' })
    expect(read({ authorities: [...authorities, soa('example', 60, 30)] })).toMatchObject({ kind: 'no-data' })
  })

  test('cannot come with records of the name', () => {
    expect(read({ ...nx, answers: [a('www.example', '192.0.2.1')] })).toMatchObject({ kind: 'malformed' })
  })
})
