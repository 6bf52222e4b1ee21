/** A client that says exactly what a test wants it to say. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls'

export interface TestClient {
  readonly socket: Socket
  /** The socket of a client that speaks TLS. */
  tls(): TLSSocket
  /** Text in Latin-1, so that a test can write any octet. */
  send(text: string | Uint8Array): void
  /** The next whole reply, its lines joined by `|`. `closed` when there is none to come. */
  reply(): Promise<string>
  /** Everything until the server closes. */
  rest(): Promise<string>
  /**
   * A transcript: `C:` lines are sent with CRLF, `S: ` lines must be how the next reply begins. Throws at the first difference.
   */
  converse(transcript: string): Promise<void>
  /** TLS on the same connection. */
  secure(options?: ConnectionOptions): Promise<TestClient>
  end(): void
  reset(): void
}

export async function dial(port: number, localAddress = '127.0.0.1'): Promise<TestClient> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return clientOn(socket)
}

export async function dialTls(port: number, options: ConnectionOptions = {}): Promise<TestClient> {
  return clientOn(await handshake({ port, host: '127.0.0.1', ...options }))
}

function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ rejectUnauthorized: false, ...options }, () => resolve(socket))
    socket.once('error', reject)
  })
}

function clientOn(socket: Socket): TestClient {
  let heard = ''
  let isClosed = false
  let wake = () => {}
  const onData = (chunk: Buffer) => {
    heard += chunk.toString('latin1')
    wake()
  }
  const onClose = () => {
    isClosed = true
    wake()
  }
  socket.on('data', onData)
  socket.on('end', onClose)
  socket.on('close', onClose)
  socket.on('error', () => {})
  const more = () => new Promise<void>(resolve => (wake = resolve))

  async function reply(): Promise<string> {
    for (;;) {
      const whole = /^(?:\d{3}-[^\r]*\r\n)*\d{3}(?: [^\r]*)?\r\n/.exec(heard)?.[0]
      if (whole !== undefined) {
        heard = heard.slice(whole.length)
        return whole.slice(0, -2).replaceAll('\r\n', '|')
      }
      if (isClosed) return heard === '' ? 'closed' : `closed after ${heard}`
      await more()
    }
  }

  const client: TestClient = {
    socket,
    tls() {
      if (socket instanceof TLSSocket) return socket
      throw new Error('this client does not speak TLS')
    },
    send: text => void socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text),
    reply,
    async rest() {
      while (!isClosed) await more()
      const all = heard
      heard = ''
      return all
    },
    async converse(transcript) {
      for (const line of transcript.split('\n').map(one => one.trimStart())) {
        if (line.startsWith('C:')) client.send(`${line.slice(3)}\r\n`)
        else if (line.startsWith('S: ')) {
          const said = await reply()
          if (!said.startsWith(line.slice(3)))
            throw new Error(`expected ${line.slice(3)}, the server said ${said}`)
        }
      }
    },
    async secure(options = {}) {
      socket.removeListener('data', onData)
      return clientOn(await handshake({ socket, ...options }))
    },
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  }
  return client
}
