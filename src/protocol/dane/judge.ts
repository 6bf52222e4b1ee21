/**
 * What TLSA records say of a chain as sent (RFC 7671, RFC 7672 §3): who is authenticated, by which record at which depth, and
 * what became of every other record.
 *
 * - Usage 3 names the leaf: by its octets or its key's, and nothing else is asked. Names, dates and faults cannot veto it
 *   (RFC 7671 §5.1, RFC 7672 §3.1.1).
 * - Usage 2 names an issuer: a certificate that was sent, in any place but never the leaf itself; or a certificate or key that the
 *   record holds whole, sent or not; a bare key counts where no certificate with it was sent as somebody's issuer. A path must be valid up to it, and the leaf must carry one of the names (RFC 7672 §3.1.2). The dates of
 *   the issuer that is named are told, not judged, unless it signed itself: the record vouches for it as long as the DNS does. Those below it count.
 * - When several records authenticate, usage 3 decides before 2, then the least depth, then the first record.
 * - No usable record: TLS is owed, and nothing of the peer (RFC 7672 §2.2).
 *
 * Public authorities play no part. It does not ask where the records came from: whether the DNS vouches for them is for the caller.
 *
 * The verdict is paid for first; depths and reasons of records that do not authenticate take what is left of the budget.
 */
import { nameKey } from '../x509/distinguished-name.ts'
import { type IdentityMatch, matchIdentity } from '../x509/identity.ts'
import { findIssuers, type Node } from '../x509/issuers.ts'
import type { Certificate } from '../x509/model.ts'
import { findPaths } from '../x509/path.ts'
import type { Anchor, NoPath, PathAnswer, ValidPath } from '../x509/path-types.ts'
import { heldAgainstSuffixes } from '../x509/suffix-wildcards.ts'
import { certificateId, indexCertificates, keyId } from './certificate-index.ts'
import { type RecordStanding, standings } from './tlsa.ts'
import type { DaneJudgement, DaneQuestion, RecordJudgement, RecordMatch, RecordOutcome, Tlsa } from './types.ts'

/** @throws RangeError without records: nothing was published, and there is nothing to judge by */
export function judgeDane(question: DaneQuestion): DaneJudgement {
  if (question.records.length === 0) throw new RangeError('a DANE judgement needs a record')
  const chain = question.chain.map(read => (read.kind === 'certificate' ? read.certificate : null))
  const leaf = chain[0] ?? null
  const named = nameCertificates(question.records, chain)
  if (leaf === null) {
    const records = named.map(each => judged(each, [], { kind: 'no-match' }))
    return { verdict: verdictWithoutLeaf(question, records), records }
  }
  const search = searchPaths(question, leaf, chain, named)
  const records = named.map(each => {
    const matches = matchesOf(each, leaf, chain, search)
    return judged(
      each,
      matches,
      each.record.usage === 3 ? outcomeForLeaf(each) : outcomeForIssuer(each, matches, leaf, search),
    )
  })
  return { verdict: verdictOf(records, named, search), records }
}

/**
 * Places of the `certificates` that the record names by their octets or their key's, whatever its usage: for certificates that were
 * not sent. For many records over the same certificates `indexCertificates` costs less.
 */
export function matchesAmong(record: Tlsa, certificates: readonly Certificate[]): readonly number[] {
  return indexCertificates(certificates).positionsOf(record)
}

/** A record and what it points at, before any signature is looked at. */
interface NamedRecord {
  readonly index: number
  readonly record: Tlsa
  readonly standing: RecordStanding
  /** Places in the chain, the leaf's and those of its duplicates included. */
  readonly positions: readonly number[]
  /** Where a path may end; empty but for a record of usage 2 that counts. */
  readonly anchors: readonly NamedAnchor[]
}

interface NamedAnchor {
  readonly id: string
  readonly anchor: Anchor
  /** Among the certificates sent, or nowhere but in the record. */
  readonly from: 'chain' | 'record'
}

function nameCertificates(
  records: readonly Tlsa[],
  chain: readonly (Certificate | null)[],
): readonly NamedRecord[] {
  const index = indexCertificates(chain)
  const leafId = chain[0] ? certificateId(chain[0]) : null
  const isIssuer = namedAsIssuer(chain)
  const sentIds = new Set(chain.map(certificate => (certificate === null ? null : certificateId(certificate))))
  const standing = standings(records)
  return records.map((record, place): NamedRecord => {
    const stand = standing[place]
    if (stand === undefined) throw new Error('a record lost its standing')
    const positions = index.positionsOf(record)
    const anchors = new Map<string, NamedAnchor>()
    if (stand.state === 'counts' && record.usage === 2) {
      for (const position of positions) {
        const certificate = chain[position] ?? null
        if (certificate === null) continue
        const id = certificateId(certificate)
        if (id !== leafId) anchors.set(id, { id, anchor: { kind: 'certificate', certificate }, from: 'chain' })
      }
      if (stand.certificate !== null) {
        const id = certificateId(stand.certificate)
        const anchor = { kind: 'certificate', certificate: stand.certificate } as const
        if (!sentIds.has(id)) anchors.set(id, { id, anchor, from: 'record' })
      }
      // What speaks for the key was sent, with its rights and limits: the key alone would be a way around them (RFC 7671 §5.2.3).
      const isSpokenFor = positions.some(position => position > 0 && isIssuer(chain[position] ?? null))
      if (stand.publicKey !== null && !isSpokenFor) {
        const id = keyId(stand.publicKey)
        anchors.set(id, { id, anchor: { kind: 'key', publicKey: stand.publicKey }, from: 'record' })
      }
    }
    return { index: place, record, standing: stand, positions, anchors: [...anchors.values()] }
  })
}

/** Whether the chain has another certificate that names this one as its issuer. */
function namedAsIssuer(chain: readonly (Certificate | null)[]): (certificate: Certificate | null) => boolean {
  const named = new Map<string, Set<string>>()
  for (const certificate of chain) {
    const issuer = certificate === null ? null : nameKey(certificate.issuer)
    if (certificate === null || issuer === null) continue
    const ids = named.get(issuer) ?? new Set()
    named.set(issuer, ids.add(certificateId(certificate)))
  }
  return certificate => {
    const subject = certificate === null ? null : nameKey(certificate.subject)
    if (certificate === null || subject === null) return false
    const below = named.get(subject)
    return below !== undefined && (below.size > 1 || !below.has(certificateId(certificate)))
  }
}

/** What was found out for usage 2. */
interface Search {
  /** Valid paths by the id of their anchor. */
  readonly paths: ReadonlyMap<string, ValidPath>
  /** The least depth on a valid path, by the id of the certificate. */
  readonly depths: ReadonlyMap<string, number>
  /** The name of the leaf that fitted; null when none did. */
  readonly identity: IdentityMatch | 'not-checked' | null
  /** The budget ended before it was clear that there are no more paths. */
  readonly isOverBudget: boolean
  /** Why none leads to these; null: that was not looked into. */
  readonly explain: (anchors: readonly NamedAnchor[]) => NoPath | null
  /** What signatures lead to from the leaf, whatever else is wrong with it. Found out when first asked for. */
  readonly reached: () => Reached
}

/** Depths by signatures alone: of certificates, and of the highest certificate that a bare key signed. */
interface Reached {
  readonly depths: ReadonlyMap<string, number>
  readonly signedBy: ReadonlyMap<string, number>
}

function searchPaths(
  question: DaneQuestion,
  leaf: Certificate,
  chain: readonly (Certificate | null)[],
  named: readonly NamedRecord[],
): Search {
  const others = chain.slice(1).filter(certificate => certificate !== null)
  const { atMs, profile, purpose, maxIntermediates, isPublicSuffix, budget } = question
  const malformed = malformedBlock(question)
  const find = (anchors: readonly Anchor[]): PathAnswer => {
    if (malformed !== null) return { paths: [], none: malformed }
    const found = findPaths({
      ...{ leaf, others, anchors, atMs, profile, purpose, maxIntermediates, budget },
      anchorDates: 'reported',
    })
    return heldAgainstSuffixes(found, { leaf, profile, isPublicSuffix, budget })
  }
  const paths = new Map<string, ValidPath>()
  const depths = new Map<string, number>()
  const failed = new Map<string, NoPath>()
  const search = (ends: readonly Anchor[]) => {
    if (ends.length === 0) return
    const answer = find(ends)
    if (answer.none !== null) failed.set(setOf(ends), answer.none)
    for (const path of answer.paths) {
      paths.set(anchorId(path.anchor), path)
      for (const [depth, certificate] of path.certificates.entries()) {
        const id = certificateId(certificate)
        depths.set(id, Math.min(depth, depths.get(id) ?? depth))
      }
    }
  }
  // Certificates first: each costs what its name asks for, while a bare key has to be tried on everything.
  search(distinctAnchors(named, 'certificate'))
  const keys = distinctAnchors(
    named.filter(({ anchors }) => !anchors.some(({ id }) => paths.has(id))),
    'key',
  )
  search(keys)
  const ends = [...distinctAnchors(named, 'certificate'), ...keys]
  let reached: Reached | null = null
  return {
    paths,
    depths,
    identity: paths.size === 0 ? null : identityOf(question, leaf),
    isOverBudget: failed.values().some(({ reason }) => reason === 'x509.over-budget'),
    explain: explainer(failed, find),
    reached: () => {
      reached ??= reachedFrom(findIssuers({ leaf, others, anchors: ends, atMs, budget }).nodes)
      return reached
    },
  }
}

function reachedFrom(nodes: readonly Node[]): Reached {
  const depths = new Map<string, number>()
  const signedBy = new Map<string, number>()
  for (const { certificate, keys, distance } of nodes) {
    depths.set(certificateId(certificate), distance)
    // Nodes come by distance, so the highest is the last.
    for (const { publicKey } of keys) signedBy.set(keyId(publicKey), distance)
  }
  return { depths, signedBy }
}

function identityOf(question: DaneQuestion, leaf: Certificate): Search['identity'] {
  if (question.names === null) return 'not-checked'
  const { isPublicSuffix } = question
  // RFC 7672 §3.2.3; TLSA records stand under names, so no address can be the reference.
  return matchIdentity(question.names, leaf, { cn: 'if-no-dns-id', ip: 'never', isPublicSuffix })
}

/**
 * Each set of anchors has its own reason why no path leads to it, and finding that out is a search of its own. Records come by the
 * thousand: only the first few sets are looked into. When the budget ended, that is the reason of all.
 */
function explainer(
  failed: ReadonlyMap<string, NoPath>,
  find: (anchors: readonly Anchor[]) => PathAnswer,
): Search['explain'] {
  const known = new Map(failed)
  let isOverBudget = failed.values().some(({ reason }) => reason === 'x509.over-budget')
  return named => {
    const anchors = named.map(({ anchor }) => anchor)
    const set = setOf(anchors)
    const found = known.get(set)
    if (found !== undefined) return found
    if (isOverBudget) return budgetEnded
    if (known.size >= mostExplained) return null
    const none = find(anchors).none ?? budgetEnded
    isOverBudget = none.reason === 'x509.over-budget'
    known.set(set, none)
    return none
  }
}

function setOf(anchors: readonly Anchor[]): string {
  return anchors.map(anchorId).join(' ')
}

function distinctAnchors(named: readonly NamedRecord[], kind: Anchor['kind']): readonly Anchor[] {
  const anchors = named.flatMap(record => record.anchors).filter(({ anchor }) => anchor.kind === kind)
  return [...new Map(anchors.map(({ id, anchor }) => [id, anchor])).values()]
}

/** The path by which the record authenticates: to the certificate, if it was sent and serves; else by the key alone. */
function pathOf({ anchors }: NamedRecord, { paths }: Search): ValidPath | null {
  let best: ValidPath | null = null
  for (const { id } of anchors) {
    const path = paths.get(id)
    if (path === undefined) continue
    if (best === null || rankOf(path) < rankOf(best)) best = path
  }
  return best
}

function rankOf(path: ValidPath): number {
  return path.anchor.kind === 'key' ? Number.POSITIVE_INFINITY : path.depth
}

function matchesOf(
  named: NamedRecord,
  leaf: Certificate,
  chain: readonly (Certificate | null)[],
  search: Search,
): readonly RecordMatch[] {
  const depthOf = (certificate: Certificate): number | null => {
    const id = certificateId(certificate)
    if (id === certificateId(leaf)) return 0
    return search.depths.get(id) ?? search.reached().depths.get(id) ?? null
  }
  const matches = named.positions.flatMap((position): RecordMatch[] => {
    const certificate = chain[position] ?? null
    return certificate === null ? [] : [{ position, depth: depthOf(certificate), certificate }]
  })
  // What only the record holds is worth telling when something leads there.
  for (const { anchor, from } of named.anchors) {
    if (from !== 'record') continue
    const certificate = anchor.kind === 'certificate' ? anchor.certificate : null
    const depth = anchor.kind === 'certificate' ? depthOf(anchor.certificate) : depthOfKey(named, anchor, search)
    if (depth !== null) matches.push({ position: null, depth, certificate })
  }
  return matches
}

/** Null also when a certificate that was sent speaks for the key. */
function depthOfKey(named: NamedRecord, anchor: Extract<Anchor, { kind: 'key' }>, search: Search): number | null {
  const path = pathOf(named, search)
  if (path !== null) return path.anchor.kind === 'key' ? path.depth : null
  if (named.anchors.some(({ from }) => from === 'chain')) return null
  return search.reached().signedBy.get(keyId(anchor.publicKey)) ?? null
}

function outcomeForLeaf({ positions }: NamedRecord): RecordOutcome {
  if (positions.includes(0)) return { kind: 'authenticates', depth: 0 }
  return { kind: positions.length > 0 ? 'ee-not-leaf' : 'no-match' }
}

function outcomeForIssuer(
  named: NamedRecord,
  matches: readonly RecordMatch[],
  leaf: Certificate,
  search: Search,
): RecordOutcome {
  const path = pathOf(named, search)
  if (path !== null)
    return { kind: search.identity === null ? 'name-mismatch' : 'authenticates', depth: path.depth }
  const leafId = certificateId(leaf)
  const namesAnIssuer = matches.some(
    ({ certificate }) => certificate === null || certificateId(certificate) !== leafId,
  )
  if (namesAnIssuer) return { kind: 'no-path', because: search.explain(named.anchors) }
  return { kind: matches.length > 0 ? 'ta-is-leaf' : 'no-match' }
}

function judged(named: NamedRecord, matches: readonly RecordMatch[], outcome: RecordOutcome): RecordJudgement {
  const { index, record, standing } = named
  const { state, because } = standing
  return { index, record, state, because, matches, outcome: state === 'counts' ? outcome : null }
}

function verdictWithoutLeaf(
  question: DaneQuestion,
  records: readonly RecordJudgement[],
): DaneJudgement['verdict'] {
  if (!records.some(({ state }) => state === 'counts')) return { kind: 'encrypt-only' }
  const [first] = question.chain
  if (first?.kind === 'malformed')
    return { kind: 'not-authenticated', reason: 'x509.malformed', detail: first.detail, none: null }
  return { kind: 'not-authenticated', reason: 'x509.no-certificate', detail: null, none: null }
}

function verdictOf(
  records: readonly RecordJudgement[],
  named: readonly NamedRecord[],
  search: Search,
): DaneJudgement['verdict'] {
  if (!records.some(({ state }) => state === 'counts')) return { kind: 'encrypt-only' }
  const decider = deciderOf(records)
  if (decider !== null) {
    const { index, record, depth } = decider
    if (record.usage === 3)
      return { kind: 'authenticated', by: 'dane-ee', record: index, depth, matched: null, path: null }
    const decided = named[index]
    const matched = search.identity === 'not-checked' ? null : search.identity
    const path = decided === undefined ? null : pathOf(decided, search)
    return { kind: 'authenticated', by: 'dane-ta', record: index, depth, matched, path }
  }
  if (records.some(({ outcome }) => outcome?.kind === 'name-mismatch'))
    return { kind: 'not-authenticated', reason: 'x509.name-mismatch', detail: null, none: null }
  return { kind: 'not-authenticated', ...bestReason(records, search) }
}

/** Usage 3 before 2, then the least depth, then the first. */
function deciderOf(
  records: readonly RecordJudgement[],
): { readonly index: number; readonly record: Tlsa; readonly depth: number } | null {
  let best: { readonly index: number; readonly record: Tlsa; readonly depth: number } | null = null
  for (const { index, record, outcome } of records) {
    if (outcome?.kind !== 'authenticates') continue
    const isBetter =
      best === null ||
      record.usage > best.record.usage ||
      (record.usage === best.record.usage && outcome.depth < best.depth)
    if (isBetter) best = { index, record, depth: outcome.depth }
  }
  return best
}

/** Of the certificates that records name, and that were looked into, what is wrong with the one nearest to the leaf. */
function bestReason(
  records: readonly RecordJudgement[],
  search: Search,
): {
  readonly reason: 'dane.no-match' | NoPath['reason']
  readonly detail: string | null
  readonly none: NoPath | null
} {
  let nearest: { readonly because: NoPath; readonly depth: number } | null = null
  for (const { matches, outcome } of records) {
    if (outcome?.kind !== 'no-path' || outcome.because === null) continue
    let depth = Number.POSITIVE_INFINITY
    // The leaf at depth 0 is no issuer; a bare key is one from there on.
    for (const match of matches)
      if (match.depth !== null && (match.depth > 0 || match.certificate === null))
        depth = Math.min(depth, match.depth)
    if (nearest === null || depth < nearest.depth) nearest = { because: outcome.because, depth }
  }
  if (nearest === null)
    return { reason: search.isOverBudget ? 'x509.over-budget' : 'dane.no-match', detail: null, none: null }
  const { because } = nearest
  const { reason, detail } = because
  // Where the path goes on without ever meeting what the records name, that is no fault of the path.
  return endsElsewhere.has(reason)
    ? { reason: 'dane.no-match', detail, none: null }
    : { reason, detail, none: because }
}

/** A block that is no certificate: what the peer sent is no chain, and no path is looked for in the rest. */
function malformedBlock(question: DaneQuestion): NoPath | null {
  for (const [position, read] of question.chain.entries())
    if (read.kind === 'malformed') {
      const detail = `the certificate in place ${position}: ${read.detail}`
      return { reason: 'x509.malformed', detail, certificate: null, furthest: [] }
    }
  return null
}

function anchorId(anchor: Anchor): string {
  return anchor.kind === 'key' ? keyId(anchor.publicKey) : certificateId(anchor.certificate)
}

const endsElsewhere: ReadonlySet<NoPath['reason']> = new Set([
  'x509.untrusted-root',
  'x509.self-signed',
  'x509.missing-intermediate',
])

/** Sets of anchors whose reason is looked for: more than honest publishers have. */
const mostExplained = 8

/** No path was found, and nobody could look for the reason. */
const budgetEnded: NoPath = { reason: 'x509.over-budget', detail: null, certificate: null, furthest: [] }
