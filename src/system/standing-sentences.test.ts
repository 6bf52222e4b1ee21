/** What operators read, word by word: each sentence stands alone in a log, and says what follows for mail and who must act. */
import { describe, expect, test } from 'vitest'
import { type StandingFacts, standingSentences } from './standing-sentences.ts'
import type { ServerFinding } from './validation-standing.ts'

function found(proof: ServerFinding['proof'], rest: Partial<ServerFinding> = {}): ServerFinding {
  return { server: '192.0.2.53:53', isThere: true, unproven: null, proof, tcp: 'works', clock: 'sane', ...rest }
}
const says = (facts: Partial<StandingFacts>) =>
  standingSentences({
    trust: 'validate',
    validation: 'works',
    found: [found('arrives')],
    workedAtMs: Date.UTC(2026, 0, 15, 12),
    ...facts,
  })
const second = { server: '[2001:db8::53]:5353' }
const silent = found('unknown', { isThere: false, tcp: 'unknown', clock: 'unknown' })

test('when all is well nothing is said, nor of a silent server beside one that will do', () => {
  expect(says({})).toEqual([])
  expect(says({ found: [silent, found('arrives', second)] })).toEqual([])
})

describe('signatures', () => {
  test.each<[StandingFacts['validation'], readonly ServerFinding[], string]>([
    [
      'unavailable',
      [found('missing')],
      'The resolver 192.0.2.53 strips DNSSEC signatures: TLSA records cannot be trusted, so mail goes on without DANE. Use another resolver, or run unbound on this machine; dns.require: true makes mail wait instead.',
    ],
    [
      'unavailable',
      [found('missing'), found('missing', second)],
      'The resolvers 192.0.2.53 and [2001:db8::53]:5353 strip DNSSEC signatures: TLSA records cannot be trusted, so mail goes on without DANE. Use another resolver, or run unbound on this machine; dns.require: true makes mail wait instead.',
    ],
    [
      'required',
      [found('missing')],
      'The resolver 192.0.2.53 strips DNSSEC signatures: TLSA records cannot be trusted, and mail waits, as dns.require says. Use another resolver, or run unbound on this machine.',
    ],
    [
      'lost',
      [found('missing')],
      'The resolver 192.0.2.53 strips DNSSEC signatures, and did not on 2026-01-15: somebody on the way may do that to get around DANE, so mail waits. Find out what has changed, use another resolver, or run unbound on this machine; dns.trust: none lets mail go on without DANE.',
    ],
    [
      'works',
      [found('missing'), found('arrives', second)],
      'The resolver 192.0.2.53 strips DNSSEC signatures, and is asked only when the others do not answer. Name another in its place.',
    ],
    [
      'unknown',
      [found('unknown'), silent],
      'The resolver 192.0.2.53 sends no keys of the root that the trust anchors vouch for: nothing can be validated, and mail waits. Use another resolver; if the root is one of your own, name a file with its keys in dns.anchors.',
    ],
    [
      'unknown',
      [silent],
      'The resolver 192.0.2.53 does not answer, and mail waits. Check the network, and the addresses of the resolvers.',
    ],
  ])('%s %#', (validation, all, sentence) => {
    expect(says({ validation, found: all })).toEqual([sentence])
  })
})

describe('their word', () => {
  test.each<[StandingFacts['validation'], readonly ServerFinding[], string]>([
    [
      'unavailable',
      [found('missing')],
      'The resolver 192.0.2.53 does not validate (the answer for the root came without AD), so mail goes on without DANE. Run a resolver that validates on this machine, or set dns.trust: validate; dns.require: true makes mail wait instead.',
    ],
    [
      'unavailable',
      [found('not-believed')],
      'The resolver 192.0.2.53 is not on this machine, and anybody on the way could say that an answer is secure, so mail goes on without DANE. Run a resolver that validates on this machine, or set dns.trust: validate.',
    ],
    [
      'required',
      [found('missing')],
      'The resolver 192.0.2.53 does not validate (the answer for the root came without AD), and mail waits, as dns.require says. Run a resolver that validates on this machine, or set dns.trust: validate.',
    ],
    [
      'lost',
      [found('missing')],
      'The resolver 192.0.2.53 does not validate (the answer for the root came without AD), and did on 2026-01-15, so mail waits. Turn validation on again, or set dns.trust: validate; dns.trust: none lets mail go on without DANE.',
    ],
    [
      'works',
      [found('arrives'), found('not-believed', second)],
      'The resolver [2001:db8::53]:5353 is not on this machine, and anybody on the way could say that an answer is secure, so it is not asked. Take it out of dns.servers, or set dns.trust: validate.',
    ],
    [
      'works',
      [found('arrives'), found('missing', second)],
      'The resolver [2001:db8::53]:5353 does not validate (the answer for the root came without AD), and is not asked. Turn validation on in it, or name another.',
    ],
    [
      'unknown',
      [found('unknown')],
      'The resolver 192.0.2.53 fails when asked for the root, and mail waits. Look at its log.',
    ],
    [
      'unknown',
      [silent, { ...silent, ...second }],
      'The resolvers 192.0.2.53 and [2001:db8::53]:5353 do not answer, and mail waits. Check the network, and the addresses of the resolvers.',
    ],
  ])('%s %#', (validation, all, sentence) => {
    expect(says({ trust: 'ad', validation, found: all })).toEqual([sentence])
  })
})

describe('signatures of the root that do not hold by the clock of this machine', () => {
  test.each<[ServerFinding['clock'], RegExp]>([
    ['ahead', /^The signatures that the resolver 192\.0\.2\.53 sends .* ahead.* mail waits\. Set the clock; if/],
    ['behind', /^The signatures that the resolver 192\.0\.2\.53 sends .* behind.* mail waits\. Set the clock\.$/],
  ])('make mail wait: %s', (clock, sentence) => {
    expect(says({ validation: 'mistimed', found: [found('arrives', { clock })] })).toEqual([
      expect.stringMatching(sentence),
    ])
  })

  test('come first', () => {
    const all = [found('missing', second), found('arrives', { clock: 'ahead' })]
    expect(says({ validation: 'mistimed', found: all })).toEqual([
      expect.stringContaining('have ended'),
      expect.stringContaining('strips'),
    ])
  })

  test.each<[ServerFinding['clock'], string]>([
    [
      'ahead',
      'The signatures that the resolver [2001:db8::53]:5353 sends for the root have ended, and those of others hold: what is sent is old, and not used. Name another in its place.',
    ],
    [
      'behind',
      'The signatures that the resolver [2001:db8::53]:5353 sends for the root have not begun, and those of others hold: the clock of this machine may be behind. Set the clock.',
    ],
  ])('are no matter of waiting where those of another server hold: %s', (clock, sentence) => {
    expect(says({ found: [found('arrives'), found('arrives', { ...second, clock })] })).toEqual([sentence])
  })
})

describe('whatever else is in the way', () => {
  test.each<[Partial<ServerFinding>, RegExp]>([
    [{ tcp: 'fails' }, /^The resolver 192\.0\.2\.53 answers over UDP and not over TCP: .* Allow TCP to port 53/],
  ])('%j', (rest, sentence) => {
    expect(says({ found: [found('arrives', rest)] })).toEqual([expect.stringMatching(sentence)])
  })
})

describe('servers over TLS that do not prove their names', () => {
  const unproven = (server: string) =>
    found('unknown', {
      server,
      isThere: false,
      unproven: 'the certificate of 192.0.2.53 does not prove dns.example: x509.expired, CN=dns.example',
      tcp: 'unknown',
      clock: 'unknown',
    })
  const advice =
    'If its certificate is from an authority of your own, name its root in dns.tls_roots; else look for who is in between.'
  const why = 'the certificate of 192.0.2.53 does not prove dns.example: x509.expired, CN=dns.example'

  test.each(['validate', 'ad'] as const)('make mail wait where there is no other, with trust %s', trust => {
    const facts = { trust, validation: 'unknown', found: [unproven('tls://192.0.2.53:853#dns.example')] } as const
    expect(says(facts)).toEqual([
      `The resolver tls://192.0.2.53#dns.example is asked nothing, and mail waits: ${why}. ${advice}`,
    ])
  })

  test('are told beside others that do not answer', () => {
    expect(
      says({ validation: 'unknown', found: [silent, unproven('tls://[2001:db8::53]:8853#dns.example')] }),
    ).toEqual([
      expect.stringMatching(/^The resolver 192\.0\.2\.53 does not answer/),
      expect.stringMatching(/^The resolver tls:\/\/\[2001:db8::53\]:8853#dns\.example is asked nothing, and mail/),
    ])
  })

  test('are told beside one that works, and nothing waits for them', () => {
    expect(says({ found: [found('arrives'), unproven('tls://192.0.2.53:853#dns.example')] })).toEqual([
      `The resolver tls://192.0.2.53#dns.example is asked nothing: ${why}. ${advice}`,
    ])
  })
})
