/** The resolver over sockets, against the signed internet of the lab behind servers that are honest, broken or hostile. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LabDns, startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import {
  createSignedWorld,
  type ResolverBehaviour,
  type SignedWorld,
  worldZone,
} from '../lab/signing/signed-world.ts'
import { encodeMessage, type Message } from '../protocol/dns/message.ts'
import { equalNames, nameKey, parseName } from '../protocol/dns/name.ts'
import { rcodes, typeFromName, typeNumbers } from '../protocol/dns/numbers.ts'
import { maxVerifications } from '../protocol/dnssec/verify-set.ts'
import { createDnsWire } from './dns-wire.ts'
import { afterwards, closeAll, serve } from './testing/scripted-dns.ts'
import {
  createValidatingResolver,
  type ResolvedAnswer,
  type ValidatingResolver,
  type ValidatingResolverOptions,
} from './validating-resolver.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const dayMs = 86_400_000
const worlds = new Map<ResolverBehaviour, SignedWorld>()
const world = (behaviour: ResolverBehaviour = 'honest'): SignedWorld => {
  const made = worlds.get(behaviour)
  if (made === undefined) throw new Error('made beforehand')
  return made
}

beforeAll(() => {
  for (const behaviour of ['honest', 'strips-signatures', 'validates'] as const)
    worlds.set(behaviour, createSignedWorld({ zones: privateInternet(), nowMs, behaviour }))
})
afterEach(closeAll)

type Respond = (query: Message) => Message | 'silence'

async function start(respond: Respond): Promise<LabDns> {
  const dns = await startDns(respond)
  afterwards(() => dns.close())
  return dns
}

async function behind(
  responders: readonly Respond[],
  more: Partial<ValidatingResolverOptions> = {},
): Promise<{ resolver: ValidatingResolver; servers: readonly LabDns[] }> {
  const servers: LabDns[] = []
  for (const respond of responders) servers.push(await start(respond))
  const wire = createDnsWire({
    servers: servers.map(({ address, port }) => `${address}:${port}`),
    timeoutMs: 1_500,
    waitMs: 300,
    attempts: 2,
  })
  afterwards(() => wire.close())
  const resolver = createValidatingResolver({
    wire,
    anchors: world().anchors,
    insecure: [],
    now: () => nowMs,
    ...more,
  })
  return { resolver, servers }
}

const ask = (resolver: ValidatingResolver, text: string): Promise<ResolvedAnswer> => {
  const [name = '', type = ''] = text.split(' ')
  return resolver.resolve(parseName(name) ?? [], typeFromName(type) ?? 0)
}
const brief = ({ outcome, security, reason }: ResolvedAnswer) => ({ outcome, security, reason })
const waysOf = ({ passes }: ResolvedAnswer) => passes.map(({ checking, security }) => `${checking} ${security}`)

describe('over UDP and TCP', () => {
  test.each<[string, ReturnType<typeof brief>]>([
    ['_25._tcp.mx.nsec3.example TLSA', { outcome: 'records', security: 'secure', reason: null }],
    ['www.aliases.example A', { outcome: 'records', security: 'secure', reason: null }],
    ['nothing.nsec3.example A', { outcome: 'no-such-name', security: 'secure', reason: null }],
    ['host.nsec.example AAAA', { outcome: 'no-data', security: 'secure', reason: null }],
    [
      'host.unsigned.example A',
      { outcome: 'records', security: 'insecure', reason: 'dnssec.unsigned-delegation' },
    ],
    ['host.expired.example A', { outcome: 'failed', security: 'bogus', reason: 'dnssec.signature-expired' }],
    ['_25._tcp.mx.silent.example TLSA', { outcome: 'failed', security: 'indeterminate', reason: 'dns.timeout' }],
  ])('%s', async (question, expected) => {
    const { resolver } = await behind([world().respond])
    expect(brief(await ask(resolver, question))).toEqual(expected)
  })

  test('an answer that does not fit a datagram comes over TCP, and each question is told', async () => {
    const { resolver } = await behind([world().respond])
    const { asked, records } = await ask(resolver, 'large.example TXT')
    expect(records).toHaveLength(40)
    const large = asked.find(({ question }) => question.type === typeNumbers.TXT)
    expect(large).toMatchObject({ over: 'tcp', rcode: 'NOERROR', signatures: 1, pass: 0 })
    expect(large?.flags).toEqual(['RD', 'RA', 'CD', 'DO'])
  })

  test('keys of zones are asked for once, whatever is asked below', async () => {
    const { resolver, servers } = await behind([world().respond])
    await ask(resolver, 'host.nsec.example A')
    const before = servers[0]?.asked.length ?? 0
    const again = await ask(resolver, 'mx.nsec.example A')
    expect(again.security).toBe('secure')
    expect(servers[0]?.asked.slice(before).filter(({ type }) => type === 'DNSKEY')).toEqual([])
  })
})

describe('bogus is not final before', () => {
  /** Takes the signatures off the answers to A, and off nothing else. */
  const damaging: Respond = query => {
    const message = world().respond(query)
    if (message === 'silence' || query.questions[0]?.type !== typeNumbers.A) return message
    return { ...message, answers: message.answers.filter(({ type }) => type !== typeNumbers.RRSIG) }
  }

  test('another server was asked', async () => {
    const { resolver, servers } = await behind([damaging, world().respond])
    const answer = await ask(resolver, 'host.nsec.example A')
    expect(brief(answer)).toEqual({ outcome: 'records', security: 'secure', reason: null })
    expect(waysOf(answer)).toEqual(['disabled bogus', 'disabled secure'])
    const [bad, good] = servers.map(({ address, port }) => `${address}:${port}`)
    expect(answer.passes.map(({ avoided }) => avoided)).toEqual([[], [bad]])
    expect(answer.server).toBe(good)
    // And the better answer is the one that is kept.
    expect(waysOf(await ask(resolver, 'host.nsec.example A'))).toEqual(['disabled secure'])
  })

  test('the one was avoided that sent the answer, where both had a part in it', async () => {
    // The first one fails once, so that the second sends the answer, and the keys come from the first.
    let failures = 1
    const failing: Respond = query => {
      const message = world().respond(query)
      const isAddress = query.questions[0]?.type === typeNumbers.A
      return message !== 'silence' && isAddress && failures-- > 0
        ? { ...message, rcode: rcodes.SERVFAIL }
        : message
    }
    const { resolver, servers } = await behind([failing, damaging])
    const answer = await ask(resolver, 'host.nsec.example A')
    expect(brief(answer)).toEqual({ outcome: 'records', security: 'secure', reason: null })
    const [good, bad] = servers.map(({ address, port }) => `${address}:${port}`)
    expect(answer.passes[0]?.servers.toSorted()).toEqual([good, bad].toSorted())
    expect(answer.passes[1]?.avoided).toEqual([bad])
  })

  test('a server that validates was asked for what it thinks is good', async () => {
    const { resolver } = await behind([
      query => (query.checkingDisabled ? damaging(query) : world('validates').respond(query)),
    ])
    const answer = await ask(resolver, 'host.nsec.example A')
    expect(brief(answer)).toEqual({ outcome: 'records', security: 'secure', reason: null })
    expect(waysOf(answer)).toEqual(['disabled bogus', 'enabled secure'])
  })

  test('all of that failed, and then the first verdict stands', async () => {
    const { resolver } = await behind([world('validates').respond, world().respond])
    const answer = await ask(resolver, 'host.expired.example A')
    expect(brief(answer)).toEqual({ outcome: 'failed', security: 'bogus', reason: 'dnssec.signature-expired' })
    expect(waysOf(answer)).toEqual(['disabled bogus', 'disabled bogus', 'enabled bogus'])
  })

  test('the budget is spent, which all ways share', async () => {
    const { resolver, servers } = await behind([damaging, world().respond], { limits: { questions: 3 } })
    const answer = await ask(resolver, 'host.nsec.example A')
    expect(brief(answer)).toEqual({ outcome: 'failed', security: 'bogus', reason: 'dnssec.over-budget' })
    expect(answer.passes).toHaveLength(1)
    expect(servers[1]?.asked).toEqual([])
  })
})

test('a server that piles signatures on what it sends is no reason not to ask the next one', async () => {
  const piling: Respond = query => {
    const message = world().respond(query)
    if (message === 'silence') return message
    const pile = message.answers.flatMap(record =>
      record.type === typeNumbers.RRSIG
        ? Array.from({ length: maxVerifications }, (_, at) => {
            const rdata = Uint8Array.from(record.rdata)
            rdata[rdata.length - 1 - at] = (rdata[rdata.length - 1 - at] ?? 0) ^ 1
            return { ...record, rdata }
          })
        : [],
    )
    return { ...message, answers: [...pile, ...message.answers] }
  }
  const { resolver } = await behind([piling, world().respond])
  const answer = await ask(resolver, 'host.nsec.example A')
  expect(answer.passes[0]).toMatchObject({ security: 'bogus', reason: 'dnssec.over-budget' })
  expect(brief(answer)).toEqual({ outcome: 'records', security: 'secure', reason: null })
})

test('an answer made of more than any answer needs fails, however its messages are spread', async () => {
  const zone = [
    worldZone('example', [], {}),
    worldZone(
      'd.example',
      Array.from({ length: 12 }, (_, i) => `n${i}.d.example CNAME n${i + 1}.d.example`),
      {},
    ),
  ]
  const small = createSignedWorld({ zones: zone, nowMs })
  // One alias at a time, and each message filled up to what TCP can carry.
  const filling: Respond = query => {
    const message = small.respond(query)
    const owner = query.questions[0]?.name ?? []
    if (message === 'silence' || query.questions[0]?.type !== typeNumbers.A) return message
    const own = message.answers.filter(({ name }) => equalNames(name, owner))
    const filler = Array.from({ length: 250 }, (_, i) => ({
      name: parseName(`filler${i}`) ?? [],
      type: 65_280,
      class: 1,
      ttlSeconds: 1,
      rdata: new Uint8Array(240),
    }))
    return { ...message, rcode: rcodes.NOERROR, answers: own, authorities: [], additionals: filler }
  }
  const { resolver } = await behind([filling], { anchors: small.anchors, maxBytes: 400_000 })
  const answer = await ask(resolver, 'n0.d.example A')
  expect(brief(answer)).toEqual({ outcome: 'failed', security: 'indeterminate', reason: 'dns.lookup-failed' })
  expect(answer.asked.at(-1)?.why).toContain('larger than any answer needs')
  expect(answer.asked.filter(({ question }) => question.type === typeNumbers.A)).toHaveLength(7)
})

test('after the time for an answer nobody is asked any more', async () => {
  const { resolver, servers } = await behind([world().respond], { maxMs: -1 })
  expect(brief(await ask(resolver, 'host.nsec.example A'))).toEqual({
    outcome: 'failed',
    security: 'indeterminate',
    reason: 'dns.timeout',
  })
  expect(servers[0]?.asked).toEqual([])
})

describe('the probe', () => {
  test('of servers as they should be finds nothing to say', async () => {
    const { resolver } = await behind([world().respond, world('validates').respond])
    expect(await resolver.probe()).toMatchObject({ signatures: 'arrive', tcp: 'works', clock: 'sane', says: [] })
  })

  test.each<[string, Respond, object, RegExp]>([
    [
      'strips signatures',
      query => world('strips-signatures').respond(query),
      { signatures: 'stripped', tcp: 'works' },
      /does not pass DNSSEC signatures on/,
    ],
    [
      'does not know EDNS',
      query => {
        const message = world().respond({ ...query, edns: null })
        return message === 'silence' ? message : { ...message, edns: null }
      },
      { signatures: 'stripped', tcp: 'works' },
      /does not pass/,
    ],
    [
      'is silent',
      () => 'silence',
      { signatures: 'unknown', tcp: 'unknown', clock: 'unknown' },
      /no keys of the root/,
    ],
  ])('tells when a server %s', async (_, respond, expected, says) => {
    const { resolver } = await behind([respond])
    const probe = await resolver.probe()
    expect(probe).toMatchObject(expected)
    expect(probe.says.join(' ')).toMatch(says)
  })

  test('tells when a server does not answer over TCP', async () => {
    const server = await serve(asked => {
      const message = world().respond(asked.query)
      if (asked.via === 'tcp') asked.hangUp()
      else if (message !== 'silence') asked.reply(encodeMessage(message))
    })
    const wire = createDnsWire({ servers: [server.address], timeoutMs: 10_000, waitMs: 5_000, attempts: 1 })
    afterwards(() => wire.close())
    const resolver = createValidatingResolver({ wire, anchors: world().anchors, insecure: [], now: () => nowMs })
    expect(await resolver.probe()).toMatchObject({
      signatures: 'arrive',
      tcp: 'fails',
      says: [expect.stringContaining('over UDP and not over TCP')],
    })
  })

  test('tells which of several servers is at fault', async () => {
    const { resolver, servers } = await behind([world('strips-signatures').respond, world().respond])
    const probe = await resolver.probe()
    expect(probe.signatures).toBe('arrive')
    expect(probe.servers.map(({ signatures }) => signatures)).toEqual(['stripped', 'arrive'])
    // What there is of a server is a part of documents, word for word.
    for (const server of probe.servers)
      expect(Object.keys(server)).toEqual(['server', 'signatures', 'tcp', 'clock'])
    expect(probe.says.join(' ')).toContain(`${servers[0]?.port}`)
  })

  test.each([
    [4_000 * dayMs, 'ahead'],
    [-4_000 * dayMs, 'behind'],
  ] as const)('tells when the clock is wrong by %i ms', async (byMs, clock) => {
    const { resolver } = await behind([world().respond], { now: () => nowMs + byMs })
    expect(await resolver.probe()).toMatchObject({ signatures: 'arrive', clock })
  })

  test('knows nothing of a root that the anchors do not name', async () => {
    const other = world().anchors.map(anchor =>
      anchor.kind === 'ds' ? { ...anchor, ds: { ...anchor.ds, digest: Buffer.alloc(32) } } : anchor,
    )
    const { resolver } = await behind([world().respond], { anchors: other })
    expect(await resolver.probe()).toMatchObject({ signatures: 'unknown', clock: 'unknown' })
  })
})

test('names of other zones that a server adds on its own are never taken', async () => {
  const { resolver } = await behind([
    query => {
      const message = world().respond(query)
      if (message === 'silence') return message
      const wrong = nameKey(query.questions[0]?.name ?? []) === 'host.nsec.example'
      return wrong
        ? { ...message, questions: [{ name: parseName('x.example') ?? [], type: 1, class: 1 }] }
        : message
    },
  ])
  expect(brief(await ask(resolver, 'host.nsec.example A'))).toEqual({
    outcome: 'failed',
    security: 'indeterminate',
    reason: 'dns.timeout',
  })
})
