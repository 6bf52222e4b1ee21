/** Hermetic delivers to other people's servers, once in clear and once over TLS: Exim (GnuTLS), OpenSMTPD, smtp-sink. The bytes are compared at the end. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestAuthority, type TestCertificate, testAuthority } from '../support/certificates.ts'
import { corpus, withoutTrace } from '../support/corpus.ts'
import { startHermetic, temporaryDirectory } from '../support/hermetic.ts'
import { freePort, listening, must, start, until } from '../support/process.ts'
import { startSink } from '../support/sink.ts'
import { submit } from '../support/source.ts'
import { startExim } from './support/exim.ts'
import { startOpenSmtpd } from './support/opensmtpd.ts'

const directory = temporaryDirectory('servers')
let authority: TestAuthority
let certificate: TestCertificate

beforeAll(async () => {
  authority = await testAuthority(join(directory.path, 'ca'))
  certificate = await authority.leaf('mx.test.example', ['mx.test.example', '127.0.0.1'])
})
afterAll(() => directory.remove())

const ways = [{ tls: false }, { tls: true }] as const
const plain = corpus[0]?.content ?? Buffer.alloc(0)

function hermeticTo(name: string, port: number, level: 'none' | 'opportunistic' | 'verify') {
  return startHermetic({
    directory: join(directory.path, name),
    yaml: [
      'routes:',
      `  - name: peer`,
      `    to: { host: 127.0.0.1, port: ${port}${level === 'verify' ? `, roots: ${authority.roots}` : ''} }`,
      `    tls: ${level}`,
    ],
  })
}

describe('Exim with GnuTLS', () => {
  test.for(ways)('TLS $tls', async ({ tls }) => {
    const exim = await startExim({
      directory: join(directory.path, `exim-${tls}`),
      ...(tls ? { certificate } : {}),
    })
    const hermetic = await hermeticTo(`to-exim-${tls}`, exim.port, tls ? 'verify' : 'none')
    try {
      await submit(hermetic.port, plain)
      await until(
        () => readFileSync(exim.mailbox, 'latin1').includes('MESSAGE-END'),
        'Exim has stored the message',
      )
      const stored = readFileSync(exim.mailbox, 'latin1').replaceAll('\n', '\r\n')
      expect(stored).toContain(plain.toString('latin1'))
      expect(exim.log()).toMatch(
        tls ? /<= ada@source\.example .*X=TLS1\.3/ : /<= ada@source\.example .*P=esmtp S=/,
      )
      expect(hermetic.log()).toMatch(tls ? / V=pkix X=TLSv1\.3/ : / V=clear /)
    } finally {
      await hermetic.stop()
      await exim.stop()
    }
  })
})

test('OpenSMTPD in clear', async () => {
  const sink = await startSink()
  const opensmtpd = await startOpenSmtpd({
    directory: join(directory.path, 'opensmtpd-clear'),
    relay: `smtp+notls://127.0.0.1:${sink.port}`,
  })
  const hermetic = await hermeticTo('to-opensmtpd-clear', opensmtpd.port, 'none')
  try {
    await submit(hermetic.port, plain)
    await until(() => sink.received.length > 0, 'OpenSMTPD has passed the message on')
    expect(withoutTrace(sink.received[0]?.content ?? Buffer.alloc(0)).equals(plain)).toBe(true)
    expect(hermetic.log()).toMatch(/ V=clear /)
  } finally {
    await hermetic.stop()
    await opensmtpd.stop()
    await sink.stop()
  }
})

// Debian 12's OpenSMTPD 6.8.0p2 was not made for OpenSSL 3: it offers STARTTLS and then fails every handshake, openssl s_client's too
// (OpenSMTPD issues 1171 and 1239; `SSL routines::EVP lib` in its log). A real example of a broken peer, so this is what is tested with it.
describe('OpenSMTPD that offers STARTTLS and cannot do TLS', () => {
  test('at level verify the message waits, and the reason is the peer’s alert', async () => {
    const opensmtpd = await startOpenSmtpd({
      directory: join(directory.path, 'opensmtpd-verify'),
      relay: 'smtp+notls://127.0.0.1:9',
      certificate,
    })
    const hermetic = await hermeticTo('to-opensmtpd-verify', opensmtpd.port, 'verify')
    try {
      await submit(hermetic.port, plain)
      await until(() => / == bob@sink\.example .* tls\.alert/.test(hermetic.log()), 'the message is deferred')
      expect(opensmtpd.log()).toContain('SSL routines::')
      expect(opensmtpd.log()).not.toContain('smtp message')
    } finally {
      await hermetic.stop()
      await opensmtpd.stop()
    }
  })

  test('at level opportunistic it is delivered in clear, but only by a later attempt, and the log says why', async () => {
    const sink = await startSink()
    const opensmtpd = await startOpenSmtpd({
      directory: join(directory.path, 'opensmtpd-may'),
      relay: `smtp+notls://127.0.0.1:${sink.port}`,
      certificate,
    })
    const hermetic = await hermeticTo('to-opensmtpd-may', opensmtpd.port, 'opportunistic')
    try {
      await submit(hermetic.port, plain)
      await until(() => sink.received.length > 0, 'OpenSMTPD has passed the message on')
      const log = hermetic.log()
      expect(log.indexOf(' == bob@sink.example ')).toBeGreaterThan(0)
      expect(log.indexOf(' => bob@sink.example ')).toBeGreaterThan(log.indexOf(' == bob@sink.example '))
      expect(log).toMatch(/ => bob@sink\.example .* V=clear /)
    } finally {
      await hermetic.stop()
      await opensmtpd.stop()
      await sink.stop()
    }
  })
})

test('smtp-sink, with and without PIPELINING', async () => {
  for (const options of [[], ['-p']]) {
    const port = await freePort()
    const sink = start('smtp-sink', [
      ...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []),
      ...options,
      '-c',
      `127.0.0.1:${port}`,
      '100',
    ])
    await listening(port)
    const hermetic = await hermeticTo(`to-sink-${options.length}`, port, 'none')
    try {
      await must('smtp-source', [
        ...['-s', '5', '-m', '50', '-l', '4096', '-f', 'ada@source.example', '-t', 'bob@sink.example'],
        `127.0.0.1:${hermetic.port}`,
      ])
      await until(() => sink.output().includes('mesg=50'), 'fifty messages are in the sink')
    } finally {
      await hermetic.stop()
      await sink.stop()
    }
  }
})
