/** What `hermetic config check` finds of name servers: those of the lab that work, strip, lie, refuse or are silent, on loopback. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openKnowledge } from '../knowledge/sqlite-knowledge.ts'
import { type LabDns, startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import { createSignedWorld, type ResolverBehaviour } from '../lab/signing/signed-world.ts'
import { statePaths } from '../relay/state-paths.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import { closeAll, nobody, serve } from '../system/testing/scripted-dns.ts'
import { serveTls } from '../system/testing/scripted-tls-dns.ts'
import { hermetic, hermeticJson } from './testing/process.ts'

const nowMs = Date.now()
const dayMs = 86_400_000
const directory = mkdtempSync(join(tmpdir(), 'config-check-'))
const anchors = join(directory, 'root.key')
const servers: Record<'works' | 'strips' | 'validates' | 'stale', string> = {
  works: '',
  strips: '',
  validates: '',
  stale: '',
}
const running: LabDns[] = []

beforeAll(async () => {
  const world = (behaviour: ResolverBehaviour, atMs = nowMs) =>
    createSignedWorld({ zones: privateInternet(), nowMs: atMs, behaviour })
  const honest = world('honest')
  writeFileSync(anchors, `${honest.anchorLines.ds.join('\n')}\n`)
  for (const [name, { respond }] of [
    ['works', honest],
    ['strips', world('strips-signatures')],
    ['validates', world('validates')],
    // What it sends ended long ago, as if the clock of this machine were ahead.
    ['stale', world('honest', nowMs - 400 * dayMs)],
  ] as const) {
    const dns = await startDns(respond)
    running.push(dns)
    servers[name] = `${dns.address}:${dns.port}`
  }
})
afterAll(async () => {
  for (const dns of running) await dns.close()
  await closeAll()
  rmSync(directory, { recursive: true })
})

let files = 0
/** @returns the file */
function configuration(server: string, more = '', routes = ''): string {
  const file = join(directory, `${++files}.yaml`)
  writeFileSync(
    file,
    `hostname: box.example.org\nstate: ${file}-state\ndns: { servers: ['${server}'], timeout: 500ms, anchors: ${anchors}, ${more} }\n${routes}`,
  )
  return file
}

/** Without the breaks of lines: under the headline what goes on stands two columns deeper, under a note of the servers six. */
const unwrapped = (out: string) => {
  const [first = '', ...more] = out.split(/\n {2}(?=hostname )/)
  return [first.replace(/\n {2}/g, ' '), more.join('').replace(/\n {6}(?=\S)/g, ' ')].join('\n  ')
}
const widest = (out: string) => Math.max(...out.split('\n').map(line => line.length))
const check = (file: string) => hermeticJson(['config', 'check', file])

describe('a server', () => {
  test('that passes signatures on is good', async () => {
    const file = configuration(servers.works)
    const [plain, json] = await Promise.all([hermetic(['config', 'check', file]), check(file)])
    expect(plain).toMatchObject({ code: 0, err: '' })
    expect(plain.out).toContain(`${file}: good\n`)
    expect(plain.out).toContain('\n  DNSSEC: signatures arrive, and answers are validated\n')
    expect(json).toMatchObject({
      code: 0,
      document: {
        schema: 'hermetic.config-check/1',
        good: true,
        dns: { trust: 'validate', validation: 'works', says: [] },
      },
    })
  })

  test('that strips them is a note, as mail goes on without DANE', async () => {
    const file = configuration(servers.strips)
    const { code, out } = await hermetic(['config', 'check', file])
    expect(code).toBe(0)
    expect(out).toContain('\n  DNSSEC: answers cannot be validated, so mail goes on without DANE\n')
    expect(unwrapped(out)).toMatch(
      new RegExp(`\\n {4}note: The resolver ${servers.strips} strips DNSSEC signatures: .* dns\\.require`),
    )
    expect(widest(out)).toBeLessThanOrEqual(100)
  })

  test('that strips them is a problem of the route that insists on DANE', async () => {
    const routes = `routes:
  - { name: calm, when: { recipient: a.example }, to: mx }
  - { name: insists, when: { recipient: b.example }, to: mx, tls: dane-only }
  - { name: so does this, when: { recipient: c.example }, to: { host: mx.c.example }, tls: dane-only }
`
    const file = configuration(servers.strips, '', routes)
    const [plain, json] = await Promise.all([hermetic(['config', 'check', file]), check(file)])
    expect(plain.code).toBe(1)
    expect(unwrapped(plain.out)).toContain(
      `${file}: well-formed, but with these DNS servers mail of route "insists", route "so does this" would wait\n`,
    )
    expect(unwrapped(plain.out)).toContain(
      '\n    problem: Route "insists" is dane-only, and takes no answer that is not validated: its mail waits.\n',
    )
    expect(widest(plain.out)).toBeLessThanOrEqual(100)
    expect(json).toMatchObject({ code: 1, document: { good: false, waits: ['insists', 'so does this'] } })
    expect(await check(configuration(servers.works, '', routes))).toMatchObject({
      code: 0,
      document: { waits: null },
    })
  })

  test('that strips them is a problem where validation is required', async () => {
    const file = configuration(servers.strips, 'require: true')
    const [plain, json] = await Promise.all([hermetic(['config', 'check', file]), check(file)])
    expect(plain.code).toBe(1)
    expect(unwrapped(plain.out)).toContain(`${file}: well-formed, but with these DNS servers mail would wait\n`)
    expect(plain.out).toContain(
      '\n  DNSSEC: answers cannot be validated, so mail waits, as dns.require says\n    problem: ',
    )
    expect(json).toMatchObject({
      code: 1,
      document: { good: false, waits: 'all', dns: { validation: 'required' } },
    })
  })

  test('that strips them is a problem when the relay remembers that it did not', async () => {
    const file = configuration(servers.strips)
    const { knowledge } = statePaths(`${file}-state`)
    mkdirSync(knowledge, { recursive: true })
    const known = await openKnowledge({ directory: knowledge, now: Date.now })
    known.validation.worked(servers.strips, Date.now() - dayMs)
    await known.close()
    expect(await check(file)).toMatchObject({ code: 1, document: { good: false, dns: { validation: 'lost' } } })
  })

  test('that sends the keys of another root is a problem', async () => {
    const foreign = `. IN DS 20326 8 2 ${'ab'.repeat(32)}\n`
    const own = join(directory, 'foreign.key')
    writeFileSync(own, foreign)
    const file = join(directory, 'foreign.yaml')
    writeFileSync(
      file,
      `state: ${file}-state\ndns: { servers: ['${servers.works}'], timeout: 500ms, anchors: ${own} }\n`,
    )
    const { code, document } = await check(file)
    expect({ code, document }).toMatchObject({
      code: 1,
      document: { good: false, dns: { validation: 'unknown' } },
    })
    expect(JSON.stringify(document['dns'])).toContain('name a file with its keys in dns.anchors')
  })

  test('whose signatures have ended makes doubt the clock, and is a problem', async () => {
    const file = configuration(servers.stale)
    const [plain, json] = await Promise.all([hermetic(['config', 'check', file]), check(file)])
    expect(plain.code).toBe(1)
    expect(unwrapped(plain.out)).toContain(
      `${file}: well-formed, but mail would wait: the clock of this machine and the DNS servers do not agree\n`,
    )
    expect(plain.out).toContain(
      '\n  DNSSEC: by the clock of this machine no signature of the root holds, so mail waits\n',
    )
    expect(json).toMatchObject({
      code: 1,
      document: { good: false, waits: 'all', dns: { validation: 'mistimed' } },
    })
    expect(JSON.stringify(json.document['dns'])).toContain('the clock of this machine is ahead')
  })

  test('that is silent or not there is a note: the file may be checked elsewhere', async () => {
    const { out } = await hermetic(['config', 'check', configuration((await nobody()).address)])
    expect(unwrapped(out)).toContain(': good; whether mail would go is not known, as no DNS server answers\n')
    const silent = await serve(() => {})
    const absent = await nobody()
    for (const { address } of [silent, absent]) {
      const { code, document } = await check(configuration(address, 'require: true'))
      expect({ code, document }).toMatchObject({
        code: 0,
        document: { good: true, dns: { validation: 'unknown' } },
      })
      expect(JSON.stringify(document['dns'])).toContain(`The resolver ${address} does not answer, and mail waits.`)
    }
  })

  test('that does not prove its name over TLS is a problem, since somebody is there', async () => {
    const authority = await createAuthority({ commonName: 'Lab root' })
    const roots = join(directory, 'roots.pem')
    writeFileSync(roots, authority.root)
    const { port, asked } = await serveTls(await authority.leaf({ names: ['other.example'] }), () => {})
    const { code, document } = await check(
      configuration(`tls://127.0.0.1:${port}#dns.example`, `tls_roots: ${roots}`),
    )
    expect({ code, document }).toMatchObject({
      code: 1,
      document: { good: false, dns: { validation: 'unknown' } },
    })
    expect(JSON.stringify(document['dns'])).toContain(
      `The resolver tls://127.0.0.1:${port}#dns.example is asked nothing, and mail waits: the certificate of 127.0.0.1 does not prove dns.example: x509.name-mismatch`,
    )
    expect(asked).toEqual([])
  })

  test('whose AD bit is believed must validate', async () => {
    const [believed, plain] = await Promise.all([
      check(configuration(servers.validates, 'trust: ad')),
      check(configuration(servers.works, 'trust: ad')),
    ])
    expect(believed).toMatchObject({ code: 0, document: { dns: { trust: 'ad', validation: 'works', says: [] } } })
    expect(plain).toMatchObject({ code: 0, document: { dns: { trust: 'ad', validation: 'unavailable' } } })
  })

  test('is not asked where nobody is to be believed', async () => {
    const silent = await serve(() => {})
    const file = configuration(silent.address, 'trust: none')
    const { code, out } = await hermetic(['config', 'check', file])
    expect(code).toBe(0)
    expect(out).toContain('\n  DNSSEC: off, as dns.trust says: no TLSA record counts\n')
    expect(silent.asked).toEqual([])
  })
})
