/** A receiving side on loopback with everything behind it replaced by records, and a clock that tests move. */
import type { LifeEvent } from '../../../journal/journal.ts'
import { messageId } from '../../../protocol/mail/message-id.ts'
import type { BodyWriter, NewMessage, StoredMessage, StoreFault } from '../../../spool/spool.ts'
import { defaultSettings } from '../../configuration/configuration.ts'
import type { RouteDecision, RoutingInput } from '../../ports.ts'
import type { RelayLimits, Settings } from '../../settings.ts'
import { createInbound, type Inbound } from '../inbound.ts'

export interface Accepted {
  readonly message: NewMessage
  readonly content: Buffer
}

export interface Harness {
  readonly inbound: Inbound
  readonly port: number
  readonly settings: Settings
  readonly accepted: Accepted[]
  readonly submitted: { readonly message: StoredMessage; readonly content: Uint8Array | null }[]
  readonly released: string[]
  /** Bodies opened and neither accepted nor discarded. */
  readonly openBodies: Set<BodyWriter>
  readonly events: LifeEvent[]
  /** Codes of the incidents so far. */
  readonly incidents: { readonly code: string; readonly client: string; readonly says: string }[]
  readonly notices: string[]
  /** What the parts do next. */
  readonly behaviour: Behaviour
  advance(ms: number): void
}

export interface Behaviour {
  /** Given to `accept`. */
  storeFault: StoreFault | null
  /** `accept` waits for it. */
  storing: Promise<void> | null
  /** How often `accept` was called. */
  acceptCalls: number
  /** `write` returns it once. */
  writing: Promise<undefined | StoreFault> | null
  hasRoom: boolean
  /** `openBody` throws it once: a fault of our own. */
  bodyFault: Error | null
  decide: (input: RoutingInput) => Promise<RouteDecision>
}

export async function startHarness(
  overrides: Partial<Settings> & {
    readonly limitsToo?: Partial<RelayLimits>
  } = {},
): Promise<Harness> {
  const { limitsToo, ...some } = overrides
  const base = defaultSettings({
    hostname: 'mx.example.org',
    state: '/nonexistent/hermetic-tests',
    relayFrom: ['127.0.0.0/8'],
    relayTo: ['example.org'],
    listen: [{ address: '127.0.0.1', port: 0, tls: 'none', tryNext: 0 }],
    ...some,
  })
  const settings = { ...base, limits: { ...base.limits, greetingDelayMs: 0, ...limitsToo } }
  const behaviour: Behaviour = {
    storeFault: null,
    storing: null,
    acceptCalls: 0,
    writing: null,
    hasRoom: true,
    bodyFault: null,
    decide: () => Promise.reject(new Error('no route was asked for in this test')),
  }
  const accepted: Accepted[] = []
  const submitted: Harness['submitted'] = []
  const released: string[] = []
  const openBodies = new Set<BodyWriter>()
  const events: LifeEvent[] = []
  const incidents: Harness['incidents'] = []
  const notices: string[] = []
  let monotonicMs = 0
  let serial = 0
  const inbound = createInbound({
    settings,
    spool: {
      newId: nowMs => messageId(nowMs, 0, serial++),
      openBody() {
        const fault = behaviour.bodyFault
        behaviour.bodyFault = null
        if (fault !== null) throw fault
        return recordingBody(behaviour, openBodies)
      },
      async accept(message, body) {
        openBodies.delete(body)
        behaviour.acceptCalls++
        await behaviour.storing
        if (behaviour.storeFault !== null) return behaviour.storeFault
        accepted.push({ message, content: Buffer.from(body.content() ?? []) })
        return null
      },
      release: id => void released.push(id),
    },
    delivery: {
      submit: (message, content) => void submitted.push({ message, content }),
      hasRoom: () => behaviour.hasRoom,
      wake: () => void released.push('woken'),
    },
    routing: { decide: input => behaviour.decide(input) },
    reporter: {
      event: event => void (event.kind === 'incident' ? incidents.push(event) : events.push(event)),
      session: () => {},
      notice: (severity, text) => void notices.push(`${severity}: ${text}`),
    },
    now: () => Date.UTC(2026, 10, 21, 3, 4, 5),
    monotonicMs: () => monotonicMs,
    sweepMs: 2,
  })
  const problems = await inbound.start()
  if (problems.length > 0) throw new Error(problems.map(problem => problem.says).join(' '))
  return {
    inbound,
    port: inbound.listeners[0]?.port ?? 0,
    settings,
    accepted,
    submitted,
    released,
    openBodies,
    events,
    incidents,
    notices,
    behaviour,
    advance: ms => {
      monotonicMs += ms
    },
  }
}

function recordingBody(behaviour: Behaviour, open: Set<BodyWriter>): BodyWriter {
  const pieces: Uint8Array[] = []
  const body: BodyWriter = {
    write(bytes) {
      pieces.push(bytes)
      const waiting = behaviour.writing
      behaviour.writing = null
      return waiting ?? undefined
    },
    get size() {
      return pieces.reduce((sum, piece) => sum + piece.length, 0)
    },
    content: () => Buffer.concat(pieces),
    discard: () => void open.delete(body),
  }
  open.add(body)
  return body
}

/** Resolves once it holds; a test that hopes in vain runs into its timeout. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 2))
}
