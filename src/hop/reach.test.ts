import { createDiffieHellmanGroup } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Level } from '../judgement/plan.ts'
import { defaultClientTimeouts } from '../protocol/smtp/client.ts'
import { type Authority, type Certified, createAuthority, createSelfSigned } from '../system/certificate-maker.ts'
import { type ScriptedPeer, type ScriptedServer, serve } from './testing/scripted-server.ts'
import {
  a,
  channelOf,
  firstOf,
  mail,
  memory,
  mx,
  reachFirst,
  route,
  workbench,
  zone,
} from './testing/workbench.ts'
import type { Destination, Reached } from './types.ts'

/** PEM of PKCS #3 DHParameter: SEQUENCE { prime, base 2 }. */
function dhParameters(prime: Buffer): string {
  const integer = Buffer.concat([Buffer.from([0x02, 0x81, prime.length + 1, 0x00]), prime])
  const body = Buffer.concat([integer, Buffer.from([0x02, 0x01, 0x02])])
  const der = Buffer.concat([Buffer.from([0x30, 0x81, body.length]), body])
  return `-----BEGIN DH PARAMETERS-----\n${der.toString('base64')}\n-----END DH PARAMETERS-----\n`
}

let authority: Authority
let good: Certified
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  authority = await createAuthority({ commonName: 'Test root' })
  good = await authority.leaf({ names: ['mail.example'] })
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function server(script: (peer: ScriptedPeer, index: number) => Promise<void>): Promise<ScriptedServer> {
  const made = await serve(script)
  closing.push(() => made.close())
  return made
}

const trusting = (level: Level) => route(level, { roots: authority.root })

/** Greeting, EHLO with STARTTLS, and what follows it. */
const offering = (then: (peer: ScriptedPeer) => Promise<void>) => async (peer: ScriptedPeer) => {
  peer.send('220 mail.example ESMTP\r\n')
  await peer.answer('EHLO', '250-mail.example\r\n250-PIPELINING\r\n250 STARTTLS')
  await then(peer)
}

/** STARTTLS and a whole conversation inside. */
const secure = (certificate: () => Certified, options: object = {}) =>
  offering(async peer => {
    await peer.answer('STARTTLS', '220 go ahead')
    await peer.startTls(certificate(), options)
    await peer.answer('EHLO', '250-mail.example\r\n250 SIZE 1000')
    await peer.answer('MAIL', '250 ok')
    await peer.answer('RCPT', '250 ok')
    await peer.answer('DATA', '354 ok')
    await peer.content()
    peer.send('250 ok\r\n')
    await peer.gone()
  })

function bench(port: number, options: Parameters<typeof workbench>[1] = {}) {
  const made = workbench(port, options)
  closing.push(() => made.hop.close())
  return made
}

function failureOf(reached: Reached) {
  if (reached.kind === 'channel') throw new Error('a channel came about')
  return reached.failure
}

describe('level verify', () => {
  test('a peer with the right name and a trusted path is authenticated, and only then hears EHLO again', async () => {
    const peers = await server(secure(() => good))
    const { hop } = bench(peers.port)
    const reached = await reachFirst(hop, trusting('verify'))
    const channel = channelOf(reached)
    expect(channel.authenticated).toBe(true)
    expect(channel.verdict).toEqual({
      kind: 'authenticated',
      name: 'configured',
      by: 'pkix',
      matched: 'mail.example',
      record: null,
    })
    expect(channel.tls).toMatch(/^TLSv1\.3 TLS_/)
    expect(channel.offers.sizeBytes).toBe(1000)
    expect(peers.peers[0]?.sni).toBe('mail.example')
    expect((await channel.send(mail('x\r\n'))).recipients[0]).toMatchObject({ kind: 'delivered' })
    const { session } = reached
    expect(session.tls).toMatchObject({
      outcome: 'established',
      group: 'X25519MLKEM768',
      sni: 'mail.example',
      openssl: { authorized: true, error: null },
      chain: [{ position: 0, subject: 'CN=mail.example', issuer: 'CN=Test root', key: 'EC P-256' }],
    })
    expect(session.smtp.offered).toEqual({ clear: ['PIPELINING', 'STARTTLS'], tls: ['SIZE 1000'] })
    expect(session.verdict?.says).toBe('The peer proved itself for mail.example (pkix).')
    expect(session.findings).toEqual([])
  })

  test('case 3: behind an alias the operator’s name is verified and sent as SNI, never the target', async () => {
    const wildcard = await authority.leaf({ names: ['*.dev.example'] })
    const peers = await server(secure(() => wildcard))
    const resolver = zone(
      { 'mail.example.local A': [a('192.0.2.6')] },
      { 'mail.dev.example': 'mail.example.local' },
    )
    const { hop } = bench(peers.port, { resolver })
    const destination = route('verify', { roots: authority.root, hosts: [{ name: 'mail.dev.example', port: 25 }] })
    const [candidate, itinerary] = await firstOf(hop, destination)
    expect(candidate.aliases).toEqual(['mail.example.local'])
    expect(candidate.plan.references).toEqual([{ name: 'mail.dev.example', from: 'operator' }])
    const channel = channelOf(await hop.reach(candidate, itinerary))
    expect(channel.verdict).toMatchObject({ kind: 'authenticated', matched: '*.dev.example' })
    expect(peers.peers[0]?.sni).toBe('mail.dev.example')
  })

  test('case 3, the other way round: a certificate for the target of the alias proves nothing', async () => {
    const target = await authority.leaf({ names: ['mail.example.local'] })
    const peers = await server(secure(() => target))
    const resolver = zone(
      { 'mail.example.local A': [a('192.0.2.6')] },
      { 'mail.dev.example': 'mail.example.local' },
    )
    const { hop } = bench(peers.port, { resolver })
    const destination = route('verify', { roots: authority.root, hosts: [{ name: 'mail.dev.example', port: 25 }] })
    expect(failureOf(await reachFirst(hop, destination)).reason).toBe('x509.name-mismatch')
  })

  const day = 86_400_000
  const bad: [string, () => Promise<Certified>, RegExp][] = [
    [
      'x509.name-mismatch',
      () => authority.leaf({ names: ['other.example'] }),
      /wanted mail\.example; it carries other\.example/,
    ],
    ['x509.name-mismatch', () => authority.leaf({ commonName: 'mail.example', names: [] }), /carries no name/],
    [
      'x509.expired',
      () =>
        authority.leaf({
          names: ['mail.example'],
          notBeforeMs: Date.now() - 3 * day,
          notAfterMs: Date.now() - day,
        }),
      /CN=mail\.example: it ended 20/,
    ],
    [
      'x509.not-yet-valid',
      () => authority.leaf({ names: ['mail.example'], notBeforeMs: Date.now() + day }),
      /CN=mail\.example: it begins 20/,
    ],
    ['x509.self-signed', () => createSelfSigned({ names: ['mail.example'] }), /CN=mail\.example/],
    [
      'x509.missing-intermediate',
      async () => {
        const between = await authority.intermediate({ commonName: 'Between' })
        const leaf = await between.leaf({ names: ['mail.example'] })
        return { ...leaf, chain: leaf.certificate }
      },
      /^CN=Between$/,
    ],
    [
      'x509.untrusted-root',
      async () => {
        const strange = await createAuthority({ commonName: 'Strange root' })
        const leaf = await (await strange.intermediate({ commonName: 'Strange' })).leaf({
          names: ['mail.example'],
        })
        return { ...leaf, chain: leaf.chain + strange.root }
      },
      /^CN=Strange root$/,
    ],
    [
      'x509.untrusted-root',
      async () => {
        const strange = await createAuthority({ commonName: 'Strange root' })
        return (await strange.intermediate({ commonName: 'Strange' })).leaf({ names: ['mail.example'] })
      },
      /^CN=Strange root$/,
    ],
    [
      'x509.extended-key-usage',
      () => authority.leaf({ names: ['mail.example'], extendedKeyUsage: ['clientAuth'] }),
      /^CN=mail\.example: it is for /,
    ],
  ]
  test.each(bad)('%s: nothing is said after the handshake', async (reason, make, detail) => {
    const certificate = await make()
    const peers = await server(secure(() => certificate))
    const { hop, knowledge } = bench(peers.port)
    const reached = await reachFirst(hop, trusting('verify'))
    const failure = failureOf(reached)
    expect(failure.reason).toBe(reason)
    expect(failure.detail).toMatch(detail)
    expect(reached.session.verdict).toMatchObject({ kind: 'refused', peer: null })
    expect(reached.session.findings[0]).toMatchObject({
      code: reason,
      culprit: 'peer',
      condemns: 'host',
      lasting: 'for-now',
    })
    await peers.peers[0]?.gone()
    expect(peers.peers[0]?.lines).toEqual(['EHLO relay.example', 'STARTTLS'])
    // The host answers; it is only not to be trusted. Other routes may still use it.
    expect(knowledge.hints()).toEqual([])
  })

  test.each<[string, (made: { leaf: Certified; between: Authority }) => string]>([
    ['the intermediate', ({ between }) => between.certificate],
    ['the certificate of the host itself', ({ leaf }) => leaf.certificate],
  ])('%s is trusted where the operator says so', async (_what, pinned) => {
    const between = await authority.intermediate({ commonName: 'Between' })
    const leaf = await between.leaf({ names: ['mail.example'] })
    const peers = await server(secure(() => leaf))
    const { hop } = bench(peers.port)
    const reached = await reachFirst(hop, route('verify', { roots: pinned({ leaf, between }) }))
    expect(channelOf(reached).verdict).toMatchObject({ kind: 'authenticated', by: 'pkix' })
  })

  test('an intermediate behind a whole bundle of others is found', async () => {
    const between = await authority.intermediate({ commonName: 'Between' })
    const leaf = await between.leaf({ names: ['mail.example'] })
    const strangers = await Promise.all(
      Array.from({ length: 25 }, (_, i) => createAuthority({ commonName: `Stranger ${i}` })),
    )
    const chain = leaf.certificate + strangers.map(({ root }) => root).join('') + between.certificate
    const peers = await server(secure(() => ({ ...leaf, chain })))
    const { hop } = bench(peers.port)
    const reached = await reachFirst(hop, trusting('verify'))
    expect(channelOf(reached).verdict).toMatchObject({ kind: 'authenticated' })
    expect(reached.session.tls).toMatchObject({ sent: 27 })
    expect(reached.session.tls?.chain).toHaveLength(20)
  })

  test('the public roots do not vouch for a private authority', async () => {
    const peers = await server(secure(() => good))
    const { hop } = bench(peers.port)
    expect(failureOf(await reachFirst(hop, route('verify'))).reason).toBe('x509.missing-intermediate')
  })

  test('an MX name is proved as published, and the name axis stays unauthenticated', async () => {
    const peers = await server(secure(() => good))
    const resolver = zone({ 'example.net MX': [mx(10, 'mail.example')], 'mail.example A': [a('192.0.2.1')] })
    const { hop } = bench(peers.port, { resolver })
    const destination: Destination = { kind: 'mx', domain: 'example.net', level: 'verify' }
    const [candidate, itinerary] = await firstOf(hop, destination)
    expect(candidate.plan).toMatchObject({
      name: 'unauthenticated',
      references: [{ name: 'mail.example', from: 'mx-name' }],
    })
    // Only a route can bring roots of its own: against the public ones this fails on the path, and on nothing else.
    expect(failureOf(await hop.reach(candidate, itinerary)).reason).toBe('x509.missing-intermediate')
  })
})

describe('level encrypt', () => {
  test('a peer that proves nothing will do, and the document says what it failed to prove', async () => {
    const certificate = await createSelfSigned({ names: ['whatever.example'] })
    const peers = await server(secure(() => certificate))
    const { hop } = bench(peers.port)
    const reached = await reachFirst(hop, trusting('encrypt'))
    const channel = channelOf(reached)
    expect(channel.authenticated).toBe(false)
    expect(channel.verdict).toMatchObject({ kind: 'encrypted', wouldFail: { reason: 'x509.self-signed' } })
    expect(reached.session.findings).toMatchObject([{ code: 'x509.self-signed', severity: 'info' }])
  })

  test('without STARTTLS there is no mail', async () => {
    const peers = await server(async peer => {
      peer.send('220 hello\r\n')
      await peer.answer('EHLO', '250 mail.example')
      await peer.answer('QUIT', '221 bye')
    })
    const { hop } = bench(peers.port)
    const reached = await reachFirst(hop, trusting('encrypt'))
    expect(failureOf(reached).reason).toBe('starttls.not-offered')
    expect(reached.session.verdict?.kind).toBe('refused')
    await expect.poll(() => peers.peers[0]?.lines).toEqual(['EHLO relay.example', 'QUIT'])
  })

  test('where STARTTLS is refused there is none either', async () => {
    const peers = await server(
      offering(async peer => {
        await peer.answer('STARTTLS', '454 4.7.0 no certificate')
        await peer.gone()
      }),
    )
    const { hop } = bench(peers.port)
    expect(failureOf(await reachFirst(hop, trusting('encrypt')))).toMatchObject({
      reason: 'starttls.refused',
      reply: { code: 454 },
    })
  })
})

describe('level opportunistic', () => {
  test('a peer that could be authenticated is said to be', async () => {
    const peers = await server(secure(() => good))
    const { hop } = bench(peers.port)
    expect(channelOf(await reachFirst(hop, trusting('opportunistic'))).verdict).toMatchObject({
      kind: 'authenticated',
    })
  })

  test.each([
    ['not offered', '250 mail.example', 'not-offered'],
    ['refused', '250-mail.example\r\n250 STARTTLS', 'refused'],
  ])('STARTTLS %s: clear text on the same connection', async (_, hello, because) => {
    const peers = await server(async peer => {
      peer.send('220 hello\r\n')
      await peer.answer('EHLO', hello)
      if (because === 'refused') await peer.answer('STARTTLS', '454 4.7.0 not now')
      await peer.answer('MAIL', '250 ok')
      await peer.answer('RCPT', '250 ok')
      if (because === 'refused') await peer.answer('DATA', '354 ok')
      else await peer.answer('DATA', '354 ok')
      await peer.content()
      peer.send('250 ok\r\n')
    })
    const { hop } = bench(peers.port)
    const channel = channelOf(await reachFirst(hop, route('opportunistic')))
    expect(channel.verdict).toMatchObject({ kind: 'clear', because })
    expect(channel.tls).toBeNull()
    expect((await channel.send(mail('x\r\n'))).recipients[0]).toMatchObject({ kind: 'delivered' })
  })

  describe('after a failed handshake', () => {
    const broken = offering(async peer => {
      const line = await peer.line()
      if (line !== 'STARTTLS') return peer.end()
      peer.send('220 go ahead\r\n')
      await peer.bytes()
      peer.reset()
    })

    test('TLS is tried again, whoever asks: clear text is never remembered', async () => {
      const peers = await server(broken)
      const knowledge = memory()
      const { hop } = bench(peers.port, { knowledge })
      for (let i = 0; i < 3; i++)
        expect(failureOf(await reachFirst(hop, route('opportunistic'))).reason).toBe('tls.closed')
      expect(knowledge.hints()).toEqual([])
    })

    test('clear text is used for a message that this happened to before, and the document says why', async () => {
      const peers = await server(broken)
      const { hop } = bench(peers.port)
      const [candidate, itinerary] = await firstOf(hop, route('opportunistic'))
      const reached = await hop.reach(candidate, itinerary, 'after-failed-handshake')
      expect(channelOf(reached).verdict).toMatchObject({ kind: 'clear', because: 'handshake-failed-before' })
      expect(reached.session).toMatchObject({
        tls: null,
        failure: null,
        verdict: { kind: 'clear', peer: 'clear' },
        findings: [{ code: 'starttls.left-out', severity: 'warning', culprit: 'peer' }],
      })
    })

    test.each(['encrypt', 'verify'] as const)('level %s takes no clear text for any message', async level => {
      const peers = await server(broken)
      const { hop } = bench(peers.port)
      const [candidate, itinerary] = await firstOf(hop, route(level))
      expect(failureOf(await hop.reach(candidate, itinerary, 'after-failed-handshake')).reason).toBe('tls.closed')
    })
  })
})

describe('level none', () => {
  test('STARTTLS is not used although it is offered', async () => {
    const peers = await server(offering(peer => peer.gone()))
    const { hop } = bench(peers.port)
    expect(channelOf(await reachFirst(hop, route('none'))).verdict).toMatchObject({
      kind: 'clear',
      because: 'plan',
    })
    expect(peers.peers[0]?.lines).toEqual(['EHLO relay.example'])
  })
})

describe('TLS from the first byte', () => {
  test('is judged before the greeting is read', async () => {
    const peers = await server(async peer => {
      await peer.startTls(good)
      peer.send('220 hello\r\n')
      await peer.answer('EHLO', '250 mail.example')
      await peer.gone()
    })
    const { hop } = bench(peers.port)
    const reached = await reachFirst(hop, route('verify', { roots: authority.root, implicitTls: true }))
    expect(channelOf(reached).authenticated).toBe(true)
    expect(reached.session.smtp).toMatchObject({ greeting: { code: 220 }, offered: { clear: null, tls: [] } })
  })

  test('to a port that greets in clear text it is no TLS', async () => {
    const peers = await server(async peer => {
      peer.send('220 mail.example ESMTP ready for you\r\n')
      await peer.gone()
    })
    const { hop, knowledge } = bench(peers.port)
    const destination = route('opportunistic', { implicitTls: true })
    expect(failureOf(await reachFirst(hop, destination)).reason).toBe('tls.not-tls')
    // As with every address that does not answer, others are tried first for a while.
    expect(knowledge.hint('192.0.2.1:25')).toMatchObject({ reason: 'tls.not-tls' })
  })

  test('with a greeting that refuses it is of no use either, and the document keeps the verdict', async () => {
    const peers = await server(async peer => {
      await peer.startTls(good)
      peer.send('554 no\r\n')
      await peer.gone()
    })
    const { hop, knowledge } = bench(peers.port)
    const reached = await reachFirst(hop, route('verify', { roots: authority.root, implicitTls: true }))
    expect(failureOf(reached).reason).toBe('smtp.greeting-refused-for-good')
    expect(reached.session.verdict).toMatchObject({ kind: 'authenticated' })
    expect(knowledge.hint('192.0.2.1:25')).toMatchObject({ reason: 'smtp.greeting-refused-for-good' })
  })
})

describe('case 5, the client’s side', () => {
  test.each(['250 injected\r\n', '\x16\x03\x01', ' '])(
    '%j behind the 220 ends it, whatever the level',
    async text => {
      for (const level of ['opportunistic', 'verify'] as const) {
        const peers = await server(
          offering(async peer => {
            await peer.line()
            peer.send(`220 go ahead\r\n${text}`)
            await peer.gone()
          }),
        )
        const { hop } = bench(peers.port)
        const reached = await reachFirst(hop, trusting(level))
        expect(failureOf(reached)).toMatchObject({
          reason: 'starttls.bytes-after-220',
          detail: `${text.length} octets`,
        })
        expect(reached.session.findings[0]).toMatchObject({ condemns: 'host', severity: 'error' })
        await peers.peers[0]?.gone()
        expect(peers.peers[0]?.lines).toEqual(['EHLO relay.example', 'STARTTLS'])
      }
    },
  )

  test('clear text that comes a moment later reaches TLS only, which refuses it', async () => {
    const peers = await server(
      offering(async peer => {
        await peer.line()
        peer.send('220 go ahead\r\n')
        await peer.bytes()
        peer.send('250 injected reply\r\n')
        await peer.gone()
      }),
    )
    const { hop } = bench(peers.port)
    expect(failureOf(await reachFirst(hop, trusting('opportunistic'))).reason).toBe('tls.not-tls')
  })

  test('what was offered in clear text is forgotten', async () => {
    const peers = await server(
      offering(async peer => {
        await peer.answer('STARTTLS', '220 go ahead')
        await peer.startTls(good)
        await peer.answer('EHLO', '250 mail.example')
        await peer.gone()
      }),
    )
    const { hop } = bench(peers.port)
    expect(channelOf(await reachFirst(hop, trusting('verify'))).offers.pipelining).toBe(false)
  })
})

describe('handshakes that fail say why', () => {
  test.each([
    ['tls.no-common-version', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }, null],
    ['tls.alert', { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }, /alert/],
  ])('%s', async (reason, options, detail) => {
    const peers = await server(secure(() => good, options))
    const { hop } = bench(peers.port)
    const reached = await reachFirst(hop, trusting('verify'))
    expect(failureOf(reached).reason).toBe(reason)
    if (detail !== null) expect(failureOf(reached).detail).toMatch(detail)
    expect(reached.session.tls).toMatchObject({
      outcome: 'failed',
      sni: 'mail.example',
      failure: { code: reason },
    })
  })

  test('case 4: a Diffie-Hellman prime of 1024 bits', async () => {
    const leaf = await authority.leaf({ names: ['mail.example'], key: 'rsa' })
    const dhparam = dhParameters(createDiffieHellmanGroup('modp2').getPrime())
    const ciphers = 'DHE-RSA-AES128-GCM-SHA256@SECLEVEL=0'
    const peers = await server(secure(() => leaf, { dhparam, ciphers, maxVersion: 'TLSv1.2' }))
    const { hop } = bench(peers.port)
    expect(failureOf(await reachFirst(hop, trusting('opportunistic'))).reason).toBe('tls.short-dh-prime')
  })

  test('a peer that says nothing runs into the limit', async () => {
    const peers = await server(
      offering(async peer => {
        await peer.answer('STARTTLS', '220 go ahead')
        await peer.gone()
      }),
    )
    const { hop } = bench(peers.port, { handshakeMs: 50 })
    expect(failureOf(await reachFirst(hop, trusting('verify'))).reason).toBe('tls.timeout')
  })

  test('a peer that hangs up', async () => {
    const peers = await server(
      offering(async peer => {
        await peer.answer('STARTTLS', '220 go ahead')
        peer.end()
      }),
    )
    const { hop } = bench(peers.port)
    expect(failureOf(await reachFirst(hop, trusting('verify'))).reason).toBe('tls.closed')
  })

  test('roots that are no certificates vouch for nobody', async () => {
    const peers = await server(secure(() => good))
    const { hop } = bench(peers.port)
    const roots = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    expect(failureOf(await reachFirst(hop, route('verify', { roots }))).reason).toBe('x509.missing-intermediate')
  })
})

describe('before TLS', () => {
  const early: [string, string, (peer: ScriptedPeer) => void | Promise<void>][] = [
    ['smtp.greeting-refused-for-now', 'refuses in its greeting', peer => peer.send('450 4.3.2 busy\r\n')],
    ['smtp.greeting-refused-for-now', 'greets with 421', peer => peer.send('421 4.3.2 busy\r\n')],
    ['smtp.refused-before-tls', 'refuses for good', peer => peer.send('554 no\r\n')],
    ['smtp.reply-malformed', 'greets in another language', peer => peer.send('SSH-2.0-OpenSSH\r\n')],
    ['smtp.reply-too-long', 'greets without end', peer => peer.send(`220-${'x'.repeat(200_000)}`)],
    ['smtp.reply-unexpected', 'says more than its greeting', peer => peer.send('220 hi\r\n250 and more\r\n')],
    ['smtp.closed', 'closes at once', peer => peer.end()],
    ['smtp.timeout', 'says nothing', peer => peer.gone()],
    // 128 lines would be too many, and take 640 ms: the time of the greeting is over first.
    [
      'smtp.timeout',
      'greets for ever, a line now and then',
      async peer => {
        const timer = setInterval(() => peer.send('220-patience\r\n'), 5)
        await peer.gone()
        clearInterval(timer)
      },
    ],
    [
      'smtp.hello-refused-for-now',
      'refuses EHLO for now',
      async peer => {
        peer.send('220 hi\r\n')
        await peer.answer('EHLO', '450 later')
      },
    ],
    [
      'smtp.refused-before-tls',
      'refuses EHLO and HELO',
      async peer => {
        peer.send('220 hi\r\n')
        await peer.answer('EHLO', '550 no')
        await peer.answer('HELO', '550 no')
      },
    ],
    [
      'smtp.closed',
      'resets at EHLO',
      async peer => {
        peer.send('220 hi\r\n')
        await peer.line()
        peer.reset()
      },
    ],
  ]
  test.each(early)('%s: the peer %s, and its address is left alone for a while', async (reason, _, script) => {
    const peers = await server(async peer => {
      await script(peer)
      await peer.gone()
    })
    const timeouts = { ...defaultClientTimeouts, greetingMs: 50, quitMs: 50 }
    const { hop, knowledge } = bench(peers.port, { timeouts })
    expect(failureOf(await reachFirst(hop, trusting('verify'))).reason).toBe(reason)
    expect(knowledge.hint('192.0.2.1:25')).toMatchObject({ failures: 1, reason })
  })

  test('nobody listens', async () => {
    const peers = await serve(peer => peer.gone())
    await peers.close()
    const { hop, knowledge } = bench(peers.port)
    const reached = await reachFirst(hop, trusting('verify'))
    expect(failureOf(reached).reason).toBe('net.refused')
    expect(reached.session).toMatchObject({ connected: false, tls: null, verdict: null })
    expect(knowledge.hint('192.0.2.1:25')).not.toBeNull()
  })

  test('no way there', async () => {
    const { hop } = bench(1, { dialer: () => 'unreachable' })
    expect(failureOf(await reachFirst(hop, trusting('verify'))).reason).toBe('net.unreachable')
  })

  test('an answer forgets that there was none', async () => {
    const knowledge = memory()
    knowledge.failed('192.0.2.1:25', 'net.timeout', Date.now())
    const peers = await server(secure(() => good))
    const { hop } = bench(peers.port, { knowledge })
    channelOf(await reachFirst(hop, trusting('verify')))
    expect(knowledge.hints()).toEqual([])
  })
})

test('when the engine closes, what is under way ends', async () => {
  const peers = await server(
    offering(async peer => {
      await peer.answer('STARTTLS', '220 go ahead')
      await peer.gone()
    }),
  )
  const { hop, knowledge } = workbench(peers.port)
  const [candidate, itinerary] = await firstOf(hop, trusting('verify'))
  const reached = hop.reach(candidate, itinerary)
  await expect.poll(() => peers.peers[0]?.lines.length).toBe(2)
  await hop.close()
  expect(failureOf(await reached).reason).toMatch(/^(tls\.|smtp\.closed)/)
  // What we ended ourselves is no fault of the host.
  expect(knowledge.hints()).toEqual([])
})

describe('a channel serves another candidate', () => {
  const made = async (level: Level) => {
    const peers = await server(secure(() => good))
    const { hop } = bench(peers.port)
    return { hop, channel: channelOf(await reachFirst(hop, trusting(level))) }
  }
  const candidateOf = async (hop: Awaited<ReturnType<typeof made>>['hop'], destination: Destination) =>
    (await firstOf(hop, destination))[0]

  test.each([
    ['verify', 'verify', true],
    ['verify', 'encrypt', true],
    ['verify', 'opportunistic', true],
    ['verify', 'none', true],
    ['encrypt', 'verify', false],
    ['opportunistic', 'encrypt', false],
    ['opportunistic', 'opportunistic', true],
  ] as const)('made under %s, asked for %s: %s', async (level, asked, expected) => {
    const { hop, channel } = await made(level)
    expect(hop.satisfies(channel, await candidateOf(hop, trusting(asked)))).toBe(expected)
  })

  test('not one with another name, port, roots, or after it is gone', async () => {
    const { hop, channel } = await made('verify')
    const same = trusting('verify')
    const resolver = zone({ 'mail.example A': [a('192.0.2.1')], 'other.example A': [a('192.0.2.1')] })
    const other = bench(1, { resolver })
    expect(hop.satisfies(channel, await candidateOf(other.hop, same))).toBe(false)
    expect(hop.satisfies(channel, await candidateOf(hop, route('verify', { roots: null })))).toBe(false)
    const port = route('verify', { roots: authority.root, hosts: [{ name: 'mail.example', port: 587 }] })
    expect(hop.satisfies(channel, await candidateOf(hop, port))).toBe(false)
    const literal = route('verify', { roots: authority.root, hosts: [{ name: '192.0.2.1', port: 25 }] })
    expect(hop.satisfies(channel, await candidateOf(hop, literal))).toBe(false)
    channel.abort()
    expect(hop.satisfies(channel, await candidateOf(hop, same))).toBe(false)
  })

  test('and no longer than its evidence holds', async () => {
    const short = await authority.leaf({ names: ['mail.example'], notAfterMs: Date.now() + 60_000 })
    const peers = await server(secure(() => short))
    let now = Date.now()
    const { hop } = bench(peers.port, { now: () => now })
    const channel = channelOf(await reachFirst(hop, trusting('verify')))
    const candidate = await candidateOf(hop, trusting('verify'))
    expect(hop.satisfies(channel, candidate)).toBe(true)
    now += 61_000
    expect(hop.satisfies(channel, candidate)).toBe(false)
  })
})
