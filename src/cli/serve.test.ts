/** What `serve`, and any other command, does when a fault of its own is thrown where nobody catches it. The faults are put into the process from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { statePaths } from '../relay/state-paths.ts'
import type { StoredMessage } from '../spool/spool.ts'
import { openSpool } from '../spool/sqlite-spool.ts'

let directory = ''
const closing: (() => void)[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'serve-'))
})
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close()
  rmSync(directory, { recursive: true })
})

/** With SIGUSR2 the fault happens. */
const faults = {
  thrown: `process.on('SIGUSR2', () => setTimeout(() => { throw new Error('a bug') }))`,
  rejected: `process.on('SIGUSR2', () => void Promise.reject(new Error('a bug')))`,
  'the thread of the spool ends': `
    import threads from 'node:worker_threads'
    import { syncBuiltinESMExports } from 'node:module'
    const { Worker } = threads
    threads.Worker = class extends Worker {
      constructor(...given) {
        super(...given)
        if (given[1].name === 'spool') process.on('SIGUSR2', () => this.terminate())
      }
    }
    syncBuiltinESMExports()`,
} as const

/** A next hop that takes connections and never says a word. */
async function silentHost(): Promise<{ readonly port: number; readonly called: Promise<void> }> {
  const sockets = new Set<Socket>()
  const { promise: called, resolve } = Promise.withResolvers<void>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    resolve()
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, called }
}

interface Served {
  readonly child: ChildProcess
  readonly port: number
  readonly state: string
  /** The exit code, and all that was printed. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>
}

async function serve(fault: string, nextHopPort: number): Promise<Served> {
  const state = join(directory, 'state')
  const config = join(directory, 'hermetic.yaml')
  const preload = join(directory, 'fault.mjs')
  writeFileSync(preload, fault)
  writeFileSync(
    config,
    `hostname: box.example.org
state: ${state}
listen: [{ address: 127.0.0.1, port: 0, tls: none }]
relay: { from: [127.0.0.0/8] }
routes: [{ name: out, to: { host: '127.0.0.1:${nextHopPort}' } }]
limits: { min_free: 1MB }
dns: { trust: none }
`,
  )
  const child = spawn(
    process.execPath,
    ['--import', preload, join(import.meta.dirname, 'main.ts'), 'serve', '--config', config],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  closing.push(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stderr.on('data', bytes => {
    err += String(bytes)
  })
  const listening = new Promise<number>(resolve => {
    child.stdout.on('data', bytes => {
      out += String(bytes)
      const port = /port (\d+), TLS/.exec(out)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
  })
  const ended = new Promise<Awaited<Served['ended']>>(resolve => {
    child.on('close', code => resolve({ code, out, err }))
  })
  const port = await Promise.race([listening, ended])
  if (typeof port !== 'number') throw new Error(`it did not start: ${port.out}${port.err}`)
  return { child, port, state, ended }
}

/** Sends one message; resolves when it was taken. */
async function submit(port: number): Promise<void> {
  const lines = [
    'EHLO me',
    'MAIL FROM:<a@b.example>',
    'RCPT TO:<c@d.example>',
    'DATA',
    'Subject: x\r\n\r\n.',
    'QUIT',
  ]
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  for await (const bytes of socket) {
    heard += String(bytes)
    if (/^\d{3} [^\n]*\n$/m.test(heard)) socket.write(`${lines.shift() ?? ''}\r\n`)
    if (/^2\.0\.0|queued as/m.test(heard)) break
  }
  expect(heard).toContain('queued as')
}

async function spooled(state: string): Promise<readonly StoredMessage[]> {
  const spool = await openSpool({
    directory: statePaths(state).spool,
    partition: 0,
    minFreeBytes: 0,
    now: Date.now,
  })
  try {
    return await spool.list(null, 10)
  } finally {
    await spool.close()
  }
}

test.each(['thrown', 'rejected'] as const)(
  'a fault that is %s ends the relay with 70, is told with its stack, and the next life does not begin with what was in work',
  async kind => {
    const host = await silentHost()
    const { child, port, state, ended } = await serve(faults[kind], host.port)
    await submit(port)
    await host.called
    child.kill('SIGUSR2')
    const { code, out, err } = await ended
    expect(code).toBe(70)
    expect(out).toMatch(/error: a fault of Hermetic itself ends it; .*: Error: a bug.*at /)
    expect(err).toContain('hermetic: a fault of Hermetic itself ends it: a bug\n')
    const [message] = await spooled(state)
    expect(message?.pending).toMatchObject([{ attempts: 1, lastFailure: 'us.internal' }])
    expect(message?.pending[0]?.nextAttemptAtMs).toBeGreaterThan(Date.now() + 60_000)
  },
)

test('a relay whose spool is gone ends too, instead of refusing all mail for ever; what it had taken is there', async () => {
  const host = await silentHost()
  const { child, port, state, ended } = await serve(faults['the thread of the spool ends'], host.port)
  await submit(port)
  await host.called
  child.kill('SIGUSR2')
  const { code, out } = await ended
  expect([code, out]).toEqual([70, expect.stringContaining('the thread of the spool is gone')])
  expect(await spooled(state)).toHaveLength(1)
})

test('a relay whose log nobody reads any more goes on', async () => {
  const host = await silentHost()
  const { child, port } = await serve('', host.port)
  child.stdout?.destroy()
  for (let i = 0; i < 3; i++) await submit(port)
  expect([child.exitCode, child.signalCode]).toEqual([null, null])
})

test('in any other command such a fault is 70 with its stack', async () => {
  const preload = join(directory, 'fault.mjs')
  writeFileSync(
    preload,
    `process.on('newListener', name => {
      if (name === 'uncaughtException') setImmediate(() => { throw new Error('a bug') })
    })`,
  )
  const args = ['--import', preload, join(import.meta.dirname, 'main.ts'), 'sendmail', 'a@b.example']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.on('data', bytes => {
    err += String(bytes)
  })
  const code = await new Promise(resolve => child.on('close', resolve))
  expect(code).toBe(70)
  expect(err).toMatch(
    /^hermetic: a fault of Hermetic itself: Error: a bug\n {4}at .*\nPlease report it, with the lines above\.\n$/s,
  )
})
