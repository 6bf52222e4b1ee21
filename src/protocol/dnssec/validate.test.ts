import { describe, expect, test } from 'vitest'
import { privateInternet } from '../../lab/signing/private-internet.ts'
import {
  answersOf,
  createSignedWorld,
  type Forge,
  forged,
  type SignedWorld,
  type WorldZone,
  worldZone,
} from '../../lab/signing/signed-world.ts'
import { dsRdata, zoneKey } from '../../lab/signing/zone-keys.ts'
import { recordOf } from '../../lab/signing/zone-lines.ts'
import { type Message, makeQuery, nameBytes, type ResourceRecord } from '../dns/message.ts'
import { equalNames, nameKey } from '../dns/name.ts'
import { classInternet, rcodes, type TypeMnemonic, typeNumbers } from '../dns/numbers.ts'
import type { DnsReason } from '../dns/reasons.ts'
import type { BogusReason, InsecureReason } from './reasons.ts'
import { name, questionFrom, runValidation, type ValidatingOptions } from './testing/validating.ts'
import type { ValidatedAnswer, WireQuestion } from './types.ts'
import { maxVerifications } from './verify-set.ts'
import { createZoneCache } from './zone-cache.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const dayMs = 86_400_000

const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const
const zones: readonly WorldZone[] = [
  worldZone('example', ['example TXT the parent'], { keys: 'split' }),
  worldZone('victim.example', content('victim.example'), { keys: 'split' }),
  worldZone('child.victim.example', ['child.victim.example MX 10 mx.victim.example'], {}),
  worldZone('hashed.example', content('hashed.example'), { denial: nsec3 }),
  worldZone('child.hashed.example', ['child.hashed.example MX 10 mx.hashed.example'], { denial: nsec3 }),
  worldZone('optout.example', content('optout.example'), { denial: { ...nsec3, optOut: 'unsigned-delegations' } }),
  worldZone('open.optout.example', content('open.optout.example'), null),
  worldZone('open.example', content('open.example'), null),
  worldZone('attacker.example', content('attacker.example'), {}),
  worldZone('bomb.example', content('bomb.example'), { denial: { ...nsec3, iterations: 2_000 } }),
  worldZone('revoked.example', content('revoked.example'), { damage: [{ kind: 'revoked-key' }] }),
  worldZone('trap.example', content('trap.example'), {
    damage: [{ kind: 'colliding-keys', keys: 40, signatures: 40 }],
  }),
  worldZone('ds-unknown.example', content('ds-unknown.example'), {}, { ds: 'unknown-algorithm' }),
  worldZone('ds-mixed.example', content('ds-mixed.example'), {}, { ds: 'unknown-and-good' }),
  worldZone('ds-mixed-wrong.example', content('ds-mixed-wrong.example'), {}, { ds: 'unknown-and-wrong' }),
  worldZone('sha1.example', content('sha1.example'), { algorithms: [5] }),
  worldZone('expired.example', content('expired.example'), { damage: [{ kind: 'expired', type: 'A' }] }),
  worldZone('early.example', content('early.example'), { damage: [{ kind: 'not-yet-valid', type: 'A' }] }),
  worldZone(
    'servfail.example',
    content('servfail.example'),
    {},
    { servers: [{ types: ['TLSA'], does: 'servfail' }] },
  ),
  worldZone(
    'silent.example',
    content('silent.example'),
    {},
    { servers: [{ types: ['DNSKEY'], does: 'silence' }] },
  ),
  worldZone(
    'apex-alias.example',
    ['apex-alias.example CNAME host.victim.example', 'apex-alias.example MX 10 a.example'],
    {},
  ),
  worldZone(
    'aliases.example',
    [
      'www.aliases.example CNAME host.victim.example',
      'to-open.aliases.example CNAME host.open.example',
      'through-open.aliases.example CNAME back.open.example',
      'to-expired.aliases.example CNAME host.expired.example',
      'to-nothing.aliases.example CNAME nothing.victim.example',
      'to-no-data.aliases.example CNAME mx.victim.example',
      'tree.aliases.example DNAME victim.example',
      'one.aliases.example CNAME two.hashed.example',
      'grow.aliases.example DNAME a.long.label.and.another.grow.aliases.example',
      ...Array.from({ length: 20 }, (_, i) => `hop${i}.aliases.example CNAME hop${i + 1}.aliases.example`),
      'hop20.aliases.example A 192.0.2.20',
    ],
    {},
  ),
]
const world = createSignedWorld({ zones, nowMs })

/** A mail domain with two wildcards, one of them above a name that is only above others. */
function content(apex: string): readonly string[] {
  return [
    `${apex} MX 10 mx.${apex}`,
    `mx.${apex} A 192.0.2.25`,
    `_25._tcp.mx.${apex} TLSA 3 1 1 ${'00112233'.repeat(8)}`,
    `host.${apex} A 192.0.2.1`,
    `*.${apex} A 192.0.2.66`,
    `*.${apex} TXT any`,
    `below.sub.${apex} TXT only this`,
    `back.${apex} CNAME host.victim.example`,
    ...(apex === 'hashed.example' ? ['two.hashed.example CNAME one.aliases.example'] : []),
  ]
}

function ask(question: string, forge: Forge | null = null, options: Partial<ValidatingOptions> = {}) {
  const behind = forge === null ? world : forged(world, forge)
  return runValidation(question, answersOf(behind), { anchors: world.anchors, nowMs, ...options })
}

const brief = ({ outcome, security, reason }: ValidatedAnswer) => ({ outcome, security, reason })
type Brief = ReturnType<typeof brief>
const secure = (outcome: ValidatedAnswer['outcome']): Brief => ({ outcome, security: 'secure', reason: null })
const insecure = (outcome: ValidatedAnswer['outcome'], reason: InsecureReason): Brief => ({
  outcome,
  security: 'insecure',
  reason,
})
const bogus = (reason: BogusReason): Brief => ({ outcome: 'failed', security: 'bogus', reason })
const failed = (reason: DnsReason): Brief => ({ outcome: 'failed', security: 'indeterminate', reason })

/** Changes the answer to one question; every other stays honest. */
function on(text: string, change: (honest: Message) => Message): Forge {
  const wanted = questionFrom(text)
  return (question, honest) => (isSame(question, wanted) ? change(honest) : honest)
}

function together(...forges: readonly Forge[]): Forge {
  return (question, honest) =>
    forges.reduce<Message | 'silence'>(
      (message, forge) => (message === 'silence' ? message : forge(question, message)),
      honest,
    )
}

function isSame(one: WireQuestion, other: WireQuestion) {
  return one.type === other.type && equalNames(one.name, other.name)
}

/** What the honest world answers, DO and CD set. */
function honestly(text: string, from: SignedWorld = world): Message {
  const edns = { udpPayloadBytes: 1_232, version: 0, dnssecOk: true, options: [] }
  const message = from.respond({ ...makeQuery({ id: 1, ...questionFrom(text), edns }), checkingDisabled: true })
  if (message === 'silence') throw new Error('nothing came')
  return message
}

/** Records signed by the owner of a zone, or by whoever has a key, with any fields. */
function signedIn(
  apex: string,
  lines: readonly string[],
  wish: NonNullable<Parameters<ReturnType<SignedWorld['zone']>['sign']>[1]> = {},
): readonly ResourceRecord[] {
  const records = lines.map(recordOf)
  return [...records, ...world.zone(apex).sign(records, wish)]
}

/** Records of a type and their signatures, as a zone has them. */
function rrset(apex: string, owner: string, type: TypeMnemonic): readonly ResourceRecord[] {
  const set = world.zone(apex).rrset(name(owner), typeNumbers[type])
  if (set === null) throw new Error(`no ${owner} ${type} in ${apex}`)
  return [...set.records, ...set.signatures]
}

/** NSEC or NSEC3 of a zone at a name, or around it, with its signature. */
function proof(apex: string, owner: string): readonly ResourceRecord[] {
  const zone = world.zone(apex)
  const record = zone.chain?.match(name(owner)) ?? zone.chain?.cover(name(owner))
  const set = record === null || record === undefined ? null : zone.proof(record)
  if (set === null) throw new Error(`no proof for ${owner} in ${apex}`)
  return [...set.records, ...set.signatures]
}

const soa = (apex: string) => {
  const { soa: set } = world.zone(apex)
  return [...set.records, ...set.signatures]
}

const evil = 'mx.victim.example A 203.0.113.66'
const isSignature = ({ type }: ResourceRecord) => type === typeNumbers.RRSIG
const stripped = (records: readonly ResourceRecord[]) => records.filter(record => !isSignature(record))
const stripEverything: Forge = (_, honest) => ({
  ...honest,
  answers: stripped(honest.answers),
  authorities: stripped(honest.authorities).filter(
    ({ type }) => type !== typeNumbers.NSEC && type !== typeNumbers.NSEC3,
  ),
})
const noData = (honest: Message, authorities: readonly ResourceRecord[]): Message => ({
  ...honest,
  rcode: rcodes.NOERROR,
  answers: [],
  authorities,
})

describe('what is true', () => {
  test.each([
    ['mx.victim.example A', secure('records')],
    ['mx.hashed.example A', secure('records')],
    ['victim.example MX', secure('records')],
    ['_25._tcp.mx.victim.example TLSA', secure('records')],
    ['any.victim.example A', secure('records')],
    ['any.hashed.example TXT', secure('records')],
    ['*.victim.example A', secure('records')],
    ['mx.victim.example AAAA', secure('no-data')],
    ['sub.victim.example A', secure('no-data')],
    ['any.victim.example AAAA', secure('no-data')],
    ['any.hashed.example AAAA', secure('no-data')],
    ['nothing.example A', secure('no-such-name')],
    ['nothing.sub.victim.example A', secure('no-such-name')],
    ['nothing.sub.hashed.example A', secure('no-such-name')],
    ['child.victim.example MX', secure('records')],
    ['victim.example DS', secure('records')],
    ['open.example DS', secure('no-data')],
    ['host.victim.example DS', secure('no-data')],
    ['. DNSKEY', secure('records')],
    ['. SOA', secure('records')],
    ['victim.example DNSKEY', secure('records')],
    ['host.open.example A', insecure('records', 'dnssec.unsigned-delegation')],
    ['host.open.example AAAA', insecure('no-data', 'dnssec.unsigned-delegation')],
    ['nothing.sub.open.example A', insecure('no-such-name', 'dnssec.unsigned-delegation')],
    ['host.open.optout.example A', insecure('records', 'dnssec.opt-out')],
    ['www.aliases.example A', secure('records')],
    ['www.aliases.example CNAME', secure('records')],
    ['to-no-data.aliases.example AAAA', secure('no-data')],
    ['to-nothing.aliases.example A', secure('records')],
    ['host.tree.aliases.example A', secure('records')],
    ['host.tree.aliases.example CNAME', secure('records')],
    ['any.tree.aliases.example AAAA', secure('no-data')],
    ['to-open.aliases.example A', insecure('records', 'dnssec.unsigned-delegation')],
    ['to-open.aliases.example CNAME', secure('records')],
  ])('%s', (question, expected) => {
    expect(brief(ask(question).answer)).toEqual(expected)
  })

  /** What the resolver of the lab does not look at, and what its servers withhold. */
  const ours = new Set<ValidatedAnswer['reason']>([
    'dnssec.sha1-algorithms',
    'dnssec.opt-out',
    'dnssec.too-many-iterations',
    'dnssec.over-budget',
  ])

  test('the private internet is judged as a resolver judges it that was told what is broken', () => {
    const internet = createSignedWorld({ zones: privateInternet(), nowMs, behaviour: 'validates' })
    const edns = { udpPayloadBytes: 1_232, version: 0, dnssecOk: true, options: [] }
    const options = { anchors: internet.anchors, nowMs, insecure: ['local'], zones: createZoneCache() }
    const different: string[] = []
    for (const { apex } of privateInternet().filter(zone => zone.apex !== '' && zone.apex !== 'empty.example'))
      for (const owner of [
        'DS',
        'MX',
        'mx. A',
        '_25._tcp.mx. TLSA',
        'nothing. A',
        'any.wild. A',
        'any.wild. TLSA',
      ]) {
        const question = owner.includes(' ') ? owner.replace(' ', `${apex} `) : `${apex} ${owner}`
        const theirs = internet.respond(makeQuery({ id: 1, ...questionFrom(question), edns }))
        const { answer } = runValidation(question, answersOf(internet), options)
        if (ours.has(answer.reason)) continue
        const isRefused = theirs === 'silence' || theirs.rcode === rcodes.SERVFAIL
        const expected = isRefused ? 'failed' : theirs.authenticData ? 'secure' : 'insecure'
        const found = answer.outcome === 'failed' ? 'failed' : answer.security
        if (found !== expected) different.push(`${question}: ${found} ${answer.reason ?? ''}, and not ${expected}`)
      }
    expect(different).toEqual([])
  })

  test('the records are those of the question, with the aliases that led there', () => {
    const { answer } = ask('www.aliases.example A')
    expect(answer.records.map(({ name: owner, rdata }) => [nameKey(owner), [...rdata]])).toEqual([
      ['host.victim.example', [192, 0, 2, 1]],
    ])
    expect(answer.aliases.map(({ from, to, by }) => [nameKey(from), nameKey(to), by])).toEqual([
      ['www.aliases.example', 'host.victim.example', 'CNAME'],
    ])
  })

  test('a CNAME that a DNAME makes is answered although nobody signed it', () => {
    const { answer } = ask('host.tree.aliases.example CNAME')
    expect(answer.records).toMatchObject([
      { type: typeNumbers.CNAME, rdata: nameBytes(name('host.victim.example')) },
    ])
  })

  test('a server that leaves off in the middle of a chain is asked for the rest', () => {
    const onlyAlias = on('www.aliases.example A', honest => ({
      ...honest,
      answers: honest.answers.filter(record => equalNames(record.name, name('www.aliases.example'))),
    }))
    const { answer, asked } = ask('www.aliases.example A', onlyAlias)
    expect(brief(answer)).toEqual(secure('records'))
    expect(asked.flat()).toContain('host.victim.example A')
  })

  test('what does not depend on each other is asked at the same time, and nothing twice', () => {
    const { asked } = ask('mx.victim.example A')
    expect(asked).toEqual([
      ['mx.victim.example A'],
      ['. DNSKEY', 'example DS', 'example DNSKEY', 'victim.example DS', 'victim.example DNSKEY'],
    ])
    for (const question of ['to-open.aliases.example A', 'mx.hashed.example AAAA', 'host.open.optout.example A']) {
      const all = ask(question).asked.flat()
      expect(new Set(all).size).toBe(all.length)
    }
  })

  test('the steps say, zone by zone, how the answer came to be trusted', () => {
    const tags = ['', 'example', 'victim.example'].map(
      apex => world.zone(apex).keys.find(({ purpose }) => purpose !== 'zsk')?.keyTag,
    )
    expect(ask('host.victim.example A').answer.steps.map(({ says }) => says)).toEqual([
      `The root is signed: trust anchor ${tags[0]} vouches for its key ${tags[0]}.`,
      `example is signed: its key ${tags[1]} is named by the DS in the root.`,
      `victim.example is signed: its key ${tags[2]} is named by the DS in example.`,
      'host.victim.example A is signed by victim.example.',
    ])
    expect(
      ask('host.open.example A')
        .answer.steps.slice(2)
        .map(({ says }) => says),
    ).toEqual([
      'open.example is not signed: example proves with NSEC that there is no DS.',
      'Nothing vouches for host.open.example A.',
    ])
    expect(ask('nothing.sub.hashed.example A').answer.steps.at(-1)?.says).toBe(
      'hashed.example proves with NSEC3 that nothing.sub.hashed.example does not exist.',
    )
  })
})

describe('hard to fool', () => {
  const asAttacker = { key: zoneKey(name('victim.example'), { algorithm: 13, purpose: 'csk', generation: 7 }) }

  const attackers = zoneKey(name('victim.example'), { algorithm: 13, purpose: 'csk', generation: 7 })
  const attackersKeys = [
    {
      name: name('victim.example'),
      type: typeNumbers.DNSKEY,
      class: classInternet,
      ttlSeconds: 300,
      rdata: attackers.rdata,
    },
  ]
  const older = createSignedWorld({
    zones: zones.map(zone =>
      zone.apex === 'victim.example'
        ? worldZone('victim.example', ['mx.victim.example A 192.0.2.200'], { keys: 'split' })
        : zone,
    ),
    nowMs: nowMs - 30 * dayMs,
  })
  const child = zoneKey(name('victim.example'), { algorithm: 13, purpose: 'ksk' })
  const ownDs: ResourceRecord = {
    name: name('victim.example'),
    type: typeNumbers.DS,
    class: classInternet,
    ttlSeconds: 300,
    rdata: dsRdata(name('victim.example'), child),
  }
  const rsaUnknown = { ...ownDs, rdata: Uint8Array.from(ownDs.rdata, (byte, at) => (at === 2 ? 200 : byte)) }

  const tricks: readonly (readonly [trick: string, question: string, forge: Forge | null, expected: Brief])[] = [
    [
      'NXDOMAIN over records',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({ ...honest, rcode: rcodes.NXDOMAIN })),
      secure('records'),
    ],
    [
      'NXDOMAIN over a proof that only the type is missing',
      'mx.victim.example AAAA',
      on('mx.victim.example AAAA', honest => ({ ...honest, rcode: rcodes.NXDOMAIN })),
      secure('no-data'),
    ],
    [
      'NOERROR over a proof that there is no such name',
      'nothing.sub.hashed.example A',
      on('nothing.sub.hashed.example A', honest => ({ ...honest, rcode: rcodes.NOERROR })),
      secure('no-such-name'),
    ],
    [
      'NXDOMAIN without a proof',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({ ...honest, rcode: rcodes.NXDOMAIN, answers: [] })),
      bogus('dnssec.denial-unproven'),
    ],
    [
      'nothing at all, said to be all there is',
      '_25._tcp.mx.hashed.example TLSA',
      on('_25._tcp.mx.hashed.example TLSA', honest => noData(honest, [])),
      bogus('dnssec.denial-unproven'),
    ],
    [
      'nothing at all, with the SOA of an unsigned zone beside it',
      'mx.victim.example A',
      on('mx.victim.example A', honest => noData(honest, soa('open.example'))),
      bogus('dnssec.denial-unproven'),
    ],
    [
      'a denial with its signatures stripped',
      'mx.victim.example AAAA',
      on('mx.victim.example AAAA', honest => ({ ...honest, authorities: stripped(honest.authorities) })),
      bogus('dnssec.signature-missing'),
    ],
    [
      'the proof of another name',
      '_25._tcp.mx.victim.example TLSA',
      on('_25._tcp.mx.victim.example TLSA', honest =>
        noData(honest, honestly('host.victim.example TLSA').authorities),
      ),
      bogus('dnssec.denial-unproven'),
    ],
    [
      'a signature stripped',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({ ...honest, answers: stripped(honest.answers) })),
      bogus('dnssec.signature-missing'),
    ],
    [
      'all signatures stripped, everywhere',
      'mx.victim.example A',
      stripEverything,
      bogus('dnssec.signature-missing'),
    ],
    [
      'other records under an honest signature',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        answers: [recordOf(evil), ...honest.answers.filter(isSignature)],
      })),
      bogus('dnssec.signature-bad'),
    ],
    [
      'a record slipped in among those that were signed',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({ ...honest, answers: [...honest.answers, recordOf(evil)] })),
      bogus('dnssec.signature-bad'),
    ],
    [
      'an alias with its signature stripped',
      'back.victim.example A',
      on('back.victim.example A', honest => ({ ...honest, answers: stripped(honest.answers) })),
      bogus('dnssec.signature-missing'),
    ],
    [
      'signed by another zone, that is signed as well as any',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({ ...honest, answers: signedIn('attacker.example', [evil]) })),
      bogus('dnssec.signer-not-zone'),
    ],
    [
      'signed by a zone that does not exist, at the name itself',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        answers: signedIn('victim.example', [evil], { ...asAttacker, signer: name('mx.victim.example') }),
      })),
      bogus('dnssec.signer-not-zone'),
    ],
    [
      'signed in the name of the zone with a key that it does not have',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        answers: signedIn('victim.example', [evil], asAttacker),
      })),
      bogus('dnssec.key-missing'),
    ],
    [
      'a DNSKEY set that no DS covers',
      'mx.victim.example A',
      together(
        on('mx.victim.example A', honest => ({
          ...honest,
          answers: signedIn('victim.example', [evil], asAttacker),
        })),
        on('victim.example DNSKEY', honest => ({
          ...honest,
          answers: [...attackersKeys, ...world.zone('victim.example').sign(attackersKeys, asAttacker)],
        })),
      ),
      bogus('dnssec.no-trusted-key'),
    ],
    [
      'a key slipped into the set, and the set signed with it as well',
      'mx.victim.example A',
      together(
        on('mx.victim.example A', honest => ({
          ...honest,
          answers: signedIn('victim.example', [evil], asAttacker),
        })),
        on('victim.example DNSKEY', honest => {
          const keys = [...stripped(honest.answers), ...attackersKeys]
          return { ...honest, answers: [...keys, ...world.zone('victim.example').sign(keys, asAttacker)] }
        }),
      ),
      bogus('dnssec.no-trusted-key'),
    ],
    [
      'a DNSKEY set that is said not to exist',
      'mx.victim.example A',
      on('victim.example DNSKEY', honest => noData(honest, soa('victim.example'))),
      bogus('dnssec.dnskey-missing'),
    ],
    ['keys that are revoked', 'mx.revoked.example A', null, bogus('dnssec.key-revoked')],
    [
      'the NSEC of the parent for a type of the child',
      'child.victim.example MX',
      on('child.victim.example MX', honest =>
        noData(honest, [...soa('victim.example'), ...proof('victim.example', 'child.victim.example')]),
      ),
      bogus('dnssec.denial-of-wrong-zone'),
    ],
    [
      'the NSEC3 of the parent for a type of the child',
      'child.hashed.example MX',
      on('child.hashed.example MX', honest =>
        noData(honest, [...soa('hashed.example'), ...proof('hashed.example', 'child.hashed.example')]),
      ),
      bogus('dnssec.denial-of-wrong-zone'),
    ],
    [
      'the NSEC of the parent for a name of the child',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...noData(honest, [...soa('example'), ...proof('example', 'victim.example')]),
        rcode: rcodes.NXDOMAIN,
      })),
      bogus('dnssec.denial-of-wrong-zone'),
    ],
    [
      'the NSEC of the child that denies its own DS',
      'mx.victim.example A',
      together(
        on('mx.victim.example A', honest => ({ ...honest, answers: [recordOf(evil)] })),
        on('victim.example DS', honest =>
          noData(honest, [...soa('victim.example'), ...proof('victim.example', 'victim.example')]),
        ),
      ),
      bogus('dnssec.denial-of-wrong-zone'),
    ],
    [
      'the NSEC3 of the child that denies its own DS',
      'hashed.example DS',
      on('hashed.example DS', honest =>
        noData(honest, [...soa('hashed.example'), ...proof('hashed.example', 'hashed.example')]),
      ),
      bogus('dnssec.denial-of-wrong-zone'),
    ],
    [
      'a DS said to be missing, without a proof',
      'mx.victim.example A',
      together(
        on('mx.victim.example A', honest => ({ ...honest, answers: [recordOf(evil)] })),
        on('victim.example DS', honest => noData(honest, [])),
      ),
      bogus('dnssec.denial-unproven'),
    ],
    [
      'a DS said to be missing, with the proof of a neighbour that has none',
      'mx.victim.example A',
      together(
        on('mx.victim.example A', honest => ({ ...honest, answers: [recordOf(evil)] })),
        on('victim.example DS', honest => noData(honest, honestly('open.example DS').authorities)),
      ),
      bogus('dnssec.denial-unproven'),
    ],
    [
      'a DS answered by the child, and signed by it',
      'mx.victim.example A',
      on('victim.example DS', honest => ({
        ...honest,
        answers: [ownDs, ...world.zone('victim.example').sign([ownDs])],
      })),
      bogus('dnssec.signer-not-zone'),
    ],
    [
      'a DS of an algorithm nobody knows, that nobody has signed',
      'mx.victim.example A',
      on('victim.example DS', honest => ({
        ...honest,
        answers: [rsaUnknown, ...honest.answers.filter(isSignature)],
      })),
      bogus('dnssec.signature-bad'),
    ],
    [
      'all DS of algorithms nobody knows, and signed',
      'mx.ds-unknown.example A',
      null,
      insecure('records', 'dnssec.unknown-algorithms'),
    ],
    ['an unknown DS beside a good one', 'mx.ds-mixed.example A', null, secure('records')],
    [
      'an unknown DS beside a good one, and signatures stripped',
      'mx.ds-mixed.example A',
      on('mx.ds-mixed.example A', honest => ({ ...honest, answers: stripped(honest.answers) })),
      bogus('dnssec.signature-missing'),
    ],
    ['an unknown DS beside a wrong one', 'mx.ds-mixed-wrong.example A', null, bogus('dnssec.no-trusted-key')],
    ['an algorithm with SHA-1', 'mx.sha1.example A', null, insecure('records', 'dnssec.sha1-algorithms')],
    [
      'a wildcard that is not at the closest encloser',
      'nothing.sub.victim.example A',
      on('nothing.sub.victim.example A', honest => ({
        ...honest,
        rcode: rcodes.NOERROR,
        answers: rrset('victim.example', '*.victim.example', 'A').map(record => ({
          ...record,
          name: name('nothing.sub.victim.example'),
        })),
      })),
      bogus('dnssec.wildcard-unproven'),
    ],
    [
      'a wildcard for a name that exists',
      'mx.victim.example TXT',
      on('mx.victim.example TXT', honest => ({
        ...honest,
        answers: rrset('victim.example', '*.victim.example', 'TXT').map(record => ({
          ...record,
          name: name('mx.victim.example'),
        })),
      })),
      bogus('dnssec.wildcard-unproven'),
    ],
    [
      'a wildcard without its proof',
      'any.hashed.example A',
      on('any.hashed.example A', honest => ({ ...honest, authorities: [] })),
      bogus('dnssec.wildcard-unproven'),
    ],
    [
      'a name that may or may not exist among delegations without a signature',
      'nothing.sub.optout.example A',
      null,
      insecure('no-such-name', 'dnssec.opt-out'),
    ],
    [
      'opt-out for a name that is signed',
      'mx.optout.example A',
      together(
        on('mx.optout.example A', honest => ({
          ...honest,
          answers: [recordOf('mx.optout.example A 203.0.113.66')],
        })),
        on('mx.optout.example DS', honest => noData(honest, honestly('open.optout.example DS').authorities)),
      ),
      bogus('dnssec.denial-unproven'),
    ],
    ['a signature that has expired', 'mx.expired.example A', null, bogus('dnssec.signature-expired')],
    ['a signature that is not valid yet', 'mx.early.example A', null, bogus('dnssec.signature-not-yet-valid')],
    [
      'an older RRset, replayed with its signature',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        answers: honestly('mx.victim.example A', older).answers,
      })),
      bogus('dnssec.signature-expired'),
    ],
    [
      'an alias to a zone that is not signed',
      'to-open.aliases.example A',
      null,
      insecure('records', 'dnssec.unsigned-delegation'),
    ],
    [
      'an alias through a zone that is not signed, back into one that is',
      'through-open.aliases.example A',
      null,
      insecure('records', 'dnssec.unsigned-delegation'),
    ],
    ['an alias to what has expired', 'to-expired.aliases.example A', null, bogus('dnssec.signature-expired')],
    [
      'an alias that nobody signed',
      'mx.victim.example TXT',
      on('mx.victim.example TXT', honest => ({
        ...honest,
        answers: [recordOf('mx.victim.example CNAME host.attacker.example')],
        authorities: [],
      })),
      bogus('dnssec.signature-missing'),
    ],
    [
      'an alias that nobody signed, at an apex with other data',
      'victim.example A',
      on('victim.example A', honest => ({
        ...honest,
        answers: [
          recordOf('victim.example CNAME host.attacker.example'),
          ...rrset('attacker.example', 'host.attacker.example', 'A'),
        ],
        authorities: [],
      })),
      bogus('dnssec.signature-missing'),
    ],
    ['an alias at an apex, signed', 'apex-alias.example TXT', null, secure('no-data')],
    ['other data at an apex with an alias, signed', 'apex-alias.example MX', null, secure('records')],
    [
      'the answer to another question',
      'mx.victim.example A',
      on('mx.victim.example A', () => honestly('host.victim.example A')),
      failed('dns.lookup-failed'),
    ],
    [
      'records of strangers in the answer section',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        answers: [
          recordOf('mail.victim.example A 203.0.113.66'),
          recordOf('bank.example A 203.0.113.66'),
          ...honest.answers,
        ],
      })),
      secure('records'),
    ],
    [
      'poison in the additional section',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        additionals: [recordOf(evil), ...attackersKeys, rsaUnknown],
      })),
      secure('records'),
    ],
    [
      'a CNAME that is not what the DNAME makes of the name',
      'host.tree.aliases.example A',
      on('host.tree.aliases.example A', honest => ({
        ...honest,
        answers: [
          ...rrset('aliases.example', 'tree.aliases.example', 'DNAME'),
          recordOf('host.tree.aliases.example CNAME host.attacker.example'),
          ...rrset('attacker.example', 'host.attacker.example', 'A'),
        ],
      })),
      bogus('dnssec.dname-mismatch'),
    ],
    [
      'a DNAME that nobody signed',
      'mx.victim.example TXT',
      on('mx.victim.example TXT', honest => ({
        ...honest,
        answers: [
          recordOf('victim.example DNAME attacker.example'),
          recordOf('mx.victim.example CNAME mx.attacker.example'),
        ],
      })),
      bogus('dnssec.signature-missing'),
    ],
    ['many keys of one tag, and many signatures with it', 'mx.trap.example A', null, bogus('dnssec.over-budget')],
    [
      'NSEC3 with 2,000 iterations, signed',
      'mx.bomb.example AAAA',
      null,
      insecure('no-data', 'dnssec.too-many-iterations'),
    ],
    [
      'NSEC3 with 65,535 iterations, that nobody signed',
      'mx.hashed.example AAAA',
      on('mx.hashed.example AAAA', honest => ({
        ...honest,
        authorities: honest.authorities.map(record =>
          record.type === typeNumbers.NSEC3
            ? {
                ...record,
                rdata: Uint8Array.from(record.rdata, (byte, at) => (at === 2 || at === 3 ? 0xff : byte)),
              }
            : record,
        ),
      })),
      bogus('dnssec.signature-bad'),
    ],
    ['SERVFAIL', '_25._tcp.mx.servfail.example TLSA', null, failed('dns.lookup-failed')],
    ['keys that never come', 'mx.silent.example A', null, failed('dns.timeout')],
    [
      'SERVFAIL for the DS, and an answer without signatures',
      'mx.victim.example A',
      together(
        on('mx.victim.example A', honest => ({ ...honest, answers: [recordOf(evil)] })),
        on('victim.example DS', honest => ({ ...honest, rcode: rcodes.SERVFAIL, answers: [] })),
      ),
      failed('dns.lookup-failed'),
    ],
    [
      'the answer to another type',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        questions: [{ name: name('mx.victim.example'), type: typeNumbers.TLSA, class: classInternet }],
      })),
      failed('dns.lookup-failed'),
    ],
    [
      'the answer of another class',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({
        ...honest,
        questions: [{ name: name('mx.victim.example'), type: typeNumbers.A, class: 3 }],
      })),
      failed('dns.lookup-failed'),
    ],
    [
      'two aliases at once, signed',
      'www.aliases.example A',
      on('www.aliases.example A', honest => ({
        ...honest,
        answers: signedIn('aliases.example', [
          'www.aliases.example CNAME host.victim.example',
          'www.aliases.example CNAME mx.victim.example',
        ]),
      })),
      bogus('dnssec.malformed'),
    ],
    [
      'two aliases at once, where nobody signs',
      'host.open.example A',
      on('host.open.example A', honest => ({
        ...honest,
        answers: [
          recordOf('host.open.example CNAME host.victim.example'),
          recordOf('host.open.example CNAME a.example'),
        ],
      })),
      failed('dns.lookup-failed'),
    ],
    [
      'records where nobody signs, and that there is no such name',
      'host.open.example A',
      on('host.open.example A', honest => ({ ...honest, rcode: rcodes.NXDOMAIN })),
      failed('dns.lookup-failed'),
    ],
    [
      'whom else to ask, where nobody signs',
      'host.open.example A',
      on('host.open.example A', honest => noData(honest, [recordOf('open.example NS ns.open.example')])),
      failed('dns.lookup-failed'),
    ],
    [
      'an answer that was cut',
      'mx.victim.example A',
      on('mx.victim.example A', honest => ({ ...honest, truncated: true })),
      failed('dns.lookup-failed'),
    ],
    [
      'the AD bit',
      'mx.victim.example A',
      (_, honest) => ({ ...honest, authenticData: true, answers: stripped(honest.answers) }),
      bogus('dnssec.signature-missing'),
    ],
    ['a type that has no records', 'mx.victim.example ANY', null, failed('dns.lookup-failed')],
    ['the DS of what has no parent', '. DS', null, failed('dns.lookup-failed')],
  ]
  test.each(tricks)('%s', (_, question, forge, expected) => {
    const { answer } = ask(question, forge)
    expect(brief(answer)).toEqual(expected)
    if (answer.outcome !== 'records') expect(answer.records).toEqual([])
    if (answer.security === 'secure')
      expect(answer.records.map(({ rdata }) => [...rdata])).not.toContainEqual([203, 0, 113, 66])
    if (answer.outcome === 'failed') expect(answer.ttlSeconds).toBe(null)
    expect(answer.steps.at(-1)?.says).toMatch(/\.$/)
  })

  test('signed by the zone above, when a zone is known to lie between', () => {
    const zonesKnown = createZoneCache()
    ask('host.victim.example A', null, { zones: zonesKnown })
    const byParent = on('mx.victim.example A', honest => ({ ...honest, answers: signedIn('example', [evil]) }))
    const { answer } = ask('mx.victim.example A', byParent, { zones: zonesKnown })
    expect(brief(answer)).toEqual(bogus('dnssec.signer-not-zone'))
    expect(brief(ask('child.victim.example DS', null, { zones: zonesKnown }).answer)).toEqual(secure('records'))
  })

  test('the NSEC of a delegation is of the zone above, though the zone below is known', () => {
    const zonesKnown = createZoneCache()
    ask('child.victim.example MX', null, { zones: zonesKnown })
    const parents = on('child.victim.example NSEC', honest => ({
      ...honest,
      rcode: rcodes.NOERROR,
      answers: proof('victim.example', 'child.victim.example'),
      authorities: [],
    }))
    expect(brief(ask('child.victim.example NSEC', parents, { zones: zonesKnown }).answer)).toEqual(
      secure('records'),
    )
  })

  test.each(['_25._tcp.mx.victim.example TLSA', 'mx.victim.example TXT', 'child.victim.example DS'])(
    'the NSEC of a wildcard, put under another name, denies nothing there: %s',
    question => {
      const [owner = ''] = question.split(' ')
      const replayed = on(question, honest => {
        const moved = proof('victim.example', '*.victim.example').map(record => ({ ...record, name: name(owner) }))
        return noData(honest, [...moved, ...soa('victim.example')])
      })
      const { answer } = ask(question, replayed)
      expect([answer.outcome, answer.security]).toEqual(['failed', 'bogus'])
    },
  )

  test('a DS made from a wildcard delegates nothing', () => {
    const owner = 'any.victim.example'
    const key = zoneKey(name(owner), { algorithm: 13, purpose: 'csk' })
    const at = (type: number, rdata: Uint8Array) => ({ ...recordOf(`${owner} TXT x`), type, rdata })
    const ds = at(typeNumbers.DS, dsRdata(name(owner), key))
    const dnskey = at(typeNumbers.DNSKEY, key.rdata)
    const atWildcard = { ...ds, name: name('*.victim.example') }
    const wildcard = world
      .zone('victim.example')
      .sign([atWildcard])
      .map(each => ({ ...each, name: name(owner) }))
    const ownSignature = world.zone('victim.example').sign([dnskey], { key, signer: name(owner) })
    const forgery = [recordOf(`x.${owner} A 203.0.113.66`)]
    const forge = together(
      on(`${owner} DS`, honest => ({ ...honest, rcode: rcodes.NOERROR, answers: [ds, ...wildcard] })),
      on(`${owner} DNSKEY`, honest => ({ ...honest, rcode: rcodes.NOERROR, answers: [dnskey, ...ownSignature] })),
      on(`x.${owner} A`, honest => ({
        ...honest,
        rcode: rcodes.NOERROR,
        answers: [...forgery, ...world.zone('victim.example').sign(forgery, { key, signer: name(owner) })],
        authorities: [],
      })),
    )
    expect(brief(ask(`x.${owner} A`, forge).answer)).toEqual(bogus('dnssec.wildcard-unproven'))
  })

  test('a proof that takes too much work proves nothing, not even that what is unsigned has nothing', () => {
    const piledProof = on('host.open.example AAAA', honest => {
      const [denial, signature] = proof('example', 'open.example')
      if (denial === undefined || signature === undefined) throw new Error('no proof')
      const bad = Array.from({ length: maxVerifications + 1 }, (_, at) => {
        const rdata = Uint8Array.from(signature.rdata)
        rdata[rdata.length - 1 - at] = (rdata[rdata.length - 1 - at] ?? 0) ^ 1
        return { ...signature, rdata }
      })
      return { ...honest, authorities: [...honest.authorities, denial, ...bad] }
    })
    expect(brief(ask('host.open.example AAAA', piledProof).answer)).toEqual(bogus('dnssec.over-budget'))
  })

  test('each alias is judged alone, and the end as well', () => {
    const { answer } = ask('through-open.aliases.example A')
    expect(answer.aliases.map(({ security }) => security)).toEqual(['secure', 'insecure'])
    expect(answer.endSecurity).toBe('secure')
    expect(answer.security).toBe('insecure')
  })

  test('many keys and signatures of one tag cost no more than a few verifications', () => {
    const { budget } = ask('mx.trap.example A')
    const units = 3.1
    expect(budget.spent.signatures).toBeLessThan(units * (maxVerifications + 10))
  })

  test('iterations beyond what is done are not done', () => {
    expect(ask('mx.bomb.example AAAA').budget.spent['nsec3-hashes']).toBe(0)
  })

  test('64 KB of signatures cost no more than a few verifications', () => {
    const junk = on('mx.victim.example A', honest => {
      const [signature] = honest.answers.filter(isSignature)
      if (signature === undefined) throw new Error('not signed')
      const many = Array.from({ length: 600 }, (_, i) => {
        const rdata = Uint8Array.from(signature.rdata)
        rdata.set([i & 0xff, i >> 8], rdata.length - 2)
        return { ...signature, rdata }
      })
      return { ...honest, answers: [...stripped(honest.answers), ...many, signature] }
    })
    const { answer, budget } = ask('mx.victim.example A', junk)
    expect(brief(answer)).toEqual(bogus('dnssec.over-budget'))
    expect(budget.spent.signatures).toBeLessThan(3.1 * (maxVerifications + 10))
  })

  test('a proof padded with others that nobody signed costs no more than a few sets', () => {
    const padded = on('mx.victim.example AAAA', honest => {
      const padding = Array.from({ length: 14 }, (_, i) => {
        const record = recordOf(`n${i}.victim.example NSEC \\# 0161 00 000140`)
        const [signature] = world.zone('victim.example').sign([record])
        if (signature === undefined) throw new Error('not signed')
        const bad = Array.from({ length: maxVerifications }, (_, at) => {
          const rdata = Uint8Array.from(signature.rdata)
          rdata[rdata.length - 1 - at] = (rdata[rdata.length - 1 - at] ?? 0) ^ 1
          return { ...signature, rdata }
        })
        return [record, ...bad]
      })
      return { ...honest, authorities: [...padding.flat(), ...honest.authorities] }
    })
    const { answer, budget } = ask('mx.victim.example AAAA', padded)
    expect(brief(answer)).toEqual(bogus('dnssec.signature-bad'))
    expect(budget.spent.signatures).toBeLessThan(3.1 * (2 * 4 * maxVerifications + 10))
  })

  test('a long way through one message is not gone without a pause', () => {
    const slow = createSignedWorld({
      zones: [
        worldZone(
          'slow.example',
          [
            ...Array.from({ length: 9 }, (_, i) => `n${i}.slow.example CNAME n${i + 1}.slow.example`),
            'n9.slow.example A 192.0.2.9',
          ],
          { algorithms: [14] },
        ),
        worldZone('example', [], {}),
      ],
      nowMs,
    })
    const piled = forged(slow, (_, honest) => ({
      ...honest,
      answers: honest.answers.flatMap(record => {
        if (!isSignature(record) || record.name.length < 3) return [record]
        const bad = Array.from({ length: maxVerifications - 1 }, (_, at) => {
          const rdata = Uint8Array.from(record.rdata)
          rdata[rdata.length - 1 - at] = (rdata[rdata.length - 1 - at] ?? 0) ^ 1
          return { ...record, rdata }
        })
        return [...bad, record]
      }),
    }))
    const { answer, asked } = runValidation('n0.slow.example A', answersOf(piled), {
      anchors: slow.anchors,
      nowMs,
    })
    expect(brief(answer)).toEqual(secure('records'))
    expect(asked.filter(round => round.length === 0).length).toBeGreaterThanOrEqual(2)
    const plain = runValidation('n0.slow.example A', answersOf(slow), { anchors: slow.anchors, nowMs })
    expect(plain.asked.filter(round => round.length === 0)).toEqual([])
  })

  test('a thousand signers that do not exist cost no more than a few questions', () => {
    const deep = `${'a.'.repeat(100)}victim.example`
    const junk = on(`${deep} TXT`, honest => ({
      ...honest,
      answers: [
        recordOf(`${deep} TXT forged`),
        ...Array.from({ length: 100 }, (_, i) => {
          const signer = name(deep).slice(i)
          return signedIn('victim.example', [`${deep} TXT forged`], { ...asAttacker, signer })[1] ?? recordOf(evil)
        }),
      ],
    }))
    const { answer, budget } = ask(`${deep} TXT`, junk)
    expect(answer.security).toBe('bogus')
    expect(budget.spent.questions).toBeLessThanOrEqual(150)
  })

  test('aliases that lead in a circle through two zones end, and nothing is said of the name', () => {
    const { answer, asked } = ask('one.aliases.example A', hopByHop('CNAME'))
    expect(brief(answer)).toEqual(failed('dns.alias-loop'))
    expect(asked.flat().filter(each => each.endsWith(' A'))).toEqual([
      'one.aliases.example A',
      'two.hashed.example A',
    ])
  })

  test('a chain of aliases without an end is not followed to the end', () => {
    expect(brief(ask('hop0.aliases.example A', hopByHop('CNAME')).answer)).toEqual(failed('dns.alias-loop'))
    expect(brief(ask('hop9.aliases.example A', hopByHop('CNAME')).answer)).toEqual(secure('records'))
  })

  test('a DNAME that makes names longer and longer ends with the longest name there can be', () => {
    const { answer, budget } = ask('x.grow.aliases.example A', growing)
    expect(brief(answer)).toEqual(bogus('dnssec.malformed'))
    expect(answer.aliases.length).toBeLessThan(12)
    expect(budget.spent.questions).toBeLessThan(30)
  })

  /** A server that tells one alias at a time. */
  function hopByHop(type: 'CNAME'): Forge {
    return (question, honest) => {
      if (question.type !== typeNumbers.A) return honest
      for (const apex of ['aliases.example', 'hashed.example']) {
        const set = world.zone(apex).rrset(question.name, typeNumbers[type])
        if (set !== null)
          return {
            ...honest,
            rcode: rcodes.NOERROR,
            answers: [...set.records, ...set.signatures],
            authorities: [],
          }
      }
      return honest
    }
  }

  function growing(question: WireQuestion, honest: Message): Message {
    if (question.type !== typeNumbers.A) return honest
    return {
      ...honest,
      rcode: rcodes.NOERROR,
      answers: rrset('aliases.example', 'grow.aliases.example', 'DNAME'),
      authorities: [],
    }
  }
})

describe('whatever is changed', () => {
  const questions = [
    'mx.victim.example A',
    '_25._tcp.mx.hashed.example TLSA',
    'any.victim.example A',
    'any.hashed.example AAAA',
    'nothing.sub.victim.example A',
    'nothing.sub.hashed.example A',
    'www.aliases.example A',
    'host.tree.aliases.example A',
  ]

  test.each(questions)('any one record left out of any answer: %s stays as it is, or is bogus', question => {
    const honest = ask(question)
    for (const text of honest.asked.flat()) {
      const { answers, authorities } = honestly(text)
      for (let at = 0; at < answers.length + authorities.length; at++) {
        const forge = on(text, message => ({
          ...message,
          answers: message.answers.filter((_, index) => index !== at),
          authorities: message.authorities.filter((_, index) => index !== at - message.answers.length),
        }))
        expectSameOrBroken(ask(question, forge).answer, honest.answer)
      }
    }
  })

  test.each(questions)('any byte of any record changed: %s stays as it is, or is bogus', question => {
    const honest = ask(question)
    const random = seeded(question)
    for (let round = 0; round < 60; round++) {
      const texts = honest.asked.flat()
      const text = texts[random(texts.length)] ?? ''
      const section = random(2) === 0 ? 'answers' : 'authorities'
      const forge = on(text, message => {
        const records = [...message[section]]
        const at = random(Math.max(1, records.length))
        const record = records[at]
        if (record === undefined) return message
        const rdata = Uint8Array.from(record.rdata)
        const index = random(rdata.length)
        rdata[index] = (rdata[index] ?? 0) ^ (1 << random(8))
        records[at] = { ...record, rdata }
        return { ...message, [section]: records }
      })
      expectSameOrBroken(ask(question, forge).answer, honest.answer)
    }
  })

  test.each(questions)('%s with less and less of a budget is bogus, until there is enough', question => {
    const honest = ask(question)
    for (const work of ['questions', 'signatures', 'digests', 'nsec3-hashes'] as const) {
      const needed = honest.budget.spent[work]
      for (const share of [0, 0.2, 0.5, 0.9, 0.99])
        if (needed > 0)
          expect(brief(ask(question, null, { limits: { [work]: needed * share } }).answer)).toEqual(
            bogus('dnssec.over-budget'),
          )
      expect(ask(question, null, { limits: { [work]: needed } }).answer).toEqual(honest.answer)
    }
  })

  function expectSameOrBroken(answer: ValidatedAnswer, honest: ValidatedAnswer) {
    if (answer.outcome === 'failed') return expect(answer.records).toEqual([])
    const of = ({ outcome, security, records, aliases }: ValidatedAnswer) => ({
      outcome,
      security,
      records: records.map(({ rdata }) => [...rdata]),
      aliases: aliases.map(({ to }) => nameKey(to)),
    })
    expect(of(answer)).toEqual(of(honest))
  }

  /** Numbers that are the same in every run. */
  function seeded(text: string): (below: number) => number {
    let state = [...text].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) | 0, 7)
    return below => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      return Math.floor(((state >>> 8) / 0x1_00_0000) * below)
    }
  }
})

describe('anchors', () => {
  test('without an anchor above the name nothing is known', () => {
    const [anchor] = world.anchors
    if (anchor === undefined) throw new Error('no anchor')
    const elsewhere = [{ ...anchor, zone: name('elsewhere') }]
    const { answer, asked } = ask('mx.victim.example A', null, { anchors: elsewhere })
    expect(brief(answer)).toEqual({ outcome: 'records', security: 'indeterminate', reason: 'dnssec.no-anchor' })
    expect(asked).toEqual([['mx.victim.example A']])
  })

  test('at and below a negative anchor nothing is validated, and beside it everything', () => {
    const options = { insecure: ['expired.example'] }
    expect(brief(ask('mx.expired.example A', null, options).answer)).toEqual(
      insecure('records', 'dnssec.negative-anchor'),
    )
    expect(brief(ask('expired.example MX', null, options).answer)).toEqual(
      insecure('records', 'dnssec.negative-anchor'),
    )
    expect(brief(ask('mx.early.example A', null, options).answer)).toEqual(bogus('dnssec.signature-not-yet-valid'))
  })

  test('a negative anchor at the same name as an anchor is the one that counts (RFC 7646)', () => {
    const [anchor] = world.anchors
    if (anchor === undefined) throw new Error('no anchor')
    const anchors = [...world.anchors, { ...anchor, zone: name('victim.example') }]
    const options = { anchors, insecure: ['victim.example'] }
    expect(brief(ask('mx.victim.example A', null, options).answer)).toEqual(
      insecure('records', 'dnssec.negative-anchor'),
    )
    expect(brief(ask('mx.victim.example A', null, { anchors }).answer)).toEqual(bogus('dnssec.no-trusted-key'))
  })

  test('an anchor below a negative anchor counts', () => {
    const key = world.zone('victim.example').keys.find(({ purpose }) => purpose === 'ksk')
    if (key === undefined) throw new Error('no key')
    const digest = dsRdata(name('victim.example'), key).subarray(4)
    const below = {
      zone: name('victim.example'),
      kind: 'ds',
      ds: { keyTag: key.keyTag, algorithm: key.algorithm, digestType: 2, digest },
    } as const
    const options = { insecure: ['example'], anchors: [...world.anchors, below] }
    const { answer, asked } = ask('mx.victim.example A', null, options)
    expect(brief(answer)).toEqual(secure('records'))
    expect(asked.flat()).not.toContain('. DNSKEY')
    expect(brief(ask('mx.hashed.example A', null, options).answer)).toEqual(
      insecure('records', 'dnssec.negative-anchor'),
    )
  })

  describe('what lies below an anchor of its own', () => {
    const victim = name('victim.example')
    const key = world.zone('victim.example').keys.find(({ purpose }) => purpose === 'ksk')
    if (key === undefined) throw new Error('no key')
    const ds = {
      keyTag: key.keyTag,
      algorithm: key.algorithm,
      digestType: 2,
      digest: dsRdata(victim, key).subarray(4),
    }
    const island = { zone: victim, kind: 'ds', ds } as const
    const signedBy = (signer: string) =>
      on('mx.victim.example A', honest => ({
        ...honest,
        answers: signedIn('attacker.example', [evil], { signer: name(signer) }),
      }))
    const deniedBy = (signer: string) =>
      on('_25._tcp.mx.victim.example TLSA', honest => {
        const denial = recordOf('_25._tcp.mx.victim.example NSEC \\# 00000162')
        const signature = world.zone('attacker.example').sign([recordOf('attacker.example TXT x')], {
          signer: name(signer),
          typeCovered: typeNumbers.NSEC,
        })
        return noData(honest, [
          denial,
          ...signature.map(each => ({ ...each, name: denial.name })),
          ...soa('example'),
        ])
      })

    test.each<[string, Partial<ValidatingOptions>, string]>([
      ['a name above which no anchor is known', { anchors: [island] }, 'example'],
      ['the root, where no anchor of it is known', { anchors: [island] }, '.'],
      ['a zone at a negative anchor', { anchors: [...world.anchors, island], insecure: ['example'] }, 'example'],
    ])('is not given away by a signature in the name of %s', (_, options, signer) => {
      expect(brief(ask('mx.victim.example A', signedBy(signer), options).answer)).toEqual(
        bogus('dnssec.signer-not-zone'),
      )
      const denied = ask('_25._tcp.mx.victim.example TLSA', deniedBy(signer), options).answer
      expect([denied.outcome, denied.security]).toEqual(['failed', 'bogus'])
      expect(brief(ask('mx.victim.example A', null, options).answer)).toEqual(secure('records'))
    })

    test('is not for the zones above to sign either, whose own anchor is another', () => {
      const options = { anchors: [...world.anchors, island] }
      const byParent = on('mx.victim.example A', honest => ({ ...honest, answers: signedIn('example', [evil]) }))
      expect(brief(ask('mx.victim.example A', byParent, options).answer)).toEqual(bogus('dnssec.signer-not-zone'))
    })
  })

  test('a name that only a local resolver knows is bogus without a negative anchor', () => {
    const local = createSignedWorld({
      zones: [worldZone('office.local', ['mx.office.local A 192.0.2.7'], null, { delegation: 'none' })],
      nowMs,
    })
    const options = { anchors: local.anchors, nowMs }
    expect(runValidation('mx.office.local A', answersOf(local), options).answer.security).toBe('bogus')
    const told = { ...options, insecure: ['local'] }
    expect(runValidation('mx.office.local A', answersOf(local), told).answer.security).toBe('insecure')
  })

  test('the anchors of another root vouch for nothing in this one', () => {
    const [anchor] = world.anchors
    if (anchor?.kind !== 'ds') throw new Error('no anchor')
    const other = [{ ...anchor, ds: { ...anchor.ds, digest: anchor.ds.digest.map(byte => byte ^ 1) } }]
    expect(brief(ask('mx.victim.example A', null, { anchors: other }).answer)).toEqual(
      bogus('dnssec.no-trusted-key'),
    )
    const both = [...other, ...world.anchors]
    expect(brief(ask('mx.victim.example A', null, { anchors: both }).answer)).toEqual(secure('records'))
  })

  test('algorithms with SHA-1 count when the operator says so', () => {
    expect(brief(ask('mx.sha1.example A', null, { sha1: 'validates' }).answer)).toEqual(secure('records'))
  })
})

describe('how long an answer may be kept', () => {
  const withTtl = (ttlSeconds: number): Forge =>
    on('mx.victim.example A', honest => ({
      ...honest,
      answers: honest.answers.map(record => ({ ...record, ttlSeconds })),
    }))

  test('as long as its TTL, and no longer than the TTL it was signed with', () => {
    expect(ask('mx.victim.example A', withTtl(17)).answer.ttlSeconds).toBe(17)
    expect(ask('mx.victim.example A', withTtl(1_000_000)).answer.ttlSeconds).toBe(300)
  })

  test('which holds for each record, whatever TTL a replay gives it', () => {
    const { records } = ask('mx.victim.example A', withTtl(0x7fff_ffff)).answer
    expect(records.map(({ ttlSeconds }) => ttlSeconds)).toEqual([300])
    const { records: unsigned } = ask('mx.open.example A').answer
    expect(unsigned.map(({ ttlSeconds }) => ttlSeconds)).toEqual([300])
  })

  test('no longer than its signature', () => {
    const soon = nowMs + 14 * dayMs - 5_500
    expect(ask('mx.victim.example A', null, { nowMs: soon }).answer.ttlSeconds).toBe(5)
  })

  test('a denial as long as the SOA and the proof, whichever ends first', () => {
    expect(ask('mx.victim.example AAAA').answer.ttlSeconds).toBe(60)
    const shorter = on('mx.victim.example AAAA', honest => ({
      ...honest,
      authorities: honest.authorities.map(record =>
        record.type === typeNumbers.SOA ? { ...record, ttlSeconds: 9 } : record,
      ),
    }))
    expect(ask('mx.victim.example AAAA', shorter).answer.ttlSeconds).toBe(9)
  })

  test('what is made from a wildcard as long as the proof that nothing is closer', () => {
    const shorter = on('any.victim.example A', honest => ({
      ...honest,
      authorities: honest.authorities.map(record => ({ ...record, ttlSeconds: 7 })),
    }))
    expect(ask('any.victim.example A').answer.ttlSeconds).toBe(60)
    expect(ask('any.victim.example A', shorter).answer.ttlSeconds).toBe(7)
  })

  test('a denial no longer than any record of its proof', () => {
    const shorter = on('mx.victim.example AAAA', honest => ({
      ...honest,
      authorities: honest.authorities.map(record =>
        record.type === typeNumbers.NSEC ? { ...record, ttlSeconds: 11 } : record,
      ),
    }))
    expect(ask('mx.victim.example AAAA', shorter).answer.ttlSeconds).toBe(11)
  })

  test('with aliases, as long as the shortest', () => {
    const short = on('www.aliases.example A', honest => ({
      ...honest,
      answers: honest.answers.map(record =>
        equalNames(record.name, name('www.aliases.example')) ? { ...record, ttlSeconds: 3 } : record,
      ),
    }))
    expect(ask('www.aliases.example A', short).answer.ttlSeconds).toBe(3)
  })
})

describe('what is known of zones', () => {
  test('the keys of a zone that were proven are not asked for again', () => {
    const zonesKnown = createZoneCache()
    ask('mx.victim.example A', null, { zones: zonesKnown })
    const again = ask('host.victim.example A', null, { zones: zonesKnown })
    expect(again.asked).toEqual([['host.victim.example A']])
    expect(brief(again.answer)).toEqual(secure('records'))
    expect(again.answer.steps).toHaveLength(4)
  })

  test('a delegation that is proven to be unsigned is not asked for again', () => {
    const zonesKnown = createZoneCache()
    ask('mx.open.example A', null, { zones: zonesKnown })
    const again = ask('host.open.example A', null, { zones: zonesKnown })
    expect(again.asked).toEqual([['host.open.example A']])
    expect(brief(again.answer)).toEqual(insecure('records', 'dnssec.unsigned-delegation'))
  })

  test('is forgotten when the TTLs of DS and keys are over', () => {
    const zonesKnown = createZoneCache()
    ask('mx.victim.example A', null, { zones: zonesKnown })
    const later = ask('host.victim.example A', null, { zones: zonesKnown, nowMs: nowMs + dayMs })
    expect(later.asked.flat()).toContain('victim.example DNSKEY')
  })

  test('no longer than what is known of the zones above', () => {
    const zonesKnown = createZoneCache()
    const brief9 = on('example DS', honest => ({
      ...honest,
      answers: honest.answers.map(record => ({ ...record, ttlSeconds: 9 })),
    }))
    ask('mx.victim.example A', brief9, { zones: zonesKnown })
    for (const zone of ['example', 'victim.example']) {
      expect(zonesKnown.get(name(zone), nowMs + 8_999)).not.toBe(null)
      expect(zonesKnown.get(name(zone), nowMs + 9_000)).toBe(null)
    }
  })

  test('no longer than the TTL of the keys', () => {
    const zonesKnown = createZoneCache()
    const shortKeys = on('victim.example DNSKEY', honest => ({
      ...honest,
      answers: honest.answers.map(record => ({ ...record, ttlSeconds: 5 })),
    }))
    ask('mx.victim.example A', shortKeys, { zones: zonesKnown })
    expect(zonesKnown.get(name('victim.example'), nowMs + 4_999)).not.toBe(null)
    expect(zonesKnown.get(name('victim.example'), nowMs + 5_000)).toBe(null)
    expect(zonesKnown.get(name('example'), nowMs + 5_000)).not.toBe(null)
  })

  test('nothing that is bogus or has failed is kept', () => {
    const kept: string[] = []
    const inner = createZoneCache()
    const zonesKnown = {
      get: inner.get,
      put: (...[zone, known]: Parameters<typeof inner.put>) => {
        kept.push(nameKey(zone))
        inner.put(zone, known)
      },
    }
    for (const question of [
      'mx.revoked.example A',
      'mx.silent.example A',
      'mx.trap.example A',
      'mx.ds-mixed-wrong.example A',
    ])
      ask(question, null, { zones: zonesKnown })
    expect([...new Set(kept)]).toEqual(['', 'example'])
  })
})
