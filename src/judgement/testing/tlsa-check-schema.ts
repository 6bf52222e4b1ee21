/**
 * `hermetic.tlsa-check/1` as a schema, from which docs/tlsa-check.schema.json is written. tlsa-check-schema.test.ts holds it to the types of
 * tlsa-check-document.ts, and real documents to it; this file is for tests alone, so that judgement itself takes no package.
 */
import { z } from 'zod'
import { certificate, dns, failure, finding, recordState, text, timestamp } from './evidence-schema.ts'
import { index, stack } from './verify-schema.ts'

const asked = z
  .enum(['any', 'rsa', 'ecdsa'])
  .meta({ id: 'asked', description: 'any: as the relay asks, and it is for the server to choose.' })
const chainPlace = index.meta({ id: 'chainPlace', description: 'Place in `chains` of the host.' })
const matches = z
  .array(z.object({ position: index.nullable(), depth: index.nullable() }).readonly())
  .readonly()
  .meta({
    id: 'matches',
    description:
      'Certificates that the record names: place in the chain (null: only the record holds it), and steps from the leaf (null: no signature leads there).',
  })
const reference = z
  .object({ name: text, from: z.enum(['operator', 'mx-name', 'recipient-domain', 'secure-alias']) })
  .readonly()
  .meta({ id: 'reference' })

const record = z
  .object({
    index,
    text: z.string(),
    state: recordState,
    chains: z
      .array(z.object({ chain: chainPlace, decides: z.boolean(), matches, says: text }).readonly())
      .readonly(),
  })
  .readonly()
  .meta({ id: 'record' })

const tlsa = z
  .discriminatedUnion('kind', [
    z
      .object({
        kind: z.literal('records'),
        base: text,
        from: z.enum(['host', 'expansion', 'alias']),
        owner: text,
        aliases: z.array(text).readonly(),
        asks: z
          .enum(['authenticate', 'encrypt'])
          .meta({ description: 'encrypt: none can be used, so TLS is owed and nothing else.' }),
        ttlSeconds: z
          .number()
          .nullable()
          .meta({ description: 'As the resolver has them, so often less than the zone says.' }),
        records: z.array(record).readonly(),
      })
      .readonly(),
    z
      .object({
        kind: z.literal('none'),
        because: z.enum(['dns-not-validated', 'no-name', 'host-insecure', 'absent', 'records-insecure']),
        asked: z.array(text).readonly(),
      })
      .readonly(),
  ])
  .meta({ id: 'tlsa' })

const chain = z
  .object({
    label: z.string(),
    key: z.string().nullable(),
    certificates: z.array(certificate).readonly().meta({ description: 'As sent, leaf first; the first twenty.' }),
    sent: index,
    by: z.enum(['dane-ee', 'dane-ta', 'pkix']).nullable(),
    record: index.nullable().meta({ description: 'The TLSA record that decided.' }),
    matched: text.nullable(),
    says: text,
    publish: z
      .array(text)
      .readonly()
      .meta({ description: 'Lines of a zone file that would prove it beside the chains that are proved.' }),
    findings: z.array(finding).readonly(),
    stacks: z.array(stack).readonly(),
  })
  .readonly()
  .meta({ id: 'chain' })

const address = z
  .object({
    address: z.string(),
    aliases: z.array(text).readonly(),
    verdict: z.enum(['proved', 'partly', 'refused', 'encrypted', 'no-records', 'unseen']).meta({
      description:
        'partly: not with every chain, or not every chain could be seen. encrypted: no record can be used. no-records: nothing is owed. unseen: it could not be visited.',
    }),
    says: text,
    mail: z.enum(['goes', 'waits', 'unknown']).meta({ description: 'Mail that the relay has for this address.' }),
    hermetic: z.string().meta({ description: 'What the relay would do with mail here.' }),
    peer: z.enum(['clear', 'encrypted', 'pkix', 'dane-ta', 'dane-ee']).nullable(),
    tls: z.object({ version: z.string().nullable(), cipher: z.string().nullable() }).readonly().nullable(),
    visits: z
      .array(
        z
          .object({
            asked,
            outcome: z.enum(['shown', 'same', 'none', 'unseen']).meta({
              description: 'same: the chain of the first visit again. none: the server has no such chain.',
            }),
            chain: chainPlace.nullable(),
            failure: failure.nullable(),
          })
          .readonly(),
      )
      .readonly(),
    finding: finding.nullable(),
  })
  .readonly()
  .meta({ id: 'address' })

const host = z
  .object({
    host: text,
    preference: index.nullable(),
    name: z.enum(['unauthenticated', 'mta-sts', 'secure-mx', 'configured']),
    references: z.array(reference).readonly().meta({ description: 'Names that the certificate may carry.' }),
    sni: text.nullable(),
    tlsa,
    chains: z.array(chain).readonly().meta({ description: 'Each once, that any of the addresses showed.' }),
    addresses: z.array(address).readonly(),
  })
  .readonly()
  .meta({ id: 'host' })

const next = z
  .object({
    verdict: z.enum(['ready', 'publish-first', 'refused', 'unknown']).meta({
      description:
        'publish-first: mail waits, unless records are published before. refused: whatever is published. unknown: a host could not be looked up.',
    }),
    certificates: z.array(certificate).readonly(),
    says: text,
    hosts: z
      .array(
        z
          .object({
            host: text,
            owner: text.nullable(),
            verdict: z.enum(['ready', 'breaks', 'still-broken', 'not-asked']).meta({
              description:
                'still-broken: the records prove neither it nor what it takes the place of. not-asked: the host has no records that ask for proof.',
            }),
            says: text,
            replaces: z.array(chainPlace).readonly(),
            records: z
              .array(
                z
                  .object({
                    index,
                    text: z.string(),
                    matches,
                    fate: z.enum(['stays', 'goes-after', 'useless']),
                    says: text,
                  })
                  .readonly(),
              )
              .readonly(),
            publish: z
              .array(text)
              .readonly()
              .meta({ description: 'Lines of a zone file, to be published before the change.' }),
            waitSeconds: z
              .number()
              .nullable()
              .meta({ description: 'How long before: twice the TTL of the records (RFC 7671 §8.1).' }),
            remove: z
              .array(text)
              .readonly()
              .meta({ description: 'Lines of records to be taken out after the change.' }),
            finding: finding.nullable(),
          })
          .readonly(),
      )
      .readonly(),
  })
  .readonly()
  .meta({ id: 'next', description: 'What comes with the next certificate.' })

export const tlsaCheckDocumentSchema = z
  .object({
    schema: z.literal('hermetic.tlsa-check/1'),
    domain: text,
    as: z.enum(['domain', 'host']),
    port: z.number().int().min(1).max(65_535),
    at: timestamp,
    verdict: z.enum(['pass', 'partly', 'fail']),
    says: text,
    mx: dns.nullable(),
    hosts: z.array(host).readonly(),
    skipped: z.array(z.object({ host: text, address: text.nullable(), finding }).readonly()).readonly(),
    finding: finding.nullable().meta({ description: 'Why there is no host to visit.' }),
    next: next.nullable(),
    dns: z.array(dns).readonly(),
  })
  .readonly()

/** The page as it stands in docs. */
export function tlsaCheckSchema(): object {
  return {
    ...z.toJSONSchema(tlsaCheckDocumentSchema),
    title: 'hermetic.tlsa-check/1',
    description: 'What a domain publishes for DANE, held against what each of its mail hosts shows.',
  }
}
