/**
 * The lab: a signed internet of its own from the root down (DNS, MX hosts, smarthosts, certificates), all in this process, on loopback, without root.
 *
 * Success means that everything listens. Names, SNI, TLSA owners and addresses look real (documentation addresses, port 25); only the dialer knows the
 * loopback ports behind them. Signatures hold for fourteen days from the start. What is there is in situations/; how zones are signed, in signing/.
 */
import { type Dialer, mapped } from '../system/dialer.ts'
import { type LabDns, startDns } from './dns-server.ts'
import { type LabHost, startHost } from './host.ts'
import { createSignedWorld } from './signing/signed-world.ts'
import type { ConfiguredHop, WorldHost } from './situation.ts'
import { createWorld } from './world.ts'

export interface Lab {
  readonly dns: LabDns
  /** Where the documentation addresses really are. A host that is down leads to a port that refuses. */
  readonly dialer: Dialer
  /** PEM of the lab's CA: what the lab's operator trusts. */
  readonly root: string
  /** DS records of the lab's root zone, as a file of trust anchors has them: who validates against anything else finds everything bogus. */
  readonly anchors: string
  /** Next hops that the lab's operator configured. */
  readonly hops: readonly ConfiguredHop[]
  /** The hosts that are up. */
  readonly hosts: readonly LabHost[]
  /** Every host, by where the DNS says that it is, and where it is. */
  readonly places: readonly Place[]
  close(): Promise<void>
}

export interface Place {
  readonly name: string
  readonly addresses: readonly string[]
  readonly port: number
  /** Null: it is down on purpose. */
  readonly to: { readonly address: string; readonly port: number } | null
}

export async function startLab(): Promise<Lab> {
  const nowMs = Date.now()
  const { root, hosts: worldHosts, zones, hops } = await createWorld(nowMs)
  const { respond, anchorLines } = createSignedWorld({ zones, nowMs })
  const up = worldHosts.filter(({ state }) => state === 'up')
  const [dns, ...hosts] = await Promise.all([startDns(respond), ...up.map(raise)])

  const map = new Map<string, { readonly address: string; readonly port: number }>()
  for (const host of worldHosts) {
    const running = hosts.find(({ name }) => name === host.name)
    const target = running === undefined ? refusing : { address: running.address, port: running.port }
    for (const address of host.addresses) map.set(`${address}:${host.port}`, target)
  }

  return {
    dns,
    dialer: mapped(map),
    root,
    anchors: anchorLines.ds.map(line => `${line}\n`).join(''),
    hops,
    hosts,
    places: worldHosts.map(({ name, addresses, port }) => {
      const running = hosts.find(host => host.name === name)
      const to = running === undefined ? null : { address: running.address, port: running.port }
      return { name, addresses, port, to }
    }),
    async close() {
      await Promise.all([dns.close(), ...hosts.map(host => host.close())])
    },
  }
}

function raise(host: WorldHost): Promise<LabHost> {
  return startHost({ ...host.knobs, name: host.name }, host.certificate)
}

/** Port 1 (tcpmux): reserved, without a server, and not one that the system hands out to somebody else meanwhile. */
const refusing = { address: '127.0.0.1', port: 1 }
