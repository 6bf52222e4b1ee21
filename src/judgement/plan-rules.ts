/**
 * From the level an operator asked for and the host in question to a plan: what is acceptable, and which names prove the peer.
 *
 * Case 3 is settled here: the names to verify and the SNI are the one the operator wrote, or the MX name as published. Aliases behind
 * them are not even an input. What each level asks for:
 *
 * | level | STARTTLS | least on the peer axis |
 * |---|---|---|
 * | none | never used | clear |
 * | opportunistic | used when offered | clear |
 * | encrypt | required | encrypted |
 * | verify | required | pkix |
 *
 * On the name axis a `host` route is `configured`. The MX names of a domain are `unauthenticated` as long as their answer is not
 * validated (DNSSEC): with `verify` the peer then proves that it is the host which the DNS named, not that the DNS named the right
 * host. Every log line shows both axes, so that nobody takes the one for the other.
 */
import { domainToASCII } from 'node:url'
import { canonicalIp } from '../protocol/ip.ts'
import type { Level, PeerProof, Plan, ReferenceIdentifier } from './plan.ts'

export interface PlanInput {
  readonly level: Level
  /** The host to verify: as the operator wrote it, or the MX name as published; an address for address literals. */
  readonly host: string
  /** Where that name is from: the route, the domain's MX records, or the recipient's domain itself (implicit MX, address literal). */
  readonly from: ReferenceIdentifier['from']
  readonly implicitTls: boolean
}

export function planFor({ level, host, from, implicitTls }: PlanInput): Plan {
  const name = referenceName(host)
  const proof = from === 'operator' ? 'configured' : 'unauthenticated'
  return {
    level,
    starttls: implicitTls ? 'never' : startTls[level],
    implicitTls,
    least: { name: proof, peer: implicitTls && leastPeer[level] === 'clear' ? 'encrypted' : leastPeer[level] },
    name: proof,
    references: [{ name, from }],
    sni: literalAddress(name) === null ? name : null,
  }
}

/** Lower case, A-labels, no last dot; addresses without brackets. A name that is no name stays what it is: nothing will match it. */
function referenceName(host: string): string {
  const address = literalAddress(host)
  if (address !== null) return address
  const bare = host.replace(/\.$/, '')
  const ascii = /^[\x21-\x7e]*$/.test(bare) ? bare.toLowerCase() : domainToASCII(bare)
  return ascii === '' ? bare : ascii
}

/** `192.0.2.1`, `[192.0.2.1]`, `[IPv6:2001:db8::1]`: the address alone in canonical text; null for anything else. */
export function literalAddress(name: string): string | null {
  const inner = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
  return canonicalIp(/^ipv6:/i.test(inner) ? inner.slice(5) : inner)
}

const startTls = {
  none: 'never',
  opportunistic: 'if-offered',
  encrypt: 'required',
  verify: 'required',
} as const satisfies Record<Level, Plan['starttls']>

const leastPeer: Readonly<Record<Level, PeerProof>> = {
  none: 'clear',
  opportunistic: 'clear',
  encrypt: 'encrypted',
  verify: 'pkix',
}

/** `one` is at least as strong a proof of the peer as `other`. */
export function isAtLeast(one: PeerProof, other: PeerProof): boolean {
  return peerOrder.indexOf(one) >= peerOrder.indexOf(other)
}

const peerOrder: readonly PeerProof[] = ['clear', 'encrypted', 'pkix', 'dane-ta', 'dane-ee']
