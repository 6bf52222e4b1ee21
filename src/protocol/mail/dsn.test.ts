import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import type { Path } from './address.ts'
import { type FailedRecipient, type FailureNotice, writeFailureNotice } from './dsn.ts'

const path = (text: string): Path => {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1), text }
}

const atMs = Date.UTC(2026, 10, 21, 3, 4, 5)

const failed = (more: Partial<FailedRecipient> = {}): FailedRecipient => ({
  recipient: path('nobody@example.org'),
  shown: more.recipient?.text ?? 'nobody@example.org',
  status: '5.1.1',
  remoteMta: 'mx.example.org',
  diagnostic: { type: 'smtp', text: '550 5.1.1 No such user' },
  says: 'mx.example.org refused this recipient.',
  remedy: 'Check the address.',
  lastAttemptAtMs: atMs,
  ...more,
})

const notice = (
  more: Partial<FailureNotice> = {},
  original: Partial<FailureNotice['original']> = {},
): FailureNotice => ({
  reportingMta: 'relay.example',
  to: path('sender@example.net'),
  id: '01k9v3p0c2ma8',
  writtenAtMs: atMs,
  original: {
    id: '01k9v3p0c2ma7',
    arrivedAtMs: atMs - 60_000,
    envid: null,
    header: Buffer.from('From: sender@example.net\r\nSubject: Hello\r\n'),
    smtputf8: false,
    ...original,
  },
  recipients: [failed()],
  ...more,
})

async function read(given: FailureNotice) {
  const { content, demands } = writeFailureNotice(given)
  const mail = await PostalMime.parse(content, { forceRfc822Attachments: true, attachmentEncoding: 'utf8' })
  // The last line end is taken off: whether it belongs to the part or to the boundary is a matter of taste among readers.
  const part = (type: string) => {
    const found = mail.attachments.find(({ mimeType }) => mimeType === type)
    return found === undefined ? undefined : { content: String(found.content).trimEnd() }
  }
  return { mail, demands, text: Buffer.from(content).toString('utf8'), part }
}

describe('a failure notice', () => {
  test('is a report in three parts, from the mail system to the sender', async () => {
    const { mail, text, part } = await read(notice())
    expect(mail.from?.address).toBe('MAILER-DAEMON@relay.example')
    expect(mail.to?.map(({ address }) => address)).toEqual(['sender@example.net'])
    expect(mail.messageId).toBe('<01k9v3p0c2ma8@relay.example>')
    expect(text).toContain('Date: Sat, 21 Nov 2026 03:04:05 +0000\r\n')
    expect(text).toContain('Auto-Submitted: auto-replied\r\n')
    expect(text).toContain('Content-Type: multipart/report; report-type=delivery-status;\r\n')
    expect(mail.text).toContain('What happened: mx.example.org refused this recipient.')
    expect(mail.text).toContain('What to do: Check the address.')
    expect(mail.text).toContain('01k9v3p0c2ma7')
    expect(part('message/delivery-status')?.content).toBe(
      [
        'Reporting-MTA: dns; relay.example',
        'X-Hermetic-Message-Id: 01k9v3p0c2ma7',
        'Arrival-Date: Sat, 21 Nov 2026 03:03:05 +0000',
        '',
        'Final-Recipient: rfc822; nobody@example.org',
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx.example.org',
        'Diagnostic-Code: smtp; 550 5.1.1 No such user',
        'Last-Attempt-Date: Sat, 21 Nov 2026 03:04:05 +0000',
      ].join('\n'),
    )
    expect(part('text/rfc822-headers')?.content).toBe('From: sender@example.net\nSubject: Hello')
  })

  test('has one group of fields for each recipient, and says what the sender gave as ENVID', async () => {
    const second = failed({ recipient: path('other@example.org'), status: '4.4.7', remoteMta: null })
    const { part } = await read(notice({ recipients: [failed(), second] }, { envid: 'QQ314159' }))
    const groups = String(part('message/delivery-status')?.content).trim().split('\n\n')
    expect(groups).toHaveLength(3)
    expect(groups[0]).toMatch(/^Original-Envelope-Id: QQ314159\n/)
    expect(groups[2]).toContain('Final-Recipient: rfc822; other@example.org')
    expect(groups[2]).toContain('Status: 4.4.7')
    expect(groups[2]).not.toContain('Remote-MTA')
  })

  test.each([
    ['192.0.2.7', '[192.0.2.7]'],
    ['2001:DB8::7', '[IPv6:2001:db8::7]'],
    ['mx.example', 'mx.example'],
  ])('names the host %s as %s to machines, and as it is to people', async (remoteMta, shown) => {
    const { part, mail } = await read(notice({ recipients: [failed({ remoteMta })] }))
    expect(String(part('message/delivery-status')?.content)).toContain(`Remote-MTA: dns; ${shown}\n`)
    expect(mail.text).toContain(`${remoteMta} said:`)
  })

  test('reports a recipient beyond ASCII as RFC 6533 says, and stays ASCII itself', async () => {
    const { text, demands, part, mail } = await read(
      notice({ recipients: [failed({ recipient: path('用户@例子.example') })] }),
    )
    expect(text).toMatch(/^[\x00-\x7f]*$/)
    expect(demands).toEqual({ eightBit: false, smtputf8: false })
    expect(part('message/global-delivery-status')?.content).toContain('Final-Recipient: utf-8; 用户@例子.example')
    expect(mail.text).toContain('<用户@例子.example>')
  })

  test('needs SMTPUTF8 only when the address it goes to does', async () => {
    const { demands, text } = await read(notice({ to: path('отправитель@example.net') }))
    expect(demands).toEqual({ eightBit: true, smtputf8: true })
    expect(text).toContain('To: <отправитель@example.net>')
  })

  test('returns a header of any octets unchanged, in 7 bits', async () => {
    const header = Buffer.concat([
      Buffer.from('Subject: Grüße \r\nX-Raw: '),
      Buffer.from([0xff, 0x80, 0x3d]),
      Buffer.from('\r\n'),
    ])
    const { text, part } = await read(notice({}, { header }))
    expect(text).toMatch(/^[\x00-\x7f]*$/)
    expect(part('text/rfc822-headers')).toBeDefined()
    expect(text).toContain('Subject: Gr=C3=BC=C3=9Fe=20\r\nX-Raw: =FF=80=3D\r\n')
  })

  test('returns a UTF-8 header of an SMTPUTF8 message as message/global-headers', async () => {
    const { part } = await read(notice({}, { header: Buffer.from('Subject: Привет\r\n'), smtputf8: true }))
    expect(part('message/global-headers')?.content).toBe('Subject: Привет')
  })

  test('returns at most 64 KB of a header, whole lines', () => {
    const header = Buffer.from(`${'X-Filler: 0123456789\r\n'.repeat(10_000)}`)
    const { content } = writeFailureNotice(notice({}, { header }))
    expect(content.length).toBeLessThan(70_000)
    expect(Buffer.from(content).toString()).not.toMatch(/X-Filler: \d{0,9}\r\n/)
  })

  test('is not misled by a header that imitates its boundary', async () => {
    const { mail, part } = await read(
      notice({}, { header: Buffer.from('X: 1\r\n--=_01k9v3p0c2ma8--\r\n--=_01k9v3p0c2ma8\r\nEvil: yes\r\n') }),
    )
    expect(mail.attachments).toHaveLength(2)
    expect(part('text/rfc822-headers')?.content).toContain('Evil: yes')
  })

  test('lets no text from outside out of its place: ESC, CR LF and bidi', async () => {
    const evil = 'x\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; fake@example.org\x1b[31m \u202e evil'
    const { part, text, mail } = await read(
      notice(
        {
          reportingMta: 'relay.example\r\nBcc: victim@example.org',
          to: path('a\r\nBcc: victim@example.org\r\n@b.example'),
          recipients: [
            failed({
              recipient: path(`${evil}@example.org`),
              shown: `${evil}@example.org`,
              status: evil,
              remoteMta: evil,
              diagnostic: { type: 'smtp', text: evil },
              says: evil,
              remedy: evil,
            }),
          ],
        },
        { envid: evil, id: evil },
      ),
    )
    expect(text).not.toMatch(/^(Bcc|Action: delivered)/m)
    expect(text).not.toContain('\x1b')
    expect(mail.bcc).toBeUndefined()
    const status = String((part('message/delivery-status') ?? part('message/global-delivery-status'))?.content)
    expect(status.match(/^Final-Recipient:/gm)).toHaveLength(1)
    expect(status.match(/^Action: .*/gm)).toEqual(['Action: failed'])
    expect(mail.text).not.toMatch(/^Action: delivered/m)
  })

  test('whatever the texts are, lines end in CRLF, stay under 998 octets, and the parts are three', async () => {
    const word = fc.string({ unit: 'binary', maxLength: 1_200 })
    await fc.assert(
      fc.asyncProperty(word, word, fc.uint8Array({ maxLength: 3_000 }), async (says, reply, octets) => {
        const header = Buffer.from(
          Buffer.from(octets)
            .toString('latin1')
            .replace(/[\r\n]/g, '\r\n'),
          'latin1',
        )
        const { text, mail } = await read(
          notice({ recipients: [failed({ says, diagnostic: { type: 'smtp', text: reply } })] }, { header }),
        )
        expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
        expect(text.split('\r\n').every(line => Buffer.byteLength(line) <= 998)).toBe(true)
        expect(mail.attachments).toHaveLength(2)
      }),
      { numRuns: 60 },
    )
  })
})
