/**
 * The client against real servers on loopback that do what a script says, over UDP and TCP.
 *
 * No test depends on how long something takes: a silent server is silent for ever, and only then does the client's short
 * wait run out; a late answer is sent when the next question arrives.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { DnsQuestion } from '../protocol/dns/answer.ts'
import { encodeMessage, type Message, type ResourceRecord } from '../protocol/dns/message.ts'
import { formatName, parseName } from '../protocol/dns/name.ts'
import { rcodes, typeName, typeNumbers } from '../protocol/dns/numbers.ts'
import { type KnownData, makeRecord } from '../protocol/dns/records.ts'
import {
  createDnsClient,
  type DnsClientOptions,
  failureTtlSeconds,
  maxNegativeTtlSeconds,
  maxTtlSeconds,
  minTtlSeconds,
} from './dns-client.ts'
import { deadServerMs, ownCaseMs, udpPayloadBytes, withoutEdnsMs } from './dns-servers.ts'
import type { Resolver } from './resolver.ts'
import { type Asked, afterwards, closeAll, nobody, serve, type TestServer } from './testing/scripted-dns.ts'

afterEach(closeAll)

const response = (query: Message, parts: Partial<Message> = {}): Message => ({
  ...query,
  isResponse: true,
  recursionAvailable: true,
  ...parts,
})
const answer = (asked: Asked, parts: Partial<Message>) => asked.reply(encodeMessage(response(asked.query, parts)))
const rr = (owner: string, data: KnownData, ttlSeconds = 300): ResourceRecord =>
  makeRecord(owner, ttlSeconds, data)
const soa = (owner: string, ttlSeconds: number, minimum: number) =>
  rr(
    owner,
    { type: 'SOA', primary: 'ns', mailbox: 'me', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
    ttlSeconds,
  )
/** Answers A questions for any name. */
const giveAddress = (asked: Asked, address = '192.0.2.1', ttlSeconds = 300) => {
  const owner = formatName(asked.query.questions[0]?.name ?? [])
  answer(asked, { answers: [rr(owner, { type: 'A', address }, ttlSeconds)] })
}
const failWith = (rcode: number) => (asked: Asked) => answer(asked, { rcode })
const silent = () => {}

function client(servers: readonly TestServer[], more: Partial<DnsClientOptions> = {}): Resolver {
  const resolver = createDnsClient({
    servers: servers.map(({ address }) => address),
    hostsFile: null,
    timeoutMs: 60_000,
    waitMs: 20_000,
    attempts: 2,
    ...more,
  })
  afterwards(() => resolver.close())
  return resolver
}
/** Waits for no answer longer than it must. Only for servers that are silent on purpose. */
const hasty = { waitMs: 400, timeoutMs: 10_000 }
const a = (name: string): DnsQuestion => ({ name, type: 'A' })

describe('a question', () => {
  test('goes out with EDNS and recursion, and its answer comes back', async () => {
    const server = await serve(asked =>
      answer(asked, {
        answers: [
          rr('Example.ORG', { type: 'MX', preference: 10, exchange: 'MX.example.org' }, 77),
          rr('example.org', { type: 'MX', preference: 20, exchange: 'b.example.org' }, 99),
        ],
      }),
    )
    expect(await client([server]).resolve({ name: 'Example.org.', type: 'MX' })).toEqual({
      question: { name: 'Example.org.', type: 'MX' },
      outcome: 'records',
      records: [
        { type: 'MX', preference: 10, exchange: 'mx.example.org' },
        { type: 'MX', preference: 20, exchange: 'b.example.org' },
      ],
      aliases: [],
      ttlSeconds: 77,
      security: 'unvalidated',
      because: null,
      server: server.address,
      cached: false,
      why: null,
      reason: null,
    })
    const query = server.asked[0]?.query
    expect(query).toMatchObject({
      isResponse: false,
      opcode: 0,
      recursionDesired: true,
      checkingDisabled: false,
      edns: { udpPayloadBytes, dnssecOk: false, version: 0 },
    })
    expect(query?.questions).toMatchObject([{ type: typeNumbers.MX, class: 1 }])
  })

  test('has an id and a source port that nobody can guess', async () => {
    const server = await serve(asked => giveAddress(asked))
    const resolver = client([server])
    await Promise.all([...Array(40).keys()].map(n => resolver.resolve(a(`n${n}.example`))))
    expect(new Set(server.asked.map(({ query }) => query.id)).size).toBeGreaterThan(35)
    expect(new Set(server.asked.map(({ port }) => port)).size).toBeGreaterThan(20)
  })

  test('for something that is no name is not asked', async () => {
    const server = await serve(silent)
    expect(await client([server]).resolve(a('a..b'))).toMatchObject({
      outcome: 'failed',
      reason: 'dns.name-invalid',
      server: null,
    })
    expect(server.asked).toEqual([])
  })
})

describe('an answer', () => {
  test.each<[string, (query: Message) => Partial<Message>]>([
    ['with another id', query => ({ id: (query.id + 1) & 0xffff })],
    [
      'to another name',
      query => ({
        questions: [{ name: parseName('other.example') ?? [], type: 1, class: query.questions[0]?.class ?? 1 }],
      }),
    ],
    [
      'to another type',
      query => ({ questions: query.questions.map(each => ({ ...each, type: typeNumbers.AAAA })) }),
    ],
    ['of another class', query => ({ questions: query.questions.map(each => ({ ...each, class: 3 })) })],
    ['to two questions', query => ({ questions: [...query.questions, ...query.questions] })],
    ['to no question', () => ({ questions: [] })],
    ['that is a question', () => ({ isResponse: false })],
    ['with another opcode', () => ({ opcode: 5 })],
  ])('%s is passed over, and the right one behind it taken', async (_, change) => {
    const server = await serve(asked => {
      const wrong = { answers: [rr('x.example', { type: 'A', address: '203.0.113.66' })] }
      asked.reply(encodeMessage({ ...response(asked.query, wrong), ...change(asked.query) }))
      giveAddress(asked)
    })
    expect((await client([server]).resolve(a('x.example'))).records).toEqual([{ type: 'A', address: '192.0.2.1' }])
  })

  test('with the question in another case is taken', async () => {
    const server = await serve(asked =>
      answer(asked, {
        questions: [{ name: parseName('X.EXAMPLE') ?? [], type: 1, class: 1 }],
        answers: [rr('X.example', { type: 'A', address: '192.0.2.1' })],
      }),
    )
    expect((await client([server]).resolve(a('x.example'))).outcome).toBe('records')
  })

  test('from another address is not even seen', async () => {
    const stranger = createSocket('udp4')
    stranger.bind(0, '127.0.0.2')
    await once(stranger, 'listening')
    afterwards(() => stranger.close())
    const server = await serve(asked => {
      const forged = response(asked.query, { answers: [rr('x.example', { type: 'A', address: '203.0.113.66' })] })
      stranger.send(encodeMessage(forged), asked.port, '127.0.0.1', () => giveAddress(asked))
    })
    expect((await client([server]).resolve(a('x.example'))).records).toEqual([{ type: 'A', address: '192.0.2.1' }])
  })

  test('that is garbage is passed over', async () => {
    const server = await serve(asked => {
      asked.reply(new Uint8Array(0))
      asked.reply(Uint8Array.of(1, 2, 3))
      asked.reply(new Uint8Array(500).fill(0xff))
      giveAddress(asked)
    })
    expect((await client([server]).resolve(a('x.example'))).outcome).toBe('records')
  })

  test('that begins well and ends in garbage fails that server, and the next one is asked', async () => {
    const broken = await serve(asked => asked.reply(Uint8Array.of(...encodeMessage(response(asked.query)), 0)))
    const good = await serve(asked => giveAddress(asked))
    expect(await client([broken, good]).resolve(a('x.example'))).toMatchObject({
      outcome: 'records',
      server: good.address,
    })
    expect(await client([broken]).resolve(a('x.example'))).toMatchObject({
      outcome: 'failed',
      reason: 'dns.lookup-failed',
      why: expect.stringContaining('malformed answer (trailing-bytes'),
    })
  })

  test('that comes late is not taken for the answer to the question asked again', async () => {
    let first: Asked | null = null
    const server = await serve((asked, count) => {
      if (count === 1) {
        first = asked
        return
      }
      if (first !== null) giveAddress(first, '203.0.113.66')
      giveAddress(asked)
    })
    expect((await client([server], hasty).resolve(a('x.example'))).records).toEqual([
      { type: 'A', address: '192.0.2.1' },
    ])
    const [one, two] = server.asked
    expect([one?.query.id === two?.query.id, one?.port === two?.port]).not.toEqual([true, true])
  })
})

describe('the case of a name in a question', () => {
  const nameAsked = ({ query }: Asked) => formatName(query.questions[0]?.name ?? [])
  const inLowerCase = (asked: Asked, address = '192.0.2.1') => {
    const questions = asked.query.questions.map(each => ({
      ...each,
      name: parseName(nameAsked(asked).toLowerCase()) ?? [],
    }))
    asked.reply(
      encodeMessage({
        ...response(asked.query, { answers: [rr('x.example', { type: 'A', address })] }),
        questions,
      }),
    )
  }
  const ways = (asked: readonly Asked[]) => asked.map(({ via }) => via).join(' ')
  const long = 'a-name-with-many-letters.example'

  test('is thrown anew each time, and what comes back is in our own', async () => {
    const server = await serve(asked =>
      answer(asked, {
        answers: [rr(nameAsked(asked), { type: 'MX', preference: 10, exchange: `mx.${nameAsked(asked)}` })],
      }),
    )
    for (let time = 0; time < 8; time++) {
      const resolver = client([server])
      const { records, aliases } = await resolver.resolve({ name: long, type: 'MX' })
      expect(records).toEqual([{ type: 'MX', preference: 10, exchange: `mx.${long}` }])
      expect(aliases).toEqual([])
    }
    const names = server.asked.map(nameAsked)
    expect(new Set(names.map(text => text.toLowerCase()))).toEqual(new Set([long]))
    expect(new Set(names).size).toBeGreaterThan(6)
    expect(ways(server.asked)).toBe('udp udp udp udp udp udp udp udp')
  })

  test('that does not come back is asked for over TCP, and what was forged is not believed', async () => {
    const server = await serve(asked => {
      // Whoever did not see the question cannot know its case.
      if (asked.via === 'udp') inLowerCase(asked, '203.0.113.66')
      else giveAddress(asked)
    })
    const resolver = client([server])
    expect((await resolver.resolve(a(long))).records).toEqual([{ type: 'A', address: '192.0.2.1' }])
    // The server is not to blame, and is asked as before.
    expect((await resolver.resolve(a(`b.${long}`))).records).toEqual([{ type: 'A', address: '192.0.2.1' }])
    expect(ways(server.asked)).toBe('udp tcp udp tcp')
  })

  test('is left alone for a while where the server itself does not send it back', async () => {
    let clock = 0
    const server = await serve(asked => inLowerCase(asked))
    const resolver = client([server], { now: () => clock })
    for (const name of [`a.${long}`, `b.${long}`, `c.${long}`])
      expect((await resolver.resolve(a(name))).outcome).toBe('no-data')
    expect(ways(server.asked)).toBe('udp tcp udp udp')
    expect(server.asked.slice(2).map(nameAsked)).toEqual([`b.${long}`, `c.${long}`])
    clock = ownCaseMs + 1
    await resolver.resolve(a(`d.${long}`))
    expect(ways(server.asked)).toBe('udp tcp udp udp udp tcp')
  })

  test.each<[string, (asked: Asked) => void, object]>([
    ['closes TCP connections', asked => asked.hangUp(), {}],
    ['is silent over TCP', silent, { ...hasty }],
  ])('costs no answer where a server does not send it back and %s', async (_, overTcp, more) => {
    const server = await serve(asked => (asked.via === 'udp' ? inLowerCase(asked) : overTcp(asked)))
    const resolver = client([server], more)
    expect((await resolver.resolve(a('x.example'))).records).toEqual([{ type: 'A', address: '192.0.2.1' }])
    expect((await resolver.resolve(a('X.Example.'))).records).toEqual([{ type: 'A', address: '192.0.2.1' }])
    expect((await resolver.resolve({ name: 'x.example', type: 'AAAA' })).outcome).toBe('no-data')
    expect(ways(server.asked)).toBe('udp tcp udp udp')
  })

  test('is our own where a server was silent, or knows no such name and signs nothing', async () => {
    const sensitive = (asked: Asked) =>
      nameAsked(asked) === 'x.many-letters.example'
        ? giveAddress(asked)
        : answer(asked, { rcode: rcodes.NXDOMAIN })
    const denying = await serve(sensitive)
    expect((await client([denying]).resolve(a('x.many-letters.example'))).outcome).toBe('records')
    expect(ways(denying.asked)).toBe('udp udp')
    expect((await client([denying]).resolve(a('y.many-letters.example'))).outcome).toBe('no-such-name')
    const mute = await serve(asked => (nameAsked(asked) === 'x.many-letters.example' ? giveAddress(asked) : null))
    expect((await client([mute], hasty).resolve(a('x.many-letters.example'))).outcome).toBe('records')
    expect(ways(mute.asked)).toBe('udp udp')
  })

  test('does not matter over TCP, and an answer cut short is asked for there', async () => {
    const server = await serve(asked => {
      if (asked.via === 'udp') answer(asked, { truncated: true })
      else inLowerCase(asked)
    })
    expect((await client([server]).resolve(a('x.example'))).records).toEqual([{ type: 'A', address: '192.0.2.1' }])
    expect(server.asked.map(nameAsked)[1]).toBe('x.example')
  })
})

describe('a truncated answer', () => {
  const addresses = [...Array(200).keys()].map(n => rr('x.example', { type: 'A', address: `192.0.2.${n}` }))

  test('is asked for again over TCP', async () => {
    const server = await serve(asked => {
      const whole = response(asked.query, { answers: addresses })
      asked.reply(encodeMessage(whole, asked.via === 'udp' ? udpPayloadBytes : undefined))
    })
    expect((await client([server]).resolve(a('x.example'))).records.length).toBe(200)
    expect(server.asked.map(({ via }) => via)).toEqual(['udp', 'tcp'])
  })

  test('may be cut in the middle of a record', async () => {
    const server = await serve(asked => {
      if (asked.via === 'tcp') return giveAddress(asked)
      asked.reply(encodeMessage(response(asked.query, { truncated: true, answers: addresses })).subarray(0, 500))
    })
    expect((await client([server]).resolve(a('x.example'))).outcome).toBe('records')
  })

  test('comes over TCP in any pieces', async () => {
    const server = await serve(asked => {
      if (asked.via === 'udp') return answer(asked, { truncated: true })
      const answers = [rr('x.example', { type: 'A', address: '192.0.2.1' })]
      asked.replyBytewise(encodeMessage(response(asked.query, { answers })))
    })
    expect((await client([server]).resolve(a('x.example'))).outcome).toBe('records')
  })

  test.each<[string, (asked: Asked) => void]>([
    ['cut over TCP too', asked => answer(asked, { truncated: true })],
    ['hung up on', asked => asked.hangUp()],
    ['answered over TCP for another id', asked => answer(asked, { id: (asked.query.id + 1) & 0xffff })],
    ['garbage over TCP', asked => asked.reply(Uint8Array.of(1, 2, 3))],
  ])('%s leads to the next server', async (_, overTcp) => {
    const cut = await serve(asked => (asked.via === 'udp' ? answer(asked, { truncated: true }) : overTcp(asked)))
    const good = await serve(asked => giveAddress(asked))
    expect(await client([cut, good]).resolve(a('x.example'))).toMatchObject({
      outcome: 'records',
      server: good.address,
    })
  })
})

describe('several servers', () => {
  test.each<[string, (asked: Asked) => void]>([
    ['SERVFAIL', failWith(rcodes.SERVFAIL)],
    ['REFUSED', failWith(rcodes.REFUSED)],
    ['NOTIMP', failWith(rcodes.NOTIMP)],
    ['REFUSED without the question', asked => answer(asked, { rcode: rcodes.REFUSED, questions: [] })],
    ['a referral', asked => answer(asked, { authorities: [rr('example', { type: 'NS', target: 'ns.example' })] })],
    [
      'two different aliases',
      asked =>
        answer(asked, {
          answers: [
            rr('x.example', { type: 'CNAME', target: 'a.example' }),
            rr('x.example', { type: 'CNAME', target: 'b.example' }),
          ],
        }),
    ],
    [
      'an address of three bytes',
      asked =>
        answer(asked, {
          answers: [{ ...rr('x.example', { type: 'A', address: '192.0.2.1' }), rdata: new Uint8Array(3) }],
        }),
    ],
  ])('are asked in turn when one says %s', async (_, script) => {
    const bad = await serve(script)
    const good = await serve(asked => giveAddress(asked))
    expect(await client([bad, good]).resolve(a('x.example'))).toMatchObject({
      outcome: 'records',
      server: good.address,
    })
  })

  test('are not asked on when one says that the name does not exist', async () => {
    const first = await serve(failWith(rcodes.NXDOMAIN))
    const second = await serve(asked => giveAddress(asked))
    expect(await client([first, second]).resolve(a('x.example'))).toMatchObject({
      outcome: 'no-such-name',
      reason: null,
      why: null,
    })
    expect(second.asked).toEqual([])
  })

  test('that all refuse make a failure, each asked once', async () => {
    const first = await serve(failWith(rcodes.SERVFAIL))
    const second = await serve(failWith(rcodes.REFUSED))
    expect(await client([first, second]).resolve(a('x.example'))).toMatchObject({
      outcome: 'failed',
      why: 'REFUSED',
      reason: 'dns.lookup-failed',
      server: second.address,
      ttlSeconds: null,
    })
    expect([first.asked.length, second.asked.length]).toEqual([1, 1])
  })

  test('that are silent are each asked as often as said, and then it is a timeout', async () => {
    const first = await serve(silent)
    const second = await serve(silent)
    expect(await client([first, second], { ...hasty, attempts: 3 }).resolve(a('x.example'))).toMatchObject({
      outcome: 'failed',
      why: 'timeout',
      reason: 'dns.timeout',
      server: null,
    })
    expect([first.asked.length, second.asked.length]).toEqual([3, 3])
  })

  test('of which one is silent are asked the other way round, until that is forgotten', async () => {
    let clock = 0
    const dead = await serve(silent)
    const good = await serve(asked => giveAddress(asked))
    const resolver = client([dead, good], { ...hasty, now: () => clock })
    await resolver.resolve(a('one.example'))
    await resolver.resolve(a('two.example'))
    expect([dead.asked.length, good.asked.length]).toEqual([1, 2])
    clock = deadServerMs + 1
    await resolver.resolve(a('three.example'))
    expect([dead.asked.length, good.asked.length]).toEqual([2, 3])
  })

  test('of which one does not even listen do not wait for it', async () => {
    const absent = await nobody()
    const good = await serve(asked => giveAddress(asked))
    // Would the wait be needed, this would take 20 seconds.
    expect(await client([absent, good]).resolve(a('x.example'))).toMatchObject({
      outcome: 'records',
      server: good.address,
    })
    expect(await client([absent]).resolve(a('x.example'))).toMatchObject({
      outcome: 'failed',
      why: 'unreachable (ECONNREFUSED)',
      reason: 'dns.lookup-failed',
    })
  })

  test('of which one cannot even be connected to do not wait for it: the kernel’s no is an answer', async () => {
    // A broadcast address, which the kernel refuses as it does one without a route.
    const nowhere = { address: '127.255.255.255', asked: [] }
    const good = await serve(asked => giveAddress(asked))
    expect(await client([nowhere, good]).resolve(a('x.example'))).toMatchObject({
      outcome: 'records',
      server: good.address,
    })
    expect(await client([nowhere]).resolve(a('x.example'))).toMatchObject({
      outcome: 'failed',
      why: expect.stringMatching(/^unreachable \(E(ACCES|NETUNREACH)\)$/),
      reason: 'dns.lookup-failed',
    })
  })
})

describe('a server without EDNS', () => {
  const old = (rcode: number) => (asked: Asked) =>
    asked.query.edns === null ? giveAddress(asked) : answer(asked, { rcode, edns: null })

  test.each([rcodes.FORMERR, rcodes.NOTIMP])(
    'that says %i is asked without it, and later at once',
    async rcode => {
      let clock = 0
      const server = await serve(old(rcode))
      const resolver = client([server], { now: () => clock })
      expect((await resolver.resolve(a('one.example'))).outcome).toBe('records')
      expect((await resolver.resolve(a('two.example'))).outcome).toBe('records')
      expect(server.asked.map(({ query }) => query.edns !== null)).toEqual([true, false, false])
      clock = withoutEdnsMs + 1
      await resolver.resolve(a('three.example'))
      expect(server.asked.length).toBe(5)
    },
  )

  test('that says FORMERR without the question is understood', async () => {
    const server = await serve(asked =>
      asked.query.edns === null
        ? giveAddress(asked)
        : answer(asked, { rcode: rcodes.FORMERR, edns: null, questions: [] }),
    )
    expect((await client([server]).resolve(a('one.example'))).outcome).toBe('records')
  })

  test('is not what one is that cannot read the question either way', async () => {
    const server = await serve(asked => answer(asked, { rcode: rcodes.FORMERR, edns: null }))
    const resolver = client([server])
    expect(await resolver.resolve(a('one.example'))).toMatchObject({ outcome: 'failed', why: 'FORMERR' })
    await resolver.resolve(a('two.example'))
    expect(server.asked.map(({ query }) => query.edns !== null)).toEqual([true, false, true, false])
  })
})

describe('an alias', () => {
  /** Answers with the records it has for the name asked, and nothing of what lies behind. */
  const zone = (records: Record<string, KnownData[]>) => (asked: Asked) => {
    const [question] = asked.query.questions
    const owner = formatName(question?.name ?? [])
    const here = (records[owner.toLowerCase()] ?? []).filter(
      data => data.type === 'CNAME' || data.type === typeName(question?.type ?? 0),
    )
    answer(
      asked,
      here.length > 0
        ? { answers: here.map(data => rr(owner, data, 100)) }
        : { authorities: [soa('example', 60, 30)] },
    )
  }

  test('that the answer does not follow is followed by further questions', async () => {
    const server = await serve(
      zone({
        'a.example': [{ type: 'CNAME', target: 'b.example' }],
        'b.example': [{ type: 'CNAME', target: 'c.example' }],
        'c.example': [{ type: 'A', address: '192.0.2.1' }],
      }),
    )
    expect(await client([server]).resolve(a('a.example'))).toMatchObject({
      outcome: 'records',
      aliases: ['b.example', 'c.example'],
      ttlSeconds: 100,
    })
    expect(server.asked.length).toBe(3)
  })

  test('to a name without such records is "no data", with the names on the way', async () => {
    const server = await serve(zone({ 'a.example': [{ type: 'CNAME', target: 'b.example' }] }))
    expect(await client([server]).resolve(a('a.example'))).toMatchObject({
      outcome: 'no-data',
      aliases: ['b.example'],
      ttlSeconds: 30,
    })
  })

  test.each<[string, Record<string, KnownData[]>]>([
    [
      'that leads in a circle over several answers',
      {
        'a.example': [{ type: 'CNAME', target: 'b.example' }],
        'b.example': [{ type: 'CNAME', target: 'a.example' }],
      },
    ],
    [
      'chain without an end',
      Object.fromEntries(
        [...Array(50).keys()].map(n => [
          n === 0 ? 'a.example' : `${n}.example`,
          [{ type: 'CNAME', target: `${n + 1}.example` }],
        ]),
      ),
    ],
  ])('%s is a loop', async (_, records) => {
    const server = await serve(zone(records))
    expect(await client([server]).resolve(a('a.example'))).toMatchObject({
      outcome: 'failed',
      why: 'alias loop',
      reason: 'dns.alias-loop',
      ttlSeconds: null,
    })
    expect(server.asked.length).toBeLessThan(20)
  })
})

describe('the cache', () => {
  test('answers until the TTL is over', async () => {
    let clock = 0
    const server = await serve(asked => giveAddress(asked, '192.0.2.1', 100))
    const resolver = client([server], { now: () => clock })
    expect(await resolver.resolve(a('x.example'))).toMatchObject({ cached: false, ttlSeconds: 100 })
    clock = 40_000
    expect(await resolver.resolve(a('X.example'))).toMatchObject({
      cached: true,
      ttlSeconds: 60,
      server: server.address,
      question: a('X.example'),
    })
    expect(server.asked.length).toBe(1)
    clock = 100_000
    expect(await resolver.resolve(a('x.example'))).toMatchObject({ cached: false })
    expect(server.asked.length).toBe(2)
  })

  test.each<[string, (asked: Asked) => void, number]>([
    ['a TTL of 0 for a few seconds', asked => giveAddress(asked, '192.0.2.1', 0), minTtlSeconds],
    ['a TTL of years for a day', asked => giveAddress(asked, '192.0.2.1', 0x7fff_ffff), maxTtlSeconds],
    [
      'a missing name for the time its SOA says',
      asked => answer(asked, { rcode: rcodes.NXDOMAIN, authorities: [soa('example', 600, 90)] }),
      90,
    ],
    [
      'missing data no longer than the limit',
      asked => answer(asked, { authorities: [soa('example', 86_400, 86_400)] }),
      maxNegativeTtlSeconds,
    ],
    ['a negative answer without an SOA for a few seconds', failWith(rcodes.NXDOMAIN), minTtlSeconds],
    ['a failure for a few seconds', failWith(rcodes.SERVFAIL), failureTtlSeconds],
  ])('keeps %s', async (_, script, seconds) => {
    let clock = 0
    const server = await serve(script)
    const resolver = client([server], { now: () => clock })
    const first = await resolver.resolve(a('x.example'))
    const asked = server.asked.length
    clock = seconds * 1000 - 1
    expect(await resolver.resolve(a('x.example'))).toMatchObject({ outcome: first.outcome, cached: true })
    expect(server.asked.length).toBe(asked)
    clock = seconds * 1000
    expect((await resolver.resolve(a('x.example'))).cached).toBe(false)
  })

  test('knows that a missing name has nothing of any type', async () => {
    const server = await serve(failWith(rcodes.NXDOMAIN))
    const resolver = client([server], { now: () => 0 })
    await resolver.resolve(a('x.example'))
    expect(await resolver.resolve({ name: 'x.example', type: 'MX' })).toMatchObject({
      outcome: 'no-such-name',
      cached: true,
    })
  })
})

describe('at the same time', () => {
  test('equal questions are asked once, and each answer names its own question', async () => {
    const server = await serve(asked => giveAddress(asked))
    const resolver = client([server])
    const names = ['x.example', 'X.example', 'x.EXAMPLE.']
    const answers = await Promise.all(names.map(name => resolver.resolve(a(name))))
    expect(server.asked.length).toBe(1)
    expect(answers.map(({ question }) => question.name)).toEqual(names)
    expect(answers.every(({ outcome, cached }) => outcome === 'records' && !cached)).toBe(true)
  })

  test('many questions wait for their turn and all come to an end', async () => {
    const server = await serve(asked => giveAddress(asked))
    const resolver = client([server])
    const answers = await Promise.all([...Array(500).keys()].map(n => resolver.resolve(a(`n${n}.example`))))
    expect(answers.every(({ outcome }) => outcome === 'records')).toBe(true)
  })
})

describe('closing', () => {
  test('ends what is under way, and later questions fail at once', async () => {
    const asked = Promise.withResolvers<void>()
    const server = await serve(() => asked.resolve())
    const resolver = client([server])
    const running = resolver.resolve(a('x.example'))
    await asked.promise
    await resolver.close()
    expect(await running).toMatchObject({ outcome: 'failed', why: 'closed' })
    expect(await resolver.resolve(a('y.example'))).toMatchObject({ outcome: 'failed', why: 'closed' })
  })
})

describe('files of the machine', () => {
  const write = (name: string, text: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'hermetic-dns-'))
    afterwards(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }

  test('a name of the hosts file is answered from it for both families, and no other type is', async () => {
    const server = await serve(asked => answer(asked, { authorities: [soa('', 60, 60)] }))
    const resolver = client([server], { hostsFile: write('hosts', '192.0.2.7 Mail.example.local\n') })
    expect(await resolver.resolve(a('mail.example.LOCAL.'))).toMatchObject({
      outcome: 'records',
      records: [{ type: 'A', address: '192.0.2.7' }],
      server: 'hosts-file',
    })
    expect(await resolver.resolve({ name: 'mail.example.local', type: 'AAAA' })).toMatchObject({
      outcome: 'no-data',
      server: 'hosts-file',
    })
    expect(server.asked).toEqual([])
    expect(await resolver.resolve({ name: 'mail.example.local', type: 'MX' })).toMatchObject({
      outcome: 'no-data',
      server: server.address,
    })
  })

  test('the hosts file is not looked at unless asked for', async () => {
    const server = await serve(failWith(rcodes.NXDOMAIN))
    expect((await client([server]).resolve(a('localhost'))).outcome).toBe('no-such-name')
  })

  test('without servers given, those of resolv.conf are asked, at port 53', async () => {
    const resolvConf = write('resolv.conf', 'nameserver 127.255.255.254\nsearch example.org\n')
    const resolver = createDnsClient({ servers: [], hostsFile: null, resolvConf, ...hasty, attempts: 1 })
    afterwards(() => resolver.close())
    const { server, why } = await resolver.resolve(a('x'))
    // Hardly anybody listens there; who does has been asked.
    expect(server ?? why).toMatch(/^(127\.255\.255\.254:53|unreachable \(ECONNREFUSED\)|timeout)$/)
  })
})
