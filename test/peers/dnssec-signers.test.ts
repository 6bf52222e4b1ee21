/**
 * Zones signed by foreign signers (BIND's dnssec-signzone, ldns-signzone), judged by our core: every RRset that they signed is valid to us, their DS names their
 * keys, and what they left unsigned is what the RFC leaves unsigned. Names are in upper and lower case everywhere, so that canonical form is compared, too.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { formatName } from '../../src/protocol/dns/name.ts'
import { typeName, typeNumbers } from '../../src/protocol/dns/numbers.ts'
import { createDnssecBudget } from '../../src/protocol/dnssec/budget.ts'
import { compareNames } from '../../src/protocol/dnssec/canonical.ts'
import { trustedKeys } from '../../src/protocol/dnssec/keys.ts'
import { readDs, readNsec, readNsec3 } from '../../src/protocol/dnssec/records.ts'
import { groupRrsets } from '../../src/protocol/dnssec/rrsets.ts'
import { nameFromText, recordsFromText } from '../../src/protocol/dnssec/testing/zone-text.ts'
import { verifyRrsetWithKeys } from '../../src/protocol/dnssec/verify-set.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { run } from '../support/process.ts'

const directory = temporaryDirectory('dnssec-signers')
afterAll(() => directory.remove())

const zone = nameFromText('Example.test')
const unsigned = `Example.test. 3600 IN SOA Ns1.Example.test. Host.Example.test. 1 7200 3600 604800 300
Example.test. 3600 IN NS Ns1.Example.test.
Example.test. 3600 IN MX 10 Mail.Example.test.
Example.test. 3600 IN MX 5 MAIL.Example.test.
Example.test. 3600 IN MX 20 a.MAIL.Example.test.
Example.test. 3600 IN NAPTR 1 2 "U" "E2U+sip" "!^.*$!X!" Repl.Example.test.
Ns1.Example.test. 300 IN A 192.0.2.1
MAIL.Example.test. 300 IN A 192.0.2.10
MAIL.Example.test. 300 IN A 192.0.2.9
MAIL.Example.test. 300 IN AAAA 2001:DB8::1
MAIL.Example.test. 300 IN HINFO "CPU" "Os"
_25._tcp.MAIL.Example.test. 300 IN TLSA 3 1 1 ${'Ab'.repeat(32)}
_sip._tcp.Example.test. 300 IN SRV 1 2 3 Host.Elsewhere.test.
*.Wild.Example.test. 300 IN TXT "Any" "Text"
Alias.Example.test. 300 IN CNAME Mail.ELSEWHERE.test.
Tree.Example.test. 300 IN DNAME Other.ELSEWHERE.test.
a\\.b\\200.Example.test. 300 IN A 192.0.2.11
Sub.Example.test. 300 IN NS Ns1.Sub.Example.test.
Ns1.Sub.Example.test. 300 IN A 192.0.2.12
Signed.Example.test. 300 IN NS Ns1.Elsewhere.test.
Signed.Example.test. 300 IN DS 7 13 2 ${'ef'.repeat(32)}
`
const notSigned = ['sub.example.test NS', 'ns1.sub.example.test A', 'signed.example.test NS']

const algorithms = [
  ['RSASHA1', ['-b', '1024']],
  ['NSEC3RSASHA1', ['-b', '1024']],
  ['RSASHA256', ['-b', '2048']],
  ['RSASHA512', ['-b', '1024']],
  ['ECDSAP256SHA256', []],
  ['ECDSAP384SHA384', []],
  ['ED25519', []],
  ['ED448', []],
] as const

const signers = [
  ['dnssec-signzone', 'NSEC'],
  ['dnssec-signzone', 'NSEC3'],
  ['ldns-signzone', 'NSEC'],
  ['ldns-signzone', 'NSEC3'],
] as const

describe.each(signers)('%s with %s', (signer, denial) => {
  // RFC 5155 §2: algorithm 5 is not for zones with NSEC3.
  const fitting = algorithms.filter(([name]) => denial === 'NSEC' || name !== 'RSASHA1')
  test.each(fitting)('%s: every signature is valid, by every digest of the DS', async (algorithm, options) => {
    // A directory for each: dnssec-signzone takes whatever keys it finds beside the zone.
    const path = join(directory.path, `${signer}-${denial}-${algorithm}`)
    mkdirSync(path)
    const { text, ds } = await signZone(path, signer, denial, algorithm, options)
    const records = recordsFromText(text)
    const sets = groupRrsets(records)
    const context = { nowMs: Date.now(), budget: createDnssecBudget(), sha1: 'validates' } as const
    const dnskeys = sets.find(({ type }) => type === typeNumbers.DNSKEY) ?? null

    expect(ds.length).toBe(3)
    for (const record of ds) {
      const read = readDs(record)
      if (read === 'malformed') throw new Error('a DS is malformed')
      expect(trustedKeys(zone, dnskeys, [{ kind: 'ds', ds: read }], context).kind).toBe('secure')
    }
    const [first] = ds
    const read = first === undefined ? 'malformed' : readDs(first)
    const trusted = trustedKeys(zone, dnskeys, read === 'malformed' ? [] : [{ kind: 'ds', ds: read }], context)
    if (trusted.kind !== 'secure') throw new Error(trusted.detail)

    const verdicts = sets.map(set => {
      const verdict = verifyRrsetWithKeys(set, zone, trusted.keys, { ...context, budget: createDnssecBudget() })
      return { set: `${formatName(set.name).toLowerCase()} ${typeName(set.type)}`, verdict }
    })
    const invalid = verdicts.filter(({ verdict }) => verdict.kind === 'bogus')
    expect(invalid.map(({ set }) => set).sort()).toEqual([...notSigned].sort())
    expect(
      invalid.every(({ verdict }) => verdict.kind === 'bogus' && verdict.reason === 'dnssec.signature-missing'),
    ).toBe(true)

    const chain = sets.filter(({ type }) => type === typeNumbers[denial])
    expect(chain.length).toBeGreaterThan(10)
    for (const link of chain) {
      const [record] = link.records
      if (record === undefined) throw new Error('an empty set')
      expect(denial === 'NSEC' ? readNsec(record) : readNsec3(record)).not.toBe('malformed')
    }
    if (denial === 'NSEC') expectChain(chain.flatMap(({ records: [record] }) => record ?? []))
  })
})

/** The signer's order of names is ours: each next name is the next owner. */
function expectChain(records: ReturnType<typeof recordsFromText>): void {
  const links = records.map(readNsec).filter(link => link !== 'malformed')
  links.sort((one, other) => compareNames(one.owner, other.owner))
  const owners = links.map(({ owner }) => formatName(owner).toLowerCase())
  expect(links.map(({ next }) => formatName(next).toLowerCase())).toEqual([...owners.slice(1), owners[0]])
}

async function signZone(
  cwd: string,
  signer: (typeof signers)[number][0],
  denial: (typeof signers)[number][1],
  algorithm: string,
  options: readonly string[],
): Promise<{ readonly text: string; readonly ds: ReturnType<typeof recordsFromText> }> {
  const path = join(cwd, 'zone')
  const keyNames: string[] = []
  for (const flag of [['-f', 'KSK'], []]) {
    const made = await run('dnssec-keygen', ['-q', '-a', algorithm, ...options, ...flag, 'example.test'], { cwd })
    expect(made.stderr.replaceAll(/^WARNING.*deprecated.*$/gm, '').trim()).toBe('')
    keyNames.push(made.stdout.trim())
  }
  const [ksk = '', zsk = ''] = keyNames
  const keyLines =
    signer === 'ldns-signzone' ? [] : keyNames.map(name => readFileSync(join(cwd, `${name}.key`), 'latin1'))
  writeFileSync(path, `$TTL 3600\n${unsigned}${keyLines.join('')}`)
  const output = `${path}.signed`
  const hashed = denial === 'NSEC3'
  const args =
    signer === 'dnssec-signzone'
      ? [
          '-o',
          'example.test',
          '-O',
          'full',
          '-S',
          '-P',
          '-f',
          output,
          ...(hashed ? ['-3', 'AABBCCDD', '-H', '5'] : []),
          path,
        ]
      : [
          '-o',
          'example.test',
          '-f',
          output,
          ...(hashed ? ['-n', '-s', 'AABBCCDD', '-t', '5'] : []),
          path,
          ksk,
          zsk,
        ]
  const signed = await run(signer, args, { cwd })
  expect(`${signed.code} ${signed.stderr}`).toMatch(/^0 /)
  const digests = await Promise.all(
    ['-1', '-2', '-a SHA-384'].map(digest =>
      run('dnssec-dsfromkey', [...digest.split(' '), `${ksk}.key`], { cwd }),
    ),
  )
  // Without a TTL, which the reader wants.
  const ds = digests.map(({ stdout }) => stdout.trim().replace(/^(\S+) IN DS/, '$1 3600 IN DS'))
  return { text: readFileSync(output, 'latin1'), ds: recordsFromText(ds.join('\n')) }
}
