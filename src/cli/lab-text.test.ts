import { describe, expect, test } from 'vitest'
import type { HostReport } from '../lab/standing-lab.ts'
import { createContext } from './context.ts'
import { downText, type LabStatus, statusText, type UpDocument, upText } from './lab-text.ts'

const context = { ...createContext({ json: false, config: null }), paint: (_: string, text: string) => text }
const files = {
  directory: '/state',
  anchors: '/state/anchors',
  root: '/state/ca.pem',
  configuration: '/state/relay/hermetic.yaml',
  log: '/state/lab.log',
}
const up: UpDocument = {
  schema: 'hermetic.lab-up/1',
  already: false,
  pid: 7,
  since: '2026-11-21T12:00:00Z',
  namespace: null,
  files,
  dns: { address: '127.0.0.1', port: 5353 },
  resolver: null,
  hosts: 3,
}
const host = (name: string, more: Partial<HostReport> = {}): HostReport => ({
  name,
  addresses: ['192.0.2.1'],
  port: 25,
  listens: '127.0.0.1:40000',
  visits: 0,
  messages: 0,
  newest: [],
  ...more,
})
const status = (hosts: readonly HostReport[], more: Partial<LabStatus> = {}): LabStatus => ({
  pid: 7,
  since: up.since,
  namespace: null,
  files,
  dns: { address: '127.0.0.1', port: 5353, questions: 1, newest: ['a.example MX'] },
  resolver: null,
  hosts,
  ...more,
})
const nowMs = Date.UTC(2026, 10, 21, 12, 1)
const widest = (text: string) => text.split('\n').reduce((most, line) => Math.max(most, line.length), 0)

describe('lab up', () => {
  test('says what to type next, on loopback', () => {
    const text = upText(up, 'background', context, './hermetic')
    expect(text).toContain('  ./hermetic dns ')
    expect(text).toContain('  ./hermetic route ')
    expect(text).toContain('--server 127.0.0.1:5353 --anchor /state/anchors')
    expect(text).toContain('--config /state/relay/hermetic.yaml')
    expect(text).toContain("'hermetic lab down' ends it")
    expect(text).not.toContain('netns')
  })

  test('and in a network namespace; a resolv.conf that is not ours is mentioned', () => {
    const resolver = { address: '127.0.0.1', port: 53, file: '/etc/netns/x/resolv.conf', isOurs: true }
    const text = upText({ ...up, namespace: 'x', resolver }, 'foreground', context, '/opt/h/hermetic')
    expect(text).toContain('  ip netns exec x sh\n')
    expect(text).toContain('  ip netns exec x /opt/h/hermetic serve --config')
    expect(text).toContain('posttls-finger')
    expect(widest(text)).toBeLessThanOrEqual(100)
    expect(text).not.toContain('was there before')
    const other = upText(
      { ...up, namespace: 'x', resolver: { ...resolver, isOurs: false } },
      'background',
      context,
      'hermetic',
    )
    expect(other).toContain('was there before')
  })
})

describe('lab status', () => {
  test('lists where hosts can be found, and who came', () => {
    const visited = host('mx.a.example', {
      visits: 22,
      messages: 1,
      newest: [
        {
          at: '2026-11-21T12:00:00.000Z',
          helo: 'box.example',
          tls: null,
          tlsError: null,
          came: 'left',
          mails: [],
        },
        {
          at: '2026-11-21T12:00:00.000Z',
          helo: null,
          tls: { version: 'TLSv1.2', cipher: 'X', sni: null },
          tlsError: null,
          came: 'delivered',
          mails: [
            { from: '', over: 'tls', accepted: ['a@b.example'], refused: ['c@d.example'], content: 'kept' },
            { from: 'e@f.example', over: 'clear', accepted: [], refused: [], content: null },
          ],
        },
      ],
    })
    const text = statusText(status([visited, host('mx.b.example', { listens: null })]), nowMs, context)
    expect(text).toContain('process 7, since 2026-11-21T12:00:00Z (60s).')
    expect(text).toContain('Hosts: 2, of which 1 was visited')
    expect(text).toMatch(/mx\.b\.example .* down on purpose/)
    expect(text).toContain('mx.a.example  192.0.2.1: 22 visits, 1 message kept\n  (20 older)\n')
    expect(text).toContain('box.example, no TLS: left before TLS and before any mail command')
    expect(text).toContain('somebody, TLSv1.2, SNI none: delivered')
    expect(text).toContain('MAIL from <>: to <a@b.example>, refused <c@d.example>, kept')
    expect(text).toContain('MAIL from <e@f.example>, in clear text: no content')
  })

  test('says what a failed handshake means where OpenSSL is brief', () => {
    const visit = { at: up.since, helo: null, tls: null, came: 'left-during-tls' as const, mails: [] }
    const told = (tlsError: string) =>
      statusText(
        status([host('mx.a.example', { visits: 1, newest: [{ ...visit, tlsError }] })]),
        nowMs,
        context,
      ).replace(/\n +/g, ' ')
    expect(told('no suitable signature algorithm')).toContain(
      'no suitable signature algorithm (the client asked for a certificate with another kind of key)',
    )
    expect(told('tlsv1 alert unknown ca')).toMatch(/TLS failed: tlsv1 alert unknown ca$/)
  })

  test('keeps text from outside from the terminal, and to the page', () => {
    const hostile = '\x1b[2J\u202eevil'.repeat(40)
    const visit = {
      at: '2026-11-21T12:00:00.000Z',
      helo: hostile,
      tls: { version: 'TLSv1.3', cipher: 'X', sni: hostile },
      tlsError: hostile,
      came: 'mail-commands' as const,
      mails: [{ from: hostile, over: 'tls' as const, accepted: [hostile], refused: [], content: null }],
    }
    const dns = { address: '127.0.0.1', port: 5353, questions: 9, newest: [`${hostile} A`] }
    const text = statusText(
      status([host('mx.a.example', { visits: 1, newest: [visit] })], { dns }),
      nowMs,
      context,
    )
    expect(text).not.toMatch(/[\x1b\u202e]/)
    expect(widest(text)).toBeLessThanOrEqual(100)
  })
})

describe('lab down', () => {
  test.each([
    [{ ended: null, removed: [], inside: [] }, 'No lab of this user was up.'],
    [{ ended: { pid: 7, namespace: null }, removed: [], inside: [] }, 'The lab has ended (process 7).'],
    [{ ended: { pid: null, namespace: null }, removed: [], inside: [] }, 'The lab has ended.'],
    [
      { ended: { pid: 7, namespace: 'x' }, removed: [], inside: [8, 9] },
      'The lab has ended (process 7), and so has its network namespace x.\n' +
        'Still running that were started in it, without a way out: 2 processes (8, 9).',
    ],
    [
      { ended: null, removed: [{ namespace: 'x', says: ['More.'] }], inside: [] },
      'What a lab had left that did not end in order is removed: network namespace x.\nMore.',
    ],
  ])('%j', (document, text) => {
    expect(downText(document)).toBe(text)
  })
})
