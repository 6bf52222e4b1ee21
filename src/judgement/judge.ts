/**
 * One peer, one plan, one verdict, before any mail command (ARCHITECTURE decision 1).
 *
 * What the peer's certificates prove is judged in peer.ts and, where TLSA records decide, in dane-peer.ts. Success of the whole is a verdict that meets the plan's least on the peer axis; the name
 * axis was settled when the plan was made.
 *
 * A verdict states what is: a peer that proved itself under an opportunistic plan is `authenticated` too. It does not decide what is
 * done with a refused peer: the failure's finding says what it condemns.
 */
import type { Failure } from './failure.ts'
import type { PeerJudgement } from './peer.ts'
import type { Plan } from './plan.ts'
import { isAtLeast } from './plan-rules.ts'
import type { Verdict } from './verdict.ts'

/** How the conversation stands when it is judged. */
export type Conversation =
  | { readonly kind: 'tls'; readonly peer: Pick<PeerJudgement, 'failure' | 'matched' | 'by' | 'record'> }
  | {
      readonly kind: 'clear'
      readonly because: Extract<Verdict, { kind: 'clear' }>['because']
      /** Why there is no TLS, for plans that ask for it. */
      readonly failure: Failure | null
    }

export function judge(plan: Plan, conversation: Conversation): Verdict {
  if (conversation.kind === 'clear') {
    if (plan.least.peer === 'clear') return { kind: 'clear', name: plan.name, because: conversation.because }
    const failure = conversation.failure ?? notOffered
    // It is the records that ask for TLS, and no route of ours could be content with less.
    return {
      kind: 'refused',
      failure: plan.dane?.kind === 'records' ? { ...failure, reason: 'dane.no-starttls' } : failure,
    }
  }
  const { failure, matched, by, record } = conversation.peer
  if (failure === null && isAtLeast(by, plan.least.peer))
    return { kind: 'authenticated', name: plan.name, by, matched, record }
  if (isAtLeast('encrypted', plan.least.peer)) return { kind: 'encrypted', name: plan.name, wouldFail: failure }
  return { kind: 'refused', failure: failure ?? provedOtherwise }
}

/** No plan that asks for records is judged without them, so nobody meets this. */
const provedOtherwise: Failure = { reason: 'dane.no-match', detail: null, reply: null }

const notOffered: Failure = { reason: 'starttls.not-offered', detail: null, reply: null }
