/**
 * Whether an RRset is what its zone says: secure, insecure, or bogus (RFC 4035 §5.3), and the same for what an answer does not hold (§5.4).
 *
 * Whose word counts is found by the signers' names, the deepest first: one that is the apex of a zone, and above the owner, may speak. When no signature holds, the way
 * down to the owner itself decides: below a delegation proven to be unsigned nothing else is to be expected, everywhere else it is bogus. Names of signers
 * cost questions, so few of them are looked at.
 *
 * That no zone begins between signer and owner is not asked for, as it is not by other validators: it would cost a DS question for each label of each name, and
 * whoever has the upper zone's key can delegate as he likes. A zone in between that is known already is another matter: what is its own the zone above does not sign
 * (RFC 4035 §5.3.1), but for the NSEC of the delegation.
 */
import { equalNames, type Name, nameKey } from '../dns/name.ts'
import { typeName, typeNumbers } from '../dns/numbers.ts'
import type { DnsReason } from '../dns/reasons.ts'
import { proveNoData, proveNoDs, proveNoName, proveWildcard } from './denial.ts'
import { nameInText, said, unproven } from './denial-rules.ts'
import type { Denial } from './denial-types.ts'
import type { Descent, SecureZone, Standing, Unvouched } from './descent.ts'
import { type Evidence, isProof, readEvidence, whyUnproven } from './evidence.ts'
import type { Inquiry, Reply, WireWalk } from './inquiry.ts'
import type { BogusReason, InsecureReason } from './reasons.ts'
import type { Rrset, ZoneStep } from './types.ts'
import { verifyRrsetWithKeys } from './verify-set.ts'

export type Message = Extract<Reply, { kind: 'message' }>

/** `steps`: the zones that led here, and this judgement last. `ttlSeconds`: as in `ValidatedAnswer`; null: as received. */
export type SetJudgement = { readonly steps: readonly ZoneStep[] } & (
  | { readonly security: 'secure'; readonly reason: null; readonly ttlSeconds: number }
  | Loose
  | Broken
)

export type DenialJudgement = { readonly steps: readonly ZoneStep[] } & (
  | {
      readonly security: 'secure'
      readonly reason: null
      readonly outcome: 'no-data' | 'no-such-name'
      readonly ttlSeconds: number
    }
  | Loose
  | Broken
)

/** Nothing vouches for it; what the server says is all there is. `ttlSeconds`: how long that may be kept, if something limits it. */
interface Loose {
  readonly security: 'insecure' | 'indeterminate'
  readonly reason: InsecureReason | 'dnssec.no-anchor'
}

/** Not to be used. */
type Broken =
  | { readonly security: 'bogus'; readonly reason: BogusReason }
  | { readonly security: 'failed'; readonly reason: DnsReason }

export interface Judge {
  readonly rrset: (rrset: Rrset, message: Message) => WireWalk<SetJudgement>
  /** There is no such record of `type` at `name`, says the message, or no such name. */
  readonly absence: (name: Name, type: number, message: Message) => WireWalk<DenialJudgement>
  /** Asks ahead what the judgement of all of this is going to need. */
  readonly prepare: (message: Message, name: Name) => WireWalk<void>
}

export function createJudge(inquiry: Inquiry, descent: Descent): Judge {
  const { nowMs, sha1 = 'insecure' } = inquiry.context

  function* rrset(set: Rrset, message: Message): WireWalk<SetJudgement> {
    const what = `${said(set.name)} ${typeName(set.type)}`
    let fault: Fault | null = null
    for (const signer of signersFor(set.name, set.type, [set])) {
      const standing = yield* descent.standingOf(signer, 'zone')
      if (standing.kind === 'insecure' || standing.kind === 'indeterminate') return loose(standing, what)
      if (standing.kind !== 'secure') {
        fault ??= { ...brokenOf(standing), steps: standing.steps }
        continue
      }
      if (!equalNames(standing.zone, signer)) {
        fault ??= strange(what, signer, standing)
        continue
      }
      const verdict = verifyRrsetWithKeys(set, signer, standing.keys, { nowMs, sha1, budget: inquiry.budget })
      if (verdict.kind === 'bogus') {
        fault ??= bogus(standing, verdict.reason, verdict.detail)
        continue
      }
      const apex = set.type === typeNumbers.NSEC ? null : descent.provenApexAbove(containerOf(set.name, set.type))
      if (apex !== null && apex.length > signer.length) {
        fault ??= strange(what, signer, { ...standing, zone: apex })
        continue
      }
      if (verdict.isWildcard) return expanded(set, verdict.signature.labels, verdict.ttlSeconds, standing, message)
      const says = `${what} is signed by ${nameInText(signer)}.`
      return {
        security: 'secure',
        reason: null,
        ttlSeconds: verdict.ttlSeconds,
        steps: [...standing.steps, step(signer, 'secure', null, says)],
      }
    }
    // More verifications than are done for one answer prove nothing, wherever the name lies.
    if (fault?.reason === 'dnssec.over-budget') return fault

    const standing = yield* descent.standingOf(containerOf(set.name, set.type), 'name')
    if (standing.kind === 'insecure' || standing.kind === 'indeterminate') return loose(standing, what)
    if (fault !== null) return fault
    if (standing.kind !== 'secure') return { ...brokenOf(standing), steps: standing.steps }
    const [stranger] = set.signatures
    return stranger === undefined
      ? bogus(
          standing,
          'dnssec.signature-missing',
          `${what} came without a signature, and ${nameInText(standing.zone)} signs.`,
        )
      : strange(what, stranger.signer, standing)
  }

  /** The records were made from a wildcard: is it proven that nothing closer exists (RFC 4035 §5.3.4)? */
  function expanded(
    set: Rrset,
    labels: number,
    setTtlSeconds: number,
    standing: SecureZone,
    message: Message,
  ): SetJudgement {
    const what = `${said(set.name)} ${typeName(set.type)}`
    const evidence = readEvidence(inquiry, standing, message.authorities)
    const proof = proveWildcard(evidence, set.name, labels)
    const wildcard = `*${labels === 0 ? '.' : `.${said(set.name.slice(set.name.length - labels))}`}`
    const ttlSeconds = Math.min(setTtlSeconds, evidence.ttlSeconds)
    switch (proof.kind) {
      case 'proven': {
        const says = `${what} is made from the wildcard ${wildcard} signed by ${nameInText(standing.zone)}, which proves with ${evidence.mechanism} that nothing closer exists.`
        return {
          security: 'secure',
          reason: null,
          ttlSeconds,
          steps: [...standing.steps, step(standing.zone, 'secure', null, says)],
        }
      }
      case 'opt-out':
      case 'too-many-iterations':
        return looseProof(proof, what, standing)
      case 'unproven': {
        const says = `${what} is made from the wildcard ${wildcard}, and it is not proven that nothing closer exists. ${proof.detail}`
        return bogus(standing, 'dnssec.wildcard-unproven', says)
      }
      default:
        return proof satisfies never
    }
  }

  function* absence(name: Name, type: number, message: Message): WireWalk<DenialJudgement> {
    const what = `${said(name)} ${typeName(type)}`
    let fault: Fault | null = null
    for (const signer of signersFor(name, type, message.authorities.filter(isDenial))) {
      const standing = yield* descent.standingOf(signer, 'zone')
      if (standing.kind === 'insecure' || standing.kind === 'indeterminate') return loose(standing, what)
      if (standing.kind !== 'secure') {
        fault ??= { ...brokenOf(standing), steps: standing.steps }
        continue
      }
      if (!equalNames(standing.zone, signer)) {
        fault ??= strange(what, signer, standing)
        continue
      }
      const evidence = readEvidence(inquiry, standing, message.authorities)
      const { outcome, proof } = prove(evidence, name, type)
      switch (proof.kind) {
        case 'proven': {
          const missing =
            outcome === 'no-data'
              ? `there are no ${typeName(type)} records at ${said(name)}`
              : `${said(name)} does not exist`
          const says = `${nameAsSubject(standing.zone)} proves with ${evidence.mechanism} that ${missing}.`
          return {
            security: 'secure',
            reason: null,
            outcome,
            ttlSeconds: evidence.ttlSeconds,
            steps: [...standing.steps, step(standing.zone, 'secure', null, says)],
          }
        }
        case 'opt-out':
        case 'too-many-iterations':
          return looseProof(proof, what, standing)
        case 'unproven': {
          const { reason, detail } = whyUnproven(evidence, proof)
          fault ??= bogus(standing, reason, detail)
          break
        }
        default:
          return proof satisfies never
      }
    }
    if (fault?.reason === 'dnssec.over-budget') return fault

    const standing = yield* descent.standingOf(containerOf(name, type), 'name')
    if (standing.kind === 'insecure' || standing.kind === 'indeterminate') return loose(standing, what)
    if (fault !== null) return fault
    if (standing.kind !== 'secure') return { ...brokenOf(standing), steps: standing.steps }
    // Whatever came is not the zone's word; why not, is worth telling.
    const says = `There is no ${what}, says the server, and nothing that ${nameInText(standing.zone)} has signed says so.`
    const evidence = readEvidence(inquiry, standing, message.authorities)
    return bogus(standing, whyUnproven(evidence, unproven('dnssec.denial-unproven', says)).reason, says)
  }

  function* prepare(message: Message, name: Name): WireWalk<void> {
    const asked = [...message.answers, ...message.authorities.filter(isDenial)]
    const signers = new Map<string, Name>()
    for (const { name: owner, type, signatures } of asked)
      for (const { signer } of signatures)
        if (signers.size < maxSigners && maySign(signer, owner, type)) signers.set(nameKey(signer), signer)
    const questions =
      signers.size === 0
        ? descent.questionsTowards(name, 'name')
        : [...signers.values()].flatMap(signer => descent.questionsTowards(signer, 'zone'))
    yield* inquiry.prefetch(questions)
  }

  /** Apexes that could vouch for the owner, by the word of the signatures: the deepest first. */
  function signersFor(name: Name, type: number, rrsets: readonly Rrset[]): readonly Name[] {
    const signers = new Map<string, Name>()
    for (const { signatures } of rrsets)
      for (const { signer } of signatures) if (maySign(signer, name, type)) signers.set(nameKey(signer), signer)
    return [...signers.values()].sort((one, other) => other.length - one.length).slice(0, maxSigners)
  }

  /**
   * A zone signs what is at and below its apex; the DS at its apex is its parent's (RFC 4035 §2.4). A zone above the nearest anchor is never asked: else what is
   * known of that one, unsigned or unknown, would be taken for what is known of the name.
   */
  function maySign(signer: Name, owner: Name, type: number): boolean {
    return descent.mayLeadTo(signer, containerOf(owner, type))
  }

  return { rrset, absence, prepare }
}

type Fault = { readonly steps: readonly ZoneStep[] } & Broken

/** The two things that an answer without records can mean: whichever is proven. The response code is not asked. */
function prove(
  evidence: Evidence,
  name: Name,
  type: number,
): { readonly outcome: 'no-data' | 'no-such-name'; readonly proof: Denial } {
  const noData = { outcome: 'no-data', proof: proveNoDataOf(evidence, name, type) } as const
  if (noData.proof.kind === 'proven') return noData
  const noName = { outcome: 'no-such-name', proof: proveNoName(evidence, name) } as const
  if (noName.proof.kind === 'proven') return noName
  const both = [noData, noName]
  return (
    both.find(({ proof }) => proof.kind !== 'unproven') ??
    both.find(({ proof }) => proof.kind === 'unproven' && proof.reason !== 'dnssec.denial-unproven') ??
    noName
  )
}

/** A DS is its parent's, and so is its absence (RFC 4035 §5.2): that the delegation is unsigned is what was to be proven. */
function proveNoDataOf(evidence: Evidence, name: Name, type: number): Denial {
  if (type === typeNumbers.DS && name.length > evidence.zone.length) {
    const proof = proveNoDs(evidence, name)
    if (proof.kind !== 'not-delegated') return proof
  }
  return proveNoData(evidence, name, type)
}

/** The name in whose zone the records are. */
function containerOf(name: Name, type: number): Name {
  return type === typeNumbers.DS ? name.slice(1) : name
}

function isDenial({ type }: Rrset): boolean {
  return isProof(type) || type === typeNumbers.SOA
}

function loose(standing: Unvouched, what: string) {
  const says = `Nothing vouches for ${what}.`
  const security = standing.kind
  return {
    security,
    reason: standing.reason,
    steps: [...standing.steps, step(standing.zone, security, standing.reason, says)],
  } as const
}

function looseProof(
  { kind }: Extract<Denial, { kind: 'opt-out' | 'too-many-iterations' }>,
  what: string,
  standing: SecureZone,
) {
  const reason = kind === 'opt-out' ? 'dnssec.opt-out' : 'dnssec.too-many-iterations'
  const says =
    kind === 'opt-out'
      ? `Nothing vouches for ${what}: it lies among delegations without a signature (opt-out).`
      : `Nothing vouches for ${what}: the NSEC3 records of ${nameInText(standing.zone)} ask for more iterations than are done.`
  return {
    security: 'insecure',
    reason,
    steps: [...standing.steps, step(standing.zone, 'insecure', reason, says)],
  } as const
}

function brokenOf(standing: Extract<Standing, { kind: 'bogus' | 'failed' }>): Broken {
  return standing.kind === 'bogus'
    ? { security: 'bogus', reason: standing.reason }
    : { security: 'failed', reason: standing.reason }
}

function strange(what: string, signer: Name, standing: SecureZone): Fault {
  const says = `${what} is signed by ${nameInText(signer)}, and belongs to ${standing.zone.length === 0 ? 'the root' : `the zone ${said(standing.zone)}`}.`
  return bogus(standing, 'dnssec.signer-not-zone', says)
}

function bogus(standing: SecureZone, reason: BogusReason, says: string): Fault {
  return {
    security: 'bogus',
    reason,
    steps: [...standing.steps, step(standing.zone, 'bogus', reason, says)],
  }
}

function step(zone: Name, security: ZoneStep['security'], reason: ZoneStep['reason'], says: string): ZoneStep {
  return { zone: said(zone), security, reason, says }
}

function nameAsSubject(zone: Name): string {
  return zone.length === 0 ? 'The root' : said(zone)
}

/** Different signers looked at for one RRset, one absence or one message. Real ones have one, a message with aliases one for each zone. */
const maxSigners = 4
