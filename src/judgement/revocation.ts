/**
 * What a revocation list (RFC 5280 §5) or an OCSP response (RFC 6960) says of the certificates of a chain: reported, never judged.
 *
 * Each report tells who signed, whether that signature is good, whether it is out of date, and then for each certificate of the file what it says and whether
 * whoever signed may say it: the issuer's own key, or for OCSP a responder that the issuer certified (RFC 6960 §4.2.2.2). Nothing of it changes whether
 * a chain is sound: a list that was found somewhere proves little about the present, and a relay that asked for one would depend on a third party.
 *
 * Work is bounded by the caller's budget.
 */
import { nameText, sameName } from '../protocol/x509/distinguished-name.ts'
import { readInformational } from '../protocol/x509/informational.ts'
import type { Certificate, Oid, Read } from '../protocol/x509/model.ts'
import {
  isAbout,
  isKeyHash,
  isOfIssuer,
  type OcspAnswer,
  type OcspResponse,
  type SingleAnswer,
} from '../protocol/x509/ocsp-response.ts'
import type { Budget } from '../protocol/x509/path-types.ts'
import type { RevocationReason } from '../protocol/x509/revocation-fields.ts'
import type { RevocationList, RevocationScope, RevokedEntry } from '../protocol/x509/revocation-list.ts'
import { type Signed, signatureScheme, verifySignature } from '../protocol/x509/signature.ts'
import type {
  CertificateStatus,
  Freshness,
  ListReport,
  OcspReport,
  RevocationReport,
  SignatureReport,
} from './cert-document.ts'
import type { Timestamp } from './evidence.ts'

export interface RevocationQuestion {
  /** In the order of the file. */
  readonly chain: readonly Read[]
  /** Known besides: one of them may have signed. */
  readonly roots: readonly Certificate[]
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly budget: Budget
  readonly sources: readonly RevocationSource[]
}

/** `file`: its name, for the report. */
export type RevocationSource =
  | { readonly kind: 'crl'; readonly file: string; readonly list: RevocationList }
  | { readonly kind: 'ocsp'; readonly file: string; readonly response: OcspResponse }

/** One report for each source, in their order. */
export function reportRevocation(question: RevocationQuestion): readonly RevocationReport[] {
  const desk = deskOf(question)
  return question.sources.map(source =>
    source.kind === 'crl'
      ? reportList(source.list, source.file, desk)
      : reportResponse(source.response, source.file, desk),
  )
}

/** What every report of one question needs. */
interface Desk {
  readonly chain: readonly Read[]
  readonly known: readonly Known[]
  readonly atMs: number
  readonly budget: Budget
  /** Of those known, who signed this certificate; each is asked once. */
  issuersOf(certificate: Certificate): readonly Certificate[]
}

/** A certificate that may have signed. */
interface Known {
  readonly certificate: Certificate
  readonly where: 'file' | 'roots' | 'answer'
  readonly position: number | null
}

function deskOf({ chain, roots, atMs, budget }: RevocationQuestion): Desk {
  const known: readonly Known[] = [
    ...chain.flatMap((read, position): Known[] =>
      read.kind === 'certificate' ? [{ certificate: read.certificate, where: 'file', position }] : [],
    ),
    ...roots.map((certificate): Known => ({ certificate, where: 'roots', position: null })),
  ]
  const asked = new Map<Certificate, readonly Certificate[]>()
  const issuersOf = (certificate: Certificate) => {
    const before = asked.get(certificate)
    if (before !== undefined) return before
    const issuers = known
      .map(one => one.certificate)
      .filter(one => sameName(one.subject, certificate.issuer))
      .filter(one => verifySignature(certificate, one.publicKey, budget) === 'good')
    asked.set(certificate, issuers)
    return issuers
  }
  return { chain, known, atMs, budget, issuersOf }
}

function reportList(list: RevocationList, file: string, desk: Desk): ListReport {
  const issuer = nameText(list.issuer)
  const named = desk.known.filter(({ certificate }) => sameName(certificate.subject, list.issuer))
  const { report: signature, signer } = signedBy(list, named, issuer, desk)
  const mayNotSign = signer !== null && signer.keyUsage !== null && !signer.keyUsage.has('cRLSign')
  const freshness = freshnessOf(list.thisUpdateMs, list.nextUpdateMs, desk.atMs)
  const dates = {
    thisUpdate: timestamp(list.thisUpdateMs),
    nextUpdate: list.nextUpdateMs === null ? null : timestamp(list.nextUpdateMs),
    freshness,
  }
  const authority = (certificate: Certificate): CertificateStatus['authority'] => {
    if (signer === null || mayNotSign) return 'nobody'
    if (desk.issuersOf(certificate).some(one => sameKey(one, signer))) return 'issuer'
    return sameName(signer.subject, certificate.issuer) ? 'namesake' : 'nobody'
  }
  return {
    kind: 'crl',
    file,
    says: [
      `It is the revocation list of ${issuer}${list.number === null ? '' : `, number ${list.number}`}, with ${countedEntries(list.entries)}.`,
      signatureSentence(signature, issuer),
      ...(mayNotSign ? [`But the key usage of that certificate does not let it sign lists.`] : []),
      dateSentence(dates, 'It'),
      ...scopeSentences(list.scope),
      ...criticalSentences(list.unknownCritical),
    ].join(' '),
    issuer,
    number: list.number,
    entries: list.entries,
    ...dates,
    signature,
    certificates: desk.chain.flatMap((read, position) => {
      if (read.kind === 'malformed') return []
      const { certificate } = read
      return [
        withAuthority({
          position,
          ...statusInList(certificate, list),
          ...dates,
          authority: authority(certificate),
        }),
      ]
    }),
  }
}

type Status = Pick<CertificateStatus, 'status' | 'revokedAt' | 'reason' | 'says'>

function statusInList(certificate: Certificate, list: RevocationList): Status {
  const entry = list.found.find(
    one => Buffer.compare(one.serial, certificate.serial) === 0 && sameName(one.issuer, certificate.issuer),
  )
  if (!sameName(list.issuer, certificate.issuer) && (entry === undefined || !list.scope.isIndirect))
    return none('not-covered', `It was issued by ${nameText(certificate.issuer)}: the list is not about it.`)
  const outside = outsideScope(certificate, list.scope)
  // RFC 5280 §5.2, §5.3: what is critical and not understood may turn the meaning of everything.
  if (list.unknownCritical.length > 0)
    return none(
      'unknown',
      entry === undefined
        ? 'The list does not have it, which means nothing, since the list is not understood in full.'
        : 'The list has it, and is not understood in full.',
    )
  if (entry !== undefined) return listed(entry)
  if (outside !== null) return none('not-covered', outside)
  if (list.scope.isDelta)
    return none(
      'unknown',
      'The list does not have it; since it has only changes, that says nothing without the whole one.',
    )
  if (list.scope.hasOnlySomeReasons)
    return none('unknown', 'The list does not have it; since it leaves some reasons out, another list may.')
  return none('good', 'The list does not have it.')
}

function listed({ revokedAtMs, reason }: RevokedEntry): Status {
  // RFC 5280 §5.3.1: only a list of changes has it, for what is not on hold any more.
  if (reason === 'removeFromCRL')
    return none('good', `The list takes it off an earlier list, as of ${shortTime(timestamp(revokedAtMs))}.`)
  return revoked(revokedAtMs, reason)
}

function revoked(atMs: number, reason: RevocationReason | null): Status {
  const word = reason === 'certificateHold' ? 'suspended' : 'revoked'
  const why =
    reason === null || reason === 'unspecified' ? 'no reason is given' : `the reason is ${reasonWords[reason]}`
  return {
    status: 'revoked',
    revokedAt: timestamp(atMs),
    reason,
    says: `It was ${word} on ${shortTime(timestamp(atMs))}; ${why}.`,
  }
}

function none(status: CertificateStatus['status'], says: string): Status {
  return { status, revokedAt: null, reason: null, says }
}

/** RFC 5280 §6.3.3 (b). Null: the certificate is one of those that the list is about. */
function outsideScope(certificate: Certificate, { only, points }: RevocationScope): string | null {
  const isAuthority = certificate.basicConstraints?.isCa === true
  if (only === 'attribute-certificates') return 'The list is about attribute certificates only.'
  if (only === 'leaves' && isAuthority) return 'It is an authority, and the list is about others only.'
  if (only === 'authorities' && !isAuthority) return 'It is no authority, and the list is about authorities only.'
  if (points === null) return null
  const own = readInformational(certificate).crls
  if (own.some(address => points.includes(address))) return null
  const where = own.length === 0 ? 'names none' : `names ${own.slice(0, shownAddresses).join(', ')}`
  return `The list is the part at ${points.slice(0, shownAddresses).join(', ') || 'no address'}, and the certificate ${where}.`
}

function scopeSentences({ isDelta, only, hasOnlySomeReasons, isIndirect }: RevocationScope): string[] {
  return [
    ...(isDelta ? ['It has only what changed since another list.'] : []),
    ...(only === null ? [] : [`It is about ${onlyWords[only]} only.`]),
    ...(hasOnlySomeReasons ? ['It leaves some reasons out.'] : []),
    ...(isIndirect ? ['It has certificates of other issuers too.'] : []),
  ]
}

function reportResponse(response: OcspResponse, file: string, desk: Desk): OcspReport {
  if (response.status !== 'successful')
    return {
      kind: 'ocsp',
      file,
      says: `The responder gave no answer: ${statusWords[response.status]} (${response.status}).`,
      response: response.status,
      responder: null,
      producedAt: null,
      signature: null,
      certificates: desk.chain.flatMap((read, position) =>
        read.kind === 'malformed'
          ? []
          : [{ position, ...none('not-covered', 'There is no answer.'), ...noDates, authority: 'nobody' }],
      ),
    }
  const { answer } = response
  const { responder } = answer
  const name =
    responder.kind === 'name'
      ? nameText(responder.name)
      : `the key with SHA-1 ${Buffer.from(responder.hash).toString('hex')}`
  const sent = answer.certificates.flatMap((read): Known[] =>
    read.kind === 'certificate' ? [{ certificate: read.certificate, where: 'answer', position: null }] : [],
  )
  const candidates = [...desk.known, ...sent].filter(({ certificate }) =>
    responder.kind === 'name'
      ? sameName(certificate.subject, responder.name)
      : isKeyHash(responder.hash, certificate.publicKey),
  )
  const { report: signature, signer } = signedBy(answer, candidates, name, desk)
  const unreadable = answer.certificates.filter(({ kind }) => kind === 'malformed').length
  return {
    kind: 'ocsp',
    file,
    says: [
      `It is an OCSP response of ${name}, made on ${shortTime(timestamp(answer.producedAtMs))}, with ${answer.answers.length === 1 ? 'one answer' : `${answer.answers.length} answers`}.`,
      signatureSentence(signature, name),
      ...(unreadable === 0 ? [] : ['A certificate that it carries cannot be read.']),
      ...criticalSentences(answer.unknownCritical),
    ].join(' '),
    response: 'successful',
    responder: name,
    producedAt: timestamp(answer.producedAtMs),
    signature,
    certificates: desk.chain.flatMap((read, position) =>
      read.kind === 'malformed' ? [] : [answered(read.certificate, position, answer, signer, desk)],
    ),
  }
}

function answered(
  certificate: Certificate,
  position: number,
  answer: OcspAnswer,
  signer: Certificate | null,
  desk: Desk,
): CertificateStatus {
  const about = answer.answers.filter(one => isAbout(one, certificate))
  const issuers = about.length === 0 ? [] : desk.issuersOf(certificate)
  const mine = about.filter(
    one => issuers.length === 0 || issuers.some(({ publicKey }) => isOfIssuer(one, publicKey)),
  )
  // The newest, where there are several.
  const [single] = [...mine].sort((a, b) => b.thisUpdateMs - a.thisUpdateMs)
  if (single === undefined) {
    const says =
      about.length === 0
        ? 'The response has no answer about it.'
        : 'The answer with its number is about another key of that name.'
    return { position, ...none('not-covered', says), ...noDates, authority: 'nobody' }
  }
  const dates = {
    thisUpdate: timestamp(single.thisUpdateMs),
    nextUpdate: single.nextUpdateMs === null ? null : timestamp(single.nextUpdateMs),
    freshness: freshnessOf(single.thisUpdateMs, single.nextUpdateMs, desk.atMs),
  }
  const status =
    answer.unknownCritical.length > 0 ? none('unknown', 'The answer is not understood in full.') : statusOf(single)
  const says = `${status.says} ${dateSentence(dates, 'The answer')}`
  const standing = signer === null ? null : standingOf(signer, certificate, issuers, desk)
  return withAuthority(
    { position, ...status, says, ...dates, authority: standing?.authority ?? 'nobody' },
    standing?.because ?? null,
  )
}

function statusOf({ status }: SingleAnswer): Status {
  switch (status.kind) {
    case 'good':
      return none('good', 'The responder says that it was not revoked.')
    case 'unknown':
      return none('unknown', 'The responder does not know it.')
    case 'revoked':
      return revoked(status.atMs, status.reason)
    default:
      return status satisfies never
  }
}

interface Standing {
  readonly authority: CertificateStatus['authority']
  /** Why not, in one clause; null: it may. */
  readonly because: string | null
}

/** RFC 6960 §4.2.2.2: the issuer itself, or a certificate that the same issuer made for answers, and in date. */
function standingOf(
  signer: Certificate,
  certificate: Certificate,
  issuers: readonly Certificate[],
  { atMs, budget }: Desk,
): Standing {
  if (issuers.some(one => sameKey(one, signer))) return { authority: 'issuer', because: null }
  if (issuers.length === 0)
    return {
      authority: 'nobody',
      because: 'the issuer of the certificate is not in the file, so nothing shows that it may',
    }
  const certified =
    sameName(signer.issuer, certificate.issuer) &&
    issuers.some(one => verifySignature(signer, one.publicKey, budget) === 'good')
  if (!certified) return { authority: 'nobody', because: 'the issuer of the certificate did not certify it' }
  if (signer.extendedKeyUsage?.includes(ocspSigning) !== true)
    return { authority: 'nobody', because: 'its certificate is not for signing answers (OCSPSigning)' }
  const { notBeforeMs, notAfterMs } = signer
  if (notBeforeMs === null || notAfterMs === null || notBeforeMs > atMs || notAfterMs < atMs)
    return { authority: 'nobody', because: 'its certificate is not in date' }
  return { authority: 'delegate', because: null }
}

/** Adds to the sentence who vouches for it, where that is not the issuer. @param because Why nobody does, in one clause. */
function withAuthority(status: CertificateStatus, because: string | null = null): CertificateStatus {
  if (status.status === 'not-covered') return status
  const sentence = {
    issuer: '',
    delegate: ' The issuer of the certificate certified the responder for that.',
    namesake:
      ' What vouches for that is another key than the one that signed the certificate, under the same name.',
    nobody: ` Nobody who may say so vouches for that${because === null ? '' : `: ${because}`}.`,
  }[status.authority]
  return { ...status, says: `${status.says}${sentence}` }
}

/** Who of `candidates` signed. */
function signedBy(
  signed: Signed,
  candidates: readonly Known[],
  name: string,
  { budget }: Desk,
): { readonly report: SignatureReport; readonly signer: Certificate | null } {
  const scheme = signatureScheme(signed.signatureAlgorithm)
  if (scheme.kind === 'weak' || scheme.kind === 'unsupported')
    return { report: { verdict: scheme.kind, by: name, where: null, position: null }, signer: null }
  const tried = candidates.map(known => ({
    known,
    verdict: verifySignature(signed, known.certificate.publicKey, budget),
  }))
  const good = tried.find(({ verdict }) => verdict === 'good')?.known
  if (good !== undefined) {
    const { certificate, where, position } = good
    return {
      report: { verdict: 'good', by: nameText(certificate.subject), where, position },
      signer: certificate,
    }
  }
  const verdict =
    (['over-budget', 'bad', 'unsupported'] as const).find(one => tried.some(other => other.verdict === one)) ??
    'no-signer'
  return { report: { verdict, by: name, where: null, position: null }, signer: null }
}

function signatureSentence({ verdict, by, where, position }: SignatureReport, name: string): string {
  switch (verdict) {
    case 'good': {
      const who =
        position !== null
          ? `certificate ${position}, ${by}`
          : where === 'answer'
            ? `${by}, whose certificate it carries`
            : `the known root ${by}`
      return `It was signed by ${who}.`
    }
    case 'bad':
      return `It was not signed by the key of ${name} that is known here: somebody made it up, or that key is an older or newer one.`
    case 'weak':
      return 'Its signature is of a kind that can be forged (SHA-1 or older), and was not verified.'
    case 'unsupported':
      return 'Its signature, or the key behind it, is of a kind that is not verified here.'
    case 'over-budget':
      return 'Its signature was not verified: there is more to verify than any honest chain has.'
    case 'no-signer':
      return `Its signature was not verified: the certificate of ${name} is not in the file.`
    default:
      return verdict satisfies never
  }
}

/** @param what What has the dates. */
function dateSentence({ thisUpdate, nextUpdate, freshness }: Dates, what: 'It' | 'The answer'): string {
  if (thisUpdate === null) return ''
  const from = shortTime(thisUpdate)
  if (freshness === 'not-yet') return `${what} is not valid yet: it holds from ${from} on.`
  if (nextUpdate === null) return `${what} is of ${from}, and does not say how long it holds.`
  const until = shortTime(nextUpdate)
  return freshness === 'out-of-date'
    ? `${what} is out of date: it held from ${from} to ${until}.`
    : `${what} holds from ${from} to ${until}.`
}

type Dates = Pick<CertificateStatus, 'thisUpdate' | 'nextUpdate' | 'freshness'>

const noDates: Dates = { thisUpdate: null, nextUpdate: null, freshness: null }

function freshnessOf(thisUpdateMs: number, nextUpdateMs: number | null, atMs: number): Freshness {
  if (thisUpdateMs > atMs) return 'not-yet'
  return nextUpdateMs !== null && nextUpdateMs < atMs ? 'out-of-date' : 'current'
}

function criticalSentences(oids: readonly Oid[]): string[] {
  if (oids.length === 0) return []
  return [
    `It has critical extensions that are not understood here (${oids.join(', ')}), so that it says nothing for certain.`,
  ]
}

function countedEntries(count: number): string {
  return count === 0 ? 'no entry' : count === 1 ? 'one entry' : `${count} entries`
}

function sameKey(one: Certificate, other: Certificate): boolean {
  return Buffer.compare(one.publicKey.spki, other.publicKey.spki) === 0
}

/** Whole seconds, which is all that there is. */
function shortTime(time: Timestamp): string {
  return time.replace('.000Z', 'Z')
}

function timestamp(ms: number): Timestamp {
  return new Date(ms).toISOString()
}

const reasonWords: Readonly<Record<Exclude<RevocationReason, 'unspecified'>, string>> = {
  keyCompromise: 'that its key may be in other hands',
  cACompromise: 'that the key of its authority may be in other hands',
  affiliationChanged: 'that the names in it changed',
  superseded: 'that another certificate took its place',
  cessationOfOperation: 'that it is not needed any more',
  certificateHold: 'that it is on hold for a while',
  removeFromCRL: 'that it is to be taken off a list',
  privilegeWithdrawn: 'that a right was withdrawn',
  aACompromise: 'that the key of an attribute authority may be in other hands',
}

const onlyWords: Readonly<Record<NonNullable<RevocationScope['only']>, string>> = {
  leaves: 'certificates that are no authorities',
  authorities: 'authorities',
  'attribute-certificates': 'attribute certificates',
}

const statusWords: Readonly<Record<Exclude<OcspResponse['status'], 'successful'>, string>> = {
  malformedRequest: 'it could not read the question',
  internalError: 'it is broken',
  tryLater: 'it is busy, and says to ask later',
  sigRequired: 'it wants questions to be signed',
  unauthorized: 'it does not answer for this certificate, or not to whoever asked',
}

/** RFC 6960 §4.2.2.2. */
const ocspSigning: Oid = '1.3.6.1.5.5.7.3.9'
const shownAddresses = 3
