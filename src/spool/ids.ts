/**
 * Where new message ids come from. One is never given twice: not within a millisecond, not when the clock goes backwards, and not
 * after a restart, because no id is newer than a time that was written down before (the reservation).
 */
import { type MessageId, messageId } from '../protocol/mail/message-id.ts'

export interface MessageIds {
  newId(nowMs: number): MessageId
  /** The time of the newest id. */
  readonly lastMs: number
}

/**
 * @param floorMs All ids will be of a later time than this: the reservation found at the start.
 * @param reserve Told whenever ids are about to pass the reservation; has to write the new one down.
 */
export function createMessageIds(
  partition: number,
  floorMs: number,
  reserve: (untilMs: number) => void,
): MessageIds {
  if (!Number.isInteger(partition) || partition < 0 || partition > 31)
    throw new RangeError(`a partition is 0 to 31, not ${partition}`)
  let lastMs = floorMs
  let serial = lastSerial
  let reservedMs = floorMs
  return {
    newId(nowMs) {
      if (nowMs > lastMs) {
        lastMs = nowMs
        serial = 0
      } else if (serial < lastSerial) serial++
      else {
        lastMs++
        serial = 0
      }
      if (lastMs > reservedMs) {
        reservedMs = lastMs + reservationMs
        reserve(reservedMs)
      }
      return messageId(lastMs, partition, serial)
    },
    get lastMs() {
      return lastMs
    },
  }
}

/** Three digits of base 32. */
const lastSerial = 32 ** 3 - 1

/** How far ahead ids are reserved, in ms. After a crash the first ids are this much ahead of the clock at most; each reservation is one small write. */
const reservationMs = 2000
