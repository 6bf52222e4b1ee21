/**
 * The findings of a `hermetic.verify/1` document: what decided comes first, then what would be well to know, worst first.
 *
 * What did not decide is never more than a warning. Each thing is said once, records of one fate together; the number is bounded.
 */
import type { DaneJudgement, RecordJudgement } from '../protocol/dane/types.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import type { PathFault } from '../protocol/x509/path-types.ts'
import { validityFault } from '../protocol/x509/rules.ts'
import { needlessExpired, seenOf, sentAgain, type Words, wordsFor } from './chain-advice.ts'
import type { ChainShape } from './chain-shape.ts'
import type { Severity } from './evidence.ts'
import type { ReasonCode } from './failure.ts'
import { asSentence, entryOf, findingFor, hostText } from './findings.ts'
import { keyUsageFindings, leafKey } from './key-usage.ts'
import type { KeyExchange, VerifyFinding } from './verify-document.ts'
import { type IfSent, numbersText, subjectText, unusableSentence } from './verify-records.ts'
import { rangesText } from './verify-text.ts'

/** One thing to tell, in the words of the register unless it has its own. */
export interface Remark extends Words {
  readonly code: ReasonCode
  readonly position: number | null
  readonly detail: string | null
  /** Where the register's own is not meant. */
  readonly severity?: Severity
}

/** What refused the peer, or left it unproven. */
export interface Decisive extends Remark {
  readonly severity: Severity
  /** A sentence to end the remedy with: what only this chain can tell. */
  readonly advice?: string
}

/** @param host Who is talked about: the first name that was asked for; null: none was. */
export function verifyFindings(
  decisive: Decisive | null,
  remarks: readonly Remark[],
  host: string | null,
): readonly VerifyFinding[] {
  const said = new Set<string>()
  const rest = remarks
    .map(remark => ({ ...remark, severity: atMostWarning(remark.severity ?? entryOf(remark.code).severity) }))
    .toSorted((one, other) => severities.indexOf(one.severity) - severities.indexOf(other.severity))
  const findings: VerifyFinding[] = []
  for (const remark of decisive === null ? rest : [decisive, ...rest]) {
    // A fault that decided is not said again as a remark, whatever its detail there.
    const isDecided =
      remark !== decisive && remark.code === decisive?.code && remark.position === decisive.position
    const key = `${remark.code} ${remark.position} ${remark.detail}`
    if (isDecided || said.has(key)) continue
    if (findings.length === mostFindings) break
    said.add(key)
    const { code, position, detail, severity } = remark
    const told = findingFor({ reason: code, detail, reply: null }, host)
    const says = remark.says === undefined ? told.says : asSentence(remark.says(hostText(host)))
    const remedy = remark.remedy === undefined ? told.remedy : asSentence(remark.remedy(hostText(host)))
    const advice = remark === decisive ? decisive.advice : undefined
    findings.push({
      ...{ code, severity, culprit: told.culprit, position, says },
      remedy: advice === undefined ? remedy : `${remedy} ${advice}`,
    })
  }
  return findings
}

/** Faults of issuance and the like. What was not sent is first of all the business of whoever trusts it. */
export function faultRemarks(
  faults: readonly PathFault[],
  positionOf: (certificate: Certificate) => number | null,
): readonly Remark[] {
  return faults
    .filter(({ reason }) => !toldByKeyUsage.has(reason))
    .map(({ reason, detail, certificate }): Remark => {
      const position = positionOf(certificate)
      const words = wordsFor(reason, position, undefined)
      const remark = { code: reason, position, detail: detailOf(reason, certificate, detail), ...words }
      return position === null ? { ...remark, severity: 'info' } : remark
    })
}

/** Order, strangers and a root that need not be sent. @param named Positions that a TLSA record names: there for a reason. */
export function chainRemarks(
  chain: readonly Read[],
  { early, strangers, copies, roots }: ChainShape,
  named: ReadonlySet<number | null>,
): readonly Remark[] {
  const listed = (code: ReasonCode, positions: readonly number[], what: string): Remark[] => {
    const [first] = positions
    return first === undefined
      ? []
      : [
          {
            code,
            position: first,
            detail: `${what}${positions.length === 1 ? 'certificate' : 'certificates'} ${rangesText(positions)}`,
          },
        ]
  }
  const idle = roots.filter(position => !named.has(position))
  return [
    ...listed('x509.chain-out-of-order', early, 'sent too early: '),
    ...listed('x509.chain-has-strangers', strangers, 'of no use: '),
    ...[...Map.groupBy(copies, ({ of }) => of)].flatMap(([of, same]) => {
      const positions = same.map(({ position }) => position)
      const [position = 0] = positions
      return [{ ...stranger, position, detail: null, ...sentAgain(positions, of) }]
    }),
    ...listed('x509.root-sent', idle, ''),
    ...chain.flatMap((read, position) =>
      read.kind === 'malformed'
        ? [
            {
              code: 'x509.malformed' as const,
              position,
              detail: read.detail,
              ...wordsFor('x509.malformed', position, read),
            },
          ]
        : [],
    ),
  ]
}

/** Of what was sent beside the path: the trap of an old cross-signed root. */
export function expiredRemarks(
  chain: readonly Read[],
  path: readonly Certificate[],
  atMs: number,
): readonly Remark[] {
  return chain.flatMap((read, position): Remark[] => {
    if (read.kind === 'malformed' || position === 0) return []
    const { certificate } = read
    const told = needlessExpired(certificate, atMs)
    if (told === null || path.some(({ der }) => Buffer.compare(der, certificate.der) === 0)) return []
    const { reason, detail, ...words } = told
    return [
      { code: reason, position, detail: detailOf(reason, certificate, detail), severity: 'warning', ...words },
    ]
  })
}

/** What the key usage of the leaf keeps it from in a handshake (RFC 5280 §4.2.1.3). @param exchange The one in question; null: whichever the peers come to. */
export function keyUsageRemarks(leaf: Certificate, exchange: KeyExchange | null): readonly Remark[] {
  return keyUsageFindings(leafKey(leaf.publicKey.facts, leaf.keyUsage), exchange).map(({ code, severity }) => ({
    code,
    severity,
    position: 0,
    detail: `it is for ${[...(leaf.keyUsage ?? [])].join(', ') || 'nothing'}`,
  }))
}

/** What usage 3 does not ask for, and others might: the dates of the leaf. */
export function dateRemarks(leaf: Certificate, atMs: number): readonly Remark[] {
  const fault = validityFault(leaf, atMs)
  if (fault === null) return []
  const detail = detailOf(
    fault.reason,
    leaf,
    `${fault.detail ?? ''}; a TLSA record with usage 3 does not ask for dates`,
  )
  return [{ code: fault.reason, position: 0, detail, severity: 'info' }]
}

/**
 * What is wrong with the TLSA records, those of one fate together: unusable, shadowed, of the wrong usage for what they name, or naming an issuer that was not
 * sent (RFC 7671 §5, §9; RFC 7672 §3.1). Empty when there is nothing to tell.
 *
 * @param ifSent What records would come to if known certificates were sent as well, by the place of the record.
 */
export function recordRemarks(
  { records, verdict }: DaneJudgement,
  ifSent: ReadonlyMap<number, IfSent>,
): readonly Remark[] {
  const unusable = Map.groupBy(
    records.filter(({ state }) => state === 'unusable'),
    ({ because }) => because,
  )
  const withOutcome = (kind: NonNullable<RecordJudgement['outcome']>['kind']) =>
    records.filter(({ outcome }) => outcome?.kind === kind)
  const listed = (code: ReasonCode, some: readonly RecordJudgement[], more = ''): Remark[] => {
    const [first] = some
    if (first === undefined) return []
    return [{ code, position: first.matches[0]?.position ?? null, detail: `${recordsText(some)}${more}` }]
  }
  const missing = records.filter(
    ({ index, record }) => record.usage === 2 && (ifSent.get(index)?.subjects.length ?? 0) > 0,
  )
  const missingSubjects = [...new Set(missing.flatMap(({ index }) => ifSent.get(index)?.subjects ?? []))]
  return [
    // When all are unusable that is told already, as what decided.
    ...(verdict.kind === 'encrypt-only'
      ? []
      : [...unusable].flatMap(([because, some]) => {
          const [first] = some
          if (first === undefined || because === null || because === 'stronger-digest-published') return []
          const sentence = unusableSentence(because, first.record).replace(/\.$/, '')
          return [
            { code: 'dane.record-unusable' as const, position: null, detail: `${recordsText(some)}: ${sentence}` },
          ]
        })),
    ...listed(
      'dane.record-shadowed',
      records.filter(({ state }) => state === 'shadowed'),
    ),
    ...listed('dane.ta-is-leaf', withOutcome('ta-is-leaf')),
    ...listed('dane.ee-not-leaf', withOutcome('ee-not-leaf')),
    ...listed('dane.issuer-not-sent', missing, `: ${missingSubjects.slice(0, 3).join(', ')}`),
  ]
}

/** `CN=R3: what was seen`. */
export function detailOf(
  reason: ReasonCode,
  certificate: Certificate | null,
  detail: string | null,
): string | null {
  return seenOf(reason, certificate === null ? null : subjectText(certificate), detail)
}

/** `records 0, 2 and 3, 2 1 1`. */
function recordsText(some: readonly RecordJudgement[]): string {
  const kinds = [...new Set(some.map(({ record }) => numbersText(record)))]
  const shown = kinds.slice(0, shownKinds).join(', ')
  const list = `${some.length === 1 ? 'record' : 'records'} ${rangesText(some.map(({ index }) => index))}`
  return `${list}, ${shown}${kinds.length > shownKinds ? ' and others' : ''}`
}

function atMostWarning(severity: Severity): Severity {
  return severity === 'error' ? 'warning' : severity
}

const severities: readonly Severity[] = ['error', 'warning', 'info']
const toldByKeyUsage: ReadonlySet<ReasonCode> = new Set([
  'x509.key-usage-no-signature',
  'x509.key-usage-no-encipherment',
])
const stranger = { code: 'x509.chain-has-strangers' } as const
const shownKinds = 3
const mostFindings = 100
