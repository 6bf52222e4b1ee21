/**
 * A TLS peer's certificates where no TLSA record decides (dane-peer.ts has those): the path by our own validation (ARCHITECTURE decision 7), the name by RFC 9525, and OpenSSL's second opinion.
 *
 * A peer is proved only when all three agree. Where OpenSSL and we differ on the path, that itself is a finding: one of us is wrong, and until it is
 * known which, nobody is let in who convinced only one. Nothing here knows what the plan does with the answer: judge.ts.
 */
import { createBudget } from '../protocol/x509/budget.ts'
import { nameText } from '../protocol/x509/distinguished-name.ts'
import { matchIdentity, presentedNames } from '../protocol/x509/identity.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import { judgePkix } from '../protocol/x509/pkix.ts'
import type { DaneEvidence, PathEvidence, TlsEvidence } from './evidence.ts'
import { failureEvidence } from './evidence-of.ts'
import type { Failure, ReasonCode } from './failure.ts'
import { keyUsageFindings, leafKey } from './key-usage.ts'
import type { ReferenceIdentifier } from './plan.ts'
import { isPublicSuffix } from './public-suffix.ts'

export interface ShownChain {
  /** As sent, leaf first. */
  readonly chain: readonly Read[]
  /** Trusted for this destination. The same array each time, for its index is kept. */
  readonly roots: readonly Certificate[]
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** OpenSSL's opinion on the path, against the same roots. */
  readonly openssl: NonNullable<TlsEvidence['openssl']>
}

/** Of either judge. */
export interface PeerJudgement {
  /** What proved the peer, or would have to. */
  readonly by: 'pkix' | 'dane-ta' | 'dane-ee'
  /** The TLSA record that decided; null when none did. */
  readonly record: string | null
  /** Null where roots play no part. */
  readonly path: PathEvidence | null
  /** Null without TLSA records that could prove the peer. */
  readonly dane: DaneEvidence | null
  /** Which name of the certificate fitted; null when none did, or when it does not matter because there is no path. */
  readonly matched: string | null
  /** Why the peer is not proved; null when it is. */
  readonly failure: Failure | null
  /** Until when the path is valid: the first of its certificates to end, the root's included; null without a path. Milliseconds since 1970. */
  readonly validUntilMs: number | null
  /** What else is worth telling: faults of issuance, what other programs would trip over, a disagreement. */
  readonly remarks: readonly Failure[]
}

/** @param references names of the plan, any of which will do; never empty */
export function judgePeer(references: readonly ReferenceIdentifier[], shown: ShownChain): PeerJudgement {
  const { chain, roots, atMs, openssl } = shown
  const [first] = chain
  const leaf = first?.kind === 'certificate' ? first.certificate : null
  const { verdict } = judgePkix({
    // A stranger in the chain that is no certificate is no reason to refuse what stands without it.
    chain: chain.filter((read, position) => position === 0 || read.kind === 'certificate'),
    roots,
    names: null,
    cn: 'never',
    atMs,
    profile: 'mail',
    purpose: 'server',
    maxIntermediates,
    isPublicSuffix,
    budget: createBudget(),
  })
  const isUsageTold = verdict.kind === 'not-authenticated' && verdict.reason === 'x509.leaf-key-usage'
  const remarks = [...malformedRemarks(chain), ...(leaf === null || isUsageTold ? [] : leafRemarks(leaf))]
  if (verdict.kind === 'not-authenticated') {
    const failure = failed(
      verdict.reason,
      refusalDetail(verdict.reason, verdict.detail, verdict.none?.certificate ?? null),
    )
    return {
      ...byPkix,
      path: { certificates: [], failure: failureEvidence(failure) },
      matched: null,
      failure,
      validUntilMs: null,
      // Anonymous suites leave OpenSSL content.
      remarks:
        openssl.authorized && leaf !== null ? [...remarks, disagreement('OpenSSL accepts this path')] : remarks,
    }
  }
  const { path } = verdict
  const places = new Map<Certificate, number>()
  for (const [position, read] of chain.entries())
    if (read.kind === 'certificate' && !places.has(read.certificate)) places.set(read.certificate, position)
  const evidence: PathEvidence = {
    certificates: path.certificates.map(certificate => ({
      position: places.get(certificate) ?? null,
      subject: nameText(certificate.subject),
    })),
    failure: null,
  }
  const faults = path.faults
    .filter(({ certificate }) => places.has(certificate))
    .map(({ certificate, reason, detail }) => failed(reason, ofCertificate(certificate, detail)))
  const names = references.map(({ name }) => name)
  const rules = { cn: 'never', ip: 'allow', isPublicSuffix } as const
  const matched = leaf === null ? null : matchIdentity(names, leaf, rules)
  const told = {
    ...byPkix,
    path: evidence,
    matched: matched?.presented ?? null,
    validUntilMs: Math.min(...path.certificates.map(({ notAfterMs }) => notAfterMs ?? 0)),
    remarks: unique([...remarks, ...faults]),
  }
  if (!openssl.authorized) {
    const error = openssl.error ?? 'no reason given'
    return { ...told, failure: disagreement(`OpenSSL refuses it: ${error}`) }
  }
  return { ...told, failure: matched === null ? nameFailure(names, leaf) : null }
}

const byPkix = { by: 'pkix', record: null, dane: null } as const

/** Whom it is about: of a missing or untrusted issuer the detail is the name already. */
export function refusalDetail(
  reason: ReasonCode,
  detail: string | null,
  certificate: Certificate | null,
): string | null {
  const isNamed = reason === 'x509.missing-intermediate' || reason === 'x509.untrusted-root'
  return certificate === null || (isNamed && detail !== null) ? detail : ofCertificate(certificate, detail)
}

export function malformedRemarks(chain: readonly Read[]): readonly Failure[] {
  return chain.flatMap((read, position) =>
    read.kind === 'malformed' && position > 0
      ? [failed('x509.malformed', `the certificate in place ${position}: ${read.detail}`)]
      : [],
  )
}

export function leafRemarks(leaf: Certificate): readonly Failure[] {
  return keyUsageFindings(leafKey(leaf.publicKey.facts, leaf.keyUsage), null).map(({ code }) =>
    failed(code, ofCertificate(leaf, null)),
  )
}

export function nameFailure(wanted: readonly string[], leaf: Certificate | null): Failure {
  const names = (leaf === null ? [] : presentedNames(leaf))
    .filter(({ type }) => type === 'dns' || type === 'ip')
    .map(({ value }) => value)
  const shown = names.slice(0, shownNames).join(', ')
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : ''
  const carried = shown === '' ? 'no name' : shown
  return failed('x509.name-mismatch', `wanted ${wanted.join(' or ')}; it carries ${carried}${more}`)
}

export function ofCertificate(certificate: Certificate, detail: string | null): string {
  const subject = nameText(certificate.subject)
  return detail === null ? subject : `${subject}: ${detail}`
}

export function unique(failures: readonly Failure[]): readonly Failure[] {
  const met = new Map(failures.map(each => [`${each.reason} ${each.detail}`, each]))
  return [...met.values()].slice(0, mostRemarks)
}

function disagreement(detail: string): Failure {
  return failed('x509.openssl-disagrees', detail)
}

export function failed(reason: ReasonCode, detail: string | null): Failure {
  return { reason, detail, reply: null }
}

/** More than any authority of the public web has, and as many as OpenSSL's own default is generous with. */
export const maxIntermediates = 10
const shownNames = 5
const mostRemarks = 20
