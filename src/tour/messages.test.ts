import { createHash } from 'node:crypto'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { attachment, eightBit, large, longestLines, nonLatin, small } from './messages.ts'

const builders = {
  nonLatin,
  eightBit,
  attachment,
  longestLines,
  large,
  small: () => small('bob@wrong.example', 'x'),
}

describe.each(Object.entries(builders))('the message %s', (_, build) => {
  test('is the same every time, has CRLF lines only, none over 998 octets, and ends with one', () => {
    const { content } = build()
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(digest(build().content)).toBe(digest(content))
    const text = content.toString('latin1')
    expect(text.endsWith('\r\n')).toBe(true)
    expect(/[^\r]\n|\r[^\n]|\0/.test(text)).toBe(false)
    let longest = 0
    for (const line of text.split('\r\n')) longest = Math.max(longest, line.length)
    expect(longest).toBeLessThanOrEqual(998)
  })
})

test('the long lines reach the limit, in the header too', () => {
  const lines = longestLines().content.toString('latin1').split('\r\n')
  expect(lines.filter(line => line.length === 998)).toHaveLength(301)
  expect(lines.some(line => line.startsWith('X-Long: ') && line.length === 998)).toBe(true)
})

test('the large one has 25 MB to the octet, and is MIME', async () => {
  const { content } = large()
  expect(content.length).toBe(25 * 1024 * 1024)
  const parsed = await PostalMime.parse(content)
  expect(parsed.attachments[0]?.filename).toBe('large.bin')
})

test('the attachment can be read back by another parser', async () => {
  const parsed = await PostalMime.parse(attachment().content)
  const [file] = parsed.attachments
  if (file === undefined || typeof file.content === 'string') throw new Error('no binary attachment')
  expect(file.content.byteLength).toBe(200_000)
})

test('the non-Latin one has UTF-8 in header and body, and says so', async () => {
  const message = nonLatin()
  expect(message.smtputf8).toBe(true)
  const parsed = await PostalMime.parse(message.content)
  expect(parsed.subject).toContain('世界')
  expect(parsed.text).toContain('ไทย')
})

test('the 8-bit one holds every octet from 160 on and is not UTF-8', () => {
  const { content } = eightBit()
  for (let octet = 160; octet < 256; octet++) expect(content.includes(octet)).toBe(true)
  expect(() => new TextDecoder('utf-8', { fatal: true }).decode(content)).toThrow()
})
