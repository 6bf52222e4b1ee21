/**
 * How a chain was put together by whoever configured the server: order, strangers, a root that need not be there (RFC 8446 §4.4.2).
 *
 * Told by names, subject against issuer: no verdict depends on it. One signature is looked at, for a root is whoever signed itself: the certificate that
 * passes an authority on from one key to the next has the same name twice, and no other does in its place. The cost is one look at each name, and a budget of signatures.
 */
import { createBudget } from '../protocol/x509/budget.ts'
import { nameKey } from '../protocol/x509/distinguished-name.ts'
import type { Certificate, DistinguishedName, Read } from '../protocol/x509/model.ts'
import type { Budget } from '../protocol/x509/path-types.ts'
import { keyIdentifierFit } from '../protocol/x509/rules.ts'
import { verifySignature } from '../protocol/x509/signature.ts'
import { fingerprint } from './certificate-evidence.ts'

export interface ChainShape {
  /** Sent before the certificate that it signed. */
  readonly early: readonly number[]
  /** No issuer of the leaf, nor of its issuers. Authorities are none where the issuer of the leaf is missing: that one may lead to them. */
  readonly strangers: readonly number[]
  /** Sent a second time, and where it was sent first. */
  readonly copies: readonly { readonly position: number; readonly of: number }[]
  /** Issuers that signed themselves. */
  readonly roots: readonly number[]
  /** The issuer of the highest certificate, where nobody sent has that name; null when the chain ends with a root. */
  readonly missing: DistinguishedName | null
}

/** Positions in the chain as sent. A chain whose leaf cannot be read has no shape. */
export function chainShape(chain: readonly Read[]): ChainShape {
  const links = chain.flatMap((read, position) =>
    read.kind === 'certificate' ? [linkOf(read.certificate, position)] : [],
  )
  const leaf = links[0]
  if (leaf === undefined || leaf.position !== 0)
    return { early: [], strangers: [], copies: [], roots: [], missing: null }
  const firsts = new Map<string, number>()
  for (const { sha256, position } of links) if (!firsts.has(sha256)) firsts.set(sha256, position)
  const isRepeated = ({ sha256, position }: Link) => firsts.get(sha256) !== position

  const kin = kinOf(leaf, links)
  const early: number[] = []
  const wanted = new Set<string>()
  for (const link of links) {
    if (link.position > 0 && kin.has(link) && !isRepeated(link) && !wanted.has(link.subject))
      early.push(link.position)
    wanted.add(link.issuer)
  }
  const subjects = new Set(links.map(({ subject }) => subject))
  const highest = [...kin].find(({ issuer }) => !subjects.has(issuer))
  const above = links.filter(({ position }) => position > 0)
  const budget = createBudget()
  return {
    early,
    strangers: above
      .filter(link => !kin.has(link) && !isRepeated(link))
      .filter(
        ({ certificate }) =>
          kin.size > 1 || leaf.subject === leaf.issuer || certificate.basicConstraints?.isCa !== true,
      )
      .map(({ position }) => position),
    copies: above.flatMap(({ sha256, position }) => {
      const of = firsts.get(sha256)
      return of === undefined || of === position ? [] : [{ position, of }]
    }),
    roots: above
      .filter(link => kin.has(link) && !isRepeated(link) && link.subject === link.issuer)
      .filter(({ certificate }) => hasSignedItself(certificate, budget))
      .map(({ position }) => position),
    missing: highest?.certificate.issuer ?? null,
  }
}

interface Link {
  readonly certificate: Certificate
  readonly position: number
  readonly subject: string
  readonly issuer: string
  readonly sha256: string
}

function linkOf(certificate: Certificate, position: number): Link {
  return {
    certificate,
    position,
    subject: keyOf(certificate.subject),
    issuer: keyOf(certificate.issuer),
    sha256: fingerprint(certificate.der),
  }
}

/** Of one that is self-issued. Where the algorithm is none that is verified here, as of old roots, the key identifiers tell. */
function hasSignedItself(certificate: Certificate, budget: Budget): boolean {
  const verdict = verifySignature(certificate, certificate.publicKey, budget)
  return verdict === 'good' || (verdict !== 'bad' && keyIdentifierFit(certificate, certificate) !== 'mismatch')
}

/** The leaf, and whoever names lead to from there. */
function kinOf(leaf: Link, links: readonly Link[]): ReadonlySet<Link> {
  const bySubject = Map.groupBy(links, ({ subject }) => subject)
  const kin = new Set([leaf])
  // A set is walked in the order of entering, and what is entered on the way is walked too.
  for (const { issuer } of kin) {
    for (const above of bySubject.get(issuer) ?? []) kin.add(above)
    bySubject.delete(issuer)
  }
  return kin
}

/** A name that cannot be read equals only itself. */
function keyOf(name: DistinguishedName): string {
  return nameKey(name) ?? `unreadable ${fingerprint(name.der)}`
}
