/** `hermetic.dns/1` as a schema, from which docs/dns.schema.json is written; dns-schema.test.ts holds it to the types, and real documents to it. */
import { z } from 'zod'
import type { DnsDocument } from '../dns-document.ts'
import { findings } from '../findings.ts'
import { index, text, timestamp } from './verify-schema.ts'

type Reason = NonNullable<DnsDocument['reason']>
const isReason = (code: string): code is Reason => /^dns(?:sec)?\./.test(code)
const reasonCode = z
  .enum(Object.keys(findings).filter(isReason))
  .meta({ id: 'reasonCode', description: 'docs/findings.md' })
const security = z
  .enum(['secure', 'insecure', 'bogus', 'indeterminate'])
  .meta({ id: 'security', description: 'RFC 4035 §4.3' })
const outcome = z.enum(['records', 'no-data', 'no-such-name', 'failed']).meta({ id: 'outcome' })
const name = z.string().meta({
  id: 'name',
  description: 'Presentation form (RFC 1035 §5.1): plain ASCII, without the last dot; the root is a dot.',
})
const type = z
  .string()
  .regex(/^[A-Z0-9]+$/)
  .meta({ id: 'type', description: '`MX`, or `TYPE731` for a number without a name.' })
const server = z
  .string()
  .meta({ id: 'server', description: '`192.0.2.53:53`, `[2001:db8::53]:53`, `tls://192.0.2.53:853#dns.example`' })
const checking = z
  .enum(['disabled', 'enabled'])
  .meta({ id: 'checking', description: 'disabled: the servers were told not to check (CD).' })

const record = z
  .object({
    name,
    type,
    ttlSeconds: index,
    data: z.string(),
    rdata: z.string().regex(/^(?:[0-9a-f]{2})*$/),
    line: z.string().meta({ description: 'Whole, for a zone file; plain ASCII.' }),
  })
  .readonly()
  .meta({ id: 'record' })

const step = z
  .object({ zone: name, security, reason: reasonCode.nullable(), says: text })
  .readonly()
  .meta({ id: 'step' })

const finding = z
  .object({
    code: reasonCode,
    severity: z.enum(['info', 'warning', 'error']),
    culprit: z.enum(['peer', 'zone', 'network', 'policy', 'us', 'operator', 'sender']),
    actor: z.enum(['zone', 'zone-and-parent', 'resolver', 'clock', 'anchor', 'nobody']).meta({
      description: 'Who must act. zone-and-parent: the DS records do not fit the keys. nobody: nothing is broken.',
    }),
    zone: name.nullable(),
    seen: text.meta({ description: 'What was found in this answer.' }),
    says: z.string(),
    acts: text,
    remedy: z.string(),
    spec: z.string().nullable(),
  })
  .readonly()
  .meta({ id: 'finding' })

const pass = z
  .object({
    checking,
    avoided: z.array(server).readonly(),
    outcome,
    security,
    reason: reasonCode.nullable(),
    servers: z.array(server).readonly(),
  })
  .readonly()
  .meta({ id: 'pass' })

const asked = z
  .object({
    name,
    type,
    pass: index.meta({ description: 'Index into passes.' }),
    server: server.nullable(),
    over: z
      .enum(['udp', 'tcp', 'tls', 'cache'])
      .nullable()
      .meta({ description: 'cache: asked before. Null: nothing came.' }),
    bytes: index,
    ms: index,
    rcode: z.string().nullable(),
    flags: z.array(z.string()).readonly(),
    answers: index,
    authorities: index,
    signatures: index,
    why: text.nullable().meta({ description: 'Why it failed.' }),
  })
  .readonly()
  .meta({ id: 'asked' })

const probed = {
  signatures: z.enum(['arrive', 'stripped', 'unknown']),
  tcp: z.enum(['works', 'fails', 'unknown']),
  clock: z.enum(['sane', 'ahead', 'behind', 'unknown']),
}

export const dnsDocumentSchema = z
  .object({
    schema: z.literal('hermetic.dns/1'),
    question: z.object({ name, type }).readonly(),
    at: timestamp,
    outcome,
    security: security.meta({ description: 'Of everything that led to the answer: the weakest.' }),
    endSecurity: security.meta({ description: 'Of the last name alone, without the aliases that led there.' }),
    says: text,
    reason: reasonCode.nullable().meta({ description: 'Null when it is secure.' }),
    ttlSeconds: index.nullable(),
    records: z.array(record).readonly(),
    aliases: z
      .array(z.object({ from: name, to: name, by: z.enum(['CNAME', 'DNAME']), security }).readonly())
      .readonly(),
    steps: z.array(step).readonly().meta({ description: 'The chain of reasons, from the trust anchor down.' }),
    finding: finding.nullable(),
    notes: z.array(text).readonly(),
    passes: z
      .array(pass)
      .readonly()
      .meta({ description: 'How often the question was gone through; more than once only when it was bogus.' }),
    asked: z.array(asked).readonly(),
    resolver: z
      .object({
        ...probed,
        says: z.array(text).readonly(),
        servers: z.array(z.object({ server, ...probed }).readonly()).readonly(),
      })
      .readonly()
      .nullable()
      .meta({ description: 'What the servers are good for; null when there was no reason to look.' }),
    servers: z.array(server).readonly(),
  })
  .readonly()

/** The page as it stands in docs. */
export function dnsSchema(): object {
  return {
    ...z.toJSONSchema(dnsDocumentSchema),
    title: 'hermetic.dns/1',
    description: 'One question to the DNS, what it came to, how far it can be trusted, and why.',
  }
}
