/**
 * The validator (RFC 4035 §5, RFC 6840): asks a question and whatever DS and DNSKEY sets it takes, and says what came of it and how far it can be trusted.
 *
 * `secure` means that a chain of signatures from a trust anchor proves the answer, each alias on the way and, where there are no records, their absence. `insecure` means
 * that it is proven, or configured, that there can be no such chain. What is meant to be signed and is not, or not well, is bogus and leaves no records; a
 * server that does not answer leaves none either. Neither ever means that there is no such name or record: only a proof does, or the word of a server that
 * nobody vouches for. The response code, the AD bit and the place of a record in the message prove nothing, and records that the question does not lead to
 * are not looked at.
 *
 * Aliases are judged one by one, each in its own zone, and so is the end; the answer is as weak as the weakest of them. Where a server leaves off in the middle of a
 * chain it is asked for the rest.
 *
 * All work is paid from the budget of the context. If that runs out, whatever has been found is bogus, `dnssec.over-budget`. Nothing here chooses servers, or asks
 * a second one when the first was bogus: that is for whoever drives the walk.
 */
import { nameBytes, type ResourceRecord } from '../dns/message.ts'
import { equalNames, isAtOrBelow, maxNameBytes, type Name, nameKey, wireLength } from '../dns/name.ts'
import { classInternet, rcodes, typeName, typeNumbers } from '../dns/numbers.ts'
import { maxAliases } from '../dns/reading.ts'
import type { DnsReason } from '../dns/reasons.ts'
import { readData, readName } from '../dns/records.ts'
import { isQueryType, said } from './denial-rules.ts'
import { openDescent } from './descent.ts'
import { findRrset, type Inquiry, openInquiry, type WireWalk } from './inquiry.ts'
import { createJudge, type Judge, type Message, type SetJudgement } from './judge-set.ts'
import type { DnssecReason } from './reasons.ts'
import type {
  AliasStep,
  Rrset,
  Security,
  ValidatedAnswer,
  ValidationContext,
  WireQuestion,
  ZoneStep,
} from './types.ts'

/**
 * Asks, and judges. Yields questions to be asked with DO and CD set, several where they do not depend on each other, the same one never twice; and none at all
 * where it has worked for long on what it was given, for whoever has other things to do. Types that are questions about
 * several types, such as ANY, and signatures themselves have no one RRset to be judged: they fail without anybody being asked.
 */
export function* validate(question: WireQuestion, context: ValidationContext): WireWalk<ValidatedAnswer> {
  const inquiry = openInquiry(context)
  const trail = openTrail(question)
  if (isQueryType(question.type) || question.type === typeNumbers.RRSIG)
    return trail.fail('dns.lookup-failed', `${typeName(question.type)} is no type whose records can be validated.`)
  if (question.type === typeNumbers.DS && question.name.length === 0)
    return trail.fail('dns.lookup-failed', 'The root has no DS: a trust anchor stands in its place.')
  const answer = yield* follow(question, inquiry, createJudge(inquiry, openDescent(inquiry)), trail)
  return inquiry.isExhausted() ? trail.exhausted() : answer
}

/** From the name asked for along all its aliases to the end. */
function* follow(
  { name, type }: WireQuestion,
  inquiry: Inquiry,
  judge: Judge,
  trail: Trail,
): WireWalk<ValidatedAnswer> {
  const seen = new Set([nameKey(name)])
  let current = name
  for (;;) {
    const reply = yield* inquiry.replyTo({ name: current, type })
    trail.server = reply.server
    if (reply.kind === 'failed') return trail.fail(reply.reason, reply.says)
    yield* judge.prepare(reply, current)
    let isFirst = true
    for (;;) {
      const hop = yield* hopFrom(current, type, reply, judge)
      if (hop.kind === 'broken') return trail.broken(hop.judgement)
      if (hop.kind === 'unreadable') return trail.unreadable(hop.judgement, hop.says)
      if (hop.kind === 'records') {
        // Nobody vouches for either, and they contradict each other.
        if (hop.judgement.security !== 'secure' && reply.message.rcode === rcodes.NXDOMAIN)
          return trail.fail(
            'dns.lookup-failed',
            `The server sent records of ${said(current)}, and that there is no such name.`,
          )
        return trail.end('records', hop.judgement, hop.records, hop.ttlSeconds)
      }
      if (hop.kind === 'nothing') {
        const end = yield* absenceAt(current, type, reply, judge, isFirst ? 'asked' : 'passed')
        if (end === 'unsaid') break
        if (end.kind === 'broken') return trail.broken(end.judgement)
        if (end.kind === 'referral')
          return trail.fail('dns.lookup-failed', `The server knows only whom else to ask for ${said(current)}.`)
        return trail.end(end.outcome, end.judgement, [], end.ttlSeconds)
      }
      const { alias, judgement, ttlSeconds } = hop
      trail.pass(alias, judgement, ttlSeconds)
      yield* inquiry.pause()
      const key = nameKey(alias.to)
      if (seen.has(key)) return trail.fail('dns.alias-loop', `The aliases lead back to ${said(alias.to)}.`)
      if (seen.size > maxAliases)
        return trail.fail('dns.alias-loop', `More than ${maxAliases} aliases follow each other.`)
      seen.add(key)
      current = alias.to
      isFirst = false
    }
  }
}

/** A judgement that lets the answer be used, and one that does not. */
type Usable = Exclude<SetJudgement, { security: 'bogus' | 'failed' }>
type Unusable = { readonly steps: readonly ZoneStep[] } & (
  | { readonly security: 'bogus'; readonly reason: DnssecReason }
  | { readonly security: 'failed'; readonly reason: DnsReason }
)

type Hop =
  | {
      readonly kind: 'records'
      readonly records: readonly ResourceRecord[]
      readonly judgement: Usable
      readonly ttlSeconds: number
    }
  | { readonly kind: 'alias'; readonly alias: AliasStep; readonly judgement: Usable; readonly ttlSeconds: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'broken'; readonly judgement: Unusable }
  /** What is there was judged, and cannot be followed. */
  | { readonly kind: 'unreadable'; readonly judgement: Usable; readonly says: string }

/** What the message has at the name: the records, or what leads on. */
function* hopFrom(current: Name, type: number, message: Message, judge: Judge): WireWalk<Hop> {
  const wanted = findRrset(message.answers, current, type)
  const cname = findRrset(message.answers, current, typeNumbers.CNAME)
  if (wanted !== null && (wanted !== cname || wanted.signatures.length > 0))
    return yield* recordsOf(wanted, message, judge)
  // A CNAME that was made from a DNAME has no signature (RFC 6672 §5.3.1): the DNAME has.
  const dname = cname !== null && cname.signatures.length > 0 ? null : dnameAbove(current, message)
  if (dname !== null) return yield* redirected(current, type, dname, cname, message, judge)
  if (wanted !== null) return yield* recordsOf(wanted, message, judge)
  return cname === null ? { kind: 'nothing' } : yield* aliasOf(cname, message, judge)
}

function* recordsOf(rrset: Rrset, message: Message, judge: Judge): WireWalk<Hop> {
  const judgement = yield* judge.rrset(rrset, message)
  if (!isUsable(judgement)) return { kind: 'broken', judgement }
  const ttlSeconds = ttlOf(judgement, rrset)
  // The TTLs are the sender's word; no record outlives what its signature says (RFC 4035 §5.3.3).
  const records = rrset.records.map(record =>
    record.ttlSeconds > ttlSeconds && judgement.security === 'secure' ? { ...record, ttlSeconds } : record,
  )
  return { kind: 'records', records, judgement, ttlSeconds }
}

function* aliasOf(cname: Rrset, message: Message, judge: Judge): WireWalk<Hop> {
  const judgement = yield* judge.rrset(cname, message)
  if (!isUsable(judgement)) return { kind: 'broken', judgement }
  const to = targetOf(cname)
  if (to === null)
    return { kind: 'unreadable', judgement, says: `The CNAME of ${said(cname.name)} leads to no one name.` }
  const alias: AliasStep = { from: cname.name, to, by: 'CNAME', security: judgement.security }
  return { kind: 'alias', alias, judgement, ttlSeconds: ttlOf(judgement, cname) }
}

/** RFC 6672 §5.3.1: the DNAME is judged, and what it makes of the name is for us to work out; a CNAME beside it has to say the same. */
function* redirected(
  current: Name,
  type: number,
  dname: Rrset,
  cname: Rrset | null,
  message: Message,
  judge: Judge,
): WireWalk<Hop> {
  const judgement = yield* judge.rrset(dname, message)
  if (!isUsable(judgement)) return { kind: 'broken', judgement }
  const target = targetOf(dname)
  if (target === null)
    return { kind: 'unreadable', judgement, says: `The DNAME of ${said(dname.name)} leads to no one name.` }
  const to = [...current.slice(0, current.length - dname.name.length), ...target]
  // RFC 6672 §2.2: then the server answers YXDOMAIN.
  if (wireLength(to) > maxNameBytes)
    return {
      kind: 'unreadable',
      judgement,
      says: `The DNAME of ${said(dname.name)} makes a name that is too long.`,
    }
  const made = cname === null ? to : targetOf(cname)
  if (made === null || !equalNames(made, to)) {
    const says = `The CNAME of ${said(current)} is not what the DNAME of ${said(dname.name)} makes of it.`
    const reason = 'dnssec.dname-mismatch'
    if (judgement.security !== 'secure') return { kind: 'unreadable', judgement, says }
    const step: ZoneStep = { zone: said(dname.name), security: 'bogus', reason, says }
    return { kind: 'broken', judgement: { security: 'bogus', reason, steps: [...judgement.steps, step] } }
  }
  const ttlSeconds = ttlOf(judgement, dname)
  if (type === typeNumbers.CNAME) {
    const record = { name: current, type, class: classInternet, ttlSeconds, rdata: nameBytes(to) }
    return { kind: 'records', records: [record], judgement, ttlSeconds }
  }
  const alias: AliasStep = { from: current, to, by: 'DNAME', security: judgement.security }
  return { kind: 'alias', alias, judgement, ttlSeconds }
}

type Absence =
  | {
      readonly kind: 'absence'
      readonly outcome: 'no-data' | 'no-such-name'
      readonly judgement: Usable
      readonly ttlSeconds: number
    }
  | { readonly kind: 'referral' }
  | { readonly kind: 'broken'; readonly judgement: Unusable }

/**
 * The message has nothing at the name: because there is nothing, or because the server left off there.
 *
 * @param how whether the name is what the server was asked for, or where aliases led. In that case a message that proves nothing may just be incomplete: `unsaid`.
 */
function* absenceAt(
  name: Name,
  type: number,
  message: Message,
  judge: Judge,
  how: 'asked' | 'passed',
): WireWalk<Absence | 'unsaid'> {
  const ttlSeconds = unvouchedTtl(message, name)
  if (how === 'passed' && ttlSeconds === null) return 'unsaid'
  const judgement = yield* judge.absence(name, type, message)
  if (judgement.security === 'secure')
    return { kind: 'absence', outcome: judgement.outcome, judgement, ttlSeconds: judgement.ttlSeconds }
  if (!isUsable(judgement)) return how === 'passed' ? 'unsaid' : { kind: 'broken', judgement }
  // Nothing is proven and nothing can be: here the server's word is all there is (RFC 2308 §2).
  const { rcode, authoritative } = message.message
  const isReferral =
    ttlSeconds === null &&
    rcode === rcodes.NOERROR &&
    !authoritative &&
    message.authorities.some(rrset => rrset.type === typeNumbers.NS)
  if (isReferral) return { kind: 'referral' }
  const outcome = rcode === rcodes.NXDOMAIN ? 'no-such-name' : 'no-data'
  return { kind: 'absence', outcome, judgement, ttlSeconds: ttlSeconds ?? 0 }
}

/** What has been passed on the way, and the answer that comes of it. */
interface Trail {
  server: string | null
  pass(alias: AliasStep, judgement: Usable, ttlSeconds: number): void
  end(
    outcome: 'records' | 'no-data' | 'no-such-name',
    judgement: Usable,
    records: readonly ResourceRecord[],
    ttlSeconds: number,
  ): ValidatedAnswer
  broken(judgement: Unusable): ValidatedAnswer
  /** Judged, and not as its type wants it: bogus when a zone vouches for that, else a failed lookup. */
  unreadable(judgement: Usable, says: string): ValidatedAnswer
  fail(reason: DnsReason, says: string): ValidatedAnswer
  exhausted(): ValidatedAnswer
}

function openTrail(question: WireQuestion): Trail {
  const aliases: AliasStep[] = []
  const steps = new Map<string, ZoneStep>()
  let ttl = Number.POSITIVE_INFINITY
  let weakest: { readonly security: Security; readonly reason: ValidatedAnswer['reason'] } = {
    security: 'secure',
    reason: null,
  }
  const add = (security: Security, reason: ValidatedAnswer['reason'], more: readonly ZoneStep[]) => {
    if (strength[security] < strength[weakest.security]) weakest = { security, reason }
    for (const step of more) steps.set(`${step.zone} ${step.says}`, step)
  }
  const answer = (
    outcome: ValidatedAnswer['outcome'],
    endSecurity: Security,
    records: readonly ResourceRecord[],
    ttlSeconds: number | null,
  ): ValidatedAnswer => ({
    question,
    outcome,
    security: weakest.security,
    endSecurity,
    records,
    aliases,
    ttlSeconds,
    reason: weakest.reason,
    steps: [...steps.values()],
    server: trail.server,
  })
  const stop = (
    security: 'bogus' | 'indeterminate',
    reason: DnssecReason | DnsReason,
    more: readonly ZoneStep[],
  ) => {
    add(security, reason, more)
    // Why there is no answer matters more than how weak the way was that led here.
    weakest = { security, reason }
    return answer('failed', security, [], null)
  }
  const own = (security: Security, reason: DnssecReason | DnsReason, says: string): readonly ZoneStep[] => [
    { zone: said(aliases.at(-1)?.to ?? question.name), security, reason, says },
  ]
  const trail: Trail = {
    server: null,
    pass(alias, judgement, ttlSeconds) {
      aliases.push(alias)
      ttl = Math.min(ttl, ttlSeconds)
      add(judgement.security, judgement.reason, judgement.steps)
    },
    end(outcome, judgement, records, ttlSeconds) {
      add(judgement.security, judgement.reason, judgement.steps)
      return answer(outcome, judgement.security, records, Math.min(ttl, ttlSeconds))
    },
    broken(judgement) {
      const security = judgement.security === 'bogus' ? 'bogus' : 'indeterminate'
      return stop(security, judgement.reason, judgement.steps)
    },
    unreadable(judgement, says) {
      const isVouched = judgement.security === 'secure'
      const security = isVouched ? 'bogus' : 'indeterminate'
      const reason = isVouched ? 'dnssec.malformed' : 'dns.lookup-failed'
      return stop(security, reason, [...judgement.steps, ...own(security, reason, says)])
    },
    fail: (reason, says) => stop('indeterminate', reason, own('indeterminate', reason, says)),
    exhausted() {
      const reason = 'dnssec.over-budget'
      const says = 'The answers ask for more work than is done for one question, so nothing in them counts.'
      return stop('bogus', reason, own('bogus', reason, says))
    },
  }
  return trail
}

function isUsable(judgement: Usable | Unusable): judgement is Usable {
  return judgement.security !== 'bogus' && judgement.security !== 'failed'
}

function ttlOf(judgement: Usable, rrset: Rrset): number {
  return judgement.security === 'secure' ? judgement.ttlSeconds : rrset.ttlSeconds
}

/** The one target of a CNAME or DNAME. Two different ones are an error of the zone (RFC 2181 §10.1), and no choice of ours. */
function targetOf({ records }: Rrset): Name | null {
  const [first, ...more] = records
  if (first === undefined || more.length > 0) return null
  const target = readName(first.rdata, 0)
  return target === null || target.end !== first.rdata.length ? null : target.name
}

/** The deepest DNAME that stands above the name. */
function dnameAbove(name: Name, { answers }: Message): Rrset | null {
  return answers
    .filter(
      rrset =>
        rrset.type === typeNumbers.DNAME && rrset.name.length < name.length && isAtOrBelow(name, rrset.name),
    )
    .reduce<Rrset | null>(
      (deepest, rrset) => (deepest === null || rrset.name.length > deepest.name.length ? rrset : deepest),
      null,
    )
}

/** RFC 2308 §5, from a SOA that nobody vouches for. Null without one of a zone that the name is in: then the server has not said that there is nothing. */
function unvouchedTtl({ authorities }: Message, name: Name): number | null {
  const times = authorities
    .filter(rrset => rrset.type === typeNumbers.SOA && isAtOrBelow(name, rrset.name))
    .flatMap(({ records, ttlSeconds }) =>
      records.flatMap(record => {
        const data = readData(record)
        return data !== null && data !== 'malformed' && data.type === 'SOA'
          ? [Math.min(ttlSeconds, data.minimum)]
          : []
      }),
    )
  return times.length === 0 ? null : Math.min(...times)
}

const strength: Readonly<Record<Security, number>> = { secure: 3, insecure: 2, indeterminate: 1, bogus: 0 }
