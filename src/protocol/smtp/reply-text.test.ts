import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reply } from './reply.ts'
import { createReplyReader } from './reply-reader.ts'
import { formatReply } from './reply-text.ts'

test.each([
  [reply(250, '2.1.0', 'Ok'), '250 2.1.0 Ok\r\n'],
  [reply(250, null, 'Ok'), '250 2.0.0 Ok\r\n'],
  [reply(550, '2.1.0', 'No'), '550 5.0.0 No\r\n'],
  [reply(354, '3.0.0', 'Go'), '354 Go\r\n'],
  [reply(214, '2.0.0', 'a', 'b'), '214-2.0.0 a\r\n214 2.0.0 b\r\n'],
  [reply(250, '2.0.0'), '250 2.0.0 \r\n'],
  [reply(550, '5.1.1', 'a\r\n250 ok\x1b[1mü'), '550 5.1.1 a??250 ok?[1m?\r\n'],
])('%j is %j', (given, text) => {
  expect(formatReply(given, 'enhanced')).toBe(text)
})

test('greetings and answers to EHLO carry no enhanced code', () => {
  expect(formatReply(reply(421, '4.3.2', 'Busy'), 'plain')).toBe('421 Busy\r\n')
  expect(formatReply(reply(250, null, 'mx', 'SIZE 1'), 'plain')).toBe('250-mx\r\n250 SIZE 1\r\n')
})

test('whatever text a reply has, it is one reply in lines of at most 512 octets, and is read back with its code', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 559 }),
      fc.array(fc.string({ unit: 'binary', maxLength: 1_200 }), { maxLength: 4 }),
      (code, lines) => {
        const text = formatReply(reply(code, null, ...lines), 'enhanced')
        for (const line of text.split('\r\n').slice(0, -1)) expect(line.length + 2).toBeLessThanOrEqual(512)
        const reader = createReplyReader()
        reader.receive(Buffer.from(text, 'latin1'))
        expect(reader.next()).toMatchObject({ reply: { code } })
        expect(reader.next()).toBe('need-bytes')
        expect(reader.unreadBytes).toBe(0)
      },
    ),
  )
})
