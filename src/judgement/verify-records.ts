/**
 * What became of each TLSA record, in one sentence: which certificate it names, why it does not count, or what is in the way.
 *
 * Records of the same fate get the same sentence, so that a page can show it once for all of them.
 */
import { tlsaText } from '../protocol/dane/tlsa.ts'
import type { RecordJudgement, RecordMatch, Tlsa, UnusableBecause } from '../protocol/dane/types.ts'
import { nameText } from '../protocol/x509/distinguished-name.ts'
import type { Certificate } from '../protocol/x509/model.ts'
import type { NoPath } from '../protocol/x509/path-types.ts'
import { seenOf } from './chain-advice.ts'
import { findingFor } from './findings.ts'
import type { VerifyRecord } from './verify-document.ts'
import { visible } from './visible.ts'

/** What a record would come to if the certificates that somebody knows of had been sent as well. */
export interface IfSent {
  /** Those it names. */
  readonly subjects: readonly string[]
  /** Those that lead to what it names. */
  readonly between: readonly string[]
  readonly fate: 'authenticates' | 'name-mismatch' | 'nothing'
}

export interface RecordContext {
  /** Index of the deciding record; null when none did. */
  readonly decider: number | null
  readonly ifSent: ReadonlyMap<number, IfSent>
}

/**
 * Records as the document has them, in the order given: the state of each, and a whole sentence on why it decides or does not. Each lists all its matches,
 * as long as there are not far more in all than any honest zone has.
 */
export function verifyRecords(
  judged: readonly RecordJudgement[],
  context: RecordContext,
): readonly VerifyRecord[] {
  let left = mostMatches
  return judged.map(record => {
    const shown = Math.min(record.matches.length, Math.max(left, fewestMatches))
    left -= shown
    return verifyRecord(record, context, shown)
  })
}

/** Of a document. A thousand records that name a hundred certificates of one key are somebody's game with our memory. */
export const mostMatches = 2_000

/** Of each record, also when those before it used up the rest. */
const fewestMatches = 10

function verifyRecord(judged: RecordJudgement, context: RecordContext, shown: number): VerifyRecord {
  const more = judged.matches.length - shown
  const rest = more > 0 ? ` It names ${more} more, which ${more === 1 ? 'is' : 'are'} not listed here.` : ''
  return {
    index: judged.index,
    text: tlsaText(judged.record),
    state: judged.state,
    matches: judged.matches.slice(0, shown).map(({ depth, position, certificate }) => ({
      depth,
      position,
      subject: certificate === null ? null : nameText(certificate.subject),
    })),
    why: `${why(judged, context)}${rest}`,
  }
}

/** A certificate's subject, harmless and never empty. */
export function subjectText(certificate: Certificate): string {
  const text = visible(nameText(certificate.subject), subjectChars)
  return text === '' ? 'a certificate without a subject' : text
}

/** `3 1 1`. */
export function numbersText({ usage, selector, matchingType }: Tlsa): string {
  return `${usage} ${selector} ${matchingType}`
}

/** Why a record is no use to mail, as a whole sentence. */
export function unusableSentence(because: UnusableBecause, record: Tlsa): string {
  switch (because) {
    case 'usage-for-pkix':
      return `Usage ${record.usage} asks for the public authorities as well, which mail between servers does not go by; only usages 2 and 3 count.`
    case 'usage-unknown':
      return `Usage ${record.usage} is not defined; mail knows usages 2 and 3.`
    case 'selector-unknown':
      return `Selector ${record.selector} is not defined; there are 0, the certificate, and 1, its public key.`
    case 'matching-type-unknown':
      return `Matching type ${record.matchingType} is not defined; there are 0, the octets themselves, 1, SHA-256, and 2, SHA-512.`
    case 'digest-length':
      return `Its data is no whole digest: ${record.matchingType === 1 ? 'SHA-256 has 32 octets' : 'SHA-512 has 64 octets'}, and these are ${record.data.length}.`
    case 'data-unreadable':
      return `Matching type 0 holds ${record.selector === 0 ? 'a whole certificate' : 'a whole public key'}, and this cannot be read as one.`
    default:
      return because satisfies never
  }
}

function why(judged: RecordJudgement, context: RecordContext): string {
  const { because, record, outcome, index, state } = judged
  if (because === 'stronger-digest-published')
    return `A record with the same usage and selector and a stronger digest counts instead of it${alsoNames(judged)}.`
  if (because !== null)
    return `${unusableSentence(because, record)}${alsoNames(judged) === '' ? '' : ` It names ${namedText(judged)} all the same.`}`
  if (outcome === null) return `It is ${state}.`
  switch (outcome.kind) {
    case 'authenticates':
      return index === context.decider
        ? `It names ${namedText(judged)}, and decides.`
        : `It names ${namedText(judged)}, and would do as well; ${context.decider === null ? 'but the chain is not accepted' : `record ${context.decider} comes first`}.`
    case 'name-mismatch':
      return `It names ${namedText(judged)}, to which a valid path leads, but the server's certificate carries none of the names asked for.`
    case 'no-path':
      return `It names ${namedText(judged)}, but no valid path leads there${refusalText(outcome.because)}${completed(context.ifSent.get(index))}`
    case 'ta-is-leaf':
      return "It names the server's own certificate, and usage 2 is for an issuer: it would match with usage 3."
    case 'ee-not-leaf':
      return `It names ${namedText(judged)}, and usage 3 is for the server's own certificate: usage 2 would be for an issuer.`
    case 'no-match':
      return noMatch(record, context.ifSent.get(index))
    default:
      return outcome satisfies never
  }
}

function refusalText(because: NoPath | null): string {
  if (because === null) return '; why was not looked into, for that was done for other records already.'
  const { reason, detail, certificate } = because
  const seen = seenOf(reason, certificate === null ? null : subjectText(certificate), detail)
  return `: ${findingFor({ reason, detail: seen, reply: null }, null).says}`
}

function noMatch({ usage, selector }: Tlsa, ifSent: IfSent | undefined): string {
  const what = selector === 0 ? 'certificate' : 'public key'
  const plain =
    usage === 3
      ? `It names another ${what} than the server's own`
      : `It names no ${what} that the server sent, nor one that signed it`
  if (ifSent === undefined || ifSent.subjects.length === 0) return `${plain}.`
  const subjects = ifSent.subjects.join(', ')
  return usage === 3
    ? `${plain}; it would match ${subjects} if the server used that as its own certificate.`
    : `${plain}; it would match ${subjects} if the server sent it${fateText(ifSent)}.`
}

function fateText({ fate }: IfSent): string {
  switch (fate) {
    case 'authenticates':
      return ', and the server would have proved itself'
    case 'name-mismatch':
      return ', but the name would not fit'
    case 'nothing':
      return ', but no valid path would lead there'
    default:
      return fate satisfies never
  }
}

/** For a record that names what was sent, and lacks what is between. */
function completed(ifSent: IfSent | undefined): string {
  if (ifSent === undefined || ifSent.fate === 'nothing') return ''
  return ' With the certificates that are known besides, a path would lead there: the server should send them.'
}

function alsoNames(judged: RecordJudgement): string {
  return judged.matches.length === 0 ? '' : `; it names ${namedText(judged)}`
}

/** `CN=R3 at depth 1`, for the nearest match. */
function namedText({ matches, record }: RecordJudgement): string {
  const nearest = nearestMatch(matches)
  if (nearest === null) return 'no certificate that was sent'
  const { certificate, depth, position } = nearest
  const others = matches.length === 1 ? '' : ` and ${matches.length - 1} more`
  if (record.usage === 3 && position === 0)
    return record.selector === 0
      ? "the server's own certificate"
      : "the public key of the server's own certificate"
  if (certificate === null) return keyHolderText(depth)
  return `${subjectText(certificate)} ${depth === null ? '(no signatures lead there from the leaf)' : `at depth ${depth}`}${others}`
}

/** For a key that no certificate in the chain holds. */
function keyHolderText(depth: number | null): string {
  if (depth === null) return 'a key that signed nothing in the chain'
  return depth === 0
    ? "the key that signed the server's own certificate"
    : `the key that signed the certificate at depth ${depth}`
}

/** The match of the least depth. */
function nearestMatch(matches: readonly RecordMatch[]): RecordMatch | null {
  let nearest: RecordMatch | null = null
  for (const match of matches)
    if (
      nearest === null ||
      (match.depth ?? Number.POSITIVE_INFINITY) < (nearest.depth ?? Number.POSITIVE_INFINITY)
    )
      nearest = match
  return nearest
}

const subjectChars = 160
