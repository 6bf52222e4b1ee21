/** Other people's clients send through Hermetic, once in clear and once over TLS: swaks, nodemailer, openssl s_client, gnutls-cli, smtp-source, Exim, OpenSMTPD. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import nodemailer from 'nodemailer'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type TestAuthority, type TestCertificate, testAuthority } from '../support/certificates.ts'
import { corpus, withoutTrace } from '../support/corpus.ts'
import { type Started, startHermetic, temporaryDirectory } from '../support/hermetic.ts'
import { must, until } from '../support/process.ts'
import { type Sink, startSink } from '../support/sink.ts'
import { submit } from '../support/source.ts'
import { startExim } from './support/exim.ts'
import { startOpenSmtpd } from './support/opensmtpd.ts'

const directory = temporaryDirectory('clients')
let authority: TestAuthority
let certificate: TestCertificate
let sink: Sink
let hermetic: Started

beforeAll(async () => {
  authority = await testAuthority(join(directory.path, 'ca'))
  certificate = await authority.leaf('hermetic.test.example', ['hermetic.test.example', 'localhost', '127.0.0.1'])
  sink = await startSink()
  hermetic = await startHermetic({
    directory: join(directory.path, 'hermetic'),
    yaml: [
      `tls: { certificates: [{ chain: ${certificate.chain}, key: ${certificate.key} }] }`,
      'routes:',
      `  - { name: sink, to: { host: 127.0.0.1, port: ${sink.port} } }`,
    ],
  })
})
afterAll(async () => {
  await hermetic?.stop()
  await sink?.stop()
  directory.remove()
})
afterEach(() => {
  sink.received.length = 0
})

const plain = corpus[0]?.content ?? Buffer.alloc(0)
const ways = [{ tls: false }, { tls: true }] as const

async function arrivedWhole(tls: boolean, content: Buffer = plain): Promise<void> {
  await until(() => sink.received.length > 0, 'the message has arrived')
  expect(withoutTrace(sink.received[0]?.content ?? Buffer.alloc(0)).toString('latin1')).toBe(
    content.toString('latin1'),
  )
  expect(sink.received[0]?.content.toString('latin1')).toMatch(
    tls ? /with (UTF8SMTPS|ESMTPS)\b/ : /with (ESMTP|SMTP|UTF8SMTP)\b/,
  )
}

describe('swaks', () => {
  test.for(ways)('TLS $tls', async ({ tls }) => {
    const file = join(directory.path, 'swaks.eml')
    writeFileSync(file, plain.toString('latin1').replaceAll('\r\n', '\n'))
    await must('swaks', [
      ...['--server', `127.0.0.1:${hermetic.port}`, '--from', 'ada@source.example', '--to', 'bob@sink.example'],
      ...['--data', `@${file}`, '--suppress-data'],
      ...(tls ? ['--tls'] : []),
    ])
    // swaks ends the content with one line end of its own.
    await arrivedWhole(tls, Buffer.concat([plain, Buffer.from('\r\n')]))
  })
})

describe('nodemailer', () => {
  test.for(ways)('TLS $tls', async ({ tls }) => {
    const transport = nodemailer.createTransport({
      host: 'localhost',
      port: hermetic.port,
      ignoreTLS: !tls,
      requireTLS: tls,
      tls: { ca: (await import('node:fs')).readFileSync(authority.roots) },
    })
    await transport.sendMail({ envelope: { from: 'ada@source.example', to: 'bob@sink.example' }, raw: plain })
    transport.close()
    await arrivedWhole(tls)
  })
})

/** Feeds lines to a client that talks TLS itself: the first at once, then one for each reply. */
function dialogue(command: string, args: readonly string[], lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let text = ''
    let errors = ''
    const left = [...lines]
    let mark = 0
    child.stdin.write(left.shift() ?? '')
    const deadline = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${command} hangs: ${text}\n${errors}`))
    }, 20_000)
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString('latin1')
    })
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      for (;;) {
        const reply = /(?:^|\n)[2-5]\d\d [^\n]*\n/.exec(text.slice(mark))
        if (reply === null) return
        mark += reply.index + reply[0].length
        const line = left.shift()
        if (line === undefined) child.stdin.end()
        else child.stdin.write(line)
      }
    })
    child.on('close', () => {
      clearTimeout(deadline)
      resolve(text)
    })
    child.on('error', reject)
  })
}

const steps = [
  'MAIL FROM:<ada@source.example>\r\n',
  'rcpt TO:<bob@sink.example>\r\n',
  'DATA\r\n',
  `${plain.toString('latin1')}.\r\n`,
  'QUIT\r\n',
]

test('openssl s_client -starttls smtp, and it verifies our certificate', async () => {
  const text = await dialogue(
    'openssl',
    [
      ...['s_client', '-starttls', 'smtp', '-connect', `127.0.0.1:${hermetic.port}`, '-quiet'],
      ...['-CAfile', authority.roots, '-verify_return_error', '-verify_hostname', 'hermetic.test.example'],
    ],
    ['EHLO openssl.example\r\n', ...steps],
  )
  expect(text).toMatch(/250 2\.0\.0 /)
  await arrivedWhole(true)
})

test('gnutls-cli --starttls-proto=smtp, and it verifies our certificate', async () => {
  const child = spawn(
    'gnutls-cli',
    [
      ...['--starttls-proto=smtp', '--x509cafile', authority.roots, '--verify-hostname=hermetic.test.example'],
      ...['-p', String(hermetic.port), '127.0.0.1'],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  const reply = async (pattern: RegExp) =>
    until(() => pattern.test(text), `gnutls-cli shows ${pattern}: ${text}`, 15_000)
  await reply(/Handshake was completed|Simple Client Mode/)
  for (const [line, pattern] of [
    ['EHLO gnutls.example\r\n', /250 ENHANCEDSTATUSCODES|250 SMTPUTF8|250 \w+\r?\n/],
    [steps[0] ?? '', /250 2\.1\.0/],
    [steps[1] ?? '', /250 2\.1\.5/],
    [steps[2] ?? '', /354 /],
    [steps[3] ?? '', /250 2\.0\.0/],
    [steps[4] ?? '', /221 /],
  ] as const) {
    child.stdin.write(line)
    await reply(pattern)
  }
  child.stdin.end()
  expect(text).toMatch(/Status: The certificate is trusted/)
  await arrivedWhole(true)
})

test('smtp-source, two hundred messages over twenty sessions', async () => {
  await must('smtp-source', [
    ...['-s', '20', '-m', '200', '-l', '4096', '-f', 'ada@source.example', '-t', 'bob@sink.example'],
    `127.0.0.1:${hermetic.port}`,
  ])
  await until(() => sink.received.length >= 200, 'all two hundred have arrived')
  expect(sink.received).toHaveLength(200)
})

describe('Exim with GnuTLS', () => {
  test.for(ways)('TLS $tls', async ({ tls }) => {
    const exim = await startExim({
      directory: join(directory.path, `exim-${tls}`),
      smarthost: {
        port: hermetic.port,
        transport: tls
          ? [
              'hosts_require_tls = *',
              `tls_verify_certificates = ${authority.roots}`,
              'tls_verify_hosts = *',
              'tls_verify_cert_hostnames = :',
            ]
          : ['hosts_avoid_tls = *'],
      },
    })
    try {
      await submit(exim.port, plain)
      await arrivedWhole(tls)
      expect(exim.log()).toMatch(tls ? /=> bob@sink\.example .*X=TLS1\.3.* CV=yes/ : /=> bob@sink\.example /)
    } finally {
      await exim.stop()
    }
  })
})

describe('OpenSMTPD', () => {
  test.for(ways)('TLS $tls', async ({ tls }) => {
    const opensmtpd = await startOpenSmtpd({
      directory: join(directory.path, `opensmtpd-${tls}`),
      relay: `${tls ? 'smtp+tls' : 'smtp+notls'}://127.0.0.1:${hermetic.port}${tls ? ' tls no-verify' : ''}`,
    })
    try {
      await submit(opensmtpd.port, plain)
      await arrivedWhole(tls)
    } finally {
      await opensmtpd.stop()
    }
  })
})
