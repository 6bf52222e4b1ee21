/**
 * The lab's DNS: a real server on UDP and TCP of one loopback port that answers from the lab's zones, or from anything else that answers, the way a
 * recursive resolver would (RFC 1035 §4.2, RFC 6891, RFC 7766 §8), and keeps the questions it was asked.
 *
 * What does not decode as a query gets FORMERR or no answer at all; nothing outside the zones exists. It neither signs nor validates: a world of signed
 * zones is signing/signed-world.ts.
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
  type ResourceRecord,
} from '../protocol/dns/message.ts'
import { nameKey } from '../protocol/dns/name.ts'
import { classInternet, rcodes, typeName } from '../protocol/dns/numbers.ts'
import { type KnownData, makeRecord } from '../protocol/dns/records.ts'
import { lookUp, type Zone, type ZoneRecord } from './zones.ts'

interface AskedQuestion {
  readonly name: string
  readonly type: string
  readonly over: 'udp' | 'tcp'
}

export interface LabDns {
  readonly address: string
  readonly port: number
  /** In the order they came. */
  readonly asked: readonly AskedQuestion[]
  close(): Promise<void>
}

/** `not-dns`: a connection over which it came is of no use. */
type Nothing = 'silence' | 'not-dns'

/** One question in, the response out, of any length; or nothing, as when a server is not there. */
export type Answering = (query: Message) => Message | 'silence'

/**
 * Starts the server on a port of 127.0.0.1 that is free for both transports. A response that does not fit into a datagram goes out truncated.
 * @param source zones without signatures, or whatever answers
 */
export async function startDns(source: readonly Zone[] | Answering): Promise<LabDns> {
  const respond = typeof source === 'function' ? source : respondFrom(source)
  const asked: AskedQuestion[] = []
  const answer = (query: Uint8Array, over: 'udp' | 'tcp'): Uint8Array | Nothing => {
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
    asked.push({ name: nameKey(question.name), type: typeName(question.type), over })
    const limit = over === 'tcp' ? undefined : Math.max(maxPlainUdpBytes, message.edns?.udpPayloadBytes ?? 0)
    const response = respond(message)
    return response === 'silence' ? 'silence' : encodeMessage(response, limit)
  }

  const { udp, tcp, port } = await bindBoth()
  udp.on('message', (query, { port, address }) => {
    const bytes = answer(query, 'udp')
    if (typeof bytes !== 'string') udp.send(bytes, port, address)
  })
  udp.on('error', () => undefined)
  const connections = new Set<net.Socket>()
  tcp.on('connection', socket => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    serveTcp(socket, query => answer(query, 'tcp'))
  })

  return {
    address: loopback,
    port,
    asked,
    async close() {
      const closed = Promise.all([once(udp, 'close'), once(tcp, 'close')])
      udp.close()
      tcp.close()
      for (const socket of connections) socket.destroy()
      await closed
    },
  }
}

/** What the zones say, without a signature. */
function respondFrom(zones: readonly Zone[]): Answering {
  return query => unsigned(zones, query)
}

function unsigned(zones: readonly Zone[], query: Message): Message {
  const [question] = query.questions
  const known = question !== undefined && question.class === classInternet
  const found = known ? lookUp(zones, nameKey(question.name), typeName(question.type)) : null
  const isNo = found !== null && (found.outcome === 'no-data' || found.outcome === 'no-such-name')
  const rcode =
    found === null
      ? rcodes.REFUSED
      : found.outcome === 'servfail'
        ? rcodes.SERVFAIL
        : found.outcome === 'no-such-name'
          ? rcodes.NXDOMAIN
          : rcodes.NOERROR
  return {
    ...asResponse(query),
    rcode,
    answers: found?.answers.map(({ owner, record }) => makeRecord(owner, ttlSeconds, dataOf(record))) ?? [],
    authorities: isNo ? [startOfAuthority(found.apex)] : [],
    edns:
      query.edns === null
        ? null
        : { udpPayloadBytes: 1_232, version: 0, dnssecOk: query.edns.dnssecOk, options: [] },
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

function dataOf(record: ZoneRecord): KnownData {
  return record.type === 'TXT' ? { type: 'TXT', text: [Buffer.from(record.text)] } : record
}

function startOfAuthority(apex: string): ResourceRecord {
  return makeRecord(apex, negativeTtlSeconds, {
    type: 'SOA',
    primary: `ns.${apex}`.replace(/\.$/, ''),
    mailbox: `hostmaster.${apex}`.replace(/\.$/, ''),
    serial: 1,
    refresh: 3_600,
    retry: 600,
    expire: 86_400,
    minimum: negativeTtlSeconds,
  })
}

/** Messages with a length of two bytes before each (RFC 1035 §4.2.2), several on one connection. */
function serveTcp(socket: net.Socket, answer: (query: Uint8Array) => Uint8Array | Nothing): void {
  let pending = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', bytes => {
    pending = Buffer.concat([pending, bytes])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      const response = answer(pending.subarray(2, end))
      pending = pending.subarray(end)
      if (response === 'not-dns') return void socket.destroy()
      if (response === 'silence') continue
      const length = Buffer.alloc(2)
      length.writeUInt16BE(response.length)
      socket.write(Buffer.concat([length, response]))
    }
  })
}

/** The system picks the TCP port; should somebody else hold the same one for UDP, it picks again. */
async function bindBoth(): Promise<{ udp: dgram.Socket; tcp: net.Server; port: number }> {
  for (let left = 20; ; left--) {
    const tcp = net.createServer()
    tcp.listen(0, loopback)
    await once(tcp, 'listening')
    const bound = tcp.address()
    if (bound === null || typeof bound === 'string') throw new Error('a TCP server has an address once it listens')
    const udp = dgram.createSocket('udp4')
    try {
      udp.bind(bound.port, loopback)
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
const ttlSeconds = 300
const negativeTtlSeconds = 60
