/**
 * Which certificates of a chain file TLSA records may name so that they work: the server's own (usage 3), and issuers that a client would
 * accept (usage 2, RFC 7671 §5.2). Every issuer is put to the judge that will decide about the record, with the chain in order; what that one
 * refuses is told with its reason and is not to be published.
 *
 * A file of authorities alone names no server: then they are issuers, as far as they may sign, and no chain has been asked.
 */
import { judgeDane } from '../protocol/dane/judge.ts'
import { createTlsa } from '../protocol/dane/tlsa.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import { presentedNames } from '../protocol/x509/identity.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import type { NoPath } from '../protocol/x509/path-types.ts'
import { isSelfIssued } from '../protocol/x509/rules.ts'
import { seenOf } from './chain-advice.ts'
import { outlineChain } from './chain-outline.ts'
import { findingFor } from './findings.ts'
import { placesInOrder, uprightPath } from './upside-down.ts'
import { subjectText } from './verify-records.ts'

/** A certificate of the file. */
export interface Placed {
  readonly certificate: Certificate
  readonly position: number
}

export interface Issuer extends Placed {
  /** Steps of signatures from the server's own; from the first certificate in a file of authorities. */
  readonly depth: number
  /** Why no record that names it works, in a whole sentence; null when one does. */
  readonly trouble: string | null
  /** It would work for a name that the server's own certificate carries. */
  readonly isForOtherNames: boolean
}

export interface TlsaSubjects {
  /** Null: the file holds authorities alone. */
  readonly own: Placed | null
  /** From the server's own upwards. */
  readonly issuers: readonly Issuer[]
  /** Places from the server's own upwards, where the file has them in another order; else null. */
  readonly order: readonly number[] | null
}

export interface SubjectsQuestion {
  /** Its first block is a certificate. */
  readonly chain: readonly Read[]
  readonly atMs: number
  /** Whose records they will be; null: not known, and names are not asked. */
  readonly host: string | null
}

/** `several`: it begins with an authority, and nobody can tell which of the others is the server's own. */
export function tlsaSubjects({ chain, atMs, host }: SubjectsQuestion): TlsaSubjects | 'several' {
  const own = ownPlace(chain, atMs)
  if (own === 'several') return own
  const start = own ?? 0
  const places = placesInOrder(chain, [start])
  const ordered = places.flatMap(place => chain[place] ?? [])
  const upwards = upwardsFrom(ordered, atMs).map(place => places[place] ?? place)
  const at = (position: number) => certificateAt(chain, position)
  const order = upwards.some((position, depth) => depth > 0 && position < (upwards[depth - 1] ?? 0))
    ? upwards
    : null
  if (own === null)
    return { own: null, issuers: upwards.flatMap((place, depth) => authority(at(place), place, depth)), order }
  const leaf = at(start)
  if (leaf === null) return { own: null, issuers: [], order: null }
  // A record for an issuer is made for the certificates to come as well: that this one has ended says nothing about it.
  const whenMs = Math.min(atMs, leaf.notAfterMs ?? atMs)
  const troubles = troublesOf(ordered, whenMs, host)
  const issuers = upwards.slice(1).flatMap((position, index): readonly Issuer[] => {
    const certificate = at(position)
    if (certificate === null) return []
    const found = troubles.get(places.indexOf(position)) ?? { trouble: null, isForOtherNames: false }
    return [{ certificate, position, depth: index + 1, ...found }]
  })
  return { own: { certificate: leaf, position: start }, issuers, order }
}

/** Where the server's own certificate is; null when there are only authorities. */
function ownPlace(chain: readonly Read[], atMs: number): number | null | 'several' {
  const upright = uprightPath(chain, atMs, createBudget())
  if (upright !== null) return upright[0] ?? null
  const first = certificateAt(chain, 0)
  if (first === null || !isBareAuthority(first)) return 0
  const servers = chain.flatMap((read, position) =>
    read.kind === 'certificate' &&
    read.certificate.basicConstraints?.isCa !== true &&
    hasHostNames(read.certificate)
      ? [position]
      : [],
  )
  return servers.length > 1 ? 'several' : (servers[0] ?? null)
}

/** Places as signatures lead from the first. */
function upwardsFrom(chain: readonly Read[], atMs: number): readonly number[] {
  return outlineChain({ chain, roots: [], atMs, budget: createBudget() }).path
}

type Trouble = Pick<Issuer, 'trouble' | 'isForOtherNames'>

/** What the judge says of a record for each place above the first; nothing of those that work. */
function troublesOf(chain: readonly Read[], atMs: number, host: string | null): ReadonlyMap<number, Trouble> {
  const above = chain.flatMap((read, place) =>
    read.kind === 'certificate' && place > 0 ? [{ ...read, place }] : [],
  )
  const records = above.flatMap(({ certificate }) =>
    createTlsa(certificate, { usages: [2], selectors: [0], matchingTypes: [1] }),
  )
  if (records.length === 0) return new Map()
  const judged = judgeDane({
    chain,
    records,
    names: host === null ? null : [host],
    atMs,
    profile: 'mail',
    purpose: 'server',
    maxIntermediates: 10,
    isPublicSuffix: () => false,
    budget: createBudget(),
  })
  const troubles = new Map<number, Trouble>()
  for (const [index, { certificate, place }] of above.entries()) {
    const outcome = judged.records[index]?.outcome
    if (outcome?.kind === 'authenticates') continue
    const trouble = outcome?.kind === 'no-path' ? refusalText(outcome.because) : 'It did not sign the certificate.'
    troubles.set(
      place,
      outcome?.kind === 'name-mismatch'
        ? { trouble: `The server's own certificate does not carry ${host ?? 'the name'}.`, isForOtherNames: true }
        : { trouble: `No record can name ${subjectText(certificate)}: ${trouble}`, isForOtherNames: false },
    )
  }
  return troubles
}

function refusalText(because: NoPath | null): string {
  if (because === null) return 'no valid path leads there, and why was not looked into.'
  const { reason, detail, certificate } = because
  const seen = seenOf(reason, certificate === null ? null : subjectText(certificate), detail)
  return findingFor({ reason, detail: seen, reply: null }, null).says
}

/** In a file without a server's certificate. */
function authority(certificate: Certificate | null, position: number, depth: number): readonly Issuer[] {
  if (certificate === null) return []
  const { keyUsage, basicConstraints, version } = certificate
  const isCa = basicConstraints?.isCa === true || (version !== 3 && isSelfIssued(certificate))
  const maySign = isCa && (keyUsage === null || keyUsage.has('keyCertSign'))
  const trouble = maySign ? null : `No record can name ${subjectText(certificate)}: it may not sign certificates.`
  return [{ certificate, position, depth, trouble, isForOtherNames: false }]
}

function certificateAt(chain: readonly Read[], position: number): Certificate | null {
  const read = chain[position]
  return read?.kind === 'certificate' ? read.certificate : null
}

function isBareAuthority(certificate: Certificate): boolean {
  return certificate.basicConstraints?.isCa === true && !hasHostNames(certificate)
}

function hasHostNames(certificate: Certificate): boolean {
  return presentedNames(certificate).some(({ type }) => type === 'dns' || type === 'ip')
}
