import { afterEach, describe, expect, test } from 'vitest'
import { createAuthority } from '../system/certificate-maker.ts'
import { type ScriptedPeer, serve } from './testing/scripted-server.ts'
import { a, aaaa, mx, zone } from './testing/workbench.ts'
import type { Destination } from './types.ts'
import { createVisitor, type VisitorOptions } from './visit.ts'

const authority = await createAuthority({ commonName: 'Test root' })
const ecdsa = await authority.leaf({ names: ['mx.example'] })
const rsa = await authority.leaf({ names: ['mx.example'], key: 'rsa' })

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Chains = readonly (typeof ecdsa)[]

async function host(chains: Chains, script: (peer: ScriptedPeer, chains: Chains) => Promise<void> = ordinary) {
  const server = await serve(peer => script(peer, chains))
  closing.push(() => server.close())
  return server
}

async function ordinary(peer: ScriptedPeer, chains: Chains, options: object = {}) {
  peer.send('220 mx.example ESMTP\r\n')
  await peer.answer('EHLO', '250-mx.example\r\n250 STARTTLS')
  await peer.answer('STARTTLS', '220 go ahead')
  const [first] = chains
  if (first === undefined) throw new Error('no chain')
  await peer.startTls(first, {
    cert: chains.map(({ chain }) => chain),
    key: chains.map(({ key }) => key),
    ...options,
  })
  await peer.answer('EHLO', '250 mx.example')
  await peer.answer('QUIT', '221 bye')
  peer.end()
}

const one = { 'example.org MX': [mx(10, 'mx.example')], 'mx.example A': [a('192.0.2.1')] }
const to: Destination = { kind: 'mx', domain: 'example.org', level: 'dane' }

function visitorFor(port: number, options: Partial<VisitorOptions> = {}) {
  const visitor = createVisitor({
    resolver: zone(one),
    dialer: () => ({ address: '127.0.0.1', port }),
    hostname: 'mx.example',
    allowAddresses: ['192.0.2.0/24', '2001:db8::/32'],
    now: Date.now,
    random: () => 0,
    ...options,
  })
  closing.push(() => visitor.close())
  return visitor
}

async function visited(port: number, options: Partial<VisitorOptions> = {}) {
  const visitor = visitorFor(port, options)
  const done: number[] = []
  const visits = await visitor.visitAll(await visitor.itinerary(to), count => done.push(count))
  return { visits, done }
}

const kinds = (visits: readonly { readonly chain: readonly { readonly kind: string }[] }[]) =>
  visits.map(({ chain }) => {
    const leaf = chain[0] as { kind: string; certificate?: { publicKey: { facts: { kind: string } } } } | undefined
    return leaf?.certificate?.publicKey.facts.kind ?? null
  })

describe('a host is asked for both kinds of chain', () => {
  test.each([
    ['with both', [ecdsa, rsa], {}, ['ec', 'rsa']],
    ['with both, in TLS 1.2', [ecdsa, rsa], { maxVersion: 'TLSv1.2' }, ['rsa', 'ec']],
    ['with ECDSA alone', [ecdsa], {}, ['ec', null]],
    ['with RSA alone', [rsa], {}, ['rsa', null]],
    ['with RSA alone, in TLS 1.2', [rsa], { maxVersion: 'TLSv1.2' }, ['rsa', null]],
  ] as const)('%s', async (_, chains, options, expected) => {
    const server = await host(chains, (peer, all) => ordinary(peer, all, options))
    const { visits, done } = await visited(server.port)
    expect(kinds(visits[0] ?? [])).toEqual(expected)
    expect(done).toEqual([1])
  })

  test('and never hears a mail command', async () => {
    const server = await host([ecdsa, rsa])
    await visited(server.port)
    expect(server.peers.map(({ lines }) => lines)).toEqual([
      ['EHLO mx.example', 'STARTTLS', 'EHLO mx.example', 'QUIT'],
      ['EHLO mx.example', 'STARTTLS', 'EHLO mx.example', 'QUIT'],
    ])
  })
})

test('a host that has our own name is visited all the same: a postmaster looks at that first', async () => {
  const server = await host([ecdsa])
  const { visits } = await visited(server.port, { hostname: 'mx.example' })
  expect(visits).toHaveLength(1)
})

test('a host without STARTTLS, or one that is silent, is visited once, and in its time', async () => {
  const clear = await host([], async peer => {
    peer.send('220 mx.example ESMTP\r\n')
    await peer.answer('EHLO', '250 mx.example')
    await peer.answer('QUIT', '221 bye')
  })
  expect((await visited(clear.port)).visits[0]?.map(({ session }) => session.verdict?.kind)).toEqual(['clear'])
  const silent = await host([], peer => peer.gone())
  const { visits } = await visited(silent.port, { patience: { greetingMs: 50 } })
  expect(visits[0]?.map(({ session }) => session.failure?.code)).toEqual(['smtp.timeout'])
})

test('when the time for all is over, what was not visited has no visits', async () => {
  const silent = await host([], peer => peer.gone())
  const addresses = Array.from({ length: 10 }, (_, index) => aaaa(`2001:db8::${index + 1}`))
  const { visits } = await visited(silent.port, {
    resolver: zone({
      'example.org MX': [mx(10, 'mx.example'), mx(10, 'mx2.example')],
      'mx.example AAAA': addresses,
      'mx2.example AAAA': addresses,
    }),
    patience: { altogetherMs: 100 },
  })
  expect(visits).toHaveLength(20)
  expect(visits.filter(each => each.length === 1)).toHaveLength(8)
  expect(visits.filter(each => each.length === 0)).toHaveLength(12)
})

test('addresses that a stranger’s DNS may not send us to are left out', async () => {
  const visitor = visitorFor(1, { resolver: zone({ ...one, 'mx.example A': [a('10.0.0.1'), a('127.0.0.1')] }) })
  const { candidates, skipped } = await visitor.itinerary(to)
  expect(candidates).toEqual([])
  expect(skipped.map(({ failure }) => failure.reason)).toEqual(['dns.address-forbidden', 'dns.address-forbidden'])
})
