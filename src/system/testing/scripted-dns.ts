/**
 * A name server on UDP and TCP of one loopback port that does what a script says with every query, down to the bytes: for tests of clients that meet
 * servers which lie, fall silent or answer late.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { decodeMessage, type Message } from '../../protocol/dns/message.ts'

export interface Asked {
  readonly query: Message
  readonly via: 'udp' | 'tcp'
  readonly port: number
  /** Sends these bytes back. */
  reply(bytes: Uint8Array): void
  /** TCP only: each byte in a segment of its own. */
  replyBytewise(bytes: Uint8Array): void
  /** TCP only: without the length in front. */
  write(bytes: Uint8Array): void
  /** TCP only. */
  hangUp(): void
}

export interface TestServer {
  readonly address: string
  readonly asked: Asked[]
}

const closers: (() => unknown)[] = []

/** Done by `closeAll`, the last one first. */
export function afterwards(close: () => unknown): void {
  closers.push(close)
}

/** For `afterEach`: the servers of a test, and whatever else it wants closed. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await Promise.resolve(close())
}

/** A server that hands every question to the script. */
export async function serve(script: (asked: Asked, count: number) => void): Promise<TestServer> {
  const { udp, tcp, port } = await listen()
  const asked: Asked[] = []
  const take = (bytes: Uint8Array, one: Omit<Asked, 'query'>) => {
    const query = decodeMessage(bytes)
    if (query.kind === 'malformed') throw new Error(query.because)
    const entry = { ...one, query: query.value }
    asked.push(entry)
    script(entry, asked.length)
  }
  const never = () => {
    throw new Error('only over TCP')
  }
  udp.on('message', (bytes, from) =>
    take(bytes, {
      via: 'udp',
      port: from.port,
      reply: out => udp.send(out, from.port, from.address),
      replyBytewise: never,
      write: never,
      hangUp: never,
    }),
  )
  tcp.on('connection', socket => {
    socket.on('error', () => {})
    socket.setNoDelay(true)
    const bytewise = (bytes: Uint8Array) => {
      // The next byte goes when the one before is with the kernel, so that they do not travel together.
      if (bytes.length > 0) socket.write(bytes.subarray(0, 1), () => bytewise(bytes.subarray(1)))
    }
    socket.once('data', bytes =>
      take(bytes.subarray(2), {
        via: 'tcp',
        port: socket.remotePort ?? 0,
        reply: out => socket.write(framed(out)),
        replyBytewise: out => bytewise(framed(out)),
        write: out => socket.write(out),
        hangUp: () => socket.end(),
      }),
    )
  })
  return { address: `127.0.0.1:${port}`, asked }
}

/** Where nobody listens. */
export async function nobody(): Promise<TestServer> {
  const { udp, tcp, port } = await listen()
  closers.pop()
  udp.close()
  tcp.close()
  await Promise.all([once(udp, 'close'), once(tcp, 'close')])
  return { address: `127.0.0.1:${port}`, asked: [] }
}

/** The same port on both transports; the kernel chooses it for UDP, and TCP may find it taken. */
async function listen(): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (;;) {
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const { port } = udp.address()
    const tcp = createServer()
    const sockets = new Set<Socket>()
    tcp.on('connection', socket => sockets.add(socket))
    const isFree = await new Promise<boolean>(resolve => {
      tcp.once('error', () => resolve(false))
      tcp.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) {
      udp.close()
      continue
    }
    closers.push(async () => {
      udp.close()
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => tcp.close(resolve))
    })
    return { udp, tcp, port }
  }
}

const framed = (bytes: Uint8Array) => Uint8Array.of(bytes.length >> 8, bytes.length & 0xff, ...bytes)
