/**
 * DNS messages on a stream of bytes, each behind its length in two bytes (RFC 1035 §4.2.2, RFC 7766 §8): over TCP, and over TLS (RFC 7858 §3.3).
 *
 * However the network cuts the stream, the messages come out whole and in order. What they say is not looked at: a length of zero is a message without bytes.
 * One message is held at most, and putting it together costs the same whether it comes at once or byte by byte.
 */
import { maxMessageBytes } from './message.ts'

export interface MessageReader {
  /** Messages that are whole with these bytes, oldest first. They are copies, and stay as they are. */
  receive(bytes: Uint8Array): readonly Uint8Array[]
}

export function createMessageReader(): MessageReader {
  // Room for the longest at once: to put it together anew with each piece is quadratic where a server sends single bytes.
  const held = new Uint8Array(lengthBytes + maxMessageBytes)
  let have = 0
  return {
    receive(bytes) {
      const messages: Uint8Array[] = []
      let at = 0
      while (at < bytes.length) {
        // The length first: what is behind it may belong to the next message.
        const wanted = have < lengthBytes ? lengthBytes : lengthBytes + lengthIn(held)
        const piece = bytes.subarray(at, at + wanted - have)
        held.set(piece, have)
        have += piece.length
        at += piece.length
        if (have < lengthBytes || have < lengthBytes + lengthIn(held)) continue
        messages.push(held.slice(lengthBytes, have))
        have = 0
      }
      return messages
    },
  }
}

/** @param message at most `maxMessageBytes`, as `encodeMessage` makes them */
export function withLength(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(lengthBytes + message.length)
  framed[0] = message.length >> 8
  framed[1] = message.length & 0xff
  framed.set(message, lengthBytes)
  return framed
}

function lengthIn(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
}

const lengthBytes = 2
