/**
 * One message over one conversation: MAIL, RCPT, DATA, content, and what came of each recipient (RFC 5321 §3.3).
 *
 * Success is a positive reply to the final dot. It checks first what the message needs of the peer, and never changes content to fit.
 * It does not choose hosts and does not retry.
 */
import type { Failure, ReasonCode } from '../judgement/failure.ts'
import type { ServerOffers } from '../protocol/smtp/client.ts'
import { type Reply, replyClass } from '../protocol/smtp/reply.ts'
import type { Conversation, Told } from './conversation.ts'
import type { Mail, RecipientResult, TransactionResult } from './types.ts'

/** Why this peer cannot carry this mail at all; null when it can. */
export function unmetDemand(mail: Mail, offers: ServerOffers): Failure | null {
  const { eightBit, smtputf8 } = mail.demands
  if (smtputf8 && !offers.smtputf8) return { reason: 'smtp.no-smtputf8', detail: null, reply: null }
  if (eightBit && !offers.eightBitMime) return { reason: 'smtp.no-8bitmime', detail: null, reply: null }
  if (offers.sizeBytes !== null && mail.sizeBytes > offers.sizeBytes) {
    const detail = `${mail.sizeBytes} octets, and it takes ${offers.sizeBytes}`
    return { reason: 'smtp.message-exceeds-size', detail, reply: null }
  }
  return null
}

/** Passes `mail`. The conversation must be idle. Resolves when it is idle again or over; never rejects for anything a peer does, only for a fault of our own. */
export function transact(conversation: Conversation, mail: Mail): Promise<TransactionResult> {
  return new Promise((resolve, reject) => {
    const outcome = createOutcome(mail.recipients.length)
    const { client } = conversation
    /** The final dot was written: from here on the peer may own the message. */
    let isDotSent = false

    const finish = () => {
      conversation.listen(null)
      resolve({ recipients: outcome.results(), reusable: conversation.over === null })
    }

    const sendContent = () => {
      let content: ReturnType<Mail['content']>
      try {
        content = mail.content()
      } catch (error) {
        return giveUp(unreadable(error))
      }
      if (content instanceof Uint8Array && content.length <= atOnceBytes) {
        const stuffed = client.content(content)
        const dot = client.endContent()
        // Empty: the peer spoke before the end, and what it said comes next.
        isDotSent = dot.length > 0
        // Small content keeps pace by itself: the socket's buffer holds it, and the reply comes after it anyway.
        void conversation.write([...stuffed, dot])
        return
      }
      streamContent(content).catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)))
        conversation.destroy()
      })
    }

    const streamContent = async (content: Uint8Array | AsyncIterable<Uint8Array>) => {
      try {
        for await (const piece of content instanceof Uint8Array ? slices(content) : content) {
          if (conversation.over !== null) return
          if (!(await conversation.write(client.content(piece)))) return
        }
      } catch (error) {
        return giveUp(unreadable(error))
      }
      if (conversation.over !== null) return
      const dot = client.endContent()
      // Empty: the peer spoke before the end, and `proceed` finds out what it said.
      isDotSent = dot.length > 0
      void conversation.write([dot])
      conversation.proceed()
    }

    /** Content cannot be completed: without a final dot the peer throws away what it has, so the connection must go. */
    const giveUp = (failure: Failure) => {
      if (conversation.over !== null) return
      outcome.rest(failure)
      conversation.destroy()
      finish()
    }

    const told = (event: Told) => {
      switch (event.kind) {
        case 'sender':
          if (replyClass(event.reply) !== 'positive') outcome.rest(refusal('sender', event.reply))
          return
        case 'recipient':
          if (replyClass(event.reply) !== 'positive') outcome.one(event.index, refusal('recipient', event.reply))
          return
        case 'data':
          if (replyClass(event.reply) === 'intermediate') sendContent()
          else outcome.rest(refusal('data', event.reply))
          return
        case 'message':
          if (replyClass(event.reply) === 'positive') outcome.delivered(event.reply)
          else outcome.rest(refusal('message', event.reply))
          return finish()
        case 'transaction-over':
          return finish()
        case 'failed':
          outcome.rest(isDotSent ? afterDot(event.failure) : event.failure)
          return finish()
        case 'fault':
          return reject(event.error instanceof Error ? event.error : new Error(String(event.error)))
        case 'greeting':
        case 'hello':
        case 'starttls':
        case 'reset':
        case 'quit':
          throw new Error(`the client machine told of ${event.kind} within a transaction`)
        default:
          return event satisfies never
      }
    }

    conversation.listen(told)
    client.begin({
      from: mail.from,
      recipients: mail.recipients,
      parameters: {
        sizeBytes: mail.sizeBytes,
        body: mail.demands.eightBit ? '8BITMIME' : null,
        smtputf8: mail.demands.smtputf8,
      },
    })
    conversation.proceed()
  })
}

/** The same failure for every recipient. */
export function failedForAll(mail: Mail, failure: Failure, reusable: boolean): TransactionResult {
  return { recipients: mail.recipients.map(() => ({ kind: 'failed', failure })), reusable }
}

interface Outcome {
  one(index: number, failure: Failure): void
  /** Everybody whose fate is not known yet. */
  rest(failure: Failure): void
  delivered(reply: Reply): void
  results(): readonly RecipientResult[]
}

function createOutcome(count: number): Outcome {
  const known = new Array<RecipientResult | null>(count).fill(null)
  const fill = (result: RecipientResult) => {
    for (let i = 0; i < count; i++) known[i] ??= result
  }
  return {
    one(index, failure) {
      known[index] ??= { kind: 'failed', failure }
    },
    rest(failure) {
      fill({ kind: 'failed', failure })
    },
    delivered(reply) {
      fill({ kind: 'delivered', reply })
    },
    results() {
      fill({
        kind: 'failed',
        failure: { reason: 'us.internal', detail: 'a recipient without an outcome', reply: null },
      })
      return known.flatMap(result => (result === null ? [] : [result]))
    },
  }
}

function refusal(what: 'sender' | 'recipient' | 'data' | 'message', reply: Reply): Failure {
  // RFC 5321 §3.8: 421 may answer any command, and says that the conversation ends.
  if (reply.code === 421) return { reason: 'smtp.shutting-down', detail: null, reply }
  const says = replyClass(reply)
  switch (says) {
    case 'refused-for-now':
      return { reason: refusals[what].now, detail: null, reply }
    case 'refused-for-good':
      return { reason: refusals[what].good, detail: null, reply }
    case 'positive':
    case 'intermediate':
      return { reason: 'smtp.reply-unexpected', detail: `to ${what}`, reply }
    default:
      return says satisfies never
  }
}

/** Whatever ended the conversation after the final dot, the peer may have taken the message: it must not go to another host at once. */
function afterDot(failure: Failure): Failure {
  if (failure.reason === 'smtp.shutting-down') return failure
  return { reason: 'smtp.closed-after-dot', detail: failure.detail, reply: failure.reply }
}

function unreadable(error: unknown): Failure {
  return {
    reason: 'us.content-unreadable',
    detail: error instanceof Error ? error.message : String(error),
    reply: null,
  }
}

function* slices(content: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < content.length; at += atOnceBytes) yield content.subarray(at, at + atOnceBytes)
}

const refusals = {
  sender: { now: 'smtp.sender-refused-for-now', good: 'smtp.sender-refused-for-good' },
  recipient: { now: 'smtp.recipient-refused-for-now', good: 'smtp.recipient-refused-for-good' },
  data: { now: 'smtp.data-refused-for-now', good: 'smtp.data-refused-for-good' },
  message: { now: 'smtp.message-refused-for-now', good: 'smtp.message-refused-for-good' },
} as const satisfies Record<string, { readonly now: ReasonCode; readonly good: ReasonCode }>

/** Content up to this goes out in one piece with its final dot. */
const atOnceBytes = 64 * 1024
