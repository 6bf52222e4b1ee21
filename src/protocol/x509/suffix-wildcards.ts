/**
 * Wildcards of a leaf that cover names which strangers register, such as `*.co.uk` (RFC 9525 §7.1): `x509.public-suffix-wildcard`.
 *
 * They match nothing in any case (identity.ts). That an authority issued one says something of its care: the profile decides
 * whether that is reported or refused. It is apart from the other rules because it needs the list of public suffixes.
 */
import { wildcardParent } from './identity.ts'
import type { Certificate, Fault, Profile } from './model.ts'
import type { Budget, PathAnswer } from './path-types.ts'
import { isRefused } from './rules.ts'

export interface SuffixQuestion {
  readonly leaf: Certificate
  readonly profile: Profile
  readonly isPublicSuffix: (name: string) => boolean
  readonly budget: Budget
}

/** The answer with the fault told of every path, or none left where the profile refuses for it. */
export function heldAgainstSuffixes(answer: PathAnswer, question: SuffixQuestion): PathAnswer {
  const [shortest] = answer.paths
  if (shortest === undefined) return answer
  const { leaf, profile } = question
  const fault = suffixFault(question)
  if (fault === null) return answer
  if (fault.reason === 'x509.over-budget' || isRefused(profile, fault.reason, leaf))
    return { paths: [], none: { ...fault, certificate: leaf, furthest: shortest.certificates } }
  const told = { ...fault, certificate: leaf }
  return { ...answer, paths: answer.paths.map(path => ({ ...path, faults: [...path.faults, told] })) }
}

/** The first such name; a budget that ends before it is clear that there is none matters only where there may be none. */
function suffixFault({ leaf, profile, isPublicSuffix, budget }: SuffixQuestion): Fault | null {
  for (const name of leaf.alternativeNames ?? []) {
    const parent = name.type === 'dns' ? wildcardParent(name.value) : null
    if (parent === null) continue
    if (!budget.spend('name-comparisons', 1))
      return isRefused(profile, 'x509.public-suffix-wildcard', leaf)
        ? { reason: 'x509.over-budget', detail: null }
        : null
    if (!parent.includes('.') || isPublicSuffix(parent))
      return { reason: 'x509.public-suffix-wildcard', detail: `*.${parent}` }
  }
  return null
}
