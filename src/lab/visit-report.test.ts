import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { createAuthority } from '../system/certificate-maker.ts'
import { converse } from './client.ts'
import { type HostKnobs, type LabHost, ordinaryHost, startHost, type Visit } from './host.ts'
import { reportVisit } from './visit-report.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

async function hostWith(knobs: Partial<HostKnobs> = {}): Promise<LabHost> {
  const authority = await createAuthority({ commonName: 'CA' })
  const certificate = await authority.leaf({ names: ['mx.test.example'] })
  const host = await startHost({ ...ordinaryHost, name: 'mx.test.example', ...knobs }, certificate)
  open.push(host)
  return host
}

async function visited(host: LabHost, lines: readonly string[]): Promise<Visit> {
  const client = await converse(host.address, host.port)
  await client.reply()
  for (const line of lines) await client.ask(line)
  client.close()
  const visit = host.visits.at(-1)
  if (visit === undefined) throw new Error('somebody was there')
  return visit
}

describe('a visit', () => {
  test('that says hello and goes is told as that', async () => {
    const host = await hostWith()
    expect(reportVisit(await visited(host, ['EHLO box.example']))).toEqual({
      helo: 'box.example',
      tls: null,
      at: expect.stringMatching(/^20\d\d-\d\d-\d\dT/) as string,
      tlsError: null,
      came: 'left',
      mails: [],
    })
  })

  test('that ends during the handshake is told as that', async () => {
    const host = await hostWith()
    const report = reportVisit(await visited(host, ['EHLO box.example', 'STARTTLS']))
    expect(report).toMatchObject({ came: 'left-during-tls', tls: null, mails: [] })
  })

  test('tells each sender, and which recipients were accepted', async () => {
    const host = await hostWith({ refusedRecipients: ['eve@test.example'] })
    const visit = await visited(host, [
      'EHLO box.example',
      'MAIL FROM:<>',
      'RCPT TO:<eve@test.example>',
      'RCPT TO:<bob@test.example> NOTIFY=NEVER',
      'RSET',
      'MAIL FROM:<ada@box.example> SIZE=3',
      'RCPT TO:<bob@test.example>',
      'DATA',
      'x\r\n.',
    ])
    expect(reportVisit(visit)).toMatchObject({
      came: 'delivered',
      mails: [
        { from: '', over: 'clear', accepted: ['bob@test.example'], refused: ['eve@test.example'], content: null },
        { from: 'ada@box.example', over: 'clear', accepted: ['bob@test.example'], refused: [], content: 'kept' },
      ],
    })
  })

  test('without a message that was kept has mail commands only', async () => {
    const host = await hostWith()
    const report = reportVisit(await visited(host, ['EHLO box.example', 'MAIL FROM:<a@b.example>']))
    expect(report).toMatchObject({ came: 'mail-commands', mails: [{ from: 'a@b.example', content: null }] })
  })
})

test('what went wrong with TLS is told by its reason, without threads and files of OpenSSL', async () => {
  const host = await hostWith()
  const socket = connect(host.port, host.address)
  socket.on('error', () => {})
  for (const line of ['EHLO box.example\r\n', 'STARTTLS\r\n']) {
    await once(socket, 'data')
    socket.write(line)
  }
  await once(socket, 'data')
  // The host has a key of another kind.
  const client = tlsConnect({ socket, rejectUnauthorized: false, sigalgs: 'rsa_pss_rsae_sha256' })
  await expect(once(client, 'secureConnect')).rejects.toThrow('handshake failure')
  const [visit] = host.visits
  if (visit === undefined) throw new Error('somebody was there')
  expect(reportVisit(visit)).toMatchObject({
    came: 'left-during-tls',
    tlsError: 'no suitable signature algorithm',
  })
})

const blank: Visit = {
  host: 'mx.test.example',
  transcript: [],
  tls: null,
  clear: [],
  secured: [],
  afterInjection: 0,
  atMs: Date.UTC(2026, 10, 21),
  tlsError: null,
}
const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', sni: 'mx.test.example' }

describe('what a visit comes to', () => {
  test('a handshake with nothing behind it', () => {
    const visit = { ...blank, tls, clear: ['EHLO a.example', 'STARTTLS'], secured: ['EHLO b.example', 'QUIT'] }
    expect(reportVisit(visit)).toMatchObject({ came: 'left-after-tls', tls, helo: 'b.example' })
  })

  test('mail inside TLS is told as such', () => {
    const transcript = [
      'S: 220 mx ESMTP',
      'C: EHLO a.example',
      'S: 250-mx',
      'S: 250 STARTTLS',
      'C: STARTTLS',
      'S: 220 2.0.0 Go on',
      'C: EHLO a.example',
      'S: 250 mx',
      'C: MAIL FROM:<a@b.example>',
      'S: 250 2.1.0 Sender fine',
      'C: RCPT TO:<c@d.example>',
      'S: 250 2.1.5 Recipient fine',
      'C: DATA',
      'S: 354 Go on',
      'C: (12 octets of content)',
      'S: 250 2.0.0 Kept',
    ]
    const report = reportVisit({ ...blank, tls, transcript, clear: ['EHLO a.example', 'STARTTLS'] })
    expect(report.mails).toEqual([
      { from: 'a@b.example', over: 'tls', accepted: ['c@d.example'], refused: [], content: 'kept' },
    ])
  })

  test('is cut where a client says very much', () => {
    const one = ['C: MAIL FROM:<>', 'S: 250 fine', 'C: RSET', 'S: 250 gone']
    const transcript = Array.from({ length: 1_000 }, () => one).flat()
    const report = reportVisit({ ...blank, transcript, clear: [`EHLO ${'x'.repeat(10_000)}`] })
    expect(report.mails).toHaveLength(20)
    expect(report.helo?.length).toBe(256)
  })
})
