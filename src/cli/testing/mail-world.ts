/**
 * A few signed domains and their mail hosts on loopback, for commands that visit hosts: real SMTP and real TLS, with chains, records and faults as a test wants them.
 * Names and addresses look real, and a dialer leads to the ports behind them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ScriptedPeer, type ScriptedServer, serve } from '../../hop/testing/scripted-server.ts'
import { startDns } from '../../lab/dns-server.ts'
import { createSignedWorld, type WorldZone } from '../../lab/signing/signed-world.ts'
import type { Certified } from '../../system/certificate-maker.ts'
import { type Dialer, mapped } from '../../system/dialer.ts'

/** What an address does. `down`: nobody listens. `silent`: it accepts and says nothing. `no-starttls`: a host without TLS. */
export type Manners = 'ordinary' | 'down' | 'silent' | 'no-starttls' | 'implicit-tls'

export interface MailHostMade {
  readonly address: string
  readonly port?: number
  /** One chain, or one of each kind of key. */
  readonly chains?: readonly Pick<Certified, 'chain' | 'key'>[]
  readonly manners?: Manners
}

export interface MailWorld {
  readonly dialer: Dialer
  /** `--server` and `--anchor`. */
  readonly options: { readonly server: readonly string[]; readonly anchor: string }
  /** A configuration with a name and a state directory of its own. */
  readonly config: string
  readonly directory: string
  /** Command lines that the host at this address read, conversation after conversation. */
  linesAt(address: string): readonly (readonly string[])[]
  close(): Promise<void>
}

export async function startMailWorld(
  zones: readonly WorldZone[],
  hosts: readonly MailHostMade[],
): Promise<MailWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'mail-world-'))
  const world = createSignedWorld({ zones, nowMs: Date.now() })
  const dns = await startDns(world.respond)
  const servers = new Map<string, ScriptedServer>()
  const map = new Map<string, { address: string; port: number }>()
  for (const host of hosts) {
    const { address, port = 25, manners = 'ordinary' } = host
    if (manners === 'down') {
      // Reserved, and without a server.
      map.set(`${address}:${port}`, { address: '127.0.0.1', port: 1 })
      continue
    }
    const server = await serve(peer => converse(peer, host))
    servers.set(address, server)
    map.set(`${address}:${port}`, { address: '127.0.0.1', port: server.port })
  }
  const anchor = join(directory, 'root.key')
  const config = join(directory, 'hermetic.yaml')
  writeFileSync(anchor, `${world.anchorLines.ds.join('\n')}\n`)
  writeFileSync(config, `hostname: checker.example\nstate: ${join(directory, 'state')}\n`)
  return {
    dialer: mapped(map),
    options: { server: [`${dns.address}:${dns.port}`], anchor },
    config,
    directory,
    linesAt: address => (servers.get(address)?.peers ?? []).map(({ lines }) => lines),
    async close() {
      await Promise.all([dns.close(), ...[...servers.values()].map(server => server.close())])
      rmSync(directory, { recursive: true })
    },
  }
}

async function converse(peer: ScriptedPeer, { chains = [], manners = 'ordinary' }: MailHostMade): Promise<void> {
  const [first] = chains
  const secure = async () => {
    if (first === undefined) throw new Error('a host without a chain was asked for TLS')
    const both = { cert: chains.map(({ chain }) => chain), key: chains.map(({ key }) => key) }
    await peer.startTls(first, both)
  }
  if (manners === 'silent') return peer.gone()
  if (manners === 'implicit-tls') await secure()
  peer.send('220 host.example ESMTP\r\n')
  if (manners === 'ordinary') {
    await peer.answer('EHLO', '250-host.example\r\n250 STARTTLS')
    await peer.answer('STARTTLS', '220 go ahead')
    await secure()
  }
  await peer.answer('EHLO', '250 host.example')
  await peer.answer('QUIT', '221 bye')
  peer.end()
}
