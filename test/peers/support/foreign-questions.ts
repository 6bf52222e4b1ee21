/**
 * What is asked about the zones of foreign-internet.ts, what each question comes to, and who sees it in another way, with the RFC that decides.
 *
 * Statuses are what the RFCs make of a zone. drill says only whether a chain holds: `broken` is what it should say of everything that is not secure.
 */

import type { DnsReason } from '../../../src/protocol/dns/reasons.ts'
import type { DnssecReason } from '../../../src/protocol/dnssec/reasons.ts'
import { foreignAlgorithms } from './foreign-internet.ts'
import type { Status } from './validators.ts'

/** Who is asked, and with which anchors. */
export type Scene =
  /** unbound as a plain recursive server, before NSD. */
  | 'recursor'
  /** NSD itself: what the recursive one would leave out gets through. */
  | 'nsd'
  /** As `recursor`, and some zones are known to be broken: negative trust anchors. */
  | 'lenient'
  /** As `recursor`, with the keys of one zone as the only anchors. */
  | 'island'
  /** The lab's zones, with answers changed on the way. */
  | 'lab'

export type Reason = DnssecReason | Extract<DnsReason, 'dns.timeout' | 'dns.lookup-failed' | 'dns.alias-loop'>

export interface Difference {
  readonly by: 'delv' | 'unbound' | 'drill' | 'hermetic'
  readonly says: Status | 'holds' | 'broken'
  readonly because: string
}

export interface Asked {
  readonly scene: Scene
  /** `host.nsec.example A`. */
  readonly question: string
  readonly status: Status
  /** Ours; null when it is secure to us. */
  readonly reason: Reason | null
  /** Where a validator differs from `status`, and why. */
  readonly but: readonly Difference[]
}

/** A question for each: the type leaves none out, and the table of questions says what each comes to. */
export const givenTo: Readonly<Record<Reason, readonly [Scene, string]>> = {
  'dnssec.signature-missing': ['recursor', 'host.stripped-a.example A'],
  'dnssec.signature-bad': ['recursor', 'flipped-mx.example MX'],
  'dnssec.signature-expired': ['recursor', 'host.expired.example A'],
  'dnssec.signature-not-yet-valid': ['recursor', 'host.not-yet-valid.example A'],
  'dnssec.signer-not-zone': ['recursor', 'host.wrong-signer.example A'],
  'dnssec.key-missing': ['recursor', 'host.strange-zsk.example A'],
  'dnssec.no-trusted-key': ['recursor', 'host.ds-wrong-digest.example A'],
  'dnssec.key-revoked': ['recursor', 'host.revoked.example A'],
  'dnssec.dnskey-missing': ['recursor', 'host.no-dnskey.example A'],
  'dnssec.denial-unproven': ['recursor', 'nothing.gap.example A'],
  'dnssec.denial-of-wrong-zone': ['recursor', 'host.apex-at-parent.example A'],
  'dnssec.wildcard-unproven': ['recursor', 'any.wild.gap.example A'],
  'dnssec.dname-mismatch': ['lab', 'host.tree.aliases.example A'],
  'dnssec.malformed': ['lab', 'www.double.example A'],
  'dnssec.over-budget': ['lab', 'host.keytrap.example A'],
  'dnssec.unsigned-delegation': ['recursor', 'host.unsigned.example A'],
  'dnssec.opt-out': ['recursor', 'host.unsigned.test A'],
  'dnssec.unknown-algorithms': ['recursor', 'host.ds-unknown.example A'],
  'dnssec.sha1-algorithms': ['recursor', 'host.algorithm5.example A'],
  'dnssec.too-many-iterations': ['recursor', 'nothing.iterations151.example A'],
  'dnssec.negative-anchor': ['lenient', 'host.expired.example A'],
  'dnssec.no-anchor': ['island', 'host.nsec3.example A'],
  'dns.lookup-failed': ['recursor', 'host.lost.example A'],
  'dns.alias-loop': ['nsd', 'one.aliases.example A'],
  'dns.timeout': ['lab', '_25._tcp.mx.silent.example TLSA'],
}

/** What each comes to, and who sees it in another way. */
export function questions(): readonly Asked[] {
  const at =
    (scene: Scene) =>
    (status: Status, reason: Reason | null, each: readonly string[], ...but: readonly (readonly Difference[])[]) =>
      each.map((question): Asked => ({ scene, question, status, reason, but: but.flat() }))
  const all = at('recursor')
  type But = readonly (readonly Difference[])[]
  const secure = (each: readonly string[], ...but: But) => all('secure', null, each, ...but)
  const insecure = (reason: Reason, each: readonly string[], ...but: But) => all('insecure', reason, each, ...but)
  const bogus = (reason: Reason, each: readonly string[], ...but: But) => all('bogus', reason, each, ...but)
  const both = (name: string) => [`host.${name}.example A`, `nothing.${name}.example A`]
  return [
    ...at('lab')('failed', 'dns.timeout', ['_25._tcp.mx.silent.example TLSA']),

    ...['nsec', 'nsec3', 'salted', 'bind', 'bind3'].flatMap(name => [
      ...secure([...present(`${name}.example`), ...absent(`${name}.example`)]),
      ...secure([`empty.${name}.example A`], name === 'nsec' || name === 'bind' ? drillAndEmptyNames : []),
    ]),
    ...secure(['. DNSKEY', '. SOA', 'nothing A', 'example TXT', 'nothing.example MX', 'test TXT', 'test MX']),
    ...['nsec', 'nsec3'].flatMap(name => [
      ...secure(['any', 'far.any', '*'].map(each => `${each}.wild.${name}.example A`)),
      ...secure([`wild.${name}.example A`], name === 'nsec' ? drillAndEmptyNames : []),
    ]),
    ...secure(['large.example TXT', 'mixed.mixed-case.example MX', 'HOST.mixed-CASE.example A']),
    ...[
      'below.nsec',
      'below.nsec3',
      'below.opt-out',
      'below.opt-out-bind',
      'two-algorithms',
      'expired-beside-good',
    ]
      .concat(
        'ds-sha1',
        'ds-sha384',
        'ds-all-digests',
        'ds-wrong-beside-good',
        'ds-unknown-and-good',
        'iterations150',
      )
      .flatMap(name => secure(both(name))),
    ...secure(['signed.test DS', 'host.signed.test A', 'nothing.signed.test A']),

    ...foreignAlgorithms.flatMap(([number]) => {
      const isSha1 = number === 5 || number === 7
      const status = isSha1 ? sha1IsInsecure('secure') : []
      const damaged = isSha1 ? sha1IsInsecure('bogus') : []
      return [
        ...all(
          'secure',
          isSha1 ? 'dnssec.sha1-algorithms' : null,
          both(`algorithm${number}`),
          status,
          number === 16 ? noEd448 : [],
        ),
        ...all(
          'bogus',
          isSha1 ? 'dnssec.sha1-algorithms' : 'dnssec.signature-bad',
          both(`bad${number}`),
          damaged,
          number === 16 ? noEd448 : [],
        ),
      ]
    }),
    // The other algorithm is in the DS set as well, and proves.
    ...secure(both('sha1-and-ecdsa')),

    ...['nsec', 'nsec3', 'opt-out'].flatMap(name =>
      insecure('dnssec.unsigned-delegation', [...both(`unsigned.${name}`), ...both(`deep.down.${name}`)]),
    ),
    ...['unsigned', 'island.unsigned', 'no-ds'].flatMap(name =>
      insecure('dnssec.unsigned-delegation', both(name)),
    ),
    ...insecure('dnssec.unsigned-delegation', [
      'host.unsigned-tld A',
      '_25._tcp.mx.unsigned-tld TLSA',
      'unsigned-tld MX',
    ]),
    ...insecure('dnssec.unsigned-delegation', ['www.from-unsigned.unsigned-tld A', 'unsigned.example SOA']),
    // RFC 4035 §5.2: the DS set itself is signed.
    ...insecure('dnssec.unknown-algorithms', [...both('ds-unknown'), ...both('ds-unknown-digest')]),
    ...secure(['unsigned.example DS', 'unsigned.nsec3.example DS', 'ds-unknown.example DS']),

    // RFC 5155 §9.2: where a span of opt-out is part of the proof, there may be an unsigned delegation all the same.
    ...['opt-out', 'opt-out-bind'].flatMap(name => [
      ...secure([...present(`${name}.example`), `empty.${name}.example A`, `host.${name}.example DS`]),
      ...insecure('dnssec.opt-out', [`any.wild.${name}.example A`], drillAndOptOut),
      ...insecure(
        'dnssec.opt-out',
        [`any.wild.${name}.example MX`, `nothing.${name}.example A`],
        adDespiteOptOut,
        drillAndOptOut,
      ),
      ...insecure('dnssec.opt-out', [`far.below.nothing.${name}.example A`], adDespiteOptOut, drillAndOptOut),
    ]),
    ...insecure('dnssec.opt-out', [...both('unsigned.opt-out-bind'), ...both('deep.down.opt-out-bind')]),
    ...insecure('dnssec.opt-out', ['host.unsigned.test A', 'unsigned.test MX']),
    ...insecure('dnssec.opt-out', ['unsigned.test DS', 'nothing.test A'], adDespiteOptOut, drillAndOptOut),

    ...bogus('dnssec.signature-expired', [
      ...both('expired'),
      ...both('below.expired'),
      '_25._tcp.mx.expired-tlsa.example TLSA',
    ]),
    ...secure(['host.expired-tlsa.example A']),
    ...bogus('dnssec.signature-not-yet-valid', both('not-yet-valid')),
    ...bogus('dnssec.signature-missing', [...both('stripped'), ...both('stripped-keys'), 'stripped.example MX']),
    ...bogus('dnssec.signature-missing', ['host.stripped-a.example A', '_25._tcp.mx.stripped-tlsa.example TLSA']),
    ...secure(['_25._tcp.mx.stripped-a.example TLSA', 'host.stripped-tlsa.example A']),
    ...bogus('dnssec.signature-bad', ['flipped-mx.example MX', 'host.changed-a.example A']),
    ...bogus('dnssec.signature-bad', both('flipped-keys'), drillAndKeySets),
    ...secure(['host.flipped-mx.example A', 'changed-a.example MX']),
    ...bogus('dnssec.signer-not-zone', ['host.wrong-signer.example A']),
    ...bogus('dnssec.key-missing', ['host.wrong-tag.example A', ...both('strange-zsk')]),
    ...['ds-wrong-digest', 'ds-wrong-tag', 'ds-wrong-algorithm', 'ds-unknown-and-wrong'].flatMap(name =>
      bogus('dnssec.no-trusted-key', both(name)),
    ),
    ...bogus('dnssec.no-trusted-key', both('ds-good-sha1-bad-sha256'), weakerDigestCounts),
    ...bogus('dnssec.dnskey-missing', both('no-dnskey')),
    ...bogus('dnssec.key-revoked', both('revoked'), revokedOnlyAsAnchor, revokedForData),
    ...bogus('dnssec.key-revoked', both('revoked-only'), revokedOnlyAsAnchor),

    ...['gap', 'gap3'].flatMap(name => [
      ...secure([`host.${name}.example A`]),
      ...bogus(
        'dnssec.denial-unproven',
        absent(`${name}.example`).filter(question => !question.startsWith('alias')),
      ),
      ...bogus('dnssec.denial-unproven', [`alias.${name}.example MX`], drillAndAliases),
      ...bogus('dnssec.wildcard-unproven', [`any.wild.${name}.example A`], drillAndWildcards),
    ]),
    ...bogus('dnssec.denial-unproven', ['host.unsigned.gap.example A', 'host.unsigned.gap3.example A']),
    ...bogus('dnssec.denial-unproven', ['host.stripped-ds.example A', 'stripped-ds.example DS']),
    ...bogus('dnssec.wildcard-unproven', ['below.named.wild.wild-at-name.example A'], drillAndWildcards),
    ...secure(['named.wild.wild-at-name.example A', 'any.wild.wild-at-name.example A']),
    ...bogus('dnssec.signature-missing', [...absentNames('unsigned-denial'), ...absentNames('unsigned-denial3')]),
    ...bogus('dnssec.wildcard-unproven', ['any.wild.unsigned-denial.example A'], drillAndWildcards),
    // What is left covers below.host, and nothing else.
    ...secure(['below.host.gap-wild.example A', 'host.gap-wild.example AAAA']),
    ...bogus('dnssec.denial-unproven', ['nothing.gap-wild.example A']),
    ...bogus('dnssec.wildcard-unproven', ['any.wild.gap-wild.example A'], drillAndWildcards),
    ...bogus('dnssec.signature-bad', ['host.lying-nsec.example AAAA', ...absentNames('iterations-forged')]),
    ...bogus('dnssec.denial-of-wrong-zone', [`host.apex-at-parent.example A`, 'apex-at-parent.example DS']),
    ...at('nsd')('bogus', 'dnssec.denial-of-wrong-zone', ['parents-nsec.example AAAA'], drillAndParents),
    ...at('nsd')('secure', null, ['nothing.nsec.example A', 'host.bind3.example A', 'any.wild.bind3.example A']),

    // RFC 9276 §3.2: what such a proof denies is insecure, what needs no proof is not.
    ...['iterations151', 'iterations2000'].flatMap(name => [
      ...secure([`host.${name}.example A`]),
      ...insecure('dnssec.too-many-iterations', absentNames(name), drillAndIterations),
      ...insecure('dnssec.too-many-iterations', [`any.wild.${name}.example A`], drillAndIterations),
    ]),

    ...['www', 'within', 'to-nothing', 'to-no-data', 'to-wildcard', 'to-bind', 'any.star'].flatMap(name =>
      secure([`${name}.aliases.example A`]),
    ),
    ...['host.tree', 'nothing.tree', 'host.lost-tree'].flatMap(name =>
      secure([`${name}.aliases.example A`], drillAndDname),
    ),
    ...secure(['tree.aliases.example DNAME', 'tree.aliases.example A']),
    ...insecure('dnssec.unsigned-delegation', ['to-unsigned.aliases.example A'], drillAndAliases),
    ...insecure('dnssec.unsigned-delegation', ['host.unsigned-tree.aliases.example A']),
    ...bogus('dnssec.signature-expired', ['to-bogus.aliases.example A'], drillAndAliases),
    ...bogus('dnssec.signature-expired', ['host.bogus-tree.aliases.example A']),
    // The recursive server walks round in the loop until it gives up.
    ...all('failed', 'dns.lookup-failed', [
      'one.aliases.example A',
      'host.lost.example A',
      '_25._tcp.mx.lost.example TLSA',
    ]),
    ...at('nsd')('failed', 'dns.alias-loop', ['one.aliases.example A'], drillAndAliases),

    ...at('lenient')('insecure', 'dnssec.negative-anchor', [...both('expired')], onlyAnchors('bogus')),
    ...at('lenient')('insecure', 'dnssec.negative-anchor', ['host.gap.example A'], onlyAnchors('secure')),
    ...at('lenient')('secure', null, ['host.nsec3.example A']),
    ...at('island')('secure', null, [...both('nsec')]),
    ...at('island')('insecure', 'dnssec.no-anchor', ['host.nsec3.example A', 'example TXT']),

    ...at('lab')('bogus', 'dnssec.over-budget', both('keytrap')),
    ...at('lab')('bogus', 'dnssec.malformed', ['www.double.example A'], doubleAlias),
    ...at('lab')('bogus', 'dnssec.dname-mismatch', ['host.tree.aliases.example A'], ownAlias),
  ]
}

function present(apex: string): readonly string[] {
  return [
    `host.${apex} A`,
    `${apex} MX`,
    `_25._tcp.mx.${apex} TLSA`,
    `${apex} DNSKEY`,
    `${apex} DS`,
    `named.wild.${apex} A`,
    `alias.${apex} A`,
  ]
}

/** Where something must be proven to be not there. */
function absent(apex: string): readonly string[] {
  return [
    `host.${apex} AAAA`,
    `alias.${apex} MX`,
    `host.${apex} DS`,
    `any.wild.${apex} MX`,
    `nothing.${apex} A`,
    `far.below.nothing.${apex} A`,
    `below.host.${apex} A`,
  ]
}

const absentNames = (name: string) => [
  `nothing.${name}.example A`,
  `host.${name}.example AAAA`,
  `any.wild.${name}.example MX`,
]

const differs = (
  by: readonly Difference['by'][],
  says: Difference['says'],
  because: string,
): readonly Difference[] => by.map(each => ({ by: each, says, because }))

const sha1IsInsecure = (otherwise: 'secure' | 'bogus') =>
  differs(
    ['hermetic'],
    'insecure',
    `RFC 9905 §2: SHA-1 proves nothing any more; the others still validate it, and find it ${otherwise}`,
  )
const noEd448 = differs(['unbound'], 'insecure', 'the unbound of Debian 12 does not know Ed448')
const adDespiteOptOut = differs(
  ['delv'],
  'secure',
  'BIND calls a negative answer secure although an opt-out span is part of its proof (RFC 5155 §9.2)',
)
const revokedForNoPurpose = 'RFC 5011 §2.1: a revoked key is for no purpose any more'
const revokedOnlyAsAnchor = [
  ...differs(['unbound'], 'secure', `${revokedForNoPurpose}; unbound heeds that in anchors alone`),
  ...differs(['drill'], 'holds', `${revokedForNoPurpose}; drill does not know the flag`),
]
const revokedForData = differs(
  ['delv'],
  'secure',
  `${revokedForNoPurpose}; BIND heeds that in keys that sign data`,
)
const weakerDigestCounts = [
  ...differs(
    ['unbound'],
    'secure',
    'RFC 4509 §3: SHA-1 should not count beside SHA-256, and does where harden-algo-downgrade is off, as it is by default',
  ),
  ...differs(['drill'], 'holds', 'any DS will do for drill; RFC 4509 §3'),
]
const onlyAnchors = (otherwise: 'secure' | 'bogus') => [
  ...differs(
    ['delv'],
    otherwise,
    'delv knows no negative trust anchors (RFC 7646), and says what it would otherwise',
  ),
  ...(otherwise === 'secure' ? differs(['drill'], 'holds', 'nor does drill') : []),
]
const doubleAlias = [
  ...differs(
    ['delv'],
    'failed',
    'two CNAMEs at one name are an error to BIND before anything is validated (RFC 2181 §10.1); nobody follows them',
  ),
  ...differs(['drill'], 'holds', 'drill looks at signatures alone'),
]
const ownAlias = differs(
  ['delv', 'unbound'],
  'secure',
  'they make the CNAME of the DNAME themselves, and never see the one that was sent; RFC 6672 §5.3.1 wants it compared',
)

const drillAndEmptyNames = differs(
  ['drill'],
  'broken',
  'drill looks for an NSEC that is owned by the empty name itself; the one that covers it is the proof (RFC 4035 §5.4)',
)
const drillAndOptOut = differs(['drill'], 'holds', 'drill has two words only, and the signatures are right')
const drillAndIterations = differs(['drill'], 'holds', 'drill counts to any number')
const drillAndKeySets = differs(
  ['drill'],
  'holds',
  'drill goes from the DS to the key, and needs no signature of the set that it stands in (RFC 4035 §5.2)',
)
const drillAndWildcards = differs(
  ['drill'],
  'holds',
  'drill does not ask for the proof that the name itself does not exist (RFC 4035 §5.3.4)',
)
const drillAndAliases = differs(['drill'], 'holds', 'drill judges the first alias, and not what it leads to')
const drillAndDname = differs(
  ['drill'],
  'broken',
  'drill wants the CNAME signed that a DNAME makes (RFC 6672 §5.3.1)',
)
const drillAndParents = differs(
  ['drill'],
  'holds',
  'drill takes the word of the parent for what is in the child (RFC 6840 §4.1)',
)
