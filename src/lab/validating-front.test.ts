import dgram from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage, type Message, makeQuery } from '../protocol/dns/message.ts'
import { type Name, parseName } from '../protocol/dns/name.ts'
import { rcodes, typeFromName, typeNumbers } from '../protocol/dns/numbers.ts'
import { createDnsWire, type DnsWire } from '../system/dns-wire.ts'
import { type LabDns, startDns } from './dns-server.ts'
import { privateInternet } from './signing/private-internet.ts'
import { createSignedWorld } from './signing/signed-world.ts'
import { createValidatingFront } from './validating-front.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
let behind: LabDns
let wire: DnsWire
let front: LabDns
beforeAll(async () => {
  const world = createSignedWorld({ zones: privateInternet(), nowMs })
  behind = await startDns(query => world.respond(query))
  wire = createDnsWire({
    servers: [`${behind.address}:${behind.port}`],
    timeoutMs: 1_000,
    waitMs: 200,
    attempts: 2,
  })
  front = await startDns(createValidatingFront({ wire, anchors: world.anchors, now: () => nowMs }))
})
afterAll(async () => {
  await front.close()
  await wire.close()
  await behind.close()
})

interface Bits {
  readonly dnssecOk?: true
  readonly checkingDisabled?: true
  readonly authenticData?: true
}

async function ask(name: string, type: string, { dnssecOk, ...bits }: Bits = {}): Promise<Message> {
  const edns = { udpPayloadBytes: 4_096, version: 0, dnssecOk: dnssecOk === true, options: [] }
  const query = { ...makeQuery({ id: 4711, name: nameOf(name), type: typeOf(type), edns }), ...bits }
  const socket = dgram.createSocket('udp4')
  try {
    socket.send(encodeMessage(query), front.port, front.address)
    const [bytes] = await once(socket, 'message')
    const decoded = decodeMessage(bytes)
    if (decoded.kind === 'malformed') throw new Error(decoded.because)
    return decoded.value
  } finally {
    socket.close()
  }
}

function nameOf(text: string): Name {
  const name = parseName(text)
  if (name === null) throw new Error(`no name: ${text}`)
  return name
}

function typeOf(text: string): number {
  const type = typeFromName(text)
  if (type === null) throw new Error(`no type: ${text}`)
  return type
}

const types = (records: Message['answers']) => records.map(({ type }) => type)

describe('what a foreign resolver library is told', () => {
  test.each([
    ['host.nsec.example', 'A', 'NOERROR', true],
    ['host.nsec3.example', 'A', 'NOERROR', true],
    ['alias.nsec3.example', 'A', 'NOERROR', true],
    ['any.wild.nsec.example', 'A', 'NOERROR', true],
    ['nsec.example', 'A', 'NOERROR', true],
    // Nothing is validated below local, and the root proves all the same that there is no such name.
    ['example.local', 'A', 'NXDOMAIN', true],
    ['none.nsec.example', 'A', 'NXDOMAIN', true],
    ['none.nsec3.example', 'TLSA', 'NXDOMAIN', true],
    ['host.unsigned.example', 'A', 'NOERROR', false],
    ['host.no-ds.example', 'A', 'NOERROR', false],
    ['host.ds-wrong-digest.example', 'A', 'SERVFAIL', false],
    ['host.bad13.example', 'A', 'SERVFAIL', false],
  ] as const)('%s %s is %s, and AD is %s', async (name, type, rcode, authenticData) => {
    const answer = await ask(name, type, { dnssecOk: true })
    expect(answer).toMatchObject({ id: 4711, rcode: rcodes[rcode], authenticData, recursionAvailable: true })
  })

  test('what is bogus comes with its reason, and without a record', async () => {
    const answer = await ask('host.bad13.example', 'A', { dnssecOk: true })
    expect(answer.answers).toEqual([])
    const [option] = answer.edns?.options ?? []
    expect(option?.code).toBe(15)
    expect(Buffer.from(option?.data ?? []).readUInt16BE(0)).toBe(6)
    expect(Buffer.from(option?.data ?? []).toString('utf8', 2)).toMatch(/\w/)
  })

  test('who sets CD gets what is bogus, and no AD for anything', async () => {
    const bad = await ask('host.bad13.example', 'A', { dnssecOk: true, checkingDisabled: true })
    expect(bad).toMatchObject({ rcode: rcodes.NOERROR, authenticData: false, checkingDisabled: true })
    expect(types(bad.answers)).toContain(typeNumbers.A)
    const good = await ask('host.nsec.example', 'A', { dnssecOk: true, checkingDisabled: true })
    expect(good.authenticData).toBe(false)
  })

  test('signatures and proofs go to who asks with DO, and to nobody else', async () => {
    const wanted = await ask('host.nsec.example', 'A', { dnssecOk: true })
    expect(types(wanted.answers)).toContain(typeNumbers.RRSIG)
    const plain = await ask('host.nsec.example', 'A')
    expect(types(plain.answers)).toEqual([typeNumbers.A, typeNumbers.A])
    const no = await ask('none.nsec.example', 'A')
    expect(types(no.authorities)).toEqual([typeNumbers.SOA])
  })

  test('without DO, AD is for those who set it in the question', async () => {
    expect((await ask('host.nsec.example', 'A')).authenticData).toBe(false)
    expect((await ask('host.nsec.example', 'A', { authenticData: true })).authenticData).toBe(true)
  })

  test.each(['RRSIG', 'ANY'])('%s cannot be judged, so it is never said to be secure', async type => {
    const answer = await ask('nsec.example', type, { dnssecOk: true })
    expect(answer.authenticData).toBe(false)
  })
})
