/**
 * Replies from bytes (RFC 5321 §4.2), bounded in the length of a line and in the number of lines.
 *
 * Only CRLF ends a line. A CR or LF elsewhere makes the reply malformed, at once and not only when its end comes: a server that ends its lines with a bare LF
 * would otherwise be waited for until the timeout. No server in use was found to do that, and a reader that took LF for a line's end would give
 * whoever can place one in a reply's text (an echoed address, say) a reply of his own.
 * Tolerated, because it is common: a code with no text, texts longer than 512 octets, octets above 127 (shown as UTF-8), codes unknown to the RFC.
 */
import { isAscii } from 'node:buffer'
import { createLines } from './lines.ts'
import type { Reply } from './reply.ts'

/** What may be wrong with what a server says. `says` is in our own words; it holds nothing of the peer's. */
export interface ReplyFault {
  readonly kind: 'malformed' | 'too-long'
  readonly says: string
}

export interface ReplyReader {
  receive(chunk: Uint8Array): void
  /** After a fault it cannot be read on. */
  next(): { readonly reply: Reply } | { readonly fault: ReplyFault } | 'need-bytes'
  /** Bytes behind the replies given so far, an unfinished one included. */
  readonly unreadBytes: number
}

/** With its CRLF. RFC 5321 §4.5.3.1.5 says 512, and some servers say more. */
export const maxReplyLineBytes = 2_048
/** EHLO answers of some thirty lines are known. */
export const maxReplyLines = 128

export function createReplyReader(): ReplyReader {
  const lines = createLines(maxReplyLineBytes)
  /** The lines of a reply that goes on. */
  let code = 0
  let texts: string[] = []
  let textBytes = 0

  return {
    receive: lines.receive,
    next() {
      for (;;) {
        const line = lines.next()
        const problem = line === 'need-bytes' ? lines.unfinishedFault : typeof line === 'string' ? line : null
        if (problem !== null) return { fault: lineFaults[problem] }
        if (typeof line === 'string') return 'need-bytes'
        const lineCode = codeOf(line)
        const separator = line[3]
        if (lineCode === -1 || (separator !== undefined && separator !== 32 && separator !== 45))
          return { fault: malformed('a line does not begin with a reply code') }
        if (texts.length > 0 && lineCode !== code)
          return { fault: malformed('the lines of one reply have different codes') }
        code = lineCode
        texts.push(textOf(line))
        textBytes += line.length
        if (separator !== 45) {
          const reply = assemble(code, texts)
          texts = []
          textBytes = 0
          return { reply }
        }
        if (texts.length >= maxReplyLines)
          return { fault: { kind: 'too-long', says: 'a reply has too many lines' } }
      }
    },
    get unreadBytes() {
      return lines.unreadBytes + textBytes
    },
  }
}

function assemble(code: number, texts: readonly string[]): Reply {
  const match = enhancedCode.exec(texts[0] ?? '')
  const enhanced = match?.[1]
  if (enhanced === undefined || !enhanced.startsWith(String(Math.trunc(code / 100))))
    return { code, enhanced: null, lines: texts }
  return {
    code,
    enhanced,
    lines: texts.map(text => (text.startsWith(enhanced) ? text.slice(enhanced.length).trimStart() : text)),
  }
}

/** Decoding as UTF-8 only where it makes a difference: latin1 is cheaper. */
function textOf(line: Buffer): string {
  return line.toString(isAscii(line) ? 'latin1' : 'utf8', 4)
}

/** The three digits, 200 to 599, or -1. */
function codeOf(line: Buffer): number {
  const [a = 0, b = 0, c = 0] = [line[0], line[1], line[2]]
  if (a < 0x32 || a > 0x35 || b < 0x30 || b > 0x39 || c < 0x30 || c > 0x39) return -1
  return (a - 0x30) * 100 + (b - 0x30) * 10 + (c - 0x30)
}

function malformed(says: string): ReplyFault {
  return { kind: 'malformed', says }
}

const lineFaults = {
  'too-long': { kind: 'too-long', says: 'a line of a reply is too long' },
  'bare-cr': malformed('a reply has a carriage return without line feed'),
  'bare-lf': malformed('a reply has a line feed without carriage return'),
} as const

/** RFC 2034 §4, at the start of a line's text. */
const enhancedCode = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/
