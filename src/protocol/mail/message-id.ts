/**
 * The id of a message in our spool and logs, such as `01k9v3p0c2ma7`: 13 characters of Crockford's base 32 in lower case:
 * 9 of the time in milliseconds, 1 of the partition, 3 that keep apart what one millisecond brings. Sorts by age.
 */
export type MessageId = string

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** `n` as exactly `width` digits of base 32, the lowest ones if there are more. */
function digits(n: number, width: number): string {
  let text = ''
  let rest = n
  for (let i = 0; i < width; i++) {
    text = alphabet.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** @param serial 0 to 32,767: distinct within one millisecond and partition. */
export function messageId(timeMs: number, partition: number, serial: number): MessageId {
  return digits(timeMs, 9) + digits(partition, 1) + digits(serial, 3)
}

export function isMessageId(text: string): text is MessageId {
  return /^[0-9a-hjkmnp-tv-z]{13}$/.test(text)
}
