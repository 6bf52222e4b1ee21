/** A plain SMTP client for tests: says what it is told, in lock-step, and shows every reply. Independent of the code under test. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

export interface Talk {
  /** Sends a line and waits for the whole reply, which is returned with its line ends. */
  say(line: string): Promise<string>
  /** Sends bytes as they are and waits for the reply. */
  send(bytes: Uint8Array | string): Promise<string>
  /** STARTTLS and handshake; then talk inside. */
  secure(options?: ConnectionOptions): Promise<void>
  /** Resolves when the server closes. */
  closed: Promise<void>
  end(): void
}

/** @param localAddress to connect from, for limits that hold for one address */
export async function talk(
  port: number,
  timeoutMs = 30_000,
  localAddress = '127.0.0.1',
): Promise<Talk & { readonly greeting: string }> {
  let socket: Socket = connect({ port, host: '127.0.0.1', localAddress })
  let text = ''
  let waiting: { resolve: (reply: string) => void; reject: (error: Error) => void } | null = null
  let over: Error | null = null
  const whole = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/
  let endClosed: () => void = () => undefined
  const closed = new Promise<void>(resolve => {
    endClosed = resolve
  })
  const serve = () => {
    const match = whole.exec(text)
    if (waiting === null || match === null) {
      if (over !== null && waiting !== null) {
        waiting.reject(over)
        waiting = null
      }
      return
    }
    text = text.slice(match[0].length)
    const { resolve } = waiting
    waiting = null
    resolve(match[0])
  }
  const listen = (on: Socket) => {
    on.setTimeout(timeoutMs, () => on.destroy(new Error('no answer in time')))
    on.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      serve()
    })
    on.on('error', error => {
      over = error
      serve()
    })
    on.on('close', () => {
      over ??= new Error(`the server closed the connection; unread: ${JSON.stringify(text)}`)
      endClosed()
      serve()
    })
  }
  listen(socket)
  const read = () =>
    new Promise<string>((resolve, reject) => {
      waiting = { resolve, reject }
      serve()
    })
  const send = (bytes: Uint8Array | string) => {
    socket.write(bytes)
    return read()
  }
  const greeting = await read()
  return {
    greeting,
    say: line => send(`${line}\r\n`),
    send,
    closed,
    async secure(options = {}) {
      const reply = await send('STARTTLS\r\n')
      if (!reply.startsWith('220')) throw new Error(`STARTTLS was answered ${reply}`)
      const plain = socket
      plain.removeAllListeners('data')
      plain.removeAllListeners('error')
      const inside = connectTls({ socket: plain, rejectUnauthorized: false, ...options })
      socket = inside
      listen(inside)
      await new Promise<void>((resolve, reject) => {
        inside.once('secureConnect', () => resolve())
        inside.once('error', reject)
      })
    },
    end: () => socket.destroy(),
  }
}

/** Sends one message; throws unless every step is answered as hoped. Returns the last reply. */
export async function submit(
  port: number,
  content: Uint8Array,
  options: {
    readonly tls?: boolean
    readonly from?: string
    readonly to?: readonly string[]
    readonly parameters?: string
    readonly localAddress?: string
  } = {},
): Promise<string> {
  const client = await talk(port, 120_000, options.localAddress)
  const hope = async (step: Promise<string>, code: string) => {
    const reply = await step
    if (!reply.startsWith(code)) throw new Error(`hoped for ${code}, got ${reply}`)
    return reply
  }
  await hope(client.say('EHLO source.example'), '250')
  if (options.tls === true) {
    await client.secure()
    await hope(client.say('EHLO source.example'), '250')
  }
  await hope(client.say(`MAIL FROM:<${options.from ?? 'ada@source.example'}>${options.parameters ?? ''}`), '250')
  for (const to of options.to ?? ['bob@sink.example']) await hope(client.say(`RCPT TO:<${to}>`), '250')
  await hope(client.say('DATA'), '354')
  const stuffed = Buffer.from(Buffer.from(content).toString('latin1').replace(/^\./gm, '..'), 'latin1')
  const reply = await hope(client.send(Buffer.concat([stuffed, Buffer.from('.\r\n')])), '250')
  await client.say('QUIT')
  client.end()
  return reply
}
