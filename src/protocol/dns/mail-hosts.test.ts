import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DnsAnswer } from './answer.ts'
import {
  failedAnswerSeconds,
  hostAddresses,
  type MailHostsInput,
  mailExchanges,
  mailHosts,
  maxAddressesPerHost,
  maxMailHosts,
} from './mail-hosts.ts'
import { passingDnsReasons } from './reasons.ts'
import { addresses, found, lookupFailed, noData, noSuchName, replay } from './testing/replay.ts'

const input: MailHostsInput = {
  own: { hostname: 'relay.us.example', addresses: ['198.51.100.1', '2001:db8:1::25'] },
  mayConnect: address => !address.startsWith('127.') && !address.startsWith('10.') && address !== '::1',
  random: () => 0,
}
const mx = (domain: string, ...list: readonly (readonly [number, string])[]) =>
  found(
    domain,
    'MX',
    list.map(([preference, exchange]) => ({ type: 'MX', preference, exchange })),
  )
const walk = (domain: string, answers: readonly DnsAnswer[], more: Partial<MailHostsInput> = {}) =>
  replay(mailHosts(domain, { ...input, ...more }), answers)
const names = (result: { hosts: readonly { host: string }[] }) => result.hosts.map(({ host }) => host)

describe('the MX hosts of a domain', () => {
  test('come by preference, with their addresses and names as published', () => {
    const { result, asked } = walk('Example.ORG.', [
      mx('Example.ORG', [20, 'mx2.example.org'], [10, 'mx1.example.org']),
      ...addresses('mx1.example.org', ['192.0.2.1', '192.0.2.2', '2001:db8::1']),
      ...addresses('mx2.example.org', ['192.0.2.9']),
    ])
    expect(result.failure).toBeNull()
    expect(result.hosts).toEqual([
      {
        host: 'mx1.example.org',
        preference: 10,
        addresses: [
          { address: '2001:db8::1', aliases: [], security: 'unvalidated' },
          { address: '192.0.2.1', aliases: [], security: 'unvalidated' },
          { address: '192.0.2.2', aliases: [], security: 'unvalidated' },
        ],
      },
      {
        host: 'mx2.example.org',
        preference: 20,
        addresses: [{ address: '192.0.2.9', aliases: [], security: 'unvalidated' }],
      },
    ])
    expect(result.mxNames).toEqual(['mx1.example.org', 'mx2.example.org'])
    expect(result.skipped).toEqual([])
    expect(result.answers.length).toBe(5)
    expect(result.ttlSeconds).toBe(60)
    // One question, then all addresses of all hosts at the same time.
    expect(asked.map(step => step.map(({ type }) => type))).toEqual([['MX'], ['AAAA', 'A', 'AAAA', 'A']])
  })

  test('of equal preference come in every order, each about as often', () => {
    const seen = new Map<string, number>()
    const answers = [
      mx('example.org', [10, 'a.example'], [10, 'b.example'], [10, 'c.example'], [20, 'd.example']),
      ...['a', 'b', 'c', 'd'].flatMap(label => addresses(`${label}.example`, ['192.0.2.1'])),
    ]
    // Every sequence of chances once: 4 places, then 3, then 2.
    for (let chance = 0; chance < 24; chance++) {
      let rest = chance
      const random = (below: number) => {
        const value = rest % below
        rest = Math.trunc(rest / below)
        return value
      }
      const order = names(walk('example.org', answers, { random }).result).join(' ')
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    expect([...seen.keys()].every(order => order.endsWith('d.example'))).toBe(true)
    expect([...seen.values()]).toEqual([4, 4, 4, 4, 4, 4])
  })

  test('that stand there twice are tried once, at the better preference', () => {
    const { result } = walk('example.org', [
      mx('example.org', [30, 'a.example'], [20, 'b.example'], [10, 'a.example']),
      ...addresses('a.example', ['192.0.2.1']),
      ...addresses('b.example', ['192.0.2.2']),
    ])
    expect(result.hosts.map(({ host, preference }) => [host, preference])).toEqual([
      ['a.example', 10],
      ['b.example', 20],
    ])
  })

  test('that are aliases keep their published name, and the names behind it are recorded', () => {
    const { result } = walk('example.org', [
      mx('example.org', [10, 'mx.example.org']),
      ...addresses('mx.example.org', ['192.0.2.1'], ['host7.provider.example']),
    ])
    expect(result.hosts).toEqual([
      {
        host: 'mx.example.org',
        preference: 10,
        addresses: [{ address: '192.0.2.1', aliases: ['host7.provider.example'], security: 'unvalidated' }],
      },
    ])
  })

  test('of a domain that is an alias are those of its target, and the alias is recorded', () => {
    const { result } = walk('alias.example', [
      found('alias.example', 'MX', [{ type: 'MX', preference: 1, exchange: 'mx.real.example' }], {
        aliases: ['real.example'],
      }),
      ...addresses('mx.real.example', ['192.0.2.1']),
    ])
    expect(names(result)).toEqual(['mx.real.example'])
    expect(result.domainAliases).toEqual(['real.example'])
  })

  test.each([
    ['192.0.2.7', 'an address instead of a name'],
    ['', 'the root'],
    ['*.example.org', 'not a host name'],
    ['-x.example.org', 'not a host name'],
    ['a\\.b.example', 'not a host name'],
    ['12345', 'not a host name'],
  ])('named %j are left out, and the others tried', (exchange, detail) => {
    const { result, asked } = walk('example.org', [
      mx('example.org', [0, exchange], [10, 'mx.example.org']),
      ...addresses('mx.example.org', ['192.0.2.1']),
    ])
    expect(names(result)).toEqual(['mx.example.org'])
    expect(result.skipped).toEqual([{ host: exchange, address: null, reason: 'dns.name-invalid', detail }])
    expect(asked[1]?.map(({ name }) => name)).toEqual(['mx.example.org', 'mx.example.org'])
  })

  test('are looked up no further than the limit, and no host gives more addresses than the limit', () => {
    const many = [...Array(maxMailHosts + 5).keys()]
    const { result, asked } = walk('example.org', [
      mx('example.org', ...many.map(n => [n, `mx${n}.example.org`] as const)),
      ...many.flatMap(n =>
        addresses(
          `mx${n}.example.org`,
          [...Array(maxAddressesPerHost + 5).keys()].map(last => `192.0.2.${last}`),
        ),
      ),
    ])
    expect(asked[1]?.length).toBe(maxMailHosts * 2)
    expect(result.hosts.length).toBe(maxMailHosts)
    expect(result.hosts.every(host => host.addresses.length === maxAddressesPerHost)).toBe(true)
    expect(result.mxNames.length).toBe(many.length)
    // Whether they would take the mail is not known: they are no part of a "no".
    expect(result.skipped).toEqual([
      expect.objectContaining({ host: `mx${maxMailHosts}.example.org`, reason: 'dns.too-many-hosts' }),
    ])
  })

  test('are asked for IPv4 only when IPv6 is not to be used', () => {
    const { asked } = walk(
      'example.org',
      [mx('example.org', [1, 'a.example']), found('a.example', 'A', [{ type: 'A', address: '192.0.2.1' }])],
      { ipv4Only: true },
    )
    expect(asked[1]).toEqual([{ name: 'a.example', type: 'A' }])
  })

  test('without any MX are the domain itself', () => {
    const { result } = walk('example.org', [
      noData('example.org', 'MX'),
      ...addresses('example.org', ['192.0.2.1'], ['web.example']),
    ])
    expect(result.hosts).toEqual([
      {
        host: 'example.org',
        preference: 0,
        addresses: [{ address: '192.0.2.1', aliases: ['web.example'], security: 'unvalidated' }],
      },
    ])
    expect(result.mxNames).toEqual(['example.org'])
  })

  test('are never the domain itself when an MX exists, however unusable', () => {
    const { result, asked } = walk('example.org', [
      mx('example.org', [1, 'gone.example']),
      noSuchName('gone.example', 'A'),
      noSuchName('gone.example', 'AAAA'),
    ])
    expect(result.hosts).toEqual([])
    expect(asked[1]?.map(({ name }) => name)).toEqual(['gone.example', 'gone.example'])
    expect(result.failure).toEqual({ reason: 'dns.host-without-address', detail: 'gone.example: no such name' })
  })
})

describe('no host', () => {
  test.each<[string, readonly DnsAnswer[], object]>([
    [
      'when the domain does not exist',
      [noSuchName('example.org', 'MX')],
      { reason: 'dns.no-such-domain', detail: null },
    ],
    [
      'when the alias leads nowhere',
      [noSuchName('example.org', 'MX', ['gone.example'])],
      { reason: 'dns.no-such-domain', detail: 'alias of gone.example' },
    ],
    [
      'when the MX lookup fails',
      [lookupFailed('example.org', 'MX')],
      { reason: 'dns.lookup-failed', detail: 'SERVFAIL' },
    ],
    [
      'when nobody answers',
      [lookupFailed('example.org', 'MX', 'timeout')],
      { reason: 'dns.timeout', detail: 'timeout' },
    ],
    [
      'when the domain says it takes no mail',
      [mx('example.org', [0, ''])],
      { reason: 'dns.null-mx', detail: null },
    ],
    [
      'when there is no MX and no address',
      [noData('example.org', 'MX'), ...addresses('example.org', [])],
      { reason: 'dns.no-mail-host', detail: null },
    ],
    [
      'when there is no MX and the address lookup fails',
      [noData('example.org', 'MX'), noData('example.org', 'AAAA'), lookupFailed('example.org', 'A')],
      { reason: 'dns.lookup-failed', detail: 'example.org: SERVFAIL' },
    ],
    [
      'when every host has only forbidden addresses',
      [mx('example.org', [0, 'a.example']), ...addresses('a.example', ['127.0.0.1', '10.0.0.1'])],
      { reason: 'dns.address-forbidden', detail: 'a.example 127.0.0.1' },
    ],
    [
      'when every MX name is none',
      [mx('example.org', [0, '192.0.2.1'])],
      { reason: 'dns.name-invalid', detail: '192.0.2.1: an address instead of a name' },
    ],
    [
      'for now, when one host has no address and another could not be looked up',
      [
        mx('example.org', [0, 'a.example'], [10, 'b.example']),
        ...addresses('a.example', []),
        lookupFailed('b.example', 'A', 'timeout'),
        noData('b.example', 'AAAA'),
      ],
      { reason: 'dns.timeout', detail: 'b.example: timeout' },
    ],
  ])('is found %s', (_, answers, failure) => {
    const { result } = walk('example.org', answers)
    expect(result.hosts).toEqual([])
    expect(result.failure).toEqual(failure)
  })

  test.each(['', '.', 'a..b', '192.0.2.1', 'exa mple', '*.example', 'bücher.example'])(
    'is looked for at %j',
    domain => {
      const { result, asked } = walk(domain, [])
      expect(result.failure?.reason).toBe('dns.name-invalid')
      expect(asked).toEqual([])
    },
  )
})

describe('a host that cannot be used', () => {
  test('because its lookup failed is left out with that reason while others remain, and the way is believed only briefly', () => {
    const { result } = walk('example.org', [
      mx('example.org', [0, 'a.example'], [10, 'b.example']),
      lookupFailed('a.example', 'A'),
      lookupFailed('a.example', 'AAAA'),
      ...addresses('b.example', ['192.0.2.2']),
    ])
    expect(names(result)).toEqual(['b.example'])
    expect(result.skipped).toEqual([
      { host: 'a.example', address: null, reason: 'dns.lookup-failed', detail: 'SERVFAIL' },
    ])
    expect(result.failure).toBeNull()
    expect(result.ttlSeconds).toBe(failedAnswerSeconds)
  })

  test('in one family is used in the other', () => {
    const { result } = walk('example.org', [
      mx('example.org', [0, 'a.example']),
      lookupFailed('a.example', 'AAAA'),
      found('a.example', 'A', [{ type: 'A', address: '192.0.2.1' }]),
    ])
    expect(result.hosts[0]?.addresses).toEqual([{ address: '192.0.2.1', aliases: [], security: 'unvalidated' }])
    expect(result.skipped).toEqual([])
  })

  test('at one of its addresses is used at the others', () => {
    const { result } = walk('example.org', [
      mx('example.org', [0, 'a.example']),
      ...addresses('a.example', ['127.0.0.1', '192.0.2.1', '::1']),
    ])
    expect(result.hosts[0]?.addresses.map(({ address }) => address)).toEqual(['192.0.2.1'])
    expect(result.skipped.map(({ host, address, reason }) => [host, address, reason])).toEqual([
      ['a.example', '::1', 'dns.address-forbidden'],
      ['a.example', '127.0.0.1', 'dns.address-forbidden'],
    ])
  })

  test('because of a null MX beside others is only left out', () => {
    const { result } = walk('example.org', [
      mx('example.org', [0, ''], [10, 'b.example']),
      ...addresses('b.example', ['192.0.2.2']),
    ])
    expect(names(result)).toEqual(['b.example'])
  })
})

describe('ourselves in the list', () => {
  const list = [
    [10, 'a.example'],
    [20, 'b.example'],
    [20, 'c.example'],
    [30, 'd.example'],
  ] as const
  const others = ['a', 'c', 'd'].flatMap(label => addresses(`${label}.example`, ['192.0.2.1']))

  test.each<[string, readonly DnsAnswer[], Partial<MailHostsInput>]>([
    ['by name', addresses('b.example', ['192.0.2.2']), { own: { hostname: 'B.example', addresses: [] } }],
    [
      'by name, though it has no address',
      addresses('b.example', []),
      { own: { hostname: 'b.example', addresses: [] } },
    ],
    ['by address', addresses('b.example', ['192.0.2.2', '198.51.100.1']), {}],
    ['by IPv6 address in another spelling', addresses('b.example', ['2001:0DB8:1:0::25']), {}],
    ['by a name behind an alias', addresses('b.example', ['192.0.2.2'], ['relay.us.example']), {}],
  ])('%s drop us, our equals and all worse ones', (_, ours, more) => {
    const { result } = walk('example.org', [mx('example.org', ...list), ...others, ...ours], more)
    expect(names(result)).toEqual(['a.example'])
    expect(result.skipped.map(({ host, reason }) => [host, reason]).toSorted()).toEqual([
      ['b.example', 'dns.mx-points-to-us'],
      ['c.example', 'dns.mx-points-to-us'],
      ['d.example', 'dns.mx-points-to-us'],
    ])
  })

  test('as the best host leave nobody', () => {
    const { result } = walk('example.org', [
      mx('example.org', [10, 'relay.us.example'], [20, 'd.example']),
      ...others,
      ...addresses('relay.us.example', ['198.51.100.1']),
    ])
    expect(result.failure).toEqual({ reason: 'dns.mx-points-to-us', detail: null })
  })

  test.each(passingDnsReasons.filter(reason => reason !== 'dns.too-many-hosts'))(
    'beside a host left out for %s, which may pass, are no reason to give up',
    reason => {
      const failing = (type: 'A' | 'AAAA') => ({ ...lookupFailed('b.example', type), reason })
      const { result } = walk('example.org', [
        mx('example.org', [10, 'a.example'], [20, 'b.example'], [30, 'relay.us.example']),
        ...addresses('a.example', ['127.0.0.1']),
        failing('A'),
        failing('AAAA'),
        ...addresses('relay.us.example', ['198.51.100.1']),
      ])
      expect(result.failure?.reason).toBe(reason)
    },
  )

  test('behind a better host that cannot be looked up make the mail wait', () => {
    const { result } = walk('example.org', [
      mx('example.org', [10, 'a.example'], [20, 'relay.us.example']),
      lookupFailed('a.example', 'A'),
      lookupFailed('a.example', 'AAAA'),
      ...addresses('relay.us.example', ['198.51.100.1']),
    ])
    expect(result.failure).toEqual({ reason: 'dns.lookup-failed', detail: 'a.example: SERVFAIL' })
  })

  test('as the implicit MX leave nobody', () => {
    const { result } = walk('relay.us.example', [
      noData('relay.us.example', 'MX'),
      ...addresses('relay.us.example', ['198.51.100.1']),
    ])
    expect(result.failure?.reason).toBe('dns.mx-points-to-us')
  })
})

describe('an address literal', () => {
  test.each([
    ['[192.0.2.1]', '192.0.2.1'],
    ['[IPv6:2001:DB8::1]', '2001:db8::1'],
    ['[ipv6:2001:db8::1]', '2001:db8::1'],
  ])('%s is its own host, and nobody is asked', (domain, address) => {
    const { result, asked } = walk(domain, [])
    expect(result.hosts).toEqual([
      { host: address, preference: 0, addresses: [{ address, aliases: [], security: 'unvalidated' }] },
    ])
    expect(result.mxNames).toEqual([])
    expect(result.ttlSeconds).toBeNull()
    expect(asked).toEqual([])
  })

  test.each([
    ['[127.0.0.1]', 'dns.literal-forbidden'],
    ['[IPv6:::1]', 'dns.literal-forbidden'],
    ['[198.51.100.1]', 'dns.mx-points-to-us'],
    ['[]', 'dns.name-invalid'],
    ['[192.0.2.1', 'dns.name-invalid'],
    ['[192.0.2.01]', 'dns.name-invalid'],
    ['[2001:db8::1]', 'dns.name-invalid'],
    ['[IPv6:192.0.2.1]', 'dns.name-invalid'],
    ['[x-tag:abc]', 'dns.name-invalid'],
  ])('%s fails with %s', (domain, reason) => expect(walk(domain, []).result.failure?.reason).toBe(reason))
})

describe('only the MX names', () => {
  test('take one question', () => {
    const { result, asked } = replay(
      mailExchanges('example.org', () => 0),
      [mx('example.org', [20, 'b.example'], [10, 'a.example'])],
    )
    expect(result).toMatchObject({
      kind: 'exchanges',
      isImplicit: false,
      exchanges: [
        { host: 'a.example', preference: 10 },
        { host: 'b.example', preference: 20 },
      ],
    })
    expect(asked).toEqual([[{ name: 'example.org', type: 'MX' }]])
  })
})

describe('a configured host', () => {
  const look = (name: string, answers: readonly DnsAnswer[], ipv4Only = false) =>
    replay(hostAddresses(name, { ipv4Only }), answers)

  test('keeps the name the operator wrote, whatever aliases lie behind, and may be anywhere', () => {
    const { result } = look(
      'Mail.dev.example',
      addresses('mail.dev.example', ['10.0.0.1', '::1'], ['mail.example.local']),
    )
    expect(result.hosts).toEqual([
      {
        host: 'mail.dev.example',
        preference: null,
        addresses: [
          { address: '::1', aliases: ['mail.example.local'], security: 'unvalidated' },
          { address: '10.0.0.1', aliases: ['mail.example.local'], security: 'unvalidated' },
        ],
      },
    ])
    expect(result.mxNames).toEqual([])
  })

  test('is asked for IPv4 only when the operator says so', () => {
    const { asked } = look('mail', [found('mail', 'A', [{ type: 'A', address: '10.0.0.1' }])], true)
    expect(asked).toEqual([[{ name: 'mail', type: 'A' }]])
  })

  test.each(['127.0.0.1', '[127.0.0.1]', '::1', '[::1]'])('%s is taken as it is', text => {
    const { result, asked } = look(text, [])
    expect(result.hosts[0]?.addresses.map(({ address }) => address)).toEqual([text.replace(/[[\]]/g, '')])
    expect(asked).toEqual([])
  })

  test.each<[string, readonly DnsAnswer[], string]>([
    ['does not exist', [noSuchName('mail', 'A'), noSuchName('mail', 'AAAA')], 'dns.no-such-domain'],
    ['has no address', addresses('mail', []), 'dns.host-without-address'],
    [
      'has an answer in no family, and a failure in one',
      [noData('mail', 'A'), lookupFailed('mail', 'AAAA')],
      'dns.lookup-failed',
    ],
  ])('that %s is a failure', (_, answers, reason) =>
    expect(look('mail', answers).result.failure?.reason).toBe(reason),
  )

  test('with a name that is none is a failure', () =>
    expect(look('a b', []).result.failure?.reason).toBe('dns.name-invalid'))
})

test('whatever a zone says, there is a host or a failure, every address may be connected to, and nothing is thrown', () => {
  const host = fc.constantFrom('a.example', 'b.example', 'relay.us.example', '', '192.0.2.1', '*')
  const address = fc.constantFrom('192.0.2.1', '127.0.0.1', '198.51.100.1', '2001:db8::1', '::1')
  const zone = fc.record({
    domain: fc.oneof(
      fc.constantFrom(
        noData('example.org', 'MX'),
        noSuchName('example.org', 'MX'),
        lookupFailed('example.org', 'MX'),
      ),
      fc.array(fc.tuple(fc.nat(3), host), { minLength: 1, maxLength: 6 }).map(list => mx('example.org', ...list)),
    ),
    hosts: fc.tuple(
      ...['a.example', 'b.example', 'relay.us.example', 'example.org'].map(name =>
        fc.oneof(
          fc.array(address, { maxLength: 3 }).map(list => addresses(name, list)),
          fc.constant([lookupFailed(name, 'A'), lookupFailed(name, 'AAAA')]),
          fc.constant([noSuchName(name, 'A'), noSuchName(name, 'AAAA')]),
        ),
      ),
    ),
  })
  fc.assert(
    fc.property(zone, ({ domain, hosts }) => {
      const { result } = walk('example.org', [domain, ...hosts.flat()])
      expect(result.hosts.length === 0).toBe(result.failure !== null)
      const used = result.hosts.flatMap(each => each.addresses.map(({ address: text }) => text))
      expect(used.every(input.mayConnect)).toBe(true)
      expect(used).not.toContain('198.51.100.1')
      expect(result.hosts.every(each => each.addresses.length > 0)).toBe(true)
    }),
  )
})
