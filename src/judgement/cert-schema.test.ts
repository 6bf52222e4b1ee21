import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { integer, sequence } from '../../test/certificates/der.ts'
import { keyOf } from '../../test/certificates/keys.ts'
import { at, extension, makeAuthority, makeLeaf } from '../../test/certificates/maker.ts'
import { answerFor, entry, enumerated, makeList, makeOcsp, reason } from '../../test/certificates/revocation.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import type { Read } from '../protocol/x509/model.ts'
import { parseOcspResponse } from '../protocol/x509/ocsp-response.ts'
import { parseRevocationList } from '../protocol/x509/revocation-list.ts'
import { type CertDocument, certDocument } from './cert-document.ts'
import { outlineChain } from './chain-outline.ts'
import { type RevocationSource, reportRevocation } from './revocation.ts'
import { type certDocumentSchema, certSchema } from './testing/cert-schema.ts'

/** True only if either type can stand for the other: a key more or less on one side does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const typesAgree: Same<z.infer<typeof certDocumentSchema>, CertDocument> = true

const root = makeAuthority({ subject: 'CN=Root', key: keyOf('root') })
const middle = makeAuthority({ subject: 'CN=Middle', issuer: root, key: keyOf('middle') })
const leaf = makeLeaf({ issuer: middle, more: [extension('1.3.6.1.5.5.7.1.24', sequence(integer(5)))] })
const garbage: Read = { kind: 'malformed', der: new Uint8Array([1]), detail: 'no certificate' }

function document(chain: readonly Read[], sources: readonly RevocationSource[] = []): CertDocument {
  const question = { chain, roots: [], atMs: at.getTime() }
  const outline = outlineChain({ ...question, budget: createBudget() })
  return certDocument(outline, chain, reportRevocation({ ...question, budget: createBudget(), sources }))
}

const chain = [leaf, middle, root].map(({ der }) => parseCertificate(der))

function sources(): readonly RevocationSource[] {
  const list = parseRevocationList(makeList({ issuer: middle, entries: [entry(leaf.serial, reason(1))] }), [
    leaf.serial,
  ])
  const responses = [makeOcsp({ signer: middle, answers: [answerFor(leaf, middle)] }), sequence(enumerated(3))]
  return [
    ...(list.kind === 'list' ? [{ kind: 'crl', file: 'a.crl', list: list.list } as const] : []),
    ...responses.flatMap(octets => {
      const read = parseOcspResponse(octets)
      return read.kind === 'response' ? [{ kind: 'ocsp', file: 'a.der', response: read.response } as const] : []
    }),
  ]
}

describe('docs/cert.schema.json', () => {
  test('is what the types say (vitest -u writes it anew)', async () => {
    expect(typesAgree).toBe(true)
    await expect(`${JSON.stringify(certSchema(), null, 2)}\n`).toMatchFileSnapshot('../../docs/cert.schema.json')
  })

  const ajv = new Ajv2020({ allErrors: true, formats: { 'date-time': true } })
  const validate = ajv.compile(certSchema())

  test.each<[string, CertDocument]>([
    ['a whole chain', document(chain)],
    ['a gap', document(chain.slice(0, 1))],
    ['no certificate', document([garbage])],
    ['revocation', document(chain, sources())],
  ])('a document is valid: %s', (_, made) => {
    expect(validate(JSON.parse(JSON.stringify(made))) || validate.errors).toBe(true)
  })

  test('lists and responses are in it', () => {
    expect(document(chain, sources()).revocation.map(({ kind }) => kind)).toEqual(['crl', 'ocsp', 'ocsp'])
  })

  const sound = document(chain)
  test.each([
    ['a key more', { ...sound, key: 'secret' }],
    ['a key less', { ...sound, revocation: undefined }],
    [
      'a certificate without its signer',
      { ...sound, certificates: sound.certificates.map(one => ({ ...one, signer: undefined })) },
    ],
    ['a source of no kind', { ...sound, revocation: [{ kind: 'rumour', file: 'a' }] }],
  ])('%s is not', (_, broken) => {
    expect(validate(JSON.parse(JSON.stringify(broken)))).toBe(false)
  })
})
