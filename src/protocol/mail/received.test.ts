import { describe, expect, test } from 'vitest'
import { localReceivedField, receivedField, type Trace, traceProtocol } from './received.ts'

const plain: Trace = {
  helo: 'client.example',
  address: '192.0.2.7',
  by: 'mx.example.org',
  protocol: 'ESMTP',
  tls: [],
  id: '01k9v3p0c2ma7',
  recipient: null,
  date: 'Sat, 21 Nov 2026 03:04:05 +0000',
}

test('a message in clear text is traced by name, address, protocol, id and date', () => {
  expect(receivedField(plain)).toBe(
    'Received: from client.example ([192.0.2.7])\r\n' +
      '\tby mx.example.org\r\n' +
      '\twith ESMTP id 01k9v3p0c2ma7;\r\n' +
      '\tSat, 21 Nov 2026 03:04:05 +0000\r\n',
  )
})

test('TLS facts and a single recipient are told, an IPv6 client as a literal', () => {
  const field = receivedField({
    ...plain,
    address: '2001:db8::7',
    protocol: 'ESMTPS',
    tls: ['TLS1.3', 'TLS_AES_256_GCM_SHA384', 'X25519'],
    recipient: { local: 'jane', domain: 'example.org', text: 'jane@example.org' },
  })
  expect(field).toContain('from client.example ([IPv6:2001:db8::7])\r\n')
  expect(field).toContain('\twith ESMTPS (TLS1.3:TLS_AES_256_GCM_SHA384:X25519) id 01k9v3p0c2ma7\r\n')
  expect(field).toContain('\r\n\tfor <jane@example.org>;\r\n')
})

test('mail of this machine has no client', () => {
  expect(localReceivedField({ ...plain, uid: 1000 })).toBe(
    'Received: by mx.example.org (Hermetic, from userid 1000) id 01k9v3p0c2ma7;\r\n\tSat, 21 Nov 2026 03:04:05 +0000\r\n',
  )
})

describe('a client that calls itself something odd', () => {
  test.each([
    ['evil (comment', '([192.0.2.7]) (said evil??comment)'],
    ['a\r\nX-Injected: yes', '(said a??X-Injected:?yes)'],
    ['back\\slash)', '(said back?slash?)'],
    ['münchen.example', '(said m?nchen.example)'],
    ['', '([192.0.2.7]) (said )'],
    ['x'.repeat(500), `(said ${'x'.repeat(64)})`],
  ])('%j cannot leave its comment', (helo, part) => {
    const field = receivedField({ ...plain, helo })
    expect(field).toContain(`from [192.0.2.7] ([192.0.2.7])`)
    expect(field).toContain(part)
    for (const line of field.split('\r\n').slice(1, -1)) expect(line).toMatch(/^\t[ -~]+$/)
  })

  test.each(['[192.0.2.99]', '[IPv6:2001:db8::1]', 'WIN_PC-7', 'a.b.c.'])('%s stands as it was said', helo => {
    expect(receivedField({ ...plain, helo })).toContain(`from ${helo} ([192.0.2.7])`)
  })
})

test('the protocol has its registered name', () => {
  expect(traceProtocol('EHLO', false, false)).toBe('ESMTP')
  expect(traceProtocol('EHLO', true, false)).toBe('ESMTPS')
  expect(traceProtocol('EHLO', false, true)).toBe('UTF8SMTP')
  expect(traceProtocol('EHLO', true, true)).toBe('UTF8SMTPS')
  expect(traceProtocol('HELO', true, false)).toBe('SMTP')
})
