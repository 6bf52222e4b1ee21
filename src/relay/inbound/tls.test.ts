import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Authority, type Certified, createAuthority } from '../../system/certificate-maker.ts'
import type { CertificateFiles } from '../../system/server-certificates.ts'
import { dial, dialTls, type TestClient } from './testing/client.ts'
import { eventually, type Harness, startHarness } from './testing/harness.ts'

let directory: string
let authority: Authority
let files: { first: CertificateFiles; second: CertificateFiles; wildcard: CertificateFiles }

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hermetic-inbound-'))
  authority = await createAuthority({ commonName: 'Test root' })
  files = {
    first: write('first', await authority.leaf({ names: ['mx.example.org'] })),
    second: write('second', await authority.leaf({ names: ['mx.second.example'] })),
    wildcard: write('wildcard', await authority.leaf({ names: ['*.wild.example'] })),
  }
})
afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, { chain, key }: Certified): CertificateFiles {
  const paths = { chain: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
  writeFileSync(paths.chain, chain)
  writeFileSync(paths.key, key)
  return paths
}

const running: Harness[] = []
afterEach(async () => {
  for (const { inbound } of running.splice(0)) await inbound.stop(0)
})

async function start(
  tls: 'starttls' | 'implicit' = 'starttls',
  overrides: Parameters<typeof startHarness>[0] = {},
): Promise<Harness> {
  const harness = await startHarness({
    listen: [{ address: '127.0.0.1', port: 0, tls, tryNext: 0 }],
    tls: { certificates: [files.first] },
    ...overrides,
  })
  running.push(harness)
  return harness
}

const upToStartTls = 'S: 220\nC: EHLO clear.example\nS: 250-\nC: STARTTLS\nS: 220 2.0.0'

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return address.port
}

/** The names in the certificate that a client was shown. */
function shown(client: TestClient): string | undefined {
  return client.tls().getPeerX509Certificate()?.subjectAltName
}

describe('STARTTLS', () => {
  test('leads into TLS, where EHLO comes first again and nothing said in clear is known', async () => {
    const { port, accepted, incidents } = await start()
    const clear = await dial(port)
    await clear.converse('S: 220\nC: EHLO clear.example')
    expect(await clear.reply()).toMatch(/\|250[ -]STARTTLS/)
    await clear.converse(
      'C: MAIL FROM:<clear@example.org>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: STARTTLS\nS: 220',
    )
    const client = await clear.secure({
      servername: 'mx.example.org',
      ca: authority.root,
      rejectUnauthorized: true,
    })
    await client.converse('C: DATA\nS: 503 5.5.1\nC: MAIL FROM:<>\nS: 503 5.5.1\nC: EHLO inside.example')
    expect(await client.reply()).not.toContain('STARTTLS')
    await client.converse(`
      C: STARTTLS
      S: 503
      C: DATA
      S: 503
      C: MAIL FROM:<inside@example.org>
      S: 250
      C: RCPT TO:<b@example.org>
      S: 250
      C: DATA
      S: 354
      C: A: b
      C: .
      S: 250
      C: QUIT
      S: 221
      S: closed`)
    expect(accepted).toHaveLength(1)
    expect(accepted[0]?.message).toMatchObject({
      envelope: { from: { text: 'inside@example.org' }, recipients: [{ text: 'b@example.org' }] },
      origin: { helo: 'inside.example', tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384' },
    })
    expect(accepted[0]?.content.toString()).toMatch(
      /^Received: from inside\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example\.org\r\n\twith ESMTPS \(TLS1\.3:TLS_AES_256_GCM_SHA384\) id /,
    )
    expect(incidents).toEqual([])
  })

  test.each([
    'STARTTLS\r\nEHLO evil\r\n',
    'STARTTLS\r\n\r\n',
    'STARTTLS\r\nM',
    'NOOP\r\nSTARTTLS\r\nMAIL FROM:<evil@x.example>\r\n',
  ])('with bytes behind it (%j) is refused, told and closed', async group => {
    const { port, incidents } = await start()
    const client = await dial(port)
    await client.converse('S: 220\nC: EHLO c\nS: 250-')
    client.send(group)
    if (group.startsWith('NOOP')) await client.converse('S: 250')
    expect(await client.rest()).toMatch(/^554 5\.5\.1 [^\r]*\r\n$/)
    expect(incidents).toMatchObject([{ code: 'starttls.bytes-after-command', client: '127.0.0.1' }])
  })

  test('followed by clear text is closed without a word, and told', async () => {
    const { port, incidents } = await start()
    const client = await dial(port)
    await client.converse(upToStartTls)
    client.send('EHLO evil\r\nMAIL FROM:<evil@x.example>\r\n')
    expect(await client.rest()).toBe('')
    expect(incidents).toMatchObject([{ code: 'starttls.clear-text-instead-of-tls', client: '127.0.0.1' }])
  })

  test('is not offered, and not known, on a listener without TLS', async () => {
    const { port } = await start('starttls', {
      listen: [{ address: '127.0.0.1', port: 0, tls: 'none', tryNext: 0 }],
    })
    const client = await dial(port)
    await client.converse('S: 220\nC: EHLO c')
    expect(await client.reply()).not.toContain('STARTTLS')
    await client.converse('C: STARTTLS\nS: 502')
  })

  test('works for a ClientHello that comes byte by byte', async () => {
    const { port } = await start()
    const proxy = createServer(client => {
      const server = connect(port, '127.0.0.1')
      server.setNoDelay(true).pipe(client)
      client.on('data', chunk => {
        for (const byte of chunk) server.write(Uint8Array.of(byte))
      })
    })
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    const client = await dial(portOf(proxy))
    await client.converse(upToStartTls)
    const secured = await client.secure()
    await secured.converse('C: EHLO c\nS: 250-mx.example.org')
    proxy.close()
  })

  test('serves openssl s_client', async () => {
    const { port, accepted } = await start()
    const said = await sClient(
      port,
      ['-starttls', 'smtp', '-crlf', '-quiet'],
      ['EHLO c', 'MAIL FROM:<>', 'rcpt TO:<a@example.org>', 'DATA', 'A: b\n\nc\n.', 'quit'],
    )
    expect(said).toContain('250 2.0.0 Ok: queued as')
    expect(accepted[0]?.content.toString()).toMatch(/\r\nA: b\r\n\r\nc\r\n$/)
  })
})

describe('renegotiation', () => {
  test('asked for by a TLS 1.2 client is refused', async () => {
    const { port } = await start()
    const clear = await dial(port)
    await clear.converse(upToStartTls)
    const client = await clear.secure({ maxVersion: 'TLSv1.2' })
    await client.converse('C: EHLO c\nS: 250-')
    const error = await new Promise<unknown>(resolve => {
      client.socket.once('error', resolve)
      client.tls().renegotiate({ rejectUnauthorized: false }, resolve)
    })
    expect(error).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' })
  })

  test('asked for by openssl s_client is refused', async () => {
    const { port, accepted } = await start('implicit')
    const said = await sClient(port, ['-tls1_2', '-crlf'], ['EHLO c', 'R'])
    expect(said).toMatch(/RENEGOTIATING[\s\S]*no renegotiation/i)
    expect(accepted).toEqual([])
  })
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)('no session is resumed (%s)', async version => {
  const { port } = await start('implicit')
  const versions = { minVersion: version, maxVersion: version }
  const first = await dialTls(port, versions)
  const sessions: Buffer[] = []
  first.socket.on('session', session => sessions.push(session))
  await first.converse('S: 220\nC: QUIT\nS: 221')
  const own = first.tls().getSession()
  const session = sessions[0] ?? own
  if (session === undefined) throw new Error('the client has no session to offer')
  const second = await dialTls(port, { ...versions, session })
  await second.converse('S: 220')
  expect(second.tls().isSessionReused()).toBe(false)
})

describe('implicit TLS', () => {
  test('greets inside TLS and offers no STARTTLS', async () => {
    const { port } = await start('implicit')
    const client = await dialTls(port)
    await client.converse('S: 220 mx.example.org\nC: EHLO c')
    expect(await client.reply()).not.toContain('STARTTLS')
  })

  test('closes on clear text, which is told', async () => {
    const { port, incidents } = await start('implicit')
    const client = await dial(port)
    client.send('EHLO c\r\n')
    expect(await client.rest()).toBe('')
    expect(incidents).toMatchObject([{ code: 'starttls.clear-text-instead-of-tls' }])
  })

  test('refuses who speaks before the greeting', async () => {
    const { port, incidents } = await start('implicit', { relayFrom: [], limitsToo: { greetingDelayMs: 100_000 } })
    const client = await dialTls(port)
    client.send('EHLO c\r\n')
    expect(await client.rest()).toMatch(/^554 /)
    expect(incidents).toMatchObject([{ code: 'smtp.talks-before-greeting' }])
  })
})

describe('a handshake', () => {
  test.each(['nothing', 'half a ClientHello'])('of which %s comes is dropped at its deadline', async sent => {
    const { port, advance, settings, inbound, incidents } = await start()
    const client = await dial(port)
    await client.converse(upToStartTls)
    if (sent !== 'nothing') client.send(Buffer.from('16030100c8010000c40303', 'hex'))
    await eventually(() => inbound.connections === 1)
    await new Promise(resolve => setTimeout(resolve, 20))
    advance(settings.limits.handshakeMs - 1)
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(inbound.connections).toBe(1)
    advance(2)
    expect(await client.rest()).toBe('')
    expect(incidents).toMatchObject([{ code: 'tls.handshake-timeout' }])
    await eventually(() => inbound.connections === 0)
  })

  test('with a version we do not speak is told with the reason', async () => {
    const { port, incidents, inbound } = await start('implicit')
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(dialTls(port, old)).rejects.toThrow()
    await eventually(() => inbound.connections === 0)
    expect(incidents).toMatchObject([{ code: 'tls.handshake-failed' }])
    expect(incidents[0]?.says).toContain('unsupported protocol')
  })

  test('that the client leaves without a word is told', async () => {
    const { port, incidents, inbound } = await start()
    const client = await dial(port)
    await client.converse(upToStartTls)
    client.send(Buffer.from('16030100c8010000c40303', 'hex'))
    await new Promise(resolve => setTimeout(resolve, 20))
    client.reset()
    await eventually(() => inbound.connections === 0)
    expect(incidents).toMatchObject([{ code: 'tls.handshake-failed' }])
  })

  test('that turns into nonsense after it was over ends the connection', async () => {
    const { port, inbound } = await start('implicit')
    const client = await dial(port)
    const { socket } = client
    const secured = await client.secure()
    await secured.converse('S: 220')
    socket.write(Buffer.from('1703030010000102030405060708090a0b0c0d0e0f', 'hex'))
    await eventually(() => inbound.connections === 0)
  })
})

describe('certificates', () => {
  test('are chosen by the name the client asks for; the first serves all others', async () => {
    const { port } = await start('implicit', {
      tls: { certificates: [files.first, files.second, files.wildcard] },
    })
    const names = async (servername?: string) =>
      shown(await dialTls(port, servername === undefined ? {} : { servername }))
    expect(await names('mx.second.example')).toBe('DNS:mx.second.example')
    expect(await names('any.wild.example')).toBe('DNS:*.wild.example')
    expect(await names('too.deep.wild.example')).toBe('DNS:mx.example.org')
    expect(await names('unknown.example')).toBe('DNS:mx.example.org')
    expect(await names()).toBe('DNS:mx.example.org')
  })

  test('are taken anew on reload; bad ones leave the old in place and are told', async () => {
    const chain = join(directory, 'changing.pem')
    const key = join(directory, 'changing.key')
    const put = (from: CertificateFiles) => {
      writeFileSync(chain, readFileSync(from.chain))
      writeFileSync(key, readFileSync(from.key))
    }
    put(files.first)
    const { port, inbound, settings } = await start('implicit', { tls: { certificates: [{ chain, key }] } })
    const before = await dialTls(port)
    put(files.second)
    expect(await inbound.reload(settings)).toEqual([])
    expect(shown(await dialTls(port))).toBe('DNS:mx.second.example')
    writeFileSync(key, readFileSync(files.first.key))
    expect(await inbound.reload(settings)).toMatchObject([
      { code: 'start.certificate', says: `The key in ${key} does not belong to the certificate in ${chain}.` },
    ])
    expect(shown(await dialTls(port))).toBe('DNS:mx.second.example')
    await before.converse('S: 220\nC: NOOP\nS: 250')
  })

  test('are made on the first start when none is configured, and kept from then on', async () => {
    const state = join(directory, 'state')
    const harness = await start('implicit', { state, tls: { certificates: [] } })
    const certificate = async (port: number) =>
      (await dialTls(port)).tls().getPeerX509Certificate()?.fingerprint256
    const first = await certificate(harness.port)
    expect(statSync(join(state, 'tls', 'self-made.key')).mode & 0o777).toBe(0o600)
    expect(harness.notices[0]).toMatch(/^info: A certificate for mx\.example\.org was made in /)
    const again = await start('implicit', { state, tls: { certificates: [] } })
    expect(await certificate(again.port)).toBe(first)
    expect(again.notices).toEqual([])
    const renamed = await start('implicit', { state, hostname: 'other.example.org', tls: { certificates: [] } })
    expect(await certificate(renamed.port)).not.toBe(first)
  })
})

/** Runs `openssl s_client`, says each line when the last one was answered, and returns all it printed. */
async function sClient(port: number, options: readonly string[], lines: readonly string[]): Promise<string> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options])
  let said = ''
  const waiting = [...lines]
  let answers = 0
  const onOutput = (chunk: Buffer) => {
    said += chunk.toString()
    const seen = said.match(/^\d{3} .*$/gm)?.length ?? 0
    if (seen <= answers) return
    answers = seen
    const line = waiting.shift()
    if (line !== undefined) child.stdin.write(`${line}\n`)
  }
  child.stdout.on('data', onOutput)
  child.stdin.on('error', () => {})
  child.stderr.on('data', onOutput)
  await new Promise(resolve => child.once('close', resolve))
  return said
}
