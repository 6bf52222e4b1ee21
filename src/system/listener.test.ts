import { afterEach, expect, test } from 'vitest'
import { type ListenResult, listen } from './listener.ts'

const open: Extract<ListenResult, { kind: 'listening' }>[] = []
afterEach(() => {
  for (const listener of open.splice(0)) listener.close()
})

async function bind(port: number, tryNext = 0, address = '127.0.0.1'): Promise<ListenResult> {
  const result = await listen({ address, port, tryNext, onConnection: () => {}, onTrouble: () => {} })
  if (result.kind === 'listening') open.push(result)
  return result
}

async function freePort(): Promise<number> {
  const result = await bind(0)
  if (result.kind !== 'listening') throw new Error(result.says)
  return result.port
}

test('port 0 is any free one, and said', async () => {
  expect(await bind(0)).toMatchObject({ kind: 'listening', address: '127.0.0.1', port: expect.any(Number) })
})

test('a port that is taken is passed over for one of the next, if so many may be tried', async () => {
  const port = await freePort()
  const result = await bind(port, 100)
  expect(result.kind).toBe('listening')
  if (result.kind === 'listening') expect(result.port).toBeGreaterThan(port)
})

test('a port that is taken is told with the way to find by whom', async () => {
  const port = await freePort()
  expect(await bind(port)).toEqual({
    kind: 'refused',
    why: 'taken',
    says: `127.0.0.1:${port} is taken by another program.`,
    hint: `Find it with "ss -ltnp 'sport = :${port}'" and stop it, or give listen another port.`,
  })
})

test('all of IPv4 and all of IPv6 are two listeners, also on one port', async () => {
  const any = await bind(0, 0, '::')
  if (any.kind !== 'listening') throw new Error(any.says)
  expect(await bind(any.port, 0, '0.0.0.0')).toMatchObject({ kind: 'listening', port: any.port })
  expect(await bind(any.port, 0, '::')).toMatchObject({ why: 'taken' })
})

test('the last port there is ends the search', async () => {
  const last = await bind(65_535)
  // Somebody else may have it; then it is taken all the same.
  expect(['listening', 'refused']).toContain(last.kind)
  expect(await bind(65_535, 10)).toMatchObject({ kind: 'refused', why: 'taken' })
})

test('an address of another machine is told', async () => {
  expect(await bind(0, 0, '192.0.2.1')).toMatchObject({
    why: 'not-our-address',
    says: '192.0.2.1 is not an address of this machine.',
  })
})

test('an address that is none is told', async () => {
  expect(await bind(0, 0, 'nowhere.invalid')).toMatchObject({ kind: 'refused', why: 'failed' })
})
