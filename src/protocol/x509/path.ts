/**
 * Paths from a leaf to the anchors: built (RFC 4158) and validated (RFC 5280 §6).
 *
 * A path in the answer means: each certificate was signed with the next one's key, the last one is the anchor or was signed with the anchor's bare key, and no rule that the
 * profile refuses for (rules.ts) is broken. It does not mean that the leaf carries the name one wants (identity.ts), nor that it was not revoked.
 *
 * How. First all that verified signatures lead to (issuers.ts). Then, breadth first and so the shortest first, partial paths grow upwards, one certificate at a time. What may
 * still be put on top of a partial path depends on three things only: its highest certificate, the number of authorities in it, and which name constraints further up its names
 * would break. A partial path that is no better in any of these than a shorter one of the same top is dropped. Hence loops end by themselves (RFC 4158 §2.4.2): cutting the loop
 * out leaves a path that is better. And the work is small where nobody plays tricks with constraints: certificates times signatures. Who does plays against the budget.
 *
 * Anchors: their signature is not checked, their constraints, usages and faults are; their dates, unless the question has them only reported (RFC 5280 §6.2 leaves that open). Not done: revocation, and policies, which nobody asks for.
 */
import { nameText } from './distinguished-name.ts'
import { findIssuers, type Issuers, type Node } from './issuers.ts'
import type { Certificate, Fault, Profile } from './model.ts'
import { type Breach, breachOf } from './name-constraints.ts'
import type { Anchor, NoPath, PathAnswer, PathFault, PathQuestion, ValidPath } from './path-types.ts'
import {
  criticalFaults,
  isRefused,
  isSelfIssued,
  issuerFaults,
  keyIdentifierFit,
  leafFaults,
  leafKeyUsageFaults,
  linkFaults,
  purposeFault,
  validityFault,
} from './rules.ts'

/**
 * All anchors that valid paths lead to, each by its shortest, the shortest first; or why there are none.
 *
 * The leaf is an anchor if it is among them: then the path is the leaf alone. Of a bare key the path ends with the highest certificate that it signed, which
 * may be the leaf. Certificates of the answer are the objects of the question; where one was both sent and trusted, the one sent.
 */
export function findPaths(question: PathQuestion): PathAnswer {
  const issuers = findIssuers(question)
  const ways = waysToAnchors(issuers)
  if (!ways.has(issuers.leaf)) return { paths: [], none: explainUnreached(issuers) }
  const search = createSearch(question, issuers, ways)
  const paths = search.run()
  return { paths, none: paths.length > 0 ? null : search.explain() }
}

/** A partial path, by its top. */
interface PartialPath {
  readonly node: Node
  readonly below: PartialPath | null
  readonly depth: number
  /** Authorities in it that count: not the leaf, not self-issued ones (RFC 5280 §6.1.4 (l)). */
  readonly authorities: number
  /** The constraints that a name in it breaks, one bit for each certificate that has any. */
  readonly breaks: bigint
}

interface Search {
  run(): readonly ValidPath[]
  explain(): NoPath
}

/** Why a partial path could not have `node` on top. */
interface Refusal {
  readonly below: PartialPath | null
  readonly node: Node
  readonly fault: Fault
  /** The certificate that the fault is held against. */
  readonly certificate: Certificate
}

function createSearch(question: PathQuestion, issuers: Issuers, ways: Ways): Search {
  const { budget, profile, maxIntermediates } = question
  const judge = createJudge(question, issuers)
  const constraints = createConstraints(question, issuers, ways)
  const found = new Map<Anchor, PartialPath>()
  const kept = new Map<Node, PartialPath[]>()
  let furthest: Refusal | null = null
  let isOverBudget = issuers.isCutShort

  const refuse = (below: PartialPath | null, node: Node, fault: Fault, certificate = node.certificate) => {
    if (furthest === null || depthOver(below) > depthOver(furthest.below))
      furthest = { below, node, fault, certificate }
  }

  /** The partial path is one that others may grow from, unless a shorter one is as good. */
  const keep = (partial: PartialPath): PartialPath | null => {
    const peers = kept.get(partial.node) ?? []
    const isNeedless = peers.some(
      peer => peer.authorities <= partial.authorities && (peer.breaks & ~partial.breaks) === 0n,
    )
    if (isNeedless) return null
    peers.push(partial)
    kept.set(partial.node, peers)
    return partial
  }

  const begin = (): PartialPath | null => {
    const { leaf } = issuers
    const fault = judge.asLeaf(leaf)
    if (fault !== null) {
      refuse(null, leaf, fault)
      return null
    }
    if (leaf.anchor !== null)
      found.set(leaf.anchor, { node: leaf, below: null, depth: 0, authorities: 0, breaks: 0n })
    return keep({ node: leaf, below: null, depth: 0, authorities: 0, breaks: constraints.brokenBy(leaf) })
  }

  /** Puts one more certificate on top: as an anchor, which ends the path, and as an authority on the way, if anything may come above it. */
  const extend = (below: PartialPath, node: Node): PartialPath | null => {
    const next: PartialPath = {
      node,
      below,
      depth: below.depth + 1,
      authorities: below.authorities + (isSelfIssued(node.certificate) ? 0 : 1),
      breaks: below.breaks | constraints.brokenBy(node),
    }
    // Where it can be both, what it lacks as an anchor says more.
    if (node.anchor !== null && !found.has(node.anchor) && fits(below, node, 'anchor'))
      found.set(node.anchor, next)
    if (node.issuers.length + node.keys.length === 0) return null
    return fits(below, node, 'intermediate') ? keep(next) : null
  }

  /** What could admit a wrong peer is looked for first, so that it is what an explanation names. */
  const fits = (below: PartialPath, node: Node, place: IssuerPlace): boolean => {
    const child = below.node.certificate
    const fault =
      judge.asIssuer(node, place) ??
      tooLong(below) ??
      pathLengthFault(below, node) ??
      constraints.fault(below, node) ??
      judge.ofIssuance(node, place)
    if (fault !== null) refuse(below, node, fault)
    const link = fault === null ? firstRefused(profile, child, linkFaults(child, node.certificate)) : null
    if (link !== null) refuse(below, node, link, child)
    return fault === null && link === null
  }

  const tooLong = (below: PartialPath): Fault | null =>
    below.authorities > maxIntermediates
      ? { reason: 'x509.path-too-long', detail: `more than ${maxIntermediates} between leaf and anchor` }
      : null

  const endAtKeys = (partial: PartialPath) => {
    for (const anchor of partial.node.keys) {
      const shorter = found.get(anchor)
      // Its own certificate, signed with it, stands higher than what else it signed.
      if (shorter !== undefined && shorter !== partial.below) continue
      const child = partial.node.certificate
      const link = isSelfIssued(child) ? [] : linkFaults(child, null)
      const fault = tooLong(partial) ?? firstRefused(profile, child, link)
      if (fault === null) found.set(anchor, partial)
      else refuse(partial.below, partial.node, fault)
    }
  }

  return {
    run() {
      const first = begin()
      const queue = first === null ? [] : [first]
      // Grows while it is walked.
      for (const partial of queue) {
        endAtKeys(partial)
        for (const node of partial.node.issuers) {
          if (!ways.has(node)) continue
          if (!budget.spend('steps', 1 + Math.floor((kept.get(node)?.length ?? 0) / peersPerStep))) {
            isOverBudget = true
            return pathsOf(question, issuers, found)
          }
          const next = extend(partial, node)
          if (next !== null) queue.push(next)
        }
      }
      isOverBudget ||= constraints.isOverBudget()
      return pathsOf(question, issuers, found)
    },
    explain() {
      if (isOverBudget || furthest === null) return overBudget(furthest, issuers)
      const { below, node, fault, certificate } = furthest
      const upwards = followWays(ways, node)
      return {
        reason: fault.reason,
        detail: fault.detail,
        certificate,
        furthest: [...certificatesOf(below), ...upwards],
      }
    },
  }
}

type IssuerPlace = 'anchor' | 'intermediate'

interface Judge {
  asLeaf(node: Node): Fault | null
  /** Refused by every profile. */
  asIssuer(node: Node, place: IssuerPlace): Fault | null
  /** Refused by this one. */
  ofIssuance(node: Node, place: IssuerPlace): Fault | null
}

/** What is held against one certificate in one place, whatever stands below it. */
function createJudge({ profile, purpose, atMs, anchorDates }: PathQuestion, issuers: Issuers): Judge {
  const known = { judged: new Map<Certificate, Fault | null>(), reported: new Map<Certificate, Fault | null>() }
  const always = (certificate: Certificate, dates: 'judged' | 'reported'): Fault | null => {
    const earlier = known[dates].get(certificate)
    if (earlier !== undefined) return earlier
    const fault =
      firstRefused('mail', certificate, [...certificate.faults, ...criticalFaults(certificate)]) ??
      (dates === 'judged' ? validityFault(certificate, atMs) : null) ??
      purposeFault(certificate, purpose)
    known[dates].set(certificate, fault)
    return fault
  }
  return {
    asLeaf: ({ certificate }) =>
      always(certificate, 'judged') ??
      firstRefused(profile, certificate, leafKeyUsageFaults(certificate, purpose)) ??
      firstRefused(profile, certificate, [...certificate.faults, ...leafFaults(certificate, purpose)]),
    asIssuer({ certificate }, place) {
      const isKnownAuthority = place === 'anchor' && isOldRoot(certificate)
      // What an authority says of itself counts; what another said of it for a time does not, where the anchor is vouched for otherwise.
      const isVouchedFor = place === 'anchor' && anchorDates === 'reported' && !isSelfIssued(certificate)
      const dates = isVouchedFor ? 'reported' : 'judged'
      return always(certificate, dates) ?? (isKnownAuthority ? null : authorityFault(certificate))
    },
    ofIssuance(node, place) {
      const { certificate } = node
      const own = place === 'anchor' ? ownIdentifierFaults(node, issuers) : []
      return firstRefused(profile, certificate, [...certificate.faults, ...issuerFaults(certificate), ...own])
    },
  }
}

function firstRefused(profile: Profile, certificate: Certificate, faults: readonly Fault[]): Fault | null {
  return faults.find(({ reason }) => isRefused(profile, reason, certificate)) ?? null
}

/** RFC 5280 §4.2.1.9. */
function pathLengthFault(below: PartialPath, { certificate }: Node): Fault | null {
  const allowed = certificate.basicConstraints?.pathLength ?? null
  if (allowed === null || below.authorities <= allowed) return null
  return { reason: 'x509.path-length', detail: `${allowed} allowed, and ${below.authorities} there` }
}

/** RFC 5280 §6.1.4 (k), (n). */
function authorityFault(certificate: Certificate): Fault | null {
  if (certificate.basicConstraints?.isCa !== true) return { reason: 'x509.issuer-not-ca', detail: null }
  if (certificate.keyUsage !== null && !certificate.keyUsage.has('keyCertSign'))
    return { reason: 'x509.issuer-key-usage', detail: null }
  return null
}

/** Version 1 has no basicConstraints; that it is an anchor says by other means that it is an authority (RFC 5280 §6.1.4 (k)). */
function isOldRoot(certificate: Certificate): boolean {
  return certificate.version !== 3 && isSelfIssued(certificate)
}

/**
 * How the end of a path points at its own issuer, whoever that is. It may leave that out (RFC 5280 §4.2.1.1 lets self-signed ones). If it does not, it names a key; and
 * if it signed itself, its own. One that an older key signed is right to point there.
 */
function ownIdentifierFaults(node: Node, issuers: Issuers): readonly Fault[] {
  const { certificate } = node
  const named = certificate.authorityKeyIdentifier
  if (named === null) return []
  if (named.keyIdentifier === null) return linkFaults(certificate, null)
  if (keyIdentifierFit(certificate, certificate) !== 'mismatch' || !issuers.isSelfSigned(node)) return []
  return [{ reason: 'x509.aki-mismatch', detail: 'it signed itself, and points at another key' }]
}

interface Constraints {
  /** A bit for each certificate with constraints that this one, somewhere below it, would break. */
  brokenBy(node: Node): bigint
  /** What the constraints of `node` have against the partial path below it. */
  fault(below: PartialPath, node: Node): Fault | null
  isOverBudget(): boolean
}

/** Each certificate with constraints against each certificate that may stand below it, once. */
function createConstraints(question: PathQuestion, issuers: Issuers, ways: Ways): Constraints {
  const limiting = issuers.nodes.filter(node => node.certificate.nameConstraints !== null && ways.has(node))
  const bits = new Map(limiting.map((node, index) => [node, 1n << BigInt(index)]))
  const everyBit = (1n << BigInt(limiting.length)) - 1n
  const breaches = new Map<Node, Map<Node, Breach>>(limiting.map(node => [node, new Map()]))
  const below = limiting.length === 0 ? new Map<Node, ReadonlySet<Node>>() : descendants(issuers, limiting)
  const known = new Map<Node, bigint>()
  let isExhausted = false

  const judge = (node: Node): bigint => {
    const isLeaf = node === issuers.leaf
    // RFC 5280 §6.1.3 (b): a self-issued certificate is looked at only at the end of the path.
    if (!isLeaf && isSelfIssued(node.certificate)) return 0n
    // Half a search forbids everything, and costs nothing.
    if (isExhausted) return everyBit
    let broken = 0n
    for (const authority of limiting) {
      if (authority === node || below.get(authority)?.has(node) !== true) continue
      const breach = breachOf(authority.certificate, node.certificate, isLeaf ? 'leaf' : 'issuer', question.budget)
      if (breach === null) continue
      if (breach.kind === 'over-budget') {
        isExhausted = true
        return everyBit
      }
      breaches.get(authority)?.set(node, breach)
      broken |= bits.get(authority) ?? 0n
    }
    return broken
  }
  const brokenBy = (node: Node): bigint => {
    const earlier = known.get(node)
    if (earlier !== undefined) return earlier
    const broken = limiting.length === 0 ? 0n : judge(node)
    known.set(node, broken)
    return broken
  }
  return {
    brokenBy,
    isOverBudget: () => isExhausted,
    fault(partial, node) {
      const bit = bits.get(node) ?? 0n
      if ((partial.breaks & bit) === 0n) return null
      for (let each: PartialPath | null = partial; each !== null; each = each.below) {
        const breach = breaches.get(node)?.get(each.node)
        if (breach?.kind === 'forbidden') return { reason: 'x509.name-constraints', detail: breach.detail }
      }
      return { reason: 'x509.over-budget', detail: null }
    },
  }
}

/** For each of `tops` everything that it may stand above. */
function descendants(issuers: Issuers, tops: readonly Node[]): ReadonlyMap<Node, ReadonlySet<Node>> {
  const signed = new Map<Node, Node[]>()
  for (const node of issuers.nodes)
    for (const issuer of node.issuers) signed.set(issuer, [...(signed.get(issuer) ?? []), node])
  return new Map(
    tops.map(top => {
      const met = new Set<Node>([top])
      for (const node of met) for (const each of signed.get(node) ?? []) met.add(each)
      return [top, met]
    }),
  )
}

/** For each certificate that signatures lead from to an anchor, the next on the shortest way; null when the way ends there. */
type Ways = ReadonlyMap<Node, Node | null>

function waysToAnchors({ nodes }: Issuers): Ways {
  const ways = new Map<Node, Node | null>()
  const queue: Node[] = []
  for (const node of nodes)
    if (node.anchor !== null || node.keys.length > 0) {
      ways.set(node, null)
      queue.push(node)
    }
  const signed = new Map<Node, Node[]>()
  for (const node of nodes)
    for (const issuer of node.issuers) {
      const list = signed.get(issuer)
      if (list === undefined) signed.set(issuer, [node])
      else list.push(node)
    }
  for (const node of queue)
    for (const each of signed.get(node) ?? []) {
      if (ways.has(each)) continue
      ways.set(each, node)
      queue.push(each)
    }
  return ways
}

function followWays(ways: Ways, from: Node): readonly Certificate[] {
  const certificates: Certificate[] = []
  for (let node: Node | null = from; node !== null; node = ways.get(node) ?? null)
    certificates.push(node.certificate)
  return certificates
}

function pathsOf(
  question: PathQuestion,
  issuers: Issuers,
  found: ReadonlyMap<Anchor, PartialPath>,
): readonly ValidPath[] {
  return [...found]
    .sort(([, one], [, other]) => one.depth - other.depth)
    .map(([anchor, partial]) => ({
      certificates: certificatesOf(partial),
      anchor,
      depth: partial.depth,
      faults: faultsOf(question, issuers, partial, anchor),
    }))
}

/** All that the profile let pass, from the leaf upwards. */
function faultsOf(
  question: PathQuestion,
  issuers: Issuers,
  top: PartialPath,
  anchor: Anchor,
): readonly PathFault[] {
  const certificates = certificatesOf(top)
  return certificates.flatMap((certificate, depth) => {
    const issuer = certificates[depth + 1] ?? null
    const isTop = issuer === null
    const ofLink =
      isTop && (anchor.kind === 'certificate' || isSelfIssued(certificate))
        ? ownIdentifierFaults(top.node, issuers)
        : linkFaults(certificate, issuer)
    const ofPlace =
      depth === 0
        ? [...leafKeyUsageFaults(certificate, question.purpose), ...leafFaults(certificate, question.purpose)]
        : issuerFaults(certificate)
    const late = isTop && depth > 0 ? validityFault(certificate, question.atMs) : null
    const dates = late === null ? [] : [late]
    return [...certificate.faults, ...dates, ...ofPlace, ...ofLink].map(fault => ({ ...fault, certificate }))
  })
}

function certificatesOf(top: PartialPath | null): readonly Certificate[] {
  const certificates: Certificate[] = []
  for (let each = top; each !== null; each = each.below) certificates.push(each.node.certificate)
  return certificates.reverse()
}

function depthOver(below: PartialPath | null): number {
  return below === null ? 0 : below.depth + 1
}

function overBudget(furthest: Refusal | null, issuers: Issuers): NoPath {
  const below =
    furthest === null ? [issuers.leaf.certificate] : [...certificatesOf(furthest.below), furthest.certificate]
  return { reason: 'x509.over-budget', detail: null, certificate: null, furthest: below }
}

/** No signature leads to any anchor: where does it end, and why there? */
function explainUnreached(issuers: Issuers): NoPath {
  const { leaf, nodes } = issuers
  const last = nodes.reduce((far, node) => (node.distance > far.distance ? node : far), leaf)
  const way: Certificate[] = []
  for (let node: Node | null = last; node !== null; node = node.below) way.push(node.certificate)
  const furthest = way.reverse()
  const answer = (reason: NoPath['reason'], detail: string | null): NoPath => ({
    reason,
    detail,
    certificate: last.certificate,
    furthest,
  })
  if (issuers.isCutShort) return { ...answer('x509.over-budget', null), certificate: null }
  if (isSelfIssued(last.certificate) && issuers.isSelfSigned(last))
    return last === leaf
      ? answer('x509.self-signed', null)
      : answer('x509.untrusted-root', nameText(last.certificate.subject))
  if (last.trouble !== null)
    return answer(last.trouble === 'bad-signature' ? 'x509.bad-signature' : `x509.${last.trouble}`, null)
  const issuer = nameText(last.certificate.issuer)
  return last === leaf ? answer('x509.missing-intermediate', issuer) : answer('x509.untrusted-root', issuer)
}

/** Partial paths of one top that a new one is compared with for the price of a step. */
const peersPerStep = 8
