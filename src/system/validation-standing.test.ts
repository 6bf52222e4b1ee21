/** When the servers are looked at, and what follows from what is found: with findings made up, and a clock that stands still. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DnsStanding } from '../protocol/dns/standing.ts'
import {
  createValidationMemory,
  keepStanding,
  rememberWorkedMs,
  type ServerFinding,
  type StandingKeeper,
  type StandingOptions,
  type ValidationMemory,
} from './validation-standing.ts'

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute
const dateMs = Date.UTC(2026, 0, 15, 12)

let ms: number
let probes: number
let servers: readonly string[]
let findings: readonly (ServerFinding | Promise<ServerFinding>)[]
let seen: DnsStanding[]
let useless: readonly string[]
let memory: ValidationMemory

beforeEach(() => {
  ms = 0
  probes = 0
  servers = ['192.0.2.53:53']
  findings = [found('arrives')]
  seen = []
  useless = []
  memory = createValidationMemory()
})

afterEach(() => {
  vi.useRealTimers()
})

function found(proof: ServerFinding['proof'], rest: Partial<ServerFinding> = {}): ServerFinding {
  const isThere = proof !== 'unknown'
  const tcp = isThere ? 'works' : 'unknown'
  return { server: '192.0.2.53:53', isThere, unproven: null, proof, tcp, clock: 'sane', ...rest }
}

function keeper(more: Partial<StandingOptions> = {}): StandingKeeper {
  return keepStanding({
    trust: 'validate',
    require: false,
    memory,
    servers: () => servers,
    probe() {
      probes++
      return findings.map(one => Promise.resolve(one))
    },
    now: () => ms,
    clock: () => dateMs + ms,
    onFound(all) {
      useless = all.filter(({ proof }) => proof === 'missing').map(({ server }) => server)
    },
    onStanding: standing => seen.push(standing),
    ...more,
  })
}

/** A question, when it may be asked. */
async function question(standing: StandingKeeper): Promise<DnsStanding['validation']> {
  await standing.due()
  await settled()
  return standing.standing.validation
}
const settled = () => new Promise(resolve => setImmediate(resolve))

/** After how many seconds questions, one each second, made somebody look. */
async function lookedAt(standing: StandingKeeper, seconds: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < seconds; i++) {
    const before = probes
    await question(standing)
    if (probes > before) times.push(ms / second)
    ms += second
  }
  return times
}

describe('what is found', () => {
  test.each<[string, readonly ServerFinding[], boolean, number | null, DnsStanding['validation']]>([
    ['signatures arrive', [found('arrives')], false, null, 'works'],
    ['they arrive from one of two', [found('missing'), found('arrives')], true, 0, 'works'],
    ['they arrive, and have ended', [found('arrives', { clock: 'ahead' })], false, null, 'mistimed'],
    ['they arrive, and have not begun', [found('arrives', { clock: 'behind' })], true, minute, 'mistimed'],
    [
      'they arrive, and of one have ended',
      [found('arrives', { clock: 'ahead' }), found('arrives')],
      false,
      null,
      'works',
    ],
    [
      'they have ended, or do not arrive',
      [found('missing'), found('arrives', { clock: 'ahead' })],
      false,
      null,
      'mistimed',
    ],
    ['they do not', [found('missing')], false, null, 'unavailable'],
    ['they do not, and the other is silent', [found('missing'), found('unknown')], false, null, 'unavailable'],
    ['they do not, and mail must wait', [found('missing')], true, null, 'required'],
    ['they do not, and did a minute ago', [found('missing')], false, minute, 'lost'],
    ['they do not, and did almost 30 days ago', [found('missing')], true, rememberWorkedMs - 1, 'lost'],
    ['they do not, and did 30 days ago', [found('missing')], false, rememberWorkedMs, 'unavailable'],
    ['they do not, and did when the clock was ahead', [found('missing')], false, -day, 'lost'],
    ['nobody answers', [found('unknown')], false, null, 'unknown'],
    ['nobody answers who did', [found('unknown')], true, minute, 'unknown'],
    ['nobody is to be believed', [found('not-believed')], false, null, 'unavailable'],
    ['nobody is to be believed any more', [found('not-believed')], false, minute, 'unavailable'],
    ['nobody is to be believed, and mail must wait', [found('not-believed')], true, null, 'required'],
  ])('%s', async (_, all, require, agoMs, validation) => {
    const trust = all.some(({ proof }) => proof === 'not-believed') ? 'ad' : 'validate'
    if (agoMs !== null) memory.worked(`${trust === 'ad' ? 'ad ' : ''}192.0.2.53:53`, dateMs - agoMs)
    findings = all
    const standing = keeper({ require, trust })
    expect(standing.standing).toEqual({ trust, validation: 'unknown', says: [] })
    expect(await standing.probe()).toBe(standing.standing)
    expect(standing.standing.validation).toBe(validation)
    expect(useless).toEqual(all.filter(({ proof }) => proof === 'missing').map(({ server }) => server))
    // What is wrong is always said.
    const isWell = validation === 'works' && all.length === 1 && all[0]?.clock === 'sane'
    expect(standing.standing.says.length > 0).toBe(!isWell)
  })

  test('is told when it changes, and only then', async () => {
    const standing = keeper()
    await standing.probe()
    await standing.probe()
    findings = [found('arrives', { tcp: 'fails' })]
    await standing.probe()
    await standing.probe()
    findings = [found('missing')]
    await standing.probe()
    await standing.probe()
    expect(seen.map(({ validation, says }) => `${validation} ${says.length}`)).toEqual([
      'works 0',
      'works 1',
      'lost 1',
    ])
  })
})

describe('servers that passed signatures on are remembered', () => {
  test('each by itself, and apart from their word', async () => {
    servers = ['b:53', 'a:53']
    findings = [found('arrives', { server: 'b:53' }), found('missing', { server: 'a:53' })]
    await keeper().probe()
    expect(memory.lastWorked('b:53')).toBe(dateMs)
    expect(memory.lastWorked('a:53')).toBeNull()
    expect(memory.lastWorked('ad b:53')).toBeNull()
    await keeper({ trust: 'ad' }).probe()
    expect(memory.lastWorked('ad b:53')).toBe(dateMs)
  })

  test.each([
    ['one of them alone', ['a:53'], [found('missing', { server: 'a:53' })]],
    [
      'one more beside them',
      ['a:53', 'b:53', 'c:53'],
      ['a:53', 'b:53', 'c:53'].map(server => found('missing', { server })),
    ],
    [
      'another, while they are silent',
      ['a:53', 'c:53'],
      [found('unknown', { server: 'a:53' }), found('missing', { server: 'c:53' })],
    ],
  ])('so that mail waits when they are asked as %s', async (_, asked, now) => {
    memory.worked('a:53', dateMs - minute)
    memory.worked('b:53', dateMs - minute)
    servers = asked
    findings = now
    expect(await keeper().probe()).toMatchObject({ validation: 'lost' })
  })

  test('and servers that nobody knows say nothing of others', async () => {
    memory.worked('a:53', dateMs - minute)
    servers = ['c:53']
    findings = [found('missing', { server: 'c:53' })]
    expect(await keeper().probe()).toMatchObject({ validation: 'unavailable' })
  })

  test('once an hour while they go on', async () => {
    const standing = keeper()
    await standing.probe()
    ms += 59 * minute
    standing.worked()
    expect(memory.lastWorked('192.0.2.53:53')).toBe(dateMs)
    ms += minute
    standing.worked()
    expect(memory.lastWorked('192.0.2.53:53')).toBe(dateMs + 60 * minute)
  })

  test.each([
    ['the clock is wrong', [found('arrives', { clock: 'behind' })]],
    ['they pass none on', [found('missing')]],
    ['they are silent', [found('unknown')]],
  ])('but not while %s', async (_, all) => {
    findings = all
    const standing = keeper()
    await standing.probe()
    if (standing.standing.validation !== 'works') standing.worked()
    expect(memory.lastWorked('192.0.2.53:53')).toBeNull()
  })
})

describe('servers are looked at', () => {
  test('at the first question, and never again while all is well', async () => {
    expect(await lookedAt(keeper(), 2_000)).toEqual([0])
  })

  test('every ten minutes while there is something to say', async () => {
    findings = [found('arrives', { tcp: 'fails' })]
    expect(await lookedAt(keeper(), 1_900)).toEqual([0, 600, 1_200, 1_800])
  })

  test.each(['missing', 'not-believed'] as const)(
    'every minute for ten minutes, and then every ten, while the proof is %s',
    async proof => {
      findings = [found(proof)]
      expect(await lookedAt(keeper(), 2_000)).toEqual([
        ...Array.from({ length: 11 }, (_, i) => i * 60),
        1_200,
        1_800,
      ])
    },
  )

  test('every five seconds while nobody answers', async () => {
    findings = [found('unknown')]
    expect(await lookedAt(keeper(), 12)).toEqual([0, 5, 10])
  })

  test('when there are other servers, and the question waits for what is found', async () => {
    const standing = keeper()
    expect(await question(standing)).toBe('works')
    servers = ['198.51.100.53:53']
    findings = [found('missing')]
    // These are not known to have done better.
    expect(await question(standing)).toBe('unavailable')
    expect(await question(standing)).toBe('unavailable')
    expect(probes).toBe(2)
  })

  test('at once when an answer looks stripped, and not with each of them', async () => {
    const standing = keeper()
    await question(standing)
    standing.doubted()
    expect(probes).toBe(1)
    ms += minute
    findings = [found('missing')]
    standing.doubted()
    standing.doubted()
    await settled()
    expect(probes).toBe(2)
    expect(standing.standing.validation).toBe('lost')
    standing.doubted()
    expect(probes).toBe(2)
  })

  test('when the pause is over when an answer looks stripped before that, without a question', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const standing = keeper()
    await question(standing)
    ms += 2 * second
    findings = [found('missing')]
    standing.doubted()
    standing.doubted()
    vi.advanceTimersByTime(58 * second - 1)
    expect(probes).toBe(1)
    vi.advanceTimersByTime(1)
    await settled()
    expect(probes).toBe(2)
    expect(seen.map(({ validation }) => validation)).toEqual(['works', 'lost'])
    // There is nothing left to find out, and nothing is done after the end.
    expect(vi.getTimerCount()).toBe(0)
    standing.doubted()
    await standing.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('again when an answer looks stripped while they are being looked at', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { promise, resolve } = Promise.withResolvers<ServerFinding>()
    findings = [found('arrives'), promise]
    const standing = keeper()
    await question(standing)
    findings = [found('missing')]
    standing.doubted()
    resolve(found('unknown', { server: '198.51.100.53:53' }))
    await settled()
    expect(standing.standing.validation).toBe('works')
    vi.advanceTimersByTime(minute)
    await settled()
    expect(standing.standing.validation).toBe('lost')
  })

  test('every minute while none holds by the clock, and soon after the first that does', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    findings = [found('arrives', { clock: 'behind' })]
    const standing = keeper()
    expect(await lookedAt(standing, 900)).toEqual(Array.from({ length: 15 }, (_, i) => i * 60))
    findings = [found('arrives')]
    ms -= 30 * second
    standing.worked()
    vi.advanceTimersByTime(31 * second)
    await settled()
    expect(standing.standing).toEqual({ trust: 'validate', validation: 'works', says: [] })
  })

  test('by no timer', () => {
    keeper()
    expect(probes).toBe(0)
  })
})

describe('a question waits', () => {
  test('for the first server that will do, and for no other beside it', async () => {
    const { promise: never } = Promise.withResolvers<ServerFinding>()
    findings = [never, found('arrives')]
    const standing = keeper()
    expect(await question(standing)).toBe('works')
    expect(standing.due()).toBeNull()
    // It is told once, with all that is to be said beside it.
    expect(seen).toEqual([])
  })

  test('for a server whose signatures hold, beside one whose have ended', async () => {
    const { promise, resolve } = Promise.withResolvers<ServerFinding>()
    findings = [found('arrives', { clock: 'ahead' }), promise]
    const standing = keeper()
    const waited = question(standing)
    await settled()
    expect(standing.standing.validation).toBe('unknown')
    resolve(found('arrives', { server: '198.51.100.53:53' }))
    expect(await waited).toBe('works')
    expect(seen.map(({ validation, says }) => `${validation} ${says.length}`)).toEqual(['works 1'])
  })

  test('for nothing while answers are validated', async () => {
    findings = [found('arrives', { tcp: 'fails' })]
    const standing = keeper()
    await question(standing)
    ms += 10 * minute
    expect(standing.due()).toBeNull()
    expect(probes).toBe(2)
  })

  test('for the end of a probe that found nothing before', async () => {
    findings = [found('missing')]
    const standing = keeper()
    expect(await question(standing)).toBe('unavailable')
    ms += minute
    findings = [found('arrives')]
    expect(await question(standing)).toBe('works')
  })
})

test('after the end nobody is asked, and what comes late changes nothing', async () => {
  const { promise, resolve } = Promise.withResolvers<ServerFinding>()
  findings = [promise]
  const standing = keeper()
  const probing = standing.probe()
  const closing = standing.close()
  resolve(found('arrives'))
  await Promise.all([closing, probing])
  expect(await standing.probe()).toMatchObject({ validation: 'unknown' })
  expect(standing.due()).toBeNull()
  standing.doubted()
  expect(probes).toBe(1)
  expect(seen).toEqual([])
  expect(memory.lastWorked('192.0.2.53:53')).toBeNull()
})
