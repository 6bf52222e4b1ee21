import { spawnSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { messageId } from '../../protocol/mail/message-id.ts'
import type { NewMessage, StoreFault } from '../../spool/spool.ts'
import { ensureMaildrop } from './drop.ts'
import { createMaildropPickup, type MaildropPickup } from './pickup.ts'
import { submit } from './submit.ts'

const nowMs = Date.UTC(2026, 0, 2)
/** What the spool takes to make a message durable. */
const acceptMs = 7
const limits = { messageBytes: 10_000, textLineBytes: 1_000, recipients: 5, receivedFields: 3 }
const id = messageId(nowMs, 31, 7)
const envelope =
  '{"schema":"hermetic.drop/1","from":"a@b.example","recipients":["c@d.example"],"smtputf8":false}\n'

let state = ''
let directory = ''
let pickup: MaildropPickup | null = null
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'pickup-'))
  directory = await ensureMaildrop(state, false)
})
afterEach(async () => {
  await pickup?.close()
  pickup = null
  rmSync(state, { recursive: true })
})

/** A pickup on a spool that writes down what happens to it. */
function start(more: { fault?: StoreFault; known?: string; room?: boolean } = {}) {
  const steps: string[] = []
  const messages: { message: NewMessage; content: string }[] = []
  const notices: string[] = []
  const times: string[] = []
  let clockMs = nowMs
  const files = () => readdirSync(directory).filter(name => name !== 'rejected')
  pickup = createMaildropPickup({
    directory,
    hostname: 'box.example',
    limits,
    expireMs: 1_000,
    now: () => clockMs,
    spool: {
      openBody() {
        const pieces: Buffer[] = []
        const body = {
          write: (bytes: Uint8Array) => void pieces.push(Buffer.from(bytes)),
          get size() {
            return Buffer.concat(pieces).length
          },
          discard: () => void steps.push('discard'),
          content: () => null,
          text: () => Buffer.concat(pieces).toString('latin1'),
        }
        bodies.set(body, body.text)
        return body
      },
      accept(message, body) {
        if (more.fault !== undefined) return Promise.resolve(more.fault)
        messages.push({ message, content: bodies.get(body)?.() ?? '' })
        steps.push(`accept with ${files().length} file`)
        clockMs += acceptMs
        return Promise.resolve(null)
      },
      show: wanted => Promise.resolve(wanted === more.known ? stored : null),
      release: () => void steps.push('release'),
    },
    delivery: {
      hasRoom: () => more.room !== false,
      submit: message => void steps.push(`submit ${message.pending.length} with ${files().length} file`),
      wake: () => void steps.push('wake'),
    },
    reporter: {
      event: event => {
        steps.push(event.kind)
        times.push(event.at)
      },
      session() {},
      notice: (severity, text) => void notices.push(`${severity}: ${text}`),
    },
  })
  return { steps, messages, notices, times, files }
}

const bodies = new Map<object, () => string>()
const stored = {
  id,
  envelope: { from: null, recipients: [], demands: { eightBit: false, smtputf8: false } },
  receivedAtMs: 0,
  expiresAtMs: 0,
  origin: { via: 'sendmail', address: null, helo: null, tls: null },
  sizeBytes: 0,
  pending: [],
} as const

function drop(content: string, name = `${id}.drop`) {
  writeFileSync(join(directory, name), content)
}

test('what sendmail wrote is taken in: durable first, then deleted, only then delivered', async () => {
  async function* input() {
    yield await Promise.resolve(Buffer.from('Subject: ü\n\nHello\n'))
  }
  const submission = { sender: 'a@b.example', fullName: null, recipientsFromHeader: false, dotEnds: true }
  const result = await submit(
    input(),
    { ...submission, recipients: ['c@d.example', 'e@f.example'] },
    { directory, hostname: 'box.example', postmaster: null, limits, now: () => nowMs, random: () => 0.5 },
  )
  const { steps, messages, times } = start()
  await pickup?.scan()
  expect(steps).toEqual(['accept with 1 file', 'accepted', 'submit 2 with 0 file'])
  expect(messages[0]?.message).toMatchObject({
    id: 'id' in result ? result.id : '',
    envelope: { from: { text: 'a@b.example' }, demands: { eightBit: true, smtputf8: false } },
    expiresAtMs: nowMs + 1_000,
    origin: { via: 'sendmail' },
  })
  // When it was durable: what the log told meanwhile stands before it.
  expect(times).toEqual([new Date(nowMs + acceptMs).toISOString()])
  expect(messages[0]?.content).toMatch(
    /^Received: by box\.example \(Hermetic, from userid \d+\) id \w{13};\r\n\tFri, 2 Jan 2026 00:00:00 \+0000\r\nSubject: /,
  )
})

test('a drop that the spool holds already is only deleted: the relay was killed in between', async () => {
  drop(`${envelope}Subject: x\r\n\r\n`)
  const { steps, files } = start({ known: id })
  await pickup?.scan()
  expect(steps).toEqual([])
  expect(files()).toEqual([])
})

test('without room in memory the message goes back to the spool, which hands it out later', async () => {
  drop(`${envelope}Subject: x\r\n\r\n`)
  const { steps } = start({ room: false })
  await pickup?.scan()
  expect(steps.slice(-2)).toEqual(['release', 'wake'])
})

test('with a full disk drops stay where they are, and it is told once', async () => {
  drop(`${envelope}Subject: x\r\n\r\n`)
  const { notices, files } = start({ fault: { kind: 'full', says: 'the disk is full' } })
  await pickup?.scan()
  await pickup?.scan()
  expect(files()).toEqual([`${id}.drop`])
  expect(notices).toEqual(['error: mail waits in the maildrop: the disk is full'])
})

const bad: [string, string, string][] = [
  ['an empty file', '', 'it has no envelope'],
  ['an envelope that is not JSON', 'hello\n', 'its envelope is not JSON'],
  ['an envelope of another kind', '{"schema":"x"}\n', 'its envelope is not one that sendmail writes'],
  ['a recipient that is none', envelope.replace('c@d.example', 'c d'), 'one of its recipients is not an address'],
  ['a sender that is none', envelope.replace('a@b.example', '<>'), 'its sender is not an address'],
  ['too many recipients', envelope.replace('"c@d.example"', Array(6).fill('"c@d.example"').join()), 'more than 5'],
  ['a bare LF', `${envelope}a\nb\r\n`, 'a line feed without its carriage return'],
  ['a bare CR', `${envelope}a\rb\r\n`, 'a carriage return without its line feed'],
  ['a NUL', `${envelope}a\x00\r\n`, 'a NUL byte'],
  ['a long line', `${envelope}${'x'.repeat(2_000)}\r\n`, 'a line of more than 1000 bytes'],
  ['no line end at the end', `${envelope}Subject: x`, 'it does not end with a line end'],
  ['a CR at the end', `${envelope}Subject: x\r`, 'it does not end with a line end'],
  ['a loop', `${envelope}${'Received: x\r\n'.repeat(4)}\r\n`, 'more than 3 Received fields'],
  ['too many bytes', `${envelope}\r\n${'x\r\n'.repeat(4_000)}`, 'more than 10000 bytes'],
]

test.each(bad)('a drop with %s goes to rejected, with a notice', async (_title, content, why) => {
  drop(content)
  const { messages, notices, files } = start()
  await pickup?.scan()
  expect(messages).toEqual([])
  expect(files()).toEqual([])
  expect(existsSync(join(directory, 'rejected', `${id}.drop`))).toBe(true)
  expect(notices).toHaveLength(1)
  expect(notices[0]).toContain(why)
})

test('dots of a drop are content: nothing is unstuffed, nothing ends it', async () => {
  const content = '.\r\n\r\n..a\r\n.\r\nReceived: x\r\n.'.concat('\r\n')
  drop(`${envelope}${content}`)
  const { messages, notices } = start()
  await pickup?.scan()
  expect(notices).toEqual([])
  expect(messages[0]?.content.endsWith(`+0000\r\n${content}`)).toBe(true)
})

test('what counts as a Received field is what counts over SMTP', async () => {
  drop(`${envelope}${'Received : x\r\n'.repeat(4)}${'received: x\r\n'.repeat(3)}\r\n`)
  const { notices } = start()
  await pickup?.scan()
  expect(notices).toEqual([])
})

test('no link and no pipe leads the relay to what the caller may not read', async () => {
  const secret = join(state, 'secret')
  writeFileSync(secret, `${envelope}Subject: secret\r\n\r\n`)
  symlinkSync(secret, join(directory, `${messageId(nowMs, 31, 1)}.drop`))
  linkSync(secret, join(directory, `${messageId(nowMs, 31, 2)}.drop`))
  spawnSync('sh', ['-c', 'mkfifo "$0"', join(directory, `${messageId(nowMs, 31, 3)}.drop`)])
  const { messages, notices } = start()
  await pickup?.scan()
  expect(messages).toEqual([])
  expect(notices).toHaveLength(3)
})

test('names that are not drops are left alone, also ids that belong to a spool', async () => {
  const names = [`${messageId(nowMs, 0, 7)}.drop`, 'README', '..drop', `${id}.tmp`]
  for (const name of names) drop('x', name)
  const { messages, files } = start()
  await pickup?.scan()
  expect(messages).toEqual([])
  expect(files().toSorted()).toEqual(names.toSorted())
})

test('what a killed sendmail left unfinished is swept after a day and a half', async () => {
  drop('half', `${id}.tmp`)
  utimesSync(join(directory, `${id}.tmp`), 0, 0)
  const { files } = start()
  await pickup?.scan()
  expect(files()).toEqual([])
})

test('a drop that arrives later is found without being asked', async () => {
  const { messages } = start()
  await pickup?.scan()
  drop(`${envelope}Subject: x\r\n\r\n`)
  while (messages.length === 0) await new Promise(resolve => setImmediate(resolve))
  expect(messages).toHaveLength(1)
})

test("root's maildrop takes files from everybody and shows them to nobody", async () => {
  const made = await ensureMaildrop(join(state, 'root'), true)
  expect(statSync(made).mode & 0o7777).toBe(0o3733)
  expect(statSync(join(state, 'root')).mode & 0o7777).toBe(0o711)
  expect(statSync(directory).mode & 0o7777).toBe(0o700)
})
