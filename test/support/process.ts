/** Runs foreign programs for the tests: each with a deadline, its output kept, and ended by its own id when the test is over. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createConnection, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly timeoutMs?: number
}

const searchPath = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

/** Runs a program to its end. Never rejects for its exit code; rejects when it cannot be started or runs past the deadline. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: searchPath, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString('latin1')
    })
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes.toString('latin1')
    })
    const deadline = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${command} ${args.join(' ')} ran past its deadline\n${stdout}\n${stderr}`))
    }, options.timeoutMs ?? 60_000)
    child.on('error', error => {
      clearTimeout(deadline)
      reject(error)
    })
    child.on('close', code => {
      clearTimeout(deadline)
      resolve({ code, stdout, stderr })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** Runs a program that must succeed. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const done = await run(command, args, options)
  if (done.code !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${done.code}\n${done.stdout}\n${done.stderr}`)
  return done
}

export interface Background {
  readonly child: ChildProcess
  /** Everything it printed so far. */
  output(): string
  stop(): Promise<void>
}

export interface StartOptions extends Omit<RunOptions, 'input' | 'timeoutMs'> {
  /** `silent`: its input never ends, and never says a word. Default: it ends at once. */
  readonly input?: 'silent'
}

/** Starts a program that stays. */
export function start(command: string, args: readonly string[], options: StartOptions = {}): Background {
  const child = spawn(command, args, {
    stdio: [options.input === 'silent' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: searchPath, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  let output = ''
  const keep = (bytes: Buffer) => {
    output = (output + bytes.toString('latin1')).slice(-200_000)
  }
  child.stdin?.on('error', () => undefined)
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.on('error', error => keep(Buffer.from(String(error))))
  const gone = new Promise<void>(resolve => {
    child.on('close', () => resolve())
  })
  return {
    child,
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
        await gone
        clearTimeout(late)
      }
    },
  }
}

/** A loopback port that is free now. */
export function freePort(address = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, address, () => {
      const bound = server.address()
      server.close(() =>
        typeof bound === 'object' && bound !== null ? resolve(bound.port) : reject(new Error('no port')),
      )
    })
  })
}

/** Waits until something listens there. */
export async function listening(port: number, address = '127.0.0.1', timeoutMs = 20_000): Promise<void> {
  await until(
    () =>
      new Promise<boolean>(resolve => {
        const socket = createConnection({ port, host: address }, () => {
          socket.destroy()
          resolve(true)
        })
        socket.on('error', () => resolve(false))
      }),
    `something listens on ${address}:${port}`,
    timeoutMs,
  )
}

/** Polls until `holds` is true; rejects with `what` at the deadline. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
  pollMs = 50,
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await sleep(pollMs)
  }
}
