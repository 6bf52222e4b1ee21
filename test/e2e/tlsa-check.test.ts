/** `hermetic tlsa check` in the lab: what it says of a domain agrees with what the relay does with mail to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { check } from '../../src/cli/commands/tlsa-check.ts'
import type { TlsaCheckDocument } from '../../src/judgement/tlsa-check-document.ts'
import { type Lab, startLab } from '../../src/lab/lab.ts'
import { documentationNetworks } from '../../src/lab/world.ts'

let lab: Lab
let directory: string
beforeAll(async () => {
  lab = await startLab()
  directory = mkdtempSync(join(tmpdir(), 'tlsa-check-'))
  writeFileSync(join(directory, 'root.key'), lab.anchors)
  writeFileSync(
    join(directory, 'hermetic.yaml'),
    `hostname: checker.example\nstate: ${join(directory, 'state')}\n`,
  )
})
afterAll(async () => {
  await lab.close()
  rmSync(directory, { recursive: true })
})

async function checked(domain: string): Promise<{ code: number; document: TlsaCheckDocument; text: string }> {
  const answers: { document: TlsaCheckDocument; text: string }[] = []
  const code = await check(
    domain,
    { port: 25, server: [`${lab.dns.address}:${lab.dns.port}`], anchor: join(directory, 'root.key') },
    {
      json: true,
      config: join(directory, 'hermetic.yaml'),
      paint: (_, text) => text,
      say: () => {},
      remark: () => {},
      answer: (document, text) => void answers.push({ document: JSON.parse(JSON.stringify(document)), text }),
    },
    { dialer: lab.dialer, allowAddresses: documentationNetworks },
  )
  const [answer] = answers
  if (answer === undefined) throw new Error('no answer')
  return { code, ...answer }
}

test('case 2: nine records, and the eighth proves the one chain there is', async () => {
  const { code, document, text } = await checked('et.example')
  expect(code).toBe(0)
  const [host] = document.hosts
  expect(host?.chains.map(({ by, record, matched }) => ({ by, record, matched }))).toEqual([
    { by: 'dane-ta', record: 7, matched: 'mx06.et.example' },
  ])
  const records = host?.tlsa.kind === 'records' ? host.tlsa.records : []
  expect(records.map(({ chains }) => chains[0]?.matches.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0])
  expect(text).toMatch(/^ {2}> 7 {2}2 1 1 \S+ +· +yes {3}decides for A$/m)
})

test.each<[string, 0 | 1 | 2, string]>([
  ['two-chains.example', 0, 'proved'],
  ['one.two-chains.example', 1, 'partly'],
  ['key-encipherment.example', 0, 'proved'],
])('%s exits %i', async (domain, code, verdict) => {
  const ran = await checked(domain)
  expect(ran.document.hosts.flatMap(({ addresses }) => addresses.map(each => each.verdict))).toEqual([verdict])
  expect(ran.code).toBe(code)
})

test('what GnuTLS thinks of a key usage is told, and changes no verdict', async () => {
  const { document } = await checked('key-encipherment.example')
  const stacks = document.hosts[0]?.chains[0]?.stacks ?? []
  expect(Object.fromEntries(stacks.map(({ stack, would }) => [stack, would]))).toMatchObject({
    gnutls: 'refuse',
    openssl: 'accept',
  })
})
