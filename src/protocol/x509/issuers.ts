/**
 * Who signed whom: the graph of verified signatures that leads up from a leaf (RFC 4158 §2.3).
 *
 * Success means that every edge is a signature that was verified. Nothing else is judged: dates, rights and names are for path.ts. Each pair of certificate and key is
 * verified once; certificates that come twice are one node. Candidates are all whose subject is the issuer asked for, in this order: key identifiers
 * that fit, valid at the time, order of arrival. The identifiers are a hint: a mismatch is tried last, not skipped.
 *
 * A signature has one key. So the search stops at the first key that verifies it, and takes all certificates of that key.
 */
import { nameKey } from './distinguished-name.ts'
import type { Certificate, DistinguishedName, PublicKey } from './model.ts'
import type { Anchor, Budget } from './path-types.ts'
import { keyIdentifierFit, validityFault } from './rules.ts'
import { type SignatureVerdict, signatureScheme, verifySignature } from './signature.ts'

/** One certificate, sent or trusted. */
export interface Node {
  readonly certificate: Certificate
  /** The anchor that it is. */
  readonly anchor: CertificateAnchor | null
  /** Whose key signed it; itself never. */
  readonly issuers: readonly Node[]
  /** Bare keys that signed it. */
  readonly keys: readonly KeyAnchor[]
  /** Why nothing verifies its signature; null when something does, or nothing was there to try. */
  readonly trouble: Trouble | null
  /** Steps from the leaf, and through whom: one shortest way. */
  readonly distance: number
  readonly below: Node | null
}

export type Trouble = 'bad-signature' | 'weak-signature' | 'unsupported-algorithm'

export interface Issuers {
  readonly leaf: Node
  /** All that signatures lead to, leaf first, then by distance. */
  readonly nodes: readonly Node[]
  /** The budget ended before everything was tried. */
  readonly isCutShort: boolean
  /** Whether its own key signed it. */
  isSelfSigned(node: Node): boolean
}

export type CertificateAnchor = Extract<Anchor, { readonly kind: 'certificate' }>
export type KeyAnchor = Extract<Anchor, { readonly kind: 'key' }>

export interface IssuersQuestion {
  readonly leaf: Certificate
  readonly others: readonly Certificate[]
  readonly anchors: readonly Anchor[]
  readonly atMs: number
  readonly budget: Budget
}

/** Everything that verified signatures lead to from the leaf. */
export function findIssuers(question: IssuersQuestion): Issuers {
  const { atMs, budget } = question
  const trusted = indexAnchors(question.anchors)
  const known = new Map<string, GrowingNode>()
  const nodeOf = (entry: Entry): GrowingNode => {
    const met = known.get(entry.id)
    if (met !== undefined) return met
    const anchor = trusted.byId.get(entry.id) ?? null
    // The key of the anchor, for it is likely to have been imported before.
    const key = anchor?.certificate.publicKey ?? entry.certificate.publicKey
    const node: GrowingNode = {
      certificate: entry.certificate,
      key,
      anchor,
      issuers: [],
      keys: [],
      trouble: null,
      distance: unreached,
      below: null,
    }
    known.set(entry.id, node)
    return node
  }
  const sent = indexSent(question.others)
  const candidatesFor = (node: GrowingNode): readonly GrowingNode[] => {
    const issuer = keyOfName(node.certificate.issuer)
    const entries = [...(sent.get(issuer) ?? []), ...(trusted.byName.get(issuer) ?? [])]
    return [...new Set(entries.map(nodeOf))]
  }

  const leaf = nodeOf({ id: idOf(question.leaf), certificate: question.leaf })
  leaf.distance = 0
  const nodes: GrowingNode[] = [leaf]
  let isCutShort = false
  // Grows while it is walked.
  for (const node of nodes) {
    const candidates = candidatesFor(node)
    const steps = 1 + Math.floor(candidates.length / candidatesPerStep)
    if (!budget.spend('steps', steps) || !grow(node, inOrder(node, candidates, atMs), trusted.keys, budget)) {
      isCutShort = true
      break
    }
    for (const issuer of node.issuers) {
      if (issuer.distance !== unreached) continue
      issuer.distance = node.distance + 1
      issuer.below = node
      nodes.push(issuer)
    }
  }
  return {
    leaf,
    nodes,
    isCutShort,
    isSelfSigned: ({ certificate }) =>
      keyOfName(certificate.subject) === keyOfName(certificate.issuer) &&
      verifySignature(certificate, certificate.publicKey, budget) === 'good',
  }
}

interface GrowingNode extends Node {
  readonly key: PublicKey
  issuers: readonly GrowingNode[]
  keys: readonly KeyAnchor[]
  trouble: Trouble | null
  distance: number
  below: Node | null
}

/** A certificate, and what tells it from all others: its bytes. */
interface Entry {
  readonly id: string
  readonly certificate: Certificate
}

/** Finds out who signed `node`. False when the budget ended before that was clear. */
function grow(
  node: GrowingNode,
  candidates: readonly GrowingNode[],
  keys: readonly KeyAnchor[],
  budget: Budget,
): boolean {
  const { certificate } = node
  const strangers = candidates.filter(candidate => candidate !== node)
  // Nobody else claims to have signed it. Whether it did so itself is asked later, if anybody wants to know.
  if (strangers.length === 0 && keys.length === 0) {
    node.trouble = troubleOfScheme(certificate)
    return true
  }
  const tried: PublicKey[] = []
  const verdicts: SignatureVerdict[] = []
  for (const candidate of candidates) {
    if (tried.some(key => sameKey(key, candidate.key))) continue
    tried.push(candidate.key)
    const verdict = verifySignature(certificate, candidate.key, budget)
    if (verdict === 'over-budget') return false
    verdicts.push(verdict)
    if (verdict !== 'good') continue
    node.issuers = strangers.filter(each => sameKey(each.key, candidate.key))
    node.keys = keys.filter(({ publicKey }) => sameKey(publicKey, candidate.key))
    return true
  }
  for (const { publicKey } of keys) {
    if (tried.some(key => sameKey(key, publicKey))) continue
    tried.push(publicKey)
    const verdict = verifySignature(certificate, publicKey, budget)
    if (verdict === 'over-budget') return false
    if (verdict !== 'good') continue
    node.keys = keys.filter(each => sameKey(each.publicKey, publicKey))
    return true
  }
  node.trouble = troubleOfScheme(certificate) ?? troubleOf(verdicts)
  return true
}

function troubleOfScheme(certificate: Certificate): Trouble | null {
  const { kind } = signatureScheme(certificate.signatureAlgorithm)
  return kind === 'weak' ? 'weak-signature' : kind === 'unsupported' ? 'unsupported-algorithm' : null
}

function troubleOf(verdicts: readonly SignatureVerdict[]): Trouble | null {
  if (verdicts.length === 0) return null
  return verdicts.every(verdict => verdict === 'unsupported') ? 'unsupported-algorithm' : 'bad-signature'
}

function inOrder(node: GrowingNode, candidates: readonly GrowingNode[], atMs: number): readonly GrowingNode[] {
  if (candidates.length < 2) return candidates
  const rank = (candidate: GrowingNode): number =>
    fits.indexOf(keyIdentifierFit(node.certificate, candidate.certificate)) * 2 +
    (validityFault(candidate.certificate, atMs) === null ? 0 : 1)
  const ranked = candidates.map(candidate => ({ candidate, rank: rank(candidate) }))
  return ranked.sort((one, other) => one.rank - other.rank).map(({ candidate }) => candidate)
}

function sameKey(one: PublicKey, other: PublicKey): boolean {
  return one === other || Buffer.compare(one.spki, other.spki) === 0
}

function indexSent(others: readonly Certificate[]): ReadonlyMap<string, readonly Entry[]> {
  const index = new Map<string, Entry[]>()
  const met = new Set<string>()
  for (const certificate of others) {
    const id = idOf(certificate)
    if (met.has(id)) continue
    met.add(id)
    put(index, keyOfName(certificate.subject), { id, certificate })
  }
  return index
}

interface AnchorIndex {
  readonly byId: ReadonlyMap<string, CertificateAnchor>
  readonly byName: ReadonlyMap<string, readonly Entry[]>
  readonly keys: readonly KeyAnchor[]
}

/** Trusted roots are many and serve many questions: they are sorted once for each list. */
function indexAnchors(anchors: readonly Anchor[]): AnchorIndex {
  const known = anchorIndexes.get(anchors)
  if (known !== undefined) return known
  const byId = new Map<string, CertificateAnchor>()
  const byName = new Map<string, Entry[]>()
  const keys: KeyAnchor[] = []
  for (const anchor of anchors) {
    if (anchor.kind === 'key') {
      if (!keys.some(each => sameKey(each.publicKey, anchor.publicKey))) keys.push(anchor)
      continue
    }
    const id = idOf(anchor.certificate)
    if (byId.has(id)) continue
    byId.set(id, anchor)
    put(byName, keyOfName(anchor.certificate.subject), { id, certificate: anchor.certificate })
  }
  const index = { byId, byName, keys }
  anchorIndexes.set(anchors, index)
  return index
}

function put<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

function idOf(certificate: Certificate): string {
  return Buffer.from(certificate.der.buffer, certificate.der.byteOffset, certificate.der.length).toString('latin1')
}

/** A name that cannot be read equals only itself. */
function keyOfName(name: DistinguishedName): string {
  return nameKey(name) ?? `unreadable ${Buffer.from(name.der).toString('hex')}`
}

const anchorIndexes = new WeakMap<readonly Anchor[], AnchorIndex>()
/** Sorting them is cheap, and not free. */
const candidatesPerStep = 8
const fits = ['match', 'unknown', 'mismatch'] as const
const unreached = -1
