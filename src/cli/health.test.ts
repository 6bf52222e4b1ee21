/** What a relay finds of its name servers is seen: in its log, on its control socket and by `hermetic queue`, at its start and after a restart. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type LabDns, startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import { createSignedWorld, type SignedWorld } from '../lab/signing/signed-world.ts'
import { loadConfiguration } from '../relay/configuration/configuration.ts'
import { askRelay } from '../relay/control/client.ts'
import { type Relay, startRelay } from '../relay/relay.ts'
import { direct } from '../system/dialer.ts'
import { hermetic, hermeticJson } from './testing/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'health-'))
let honest: SignedWorld
let stripping: SignedWorld
/** Of a year ago and more, as if the clock of this machine were ahead. */
let old: SignedWorld
let behaviour: SignedWorld
let dns: LabDns
let relay: Relay | null = null
const lines: string[] = []

beforeAll(async () => {
  const made = { zones: privateInternet(), nowMs: Date.now() }
  honest = createSignedWorld({ ...made, behaviour: 'honest' })
  stripping = createSignedWorld({ ...made, behaviour: 'strips-signatures' })
  old = createSignedWorld({ ...made, nowMs: made.nowMs - 400 * 86_400_000, behaviour: 'honest' })
  behaviour = honest
  dns = await startDns(query => behaviour.respond(query))
  writeFileSync(join(directory, 'root.key'), honest.anchorLines.ds.join('\n'))
})
afterEach(async () => {
  await relay?.stop()
  relay = null
  lines.length = 0
  behaviour = honest
})
afterAll(async () => {
  await dns.close()
  rmSync(directory, { recursive: true })
})

/** A relay with a state directory of that name, and its configuration file. */
async function start(
  name: string,
  options = '',
  format = 'human',
  others: readonly string[] = [],
): Promise<{ file: string; state: string }> {
  const file = join(directory, `${name}.yaml`)
  const state = join(directory, name)
  writeFileSync(
    file,
    `hostname: box.example.org
state: ${state}
listen: [{ address: 127.0.0.1, port: 0, tls: none }]
dns: { servers: ${JSON.stringify([`${dns.address}:${dns.port}`, ...others])}, timeout: 500ms, anchors: ${join(directory, 'root.key')}, ${options} }
limits: { min_free: 1MB }
log: { format: ${format} }
`,
  )
  const loaded = loadConfiguration(file)
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  relay = await startRelay(loaded.settings, { dialer: direct, resolver: null, log: line => lines.push(line) })
  return { file, state }
}

const logged = (what: RegExp) => vi.waitFor(() => expect(lines.join('\n')).toMatch(what), 5_000)

test('servers that pass signatures on are told once, and queue says nothing of them', async () => {
  const { file, state } = await start('works')
  await logged(/Z DNSSEC: signatures arrive, and answers are validated$/m)
  const health = { dns: { trust: 'validate', validation: 'works', says: [] } }
  expect(await askRelay(state, { op: 'status' })).toMatchObject({ answer: { health } })
  const [plain, json] = await Promise.all([
    hermetic(['queue', 'list', '--config', file]),
    hermeticJson(['queue', 'list', '--config', file]),
  ])
  expect(plain).toEqual({ code: 0, out: 'nothing waits\n', err: '' })
  expect(json).toMatchObject({ code: 0, document: { schema: 'hermetic.queue/1', through: 'relay', health } })
  expect(lines.filter(line => line.includes('DNSSEC'))).toHaveLength(1)
})

test('servers that strip signatures are told in the log and above the queue', async () => {
  behaviour = stripping
  const { file } = await start('strips')
  await logged(/Z warning: DNSSEC: The resolver \S+ strips DNSSEC signatures: .* mail goes on without DANE\./)
  const { code, out } = await hermetic(['queue', 'list', '--config', file])
  expect(code).toBe(0)
  expect(out).toMatch(/^DNSSEC: The resolver \S+ strips DNSSEC signatures:/)
  expect(out).toMatch(/\nnothing waits\n$/)
})

test('servers that stop passing them on are told as an error after a restart, too', async () => {
  await start('loses')
  await logged(/DNSSEC: signatures arrive/)
  await relay?.stop()
  lines.length = 0
  behaviour = stripping
  const { file } = await start('loses', '', 'json')
  await logged(/"kind":"dns"/)
  const told = lines.map(line => JSON.parse(line)).find(({ kind }) => kind === 'dns')
  expect(told).toMatchObject({
    severity: 'error',
    trust: 'validate',
    validation: 'lost',
    says: [expect.stringContaining('and did not on ')],
  })
  expect(await hermeticJson(['queue', 'list', '--config', file])).toMatchObject({
    document: { health: { dns: { validation: 'lost' } } },
  })
  // A command beside it knows what the relay remembers, and comes to the same.
  expect(await hermeticJson(['route', 'pat@nsec.example', '--config', file])).toMatchObject({
    code: 1,
    document: { finding: { code: 'dns.validation-unavailable' } },
  })
})

test('a clock at which nothing holds is told once as an error in log, queue and route, and no zone is blamed', async () => {
  behaviour = old
  const { file } = await start('mistimed')
  await logged(/Z error: DNSSEC: The signatures that the resolver \S+ sends for the root have ended: the clock/)
  expect(lines.filter(line => line.includes('DNSSEC'))).toHaveLength(1)
  const [queue, route, json] = await Promise.all([
    hermetic(['queue', 'list', '--config', file]),
    hermetic(['route', 'pat@nsec.example', '--config', file]),
    hermeticJson(['route', 'pat@nsec.example', '--config', file]),
  ])
  expect(queue.out).toMatch(/^DNSSEC: The signatures that the resolver \S+ sends for the root have ended/)
  expect(route.out).toMatch(/\n {2}DNSSEC: The signatures that the resolver \S+ sends for the root have ended/)
  expect(route.out.replace(/\s+/g, ' ')).toContain('What to do: Set the clock of this machine')
  expect(route.out).not.toContain('owner of the zone')
  expect(json).toMatchObject({
    code: 1,
    document: { standing: { validation: 'mistimed' }, finding: { code: 'dns.clock-wrong', culprit: 'operator' } },
  })
})

test('good news with something beside it is told as good news, once, and route tells what is beside it', async () => {
  const other = await startDns(query => stripping.respond(query))
  try {
    const { file } = await start('beside', '', 'human', [`${other.address}:${other.port}`])
    await logged(/Z warning: DNSSEC: The resolver \S+ strips DNSSEC signatures, and is asked only when/)
    expect(
      lines.filter(line => line.includes('DNSSEC')).map(line => line.replace(/^\S+Z /, '').slice(0, 28)),
    ).toEqual(['DNSSEC: signatures arrive, a', 'warning: DNSSEC: The resolve'])
    const { out } = await hermetic(['route', 'pat@nsec.example', '--config', file])
    expect(out).toMatch(/\n {2}DNSSEC: The resolver \S+ strips DNSSEC signatures, and is asked only/)
  } finally {
    await other.close()
  }
})

test('a relay that validates nothing says so at its start', async () => {
  const { state } = await start('off', 'trust: none')
  expect(lines.join('\n')).toContain('DNSSEC: off, as dns.trust says: no TLSA record counts')
  expect(await askRelay(state, { op: 'status' })).toMatchObject({
    answer: { health: { dns: { trust: 'none', validation: 'off' } } },
  })
})

test('where no relay runs nobody knows', async () => {
  const file = join(directory, 'nobody.yaml')
  writeFileSync(file, `state: ${join(directory, 'nobody')}\n`)
  expect(await hermeticJson(['queue', 'list', '--config', file])).toMatchObject({
    code: 0,
    document: { through: 'spool', health: null },
  })
})
