/**
 * The failure notice for recipients that mail will not reach: from what was decided to a message of ours, ready for the spool.
 *
 * Who gets one: the sender, unless it is the null sender (RFC 5321 §6.1: a notice about a notice would go round for ever). Every text that
 * came from outside passes `visible` here (ARCHITECTURE decision 10).
 */
import type { Failure } from '../../judgement/failure.ts'
import { enhancedStatus, findingFor, replyLine } from '../../judgement/findings.ts'
import { visible } from '../../judgement/visible.ts'
import { type FailedRecipient, writeFailureNotice } from '../../protocol/mail/dsn.ts'
import type { NewMessage, StoredMessage } from '../../spool/spool.ts'
import type { Decided } from './document.ts'

export interface Notice {
  readonly message: NewMessage
  readonly content: Uint8Array
}

/** @param header The header of the original, as stored. @param id A new id of the spool. */
export function failureNotice(
  original: StoredMessage,
  failed: readonly Decided[],
  header: Uint8Array,
  id: string,
  { hostname, expireMs, nowMs }: { readonly hostname: string; readonly expireMs: number; readonly nowMs: number },
): Notice | null {
  const { envelope, receivedAtMs } = original
  const recipients = failed.flatMap(one => failedRecipient(one, nowMs) ?? [])
  if (envelope.from === null || recipients.length === 0) return null
  const { content, demands } = writeFailureNotice({
    reportingMta: hostname,
    to: envelope.from,
    id,
    writtenAtMs: nowMs,
    original: {
      id: original.id,
      arrivedAtMs: receivedAtMs,
      envid: envelope.envid === undefined ? null : visible(envelope.envid),
      header,
      smtputf8: envelope.demands.smtputf8,
    },
    recipients,
  })
  return {
    message: {
      id,
      envelope: { from: null, recipients: [envelope.from], demands },
      receivedAtMs: nowMs,
      expiresAtMs: nowMs + expireMs,
      origin: { via: 'dsn', address: null, helo: null, tls: null },
    },
    content,
  }
}

function failedRecipient({ recipient, fate, host }: Decided, nowMs: number): FailedRecipient | null {
  if (fate.kind !== 'returned') return null
  const { failure, last } = fate
  const decisive = last ?? failure
  const finding = findingFor(failure, host)
  const before = last === null ? null : findingFor(last, host)
  return {
    recipient: recipient.path,
    shown: visible(recipient.path.text, longestShown),
    status: last === null ? enhancedStatus(failure) : expiredStatus,
    remoteMta: decisive.reply === null || host === null ? null : visible(host),
    diagnostic: diagnosticOf(decisive, (before ?? finding).says),
    says: before === null ? finding.says : `${finding.says} What stood in the way: ${before.says}`,
    remedy:
      before === null
        ? finding.remedy
        : `Send it again later. While it was tried, the advice was: ${before.remedy}`,
    lastAttemptAtMs: nowMs,
  }
}

/** RFC 3464 §2.3.6: `smtp` is for the reply of a server; what we found out ourselves is not one. */
function diagnosticOf(failure: Failure, says: string): FailedRecipient['diagnostic'] {
  if (failure.reply !== null && failure.reason !== 'policy.rejected-by-route')
    return { type: 'smtp', text: replyLine(failure.reply) }
  return { type: 'x-hermetic', text: `${failure.reason}: ${says}` }
}

/** An address of 256 octets, each an escape. */
const longestShown = 2_600

/** RFC 3463 §3.5: delivery time expired. Class 4: what was in the way might have passed. */
const expiredStatus = '4.4.7'

/** The header section of stored content, without the blank line that ends it. */
export function headerOf(start: Uint8Array): Uint8Array {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length)
  if (bytes.subarray(0, 2).equals(lineEnd)) return bytes.subarray(0, 0)
  const end = bytes.indexOf('\r\n\r\n')
  return end < 0 ? bytes : bytes.subarray(0, end + 2)
}

const lineEnd = Buffer.from('\r\n')
