import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { StoredMessage } from '../../spool/spool.ts'
import { askRelay } from './client.ts'
import { type ControlServer, createControlServer, RelayAlreadyRuns } from './server.ts'

const id = '01k9v3p0c2ma7'
const message: StoredMessage = {
  id,
  envelope: { from: null, recipients: [], demands: { eightBit: false, smtputf8: false } },
  receivedAtMs: 1,
  expiresAtMs: 2,
  origin: { via: 'smtp', address: null, helo: null, tls: null },
  sizeBytes: 3,
  pending: [],
}

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function directory(name = 'h'): string {
  const base = mkdtempSync(join(tmpdir(), 'control-'))
  cleanups.push(() => rmSync(base, { recursive: true }))
  const state = join(base, name)
  mkdirSync(state)
  return state
}

async function start(state: string, more: { leased?: boolean } = {}) {
  const done: string[] = []
  const server: ControlServer = await createControlServer({
    state,
    now: () => 5,
    spool: {
      list: (after, limit) => Promise.resolve(after === null && limit > 0 ? [message] : []),
      show: wanted => Promise.resolve(wanted === id ? message : null),
      expedite: (wanted, nowMs) => {
        done.push(`expedite ${wanted} ${nowMs}`)
        return Promise.resolve(7)
      },
      remove: wanted => Promise.resolve(wanted === id && more.leased !== true),
      counts: () => Promise.resolve({ messages: 1, bytes: 3, oldestReceivedAtMs: 1, nextAttemptAtMs: null }),
    },
    delivery: { wake: () => done.push('wake'), idle: true },
    status: () => ({
      version: '1',
      startedAtMs: 4,
      hostname: 'h.example',
      listeners: [],
      health: { dns: { trust: 'validate', validation: 'lost', says: ['They are gone.'] } },
    }),
    reload: () => ({ kind: 'taken', needRestart: ['listen'], remarks: [] }),
    removed: wanted => done.push(`removed ${wanted}`),
  })
  cleanups.push(() => server.close())
  return { server, done }
}

/** Sends bytes in these pieces and reads until the relay hangs up or has answered `answers` times. */
function talk(state: string, pieces: readonly string[], answers: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(state, 'control.sock'))
    let heard = ''
    socket.on('error', reject)
    socket.on('data', bytes => {
      heard += bytes.toString()
      if (heard.split('\n').length > answers) socket.destroy()
    })
    socket.on('close', () => resolve(heard))
    for (const piece of pieces) socket.write(piece)
  })
}

test('a relay answers each operation, and wakes deliveries after a retry', async () => {
  const state = directory()
  const { done } = await start(state)
  expect(await askRelay(state, { op: 'status' })).toMatchObject({
    kind: 'answer',
    answer: {
      version: '1',
      pid: process.pid,
      messages: 1,
      idle: true,
      health: { dns: { trust: 'validate', validation: 'lost', says: ['They are gone.'] } },
    },
  })
  expect(await askRelay(state, { op: 'queue.list', after: null, limit: 10 })).toEqual({
    kind: 'answer',
    answer: { messages: [message] },
  })
  expect(await askRelay(state, { op: 'queue.show', id })).toMatchObject({ answer: { message } })
  expect(await askRelay(state, { op: 'queue.retry', id: null })).toMatchObject({ answer: { touched: 7 } })
  expect(await askRelay(state, { op: 'queue.remove', id })).toMatchObject({ answer: { outcome: 'removed' } })
  expect(await askRelay(state, { op: 'queue.remove', id: '01k9v3p0c2ma8' })).toMatchObject({
    answer: { outcome: 'unknown' },
  })
  expect(await askRelay(state, { op: 'reload' })).toMatchObject({ answer: { needRestart: ['listen'] } })
  expect(done).toEqual(['expedite null 5', 'wake', `removed ${id}`])
})

test('a message that is being delivered is not removed', async () => {
  const state = directory()
  await start(state, { leased: true })
  expect(await askRelay(state, { op: 'queue.remove', id })).toMatchObject({ answer: { outcome: 'in-work' } })
})

test('only the user of the relay may connect', async () => {
  const state = directory()
  await start(state)
  expect(statSync(join(state, 'control.sock')).mode & 0o777).toBe(0o600)
})

test('another user is told that he may not, and who may', async () => {
  const state = directory()
  await start(state)
  const isRoot = process.getuid?.() === 0
  if (!isRoot) chmodSync(join(state, 'control.sock'), 0)
  let asked: ReturnType<typeof askRelay>
  try {
    // The kernel decides while the question is asked.
    if (isRoot) process.seteuid?.(65_534)
    asked = askRelay(state, { op: 'status' })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
  expect(await asked).toEqual({
    kind: 'failed',
    says: 'this user may not speak to the relay: only the one who runs it, and root',
    hint: 'Run this command as one of them, for example with sudo.',
  })
})

test('without a relay the answer says so, also when a killed one left its socket', async () => {
  const state = directory()
  expect(await askRelay(state, { op: 'status' })).toEqual({ kind: 'no-relay' })
  expect(await askRelay(join(state, 'nowhere'), { op: 'status' })).toEqual({ kind: 'no-relay' })
  leaveStaleSocket(state)
  expect(await askRelay(state, { op: 'status' })).toEqual({ kind: 'no-relay' })
})

test('a socket that a killed relay left is replaced', async () => {
  const state = directory()
  leaveStaleSocket(state)
  await start(state)
  expect(await askRelay(state, { op: 'status' })).toMatchObject({ kind: 'answer' })
})

test('a second relay on one state directory is refused, and the first goes on', async () => {
  const state = directory()
  await start(state)
  await expect(start(state)).rejects.toBeInstanceOf(RelayAlreadyRuns)
  expect(await askRelay(state, { op: 'status' })).toMatchObject({ kind: 'answer' })
})

test('a state directory with a path longer than the kernel allows for sockets works', async () => {
  const state = directory('d'.repeat(120))
  await start(state)
  expect(await askRelay(state, { op: 'status' })).toMatchObject({ kind: 'answer' })
})

test('requests are answered in turn, however they are cut', async () => {
  const state = directory()
  await start(state)
  const request = `${JSON.stringify({ op: 'queue.show', id })}\n`
  const whole = await talk(state, [request + request], 2)
  expect(whole.split('\n')).toHaveLength(3)
  expect(await talk(state, [...(request + request)], 2)).toBe(whole)
})

test.each([
  ['not JSON', 'hello\n', 'the request is not JSON'],
  ['another operation', '{"op":"shell"}\n', 'not a request that this relay knows'],
  ['an id that is none', '{"op":"queue.show","id":"../etc"}\n', 'not a request that this relay knows'],
  ['more than asked', '{"op":"status","x":1}\n', 'not a request that this relay knows'],
  ['a line without end', 'x'.repeat(10_000), 'a request has at most 4096 bytes'],
])('what is no request gets a fault: %s', async (_title, bytes, says) => {
  const state = directory()
  await start(state)
  expect(JSON.parse(await talk(state, [bytes], 1))).toEqual({ ok: false, says })
})

test('a directory that cannot be written is the error of the system', async () => {
  if (process.getuid?.() === 0) return
  const state = directory()
  chmodSync(state, 0o500)
  await expect(start(state)).rejects.toMatchObject({ code: 'EACCES' })
})

/** Binds a socket file and leaves it behind as a killed process does: nobody listens on it any more. */
function leaveStaleSocket(state: string): void {
  const path = join(state, 'control.sock')
  spawnSync(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  expect(statSync(path).isSocket()).toBe(true)
}
