/** Cases of path building: what a peer may send in what order, and which of several paths is taken (RFC 5280 §6.1, RFC 8446 §4.4.2). */
import {
  about,
  accepted,
  type CertificateCase,
  intermediate,
  intermediateWith,
  leaf,
  leafWith,
  refused,
  root,
  rootWith,
  secondsFrom,
} from './case.ts'
import { keyOf } from './keys.ts'
import {
  at,
  basicConstraints,
  generalName,
  type Made,
  makeAuthority,
  makeLeaf,
  nameConstraints,
  type Recipe,
  rawSubjectAltName,
} from './maker.ts'

export function graphCases(): readonly CertificateCase[] {
  return [...orderCases(), ...candidateCases(), ...crossCases(), ...trustedLeafCases(), ...costCases()]
}

function orderCases(): readonly CertificateCase[] {
  const upper = authority('Upper', root())
  const lower = authority('Lower', upper)
  const bottom = leafWith({ issuer: lower })
  const stranger = rootWith({ subject: 'CN=A Stranger', key: keyOf('stranger') })
  return [
    ...about('x509.chain-out-of-order', 'RFC 8446 §4.4.2').with(
      [
        'order-right',
        'Leaf and two intermediates, each followed by its issuer.',
        [bottom, lower, upper],
        accepted(3),
      ],
      [
        'order-swapped',
        'The two intermediates are swapped.',
        [bottom, upper, lower],
        accepted(3, ['x509.chain-out-of-order']),
      ],
      [
        'order-root-in-between',
        'The root stands between the leaf and its intermediates.',
        [bottom, root(), upper, lower],
        accepted(3, ['x509.chain-out-of-order']),
      ],
      [
        'order-leaf-last',
        'The intermediate comes first: what comes first is the leaf, and it is not the host.',
        { chain: [intermediate(), leaf()], leaf: intermediate() },
        refused(),
      ],
    ),
    ...about('x509.root-sent', 'RFC 8446 §4.4.2').with(
      [
        'order-root-sent',
        'The root was sent too.',
        [leaf(), intermediate(), root()],
        accepted(2, ['x509.root-sent']),
      ],
      ['order-root-not-sent', 'The root was left out, as it may be.', [leaf(), intermediate()], accepted(2)],
    ),
    ...about('x509.chain-has-strangers', 'RFC 8446 §4.4.2').with(
      [
        'order-stranger-last',
        'A certificate that has nothing to do with the leaf follows the chain.',
        [leaf(), intermediate(), stranger],
        accepted(2, ['x509.chain-has-strangers']),
      ],
      [
        'order-stranger-in-between',
        'A certificate that has nothing to do with the leaf stands in the chain.',
        [leaf(), stranger, intermediate()],
        accepted(2, ['x509.chain-has-strangers']),
      ],
      [
        'order-no-stranger',
        'Two intermediates follow the leaf, and the path needs both.',
        (() => {
          const upper = intermediateWith({ subject: 'CN=Test Upper', key: keyOf('upper') })
          const lower = intermediateWith({ issuer: upper })
          return [leafWith({ issuer: lower }), lower, upper]
        })(),
        accepted(3),
      ],
    ),
    ...about(null, 'RFC 8446 §4.4.2').with(
      ['order-leaf-twice', 'The leaf was sent twice.', [leaf(), leaf(), intermediate()], accepted(2)],
      [
        'order-intermediate-twice',
        'The intermediate was sent twice.',
        [leaf(), intermediate(), intermediate()],
        accepted(2),
      ],
      [
        'order-everything-three-times',
        'All was sent three times.',
        Array.from({ length: 3 }, () => [leaf(), intermediate(), root()]).flat(),
        accepted(2),
      ],
    ),
  ]
}

/** Several certificates that could be the issuer by their names. */
function candidateCases(): readonly CertificateCase[] {
  const good = intermediate()
  const expired = intermediateWith({ notAfter: secondsFrom(at, -1) })
  const otherKey = intermediateWith({ key: keyOf('impostor') })
  const notCa = intermediateWith({ extensions: { basicConstraints: basicConstraints('not-ca') } })
  const ofUnknownRoot = intermediateWith({ issuer: rootWith({ subject: 'CN=Gone', key: keyOf('gone') }) })
  const constrained = intermediateWith({
    extensions: { nameConstraints: nameConstraints([generalName('dns', 'example.net')]) },
  })
  const twins: readonly (readonly [string, string, Made])[] = [
    ['expired', 'has expired', expired],
    ['other-key', 'has another key', otherKey],
    ['not-ca', 'is no CA', notCa],
    ['unknown-root', 'leads to a root nobody trusts', ofUnknownRoot],
    ['constrained', 'permits other names only', constrained],
  ]
  const rootTwin = rootWith({ key: keyOf('another root') })
  return about(null, 'RFC 5280 §6.1').with(
    ...twins.flatMap(
      ([id, what, twin]) =>
        [
          [
            `candidates-${id}-first`,
            `Two certificates of the issuer's name: the first ${what}, the second is good.`,
            [leaf(), twin, good],
            accepted(2),
          ],
          [
            `candidates-${id}-last`,
            `Two certificates of the issuer's name: the first is good, the second ${what}.`,
            [leaf(), good, twin],
            accepted(2),
          ],
        ] as const,
    ),
    [
      'candidates-all-bad',
      "Four certificates of the issuer's name, and none is good.",
      [leaf(), expired, otherKey, notCa, ofUnknownRoot],
      refused(),
    ],
    [
      'candidates-two-roots-of-one-name',
      'Two trusted roots have one name, and only the second has the key.',
      { chain: [leaf(), good], roots: [rootTwin, root()] },
      accepted(2),
    ],
    [
      'candidates-root-of-the-name-only',
      'The one trusted root has the name, and another key.',
      { chain: [leaf(), good, root()], roots: [rootTwin] },
      refused(),
    ],
    [
      'candidates-renewed-root',
      'The root that was sent has expired; the one that is trusted has the same name and key, and has not.',
      { chain: [leaf(), good, rootWith({ notAfter: secondsFrom(at, -1) })] },
      accepted(2),
    ],
  )
}

function crossCases(): readonly CertificateCase[] {
  const newRoot = rootWith({ subject: 'CN=New Root', key: keyOf('new root') })
  const newByOld = authority('New Root', root(), { key: keyOf('new root') })
  const bottom = leafWith({ issuer: newRoot })
  const [a, b] = [authorityOf('Loop A'), authorityOf('Loop B')]
  const aByB = authority('Loop A', b)
  const bByA = authority('Loop B', a)
  const aByRoot = authority('Loop A', root())
  const underB = leafWith({ issuer: b })
  const selfLoop = [intermediateWith({ issuer: intermediateWith({ key: keyOf('rolled') }) })]
  const rolledBack = intermediateWith({ issuer: intermediate(), key: keyOf('rolled') })
  const ring = Array.from({ length: 8 }, (_, index) => authorityOf(`Ring ${index}`))
  const ringChain = ring.flatMap((each, index) =>
    ring.flatMap((other, from) => (from === index ? [] : [authority(`Ring ${index}`, other, { key: each.key })])),
  )
  const forbidding = authority('Forbidding', root(), {
    extensions: { nameConstraints: nameConstraints(null, [generalName('dns', 'ca.example.com')]) },
  })
  const named = authority('Named', forbidding, {
    more: [rawSubjectAltName([generalName('dns', 'ca.example.com')])],
  })
  const unnamed = authority('Named', root(), { key: named.key })
  return about(null, 'RFC 4158 §2.4').with(
    [
      'cross-both-roots-trusted',
      'The new root is cross-signed by the old one, and both are trusted: the shortest path counts.',
      { chain: [bottom, newByOld], roots: [root(), newRoot] },
      accepted(1),
    ],
    [
      'cross-old-root-trusted',
      'The new root is cross-signed by the old one, which alone is trusted.',
      [bottom, newByOld],
      accepted(2),
    ],
    [
      'cross-new-root-trusted',
      'The new root is cross-signed by an old one that nobody trusts any more.',
      { chain: [bottom, newByOld, root()], roots: [newRoot] },
      accepted(1),
    ],
    [
      'cross-old-root-expired',
      'The new root is cross-signed by an old one that has expired; both are trusted.',
      { chain: [bottom, newByOld], roots: [rootWith({ notAfter: secondsFrom(at, -1) }), newRoot] },
      accepted(1),
    ],
    [
      'cross-signature-expired',
      'The cross-signature has expired; the new root itself is trusted.',
      {
        chain: [bottom, authority('New Root', root(), { key: newRoot.key, notAfter: secondsFrom(at, -1) })],
        roots: [root(), newRoot],
      },
      accepted(1),
    ],
    ['loop-without-exit', 'Two authorities signed each other, and no root did.', [underB, bByA, aByB], refused()],
    [
      'loop-with-exit',
      'Two authorities signed each other, and the root signed one of them.',
      [underB, bByA, aByB, aByRoot],
      accepted(3),
    ],
    [
      'loop-of-one-authority',
      'One authority signed its old key with the new one and the other way round, and no root did.',
      [leaf(), ...selfLoop, rolledBack],
      refused(),
    ],
    [
      'loop-of-eight',
      'Eight authorities signed each other, all with all, and the root signed none.',
      [leafWith({ issuer: ring[0] ?? root() }), ...ringChain],
      refused(),
    ],
    [
      'cross-constraint-on-one-path',
      "One path leads through an authority that excludes the intermediate's own name; the other does not.",
      [leafWith({ issuer: named }), named, forbidding, unnamed],
      accepted(2),
    ],
    [
      'cross-constraint-on-the-only-path',
      "The one path leads through an authority that excludes the intermediate's own name.",
      [leafWith({ issuer: named }), named, forbidding],
      refused('x509.name-constraints'),
    ],
  )
}

/** The leaf itself is trusted: RFC 5280 does not say, every program allows it in its own way. */
function trustedLeafCases(): readonly CertificateCase[] {
  const selfSigned = makeLeaf({ key: keyOf('self-signed') })
  return about('x509.self-signed', 'RFC 5280 §6.1.1').with([
    'trusted-self-signed-leaf',
    'The leaf signed itself, and is trusted as it is.',
    { chain: [selfSigned], roots: [selfSigned] },
    accepted(0),
  ])
}

function costCases(): readonly CertificateCase[] {
  const many = (count: number, suffix: string): Uint8Array[] =>
    Array.from({ length: count }, (_, index) => generalName('dns', `host${index}.${suffix}`))
  const constrainedRoot = (count: number): Made =>
    rootWith({
      extensions: { nameConstraints: nameConstraints(many(count, 'example.com'), many(count, 'example.org')) },
    })
  const manyNames = (count: number, issuer: Made): Made =>
    leafWith({
      issuer,
      names: [`host0.example.com`],
      extensions: { subjectAltName: rawSubjectAltName(many(count, 'example.com')) },
    })
  const sized = (count: number) => {
    const issuer = constrainedRoot(count)
    return { chain: [manyNames(count, issuer)], roots: [issuer], names: ['host0.example.com'] }
  }
  const steps: Made[] = [
    intermediateWith({
      subject: 'CN=Same',
      issuer: rootWith({ subject: 'CN=Gone', key: keyOf('gone') }),
      key: keyOf('same 0'),
    }),
  ]
  for (let step = 1; step < 100; step++)
    steps.push(
      intermediateWith({ subject: 'CN=Same', issuer: steps.at(-1) ?? root(), key: keyOf(`same ${step}`) }),
    )
  const bottom = leafWith({ issuer: steps.at(-1) ?? root() })
  return about('x509.over-budget', 'RFC 5280 §8').with(
    ['cost-100-names', '100 names under 200 constraints.', sized(100), accepted(1)],
    [
      'cost-2000-names',
      '2,000 names under 4,000 constraints: eight million comparisons.',
      sized(2_000),
      refused('x509.over-budget'),
    ],
    [
      'cost-100-of-one-name',
      'A hundred intermediates of one name, each with a key of its own, and no root.',
      [bottom, ...steps.toReversed()],
      refused(),
    ],
  )
}

function authority(name: string, issuer: Made, recipe: Recipe = {}): Made {
  return makeAuthority({ subject: `CN=${name}`, key: keyOf(name), issuer, ...recipe })
}

/** The same authority as its own root: to sign with. */
function authorityOf(name: string): Made {
  return makeAuthority({ subject: `CN=${name}`, key: keyOf(name) })
}
