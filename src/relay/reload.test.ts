/**
 * What a reload takes: a whole relay, a file that changes under it, and what it does before and after. What it cannot take is named, on the answer and in the log.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ScriptedPeer, type ScriptedServer, serve } from '../hop/testing/scripted-server.ts'
import { direct } from '../system/dialer.ts'
import { loadConfiguration, reloadConfiguration } from './configuration/configuration.ts'
import { dial } from './inbound/testing/client.ts'
import { openDrop } from './maildrop/drop.ts'
import { type Relay, startRelay } from './relay.ts'

let directory: string
let file: string
let relay: Relay
const lines: string[] = []
const servers: ScriptedServer[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'reload-'))
  file = join(directory, 'hermetic.yaml')
  lines.length = 0
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
  await relay.stop()
  rmSync(directory, { recursive: true })
})

/** The configuration of these tests, with further lines. */
function write(...more: readonly string[]): void {
  const to = servers[0] === undefined ? '{ reject: closed }' : `{ host: 127.0.0.1, port: ${servers[0].port} }`
  const listens = more.some(line => line.startsWith('listen:'))
  const asks = more.some(line => line.startsWith('dns:'))
  const text = [
    `state: ${join(directory, 'state')}`,
    ...(listens ? [] : ['listen: [{ address: 127.0.0.1, port: 0, tls: none }]']),
    `routes: [{ to: ${to} }]`,
    ...(asks ? [] : ['dns: { trust: none }']),
    ...more,
  ]
  writeFileSync(file, `${text.join('\n')}\n`)
}

async function start(...more: readonly string[]): Promise<void> {
  write(...more)
  const loaded = loadConfiguration(file)
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  relay = await startRelay(loaded.settings, {
    dialer: direct,
    resolver: null,
    log: line => lines.push(line),
    reread: running => reloadConfiguration(running, file),
  })
}

async function reload(...more: readonly string[]) {
  write(...more)
  const answer = await relay.reload()
  if (answer.kind === 'kept') throw new Error(answer.problems.join('\n'))
  return answer
}

async function nextHop(script: (peer: ScriptedPeer, index: number) => Promise<void>): Promise<void> {
  servers.push(await serve(script))
}

/** A server that takes all mail, and hands on what was said to it. */
async function takes(peer: ScriptedPeer): Promise<void> {
  peer.send('220 sink\r\n')
  for (;;) {
    const line = await peer.line()
    peer.send(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
    if (line !== 'DATA') continue
    await peer.content()
    peer.send('250 taken\r\n')
  }
}

/** Hands a message in; the reply to the final dot. */
async function send(to = 'b@dest.example', from = 'a@home.example'): Promise<string> {
  const client = await dial(relay.listeners[0]?.port ?? 0)
  await client.converse(`
    S: 220
    C: EHLO c
    S: 250
    C: MAIL FROM:<${from}>
    S: 250
    C: RCPT TO:<${to}>
    S: 250
    C: DATA
    S: 354
    C: .`)
  const said = await client.reply()
  client.end()
  return said
}

/** Waits for the `count`th line that fits, and gives it. */
async function logged(what: RegExp, count = 1): Promise<string> {
  await vi.waitFor(
    () => expect(lines.filter(line => what.test(line)).length).toBeGreaterThanOrEqual(count),
    10_000,
  )
  return lines.filter(line => what.test(line))[count - 1] ?? ''
}

/** Minutes from a log line to the attempt that it announces. */
function waitOf(line: string): number {
  const [at = '', next = ''] =
    line.match(/\d{4}-\S+Z/g)?.filter((_, i, all) => i === 0 || i === all.length - 1) ?? []
  return Math.round((Date.parse(next) - Date.parse(at)) / 60_000)
}

describe('a reload takes', () => {
  test('hostname: in the greeting, in EHLO, in the field of mail that is handed in, and in bounces', async () => {
    const ended: string[] = []
    await nextHop(async peer => {
      peer.send('220 sink\r\n')
      for (;;) {
        const line = await peer.line()
        if (line.startsWith('RCPT TO:<bad')) peer.send('550 5.1.1 no\r\n')
        else peer.send(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
        if (line !== 'DATA') continue
        ended.push(await peer.content())
        peer.send('250 taken\r\n')
      }
    })
    await start('hostname: old.example')
    expect(await reload('hostname: new.example')).toMatchObject({ needRestart: [] })
    const client = await dial(relay.listeners[0]?.port ?? 0)
    expect(await client.reply()).toContain('220 new.example')
    client.end()
    await send('bad@dest.example')
    await logged(/ => a@home\.example /)
    const drop = await openDrop(
      join(directory, 'state/maildrop'),
      { schema: 'hermetic.drop/1', from: null, recipients: ['c@dest.example'], smtputf8: false },
      Date.now(),
      Math.random,
    )
    await drop.write(Buffer.from('Subject: x\r\n\r\n'))
    await drop.commit()
    await logged(/ => c@dest\.example /)
    expect(servers[0]?.peers.flatMap(({ lines: said }) => said.filter(line => line.startsWith('EHLO')))).toContain(
      'EHLO new.example',
    )
    expect(ended[0]).toContain('Reporting-MTA: dns; new.example')
    expect(ended[1]).toContain('Received: by new.example ')
    expect(ended.join('')).not.toContain('old.example')
  })

  test('retry.schedule: the next failure waits by the new one', async () => {
    await nextHop(peer => Promise.resolve(peer.send('421 not now\r\n')))
    await start('retry: { schedule: [10m] }')
    await send()
    expect(waitOf(await logged(/ == b@/))).toBe(10)
    await reload('retry: { schedule: [3h] }')
    await send()
    expect(waitOf(await logged(/ == b@/, 2))).toBe(180)
  })

  test('retry.expire: mail from then on', async () => {
    await nextHop(peer => Promise.resolve(peer.send('421 not now\r\n')))
    await start('retry: { schedule: [10d] }')
    await reload('retry: { schedule: [10d], expire: 1h, expire_bounces: 2h }')
    await send()
    // The last attempt is made when it expires.
    expect(waitOf(await logged(/ == b@/))).toBe(60)
    await send('b@dest.example', '')
    expect(waitOf(await logged(/ == b@/, 2))).toBe(120)
  })

  test('timeouts: a server that has the new time only', async () => {
    // Never greets.
    await nextHop(peer => peer.gone())
    await start('timeouts: { greeting: 1h }')
    await reload('timeouts: { greeting: 20ms }')
    await send()
    expect(await logged(/ == b@/)).toContain('smtp.timeout')
  })

  test('limits.deliveries_per_next_hop and limits.deliveries: more connections at once, for what waits already', async () => {
    let isOpen = false
    const held: ScriptedPeer[] = []
    await nextHop(async peer => {
      peer.send('220 sink\r\n')
      for (;;) {
        const line = await peer.line()
        peer.send(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
        if (line !== 'DATA') continue
        await peer.content()
        if (isOpen) peer.send('250 taken\r\n')
        else held.push(peer)
      }
    })
    await start('limits: { deliveries: 1, deliveries_per_next_hop: 1 }')
    for (let i = 0; i < 6; i++) await send()
    await vi.waitFor(() => expect(held).toHaveLength(1))
    await reload('limits: { deliveries: 2, deliveries_per_next_hop: 4 }')
    await vi.waitFor(() => expect(held).toHaveLength(2))
    await reload('limits: { deliveries: 20, deliveries_per_next_hop: 4 }')
    await vi.waitFor(() => expect(held).toHaveLength(4))
    await reload('limits: { deliveries: 1, deliveries_per_next_hop: 4 }')
    // The lower limit holds as soon as what is under way ends: one connection carries the rest.
    isOpen = true
    for (const peer of held) peer.send('250 taken\r\n')
    await logged(/ => b@/, 6)
    expect(servers[0]?.peers).toHaveLength(4)
  })

  test('limits of messages: for clients, and for mail of sendmail', async () => {
    await nextHop(takes)
    await start('limits: { message: 1MB }')
    await reload('limits: { message: 64KB }')
    const client = await dial(relay.listeners[0]?.port ?? 0)
    await client.converse('S: 220\nC: EHLO c')
    expect(await client.reply()).toContain('SIZE 65536')
    client.end()
    const drop = await openDrop(
      join(directory, 'state/maildrop'),
      { schema: 'hermetic.drop/1', from: 'a@home.example', recipients: ['b@dest.example'], smtputf8: false },
      Date.now(),
      Math.random,
    )
    for (let i = 0; i < 100; i++) await drop.write(Buffer.from(`${'x'.repeat(900)}\r\n`))
    await drop.commit()
    expect(await logged(/maildrop|drop/)).toContain(drop.id)
    expect(lines.join('\n')).not.toMatch(/<= a@home/)
  })

  test('routes, relay.from, relay.to and postmaster', async () => {
    await nextHop(takes)
    await start('relay: { from: [192.0.2.1], to: [dest.example] }')
    expect(await send()).toMatch(/^250 /)
    await reload('relay: { from: [127.0.0.1], to: [] }', 'postmaster: ops@dest.example')
    expect(await send('x@elsewhere.example')).toMatch(/^250 /)
    await logged(/ => x@elsewhere\.example /)
    expect(await send('postmaster')).toMatch(/^250 /)
    await logged(/ => ops@dest\.example /)
    const [server] = servers.splice(0)
    await reload()
    await expect(send()).rejects.toThrow('550 5.7.1 closed')
    await server?.close()
  })
})

describe('a reload does not take', () => {
  test('what it names, on its answer and in the log', async () => {
    await start('dns: { trust: none, timeout: 5s }')
    const changed = [
      'listen: [{ address: 127.0.0.1, port: 0, tls: starttls }]',
      'log: { format: json }',
      'dns: { trust: none, timeout: 5s, allow_addresses: [10.0.0.0/8] }',
      'limits: { min_free: 2GB, recipients: 100 }',
    ]
    const needRestart = ['listen', 'log', 'dns', 'limits.min_free']
    expect(await reload(...changed)).toMatchObject({ kind: 'taken', needRestart })
    expect(lines.at(-1)).toContain(
      'configuration reloaded; after a restart also: listen, log, dns, limits.min_free',
    )
    // Nothing of it is taken quietly by the next one.
    expect(await reload(...changed)).toMatchObject({ kind: 'taken', needRestart })
    expect(await reload('dns: { trust: none, timeout: 5s }')).toMatchObject({ kind: 'taken', needRestart: [] })
    expect(lines.at(-1)).toMatch(/configuration reloaded$/)
  })
})
