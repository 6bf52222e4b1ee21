/**
 * The queue of one next hop, and the connections that serve it.
 *
 * Each message gets one transaction for all its recipients here. A lane is one connection at work: it takes message after message from the
 * queue while hop says that its channel may serve them, and rests for a moment before it is closed. When a host fails, the message goes on to the next one in
 * the same attempt; findings say what a failure condemns (ARCHITECTURE decision 3).
 *
 * A host that could not be tried, because the DNS did not tell its address or because there were too many, has refused nothing: while there is one, the mail
 * waits. A host whose TLS handshake failed is tried once more in clear text, after all the others, for a message that this also happened to before.
 *
 * When every host failed before mail could be sent, the next hop is down: what waits for it is deferred together, and what comes is too, until it is time
 * for one message to probe it. Thousands of messages for a dead host cost one attempt, and no memory (RFC 5321 §4.5.4.1).
 *
 * What the DNS says is asked for when mail comes, and let go of when none is left. It may reach the end of its time while a slow host is being reached: then it is asked
 * for again before anything is sent, and the connection is used if it would have been opened under the new answers, too.
 *
 * It does not decide what becomes of a recipient after a failure, and it stores nothing: it hands back reports.
 */
import { inOrderOfHope, maxTried } from '../../hop/hope.ts'
import type {
  Candidate,
  Channel,
  ClearText,
  Destination,
  Hop,
  Itinerary,
  Mail,
  TransactionResult,
} from '../../hop/types.ts'
import type { Planned, SessionDocument, VerdictEvidence } from '../../judgement/evidence.ts'
import type { Failure } from '../../judgement/failure.ts'
import { entryOf } from '../../judgement/findings.ts'
import type { Knowledge } from '../../knowledge/knowledge.ts'
import type { Reporter } from '../ports.ts'
import type { Connections, ConnectionUser } from './connections.ts'
import { labelOf } from './destination.ts'
import {
  type Carrier,
  hadFailedHandshake,
  isHandshakeReason,
  type Outcome,
  type Task,
  type TaskReport,
} from './task.ts'

export interface NextHopParts {
  readonly hop: Hop
  readonly knowledge: Pick<Knowledge, 'hint'>
  readonly reporter: Pick<Reporter, 'session' | 'notice'>
  readonly connections: Connections
  readonly now: () => number
  /** Milliseconds of a clock that never goes back, which tells how long something has lasted. */
  readonly monotonicMs: () => number
  /** Connections to this next hop at a time. */
  readonly lanes: () => number
  /** How long a next hop that failed is left alone, in ms. */
  readonly downMs: () => number
  /** Some recipients, by their places in the task, have the message, and there are others left to try. */
  readonly took: (task: Task, places: readonly number[]) => void
  /** Receives every report, once per task. */
  readonly over: (report: TaskReport) => void
}

export interface NextHop extends ConnectionUser {
  readonly label: string
  readonly planned: Planned
  add(task: Task): void
  /** Messages that wait, and since when the oldest has, by the clock that never goes back. */
  readonly queued: number
  readonly oldestQueuedAtMs: number | null
  /** Takes waiting messages back, newest first, until `keep` are left. */
  withdraw(keep: number): readonly Task[]
  /** Closes what has been idle for too long. */
  sweep(): void
  /** Nothing waits, is under way or idle. */
  readonly isQuiet: boolean
  /** It was down not long ago: then it is probed with care. */
  readonly isRemembered: boolean
  /** Forgets that it was down, and takes up what limits allow now: the operator wants a new attempt, or changed them. */
  retry(): void
  /** Begins nothing new: what waits is handed back untried. */
  stop(): void
  /** Drops every connection. */
  abort(): void
  /** Resolves when nothing runs any more, goodbyes included. */
  ended(): Promise<void>
}

/** A channel, and what reports say of it. Times are of the clock that never goes back. */
interface Line {
  readonly channel: Channel
  readonly carrier: Carrier
  readonly sinceMs: number
  idleSinceMs: number
}

export function createNextHop(destination: Destination, parts: NextHopParts): NextHop {
  const { hop, knowledge, reporter, connections, now, monotonicMs, over } = parts
  const label = labelOf(destination)
  const queue = createQueue<Task>()
  const idle: Line[] = []
  /** Every connection there is, at work or idle. */
  const live = new Set<Line>()
  /** Lanes, and connections that say goodbye. */
  const running = new Set<Promise<void>>()
  let lanes = 0
  /** Kept only while there is mail or a connection: thousands of next hops may be known, and a stranger decides how large theirs is. */
  let plan: Itinerary | null = null
  let plannedName: Planned['name'] = destination.kind === 'hosts' ? 'configured' : null
  let asking: Promise<Itinerary> | null = null
  /** A connection came about, and none has failed for all hosts since. */
  let isProven = false
  let down: {
    readonly failure: Failure
    readonly host: string | null
    /** By the clock that never goes back. */
    readonly sinceMs: number
    readonly untilMs: number
  } | null = null
  /** How many connections the host bears at a time, as far as it has shown. */
  let lanesBorne = Number.POSITIVE_INFINITY
  let raiseAtMs = 0
  let isStopping = false
  let isAborted = false

  const lanesAllowed = () => Math.min(lanesBorne, parts.lanes())

  const begin = (task: Task) => createAttempt(task, self, now())

  function serve(): void {
    while (queue.length > 0 && !isStopping) {
      const line = idle.pop() ?? null
      if (line === null) {
        const allowed = down !== null ? 1 : isProven ? lanesAllowed() : Math.min(lanesAllowed(), unprovenLanes)
        if (lanes >= allowed || !connections.acquire(self)) return
      }
      lanes++
      track(work(line))
    }
  }

  /** One lane. It holds a place in `connections` from its start to its end, or hands it to an idle line. */
  async function work(first: Line | null): Promise<void> {
    let line = first
    let carried = 0
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      const left = await carry(task, line)
      if (left === 'give-way') {
        line = null
        break
      }
      line = left
      carried++
      // Others wait for a connection: who has several gives one up at once, and nobody goes on for ever.
      if (connections.contended && (lanes > 1 || carried >= turnMessages)) break
      if (isStopping || lanes > lanesAllowed()) break
    }
    lanes--
    if (line !== null && !isStopping && line.channel.usable && !connections.contended) {
      line.idleSinceMs = monotonicMs()
      idle.push(line)
    } else {
      close(line)
      connections.release()
    }
    serve()
    forgetIfQuiet()
  }

  /**
   * One message to this next hop, over as many hosts as it takes. Never rejects.
   * Returns the line if it can go on; 'give-way' when the message waits again, for a lane that has a connection.
   */
  async function carry(task: Task, given: Line | null): Promise<Line | null | 'give-way'> {
    const attempt = begin(task)
    let line = given
    /** A connection that is in order, to a host that could not carry this message. */
    let spare: Line | null = null
    let isRequeued = false
    try {
      if (isDownFor(task)) {
        attempt.restFails(notTried(down?.failure), down?.host ?? null)
        return line
      }
      let itinerary: Itinerary = plan !== null && hop.isCurrent(plan) ? plan : await ask()
      const mayLeaveTlsOut = hadFailedHandshake(task)
      let tries: Try[] | null = null
      /** Those that this attempt need not try any more. */
      const spent = new Set<string>()
      let mayStartOver = true
      if (!leadsOn(itinerary, attempt)) return line
      /** The line was opened in this attempt: when it breaks, that tells of the host. */
      let isFresh = false
      let connected = false

      while (attempt.left.length > 0) {
        if (line !== null && !isFresh && !(isOpenTo(line, task) && mayCarry(line, itinerary))) {
          close(line)
          line = null
        }
        if (line === null) {
          if (isStopping) return spare
          if (tries === null) {
            const { candidates } = itinerary
            const untried = candidates.filter(candidate => !spent.has(targetOf(candidate)))
            const { tried: hopeful, left } = inOrderOfHope(untried, knowledge, now())
            const first = hopeful.slice(0, maxTried - spent.size)
            const without = hopeful[first.length] ?? left[0]
            tries = first.map(candidate => ({ candidate, clearText: 'as-planned' }))
            if (without !== undefined) attempt.obstacle(tooMany(candidates.length), without.host, null)
          }
          const one: Try | undefined = tries.shift()
          if (one === undefined) break
          const { candidate, clearText } = one
          spent.add(targetOf(candidate))
          close(spare)
          spare = null
          const reached = await hop.reach(candidate, itinerary, clearText)
          reporter.session(reached.session)
          attempt.used(reached.session.id)
          if (reached.kind === 'failed') {
            const { failure, session } = reached
            attempt.obstacle(failure, candidate.host, { candidate, verdict: session.verdict, tls: tlsOf(session) })
            if (mayLeaveTlsOut && clearText === 'as-planned' && failedAtTls(failure, candidate))
              tries.push({ candidate, clearText: 'after-failed-handshake' })
            continue
          }
          line = lineOf(reached.channel, reached.session)
          isFresh = true
          proven()
        } else attempt.used(line.channel.session)

        // Of one that broke meanwhile its own answer to the mail says why.
        if (isFresh && line.channel.usable && !isServedBy(line, itinerary)) {
          // It took longer than what it stands on holds: what the DNS says now decides whether anything is sent.
          itinerary = await ask()
          tries = null
          if (line.channel.usable && !isServedBy(line, itinerary)) {
            const { candidate } = line.channel
            close(line)
            line = null
            attempt.obstacle(overtaken, candidate.host, null)
            // Once, the host is tried again: its zone may have changed just then.
            if (mayStartOver) spent.delete(targetOf(candidate))
            mayStartOver = false
            if (!leadsOn(itinerary, attempt)) return null
            continue
          }
        }

        attempt.carriedBy(line.carrier)
        const { host } = line.carrier.candidate
        const result: TransactionResult = await line.channel.send(attempt.mail())
        const tried = attempt.left
        const condemned = attempt.took(result, host)
        if (attempt.left.length > 0) tellTaken(task, tried, result)
        const isBroken = !result.reusable || !line.channel.usable
        if (isAborted) return null
        if (condemned !== null) {
          attempt.obstacle(condemned, host, line.carrier)
          // The host is of no use for what is left of this message; its connection may still be, for others.
          if (isBroken || entryOf(condemned.reason).condemns === 'session') drop(line)
          else spare = line
          // One that had rested may have been given up by the peer meanwhile: that says nothing about the host.
          connected ||= isFresh || entryOf(condemned.reason).condemns === 'host'
          line = null
        } else {
          connected = true
          if (isBroken) {
            drop(line)
            line = null
          }
        }
      }

      const obstacle = attempt.greatestObstacle
      if (attempt.left.length === 0 || obstacle === null) return line ?? spare
      const isServed = [...live].some(other => isOpenTo(other, task))
      const isCrowded = !connected && isServed && entryOf(obstacle.failure.reason).lasting === 'for-now'
      if (isCrowded) {
        // The host serves us on other connections and wants no more of them.
        lanesBorne = Math.max(1, live.size)
        raiseAtMs = monotonicMs() + raiseMs
        if (attempt.left.length === task.recipients.length) {
          // Nothing is decided yet: the message waits for one of those.
          queue.unshift(task)
          isRequeued = true
          return 'give-way'
        }
      }
      attempt.meets(obstacle)
      // Where clear text would do later, each message must see a handshake of its own fail first: none is put off for another's.
      const isTlsAlone = obstacle.by !== null && failedAtTls(obstacle.failure, obstacle.by.candidate)
      if (!connected && live.size === 0 && !isTlsAlone) goDown(obstacle.failure, obstacle.host)
      return line ?? spare
    } catch (error) {
      // Ours, not the peer's: this message waits, the others go on.
      if (line !== null) drop(line)
      close(spare)
      const says = error instanceof Error ? (error.stack ?? error.message) : String(error)
      reporter.notice('error', `delivery of ${task.message.id} to ${label} met a fault of our own: ${says}`)
      attempt.restFails(internal(error instanceof Error ? error.message : String(error)), null)
      return null
    } finally {
      if (!isRequeued) over(attempt.report())
    }
  }

  /** Whether there is anybody to try. If not, that decides for all who are left, and for what waits behind them. */
  function leadsOn(itinerary: Itinerary, attempt: ReturnType<typeof begin>): boolean {
    const { failure, candidates, skipped } = itinerary
    if (failure !== null || candidates.length === 0) {
      const why = failure ?? internal('no host and no reason for it')
      attempt.restFails(why, skipped[0]?.host ?? null)
      goDown(why, null)
      return false
    }
    for (const one of skipped)
      if (entryOf(one.failure.reason).lasting === 'for-now') attempt.obstacle(one.failure, one.host, null)
    return true
  }

  /** The rest may take as long as several servers like: what is known must not wait for it. */
  function tellTaken(task: Task, tried: readonly number[], { recipients }: TransactionResult): void {
    const places = tried.filter((_, i) => recipients[i]?.kind === 'delivered')
    if (places.length > 0) parts.took(task, places)
  }

  /** Asks for the way once, however many lanes want to know. */
  function ask(): Promise<Itinerary> {
    asking ??= hop.itinerary(destination).then(
      found => {
        asking = null
        plan = found
        if (destination.kind === 'mx') plannedName = found.candidates[0]?.plan.name ?? null
        return found
      },
      (error: unknown) => {
        asking = null
        throw error
      },
    )
    return asking
  }

  function mayCarry(line: Line, itinerary: Itinerary): boolean {
    return monotonicMs() - line.sinceMs <= lineLifeMs && isServedBy(line, itinerary)
  }

  /** The channel leads where the itinerary does, and mail by it may begin on it now. */
  function isServedBy({ channel }: Line, { candidates }: Itinerary): boolean {
    const { host, address, port } = channel.candidate
    const same =
      candidates.find(one => one === channel.candidate) ??
      candidates.find(one => one.host === host && one.address === address && one.port === port)
    return same !== undefined && hop.satisfies(channel, same)
  }

  function forgetIfQuiet(): void {
    if (self.isQuiet) plan = null
  }

  function proven(): void {
    down = null
    if (isProven) return
    isProven = true
    serve()
  }

  /** A message at its expiry gets its last attempt: it is put off only when the next hop was tried after that time. */
  function isDownFor({ message: { expiresAtMs } }: Task): boolean {
    const nowMs = monotonicMs()
    if (down === null || nowMs >= down.untilMs) return false
    const expiredForMs = now() - expiresAtMs
    return expiredForMs < 0 || expiredForMs >= nowMs - down.sinceMs
  }

  /** No host could be used. What waits goes back at once, so that it holds no memory while one message at a time probes. */
  function goDown(failure: Failure, host: string | null): void {
    // A refusal for good concerns mail, not only connections: each message gets its own answer.
    if (entryOf(failure.reason).lasting === 'for-good') return
    isProven = false
    plan = null
    const sinceMs = monotonicMs()
    down = { failure, host, sinceMs, untilMs: sinceMs + parts.downMs() }
    handBack(notTried(failure), host)
  }

  function handBack(failure: Failure | null, host: string | null): void {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      const attempt = begin(task)
      if (failure !== null) attempt.restFails(failure, host)
      over(attempt.report())
    }
  }

  function lineOf(channel: Channel, { verdict }: SessionDocument): Line {
    const nowMs = monotonicMs()
    const line = { channel, carrier: carrierOf(channel, verdict), sinceMs: nowMs, idleSinceMs: nowMs }
    live.add(line)
    return line
  }

  function close(line: Line | null): void {
    if (line === null) return
    live.delete(line)
    track(line.channel.close().catch(() => line.channel.abort()))
  }

  function track(going: Promise<void>): void {
    const ended = going.catch((error: unknown) => {
      const says = error instanceof Error ? (error.stack ?? error.message) : String(error)
      reporter.notice('error', `a connection to ${label} met a fault of our own: ${says}`)
    })
    running.add(ended)
    void ended.finally(() => running.delete(ended))
  }

  function drop(line: Line): void {
    live.delete(line)
    line.channel.abort()
  }

  const self: NextHop = {
    label,
    get planned() {
      return { level: destination.level, name: plannedName }
    },
    get queued() {
      return queue.length
    },
    get oldestQueuedAtMs() {
      return queue.peek()?.queuedAtMs ?? null
    },
    get isQuiet() {
      return queue.length === 0 && lanes === 0 && idle.length === 0
    },
    get isRemembered() {
      return down !== null && monotonicMs() < down.untilMs + rememberMs
    },
    add(task) {
      if (isStopping) {
        over(begin(task).report())
        return
      }
      if (isDownFor(task)) {
        const attempt = begin(task)
        attempt.restFails(notTried(down?.failure), down?.host ?? null)
        over(attempt.report())
        return
      }
      queue.push(task)
      serve()
    },
    withdraw(keep) {
      const back: Task[] = []
      while (queue.length > keep) {
        const task = queue.pop()
        if (task !== undefined) back.push(task)
      }
      return back
    },
    serve,
    giveUpIdle() {
      const line = idle.shift()
      if (line === undefined) return false
      close(line)
      connections.release()
      forgetIfQuiet()
      return true
    },
    sweep() {
      const nowMs = monotonicMs()
      const before = nowMs - idleMs
      if (lanesBorne < parts.lanes() && nowMs >= raiseAtMs) {
        lanesBorne++
        raiseAtMs = nowMs + raiseMs
        serve()
      }
      while (idle[0] !== undefined && (idle[0].idleSinceMs <= before || !idle[0].channel.usable)) self.giveUpIdle()
    },
    retry() {
      down = null
      serve()
    },
    stop() {
      isStopping = true
      handBack(null, null)
      while (self.giveUpIdle());
    },
    abort() {
      isStopping = true
      isAborted = true
      for (const line of live) line.channel.abort()
    },
    async ended() {
      while (running.size > 0) await Promise.all(running)
    },
  }
  connections.join(self)
  return self
}

/** One candidate, and how it is tried. */
interface Try {
  readonly candidate: Candidate
  readonly clearText: ClearText
}

interface Obstacle {
  readonly failure: Failure
  readonly host: string
  /** Null for a host that was not tried. */
  readonly by: Carrier | null
}

/** One message's attempt while it goes on: who is left, and what came of the others. */
function createAttempt(task: Task, nextHop: Pick<NextHop, 'label' | 'planned'>, startedAtMs: number) {
  const outcomes: (Outcome | undefined)[] = new Array<Outcome | undefined>(task.recipients.length).fill(undefined)
  const sessions: string[] = []
  let left: number[] = task.recipients.map((_, place) => place)
  let carrier: Carrier | null = null
  let latest: Obstacle | null = null
  let forNow: Obstacle | null = null

  return {
    /** Places in `task.recipients`. */
    get left(): readonly number[] {
      return left
    },
    used(session: string) {
      if (sessions.at(-1) !== session) sessions.push(session)
    },
    carriedBy(by: Carrier) {
      carrier = by
    },
    mail(): Mail {
      const { envelope, sizeBytes } = task.message
      return {
        from: envelope.from,
        recipients: left.flatMap(place => task.recipients[place]?.path ?? []),
        demands: envelope.demands,
        sizeBytes,
        content: task.content,
      }
    },
    /**
     * Takes the result of one transaction. Returns the failure that condemns the connection or its host, when one does: then those it
     * concerns are still left, for another host. Null with recipients left: the same connection can take them now.
     */
    took({ recipients }: TransactionResult, host: string): Failure | null {
      let condemned: Failure | null = null
      const again: number[] = []
      const someDelivered = recipients.some(({ kind }) => kind === 'delivered')
      for (const [i, place] of left.entries()) {
        const result = recipients[i] ?? { kind: 'failed', failure: internal('a recipient without a result') }
        if (result.kind === 'failed' && condemnsHost(result.failure)) {
          condemned = result.failure
          again.push(place)
        } else if (result.kind === 'failed' && someDelivered && isTooMany(result.failure)) again.push(place)
        else outcomes[place] = { result, host }
      }
      left = again
      return condemned
    },
    /** Something stood in the way of all who are left. */
    obstacle(failure: Failure, host: string, by: Carrier | null) {
      latest = { failure, host, by }
      if (entryOf(failure.reason).lasting !== 'for-now') return
      // A failed handshake is told before what other hosts did: the next attempt must know of it.
      if (forNow === null || !isHandshakeReason(forNow.failure.reason) || isHandshakeReason(failure.reason))
        forNow = latest
    },
    /** Waiting helps if it would help at any host: one that failed for now outweighs those that refuse for good. */
    get greatestObstacle(): Obstacle | null {
      return forNow ?? latest
    },
    /** The obstacle decides for all who are left; where it does for everybody, the report is about its host. */
    meets({ failure, host, by }: Obstacle) {
      if (left.length === task.recipients.length) carrier = by
      this.restFails(failure, host)
    },
    restFails(failure: Failure, host: string | null) {
      for (const place of left) outcomes[place] = { result: { kind: 'failed', failure }, host }
      left = []
    },
    report(): TaskReport {
      const untried: Outcome = { result: null, host: null }
      const { label, planned } = nextHop
      return {
        task,
        outcomes: outcomes.map(outcome => outcome ?? untried),
        sessions,
        carrier,
        planned: carrier === null ? planned : { level: planned.level, name: carrier.candidate.plan.name },
        startedAtMs,
        nextHop: label,
      }
    },
  }
}

function condemnsHost({ reason }: Failure): boolean {
  const { condemns } = entryOf(reason)
  return condemns === 'host' || condemns === 'session'
}

/** The address was reached, only TLS with it is broken, and the plan would take clear text. */
function failedAtTls({ reason }: Failure, { plan }: Candidate): boolean {
  return isHandshakeReason(reason) && plan.starttls === 'if-offered' && plan.least.peer === 'clear'
}

/** A connection in clear text because TLS failed serves only those that TLS failed for as well. */
function isOpenTo({ channel: { verdict } }: Line, task: Task): boolean {
  return verdict.kind !== 'clear' || verdict.because !== 'handshake-failed-before' || hadFailedHandshake(task)
}

function tooMany(known: number): Failure {
  return {
    reason: 'dns.too-many-hosts',
    detail: `${known} addresses, of which ${maxTried} are tried`,
    reply: null,
  }
}

/** RFC 5321 §4.5.3.1.10: the server's limit of recipients for one transaction, not for good whichever code it uses. */
function isTooMany({ reason, reply }: Failure): boolean {
  if (reply === null) return false
  const refused = reason === 'smtp.recipient-refused-for-now' || reason === 'smtp.recipient-refused-for-good'
  return refused && (reply.enhanced?.endsWith('.5.3') ?? (reply.code === 452 || reply.code === 552))
}

function notTried(failure: Failure | undefined): Failure {
  if (failure === undefined) return internal('a next hop is down without a reason')
  const why = 'not tried for this message: it had failed for another a moment ago'
  return { ...failure, detail: failure.detail === null ? why : `${failure.detail}; ${why}` }
}

function carrierOf(channel: Channel, verdict: VerdictEvidence | null): Carrier {
  return { candidate: channel.candidate, verdict, tls: channel.tls }
}

function tlsOf({ tls }: SessionDocument): string | null {
  return tls?.outcome === 'established' ? `${tls.version ?? ''} ${tls.cipher ?? ''}` : null
}

function targetOf({ host, address, port }: Candidate): string {
  return `${host} ${address} ${port}`
}

function internal(detail: string): Failure {
  return { reason: 'us.internal', detail, reply: null }
}

interface Queue<T> {
  readonly length: number
  push(item: T): void
  /** Puts back in front what was taken last. */
  unshift(item: T): void
  shift(): T | undefined
  pop(): T | undefined
  peek(): T | undefined
}

/** First in, first out, without the cost of `Array.shift` on long arrays. */
function createQueue<T>(): Queue<T> {
  let items: T[] = []
  let head = 0
  return {
    get length() {
      return items.length - head
    },
    push(item) {
      items.push(item)
    },
    unshift(item) {
      if (head > 0) items[--head] = item
      else items.unshift(item)
    },
    shift() {
      const item = items[head]
      if (item === undefined) return undefined
      head++
      // What was handed out must not be held by the array; half of it at a time keeps the cost per item constant.
      if (head > 64 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
    pop() {
      return items.length > head ? items.pop() : undefined
    },
    peek() {
      return items[head]
    },
  }
}

/** Connections begun to a next hop of which none has come about yet. */
const unprovenLanes = 4
const overtaken: Failure = {
  reason: 'dane.lookup-failed',
  detail: 'what the DNS says of it was not the same any more once the connection stood',
  reply: null,
}
/** Messages of one lane in a row while others wait for a connection. */
const turnMessages = 50
/** After a host refused one more connection, one more is tried this much later. */
const raiseMs = 10_000
/** A next hop that was down is known for it this much longer. */
const rememberMs = 30 * 60_000
/** An idle connection is kept this long for the next message. */
const idleMs = 2_000
/** After this a connection is not used again, so that mail finds back from a second-best host to the best. */
const lineLifeMs = 5 * 60_000
