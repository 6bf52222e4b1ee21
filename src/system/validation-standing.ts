/**
 * What the name servers are good for, found out again and again: whether answers can be told secure from insecure, and what follows for mail.
 *
 * It is found out at the first question, and from then on when a question comes and the time has come: soon again while no server answers, every minute and later every
 * ten while signatures do not arrive, never while all is well, and when answers look as if signatures had been taken away, or the clock were wrong: at once, or, when
 * the servers were looked at just before, a minute after that. No other timer runs by itself.
 *
 * Servers that pass no signatures on leave two ways: mail goes on without DANE, or it waits. It waits when the operator wants that, and when these very servers
 * passed signatures on before: taking them away is how somebody on the way would get around DANE. Servers that do not answer prove neither, and are never held
 * to have stopped. Signatures of the root that have ended or not begun make mail wait too, as all answers below are bogus; where one server sends such that hold, the
 * others send what is old.
 */
import type { DnsStanding } from '../protocol/dns/standing.ts'
import { standingSentences } from './standing-sentences.ts'
import type { ServerProbe } from './validating-resolver.ts'

/** Which servers passed signatures on, and when they last did. */
export interface ValidationMemory {
  /** Milliseconds since 1970; null: never, as far as is known. `server`: what was given to `worked`. */
  lastWorked(server: string): number | null
  worked(server: string, atMs: number): void
}

/** For whoever has no knowledge to keep it in. */
export function createValidationMemory(): ValidationMemory {
  const seen = new Map<string, number>()
  return {
    lastWorked: server => seen.get(server) ?? null,
    worked(server, atMs) {
      seen.set(server, atMs)
    },
  }
}

/** What was found of one server. */
export interface ServerFinding extends Omit<ServerProbe, 'signatures'> {
  /** Of security: signatures, or under `ad` the server's word. `not-believed`: it may say what it likes. */
  readonly proof: 'arrives' | 'missing' | 'not-believed' | 'unknown'
}

export interface StandingOptions {
  readonly trust: 'validate' | 'ad'
  readonly require: boolean
  readonly memory: ValidationMemory
  readonly servers: () => readonly string[]
  /** One for each server. They never reject, and have an end. */
  readonly probe: () => readonly Promise<ServerFinding>[]
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** What is known so far: all that arrived first, then everything. */
  readonly onFound: (found: readonly ServerFinding[]) => void
  readonly onStanding: (standing: DnsStanding) => void
}

export interface StandingKeeper {
  readonly standing: DnsStanding
  probe(): Promise<DnsStanding>
  /** For every question: begins to find out what is due. Null: go on at once; else when this resolves, which it does within `longestWaitMs`. */
  due(): Promise<void> | null
  /** A secure answer came. */
  worked(): void
  /** An answer came as if signatures had been taken away, or this machine's clock were wrong. */
  doubted(): void
  close(): Promise<void>
}

/** How long questions wait for a probe at most, in ms. */
export const longestWaitMs = 5_000

/** How long servers that passed signatures on are expected to do so again, in ms. */
export const rememberWorkedMs = 30 * 24 * 3_600_000

export function keepStanding(options: StandingOptions): StandingKeeper {
  const { trust, memory, servers, now, clock } = options
  let standing: DnsStanding = { trust, validation: 'unknown', says: [] }
  let told = standing
  /** `enough`: at the first server that will do, or at the end. */
  let running: { readonly enough: Promise<void>; readonly all: Promise<void> } | null = null
  let probed = { key: '', atMs: Number.NEGATIVE_INFINITY, nextAtMs: Number.NEGATIVE_INFINITY }
  /** Probes in a row that found no signatures. */
  let failures = 0
  let notedAtMs = Number.NEGATIVE_INFINITY
  /** That passed fresh signatures on when they were last looked at. */
  let good: readonly string[] = []
  /** Waits for the end of the pause. */
  let suspicion: NodeJS.Timeout | null = null
  let isClosed = false

  const key = () => servers().toSorted().join(' ')
  const remembered = (server: string) => `${trust === 'ad' ? 'ad ' : ''}${server}`

  function note(): void {
    notedAtMs = now()
    for (const server of good) memory.worked(remembered(server), clock())
  }

  /** When any of the servers did it last: whoever silences the one that does, and leaves another that never did, gets around nothing. */
  function lastWorked(): number | null {
    const times = servers().flatMap(server => memory.lastWorked(remembered(server)) ?? [])
    return times.length === 0 ? null : Math.max(...times)
  }

  function settle(of: string, found: readonly ServerFinding[]): void {
    const workedAtMs = lastWorked()
    const isRemembered = workedAtMs !== null && clock() - workedAtMs < rememberWorkedMs
    const has = (proof: ServerFinding['proof']) => found.some(one => one.proof === proof)
    const isTimely = found.some(isTimelyProof)
    // What is not believed is so by the configuration: that is no change in the servers.
    const without = has('missing') && isRemembered ? 'lost' : options.require ? 'required' : 'unavailable'
    const isHopeless = has('missing') || has('not-believed')
    const validation = isTimely ? 'works' : has('arrives') ? 'mistimed' : isHopeless ? without : 'unknown'
    failures = isHopeless && validation === without ? failures + 1 : 0
    good = found.filter(isTimelyProof).map(({ server }) => server)
    const isNew = of !== probed.key || good.some(server => memory.lastWorked(remembered(server)) === null)
    if (isTimely && (isNew || now() - notedAtMs >= noteEveryMs)) note()
    const says = standingSentences({ trust, validation, found, workedAtMs })
    const isWhole = says.length === 0 && found.every(({ proof }) => proof === 'arrives')
    probed = { key: of, atMs: now(), nextAtMs: now() + untilNextMs(validation, isWhole) }
    options.onFound(found)
    standing = { trust, validation, says }
    tell()
  }

  function untilNextMs(validation: DnsStanding['validation'], isWhole: boolean): number {
    if (validation === 'unknown') return unknownWaitMs
    if (validation === 'works') return isWhole ? Number.POSITIVE_INFINITY : slowWaitMs
    // A clock is set at any moment, and most often soon after the start.
    if (validation === 'mistimed') return quickWaitMs
    return failures <= quickProbes ? quickWaitMs : slowWaitMs
  }

  function tell(): void {
    const isNews = standing.validation !== told.validation || standing.says.join('\n') !== told.says.join('\n')
    told = standing
    if (isNews) options.onStanding(standing)
  }

  /** When the pause is over, if it is not: what a zone that is itself broken looks like must not cost a probe with every question, nor be forgotten. */
  function suspect(): void {
    if (isClosed) return
    // What is being found out now may have been seen before the cause of this.
    const sinceMs = running === null ? now() - probed.atMs : 0
    if (sinceMs >= doubtEveryMs) start()
    if (sinceMs >= doubtEveryMs || suspicion !== null) return
    suspicion = setTimeout(() => {
      suspicion = null
      if (!isClosed) start()
    }, doubtEveryMs - sinceMs)
    suspicion.unref()
  }

  function forget(): void {
    if (suspicion !== null) clearTimeout(suspicion)
    suspicion = null
  }

  function start(): NonNullable<typeof running> {
    if (running !== null) return running
    forget()
    const of = key()
    const { promise: enough, resolve: isEnough } = Promise.withResolvers<void>()
    const asked = options.probe().map(async one => {
      const found = await one
      // A silent server beside it need not be waited for. It is told when all is known, so that it is told once.
      const isGood = isTimelyProof(found)
      if (isGood && !isClosed && (standing.validation !== 'works' || of !== probed.key)) {
        probed = { ...probed, key: of }
        options.onFound([found])
        standing = { trust, validation: 'works', says: [] }
      }
      if (isGood) isEnough()
      return found
    })
    const all = Promise.all(asked).then(found => {
      running = null
      if (!isClosed) settle(of, found)
      isEnough()
    })
    running = { enough, all }
    return running
  }

  return {
    get standing() {
      return standing
    },
    async probe() {
      if (!isClosed) await start().all
      return standing
    },
    due() {
      if (isClosed) return null
      const isSame = key() === probed.key
      if (!isSame || now() >= probed.nextAtMs) start()
      // While answers are validated with these servers, what a probe finds beside that can wait.
      return running === null || (isSame && standing.validation === 'works')
        ? null
        : within(longestWaitMs, running.enough)
    },
    worked() {
      if (standing.validation === 'works' && now() - notedAtMs >= noteEveryMs) note()
      // The clock was set.
      else if (standing.validation === 'mistimed') suspect()
    },
    doubted: suspect,
    async close() {
      isClosed = true
      forget()
      await running?.all
    },
  }
}

/** Signatures arrive, and hold by the clock of this machine. */
function isTimelyProof({ proof, clock }: ServerFinding): boolean {
  return proof === 'arrives' && clock !== 'ahead' && clock !== 'behind'
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  timer.unref()
  await Promise.race([work, promise])
  clearTimeout(timer)
}

/** While nobody answers: as long as a failed question is kept. */
const unknownWaitMs = 5_000
const quickWaitMs = 60_000
const quickProbes = 10
const slowWaitMs = 10 * 60_000
/** A zone that is itself broken looks the same with every question. */
const doubtEveryMs = 60_000
const noteEveryMs = 3_600_000
