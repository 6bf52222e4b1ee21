/**
 * Whether a chain as sent leads to a trusted root, and whether its leaf carries one of the names (RFC 5280 §6, RFC 9525 §6).
 *
 * Success means both: a path that is valid at the given time, and a name, unless names are not to be checked. The path is asked
 * first, so that a stranger's certificate is told as one even when it carries another name too. A block that is no certificate
 * makes the chain none. TLSA records play no part: dane/judge.ts.
 */
import { type IdentityMatch, type IdentityOptions, matchIdentity } from './identity.ts'
import type { Certificate, Profile, Purpose, Read } from './model.ts'
import { findPaths } from './path.ts'
import type { Anchor, Budget, NoPath, ValidPath } from './path-types.ts'
import { heldAgainstSuffixes } from './suffix-wildcards.ts'

export interface PkixQuestion {
  /** As sent, leaf first. */
  readonly chain: readonly Read[]
  /** Trusted, and for good: what is indexed of this very array is kept for the next question. */
  readonly roots: readonly Certificate[]
  /** Reference identifiers, first wins; null: names are not to be checked. */
  readonly names: readonly string[] | null
  readonly cn: IdentityOptions['cn']
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly profile: Profile
  readonly purpose: Purpose
  readonly maxIntermediates: number
  /** A name under which strangers register theirs: `*` never covers one. */
  readonly isPublicSuffix: (name: string) => boolean
  readonly budget: Budget
}

export interface PkixJudgement {
  readonly verdict:
    | {
        readonly kind: 'authenticated'
        readonly by: 'pkix'
        /** Of the root in the path. */
        readonly depth: number
        /** The name of the certificate that fitted; null when names were not checked. */
        readonly matched: IdentityMatch | null
        readonly path: ValidPath
      }
    | {
        readonly kind: 'not-authenticated'
        readonly reason: NoPath['reason']
        readonly detail: string | null
        /** Why there is no path; null when there is one, and the name is what is missing, and when there is no leaf to begin at. */
        readonly none: NoPath | null
      }
}

/**
 * Holds a chain against roots, names and a time (RFC 5280 §6, RFC 9525 §6); `authenticated` has both a valid path and a name that fits, where names
 * are checked. It spends from `budget`, and never throws for anything that a peer can send.
 */
export function judgePkix(question: PkixQuestion): PkixJudgement {
  const { chain, names, cn, atMs, profile, purpose, maxIntermediates, isPublicSuffix, budget } = question
  const [leaf, ...others] = chain.flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
  const malformed = chain.findIndex(read => read.kind === 'malformed')
  const block = chain[malformed]
  if (block?.kind === 'malformed')
    return refused('x509.malformed', `the certificate in place ${malformed}: ${block.detail}`, null)
  if (leaf === undefined) return refused('x509.no-certificate', null, null)
  const anchors = anchorsOf(question.roots)
  const found = findPaths({ leaf, others, anchors, atMs, profile, purpose, maxIntermediates, budget })
  const answer = heldAgainstSuffixes(found, { leaf, profile, isPublicSuffix, budget })
  const [path] = answer.paths
  if (path === undefined)
    return refused(answer.none?.reason ?? 'x509.untrusted-root', answer.none?.detail ?? null, answer.none)
  const matched = names === null ? null : matchIdentity(names, leaf, { cn, ip: 'allow', isPublicSuffix })
  if (names !== null && matched === null) return refused('x509.name-mismatch', null, null)
  return { verdict: { kind: 'authenticated', by: 'pkix', depth: path.depth, matched, path } }
}

function refused(reason: NoPath['reason'], detail: string | null, none: NoPath | null): PkixJudgement {
  return { verdict: { kind: 'not-authenticated', reason, detail, none } }
}

/** Stores hold a hundred roots and more, and serve many chains: they become anchors, and path.ts indexes these, once. */
function anchorsOf(roots: readonly Certificate[]): readonly Anchor[] {
  const known = anchorLists.get(roots)
  if (known !== undefined) return known
  const anchors = roots.map((certificate): Anchor => ({ kind: 'certificate', certificate }))
  anchorLists.set(roots, anchors)
  return anchors
}

const anchorLists = new WeakMap<readonly Certificate[], readonly Anchor[]>()
