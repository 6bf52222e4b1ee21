/** `hermetic.tlsa-create/1` as a schema, from which docs/tlsa-create.schema.json is written; tlsa-create-schema.test.ts holds it to the types, and real documents to it. */
import { z } from 'zod'

const number = z.number().int().min(0).max(255)
const text = z.string().meta({ id: 'text', description: 'May hold text from outside: show it escaped.' })

const record = z
  .object({
    usage: number,
    selector: number,
    matchingType: number,
    data: z.string().regex(/^(?:[0-9a-f]{2})+$/),
    line: z.string().meta({ description: 'For a zone file.' }),
    position: z
      .number()
      .int()
      .min(0)
      .meta({ description: 'Place in the file of the certificate that the record names, from 0.' }),
    subject: text,
    recommended: z.boolean(),
    renewal: z.string().meta({ description: 'What will make the record wrong one day.' }),
  })
  .readonly()
  .meta({ id: 'record' })

export const tlsaCreateDocumentSchema = z
  .object({
    schema: z.literal('hermetic.tlsa-create/1'),
    owner: z.string().regex(/^_\d{1,5}\._tcp\..+\.$/),
    records: z.array(record).readonly().meta({ description: 'What is recommended comes first.' }),
    warnings: z.array(text).readonly(),
  })
  .readonly()

/** The page as it stands in docs. */
export function tlsaCreateSchema(): object {
  return {
    ...z.toJSONSchema(tlsaCreateDocumentSchema),
    title: 'hermetic.tlsa-create/1',
    description: 'The TLSA records that name the certificates of a chain.',
  }
}
