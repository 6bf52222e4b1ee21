/**
 * The way down from a trust anchor to the zone that a name lies in (RFC 4035 §5.2), and what became of it.
 *
 * From one zone to the next leads a DS set that the upper one signed, and a DNSKEY set that the DS set names. The way ends at a delegation that is proven to have
 * no DS, or only such as nothing can be done with: below it everything is insecure. Where no zone begins is proven too, name by name, so that where a zone begins and
 * ends is never a server's word. What is neither shown nor proven is bogus; a server that does not answer is neither, and everything below it has failed.
 *
 * Keys of zones come from the cache where it has them, and go there with the time until which the whole way down to them holds. Each question is asked once; what is
 * likely to be needed is asked at the same time.
 */
import type { ResourceRecord } from '../dns/message.ts'
import { equalNames, isAtOrBelow, type Name, nameKey } from '../dns/name.ts'
import { typeNumbers } from '../dns/numbers.ts'
import type { DnsReason } from '../dns/reasons.ts'
import { proveNoDs } from './denial.ts'
import { nameInText, said } from './denial-rules.ts'
import { readEvidence, whyUnproven } from './evidence.ts'
import { findRrset, type Inquiry, type Reply, type WireWalk } from './inquiry.ts'
import { type TrustPoint, trustedKeys, unusableTrust } from './keys.ts'
import type { BogusReason, InsecureReason } from './reasons.ts'
import { readDs } from './records.ts'
import type { Dnskey, KnownZone, TrustAnchor, WireQuestion, ZoneStep } from './types.ts'
import { verifyRrsetWithKeys } from './verify-set.ts'

/** What is known of the zone that a name lies in. `steps`: how, zone by zone from the anchor; the last one says it. */
export type Standing = SecureZone | Unvouched | Broken

export interface SecureZone {
  readonly kind: 'secure'
  /** Its apex. */
  readonly zone: Name
  readonly keys: readonly Dnskey[]
  readonly expiresAtMs: number
  readonly steps: readonly ZoneStep[]
}

/** Nothing vouches for the name, and nothing is meant to. `zone`: where that begins. */
export type Unvouched = { readonly zone: Name; readonly steps: readonly ZoneStep[] } & (
  | { readonly kind: 'insecure'; readonly reason: InsecureReason; readonly expiresAtMs: number }
  | { readonly kind: 'indeterminate'; readonly reason: 'dnssec.no-anchor' }
)

export type Broken = { readonly zone: Name; readonly steps: readonly ZoneStep[]; readonly says: string } & (
  | { readonly kind: 'bogus'; readonly reason: BogusReason }
  | { readonly kind: 'failed'; readonly reason: DnsReason }
)

/** What somebody says the name is: the apex of a zone, as a signature has it, or any name. It decides only what is asked ahead. */
export type Expectation = 'zone' | 'name'

export interface Descent {
  /** The zone that the name lies in; for an apex the zone itself. */
  readonly standingOf: (name: Name, expects: Expectation) => WireWalk<Standing>
  /** What `standingOf` will want to know of servers, as far as can be told before. */
  readonly questionsTowards: (name: Name, expects: Expectation) => readonly WireQuestion[]
  /** Whether the zone could be on the way to the name: it is not above the name's own anchor. The word of one that is counts for nothing. */
  readonly mayLeadTo: (zone: Name, name: Name) => boolean
  /** The lowest zone at or above the name that is proven to be one, by what is known already; null when nothing is. */
  readonly provenApexAbove: (name: Name) => Name | null
}

export function openDescent(inquiry: Inquiry): Descent {
  const { context } = inquiry
  /** By child: the zone that begins there, or that none does. */
  const cuts = new Map<string, Standing | 'no-cut'>()

  function* standingOf(name: Name, expects: Expectation): WireWalk<Standing> {
    const start = startFor(name)
    if (start.kind !== 'anchored') return start
    yield* inquiry.prefetch(questionsTowards(name, expects))
    let here: Standing = lowestKnown(start.zone, name) ?? (yield* remember(start.zone, anchoredZone(start)))
    for (let length = here.zone.length + 1; length <= name.length && here.kind === 'secure'; length++) {
      const child = name.slice(name.length - length)
      const next: Standing | 'no-cut' = cuts.get(nameKey(child)) ?? (yield* remember(child, stepDown(here, child)))
      if (next !== 'no-cut') here = next
    }
    return here
  }

  function questionsTowards(name: Name, expects: Expectation): readonly WireQuestion[] {
    const start = startFor(name)
    if (start.kind !== 'anchored') return []
    const known = lowestKnown(start.zone, name)
    if (known !== null && known.kind !== 'secure') return []
    const questions: WireQuestion[] = []
    if (known === null) questions.push({ name: start.zone, type: typeNumbers.DNSKEY })
    const from = (known?.zone ?? start.zone).length + 1
    const to = Math.min(name.length, from + maxAhead[expects] - 1)
    for (let length = from; length <= to; length++) {
      const child = name.slice(name.length - length)
      if (cuts.has(nameKey(child))) continue
      questions.push({ name: child, type: typeNumbers.DS })
      if (expects === 'zone' || length < to) questions.push({ name: child, type: typeNumbers.DNSKEY })
    }
    return questions
  }

  function mayLeadTo(zone: Name, name: Name): boolean {
    const start = startFor(name)
    // Where nothing is validated there is nothing to lose: what a zone above can prove all the same, it proves.
    return isAtOrBelow(name, zone) && (start.kind !== 'anchored' || zone.length >= start.zone.length)
  }

  function provenApexAbove(name: Name): Name | null {
    const start = startFor(name)
    const known = start.kind === 'anchored' ? lowestKnown(start.zone, name) : null
    return known?.kind === 'secure' || known?.kind === 'insecure' ? known.zone : null
  }

  /** The nearest anchor decides, be it positive or negative; where both stand at one name nothing is validated (RFC 7646). */
  function startFor(name: Name): Anchored | Unvouched {
    const above = context.anchors.filter(({ zone }) => isAtOrBelow(name, zone))
    const depth = above.reduce((deepest, { zone }) => Math.max(deepest, zone.length), -1)
    const [negative] = context.insecure
      .filter(zone => isAtOrBelow(name, zone) && zone.length >= depth)
      .sort((one, other) => other.length - one.length)
    if (negative !== undefined) return negativelyAnchored(negative)
    const anchors = above.filter(({ zone }) => zone.length === depth)
    const [first] = anchors
    return first === undefined ? unanchored(name) : { kind: 'anchored', zone: first.zone, anchors }
  }

  /** The lowest zone on the way from the anchor to the name of which something is known. */
  function lowestKnown(anchor: Name, name: Name): Standing | null {
    for (let length = name.length; length >= anchor.length; length--) {
      const zone = name.slice(name.length - length)
      const found = cuts.get(nameKey(zone)) ?? context.zones.get(zone, context.nowMs)
      if (found !== null && found !== 'no-cut') return { ...found, zone }
    }
    return null
  }

  /** Keeps what was found: for this validation whatever it is, for others only what is proven. */
  function* remember<Found extends Standing | 'no-cut'>(zone: Name, walk: WireWalk<Found>): WireWalk<Found> {
    const found = yield* walk
    cuts.set(nameKey(zone), found)
    if (found !== 'no-cut' && (found.kind === 'secure' || found.kind === 'insecure') && !inquiry.isExhausted())
      context.zones.put(zone, knownZone(found))
    return found
  }

  function* anchoredZone({ zone, anchors }: Anchored): WireWalk<Standing> {
    const tags = anchors.map(anchor => (anchor.kind === 'ds' ? anchor.ds.keyTag : anchor.dnskey.keyTag))
    const by = `trust anchor ${[...new Set(tags)].join(', ')}`
    return yield* zoneWithKeys(
      zone,
      anchors,
      Number.POSITIVE_INFINITY,
      [],
      tag => `${by} vouches for its key ${tag}`,
    )
  }

  function* stepDown(parent: SecureZone, child: Name): WireWalk<Standing | 'no-cut'> {
    const reply = yield* inquiry.replyTo({ name: child, type: typeNumbers.DS })
    if (reply.kind === 'failed') return failed(child, parent.steps, reply.reason, reply.says)
    const rrset = findRrset(reply.answers, child, typeNumbers.DS)
    if (rrset === null) return withoutDs(parent, child, reply)
    const verdict = verify(parent, rrset)
    if (verdict.kind === 'bogus') return bogus(child, parent.steps, verdict.reason, verdict.detail)
    // A delegation cannot be made from a wildcard (RFC 4592 §4.2), nor what vouches for it.
    if (verdict.isWildcard)
      return bogus(
        child,
        parent.steps,
        'dnssec.wildcard-unproven',
        `The DS records of ${said(child)} are made from a wildcard.`,
      )
    const expiresAtMs = Math.min(parent.expiresAtMs, context.nowMs + verdict.ttlSeconds * 1000)
    const points = rrset.records.flatMap(trustPoint)
    if (points.length === 0)
      return bogus(child, parent.steps, 'dnssec.malformed', `The DS records of ${said(child)} cannot be read.`)
    return yield* zoneWithKeys(
      child,
      points,
      expiresAtMs,
      parent.steps,
      tag => `its key ${tag} is named by the DS in ${nameInText(parent.zone)}`,
    )
  }

  function* zoneWithKeys(
    zone: Name,
    trust: readonly TrustPoint[],
    trustExpiresAtMs: number,
    above: readonly ZoneStep[],
    how: (keyTag: number) => string,
  ): WireWalk<Standing> {
    const unusable = unusableTrust(zone, trust, context.sha1)
    if (unusable !== null) return insecure(zone, above, unusable.reason, unusable.detail, trustExpiresAtMs)
    const reply = yield* inquiry.replyTo({ name: zone, type: typeNumbers.DNSKEY })
    if (reply.kind === 'failed') return failed(zone, above, reply.reason, reply.says)
    const rrset = findRrset(reply.answers, zone, typeNumbers.DNSKEY)
    const trusted = trustedKeys(zone, rrset, trust, signatureContext())
    if (trusted.kind === 'bogus') return bogus(zone, above, trusted.reason, trusted.detail)
    if (trusted.kind === 'insecure') return insecure(zone, above, trusted.reason, trusted.detail, trustExpiresAtMs)
    return {
      kind: 'secure',
      zone,
      keys: trusted.keys,
      expiresAtMs: Math.min(trustExpiresAtMs, context.nowMs + trusted.ttlSeconds * 1000),
      steps: [
        ...above,
        {
          zone: said(zone),
          security: 'secure',
          reason: null,
          says: `${sentenceStart(zone)} is signed: ${how(trusted.signature.keyTag)}.`,
        },
      ],
    }
  }

  /** There is no DS: because there is no zone, because there is no signed one, or because somebody took it away. */
  function withoutDs(
    parent: SecureZone,
    child: Name,
    reply: Extract<Reply, { kind: 'message' }>,
  ): Standing | 'no-cut' {
    if (isAliasOf(parent, child, reply)) return 'no-cut'
    const evidence = readEvidence(inquiry, parent, reply.authorities)
    const proof = proveNoDs(evidence, child)
    const expiresAtMs = Math.min(parent.expiresAtMs, context.nowMs + evidence.ttlSeconds * 1000)
    const by = `${nameInText(parent.zone)} proves with ${evidence.mechanism}`
    switch (proof.kind) {
      case 'not-delegated':
        return 'no-cut'
      case 'proven':
        return insecure(
          child,
          parent.steps,
          'dnssec.unsigned-delegation',
          `${said(child)} is not signed: ${by} that there is no DS.`,
          expiresAtMs,
        )
      case 'opt-out':
        return insecure(
          child,
          parent.steps,
          'dnssec.opt-out',
          `${said(child)} is not signed: ${by} that it lies among delegations without a signature (opt-out).`,
          expiresAtMs,
        )
      case 'too-many-iterations':
        return insecure(
          child,
          parent.steps,
          'dnssec.too-many-iterations',
          `${said(child)} counts as not signed: the NSEC3 records of ${nameInText(parent.zone)} ask for more iterations than are done.`,
          expiresAtMs,
        )
      case 'unproven': {
        const { reason, detail } = whyUnproven(evidence, proof)
        return bogus(child, parent.steps, reason, `It is not proven that ${said(child)} has no DS. ${detail}`)
      }
      default:
        return proof satisfies never
    }
  }

  /**
   * Whether the parent says that the name is an alias, or below a DNAME: then no zone begins there (RFC 1034 §3.6.2, RFC 6672 §2.4), and the DS question has
   * been answered for somebody else. A CNAME made from a wildcard counts although it may not be the closest match. That errs to the safe side: where no zone
   * begins the signatures of the one above are asked for.
   */
  function isAliasOf(parent: SecureZone, child: Name, { answers }: Extract<Reply, { kind: 'message' }>): boolean {
    const aliases = answers.filter(
      ({ name, type, signatures }) =>
        signatures.length > 0 &&
        ((type === typeNumbers.CNAME && equalNames(name, child)) ||
          (type === typeNumbers.DNAME && name.length < child.length && isAtOrBelow(child, name))),
    )
    return aliases.slice(0, 2).some(rrset => verify(parent, rrset).kind === 'valid')
  }

  const signatureContext = () => ({
    nowMs: context.nowMs,
    budget: inquiry.budget,
    sha1: context.sha1 ?? 'insecure',
  })
  const verify = (zone: SecureZone, rrset: Parameters<typeof verifyRrsetWithKeys>[0]) =>
    verifyRrsetWithKeys(rrset, zone.zone, zone.keys, signatureContext())

  return { standingOf, questionsTowards, mayLeadTo, provenApexAbove }
}

interface Anchored {
  readonly kind: 'anchored'
  readonly zone: Name
  readonly anchors: readonly TrustAnchor[]
}

function knownZone(standing: Extract<Standing, { kind: 'secure' | 'insecure' }>): KnownZone {
  const { expiresAtMs, steps } = standing
  return standing.kind === 'secure'
    ? { kind: 'secure', keys: standing.keys, expiresAtMs, steps }
    : { kind: 'insecure', reason: standing.reason, expiresAtMs, steps }
}

function trustPoint(record: ResourceRecord): readonly TrustPoint[] {
  const ds = readDs(record)
  return ds === 'malformed' ? [] : [{ kind: 'ds', ds }]
}

function insecure(
  zone: Name,
  above: readonly ZoneStep[],
  reason: InsecureReason,
  says: string,
  expiresAtMs: number,
): Unvouched {
  const step: ZoneStep = { zone: said(zone), security: 'insecure', reason, says }
  return { kind: 'insecure', zone, reason, expiresAtMs, steps: [...above, step] }
}

function bogus(zone: Name, above: readonly ZoneStep[], reason: BogusReason, says: string): Broken {
  const step: ZoneStep = { zone: said(zone), security: 'bogus', reason, says }
  return { kind: 'bogus', zone, reason, says, steps: [...above, step] }
}

function failed(zone: Name, above: readonly ZoneStep[], reason: DnsReason, says: string): Broken {
  const step: ZoneStep = { zone: said(zone), security: 'indeterminate', reason, says }
  return { kind: 'failed', zone, reason, says, steps: [...above, step] }
}

function negativelyAnchored(zone: Name): Unvouched {
  const says = `Nothing is validated at and below ${nameInText(zone)}: a negative trust anchor says so.`
  return insecure(zone, [], 'dnssec.negative-anchor', says, Number.POSITIVE_INFINITY)
}

function unanchored(name: Name): Unvouched {
  const reason = 'dnssec.no-anchor'
  const says = `No trust anchor is known for ${nameInText(name)} or anything above it.`
  return {
    kind: 'indeterminate',
    zone: name,
    reason,
    steps: [{ zone: said(name), security: 'indeterminate', reason, says }],
  }
}

function sentenceStart(zone: Name): string {
  return zone.length === 0 ? 'The root' : said(zone)
}

/** Labels of which is asked at once. A signer says that a zone is there, and the names above it are mostly zones too; another name is mostly below one. */
const maxAhead: Readonly<Record<Expectation, number>> = { zone: 4, name: 2 }
