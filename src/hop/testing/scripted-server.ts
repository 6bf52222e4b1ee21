/**
 * A server for tests that does what a script says, wrong things included: a socket with a line reader and TLS, on a loopback port.
 * None of the relay's own protocol code is in it.
 */
import { createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

export interface ScriptedPeer {
  /** The next line without its end; rejects when the client is gone. */
  line(): Promise<string>
  /** Expects a line that begins so, and answers it. */
  answer(start: string, reply: string): Promise<string>
  send(text: string | Uint8Array): void
  /** Resolves when anything came that was not read yet. */
  bytes(): Promise<void>
  /** Everything up to the final dot, dots removed as a receiver does. */
  content(): Promise<string>
  startTls(certificate: { readonly chain: string; readonly key: string }, options?: object): Promise<void>
  reset(): void
  end(): void
  /** Resolves when the client is gone. */
  gone(): Promise<void>
  /** Stops reading for good, so that the client's writes pile up. */
  stall(): void
  /** SNI the client sent; null: none. */
  readonly sni: string | null
  /** Lines received, content left out. */
  readonly lines: readonly string[]
}

export interface ScriptedServer {
  readonly port: number
  readonly peers: readonly ScriptedPeer[]
  close(): Promise<void>
}

export async function serve(
  script: (peer: ScriptedPeer, index: number) => Promise<void>,
): Promise<ScriptedServer> {
  const peers: ScriptedPeer[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const peer = createPeer(socket)
    peers.push(peer)
    // A client that goes away ends the script; what the client made of it is what tests look at.
    script(peer, peers.length - 1).catch(() => socket.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    peers,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

function createPeer(raw: Socket): ScriptedPeer {
  let socket: Socket = raw
  let buffered = ''
  let isGone = false
  let wake = () => {}
  const lines: string[] = []
  let sni: string | null = null

  const listen = (to: Socket) => {
    to.on('data', chunk => {
      buffered += chunk.toString('latin1')
      wake()
    })
    const end = () => {
      isGone = true
      wake()
    }
    to.on('close', end)
    to.on('end', end)
    to.on('error', () => {})
  }
  const more = async () => {
    if (isGone) throw new Error('the client is gone')
    await new Promise<void>(resolve => {
      wake = resolve
    })
  }
  const rawLine = async () => {
    for (;;) {
      const end = buffered.indexOf('\r\n')
      if (end >= 0) {
        const line = buffered.slice(0, end)
        buffered = buffered.slice(end + 2)
        return line
      }
      await more()
    }
  }
  const line = async () => {
    const next = await rawLine()
    lines.push(next)
    return next
  }
  listen(raw)
  return {
    line,
    lines,
    async answer(start, reply) {
      const got = await line()
      if (!got.startsWith(start)) throw new Error(`expected ${start}, got ${got}`)
      socket.write(`${reply}\r\n`)
      return got
    },
    send(text) {
      socket.write(text)
    },
    async bytes() {
      while (buffered === '') await more()
    },
    async content() {
      let end = buffered.startsWith('.\r\n') ? 0 : -1
      for (let from = 0; end < 0; ) {
        const dot = buffered.indexOf('\r\n.\r\n', from)
        if (dot >= 0) end = dot + 2
        else {
          from = Math.max(0, buffered.length - 4)
          await more()
          if (buffered.startsWith('.\r\n')) end = 0
        }
      }
      const content = buffered.slice(0, end)
      buffered = buffered.slice(end + 3)
      return content.replace(/(^|\r\n)\./g, '$1')
    },
    async startTls({ chain, key }, options = {}) {
      raw.removeAllListeners('data')
      raw.removeAllListeners('end')
      const secure = new TLSSocket(raw, {
        isServer: true,
        cert: chain,
        key,
        SNICallback: (name, done) => {
          sni = name
          done(null)
        },
        ...options,
      })
      socket = secure
      listen(secure)
      await new Promise<void>((resolve, reject) => {
        secure.on('secure', () => resolve())
        secure.on('error', reject)
        secure.on('close', () => reject(new Error('closed in the handshake')))
      })
    },
    reset() {
      raw.resetAndDestroy()
    },
    end() {
      socket.end()
    },
    async gone() {
      while (!isGone) await more().catch(() => {})
    },
    stall() {
      socket.removeAllListeners('data')
      socket.pause()
    },
    get sni() {
      return sni
    },
  }
}
