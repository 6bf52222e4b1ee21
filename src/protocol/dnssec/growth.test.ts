/**
 * What whoever writes a zone, or an answer, can make a validation cost: each thing that can be made more of is made more of, and the work is counted, by the
 * budget and by how often records are looked at. It grows as the thing itself does, or stops; and where it stops the answer is one that is told, never a guess.
 *
 * Hashing of NSEC3 alone is in nsec3.test.ts, of keys in keys.test.ts.
 */
import { describe, expect, test } from 'vitest'
import {
  answersOf,
  createSignedWorld,
  type Forge,
  forged,
  type SignedWorld,
  worldZone,
} from '../../lab/signing/signed-world.ts'
import type { Message, ResourceRecord } from '../dns/message.ts'
import { typeNumbers } from '../dns/numbers.ts'
import { maxAliases } from '../dns/reading.ts'
import { maxNsec3Iterations } from './nsec3.ts'
import { runValidation } from './testing/validating.ts'
import type { DnssecWork, ValidatedAnswer, WireAnswer, WireQuestion, ZoneCache } from './types.ts'
import { maxVerifications } from './verify-set.ts'
import { createZoneCache } from './zone-cache.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const
/** Of one verification with P-256, and of the most that a small RRset adds for the bytes that are signed. */
const [unit, unitWithBytes] = [3, 3.1]
/** Of a key with P-256 that is hashed: 68 bytes, in units of 4 KB and one. */
const digestUnit = 1 + 68 / 4096

interface Cost {
  readonly answer: ValidatedAnswer
  readonly spent: Readonly<Record<DnssecWork, number>>
  /** How often a field of a record was read that a server sent. */
  readonly looks: number
}

interface Costing {
  /** Changes what comes for the question itself; the way there stays honest. */
  readonly change?: (honest: Message) => Message
  readonly zones?: ZoneCache
  readonly limits?: Partial<Record<DnssecWork, number>>
}

function cost(
  world: SignedWorld,
  question: string,
  { change = same, zones = createZoneCache(), limits = {} }: Costing = {},
): Cost {
  const forge: Forge = (asked, honest) => (isAsked(asked, question) ? change(honest) : honest)
  const counter = { looks: 0 }
  const answer = answersOf(forged(world, forge))
  const validated = runValidation(question, asked => counted(answer(asked), counter), {
    anchors: world.anchors,
    nowMs,
    zones,
    limits,
  })
  return { answer: validated.answer, spent: validated.budget.spent, ...counter }
}

/** Zones whose keys are known already, so that the rest is the cost of the answer alone. */
function knowing(world: SignedWorld, ...questions: readonly string[]): ZoneCache {
  const zones = createZoneCache()
  for (const question of questions) expect(cost(world, question, { zones }).answer.security).toBe('secure')
  return zones
}

const verifications = ({ spent }: Cost) => Math.floor(spent.signatures / unit)
const digests = ({ spent }: Cost) => Math.round(spent.digests / digestUnit)
const brief = ({ answer: { outcome, security, reason } }: Cost) => ({ outcome, security, reason })
const secure = { outcome: 'records', security: 'secure', reason: null }
const overBudget = { outcome: 'failed', security: 'bogus', reason: 'dnssec.over-budget' }

describe('the depth of zones', () => {
  const apexOf = (depth: number) => Array.from({ length: depth }, () => 'z').join('.')
  const deepest = 32
  const world = createSignedWorld({
    zones: Array.from({ length: deepest }, (_, index) => apexOf(index + 1)).map(apex =>
      worldZone(apex, [`host.${apex} A 192.0.2.1`], {}),
    ),
    nowMs,
  })
  const at = (depth: number, limits: Partial<Record<DnssecWork, number>> = {}) =>
    cost(world, `host.${apexOf(depth)} A`, { limits })

  test('costs the same for every zone: its DS, its keys, one digest and two verifications', () => {
    for (const depth of [1, 2, 4, 8, 16, deepest]) {
      const found = at(depth)
      expect(brief(found)).toEqual(secure)
      // The keys of the root, and the answer itself.
      expect(found.spent.questions).toBe(2 + 2 * depth)
      expect(verifications(found)).toBe(2 + 2 * depth)
      expect(digests(found)).toBe(1 + depth)
    }
    expect(at(deepest).looks).toBeLessThan(at(deepest / 2).looks * 2)
  })

  test('ends where the budget of one answer ends, and then nothing counts', () => {
    for (const limits of [
      { questions: 2 + 2 * 20 },
      { signatures: unitWithBytes * (2 + 2 * 20) },
      { digests: 22 },
    ]) {
      expect(brief(at(20, limits))).toEqual(secure)
      for (const depth of [24, deepest]) {
        expect(brief(at(depth, limits))).toEqual(overBudget)
        expect(at(depth, limits).answer.records).toEqual([])
      }
    }
  })

  test('costs nothing again once the keys are known', () => {
    const zones = knowing(world, `host.${apexOf(deepest)} A`)
    expect(cost(world, `host.${apexOf(deepest)} A`, { zones }).spent).toMatchObject({ questions: 1, digests: 0 })
  })
})

describe('aliases, each in a zone of its own', () => {
  const length = maxAliases + 4
  const world = createSignedWorld({
    zones: Array.from({ length: length + 1 }, (_, index) =>
      worldZone(
        `zone${index}`,
        [index === length ? `host.zone${index} A 192.0.2.1` : `host.zone${index} CNAME host.zone${index + 1}`],
        {},
      ),
    ),
    nowMs,
  })
  const through = (aliases: number, change: (honest: Message) => Message) =>
    cost(world, `host.zone${length - aliases} A`, { change })

  test.each<[string, (honest: Message) => Message, number]>([
    ['in one answer', same, 0],
    ['told one at a time', honest => ({ ...honest, answers: honest.answers.slice(0, 2), authorities: [] }), 1],
  ])('%s, cost the same for each: a zone and a verification', (_, change, questionsForEach) => {
    // Only the first answer is cut, so only after the first alias is asked again.
    const zoneCost = { questions: 2, signatures: 3, digests: 1 }
    for (const aliases of [1, 2, 4, 8, maxAliases]) {
      const found = through(aliases, change)
      expect(brief(found)).toEqual(secure)
      expect(found.spent.questions).toBe(4 + questionsForEach + zoneCost.questions * aliases)
      expect(verifications(found)).toBe(4 + zoneCost.signatures * aliases)
      expect(digests(found)).toBe(2 + zoneCost.digests * aliases)
    }
  })

  test('are not followed beyond the most that are, in one answer or in many', () => {
    for (const aliases of [maxAliases + 1, length]) {
      const found = through(aliases, same)
      expect(brief(found)).toEqual({ outcome: 'failed', security: 'indeterminate', reason: 'dns.alias-loop' })
      expect(found.spent.questions).toBeLessThan(4 + 2 * (maxAliases + 2))
    }
  })
})

describe('records in one answer', () => {
  const owner = (count: number) => `_25._tcp.mx${count}.zone`
  const counts = [1, 10, 100, 500, 1_300]
  const world = createSignedWorld({
    zones: [
      worldZone(
        'zone',
        counts.flatMap(count =>
          Array.from(
            { length: count },
            (_, index) => `${owner(count)} TLSA 3 1 1 ${index.toString(16).padStart(64, '0')}`,
          ),
        ),
        {},
      ),
    ],
    nowMs,
  })
  const zones = knowing(world, 'zone SOA')

  test('of TLSA up to 64 KB cost one question, one verification, and the hashing of their bytes', () => {
    for (const count of counts) {
      const found = cost(world, `${owner(count)} TLSA`, { zones })
      expect(brief(found)).toEqual(secure)
      expect(found.answer.records).toHaveLength(count)
      expect(found.spent.questions).toBe(1)
      // 70 bytes of each are signed: 4 units for all 64 KB and what stands around them.
      expect(found.spent.signatures).toBeLessThan(unitWithBytes + (count * 75) / 16_384)
    }
  })

  test('are looked at equally often, however many there are', () => {
    const [few, many] = [100, 1_300].map(count => cost(world, `${owner(count)} TLSA`, { zones }).looks / count)
    expect(many).toBeLessThanOrEqual(few ?? 0)
  })

  test('that nobody asked for are only read', () => {
    const strangers = (count: number) =>
      Array.from({ length: count }, (_, index) => padding(`stranger${index}.zone`, typeNumbers.TXT, index))
    const at = (count: number) =>
      cost(world, `${owner(1)} TLSA`, {
        zones,
        change: honest => ({
          ...honest,
          answers: [...honest.answers, ...strangers(count)],
          authorities: strangers(count),
        }),
      })
    expect(brief(at(1_000))).toEqual(secure)
    expect(at(1_000).spent).toEqual(at(0).spent)
    expect(at(1_000).looks - at(0).looks).toBeLessThanOrEqual((at(500).looks - at(0).looks) * 2.01)
  })
})

describe('iterations of NSEC3', () => {
  const counts = [0, 1, 10, 100, maxNsec3Iterations]
  const tooMany = [maxNsec3Iterations + 1, 2_500]
  const world = createSignedWorld({
    zones: [...counts, ...tooMany].map(iterations =>
      worldZone(`z${iterations}`, [`z${iterations} TXT here`], { denial: { ...nsec3, iterations } }),
    ),
    nowMs,
  })
  const at = (iterations: number) =>
    cost(world, `a.b.nothing.z${iterations} A`, { zones: knowing(world, `z${iterations} TXT`) })

  test('cost as many hashes as there are', () => {
    const none = at(0).spent['nsec3-hashes']
    for (const iterations of counts) {
      expect(brief(at(iterations))).toEqual({ outcome: 'no-such-name', security: 'secure', reason: null })
      expect(at(iterations).spent['nsec3-hashes']).toBe(none * (1 + iterations))
    }
  })

  test('beyond the most that are done cost none, and the answer is insecure after its signature has held', () => {
    for (const iterations of tooMany) {
      const found = at(iterations)
      expect(brief(found)).toEqual({
        outcome: 'no-such-name',
        security: 'insecure',
        reason: 'dnssec.too-many-iterations',
      })
      expect(found.spent['nsec3-hashes']).toBe(0)
      expect(found.spent.signatures).toBeGreaterThan(unit)
    }
  })

  test('cost no more with hundreds of records, of which few are looked at', () => {
    const zones = knowing(world, 'z10 TXT')
    const [proof] = world.zone('z10').chain?.records ?? []
    const set = proof === undefined ? null : world.zone('z10').proof(proof)
    if (proof === undefined || set === null) throw new Error('the zone has a chain')
    const one = [...set.records, ...set.signatures]
    const more = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        one.map(record => ({
          ...record,
          name: [Buffer.from(index.toString(32).padStart(32, '0')), ...proof.name.slice(1)],
        })),
      ).flat()
    const padded = (count: number) =>
      cost(world, 'a.b.nothing.z10 A', {
        zones,
        change: honest => ({ ...honest, authorities: [...honest.authorities, ...more(count)] }),
      })
    expect(brief(padded(0)).security).toBe('secure')
    for (const count of [20, 200]) {
      expect(padded(count).spent['nsec3-hashes']).toBe(padded(0).spent['nsec3-hashes'])
      // Those that are looked at, each tried as a name that is denied, as one without the type, and for the delegations on the way.
      expect(padded(count).spent.signatures).toBe(padded(20).spent.signatures)
    }
  })
})

describe('keys that share a tag', () => {
  const counts = [0, 1, 2, 3, 15, 60]
  const world = createSignedWorld({
    zones: counts.map(keys =>
      worldZone(`z${keys}`, [`host.z${keys} A 192.0.2.1`], {
        damage: [{ kind: 'colliding-keys', keys, signatures: 1 }],
      }),
    ),
    nowMs,
  })
  const at = (keys: number) => cost(world, `host.z${keys} A`)

  test('are hashed once each for the DS that could mean any of them', () => {
    for (const keys of counts) expect(digests(at(keys))).toBe(2 + keys)
  })

  test('are tried while there are few, and cost a verification for each worthless signature', () => {
    // Both signatures are tried with all keys in the order of the set, until one holds: the one that the DS names alone for the keys themselves.
    for (const keys of [0, 1, 2, 3]) {
      const found = at(keys)
      expect(brief(found)).toEqual(secure)
      const dnskeySets = 1 + 2
      const answer = 2 * (keys + 1)
      expect(verifications(found)).toBe(dnskeySets + 1 + answer)
    }
  })

  test('are given up when they are many, at the same cost however many they are', () => {
    const bound = 4 + maxVerifications
    for (const keys of [15, 60]) {
      expect(brief(at(keys))).toEqual(overBudget)
      expect(verifications(at(keys))).toBeLessThanOrEqual(bound)
    }
  })
})

describe('signatures on one RRset', () => {
  const world = createSignedWorld({ zones: [worldZone('zone', ['host.zone A 192.0.2.1'], {})], nowMs })
  const zones = knowing(world, 'zone SOA')
  /** 64 KB of them are some 600. */
  const counts = [1, 3, maxVerifications - 1, maxVerifications, 60, 600]
  type Spoil = (rdata: Uint8Array, index: number) => void
  const withMore = (count: number, spoil: Spoil) =>
    cost(world, 'host.zone A', {
      zones,
      change(honest) {
        const [signature] = honest.answers.filter(({ type }) => type === typeNumbers.RRSIG)
        if (signature === undefined) throw new Error('not signed')
        const more = Array.from({ length: count }, (_, index) => {
          const rdata = Uint8Array.from(signature.rdata)
          spoil(rdata, index)
          return { ...signature, rdata }
        })
        return { ...honest, answers: [...more, ...honest.answers] }
      },
    })
  const changeOne: Spoil = (rdata, index) => {
    // Never by nothing: else it would be good.
    const change = index + 1
    for (const [back, by] of [
      [4, change & 0xff],
      [3, change >> 8],
    ] as const)
      rdata[rdata.length - back] = (rdata[rdata.length - back] ?? 0) ^ by
  }
  const write16 = (rdata: Uint8Array, at: number, number: number) => rdata.set([number >> 8, number & 0xff], at)

  test('that could be good are tried, up to the most that are, and beyond it the answer is bogus', () => {
    for (const count of counts) {
      const found = withMore(count, changeOne)
      expect(brief(found)).toEqual(count < maxVerifications ? secure : overBudget)
      const tried = Math.min(count + 1, maxVerifications)
      expect(verifications(found)).toBe(tried)
    }
  })

  test.each<[string, Spoil]>([
    ['of keys that the zone does not have', (rdata, index) => write16(rdata, 16, index)],
    ['that have ended', rdata => rdata.set([0x60, 0, 0, 0], 8)],
    ['of unknown algorithms', rdata => rdata.set([200], 2)],
    ['on another type', (rdata, index) => write16(rdata, 0, 1_000 + index)],
  ])('%s cost no arithmetic, and do no harm', (_, spoil) => {
    for (const count of counts) {
      const found = withMore(count, spoil)
      expect(brief(found)).toEqual(secure)
      expect(verifications(found)).toBe(1)
    }
    const [few, many] = [60, 600].map(count => withMore(count, spoil).looks)
    expect(many).toBeLessThan((few ?? 0) * 10)
  })
})

function same(message: Message): Message {
  return message
}

function isAsked({ name, type }: WireQuestion, question: string): boolean {
  const [owner, text = 'A'] = question.split(' ')
  const wanted = Object.entries(typeNumbers).find(([mnemonic]) => mnemonic === text)?.[1]
  return type === wanted && name.map(label => Buffer.from(label).toString('latin1')).join('.') === owner
}

function padding(owner: string, type: number, seed: number): ResourceRecord {
  const name = owner.split('.').map(label => Buffer.from(label))
  return {
    name,
    type,
    class: 1,
    ttlSeconds: 300,
    rdata: Buffer.from([4, ...Buffer.from(String(seed).padStart(4, '0'))]),
  }
}

/** The same records, and each look at one is counted. */
function counted(answer: WireAnswer, counter: { looks: number }): WireAnswer {
  if (answer.kind === 'failed') return answer
  const each = (record: ResourceRecord): ResourceRecord =>
    new Proxy(record, {
      get(target, key) {
        counter.looks++
        return Reflect.get(target, key)
      },
    })
  const { message } = answer
  return {
    ...answer,
    message: { ...message, answers: message.answers.map(each), authorities: message.authorities.map(each) },
  }
}
