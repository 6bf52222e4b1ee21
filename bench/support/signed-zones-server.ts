/**
 * A name server for benchmarks: the zones of signed-zones.ts over UDP, each answer made once and then sent as it is, so that whoever asks is measured and not
 * the server. Run as a process of its own: node signed-zones-server.ts ALGORITHM CHAINS NAMES. Prints its port, the root's keys as master-file lines, and an
 * empty line.
 */
import { createSocket } from 'node:dgram'
import { decodeMessage, encodeMessage } from '../../src/protocol/dns/message.ts'
import { signedZones } from './signed-zones.ts'

const [algorithm, chains, names] = process.argv.slice(2).map(Number)
const world = signedZones(algorithm ?? 13, chains ?? 1, names ?? 1)
/** By the query, but for its id. */
const answers = new Map<string, Buffer>()

function answerTo(query: Buffer): Buffer | null {
  const key = query.toString('latin1', 2)
  const known = answers.get(key)
  if (known !== undefined) return known
  const decoded = decodeMessage(query)
  const response = decoded.kind === 'decoded' ? world.respond(decoded.value) : 'silence'
  if (decoded.kind !== 'decoded' || response === 'silence') return null
  // What is measured fits into a datagram; nothing here speaks TCP.
  const made = Buffer.from(encodeMessage(response, decoded.value.edns?.udpPayloadBytes ?? 512))
  answers.set(key, made)
  return made
}

const socket = createSocket('udp4')
socket.on('message', (query, from) => {
  const answer = answerTo(query)
  if (answer === null) return
  answer.set(query.subarray(0, 2))
  // The buffer is sent at once; a copy is needed only where the kernel takes it later.
  socket.send(Buffer.from(answer), from.port, from.address)
})
socket.bind(0, '127.0.0.1', () => {
  process.stdout.write(`${[socket.address().port, ...world.anchorLines.dnskey].join('\n')}\n\n`)
})
