import { describe, expect, test } from 'vitest'
import { keyOf } from '../../../test/certificates/keys.ts'
import {
  at,
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
  nameConstraints,
  type Recipe,
} from '../../../test/certificates/maker.ts'
import { createBudget, defaultLimits } from './budget.ts'
import { parseCertificate } from './certificate.ts'
import { commonNames } from './distinguished-name.ts'
import type { Certificate } from './model.ts'
import { findPaths } from './path.ts'
import type { Anchor, Budget, PathAnswer, PathQuestion } from './path-types.ts'
import { readPublicKey } from './public-key.ts'

const root = authority('Root')
const upper = authority('Upper', root)
const lower = authority('Lower', upper)
const leaf = makeLeaf({ issuer: lower })

describe('a path', () => {
  test('leads from the leaf to the anchor, whatever the order, with strangers, and with everything sent twice', () => {
    const stranger = authority('Stranger')
    for (const others of [
      [lower, upper],
      [upper, lower],
      [leaf, root, stranger, upper, lower, leaf, upper],
    ])
      expect(told(ask(leaf, others, [root]))).toEqual(['Lower Upper Root: 3'])
  })

  test('leads to every anchor there is, the nearest first', () => {
    const otherRoot = authority('Other Root')
    const crossed = authority('Upper', otherRoot)
    expect(told(ask(leaf, [lower, upper, crossed], [root, otherRoot, lower]))).toEqual([
      'Lower: 1',
      'Lower Upper Root: 3',
      'Lower Upper Other Root: 3',
    ])
  })

  test('consists of the certificates as sent where they were sent', () => {
    const sent = [lower, upper, root].map(parsed)
    const answer = findPaths({ ...question(leaf, [], [root]), others: sent })
    for (const [depth, certificate] of sent.entries())
      expect(answer.paths[0]?.certificates[depth + 1]).toBe(certificate)
  })

  test('may be the leaf alone, if that is an anchor', () => {
    const selfSigned = makeLeaf({ key: keyOf('self') })
    expect(told(ask(selfSigned, [], [selfSigned]))).toEqual([': 0'])
    expect(told(ask(leaf, [lower, upper], [leaf, root]))).toEqual([': 0', 'Lower Upper Root: 3'])
  })

  test('is longer where the shorter one is forbidden', () => {
    const forbidding = authority('Root', undefined, {
      extensions: { nameConstraints: nameConstraints(null, [generalName('directory', 'CN=Short')]) },
    })
    const short = authority('Short', forbidding, { key: keyOf('Issuer') })
    const [middle, issuer] = [authority('Middle', forbidding), authority('Issuer')]
    const long = makeAuthority({ subject: 'CN=Issuer', key: issuer.key, issuer: middle })
    const bottom = makeLeaf({ issuer })
    const renamed = makeLeaf({ issuer: short })
    expect(told(ask(bottom, [middle, long], [forbidding]))).toEqual(['Issuer Middle Root: 3'])
    expect(reasonOf(ask(renamed, [short], [forbidding]))).toBe('x509.name-constraints')
  })

  test('takes the certificate of an issuer that is good, not another of the same name and key', () => {
    const expired = authority('Lower', upper, { notAfter: new Date(at.getTime() - 1000) })
    const notCa = authority('Lower', upper, { extensions: { basicConstraints: basicConstraints('not-ca') } })
    for (const others of [
      [expired, notCa, lower, upper],
      [upper, lower, notCa, expired],
    ])
      expect(told(ask(leaf, others, [root]))).toEqual(['Lower Upper Root: 3'])
  })

  test('has an end where authorities signed each other', () => {
    const upperByLower = authority('Upper', lower)
    expect(told(ask(leaf, [lower, upperByLower, upper], [root]))).toEqual(['Lower Upper Root: 3'])
    expect(reasonOf(ask(leaf, [lower, upperByLower], [root]))).toBe('x509.untrusted-root')
  })

  test('carries the faults that the profile let pass, each with its certificate', () => {
    const plain = makeLeaf({ issuer: root, extensions: { authorityKeyIdentifier: null, extendedKeyUsage: null } })
    const [path] = ask(plain, [], [root]).paths
    expect(
      path?.faults.map(({ reason, certificate }) => [reason, path.certificates.indexOf(certificate)]),
    ).toEqual([
      ['x509.no-extended-key-usage', 0],
      ['x509.missing-aki', 0],
    ])
    expect(reasonOf(ask(plain, [], [root], { profile: 'strict' }))).toBe('x509.missing-aki')
  })
})

describe('a bare key as anchor', () => {
  const key = (made: Made): Anchor => ({ kind: 'key', publicKey: publicKey(made) })

  test('may have signed the leaf, an authority that was sent, or one whose issuer was not', () => {
    expect(told(askFor(leaf, [], [key(lower)]))).toEqual([': 0'])
    expect(told(askFor(leaf, [lower], [key(upper)]))).toEqual(['Lower: 1'])
    expect(told(askFor(leaf, [lower, upper], [key(root)]))).toEqual(['Lower Upper: 2'])
  })

  test('is not reached by a certificate that only carries it', () => {
    expect(told(askFor(leaf, [lower, upper, root], [key(upper)]))).toEqual(['Lower: 1'])
    expect(reasonOf(askFor(leaf, [lower, upper], [key(leaf)]))).toBe('x509.untrusted-root')
  })

  test('ends the path with the highest it signed: its own certificate, if it signed that', () => {
    expect(told(askFor(leaf, [lower, upper, root], [key(root)]))).toEqual(['Lower Upper Root: 3'])
  })

  test('has no dates and no rights: what is wrong with its own certificate does not matter', () => {
    const expired = authority('Root', undefined, { notAfter: new Date(at.getTime() - 1000) })
    expect(told(askFor(leaf, [lower, upper, expired], [key(root)]))).toEqual(['Lower Upper: 2'])
  })

  test('is looked for among several, each tried once', () => {
    const keys = ['a', 'b', 'c'].map(holder => key(authority(holder)))
    const budget = createBudget()
    expect(
      told(findPaths({ ...question(leaf, [lower, upper], []), anchors: [...keys, key(root), key(root)], budget })),
    ).toEqual(['Lower Upper: 2'])
    expect(budget.spent.signatures).toBe(3 * (2 + 4))
  })
})

describe('the anchor', () => {
  test('is not held to its own signature, neither the algorithm nor the value', () => {
    const old = makeAuthority({ subject: 'CN=Old', key: keyOf('old', 'rsa-2048'), signature: 'rsa-sha1' })
    const broken = authority('Root', undefined, { signer: keyOf('nobody') })
    expect(told(ask(makeLeaf({ issuer: old }), [], [old]))).toEqual(['Old: 1'])
    expect(told(ask(leaf, [lower, upper], [broken]))).toEqual(['Lower Upper Root: 3'])
  })

  test.each<readonly [string, Recipe, string]>([
    ['dates', { notAfter: new Date(at.getTime() - 1000) }, 'x509.expired'],
    ['path length', { extensions: { basicConstraints: basicConstraints('ca', 1) } }, 'x509.path-length'],
    ['key usage', { extensions: { keyUsage: keyUsage(['cRLSign']) } }, 'x509.issuer-key-usage'],
    [
      'purposes',
      { extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth']) } },
      'x509.extended-key-usage',
    ],
    [
      'constraints',
      { extensions: { nameConstraints: nameConstraints([generalName('dns', 'example.net')]) } },
      'x509.name-constraints',
    ],
    [
      'unknown critical extensions',
      { more: [extension('1.2.3.4', Buffer.of(5, 0), 'critical')] },
      'x509.unknown-critical-extension',
    ],
    ['right to be one', { extensions: { basicConstraints: basicConstraints('not-ca') } }, 'x509.issuer-not-ca'],
  ])('is held to its %s', (_what, recipe, reason) => {
    const limited = authority('Root', undefined, recipe)
    expect(reasonOf(ask(leaf, [lower, upper], [limited]))).toBe(reason)
  })

  test('of version 1 is an authority by being an anchor, for mail (RFC 5280 §6.1.4 (k))', () => {
    const old = authority('Root', undefined, { version: null, onlyExtensions: [] })
    expect(told(ask(leaf, [lower, upper], [old]))).toEqual(['Lower Upper Root: 3'])
    expect(reasonOf(ask(leaf, [lower, upper], [old], { profile: 'strict' }))).toBe('x509.old-version')
  })

  test('of version 1 is none on the way to another', () => {
    const old = authority('Lower', upper, { version: null, onlyExtensions: [] })
    expect(reasonOf(ask(leaf, [old, upper], [root]))).toBe('x509.issuer-not-ca')
  })
})

describe('how the anchor points at its own issuer', () => {
  const crossed = authority('Root', authority('Old Root'), { extensions: { authorityKeyIdentifier: null } })
  const empty = { extensions: { authorityKeyIdentifier: extension('2.5.29.35', Buffer.of(0x30, 0)) } }
  const astray = { extensions: { authorityKeyIdentifier: authorityKeyIdentifier(Buffer.alloc(20, 1)) } }
  const rolled = authority('Root', undefined, { ...astray, signer: keyOf('the key before') })
  test.each<readonly [string, Made, string | undefined]>([
    ['self-signed, not at all', root, undefined],
    ['signed by another, not at all', crossed, undefined],
    ['with an identifier that holds nothing', authority('Root', undefined, empty), 'x509.missing-aki'],
    ['self-signed, at another key', authority('Root', undefined, astray), 'x509.aki-mismatch'],
    ['signed with its former key, at that', rolled, undefined],
  ])('%s', (_what, anchor, reason) => {
    const [path] = ask(leaf, [lower, upper], [anchor]).paths
    expect(path?.faults.map(fault => fault.reason)).toEqual(reason === undefined ? [] : [reason])
    expect(reasonOf(ask(leaf, [lower, upper], [anchor], { profile: 'strict' }))).toBe(reason)
  })
})

describe('how long a path may be', () => {
  const rolled = makeAuthority({ subject: 'CN=Lower', key: keyOf('rolled'), issuer: lower })
  const bottom = makeLeaf({ issuer: rolled })

  test.each([
    [2, 2],
    [1, 'x509.path-too-long'],
    [0, 'x509.path-too-long'],
  ])('with at most %i between leaf and anchor, two there: %s', (maxIntermediates, expected) => {
    const answer = ask(leaf, [lower, upper], [root], { maxIntermediates })
    expect(answer.paths.length > 0 ? 2 : reasonOf(answer)).toBe(expected)
  })

  test('self-issued certificates are not counted, neither here nor by path lengths (RFC 5280 §4.2.1.9)', () => {
    const short = authority('Upper', root, { extensions: { basicConstraints: basicConstraints('ca', 1) } })
    expect(told(ask(bottom, [rolled, lower, short], [root], { maxIntermediates: 2 }))).toEqual([
      'Lower Lower Upper Root: 4',
    ])
    const tooShort = authority('Upper', root, { extensions: { basicConstraints: basicConstraints('ca', 0) } })
    expect(reasonOf(ask(bottom, [rolled, lower, tooShort], [root]))).toBe('x509.path-length')
  })
})

describe('when there is none, the reason is', () => {
  const second = (seconds: number) => new Date(at.getTime() + seconds * 1000)
  const weak = makeAuthority({ subject: 'CN=Weak', key: keyOf('weak', 'rsa-2048') })
  const sha1 = makeLeaf({ issuer: weak, signature: 'rsa-sha1' })
  const p192 = makeAuthority({ subject: 'CN=P192', key: keyOf('p192', 'p192') })
  test.each<readonly [string, Made, readonly Made[], readonly Made[], string, string]>([
    ['the issuer of the leaf, that was not sent', leaf, [upper], [root], 'x509.missing-intermediate', ''],
    [
      'the root, that is not trusted',
      leaf,
      [lower, upper, root],
      [authority('Else')],
      'x509.untrusted-root',
      'Lower Upper Root',
    ],
    ['the last that was sent, whose issuer is not trusted', leaf, [lower], [root], 'x509.untrusted-root', 'Lower'],
    ['the leaf, that signed itself', makeLeaf({ key: keyOf('self') }), [], [root], 'x509.self-signed', ''],
    [
      'a signature of another key',
      makeLeaf({ issuer: lower, signer: keyOf('thief') }),
      [lower, upper],
      [root],
      'x509.bad-signature',
      '',
    ],
    ['a signature with SHA-1', sha1, [weak], [weak], 'x509.weak-signature', ''],
    [
      'a signature with a curve that is not verified',
      makeLeaf({ issuer: p192 }),
      [p192],
      [p192],
      'x509.unsupported-algorithm',
      '',
    ],
    [
      'an expired leaf',
      makeLeaf({ issuer: lower, notAfter: second(-1) }),
      [lower, upper],
      [root],
      'x509.expired',
      'Lower Upper Root',
    ],
    [
      'an authority that is not yet one',
      leaf,
      [authority('Lower', upper, { notBefore: second(1) }), upper],
      [root],
      'x509.not-yet-valid',
      'Lower Upper Root',
    ],
  ])('%s', (_what, bottom, others, roots, reason, furthest) => {
    const { none } = ask(bottom, others, roots)
    expect([none?.reason, none?.furthest.slice(1).map(commonName).join(' ')]).toEqual([reason, furthest])
  })

  test('without the name of the certificate, which stands beside it', () => {
    for (const extensions of [
      { basicConstraints: basicConstraints('not-ca') },
      { keyUsage: keyUsage(['cRLSign']) },
    ]) {
      const issuer = authority('Lower', upper, { extensions })
      const { none } = ask(makeLeaf({ issuer }), [issuer, upper], [root])
      expect(none?.detail).toBeNull()
      expect(none?.certificate && commonName(none.certificate)).toBe('Lower')
    }
  })

  test('that of the path that came furthest', () => {
    const expired = authority('Root', undefined, { notAfter: second(-1) })
    const notCa = authority('Lower', upper, { extensions: { basicConstraints: basicConstraints('not-ca') } })
    expect(reasonOf(ask(leaf, [notCa, lower, upper], [expired]))).toBe('x509.expired')
  })

  test('what could admit a wrong peer, before faults of issuance', () => {
    const both = makeLeaf({
      issuer: lower,
      notAfter: second(-1),
      serial: Buffer.of(0),
      extensions: { authorityKeyIdentifier: null },
    })
    expect(reasonOf(ask(both, [lower, upper], [root], { profile: 'strict' }))).toBe('x509.expired')
  })
})

describe('times', () => {
  const limited = makeLeaf({
    issuer: root,
    notBefore: new Date('2026-05-01T00:00:00Z'),
    notAfter: new Date('2026-05-31T00:00:00Z'),
  })
  test.each([
    ['2026-05-01T00:00:00.000Z', undefined],
    ['2026-04-30T23:59:59.999Z', 'x509.not-yet-valid'],
    ['2026-05-31T00:00:00.999Z', undefined],
    ['2026-05-31T00:00:01.000Z', 'x509.expired'],
  ])('both ends are included, and count by whole seconds: %s', (time, reason) => {
    expect(reasonOf(ask(limited, [], [root], { atMs: Date.parse(time) }))).toBe(reason)
  })
})

describe('purposes', () => {
  const forBoth = makeLeaf({
    issuer: root,
    extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth', 'serverAuth']) },
  })
  const forAny = makeLeaf({ issuer: root, extensions: { extendedKeyUsage: extendedKeyUsage(['any']) } })
  const forClients = makeLeaf({ issuer: root, extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth']) } })
  const forNone = makeLeaf({ issuer: root, extensions: { extendedKeyUsage: null } })
  test.each<readonly [string, Made, 'server' | 'client', boolean]>([
    ['both', forBoth, 'server', true],
    ['both', forBoth, 'client', true],
    ['any', forAny, 'server', true],
    ['none named', forNone, 'server', true],
    ['clients', forClients, 'client', true],
    ['clients', forClients, 'server', false],
  ])('a leaf for %s', (_what, bottom, purpose, isFit) => {
    expect(reasonOf(ask(bottom, [], [root], { purpose }))).toBe(isFit ? undefined : 'x509.extended-key-usage')
  })
})

describe('key identifiers', () => {
  const other = authorityKeyIdentifier(Buffer.alloc(20, 1))
  const misled = makeLeaf({ issuer: lower, extensions: { authorityKeyIdentifier: other } })

  test('that mislead are a hint for mail, and a fault for strict', () => {
    const [path] = ask(misled, [lower, upper], [root]).paths
    expect(path?.faults.map(({ reason }) => reason)).toEqual(['x509.aki-mismatch'])
    expect(reasonOf(ask(misled, [lower, upper], [root], { profile: 'strict' }))).toBe('x509.aki-mismatch')
  })

  test('that fit are tried first, so that one verification finds the issuer among many of its name', () => {
    const namesakes = Array.from({ length: 20 }, (_, index) =>
      makeAuthority({ subject: 'CN=Lower', key: keyOf(`namesake ${index}`), issuer: upper }),
    )
    const budget = createBudget()
    expect(told(ask(leaf, [...namesakes, lower, upper], [root], { budget }))).toEqual(['Lower Upper Root: 3'])
    expect(budget.spent.signatures).toBe(3 * 3)
  })
})

describe('a budget that ends', () => {
  const cross = authority('Upper', authority('Other Root'))
  const constrained = authority('Lower', upper, {
    extensions: { nameConstraints: nameConstraints([generalName('dns', 'example.com')]) },
  })
  const others = [constrained, upper, cross]
  const full = createBudget()
  const wanted = told(ask(leaf, others, [root], { budget: full }))

  test.each(['signatures', 'steps', 'name-comparisons'] as const)(
    'of %s never makes a path that is none, and never another reason',
    work => {
      expect(wanted).toEqual(['Lower Upper Root: 3'])
      for (let limit = 0; limit <= full.spent[work]; limit++) {
        const answer = ask(leaf, others, [root], { budget: createBudget({ [work]: limit }) })
        expect(answer.paths.length > 0 ? told(answer) : reasonOf(answer), `limit ${limit}`).toEqual(
          limit < full.spent[work] && answer.paths.length === 0 ? 'x509.over-budget' : wanted,
        )
      }
    },
  )

  test('stops the comparing of names at once, and what was not compared counts as forbidden', () => {
    const limited = (index: number) =>
      authority('Limited', root, {
        extensions: { nameConstraints: nameConstraints(null, [generalName('dns', `bad${index}.example.com`)]) },
      })
    const issuers = Array.from({ length: 40 }, (_, index) => limited(index))
    const bottom = makeLeaf({
      issuer: issuers[0] ?? root,
      names: Array.from({ length: 10 }, (_, index) => `mx${index}.example.com`),
    })
    const { spent, spend } = createBudget({ 'name-comparisons': 9 })
    let asked = 0
    const budget: Budget = {
      spent,
      spend(work, amount) {
        if (work === 'name-comparisons') asked++
        return spend(work, amount)
      },
    }
    expect(reasonOf(ask(bottom, issuers, [root], { budget }))).toBe('x509.over-budget')
    expect(asked).toBe(1)
  })

  test('is shared by all questions that one peer caused', () => {
    const budget = createBudget({ signatures: full.spent.signatures + 1 })
    expect(ask(leaf, others, [root], { budget }).paths).toHaveLength(1)
    expect(reasonOf(ask(leaf, others, [root], { budget }))).toBe('x509.over-budget')
  })
})

describe('the work grows slowly in all that a peer sends', () => {
  test('length of a chain: as the length', () => {
    expect(exponent(size => chainOf(size), 'signatures')).toBeLessThan(1.1)
    expect(exponent(size => chainOf(size), 'steps')).toBeLessThan(1.1)
  })

  test('authorities of one name, each with its own key: as their number', () => {
    expect(exponent(size => chainOf(size, 'Same'), 'signatures')).toBeLessThan(1.1)
    expect(exponent(size => chainOf(size, 'Same'), 'steps')).toBeLessThan(2.1)
  })

  test('the same without key identifiers: as its square', () => {
    const plain = { extensions: { authorityKeyIdentifier: null, subjectKeyIdentifier: null } }
    expect(exponent(size => chainOf(size, 'Same', plain), 'signatures')).toBeLessThan(2.1)
  })

  test('authorities that all signed each other: as their signatures, and as what may stand above each', () => {
    expect(exponent(size => meshOf(size), 'signatures')).toBeLessThan(2.3)
    // Each of n² certificates may stand below n others.
    expect(exponent(size => meshOf(size), 'steps')).toBeLessThan(3.4)
  })

  test('the same, each with constraints that nobody breaks: no faster', () => {
    const constraints = {
      extensions: { nameConstraints: nameConstraints(null, [generalName('directory', 'CN=Nobody')]) },
    }
    expect(exponent(size => meshOf(size, constraints), 'steps')).toBeLessThan(3.4)
    // n² certificates, held against each other.
    expect(exponent(size => meshOf(size, constraints), 'name-comparisons')).toBeLessThan(4.4)
  })

  test('constraints and names: as their product', () => {
    expect(exponent(size => namesUnderConstraints(size * 4), 'name-comparisons')).toBeLessThan(2.1)
  })

  test.each<readonly [string, () => PathQuestion, string]>([
    ['a chain of two hundred', () => chainOf(200), 'x509.untrusted-root'],
    [
      'two hundred of one name without key identifiers',
      () => chainOf(200, 'Same', { extensions: { authorityKeyIdentifier: null } }),
      'x509.over-budget',
    ],
    ['three thousand names under as many constraints', () => namesUnderConstraints(3000), 'x509.over-budget'],
    ['constraints that every path breaks differently', () => crookedLadder(24), 'x509.over-budget'],
  ])('%s: the limits hold', (_what, make, reason) => {
    const budget = createBudget()
    const answer = findPaths({ ...make(), maxIntermediates: 1000, budget })
    expect(reasonOf(answer)).toBe(reason)
    for (const work of ['signatures', 'steps', 'name-comparisons'] as const)
      expect(budget.spent[work]).toBeLessThanOrEqual(defaultLimits[work])
  })
})

/** The slope, on paper with logarithms on both sides, between two sizes. */
function exponent(
  make: (size: number) => PathQuestion,
  work: 'signatures' | 'steps' | 'name-comparisons',
): number {
  const spent = (size: number): number => {
    const budget = createBudget({ signatures: 1e9, steps: 1e9, 'name-comparisons': 1e9 })
    findPaths({ ...make(size), maxIntermediates: 1000, budget })
    return budget.spent[work]
  }
  return Math.log2(spent(10) / spent(5))
}

/** A leaf under a chain of authorities, the highest of which is not trusted. */
function chainOf(size: number, name?: string, recipe: Recipe = {}): PathQuestion {
  const chain: Made[] = []
  for (let index = 0; index < size; index++)
    chain.push(
      makeAuthority({
        subject: `CN=${name ?? `Chain ${index}`}`,
        key: keyOf(`chain ${index}`, 'ed25519'),
        ...(chain.at(-1) === undefined ? {} : { issuer: chain.at(-1) ?? root }),
        ...recipe,
      }),
    )
  return question(makeLeaf({ issuer: chain.at(-1) ?? root }), chain, [root])
}

/** Authorities that all signed each other, and the root one of them. */
function meshOf(size: number, recipe: Recipe = {}): PathQuestion {
  const names = Array.from({ length: size }, (_, index) => `Mesh ${index}`)
  const own = names.map(name => makeAuthority({ subject: `CN=${name}`, key: keyOf(name, 'ed25519'), ...recipe }))
  const mesh = own.flatMap((issuer, by) =>
    own.flatMap((each, index) =>
      index === by ? [] : [makeAuthority({ subject: each.subject, key: each.key, issuer, ...recipe })],
    ),
  )
  const [first, last] = [own[0] ?? root, own.at(-1) ?? root]
  const exit = makeAuthority({ subject: last.subject, key: last.key, issuer: root, ...recipe })
  return question(makeLeaf({ issuer: first }), [...mesh, exit], [root])
}

function namesUnderConstraints(size: number): PathQuestion {
  const many = (domain: string) =>
    Array.from({ length: size }, (_, index) => generalName('dns', `mx${index}.${domain}`))
  const limited = authority('Limited', undefined, {
    extensions: { nameConstraints: nameConstraints(null, many('example.net')) },
  })
  const names = Array.from({ length: size }, (_, index) => `mx${index}.example.com`)
  return question(makeLeaf({ issuer: limited, names }), [], [limited])
}

/**
 * Two authorities on each rung, each certified by both of the next. On the upper half each forbids its side of a rung on the lower half: of the many ways up the
 * lower half none is better than another, and each may be the only one to go on with.
 */
function crookedLadder(rungs: number): PathQuestion {
  let above: readonly Made[] = [root]
  const all: Made[] = []
  for (let rung = rungs; rung > 0; rung--) {
    const low = rung - rungs / 2
    const made = (side: string, issuer: Made): Made => {
      const bases = [generalName('directory', `CN=${side} ${low}`)]
      const extensions = low > 0 ? { nameConstraints: nameConstraints(null, bases) } : {}
      return makeAuthority({
        subject: `CN=${side} ${rung}`,
        key: keyOf(`${side} ${rung}`, 'ed25519'),
        issuer,
        extensions,
      })
    }
    const left = above.map(issuer => made('Left', issuer))
    const right = above.map(issuer => made('Right', issuer))
    all.push(...left, ...right)
    above = [...left.slice(0, 1), ...right.slice(0, 1)]
  }
  return question(makeLeaf({ issuer: above[0] ?? root }), all, [root])
}

function authority(name: string, issuer?: Made, recipe: Recipe = {}): Made {
  return makeAuthority({
    subject: `CN=${name}`,
    key: keyOf(name),
    ...(issuer === undefined ? {} : { issuer }),
    ...recipe,
  })
}

function ask(
  bottom: Made,
  others: readonly Made[],
  roots: readonly Made[],
  more: Partial<PathQuestion> = {},
): PathAnswer {
  return findPaths({ ...question(bottom, others, roots), ...more })
}

function askFor(bottom: Made, others: readonly Made[], anchors: readonly Anchor[]): PathAnswer {
  return findPaths({ ...question(bottom, others, []), anchors })
}

function question(bottom: Made, others: readonly Made[], roots: readonly Made[]): PathQuestion {
  return {
    leaf: parsed(bottom),
    others: others.map(parsed),
    anchors: roots.map(made => ({ kind: 'certificate', certificate: parsed(made) })),
    atMs: at.getTime(),
    profile: 'mail',
    purpose: 'server',
    maxIntermediates: 8,
    budget: createBudget(),
  }
}

/** `Lower Upper Root: 3`: all above the leaf, and the depth. */
function told(answer: PathAnswer): readonly string[] {
  return answer.paths.map(
    ({ certificates, depth }) => `${certificates.slice(1).map(commonName).join(' ')}: ${depth}`,
  )
}

function reasonOf(answer: PathAnswer): string | undefined {
  return answer.none?.reason
}

function parsed(made: Made): Certificate {
  const read = parseCertificate(made.der)
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return read.certificate
}

function publicKey(made: Made) {
  const key = readPublicKey(made.key.spki)
  if (key === null) throw new Error('a key of our own')
  return key
}

function commonName(certificate: Certificate): string {
  return commonNames(certificate.subject).join(' ')
}
