/**
 * A mail client of the lab: submits a message over real SMTP with STARTTLS, or does what an attacker between a client and the relay would do.
 * Like the hosts it shares no code with the relay. It waits for each reply before the next command, except where the attack is not to.
 *
 * It does not judge the relay's certificate: that one is self-made.
 */
import net from 'node:net'
import tls from 'node:tls'

interface ClientReply {
  readonly code: number
  readonly lines: readonly string[]
}

export interface Conversation {
  /** `S: ` and `C: ` lines as they went. */
  readonly transcript: readonly string[]
  /** The next whole reply. Rejects when the server closes, or stays silent for 30 s. */
  reply(): Promise<ClientReply>
  /** Writes a command line (CRLF is added) and waits for its reply. */
  ask(line: string): Promise<ClientReply>
  /** Puts a line into the transcript for what is too large to stand there itself. */
  note(line: string): void
  /** Writes bytes as they are. Resolves when they were handed to the system. */
  write(bytes: Uint8Array | string): Promise<void>
  /** Goes into TLS on the same connection, and tells its version. */
  secure(): Promise<string>
  close(): void
}

export async function converse(address: string, port: number): Promise<Conversation> {
  const raw = net.connect({ host: address, port })
  await settle(raw, 'connect')
  const transcript: string[] = []
  let socket: net.Socket = raw
  let text = ''
  let ended: Error | null = null
  let wake: (() => void) | null = null

  const listen = (on: net.Socket): void => {
    on.setEncoding('utf8')
    on.on('data', (piece: string) => {
      text += piece
      wake?.()
    })
    on.on('error', error => {
      ended = error
      wake?.()
    })
    on.on('close', () => {
      ended ??= new Error('the server closed the connection')
      wake?.()
    })
  }
  listen(raw)

  /** Takes a complete reply off the text, if there is one. */
  const takeReply = (): ClientReply | null => {
    const match = /^(?:\d{3}-[^\r\n]*\r\n)*(\d{3})(?: [^\r\n]*)?\r\n/.exec(text)
    if (match === null) return null
    text = text.slice(match[0].length)
    const lines = match[0].slice(0, -2).split('\r\n')
    for (const line of lines) transcript.push(`S: ${line}`)
    return { code: Number(match[1]), lines: lines.map(line => line.slice(4)) }
  }

  const reply = async (): Promise<ClientReply> => {
    for (;;) {
      const whole = takeReply()
      if (whole !== null) return whole
      if (ended !== null) throw ended
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no reply within 30 s')), silenceMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      wake = null
    }
  }

  const write = (bytes: Uint8Array | string): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.write(bytes, error => {
        if (error) reject(error)
        else resolve()
      })
    })

  return {
    transcript,
    reply,
    note: line => void transcript.push(line),
    write,
    async ask(line) {
      transcript.push(`C: ${line}`)
      await write(`${line}\r\n`)
      return await reply()
    },
    async secure() {
      raw.removeAllListeners('data')
      const secured = tls.connect({ socket: raw, rejectUnauthorized: false })
      await settle(secured, 'secureConnect')
      listen(secured)
      socket = secured
      return secured.getProtocol() ?? 'TLS'
    },
    close() {
      socket.destroy()
    },
  }
}

/** Waits for one event of a socket, or its failure. */
function settle(socket: net.Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error)
    socket.once('error', failed)
    socket.once(event, () => {
      socket.off('error', failed)
      resolve()
    })
  })
}

export interface Submission {
  readonly from: string
  readonly to: readonly string[]
  /** CRLF lines, not dot-stuffed, ending with CRLF. */
  readonly content: Buffer
  readonly smtputf8: boolean
}

export interface Submitted {
  /** The reply to the final dot, or to the command that was refused before it. */
  readonly reply: ClientReply
  /** `MAIL FROM:<…>` and so on: the command that was answered, `content` for the final dot. */
  readonly to: string
  readonly accepted: boolean
  /** `TLSv1.3`; null when the conversation ended before it. */
  readonly tls: string | null
  readonly transcript: readonly string[]
}

/** Submits one message over SMTP with STARTTLS. Rejects when the server goes away or offers no STARTTLS. */
export async function submit(server: ServerAddress, submission: Submission): Promise<Submitted> {
  const { transcript, ...client } = await converse(server.address, server.port)
  let version: string | null = null
  const result = (to: string, reply: ClientReply): Submitted => ({
    reply,
    to,
    accepted: to === 'content' && reply.code === 250,
    tls: version,
    transcript,
  })
  try {
    await client.reply()
    const clear = await client.ask(`EHLO ${clientName}`)
    if (!clear.lines.includes('STARTTLS')) throw new Error('the server offers no STARTTLS')
    const go = await client.ask('STARTTLS')
    if (go.code !== 220) return result('STARTTLS', go)
    version = await client.secure()
    await client.ask(`EHLO ${clientName}`)
    const body = submission.content.some(octet => octet > 127) ? ' BODY=8BITMIME' : ''
    const utf8 = submission.smtputf8 ? ' SMTPUTF8' : ''
    const commands = [
      `MAIL FROM:<${submission.from}> SIZE=${submission.content.length}${body}${utf8}`,
      ...submission.to.map(to => `RCPT TO:<${to}>`),
      'DATA',
    ]
    for (const command of commands) {
      const reply = await client.ask(command)
      if (reply.code >= 400) return result(command, reply)
    }
    client.note(`C: (${submission.content.length} octets of content)`)
    await client.write(stuff(submission.content))
    await client.write('.\r\n')
    const reply = await client.reply()
    await client.ask('QUIT')
    return result('content', reply)
  } finally {
    client.close()
  }
}

export interface ServerAddress {
  readonly address: string
  readonly port: number
}

export interface Injection {
  /** What the server said to `STARTTLS` with commands behind it. */
  readonly reply: ClientReply | null
  /** It went into TLS all the same. */
  readonly wentIntoTls: boolean
  /** It hung up. */
  readonly hungUp: boolean
  readonly transcript: readonly string[]
}

/**
 * The man in the middle of case 5: `STARTTLS` and, in the same piece and still in clear text, a whole transaction that a careless server
 * would take for the first commands inside TLS (CVE-2011-0411).
 */
export async function injectBehindStartTls(
  server: ServerAddress,
  injected: readonly string[],
): Promise<Injection> {
  const client = await converse(server.address, server.port)
  const { transcript } = client
  let reply: ClientReply | null = null
  let wentIntoTls = false
  let hungUp = false
  try {
    await client.reply()
    await client.ask(`EHLO ${clientName}`)
    await client.write(['STARTTLS', ...injected, ''].join('\r\n'))
    reply = await client.reply()
    if (reply.code === 220) {
      await client.secure()
      wentIntoTls = true
    }
    // Whatever else it says was not asked for; an orderly server says nothing and closes.
    await client.reply()
  } catch {
    hungUp = true
  } finally {
    client.close()
  }
  return { reply, wentIntoTls, hungUp, transcript }
}

/** Doubles the dot of each line that begins with one (RFC 5321 §4.5.2). */
export function stuff(content: Buffer): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  if (content[0] === 0x2e) pieces.push(Buffer.from('.'))
  for (let at = content.indexOf('\r\n.'); at >= 0; at = content.indexOf('\r\n.', at + 3)) {
    pieces.push(content.subarray(from, at + 3), Buffer.from('.'))
    from = at + 3
  }
  pieces.push(content.subarray(from))
  return pieces.length === 1 ? content : Buffer.concat(pieces)
}

/** Name in EHLO. */
const clientName = 'client.sender.example'
const silenceMs = 30_000
