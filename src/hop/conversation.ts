/**
 * An SMTP conversation over a socket: joins the client machine of protocol/smtp, a socket, and one time limit.
 *
 * It gives every event of the machine to whoever is listening, in order; a timeout, a reset, a close and everything that comes unasked end in one event
 * `failed`, after which nothing more is said. It decides nothing about mail, TLS or trust.
 *
 * What throws in here is a fault of ours. It ends this conversation, as the event `fault`, and is never thrown at the event loop: one message, or one peer, that
 * finds a fault must not end the deliveries of all others.
 */
import type { Socket } from 'node:net'
import { handshakeFailure, isTlsCode } from '../judgement/connection-failures.ts'
import type { Failure } from '../judgement/failure.ts'
import type { ClientEvent, SmtpClient } from '../protocol/smtp/client.ts'
import { createWatchdog } from './watchdog.ts'

/** What a conversation tells: an event of the machine that went well, or the end of it all. */
export type Told =
  | Exclude<ClientEvent, { kind: 'failed' }>
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** The end by a fault of our own. */
  | { readonly kind: 'fault'; readonly error: unknown }

export interface Conversation {
  readonly client: SmtpClient
  /** Why it is over; null while it goes on. */
  readonly over: Failure | null
  /** Nothing was asked that is not answered: another action may begin. */
  readonly isIdle: boolean
  /** Every event goes to `listener` from now on; null: nobody waits, and anything that comes ends the conversation. */
  listen(listener: ((told: Told) => void) | null): void
  /** Runs an action of the machine (or none) and resolves with the next event. Rejects only with a fault of our own. */
  ask(action: ((client: SmtpClient) => void) | null): Promise<Exclude<Told, { kind: 'fault' }>>
  /** Sends what the machine has ready and works on; to be called after using the machine directly. */
  proceed(): void
  /** Writes content, keeping the peer's pace; false when the conversation ended meanwhile. Waits only when the peer does not keep up. */
  write(pieces: readonly Uint8Array[]): boolean | Promise<boolean>
  /** Gives the socket away, for TLS: after a granted STARTTLS and before anything else happens. */
  detach(): Socket
  /** Drops the connection. Whoever waits is told. */
  destroy(): void
}

/** @param onOver called once, when the connection is gone or given away */
export function createConversation(socket: Socket, client: SmtpClient, onOver: () => void): Conversation {
  let over: Failure | null = null
  let listener: ((told: Told) => void) | null = null
  let socketError: (Error & { code?: string }) | null = null
  let isPumping = false
  let isIdle = false
  /** Called when a writer that waits may go on, or must give up. */
  let wakeWriter: (() => void) | null = null
  /** What was awaited when the machine last asked for bytes: it forgets when the peer goes away. */
  let phase = client.phase
  const watchdog = createWatchdog(() => {
    fail({ reason: 'smtp.timeout', detail: `nothing came in time in phase ${phase}`, reply: null })
  })

  function fail(failure: Failure) {
    if (over === null) end(failure, { kind: 'failed', failure })
  }

  function fault(error: unknown) {
    if (over !== null) process.emitWarning(faultText(error))
    else end({ reason: 'us.internal', detail: messageOf(error), reply: null }, { kind: 'fault', error })
  }

  function end(why: Failure, told: Told) {
    over = why
    isIdle = false
    watchdog.stop()
    socket.destroy()
    wakeWriter?.()
    const tell = listener
    listener = null
    onOver()
    if (tell !== null) inform(tell, told)
    // Nobody waits who could report it.
    else if (told.kind === 'fault') process.emitWarning(faultText(told.error))
  }

  /** The last word may not throw either: it may be said by a timer. */
  function inform(tell: (told: Told) => void, told: Told) {
    try {
      tell(told)
    } catch (error) {
      if (told.kind === 'fault') process.emitWarning(faultText(error))
      else inform(tell, { kind: 'fault', error })
    }
  }

  function closed(): Failure {
    const code = socketError?.code ?? null
    if (socketError !== null && code !== null && isTlsCode(code))
      return handshakeFailure({ code, message: socketError.message })
    return { reason: 'smtp.closed', detail: `in phase ${phase}${code === null ? '' : `, ${code}`}`, reply: null }
  }

  /**
   * A reply has its time from its command on (RFC 5321 §4.5.3.2), in however many pieces it comes: a server that sends one octet now and then must not
   * hold a connection for ever. So bytes alone do not begin it anew; what does is a reply that is whole, and what we say.
   */
  function pump(because: 'we-acted' | 'bytes-came') {
    if (isPumping) return
    isPumping = true
    try {
      pumpDry(because)
    } catch (error) {
      fault(error)
    } finally {
      isPumping = false
    }
  }

  function pumpDry(because: 'we-acted' | 'bytes-came') {
    let isNewStep = because === 'we-acted'
    isIdle = false
    while (over === null) {
      const event = client.next()
      if (event === 'need-bytes' || event === 'idle') {
        if (flush()) isNewStep = true
        isIdle = event === 'idle'
        ;({ phase } = client)
        if (isIdle) watchdog.disarm()
        else if (isNewStep) watchdog.arm(client.timeoutMs)
        break
      }
      if (event === 'closed') {
        fail(closed())
      } else if (event.kind === 'failed') {
        const { reason, detail, reply } = event
        // We know better than the machine why the bytes ended, and where.
        fail(reason === 'smtp.closed' ? closed() : { reason, detail, reply })
      } else if (event.kind === 'starttls' && event.reply.code === 220) {
        // From here on the bytes belong to TLS; the machine has ended, and whoever listens detaches the socket.
        letGo()
        listener?.(event)
        break
      } else {
        flush()
        isNewStep = true
        listener?.(event)
      }
    }
  }

  function flush(): boolean {
    const output = client.output()
    if (output !== null) socket.write(output)
    return output !== null
  }

  function onData(chunk: Buffer) {
    receive(chunk)
    pump('bytes-came')
  }
  function receive(input: Buffer | 'end') {
    try {
      client.receive(input)
    } catch (error) {
      fault(error)
    }
  }
  function onEnd() {
    if (over !== null) return
    receive('end')
    pump('bytes-came')
    if (over === null) fail(closed())
  }
  function onError(error: Error) {
    socketError = error
  }
  function onDrain() {
    wakeWriter?.()
  }

  /** Takes our hands off the socket. */
  function letGo() {
    watchdog.stop()
    socket.off('data', onData)
    socket.off('end', onEnd)
    socket.off('close', onEnd)
    socket.off('error', onError)
    socket.off('drain', onDrain)
  }

  // Gone before anybody listened: no event will tell.
  if (socket.destroyed) queueMicrotask(onEnd)
  socket.on('data', onData)
  socket.on('end', onEnd)
  socket.on('close', onEnd)
  socket.on('error', onError)
  socket.on('drain', onDrain)

  function listen(next: ((told: Told) => void) | null) {
    listener = next
  }

  return {
    client,
    get over() {
      return over
    },
    get isIdle() {
      return isIdle && over === null
    },
    listen,
    ask(action) {
      return new Promise((resolve, reject) => {
        if (over !== null) return resolve({ kind: 'failed', failure: over })
        listener = told => {
          listener = null
          if (told.kind === 'fault') reject(told.error)
          else resolve(told)
        }
        action?.(client)
        pump('we-acted')
      })
    },
    proceed: () => pump('we-acted'),
    write(pieces) {
      if (over !== null) return false
      socket.cork()
      let hasRoom = true
      for (const piece of pieces) hasRoom = socket.write(piece)
      socket.uncork()
      if (hasRoom) return true
      watchdog.arm(client.timeoutMs)
      return new Promise(resolve => {
        wakeWriter = () => {
          wakeWriter = null
          resolve(over === null)
        }
      })
    },
    detach() {
      letGo()
      listener = null
      over = { reason: 'smtp.closed', detail: 'handed over to TLS', reply: null }
      onOver()
      return socket
    },
    destroy() {
      fail({ reason: 'smtp.closed', detail: 'closed by us', reply: null })
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function faultText(error: unknown): string {
  return `a conversation met a fault of our own: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
