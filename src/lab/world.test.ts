/**
 * The world held against its scenarios without any relay: whether the zones are as secure as they are meant to be, and whether the records say of the
 * certificates what the scenarios expect. What differs afterwards is the relay's doing.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { isPublicSuffix } from '../judgement/public-suffix.ts'
import { judgeDane } from '../protocol/dane/judge.ts'
import { readTlsaRdata } from '../protocol/dane/tlsa.ts'
import { nameKey } from '../protocol/dns/name.ts'
import { typeName } from '../protocol/dns/numbers.ts'
import { readData } from '../protocol/dns/records.ts'
import { readAnchors } from '../protocol/dnssec/anchors.ts'
import { runValidation } from '../protocol/dnssec/testing/validating.ts'
import type { ValidatedAnswer } from '../protocol/dnssec/types.ts'
import { createZoneCache } from '../protocol/dnssec/zone-cache.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import { readChain } from '../protocol/x509/pem.ts'
import { startLab } from './lab.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { answersOf, createSignedWorld, type SignedWorld } from './signing/signed-world.ts'
import { scenariosPage } from './testing/scenarios-page.ts'
import { createWorld, type World } from './world.ts'

// Certificates are made for the day of the test.
const nowMs = Date.now()
const zones = createZoneCache()
let world: World
let dns: SignedWorld
beforeAll(async () => {
  world = await createWorld(nowMs)
  dns = createSignedWorld({ zones: world.zones, nowMs })
})

/** @param question as `mx.example A` */
function ask(question: string): ValidatedAnswer {
  return runValidation(question, answersOf(dns), { anchors: dns.anchors, nowMs, insecure: ['local'], zones })
    .answer
}

describe('the zones of the lab', () => {
  test('are what their records say: secure, but for those that are not signed, and those that are broken on purpose', () => {
    const found = { insecure: new Set<string>(), bogus: new Set<string>(), failed: new Set<string>() }
    for (const { apex, records } of world.zones)
      for (const { name, type } of records) {
        const question = `${nameKey(name)} ${typeName(type)}`
        const { outcome, endSecurity, security, reason } = ask(question)
        if (security === 'bogus') found.bogus.add(`${question}: ${reason ?? ''}`)
        else if (outcome === 'failed') found.failed.add(question)
        else if (endSecurity === 'insecure') found.insecure.add(apex)
        else expect([question, endSecurity]).toEqual([question, 'secure'])
      }
    expect([...found.bogus].sort()).toEqual([
      '_25._tcp.mx.tlsa-bogus.example TLSA: dnssec.signature-bad',
      'mx-bogus.example MX: dnssec.signature-expired',
      'mx.address-bogus.example A: dnssec.signature-missing',
    ])
    expect([...found.failed]).toEqual([])
    const unsigned = world.zones.filter(({ signing }) => signing === null).map(({ apex }) => apex)
    expect([...found.insecure].sort()).toEqual([...unsigned, 'sha1.example'].sort())
  })

  test.each([
    // Proven: there are none.
    ['_25._tcp.mx.no-tlsa.example TLSA', 'no-such-name', 'secure', null],
    ['_25._tcp.host3.hosting.example TLSA', 'no-such-name', 'secure', null],
    ['_25._tcp.mx2.dane-only.example TLSA', 'no-such-name', 'secure', null],
    ['no-mx.example MX', 'no-data', 'secure', null],
    // Not proven, or not said at all.
    ['_25._tcp.mx.tlsa-denied.example TLSA', 'failed', 'bogus', 'dnssec.denial-unproven'],
    ['_25._tcp.mx.tlsa-servfail.example TLSA', 'failed', 'indeterminate', 'dns.lookup-failed'],
    ['_25._tcp.mx.tlsa-timeout.example TLSA', 'failed', 'indeterminate', 'dns.timeout'],
    ['_25._tcp.mx.unsigned.example TLSA', 'failed', 'indeterminate', 'dns.lookup-failed'],
    // Aliases, each with all that lies on the way.
    ['mx.at-target.example A', 'records', 'secure', null],
    ['mx.customer.example A', 'records', 'insecure', 'dnssec.unsigned-delegation'],
    ['mx.customer.example CNAME', 'records', 'secure', null],
    ['mx.insecure-alias.example A', 'records', 'insecure', 'dnssec.unsigned-delegation'],
    ['mx.insecure-alias.example CNAME', 'records', 'insecure', 'dnssec.unsigned-delegation'],
    ['moved.example MX', 'records', 'secure', null],
    ['alias.new-home.example MX', 'records', 'secure', null],
    ['_25._tcp.mx.wildcard.example TLSA', 'records', 'secure', null],
    ['_25._tcp.mx.shared-records.example TLSA', 'records', 'secure', null],
    ['_25._tcp.mx.strange-records.example TLSA', 'records', 'insecure', 'dnssec.unsigned-delegation'],
    // Signed, by what is not believed any more; and inside, where nothing is.
    ['mx.sha1.example A', 'records', 'insecure', 'dnssec.sha1-algorithms'],
    ['mail.dev.example A', 'records', 'insecure', 'dnssec.negative-anchor'],
  ])('%s: %s, %s', (question, outcome, security, reason) => {
    expect(ask(question)).toMatchObject({ outcome, security, reason })
  })

  test('prove what is not there by NSEC and by NSEC3, and sign with every algorithm that is in use', () => {
    const signed = world.zones.flatMap(({ signing }) => (signing === null ? [] : [signing]))
    const kinds = new Set(signed.map(({ denial }) => denial?.kind ?? 'nsec'))
    const algorithms = new Set(signed.flatMap(signing => signing.algorithms ?? [13]))
    expect([...kinds].sort()).toEqual(['nsec', 'nsec3'])
    expect([...algorithms].sort((a, b) => a - b)).toEqual([7, 8, 13, 14, 15, 16])
  })
})

const withRecords = scenarios.filter(({ expect }) => 'tlsa' in expect && expect.tlsa.length > 0)

describe('the records of the lab, held against its certificates', () => {
  test.each(withRecords.map(scenario => [scenario.name, scenario] as const))('%s', (_, scenario) => {
    const { expect: expected } = scenario
    if (!('tlsa' in expected)) throw new Error('chosen for its records')
    const owner = expected.tlsa.at(-1) ?? ''
    const answer = ask(`${owner} TLSA`)
    const records = answer.records
      .map(({ rdata }) => readTlsaRdata(rdata))
      .filter(record => record !== 'malformed')
    const references = referencesOf(scenario, owner)

    const verdict = () => {
      const host = expected.outcome === 'delivered' ? expected.at : expected.untouched[0]
      const certificate = world.hosts.find(({ name }) => name === host)?.certificate ?? null
      return certificate === null
        ? null
        : judgeDane({
            chain: readChain(certificate.chain),
            records,
            names: references,
            atMs: nowMs,
            maxIntermediates: 10,
            profile: 'mail',
            purpose: 'server',
            isPublicSuffix,
            budget: createBudget(),
          }).verdict
    }

    if (expected.outcome === 'deferred') {
      if (expected.reason === 'dane.lookup-failed') expect(answer.outcome).toBe('failed')
      else if (expected.reason === 'dane.no-starttls') {
        expect(records).not.toEqual([])
        expect(verdict()).toBeNull()
      } else if (expected.reason !== 'dane.required' && expected.reason !== 'dane.mx-insecure')
        expect(verdict()).toMatchObject({ kind: 'not-authenticated', reason: expected.reason })
      return
    }
    // Records that nothing vouches for are none.
    if (answer.security !== 'secure' || records.length === 0) {
      expect(expected).toMatchObject({ peer: 'encrypted', record: null })
      return
    }
    expect(expected.references).toEqual(references)
    expect(verdict()).toMatchObject(
      expected.record === null
        ? { kind: 'encrypt-only' }
        : { kind: 'authenticated', by: expected.peer, record: expected.record.index },
    )
  })
})

/** RFC 7672 §3.2.2, from the zones alone. */
function referencesOf({ act }: Scenario, owner: string): readonly string[] {
  const base = owner.replace(/^_\d+\._tcp\./, '')
  const domain = act.kind === 'mail' ? act.to.slice(act.to.indexOf('@') + 1) : ''
  const hop = world.hops.find(each => each.domain === domain)
  const configured = hop === undefined || hop.to === 'mx' ? null : hop.to.host
  if (configured !== null) return [...new Set([base, configured])]
  const answer = ask(`${domain} MX`)
  const more =
    answer.security === 'secure' ? [domain, ...answer.aliases.map(({ to }) => nameKey(to)).slice(-1)] : []
  return [...new Set([base, ...more])]
}

describe('who is in the world', () => {
  test('every address of its zones leads to a host, and every host is named by a zone', () => {
    const inZones = world.zones
      .flatMap(({ records }) => records.map(record => readData(record)))
      .flatMap(data => (data !== null && data !== 'malformed' && 'address' in data ? [data.address] : []))
    const ofHosts = world.hosts.flatMap(({ addresses }) => addresses)
    // nomail.example has an address that nobody may ever try.
    expect([...new Set(inZones)].filter(address => address !== '198.51.100.50').sort()).toEqual(
      [...ofHosts].sort(),
    )
  })

  test('every address is one for documentation (RFC 5737, RFC 3849)', () => {
    for (const address of world.hosts.flatMap(({ addresses }) => addresses))
      expect(address).toMatch(/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$|^2001:db8:/)
  })

  test('every host that a scenario speaks of is there', () => {
    const names = world.hosts.map(({ name }) => name)
    for (const { name, expect: expected } of scenarios) {
      const spoken = [
        ...('at' in expected ? [expected.at] : []),
        ...('untouched' in expected ? expected.untouched : []),
        ...('uncalled' in expected ? expected.uncalled : []),
      ]
      for (const host of spoken) expect(names, name).toContain(host)
    }
  })

  test('every scenario has a name of its own, and a line for what is there, what must come of it and where that is written', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length)
    for (const { name, says, expects, from } of scenarios) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      for (const line of [says, expects]) expect(line, name).toMatch(/^[A-Z0-9][^\n]{7,159}[^.\s]$/)
      expect(from, name).toMatch(/^(case \d|RFC \d+)/)
    }
  })
})

test('docs/lab-scenarios.md has every scenario, as it is in the table', async () => {
  await expect(scenariosPage()).toMatchFileSnapshot('../../docs/lab-scenarios.md')
})

test('the anchors of a lab that runs are read as an operator would give them', async () => {
  const lab = await startLab()
  try {
    expect(readAnchors(lab.anchors)).toMatchObject({ kind: 'anchors', anchors: [{ zone: [], kind: 'ds' }] })
  } finally {
    await lab.close()
  }
})
