import { describe, expect, test } from 'vitest'
import { nullValue, sequence, tlv } from '../../test/certificates/der.ts'
import { keyOf } from '../../test/certificates/keys.ts'
import {
  at,
  extendedKeyUsage,
  extension,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
} from '../../test/certificates/maker.ts'
import {
  answerFor,
  dayBefore,
  deltaIndicator,
  distributionPoint,
  entry,
  entryIssuer,
  enumerated,
  flag,
  isRevoked,
  isUnknown,
  type ListRecipe,
  makeList,
  makeOcsp,
  type OcspRecipe,
  pointAt,
  reason,
} from '../../test/certificates/revocation.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import type { Read } from '../protocol/x509/model.ts'
import { parseOcspResponse } from '../protocol/x509/ocsp-response.ts'
import { parseRevocationList } from '../protocol/x509/revocation-list.ts'
import type { CertificateStatus, RevocationReport } from './cert-document.ts'
import { type RevocationSource, reportRevocation } from './revocation.ts'

const root = makeAuthority({ subject: 'CN=Root', key: keyOf('root') })
const middle = makeAuthority({ subject: 'CN=Middle', issuer: root, key: keyOf('middle') })
const points = extension('2.5.29.31', sequence(sequence(pointAt('http://crl.example/7'))))
const leaf = makeLeaf({ issuer: middle, more: [points] })
const responderOf = (recipe: Parameters<typeof makeLeaf>[0]) =>
  makeLeaf({
    subject: 'CN=Responder',
    key: keyOf('responder'),
    issuer: middle,
    names: [],
    extensions: { extendedKeyUsage: ocspSigning },
    ...recipe,
  })
const ocspSigning = extension('2.5.29.37', sequence(tlv(0x06, Buffer.from('2b06010505070309', 'hex'))))
const garbage: Read = { kind: 'malformed', der: new Uint8Array([1]), detail: 'it is not even a SEQUENCE' }
const serial = (number: number) => Buffer.from([number])

function report(
  source: RevocationSource,
  chain: readonly Made[],
  options: Partial<{ atMs: number; roots: Made[]; signatures: number }> = {},
) {
  const roots = (options.roots ?? []).map(made => parseCertificate(made.der))
  const [only] = reportRevocation({
    chain: [...chain.map(({ der }) => parseCertificate(der)), garbage],
    roots: roots.flatMap(read => (read.kind === 'certificate' ? [read.certificate] : [])),
    atMs: options.atMs ?? at.getTime(),
    budget: createBudget({ signatures: options.signatures ?? 1_500 }),
    sources: [source],
  })
  if (only === undefined) throw new Error('no report')
  return only
}

function listSource(recipe: Partial<ListRecipe> = {}): RevocationSource {
  const read = parseRevocationList(makeList({ issuer: middle, ...recipe }), [leaf.serial, middle.serial])
  if (read.kind === 'malformed') throw new Error(read.detail)
  return { kind: 'crl', file: 'a.crl', list: read.list }
}

function ocspSource(recipe: Partial<OcspRecipe> = {}): RevocationSource {
  const octets = makeOcsp({ signer: middle, answers: [answerFor(leaf, middle)], ...recipe })
  return responseSource(octets)
}

function responseSource(octets: Uint8Array): RevocationSource {
  const read = parseOcspResponse(octets)
  if (read.kind === 'malformed') throw new Error(read.detail)
  return { kind: 'ocsp', file: 'a.der', response: read.response }
}

/** `revoked by issuer` of each certificate. */
const statuses = ({ certificates }: RevocationReport) =>
  certificates.map(({ status, authority }: CertificateStatus) =>
    status === 'not-covered' ? status : `${status} by ${authority}`,
  )

describe('a list', () => {
  test.each<[string, Partial<ListRecipe>, string, string]>([
    ['that does not have it', {}, 'good by issuer', 'does not have it'],
    [
      'that has it',
      { entries: [entry(leaf.serial, reason(1))] },
      'revoked by issuer',
      'its key may be in other hands',
    ],
    ['that gives no reason', { entries: [entry(leaf.serial)] }, 'revoked by issuer', 'no reason is given'],
    [
      'that has it on hold',
      { entries: [entry(leaf.serial, reason(6))] },
      'revoked by issuer',
      'It was suspended on',
    ],
    [
      'that takes it off hold',
      { entries: [entry(leaf.serial, reason(8))], extensions: [deltaIndicator] },
      'good by issuer',
      'takes it off',
    ],
    ['of another issuer', { issuer: root }, 'not-covered', 'issued by CN=Middle: the list is not about it'],
    [
      'of another issuer that has its number',
      { issuer: root, entries: [entry(leaf.serial)] },
      'not-covered',
      'not about it',
    ],
    ['of changes only', { extensions: [deltaIndicator] }, 'unknown by issuer', 'only changes'],
    ['of authorities only', { extensions: [distributionPoint(flag(2))] }, 'not-covered', 'about authorities only'],
    [
      'of attribute certificates',
      { extensions: [distributionPoint(flag(5))] },
      'not-covered',
      'attribute certificates only',
    ],
    [
      'of some reasons',
      { extensions: [distributionPoint(tlv(0x83, Buffer.from('0640', 'hex')))] },
      'unknown by issuer',
      'leaves some reasons out',
    ],
    [
      'that is its part',
      { extensions: [distributionPoint(pointAt('http://crl.example/7'))] },
      'good by issuer',
      'does not have it',
    ],
    [
      'that is another part',
      { extensions: [distributionPoint(pointAt('http://crl.example/8'))] },
      'not-covered',
      'the certificate names http://crl.example/7',
    ],
    [
      'that is not understood',
      { extensions: [extension('1.2.3', nullValue, 'critical')] },
      'unknown by issuer',
      'not understood in full',
    ],
    [
      'that has it and is not understood',
      { entries: [entry(leaf.serial)], extensions: [extension('1.2.3', nullValue, 'critical')] },
      'unknown by issuer',
      'The list has it',
    ],
    [
      'with a wrong signature',
      { signer: keyOf('forger'), entries: [entry(leaf.serial)] },
      'revoked by nobody',
      'Nobody who may say so',
    ],
    ['signed with SHA-1', { signature: 'ecdsa-sha1' }, 'good by nobody', 'Nobody who may say so'],
  ])('%s', (_, recipe, status, says) => {
    const answer = report(listSource(recipe), [leaf, middle, root])
    expect(statuses(answer)[0]).toBe(status)
    expect(answer.certificates[0]?.says).toContain(says)
    // The block that is no certificate has no status.
    expect(answer.certificates.map(({ position }) => position)).toEqual([0, 1, 2])
  })

  test('with entries of other issuers is about their certificates too', () => {
    const entries = [entry(serial(1), entryIssuer(middle.subject)), entry(leaf.serial, reason(4))]
    const source = listSource({ issuer: root, entries, extensions: [distributionPoint(flag(4))] })
    expect(statuses(report(source, [leaf, middle, root]))).toEqual([
      'revoked by nobody',
      'good by issuer',
      'good by issuer',
    ])
  })

  test.each<[string, Partial<ListRecipe>, readonly Made[], Made[], object, string]>([
    [
      'the issuer in the file',
      {},
      [leaf, middle],
      [],
      { verdict: 'good', by: 'CN=Middle', where: 'file', position: 1 },
      'signed by certificate 1, CN=Middle',
    ],
    [
      'a known root',
      {},
      [leaf],
      [middle],
      { verdict: 'good', where: 'roots', position: null },
      'signed by the known root CN=Middle',
    ],
    [
      'nobody who is there',
      {},
      [leaf],
      [],
      { verdict: 'no-signer', by: 'CN=Middle', where: null },
      'is not in the file',
    ],
    [
      'somebody else',
      { signer: keyOf('forger') },
      [leaf, middle],
      [],
      { verdict: 'bad' },
      'was not signed by the key of CN=Middle',
    ],
    ['SHA-1', { signature: 'ecdsa-sha1' }, [leaf, middle], [], { verdict: 'weak' }, 'can be forged'],
    [
      'an old algorithm',
      { signature: 'ecdsa-sha224' },
      [leaf, middle],
      [],
      { verdict: 'unsupported' },
      'not verified here',
    ],
  ])('signed by %s', (_, recipe, chain, roots, signature, says) => {
    const answer = report(listSource(recipe), chain, { roots })
    expect(answer.signature).toMatchObject(signature)
    expect(answer.says).toContain(says)
  })

  test('signed by a key of the same name that did not sign the certificate is told as such', () => {
    const namesake = makeAuthority({ subject: 'CN=Middle', issuer: root, key: keyOf('namesake') })
    const answer = report(listSource({ signer: keyOf('namesake') }), [leaf, middle, namesake])
    expect(answer.signature?.position).toBe(2)
    expect(statuses(answer)[0]).toBe('good by namesake')
  })

  test('signed by a certificate that may not sign lists vouches for nothing', () => {
    const signer = makeAuthority({
      subject: 'CN=Middle',
      issuer: root,
      key: keyOf('middle'),
      extensions: { keyUsage: keyUsage(['keyCertSign']) },
    })
    const answer = report(listSource(), [leaf, signer])
    expect(answer.says).toContain('does not let it sign lists')
    expect(statuses(answer)[0]).toBe('good by nobody')
  })

  test('is not verified beyond the budget', () => {
    expect(report(listSource(), [leaf, middle], { signatures: 0 }).signature?.verdict).toBe('over-budget')
  })

  const dayMs = 86_400_000
  test.each([
    [0, 'current', 'It holds from 2026-05-31T00:00:00Z to 2026-06-08T00:00:00Z'],
    [7 * dayMs, 'current', 'It holds'],
    [7 * dayMs + 1, 'out-of-date', 'It is out of date'],
    [-dayMs, 'current', 'It holds'],
    [-dayMs - 1, 'not-yet', 'It is not valid yet'],
  ])('%i milliseconds later is %s', (later, freshness, says) => {
    const answer = report(listSource(), [leaf, middle], { atMs: at.getTime() + later })
    expect(answer).toMatchObject({ freshness, certificates: [{ freshness }, { freshness }] })
    expect(answer.says).toContain(says)
  })

  test('without a next one does not say how long it holds', () => {
    expect(report(listSource({ nextUpdate: null }), [leaf, middle], { atMs: at.getTime() + 1e12 })).toMatchObject({
      freshness: 'current',
      nextUpdate: null,
      says: expect.stringContaining('does not say how long'),
    })
  })
})

describe('an OCSP response', () => {
  const sound = responderOf({})
  test.each<[string, Partial<OcspRecipe>, readonly Made[], string, string]>([
    ['of the issuer', {}, [leaf, middle], 'good by issuer', 'was not revoked'],
    ['of the issuer, by its key', { responder: 'key' }, [leaf, middle], 'good by issuer', 'was not revoked'],
    [
      'of a responder that the issuer certified',
      { signer: sound, certificates: [sound.der] },
      [leaf, middle],
      'good by delegate',
      'certified the responder',
    ],
    [
      'of such a responder, by its key',
      { signer: sound, certificates: [sound.der], responder: 'key' },
      [leaf, middle],
      'good by delegate',
      '',
    ],
    [
      'of such a responder, whose certificate is in the file',
      { signer: sound },
      [leaf, middle, sound],
      'good by delegate',
      '',
    ],
    [
      'of a responder that is not there',
      { signer: sound },
      [leaf, middle],
      'good by nobody',
      'Nobody who may say so',
    ],
    ...(
      [
        ['that another issuer certified', responderOf({ issuer: root }), 'did not certify it'],
        [
          'that only has the name of one',
          responderOf({ issuer: middle, signer: keyOf('forger') }),
          'did not certify it',
        ],
        [
          'that is not for answers',
          responderOf({ extensions: { extendedKeyUsage: extendedKeyUsage(['serverAuth']) } }),
          'OCSPSigning',
        ],
        [
          'that may do anything',
          responderOf({ extensions: { extendedKeyUsage: extendedKeyUsage(['any']) } }),
          'OCSPSigning',
        ],
        ['that says nothing of purposes', responderOf({ extensions: { extendedKeyUsage: null } }), 'OCSPSigning'],
        ['that is out of date', responderOf({ notAfter: dayBefore }), 'not in date'],
      ] as const
    ).map(([what, made, because]): [string, Partial<OcspRecipe>, readonly Made[], string, string] => [
      `of a responder ${what}`,
      { signer: made, certificates: [made.der] },
      [leaf, middle],
      'good by nobody',
      because,
    ]),
    ['of the certificate itself', { signer: leaf }, [leaf, middle], 'good by nobody', 'OCSPSigning'],
    [
      'with a wrong signature',
      { key: keyOf('forger') },
      [leaf, middle],
      'good by nobody',
      'Nobody who may say so',
    ],
    [
      'where the issuer is not in the file',
      { signer: sound, certificates: [sound.der] },
      [leaf],
      'good by nobody',
      'is not in the file',
    ],
    [
      'that says revoked',
      { answers: [answerFor(leaf, middle, { status: isRevoked(4) })] },
      [leaf, middle],
      'revoked by issuer',
      'another certificate took its place',
    ],
    [
      'that does not know it',
      { answers: [answerFor(leaf, middle, { status: isUnknown })] },
      [leaf, middle],
      'unknown by issuer',
      'does not know it',
    ],
    [
      'by SHA-256',
      { answers: [answerFor(leaf, middle, { hash: 'sha256' })] },
      [leaf, middle],
      'good by issuer',
      '',
    ],
    [
      'by a digest that is not known',
      { answers: [answerFor(leaf, middle, { hashOid: '1.2.3' })] },
      [leaf, middle],
      'not-covered',
      'no answer about it',
    ],
    ['about another', { answers: [answerFor(middle, root)] }, [leaf, middle], 'not-covered', 'no answer about it'],
    ['about no certificate', { answers: [] }, [leaf, middle], 'not-covered', 'no answer about it'],
    [
      'about another key of the same name',
      { answers: [answerFor(leaf, makeAuthority({ subject: 'CN=Middle', key: keyOf('namesake') }))] },
      [leaf, middle],
      'not-covered',
      'another key of that name',
    ],
    [
      'that is not understood',
      { extensions: [extension('1.2.3', nullValue, 'critical')] },
      [leaf, middle],
      'unknown by issuer',
      'not understood',
    ],
  ])('%s', (_, recipe, chain, status, says) => {
    const answer = report(ocspSource(recipe), chain)
    expect(statuses(answer)[0]).toBe(status)
    expect(answer.certificates[0]?.says).toContain(says)
  })

  test('of several answers the newest counts', () => {
    const answers = [
      answerFor(leaf, middle),
      answerFor(leaf, middle, { status: isRevoked(), thisUpdate: at }),
      answerFor(leaf, middle),
    ]
    expect(statuses(report(ocspSource({ answers }), [leaf, middle]))).toEqual(['revoked by issuer', 'not-covered'])
  })

  test('has its dates for each certificate', () => {
    const answer = report(ocspSource(), [leaf, middle], { atMs: at.getTime() + 30 * 86_400_000 })
    expect(answer.certificates[0]).toMatchObject({ freshness: 'out-of-date', thisUpdate: dayBefore.toISOString() })
    expect(answer.certificates[0]?.says).toContain('The answer is out of date')
    expect(answer.certificates[1]).toMatchObject({ freshness: null, thisUpdate: null })
  })

  test('without an answer says why there is none', () => {
    const answer = report(responseSource(sequence(enumerated(6))), [leaf, middle])
    expect(answer).toMatchObject({ response: 'unauthorized', responder: null, signature: null })
    expect(answer.says).toContain('does not answer for this certificate')
    expect(statuses(answer)).toEqual(['not-covered', 'not-covered'])
  })

  test('with a certificate that cannot be read says so, and is judged by the others', () => {
    const answer = report(ocspSource({ certificates: [sequence()] }), [leaf, middle])
    expect(answer.says).toContain('A certificate that it carries cannot be read.')
    expect(statuses(answer)[0]).toBe('good by issuer')
  })
})
