/**
 * An MX host or smarthost of the lab: a real SMTP server with real TLS on a loopback port, deliberately simple and none of the relay's
 * code, so that it can serve as its judge. It does what its knobs say, wrong things included, and keeps everything it saw: the
 * conversation, the TLS facts, the SNI, and every message byte for byte.
 *
 * It grants whatever the knobs do not forbid, checks no more of the order of commands than an honest receiver needs, and never
 * gives up on a silent client: its only clients are ours.
 */
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { type ContentCollector, createContentCollector } from './content-collector.ts'

export interface HostKnobs {
  /** What it calls itself in its greeting. */
  readonly name: string
  /** `offered`: STARTTLS is announced and works. `absent`: it is neither announced nor known. */
  readonly startTls: 'offered' | 'absent'
  /** Bytes in clear text that leave in one piece with the `220` to STARTTLS: what a man in the middle does (CVE-2011-0411, the client's side). */
  readonly injectAfter220: string | null
  readonly eightBitMime: boolean
  readonly smtputf8: boolean
  readonly pipelining: boolean
  /** RCPT for these addresses is answered 550. */
  readonly refusedRecipients: readonly string[]
  /** Largest message, announced as SIZE. */
  readonly sizeBytes: number
}

export const ordinaryHost: Omit<HostKnobs, 'name'> = {
  startTls: 'offered',
  injectAfter220: null,
  eightBitMime: true,
  smtputf8: true,
  pipelining: true,
  refusedRecipients: [],
  sizeBytes: 100 * 1024 * 1024,
}

/** PEM texts: the chain as it is sent, leaf first, and the leaf's key. */
export interface HostCertificate {
  readonly chain: string
  readonly key: string
  /** A second one with a key of another kind: which is sent depends on what the client's hello offers. */
  readonly second?: { readonly chain: string; readonly key: string }
}

interface TlsFacts {
  /** `TLSv1.3`. */
  readonly version: string
  readonly cipher: string
  /** The name the client asked for; null when it sent none. */
  readonly sni: string | null
}

/** One connection, as the host saw it. Grows while the connection lives. */
export interface Visit {
  readonly host: string
  /** When it began, in ms since 1970. */
  readonly atMs: number
  /** Lines with `C: ` or `S: ` before them; content is one line that tells its size. */
  readonly transcript: readonly string[]
  readonly tls: TlsFacts | null
  /** Command lines read before TLS and inside it. */
  readonly clear: readonly string[]
  readonly secured: readonly string[]
  /** Octets that came after an injecting `220`: 0 when the client refused to go on. */
  readonly afterInjection: number
  /** What went wrong with TLS here, in a few words of OpenSSL's: `no suitable signature algorithm`. */
  readonly tlsError: string | null
}

export interface ReceivedMessage {
  readonly host: string
  /** As written between the brackets. */
  readonly from: string
  readonly recipients: readonly string[]
  /** The parameters of MAIL as written: `SIZE=120 BODY=8BITMIME`. */
  readonly parameters: string
  readonly content: Buffer
  readonly tls: TlsFacts | null
  readonly helo: string
}

export interface LabHost {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Those that were not forgotten, newest last. */
  readonly visits: readonly Visit[]
  readonly messages: readonly ReceivedMessage[]
  /** How many there were in all. */
  readonly came: { readonly visits: number; readonly messages: number }
  /** Keeps only the newest of each: for a lab that stays up. */
  forget(keep: number): void
  close(): Promise<void>
}

/** Starts a host on a free port of 127.0.0.1. */
export async function startHost(knobs: HostKnobs, certificate: HostCertificate | null): Promise<LabHost> {
  const visits: Visit[] = []
  const messages: ReceivedMessage[] = []
  const forgotten = { visits: 0, messages: 0 }
  const sockets = new Set<net.Socket>()
  const context =
    certificate === null
      ? null
      : tls.createSecureContext({
          cert: both(certificate, 'chain'),
          key: both(certificate, 'key'),
          minVersion: 'TLSv1.2',
        })
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    visits.push(serve(socket, knobs, context, message => messages.push(message)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has an address once it listens')

  return {
    name: knobs.name,
    address: bound.address,
    port: bound.port,
    visits,
    messages,
    get came() {
      return {
        visits: visits.length + forgotten.visits,
        messages: messages.length + forgotten.messages,
      }
    },
    forget(keep) {
      forgotten.visits += visits.splice(0, Math.max(0, visits.length - keep)).length
      forgotten.messages += messages.splice(0, Math.max(0, messages.length - keep)).length
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function both(certificate: HostCertificate, part: 'chain' | 'key'): string[] {
  const { second } = certificate
  return [certificate[part], ...(second === undefined ? [] : [second[part]])]
}

interface Draft {
  from: string
  parameters: string
  recipients: string[]
}

/** Serves one connection; the visit it returns is filled in as things happen. */
function serve(
  raw: net.Socket,
  knobs: HostKnobs,
  context: tls.SecureContext | null,
  deliver: (message: ReceivedMessage) => void,
): Visit {
  const visit = {
    host: knobs.name,
    atMs: Date.now(),
    transcript: [] as string[],
    tls: null as TlsFacts | null,
    clear: [] as string[],
    secured: [] as string[],
    afterInjection: 0,
    tlsError: null as string | null,
  }
  let socket: net.Socket = raw
  let pending: Buffer = Buffer.alloc(0)
  let helo = ''
  let draft: Draft | null = null
  let collector: ContentCollector | null = null
  let injected = false

  const say = (...lines: string[]): void => {
    for (const line of lines) visit.transcript.push(`S: ${line}`)
    socket.write(`${lines.join('\r\n')}\r\n`)
  }

  const onData = (bytes: Buffer): void => {
    if (injected) {
      visit.afterInjection += bytes.length
      return
    }
    let rest = bytes
    for (;;) {
      if (collector !== null) {
        const done = collector.receive(rest)
        if (done === null) return
        endOfContent(done.content)
        rest = done.rest
        continue
      }
      pending = pending.length === 0 ? rest : Buffer.concat([pending, rest])
      const end = pending.indexOf('\r\n')
      if (end < 0) {
        if (pending.length > longestLine) socket.destroy()
        return
      }
      const line = pending.subarray(0, end).toString('utf8')
      rest = pending.subarray(end + 2)
      pending = Buffer.alloc(0)
      visit.transcript.push(`C: ${line}`)
      const commands = visit.tls === null ? visit.clear : visit.secured
      commands.push(line)
      if (command(line, rest) === 'taken over') return
    }
  }

  const endOfContent = (content: Buffer): void => {
    collector = null
    visit.transcript.push(`C: (${content.length} octets of content)`)
    if (draft !== null) deliver({ host: knobs.name, ...draft, content, tls: visit.tls, helo })
    draft = null
    say('250 2.0.0 Kept')
  }

  /** Answers one command. 'taken over': what follows on this socket is no longer SMTP lines from here. */
  const command = (line: string, rest: Buffer): 'go on' | 'taken over' => {
    const verb = /^[A-Za-z]*/.exec(line)?.[0].toUpperCase() ?? ''
    switch (verb) {
      case 'EHLO':
        helo = line.slice(5)
        draft = null
        say(...withDashes(250, [knobs.name, ...extensions()]))
        return 'go on'
      case 'HELO':
        helo = line.slice(5)
        draft = null
        say(`250 ${knobs.name}`)
        return 'go on'
      case 'STARTTLS':
        return startTls(rest)
      case 'MAIL': {
        const [, from = '', parameters = ''] = /^MAIL FROM:<([^>]*)>\s*(.*)$/i.exec(line) ?? []
        draft = { from, parameters, recipients: [] }
        say('250 2.1.0 Sender fine')
        return 'go on'
      }
      case 'RCPT': {
        const [, to = ''] = /^RCPT TO:<([^>]*)>/i.exec(line) ?? []
        if (draft === null) say('503 5.5.1 MAIL first')
        else if (knobs.refusedRecipients.includes(to)) say('550 5.1.1 Nobody here by that name')
        else {
          draft.recipients.push(to)
          say('250 2.1.5 Recipient fine')
        }
        return 'go on'
      }
      case 'DATA':
        if (draft === null || draft.recipients.length === 0) say('554 5.5.1 No valid recipients')
        else {
          collector = createContentCollector()
          say('354 Go on')
        }
        return 'go on'
      case 'RSET':
        draft = null
        say('250 2.0.0 Forgotten')
        return 'go on'
      case 'NOOP':
        say('250 2.0.0 Still here')
        return 'go on'
      case 'QUIT':
        say('221 2.0.0 Goodbye')
        socket.end()
        return 'taken over'
      default:
        say('500 5.5.2 Not known here')
        return 'go on'
    }
  }

  const extensions = (): string[] => {
    const offered = [`SIZE ${knobs.sizeBytes}`, 'ENHANCEDSTATUSCODES']
    if (knobs.pipelining) offered.push('PIPELINING')
    if (knobs.eightBitMime) offered.push('8BITMIME')
    if (knobs.smtputf8) offered.push('SMTPUTF8')
    if (knobs.startTls === 'offered' && visit.tls === null) offered.push('STARTTLS')
    return offered
  }

  const startTls = (rest: Buffer): 'go on' | 'taken over' => {
    if (knobs.startTls === 'absent' || context === null || visit.tls !== null) {
      say('502 5.5.1 Not here')
      return 'go on'
    }
    if (rest.length > 0) {
      say('554 5.5.1 Bytes behind STARTTLS')
      socket.end()
      return 'taken over'
    }
    if (knobs.injectAfter220 !== null) {
      visit.transcript.push('S: 220 2.0.0 Go on', `S: (injected) ${JSON.stringify(knobs.injectAfter220)}`)
      socket.write(`220 2.0.0 Go on\r\n${knobs.injectAfter220}`)
      injected = true
      return 'taken over'
    }
    say('220 2.0.0 Go on')
    raw.off('data', onData)
    const secure = new tls.TLSSocket(raw, { isServer: true, secureContext: context })
    secure.on('error', error => {
      visit.tlsError = reasonOf(error)
      raw.destroy()
    })
    secure.on('secure', () => {
      visit.tls = {
        version: secure.getProtocol() ?? '',
        cipher: secure.getCipher().standardName,
        sni: sniOf(secure),
      }
      // State from before TLS is forgotten (RFC 3207 §4.2).
      draft = null
      helo = ''
    })
    secure.on('data', onData)
    socket = secure
    return 'taken over'
  }

  raw.on('error', () => raw.destroy())
  raw.on('data', onData)
  say(`220 ${knobs.name} ESMTP lab`)
  return visit
}

function withDashes(code: number, lines: readonly string[]): string[] {
  return lines.map((line, i) => `${code}${i === lines.length - 1 ? ' ' : '-'}${line}`)
}

/** OpenSSL's reason. Its whole message also has the address of a thread, and file and line of its source. */
function reasonOf(error: Error): string {
  const reason: unknown = Reflect.get(error, 'reason')
  return typeof reason === 'string' && reason !== '' ? reason : (error.message.split('\n')[0] ?? '')
}

/** @types/node knows `servername` on the client's options only; on a server's socket it is the client's SNI, or false. */
function sniOf(socket: tls.TLSSocket): string | null {
  const name: unknown = Reflect.get(socket, 'servername')
  return typeof name === 'string' && name !== '' ? name : null
}

/** Longer than any command line the relay may send. */
const longestLine = 16 * 1024
