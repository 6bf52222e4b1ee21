import { describe, expect, test } from 'vitest'
import { strangeTlsa, tlsaOf } from '../lab/tlsa-of.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import type { Failure, ReasonCode } from './failure.ts'
import { planOf, type Shown, visitAtMs, visitedAddress } from './testing/tlsa-visits.ts'
import { chainLabel, exitCodeOfCheck, isNobodyReached, tlsaCheck, type VisitedAddress } from './tlsa-check.ts'
import { tlsaCheckText } from './tlsa-check-text.ts'

const host = 'mx.example.org'
const root = await createAuthority({ commonName: 'Root' })
const [ecdsa, rsa] = await Promise.all([root.leaf({ names: [host] }), root.leaf({ names: [host], key: 'rsa' })])
const forEcdsa = tlsaOf('3 1 1', ecdsa.certificate)
const forRsa = tlsaOf('3 1 1', rsa.certificate)
const stranger = strangeTlsa('3 1 1')
const failure = (reason: ReasonCode, detail: string | null = null): Failure => ({ reason, detail, reply: null })
const noSuchChain = failure('tls.alert', 'alert handshake_failure')
const down = failure('net.refused')

const at = (records: readonly string[], shown: readonly Shown[], name = host) =>
  visitedAddress(name, planOf(name, records), shown)

function checked(addresses: readonly VisitedAddress[], left = 0) {
  return tlsaCheck({
    domain: 'example.org',
    as: 'domain',
    port: 25,
    atMs: visitAtMs,
    addresses,
    skipped: Array.from({ length: left }, () => ({
      host: 'left.example.org',
      address: null,
      failure: failure('dane.lookup-failed', 'SERVFAIL'),
    })),
    failure: null,
    dns: [],
  })
}

describe('an address', () => {
  test.each<[string, readonly string[], readonly Shown[], string, string, RegExp]>([
    [
      'with its one chain proved',
      [forEcdsa],
      [
        ['any', ecdsa.chain],
        ['rsa', noSuchChain],
      ],
      'proved',
      'pass',
      /^Authenticated: chain A by record 0 \(dane-ee\)\.$/,
    ],
    [
      'with both chains proved',
      [forEcdsa, forRsa],
      [
        ['any', ecdsa.chain],
        ['rsa', rsa.chain],
      ],
      'proved',
      'pass',
      /chain A by record 0 .*, chain B by record 1/,
    ],
    [
      'whose RSA chain nobody named',
      [forEcdsa],
      [
        ['any', ecdsa.chain],
        ['rsa', rsa.chain],
      ],
      'partly',
      'partly',
      /but not with chain B, which some senders get/,
    ],
    [
      // It is the first one that the relay gets, so that mail waits, whatever others get.
      'whose first chain nobody named',
      [forRsa],
      [
        ['any', ecdsa.chain],
        ['rsa', rsa.chain],
      ],
      'partly',
      'fail',
      /Authenticated with chain B by record 0 \(dane-ee\), but not with chain A/,
    ],
    [
      'whose other chain could not be seen',
      [forEcdsa],
      [
        ['any', ecdsa.chain],
        ['rsa', failure('smtp.timeout')],
      ],
      'partly',
      'partly',
      /whether there is an RSA chain could not be seen/,
    ],
    [
      'that shows the same chain both times',
      [forEcdsa],
      [
        ['any', ecdsa.chain],
        ['rsa', ecdsa.chain],
      ],
      'proved',
      'pass',
      /^Authenticated: chain A/,
    ],
    ['that no record names', [stranger], [['any', ecdsa.chain]], 'refused', 'fail', /no record proves chain A/],
    ['without STARTTLS', [forEcdsa], [['any', failure('dane.no-starttls')]], 'refused', 'fail', /STARTTLS/],
    ['that refuses it', [forEcdsa], [['any', failure('starttls.refused')]], 'refused', 'fail', /STARTTLS/],
    [
      'where no handshake came about',
      [forEcdsa],
      [
        ['any', noSuchChain],
        ['rsa', noSuchChain],
      ],
      'refused',
      'fail',
      /./,
    ],
    [
      'whose records none can use',
      ['1 1 1 00'],
      [['any', ecdsa.chain]],
      'encrypted',
      'fail',
      /no record can be used/,
    ],
    ['without records', [], [['any', ecdsa.chain]], 'no-records', 'fail', /there are no records to go by/],
    ['that is down', [forEcdsa], [['any', down]], 'unseen', 'fail', /./],
    ['there was no time for', [forEcdsa], [], 'unseen', 'fail', /./],
  ])('%s', (_, records, shown, verdict, whole, says) => {
    const document = checked([at(records, shown)])
    const [address] = document.hosts[0]?.addresses ?? []
    expect(address?.verdict).toBe(verdict)
    expect(address?.says).toMatch(says)
    expect(document.verdict).toBe(whole)
  })

  test('whose first chain nobody named lets no mail of the relay in, and is told which record does', () => {
    const two: readonly Shown[] = [
      ['any', ecdsa.chain],
      ['rsa', rsa.chain],
    ]
    const document = checked([at([forRsa], two)])
    expect(document.hosts[0]?.addresses[0]?.mail).toBe('waits')
    expect(document.says).toContain(
      'waits, at senders that go by DANE: its only address shows a chain that no record',
    )
    expect(document.says).toContain('to others that choose as it does, such as Postfix')
    const owner = `_25._tcp.${host}. IN TLSA`
    const [first, second] = document.hosts[0]?.chains ?? []
    expect([first?.publish, second?.publish]).toEqual([[`${owner} ${forEcdsa}`], []])
    expect(first?.findings[0]?.remedy).toContain('publish the record below beside those that are there')
    const page = tlsaCheckText(document)
    expect(page).toContain('To be published beside what is there, if chain A is of this host:')
    expect(page.replaceAll(/ \(\n {4}([0-9a-f]+) \)/g, ' $1')).toContain(`\n${owner} ${forEcdsa}`)
  })

  test('is told nothing to publish where no chain is proved: it could be a stranger who shows it', () => {
    const document = checked([at([stranger], [['any', ecdsa.chain]])])
    expect(document.hosts[0]?.chains.map(({ publish }) => publish)).toEqual([[]])
  })

  test('tells for every second visit what came of it', () => {
    const outcomes = (shown: readonly Shown[]) =>
      checked([at([forEcdsa], shown)]).hosts[0]?.addresses[0]?.visits.map(({ outcome }) => outcome)
    expect(
      outcomes([
        ['any', ecdsa.chain],
        ['rsa', rsa.chain],
      ]),
    ).toEqual(['shown', 'shown'])
    expect(
      outcomes([
        ['any', ecdsa.chain],
        ['rsa', ecdsa.chain],
      ]),
    ).toEqual(['shown', 'same'])
    expect(
      outcomes([
        ['any', ecdsa.chain],
        ['rsa', noSuchChain],
      ]),
    ).toEqual(['shown', 'none'])
    expect(
      outcomes([
        ['any', ecdsa.chain],
        ['rsa', failure('tls.timeout')],
      ]),
    ).toEqual(['shown', 'unseen'])
    expect(
      outcomes([
        ['any', noSuchChain],
        ['rsa', noSuchChain],
      ]),
    ).toEqual(['unseen', 'unseen'])
  })
})

describe('a domain', () => {
  const good = at([forEcdsa], [['any', ecdsa.chain]])
  const bad = at([stranger], [['any', ecdsa.chain]], 'mx2.example.org')
  const without = at([], [['any', ecdsa.chain]], 'mx3.example.org')
  const dead = at([forEcdsa], [['any', down]], 'mx4.example.org')

  test.each<[string, readonly VisitedAddress[], number, 0 | 1 | 2, string]>([
    ['where all is well', [good], 0, 0, 'authenticated by DANE wherever it goes: 1 host with 1 address'],
    ['with a host that is refused', [good, bad], 0, 2, 'has a way, but 1 address is refused'],
    ['with a host without records', [good, without], 0, 2, '1 address has no TLSA records to go by'],
    ['with a host that is down', [good, dead], 0, 2, '1 address could not be visited'],
    ['with a host that is left out', [good], 1, 2, '1 host or address is left out'],
    [
      'where some are refused, and the others owe nothing',
      [bad, without],
      0,
      2,
      'has a way, but 1 address is refused; 1 address',
    ],
    ['where all are refused', [bad], 0, 1, 'waits, at senders that go by DANE: its only address is refused'],
    ['without records anywhere', [without], 0, 1, 'Nothing authenticates the mail hosts of example.org'],
  ])('%s', (_, addresses, left, code, says) => {
    const document = checked(addresses, left)
    expect(exitCodeOfCheck(document)).toBe(code)
    expect(document.says).toContain(says)
  })

  test('whose MX records are not secure is proved in part at best', () => {
    const plan = planOf(host, [forEcdsa], { mx: 'insecure' })
    const document = checked([visitedAddress(host, plan, [['any', ecdsa.chain]])])
    expect(document.verdict).toBe('partly')
    expect(document.says).toContain('its MX records are not secure')
  })

  test('is one that nobody reached only if no connection came about at all', () => {
    expect(isNobodyReached(checked([dead]))).toBe(true)
    expect(isNobodyReached(checked([dead, good]))).toBe(false)
    expect(isNobodyReached(checked([at([forEcdsa], [['any', failure('smtp.timeout')]])]))).toBe(false)
    expect(isNobodyReached(checked([]))).toBe(false)
  })

  test('a chain at several addresses stands once, and records say what of it they name', () => {
    const plan = planOf(host, [stranger, forEcdsa])
    const shown: readonly Shown[] = [['any', ecdsa.chain]]
    const { hosts } = checked([
      visitedAddress(host, plan, shown),
      visitedAddress(host, plan, shown, '2001:db8::1'),
    ])
    expect(hosts).toHaveLength(1)
    expect(hosts[0]?.chains).toHaveLength(1)
    expect(hosts[0]?.addresses.map(({ address }) => address)).toEqual(['192.0.2.1', '2001:db8::1'])
    const records = hosts[0]?.tlsa.kind === 'records' ? hosts[0].tlsa.records : []
    expect(records.map(({ chains }) => chains.map(({ decides, matches }) => [decides, matches.length]))).toEqual([
      [[false, 0]],
      [[true, 1]],
    ])
  })
})

test('chains have letters, however many there are', () => {
  expect([0, 25, 26, 53].map(chainLabel)).toEqual(['A', 'Z', 'A1', 'B2'])
})

describe('the page', () => {
  test('keeps to 100 columns, whatever names and records there are', () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example`
    const many = Array.from({ length: 40 }, (_, index) => strangeTlsa('3 1 1', `${index}`))
    const text = tlsaCheckText(
      checked(
        [
          at(
            [...many, forRsa],
            [
              ['any', ecdsa.chain],
              ['rsa', rsa.chain],
            ],
            long,
          ),
        ],
        2,
      ),
    )
    expect(text.split('\n').filter(line => line.length > 100)).toEqual([])
    expect(text).toContain('more records; --json has them all')
    // Far behind the others, and the one that matters.
    expect(text).toMatch(/^ {2}> 40 .*decides for B$/m)
  })

  test('obeys nothing that stands in a certificate', async () => {
    const evil = await root.leaf({ commonName: 'x\u001b[31m\u202e', names: [host] })
    const text = tlsaCheckText(checked([at([tlsaOf('3 1 1', evil.certificate)], [['any', evil.chain]])]))
    expect(text).not.toMatch(/[\u001b\u202e]/)
  })

  test('marks which record decides for which chain', () => {
    const text = tlsaCheckText(
      checked([
        at(
          [forRsa, forEcdsa],
          [
            ['any', ecdsa.chain],
            ['rsa', rsa.chain],
          ],
        ),
      ]),
    )
    expect(text).toMatch(/^ {2}> 0 {2}3 1 1 \S+ +· +yes {3}decides for B$/m)
    expect(text).toMatch(/^ {2}> 1 {2}3 1 1 \S+ +yes +· {3}decides for A$/m)
  })
})
