/**
 * The relay's end of the control socket: what `hermetic queue` and `hermetic config reload` talk to while a relay runs.
 *
 * Success of `createControlServer` means that this relay alone answers on the socket of this state directory; a socket file that a killed relay left is
 * replaced, one that somebody answers on is not. It keeps no state and decides nothing: it passes requests to spool and delivery.
 * Bounded: few connections, short requests, one at a time, and a client that says nothing is hung up on.
 */
import { chmodSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Spool } from '../../spool/spool.ts'
import type { Delivery } from '../ports.ts'
import {
  type ControlAnswers,
  type ControlReply,
  type ControlRequest,
  controlRequest,
  longestRequestBytes,
  type RelayStatus,
  type ReloadAnswer,
} from './protocol.ts'
import { removeMessage } from './queue-operations.ts'
import { socketPath } from './socket-path.ts'

export interface ControlServerParts {
  /** The state directory; the socket is `control.sock` in it. */
  readonly state: string
  readonly spool: Pick<Spool, 'list' | 'show' | 'expedite' | 'remove' | 'counts'>
  readonly delivery: Pick<Delivery, 'wake' | 'idle'>
  readonly now: () => number
  /** Tells what only the relay knows of itself. */
  readonly status: () => Pick<RelayStatus, 'version' | 'startedAtMs' | 'hostname' | 'listeners' | 'health'>
  readonly reload: () => ReloadAnswer | Promise<ReloadAnswer>
  /** Told of a message that an operator removed, for the journal. */
  readonly removed: (id: string) => void
}

export interface ControlServer {
  close(): Promise<void>
}

/** The socket belongs to a relay that is running. */
export class RelayAlreadyRuns extends Error {}

/** Rejects with `RelayAlreadyRuns`, or with what the system says against the socket (an unwritable directory). */
export async function createControlServer(parts: ControlServerParts): Promise<ControlServer> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    if (sockets.size > mostConnections) socket.destroy()
    else serveOne(socket, parts)
  })
  const path = socketPath(parts.state)
  try {
    await bind(server, path.path)
  } catch (error) {
    path.release()
    throw error
  }
  return {
    close: () =>
      new Promise(resolve => {
        // Node removes the socket file of a server that it closes.
        server.close(() => {
          path.release()
          resolve()
        })
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function bind(server: Server, path: string): Promise<void> {
  try {
    await listen(server, path)
  } catch (error) {
    if (!isCode(error, 'EADDRINUSE')) throw error
    if (await somebodyAnswers(path)) throw new RelayAlreadyRuns('a relay answers on the control socket')
    unlinkSync(path)
    await listen(server, path)
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // The file appears while `listen` is called, so that no other moment sees it open to others.
    const before = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.off('error', reject)
        server.on('error', () => {})
        try {
          chmodSync(path, 0o600)
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    } finally {
      process.umask(before)
    }
  })
}

function somebodyAnswers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', error => resolve(!isCode(error, 'ECONNREFUSED') && !isCode(error, 'ENOENT')))
  })
}

function serveOne(socket: Socket, parts: ControlServerParts): void {
  let pending = Buffer.alloc(0)
  let busy = false
  let ended = false
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', bytes => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
    advance()
  })
  socket.on('end', () => {
    ended = true
    advance()
  })

  function advance(): void {
    if (busy) return
    const end = pending.indexOf(0x0a)
    if (end > longestRequestBytes || (end < 0 && pending.length > longestRequestBytes)) {
      send({ ok: false, says: `a request has at most ${longestRequestBytes} bytes` })
      socket.end()
      pending = Buffer.alloc(0)
      return
    }
    if (end < 0) {
      if (ended) socket.end()
      return
    }
    const line = pending.subarray(0, end).toString('utf8')
    pending = pending.subarray(end + 1)
    busy = true
    // One request at a time: what comes meanwhile waits in the kernel.
    socket.pause()
    void answerTo(line, parts).then(reply => {
      send(reply)
      busy = false
      socket.resume()
      advance()
    })
  }

  function send(reply: ControlReply): void {
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`)
  }
}

async function answerTo(line: string, parts: ControlServerParts): Promise<ControlReply> {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return { ok: false, says: 'the request is not JSON' }
  }
  const request = controlRequest.safeParse(json)
  if (!request.success) return { ok: false, says: 'not a request that this relay knows' }
  try {
    return { ok: true, answer: await perform(request.data, parts) }
  } catch (error) {
    return { ok: false, says: error instanceof Error ? error.message : String(error) }
  }
}

async function perform(
  request: ControlRequest,
  parts: ControlServerParts,
): Promise<ControlAnswers[ControlRequest['op']]> {
  const { spool, delivery } = parts
  switch (request.op) {
    case 'status':
      return { ...parts.status(), pid: process.pid, idle: delivery.idle, ...(await spool.counts()) }
    case 'queue.list':
      return { messages: await spool.list(request.after, request.limit) }
    case 'queue.show':
      return { message: await spool.show(request.id) }
    case 'queue.retry': {
      const touched = await spool.expedite(request.id, parts.now())
      delivery.wake()
      return { touched }
    }
    case 'queue.remove': {
      const answer = await removeMessage(spool, request.id)
      if (answer.outcome === 'removed') parts.removed(request.id)
      return answer
    }
    case 'reload':
      return parts.reload()
    default:
      return request satisfies never
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

const mostConnections = 16
const idleMs = 60_000
