/**
 * An SMTP reply (RFC 5321 §4.2, RFC 2034, RFC 3463): what a server says, and what a client heard.
 */
export interface Reply {
  /** Three digits, 200-599. */
  readonly code: number
  /** `5.7.1` where the first line carried one of the same class as `code`, else null. */
  readonly enhanced: string | null
  /** The text of each line, without codes. From a peer this is text from outside: show it through `visible` only. */
  readonly lines: readonly string[]
}

/** What the first digit of a reply says (RFC 5321 §4.2.1). */
export type ReplyClass = 'positive' | 'intermediate' | 'refused-for-now' | 'refused-for-good'

export function replyClass(reply: Reply): ReplyClass {
  if (reply.code < 300) return 'positive'
  if (reply.code < 400) return 'intermediate'
  return reply.code < 500 ? 'refused-for-now' : 'refused-for-good'
}

/** A reply of ours: `reply(452, '4.3.1', 'Out of space: try again later')`. */
export function reply(code: number, enhanced: string | null, ...lines: string[]): Reply {
  return { code, enhanced, lines }
}
