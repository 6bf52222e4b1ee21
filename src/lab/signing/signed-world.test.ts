import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  decodeMessage,
  encodeMessage,
  type Message,
  makeQuery,
  type ResourceRecord,
} from '../../protocol/dns/message.ts'
import { nameKey } from '../../protocol/dns/name.ts'
import { rcodeName, typeFromName, typeName, typeNumbers } from '../../protocol/dns/numbers.ts'
import { type LabDns, startDns } from '../dns-server.ts'
import { privateInternet } from './private-internet.ts'
import { answersOf, createSignedWorld, forged, type ResolverBehaviour, worldZone } from './signed-world.ts'
import { nameOf } from './zone-lines.ts'

const nowMs = Date.UTC(2026, 0, 1)
const world = createSignedWorld({ zones: privateInternet(), nowMs })

interface Bits {
  readonly dnssecOk?: boolean
  readonly checkingDisabled?: boolean
  readonly authenticData?: boolean
}

/** `host.nsec.example A`, with DO unless it is said otherwise. */
function query(question: string, { dnssecOk = true, ...bits }: Bits = {}): Message {
  const [name = '', type = ''] = question.split(' ')
  const edns = { udpPayloadBytes: 1_232, version: 0, dnssecOk, options: [] }
  return { ...makeQuery({ id: 7, name: nameOf(name), type: typeFromName(type) ?? 0, edns }), ...bits }
}

function ask(question: string, bits: Bits = {}, of = world): Message {
  const response = of.respond(query(question, bits))
  if (response === 'silence') throw new Error(`no answer to ${question}`)
  return response
}

const shape = (records: readonly ResourceRecord[]) =>
  records.map(({ name, type, rdata }) => {
    const covered = type === typeNumbers.RRSIG ? ` ${typeName(Buffer.from(rdata).readUInt16BE(0))}` : ''
    return `${nameKey(name)} ${typeName(type)}${covered}`
  })

describe('the resolver in front of the world', () => {
  test('sends signatures along with DO, and nothing of DNSSEC without', () => {
    expect(shape(ask('host.nsec.example A').answers)).toEqual([
      'host.nsec.example A',
      'host.nsec.example A',
      'host.nsec.example RRSIG A',
    ])
    expect(shape(ask('host.nsec.example A', { dnssecOk: false }).answers)).toEqual([
      'host.nsec.example A',
      'host.nsec.example A',
    ])
    expect(shape(ask('nothing.nsec.example A', { dnssecOk: false }).authorities)).toEqual(['nsec.example SOA'])
  })

  test('answers for DS out of the parent, for DNSKEY out of the zone', () => {
    const signer = ({ rdata }: ResourceRecord) => rdata.subarray(18, rdata.indexOf(0, 18) + 1).length
    const [ds, dsSignature] = ask('nsec.example DS').answers
    expect(shape([...(ds === undefined ? [] : [ds])])).toEqual(['nsec.example DS'])
    expect(dsSignature === undefined ? 0 : signer(dsSignature)).toBe('\x07example\0'.length)
    expect(shape(ask('nsec.example DNSKEY').answers)).toEqual([
      'nsec.example DNSKEY',
      'nsec.example DNSKEY',
      'nsec.example RRSIG DNSKEY',
    ])
    expect(shape(ask('. DS').authorities)[0]).toBe(' SOA')
  })

  test.each(['nsec.example', 'nsec3.example'])('says NXDOMAIN in %s with an SOA and a proof, all signed', apex => {
    const response = ask(`nothing.${apex} A`)
    expect(rcodeName(response.rcode)).toBe('NXDOMAIN')
    const types = response.authorities.map(({ type }) => typeName(type))
    expect(types.filter(type => type === 'RRSIG')).toHaveLength(types.filter(type => type !== 'RRSIG').length)
    expect(types).toContain('SOA')
  })

  test('expands a wildcard under the name that was asked for, and proves that the name is not there', () => {
    const { answers, authorities } = ask('any.wild.nsec.example A')
    expect(shape(answers)).toEqual(['any.wild.nsec.example A', 'any.wild.nsec.example RRSIG A'])
    // *.wild.nsec.example: labels without the asterisk.
    expect(answers[1]?.rdata[3]).toBe(3)
    expect(shape(authorities)).toEqual(['*.wild.nsec.example NSEC', '*.wild.nsec.example RRSIG NSEC'])
  })

  test('follows aliases across zones, with the signatures of each', () => {
    expect(shape(ask('within.aliases.example A').answers)).toEqual([
      'within.aliases.example CNAME',
      'within.aliases.example RRSIG CNAME',
      'www.aliases.example CNAME',
      'www.aliases.example RRSIG CNAME',
      'host.nsec.example A',
      'host.nsec.example A',
      'host.nsec.example RRSIG A',
    ])
  })

  test('makes a CNAME of a DNAME, and does not sign it', () => {
    expect(shape(ask('host.tree.aliases.example A').answers).slice(0, 4)).toEqual([
      'tree.aliases.example DNAME',
      'tree.aliases.example RRSIG DNAME',
      'host.tree.aliases.example CNAME',
      'host.nsec.example A',
    ])
    const long = `${'a'.repeat(60)}.`.repeat(3)
    expect(rcodeName(ask(`${long}${'b'.repeat(40)}.tree.aliases.example A`).rcode)).toBe('NXDOMAIN')
    expect(rcodeName(ask(`${long}${'b'.repeat(45)}.tree.lengthens.example A`, {}, lengthening()).rcode)).toBe(
      'YXDOMAIN',
    )
  })

  test('gives up on aliases in a circle, and on delegations that lead nowhere', () => {
    expect(rcodeName(ask('one.aliases.example A').rcode)).toBe('SERVFAIL')
    const lame = createSignedWorld({ zones: [worldZone('test', ['lame.test NS ns.lame.test'], {})], nowMs })
    expect(rcodeName(ask('host.lame.test A', {}, lame).rcode)).toBe('SERVFAIL')
    expect(shape(ask('lame.test DS', {}, lame).authorities)).toContain('lame.test NSEC')
  })

  test('meets servers that fail, are silent, or say nothing', () => {
    expect(rcodeName(ask('_25._tcp.mx.servfail.example TLSA').rcode)).toBe('SERVFAIL')
    expect(world.respond(query('_25._tcp.mx.silent.example TLSA'))).toBe('silence')
    expect(ask('_25._tcp.mx.empty.example TLSA')).toMatchObject({ rcode: 0, answers: [], authorities: [] })
    expect(shape(ask('mx.servfail.example A').answers)).toEqual([
      'mx.servfail.example A',
      'mx.servfail.example RRSIG A',
    ])
  })

  test('makes up answers that deny as RFC 9824 does', () => {
    const { rcode, authorities } = ask('nothing.compact.example A')
    expect(rcodeName(rcode)).toBe('NOERROR')
    expect(shape(authorities)).toContain('nothing.compact.example NSEC')
  })

  test('survives its own encoding', () => {
    for (const question of ['nothing.nsec3.example A', 'host.tree.aliases.example A', 'large.example TXT']) {
      const response = ask(question)
      expect(decodeMessage(encodeMessage(response))).toEqual({ kind: 'decoded', value: plain(response) })
    }
  })
})

describe('a resolver that', () => {
  const behaving = (behaviour: ResolverBehaviour) =>
    createSignedWorld({ zones: privateInternet(), nowMs, behaviour })

  test('strips signatures says nothing that could be validated', () => {
    const stripping = behaving('strips-signatures')
    expect(shape(ask('host.nsec.example A', {}, stripping).answers)).toEqual([
      'host.nsec.example A',
      'host.nsec.example A',
    ])
    expect(shape(ask('nothing.nsec.example A', {}, stripping).authorities)).toEqual(['nsec.example SOA'])
  })

  const validating = behaving('validates')
  test.each([
    ['host.nsec.example A', 'secure'],
    ['nothing.nsec3.example A', 'secure'],
    ['www.aliases.example A', 'secure'],
    ['to-unsigned.aliases.example A', 'insecure'],
    ['host.unsigned.opt-out.example A', 'insecure'],
    ['host.ds-unknown.example A', 'insecure'],
    ['host.office.local A', 'insecure'],
    ['host.bad13.example A', 'bogus'],
    ['host.ds-wrong-digest.example A', 'bogus'],
    ['host.no-dnskey.example A', 'bogus'],
    ['nothing.gap.example A', 'bogus'],
    ['to-bogus.aliases.example A', 'bogus'],
    ['host.stripped-a.example A', 'bogus'],
    ['_25._tcp.mx.stripped-a.example TLSA', 'secure'],
  ] as const)('validates says of %s: %s', (question, security) => {
    const response = ask(question, {}, validating)
    expect(rcodeName(response.rcode) === 'SERVFAIL').toBe(security === 'bogus')
    expect(response.authenticData).toBe(security === 'secure')
    // RFC 4035 §3.2.2: with CD it passes on what it has.
    expect(rcodeName(ask(question, { checkingDisabled: true }, validating).rcode)).not.toBe('SERVFAIL')
  })

  test('validates tells AD to those who ask for it, with DO or AD', () => {
    const told = (bits: Bits) => ask('host.nsec.example A', bits, validating).authenticData
    expect(told({ dnssecOk: false })).toBe(false)
    expect(told({ dnssecOk: false, authenticData: true })).toBe(true)
  })
})

describe('in memory', () => {
  test('each question gets a whole message, and silence is a timeout', () => {
    const answer = answersOf(world)
    expect(answer({ name: nameOf('host.nsec.example'), type: typeNumbers.A })).toMatchObject({
      kind: 'message',
      message: { checkingDisabled: true },
    })
    expect(answer({ name: nameOf('_25._tcp.mx.silent.example'), type: typeNumbers.TLSA })).toMatchObject({
      kind: 'failed',
      reason: 'dns.timeout',
    })
  })

  test('somebody in between changes what he likes', () => {
    const between = forged(world, (_, honest) => ({ ...honest, rcode: 3, answers: [] }))
    expect(ask('host.nsec.example A', {}, between)).toMatchObject({ rcode: 3, answers: [] })
  })

  test('yesterday has the keys of today', () => {
    const yesterday = createSignedWorld({ zones: privateInternet(), nowMs: nowMs - 86_400_000 })
    expect(yesterday.anchors).toEqual(world.anchors)
  })
})

describe('over the wire', () => {
  let dns: LabDns
  beforeAll(async () => {
    dns = await startDns(world.respond)
  })
  afterAll(() => dns.close())

  test('what is too long for a datagram is truncated; silence is silence, and the connection lives on', async () => {
    const socket = dgram.createSocket('udp4')
    socket.send(encodeMessage(query('large.example TXT')), dns.port, dns.address)
    const [bytes] = await once(socket, 'message')
    socket.close()
    expect(decodeMessage(bytes)).toMatchObject({ kind: 'decoded', value: { truncated: true, answers: [] } })

    const connection = net.connect(dns.port, dns.address)
    for (const question of ['_25._tcp.mx.silent.example TLSA', 'large.example TXT']) {
      const message = encodeMessage(query(question))
      connection.write(Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message]))
    }
    let received = Buffer.alloc(0)
    for await (const piece of connection) {
      received = Buffer.concat([received, piece])
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) break
    }
    const whole = decodeMessage(received.subarray(2))
    expect(whole.kind === 'decoded' ? whole.value.answers.length : whole).toBe(41)
  })
})

/** A DNAME to a longer name. */
function lengthening() {
  return createSignedWorld({
    zones: [
      worldZone('lengthens.example', [`tree.lengthens.example DNAME ${'c'.repeat(60)}.lengthens.example`], {}),
    ],
    nowMs,
  })
}

/** Bytes as they come out of a decoder: views, not buffers. */
function plain(message: Message): Message {
  const bytes = (record: ResourceRecord) => ({
    ...record,
    name: record.name.map(label => Uint8Array.from(label)),
    rdata: Uint8Array.from(record.rdata),
  })
  return { ...message, answers: message.answers.map(bytes), authorities: message.authorities.map(bytes) }
}
