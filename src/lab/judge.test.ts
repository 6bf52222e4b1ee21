import { describe, expect, test } from 'vitest'
import type { DeliveryDocument, RecipientOutcome, SessionDocument } from '../judgement/evidence.ts'
import type { ReasonCode } from '../judgement/failure.ts'
import type { Visit } from './host.ts'
import { judge, traceBefore } from './judge.ts'
import { type Observation, submissionFor } from './play.ts'
import { type Scenario, scenarios } from './scenarios.ts'

function scenario(name: string): Scenario {
  const found = scenarios.find(candidate => candidate.name === name)
  if (found === undefined) throw new Error(`no scenario ${name}`)
  return found
}

const at = '2026-11-21T12:00:00.000Z'
const received = Buffer.from(
  'Received: from client.example\r\n\tby relay.example; Sat, 21 Nov 2026 12:00:00 +0000\r\n',
)

function session(change: Partial<SessionDocument> = {}): SessionDocument {
  return {
    schema: 'hermetic.session/1',
    id: 's1',
    at,
    host: 'mail.dev.example',
    address: '192.0.2.6',
    port: 25,
    plan: {
      level: 'verify',
      starttls: 'required',
      implicitTls: false,
      least: { name: 'configured', peer: 'pkix' },
      name: 'configured',
      references: [{ name: 'mail.dev.example', from: 'operator' }],
      sni: 'mail.dev.example',
      dane: null,
    },
    dns: [],
    connected: true,
    tls: null,
    smtp: { greeting: null, offered: { clear: null, tls: null } },
    verdict: {
      kind: 'authenticated',
      name: 'configured',
      peer: 'pkix',
      matched: '*.dev.example',
      record: null,
      says: '',
    },
    failure: null,
    findings: [],
    ms: { connect: 1, greeting: 1, handshake: 1 },
    ...change,
  }
}

function delivery(outcome: RecipientOutcome['outcome'], code: ReasonCode | null): DeliveryDocument {
  return {
    schema: 'hermetic.delivery/1',
    id: 'd1',
    message: '01k9v3p0c2ma7',
    at,
    attempt: 1,
    from: 'alice@sender.example',
    nextHop: '',
    route: '',
    recipients: [
      {
        address: 'bob@dev.example',
        outcome,
        failure: code === null ? null : { code, detail: null, reply: null },
        reply: null,
      },
    ],
    sessions: ['s1'],
    host: null,
    address: null,
    port: null,
    verdict: null,
    planned: null,
    tls: null,
    findings: [],
    nextAttempt: null,
    ms: 1,
  }
}

function visitAt(host: string): Visit {
  return {
    host,
    transcript: [],
    tls: null,
    clear: ['EHLO x', 'STARTTLS'],
    secured: [],
    afterInjection: 0,
    atMs: Date.UTC(2026, 10, 21),
    tlsError: null,
  }
}

function delivered(of: Scenario): Observation {
  const submission = submissionFor(of)
  return {
    submission,
    submitted: {
      reply: { code: 250, lines: ['2.0.0 Kept as 01k9v3p0c2ma7'] },
      to: 'content',
      accepted: true,
      tls: 'TLSv1.3',
      transcript: [],
    },
    injection: null,
    broke: null,
    message: '01k9v3p0c2ma7',
    life: [],
    deliveries: [delivery('delivered', null)],
    sessions: [session()],
    arrivals: [
      {
        host: 'mail.example.local',
        from: submission.from,
        recipients: submission.to,
        parameters: '',
        content: Buffer.concat([received, submission.content]),
        tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', sni: 'mail.dev.example' },
        helo: 'relay.hermetic.example',
      },
    ],
    returned: [],
    visits: [],
    asked: [],
    incidents: [],
    ms: 1,
  }
}

describe('case 3, held against what happened', () => {
  const alias = scenario('alias')
  const good = delivered(alias)
  const [arrival] = good.arrivals
  if (arrival === undefined) throw new Error('the good one arrives')
  const plan = session().plan
  const changed = Buffer.from(arrival.content)
  changed[changed.length - 4] = 0x20
  const target = { name: 'mail.example.local', from: 'operator' as const }

  test('all as expected leaves no difference', () => {
    expect(judge(alias, good)).toMatchObject({ ok: true, differences: [] })
  })

  const wrong: readonly [what: string, seen: Observation, says: string][] = [
    [
      'the SNI is the target of the alias',
      { ...good, arrivals: [{ ...arrival, tls: { version: '', cipher: '', sni: 'mail.example.local' } }] },
      'SNI',
    ],
    ['there was no TLS', { ...good, arrivals: [{ ...arrival, tls: null }] }, 'clear text'],
    ['another host has it', { ...good, arrivals: [{ ...arrival, host: 'smarthost.example' }] }, 'arrived at'],
    ['it arrived twice', { ...good, arrivals: [arrival, arrival] }, '2 times'],
    ['it arrived nowhere', { ...good, arrivals: [] }, 'nowhere'],
    [
      'an octet changed',
      {
        ...good,
        arrivals: [{ ...arrival, content: changed }],
      },
      'not what was submitted',
    ],
    [
      'no trace field was added',
      { ...good, arrivals: [{ ...arrival, content: good.submission?.content ?? Buffer.alloc(0) }] },
      'no Received',
    ],
    [
      'another recipient',
      { ...good, arrivals: [{ ...arrival, recipients: ['eve@dev.example'] }] },
      'recipients became',
    ],
    ['another sender', { ...good, arrivals: [{ ...arrival, from: '' }] }, 'sender became'],
    [
      'the name checked was the target',
      { ...good, sessions: [session({ plan: { ...plan, references: [target] } })] },
      'asked for mail.example.local',
    ],
    [
      'the target was checked too',
      { ...good, sessions: [session({ plan: { ...plan, references: [...plan.references, target] } })] },
      'asked for',
    ],
    [
      'the peer was not authenticated',
      {
        ...good,
        sessions: [
          session({
            verdict: {
              kind: 'encrypted',
              name: 'configured',
              peer: 'encrypted',
              matched: null,
              record: null,
              says: '',
            },
          }),
        ],
      },
      'encrypted',
    ],
    ['nothing was written down', { ...good, sessions: [] }, 'no session'],
    [
      'a connection failed before',
      { ...good, sessions: [session({ failure: { code: 'net.refused', detail: null, reply: null } }), session()] },
      'net.refused',
    ],
    ['it was deferred', { ...good, deliveries: [delivery('deferred', 'x509.name-mismatch')] }, 'deferred'],
    ['it was not accepted', { ...good, message: null }, 'not accepted'],
    ['the conversation broke', { ...good, broke: 'reset' }, 'broke off'],
  ]
  test.each(wrong)('%s: told', (_, seen, says) => {
    const judgement = judge(alias, seen)
    expect(judgement.ok).toBe(false)
    expect(judgement.differences.join('; ')).toContain(says)
  })
})

describe('case 2, held against what happened', () => {
  const nine = scenario('nine-records')
  const expected = nine.expect
  if (expected.outcome !== 'delivered') throw new Error('case 2 is delivered')
  const base = delivered(nine)
  const [first] = base.arrivals
  if (first === undefined) throw new Error('the good one arrives')
  const owner = '_25._tcp.mx06.et.example'
  const records = { kind: 'records', base: 'mx06.et.example', from: 'host', owner, aliases: [] } as const
  const plan: SessionDocument['plan'] = {
    level: 'dane',
    starttls: 'required',
    implicitTls: false,
    least: { name: 'secure-mx', peer: 'dane-ta' },
    name: 'secure-mx',
    references: [
      { name: 'mx06.et.example', from: 'mx-name' },
      { name: 'et.example', from: 'recipient-domain' },
    ],
    sni: 'mx06.et.example',
    dane: { ...records, records: [], asks: 'authenticate' },
  }
  const verdict = {
    kind: 'authenticated',
    name: 'secure-mx',
    peer: 'dane-ta',
    matched: 'mx06.et.example',
    record: '2 1 1 8d02',
    says: '',
  } as const
  const tls: NonNullable<SessionDocument['tls']> = {
    outcome: 'established',
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    group: null,
    sni: 'mx06.et.example',
    chain: [],
    sent: 2,
    path: null,
    dane: { records: [], record: 7, depth: 1 },
    openssl: null,
    failure: null,
  }
  const carried = (change: Partial<SessionDocument> = {}): Observation => ({
    ...base,
    arrivals: [
      { ...first, host: 'mx06.et.example', tls: { version: 'TLSv1.3', cipher: '', sni: 'mx06.et.example' } },
    ],
    asked: [
      { name: 'et.example', type: 'MX' },
      { name: owner, type: 'TLSA' },
    ],
    sessions: [session({ plan, verdict, tls, ...change })],
  })

  test('all as expected leaves no difference', () => {
    expect(judge(nine, carried()).differences).toEqual([])
  })

  test.each<[what: string, seen: Observation, says: string]>([
    [
      'the name of the next hop is not secure',
      carried({ plan: { ...plan, name: 'unauthenticated' } }),
      'next hop',
    ],
    ['the leaf was matched', carried({ verdict: { ...verdict, peer: 'dane-ee' } }), 'peer was dane-ee'],
    [
      'another record of the nine decided',
      carried({ tls: { ...tls, dane: { records: [], record: 6, depth: 1 } } }),
      'in place 6, not in 7',
    ],
    ['a record of another kind decided', carried({ verdict: { ...verdict, record: '2 1 2 8d02' } }), '2 1 2'],
    [
      'no record decided',
      carried({ verdict: { ...verdict, record: null }, tls: { ...tls, dane: null } }),
      'not told',
    ],
    [
      'the records are those of another name',
      carried({
        plan: { ...plan, dane: { ...records, owner: '_25._tcp.et.example', records: [], asks: 'authenticate' } },
      }),
      'those of _25._tcp.et.example',
    ],
    [
      'records of another name were asked for',
      { ...carried(), asked: [{ name: '_25._tcp.et.example', type: 'TLSA' }] },
      'were asked for',
    ],
  ])('%s: told', (_, seen, says) => {
    expect(judge(nine, seen).differences.join('; ')).toContain(says)
  })

  test('what must be told beside, and is not: told', () => {
    const beside: Scenario = { ...nine, expect: { ...expected, remarks: ['dane.record-unusable'] } }
    expect(judge(beside, carried()).differences).toEqual(['nothing is told of dane.record-unusable'])
  })

  test('a record decided although none should have: told', () => {
    const unusable: Scenario = { ...nine, expect: { ...expected, record: null } }
    expect(judge(unusable, carried()).differences).toEqual(['a TLSA record decided: 2 1 1 8d02'])
  })
})

describe('TLSA records that cannot be had, held against what happened', () => {
  const servfail = scenario('tlsa-servfail')
  const good: Observation = {
    ...delivered(servfail),
    arrivals: [],
    deliveries: [delivery('deferred', 'dane.lookup-failed')],
    sessions: [],
  }

  test('deferred without a connection is as expected', () => {
    expect(judge(servfail, good).differences).toEqual([])
  })

  test.each<[what: string, seen: Observation, says: string]>([
    ['the host was called', { ...good, visits: [visitAt('mx.tlsa-servfail.example')] }, 'was called'],
    [
      'the records of the domain were asked for',
      { ...good, asked: [{ name: '_25._tcp.tlsa-servfail.example', type: 'TLSA' }] },
      'were asked for',
    ],
  ])('%s: told', (_, seen, says) => {
    expect(judge(servfail, seen).differences.join('; ')).toContain(says)
  })
})

describe('a wrong certificate, held against what happened', () => {
  const wrongName = scenario('wrong-name')
  const visit = visitAt('relay.wrong.example')
  const good: Observation = {
    ...delivered(wrongName),
    arrivals: [],
    deliveries: [delivery('deferred', 'x509.name-mismatch')],
    visits: [visit],
  }

  test('deferred without a mail command is as expected', () => {
    expect(judge(wrongName, good).differences).toEqual([])
  })

  test.each<[what: string, seen: Observation]>([
    ['a mail command inside TLS', { ...good, visits: [{ ...visit, secured: ['EHLO x', 'MAIL FROM:<>'] }] }],
    ['octets after an injection', { ...good, visits: [{ ...visit, afterInjection: 1 }] }],
    ['nobody called', { ...good, visits: [] }],
    ['it arrived', { ...good, arrivals: delivered(wrongName).arrivals }],
    ['returned at once', { ...good, deliveries: [delivery('failed', 'x509.name-mismatch')] }],
    ['another reason', { ...good, deliveries: [delivery('deferred', null)] }],
  ])('%s: told', (_, seen) => {
    expect(judge(wrongName, seen).ok).toBe(false)
  })
})

describe('an injection, held against what happened', () => {
  const injection = scenario('injection')
  const good: Observation = {
    ...delivered(injection),
    submitted: null,
    submission: null,
    message: null,
    arrivals: [],
    injection: { reply: { code: 554, lines: ['no'] }, wentIntoTls: false, hungUp: true, transcript: [] },
    incidents: [{ kind: 'incident', at, code: 'starttls.bytes-after-command', client: '127.0.0.1', says: '' }],
  }

  test('554, hung up and recorded is as expected', () => {
    expect(judge(injection, good).differences).toEqual([])
  })

  const tried = good.injection
  test.each<[what: string, seen: Observation]>([
    ['220', { ...good, injection: tried && { ...tried, reply: { code: 220, lines: [''] } } }],
    ['TLS', { ...good, injection: tried && { ...tried, wentIntoTls: true } }],
    ['went on', { ...good, injection: tried && { ...tried, hungUp: false } }],
    ['delivered', { ...good, arrivals: delivered(injection).arrivals }],
    ['not recorded', { ...good, incidents: [] }],
  ])('%s: told', (_, seen) => {
    expect(judge(injection, seen).ok).toBe(false)
  })
})

describe('trace fields before the original', () => {
  const original = Buffer.from('Subject: x\r\n\r\nReceived: not a field\r\n')
  test.each([
    ['one folded field', received.toString(), true],
    ['several', received.toString().repeat(2), true],
    ['none', '', true],
    ['another field', 'X-Spam: no\r\n', false],
    ['one that is cut', 'Received: x', false],
  ])('%s', (_, trace, fine) => {
    expect(traceBefore(original, Buffer.concat([Buffer.from(trace), original]))).toBe(fine ? trace : null)
  })

  test('an original with a changed end is not found', () => {
    expect(traceBefore(original, Buffer.concat([original, Buffer.from('\r\n')]))).toBeNull()
    expect(traceBefore(original, original.subarray(1))).toBeNull()
  })
})
