/**
 * A chain of certificates in words: who signed whom, what is missing, what stands in the wrong place, what is broken (`hermetic.cert/1`).
 *
 * It asks no name and no TLSA record, so it is no verdict on a peer: verify.ts gives that. Every certificate has its place by verified signatures,
 * never by names alone. A chain is *whole* when signatures lead from the server's own certificate to one that signed itself, or to one that a known
 * root signed; it is *sound* when nothing in it would be refused either, by the rules that `verify` goes by (profile `mail`, for a server). Of a file
 * that holds authorities alone the rules for servers are not asked. Work is bounded by the caller's budget.
 */
import { nameKey, nameText, sameName } from '../protocol/x509/distinguished-name.ts'
import { presentedNames } from '../protocol/x509/identity.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import type { Budget } from '../protocol/x509/path-types.ts'
import { judgePkix } from '../protocol/x509/pkix.ts'
import { isSelfIssued, leafFaults, leafKeyUsageFaults, validityFault } from '../protocol/x509/rules.ts'
import { type SignatureVerdict, signatureScheme, verifySignature } from '../protocol/x509/signature.ts'
import { certificateEvidence } from './certificate-evidence.ts'
import { needlessExpired, seenOf, sentAgain, upsideDown, type Words, wordsFor } from './chain-advice.ts'
import type { CertificateEvidence, Severity, Timestamp } from './evidence.ts'
import type { ReasonCode } from './failure.ts'
import { asSentence, findingFor, hostText } from './findings.ts'
import { keyUsageFindings, leafKey } from './key-usage.ts'
import { uprightPath } from './upside-down.ts'
import type { VerifyFinding } from './verify-document.ts'
import { subjectText } from './verify-records.ts'
import { visible } from './visible.ts'

export interface ChainQuestion {
  /** In the order of the file, the server's own first. */
  readonly chain: readonly Read[]
  /** Trusted by many; a chain may end below one of them. */
  readonly roots: readonly Certificate[]
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly budget: Budget
  /** A name under which strangers register theirs; none is known, unless given. */
  readonly isPublicSuffix?: (name: string) => boolean
}

export interface ChainOutline {
  readonly schema: 'hermetic.cert/1'
  /** Nothing in it would be refused: whole, in date, readable. Order, strangers and faults of issuance are findings. */
  readonly sound: boolean
  /** One sentence. */
  readonly says: string
  readonly certificates: readonly OutlinedCertificate[]
  /** Places of the certificates from the server's own upwards, as signatures lead. */
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
  /** `root`: it is a known root, or has the name and key of one; null when not. */
  | { readonly kind: 'itself'; readonly root: string | null }
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

/**
 * Who signed whom in a file, by verified signatures (RFC 5280 §6.1.3), what is missing or in the wrong place, and what `verify` would refuse as of `atMs`, in
 * milliseconds since 1970. `sound` is success. It spends from `budget`, and never throws for what stands in the file.
 */
export function outlineChain(question: ChainQuestion): ChainOutline {
  const { chain, roots, atMs, budget } = question
  const graph = signers(chain, roots, budget)
  const upright = uprightPath(chain, atMs, budget)
  const start = upright?.[0] ?? 0
  const scene: Scene = {
    question,
    graph,
    start,
    upright,
    isAuthority: upright === null && holdsAuthorities(chain),
  }
  const rules = heldAgainstRules(scene)
  const path = rules.path ?? pathOf(graph, start, 'known-root')
  const findings = distinct([
    ...(upright === null ? [] : [finding('x509.chain-out-of-order', null, 0, upsideDown(upright, ''), 'error')]),
    ...chain.flatMap((read, position) =>
      ownFindings(read, position, path, scene, rules.path === null ? 'refused' : 'valid'),
    ),
    ...endFindings(chain, graph, path),
    ...rules.findings,
    ...placeFindings(scene, path),
  ])
  return {
    schema: 'hermetic.cert/1',
    sound: findings.every(({ severity }) => severity !== 'error'),
    says: saysOf(scene, path, findings),
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

/** What the parts of an outline are told from. */
interface Scene {
  readonly question: ChainQuestion
  readonly graph: readonly Node[]
  /** Place of the server's own certificate. */
  readonly start: number
  /** Places from there to the first certificate, where the file is upside down; else null. */
  readonly upright: readonly number[] | null
  /** The file holds authorities alone, and so no server's certificate. */
  readonly isAuthority: boolean
}

interface Node {
  readonly chosen: Signer
  /** All places whose key signed it: the same authority can be sent more than once, cross-signed. */
  readonly all: readonly number[]
  /** The known root whose key signed it, or that it is. */
  readonly root: Certificate | null
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
    if (read.kind === 'malformed') return { chosen: { kind: 'none' }, all: [], root: null }
    const { certificate } = read
    // Known as it is, whatever signature it bears: those of old roots are made with SHA-1.
    const same = roots.find(root => isSameAuthority(root, certificate))
    if (same !== undefined && isSelfIssued(certificate))
      return { chosen: { kind: 'itself', root: nameText(same.subject) }, all: [], root: same }
    const scheme = signatureScheme(certificate.signatureAlgorithm)
    if (scheme.kind === 'weak' || scheme.kind === 'unsupported')
      return { chosen: { kind: 'unverified', because: scheme.name }, all: [], root: null }
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
    if (good.includes(position)) return { chosen: { kind: 'itself', root: null }, all: [], root: null }
    const known = roots
      .filter(root => sameName(root.subject, certificate.issuer))
      .map(root => ({ root, verdict: verifySignature(certificate, root.publicKey, budget) }))
    const root = known.find(({ verdict }) => verdict === 'good')?.root ?? null
    const subject = root === null ? null : nameText(root.subject)
    const [first] = good
    if (first !== undefined) return { chosen: { kind: 'sent', position: first, root: subject }, all: good, root }
    if (subject !== null) return { chosen: { kind: 'root', subject }, all: [], root }
    const failed = [...tried, ...known.map(({ verdict }) => ({ position: null, verdict }))]
    return { chosen: notSigned(failed), all: [], root: null }
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

/** Upwards from `start`. @param end Whether to go on where a known root reaches down to what was sent. */
function pathOf(graph: readonly Node[], start: number, end: 'known-root' | 'top'): readonly number[] {
  const path: number[] = []
  let at: number | null = graph[start] === undefined || graph[start].chosen.kind === 'none' ? null : start
  while (at !== null && !path.includes(at)) {
    path.push(at)
    const chosen: Signer | undefined = graph[at]?.chosen
    at = chosen?.kind === 'sent' && (end === 'top' || chosen.root === null) ? chosen.position : null
  }
  return path
}

/** Everything that signatures lead to from `start`, cross-signed authorities included. */
function reachable(graph: readonly Node[], start: number): ReadonlySet<number> {
  const seen = new Set<number>([start])
  for (const position of seen) for (const signer of graph[position]?.all ?? []) seen.add(signer)
  return seen
}

interface Ruled {
  /** Places of a path that breaks no rule; null when none was found, or asked for. */
  readonly path: readonly number[] | null
  readonly findings: readonly VerifyFinding[]
}

/** The rules of `verify`, with whatever the chain ends with for its anchor: a known root, what signed itself, or else the highest that was sent. */
function heldAgainstRules({ question, graph, start, isAuthority }: Scene): Ruled {
  const { chain, atMs, budget, isPublicSuffix = () => false } = question
  const top = pathOf(graph, start, 'known-root').at(-1)
  if (isAuthority || top === undefined) return { path: null, findings: [] }
  const reached = [...reachable(graph, start)]
  const ends = reached.flatMap(position => {
    const node = graph[position]
    if (node?.root) return [node.root]
    return node?.chosen.kind === 'itself' ? certificatesAt(chain, position) : []
  })
  const readable = chain.filter(read => read.kind === 'certificate')
  const own = chain[start]
  const { verdict } = judgePkix({
    chain: own === undefined ? [] : [own, ...readable.filter(read => read !== own)],
    roots: ends.length > 0 ? ends : certificatesAt(chain, top),
    names: null,
    cn: 'never',
    profile: 'mail',
    purpose: 'server',
    maxIntermediates,
    ...{ atMs, budget, isPublicSuffix },
  })
  const placeOf = (certificate: Certificate) => {
    const position = chain.findIndex(
      read => read.kind === 'certificate' && Buffer.compare(read.certificate.der, certificate.der) === 0,
    )
    return position < 0 ? null : position
  }
  const told = (reason: ReasonCode, detail: string | null, certificate: Certificate) =>
    finding(reason, seenOf(reason, nameText(certificate.subject), detail), placeOf(certificate))
  if (verdict.kind === 'authenticated')
    return {
      path: verdict.path.certificates.flatMap(certificate => placeOf(certificate) ?? []),
      findings: verdict.path.faults
        .filter(({ reason, certificate }) => !isKeyUsage(reason) && placeOf(certificate) !== null)
        .map(({ reason, detail, certificate }) => told(reason, detail, certificate)),
    }
  const { reason, detail, none } = verdict
  const refused = none?.certificate ?? null
  return {
    path: null,
    findings: [
      refused === null ? finding(reason, detail, null) : told(reason, detail, refused),
      ...certificatesAt(chain, start).flatMap(leaf =>
        leafFaults(leaf, 'server').map(fault => told(fault.reason, fault.detail, leaf)),
      ),
    ],
  }
}

function certificatesAt(chain: readonly Read[], position: number): readonly Certificate[] {
  const read = chain[position]
  return read?.kind === 'certificate' ? [read.certificate] : []
}

function holdsAuthorities(chain: readonly Read[]): boolean {
  return chain.every(read => read.kind === 'certificate' && isAuthority(read.certificate))
}

/** One that a server is not meant to show. */
function isAuthority(certificate: Certificate): boolean {
  const hasNames = presentedNames(certificate).some(({ type }) => type === 'dns' || type === 'ip')
  return (
    !hasNames &&
    (certificate.basicConstraints?.isCa === true || (certificate.version !== 3 && isSelfIssued(certificate)))
  )
}

function isSameAuthority(one: Certificate, other: Certificate): boolean {
  return sameName(one.subject, other.subject) && Buffer.compare(one.publicKey.spki, other.publicKey.spki) === 0
}

function ownFindings(
  read: Read,
  position: number,
  path: readonly number[],
  scene: Scene,
  fate: 'valid' | 'refused',
): VerifyFinding[] {
  const { atMs } = scene.question
  if (read.kind === 'malformed')
    return [finding('x509.malformed', read.detail, position, wordsFor('x509.malformed', position, read))]
  const { certificate } = read
  const subject = nameText(certificate.subject)
  // What the path does not need cannot spoil it.
  if (!path.includes(position)) {
    const needless = needlessExpired(certificate, atMs)
    if (needless === null || fate === 'refused') return []
    const { reason, detail, ...words } = needless
    return [finding(reason, seenOf(reason, subject, detail), position, words, 'warning')]
  }
  const validity = validityFault(certificate, atMs)
  const isOwn = position === scene.start && !scene.isAuthority
  const usage =
    isOwn && leafKeyUsageFaults(certificate, 'server').length === 0
      ? keyUsageFindings(leafKey(certificate.publicKey.facts, certificate.keyUsage), null)
      : []
  const ofPlace = isOwn ? 0 : position === 0 ? 1 : position
  return [
    ...(validity === null
      ? []
      : [
          finding(
            validity.reason,
            seenOf(validity.reason, subject, validity.detail),
            position,
            wordsFor(validity.reason, ofPlace, read),
          ),
        ]),
    ...certificate.faults.map(({ reason, detail }) => finding(reason, seenOf(reason, subject, detail), position)),
    ...usage.map(({ code, severity }) => finding(code, null, position, {}, severity)),
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
      if (isSelfIssued(certificate)) return []
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

function placeFindings(
  { question: { chain }, graph, start, upright }: Scene,
  path: readonly number[],
): VerifyFinding[] {
  if (path.length === 0) return []
  const reached = reachable(graph, start)
  const copies = chain.flatMap((read, position) => {
    if (read.kind === 'malformed') return []
    const of = chain.findIndex(
      one => one.kind === 'certificate' && Buffer.compare(one.certificate.der, read.certificate.der) === 0,
    )
    return of === position ? [] : [{ position, of }]
  })
  const isCopy = (position: number) => copies.some(copy => copy.position === position)
  // Where the issuer of the first is missing, it may lead to the others.
  const isGap = path.length === 1 && graph[start]?.chosen.kind === 'missing'
  const strangers = chain.flatMap((read, position) => {
    if (read.kind === 'malformed' || reached.has(position) || isCopy(position)) return []
    return isGap && read.certificate.basicConstraints?.isCa === true ? [] : [position]
  })
  const roots = [...reached].filter(
    position => position !== start && !isCopy(position) && graph[position]?.chosen.kind === 'itself',
  )
  // Strangers in between do not count: they have a finding of their own.
  const upwards = pathOf(graph, start, 'top')
  const order = path.every((position, depth) => upwards[depth] === position) ? upwards : path
  const isOrdered =
    upright !== null || order.every((position, index) => index === 0 || position > (order[index - 1] ?? 0))
  return [
    ...(isOrdered ? [] : [finding('x509.chain-out-of-order', `the order would be ${order.join(', ')}`, null)]),
    ...strangers.map(position => {
      const read = chain[position]
      const subject = read?.kind === 'certificate' ? nameText(read.certificate.subject) : null
      return finding('x509.chain-has-strangers', subject, position)
    }),
    ...[...Map.groupBy(copies, ({ of }) => of)].map(([of, same]) => {
      const positions = same.map(({ position }) => position)
      return finding('x509.chain-has-strangers', null, positions[0] ?? null, sentAgain(positions, of))
    }),
    ...roots.map(position => finding('x509.root-sent', null, position)),
  ]
}

function saysOf(
  { question: { chain }, graph, start, isAuthority: isOfAuthority }: Scene,
  path: readonly number[],
  findings: readonly VerifyFinding[],
): string {
  const own = chain[start]
  const top = path.at(-1)
  if (top === undefined || own?.kind !== 'certificate')
    return 'The first block of the file, which should be the certificate of the server, cannot be read.'
  const name = subjectText(own.certificate)
  const kind = isOfAuthority ? ' of an authority' : ''
  const what =
    path.length === 1
      ? `One certificate${kind}, ${name},`
      : `A chain of ${path.length} certificates${kind} from ${name}`
  const wrong = findings
    .filter(({ severity }) => severity === 'error')
    .map(({ code }) => wrongWords.get(code) ?? code)
  if (wrong.length > 0) return `${what} that would be refused: ${[...new Set(wrong)].join(', and ')}.`
  const [rest, hint] = endOf(chain, graph[top]?.chosen, top, path.length)
  const unasked = isOfAuthority ? " It is no server's, so what is asked of those was not looked at." : ''
  return `${what} in date, ${rest}${isOfAuthority ? '.' : `${hint}.`}${unasked}`
}

/** How a chain ends that nothing is wrong with, and what that means for a server. */
function endOf(
  chain: readonly Read[],
  signer: Signer | undefined,
  top: number,
  length: number,
): readonly [string, string] {
  const last = chain[top]
  const end = last?.kind === 'certificate' ? subjectText(last.certificate) : ''
  if (signer?.kind === 'root') return [`and signed by the known root ${visible(signer.subject, subjectChars)}`, '']
  if (signer?.kind === 'sent' && signer.root !== null)
    return [`and signed by the known root ${visible(signer.root, subjectChars)}`, '']
  if (signer?.kind === 'itself' && signer.root !== null)
    return [length === 1 ? 'and a known root itself' : `up to the known root ${end}`, '']
  if (length === 1)
    return ['and signed by itself', ': only who trusts it, or a TLSA record, can tell it from another']
  return [`up to ${end}, its own issuer and no known root`, ': who does not trust that needs a TLSA record']
}

const wrongWords: ReadonlyMap<ReasonCode, string> = new Map([
  ['x509.chain-out-of-order', 'the file is upside down'],
  ['x509.malformed', 'something in it cannot be read'],
  ['x509.expired', 'it is out of date'],
  ['x509.not-yet-valid', 'it is not valid yet'],
  ['x509.missing-intermediate', 'its issuer is missing'],
  ['x509.untrusted-root', 'it ends below an authority that is missing and unknown'],
  ['x509.bad-signature', 'a signature is wrong'],
  ['x509.weak-signature', 'a signature can be forged'],
  ['x509.unsupported-algorithm', 'a key or a signature is of a kind that is not verified'],
  ['x509.algorithm-mismatch', 'a signature algorithm is named in two ways'],
  ['x509.key-too-weak', 'a key can be broken'],
  ['x509.issuer-not-ca', 'an issuer in it is no authority'],
  ['x509.issuer-key-usage', 'an authority in it may not sign certificates'],
  ['x509.path-length', 'an authority in it may not have so many below it'],
  ['x509.path-too-long', 'it has too many authorities'],
  ['x509.extended-key-usage', 'it is not for servers'],
  ['x509.leaf-key-usage', 'its key is not for TLS'],
  ['x509.name-constraints', 'an authority in it may not issue for its names'],
  ['x509.unknown-critical-extension', 'it has a critical extension that is not understood'],
  ['x509.over-budget', 'it takes too much work'],
])

function daysLeft(read: Read, atMs: number): number | null {
  if (read.kind === 'malformed' || read.certificate.notAfterMs === null) return null
  // As pages count them: the days that are full, and one that ended today ended a day ago.
  const left = read.certificate.notAfterMs - atMs
  return left < 0 ? -Math.max(1, Math.floor(-left / dayMs)) : Math.floor(left / dayMs)
}

function isKeyUsage(reason: ReasonCode): boolean {
  return reason === 'x509.key-usage-no-signature' || reason === 'x509.key-usage-no-encipherment'
}

/** What is told of one certificate in several ways, once. */
function distinct(findings: readonly VerifyFinding[]): readonly VerifyFinding[] {
  const said = new Set<string>()
  return findings.filter(({ code, position, severity, says }) => {
    // What refuses a certificate needs one sentence of its kind.
    const key = severity === 'error' ? `${code} ${position}` : `${code} ${position} ${says}`
    if (said.has(key)) return false
    said.add(key)
    return true
  })
}

function finding(
  code: ReasonCode,
  detail: string | null,
  position: number | null,
  words: Words = {},
  severity?: Severity,
): VerifyFinding {
  const told = findingFor({ reason: code, detail, reply: null }, null)
  const host = hostText(null)
  return {
    code,
    severity: severity ?? told.severity,
    culprit: told.culprit,
    position,
    says: words.says === undefined ? told.says : asSentence(words.says(host)),
    remedy: words.remedy === undefined ? told.remedy : asSentence(words.remedy(host)),
  }
}

const overBudget = 'there is more to verify than any honest chain has'
/** As `verify` unless it is told otherwise: real chains have one to three. */
const maxIntermediates = 10
const subjectChars = 160
const dayMs = 86_400_000
