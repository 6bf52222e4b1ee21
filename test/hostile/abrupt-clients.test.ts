/** Clients that go away in the middle, by RST or by closing, in every phase; and those that speak out of turn. Their places come free, nothing half-said takes effect. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/process.ts'
import { type Attacker, type AttackOptions, attack, greeted, inData } from './support/attacker.ts'
import {
  allowedGrowthBytes,
  type Besieged,
  besiege,
  honestMessageArrives,
  watchMemory,
} from './support/besieged.ts'
import { clientHello } from './support/client-hello.ts'

let here: Besieged

beforeAll(async () => {
  here = await besiege({ name: 'abrupt', yaml: [`limits: { connections_per_address: ${places} }`] })
})
afterAll(() => here.stop())

type Phase = readonly [name: string, arrive: (options: AttackOptions) => Promise<Attacker>]

const upgrading = async (options: AttackOptions) => {
  const client = await greeted(here.relay.port, options)
  await client.send('STARTTLS\r\n', /^220 /)
  return client
}
const withWritten = async (arriving: Promise<Attacker>, bytes: string | Uint8Array) => {
  const client = await arriving
  client.socket.write(bytes)
  return client
}
const secured = async (options: AttackOptions) => (await upgrading(options)).secure()

const phases: readonly Phase[] = [
  ['at once', options => attack(here.relay.port, options)],
  [
    'after the greeting',
    async options => {
      const client = await attack(here.relay.port, options)
      await client.told(/^220 /)
      return client
    },
  ],
  ['in EHLO', options => withWritten(attack(here.relay.port, options), 'EHLO hal')],
  ['after EHLO', options => greeted(here.relay.port, options)],
  ['behind a group of commands', options => withWritten(greeted(here.relay.port, options), transaction)],
  ['in a MAIL', options => withWritten(greeted(here.relay.port, options), 'MAIL FROM:<mallory@at')],
  ['after 354', options => inData(here.relay.port, options)],
  ['in a message', options => withWritten(inData(here.relay.port, options), 'Subject: half\r\n\r\nhalf')],
  [
    'in a large message',
    options => withWritten(inData(here.relay.port, options), `Subject: half\r\n\r\n${'half\r\n'.repeat(100_000)}`),
  ],
  [
    'before the last octet of the final dot',
    options => withWritten(inData(here.relay.port, options), 'Subject: half\r\n\r\nhalf\r\n.\r'),
  ],
  ['after the 220 to STARTTLS', upgrading],
  ['in a ClientHello', async options => withWritten(upgrading(options), (await clientHello()).subarray(0, 100))],
  ['after a ClientHello', async options => withWritten(upgrading(options), await clientHello())],
  ['inside TLS', secured],
  ['in EHLO inside TLS', options => withWritten(secured(options), 'EHLO hal')],
]

describe.each([
  ['by RST', (client: Attacker) => client.reset()],
  ['by closing', (client: Attacker) => client.end()],
] as const)('a client that goes away %s', (_, leave) => {
  test.each(phases)('%s leaves nothing behind', async (_name, arrive) => {
    const from = newAddress()
    const grown = watchMemory(here.relay.pid)
    const clients = await Promise.all(Array.from({ length: places }, () => arrive({ from })))
    for (const client of clients) leave(client)
    await until(() => allPlacesAreFree(from), 'every place is free again')
    await honestMessageArrives(here.relay, here.sink)
    expect(grown()).toBeLessThan(allowedGrowthBytes)
  })

  test('behind the final dot may leave a whole message, never half of one', async () => {
    const from = newAddress()
    const before = here.sink.received.length
    const clients = await Promise.all(Array.from({ length: 12 }, () => inData(here.relay.port, { from })))
    for (const client of clients)
      client.socket.write('Subject: whole\r\n\r\nwhole\r\n.\r\n', () => {
        leave(client)
      })
    await Promise.all(clients.map(({ gone }) => gone))
    await honestMessageArrives(here.relay, here.sink)
    const arrived = here.sink.received.slice(before).filter(({ from }) => from.includes('mallory'))
    expect(arrived.length).toBeLessThanOrEqual(12)
    for (const { content } of arrived) expect(content.toString('latin1')).toMatch(/\r\nwhole\r\n$/)
  })
})

test('no half message went anywhere', () => {
  expect(here.sink.received.filter(({ content }) => content.includes('half'))).toEqual([])
})

describe('who speaks before the greeting', () => {
  /** The relay is stopped while the client speaks, so that it surely does so first. */
  async function speakFirst(what: string): Promise<string> {
    process.kill(here.relay.pid, 'SIGSTOP')
    const client = await attack(here.relay.port)
    await new Promise<void>(resolve => client.socket.write(what, () => resolve()))
    process.kill(here.relay.pid, 'SIGCONT')
    return (await client.gone).text
  }

  test.each([
    ['EHLO', 'EHLO eager.example\r\n'],
    ['a whole transaction', `EHLO eager.example\r\n${transaction}Subject: eager\r\n\r\neager\r\n.\r\nQUIT\r\n`],
    ['half a word', 'EH'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('%s is refused, and nothing of it takes effect', async (_, what) => {
    expect(await speakFirst(what)).toBe('554 You spoke before you were greeted: closing\r\n')
    expect(here.sink.received.filter(({ content }) => content.includes('eager'))).toEqual([])
  })

  test('is an incident', () => here.toldOf('smtp.talks-before-greeting'))
})

/** As many as may come from one address come, and are greeted. */
async function allPlacesAreFree(from: string): Promise<boolean> {
  const clients = await Promise.all(Array.from({ length: places }, () => attack(here.relay.port, { from })))
  const told = await Promise.all(clients.map(client => client.told(/\r\n$/)))
  for (const client of clients) client.end()
  return told.every(text => text.startsWith('220 '))
}

/** An address for each test, so that none finds the places taken that another one left. */
const newAddress = () => `127.0.3.${++addresses}`
let addresses = 0
const places = 20
const transaction = 'MAIL FROM:<mallory@attacker.example>\r\nRCPT TO:<bob@sink.example>\r\nDATA\r\n'
