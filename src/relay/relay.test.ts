import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import { createSignedWorld } from '../lab/signing/signed-world.ts'
import { direct } from '../system/dialer.ts'
import { defaultSettings } from './configuration/configuration.ts'
import { dial } from './inbound/testing/client.ts'
import { startRelay } from './relay.ts'

test('a fault of our own in a reload is told, and the relay goes on with what it has', async () => {
  const state = mkdtempSync(join(tmpdir(), 'relay-'))
  const lines: string[] = []
  const { dns } = defaultSettings()
  const relay = await startRelay(
    defaultSettings({
      dns: { ...dns, trust: 'none' },
      hostname: 'box.example.org',
      state,
      listen: [{ address: '127.0.0.1', port: 0, tls: 'none', tryNext: 0 }],
    }),
    {
      dialer: direct,
      resolver: null,
      log: line => lines.push(line),
      reread() {
        throw new Error('a bug')
      },
    },
  )
  expect(await relay.reload()).toMatchObject({
    kind: 'kept',
    problems: [expect.stringContaining('please report')],
  })
  expect(lines.join('\n')).toMatch(/error: reload met a fault of our own: Error: a bug/)
  await relay.stop()
  rmSync(state, { recursive: true })
})

test('zones that were proven before a restart are known after it: mail to another name of theirs asks for no keys', async () => {
  const state = mkdtempSync(join(tmpdir(), 'relay-'))
  const internet = privateInternet().filter(({ apex }) => ['', 'example', 'nsec.example'].includes(apex))
  const world = createSignedWorld({ zones: internet, nowMs: Date.now() })
  const dns = await startDns(query => world.respond(query))
  const settings = defaultSettings({
    dns: {
      ...defaultSettings().dns,
      servers: [`${dns.address}:${dns.port}`],
      hostsFile: null,
      anchors: world.anchorLines.ds.join('\n'),
    },
    hostname: 'box.example.org',
    state,
    listen: [{ address: '127.0.0.1', port: 0, tls: 'none', tryNext: 0 }],
  })
  /** From start to stop, with one message between; what was asked for keys below the root, which the probe asks for. */
  async function keysAskedFor(domain: string): Promise<readonly string[]> {
    const before = dns.asked.length
    const relay = await startRelay(settings, { dialer: direct, resolver: null, log: () => {} })
    const client = await dial(relay.listeners[0]?.port ?? 0)
    await client.converse(`
      S: 220
      C: EHLO c
      S: 250
      C: MAIL FROM:<a@home.example>
      S: 250
      C: RCPT TO:<b@${domain}>
      S: 250
      C: DATA
      S: 354
    `)
    client.send('Subject: x\r\n\r\n.\r\n')
    await client.reply()
    client.end()
    await relay.settled(10_000)
    await relay.stop()
    const asked = dns.asked.slice(before)
    expect(asked).toContainEqual(expect.objectContaining({ name: domain, type: 'MX' }))
    return asked.flatMap(({ name, type }) =>
      /^(DS|DNSKEY)$/.test(type) && name !== '' ? [`${name} ${type}`] : [],
    )
  }
  expect(await keysAskedFor('nothing.nsec.example')).toContain('nsec.example DNSKEY')
  expect(await keysAskedFor('nowhere.nsec.example')).toEqual([])
  await dns.close()
  rmSync(state, { recursive: true })
})
