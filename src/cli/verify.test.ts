/** `verify`, `tlsa create` and `cert show` as processes, as users run them: exit codes, documents, and what bad input is answered with. */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyOf } from '../../test/certificates/keys.ts'
import { type Made, makeAuthority, makeLeaf } from '../../test/certificates/maker.ts'
import type { VerifyDocument } from '../judgement/verify-document.ts'
import { hermetic, hermeticJson } from './testing/process.ts'

const root = makeAuthority({ subject: 'CN=Root', key: keyOf('root') })
const middle = makeAuthority({ subject: 'CN=Middle', issuer: root, key: keyOf('middle') })
const leaf = makeLeaf({ issuer: middle, names: ['mx.example.com'] })
const wild = makeLeaf({ issuer: middle, names: ['*.example.com'] })
const two = makeLeaf({ issuer: middle, names: ['a.example.com', 'b.example.com'] })
const suffix = makeLeaf({ issuer: middle, names: ['*.co.uk'] })
const unnamed = makeLeaf({ names: [], subject: 'CN=box' })
const at = '2026-06-01T00:00:00Z'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'verify-'))
  file('chain.pem', leaf, middle)
  file('full.pem', leaf, middle, root)
  file('reversed.pem', middle, leaf)
  file('leaf.pem', leaf)
  file('wild.pem', wild, middle)
  file('two.pem', two, middle)
  file('suffix.pem', suffix, middle)
  file('unnamed.pem', unnamed)
  file('middle.pem', middle)
  file('roots.pem', root)
  writeFileSync(path('leaf.der'), leaf.der)
  writeFileSync(path('empty.pem'), '')
  writeFileSync(path('text.pem'), 'no certificate here\n')
  writeFileSync(path('key.pem'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')
  writeFileSync(path('p7.pem'), '-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n')
  writeFileSync(path('broken.pem'), '-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n')
  writeFileSync(
    path('roots-broken.pem'),
    `${root.pem}-----BEGIN CERTIFICATE-----\nMAMC\n-----END CERTIFICATE-----\n`,
  )
  writeFileSync(path('utf16.pem'), Buffer.from(`\ufeff${leaf.pem}${middle.pem}`, 'utf16le'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const path = (name: string) => join(directory, name)
const file = (name: string, ...made: readonly Made[]) =>
  writeFileSync(path(name), made.map(({ pem }) => (pem.endsWith('\n') ? pem : `${pem}\n`)).join(''))

const digestOf = ({ pem }: Made) =>
  Buffer.from(new X509Certificate(pem).fingerprint256.replaceAll(':', ''), 'hex').toString('hex')

function verify(...args: readonly string[]) {
  const time = args.includes('--at') ? [] : ['--at', at]
  return hermeticJson<VerifyDocument>(['verify', ...time, ...args])
}

describe('the exit code of verify is the answer', () => {
  const ta = () => ['--tlsa', `2 0 1 ${digestOf(middle)}`]
  test.each<[string, () => string[], number, Partial<VerifyDocument>]>([
    [
      '0 by a usage 2 record',
      () => ['--chain', path('chain.pem'), '--name', 'MX.example.com.', ...ta()],
      0,
      { verdict: 'authenticated', by: 'dane-ta', depth: 1, record: 0 },
    ],
    [
      '0 by a usage 3 record, without a name',
      () => ['--chain', path('leaf.pem'), '--tlsa', `( 3 0 1 ${digestOf(leaf)} )`],
      0,
      { verdict: 'authenticated', by: 'dane-ee', depth: 0 },
    ],
    [
      '0 by roots',
      () => ['--chain', path('chain.pem'), '--roots', path('roots.pem'), '--name', 'mx.example.com'],
      0,
      { by: 'pkix', depth: 2, record: null },
    ],
    [
      '0 by a wildcard',
      () => ['--chain', path('wild.pem'), '--roots', path('roots.pem'), '--name', 'mx.example.com'],
      0,
      { by: 'pkix' },
    ],
    [
      '0 where any name will do',
      () => ['--chain', path('chain.pem'), '--any-name', ...ta()],
      0,
      { by: 'dane-ta' },
    ],
    [
      '1 by Mozilla’s roots',
      () => ['--chain', path('chain.pem'), '--name', 'mx.example.com'],
      1,
      { verdict: 'not-authenticated', by: null },
    ],
    [
      '1 for another name',
      () => ['--chain', path('chain.pem'), '--name', 'mx.example.net', ...ta()],
      1,
      { verdict: 'not-authenticated' },
    ],
    [
      '1 for a wildcard over a public suffix',
      () => ['--chain', path('suffix.pem'), '--roots', path('roots.pem'), '--name', 'mx.co.uk'],
      1,
      { verdict: 'not-authenticated' },
    ],
    [
      '1 for a block that is no certificate',
      () => ['--chain', path('broken.pem'), '--any-name'],
      1,
      { verdict: 'not-authenticated' },
    ],
    [
      '1 after the certificate has ended',
      () => ['--chain', path('chain.pem'), '--name', 'mx.example.com', ...ta(), '--at', '2046-01-01T00:00:00Z'],
      1,
      { verdict: 'not-authenticated' },
    ],
    [
      '1 where the path is longer than allowed',
      () => ['--chain', path('chain.pem'), '--roots', path('roots.pem'), '--any-name', '--max-depth', '0'],
      1,
      { verdict: 'not-authenticated' },
    ],
    [
      '2 where nobody said which name',
      () => ['--chain', path('chain.pem'), ...ta()],
      2,
      { verdict: 'authenticated-for-unchecked-name' },
    ],
    [
      '2 where no record is usable',
      () => ['--chain', path('chain.pem'), '--tlsa', '0 0 1 ab', '--tlsa', '255 255 255 00'],
      2,
      { verdict: 'encrypt-only' },
    ],
  ])('%s', async (_title, args, code, expected) => {
    const result = await verify(...args())
    expect(result.document).toMatchObject({ schema: 'hermetic.verify/1', ...expected })
    expect(result.code).toBe(code)
  })

  test('and is the same without --json', async () => {
    const { code, out, err } = await hermetic(['verify', '--chain', path('chain.pem'), '--at', at, ...ta()])
    expect([code, err]).toEqual([2, ''])
    expect(out).toContain('authenticated-for-unchecked-name')
  })
})

test('names are shown as they are compared, and each is tried once', async () => {
  const { document } = await verify(
    ...[
      '--chain',
      path('chain.pem'),
      '--tlsa',
      '3 0 1 00',
      '--name',
      'Bücher.example',
      '--name',
      'bücher.example.',
    ],
  )
  expect(document.names.tried).toEqual(['xn--bcher-kva.example'])
})

test('a block that is no certificate is told as malformed', async () => {
  const { document } = await verify('--chain', path('broken.pem'), '--any-name')
  expect(document.findings.map(({ code }) => code)).toContain('x509.malformed')
  expect(document.certificates).toMatchObject([{ position: 0, subject: null }])
})

test('a chain may come from standard input, and in the encoding of Windows', async () => {
  const args = ['verify', '--roots', path('roots.pem'), '--any-name', '--at', at, '--chain']
  const [input, utf16] = await Promise.all([
    hermeticJson([...args, '-'], `some words before\n${leaf.pem}\r\n${middle.pem}`),
    hermeticJson([...args, path('utf16.pem')]),
  ])
  expect([input.code, utf16.code]).toEqual([0, 0])
})

test('the key exchange changes findings and opinions, never the verdict', async () => {
  const args = ['--chain', path('chain.pem'), '--roots', path('roots.pem'), '--any-name']
  const [rsa, ecdhe] = await Promise.all([
    verify(...args, '--key-exchange', 'rsa'),
    verify(...args, '--key-exchange', 'ecdhe'),
  ])
  expect([rsa.code, ecdhe.code]).toEqual([0, 0])
  expect(rsa.document.stacks).not.toEqual(ecdhe.document.stacks)
})

test('roots beside records are told to play no part', async () => {
  const { document } = await verify(
    ...['--chain', path('chain.pem'), '--roots', path('roots.pem'), '--any-name', '--tlsa', '3 0 1 00'],
  )
  expect(document.findings.map(({ code }) => code)).toContain('dane.roots-ignored')
})

describe('wrong usage is 64, and says what is wrong', () => {
  const chain = () => ['verify', '--chain', path('chain.pem')]
  test.each<[string, () => string[], string]>([
    ['no chain', () => ['verify'], "required option '--chain <file>' not specified"],
    ['an empty name', () => [...chain(), '--name', ''], '--name: the name is empty'],
    ['a name with a line break', () => [...chain(), '--name', 'a\nb'], 'is not a host name'],
    ['a wildcard as a name', () => [...chain(), '--name', '*.example'], 'is a wildcard'],
    [
      'a name and any name',
      () => [...chain(), '--name', 'a.example', '--any-name'],
      '--any-name and --name exclude',
    ],
    ['a record of two numbers', () => [...chain(), '--tlsa', '3 1'], 'ends before its matching type'],
    ['a record without data', () => [...chain(), '--tlsa', '3 1 1'], 'has no data'],
    ['a record with 256', () => [...chain(), '--tlsa', '256 1 1 ab'], 'number from 0 to 255'],
    ['a record with a sign', () => [...chain(), '--tlsa', '+3 1 1 ab'], 'number from 0 to 255'],
    ['a record in other digits', () => [...chain(), '--tlsa', '3 1 1 xyz'], 'hexadecimal'],
    ['a record with half an octet', () => [...chain(), '--tlsa', '3 1 1 abc'], 'odd number'],
    [
      'the second of two records, by its text',
      () => [...chain(), '--tlsa', '3 1 1 ab', '--tlsa', 'nonsense'],
      "--tlsa 'nonsense'",
    ],
    ['an empty record', () => [...chain(), '--tlsa', ''], '--tlsa'],
    ['a time without offset', () => [...chain(), '--at', '2026-03-01T12:00:00'], 'not a time as RFC 3339'],
    ['a day that is none', () => [...chain(), '--at', '2026-02-30T12:00:00Z'], 'not a time as RFC 3339'],
    ['a depth of 101', () => [...chain(), '--max-depth', '101'], 'not a number from 0 to 100'],
    ['a depth below 0', () => [...chain(), '--max-depth=-1'], 'not a number from 0 to 100'],
    [
      'an unknown key exchange',
      () => [...chain(), '--key-exchange', 'dhe'],
      'Allowed choices are rsa, ecdhe, tls1.3',
    ],
    ['an unknown profile', () => [...chain(), '--profile', 'lax'], 'Allowed choices are mail, strict'],
    ['an unknown purpose', () => [...chain(), '--purpose', 'both'], 'Allowed choices are server, client'],
    ['two files from standard input', () => ['verify', '--chain', '-', '--roots', '-'], 'only one file'],
    ['a word too many', () => [...chain(), 'extra'], 'too many arguments'],
    ['two times', () => [...chain(), '--at', at, '--at', at], '--at is given twice'],
    ['two sets of roots', () => [...chain(), '--roots=a.pem', '--roots', 'b.pem'], '--roots is given twice'],
    ['records of no file', () => ['tlsa', 'create'], "missing required argument 'cert.pem'"],
    ['usage 1', () => ['tlsa', 'create', path('leaf.pem'), '--usage', '1'], 'Allowed choices are 2, 3'],
    ['port 0', () => ['tlsa', 'create', path('leaf.pem'), '--port', '0'], 'not a port'],
    ['port 65536', () => ['tlsa', 'create', path('leaf.pem'), '--port', '65536'], 'not a port'],
    [
      'the owner of the records as host',
      () => ['tlsa', 'create', path('leaf.pem'), '--host', '_25._tcp.mx.example.com'],
      'is the owner of the records',
    ],
    ['an address as host', () => ['tlsa', 'create', path('leaf.pem'), '--host', '192.0.2.1'], 'is an address'],
    ['no host for a wildcard', () => ['tlsa', 'create', path('wild.pem')], '--host must say which host'],
    [
      'no host for two names',
      () => ['tlsa', 'create', path('two.pem')],
      'carries 2 DNS names (a.example.com, b.example.com)',
    ],
    ['no host for none', () => ['tlsa', 'create', path('unnamed.pem')], 'carries no DNS name'],
    ['a group without its command', () => ['cert'], "'cert' needs one of show"],
  ])('%s', async (_title, args, says) => {
    const { code, err, document } = await hermeticJson(args())
    expect([code, err]).toEqual([64, ''])
    expect(document).toMatchObject({ schema: 'hermetic.error/1', code: 'cli.usage' })
    expect(document['says']).toContain(says)
    expect(document['says']).not.toMatch(/[\x00-\x1f]/)
    expect(document['hint']).not.toBe('')
  })
})

describe('what was meant is told', () => {
  test.each<[string, string[], string, string]>([
    [
      'a command, before its options',
      ['verfy', '--chain', 'x'],
      "there is no command 'verfy'",
      'Did you mean verify?',
    ],
    ['a command of a group, before its words', ['cert', 'sho', 'f.pem'], "'cert' has no 'sho'", 'mean cert show?'],
    [
      'an option, before one that is missing',
      ['verify', '--chian', 'x'],
      "option '--chian'",
      'Did you mean --chain?',
    ],
    [
      'an option with its value',
      ['cert', 'show', 'f.pem', '--root=x'],
      "option '--root'",
      'Did you mean --roots?',
    ],
    [
      'the option that takes the file',
      ['verify', 'full.pem'],
      'too many arguments',
      'Did you mean --chain full.pem?',
    ],
    ['and that file, as a shell takes it', ['verify', 'a b.pem'], 'too many arguments', "--chain 'a b.pem'?"],
    [
      'the help of the very command',
      ['tlsa', 'create', 'a', 'b'],
      'too many arguments',
      "'hermetic tlsa create --help'",
    ],
    [
      'the data of a record, from a line of a zone',
      ['verify', '--chain', 'x', '--tlsa', '_25._tcp.mx. 3600 IN TLSA 3 1 1 AB ; old'],
      'this is a line of a zone file',
      'Leave out everything up to TLSA, and the comment: --tlsa "3 1 1 ab"',
    ],
    [
      'a record without its comment',
      ['verify', '--chain', 'x', '--tlsa', '3 1 1 ab ; old'],
      "a ';' begins a comment",
      'Leave the comment out: --tlsa "3 1 1 ab"',
    ],
  ])('%s', async (_title, args, says, hint) => {
    const [json, plain] = await Promise.all([hermeticJson(args), hermetic(args)])
    expect([json.code, plain.code]).toEqual([64, 64])
    expect(json.document['says']).toContain(says)
    expect(json.document['hint']).toContain(hint)
    for (const line of plain.err.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  test('and that --cn-fallback is no matter beside records', async () => {
    const words = ['verify', '--chain', path('chain.pem'), '--any-name', '--tlsa', `3 0 1 ${digestOf(leaf)}`]
    const [with_, without] = await Promise.all([hermetic([...words, '--cn-fallback']), hermetic(words)])
    expect([with_.code, without.code, without.err]).toEqual([0, 0, ''])
    expect(with_.err).toContain('--cn-fallback changes nothing beside --tlsa')
  })
})

describe('a file that is not what it should be is 65, with what to do', () => {
  test.each<[string, string[], string, string]>([
    ['missing', ['verify', '--chain', 'nowhere.pem'], 'there is no such file', 'certificates in PEM'],
    ['a directory', ['verify', '--chain', '.'], 'it is a directory', 'certificates in PEM'],
    ['empty', ['verify', '--chain', 'empty.pem'], 'is empty', 'BEGIN CERTIFICATE'],
    ['text', ['verify', '--chain', 'text.pem'], 'holds no certificate', 'BEGIN CERTIFICATE'],
    ['a key', ['verify', '--chain', 'key.pem'], 'only private key', 'CERTIFICATE blocks'],
    ['PKCS #7', ['verify', '--chain', 'p7.pem'], 'PKCS #7', 'openssl pkcs7 -print_certs'],
    ['DER', ['verify', '--chain', 'leaf.der'], 'is DER, not PEM', 'openssl x509 -inform der'],
    [
      'roots that are not there',
      ['verify', '--chain', 'chain.pem', '--roots', 'nowhere.pem'],
      'there is no such file',
      'a file of root certificates in PEM',
    ],
    ['endless', ['verify', '--chain', '/dev/zero'], 'larger than 10 MB', 'only the certificates of one server'],
    [
      'roots that are none',
      ['verify', '--chain', 'chain.pem', '--roots', 'text.pem'],
      '--roots: ',
      'BEGIN CERTIFICATE',
    ],
    [
      'a broken root',
      ['verify', '--chain', 'chain.pem', '--roots', 'roots-broken.pem'],
      'block 2 of',
      'Take it out',
    ],
    [
      'known ones that are none',
      ['verify', '--chain', 'chain.pem', '--known', 'empty.pem'],
      '--known: ',
      'BEGIN CERTIFICATE',
    ],
    ['no certificate to name', ['tlsa', 'create', 'broken.pem'], 'cannot be read as a certificate', 'cert show'],
    [
      'no issuer to name',
      ['tlsa', 'create', 'leaf.pem', '--usage', '2'],
      'has none of CN=mx.example.com',
      'fullchain.pem',
    ],
    ['nothing to show', ['cert', 'show', 'text.pem'], 'holds no certificate', 'BEGIN CERTIFICATE'],
  ])('%s', async (_title, args, says, hint) => {
    const { code, document } = await hermeticJson(
      args.map(word => (/\.(?:pem|der)$|^\.$/.test(word) ? path(word) : word)),
    )
    expect(code).toBe(65)
    expect(document).toMatchObject({ schema: 'hermetic.error/1', code: 'cli.bad-input' })
    expect(document['says']).toContain(says)
    expect(document['hint']).toContain(hint)
  })
})

describe('input that is far too much is answered all the same', () => {
  test('a hundred certificates', async () => {
    const many = Array.from({ length: 100 }, (_, index) => (index === 0 ? leaf : index === 99 ? middle : root))
    file('hundred.pem', ...many)
    const { code, document } = await verify(
      '--chain',
      path('hundred.pem'),
      '--any-name',
      '--tlsa',
      `2 0 1 ${digestOf(middle)}`,
    )
    expect(code).toBe(0)
    expect(document.certificates).toHaveLength(100)
    const { out } = await hermetic(['cert', 'show', path('hundred.pem')])
    expect(out.split('\n').length).toBeLessThan(400)
  })

  test('a megabyte of names', async () => {
    const names = Array.from({ length: 40_000 }, (_, index) => `host-${index}.example.com`)
    const large = makeLeaf({ issuer: middle, names })
    file('large.pem', large, middle)
    expect(large.der.length).toBeGreaterThan(900_000)
    const { code, document } = await verify(
      ...['--chain', path('large.pem'), '--roots', path('roots.pem'), '--name', 'host-39999.example.com'],
    )
    expect([code, document.names.matched]).toEqual([0, 'host-39999.example.com'])
    const whole = await hermeticJson([
      'tlsa',
      'create',
      path('large.pem'),
      '--host',
      'a.example',
      '--mtype',
      '0',
      '--selector',
      '0',
    ])
    expect([whole.code, whole.document['says']]).toEqual([65, expect.stringContaining('a DNS record holds')])
  })

  test('a thousand records', async () => {
    const records = Array.from({ length: 1_000 }, (_, index) => [
      '--tlsa',
      index === 700 ? `3 0 1 ${digestOf(leaf)}` : `2 1 1 ${String(index).padStart(64, '0')}`,
    ]).flat()
    const { code, document } = await verify('--chain', path('chain.pem'), '--any-name', ...records)
    expect([code, document.record, document.records.length]).toEqual([0, 700, 1_000])
    const { out } = await hermetic(['verify', '--at', at, '--chain', path('chain.pem'), '--any-name', ...records])
    expect(out).toContain('> 700')
    expect(out.split('\n').length).toBeLessThan(80)
  })

  test('a key of 16,384 bits', async () => {
    // Nobody needs its private half: the modulus is odd, and long.
    const modulus = Buffer.alloc(2_048, 0xff)
    const bits = derOf(
      0x03,
      Buffer.concat([
        Buffer.from([0]),
        derOf(
          0x30,
          Buffer.concat([derOf(2, Buffer.concat([Buffer.from([0]), modulus])), derOf(2, Buffer.from([1, 0, 1]))]),
        ),
      ]),
    )
    const algorithm = derOf(
      0x30,
      Buffer.concat([Buffer.from('06092a864886f70d010101', 'hex'), Buffer.from([5, 0])]),
    )
    const huge = makeAuthority({
      subject: 'CN=Huge',
      issuer: root,
      spki: derOf(0x30, Buffer.concat([algorithm, bits])),
    })
    const below = makeLeaf({ issuer: { ...huge, key: keyOf('huge', 'rsa-2048') }, names: ['mx.example.com'] })
    file('huge.pem', below, huge)
    const { code, document } = await verify(
      '--chain',
      path('huge.pem'),
      '--roots',
      path('roots.pem'),
      '--any-name',
    )
    expect([code, document.certificates[1]?.key]).toEqual([1, expect.stringContaining('16384')])
    expect((await hermetic(['cert', 'show', path('huge.pem')])).code).toBe(1)
  })
})

describe('tlsa create', () => {
  test('prints a zone file whose records authenticate the chain', async () => {
    const { code, out } = await hermetic(['tlsa', 'create', path('full.pem')])
    expect(code).toBe(0)
    const lines = out.split('\n').filter(line => line !== '' && !line.startsWith(';'))
    expect(lines.map(line => line.replace(/[0-9a-f]{64,}$/, 'HEX'))).toEqual(
      [
        '3 1 1',
        '3 1 2',
        '3 0 1',
        '3 0 2',
        ...Array.from({ length: 2 }, () => ['2 1 1', '2 1 2', '2 0 1', '2 0 2']).flat(),
      ].map(numbers => `_25._tcp.mx.example.com. IN TLSA ${numbers} HEX`),
    )
    expect(out).toMatch(/\n; Recommended:\n_25\._tcp\.mx\.example\.com\. IN TLSA 3 1 1 /)
    const verdicts = await Promise.all(
      lines.map(line =>
        verify('--chain', path('full.pem'), '--name', 'mx.example.com', '--tlsa', line.split(' TLSA ')[1] ?? ''),
      ),
    )
    expect(verdicts.map(({ document }) => document.depth)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
  })

  test('says what each record breaks by', async () => {
    const { document } = await hermeticJson([
      'tlsa',
      'create',
      path('full.pem'),
      '--port',
      '465',
      '--host',
      'MX.example.com',
    ])
    const records = document['records'] as {
      usage: number
      selector: number
      renewal: string
      recommended: boolean
    }[]
    expect(document).toMatchObject({ schema: 'hermetic.tlsa-create/1', owner: '_465._tcp.mx.example.com.' })
    expect(records.filter(({ recommended }) => recommended)).toEqual([records[0]])
    const renewal = (usage: number, selector: number) =>
      records.find(one => one.usage === usage && one.selector === selector)?.renewal
    expect(renewal(3, 0)).toContain('at every renewal')
    expect(renewal(3, 1)).toContain('when the key changes')
    expect(renewal(2, 1)).toContain('another intermediate')
    expect(JSON.stringify(document['warnings'])).toContain('at least its TTL before')
  })

  test('takes the certificate of an authority for an issuer', async () => {
    const { document } = await hermeticJson([
      'tlsa',
      'create',
      path('middle.pem'),
      '--host',
      'mx.example.com',
      '--mtype',
      '1',
    ])
    expect(document['records']).toMatchObject([
      { usage: 2, selector: 1, position: 0, subject: 'CN=Middle' },
      { usage: 2, selector: 0 },
    ])
  })

  test('where the certificate does not carry the host, recommends usage 3 and prints no other unless asked', async () => {
    const words = [
      'tlsa',
      'create',
      path('chain.pem'),
      '--host',
      'mx.example.net',
      '--mtype',
      '1',
      '--selector',
      '1',
    ]
    const [all, asked] = await Promise.all([hermetic(words), hermeticJson([...words, '--usage', '2'])])
    expect(all.out).toContain('; The certificate does not carry mx.example.net')
    expect(all.out.match(/ TLSA \d/g)).toEqual([' TLSA 3'])
    expect(asked.code).toBe(0)
    expect(asked.document['records']).toMatchObject([{ usage: 2, recommended: false }])
    expect(String(Object(asked.document['warnings'])[0])).toMatch(
      /^None of these records can work: .* 3 1 1 [0-9a-f]{64}\.$/,
    )
  })

  test('finds the server’s own certificate in a file that is upside down, and says so', async () => {
    const { code, document } = await hermeticJson(['tlsa', 'create', path('reversed.pem'), '--mtype', '1'])
    expect(code).toBe(0)
    expect(document['records']).toMatchObject([
      { usage: 3, selector: 1, position: 1, recommended: true },
      { usage: 3, selector: 0, position: 1 },
      { usage: 2, selector: 1, position: 0 },
      { usage: 2, selector: 0, position: 0 },
    ])
    expect(String(Object(document['warnings'])[0])).toContain('the order would be 1, 0')
  })
})

describe('cert show', () => {
  test('ends with 0 for a chain that is whole, and with 1 for one that is not', async () => {
    const [whole, below, gap] = await Promise.all([
      hermeticJson(['cert', 'show', path('full.pem'), '--at', at]),
      hermeticJson(['cert', 'show', path('chain.pem'), '--at', at, '--roots', path('roots.pem')]),
      hermeticJson(['cert', 'show', path('leaf.pem'), '--at', at]),
    ])
    expect([whole.code, below.code, gap.code]).toEqual([0, 0, 1])
    expect((await hermetic(['cert', 'show', path('reversed.pem'), '--at', at])).code).toBe(1)
    expect(whole.document).toMatchObject({ schema: 'hermetic.cert/1', sound: true, path: [0, 1, 2] })
    expect(gap.document).toMatchObject({ certificates: [{ signer: { kind: 'missing' } }] })
  })
})

test('each command has help with an example', async () => {
  for (const command of [['verify'], ['tlsa', 'create'], ['cert', 'show']]) {
    const { code, out } = await hermetic([...command, '--help'])
    expect(code).toBe(0)
    expect(out).toContain(`  hermetic ${command.join(' ')} `)
  }
})

function derOf(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}
