/** The name that an address has for PTR records: `1.2.0.192.in-addr.arpa` (RFC 1035 §3.5), nibbles below `ip6.arpa` (RFC 3596 §2.5). */
import { type Name, parseName } from './name.ts'

/** @param address 4 or 16 bytes; anything else throws, which is our own mistake */
export function reverseName(address: Uint8Array): Name {
  const text =
    address.length === 4
      ? `${[...address].reverse().join('.')}.in-addr.arpa`
      : `${[...Buffer.from(address).toString('hex')].reverse().join('.')}.ip6.arpa`
  const name = address.length === 4 || address.length === 16 ? parseName(text) : null
  if (name === null) throw new RangeError(`an IP address has 4 or 16 bytes, not ${address.length}`)
  return name
}
