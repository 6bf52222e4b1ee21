/**
 * `hermetic.cert/1` as a schema, from which docs/cert.schema.json is written. cert-schema.test.ts holds it to the types of cert-document.ts, and real
 * documents to it; this file is for tests alone, so that judgement itself takes no package.
 */
import { z } from 'zod'
import { certificate, finding, index, text, timestamp } from './verify-schema.ts'

const signer = z
  .discriminatedUnion('kind', [
    z
      .object({
        kind: z.literal('sent'),
        position: index,
        root: text.nullable().meta({ description: 'A known root that has the same name and key.' }),
      })
      .readonly(),
    z
      .object({
        kind: z.literal('itself'),
        root: text.nullable().meta({ description: 'It is a known root, or has the name and key of one.' }),
      })
      .readonly(),
    z
      .object({ kind: z.literal('root'), subject: text })
      .readonly()
      .meta({ description: 'A known root that is not in the file.' }),
    z.object({ kind: z.literal('missing') }).readonly(),
    z
      .object({ kind: z.literal('forged'), position: index.nullable() })
      .readonly()
      .meta({
        description:
          'Somebody has the name of the issuer, and did not sign it; a position of null is a known root.',
      }),
    z.object({ kind: z.literal('unverified'), because: text }).readonly(),
    z.object({ kind: z.literal('none') }).readonly(),
  ])
  .meta({ id: 'signer', description: 'By verified signatures, never by names alone.' })

const addresses = z.array(text).readonly()

const informational = z
  .object({
    mustStaple: z.boolean().meta({ description: 'It promises an OCSP answer with each handshake (RFC 7633).' }),
    scts: z
      .array(
        z
          .object({
            version: index,
            logId: z
              .string()
              .regex(/^[0-9a-f]{64}$/)
              .nullable(),
            timestamp: timestamp.nullable(),
          })
          .readonly(),
      )
      .readonly()
      .meta({
        description: 'Timestamps of public logs (RFC 6962); their signatures were not checked. 0 is version 1.',
      }),
    ocsp: addresses,
    caIssuers: addresses,
    crls: addresses,
    unreadable: z
      .array(
        z
          .object({
            part: z.enum(['tls-feature', 'sct-list', 'authority-information', 'crl-distribution-points']),
            problem: text,
          })
          .readonly(),
      )
      .readonly()
      .meta({ description: 'The parts that could not be read, or not to the end.' }),
  })
  .readonly()
  .meta({ id: 'informational', description: 'What a certificate tells besides, and nothing decides by.' })

const shownCertificate = z
  .object({
    ...certificate.unwrap().shape,
    signer,
    daysLeft: z.number().int().nullable().meta({ description: 'Whole days, negative when it has ended.' }),
    informational: informational.nullable(),
  })
  .readonly()
  .meta({
    id: 'shownCertificate',
    description: 'All but position, sha256 and signer are null or empty for a block that is no certificate.',
  })

const freshness = z.enum(['current', 'out-of-date', 'not-yet'])

const status = z
  .object({
    position: index,
    status: z.enum(['good', 'revoked', 'unknown', 'not-covered']).meta({
      description:
        'good: not revoked, as far as this source tells. not-covered: it is not about this certificate.',
    }),
    revokedAt: timestamp.nullable(),
    reason: z
      .enum([
        'unspecified',
        'keyCompromise',
        'cACompromise',
        'affiliationChanged',
        'superseded',
        'cessationOfOperation',
        'certificateHold',
        'removeFromCRL',
        'privilegeWithdrawn',
        'aACompromise',
      ])
      .nullable(),
    thisUpdate: timestamp.nullable(),
    nextUpdate: timestamp.nullable(),
    freshness: freshness.nullable(),
    authority: z.enum(['issuer', 'delegate', 'namesake', 'nobody']).meta({
      description:
        'Who vouches for it: the key that signed the certificate; one that its issuer certified for this; one of the same name and another key; nobody who may.',
    }),
    says: text,
  })
  .readonly()
  .meta({ id: 'status' })

const signature = z
  .object({
    verdict: z.enum(['good', 'bad', 'weak', 'unsupported', 'over-budget', 'no-signer']),
    by: text,
    where: z.enum(['file', 'roots', 'answer']).nullable(),
    position: index.nullable(),
  })
  .readonly()
  .meta({ id: 'signature', description: 'Who signed; where nobody was found, who should have.' })

const list = z
  .object({
    kind: z.literal('crl'),
    file: text,
    says: text,
    issuer: text,
    number: z.string().regex(/^\d+$/).nullable(),
    entries: index,
    thisUpdate: timestamp,
    nextUpdate: timestamp.nullable(),
    freshness,
    signature,
    certificates: z.array(status).readonly(),
  })
  .readonly()

const response = z
  .object({
    kind: z.literal('ocsp'),
    file: text,
    says: text,
    response: z.enum([
      'successful',
      'malformedRequest',
      'internalError',
      'tryLater',
      'sigRequired',
      'unauthorized',
    ]),
    responder: text.nullable(),
    producedAt: timestamp.nullable(),
    signature: signature.nullable(),
    certificates: z.array(status).readonly(),
  })
  .readonly()

export const certDocumentSchema = z
  .object({
    schema: z.literal('hermetic.cert/1'),
    sound: z.boolean().meta({ description: 'Nothing in it would be refused. Revocation is not in it.' }),
    says: text,
    certificates: z.array(shownCertificate).readonly(),
    path: z
      .array(index)
      .readonly()
      .meta({ description: 'Places of the certificates from the first one upwards, as signatures lead.' }),
    findings: z.array(finding).readonly(),
    at: timestamp,
    revocation: z
      .array(z.discriminatedUnion('kind', [list, response]))
      .readonly()
      .meta({ description: 'What revocation lists and OCSP responses say: reported, not judged.' }),
  })
  .readonly()

/** The page as it stands in docs. */
export function certSchema(): object {
  return {
    ...z.toJSONSchema(certDocumentSchema),
    title: 'hermetic.cert/1',
    description:
      'A chain of certificates in words: who signed whom, what is missing, out of order or out of date.',
  }
}
