/**
 * The receiving side of the relay: listens, keeps the number of connections within its limits, holds the certificates, and ends what takes too long.
 * What is said on a connection is session.ts.
 *
 * Success of `start` is that every listener of the settings listens. It never listens on some of them only.
 */
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { mailDate } from '../../protocol/mail/date.ts'
import type { Spool } from '../../spool/spool.ts'
import { type ListenResult, listen } from '../../system/listener.ts'
import { selfMadeCertificate } from '../../system/self-made-certificate.ts'
import {
  type CertificateFiles,
  certificateFor,
  loadCertificates,
  type ServerCertificate,
} from '../../system/server-certificates.ts'
import type { Delivery, Reporter, Routing } from '../ports.ts'
import type { Listener, Settings } from '../settings.ts'
import type { StartFailureCode } from '../start-failure.ts'
import { createIncidents } from './incidents.ts'
import { createRelayPolicy } from './policy.ts'
import { openSession, type Session, type SessionContext } from './session.ts'

export interface InboundParts {
  readonly settings: Settings
  readonly spool: Pick<Spool, 'newId' | 'openBody' | 'accept' | 'release'>
  readonly delivery: Pick<Delivery, 'submit' | 'hasRoom' | 'wake'>
  readonly routing: Routing
  readonly reporter: Reporter
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number
  /** Milliseconds of a clock that never jumps, for limits of time. Default: the machine's. */
  readonly monotonicMs?: () => number
  /** How often limits of time are looked at; they are as exact as this. Default: a second. */
  readonly sweepMs?: number
}

/** Why the relay cannot receive: a sentence, and what to do. */
export interface InboundProblem {
  readonly code: StartFailureCode
  readonly says: string
  readonly hint: string
}

export interface ListeningAt {
  readonly address: string
  readonly port: number
  readonly tls: Listener['tls']
}

export interface Inbound {
  /** Begins to listen. Empty when it does; else nothing listens. */
  start(): Promise<readonly InboundProblem[]>
  readonly listeners: readonly ListeningAt[]
  readonly connections: number
  /**
   * Takes new settings and reads the certificate files again, for connections from now on; what listens stays as it is. When something is wrong
   * with the certificates all that was stays, and this says what.
   */
  reload(settings: Settings): Promise<readonly InboundProblem[]>
  /**
   * Listens no more, ends idle conversations with 421, lets those in a message finish until the deadline, then drops them.
   * Afterwards no call into the spool is under way. @param deadlineMs milliseconds from now
   */
  stop(deadlineMs: number): Promise<void>
}

export function createInbound(parts: InboundParts): Inbound {
  const { reporter } = parts
  const now = parts.now ?? Date.now
  const monotonicMs = parts.monotonicMs ?? (() => performance.now())
  const sessions = new Set<Session>()
  const perAddress = new Map<string, number>()
  let listening: Extract<ListenResult, { kind: 'listening' }>[] = []
  let listeners: ListeningAt[] = []
  let certificates: readonly ServerCertificate[] = []
  let settings = parts.settings
  let sweeper: NodeJS.Timeout | null = null
  let state: 'running' | 'stopping' = 'running'
  let storing = 0
  /** Told whenever a session ends or a message is stored. */
  let onQuieter: () => void = () => {}

  const incidents = createIncidents(event => reporter.event(event), now)
  const mailClock = createMailClock()
  /** Sessions keep the one they began with. */
  let context = contextOf(settings)

  function contextOf(current: Settings): SessionContext {
    return {
      settings: current,
      spool: parts.spool,
      delivery: parts.delivery,
      routing: current.routes.some(rule => rule.to.kind === 'reject') ? parts.routing : null,
      policy: createRelayPolicy(current),
      reporter,
      incidents,
      now,
      monotonicMs,
      mailDate: mailClock,
      beforeGreeting(client, greet) {
        const { greetingDelayMs } = current.limits
        if (client.maySendAnywhere || greetingDelayMs === 0) greetNextTurn(greet)
        else greetAfter(greetingDelayMs, greet)
      },
      isStopping: () => state === 'stopping',
      onGone,
      onStoring(change) {
        storing += change
        if (storing === 0) onQuieter()
      },
    }
  }

  function onGone(session: Session): void {
    sessions.delete(session)
    const { address } = session.client
    const others = (perAddress.get(address) ?? 1) - 1
    if (others === 0) perAddress.delete(address)
    else perAddress.set(address, others)
    onQuieter()
  }

  function onConnection(socket: Socket, tls: Listener['tls']): void {
    const { limits } = settings
    const { remoteAddress, localAddress } = socket
    // Gone again before we came to it.
    if (remoteAddress === undefined || localAddress === undefined) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    const address = plainAddress(remoteAddress)
    const fromThere = perAddress.get(address) ?? 0
    if (state === 'stopping' || sessions.size >= limits.connections || fromThere >= limits.connectionsPerAddress) {
      turnAway(socket, tls, fromThere >= limits.connectionsPerAddress ? tooManyFromYou : tooMany)
      return
    }
    perAddress.set(address, fromThere + 1)
    const client = {
      address,
      ourAddress: plainAddress(localAddress),
      maySendAnywhere: context.policy.maySendAnywhere(address),
    }
    sessions.add(openSession(context, { transport: socket, client, tls, secure: () => secureSocket(socket) }))
  }

  function turnAway(socket: Socket, tls: Listener['tls'], why: string): void {
    socket.on('error', () => {})
    // Before a handshake there is no way to say it.
    if (tls === 'implicit') socket.destroy()
    else {
      socket.write(`421 4.7.0 ${settings.hostname} ${why}\r\n`)
      socket.destroySoon()
    }
  }

  function secureSocket(socket: Socket): TLSSocket {
    const [first] = certificates
    if (first === undefined) throw new Error('TLS was begun without a certificate')
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: first.context,
      ...(certificates.length > 1 ? { SNICallback: chooseContext } : {}),
    })
  }

  function chooseContext(
    serverName: string,
    give: (error: Error | null, context?: ServerCertificate['context']) => void,
  ): void {
    give(null, certificateFor(certificates, serverName)?.context)
  }

  async function certificateFiles(wanted: Settings): Promise<readonly CertificateFiles[] | InboundProblem> {
    if (wanted.tls.certificates.length > 0) return wanted.tls.certificates
    const directory = join(wanted.state, 'tls')
    try {
      const files = await selfMadeCertificate(directory, wanted.hostname, now())
      if (files.made === 'now')
        reporter.notice(
          'info',
          `A certificate for ${wanted.hostname} was made in ${directory}, as none is configured.`,
        )
      return [files]
    } catch (error) {
      return {
        code: 'start.state-unwritable',
        says: `A certificate could not be made in ${directory}: ${error instanceof Error ? error.message : String(error)}.`,
        hint: 'Make that directory writable, or configure tls.certificates.',
      }
    }
  }

  async function loadAll(wanted: Settings): Promise<readonly InboundProblem[]> {
    if (wanted.listen.every(listener => listener.tls === 'none')) return []
    const files = await certificateFiles(wanted)
    if ('says' in files) return [files]
    const loaded = loadCertificates(files, now())
    if (loaded.kind === 'problems')
      return loaded.problems.map(({ says, hint }) => ({ code: 'start.certificate', says, hint }))
    for (const { says, hint } of loaded.warnings) reporter.notice('warning', `${says} ${hint}`)
    certificates = loaded.certificates
    return []
  }

  async function openAll(): Promise<readonly InboundProblem[]> {
    for (const { address, port, tls, tryNext } of settings.listen) {
      const result = await listen({
        address,
        port,
        tryNext,
        onConnection: socket => onConnection(socket, tls),
        onTrouble: says => reporter.notice('error', says),
      })
      if (result.kind === 'refused') {
        closeListeners()
        return [{ code: listenCodes[result.why], says: result.says, hint: result.hint }]
      }
      listening.push(result)
      listeners.push({ address: result.address, port: result.port, tls })
    }
    return []
  }

  function closeListeners(): void {
    for (const listener of listening) listener.close()
    listening = []
    listeners = []
  }

  function sweep(): void {
    const nowMs = monotonicMs()
    for (const session of sessions) session.sweep(nowMs)
  }

  return {
    async start() {
      const problems = await loadAll(settings)
      if (problems.length > 0) return problems
      const refused = await openAll()
      if (refused.length === 0) sweeper = setInterval(sweep, parts.sweepMs ?? 1_000).unref()
      return refused
    },
    get listeners() {
      return listeners
    },
    get connections() {
      return sessions.size
    },
    async reload(next) {
      const problems = await loadAll(next)
      if (problems.length === 0) {
        settings = next
        context = contextOf(next)
      }
      return problems
    },
    async stop(deadlineMs) {
      state = 'stopping'
      closeListeners()
      const isQuiet = new Promise<void>(resolve => {
        onQuieter = () => {
          if (sessions.size === 0 && storing === 0) resolve()
        }
      })
      for (const session of sessions) session.stop()
      onQuieter()
      const deadline = setTimeout(() => {
        for (const session of sessions) session.destroy()
      }, deadlineMs)
      await isQuiet
      clearTimeout(deadline)
      if (sweeper !== null) clearInterval(sweeper)
    },
  }
}

/**
 * A turn of the event loop between taking a connection and greeting: what the client has sent by then is read in between, as the sockets
 * are polled between two runs of the immediates.
 */
function greetNextTurn(greet: () => void): void {
  setImmediate(setImmediate, greet)
}

/** The sockets are polled between the timer and the greeting: what came in time counts on a busy machine too. */
function greetAfter(delayMs: number, greet: () => void): void {
  setTimeout(setImmediate, delayMs, greet).unref()
}

/** Formats a second once. */
function createMailClock(): (nowMs: number) => string {
  let second = Number.NaN
  let text = ''
  return nowMs => {
    const wanted = Math.floor(nowMs / 1000)
    if (wanted !== second) {
      second = wanted
      text = mailDate(nowMs, -new Date(nowMs).getTimezoneOffset())
    }
    return text
  }
}

/** An IPv4 address in the form of IPv6 is an IPv4 client; a zone index is no part of an address. */
function plainAddress(address: string): string {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7)
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}

const listenCodes: Readonly<Record<Extract<ListenResult, { kind: 'refused' }>['why'], StartFailureCode>> = {
  taken: 'start.port-taken',
  forbidden: 'start.port-forbidden',
  'not-our-address': 'start.address-unknown',
  failed: 'start.address-unknown',
}

const tooMany = 'Too many connections here: try again later'
const tooManyFromYou = 'Too many connections from your address: try again later'
