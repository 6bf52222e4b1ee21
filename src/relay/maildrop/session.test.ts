import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultServerLimits } from '../../protocol/smtp/server.ts'
import { serveStandardInput } from './session.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'session-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What is heard, reply codes only, and the drops in the maildrop. */
async function converse(pieces: readonly string[]) {
  let heard = ''
  async function* input() {
    for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece))
  }
  const taken = await serveStandardInput(
    input(),
    bytes => {
      heard += Buffer.from(bytes).toString()
      return Promise.resolve()
    },
    {
      directory,
      hostname: 'box.example',
      postmaster: 'admin@example.org',
      limits: defaultServerLimits,
      now: () => Date.UTC(2026, 0, 2),
      random: Math.random,
    },
  )
  const codes = heard
    .split('\r\n')
    .filter(line => /^\d{3} /.test(line))
    .map(line => Number(line.slice(0, 3)))
  const drops = readdirSync(directory).map(name =>
    readFileSync(join(directory, name), 'utf8')
      .split(/\n(.*)/s)
      .slice(0, 2),
  )
  return { taken, codes, drops }
}

const hello = 'EHLO me\r\n'
const transaction = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<postmaster>\r\nDATA\r\n'
const content = 'Subject: x\r\n\r\n..dot\r\n.\r\n'

test('a conversation leaves one drop for each message, and postmaster goes where the relay sends him', async () => {
  const { taken, codes, drops } = await converse([hello, transaction, content, transaction, content, 'QUIT\r\n'])
  expect(codes).toEqual([220, 250, 250, 250, 250, 354, 250, 250, 250, 250, 354, 250, 221])
  expect(taken).toBe(2)
  const envelope =
    '{"schema":"hermetic.drop/1","from":"a@b.example","recipients":["c@d.example","admin@example.org"],"smtputf8":false}'
  expect(drops).toEqual([
    [envelope, 'Subject: x\r\n\r\n.dot\r\n'],
    [envelope, 'Subject: x\r\n\r\n.dot\r\n'],
  ])
})

test('however the input is cut, the drop is the same', async () => {
  const all = [hello, transaction, content, 'QUIT\r\n'].join('')
  for (let cut = 0; cut <= all.length; cut++) {
    const { drops } = await converse([all.slice(0, cut), all.slice(cut)])
    expect(drops.map(([, text]) => text)).toEqual(['Subject: x\r\n\r\n.dot\r\n'])
    rmSync(directory, { recursive: true })
    directory = mkdtempSync(join(tmpdir(), 'session-'))
  }
  const { drops } = await converse([...all])
  expect(drops.map(([, text]) => text)).toEqual(['Subject: x\r\n\r\n.dot\r\n'])
})

test('a script that is there at once, and waits for no answer, is a conversation like any other', async () => {
  const { taken, codes } = await converse([[hello, transaction, content, 'QUIT\r\n'].join('')])
  expect([taken, codes]).toEqual([1, [220, 250, 250, 250, 250, 354, 250, 221]])
})

test('input that ends in the middle of the content leaves nothing behind', async () => {
  const { taken, drops } = await converse([hello, transaction, 'Subject: x\r\n\r\nhalf'])
  expect([taken, drops]).toEqual([0, []])
})

test('content with a bare LF is refused at its end and leaves nothing behind', async () => {
  const { taken, codes, drops } = await converse([hello, transaction, 'a\nb\r\n.\r\n', 'QUIT\r\n'])
  expect(codes.slice(5)).toEqual([354, 550, 221])
  expect([taken, drops]).toEqual([0, []])
})

test('a maildrop that cannot be written is 451', async () => {
  rmSync(directory, { recursive: true })
  const heard: string[] = []
  async function* input() {
    for (const piece of [hello, transaction, 'QUIT\r\n']) yield await Promise.resolve(Buffer.from(piece))
  }
  await serveStandardInput(input(), bytes => Promise.resolve(void heard.push(Buffer.from(bytes).toString())), {
    directory,
    hostname: 'box.example',
    postmaster: null,
    limits: defaultServerLimits,
    now: Date.now,
    random: Math.random,
  })
  expect(heard.join('')).toContain('451 4.3.0 The maildrop cannot be written')
})
