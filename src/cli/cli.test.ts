/** Every command as a process of its own, as users run it: exit codes, error documents, and that nothing but the document is printed. */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openJournal } from '../journal/sqlite-journal.ts'
import { delivery, session } from '../judgement/testing/documents.ts'
import { messageId } from '../protocol/mail/message-id.ts'
import { statePaths } from '../relay/state-paths.ts'
import { openSpool } from '../spool/sqlite-spool.ts'
import { createSelfSigned } from '../system/certificate-maker.ts'

const main = join(import.meta.dirname, 'main.ts')
let directory = ''
let config = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cli-'))
  config = join(directory, 'hermetic.yaml')
  writeFileSync(
    config,
    `hostname: box.example.org
state: ${join(directory, 'state')}
dns: { servers: ['127.0.0.1:9'], timeout: 200ms }
limits: { min_free: 1MB }
routes:
  - { name: closed, when: { recipient: closed@example.org }, to: { reject: Closed } }
  - { name: store, when: { recipient: .example.org }, to: { host: [127.0.0.1, '[::1]:2500'], port: 24 }, tls: encrypt }
`,
  )
})
afterAll(() => rmSync(directory, { recursive: true }))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function hermetic(
  args: readonly string[],
  input = '',
  env: Record<string, string> = {},
  user: { uid?: number; gid?: number } = {},
): Promise<Ran> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
      env: { ...process.env, HERMETIC_CONFIG: config, ...env },
      ...user,
    })
    let out = ''
    let err = ''
    child.stdout.on('data', bytes => {
      out += String(bytes)
    })
    child.stderr.on('data', bytes => {
      err += String(bytes)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('close', code => resolve({ code, out, err }))
  })
}

async function document(args: readonly string[], input = '') {
  const { code, out, err } = await hermetic([...args, '--json'], input)
  return { code, err, document: JSON.parse(out) as Record<string, unknown> }
}

const wrong: [string, string[], string][] = [
  ['an unknown command, with the nearest one', ['vesion'], "there is no command 'vesion'"],
  ['an unknown command that nothing is near', ['foo'], "there is no command 'foo'; there are serve, queue"],
  ['an attempt of nothing', ['log', '--attempt'], '--attempt needs a message or a delivery'],
  ['an unknown option', ['version', '--bogus'], "unknown option '--bogus'"],
  ['too many words', ['version', 'x'], 'too many arguments'],
  ['a missing word', ['route'], "missing required argument 'address'"],
  ['a group without its command', ['queue'], "'queue' needs one of list, show, retry, remove"],
  ['a group with another command', ['config', 'edit'], "'config' has no 'edit'"],
  ['a number that is none', ['queue', 'list', '--limit', 'many'], "'many' is not a whole number"],
  ['an id that is none', ['queue', 'show', '../x'], '"../x" is not the id of a message'],
  ['nothing to retry', ['queue', 'retry'], "'queue retry' needs the id of a message, or --all"],
  ['an address that is none', ['route', 'a b@c'], '"a b@c" is not an address'],
  ['a source that is none', ['route', 'a@b.example', '--source', 'home'], '"home" is not an address'],
  ['sendmail without recipients', ['sendmail'], 'nobody to send to'],
  ['an option of sendmail that we lack', ['sendmail', '-bd'], 'the option -bd is not known'],
]

describe('wrong usage is 64, with one sentence and a hint', () => {
  test.each(wrong)('%s', async (_title, args, says) => {
    const [plain, json] = await Promise.all([hermetic(args), document(args)])
    expect([plain.code, plain.out]).toEqual([64, ''])
    expect(plain.err).toContain(`hermetic: ${says}`)
    expect(json).toMatchObject({ code: 64, err: '', document: { schema: 'hermetic.error/1', code: 'cli.usage' } })
    expect(json.document['says']).toContain(says)
    expect(json.document['hint']).not.toBe('')
  })
})

test('serve ends with a line that says so', async () => {
  const own = join(directory, 'serve.yaml')
  writeFileSync(
    own,
    `state: ${join(directory, 'serving')}\nlisten: [{ address: 127.0.0.1, port: 0 }]\ndns: { trust: none }\n`,
  )
  const child = spawn(process.execPath, [main, 'serve', '--config', own])
  let out = ''
  child.stdout.on('data', bytes => {
    out += String(bytes)
    // Once: a second signal ends it without a word.
    if (out.includes('serves as') && !child.killed) child.kill('SIGTERM')
  })
  const code = await new Promise(resolve => child.on('close', resolve))
  expect(code).toBe(0)
  expect(out).toMatch(/ stopping\n(.*\n)* ?.* stopped\n$/)
})

describe('bad configuration is 78', () => {
  test.each([
    ['config', 'check'],
    ['queue', 'list'],
    ['route', 'a@b.example'],
    ['serve'],
    ['sendmail', 'a@b.example'],
  ])('for %s %s', async (...args) => {
    const bad = join(directory, 'bad.yaml')
    writeFileSync(bad, 'hostname: a.example\nroute: []\n')
    const { code, document: error } = await document([...args, '--config', bad])
    expect([code, error['code']]).toEqual([78, 'cli.configuration'])
    expect(error['problems']).toMatchObject([{ file: bad, line: 2, column: 1, suggestion: 'routes' }])
  })

  test('and is told with file, line and column', async () => {
    const bad = join(directory, 'worse.yaml')
    writeFileSync(bad, 'dns: { timeout: 5 }\n')
    const { code, out, err } = await hermetic(['config', 'check', bad])
    expect([code, out]).toEqual([78, ''])
    expect(err).toContain(`${bad}:1:17: dns.timeout: expected a duration`)
  })
})

test('a file that is no configuration is told in a few short lines', async () => {
  const odd = join(directory, 'odd.yaml')
  writeFileSync(odd, Array.from({ length: 40 }, (_, i) => `a${i}: "b" ${'\x07c'.repeat(500)}\n`).join(''))
  const [plain, json] = await Promise.all([hermetic(['config', 'check', odd]), document(['config', 'check', odd])])
  expect([plain.code, json.code]).toEqual([78, 78])
  expect(plain.err).toMatch(/\n {2}… and \d+ more\n/)
  expect(plain.err.split('\n').length).toBeLessThan(30)
  expect(Math.max(...plain.err.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
  expect(plain.err.length).toBeLessThan(4_000)
  expect(json.document['problems']).toHaveLength(10)
  expect(json.document['omitted']).toBeGreaterThan(0)
})

describe('config check looks at the certificates', () => {
  const checked = async (chain: string, key: string, tls: string) => {
    const file = join(directory, 'certificates.yaml')
    const pair = `{ chain: ${chain}, key: ${key} }`
    writeFileSync(
      file,
      `hostname: box.example.org\nlisten: [{ address: 127.0.0.1, tls: ${tls} }]\ntls: { certificates: [${pair}] }\ndns: { trust: none }\n`,
    )
    const [plain, json] = await Promise.all([
      hermetic(['config', 'check', file]),
      document(['config', 'check', file]),
    ])
    expect(plain.code).toBe(json.code)
    return { ...plain, document: json.document }
  }

  beforeAll(async () => {
    const day = 86_400_000
    const names = ['box.example.org']
    const good = await createSelfSigned({ names })
    const old = await createSelfSigned({ names, notBeforeMs: Date.now() - 9 * day, notAfterMs: Date.now() - day })
    for (const [name, { chain, key }] of [
      ['good', good],
      ['old', old],
    ] as const) {
      writeFileSync(join(directory, `${name}.pem`), chain)
      writeFileSync(join(directory, `${name}.key`), key)
    }
  })

  test('those that the relay could not use are problems', async () => {
    const missing = await checked('nowhere.pem', 'good.key', 'starttls')
    expect([missing.code, missing.out]).toEqual([78, ''])
    expect(missing.err.replaceAll('\n    ', ' ')).toMatch(
      /tls\.certificates: The certificate file .*nowhere\.pem cannot be read: there is no such file\. Put/,
    )
    expect(missing.document).toMatchObject({ code: 'cli.configuration', problems: [{ hint: expect.any(String) }] })
    const misfit = await checked('good.pem', 'old.key', 'implicit')
    expect([misfit.code, misfit.err.replaceAll('\n    ', ' ')]).toEqual([
      78,
      expect.stringContaining('old.key does not belong to the certificate'),
    ])
  })

  test('what is served all the same is a remark', async () => {
    const expired = await checked('old.pem', 'old.key', 'starttls')
    expect(expired.code).toBe(0)
    expect(expired.out.replaceAll('\n    ', ' ')).toMatch(/note: The certificate in .*old\.pem expired on /)
    expect(expired.document['remarks']).toMatchObject([expect.stringContaining('expired on')])
  })

  test('those that nobody is shown are left alone, and good ones are good', async () => {
    expect((await checked('nowhere.pem', 'good.key', 'none')).code).toBe(0)
    expect((await checked('good.pem', 'good.key', 'starttls')).document['remarks']).toEqual([])
  })
})

describe('commands', () => {
  test('alone print what there is, in groups', async () => {
    const { code, out } = await hermetic([])
    expect(code).toBe(0)
    expect(out).toMatch(/Run.*serve.*Try.*tour.*lab.*config.*version/s)
    expect(out.split('\n').every(line => line.length <= 100)).toBe(true)
  })

  test('version, config check, example and schema answer with one document each', async () => {
    const all = await Promise.all([
      document([]),
      document(['version']),
      document(['config', 'check']),
      document(['config', 'example']),
      document(['config', 'schema']),
    ])
    expect(all.map(one => one.code)).toEqual([0, 0, 0, 0, 0])
    expect(all.map(one => one.document['schema'])).toEqual([
      'hermetic.commands/1',
      'hermetic.version/1',
      'hermetic.config-check/1',
      'hermetic.config-example/1',
      'hermetic.config-schema/1',
    ])
  })

  test('the help of a command is not a failure', async () => {
    const { code, out } = await hermetic(['queue', 'retry', '--help'])
    expect(code).toBe(0)
    expect(out).toContain('--all')
  })

  test('other words for version and help are understood', async () => {
    const plain = await Promise.all([
      hermetic(['--version']),
      hermetic(['-V']),
      hermetic(['help']),
      hermetic(['help', 'log']),
      hermetic(['help', 'queue', 'retry']),
      hermetic(['help', 'sendmail']),
    ])
    expect(plain.map(one => one.code)).toEqual([0, 0, 0, 0, 0, 0])
    const says = [/^hermetic \d/, /^hermetic \d/, /^Hermetic: /, /--matching/, /--all/, /recipients from To/]
    for (const [i, wanted] of says.entries()) expect(plain[i]?.out).toMatch(wanted)
    const documents = await Promise.all([
      document(['--version']),
      document(['help']),
      document(['help', 'log']),
      document(['queue', '--help']),
      document(['sendmail', '--help']),
    ])
    expect(documents.map(one => [one.code, one.document['schema']])).toEqual([
      [0, 'hermetic.version/1'],
      [0, 'hermetic.commands/1'],
      [0, 'hermetic.help/1'],
      [0, 'hermetic.help/1'],
      [0, 'hermetic.help/1'],
    ])
    expect(documents[2]?.document['text']).toContain('--matching')
  })

  test('no colour goes into a pipe', async () => {
    const { out } = await hermetic(['config', 'check'], '', { FORCE_COLOR: '1' })
    expect(out).not.toContain('\x1b')
  })

  test('an output that cannot be written is 74, with one sentence', async () => {
    const child = spawn('sh', ['-c', `"${process.execPath}" "${main}" config schema > /dev/full`], {
      stdio: 'pipe',
    })
    let err = ''
    child.stderr.on('data', bytes => {
      err += String(bytes)
    })
    const code = await new Promise(resolve => child.on('close', resolve))
    expect([code, err]).toEqual([74, 'hermetic: standard output cannot be written (ENOSPC)\n'])
  })

  test('no compiled code is kept in the directory for temporary files, which others can write to', async () => {
    const shared = mkdtempSync(join(directory, 'tmp-'))
    const { code } = await hermetic(['version'], '', { TMPDIR: shared, NODE_COMPILE_CACHE: '' })
    expect([code, readdirSync(shared)]).toEqual([0, []])
  })

  test('a reader that leaves early is no failure', async () => {
    const child = spawn('sh', ['-c', `"${process.execPath}" "${main}" config schema | head -c 10; echo`], {
      stdio: 'pipe',
    })
    let err = ''
    child.stderr.on('data', bytes => {
      err += String(bytes)
    })
    await new Promise(resolve => child.on('close', resolve))
    expect(err).toBe('')
  })

  test('config reload without a relay is 69', async () => {
    expect(await document(['config', 'reload'])).toMatchObject({
      code: 69,
      document: { code: 'cli.relay-unreachable', hint: "Start one with 'hermetic serve'." },
    })
  })

  test('config reload with a relay that does not answer says that, and not to start one', async () => {
    const state = mkdtempSync(join(directory, 'mute-'))
    const server = createServer(socket => socket.destroy())
    await new Promise<void>(resolve => server.listen(join(state, 'control.sock'), resolve))
    writeFileSync(join(state, 'mute.yaml'), `hostname: box.example.org\nstate: ${state}\n`)
    const reloaded = await document(['config', 'reload', '--config', join(state, 'mute.yaml')])
    server.close()
    expect(reloaded).toMatchObject({
      code: 69,
      document: { says: 'the relay hung up', hint: 'Its log may say more.' },
    })
  })

  test('work in a directory that was deleted', async () => {
    const gone = mkdtempSync(join(directory, 'gone-'))
    const command = `cd "${gone}"; rmdir "${gone}"; exec "${process.execPath}" "${main}" config check "${config}"`
    const child = spawn('sh', ['-c', command], { stdio: 'ignore' })
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(0)
  })
})

describe('route', () => {
  test('prints hosts, ports, names and level of the rule that won, and why others did not', async () => {
    const { code, document: route } = await document(['route', 'pat@example.org'])
    expect(code).toBe(0)
    expect(route).toMatchObject({
      schema: 'hermetic.route/1',
      outcome: 'deliver',
      rule: 'store',
      passed: [{ rule: 'closed' }],
      destination: { kind: 'hosts', level: 'encrypt', roots: 'runtime' },
      candidates: [
        { host: '127.0.0.1', port: 24, plan: { starttls: 'required', sni: null } },
        { host: '::1', port: 2500 },
      ],
    })
    const { out } = await hermetic(['route', 'pat@example.org'])
    expect(out).toContain('1. 127.0.0.1 [127.0.0.1] port 24')
    expect(out).toContain('nothing was sent')
  })

  test('gives the answer first; of many rules that did not match, only those that nearly did, the others with --json', async () => {
    const own = join(directory, 'many.yaml')
    const others = [1, 2, 3, 4, 5].map(
      i => `  - { name: other${i}, when: { recipient: other${i}.example }, to: { reject: Closed } }\n`,
    )
    writeFileSync(own, readFileSync(config, 'utf8').replace('routes:\n', `routes:\n${others.join('')}`))
    const { out } = await hermetic(['route', 'pat@example.org', '--config', own])
    const lines = out.split('\n').map(line => line.trim())
    expect(lines[1]).toBe('rule "store" won; 6 rules before it did not match')
    expect(lines[2]).toMatch(/^level encrypt: /)
    expect(lines.slice(lines.indexOf('did not match:'))).toEqual([
      'did not match:',
      '"closed": the recipient pat@example.org is not in closed@example.org',
      'and 5 more; --json says why of each',
      'nothing was sent',
      '',
    ])
    const { out: far } = await hermetic(['route', 'pat@elsewhere.example', '--config', own])
    expect(far).toContain('  did not match: 7 rules about other mail; --json says why of each\n')
    const { document: route } = await document(['route', 'pat@example.org', '--config', own])
    expect(route['passed']).toHaveLength(6)
    expect(route['passed']).toContainEqual({
      rule: 'other5',
      because: 'the recipient pat@example.org is not in other5.example',
      isNear: false,
    })
    const few = await hermetic(['route', 'pat@example.org'])
    expect(few.out).toContain('rule "store" won; one rule before it did not match\n')
    expect(few.out).toContain('  did not match:\n    "closed": the recipient')
  })

  test('tells what the relay last saw of a host: certificates, verdict, and what to do', async () => {
    const state = join(directory, 'seen')
    const own = join(directory, 'seen.yaml')
    writeFileSync(own, readFileSync(config, 'utf8').replace(/^state: .*$/m, `state: ${state}`))
    const journal = await openJournal({ directory: statePaths(state).journal, now: Date.now })
    journal.keep({ ...session, host: '127.0.0.1', address: '127.0.0.1', port: 24 })
    await journal.close()
    const { document: route } = await document(['route', 'pat@example.org', '--config', own])
    expect(route['candidates']).toMatchObject([
      { port: 24, lastSeen: { schema: 'hermetic.session/1', findings: [{ code: 'x509.name-mismatch' }] } },
      { port: 2500, lastSeen: null },
    ])
    const { out } = await hermetic(['route', 'pat@example.org', '--config', own])
    expect(out).toMatch(/Last seen +2026-11-21T/)
    expect(out).toMatch(/Certificate +0: CN=evil/)
    expect(out).toContain('What to do:')
    expect(out.split('\n').filter(line => line.length > 100)).toEqual([])
  })

  test('takes an address in angle brackets', async () => {
    expect((await document(['route', '<pat@example.org>'])).document['address']).toBe('pat@example.org')
  })

  test('speaks of an address literal without the DNS', async () => {
    const [{ code, out }, json] = await Promise.all([
      hermetic(['route', 'pat@[127.0.0.1]']),
      document(['route', 'pat@[127.0.0.1]']),
    ])
    expect(code).toBe(1)
    expect(out).toContain('pat@[127.0.0.1]: to the address 127.0.0.1 itself, but there is no way now')
    expect(out).not.toMatch(/DNS|MX|left out/)
    expect(json.document['finding']).toMatchObject({ code: 'dns.literal-forbidden', culprit: 'sender' })
    expect((await hermetic(['route', 'pat@[IPv6:::1]'])).out).toContain('to the address ::1 itself')
  })

  test('fits a page, however long the address and what is said of it', async () => {
    const outs = await Promise.all(
      [
        'pat@other.example',
        `${'long'.repeat(60)}@example.org`,
        `${'long'.repeat(15)}@${'sub.'.repeat(45)}example.org`,
        'pat@[127.0.0.1]',
      ].map(async address => (await hermetic(['route', address])).out),
    )
    for (const out of outs) expect(out.split('\n').filter(line => line.length > 100)).toEqual([])
    expect(outs.every(out => out.includes('nothing was sent') || out === '')).toBe(true)
  })

  test('answers no (1) for a refused address and for one whose DNS fails', async () => {
    expect(await document(['route', 'closed@example.org'])).toMatchObject({
      code: 1,
      document: { outcome: 'reject', rule: 'closed', reply: { code: 550 } },
    })
    expect(await document(['route', 'pat@other.example'])).toMatchObject({
      code: 1,
      document: {
        outcome: 'deliver',
        rule: 'default',
        candidates: [],
        finding: { code: expect.stringMatching(/^dns\./) },
      },
    })
  })
})

describe('queue without a relay works on the spool itself', () => {
  const id = messageId(Date.UTC(2026, 0, 2), 0, 5)

  beforeAll(async () => {
    const paths = statePaths(join(directory, 'state'))
    mkdirSync(paths.spool, { recursive: true })
    const spool = await openSpool({ directory: paths.spool, partition: 0, minFreeBytes: 0, now: Date.now })
    const body = spool.openBody()
    await body.write(Buffer.from('Subject: x\r\n\r\n'))
    const path = { local: 'c', domain: 'd.example', text: 'c@d.example\u202e' }
    await spool.accept(
      {
        id,
        envelope: { from: null, recipients: [path], demands: { eightBit: false, smtputf8: false } },
        receivedAtMs: Date.UTC(2026, 0, 2),
        expiresAtMs: Date.UTC(2026, 0, 7),
        origin: { via: 'smtp', address: '192.0.2.1', helo: null, tls: null },
      },
      body,
    )
    spool.release(id)
    await spool.close()
  })

  test('list and show', async () => {
    expect(await document(['queue', 'list'])).toMatchObject({
      code: 0,
      document: {
        schema: 'hermetic.queue/1',
        through: 'spool',
        messages: [{ id, from: '', pending: [{ attempts: 0 }] }],
      },
    })
    expect((await hermetic(['queue', 'list', '--json'])).out).toContain('c@d.example\\u202e')
    const { out } = await hermetic(['queue', 'list'])
    expect(out).toContain('c@d.example\\u202e')
    expect(out).toContain('No relay runs; this is the spool itself. It is delivered when one is started.')
    expect(out.split('\n').every(line => line.length <= 100)).toBe(true)
    expect((await hermetic(['queue', 'show', id])).out).toContain(`${id}  from <>`)
  })

  test('what is not there is 1', async () => {
    const other = messageId(0, 0, 1)
    expect((await hermetic(['queue', 'show', other])).code).toBe(1)
    expect((await hermetic(['queue', 'retry', other])).code).toBe(1)
    expect((await hermetic(['queue', 'remove', other])).code).toBe(1)
  })

  test('retry and remove', async () => {
    expect(await document(['queue', 'retry', '--all'])).toMatchObject({ code: 0, document: { touched: 1 } })
    expect(await document(['queue', 'remove', id])).toMatchObject({ code: 0, document: { outcome: 'removed' } })
    expect(await document(['queue', 'list'])).toMatchObject({ document: { messages: [] } })
    expect((await hermetic(['queue', 'list'])).out).toBe(
      'nothing waits\nNo relay runs; this is the spool itself.\n',
    )
  })

  test('what was removed is told by the log', async () => {
    expect((await hermetic(['log', id])).out).toContain('removed by the operator')
  })
})

describe('log', () => {
  const id = messageId(Date.UTC(2026, 0, 3), 0, 6)
  const at = '2026-01-03T00:00:00.000Z'

  beforeAll(async () => {
    const journal = await openJournal({ directory: statePaths(join(directory, 'state')).journal })
    journal.record({
      kind: 'accepted',
      at,
      message: id,
      from: 'pat@example.org',
      recipients: ['evil\u202e@d.example'],
      sizeBytes: 5_000,
      via: 'esmtps',
      client: '192.0.2.1',
      helo: 'mail\x1b.example',
      tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
    })
    journal.record({ kind: 'attempted', at, message: id, delivery: { ...delivery, message: id } })
    journal.keep(session)
    journal.record({ kind: 'removed', at, message: id })
    journal.record({
      kind: 'incident',
      at,
      code: 'starttls.bytes-after-command',
      client: '192.0.2.9',
      says: '3 bytes',
    })
    await journal.flush()
    await journal.close()
  })

  test('shows the newest messages, the life of one, and incidents, with nothing a terminal would obey', async () => {
    const [list, life, incidents] = await Promise.all([
      hermetic(['log']),
      hermetic(['log', id]),
      hermetic(['log', '--incidents']),
    ])
    expect([list.code, life.code, incidents.code]).toEqual([0, 0, 0])
    expect(list.out).toContain(`${id}  2026-01-03 00:00:00`)
    expect(life.out).toContain('accepted by esmtps from mail\\x1b.example [192.0.2.1]')
    expect(life.out).toContain('for <evil\\u202e@d.example>')
    expect(life.out).toContain('removed by the operator')
    expect(incidents.out).toContain('[192.0.2.9] starttls.bytes-after-command: 3 bytes')
    for (const { out } of [list, life, incidents]) {
      expect(out).not.toMatch(/[\x1b\u202e]/)
      expect(out.split('\n').every(line => line.length <= 100)).toBe(true)
    }
  })

  test('shows an attempt in the life, and as a page with all that was seen', async () => {
    const [life, page, json] = await Promise.all([
      hermetic(['log', id]),
      hermetic(['log', '--attempt', delivery.id]),
      document(['log', '--attempt', delivery.id]),
    ])
    expect(life.out).toContain(`attempt ${delivery.attempt}: to `)
    expect(life.out).toContain(`hermetic log --attempt ${delivery.id}`)
    expect(page.out).toContain(`Delivery ${delivery.id} of message ${id}`)
    expect(page.out).toContain(`Session ${session.id}`)
    expect(json).toMatchObject({
      code: 0,
      document: { schema: 'hermetic.attempt/1', delivery: { id: delivery.id }, sessions: [{ id: session.id }] },
    })
    for (const { out } of [life, page]) expect(out.split('\n').every(line => line.length <= 100)).toBe(true)
  })

  test('shows the last attempt of a message, where none is named', async () => {
    const asked = [
      ['log', id, '--attempt'],
      ['log', '--attempt', id],
      ['log', id, '--attempt', delivery.id],
    ]
    for (const args of asked)
      expect(await document(args)).toMatchObject({ code: 0, document: { delivery: { id: delivery.id } } })
    expect((await hermetic(['log', id, '--attempt'])).out).toContain(`Delivery ${delivery.id} of message ${id}`)
    expect((await hermetic(['log', messageId(0, 0, 0), '--attempt'])).code).toBe(1)
  })

  test('answers with one document each, and with 1 where there is nothing', async () => {
    expect(await document(['log', id])).toMatchObject({
      code: 0,
      document: {
        schema: 'hermetic.life/1',
        events: [{ kind: 'accepted' }, { kind: 'attempted' }, { kind: 'removed' }],
      },
    })
    expect(await document(['log', '--matching', 'pat@'])).toMatchObject({
      code: 0,
      document: { schema: 'hermetic.log/1', messages: [{ message: id, state: 'removed' }] },
    })
    expect(await document(['log', '--matching', 'nobody@'])).toMatchObject({ code: 1, document: { messages: [] } })
    expect(await document(['log', messageId(0, 0, 0)])).toMatchObject({ code: 1, document: { events: [] } })
    expect(await document(['log', '--attempt', 'x'])).toMatchObject({ code: 1, document: { delivery: null } })
    expect(await document(['log', 'pat@example.org'])).toMatchObject({
      code: 64,
      document: { hint: 'To search: hermetic log --matching pat@example.org' },
    })
  })
})

test.each([
  ['the state directory', (at: string) => `state: ${at}\n`],
  ['the log file', (at: string) => `state: ${at}-state\nlog: { file: ${at}/log }\n`],
])('serve that cannot write %s ends with 69', async (_title, text) => {
  const occupied = join(directory, 'in-the-way')
  writeFileSync(occupied, '')
  const other = join(directory, 'in-the-way.yaml')
  writeFileSync(other, text(occupied))
  expect(await document(['serve', '--config', other])).toMatchObject({ code: 69, document: { code: 'cli.start' } })
})

test('log says in a sentence that it cannot read the journal, as for another user than the relay’s', async () => {
  const state = join(directory, 'unreadable')
  mkdirSync(statePaths(state).journal, { recursive: true })
  writeFileSync(join(statePaths(state).journal, 'journal.db'), 'not a database, whatever the user may read')
  const other = join(directory, 'unreadable.yaml')
  writeFileSync(other, `hostname: box.example.org\nstate: ${state}\n`)
  const { code, err } = await hermetic(['log', '--config', other])
  expect([code, err.split('\n').length]).toEqual([69, 3])
  expect(err).toMatch(/^hermetic: .*journal\.db is damaged/)
})

describe('sendmail', () => {
  const maildrop = () => join(directory, 'state', 'maildrop')
  const newest = () => {
    const [name = ''] = readdirSync(maildrop())
    const text = readFileSync(join(maildrop(), name), 'utf8')
    rmSync(join(maildrop(), name))
    return text
  }

  test('is silent, and leaves a drop', async () => {
    const ran = await hermetic(
      ['sendmail', '-oi', '-t', '-oem', '-N', 'never', '-fpat', '-F', 'Pat Smith', '--', 'b@example.org'],
      'To: a@example.org\nBcc: hidden@example.org\n\n.\nend\n',
    )
    expect(ran).toEqual({ code: 0, out: '', err: '' })
    const drop = newest()
    expect(drop).toContain(
      '"from":"pat@box.example.org","recipients":["b@example.org","a@example.org","hidden@example.org"]',
    )
    expect(drop).toContain('\r\nFrom: Pat Smith <pat@box.example.org>\r\n')
    expect(drop.endsWith('\r\n\r\n.\r\nend\r\n')).toBe(true)
    expect(drop.split('\n').slice(1).join('\n')).not.toContain('hidden')
  })

  test('what waits in the maildrop is told while no relay runs', async () => {
    const { document: answer } = await document(['sendmail', 'a@example.org'], 'Subject: x\n\n')
    const drop = String(answer['id'])
    const [list, log, life, listed, logged] = await Promise.all([
      hermetic(['queue', 'list']),
      hermetic(['log']),
      hermetic(['log', drop]),
      document(['queue', 'list']),
      document(['log']),
    ])
    const says = '1 message waits in the maildrop until a relay takes it in'
    expect(list.out).toContain('nothing waits in the spool\n')
    expect(list.out).toContain(says)
    expect(log.out).toContain(says)
    expect([life.code, life.out]).toEqual([1, expect.stringContaining('lies in the maildrop')])
    expect([listed.document['maildrop'], logged.document['maildrop']]).toEqual([1, 1])
    newest()
    expect((await hermetic(['log'])).out).not.toContain('maildrop')
  })

  test.each([
    ['--config FILE', () => ['--config', config]],
    ['--config=FILE and --json', () => [`--config=${config}`, '--json']],
  ])('takes %s before its name, as every command does', async (_options, options) => {
    const words = [...options(), 'sendmail', '-f', 'a@b.example', 'c@example.org']
    const { code, err } = await hermetic(words, 'Subject: x\n\n', { HERMETIC_CONFIG: '/nowhere.yaml' })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(newest()).toContain('"from":"a@b.example","recipients":["c@example.org"]')
  })

  test('says the id with --json', async () => {
    const { code, document: answer } = await document(['sendmail', '-r', '<>', 'a@example.org'], 'Subject: x\n\n')
    expect([code, answer['schema'], answer['recipients']]).toEqual([0, 'hermetic.sendmail/1', ['a@example.org']])
    expect(newest()).toContain('"from":null')
  })

  test('speaks SMTP with -bs', async () => {
    const ran = await hermetic(['sendmail', '-bs'], 'HELO x\r\nMAIL FROM:<a@b.example>\r\n')
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^220 box\.example\.org/)
  })

  test.each([
    ['no recipient in the message', ['-t'], 'Subject: x\n\n', 65],
    ['a recipient that is none', ['a b'], 'Subject: x\n\n', 65],
  ])('refuses %s', async (_title, args, input, exit) => {
    const { code, document: error } = await document(['sendmail', ...args], input)
    expect([code, error['code']]).toEqual([exit, 'cli.bad-input'])
    expect(readdirSync(maildrop())).toEqual([])
  })

  test.runIf(process.getuid?.() === 0)(
    "of another user than the relay's says whose maildrop it is, is 73 (needs root, to be that other user)",
    async () => {
      const state = join(directory, 'private')
      mkdirSync(state)
      mkdirSync(join(state, 'maildrop'), { mode: 0o700 })
      chownSync(join(state, 'maildrop'), 12_345, 12_345)
      const other = join(directory, 'private.yaml')
      writeFileSync(other, `state: ${state}\n`)
      chmodSync(directory, 0o711)
      const nobody = { uid: 65_534, gid: 65_534 }
      const ran = await hermetic(['sendmail', 'a@example.org', '--config', other], 'x: y\n\n', {}, nobody)
      expect(ran).toMatchObject({ code: 73, out: '' })
      expect(ran.err).toContain('belongs to user 12345')
      expect(ran.err).toContain('by SMTP where the relay listens')
    },
  )

  test('where the maildrop cannot be made, is 73', async () => {
    const file = join(directory, 'occupied')
    writeFileSync(file, '')
    const other = join(directory, 'occupied.yaml')
    writeFileSync(other, `state: ${file}\n`)
    const { code, document: error } = await document(['sendmail', 'a@example.org', '--config', other], 'x: y\n\n')
    expect([code, error['code']]).toEqual([73, 'cli.cannot-create'])
  })
})
