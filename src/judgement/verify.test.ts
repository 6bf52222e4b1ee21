import { describe, expect, test } from 'vitest'
import {
  host,
  intermediate,
  intermediateWith,
  leaf,
  leafWith,
  root,
  rootWith,
  secondsFrom,
} from '../../test/certificates/case.ts'
import { keyOf } from '../../test/certificates/keys.ts'
import {
  at,
  extendedKeyUsage,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
  subjectAltName,
  tlsa,
} from '../../test/certificates/maker.ts'
import { tlsaText } from '../protocol/dane/tlsa.ts'
import { certificate, question } from './testing/chains.ts'
import { exitCodeOf, type VerifyQuestion, verifyChain } from './verify.ts'
import type { VerifyDocument } from './verify-document.ts'
import { shortRecord } from './verify-text.ts'

const stranger = rootWith({ subject: 'CN=A Stranger', key: keyOf('stranger') })
const verify = (changes: Parameters<typeof question>[0]) => verifyChain(question(changes))
const codes = ({ findings }: VerifyDocument) => findings.map(({ code, severity }) => `${severity} ${code}`)
const whys = ({ records }: VerifyDocument) => records.map(({ why }) => why)
const digest = (made: Made) => tlsa(3, 1, 1, made).slice('3 1 1 '.length).toLowerCase()

describe('the verdict in one sentence', () => {
  const expired = leafWith({ notAfter: secondsFrom(at, -1) })
  test.each<[string, Parameters<typeof question>[0], string]>([
    ['by a root', {}, 'mx.example.com proved itself by a path to the trusted root CN=Test Root at depth 2.'],
    [
      'by the record of an issuer',
      { records: [tlsa(2, 1, 1, intermediate())] },
      'mx.example.com proved itself by TLSA record 0 (2 1 1), which names its issuer CN=Test Intermediate at depth 1.',
    ],
    [
      'by the record of its key',
      { records: [tlsa(3, 1, 1, leaf())] },
      "mx.example.com proved itself by TLSA record 0 (3 1 1), which names the public key of the server's own certificate.",
    ],
    [
      'by the record of its certificate',
      { records: [tlsa(3, 0, 2, leaf())] },
      "mx.example.com proved itself by TLSA record 0 (3 0 2), which names the server's own certificate.",
    ],
    [
      'by a key that is in no certificate',
      { made: [leaf()], records: [tlsa(2, 1, 0, intermediate())] },
      "mx.example.com proved itself by TLSA record 0 (2 1 0), which names the key that signed the server's own certificate, at depth 0.",
    ],
    [
      'by such a key further up',
      { records: [tlsa(2, 1, 0, root())] },
      'mx.example.com proved itself by TLSA record 0 (2 1 0), which names the key that signed CN=Test Intermediate at depth 1.',
    ],
    [
      'without a name',
      { names: [] },
      'The server proved itself by a path to the trusted root CN=Test Root at depth 2; which name it should carry was not asked (give `--name`), so this proves nobody in particular.',
    ],
    [
      'for any name, as it was asked',
      { names: [], anyName: 'any' },
      'The server proved itself by a path to the trusted root CN=Test Root at depth 2; no name was asked for, so this proves nobody in particular.',
    ],
    [
      'with no usable record',
      { records: [tlsa(1, 1, 1, leaf()), tlsa(0, 1, 1, intermediate())] },
      'mx.example.com has to offer TLS and need not prove itself: all its 2 TLSA records are unusable.',
    ],
    [
      'with another name',
      { names: ['other.example.com'] },
      'other.example.com did not prove itself: the certificate of other.example.com is for other names (wanted other.example.com; it carries mx.example.com).',
    ],
    [
      'too late',
      { made: [expired, intermediate()] },
      'mx.example.com did not prove itself: a certificate of mx.example.com has expired (CN=mx.example.com: it ended 2026-05-31T23:59:59Z).',
    ],
  ])('%s', (_, changes, says) => {
    expect(verify(changes).says).toBe(says)
  })
})

describe('names', () => {
  test('usage 3 asks for none, so none is missing', () => {
    const document = verify({ names: [], records: [tlsa(3, 1, 1, leaf())] })
    expect(document).toMatchObject({ verdict: 'authenticated', names: { tried: [], matched: null } })
  })

  test('none given: the verdict says so', () => {
    for (const records of [undefined, [tlsa(2, 1, 1, intermediate())]])
      expect(verify({ names: [], ...(records === undefined ? {} : { records }) }).verdict).toBe(
        'authenticated-for-unchecked-name',
      )
  })

  test('any name: those given are not checked', () => {
    const document = verify({ names: ['other.example.com'], anyName: 'any' })
    expect(document).toMatchObject({ verdict: 'authenticated-for-unchecked-name', names: { matched: null } })
  })

  test('a wrong one is told beside what refused the chain', () => {
    const old = leafWith({ notAfter: secondsFrom(at, -1) })
    const document = verify({ made: [old, intermediate()], names: ['other.example.com'] })
    expect(document.findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['x509.expired', 'error'],
      ['x509.name-mismatch', 'warning'],
    ])
  })

  test('the one that fitted is told, whether or not it decided', () => {
    const names = ['other.example.com', host]
    expect(verify({ names }).names).toEqual({ tried: names, matched: host })
    expect(verify({ names, records: [tlsa(3, 1, 1, leaf())] }).names.matched).toBe(host)
    expect(verify({ names, roots: [] }).names.matched).toBe(host)
  })

  test('the common name counts under usage 2 without a DNS-ID, and without TLSA records only if asked for', () => {
    const made = [leafWith({ subject: `CN=${host}`, names: [] }), intermediate()]
    expect(verify({ made, records: [tlsa(2, 1, 1, intermediate())] }).verdict).toBe('authenticated')
    expect(verify({ made }).verdict).toBe('not-authenticated')
    expect(verify({ made, cnFallback: 'if-no-dns-id' }).verdict).toBe('authenticated')
  })

  test('an address never fits under TLSA records', () => {
    const made = [leafWith({ names: ['192.0.2.1'] }), intermediate()]
    expect(verify({ made, names: ['192.0.2.1'] }).verdict).toBe('authenticated')
    expect(verify({ made, names: ['192.0.2.1'], records: [tlsa(2, 1, 1, intermediate())] })).toMatchObject({
      verdict: 'not-authenticated',
      names: { matched: null },
    })
  })
})

describe('why, for each record', () => {
  test('the decider and one that would do as well', () => {
    expect(whys(verify({ records: [tlsa(2, 1, 1, intermediate()), tlsa(3, 1, 1, leaf())] }))).toEqual([
      'It names CN=Test Intermediate at depth 1, and would do as well; record 1 comes first.',
      "It names the public key of the server's own certificate, and decides.",
    ])
  })

  test('a wrong usage', () => {
    expect(whys(verify({ records: [tlsa(2, 1, 1, leaf()), tlsa(3, 1, 1, intermediate())] }))).toEqual([
      "It names the server's own certificate, and usage 2 is for an issuer: it would match with usage 3.",
      "It names CN=Test Intermediate at depth 1, and usage 3 is for the server's own certificate: usage 2 would be for an issuer.",
    ])
  })

  test('no match', () => {
    expect(whys(verify({ records: [tlsa(2, 1, 1, stranger), tlsa(3, 0, 1, stranger)] }))).toEqual([
      'It names no public key that the server sent, nor one that signed it.',
      "It names another certificate than the server's own.",
    ])
  })

  test('a name that does not fit', () => {
    expect(whys(verify({ names: ['other.example'], records: [tlsa(2, 1, 1, intermediate())] }))).toEqual([
      "It names CN=Test Intermediate at depth 1, to which a valid path leads, but the server's certificate carries none of the names asked for.",
    ])
  })

  test('that nobody looked into why no path leads there', () => {
    const tops = Array.from({ length: 9 }, (_, index) =>
      rootWith({ subject: `CN=Top ${index}`, key: keyOf(`top ${index}`) }),
    )
    const made = [
      leaf(),
      ...tops.map(issuer => intermediateWith({ issuer, notAfter: secondsFrom(at, -1) })),
      ...tops,
    ]
    const [first = '', ...others] = whys(verify({ made, records: tops.map(top => tlsa(2, 0, 1, top)) }))
    expect(first).toMatch(/^It names CN=Top 0 at depth 2, but no valid path leads there: .* expired/)
    expect(others.at(-1)).toBe(
      'It names CN=Top 8 at depth 2, but no valid path leads there; why was not looked into, for that was done for other records already.',
    )
  })

  test('a stranger that was sent', () => {
    const [why = ''] = whys(verify({ made: [leaf(), stranger], records: [tlsa(2, 1, 1, stranger)] }))
    expect(why).toMatch(/^It names CN=A Stranger \(no signatures lead there from the leaf\), but no valid path/)
  })

  test.each([
    ['0 1 1 00', /^Usage 0 asks for the public authorities/],
    ['9 1 1 00', /^Usage 9 is not defined/],
    ['3 7 1 00', /^Selector 7 is not defined/],
    ['3 1 9 00', /^Matching type 9 is not defined/],
    ['3 1 1 00', /^Its data is no whole digest: SHA-256 has 32 octets, and these are 1\.$/],
    ['3 1 2 0000', /^Its data is no whole digest: SHA-512 has 64 octets, and these are 2\.$/],
    ['2 0 0 00', /^Matching type 0 holds a whole certificate, and this cannot be read as one\.$/],
    ['2 1 0 00', /^Matching type 0 holds a whole public key, and this cannot be read as one\.$/],
  ])('unusable: %s', (record, expected) => {
    const { records } = verify({ records: [record] })
    expect(records[0]).toMatchObject({ text: record, state: 'unusable' })
    expect(records[0]?.why).toMatch(expected)
  })

  test('shadowed, and what it would have named', () => {
    expect(whys(verify({ records: [tlsa(3, 1, 1, leaf()), tlsa(3, 1, 2, leaf())] }))[0]).toBe(
      "A record with the same usage and selector and a stronger digest counts instead of it; it names the public key of the server's own certificate.",
    )
  })
})

describe('certificates that are known and were not sent', () => {
  const records = [tlsa(2, 1, 1, stranger), tlsa(2, 1, 1, intermediate())]
  const known = [certificate(intermediate()), certificate(stranger)]

  test('tell which record would match, and what would come of it', () => {
    const document = verify({ made: [leaf()], records, known })
    expect(document.verdict).toBe('not-authenticated')
    expect(whys(document)).toEqual([
      'It names no public key that the server sent, nor one that signed it; it would match CN=A Stranger if the server sent it, but no valid path would lead there.',
      'It names no public key that the server sent, nor one that signed it; it would match CN=Test Intermediate if the server sent it, and the server would have proved itself.',
    ])
    expect(codes(document)).toContain('error dane.issuer-not-sent')
    expect(document.records.flatMap(({ matches }) => matches)).toEqual([])
  })

  test('tell a name that would not fit', () => {
    const [, why] = whys(verify({ made: [leaf()], names: ['other.example'], records, known }))
    expect(why).toMatch(/if the server sent it, but the name would not fit\.$/)
  })

  test('tell what is missing between the leaf and what was sent', () => {
    const [why = ''] = whys(verify({ made: [leaf(), root()], records: [tlsa(2, 0, 1, root())], known }))
    expect(why).toMatch(/With the certificates that are known besides, a path would lead there/)
  })

  test('tell what a path to a root lacks', () => {
    const document = verify({ made: [leaf()], known })
    expect(document).toMatchObject({ verdict: 'not-authenticated', path: [] })
    expect(document.findings[0]?.code).toBe('x509.missing-intermediate')
    expect(document.findings[0]?.says).toContain('would lead to a root if the server sent CN=Test Intermediate')
  })

  test('tell what a path to a root lacks further up', () => {
    const upper = rootWith({ subject: 'CN=Test Upper', key: keyOf('upper') })
    const upperBelowRoot = intermediateWith({ subject: 'CN=Test Upper', key: keyOf('upper') })
    const lower = intermediateWith({ issuer: upper })
    const document = verify({
      made: [leafWith({ issuer: lower }), lower],
      known: [certificate(upperBelowRoot)],
    })
    expect(document.verdict).toBe('not-authenticated')
    expect(document.findings[0]?.says).toContain('would lead to a root if the server sent CN=Test Upper')
  })

  test('change nothing when they were sent already', () => {
    const made = [leaf(), intermediate()]
    expect(verify({ made, records, known: [certificate(intermediate())] })).toEqual(verify({ made, records }))
  })

  test('say for usage 3 that the server would have to use them', () => {
    const other = makeLeaf({ key: keyOf('other leaf'), names: ['rsa.example.com'] })
    expect(whys(verify({ records: [tlsa(3, 1, 1, other)], known: [certificate(other)] }))).toEqual([
      "It names another public key than the server's own; it would match CN=rsa.example.com if the server used that as its own certificate.",
    ])
  })
})

describe('findings', () => {
  test('what decided comes first, is an error, and is said once', () => {
    const expired = leafWith({ notAfter: secondsFrom(at, -1), extensions: { authorityKeyIdentifier: null } })
    const document = verify({ made: [expired, stranger, intermediate()] })
    expect(codes(document)[0]).toBe('error x509.expired')
    expect(codes(document).filter(code => code.startsWith('error'))).toHaveLength(1)
    expect(codes(document)).toContain('info x509.chain-has-strangers')
    expect(document.findings[0]).toMatchObject({ position: 0, culprit: 'peer' })
  })

  test('under usage 3 dates and names are told and not judged', () => {
    const made = [leafWith({ notAfter: secondsFrom(at, -86_400), names: ['other.example'] }), intermediate()]
    const document = verify({ made, records: [tlsa(3, 1, 1, leaf())] })
    expect(document.verdict).toBe('authenticated')
    expect(codes(document)).toEqual(['info x509.expired', 'info x509.name-mismatch'])
    for (const { says } of document.findings) expect(says).toContain('a TLSA record with usage 3 does not ask for')
  })

  test('no match says what comes nearest, and which record the key would need', () => {
    const says = (changes: Parameters<typeof question>[0]) => verify(changes).findings[0]?.says
    const whole = `3 1 1 ${digest(leaf())}`
    const own = `a record for its present key would be ${shortRecord(whole)}`
    expect(says({ records: [tlsa(3, 1, 1, stranger)] })).toContain(`(${own})`)
    expect(says({ records: [tlsa(2, 1, 1, leaf())] })).toContain(
      `(record 0 names it with usage 2 instead of 3; ${own})`,
    )
    expect(says({ records: [tlsa(3, 1, 1, intermediate())] })).toContain(
      'record 0 names an issuer with usage 3 instead of 2',
    )
    expect(says({ records: [tlsa(3, 1, 1, leaf()), tlsa(3, 1, 2, stranger)] })).toContain(
      'record 0 would match, and is set aside for a stronger digest',
    )
    expect(says({ made: [leaf()], records: [tlsa(2, 1, 1, intermediate())] })).toContain(
      'CN=Test Intermediate, which issued what was sent, was not sent itself',
    )
    const document = verify({ records: [tlsa(3, 1, 1, stranger)] })
    expect(document.findings[0]?.remedy).toContain(`\`${whole}\``)
    expect(document.says).not.toContain(digest(leaf()))
  })

  test('roots beside TLSA records are ignored, and that is told only if somebody gave them', () => {
    const records = [tlsa(3, 1, 1, leaf())]
    expect(codes(verify({ records, rootsGiven: true }))).toEqual(['info dane.roots-ignored'])
    expect(codes(verify({ records }))).toEqual([])
    expect(codes(verify({ rootsGiven: true }))).toEqual([])
  })

  test('a root that was sent is remarked on, unless a record names it', () => {
    const made = [leaf(), intermediate(), root()]
    expect(codes(verify({ made }))).toEqual(['info x509.root-sent'])
    expect(codes(verify({ made, records: [tlsa(2, 0, 1, root())] }))).toEqual([])
  })

  test('records of one fate are one finding', () => {
    const records = [tlsa(3, 1, 1, leaf()), '0 1 1 00', '0 1 1 01', '9 0 0 00']
    const document = verify({ records })
    expect(codes(document)).toEqual(['warning dane.record-unusable', 'warning dane.record-unusable'])
    expect(document.findings[0]?.says).toContain('(records 1 and 2, 0 1 1: Usage 0 asks for')
  })

  test('a block that is no certificate refuses, except where usage 3 needs the leaf alone', () => {
    const malformed = { kind: 'malformed', der: new Uint8Array([48, 0]), detail: 'it is empty' } as const
    const chain = [...question().chain, malformed]
    for (const changes of [{ chain }, { chain, records: [tlsa(2, 1, 1, intermediate())] }]) {
      const document = verify(changes)
      expect(document).toMatchObject({
        verdict: 'not-authenticated',
        by: null,
        depth: null,
        record: null,
        path: [],
      })
      expect(document.findings[0]).toMatchObject({ code: 'x509.malformed', severity: 'error', position: 2 })
      expect(document.certificates[2]).toMatchObject({ position: 2, subject: null, key: null, names: [] })
    }
    const document = verify({ chain, records: [tlsa(3, 1, 1, leaf())] })
    expect(document.verdict).toBe('authenticated')
    expect(codes(document)).toEqual(['warning x509.malformed'])
  })

  test('a leaf that is no certificate leaves nothing to say of stacks and names', () => {
    const chain = [{ kind: 'malformed', der: new Uint8Array(), detail: 'no base64' } as const]
    expect(verify({ chain })).toMatchObject({
      verdict: 'not-authenticated',
      names: { matched: null },
      stacks: [],
      findings: [{ code: 'x509.malformed', position: 0 }],
    })
  })
})

describe('the key exchange', () => {
  const made = [
    leafWith({ key: keyOf('leaf', 'rsa-2048'), extensions: { keyUsage: keyUsage(['keyEncipherment']) } }),
    intermediate(),
  ]

  test('changes findings and stacks, never the verdict', () => {
    const told = (['rsa', 'ecdhe', 'tls1.3', null] as const).map(keyExchange => verify({ made, keyExchange }))
    expect(new Set(told.map(({ verdict, says }) => `${verdict} ${says}`)).size).toBe(1)
    expect(told.map(codes)).toEqual([
      [],
      ['warning x509.key-usage-no-signature'],
      ['warning x509.key-usage-no-signature'],
      ['warning x509.key-usage-no-signature'],
    ])
    expect(told.map(({ stacks }) => stacks[0]?.would)).toEqual(['accept', 'refuse', 'refuse', 'refuse'])
  })
})

describe('a key usage that permits nothing in a handshake', () => {
  const made = [leafWith({ extensions: { keyUsage: keyUsage(['keyCertSign', 'cRLSign']) } }), intermediate()]
  const full = makeAuthority({
    subject: `CN=${host}`,
    key: keyOf('leaf'),
    issuer: intermediate(),
    extensions: { subjectAltName: subjectAltName([host]) },
  })

  test('refuses a path, and is said once', () => {
    expect(codes(verify({ made }))).toEqual(['error x509.leaf-key-usage', 'warning x509.leaf-may-sign'])
    expect(verify({ made }).findings[0]?.says).toContain('it is for keyCertSign, cRLSign')
    expect(codes(verify({ made, records: [tlsa(2, 1, 1, intermediate())] }))).toContain(
      'error x509.leaf-key-usage',
    )
  })

  test('is no matter under usage 3; what libraries do in the handshake is', () => {
    const document = verify({ made, records: [tlsa(3, 1, 1, made[0] ?? leaf())] })
    expect(document.verdict).toBe('authenticated')
    expect(codes(document)).toContain('warning x509.key-usage-no-signature')
    expect(codes(document).filter(code => code.endsWith('leaf-key-usage'))).toEqual([])
  })

  test('is told, once, where strict lets an authority be the last of a path', () => {
    const document = verify({ made: [full, intermediate()], profile: 'strict' })
    expect(document.verdict).toBe('authenticated')
    expect(codes(document)).toEqual([
      'warning x509.leaf-key-usage',
      'warning x509.leaf-is-ca',
      'info x509.no-extended-key-usage',
    ])
  })
})

describe('a client’s certificate', () => {
  const rsa = (usage: 'keyEncipherment' | 'keyAgreement' | 'digitalSignature') =>
    leafWith({
      key: keyOf('leaf', 'rsa-2048'),
      extensions: { keyUsage: keyUsage([usage]), extendedKeyUsage: extendedKeyUsage(['clientAuth']) },
    })

  test('is always used to sign, and no table of stacks is about it', () => {
    for (const keyExchange of ['rsa', null] as const) {
      const told = (usage: Parameters<typeof rsa>[0]) =>
        verify({ made: [rsa(usage), intermediate()], purpose: 'client', keyExchange })
      expect(told('keyAgreement')).toMatchObject({ verdict: 'authenticated', stacks: [] })
      expect(codes(told('keyAgreement'))).toEqual(['warning x509.key-usage-no-signature'])
      expect(told('keyEncipherment')).toMatchObject({ verdict: 'not-authenticated', stacks: [] })
      expect(codes(told('keyEncipherment'))).toEqual(['error x509.leaf-key-usage'])
      expect(codes(told('digitalSignature'))).toEqual([])
    }
  })
})

describe('the document', () => {
  test('is the same each time', () => {
    const records = [tlsa(2, 1, 1, intermediate()), '0 1 1 00']
    expect(verify({ records })).toEqual(verify({ records }))
  })

  test('tells the path by places, and null for what was not sent', () => {
    expect(verify({}).path).toEqual([
      { position: 0, subject: `CN=${host}` },
      { position: 1, subject: 'CN=Test Intermediate' },
      { position: null, subject: 'CN=Test Root' },
    ])
    expect(verify({ made: [leaf(), intermediate(), root()] }).path.map(({ position }) => position)).toEqual([
      0, 1, 2,
    ])
  })

  test('an anchor only in a record has its depth and no place', () => {
    const document = verify({ made: [leaf()], records: [tlsa(2, 0, 0, intermediate())] })
    expect(document.records[0]?.matches).toEqual([{ depth: 1, position: null, subject: 'CN=Test Intermediate' }])
    expect(document).toMatchObject({ by: 'dane-ta', depth: 1, record: 0 })
  })

  test('has each certificate in words', () => {
    expect(verify({}).certificates[0]).toEqual({
      position: 0,
      subject: `CN=${host}`,
      issuer: 'CN=Test Intermediate',
      names: [
        { type: 'dns', value: host },
        { type: 'cn', value: host },
      ],
      keyUsage: ['digitalSignature'],
      notBefore: '2020-01-01T00:00:00.000Z',
      notAfter: '2036-01-01T00:00:00.000Z',
      key: 'EC P-256',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test('nothing from outside reaches its sentences unescaped', () => {
    const nasty = '\u001b[2J\u202e'
    const issuer = intermediateWith({ subject: `CN=evil${nasty}` })
    const made = [leafWith({ issuer, subject: `CN=leaf${nasty}`, names: [] }), issuer]
    for (const records of [[tlsa(2, 1, 1, issuer)], [tlsa(2, 1, 1, stranger)], [tlsa(3, 1, 1, issuer)]]) {
      const document = verify({ made, records, names: [`x${nasty}`], known: [certificate(stranger)] })
      const sentences = [
        document.says,
        ...whys(document),
        ...document.findings.flatMap(each => [each.says, each.remedy]),
      ]
      expect(sentences.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }
  })
})

describe('bounds', () => {
  test('a thousand records over a hundred certificates, none of which fits', () => {
    const strangers = Array.from({ length: 99 }, (_, index) =>
      leafWith({ subject: `CN=${index}`, names: [`host${index}.example`] }),
    )
    const records = Array.from({ length: 1_000 }, (_, index) => `2 1 1 ${index.toString(16).padStart(64, '0')}`)
    const document = verify({ made: [leaf(), ...strangers], records })
    expect(document.verdict).toBe('not-authenticated')
    expect(document.records).toHaveLength(1_000)
    expect(new Set(whys(document)).size).toBe(1)
    expect(document.findings.length).toBeLessThanOrEqual(10)
  })

  test('every record lists all that it names, unless all records together name thousands', () => {
    const issuers = Array.from({ length: 99 }, (_, index) =>
      intermediateWith({ notAfter: secondsFrom(at, index + 1) }),
    )
    const three = [tlsa(2, 1, 1, intermediate()), tlsa(3, 1, 1, intermediate()), tlsa(1, 1, 1, intermediate())]
    const counts = (records: readonly string[]) =>
      verify({ made: [leaf(), ...issuers], records }).records.map(({ matches }) => matches.length)
    expect(counts(three)).toEqual([99, 99, 99])
    const many = Array.from({ length: 100 }, (_, index) => three[index % 3] ?? '')
    const listed = counts(many)
    expect(listed.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 99))
    expect(listed.slice(20)).toEqual([20, ...Array.from({ length: 79 }, () => 10)])
    expect(verify({ made: [leaf(), ...issuers], records: many }).records.at(-1)?.why).toMatch(
      / It names 89 more, which are not listed here\.$/,
    )
  })

  test('the size of a document: as its records, and as its certificates, not as their product', () => {
    const issuers = Array.from({ length: 80 }, (_, index) =>
      intermediateWith({ notAfter: secondsFrom(at, index + 1) }),
    )
    const size = (records: number, certificates: number) =>
      JSON.stringify(
        verify({
          made: [leaf(), ...issuers.slice(0, certificates)],
          records: Array.from(
            { length: records },
            (_, index) => `${index} ${tlsa(2, 1, 1, intermediate()).slice(2)}`,
          ),
        }).records,
      ).length
    expect(size(200, 80) / size(200, 40)).toBeLessThan(1.1)
    expect(size(200, 80) / size(100, 80)).toBeLessThan(2.1)
  })

  test('many faults: a hundred findings, and no more', () => {
    const malformed = (index: number) =>
      ({ kind: 'malformed', der: new Uint8Array([index]), detail: `block ${index}` }) as const
    const chain = [...question().chain, ...Array.from({ length: 150 }, (_, index) => malformed(index))]
    expect(verify({ chain }).findings).toHaveLength(100)
  })
})

test.each<[VerifyDocument['verdict'], VerifyQuestion['anyName'], number]>([
  ['authenticated', 'checked', 0],
  ['authenticated-for-unchecked-name', 'checked', 2],
  ['authenticated-for-unchecked-name', 'any', 0],
  ['encrypt-only', 'checked', 2],
  ['encrypt-only', 'any', 2],
  ['not-authenticated', 'any', 1],
])('%s with names %s exits with %d', (verdict, anyName, code) => {
  expect(exitCodeOf({ verdict }, anyName)).toBe(code)
})

test('nothing at all was sent', () => {
  for (const changes of [{}, { records: [tlsa(3, 1, 1, leaf())] }])
    expect(verify({ ...changes, chain: [] })).toMatchObject({
      verdict: 'not-authenticated',
      certificates: [],
      stacks: [],
      findings: [{ code: 'x509.no-certificate', position: null }],
    })
})

test('records are told whole, in lower case', () => {
  const text = `2 1 1 ${digest(intermediate()).toUpperCase()}`
  const [record] = question({ records: [text] }).tlsa ?? []
  expect(record && tlsaText(record)).toBe(verify({ records: [text] }).records[0]?.text)
})
