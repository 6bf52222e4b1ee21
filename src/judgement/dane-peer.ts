/**
 * A TLS peer's certificates under a plan with TLSA records (RFC 7672 §3): the records alone decide. Neither roots nor OpenSSL are asked, and for usage 3 neither
 * names nor dates (RFC 7672 §3.1.1).
 *
 * Success is `failure: null`; the evidence says of every record what it came to. Nothing here knows what the plan does with the answer: judge.ts.
 */
import { judgeDane } from '../protocol/dane/judge.ts'
import { associationOf, tlsaText } from '../protocol/dane/tlsa.ts'
import type { DaneJudgement, RecordJudgement, Tlsa } from '../protocol/dane/types.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import type { Certificate } from '../protocol/x509/model.ts'
import type { ValidPath } from '../protocol/x509/path-types.ts'
import type { DaneEvidence } from './evidence.ts'
import type { Failure } from './failure.ts'
import {
  failed,
  leafRemarks,
  malformedRemarks,
  maxIntermediates,
  nameFailure,
  ofCertificate,
  type PeerJudgement,
  refusalDetail,
  type ShownChain,
  unique,
} from './peer.ts'
import type { DanePlan, Plan, ReferenceIdentifier } from './plan.ts'
import { isPublicSuffix } from './public-suffix.ts'
import { shortRecord } from './tlsa-text.ts'
import type { VerifyRecord } from './verify-document.ts'
import { verifyRecords } from './verify-records.ts'

/** @param references names of the plan, any of which will do for usage 2; never empty */
export function judgeDanePeer(
  references: readonly ReferenceIdentifier[],
  plan: Extract<DanePlan, { kind: 'records' }>,
  shown: Pick<ShownChain, 'chain' | 'atMs'>,
): PeerJudgement {
  const { chain } = shown
  const names = references.map(({ name }) => name)
  const judged = judgeByRecords(references, plan, shown)
  const { verdict } = judged
  const [first] = chain
  const leaf = first?.kind === 'certificate' ? first.certificate : null
  const remarks = unique([
    ...malformedRemarks(chain),
    ...(leaf === null ? [] : leafRemarks(leaf)),
    ...recordRemarks(plan),
  ])
  const base = { path: null, dane: daneEvidence(judged), remarks }
  if (verdict.kind === 'authenticated') {
    const { by, matched, path } = verdict
    return {
      ...base,
      by,
      record: plan.records[verdict.record]?.text ?? null,
      matched: matched?.presented ?? null,
      failure: null,
      validUntilMs: path === null ? null : validUntil(path),
    }
  }
  return {
    ...base,
    by: 'dane-ta',
    record: null,
    matched: null,
    failure: failureOf(verdict, judged.records, names, leaf),
    validUntilMs: null,
  }
}

/** Dates of a certificate that a record names are not judged, so they end nothing; a record that holds a bare key names none. */
function validUntil({ certificates, anchor }: ValidPath): number {
  const judged = anchor.kind === 'certificate' ? certificates.slice(0, -1) : certificates
  return Math.min(...judged.map(({ notAfterMs }) => notAfterMs ?? 0))
}

/** The judgement record by record, none left out: evidence keeps the first of many. */
export function judgeByRecords(
  references: readonly ReferenceIdentifier[],
  plan: Extract<DanePlan, { kind: 'records' }>,
  { chain, atMs }: Pick<ShownChain, 'chain' | 'atMs'>,
): DaneJudgement {
  return judgeDane({
    chain,
    records: plan.records.map(({ text }) => recordOf(text)),
    names: references.map(({ name }) => name),
    atMs,
    maxIntermediates,
    profile: 'mail',
    purpose: 'server',
    isPublicSuffix,
    budget: createBudget(),
  })
}

/** What each record came to, in a sentence. */
export function recordsTold({ verdict, records }: DaneJudgement): readonly VerifyRecord[] {
  return verifyRecords(records, {
    decider: verdict.kind === 'authenticated' ? verdict.record : null,
    ifSent: new Map(),
  })
}

/** Of the plan itself, whatever the peer shows: what the owner of the zone should know. */
export function recordRemarks({ records, asks }: Extract<DanePlan, { kind: 'records' }>): readonly Failure[] {
  if (asks === 'encrypt') return [failed('dane.all-unusable', null)]
  const unusable = records.filter(({ state }) => state === 'unusable').map(({ text }) => shortRecord(text))
  return unusable.length === 0 ? [] : [failed('dane.record-unusable', unusable.slice(0, mostNamed).join(', '))]
}

function failureOf(
  verdict: Exclude<DaneJudgement['verdict'], { kind: 'authenticated' }>,
  records: readonly RecordJudgement[],
  names: readonly string[],
  leaf: Certificate | null,
): Failure {
  if (verdict.kind === 'encrypt-only') return failed('dane.all-unusable', null)
  const { reason, detail, none } = verdict
  if (reason === 'x509.name-mismatch') return nameFailure(names, leaf)
  if (reason === 'dane.no-match' && leaf !== null)
    return failed(reason, shadowedMatch(records) ?? wouldMatch(leaf))
  return failed(reason, refusalDetail(reason, detail, none?.certificate ?? null))
}

/** A record fits, and counts for nothing beside another (RFC 7671 §9): that other one is what must be mended. */
function shadowedMatch(records: readonly RecordJudgement[]): string | null {
  const fits = records.find(
    ({ state, matches, record }) =>
      state === 'shadowed' && matches.some(({ position }) => (record.usage === 3) === (position === 0)),
  )
  if (fits === undefined) return null
  const { usage, selector, matchingType } = fits.record
  const stronger = records.find(
    ({ state, record }) =>
      state === 'counts' &&
      record.usage === usage &&
      record.selector === selector &&
      record.matchingType > matchingType,
  )
  if (stronger === undefined) return null
  const text = (judged: RecordJudgement) => shortRecord(tlsaText(judged.record))
  return `${text(fits)} fits, but counts for nothing beside ${text(stronger)}, which has the stronger digest and fits nothing: that one must be renewed or taken out`
}

/** What the zone would have to say for this very key: its owner can compare. */
function wouldMatch(leaf: Certificate): string | null {
  const data = associationOf(leaf, 1, 1)
  if (data === null) return null
  const record = tlsaText({ usage: 3, selector: 1, matchingType: 1, data })
  return `${ofCertificate(leaf, null)} has the key ${record}`
}

function daneEvidence(judged: DaneJudgement): DaneEvidence {
  const { verdict } = judged
  return {
    records: recordsTold(judged)
      .slice(0, mostRecords)
      .map(({ text, state, matches, why }) => ({
        text: cut(text),
        state,
        matches: matches.slice(0, mostMatches).map(({ position, depth }) => ({ position, depth })),
        says: why,
      })),
    record: verdict.kind === 'authenticated' ? verdict.record : null,
    depth: verdict.kind === 'authenticated' ? verdict.depth : null,
  }
}

/** The other way round than `tlsaText`: a record without data is one, too. */
export function recordOf(text: string): Tlsa {
  const [usage = '', selector = '', matchingType = '', data = ''] = text.split(' ')
  return {
    usage: Number(usage),
    selector: Number(selector),
    matchingType: Number(matchingType),
    data: new Uint8Array(Buffer.from(data, 'hex')),
  }
}

/** A plan as evidence keeps it: whole records have no end, and nobody reads them. */
export function keptPlan(plan: Plan): Plan {
  if (plan.dane?.kind !== 'records') return plan
  const { records } = plan.dane
  if (records.length <= mostRecords && records.every(({ text }) => text.length <= maxRecordChars)) return plan
  const kept = records.slice(0, mostRecords).map(({ text, state }) => ({ text: cut(text), state }))
  return { ...plan, dane: { ...plan.dane, records: kept } }
}

const cut = (text: string) => (text.length > maxRecordChars ? `${text.slice(0, maxRecordChars)}…` : text)

const mostNamed = 3
/** Of the evidence: all are judged. A zone that has more publishes a riddle. */
const mostRecords = 30
const mostMatches = 10
/** A digest has 128 at most; a whole certificate is not worth keeping with each session. */
const maxRecordChars = 300
