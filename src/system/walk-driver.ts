/**
 * Runs a walk of DNS questions against a resolver: what may be asked at the same time is asked at the same time, and the
 * budget is counted at this one door (ARCHITECTURE decision 5).
 *
 * It never rejects for anything the DNS does. A question beyond the budget is not asked; its answer is a failure, and what
 * that means is the walk's to say.
 */
import { type DnsAnswer, type DnsQuestion, failedAnswer } from '../protocol/dns/answer.ts'
import type { Walk } from '../protocol/walk.ts'
import type { Resolver } from './resolver.ts'
import { createTurns } from './turns.ts'

/** Questions one walk may ask. A domain with 20 MX hosts asks 41. */
export const maxQuestionsPerWalk = 100

/** Of one walk: one domain with twenty hosts whose servers are silent may not hold up the questions of all others. */
export const maxQuestionsAtATime = 10

export async function drive<T>(
  walk: Walk<DnsQuestion, DnsAnswer, T>,
  resolver: Pick<Resolver, 'resolve'>,
  maxQuestions: number = maxQuestionsPerWalk,
): Promise<T> {
  let left = maxQuestions
  const turns = createTurns(maxQuestionsAtATime)
  return runWalk(walk, async question => {
    if (left-- <= 0)
      return failedAnswer(question, 'too many questions for one destination', 'dns.lookup-failed', 'unvalidated')
    const done = await turns.take()
    try {
      return await resolver.resolve(question)
    } finally {
      done()
    }
  })
}

/** Any walk, its questions answered by `answer`, which must not reject. Nothing is counted. */
export async function runWalk<Q, A, T>(walk: Walk<Q, A, T>, answer: (question: Q) => Promise<A>): Promise<T> {
  let step = walk.next()
  while (step.done !== true) step = walk.next(await Promise.all(step.value.map(answer)))
  return step.value
}
