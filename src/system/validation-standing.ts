/**
 * What the name servers are good for, found out again and again: whether answers can be told secure from insecure, and what follows for mail.
 *
 * It is found out at the first question, and from then on when a question comes and the time has come: soon again while no server answers, every minute and later every
 * ten while signatures do not arrive, never while all is well, and at once when answers look as if signatures had been taken away. No timer runs by itself.
 *
 * Servers that pass no signatures on leave two ways: mail goes on without DANE, or it waits. It waits when the operator wants that, and when these very servers
 * passed signatures on before: taking them away is how somebody on the way would get around DANE. Servers that do not answer prove neither, and are never held
 * to have stopped.
 */
import type { DnsStanding } from '../judgement/evidence.ts'
import { standingSentences } from './standing-sentences.ts'
import type { ServerProbe } from './validating-resolver.ts'

/** Which servers passed signatures on, and when they last did. */
export interface ValidationMemory {
  /** Milliseconds since 1970; null: never, as far as is known. `servers`: what was given to `worked`. */
  lastWorked(servers: string): number | null
  worked(servers: string, atMs: number): void
}

/** For whoever has no knowledge to keep it in. */
export function createValidationMemory(): ValidationMemory {
  const seen = new Map<string, number>()
  return {
    lastWorked: servers => seen.get(servers) ?? null,
    worked(servers, atMs) {
      seen.set(servers, atMs)
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
  /** Never rejects, and has an end. */
  readonly probe: () => Promise<readonly ServerFinding[]>
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly clock: () => number
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
  /** An answer came as if signatures had been taken away. */
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
  let running: Promise<void> | null = null
  let probed = { key: '', atMs: Number.NEGATIVE_INFINITY, nextAtMs: Number.NEGATIVE_INFINITY }
  /** Probes in a row that found no signatures. */
  let failures = 0
  let notedAtMs = Number.NEGATIVE_INFINITY
  let isClosed = false

  const key = () => `${trust === 'ad' ? 'ad ' : ''}${servers().toSorted().join(' ')}`

  function note(of: string): void {
    if (of === probed.key && now() - notedAtMs < noteEveryMs) return
    notedAtMs = now()
    memory.worked(of, clock())
  }

  function settle(of: string, found: readonly ServerFinding[]): void {
    const isProven = found.some(({ proof }) => proof === 'arrives')
    const isMissing = found.some(({ proof }) => proof === 'missing' || proof === 'not-believed')
    const workedAtMs = memory.lastWorked(of)
    const isRemembered = workedAtMs !== null && clock() - workedAtMs < rememberWorkedMs
    const validation = isProven
      ? 'works'
      : !isMissing
        ? 'unknown'
        : isRemembered
          ? 'lost'
          : options.require
            ? 'required'
            : 'unavailable'
    failures = validation === 'works' || validation === 'unknown' ? 0 : failures + 1
    if (found.some(({ proof, clock: of }) => proof === 'arrives' && of !== 'ahead' && of !== 'behind')) note(of)
    const says = standingSentences({ trust, validation, found, workedAtMs })
    const isWhole = says.length === 0 && found.every(({ proof }) => proof === 'arrives')
    const waitMs =
      validation === 'unknown'
        ? unknownWaitMs
        : validation === 'works'
          ? isWhole
            ? Number.POSITIVE_INFINITY
            : slowWaitMs
          : failures <= quickProbes
            ? quickWaitMs
            : slowWaitMs
    probed = { key: of, atMs: now(), nextAtMs: now() + waitMs }
    options.onFound(found)
    const isNews = validation !== standing.validation || says.join('\n') !== standing.says.join('\n')
    standing = { trust, validation, says }
    if (isNews) options.onStanding(standing)
  }

  function start(): Promise<void> {
    if (running !== null) return running
    const of = key()
    const found = options.probe()
    running = found.then(all => {
      running = null
      if (!isClosed) settle(of, all)
    })
    return running
  }

  return {
    get standing() {
      return standing
    },
    async probe() {
      if (!isClosed) await start()
      return standing
    },
    due() {
      if (isClosed) return null
      const isSame = key() === probed.key
      if (!isSame || now() >= probed.nextAtMs) void start()
      // While answers are validated with these servers, what a probe finds beside that can wait.
      return running === null || (isSame && standing.validation === 'works')
        ? null
        : within(longestWaitMs, running)
    },
    worked() {
      if (standing.validation === 'works') note(probed.key)
    },
    doubted() {
      if (!isClosed && now() - probed.atMs >= doubtEveryMs) void start()
    },
    async close() {
      isClosed = true
      await running
    },
  }
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
