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

test('a page says a sentence once, and calls it by its code elsewhere; what the finding does not say stays', () => {
  const [finding] = delivery.findings
  const [first, second] = delivery.recipients
  if (finding === undefined || first?.failure == null || second === undefined)
    throw new Error('the example has them')
  const other = {
    ...first,
    address: 'four@example.net',
    failure: { ...first.failure, detail: 'wanted elsewhere' },
  }
  const twin = { ...session, id: 's2', address: '192.0.2.7' }
  const lines = deliveryLines({ ...delivery, recipients: [first, second, other] }, [session, twin])
  const page = lines.join('\n').replace(/\n +/g, ' ')
  const sentence = 'The certificate of mail.dev.example is for other names'
  expect(page.split(sentence)).toHaveLength(2)
  expect(page.split('error: x509.name-mismatch')).toHaveLength(2)
  expect(page).toContain('peer refused. Refused before any mail was sent: x509.name-mismatch. To ')
  expect(page).toContain('<one@example.net> deferred: x509.name-mismatch To ')
  expect(page).toContain('<four@example.net> deferred: x509.name-mismatch: wanted elsewhere Next attempt')
  expect(lines.filter(line => line.startsWith('  Failure'))).toEqual([])
  // A page of its own, and one whose finding is about another host, have it.
  expect(sessionLines(twin).join('\n')).toContain('error: x509.name-mismatch')
  const elsewhere = { ...finding, says: 'The certificate of mx2 is for other names.' }
  expect(sessionLines(twin, [elsewhere]).join('\n')).toContain('error: x509.name-mismatch')
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
