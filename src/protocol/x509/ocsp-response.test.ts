import { describe, expect, test } from 'vitest'
import {
  explicit,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  time,
  tlv,
} from '../../../test/certificates/der.ts'
import { keyOf } from '../../../test/certificates/keys.ts'
import { at, extension, type Made, makeAuthority, makeLeaf } from '../../../test/certificates/maker.ts'
import {
  answerFor,
  dayBefore,
  enumerated,
  isGood,
  isRevoked,
  isUnknown,
  makeOcsp,
  type OcspRecipe,
  ocspResponse,
  weekAfter,
} from '../../../test/certificates/revocation.ts'
import { parseCertificate } from './certificate.ts'
import { nameText } from './distinguished-name.ts'
import type { Certificate } from './model.ts'
import {
  isAbout,
  isKeyHash,
  isOfIssuer,
  maxOcspBytes,
  type OcspAnswer,
  parseCountedOcsp,
  parseOcspResponse,
} from './ocsp-response.ts'

const issuer = makeAuthority({ subject: 'CN=Issuer', key: keyOf('issuer') })
const other = makeAuthority({ subject: 'CN=Issuer', key: keyOf('other') })
const leaf = makeLeaf({ issuer })

const ocsp = (recipe: Partial<OcspRecipe> = {}) =>
  makeOcsp({ signer: issuer, answers: [answerFor(leaf, issuer)], ...recipe })
const single = (recipe: Parameters<typeof answerFor>[2]) => ocsp({ answers: [answerFor(leaf, issuer, recipe)] })

function answerOf(octets: Uint8Array): OcspAnswer {
  const read = parseOcspResponse(octets)
  if (read.kind === 'malformed') throw new Error(read.detail)
  if (read.response.status !== 'successful') throw new Error(read.response.status)
  return read.response.answer
}

function certificate(made: Made): Certificate {
  const read = parseCertificate(made.der)
  if (read.kind === 'malformed') throw new Error(read.detail)
  return read.certificate
}

test('a response says who made it, when, and what it says of which certificate', () => {
  const answer = answerOf(ocsp({ certificates: [leaf.der, sequence()] }))
  const [first] = answer.answers
  expect(answer.responder.kind === 'name' && nameText(answer.responder.name)).toBe('CN=Issuer')
  expect(answer.producedAtMs).toBe(dayBefore.getTime())
  expect(answer.certificates.map(({ kind }) => kind)).toEqual(['certificate', 'malformed'])
  expect(answer.answers).toMatchObject([
    { status: { kind: 'good' }, thisUpdateMs: dayBefore.getTime(), nextUpdateMs: weekAfter.getTime() },
  ])
  expect(first && isAbout(first, certificate(leaf))).toBe(true)
  expect(first && isAbout(first, certificate(makeLeaf({ issuer })))).toBe(false)
  expect(first && isOfIssuer(first, certificate(issuer).publicKey)).toBe(true)
  expect(first && isOfIssuer(first, certificate(other).publicKey)).toBe(false)
})

test('a responder may be named by its key', () => {
  const { responder } = answerOf(ocsp({ responder: 'key' }))
  if (responder.kind !== 'key') throw new Error(responder.kind)
  expect(isKeyHash(responder.hash, certificate(issuer).publicKey)).toBe(true)
  expect(isKeyHash(responder.hash, certificate(other).publicKey)).toBe(false)
})

test.each<[string, Uint8Array, Partial<OcspAnswer['answers'][number]>]>([
  ['unknown', single({ status: isUnknown }), { status: { kind: 'unknown' } }],
  [
    'revoked',
    single({ status: isRevoked() }),
    { status: { kind: 'revoked', atMs: dayBefore.getTime(), reason: null } },
  ],
  [
    'revoked for a reason',
    single({ status: isRevoked(4) }),
    { status: { kind: 'revoked', atMs: dayBefore.getTime(), reason: 'superseded' } },
  ],
  ['without an end', single({ nextUpdate: null }), { nextUpdateMs: null }],
  ['by SHA-256', single({ hash: 'sha256' }), { hash: 'sha256' }],
  ['by a digest that is not known', single({ hashOid: '1.2.3' }), { hash: null }],
  [
    'with version 1 written out',
    ocsp({ editTbs: fields => [explicit(0, integer(0)), ...fields] }),
    { hash: 'sha1' },
  ],
])('an answer is read: %s', (_, octets, expected) => {
  expect(answerOf(octets).answers[0]).toMatchObject(expected)
})

test('critical extensions that are not known are told, and a nonce is known', () => {
  const unknown = (id: string) => extension(id, nullValue, 'critical')
  const nonce = extension('1.3.6.1.5.5.7.48.1.2', octetString(Buffer.alloc(8)), 'critical')
  const answers = [answerFor(leaf, issuer, { extensions: [unknown('1.2.4')] })]
  expect(answerOf(ocsp({ answers, extensions: [unknown('1.2.3'), nonce] })).unknownCritical).toEqual([
    '1.2.4',
    '1.2.3',
  ])
})

test.each([
  [1, 'malformedRequest'],
  [2, 'internalError'],
  [3, 'tryLater'],
  [5, 'sigRequired'],
  [6, 'unauthorized'],
])('a response without an answer: %i is %s', (number, status) => {
  expect(parseOcspResponse(sequence(enumerated(number)))).toEqual({ kind: 'response', response: { status } })
})

describe('no response is', () => {
  const withStatus = (status: Uint8Array) => single({ status })
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'is missing'],
    ['a certificate', leaf.der, 'another type'],
    ['a status that is not used', sequence(enumerated(4)), 'none that RFC 6960 has'],
    ['success without an answer', sequence(enumerated(0)), 'responseBytes is missing'],
    ['failure with one', sequence(enumerated(3), explicit(0, sequence())), 'without success'],
    ['an answer of another type', ocspResponse(sequence(), '1.2.3'), 'which is not the basic one'],
    ['a response with something behind', Buffer.concat([ocsp(), nullValue]), 'something follows'],
    ['version 2', ocsp({ editTbs: fields => [explicit(0, integer(1)), ...fields] }), 'the version is not 1'],
    [
      'a responder of no kind',
      ocsp({ editTbs: ([, ...fields]) => [explicit(3, sequence()), ...fields] }),
      'neither a name nor a key',
    ],
    ['a good with a content', withStatus(tlv(0x80, Buffer.of(1))), 'NULL with a content'],
    ['a status of no kind', withStatus(tlv(0x83)), 'neither good'],
    ['revoked without a time', withStatus(tlv(0xa1)), 'is missing'],
    [
      'revoked with something behind',
      withStatus(tlv(0xa1, time(new Date('2060-01-01')), nullValue)),
      'something follows',
    ],
    ['a UTCTime', ocsp({ editTbs: fields => fields.with(1, time(at)) }), 'not a GeneralizedTime'],
    [
      'a certID without a number',
      ocsp({
        answers: [
          sequence(sequence(sequence(oid('1.3.14.3.2.26')), octetString(leaf.der), octetString(leaf.der))),
        ],
      }),
      'is missing',
    ],
    [
      'more certificates than anybody sends',
      ocsp({ certificates: Array.from({ length: 21 }, () => sequence()) }),
      'more than 20',
    ],
    ['a response that is too long', new Uint8Array(maxOcspBytes + 1), 'more than'],
  ])('%s', (_, octets, problem) => {
    const read = parseOcspResponse(octets)
    expect(read.kind === 'malformed' && read.detail).toContain(problem)
  })

  const rich = ocsp({
    answers: [
      answerFor(leaf, issuer, { status: isRevoked(1) }),
      answerFor(leaf, issuer, { status: isGood, hash: 'sha256' }),
    ],
    certificates: [leaf.der],
    extensions: [extension('1.3.6.1.5.5.7.48.1.2', octetString(Buffer.alloc(8)))],
  })

  test('a response that is cut anywhere', () => {
    for (let cut = 0; cut < rich.length; cut++)
      expect(parseOcspResponse(rich.subarray(0, cut)).kind, `cut at ${cut}`).toBe('malformed')
  })

  test('what octets make it throw, of 20,000 changed in up to four places', () => {
    const random = xorshift(0x0c5b)
    const kinds = { response: 0, malformed: 0 }
    const [asked, key] = [certificate(leaf), certificate(issuer).publicKey]
    for (let round = 0; round < 20_000; round++) {
      const octets = Buffer.from(rich)
      for (let changes = random(4) + 1; changes > 0; changes--) octets[random(octets.length)] = random(256)
      const read = parseOcspResponse(octets)
      kinds[read.kind]++
      if (read.kind === 'malformed' || read.response.status !== 'successful') continue
      for (const one of read.response.answer.answers) {
        isAbout(one, asked)
        isOfIssuer(one, key)
        expect(Number.isFinite(one.thisUpdateMs)).toBe(true)
      }
    }
    expect(Math.min(kinds.response, kinds.malformed)).toBeGreaterThan(100)
  })
})

test('twice the answers are twice the work', () => {
  const work = [1_000, 2_000, 8_000].map(count => {
    const answers = [Buffer.concat(Array.from({ length: count }, () => answerFor(leaf, issuer)))]
    const { read, elements } = parseCountedOcsp(ocsp({ answers }))
    expect(read.kind).toBe('response')
    return elements
  })
  const [small = 0, double = 0, whole = 0] = work
  expect(double).toBeLessThanOrEqual(small * 2)
  expect(whole).toBeLessThanOrEqual(small * 8)
})

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
