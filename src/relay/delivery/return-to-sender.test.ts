import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import { parseAddress } from '../../protocol/mail/address.ts'
import type { StoredMessage } from '../../spool/spool.ts'
import { failureNotice } from './return-to-sender.ts'

function path(text: string) {
  const parsed = parseAddress(text)
  if (typeof parsed === 'string') throw new Error(`${text}: ${parsed}`)
  return parsed
}

const original = (recipient: string): StoredMessage => ({
  id: '01k9v3p0c2ma7',
  envelope: {
    from: path('sender@example.net'),
    recipients: [path(recipient)],
    demands: { eightBit: false, smtputf8: true },
  },
  receivedAtMs: 0,
  expiresAtMs: 1_000,
  origin: { via: 'smtp', address: null, helo: null, tls: null },
  sizeBytes: 10,
  pending: [],
})

test.each([
  ['a bidi control', '"a\u202eb"@example.org', '<"a\\u202eb"@example.org>'],
  ['a C1 control that begins an escape sequence', '"a\u009b31m"@example.org', '<"a\\x9b31m"@example.org>'],
])('%s in an address is shown to people as an escape', async (_, written, shown) => {
  const notice = failureNotice(
    original(written),
    [
      {
        recipient: { index: 0, path: path(written), attempts: 1, lastFailure: null, rule: 'r' },
        fate: {
          kind: 'returned',
          failure: { reason: 'policy.rejected-by-route', detail: null, reply: null },
          last: null,
        },
        host: null,
      },
    ],
    Buffer.from('Subject: x\r\n'),
    '01k9v3p0c2ma8',
    { hostname: 'relay.example', expireMs: 1_000, nowMs: 5 },
  )
  const mail = await PostalMime.parse(notice?.content ?? '')
  expect(mail.text).toContain(shown)
  const status = mail.attachments.find(part => part.mimeType === 'message/global-delivery-status')
  const fields = typeof status?.content === 'string' ? status.content : new TextDecoder().decode(status?.content)
  if (written.includes('\u202e')) expect(fields).toContain(`Final-Recipient: utf-8; ${written}`)
})
