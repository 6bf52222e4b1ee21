/** The audit over messages that nobody honest sends; what it makes of zones is tested over UDP in cli/zone-audit.test.ts. */
import { describe, expect, test } from 'vitest'
import type { ResourceRecord } from '../protocol/dns/message.ts'
import { parseName } from '../protocol/dns/name.ts'
import { classInternet, typeNumbers } from '../protocol/dns/numbers.ts'
import type { ValidatedAnswer } from '../protocol/dnssec/types.ts'
import { zoneAudit } from './zone-audit.ts'
import { zoneAuditText } from './zone-audit-text.ts'
import type { ZoneInspection } from './zone-inspection.ts'

const apex = parseName('a.example') ?? []
const record = (type: number, ...rdata: readonly number[]): ResourceRecord => ({
  name: apex,
  type,
  class: classInternet,
  ttlSeconds: 60,
  rdata: Uint8Array.from(rdata),
})

function inspectionOf(answers: readonly ResourceRecord[]): ZoneInspection {
  const soa: ValidatedAnswer = {
    question: { name: apex, type: typeNumbers.SOA },
    outcome: 'records',
    security: 'secure',
    endSecurity: 'secure',
    records: [],
    aliases: [],
    ttlSeconds: 60,
    reason: null,
    steps: [{ zone: 'a.example', security: 'secure', reason: null, says: 'It is signed.' }],
    server: '192.0.2.53:53',
  }
  const message = {
    id: 1,
    isResponse: true,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    authenticData: false,
    checkingDisabled: true,
    rcode: 0,
    questions: [],
    answers,
    authorities: [],
    additionals: [],
    edns: null,
  }
  const question = { name: apex, type: typeNumbers.DNSKEY }
  return {
    domain: apex,
    apex,
    atMs: Date.UTC(2026, 0, 1),
    heard: [{ question, over: 'udp', bytes: 60_000, server: '192.0.2.53:53', message, why: null }],
    servers: [],
    answers: [{ role: 'soa', answer: soa }],
    hosts: [],
    hostsLeftOut: 0,
  }
}

describe('however many records a message is full of', () => {
  const many = Array.from({ length: 1_500 }, (_, index) => [index >> 8, index & 0xff] as const)
  const signer = [1, 0x61, 7, ...Buffer.from('example', 'ascii'), 0]
  // All keys share a tag, and every DS has it.
  const keys = many.map(([high, low]) =>
    record(typeNumbers.DNSKEY, 1, 0x80, 3, 8, 1, 3, high, low, 0xff - high, 0xff - low),
  )
  const ds = many.map(([high, low]) => record(typeNumbers.DS, high, low, 8, 2, high, low))
  const signatures = many.map(([high, low]) =>
    record(typeNumbers.RRSIG, 0, 48, 8, 2, 0, 0, 0, 60, 0x70, 0, 0, 0, 0x10, 0, 0, 0, high, low, ...signer, 1),
  )
  const document = zoneAudit(inspectionOf([...keys, ...ds, ...signatures]))

  test('findings stay sentences, and the page a page', () => {
    expect(document.findings.map(({ code }) => code)).toContain('zone.key-weak')
    expect(Math.max(...document.findings.map(({ says }) => says.length))).toBeLessThan(400)
    expect(zoneAuditText(document).length).toBeLessThan(6_000)
  })

  test('only some DS records are held against keys', () => {
    expect(document.chain[0]?.ds.length).toBeLessThanOrEqual(50)
  })
})

describe('records that cannot be read', () => {
  test.each([
    ['keys', record(typeNumbers.DNSKEY, 1)],
    ['DS records', record(typeNumbers.DS, 1, 2, 3)],
    ['signatures', record(typeNumbers.RRSIG, 0, 48, 8)],
    ['NSEC3 records', record(typeNumbers.NSEC3, 1, 0, 0)],
    ['parameters', record(typeNumbers.NSEC3PARAM, 1)],
  ])('%s are passed over', (_, broken) => {
    const { findings, chain, signatures } = zoneAudit(inspectionOf([broken]))
    expect([findings, signatures]).toEqual([[], []])
    expect(chain).toMatchObject([{ zone: 'a.example', ds: [], keys: [] }])
  })
})
