/**
 * The audit of a signed zone, for its owner and for the postmaster who depends on it: from what was heard (zone-inspection.ts) to findings, each with who must act
 * and the narrowest fix. Pure; a finding that several answers show is told once.
 *
 * Whether an answer is secure was decided by the validator, and is not decided again here. What this adds is what a validator passes over: signatures that hold, but not for long;
 * keys and parameters that work today; servers that differ; and what all of it means for mail under DANE.
 */
import { isAtOrBelow } from '../protocol/dns/name.ts'
import { typeName, typeNumbers } from '../protocol/dns/numbers.ts'
import { readData } from '../protocol/dns/records.ts'
import { algorithmStatus } from '../protocol/dnssec/algorithms.ts'
import { maxNsec3Iterations } from '../protocol/dnssec/nsec3.ts'
import type { DnssecReason } from '../protocol/dnssec/reasons.ts'
import type { Security, ValidatedAnswer } from '../protocol/dnssec/types.ts'
import { isRevoked } from '../protocol/dnssec/verify-set.ts'
import { plainName } from './dns-document.ts'
import { findingFor } from './findings.ts'
import { isPublicSuffix } from './public-suffix.ts'
import { counted, daysText } from './verify-text.ts'
import type { ZoneActor, ZoneAuditDocument, ZoneDenial, ZoneFinding, ZoneServer } from './zone-audit-document.ts'
import { factsOf, type InspectionFacts, type SignedSet, type ZoneFacts } from './zone-facts.ts'
import { type ZoneCode, zoneFindings } from './zone-findings.ts'
import type { InspectedServer, ZoneInspection } from './zone-inspection.ts'
import { type Found, mailFindings, mailOf } from './zone-mail.ts'
import type { AuditAnswer } from './zone-questions.ts'

/** Before the end of a signature: two nights and a day to mend it. */
export const soonDays = 3

export function zoneAudit(inspection: ZoneInspection): ZoneAuditDocument {
  const { apex, answers, atMs, heard } = inspection
  const zone = plainName(apex)
  const facts = factsOf(inspection)
  const mail = mailOf(inspection)
  const security = answers.find(({ role }) => role === 'soa')?.answer.security ?? 'indeterminate'
  const denials = denialsOf(inspection, security)
  const large = largeAnswers(inspection)
  const found: readonly Found[] = [
    ...serverFindings(inspection),
    ...(isBlind(inspection)
      ? []
      : [
          ...answerFindings(inspection),
          ...standingFindings(inspection, facts),
          ...facts.zones.flatMap(keyFindings),
          ...signatureFindings(facts, answers),
          ...denialFindings(zone, facts, denials),
          ...mailFindings(inspection, mail, security),
          ...differences(inspection),
          ...largeFindings(facts, zone, large),
        ]),
  ]
  const findings = found.map(each => asFinding(each, plainName(inspection.domain))).toSorted(bySeverity)
  const count = (severity: ZoneFinding['severity']) => findings.filter(each => each.severity === severity).length
  const verdict = count('error') > 0 ? 'broken' : count('warning') > 0 ? 'warnings' : 'sound'
  const firstEnd = facts.signatures.find(({ state }) => state === 'now')
  const numbers = [
    ...(count('error') > 0 ? [counted(count('error'), 'error')] : []),
    ...(count('warning') > 0 ? [counted(count('warning'), 'warning')] : []),
  ].join(' and ')
  return {
    schema: 'hermetic.zone-audit/1',
    domain: plainName(inspection.domain),
    zone,
    at: new Date(atMs).toISOString(),
    verdict,
    says:
      verdict !== 'sound'
        ? `${zone}: ${numbers}.`
        : security === 'secure'
          ? `${zone} is signed, and nothing is wrong with it${firstEnd === undefined ? '' : `: of ${counted(facts.signatures.length, 'signed set')} that were looked at the first ends in ${daysText(firstEnd.secondsLeft * 1000)}`}.`
          : `${zone}: nothing is wrong, and nothing is proven.`,
    security,
    findings,
    chain: facts.zones.map(({ link }) => link),
    signatures: facts.signatures.map(({ windowSeconds: _, isEarly: __, ...rest }) => rest),
    denials,
    denial: facts.denial,
    mail,
    large,
    servers: inspection.servers.map(serverOf),
    questions: heard.filter(({ over }) => over !== 'cache').length,
  }
}

/** 0: nothing is wrong. 1: something is broken. 2: warnings only. */
export function zoneAuditExitCode({ verdict }: Pick<ZoneAuditDocument, 'verdict'>): 0 | 1 | 2 {
  return verdict === 'broken' ? 1 : verdict === 'warnings' ? 2 : 0
}

/** Every server that answers takes signatures away: of the zone nothing can be told. */
function isBlind({ servers }: ZoneInspection): boolean {
  return servers.some(isStripping) && servers.every(({ signatures }) => signatures !== 'arrive')
}

function serverFindings(inspection: ZoneInspection): readonly Found[] {
  const { servers } = inspection
  const stripping = servers.filter(isStripping)
  const severity = isBlind(inspection) ? 'error' : 'warning'
  const isOff = isClockOff(servers)
  return [
    ...servers
      .filter(({ isThere }) => !isThere)
      .map(
        ({ server, unproven }): Found => ({
          code: 'zone.server-silent',
          subject: server,
          says:
            unproven === null
              ? `The server ${server} does not answer.`
              : `The server ${server} was asked nothing: ${unproven}.`,
        }),
      ),
    ...stripping.map(
      ({ server }): Found => ({
        code: 'zone.server-strips',
        severity,
        subject: server,
        says: `The server ${server} does not pass DNSSEC signatures on, so that nothing can be proven with it.`,
      }),
    ),
    ...servers
      .filter(({ tcp }) => tcp === 'fails')
      .map(
        ({ server }): Found => ({
          code: 'zone.server-tcp',
          subject: server,
          says: `The server ${server} answers over UDP and not over TCP.`,
        }),
      ),
    ...(isOff
      ? [
          {
            code: 'zone.clock' as const,
            subject: 'this machine',
            says: `The signatures of the root ${servers[0]?.clock === 'ahead' ? 'have ended' : 'have not begun'}, as of the time that they are held against.`,
          },
        ]
      : []),
  ]
}

/** What could not be used, and what did not come, told once for each zone and reason. */
function answerFindings(inspection: ZoneInspection): readonly Found[] {
  const { apex, answers, servers } = inspection
  const isOff = isClockOff(servers)
  const groups = new Map<string, FailedGroup>()
  for (const { role, answer } of answers) {
    const { reason, question } = answer
    if (answer.outcome !== 'failed' || reason === null) continue
    const isUnheard = reason.startsWith('dns.')
    // TLSA at a mail host has findings of its own, as who must act is another.
    if (isUnheard && role === 'tlsa') continue
    const unheard = question.type === typeNumbers.TLSA ? 'zone.tlsa-unanswered' : 'zone.unanswered'
    const code = isUnheard ? unheard : (bogusCodes.get(reason) ?? 'zone.bogus')
    if (isOff && (code === 'zone.signature-expired' || code === 'zone.signature-not-yet-valid')) continue
    const isOwn = isUnheard && isAtOrBelow(question.name, apex)
    const subject = isOwn ? plainName(apex) : brokenZone(answer)
    const key = `${code} ${reason} ${subject}`
    const group = groups.get(key) ?? { first: answer, code, reason, subject, questions: [], isMail: false }
    groups.set(key, group)
    group.isMail ||= mailRoles.has(role)
    const text = questionText(answer)
    if (!group.questions.includes(text)) group.questions.push(text)
  }
  const isToldOfHost = answers.some(
    ({ role, answer: { reason } }) => role === 'tlsa' && reason?.startsWith('dns.') === true,
  )
  return [...groups.values()]
    .filter(({ code }) => code !== 'zone.tlsa-unanswered' || !isToldOfHost)
    .map(failedFinding)
}

interface FailedGroup {
  readonly first: ValidatedAnswer
  readonly code: ZoneCode
  readonly reason: NonNullable<ValidatedAnswer['reason']>
  readonly subject: string
  readonly questions: string[]
  /** The way of mail is concerned. */
  isMail: boolean
}

function failedFinding({ first, code, reason, subject, questions, isMail }: FailedGroup): Found {
  const seen = first.steps.find(step => step.reason === reason)?.says ?? 'No server gave an answer.'
  const base = {
    code,
    subject,
    says: `There is no answer that can be used for ${listed(questions)}${isMail ? ', so that mail waits' : ''}. ${seen}`,
    reason,
  }
  // No mail host stands at the names that were made up.
  if (code === 'zone.tlsa-unanswered') return { ...base, severity: 'warning' }
  if (code === 'zone.unanswered') return base
  const { remedy, spec } = findingFor({ reason, detail: null, reply: null }, null)
  return { ...base, remedy, spec, ...(parentReasons.has(reason) ? { actor: 'parent' } : {}) }
}

/** Why the zone as a whole is not secure. */
function standingFindings({ apex, answers }: ZoneInspection, { zones }: InspectionFacts): readonly Found[] {
  const soa = answers.find(({ role }) => role === 'soa')?.answer
  if (soa?.security !== 'insecure') return []
  const step = soa.steps.find(({ security }) => security === 'insecure')
  const own = plainName(apex)
  const subject = step?.zone ?? own
  const facts = zones.find(({ link }) => link.zone === own)
  const base = { subject, reason: soa.reason }
  switch (soa.reason) {
    case 'dnssec.negative-anchor':
      return [{ ...base, code: 'zone.not-validated', says: step?.says ?? `Nothing is validated at ${own}.` }]
    case 'dnssec.sha1-algorithms':
    case 'dnssec.unknown-algorithms': {
      const code = soa.reason === 'dnssec.sha1-algorithms' ? 'zone.sha1-algorithm' : 'zone.unknown-algorithm'
      return [{ ...base, code, says: `${step?.says ?? ''} The zone ${own} counts as not signed.`.trim() }]
    }
    case 'dnssec.too-many-iterations':
      return [{ ...base, code: 'zone.nsec3-iterations', says: step?.says ?? '' }]
    default:
  }
  const isSigned = (facts?.keys.length ?? 0) > 0
  if (isSigned && subject === own)
    return [
      {
        ...base,
        code: 'zone.ds-missing',
        says: `The zone ${own} has keys and signatures, and its parent publishes no DS record for it: nobody can go by them.`,
      },
    ]
  const above =
    subject === own ? '' : `, which lies above ${own}${isSigned ? ' and makes its keys worth nothing' : ''},`
  return [
    {
      ...base,
      code: 'zone.unsigned',
      says: `The zone ${subject}${above} is not signed: nothing in it can be proven, and TLSA records in it count for nothing.`,
    },
  ]
}

function keyFindings({ link, keys, ds, hasKeySet, unusedAlgorithms }: ZoneFacts): readonly Found[] {
  const { zone } = link
  // Who asks for an audit can do nothing about the zones above.
  const severity = link.role === 'above' ? ({ severity: 'info' } as const) : {}
  const found: Found[] = []
  const add = (code: ZoneCode, says: string) => found.push({ code, subject: zone, says, ...severity })

  const counts = ds.some((_, index) => link.ds[index]?.state === 'matches')
  const lost = link.ds.filter(({ state }) => state === 'no-key')
  // Where none fits the zone is bogus, and that is told.
  if (hasKeySet && counts && lost.length > 0)
    add(
      'zone.ds-without-key',
      `The parent of ${zone} publishes a DS record for key ${listed(lost.map(({ keyTag }) => keyTag))}, which is not among the keys of the zone.`,
    )
  if (ds.some(({ digestType }) => digestType === sha1Digest)) {
    const isAlone = ds.every(({ digestType }) => digestType === sha1Digest)
    found.push({
      code: 'zone.ds-sha1',
      subject: zone,
      says: isAlone
        ? `The only DS records of ${zone} are digests with SHA-1, which zones must no longer use, and some validators no longer count.`
        : `Among the DS records of ${zone} there is one with SHA-1, beside better ones.`,
      ...(isAlone ? {} : { severity: 'info' as const }),
      ...severity,
    })
  }
  const unknown = link.ds.filter(({ state }) => state === 'unknown')
  if (unknown.length > 0 && link.security !== 'insecure')
    add(
      'zone.unknown-algorithm',
      `A DS record of ${zone} is of algorithm ${unknown[0]?.algorithm ?? 0} and digest type ${unknown[0]?.digestType ?? 0}, which is not known here; others are.`,
    )
  const strange = keys.filter(({ algorithm }) => algorithmStatus(algorithm) === 'unknown')
  if (strange.length > 0)
    add(
      'zone.unknown-algorithm',
      `${zone} has a key of algorithm ${strange[0]?.algorithm ?? 0}, which is not known here.`,
    )
  if (keys.some(({ algorithm }) => algorithmStatus(algorithm) === 'sha1') && link.security !== 'insecure')
    add('zone.sha1-algorithm', `${zone} still has keys of an algorithm with SHA-1, beside better ones.`)
  const weak = link.keys.filter(({ bits }) => bits !== null && bits < leastRsaBits)
  if (weak.length > 0)
    add(
      'zone.key-weak',
      `${zone} is signed with RSA keys of less than ${leastRsaBits} bits: ${listed(weak.map(({ keyTag, bits }) => `key ${keyTag} has ${bits ?? 0}`))}.`,
    )
  const revoked = keys.filter(isRevoked)
  if (revoked.length > 0)
    add(
      'zone.key-revoked',
      `The DNSKEY set of ${zone} holds key ${listed(revoked.map(({ keyTag }) => keyTag))}, which says of itself that it is revoked.`,
    )
  const tags = keys.map(({ keyTag, algorithm }) => `${keyTag} ${algorithm}`)
  const twice = [...new Set(tags.filter((tag, index) => tags.indexOf(tag) !== index))]
  if (twice.length > 0)
    add(
      'zone.key-tags-equal',
      `${zone} has ${counted(tags.filter(tag => twice.includes(tag)).length, 'key')} with the tag ${listed(twice.map(tag => tag.split(' ')[0] ?? tag))}, so that validators cannot tell which one made a signature.`,
    )
  if (unusedAlgorithms.length > 0 && link.security === 'secure')
    add(
      'zone.algorithm-incomplete',
      `${zone} has keys of algorithm ${listed(unusedAlgorithms)}, and its SOA is not signed with it: a zone is signed with every algorithm of its keys.`,
    )
  return found
}

function signatureFindings(
  { signatures, zones }: InspectionFacts,
  answers: readonly AuditAnswer[],
): readonly Found[] {
  // Where a zone is not signed for anybody, its signatures are of no use, and nobody waits for their end.
  const secure = zones.map(({ link }) => link).filter(({ security }) => security === 'secure')
  const told = new Set(
    answers.filter(({ answer }) => answer.outcome === 'failed').map(({ answer }) => brokenZone(answer)),
  )
  return secure.flatMap(({ zone, role }) => {
    const own = signatures.filter(({ signer }) => signer === zone)
    const holding = own.filter(({ state }) => state === 'now')
    const found = [
      overSets(
        'zone.signature-ends-soon',
        holding.filter(endsSoon),
        (first, are) => `${are('ends', 'end')} in ${daysText(first.secondsLeft * 1000)} or later (${first.ends})`,
      ),
      overSets(
        'zone.signature-shorter-than-ttl',
        holding.filter(({ secondsLeft, ttlSeconds }) => secondsLeft < ttlSeconds),
        (first, are) =>
          `${are('holds', 'hold')} for ${counted(first.secondsLeft, 'second')} more, which is less than the TTL of ${counted(first.ttlSeconds, 'second')}`,
      ),
      overSets(
        'zone.signature-long',
        holding.filter(({ windowSeconds }) => windowSeconds > longestWindowSeconds),
        (first, are) => `${are('is', 'are')} made for ${daysText(first.windowSeconds * 1000)}`,
      ),
      overSets(
        'zone.signature-from-future',
        holding.filter(({ isEarly }) => isEarly),
        (_, are) => `${are('is', 'are')} there more than once, and one of them has not begun`,
      ),
    ].flat()
    const ended = told.has(zone) ? [] : own.filter(({ state }) => state === 'ended')
    return [
      ...overSets(
        'zone.signature-expired',
        ended,
        (first, are) => `${are('has', 'have')} ended ${daysText(-first.secondsLeft * 1000)} ago`,
      ),
      // Who asks for an audit can do nothing about the zones above.
      ...(role === 'above' ? found.map((each): Found => ({ ...each, severity: 'info' })) : found),
    ]
  })
}

/** One finding for sets of one zone; none when there are none. */
function overSets(
  code: ZoneCode,
  sets: readonly SignedSet[],
  how: (first: SignedSet, are: (one: string, several: string) => string) => string,
): readonly Found[] {
  const [first] = sets
  if (first === undefined) return []
  const rest = sets.length === 1 ? '' : ` and of ${counted(sets.length - 1, 'other set')}`
  const text = how(first, (one, several) => (sets.length === 1 ? one : several))
  return [{ code, subject: first.signer, says: `The signature of ${first.name} ${first.type}${rest} ${text}.` }]
}

/** A signer that works anew every day may sign for two days: what matters is that most of the time has gone by as well. */
function endsSoon({ secondsLeft, windowSeconds }: SignedSet): boolean {
  return secondsLeft < soonSeconds && secondsLeft < windowSeconds / 4
}

function denialFindings(
  zone: string,
  { denial }: InspectionFacts,
  denials: readonly ZoneDenial[],
): readonly Found[] {
  if (denial === null) return []
  const { iterations, salt, optOut } = denial
  const found: Found[] = []
  if (iterations !== null && iterations > 0)
    found.push(
      iterations > maxNsec3Iterations
        ? {
            code: 'zone.nsec3-iterations',
            severity: 'error',
            subject: zone,
            says: `${zone} has its names hashed ${counted(iterations, 'more time')}, which is more than validators do (${maxNsec3Iterations} here): what is not there is not proven.`,
          }
        : {
            code: 'zone.nsec3-iterations',
            subject: zone,
            says: `${zone} has its names hashed ${counted(iterations, 'more time')}: it costs every server and every validator, and hides nothing.`,
          },
    )
  if (salt !== null && salt !== '')
    found.push({
      code: 'zone.nsec3-salt',
      subject: zone,
      says: `${zone} uses a salt (${salt}) with NSEC3, which is of no use.`,
    })
  if (optOut && zone !== '.' && !isPublicSuffix(zone.toLowerCase())) {
    const unproven = denials.filter(({ state }) => state === 'unproven').map(({ question }) => question)
    const shown = unproven.length === 0 ? '' : `, among them ${unproven.slice(0, 2).join(' and ')}`
    found.push({
      code: 'zone.nsec3-opt-out',
      subject: zone,
      says: `${zone} is signed with opt-out: whoever forges an answer can invent names in it${shown}.`,
    })
  }
  return found
}

/** What was asked for and is not meant to be there, and whether that was proven. */
function denialsOf({ answers }: ZoneInspection, security: Security): readonly ZoneDenial[] {
  return answers
    .filter(({ role, answer }) => denialRoles.has(role) || (role === 'tlsa' && answer.outcome !== 'records'))
    .map(({ answer }): ZoneDenial => {
      const { outcome, reason, steps } = answer
      const last = steps.at(-1)?.says ?? 'No server gave an answer.'
      const question = questionText(answer)
      if (outcome === 'failed')
        return { question, state: reason?.startsWith('dns.') === true ? 'unanswered' : 'unproven', says: last }
      if (outcome === 'records') return { question, state: 'exists', says: 'There are such records.' }
      if (answer.security === 'secure') return { question, state: 'proven', says: last }
      const isGap =
        security === 'secure' && (reason === 'dnssec.opt-out' || reason === 'dnssec.too-many-iterations')
      return { question, state: isGap ? 'unproven' : 'not-signed', says: last }
    })
}

/** Questions to which servers give answers that are not the same. */
function differences({ servers, answers }: ZoneInspection): readonly Found[] {
  const able = servers.filter(({ signatures, answers: own }) => signatures === 'arrive' && own.length > 0)
  const [first, ...others] = able
  if (first === undefined) return []
  const found: string[] = []
  for (const { answer } of answers) {
    const text = questionText(answer)
    const said = (server: InspectedServer) => {
      const own = server.answers.find(each => questionText(each) === text)
      return own === undefined ? null : gistOf(own)
    }
    const gist = said(first)
    const differing = gist === null ? [] : others.filter(server => (said(server) ?? gist) !== gist)
    const [other] = differing
    if (other === undefined || gist === null || found.some(each => each.startsWith(`${text} `))) continue
    found.push(
      `${text} (${outlineOf(first, text)} from ${first.server}, ${outlineOf(other, text)} from ${other.server})`,
    )
  }
  if (found.length === 0) return []
  return [
    {
      code: 'zone.servers-differ',
      subject: others.length === 1 ? `${first.server} and ${others[0]?.server ?? ''}` : 'the servers',
      says: `The servers that were asked do not say the same of ${listed(found)}.`,
    },
  ]
}

/** What an answer says, whatever its TTL and the order of its records. */
function gistOf({ outcome, security, records }: ValidatedAnswer): string {
  const data = records.map(({ type, rdata }) => `${type} ${Buffer.from(rdata).toString('hex')}`).toSorted()
  return [outcome, security, ...data].join('\n')
}

function outlineOf({ answers }: InspectedServer, question: string): string {
  const answer = answers.find(each => questionText(each) === question)
  if (answer === undefined) return 'nothing'
  const serial = serialIn(answer)
  if (serial !== null) return `serial ${serial}`
  return `${answer.outcome === 'records' ? counted(answer.records.length, 'record') : outcomeWords[answer.outcome]}, ${answer.security}`
}

function largeAnswers({ heard }: ZoneInspection): ZoneAuditDocument['large'] {
  const largest = new Map<string, number>()
  for (const { question, over, bytes } of heard)
    if (over === 'tcp') {
      const text = `${plainName(question.name)} ${typeName(question.type)}`
      largest.set(text, Math.max(bytes, largest.get(text) ?? 0))
    }
  return Array.from(largest, ([question, bytes]) => ({ question, bytes }))
}

function largeFindings(
  { zones }: InspectionFacts,
  zone: string,
  all: ZoneAuditDocument['large'],
): readonly Found[] {
  const above = zones.filter(({ link }) => link.role === 'above').map(({ link }) => `${link.zone} `)
  const large = all.filter(({ question }) => !above.some(each => question.startsWith(each)))
  if (large.length === 0) return []
  const shown = listed(large.map(({ question, bytes }) => `${question} (${bytes} bytes)`))
  return [
    {
      code: 'zone.answer-large',
      subject: zone,
      says: `The ${large.length === 1 ? 'answer' : 'answers'} to ${shown} did not fit a datagram, and came over TCP.`,
    },
  ]
}

function serverOf({ server, isThere, signatures, tcp, clock, answers }: InspectedServer): ZoneServer {
  const serial = answers.map(serialIn).find(each => each !== null) ?? null
  return { server, isThere, signatures, tcp, clock, serial }
}

function serialIn({ question, records }: ValidatedAnswer): number | null {
  const [record] = records
  const data = record === undefined || question.type !== typeNumbers.SOA ? null : readData(record)
  return data !== null && data !== 'malformed' && data.type === 'SOA' ? data.serial : null
}

/** The zone whose fault it is that an answer cannot be used. */
function brokenZone({ steps, reason, question }: ValidatedAnswer): string {
  return steps.find(step => step.reason === reason)?.zone ?? plainName(question.name)
}

function questionText({ question }: ValidatedAnswer): string {
  return `${plainName(question.name)} ${typeName(question.type)}`
}

/** The first few, and how many there are besides. */
function listed(items: readonly (string | number)[]): string {
  const rest = items.length - shownItems
  return `${items.slice(0, shownItems).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function asFinding({ code, ...found }: Found, domain: string): ZoneFinding {
  const entry: { readonly [K in keyof (typeof zoneFindings)[ZoneCode]]: (typeof zoneFindings)[ZoneCode][K] } =
    zoneFindings[code]
  const actor: ZoneActor = found.actor ?? entry.actor
  return {
    code,
    severity: found.severity ?? entry.severity,
    subject: found.subject,
    says: found.says,
    actor,
    acts: actorWords(actor, found.zone ?? found.subject, domain),
    remedy: found.remedy ?? entry.remedy,
    spec: found.spec ?? entry.spec,
    reason: found.reason ?? null,
  }
}

function actorWords(actor: ZoneActor, zone: string, domain: string): string {
  const owner = `the owner of ${zone === '.' ? 'the root' : zone}`
  switch (actor) {
    case 'zone':
      return owner
    case 'parent':
      return `${owner}, through the registrar where the parent keeps its DS records`
    case 'mail':
      return `the postmaster of ${domain}`
    case 'resolver':
      return 'whoever runs the resolver that is asked here'
    case 'clock':
      return "whoever sets this machine's clock, or `--at`"
    case 'nobody':
      return 'nobody'
    default:
      return actor satisfies never
  }
}

const bySeverity = (one: ZoneFinding, other: ZoneFinding) => ranks[one.severity] - ranks[other.severity]
/** By the word of all servers; or the root that they serve is old. */
const isClockOff = (servers: readonly InspectedServer[]) =>
  servers.length > 0 && servers.every(({ clock }) => clock === 'ahead' || clock === 'behind')
const isStripping = ({ signatures }: InspectedServer) => signatures === 'stripped'

const ranks = { error: 0, warning: 1, info: 2 } as const
const outcomeWords = { 'no-data': 'no record', 'no-such-name': 'no such name', failed: 'no answer' } as const

const bogusCodes: ReadonlyMap<string, ZoneCode> = new Map<DnssecReason, ZoneCode>([
  ['dnssec.signature-expired', 'zone.signature-expired'],
  ['dnssec.signature-not-yet-valid', 'zone.signature-not-yet-valid'],
  ['dnssec.denial-unproven', 'zone.denial-unproven'],
  ['dnssec.denial-of-wrong-zone', 'zone.denial-unproven'],
  ['dnssec.wildcard-unproven', 'zone.denial-unproven'],
])
const parentReasons: ReadonlySet<string> = new Set([
  'dnssec.no-trusted-key',
  'dnssec.key-revoked',
  'dnssec.dnskey-missing',
])
const mailRoles: ReadonlySet<string> = new Set(['mx', 'address', 'tlsa'])
const denialRoles: ReadonlySet<string> = new Set(['no-name', 'no-type', 'no-tlsa'])

const sha1Digest = 1
/** What NIST has asked of RSA since 2014 (SP 800-131A); RFC 6781 §3.4.2 let 1,024 bits do, which is long ago. */
const leastRsaBits = 2_048
const daySeconds = 86_400
const soonSeconds = soonDays * daySeconds
/** A month. Signers whose month is 30 days begin an hour before now (BIND's do). */
const longestWindowSeconds = 31 * daySeconds
const shownItems = 4
