import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSelfSigned } from '../../system/certificate-maker.ts'
import { dial, type TestClient } from './testing/client.ts'
import { eventually, type Harness, startHarness } from './testing/harness.ts'

let directory: string
let harness: Harness

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hermetic-hostile-'))
  const { chain, key } = await createSelfSigned({ names: ['mx.example.org'] })
  writeFileSync(join(directory, 'chain.pem'), chain)
  writeFileSync(join(directory, 'key.pem'), key)
})
afterAll(() => rmSync(directory, { recursive: true }))

beforeEach(async () => {
  harness = await startHarness({
    listen: [{ address: '127.0.0.1', port: 0, tls: 'starttls', tryNext: 0 }],
    tls: { certificates: [{ chain: join(directory, 'chain.pem'), key: join(directory, 'key.pem') }] },
  })
})
afterEach(() => harness.inbound.stop(0))

const upToData =
  'S: 220\nC: EHLO c\nS: 250-\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354'

async function othersAreServed(): Promise<void> {
  const before = harness.accepted.length
  const client = await dial(harness.port)
  await client.converse(`${upToData}\nC: A: b\nC: .\nS: 250 2.0.0\nC: QUIT\nS: 221`)
  expect(harness.accepted.length).toBe(before + 1)
}

describe('a second message smuggled into the first', () => {
  test.each(['\n.\n', '\n.\r\n', '\r.\r', '\r\n.\r', '\r\n\x00.\r\n', '\r\n.\n', '\r.\r\n'])(
    'behind %j is content, and the whole is refused',
    async end => {
      const client = await dial(harness.port)
      await client.converse(upToData)
      const smuggled = 'MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nevil\r\n.\r\n'
      client.send(`A: b\r\n\r\nfirst${end}${smuggled}`)
      await client.converse('S: 550 5.6.0')
      await client.converse('C: NOOP\nS: 250 2.0.0 Ok\nC: QUIT\nS: 221\nS: closed')
      expect(harness.accepted).toEqual([])
      expect(harness.openBodies.size).toBe(0)
      expect(harness.incidents).toHaveLength(1)
    },
  )
})

describe('a client that goes away', () => {
  const phases: Readonly<Record<string, (client: TestClient) => Promise<unknown>>> = {
    'at once': () => Promise.resolve(),
    'after the greeting': client => client.converse('S: 220'),
    'after EHLO': client => client.converse('S: 220\nC: EHLO c\nS: 250-'),
    'in the middle of a command': client => {
      client.send('EHL')
      return Promise.resolve()
    },
    'after RCPT': client =>
      client.converse('S: 220\nC: EHLO c\nS: 250-\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250'),
    'after DATA': client => client.converse(upToData),
    'in the middle of content': client => client.converse(`${upToData}\nC: A: b\nC:`),
    'behind QUIT': client => client.converse('S: 220\nC: QUIT'),
    'behind STARTTLS': client => client.converse('S: 220\nC: EHLO c\nS: 250-\nC: STARTTLS\nS: 220'),
    'in the middle of a ClientHello': async client => {
      await client.converse('S: 220\nC: EHLO c\nS: 250-\nC: STARTTLS\nS: 220')
      client.send(Buffer.from('1603010200010001', 'hex'))
    },
    'behind a ClientHello': async client => {
      await client.converse('S: 220\nC: EHLO c\nS: 250-\nC: STARTTLS\nS: 220')
      client.send(await wholeClientHello())
    },
    'inside TLS': async client => {
      await client.converse('S: 220\nC: EHLO c\nS: 250-\nC: STARTTLS\nS: 220')
      const secured = await client.secure()
      await secured.converse('C: EHLO c\nS: 250-\nC: MAIL FROM:<>\nS: 250')
    },
    'in the middle of content inside TLS': async client => {
      await client.converse('S: 220\nC: EHLO c\nS: 250-\nC: STARTTLS\nS: 220')
      const secured = await client.secure()
      await secured.converse(`${upToData.slice('S: 220\n'.length)}\nC: A: b`)
    },
  }

  const leave = {
    reset: (client: TestClient) => client.reset(),
    close: (client: TestClient) => client.socket.destroy(),
  }

  test.each(
    Object.entries(phases).flatMap(([phase, reach]) => [
      ['reset', phase, reach] as const,
      ['close', phase, reach] as const,
    ]),
  )('by %s %s leaves nothing behind, and others are served', async (how, _, reach) => {
    const client = await dial(harness.port)
    await reach(client)
    leave[how](client)
    await eventually(() => harness.inbound.connections === 0)
    expect(harness.openBodies.size).toBe(0)
    await othersAreServed()
  })
})

test('a client that closes its side behind the final dot still gets its reply', async () => {
  const client = await dial(harness.port)
  await client.converse(upToData)
  client.send('A: b\r\n\r\nc\r\n.\r\nQUIT\r\n')
  client.end()
  await client.converse('S: 250 2.0.0\nS: 221\nS: closed')
})

test('a client that closes its side in the middle of content leaves nothing behind', async () => {
  const client = await dial(harness.port)
  await client.converse(upToData)
  client.send('A: b\r\n')
  client.end()
  await client.rest()
  await eventually(() => harness.inbound.connections === 0)
  expect(harness.openBodies.size).toBe(0)
  expect(harness.accepted).toEqual([])
})

test('a conversation byte by byte comes to the same', async () => {
  const client = await dial(harness.port)
  client.socket.setNoDelay(true)
  await client.converse('S: 220')
  const say = async (text: string, answer: string) => {
    for (const byte of text) {
      client.send(byte)
      await new Promise(resolve => setImmediate(resolve))
    }
    await client.converse(`S: ${answer}`)
  }
  await say('EHLO c\r\n', '250-')
  await say('MAIL FROM:<>\r\n', '250')
  await say('RCPT TO:<a@example.org>\r\n', '250')
  await say('DATA\r\n', '354')
  await say('A: b\r\n\r\n..x\r\n.\r\n', '250')
  expect(harness.accepted[0]?.content.toString()).toMatch(/\r\nA: b\r\n\r\n\.x\r\n$/)
})

test('a line of millions of octets is refused once, when it ends', async () => {
  const client = await dial(harness.port)
  await client.converse('S: 220')
  const piece = 'x'.repeat(1_000_000)
  for (let i = 0; i < 20; i++) {
    client.send(piece)
    if (client.socket.writableNeedDrain) await new Promise(resolve => client.socket.once('drain', resolve))
  }
  await client.converse('C:\nS: 500 5.5.2\nC: NOOP\nS: 250')
})

test('a client that never reads its replies is dropped', async () => {
  const client = await dial(harness.port)
  await client.converse('S: 220\nC: EHLO c\nS: 250-')
  client.socket.pause()
  const many = 'HELP\r\n'.repeat(10_000)
  while (harness.incidents.length === 0 && !client.socket.destroyed) {
    client.send(many)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  await eventually(() => harness.inbound.connections === 0)
  expect(harness.incidents).toMatchObject([{ code: 'smtp.replies-not-read' }])
  await othersAreServed()
})

test('a client that goes on sending behind our last word can read it all the same', async () => {
  const client = await dial(harness.port)
  await client.converse('S: 220\nC: QUIT\nS: 221')
  client.socket.allowHalfOpen = true
  const flood = Buffer.alloc(1_000_000, 'NOOP\r\n')
  let written = 0
  const pour = () =>
    client.socket.write(flood, error => {
      if (error) return
      written += 1
      pour()
    })
  pour()
  await eventually(() => client.socket.writableLength > 0 && written > 0)
  expect(harness.inbound.connections).toBe(1)
  harness.advance(5_001)
  await eventually(() => harness.inbound.connections === 0)
})

test('errors without end lead to a 421', async () => {
  const client = await dial(harness.port)
  await client.converse('S: 220')
  client.send('NONSENSE\r\n'.repeat(1_000))
  expect(await client.rest()).toMatch(/(?:^500 [^\r]*\r\n){20}421 4\.7\.0 [^\r]*\r\n$/m)
  expect(harness.incidents).toMatchObject([{ code: 'smtp.too-many-errors' }])
})

test('hundreds of half-open handshakes and silent connections keep nobody from being served', async () => {
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      Promise.all(Array.from({ length: 10 }, () => dial(harness.port, `127.0.1.${i + 1}`))),
    ),
  )
  for (const client of clients.flat().slice(0, 100)) {
    await client.converse('S: 220\nC: EHLO c\nS: 250-\nC: STARTTLS\nS: 220')
    client.send(Buffer.from('1603', 'hex'))
  }
  await othersAreServed()
  harness.advance(harness.settings.limits.handshakeMs + harness.settings.limits.idleMs + 1)
  await eventually(() => harness.inbound.connections <= 100)
  await othersAreServed()
})

/** What a Node client sends first, caught on its way. */
function wholeClientHello(): Promise<Buffer> {
  return new Promise(resolve => {
    const wire = new Duplex({ read() {}, write: (chunk: Buffer, _encoding, _done) => resolve(chunk) })
    connectTls({ socket: wire }).on('error', () => {})
  })
}
