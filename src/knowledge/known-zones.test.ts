/** What a restart costs in questions: the relay's resolver over UDP, before a signed internet, with what `knowledge.db` kept of the run before. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LabDns, startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import { createSignedWorld, type SignedWorld, worldZone } from '../lab/signing/signed-world.ts'
import type { DnsAnswer, RecordType } from '../protocol/dns/answer.ts'
import { createTrustedResolver, type TrustedResolverOptions } from '../system/trusted-resolver.ts'
import { openKnowledge } from './sqlite-knowledge.ts'

const startMs = Date.UTC(2026, 0, 15, 12)
const minute = 60_000
const topLevels = ['one', 'two', 'three', 'four', 'five']
/** A hundred mail domains below five signed zones: of ten domains seven are signed. */
const domains = Array.from({ length: 100 }, (_, i) => `domain${i}.${topLevels[i % topLevels.length] ?? ''}`)
const isSigned = (index: number) => index % 10 < 7
const mailZones = [
  ...topLevels.map(apex => worldZone(apex, [`${apex} TXT signed`], { keys: 'split' })),
  ...domains.map((apex, index) =>
    worldZone(
      apex,
      [`${apex} MX 10 mx.${apex}`, `mx.${apex} A 192.0.2.25`, `_25._tcp.mx.${apex} TLSA 3 1 1 ${'ab'.repeat(32)}`],
      isSigned(index) ? { keys: 'split' } : null,
    ),
  ),
]
const world = createSignedWorld({ zones: [...privateInternet(), ...mailZones], nowMs: startMs })

let directory: string
let nowMs: number
let dns: LabDns
let answering: SignedWorld
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'known-zones-'))
  nowMs = startMs
  answering = world
  dns = await startDns(query => answering.respond(query))
})
afterEach(async () => {
  await dns.close()
  rmSync(directory, { recursive: true })
})

interface Run {
  readonly answers: readonly DnsAnswer[]
  /** What was asked beyond the probe, as `example DNSKEY`. */
  readonly asked: readonly string[]
}

/** From start to stop of a relay's knowledge and resolver. */
async function run(questions: readonly string[], more: Partial<TrustedResolverOptions> = {}): Promise<Run> {
  const knowledge = await openKnowledge({ directory, now: () => nowMs })
  const resolver = createTrustedResolver({
    servers: [`${dns.address}:${dns.port}`],
    timeoutMs: 3_000,
    hostsFile: null,
    trust: 'validate',
    adFromAnywhere: false,
    require: false,
    insecure: [],
    anchors: world.anchorLines.ds.join('\n'),
    memory: knowledge.validation,
    proofs: knowledge.proofs,
    clock: () => nowMs,
    ...more,
  })
  await resolver.probe()
  const before = dns.asked.length
  const answers: DnsAnswer[] = []
  for (const each of questions) {
    const [name = '', type = ''] = each.split(' ')
    answers.push(await resolver.resolve({ name, type: typeOf(type) }))
  }
  const asked = dns.asked.slice(before).map(({ name, type }) => `${name} ${type}`)
  await resolver.close()
  await knowledge.close()
  return { answers, asked }
}
function typeOf(text: string): RecordType {
  const type = (['A', 'MX', 'TLSA'] as const).find(one => one === text)
  if (type === undefined) throw new Error(text)
  return type
}
const ofKeys = ({ asked }: Run) => asked.filter(each => /(DNSKEY|DS)$/.test(each))
const brief = ({ outcome, security, reason, because }: DnsAnswer) => [outcome, security, reason, because]
const mailOf = (domain: string) => [`${domain} MX`, `mx.${domain} A`, `_25._tcp.mx.${domain} TLSA`]
const some = ['mx.nsec.example A', 'mx.unsigned.example A']

test('after a restart the first hundred domains need no question for keys, and come to the same', async () => {
  const questions = domains.flatMap(mailOf)
  const first = await run(questions)
  nowMs += 10_000
  const second = await run(questions)
  expect(second.answers.map(brief)).toEqual(first.answers.map(brief))
  expect(second.answers.filter(({ security }) => security === 'secure')).toHaveLength(3 * 70)
  // A DS for each domain and each zone above, a DNSKEY for each that is signed, and for the root.
  expect([first.asked.length, ofKeys(first).length]).toEqual([481, 181])
  expect([second.asked.length, ofKeys(second).length]).toEqual([300, 0])
})

test('other domains then need only what is their own', async () => {
  await run(mailOf('domain0.one'))
  const { asked } = await run(mailOf('domain5.one'))
  expect(asked.filter(each => !each.includes('domain5'))).toEqual([])
})

test('every zone of the private internet comes to the same with what was kept as without, and what is bogus stays so', async () => {
  const questions = privateInternet().flatMap(({ apex, servers }) =>
    apex === '' || servers !== undefined ? [] : [`mx.${apex} A`, `nothing.${apex} MX`, `_25._tcp.mx.${apex} TLSA`],
  )
  const first = await run(questions)
  const second = await run(questions)
  expect(second.answers.map(brief)).toEqual(first.answers.map(brief))
  expect(new Set(second.answers.map(({ security }) => security))).toEqual(new Set(['secure', 'insecure', 'bogus']))
  expect(ofKeys(second).length).toBeLessThan(ofKeys(first).length)
})

describe('keys are asked for again', () => {
  test.each<[string, number, Partial<TrustedResolverOptions>]>([
    [
      'under another set of anchors',
      0,
      { anchors: [...world.anchorLines.ds, ...world.anchorLines.dnskey].join('\n') },
    ],
    ['under another set of negative anchors', 0, { insecure: ['somewhere.example'] }],
    ['when the clock was set back', -1, {}],
    ['when their time is over', 24 * 60 * minute, {}],
  ])('%s', async (_, laterMs, more) => {
    const first = await run(some)
    nowMs += laterMs
    const second = await run(some, more)
    expect(ofKeys(second)).toEqual(ofKeys(first))
    expect(second.answers.map(brief)).toEqual(first.answers.map(brief))
  })

  test('of a zone whose proof is damaged in the file, and of no other', async () => {
    const first = await run(some)
    const database = new DatabaseSync(join(directory, 'knowledge.db'))
    database.exec("UPDATE proof SET proof = replace(proof, 'A', 'B') WHERE zone = 'nsec.example'")
    database.close()
    const second = await run(some)
    expect(ofKeys(second)).toEqual(['nsec.example DS', 'nsec.example DNSKEY'])
    expect(second.answers.map(brief)).toEqual(first.answers.map(brief))
  })

  test('when an answer does not fit what was kept, once: keys may have been changed in a hurry', async () => {
    await run(some)
    const zones = privateInternet()
      .filter(({ apex }) => ['', 'example', 'nsec.example'].includes(apex))
      .map(zone =>
        zone.apex === 'nsec.example' ? { ...zone, signing: { ...zone.signing, algorithms: [15] } } : zone,
      )
    answering = createSignedWorld({ zones, nowMs: startMs })
    const second = await run(['mx.nsec.example A', 'nsec.example MX'])
    expect(second.answers.map(({ security }) => security)).toEqual(['secure', 'secure'])
    expect(ofKeys(second).filter(each => each === 'nsec.example DNSKEY')).toHaveLength(1)
    const third = await run(['mx.nsec.example A'])
    expect(ofKeys(third)).toEqual([])
    expect(third.answers.map(({ security }) => security)).toEqual(['secure'])
  })
})

test('a negative anchor that is new counts at once, whatever was kept of the zone', async () => {
  await run(some)
  const { answers } = await run(['mx.nsec.example A'], { insecure: ['nsec.example'] })
  expect(answers.map(brief)).toMatchObject([['records', 'insecure', 'dnssec.negative-anchor', expect.any(String)]])
  const again = await run(['mx.nsec.example A'])
  expect(again.answers.map(({ security }) => security)).toEqual(['secure'])
})
