/**
 * One validation's dealings with servers: every question asked once, every answer checked to be one, all of it paid from the budget.
 *
 * A `reply` is what may be looked into; nothing in it is verified yet. Success means only that somebody answered this question with NOERROR or NXDOMAIN,
 * which of the two is not believed by anybody who has a proof. Bounded by the budget: one that is exhausted is remembered, since what is found out
 * afterwards must not become a verdict.
 */
import type { Message } from '../dns/message.ts'
import { equalNames, type Name, nameKey } from '../dns/name.ts'
import { classInternet, rcodeName, rcodes, typeName } from '../dns/numbers.ts'
import type { DnsReason } from '../dns/reasons.ts'
import type { Walk } from '../walk.ts'
import { said } from './denial-rules.ts'
import { groupRrsets } from './rrsets.ts'
import type { DnssecBudget, Rrset, ValidationContext, WireAnswer, WireQuestion } from './types.ts'

export type WireWalk<T> = Walk<WireQuestion, WireAnswer, T>

export type Reply =
  | {
      readonly kind: 'message'
      readonly message: Message
      readonly answers: readonly Rrset[]
      readonly authorities: readonly Rrset[]
      readonly server: string
    }
  | ReplyFailure

export interface ReplyFailure {
  readonly kind: 'failed'
  readonly reason: DnsReason
  /** One sentence, for people. */
  readonly says: string
  readonly server: string | null
}

export interface Inquiry {
  readonly context: ValidationContext
  /** The budget of the context, watched. */
  readonly budget: DnssecBudget
  /** Whether some work was refused, ever. */
  readonly isExhausted: () => boolean
  /** The answer to a question, asked now or before. */
  readonly replyTo: (question: WireQuestion) => WireWalk<Reply>
  /** Where much was worked out since the last question: yields none, so that whoever drives the walk can let others have their turn. */
  readonly pause: () => WireWalk<void>
  /** Asks all at once what was not asked before. */
  readonly prefetch: (questions: readonly WireQuestion[]) => WireWalk<void>
}

export function openInquiry(context: ValidationContext): Inquiry {
  const replies = new Map<string, Reply>()
  let isExhausted = false
  let signaturesAtPause = context.budget.spent.signatures
  const budget: DnssecBudget = {
    get spent() {
      return context.budget.spent
    },
    spend(work, amount) {
      const isGranted = !isExhausted && context.budget.spend(work, amount)
      isExhausted ||= !isGranted
      return isGranted
    },
  }

  function* prefetch(questions: readonly WireQuestion[]): WireWalk<void> {
    const missing = new Map<string, WireQuestion>()
    for (const question of questions) {
      const key = questionKey(question)
      if (!replies.has(key)) missing.set(key, question)
    }
    if (missing.size === 0 || !budget.spend('questions', missing.size)) return
    signaturesAtPause = budget.spent.signatures
    const answers = yield [...missing.values()]
    for (const [index, [key, question]] of [...missing].entries()) {
      const answer = answers[index]
      if (answer === undefined) throw new Error('the driver of a walk gave too few answers')
      replies.set(key, readAnswer(question, answer))
    }
  }

  function* replyTo(question: WireQuestion): WireWalk<Reply> {
    const key = questionKey(question)
    if (!replies.has(key)) yield* prefetch([question])
    return replies.get(key) ?? notAsked
  }

  function* pause(): WireWalk<void> {
    if (budget.spent.signatures - signaturesAtPause < signaturesBetweenPauses) return
    signaturesAtPause = budget.spent.signatures
    yield []
  }

  return { context, budget, isExhausted: () => isExhausted, replyTo, pause, prefetch }
}

export function findRrset(rrsets: readonly Rrset[], name: Name, type: number): Rrset | null {
  return rrsets.find(rrset => rrset.type === type && equalNames(rrset.name, name)) ?? null
}

function readAnswer(question: WireQuestion, answer: WireAnswer): Reply {
  const what = `${said(question.name)} ${typeName(question.type)}`
  if (answer.kind === 'failed')
    return {
      kind: 'failed',
      reason: answer.reason,
      says: `The lookup of ${what} failed: ${answer.why}.`,
      server: answer.server,
    }
  const { message, server } = answer
  const fail = (says: string): Reply => ({ kind: 'failed', reason: 'dns.lookup-failed', says, server })
  const [asked, ...more] = message.questions
  const isOurs =
    message.isResponse &&
    more.length === 0 &&
    asked?.type === question.type &&
    asked.class === classInternet &&
    equalNames(asked.name, question.name)
  if (!isOurs) return fail(`What came for ${what} is the answer to another question.`)
  if (message.truncated) return fail(`The answer to ${what} was cut.`)
  if (message.rcode !== rcodes.NOERROR && message.rcode !== rcodes.NXDOMAIN)
    return fail(`The server answered ${rcodeName(message.rcode)} to ${what}.`)
  return {
    kind: 'message',
    message,
    answers: groupRrsets(message.answers),
    authorities: groupRrsets(message.authorities),
    server,
  }
}

function questionKey({ name, type }: WireQuestion): string {
  return `${type} ${nameKey(name)}`
}

/** Some 10 ms. Three RRsets with one good signature each take a tenth of it, whatever the algorithm. */
const signaturesBetweenPauses = 400

/** Nobody was asked for want of budget; what the walk answers is `dnssec.over-budget`. */
const notAsked: ReplyFailure = {
  kind: 'failed',
  reason: 'dns.lookup-failed',
  says: 'Nobody was asked: this question has caused too many others.',
  server: null,
}
