/** Postfix in every combination of TLS and PIPELINING, both directions; the bytes are compared at the end. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestAuthority, type TestCertificate, testAuthority } from '../support/certificates.ts'
import { corpus, withoutTrace } from '../support/corpus.ts'
import { startHermetic, temporaryDirectory } from '../support/hermetic.ts'
import { freePort, until } from '../support/process.ts'
import { type Sink, startSink } from '../support/sink.ts'
import { submit } from '../support/source.ts'
import { startPostfix } from './support/postfix.ts'

const directory = temporaryDirectory('postfix')
let authority: TestAuthority
let certificate: TestCertificate
let number = 0

beforeAll(async () => {
  authority = await testAuthority(join(directory.path, 'ca'))
  certificate = await authority.leaf('postfix.test.example', ['postfix.test.example', '127.0.0.1'])
})
afterAll(() => directory.remove())

async function sendCorpus(port: number, sink: Sink): Promise<void> {
  for (const sample of corpus)
    await submit(port, sample.content, sample.eightBit ? { parameters: ' BODY=8BITMIME' } : {})
  await until(() => sink.received.length >= corpus.length, 'the whole corpus has arrived', 60_000)
}

function compareCorpus(sink: Sink): void {
  expect(sink.received).toHaveLength(corpus.length)
  for (const sample of corpus) {
    const arrived = sink.received.some(each => withoutTrace(each.content).equals(sample.content))
    expect(arrived, `${sample.name} arrived byte for byte`).toBe(true)
  }
}

const combinations = (['none', 'starttls', 'implicit'] as const).flatMap(tls =>
  ([true, false] as const).map(pipelining => ({ tls, pipelining })),
)

describe('Hermetic sends to Postfix', () => {
  test.for(combinations)('TLS $tls, PIPELINING $pipelining', async ({ tls, pipelining }) => {
    const here = join(directory.path, `out-${++number}`)
    const sink = await startSink()
    const plainPort = await freePort()
    const implicitPort = await freePort()
    const postfix = await startPostfix({
      directory: join(here, 'postfix'),
      port: plainPort,
      ...(tls === 'implicit' ? { implicitTlsPort: implicitPort } : {}),
      main: {
        relayhost: `[127.0.0.1]:${sink.port}`,
        ...(pipelining ? {} : { smtpd_discard_ehlo_keywords: 'pipelining' }),
        ...(tls === 'none'
          ? {}
          : {
              smtpd_tls_security_level: 'encrypt',
              smtpd_tls_chain_files: `${certificate.key}, ${certificate.chain}`,
              smtpd_tls_loglevel: '1',
            }),
      },
    })
    const hermetic = await startHermetic({
      directory: here,
      yaml: [
        'routes:',
        `  - name: postfix`,
        `    to: { host: 127.0.0.1, port: ${tls === 'implicit' ? implicitPort : plainPort}${tls === 'implicit' ? ', implicit_tls: true' : ''}${tls === 'none' ? '' : `, roots: ${authority.roots}`} }`,
        `    tls: ${tls === 'none' ? 'none' : 'verify'}`,
      ],
    })
    try {
      await sendCorpus(hermetic.port, sink)
      compareCorpus(sink)
      expect(hermetic.log()).toMatch(tls === 'none' ? / V=clear / : / N=configured V=pkix X=TLSv1\.3/)
      expect(postfix.log().includes('TLS connection established from')).toBe(tls !== 'none')
    } finally {
      await hermetic.stop()
      await postfix.stop()
      await sink.stop()
    }
  })
})

describe('Postfix sends to Hermetic', () => {
  test.for(combinations)('TLS $tls, PIPELINING $pipelining', async ({ tls, pipelining }) => {
    const here = join(directory.path, `in-${++number}`)
    const sink = await startSink()
    const hermetic = await startHermetic({
      directory: here,
      tls,
      yaml: [
        `tls: { certificates: [{ chain: ${certificate.chain}, key: ${certificate.key} }] }`,
        'routes:',
        `  - { name: sink, to: { host: 127.0.0.1, port: ${sink.port} } }`,
      ],
    })
    const postfix = await startPostfix({
      directory: join(here, 'postfix'),
      port: await freePort(),
      main: {
        relayhost: `[127.0.0.1]:${hermetic.port}`,
        ...(pipelining ? {} : { smtp_discard_ehlo_keywords: 'pipelining' }),
        smtp_tls_security_level: tls === 'none' ? 'none' : 'secure',
        ...(tls === 'implicit' ? { smtp_tls_wrappermode: 'yes' } : {}),
        smtp_tls_secure_cert_match: 'postfix.test.example',
        smtp_tls_CAfile: authority.roots,
        smtp_tls_loglevel: '1',
      },
    })
    try {
      await sendCorpus(postfix.port, sink)
      compareCorpus(sink)
      const log = hermetic.log()
      expect(log).toMatch(
        tls === 'none' ? /<= ada@source\.example .* P=esmtp / : /<= ada@source\.example .* P=esmtps X=TLSv1\.3/,
      )
      if (tls !== 'none') expect(postfix.log()).toContain('Verified TLS connection established to')
      const trace = sink.received[0]?.content.toString('latin1') ?? ''
      expect(trace).toMatch(tls === 'none' ? /with ESMTP\b/ : /with ESMTPS\b/)
    } finally {
      await postfix.stop()
      await hermetic.stop()
      await sink.stop()
    }
  })
})
