/**
 * A network namespace of the lab's own (Linux, root): a machine beside the machine, with nothing but a loopback interface, where the lab's addresses and
 * the ports 25 and 53 can be had without anybody outside noticing.
 *
 * Success of `makeNamespace` means that it is there, that `ip netns exec NAME` enters it, and that programs started so ask 127.0.0.1 for names. What is made is written down
 * before, by `note`, so that `removeNamespace` can take it away whoever died meanwhile; it takes away nothing that is not ours. Outside of
 * the namespace only `/etc/netns/NAME/resolv.conf` and what `ip netns` keeps in `/run/netns` come and go.
 */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Made } from './state-directory.ts'

/** The namespace cannot be had: a sentence for the operator, and what to do. */
export class NamespaceRefused extends Error {
  override readonly name = 'NamespaceRefused'
  readonly hint: string
  constructor(says: string, hint: string) {
    super(says)
    this.hint = hint
  }
}

/** @throws {NamespaceRefused} where there can be none, for this user or at all */
export function requireNamespaces(): void {
  if (process.platform !== 'linux')
    throw new NamespaceRefused(
      `real ports need network namespaces, which ${process.platform} does not have`,
      "'hermetic lab up' without --real-ports works everywhere.",
    )
  if (process.getuid?.() !== 0)
    throw new NamespaceRefused(
      'only root may make a network namespace with real ports',
      'Run it with sudo, or leave --real-ports out.',
    )
  for (const program of ['ip', 'nsenter'])
    if (!isInstalled(program))
      throw new NamespaceRefused(
        `the program ${program} is not installed`,
        'Install iproute2 and util-linux, or leave --real-ports out.',
      )
}

/** @throws {NamespaceRefused} when there is one of that name, or the system does not let us make one */
export async function makeNamespace(name: string, note: (made: Made) => void): Promise<Made> {
  if (existsSync(fileOf(name)))
    throw new NamespaceRefused(
      `a network namespace ${name} is there already, and is not of this lab`,
      `Give this one another name with --namespace, or remove that one: ip netns delete ${name}`,
    )
  const etc = missingIn(name)
  note({ namespace: name, id: null, etc })
  await ip(['netns', 'add', name], name)
  const made = { namespace: name, id: identityOf(name), etc }
  note(made)
  if (etc.includes('resolv.conf')) {
    mkdirSync(join(etcNetns, name), { recursive: true, mode: 0o755 })
    writeFileSync(resolvConfOf(name), resolvConf, { mode: 0o644 })
  }
  await ip(['-n', name, 'link', 'set', 'lo', 'up'], name)
  return made
}

/** Whether this process is in it. */
export function isInNamespace(name: string): boolean {
  try {
    return statSync('/proc/self/ns/net').ino === statSync(fileOf(name)).ino
  } catch {
    return false
  }
}

/** From inside: makes an address real, on the loopback interface. @throws {NamespaceRefused} */
export async function addAddresses(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const prefix = address.includes(':') ? [`${address}/128`, 'nodad'] : [`${address}/32`]
    await ip(['address', 'add', ...prefix, 'dev', 'lo'], null)
  }
}

/**
 * Takes away what `made` says, as far as it is there and still ours. Processes inside go on, in a namespace that has no name.
 * @returns sentences about what was left where it is, and why
 * @throws {NamespaceRefused} when the system does not let us
 */
export async function removeNamespace(made: Made): Promise<readonly string[]> {
  const { namespace: name, id, etc } = made
  const says: string[] = []
  if (existsSync(fileOf(name))) {
    if (id !== null && id !== identityOf(name))
      says.push(`The network namespace ${name} is another one by now, and was left alone.`)
    else await ip(['netns', 'delete', name], name)
  }
  if (etc.includes('resolv.conf')) {
    const file = resolvConfOf(name)
    if (existsSync(file)) {
      if (readFileSync(file, 'utf8') === resolvConf) rmSync(file)
      else says.push(`${file} was changed by somebody, and was left alone.`)
    }
  }
  if (etc.includes('directory')) removeIfEmpty(join(etcNetns, name))
  if (etc.includes('/etc/netns')) removeIfEmpty(etcNetns)
  return says
}

/** Where programs in the namespace are told of their resolver, and whether that is by us. */
export function resolverOf(made: Made): { readonly file: string; readonly isOurs: boolean } {
  return { file: resolvConfOf(made.namespace), isOurs: made.etc.includes('resolv.conf') }
}

/** The command line of a program inside of it, whose files stay those of the machine. */
export function insideOf(name: string, command: readonly string[]): readonly [string, ...string[]] {
  return ['nsenter', `--net=${fileOf(name)}`, '--', ...command]
}

function missingIn(name: string): Made['etc'] {
  if (existsSync(resolvConfOf(name))) return []
  return [
    ...(existsSync(etcNetns) ? [] : (['/etc/netns'] as const)),
    ...(existsSync(join(etcNetns, name)) ? [] : (['directory'] as const)),
    'resolv.conf',
  ]
}

/** Numbers of the processes that run in it; none when there is no such namespace. */
export async function processesIn(name: string): Promise<readonly number[]> {
  if (!existsSync(fileOf(name))) return []
  const text = await ip(['netns', 'pids', name], name)
  return text.split('\n').flatMap(line => (/^\d+$/.test(line) ? [Number(line)] : []))
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // Somebody else has put something there, or has removed it.
  }
}

function identityOf(name: string): string {
  const { dev, ino } = statSync(fileOf(name))
  return `${dev}:${ino}`
}

function ip(args: readonly string[], name: string | null): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ip', args, { env: environment, timeout: patienceMs }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const why = stderr.trim().split('\n').at(-1) ?? error.message
      const what = name === null ? 'the addresses of the lab' : `the network namespace ${name}`
      reject(
        new NamespaceRefused(
          `the system refuses ${what}: ip ${args.join(' ')}: ${why}`,
          'In a container this needs the capabilities SYS_ADMIN and NET_ADMIN.',
        ),
      )
    })
  })
}

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['-V'], { env: environment, stdio: 'ignore', timeout: patienceMs })
    return true
  } catch {
    return false
  }
}

const fileOf = (name: string) => join('/run/netns', name)
const resolvConfOf = (name: string) => join(etcNetns, name, 'resolv.conf')

const etcNetns = '/etc/netns'
/** `trust-ad`: the resolver is on this machine, so what it says of signatures is for programs to believe. */
const resolvConf = `# Made by 'hermetic lab up --real-ports', removed by 'hermetic lab down'.
nameserver 127.0.0.1
options edns0 trust-ad timeout:10 attempts:1
`
const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' }
const patienceMs = 10_000
