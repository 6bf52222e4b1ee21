import { describe, expect, test } from 'vitest'
import { parseCertificate } from './certificate.ts'
import { type Informational, maxToldEntries, readInformational } from './informational.ts'
import {
  certificate,
  commonName,
  extension,
  hex,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  tagged,
} from './testing/der.ts'

const nothing: Informational = { mustStaple: false, scts: [], ocsp: [], caIssuers: [], crls: [], unreadable: [] }

const feature = (...numbers: readonly number[]) =>
  extension('1.3.6.1.5.5.7.1.24', sequence(...numbers.map(number => integer(number))))
const access = (method: string, location: Uint8Array) => sequence(oid(`1.3.6.1.5.5.7.48.${method}`), location)
const uri = (text: string) => implicit(6, text)
const authorityInformation = (...descriptions: readonly Uint8Array[]) =>
  extension('1.3.6.1.5.5.7.1.1', sequence(...descriptions))
const fullName = (...names: readonly Uint8Array[]) => tagged(0, tagged(0, ...names))
const distributionPoints = (...points: readonly Uint8Array[]) =>
  extension('2.5.29.31', sequence(...points.map(point => sequence(point))))

const uint16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const vector = (...contents: readonly Uint8Array[]) => {
  const content = Buffer.concat(contents)
  return Buffer.concat([uint16(content.length), content])
}
const moment = (ms: bigint) => Buffer.from(ms.toString(16).padStart(16, '0'), 'hex')
const sct = (logOctet: number, ms: bigint, extensions = hex('')) =>
  Buffer.concat([
    Buffer.alloc(1),
    Buffer.alloc(32, logOctet),
    moment(ms),
    vector(extensions),
    hex('0403'),
    vector(hex('3000')),
  ])
const sctList = (...scts: readonly Uint8Array[]) =>
  extension('1.3.6.1.4.1.11129.2.4.2', octetString(vector(...scts.map(one => vector(one)))))

const july = 1_720_137_600_000n

describe('what a certificate tells', () => {
  test.each<[string, readonly Uint8Array[], Partial<Informational>]>([
    ['nothing', [], {}],
    ['must-staple', [feature(5)], { mustStaple: true }],
    ['must-staple among other features', [feature(10, 5)], { mustStaple: true }],
    ['must-staple of the second version', [feature(17)], { mustStaple: true }],
    ['another feature', [feature(16)], {}],
    ['no feature', [feature()], {}],
    [
      'two timestamps, one with extensions',
      [sctList(sct(0xab, july), sct(0xcd, july + 1n, hex('0102')))],
      {
        scts: [
          { version: 0, logId: 'ab'.repeat(32), timestampMs: Number(july) },
          { version: 0, logId: 'cd'.repeat(32), timestampMs: Number(july) + 1 },
        ],
      },
    ],
    [
      'a timestamp of a later version',
      [sctList(hex('01ffff'))],
      { scts: [{ version: 1, logId: null, timestampMs: null }] },
    ],
    [
      'a timestamp beyond the calendar',
      [sctList(sct(1, 2n ** 64n - 1n))],
      { scts: [{ version: 0, logId: '01'.repeat(32), timestampMs: null }] },
    ],
    [
      'where to ask, and where its issuer is',
      [
        authorityInformation(
          access('1', uri('http://ocsp.example')),
          access('2', uri('http://ca.example/r3.cer')),
          access('5', uri('http://unknown.example')),
          access('1', tagged(4, commonName('Responder'))),
          access('1', implicit(2, 'no-address.example')),
        ),
      ],
      { ocsp: ['http://ocsp.example', 'CN=Responder'], caIssuers: ['http://ca.example/r3.cer'] },
    ],
    [
      'revocation lists',
      [
        distributionPoints(
          fullName(uri('http://crl.example/a'), uri('ldap://crl.example/b')),
          Buffer.concat([
            fullName(tagged(4, commonName('List'))),
            implicit(1, hex('0780')),
            tagged(2, tagged(4, commonName('CA'))),
          ]),
          tagged(0, tagged(1, hex('300a06035504030c03 4c6f67'))),
          tagged(2, tagged(4, commonName('Other CA'))),
        ),
      ],
      { crls: ['http://crl.example/a', 'ldap://crl.example/b', 'CN=List'] },
    ],
  ])('%s', (_, extensions, expected) => {
    expect(told(extensions)).toEqual({ ...nothing, ...expected })
  })
})

describe('what cannot be read is told, and hides nothing else', () => {
  const rest = [authorityInformation(access('1', uri('http://ocsp.example')))]
  test.each<[string, Uint8Array, string, string]>([
    [
      'a feature that is no number',
      extension('1.3.6.1.5.5.7.1.24', sequence(hex('0500'))),
      'tls-feature',
      'another type',
    ],
    ['a negative feature', extension('1.3.6.1.5.5.7.1.24', sequence(hex('0201ff'))), 'tls-feature', 'negative'],
    [
      'something behind the features',
      extension('1.3.6.1.5.5.7.1.24', hex('30000500')),
      'tls-feature',
      'something follows',
    ],
    [
      'timestamps without their OCTET STRING',
      extension('1.3.6.1.4.1.11129.2.4.2', hex('0500')),
      'sct-list',
      'another type',
    ],
    ['an empty list of timestamps', sctList(), 'sct-list', 'is empty'],
    ['a list that is longer than it says', rawScts('0003 0001 ff ff'), 'sct-list', 'the length of'],
    ['a timestamp that is longer than the list', rawScts('0004 0003 01 ff'), 'sct-list', 'cut off'],
    ['an empty timestamp', rawScts('0002 0000'), 'sct-list', 'cut off'],
    ['half a length', rawScts('0001 00'), 'sct-list', 'cut off'],
    ['a timestamp that ends early', sctList(sct(1, july).subarray(0, -1)), 'sct-list', 'RFC 6962'],
    [
      'a timestamp with something behind',
      sctList(Buffer.concat([sct(1, july), hex('00')])),
      'sct-list',
      'RFC 6962',
    ],
    ['a timestamp of its version alone', sctList(hex('00')), 'sct-list', 'RFC 6962'],
    ['an empty list of points', distributionPoints(), 'crl-distribution-points', 'is empty'],
    ['a point with an empty name', distributionPoints(tagged(0)), 'crl-distribution-points', 'is missing'],
    [
      'a point with a field nobody knows',
      distributionPoints(implicit(5, 'x')),
      'crl-distribution-points',
      'something follows',
    ],
  ])('%s', (_, broken, part, problem) => {
    const { unreadable, ...answer } = told([broken, ...rest])
    expect(answer).toEqual({ ...nothing, ocsp: ['http://ocsp.example'], unreadable: undefined })
    expect(unreadable).toMatchObject([{ part, problem: expect.stringContaining(problem) }])
  })

  test('an extension that is there twice counts for nothing', () => {
    expect(told([feature(5), feature(5)])).toEqual({
      ...nothing,
      unreadable: [{ part: 'tls-feature', problem: 'it is there more than once' }],
    })
  })

  test('an empty access description', () => {
    expect(told([authorityInformation()]).unreadable).toMatchObject([{ part: 'authority-information' }])
  })
})

test('of very long lists the first entries are told, and how many there are', () => {
  const many = <T>(item: T, count: number) => Array.from({ length: count }, () => item)
  const answer = told([
    sctList(...many(hex('01'), 1_000)),
    authorityInformation(
      ...many(access('1', uri('http://a.example')), 1_000),
      access('2', uri(`http://${'a'.repeat(5_000)}`)),
    ),
    distributionPoints(...many(fullName(uri('http://a.example')), 1_000)),
  ])
  expect([answer.scts.length, answer.ocsp.length, answer.crls.length]).toEqual(many(maxToldEntries, 3))
  expect(answer.caIssuers[0]).toHaveLength(2_049)
  expect(answer.unreadable.map(({ problem }) => problem)).toEqual([
    'it has 1000 timestamps, and the first 64 are told',
    'it has 1000 addresses, and the first 64 are told',
    'it has 1000 addresses, and the first 64 are told',
  ])
})

/** Its value cut at any place, or with octets changed: told as unreadable, or read as something else; never an exception, and never a value outside its type. */
describe('no octets make it throw', () => {
  const sound: readonly (readonly [string, string, Buffer])[] = [
    ['features', '1.3.6.1.5.5.7.1.24', insideOf(feature(5, 17))],
    ['timestamps', '1.3.6.1.4.1.11129.2.4.2', insideOf(sctList(sct(1, july), sct(2, july, hex('00'))))],
    [
      'access',
      '1.3.6.1.5.5.7.1.1',
      insideOf(authorityInformation(access('1', uri('http://a')), access('2', tagged(4, commonName('A'))))),
    ],
    [
      'points',
      '2.5.29.31',
      insideOf(
        distributionPoints(
          Buffer.concat([
            fullName(uri('http://a')),
            implicit(1, hex('0780')),
            tagged(2, tagged(4, commonName('A'))),
          ]),
        ),
      ),
    ],
  ]

  test.each(sound)('%s, cut at every place', (_, id, value) => {
    for (let cut = 0; cut < value.length; cut++) {
      const { unreadable, ...answer } = told([extension(id, value.subarray(0, cut))])
      expect(unreadable, `cut at ${cut}`).toHaveLength(1)
      expect(answer, `cut at ${cut}`).toEqual({ ...nothing, unreadable: undefined })
    }
  })

  test.each(sound)('%s, changed in 3,000 ways', (_, id, value) => {
    const random = xorshift(0x5c7)
    for (let round = 0; round < 3_000; round++) {
      const octets = Buffer.from(value)
      for (let changes = random(3) + 1; changes > 0; changes--) octets[random(octets.length)] = random(256)
      const { scts, ocsp, caIssuers, crls } = told([extension(id, octets)])
      for (const { timestampMs } of scts)
        if (timestampMs !== null) expect(Number.isFinite(new Date(timestampMs).getTime())).toBe(true)
      for (const address of [...ocsp, ...caIssuers, ...crls]) expect(typeof address).toBe('string')
    }
  })
})

function told(extensions: readonly Uint8Array[]): Informational {
  const read = parseCertificate(certificate({ extensions }))
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return readInformational(read.certificate)
}

function rawScts(octets: string): Buffer {
  return extension('1.3.6.1.4.1.11129.2.4.2', octetString(hex(octets)))
}

/** The octets inside extnValue. */
function insideOf(encoded: Buffer): Buffer {
  const read = parseCertificate(certificate({ extensions: [encoded] }))
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return Buffer.from(read.certificate.extensions[0]?.value ?? [])
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
