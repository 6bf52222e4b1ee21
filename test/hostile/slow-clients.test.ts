/** Clients that hold a place as long as they can: by silence, by single bytes, by not reading, by never being done. All limits of time are small here; all clients come at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type Attacker, attack, greeted, inData } from './support/attacker.ts'
import {
  allowedGrowthBytes,
  type Besieged,
  besiege,
  honestMessageArrives,
  watchMemory,
} from './support/besieged.ts'

let here: Besieged
let grown: () => number

beforeAll(async () => {
  here = await besiege({
    name: 'slow',
    yaml: ['limits: { idle: 2s, content_per_second: 1KB, session: 6s, handshake: 2s }'],
  })
  grown = watchMemory(here.relay.pid)
})
afterAll(() => here.stop())

/** Sends `piece` every 200 ms for as long as it is let. */
async function drip(client: Attacker, piece: string): Promise<void> {
  while (!client.isGone()) {
    client.socket.write(piece)
    await sleep(200)
  }
}

const nothingCame = /^421 4\.4\.2 Nothing came from you for too long: closing\r\n$/m
const tooSlow = /^421 4\.4\.2 The message comes too slowly: closing\r\n$/m
const tooLong = /^421 4\.7\.0 This connection has lasted too long: closing\r\n$/m

describe.concurrent('of all who come at once', () => {
  test('who says nothing is told 421', async ({ expect }) => {
    const client = await attack(here.relay.port)
    expect((await client.gone).text).toMatch(nothingCame)
  })

  test('who falls silent in a message is told 421', async ({ expect }) => {
    const client = await inData(here.relay.port)
    client.socket.write('Subject: to be continued\r\n')
    expect((await client.gone).text).toMatch(nothingCame)
  })

  test('who sends a command byte by byte is told 421', async ({ expect }) => {
    const client = await greeted(here.relay.port)
    void drip(client, 'N')
    expect((await client.gone).text).toMatch(nothingCame)
  })

  test('who sends a message byte by byte is told 421', async ({ expect }) => {
    const client = await inData(here.relay.port)
    void drip(client, 'x')
    expect((await client.gone).text).toMatch(tooSlow)
    await here.toldOf('smtp.content-too-slow')
  })

  test('who sends short lines of a message slowly is told 421', async ({ expect }) => {
    const client = await inData(here.relay.port)
    void drip(client, 'X-Slow: header\r\n')
    expect((await client.gone).text).toMatch(tooSlow)
  })

  test('who has always something to say is told 421', async ({ expect }) => {
    const client = await greeted(here.relay.port)
    void drip(client, 'NOOP\r\n')
    expect((await client.gone).text).toMatch(tooLong)
  })

  test('who sends a message fast enough and never ends it is told 421', async ({ expect }) => {
    const client = await inData(here.relay.port)
    void drip(client, 'X-Fast: header\r\n'.repeat(20))
    expect((await client.gone).text).toMatch(tooLong)
  })

  test.for([
    ['NOOP', 'NOOP\r\n'],
    ['HELP', 'HELP\r\n'],
    ['VRFY', `VRFY ${'x'.repeat(1_000)}\r\n`],
  ] as const)('who floods %s and never reads the replies is dropped', async ([, line], { expect }) => {
    const client = await greeted(here.relay.port)
    client.socket.pause()
    await client.flood(Buffer.from(line.repeat(Math.ceil(65_536 / line.length))), Number.POSITIVE_INFINITY)
    expect((await client.gone).how).toBe('reset')
  })

  test('others are served meanwhile', async () => {
    for (const end = Date.now() + 6_000; Date.now() < end; await sleep(300))
      await honestMessageArrives(here.relay, here.sink)
  })
})

test('it took no more memory than it may', ({ expect }) => {
  expect(grown(), 'growth of the memory in octets').toBeLessThan(allowedGrowthBytes)
})
