/**
 * The evidence vocabulary as a schema, from which docs/evidence.schema.json is written. evidence-schema.test.ts holds it and the
 * types of evidence.ts to each other; this file is for tests alone, so that judgement itself takes no package.
 */
import { z } from 'zod'
import type { ReasonCode } from '../failure.ts'
import { findings } from '../findings.ts'
import { keyUsage } from './verify-schema.ts'

const isReasonCode = (text: string): text is ReasonCode => text in findings
const reasonCode = z
  .enum(Object.keys(findings).filter(isReasonCode))
  .meta({ id: 'reasonCode', description: 'docs/findings.md' })
export const timestamp = z
  .string()
  .meta({ id: 'timestamp', format: 'date-time', description: 'RFC 3339 in UTC with milliseconds.' })
export const text = z.string().meta({ id: 'text', description: 'May hold text from outside: show it escaped.' })

const reply = z
  .object({ code: z.number().int().min(200).max(599), enhanced: z.string().nullable(), text })
  .readonly()
  .meta({ id: 'reply' })

export const failure = z
  .object({ code: reasonCode, detail: text.nullable(), reply: reply.nullable() })
  .readonly()
  .meta({ id: 'failure' })

export const finding = z
  .object({
    code: reasonCode,
    severity: z.enum(['info', 'warning', 'error']),
    culprit: z.enum(['peer', 'zone', 'network', 'policy', 'us', 'operator', 'sender']),
    condemns: z.enum(['session', 'host', 'message', 'recipient']),
    lasting: z.enum(['for-now', 'for-good']),
    says: z.string(),
    remedy: z.string(),
    spec: z.string().nullable(),
  })
  .readonly()
  .meta({ id: 'finding' })

export const dns = z
  .object({
    name: text,
    type: z.string(),
    answer: z.enum(['records', 'no-data', 'no-such-name', 'failed']),
    records: z.array(text).readonly(),
    aliases: z.array(text).readonly(),
    security: z.enum(['unvalidated', 'secure', 'insecure', 'bogus', 'indeterminate']),
    because: text.nullable(),
    ttlSeconds: z.number().nullable(),
    server: z.string().nullable(),
    why: text.nullable(),
  })
  .readonly()
  .meta({ id: 'dns' })

export const certificate = z
  .object({
    position: z.number().int().min(0),
    subject: text.nullable(),
    issuer: text.nullable(),
    names: z
      .array(z.object({ type: z.enum(['dns', 'ip', 'email', 'uri', 'cn']), value: text }).readonly())
      .readonly(),
    keyUsage: z.array(keyUsage).readonly().nullable(),
    notBefore: timestamp.nullable(),
    notAfter: timestamp.nullable(),
    key: z.string().nullable(),
    sha256: z.string(),
  })
  .readonly()
  .meta({ id: 'certificate' })

export const recordState = z.enum(['counts', 'shadowed', 'unusable'])

const dane = z
  .object({
    records: z
      .array(
        z
          .object({
            text: z.string(),
            state: recordState,
            matches: z
              .array(
                z
                  .object({
                    position: z.number().int().min(0).nullable(),
                    depth: z.number().int().min(0).nullable(),
                  })
                  .readonly(),
              )
              .readonly(),
            says: text,
          })
          .readonly(),
      )
      .readonly(),
    record: z.number().int().min(0).nullable(),
    depth: z.number().int().min(0).nullable(),
  })
  .readonly()
  .meta({ id: 'dane' })

const tls = z
  .object({
    outcome: z.enum(['established', 'failed']),
    version: z.string().nullable(),
    cipher: z.string().nullable(),
    group: z.string().nullable(),
    sni: z.string().nullable(),
    chain: z.array(certificate).readonly(),
    sent: z.number().int().min(0),
    path: z
      .object({
        certificates: z
          .array(z.object({ position: z.number().int().min(0).nullable(), subject: text }).readonly())
          .readonly(),
        failure: failure.nullable(),
      })
      .readonly()
      .nullable(),
    dane: dane.nullable(),
    openssl: z.object({ authorized: z.boolean(), error: z.string().nullable() }).readonly().nullable(),
    failure: failure.nullable(),
  })
  .readonly()
  .meta({ id: 'tls' })

const nameProof = z.enum(['unauthenticated', 'mta-sts', 'secure-mx', 'configured'])
const peerProof = z.enum(['clear', 'encrypted', 'pkix', 'dane-ta', 'dane-ee'])

const level = z.enum(['none', 'opportunistic', 'dane', 'encrypt', 'verify', 'dane-only'])
const owners = z.array(z.string()).readonly()
const danePlan = z
  .union([
    z
      .object({
        kind: z.literal('records'),
        base: z.string(),
        from: z.enum(['host', 'expansion', 'alias']),
        owner: z.string(),
        aliases: owners,
        records: z.array(z.object({ text: z.string(), state: recordState }).readonly()).readonly(),
        asks: z.enum(['authenticate', 'encrypt']),
      })
      .readonly(),
    z
      .object({
        kind: z.literal('none'),
        because: z.enum(['dns-not-validated', 'no-name', 'host-insecure', 'absent', 'records-insecure']),
        asked: owners,
      })
      .readonly(),
  ])
  .meta({ id: 'danePlan' })

const plan = z
  .object({
    level,
    starttls: z.enum(['never', 'if-offered', 'required']),
    implicitTls: z.boolean(),
    least: z.object({ name: nameProof, peer: peerProof }).readonly(),
    name: nameProof,
    references: z
      .array(
        z
          .object({ name: z.string(), from: z.enum(['operator', 'mx-name', 'recipient-domain', 'secure-alias']) })
          .readonly(),
      )
      .readonly(),
    sni: z.string().nullable(),
    dane: danePlan.nullable(),
  })
  .readonly()
  .meta({ id: 'plan' })

const verdict = z
  .object({
    kind: z.enum(['authenticated', 'encrypted', 'clear', 'refused']),
    name: z.string(),
    peer: z.string().nullable(),
    matched: text.nullable(),
    record: z.string().nullable(),
    says: z.string(),
  })
  .readonly()
  .meta({ id: 'verdict' })

const keywords = z.array(text).readonly().nullable()
const smtp = z
  .object({ greeting: reply.nullable(), offered: z.object({ clear: keywords, tls: keywords }).readonly() })
  .readonly()
  .meta({ id: 'smtp' })

const milliseconds = z.number().nullable()

export const sessionSchema = z
  .object({
    schema: z.literal('hermetic.session/1'),
    id: z.string(),
    at: timestamp,
    host: text,
    address: z.string(),
    port: z.number().int(),
    plan,
    dns: z.array(dns).readonly(),
    connected: z.boolean(),
    tls: tls.nullable(),
    smtp,
    verdict: verdict.nullable(),
    failure: failure.nullable(),
    findings: z.array(finding).readonly(),
    ms: z.object({ connect: milliseconds, greeting: milliseconds, handshake: milliseconds }).readonly(),
  })
  .readonly()
  .meta({ id: 'session', title: 'hermetic.session/1', description: 'One connection to one address of one host.' })

const recipient = z
  .object({
    address: text,
    outcome: z.enum(['delivered', 'deferred', 'failed']),
    failure: failure.nullable(),
    reply: reply.nullable(),
  })
  .readonly()
  .meta({ id: 'recipient' })

export const deliverySchema = z
  .object({
    schema: z.literal('hermetic.delivery/1'),
    id: z.string(),
    message: z.string(),
    at: timestamp,
    attempt: z.number().int(),
    from: text,
    nextHop: text,
    route: z.string(),
    recipients: z.array(recipient).readonly(),
    sessions: z.array(z.string()).readonly(),
    host: text.nullable(),
    address: z.string().nullable(),
    port: z.number().int().nullable(),
    verdict: verdict.nullable(),
    planned: z.object({ level, name: nameProof.nullable() }).readonly().nullable(),
    tls: z.string().nullable(),
    findings: z.array(finding).readonly(),
    nextAttempt: timestamp.nullable(),
    ms: z.number(),
  })
  .readonly()
  .meta({
    id: 'delivery',
    title: 'hermetic.delivery/1',
    description: 'One attempt to pass one message to one next hop.',
  })

/** The page as it stands in docs: every part under `$defs`, and either document at the top. */
export function evidenceSchema(): object {
  const { $defs } = z.toJSONSchema(z.object({ session: sessionSchema, delivery: deliverySchema }))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Evidence vocabulary of Hermetic, version 1',
    oneOf: [{ $ref: '#/$defs/session' }, { $ref: '#/$defs/delivery' }],
    $defs,
  }
}
