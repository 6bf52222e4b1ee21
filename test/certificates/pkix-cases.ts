/** Cases of path validation (RFC 5280 §6.1) and of issuance (§4.1, §4.2): each code broken, and its valid twin. */
import {
  about,
  accepted,
  type CertificateCase,
  intermediate,
  intermediateWith,
  leaf,
  leafWith,
  type PkixDraft,
  refused,
  root,
  rootWith,
  secondsFrom,
  type Verdicts,
} from './case.ts'
import {
  bitString,
  boolean,
  children,
  explicit,
  generalizedTime,
  implicit,
  nullValue,
  octetString,
  oid,
  sequence,
  set,
  tlv,
  utcTime,
  utf8String,
} from './der.ts'
import { algorithmIdentifier, type KeyKind, keyOf, pssParameters, type SignatureKind } from './keys.ts'
import {
  at,
  authorityKeyIdentifier,
  authorityKeyIdentifierWithIssuer,
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
  pemOf,
  type Recipe,
  rawSubjectAltName,
  subjectAltName,
  subjectKeyIdentifier,
  unknownExtension,
} from './maker.ts'

export function pkixCases(): readonly CertificateCase[] {
  return [
    ...plainCases(),
    ...algorithmCases(),
    ...signatureCases(),
    ...keyCases(),
    ...validityCases(),
    ...authorityCases(),
    ...pathLengthCases(),
    ...extendedKeyUsageCases(),
    ...criticalExtensionCases(),
    ...issuanceCases(),
    ...leafKeyUsageCases(),
    ...asideCases(),
    ...encodingCases(),
    ...malformedCases(),
  ]
}

function plainCases(): readonly CertificateCase[] {
  const [stranger, strangerLeaf] = anotherHierarchy()
  const selfSigned = makeLeaf({ key: keyOf('self-signed') })
  const twoLeavesAgo = leafWith({ issuer: root() })
  return [
    about(null, 'RFC 5280 §6.1').with(
      ['pkix-usual', 'A leaf, its intermediate, and a root that is trusted.', chain(leaf()), accepted(2)],
      ['pkix-no-intermediate-needed', 'A leaf that the root itself issued.', [twoLeavesAgo], accepted(1)],
      [
        'pkix-trusted-intermediate',
        'The trusted certificate is an intermediate: an anchor need not be self-signed.',
        { chain: chain(leaf()), roots: [intermediate()] },
        accepted(1),
      ],
      [
        'pkix-shortest-of-two-anchors',
        'Root and intermediate are both trusted: the path ends at the first anchor.',
        { chain: chain(leaf()), roots: [root(), intermediate()] },
        accepted(1),
      ],
    ),
    about('x509.no-certificate', 'RFC 8446 §4.4.2.4').with(
      [
        'pkix-no-certificate',
        'The server sent an empty list of certificates.',
        { chain: [], leaf: leaf() },
        refused('x509.no-certificate'),
      ],
      [
        'pkix-one-certificate',
        'The server sent one certificate, which the trusted root signed: there is no more to send.',
        [leafWith({ issuer: root() })],
        accepted(1),
      ],
    ),
    about('x509.untrusted-root', 'RFC 5280 §6.1.1').with(
      [
        'pkix-untrusted-root',
        'The chain is complete, and its root is not among those trusted.',
        [strangerLeaf, stranger],
        refused('x509.untrusted-root'),
      ],
      [
        'pkix-untrusted-root-trusted',
        'The same chain, and its root is trusted.',
        { chain: [strangerLeaf, stranger], roots: [root(), stranger] },
        accepted(1, ['x509.root-sent']),
      ],
      [
        'pkix-no-roots',
        'No root is trusted at all.',
        { chain: [...chain(leaf()), root()], roots: [] },
        refused('x509.untrusted-root'),
      ],
    ),
    about('x509.self-signed', 'RFC 5280 §6.1').with([
      'pkix-self-signed',
      'The leaf signed itself, and is not trusted.',
      [selfSigned],
      refused('x509.self-signed'),
    ]),
    about('x509.missing-intermediate', 'RFC 8446 §4.4.2').with(
      [
        'pkix-missing-intermediate',
        'The server sent its leaf alone, and the root did not issue it.',
        [leaf()],
        refused('x509.missing-intermediate'),
      ],
      ['pkix-missing-upper-intermediate', 'Of two intermediates the upper one was not sent.', lower(), refused()],
      [
        'pkix-intermediate-trusted-and-not-sent',
        'The server sent its leaf alone, and the intermediate that issued it is trusted.',
        { chain: [leaf()], roots: [root(), intermediate()] },
        accepted(1),
      ],
    ),
  ].flat()
}

/** Every algorithm signs a leaf right under a root that has the matching key. */
function algorithmCases(): readonly CertificateCase[] {
  const good: readonly (readonly [SignatureKind, KeyKind])[] = [
    ['rsa-sha256', 'rsa-2048'],
    ['rsa-sha384', 'rsa-2048'],
    ['rsa-sha512', 'rsa-2048'],
    ['pss-sha256', 'rsa-2048'],
    ['pss-sha384', 'rsa-2048'],
    ['pss-sha512', 'rsa-2048'],
    ['ecdsa-sha256', 'p256'],
    ['ecdsa-sha384', 'p256'],
    ['ecdsa-sha512', 'p256'],
    ['ecdsa-sha256', 'p384'],
    ['ecdsa-sha384', 'p384'],
    ['ecdsa-sha512', 'p521'],
    ['ed25519', 'ed25519'],
    ['ed448', 'ed448'],
  ]
  const weak: readonly (readonly [SignatureKind, KeyKind])[] = [
    ['rsa-md5', 'rsa-2048'],
    ['rsa-sha1', 'rsa-2048'],
    ['pss-sha1', 'rsa-2048'],
    ['ecdsa-sha1', 'p256'],
  ]
  const unsupported: readonly (readonly [SignatureKind, KeyKind])[] = [
    ['ecdsa-sha256', 'p192'],
    ['ecdsa-sha256', 'secp256k1'],
    ['ecdsa-sha256', 'p256-explicit'],
    ['dsa-sha256', 'dsa'],
  ]
  const under = (signature: SignatureKind, kind: KeyKind, recipe: Recipe = {}): Partial<PkixDraft> => {
    const issuer = rootWith({ subject: `CN=Test Root with ${kind}`, key: keyOf('root', kind) })
    return { chain: [leafWith({ issuer, signature, ...recipe })], roots: [issuer] }
  }
  return [
    ...good.flatMap(([signature, kind]) =>
      about('x509.unsupported-algorithm', 'RFC 8446 §4.2.3').with([
        `algorithm-${signature}-by-${kind}`,
        `The leaf is signed with ${signature} by a key of kind ${kind}.`,
        under(signature, kind),
        accepted(1),
      ]),
    ),
    ...weak.flatMap(([signature, kind]) =>
      about('x509.weak-signature', 'RFC 9155 §2').with([
        `algorithm-${signature}-by-${kind}`,
        `The leaf is signed with ${signature}, whose digest can be forged.`,
        under(signature, kind),
        refused('x509.weak-signature'),
      ]),
    ),
    ...unsupported.flatMap(([signature, kind]) =>
      about('x509.unsupported-algorithm', 'RFC 5480 §2.1.1').with([
        `algorithm-by-${kind}`,
        `The issuer's key is of a kind that is not verified: ${kind}.`,
        under(signature, kind),
        refused('x509.unsupported-algorithm'),
      ]),
    ),
    ...about('x509.unsupported-algorithm', 'RFC 4055 §3.1').with(
      [
        'algorithm-pss-key',
        'The root has a key for RSASSA-PSS alone.',
        under('pss-sha256', 'rsa-pss'),
        accepted(1),
      ],
      [
        'algorithm-pss-two-digests',
        'RSASSA-PSS with one digest for the message and another for the mask.',
        under('pss-sha256', 'rsa-2048', {
          algorithm: sequence(oid('1.2.840.113549.1.1.10'), pssParameters('sha256', 'sha1')),
        }),
        refused(),
      ],
      [
        'algorithm-rsa-without-parameters',
        'sha256WithRSAEncryption without its NULL: verifiers have to take it.',
        under('rsa-sha256', 'rsa-2048', { algorithm: sequence(oid('1.2.840.113549.1.1.11')) }),
        accepted(1),
      ],
      [
        'algorithm-unknown',
        "The signature's OID is nobody's.",
        under('ecdsa-sha256', 'p256', { algorithm: sequence(oid('1.3.6.1.4.1.55555.3')) }),
        refused('x509.unsupported-algorithm'),
      ],
      [
        'algorithm-of-another-key-kind',
        'The OID says ECDSA, and the key of the issuer is RSA.',
        under('rsa-sha256', 'rsa-2048', { algorithm: algorithmIdentifier('ecdsa-sha256') }),
        refused(),
      ],
    ),
    ...about('x509.weak-signature', 'RFC 5280 §6.1').with([
      'algorithm-weak-on-the-root',
      "The root's own signature is SHA-1: nobody relies on an anchor's signature.",
      (() => {
        const issuer = rootWith({ key: keyOf('root', 'rsa-2048'), signature: 'rsa-sha1' })
        return { chain: [leafWith({ issuer })], roots: [issuer] }
      })(),
      accepted(1),
    ]),
    ...about('x509.algorithm-mismatch', 'RFC 5280 §4.1.1.2').with(
      [
        'algorithm-mismatch',
        'The signed part says ECDSA with SHA-384, the outer field says SHA-256.',
        chain(
          leafWith({
            algorithm: algorithmIdentifier('ecdsa-sha384'),
            outerAlgorithm: algorithmIdentifier('ecdsa-sha256'),
          }),
        ),
        refused('x509.algorithm-mismatch'),
      ],
      [
        'algorithm-mismatch-in-parameters',
        'The two algorithms differ in their parameters only.',
        under('rsa-sha256', 'rsa-2048', { outerAlgorithm: sequence(oid('1.2.840.113549.1.1.11')) }),
        refused('x509.algorithm-mismatch'),
      ],
      [
        'algorithm-match',
        'The signed part and the outer field both say ECDSA with SHA-384, the rest of the chain SHA-256.',
        chain(leafWith({ signature: 'ecdsa-sha384' })),
        accepted(2),
      ],
    ),
  ]
}

function signatureCases(): readonly CertificateCase[] {
  const impostor = intermediateWith({ key: keyOf('impostor') })
  const sameIdentifier = leafWith({ signer: keyOf('impostor') })
  const forged = intermediateWith({ signer: keyOf('impostor') })
  return about('x509.bad-signature', 'RFC 5280 §6.1.3').with(
    [
      'signature-changed',
      'One bit of the signature is another one.',
      chain(leafWith({ editSigned: flipLastBit })),
      refused('x509.bad-signature'),
    ],
    [
      'signature-subject-changed',
      'The subject was changed after signing.',
      chain(leafWith({ subject: 'CN=Mx', editSigned: der => replaced(der, 'Mx', 'Ms') })),
      refused('x509.bad-signature'),
    ],
    [
      'signature-of-another-key',
      "The leaf names the right issuer and its key identifier, and another key's owner signed it.",
      chain(sameIdentifier),
      refused('x509.bad-signature'),
    ],
    [
      'signature-forged-intermediate',
      'The intermediate names the trusted root, which never signed it.',
      [leaf(), forged],
      refused('x509.bad-signature'),
    ],
    [
      'signature-impostor-beside-the-true-issuer',
      'Two intermediates of one name: the first has another key, the second signed the leaf.',
      [leaf(), impostor, intermediate()],
      accepted(2),
    ],
    [
      'signature-empty',
      'The signature has no octets.',
      chain(leafWith({ editSigned: der => sequence(...children(der).slice(0, 2), Buffer.of(0x03, 0x01, 0x00)) })),
      refused(),
    ],
  )
}

function keyCases(): readonly CertificateCase[] {
  const withKey = (kind: KeyKind, issuer: Made = root()): Made[] => [
    leafWith({
      issuer,
      key: keyOf('leaf', kind),
      extensions: {
        keyUsage: keyUsage(
          kind.startsWith('rsa-') ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
        ),
      },
    }),
  ]
  const underKey = (kind: KeyKind): Partial<PkixDraft> => ({
    chain: chain(
      leafWith({ issuer: intermediateWith({ key: keyOf('intermediate', kind) }) }),
      intermediateWith({ key: keyOf('intermediate', kind) }),
    ),
  })
  const fine: readonly KeyKind[] = ['rsa-2048', 'p256', 'p384', 'p521', 'ed25519', 'ed448']
  return [
    ...fine.flatMap(kind =>
      about('x509.unsupported-algorithm', 'RFC 5480 §2.1.1').with([
        `key-${kind}`,
        `The leaf's key is of kind ${kind}.`,
        withKey(kind),
        accepted(1),
      ]),
    ),
    ...about('x509.key-short', 'CA/Browser Forum Baseline Requirements §6.1.5').with(
      [
        'key-short',
        "The leaf's RSA key has 1,024 bits.",
        withKey('rsa-1024'),
        accepted(1, ['x509.key-short']),
        refused('x509.key-short'),
      ],
      [
        'key-short-in-intermediate',
        "The intermediate's RSA key has 1,024 bits.",
        underKey('rsa-1024'),
        accepted(2, ['x509.key-short']),
        refused('x509.key-short'),
      ],
      [
        'key-short-by-one-octet',
        "The leaf's RSA key has 2,040 bits.",
        withKey('rsa-2040'),
        accepted(1, ['x509.key-short']),
        refused('x509.key-short'),
      ],
      [
        'key-long-enough',
        "The intermediate's RSA key has 2,048 bits, the fewest that do.",
        underKey('rsa-2048'),
        accepted(2),
      ],
    ),
    ...about('x509.key-size-odd', 'CA/Browser Forum Baseline Requirements §6.1.5').with(
      [
        'key-size-odd',
        "The leaf's RSA key has 2,052 bits, which is no number of whole octets.",
        withKey('rsa-2052'),
        accepted(1, ['x509.key-size-odd']),
        refused('x509.key-size-odd'),
      ],
      [
        'key-size-even',
        "The leaf's RSA key has 2,056 bits, which is one octet more than usual.",
        withKey('rsa-2056'),
        accepted(1),
      ],
    ),
    ...about('x509.key-too-weak', 'NIST SP 800-131A').with(
      ['key-too-weak', "The leaf's RSA key has 512 bits.", withKey('rsa-512'), refused('x509.key-too-weak')],
      [
        'key-too-weak-by-one-octet',
        "The leaf's RSA key has 1,016 bits.",
        withKey('rsa-1016'),
        refused('x509.key-too-weak'),
      ],
      [
        'key-too-weak-in-intermediate',
        "The intermediate's RSA key has 512 bits: whoever factors it is a CA.",
        underKey('rsa-512'),
        refused('x509.key-too-weak'),
      ],
      [
        'key-just-not-too-weak',
        "The leaf's RSA key has 1,024 bits, the fewest that a relay takes.",
        withKey('rsa-1024'),
        accepted(1, ['x509.key-short']),
        refused('x509.key-short'),
      ],
    ),
    ...about('x509.unsupported-algorithm', 'RFC 5480 §2.1.1').with(
      ['key-p192', "The leaf's key is on P-192.", withKey('p192'), refused('x509.unsupported-algorithm')],
      ['key-dsa', "The leaf's key is a DSA key.", withKey('dsa'), refused('x509.unsupported-algorithm')],
      [
        'key-explicit-curve',
        "The leaf's key writes the parameters of its curve out.",
        withKey('p256-explicit'),
        refused('x509.unsupported-algorithm'),
      ],
    ),
  ]
}

function validityCases(): readonly CertificateCase[] {
  const dates = (recipe: Recipe): readonly Made[] => chain(leafWith(recipe))
  const issuerDates = (recipe: Recipe): readonly Made[] => [leaf(), intermediateWith(recipe)]
  const rootDates = (recipe: Recipe): Partial<PkixDraft> => ({ chain: chain(leaf()), roots: [rootWith(recipe)] })
  return [
    ...about('x509.expired', 'RFC 5280 §4.1.2.5').with(
      ['validity-last-second', 'The leaf expires in this very second.', dates({ notAfter: at }), accepted(2)],
      [
        'validity-expired-a-second-ago',
        'The leaf expired one second ago.',
        dates({ notAfter: secondsFrom(at, -1) }),
        refused('x509.expired'),
      ],
      [
        'validity-within-the-last-second',
        'The leaf expires in this second, which is half over: certificates count in whole seconds.',
        { chain: dates({ notAfter: at }), at: secondsFrom(at, 0.5) },
        accepted(2),
      ],
      [
        'validity-expired-intermediate',
        'The intermediate expired one second ago.',
        issuerDates({ notAfter: secondsFrom(at, -1) }),
        refused('x509.expired'),
      ],
      [
        'validity-expired-root',
        'The trusted root expired: its dates count too.',
        rootDates({ notAfter: secondsFrom(at, -1) }),
        refused('x509.expired'),
      ],
      [
        'validity-never-ends',
        'The leaf has no well-defined expiry: 99991231235959Z.',
        dates({ notAfter: generalizedTime('99991231235959Z') }),
        accepted(2),
      ],
      [
        'validity-until-2050',
        'The leaf expires in 2050, the first year written as GeneralizedTime.',
        dates({ notAfter: new Date('2050-01-01T00:00:00Z') }),
        accepted(2),
      ],
      [
        'validity-until-2049',
        'The leaf expires in 2049, the last year written as UTCTime.',
        dates({ notAfter: utcTime('491231235959Z') }),
        accepted(2),
      ],
      [
        'validity-until-1950',
        'A UTCTime of the year 50 means 1950.',
        dates({ notBefore: utcTime('500101000000Z'), notAfter: utcTime('500102000000Z') }),
        refused('x509.expired'),
      ],
      [
        'validity-backwards',
        'The leaf expires before it begins.',
        dates({ notBefore: secondsFrom(at, -10), notAfter: secondsFrom(at, -20) }),
        refused('x509.expired'),
      ],
    ),
    ...about('x509.not-yet-valid', 'RFC 5280 §4.1.2.5').with(
      ['validity-first-second', 'The leaf begins in this very second.', dates({ notBefore: at }), accepted(2)],
      [
        'validity-not-yet-by-a-second',
        'The leaf begins in one second.',
        dates({ notBefore: secondsFrom(at, 1) }),
        refused('x509.not-yet-valid'),
      ],
      [
        'validity-not-yet-by-half-a-second',
        'The leaf begins in half a second.',
        { chain: dates({ notBefore: secondsFrom(at, 1) }), at: secondsFrom(at, 0.5) },
        refused('x509.not-yet-valid'),
      ],
      [
        'validity-not-yet-by-years',
        'The leaf begins in 2040.',
        dates({ notBefore: new Date('2040-01-01T00:00:00Z'), notAfter: new Date('2041-01-01T00:00:00Z') }),
        refused('x509.not-yet-valid'),
      ],
      [
        'validity-not-yet-intermediate',
        'The intermediate begins in one second.',
        issuerDates({ notBefore: secondsFrom(at, 1) }),
        refused('x509.not-yet-valid'),
      ],
      [
        'validity-not-yet-root',
        'The trusted root begins in one second.',
        rootDates({ notBefore: secondsFrom(at, 1) }),
        refused('x509.not-yet-valid'),
      ],
    ),
    ...about('x509.malformed', 'RFC 5280 §4.1.2.5.1').with(
      ...(
        [
          ['no-seconds', 'a UTCTime without seconds', utcTime('3601010000Z')],
          ['offset', 'a UTCTime with an offset instead of Z', utcTime('360101000000+0000')],
          ['fraction', 'a GeneralizedTime with a fraction', generalizedTime('20360101000000.5Z')],
          ['month-13', 'a date in the thirteenth month', utcTime('361301000000Z')],
          ['february-30', 'the thirtieth of February', utcTime('360230000000Z')],
          ['letters', 'a time of letters', utcTime('not a time !!')],
        ] as const
      ).map(
        ([id, what, notAfter]) =>
          [
            `validity-${id}`,
            `The leaf expires at ${what}.`,
            dates({ notAfter }),
            refused('x509.malformed'),
          ] as const,
      ),
      [
        'validity-february-29',
        'The leaf expires on the last of February of a leap year.',
        dates({ notAfter: utcTime('360229000000Z') }),
        accepted(2),
      ],
    ),
  ]
}

function authorityCases(): readonly CertificateCase[] {
  const issuedBy = (recipe: Recipe): readonly Made[] => {
    const issuer = intermediateWith(recipe)
    return [leafWith({ issuer }), issuer]
  }
  const victim = leafWith({ key: keyOf('customer'), names: ['customer.example.net'] })
  return [
    ...about('x509.issuer-not-ca', 'RFC 5280 §4.2.1.9').with(
      [
        'authority-is-a-leaf',
        "A customer's leaf, which is no CA, signed a leaf for another name.",
        [leafWith({ issuer: victim }), victim, intermediate()],
        refused('x509.issuer-not-ca'),
      ],
      [
        'authority-says-it-is-none',
        'The intermediate may sign by its key usage, and basicConstraints says it is no CA.',
        issuedBy({ extensions: { basicConstraints: basicConstraints('not-ca') } }),
        refused('x509.issuer-not-ca'),
      ],
      [
        'authority-without-basic-constraints',
        'The intermediate has no basicConstraints.',
        issuedBy({ extensions: { basicConstraints: null } }),
        refused('x509.issuer-not-ca'),
      ],
      [
        'authority-root-without-basic-constraints',
        'The trusted root, of version 3, has no basicConstraints: RFC 5280 asks for them in roots too.',
        underRoot({ extensions: { basicConstraints: null } }),
        refused('x509.issuer-not-ca'),
      ],
      [
        'authority-version-1',
        'The intermediate is a certificate of version 1: nothing says it is a CA.',
        issuedBy({ version: null, onlyExtensions: [] }),
        refused('x509.issuer-not-ca'),
        refused(),
      ],
      [
        'authority-without-key-usage',
        'The intermediate says in basicConstraints that it is a CA, and has no keyUsage.',
        issuedBy({ extensions: { keyUsage: null } }),
        accepted(2),
      ],
    ),
    ...about('x509.issuer-key-usage', 'RFC 5280 §4.2.1.3').with(
      [
        'authority-may-not-sign',
        'The intermediate is a CA, and its key usage has no keyCertSign.',
        issuedBy({ extensions: { keyUsage: keyUsage(['cRLSign', 'digitalSignature']) } }),
        refused('x509.issuer-key-usage'),
      ],
      [
        'authority-root-may-not-sign',
        'The key usage of the trusted root has no keyCertSign.',
        underRoot({ extensions: { keyUsage: keyUsage(['digitalSignature']) } }),
        refused('x509.issuer-key-usage'),
      ],
      [
        'authority-may-sign-only-certificates',
        'The intermediate has keyCertSign and nothing else.',
        issuedBy({ extensions: { keyUsage: keyUsage(['keyCertSign']) } }),
        accepted(2),
      ],
    ),
    ...about('x509.basic-constraints-not-critical', 'RFC 5280 §4.2.1.9').with(
      [
        'authority-root-basic-constraints-not-critical',
        "The trusted root's basicConstraints are not critical.",
        underRoot({ extensions: { basicConstraints: basicConstraints('ca', undefined, 'not-critical') } }),
        accepted(1, ['x509.basic-constraints-not-critical']),
        refused('x509.basic-constraints-not-critical'),
      ],
      [
        'authority-basic-constraints-not-critical',
        "The intermediate's basicConstraints are not critical.",
        issuedBy({ extensions: { basicConstraints: basicConstraints('ca', undefined, 'not-critical') } }),
        accepted(2, ['x509.basic-constraints-not-critical']),
        refused('x509.basic-constraints-not-critical'),
      ],
      [
        'authority-basic-constraints-not-critical-in-leaf',
        'Only the basicConstraints of the leaf, which is no CA, are not critical.',
        chain(
          leafWith({ extensions: { basicConstraints: basicConstraints('not-ca', undefined, 'not-critical') } }),
        ),
        accepted(2),
      ],
    ),
  ]
}

function pathLengthCases(): readonly CertificateCase[] {
  const limited = (upper: number | undefined, middle: number | undefined): readonly Made[] => {
    const top = intermediateWith({
      subject: 'CN=Test Upper',
      key: keyOf('upper'),
      extensions: { basicConstraints: basicConstraints('ca', upper) },
    })
    const next = intermediateWith({
      issuer: top,
      extensions: { basicConstraints: basicConstraints('ca', middle) },
    })
    return [leafWith({ issuer: next }), next, top]
  }
  const underRoot = (length: number, below: 'leaf' | 'intermediate'): Partial<PkixDraft> => {
    const top = rootWith({ extensions: { basicConstraints: basicConstraints('ca', length) } })
    const made = below === 'leaf' ? [leafWith({ issuer: root() })] : chain(leaf())
    return { chain: made, roots: [top] }
  }
  return [
    ...about('x509.path-length', 'RFC 5280 §4.2.1.9').with(
      [
        'path-length-exceeded',
        'An intermediate that allows none below it has one below it.',
        limited(0, undefined),
        refused('x509.path-length'),
      ],
      ['path-length-kept', 'An intermediate that allows one below it has one.', limited(1, 0), accepted(3)],
      [
        'path-length-does-not-grow',
        'The intermediate below allows more than the one above: that is no fault as long as both are kept.',
        limited(1, 5),
        accepted(3),
      ],
      [
        'path-length-of-the-root-exceeded',
        'The trusted root allows no intermediate, and there is one.',
        underRoot(0, 'intermediate'),
        refused('x509.path-length'),
      ],
      [
        'path-length-of-the-root-kept',
        'The trusted root allows no intermediate, and there is none.',
        underRoot(0, 'leaf'),
        accepted(1),
      ],
      [
        'path-length-self-issued',
        'A CA that rolled its key over stands in the chain twice: self-issued certificates are not counted.',
        (() => {
          const old = intermediateWith({
            key: keyOf('old intermediate'),
            extensions: { basicConstraints: basicConstraints('ca', 0) },
          })
          const rolled = intermediateWith({ issuer: old })
          return [leafWith({ issuer: rolled }), rolled, old]
        })(),
        accepted(3),
      ],
    ),
    ...about('x509.path-too-long', 'RFC 5280 §6.1.1').with(
      [
        'path-too-long',
        'One intermediate, where the caller allows none.',
        { chain: chain(leaf()), maxIntermediates: 0 },
        refused('x509.path-too-long'),
      ],
      [
        'path-too-long-at-the-limit',
        'One intermediate, where the caller allows one.',
        { chain: chain(leaf()), maxIntermediates: 1 },
        accepted(2),
      ],
      [
        'path-too-long-self-issued',
        'Two intermediates of which one is self-issued, where the caller allows one.',
        (() => {
          const old = intermediateWith({ key: keyOf('old intermediate') })
          const rolled = intermediateWith({ issuer: old })
          return { chain: [leafWith({ issuer: rolled }), rolled, old], maxIntermediates: 1 }
        })(),
        accepted(3),
      ],
      [
        'path-too-long-without-intermediates',
        'The root issued the leaf, and the caller allows no intermediate.',
        { chain: [leafWith({ issuer: root() })], maxIntermediates: 0 },
        accepted(1),
      ],
    ),
  ]
}

function extendedKeyUsageCases(): readonly CertificateCase[] {
  const forLeaf = (usage: ReturnType<typeof extendedKeyUsage> | null): readonly Made[] =>
    chain(leafWith({ extensions: { extendedKeyUsage: usage } }))
  const forIntermediate = (...usages: Parameters<typeof extendedKeyUsage>[0]): readonly Made[] => {
    const issuer = intermediateWith({ extensions: { extendedKeyUsage: extendedKeyUsage(usages) } })
    return [leafWith({ issuer }), issuer]
  }
  const forClient = (...usages: Parameters<typeof extendedKeyUsage>[0]): Partial<PkixDraft> => ({
    chain: forLeaf(extendedKeyUsage(usages)),
    purpose: 'client',
  })
  return [
    ...about('x509.extended-key-usage', 'RFC 5280 §4.2.1.12').with(
      [
        'purpose-client-only',
        'The leaf is for clients only.',
        forLeaf(extendedKeyUsage(['clientAuth'])),
        refused('x509.extended-key-usage'),
      ],
      [
        'purpose-both',
        'The leaf is for servers and clients.',
        forLeaf(extendedKeyUsage(['serverAuth', 'clientAuth'])),
        accepted(2),
      ],
      [
        'purpose-critical',
        'The purposes of the leaf are critical, and the right one is among them.',
        forLeaf(extendedKeyUsage(['serverAuth'], 'critical')),
        accepted(2),
      ],
      [
        'purpose-mail-only',
        'The leaf is for signing e-mail only.',
        forLeaf(extendedKeyUsage(['emailProtection'])),
        refused('x509.extended-key-usage'),
      ],
      [
        'purpose-empty',
        'The leaf has a list of purposes with nothing in it.',
        forLeaf(extension('2.5.29.37', sequence())),
        refused(),
      ],
      [
        'purpose-of-intermediate',
        'The intermediate is for servers, as the leaf is.',
        forIntermediate('serverAuth', 'clientAuth'),
        accepted(2),
      ],
      ['purpose-of-intermediate-any', 'The intermediate is for any purpose.', forIntermediate('any'), accepted(2)],
      [
        'purpose-of-intermediate-mail-only',
        'The intermediate is for e-mail only: its leaves are no servers, whatever they say.',
        forIntermediate('emailProtection'),
        refused('x509.extended-key-usage'),
      ],
      [
        'purpose-of-root-mail-only',
        'The trusted root is for e-mail only.',
        {
          chain: chain(leaf()),
          roots: [rootWith({ extensions: { extendedKeyUsage: extendedKeyUsage(['emailProtection']) } })],
        },
        refused('x509.extended-key-usage'),
      ],
      ['purpose-client', "A client's leaf is for clients.", forClient('clientAuth'), accepted(2)],
      [
        'purpose-client-with-server-leaf',
        "A client's leaf is for servers only.",
        forClient('serverAuth'),
        refused('x509.extended-key-usage'),
      ],
    ),
    ...about('x509.no-extended-key-usage', 'RFC 5280 §4.2.1.12').with(
      [
        'purpose-none',
        'The leaf says nothing of its purposes: every one is allowed.',
        forLeaf(null),
        accepted(2, ['x509.no-extended-key-usage']),
      ],
      [
        'purpose-stated',
        'The leaf says that it is for servers, and for nothing else.',
        forLeaf(extendedKeyUsage(['serverAuth'])),
        accepted(2),
      ],
    ),
  ]
}

function criticalExtensionCases(): readonly CertificateCase[] {
  const unknownIn = (place: 'leaf' | 'intermediate' | 'root', extra: Uint8Array): Partial<PkixDraft> => {
    const top = place === 'root' ? rootWith({ more: [extra] }) : root()
    const middle = place === 'intermediate' ? intermediateWith({ more: [extra] }) : intermediate()
    const bottom = place === 'leaf' ? leafWith({ more: [extra] }) : leaf()
    return { chain: [bottom, middle], roots: [top] }
  }
  const places = ['leaf', 'intermediate', 'root'] as const
  return about('x509.unknown-critical-extension', 'RFC 5280 §4.2').with(
    ...places.flatMap(
      place =>
        [
          [
            `extension-unknown-critical-in-${place}`,
            `The ${place} has a critical extension that nobody knows.`,
            unknownIn(place, unknownExtension('critical')),
            refused('x509.unknown-critical-extension'),
          ],
          [
            `extension-unknown-in-${place}`,
            `The ${place} has an extension that nobody knows, and that is not critical.`,
            unknownIn(place, unknownExtension('not-critical')),
            accepted(2),
          ],
        ] as const,
    ),
    [
      'extension-authority-information-critical',
      'What says where the issuer can be fetched is critical: nobody fetches it.',
      unknownIn('leaf', extension('1.3.6.1.5.5.7.1.1', sequence(), 'critical')),
      refused(),
    ],
    [
      'extension-policies-critical',
      'The policies of the leaf are critical: no policy is asked for, so none can be missing.',
      unknownIn('leaf', extension('2.5.29.32', sequence(sequence(oid('2.23.140.1.2.1'))), 'critical')),
      accepted(2),
    ],
    [
      'extension-policy-constraints-critical',
      'The intermediate demands policies, which are not looked at.',
      unknownIn('intermediate', extension('2.5.29.36', sequence(implicit(0, Buffer.of(0))), 'critical')),
      refused('x509.unknown-critical-extension'),
    ],
    [
      'extension-authority-information',
      'The leaf says where its issuer can be fetched.',
      unknownIn(
        'leaf',
        extension(
          '1.3.6.1.5.5.7.1.1',
          sequence(sequence(oid('1.3.6.1.5.5.7.48.2'), generalName('uri', 'http://ca.example.com/ca.der'))),
        ),
      ),
      accepted(2),
    ],
  )
}

/** Faults of issuance: the relay tells of them, `strict` refuses. */
function issuanceCases(): readonly CertificateCase[] {
  const fault = (reason: Parameters<typeof about>[0] & `x509.${string}`, depth = 2): Verdicts => [
    accepted(depth, [reason]),
    refused(reason),
  ]
  const leafOf = (recipe: Parameters<typeof leafWith>[0]): readonly Made[] => chain(leafWith(recipe))
  const issuedBy = (recipe: Recipe): readonly Made[] => {
    const issuer = intermediateWith(recipe)
    return [leafWith({ issuer }), issuer]
  }
  const rsaLeaf = (...usages: Parameters<typeof keyUsage>[0]): readonly Made[] =>
    leafOf({ key: keyOf('leaf', 'rsa-2048'), extensions: { keyUsage: keyUsage(usages) } })
  const rootName = root().subject
  const rootAki = authorityKeyIdentifier(keyOf('root').identifier)
  return [
    ...about('x509.missing-aki', 'RFC 5280 §4.2.1.1').with(
      [
        'issuance-leaf-without-aki',
        'The leaf has no authorityKeyIdentifier.',
        leafOf({ extensions: { authorityKeyIdentifier: null } }),
        ...fault('x509.missing-aki'),
      ],
      [
        'issuance-leaf-aki-without-key',
        "The leaf's authorityKeyIdentifier names issuer and serial number, and no key.",
        leafOf({
          extensions: {
            authorityKeyIdentifier: authorityKeyIdentifierWithIssuer(null, rootName, intermediate().serial),
          },
        }),
        accepted(2, ['x509.missing-aki']),
        refused(),
      ],
      [
        'issuance-root-aki-without-key',
        "The trusted root's authorityKeyIdentifier is there, and empty.",
        underRoot({ extensions: { authorityKeyIdentifier: extension('2.5.29.35', sequence()) } }),
        accepted(1),
        refused(),
      ],
      [
        'issuance-intermediate-without-aki',
        'The intermediate has no authorityKeyIdentifier.',
        issuedBy({ extensions: { authorityKeyIdentifier: null } }),
        ...fault('x509.missing-aki'),
      ],
      [
        'issuance-root-without-aki',
        'The trusted root has no authorityKeyIdentifier: it may leave it out.',
        underRoot({ extensions: { authorityKeyIdentifier: null } }),
        accepted(1),
      ],
    ),
    ...about('x509.missing-ski', 'RFC 5280 §4.2.1.2').with(
      [
        'issuance-intermediate-without-ski',
        'The intermediate has no subjectKeyIdentifier.',
        issuedBy({ extensions: { subjectKeyIdentifier: null } }),
        ...fault('x509.missing-ski'),
      ],
      [
        'issuance-root-without-ski',
        'The trusted root has no subjectKeyIdentifier.',
        underRoot({ extensions: { subjectKeyIdentifier: null } }),
        ...fault('x509.missing-ski', 1),
      ],
      [
        'issuance-leaf-without-ski',
        'The leaf has no subjectKeyIdentifier: it need not have one.',
        leafOf({ extensions: { subjectKeyIdentifier: null } }),
        accepted(2),
      ],
    ),
    ...about('x509.aki-issuer', 'CA/Browser Forum Baseline Requirements §7.1.2.1.3').with(
      [
        'issuance-root-aki-with-issuer',
        "The root's authorityKeyIdentifier names issuer and serial number.",
        underRoot({
          extensions: {
            authorityKeyIdentifier: authorityKeyIdentifierWithIssuer(
              keyOf('root').identifier,
              rootName,
              Buffer.of(1),
            ),
          },
        }),
        ...fault('x509.aki-issuer', 1),
      ],
      [
        'issuance-aki-alone',
        'The authorityKeyIdentifier of root, intermediate and leaf is that of the key that signed, and nothing else.',
        { chain: chain(leaf()), roots: [rootWith({ extensions: { authorityKeyIdentifier: rootAki } })] },
        accepted(2),
      ],
    ),
    ...about('x509.aki-mismatch', 'RFC 5280 §4.2.1.1').with(
      [
        'issuance-root-aki-of-another-key',
        "The root's authorityKeyIdentifier is not that of its own key.",
        underRoot({ extensions: { authorityKeyIdentifier: authorityKeyIdentifier(Buffer.alloc(20, 7)) } }),
        ...fault('x509.aki-mismatch', 1),
      ],
      [
        'issuance-root-aki-of-its-own-key',
        "The root's authorityKeyIdentifier is that of its own key.",
        underRoot({ extensions: { authorityKeyIdentifier: authorityKeyIdentifier(keyOf('root').identifier) } }),
        accepted(1),
      ],
      [
        'issuance-leaf-aki-of-another-key',
        "The leaf's authorityKeyIdentifier is not the issuer's subjectKeyIdentifier; the signature is the issuer's.",
        leafOf({ extensions: { authorityKeyIdentifier: authorityKeyIdentifier(Buffer.alloc(20, 7)) } }),
        ...fault('x509.aki-mismatch'),
      ],
    ),
    ...about('x509.key-id-critical', 'RFC 5280 §4.2.1.2').with(
      [
        'issuance-ski-critical',
        "The leaf's subjectKeyIdentifier is critical.",
        leafOf({
          extensions: { subjectKeyIdentifier: subjectKeyIdentifier(keyOf('leaf').identifier, 'critical') },
        }),
        ...fault('x509.key-id-critical'),
      ],
      [
        'issuance-aki-critical',
        "The leaf's authorityKeyIdentifier is critical.",
        leafOf({
          extensions: {
            authorityKeyIdentifier: authorityKeyIdentifier(keyOf('intermediate').identifier, 'critical'),
          },
        }),
        ...fault('x509.key-id-critical'),
      ],
      [
        'issuance-key-ids-not-critical',
        'The leaf has both key identifiers, and neither is critical.',
        leafOf({
          extensions: {
            subjectKeyIdentifier: subjectKeyIdentifier(keyOf('leaf').identifier),
            authorityKeyIdentifier: authorityKeyIdentifier(keyOf('intermediate').identifier),
          },
        }),
        accepted(2),
      ],
    ),
    ...about('x509.serial-number', 'RFC 5280 §4.1.2.2').with(
      [
        'issuance-serial-zero',
        'The serial number is 0.',
        leafOf({ serial: Buffer.of(0) }),
        ...fault('x509.serial-number'),
      ],
      [
        'issuance-serial-negative',
        'The serial number is negative.',
        leafOf({ serial: Buffer.of(0x80, 0x01) }),
        ...fault('x509.serial-number'),
      ],
      [
        'issuance-serial-20-octets',
        'The serial number has 20 octets, as many as are allowed.',
        leafOf({ serial: Buffer.alloc(20, 0x55) }),
        accepted(2),
      ],
      [
        'issuance-serial-21-octets',
        'The serial number has 21 octets.',
        leafOf({ serial: Buffer.alloc(21, 0x55) }),
        ...fault('x509.serial-number'),
      ],
    ),
    ...about('x509.old-version', 'RFC 5280 §4.1.2.1').with(
      [
        'issuance-root-version-1',
        'The trusted root is of version 1: it cannot say that it is a CA, and is trusted as one.',
        underRoot({ version: null, onlyExtensions: [] }),
        accepted(1, ['x509.old-version']),
        refused('x509.old-version'),
      ],
      [
        'issuance-leaf-version-2',
        'The leaf has extensions, and says it is of version 2, which has none.',
        leafOf({ version: 1 }),
        refused(),
      ],
      ['issuance-leaf-version-3', 'The leaf says it is of version 3.', leafOf({ version: 2 }), accepted(2)],
    ),
    ...about('x509.leaf-is-ca', 'RFC 5280 §4.2.1.9').with(
      [
        'issuance-leaf-is-ca',
        'The leaf says it is a CA, and may not sign certificates.',
        leafOf({ extensions: { basicConstraints: basicConstraints('ca') } }),
        ...fault('x509.leaf-is-ca'),
      ],
      [
        'issuance-leaf-is-no-ca',
        'The leaf has basicConstraints, which are empty: it is no CA.',
        leafOf({ extensions: { basicConstraints: basicConstraints('not-ca') } }),
        accepted(2),
      ],
    ),
    ...about('x509.leaf-may-sign', 'RFC 5280 §4.2.1.3').with(
      [
        'issuance-leaf-may-sign',
        'The leaf is no CA, and may sign certificates.',
        leafOf({ extensions: { keyUsage: keyUsage(['digitalSignature', 'keyCertSign']) } }),
        ...fault('x509.leaf-may-sign'),
      ],
      [
        'issuance-leaf-without-basic-constraints',
        'The leaf has no basicConstraints: it need not have them.',
        leafOf({ extensions: { basicConstraints: null } }),
        accepted(2),
      ],
      [
        'issuance-leaf-without-key-usage',
        'The leaf has no keyUsage: it need not have one.',
        leafOf({ extensions: { keyUsage: null } }),
        accepted(2),
      ],
    ),
    ...about('x509.san-not-critical', 'RFC 5280 §4.2.1.6').with(
      [
        'issuance-no-subject',
        'The leaf has an empty subject, and its subjectAltName is not critical.',
        leafOf({ subject: sequence() }),
        ...fault('x509.san-not-critical'),
      ],
      [
        'issuance-no-subject-san-critical',
        'The leaf has an empty subject, and its subjectAltName is critical.',
        leafOf({
          subject: sequence(),
          extensions: { subjectAltName: subjectAltName(['mx.example.com'], 'critical') },
        }),
        accepted(2),
      ],
    ),
    ...about('x509.malformed-name', 'RFC 5280 §4.1.2.6').with(
      [
        'issuance-ca-without-subject',
        'The intermediate has an empty subject.',
        issuedBy({ subject: sequence() }),
        ...fault('x509.malformed-name'),
      ],
      [
        'issuance-ca-with-an-organization',
        'The subject of the intermediate is an organization, and no common name.',
        issuedBy({ subject: 'O=Test Authority' }),
        accepted(2),
      ],
    ),
    ...about('x509.san-critical', 'CA/Browser Forum Baseline Requirements §7.1.2.7.12').with(
      [
        'issuance-san-critical',
        'The leaf has a subject, and its subjectAltName is critical.',
        leafOf({ extensions: { subjectAltName: subjectAltName(['mx.example.com'], 'critical') } }),
        ...fault('x509.san-critical'),
      ],
      [
        'issuance-subject-of-an-organization',
        'The subject of the leaf is an organization alone, and its subjectAltName is not critical.',
        leafOf({ subject: 'O=Test Server' }),
        accepted(2),
      ],
    ),
    ...about('x509.policy-constraints-not-critical', 'RFC 5280 §4.2.1.11').with(
      [
        'issuance-policy-constraints-not-critical',
        'The intermediate demands policies from four certificates further down, and its policyConstraints are not critical.',
        issuedBy({ more: [extension('2.5.29.36', sequence(implicit(0, Buffer.of(3))))] }),
        ...fault('x509.policy-constraints-not-critical'),
      ],
      [
        'issuance-policy-constraints-critical',
        'The same, and its policyConstraints are critical, as they have to be: nobody here looks at them.',
        issuedBy({ more: [extension('2.5.29.36', sequence(implicit(0, Buffer.of(3))), 'critical')] }),
        refused('x509.unknown-critical-extension'),
      ],
    ),
    ...about('x509.leaf-is-ca', 'RFC 5280 §4.2.1.9').with([
      'issuance-leaf-is-ca-in-full',
      'The leaf is a CA that may sign certificates: it may be the last of a path.',
      leafOf({
        extensions: {
          basicConstraints: basicConstraints('ca'),
          keyUsage: keyUsage(['digitalSignature', 'keyCertSign']),
        },
      }),
      accepted(2, ['x509.leaf-is-ca']),
    ]),
    ...about('x509.cn-not-in-san', 'CA/Browser Forum Baseline Requirements §7.1.4.3').with(
      [
        'issuance-cn-not-in-san',
        'The common name is a host name that subjectAltName does not have.',
        leafOf({ subject: 'CN=other.example.com' }),
        ...fault('x509.cn-not-in-san'),
      ],
      [
        'issuance-cn-a-label-not-in-san',
        'The common name is an A-label that subjectAltName does not have.',
        leafOf({ subject: 'CN=xn--bcher-kva.example.com' }),
        ...fault('x509.cn-not-in-san'),
      ],
      [
        'issuance-cn-address-not-in-san',
        'The common name is an address that subjectAltName does not have.',
        leafOf({ subject: 'CN=192.0.2.1' }),
        ...fault('x509.cn-not-in-san'),
      ],
      [
        'issuance-cn-case',
        'The common name is that of subjectAltName, in capitals: it is to be a copy.',
        leafOf({ subject: 'CN=MX.EXAMPLE.COM' }),
        accepted(2),
        refused('x509.cn-not-in-san'),
      ],
      [
        'issuance-cn-second-in-san',
        'The common name is the second name of subjectAltName.',
        leafOf({ subject: 'CN=other.example.com', names: ['mx.example.com', 'other.example.com'] }),
        accepted(2),
      ],
    ),
    ...about('x509.key-usage-no-signature', 'RFC 5246 §7.4.2').with(
      [
        'issuance-key-usage-encipherment-only',
        'An RSA leaf whose key may decrypt, and not sign.',
        rsaLeaf('keyEncipherment'),
        accepted(2, ['x509.key-usage-no-signature']),
      ],
      [
        'issuance-key-usage-both',
        'An RSA leaf whose key may sign and decrypt.',
        rsaLeaf('digitalSignature', 'keyEncipherment'),
        accepted(2),
      ],
    ),
    ...about('x509.key-usage-no-encipherment', 'RFC 5246 §7.4.2').with(
      [
        'issuance-key-usage-signature-only',
        'An RSA leaf whose key may sign, and not decrypt.',
        rsaLeaf('digitalSignature'),
        accepted(2, ['x509.key-usage-no-encipherment']),
      ],
      [
        'issuance-key-usage-none-rsa',
        'An RSA leaf without keyUsage, which permits everything.',
        leafOf({ key: keyOf('leaf', 'rsa-2048'), extensions: { keyUsage: null } }),
        accepted(2),
      ],
      [
        'issuance-key-usage-signature-only-ec',
        'A leaf on P-256 whose key may sign: it could not decrypt anyway.',
        leafOf({ extensions: { keyUsage: keyUsage(['digitalSignature']) } }),
        accepted(2),
      ],
    ),
  ]
}

/** A leaf whose key may do nothing that a handshake needs: most often an authority's certificate, served as a leaf. */
function leafKeyUsageCases(): readonly CertificateCase[] {
  const forUsages = (...usages: Parameters<typeof keyUsage>[0]): readonly Made[] =>
    chain(leafWith({ extensions: { keyUsage: keyUsage(usages) } }))
  const forClient = (...usages: Parameters<typeof keyUsage>[0]): Partial<PkixDraft> => ({
    chain: chain(
      leafWith({ extensions: { keyUsage: keyUsage(usages), extendedKeyUsage: extendedKeyUsage(['clientAuth']) } }),
    ),
    purpose: 'client',
  })
  const authority = makeAuthority({
    subject: 'CN=mx.example.com',
    key: keyOf('leaf'),
    issuer: intermediate(),
    extensions: { subjectAltName: subjectAltName(['mx.example.com']) },
  })
  return about('x509.leaf-key-usage', 'RFC 5280 §4.2.1.3').with(
    [
      'leaf-usage-authority',
      'The server serves the certificate of its private authority, whose key may sign certificates and nothing else.',
      chain(authority),
      refused('x509.leaf-key-usage'),
      accepted(2, ['x509.leaf-key-usage', 'x509.leaf-is-ca']),
    ],
    [
      'leaf-usage-signs-certificates',
      'The leaf is no CA, and its key may sign certificates and nothing else.',
      forUsages('keyCertSign', 'cRLSign'),
      refused('x509.leaf-key-usage'),
    ],
    [
      'leaf-usage-signs-documents',
      'The key of the leaf may sign what cannot be denied later, and nothing else.',
      forUsages('nonRepudiation'),
      refused('x509.leaf-key-usage'),
    ],
    [
      'leaf-usage-agreement',
      'The key of the leaf may agree on keys.',
      forUsages('keyAgreement'),
      accepted(2, ['x509.key-usage-no-signature']),
    ],
    [
      'leaf-usage-client-encipherment',
      "The key of a client's leaf may decrypt, and not sign: no client ever decrypts with it.",
      forClient('keyEncipherment'),
      refused('x509.leaf-key-usage'),
    ],
    [
      'leaf-usage-client-agreement',
      "The key of a client's leaf may agree on keys.",
      forClient('keyAgreement'),
      accepted(2, ['x509.key-usage-no-signature']),
    ],
  )
}

/** Extensions that play no part in validation. */
function asideCases(): readonly CertificateCase[] {
  const leafOf = (...more: readonly Uint8Array[]): readonly Made[] => chain(leafWith({ more }))
  const [access, points, timestamps] = ['1.3.6.1.5.5.7.1.1', '2.5.29.31', '1.3.6.1.4.1.11129.2.4.2'] as const
  const noDer = Buffer.from('malformed')
  const uri = generalName('uri', 'http://ca.example.com/')
  const unreadable: Verdicts = [accepted(2, ['x509.extension-unreadable']), refused('x509.extension-unreadable')]
  return about('x509.extension-unreadable', 'RFC 5280 §4.2').with(
    [
      'issuance-authority-information-unreadable',
      'What should say where the issuer can be fetched is no DER.',
      leafOf(extension(access, noDer)),
      ...unreadable,
    ],
    [
      'issuance-authority-information-empty',
      'What should say where the issuer can be fetched is an empty list.',
      leafOf(extension(access, sequence())),
      ...unreadable,
    ],
    [
      'issuance-revocation-lists-unreadable',
      'What should say where revocation lists can be fetched is no DER.',
      leafOf(extension(points, noDer)),
      ...unreadable,
    ],
    [
      'issuance-timestamps-unreadable',
      'What should hold the timestamps of public logs is no DER.',
      leafOf(extension(timestamps, noDer)),
      ...unreadable,
    ],
    [
      'issuance-all-asides',
      'The leaf says where its issuer and its revocation can be fetched, and holds a timestamp.',
      leafOf(
        extension(
          access,
          sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), uri), sequence(oid('1.3.6.1.5.5.7.48.2'), uri)),
        ),
        extension(points, sequence(sequence(explicit(0, explicit(0, uri))))),
        extension(timestamps, octetString(Buffer.of(0, 3, 0, 1, 0xaa))),
      ),
      accepted(2),
    ],
  )
}

/** Not DER, and yet everybody reads the same: what old software and private authorities really wrote. */
function encodingCases(): readonly CertificateCase[] {
  const leafOf = (recipe: Parameters<typeof leafWith>[0]): readonly Made[] => chain(leafWith(recipe))
  const issuedBy = (recipe: Recipe): readonly Made[] => {
    const issuer = intermediateWith(recipe)
    return [leafWith({ issuer }), issuer]
  }
  const told = (depth = 2): Verdicts => [accepted(depth, ['x509.encoding']), refused('x509.encoding')]
  const [no, one] = [boolean(false), Buffer.of(1, 1, 1)]
  const raw = (id: string, critical: Uint8Array, value: Uint8Array): Uint8Array =>
    sequence(oid(id), critical, octetString(value))
  const usage = (octets: readonly number[], unusedBits: number): Uint8Array =>
    extension('2.5.29.15', bitString(Buffer.from(octets), unusedBits), 'critical')
  const attribute = (type: string, text: string): Uint8Array => sequence(oid(type), utf8String(text))
  return [
    ...about('x509.encoding', 'X.690 §11.5').with(
      [
        'encoding-ca-false',
        "The leaf's basicConstraints write out that it is no CA, which is the default.",
        leafOf({ extensions: { basicConstraints: extension('2.5.29.19', sequence(no), 'critical') } }),
        ...told(),
      ],
      [
        'encoding-critical-false',
        "The leaf's keyUsage writes out that it is not critical, which is the default.",
        leafOf({ extensions: { keyUsage: raw('2.5.29.15', no, bitString(Buffer.of(0x80), 7)) } }),
        ...told(),
      ],
      [
        'encoding-version-1',
        'The trusted root writes out that it is of version 1, which is the default.',
        underRoot({ version: 0, onlyExtensions: [] }),
        accepted(1, ['x509.encoding', 'x509.old-version']),
        refused(),
      ],
    ),
    ...about('x509.encoding', 'X.690 §11.1').with(
      [
        'encoding-ca-01',
        'That the intermediate is a CA is written as 01 and not FF.',
        issuedBy({ extensions: { basicConstraints: extension('2.5.29.19', sequence(one), 'critical') } }),
        ...told(),
      ],
      [
        'encoding-critical-01',
        "That the leaf's keyUsage is critical is written as 01 and not FF.",
        leafOf({ extensions: { keyUsage: raw('2.5.29.15', one, bitString(Buffer.of(0x80), 7)) } }),
        ...told(),
      ],
      [
        'encoding-critical-01-unknown',
        'The leaf has an extension that nobody knows, critical by a TRUE written as 01: it is critical all the same.',
        leafOf({ more: [raw('1.3.6.1.4.1.55555.1', one, nullValue)] }),
        { ...refused('x509.unknown-critical-extension'), findings: ['x509.encoding'] },
      ],
    ),
    ...about('x509.encoding', 'X.690 §11.2').with(
      [
        'encoding-key-usage-zero-bits',
        'The keyUsage of the leaf has all eight bits written out, of which the last seven are zero.',
        leafOf({ extensions: { keyUsage: usage([0x80], 0) } }),
        ...told(),
      ],
      [
        'encoding-key-usage-zero-bits-in-root',
        'The keyUsage of the trusted root, as that of some public ones, has zero bits at the end.',
        underRoot({ extensions: { keyUsage: usage([0x06], 0) } }),
        ...told(1),
      ],
      [
        'encoding-key-usage-zero-octet',
        'The keyUsage of the leaf has an octet of zeros at the end.',
        leafOf({ extensions: { keyUsage: usage([0x80, 0], 7) } }),
        ...told(),
      ],
    ),
    ...about('x509.encoding', 'RFC 5280 §4.1.2.5').with([
      'encoding-generalized-time',
      'The leaf expires in 2036, written as years from 2050 on are.',
      leafOf({ notAfter: generalizedTime('20360101000000Z') }),
      ...told(),
    ]),
    ...about('x509.encoding', 'X.690 §11.6').with([
      'encoding-relative-name-not-sorted',
      "A relative name in the leaf's subject has two attributes, the greater one first.",
      leafOf({ subject: sequence(set(attribute('2.5.4.3', 'mx.example.com'), attribute('2.5.4.10', 'Example'))) }),
      ...told(),
    ]),
    ...about('x509.encoding', 'RFC 5280 §4.1').with([
      'encoding-relative-name-sorted',
      "A relative name in the leaf's subject has two attributes, in order.",
      leafOf({ subject: sequence(set(attribute('2.5.4.10', 'Example'), attribute('2.5.4.3', 'mx.example.com'))) }),
      accepted(2),
    ]),
  ]
}

function malformedCases(): readonly CertificateCase[] {
  const leafOf = (recipe: Parameters<typeof leafWith>[0]): readonly Made[] => chain(leafWith(recipe))
  const text = (pem: string): Partial<PkixDraft> => ({ chain: [pem, intermediate()], leaf: leaf() })
  const san = subjectAltName(['mx.example.com'])
  return about('x509.malformed', 'X.690 §10.1, RFC 5280 §4.1').with(
    [
      'malformed-not-der',
      'The first block holds no certificate.',
      text(pemOf(Buffer.from('no certificate'))),
      refused('x509.malformed'),
    ],
    [
      'malformed-not-base64',
      'The first block is no base64.',
      text('-----BEGIN CERTIFICATE-----\n%%%% no base64 %%%%\n-----END CERTIFICATE-----\n'),
      refused('x509.malformed'),
    ],
    ['malformed-empty', 'The first block is empty.', text(pemOf(Buffer.of())), refused('x509.malformed')],
    [
      'malformed-cut',
      'The last octet of the leaf is missing.',
      text(pemOf(leaf().der.subarray(0, -1))),
      refused('x509.malformed'),
    ],
    [
      'malformed-trailing',
      'One octet follows the leaf.',
      text(pemOf(Buffer.concat([leaf().der, Buffer.of(0)]))),
      refused('x509.malformed'),
    ],
    [
      'malformed-indefinite-length',
      'The leaf is in BER: its outermost length is indefinite.',
      text(pemOf(Buffer.concat([Buffer.of(0x30, 0x80), ...children(leaf().der), Buffer.of(0, 0)]))),
      refused('x509.malformed'),
    ],
    [
      'malformed-long-length',
      'The outermost length of the leaf has a leading zero octet.',
      text(pemOf(Buffer.concat([Buffer.of(0x30, 0x83, 0), leaf().der.subarray(2)]))),
      refused('x509.malformed'),
    ],
    [
      'malformed-duplicate-extension',
      'The leaf has two subjectAltName extensions.',
      leafOf({ more: [san] }),
      refused('x509.malformed'),
    ],
    [
      'malformed-duplicate-unknown-extension',
      'The leaf has the same unknown extension twice.',
      leafOf({ more: [unknownExtension('not-critical'), unknownExtension('not-critical')] }),
      refused('x509.malformed'),
    ],
    [
      'malformed-boolean',
      'A TRUE in the leaf has two octets.',
      leafOf({
        more: [sequence(oid('1.3.6.1.4.1.55555.1'), Buffer.of(1, 2, 0xff, 0xff), octetString(nullValue))],
      }),
      refused('x509.malformed'),
    ],
    [
      'malformed-basic-constraints',
      "The leaf's basicConstraints hold an octet too many.",
      leafOf({ extensions: { basicConstraints: extension('2.5.29.19', Buffer.of(0x30, 0, 0), 'critical') } }),
      refused('x509.malformed'),
    ],
    [
      'malformed-san-text',
      'The subjectAltName of the leaf is the bare name, and no DER.',
      leafOf({ extensions: { subjectAltName: extension('2.5.29.17', Buffer.from('mx.example.com')) } }),
      refused('x509.malformed'),
    ],
    [
      'malformed-key-usage-empty',
      'The keyUsage of the leaf allows nothing at all.',
      leafOf({ extensions: { keyUsage: extension('2.5.29.15', bitString(Buffer.of()), 'critical') } }),
      refused(),
    ],
    [
      'malformed-key-usage-zero',
      'The keyUsage of the leaf has one bit, which is zero.',
      leafOf({ extensions: { keyUsage: extension('2.5.29.15', bitString(Buffer.of(0), 7), 'critical') } }),
      refused('x509.malformed'),
    ],
    [
      'malformed-key-usage-unused-bits',
      'The keyUsage of the leaf marks eight bits of its last octet as unused.',
      leafOf({ extensions: { keyUsage: extension('2.5.29.15', bitString(Buffer.of(0x80), 8), 'critical') } }),
      refused('x509.malformed'),
    ],
    [
      'malformed-key-usage-unused-set',
      'The keyUsage of the leaf has a bit set that is marked as unused.',
      leafOf({ extensions: { keyUsage: extension('2.5.29.15', bitString(Buffer.of(0x81), 7), 'critical') } }),
      refused('x509.malformed'),
    ],
    [
      'malformed-key-usage-unused-sign',
      'The keyUsage of the intermediate has keyCertSign only among the bits that are marked as unused.',
      (() => {
        const usage = extension('2.5.29.15', bitString(Buffer.of(0x84), 5), 'critical')
        const issuer = intermediateWith({ extensions: { keyUsage: usage } })
        return [leafWith({ issuer }), issuer]
      })(),
      refused('x509.malformed'),
    ],
    [
      'malformed-serial-padded',
      'The serial number of the leaf has a zero octet too many.',
      leafOf({ serial: Buffer.of(0, 1) }),
      refused('x509.malformed'),
    ],
    [
      'malformed-san-empty',
      'The subjectAltName of the leaf is an empty list.',
      leafOf({ extensions: { subjectAltName: rawSubjectAltName([]) } }),
      refused(),
    ],
    [
      'malformed-san-other-name',
      'The subjectAltName of the leaf has a name, and an otherName that holds no type and value.',
      leafOf({
        extensions: {
          subjectAltName: rawSubjectAltName([
            generalName('dns', 'mx.example.com'),
            tlv(0xa0, Buffer.of(0x0c, 1, 0x61)),
          ]),
        },
      }),
      refused('x509.malformed'),
    ],
    [
      'malformed-san-edi-party-name',
      'The subjectAltName of the leaf has a name, and an ediPartyName that holds half an element.',
      leafOf({
        extensions: {
          subjectAltName: rawSubjectAltName([
            generalName('dns', 'mx.example.com'),
            tlv(0xa5, Buffer.of(0xa1, 5, 0x0c)),
          ]),
        },
      }),
      refused('x509.malformed'),
    ],
    [
      'malformed-extensions-empty',
      'The leaf has a field for extensions with none in it.',
      leafOf({ editTbs: fields => [...fields.slice(0, -1), explicit(3, sequence())] }),
      refused('x509.malformed'),
    ],
    [
      'malformed-version-4',
      'The leaf says it is of version 4.',
      leafOf({ version: 3 }),
      refused('x509.malformed'),
    ],
    [
      'malformed-stranger',
      'A third block, which the path would not need, is no certificate: such a chain is none.',
      { chain: [leaf(), intermediate(), pemOf(Buffer.from('no certificate'))] },
      refused('x509.malformed'),
    ],
    [
      'malformed-intermediate',
      'The intermediate, which the leaf needs, is cut short.',
      { chain: [leaf(), pemOf(intermediate().der.subarray(0, -1))] },
      refused(),
    ],
  )
}

/** A leaf with what was sent above it: the usual intermediate unless others are given. */
function chain(first: Made, ...above: readonly Made[]): readonly Made[] {
  return [first, ...(above.length === 0 ? [intermediate()] : above)]
}

/** A leaf right under a trusted root of this recipe. */
function underRoot(recipe: Recipe): Partial<PkixDraft> {
  const top = rootWith(recipe)
  return { chain: [leafWith({ issuer: top })], roots: [top] }
}

/** A leaf and the lower of its two intermediates. */
function lower(): readonly Made[] {
  const upper = intermediateWith({ subject: 'CN=Test Upper', key: keyOf('upper') })
  const next = intermediateWith({ issuer: upper })
  return [leafWith({ issuer: next }), next]
}

/** A root that no case trusts by itself, and a leaf under it. */
function anotherHierarchy(): readonly [Made, Made] {
  const other = rootWith({ subject: 'CN=Another Root', key: keyOf('another root') })
  return [other, leafWith({ issuer: other })]
}

function flipLastBit(der: Uint8Array): Uint8Array {
  const changed = Buffer.from(der)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  return changed
}

/** Some octets of the same number in place of others, everywhere. */
function replaced(der: Uint8Array, before: string, after: string): Uint8Array {
  return Buffer.from(Buffer.from(der).toString('latin1').replaceAll(before, after), 'latin1')
}
