/**
 * A chain of certificates in words: who signed whom, what is missing, what stands in the wrong place, what is broken (`hermetic.cert/1`).
 *
 * It asks no name and no TLSA record, so it is no verdict on a peer: verify.ts gives that. Every certificate has its place by verified signatures,
 * never by names alone. A chain is *whole* when signatures lead from the first certificate to one that signed itself, or to one that a known
 * root signed. Work is bounded by the caller's budget.
 */
import { nameKey, nameText, sameName } from '../protocol/x509/distinguished-name.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import type { Budget } from '../protocol/x509/path-types.ts'
import { type SignatureVerdict, signatureScheme, verifySignature } from '../protocol/x509/signature.ts'
import { certificateEvidence } from './certificate-evidence.ts'
import type { CertificateEvidence, Timestamp } from './evidence.ts'
import type { ReasonCode } from './failure.ts'
import { findingFor } from './findings.ts'
import { keyUsageFindings, leafKey } from './key-usage.ts'
import type { VerifyFinding } from './verify-document.ts'

export interface ChainQuestion {
  /** In the order of the file, the server's own first. */
  readonly chain: readonly Read[]
  /** Trusted by many; a chain may end below one of them. */
  readonly roots: readonly Certificate[]
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly budget: Budget
}

export interface ChainOutline {
  readonly schema: 'hermetic.cert/1'
  /** Nothing in it would be refused: whole, in date, readable. Order, strangers and faults of issuance are findings. */
  readonly sound: boolean
  /** One sentence. */
  readonly says: string
  readonly certificates: readonly OutlinedCertificate[]
  /** Places of the certificates from the first one upwards, as signatures lead. */
  readonly path: readonly number[]
  readonly findings: readonly VerifyFinding[]
  readonly at: Timestamp
}

export interface OutlinedCertificate extends CertificateEvidence {
  readonly signer: Signer
  /** Whole days until it ends, negative when it has; null when its end cannot be read. */
  readonly daysLeft: number | null
}

export type Signer =
  /** `root`: a known root has that name and key as well, so the chain may end here; null when none has. */
  | { readonly kind: 'sent'; readonly position: number; readonly root: string | null }
  | { readonly kind: 'itself' }
  /** A known root that is not in the file. */
  | { readonly kind: 'root'; readonly subject: string }
  /** Nobody in the file, and no known root, has the issuer's name. */
  | { readonly kind: 'missing' }
  /** Somebody has the issuer's name, and did not sign it. `position` null: a known root. */
  | { readonly kind: 'forged'; readonly position: number | null }
  /** An algorithm or a key that is not verified with, or no budget left. */
  | { readonly kind: 'unverified'; readonly because: string }
  /** It is no certificate. */
  | { readonly kind: 'none' }

export function outlineChain({ chain, roots, atMs, budget }: ChainQuestion): ChainOutline {
  const graph = signers(chain, roots, budget)
  const path = pathOf(graph)
  const findings = [
    ...chain.flatMap((read, position) => ownFindings(read, position, path, atMs)),
    ...endFindings(chain, graph, path),
    ...placeFindings(chain, graph, path),
  ]
  return {
    schema: 'hermetic.cert/1',
    sound: findings.every(({ severity }) => severity !== 'error'),
    says: saysOf(chain, graph, path, findings),
    certificates: chain.map((read, position) => ({
      ...certificateEvidence(read, position),
      signer: graph[position]?.chosen ?? { kind: 'none' },
      daysLeft: daysLeft(read, atMs),
    })),
    path,
    findings,
    at: new Date(atMs).toISOString(),
  }
}

interface Node {
  readonly chosen: Signer
  /** All places whose key signed it: the same authority can be sent more than once, cross-signed. */
  readonly all: readonly number[]
}

function signers(chain: readonly Read[], roots: readonly Certificate[], budget: Budget): readonly Node[] {
  const bySubject = new Map<string, number[]>()
  for (const [position, read] of chain.entries()) {
    const key = read.kind === 'certificate' ? nameKey(read.certificate.subject) : null
    if (key === null) continue
    const same = bySubject.get(key)
    if (same === undefined) bySubject.set(key, [position])
    else same.push(position)
  }
  return chain.map((read, position): Node => {
    if (read.kind === 'malformed') return { chosen: { kind: 'none' }, all: [] }
    const { certificate } = read
    const scheme = signatureScheme(certificate.signatureAlgorithm)
    if (scheme.kind === 'weak' || scheme.kind === 'unsupported')
      return { chosen: { kind: 'unverified', because: scheme.name }, all: [] }
    const key = nameKey(certificate.issuer)
    const named = key === null ? [] : (bySubject.get(key) ?? [])
    // The one that follows is the issuer in a chain that is in order.
    const candidates = [...named].sort((a, b) => Number(b === position + 1) - Number(a === position + 1) || a - b)
    const tried = candidates.flatMap(candidate => {
      const other = chain[candidate]
      return other?.kind === 'certificate'
        ? [{ position: candidate, verdict: verifySignature(certificate, other.certificate.publicKey, budget) }]
        : []
    })
    const good = tried.filter(({ verdict }) => verdict === 'good').map(one => one.position)
    if (good.includes(position)) return { chosen: { kind: 'itself' }, all: [] }
    const known = roots
      .filter(root => sameName(root.subject, certificate.issuer))
      .map(root => ({ root, verdict: verifySignature(certificate, root.publicKey, budget) }))
    const root = known.find(({ verdict }) => verdict === 'good')?.root
    const subject = root === undefined ? null : nameText(root.subject)
    const [first] = good
    if (first !== undefined) return { chosen: { kind: 'sent', position: first, root: subject }, all: good }
    if (subject !== null) return { chosen: { kind: 'root', subject }, all: [] }
    return { chosen: notSigned([...tried, ...known.map(({ verdict }) => ({ position: null, verdict }))]), all: [] }
  })
}

interface Tried {
  readonly position: number | null
  readonly verdict: SignatureVerdict
}

/** Of a certificate whose signature nobody made who is there. */
function notSigned(tried: readonly Tried[]): Signer {
  if (tried.some(({ verdict }) => verdict === 'over-budget')) return { kind: 'unverified', because: overBudget }
  const forger = tried.find(({ verdict }) => verdict === 'bad')
  if (forger !== undefined) return { kind: 'forged', position: forger.position }
  return tried.length === 0 ? { kind: 'missing' } : { kind: 'unverified', because: 'the key of its issuer' }
}

/** Upwards from the first certificate, no further than a known root reaches down. */
function pathOf(graph: readonly Node[]): readonly number[] {
  const path: number[] = []
  let at: number | null = graph[0] === undefined || graph[0].chosen.kind === 'none' ? null : 0
  while (at !== null && !path.includes(at)) {
    path.push(at)
    const chosen: Signer | undefined = graph[at]?.chosen
    at = chosen?.kind === 'sent' && chosen.root === null ? chosen.position : null
  }
  return path
}

/** Everything that signatures lead to from the first certificate, cross-signed authorities included. */
function reachable(graph: readonly Node[]): ReadonlySet<number> {
  const seen = new Set<number>([0])
  for (const position of seen) for (const signer of graph[position]?.all ?? []) seen.add(signer)
  return seen
}

function ownFindings(read: Read, position: number, path: readonly number[], atMs: number): VerifyFinding[] {
  if (read.kind === 'malformed') return [finding('x509.malformed', read.detail, position)]
  // What the path does not need cannot spoil it.
  if (!path.includes(position)) return []
  const { certificate } = read
  const subject = nameText(certificate.subject)
  const { notBeforeMs, notAfterMs } = certificate
  const isExpired = notAfterMs !== null && notAfterMs < atMs
  const isEarly = notBeforeMs !== null && notBeforeMs > atMs
  const usage =
    position === 0 ? keyUsageFindings(leafKey(certificate.publicKey.facts, certificate.keyUsage), null) : []
  return [
    ...(isExpired ? [finding('x509.expired', `${subject} ended on ${timestamp(notAfterMs)}`, position)] : []),
    ...(isEarly
      ? [finding('x509.not-yet-valid', `${subject} begins on ${timestamp(notBeforeMs)}`, position)]
      : []),
    ...certificate.faults.map(({ reason, detail }) => finding(reason, detail, position)),
    ...usage.map(({ code, severity }) => ({ ...finding(code, null, position), severity })),
  ]
}

/** Where the path ends, and should not. */
function endFindings(chain: readonly Read[], graph: readonly Node[], path: readonly number[]): VerifyFinding[] {
  const top = path.at(-1)
  const read = top === undefined ? undefined : chain[top]
  const signer = top === undefined ? undefined : graph[top]?.chosen
  if (top === undefined || signer === undefined || read?.kind !== 'certificate') return []
  const { certificate } = read
  const issuer = nameText(certificate.issuer)
  switch (signer.kind) {
    case 'forged':
      return [finding('x509.bad-signature', `${issuer} did not sign ${nameText(certificate.subject)}`, top)]
    case 'unverified': {
      if (signer.because === overBudget) return [finding('x509.over-budget', null, top)]
      const scheme = signatureScheme(certificate.signatureAlgorithm)
      // The signature of a root says nothing, and nobody checks it.
      if (sameName(certificate.subject, certificate.issuer)) return []
      return [
        finding(
          scheme.kind === 'weak' ? 'x509.weak-signature' : 'x509.unsupported-algorithm',
          signer.because,
          top,
        ),
      ]
    }
    case 'missing':
      return [
        top === 0
          ? finding('x509.missing-intermediate', `the issuer ${issuer} is not in the file`, top)
          : finding('x509.untrusted-root', `${issuer} is neither in the file nor among the known roots`, top),
      ]
    case 'sent':
    case 'itself':
    case 'root':
    case 'none':
      return []
    default:
      return signer satisfies never
  }
}

function placeFindings(chain: readonly Read[], graph: readonly Node[], path: readonly number[]): VerifyFinding[] {
  const reached = reachable(graph)
  const strangers = chain.flatMap((read, position) =>
    read.kind === 'certificate' && !reached.has(position) ? [position] : [],
  )
  const roots = [...reached].filter(position => position !== 0 && graph[position]?.chosen.kind === 'itself')
  // Strangers in between do not count: they have a finding of their own.
  const isOrdered = path.every((position, index) => index === 0 || position > (path[index - 1] ?? 0))
  return [
    ...(isOrdered ? [] : [finding('x509.chain-out-of-order', `the order would be ${path.join(', ')}`, null)]),
    ...(path.length === 0 ? [] : strangers).map(position => {
      const read = chain[position]
      const subject = read?.kind === 'certificate' ? nameText(read.certificate.subject) : null
      return finding('x509.chain-has-strangers', subject, position)
    }),
    ...roots.map(position => finding('x509.root-sent', null, position)),
  ]
}

function saysOf(
  chain: readonly Read[],
  graph: readonly Node[],
  path: readonly number[],
  findings: readonly VerifyFinding[],
): string {
  const [first] = chain
  const top = path.at(-1)
  if (top === undefined || first?.kind !== 'certificate')
    return 'The first block of the file, which should be the certificate of the server, cannot be read.'
  const name = nameText(first.certificate.subject)
  const what =
    path.length === 1 ? `One certificate, ${name},` : `A chain of ${path.length} certificates from ${name}`
  const wrong = findings
    .filter(({ severity }) => severity === 'error')
    .map(({ code }) => wrongWords.get(code) ?? code)
  if (wrong.length > 0) return `${what} that would be refused: ${[...new Set(wrong)].join(', and ')}.`
  const signer = graph[top]?.chosen
  const last = chain[top]
  const end = last?.kind === 'certificate' ? nameText(last.certificate.subject) : ''
  if (signer?.kind === 'root') return `${what} in date, and signed by the known root ${signer.subject}.`
  if (signer?.kind === 'sent' && signer.root !== null)
    return `${what} in date, and signed by the known root ${signer.root}.`
  if (path.length === 1)
    return `${what} in date, and signed by itself: only a TLSA record or a route that names it proves it.`
  return `${what} in date, up to ${end}, its own issuer and no known root: who does not know it needs a TLSA record.`
}

const wrongWords: ReadonlyMap<ReasonCode, string> = new Map([
  ['x509.malformed', 'something in it cannot be read'],
  ['x509.expired', 'it is out of date'],
  ['x509.not-yet-valid', 'it is not valid yet'],
  ['x509.missing-intermediate', 'its issuer is missing'],
  ['x509.untrusted-root', 'it ends below an authority that is missing and unknown'],
  ['x509.bad-signature', 'a signature is wrong'],
  ['x509.weak-signature', 'a signature can be forged'],
  ['x509.unsupported-algorithm', 'a signature is of a kind that is not verified'],
  ['x509.key-too-weak', 'a key can be broken'],
])

function daysLeft(read: Read, atMs: number): number | null {
  if (read.kind === 'malformed' || read.certificate.notAfterMs === null) return null
  return Math.floor((read.certificate.notAfterMs - atMs) / 86_400_000)
}

function timestamp(ms: number | null): Timestamp | null {
  return ms === null ? null : new Date(ms).toISOString()
}

function finding(code: ReasonCode, detail: string | null, position: number | null): VerifyFinding {
  const { severity, culprit, says, remedy } = findingFor({ reason: code, detail, reply: null }, null)
  return { code, severity, culprit, position, says, remedy }
}

const overBudget = 'there is more to verify than any honest chain has'
