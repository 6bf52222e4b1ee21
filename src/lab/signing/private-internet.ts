/**
 * The zones of a small private internet: below a signed root one zone for each thing that can be right or wrong with signatures. The table is what tests and real
 * validators are asked about; the name of a zone says what it is.
 *
 * Names are from RFC 2606, addresses from RFC 5737 and RFC 3849.
 */

import type { Denial } from './denial.ts'
import type { SigningOptions } from './sign-zone.ts'
import type { WorldZone } from './signed-world.ts'
import { worldZone } from './signed-world.ts'

export function privateInternet(): readonly WorldZone[] {
  return [
    worldZone('', [], { keys: 'split' }),
    worldZone('example', ['example TXT signed with NSEC'], { keys: 'split' }),
    worldZone('test', ['test TXT signed with NSEC3'], { keys: 'split', denial: nsec3 }),
    worldZone('unsigned-tld', ['unsigned-tld TXT not signed'], null),
    worldZone('sub.unsigned-tld', ['sub.unsigned-tld A 192.0.2.9'], { keys: 'combined' }),

    worldZone('nsec.example', content('nsec.example'), { keys: 'split' }),
    worldZone('nsec3.example', content('nsec3.example'), { keys: 'split', denial: nsec3 }),
    worldZone('salted.example', content('salted.example'), {
      denial: { ...nsec3, salt: 'ab12cd', iterations: 5 },
    }),
    worldZone('opt-out.example', content('opt-out.example'), {
      denial: { ...nsec3, optOut: 'unsigned-delegations' },
    }),
    worldZone('compact.example', content('compact.example'), { denial: { kind: 'compact' } }),
    worldZone('unsigned.example', content('unsigned.example'), null),

    // Below: with a DS, without one, and in a span of opt-out.
    worldZone('below.nsec.example', content('below.nsec.example'), { denial: nsec3 }),
    worldZone('unsigned.nsec.example', content('unsigned.nsec.example'), null),
    worldZone('unsigned.nsec3.example', content('unsigned.nsec3.example'), null),
    worldZone('unsigned.opt-out.example', content('unsigned.opt-out.example'), null),
    worldZone('deep.down.opt-out.example', content('deep.down.opt-out.example'), null),
    worldZone('signed.opt-out.example', content('signed.opt-out.example'), {}),
    worldZone('island.unsigned.example', content('island.unsigned.example'), {}),
    worldZone('no-ds.example', content('no-ds.example'), {}, { ds: 'none' }),

    ...algorithms.map(([algorithm]) =>
      worldZone(`algorithm${algorithm}.example`, content(`algorithm${algorithm}.example`), {
        algorithms: [algorithm],
        denial: algorithm === 7 ? nsec3 : { kind: 'nsec' },
      }),
    ),
    ...algorithms.map(([algorithm]) =>
      worldZone(`bad${algorithm}.example`, content(`bad${algorithm}.example`), {
        algorithms: [algorithm],
        damage: [{ kind: 'flipped-bit' }],
      }),
    ),
    worldZone('two-algorithms.example', content('two-algorithms.example'), { algorithms: [8, 13], keys: 'split' }),

    ...damagedZones.map(([apex, signing]) => worldZone(apex, content(apex), signing)),
    worldZone('ds-sha1.example', content('ds-sha1.example'), {}, { ds: 'sha-1' }),
    worldZone('ds-sha384.example', content('ds-sha384.example'), {}, { ds: 'sha-384' }),
    worldZone('ds-two-digests.example', content('ds-two-digests.example'), {}, { ds: 'two-digests' }),
    worldZone('ds-wrong-digest.example', content('ds-wrong-digest.example'), {}, { ds: 'wrong-digest' }),
    worldZone('ds-wrong-tag.example', content('ds-wrong-tag.example'), {}, { ds: 'wrong-tag' }),
    worldZone('ds-another-key.example', content('ds-another-key.example'), {}, { ds: 'another-key' }),
    worldZone('ds-unknown.example', content('ds-unknown.example'), {}, { ds: 'unknown-algorithm' }),
    worldZone(
      'ds-unknown-digest.example',
      content('ds-unknown-digest.example'),
      {},
      { ds: 'unknown-digest-type' },
    ),
    worldZone(
      'ds-unknown-and-good.example',
      content('ds-unknown-and-good.example'),
      {},
      { ds: 'unknown-and-good' },
    ),
    worldZone(
      'ds-unknown-and-wrong.example',
      content('ds-unknown-and-wrong.example'),
      {},
      { ds: 'unknown-and-wrong' },
    ),

    worldZone('iterations.example', content('iterations.example'), { denial: { ...nsec3, iterations: 2_000 } }),
    worldZone(
      'servfail.example',
      content('servfail.example'),
      {},
      {
        servers: [{ types: ['TLSA'], does: 'servfail' }],
      },
    ),
    worldZone(
      'silent.example',
      content('silent.example'),
      {},
      { servers: [{ types: ['TLSA'], does: 'silence' }] },
    ),
    worldZone('empty.example', content('empty.example'), {}, { servers: [{ types: ['TLSA'], does: 'empty' }] }),
    worldZone('servfail.unsigned-tld', content('servfail.unsigned-tld'), null, {
      servers: [{ types: ['TLSA'], does: 'servfail' }],
    }),
    worldZone('office.local', content('office.local'), null, { delegation: 'none' }),

    worldZone(
      'aliases.example',
      [
        'www.aliases.example CNAME host.nsec.example',
        'within.aliases.example CNAME www.aliases.example',
        'to-unsigned.aliases.example CNAME host.unsigned.example',
        'to-bogus.aliases.example CNAME host.expired.example',
        'to-nothing.aliases.example CNAME nothing.nsec.example',
        'to-no-data.aliases.example CNAME nsec.example',
        'to-wildcard.aliases.example CNAME any.wild.nsec3.example',
        '*.star.aliases.example CNAME host.nsec3.example',
        'one.aliases.example CNAME two.aliases.example',
        'two.aliases.example CNAME one.aliases.example',
        'tree.aliases.example DNAME nsec.example',
        'unsigned-tree.aliases.example DNAME unsigned.example',
        'lost-tree.aliases.example DNAME nothing.nsec3.example',
      ],
      {},
    ),
    worldZone('from-unsigned.unsigned-tld', ['www.from-unsigned.unsigned-tld CNAME host.nsec.example'], null),
    worldZone(
      'mixed-case.example',
      ['MiXeD.mixed-CASE.example MX 10 MX.Mixed-Case.Example', 'mx.mixed-case.example A 192.0.2.77'],
      {},
    ),
    worldZone(
      'large.example',
      Array.from({ length: 40 }, (_, i) => `large.example TXT ${i} ${'x'.repeat(60)}`),
      {},
    ),
  ]
}

/** What a signature is made with, and its name. */
export const algorithms = [
  [5, 'RSASHA1'],
  [7, 'RSASHA1-NSEC3-SHA1'],
  [8, 'RSASHA256'],
  [10, 'RSASHA512'],
  [13, 'ECDSAP256SHA256'],
  [14, 'ECDSAP384SHA384'],
  [15, 'ED25519'],
  [16, 'ED448'],
] as const

const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const satisfies Denial

/** A mail domain with TLSA records, a wildcard, a name that is only above others, and an apex without an address. */
function content(apex: string): readonly string[] {
  return [
    `${apex} MX 10 mx.${apex}`,
    `${apex} TXT v=spf1 mx -all`,
    `mx.${apex} A 192.0.2.25`,
    `mx.${apex} AAAA 2001:db8::25`,
    `_25._tcp.mx.${apex} TLSA 3 1 1 ${'00112233'.repeat(8)}`,
    `_25._tcp.mx.${apex} TLSA 2 1 1 ${'44556677'.repeat(8)}`,
    `host.${apex} A 192.0.2.1`,
    `host.${apex} A 192.0.2.2`,
    `deep.empty.${apex} A 192.0.2.3`,
    `*.wild.${apex} A 192.0.2.4`,
    `*.wild.${apex} TXT any of them`,
    `named.wild.${apex} A 192.0.2.5`,
    `alias.${apex} CNAME host.${apex}`,
  ]
}

const damagedZones: readonly (readonly [apex: string, signing: SigningOptions])[] = [
  ['stripped.example', { damage: [{ kind: 'stripped' }] }],
  ['stripped-a.example', { damage: [{ kind: 'stripped', type: 'A' }] }],
  ['stripped-tlsa.example', { damage: [{ kind: 'stripped', type: 'TLSA' }] }],
  ['expired.example', { damage: [{ kind: 'expired' }] }],
  ['expired-tlsa.example', { damage: [{ kind: 'expired', type: 'TLSA' }] }],
  ['not-yet-valid.example', { damage: [{ kind: 'not-yet-valid' }] }],
  ['flipped-mx.example', { damage: [{ kind: 'flipped-bit', type: 'MX' }] }],
  ['wrong-signer.example', { damage: [{ kind: 'wrong-signer', signer: 'nsec.example', type: 'A' }] }],
  ['unknown-key.example', { damage: [{ kind: 'unknown-key', type: 'A' }] }],
  ['revoked-key.example', { damage: [{ kind: 'revoked-key' }] }],
  ['no-dnskey.example', { damage: [{ kind: 'missing-dnskey', which: 'all' }] }],
  ['no-zsk.example', { keys: 'split', damage: [{ kind: 'missing-dnskey', which: 'zsk' }] }],
  ['gap.example', { damage: [{ kind: 'gap', at: 'nothing.gap.example' }] }],
  ['gap3.example', { denial: nsec3, damage: [{ kind: 'gap', at: 'nothing.gap3.example' }] }],
  ['colliding.example', { damage: [{ kind: 'colliding-keys', keys: 2, signatures: 0 }] }],
  ['keytrap.example', { damage: [{ kind: 'colliding-keys', keys: 40, signatures: 40 }] }],
]
