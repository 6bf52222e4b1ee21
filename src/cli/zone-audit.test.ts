/** The audit of zones of the lab's signed internet, and of some that are damaged here, asked over real UDP and TCP; each finding is produced by at least one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { columnsOf } from '../judgement/columns.ts'
import { zoneAuditSchema } from '../judgement/testing/zone-audit-schema.ts'
import { zoneAudit, zoneAuditExitCode } from '../judgement/zone-audit.ts'
import type { ZoneAuditDocument } from '../judgement/zone-audit-document.ts'
import { zoneAuditText } from '../judgement/zone-audit-text.ts'
import { zoneFindings } from '../judgement/zone-findings.ts'
import { type Answering, type LabDns, startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import type { SigningWish } from '../lab/signing/sign-zone.ts'
import { createSignedWorld, type SignedWorld, worldZone } from '../lab/signing/signed-world.ts'
import { nameOf } from '../lab/signing/zone-lines.ts'
import type { Message, ResourceRecord } from '../protocol/dns/message.ts'
import { encodeMessage } from '../protocol/dns/message.ts'
import { equalNames } from '../protocol/dns/name.ts'
import { type TypeMnemonic, typeNumbers } from '../protocol/dns/numbers.ts'
import { negativeAnchors } from '../protocol/dnssec/private-names.ts'
import { createDnsWire } from '../system/dns-wire.ts'
import { afterwards, closeAll, nobody, serve } from '../system/testing/scripted-dns.ts'
import { hermetic } from './testing/process.ts'
import { inspectZone } from './zone-inspection.ts'

const nowMs = Date.now()
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const tlsa = `3 1 1 ${'ab'.repeat(32)}`
const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const

const ownZones = [
  worldZone('half.example', ['half.example MX 10 mx.unsigned.example'], {}),
  worldZone(
    'partly.example',
    ['partly.example MX 10 mx.nsec.example', 'partly.example MX 20 host.nsec.example'],
    {},
  ),
  worldZone('bare.example', ['bare.example MX 10 host.nsec.example'], {}),
  worldZone('lost.example', ['lost.example MX 10 nothing.nsec.example'], {}),
  worldZone('alias-host.example', ['alias-host.example MX 10 alias.nsec.example'], {}),
  worldZone('no-mail.example', ['no-mail.example MX 0 .'], {}),
  worldZone(
    'pkix.example',
    [
      'pkix.example MX 10 mx.pkix.example',
      'mx.pkix.example A 192.0.2.25',
      `_25._tcp.mx.pkix.example TLSA 1 1 1 ${'ab'.repeat(32)}`,
    ],
    {},
  ),
  worldZone(
    'mixed.example',
    [
      'mixed.example MX 10 mx.mixed.example',
      'mx.mixed.example A 192.0.2.25',
      `_25._tcp.mx.mixed.example TLSA ${tlsa}`,
      '_25._tcp.mx.mixed.example TLSA 0 0 1 00',
    ],
    {},
  ),
  worldZone(
    'lent.example',
    [
      'lent.example MX 10 mx.lent.example',
      'mx.lent.example A 192.0.2.25',
      '_25._tcp.mx.lent.example CNAME _25._tcp.mx.unsigned.example',
    ],
    {},
  ),
  worldZone(
    'refused.example',
    ['refused.example A 192.0.2.1'],
    {},
    { servers: [{ types: ['NS'], does: 'servfail' }] },
  ),
  worldZone(
    'no-tlsa-type.example',
    ['no-tlsa-type.example MX 10 mx.nsec.example'],
    {},
    {
      servers: [{ types: ['TLSA'], does: 'servfail' }],
    },
  ),
  worldZone('resigned.example', ['resigned.example MX 10 mx.nsec.example'], {}),
  worldZone(
    'hostile.example',
    ['hostile.example MX 10 a\\027\\013b.hostile.example', 'a\\027\\013b.hostile.example A 192.0.2.9'],
    {},
  ),
]
const zones = [...privateInternet(), ...ownZones]
const validate = new Ajv2020({ allErrors: true, formats: { 'date-time': true } }).compile(zoneAuditSchema())
const produced = new Set<string>()
let world: SignedWorld
let honest: LabDns
let directory: string

beforeAll(async () => {
  world = createSignedWorld({ zones, nowMs })
  honest = await startDns(world.respond)
  directory = mkdtempSync(join(tmpdir(), 'zone-audit-'))
  writeFileSync(join(directory, 'root.key'), `${world.anchorLines.ds.join('\n')}\n`)
})
afterAll(async () => {
  await closeAll()
  await honest.close()
  rmSync(directory, { recursive: true })
})

const addressOf = ({ address, port }: LabDns) => `${address}:${port}`

async function audit(
  domain: string,
  {
    servers = [addressOf(honest)],
    atMs = nowMs,
    waitMs = 5_000,
    maxMs = 60_000,
  }: { servers?: readonly string[]; atMs?: number; waitMs?: number; maxMs?: number } = {},
): Promise<ZoneAuditDocument> {
  const wire = createDnsWire({ servers, timeoutMs: 10_000, waitMs, attempts: 1 })
  try {
    const { anchors } = world
    const inspection = await inspectZone(nameOf(domain), {
      wire,
      anchors,
      insecure: negativeAnchors([], anchors),
      now: () => atMs,
      maxMs,
    })
    if (inspection === null) throw new Error('no server answered')
    const document = zoneAudit(inspection)
    for (const { code } of document.findings) produced.add(code)
    expect(validate(JSON.parse(JSON.stringify(document))) || validate.errors).toBe(true)
    const text = zoneAuditText(document)
    expect(text).toMatch(/^[\x20-\x7e\n…§]*$/)
    expect(text.split('\n').filter(line => columnsOf(line) > 100)).toEqual([])
    return document
  } finally {
    await wire.close()
  }
}

async function withServer(respond: Answering): Promise<string> {
  const dns = await startDns(respond)
  afterwards(() => dns.close())
  return addressOf(dns)
}

const briefly = ({ findings }: ZoneAuditDocument) =>
  findings.map(({ code, severity, subject }) => `${severity} ${code.replace('zone.', '')} ${subject}`)

describe('an audit finds what a zone was made for, and nothing else:', () => {
  test.each<[string, 0 | 1 | 2, readonly string[]]>([
    ['.', 0, []],
    ['nsec.example', 0, []],
    ['nsec3.example', 0, []],
    ['compact.example', 0, []],
    ['algorithm8.example', 0, []],
    ['signed.opt-out.example', 0, []],
    ['ds-sha384.example', 0, []],
    ['no-mail.example', 0, []],
    ['aliases.example', 0, []],
    ['two-algorithms.example', 0, ['info answer-large two-algorithms.example']],
    ['salted.example', 2, ['warning nsec3-iterations salted.example', 'info nsec3-salt salted.example']],
    ['iterations.example', 1, ['error nsec3-iterations iterations.example']],
    ['opt-out.example', 2, ['warning nsec3-opt-out opt-out.example']],
    ['unsigned.example', 2, ['warning unsigned unsigned.example']],
    ['unsigned.opt-out.example', 2, ['warning unsigned unsigned.opt-out.example']],
    ['island.unsigned.example', 2, ['warning unsigned unsigned.example']],
    ['no-ds.example', 2, ['warning ds-missing no-ds.example']],
    ['algorithm5.example', 2, ['warning sha1-algorithm algorithm5.example']],
    ['ds-sha1.example', 2, ['warning ds-sha1 ds-sha1.example']],
    ['ds-two-digests.example', 0, ['info ds-sha1 ds-two-digests.example']],
    ['ds-unknown.example', 2, ['warning unknown-algorithm ds-unknown.example']],
    ['ds-unknown-and-good.example', 2, ['warning unknown-algorithm ds-unknown-and-good.example']],
    ['ds-wrong-digest.example', 1, ['error bogus ds-wrong-digest.example']],
    ['bad13.example', 1, ['error bogus bad13.example']],
    ['stripped-tlsa.example', 1, ['error bogus stripped-tlsa.example']],
    ['expired.example', 1, ['error signature-expired expired.example']],
    ['expired-tlsa.example', 1, ['error signature-expired expired-tlsa.example']],
    ['not-yet-valid.example', 1, ['error signature-not-yet-valid not-yet-valid.example']],
    ['revoked-key.example', 1, ['error bogus revoked-key.example', 'warning key-revoked revoked-key.example']],
    ['no-dnskey.example', 1, ['error bogus no-dnskey.example']],
    ['colliding.example', 2, ['warning key-tags-equal colliding.example']],
    ['gap.example', 1, ['error denial-unproven gap.example']],
    ['empty.example', 1, ['error denial-unproven empty.example']],
    ['servfail.example', 1, ['error tlsa-unanswered mx.servfail.example']],
    ['silent.example', 1, ['error tlsa-unanswered mx.silent.example']],
    ['no-tlsa-type.example', 2, ['warning tlsa-unanswered no-tlsa-type.example']],
    [
      'servfail.unsigned-tld',
      2,
      ['warning unsigned unsigned-tld', 'warning tlsa-unanswered mx.servfail.unsigned-tld'],
    ],
    ['refused.example', 1, ['error unanswered refused.example', 'info tlsa-absent refused.example']],
    ['office.local', 0, ['info not-validated local']],
    ['half.example', 2, ['warning mx-host-insecure mx.unsigned.example']],
    ['partly.example', 2, ['warning tlsa-partial partly.example']],
    ['bare.example', 0, ['info tlsa-absent bare.example']],
    ['lost.example', 1, ['error mx-host-missing nothing.nsec.example']],
    ['alias-host.example', 2, ['warning mx-host-alias alias.nsec.example', 'info tlsa-absent alias-host.example']],
    ['pkix.example', 2, ['warning tlsa-unusable mx.pkix.example']],
    ['mixed.example', 0, ['info tlsa-unusable mx.mixed.example']],
    ['lent.example', 2, ['warning tlsa-insecure mx.lent.example']],
    ['nothing.nsec.example', 2, ['warning no-such-name nothing.nsec.example']],
  ])('%s exits %i', async (domain, exitCode, expected) => {
    // Nobody waits long for a server that is meant to be silent.
    const document = await audit(domain, domain === 'silent.example' ? { waitMs: 300 } : {})
    expect(briefly(document)).toEqual(expected)
    expect(zoneAuditExitCode(document)).toBe(exitCode)
  })
})

test('the MX answer of an alias into a zone that is not signed is told not to be secure', async () => {
  const document = await audit('to-unsigned.aliases.example')
  expect(document).toMatchObject({ zone: 'aliases.example', security: 'secure', mail: { security: 'insecure' } })
  expect(briefly(document)).toEqual(['warning mx-insecure to-unsigned.aliases.example'])
})

test('the chain is told zone by zone, with DS and keys, from the anchor to the zones of the mail hosts', async () => {
  const { chain } = await audit('half.example')
  expect(chain.map(({ zone, role, security }) => [zone, role, security])).toEqual([
    ['.', 'above', 'secure'],
    ['example', 'above', 'secure'],
    ['half.example', 'audited', 'secure'],
  ])
  const partly = await audit('partly.example')
  expect(partly.chain.at(-1)).toMatchObject({
    zone: 'nsec.example',
    role: 'mail',
    ds: [{ algorithm: 13, digestType: 2, state: 'matches' }],
    keys: [
      { isEntryPoint: true, isUsed: true },
      { isEntryPoint: false, isUsed: true },
    ],
  })
})

test('signatures are listed with their ends, and every kind of absence with its proof', async () => {
  const { signatures, denials, denial, says } = await audit('nsec3.example')
  const seen = signatures.map(({ name, type }) => `${name} ${type}`)
  for (const type of ['SOA', 'NS', 'DNSKEY', 'MX', 'DS']) expect(seen).toContain(`nsec3.example ${type}`)
  for (const set of ['mx.nsec3.example A', 'mx.nsec3.example AAAA', '_25._tcp.mx.nsec3.example TLSA'])
    expect(seen).toContain(set)
  expect(seen.filter(each => each.endsWith(' NSEC3')).length).toBeGreaterThan(0)
  expect(signatures.every(({ secondsLeft }) => Math.abs(secondsLeft - 14 * 86_400) <= 1)).toBe(true)
  expect(denials.map(({ state }) => state)).toEqual(['proven', 'proven', 'proven'])
  expect(denial).toEqual({ by: 'nsec3', iterations: 0, salt: '', optOut: false })
  expect(says).toContain('ends in 14 days')
})

describe('time:', () => {
  test('signatures that end within three days, most of their time gone, are a warning', async () => {
    const document = await audit('no-mail.example', { atMs: nowMs + 12 * dayMs })
    expect(briefly(document)).toEqual([
      'warning signature-ends-soon no-mail.example',
      // Of the DS, which the parent signed.
      'info signature-ends-soon example',
    ])
    expect(document.findings[0]?.says).toMatch(/ and of \d+ other sets end in 2 days or later/)
  })

  test('so are those that end before what caches hold of them', async () => {
    const document = await audit('no-mail.example', { atMs: nowMs + 14 * dayMs - hourMs / 2 })
    expect(briefly(document)).toContain('warning signature-shorter-than-ttl no-mail.example')
  })

  test('where everything has ended, the clock is to blame', async () => {
    const document = await audit('nsec.example', { atMs: nowMs + 400 * dayMs })
    expect(briefly(document)).toEqual(['error clock this machine'])
  })
})

describe('a zone whose signer', () => {
  const apex = nameOf('resigned.example')

  /** The world with the records of one type at the apex of `resigned.example` changed and signed again. */
  const resigned =
    (type: TypeMnemonic, more: readonly ResourceRecord[], ...wishes: readonly SigningWish[]) =>
    (query: Message): Message | 'silence' => {
      const message = world.respond(query)
      const [question] = query.questions
      if (message === 'silence' || question?.type !== typeNumbers[type] || !equalNames(question.name, apex))
        return message
      const records = [...message.answers.filter(({ type: each }) => each !== typeNumbers.RRSIG), ...more]
      const zone = world.zone('resigned.example')
      return { ...message, answers: [...records, ...wishes.flatMap(wish => zone.sign(records, wish))] }
    }
  const seconds = Math.floor(nowMs / 1000)
  const key = (flags: number, algorithm: number, bytes: number): ResourceRecord => ({
    name: apex,
    type: typeNumbers.DNSKEY,
    class: 1,
    ttlSeconds: 3_600,
    // An exponent of three bytes, which begins with a byte that tells its length.
    rdata: Uint8Array.of(
      flags >> 8,
      flags & 0xff,
      3,
      algorithm,
      3,
      1,
      0,
      1,
      ...Array.from({ length: bytes }, () => 0xc1),
    ),
  })

  test.each<[string, ReturnType<typeof resigned>, readonly string[]]>([
    [
      'signs for two months',
      resigned('MX', [], { expiration: seconds + 60 * 86_400 }),
      ['warning signature-long resigned.example'],
    ],
    [
      'signs ahead of time',
      resigned('MX', [], {}, { inception: seconds + 86_400 }),
      ['warning signature-from-future resigned.example'],
    ],
    [
      'leaves a revoked key in the set',
      resigned('DNSKEY', [key(0x181, 13, 60)], {}),
      ['warning key-revoked resigned.example'],
    ],
    [
      'has a key of 1024 bits, and signs nothing with it',
      resigned('DNSKEY', [key(0x100, 8, 128)], {}),
      ['warning key-weak resigned.example', 'warning algorithm-incomplete resigned.example'],
    ],
    [
      'has a key of an algorithm that nobody knows',
      resigned('DNSKEY', [key(0x100, 200, 64)], {}),
      ['warning unknown-algorithm resigned.example', 'warning algorithm-incomplete resigned.example'],
    ],
    [
      'has a key of an algorithm with SHA-1',
      resigned('DNSKEY', [key(0x100, 5, 256)], {}),
      ['warning sha1-algorithm resigned.example', 'warning algorithm-incomplete resigned.example'],
    ],
  ])('%s', async (_, respond, expected) => {
    expect(briefly(await audit('resigned.example', { servers: [await withServer(respond)] }))).toEqual(expected)
  })

  test('left a DS behind, is told which', async () => {
    const parent = world.zone('example')
    const respond = (query: Message): Message | 'silence' => {
      const message = world.respond(query)
      const [question] = query.questions
      if (message === 'silence' || question?.type !== typeNumbers.DS || !equalNames(question.name, apex))
        return message
      const records = message.answers.filter(({ type }) => type === typeNumbers.DS)
      const old = records.map(record => {
        const rdata = Uint8Array.from(record.rdata)
        rdata.set([0x12, 0x34])
        return { ...record, rdata }
      })
      const both = [...records, ...old]
      return { ...message, answers: [...both, ...parent.sign(both)] }
    }
    const document = await audit('resigned.example', { servers: [await withServer(respond)] })
    expect(briefly(document)).toEqual(['warning ds-without-key resigned.example'])
    expect(document.findings[0]).toMatchObject({ actor: 'parent', says: expect.stringContaining('key 4660,') })
  })
})

describe('servers:', () => {
  test('one that strips signatures makes everything else unknown', async () => {
    const strips = createSignedWorld({ zones, nowMs, behaviour: 'strips-signatures' })
    const server = await withServer(strips.respond)
    expect(briefly(await audit('nsec.example', { servers: [server] }))).toEqual([`error server-strips ${server}`])
  })

  test('one that strips them beside one that does not is a warning', async () => {
    const strips = createSignedWorld({ zones, nowMs, behaviour: 'strips-signatures' })
    const server = await withServer(strips.respond)
    const document = await audit('nsec.example', { servers: [addressOf(honest), server] })
    expect(briefly(document)).toEqual([`warning server-strips ${server}`])
  })

  test('one that does not answer is told beside one that does', async () => {
    const absent = await nobody()
    const document = await audit('nsec.example', { servers: [addressOf(honest), absent.address] })
    expect(briefly(document)).toEqual([`warning server-silent ${absent.address}`])
  })

  test('one without TCP is told', async () => {
    const server = await serve(asked => {
      const message = world.respond(asked.query)
      if (message !== 'silence' && asked.via === 'udp') asked.reply(encodeMessage(message, 1_232))
    })
    const document = await audit('nsec.example', { servers: [server.address], waitMs: 300 })
    expect(briefly(document)).toEqual([`warning server-tcp ${server.address}`])
  })

  test('two that do not say the same are told apart, question by question', async () => {
    const newer = zones.map(zone =>
      zone.apex === 'bare.example'
        ? worldZone(
            'bare.example',
            [
              'bare.example MX 10 mx.nsec.example',
              'bare.example SOA ns.bare.example x.bare.example 2 3600 600 86400 60',
            ],
            { denial: nsec3 },
          )
        : zone,
    )
    const other = await withServer(createSignedWorld({ zones: newer, nowMs }).respond)
    const document = await audit('bare.example', { servers: [addressOf(honest), other] })
    expect(briefly(document)).toContain(`warning servers-differ ${addressOf(honest)} and ${other}`)
    const says = document.findings.find(({ code }) => code === 'zone.servers-differ')?.says
    expect(says).toContain(`bare.example SOA (serial 1 from ${addressOf(honest)}, serial 2 from ${other})`)
    expect(says).toContain('bare.example MX')
    expect(document.servers.map(({ serial }) => serial)).toEqual([1, 2])
  })

  test('that take too long are asked nothing more, and that is said', async () => {
    const document = await audit('nsec.example', { maxMs: 0 })
    expect(briefly(document)).toEqual(['error unanswered nsec.example', 'warning tlsa-unanswered nsec.example'])
    expect(document.findings[0]?.says).toContain('had taken too long')
  })

  test('two that say the same are no matter', async () => {
    const other = await withServer(world.respond)
    expect(briefly(await audit('nsec3.example', { servers: [addressOf(honest), other] }))).toEqual([])
  })
})

test('text from outside reaches nobody unescaped', async () => {
  const document = await audit('hostile.example')
  expect(document.mail.hosts[0]?.host).toBe('a\\027\\013b.hostile.example')
})

test('every finding of the register is produced by one of these zones', () => {
  expect(Object.keys(zoneFindings).filter(code => !produced.has(code))).toEqual([])
})

test('every finding has a next step, and who takes it', async () => {
  for (const domain of ['expired.example', 'salted.example', 'servfail.example', 'revoked-key.example']) {
    const { findings } = await audit(domain)
    for (const { says, acts, remedy } of findings) {
      expect(says).toMatch(/^[A-Za-z].*\.$/s)
      expect(acts).not.toBe('')
      expect(remedy).toMatch(/\.$/)
    }
  }
})

describe('hermetic dns --zone-audit', () => {
  const run = (...args: readonly string[]) =>
    hermetic(['dns', '--zone-audit', '--anchor', join(directory, 'root.key'), ...args])

  test('prints a page, and with --json the document', async () => {
    const page = await run('salted.example', '--server', addressOf(honest))
    expect([page.code, page.err]).toEqual([2, ''])
    expect(page.out).toContain('salted.example: 1 warning.\n')
    expect(page.out).toContain('warning: zone.nsec3-iterations (RFC 9276 §3.1)\n')
    const { code, out } = await run('expired.example', '--server', addressOf(honest), '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ schema: 'hermetic.zone-audit/1', verdict: 'broken' })
  })

  test('exits 69 where no server answers', async () => {
    const absent = await nobody()
    const { code, err } = await run('nsec.example', '--server', absent.address)
    expect(code).toBe(69)
    expect(err).toContain('no server answers')
  })

  test.each([
    ['no domain', [], 'missing required argument'],
    ['a name that is none', ['a..b'], "'a..b' is not a name"],
    ['a type', ['example.org', 'MX'], 'takes a domain, and no type'],
    ['--trace', ['example.org', '--trace'], '--json has all that was found'],
    ['a server that is none', ['example.org', '--server', 'nowhere'], 'is not an address'],
  ])('exits 64 for %s', async (_, args, says) => {
    const { code, out, err } = await run(...args)
    expect([code, out]).toEqual([64, ''])
    expect(err).toContain(says)
  })
})
