/**
 * The world of the lab: all situations put together, with certificates made for the occasion.
 *
 * Success means that every name and address in it belongs to one situation only. Nothing listens yet: lab.ts starts it.
 */
import { createAuthority } from '../system/certificate-maker.ts'
import type { WorldZone } from './signing/signed-world.ts'
import type { ConfiguredHop, Situation, WorldHost } from './situation.ts'
import { aliases } from './situations/aliases.ts'
import { configuredHops } from './situations/configured-hops.ts'
import { daneRoutes } from './situations/dane-routes.ts'
import { injections } from './situations/injections.ts'
import { internet } from './situations/internet.ts'
import { opportunistic } from './situations/opportunistic.ts'
import { tlsaLookups } from './situations/tlsa-lookups.ts'
import { tlsaRecords } from './situations/tlsa-records.ts'

/** In the order in which they are listed and played. */
export const groups: readonly { readonly title: string; readonly situations: readonly Situation[] }[] = [
  { title: 'TLSA records and certificates', situations: tlsaRecords },
  { title: 'Looking for TLSA records', situations: tlsaLookups },
  { title: 'Aliases', situations: aliases },
  { title: 'Routes that ask for DANE', situations: daneRoutes },
  { title: 'Configured next hops', situations: configuredHops },
  { title: 'Injections', situations: injections },
  { title: 'Without proof', situations: opportunistic },
]

const situations: readonly Situation[] = [internet, ...groups.flatMap(group => group.situations)]

export interface World {
  /** PEM of the CA that the lab's operator trusts. */
  readonly root: string
  readonly hosts: readonly WorldHost[]
  readonly zones: readonly WorldZone[]
  readonly hops: readonly ConfiguredHop[]
}

/**
 * @param nowMs milliseconds since 1970, by the clock of this machine, which certificates begin by
 * @throws Error when two situations claim the same name, address or domain
 */
export async function createWorld(nowMs: number): Promise<World> {
  const [lab, stranger, publicRoot] = await Promise.all([
    createAuthority({ commonName: 'Hermetic lab CA' }),
    createAuthority({ commonName: 'A CA that nobody was told of' }),
    createAuthority({ commonName: 'Lab root X1' }),
  ])
  const intermediate = await publicRoot.intermediate({ commonName: 'R3', pathLength: 0 })
  const tools = { nowMs, lab, stranger, public: { root: publicRoot, intermediate } }
  const stages = await Promise.all(situations.map(async ({ stage }) => await stage(tools)))
  const world = {
    root: lab.root,
    hosts: stages.flatMap(({ hosts = [] }) => hosts),
    zones: stages.flatMap(({ zones = [] }) => zones),
    hops: stages.flatMap(({ hops = [] }) => hops),
  }
  refuseTwice(
    'host',
    world.hosts.map(({ name }) => name),
  )
  refuseTwice(
    'address',
    world.hosts.flatMap(({ addresses }) => addresses),
  )
  refuseTwice(
    'zone',
    world.zones.map(({ apex }) => apex),
  )
  refuseTwice(
    'next hop of',
    world.hops.map(({ domain }) => domain),
  )
  return world
}

function refuseTwice(what: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new Error(`two situations of the lab have the ${what} ${twice}`)
}

/**
 * Documentation networks, where no real mail host can be: a relay refuses such an MX unless its operator says otherwise, as the lab's does. Private and loopback
 * addresses stay refused.
 */
export const documentationNetworks: readonly string[] = [
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8::/32',
]
