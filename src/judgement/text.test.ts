import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pageColumns, wrapped } from './columns.ts'
import { delivery, session } from './testing/documents.ts'
import { deliveryLines, findingLines, planLines, sessionLines } from './text.ts'

const columns = pageColumns

describe('a session as a page', () => {
  const lines = sessionLines(session)
  const page = lines.join('\n')

  test('tells the names and why these, the DNS with its alias, TLS, the verdict on both axes, and what to do', () => {
    for (const part of [
      'mail.dev.example [192.0.2.6]:25',
      'verify: STARTTLS is required; the peer must be at least authenticated (pkix)',
      'mail.dev.example (as the route names it); SNI mail.dev.example',
      'alias of mail.example.local',
      'TLSv1.3, TLS_AES_256_GCM_SHA384, ECDH X25519 253',
      'refused: name configured, peer refused',
      'error: x509.name-mismatch (peer; condemns the host for now)',
      'What to do: The postmaster of mail.dev.example must',
      'RFC 9525 §6.3',
    ])
      expect(page.replace(/\n +/g, ' ')).toContain(part)
  })

  test('fits a page also where it is set in', () => {
    const [finding] = session.findings
    if (finding === undefined) throw new Error('the example has a finding')
    const long = { ...finding, says: 'word '.repeat(60), remedy: 'other '.repeat(60) }
    for (const line of [...findingLines(long, '     '), ...planLines(session.plan, '     ')]) {
      expect(line.length).toBeLessThanOrEqual(columns)
      expect(line.startsWith('     ')).toBe(true)
    }
  })

  test('fits a page and has nothing in it that moves a terminal', () => {
    for (const line of [...lines, ...deliveryLines(delivery, [session])]) {
      expect(line.length).toBeLessThanOrEqual(columns)
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }
    expect(page).toContain('\\x1b]0;title\\x07')
  })
})

test('a delivery tells each recipient’s fate, and holds its sessions', () => {
  const page = deliveryLines(delivery, [session]).join('\n').replace(/\n +/g, ' ')
  expect(page).toContain('<one@example.net> deferred: x509.name-mismatch')
  expect(page).toContain(
    '<two@example.net\\u202e> failed: smtp.recipient-refused-for-good: 550 5.1.1 no\\x1b[31m such user',
  )
  expect(page).toContain('<three@example.net> delivered: 250 2.0.0 taken')
  expect(page).toContain('Session s1')
})

test('wrapping loses nothing and keeps within the page', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 150 })), words => {
      const text = words.join(' ')
      const lines = wrapped(text, '  label ', '    ')
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
      const back = lines.map((line, i) => line.slice(i === 0 ? 8 : 4)).join('')
      expect(back.replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
    }),
  )
})
