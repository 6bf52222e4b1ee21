/**
 * Runs a walk of DNS questions against a resolver: what may be asked at the same time is asked at the same time, and the
 * budget is counted at this one door (ARCHITECTURE decision 5).
 *
 * It never rejects for anything the DNS does. A question beyond the budget is not asked; its answer is a failure, and what
 * that means is the walk's to say.
 */
import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'
import type { Walk } from '../protocol/walk.ts'
import type { Resolver } from './resolver.ts'

/** Questions one walk may ask. A domain with 20 MX hosts asks 41. */
export const maxQuestionsPerWalk = 100

export async function drive<T>(
  walk: Walk<DnsQuestion, DnsAnswer, T>,
  resolver: Pick<Resolver, 'resolve'>,
  maxQuestions: number = maxQuestionsPerWalk,
): Promise<T> {
  let left = maxQuestions
  return runWalk(walk, question => (left-- > 0 ? resolver.resolve(question) : Promise.resolve(tooMany(question))))
}

/** Any walk, its questions answered by `answer`, which must not reject. Nothing is counted. */
export async function runWalk<Q, A, T>(walk: Walk<Q, A, T>, answer: (question: Q) => Promise<A>): Promise<T> {
  let step = walk.next()
  while (step.done !== true) step = walk.next(await Promise.all(step.value.map(answer)))
  return step.value
}

function tooMany(question: DnsQuestion): DnsAnswer {
  return {
    question,
    outcome: 'failed',
    records: [],
    aliases: [],
    ttlSeconds: null,
    security: 'unvalidated',
    because: null,
    server: null,
    cached: false,
    why: 'too many questions for one destination',
    reason: 'dns.lookup-failed',
  }
}
