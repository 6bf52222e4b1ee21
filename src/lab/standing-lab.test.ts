import dgram from 'node:dgram'
import { once } from 'node:events'
import dnsPacket from 'dns-packet'
import { expect, test } from 'vitest'
import { startStandingLab } from './standing-lab.ts'

test('what the DNS was asked is told by name, and the root has one', { timeout: 30_000 }, async () => {
  const standing = await startStandingLab('loopback')
  const socket = dgram.createSocket('udp4')
  try {
    const { dns } = standing.lab
    for (const [name, type] of [
      ['.', 'DNSKEY'],
      ['et.example', 'MX'],
    ] as const) {
      socket.send(dnsPacket.encode({ type: 'query', id: 1, questions: [{ name, type }] }), dns.port, dns.address)
      await once(socket, 'message')
    }
    expect(standing.report().dns).toMatchObject({ questions: 2, newest: ['. DNSKEY', 'et.example MX'] })
  } finally {
    socket.close()
    await standing.close()
  }
})
