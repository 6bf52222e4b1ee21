/**
 * Letters of the question's name in a case that nobody can guess, which a server sends back as it got them (draft-vixie-dnsext-dns0x20): some bits more, beside id
 * and port, for whoever forges answers without seeing the questions (RFC 5452 §4.5).
 *
 * The DNS compares names without regard to case (RFC 4343), so neither zone nor cache has to know of it. All this works on the bytes of messages: names in an answer
 * are mostly pointers to its question (RFC 1035 §4.1.4), so an answer gets the case that was asked for back in all of them at once. What a server does that changes
 * the case is for the caller to decide.
 */
import { headerBytes } from './message.ts'

/**
 * A copy of an encoded query, each letter of the name in its first question in a case that is thrown for it.
 * @param random a whole number, evenly spread over 0 to `below` - 1
 */
export function withMixedCase(query: Uint8Array, random: (below: number) => number): Uint8Array {
  const mixed = query.slice()
  let bits = 0
  let left = 0
  for (const at of nameOctets(mixed)) {
    const octet = mixed[at] ?? 0
    if (!isLetter(octet)) continue
    if (left === 0) {
      bits = random(2 ** bitsAtOnce)
      left = bitsAtOnce
    }
    mixed[at] = (octet & ~caseBit) | ((bits & 1) * caseBit)
    bits >>>= 1
    left--
  }
  return mixed
}

/** Whether a response to `query` has the question's name octet by octet as it was sent. One without a question has none that could differ. */
export function hasCaseOf(query: Uint8Array, response: Uint8Array): boolean {
  if (((response[questionCountAt] ?? 0) | (response[questionCountAt + 1] ?? 0)) === 0) return true
  return nameOctets(query).every(at => response[at] === query[at])
}

/** A copy of a response, with the name of its question as `query` has it. They must be the same name. */
export function inCaseOf(query: Uint8Array, response: Uint8Array): Uint8Array {
  const restored = response.slice()
  if (((response[questionCountAt] ?? 0) | (response[questionCountAt + 1] ?? 0)) === 0) return restored
  for (const at of nameOctets(query)) restored[at] = query[at] ?? 0
  return restored
}

/** Where the octets of labels stand; the first name of a message is never compressed. */
function nameOctets(message: Uint8Array): readonly number[] {
  const places: number[] = []
  let at = headerBytes
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    for (let octet = at + 1; octet <= at + length; octet++) places.push(octet)
    at += length + 1
  }
  return places
}

function isLetter(octet: number): boolean {
  const lower = octet | caseBit
  return lower >= 0x61 && lower <= 0x7a
}

const caseBit = 0x20
const bitsAtOnce = 31
const questionCountAt = 4
