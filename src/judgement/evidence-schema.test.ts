import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { DeliveryDocument, SessionDocument } from './evidence.ts'
import { delivery, session } from './testing/documents.ts'
import { type deliverySchema, evidenceSchema, type sessionSchema } from './testing/evidence-schema.ts'

/** True only if either type can stand for the other: a key more or less on one side does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const typesAgree: [
  Same<z.infer<typeof sessionSchema>, SessionDocument>,
  Same<z.infer<typeof deliverySchema>, DeliveryDocument>,
] = [true, true]

describe('docs/evidence.schema.json', () => {
  test('is what the vocabulary says (vitest -u writes it anew), and the vocabulary agrees with the types', async () => {
    expect(typesAgree).toEqual([true, true])
    await expect(`${JSON.stringify(evidenceSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../docs/evidence.schema.json',
    )
  })

  const ajv = new Ajv2020({ allErrors: true, formats: { 'date-time': true } })
  const validate = ajv.compile(evidenceSchema())

  test.each([
    ['session', session],
    ['delivery', delivery],
  ])('a %s document is valid', (_, document) => {
    expect(validate(document) || validate.errors).toBe(true)
  })

  test.each([
    ['a key more', { ...session, content: 'Subject: secret' }],
    ['an unknown schema', { ...session, schema: 'hermetic.session/2' }],
    ['an unknown code', { ...session, failure: { code: 'smtp.whatever', detail: null, reply: null } }],
    ['a key less', { ...delivery, recipients: undefined }],
  ])('%s is not', (_, document) => {
    expect(validate(JSON.parse(JSON.stringify(document)))).toBe(false)
  })
})
