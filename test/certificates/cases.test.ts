/** Our judges against our own cases: both profiles, every verdict, decider and finding. */
import { describe, expect, test } from 'vitest'
import { isPublicSuffix } from '../../src/judgement/public-suffix.ts'
import { verifyChain } from '../../src/judgement/verify.ts'
import { judgeDane } from '../../src/protocol/dane/judge.ts'
import { parseTlsa } from '../../src/protocol/dane/tlsa.ts'
import type { Tlsa } from '../../src/protocol/dane/types.ts'
import { createBudget } from '../../src/protocol/x509/budget.ts'
import type { Certificate, Profile, Read } from '../../src/protocol/x509/model.ts'
import { readChain } from '../../src/protocol/x509/pem.ts'
import { judgePkix } from '../../src/protocol/x509/pkix.ts'
import type { X509Reason } from '../../src/protocol/x509/reasons.ts'
import { rules } from '../../src/protocol/x509/rules.ts'
import { breaks, type CertificateCase, type Expectation, keeps } from './case.ts'
import { certificateCases } from './cases.ts'

const cases = await certificateCases()
const profiles: readonly Profile[] = ['mail', 'strict']

describe.each(profiles)('judged by the profile %s', profile => {
  test.each(cases.map(each => [each.id, each.says, each] as const))('%s: %s', (_id, _says, each) => {
    const expected = each.expected[profile]
    const decided = decide(each, profile)
    const { findings: _, ...verdict } = expected
    expect(decided).toMatchObject(verdict)
    const document = documentOf(each, profile)
    expect(document).toMatchObject(withoutReason(verdict))
    const codes = document.findings.map(({ code }) => code)
    for (const finding of expected.findings ?? []) expect(codes).toContain(finding)
    const { rule } = each
    if (isX509Reason(rule) && keeps(each, rule)) expect(codes).not.toContain(rule)
  })
})

describe('the cases', () => {
  test('have names that can be directories, each once', () => {
    expect(cases.filter(({ id }) => !/^[a-z0-9-]+$/.test(id))).toEqual([])
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length)
  })

  test('break every rule, and keep it', () => {
    const reasons = Object.keys(rules).filter(isX509Reason)
    const neverBroken = reasons.filter(reason => !cases.some(each => breaks(each, reason)))
    const neverKept = reasons.filter(reason => !cases.some(each => keeps(each, reason)))
    expect({ neverBroken, neverKept }).toEqual({ neverBroken: [], neverKept: [] })
  })

  test('tell the profiles apart as the table of rules does: what mail reports, strict refuses', () => {
    for (const [reason, rule] of Object.entries(rules)) {
      const isRefusedBy = (profile: Profile) => cases.some(({ expected }) => expected[profile].reason === reason)
      expect([reason, isRefusedBy('mail'), isRefusedBy('strict')]).toEqual([
        reason,
        rule.mail === 'refuse',
        rule.strict === 'refuse',
      ])
    }
  })
})

interface Decided {
  readonly verdict: Expectation['verdict']
  readonly by?: string
  readonly depth?: number
  readonly record?: number
  readonly reason?: string
}

function decide(each: CertificateCase, profile: Profile): Decided {
  const { kind, ...verdict } =
    each.tlsa === null ? decideByRoots(each, profile) : decideByRecords(each, each.tlsa, profile)
  return { verdict: kind, ...verdict }
}

function decideByRoots(each: CertificateCase, profile: Profile) {
  return judgePkix({
    ...common(each, profile),
    roots: rootsOf(each),
    cn: 'never',
  }).verdict
}

function decideByRecords(each: CertificateCase, tlsa: readonly string[], profile: Profile) {
  return judgeDane({ ...common(each, profile), records: tlsa.map(recordOf) }).verdict
}

function documentOf(each: CertificateCase, profile: Profile) {
  const { names, chain, atMs, purpose, maxIntermediates } = common(each, profile)
  return verifyChain({
    ...{ chain, names, atMs, purpose, maxIntermediates, profile, isPublicSuffix },
    anyName: 'checked',
    tlsa: each.tlsa === null ? null : each.tlsa.map(recordOf),
    roots: rootsOf(each),
    rootsGiven: each.roots.length > 0,
    known: [],
    keyExchange: null,
    cnFallback: 'never',
  })
}

function common(each: CertificateCase, profile: Profile) {
  return {
    chain: chainOf(each),
    names: each.names,
    atMs: each.at.getTime(),
    profile,
    purpose: each.purpose,
    maxIntermediates: each.maxIntermediates ?? 10,
    isPublicSuffix,
    budget: createBudget(),
  }
}

function chainOf(each: CertificateCase): readonly Read[] {
  return readChain(each.chain.join(''))
}

function rootsOf(each: CertificateCase): readonly Certificate[] {
  return readChain(each.roots.join('')).flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
}

function isX509Reason(reason: string | null): reason is X509Reason {
  return reason !== null && Object.hasOwn(rules, reason)
}

/** The document says why in its findings. */
function withoutReason({ reason: _, ...verdict }: Expectation): Expectation {
  return verdict
}

function recordOf(text: string): Tlsa {
  const parsed = parseTlsa(text)
  if (parsed.kind !== 'record') throw new Error(`a case has a record that is none: ${parsed.says}`)
  return parsed.record
}
