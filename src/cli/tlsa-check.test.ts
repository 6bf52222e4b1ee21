/** `hermetic tlsa check` against signed zones and real servers on loopback; wrong usage as a process. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TlsaCheckDocument } from '../judgement/tlsa-check-document.ts'
import { worldZone } from '../lab/signing/signed-world.ts'
import { strangeTlsa, tlsaOf } from '../lab/tlsa-of.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import { check, type TlsaCheckOptions } from './commands/tlsa-check.ts'
import type { Context } from './context.ts'
import { CliFailure } from './failure.ts'
import { type MailWorld, startMailWorld } from './testing/mail-world.ts'
import { hermetic } from './testing/process.ts'

const root = await createAuthority({ commonName: 'Lab root' })
const [ecdsa, rsa, other, next, submissions] = await Promise.all([
  root.leaf({ names: ['mx.both.example', 'mx.one.example'] }),
  root.leaf({ names: ['mx.both.example', 'mx.one.example'], key: 'rsa' }),
  root.leaf({ names: ['mx.wrong.example'] }),
  root.leaf({ names: ['mx.both.example'] }),
  root.leaf({ names: ['mail.host.example'] }),
])
const forEcdsa = tlsaOf('3 1 1', ecdsa.certificate)
const forRsa = tlsaOf('3 1 1', rsa.certificate)

/** A domain with one MX host at one address. */
const domain = (apex: string, address: string, records: readonly string[], signing: object | null = {}) =>
  worldZone(
    apex,
    [
      `${apex} MX 10 mx.${apex}`,
      `mx.${apex} A ${address}`,
      ...records.map(record => `_25._tcp.mx.${apex} 3600 TLSA ${record}`),
    ],
    signing,
  )

let world: MailWorld
beforeAll(async () => {
  world = await startMailWorld(
    [
      domain('both.example', '192.0.2.1', [forEcdsa, forRsa]),
      domain('one.example', '192.0.2.2', [forEcdsa]),
      domain('wrong.example', '192.0.2.3', [strangeTlsa('3 1 1')]),
      domain('none.example', '192.0.2.4', []),
      domain('clear.example', '192.0.2.5', [forEcdsa]),
      domain('silent.example', '192.0.2.6', [forEcdsa]),
      domain('down.example', '192.0.2.7', [forEcdsa]),
      domain('unsigned.example', '192.0.2.1', [forEcdsa], null),
      domain('bogus.example', '192.0.2.1', [forEcdsa], { damage: [{ kind: 'flipped-bit' }] }),
      domain('private.example', '10.0.0.1', [forEcdsa]),
      worldZone('null.example', ['null.example MX 0 .'], {}),
      worldZone('bare.example', ['bare.example A 192.0.2.2', `_25._tcp.bare.example TLSA ${forEcdsa}`], {}),
      worldZone('empty.example', ['empty.example TXT nothing'], {}),
      worldZone(
        'servfail.example',
        ['servfail.example MX 10 mx.servfail.example', 'mx.servfail.example A 192.0.2.1'],
        {},
        { servers: [{ types: ['TLSA'], does: 'servfail' }] },
      ),
      worldZone(
        'host.example',
        [
          'mail.host.example A 192.0.2.8',
          `_465._tcp.mail.host.example TLSA ${tlsaOf('3 1 1', submissions.certificate)}`,
        ],
        {},
      ),
    ],
    [
      { address: '192.0.2.1', chains: [ecdsa, rsa] },
      { address: '192.0.2.2', chains: [ecdsa, rsa] },
      { address: '192.0.2.3', chains: [other] },
      { address: '192.0.2.4', chains: [other] },
      { address: '192.0.2.5', manners: 'no-starttls' },
      { address: '192.0.2.6', manners: 'silent' },
      { address: '192.0.2.7', manners: 'down' },
      { address: '192.0.2.8', port: 465, manners: 'implicit-tls', chains: [submissions] },
    ],
  )
})
afterAll(() => world.close())

interface Checked {
  readonly code: number
  readonly document: TlsaCheckDocument
  readonly text: string
}

async function run(name: string, options: Partial<TlsaCheckOptions> = {}): Promise<Checked> {
  const answers: { document: TlsaCheckDocument; text: string }[] = []
  const context: Context = {
    json: true,
    config: world.config,
    paint: (_, text) => text,
    say: () => {},
    remark: () => {},
    answer: (document, text) => void answers.push({ document: JSON.parse(JSON.stringify(document)), text }),
  }
  const code = await check(name, { port: 25, ...world.options, ...options }, context, {
    dialer: world.dialer,
    allowAddresses: ['192.0.2.0/24'],
    patience: { greetingMs: 300 },
  })
  const [answer] = answers
  if (answer === undefined) throw new Error('no answer')
  return { code, ...answer }
}

function file(name: string, text: string): string {
  const path = join(world.directory, name)
  writeFileSync(path, text)
  return path
}

const verdicts = ({ document }: Checked) =>
  document.hosts.flatMap(({ addresses }) => addresses.map(({ verdict }) => verdict))

describe('what is seen is what is said:', () => {
  test.each<[string, number, readonly string[]]>([
    ['both.example', 0, ['proved']],
    ['one.example', 2, ['partly']],
    ['wrong.example', 1, ['refused']],
    ['none.example', 1, ['no-records']],
    ['clear.example', 1, ['refused']],
    ['silent.example', 1, ['unseen']],
    // RFC 5321 §5.1: it stands for itself.
    ['bare.example', 2, ['partly']],
    ['BOTH.Example.', 0, ['proved']],
  ])('%s exits %i', async (name, code, expected) => {
    const ran = await run(name)
    expect(verdicts(ran)).toEqual(expected)
    expect(ran.code).toBe(code)
    expect(ran.document.schema).toBe('hermetic.tlsa-check/1')
    expect(ran.text.split('\n').filter(line => line.length > 100)).toEqual([])
  })

  test.each<[string, string]>([
    ['nothing.example', 'dns.no-such-domain'],
    ['null.example', 'dns.null-mx'],
    ['empty.example', 'dns.no-mail-host'],
    ['bogus.example', 'dnssec.signature-bad'],
    ['servfail.example', 'dane.lookup-failed'],
    ['private.example', 'dns.address-forbidden'],
  ])('%s has no host to visit, and exits 1', async (name, reason) => {
    const ran = await run(name)
    expect(ran.document).toMatchObject({ verdict: 'fail', hosts: [], finding: { code: reason } })
    expect(ran.code).toBe(1)
    expect(ran.text).toContain(`Mail to ${name} has no way`)
  })

  test('an unsigned zone has hosts that nobody vouches for, and is not asked for records', async () => {
    const ran = await run('unsigned.example')
    expect(ran.code).toBe(1)
    expect(ran.document.mx).toMatchObject({ security: 'insecure' })
    expect(ran.document.hosts[0]?.tlsa).toEqual({ kind: 'none', because: 'host-insecure', asked: [] })
  })
})

test('both chains are seen, each with the record that names it', async () => {
  const { document, text } = await run('both.example')
  const [host] = document.hosts
  expect(host?.chains.map(({ key, by, record }) => [key, by, record])).toEqual([
    ['EC P-256', 'dane-ee', 0],
    ['RSA 2048', 'dane-ee', 1],
  ])
  expect(host?.addresses[0]?.visits).toEqual([
    { asked: 'any', outcome: 'shown', chain: 0, failure: null },
    { asked: 'rsa', outcome: 'shown', chain: 1, failure: null },
  ])
  expect(text).toContain('Authenticated: chain A by record 0 (dane-ee), chain B by record 1 (dane-ee).')
  expect(text).toContain('Hermetic sends here, to a peer that proved itself (dane-ee).')
})

test('no host hears a mail command', async () => {
  await run('both.example')
  expect(new Set(world.linesAt('192.0.2.1').flat())).toEqual(new Set(['EHLO checker.example', 'STARTTLS', 'QUIT']))
})

test('a host is checked by its own name, at another port with TLS from the first byte', async () => {
  const ran = await run('mail.host.example', { asHost: true, port: 465 })
  expect(ran.code).toBe(0)
  expect(ran.document).toMatchObject({
    as: 'host',
    port: 465,
    mx: null,
    hosts: [{ name: 'configured', tlsa: { owner: '_465._tcp.mail.host.example' } }],
  })
})

test('the host whose records are bogus is named, and not the domain', async () => {
  const { document } = await run('servfail.example')
  expect(document.says).toContain('Whether mx.servfail.example has TLSA records')
  expect(document.finding?.says).toContain('Whether mx.servfail.example has')
  expect(document.finding?.remedy).not.toMatch(/(?<!mx\.)servfail\.example/)
})

test('a host that was named here has nothing to do with routes or MX records', async () => {
  const { document, text } = await run('nothing.example', { asHost: true, port: 465 })
  expect(document.finding).toMatchObject({ code: 'dns.host-without-address' })
  expect(text).not.toContain('route')
  expect(document.finding?.remedy).not.toContain('MX records')
  expect((await run('mail.host.example', { asHost: true, port: 465 })).text).not.toContain('route')
})

test('advice about port 25 is for port 25', async () => {
  const refused = run('mx.down.example', { asHost: true, port: 26 })
  await expect(refused).rejects.toMatchObject({
    message: 'mx.down.example cannot be reached at port 26',
    hint: expect.stringContaining('at port 26'),
  })
  await expect(run('down.example')).rejects.toMatchObject({ hint: expect.stringContaining('port 25') })
})

test('a resolver whose root is another one is no dead one, in JSON as well', async () => {
  const anchor = file('other.key', '. IN DS 12345 13 2 '.concat('ab'.repeat(32), '\n'))
  const failure = await run('both.example', { anchor }).catch((error: unknown) => error)
  expect(failure).toMatchObject({
    code: 'cli.dns-unreachable',
    message: 'no name server gives an answer that can be validated',
    more: { fields: { dns: { says: [expect.stringContaining('sends no keys of the root')] } } },
  })
})

test('where nobody can be reached there is no verdict, and the failure carries what the DNS says', async () => {
  const failure = await run('down.example').then(
    () => null,
    (error: unknown) => error,
  )
  if (!(failure instanceof CliFailure)) throw new Error('no failure')
  expect(failure.code).toBe('cli.peer-unreachable')
  expect(failure.more.fields).toMatchObject({ check: { domain: 'down.example' } })
  expect(failure.more.lines?.join('\n')).toContain('_25._tcp.mx.down.example')
})

test('a resolver that passes no signatures on, or does not answer, is told as such', async () => {
  await expect(run('both.example', { server: ['127.0.0.1:1'] })).rejects.toMatchObject({
    code: 'cli.dns-unreachable',
  })
})

test('at a time at which no signature of the root holds the clock is told of, and no zone is blamed', async () => {
  const at = new Date(Date.now() + 400 * 86_400_000).toISOString()
  await expect(run('both.example', { at })).rejects.toMatchObject({
    code: 'cli.dns-unreachable',
    message: 'the signatures of the root do not hold at this time, so nobody can tell what is published',
    hint: expect.stringContaining('Set the clock of this machine'),
    more: { lines: [expect.stringContaining('the clock of this machine is ahead')] },
  })
})

describe('--next', () => {
  test('says what to publish, for how long, and what may go after', async () => {
    const ran = await run('both.example', { next: file('next.pem', next.chain) })
    // The exit code and the first line speak of what comes.
    expect(ran.code).toBe(2)
    expect(ran.document).toMatchObject({ verdict: 'pass', next: { verdict: 'publish-first' } })
    expect(ran.text.replaceAll('\n', ' ')).toMatch(
      /^Mail to mx\.both\.example waits when the next certificate comes, unless records are published before\. .*next: publish-first; today: pass;/,
    )
    const [host] = ran.document.next?.hosts ?? []
    expect(host).toMatchObject({
      verdict: 'breaks',
      replaces: [0],
      waitSeconds: 7_200,
      publish: [`_25._tcp.mx.both.example. IN TLSA ${tlsaOf('3 1 1', next.certificate)}`],
      remove: [`_25._tcp.mx.both.example. IN TLSA ${forEcdsa}`],
    })
    expect(ran.text).toContain('wait 7200 s at least (RFC 7671 §8.1)')
  })

  test('exits 0 where the records prove the next certificate, whatever other chains do today', async () => {
    const ran = await run('one.example', { next: file('same.pem', ecdsa.chain) })
    expect(ran.code).toBe(0)
    expect(ran.document).toMatchObject({ verdict: 'partly', next: { verdict: 'ready' } })
  })

  test('exits 1 where the records are not known', async () => {
    const ran = await run('servfail.example', { next: file('next.pem', next.chain) })
    expect(ran.code).toBe(1)
    expect(ran.document.next?.verdict).toBe('unknown')
  })

  test('takes a file that is upside down for what it means', async () => {
    const intermediate = await root.intermediate({ commonName: 'Between' })
    const leaf = await intermediate.leaf({ names: ['mx.both.example'] })
    const ran = await run('both.example', {
      next: file('upside-down.pem', `${intermediate.certificate}${leaf.certificate}`),
    })
    expect(ran.document.next?.certificates[0]?.subject).toBe('CN=mx.both.example')
  })

  test.each([
    ['is no certificate', 'hello', 'holds no certificate'],
    ['is a key', next.key, 'holds no certificate, only private key'],
    [
      'holds a block that is none',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'cannot be read as a certificate',
    ],
    ['holds authorities alone', root.certificate + root.certificate, 'none of a server'],
  ])('a file that %s is refused with 65', async (_, text, says) => {
    await expect(run('both.example', { next: file('bad.pem', text) })).rejects.toMatchObject({
      code: 'cli.bad-input',
      message: expect.stringContaining(says),
    })
  })
})

describe('as a process', () => {
  test.each([
    ['an address', ['192.0.2.1'], 64, 'TLSA records belong to names'],
    ['a mailbox', ['pat@example.org'], 64, 'hermetic tlsa check example.org'],
    ['no name', ['a b'], 64, 'is not a name of a domain'],
    ['the root', ['.'], 64, 'is not a name of a domain'],
    [
      'a port of a domain',
      ['example.org', '--port', '465'],
      64,
      'hermetic tlsa check example.org --as-host --port 465',
    ],
    ['a server that is none', ['example.org', '--server', 'resolver'], 64, 'is not an address'],
    ['no file', ['example.org', '--next', '/nonexistent/next.pem'], 65, 'there is no such file'],
    [
      'nobody to ask',
      ['example.org', '--server', '127.0.0.1:1'],
      69,
      'no name server gives an answer that can be validated',
    ],
  ])('%s', async (_, args, code, says) => {
    const ran = await hermetic(['tlsa', 'check', ...args, '--config', world.config])
    expect(ran.code).toBe(code)
    expect(`${ran.out}${ran.err}`.replaceAll(/\s+/g, ' ')).toContain(says)
  })
})
