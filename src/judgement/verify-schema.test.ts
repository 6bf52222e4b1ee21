import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { intermediate, leaf, root } from '../../test/certificates/case.ts'
import { tlsa } from '../../test/certificates/maker.ts'
import { question } from './testing/chains.ts'
import { type verifyDocumentSchema, verifySchema } from './testing/verify-schema.ts'
import { verifyChain } from './verify.ts'
import type { VerifyDocument } from './verify-document.ts'

/** True only if either type can stand for the other: a key more or less on one side does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const typesAgree: Same<z.infer<typeof verifyDocumentSchema>, VerifyDocument> = true

const malformed = { kind: 'malformed', der: new Uint8Array([1]), detail: 'no certificate' } as const

describe('docs/verify.schema.json', () => {
  test('is what the types say (vitest -u writes it anew)', async () => {
    expect(typesAgree).toBe(true)
    await expect(`${JSON.stringify(verifySchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../docs/verify.schema.json',
    )
  })

  const ajv = new Ajv2020({ allErrors: true, formats: { 'date-time': true } })
  const validate = ajv.compile(verifySchema())

  test.each([
    ['authenticated by a root', question()],
    ['authenticated by a record', question({ records: [tlsa(2, 1, 1, intermediate()), '0 1 1 00'] })],
    ['authenticated by a key', question({ made: [leaf()], records: [tlsa(2, 1, 0, intermediate())] })],
    ['encrypt-only', question({ records: ['0 1 1 00'] })],
    ['not authenticated', question({ names: ['other.example'], made: [leaf(), intermediate(), root()] })],
    ['without a certificate', question({ chain: [malformed] })],
  ])('a document is valid: %s', (_, asked) => {
    const document: unknown = JSON.parse(JSON.stringify(verifyChain(asked)))
    expect(validate(document) || validate.errors).toBe(true)
  })

  const document = verifyChain(question())
  test.each([
    ['a key more', { ...document, key: 'secret' }],
    ['an unknown verdict', { ...document, verdict: 'fine' }],
    ['a depth below the leaf', { ...document, depth: -1 }],
    ['a key less', { ...document, stacks: undefined }],
  ])('%s is not', (_, broken) => {
    expect(validate(JSON.parse(JSON.stringify(broken)))).toBe(false)
  })
})
