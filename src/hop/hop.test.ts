/** How long what the engine found out holds: by which clock, and under which standing of the name servers. */
import { X509Certificate } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { createTlsa } from '../protocol/dane/tlsa.ts'
import type { RecordData, TlsaData } from '../protocol/dns/answer.ts'
import type { DnsStanding } from '../protocol/dns/standing.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import type { Resolver } from '../system/resolver.ts'
import { serve } from './testing/scripted-server.ts'
import { a, channelOf, firstOf, mx, workbench, zone } from './testing/workbench.ts'
import type { Destination } from './types.ts'

const good = await (await createAuthority({ commonName: 'Test root' })).leaf({ names: ['mx.example'] })
const read = parseCertificate(new X509Certificate(good.chain).raw)
if (read.kind !== 'certificate') throw new Error(read.detail)
const [made] = createTlsa(read.certificate, { usages: [3], selectors: [1], matchingTypes: [1] })
if (made === undefined) throw new Error('no record')
const matching: TlsaData = { type: 'TLSA', ...made }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const to: Destination = { kind: 'mx', domain: 'example.org', level: 'dane' }
const owner = '_25._tcp.mx.example TLSA'
const hour = 3_600_000

/** A zone whose answers hold for 300 s, a resolver whose standing the test sets, and two clocks. */
function world({ port = 1, trust = 'validate' }: { port?: number; trust?: DnsStanding['trust'] } = {}) {
  const records: Record<string, readonly RecordData[]> = {
    'example.org MX': [mx(10, 'mx.example')],
    'mx.example A': [a('192.0.2.1')],
    [owner]: [matching],
  }
  let validation: DnsStanding['validation'] = 'works'
  const asked: string[] = []
  let onQuestion: (type: string) => void = () => {}
  const resolver: Resolver = {
    async resolve(question) {
      asked.push(question.type)
      const security = validation === 'works' ? 'secure' : 'unvalidated'
      onQuestion(question.type)
      return { ...(await zone(records).resolve(question)), security }
    },
    get standing() {
      return { trust, validation, says: [] }
    },
    close: () => Promise.resolve(),
  }
  const clock = { wallMs: Date.now(), monotonicMs: 1_000 }
  const { hop } = workbench(port, {
    resolver,
    now: () => clock.wallMs,
    monotonicMs: () => clock.monotonicMs,
  })
  closing.push(() => hop.close())
  return {
    hop,
    records,
    asked,
    clock,
    becomes(now: DnsStanding['validation']) {
      validation = now
    },
    onQuestion(then: typeof onQuestion) {
      onQuestion = then
    },
    pass(ms: number) {
      clock.wallMs += ms
      clock.monotonicMs += ms
    },
  }
}

/** A server that does STARTTLS and then waits. */
async function peer() {
  const server = await serve(async one => {
    one.send('220 mx.example ESMTP\r\n')
    await one.answer('EHLO', '250-mx.example\r\n250 STARTTLS')
    await one.answer('STARTTLS', '220 go ahead')
    await one.startTls(good)
    await one.answer('EHLO', '250 mx.example')
    await one.gone()
  })
  closing.push(() => server.close())
  return server.port
}

describe('an itinerary', () => {
  test('is current until the first of its answers ends', async () => {
    const { hop, pass } = world()
    const itinerary = await hop.itinerary(to)
    pass(299_999)
    expect(hop.isCurrent(itinerary)).toBe(true)
    pass(1)
    expect(hop.isCurrent(itinerary)).toBe(false)
  })

  test('is not longer for a wall clock that is put back', async () => {
    const { hop, clock, pass } = world()
    const itinerary = await hop.itinerary(to)
    clock.wallMs -= 240 * hour
    pass(299_999)
    expect(hop.isCurrent(itinerary)).toBe(true)
    pass(1)
    expect(hop.isCurrent(itinerary)).toBe(false)
  })

  test('that is none of ours is not current', async () => {
    expect(world().hop.isCurrent(await world().hop.itinerary(to))).toBe(false)
  })

  test('made of answers that nobody could validate ends when somebody can, and in a minute at the latest', async () => {
    const { hop, becomes, pass } = world()
    becomes('unavailable')
    const itinerary = await hop.itinerary(to)
    expect(itinerary.candidates[0]?.plan.dane).toMatchObject({ kind: 'none' })
    expect(hop.isCurrent(itinerary)).toBe(true)
    becomes('works')
    expect(hop.isCurrent(itinerary)).toBe(false)
    expect((await hop.itinerary(to)).candidates[0]?.plan.dane).toMatchObject({ kind: 'records' })
    becomes('unavailable')
    pass(59_999)
    expect(hop.isCurrent(itinerary)).toBe(true)
    pass(1)
    expect(hop.isCurrent(itinerary)).toBe(false)
  })

  test('made of proofs outlives the loss of validation: mail does not go more weakly for it', async () => {
    const { hop, becomes } = world()
    const itinerary = await hop.itinerary(to)
    becomes('unavailable')
    expect(hop.isCurrent(itinerary)).toBe(true)
  })

  test('holds as long as its answers where nobody is asked to validate', async () => {
    const { hop, becomes, pass } = world({ trust: 'none' })
    becomes('off')
    const itinerary = await hop.itinerary(to)
    pass(299_999)
    expect(hop.isCurrent(itinerary)).toBe(true)
  })

  test('during which validation came back is made anew', async () => {
    const { hop, becomes, asked, onQuestion } = world()
    becomes('unavailable')
    onQuestion(type => type === 'A' && becomes('works'))
    const itinerary = await hop.itinerary(to)
    expect(asked.filter(type => type === 'MX')).toHaveLength(2)
    expect(itinerary.candidates[0]?.plan.dane).toMatchObject({ kind: 'records' })
    expect(hop.isCurrent(itinerary)).toBe(true)
  })
})

describe('a channel', () => {
  const reached = async (before: (made: ReturnType<typeof world>) => void = () => {}) => {
    const made = world({ port: await peer() })
    before(made)
    const [candidate, itinerary] = await firstOf(made.hop, to)
    const channel = channelOf(await made.hop.reach(candidate, itinerary))
    return { ...made, candidate, channel, another: async () => (await firstOf(made.hop, to))[0] }
  }

  test('that records proved does not serve its own candidate once they have ended, whatever the wall clock says', async () => {
    const { hop, channel, candidate, clock, pass } = await reached()
    expect(hop.satisfies(channel, candidate)).toBe(true)
    clock.wallMs -= 240 * hour
    pass(300_000)
    expect(hop.satisfies(channel, candidate)).toBe(false)
  })

  test('serves one with newer answers that say the same, and none with others', async () => {
    const { hop, channel, records, another, pass } = await reached()
    pass(300_000)
    expect(hop.satisfies(channel, await another())).toBe(true)
    records[owner] = [{ ...matching, data: new Uint8Array(32) }]
    expect(hop.satisfies(channel, await another())).toBe(false)
  })

  test('that was opened while nobody could validate is not used once somebody can, but for a new plan that it meets', async () => {
    const { hop, channel, candidate, becomes, records, another } = await reached(({ becomes }) =>
      becomes('unavailable'),
    )
    expect(hop.satisfies(channel, candidate)).toBe(true)
    becomes('works')
    expect(hop.satisfies(channel, candidate)).toBe(false)
    expect(hop.satisfies(channel, await another())).toBe(false)
    records[owner] = []
    becomes('unavailable')
    expect(hop.satisfies(channel, await another())).toBe(true)
  })

  test('ends in an hour, also when the wall clock is put back meanwhile', async () => {
    const { hop, channel, clock, another, pass } = await reached()
    clock.wallMs -= 240 * hour
    pass(hour)
    expect(hop.satisfies(channel, await another())).toBe(false)
  })
})
