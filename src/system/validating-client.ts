/**
 * Questions of the mail walks, answered by the validator: what dns-client.ts is to answers as they come, this is to answers that are proven or not.
 *
 * Finished answers are kept for their time, so that asking again costs a look into a map; equal questions in flight are asked once. A secure answer is kept
 * no longer than its signatures and TTLs allow, any other within the bounds of the plain client. Success means that the answer carries its security: bogus, and
 * what could not be found out, is `failed` with a reason, and never "no records"; where it is the keys of the trust anchor's own zone that fail, the reason is the clock
 * or the servers, and not that zone. The hosts file plays no part.
 */
import { type DnsAnswer, type DnsQuestion, failedAnswer, type RecordData } from '../protocol/dns/answer.ts'
import { type Name, nameKey, parseName } from '../protocol/dns/name.ts'
import { typeNumbers } from '../protocol/dns/numbers.ts'
import type { DnsReason } from '../protocol/dns/reasons.ts'
import { readData } from '../protocol/dns/records.ts'
import type { BogusReason, DnssecReason } from '../protocol/dnssec/reasons.ts'
import type { ValidatedAnswer } from '../protocol/dnssec/types.ts'
import { createDnsCache } from './dns-cache.ts'
import {
  failureTtlSeconds,
  maxNegativeTtlSeconds,
  maxQuestionsInFlight,
  maxTtlSeconds,
  minTtlSeconds,
} from './dns-client.ts'
import type { Resolver } from './resolver.ts'
import { createTurns } from './turns.ts'
import type { ResolvedAnswer, ValidatingResolver } from './validating-resolver.ts'

export interface ValidatingClientOptions {
  /** Whose wire is closed by whoever made it, before the client is. */
  readonly resolver: ValidatingResolver
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** How long a question waits for its turn at most, in ms. */
  readonly timeoutMs: number
  /** Told of every answer that was not kept from before. */
  readonly heard?: (answer: ValidatedAnswer) => void
}

export function createValidatingClient({ resolver, now, timeoutMs, heard }: ValidatingClientOptions): Resolver {
  const cache = createDnsCache(now)
  const inFlight = new Map<string, Promise<DnsAnswer>>()
  const turns = createTurns(maxQuestionsInFlight)
  let isClosed = false

  async function inTurn(question: DnsQuestion, name: Name, key: string, id: string): Promise<DnsAnswer> {
    const startMs = now()
    const done = await turns.take()
    try {
      // When no server answers, a long queue is over soon after its first questions.
      if (now() - startMs > timeoutMs) return failedAnswer(question, 'timeout', 'dns.timeout')
      if (isClosed) return failedAnswer(question, 'closed', 'dns.lookup-failed')
      const found = await resolver.resolve(name, typeNumbers[question.type])
      const answer = answerOf(question, found)
      if (isClosed) return answer
      cache.put(key, answer, (answer.ttlSeconds ?? failureTtlSeconds) * 1000)
      heard?.(found)
      return answer
    } finally {
      done()
      inFlight.delete(id)
    }
  }

  return {
    async resolve(question) {
      const name = parseName(question.name)
      if (name === null) return failedAnswer(question, 'not a name', 'dns.name-invalid')
      const key = nameKey(name)
      const kept = cache.get(key, question)
      if (kept !== null) return kept
      const id = `${question.type} ${key}`
      const running = inFlight.get(id) ?? inTurn(question, name, key, id)
      inFlight.set(id, running)
      const answer = await running
      return answer.question === question ? answer : { ...answer, question }
    },
    async close() {
      isClosed = true
      await Promise.all(inFlight.values())
    },
  }
}

/**
 * What a fault of the trust anchor's own zone means, which is in order wherever it is looked after: its keys come to everybody, and are of no owner whom anybody here
 * could write to. Null: the fault is not there.
 */
export function faultAtAnchor({ steps: [first], reason }: ValidatedAnswer): DnsReason | null {
  if (reason === null || first?.reason !== reason) return null
  switch (reason) {
    case 'dnssec.signature-expired':
    case 'dnssec.signature-not-yet-valid':
      return 'dns.clock-wrong'
    case 'dnssec.signature-missing':
    case 'dnssec.dnskey-missing':
      return 'dns.validation-unavailable'
    default:
      return null
  }
}

function answerOf(question: DnsQuestion, found: ResolvedAnswer): DnsAnswer {
  const { outcome, security, reason, server, steps } = found
  const common = {
    question,
    records: [],
    aliases: found.aliases.map(({ to }) => nameKey(to)),
    ttlSeconds: null,
    security,
    because: security === 'insecure' || security === 'bogus' ? decidingSentence(steps, reason) : null,
    server,
    cached: false,
    why: null,
    reason,
  } as const
  if (outcome === 'failed')
    return {
      ...common,
      outcome,
      why: whyFailed(found),
      reason: faultAtAnchor(found) ?? reason ?? 'dns.lookup-failed',
    }
  const records = found.records.map(readRecord)
  if (!records.every(record => record !== null)) return unreadable(question, common, security)
  return { ...common, outcome, records, ttlSeconds: keptSeconds(found) }
}

/** Null: it breaks its type's form. */
function readRecord(record: ValidatedAnswer['records'][number]): RecordData | null {
  const data = readData(record)
  return data === null || data === 'malformed' || data.type === 'SOA' || data.type === 'NS' ? null : data
}

/** Records that cannot be read are a fault of whoever vouches for them, and of nobody in particular where nobody does. */
function unreadable(
  question: DnsQuestion,
  answer: Omit<DnsAnswer, 'outcome'>,
  security: DnsAnswer['security'],
): DnsAnswer {
  const why = `malformed answer (${question.type} record)`
  if (security !== 'secure')
    return {
      ...answer,
      outcome: 'failed',
      security: 'indeterminate',
      because: null,
      why,
      reason: 'dns.lookup-failed',
    }
  const because = `A ${question.type} record of the answer is signed, and cannot be read.`
  return { ...answer, outcome: 'failed', security: 'bogus', because, why, reason: 'dnssec.malformed' }
}

/** The lower bound is for what nobody signed: a proof is not stretched beyond its end, and costs no question to be looked at again. */
function keptSeconds({ outcome, security, ttlSeconds }: ResolvedAnswer): number {
  const most = outcome === 'records' ? maxTtlSeconds : maxNegativeTtlSeconds
  const least = security === 'secure' ? 0 : minTtlSeconds
  return Math.min(Math.max(ttlSeconds ?? 0, least), most)
}

function decidingSentence(steps: ValidatedAnswer['steps'], reason: ValidatedAnswer['reason']): string | null {
  return steps.find(step => step.reason === reason)?.says ?? null
}

function whyFailed({ security, reason, asked }: ResolvedAnswer): string {
  if (reason !== null && isBogus(reason)) return `bogus: ${bogusWords[reason]}`
  if (security === 'bogus') return 'bogus'
  if (reason === 'dns.alias-loop') return 'alias loop'
  return asked.findLast(({ why }) => why !== null)?.why ?? 'an answer that answers nothing'
}

function isBogus(reason: DnsReason | DnssecReason): reason is BogusReason {
  return Object.hasOwn(bogusWords, reason)
}

const bogusWords: Readonly<Record<BogusReason, string>> = {
  'dnssec.signature-missing': 'signature missing',
  'dnssec.signature-bad': 'signature does not fit',
  'dnssec.signature-expired': 'signature expired',
  'dnssec.signature-not-yet-valid': 'signature not valid yet',
  'dnssec.signer-not-zone': 'signed by another zone',
  'dnssec.key-missing': 'key of the signature missing',
  'dnssec.no-trusted-key': 'keys that nobody vouches for',
  'dnssec.key-revoked': 'key revoked',
  'dnssec.dnskey-missing': 'keys of the zone missing',
  'dnssec.denial-unproven': 'absence not proven',
  'dnssec.denial-of-wrong-zone': 'absence proven by another zone',
  'dnssec.wildcard-unproven': 'wildcard not proven',
  'dnssec.dname-mismatch': 'alias does not fit its DNAME',
  'dnssec.malformed': 'records of the proof cannot be read',
  'dnssec.over-budget': 'too much work',
}
