/** Clients that send without end, or come in thousands: each gets the answer that is written down, memory stays bounded, and others are served meanwhile. */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { statePaths } from '../../src/relay/state-paths.ts'
import { until } from '../support/process.ts'
import { type Attacker, attack, greeted, inData } from './support/attacker.ts'
import {
  allowedGrowthBytes,
  type Besieged,
  besiege,
  honestMessageArrives,
  watchMemory,
} from './support/besieged.ts'

const megabyte = 1024 * 1024
let here: Besieged

beforeAll(async () => {
  here = await besiege({
    name: 'floods',
    yaml: ['limits: { message: 20MB, connections: 1500, connections_per_address: 200 }'],
  })
})
afterAll(() => here.stop())

/** Runs an attack, with an honest message going through while it lasts; then looks at the memory. */
async function withstand<T>(assault: () => Promise<T>): Promise<T> {
  const grown = watchMemory(here.relay.pid)
  const [result] = await Promise.all([assault(), honestMessageArrives(here.relay, here.sink)])
  expect(grown(), 'growth of the memory in octets').toBeLessThan(allowedGrowthBytes)
  return result
}

const filled = (text: string) => Buffer.from(text.repeat(Math.ceil(65_536 / text.length)))

describe('without end', () => {
  test('a command line of 200 MB is answered once, when it ends', async () => {
    await withstand(async () => {
      const client = await greeted(here.relay.port)
      expect(await client.flood(filled('NOOP '), 200 * megabyte)).toBe(200 * megabyte)
      expect(await client.send('\r\n', /\r\n$/)).toBe('500 5.5.2 Line too long: nothing of it was understood\r\n')
      expect(await client.send('NOOP\r\n', /\r\n$/)).toMatch(/^250 /)
      client.end()
    })
    await here.toldOf('smtp.command-too-long')
  })

  test.each([
    ['a header line of 200 MB', 'X-Endless: ', 'x', '550 5.6.0 The message has a line longer than mail allows'],
    ['a header of 200 MB', '', 'X-Endless: header\r\n', '552 5.3.4 The message is larger than this server takes'],
    [
      'a body of 200 MB',
      'Subject: endless\r\n\r\n',
      `${'text '.repeat(15)}\r\n`,
      '552 5.3.4 The message is larger than this server takes',
    ],
    [
      'a header of trace fields only',
      '',
      'Received: from a by b; Sat, 21 Nov 2026 03:04:05 +0000\r\n',
      '554 5.4.6 The message has passed through too many hosts: it is probably going in a circle',
    ],
  ])('%s is refused at its end, and nothing of it is kept', async (_, start, more, refusal) => {
    await withstand(async () => {
      const client = await inData(here.relay.port)
      client.socket.write(start)
      const chunk = Buffer.from(more.repeat(Math.floor(65_536 / more.length)))
      if (refusal.startsWith('552')) {
        await client.flood(chunk, 2 * megabyte)
        await until(() => bodyFiles().length > 0, 'the body is being written')
      }
      const whole = Math.floor((200 * megabyte) / chunk.length) * chunk.length
      expect(await client.flood(chunk, whole)).toBe(whole)
      expect(await client.send('\r\n.\r\n', /\r\n$/)).toBe(`${refusal}\r\n`)
      expect(await client.send('NOOP\r\n', /\r\n$/)).toMatch(/^250 /)
      client.end()
    })
    await until(() => bodyFiles().length === 0, 'no body is left on the disk')
  })

  test('recipients beyond the limit are answered 452, and the rest of the transaction stands', async () => {
    await withstand(async () => {
      const client = await greeted(here.relay.port)
      await client.send('MAIL FROM:<mallory@attacker.example>\r\n', /^250 /)
      const asked = 20_000
      const before = client.heardBytes()
      for (let n = 0; n < asked; n += 500) {
        const group = Array.from({ length: 500 }, (_unused, i) => `RCPT TO:<user${n + i}@sink.example>\r\n`).join(
          '',
        )
        await client.flood(Buffer.from(group), Buffer.byteLength(group))
      }
      const taken = '250 2.1.5 Ok\r\n'
      const refused = '452 4.5.3 Too many recipients in one transaction: send the rest in another\r\n'
      const expected = 1_000 * taken.length + (asked - 1_000) * refused.length
      await until(() => client.heardBytes() - before >= expected, 'every recipient is answered')
      expect(client.heardBytes() - before).toBe(expected)
      expect(client.text().endsWith(refused)).toBe(true)
      expect(await client.send('RSET\r\n', /\r\n$/)).toMatch(/^250 /)
      client.end()
    })
  })

  test('a flood of NOOP is answered to the last', async () => {
    await withstand(async () => {
      const client = await greeted(here.relay.port)
      const before = client.heardBytes()
      const commands = 1_000_000
      const chunk = Buffer.from('NOOP\r\n'.repeat(10_000))
      await client.flood(chunk, commands * 6)
      const expected = commands * '250 2.0.0 Ok\r\n'.length
      await until(() => client.heardBytes() - before >= expected, 'every command is answered')
      expect(client.heardBytes() - before).toBe(expected)
      client.end()
    })
  })

  test.each([
    ['unknown commands', 'WHAT\r\n', /421 4\.7\.0 Too many errors: closing\r\n$/],
    ['commands out of turn', 'DATA\r\n', /421 4\.7\.0 Too many errors: closing\r\n$/],
    ['lines that are not text', '\xff\xfe\x00\r\n', /421 4\.7\.0 Too many errors: closing\r\n$/],
    ['lines that end in LF', 'NOOP\nNOOP\r\n', /421 4\.7\.0 Too many errors: closing\r\n$/],
    [
      'EHLO',
      'EHLO again.example\r\n',
      /554 5\.5\.1 More was sent before the answer to EHLO or HELO, which must end a group of commands: closing\r\n$/,
    ],
    ['BDAT', 'BDAT 86 LAST\r\n', /421 4\.5\.1 BDAT was not offered, .*: closing\r\n$/],
    [
      'HTTP',
      'POST / HTTP/1.1\r\nHost: mail\r\n',
      /421 4\.7\.0 This is a mail server, and that was not SMTP: closing\r\n$/,
    ],
  ])('a flood of %s ends the conversation', async (_, line, farewell) => {
    await withstand(async () => {
      const client = await greeted(here.relay.port)
      void client.flood(Buffer.from(line.repeat(1_000), 'latin1'), 50 * megabyte)
      const { text } = await client.gone
      expect(text).toMatch(farewell)
      expect(text.match(/^5\d\d /gm)?.length ?? 0).toBeLessThanOrEqual(20)
    })
  })
})

describe('connections', () => {
  const many = async (count: number, from: string) => {
    const clients = await Promise.all(Array.from({ length: count }, () => attack(here.relay.port, { from })))
    const told = await Promise.all(clients.map(client => client.told(/\r\n$/)))
    return { clients, told }
  }
  const refusedWith = (told: readonly string[], says: string) =>
    told.filter(text => text === `421 4.7.0 hermetic.test.example ${says}\r\n`).length
  const greetings = (told: readonly string[]) => told.filter(text => text.startsWith('220 ')).length
  const leave = async (clients: readonly Attacker[]) => {
    for (const client of clients) client.end()
    await Promise.all(clients.map(({ gone }) => gone))
  }

  test('one address has its share and no more; others are served; places come free again', async () => {
    for (let round = 0; round < 3; round++)
      await withstand(async () => {
        const { clients, told } = await many(300, '127.0.0.2')
        expect(greetings(told)).toBe(200)
        expect(refusedWith(told, 'Too many connections from your address: try again later')).toBe(100)
        await honestMessageArrives(here.relay, here.sink)
        await leave(clients)
      })
  })

  test('of thousands the limit is served, the rest is told 421, and when they are gone all is as before', async () => {
    const grown = watchMemory(here.relay.pid)
    const addresses = Array.from({ length: 15 }, (_, i) => `127.0.1.${i + 1}`)
    const groups = await Promise.all(addresses.map(from => many(200, from)))
    const told = groups.flatMap(group => group.told)
    expect(greetings(told)).toBe(1_500)
    expect(refusedWith(told, 'Too many connections here: try again later')).toBe(1_500)
    // Those who have a place are served.
    const [first] = groups.flatMap(({ clients }) => clients.filter(client => client.text().startsWith('220 ')))
    expect(await first?.send('EHLO inside.example\r\n', /^250 .*\r\n$/m)).toMatch(/^250-/)
    expect(grown()).toBeLessThan(allowedGrowthBytes)
    await Promise.all(groups.map(({ clients }) => leave(clients)))
    await until(
      () =>
        honestMessageArrives(here.relay, here.sink).then(
          () => true,
          () => false,
        ),
      'places come free',
    )
  })
})

/** Bodies of large messages are files below the spool. */
function bodyFiles(): string[] {
  const bodies = join(statePaths(join(dirname(here.relay.configuration), 'state')).spool, 'bodies')
  return readdirSync(bodies, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => entry.name)
}
