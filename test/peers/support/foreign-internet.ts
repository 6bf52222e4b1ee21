/**
 * A small internet signed by ldns and BIND: below a root one zone for each thing that can be right or wrong, as in the lab's, and nothing of it made by our signer.
 * Names are from RFC 2606, addresses from RFC 5737.
 */
import type { ForeignZone, KeyDigests, Signing, ZoneLine } from './foreign-signers.ts'

export function foreignInternet(): readonly ForeignZone[] {
  const zone = (apex: string, signing: ForeignZone['signing'], more: Partial<ForeignZone> = {}): ForeignZone => ({
    apex,
    content,
    signing,
    ...more,
  })
  const digests = (apex: string, ds: NonNullable<ForeignZone['ds']>) => zone(apex, {}, { ds })
  const edited = (apex: string, edit: NonNullable<ForeignZone['edit']>, signing: Signing = {}) =>
    zone(apex, signing, { edit })
  return [
    zone('', { keys: 'split', algorithms: ['RSASHA256'] }, { content: [] }),
    zone('example', { keys: 'split' }, { content: ['@ TXT "NSEC, by ldns"'], edit: dishonestParent }),
    zone(
      'test',
      { keys: 'split', by: 'bind', denial: { ...nsec3, optOut: true } },
      { content: ['@ TXT "NSEC3 with opt-out, by BIND"'] },
    ),
    zone('unsigned-tld', 'unsigned'),

    zone('nsec.example', { keys: 'split' }),
    zone('nsec3.example', { keys: 'split', denial: nsec3 }),
    zone('salted.example', { denial: { iterations: 5, salt: 'ab12cd' } }),
    zone('bind.example', { by: 'bind', keys: 'split' }),
    zone('bind3.example', { by: 'bind', denial: { iterations: 3, salt: 'beef' } }),
    zone('opt-out.example', { denial: { ...nsec3, optOut: true } }),
    zone('opt-out-bind.example', { by: 'bind', denial: { ...nsec3, optOut: true } }),
    zone('unsigned.example', 'unsigned'),

    ...['nsec', 'nsec3', 'opt-out', 'opt-out-bind'].flatMap(name => [
      zone(`below.${name}.example`, {}),
      zone(`unsigned.${name}.example`, 'unsigned'),
      zone(`deep.down.${name}.example`, 'unsigned'),
    ]),
    zone('signed.test', { denial: nsec3 }),
    zone('unsigned.test', 'unsigned'),
    zone('island.unsigned.example', {}),
    digests('no-ds.example', () => []),

    ...foreignAlgorithms.flatMap(([number, name]) => {
      const denial = number === 7 ? nsec3 : 'nsec'
      return [
        zone(`algorithm${number}.example`, { algorithms: [name], denial }),
        edited(`bad${number}.example`, flipped(), { algorithms: [name], denial }),
      ]
    }),
    zone('two-algorithms.example', { algorithms: ['RSASHA256', 'ECDSAP256SHA256'] }),
    zone('sha1-and-ecdsa.example', { algorithms: ['RSASHA1', 'ECDSAP256SHA256'] }),

    digests('ds-sha1.example', keys => keys.map(({ tag, algorithm, sha1 }) => `${tag} ${algorithm} 1 ${sha1}`)),
    digests('ds-sha384.example', keys =>
      keys.map(({ tag, algorithm, sha384 }) => `${tag} ${algorithm} 4 ${sha384}`),
    ),
    digests('ds-all-digests.example', keys => keys.flatMap(each => Object.values(dsOf(each)))),
    digests('ds-wrong-digest.example', keys => keys.map(key => flipHex(dsOf(key).sha256))),
    digests('ds-wrong-tag.example', keys => keys.map(({ tag, ...key }) => dsOf({ tag: tag ^ 1, ...key }).sha256)),
    digests('ds-wrong-algorithm.example', keys =>
      keys.map(({ algorithm, ...key }) => dsOf({ algorithm: 8, ...key }).sha256),
    ),
    digests('ds-wrong-beside-good.example', keys =>
      keys.flatMap(key => [flipHex(dsOf(key).sha256), dsOf(key).sha256]),
    ),
    // RFC 4509 §3: beside SHA-256 the other does not count.
    digests('ds-good-sha1-bad-sha256.example', keys =>
      keys.flatMap(key => [dsOf(key).sha1, flipHex(dsOf(key).sha256)]),
    ),
    digests('ds-unknown.example', keys => keys.map(key => dsOf({ ...key, algorithm: 200 }).sha256)),
    digests('ds-unknown-digest.example', keys =>
      keys.map(({ tag, algorithm, sha256 }) => `${tag} ${algorithm} 200 ${sha256}`),
    ),
    digests('ds-unknown-and-good.example', keys =>
      keys.flatMap(key => [dsOf({ ...key, algorithm: 200 }).sha256, dsOf(key).sha256]),
    ),
    digests('ds-unknown-and-wrong.example', keys =>
      keys.flatMap(key => [dsOf({ ...key, algorithm: 200 }).sha256, flipHex(dsOf(key).sha256)]),
    ),

    zone('expired.example', { fromDays: -30, untilDays: -2 }),
    zone('not-yet-valid.example', { fromDays: 2, untilDays: 30 }),
    edited('expired-tlsa.example', async (lines, { again }) => {
      const late = await again({ fromDays: -30, untilDays: -2 })
      return [...lines.filter(line => !signs(line, 'TLSA')), ...late.filter(line => signs(line, 'TLSA'))]
    }),
    // One of two signatures is good: that is enough.
    edited('expired-beside-good.example', async (lines, { again }) => {
      const late = await again({ fromDays: -30, untilDays: -2 })
      return [...lines, ...late.filter(({ type }) => type === 'RRSIG')]
    }),
    edited('stripped.example', lines => lines.filter(({ type }) => type !== 'RRSIG')),
    edited('stripped-a.example', lines => lines.filter(line => !signs(line, 'A'))),
    edited('stripped-tlsa.example', lines => lines.filter(line => !signs(line, 'TLSA'))),
    edited('stripped-keys.example', lines => lines.filter(line => !signs(line, 'DNSKEY'))),
    edited('flipped-mx.example', flipped('MX')),
    edited('flipped-keys.example', flipped('DNSKEY')),
    edited('changed-a.example', lines =>
      lines.map(line => (line.type === 'A' ? { ...line, rdata: '192.0.2.66' } : line)),
    ),
    edited('wrong-signer.example', lines =>
      lines.map(line =>
        signs(line, 'A')
          ? { ...line, rdata: line.rdata.replace(/ wrong-signer\.example\. /, ' nsec.example. ') }
          : line,
      ),
    ),
    edited('wrong-tag.example', lines =>
      lines.map(line =>
        signs(line, 'A')
          ? { ...line, rdata: line.rdata.replace(/ \d+ wrong-tag\.example\. /, ' 4711 wrong-tag.example. ') }
          : line,
      ),
    ),
    edited(
      'strange-zsk.example',
      async (lines, { again }) => {
        const strange = await again({}, 'strange-zsk')
        return [
          ...lines.filter(({ about }) => about === 'DNSKEY'),
          ...strange.filter(({ about }) => about !== 'DNSKEY'),
        ]
      },
      { keys: 'split' },
    ),
    edited('no-dnskey.example', lines => lines.filter(({ about }) => about !== 'DNSKEY')),
    zone('revoked.example', { by: 'bind', revoked: true, keys: 'split' }),
    zone('revoked-only.example', { revoked: true }),
    zone('below.expired.example', {}),

    edited('gap.example', lines => lines.filter(({ about }) => about !== 'NSEC')),
    edited('gap3.example', lines => lines.filter(({ about }) => about !== 'NSEC3'), { denial: nsec3 }),
    // Only what covers host.gap-wild.example to the next name is left.
    edited('gap-wild.example', lines =>
      lines.filter(({ owner, about }) => about !== 'NSEC' || owner === 'host.gap-wild.example.'),
    ),
    zone('unsigned.gap.example', 'unsigned'),
    zone('unsigned.gap3.example', 'unsigned'),
    // A name that exists, with what the wildcard above it would be to one that does not.
    edited('wild-at-name.example', lines => lines.flatMap(line => [line, ...atName(line)])),
    edited('unsigned-denial.example', lines => lines.filter(line => !signs(line, 'NSEC'))),
    edited('unsigned-denial3.example', lines => lines.filter(line => !signs(line, 'NSEC3')), { denial: nsec3 }),
    // The parent's record of the delegation, with the parent's signature, at the apex of the child.
    edited('parents-nsec.example', (lines, { other }) => [
      ...lines.filter(({ about }) => about !== 'NSEC'),
      ...other('example').filter(({ owner, about }) => about === 'NSEC' && owner === 'parents-nsec.example.'),
    ]),
    edited('lying-nsec.example', lines =>
      lines.map(line => (line.type === 'NSEC' ? { ...line, rdata: line.rdata.replace(/ A /, ' ') } : line)),
    ),
    // The other way round: in its parent, see there, what it says at its own apex stands where the delegation is.
    digests('apex-at-parent.example', () => []),
    // Its DS, and the signature on it, are gone from the answers of the parent.
    zone('stripped-ds.example', {}),
    zone('iterations150.example', { denial: { iterations: 150, salt: '' } }),
    zone('iterations151.example', { denial: { iterations: 151, salt: '' } }),
    zone('iterations2000.example', { denial: { iterations: 2000, salt: 'ff' } }),
    edited('iterations-forged.example', flipped('NSEC3'), { denial: { iterations: 2000, salt: 'ff' } }),

    // Its server has nothing to answer with.
    edited('lost.example', () => []),

    zone('aliases.example', {}, { content: aliases }),
    zone('from-unsigned.unsigned-tld', 'unsigned', { content: ['www CNAME host.nsec.example.'] }),
    zone(
      'mixed-case.example',
      {},
      { content: ['MiXeD MX 10 MX.Mixed-Case.Example.', 'mx A 192.0.2.77', 'Host A 192.0.2.78'] },
    ),
    zone('large.example', {}, { content: Array.from({ length: 40 }, (_, i) => `@ TXT "${i} ${'x'.repeat(60)}"`) }),
  ]
}

export const foreignAlgorithms = [
  [5, 'RSASHA1'],
  [7, 'RSASHA1-NSEC3-SHA1'],
  [8, 'RSASHA256'],
  [10, 'RSASHA512'],
  [13, 'ECDSAP256SHA256'],
  [14, 'ECDSAP384SHA384'],
  [15, 'ED25519'],
  [16, 'ED448'],
] as const

const nsec3 = { iterations: 0, salt: '' } as const

/** A mail domain with TLSA records, a wildcard, a name that is only above others, and an apex without an address. */
const content: readonly string[] = [
  '@ MX 10 mx',
  '@ TXT "v=spf1 mx -all"',
  'mx A 192.0.2.25',
  'mx AAAA 2001:db8::25',
  `_25._tcp.mx TLSA 3 1 1 ${'00112233'.repeat(8)}`,
  `_25._tcp.mx TLSA 2 1 1 ${'44556677'.repeat(8)}`,
  'host A 192.0.2.1',
  'host A 192.0.2.2',
  'deep.empty A 192.0.2.3',
  '*.wild A 192.0.2.4',
  '*.wild TXT "any of them"',
  'named.wild A 192.0.2.5',
  'alias CNAME host',
]

const aliases: readonly string[] = [
  'www CNAME host.nsec.example.',
  'within CNAME www',
  'to-unsigned CNAME host.unsigned.example.',
  'to-bogus CNAME host.expired.example.',
  'to-nothing CNAME nothing.nsec.example.',
  'to-no-data CNAME nsec.example.',
  'to-wildcard CNAME any.wild.nsec3.example.',
  'to-bind CNAME host.bind3.example.',
  '*.star CNAME host.nsec3.example.',
  'one CNAME two',
  'two CNAME one',
  'tree DNAME nsec.example.',
  'unsigned-tree DNAME unsigned.example.',
  'bogus-tree DNAME expired.example.',
  'lost-tree DNAME nothing.nsec3.example.',
]

/** What a zone that is signed says at its apex denies that it has a DS, if it is taken for the parent's; and a DS can be left out. */
const dishonestParent: NonNullable<ForeignZone['edit']> = (lines, { other }) => {
  const isApex = ({ owner, about }: ZoneLine) => owner === 'apex-at-parent.example.' && about === 'NSEC'
  const isDs = ({ owner, about }: ZoneLine) => owner === 'stripped-ds.example.' && about === 'DS'
  return [...lines.filter(line => !isApex(line) && !isDs(line)), ...other('apex-at-parent.example').filter(isApex)]
}

const atName = (line: ZoneLine): readonly ZoneLine[] =>
  line.about === 'A' && line.owner.startsWith('*.wild.')
    ? [{ ...line, owner: line.owner.replace('*', 'below.named') }]
    : []

const signs = ({ type, about }: ZoneLine, covered: string) => type === 'RRSIG' && about === covered

/** Another digit in the middle of each signature; of all, or of those over one type. */
const flipped = (covered?: string) => (lines: readonly ZoneLine[]) =>
  lines.map(line => {
    if (line.type !== 'RRSIG' || (covered !== undefined && line.about !== covered)) return line
    const at = line.rdata.length - 40
    return {
      ...line,
      rdata: `${line.rdata.slice(0, at)}${line.rdata[at] === 'A' ? 'B' : 'A'}${line.rdata.slice(at + 1)}`,
    }
  })

const dsOf = ({ tag, algorithm, sha1, sha256, sha384 }: KeyDigests) => ({
  sha1: `${tag} ${algorithm} 1 ${sha1}`,
  sha256: `${tag} ${algorithm} 2 ${sha256}`,
  sha384: `${tag} ${algorithm} 4 ${sha384}`,
})
const flipHex = (rdata: string) => rdata.slice(0, -1) + (rdata.endsWith('0') ? '1' : '0')
