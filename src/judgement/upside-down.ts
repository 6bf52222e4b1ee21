/**
 * Whether a file of certificates stands on its head: an authority's first, the server's own behind it, as some tools export them.
 *
 * Told by verified signatures, never by names alone: the certificate taken for the server's own is no authority, or carries names as the first does
 * not, and signatures lead from it to the first one. It is an explanation and decides nothing: what was sent is judged in the order in which it was sent.
 */
import { presentedNames } from '../protocol/x509/identity.ts'
import { findIssuers } from '../protocol/x509/issuers.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import type { Budget } from '../protocol/x509/path-types.ts'

/**
 * Places in the file from the server's own certificate up to the first, as signatures lead: `[2, 1, 0]`; null when the file does not stand on its head.
 */
export function uprightPath(chain: readonly Read[], atMs: number, budget: Budget): readonly number[] | null {
  const [first] = chain
  if (first?.kind !== 'certificate' || hasHostNames(first.certificate)) return null
  const certificates = chain.map(read => (read.kind === 'certificate' ? read.certificate : null))
  const others = certificates.filter(certificate => certificate !== null)
  const candidates = certificates.flatMap((certificate, position) =>
    certificate !== null && position > 0 && mayBeBelow(certificate, first.certificate) ? [certificate] : [],
  )
  // The server's own is where the file ends, if nobody added to it.
  for (const leaf of candidates.slice(-mostCandidates).reverse()) {
    const { nodes } = findIssuers({ leaf, others, anchors: [], atMs, budget })
    const top = nodes.find(({ certificate }) => isSame(certificate, first.certificate))
    if (top === undefined) continue
    const path: number[] = []
    for (let node: typeof top | null = top; node !== null; node = node.below) {
      const { certificate } = node
      path.push(certificates.findIndex(one => one !== null && isSame(one, certificate)))
    }
    return path.reverse()
  }
  return null
}

/** The chain with these places first; what is left stays in its order. */
export function placesInOrder(chain: readonly Read[], path: readonly number[]): readonly number[] {
  const rest = chain.flatMap((_, position) => (path.includes(position) ? [] : [position]))
  return [...path, ...rest]
}

function mayBeBelow(certificate: Certificate, first: Certificate): boolean {
  if (certificate.basicConstraints?.isCa === true) return false
  return first.basicConstraints?.isCa === true || hasHostNames(certificate)
}

function hasHostNames(certificate: Certificate): boolean {
  return presentedNames(certificate).some(({ type }) => type === 'dns' || type === 'ip')
}

function isSame(one: Certificate, other: Certificate): boolean {
  return one === other || Buffer.compare(one.der, other.der) === 0
}

/** More would be somebody's game with the budget. */
const mostCandidates = 4
