/** How much of an answer is looked at for a proof. What proofs come to is tested in denial.test.ts, and whose word counts in validate.test.ts. */
import { expect, test } from 'vitest'
import { createSignedWorld, worldZone } from '../../lab/signing/signed-world.ts'
import { recordOf } from '../../lab/signing/zone-lines.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { createDnssecBudget } from './budget.ts'
import { nsecRdata } from './encoding.ts'
import { readEvidence } from './evidence.ts'
import { openInquiry } from './inquiry.ts'
import { readDnskey } from './records.ts'
import { groupRrsets } from './rrsets.ts'
import { name } from './testing/validating.ts'
import { maxVerifications } from './verify-set.ts'
import { createZoneCache } from './zone-cache.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const zone = createSignedWorld({ zones: [worldZone('example', [], {})], nowMs }).zone('example')
const keys = zone.keys.map(readDnskey).filter(key => key !== 'malformed')

const nsec = (owner: string, next: string): ResourceRecord => ({
  ...recordOf(`${owner} TYPE47 \\# 00`),
  rdata: nsecRdata(name(next), [1, 46, 47]),
})
const signed = (...records: readonly ResourceRecord[]) => [...records, ...zone.sign(records)]
const damaged = (record: ResourceRecord) => {
  const [, signature] = signed(record)
  if (signature === undefined) throw new Error('not signed')
  const signatures = Array.from({ length: maxVerifications }, (_, at) => {
    const rdata = Uint8Array.from(signature.rdata)
    rdata[rdata.length - 1 - at] = (rdata[rdata.length - 1 - at] ?? 0) ^ 1
    return { ...signature, rdata }
  })
  return [record, ...signatures]
}

function evidenceOf(authorities: readonly ResourceRecord[]) {
  const budget = createDnssecBudget()
  const inquiry = openInquiry({ anchors: [], insecure: [], nowMs, budget, zones: createZoneCache() })
  return { evidence: readEvidence(inquiry, { zone: name('example'), keys }, groupRrsets(authorities)), budget }
}

test('sets beyond what any proof needs are padding', () => {
  const many = Array.from({ length: 40 }, (_, i) => signed(nsec(`n${i}.example`, `o${i}.example`)))
  expect(evidenceOf(many.slice(0, 16).flat()).evidence.nsec).toHaveLength(16)
  expect(evidenceOf(many.flat()).evidence.nsec).toHaveLength(16)
})

test('and so are records beyond the one that a set of a chain has', () => {
  const crowd = signed(...Array.from({ length: 500 }, (_, i) => nsec('n.example', `o${i}.example`)))
  const more = signed(nsec('m.example', 'n.example'))
  expect(evidenceOf([...crowd, ...more]).evidence.nsec).toHaveLength(16)
  expect(evidenceOf([...more, ...crowd]).evidence.nsec.length).toBeLessThanOrEqual(17)
})

test('sets that nobody signed end the search before they cost what an honest answer never does', () => {
  const bad = Array.from({ length: 14 }, (_, i) => damaged(nsec(`n${i}.example`, `o${i}.example`))).flat()
  const good = signed(nsec('m.example', 'n.example'))
  const { evidence, budget } = evidenceOf([...good, ...bad])
  expect(evidence.nsec).toHaveLength(1)
  expect(evidence.fault?.reason).toBe('dnssec.signature-bad')
  expect(budget.spent.signatures).toBeLessThan(3.1 * (4 * maxVerifications + 1))
})

test('a few of them among good ones do no harm', () => {
  const bad = damaged(nsec('n.example', 'o.example'))
  const good = [signed(nsec('a.example', 'b.example')), signed(nsec('c.example', 'd.example'))].flat()
  expect(evidenceOf([...bad, ...good]).evidence.nsec).toHaveLength(2)
})
