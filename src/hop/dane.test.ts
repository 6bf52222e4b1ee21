import { X509Certificate } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { Level } from '../judgement/plan.ts'
import { createTlsa } from '../protocol/dane/tlsa.ts'
import type { DnsAnswer, RecordData, TlsaData } from '../protocol/dns/answer.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import type { Resolver } from '../system/resolver.ts'
import { serve } from './testing/scripted-server.ts'
import { a, channelOf, firstOf, mail, mx, reachFirst, route, workbench } from './testing/workbench.ts'
import type { Destination } from './types.ts'

const authority = await createAuthority({ commonName: 'Test root' })
const good = await authority.leaf({ names: ['mx1.example'] })
const read = parseCertificate(new X509Certificate(good.chain).raw)
if (read.kind !== 'certificate') throw new Error(read.detail)
const [made] = createTlsa(read.certificate, { usages: [3], selectors: [1], matchingTypes: [1] })
if (made === undefined) throw new Error('no record')
const matching: TlsaData = { type: 'TLSA', ...made }
const stranger: TlsaData = { ...matching, data: new Uint8Array(32).fill(1) }
const forPkix: TlsaData = { ...matching, usage: 1 }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Answer = readonly RecordData[] | Partial<DnsAnswer>

/** Answers by `name TYPE`; what is not listed is proven to be absent. */
function dns(answers: Readonly<Record<string, Answer>>): Resolver & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    resolve(question) {
      const key = `${question.name} ${question.type}`
      asked.push(key)
      const answer = answers[key] ?? []
      const given = 'length' in answer ? { records: answer } : answer
      const { records = [] } = given
      return Promise.resolve({
        question,
        outcome: records.length > 0 ? 'records' : 'no-data',
        records,
        aliases: [],
        ttlSeconds: 300,
        security: 'secure',
        because: null,
        server: '192.0.2.53:53',
        cached: false,
        why: null,
        reason: null,
        ...given,
      })
    },
    close: () => Promise.resolve(),
  }
}

const servfail: Partial<DnsAnswer> = {
  outcome: 'failed',
  security: 'indeterminate',
  ttlSeconds: null,
  why: 'SERVFAIL',
  reason: 'dns.lookup-failed',
}
const bogus: Partial<DnsAnswer> = {
  outcome: 'failed',
  security: 'bogus',
  ttlSeconds: null,
  because: 'The signature of example over it has ended.',
  why: 'bogus',
  reason: 'dnssec.signature-expired',
}

const two = {
  'example.org MX': [mx(10, 'mx1.example'), mx(20, 'mx2.example')],
  'mx1.example A': [a('192.0.2.1')],
  'mx2.example A': [a('192.0.2.2')],
} as const
const owner1 = '_25._tcp.mx1.example TLSA'
const owner2 = '_25._tcp.mx2.example TLSA'
const to = (level: Level = 'dane'): Destination => ({ kind: 'mx', domain: 'example.org', level })
const atPort1 = (answers: Readonly<Record<string, Answer>>) => workbench(1, { resolver: dns(answers) }).hop

describe('the way', () => {
  test('each host has its own records, and the DNS that told of them is evidence', async () => {
    const itinerary = await atPort1({ ...two, [owner1]: [matching] }).itinerary(to())
    expect(itinerary.candidates.map(({ plan }) => plan.dane?.kind)).toEqual(['records', 'none'])
    expect(itinerary.candidates.map(({ plan }) => plan.starttls)).toEqual(['required', 'if-offered'])
    expect(itinerary.dns.map(({ name, type }) => `${name} ${type}`)).toContain(owner1)
  })

  test.each([
    ['failed', servfail, '_25._tcp.mx1.example TLSA: SERVFAIL'],
    ['is bogus', bogus, '_25._tcp.mx1.example TLSA: The signature of example over it has ended'],
  ])('a host whose question for records %s is left out, and the next one goes', async (_, answer, detail) => {
    const itinerary = await atPort1({ ...two, [owner1]: answer }).itinerary(to())
    expect(itinerary.candidates.map(({ host }) => host)).toEqual(['mx2.example'])
    expect(itinerary.skipped).toEqual([
      { host: 'mx1.example', address: null, failure: { reason: 'dane.lookup-failed', detail, reply: null } },
    ])
  })

  test('when no host is left, the mail waits for what may pass', async () => {
    const itinerary = await atPort1({ ...two, [owner1]: servfail, [owner2]: bogus }).itinerary(to())
    expect(itinerary.candidates).toEqual([])
    expect(itinerary.failure?.reason).toBe('dane.lookup-failed')
  })

  test('a bogus MX answer names no host at all', async () => {
    const itinerary = await atPort1({ ...two, 'example.org MX': bogus }).itinerary(to())
    expect(itinerary.failure).toMatchObject({ reason: 'dnssec.signature-expired' })
    expect(itinerary.candidates).toEqual([])
  })

  test('an address of a host that is bogus is left out like one that failed', async () => {
    const itinerary = await atPort1({ ...two, 'mx1.example A': bogus, 'mx1.example AAAA': bogus }).itinerary(to())
    expect(itinerary.candidates.map(({ host }) => host)).toEqual(['mx2.example'])
    expect(itinerary.skipped[0]?.failure.reason).toBe('dnssec.signature-expired')
  })

  test('an unsigned host is never asked for, so that servers which cannot answer that do no harm', async () => {
    const resolver = dns({
      ...two,
      'mx1.example A': { records: [a('192.0.2.1')], security: 'insecure' },
      'mx1.example AAAA': { security: 'insecure' },
      [owner1]: servfail,
    })
    const itinerary = await workbench(1, { resolver }).hop.itinerary(to())
    expect(resolver.asked).not.toContain(owner1)
    expect(itinerary.candidates).toHaveLength(2)
  })

  test('other levels ask for nothing', async () => {
    const resolver = dns(two)
    await workbench(1, { resolver }).hop.itinerary(to('opportunistic'))
    expect(resolver.asked.filter(question => question.endsWith(' TLSA'))).toEqual([])
  })

  test('a level that goes by no proof asks at the door where none is needed', async () => {
    const resolver: Resolver = { ...dns({ 'example.org MX': servfail }), lenient: dns(two) }
    const { hop } = workbench(1, { resolver })
    expect((await hop.itinerary(to('opportunistic'))).candidates).toHaveLength(2)
    for (const level of ['dane', 'dane-only'] as const)
      expect((await hop.itinerary(to(level))).failure?.reason).toBe('dns.lookup-failed')
  })

  test('it ends with the first of its answers, those for records too', async () => {
    const nowMs = 1_000_000
    const hop = workbench(1, {
      now: () => nowMs,
      resolver: dns({ ...two, [owner1]: { records: [matching], ttlSeconds: 7 } }),
    }).hop
    expect((await hop.itinerary(to())).expiresAtMs).toBe(nowMs + 7_000)
  })

  test('dane-only keeps the hosts that have records, and waits when none has', async () => {
    const some = await atPort1({ ...two, [owner2]: [matching] }).itinerary(to('dane-only'))
    expect(some.candidates.map(({ host }) => host)).toEqual(['mx2.example'])
    expect(some.skipped[0]?.failure.reason).toBe('dane.required')
    const none = await atPort1(two).itinerary(to('dane-only'))
    expect(none.failure).toMatchObject({ reason: 'dane.required', detail: 'the host has no TLSA records' })
    const insecure = await atPort1({
      ...two,
      'example.org MX': { records: two['example.org MX'], security: 'insecure' },
      [owner1]: [matching],
    }).itinerary(to('dane-only'))
    expect(insecure.failure?.reason).toBe('dane.mx-insecure')
  })

  test('a configured host may ask for it too, at its own port', async () => {
    const resolver = dns({ 'mail.example A': [a('192.0.2.1')], '_587._tcp.mail.example TLSA': [matching] })
    const { hop } = workbench(1, { resolver })
    const [candidate] = await firstOf(hop, route('dane', { hosts: [{ name: 'mail.example', port: 587 }] }))
    expect(candidate.plan).toMatchObject({ name: 'configured', dane: { owner: '_587._tcp.mail.example' } })
  })

  test('an address literal has no records, and goes on without', async () => {
    const { candidates } = await atPort1({}).itinerary({ kind: 'mx', domain: '[192.0.2.1]', level: 'dane' })
    expect(candidates[0]?.plan.dane).toEqual({ kind: 'none', because: 'no-name', asked: [] })
  })
})

/** A server with STARTTLS, or without. */
async function peer(startTls: 'offered' | 'absent') {
  const server = await serve(async one => {
    one.send('220 mx1.example ESMTP\r\n')
    await one.answer('EHLO', startTls === 'offered' ? '250-mx1.example\r\n250 STARTTLS' : '250 mx1.example')
    if (startTls === 'offered') {
      await one.answer('STARTTLS', '220 go ahead')
      await one.startTls(good)
      await one.answer('EHLO', '250 mx1.example')
    }
    await one.answer('MAIL', '250 ok')
    await one.answer('RCPT', '250 ok')
    await one.answer('DATA', '354 ok')
    await one.content()
    one.send('250 ok\r\n')
    await one.gone()
  })
  closing.push(() => server.close())
  return server
}

function benchFor(port: number, answers: Readonly<Record<string, Answer>>, now: () => number = Date.now) {
  const made = workbench(port, { resolver: dns(answers), now })
  closing.push(() => made.hop.close())
  return made.hop
}

const alone = { 'example.org MX': [mx(10, 'mx1.example')], 'mx1.example A': [a('192.0.2.1')] } as const

describe('the peer', () => {
  test('that a record names is authenticated by it, and the base is its SNI', async () => {
    const server = await peer('offered')
    const reached = await reachFirst(benchFor(server.port, { ...alone, [owner1]: [stranger, matching] }), to())
    const channel = channelOf(reached)
    expect(channel.authenticated).toBe(true)
    expect(channel.verdict).toMatchObject({ kind: 'authenticated', name: 'secure-mx', by: 'dane-ee' })
    expect(server.peers[0]?.sni).toBe('mx1.example')
    expect((await channel.send(mail('x\r\n'))).recipients[0]).toMatchObject({ kind: 'delivered' })
    expect(reached.session.tls).toMatchObject({ path: null, dane: { record: 1, depth: 0 } })
    expect(reached.session.verdict?.record).toMatch(/^3 1 1 [0-9a-f]{64}$/)
    expect(reached.session.findings).toEqual([])
  })

  test('that no record names hears no mail command', async () => {
    const server = await peer('offered')
    const reached = await reachFirst(benchFor(server.port, { ...alone, [owner1]: [stranger] }), to())
    expect(reached).toMatchObject({ kind: 'failed', failure: { reason: 'dane.no-match' } })
    expect(reached.session.findings[0]).toMatchObject({
      code: 'dane.no-match',
      condemns: 'host',
      lasting: 'for-now',
    })
  })

  test('that offers no STARTTLS although it has records hears no mail command', async () => {
    const server = await peer('absent')
    for (const records of [[matching], [forPkix]]) {
      const hop = benchFor(server.port, { ...alone, [owner1]: records })
      const [candidate, itinerary] = await firstOf(hop, to())
      for (const clearText of ['as-planned', 'after-failed-handshake'] as const)
        expect(await hop.reach(candidate, itinerary, clearText)).toMatchObject({
          kind: 'failed',
          failure: { reason: 'dane.no-starttls' },
        })
    }
  })

  test.each([
    ['greeting', '554 5.7.1 go away\r\n', null],
    ['EHLO and HELO', '220 mx1.example ESMTP\r\n', '550 5.7.1 not you'],
  ])(
    'that refuses for good in clear text, at the %s, may be anybody: the mail waits',
    async (_, greeting, hello) => {
      const server = await serve(async one => {
        one.send(greeting)
        if (hello !== null) {
          await one.answer('EHLO', hello)
          await one.answer('HELO', hello)
        }
        await one.gone()
      })
      closing.push(() => server.close())
      const proven = await reachFirst(benchFor(server.port, { ...alone, [owner1]: [matching] }), to())
      expect(proven).toMatchObject({ kind: 'failed', failure: { reason: 'smtp.refused-before-tls' } })
      expect(proven.session.findings[0]).toMatchObject({ lasting: 'for-now', condemns: 'host' })
      // Where TLS is not owed a refusal is what it always was.
      const plain = await reachFirst(benchFor(server.port, alone), to())
      expect(plain.session.findings[0]).toMatchObject({ lasting: 'for-good' })
    },
  )

  test('whose records none can use is encrypted to, unauthenticated, and its zone’s owner is told', async () => {
    const server = await peer('offered')
    const reached = await reachFirst(benchFor(server.port, { ...alone, [owner1]: [forPkix] }), to())
    expect(channelOf(reached).verdict).toMatchObject({ kind: 'encrypted', name: 'secure-mx' })
    expect(reached.session.findings.map(({ code }) => code)).toContain('dane.all-unusable')
    expect(reached.session.tls?.dane).toBeNull()
  })

  test('without records is what it was before: TLS if offered', async () => {
    const server = await peer('absent')
    const reached = await reachFirst(benchFor(server.port, alone), to())
    expect(channelOf(reached).verdict).toMatchObject({ kind: 'clear', because: 'not-offered', name: 'secure-mx' })
  })

  test('behind an insecure MX is held to its records, and nobody takes that for the domain’s word', async () => {
    const server = await peer('offered')
    const insecure = { records: alone['example.org MX'], security: 'insecure' } as const
    const reached = await reachFirst(
      benchFor(server.port, { ...alone, 'example.org MX': insecure, [owner1]: [matching] }),
      to(),
    )
    expect(reached.session.verdict).toMatchObject({
      kind: 'authenticated',
      name: 'unauthenticated',
      peer: 'dane-ee',
    })
    expect(reached.session.verdict?.says).toContain('nothing but an unsigned DNS answer vouches for')
  })
})

describe('a channel that records proved', () => {
  const channelWith = async (records: readonly TlsaData[], ttlSeconds = 60) => {
    const server = await peer('offered')
    let nowMs = Date.now()
    const clock = {
      advance(ms: number) {
        nowMs += ms
      },
      now: () => nowMs,
    }
    const answers: Record<string, Answer> = { ...alone, [owner1]: { records, ttlSeconds } }
    const hop = benchFor(server.port, answers, clock.now)
    return { hop, answers, clock, channel: channelOf(await reachFirst(hop, to())) }
  }

  test('is used no longer than the answers hold that proved it', async () => {
    const { hop, clock, channel } = await channelWith([matching], 60)
    const [candidate] = await firstOf(hop, to())
    expect(hop.satisfies(channel, candidate)).toBe(true)
    clock.advance(60_001)
    expect(hop.satisfies(channel, candidate)).toBe(false)
  })

  test('serves no plan with other records, nor one without', async () => {
    const { hop, answers, channel } = await channelWith([matching])
    answers[owner1] = [matching, stranger]
    expect(hop.satisfies(channel, (await firstOf(hop, to()))[0])).toBe(false)
    answers[owner1] = []
    expect(hop.satisfies(channel, (await firstOf(hop, to()))[0])).toBe(false)
    expect(hop.satisfies(channel, (await firstOf(hop, to('opportunistic')))[0])).toBe(false)
  })

  test('and one made without records serves none that has some', async () => {
    const { hop, answers, channel } = await channelWith([])
    expect(channel.verdict.kind).toBe('encrypted')
    expect(hop.satisfies(channel, (await firstOf(hop, to()))[0])).toBe(true)
    answers[owner1] = [matching]
    expect(hop.satisfies(channel, (await firstOf(hop, to()))[0])).toBe(false)
  })

  test('behind an insecure MX, where the names are the same either way, the records alone tell', async () => {
    const server = await peer('offered')
    const insecure = { records: alone['example.org MX'], security: 'insecure' } as const
    const answers: Record<string, Answer> = { ...alone, 'example.org MX': insecure, [owner1]: [matching] }
    const hop = benchFor(server.port, answers)
    const channel = channelOf(await reachFirst(hop, to()))
    expect(hop.satisfies(channel, (await firstOf(hop, to()))[0])).toBe(true)
    answers[owner1] = []
    expect(hop.satisfies(channel, (await firstOf(hop, to()))[0])).toBe(false)
  })

  test('serves dane-only, which asks for no more', async () => {
    const { hop, channel } = await channelWith([matching])
    expect(hop.satisfies(channel, (await firstOf(hop, to('dane-only')))[0])).toBe(true)
  })
})
