import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import dnsPacket from 'dns-packet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LabDns, startDns } from './dns-server.ts'
import { createSignedWorld, worldZone } from './signing/signed-world.ts'

let dns: LabDns
beforeAll(async () => {
  const zones = [
    worldZone(
      'dev.example',
      ['mail.dev.example CNAME mail.example.local', 'dev.example MX 0 .', 'six.dev.example AAAA 2001:db8::25'],
      null,
    ),
    worldZone('example.local', ['mail.example.local A 192.0.2.6', 'example.local TXT v=spf1 -all'], null),
    worldZone(
      'large.example',
      Array.from({ length: 60 }, (_, i) => `large.example A 192.0.2.${i + 1}`),
      null,
    ),
  ]
  dns = await startDns(createSignedWorld({ zones, nowMs: 0 }).respond)
})
afterAll(() => dns.close())

const query = (name: string, type: dnsPacket.RecordType, edns = false): dnsPacket.Packet => ({
  type: 'query',
  id: 4711,
  flags: dnsPacket.RECURSION_DESIRED,
  questions: [{ name, type }],
  ...(edns
    ? {
        additionals: [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: 1232,
            flags: 0,
            extendedRcode: 0,
            ednsVersion: 0,
            flag_do: false,
            options: [],
          },
        ],
      }
    : {}),
})

/** The upper bits, in OPT, are 0 for all that the lab answers. */
const rcode = (packet: dnsPacket.Packet): string | undefined =>
  ({ 0: 'NOERROR', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 5: 'REFUSED' })[(packet.flags ?? 0) & 15]

async function overUdp(packet: Buffer): Promise<dnsPacket.DecodedPacket> {
  const socket = dgram.createSocket('udp4')
  try {
    socket.send(packet, dns.port, dns.address)
    const [bytes] = await once(socket, 'message')
    return dnsPacket.decode(bytes)
  } finally {
    socket.close()
  }
}

async function overTcp(...packets: readonly Buffer[]): Promise<readonly dnsPacket.Packet[]> {
  const socket = net.connect(dns.port, dns.address)
  let bytes = Buffer.alloc(0)
  const answers: dnsPacket.Packet[] = []
  for (const packet of packets) socket.write(packet)
  for await (const piece of socket) {
    bytes = Buffer.concat([bytes, piece])
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      answers.push(dnsPacket.streamDecode(bytes))
      bytes = bytes.subarray(2 + bytes.readUInt16BE(0))
    }
    if (answers.length === packets.length) break
  }
  return answers
}

describe('the DNS of the lab, read by another codec', () => {
  test('an alias comes with what it leads to', async () => {
    const answer = await overUdp(dnsPacket.encode(query('Mail.dev.example', 'A', true)))
    expect(rcode(answer)).toBe('NOERROR')
    expect(answer.id).toBe(4711)
    expect(answer.flag_ra).toBe(true)
    expect(
      answer.answers?.map(({ type, name, ...rest }) => [type, name, 'data' in rest ? rest.data : null]),
    ).toEqual([
      ['CNAME', 'mail.dev.example', 'mail.example.local'],
      ['A', 'mail.example.local', '192.0.2.6'],
    ])
  })

  test('a null MX, a TXT and an AAAA are what they are', async () => {
    const [mx, txt, six] = await overTcp(
      dnsPacket.streamEncode(query('dev.example', 'MX')),
      dnsPacket.streamEncode(query('example.local', 'TXT')),
      dnsPacket.streamEncode(query('six.dev.example', 'AAAA')),
    )
    expect(mx?.answers).toMatchObject([{ data: { preference: 0, exchange: '.' } }])
    expect(String(txt?.answers?.map(record => ('data' in record ? record.data : '')))).toBe('v=spf1 -all')
    expect(six?.answers).toMatchObject([{ data: '2001:db8::25' }])
  })

  test.each([
    ['none.dev.example', 'NXDOMAIN', 'dev.example'],
    ['mail.example.local', 'NOERROR', 'example.local'],
    ['elsewhere.test', 'NXDOMAIN', '.'],
  ])('a "no" for %s carries the SOA of its zone', async (name, expected, apex) => {
    const answer = await overUdp(dnsPacket.encode(query(name, 'AAAA')))
    expect(rcode(answer)).toBe(expected)
    expect(answer.answers).toEqual([])
    expect(answer.authorities).toMatchObject([{ type: 'SOA', name: apex }])
  })

  test('what does not fit into a datagram is truncated, and whole over TCP', async () => {
    const cut = await overUdp(dnsPacket.encode(query('large.example', 'A')))
    expect(cut.flag_tc).toBe(true)
    expect(cut.answers).toEqual([])
    const [whole] = await overTcp(dnsPacket.streamEncode(query('large.example', 'A')))
    expect((whole?.flags ?? 0) & dnsPacket.TRUNCATED_RESPONSE).toBe(0)
    expect(whole?.answers).toHaveLength(60)
  })

  test('a query cut in the middle gets FORMERR, and the server lives on', async () => {
    const whole = dnsPacket.encode(query('mail.dev.example', 'A', true))
    const answer = await overUdp(whole.subarray(0, whole.length - 3))
    expect(rcode(answer)).toBe('FORMERR')
    expect(rcode(await overUdp(whole))).toBe('NOERROR')
  })

  test('it remembers what it was asked, and how', () => {
    expect(dns.asked).toContainEqual({ name: 'mail.dev.example', type: 'A', over: 'udp' })
    expect(dns.asked).toContainEqual({ name: 'large.example', type: 'A', over: 'tcp' })
  })
})
