import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { children, nullValue, oid, sequence } from '../../../test/certificates/der.ts'
import { keyOf } from '../../../test/certificates/keys.ts'
import {
  at,
  extendedKeyUsage,
  generalName,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
  nameConstraints,
  pemOf,
  type Recipe,
  subjectAltName,
  tlsa,
} from '../../../test/certificates/maker.ts'
import { createBudget } from '../x509/budget.ts'
import { parseCertificate } from '../x509/certificate.ts'
import type { Certificate, Read } from '../x509/model.ts'
import { readChain } from '../x509/pem.ts'
import { indexCertificates } from './certificate-index.ts'
import { judgeDane, matchesAmong } from './judge.ts'
import { parseTlsa, tlsaText } from './tlsa.ts'
import type { DaneJudgement, DaneQuestion, RecordJudgement, Tlsa } from './types.ts'

const host = 'mx.example.com'

/** Three certificates; `without` leaves out the key identifiers, so that only names and signatures tell who issued whom. */
function chainOf(identifiers: 'with' | 'without', leafRecipe: Parameters<typeof makeLeaf>[0] = {}) {
  const extensions: Recipe['extensions'] =
    identifiers === 'with' ? {} : { subjectKeyIdentifier: null, authorityKeyIdentifier: null }
  const root = makeAuthority({ subject: 'CN=Test Root', key: keyOf('root'), extensions })
  const issuer = makeAuthority({
    subject: 'CN=Test Intermediate',
    key: keyOf('intermediate'),
    issuer: root,
    extensions,
  })
  const leaf = makeLeaf({ issuer, ...leafRecipe, extensions: { ...extensions, ...leafRecipe.extensions } })
  return { root, issuer, leaf, all: [leaf, issuer, root] }
}

const { root, issuer, leaf, all } = chainOf('with')
const stranger = makeAuthority({ subject: 'CN=Stranger', key: keyOf('stranger') })

function read(made: readonly (Made | Read)[]): readonly Read[] {
  return made.map(each => ('der' in each && 'pem' in each ? parseCertificate(each.der) : each))
}

function record(text: string): Tlsa {
  const parsed = parseTlsa(text)
  if (parsed.kind !== 'record') throw new Error(parsed.says)
  return parsed.record
}

function judge(
  chain: readonly (Made | Read)[],
  records: readonly string[],
  changes: Partial<DaneQuestion> = {},
): DaneJudgement {
  return judgeDane({
    chain: read(chain),
    records: records.map(record),
    names: [host],
    atMs: at.getTime(),
    maxIntermediates: 8,
    profile: 'mail',
    purpose: 'server',
    isPublicSuffix: () => false,
    budget: createBudget(),
    ...changes,
  })
}

/** `dane-ta 7 at 1`, `encrypt-only`, or the reason of the refusal. */
function told({ verdict }: DaneJudgement): string {
  if (verdict.kind === 'authenticated') return `${verdict.by} ${verdict.record} at ${verdict.depth}`
  return verdict.kind === 'encrypt-only' ? verdict.kind : verdict.reason
}

/** `position/depth` of each match, `-` where there is none. */
function matches(judgement: RecordJudgement | undefined): string {
  return (judgement?.matches ?? []).map(({ position, depth }) => `${position ?? '-'}/${depth ?? '-'}`).join(' ')
}

function outcomes({ records }: DaneJudgement): string {
  return records.map(({ outcome, state }) => outcome?.kind ?? state).join(' ')
}

/** The data are a digest of nothing that is ever sent. */
function nothing(usage: number, seed = 0): string {
  return `${usage} 1 1 ${seed.toString(16).padStart(64, '0')}`
}

describe('the matrix: chains x selector x matching type x depth', () => {
  for (const identifiers of ['with', 'without'] as const) {
    const chain = chainOf(identifiers)
    for (const selector of [0, 1])
      for (const matchingType of [0, 1, 2]) {
        const numbers = `${selector} ${matchingType}`
        test(`${identifiers} key identifiers, 3 ${numbers} is the leaf's and nobody else's`, () => {
          expect(told(judge(chain.all, [tlsa(3, selector, matchingType, chain.leaf)]))).toBe('dane-ee 0 at 0')
          for (const other of [chain.issuer, chain.root]) {
            const judgement = judge(chain.all, [tlsa(3, selector, matchingType, other)])
            expect(told(judgement)).toBe('dane.no-match')
            expect(outcomes(judgement)).toBe('ee-not-leaf')
          }
        })

        test(`${identifiers} key identifiers, 2 ${numbers} is any issuer's, in any order, with or without those above`, () => {
          const [intermediate, top] = [chain.issuer, chain.root].map(each => tlsa(2, selector, matchingType, each))
          const { leaf, issuer, root } = chain
          for (const sent of [
            [leaf, issuer],
            [leaf, issuer, root],
            [leaf, root, issuer],
          ])
            expect(told(judge(sent, [intermediate ?? '']))).toBe('dane-ta 0 at 1')
          expect(told(judge([leaf, issuer, root], [top ?? '']))).toBe('dane-ta 0 at 2')
          expect(told(judge([leaf, root, issuer], [top ?? '']))).toBe('dane-ta 0 at 2')
        })

        test(`${identifiers} key identifiers, 2 ${numbers} of the leaf is nobody's`, () => {
          const judgement = judge(chain.all, [tlsa(2, selector, matchingType, chain.leaf)])
          expect(told(judgement)).toBe('dane.no-match')
          expect(outcomes(judgement)).toBe('ta-is-leaf')
          expect(matches(judgement.records[0])).toBe('0/0')
        })

        test(`${identifiers} key identifiers, 2 ${numbers} needs a name, and 3 ${numbers} does not`, () => {
          const names = ['other.example.com']
          const byIssuer = judge(chain.all, [tlsa(2, selector, matchingType, chain.root)], { names })
          expect(told(byIssuer)).toBe('x509.name-mismatch')
          expect(byIssuer.records[0]?.outcome).toEqual({ kind: 'name-mismatch', depth: 2 })
          expect(told(judge(chain.all, [tlsa(3, selector, matchingType, chain.leaf)], { names }))).toBe(
            'dane-ee 0 at 0',
          )
        })

        test(`${identifiers} key identifiers, 2 ${numbers} of a root that was not sent works only whole`, () => {
          const judgement = judge([chain.leaf, chain.issuer], [tlsa(2, selector, matchingType, chain.root)])
          // A bare key has the depth of the highest certificate that it signed.
          const depth = selector === 0 ? 2 : 1
          expect(told(judgement)).toBe(matchingType === 0 ? `dane-ta 0 at ${depth}` : 'dane.no-match')
          expect(matches(judgement.records[0])).toBe(matchingType === 0 ? `-/${depth}` : '')
        })

        test(`${identifiers} key identifiers, 2 ${numbers} of the intermediate alone, with only the leaf sent`, () => {
          const judgement = judge([chain.leaf], [tlsa(2, selector, matchingType, chain.issuer)])
          const depth = selector === 0 ? 1 : 0
          expect(told(judgement)).toBe(matchingType === 0 ? `dane-ta 0 at ${depth}` : 'dane.no-match')
        })
      }
  }
})

describe('usage 3: the leaf, and nothing else', () => {
  const day = 86_400_000
  test.each<[string, Made | Read, Partial<DaneQuestion>]>([
    ['expired', leaf, { atMs: at.getTime() + 20 * 365 * day }],
    ['not yet valid', leaf, { atMs: 0 }],
    ['of another name', makeLeaf({ issuer, names: ['other.example'] }), {}],
    ['of no name', makeLeaf({ issuer, names: [] }), {}],
    ['with names that cannot be read', withBrokenNames(), {}],
    ['self-signed', makeLeaf({}), {}],
    ['signed with MD5', makeLeaf({ key: keyOf('leaf', 'rsa-2048'), signature: 'rsa-md5' }), {}],
    ['signed by nobody', makeLeaf({ issuer, signer: keyOf('nobody') }), {}],
    ['with a key too weak', makeLeaf({ issuer, key: keyOf('leaf', 'rsa-1024') }), {}],
    ['of an authority', makeAuthority({ issuer, subject: 'CN=x' }), {}],
    ['where strict rules are asked for', makeLeaf({ issuer, version: 0 }), { profile: 'strict' }],
    ['asked for as a client', leaf, { purpose: 'client' }],
    ['with no budget', leaf, { budget: createBudget({ signatures: 0, steps: 0, 'name-comparisons': 0 }) }],
    ['with no names asked for', leaf, { names: null }],
  ])('a leaf %s is authenticated', (_, made, changes) => {
    if (!('der' in made) || !('key' in made)) throw new Error('not made')
    for (const text of [tlsa(3, 0, 1, made), tlsa(3, 1, 1, made), tlsa(3, 0, 0, made), tlsa(3, 1, 2, made)])
      for (const chain of [[made], [made, issuer, root], [made, stranger]])
        expect(told(judge(chain, [text], changes))).toBe('dane-ee 0 at 0')
  })

  test('a block that is no certificate behind the leaf does not veto', () => {
    const broken: Read = { kind: 'malformed', der: new Uint8Array(), detail: 'x' }
    expect(told(judge([leaf, broken], [tlsa(3, 1, 1, leaf)]))).toBe('dane-ee 0 at 0')
  })

  test('names and path are not told, for they were not asked', () => {
    const { verdict } = judge(all, [tlsa(3, 1, 1, leaf)])
    expect(verdict).toEqual({
      ...{ kind: 'authenticated', by: 'dane-ee', record: 0, depth: 0 },
      ...{ matched: null, path: null },
    })
  })

  test('another key, or another certificate of the same key, is another leaf', () => {
    const renewed = makeLeaf({ issuer })
    expect(told(judge([renewed, issuer], [tlsa(3, 1, 1, leaf)]))).toBe('dane-ee 0 at 0')
    expect(told(judge([renewed, issuer], [tlsa(3, 0, 1, leaf)]))).toBe('dane.no-match')
    const other = makeLeaf({ issuer, key: keyOf('other') })
    expect(told(judge([other, issuer], [tlsa(3, 1, 1, leaf)]))).toBe('dane.no-match')
  })

  test('the leaf somewhere behind the first place is not the leaf', () => {
    const judgement = judge([issuer, leaf], [tlsa(3, 1, 1, leaf)])
    expect(told(judgement)).toBe('dane.no-match')
    expect(outcomes(judgement)).toBe('ee-not-leaf')
    expect(matches(judgement.records[0])).toBe('1/-')
  })

  function withBrokenNames(): Made {
    return makeLeaf({
      issuer,
      extensions: { subjectAltName: subjectAltName([host]).map((octet, i) => (i > 8 ? 0xff : octet)) },
    })
  }
})

describe('usage 2: an issuer, a path and a name', () => {
  test('strangers, duplicates and disorder do no harm', () => {
    for (const chain of [
      [leaf, stranger, issuer, root],
      [leaf, issuer, issuer, leaf, root],
      [leaf, root, leaf, stranger, issuer],
    ])
      for (const [made, depth] of [
        [issuer, 1],
        [root, 2],
      ] as const)
        expect(told(judge(chain, [tlsa(2, 1, 1, made)]))).toBe(`dane-ta 0 at ${depth}`)
  })

  test('every copy is a match; a stranger is one without a depth', () => {
    const judgement = judge(
      [leaf, issuer, stranger, issuer, leaf],
      [tlsa(2, 1, 1, issuer), tlsa(2, 0, 1, stranger), tlsa(2, 0, 1, leaf)],
    )
    expect(judgement.records.map(matches)).toEqual(['1/1 3/1', '2/-', '0/0 4/0'])
    expect(outcomes(judgement)).toBe('authenticates no-path ta-is-leaf')
  })

  test('a stranger that the record names leads nowhere', () => {
    const judgement = judge([leaf, stranger, issuer, root], [tlsa(2, 0, 1, stranger)])
    expect(told(judgement)).toBe('dane.no-match')
    expect(outcomes(judgement)).toBe('no-path')
  })

  test('a self-signed leaf is not its own authority, by certificate or by digest', () => {
    const alone = makeLeaf({})
    for (const text of [tlsa(2, 0, 0, alone), tlsa(2, 0, 1, alone), tlsa(2, 1, 1, alone), tlsa(2, 1, 2, alone)])
      expect(told(judge([alone], [text]))).toBe('dane.no-match')
    expect(told(judge([alone, alone], [tlsa(2, 0, 1, alone)]))).toBe('dane.no-match')
  })

  test('a bare key may have signed the leaf itself, even when it is the leaf’s own', () => {
    expect(told(judge([leaf], [tlsa(2, 1, 0, issuer)]))).toBe('dane-ta 0 at 0')
    const alone = makeLeaf({})
    expect(told(judge([alone], [tlsa(2, 1, 0, alone)]))).toBe('dane-ta 0 at 0')
    expect(told(judge([leaf, issuer], [tlsa(2, 1, 0, leaf)]))).toBe('dane.no-match')
  })

  test('a key whose certificate was sent counts as that certificate', () => {
    const judgement = judge([leaf, issuer, root], [tlsa(2, 1, 0, issuer)])
    expect(told(judgement)).toBe('dane-ta 0 at 1')
    expect(matches(judgement.records[0])).toBe('1/1')
  })

  test('a key is no way around what the certificate that was sent for it forbids', () => {
    const noAuthority = makeLeaf({ subject: 'CN=Test Intermediate', key: keyOf('intermediate'), issuer: root })
    expect(told(judge([leaf, noAuthority], [tlsa(2, 1, 1, noAuthority)]))).toBe('x509.issuer-not-ca')
    const judgement = judge([leaf, noAuthority], [tlsa(2, 1, 0, noAuthority)])
    expect(told(judgement)).toBe('x509.issuer-not-ca')
    expect(matches(judgement.records[0])).toBe('1/1')
    for (const extensions of [
      { nameConstraints: nameConstraints(null, [generalName('dns', 'example.com')]) },
      { extendedKeyUsage: extendedKeyUsage(['codeSigning']) },
      { keyUsage: keyUsage(['digitalSignature']) },
    ]) {
      const limited = makeAuthority({
        subject: 'CN=Test Intermediate',
        key: keyOf('intermediate'),
        issuer: root,
        extensions,
      })
      const reason = told(judge([leaf, limited], [tlsa(2, 1, 1, limited)]))
      expect(reason).toMatch(/^x509\./)
      expect(told(judge([leaf, limited], [tlsa(2, 1, 0, limited)]))).toBe(reason)
      expect(told(judge([leaf], [tlsa(2, 1, 0, limited)]))).toBe('dane-ta 0 at 0')
    }
  })

  test('a key stands beside a certificate of it that nothing sent has for its issuer', () => {
    const renamed = makeAuthority({ subject: 'CN=New Name', key: keyOf('intermediate') })
    const judgement = judge([leaf, renamed], [tlsa(2, 1, 0, issuer)])
    expect(told(judgement)).toBe('dane-ta 0 at 0')
    expect(matches(judgement.records[0])).toBe('1/- -/0')
  })

  test('the issuer that a record names may have expired, what stands below it may not', () => {
    const notAfter = new Date('2021-01-01T00:00:00Z')
    const expired = makeAuthority({
      ...{ subject: 'CN=Test Intermediate', key: keyOf('intermediate'), issuer: root },
      notAfter,
    })
    const judgement = judge([leaf, expired, root], [tlsa(2, 1, 1, expired)])
    expect(told(judgement)).toBe('dane-ta 0 at 1')
    const { verdict } = judgement
    const path = verdict.kind === 'authenticated' ? verdict.path : null
    expect(path?.faults.map(({ reason }) => reason)).toContain('x509.expired')
    expect(told(judge([leaf, expired, root], [tlsa(2, 1, 1, root)]))).toBe('x509.expired')
    const old = makeLeaf({ issuer, notAfter })
    expect(told(judge([old, issuer], [tlsa(2, 1, 1, issuer)]))).toBe('x509.expired')
  })

  test('another key under the issuer’s name did not sign', () => {
    const impostor = makeAuthority({ subject: 'CN=Test Intermediate', key: keyOf('impostor'), issuer: root })
    expect(told(judge([leaf, impostor, root], [tlsa(2, 0, 1, impostor)]))).toBe('x509.bad-signature')
    expect(told(judge([leaf, impostor, root], [tlsa(2, 0, 1, root)]))).toBe('x509.bad-signature')
    expect(told(judge([leaf], [tlsa(2, 1, 0, impostor)]))).toBe('dane.no-match')
    expect(told(judge([leaf], [tlsa(2, 0, 0, impostor)]))).toBe('dane.no-match')
    // Beside the true one it is only a stranger.
    expect(told(judge([leaf, impostor, issuer], [tlsa(2, 0, 1, issuer)]))).toBe('dane-ta 0 at 1')
  })

  test.each<[string, number, string]>([
    ['before', Date.parse('2019-01-01T00:00:00Z'), 'x509.not-yet-valid'],
    ['after', Date.parse('2037-01-01T00:00:00Z'), 'x509.expired'],
  ])('%s its time no path is valid, and the depth of the match is still told', (_, atMs, reason) => {
    const judgement = judge(all, [tlsa(2, 1, 1, issuer), tlsa(2, 0, 1, root)], { atMs })
    expect(told(judgement)).toBe(reason)
    expect(judgement.records.map(matches)).toEqual(['1/1', '2/2'])
    expect(outcomes(judgement)).toBe('no-path no-path')
    expect(told(judge([leaf, issuer], [tlsa(2, 0, 0, root)], { atMs }))).toBe(reason)
    expect(told(judge([leaf, issuer], [tlsa(2, 1, 0, root)], { atMs }))).toBe(reason)
  })

  test('an issuer that is no authority signs nothing', () => {
    const notCa = makeLeaf({ issuer: root, names: ['ca.example'], subject: 'CN=Not CA', key: keyOf('not-ca') })
    const below = makeLeaf({ issuer: notCa })
    expect(told(judge([below, notCa, root], [tlsa(2, 0, 1, notCa)]))).toBe('x509.issuer-not-ca')
    expect(told(judge([below, notCa, root], [tlsa(2, 0, 1, root)]))).toBe('x509.issuer-not-ca')
  })

  test('of two authorities the nearer names the depth, whatever the order of the records', () => {
    const [near, far] = [tlsa(2, 1, 1, issuer), tlsa(2, 0, 1, root)]
    expect(told(judge(all, [far, near]))).toBe('dane-ta 1 at 1')
    expect(told(judge(all, [near, far]))).toBe('dane-ta 0 at 1')
    expect(told(judge(all, [near, near]))).toBe('dane-ta 0 at 1')
  })

  test('the path of the verdict ends at what the record names', () => {
    const { verdict } = judge(all, [tlsa(2, 1, 1, issuer)])
    const path = verdict.kind === 'authenticated' ? verdict.path : null
    expect(path?.certificates.map(({ der }) => pemOf(der))).toEqual([leaf.pem, issuer.pem])
  })

  test('when names are not checked the path alone decides', () => {
    const { verdict } = judge(all, [tlsa(2, 1, 1, issuer)], { names: null })
    expect(verdict).toMatchObject({ kind: 'authenticated', matched: null })
  })

  test.each<[string, Parameters<typeof makeLeaf>[0], readonly string[], string | null]>([
    ['the first name that fits', { names: ['a.example', host] }, ['b.example', host, 'a.example'], host],
    ['a wildcard', { names: ['*.example.com'] }, [host], '*.example.com'],
    ['the common name without a DNS-ID', { subject: `CN=${host}`, names: [] }, [host], host],
    ['not the common name beside one', { subject: `CN=${host}`, names: ['a.example'] }, [host], null],
    ['no address', { names: ['192.0.2.1'] }, ['192.0.2.1'], null],
    ['no address as a literal', { names: ['192.0.2.1'] }, ['[192.0.2.1]'], null],
    ['no name at all', { subject: 'CN=nobody', names: [] }, [host], null],
    ['nothing when none is asked for', {}, [], null],
  ])('names: %s', (_, recipe, names, presented) => {
    const named = makeLeaf({ issuer, ...recipe })
    const { verdict } = judge([named, issuer], [tlsa(2, 1, 1, issuer)], { names })
    const matched = verdict.kind === 'authenticated' ? (verdict.matched?.presented ?? null) : null
    expect(matched).toBe(presented)
    expect(verdict.kind).toBe(presented === null ? 'not-authenticated' : 'authenticated')
  })
})

test.each<['mail' | 'strict', string]>([
  ['mail', 'dane-ta 0 at 1'],
  ['strict', 'x509.public-suffix-wildcard'],
])('a wildcard on a public suffix matches nothing; %s: %s', (profile, expected) => {
  const wide = makeLeaf({ issuer, names: [host, '*.co.uk'] })
  const isPublicSuffix = (name: string) => name === 'co.uk'
  const judgement = judge([wide, issuer], [tlsa(2, 1, 1, issuer)], { profile, isPublicSuffix })
  expect(told(judgement)).toBe(expected)
  const names = ['example.co.uk']
  expect(told(judge([wide, issuer], [tlsa(2, 1, 1, issuer)], { names, isPublicSuffix }))).toBe(
    'x509.name-mismatch',
  )
  expect(told(judge([wide, issuer], [tlsa(3, 1, 1, wide)], { profile, isPublicSuffix }))).toBe('dane-ee 0 at 0')
})

describe('records beside each other', () => {
  test('usage 3 decides before usage 2', () => {
    expect(told(judge(all, [tlsa(2, 1, 1, issuer), tlsa(3, 1, 1, leaf)]))).toBe('dane-ee 1 at 0')
    // At the same depth, too.
    expect(told(judge([leaf], [tlsa(2, 1, 0, issuer), tlsa(3, 1, 1, leaf)]))).toBe('dane-ee 1 at 0')
    expect(told(judge(all, [nothing(3), tlsa(3, 0, 1, leaf), tlsa(3, 1, 1, leaf)]))).toBe('dane-ee 1 at 0')
  })

  test('one that fits is enough', () => {
    expect(told(judge(all, [nothing(3), nothing(2), tlsa(2, 0, 1, issuer)]))).toBe('dane-ta 2 at 1')
  })

  test('nine of 2 1 1, of which the eighth is the intermediate’s key', () => {
    const records = Array.from({ length: 9 }, (_, index) =>
      index === 7 ? tlsa(2, 1, 1, issuer) : nothing(2, index),
    )
    const served = makeLeaf({
      issuer,
      subject: 'CN=www.example.org',
      names: ['a.example.net', host, 'b.example.net'],
    })
    const judgement = judge([served, issuer], records)
    expect(judgement.verdict).toMatchObject({ by: 'dane-ta', record: 7, depth: 1 })
    expect(judgement.verdict).toMatchObject({ matched: { reference: host, presented: host } })
    expect(judgement.records.map(matches)).toEqual(['', '', '', '', '', '', '', '1/1', ''])
    expect(outcomes(judgement)).toBe(`${'no-match '.repeat(7)}authenticates no-match`)
    expect(told(judge([served], records))).toBe('dane.no-match')
  })

  test('a shadowed record matches and does not count', () => {
    const judgement = judge(all, [tlsa(3, 1, 1, leaf), `3 1 2 ${'00'.repeat(64)}`])
    expect(told(judgement)).toBe('dane.no-match')
    expect(judgement.records[0]).toMatchObject({ state: 'shadowed', because: 'stronger-digest-published' })
    expect(judgement.records[0]?.outcome).toBeNull()
    expect(matches(judgement.records[0])).toBe('0/0')
  })

  test('an unusable record shadows nothing', () => {
    expect(told(judge(all, [tlsa(3, 1, 1, leaf), `3 1 2 ${'00'.repeat(32)}`]))).toBe('dane-ee 0 at 0')
  })

  test('without a usable record TLS is owed and nothing else, and what would match is told', () => {
    const records = [
      tlsa(0, 1, 1, root),
      tlsa(1, 0, 1, leaf),
      tlsa(0, 0, 0, stranger),
      `3 1 1 ${'00'.repeat(20)}`,
      `3 2 1 ${'00'.repeat(32)}`,
      `3 1 9 ${'00'.repeat(32)}`,
      tlsa(7, 1, 2, issuer),
      '2 0 0 3000',
    ]
    const judgement = judge(all, records)
    expect(told(judgement)).toBe('encrypt-only')
    expect(judgement.records.map(({ because }) => because)).toEqual([
      'usage-for-pkix',
      'usage-for-pkix',
      'usage-for-pkix',
      'digest-length',
      'selector-unknown',
      'matching-type-unknown',
      'usage-unknown',
      'data-unreadable',
    ])
    expect(judgement.records.map(matches)).toEqual(['2/2', '0/0', '', '', '', '', '1/1', ''])
    expect(judgement.records.every(({ outcome }) => outcome === null)).toBe(true)
    expect(told(judge([], records))).toBe('encrypt-only')
    expect(told(judge([{ kind: 'malformed', der: new Uint8Array(), detail: 'x' }], records))).toBe('encrypt-only')
  })

  test('one usable record that does not fit is enough to refuse', () => {
    expect(told(judge(all, [tlsa(1, 1, 1, leaf), nothing(3)]))).toBe('dane.no-match')
  })

  test('each record has its own reason', () => {
    const noAuthority = makeLeaf({ subject: 'CN=Test Intermediate', key: keyOf('intermediate'), issuer: root })
    const judgement = judge(
      [leaf, noAuthority, stranger],
      [tlsa(2, 0, 1, stranger), tlsa(2, 0, 1, noAuthority), nothing(2)],
    )
    expect(told(judgement)).toBe('x509.issuer-not-ca')
    const reasons = judgement.records.map(({ outcome }) =>
      outcome?.kind === 'no-path' ? outcome.because?.reason : null,
    )
    expect(reasons[1]).toBe('x509.issuer-not-ca')
    expect(reasons[0]).not.toBe('x509.issuer-not-ca')
    expect(reasons[2]).toBeNull()
  })
})

describe('a key that others read, and we do not', () => {
  const bits = children(keyOf('odd', 'rsa-2048').spki)[1] ?? nullValue
  const spki = sequence(sequence(oid('1.2.840.113549.1.1.1'), oid('1.2.3')), bits)

  test('is named by its octets under usage 3', () => {
    const odd = makeLeaf({ issuer, key: keyOf('odd', 'rsa-2048'), spki })
    for (const matchingType of [0, 1, 2])
      expect(told(judge([odd, issuer], [tlsa(3, 1, matchingType, odd)]))).toBe('dane-ee 0 at 0')
    expect(told(judge([leaf, issuer], [tlsa(3, 1, 0, odd)]))).toBe('dane.no-match')
  })

  test('signs nothing under usage 2, and does not leave the peer without a record that counts', () => {
    const odd = makeAuthority({ subject: 'CN=Odd', key: keyOf('odd', 'rsa-2048'), spki })
    const below = makeLeaf({ issuer: odd })
    expect(told(judge([below, odd], [tlsa(2, 1, 0, odd)]))).toBe('x509.unsupported-algorithm')
    expect(told(judge([below], [tlsa(2, 1, 0, odd)]))).toBe('dane.no-match')
    expect(told(judge([leaf], [tlsa(2, 1, 0, odd)]))).toBe('dane.no-match')
  })
})

describe('the reason of a refusal', () => {
  const past = (year: number) => new Date(`${year}-01-01T00:00:00Z`)

  test('comes with the path of the very record whose reason it is', () => {
    const oldRoot = makeAuthority({ subject: 'CN=Old Root', key: keyOf('old root') })
    const [under, crossed] = [root, oldRoot].map((above, index) =>
      makeAuthority({
        subject: 'CN=I',
        key: keyOf('i'),
        issuer: above,
        ...(index === 0 ? {} : { notAfter: past(2024) }),
      }),
    )
    if (under === undefined || crossed === undefined) throw new Error('two were made')
    const bottom = makeLeaf({ issuer: under, notAfter: past(2023) })
    const { verdict } = judge(
      [bottom, under, root, crossed, oldRoot],
      [tlsa(2, 0, 1, root), tlsa(2, 0, 1, crossed)],
    )
    expect(verdict).toMatchObject({
      reason: 'x509.expired',
      none: { reason: 'x509.expired', detail: expect.stringContaining('2023') },
    })
    const none = verdict.kind === 'not-authenticated' ? verdict.none : null
    expect(Buffer.from(none?.certificate?.der ?? []).equals(bottom.der)).toBe(true)
  })

  test('is looked for in the first few records; of the others it is not made up', () => {
    const tops = Array.from({ length: 12 }, (_, index) => {
      const above = makeAuthority({
        subject: `CN=T${index}`,
        key: keyOf(`t${index}`),
        notAfter: past(2010 + index),
      })
      return [makeAuthority({ subject: 'CN=I', key: keyOf('i'), issuer: above }), above] as const
    })
    const bottom = makeLeaf({ issuer: tops[0]?.[0] ?? root, notAfter: past(2023) })
    const judgement = judge(
      [bottom, ...tops.flat()],
      tops.map(([, top]) => tlsa(2, 0, 1, top)),
    )
    const reasons = judgement.records.map(({ outcome }) =>
      outcome?.kind === 'no-path' ? outcome.because : undefined,
    )
    expect(reasons.slice(0, 7).map(because => because?.reason)).toEqual(
      Array.from({ length: 7 }, () => 'x509.expired'),
    )
    expect(reasons.slice(7)).toEqual(Array.from({ length: 5 }, () => null))
    expect(told(judgement)).toBe('x509.expired')
  })

  test('is the budget for all of them when that ended', () => {
    const judgement = judge(all, [tlsa(2, 1, 1, issuer), tlsa(2, 1, 1, root)], {
      budget: createBudget({ steps: 1 }),
    })
    expect(
      judgement.records.map(({ outcome }) => (outcome?.kind === 'no-path' ? outcome.because?.reason : outcome)),
    ).toEqual(['x509.over-budget', 'x509.over-budget'])
  })
})

describe('what is no chain', () => {
  const broken: Read = { kind: 'malformed', der: Uint8Array.of(1), detail: 'it is not DER' }

  test('nothing sent', () => {
    expect(told(judge([], [tlsa(2, 1, 1, issuer)]))).toBe('x509.no-certificate')
  })

  test('a leaf that is no certificate', () => {
    const { verdict, records } = judge([broken, issuer], [tlsa(2, 1, 1, issuer), tlsa(3, 1, 1, issuer)])
    expect(verdict).toEqual({
      kind: 'not-authenticated',
      reason: 'x509.malformed',
      detail: 'it is not DER',
      none: null,
    })
    expect(records).toHaveLength(2)
  })

  test('another block that is no certificate spoils the path, and its place is told', () => {
    const { verdict } = judge([leaf, issuer, broken], [tlsa(2, 1, 1, issuer)])
    expect(verdict).toMatchObject({ reason: 'x509.malformed', detail: expect.stringContaining('place 2') })
  })

  test('a leaf cut anywhere is refused, and never a throw', () => {
    for (let cut = 0; cut < leaf.der.length; cut += 3) {
      const chain = [parseCertificate(leaf.der.subarray(0, cut)), ...read([issuer])]
      expect(told(judge(chain, [tlsa(3, 0, 1, leaf), tlsa(2, 0, 1, issuer)]))).toBe('x509.malformed')
    }
  })

  test('a leaf with any octet changed is not the one that a certificate’s digest names', () => {
    for (let place = 0; place < leaf.der.length; place++) {
      const der = Uint8Array.from(leaf.der)
      der[place] = (der[place] ?? 0) ^ (1 << (place % 8))
      const judgement = judge(
        [parseCertificate(der), ...read([issuer])],
        [tlsa(3, 0, 1, leaf), tlsa(2, 0, 1, issuer)],
      )
      expect(judgement.verdict.kind, `octet ${place}`).toBe('not-authenticated')
    }
  })

  test('records are needed', () => {
    expect(() => judge(all, [])).toThrow(RangeError)
  })
})

describe('what it costs', () => {
  const hundred: readonly Made[] = [
    leaf,
    issuer,
    ...Array.from({ length: 98 }, (_, index) =>
      makeAuthority({ subject: `CN=Filler ${index}`, key: keyOf('filler') }),
    ),
  ]

  function certificates(made: readonly Made[]): readonly Certificate[] {
    return read(made).flatMap(each => (each.kind === 'certificate' ? [each.certificate] : []))
  }

  test('a thousand records against a hundred certificates hash each certificate once a selector and matching type', () => {
    const index = indexCertificates(certificates(hundred))
    for (let round = 0; round < 250; round++)
      for (const numbers of ['0 1', '0 2', '1 1', '1 2'])
        index.positionsOf(record(`2 ${numbers} ${round.toString(16).padStart(128, '0')}`))
    expect(index.digests).toBe(400)
  })

  test('whole octets are hashed once each', () => {
    const index = indexCertificates(certificates(hundred))
    for (let round = 0; round < 1_000; round++) index.positionsOf(record(tlsa(2, 0, 0, issuer)))
    expect(index.digests).toBe(1_100)
  })

  test('a thousand records of one issuer cost as many signatures as one', () => {
    const spent = (count: number) => {
      const budget = createBudget()
      const records = Array.from({ length: count }, (_, index) =>
        index === 0 ? tlsa(2, 1, 1, issuer) : nothing(2, index),
      )
      expect(told(judge(hundred, records, { budget }))).toBe('dane-ta 0 at 1')
      return budget.spent.signatures
    }
    expect(spent(1_000)).toBe(spent(1))
  })

  test('records for every certificate cost little more than one', () => {
    const budget = createBudget()
    const records = hundred.map(made => tlsa(2, 0, 1, made))
    expect(told(judge(hundred, records, { budget }))).toBe('dane-ta 1 at 1')
    expect(budget.spent.signatures).toBeLessThan(200)
  })

  test('a thousand bare keys that fit nothing do not keep another record from deciding', () => {
    const keys = Array.from({ length: 1_000 }, bareKey)
    const judgement = judge([leaf, issuer, root], [...keys, tlsa(3, 1, 1, leaf)])
    expect(told(judgement)).toBe('dane-ee 1000 at 0')
    expect(told(judge([leaf, issuer, root], [...keys, tlsa(2, 1, 1, issuer)]))).toBe('dane-ta 1000 at 1')
    expect(told(judge([leaf, issuer], [...keys, tlsa(2, 1, 1, issuer)]))).toBe('dane-ta 1000 at 1')
    expect(told(judge([leaf, issuer], keys))).toBe('x509.over-budget')
  })

  test('many records over many certificates cost their sum, not their product', () => {
    const spentFor = (records: readonly string[], chain: readonly Made[], verdict: string) => {
      const budget = createBudget()
      const judgement = judge(chain, records, { budget })
      expect(told(judgement)).toBe(verdict)
      const matched = judgement.records.reduce((sum, each) => sum + each.matches.length, 0)
      return { ...budget.spent, matched }
    }
    const chainOfLength = (certificateCount: number) => hundred.slice(0, certificateCount)
    const alone = spentFor([tlsa(2, 1, 1, issuer)], chainOfLength(2), 'dane-ta 0 at 1')
    for (const certificateCount of [2, 10, 50, 100])
      for (const recordCount of [1, 10, 100, 1_300]) {
        const chain = chainOfLength(certificateCount)
        const others = Array.from({ length: recordCount - 1 }, (_, index) => {
          const named = chain[2 + index]
          return named === undefined ? nothing(2 + (index % 2), index) : tlsa(2, 0, 1, named)
        })
        const found = spentFor([...others, tlsa(2, 1, 1, issuer)], chain, `dane-ta ${recordCount - 1} at 1`)
        const most = recordCount + certificateCount
        expect(found.signatures).toBeLessThanOrEqual(alone.signatures * most)
        expect(found.steps).toBeLessThanOrEqual(alone.steps * most)
        expect(found.matched).toBeLessThanOrEqual(most)
        // What fits nothing costs nothing.
        const refused = spentFor(
          Array.from({ length: recordCount }, (_, index) => nothing(2, index)),
          chain,
          'dane.no-match',
        )
        expect(refused).toMatchObject({ signatures: 0, steps: 0, matched: 0 })
      }
  })

  test('when the budget ends first, that is the reason', () => {
    const budget = createBudget({ signatures: 0 })
    expect(told(judge(all, [tlsa(2, 1, 1, issuer)], { budget }))).toBe('x509.over-budget')
    expect(told(judge([leaf, issuer], [tlsa(2, 0, 0, root)], { budget: createBudget({ signatures: 0 }) }))).toBe(
      'x509.over-budget',
    )
  })

  function bareKey(): string {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return `2 1 0 ${publicKey.export({ type: 'spki', format: 'der' }).toString('hex')}`
  }
})

test('certificates that were not sent are looked through the same way', () => {
  const known = readChain([stranger, issuer, root, issuer].map(({ pem }) => pem).join('')).flatMap(each =>
    each.kind === 'certificate' ? [each.certificate] : [],
  )
  expect(matchesAmong(record(tlsa(2, 1, 1, issuer)), known)).toEqual([1, 3])
  expect(matchesAmong(record(tlsa(2, 0, 2, root)), known)).toEqual([2])
  expect(matchesAmong(record(tlsa(3, 1, 1, leaf)), known)).toEqual([])
  expect(matchesAmong(record(`2 7 1 ${'00'.repeat(32)}`), known)).toEqual([])
  expect(tlsaText(record(tlsa(2, 1, 1, issuer)))).toBe(tlsa(2, 1, 1, issuer))
})
