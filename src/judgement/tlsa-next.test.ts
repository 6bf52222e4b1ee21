import { describe, expect, test } from 'vitest'
import { strangeTlsa, type TlsaNumbers, tlsaOf } from '../lab/tlsa-of.ts'
import { readChain } from '../protocol/x509/pem.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import { planOf, type Shown, visitAtMs, visitedAddress } from './testing/tlsa-visits.ts'
import { nextCertificate } from './tlsa-next.ts'

const host = 'mx.example.org'
const owner = `_25._tcp.${host}.`
const root = await createAuthority({ commonName: 'Root' })
const [r3, r4] = await Promise.all([
  root.intermediate({ commonName: 'R3' }),
  root.intermediate({ commonName: 'R4' }),
])
const [ecdsa, rsa, next, nextRsa, byOther, elsewhere, later, nameless] = await Promise.all([
  r3.leaf({ names: [host] }),
  r3.leaf({ names: [host], key: 'rsa' }),
  r3.leaf({ names: [host] }),
  r3.leaf({ names: [host], key: 'rsa' }),
  r4.leaf({ names: [host] }),
  r3.leaf({ names: ['other.example.org'] }),
  r3.leaf({ names: [host], notBeforeMs: visitAtMs + 86_400_000 }),
  r3.leaf({ names: [] }),
])
const of = (numbers: TlsaNumbers, { certificate }: { readonly certificate: string }) =>
  tlsaOf(numbers, certificate)
const line = (record: string) => `${owner} IN TLSA ${record}`
const old = strangeTlsa('3 1 1', 'old')

function coming(records: readonly string[], shown: readonly Shown[], file: string) {
  const addresses = [visitedAddress(host, planOf(host, records), shown)]
  const document = nextCertificate({
    addresses,
    leftOut: [],
    next: readChain(file),
    atMs: visitAtMs,
    ttlOf: () => 3_600,
  })
  const [at] = document.hosts
  if (at === undefined) throw new Error('no host')
  return at
}

const one: readonly Shown[] = [['any', ecdsa.chain]]
const both: readonly Shown[] = [
  ['any', ecdsa.chain],
  ['rsa', rsa.chain],
]

describe('for a renewal hook, all of it comes to one word:', () => {
  const whole = (records: readonly string[], file: string, leftOut: readonly string[] = []) => {
    const addresses = [visitedAddress(host, planOf(host, records), one)]
    return nextCertificate({ addresses, leftOut, next: readChain(file), atMs: visitAtMs, ttlOf: () => null })
  }

  test.each<[string, string, readonly string[], string, readonly string[], string]>([
    ['ready', 'the issuer is named', [of('2 1 1', r3)], next.chain, [], 'Nothing breaks'],
    ['ready', 'no record asks for proof', [], next.chain, [], 'Nothing breaks'],
    [
      'publish-first',
      'the key is named',
      [of('3 1 1', ecdsa)],
      next.chain,
      [],
      `Mail to ${host} waits when the next certificate comes, unless records are published before.`,
    ],
    [
      'publish-first',
      'nothing is proved today',
      [old],
      next.chain,
      [],
      `Mail to ${host} waits today already, and also when the next certificate comes, unless`,
    ],
    [
      'unknown',
      'another host of its name could not be looked up',
      [of('2 1 1', r3)],
      nameless.chain,
      ['mx2.example.org'],
      'Nobody can tell',
    ],
    ['ready', 'a host of another name is left out', [of('2 1 1', r3)], next.chain, ['mx2.example.org'], 'Nothing'],
    ['ready', 'one address of the host is left out', [of('2 1 1', r3)], next.chain, [host], 'Nothing breaks'],
  ])('%s, where %s', (verdict, _, records, file, leftOut, says) => {
    // Who has no name is proved by the key alone.
    const document = whole(file === nameless.chain ? [of('3 1 1', nameless)] : records, file, leftOut)
    expect(document.verdict).toBe(verdict)
    expect(document.says).toContain(says)
  })

  test('unknown, where there is no host at all', () => {
    const none = { addresses: [], leftOut: [], atMs: visitAtMs, ttlOf: () => null }
    expect(nextCertificate({ ...none, next: readChain(next.chain) })).toMatchObject({
      verdict: 'unknown',
      says: 'Nobody can tell what the next certificate breaks, as no host is known.',
    })
  })
})

describe('the next certificate', () => {
  test.each<[string, readonly string[], readonly Shown[], string, readonly string[], readonly string[]]>([
    [
      'with a key of its own needs a record before, and the old one goes after',
      [of('3 1 1', ecdsa)],
      one,
      next.chain,
      [of('3 1 1', next)],
      [of('3 1 1', ecdsa)],
    ],
    [
      'needs every digest that the old one has, lest a stronger one put it in the shadow',
      [of('3 1 1', ecdsa), of('3 1 2', ecdsa)],
      one,
      next.chain,
      [of('3 1 1', next), of('3 1 2', next)],
      [of('3 1 1', ecdsa), of('3 1 2', ecdsa)],
    ],
    [
      'of another issuer needs a record for that one, where issuers are named',
      [of('2 1 1', r3)],
      one,
      byOther.chain,
      [of('2 1 1', r4)],
      [of('2 1 1', r3)],
    ],
    [
      'for another name cannot be proved by its issuer, and gets a record of its own',
      [of('2 1 1', r3)],
      one,
      nameless.chain,
      [of('3 1 1', nameless)],
      [],
    ],
    [
      'takes the place of the chain with its kind of key, and leaves the other its record',
      [of('3 1 1', ecdsa), of('3 1 1', rsa)],
      both,
      nextRsa.chain,
      [of('3 1 1', nextRsa)],
      [of('3 1 1', rsa)],
    ],
    [
      'that replaces one nobody was proved by needs a record all the same',
      [old],
      one,
      next.chain,
      [of('3 1 1', next)],
      [],
    ],
  ])('%s', (_, records, shown, file, publish, remove) => {
    const at = coming(records, shown, file)
    expect(at).toMatchObject({ verdict: records[0] === old ? 'still-broken' : 'breaks', waitSeconds: 7_200 })
    expect(at.publish).toEqual(publish.map(line))
    expect(at.remove).toEqual(remove.map(line))
    expect(at.says).toContain('7200 s, twice the TTL of the records, before the server shows it')
    // Nothing is broken by what comes that is not whole today.
    expect(at.says.startsWith('The next certificate breaks')).toBe(records[0] !== old)
  })

  test.each<[string, readonly string[], readonly Shown[], string, readonly string[]]>([
    ['of the same issuer changes nothing where that one is named', [of('2 1 1', r3)], one, next.chain, []],
    [
      'whose record is there already is ready, and the old one goes after',
      [of('3 1 1', ecdsa), of('3 1 1', next)],
      one,
      next.chain,
      [of('3 1 1', ecdsa)],
    ],
    ['with the same key is ready', [of('3 1 1', ecdsa)], one, ecdsa.chain, []],
    ['alone in its file is completed with the issuers of today', [of('2 1 1', r3)], one, next.certificate, []],
    ['that is not valid yet is judged as of when it is', [of('2 1 1', r3)], one, later.chain, []],
  ])('%s', (_, records, shown, file, remove) => {
    const at = coming(records, shown, file)
    expect(at).toMatchObject({ verdict: 'ready', publish: [], waitSeconds: null, finding: null })
    expect(at.remove).toEqual(remove.map(line))
  })

  test('leaves records alone that it cannot tell to be of no use', () => {
    const at = coming([of('3 1 1', ecdsa), of('2 1 1', r3), old], one, next.chain)
    expect(at.records.map(({ fate }) => fate)).toEqual(['goes-after', 'stays', 'useless'])
    expect(at.remove).toEqual([line(of('3 1 1', ecdsa))])
  })

  test('breaks nothing where no record asks for proof', () => {
    expect(coming([], one, next.chain)).toMatchObject({ verdict: 'not-asked', publish: [], owner: null })
    expect(coming(['1 1 1 00'], one, next.chain)).toMatchObject({ verdict: 'not-asked', publish: [] })
  })

  test('is told even of a host that could not be visited', () => {
    const at = coming(
      [of('3 1 1', ecdsa)],
      [['any', { reason: 'net.refused', detail: null, reply: null }]],
      next.chain,
    )
    expect(at).toMatchObject({ verdict: 'breaks', replaces: [], remove: [] })
    expect(at.publish).toEqual([line(of('3 1 1', next))])
  })

  test('is for the hosts whose names it carries, and for all when it carries none', () => {
    const addresses = [host, 'other.example.org'].map(name =>
      visitedAddress(name, planOf(name, [of('3 1 1', ecdsa)]), one),
    )
    const ask = (file: string) =>
      nextCertificate({ addresses, leftOut: [], next: readChain(file), atMs: visitAtMs, ttlOf: () => null })
    expect(ask(elsewhere.chain).hosts.map(at => at.host)).toEqual(['other.example.org'])
    expect(ask(elsewhere.chain).says).toContain('It carries the name of 1 of 2 hosts.')
    expect(ask(nameless.chain).hosts.map(at => at.host)).toEqual([host, 'other.example.org'])
    expect(ask(nameless.chain).hosts[0]).toMatchObject({ verdict: 'breaks', waitSeconds: null })
  })
})
