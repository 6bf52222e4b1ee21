/**
 * The configuration of a relay in the lab, as an operator there would write it: a file like any other, with the trust anchors and roots it names beside it.
 *
 * Every command can be pointed at it. Only the dialer is not in it: it is what leads documentation addresses to the lab where those are not real.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { RelaySetup } from '../lab/relay-under-test.ts'

/** Where the file is, in a state directory. */
export function labConfigurationFile(state: string): string {
  return join(state, 'hermetic.yaml')
}

/**
 * Writes the file and what it names, over what was there.
 * @param state the relay's state directory, made when it is missing
 * @param port 0 is as good as any for a relay that takes the text only
 * @returns the text of the file
 */
export function writeLabConfiguration(setup: RelaySetup, state: string, port: number): string {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  for (const { recipientDomain, roots } of setup.routes) writeFileSync(rootsFile(state, recipientDomain), roots)
  writeFileSync(anchorsFile(state), setup.anchors)
  const text = configurationText(setup, state, port)
  writeFileSync(labConfigurationFile(state), text)
  return text
}

/** What an operator would write. */
function configurationText(setup: RelaySetup, state: string, port: number): string {
  const remark = '# The configuration of a relay in the lab: hermetic tour, hermetic lab.\n'
  return (
    remark +
    stringify({
      hostname: setup.hostname,
      state,
      listen: [{ address: '127.0.0.1', port }],
      routes: setup.routes.map(({ recipientDomain, to, level }) => ({
        name: `route-of-${recipientDomain}`,
        when: { recipient: recipientDomain },
        to: to === 'mx' ? to : { ...to, roots: rootsFile(state, recipientDomain) },
        tls: level,
      })),
      dns: {
        servers: setup.dnsServers,
        timeout: `${setup.dnsTimeoutSeconds}s`,
        hosts_file: false,
        allow_addresses: setup.allowAddresses,
        anchors: anchorsFile(state),
      },
    })
  )
}

function rootsFile(state: string, domain: string): string {
  return join(state, `roots-of-${domain}.pem`)
}

function anchorsFile(state: string): string {
  return join(state, 'anchors-of-the-lab.key')
}
