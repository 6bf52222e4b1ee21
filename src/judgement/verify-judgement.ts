/**
 * The question of `hermetic verify`, put to the judge that is due: TLSA records where there are any (RFC 7672), roots where not (RFC 5280,
 * RFC 9525); and both kinds of answer brought to one form. Also what would be if certificates that somebody knows of had been sent as well,
 * which explains and never decides.
 */
import { judgeDane } from '../protocol/dane/judge.ts'
import type { DaneJudgement, DaneQuestion, Tlsa } from '../protocol/dane/types.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import type { IdentityOptions } from '../protocol/x509/identity.ts'
import type { Certificate, Profile, Purpose, Read } from '../protocol/x509/model.ts'
import type { NoPath, PathFault } from '../protocol/x509/path-types.ts'
import { judgePkix } from '../protocol/x509/pkix.ts'
import { leafFaults } from '../protocol/x509/rules.ts'
import { fingerprint } from './certificate-evidence.ts'
import type { ReasonCode } from './failure.ts'
import type { KeyExchange, VerifyDocument, VerifyVerdict } from './verify-document.ts'
import { type IfSent, subjectText } from './verify-records.ts'

export interface VerifyQuestion {
  /** As sent, leaf first. */
  readonly chain: readonly Read[]
  /** Reference identifiers, A-labels or addresses, first wins; empty: none was given, and names are not checked. */
  readonly names: readonly string[]
  /** `any`: names are not checked, even where some were given. */
  readonly anyName: 'checked' | 'any'
  /** Null: there are no records, and the roots decide. Never empty. */
  readonly tlsa: readonly Tlsa[] | null
  readonly roots: readonly Certificate[]
  /** Whether the roots are the operator's own choice: beside TLSA records that is worth a word. */
  readonly rootsGiven: boolean
  /** Certificates that were not sent, for explanations alone. */
  readonly known: readonly Certificate[]
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** Null: not known. */
  readonly keyExchange: KeyExchange | null
  readonly profile: Profile
  readonly purpose: Purpose
  readonly maxIntermediates: number
  /** Without TLSA records: whether a common name counts where the leaf has no DNS-ID. */
  readonly cnFallback: IdentityOptions['cn']
  /** A name under which strangers register theirs. */
  readonly isPublicSuffix: (name: string) => boolean
}

/** The same for either kind of judge. */
export interface Judged {
  readonly verdict: VerifyVerdict
  readonly by: VerifyDocument['by']
  readonly depth: number | null
  readonly record: number | null
  /** Leaf first; empty when nothing decided. */
  readonly path: readonly Certificate[]
  /** What is wrong with the certificates that the verdict rests on, or that it fell with, and did not decide. */
  readonly faults: readonly PathFault[]
  /** Null when authenticated. */
  readonly refusal: Refusal | null
  /** What became of each record; null without records. */
  readonly dane: DaneJudgement | null
}

export interface Refusal {
  readonly reason: ReasonCode
  readonly detail: string | null
  readonly certificate: Certificate | null
}

/**
 * Asks the judge that is due: TLSA records where there are any, and then roots play no part; roots where not. Success has no `refusal`; that
 * no record is usable (RFC 7672 §2.2) is one, under the verdict `encrypt-only`.
 */
export function judgeChain(question: VerifyQuestion): Judged {
  const { tlsa, chain } = question
  return tlsa === null ? byRoots(question) : byRecords(question, judgeDane(daneQuestion(question, tlsa, chain)))
}

/** What each record that does not match, or that no path leads to, would come to with the known certificates sent as well. */
export function recordsIfSent(question: VerifyQuestion, { dane }: Judged): ReadonlyMap<number, IfSent> {
  const fates = new Map<number, IfSent>()
  const chain = withKnown(question)
  if (chain === null || dane === null || question.tlsa === null) return fates
  const known = new Set(readable(chain.slice(question.chain.length)))
  const judged = judgeDane(daneQuestion(question, question.tlsa, chain))
  const path = judged.verdict.kind === 'authenticated' ? (judged.verdict.path?.certificates ?? []) : []
  const between = path
    .filter(certificate => known.has(certificate))
    .slice(0, shownSubjects)
    .map(subjectText)
  for (const { index, matches, outcome } of judged.records) {
    const before = dane.records[index]?.outcome?.kind
    if (before !== 'no-match' && before !== 'no-path') continue
    const added = matches.flatMap(({ position, certificate }) =>
      position !== null && position >= question.chain.length && certificate !== null ? [certificate] : [],
    )
    const kind = outcome?.kind
    const fate = kind === 'authenticates' || kind === 'name-mismatch' ? kind : 'nothing'
    if (added.length > 0 || fate !== 'nothing')
      fates.set(index, { subjects: added.slice(0, shownSubjects).map(subjectText), between, fate })
  }
  return fates
}

/** Which of the known certificates would have led to a root; empty when none would. */
export function missingOnPath(question: VerifyQuestion): readonly string[] {
  const chain = withKnown(question)
  if (chain === null) return []
  const { verdict } = pkix(question, chain)
  if (verdict.kind !== 'authenticated') return []
  const known = new Set(readable(chain.slice(question.chain.length)))
  return verdict.path.certificates.filter(certificate => known.has(certificate)).map(subjectText)
}

/** How names are held against the leaf under this question. */
export function identityRules({ tlsa, cnFallback, isPublicSuffix }: VerifyQuestion): IdentityOptions {
  return tlsa === null
    ? { cn: cnFallback, ip: 'allow', isPublicSuffix }
    : { cn: 'if-no-dns-id', ip: 'never', isPublicSuffix }
}

function byRoots(question: VerifyQuestion): Judged {
  const { verdict } = pkix(question, question.chain)
  if (verdict.kind !== 'authenticated')
    return refused(question, verdict.reason, verdict.detail, verdict.none, null)
  return {
    verdict: namesToCheck(question) === null ? 'authenticated-for-unchecked-name' : 'authenticated',
    by: 'pkix',
    depth: verdict.depth,
    record: null,
    path: verdict.path.certificates,
    faults: verdict.path.faults,
    refusal: null,
    dane: null,
  }
}

function byRecords(question: VerifyQuestion, dane: DaneJudgement): Judged {
  const { verdict } = dane
  switch (verdict.kind) {
    case 'authenticated': {
      // Usage 3 asks for no name: RFC 7672 §3.1.1.
      const needsName = verdict.by === 'dane-ta' && namesToCheck(question) === null
      return {
        verdict: needsName ? 'authenticated-for-unchecked-name' : 'authenticated',
        by: verdict.by,
        depth: verdict.depth,
        record: verdict.record,
        path: verdict.path?.certificates ?? leafOf(question),
        faults: verdict.path?.faults ?? faultsOf(question, leafOf(question)),
        refusal: null,
        dane,
      }
    }
    case 'encrypt-only':
      return {
        ...nothingDecided,
        verdict: 'encrypt-only',
        faults: faultsOf(question, leafOf(question)),
        refusal: { reason: 'dane.all-unusable', detail: null, certificate: null },
        dane,
      }
    case 'not-authenticated':
      return refused(question, verdict.reason, verdict.detail, verdict.none, dane)
    default:
      return verdict satisfies never
  }
}

function refused(
  question: VerifyQuestion,
  reason: ReasonCode,
  detail: string | null,
  none: NoPath | null,
  dane: DaneJudgement | null,
): Judged {
  const furthest = none?.furthest ?? []
  return {
    ...nothingDecided,
    verdict: 'not-authenticated',
    faults: faultsOf(question, furthest.length > 0 ? furthest : leafOf(question)),
    refusal: { reason, detail, certificate: none?.certificate ?? null },
    dane,
  }
}

function pkix(question: VerifyQuestion, chain: readonly Read[]) {
  const { roots, atMs, profile, purpose, maxIntermediates, isPublicSuffix, cnFallback } = question
  return judgePkix({
    chain,
    roots,
    names: namesToCheck(question),
    cn: cnFallback,
    atMs,
    profile,
    purpose,
    maxIntermediates,
    isPublicSuffix,
    budget: createBudget(),
  })
}

function daneQuestion(question: VerifyQuestion, records: readonly Tlsa[], chain: readonly Read[]): DaneQuestion {
  const { atMs, profile, purpose, maxIntermediates, isPublicSuffix } = question
  return {
    chain,
    records,
    names: namesToCheck(question),
    atMs,
    profile,
    purpose,
    maxIntermediates,
    isPublicSuffix,
    budget: createBudget(),
  }
}

function namesToCheck({ names, anyName }: VerifyQuestion): readonly string[] | null {
  return names.length === 0 || anyName === 'any' ? null : names
}

/** The chain as sent, and behind it the known certificates that are not in it; null when there are none. */
function withKnown({ chain, known }: VerifyQuestion): readonly Read[] | null {
  const sent = new Set(readable(chain).map(({ der }) => fingerprint(der)))
  const added = known
    .filter(({ der }) => !sent.has(fingerprint(der)))
    .slice(0, mostKnown)
    .map(certificate => ({ kind: 'certificate', certificate }) as const)
  return added.length === 0 ? null : [...chain, ...added]
}

/** Where no valid path tells them. @param certificates Leaf first. */
function faultsOf({ purpose }: VerifyQuestion, certificates: readonly Certificate[]): readonly PathFault[] {
  return certificates.flatMap((certificate, depth) =>
    [...certificate.faults, ...(depth === 0 ? leafFaults(certificate, purpose) : [])].map(fault => ({
      ...fault,
      certificate,
    })),
  )
}

function readable(chain: readonly Read[]): readonly Certificate[] {
  return chain.flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
}

function leafOf({ chain }: VerifyQuestion): readonly Certificate[] {
  return readable(chain.slice(0, 1))
}

const nothingDecided = { by: null, depth: null, record: null, path: [] } as const
const shownSubjects = 3
const mostKnown = 100
