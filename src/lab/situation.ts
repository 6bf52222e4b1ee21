/**
 * A situation of the lab: scenarios, and whatever has to be there for them. One entry of a file in situations/ holds all of it, so that a scenario can be
 * read, changed and added in one place.
 *
 * Names are from RFC 2606 and RFC 6762's neighbourhood, addresses from RFC 5737 and RFC 3849, so nothing here can be anybody's. Where an address
 * really leads (a loopback port) is decided when the lab starts.
 */
import type { Level } from '../judgement/plan.ts'
import type { Authority } from '../system/certificate-maker.ts'
import { type HostCertificate, type HostKnobs, ordinaryHost } from './host.ts'
import type { Scenario } from './scenario.ts'
import type { WorldZone } from './signing/signed-world.ts'

export interface Situation {
  readonly scenarios: readonly Scenario[]
  /** Called once, when the lab starts: certificates are made then, and zones may publish them. */
  readonly stage: (tools: Tools) => Promise<Stage> | Stage
}

/** What stands there. Equal names or addresses in two situations are a mistake. */
export interface Stage {
  readonly hosts?: readonly WorldHost[]
  readonly zones?: readonly WorldZone[]
  readonly hops?: readonly ConfiguredHop[]
}

export interface Tools {
  /** Milliseconds since 1970, as the lab started. */
  readonly nowMs: number
  /** The CA that the lab's operator trusts. */
  readonly lab: Authority
  /** A CA that nobody was told of. */
  readonly stranger: Authority
  /** As the public ones are built: a root that servers do not send, and the intermediate that issues. Nobody was told of it either. */
  readonly public: { readonly root: Authority; readonly intermediate: Authority }
}

export interface WorldHost {
  /** What stands in the transcript and in scenarios; also what it calls itself. */
  readonly name: string
  /** Documentation addresses it is reached at. */
  readonly addresses: readonly string[]
  readonly port: number
  /** `down`: nothing listens there, a connection is refused. */
  readonly state: 'up' | 'down'
  /** Null: it has none. */
  readonly certificate: HostCertificate | null
  readonly knobs: Omit<HostKnobs, 'name'>
}

/** A next hop that the lab's operator configured for a recipient domain. */
export interface ConfiguredHop {
  readonly domain: string
  /** `mx`: as the DNS says. */
  readonly to: { readonly host: string; readonly port: number } | 'mx'
  readonly level: Level
}

/** A host on port 25 that does what it should. */
export function host(
  name: string,
  addresses: readonly string[],
  certificate: HostCertificate | null,
  odd: { readonly port?: number; readonly knobs?: Partial<HostKnobs> } = {},
): WorldHost {
  const { port = 25, knobs } = odd
  return { name, addresses, port, state: 'up', certificate, knobs: { ...ordinaryHost, ...knobs } }
}

export function hostThatIsDown(name: string, addresses: readonly string[]): WorldHost {
  return { ...host(name, addresses, null), state: 'down' }
}
