import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeliveryDocument, RecipientOutcome, SessionDocument } from '../judgement/evidence.ts'
import type { IncidentEvent, Journal, JournalReader, LifeEvent } from './journal.ts'
import { openJournalReader } from './journal-reader.ts'
import { openJournal } from './sqlite-journal.ts'

let directory: string
let nowMs: number
let journal: Journal
let reader: JournalReader
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'))
  nowMs = 1_800_000_000_000
  reader = openJournalReader({ directory })
  journal = await open()
})
afterEach(async () => {
  reader.close()
  await journal.close()
  rmSync(directory, { recursive: true })
})

function open(limits = {}): Promise<Journal> {
  return openJournal({ directory, now: () => nowMs, limits })
}

const at = '2027-01-15T08:00:00.000Z'

function accepted(message: string, recipients = ['to@example.net']): LifeEvent {
  return {
    kind: 'accepted',
    at,
    message,
    from: 'from@example.org',
    recipients,
    sizeBytes: 4096,
    via: 'smtp',
    client: '192.0.2.9',
    helo: 'client.example',
    tls: null,
  }
}

function delivery(
  id: string,
  message: string,
  outcomes: readonly RecipientOutcome['outcome'][],
): DeliveryDocument {
  return {
    schema: 'hermetic.delivery/1',
    id,
    message,
    at,
    attempt: 1,
    from: 'from@example.org',
    nextHop: 'example.net',
    route: 'default',
    recipients: outcomes.map((outcome, index) => ({
      address: `r${index}@example.net`,
      outcome,
      failure:
        outcome === 'delivered'
          ? null
          : { code: 'net.timeout', detail: null, reply: { code: 451, enhanced: '4.3.0', text: 'later' } },
      reply: outcome === 'delivered' ? { code: 250, enhanced: '2.0.0', text: 'Ok' } : null,
    })),
    sessions: ['s1'],
    host: 'mx.example.net',
    address: '192.0.2.25',
    port: 25,
    verdict: null,
    planned: { level: 'opportunistic', name: 'unauthenticated' },
    tls: null,
    findings: [],
    nextAttempt: null,
    ms: 12,
  }
}

function attempted(id: string, message: string, outcomes: readonly RecipientOutcome['outcome'][]): LifeEvent {
  return { kind: 'attempted', at, message, delivery: delivery(id, message, outcomes) }
}

function session(id: string, changes: Partial<SessionDocument> = {}): SessionDocument {
  return {
    schema: 'hermetic.session/1',
    id,
    at,
    host: 'mx.example.net',
    address: '192.0.2.25',
    port: 25,
    plan: {
      level: 'opportunistic',
      starttls: 'if-offered',
      implicitTls: false,
      least: { name: 'unauthenticated', peer: 'clear' },
      name: 'unauthenticated',
      references: [{ name: 'mx.example.net', from: 'mx-name' }],
      sni: 'mx.example.net',
      dane: null,
    },
    dns: [
      {
        name: 'mx.example.net',
        type: 'A',
        answer: 'records',
        records: ['192.0.2.25'],
        aliases: [],
        security: 'unvalidated',
        because: null,
        ttlSeconds: 300,
        server: '192.0.2.53:53',
        why: null,
      },
    ],
    connected: true,
    tls: null,
    smtp: {
      greeting: { code: 220, enhanced: null, text: 'mx.example.net ESMTP' },
      offered: { clear: ['PIPELINING'], tls: null },
    },
    verdict: null,
    failure: null,
    findings: [],
    ms: { connect: 1, greeting: 2, handshake: null },
    ...changes,
  }
}

const incident = (code: string): IncidentEvent => ({ kind: 'incident', at, code, client: '192.0.2.66', says: 'x' })

test('a reader finds nothing while there is no journal, and what is written once there is one', async () => {
  const elsewhere = openJournalReader({ directory: join(directory, 'none') })
  expect(elsewhere.recent(10, null)).toEqual([])
  expect(elsewhere.life('m')).toEqual([])
  expect(elsewhere.delivery('d')).toBeNull()
  expect(elsewhere.session('s')).toBeNull()
  expect(elsewhere.incidents(5)).toEqual([])
  elsewhere.close()
  // This one was opened before the journal was made.
  expect(reader.recent(10, null)).toEqual([])
  journal.record(accepted('m1'))
  await journal.flush()
  expect(reader.recent(10, null)).toHaveLength(1)
})

test('a life is told in its order and just as it was recorded, with the documents it refers to', async () => {
  const life: LifeEvent[] = [
    accepted('m1'),
    attempted('d1', 'm1', ['deferred']),
    attempted('d2', 'm1', ['delivered']),
    { kind: 'completed', at, message: 'm1' },
  ]
  for (const event of life) journal.record(event)
  journal.record(accepted('m2'))
  journal.keep(session('s1'))
  await journal.flush()
  expect(reader.life('m1')).toEqual(life)
  expect(reader.life('m3')).toEqual([])
  expect(reader.delivery('d2')).toEqual(delivery('d2', 'm1', ['delivered']))
  expect(reader.delivery('d3')).toBeNull()
  expect(reader.session('s1')).toEqual(session('s1'))
})

describe('recent messages', () => {
  test('come newest first, no more than asked for, and can be searched by sender, recipient and id', async () => {
    for (let i = 0; i < 5; i++) journal.record(accepted(`m${i}`, [`Name${i}@example.net`]))
    await journal.flush()
    expect(reader.recent(2, null).map(one => one.message)).toEqual(['m4', 'm3'])
    expect(reader.recent(0, null)).toEqual([])
    expect(reader.recent(10, 'name3').map(one => one.message)).toEqual(['m3'])
    expect(reader.recent(10, 'FROM@').map(one => one.message)).toEqual(['m4', 'm3', 'm2', 'm1', 'm0'])
    expect(reader.recent(10, 'm2').map(one => one.message)).toEqual(['m2'])
    expect(reader.recent(10, '%')).toEqual([])
  })

  test.each<[string, LifeEvent[], string, RegExp]>([
    ['queued', [], 'queued', /^waits for its first attempt$/],
    [
      'deferred',
      [attempted('d', 'm', ['delivered', 'deferred'])],
      'deferred',
      /^deferred r1@.* at mx.example.net \[192.0.2.25\]: 451 4.3.0 later$/,
    ],
    [
      'delivered',
      [
        attempted('d', 'm', ['deferred']),
        attempted('e', 'm', ['delivered', 'delivered']),
        { kind: 'completed', at, message: 'm' },
      ],
      'delivered',
      /^delivered to r0@example.net and 1 more at .*: 250 2.0.0 Ok$/,
    ],
    [
      'returned',
      [
        attempted('d', 'm', ['failed']),
        { kind: 'returned', at, message: 'm', dsn: 'n', recipients: ['r0@example.net'] },
        { kind: 'completed', at, message: 'm' },
      ],
      'returned',
      /^returned to its sender with n for r0@example.net$/,
    ],
    [
      'failed, with nobody to return it to',
      [attempted('d', 'm', ['failed']), { kind: 'completed', at, message: 'm' }],
      'failed',
      /^failed r0@example.net at /,
    ],
    [
      'failed in an earlier attempt for one of its recipients',
      [
        attempted('d', 'm', ['failed', 'deferred']),
        attempted('e', 'm', ['delivered']),
        { kind: 'completed', at, message: 'm' },
      ],
      'failed',
      /^delivered to r0@/,
    ],
    ['removed', [{ kind: 'removed', at, message: 'm' }], 'removed', /operator/],
  ])('say where a message stands: %s', async (_, events, state, says) => {
    for (const event of [accepted('m'), ...events]) journal.record(event)
    await journal.flush()
    expect(reader.recent(1, null)).toEqual([
      expect.objectContaining({ message: 'm', state, says: expect.stringMatching(says) }),
    ])
  })
})

describe('the evidence of sessions', () => {
  function stored(): unknown {
    const database = new DatabaseSync(join(directory, 'journal.db'), { readOnly: true })
    const { n } = database.prepare('SELECT count(*) AS n FROM content').get() ?? {}
    database.close()
    return n
  }

  test('is stored once when only times, cache and the text of the greeting differ, and read back as it was', async () => {
    const documents = Array.from({ length: 50 }, (_, i) =>
      session(`s${i}`, {
        at: new Date(nowMs + i).toISOString(),
        ms: { connect: i, greeting: null, handshake: 2 * i },
        dns: session('').dns.map(one => ({ ...one, ttlSeconds: i, server: i === 0 ? null : 'cache' })),
        smtp: { ...session('').smtp, greeting: { code: 220, enhanced: null, text: `mx ESMTP ${i}` } },
      }),
    )
    for (const document of documents) journal.keep(document)
    await journal.flush()
    expect(stored()).toBe(1)
    for (const document of documents) expect(reader.session(document.id)).toEqual(document)
  })

  test('is stored anew when it differs in what counts, and across a restart not again', async () => {
    const failed = session('s2', { failure: { code: 'net.reset', detail: null, reply: null }, connected: false })
    const silent = session('s3', { smtp: { greeting: null, offered: { clear: null, tls: null } } })
    for (const document of [session('s1'), failed, silent]) journal.keep(document)
    await journal.close()
    journal = await open()
    journal.keep(session('s4'))
    journal.keep({ ...failed, id: 's5' })
    await journal.flush()
    expect(stored()).toBe(3)
    expect(reader.session('s2')).toEqual(failed)
    expect(reader.session('s3')).toEqual(silent)
    expect(reader.session('s5')).toEqual({ ...failed, id: 's5' })
  })
})

test('what was last seen of an address of a host is its newest session, whatever came of it', async () => {
  const where = { host: 'mx.example.net', address: '192.0.2.25', port: 25 }
  expect(reader.lastSeen(where)).toBeNull()
  const here = (id: string, differing: Partial<SessionDocument> = {}) => session(id, { ...where, ...differing })
  const failed = here('s3', { failure: { code: 'net.reset', detail: null, reply: null }, connected: false })
  for (const document of [here('s1'), here('s2', { at: '2027-01-15T09:00:00.000Z' }), failed])
    journal.keep(document)
  for (const other of [{ host: 'mx2.example.net' }, { address: '192.0.2.26' }, { port: 465 }])
    journal.keep(here(`other${JSON.stringify(other)}`, other))
  await journal.flush()
  expect(reader.lastSeen(where)).toEqual(failed)
  journal.keep(here('s4'))
  await journal.flush()
  expect(reader.lastSeen(where)).toEqual(here('s4'))
})

describe('bounds', () => {
  test('when the writer cannot keep up the oldest go, and an incident says how many', async () => {
    // All in one turn: the writer has no chance.
    for (let i = 0; i < 60_000; i++) journal.record(incident(`i${i}`))
    await journal.flush()
    await journal.flush()
    const incidents = reader.incidents(100_000)
    const says = incidents.find(one => one.code === 'journal.dropped')?.says ?? ''
    const lost = Number(says.split(' ')[0])
    expect(lost).toBeGreaterThan(0)
    expect(incidents.length - 1).toBe(60_000 - lost)
    const codes = new Set(incidents.map(one => one.code))
    expect(codes.has('i59999')).toBe(true)
  })

  test('what is too old is forgotten', async () => {
    for (let i = 0; i < 3000; i++) journal.record(accepted(`old${i}`))
    journal.keep(session('old'))
    await journal.flush()
    nowMs += 32 * 86_400_000
    journal.keep(session('new', { host: 'other.example' }))
    await journal.flush()
    for (let i = 0; i < 2000; i++) journal.record(incident('new'))
    await journal.flush()
    journal.record(accepted('last'))
    await journal.flush()
    expect(reader.recent(10, null).map(one => one.message)).toEqual(['last'])
    expect(reader.session('old')).toBeNull()
    expect(reader.session('new')).toEqual(session('new', { host: 'other.example' }))
  })

  test('of too many the oldest are forgotten', async () => {
    await journal.close()
    journal = await open({ events: 100, sessions: 10, contents: 5 })
    for (let i = 0; i < 2500; i++) journal.record(accepted(`m${i}`))
    for (let i = 0; i < 30; i++) journal.keep(session(`s${i}`, { port: 25 + i }))
    await journal.flush()
    for (let i = 0; i < 3; i++) {
      journal.record(incident('again'))
      await journal.flush()
    }
    expect(reader.life('m2499')).toHaveLength(1)
    expect(reader.recent(10_000, null).length).toBeLessThanOrEqual(100)
    expect(reader.session('s19')).toBeNull()
    expect(reader.session('s29')).not.toBeNull()
    expect(reader.session('s24')).toBeNull()
  })
})

test('another process reads while this one writes', async () => {
  journal.record(accepted('m1'))
  await journal.flush()
  const reading = `
    import { openJournalReader } from ${JSON.stringify(join(import.meta.dirname, 'journal-reader.ts'))}
    console.log(JSON.stringify(openJournalReader({ directory: process.argv[1] }).recent(5, null)))`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', reading, directory]
  expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).toEqual(reader.recent(5, null))
})

test('incidents come newest first', async () => {
  for (const code of ['a', 'b', 'c']) journal.record(incident(code))
  await journal.flush()
  expect(reader.incidents(2).map(one => one.code)).toEqual(['c', 'b'])
})

test('recording after the end does nothing', async () => {
  await journal.close()
  journal.record(accepted('m'))
  await journal.flush()
  await journal.close()
  expect(reader.recent(1, null)).toEqual([])
})
