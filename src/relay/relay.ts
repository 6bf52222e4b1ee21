/**
 * The relay as a whole: what `serve`, the tour, the lab and tests start. Only composition: every part decides for itself.
 *
 * Success of `startRelay` means that it listens, and that mail left by an earlier life is in work again. What cannot start is undone before the failure is told.
 */
import { randomInt } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { createHop } from '../hop/hop.ts'
import { openJournal } from '../journal/sqlite-journal.ts'
import { timestamp } from '../judgement/evidence-of.ts'
import { openKnowledge } from '../knowledge/sqlite-knowledge.ts'
import { openSpool } from '../spool/sqlite-spool.ts'
import type { Dialer } from '../system/dialer.ts'
import { makeDirectories } from '../system/directories.ts'
import type { TrustedResolver } from '../system/resolver.ts'
import { version } from '../system/version.ts'
import type { Reloaded } from './configuration/configuration.ts'
import { problemText } from './configuration/problem.ts'
import type { ReloadAnswer } from './control/protocol.ts'
import { createControlServer, RelayAlreadyRuns } from './control/server.ts'
import { createDelivery } from './delivery/delivery.ts'
import { createInbound } from './inbound/inbound.ts'
import { ensureMaildrop } from './maildrop/drop.ts'
import { createMaildropPickup } from './maildrop/pickup.ts'
import { ownAddresses } from './own-addresses.ts'
import type { Routing } from './ports.ts'
import { createReporter } from './reporter.ts'
import { createResolvers } from './resolvers.ts'
import { createRouting } from './routing/routing.ts'
import type { Settings } from './settings.ts'
import { StartFailure } from './start-failure.ts'
import { statePaths } from './state-paths.ts'

export interface RelayParts {
  readonly dialer: Dialer
  /** Null: made from `settings.dns`. */
  readonly resolver: TrustedResolver | null
  /** Receives each log line, without its line end. */
  readonly log: (line: string) => void
  /** Reads the configuration again, for a reload; without it a reload is refused. */
  readonly reread?: (running: Settings) => Reloaded
}

export interface Relay {
  /** Where it listens in fact. */
  readonly listeners: readonly {
    readonly address: string
    readonly port: number
    readonly tls: 'none' | 'starttls' | 'implicit'
  }[]
  /** Resolves when nothing is due or in work any more, or at the deadline: for tests and the tour. */
  settled(deadlineMs: number): Promise<boolean>
  /** Takes the configuration that `reread` gives, or keeps the old one and says why. For SIGHUP and the control socket alike. */
  reload(): Promise<ReloadAnswer>
  /** Stops listening, ends conversations with 421, finishes what is in work (bounded), closes the stores. */
  stop(): Promise<void>
  /**
   * The process is about to end by a fault of our own: tells it with its stack, and puts off what was in work, so that no message can end one life
   * after the other. Whoever calls it bounds the time, and ends the process.
   */
  abandon(error: unknown): Promise<void>
}

export type StartRelay = (settings: Settings, parts: RelayParts) => Promise<Relay>

/** Rejects with `StartFailure` or `StoreRefused`, each a sentence with what to do. */
export const startRelay: StartRelay = async (initial, parts) => {
  const closers: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    return await compose(initial, parts, closers, closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function compose(
  initial: Settings,
  { dialer, resolver, log, reread }: RelayParts,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<Relay> {
  const now = Date.now
  const startedAtMs = now()
  let settings = initial
  const paths = statePaths(settings.state)
  ensureState(settings.state)

  const spool = await openSpool({
    directory: paths.spool,
    partition: 0,
    minFreeBytes: settings.limits.minFreeBytes,
    now,
    // A relay that can only refuse is better started anew.
    lost(error) {
      throw new Error('the thread of the spool is gone', { cause: error })
    },
  })
  closers.push(() => spool.close())
  const journal = await openJournal({ directory: paths.journal })
  closers.push(() => journal.close())
  const knowledge = await openKnowledge({ directory: paths.knowledge, now })
  closers.push(() => knowledge.close())
  const reporter = createReporter({ journal, knowledge, log, format: settings.log.format })

  // What an operator wrote may be a name of the hosts file; what a stranger's MX names may not.
  const resolvers =
    resolver === null
      ? createResolvers(settings.dns, {
          memory: knowledge.validation,
          proofs: knowledge.proofs,
          onStanding: standing => reporter.standing(standing),
        })
      : { mail: resolver, hosts: resolver, close: () => Promise.resolve() }
  closers.push(() => resolvers.close())
  const { mail, hosts } = resolvers
  if (mail.standing.validation === 'off') reporter.standing(mail.standing)
  // Nobody waits for it but the first questions.
  void mail.probe()
  const hop = createHop({
    resolver: mail,
    hostsResolver: hosts,
    dialer,
    knowledge,
    // A reload changes what is behind a getter; configuration.ts has the list of what it does not change.
    get hostname() {
      return settings.hostname
    },
    ownAddresses: ownAddresses(settings.listen),
    allowAddresses: settings.dns.allowAddresses,
    get timeouts() {
      return settings.timeouts
    },
    get connectMs() {
      return settings.timeouts.connectMs
    },
    get handshakeMs() {
      return settings.timeouts.handshakeMs
    },
    now,
    random: below => randomInt(below),
  })
  closers.push(() => hop.close())

  let rules = createRouting(settings.routes, { hop })
  const routing: Routing = { decide: input => rules.decide(input) }
  const delivery = createDelivery({
    settings: {
      get hostname() {
        return settings.hostname
      },
      get limits() {
        return settings.limits
      },
      get retry() {
        return settings.retry
      },
    },
    spool,
    hop,
    routing,
    reporter,
    knowledge,
    now,
  })
  closers.push(() => delivery.stop(deliveryStopMs))

  const maildrop = await ensureMaildrop(settings.state, process.getuid?.() === 0)
  const pickup = createMaildropPickup({
    directory: maildrop,
    get hostname() {
      return settings.hostname
    },
    spool,
    delivery,
    reporter,
    get limits() {
      return settings.limits.server
    },
    get expireMs() {
      return settings.retry.expireMs
    },
    now,
  })
  closers.push(() => pickup.close())

  const inbound = createInbound({ settings, spool, delivery, routing, reporter, now })
  closers.push(() => inbound.stop(inboundStopMs))
  const [problem] = await inbound.start()
  if (problem !== undefined) throw new StartFailure(problem.code, problem.says, problem.hint)

  const reload = (): Promise<ReloadAnswer> =>
    readAgain().catch((error: unknown) => {
      const says = error instanceof Error ? (error.stack ?? error.message) : String(error)
      reporter.notice('error', `reload met a fault of our own: ${says}`)
      return { kind: 'kept', problems: ['a fault of Hermetic itself; its log has it: please report it'] }
    })

  const readAgain = async (): Promise<ReloadAnswer> => {
    const reloaded = reread?.(settings)
    if (reloaded === undefined)
      return { kind: 'kept', problems: ['this relay was started without a configuration file'] }
    if (reloaded.kind === 'kept') {
      const problems = reloaded.problems.map(problemText)
      for (const problem of problems) reporter.notice('error', `reload: the old configuration stays: ${problem}`)
      return { kind: 'kept', problems }
    }
    const problems = (await inbound.reload(reloaded.settings)).map(({ says, hint }) => `${says} ${hint}`)
    if (problems.length > 0) {
      for (const problem of problems) reporter.notice('error', `reload: the old configuration stays: ${problem}`)
      return { kind: 'kept', problems }
    }
    settings = reloaded.settings
    rules = createRouting(settings.routes, { hop })
    delivery.wake()
    const { needRestart, remarks } = reloaded
    reporter.notice(
      'info',
      `configuration reloaded${needRestart.length > 0 ? `; after a restart also: ${needRestart.join(', ')}` : ''}`,
    )
    return { kind: 'taken', needRestart, remarks }
  }

  const control = await createControlServer({
    state: settings.state,
    spool,
    delivery,
    now,
    status: () => ({
      version: version(),
      startedAtMs,
      hostname: settings.hostname,
      listeners: inbound.listeners,
      health: { dns: mail.standing },
    }),
    reload,
    removed: id => reporter.event({ kind: 'removed', at: timestamp(now()), message: id }),
  }).catch((error: unknown) => {
    if (error instanceof RelayAlreadyRuns)
      throw new StartFailure(
        'start.already-runs',
        `a relay is running already with the state directory ${settings.state}`,
        'Stop that one first, or name another directory as `state`.',
      )
    throw error
  })
  closers.push(() => control.close())

  reporter.notice('info', `hermetic ${version()} started as ${settings.hostname}`)
  return {
    listeners: inbound.listeners,
    settled: deadlineMs => delivery.settled(deadlineMs),
    reload,
    async stop() {
      reporter.notice('info', 'stopping')
      await closeAll()
      reporter.notice('info', 'stopped')
    },
    abandon(error) {
      const says = error instanceof Error ? (error.stack ?? error.message) : String(error)
      reporter.notice('error', `a fault of Hermetic itself ends it; what is in work is tried again later: ${says}`)
      return delivery.abandon()
    },
  }
}

function ensureState(state: string): void {
  try {
    makeDirectories(state, 0o711)
    accessSync(state, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new StartFailure(
      'start.state-unwritable',
      `the state directory ${state} cannot be written (${error instanceof Error ? error.message : String(error)})`,
      'Give it to the user who runs the relay, or name another directory as `state`.',
    )
  }
}

/** Clients in the middle of a message may take this long to finish it. */
const inboundStopMs = 10_000

/** What is under way when the relay stops may take this long to end; what does not is tried again at the next start. */
const deliveryStopMs = 10_000
