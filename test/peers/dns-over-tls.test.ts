/** Our DNS over TLS against a real server: unbound, which validates the lab's signed internet and serves it over TLS alone, as resolvers on the Internet do. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNameServerTrust } from '../../src/hop/name-server-trust.ts'
import { type LabDns, startDns } from '../../src/lab/dns-server.ts'
import { privateInternet } from '../../src/lab/signing/private-internet.ts'
import { createSignedWorld, type SignedWorld } from '../../src/lab/signing/signed-world.ts'
import type { RecordType } from '../../src/protocol/dns/answer.ts'
import { createAuthority } from '../../src/system/certificate-maker.ts'
import {
  createTrustedResolver,
  createValidationMemory,
  type TrustedResolverOptions,
} from '../../src/system/trusted-resolver.ts'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { run } from '../support/process.ts'
import { type NameServer, startTlsForwarder, type TlsForwarding } from './support/name-servers.ts'

const name = 'dns.example'
const idleMs = 300
const directory = temporaryDirectory('dns-over-tls')
const inDirectory = (file: string, text: string) => {
  writeFileSync(join(directory.path, file), text)
  return join(directory.path, file)
}
const closers: (() => Promise<unknown>)[] = []
let world: SignedWorld
let lab: LabDns
let unbound: NameServer
let forwarding: TlsForwarding
let roots: string

beforeAll(async () => {
  world = createSignedWorld({ zones: privateInternet(), nowMs: Date.now() })
  lab = await startDns(world.respond)
  closers.push(() => lab.close())
  const authority = await createAuthority({ commonName: 'Lab root' })
  const { chain, key } = await authority.leaf({ names: [name] })
  roots = authority.root
  forwarding = {
    chain: inDirectory('chain.pem', chain),
    key: inDirectory('key.pem', key),
    anchors: inDirectory('root.key', `${world.anchorLines.ds.join('\n')}\n`),
    idleMs,
  }
  unbound = await startTlsForwarder(join(directory.path, 'unbound'), lab, forwarding)
  closers.push(() => unbound.stop())
})
afterAll(async () => {
  for (const close of closers.reverse()) await close()
  directory.remove()
})

const written = (authenticationName = name) =>
  // The address of this machine in a form that is not taken for it, and reaches unbound on IPv4.
  `tls://[::ffff:127.0.0.1]:${unbound.port}#${authenticationName}`

function resolverFor(more: Partial<TrustedResolverOptions> = {}) {
  const resolver = createTrustedResolver({
    servers: [written()],
    tls: createNameServerTrust(roots, Date.now),
    timeoutMs: 10_000,
    hostsFile: null,
    trust: 'validate',
    adFromAnywhere: false,
    require: false,
    insecure: [],
    anchors: world.anchorLines.ds.join('\n'),
    memory: createValidationMemory(),
    ...more,
  })
  closers.push(() => resolver.close())
  return resolver
}

const questions = [
  ['mx.nsec.example', 'A', 'records secure'],
  ['nsec.example', 'MX', 'records secure'],
  ['_25._tcp.mx.nsec3.example', 'TLSA', 'records secure'],
  ['large.example', 'TXT', 'records secure'],
  ['nothing.nsec3.example', 'MX', 'no-such-name secure'],
  ['host.unsigned.example', 'A', 'records insecure'],
] as const satisfies readonly (readonly [string, RecordType, string])[]

test.each(['validate', 'ad'] as const)(
  'with trust %s its answers are what the zones were made for',
  async trust => {
    const resolver = resolverFor({ trust })
    const said = await Promise.all(questions.map(([owner, type]) => resolver.resolve({ name: owner, type })))
    expect(said.map(({ outcome, security }) => `${outcome} ${security}`)).toEqual(questions.map(([, , is]) => is))
    expect(said.map(({ server }) => server)).toEqual(questions.map(() => written()))
    expect(resolver.standing).toEqual({ trust, validation: 'works', says: [] })
  },
)

test('many questions at once are answered, whether their names are there or not', async () => {
  const resolver = resolverFor()
  const all = await Promise.all(
    Array.from({ length: 150 }, (_, i) => resolver.resolve({ name: `n${i}.nsec3.example`, type: 'A' })),
  )
  expect(new Set(all.map(({ outcome, security }) => `${outcome} ${security}`))).toEqual(
    new Set(['no-such-name secure']),
  )
})

test('a connection that it closed is opened again with the next question, and so it is when it was started anew', async () => {
  const resolver = resolverFor()
  const ask = async (owner: string) => (await resolver.resolve({ name: owner, type: 'A' })).security
  expect(await ask('mx.nsec.example')).toBe('secure')
  await sleep(3 * idleMs)
  expect(await ask('mx.nsec3.example')).toBe('secure')
  const { port } = unbound
  await unbound.stop()
  unbound = await startTlsForwarder(join(directory.path, 'unbound'), lab, forwarding, port)
  expect(await ask('alias.nsec.example')).toBe('secure')
})

test('under another name it is asked nothing, in TLS or in clear text', async () => {
  const before = lab.questions
  const resolver = resolverFor({ servers: [written('other.example')] })
  const { outcome, security } = await resolver.resolve({ name: 'b.mixed-case.example', type: 'A' })
  expect(`${outcome} ${security}`).toBe('failed indeterminate')
  expect(resolver.standing.says).toEqual([
    expect.stringContaining(
      'does not prove other.example: x509.name-mismatch, wanted other.example; it carries dns.example',
    ),
  ])
  expect(lab.questions).toBe(before)
})

test('./hermetic dns asks it, and tells so', async () => {
  const config = inDirectory('hermetic.yaml', `dns: { tls_roots: ${inDirectory('roots.pem', roots)} }\n`)
  const { code, stdout } = await run(join(root, 'hermetic'), [
    ...['dns', '_25._tcp.mx.nsec3.example', 'TLSA', '--trace', '--config', config],
    ...['--server', `tls://127.0.0.1:${unbound.port}#${name}`, '--anchor', forwarding.anchors],
  ])
  expect([code, stdout]).toEqual([0, expect.stringMatching(/TLSA: NOERROR, TLS, /)])
})
