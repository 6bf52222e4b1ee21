/**
 * One chain, one verdict: the certificates as a server sent them, held against TLSA records or roots, names and a time; as the document
 * `hermetic.verify/1`, which says of every record, certificate and name what became of it.
 *
 * With TLSA records RFC 7672 decides and roots play no part; without, a path to a trusted root does (RFC 5280) and the names of RFC 9525.
 * Nothing is asked of any network, and the time is the caller's. Certificates that are only *known* complete explanations, never a path.
 * What other programs would do with the leaf changes no verdict.
 */
import { createTlsa, tlsaText } from '../protocol/dane/tlsa.ts'
import type { RecordJudgement } from '../protocol/dane/types.ts'
import { canonicalIp } from '../protocol/ip.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import { nameText } from '../protocol/x509/distinguished-name.ts'
import { matchIdentity, presentedNames } from '../protocol/x509/identity.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import { certificateEvidence, fingerprint } from './certificate-evidence.ts'
import { upsideDown, wordsFor } from './chain-advice.ts'
import { type ChainShape, chainShape } from './chain-shape.ts'
import { leafKey } from './key-usage.ts'
import { stackOpinions } from './stacks.ts'
import { placesInOrder, uprightPath } from './upside-down.ts'
import type { KeyExchange, VerifyDocument, VerifyFinding } from './verify-document.ts'
import {
  chainRemarks,
  type Decisive,
  dateRemarks,
  detailOf,
  expiredRemarks,
  faultRemarks,
  keyUsageRemarks,
  type Remark,
  recordRemarks,
  verifyFindings,
} from './verify-findings.ts'
import {
  identityRules,
  type Judged,
  judgeChain,
  missingOnPath,
  type Refusal,
  recordsIfSent,
  type VerifyQuestion,
} from './verify-judgement.ts'
import { numbersText, subjectText, verifyRecords } from './verify-records.ts'
import { shortRecord } from './verify-text.ts'
import { visible } from './visible.ts'

export type { VerifyQuestion } from './verify-judgement.ts'

/**
 * Judges one chain as of `atMs`, in milliseconds since 1970, by its TLSA records (RFC 7672) or, without any, by the roots (RFC 5280, RFC 9525); and tells
 * what became of every record, certificate and name. `exitCodeOf` says which verdicts are success. Whatever the server sent, it never throws.
 */
export function verifyChain(question: VerifyQuestion): VerifyDocument {
  const { chain, names, atMs, keyExchange } = question
  const judged = judgeChain(question)
  const sent = sceneOf(question, judged, null)
  const upright = uprightScene(sent)
  const host = sent.matched ?? names[0] ?? null
  const findings = upright === null ? findingsOf(sent, host) : findingsUpsideDown(sent, upright, host)
  const own = upright?.leaf ?? sent.leaf
  return {
    schema: 'hermetic.verify/1',
    verdict: judged.verdict,
    says: verdictSentence(judged, question.anyName, host, findings[0]?.says ?? ''),
    by: judged.by,
    depth: judged.depth,
    record: judged.record,
    path: judged.path.map(certificate => ({
      position: sent.positionOf(certificate),
      subject: nameText(certificate.subject),
    })),
    records: recordsOf(sent, upright),
    certificates: chain.map(certificateEvidence),
    names: { tried: names, matched: sent.matched },
    findings,
    // What servers make of a client's certificate is another table, which nobody has measured.
    stacks:
      own === null || question.purpose === 'client'
        ? []
        : stackOpinions(leafKey(own.publicKey.facts, own.keyUsage), keyExchange),
    at: timeText(atMs),
  }
}

/** What `hermetic verify` ends with: 0 as hoped, 1 not authenticated, 2 partly. @param anyName `any`: a name that nobody checked will do. */
export function exitCodeOf({ verdict }: Pick<VerifyDocument, 'verdict'>, anyName: 'checked' | 'any'): 0 | 1 | 2 {
  switch (verdict) {
    case 'authenticated':
      return 0
    case 'authenticated-for-unchecked-name':
      return anyName === 'any' ? 0 : 2
    case 'encrypt-only':
      return 2
    case 'not-authenticated':
      return 1
    default:
      return verdict satisfies never
  }
}

/** What the parts of a document are told from. */
interface Scene {
  readonly question: VerifyQuestion
  readonly judged: Judged
  readonly ifSent: ReturnType<typeof recordsIfSent>
  /** Null when it cannot be read, or nothing was sent. */
  readonly leaf: Certificate | null
  /** The name asked for that the leaf carries, whether or not that was needed. */
  readonly matched: string | null
  /** Place in the chain as sent; null for what was not sent. */
  readonly positionOf: (certificate: Certificate) => number | null
  /** Places in the file of the server's own certificate and those above it, where the file is upside down and this is it in order. */
  readonly upright: readonly number[] | null
}

function sceneOf(question: VerifyQuestion, judged: Judged, upright: Scene['upright']): Scene {
  const { chain, names } = question
  const leaf = chain[0]?.kind === 'certificate' ? chain[0].certificate : null
  return {
    question,
    judged,
    ifSent: recordsIfSent(question, judged),
    leaf,
    matched: leaf === null ? null : (matchIdentity(names, leaf, identityRules(question))?.reference ?? null),
    positionOf: positionsIn(chain),
    upright,
  }
}

/** What would be if a file that is upside down were in order: to explain a refusal, and for nothing else. */
function uprightScene({ question, judged }: Scene): Scene | null {
  if (judged.by !== null) return null
  const path = uprightPath(question.chain, question.atMs, createBudget())
  if (path === null) return null
  const chain = placesInOrder(question.chain, path).flatMap(place => question.chain[place] ?? [])
  const inOrder = { ...question, chain }
  return sceneOf(inOrder, judgeChain(inOrder), path)
}

function findingsOf(scene: Scene, host: string | null): readonly VerifyFinding[] {
  const { chain } = scene.question
  const remarks = [...ownRemarks(scene), ...fileRemarks(chain, chainShape(chain), scene)]
  return verifyFindings(decisiveOf(scene), remarks, host)
}

/** The order comes first, then what would be left to tell with it put right; advice that rests on the wrong order would mislead. */
function findingsUpsideDown(sent: Scene, upright: Scene, host: string | null): readonly VerifyFinding[] {
  const isRefused = sent.judged.verdict === 'not-authenticated'
  const next = decisiveOf(upright)
  const nextText =
    next === null
      ? 'In that order the server would have proved itself.'
      : 'That alone does not do: the next finding says what else is in the way.'
  const order: Decisive = {
    code: 'x509.chain-out-of-order',
    severity: isRefused ? 'error' : 'warning',
    position: 0,
    detail: null,
    ...upsideDown(upright.upright ?? [], isRefused ? nextText : ''),
  }
  const places = placesInOrder(sent.question.chain, upright.upright ?? [])
  const remarks = [
    ...ownRemarks(upright).map(remark => ({
      ...remark,
      position: remark.position === null ? null : (places[remark.position] ?? remark.position),
    })),
    ...fileRemarks(sent.question.chain, placedShape(upright.question.chain, places), upright),
  ]
  if (!isRefused) return verifyFindings(decisiveOf(sent), [order, ...remarks], host)
  const { advice: _, ...rest } = next ?? order
  const second = next === null ? [] : [{ ...rest, position: places[rest.position ?? -1] ?? null }]
  return verifyFindings(order, [...second, ...remarks], host)
}

function recordsOf(sent: Scene, upright: Scene | null): VerifyDocument['records'] {
  const records = textsOf(sent)
  if (upright === null) return records
  const inOrder = textsOf(upright)
  return records.map((record, index) => {
    const why = inOrder[index]?.why ?? ''
    return record.state === 'unusable' ? record : { ...record, why: `With the file in order: ${asClause(why)}` }
  })
}

function textsOf({ judged, ifSent }: Scene): VerifyDocument['records'] {
  return verifyRecords(judged.dane?.records ?? [], { decider: judged.record, ifSent })
}

function verdictSentence(
  { verdict, by, record, depth, path, dane }: Judged,
  anyName: VerifyQuestion['anyName'],
  host: string | null,
  why: string,
): string {
  const who = host === null ? 'The server' : visible(host, nameChars)
  switch (verdict) {
    case 'authenticated':
    case 'authenticated-for-unchecked-name': {
      const unchecked =
        verdict === 'authenticated'
          ? ''
          : anyName === 'any'
            ? '; no name was asked for, so this proves nobody in particular'
            : '; which name it should carry was not asked (give `--name`), so this proves nobody in particular'
      if (by === 'pkix')
        return `${who} proved itself by a path to the trusted root ${topText(path)} at depth ${depth ?? 0}${unchecked}.`
      const decider = dane?.records[record ?? -1]
      const numbers = decider === undefined ? '' : ` (${numbersText(decider.record)})`
      return `${who} proved itself by TLSA record ${record ?? 0}${numbers}, which names ${namedByRecord(by, depth ?? 0, path, decider?.record.selector ?? 0, isKeyAlone(dane, record))}${unchecked}.`
    }
    case 'encrypt-only':
      return `${who} has to offer TLS and need not prove itself: ${unusableCount(dane?.records.length ?? 0)}.`
    case 'not-authenticated':
      return `${who} did not prove itself: ${why.startsWith(who) ? why : asClause(why)}`
    default:
      return verdict satisfies never
  }
}

/** A sentence of the register behind a colon. Abbreviations keep their capitals. */
function asClause(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z]* )/, letter => letter.toLowerCase())
}

function namedByRecord(
  by: Judged['by'],
  depth: number,
  path: readonly Certificate[],
  selector: number,
  isKey: boolean,
): string {
  if (by === 'dane-ee')
    return selector === 0 ? "the server's own certificate" : "the public key of the server's own certificate"
  if (!isKey) return `its issuer ${topText(path)} at depth ${depth}`
  return depth === 0
    ? "the key that signed the server's own certificate, at depth 0"
    : `the key that signed ${topText(path)} at depth ${depth}`
}

/** Whether the deciding record holds a key that no certificate of the path has. */
function isKeyAlone(dane: Judged['dane'], record: number | null): boolean {
  if (dane === null || record === null || dane.verdict.kind !== 'authenticated') return false
  return dane.verdict.path?.anchor.kind === 'key'
}

function topText(path: readonly Certificate[]): string {
  const top = path.at(-1)
  return top === undefined ? 'of nobody' : subjectText(top)
}

function decisiveOf(scene: Scene): Decisive | null {
  const { question, judged, leaf, positionOf } = scene
  const { verdict, refusal } = judged
  if (refusal === null) return null
  const notSent = refusal.reason === 'dane.no-match' ? whatWasNotSent(scene) : null
  if (notSent !== null) return notSent
  const { reason, detail, certificate } = refusal
  const position = placeOf(question, refusal, positionOf)
  return {
    code: reason,
    severity: verdict === 'encrypt-only' ? 'warning' : 'error',
    position,
    detail: refusalDetail(question, judged, refusal, leaf) ?? detailOf(reason, certificate, detail),
    ...wordsFor(reason, position, question.chain[position ?? -1]),
    ...(reason === 'x509.name-mismatch' && question.tlsa !== null && question.names.every(isAddress)
      ? { remedy: () => 'Ask for the host by the name that its TLSA records stand under (`--name`).' }
      : {}),
    ...(reason === 'dane.no-match' && leaf !== null
      ? { advice: `For the key that it has now that record is \`${recordFor(leaf)}\`.` }
      : {}),
  }
}

/** Of a chain that would prove itself with what is known besides: then the zone is right, and the server is to send more. */
function whatWasNotSent({ ifSent, judged }: Scene): Decisive | null {
  const [found] = [...ifSent].filter(([, { fate }]) => fate === 'authenticates')
  const record = judged.dane?.records[found?.[0] ?? -1]
  if (found === undefined || record === undefined) return null
  const [index, { subjects, between }] = found
  const names = `record ${index}, ${numbersText(record.record)}`
  // The record's certificate itself, or one on the way to it.
  return subjects.length > 0
    ? {
        code: 'dane.issuer-not-sent',
        severity: 'error',
        position: null,
        detail: `${names}: ${subjects.join(', ')}`,
      }
    : {
        code: 'x509.missing-intermediate',
        severity: 'error',
        position: 0,
        detail: `${names}: a path would lead there if the server sent ${between.join(' and ')}`,
      }
}

function placeOf(
  { chain }: VerifyQuestion,
  { reason, certificate }: Refusal,
  positionOf: Scene['positionOf'],
): number | null {
  if (certificate !== null) return positionOf(certificate)
  if (reason === 'x509.name-mismatch') return 0
  const malformed = reason === 'x509.malformed' ? chain.findIndex(({ kind }) => kind === 'malformed') : -1
  return malformed === -1 ? null : malformed
}

/** What the judge leaves to us to say; null: its own words will do. */
function refusalDetail(
  question: VerifyQuestion,
  { dane }: Judged,
  { reason, certificate }: Refusal,
  leaf: Certificate | null,
): string | null {
  switch (reason) {
    case 'x509.name-mismatch':
      return leaf === null ? null : mismatchText(question, leaf)
    case 'dane.no-match':
      return leaf === null || dane === null ? null : noMatchText(question.chain, leaf, dane.records)
    case 'dane.all-unusable':
      return unusableCount(dane?.records.length ?? 0)
    case 'x509.untrusted-root':
    case 'x509.missing-intermediate': {
      const missing = dane === null ? missingOnPath(question) : []
      return missing.length === 0
        ? null
        : detailOf(
            'x509.no-certificate',
            certificate,
            `a path would lead to a root if the server sent ${missing.join(' and ')}`,
          )
    }
    default:
      return null
  }
}

/** In the order of the chain that the scene is about. */
function ownRemarks(scene: Scene): readonly Remark[] {
  const { judged, ifSent } = scene
  return [...remarksOn(scene), ...(judged.dane === null ? [] : recordRemarks(judged.dane, ifSent))]
}

/** Of the file: places are its own. */
function fileRemarks(chain: readonly Read[], shape: ChainShape, { judged, question }: Scene): readonly Remark[] {
  const named = new Set(
    (judged.dane?.records ?? []).flatMap(({ matches }) =>
      matches.map(({ position }) => chain.indexOf(question.chain[position ?? -1] ?? notSent)),
    ),
  )
  return chainRemarks(chain, shape, named)
}

/** The shape of a chain that was put in order, in places of the file. */
function placedShape(chain: readonly Read[], places: readonly number[]): ChainShape {
  const { strangers, copies, roots, missing } = chainShape(chain)
  const place = (position: number) => places[position] ?? position
  return {
    early: [],
    strangers: strangers.map(place),
    copies: copies.map(({ position, of }) => ({ position: place(position), of: place(of) })),
    roots: roots.map(place),
    missing,
  }
}

function remarksOn({ question, judged, leaf, matched, positionOf }: Scene): readonly Remark[] {
  const { chain, names, tlsa, rootsGiven, purpose, keyExchange, atMs } = question
  const isEe = judged.by === 'dane-ee'
  const isKeyUsageTold = [judged.refusal, ...judged.faults].some(told => told?.reason === 'x509.leaf-key-usage')
  return [
    ...(isEe && leaf !== null ? dateRemarks(leaf, atMs) : []),
    ...(isEe && leaf !== null && names.length > 0 && matched === null
      ? [
          {
            code: 'x509.name-mismatch' as const,
            severity: 'info' as const,
            position: 0,
            detail: `${mismatchText(question, leaf)}; a TLSA record with usage 3 does not ask for names`,
          },
        ]
      : []),
    // A new certificate that mends what refused this one should not fail on its name.
    ...(judged.refusal !== null &&
    judged.refusal.reason !== 'x509.name-mismatch' &&
    leaf !== null &&
    names.length > 0 &&
    matched === null
      ? [{ code: 'x509.name-mismatch' as const, position: 0, detail: mismatchText(question, leaf) }]
      : []),
    ...faultRemarks(judged.faults, positionOf),
    ...(leaf === null || isKeyUsageTold
      ? []
      : keyUsageRemarks(leaf, purpose === 'client' ? clientsOnlySign : keyExchange)),
    ...(judged.by === null ? [] : expiredRemarks(chain, judged.path, atMs)),
    ...(tlsa !== null && rootsGiven
      ? [{ code: 'dane.roots-ignored' as const, position: null, detail: null }]
      : []),
  ]
}

function mismatchText(
  { names: wanted, tlsa, cnFallback, isPublicSuffix }: VerifyQuestion,
  leaf: Certificate,
): string {
  const presented = presentedNames(leaf)
  const names = presented.filter(({ type }) => type === 'dns' || type === 'ip')
  const carried = listText(names.map(({ value }) => value))
  const hasAddress = wanted.some(isAddress)
  const fitsByCommonName =
    tlsa === null &&
    cnFallback === 'never' &&
    matchIdentity(wanted, leaf, { cn: 'if-no-dns-id', ip: 'allow', isPublicSuffix }) !== null
  const clauses = [
    `wanted ${listText(wanted)}; it carries ${carried === '' ? 'no name' : carried}`,
    ...(tlsa !== null && hasAddress ? ['addresses never count under TLSA'] : []),
    ...(fitsByCommonName ? ['its common name would fit, and counts only with `--cn-fallback`'] : []),
  ]
  return clauses.join('; ')
}

function isAddress(name: string): boolean {
  return canonicalIp(name) !== null
}

function listText(names: readonly string[]): string {
  const shown = names.slice(0, shownNames).map(name => visible(name, nameChars))
  return `${shown.join(', ')}${names.length > shownNames ? ` and ${names.length - shownNames} more` : ''}`
}

/** What comes nearest to a match, and what the zone would have to say for this leaf. */
function noMatchText(chain: readonly Read[], leaf: Certificate, records: readonly RecordJudgement[]): string {
  const first = (matching: (record: RecordJudgement) => boolean) => records.find(matching)?.index
  const wrongUsage = first(({ outcome }) => outcome?.kind === 'ta-is-leaf')
  const notLeaf = first(({ outcome }) => outcome?.kind === 'ee-not-leaf')
  const shadowed = first(({ state, matches }) => state === 'shadowed' && matches.length > 0)
  const issuer = records.some(({ state, record }) => state === 'counts' && record.usage === 2)
    ? chainShape(chain).missing
    : null
  const clauses = [
    ...(wrongUsage === undefined ? [] : [`record ${wrongUsage} names it with usage 2 instead of 3`]),
    ...(notLeaf === undefined ? [] : [`record ${notLeaf} names an issuer with usage 3 instead of 2`]),
    ...(shadowed === undefined ? [] : [`record ${shadowed} would match, and is set aside for a stronger digest`]),
    ...(issuer === null
      ? []
      : [`${visible(nameText(issuer), nameChars)}, which issued what was sent, was not sent itself`]),
  ]
  const own = `a record for its present key would be ${shortRecord(recordFor(leaf))}`
  return [...clauses.slice(0, 1), own].join('; ')
}

/** `3 1 1 …`. */
function recordFor(leaf: Certificate): string {
  const [record] = createTlsa(leaf, { usages: [3], selectors: [1], matchingTypes: [1] })
  return record === undefined ? '3 1 1' : tlsaText(record)
}

function unusableCount(count: number): string {
  return count === 1 ? 'its one TLSA record is unusable' : `all its ${count} TLSA records are unusable`
}

function positionsIn(chain: readonly Read[]): Scene['positionOf'] {
  const positions = new Map<string, number>()
  for (const [position, read] of chain.entries()) {
    const sha256 = fingerprint(read.kind === 'certificate' ? read.certificate.der : read.der)
    if (!positions.has(sha256)) positions.set(sha256, position)
  }
  // Asked once for each fault, and a certificate may be large.
  const known = new WeakMap<Certificate, number | null>()
  return certificate => {
    const asked = known.get(certificate)
    if (asked !== undefined) return asked
    const position = positions.get(fingerprint(certificate.der)) ?? null
    known.set(certificate, position)
    return position
  }
}

/** RFC 3339 in UTC. */
function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** RFC 5246 §7.4.8: whatever the key exchange, a client proves its certificate by a signature. */
const clientsOnlySign: KeyExchange = 'tls1.3'

/** In no chain. */
const notSent: Read = { kind: 'malformed', der: new Uint8Array(0), detail: '' }
const shownNames = 5
const nameChars = 80
