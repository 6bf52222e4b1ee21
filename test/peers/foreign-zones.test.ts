/**
 * Zones that foreign signers made (ldns-signzone, BIND's dnssec-signzone) and NSD serves, judged by our resolver and by three real validators (delv, unbound, drill),
 * all through one recursive server that validates nothing: the same status for every question, or a reason in the table why not, and the RFC that decides.
 *
 * Every reason that the validator can give is given to one of these questions at least. What no foreign server can be made to send, as it looks after its zones
 * or lacks the malice, comes from the lab's zones, and the foreign validators judge it as well.
 *
 * drill says only whether a chain holds: to it everything else is `broken`.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDns } from '../../src/lab/dns-server.ts'
import { privateInternet } from '../../src/lab/signing/private-internet.ts'
import { createSignedWorld, forged, type SignedWorld, worldZone } from '../../src/lab/signing/signed-world.ts'
import { nameKey } from '../../src/protocol/dns/name.ts'
import { typeNumbers } from '../../src/protocol/dns/numbers.ts'
import type { DnsReason } from '../../src/protocol/dns/reasons.ts'
import { makeRecord } from '../../src/protocol/dns/records.ts'
import { readAnchors } from '../../src/protocol/dnssec/anchors.ts'
import type { DnssecReason } from '../../src/protocol/dnssec/reasons.ts'
import { name as nameOf, questionFrom } from '../../src/protocol/dnssec/testing/validating.ts'
import { createDnsWire } from '../../src/system/dns-wire.ts'
import { createValidatingResolver } from '../../src/system/validating-resolver.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { foreignAlgorithms, foreignInternet } from './support/foreign-internet.ts'
import { makeForeignZones } from './support/foreign-signers.ts'
import { startNsd, startRecursor } from './support/name-servers.ts'
import { foreignValidators, type Place, type Status, type Validators } from './support/validators.ts'

/** Who is asked, and with which anchors. */
type Scene =
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

type Reason = DnssecReason | Extract<DnsReason, 'dns.timeout' | 'dns.lookup-failed' | 'dns.alias-loop'>

interface Difference {
  readonly by: 'delv' | 'unbound' | 'drill' | 'hermetic'
  readonly says: Status | 'holds' | 'broken'
  readonly because: string
}

interface Asked {
  readonly scene: Scene
  /** `host.nsec.example A`. */
  readonly question: string
  readonly status: Status
  /** Ours; null when it is secure. */
  readonly reason: Reason | null
  /** Where a validator differs from `status`, and why. */
  readonly but: readonly Difference[]
}

/** A question for each: the type leaves none out, and the table of questions says what each comes to. */
const givenTo: Readonly<Record<Reason, readonly [Scene, string]>> = {
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
const revokedOnlyAsAnchor = [
  ...differs(
    ['delv', 'unbound'],
    'secure',
    'they heed REVOKE in keys that sign data or are kept as anchors; RFC 5011 §2.1 says for any purpose',
  ),
  ...differs(['drill'], 'holds', 'drill does not know REVOKE'),
]
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
const noWordForIt: readonly Difference[] = []
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
  'they throw the CNAME away, and make their own of the DNAME; RFC 6672 §5.3.1 wants the one that was sent compared, and nobody follows it',
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

const directory = temporaryDirectory('foreign-zones')
const scenes = new Map<
  Scene,
  Validators & { hermetic(question: string): Promise<{ status: Status; reason: string | null }> }
>()
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const folder = (name: string) => {
    const path = join(directory.path, name)
    mkdirSync(path)
    return path
  }
  const zones = await makeForeignZones(folder('zones'), foreignInternet())
  const nsd = await startNsd(folder('nsd'), zones.files)
  closers.push(() => nsd.stop())
  const recursor = await startRecursor(folder('recursor'), zones.files.keys(), nsd)
  closers.push(() => recursor.stop())
  const world = strangeLab()
  const lab = await startDns(world.respond)
  closers.push(() => lab.close())

  const set = (scene: Scene, resolver: Place, anchors: readonly string[], insecure: readonly string[] = []) => {
    const foreign = foreignValidators({ directory: folder(`scene-${scene}`), resolver, anchors, insecure })
    scenes.set(scene, { ...foreign, hermetic: ours(resolver, anchors, insecure) })
  }
  set('recursor', recursor, zones.anchors(''))
  set('nsd', nsd, zones.anchors(''))
  set('lenient', recursor, zones.anchors(''), ['expired.example', 'gap.example'])
  set('island', recursor, zones.anchors('nsec.example'))
  set('lab', lab, world.anchorLines.dnskey)
})
afterAll(async () => {
  for (const close of closers.reverse()) await close()
  directory.remove()
})

test.concurrent.for(asked().map(each => [each.scene, each.question, each] as const))(
  '%s: %s',
  async ([scene, question, { status, reason, but }]) => {
    const by = scenes.get(scene)
    if (by === undefined) throw new Error('no such scene')
    const [delv, unbound, drill, hermetic] = await Promise.all([
      by.delv(question),
      by.unbound(question),
      by.drill(question),
      by.hermetic(question),
    ])
    const expected = {
      ...{
        delv: status,
        unbound: status,
        drill: status === 'secure' ? 'holds' : 'broken',
        hermetic: status,
        reason,
      },
      ...Object.fromEntries(but.map(each => [each.by, each.says])),
    }
    expect({ delv, unbound, drill, hermetic: hermetic.status, reason: hermetic.reason }).toEqual(expected)
  },
)

test('every reason is the answer to a question above', () => {
  for (const [reason, [scene, question]] of Object.entries(givenTo)) {
    const found = asked().find(each => each.scene === scene && each.question === question)
    expect([question, found?.reason]).toEqual([question, reason])
  }
})

test('no question is asked twice, and no difference is listed that is none', () => {
  const questions = asked().map(({ scene, question }) => `${scene} ${question}`)
  expect(questions).toEqual([...new Set(questions)])
  for (const { question, status, but } of asked())
    for (const { by, says } of but)
      expect([question, by, says]).not.toEqual([
        question,
        by,
        by === 'drill' ? (status === 'secure' ? 'holds' : 'broken') : status,
      ])
})

/** What each comes to, and who sees it in another way. */
function asked(): readonly Asked[] {
  const at =
    (scene: Scene) =>
    (
      status: Status,
      reason: Reason | null,
      questions: readonly string[],
      ...but: readonly (readonly Difference[])[]
    ) =>
      questions.map((question): Asked => ({ scene, question, status, reason, but: but.flat() }))
  const all = at('recursor')
  const both = (name: string) => [`host.${name}.example A`, `nothing.${name}.example A`]
  return [
    ...at('lab')('failed', 'dns.timeout', ['_25._tcp.mx.silent.example TLSA']),

    ...['nsec', 'nsec3', 'salted', 'bind', 'bind3'].flatMap(name => [
      ...all('secure', null, [...present(`${name}.example`), ...absent(`${name}.example`)]),
      ...all(
        'secure',
        null,
        [`empty.${name}.example A`],
        name === 'nsec' || name === 'bind' ? drillAndEmptyNames : [],
      ),
    ]),
    ...all('secure', null, [
      '. DNSKEY',
      '. SOA',
      'nothing A',
      'example TXT',
      'nothing.example MX',
      'test TXT',
      'test MX',
    ]),
    ...all('secure', null, ['large.example TXT', 'mixed.mixed-case.example MX', 'HOST.mixed-CASE.example A']),
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
      .flatMap(name => all('secure', null, both(name))),
    ...all('secure', null, ['signed.test DS', 'host.signed.test A', 'nothing.signed.test A']),

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
    ...all('secure', null, both('sha1-and-ecdsa')),

    ...['nsec', 'nsec3', 'opt-out'].flatMap(name =>
      all('insecure', 'dnssec.unsigned-delegation', [...both(`unsigned.${name}`), ...both(`deep.down.${name}`)]),
    ),
    ...['unsigned', 'island.unsigned', 'no-ds'].flatMap(name =>
      all('insecure', 'dnssec.unsigned-delegation', both(name)),
    ),
    ...all('insecure', 'dnssec.unsigned-delegation', [
      'host.unsigned-tld A',
      '_25._tcp.mx.unsigned-tld TLSA',
      'unsigned-tld MX',
    ]),
    ...all('insecure', 'dnssec.unsigned-delegation', ['www.from-unsigned.unsigned-tld A', 'unsigned.example SOA']),
    // RFC 4035 §5.2: the DS set itself is signed.
    ...all('insecure', 'dnssec.unknown-algorithms', [...both('ds-unknown'), ...both('ds-unknown-digest')]),
    ...all('secure', null, ['unsigned.example DS', 'unsigned.nsec3.example DS', 'ds-unknown.example DS']),

    // RFC 5155 §9.2: where a span of opt-out is part of the proof, there may be an unsigned delegation all the same.
    ...['opt-out', 'opt-out-bind'].flatMap(name => [
      ...all('secure', null, [
        ...present(`${name}.example`),
        `empty.${name}.example A`,
        `host.${name}.example DS`,
      ]),
      ...all('insecure', 'dnssec.opt-out', [`any.wild.${name}.example A`], drillAndOptOut),
      ...all(
        'insecure',
        'dnssec.opt-out',
        [`any.wild.${name}.example MX`, `nothing.${name}.example A`],
        adDespiteOptOut,
        drillAndOptOut,
      ),
      ...all(
        'insecure',
        'dnssec.opt-out',
        [`far.below.nothing.${name}.example A`],
        adDespiteOptOut,
        drillAndOptOut,
      ),
    ]),
    ...all('insecure', 'dnssec.opt-out', [...both('unsigned.opt-out-bind'), ...both('deep.down.opt-out-bind')]),
    ...all('insecure', 'dnssec.opt-out', ['host.unsigned.test A', 'unsigned.test MX']),
    ...all('insecure', 'dnssec.opt-out', ['unsigned.test DS', 'nothing.test A'], adDespiteOptOut, drillAndOptOut),

    ...all('bogus', 'dnssec.signature-expired', [...both('expired'), '_25._tcp.mx.expired-tlsa.example TLSA']),
    ...all('secure', null, ['host.expired-tlsa.example A']),
    ...all('bogus', 'dnssec.signature-not-yet-valid', both('not-yet-valid')),
    ...all('bogus', 'dnssec.signature-missing', [
      ...both('stripped'),
      ...both('stripped-keys'),
      'stripped.example MX',
    ]),
    ...all('bogus', 'dnssec.signature-missing', [
      'host.stripped-a.example A',
      '_25._tcp.mx.stripped-tlsa.example TLSA',
    ]),
    ...all('secure', null, ['_25._tcp.mx.stripped-a.example TLSA', 'host.stripped-tlsa.example A']),
    ...all('bogus', 'dnssec.signature-bad', ['flipped-mx.example MX', 'host.changed-a.example A']),
    ...all('bogus', 'dnssec.signature-bad', both('flipped-keys'), drillAndKeySets),
    ...all('secure', null, ['host.flipped-mx.example A', 'changed-a.example MX']),
    ...all('bogus', 'dnssec.signer-not-zone', ['host.wrong-signer.example A']),
    ...all('bogus', 'dnssec.key-missing', ['host.wrong-tag.example A', ...both('strange-zsk')]),
    ...['ds-wrong-digest', 'ds-wrong-tag', 'ds-wrong-algorithm', 'ds-unknown-and-wrong'].flatMap(name =>
      all('bogus', 'dnssec.no-trusted-key', both(name)),
    ),
    ...all('bogus', 'dnssec.no-trusted-key', both('ds-good-sha1-bad-sha256'), weakerDigestCounts),
    ...all('bogus', 'dnssec.dnskey-missing', both('no-dnskey')),
    ...all('bogus', 'dnssec.key-revoked', both('revoked'), revokedOnlyAsAnchor),

    ...['gap', 'gap3'].flatMap(name => [
      ...all('secure', null, [`host.${name}.example A`]),
      ...all(
        'bogus',
        'dnssec.denial-unproven',
        absent(`${name}.example`).filter(question => !question.startsWith('alias')),
      ),
      ...all('bogus', 'dnssec.denial-unproven', [`alias.${name}.example MX`], drillAndAliases),
      ...all('bogus', 'dnssec.wildcard-unproven', [`any.wild.${name}.example A`], drillAndWildcards),
    ]),
    ...all('bogus', 'dnssec.signature-missing', [
      ...absentNames('unsigned-denial'),
      ...absentNames('unsigned-denial3'),
    ]),
    ...all('bogus', 'dnssec.wildcard-unproven', ['any.wild.unsigned-denial.example A'], drillAndWildcards),
    // What is left covers below.host, and nothing else.
    ...all('secure', null, ['below.host.gap-wild.example A', 'host.gap-wild.example AAAA']),
    ...all('bogus', 'dnssec.denial-unproven', ['nothing.gap-wild.example A']),
    ...all('bogus', 'dnssec.wildcard-unproven', ['any.wild.gap-wild.example A'], drillAndWildcards),
    ...all('bogus', 'dnssec.signature-bad', ['host.lying-nsec.example AAAA', ...absentNames('iterations-forged')]),
    ...all('bogus', 'dnssec.denial-of-wrong-zone', [`host.apex-at-parent.example A`, 'apex-at-parent.example DS']),
    ...at('nsd')('bogus', 'dnssec.denial-of-wrong-zone', ['parents-nsec.example AAAA'], drillAndParents),
    ...at('nsd')('secure', null, ['nothing.nsec.example A', 'host.bind3.example A', 'any.wild.bind3.example A']),

    // RFC 9276 §3.2: what such a proof denies is insecure, what needs no proof is not.
    ...['iterations151', 'iterations2000'].flatMap(name => [
      ...all('secure', null, [`host.${name}.example A`]),
      ...all('insecure', 'dnssec.too-many-iterations', absentNames(name), drillAndIterations),
      ...all('insecure', 'dnssec.too-many-iterations', [`any.wild.${name}.example A`], drillAndIterations),
    ]),

    ...['www', 'within', 'to-nothing', 'to-no-data', 'to-wildcard', 'to-bind', 'any.star'].flatMap(name =>
      all('secure', null, [`${name}.aliases.example A`]),
    ),
    ...['host.tree', 'nothing.tree', 'host.lost-tree'].flatMap(name =>
      all('secure', null, [`${name}.aliases.example A`], drillAndDname),
    ),
    ...all('secure', null, ['tree.aliases.example DNAME', 'tree.aliases.example A']),
    ...all('insecure', 'dnssec.unsigned-delegation', ['to-unsigned.aliases.example A'], drillAndAliases),
    ...all('insecure', 'dnssec.unsigned-delegation', ['host.unsigned-tree.aliases.example A']),
    ...all('bogus', 'dnssec.signature-expired', ['to-bogus.aliases.example A'], drillAndAliases),
    ...all('bogus', 'dnssec.signature-expired', ['host.bogus-tree.aliases.example A']),
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
    ...at('island')('insecure', 'dnssec.no-anchor', ['host.nsec3.example A', 'example TXT'], noWordForIt),

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

/** Our resolver on a socket of its own, with everything that it does before it calls an answer bogus. */
function ours(resolver: Place, lines: readonly string[], insecure: readonly string[]) {
  const wire = createDnsWire({ servers: [`${resolver.address}:${resolver.port}`], timeoutMs: 10_000 })
  closers.push(() => wire.close())
  const read = readAnchors(`${lines.join('\n')}\n`)
  if (read.kind !== 'anchors') throw new Error(read.says)
  const validating = createValidatingResolver({
    wire,
    anchors: read.anchors,
    insecure: insecure.map(nameOf),
    now: () => Date.now(),
  })
  return async (question: string): Promise<{ status: Status; reason: string | null }> => {
    const { name, type } = questionFrom(question)
    const { security, outcome, reason } = await validating.resolve(name, type)
    if (security !== 'indeterminate') return { status: security, reason }
    // Not judged, for want of an anchor, is not failed: the answer is there.
    return { status: outcome === 'failed' ? 'failed' : 'insecure', reason }
  }
}

/** With a name that has two CNAMEs, and a server in between that lets the tree of a DNAME lead elsewhere. */
function strangeLab(): SignedWorld {
  const double = ['www.double.example CNAME host.nsec.example', 'www.double.example CNAME host.nsec3.example']
  const world = createSignedWorld({
    zones: [...privateInternet(), worldZone('double.example', double, {})],
    nowMs: Date.now(),
  })
  return forged(world, ({ name }, honest) => {
    const owner = 'host.tree.aliases.example'
    if (nameKey(name) !== owner) return honest
    const elsewhere = makeRecord(owner, 300, { type: 'CNAME', target: 'host.nsec3.example' })
    const answers = honest.answers
      .filter(record => !nameKey(record.name).endsWith('nsec.example'))
      .map(record => (record.type === typeNumbers.CNAME ? elsewhere : record))
    return { ...honest, answers }
  })
}
