/** `hermetic.zone-audit/1` as a schema, from which docs/zone-audit.schema.json is written; zone-audit-schema.test.ts holds it to the types, and cli/zone-audit.test.ts real documents to it. */
import { z } from 'zod'
import { findings } from '../findings.ts'
import type { ZoneFinding } from '../zone-audit-document.ts'
import { type ZoneCode, zoneFindings } from '../zone-findings.ts'
import { index, text, timestamp } from './verify-schema.ts'

type Reason = NonNullable<ZoneFinding['reason']>
const isReason = (code: string): code is Reason => /^dns(?:sec)?\./.test(code)
const isZoneCode = (code: string): code is ZoneCode => code in zoneFindings
const name = z.string().meta({
  id: 'name',
  description: 'Presentation form (RFC 1035 §5.1): plain ASCII, without the last dot; the root is a dot.',
})
const question = z.string().meta({ id: 'question', description: '`example.org MX`' })
const server = z.string().meta({ id: 'server', description: '`192.0.2.53:53`, `[2001:db8::53]:53`' })
const security = z
  .enum(['secure', 'insecure', 'bogus', 'indeterminate'])
  .meta({ id: 'security', description: 'RFC 4035 §4.3' })
const number = z.number().int()

const finding = z
  .object({
    code: z.enum(Object.keys(zoneFindings).filter(isZoneCode)),
    severity: z.enum(['info', 'warning', 'error']),
    subject: text.meta({ description: 'The zone, the host or the server that is spoken of.' }),
    says: text,
    actor: z.enum(['zone', 'parent', 'mail', 'resolver', 'clock', 'nobody']).meta({
      description: "Who must act. parent: the zone's owner, at the registrar. nobody: nothing is broken.",
    }),
    acts: text,
    remedy: z.string(),
    spec: z.string().nullable(),
    reason: z
      .enum(Object.keys(findings).filter(isReason))
      .nullable()
      .meta({ description: 'Why an answer could not be used, or is not secure: docs/findings.md' }),
  })
  .readonly()
  .meta({ id: 'finding' })

const link = z
  .object({
    zone: name,
    role: z.enum(['above', 'audited', 'mail']),
    security,
    says: text,
    ds: z
      .array(
        z
          .object({
            keyTag: index,
            algorithm: index,
            algorithmName: z.string(),
            digestType: index,
            state: z.enum(['matches', 'no-key', 'unknown']),
          })
          .readonly(),
      )
      .readonly()
      .meta({ description: 'What the parent publishes; empty for the zone of a trust anchor.' }),
    keys: z
      .array(
        z
          .object({
            keyTag: index,
            algorithm: index,
            algorithmName: z.string(),
            bits: index.nullable().meta({ description: 'Of RSA.' }),
            isEntryPoint: z.boolean(),
            isRevoked: z.boolean(),
            isUsed: z.boolean().meta({ description: 'Its tag is on a signature that was seen.' }),
          })
          .readonly(),
      )
      .readonly(),
  })
  .readonly()
  .meta({ id: 'link' })

const signatures = z
  .object({
    name,
    type: z.string(),
    signer: name,
    keyTags: z.array(index).readonly(),
    algorithms: z.array(index).readonly(),
    state: z.enum(['now', 'ended', 'not-yet']).meta({ description: 'now: at least one of them holds.' }),
    begins: timestamp,
    ends: timestamp,
    secondsLeft: number,
    ttlSeconds: index,
  })
  .readonly()
  .meta({ id: 'signatures' })

const host = z
  .object({
    host: name,
    preference: index.nullable(),
    addresses: index,
    security,
    aliases: z.array(name).readonly(),
    tlsa: z.enum(['usable', 'unusable', 'absent', 'not-signed', 'failed']),
    owner: name,
    records: z
      .array(z.object({ text: z.string(), state: z.enum(['counts', 'shadowed', 'unusable']) }).readonly())
      .readonly(),
  })
  .readonly()
  .meta({ id: 'host' })

export const zoneAuditDocumentSchema = z
  .object({
    schema: z.literal('hermetic.zone-audit/1'),
    domain: name,
    zone: name.meta({ description: 'That the domain lies in.' }),
    at: timestamp,
    verdict: z
      .enum(['sound', 'warnings', 'broken'])
      .meta({ description: 'broken: there is an error among the findings. warnings: none, and warnings.' }),
    says: text,
    security: security.meta({ description: "Of the zone's SOA." }),
    findings: z.array(finding).readonly().meta({ description: 'Errors first.' }),
    chain: z
      .array(link)
      .readonly()
      .meta({ description: 'From the trust anchor down; then zones of the mail hosts.' }),
    signatures: z.array(signatures).readonly().meta({ description: 'The one that ends first comes first.' }),
    denials: z
      .array(
        z
          .object({
            question,
            state: z.enum(['proven', 'unproven', 'not-signed', 'exists', 'unanswered']),
            says: text,
          })
          .readonly(),
      )
      .readonly()
      .meta({ description: 'What was asked for and is not meant to be there.' }),
    denial: z
      .object({
        by: z.enum(['nsec', 'nsec3']),
        iterations: index.nullable(),
        salt: z.string().nullable(),
        optOut: z.boolean(),
      })
      .readonly()
      .nullable(),
    mail: z
      .object({
        mx: z.enum(['records', 'implicit', 'no-mail', 'null-mx', 'no-such-name', 'unknown']),
        security,
        hosts: z.array(host).readonly(),
        hostsLeftOut: index,
      })
      .readonly(),
    large: z
      .array(z.object({ question, bytes: index }).readonly())
      .readonly()
      .meta({ description: 'Answers that were too large for a datagram.' }),
    servers: z
      .array(
        z
          .object({
            server,
            isThere: z.boolean().meta({ description: 'Whether it answered anything at all.' }),
            signatures: z.enum(['arrive', 'stripped', 'unknown']),
            tcp: z.enum(['works', 'fails', 'unknown']),
            clock: z.enum(['sane', 'ahead', 'behind', 'unknown']),
            serial: index.nullable().meta({ description: "Of the zone's SOA, where there are several servers." }),
          })
          .readonly(),
      )
      .readonly(),
    questions: index,
  })
  .readonly()

/** The page as it stands in docs. */
export function zoneAuditSchema(): object {
  return {
    ...z.toJSONSchema(zoneAuditDocumentSchema),
    title: 'hermetic.zone-audit/1',
    description: 'A zone, as its owner and the postmaster who depends on it should know it.',
  }
}
