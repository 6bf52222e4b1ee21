/** What a certificate case is, and the shortest ways to write one down. */
import type { DaneReason } from '../../src/protocol/dane/reasons.ts'
import type { X509Reason } from '../../src/protocol/x509/reasons.ts'
import { keyOf } from './keys.ts'
import { at, type Made, makeAuthority, makeLeaf, type Recipe } from './maker.ts'

export interface CertificateCase {
  /** Unique, stable, and good as a directory's name. */
  readonly id: string
  /** What is special about it, in one sentence. */
  readonly says: string
  /** The rule that it breaks or keeps; null when it is about no single one. */
  readonly rule: X509Reason | DaneReason | null
  /** Where the outcome is written down: `RFC 5280 §4.2.1.9`. */
  readonly spec: string
  /** PEM blocks as sent, leaf first. */
  readonly chain: readonly string[]
  /** PEM of the leaf's private key, so that a real TLS server can serve it. */
  readonly key: string
  /** PEM blocks. */
  readonly roots: readonly string[]
  /** Reference identifiers. */
  readonly names: readonly string[]
  readonly at: Date
  readonly purpose: 'server' | 'client'
  /** `2 1 1 HEX`; null: PKIX against `roots`. */
  readonly tlsa: readonly string[] | null
  /** Left out: the judge's own limit. */
  readonly maxIntermediates?: number
  readonly expected: { readonly mail: Expectation; readonly strict: Expectation }
}

export interface Expectation {
  readonly verdict: 'authenticated' | 'encrypt-only' | 'not-authenticated'
  readonly by?: 'dane-ee' | 'dane-ta' | 'pkix'
  readonly depth?: number
  readonly record?: number
  /** Why it was refused. */
  readonly reason?: X509Reason | DaneReason
  /** Must be among those reported. */
  readonly findings?: readonly (X509Reason | DaneReason)[]
}

/** What a case says where it differs from the usual one; `leaf` is the first of `chain` unless it is given. */
export interface PkixDraft {
  readonly id: string
  readonly says: string
  readonly rule: CertificateCase['rule']
  readonly spec: string
  readonly chain: readonly (Made | string)[]
  readonly leaf?: Made
  readonly roots?: readonly Made[]
  readonly names?: readonly string[]
  readonly at?: Date
  readonly purpose?: 'server' | 'client'
  readonly maxIntermediates?: number
  readonly mail: Expectation
  /** Left out: as `mail`. */
  readonly strict?: Expectation
}

export interface DaneDraft extends PkixDraft {
  readonly tlsa: readonly string[]
}

export function pkixCase(draft: PkixDraft): CertificateCase {
  return caseOf(draft, null)
}

export function daneCase(draft: DaneDraft): CertificateCase {
  return caseOf(draft, draft.tlsa)
}

function caseOf(draft: PkixDraft, tlsa: CertificateCase['tlsa']): CertificateCase {
  const { id, says, rule, spec, chain, names = [host], purpose = 'server' } = draft
  const leaf = draft.leaf ?? chain.find(each => typeof each !== 'string')
  return {
    ...{ id, says, rule, spec, names, purpose, tlsa },
    chain: chain.map(each => (typeof each === 'string' ? each : each.pem)),
    key: (leaf?.key ?? keyOf('leaf')).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    roots: (draft.roots ?? [root()]).map(each => each.pem),
    at: draft.at ?? at,
    ...(draft.maxIntermediates === undefined ? {} : { maxIntermediates: draft.maxIntermediates }),
    expected: { mail: draft.mail, strict: draft.strict ?? draft.mail },
  }
}

export type Verdicts = readonly [mail: PkixDraft['mail'], strict?: PkixDraft['mail']]

export type Row = readonly [
  id: string,
  says: string,
  what: readonly (Made | string)[] | Partial<PkixDraft>,
  ...verdicts: Verdicts,
]

/** Cases of one rule: the rows hold what differs. */
export function about(
  rule: CertificateCase['rule'],
  spec: string,
): { with: (...rows: readonly Row[]) => readonly CertificateCase[] } {
  return {
    with: (...rows) =>
      rows.map(([id, says, what, mail, strict]) => {
        const given: Partial<PkixDraft> = isList(what) ? { chain: what } : what
        return pkixCase({
          chain: [],
          ...given,
          id,
          says,
          rule,
          spec,
          mail,
          ...(strict === undefined ? {} : { strict }),
        })
      }),
  }
}

function isList(what: Row[2]): what is readonly (Made | string)[] {
  return Array.isArray(what)
}

/** Whether a profile tells of the rule or refuses by it. */
export function breaks({ expected: { mail, strict } }: CertificateCase, rule: X509Reason): boolean {
  return [mail, strict].some(({ reason, findings = [] }) => reason === rule || findings.includes(rule))
}

/** Whether it is about the rule, and neither profile has a word against it. What refuses without a reason keeps nothing for sure. */
export function keeps(each: CertificateCase, rule: X509Reason): boolean {
  const { mail, strict } = each.expected
  const isSilent = [mail, strict].some(
    ({ verdict, reason }) => verdict === 'not-authenticated' && reason === undefined,
  )
  return each.rule === rule && !isSilent && !breaks(each, rule)
}

/** The reference identifier of a case that says nothing else. */
export const host = 'mx.example.com'

/** The PKIX path ended at the root: `depth` certificates above the leaf. */
export function accepted(depth: number, findings?: Expectation['findings']): Expectation {
  return { verdict: 'authenticated', by: 'pkix', depth, ...(findings === undefined ? {} : { findings }) }
}

export function refused(reason?: Expectation['reason']): Expectation {
  return { verdict: 'not-authenticated', ...(reason === undefined ? {} : { reason }) }
}

export function byLeafRecord(record: number, findings?: Expectation['findings']): Expectation {
  const found = findings === undefined ? {} : { findings }
  return { verdict: 'authenticated', by: 'dane-ee', depth: 0, record, ...found }
}

export function byAnchorRecord(record: number, depth: number, findings?: Expectation['findings']): Expectation {
  const found = findings === undefined ? {} : { findings }
  return { verdict: 'authenticated', by: 'dane-ta', depth, record, ...found }
}

/** The root of every case that names no other. */
export function root(): Made {
  return remember('root', () => rootWith({}))
}

/** An intermediate under it. */
export function intermediate(): Made {
  return remember('intermediate', () => intermediateWith({}))
}

/** A leaf for `mx.example.com` under the intermediate. */
export function leaf(): Made {
  return remember('leaf', () => leafWith({}))
}

export function rootWith(recipe: Recipe): Made {
  return makeAuthority({ subject: 'CN=Test Root', key: keyOf('root'), ...recipe })
}

export function intermediateWith(recipe: Recipe): Made {
  return makeAuthority({ subject: 'CN=Test Intermediate', key: keyOf('intermediate'), issuer: root(), ...recipe })
}

export function leafWith(recipe: Parameters<typeof makeLeaf>[0]): Made {
  return makeLeaf({ issuer: intermediate(), ...recipe })
}

/** One second and more away from the time of the cases. */
export function secondsFrom(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1_000)
}

function remember(name: string, make: () => Made): Made {
  const known = standard.get(name)
  if (known !== undefined) return known
  const made = make()
  standard.set(name, made)
  return made
}

const standard = new Map<string, Made>()
