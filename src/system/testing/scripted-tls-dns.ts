/**
 * A name server over TLS on a loopback port that does what a script says with every query, down to the bytes, as many queries on one connection as come: for
 * tests of clients that meet servers which close, fall silent, answer in another order, or are somebody else.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer } from 'node:tls'
import { decodeMessage, type Message } from '../../protocol/dns/message.ts'
import { createMessageReader, withLength } from '../../protocol/dns/stream.ts'
import { afterwards } from './scripted-dns.ts'

export interface AskedOverTls {
  readonly query: Message
  /** Of the whole message. */
  readonly bytes: number
  /** Which connection it came on, from 1. */
  readonly connection: number
  reply(message: Uint8Array): void
  /** Each byte in a record of its own. */
  replyBytewise(message: Uint8Array): void
  /** Without the length in front. */
  write(bytes: Uint8Array): void
  /** Closes as it should be done; what was written before goes out. */
  hangUp(): void
  /** As a machine that restarts: without a word. */
  reset(): void
}

export interface TlsTestServer {
  readonly port: number
  readonly asked: AskedOverTls[]
  /** Whether a handshake came of them or not. */
  readonly connections: number
  /** Secured, and not closed yet. */
  readonly open: number
  /** What the newest client sent as SNI. */
  readonly sni: string | null
}

/** @param credentials PEM */
export async function serveTls(
  credentials: { readonly chain: string; readonly key: string },
  script: (asked: AskedOverTls, count: number) => void,
): Promise<TlsTestServer> {
  const asked: AskedOverTls[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  let secured = 0
  let open = 0
  let sni: string | null = null
  const server = createServer({ cert: credentials.chain, key: credentials.key }, socket => {
    const connection = ++secured
    open++
    sni = typeof socket.servername === 'string' ? socket.servername : null
    socket.on('error', () => {})
    socket.on('close', () => open--)
    socket.setNoDelay(true)
    const bytewise = (bytes: Uint8Array) => {
      if (bytes.length > 0) socket.write(bytes.subarray(0, 1), () => bytewise(bytes.subarray(1)))
    }
    const reader = createMessageReader()
    socket.on('data', chunk => {
      for (const bytes of reader.receive(chunk)) {
        const decoded = decodeMessage(bytes)
        if (decoded.kind === 'malformed') throw new Error(decoded.because)
        const entry: AskedOverTls = {
          query: decoded.value,
          bytes: bytes.length,
          connection,
          reply: message => socket.write(withLength(message)),
          replyBytewise: message => bytewise(withLength(message)),
          write: out => socket.write(out),
          hangUp: () => socket.end(),
          reset: () => socket.destroy(),
        }
        asked.push(entry)
        script(entry, asked.length)
      }
    })
  })
  server.on('tlsClientError', () => {})
  server.on('connection', socket => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterwards(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('a TLS server has an address once it listens')
  return {
    port: address.port,
    asked,
    get connections() {
      return connections
    },
    get open() {
      return open
    },
    get sni() {
      return sni
    },
  }
}
