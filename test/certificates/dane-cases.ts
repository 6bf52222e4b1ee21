/**
 * Cases of TLSA records (RFC 6698, RFC 7671, RFC 7672): which record names which certificate, and what else has to hold.
 *
 * The matrix is the one that Postfix describes for its own tests: chains with and without key identifiers, both selectors, all
 * matching types, and every place of the certificate that is named. Around it stand names, dates, unusable and shadowed records,
 * and the nine records of the case that all name issuers.
 */
import {
  byAnchorRecord,
  byLeafRecord,
  type CertificateCase,
  type DaneDraft,
  daneCase,
  type Expectation,
  intermediate,
  intermediateWith,
  leaf,
  leafWith,
  refused,
  root,
  rootWith,
  secondsFrom,
} from './case.ts'
import { sequence } from './der.ts'
import { keyOf } from './keys.ts'
import {
  at,
  basicConstraints,
  extendedKeyUsage,
  generalName,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
  nameConstraints,
  pemOf,
  type Recipe,
  rawSubjectAltName,
  tlsa,
  unknownExtension,
} from './maker.ts'

export function daneCases(): readonly CertificateCase[] {
  return [
    ...matrix(),
    ...leafRecords(),
    ...issuerRecords(),
    ...bareKeys(),
    ...names(),
    ...unusableRecords(),
    ...shadowedRecords(),
    ...severalRecords(),
    ...nineRecords(),
    ...brokenChains(),
  ]
}

/** Each place of a certificate, named in each way, in chains with key identifiers and without. */
function matrix(): readonly CertificateCase[] {
  const without: Recipe['extensions'] = { subjectKeyIdentifier: null, authorityKeyIdentifier: null }
  const bareRoot = rootWith({ extensions: without })
  const bareIntermediate = intermediateWith({ issuer: bareRoot, extensions: without })
  const bareLeaf = leafWith({ issuer: bareIntermediate, extensions: without })
  const worlds = [
    { id: 'ids', words: 'with key identifiers', made: [leaf(), intermediate(), root()] as const },
    { id: 'no-ids', words: 'without key identifiers', made: [bareLeaf, bareIntermediate, bareRoot] as const },
  ]
  return worlds.flatMap(({ id: world, words, made: [bottom, middle, top] }) =>
    selectors.flatMap(selector =>
      matchingTypes.flatMap(type => {
        const cell = `${world}-${selector}-${type}`
        const record = (usage: number, made: Made): string => tlsa(usage, selector, type, made)
        const strict = (good: Expectation): Expectation => (world === 'ids' ? good : refused())
        const row = (
          id: string,
          what: string,
          chain: readonly Made[],
          text: string,
          mail: Expectation,
        ): CertificateCase =>
          dane('dane.no-match', 'RFC 7671 §5', {
            id: `dane-matrix-${cell}-${id}`,
            says: `A chain ${words}; the record "${text.slice(0, 5)}" names ${what}.`,
            chain,
            tlsa: [text],
            mail,
            strict: mail.by === 'dane-ta' ? strict(mail) : mail,
          })
        const sent = [bottom, middle]
        const all = [bottom, middle, top]
        const rootNotSent =
          type !== 0 ? refused('dane.no-match') : selector === 0 ? byAnchorRecord(0, 2) : byAnchorRecord(0, 1)
        const rootKeySent = byAnchorRecord(0, 2)
        return [
          row('leaf', 'the leaf by usage 3', sent, record(3, bottom), byLeafRecord(0)),
          row('intermediate', 'the intermediate', sent, record(2, middle), byAnchorRecord(0, 1)),
          row(
            'intermediate-root-sent',
            'the intermediate, and the root was sent too',
            all,
            record(2, middle),
            byAnchorRecord(0, 1),
          ),
          row('root-sent', 'the root, which was sent', all, record(2, top), rootKeySent),
          row('root-not-sent', 'the root, which was not sent', sent, record(2, top), rootNotSent),
          row('leaf-as-issuer', 'the leaf by usage 2', sent, record(2, bottom), refused('dane.no-match')),
          row(
            'intermediate-as-leaf',
            'the intermediate by usage 3',
            sent,
            record(3, middle),
            refused('dane.no-match'),
          ),
          row(
            'another',
            'a certificate of somebody else by usage 3',
            sent,
            record(3, stranger()),
            refused('dane.no-match'),
          ),
          row(
            'another-issuer',
            'an issuer of somebody else',
            sent,
            record(2, stranger()),
            type === 0 ? refused() : refused('dane.no-match'),
          ),
        ]
      }),
    ),
  )
}

/** Usage 3: the certificate or its key, and nothing else is asked (RFC 7671 §5.1). */
function leafRecords(): readonly CertificateCase[] {
  const whateverElse: readonly (readonly [string, string, Made])[] = [
    ['expired', 'The leaf has expired.', leafWith({ notAfter: secondsFrom(at, -1) })],
    ['not-yet-valid', 'The leaf is not valid yet.', leafWith({ notBefore: secondsFrom(at, 1) })],
    ['wrong-name', 'The leaf has another name.', leafWith({ names: ['other.example.net'] })],
    ['no-name', 'The leaf has no name at all.', leafWith({ names: [] })],
    [
      'client-only',
      'The leaf is for clients.',
      leafWith({ extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth']) } }),
    ],
    [
      'signs-certificates',
      'The key of the leaf may sign certificates and nothing else.',
      leafWith({ extensions: { keyUsage: keyUsage(['keyCertSign', 'cRLSign']) } }),
    ],
    [
      'unknown-critical',
      'The leaf has a critical extension that nobody knows.',
      leafWith({ more: [unknownExtension('critical')] }),
    ],
    [
      'weak-signature',
      'The leaf signed itself with SHA-1.',
      makeLeaf({ key: keyOf('self-signed', 'rsa-2048'), signature: 'rsa-sha1' }),
    ],
    [
      'bad-signature',
      'The signature of the leaf is no signature of its issuer.',
      leafWith({ signer: keyOf('impostor') }),
    ],
    ['short-key', 'The RSA key of the leaf has 1,024 bits.', makeLeaf({ key: keyOf('leaf', 'rsa-1024') })],
    [
      'duplicate-extension',
      'The leaf has an extension twice.',
      leafWith({ more: [unknownExtension('not-critical'), unknownExtension('not-critical')] }),
    ],
    [
      'ca',
      'The leaf is a CA.',
      makeLeaf({ key: keyOf('self-signed'), extensions: { basicConstraints: basicConstraints('ca') } }),
    ],
    [
      'version-1',
      'The leaf is of version 1.',
      makeLeaf({ key: keyOf('self-signed'), version: null, onlyExtensions: [] }),
    ],
    ['serial-zero', 'The serial number of the leaf is 0.', leafWith({ serial: Buffer.of(0) })],
  ]
  return [
    ...whateverElse.flatMap(([id, what, made]) =>
      selectors.map(selector =>
        dane(null, 'RFC 7671 §5.1', {
          id: `dane-leaf-${id}-${selector}`,
          says: `${what} A record of usage 3 names ${selector === 0 ? 'it' : 'its key'}, and that is enough.`,
          chain: [made],
          tlsa: [tlsa(3, selector, 1, made)],
          mail: byLeafRecord(0),
        }),
      ),
    ),
    dane(null, 'RFC 7672 §3.1.1', {
      id: 'dane-leaf-self-signed',
      says: 'A bare self-signed certificate and "3 1 1": what RFC 7672 recommends.',
      chain: [makeLeaf({ key: keyOf('self-signed') })],
      tlsa: [tlsa(3, 1, 1, makeLeaf({ key: keyOf('self-signed') }))],
      mail: byLeafRecord(0),
    }),
    dane(null, 'RFC 7671 §8', {
      id: 'dane-leaf-renewed',
      says: 'The leaf was renewed with the same key: the record of the key names the new one too.',
      chain: [leafWith({ serial: Buffer.of(0x77) }), intermediate()],
      tlsa: [tlsa(3, 1, 1, leaf())],
      mail: byLeafRecord(0),
    }),
    dane('dane.no-match', 'RFC 7671 §8', {
      id: 'dane-leaf-renewed-certificate-named',
      says: 'The leaf was renewed with the same key: the record of the old certificate names nothing any more.',
      chain: [leafWith({ serial: Buffer.of(0x77) }), intermediate()],
      tlsa: [tlsa(3, 0, 1, leaf())],
      mail: refused('dane.no-match'),
    }),
    dane('dane.ee-not-leaf', 'RFC 7671 §5.1', {
      id: 'dane-leaf-record-names-intermediate',
      says: 'A record of usage 3 names the intermediate, which is not the leaf.',
      chain: [leaf(), intermediate()],
      tlsa: [tlsa(3, 1, 1, intermediate())],
      mail: refused('dane.no-match'),
    }),
    dane('x509.no-certificate', 'RFC 7671 §5.1', {
      id: 'dane-no-certificate',
      says: 'The server sent no certificate, and a record counts.',
      chain: [],
      leaf: leaf(),
      tlsa: [tlsa(3, 1, 1, leaf())],
      mail: refused('x509.no-certificate'),
    }),
  ]
}

/** Usage 2: an issuer, a valid path to it, and a name (RFC 7671 §5.2, RFC 7672 §3.1.2). */
function issuerRecords(): readonly CertificateCase[] {
  const upper = intermediateWith({ subject: 'CN=Test Upper', key: keyOf('upper') })
  const lower = intermediateWith({ issuer: upper })
  const deep = [leafWith({ issuer: lower }), lower, upper, root()]
  const expired = leafWith({ notAfter: secondsFrom(at, -1) })
  const expiredIssuer = intermediateWith({ notAfter: secondsFrom(at, -1) })
  const expiredRoot = rootWith({ notAfter: secondsFrom(at, -1) })
  const notCa = leafWith({ key: keyOf('customer'), names: ['customer.example.net'] })
  const narrow = intermediateWith({
    extensions: { nameConstraints: nameConstraints([generalName('dns', 'example.net')]) },
  })
  const short = intermediateWith({ extensions: { basicConstraints: basicConstraints('ca', 0) } })
  const shortUpper = intermediateWith({
    subject: 'CN=Test Upper',
    key: keyOf('upper'),
    extensions: { basicConstraints: basicConstraints('ca', 0) },
  })
  const belowShort = intermediateWith({ issuer: shortUpper })
  const selfSigned = makeLeaf({ key: keyOf('self-signed') })
  const forged = leafWith({ signer: keyOf('impostor') })
  const above = (
    reason: Expectation['reason'],
    id: string,
    says: string,
    chain: readonly Made[],
    anchor: Made,
  ): CertificateCase =>
    dane(reason ?? null, 'RFC 7672 §3.1.2', {
      id: `dane-issuer-${id}`,
      says,
      chain,
      tlsa: [tlsa(2, 1, 1, anchor)],
      mail: refused(reason),
    })
  return [
    ...deep.slice(1).map((made, index) =>
      dane(null, 'RFC 7671 §5.2', {
        id: `dane-issuer-depth-${index + 1}`,
        says: `The record names the issuer at depth ${index + 1} of a chain with two intermediates and its root.`,
        chain: deep,
        tlsa: [tlsa(2, 1, 1, made)],
        mail: byAnchorRecord(0, index + 1),
      }),
    ),
    dane('dane.no-match', 'RFC 7671 §5.2.1', {
      id: 'dane-issuer-not-sent',
      says: 'The leaf was sent alone, and the record names the intermediate.',
      chain: [leaf()],
      tlsa: [tlsa(2, 1, 1, intermediate())],
      mail: refused('dane.no-match'),
    }),
    dane('dane.ta-is-leaf', 'RFC 7671 §5.2', {
      id: 'dane-issuer-is-leaf',
      says: "The record of usage 2 names the leaf, which is nobody's issuer.",
      chain: [leaf(), intermediate()],
      tlsa: [tlsa(2, 0, 1, leaf())],
      mail: refused('dane.no-match'),
    }),
    dane('dane.ta-is-leaf', 'RFC 7671 §5.2', {
      id: 'dane-issuer-is-self-signed-leaf',
      says: 'The record of usage 2 names a leaf that signed itself.',
      chain: [selfSigned],
      tlsa: [tlsa(2, 0, 1, selfSigned)],
      mail: refused('dane.no-match'),
    }),
    dane('dane.ta-is-leaf', 'RFC 7671 §5.2', {
      id: 'dane-issuer-is-self-signed-leaf-sent-twice',
      says: 'The record of usage 2 names a leaf that signed itself, and was sent twice.',
      chain: [selfSigned, selfSigned],
      tlsa: [tlsa(2, 0, 1, selfSigned)],
      mail: refused('dane.no-match'),
    }),
    dane(null, 'RFC 7671 §5.2.2', {
      id: 'dane-issuer-only-in-record',
      says: 'The leaf was sent alone, and the record holds its intermediate whole.',
      chain: [leaf()],
      tlsa: [tlsa(2, 0, 0, intermediate())],
      mail: byAnchorRecord(0, 1),
    }),
    dane(null, 'RFC 8446 §4.4.2', {
      id: 'dane-issuer-chain-shuffled',
      says: 'The chain above the leaf is in the wrong order, with a stranger in it.',
      chain: [deep[0] ?? leaf(), root(), stranger(), upper, lower],
      tlsa: [tlsa(2, 1, 1, root())],
      mail: byAnchorRecord(0, 3),
    }),
    dane('dane.no-match', 'RFC 7671 §5.2', {
      id: 'dane-issuer-is-stranger',
      says: 'The record names a certificate that was sent, and that has nothing to do with the leaf.',
      chain: [leaf(), intermediate(), stranger()],
      tlsa: [tlsa(2, 1, 1, stranger())],
      mail: refused(),
    }),
    dane(null, 'RFC 7671 §5.2', {
      id: 'dane-issuer-key-of-two-certificates',
      says: 'Two certificates have the key that the record names: an expired one and a good one.',
      chain: [leaf(), expiredIssuer, intermediate()],
      tlsa: [tlsa(2, 1, 1, intermediate())],
      mail: byAnchorRecord(0, 1),
    }),
    dane(null, 'RFC 7672 §3.1.2', {
      id: 'dane-issuer-path-length-kept',
      says: 'The intermediate that the record names allows none below it, and there is none.',
      chain: [leafWith({ issuer: short }), short],
      tlsa: [tlsa(2, 1, 1, short)],
      mail: byAnchorRecord(0, 1),
    }),
    above(
      'x509.expired',
      'leaf-expired',
      'The leaf has expired: under usage 2 dates count.',
      [expired, intermediate()],
      intermediate(),
    ),
    dane('x509.expired', 'RFC 5280 §6.2', {
      id: 'dane-issuer-expired',
      says: 'The intermediate that the record names has expired: the record vouches for it all the same.',
      chain: [leaf(), expiredIssuer],
      tlsa: [tlsa(2, 1, 1, expiredIssuer)],
      mail: { ...byAnchorRecord(0, 1), findings: ['x509.expired'] },
    }),
    dane('x509.expired', 'RFC 5280 §6.2', {
      id: 'dane-issuer-expired-self-signed',
      says: 'The record names the root, which signed itself and has expired: its own dates count.',
      chain: [leafWith({ issuer: expiredRoot }), expiredRoot],
      tlsa: [tlsa(2, 1, 1, expiredRoot)],
      mail: refused('x509.expired'),
    }),
    dane('x509.expired', 'RFC 5280 §6.2', {
      id: 'dane-issuer-expired-by-certificate',
      says: 'The record names the expired intermediate by its certificate, not by its key.',
      chain: [leaf(), expiredIssuer],
      tlsa: [tlsa(2, 0, 1, expiredIssuer)],
      mail: { ...byAnchorRecord(0, 1), findings: ['x509.expired'] },
    }),
    above(
      'x509.expired',
      'expired-in-between',
      'The record names the root; the intermediate below has expired.',
      [leaf(), expiredIssuer, root()],
      root(),
    ),
    above(
      'x509.not-yet-valid',
      'leaf-not-yet-valid',
      'The leaf is not valid yet.',
      [leafWith({ notBefore: secondsFrom(at, 1) }), intermediate()],
      intermediate(),
    ),
    above(
      'x509.issuer-not-ca',
      'not-ca',
      'The record names a certificate that signed the leaf, and is no CA.',
      [leafWith({ issuer: notCa }), notCa],
      notCa,
    ),
    above(
      'x509.issuer-not-ca',
      'not-ca-in-between',
      'The record names the root; a certificate in between is no CA.',
      [leafWith({ issuer: notCa }), notCa, intermediate(), root()],
      root(),
    ),
    above(
      'x509.name-constraints',
      'constraints',
      'The intermediate that the record names permits other names only.',
      [leafWith({ issuer: narrow }), narrow],
      narrow,
    ),
    above(
      'x509.path-length',
      'path-length',
      'The intermediate that the record names allows none below it, and there is one.',
      [leafWith({ issuer: belowShort }), belowShort, shortUpper],
      shortUpper,
    ),
    above(
      'x509.bad-signature',
      'bad-signature',
      'The leaf names the issuer that the record names, which never signed it.',
      [forged, intermediate()],
      intermediate(),
    ),
    above(
      'x509.extended-key-usage',
      'client-only',
      'The leaf is for clients only.',
      [leafWith({ extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth']) } }), intermediate()],
      intermediate(),
    ),
    above(
      'x509.leaf-key-usage',
      'signs-certificates',
      'The key of the leaf may sign certificates and nothing else.',
      [leafWith({ extensions: { keyUsage: keyUsage(['keyCertSign', 'cRLSign']) } }), intermediate()],
      intermediate(),
    ),
    above(
      'x509.unknown-critical-extension',
      'unknown-critical',
      'The leaf has a critical extension that nobody knows.',
      [leafWith({ more: [unknownExtension('critical')] }), intermediate()],
      intermediate(),
    ),
    (() => {
      const issuer = intermediateWith({ key: keyOf('intermediate', 'rsa-2048') })
      return above(
        'x509.weak-signature',
        'weak-signature',
        'The leaf is signed with SHA-1.',
        [leafWith({ issuer, signature: 'rsa-sha1' }), issuer],
        issuer,
      )
    })(),
    dane('dane.roots-ignored', 'RFC 7672 §3.1.3', {
      id: 'dane-roots-do-not-help',
      says: 'The chain leads to a trusted root, and no record names anything in it.',
      chain: [leaf(), intermediate(), root()],
      roots: [root()],
      tlsa: [tlsa(2, 1, 1, stranger())],
      mail: refused('dane.no-match'),
    }),
    dane('dane.roots-ignored', 'RFC 7672 §3.1.3', {
      id: 'dane-roots-not-needed',
      says: 'The record names the intermediate, and the root is not among those trusted.',
      chain: [leaf(), intermediate()],
      roots: [stranger()],
      tlsa: [tlsa(2, 1, 1, intermediate())],
      mail: byAnchorRecord(0, 1),
    }),
  ]
}

/** The certificate of the key that the record holds was sent, and may not do what the key is wanted for. */
function sentKeys(): readonly CertificateCase[] {
  const sent = (
    rule: 'x509.issuer-not-ca' | 'x509.name-constraints' | 'x509.extended-key-usage',
    id: string,
    says: string,
    extensions: NonNullable<Recipe['extensions']>,
  ): CertificateCase => {
    const issuer = intermediateWith({ extensions })
    return dane(rule, 'RFC 7671 §5.2.3', {
      id: `dane-key-of-${id}`,
      says,
      chain: [leafWith({ issuer }), issuer],
      tlsa: [tlsa(2, 1, 0, issuer)],
      mail: refused(rule),
    })
  }
  return [
    sent(
      'x509.issuer-not-ca',
      'no-authority',
      'The key that the record holds is that of a certificate that was sent and is no authority.',
      { basicConstraints: null, keyUsage: null },
    ),
    sent(
      'x509.name-constraints',
      'constrained-certificate',
      'The key that the record holds is that of an intermediate that was sent and excludes the name of the leaf.',
      { nameConstraints: nameConstraints(null, [generalName('dns', 'example.com')]) },
    ),
    sent(
      'x509.extended-key-usage',
      'code-signer',
      'The key that the record holds is that of an intermediate that was sent and is for signing code.',
      { extendedKeyUsage: extendedKeyUsage(['codeSigning']) },
    ),
  ]
}

/** `2 1 0`: a key without a certificate (RFC 7671 §5.2.3). */
function bareKeys(): readonly CertificateCase[] {
  const direct = leafWith({ issuer: root() })
  const selfSigned = makeLeaf({ key: keyOf('self-signed') })
  const forged = leafWith({ signer: keyOf('impostor') })
  const lessThanRoot = (
    id: string,
    says: string,
    chain: readonly Made[],
    anchor: Made,
    mail: Expectation,
  ): CertificateCase =>
    dane(null, 'RFC 7671 §5.2.3', { id: `dane-key-${id}`, says, chain, tlsa: [tlsa(2, 1, 0, anchor)], mail })
  return [
    lessThanRoot(
      'signed-leaf',
      'The key that the record holds signed the leaf, which was sent alone.',
      [leaf()],
      intermediate(),
      byAnchorRecord(0, 0),
    ),
    lessThanRoot(
      'signed-leaf-by-root',
      "The key that the record holds is the root's, which signed the leaf itself.",
      [direct],
      root(),
      byAnchorRecord(0, 0),
    ),
    lessThanRoot(
      'signed-intermediate',
      'The key that the record holds signed the intermediate.',
      [leaf(), intermediate()],
      root(),
      byAnchorRecord(0, 1),
    ),
    lessThanRoot(
      'of-sent-intermediate',
      'The key that the record holds is that of the intermediate, which was sent.',
      [leaf(), intermediate()],
      intermediate(),
      byAnchorRecord(0, 1),
    ),
    lessThanRoot(
      'of-sent-root',
      'The key that the record holds is that of the root, which was sent.',
      [leaf(), intermediate(), root()],
      root(),
      byAnchorRecord(0, 2),
    ),
    lessThanRoot(
      'signed-nothing',
      'The key that the record holds signed nothing in the chain.',
      [leaf(), intermediate()],
      stranger(),
      refused(),
    ),
    lessThanRoot(
      'own-key-of-leaf',
      'The key that the record holds is that of the leaf, which somebody else signed.',
      [leaf(), intermediate()],
      leaf(),
      refused('dane.no-match'),
    ),
    lessThanRoot(
      'self-signed-leaf',
      'The key that the record holds is that of the leaf, and signed it.',
      [selfSigned],
      selfSigned,
      byAnchorRecord(0, 0),
    ),
    lessThanRoot(
      'forged-leaf',
      'The leaf names the issuer whose key the record holds; another key signed it.',
      [forged],
      intermediate(),
      refused(),
    ),
    dane('x509.expired', 'RFC 7671 §5.2.3', {
      id: 'dane-key-leaf-expired',
      says: 'The key that the record holds signed the leaf, which has expired.',
      chain: [leafWith({ notAfter: secondsFrom(at, -1) })],
      tlsa: [tlsa(2, 1, 0, intermediate())],
      mail: refused('x509.expired'),
    }),
    dane('x509.name-mismatch', 'RFC 7671 §5.2.3', {
      id: 'dane-key-wrong-name',
      says: 'The key that the record holds signed the leaf, which has another name.',
      chain: [leafWith({ names: ['other.example.net'] })],
      tlsa: [tlsa(2, 1, 0, intermediate())],
      mail: refused('x509.name-mismatch'),
    }),
    ...sentKeys(),
    dane(null, 'RFC 7671 §5.2.3', {
      id: 'dane-key-of-renamed-certificate',
      says: 'The key that the record holds signed the leaf; a certificate with it was sent under a name that the leaf does not have for its issuer.',
      chain: [leaf(), makeAuthority({ subject: 'CN=Test Renamed', key: keyOf('intermediate') })],
      tlsa: [tlsa(2, 1, 0, intermediate())],
      mail: byAnchorRecord(0, 0),
    }),
    dane(null, 'RFC 7671 §5.2.3', {
      id: 'dane-key-of-expired-certificate',
      says: 'The key that the record holds is that of an intermediate that was sent and has expired: the record vouches for it.',
      chain: [leaf(), intermediateWith({ notAfter: secondsFrom(at, -1) })],
      tlsa: [tlsa(2, 1, 0, intermediate())],
      mail: byAnchorRecord(0, 1),
    }),
  ]
}

/** Names count under usage 2 (RFC 7672 §3.2.3). */
function names(): readonly CertificateCase[] {
  const under = (
    id: string,
    says: string,
    recipe: Parameters<typeof leafWith>[0],
    asked: readonly string[],
    mail: Expectation,
    strict?: Expectation,
  ): CertificateCase =>
    dane('x509.name-mismatch', 'RFC 7672 §3.2.3', {
      id: `dane-name-${id}`,
      says,
      chain: [leafWith(recipe), intermediate()],
      names: asked,
      tlsa: [tlsa(2, 1, 1, intermediate())],
      mail,
      ...(strict === undefined ? {} : { strict }),
    })
  const good = byAnchorRecord(0, 1)
  const wrong = refused('x509.name-mismatch')
  const noSan: Recipe['extensions'] = { subjectAltName: null }
  const hosts = ['mx.example.com']
  const mailOnly = { subjectAltName: rawSubjectAltName([generalName('email', 'postmaster@example.com')]) }
  const narrow = intermediateWith({
    extensions: { nameConstraints: nameConstraints([generalName('dns', 'example.net')]) },
  })
  return [
    under('right', 'The leaf has the name of the MX host.', {}, hosts, good),
    under('wrong', 'The leaf has another name.', { names: ['other.example.net'] }, hosts, wrong),
    under(
      'next-hop',
      'The leaf has the name of the next hop, which is asked for as well.',
      { names: ['example.com'] },
      ['mx.example.com', 'example.com'],
      good,
    ),
    under('wildcard', 'The leaf has a wildcard over the name.', { names: ['*.example.com'] }, hosts, good),
    under(
      'wildcard-partial',
      'The leaf has a wildcard within a label.',
      { names: ['m*.example.com'], subject: 'O=Test Server' },
      hosts,
      wrong,
      refused(),
    ),
    under(
      'cn-beside-names',
      'The common name fits, and subjectAltName has another host: the common name does not count.',
      { subject: 'CN=mx.example.com', names: ['other.example.net'] },
      hosts,
      wrong,
      refused(),
    ),
    under(
      'cn-only',
      'The common name fits, and there is no subjectAltName: the common name counts.',
      { extensions: noSan },
      hosts,
      byAnchorRecord(0, 1, ['x509.no-san']),
      refused('x509.no-san'),
    ),
    under(
      'cn-only-wrong',
      'The common name does not fit, and there is no subjectAltName.',
      { subject: 'CN=other.example.net', extensions: noSan },
      hosts,
      wrong,
      refused(),
    ),
    under(
      'cn-beside-mail-address',
      'The common name fits, and subjectAltName has an e-mail address only: the common name counts.',
      { extensions: mailOnly },
      hosts,
      good,
    ),
    under(
      'cn-nul',
      'The common name fits up to the octet NUL.',
      { subject: 'CN=mx.example.com\0.example.net', extensions: noSan },
      hosts,
      wrong,
      refused(),
    ),
    under(
      'none',
      'The leaf has no name at all.',
      { subject: sequence(), extensions: noSan },
      hosts,
      wrong,
      refused(),
    ),
    under(
      'address',
      'The leaf has the address that was asked for: TLSA records belong to names.',
      { names: ['192.0.2.1'], subject: 'O=Test Server' },
      ['192.0.2.1'],
      wrong,
    ),
    under(
      'address-as-cn',
      'The common name is the address that was asked for.',
      { subject: 'CN=192.0.2.1', extensions: noSan },
      ['192.0.2.1'],
      wrong,
      refused(),
    ),
    dane('x509.old-version', 'RFC 7672 §3.2.3', {
      id: 'dane-name-version-1',
      says: 'The leaf is of version 1, without extensions: the common name counts.',
      chain: [leafWith({ version: null, onlyExtensions: [] }), intermediate()],
      tlsa: [tlsa(2, 1, 1, intermediate())],
      mail: byAnchorRecord(0, 1, ['x509.old-version']),
      strict: refused(),
    }),
    dane('x509.name-constraints', 'RFC 7672 §3.2.3', {
      id: 'dane-name-cn-against-constraints',
      says: 'The common name stands in for a host name, and the issuer does not permit such hosts.',
      chain: [leafWith({ issuer: narrow, extensions: noSan }), narrow],
      tlsa: [tlsa(2, 1, 1, narrow)],
      mail: refused('x509.name-constraints'),
      strict: refused(),
    }),
  ]
}

/** Records that say nothing a client of mail can use (RFC 7672 §2.2, §3.1.3). */
function unusableRecords(): readonly CertificateCase[] {
  const of = (usage: number, selector: number, type: number, data: string): string =>
    `${usage} ${selector} ${type} ${data}`
  const digest = tlsa(3, 1, 1, leaf()).split(' ')[3] ?? ''
  const sorts: readonly (readonly [string, string, string])[] = [
    ['usage-0', 'of usage 0, which means public authorities', tlsa(0, 1, 1, intermediate())],
    ['usage-1', 'of usage 1, which means public authorities', tlsa(1, 1, 1, leaf())],
    ['usage-4', 'of a usage that nobody knows', of(4, 1, 1, digest)],
    ['usage-255', 'of a private usage', of(255, 1, 1, digest)],
    ['selector-2', 'with a selector that nobody knows', of(3, 2, 1, digest)],
    ['selector-255', 'with a private selector', of(3, 255, 1, digest)],
    ['matching-type-3', 'with a matching type that nobody knows', of(3, 1, 3, digest)],
    ['matching-type-255', 'with a private matching type', of(3, 1, 255, digest)],
    ['sha-256-short', 'whose SHA-256 digest has 31 octets', of(3, 1, 1, digest.slice(2))],
    ['sha-256-long', 'whose SHA-256 digest has 33 octets', of(3, 1, 1, `${digest}00`)],
    ['sha-512-short', 'whose SHA-512 digest has 32 octets', of(3, 1, 2, digest)],
    ['certificate-unreadable', 'that should hold a certificate, and holds none', of(2, 0, 0, digest)],
    ['key-unreadable', 'that should hold a key, and holds none', of(2, 1, 0, digest)],
    [
      'certificate-cut',
      'that holds a certificate whose last octet is missing',
      tlsa(2, 0, 0, intermediate()).slice(0, -2),
    ],
  ]
  const chain = [leaf(), intermediate()]
  return [
    ...sorts.map(([id, what, text]) =>
      dane('dane.all-unusable', 'RFC 7672 §2.2', {
        id: `dane-unusable-${id}`,
        says: `The only record is one ${what}: TLS is owed, and nothing of the peer.`,
        chain,
        tlsa: [text],
        mail: { verdict: 'encrypt-only' },
      }),
    ),
    dane('dane.all-unusable', 'RFC 7672 §2.2', {
      id: 'dane-unusable-all',
      says: 'Many records, and each is unusable in its own way.',
      chain,
      tlsa: sorts.map(([, , text]) => text),
      mail: { verdict: 'encrypt-only' },
    }),
    dane('dane.all-unusable', 'RFC 7672 §2.2', {
      id: 'dane-unusable-and-chain-bad',
      says: 'All records are unusable, and the chain is no good: nothing is owed but TLS.',
      chain: [leafWith({ notAfter: secondsFrom(at, -1), names: ['other.example.net'] })],
      tlsa: [tlsa(1, 1, 1, leaf())],
      mail: { verdict: 'encrypt-only' },
    }),
    dane('dane.record-unusable', 'RFC 7671 §4', {
      id: 'dane-unusable-beside-right',
      says: 'Unusable records stand before one that names the leaf.',
      chain,
      tlsa: [...sorts.map(([, , text]) => text), tlsa(3, 1, 1, leaf())],
      mail: byLeafRecord(sorts.length, ['dane.record-unusable']),
    }),
    dane('dane.record-unusable', 'RFC 7672 §2.2', {
      id: 'dane-unusable-beside-wrong',
      says: 'An unusable record that would fit stands beside a usable one that names nothing here.',
      chain,
      tlsa: [tlsa(1, 1, 1, leaf()), tlsa(3, 1, 1, stranger())],
      mail: refused('dane.no-match'),
    }),
  ]
}

/** Of digests of one usage and selector only the strongest counts (RFC 7671 §9). */
function shadowedRecords(): readonly CertificateCase[] {
  const chain = [leaf(), intermediate()]
  const row = (id: string, says: string, records: readonly string[], mail: Expectation): CertificateCase =>
    dane('dane.record-shadowed', 'RFC 7671 §9', { id: `dane-shadow-${id}`, says, chain, tlsa: records, mail })
  const [weak, strong] = [tlsa(3, 1, 1, leaf()), tlsa(3, 1, 2, leaf())]
  const strangers = tlsa(3, 1, 2, stranger())
  const cut = strangers.slice(0, -2)
  return [
    row(
      'weak-right-strong-wrong',
      'The SHA-256 record fits, the SHA-512 record beside it does not: only the stronger counts.',
      [weak, strangers],
      refused('dane.no-match'),
    ),
    row(
      'weak-wrong-strong-right',
      'The SHA-512 record fits, the SHA-256 record beside it does not.',
      [tlsa(3, 1, 1, stranger()), strong],
      byLeafRecord(1, ['dane.record-shadowed']),
    ),
    row(
      'both-right',
      'Both digests name the leaf: the stronger decides.',
      [weak, strong],
      byLeafRecord(1, ['dane.record-shadowed']),
    ),
    row(
      'other-selector',
      'A stronger digest with the other selector shadows nothing.',
      [weak, tlsa(3, 0, 2, stranger())],
      byLeafRecord(0),
    ),
    row(
      'other-usage',
      'A stronger digest of the other usage shadows nothing.',
      [weak, tlsa(2, 1, 2, stranger())],
      byLeafRecord(0),
    ),
    row('whole-wrong', 'Matching type 0 shadows nothing.', [weak, tlsa(3, 1, 0, stranger())], byLeafRecord(0)),
    row('whole-right', 'Matching type 0 is never shadowed.', [tlsa(3, 1, 0, leaf()), strangers], byLeafRecord(0)),
    row(
      'by-unusable',
      'A stronger digest that is unusable shadows nothing.',
      [weak, cut],
      byLeafRecord(0, ['dane.record-unusable']),
    ),
    row(
      'by-unknown',
      'A matching type that nobody knows shadows nothing.',
      [weak, '3 1 3 00'],
      byLeafRecord(0, ['dane.record-unusable']),
    ),
    row(
      'issuer-weak-right-strong-wrong',
      'The SHA-256 record names the intermediate, the SHA-512 record beside it does not fit.',
      [tlsa(2, 1, 1, intermediate()), tlsa(2, 1, 2, stranger())],
      refused('dane.no-match'),
    ),
    row(
      'all-shadowed-but-one-usage-left',
      'The SHA-256 record of the leaf is shadowed; a record of usage 2 still names the intermediate.',
      [weak, strangers, tlsa(2, 1, 1, intermediate())],
      byAnchorRecord(2, 1),
    ),
  ]
}

/** Which of several records decides. */
function severalRecords(): readonly CertificateCase[] {
  const all = [leaf(), intermediate(), root()]
  const row = (
    id: string,
    says: string,
    records: readonly string[],
    mail: Expectation,
    chain: readonly Made[] = all,
  ): CertificateCase => dane(null, 'RFC 7671 §5', { id: `dane-several-${id}`, says, chain, tlsa: records, mail })
  const other = leafWith({ names: ['other.example.net'] })
  const expired = leafWith({ notAfter: secondsFrom(at, -1) })
  return [
    row(
      'leaf-before-issuer',
      'A record of usage 2 and one of usage 3 fit: usage 3 decides.',
      [tlsa(2, 1, 1, intermediate()), tlsa(3, 1, 1, leaf())],
      byLeafRecord(1),
    ),
    row(
      'least-depth',
      'Records name the root and the intermediate: the least depth decides.',
      [tlsa(2, 1, 1, root()), tlsa(2, 1, 1, intermediate())],
      byAnchorRecord(1, 1),
    ),
    row(
      'lowest-index',
      'Two records name the same certificate in two ways: the first decides.',
      [tlsa(2, 1, 1, stranger()), tlsa(2, 0, 1, intermediate()), tlsa(2, 1, 1, intermediate())],
      byAnchorRecord(1, 1),
    ),
    row(
      'one-of-many',
      'Twenty records name strangers, and the last the leaf.',
      [
        ...Array.from({ length: 20 }, (_, index) => tlsa(3, 1, 1, leafWith({ key: keyOf(`stranger ${index}`) }))),
        tlsa(3, 1, 1, leaf()),
      ],
      byLeafRecord(20),
    ),
    row(
      'wrong-name-but-leaf-named',
      'The name is wrong for the record of usage 2, and the record of usage 3 asks for none.',
      [tlsa(2, 1, 1, intermediate()), tlsa(3, 1, 1, other)],
      byLeafRecord(1),
      [other, intermediate()],
    ),
    row(
      'expired-but-leaf-named',
      'The leaf has expired for the record of usage 2, and the record of usage 3 asks for no dates.',
      [tlsa(2, 1, 1, intermediate()), tlsa(3, 1, 1, expired)],
      byLeafRecord(1),
      [expired, intermediate()],
    ),
    row(
      'same-record-twice',
      'The same record was published twice.',
      [tlsa(3, 1, 1, leaf()), tlsa(3, 1, 1, leaf())],
      byLeafRecord(0),
    ),
  ]
}

/** Nine records `2 1 1`, of which one names the intermediate; the common name of the leaf is another of its many names. */
function nineRecords(): readonly CertificateCase[] {
  const issuer = intermediateWith({
    key: keyOf('intermediate', 'rsa-2048'),
    subject: 'C=US, O=Example Encrypt, CN=R3',
  })
  const hosts = [
    'mail.example.com',
    'mx01.example.com',
    'mx02.example.com',
    'mx06.example.com',
    'smtp.example.com',
  ]
  const served = (usages: Parameters<typeof keyUsage>[0]): Made =>
    leafWith({ issuer, key: keyOf('leaf', 'rsa-2048'), names: hosts, extensions: { keyUsage: keyUsage(usages) } })
  const records = Array.from({ length: 9 }, (_, index) =>
    tlsa(2, 1, 1, index === 7 ? issuer : intermediateWith({ key: keyOf(`authority ${index}`) })),
  )
  const row = (
    id: string,
    says: string,
    rule: CertificateCase['rule'],
    chain: readonly Made[],
    mail: Expectation,
  ): CertificateCase =>
    dane(rule, 'RFC 7672 §3.1.2', {
      id: `dane-nine-${id}`,
      says,
      chain,
      names: ['mx06.example.com', 'example.com'],
      tlsa: records,
      mail,
    })
  return [
    row(
      'one-match',
      'Of nine records the eighth names the intermediate.',
      null,
      [served(['digitalSignature', 'keyEncipherment']), issuer],
      byAnchorRecord(7, 1),
    ),
    row(
      'encipherment-only',
      'Of nine records the eighth names the intermediate; the key of the leaf may decrypt, and not sign.',
      'x509.key-usage-no-signature',
      [served(['keyEncipherment']), issuer],
      byAnchorRecord(7, 1, ['x509.key-usage-no-signature']),
    ),
    row(
      'intermediate-missing',
      'Of nine records the eighth names the intermediate, which was not sent.',
      'dane.issuer-not-sent',
      [served(['digitalSignature'])],
      refused('dane.no-match'),
    ),
  ]
}

function brokenChains(): readonly CertificateCase[] {
  const garbage = pemOf(Buffer.from('no certificate'))
  return [
    dane('x509.malformed', 'RFC 7671 §5.1', {
      id: 'dane-malformed-beside-leaf',
      says: 'The second block is no certificate; the record names the leaf, and needs no other.',
      chain: [leaf(), garbage],
      tlsa: [tlsa(3, 1, 1, leaf())],
      mail: byLeafRecord(0, ['x509.malformed']),
    }),
    dane('x509.malformed', 'RFC 7671 §5.2', {
      id: 'dane-malformed-leaf',
      says: 'The first block is no certificate.',
      chain: [garbage, intermediate()],
      leaf: leaf(),
      tlsa: [tlsa(2, 1, 1, intermediate())],
      mail: refused('x509.malformed'),
    }),
    dane('x509.malformed', 'RFC 7671 §5.2', {
      id: 'dane-malformed-issuer',
      says: 'The record names the intermediate, whose block was cut short.',
      chain: [leaf(), pemOf(intermediate().der.subarray(0, -1))],
      tlsa: [tlsa(2, 1, 1, intermediate())],
      mail: refused(),
    }),
  ]
}

type Draft = Omit<DaneDraft, 'rule' | 'spec'>

function dane(rule: CertificateCase['rule'], spec: string, draft: Draft): CertificateCase {
  return daneCase({ roots: [], ...draft, rule, spec })
}

/** An authority that has nothing to do with the others. */
function stranger(): Made {
  strangerMade ??= rootWith({ subject: 'CN=A Stranger', key: keyOf('stranger') })
  return strangerMade
}

let strangerMade: Made | undefined

const selectors = [0, 1] as const
const matchingTypes = [0, 1, 2] as const
