/**
 * A receiving SMTP server that keeps the exact bytes it was given: the oracle at the end of a way. Independent of the code under test on purpose:
 * it searches for CRLF.CRLF and does nothing clever.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls'

export interface Received {
  readonly from: string
  readonly to: readonly string[]
  readonly content: Buffer
  readonly tls: string | null
  readonly servername: string | null
}

export interface SinkOptions {
  readonly pipelining?: boolean
  readonly eightBitMime?: boolean
  readonly smtputf8?: boolean
  readonly certificate?: { readonly chain: string | Buffer; readonly key: string | Buffer }
  /** TLS from the first byte. */
  readonly implicitTls?: boolean
  /** What the TLS server is restricted to. */
  readonly tls?: Pick<SecureContextOptions, 'ciphers' | 'minVersion' | 'maxVersion'>
  /** May return a reply to refuse with; anything undefined accepts. */
  readonly refuse?: (verb: string, line: string) => string | undefined
  readonly port?: number
}

export interface Sink {
  readonly port: number
  readonly received: Received[]
  /** Each command line, in order, over all connections. */
  readonly commands: string[]
  readonly connections: () => number
  stop(): Promise<void>
}

export function startSink(options: SinkOptions = {}): Promise<Sink> {
  const received: Received[] = []
  const commands: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const secureContext =
    options.certificate === undefined
      ? undefined
      : createSecureContext({ ...options.tls, cert: options.certificate.chain, key: options.certificate.key })

  const converse = (socket: Socket, tls: TLSSocket | null, plainHandshake: boolean) => {
    let bytes: Buffer = Buffer.alloc(0)
    let data = false
    let from = ''
    let to: string[] = []
    const pieces: Buffer[] = []
    if (!plainHandshake) socket.write('220 sink.example ESMTP\r\n')
    const onData = (chunk: Buffer) => {
      for (bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]); ; ) {
        if (data) {
          const end = bytes.indexOf('\r\n.\r\n')
          if (end < 0) {
            // All but the last four octets is settled content.
            if (bytes.length > 4) {
              pieces.push(bytes.subarray(0, bytes.length - 4))
              bytes = bytes.subarray(bytes.length - 4)
            }
            return
          }
          pieces.push(bytes.subarray(0, end + 2))
          bytes = bytes.subarray(end + 5)
          data = false
          const refusal = options.refuse?.('.', '.')
          // The first two octets are the CRLF of the DATA command, kept so that a leading dot is seen.
          if (refusal === undefined)
            received.push({
              from,
              to,
              content: unstuff(Buffer.concat(pieces)).subarray(2),
              tls: tls?.getProtocol() ?? null,
              servername: typeof tls?.servername === 'string' ? tls.servername : null,
            })
          pieces.length = 0
          from = ''
          to = []
          socket.write(`${refusal ?? '250 2.0.0 taken'}\r\n`)
          continue
        }
        const end = bytes.indexOf('\r\n')
        if (end < 0) return
        const line = bytes.subarray(0, end).toString('latin1')
        bytes = bytes.subarray(end + 2)
        commands.push(line)
        const verb = line.slice(0, 4).toUpperCase()
        const refusal = options.refuse?.(verb, line)
        if (refusal !== undefined) {
          socket.write(`${refusal}\r\n`)
          continue
        }
        if (verb === 'EHLO') {
          const offers = [
            'sink.example',
            ...(options.pipelining === false ? [] : ['PIPELINING']),
            ...(options.eightBitMime === false ? [] : ['8BITMIME']),
            ...(options.smtputf8 === true ? ['SMTPUTF8'] : []),
            ...(secureContext !== undefined && tls === null ? ['STARTTLS'] : []),
            'ENHANCEDSTATUSCODES',
          ]
          socket.write(offers.map((offer, i) => `250${i === offers.length - 1 ? ' ' : '-'}${offer}\r\n`).join(''))
        } else if (verb === 'STAR') {
          socket.removeListener('data', onData)
          socket.write('220 2.0.0 go ahead\r\n')
          const inside = new TLSSocket(socket, {
            isServer: true,
            ...(secureContext === undefined ? {} : { secureContext }),
          })
          inside.on('error', () => inside.destroy())
          converse(inside, inside, true)
          return
        } else if (verb === 'MAIL') {
          from = line.slice(10)
          socket.write('250 2.1.0 ok\r\n')
        } else if (verb === 'RCPT') {
          to.push(line.slice(8))
          socket.write('250 2.1.5 ok\r\n')
        } else if (verb === 'DATA') {
          data = true
          bytes = Buffer.concat([Buffer.from('\r\n'), bytes])
          socket.write('354 go ahead\r\n')
        } else if (verb === 'QUIT') {
          socket.end('221 2.0.0 bye\r\n')
          return
        } else socket.write('250 2.0.0 ok\r\n')
      }
    }
    socket.on('data', onData)
    socket.on('error', () => socket.destroy())
  }

  const server: Server = createServer({ noDelay: true }, socket => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (options.implicitTls === true && secureContext !== undefined) {
      const inside = new TLSSocket(socket, { isServer: true, secureContext })
      inside.on('error', () => inside.destroy())
      converse(inside, inside, false)
    } else converse(socket, null, false)
  })
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        received,
        commands,
        connections: () => connections,
        stop: () =>
          new Promise(done => {
            for (const socket of sockets) socket.destroy()
            server.close(() => done())
          }),
      })
    })
  })
}

/** Takes the stuffed dot off every line; the octets begin with a CRLF. */
function unstuff(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  let from = 0
  for (;;) {
    const at = bytes.indexOf('\r\n.', from)
    if (at < 0) break
    parts.push(bytes.subarray(from, at + 2))
    from = at + 3
  }
  return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)])
}
