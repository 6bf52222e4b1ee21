/**
 * Drives a walk from recorded answers, and makes such answers. For tests.
 */
import type { Walk } from '../../walk.ts'
import type { DnsAnswer, DnsQuestion, RecordData, RecordType } from '../answer.ts'

/** Runs the walk. A question without a recorded answer is an error of the test; the name is matched in any case. */
export function replay<T>(
  walk: Walk<DnsQuestion, DnsAnswer, T>,
  answers: readonly DnsAnswer[],
): { readonly result: T; readonly asked: readonly (readonly DnsQuestion[])[] } {
  const asked: (readonly DnsQuestion[])[] = []
  let step = walk.next()
  while (step.done !== true) {
    const questions = step.value
    asked.push(questions)
    step = walk.next(questions.map(question => find(question, answers)))
  }
  return { result: step.value, asked }
}

/** Records that were found, through `aliases` if there are any. */
export function found(
  name: string,
  type: RecordType,
  records: readonly RecordData[],
  more: { readonly aliases?: readonly string[]; readonly ttlSeconds?: number } = {},
): DnsAnswer {
  const { aliases = [], ttlSeconds = 300 } = more
  return { ...base(name, type), outcome: 'records', records, aliases, ttlSeconds }
}

export function noData(name: string, type: RecordType, aliases: readonly string[] = []): DnsAnswer {
  return { ...base(name, type), outcome: 'no-data', aliases }
}

export function noSuchName(name: string, type: RecordType, aliases: readonly string[] = []): DnsAnswer {
  return { ...base(name, type), outcome: 'no-such-name', aliases }
}

export function lookupFailed(name: string, type: RecordType, why = 'SERVFAIL'): DnsAnswer {
  const reason = why === 'timeout' ? 'dns.timeout' : 'dns.lookup-failed'
  return { ...base(name, type), outcome: 'failed', ttlSeconds: null, why, reason }
}

/** `A` or `AAAA` records of one host, by how the addresses look. */
export function addresses(name: string, list: readonly string[], aliases: readonly string[] = []): DnsAnswer[] {
  const records = (type: 'A' | 'AAAA') =>
    list.filter(address => address.includes(':') === (type === 'AAAA')).map(address => ({ type, address }))
  return (['A', 'AAAA'] as const).map(type =>
    records(type).length > 0 ? found(name, type, records(type), { aliases }) : noData(name, type, aliases),
  )
}

function base(name: string, type: RecordType) {
  return {
    question: { name, type },
    records: [],
    aliases: [],
    ttlSeconds: 60,
    security: 'unvalidated',
    because: null,
    server: '192.0.2.53:53',
    cached: false,
    why: null,
    reason: null,
  } as const
}

function find(question: DnsQuestion, answers: readonly DnsAnswer[]): DnsAnswer {
  const answer = answers.find(
    one => one.question.type === question.type && one.question.name.toLowerCase() === question.name.toLowerCase(),
  )
  if (answer === undefined) throw new Error(`no answer was recorded for ${question.type} ${question.name}`)
  return answer
}
