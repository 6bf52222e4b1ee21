import { describe, expect, test } from 'vitest'
import type { IncidentEvent, LifeEvent } from '../journal/journal.ts'
import type { DeliveryDocument, SessionDocument } from '../judgement/evidence.ts'
import { findingFor } from '../judgement/findings.ts'
import { session as sample } from '../judgement/testing/documents.ts'
import { createReporter } from './reporter.ts'

const at = '2026-11-21T03:04:05.678Z'
const message = '01k9v3p0c2ma7'

const delivery = (more: Partial<DeliveryDocument>): DeliveryDocument => ({
  schema: 'hermetic.delivery/1',
  id: `${message}.0`,
  message,
  at,
  attempt: 1,
  from: 'a@example.net',
  nextHop: 'example.org',
  route: 'default',
  recipients: [],
  sessions: ['s1'],
  host: 'mx.example.org',
  address: '192.0.2.9',
  port: 25,
  verdict: {
    kind: 'authenticated',
    name: 'unauthenticated',
    peer: 'pkix',
    matched: 'mx.example.org',
    record: null,
    says: '',
  },
  planned: { level: 'verify', name: 'unauthenticated' },
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  findings: [],
  nextAttempt: null,
  ms: 12,
  ...more,
})

const accepted = (more: Partial<Extract<LifeEvent, { kind: 'accepted' }>> = {}): LifeEvent => ({
  kind: 'accepted',
  at,
  message,
  from: 'a@example.net',
  recipients: ['b@example.org'],
  sizeBytes: 1234,
  via: 'esmtps',
  client: '192.0.2.7',
  helo: 'mail.example.net',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  ...more,
})

const refusal = {
  code: 'smtp.recipient-refused-for-now',
  detail: null,
  reply: { code: 450, enhanced: '4.2.0', text: 'busy\ntry later' },
} as const

function told(events: readonly (LifeEvent | IncidentEvent)[], format: 'human' | 'json' = 'human') {
  const lines: string[] = []
  const counters: Record<string, number> = {}
  const recorded: unknown[] = []
  const reporter = createReporter({
    journal: { record: event => recorded.push(event), keep: document => recorded.push(document) },
    knowledge: {
      count: (counter, by = 1) => {
        counters[counter] = (counters[counter] ?? 0) + by
      },
    },
    log: line => lines.push(line),
    format,
    now: () => Date.parse(at),
  })
  for (const event of events) reporter.event(event)
  return { lines, counters, recorded, reporter }
}

describe('the log for people', () => {
  test('says where a message came from', () => {
    expect(told([accepted()]).lines).toEqual([
      `${at} ${message} <= a@example.net H=mail.example.net [192.0.2.7] P=esmtps X=TLSv1.3:TLS_AES_256_GCM_SHA384 S=1234`,
    ])
    expect(told([accepted({ from: '', client: null, helo: null, tls: null, via: 'dsn' })]).lines).toEqual([
      `${at} ${message} <= <> P=dsn S=1234`,
    ])
  })

  test('says for each recipient what became of it, and both axes of every host', () => {
    const failure = {
      reason: refusal.code,
      detail: null,
      reply: { code: 450, enhanced: '4.2.0', lines: ['busy'] },
    } as const
    const { lines } = told([
      {
        kind: 'attempted',
        at,
        message,
        delivery: delivery({
          recipients: [
            {
              address: 'b@example.org',
              outcome: 'delivered',
              failure: null,
              reply: { code: 250, enhanced: '2.0.0', text: 'queued "as" 7' },
            },
            { address: 'c@example.org', outcome: 'deferred', failure: refusal, reply: refusal.reply },
            { address: 'd@example.org', outcome: 'failed', failure: refusal, reply: refusal.reply },
          ],
          findings: [findingFor(failure, 'mx.example.org')],
          nextAttempt: '2026-11-21T03:09:05.678Z',
        }),
      },
    ])
    const where =
      'R=default H=mx.example.org [192.0.2.9]:25 N=unauthenticated V=pkix X=TLSv1.3:TLS_AES_256_GCM_SHA384'
    expect(lines[0]).toBe(`${at} ${message} => b@example.org ${where} C="250 2.0.0 queued 'as' 7"`)
    expect(lines[1]).toMatch(
      / == c@example\.org R=default H=.* smtp\.recipient-refused-for-now: mx\.example\.org did not take/,
    )
    expect(lines[1]).toMatch(/450 4\.2\.0 busy.* next=2026-11-21T03:09:05\.678Z$/)
    expect(lines[2]).toMatch(/ \*\* d@example\.org R=default H=mx\.example\.org /)
  })

  test.each([
    [
      { kind: 'refused', name: 'configured', peer: null, matched: null, record: null, says: 'Refused.' } as const,
      'N=configured V=refused L=verify',
    ],
    [null, 'N=unauthenticated V=- L=verify'],
  ])('says of a host that got no mail how it was judged, or that it was not', (verdict, fields) => {
    const { lines } = told([
      {
        kind: 'attempted',
        at,
        message,
        delivery: delivery({
          verdict,
          tls: null,
          recipients: [{ address: 'd@example.org', outcome: 'deferred', failure: null, reply: null }],
        }),
      },
    ])
    expect(lines[0]).toContain(` H=mx.example.org [192.0.2.9]:25 ${fields} `)
  })

  test.each([
    [{ level: 'encrypt', name: 'configured' } as const, 'N=configured V=- L=encrypt'],
    // The DNS told no host, or a route rejects the mail: then there is no name to know, or nothing was asked either.
    [{ level: 'opportunistic', name: null } as const, 'N=- V=- L=opportunistic'],
    [null, 'N=- V=-'],
  ])('names the next hop and both axes when no host answered', (planned, fields) => {
    const { lines } = told([
      {
        kind: 'attempted',
        at,
        message,
        delivery: delivery({
          host: null,
          address: null,
          port: null,
          verdict: null,
          planned,
          tls: null,
          recipients: [
            {
              address: 'b@example.org',
              outcome: 'failed',
              failure: { code: 'dns.null-mx', detail: null, reply: null },
              reply: null,
            },
          ],
        }),
      },
    ])
    expect(lines[0]).toContain(` ** b@example.org R=default T=example.org ${fields} dns.null-mx: `)
  })

  test('tells of notices, completion, removal, incidents and the relay itself', () => {
    const { lines, reporter } = told([
      { kind: 'returned', at, message, dsn: '01k9v3p0c2ma8', recipients: ['b@example.org'] },
      { kind: 'completed', at, message },
      { kind: 'removed', at, message },
      { kind: 'incident', at, code: 'starttls.bytes-after-command', client: '192.0.2.7', says: '12 bytes' },
    ])
    reporter.notice('warning', 'disk is nearly full')
    expect(lines).toEqual([
      `${at} ${message} returned to its sender as 01k9v3p0c2ma8: b@example.org`,
      `${at} ${message} Completed`,
      `${at} ${message} removed by the operator`,
      `${at} incident starttls.bytes-after-command [192.0.2.7]: 12 bytes`,
      `${at} warning: disk is nearly full`,
    ])
  })
})

const evil = 'x\x1b[31m\r\n2026-11-21 forged => line\u202egnp.exe\u0085\u2028 C="250"'
const evilEvents: readonly (LifeEvent | IncidentEvent)[] = [
  accepted({ from: evil, helo: evil, client: evil, tls: evil, via: evil }),
  {
    kind: 'attempted',
    at,
    message,
    delivery: delivery({
      host: evil,
      address: evil,
      tls: evil,
      route: evil,
      recipients: (['delivered', 'deferred', 'failed'] as const).map(outcome => ({
        address: evil,
        outcome,
        failure: { ...refusal, detail: evil, reply: { ...refusal.reply, text: evil } },
        reply: { code: 250, enhanced: null, text: evil },
      })),
    }),
  },
  { kind: 'returned', at, message, dsn: message, recipients: [evil] },
  { kind: 'incident', at, code: 'x', client: evil, says: evil },
]
const dangerous = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

test('ESC, CR LF and bidi never reach a log for people, and an address cannot pretend to be a field', () => {
  const { lines, reporter } = told(evilEvents)
  reporter.notice('error', evil)
  expect(lines).toHaveLength(7)
  for (const line of lines) expect(line).not.toMatch(dangerous)
  expect(lines[0]).toContain('\\x1b[31m\\r\\n2026-11-21\\x20forged')
})

test('JSON lines are one object each, harmless on a terminal, and say what was', () => {
  const { lines, reporter } = told(evilEvents, 'json')
  reporter.notice('info', evil)
  expect(lines).toHaveLength(5)
  for (const line of lines) expect(line).not.toMatch(dangerous)
  expect(lines.slice(0, 4).map(line => JSON.parse(line) as unknown)).toEqual(evilEvents)
  expect(JSON.parse(lines[4] ?? '')).toEqual({ kind: 'notice', at, severity: 'info', text: evil })
})

test('everything told is recorded and counted', () => {
  const events: readonly (LifeEvent | IncidentEvent)[] = [
    accepted(),
    { kind: 'completed', at, message },
    ...evilEvents,
  ]
  const { counters, recorded } = told(events)
  expect(recorded).toEqual(events)
  expect(counters).toMatchObject({
    'messages.accepted': 2,
    'bytes.accepted': 2468,
    'messages.completed': 1,
    'recipients.delivered': 1,
    'recipients.deferred': 1,
    'recipients.failed': 1,
    'incidents.x': 1,
  })
})

test('a fault of the journal or the log harms nobody', () => {
  const broken = () => {
    throw new Error('broken')
  }
  const lines: string[] = []
  const parts = { knowledge: { count: () => {} }, format: 'human' as const, now: () => Date.parse(at) }
  createReporter({ ...parts, journal: { record: broken, keep: broken }, log: line => lines.push(line) }).event(
    accepted(),
  )
  expect(lines).toEqual([`${at} error: reporting failed: broken`])
  const mute = createReporter({ ...parts, journal: { record: () => {}, keep: () => {} }, log: broken })
  expect(() => mute.event(accepted())).not.toThrow()
  expect(() => mute.notice('info', 'x')).not.toThrow()
})

test('sessions are kept and counted, and those that failed have a line', () => {
  const { reporter, recorded, counters, lines } = told([])
  const session = (more: Partial<SessionDocument>): SessionDocument => ({ ...sample, ...more })
  const good = session({ id: 's', failure: null })
  const bad = session({
    id: 't',
    at,
    host: 'mx1.example.org',
    address: '192.0.2.8',
    port: 25,
    plan: { ...sample.plan, level: 'verify', name: 'configured' },
    verdict: null,
    tls: null,
    failure: { code: 'net.refused', detail: 'ECONNREFUSED\x1b', reply: null },
    findings: [],
  })
  const judged = {
    ...bad,
    verdict: {
      kind: 'refused',
      name: 'configured',
      peer: null,
      matched: null,
      record: null,
      says: 'Refused.',
    } as const,
    tls: sample.tls,
  }
  const left = {
    ...judged,
    verdict: {
      kind: 'authenticated',
      name: 'configured',
      peer: 'pkix',
      matched: null,
      record: null,
      says: 'Good.',
    } as const,
  }
  reporter.session(good)
  reporter.session(bad)
  reporter.session(judged)
  reporter.session(left)
  expect(recorded).toEqual([good, bad, judged, left])
  expect(counters).toEqual({ 'sessions.served': 1, 'sessions.failed': 3 })
  const host = `${at} host mx1.example.org [192.0.2.8]:25 N=configured`
  const why = 'failed net.refused: ECONNREFUSED\\x1b'
  const suite = 'X=TLSv1.3:TLS_AES_256_GCM_SHA384'
  expect(lines).toEqual([
    `${host} V=- L=verify ${why}`,
    `${host} V=refused L=verify ${suite} ${why}`,
    `${host} V=pkix ${suite} ${why}`,
  ])
})

test('a line about a failed session has the time of the failure, so that times rise from line to line', () => {
  const began = '2026-11-21T03:04:00.000Z'
  const failed: SessionDocument = {
    ...sample,
    id: 't',
    at: began,
    host: 'mx1.example.org',
    address: '192.0.2.8',
    port: 25,
    plan: { ...sample.plan, level: 'dane', name: 'unauthenticated' },
    verdict: null,
    tls: null,
    findings: [],
    failure: { code: 'net.timeout', detail: null, reply: null },
  }
  for (const format of ['human', 'json'] as const) {
    const { reporter, lines, recorded } = told([accepted()], format)
    reporter.session(failed)
    const times = lines.map(line => /2026-[^ "]+Z/.exec(line)?.[0])
    expect(times).toEqual([at, at])
    expect(recorded[1]).toMatchObject({ at: began })
    if (format === 'json') expect(JSON.parse(lines[1] ?? '')).toMatchObject({ kind: 'session', at, began })
  }
})
