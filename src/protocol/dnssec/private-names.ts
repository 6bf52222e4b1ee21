/**
 * Names that are never in the public DNS and are in use inside networks: negative trust anchors (RFC 7646) that everybody needs.
 *
 * The public root proves that most of them do not exist, so that a validator would call the answers of a network's own servers bogus. Whoever can answer for
 * these names gains nothing elsewhere: at and below them nothing was ever signed.
 */
import { isAtOrBelow, type Name, parseName } from '../dns/name.ts'
import type { TrustAnchor } from './types.ts'

/** Special-use and reserved names (RFC 6761, RFC 6762, RFC 8375), names that networks use without asking, and the reverse of private addresses (RFC 6303). */
export const privateNames: readonly Name[] = [
  'local',
  'localhost',
  'localdomain',
  'internal',
  'intranet',
  'private',
  'lan',
  'home',
  'home.arpa',
  'corp',
  '10.in-addr.arpa',
  '127.in-addr.arpa',
  '254.169.in-addr.arpa',
  ...Array.from({ length: 16 }, (_, i) => `${16 + i}.172.in-addr.arpa`),
  '168.192.in-addr.arpa',
  'd.f.ip6.arpa',
  ...['8', '9', 'a', 'b'].map(digit => `${digit}.e.f.ip6.arpa`),
].flatMap(text => {
  const name = parseName(text)
  return name === null ? [] : [name]
})

/**
 * All names at and below which nothing is validated: an operator's own, and the private ones. An anchor at or below one of these means that it is signed after all.
 */
export function negativeAnchors(own: readonly Name[], anchors: readonly TrustAnchor[]): readonly Name[] {
  const isSigned = (name: Name) => anchors.some(({ zone }) => zone.length > 0 && isAtOrBelow(zone, name))
  return [...own, ...privateNames.filter(name => !isSigned(name))]
}
