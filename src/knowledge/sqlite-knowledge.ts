/**
 * What is learned, in memory, and written behind to `knowledge.db` by a thread of its own.
 *
 * Everything is answered from memory at once. What changed is written every few seconds and at the end; a crash costs what was learned since, which is no harm.
 */
import { startStoreThread } from '../system/store-thread.ts'
import { createKeptProofs } from './kept-proofs.ts'
import { type HostHint, longestAvoidMs, type StoredKnowledge } from './knowledge.ts'
import {
  type KnowledgeBatch,
  type KnowledgeFound,
  type KnowledgeReply,
  knowledgeModule,
  knowledgeRole,
} from './store.ts'

export interface KnowledgeOptions {
  /** Made when it is not there. */
  readonly directory: string
  /** The wall clock, in ms. */
  readonly now: () => number
}

/** @throws {StoreRefused} */
export async function openKnowledge({ directory, now }: KnowledgeOptions): Promise<StoredKnowledge> {
  /** In the order of their last failure, so that the first is the one to go when there are too many. */
  const hints = new Map<string, HostHint>()
  const counters = new Map<string, number>()
  const changedHints = new Set<string>()
  const changedCounters = new Set<string>()
  /** In the order in which they last worked. */
  const validation = new Map<string, number>()
  const changedServers = new Set<string>()
  let inFlight: Readonly<Record<'hints' | 'counters' | 'servers', readonly string[]>> | null = null
  let timer: NodeJS.Timeout | null = null
  let isClosed = false
  let whenIdle: (() => void) | null = null

  const thread = await startStoreThread<KnowledgeFound, KnowledgeBatch, KnowledgeReply>({
    module: knowledgeModule,
    role: knowledgeRole,
    data: directory,
    onReply(isWritten) {
      if (!isWritten && inFlight !== null) {
        for (const target of inFlight.hints) changedHints.add(target)
        for (const name of inFlight.counters) changedCounters.add(name)
        for (const servers of inFlight.servers) changedServers.add(servers)
        arm()
      }
      inFlight = null
      whenIdle?.()
    },
    onLost() {
      isClosed = true
      inFlight = null
      whenIdle?.()
    },
  })
  for (const hint of thread.opened.hints)
    if (isFresh(hint)) hints.set(hint.target, hint)
    else changedHints.add(hint.target)
  for (const [name, value] of thread.opened.counters) counters.set(name, value)
  for (const [servers, atMs] of thread.opened.validation) validation.set(servers, atMs)
  const proofs = createKeptProofs(thread.opened.proofs, now, arm)

  function isFresh(hint: HostHint): boolean {
    return hint.avoidUntilMs + rememberMs > now()
  }

  /** Drops a hint that is too old to say anything. */
  function fresh(target: string): HostHint | null {
    const hint = hints.get(target)
    if (hint === undefined) return null
    if (isFresh(hint)) return hint
    forget(target)
    return null
  }

  function forget(target: string): void {
    if (!hints.delete(target)) return
    changedHints.add(target)
    arm()
  }

  function arm(): void {
    if (isClosed || timer !== null) return
    timer = setTimeout(() => write(), writeEveryMs)
    // What is not written yet is no reason to keep a process alive.
    timer.unref()
  }

  function write(occasion: 'now and then' | 'end' = 'now and then'): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (isClosed) return
    if (inFlight !== null) {
      arm()
      return
    }
    const changedProofs = proofs.takeBatch(occasion)
    const isUnchanged = changedHints.size === 0 && changedCounters.size === 0 && changedServers.size === 0
    if (isUnchanged && changedProofs === null) return
    inFlight = { hints: [...changedHints], counters: [...changedCounters], servers: [...changedServers] }
    changedHints.clear()
    changedCounters.clear()
    changedServers.clear()
    thread.post({
      hints: inFlight.hints.flatMap(target => hints.get(target) ?? []),
      forgotten: inFlight.hints.filter(target => !hints.has(target)),
      counters: inFlight.counters.map(name => [name, counters.get(name) ?? 0] as const),
      validation: inFlight.servers.flatMap(servers => {
        const atMs = validation.get(servers)
        return atMs === undefined ? [] : [[servers, atMs] as const]
      }),
      unknownServers: inFlight.servers.filter(servers => !validation.has(servers)),
      proofs: changedProofs,
    })
  }

  async function written(): Promise<void> {
    if (inFlight === null) return
    const { promise, resolve } = Promise.withResolvers<void>()
    whenIdle = resolve
    await promise
    whenIdle = null
  }

  return {
    hint: fresh,
    failed(target, reason, nowMs) {
      const failures = (fresh(target)?.failures ?? 0) + 1
      const avoidMs = Math.min(firstAvoidMs * 2 ** Math.min(failures - 1, 20), longestAvoidMs)
      hints.delete(target)
      hints.set(target, { target, failures, avoidUntilMs: nowMs + avoidMs, reason })
      changedHints.add(target)
      if (hints.size > maxHints)
        for (const oldest of hints.keys()) {
          forget(oldest)
          break
        }
      arm()
    },
    answered: forget,
    hints() {
      return [...hints.values()].filter(isFresh)
    },
    count(counter, by = 1) {
      const value = counters.get(counter)
      // Counter names are ours, never a peer's; the bound is for the day that somebody forgets it.
      if (value === undefined && counters.size >= maxCounters) return
      counters.set(counter, (value ?? 0) + by)
      changedCounters.add(counter)
      arm()
    },
    counters() {
      return Object.fromEntries(counters)
    },
    validation: {
      lastWorked: servers => validation.get(servers) ?? null,
      worked(servers, atMs) {
        validation.delete(servers)
        validation.set(servers, atMs)
        changedServers.add(servers)
        for (const oldest of validation.keys()) {
          if (validation.size <= maxServerSets) break
          validation.delete(oldest)
          changedServers.add(oldest)
        }
        arm()
      },
    },
    proofs: proofs.memory,
    async close() {
      if (isClosed) return
      await written()
      write('end')
      await written()
      isClosed = true
      if (timer !== null) clearTimeout(timer)
      await thread.close()
    },
  }
}

/** How long a target is left alone after its first failure, in ms. */
const firstAvoidMs = 60_000

/** How long after that time a further failure still counts as one in a row, in ms. */
const rememberMs = 2 * 60 * 60_000

const maxHints = 10_000
const maxCounters = 10_000
/** A laptop meets many, a relay one or two in its life. */
const maxServerSets = 100
const writeEveryMs = 2000
