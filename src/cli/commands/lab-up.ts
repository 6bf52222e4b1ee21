/**
 * `hermetic lab up | status | down`: a lab that stays up in a process of its own, for people and foreign mail servers to use, and what came to it.
 *
 * `up` starts the process in the background and ends when it answers; `--foreground` stays. With `--real-ports` the process lives in a network namespace, which
 * is made before it starts and removed when it ends, or by `down` when it ended otherwise. Exit 0: it is up (or, for `down`, no longer); `status`: 1 when
 * none is up. 69 when it cannot come up. Only a process that holds the state directory of this user is ever ended.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { askLab, openLabSocket } from '../../lab/lab-socket.ts'
import {
  insideOf,
  isInNamespace,
  makeNamespace,
  NamespaceRefused,
  processesIn,
  removeNamespace,
  requireNamespaces,
  resolverOf,
} from '../../lab/namespace.ts'
import { relaySetup } from '../../lab/relay-under-test.ts'
import type { LabReport, StandingLab } from '../../lab/standing-lab.ts'
import {
  claim,
  claimStateDirectory,
  type HeldDirectory,
  labPaths,
  type Made,
  readMade,
  stateDirectories,
  writeMade,
} from '../../lab/state-directory.ts'
import { livingProcess, processIdentity } from '../../system/process-identity.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure, type FailureCode, failures } from '../failure.ts'
import { labConfigurationFile, writeLabConfiguration } from '../lab-configuration.ts'
import { downText, type LabStatus, statusText, type UpDocument, upText } from '../lab-text.ts'
import { ownProgram } from '../own-program.ts'

/** As commander hands them over. */
export interface UpOptions {
  readonly foreground?: true
  readonly realPorts?: true
  readonly namespace?: string
}

export async function up(options: UpOptions, context: Context): Promise<number> {
  const wanted = namespaceWanted(options)
  try {
    if (wanted === null) return await upOnLoopback(options, context)
    requireNamespaces()
    return await upInNamespace(wanted, options, context)
  } catch (error) {
    throw told(error)
  }
}

function told(error: unknown): unknown {
  return error instanceof NamespaceRefused ? new CliFailure('cli.start', error.message, error.hint) : error
}

async function upOnLoopback(options: UpOptions, context: Context): Promise<number> {
  const directory = claimed()
  if (directory === null) return await alreadyUp(null, context)
  refuseLeftovers(directory)
  if (options.foreground === true) return await stay(directory, null, context)
  directory.release()
  return await inBackground([], directory.path, context)
}

async function upInNamespace(name: string, options: UpOptions, context: Context): Promise<number> {
  const directory = claimed()
  if (directory === null) return await alreadyUp(name, context)
  // The process that was put there by the one that made the namespace.
  if (isInNamespace(name) && readMade(directory.path)?.namespace === name)
    return await stay(directory, name, context)
  refuseLeftovers(directory)
  const note = (made: Made) => writeMade(directory.path, made)
  try {
    await makeNamespace(name, note)
  } catch (error) {
    await removeLeftovers(directory)
    throw error
  }
  directory.release()
  const inside = insideOf(name, [])
  try {
    return options.foreground === true
      ? await inForeground(inside, context)
      : await inBackground(inside, directory.path, context)
  } finally {
    // Where the process in it ended in good order, or stays, there is nothing to do.
    const again = claim(directory.path)
    if (again.kind === 'claimed') {
      await removeLeftovers(again.directory)
      again.directory.release()
    }
  }
}

/** The process itself: the lab is up until somebody asks it to end. */
async function stay(directory: HeldDirectory, namespace: string | null, context: Context): Promise<number> {
  const ended = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ended.resolve())
  const { path } = directory
  const paths = labPaths(path)
  const identity = join(path, identityName)
  writeFileSync(identity, `${processIdentity(process.pid) ?? ''}\n`, { mode: 0o600 })
  try {
    const { startStandingLab } = await import('../../lab/standing-lab.ts')
    const standing = await startStandingLab(namespace === null ? 'loopback' : 'namespace')
    writeFiles(standing, path)
    const facts = {
      pid: process.pid,
      since: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      namespace,
      files: {
        directory: path,
        anchors: paths.anchors,
        root: paths.root,
        configuration: labConfigurationFile(relayState(path)),
        log: paths.log,
      },
    }
    const report = (): LabStatus => ({ ...facts, ...standing.report() })
    const socket = await openLabSocket(path, {
      status: report,
      end: (): Ended => {
        // The answer goes out first.
        setImmediate(() => ended.resolve())
        return { pid: process.pid, namespace }
      },
    })
    try {
      const document = upDocument(report(), 'new')
      context.answer({ ...document }, upText(document, 'foreground', context, ownProgram()))
      await ended.promise
    } finally {
      await socket.close()
      await standing.close()
    }
  } finally {
    rmSync(identity, { force: true })
    await removeLeftovers(directory)
    directory.release()
  }
  return asHoped
}

function writeFiles({ lab, resolver }: StandingLab, directory: string): void {
  const paths = labPaths(directory)
  writeFileSync(paths.anchors, lab.anchors)
  writeFileSync(paths.root, lab.root)
  // Mail that a relay left there was for a lab that is gone.
  rmSync(relayState(directory), { recursive: true, force: true })
  const setup = relaySetup(lab)
  // In the namespace a relay asks where every program there does; it believes no AD bit, and validates by itself.
  const dnsServers = resolver === null ? setup.dnsServers : [`${resolver.address}:${resolver.port}`]
  writeLabConfiguration({ ...setup, dnsServers }, relayState(directory), relayPort)
}

/** The state directory of a relay that is started by the file of the lab. */
function relayState(directory: string): string {
  return join(directory, 'relay')
}

/** This program once more, as a process that outlives us. Ends when it answers, or has said why it does not. */
async function inBackground(before: readonly string[], directory: string, context: Context): Promise<number> {
  const log = openSync(labPaths(directory).log, 'w', 0o600)
  const [program = process.execPath, ...args] = [...before, ...thisProgram(), '--foreground', '--json']
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', log], cwd: '/' })
  closeSync(log)
  const said = await firstDocument(child)
  child.stdout?.destroy()
  child.unref()
  if (said.kind === 'nothing') {
    const lines = readFileSync(labPaths(directory).log, 'utf8').trim().split('\n').slice(-20)
    throw new CliFailure('cli.start', `the lab did not come up (${said.why})`, '', { lines })
  }
  const { document } = said
  if (document.schema === 'hermetic.error/1') throw failureIn(document)
  const answer = document as UpDocument
  context.answer({ ...answer }, upText(answer, 'background', context, ownProgram()))
  return asHoped
}

/** In the namespace, with our terminal; it is a signal that ends both. */
async function inForeground(before: readonly string[], context: Context): Promise<number> {
  const [program = process.execPath, ...args] = [...before, ...thisProgram(), '--foreground']
  const child = spawn(program, [...args, ...(context.json ? ['--json'] : [])], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  return await new Promise(resolve => {
    child.on('error', () => resolve(failures['cli.start']))
    child.on('close', code => resolve(code ?? failures['cli.start']))
  })
}

/** Node with its options, the script, and the words of this command but for those that say where it runs. */
function thisProgram(): readonly string[] {
  const words = process.argv.slice(2).filter(word => word !== '--foreground' && word !== '--json')
  return [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...words]
}

type Said =
  | { readonly kind: 'document'; readonly document: { readonly schema: string } }
  | { readonly kind: 'nothing'; readonly why: string }

function firstDocument(child: ReturnType<typeof spawn>): Promise<Said> {
  return new Promise(resolve => {
    let text = ''
    const deadline = setTimeout(() => {
      child.kill('SIGTERM')
      resolve({ kind: 'nothing', why: `no word of it within ${patienceMs / 1_000} s` })
    }, patienceMs)
    const finish = (said: Said) => {
      clearTimeout(deadline)
      resolve(said)
    }
    child.stdout?.on('data', bytes => {
      text += String(bytes)
      const document = parsed(text)
      if (document !== null) finish({ kind: 'document', document })
    })
    child.on('error', error => finish({ kind: 'nothing', why: error.message }))
    child.on('close', code => finish({ kind: 'nothing', why: `it ended with ${code ?? 'a signal'}` }))
  })
}

function parsed(text: string): { readonly schema: string } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function failureIn(document: object): CliFailure {
  const { code, says, hint } = document as { readonly code: string; readonly says: string; readonly hint: string }
  return new CliFailure(isFailureCode(code) ? code : 'cli.start', says, hint)
}

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(failures, code)
}

/** Null: a lab is up. */
function claimed(): HeldDirectory | null {
  try {
    const one = claimStateDirectory()
    return one.kind === 'held' ? null : one.directory
  } catch (error) {
    throw new CliFailure(
      'cli.start',
      `the lab can keep its state nowhere: ${error instanceof Error ? error.message : String(error)}`,
      'Set XDG_STATE_HOME or TMPDIR to a directory that this user may write.',
    )
  }
}

async function alreadyUp(wanted: string | null, context: Context): Promise<number> {
  const status = await statusOfStarting()
  if (wanted !== null && status.namespace !== wanted)
    throw new CliFailure(
      'cli.start',
      `a lab is up already, ${status.namespace === null ? 'without real ports' : `in the network namespace ${status.namespace}`} (process ${status.pid})`,
      "'hermetic lab down' ends it.",
    )
  const document = upDocument(status, 'was-up')
  context.answer({ ...document }, upText(document, 'background', context, ownProgram()))
  return asHoped
}

/** The other `up` may have been a moment before us. */
async function statusOfStarting(): Promise<LabStatus> {
  let heldUntil = performance.now()
  for (const until = performance.now() + patienceMs; performance.now() < until; await sleep(5 * pauseMs)) {
    const held = heldDirectory()
    const found = await statusOf(held)
    if (found !== null) return found
    // It lets go for a moment, for the process in the background to take hold.
    if (held !== null) heldUntil = performance.now()
    else if (performance.now() - heldUntil > handOverMs) break
  }
  throw tryLater()
}

function upDocument({ hosts, dns, resolver, ...facts }: LabStatus, which: 'new' | 'was-up'): UpDocument {
  const where = ({ address, port }: LabReport['dns']) => ({ address, port })
  const made = facts.namespace === null ? null : readMade(facts.files.directory)
  return {
    schema: 'hermetic.lab-up/1',
    already: which === 'was-up',
    ...facts,
    dns: where(dns),
    resolver: resolver === null ? null : { ...where(resolver), ...(made === null ? {} : resolverOf(made)) },
    hosts: hosts.length,
  }
}

export async function status(context: Context): Promise<number> {
  const held = heldDirectory()
  if (held !== null) {
    const found = await statusOf(held)
    if (found === null) throw tryLater()
    context.answer({ schema: 'hermetic.lab-status/1', up: true, ...found }, statusText(found, Date.now(), context))
    return asHoped
  }
  const left = leftovers()
  context.answer(
    { schema: 'hermetic.lab-status/1', up: false, leftovers: left.map(({ namespace }) => ({ namespace })) },
    [
      "No lab of this user is up. 'hermetic lab up' starts one.",
      ...left.map(
        ({ namespace }) =>
          `One that did not end in order left the network namespace ${namespace}. 'hermetic lab down' removes it.`,
      ),
    ].join('\n'),
  )
  return answerIsNo
}

export async function down(context: Context): Promise<number> {
  const held = heldDirectory()
  const inside = await insideAll()
  const ended = held === null ? null : await end(held)
  const removed: { namespace: string; says: readonly string[] }[] = []
  for (const path of stateDirectories()) {
    const one = claim(path)
    if (one.kind === 'held') continue
    try {
      const left = await removeLeftovers(one.directory)
      if (left !== null) removed.push(left)
    } catch (error) {
      throw told(error)
    } finally {
      one.directory.release()
    }
  }
  // Without those of the lab itself, which are gone.
  const left = inside.filter(pid => processIdentity(pid) !== null)
  const document = { schema: 'hermetic.lab-down/1' as const, ended, removed, inside: left }
  context.answer(document, downText(document))
  return asHoped
}

/** Processes in the namespaces of labs. */
async function insideAll(): Promise<readonly number[]> {
  const all = await Promise.all(leftovers().map(({ namespace }) => processesIn(namespace).catch(() => [])))
  return all.flat()
}

/** The lab that was ended, as far as it could be told. */
interface Ended {
  readonly pid: number | null
  readonly namespace: string | null
}

/** Asks the lab to end, and makes it. */
async function end(directory: string): Promise<Ended> {
  const identity = identityIn(directory)
  const answer = (await askLab(directory, 'end')) as Ended | null
  if (answer !== null && (await isGone(directory, identity))) return answer
  // One that hangs. The number is of the process that wrote it, or of nobody.
  const namespace = readMade(directory)?.namespace ?? null
  const pid = livingProcess(identity)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const still = livingProcess(identity)
    if (still !== null) process.kill(still, signal)
    if (await isGone(directory, identity)) return { pid, namespace }
  }
  throw new CliFailure(
    'cli.try-later',
    `the lab does not end${pid === null ? '' : ` (process ${pid})`}`,
    `It holds ${directory}; see what that process does.`,
  )
}

function identityIn(directory: string): string {
  try {
    return readFileSync(join(directory, identityName), 'utf8').trim()
  } catch {
    return ''
  }
}

async function isGone(directory: string, identity: string): Promise<boolean> {
  for (const until = performance.now() + politeMs; performance.now() < until; await sleep(pauseMs)) {
    if (livingProcess(identity) !== null) continue
    const one = claim(directory)
    if (one.kind === 'held') continue
    one.directory.release()
    return true
  }
  return false
}

function heldDirectory(): string | null {
  for (const path of stateDirectories()) {
    const one = claim(path)
    if (one.kind === 'held') return path
    one.directory.release()
  }
  return null
}

async function statusOf(directory: string | null): Promise<LabStatus | null> {
  return directory === null ? null : ((await askLab(directory, 'status')) as LabStatus | null)
}

/** What labs have made outside their directories and not taken away: the one that is up, or one that did not end in order. */
function leftovers(): readonly Made[] {
  return stateDirectories().flatMap(path => readMade(path) ?? [])
}

function refuseLeftovers(directory: HeldDirectory): void {
  const made = readMade(directory.path)
  if (made === null) return
  directory.release()
  throw new CliFailure(
    'cli.start',
    `a lab that did not end in order left the network namespace ${made.namespace}`,
    "'hermetic lab down' removes it.",
  )
}

/** What a lab made outside its state directory, by who holds that. Null: nothing was left. */
async function removeLeftovers({ path }: HeldDirectory) {
  const made = readMade(path)
  if (made === null) return null
  const says = await removeNamespace(made)
  writeMade(path, null)
  return { namespace: made.namespace, says }
}

/** Null: without real ports. @throws CliFailure 64 */
function namespaceWanted({ realPorts, namespace = 'hermetic-lab' }: UpOptions): string | null {
  if (realPorts === true && /^[a-z0-9][a-z0-9-]{0,62}$/.test(namespace)) return namespace
  if (realPorts !== true && namespace === 'hermetic-lab') return null
  throw realPorts === true
    ? new CliFailure(
        'cli.usage',
        '--namespace takes a name of small letters, digits and hyphens',
        'For example --namespace hermetic-lab, which it is unless given.',
      )
    : new CliFailure(
        'cli.usage',
        '--namespace is of use with --real-ports only',
        'Without that the lab is on loopback, and not in a network namespace.',
      )
}

function tryLater(): CliFailure {
  return new CliFailure(
    'cli.try-later',
    'a lab is there and does not answer: it is starting, or ending',
    "Try again in a few seconds; 'hermetic lab down' ends one that hangs.",
  )
}

const identityName = 'process'
/** Where a relay takes mail that is started with the lab's configuration file. */
const relayPort = 2525
/** Certificates and signatures are made before it answers: seconds, on a machine that has other things to do too. */
const patienceMs = 120_000
/** How long a lab may take to end; it needs a fraction of a second. */
const politeMs = 5_000
/** A process of ours starts within this time, also on a busy machine. */
const handOverMs = 10_000
const pauseMs = 50
