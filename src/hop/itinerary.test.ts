import { describe, expect, test } from 'vitest'
import type { Resolver } from '../system/resolver.ts'
import { a, aaaa, memory, mx, route, workbench, zone } from './testing/workbench.ts'
import type { Destination } from './types.ts'

const to = (domain: string): Destination => ({ kind: 'mx', domain, level: 'opportunistic' })

const addresses = (itinerary: { candidates: readonly { address: string }[] }) =>
  itinerary.candidates.map(({ address }) => address)

describe('the way by MX', () => {
  const resolver = zone({
    'example.net MX': [mx(20, 'backup.example'), mx(10, 'first.example')],
    'first.example A': [a('192.0.2.1')],
    'first.example AAAA': [aaaa('2001:db8::1')],
    'backup.example A': [a('192.0.2.2')],
    'inside.example MX': [mx(10, 'loop.example')],
    'loop.example A': [a('127.0.0.1')],
    'alone.example A': [a('192.0.2.3')],
    'null.example MX': [mx(0, '')],
  })

  test('candidates by preference, IPv6 and IPv4 by turns, each with its plan', async () => {
    const { hop } = workbench(1, { resolver })
    const itinerary = await hop.itinerary(to('example.net'))
    expect(addresses(itinerary)).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2'])
    expect(itinerary.candidates[0]).toMatchObject({
      host: 'first.example',
      port: 25,
      preference: 10,
      plan: { sni: 'first.example', references: [{ name: 'first.example', from: 'mx-name' }] },
    })
    expect(itinerary.mxNames).toEqual(['first.example', 'backup.example'])
    expect(itinerary.failure).toBeNull()
    expect(itinerary.dns[0]).toMatchObject({
      name: 'example.net',
      type: 'MX',
      answer: 'records',
      records: ['20 backup.example.', '10 first.example.'],
      security: 'unvalidated',
    })
  })

  test('what did not answer lately keeps its place: the way may be kept for an hour', async () => {
    const knowledge = memory()
    knowledge.failed('192.0.2.1:25', 'net.timeout', Date.now())
    const { hop } = workbench(1, { resolver, knowledge })
    const { hop: other } = workbench(1, { resolver })
    expect(addresses(await hop.itinerary(to('example.net')))).toEqual(
      addresses(await other.itinerary(to('example.net'))),
    )
  })

  test('a stranger’s MX that points to this machine is left out, unless that is allowed', async () => {
    const { hop } = workbench(1, { resolver })
    const itinerary = await hop.itinerary(to('inside.example'))
    expect(itinerary.candidates).toEqual([])
    expect(itinerary.skipped[0]).toMatchObject({
      host: 'loop.example',
      address: '127.0.0.1',
      failure: { reason: 'dns.address-forbidden' },
    })
    expect(itinerary.failure?.reason).toBe('dns.address-forbidden')
    const { hop: open } = workbench(1, { resolver, allowAddresses: ['127.0.0.0/8'] })
    expect(addresses(await open.itinerary(to('inside.example')))).toEqual(['127.0.0.1'])
  })

  test('without an MX the domain itself is the host', async () => {
    const { hop } = workbench(1, { resolver })
    const { candidates } = await hop.itinerary(to('alone.example'))
    expect(candidates[0]?.plan.references).toEqual([{ name: 'alone.example', from: 'recipient-domain' }])
  })

  test.each([
    ['null.example', 'dns.null-mx'],
    ['nowhere.example', 'dns.no-such-domain'],
    ['[127.0.0.1]', 'dns.literal-forbidden'],
  ])('%s: %s', async (domain, reason) => {
    const { hop } = workbench(1, { resolver })
    expect((await hop.itinerary(to(domain))).failure?.reason).toBe(reason)
  })

  test('only the names', async () => {
    const { hop } = workbench(1, { resolver })
    expect((await hop.mxNames('example.net')).names).toEqual(['first.example', 'backup.example'])
    expect((await hop.mxNames('null.example')).failure?.reason).toBe('dns.null-mx')
  })
})

describe('the way to hosts of a route', () => {
  const resolver = zone({
    'one.example A': [a('10.0.0.1')],
    'two.example A': [a('10.0.0.2')],
    'two.example AAAA': [aaaa('fd00::2')],
  })
  const hosts = (...names: string[]) => names.map(name => ({ name, port: 587 }))

  test('in the order the operator wrote them, wherever they are', async () => {
    const { hop } = workbench(1, { resolver })
    const itinerary = await hop.itinerary(
      route('verify', { hosts: hosts('two.example', 'one.example', '127.0.0.1') }),
    )
    expect(addresses(itinerary)).toEqual(['fd00::2', '10.0.0.2', '10.0.0.1', '127.0.0.1'])
    expect(itinerary.candidates[2]).toMatchObject({
      host: 'one.example',
      port: 587,
      preference: null,
      plan: { name: 'configured' },
    })
    expect(itinerary.candidates[3]?.plan.sni).toBeNull()
  })

  test('IPv4 only', async () => {
    const { hop } = workbench(1, { resolver })
    const itinerary = await hop.itinerary(route('verify', { hosts: hosts('two.example'), ipv4Only: true }))
    expect(addresses(itinerary)).toEqual(['10.0.0.2'])
  })

  test('the hosts file is asked for them, and for nobody else', async () => {
    const asked: string[] = []
    const hostsResolver: Resolver = {
      resolve(question) {
        asked.push(question.name)
        return zone({ 'one.example A': [a('10.9.9.9')] }).resolve(question)
      },
      close: () => Promise.resolve(),
    }
    const { hop } = workbench(1, { resolver, hostsResolver })
    expect(addresses(await hop.itinerary(route('verify', { hosts: hosts('one.example') })))).toEqual(['10.9.9.9'])
    expect(asked).toContain('one.example')
    asked.length = 0
    await hop.itinerary(to('one.example'))
    expect(asked).toEqual([])
  })

  test('a host that does not exist is the operator’s to repair: others are used, else the mail waits', async () => {
    const { hop } = workbench(1, { resolver })
    const some = await hop.itinerary(route('verify', { hosts: hosts('gone.example', 'one.example') }))
    expect(addresses(some)).toEqual(['10.0.0.1'])
    expect(some.skipped).toMatchObject([
      { host: 'gone.example', failure: { reason: 'policy.route-host-not-found' } },
    ])
    const none = await hop.itinerary(route('verify', { hosts: hosts('gone.example') }))
    expect(none.failure).toMatchObject({ reason: 'policy.route-host-not-found', detail: 'no such name' })
  })
})
