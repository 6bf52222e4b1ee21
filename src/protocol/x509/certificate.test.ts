import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { expect, test } from 'vitest'
import { createAuthority } from '../../system/certificate-maker.ts'
import { maxCertificateBytes, parseCertificate, parseCounted } from './certificate.ts'
import { nameText } from './distinguished-name.ts'
import type { Certificate } from './model.ts'
import { readChain } from './pem.ts'
import { keyText } from './public-key.ts'
import {
  bitString,
  certificate as build,
  commonName,
  ed25519Key,
  element,
  extension,
  hex,
  implicit,
  integer,
  name,
  no,
  octetString,
  oid,
  type Parts,
  rsaKey,
  sequence,
  set,
  tagged,
  text,
  utf8,
  yes,
} from './testing/der.ts'

test('a chain is read certificate by certificate, without a fault', async () => {
  const root = await createAuthority({ commonName: 'Root' })
  const leaf = await (await root.intermediate({ commonName: 'Middle', pathLength: 0 })).leaf({
    names: ['mx.example.org', '*.example.org', '192.0.2.1'],
  })
  const [first, second, ...rest] = readChain(leaf.chain).map(certificateOf)
  if (first === undefined) throw new Error('no certificate')
  expect(rest).toEqual([])
  expect(nameText(first.subject)).toBe('CN=mx.example.org')
  expect(nameText(first.issuer)).toBe('CN=Middle')
  expect(first.alternativeNames).toEqual([
    { type: 'dns', value: 'mx.example.org' },
    { type: 'dns', value: '*.example.org' },
    { type: 'ip', value: new Uint8Array([192, 0, 2, 1]) },
  ])
  expect([...(first.keyUsage ?? [])]).toEqual(['digitalSignature'])
  expect(first.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(keyText(first.publicKey.facts)).toBe('EC P-256')
  expect(second?.basicConstraints).toEqual({ isCa: true, pathLength: 0 })
  expect([first.faults, second?.faults]).toEqual([[], []])
})

test('the roots that Node trusts are read as Node reads them', () => {
  const faults = new Set<string>()
  for (const pem of rootCertificates) {
    const [read] = readChain(pem).map(certificateOf)
    if (read === undefined) throw new Error('no certificate')
    const node = new X509Certificate(read.der)
    expect(read.notBeforeMs).toBe(node.validFromDate.getTime())
    expect(read.notAfterMs).toBe(node.validToDate.getTime())
    expect(Buffer.from(read.publicKey.spki)).toEqual(node.publicKey.export({ type: 'spki', format: 'der' }))
    for (const fault of read.faults) faults.add(`${fault.reason}: ${fault.detail}`)
  }
  // Some of 2006 to 2015 have it; one of 2011 writes its dates as from 2050 on.
  expect([...faults].map(fault => fault.replace(/ at octet \d+$/, ''))).toEqual([
    'x509.serial-number: the serial number is zero',
    'x509.encoding: notBefore is before 2050, and no UTCTime',
    'x509.encoding: notAfter is before 2050, and no UTCTime',
  ])
})

test('what was read refers to the octets given, and copies nothing', () => {
  const der = build()
  const read = certificateOf(parseCertificate(der))
  for (const part of [read.der, read.tbs, read.publicKey.spki, read.subject.der, read.signature, read.serial])
    expect([part.buffer, part.constructor]).toEqual([der.buffer, Uint8Array])
  expect(Buffer.from(read.der)).toEqual(der)
})

test('every extension is kept, known or not', () => {
  const unknown = extension('1.2.3.4', hex('ffff'), yes)
  const read = certificateOf(parseCertificate(build({ extensions: [unknown, san(implicit(2, 'mx.example'))] })))
  expect(read.extensions.map(({ oid: id, critical }) => [id, critical])).toEqual([
    ['1.2.3.4', true],
    ['2.5.29.17', false],
  ])
  expect(read.extensions[0]?.value).toEqual(new Uint8Array([0xff, 0xff]))
  expect(read.faults).toEqual([])
})

test.each<readonly [what: string, usage: Buffer, usages: readonly string[]]>([
  ['the first bit', bitString(7, hex('80')), ['digitalSignature']],
  ['the ninth bit', bitString(7, hex('0080')), ['decipherOnly']],
  ['bits of an authority', bitString(1, hex('06')), ['keyCertSign', 'cRLSign']],
  ['a bit without a name', bitString(6, hex('8040')), ['digitalSignature']],
])('a key usage of %s is read', (_, usage, usages) => {
  const read = certificateOf(parseCertificate(build({ extensions: [extension('2.5.29.15', usage, yes)] })))
  expect([...(read.keyUsage ?? [])]).toEqual(usages)
})

test('every kind of alternative name is read', () => {
  const directory = commonName('Someone')
  const names = [
    tagged(0, oid('1.2.3'), tagged(0, utf8('x'))),
    implicit(1, 'post@example.org'),
    implicit(2, 'example.org'),
    tagged(3, sequence()),
    tagged(4, directory),
    tagged(5, tagged(1, utf8('x'))),
    implicit(6, 'https://example.org/'),
    implicit(7, hex('20010db8000000000000000000000001')),
    implicit(8, hex('2a03')),
  ]
  const read = certificateOf(parseCertificate(build({ extensions: [san(...names)] })))
  expect(read.faults).toEqual([])
  expect(read.alternativeNames).toMatchObject([
    { type: 'other', tag: 0 },
    { type: 'email', value: 'post@example.org' },
    { type: 'dns', value: 'example.org' },
    { type: 'other', tag: 3 },
    { type: 'directory', value: { der: new Uint8Array(directory) } },
    { type: 'other', tag: 5 },
    { type: 'uri', value: 'https://example.org/' },
    { type: 'ip' },
    { type: 'other', tag: 8 },
  ])
})

test('name constraints are read, permitted and excluded', () => {
  const value = sequence(
    tagged(0, sequence(implicit(2, 'example.org')), sequence(implicit(7, hex('c0000200ffffff00')))),
    tagged(1, sequence(tagged(4, commonName('x')))),
  )
  const read = certificateOf(parseCertificate(build({ extensions: [extension('2.5.29.30', value, yes)] })))
  expect(read.faults).toEqual([])
  expect(read.nameConstraints).toEqual({
    permitted: [
      { type: 'dns', value: 'example.org' },
      { type: 'ip', value: new Uint8Array(hex('c0000200ffffff00')) },
    ],
    excluded: [{ type: 'directory', value: { der: new Uint8Array(commonName('x')) } }],
  })
})

const aki = (...contents: readonly Uint8Array[]) => extension('2.5.29.35', sequence(...contents))
const ca = (...contents: readonly Uint8Array[]) => extension('2.5.29.19', sequence(...contents), yes)
const constraints = (...contents: readonly Uint8Array[]) => extension('2.5.29.30', sequence(...contents), yes)

/** Faults of issuance, and what refuses without being broken. */
const faulty: readonly (readonly [what: string, parts: Partial<Parts>, reasons: readonly string[]])[] = [
  ['nothing wrong', {}, []],
  ['no extensions', { extensions: [] }, []],
  ['serial number 0', { serial: integer(0) }, ['x509.serial-number']],
  ['a negative serial number', { serial: hex('0201ff') }, ['x509.serial-number']],
  ['a serial number of 20 octets', { serial: element(2, Buffer.alloc(20, 1)) }, []],
  ['a serial number of 21 octets', { serial: element(2, Buffer.alloc(21, 1)) }, ['x509.serial-number']],
  ['version 1', { version: none(), extensions: [] }, ['x509.old-version']],
  ['version 2', { version: tagged(0, integer(1)), extensions: [] }, ['x509.old-version']],
  ['unique identifiers', { uniqueIds: Buffer.concat([implicit(1, hex('0001')), implicit(2, hex('0001'))]) }, []],
  ['another inner algorithm', { innerAlgorithm: sequence(oid('1.3.101.113')) }, ['x509.algorithm-mismatch']],
  [
    'an inner algorithm with NULL',
    { innerAlgorithm: sequence(oid('1.3.101.112'), hex('0500')) },
    ['x509.algorithm-mismatch'],
  ],
  ['RSA 1023', { key: rsaKey(1023) }, ['x509.key-too-weak', 'x509.key-size-odd']],
  ['RSA 1024', { key: rsaKey(1024) }, ['x509.key-short']],
  ['RSA 2047', { key: rsaKey(2047) }, ['x509.key-short', 'x509.key-size-odd']],
  ['RSA 2048', { key: rsaKey(2048) }, []],
  ['RSA 16384', { key: rsaKey(16_384) }, []],
  ['RSA 16385', { key: rsaKey(16_385) }, ['x509.unsupported-algorithm']],
  ['an even exponent', { key: rsaKey(2048, 65_536) }, ['x509.unsupported-algorithm']],
  [
    'a DSA key',
    { key: sequence(sequence(oid('1.2.840.10040.4.1')), bitString(0)) },
    ['x509.unsupported-algorithm'],
  ],
  [
    'a critical SKI',
    { extensions: [extension('2.5.29.14', octetString(hex('01')), yes)] },
    ['x509.key-id-critical'],
  ],
  ['a critical AKI', { extensions: [extension('2.5.29.35', sequence(), yes)] }, ['x509.key-id-critical']],
  [
    'an AKI with issuer and serial number',
    { extensions: [aki(implicit(0, 'id'), tagged(1, tagged(4, commonName('x'))), implicit(2, hex('01')))] },
    ['x509.aki-issuer'],
  ],
  ['an authority', { extensions: [ca(yes, integer(3))] }, []],
  [
    'an authority whose basicConstraints is not critical',
    { extensions: [extension('2.5.29.19', sequence(yes))] },
    ['x509.basic-constraints-not-critical'],
  ],
  ['no authority, not critical', { extensions: [extension('2.5.29.19', sequence())] }, []],
  ['no subject, and a SAN not critical', { subject: sequence() }, ['x509.san-not-critical']],
  [
    'no subject, and a critical SAN',
    { subject: sequence(), extensions: [extension('2.5.29.17', sequence(implicit(2, 'a')), yes)] },
    [],
  ],
  [
    'name constraints not critical',
    { extensions: [extension('2.5.29.30', sequence(tagged(0, sequence(implicit(2, 'a')))))] },
    ['x509.name-constraints-not-critical'],
  ],
  ['name constraints without any', { extensions: [constraints()] }, ['x509.name-constraints-empty']],
  [
    'a constraint that is no domain',
    { extensions: [constraints(tagged(0, sequence(implicit(2, '*.a'))))] },
    ['x509.malformed-name'],
  ],
  [
    'a constraint with a leading dot',
    {
      extensions: [constraints(tagged(0, sequence(implicit(2, '.a'))), tagged(1, sequence(implicit(2, '.a.b'))))],
    },
    ['x509.malformed-name', 'x509.malformed-name'],
  ],
  ['an alternative name that is none', { extensions: [san(implicit(2, 'a..b'))] }, ['x509.malformed-name']],
  [
    'policy constraints not critical',
    { extensions: [extension('2.5.29.36', sequence(implicit(0, hex('00'))))] },
    ['x509.policy-constraints-not-critical'],
  ],
  ['policy constraints', { extensions: [extension('2.5.29.36', sequence(implicit(0, hex('00'))), yes)] }, []],
]

const uri = (value: string) => implicit(6, value)
const asideOids = {
  access: '1.3.6.1.5.5.7.1.1',
  points: '2.5.29.31',
  timestamps: '1.3.6.1.4.1.11129.2.4.2',
} as const
const description = sequence(oid('1.3.6.1.5.5.7.48.1'), uri('http://ocsp.example'))

/** Extensions that nothing depends on: the problem that is told, or null. */
const asides: readonly (readonly [
  what: string,
  oid: keyof typeof asideOids,
  value: Uint8Array,
  problem: string | null,
])[] = [
  ['one description', 'access', sequence(description), null],
  ['two descriptions', 'access', sequence(description, sequence(oid('1.2.3'), implicit(2, 'a'))), null],
  ['text in place of DER', 'access', Buffer.from('malformed'), 'an element is longer'],
  ['no description', 'access', sequence(), 'authorityInfoAccess is empty'],
  ['a description without location', 'access', sequence(sequence(oid('1.2.3'))), 'an element is missing'],
  ['a description with more', 'access', sequence(sequence(oid('1.2.3'), uri('a'), uri('b'))), 'something follows'],
  [
    'something behind the list',
    'access',
    Buffer.concat([sequence(description), hex('0500')]),
    'something follows',
  ],
  ['a point with a name', 'points', sequence(sequence(tagged(0, tagged(0, uri('http://crl.example'))))), null],
  ['a point relative to the issuer', 'points', sequence(sequence(tagged(0, tagged(1, sequence())))), null],
  [
    'a point with reasons and an issuer',
    'points',
    sequence(
      sequence(tagged(0, tagged(0, uri('a'))), implicit(1, hex('0106')), tagged(2, tagged(4, commonName('x')))),
    ),
    null,
  ],
  ['two points', 'points', sequence(sequence(), sequence()), null],
  ['no point', 'points', sequence(), 'cRLDistributionPoints is empty'],
  ['text in place of DER', 'points', Buffer.from('malformed'), 'an element is longer'],
  ['a point that is none', 'points', sequence(hex('0500')), 'a distribution point is missing'],
  ['a point without a name in its place', 'points', sequence(sequence(tagged(0))), 'name of a distribution point'],
  ['an issuer that is none', 'points', sequence(sequence(tagged(2))), 'cRLIssuer is empty'],
  ['a point with more', 'points', sequence(sequence(hex('0500'))), 'something follows a distribution point'],
  ['one timestamp', 'timestamps', octetString(hex('0003 0001 aa')), null],
  ['two timestamps', 'timestamps', octetString(hex('0007 0001 aa 0002 bbcc')), null],
  ['text in place of DER', 'timestamps', Buffer.from('malformed'), 'an element is longer'],
  ['no octets', 'timestamps', octetString(), 'the length of the list'],
  ['no timestamp', 'timestamps', octetString(hex('0000')), 'the length of the list'],
  ['a length that is too small', 'timestamps', octetString(hex('0002 0001 aa')), 'the length of the list'],
  ['an empty timestamp', 'timestamps', octetString(hex('0005 0001 aa 0000')), 'a timestamp is empty, or cut off'],
  [
    'a timestamp that is cut off',
    'timestamps',
    octetString(hex('0003 0002 aa')),
    'a timestamp is empty, or cut off',
  ],
  ['half a length', 'timestamps', octetString(hex('0004 0001 aa 00')), 'a timestamp is empty, or cut off'],
  ['something behind the list', 'timestamps', hex('0405 0003 0001 aa 0500'), 'something follows the list'],
]

test.each(asides)(
  '%s in the extension of %s is read, or told as one that nothing depends on',
  (_, id, value, problem) => {
    const { faults } = certificateOf(parseCertificate(build({ extensions: [extension(asideOids[id], value)] })))
    expect(faults).toEqual(
      problem === null ? [] : [{ reason: 'x509.extension-unreadable', detail: expect.stringContaining(problem) }],
    )
  },
)

/** Not DER, and of one meaning: read, and told. */
const odd: readonly (readonly [what: string, parts: Partial<Parts>, details: readonly string[], read: object])[] =
  [
    [
      'critical FALSE written out',
      { extensions: [extension('1.2.3', hex('0500'), no)] },
      ['critical of extension 1.2.3 is FALSE, and written out'],
      { extensions: [{ critical: false }] },
    ],
    [
      'critical of 01',
      { extensions: [extension('1.2.3', hex('0500'), hex('010101'))] },
      ['critical of extension 1.2.3 is TRUE, and not written as FF'],
      { extensions: [{ critical: true }] },
    ],
    [
      'cA FALSE written out',
      { extensions: [ca(no)] },
      ['cA is FALSE, and written out'],
      { basicConstraints: { isCa: false, pathLength: null } },
    ],
    [
      'cA of 01',
      { extensions: [ca(hex('010101'), integer(1))] },
      ['cA is TRUE, and not written as FF'],
      { basicConstraints: { isCa: true, pathLength: 1 } },
    ],
    [
      'a key usage with zero bits at the end',
      { extensions: [extension('2.5.29.15', bitString(0, hex('a0')), yes)] },
      ['keyUsage ends with zero bits'],
      { keyUsage: new Set(['digitalSignature', 'keyEncipherment']) },
    ],
    [
      'a key usage with a zero octet at the end',
      { extensions: [extension('2.5.29.15', bitString(7, hex('0600')), yes)] },
      ['keyUsage ends with zero bits'],
      { keyUsage: new Set(['keyCertSign', 'cRLSign']) },
    ],
    [
      'a subtree with a minimum of 0 written out',
      { extensions: [constraints(tagged(0, sequence(implicit(2, 'a'), implicit(0, hex('00')))))] },
      ['the minimum of a subtree is 0, and written out'],
      { nameConstraints: { permitted: [{ type: 'dns', value: 'a' }], excluded: [] } },
    ],
    [
      'dates as from 2050 on',
      { validity: sequence(text(0x18, '20260101000000Z'), text(0x18, '20270101000000Z')) },
      ['notBefore is before 2050', 'notAfter is before 2050'],
      { notBeforeMs: Date.UTC(2026, 0), notAfterMs: Date.UTC(2027, 0) },
    ],
    [
      'attributes that are not sorted',
      {
        subject: name([
          ['2.5.4.10', utf8('x')],
          ['2.5.4.3', utf8('x')],
        ]),
      },
      ['the attributes of a relative name are not sorted'],
      {},
    ],
    [
      'three attributes of which two are not sorted',
      {
        subject: name([
          ['2.5.4.3', utf8('x')],
          ['2.5.4.11', utf8('x')],
          ['2.5.4.10', utf8('x')],
        ]),
      },
      ['the attributes of a relative name are not sorted'],
      {},
    ],
  ]

test.each(odd)('a certificate with %s is read, and told', (_, parts, details, values) => {
  const read = certificateOf(parseCertificate(build(parts)))
  expect(read).toMatchObject(values)
  expect(read.faults).toEqual(
    details.map(detail => ({ reason: 'x509.encoding', detail: expect.stringContaining(detail) })),
  )
})

test('version 1 written out is version 1', () => {
  const read = certificateOf(parseCertificate(build({ version: tagged(0, integer(0)), extensions: [] })))
  expect(read.version).toBe(1)
  expect(read.faults.map(({ reason }) => reason)).toEqual(['x509.old-version', 'x509.encoding'])
})

test('sorted attributes, and many of one kind, are no oddity', () => {
  const attributes = [
    ['2.5.4.3', utf8('a')],
    ['2.5.4.3', utf8('a')],
    ['2.5.4.3', utf8('b')],
    ['2.5.4.10', utf8('a')],
  ] as const
  expect(certificateOf(parseCertificate(build({ subject: name(attributes) }))).faults).toEqual([])
})

test.each(faulty)('a certificate with %s has its faults told', (_, parts, reasons) => {
  const read = certificateOf(parseCertificate(build(parts)))
  expect(read.faults.map(fault => fault.reason)).toEqual(reasons)
})

/** Broken inside: the outline stands, and the field that is broken is null. */
const broken: readonly (readonly [
  what: string,
  parts: Partial<Parts>,
  detail: string,
  isNull: keyof Certificate | null,
])[] = [
  ['version 4', { version: tagged(0, integer(3)) }, 'the version is none of 1, 2, 3', null],
  ['a version of no octets', { version: tagged(0, hex('0200')) }, 'the version is none of 1, 2, 3', null],
  ['extensions in version 1', { version: none() }, 'extensions in version 1', null],
  [
    'unique identifiers in version 1',
    { version: none(), extensions: [], uniqueIds: implicit(1, hex('00')) },
    'unique identifiers',
    null,
  ],
  [
    'a serial number that is not minimal',
    { serial: hex('02020001') },
    'serialNumber is not a minimal INTEGER',
    null,
  ],
  ['a serial number without octets', { serial: hex('0200') }, 'serialNumber is not a minimal INTEGER', null],
  [
    'a signature algorithm without identifier',
    { algorithm: sequence(), innerAlgorithm: sequence() },
    'signatureAlgorithm is missing',
    null,
  ],
  [
    'a signature of odd bits',
    { signature: bitString(3, hex('f8')) },
    'the signature is not of whole octets',
    null,
  ],
  ['a signature without octets', { signature: hex('0300') }, 'the signature is not of whole octets', null],
  [
    'notBefore with a fraction',
    { validity: sequence(text(0x18, '20260101000000.5Z'), text(0x17, '270101000000Z')) },
    'notBefore is no time',
    'notBeforeMs',
  ],
  [
    'notAfter without seconds',
    { validity: sequence(text(0x17, '260101000000Z'), text(0x17, '2701010000Z')) },
    'notAfter is no time',
    'notAfterMs',
  ],
  [
    'three times',
    { validity: sequence(...Array(3).fill(text(0x17, '260101000000Z'))) },
    'something follows notAfter',
    null,
  ],
  ['an empty relative name', { subject: sequence(set()) }, 'a relative name is empty', null],
  [
    'an attribute without value',
    { issuer: sequence(set(sequence(oid('2.5.4.3')))) },
    'an element is missing',
    null,
  ],
  ['a key that is none', { key: sequence(hex('0500')) }, 'the algorithm of the public key', null],
  [
    'a key with something behind',
    { key: sequence(sequence(oid('1.3.101.112')), bitString(0), hex('0500')) },
    'something follows the public key',
    null,
  ],
  [
    'an empty list of extensions',
    { extensionsField: tagged(3, sequence()) },
    'the list of extensions is empty',
    null,
  ],
  [
    'something behind the list of extensions',
    { extensionsField: tagged(3, sequence(san(implicit(2, 'a'))), hex('0500')) },
    'something follows the list',
    null,
  ],
  ['something behind the extensions', { extensionsField: hex('0500') }, 'something follows the extensions', null],
  [
    'an extension that is none',
    { extensions: [hex('0500'), san(implicit(2, 'a'))] },
    'an extension is missing',
    null,
  ],
  [
    'an extension without value',
    { extensions: [sequence(oid('2.5.29.17'))] },
    'extnValue is missing',
    'alternativeNames',
  ],
  [
    'critical of two octets',
    { extensions: [extension('1.2.3', hex('0500'), hex('0102ffff'))] },
    'critical of extension 1.2.3 is not of one octet',
    null,
  ],
  [
    'the same extension twice',
    { extensions: [san(implicit(2, 'a')), san(implicit(2, 'b'))] },
    'extension 2.5.29.17 is there more than once',
    'alternativeNames',
  ],
  [
    'an unknown extension twice',
    { extensions: [extension('1.2.3', none()), extension('1.2.3', none())] },
    'extension 1.2.3 is there more',
    null,
  ],
  ['cA without content', { extensions: [ca(hex('0100'))] }, 'cA is not of one octet', 'basicConstraints'],
  [
    'a negative path length',
    { extensions: [ca(yes, hex('0201ff'))] },
    'pathLenConstraint is negative',
    'basicConstraints',
  ],
  [
    'basicConstraints with more',
    { extensions: [ca(yes, integer(1), integer(1))] },
    'something follows basicConstraints',
    'basicConstraints',
  ],
  [
    'an empty key usage',
    { extensions: [extension('2.5.29.15', bitString(0), yes)] },
    'keyUsage is empty',
    'keyUsage',
  ],
  [
    'a key usage of zeros',
    { extensions: [extension('2.5.29.15', bitString(7, hex('00')), yes)] },
    'keyUsage is empty',
    'keyUsage',
  ],
  [
    'a key usage of which eight bits are unused',
    { extensions: [extension('2.5.29.15', bitString(8, hex('80')), yes)] },
    'keyUsage is no BIT STRING',
    'keyUsage',
  ],
  [
    'a key usage that has keyCertSign only among the unused bits',
    { extensions: [extension('2.5.29.15', bitString(5, hex('a4')), yes)] },
    'unused bits of keyUsage are set',
    'keyUsage',
  ],
  [
    'an empty extended key usage',
    { extensions: [extension('2.5.29.37', sequence())] },
    'extKeyUsage is empty',
    'extendedKeyUsage',
  ],
  [
    'a purpose that is none',
    { extensions: [extension('2.5.29.37', sequence(hex('0500')))] },
    'a purpose is missing',
    'extendedKeyUsage',
  ],
  ['an empty SAN', { extensions: [san()] }, 'subjectAltName is empty', 'alternativeNames'],
  ['a SAN of an unknown kind', { extensions: [san(implicit(9, 'a'))] }, 'no known kind', 'alternativeNames'],
  [
    'a SAN with something behind',
    { extensions: [extension('2.5.29.17', Buffer.concat([sequence(implicit(2, 'a')), hex('0500')]))] },
    'something follows subjectAltName',
    'alternativeNames',
  ],
  [
    'a directory name that is none',
    { extensions: [san(tagged(4, sequence(set())))] },
    'a relative name is empty',
    'alternativeNames',
  ],
  [
    'a list of subtrees that is empty',
    { extensions: [constraints(tagged(0))] },
    'a list of subtrees is empty',
    'nameConstraints',
  ],
  [
    'a subtree with a minimum',
    { extensions: [constraints(tagged(0, sequence(implicit(2, 'a'), implicit(0, hex('01')))))] },
    'the minimum of a subtree is not 0',
    'nameConstraints',
  ],
  [
    'a subtree with a maximum',
    { extensions: [constraints(tagged(0, sequence(implicit(2, 'a'), implicit(1, hex('01')))))] },
    'something follows the base',
    'nameConstraints',
  ],
  [
    'subtrees in the other order',
    { extensions: [constraints(tagged(1, sequence(implicit(2, 'a'))), tagged(0, sequence(implicit(2, 'b'))))] },
    'something follows nameConstraints',
    'nameConstraints',
  ],
  [
    'an SKI that is no OCTET STRING',
    { extensions: [extension('2.5.29.14', hex('0500'))] },
    'subjectKeyIdentifier is missing',
    'subjectKeyIdentifier',
  ],
  [
    'an AKI with more',
    { extensions: [aki(implicit(0, 'id'), implicit(3, 'x'))] },
    'something follows authorityKeyIdentifier',
    'authorityKeyIdentifier',
  ],
  [
    'an AKI with an empty issuer',
    { extensions: [aki(tagged(1))] },
    'authorityCertIssuer is empty',
    'authorityKeyIdentifier',
  ],
]

test.each(broken)('a certificate with %s still has its octets and its key', (_, parts, detail, isNull) => {
  const der = build(parts)
  const read = certificateOf(parseCertificate(der))
  expect(Buffer.from(read.der)).toEqual(der)
  expect(Buffer.from(read.publicKey.spki)).toEqual(parts.key ?? ed25519Key)
  expect(read.faults).toContainEqual({ reason: 'x509.malformed', detail: expect.stringContaining(detail) })
  if (isNull !== null) expect(read[isNull]).toBeNull()
})

test.each<readonly [what: string, der: Buffer, detail: string]>([
  ['nothing at all', none(), 'the certificate is missing at octet 0'],
  ['an element of another type', hex('0500'), 'the certificate is missing or of another type at octet 0'],
  ['an octet behind it', Buffer.concat([build(), hex('00')]), 'something follows the certificate'],
  ['itself behind it', Buffer.concat([build(), build()]), 'something follows the certificate'],
  [
    'something behind the signature',
    sequence(sequence(), sequence(), bitString(0), hex('0500')),
    'something follows the signature',
  ],
  ['no serial number', build({ serial: none() }), 'serialNumber is missing'],
  ['no issuer', build({ issuer: utf8('Root') }), 'issuer is missing'],
  ['no validity', build({ validity: none() }), 'subjectPublicKeyInfo is missing or of another type'],
  ['no subject', build({ subject: none(), extensions: [] }), 'subjectPublicKeyInfo is missing'],
  ['no key', build({ key: none() }), 'subjectPublicKeyInfo is missing'],
  ['no signature', build({ signature: none() }), 'the signature is missing'],
  [
    'too many octets',
    build({ signature: bitString(0, Buffer.alloc(maxCertificateBytes)) }),
    'a certificate of more than 2097152 octets',
  ],
  ['a depth of a hundred thousand', nested(100_000), 'signatureAlgorithm is missing'],
  ['a length of four gigabytes', hex('3084ffffffff'), 'longer than what it stands in'],
])('%s is malformed, and says where', (_, der, detail) => {
  const read = parseCertificate(der)
  expect(read).toMatchObject({ kind: 'malformed', detail: expect.stringContaining(detail) })
  expect(Buffer.from(read.kind === 'malformed' ? read.der : [])).toEqual(der)
})

test('depth within a field that is not looked into costs nothing', () => {
  const read = certificateOf(parseCertificate(build({ extensions: [extension('1.2.3', nested(50_000))] })))
  expect(read.faults).toEqual([])
})

/** One of each field that is read: what cuts and mutations are made from. */
const rich = build({
  issuer: name(
    [['2.5.4.6', text(0x13, 'DE')]],
    [
      ['2.5.4.3', utf8('Root')],
      ['1.2.840.113549.1.9.1', text(0x16, 'a@b')],
    ],
  ),
  key: rsaKey(1024),
  uniqueIds: implicit(1, hex('0001')),
  extensions: [
    ca(yes, integer(1)),
    extension('2.5.29.15', bitString(1, hex('06')), yes),
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
    san(implicit(2, 'a.example'), implicit(7, hex('c0000201')), tagged(4, commonName('x'))),
    constraints(tagged(0, sequence(implicit(2, 'a'))), tagged(1, sequence(implicit(1, 'a@b')))),
    extension('2.5.29.14', octetString(hex('0102'))),
    aki(implicit(0, hex('0102')), tagged(1, implicit(2, 'a')), implicit(2, hex('01'))),
    extension('1.3.6.1.5.5.7.1.1', sequence(description)),
    extension('2.5.29.31', sequence(sequence(tagged(0, tagged(0, uri('a')))))),
    extension('1.3.6.1.4.1.11129.2.4.2', octetString(hex('0003 0001 aa'))),
  ],
})

test('every cut of a certificate is malformed', () => {
  for (let end = 0; end < rich.length; end++)
    expect(parseCertificate(rich.subarray(0, end)).kind, `cut at ${end}`).toBe('malformed')
  expect(parseCertificate(rich).kind).toBe('certificate')
})

test('every octet changed in every way is read or refused, with what was read inside the certificate', () => {
  const octets = new Uint8Array(rich)
  for (const [at, was] of octets.entries()) {
    for (let value = 0; value < 256; value++) {
      if (value === was) continue
      octets[at] = value
      holds(octets)
    }
    octets[at] = was
  }
})

test('pieces taken out, put in, doubled and exchanged at random are read or refused', () => {
  const random = xorshift(20_260_101)
  for (let round = 0; round < 20_000; round++) {
    let octets = Buffer.from(rich)
    for (let step = 0; step <= random(4); step++) {
      const at = random(octets.length)
      const piece = octets.subarray(at, at + random(40))
      const to = random(octets.length)
      const [before, after] = [octets.subarray(0, to), octets.subarray(to + (random(2) === 0 ? piece.length : 0))]
      octets = Buffer.concat(random(5) === 0 ? [before, after] : [before, piece, after])
    }
    holds(octets)
  }
})

/** What holds for any octets: no throw, and what was read is sound in itself. */
function holds(octets: Uint8Array): void {
  const read = parseCertificate(octets)
  if (read.kind === 'malformed') {
    if (read.detail === '') throw new Error('a refusal without words')
    return
  }
  const { certificate } = read
  const isBroken = certificate.faults.some(fault => fault.reason === 'x509.malformed')
  const has = (id: string) => certificate.extensions.some(found => found.oid === id)
  const sound =
    certificate.tbs.length < octets.length &&
    (isBroken || (certificate.notBeforeMs !== null && certificate.notAfterMs !== null)) &&
    (isBroken || has('2.5.29.17') === (certificate.alternativeNames !== null)) &&
    (isBroken || has('2.5.29.30') === (certificate.nameConstraints !== null)) &&
    (isBroken || has('2.5.29.19') === (certificate.basicConstraints !== null)) &&
    (isBroken || has('2.5.29.15') === (certificate.keyUsage !== null)) &&
    (isBroken || has('2.5.29.37') === (certificate.extendedKeyUsage !== null)) &&
    nameText(certificate.subject) !== undefined
  if (!sound) throw new Error(`not sound: ${Buffer.from(octets).toString('hex')}`)
}

const attribute = sequence(oid('2.5.4.3'), utf8('x'))
const subtree = sequence(implicit(2, 'a'))
const large: readonly (readonly [what: string, make: (count: number) => Partial<Parts>, count: number])[] = [
  ['names', count => ({ extensions: [san(repeated(implicit(2, 'mx.example.org'), count))] }), 65_536],
  ['malformed names', count => ({ extensions: [san(repeated(implicit(2, ''), count))] }), 500_000],
  ['extensions', count => ({ extensions: [numberedExtensions(count)] }), 100_000],
  ['extensions of one kind', count => ({ extensions: [repeated(san(implicit(2, 'a')), count)] }), 80_000],
  ['extensions that are none', count => ({ extensions: [repeated(hex('0500'), count)] }), 500_000],
  [
    'purposes',
    count => ({ extensions: [extension('2.5.29.37', sequence(repeated(oid('1.2.3'), count)))] }),
    200_000,
  ],
  ['constraints', count => ({ extensions: [constraints(tagged(0, repeated(subtree, count)))] }), 200_000],
  ['oddities', count => ({ extensions: [repeated(extension('1.2.3', none(), no), count)] }), 80_000],
  [
    'descriptions',
    count => ({ extensions: [extension('1.3.6.1.5.5.7.1.1', sequence(repeated(description, count)))] }),
    40_000,
  ],
  ['points', count => ({ extensions: [extension('2.5.29.31', sequence(repeated(sequence(), count)))] }), 500_000],
  ['relative names', count => ({ subject: sequence(repeated(set(attribute), count)) }), 80_000],
  ['attributes of one relative name', count => ({ subject: sequence(set(repeated(attribute, count))) }), 80_000],
]

test.each(large)(
  'twice the %s are at most twice the work, and a megabyte or two are answered',
  (_, make, count) => {
    const work = [count / 16, count / 8, count].map(size => {
      const { read, elements } = parseCounted(build(make(size)))
      expect(certificateOf(read).faults.length).toBeLessThan(20)
      return elements
    })
    const [small = 0, double = 0, whole = 0] = work
    expect(double).toBeLessThanOrEqual(small * 2)
    expect(whole).toBeLessThanOrEqual(small * 16)
  },
)

test('of many faults of a kind the first are told, and how many there are', () => {
  const read = certificateOf(parseCertificate(build({ extensions: [san(repeated(implicit(2, ''), 1_000))] })))
  expect(read.faults).toHaveLength(9)
  expect(read.faults.at(-1)).toEqual({ reason: 'x509.malformed-name', detail: 'and 992 more of the kind' })
})

function san(...names: readonly Uint8Array[]): Buffer {
  return extension('2.5.29.17', sequence(...names))
}

function none(): Buffer {
  return Buffer.alloc(0)
}

/** SEQUENCEs, each in the one before. */
function nested(depth: number): Buffer {
  const headers: Buffer[] = []
  let length = 0
  for (let level = 0; level < depth; level++) {
    const octets = length < 0x80 ? Buffer.from([0x30, length]) : sequenceHeader(length)
    headers.push(octets)
    length += octets.length
  }
  return Buffer.concat(headers.reverse())
}

function sequenceHeader(length: number): Buffer {
  const digits = length.toString(16)
  const octets = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  return Buffer.concat([Buffer.from([0x30, 0x80 | octets.length]), octets])
}

function repeated(item: Buffer, count: number): Buffer {
  return Buffer.alloc(item.length * count, item)
}

function numberedExtensions(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => extension(`1.2.${index}`, none())))
}

/** The same sequence of numbers below `limit` for the same seed (Marsaglia, xorshift32). */
function xorshift(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}

function certificateOf(read: ReturnType<typeof parseCertificate>): Certificate {
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return read.certificate
}
