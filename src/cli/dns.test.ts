/** `hermetic dns` as a process, against the lab's signed internet and against servers that lie, on loopback. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LabDns, startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import { createSignedWorld, type SignedWorld, worldZone } from '../lab/signing/signed-world.ts'
import { encodeMessage, type Message } from '../protocol/dns/message.ts'
import { typeNumbers } from '../protocol/dns/numbers.ts'
import { type Authority, createAuthority } from '../system/certificate-maker.ts'
import { type Asked, closeAll, nobody, serve } from '../system/testing/scripted-dns.ts'
import { serveTls } from '../system/testing/scripted-tls-dns.ts'
import { hermetic, type Ran } from './testing/process.ts'

const nowMs = Date.now()
const at = new Date(nowMs).toISOString()
const directory = mkdtempSync(join(tmpdir(), 'dns-command-'))
const anchor = join(directory, 'root.key')
const zones = [
  ...privateInternet(),
  worldZone(
    'hostile.example',
    ['hostile.example TYPE16 \\# 0a1b5b324a0d0ae280aeff', 'a\\027\\013b.hostile.example A 192.0.2.9'],
    {},
  ),
]
let world: SignedWorld
let honest: LabDns

beforeAll(async () => {
  world = createSignedWorld({ zones, nowMs })
  honest = await startDns(world.respond)
  writeFileSync(anchor, `${world.anchorLines.ds.join('\n')}\n`)
})
afterAll(async () => {
  await honest.close()
  rmSync(directory, { recursive: true })
})
afterEach(closeAll)

const addressOf = ({ address, port }: LabDns) => `${address}:${port}`

function ask(question: string, ...more: string[]): Promise<Ran> {
  const server = more.includes('--server') ? [] : ['--server', addressOf(honest)]
  return hermetic(['dns', ...question.split(' '), '--anchor', anchor, ...server, ...more])
}

async function json(question: string, ...more: string[]) {
  const { code, out, err } = await ask(question, '--json', ...more)
  return { code, err, document: JSON.parse(out) as Record<string, unknown> }
}

describe('what the zones were made for is what is said:', () => {
  test.concurrent.each<[string, number, object]>([
    [
      '_25._tcp.mx.nsec3.example TLSA',
      0,
      { outcome: 'records', security: 'secure', reason: null, finding: null, resolver: null },
    ],
    ['_25._tcp.mx.nsec3.example type52', 0, { question: { name: '_25._tcp.mx.nsec3.example', type: 'TLSA' } }],
    ['MX.nsec.example.', 0, { question: { name: 'MX.nsec.example', type: 'A' }, security: 'secure' }],
    [
      'within.aliases.example A',
      0,
      {
        security: 'secure',
        aliases: [
          { by: 'CNAME', security: 'secure' },
          { by: 'CNAME', security: 'secure' },
        ],
      },
    ],
    ['host.tree.aliases.example A', 0, { security: 'secure', aliases: [{ by: 'DNAME', security: 'secure' }] }],
    ['large.example TXT', 0, { security: 'secure' }],
    ['host.unsigned.example A', 0, { security: 'insecure', reason: 'dnssec.unsigned-delegation' }],
    ['to-unsigned.aliases.example A', 0, { security: 'insecure', endSecurity: 'insecure' }],
    ['www.from-unsigned.unsigned-tld A', 0, { security: 'insecure', endSecurity: 'secure' }],
    // The root proves that there is no such zone; inside a network there is one all the same.
    ['host.office.local A', 0, { security: 'insecure', reason: 'dnssec.negative-anchor' }],
    ['host.algorithm5.example A', 0, { security: 'insecure', reason: 'dnssec.sha1-algorithms' }],
    ['host.nsec.example AAAA', 1, { outcome: 'no-data', security: 'secure' }],
    ['nothing.nsec3.example MX', 1, { outcome: 'no-such-name', security: 'secure' }],
    // Nothing is validated there, and needs to be: it is the root itself that proves that there is no such name.
    ['mail.home.arpa A', 1, { outcome: 'no-such-name', security: 'secure' }],
    ['nothing.unsigned.example A', 1, { outcome: 'no-such-name', security: 'insecure' }],
    [
      'host.expired.example A',
      2,
      { outcome: 'failed', security: 'bogus', reason: 'dnssec.signature-expired', records: [] },
    ],
    ['host.not-yet-valid.example A', 2, { security: 'bogus', reason: 'dnssec.signature-not-yet-valid' }],
    ['host.stripped-a.example A', 2, { security: 'bogus', reason: 'dnssec.signature-missing' }],
    ['flipped-mx.example MX', 2, { security: 'bogus', reason: 'dnssec.signature-bad' }],
    ['host.ds-wrong-digest.example A', 2, { security: 'bogus', reason: 'dnssec.no-trusted-key' }],
    ['nothing.gap.example A', 2, { security: 'bogus', reason: 'dnssec.denial-unproven' }],
    ['host.keytrap.example A', 2, { security: 'bogus', reason: 'dnssec.over-budget' }],
    ['to-bogus.aliases.example A', 2, { security: 'bogus', records: [] }],
    ['_25._tcp.mx.servfail.example TLSA', 2, { security: 'indeterminate', reason: 'dns.lookup-failed' }],
    ['one.aliases.example A', 2, { security: 'indeterminate' }],
  ])('%s exits %i', async (question, code, expected) => {
    const ran = await json(question)
    expect(ran.document).toMatchObject({ schema: 'hermetic.dns/1', ...expected })
    expect(ran).toMatchObject({ code, err: '' })
  })
})

test('records are lines of a zone file, and nothing else is printed but the page', async () => {
  const { code, out, err } = await ask('nsec.example MX', '--at', at)
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('nsec.example MX: 1 record, secure: signatures prove it from the root down.\n')
  expect(out).toContain('\nnsec.example. 300 IN MX 10 mx.nsec.example.\n')
  expect(out).not.toContain('\u001b')
})

test('--trace tells the chain and each question, over TCP as well', async () => {
  const { out } = await ask('large.example TXT', '--trace')
  expect(out).toContain('  secure  large.example TXT is signed by large.example.\n')
  expect(out).toMatch(/^ {2}large\.example TXT: NOERROR, TCP, \d+ ms, \d{4} bytes, RD RA CD DO,/m)
})

test('signatures are held against --at', async () => {
  const { document, code } = await json('nsec.example MX', '--at', '2035-01-01T00:00:00Z')
  expect(code).toBe(2)
  expect(document).toMatchObject({
    security: 'bogus',
    reason: 'dnssec.signature-expired',
    at: '2035-01-01T00:00:00.000Z',
    finding: { actor: 'clock' },
    resolver: { clock: 'ahead' },
  })
})

describe('a server', () => {
  const withMore = async (
    respond: (query: Message) => Message | 'silence',
    question: string,
    ...more: string[]
  ) => {
    const dns = await startDns(respond)
    try {
      return await json(question, '--server', addressOf(dns), ...more)
    } finally {
      await dns.close()
    }
  }

  test('that strips signatures is told to be the one to be replaced', async () => {
    const strips = createSignedWorld({ zones, nowMs, behaviour: 'strips-signatures' })
    const { code, document } = await withMore(strips.respond, 'host.nsec.example A')
    expect(code).toBe(2)
    expect(document).toMatchObject({
      security: 'bogus',
      finding: { actor: 'resolver' },
      resolver: { signatures: 'stripped', tcp: 'works' },
    })
    expect(JSON.stringify(document['notes'])).toContain('does not pass DNSSEC signatures on')
  })

  test('that strips them is made up for by another one', async () => {
    const strips = createSignedWorld({ zones, nowMs, behaviour: 'strips-signatures' })
    const { code, document } = await withMore(strips.respond, 'host.nsec.example A', '--server', addressOf(honest))
    expect(code).toBe(0)
    expect(document).toMatchObject({ security: 'secure', passes: [{ security: 'bogus' }, { security: 'secure' }] })
    expect(JSON.stringify(document['notes'])).toContain('Look into the first one.')
  })

  const scripted = async (script: (asked: Asked) => void, question = 'host.nsec.example A') => {
    const server = await serve(script)
    return ask(question, '--server', server.address)
  }
  const honestly = (asked: Asked, change: (message: Message) => Message = message => message) => {
    const message = world.respond(asked.query)
    if (message !== 'silence') asked.reply(encodeMessage(change(message), asked.via === 'udp' ? 1_232 : undefined))
  }
  const isAddress = ({ query }: Asked) => query.questions[0]?.type === typeNumbers.A

  test('that lies about lengths has failed', async () => {
    const { code, out } = await scripted(asked => {
      const message = world.respond(asked.query)
      if (message === 'silence') return
      const bytes = encodeMessage(message)
      // As many records as a header can claim.
      asked.reply(Uint8Array.of(...bytes.subarray(0, 6), 0xff, 0xff, ...bytes.subarray(8)))
    })
    expect(code).toBe(2)
    expect(out).toContain('malformed answer (cut-short')
  })

  test('that answers another question is not listened to', async () => {
    const server = await serve(asked =>
      honestly(asked, message =>
        isAddress(asked) ? { ...message, questions: [{ name: [Buffer.from('x')], type: 1, class: 1 }] } : message,
      ),
    )
    const config = join(directory, 'hasty.yaml')
    writeFileSync(config, `dns: { servers: ['${server.address}'], timeout: 500ms }\n`)
    const { code, out } = await hermetic(['dns', 'host.nsec.example', '--anchor', anchor, '--config', config])
    // The keys of the root came when they were asked for: this name alone has no answer.
    expect([code, out]).toEqual([2, expect.stringContaining('timeout for this name alone')])
  })

  test('that answers late is not taken for the answer to a later question', async () => {
    const held: Asked[] = []
    const { code, out } = await scripted(asked => {
      // The first answer to each name goes out when that is asked again, behind it.
      const first = held.find(one => one.query.questions[0]?.type === asked.query.questions[0]?.type)
      if (isAddress(asked) && first === undefined) held.push(asked)
      else {
        if (first !== undefined) honestly(first, message => ({ ...message, answers: [] }))
        honestly(asked)
      }
    })
    expect(out).toContain('host.nsec.example A: 2 records, secure')
    expect(code).toBe(0)
  })

  test('that is silent costs as long as the configuration says, and that is said', async () => {
    const server = await serve(() => {})
    const config = join(directory, 'silent.yaml')
    writeFileSync(config, `dns: { servers: ['${server.address}'], timeout: 300ms }\n`)
    const { code, err } = await hermetic(['dns', 'host.nsec.example', '--anchor', anchor, '--config', config])
    expect(code).toBe(69)
    expect(err).toContain(`no server answers: ${server.address} (timeout)`)
  })

  test('that is silent about one name and answers others leaves that one unknown, as one that fails does', async () => {
    const server = await serve(asked => (isAddress(asked) ? undefined : honestly(asked)))
    const config = join(directory, 'silent-about-one.yaml')
    writeFileSync(config, `dns: { servers: ['${server.address}'], timeout: 500ms }\n`)
    const { code, out } = await hermetic(['dns', 'host.nsec.example', '--anchor', anchor, '--config', config])
    expect([code, out]).toEqual([
      2,
      expect.stringContaining(
        'no answer, indeterminate: timeout for this name alone, as the server answers\nothers.',
      ),
    ])
  })

  test('that is not there is 69, with a document of the error', async () => {
    const absent = await nobody()
    const { code, document } = await json('host.nsec.example A', '--server', absent.address)
    expect(code).toBe(69)
    expect(document).toMatchObject({ schema: 'hermetic.error/1', code: 'cli.dns-unreachable' })
  })
})

describe('a server over TLS', () => {
  const name = 'dns.example'
  let authority: Authority
  let roots: string
  beforeAll(async () => {
    authority = await createAuthority({ commonName: 'Lab root' })
    roots = join(directory, 'roots.pem')
    writeFileSync(roots, authority.root)
  })
  const serveAs = async (shown: string) =>
    serveTls(await authority.leaf({ names: [shown] }), ({ query, reply }) => {
      const message = world.respond(query)
      if (message !== 'silence') reply(encodeMessage(message))
    })
  /** With the roots of the configuration. */
  const askOver = (port: number, ...more: string[]) => {
    const config = join(directory, `tls-${port}.yaml`)
    writeFileSync(config, `dns: { tls_roots: ${roots}, timeout: 5s }\n`)
    return ask('large.example TXT', '--config', config, '--server', `tls://127.0.0.1:${port}#${name}`, ...more)
  }

  test('that proves its name is asked, and it is said how', async () => {
    const { port } = await serveAs(name)
    const { code, out } = await askOver(port, '--trace')
    expect(out).toContain(`from tls://127.0.0.1:${port}#${name}`)
    expect(out).toMatch(/^ {2}large\.example TXT: NOERROR, TLS, \d+ ms, \d{4} bytes, RD RA CD DO,/m)
    expect(code).toBe(0)
    const { out: text } = await askOver(port, '--json')
    expect(JSON.parse(text)).toMatchObject({ security: 'secure' })
    expect(text).toContain('"over": "tls"')
  })

  test('that does not is asked nothing, which is told with the reason', async () => {
    const server = await serveAs('other.example')
    const { code, err } = await askOver(server.port)
    expect(code).toBe(69)
    expect(err.replaceAll('\n', ' ')).toContain(
      `no server answers: tls://127.0.0.1:${server.port}#${name} (the certificate of 127.0.0.1 does not prove ${name}: x509.name-mismatch, wanted ${name}; it carries other.example`,
    )
    expect(server.asked).toEqual([])
  })

  test('has to be known to the roots', async () => {
    const server = await serveAs(name)
    const { code, err } = await ask('nsec.example MX', '--server', `tls://127.0.0.1:${server.port}#${name}`)
    expect([code, err.replaceAll('\n', ' ')]).toEqual([
      69,
      expect.stringContaining('does not prove dns.example: x509.'),
    ])
    expect(server.asked).toEqual([])
  })
})

test.each(['hostile.example TXT', 'a\\027\\013b.hostile.example A'])(
  'what %s holds reaches nobody unescaped',
  async question => {
    for (const more of [['--trace'], ['--json']]) {
      const { code, out } = await ask(question, ...more)
      expect(code).toBe(0)
      expect(out).toMatch(/^[\x20-\x7e\n]*$/)
    }
  },
)

describe('wrong usage is 64, and a wrong file 65:', () => {
  test.concurrent.each<[string, readonly string[], number, string]>([
    ['no name', [], 64, 'missing required argument'],
    ['a name that is none', ['a..b'], 64, "'a..b' is not a name"],
    ['a type that is none', ['example.org', 'MXX'], 64, "'MXX' is not a type"],
    ['both the wrong way round', ['MX', 'example.org'], 64, 'hermetic dns example.org MX'],
    [
      'a question about several types',
      ['example.org', 'ANY'],
      64,
      'ANY is no type whose records can be validated',
    ],
    ['signatures alone', ['example.org', 'RRSIG'], 64, 'their signatures come along'],
    ['the DS of the root', ['.', 'DS'], 64, 'a trust anchor stands in their place'],
    ['a server that is no address', ['example.org', '--server', 'ns.example.org'], 64, 'is not an address'],
    [
      'a server over TLS without a name',
      ['example.org', '--server', 'tls://192.0.2.53'],
      64,
      '--server tls://192.0.2.53#dns.example',
    ],
    ['a time that is none', ['example.org', '--at', 'noon'], 64, 'RFC 3339'],
    ['a file that is not there', ['example.org', '--anchor', '/nowhere'], 65, 'cannot be read'],
    [
      'a file without anchors',
      ['example.org', '--anchor', join(directory, 'none')],
      65,
      'none, line 1: Only DS and DNSKEY',
    ],
    [
      'an empty file of anchors',
      ['example.org', '--anchor', join(directory, 'empty')],
      65,
      'empty: There is no DS and no DNSKEY record',
    ],
  ])('%s', async (_, args, expected, says) => {
    writeFileSync(join(directory, 'none'), 'example. IN A 192.0.2.1\n')
    writeFileSync(join(directory, 'empty'), '')
    const { code, out, err } = await hermetic(['dns', ...args])
    expect([code, out]).toEqual([expected, ''])
    expect(err).toContain(says)
  })
})

test.each([
  ['192.0.2.25', '25.2.0.192.in-addr.arpa', 'PTR'],
  ['[2001:db8::1] TXT', `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`, 'TXT'],
])('an address, %s, is asked for by its reverse name', async (question, name, type) => {
  const { document } = await json(question)
  expect(document).toMatchObject({ question: { name, type }, outcome: 'no-such-name', security: 'secure' })
})

test('a name in another script is asked for as its A-label', async () => {
  const { document } = await json('bücher.nsec.example A')
  expect(document).toMatchObject({ question: { name: 'xn--bcher-kva.nsec.example' }, outcome: 'no-such-name' })
})
