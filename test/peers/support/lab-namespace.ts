/**
 * The lab as a foreign mail server meets it: `hermetic lab up --real-ports` in a network namespace of the test's own, and in front of its DNS a real unbound that
 * validates from the lab's root. Programs in the namespace ask unbound, not us, what is secure.
 *
 * Success means that lab and resolver answer. `stop` ends both and takes the namespace away; what fails on the way in is taken away at once.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { UpDocument } from '../../../src/cli/lab-text.ts'
import type { LabReport } from '../../../src/lab/standing-lab.ts'
import { createWorld } from '../../../src/lab/world.ts'
import { root } from '../../support/hermetic.ts'
import { type Background, run, start, until } from '../../support/process.ts'

export interface LabInNamespace {
  readonly namespace: string
  /** PEM file of the CA that the lab's operator trusts, for everybody to read. */
  readonly roots: string
  /** A program in it, as `run` and `start` take it. */
  inside(command: string, args: readonly string[]): [string, string[]]
  /** What came to its hosts. */
  report(): Promise<LabReport>
  stop(): Promise<void>
}

/** Why there can be no network namespace here; null: there can. */
export async function namespaceObstacle(): Promise<string | null> {
  if (process.platform !== 'linux') return 'this is not Linux'
  if (process.getuid?.() !== 0) return 'only root may make a network namespace'
  const probe = `hermetic-probe-${process.pid}`
  const made = await run('ip', ['netns', 'add', probe]).catch(() => null)
  if (made?.code !== 0) return 'the system makes no network namespace here'
  await run('ip', ['netns', 'delete', probe])
  return null
}

/** @param directory of the test, into which foreign users may look */
export async function startLabInNamespace(directory: string, namespace: string): Promise<LabInNamespace> {
  const state = join(directory, 'lab')
  const closers: (() => Promise<void> | void)[] = []
  const stop = async () => {
    const failures: unknown[] = []
    // Each of them, whatever the ones before it come to.
    for (const close of closers.splice(0).toReversed())
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'))
  }
  const hermetic = (...args: string[]) =>
    run(join(root, 'hermetic'), args, { env: { XDG_STATE_HOME: state }, timeoutMs: 150_000 })
  const inside = (command: string, args: readonly string[]): [string, string[]] => [
    'ip',
    ['netns', 'exec', namespace, command, ...args],
  ]
  try {
    closers.push(nameUnbound(namespace))
    closers.push(async () => {
      const down = await hermetic('lab', 'down')
      if (down.code !== 0) throw new Error(`the lab does not end: ${down.stdout}${down.stderr}`)
    })
    const up = await hermetic('lab', 'up', '--real-ports', '--namespace', namespace, '--json')
    if (up.code !== 0) throw new Error(`the lab does not come up: ${up.stdout}${up.stderr}`)
    const { dns, files }: UpDocument = JSON.parse(up.stdout)
    const roots = join(directory, 'lab-ca.pem')
    copyFileSync(files.root, roots)
    chmodSync(roots, 0o644)
    const { zones } = await createWorld(Date.now())
    const apexes = zones.map(({ apex }) => apex)
    const configuration = unboundConfiguration(directory, apexes, `${dns.address}@${dns.port}`, files.anchors)
    const unbound = start(...inside(unboundBinary, ['-d', '-c', configuration]))
    closers.push(() => unbound.stop())
    await answering(unbound, inside)
    return {
      namespace,
      roots,
      inside,
      async report() {
        const { stdout, stderr, code } = await hermetic('lab', 'status', '--json')
        if (code !== 0) throw new Error(`the lab is gone: ${stdout}${stderr}`)
        return JSON.parse(stdout)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The lab leaves a file alone that it finds here. @returns what takes it away again */
function nameUnbound(namespace: string): () => void {
  const directory = join('/etc/netns', namespace)
  const isFirst = !existsSync('/etc/netns')
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  // trust-ad: glibc lets its AD bit pass. Everything is answered at once, but for what the servers of one zone never answer.
  const lines = [`nameserver ${resolverAddress}`, 'options edns0 trust-ad timeout:8 attempts:1']
  writeFileSync(join(directory, 'resolv.conf'), `${lines.join('\n')}\n`, { mode: 0o644 })
  return () => {
    rmSync(directory, { recursive: true, force: true })
    if (!isFirst) return
    try {
      rmdirSync('/etc/netns')
    } catch {
      // Somebody else has put something there meanwhile.
    }
  }
}

function unboundConfiguration(
  directory: string,
  apexes: readonly string[],
  behind: string,
  anchors: string,
): string {
  const lines = [
    'server:',
    ` interface: ${resolverAddress}@53`,
    ' module-config: "validator iterator"',
    ` trust-anchor-file: "${anchors}"`,
    ' trust-anchor-signaling: no',
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
    ' verbosity: 1',
    ' val-log-level: 2',
    // Names of a local network, which the root denies.
    ' local-zone: "local." nodefault',
    ' domain-insecure: "local."',
    'remote-control:',
    ' control-enable: no',
    // One for each zone: it remembers for each how soon it is answered, and the servers of some never answer.
    ...apexes.flatMap(apex => ['forward-zone:', ` name: "${apex}."`, ` forward-addr: ${behind}`]),
  ]
  const file = join(directory, 'unbound.conf')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

/** Whatever answers there says what is secure. */
async function answering(unbound: Background, inside: LabInNamespace['inside']): Promise<void> {
  let said = ''
  const question = [`@${resolverAddress}`, '+dnssec', '+time=5', '+tries=1', 'et.example', 'MX']
  try {
    await until(
      async () => {
        if (unbound.child.exitCode !== null) throw new Error('unbound has ended')
        said = (await run(...inside('dig', question))).stdout
        return /flags:[^;]* ad[ ;]/.test(said)
      },
      'unbound finds the zones of the lab secure',
      30_000,
    )
  } catch (error) {
    throw new Error(`${String(error)}\n${said}\n${unbound.output()}`)
  }
}

const unboundBinary = join(process.env['HERMETIC_PEERS'] ?? '/opt/hermetic-peers', 'unbound/usr/sbin/unbound')
/** 127.0.0.1 is where the lab's own front answers. */
const resolverAddress = '127.0.0.2'
