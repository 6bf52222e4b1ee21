/** `hermetic verify --from` as a process, against servers on loopback. */
import { afterEach, describe, expect, test } from 'vitest'
import { type ScriptedPeer, serve } from '../hop/testing/scripted-server.ts'
import { tlsaOf } from '../lab/tlsa-of.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import { serverPlace } from './server-place.ts'
import { hermetic } from './testing/process.ts'

const certified = await (await createAuthority({ commonName: 'Root' })).leaf({ names: ['mx.example'] })
const record = tlsaOf('3 1 1', certified.certificate)

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function server(script: (peer: ScriptedPeer) => Promise<void>) {
  const made = await serve(script)
  closing.push(() => made.close())
  return made
}

async function verify(...args: string[]) {
  const { code, out } = await hermetic(['verify', ...args, '--json'])
  return { code, document: JSON.parse(out) as Record<string, unknown> }
}

test('the chain that a server shows after STARTTLS is judged, and no mail command is sent', async () => {
  const { port, peers } = await server(async peer => {
    peer.send('220 mx.example ESMTP\r\n')
    await peer.answer('EHLO', '250-mx.example\r\n250 STARTTLS')
    await peer.answer('STARTTLS', '220 go ahead')
    await peer.startTls(certified)
    await peer.answer('EHLO', '250 mx.example')
    await peer.answer('QUIT', '221 bye')
  })
  const { code, document } = await verify('--from', `127.0.0.1:${port}`, '--tlsa', record)
  expect(document).toMatchObject({
    verdict: 'authenticated',
    by: 'dane-ee',
    certificates: [{ subject: 'CN=mx.example' }],
  })
  expect(code).toBe(0)
  expect(peers.flatMap(({ lines }) => lines.map(line => line.slice(0, 4)))).toEqual([
    'EHLO',
    'STAR',
    'EHLO',
    'QUIT',
  ])
})

test('a server without STARTTLS, and one that is not there, are 69 with the reason', async () => {
  const { port } = await server(async peer => {
    peer.send('220 mx.example ESMTP\r\n')
    await peer.answer('EHLO', '250 mx.example')
    await peer.answer('QUIT', '221 bye')
  })
  const clear = await hermetic(['verify', '--from', `127.0.0.1:${port}`])
  expect(clear.code).toBe(69)
  expect(clear.err).toContain('does not offer STARTTLS')
  expect((await verify('--from', '127.0.0.1:1')).document).toMatchObject({ code: 'cli.peer-unreachable' })
})

describe('--from', () => {
  test.each<[string, object]>([
    ['mx.example.org:25', { host: 'mx.example.org', isAddress: false, port: 25 }],
    ['MX.Example.org.', { host: 'mx.example.org', isAddress: false, port: 25 }],
    ['192.0.2.1:465', { host: '192.0.2.1', isAddress: true, port: 465 }],
    ['[2001:DB8::1]:587', { host: '2001:db8::1', isAddress: true, port: 587 }],
    ['2001:db8::1', { host: '2001:db8::1', isAddress: true, port: 25 }],
  ])('%s is a server', (text, expected) => {
    expect(serverPlace(text)).toEqual(expected)
  })

  test.each(['', ':25', 'mx.example:0', 'mx.example:65536', 'mx.example:smtp', 'a b:25', '[::1', '*.example:25'])(
    '%j is none',
    text => {
      expect(() => serverPlace(text)).toThrow(expect.objectContaining({ code: 'cli.usage' }))
    },
  )

  test('and --chain exclude each other', async () => {
    const { code, document } = await verify('--from', 'mx.example', '--chain', 'x.pem')
    expect(code).toBe(64)
    expect(document).toMatchObject({ says: '--chain and --from exclude each other' })
  })
})
