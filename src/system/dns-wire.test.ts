/** The wire against servers on loopback that do what a script says. What it shares with the client (ids, ports, lies, late answers) is tested there. */
import { afterEach, describe, expect, test } from 'vitest'
import { encodeMessage, type Message, type ResourceRecord } from '../protocol/dns/message.ts'
import { formatName, parseName } from '../protocol/dns/name.ts'
import { rcodes, typeNumbers } from '../protocol/dns/numbers.ts'
import { makeRecord } from '../protocol/dns/records.ts'
import { rrsigHead } from '../protocol/dnssec/encoding.ts'
import type { WireQuestion } from '../protocol/dnssec/types.ts'
import { failureTtlSeconds, maxNegativeTtlSeconds, minTtlSeconds } from './dns-client.ts'
import { noEdns, udpPayloadBytes } from './dns-servers.ts'
import { createDnsWire, type DnsWire, type DnsWireOptions, type WireHow } from './dns-wire.ts'
import { type Asked, afterwards, closeAll, serve, type TestServer } from './testing/scripted-dns.ts'

afterEach(closeAll)

const a = (name: string, type: number = typeNumbers.A): WireQuestion => ({ name: parseName(name) ?? [], type })
const validating: WireHow = { checking: 'disabled', avoid: [] }

function wire(
  servers: readonly TestServer[],
  more: Partial<DnsWireOptions> = {},
  maxCacheBytes?: number,
): DnsWire {
  const made = createDnsWire(
    { servers: servers.map(({ address }) => address), timeoutMs: 60_000, waitMs: 20_000, attempts: 2, ...more },
    maxCacheBytes,
  )
  afterwards(() => made.close())
  return made
}

const answer = (asked: Asked, parts: Partial<Message>) =>
  asked.reply(encodeMessage({ ...asked.query, isResponse: true, recursionAvailable: true, ...parts }))
const address = (asked: Asked, ttlSeconds = 300): ResourceRecord =>
  makeRecord(formatName(asked.query.questions[0]?.name ?? []), ttlSeconds, { type: 'A', address: '192.0.2.1' })
const soa = (ttlSeconds: number, minimum: number): ResourceRecord =>
  makeRecord('example', ttlSeconds, {
    type: 'SOA',
    primary: 'ns',
    mailbox: 'me',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum,
  })
const giveAddress = (ttlSeconds?: number) => (asked: Asked) =>
  answer(asked, { answers: [address(asked, ttlSeconds)] })
const failWith = (rcode: number) => (asked: Asked) => answer(asked, { rcode })
const silent = () => {}

describe('a question', () => {
  test.each(['disabled', 'enabled'] as const)(
    'goes out with DO, and with CD when checking is %s',
    async checking => {
      const server = await serve(giveAddress())
      const reply = await wire([server]).ask(a('MX.example'), { checking, avoid: [] })
      const { query } = server.asked[0] ?? {}
      expect(query).toMatchObject({ recursionDesired: true, checkingDisabled: checking === 'disabled' })
      expect(query?.edns).toEqual({ udpPayloadBytes, version: 0, dnssecOk: true, options: [] })
      expect(reply).toMatchObject({ kind: 'message', server: server.address, cached: false, over: 'udp' })
      expect(reply.bytes).toBeGreaterThan(40)
      expect(reply.kind === 'message' && reply.message.answers).toHaveLength(1)
    },
  )

  test('whose answer is cut comes over TCP, with the size it has there', async () => {
    const server = await serve(asked =>
      answer(asked, asked.via === 'udp' ? { truncated: true } : { answers: Array(100).fill(address(asked)) }),
    )
    const reply = await wire([server]).ask(a('mx.example'), validating)
    expect(reply).toMatchObject({ kind: 'message', over: 'tcp' })
    expect(reply.bytes).toBeGreaterThan(udpPayloadBytes)
  })

  test('may be asked over TCP alone, and is not answered from before then', async () => {
    const server = await serve(giveAddress())
    const made = wire([server])
    await made.ask(a('mx.example'), validating)
    const reply = await made.ask(a('mx.example'), { ...validating, over: 'tcp' })
    expect(reply).toMatchObject({ cached: false, over: 'tcp' })
    expect(server.asked.map(({ via }) => via)).toEqual(['udp', 'tcp'])
  })

  test('asked twice at the same time goes out once', async () => {
    const server = await serve(giveAddress())
    const made = wire([server])
    const replies = await Promise.all([
      made.ask(a('mx.example'), validating),
      made.ask(a('MX.example'), validating),
    ])
    expect(replies.map(({ kind }) => kind)).toEqual(['message', 'message'])
    expect(server.asked).toHaveLength(1)
  })

  test('with checking on is another question than with checking off', async () => {
    const server = await serve(giveAddress())
    const made = wire([server])
    await made.ask(a('mx.example'), validating)
    await made.ask(a('mx.example'), { checking: 'enabled', avoid: [] })
    expect(server.asked.map(({ query }) => query.checkingDisabled)).toEqual([true, false])
  })
})

describe('a server', () => {
  test.each<[string, (asked: Asked) => void]>([
    ['SERVFAIL', failWith(rcodes.SERVFAIL)],
    ['REFUSED', failWith(rcodes.REFUSED)],
    [noEdns, asked => answer(asked, { rcode: rcodes.FORMERR, edns: null })],
    [noEdns, asked => answer(asked, { rcode: rcodes.NOTIMP, edns: null })],
    [noEdns, failWith(rcodes.BADVERS)],
    // It answers as if it had not seen the OPT: there could be no signature in it.
    [noEdns, asked => answer(asked, { answers: [address(asked)], edns: null })],
  ])('that says %s has failed, and the next one is asked', async (why, script) => {
    const [bad, good] = [await serve(script), await serve(giveAddress())]
    expect(await wire([bad, good]).ask(a('mx.example'), validating)).toMatchObject({
      kind: 'message',
      server: good.address,
    })
    expect(await wire([bad]).ask(a('mx.example'), validating)).toMatchObject({
      kind: 'failed',
      reason: 'dns.lookup-failed',
      why,
      server: bad.address,
      over: null,
      bytes: 0,
    })
  })

  test('that is to be avoided is not asked, nor is its answer from before taken', async () => {
    const [one, other] = [await serve(giveAddress()), await serve(giveAddress())]
    const made = wire([one, other])
    expect(made.servers()).toEqual([one.address, other.address])
    expect((await made.ask(a('mx.example'), validating)).server).toBe(one.address)
    const avoiding = await made.ask(a('mx.example'), { checking: 'disabled', avoid: [one.address] })
    expect(avoiding).toMatchObject({ server: other.address, cached: false })
    // What came instead is what is kept.
    expect(await made.ask(a('mx.example'), validating)).toMatchObject({ server: other.address, cached: true })
    const nobody = await made.ask(a('mx.example'), { checking: 'disabled', avoid: [one.address, other.address] })
    expect(nobody).toMatchObject({ kind: 'failed', why: 'there is no other server', server: null })
    expect(await made.ask(a('mx.example'), validating)).toMatchObject({ kind: 'message', cached: true })
  })

  test('that is silent costs no more than the time for the question', async () => {
    const server = await serve(silent)
    const reply = await wire([server], { waitMs: 100, timeoutMs: 300 }).ask(a('mx.example'), validating)
    expect(reply).toMatchObject({ kind: 'failed', reason: 'dns.timeout', server: null })
    expect(server.asked.length).toBeGreaterThanOrEqual(1)
    expect(server.asked.length).toBeLessThanOrEqual(2)
  })
})

describe('what is kept', () => {
  test('comes back with what is left of every TTL, until the smallest is over', async () => {
    let clock = 0
    const server = await serve(asked =>
      answer(asked, { answers: [address(asked, 60), address(asked, 300)], authorities: [address(asked, 100)] }),
    )
    const made = wire([server], { now: () => clock })
    await made.ask(a('mx.example'), validating)
    clock = 20_900
    const reply = await made.ask(a('mx.EXAMPLE'), validating)
    expect(reply).toMatchObject({ cached: true, ms: 0 })
    if (reply.kind !== 'message') throw new Error('nothing kept')
    expect(reply.message.answers.map(({ ttlSeconds }) => ttlSeconds)).toEqual([40, 280])
    expect(reply.message.authorities.map(({ ttlSeconds }) => ttlSeconds)).toEqual([80])
    clock = 60_000
    expect(await made.ask(a('mx.example'), validating)).toMatchObject({ cached: false })
  })

  test.each<[string, (asked: Asked) => void, number]>([
    ['a TTL of 0', giveAddress(0), minTtlSeconds],
    ['"no" by the minimum of its SOA', asked => answer(asked, { authorities: [soa(900, 60)] }), 60],
    [
      '"no" no longer than any "no"',
      asked => answer(asked, { authorities: [soa(86_400, 86_400)] }),
      maxNegativeTtlSeconds,
    ],
    ['"no" that says nothing of time', asked => answer(asked, { rcode: rcodes.NXDOMAIN }), minTtlSeconds],
    ['a failure', failWith(rcodes.SERVFAIL), failureTtlSeconds],
  ])('%s', async (_, script, seconds) => {
    let clock = 0
    const server = await serve(script)
    const made = wire([server], { now: () => clock })
    await made.ask(a('mx.example'), validating)
    clock = seconds * 1000 - 1
    expect(await made.ask(a('mx.example'), validating)).toMatchObject({ cached: true })
    clock = seconds * 1000
    expect(await made.ask(a('mx.example'), validating)).toMatchObject({ cached: false })
  })

  test('lives no longer than its signature says it may, whatever TTL a replay gives it', async () => {
    let clock = 0
    const signed = (asked: Asked, owner: string, originalTtlSeconds: number): ResourceRecord => {
      const head = { typeCovered: typeNumbers.A, algorithm: 13, labels: 2, expiration: 1, inception: 0, keyTag: 1 }
      const rdata = Buffer.concat([rrsigHead({ ...head, originalTtlSeconds, signer: [] }), Buffer.alloc(64)])
      return { ...address(asked, 0x7fff_ffff), name: parseName(owner) ?? [], type: typeNumbers.RRSIG, rdata }
    }
    const server = await serve(asked => {
      const [one, other] = [address(asked, 0x7fff_ffff), address(asked, 0x7fff_ffff)]
      const answers = [
        one,
        signed(asked, 'MX.example', 300),
        signed(asked, 'mx.example', 900),
        { ...other, name: parseName('other.example') ?? [] },
        signed(asked, 'other.example', 7_200),
      ]
      answer(asked, { answers })
    })
    const made = wire([server], { now: () => clock })
    const ttls = async () => {
      const reply = await made.ask(a('mx.example'), validating)
      return [reply.cached, reply.kind === 'message' && reply.message.answers.map(({ ttlSeconds }) => ttlSeconds)]
    }
    const most = 0x7fff_ffff
    expect(await ttls()).toEqual([false, [300, most, most, 7_200, most]])
    clock = 100_000
    expect(await ttls()).toEqual([true, [200, most - 100, most - 100, 7_100, most - 100]])
    clock = 300_000
    expect(await ttls()).toEqual([false, [300, most, most, 7_200, most]])
  })

  test('is bounded too when names are what takes the room', async () => {
    const server = await serve(asked => {
      const owners = Array.from({ length: 200 }, (_, i) => parseName(`${'a.'.repeat(110)}${i}`) ?? [])
      answer(asked, { answers: owners.map(name => ({ ...address(asked), name })) })
    })
    // A message of 49 KB with 22,000 labels, no two of them in the same place.
    const made = wire([server], {}, 4 * 1024 * 1024)
    await made.ask(a('mx.example'), validating)
    expect(await made.ask(a('mx.example'), validating)).toMatchObject({ cached: false })
  })

  test('and is doubted is soon asked for again', async () => {
    let clock = 0
    const server = await serve(giveAddress())
    const made = wire([server], { now: () => clock })
    await made.ask(a('mx.example'), validating)
    made.doubt([a('mx.example')], 'disabled')
    clock = failureTtlSeconds * 1000
    expect(await made.ask(a('mx.example'), validating)).toMatchObject({ cached: false })
  })

  test('is bounded in bytes, whatever strangers send', async () => {
    const server = await serve(giveAddress())
    const made = wire([server], {}, 64 * 1000)
    for (let i = 0; i < 100; i++) await made.ask(a(`n${i}.example`), validating)
    expect(await made.ask(a('n99.example'), validating)).toMatchObject({ cached: true })
    expect(await made.ask(a('n0.example'), validating)).toMatchObject({ cached: false })
  })
})

test('closing ends what is under way, and later questions fail at once', async () => {
  const server = await serve(silent)
  const made = wire([server])
  const reply = made.ask(a('mx.example'), validating)
  while (server.asked.length === 0) await new Promise(resolve => setImmediate(resolve))
  await made.close()
  expect(await reply).toMatchObject({ kind: 'failed', why: 'closed' })
  expect(await made.ask(a('mx.example'), validating)).toMatchObject({ kind: 'failed', why: 'closed' })
})
