import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isDropName } from './drop.ts'
import { type Submission, type SubmitParts, submit } from './submit.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drop-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const plain: Submission = {
  sender: 'pat',
  fullName: null,
  recipients: ['to@example.org'],
  recipientsFromHeader: false,
  dotEnds: true,
}
const complete = 'From: a@b.example\nDate: x\nMessage-ID: <1@b>\n'

async function* pieces(texts: readonly string[]) {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text))
}

function parts(): SubmitParts {
  let number = 0
  return {
    directory,
    hostname: 'box.example',
    postmaster: null,
    limits: { messageBytes: 5_000, textLineBytes: 100, recipients: 3 },
    now: () => Date.UTC(2026, 0, 2),
    random: () => (number++ * 0.37) % 1,
  }
}

/** Submits text in the given pieces and reads what lies in the maildrop. */
async function dropped(texts: readonly string[], more: Partial<Submission> = {}) {
  const result = await submit(pieces(texts), { ...plain, ...more }, parts())
  const files = readdirSync(directory)
  const [file] = files
  const text = file === undefined ? '' : readFileSync(join(directory, file), 'utf8')
  const end = text.indexOf('\n')
  return {
    result,
    files,
    envelope: text === '' ? null : (JSON.parse(text.slice(0, end)) as unknown),
    content: text.slice(end + 1),
  }
}

test('a message becomes one private file with its envelope, content in CRLF', async () => {
  const { result, files, envelope, content } = await dropped([`${complete}\nHello\n`])
  expect(result).toEqual({ kind: 'dropped', id: files[0]?.slice(0, -5), recipients: ['to@example.org'] })
  expect(files.every(isDropName)).toBe(true)
  expect(statSync(join(directory, files[0] ?? '')).mode & 0o007).toBe(0)
  expect(envelope).toEqual({
    schema: 'hermetic.drop/1',
    from: 'pat@box.example',
    recipients: ['to@example.org'],
    smtputf8: false,
  })
  expect(content).toBe('From: a@b.example\r\nDate: x\r\nMessage-ID: <1@b>\r\n\r\nHello\r\n')
})

test('whatever the umask of the caller, the relay’s group may read the file and others may not', async () => {
  const before = process.umask(0o077)
  try {
    for (const umask of [0o077, 0o777, 0o000]) {
      process.umask(umask)
      const { result } = await dropped([`${complete}\nHello\n`])
      const id = result.kind === 'dropped' ? result.id : ''
      expect(statSync(join(directory, `${id}.drop`)).mode & 0o777).toBe(0o640)
    }
  } finally {
    process.umask(before)
  }
})

const bodies: [string, string, string][] = [
  ['no body', complete, `${complete}\n`],
  ['no line end at the end', `${complete}\nHello`, `${complete}\nHello\n`],
  ['CRLF already', `${complete}\nHello\n`.replaceAll('\n', '\r\n'), `${complete}\nHello\n`],
  ['a lone dot', `${complete}\nHello\n.\nmore\n`, `${complete}\nHello\n`],
  ['a lone dot in the header', `${complete}.\nTo: late@x\n`, `${complete}\n`],
  ['dots that are not alone', `${complete}\n..\n.x\n`, `${complete}\n..\n.x\n`],
  [
    'a body that begins without an empty line',
    `${complete}Hello world\n\nmore\n`,
    `${complete}\nHello world\n\nmore\n`,
  ],
  ['the first line of an mbox file', `From pat Tue Feb 3\n${complete}\nx\n`, `${complete}\nx\n`],
  [
    'an empty line first',
    '\nHello\n',
    'From: pat@box.example\nDate: Fri, 2 Jan 2026 00:00:00 +0000\nMessage-ID: <',
  ],
  ['8-bit text', `${complete}Subject: ü\n\nÄ\n`, `${complete}Subject: ü\n\nÄ\n`],
]

test.each(bodies)('with %s, however the input is cut', async (_title, input, output) => {
  const { content } = await dropped([input])
  expect(content.slice(0, output.replaceAll('\n', '\r\n').length)).toBe(output.replaceAll('\n', '\r\n'))
  for (const cut of [1, 5, Math.floor(input.length / 2), input.length - 1]) {
    rmSync(directory, { recursive: true })
    directory = mkdtempSync(join(tmpdir(), 'drop-'))
    expect((await dropped([input.slice(0, cut), input.slice(cut)])).content).toBe(content)
  }
})

test('with -i a lone dot is text', async () => {
  const { content } = await dropped([`${complete}\n.\nmore\n`], { dotEnds: false })
  expect(content).toContain('\r\n\r\n.\r\nmore\r\n')
})

test('with -t the recipients of the header are added, each once, and Bcc is gone', async () => {
  const { envelope, content } = await dropped([`${complete}To: A <a@x.example>, to@Example.org\nBcc: b\n\n`], {
    recipientsFromHeader: true,
  })
  expect(envelope).toMatchObject({ recipients: ['to@example.org', 'a@x.example', 'b@box.example'] })
  expect(content).not.toContain('Bcc')
})

test('the null sender is kept, and an address beyond ASCII asks for SMTPUTF8', async () => {
  const { envelope } = await dropped([complete], { sender: '<>', recipients: ['jörg@example.org'] })
  expect(envelope).toMatchObject({ from: null, smtputf8: true, recipients: ['jörg@example.org'] })
})

test('what SMTP could not carry is mended: cron asks nobody again', async () => {
  const { result, content } = await dropped([`${complete}\n10%\r20%\n${'x'.repeat(120)}\na\x00b\n`])
  expect(result.kind).toBe('dropped')
  expect(content.split('\r\n').slice(4)).toEqual(['10%', '20%', 'x'.repeat(90), 'x'.repeat(30), 'ab', ''])
})

test('the recipients of a To field too long for one line are all found', async () => {
  const to = Array.from({ length: 3 }, (_, i) => `${'n'.repeat(60)}${i}@x.example`)
  const { envelope, content } = await dropped([`${complete}To: ${to.join(',')}\n\n`], {
    recipients: [],
    recipientsFromHeader: true,
  })
  expect(envelope).toMatchObject({ recipients: to })
  for (const line of content.split('\r\n')) expect(line.length).toBeLessThanOrEqual(98)
})

test.each([
  [['a@x.example,b@y.example'], ['a@x.example', 'b@y.example']],
  [
    ['Name <a@x.example>', '"B, b" <b@x>, c'],
    ['a@x.example', 'b@x', 'c@box.example'],
  ],
])('the arguments %j name %j', async (recipients, found) => {
  expect((await dropped([complete], { recipients })).envelope).toMatchObject({ recipients: found })
})

const refused: [string, string, Partial<Submission>, unknown][] = [
  ['nobody to send to', complete, { recipients: [], recipientsFromHeader: true }, { because: 'recipients' }],
  [
    'nobody, as the header ended before To',
    'Subject: x\nHello\nTo: a@x\n\n',
    { recipients: [], recipientsFromHeader: true },
    {
      says: 'the message names no recipient: line 2, "Hello", is no header field, so the header ended before it',
    },
  ],
  ['a list of arguments with one that is none', complete, { recipients: ['a@x, b c'] }, { because: 'address' }],
  ['too many recipients', complete, { recipients: ['a', 'b', 'c', 'd'] }, { because: 'recipients' }],
  ['a recipient that is none', complete, { recipients: ['a b@x'] }, { because: 'address' }],
  ['a sender that is none', complete, { sender: '@x' }, { because: 'address' }],
  ['a malformed To with -t', 'To: a b <c\n\n', { recipientsFromHeader: true }, { because: 'address' }],
  ['too many bytes', `${complete}\n${'x\n'.repeat(2_000)}`, {}, { because: 'too-big' }],
]

test.each(refused)('is refused, and leaves nothing behind: %s', async (_title, input, more, because) => {
  const { result, files } = await dropped([input], more)
  expect(result).toMatchObject({ kind: 'refused', ...(because as object) })
  expect(files).toEqual([])
})

test('a maildrop that is not there is told with the code of the system', async () => {
  rmSync(directory, { recursive: true })
  const result = await submit(pieces([complete]), plain, parts())
  expect(result).toMatchObject({ kind: 'disk', code: 'ENOENT' })
  mkdirSync(directory)
})
