/**
 * `hermetic dns`, as its users run it, beside BIND's delv on the lab's signed zones over loopback: the same status. What the validators make of every zone is in
 * signed-lab.test.ts; here it is the way there: sockets, TCP, options and exit codes.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LabDns, startDns } from '../../src/lab/dns-server.ts'
import { privateInternet } from '../../src/lab/signing/private-internet.ts'
import { createSignedWorld } from '../../src/lab/signing/signed-world.ts'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { run } from '../support/process.ts'

const directory = temporaryDirectory('dns-command')
const world = createSignedWorld({ zones: privateInternet(), nowMs: Date.now() })
const file = (name: string) => join(directory.path, name)
let dns: LabDns

beforeAll(async () => {
  dns = await startDns(world.respond)
  const keys = world.anchorLines.dnskey.map(line => {
    const [, , , flags, protocol, algorithm, key] = line.split(' ')
    return `. static-key ${flags} ${protocol} ${algorithm} "${key}";`
  })
  writeFileSync(file('anchors.delv'), `trust-anchors { ${keys.join(' ')} };\n`)
  writeFileSync(file('root.key'), `${world.anchorLines.dnskey.join('\n')}\n`)
})
afterAll(async () => {
  await dns.close()
  directory.remove()
})

test.each([
  ['_25._tcp.mx.nsec3.example TLSA', 'secure', 0],
  ['nsec.example MX', 'secure', 0],
  ['large.example TXT', 'secure', 0],
  ['any.wild.nsec3.example A', 'secure', 0],
  ['within.aliases.example A', 'secure', 0],
  ['host.tree.aliases.example A', 'secure', 0],
  ['host.nsec.example AAAA', 'secure', 1],
  ['nothing.nsec3.example A', 'secure', 1],
  ['host.unsigned.example A', 'insecure', 0],
  ['to-unsigned.aliases.example A', 'insecure', 0],
  ['host.expired.example A', 'bogus', 2],
  ['flipped-mx.example MX', 'bogus', 2],
  ['host.ds-wrong-digest.example A', 'bogus', 2],
  ['host.stripped-a.example A', 'bogus', 2],
  ['_25._tcp.mx.servfail.example TLSA', 'indeterminate', 2],
] as const)('%s: %s to both, exit %i', async (question, security, code) => {
  const [theirs, ours] = await Promise.all([delv(question), hermetic(question)])
  expect({ delv: theirs, hermetic: ours }).toEqual({ delv: security, hermetic: { security, code } })
})

test('records are written as delv writes them', async () => {
  for (const question of [
    'nsec.example SOA',
    'nsec.example MX',
    'nsec.example TXT',
    '_25._tcp.mx.nsec.example TLSA',
    'nsec.example DNSKEY',
    'nsec.example DS',
    'nsec3.example NSEC3PARAM',
  ]) {
    const [name = '', type = ''] = question.split(' ')
    const { stdout } = await run('delv', [...delvArguments(), '+nosplit', name, type])
    const theirs = stdout
      .split('\n')
      .filter(line => line !== '' && !line.startsWith(';') && !/\sRRSIG\s/.test(line))
      .map(line =>
        line
          .replace(/\s*;.*$/, '')
          .replaceAll(/\s+/g, ' ')
          .trim(),
      )
    const { document } = await hermeticDocument(question)
    const lines = document.records.map(({ line }) => line)
    const comparable = (line: string) => line.replace(/^(\S+) \d+ /, '$1 ').toLowerCase()
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.map(comparable).toSorted()).toEqual(theirs.map(comparable).toSorted())
  }
})

const delvArguments = () => [`@${dns.address}`, '-p', `${dns.port}`, '-a', file('anchors.delv'), '+root=.']

async function delv(question: string): Promise<string> {
  const { stdout, stderr } = await run('delv', [...delvArguments(), ...question.split(' ')])
  const text = stdout + stderr
  const failed = /resolution failed: (?!ncache)(.*)/.exec(text)
  if (failed !== null) return /^(failure|timed out)/.test(failed[1] ?? '') ? 'indeterminate' : 'bogus'
  if (/unsigned answer/.test(text)) return 'insecure'
  return /fully validated/.test(text) ? 'secure' : 'unknown'
}

async function hermeticDocument(question: string) {
  const { code, stdout } = await run(join(root, 'hermetic'), [
    'dns',
    ...question.split(' '),
    '--server',
    `${dns.address}:${dns.port}`,
    '--anchor',
    file('root.key'),
    '--json',
  ])
  const document = JSON.parse(stdout) as { security: string; records: { line: string }[] }
  return { code, document }
}

async function hermetic(question: string) {
  const { code, document } = await hermeticDocument(question)
  return { security: document.security, code }
}
