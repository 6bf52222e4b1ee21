/**
 * A reply of ours as it goes on the wire (RFC 5321 §4.2, RFC 2034 §4). What comes out is lines in ASCII that end in CRLF and are short enough,
 * whatever text went in: a reply whose text came from elsewhere cannot become two replies.
 */
import type { Reply } from './reply.ts'

/**
 * @param codes 'enhanced': each line carries the enhanced code; one of the reply's class is made up where none is given. 'plain': none does,
 *   as RFC 2034 §4 wants it for the greeting and the answers to EHLO and HELO. Intermediate replies (3xx) never carry one.
 */
export function formatReply(reply: Reply, codes: 'enhanced' | 'plain'): string {
  const { code, lines } = reply
  const prefix = codes === 'plain' || (code >= 300 && code < 400) ? '' : `${enhancedCode(reply)} `
  const [only] = lines
  if (lines.length === 1 && only !== undefined && only.length <= maxTextLength && !unsafe.test(only))
    return `${code} ${prefix}${only}\r\n`
  const parts = lines.flatMap(inParts)
  if (parts.length === 0) parts.push('')
  let text = ''
  for (const [i, part] of parts.entries())
    text += `${code}${i === parts.length - 1 ? ' ' : '-'}${prefix}${part}\r\n`
  return text
}

function enhancedCode({ code, enhanced }: Reply): string {
  const first = String(Math.trunc(code / 100))
  return enhanced?.startsWith(`${first}.`) ? enhanced : `${first}.0.0`
}

function inParts(line: string): string[] {
  const safe = line.replace(unsafeAll, '?')
  const parts = [safe.slice(0, maxTextLength)]
  for (let at = maxTextLength; at < safe.length; at += maxTextLength)
    parts.push(safe.slice(at, at + maxTextLength))
  return parts
}

/** RFC 5321 §4.5.3.1.5: 512 octets with code, enhanced code and CRLF. */
const maxTextLength = 480
/** RFC 5321 §4.2: printable ASCII and tab. UTF-8 would need the client's consent in each command (RFC 6531 §3.7.4). */
const unsafe = /[^\t\x20-\x7e]/
const unsafeAll = /[^\t\x20-\x7e]/g
