/**
 * Real name servers on loopback, from the unpacked Debian packages: NSD serves zones, and unbound asks it, recursively, for whoever asks unbound. It validates
 * nothing (its validator is not loaded), so what it passes on is what the zones say. In the foreground, ended by their own ids.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Background, freePort, listening, start } from '../../support/process.ts'

export interface NameServer {
  readonly address: string
  readonly port: number
  stop(): Promise<void>
}

/** @param files apex, empty for the root, to zone file. A file that is not there is a zone that NSD answers SERVFAIL for. */
export async function startNsd(directory: string, files: ReadonlyMap<string, string>): Promise<NameServer> {
  mkdirSync(directory, { recursive: true })
  const port = await freePort()
  const lines = [
    'server:',
    ` ip-address: ${address}@${port}`,
    ' server-count: 1',
    ' username: ""',
    ' database: ""',
    ` zonesdir: "${directory}"`,
    ` pidfile: "${join(directory, 'nsd.pid')}"`,
    ` xfrdfile: "${join(directory, 'xfrd.state')}"`,
    ` zonelistfile: "${join(directory, 'zone.list')}"`,
    ` xfrdir: "${directory}"`,
    ' rrl-ratelimit: 0',
    'remote-control:',
    ' control-enable: no',
    ...[...files].flatMap(([apex, file]) => ['zone:', ` name: "${apex}."`, ` zonefile: "${file}"`]),
  ]
  const file = join(directory, 'nsd.conf')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return await started(start(join(unpacked, 'nsd/usr/sbin/nsd'), ['-d', '-c', file]), port)
}

/** @param zones apexes of what the other server has, since a delegation cannot name a port */
export async function startRecursor(
  directory: string,
  zones: Iterable<string>,
  { address: at, port: behind }: Pick<NameServer, 'address' | 'port'>,
): Promise<NameServer> {
  mkdirSync(directory, { recursive: true })
  const port = await freePort()
  const lines = [
    'server:',
    ` interface: ${address}@${port}`,
    ' module-config: "iterator"',
    ' do-not-query-localhost: no',
    ' do-daemonize: no',
    ' do-ip6: no',
    ' num-threads: 1',
    ' username: ""',
    ' chroot: ""',
    ` directory: "${directory}"`,
    ' pidfile: ""',
    ' use-syslog: no',
    ' logfile: ""',
    // As a name server knows it, whatever is said of the names below.
    ' qname-minimisation: no',
    ' local-zone: "test." nodefault',
    'remote-control:',
    ' control-enable: no',
    ...[...zones].flatMap(apex => ['stub-zone:', ` name: "${apex}."`, ` stub-addr: ${at}@${behind}`]),
  ]
  const file = join(directory, 'unbound.conf')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return await started(start(join(unpacked, 'unbound/usr/sbin/unbound'), ['-d', '-c', file]), port)
}

export interface TlsForwarding {
  /** PEM files. */
  readonly chain: string
  readonly key: string
  /** File of the trust anchors that it validates from. */
  readonly anchors: string
  /** Connections without a question are closed after so long. */
  readonly idleMs: number
}

/** A resolver over TLS (RFC 7858) and nothing else, which validates, and asks the other server for everything. */
export async function startTlsForwarder(
  directory: string,
  { address: at, port: behind }: Pick<NameServer, 'address' | 'port'>,
  { chain, key, anchors, idleMs }: TlsForwarding,
  /** As before, when it is started again. */
  onPort: number | null = null,
): Promise<NameServer> {
  mkdirSync(directory, { recursive: true })
  const port = onPort ?? (await freePort())
  const lines = [
    'server:',
    ` interface: ${address}@${port}`,
    ` tls-port: ${port}`,
    ` tls-service-key: "${key}"`,
    ` tls-service-pem: "${chain}"`,
    ` tcp-idle-timeout: ${idleMs}`,
    ' module-config: "validator iterator"',
    ` trust-anchor-file: "${anchors}"`,
    ' do-not-query-localhost: no',
    ' do-daemonize: no',
    ' do-ip6: no',
    ' num-threads: 1',
    ' username: ""',
    ' chroot: ""',
    ` directory: "${directory}"`,
    ' pidfile: ""',
    ' use-syslog: no',
    ' logfile: ""',
    'remote-control:',
    ' control-enable: no',
    'forward-zone:',
    ' name: "."',
    ` forward-addr: ${at}@${behind}`,
  ]
  const file = join(directory, 'unbound.conf')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return await started(start(join(unpacked, 'unbound/usr/sbin/unbound'), ['-d', '-c', file]), port)
}

async function started(server: Background, port: number): Promise<NameServer> {
  try {
    await listening(port, address)
  } catch (error) {
    await server.stop()
    throw new Error(`${String(error)}\n${server.output()}`)
  }
  return { address, port, stop: () => server.stop() }
}

const unpacked = process.env['HERMETIC_PEERS'] ?? '/opt/hermetic-peers'
const address = '127.0.0.1'
