/**
 * Real validators (BIND's delv, unbound, ldns's drill) judge the signed zones of the lab, with its root as their only anchor: what our signer made
 * right is secure to them, what it left out is insecure, and what it damaged is bogus. Our own validator says the same.
 *
 * delv, unbound and ours are asked everything; drill can say only whether a chain holds, and gives up on delegations without DS and on DNAME. Where one of them sees it in
 * another way the reason stands in the table.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LabDns, startDns } from '../../src/lab/dns-server.ts'
import { algorithms, privateInternet } from '../../src/lab/signing/private-internet.ts'
import { answersOf, createSignedWorld } from '../../src/lab/signing/signed-world.ts'
import { runValidation } from '../../src/protocol/dnssec/testing/validating.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { foreignValidators, type Status, type Validators } from './support/validators.ts'

interface Difference {
  readonly by: 'delv' | 'unbound' | 'hermetic'
  readonly says: Status
  readonly because: string
}

interface Asked {
  /** `host.nsec.example A`. */
  readonly question: string
  readonly status: Status
  /** Where a validator differs from `status`, and why. */
  readonly but: readonly Difference[]
}

const sha1IsInsecure = 'RFC 9905: signatures with SHA-1 prove nothing by default; these two still validate them'
const noEd448 = 'the unbound of Debian 12 does not know Ed448'
const revokedOnlyAsAnchor =
  'unbound heeds REVOKE where it keeps anchors up to date, and nowhere else; RFC 5011 §2.1 says for any purpose'
const adDespiteOptOut = 'BIND calls a negative answer secure although an opt-out span is part of its proof'

const directory = temporaryDirectory('signed-lab')
const world = createSignedWorld({ zones: privateInternet(), nowMs: Date.now() })
let dns: LabDns
let foreign: Validators

beforeAll(async () => {
  dns = await startDns(world.respond)
  foreign = foreignValidators({ directory: directory.path, resolver: dns, anchors: world.anchorLines.dnskey })
})
afterAll(async () => {
  await dns.close()
  directory.remove()
})

test.for(asked().map(each => [each.question, each] as const))('%s', async ([, { question, status, but }]) => {
  const [byDelv, byUnbound] = await Promise.all([foreign.delv(question), foreign.unbound(question)])
  const different = Object.fromEntries(but.map(({ by, says }) => [by, says]))
  const expected = { delv: status, unbound: status, hermetic: status, ...different }
  expect({ delv: byDelv, unbound: byUnbound, hermetic: hermetic(question) }).toEqual(expected)
})

test.for([
  ['host.nsec.example A', 'holds'],
  ['nothing.nsec.example A', 'holds'],
  ['host.nsec3.example A', 'holds'],
  ['host.nsec3.example MX', 'holds'],
  ['nothing.nsec3.example A', 'holds'],
  ['any.wild.nsec3.example A', 'holds'],
  ['www.aliases.example A', 'holds'],
  ...algorithms.flatMap(([algorithm]) => [
    [`host.algorithm${algorithm}.example A`, 'holds'] as const,
    [`host.bad${algorithm}.example A`, 'broken'] as const,
  ]),
  ['host.expired.example A', 'broken'],
  ['host.ds-wrong-digest.example A', 'broken'],
] as const)('drill chases %s: %s', async ([question, expected]) => {
  expect(await foreign.drill(question)).toBe(expected)
})

function asked(): readonly Asked[] {
  const all = (status: Status, questions: readonly string[], but: readonly Difference[] = []): Asked[] =>
    questions.map(question => ({ question, status, but }))
  const both = (apex: string) => [`host.${apex}.example A`, `nothing.${apex}.example A`]
  const spoken = (apex: string) => [
    `host.${apex} A`,
    `${apex} MX`,
    `_25._tcp.mx.${apex} TLSA`,
    `${apex} DNSKEY`,
    `named.wild.${apex} A`,
    `alias.${apex} A`,
    // No data: at a name, at an empty one, behind an alias.
    `host.${apex} AAAA`,
    `empty.${apex} A`,
    `alias.${apex} MX`,
    `host.${apex} DS`,
  ]
  // Where it must be proven that a name is not there.
  const unspoken = (apex: string) => [
    `any.wild.${apex} A`,
    `any.wild.${apex} MX`,
    `nothing.${apex} A`,
    `far.below.nothing.${apex} A`,
    `below.host.${apex} A`,
  ]
  return [
    ...['nsec', 'nsec3', 'salted', 'compact']
      .map(name => `${name}.example`)
      .flatMap(apex => all('secure', [...spoken(apex), ...unspoken(apex)])),
    ...all('secure', ['example TXT', 'test TXT', 'nothing.test A', 'nothing A', '. DNSKEY']),
    ...algorithms.flatMap(([algorithm]) => {
      const but: readonly Difference[] =
        algorithm === 16
          ? [{ by: 'unbound', says: 'insecure', because: noEd448 }]
          : algorithm === 5 || algorithm === 7
            ? [{ by: 'hermetic', says: 'insecure', because: sha1IsInsecure }]
            : []
      return [...all('secure', both(`algorithm${algorithm}`), but), ...all('bogus', both(`bad${algorithm}`), but)]
    }),
    ...['below.nsec', 'signed.opt-out', 'two-algorithms', 'colliding']
      .concat('ds-sha1', 'ds-sha384', 'ds-two-digests', 'ds-unknown-and-good')
      .flatMap(name => all('secure', both(name))),
    ...all('secure', ['large.example TXT', 'mixed.mixed-case.example MX', 'MX.MIXED-CASE.example A']),

    // Whoever opts out leaves room for an unsigned delegation where a name is not, so no AD (RFC 5155 §9.2).
    ...all('secure', spoken('opt-out.example')),
    ...all('insecure', ['any.wild.opt-out.example A']),
    ...all(
      'insecure',
      ['any.wild.opt-out.example MX', 'nothing.opt-out.example A'],
      [{ by: 'delv', says: 'secure', because: adDespiteOptOut }],
    ),
    ...['unsigned', 'unsigned.nsec', 'unsigned.nsec3', 'unsigned.opt-out', 'deep.down.opt-out']
      .concat('island.unsigned', 'no-ds', 'ds-unknown', 'ds-unknown-digest')
      .flatMap(name => all('insecure', both(name))),
    ...all('insecure', ['unsigned-tld TXT', 'sub.unsigned-tld A']),

    ...['expired', 'not-yet-valid', 'stripped', 'no-dnskey', 'no-zsk', 'keytrap']
      .concat('ds-wrong-digest', 'ds-wrong-tag', 'ds-another-key', 'ds-unknown-and-wrong')
      .flatMap(name => all('bogus', both(name))),
    ...all('bogus', both('revoked-key'), [{ by: 'unbound', says: 'secure', because: revokedOnlyAsAnchor }]),
    ...all('bogus', ['host.stripped-a.example A', '_25._tcp.mx.stripped-tlsa.example TLSA']),
    ...all('bogus', ['_25._tcp.mx.expired-tlsa.example TLSA', 'flipped-mx.example MX']),
    ...all('bogus', ['host.wrong-signer.example A', 'host.unknown-key.example A']),
    ...all('bogus', ['nothing.gap.example A', 'nothing.gap3.example A', '_25._tcp.mx.empty.example TLSA']),
    // The same zones where they are whole.
    ...all('secure', ['host.gap.example A', 'host.flipped-mx.example A', '_25._tcp.mx.stripped-a.example TLSA']),

    ...['www', 'within', 'to-nothing', 'to-no-data', 'to-wildcard', 'any.star']
      .concat('host.tree', 'nothing.tree', 'host.lost-tree')
      .flatMap(name => all('secure', [`${name}.aliases.example A`])),
    ...all('insecure', ['to-unsigned.aliases.example A', 'host.unsigned-tree.aliases.example A']),
    ...all('insecure', ['www.from-unsigned.unsigned-tld A']),
    ...all('bogus', ['to-bogus.aliases.example A']),
    // The root proves that there is no such name.
    ...all('bogus', ['host.office.local A']),

    ...all('secure', ['host.servfail.example A']),
    ...all('failed', ['_25._tcp.mx.servfail.example TLSA', '_25._tcp.mx.servfail.unsigned-tld TLSA']),
    // RFC 9276 §3.2: what such a proof denies is insecure, what needs no proof is not.
    ...all('secure', ['host.iterations.example A']),
    ...all('insecure', ['nothing.iterations.example A']),
  ]
}

/** Ours, over the same answers in memory. */
function hermetic(question: string): Status {
  const { answer } = runValidation(question, answersOf(world), { anchors: world.anchors, nowMs: world.nowMs })
  return answer.security === 'indeterminate' || answer.reason?.startsWith('dns.') === true
    ? 'failed'
    : answer.security
}
