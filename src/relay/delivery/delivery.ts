/**
 * Delivery: from a message that is durable and leased to the moment the spool knows what became of each recipient.
 *
 * A message comes in by `submit`, fresh from its client with its content still in memory, or out of the spool when it is due. Its recipients are routed and
 * grouped by next hop; each group is one transaction (next-hop.ts). When all groups have reported, the message is settled in one commit together with the
 * notice to its sender, if there is one to write, and its place is free. Nobody waits for that commit. Who took the message while other next hops
 * still keep us waiting is noted at once, so that a crash meanwhile does not send it there again.
 *
 * Success of a recipient is a positive reply to the final dot. A connection lost between the dot and its reply leaves that unknown: the
 * message is tried again and may arrive twice, which the report says (RFC 5321 §4.5.3.2.6).
 *
 * It does not accept mail, judge peers, or choose hosts. Whatever fails in one message, the others go on.
 */
import type { Hop } from '../../hop/types.ts'
import { timestamp } from '../../judgement/evidence-of.ts'
import type { Failure } from '../../judgement/failure.ts'
import type { Knowledge } from '../../knowledge/knowledge.ts'
import type { MessageId } from '../../protocol/mail/message-id.ts'
import { replyClass } from '../../protocol/smtp/reply.ts'
import {
  fileBodyBytes,
  type Pending,
  type Settlement,
  type Spool,
  type StoredMessage,
  type StoreFault,
} from '../../spool/spool.ts'
import type { Delivery, Reporter, RouteDecision, Routing } from '../ports.ts'
import type { Settings } from '../settings.ts'
import { createConnections } from './connections.ts'
import { keyOf } from './destination.ts'
import { type Decided, deliveryDocument } from './document.ts'
import { fateOf } from './fate.ts'
import { createNextHop, type NextHop } from './next-hop.ts'
import { failureNotice, headerOf, type Notice } from './return-to-sender.ts'
import { createTaking } from './taking.ts'
import type { Task, TaskRecipient, TaskReport } from './task.ts'
import { type After, afterTimeout } from './timer.ts'

export interface DeliveryParts {
  /** Looked up whenever they are needed, so that getters may change them; `wake` says that they have. */
  readonly settings: Pick<Settings, 'hostname' | 'limits' | 'retry'>
  readonly spool: Spool
  readonly hop: Hop
  readonly routing: Routing
  readonly reporter: Reporter
  readonly knowledge: Pick<Knowledge, 'hint'>
  readonly now: () => number
  /** Milliseconds of a clock that never goes back. Default: `performance.now`. */
  readonly monotonicMs?: () => number
  /** Default: Node's timers. */
  readonly after?: After
}

/** A message in work. */
interface Work {
  readonly message: StoredMessage
  content: Uint8Array | null
  heldBytes: number
  /** Groups that have not reported. */
  open: number
  readonly decided: Decided[]
  /** Recipients who have it, and the spool was not told yet. */
  delivered: number[]
  isNoting: boolean
}

/** Begins at once to take what is due out of the spool. */
export function createDelivery(parts: DeliveryParts): Delivery {
  const { settings, spool, hop, routing, reporter, knowledge, now } = parts
  const { monotonicMs = () => performance.now() } = parts
  const timers = parts.after ?? afterTimeout
  const after: After = (delayMs, run) =>
    timers(delayMs, () => {
      try {
        run()
      } catch (error) {
        reporter.notice('error', `a timer of delivery met a fault of our own: ${textOf(error)}`)
      }
    })
  const works = new Map<MessageId, Work>()
  const nextHops = new Map<string, NextHop>()
  const connections = createConnections(() => settings.limits.deliveries)
  const waiters = new Set<() => void>()
  let heldBytes = 0
  let isStopping = false
  let nextSweep: { readonly atMs: number; readonly cancel: () => void } | null = null

  const taking = createTaking({
    spool,
    now,
    after,
    room: () => (heldBytes < settings.limits.activeBytes ? settings.limits.activeMessages - works.size : 0),
    plenty: () => works.size <= settings.limits.activeMessages / 2 && heldBytes <= settings.limits.activeBytes / 2,
    taken: message => begin(message, null, now()),
    looked: checkWaiters,
    failed: error => reporter.notice('error', `the spool could not be read: ${textOf(error)}`),
  })

  /** @param dueByMs recipients due later are left as they are. */
  function begin(message: StoredMessage, content: Uint8Array | null, dueByMs: number): void {
    if (works.has(message.id) || isStopping) {
      if (!works.has(message.id)) spool.release(message.id)
      return
    }
    const bytes = content?.length ?? 0
    const work: Work = { message, content, heldBytes: bytes, open: 1, decided: [], delivered: [], isNoting: false }
    works.set(message.id, work)
    heldBytes += bytes
    const due = message.pending.filter(({ nextAttemptAtMs }) => nextAttemptAtMs <= dueByMs)
    dispatch(work, due.length > 0 ? due : message.pending).catch((error: unknown) => lose(work, error))
  }

  /** Routes each recipient and hands the groups to their next hops. */
  async function dispatch(work: Work, due: readonly Pending[]): Promise<void> {
    const { message } = work
    const handed = new Set<number>()
    try {
      const decisions = await routesOf(message, due)
      const groups = new Map<string, { readonly decision: Delivers; readonly recipients: TaskRecipient[] }>()
      for (const [i, { index, attempts, lastFailure }] of due.entries()) {
        const decision = decisions[i]
        const path = message.envelope.recipients[index]
        if (decision === undefined || path === undefined) throw new Error(`recipient ${index} has no address`)
        const recipient = { index, path, attempts, lastFailure, rule: decision.rule.name }
        if (decision.kind !== 'deliver') {
          unroutable(work, recipient, decision)
          continue
        }
        const key = keyOf(decision.destination)
        const group = groups.get(key)
        if (group === undefined) groups.set(key, { decision, recipients: [recipient] })
        else group.recipients.push(recipient)
      }
      let place = 0
      for (const [key, { decision, recipients }] of groups) {
        const nextHop = nextHopFor(key, decision)
        for (const { index } of recipients) handed.add(index)
        work.open++
        nextHop.add({
          message,
          recipients,
          place: place++,
          content: () => work.content ?? spool.read(message.id),
          queuedAtMs: monotonicMs(),
        })
      }
    } catch (error) {
      reporter.notice('error', `routing of ${message.id} met a fault of our own: ${textOf(error)}`)
      const failure: Failure = { reason: 'us.internal', detail: messageOf(error), reply: null }
      for (const { recipient } of work.decided) handed.add(recipient.index)
      const rest = due.filter(({ index }) => !handed.has(index))
      for (const { index, attempts, lastFailure } of rest) {
        const path = message.envelope.recipients[index]
        if (path !== undefined)
          unroutable(work, { index, path, attempts, lastFailure, rule: '' }, { kind: 'defer', failure })
      }
    }
    closeGroup(work)
  }

  function routesOf({ envelope, origin }: StoredMessage, due: readonly Pending[]) {
    const decide = ({ index }: Pending) => {
      const recipient = envelope.recipients[index]
      if (recipient === undefined) throw new Error(`recipient ${index} has no address`)
      return routing.decide({ recipient, sender: envelope.from, source: origin.address })
    }
    return Promise.all(due.map(decide))
  }

  /** A recipient that no next hop is asked about: a route rejects it, or the route cannot be known now. */
  function unroutable(
    work: Work,
    recipient: TaskRecipient,
    decision: Exclude<RouteDecision, Delivers> | { readonly kind: 'defer'; readonly failure: Failure },
  ): void {
    const nowMs = now()
    const failure: Failure =
      decision.kind === 'defer'
        ? decision.failure
        : { reason: 'policy.rejected-by-route', detail: decision.reply.lines.join(' '), reply: decision.reply }
    // A route may reject with a 4xx reply: then the operator means "not now".
    const lasting =
      decision.kind === 'reject' && replyClass(decision.reply) === 'refused-for-now' ? 'for-now' : undefined
    const { expiresAtMs } = work.message
    const fate = fateOf(failure, { ...recipient, expiresAtMs }, settings.retry, nowMs, lasting)
    const task: Task = {
      message: work.message,
      recipients: [recipient],
      // Apart from the next hops' places, so that no two documents of one round share an id.
      place: unroutedPlace + recipient.index,
      content: noContent,
      queuedAtMs: monotonicMs(),
    }
    tell(
      work,
      {
        task,
        outcomes: [],
        sessions: [],
        carrier: null,
        planned: null,
        startedAtMs: nowMs,
        nextHop: recipient.path.domain,
      },
      [{ recipient, fate, host: null }],
    )
  }

  function nextHopFor(key: string, { destination }: Delivers): NextHop {
    const known = nextHops.get(key)
    if (known !== undefined) {
      // It may have been quiet, and is not any more.
      if (known.isQuiet) sweepIn(sweepMs)
      return known
    }
    const made = createNextHop(destination, {
      hop,
      knowledge,
      reporter,
      connections,
      now,
      monotonicMs,
      lanes: () => Math.min(settings.limits.deliveriesPerNextHop, settings.limits.deliveries),
      downMs: () => Math.min(longestDownMs, settings.retry.scheduleMs[0] ?? longestDownMs),
      took,
      over,
    })
    // Its message was being routed when the end came.
    if (isStopping) made.stop()
    nextHops.set(key, made)
    sweepIn(sweepMs)
    return made
  }

  /** Some of a group have the message, and others have yet to be tried. */
  function took({ message, recipients }: Task, places: readonly number[]): void {
    const work = works.get(message.id)
    if (work === undefined) return
    work.delivered.push(...places.flatMap(place => recipients[place]?.index ?? []))
    note(work)
  }

  /** A group has reported. Never throws: the lane that calls it serves other messages too. */
  function over(report: TaskReport): void {
    const work = works.get(report.task.message.id)
    if (work === undefined) return
    try {
      decide(work, report)
    } catch (error) {
      lose(work, error)
    }
  }

  /** A fault of our own met this message. It stays leased, and is tried again after a restart: rather that than sending it round and round. */
  function lose(work: Work, error: unknown): void {
    reporter.notice('error', `the outcome of ${work.message.id} met a fault of our own: ${textOf(error)}`)
    free(work)
    forget(work)
  }

  function decide(work: Work, report: TaskReport): void {
    const nowMs = now()
    const { expiresAtMs } = work.message
    const decided: Decided[] = []
    for (const [i, recipient] of report.task.recipients.entries()) {
      const outcome = report.outcomes[i]
      if (outcome === undefined || outcome.result === null) continue
      const { result, host } = outcome
      const fate =
        result.kind === 'delivered'
          ? result
          : fateOf(result.failure, { attempts: recipient.attempts, expiresAtMs }, settings.retry, nowMs)
      decided.push({ recipient, fate, host })
    }
    tell(work, report, decided)
    if (work.open > 1) {
      for (const { recipient, fate } of decided)
        if (fate.kind === 'delivered') work.delivered.push(recipient.index)
      note(work)
    }
    closeGroup(work)
  }

  /**
   * Tells the spool who has the message while it is still in work; the settlement at the end names them again. One note at a time for each message:
   * what many next hops take in quick succession goes into a few.
   */
  function note(work: Work): void {
    const { message, delivered } = work
    if (work.isNoting || work.open === 0 || delivered.length === 0) return
    work.isNoting = true
    work.delivered = []
    spool.settle({ id: message.id, done: delivered, deferred: [], lease: 'keep' }).then(
      fault => {
        if (fault !== null) tellUnrecorded(message, fault)
        work.isNoting = false
        note(work)
      },
      (error: unknown) =>
        reporter.notice('error', `the outcome of ${message.id} could not be recorded: ${textOf(error)}`),
    )
  }

  /** The spool keeps at it; what it cannot write now it writes later. */
  function tellUnrecorded({ id }: StoredMessage, fault: StoreFault): void {
    reporter.notice('error', `the outcome of ${id} is not recorded yet: ${fault.says}`)
  }

  function tell(work: Work, report: TaskReport, decided: readonly Decided[]): void {
    if (decided.length === 0) return
    work.decided.push(...decided)
    const delivery = deliveryDocument(report, decided, now())
    reporter.event({ kind: 'attempted', at: delivery.at, message: work.message.id, delivery })
  }

  function closeGroup(work: Work): void {
    work.open--
    if (work.open === 0) conclude(work)
  }

  /** All groups have reported: what was decided is recorded. */
  function conclude(work: Work): void {
    const { message, decided } = work
    if (decided.length === 0) {
      free(work)
      spool.release(message.id)
      forget(work)
      return
    }
    const failed = decided.filter(({ fate }) => fate.kind === 'returned')
    if (failed.length === 0 || message.envelope.from === null) {
      free(work)
      void settle(work, null)
      return
    }
    headerFor(work)
      .then(header => {
        const nowMs = now()
        return failureNotice(message, failed, header, spool.newId(nowMs), {
          hostname: settings.hostname,
          expireMs: settings.retry.expireBounceMs,
          nowMs,
        })
      })
      .catch((error: unknown) => {
        reporter.notice(
          'error',
          `the notice about ${message.id} to its sender could not be written: ${textOf(error)}`,
        )
        return 'later' as const
      })
      .then(notice => {
        free(work)
        return settle(work, notice)
      })
      .catch((error: unknown) => lose(work, error))
  }

  /** The start of the content, enough for its header. Unreadable content makes a notice without it: better than none. */
  async function headerFor({ content, message }: Work): Promise<Uint8Array> {
    if (content !== null) return headerOf(content)
    try {
      for await (const piece of spool.read(message.id)) return headerOf(piece)
    } catch (error) {
      reporter.notice('error', `the content of ${message.id} could not be read: ${textOf(error)}`)
    }
    return new Uint8Array()
  }

  /** @param notice 'later': it could not be made, so those it is about stay in the spool. @returns what resolves when it is recorded, and never rejects. */
  function settle(work: Work, notice: Notice | null | 'later'): Promise<void> {
    const { message } = work
    const done: number[] = []
    const deferred: { index: number; nextAttemptAtMs: number; failure: string }[] = []
    const settled = new Set<number>()
    let soonestMs = Number.POSITIVE_INFINITY
    for (const { recipient, fate } of work.decided) {
      const { index } = recipient
      settled.add(index)
      if (fate.kind === 'delivered' || (fate.kind === 'returned' && notice !== 'later')) done.push(index)
      else {
        const nextAttemptAtMs = fate.kind === 'deferred' ? fate.nextAttemptAtMs : now() + longestDownMs
        deferred.push({ index, nextAttemptAtMs, failure: fate.failure.reason })
        soonestMs = Math.min(soonestMs, nextAttemptAtMs)
      }
    }
    const made = notice === 'later' ? null : notice
    const settlement: Settlement = { id: message.id, done, deferred, ...(made === null ? {} : { notify: made }) }
    return spool
      .settle(settlement)
      .then(fault => {
        if (fault !== null) tellUnrecorded(message, fault)
        if (made !== null) tellNotice(work, made)
        if (done.length === message.pending.length)
          reporter.event({ kind: 'completed', at: timestamp(now()), message: message.id })
        forget(work)
        if (made !== null) taking.look()
        // Recipients that were not due yet, or not tried, count as well.
        for (const { index, nextAttemptAtMs } of message.pending)
          if (!settled.has(index)) soonestMs = Math.min(soonestMs, nextAttemptAtMs)
        if (soonestMs !== Number.POSITIVE_INFINITY) taking.dueAt(soonestMs)
        checkWaiters()
      })
      .catch((error: unknown) => lose(work, error))
  }

  /** Gives every recipient that is due, and has no outcome, the one of a fault of our own. */
  function putOff(work: Work): Promise<void> {
    const { message, decided } = work
    const nowMs = now()
    const known = new Set(decided.map(({ recipient }) => recipient.index))
    const failure: Failure = {
      reason: 'us.internal',
      detail: 'the relay ended by a fault of its own',
      reply: null,
    }
    for (const { index, attempts, lastFailure, nextAttemptAtMs } of message.pending) {
      const path = message.envelope.recipients[index]
      if (path === undefined || known.has(index) || nextAttemptAtMs > nowMs) continue
      const fate = fateOf(failure, { attempts, expiresAtMs: message.expiresAtMs }, settings.retry, nowMs)
      decided.push({ recipient: { index, path, attempts, lastFailure, rule: '' }, fate, host: null })
    }
    return settle(work, 'later')
  }

  function tellNotice({ message, decided }: Work, notice: Notice): void {
    const at = timestamp(now())
    const { envelope, id } = notice.message
    const recipients = decided.flatMap(({ recipient, fate }) =>
      fate.kind === 'returned' ? [recipient.path.text] : [],
    )
    reporter.event({ kind: 'returned', at, message: message.id, dsn: id, recipients })
    reporter.event({
      kind: 'accepted',
      at,
      message: id,
      from: '',
      recipients: envelope.recipients.map(({ text }) => text),
      sizeBytes: notice.content.length,
      via: 'dsn',
      client: null,
      helo: null,
      tls: null,
    })
  }

  /** Its content is not needed any more. */
  function free(work: Work): void {
    heldBytes -= work.heldBytes
    work.heldBytes = 0
    work.content = null
  }

  function forget(work: Work): void {
    works.delete(work.message.id)
    taking.roomFreed()
    checkWaiters()
  }

  /** One coarse timer for all next hops, only while there are any. */
  function sweepIn(delayMs: number): void {
    if (isStopping) return
    const atMs = monotonicMs() + delayMs
    if (nextSweep !== null && nextSweep.atMs <= atMs) return
    nextSweep?.cancel()
    nextSweep = { atMs, cancel: after(delayMs, sweep) }
  }

  function sweep(): void {
    nextSweep = null
    const { activeMessages, activeBytes } = settings.limits
    if (works.size >= activeMessages || heldBytes >= activeBytes) makeRoom()
    let isBusy = false
    for (const [key, nextHop] of nextHops) {
      nextHop.sweep()
      if (!nextHop.isQuiet) isBusy = true
      // A hostile flood of dead domains must not be remembered one by one.
      else if (!nextHop.isRemembered || nextHops.size > rememberedNextHops) {
        connections.forget(nextHop)
        nextHops.delete(key)
      }
    }
    if (nextHops.size > 0) sweepIn(isBusy ? sweepMs : quietSweepMs)
    checkWaiters()
  }

  /**
   * Memory is full. A next hop that is slow and has more than its share in it gives back what has waited in vain, so that mail for the
   * others finds room. One that is quick keeps its queue: its messages will be gone before others could take their place.
   */
  function makeRoom(): void {
    const share = Math.max(1, Math.floor(settings.limits.activeMessages / shares))
    const nowMs = monotonicMs()
    for (const nextHop of nextHops.values()) {
      const oldest = nextHop.oldestQueuedAtMs
      if (oldest === null || nextHop.queued <= share || nowMs - oldest < patienceMs) continue
      const back = nextHop.withdraw(share)
      reporter.notice(
        'warning',
        `${nextHop.label} is slow: ${back.length} messages for it go back to the queue, so that others are served`,
      )
      for (const task of back) over(busyReport(task, nextHop, now()))
    }
  }

  const isIdle = () => works.size === 0 && taking.idle

  function checkWaiters(): void {
    if (waiters.size > 0 && isIdle()) for (const waiter of [...waiters]) waiter()
  }

  /** @returns false when it did not come true in time. */
  function idleWithin(deadlineMs: number): Promise<boolean> {
    if (isIdle()) return Promise.resolve(true)
    return new Promise(resolve => {
      const cancel = after(deadlineMs, () => {
        waiters.delete(done)
        resolve(false)
      })
      const done = () => {
        cancel()
        waiters.delete(done)
        resolve(true)
      }
      waiters.add(done)
    })
  }

  taking.look()

  return {
    submit(message, content) {
      begin(message, content, Number.POSITIVE_INFINITY)
    },
    hasRoom(sizeBytes) {
      // Large content is never kept: it is read from its file, piece by piece.
      const bytes = sizeBytes < fileBodyBytes ? sizeBytes : 0
      const { activeMessages, activeBytes } = settings.limits
      const has = !isStopping && works.size < activeMessages && heldBytes + bytes <= activeBytes
      // Who is told no leaves the message in the spool: it must be looked for.
      if (!has) taking.expect()
      return has
    },
    wake() {
      for (const nextHop of nextHops.values()) nextHop.retry()
      taking.look()
    },
    get idle() {
      return isIdle()
    },
    settled: idleWithin,
    async abandon() {
      isStopping = true
      taking.stop()
      const inWork = [...works.values()].filter(({ open }) => open > 0)
      // Whatever still reports is not listened to.
      works.clear()
      await Promise.all(inWork.map(putOff))
    },
    async stop(deadlineMs) {
      isStopping = true
      taking.stop()
      nextSweep?.cancel()
      nextSweep = null
      for (const nextHop of nextHops.values()) nextHop.stop()
      if (!(await idleWithin(deadlineMs))) {
        for (const nextHop of nextHops.values()) nextHop.abort()
        if (!(await idleWithin(goodbyeMs)))
          reporter.notice(
            'warning',
            `${works.size} messages were still in work at the end; they are tried again after the start`,
          )
      }
      // Connections that are in order end with QUIT; that is not waited for as long as the server likes.
      await new Promise<void>(resolve => {
        const cancel = after(goodbyeMs, resolve)
        void Promise.all([...nextHops.values()].map(nextHop => nextHop.ended())).then(() => {
          cancel()
          resolve()
        })
      })
    },
  }
}

type Delivers = Extract<RouteDecision, { kind: 'deliver' }>

/** For a message that was not tried because its next hop is busy. */
function busyReport(task: Task, { label, planned }: NextHop, nowMs: number): TaskReport {
  const failure: Failure = { reason: 'us.next-hop-busy', detail: null, reply: null }
  return {
    task,
    outcomes: task.recipients.map(() => ({ result: { kind: 'failed', failure }, host: null })),
    sessions: [],
    carrier: null,
    planned,
    startedAtMs: nowMs,
    nextHop: label,
  }
}

function noContent(): Uint8Array {
  throw new Error('this message goes to no next hop')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** A next hop that failed is left alone this long at most; shorter when the first retry comes sooner. */
const longestDownMs = 60_000
const sweepMs = 1_000
/** When there is nothing but next hops remembered as down. */
const quietSweepMs = 30_000
const rememberedNextHops = 5_000
/** When memory is full, one slow next hop may keep this part of it: one eighth. */
const shares = 8
/** A queue that has not moved for this long is slow. */
const patienceMs = 10_000
/** At the end, what was dropped and what says goodbye is waited for this long. */
const goodbyeMs = 2_000
const unroutedPlace = 10_000
