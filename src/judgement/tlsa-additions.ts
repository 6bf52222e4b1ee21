/**
 * Which TLSA records to publish beside those that are there, so that a chain is proved and none is proved no longer that was (RFC 7671 §8.1, §9).
 *
 * What is proposed has been judged by the rules that will decide. It does not know whether a chain ought to be proved: that is for the owner of the host.
 */
import { createTlsa, standings, tlsaText } from '../protocol/dane/tlsa.ts'
import type { Tlsa } from '../protocol/dane/types.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import { judgeDanePeer } from './dane-peer.ts'
import type { PeerJudgement } from './peer.ts'
import type { DanePlan, Plan } from './plan.ts'
import { tlsaSubjects } from './tlsa-subjects.ts'

export type Records = Extract<DanePlan, { kind: 'records' }>

export interface Search {
  readonly dane: Records
  readonly plan: Plan
  readonly nowRecords: readonly Tlsa[]
  /** Chains of today: those that are proved stay so. */
  readonly todays: readonly (readonly Read[])[]
  /** As it is sent, leaf first. */
  readonly chain: readonly Read[]
  /** When that is to be proved, and when the others are, in milliseconds since 1970. */
  readonly whenMs: number
  readonly atMs: number
}

/** The fewest records with the numbers in use that prove the chain and leave those of today proved; `3 1 1` where these do not. None: nothing heals it. */
export function additions(search: Search): readonly Tlsa[] {
  const { todays, nowRecords, dane, plan, chain, whenMs, atMs } = search
  const judge = judgeBy(plan, dane)
  const before = todays.map(today => judge(nowRecords, today, atMs).failure === null)
  const isGood = (records: readonly Tlsa[]) =>
    records.length > 0 &&
    judge([...nowRecords, ...records], chain, whenMs).failure === null &&
    todays.every(
      (today, index) => before[index] !== true || judge([...nowRecords, ...records], today, atMs).failure === null,
    )
  const usages = [...new Set(todays.flatMap(today => usageOf(judge(nowRecords, today, atMs))))].sort(
    (a, b) => a - b,
  )
  const proposals = [...usages.flatMap(usage => (usage === 2 ? [forIssuer(search)] : [])), forServer(search)]
  return proposals.find(isGood) ?? []
}

/** Judges a chain as if these were the records. */
export function judgeBy(plan: Plan, dane: Records) {
  return (records: readonly Tlsa[], chain: readonly Read[], atMs: number): PeerJudgement =>
    judgeDanePeer(plan.references, withRecords(dane, records), { chain, atMs })
}

export function withRecords(dane: Records, records: readonly Tlsa[]): Records {
  const states = standings(records)
  return {
    ...dane,
    records: records.map((record, index) => ({
      text: tlsaText(record),
      state: states[index]?.state ?? 'unusable',
    })),
  }
}

export function leafOf([first]: readonly Read[]): Certificate | null {
  return first?.kind === 'certificate' ? first.certificate : null
}

/** As a zone file has it. */
export function lineOf(owner: string, record: Tlsa): string {
  return `${owner}. IN TLSA ${tlsaText(record)}`
}

/** By which usage a chain is proved now. */
function usageOf({ failure, by }: PeerJudgement): readonly (2 | 3)[] {
  return failure !== null ? [] : by === 'dane-ta' ? [2] : [3]
}

function forServer({ chain, nowRecords }: Search): readonly Tlsa[] {
  const leaf = leafOf(chain)
  return leaf === null ? [] : made(leaf, 3, nowRecords)
}

/** The issuer nearest to the server's own certificate that a record may name. */
function forIssuer({ chain, nowRecords, plan, whenMs }: Search): readonly Tlsa[] {
  const subjects = tlsaSubjects({ chain, atMs: whenMs, host: plan.references[0]?.name ?? null })
  const issuer = subjects === 'several' ? undefined : subjects.issuers.find(({ trouble }) => trouble === null)
  return issuer === undefined ? [] : made(issuer.certificate, 2, nowRecords)
}

/**
 * One record for each selector and digest that stands beside this usage already: with fewer, a stronger digest of the old certificate would put
 * the new record in its shadow, and clients that know only the weaker one would find nothing (RFC 7671 §8.4, §9).
 */
function made(certificate: Certificate, usage: 2 | 3, records: readonly Tlsa[]): readonly Tlsa[] {
  const states = standings(records)
  const inUse = new Map<string, readonly [selector: number, matchingType: number]>()
  for (const [index, record] of records.entries()) {
    const isDigest = record.matchingType === 1 || record.matchingType === 2
    if (record.usage === usage && isDigest && states[index]?.state !== 'unusable')
      inUse.set(`${record.selector} ${record.matchingType}`, [record.selector, record.matchingType])
  }
  if (inUse.size === 0) inUse.set('1 1', [1, 1])
  return [...inUse.values()]
    .sort(([s1, m1], [s2, m2]) => s2 - s1 || m1 - m2)
    .flatMap(([selector, matchingType]) =>
      createTlsa(certificate, { usages: [usage], selectors: [selector], matchingTypes: [matchingType] }),
    )
}
