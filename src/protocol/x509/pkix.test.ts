import { expect, test } from 'vitest'
import { keyOf } from '../../../test/certificates/keys.ts'
import { at, type Made, makeAuthority, makeLeaf } from '../../../test/certificates/maker.ts'
import { createBudget } from './budget.ts'
import { parseCertificate } from './certificate.ts'
import type { Certificate, Read } from './model.ts'
import { judgePkix, type PkixJudgement, type PkixQuestion } from './pkix.ts'

const host = 'mx.example.com'
const root = makeAuthority({ subject: 'CN=Test Root', key: keyOf('root') })
const issuer = makeAuthority({ subject: 'CN=Test Intermediate', key: keyOf('intermediate'), issuer: root })
const leaf = makeLeaf({ issuer })
const stranger = makeAuthority({ subject: 'CN=Stranger', key: keyOf('stranger') })
const broken: Read = { kind: 'malformed', der: Uint8Array.of(1), detail: 'it is not DER' }

function readAll(chain: readonly (Made | Read)[]): readonly Read[] {
  return chain.map(each => ('pem' in each ? parseCertificate(each.der) : each))
}

function trusted(...made: readonly Made[]): readonly Certificate[] {
  return readAll(made).flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
}

function judge(chain: readonly (Made | Read)[], changes: Partial<PkixQuestion> = {}): PkixJudgement['verdict'] {
  return judgePkix({
    chain: readAll(chain),
    roots: trusted(root),
    names: [host],
    cn: 'never',
    atMs: at.getTime(),
    profile: 'mail',
    purpose: 'server',
    maxIntermediates: 8,
    isPublicSuffix: () => false,
    budget: createBudget(),
    ...changes,
  }).verdict
}

/** `2 mx.example.com`: the depth of the root, and the name that fitted; or the reason of the refusal. */
function told(verdict: PkixJudgement['verdict']): string {
  if (verdict.kind === 'not-authenticated') return verdict.reason
  return `${verdict.depth} ${verdict.matched?.presented ?? 'unchecked'}`
}

const addressed = makeLeaf({ issuer, names: ['192.0.2.1'] })
const named = makeLeaf({ issuer, subject: `CN=${host}`, names: [] })

test.each<[string, readonly (Made | Read)[], Partial<PkixQuestion>, string]>([
  ['a chain without its root', [leaf, issuer], {}, `2 ${host}`],
  ['a chain with its root', [leaf, issuer, root], {}, `2 ${host}`],
  ['a chain in disorder, with strangers and duplicates', [leaf, stranger, root, issuer, leaf], {}, `2 ${host}`],
  ['a root that is an intermediate', [leaf], { roots: trusted(issuer) }, `1 ${host}`],
  ['a store of many', [leaf, issuer], { roots: trusted(stranger, issuer, root) }, `1 ${host}`],
  ['no name wanted', [leaf, issuer], { names: null }, '2 unchecked'],
  ['an address', [addressed, issuer], { names: ['[192.0.2.1]'] }, '2 192.0.2.1'],
  ['a common name, where it may stand in', [named, issuer], { cn: 'if-no-dns-id' }, `2 ${host}`],
  ['a common name, where it may not', [named, issuer], {}, 'x509.name-mismatch'],
  ['another name', [leaf, issuer], { names: ['other.example'] }, 'x509.name-mismatch'],
  ['names, and none of them given', [leaf, issuer], { names: [] }, 'x509.name-mismatch'],
  [
    'an unknown root is told before a wrong name',
    [leaf, issuer],
    { roots: [], names: ['x.example'] },
    'x509.untrusted-root',
  ],
  ['no root at all', [leaf, issuer, root], { roots: [] }, 'x509.untrusted-root'],
  ['another root', [leaf, issuer, root], { roots: trusted(stranger) }, 'x509.untrusted-root'],
  ['a missing intermediate', [leaf], {}, 'x509.missing-intermediate'],
  ['a self-signed leaf', [makeLeaf({})], {}, 'x509.self-signed'],
  ['a later time', [leaf, issuer], { atMs: Date.parse('2037-01-01T00:00:00Z') }, 'x509.expired'],
  ['too few intermediates allowed', [leaf, issuer], { maxIntermediates: 0 }, 'x509.path-too-long'],
  ['nothing sent', [], {}, 'x509.no-certificate'],
  ['a leaf that is no certificate', [broken, leaf, issuer], {}, 'x509.malformed'],
  ['another block that is no certificate', [leaf, issuer, broken], {}, 'x509.malformed'],
  ['no budget', [leaf, issuer], { budget: createBudget({ signatures: 0 }) }, 'x509.over-budget'],
])('%s', (_, chain, changes, expected) => {
  expect(told(judge(chain, changes))).toBe(expected)
})

test('a refused path tells how far it came; a missing name does not', () => {
  expect(judge([leaf, issuer], { roots: [] })).toMatchObject({ none: { reason: 'x509.untrusted-root' } })
  expect(judge([leaf, issuer], { names: ['other.example'] })).toMatchObject({ none: null })
})

test('the place of a block that is no certificate is told', () => {
  expect(judge([leaf, broken])).toMatchObject({ detail: 'the certificate in place 1: it is not DER' })
})

const wide = makeLeaf({ issuer, names: [host, '*.co.uk'] })
const isPublicSuffix = (name: string) => name === 'co.uk'

test('a wildcard on a public suffix is told by mail, and refused by strict', () => {
  const verdict = judge([wide, issuer], { isPublicSuffix })
  const faults = verdict.kind === 'authenticated' ? verdict.path.faults : []
  expect(faults.filter(({ reason }) => reason === 'x509.public-suffix-wildcard')).toMatchObject([
    { detail: '*.co.uk' },
  ])
  expect(told(judge([wide, issuer], { isPublicSuffix, profile: 'strict' }))).toBe('x509.public-suffix-wildcard')
  expect(told(judge([wide, issuer], { profile: 'strict' }))).toBe(`2 ${host}`)
  const top = makeLeaf({ issuer, names: [host, '*.example'] })
  expect(told(judge([top, issuer], { profile: 'strict' }))).toBe('x509.public-suffix-wildcard')
})

test('a megabyte of wildcards is asked about only as far as the budget goes', () => {
  const many = makeLeaf({
    issuer,
    names: [host, ...Array.from({ length: 2_000 }, (_, index) => `*.d${index}.example`)],
  })
  let asked = 0
  const counting = { isPublicSuffix: () => ++asked < 0 }
  const few = () => createBudget({ 'name-comparisons': 100 })
  expect(told(judge([many, issuer], { ...counting, budget: few() }))).toBe(`2 ${host}`)
  expect(asked).toBe(100)
  // Whoever refuses for such names has to have seen them all.
  const strict = { ...counting, profile: 'strict', budget: few() } as const
  expect(told(judge([many, issuer], strict))).toBe('x509.over-budget')
})

test('a hundred other roots in the store add nothing to the work', () => {
  const others = Array.from({ length: 100 }, (_, index) =>
    makeAuthority({ subject: `CN=Root ${index}`, key: keyOf('stranger') }),
  )
  const spent = [trusted(root), trusted(...others, root)].map(roots => {
    const budget = createBudget()
    // The second question of one store, as a relay asks it.
    judge([leaf, issuer], { roots })
    expect(told(judge([leaf, issuer], { roots, budget }))).toBe(`2 ${host}`)
    return budget.spent
  })
  expect(spent[1]).toEqual(spent[0])
})
