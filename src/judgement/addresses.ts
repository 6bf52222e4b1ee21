/**
 * Which addresses a stranger's DNS may make us connect to (ARCHITECTURE decision 10), and the networks that operators write
 * (`192.0.2.0/24`, `2001:db8::/32`) for this, for relaying and for routes.
 *
 * An MX record is somebody else's text. Without this rule it could aim us at a service that trusts its own machine or network:
 * loopback, private, link-local, and everything else that is no host of the public Internet (RFC 6890), or at ourselves.
 * What the operator configures by name is not asked here.
 */
import { formatIp, isIpv4Mapped, parseIp } from '../protocol/ip.ts'

/** A network: the first `prefixBits` of `bytes` (4 or 16) are its own, the rest are zero. */
export interface Network {
  readonly bytes: Uint8Array
  readonly prefixBits: number
}

/**
 * The bytes of an address: 4 for IPv4, 16 for IPv6. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) becomes the IPv4
 * address that it means, so that no rule is passed by in the other spelling. Null for anything that is not exactly one address; see protocol/ip.ts.
 */
export function parseAddress(text: string): Uint8Array | null {
  const bytes = parseIp(text)
  return bytes !== null && isIpv4Mapped(bytes) ? bytes.slice(12) : bytes
}

/**
 * `192.0.2.0/24`, or one address for a network of one. Null when it is neither, and when bits behind the prefix are set:
 * `192.0.2.7/24` is a slip of the pen, and which of the two was meant is not ours to guess.
 */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/')
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (bytes === null) return null
  if (slash < 0) return { bytes, prefixBits: bytes.length * 8 }
  const digits = text.slice(slash + 1)
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(digits)) return null
  // `::ffff:192.0.2.0/120` is `192.0.2.0/24` in the other spelling.
  const isMapped = bytes.length === 4 && text.includes(':')
  const prefixBits = Number(digits) - (isMapped ? 96 : 0)
  if (prefixBits < 0 || prefixBits > bytes.length * 8) return null
  const network = { bytes: masked(bytes, prefixBits), prefixBits }
  return bytes.every((byte, index) => byte === network.bytes[index]) ? network : null
}

/** `192.0.2.0/24`; a network of one is shown as its address. */
export function formatNetwork({ bytes, prefixBits }: Network): string {
  return prefixBits === bytes.length * 8 ? formatIp(bytes) : `${formatIp(bytes)}/${prefixBits}`
}

/** Whether the network holds the address (from `parseAddress`). IPv4 and IPv6 never hold each other. */
export function networkContains(network: Network, address: Uint8Array): boolean {
  if (network.bytes.length !== address.length) return false
  const wholeBytes = network.prefixBits >> 3
  for (let at = 0; at < wholeBytes; at++) if (network.bytes[at] !== address[at]) return false
  const restBits = network.prefixBits & 7
  if (restBits === 0) return true
  const mask = (0xff << (8 - restBits)) & 0xff
  return ((address[wholeBytes] ?? 0) & mask) === network.bytes[wholeBytes]
}

/**
 * Whether a connection to `address` may be caused by a stranger's DNS.
 *
 * @param own our own addresses: a connection to them would be one to ourselves
 * @param allow networks that the operator lets strangers point to all the same; stronger than every rule here
 */
export function mayConnect(
  address: string,
  { own, allow }: { readonly own: readonly Network[]; readonly allow: readonly Network[] },
): boolean {
  const bytes = parseAddress(address)
  if (bytes === null) return false
  if (isIn(allow, bytes)) return true
  // A mapped address has no business in an AAAA record (RFC 4291 §2.5.5.2): it is there to slip past filters.
  if (bytes.length === 4 && address.includes(':')) return false
  const carried = carriedIpv4(bytes)
  return [bytes, ...(carried === null ? [] : [carried])].every(each => !isIn(own, each) && !isIn(closed, each))
}

const isIn = (networks: readonly Network[], address: Uint8Array) =>
  networks.some(network => networkContains(network, address))

/** The IPv4 address that a gateway makes of a NAT64 (RFC 6052 §2.1) or 6to4 (RFC 3056 §2) address. */
function carriedIpv4(bytes: Uint8Array): Uint8Array | null {
  if (networkContains(nat64, bytes)) return bytes.subarray(12)
  return networkContains(sixToFour, bytes) ? bytes.subarray(2, 6) : null
}

function masked(bytes: Uint8Array, prefixBits: number): Uint8Array {
  return bytes.map((byte, index) => {
    const keep = Math.min(8, Math.max(0, prefixBits - index * 8))
    return byte & (0xff << (8 - keep))
  })
}

function network(text: string): Network {
  const parsed = parseNetwork(text)
  if (parsed === null) throw new Error(`not a network: ${text}`)
  return parsed
}

const nat64 = network('64:ff9b::/96')
const sixToFour = network('2002::/16')

/** Networks without hosts of the public Internet: the special-purpose registries (RFC 6890 §2.2) and multicast. */
const closed: readonly Network[] = [
  '0.0.0.0/8', // this host and network (RFC 1122 §3.2.1.3); connecting to 0.0.0.0 means this machine
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // behind a carrier's NAT (RFC 6598)
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local (RFC 3927), where clouds keep their metadata services
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarking (RFC 2544)
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
  '::/96', // unspecified, loopback, and the retired IPv4-compatible form (RFC 4291 §2.5.5.1)
  '64:ff9b:1::/48', // local-use NAT64 (RFC 8215)
  '100::/64', // discard-only (RFC 6666)
  '2001::/23', // protocol assignments, Teredo among them (RFC 4380)
  '2001:db8::/32', // documentation (RFC 3849)
  '3fff::/20', // documentation (RFC 9637)
  '5f00::/16', // segment routing (RFC 9602)
  'fc00::/7', // unique local (RFC 4193)
  'fe80::/10', // link-local
  'fec0::/10', // site-local, retired (RFC 3879)
  'ff00::/8', // multicast
].map(network)
