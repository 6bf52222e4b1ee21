/** Between a message as the relay knows it and the row that the store keeps of it. */
import type { BodyPlace, MessageRow, PendingRow, StoredRow } from './protocol.ts'
import type { NewMessage, Pending, StoredMessage } from './spool.ts'

export function rowOf(message: NewMessage, sizeBytes: number, body: BodyPlace): MessageRow {
  const { id, ...meta } = message
  return {
    id,
    sizeBytes,
    recipients: message.envelope.recipients.length,
    dueMs: message.receivedAtMs,
    meta: JSON.stringify(meta),
    body,
  }
}

export function messageOf(row: StoredRow): StoredMessage {
  // What is parsed here was written by `rowOf`, into a file whose kind and version were checked.
  const meta: Omit<NewMessage, 'id'> = JSON.parse(row.meta)
  const message = { id: row.id, ...meta }
  const rows: readonly PendingRow[] | null = row.pending === null ? null : JSON.parse(row.pending)
  const pending =
    rows?.map(([index, attempts, nextAttemptAtMs, lastFailure]) => ({
      index,
      attempts,
      nextAttemptAtMs,
      lastFailure,
    })) ?? untried(message)
  return { ...message, sizeBytes: row.size, pending }
}

/** All recipients of a message that nobody has tried to deliver yet. */
export function untried(message: NewMessage): Pending[] {
  return message.envelope.recipients.map((_, index) => ({
    index,
    attempts: 0,
    nextAttemptAtMs: message.receivedAtMs,
    lastFailure: null,
  }))
}
