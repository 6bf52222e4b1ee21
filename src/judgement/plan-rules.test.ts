import { describe, expect, test } from 'vitest'
import type { TlsaFound } from '../protocol/dane/discovery.ts'
import type { Tlsa } from '../protocol/dane/types.ts'
import type { DnsSecurity } from '../protocol/dns/answer.ts'
import { isAtLeast, literalAddress, type NextHop, planFor, unmetByDns } from './plan-rules.ts'

const route = { from: 'operator', implicitTls: false } as const

test.each([
  ['none', 'never', 'clear'],
  ['opportunistic', 'if-offered', 'clear'],
  ['encrypt', 'required', 'encrypted'],
  ['verify', 'required', 'pkix'],
] as const)('level %s: STARTTLS %s, and %s is the least acceptable', (level, starttls, peer) => {
  const plan = planFor({ ...route, level, host: 'mail.example' })
  expect(plan.starttls).toBe(starttls)
  expect(plan.least.peer).toBe(peer)
})

test('the operator’s name is verified and sent as SNI, in A-labels and lower case', () => {
  const plan = planFor({ ...route, level: 'verify', host: 'Mail.Dev.Example.' })
  expect(plan.references).toEqual([{ name: 'mail.dev.example', from: 'operator' }])
  expect(plan.sni).toBe('mail.dev.example')
  expect(plan.name).toBe('configured')
  expect(planFor({ ...route, level: 'verify', host: 'bücher.example' }).sni).toBe('xn--bcher-kva.example')
})

test('an MX name is verified as published, and counts as unauthenticated', () => {
  const plan = planFor({ level: 'verify', host: 'mx.example', from: 'mx-name', implicitTls: false })
  expect(plan.references).toEqual([{ name: 'mx.example', from: 'mx-name' }])
  expect(plan.name).toBe('unauthenticated')
  expect(plan.least.name).toBe('unauthenticated')
})

test('an address is a reference, but never an SNI', () => {
  const plan = planFor({ ...route, level: 'verify', host: '[IPv6:2001:DB8::1]' })
  expect(plan.references[0]?.name).toBe('2001:db8::1')
  expect(plan.sni).toBeNull()
})

test('with TLS from the first byte there is no STARTTLS and never clear text', () => {
  const plan = planFor({ level: 'opportunistic', host: 'mail.example', from: 'operator', implicitTls: true })
  expect(plan.starttls).toBe('never')
  expect(plan.least.peer).toBe('encrypted')
})

test('proofs have an order', () => {
  expect(isAtLeast('pkix', 'encrypted')).toBe(true)
  expect(isAtLeast('pkix', 'pkix')).toBe(true)
  expect(isAtLeast('encrypted', 'pkix')).toBe(false)
})

test('an address literal is its address', () => {
  expect(literalAddress('[192.0.2.1]')).toBe('192.0.2.1')
  expect(literalAddress('[IPv6:2001:DB8::1]')).toBe('2001:db8::1')
  expect(literalAddress('mx.example')).toBeNull()
})

describe('DANE', () => {
  const digest = (octet: number, length = 32) => new Uint8Array(length).fill(octet)
  const ee = { usage: 3, selector: 1, matchingType: 1, data: digest(1) }
  const stronger = { usage: 3, selector: 1, matchingType: 2, data: digest(2, 64) }
  const forPkix = { usage: 1, selector: 1, matchingType: 1, data: digest(3) }
  const records = (
    list: readonly Tlsa[],
    more: Partial<Extract<TlsaFound, { kind: 'records' }>> = {},
  ): Extract<TlsaFound, { kind: 'records' }> => ({
    kind: 'records',
    base: 'mx.example',
    from: 'host',
    owner: '_25._tcp.mx.example',
    aliases: [],
    records: list,
    ...more,
  })
  const none = { kind: 'none', because: 'absent', asked: ['_25._tcp.mx.example'] } as const
  const nextHop = (security: DnsSecurity, aliases: readonly string[] = []): NextHop => ({
    domain: 'Example.ORG',
    aliases,
    security,
  })
  const byMx = { host: 'mx.example', from: 'mx-name', implicitTls: false, nextHop: nextHop('secure') } as const

  test.each([
    ['records', records([ee]), 'required', 'dane-ta'],
    ['records that none can use', records([forPkix]), 'required', 'encrypted'],
    ['no records', none, 'if-offered', 'clear'],
  ] as const)('level dane with %s', (_, tlsa, starttls, peer) => {
    const plan = planFor({ ...byMx, level: 'dane', tlsa })
    expect(plan).toMatchObject({ starttls, least: { name: 'secure-mx', peer }, name: 'secure-mx' })
    expect(unmetByDns(plan)).toBeNull()
  })

  test('every record has its state: digest agility is settled in the plan', () => {
    const { dane } = planFor({ ...byMx, level: 'dane', tlsa: records([ee, stronger, forPkix]) })
    expect(dane?.kind === 'records' && dane.records.map(({ state }) => state)).toEqual([
      'shadowed',
      'counts',
      'unusable',
    ])
    expect(dane).toMatchObject({ asks: 'authenticate', base: 'mx.example', owner: '_25._tcp.mx.example' })
  })

  test('the names are the base and a securely named next hop with its expansion, and SNI is the base', () => {
    const plan = planFor({
      ...byMx,
      level: 'dane',
      nextHop: nextHop('secure', ['step.example', 'real.example']),
      tlsa: records([ee], { base: 'host.provider.example', from: 'expansion' }),
    })
    expect(plan.references).toEqual([
      { name: 'host.provider.example', from: 'secure-alias' },
      { name: 'example.org', from: 'recipient-domain' },
      { name: 'real.example', from: 'secure-alias' },
    ])
    expect(plan.sni).toBe('host.provider.example')
  })

  test('after an insecure MX the base is the only name, and the name axis says so', () => {
    const plan = planFor({ ...byMx, level: 'dane', nextHop: nextHop('insecure'), tlsa: records([ee]) })
    expect(plan.references).toEqual([{ name: 'mx.example', from: 'mx-name' }])
    expect(plan).toMatchObject({ name: 'unauthenticated', least: { peer: 'dane-ta' }, starttls: 'required' })
  })

  test('a configured host keeps its own name beside the base at the end of its alias', () => {
    const found = records([ee], { base: 'mail.example.net', from: 'expansion' })
    const plan = planFor({ ...route, level: 'dane', host: 'mail.dev.example', tlsa: found })
    expect(plan.references).toEqual([
      { name: 'mail.example.net', from: 'secure-alias' },
      { name: 'mail.dev.example', from: 'operator' },
    ])
    expect(plan).toMatchObject({ sni: 'mail.example.net', name: 'configured' })
  })

  test('a domain without MX records is its own host, and one name is listed once', () => {
    const plan = planFor({
      level: 'dane',
      host: 'example.org',
      from: 'recipient-domain',
      implicitTls: false,
      nextHop: nextHop('secure'),
      tlsa: records([ee], { base: 'example.org' }),
    })
    expect(plan.references).toEqual([{ name: 'example.org', from: 'recipient-domain' }])
  })

  test('without records names and SNI stay those of the host, whatever alias lies behind', () => {
    const plan = planFor({ ...byMx, level: 'dane', tlsa: none })
    expect(plan.references).toEqual([{ name: 'mx.example', from: 'mx-name' }])
    expect(plan.sni).toBe('mx.example')
  })

  test.each(['none', 'opportunistic', 'encrypt', 'verify'] as const)(
    'level %s takes no notice of records',
    level => {
      expect(planFor({ ...byMx, level, tlsa: records([ee]) }).dane).toBeNull()
    },
  )

  test.each([
    ['an insecure MX', nextHop('insecure'), records([ee]), 'dane.mx-insecure', null],
    ['no records', nextHop('secure'), none, 'dane.required', 'the host has no TLSA records'],
    ['records that none can use', nextHop('secure'), records([forPkix]), 'dane.required', 'no record can be used'],
    ['no search', nextHop('secure'), null, 'dane.required', 'no records were sought'],
    [
      'answers that nobody validates',
      nextHop('unvalidated'),
      { kind: 'none', because: 'dns-not-validated', asked: [] },
      'dns.validation-unavailable',
      null,
    ],
  ] as const)(
    'dane-only with %s refuses the host before anybody is connected to',
    (_, hop, tlsa, reason, detail) => {
      const plan = planFor({ ...byMx, level: 'dane-only', nextHop: hop, tlsa })
      expect(unmetByDns(plan)).toEqual({ reason, detail, reply: null })
      // Even if somebody went on with it, nothing weaker would do.
      expect(plan).toMatchObject({ starttls: 'required', least: { peer: 'dane-ta' } })
    },
  )

  test('dane-only with what it needs', () => {
    const plan = planFor({ ...byMx, level: 'dane-only', tlsa: records([ee]) })
    expect(unmetByDns(plan)).toBeNull()
    expect(plan.least.peer).toBe('dane-ta')
  })

  test('a large set is made ready once, for however many addresses', () => {
    const set = Array.from({ length: 1_000 }, (_, i) => ({ ...ee, data: digest(i % 256) }))
    const plans = Array.from({ length: 200 }, () => planFor({ ...byMx, level: 'dane', tlsa: records(set) }))
    const ready = new Set(plans.map(({ dane }) => (dane?.kind === 'records' ? dane.records : null)))
    expect(ready.size).toBe(1)
  })

  test.each(['x'.repeat(64), `${'long.'.repeat(60)}example`, 'a\\000b.example'])(
    'what cannot be a host name is no SNI: %s',
    base => {
      expect(planFor({ ...byMx, level: 'dane', tlsa: records([ee], { base }) }).sni).toBeNull()
    },
  )

  test('TLS from the first byte is held to the records as well', () => {
    const plan = planFor({ ...route, level: 'dane', host: 'mail.example', implicitTls: true, tlsa: records([ee]) })
    expect(plan).toMatchObject({ starttls: 'never', least: { peer: 'dane-ta' } })
  })
})
