/**
 * `hermetic dns`, as its users run it, beside BIND's delv on the lab's signed zones over loopback: the same status. What the validators make of every zone is in
 * signed-lab.test.ts; here it is the way there: sockets, TCP, options and exit codes.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LabDns, startDns } from '../../src/lab/dns-server.ts'
import { privateInternet } from '../../src/lab/signing/private-internet.ts'
import { createSignedWorld } from '../../src/lab/signing/signed-world.ts'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { run } from '../support/process.ts'
import { foreignValidators, type Validators } from './support/validators.ts'

const directory = temporaryDirectory('dns-command')
const world = createSignedWorld({ zones: privateInternet(), nowMs: Date.now() })
let dns: LabDns
let foreign: Validators

beforeAll(async () => {
  dns = await startDns(world.respond)
  foreign = foreignValidators({ directory: directory.path, resolver: dns, anchors: world.anchorLines.dnskey })
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
  const [theirs, ours] = await Promise.all([foreign.delv(question), hermetic(question)])
  const status = security === 'indeterminate' ? 'failed' : security
  expect({ delv: theirs, hermetic: ours }).toEqual({ delv: status, hermetic: { security, code } })
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
    const { stdout } = await run('delv', [...foreign.delvArguments, '+nosplit', name, type])
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

async function hermeticDocument(question: string) {
  const { code, stdout } = await run(join(root, 'hermetic'), [
    'dns',
    ...question.split(' '),
    '--server',
    `${dns.address}:${dns.port}`,
    '--anchor',
    foreign.anchorFile,
    '--json',
  ])
  const document = JSON.parse(stdout) as { security: string; records: { line: string }[] }
  return { code, document }
}

async function hermetic(question: string) {
  const { code, document } = await hermeticDocument(question)
  return { security: document.security, code }
}
