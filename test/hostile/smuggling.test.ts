/**
 * Ends of DATA that some servers take for one and others do not. Behind each stands a second transaction, which must never come into being:
 * only CRLF.CRLF ends a message, and what has another kind of line end in it is refused at the true end.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inData } from './support/attacker.ts'
import { type Besieged, besiege, honestMessageArrives } from './support/besieged.ts'

let here: Besieged

beforeAll(async () => {
  here = await besiege({ name: 'smuggling' })
})
afterAll(() => here.stop())

const smuggled = [
  'MAIL FROM:<smuggler@attacker.example>',
  'RCPT TO:<victim@sink.example>',
  'DATA',
  'Subject: smuggled',
  '',
  'smuggled',
  '',
].join('\r\n')

const bareLf = '550 5.6.0 The message has a line feed without carriage return: lines must end in CRLF\r\n'
const bareCr = '550 5.6.0 The message has a carriage return without line feed: lines must end in CRLF\r\n'
const nul = '550 5.6.0 The message has a NUL octet, which no mail can carry\r\n'

const corpus: readonly (readonly [ending: string, refusal: string])[] = [
  ['\n.\n', bareLf],
  ['\n.\r\n', bareLf],
  ['\n.\r', bareLf],
  ['\r\n.\n', bareLf],
  ['\r.\r', bareCr],
  ['\r.\n', bareCr],
  ['\r.\r\n', bareCr],
  ['\r\n.\r', bareCr],
  ['\r\n.\r\r\n', bareCr],
  ['\n\n.\n\n', bareLf],
  ['\r\n\x00.\r\n', nul],
  ['\r\n.\x00\r\n', nul],
  ['\r\n\x00.\x00\r\n', nul],
]

const shown = corpus.map(([ending, refusal]) => [JSON.stringify(ending), ending, refusal] as const)

/** Everything that is said from the content on to the end of the conversation. */
async function say(pieces: readonly string[]): Promise<string> {
  const client = await inData(here.relay.port)
  const before = client.text().length
  for (const piece of pieces) {
    client.socket.write(piece, 'latin1')
    // Lets each piece leave in a packet of its own.
    await new Promise(resolve => setImmediate(resolve))
  }
  client.socket.end('QUIT\r\n')
  const { text } = await client.gone
  return text.slice(before)
}

function expectNothingSmuggled(): void {
  expect(here.sink.commands.filter(line => /smuggler|victim/.test(line))).toEqual([])
  expect(here.sink.received.filter(({ content }) => content.includes('smuggled'))).toEqual([])
}

describe.each([
  ['in its header', 'Subject: a'],
  ['in its body', 'Subject: a\r\n\r\nbody'],
  ['at its very beginning', ''],
])('a message with a false end %s', (_where, start) => {
  test.each(shown)('%s, in one packet, is refused once and whole', async (_, ending, refusal) => {
    expect(await say([`${start}${ending}${smuggled}\r\n.\r\n`])).toBe(`${refusal}${farewell}`)
  })

  test.each(shown)('%s, octet by octet, is refused once and whole', async (_, ending, refusal) => {
    const pieces = [start, ...ending, smuggled, '\r', '\n', '.', '\r', '\n'].filter(piece => piece !== '')
    expect(await say(pieces)).toBe(`${refusal}${farewell}`)
  })
})

test('nothing of all that went anywhere, and others are served', async () => {
  await honestMessageArrives(here.relay, here.sink)
  expectNothingSmuggled()
})

test('behind a true end the next command is a command, so the tests above can fail', async () => {
  const said = await say([`Subject: a\r\n\r\nbody\r\n.\r\n${smuggled.replaceAll('victim', 'second')}\r\n.\r\n`])
  expect(said.match(/^250 2\.0\.0 Ok: queued as /gm)).toHaveLength(2)
})

test('a line with one dot, stuffed as it must be, is a line', async () => {
  const said = await say([`Subject: a\r\n\r\nbody\r\n..\r\n${smuggled}\r\n.\r\n`])
  expect(said).toMatch(/^250 2\.0\.0 Ok: queued as \S+\r\n221 /)
  expect(said.match(/^250 /gm)).toHaveLength(1)
})

const farewell = '221 2.0.0 hermetic.test.example says goodbye\r\n'
