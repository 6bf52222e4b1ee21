/**
 * The lab: DNS, MX hosts and smarthosts with certificates of a CA of their own, all in this process, on loopback, without root.
 *
 * Success means that everything listens. Names, SNI and addresses look real (documentation addresses, port 25); only the dialer knows the loopback
 * ports behind them. Signed zones (TLSA, DNSSEC) are not there yet: they belong beside `zones` in world.ts.
 */
import { createAuthority } from '../system/certificate-maker.ts'
import { type Dialer, mapped } from '../system/dialer.ts'
import { type LabDns, startDns } from './dns-server.ts'
import { type LabHost, startHost } from './host.ts'
import { type WorldHost, hosts as worldHosts, zones } from './world.ts'

export interface Lab {
  readonly dns: LabDns
  /** Where the documentation addresses really are. A host that is down leads to a port that refuses. */
  readonly dialer: Dialer
  /** PEM of the lab's CA: what the lab's operator trusts. */
  readonly root: string
  /** The hosts that are up. */
  readonly hosts: readonly LabHost[]
  close(): Promise<void>
}

export async function startLab(): Promise<Lab> {
  const [own, stranger] = await Promise.all([
    createAuthority({ commonName: 'Hermetic lab CA' }),
    createAuthority({ commonName: 'A CA that nobody was told of' }),
  ])
  const authorities = { lab: own, stranger }
  const raise = async (host: WorldHost): Promise<LabHost> => {
    const { certificate } = host
    if (certificate === null) return await startHost({ ...host.knobs, name: host.name }, null)
    const authority = authorities[certificate.by]
    const { chain, key } = await authority.leaf({ names: certificate.names })
    // The stranger sends its root along: so it is plain that nothing is missing but trust.
    const sent = certificate.by === 'stranger' ? chain + authority.root : chain
    return await startHost({ ...host.knobs, name: host.name }, { chain: sent, key })
  }
  const up = worldHosts.filter(host => host.state === 'up')
  const [dns, ...hosts] = await Promise.all([startDns(zones), ...up.map(raise)])

  const map = new Map<string, { readonly address: string; readonly port: number }>()
  for (const host of worldHosts) {
    const running = hosts.find(({ name }) => name === host.name)
    const target = running === undefined ? refusing : { address: running.address, port: running.port }
    for (const address of host.addresses) map.set(`${address}:25`, target)
  }

  return {
    dns,
    dialer: mapped(map),
    root: own.root,
    hosts,
    async close() {
      await Promise.all([dns.close(), ...hosts.map(host => host.close())])
    },
  }
}

/** Port 1 (tcpmux): reserved, without a server, and not one that the system hands out to somebody else meanwhile. */
const refusing = { address: '127.0.0.1', port: 1 }
