/** A session that failed and the delivery it belongs to, with everything in them that documents can have; text from outside included. */
import type { DeliveryDocument, SessionDocument } from '../evidence.ts'
import { failureEvidence, timestamp, verdictEvidence } from '../evidence-of.ts'
import type { Failure } from '../failure.ts'
import { findingFor } from '../findings.ts'
import { planFor } from '../plan-rules.ts'

const plan = planFor({ level: 'verify', host: 'mail.dev.example', from: 'operator', implicitTls: false })
const at = timestamp(Date.UTC(2026, 10, 21, 10))

const mismatch: Failure = {
  reason: 'x509.name-mismatch',
  detail: 'wanted mail.dev.example; it carries \u001b[2Jevil.example',
  reply: null,
}

export const session: SessionDocument = {
  schema: 'hermetic.session/1',
  id: 's1',
  at,
  host: 'mail.dev.example',
  address: '192.0.2.6',
  port: 25,
  plan,
  dns: [
    {
      name: 'mail.dev.example',
      type: 'A',
      answer: 'records',
      records: ['192.0.2.6'],
      aliases: ['mail.example.local'],
      security: 'unvalidated',
      because: null,
      ttlSeconds: 300,
      server: '192.0.2.53:53',
      why: null,
    },
  ],
  connected: true,
  tls: {
    outcome: 'established',
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    group: 'ECDH X25519 253',
    sni: 'mail.dev.example',
    chain: [
      {
        position: 0,
        subject: 'CN=evil\u202e.example',
        issuer: 'CN=Test root',
        names: [{ type: 'dns', value: 'evil.example' }],
        keyUsage: ['digitalSignature'],
        notBefore: at,
        notAfter: at,
        key: 'EC P-256',
        sha256: '00',
      },
    ],
    sent: 1,
    dane: null,
    path: {
      certificates: [
        { position: 0, subject: 'CN=evil\u202e.example' },
        { position: null, subject: 'CN=Test root' },
      ],
      failure: null,
    },
    openssl: { authorized: true, error: null },
    failure: null,
  },
  smtp: {
    greeting: { code: 220, enhanced: null, text: 'hello\r\n\u001b]0;title\u0007' },
    offered: { clear: ['PIPELINING', 'STARTTLS'], tls: null },
  },
  verdict: verdictEvidence({ kind: 'refused', failure: mismatch }, plan, 'mail.dev.example'),
  failure: failureEvidence(mismatch),
  findings: [findingFor(mismatch, 'mail.dev.example')],
  ms: { connect: 1.2, greeting: 3, handshake: 12.5 },
}

export const delivery: DeliveryDocument = {
  schema: 'hermetic.delivery/1',
  id: 'd1',
  message: '01k9v3p0c2ma7',
  at,
  attempt: 2,
  from: 'sender@example.org',
  nextHop: 'mail.dev.example',
  route: 'partner',
  recipients: [
    { address: 'one@example.net', outcome: 'deferred', failure: failureEvidence(mismatch), reply: null },
    {
      address: 'two@example.net\u202e',
      outcome: 'failed',
      failure: {
        code: 'smtp.recipient-refused-for-good',
        detail: null,
        reply: { code: 550, enhanced: '5.1.1', text: 'no\u001b[31m such user' },
      },
      reply: { code: 550, enhanced: '5.1.1', text: 'no\u001b[31m such user' },
    },
    {
      address: 'three@example.net',
      outcome: 'delivered',
      failure: null,
      reply: { code: 250, enhanced: '2.0.0', text: 'taken' },
    },
  ],
  sessions: ['s1'],
  host: 'mail.dev.example',
  address: '192.0.2.6',
  port: 25,
  verdict: verdictEvidence({ kind: 'refused', failure: mismatch }, plan, 'mail.dev.example'),
  planned: { level: plan.level, name: plan.name },
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  findings: [findingFor(mismatch, 'mail.dev.example')],
  nextAttempt: at,
  ms: 20,
}
