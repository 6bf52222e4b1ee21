/** The relay's resolver over sockets, before servers that are honest, that strip, stop, validate, refuse and fall silent, and a signed internet behind them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LabDns, startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import {
  createSignedWorld,
  type ResolverBehaviour,
  type SignedWorld,
  worldZone,
} from '../lab/signing/signed-world.ts'
import { tlsaText } from '../protocol/dane/tlsa.ts'
import type { DnsAnswer, RecordType } from '../protocol/dns/answer.ts'
import { encodeMessage, type Message } from '../protocol/dns/message.ts'
import { rcodes } from '../protocol/dns/numbers.ts'
import type { DnsStanding } from '../protocol/dns/standing.ts'
import { withHostsFile } from './hosts-resolver.ts'
import type { TrustedResolver } from './resolver.ts'
import { afterwards, closeAll, serve } from './testing/scripted-dns.ts'
import {
  createTrustedResolver,
  createValidationMemory,
  type TrustedResolverOptions,
  type ValidationMemory,
} from './trusted-resolver.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const minute = 60_000
const worlds = new Map<ResolverBehaviour, SignedWorld>()
const world = (behaviour: ResolverBehaviour = 'honest'): SignedWorld => {
  const made = worlds.get(behaviour)
  if (made === undefined) throw new Error('made beforehand')
  return made
}

beforeAll(() => {
  const zones = [
    ...privateInternet(),
    worldZone('malformed.example', ['_25._tcp.mx.malformed.example TYPE52 \\# 0301'], {}),
    worldZone('malformed.unsigned-tld', ['_25._tcp.mx.malformed.unsigned-tld TYPE52 \\# 0301'], null),
  ]
  for (const behaviour of ['honest', 'strips-signatures', 'validates'] as const)
    worlds.set(behaviour, createSignedWorld({ zones, nowMs, behaviour }))
})

let ms: number
let memory: ValidationMemory
let seen: DnsStanding[]
beforeEach(() => {
  ms = 0
  memory = createValidationMemory()
  seen = []
})
afterEach(closeAll)

type Respond = (query: Message) => Message | 'silence'

const honest: Respond = query => world().respond(query)
const stripping: Respond = query => world('strips-signatures').respond(query)
const validating: Respond = query => world('validates').respond(query)
const failing =
  (rcode: number): Respond =>
  query => {
    const message = world().respond(query)
    return message === 'silence' ? message : { ...message, rcode, answers: [], authorities: [] }
  }
const silent: Respond = () => 'silence'

/** A server that changes its mind. */
interface Server extends LabDns {
  does: Respond
  readonly name: string
}

async function start(does: Respond): Promise<Server> {
  const state = { does }
  const dns = await startDns(query => state.does(query))
  afterwards(() => dns.close())
  return Object.assign(state, dns, { name: `${dns.address}:${dns.port}`, asked: dns.asked })
}

function resolverFor(
  servers: readonly { readonly name: string }[],
  more: Partial<TrustedResolverOptions> = {},
): TrustedResolver {
  const resolver = createTrustedResolver({
    servers: servers.map(({ name }) => name),
    timeoutMs: 1_500,
    waitMs: 150,
    attempts: 2,
    hostsFile: null,
    trust: 'validate',
    adFromAnywhere: false,
    require: false,
    insecure: [],
    anchors: world().anchorLines.ds.join('\n'),
    memory,
    now: () => ms,
    clock: () => nowMs + ms,
    onStanding: standing => seen.push(standing),
    ...more,
  })
  afterwards(() => resolver.close())
  return resolver
}

function ask(resolver: Pick<TrustedResolver, 'resolve'>, text: string): Promise<DnsAnswer> {
  const [name = '', type = ''] = text.split(' ')
  return resolver.resolve({ name, type: typeOf(type) })
}
function typeOf(text: string): RecordType {
  const type = (['A', 'AAAA', 'MX', 'CNAME', 'TXT', 'PTR', 'TLSA'] as const).find(one => one === text)
  if (type === undefined) throw new Error(text)
  return type
}
const brief = ({ outcome, security, reason }: DnsAnswer) => `${outcome} ${security} ${reason ?? ''}`.trim()
const heard = (server: LabDns, name: string, type: string) =>
  server.asked.filter(one => one.name === name && one.type === type).length

describe('validating', () => {
  test.each<[string, string, Partial<DnsAnswer>]>([
    ['mx.nsec.example A', 'records secure', { records: [{ type: 'A', address: '192.0.2.25' }], aliases: [] }],
    ['mx.nsec3.example AAAA', 'records secure', { records: [{ type: 'AAAA', address: '2001:db8::25' }] }],
    [
      'nsec.example MX',
      'records secure',
      { records: [{ type: 'MX', preference: 10, exchange: 'mx.nsec.example' }], because: null, why: null },
    ],
    ['alias.nsec.example CNAME', 'records secure', { records: [{ type: 'CNAME', target: 'host.nsec.example' }] }],
    ['WITHIN.aliases.example A', 'records secure', { aliases: ['www.aliases.example', 'host.nsec.example'] }],
    ['MiXeD.mixed-case.example MX', 'records secure', {}],
    ['nothing.nsec3.example MX', 'no-such-name secure', { records: [], ttlSeconds: 60 }],
    ['host.nsec.example TLSA', 'no-data secure', {}],
    [
      'to-unsigned.aliases.example A',
      'records insecure dnssec.unsigned-delegation',
      { because: 'unsigned.example is not signed: example proves with NSEC that there is no DS.' },
    ],
    [
      'mx.office.local A',
      'records insecure dnssec.negative-anchor',
      { because: 'Nothing is validated at and below local: a negative trust anchor says so.' },
    ],
    [
      'host.expired.example A',
      'failed bogus dnssec.signature-expired',
      {
        records: [],
        why: 'bogus: signature expired',
        because: expect.stringMatching(/^The signature .* expired/),
      },
    ],
    ['to-bogus.aliases.example A', 'failed bogus dnssec.signature-expired', {}],
    ['_25._tcp.mx.servfail.example TLSA', 'failed indeterminate dns.lookup-failed', { why: 'SERVFAIL' }],
    ['_25._tcp.mx.silent.example TLSA', 'failed indeterminate dns.timeout', { why: 'timeout', because: null }],
    ['_25._tcp.mx.malformed.example TLSA', 'failed bogus dnssec.malformed', {}],
    ['_25._tcp.mx.malformed.unsigned-tld TLSA', 'failed indeterminate dns.lookup-failed', {}],
    ['a..b A', 'failed indeterminate dns.name-invalid', {}],
  ])('%s: %s', async (question, expected, parts) => {
    const server = await start(honest)
    const answer = await ask(resolverFor([server]), question)
    expect(brief(answer)).toBe(expected)
    expect(answer).toMatchObject(parts)
  })

  test('TLSA records come whole, and text in its parts', async () => {
    const resolver = resolverFor([await start(honest)])
    const { records } = await ask(resolver, '_25._tcp.mx.nsec3.example TLSA')
    expect(records.map(record => (record.type === 'TLSA' ? tlsaText(record) : record)).toSorted()).toEqual([
      `2 1 1 ${'44556677'.repeat(8)}`,
      `3 1 1 ${'00112233'.repeat(8)}`,
    ])
    expect((await ask(resolver, 'nsec.example TXT')).records).toEqual([
      { type: 'TXT', text: [Uint8Array.from(Buffer.from('v=spf1 mx -all'))] },
    ])
  })

  test('an answer that is kept asks nobody', async () => {
    const server = await start(honest)
    const resolver = resolverFor([server])
    const first = await ask(resolver, 'nsec.example MX')
    const before = server.asked.length
    const question = { name: 'NSEC.example.', type: 'MX' } as const
    expect(await resolver.resolve(question)).toEqual({ ...first, question, cached: true })
    expect(server.asked).toHaveLength(before)
  })

  test('what is asked by many at once is asked once', async () => {
    const server = await start(honest)
    const resolver = resolverFor([server])
    const all = await Promise.all(Array.from({ length: 9 }, () => ask(resolver, 'nsec.example MX')))
    expect(new Set(all.map(brief))).toEqual(new Set(['records secure']))
    expect(heard(server, 'nsec.example', 'MX')).toBe(1)
  })

  test('names of the operator are not validated, and others without an anchor are usable', async () => {
    const server = await start(honest)
    const own = resolverFor([server], { insecure: ['expired.example'] })
    expect(brief(await ask(own, 'host.expired.example A'))).toBe('records insecure dnssec.negative-anchor')
    const anchors = world().anchorLines.ds.map(line => line.replace(/^\./, 'test.'))
    const island = resolverFor([server], { anchors: anchors.join('\n') })
    expect(brief(await ask(island, 'mx.nsec.example A'))).toBe('records indeterminate dnssec.no-anchor')
  })

  test.each([{ insecure: ['a..b'] }, { anchors: 'nonsense' }, { servers: ['localhost'] }])(
    'throws for %j, which the configuration refuses',
    options => {
      expect(() => resolverFor([], options)).toThrow(RangeError)
    },
  )
})

describe('a resolver that strips signatures', () => {
  test('leaves mail to go on without DANE, and that is said', async () => {
    const server = await start(stripping)
    const resolver = resolverFor([server])
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records unvalidated')
    expect(brief(await ask(resolver, 'host.expired.example A'))).toBe('records unvalidated')
    expect(resolver.standing).toMatchObject({ trust: 'validate', validation: 'unavailable' })
    expect(resolver.standing.says).toEqual([
      expect.stringContaining(`The resolver ${server.name} strips DNSSEC signatures`),
    ])
    expect(seen).toEqual([resolver.standing])
  })

  test.each<[string, Respond]>([
    ['does not know EDNS', query => bare(honest({ ...query, edns: null }))],
    ['refuses to answer for the root', refusingRoot(rcodes.REFUSED, 'all')],
    ['cannot answer for keys, and has a root without signatures', refusingRoot(rcodes.SERVFAIL, 'DNSKEY')],
  ])('is one that %s', async (_, respond) => {
    const resolver = resolverFor([await start(respond)])
    expect(await resolver.probe()).toMatchObject({ validation: 'unavailable' })
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records unvalidated')
  })

  test('is one that does not know EDNS and has no TCP, so that large answers never come', async () => {
    const server = await serve(asked => {
      const message = bare(world().respond({ ...asked.query, edns: null }))
      if (asked.via === 'tcp') asked.hangUp()
      else if (message !== 'silence') asked.reply(encodeMessage(message, 512))
    })
    const resolver = resolverFor([{ name: server.address }])
    expect(await resolver.probe()).toMatchObject({ validation: 'unavailable' })
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records unvalidated')
  })

  test('makes mail wait when the operator wants that, but not for what nobody signs', async () => {
    const resolver = resolverFor([await start(stripping)], { require: true })
    expect(await ask(resolver, 'mx.nsec.example A')).toMatchObject({
      outcome: 'failed',
      security: 'indeterminate',
      reason: 'dns.validation-unavailable',
      why: 'answers cannot be validated',
    })
    expect(brief(await ask(resolver, 'mx.office.local A'))).toBe('records insecure dnssec.negative-anchor')
    expect(resolver.standing.validation).toBe('required')
    expect(await resolver.lenient?.resolve({ name: 'mx.nsec.example', type: 'A' })).toMatchObject({
      outcome: 'failed',
    })
  })

  test('makes mail wait when it did not before', async () => {
    const server = await start(stripping)
    memory.worked(server.name, nowMs - 20 * 24 * 60 * minute)
    const resolver = resolverFor([server])
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('failed indeterminate dns.validation-unavailable')
    expect(resolver.standing).toMatchObject({ validation: 'lost', says: [expect.stringContaining('2025-12-26')] })
    // Mail that goes by no proof does not wait for one.
    expect(await resolver.lenient?.resolve({ name: 'mx.nsec.example', type: 'A' })).toMatchObject({
      outcome: 'records',
      security: 'unvalidated',
    })
    expect(brief(await ask(resolver, 'mx.office.local A'))).toBe('records insecure dnssec.negative-anchor')
  })

  test('is noticed while at work, and so is its return', async () => {
    const server = await start(honest)
    const resolver = resolverFor([server])
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records secure')
    expect(memory.lastWorked(server.name)).toBe(nowMs)
    ms += 2 * minute
    server.does = stripping
    // Nothing that comes now is taken for unsigned.
    expect((await ask(resolver, 'host.nsec3.example A')).security).toBe('bogus')
    await expect.poll(() => resolver.standing.validation).toBe('lost')
    expect(brief(await ask(resolver, 'unsigned.example MX'))).toBe(
      'failed indeterminate dns.validation-unavailable',
    )
    server.does = honest
    ms += minute
    expect(brief(await ask(resolver, 'host.nsec3.example A'))).toBe('records secure')
    expect(brief(await ask(resolver, 'unsigned.example MX'))).toBe('records insecure dnssec.unsigned-delegation')
    expect(seen.map(({ validation }) => validation)).toEqual(['works', 'lost', 'works'])
  })

  test('is blamed for what it takes from the root, and looked at as soon as it may be', async () => {
    const server = await start(honest)
    const resolver = resolverFor([server])
    expect(await resolver.probe()).toMatchObject({ validation: 'works' })
    ms += 2_000
    server.does = stripping
    expect(await ask(resolver, 'host.nsec3.example A')).toMatchObject({
      security: 'bogus',
      reason: 'dns.validation-unavailable',
      because: expect.stringMatching(/^No signature came with the DNSKEY records of /),
    })
    expect(resolver.standing.validation).toBe('works')
    ms += minute
    await ask(resolver, 'mx.nsec.example A')
    await expect.poll(() => resolver.standing.validation).toBe('lost')
  })

  test('is left for one that does not, and asked last from then on', async () => {
    const [bad, good] = [await start(stripping), await start(honest)]
    const resolver = resolverFor([bad, good])
    expect(await resolver.probe()).toMatchObject({
      validation: 'works',
      says: [expect.stringContaining(bad.name)],
    })
    expect(await ask(resolver, 'mx.nsec.example A')).toMatchObject({ security: 'secure', server: good.name })
    expect(heard(bad, 'mx.nsec.example', 'A')).toBe(0)
    // It is better than nobody for names that nobody signs.
    good.does = silent
    expect(await ask(resolver, 'mx.office.local A')).toMatchObject({ outcome: 'records', server: bad.name })
  })

  test('has answered unvalidated, and none of that is kept when another takes its place', async () => {
    const server = await start(stripping)
    const resolver = resolverFor([server])
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records unvalidated')
    server.does = honest
    ms += minute
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records secure')
  })
})

describe('a resolver that does not answer', () => {
  test.each<[string, Respond, string]>([
    ['silent', silent, 'failed indeterminate dns.timeout'],
    ['unable', failing(rcodes.SERVFAIL), 'failed indeterminate dns.lookup-failed'],
  ])('is not held to have stopped: %s', async (_, respond, expected) => {
    const server = await start(respond)
    memory.worked(server.name, nowMs - minute)
    const resolver = resolverFor([server])
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe(expected)
    expect(resolver.standing.validation).toBe('unknown')
    server.does = honest
    ms += 10_000
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records secure')
    expect(resolver.standing).toMatchObject({ validation: 'works', says: [] })
  })

  test('over TCP is told of', async () => {
    const server = await serve(asked => {
      const message = world().respond(asked.query)
      if (asked.via === 'tcp') asked.hangUp()
      else if (message !== 'silence') asked.reply(encodeMessage(message))
    })
    const resolver = resolverFor([{ name: server.address }])
    expect(await resolver.probe()).toMatchObject({
      validation: 'works',
      says: [expect.stringContaining('not over TCP')],
    })
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records secure')
  })
})

test.each([
  [4_000, 'ahead', 'expired'],
  [-4_000, 'behind', 'not valid yet'],
])('a clock that is %i days off is told of, and mail waits; no zone is blamed', async (days, says, why) => {
  let offMs = days * 24 * 60 * minute
  const resolver = resolverFor([await start(honest)], { clock: () => nowMs + ms + offMs })
  expect(await ask(resolver, 'mx.nsec.example A')).toMatchObject({
    outcome: 'failed',
    security: 'bogus',
    reason: 'dns.clock-wrong',
    why: `bogus: signature ${why}`,
    because: expect.stringContaining('on DNSKEY of the root'),
  })
  expect(resolver.standing).toMatchObject({ validation: 'mistimed', says: [expect.stringContaining(says)] })
  expect(seen).toEqual([resolver.standing])
  // Only what the root says of its own keys is the clock's fault for sure.
  offMs = 0
  expect(brief(await ask(resolver, 'host.expired.example A'))).toBe('failed bogus dnssec.signature-expired')
  ms += minute
  expect(brief(await ask(resolver, 'host.nsec.example A'))).toBe('records secure')
  expect(seen.map(({ validation }) => validation)).toEqual(['mistimed', 'works'])
})

test('a clock that goes wrong while at work is noticed', async () => {
  let offMs = 0
  const resolver = resolverFor([await start(honest)], { clock: () => nowMs + ms + offMs })
  await ask(resolver, 'mx.nsec.example A')
  ms += 2 * minute
  offMs = 4_000 * 24 * 60 * minute
  expect(brief(await ask(resolver, 'host.nsec3.example A'))).toBe('failed bogus dns.clock-wrong')
  await expect.poll(() => resolver.standing.validation).toBe('mistimed')
})

test('a server that sends what is old is asked last, and another is not blamed for it', async () => {
  const old = createSignedWorld({ zones: privateInternet(), nowMs: nowMs - 4_000 * 24 * 60 * minute })
  const [stale, good] = [await start(query => old.respond(query)), await start(honest)]
  const resolver = resolverFor([stale, good])
  expect(await resolver.probe()).toMatchObject({
    validation: 'works',
    says: [expect.stringMatching(`^The signatures that the resolver ${stale.name} sends .* what is sent is old`)],
  })
  expect(await ask(resolver, 'mx.nsec.example A')).toMatchObject({ security: 'secure', server: good.name })
  expect(heard(stale, 'mx.nsec.example', 'A')).toBe(0)
})

test('keys of a root that the anchors do not name make mail wait, and are told of', async () => {
  const resolver = resolverFor([await start(honest)], { anchors: null })
  expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('failed bogus dnssec.no-trusted-key')
  expect(resolver.standing).toMatchObject({
    validation: 'unknown',
    says: [expect.stringContaining('dns.anchors')],
  })
})

describe('believing a resolver on this machine', () => {
  test.each<[string, string]>([
    ['mx.nsec.example A', 'records secure'],
    ['www.aliases.example A', 'records secure'],
    ['nothing.nsec.example MX', 'no-such-name secure'],
    ['host.nsec.example TLSA', 'no-data secure'],
    ['host.unsigned.example A', 'records insecure'],
    ['to-unsigned.aliases.example A', 'records insecure'],
    ['host.expired.example A', 'failed indeterminate dns.lookup-failed'],
  ])('%s: %s', async (question, expected) => {
    const server = await start(validating)
    const resolver = resolverFor([server], { trust: 'ad' })
    const answer = await ask(resolver, question)
    expect(brief(answer)).toBe(expected)
    expect(answer.because === null).toBe(answer.security !== 'insecure')
    expect(await ask(resolver, question)).toMatchObject({ security: answer.security, cached: true })
    expect(resolver.standing).toEqual({ trust: 'ad', validation: 'works', says: [] })
  })

  test('asks it with DO, and lets it check', async () => {
    const queries: Message[] = []
    const server = await start(query => {
      queries.push(query)
      return validating(query)
    })
    await ask(resolverFor([server], { trust: 'ad' }), 'mx.nsec.example A')
    expect(queries.length).toBeGreaterThan(1)
    for (const { checkingDisabled, edns } of queries) {
      expect(checkingDisabled).toBe(false)
      expect(edns?.dnssecOk).toBe(true)
    }
  })

  test.each([
    [false, 'unavailable', 'records unvalidated'],
    [true, 'required', 'failed indeterminate dns.validation-unavailable'],
  ] as const)('but not one that does not validate (waiting: %s)', async (require, validation, expected) => {
    const resolver = resolverFor([await start(honest)], { trust: 'ad', require })
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe(expected)
    expect(resolver.standing).toMatchObject({
      trust: 'ad',
      validation,
      says: [expect.stringContaining('does not validate')],
    })
  })

  test('but not one elsewhere, whom nobody asks whether it validates', async () => {
    const resolver = resolverFor([{ name: '192.0.2.53' }], { trust: 'ad' })
    expect(await resolver.probe()).toMatchObject({
      validation: 'unavailable',
      says: [expect.stringContaining('192.0.2.53 is not on this machine')],
    })
  })

  test('and nobody beside it who would leave secure answers unsaid, not even when it falls silent', async () => {
    const [other, good] = [await start(honest), await start(validating)]
    const resolver = resolverFor([other, good], { trust: 'ad' })
    await resolver.probe()
    expect(resolver.standing).toMatchObject({ validation: 'works', says: [expect.stringContaining(other.name)] })
    expect(await ask(resolver, 'mx.nsec.example A')).toMatchObject({ security: 'secure', server: good.name })
    good.does = silent
    expect(brief(await ask(resolver, 'mx.nsec3.example A'))).toBe('failed indeterminate dns.timeout')
    expect(heard(other, 'mx.nsec3.example', 'A')).toBe(0)
  })

  test('until it stops validating: then mail waits, and nothing it said meanwhile is kept', async () => {
    const server = await start(validating)
    const resolver = resolverFor([server], { trust: 'ad' })
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records secure')
    ms += minute
    server.does = honest
    expect(brief(await ask(resolver, 'mx.nsec3.example A'))).toBe(
      'failed indeterminate dns.validation-unavailable',
    )
    expect(resolver.standing).toMatchObject({ trust: 'ad', validation: 'lost' })
    server.does = validating
    ms += minute
    expect(brief(await ask(resolver, 'mx.nsec3.example A'))).toBe('records secure')
  })

  test('is told of one that fails when asked for the root, and mail waits', async () => {
    const resolver = resolverFor([await start(failing(rcodes.SERVFAIL))], { trust: 'ad' })
    expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('failed indeterminate dns.timeout')
    expect(resolver.standing).toMatchObject({ validation: 'unknown', says: [expect.stringContaining('fails')] })
  })
})

test('believing nobody, answers are as they come, and no server is looked at', async () => {
  const server = await start(validating)
  const resolver = resolverFor([server], { trust: 'none' })
  expect(await resolver.probe()).toEqual({ trust: 'none', validation: 'off', says: [] })
  expect(server.asked).toEqual([])
  expect(brief(await ask(resolver, 'mx.nsec.example A'))).toBe('records unvalidated')
  expect(resolver.standing.validation).toBe('off')
  expect(seen).toEqual([])
})

describe('the hosts file', () => {
  let directory: string
  let hostsFile: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hosts-'))
    hostsFile = join(directory, 'hosts')
    writeFileSync(hostsFile, '192.0.2.99 mx.nsec.example smarthost.internal\n')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test.each([
    ['validate', stripping, true, 'records secure'],
    ['ad', validating, false, 'records secure'],
    ['none', honest, false, 'records unvalidated'],
  ] as const)(
    'is asked first under %s, whatever the servers are good for',
    async (trust, does, require, expected) => {
      const server = await start(does)
      const resolver = resolverFor([server], { trust, require, hostsFile })
      const answer = await ask(resolver, 'MX.nsec.example. A')
      expect(brief(answer)).toBe(expected)
      expect(answer).toMatchObject({ server: 'hosts-file', records: [{ type: 'A', address: '192.0.2.99' }] })
      expect(await ask(resolver, 'smarthost.internal AAAA')).toMatchObject({
        outcome: 'no-data',
        server: 'hosts-file',
      })
      expect(server.asked).toEqual([])
      expect(await resolver.probe()).toBe(resolver.standing)
      expect(resolver.standing.trust).toBe(trust)
    },
  )

  test('is asked for addresses only, and can stand before a resolver that serves others without it', async () => {
    const resolver = resolverFor([await start(honest)])
    const before = withHostsFile(resolver, hostsFile)
    expect(await ask(before, 'mx.nsec.example A')).toMatchObject({ server: 'hosts-file', security: 'secure' })
    expect(brief(await ask(before, 'mx.nsec.example MX'))).toBe('no-data secure')
    expect((await ask(resolver, 'mx.nsec.example A')).records).toEqual([{ type: 'A', address: '192.0.2.25' }])
  })
})

test.each(['validate', 'ad', 'none'] as const)('the end comes at once, under %s', async trust => {
  const server = await start(silent)
  const resolver = resolverFor([server], { trust, timeoutMs: 60_000, waitMs: 60_000 })
  const asking = ask(resolver, 'mx.nsec.example A')
  await expect.poll(() => server.asked.length).toBeGreaterThan(0)
  await resolver.close()
  expect(await asking).toMatchObject({ outcome: 'failed' })
  expect(await ask(resolver, 'mx.nsec3.example A')).toMatchObject({ outcome: 'failed' })
})

function bare(message: Message | 'silence'): Message | 'silence' {
  return message === 'silence' ? message : { ...message, edns: null }
}

/** Answers for all but the root, and those without signatures. */
function refusingRoot(rcode: number, what: 'all' | 'DNSKEY'): Respond {
  return query => {
    const [question] = query.questions
    const isRefused = question?.name.length === 0 && (what === 'all' || question.type === 48)
    return isRefused ? failing(rcode)(query) : stripping(query)
  }
}
