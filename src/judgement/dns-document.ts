/**
 * `hermetic.dns/1`: one question to the DNS, what it came to, how far it can be trusted and why, zone by zone; docs/dns.schema.json is its JSON Schema.
 *
 * It is made from what the validator and the servers said, and adds who must act. Text from outside is in it in presentation form; it is shown through
 * `visible` all the same. What no answer decides, such as which server was asked for what, is there to be looked into when the answer surprises.
 */
import { formatName, type Name } from '../protocol/dns/name.ts'
import { typeName } from '../protocol/dns/numbers.ts'
import type { DnsReason } from '../protocol/dns/reasons.ts'
import type { DnssecReason } from '../protocol/dnssec/reasons.ts'
import type { Security, ValidatedAnswer, ZoneStep } from '../protocol/dnssec/types.ts'
import { rdataText, recordLine } from '../protocol/record-text.ts'
import type { Culprit, Severity, Timestamp } from './evidence.ts'
import { findingFor } from './findings.ts'
import { counted } from './verify-text.ts'

export interface DnsDocument {
  readonly schema: 'hermetic.dns/1'
  readonly question: { readonly name: string; readonly type: string }
  /** The time that signatures were held against. */
  readonly at: Timestamp
  readonly outcome: ValidatedAnswer['outcome']
  /** Of everything that led to the answer: the weakest. */
  readonly security: Security
  /** Of the last name alone, without the aliases that led there. */
  readonly endSecurity: Security
  /** The answer in one sentence. */
  readonly says: string
  /** Null when it is secure. */
  readonly reason: DnssecReason | DnsReason | null
  /** How long it may be kept; null when there is nothing to keep. */
  readonly ttlSeconds: number | null
  readonly records: readonly DnsRecord[]
  readonly aliases: readonly DnsAlias[]
  /** The chain of reasons, from the trust anchor down. */
  readonly steps: readonly ZoneStep[]
  /** Why it is not secure, and what to do; null when it is. */
  readonly finding: DnsFinding | null
  /** What else is worth knowing, in whole sentences. */
  readonly notes: readonly string[]
  /** How often the question was gone through, and what each time came to. */
  readonly passes: readonly DnsPass[]
  readonly asked: readonly DnsAsked[]
  /** What the servers are good for; null when there was no reason to look. */
  readonly resolver: DnsResolver | null
  readonly servers: readonly string[]
}

export interface DnsRecord {
  readonly name: string
  readonly type: string
  readonly ttlSeconds: number
  /** The RDATA as a zone file has it. */
  readonly data: string
  /** The same in hexadecimal digits, as on the wire. */
  readonly rdata: string
  /** Whole, for a zone file. */
  readonly line: string
}

export interface DnsAlias {
  readonly from: string
  readonly to: string
  readonly by: 'CNAME' | 'DNAME'
  readonly security: Security
}

/** `zone-and-parent`: the DS records do not fit the keys. `anchor`: the trust anchor does not. `nobody`: nothing is broken. */
type Actor = 'zone' | 'zone-and-parent' | 'resolver' | 'clock' | 'anchor' | 'nobody'

export interface DnsFinding {
  readonly code: DnssecReason | DnsReason
  readonly severity: Severity
  readonly culprit: Culprit
  readonly actor: Actor
  /** The zone that is spoken of, where one is. */
  readonly zone: string | null
  /** What was found in this answer. */
  readonly seen: string
  /** What that means. */
  readonly says: string
  readonly acts: string
  readonly remedy: string
  readonly spec: string | null
}

export interface DnsPass {
  /** Whether the servers were told not to check (CD). */
  readonly checking: 'disabled' | 'enabled'
  readonly avoided: readonly string[]
  readonly outcome: ValidatedAnswer['outcome']
  readonly security: Security
  readonly reason: DnssecReason | DnsReason | null
  readonly servers: readonly string[]
}

export interface DnsAsked {
  readonly name: string
  readonly type: string
  /** Index into `passes`. */
  readonly pass: number
  readonly server: string | null
  readonly over: 'udp' | 'tcp' | 'tls' | 'cache' | null
  readonly bytes: number
  readonly ms: number
  readonly rcode: string | null
  readonly flags: readonly string[]
  readonly answers: number
  readonly authorities: number
  readonly signatures: number
  readonly why: string | null
}

export interface DnsResolver {
  readonly signatures: 'arrive' | 'stripped' | 'unknown'
  readonly tcp: 'works' | 'fails' | 'unknown'
  readonly clock: 'sane' | 'ahead' | 'behind' | 'unknown'
  readonly says: readonly string[]
  readonly servers: readonly (Pick<DnsResolver, 'signatures' | 'tcp' | 'clock'> & { readonly server: string })[]
}

/** What came of a question, for the document. */
export interface DnsInquiry {
  readonly answer: ValidatedAnswer
  readonly passes: readonly DnsPass[]
  readonly asked: readonly DnsAsked[]
  readonly resolver: DnsResolver | null
  readonly servers: readonly string[]
  /** Milliseconds since 1970. */
  readonly atMs: number
}

export function dnsDocument({ answer, passes, asked, resolver, servers, atMs }: DnsInquiry): DnsDocument {
  const { question, outcome, security, endSecurity, reason, ttlSeconds, steps } = answer
  return {
    schema: 'hermetic.dns/1',
    question: { name: plainName(question.name), type: typeName(question.type) },
    at: new Date(atMs).toISOString(),
    outcome,
    security,
    endSecurity,
    says: sentence(answer, resolver),
    reason,
    ttlSeconds,
    records: answer.records.map(record => ({
      name: plainName(record.name),
      type: typeName(record.type),
      ttlSeconds: record.ttlSeconds,
      data: rdataText(record.type, record.rdata),
      rdata: Buffer.from(record.rdata).toString('hex'),
      line: recordLine(record),
    })),
    aliases: answer.aliases.map(({ from, to, by, security: ofHop }) => ({
      from: plainName(from),
      to: plainName(to),
      by,
      security: ofHop,
    })),
    steps,
    finding: reason === null ? null : dnsFinding(answer, reason, resolver),
    notes: notesOf(answer, passes, resolver),
    passes,
    asked,
    resolver,
    servers,
  }
}

/** 0: there are records, and nothing is wrong with them. 1: there is no such name or record. 2: what is there cannot be trusted, or is not known. */
export function dnsExitCode({ outcome, security }: Pick<DnsDocument, 'outcome' | 'security'>): 0 | 1 | 2 {
  if (outcome === 'failed' || security === 'bogus' || security === 'indeterminate') return 2
  return outcome === 'records' ? 0 : 1
}

/** `mx.example`; the root is `.`. */
export function plainName(name: Name): string {
  return name.length === 0 ? '.' : formatName(name)
}

function sentence(answer: ValidatedAnswer, resolver: DnsResolver | null): string {
  const { question, outcome, security, records, aliases, reason } = answer
  const asked = `${plainName(question.name)} ${typeName(question.type)}`
  const way =
    aliases.length === 0 ? '' : ` by way of ${aliases.length === 1 ? 'an alias' : `${aliases.length} aliases`}`
  if (outcome === 'failed') {
    const why = reason === null ? '' : whyFailed(answer, reason, resolver)
    return security === 'bogus'
      ? `${asked}: no answer that can be used${way}, bogus: ${why}`
      : `${asked}: no answer${way}, indeterminate: ${why}`
  }
  const count = counted(records.length, 'record')
  const end =
    outcome === 'records' ? count : outcome === 'no-data' ? `no ${typeName(question.type)} record` : 'no such name'
  return `${asked}: ${end}${way}, ${security}: ${whySo(answer)}.`
}

/** The end of a sentence. */
function whyFailed(
  { steps }: ValidatedAnswer,
  reason: DnssecReason | DnsReason,
  resolver: DnsResolver | null,
): string {
  if (reason === 'dns.timeout' && isThere(resolver)) {
    const who = resolver?.servers.length === 1 ? 'the server answers' : 'the servers answer'
    return `timeout for this name alone, as ${who} others.`
  }
  const seen = reason.startsWith('dns.') ? decidingStep(steps, reason)?.says : undefined
  return lowered(seen ?? findingFor({ reason, detail: null, reply: null }, null).says)
}

/** Whether any of the servers answers at all: only then it is known what they do over TCP. */
export function isThere(resolver: DnsResolver | null): boolean {
  return resolver?.servers.some(({ tcp }) => tcp !== 'unknown') === true
}

/** Our own sentences begin with a word; those that begin with a name keep it as it is. */
function lowered(text: string): string {
  return /^(?:An?|The|It|That|Nothing|No|There|To|What) /.test(text)
    ? text.charAt(0).toLowerCase() + text.slice(1)
    : text
}

/** Goes on in the middle of a sentence. */
function whySo(answer: ValidatedAnswer): string {
  const { outcome, security, endSecurity, steps, records, reason } = answer
  const [first] = steps
  switch (security) {
    case 'secure': {
      const from = first === undefined || first.zone === '.' ? 'the root' : first.zone
      const what =
        outcome === 'records'
          ? records.length === 1
            ? 'signatures prove it'
            : 'signatures prove them'
          : 'signatures prove that'
      return `${what} from ${from} down`
    }
    case 'insecure': {
      const where = decidingStep(steps, reason)?.zone ?? null
      const cause = reason === null ? '' : (insecureCauses.get(reason)?.(where ?? 'the zone') ?? '')
      const because = cause === '' ? '' : `, as ${cause}`
      if (endSecurity === 'secure') return `the end is proven, and an alias on the way there is not${because}`
      return `${outcome === 'records' ? 'nobody vouches for the answer' : 'a server says so and nobody vouches for it'}${because}`
    }
    case 'indeterminate':
      return 'no trust anchor is known for it, so that nothing is proven'
    case 'bogus':
      return 'the proof is broken'
    default:
      return security satisfies never
  }
}

const insecureCauses: ReadonlyMap<string, (zone: string) => string> = new Map<string, (zone: string) => string>([
  ['dnssec.unsigned-delegation', zone => `${zone} is not signed`],
  ['dnssec.opt-out', zone => `${zone} leaves unsigned delegations out of its proofs`],
  ['dnssec.unknown-algorithms', zone => `${zone} is signed with what is not known here`],
  ['dnssec.sha1-algorithms', zone => `${zone} is signed with SHA-1 alone`],
  ['dnssec.too-many-iterations', zone => `the proofs of ${zone} ask for too much hashing`],
  ['dnssec.negative-anchor', zone => `nothing is validated below ${zone}`],
])

/** The first step that gives the reason of the answer. */
function decidingStep(steps: readonly ZoneStep[], reason: ValidatedAnswer['reason']): ZoneStep | null {
  return steps.find(step => step.reason === reason) ?? null
}

function dnsFinding(
  answer: ValidatedAnswer,
  reason: DnssecReason | DnsReason,
  resolver: DnsResolver | null,
): DnsFinding {
  const { severity, culprit, says, remedy, spec } = findingFor({ reason, detail: null, reply: null }, null)
  const step = decidingStep(answer.steps, reason)
  // A lookup that failed is not a zone's, as far as is known.
  const zone = reason.startsWith('dns.') ? null : (step?.zone ?? null)
  const actor =
    step !== null && step === answer.steps[0] && anchorReasons.has(reason) ? 'anchor' : actorFor(reason, resolver)
  // Whom to ask over TLS is a matter of its own, which the finding knows all about.
  const better = reason === 'dns.server-unproven' ? null : remedies[actor]
  return {
    code: reason,
    severity,
    culprit: better === null ? culprit : 'operator',
    actor,
    zone,
    seen: step?.says ?? '',
    says,
    acts: actorWords[actor](zone),
    remedy: better ?? remedy,
    spec,
  }
}

function actorFor(reason: DnssecReason | DnsReason, resolver: DnsResolver | null): Actor {
  if (insecureCauses.has(reason)) return 'nobody'
  if (reason === 'dnssec.no-anchor') return 'anchor'
  if (reason === 'dns.server-unproven') return 'resolver'
  if (resolver?.signatures === 'stripped') return 'resolver'
  if (resolver?.clock === 'ahead' || resolver?.clock === 'behind') return 'clock'
  return reason === 'dnssec.no-trusted-key' ||
    reason === 'dnssec.key-revoked' ||
    reason === 'dnssec.dnskey-missing'
    ? 'zone-and-parent'
    : 'zone'
}

const zoneWords = (zone: string | null) =>
  zone === null ? 'the owner of the zone' : zone === '.' ? 'the owner of the root' : `the owner of ${zone}`

const actorWords: Readonly<Record<Actor, (zone: string | null) => string>> = {
  zone: zoneWords,
  'zone-and-parent': zone => `${zoneWords(zone)}, through the registrar where the parent keeps its DS records`,
  resolver: () => 'whoever runs the resolver that is asked here',
  clock: () => "whoever sets this machine's clock, or `--at`",
  anchor: () => 'whoever chooses the trust anchors here',
  nobody: () => 'nobody',
}

/** What to do where the reason alone would send people the wrong way. */
const remedies: Readonly<Record<Actor, string | null>> = {
  zone: null,
  'zone-and-parent': null,
  nobody: null,
  resolver:
    'Ask another resolver (`--server`, and `dns.servers` in the configuration): one that passes DNSSEC records on and answers over TCP, such as an unbound of your own. Other names fail through this one as well.',
  clock:
    'Set the clock of this machine, and keep it right with NTP, or give `--at` a time at which the signatures hold; until then most signed zones seem broken.',
  anchor:
    'Trust the keys of the root that the servers serve (`--anchor`). Those of the public root are known here; if they are asked for and do not fit, the resolver serves another root, or this release is too old.',
}

/** At the zone of the anchor itself these say that the anchor is not of this zone. */
const anchorReasons: ReadonlySet<string> = new Set(['dnssec.no-trusted-key', 'dnssec.no-anchor'])

function notesOf(answer: ValidatedAnswer, passes: readonly DnsPass[], resolver: DnsResolver | null): string[] {
  const last = passes.at(-1)
  const failed = passes.filter(({ security }) => security === 'bogus')
  const isSaved = answer.outcome !== 'failed' && failed.length > 0 && last !== undefined
  const saved = isSaved
    ? [
        `What ${listed(failed.flatMap(({ servers }) => servers))} sent first was bogus (${failed[0]?.reason ?? ''}); the answer here is from ${listed(last.servers)}${last.checking === 'enabled' ? ', asked to check itself' : ''}. Look into the first one.`,
      ]
    : []
  const ways = [
    ...(passes.some(({ avoided }) => avoided.length > 0) ? ['other servers'] : []),
    ...(passes.some(({ checking }) => checking === 'enabled') ? ["the server's own checking switched on"] : []),
  ]
  const insisted =
    answer.security === 'bogus' && ways.length > 0
      ? [
          `It was asked again with ${ways.join(', and with ')}, before it was believed to be broken; nothing better came.`,
        ]
      : []
  return [...saved, ...insisted, ...(resolver?.says ?? [])]
}

function listed(words: readonly string[]): string {
  return [...new Set(words)].join(' and ') || 'a server'
}
