/** From what the validator found to what the walks of mail are told, and how long that is kept: with a validator that says what it is told to. */
import { describe, expect, test } from 'vitest'
import { makeRecord } from '../protocol/dns/records.ts'
import type { ValidatedAnswer } from '../protocol/dnssec/types.ts'
import { failureTtlSeconds, maxNegativeTtlSeconds, maxTtlSeconds, minTtlSeconds } from './dns-client.ts'
import { createValidatingClient } from './validating-client.ts'
import type { ResolvedAnswer } from './validating-resolver.ts'

const records = [makeRecord('mx.example', 300, { type: 'A', address: '192.0.2.25' })]
const secure: ResolvedAnswer = {
  question: { name: [], type: 1 },
  outcome: 'records',
  security: 'secure',
  endSecurity: 'secure',
  records,
  aliases: [],
  ttlSeconds: 300,
  reason: null,
  steps: [],
  server: '192.0.2.53:53',
  passes: [],
  asked: [],
}
const insecure = { security: 'insecure', endSecurity: 'insecure', reason: 'dnssec.unsigned-delegation' } as const
const bogus = {
  outcome: 'failed',
  security: 'bogus',
  endSecurity: 'bogus',
  records: [],
  ttlSeconds: null,
  reason: 'dnssec.signature-expired',
} as const
const unknown = {
  ...bogus,
  security: 'indeterminate',
  endSecurity: 'indeterminate',
  reason: 'dns.timeout',
} as const
const question = { name: 'MX.example.', type: 'A' } as const

/** A client, how often its validator was asked, and its clock. */
function client(parts: Partial<ResolvedAnswer>, timeoutMs = 10_000) {
  const state = { asked: 0, ms: 0, heard: [] as ValidatedAnswer[] }
  const made = createValidatingClient({
    resolver: {
      resolve() {
        state.asked++
        return Promise.resolve({ ...secure, ...parts })
      },
      probe: () => Promise.reject(new Error('nobody asks')),
      probeServers: () => [],
    },
    now: () => state.ms,
    timeoutMs,
    heard: answer => state.heard.push(answer),
  })
  return { state, resolve: made.resolve, close: made.close }
}

describe('an answer is kept', () => {
  test.each<[string, Partial<ResolvedAnswer>, number]>([
    ['that is secure, for its time', { ttlSeconds: 7 }, 7],
    ['that is secure and about to end, not a second longer', { ttlSeconds: 1 }, 1],
    ['that is secure for ever, for a day', { ttlSeconds: 1_000_000 }, maxTtlSeconds],
    ['that is insecure, for its time', { ...insecure, ttlSeconds: 7 }, 7],
    ['that is insecure and not meant to be kept, for a little', { ...insecure, ttlSeconds: 0 }, minTtlSeconds],
    [
      'that there is none, for an hour',
      { outcome: 'no-data', records: [], ttlSeconds: 90_000 },
      maxNegativeTtlSeconds,
    ],
    [
      'that there is none and is nobody signed, for a little',
      { ...insecure, outcome: 'no-such-name', records: [], ttlSeconds: 0 },
      minTtlSeconds,
    ],
  ])('%s', async (_, parts, seconds) => {
    const { state, resolve } = client(parts)
    expect(await resolve(question)).toMatchObject({ ttlSeconds: seconds, cached: false })
    state.ms = seconds * 1000 - 1
    expect(await resolve(question)).toMatchObject({ ttlSeconds: 1, cached: true })
    expect(state.asked).toBe(1)
    state.ms++
    expect(await resolve(question)).toMatchObject({ cached: false })
    expect(state.asked).toBe(2)
    expect(state.heard).toHaveLength(2)
  })

  test('not at all when its proof ends now', async () => {
    const { state, resolve } = client({ ttlSeconds: 0 })
    expect(await resolve(question)).toMatchObject({ security: 'secure', ttlSeconds: 0 })
    await resolve(question)
    expect(state.asked).toBe(2)
  })

  test.each([
    ['bogus', bogus],
    ['a failure', unknown],
  ])('for a little when it is %s', async (_, parts) => {
    const { state, resolve } = client(parts)
    expect(await resolve(question)).toMatchObject({ outcome: 'failed', ttlSeconds: null })
    state.ms = failureTtlSeconds * 1000 - 1
    expect(await resolve(question)).toMatchObject({ outcome: 'failed', cached: true })
    state.ms++
    await resolve(question)
    expect(state.asked).toBe(2)
  })
})

test('equal questions in flight are asked once, and each gets its own question back', async () => {
  const { state, resolve } = client({})
  const other = { ...question, name: 'mx.EXAMPLE' }
  const [one, two] = await Promise.all([resolve(question), resolve(other)])
  expect([one?.question, two?.question]).toEqual([question, other])
  expect(state.asked).toBe(1)
})

describe('a failure says in a few words', () => {
  const asked = (why: string): ResolvedAnswer['asked'][number] => ({
    question: { name: [], type: 1 },
    pass: 0,
    server: null,
    over: null,
    bytes: 0,
    ms: 0,
    rcode: null,
    flags: [],
    answers: 0,
    authorities: 0,
    signatures: 0,
    why,
  })
  test.each<[Partial<ResolvedAnswer>, string]>([
    [bogus, 'bogus: signature expired'],
    [{ ...bogus, reason: 'dnssec.denial-unproven' }, 'bogus: absence not proven'],
    [{ ...unknown, asked: [asked('timeout'), asked('SERVFAIL')] }, 'SERVFAIL'],
    [{ ...unknown, reason: 'dns.alias-loop', asked: [asked('timeout')] }, 'alias loop'],
    [{ ...unknown, reason: 'dns.lookup-failed' }, 'an answer that answers nothing'],
  ])('%#', async (parts, why) => {
    const answer = await client(parts).resolve(question)
    expect(answer).toMatchObject({ outcome: 'failed', why, reason: parts.reason, records: [] })
  })
})

describe('the reason comes in one sentence', () => {
  const steps: ResolvedAnswer['steps'] = [
    { zone: 'example', security: 'secure', reason: null, says: 'example is signed.' },
    { zone: 'x.example', security: 'insecure', reason: 'dnssec.unsigned-delegation', says: 'x.example is not.' },
    { zone: 'x.example', security: 'insecure', reason: 'dnssec.unsigned-delegation', says: 'Nothing vouches.' },
    { zone: 'example', security: 'bogus', reason: 'dnssec.signature-expired', says: 'It has expired.' },
    { zone: 'example', security: 'indeterminate', reason: 'dnssec.no-anchor', says: 'There is no anchor.' },
  ]
  test.each<[string, Partial<ResolvedAnswer>, string | null]>([
    ['when it is insecure', insecure, 'x.example is not.'],
    ['when it is bogus', bogus, 'It has expired.'],
    ['and not when it is secure', {}, null],
    [
      'and not when nothing is known',
      { ...insecure, security: 'indeterminate', reason: 'dnssec.no-anchor' },
      null,
    ],
  ])('%s', async (_, parts, because) => {
    expect((await client({ ...parts, steps }).resolve(question)).because).toBe(because)
  })
})

describe('records that cannot be read', () => {
  const short = [...records, ...records.map(record => ({ ...record, rdata: Uint8Array.of(192, 0, 2) }))]
  test('are bogus where somebody vouches for them', async () => {
    expect(await client({ records: short }).resolve(question)).toMatchObject({
      outcome: 'failed',
      security: 'bogus',
      records: [],
      ttlSeconds: null,
      reason: 'dnssec.malformed',
      why: 'malformed answer (A record)',
      because: 'A A record of the answer is signed, and cannot be read.',
    })
  })

  test.each(['insecure', 'indeterminate'] as const)('are a failed lookup where they are %s', async security => {
    expect(await client({ ...insecure, security, records: short }).resolve(question)).toMatchObject({
      outcome: 'failed',
      security: 'indeterminate',
      records: [],
      reason: 'dns.lookup-failed',
      because: null,
    })
  })
})

test('an answer without an anchor is usable, and indeterminate', async () => {
  const answer = await client({ ...insecure, security: 'indeterminate', reason: 'dnssec.no-anchor' }).resolve(
    question,
  )
  expect(answer).toMatchObject({ outcome: 'records', security: 'indeterminate', reason: 'dnssec.no-anchor' })
  expect(answer.records).toEqual([{ type: 'A', address: '192.0.2.25' }])
})

test('what is no name is not asked', async () => {
  const { state, resolve } = client({})
  expect(await resolve({ name: 'a..b', type: 'A' })).toMatchObject({
    outcome: 'failed',
    reason: 'dns.name-invalid',
  })
  expect(state.asked).toBe(0)
})

test('a question that waited for its turn too long is given up', async () => {
  const { promise, resolve: release } = Promise.withResolvers<undefined>()
  let asked = 0
  let ms = 0
  const { resolve } = createValidatingClient({
    resolver: {
      async resolve() {
        asked++
        await promise
        return secure
      },
      probe: () => Promise.reject(new Error('nobody asks')),
      probeServers: () => [],
    },
    now: () => ms,
    timeoutMs: 1_000,
  })
  const running = Array.from({ length: 201 }, (_, i) => resolve({ name: `n${i}.example`, type: 'A' }))
  // The first ones have their turn.
  await new Promise(resolve => setImmediate(resolve))
  ms = 1_001
  release(undefined)
  const answers = await Promise.all(running)
  expect(answers.filter(({ outcome }) => outcome === 'records')).toHaveLength(200)
  expect(answers[200]).toMatchObject({ outcome: 'failed', reason: 'dns.timeout' })
  expect(asked).toBe(200)
})

test('after the end nobody is asked', async () => {
  const { state, resolve, close } = client({})
  await close()
  expect(await resolve(question)).toMatchObject({ outcome: 'failed', why: 'closed' })
  expect(state.asked).toBe(0)
})
