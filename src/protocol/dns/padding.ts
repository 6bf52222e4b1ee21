/**
 * Padding of questions that go out encrypted, so that their length says little of the name that is asked for (RFC 7830, RFC 8467 §4.1).
 *
 * A message without EDNS has no place for it and stays as it is. In clear text padding hides nothing and must not be used (RFC 7830 §6).
 */
import { encodeMessage, type Message } from './message.ts'

/** To a multiple of this a client pads its questions, in bytes (RFC 8467 §4.1). */
export const paddingBlockBytes = 128

/** The option (RFC 7830 §3). */
export const paddingOption = 12

/** The message with as much padding, of zeros, as makes its encoded length a multiple of `paddingBlockBytes`. */
export function padded(message: Message): Message {
  const { edns } = message
  if (edns === null) return message
  const options = edns.options.filter(({ code }) => code !== paddingOption)
  const withPadding = (bytes: number): Message => ({
    ...message,
    edns: { ...edns, options: [...options, { code: paddingOption, data: new Uint8Array(bytes) }] },
  })
  const over = encodeMessage(withPadding(0)).length % paddingBlockBytes
  return withPadding(over === 0 ? 0 : paddingBlockBytes - over)
}
