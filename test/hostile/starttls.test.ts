/**
 * TLS begun by those who mean no good: handshakes that never end or are none, octets slipped in before them (RFC 3207 §4.2, CVE-2011-0411),
 * renegotiation (RFC 5746 §1), floods of KeyUpdate. On STARTTLS and on an implicit TLS listener.
 */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/process.ts'
import { type Attacker, type AttackOptions, attack, greeted } from './support/attacker.ts'
import {
  allowedGrowthBytes,
  type Besieged,
  besiege,
  honestAddress,
  honestMessageArrives,
  watchMemory,
} from './support/besieged.ts'
import { clientHello } from './support/client-hello.ts'

let starttls: Besieged
let implicit: Besieged

beforeAll(async () => {
  const yaml = [`limits: { handshake: 2s, connections_per_address: ${places} }`]
  ;[starttls, implicit] = await Promise.all([
    besiege({ name: 'starttls', yaml }),
    besiege({ name: 'implicit', tls: 'implicit', yaml }),
  ])
})
afterAll(async () => {
  await starttls.stop()
  await implicit.stop()
})

/** Up to where the next octet must be TLS. */
const ways = [
  [
    'after STARTTLS',
    () => starttls,
    async (options: AttackOptions) => {
      const client = await greeted(starttls.relay.port, options)
      await client.send('STARTTLS\r\n', /^220 /)
      return client
    },
  ],
  [
    'on an implicit TLS listener',
    () => implicit,
    (options: AttackOptions) => attack(implicit.relay.port, options),
  ],
] as const

/** Sends a flight piece by piece until it is cut off. */
async function drip(client: Attacker, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !client.isGone(); at += 10) {
    client.socket.write(bytes.subarray(at, at + 10))
    await sleep(200)
  }
}

const handshakes: readonly (readonly [
  name: string,
  incident: string,
  bytes: (hello: Buffer) => string | Buffer,
  pace?: 'in drops' | 'without end',
])[] = [
  ['silence', 'tls.handshake-timeout', () => ''],
  ['half a ClientHello', 'tls.handshake-timeout', hello => hello.subarray(0, hello.length >> 1)],
  ['a ClientHello in drops', 'tls.handshake-timeout', hello => hello, 'in drops'],
  ['a ClientHello and nothing behind it', 'tls.handshake-timeout', hello => hello],
  ['garbage in a TLS record', 'tls.handshake-failed', () => Buffer.from('16030100050bad0bad0b', 'hex')],
  [
    'a record longer than any',
    'tls.handshake-failed',
    () => Buffer.concat([Buffer.from('160301ffff', 'hex'), zeros]),
  ],
  // A ClientHello of 16 MB, in records of 16 KB.
  [
    'an endless ClientHello',
    'tls.handshake-failed',
    () => Buffer.concat([Buffer.from('160301400001ffffff0303', 'hex'), zeros.subarray(6)]),
    'without end',
  ],
  // The length of the session id: nothing behind it can be read then.
  [
    'a damaged ClientHello',
    'tls.handshake-failed',
    hello => Buffer.concat([hello.subarray(0, 43), Buffer.from([0xff]), hello.subarray(44)]),
  ],
  ['an alert', 'tls.handshake-failed', () => Buffer.from('15030300020228', 'hex')],
  [
    'clear SMTP',
    'starttls.clear-text-instead-of-tls',
    () => 'EHLO clear.example\r\nMAIL FROM:<mallory@attacker.example>\r\n',
  ],
  ['HTTP', 'starttls.clear-text-instead-of-tls', () => 'GET / HTTP/1.1\r\nHost: mail\r\n\r\n'],
  [
    'a hello of SSL 2',
    'tls.handshake-failed',
    () => Buffer.from(`801c0100020003000000100700c0${'07'.repeat(16)}`, 'hex'),
  ],
]

describe.concurrent.each(ways)('%s', (_, here, arrive) => {
  test.for(handshakes.map((each, index) => [index, ...each] as const))(
    'handshake %i: %s is dropped without a word in clear',
    async ([index, , incident, bytes, pace], { expect }) => {
      const from = `127.0.4.${index + 1}`
      const client = await arrive({ from })
      const before = client.text()
      const flight = Buffer.from(bytes(await clientHello()))
      if (pace === 'in drops') void drip(client, flight)
      else if (pace === 'without end') void client.flood(flight, 50 * 1024 * 1024)
      else client.socket.write(flight)
      const { text } = await client.gone
      // What may still come is TLS: an alert, or the server's own flight.
      expect(text.slice(before.length)).not.toMatch(/^\d\d\d[ -]/m)
      await here().toldOf(incident, from)
    },
  )

  test('hundreds of handshakes that never end leave the others served, and their places come free', async ({
    expect,
  }) => {
    const grown = watchMemory(here().relay.pid)
    const hello = await clientHello()
    const froms = Array.from({ length: 10 }, (_unused, i) => `127.0.5.${i + 1}`)
    const clients = await Promise.all(
      froms.flatMap(from => Array.from({ length: places }, () => arrive({ from }))),
    )
    for (const client of clients) client.socket.write(hello)
    const honest = await (await arrive({ from: honestAddress })).secure()
    if (here() === implicit) await honest.told(/^220 /)
    expect(await honest.send('EHLO honest.example\r\n', helloAnswered)).toContain('250-')
    await Promise.all(clients.map(({ gone }) => gone))
    expect(grown()).toBeLessThan(allowedGrowthBytes)
    await until(async () => {
      const again = await Promise.allSettled(
        Array.from({ length: places }, async () => (await arrive({ from: '127.0.5.1' })).secure()),
      )
      for (const each of again) if (each.status === 'fulfilled') each.value.end()
      return again.every(({ status }) => status === 'fulfilled')
    }, 'every place is free again')
  })
})

describe('octets in clear behind STARTTLS', () => {
  const injected = 'EHLO evil.example\r\nMAIL FROM:<evil@attacker.example>\r\nRCPT TO:<bob@sink.example>\r\n'
  const refused = /^554 5\.5\.1 Clear text was sent behind STARTTLS: closing\r\n$/

  test.each([
    ['a command', injected],
    ['half a command', 'R'],
    ['a line end', '\r\n'],
    ['a NUL', '\0'],
  ])('in the same packet: %s is refused and counted, and TLS does not begin', async (_, bytes) => {
    const client = await greeted(starttls.relay.port, { from: '127.0.6.1' })
    const before = client.text().length
    client.socket.write(`STARTTLS\r\n${bytes}`)
    const { text } = await client.gone
    expect(text.slice(before)).toMatch(refused)
    await starttls.toldOf('starttls.bytes-after-command', '127.0.6.1')
  })

  test('a ClientHello in the same packet is no better', async () => {
    const client = await greeted(starttls.relay.port, { from: '127.0.6.2' })
    const before = client.text().length
    client.socket.write(Buffer.concat([Buffer.from('STARTTLS\r\n'), await clientHello()]))
    const { text } = await client.gone
    expect(text.slice(before)).toMatch(refused)
    await starttls.toldOf('starttls.bytes-after-command', '127.0.6.2')
  })

  test('in the next packet, however the two arrive, they are never read as commands', async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = await greeted(starttls.relay.port, { from: '127.0.6.3' })
        const before = client.text().length
        client.socket.write('STARTTLS\r\n')
        setImmediate(() => client.socket.write(injected))
        return { client, before }
      }),
    )
    for (const { client, before } of clients) {
      const { text } = await client.gone
      // Refused when they were there with the command; dropped where TLS should have begun.
      expect(text.slice(before)).toMatch(
        /^(554 5\.5\.1 Clear text was sent behind STARTTLS: closing|220 2\.0\.0 Ready for TLS)\r\n$/,
      )
    }
  })

  test('behind the 220 are dropped and counted', async () => {
    const client = await greeted(starttls.relay.port, { from: '127.0.6.4' })
    await client.send('STARTTLS\r\n', /^220 /)
    client.socket.write(injected)
    expect((await client.gone).text.endsWith('220 2.0.0 Ready for TLS\r\n')).toBe(true)
    await starttls.toldOf('starttls.clear-text-instead-of-tls', '127.0.6.4')
  })

  test('before a whole handshake are not known inside it', async () => {
    const client = await greeted(starttls.relay.port)
    await client.send('MAIL FROM:<evil@attacker.example>\r\n', /^250 /)
    await client.send('RCPT TO:<bob@sink.example>\r\n', /^250 /)
    await client.send('STARTTLS\r\n', /^220 /)
    const inside = await client.secure()
    expect(await inside.send('DATA\r\n', /\r\n$/)).toBe('503 5.5.1 Say EHLO first\r\n')
    expect(await inside.send('RCPT TO:<bob@sink.example>\r\n', /\r\n$/)).toMatch(/^503 /)
    expect(await inside.send('MAIL FROM:<ada@source.example>\r\n', /\r\n$/)).toMatch(/^503 /)
    const hello = await inside.send('EHLO victim.example\r\n', helloAnswered)
    expect(hello).not.toContain('STARTTLS')
    expect(await inside.send('RCPT TO:<bob@sink.example>\r\n', /\r\n$/)).toMatch(/^503 /)
    expect(await inside.send('STARTTLS\r\n', /\r\n$/)).toMatch(/^503 /)
    inside.end()
  })

  test('is shown to the operator', async () => {
    const { stdout } = await starttls.relay.command('log', '--incidents')
    expect(stdout).toMatch(/\[127\.0\.6\.1\] starttls\.bytes-after-command: \d+ bytes stood behind STARTTLS/)
  })

  test('nothing of it reached anybody', async () => {
    await honestMessageArrives(starttls.relay, starttls.sink, { tls: true })
    expect(starttls.sink.commands.filter(line => line.includes('evil'))).toEqual([])
  })
})

describe('once inside TLS', () => {
  test('renegotiation asked for by TLS 1.2 is refused', async () => {
    const client = await greeted(starttls.relay.port)
    await client.send('STARTTLS\r\n', /^220 /)
    const inside = await client.secure({ maxVersion: 'TLSv1.2' })
    await inside.send('EHLO splice.example\r\n', helloAnswered)
    const failure = new Promise<Error>(resolve => inside.socket.once('error', resolve))
    tlsOf(inside).renegotiate({ rejectUnauthorized: false }, () => undefined)
    expect(await failure).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' })
  })

  test('renegotiation asked for by openssl s_client is refused', async () => {
    const { output, say, over } = sClient(starttls.relay.port, ['-starttls', 'smtp', '-tls1_2'])
    await until(() => /^\s*Extended master secret/m.test(output()), 'the handshake is over')
    say('R\n')
    await over
    expect(output()).toMatch(/RENEGOTIATING[\s\S]*no renegotiation/)
  })

  test('hundreds of KeyUpdate cost no memory, and the conversation goes on', async () => {
    const grown = watchMemory(starttls.relay.pid)
    const { output, say, over } = sClient(starttls.relay.port, ['-starttls', 'smtp', '-tls1_3', '-crlf'])
    await until(() => output().includes('250 '), 'the handshake is over')
    for (let n = 0; n < 300; n++) {
      // One at a time, because the client looks for an order only at the start of what it reads.
      const before = output().length
      say('K\n')
      await until(() => output().includes('KEYUPDATE', before), 'the client has sent it', 5_000, 1)
    }
    say('EHLO keys.example\n')
    await until(() => output().includes('250-PIPELINING'), 'EHLO is answered')
    say('Q\n')
    await over
    expect(grown()).toBeLessThan(allowedGrowthBytes)
  })

  test('a damaged record ends the connection at once', async () => {
    const client = await greeted(starttls.relay.port)
    await client.send('STARTTLS\r\n', /^220 /)
    const inside = await client.secure()
    await inside.send('EHLO damaged.example\r\n', helloAnswered)
    client.socket.write(Buffer.concat([Buffer.from('1703030100', 'hex'), Buffer.alloc(256, 7)]))
    await inside.gone
  })
})

/** `openssl s_client`, whose single letters at the start of a line are orders. */
function sClient(port: number, options: readonly string[]) {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options])
  let output = ''
  const keep = (bytes: Buffer) => {
    output += bytes.toString('latin1')
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.stdin.on('error', () => undefined)
  return {
    output: () => output,
    say: (text: string) => void child.stdin.write(text),
    over: new Promise<void>(resolve => child.on('close', () => resolve())),
  }
}

function tlsOf({ socket }: Attacker): TLSSocket {
  if (socket instanceof TLSSocket) return socket
  throw new Error('that conversation is in clear')
}

const helloAnswered = /^250 .*\r\n$/m
const places = 40
const zeros = Buffer.alloc(16_384)
