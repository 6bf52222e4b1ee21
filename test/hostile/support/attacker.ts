/** A client that does what it likes: bytes as they are, at any pace, from any loopback address; and everything it was told. Independent of the code under test. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

export interface Attacker {
  readonly socket: Socket
  /** What the server said, in order; of floods the end. */
  text(): string
  /** How many octets that was, floods included. */
  heardBytes(): number
  /** Resolves with everything said when `pattern` fits it; rejects when the server closed, or in 30 s. */
  told(pattern: RegExp): Promise<string>
  /** Sends bytes as they are, then waits as `told` does for what is new. */
  send(bytes: string | Uint8Array, pattern: RegExp): Promise<string>
  /** Writes `chunk` again and again, at the pace the server takes it, until so many bytes are sent or the connection is gone. Returns the bytes sent. */
  flood(chunk: Uint8Array, totalBytes: number): Promise<number>
  /** Resolves when the connection is gone, with everything said and how it ended. */
  readonly gone: Promise<{ readonly text: string; readonly how: 'closed' | 'reset' }>
  isGone(): boolean
  /** A TLS handshake on what is there; the Attacker inside. */
  secure(options?: ConnectionOptions): Promise<Attacker>
  reset(): void
  end(): void
}

export interface AttackOptions {
  /** A loopback address to come from. */
  readonly from?: string
  /** TLS from the first byte. */
  readonly implicitTls?: boolean
}

/** Connects; resolves when the connection stands, before anything was said. */
export async function attack(port: number, options: AttackOptions = {}): Promise<Attacker> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: options.from ?? '127.0.0.1', noDelay: true })
  const attacker = attackerOn(socket, socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
  })
  return options.implicitTls === true ? attacker.secure() : attacker
}

/** Past EHLO. */
export async function greeted(port: number, options: AttackOptions = {}): Promise<Attacker> {
  const attacker = await attack(port, options)
  await attacker.told(/^220 .*\r\n$/)
  await attacker.send('EHLO attacker.example\r\n', /^250 .*\r\n$/m)
  return attacker
}

/** Past the 354. */
export async function inData(port: number, options: AttackOptions = {}): Promise<Attacker> {
  const attacker = await greeted(port, options)
  await attacker.send('MAIL FROM:<mallory@attacker.example>\r\n', /^250 /m)
  await attacker.send('RCPT TO:<bob@sink.example>\r\n', /^250 /m)
  await attacker.send('DATA\r\n', /^354 /m)
  return attacker
}

/** @param raw the TCP connection, below TLS where there is any */
function attackerOn(socket: Socket, raw: Socket): Attacker {
  let text = ''
  /** Characters that came and were forgotten. */
  let forgotten = 0
  let isOver = false
  let how: 'closed' | 'reset' = 'closed'
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of [...listeners]) listener()
  }
  const onData = (chunk: Buffer) => {
    // Floods are answered by floods: what is kept is enough to look at.
    text += chunk.toString('latin1')
    if (text.length > keptChars) {
      forgotten += text.length - keptChars / 2
      text = text.slice(-keptChars / 2)
    }
    tell()
  }
  socket.on('data', onData)
  socket.on('error', error => {
    if ('code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) how = 'reset'
  })
  const gone = new Promise<{ text: string; how: 'closed' | 'reset' }>(resolve => {
    socket.on('close', () => {
      isOver = true
      resolve({ text, how })
      tell()
    })
  })

  const heard = (pattern: RegExp, from: number) =>
    new Promise<string>((resolve, reject) => {
      const done = () => {
        clearTimeout(deadline)
        listeners.delete(look)
      }
      const look = () => {
        const news = text.slice(Math.max(0, from - forgotten))
        if (pattern.test(news)) {
          done()
          resolve(news)
        } else if (isOver) {
          done()
          reject(
            new Error(`the server closed before it said ${pattern}; it said ${JSON.stringify(news.slice(-500))}`),
          )
        }
      }
      const deadline = setTimeout(() => {
        done()
        reject(new Error(`the server did not say ${pattern}; it said ${JSON.stringify(text.slice(-500))}`))
      }, patienceMs)
      listeners.add(look)
      look()
    })

  const attacker: Attacker = {
    socket,
    text: () => text,
    heardBytes: () => forgotten + text.length,
    told: pattern => heard(pattern, 0),
    send(bytes, pattern) {
      const from = forgotten + text.length
      socket.write(bytes)
      return heard(pattern, from)
    },
    async flood(chunk, totalBytes) {
      let sent = 0
      while (sent < totalBytes && !isOver) {
        const piece = chunk.subarray(0, totalBytes - sent)
        sent += piece.length
        if (!socket.write(piece)) await Promise.race([gone, new Promise(resolve => socket.once('drain', resolve))])
      }
      return sent
    },
    gone,
    isGone: () => isOver,
    async secure(options = {}) {
      socket.removeListener('data', onData)
      const inside = connectTls({ socket, rejectUnauthorized: false, ...options })
      const attackerInside = attackerOn(inside, raw)
      await new Promise<void>((resolve, reject) => {
        inside.once('secureConnect', () => resolve())
        inside.once('error', reject)
        inside.once('close', () => reject(new Error('closed in the handshake')))
      })
      return attackerInside
    },
    reset() {
      raw.resetAndDestroy()
    },
    end() {
      socket.destroy()
    },
  }
  return attacker
}

const keptChars = 1_000_000
const patienceMs = 30_000
