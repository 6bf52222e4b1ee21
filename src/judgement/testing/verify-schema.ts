/**
 * `hermetic.verify/1` as a schema, from which docs/verify.schema.json is written. verify-schema.test.ts holds it to the types of
 * verify-document.ts, and real documents to it; this file is for tests alone, so that judgement itself takes no package.
 */
import { z } from 'zod'
import type { ReasonCode } from '../failure.ts'
import { findings } from '../findings.ts'

const isReasonCode = (text: string): text is ReasonCode => text in findings
const reasonCode = z
  .enum(Object.keys(findings).filter(isReasonCode))
  .meta({ id: 'reasonCode', description: 'docs/findings.md' })
export const timestamp = z
  .string()
  .meta({ id: 'timestamp', format: 'date-time', description: 'RFC 3339 in UTC with milliseconds.' })
export const text = z.string().meta({ id: 'text', description: 'May hold text from outside: show it escaped.' })
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
export const index = z.number().int().min(0)
const position = index
  .nullable()
  .meta({ id: 'position', description: 'Place in the chain file, from 0; null for what was not sent.' })

const record = z
  .object({
    index,
    text: z
      .string()
      .regex(/^\d{1,3} \d{1,3} \d{1,3} [0-9a-f]*$/)
      .meta({ description: 'Whole and in lower case.' }),
    state: z.enum(['counts', 'shadowed', 'unusable']),
    matches: z
      .array(z.object({ depth: index.nullable(), position, subject: text.nullable() }).readonly())
      .readonly()
      .meta({
        description:
          'Every certificate whose bytes the record names, whatever its state and the names; when all records together name more than 2,000, the first ten of each, and `why` tells how many there are besides. A depth of null: no signatures lead there from the leaf. A subject of null: a bare key.',
      }),
    why: text,
  })
  .readonly()
  .meta({ id: 'record' })

export const keyUsage = z.enum([
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
])

export const certificate = z
  .object({
    position: index,
    subject: text.nullable(),
    issuer: text.nullable(),
    names: z
      .array(z.object({ type: z.enum(['dns', 'ip', 'email', 'uri', 'cn']), value: text }).readonly())
      .readonly()
      .meta({ description: 'The first 1,000; those behind them are judged all the same.' }),
    keyUsage: z
      .array(keyUsage)
      .readonly()
      .nullable()
      .meta({ description: 'Null: no such extension, which permits everything.' }),
    notBefore: timestamp.nullable(),
    notAfter: timestamp.nullable(),
    key: z.string().nullable(),
    sha256,
  })
  .readonly()
  .meta({
    id: 'certificate',
    description: 'All but position and sha256 are null or empty for a block that is no certificate.',
  })

export const finding = z
  .object({
    code: reasonCode,
    severity: z.enum(['info', 'warning', 'error']),
    culprit: z.enum(['peer', 'zone', 'network', 'policy', 'us', 'operator', 'sender']),
    position,
    says: z.string(),
    remedy: z.string(),
  })
  .readonly()
  .meta({ id: 'finding' })

export const stack = z
  .object({
    stack: z.enum(['gnutls', 'openssl', 'exim-gnutls', 'postfix', 'go', 'rustls', 'schannel', 'jsse', 'hermetic']),
    would: z.enum(['accept', 'refuse', 'unknown']),
    because: z.string(),
    proof: z
      .enum(['lab', 'source', 'unproven'])
      .meta({ description: 'lab: a test sees the real program do it. source: read in its source.' }),
  })
  .readonly()
  .meta({
    id: 'stack',
    description: 'What a TLS library does in the handshake with this leaf, by its key usage alone.',
  })

export const verifyDocumentSchema = z
  .object({
    schema: z.literal('hermetic.verify/1'),
    verdict: z.enum(['authenticated', 'authenticated-for-unchecked-name', 'encrypt-only', 'not-authenticated']),
    says: text,
    by: z.enum(['dane-ee', 'dane-ta', 'pkix']).nullable(),
    depth: index.nullable().meta({ description: 'Along the path, leaf 0: what authenticated.' }),
    record: index.nullable().meta({ description: 'Index of the deciding TLSA record.' }),
    path: z.array(z.object({ position, subject: text }).readonly()).readonly(),
    records: z.array(record).readonly(),
    certificates: z.array(certificate).readonly(),
    names: z.object({ tried: z.array(text).readonly(), matched: text.nullable() }).readonly(),
    findings: z.array(finding).readonly().meta({ description: 'What decided comes first, then the worst.' }),
    stacks: z.array(stack).readonly(),
    at: timestamp,
  })
  .readonly()

/** The page as it stands in docs. */
export function verifySchema(): object {
  return {
    ...z.toJSONSchema(verifyDocumentSchema),
    title: 'hermetic.verify/1',
    description:
      'One chain of certificates, as a server sent it, against TLSA records or roots, names and a time.',
  }
}
