import { describe, expect, test } from 'vitest'
import type { Hop } from '../../hop/types.ts'
import type { Path } from '../../protocol/mail/address.ts'
import type { RouteRule } from '../settings.ts'
import { createRouting } from './routing.ts'

const path = (text: string): Path => {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1), text }
}

const host: RouteRule['to'] = {
  kind: 'host',
  hosts: [{ name: 'smart.example', port: 25 }],
  implicitTls: false,
  ipv4Only: false,
  roots: null,
}

function rule(name: string, match: Partial<RouteRule['match']>, to: RouteRule['to'] = host): RouteRule {
  return { name, match: { recipient: null, sender: null, source: null, mx: null, ...match }, to, level: 'verify' }
}

/** A DNS that knows the MX hosts of some domains, and counts what it is asked. */
function dns(known: Readonly<Record<string, readonly string[] | 'fails' | 'no-such-domain'>> = {}) {
  const asked: string[] = []
  const hop: Pick<Hop, 'mxNames'> = {
    mxNames: domain => {
      asked.push(domain)
      const found = known[domain] ?? 'no-such-domain'
      const failed = (reason: 'dns.lookup-failed' | 'dns.no-such-domain') =>
        Promise.resolve({ names: [], failure: { reason, detail: null, reply: null }, dns: [] })
      if (found === 'fails') return failed('dns.lookup-failed')
      if (found === 'no-such-domain') return failed('dns.no-such-domain')
      return Promise.resolve({ names: found, failure: null, dns: [] })
    },
  }
  return { hop, asked }
}

const input = (recipient: string, more: { sender?: string | null; source?: string | null } = {}) => ({
  recipient: path(recipient),
  sender: more.sender === null ? null : path(more.sender ?? 'from@sender.example'),
  source: more.source ?? null,
})

describe('routing', () => {
  test('without any rule mail goes to the MX hosts of the domain, by TLSA records where there are some', async () => {
    const decision = await createRouting([], dns()).decide(input('a@example.org'))
    expect(decision).toMatchObject({
      kind: 'deliver',
      rule: { name: 'default' },
      destination: { kind: 'mx', domain: 'example.org', level: 'dane' },
      passed: [],
    })
  })

  test('an address literal is its own destination', async () => {
    const decision = await createRouting([], dns()).decide(input('a@[192.0.2.1]'))
    expect(decision).toMatchObject({ destination: { kind: 'mx', domain: '[192.0.2.1]' } })
  })

  test('the first rule that fits wins, also when a later one fits better', async () => {
    const routing = createRouting(
      [rule('one', { recipient: ['.example.org'] }), rule('two', { recipient: ['mx.example.org'] })],
      dns(),
    )
    expect((await routing.decide(input('a@mx.example.org'))).rule.name).toBe('one')
  })

  test('all conditions of a rule must hold', async () => {
    const routing = createRouting(
      [rule('all', { recipient: ['example.org'], sender: ['sender.example'], source: ['192.0.2.0/24'] })],
      dns(),
    )
    const named = async (...of: Parameters<typeof input>) => (await routing.decide(input(...of))).rule.name
    expect(await named('a@example.org', { source: '192.0.2.9' })).toBe('all')
    expect(await named('a@example.net', { source: '192.0.2.9' })).toBe('default')
    expect(await named('a@example.org', { source: '192.0.3.9' })).toBe('default')
    expect(await named('a@example.org', { source: null })).toBe('default')
    expect(await named('a@example.org', { source: '192.0.2.9', sender: null })).toBe('default')
  })

  test('a rule that rejects gives its reply', async () => {
    const to = { kind: 'reject', code: 550, enhanced: '5.7.1', text: 'No mail for robots' } as const
    const decision = await createRouting([rule('no', {}, to)], dns()).decide(input('a@example.org'))
    expect(decision).toMatchObject({ kind: 'reject', reply: { code: 550, lines: ['No mail for robots'] } })
  })

  test('decisions of one host rule share one destination', async () => {
    const routing = createRouting([rule('smart', {})], dns())
    const [one, two] = [await routing.decide(input('a@a.example')), await routing.decide(input('b@b.example'))]
    expect(one.kind === 'deliver' && two.kind === 'deliver' && one.destination === two.destination).toBe(true)
  })

  test('rules that did not match are told with the condition that failed, harmless to a terminal', async () => {
    const routing = createRouting(
      [
        rule('r', { recipient: ['other.example'] }),
        rule('s', { sender: ['<>'] }),
        rule('n', { source: ['192.0.2.0/24'] }),
        rule('m', { mx: ['*.smallkey.example'] }),
      ],
      dns({ 'example.org': ['mx1.example.org', 'mx2.example.org'] }),
    )
    const { passed } = await routing.decide(input('a\x1b[31m@example.org', { source: '198.51.100.1' }))
    expect(passed.map(({ rule, because }) => `${rule}: ${because}`)).toEqual([
      'r: the recipient a\\x1b[31m@example.org is not in other.example',
      's: the sender from@sender.example is not in <>',
      'n: the client 198.51.100.1 is not in 192.0.2.0/24',
      'm: no MX host of example.org (mx1.example.org, mx2.example.org) is in *.smallkey.example',
    ])
  })

  test.each<[string, Partial<RouteRule['match']>, boolean]>([
    ['whose recipients hold, but not its sender', { recipient: ['.example.org'], sender: ['<>'] }, true],
    ['whose client holds, but not its recipients', { source: ['198.51.100.0/24'], recipient: [] }, true],
    ['for another mailbox of the domain', { recipient: ['b@example.org'] }, true],
    ['for a name above', { recipient: ['x.example', 'org'] }, true],
    ['for names below', { recipient: ['*.sub.example.org'] }, true],
    ['for another domain', { recipient: ['other.example', 'anexample.org'] }, false],
    ['for the null sender', { sender: ['<>'] }, false],
    ['for other clients', { source: ['192.0.2.0/24'] }, false],
  ])('a rule %s: whether it nearly matched is told', async (_, match, isNear) => {
    const { passed } = await createRouting([rule('r', match)], dns({})).decide(
      input('a@example.org', { source: '198.51.100.1' }),
    )
    expect(passed).toMatchObject([{ rule: 'r', isNear }])
  })
})

describe('a rule on MX hosts (case 4)', () => {
  const smallKey = rule('smallkey', { mx: ['oldserver.example.com', 'mx2.example.org'] })

  test('fits when any MX host of the domain is in it, in any case', async () => {
    const routing = createRouting([smallKey], dns({ 'example.org': ['mx1.example.org', 'MX2.example.org'] }))
    expect((await routing.decide(input('a@example.org'))).rule.name).toBe('smallkey')
  })

  test('does not fit a domain with other MX hosts, without any, or without existence', async () => {
    const routing = createRouting([smallKey], dns({ 'example.net': ['mx.example.net'], 'example.com': [] }))
    for (const domain of ['example.net', 'example.com', 'nowhere.example'])
      expect((await routing.decide(input(`a@${domain}`))).rule.name).toBe('default')
  })

  test('defers when the DNS does not answer, and never takes the next rule', async () => {
    const routing = createRouting([smallKey, rule('all', {})], dns({ 'example.org': 'fails' }))
    expect(await routing.decide(input('a@example.org'))).toMatchObject({
      kind: 'defer',
      rule: { name: 'smallkey' },
      failure: { reason: 'dns.lookup-failed' },
    })
  })

  test('asks the DNS only when its other conditions hold, and once for several rules', async () => {
    const world = dns({ 'example.org': ['mx.example.org'] })
    const routing = createRouting(
      [
        rule('one', { mx: ['x.example'], sender: ['<>'] }),
        rule('two', { mx: ['y.example'] }),
        rule('three', { mx: ['z.example'] }),
      ],
      world,
    )
    await routing.decide(input('a@example.org'))
    expect(world.asked).toEqual(['example.org'])
    const early = dns()
    await createRouting([rule('first', {}), smallKey], early).decide(input('a@example.org'))
    expect(early.asked).toEqual([])
  })

  test('never asks for an address literal, and does not fit it', async () => {
    const world = dns()
    expect((await createRouting([smallKey], world).decide(input('a@[192.0.2.1]'))).rule.name).toBe('default')
    expect(world.asked).toEqual([])
  })
})

test('many rules are looked up, and decide as if they were tried in turn', async () => {
  const rules = Array.from({ length: 200 }, (_, i) => {
    const patterns = [`d${i}.example`, `*.below${i}.example`, `.both${i}.example`, `user@box${i % 7}.example`]
    return rule(`rule ${i}`, { recipient: i % 50 === 49 ? null : patterns, sender: i % 3 === 0 ? ['<>'] : null })
  })
  const many = createRouting(rules, dns())
  const addresses = [
    'a@d7.example',
    'a@x.below8.example',
    'a@both9.example',
    'a@x.both10.example',
    'user@box3.example',
  ]
  for (const address of [...addresses, 'a@nowhere.example', 'a@[192.0.2.1]'])
    for (const sender of [null, 'x@y.example']) {
      const asked = input(address, { sender })
      let expected = 'default'
      for (const each of rules) {
        const alone = await createRouting([each], dns()).decide(asked)
        if (alone.rule.name === 'default') continue
        expected = each.name
        break
      }
      const decision = await many.decide(asked)
      expect(decision.rule.name, `${address} from ${sender}`).toBe(expected)
      expect(decision.passed.length).toBe(rules.findIndex(({ name }) => name === expected))
    }
})
