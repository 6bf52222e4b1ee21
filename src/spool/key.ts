/**
 * The number under which SQLite files a message: its id read as base 32. Keys sort as ids do, so new messages go to the end of the tables,
 * and no second index on the id is needed.
 */
import { isMessageId, type MessageId } from '../protocol/mail/message-id.ts'

/** Null for what is no id, or one beyond SQLite's 63 bits (the year 3084 and later): no message can have it. */
export function keyOf(id: MessageId): bigint | null {
  if (!isMessageId(id) || id > lastId) return null
  let high = 0
  for (let i = 0; i < 6; i++) high = high * 32 + digitOf(id.charCodeAt(i))
  let low = 0
  for (let i = 6; i < 13; i++) low = low * 32 + digitOf(id.charCodeAt(i))
  return (BigInt(high) << 35n) | BigInt(low)
}

function digitOf(code: number): number {
  return digits[code] ?? 0
}

const digits: readonly number[] = (() => {
  const values: number[] = []
  for (const [value, digit] of [...'0123456789abcdefghjkmnpqrstvwxyz'].entries())
    values[digit.charCodeAt(0)] = value
  return Array.from({ length: 128 }, (_, code) => values[code] ?? 0)
})()

const lastId: MessageId = '7zzzzzzzzzzzz'
