/**
 * What makes two messages go the same way: a key for a destination, equal when everything that hop decides by is equal. And its name for people.
 */
import type { Destination } from '../../hop/types.ts'

const keys = new WeakMap<Destination, string>()

/** Equal for destinations that one queue and its channels may serve together: hosts, level, TLS mode, roots and all. */
export function keyOf(destination: Destination): string {
  if (destination.kind === 'mx') return `mx ${destination.level} ${destination.domain}`
  // A host route has one destination object for all its mail, and its roots are long: made once.
  const known = keys.get(destination)
  if (known !== undefined) return known
  const { hosts, level, implicitTls, ipv4Only, roots } = destination
  const key = JSON.stringify([
    'hosts',
    level,
    implicitTls,
    ipv4Only,
    hosts.map(({ name, port }) => [name, port]),
    roots,
  ])
  keys.set(destination, key)
  return key
}

/** The next hop as the route names it: the domain, or the hosts in their order. */
export function labelOf(destination: Destination): string {
  if (destination.kind === 'mx') return destination.domain
  return destination.hosts.map(({ name, port }) => `${name.includes(':') ? `[${name}]` : name}:${port}`).join(', ')
}
