/**
 * The lab's DNS: a real server on UDP and TCP of one port, in front of whatever answers (RFC 1035 §4.2, RFC 6891, RFC 7766 §8), that keeps the newest of the
 * questions it was asked.
 *
 * What does not decode as a query gets FORMERR or no answer at all. It knows no zones: a world of them, signed or not, is signing/signed-world.ts.
 */
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import {
  decodeHead,
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageHead,
  maxPlainUdpBytes,
} from '../protocol/dns/message.ts'
import { nameKey } from '../protocol/dns/name.ts'
import { rcodes, typeName } from '../protocol/dns/numbers.ts'

interface AskedQuestion {
  readonly name: string
  readonly type: string
  readonly over: 'udp' | 'tcp'
}

export interface LabDns {
  readonly address: string
  readonly port: number
  /** In the order they came; the newest ones, when there are very many. */
  readonly asked: readonly AskedQuestion[]
  /** How many there were. */
  readonly questions: number
  close(): Promise<void>
}

/** `not-dns`: a connection over which it came is of no use. */
type Nothing = 'silence' | 'not-dns'
type Reply = Uint8Array | Nothing

/** One question in, the response out, of any length; or nothing, as when a server is not there. A promise of one must not reject. */
export type Answering = (query: Message) => Message | 'silence' | Promise<Message | 'silence'>

/**
 * Starts the server. A response that does not fit into a datagram goes out truncated.
 * @param where a port of this machine; unless given, one of 127.0.0.1 that is free for both transports
 * @throws what the system says against `where`
 */
export async function startDns(
  respond: Answering,
  where: { readonly address: string; readonly port: number } = { address: loopback, port: 0 },
): Promise<LabDns> {
  const asked: AskedQuestion[] = []
  let questions = 0
  const answer = (query: Uint8Array, over: 'udp' | 'tcp'): Reply | Promise<Reply> => {
    const decoded = decodeMessage(query)
    if (decoded.kind === 'malformed') {
      const head = decodeHead(query)
      return head.kind === 'decoded' && !head.value.isResponse ? formatError(head.value) : 'not-dns'
    }
    const message = decoded.value
    if (message.isResponse) return 'not-dns'
    const [question] = message.questions
    if (question === undefined || message.opcode !== 0 || message.questions.length !== 1)
      return formatError(message)
    questions++
    asked.push({ name: nameKey(question.name), type: typeName(question.type), over })
    if (asked.length > mostAskedKept) asked.splice(0, mostAskedKept / 2)
    const limit = over === 'tcp' ? undefined : Math.max(maxPlainUdpBytes, message.edns?.udpPayloadBytes ?? 0)
    const encode = (response: Message | 'silence') =>
      response === 'silence' ? response : encodeMessage(response, limit)
    const response = respond(message)
    return response instanceof Promise ? response.then(encode) : encode(response)
  }

  const { udp, tcp, port } = await bindBoth(where)
  let isOpen = true
  udp.on('message', (query, { port, address }) => {
    whenReady(answer(query, 'udp'), reply => {
      if (typeof reply !== 'string' && isOpen) udp.send(reply, port, address)
    })
  })
  udp.on('error', () => undefined)
  const connections = new Set<net.Socket>()
  tcp.on('connection', socket => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    serveTcp(socket, query => answer(query, 'tcp'))
  })

  return {
    address: where.address,
    port,
    asked,
    get questions() {
      return questions
    },
    async close() {
      isOpen = false
      const closed = Promise.all([once(udp, 'close'), once(tcp, 'close')])
      udp.close()
      tcp.close()
      for (const socket of connections) socket.destroy()
      await closed
    },
  }
}

function formatError(query: MessageHead): Uint8Array {
  return encodeMessage({ ...asResponse(query), questions: [], rcode: rcodes.FORMERR, edns: null })
}

function asResponse(query: MessageHead): Omit<Message, 'edns'> {
  return {
    ...query,
    isResponse: true,
    authoritative: false,
    truncated: false,
    recursionAvailable: true,
    authenticData: false,
    answers: [],
    authorities: [],
    additionals: [],
  }
}

/** Messages with a length of two bytes before each (RFC 1035 §4.2.2), several on one connection. */
function serveTcp(socket: net.Socket, answer: (query: Uint8Array) => Reply | Promise<Reply>): void {
  let pending = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', bytes => {
    pending = Buffer.concat([pending, bytes])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      const reply = answer(pending.subarray(2, end))
      pending = pending.subarray(end)
      whenReady(reply, response => {
        if (response === 'not-dns') socket.destroy()
        else if (response !== 'silence' && socket.writable) socket.write(withLength(response))
      })
      if (socket.destroyed) return
    }
  })
}

function withLength(response: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(response.length)
  return Buffer.concat([length, response])
}

/** At once what is there at once: answers keep the order of their questions then. */
function whenReady(reply: Reply | Promise<Reply>, use: (reply: Reply) => void): void {
  if (reply instanceof Promise) void reply.then(use)
  else use(reply)
}

/** Of port 0 the system makes one for TCP; should somebody else hold the same one for UDP, it picks again. */
async function bindBoth(where: {
  readonly address: string
  readonly port: number
}): Promise<{ udp: dgram.Socket; tcp: net.Server; port: number }> {
  for (let left = where.port === 0 ? 20 : 0; ; left--) {
    const tcp = net.createServer()
    tcp.listen(where.port, where.address)
    await once(tcp, 'listening')
    const bound = tcp.address()
    if (bound === null || typeof bound === 'string') throw new Error('a TCP server has an address once it listens')
    const udp = dgram.createSocket('udp4')
    try {
      udp.bind(bound.port, where.address)
      await once(udp, 'listening')
      return { udp, tcp, port: bound.port }
    } catch (error) {
      udp.close()
      tcp.close()
      if (left === 0) throw error
    }
  }
}

const loopback = '127.0.0.1'
/** Some ten megabytes. */
const mostAskedKept = 100_000
