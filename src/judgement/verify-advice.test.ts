/** What `verify` advises where the plain rule would send people the wrong way. Verdicts are in verify.test.ts. */
import { describe, expect, test } from 'vitest'
import {
  host,
  intermediate,
  intermediateWith,
  leaf,
  leafWith,
  root,
  secondsFrom,
} from '../../test/certificates/case.ts'
import { keyOf } from '../../test/certificates/keys.ts'
import { at, extendedKeyUsage, type Made, makeAuthority, makeLeaf, tlsa } from '../../test/certificates/maker.ts'
import type { Read } from '../protocol/x509/model.ts'
import { certificate, question, read } from './testing/chains.ts'
import { verifyChain } from './verify.ts'
import type { VerifyDocument } from './verify-document.ts'

const verify = (changes: Parameters<typeof question>[0]) => verifyChain(question(changes))
const codes = ({ findings }: VerifyDocument) => findings.map(({ code }) => code)
const named = ({ findings }: VerifyDocument, code: string) => findings.find(one => one.code === code)

describe('a file that is upside down', () => {
  test.each<[string, readonly Made[], string]>([
    [
      'of two',
      [intermediate(), leaf()],
      "certificate 1 is the server's own and was signed by 0; the order would be 1, 0",
    ],
    [
      'of three',
      [root(), intermediate(), leaf()],
      "certificate 2 is the server's own and was signed by 1; the order would be 2, 1, 0",
    ],
  ])('%s says so first, and nothing that follows from it', (_, made, order) => {
    for (const changes of [
      { made },
      { made, records: [tlsa(3, 1, 1, leaf())] },
      { made, records: [tlsa(2, 1, 1, intermediate())] },
    ]) {
      const document = verify(changes)
      expect(document).toMatchObject({ verdict: 'not-authenticated', by: null, record: null })
      expect(document.findings[0]).toMatchObject({
        code: 'x509.chain-out-of-order',
        severity: 'error',
        culprit: 'peer',
      })
      expect(document.findings[0]?.says).toContain(order)
      expect(document.says).toContain(order)
      expect(document.findings[0]?.remedy).toContain('In that order the server would have proved itself.')
      expect(codes(document).filter(code => code !== 'x509.root-sent')).toEqual(['x509.chain-out-of-order'])
      expect(document.records.map(({ why }) => why).join()).not.toContain('usage 2 would be')
      expect(document.stacks.find(({ stack }) => stack === 'gnutls')?.would).toBe('accept')
    }
  })

  test('and has more against it tells that next, in places of the file', () => {
    const expired = leafWith({ notAfter: secondsFrom(at, -1) })
    const document = verify({ made: [intermediate(), expired] })
    expect(document.findings.slice(0, 2)).toMatchObject([
      { code: 'x509.chain-out-of-order', severity: 'error' },
      { code: 'x509.expired', severity: 'warning', position: 1 },
    ])
    expect(document.findings[0]?.remedy).toContain('That alone does not do')
  })

  test('is told as a warning where no record is usable', () => {
    const document = verify({ made: [intermediate(), leaf()], records: ['0 0 1 ab'] })
    expect(document.verdict).toBe('encrypt-only')
    expect(codes(document).slice(0, 2)).toEqual(['dane.all-unusable', 'x509.chain-out-of-order'])
    expect(codes(document)).not.toContain('x509.leaf-is-ca')
  })

  test('is one only by signatures, and when the first carries no name of a host', () => {
    const other = makeLeaf({ issuer: makeAuthority({ subject: 'CN=Test Intermediate', key: keyOf('other') }) })
    for (const made of [[intermediate(), other], [leaf(), intermediate()], [intermediate()]])
      expect(JSON.stringify(verify({ made }).findings)).not.toContain('upside down')
  })
})

describe('an expired certificate', () => {
  const old = intermediateWith({ notAfter: secondsFrom(at, -86_400) })

  test('of an authority is replaced or left out, and not renewed by the server', () => {
    const [first] = verify({ made: [leaf(), old] }).findings
    expect(first).toMatchObject({ code: 'x509.expired', position: 1 })
    expect(first?.remedy).toMatch(/must replace it in the chain file .*, or leave it out/)
  })

  test('of the server is renewed', () => {
    const [first] = verify({ made: [leafWith({ notAfter: secondsFrom(at, -1) }), intermediate()] }).findings
    expect(first?.remedy).toContain('must renew it')
  })

  test('that the path does not need is told', () => {
    const gone = makeAuthority({ subject: 'CN=Gone', key: keyOf('gone') })
    const crossed = makeAuthority({
      subject: 'CN=Test Root',
      key: keyOf('root'),
      issuer: gone,
      notAfter: secondsFrom(at, -1),
    })
    const document = verify({ made: [leaf(), intermediate(), crossed] })
    expect(document.verdict).toBe('authenticated')
    expect(named(document, 'x509.expired')).toMatchObject({ severity: 'warning', position: 2 })
    expect(named(document, 'x509.expired')?.remedy).toContain('take this certificate out of the chain file')
  })
})

describe('names', () => {
  test('an address under TLSA is told to count never', () => {
    const document = verify({ names: ['192.0.2.1'], records: [tlsa(2, 1, 1, intermediate())] })
    expect(document.findings[0]?.says).toContain('addresses never count under TLSA')
    expect(document.findings[0]?.remedy).toContain('by the name that its TLSA records stand under')
    expect(verify({ names: ['192.0.2.1'] }).findings[0]?.says).not.toContain('TLSA')
  })

  test('a common name that would fit is told where it does not count', () => {
    const plain = leafWith({ subject: `CN=${host}`, names: [] })
    const document = verify({ made: [plain, intermediate()] })
    expect(document.findings[0]?.says).toContain('its common name would fit, and counts only with `--cn-fallback`')
  })

  test('a certificate that proved itself by its common name is not said to name nobody', () => {
    const document = verify({
      made: [leafWith({ subject: `CN=${host}`, names: [] }), intermediate()],
      records: [tlsa(2, 1, 1, intermediate())],
    })
    expect(document).toMatchObject({ verdict: 'authenticated', names: { matched: host } })
    expect(named(document, 'x509.no-san')?.says).not.toContain('names no host')
  })

  test('which name was not asked says how to ask', () => {
    expect(verify({ names: [] }).says).toContain('`--name`')
  })
})

describe('what was sent too much, or not at all', () => {
  test('a copy is called one', () => {
    const document = verify({ made: [leaf(), leaf(), intermediate(), leaf()] })
    expect(named(document, 'x509.chain-has-strangers')?.says).toContain('certificates 1 and 3: copies of 0')
  })

  test('the root above a gap is no stranger', () => {
    const document = verify({ made: [leaf(), root()] })
    expect(codes(document)).toEqual(['x509.missing-intermediate'])
  })

  test('a known intermediate makes what was not sent the reason, and the server the culprit', () => {
    const changes = {
      made: [leaf()],
      known: [certificate(intermediate())],
      records: [tlsa(2, 1, 1, intermediate())],
    }
    const document = verify(changes)
    expect(document.findings[0]).toMatchObject({
      code: 'dane.issuer-not-sent',
      severity: 'error',
      culprit: 'peer',
    })
    expect(document.says).toContain(
      'names an issuer that the server does not send (record 0, 2 1 1: CN=Test Intermediate)',
    )
    const between = verify({ ...changes, made: [leaf(), root()], records: [tlsa(2, 0, 1, root())] })
    expect(between.findings[0]).toMatchObject({ code: 'x509.missing-intermediate', culprit: 'peer' })
    expect(between.says).toContain('if the server sent CN=Test Intermediate')
    expect(verify({ ...changes, known: [] }).findings[0]?.code).toBe('dane.no-match')
  })

  test('more certificates than are read are told as that', () => {
    const rest: Read = { kind: 'malformed', der: new Uint8Array(0), detail: 'more than 100 certificates' }
    const chain = [read(leaf()), ...Array.from({ length: 99 }, () => read(intermediate())), rest]
    const [first] = verify({ chain }).findings
    expect(first).toMatchObject({ code: 'x509.malformed', position: 100 })
    expect(first?.says).toContain('has more than 100 certificates')
    expect(first?.remedy).not.toContain('software')
  })

  test('a block that was cut is not blamed on whoever made it', () => {
    const cut: Read = { kind: 'malformed', der: new Uint8Array(0), detail: 'the block has no END' }
    const [first] = verify({ chain: [read(leaf()), cut] }).findings
    expect(first?.says).toContain('cannot be decoded')
    expect(first?.remedy).toContain('copy it anew')
  })
})

describe('what was seen', () => {
  test('a name is not said twice', () => {
    const stranger = makeAuthority({ subject: 'CN=A Root', key: keyOf('a root') })
    const below = makeLeaf({ issuer: stranger, names: [host] })
    expect(verify({ made: [below, stranger] }).findings[0]?.says).toContain('(CN=A Root)')
    expect(verify({ made: [below] }).findings[0]?.says).toContain(', issued by CN=A Root)')
  })

  test('purposes are called by their names', () => {
    const mail = leafWith({ extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth']) } })
    expect(verify({ made: [mail, intermediate()] }).findings[0]?.says).toContain('it is for clientAuth')
  })
})
