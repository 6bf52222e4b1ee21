/** From what the engine holds to the JSON parts of the evidence vocabulary. Pure copying, and the one sentence of a verdict. */
import { tlsaText } from '../protocol/dane/tlsa.ts'
import type { DnsAnswer, RecordData } from '../protocol/dns/answer.ts'
import type { Reply } from '../protocol/smtp/reply.ts'
import type { DnsEvidence, FailureEvidence, ReplyEvidence, Timestamp, VerdictEvidence } from './evidence.ts'
import type { Failure } from './failure.ts'
import { findingFor } from './findings.ts'
import type { Plan } from './plan.ts'
import { peerProof, type Verdict } from './verdict.ts'

/** @param timeMs milliseconds since 1970 */
export function timestamp(timeMs: number): Timestamp {
  return new Date(timeMs).toISOString()
}

export function replyEvidence({ code, enhanced, lines }: Reply): ReplyEvidence {
  return { code, enhanced, text: lines.join('\n').slice(0, maxReplyChars) }
}

export function failureEvidence({ reason, detail, reply }: Failure): FailureEvidence {
  return {
    code: reason,
    detail: detail?.slice(0, maxDetailChars) ?? null,
    reply: reply === null ? null : replyEvidence(reply),
  }
}

export function dnsEvidence(answer: DnsAnswer): DnsEvidence {
  return {
    name: answer.question.name,
    type: answer.question.type,
    answer: answer.outcome,
    records: answer.records.slice(0, maxRecords).map(record => presentation(record).slice(0, maxRecordChars)),
    aliases: answer.aliases,
    security: answer.security,
    because: answer.because,
    ttlSeconds: answer.ttlSeconds,
    server: answer.cached ? 'cache' : answer.server,
    why: answer.why,
  }
}

export function verdictEvidence(verdict: Verdict, plan: Plan, host: string): VerdictEvidence {
  return {
    kind: verdict.kind,
    name: plan.name,
    peer: peerProof(verdict),
    matched: verdict.kind === 'authenticated' ? verdict.matched : null,
    record: verdict.kind === 'authenticated' ? verdict.record : null,
    says: verdictSentence(verdict, host),
  }
}

function verdictSentence(verdict: Verdict, host: string): string {
  switch (verdict.kind) {
    case 'authenticated': {
      const proof = verdict.matched === null ? 'by its key' : `for ${verdict.matched}`
      const doubt =
        verdict.name === 'unauthenticated' ? ', a name that nothing but an unsigned DNS answer vouches for' : ''
      return `The peer proved itself ${proof} (${verdict.by})${doubt}.`
    }
    case 'encrypted':
      return verdict.wouldFail === null
        ? 'Encrypted; who the peer is was not asked.'
        : `Encrypted; the peer did not prove who it is, and the plan does not ask for it: ${findingFor(verdict.wouldFail, host).says}`
    case 'clear':
      return `Clear text: ${clearReasons[verdict.because]}.`
    case 'refused':
      return `Refused before any mail was sent: ${findingFor(verdict.failure, host).says}`
    default:
      return verdict satisfies never
  }
}

function presentation(record: RecordData): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address
    case 'MX':
      return `${record.preference} ${record.exchange}.`
    case 'CNAME':
    case 'PTR':
      return `${record.target}.`
    case 'TLSA':
      return tlsaText(record)
    case 'TXT':
      return record.text.map(part => new TextDecoder().decode(part)).join('')
    default:
      return record satisfies never
  }
}

const clearReasons: Readonly<Record<Extract<Verdict, { kind: 'clear' }>['because'], string>> = {
  plan: 'the route asks for no TLS',
  'not-offered': 'the server does not offer STARTTLS',
  refused: 'the server refused STARTTLS',
  'handshake-failed-before':
    'TLS handshakes for this message failed, in an earlier attempt and in this one, and the route accepts clear text',
}

const maxReplyChars = 2_000
const maxDetailChars = 1_000
const maxRecords = 100
/** A whole certificate in a TLSA record is nobody's reading. */
const maxRecordChars = 300
