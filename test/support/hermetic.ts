/** Starts the product as its users do, `./hermetic serve --config FILE`, in a folder of the test. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Finished, freePort, listening, run, start } from './process.ts'

export const root = join(import.meta.dirname, '..', '..')

export function temporaryDirectory(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `hermetic-${name}-`))
  chmodSync(path, 0o755)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export interface Started {
  readonly port: number
  /** Its process: the relay itself, not a shell around it. */
  readonly pid: number
  readonly configuration: string
  /** The mail log. */
  log(): string
  /** What it wrote to its own output. */
  output(): string
  /** Another command against the same state. */
  command(...args: string[]): Promise<Finished>
  stop(): Promise<void>
}

/** @param yaml Lines on top of hostname, state, listener, relay and log. Where they do not speak of `dns` nothing is validated, so that nobody is asked for it. */
export async function startHermetic(options: {
  readonly directory: string
  readonly tls?: 'none' | 'starttls' | 'implicit'
  readonly yaml?: readonly string[]
}): Promise<Started> {
  const { yaml = [] } = options
  mkdirSync(options.directory, { recursive: true })
  const port = await freePort()
  const configuration = join(options.directory, 'hermetic.yaml')
  const logFile = join(options.directory, 'mail.log')
  writeFileSync(
    configuration,
    [
      'hostname: hermetic.test.example',
      `state: ${join(options.directory, 'state')}`,
      'listen:',
      `  - { address: 127.0.0.1, port: ${port}, tls: ${options.tls ?? 'starttls'} }`,
      'relay: { from: [127.0.0.0/8] }',
      'retry: { schedule: [1s] }',
      `log: { format: human, file: ${logFile} }`,
      ...(yaml.some(line => line.startsWith('dns:')) ? [] : ['dns: { trust: none }']),
      ...yaml,
      '',
    ].join('\n'),
  )
  const relay = start(join(root, 'hermetic'), ['serve', '--config', configuration])
  await listening(port).catch((error: unknown) => {
    throw new Error(`hermetic did not start: ${relay.output()}\n${String(error)}`)
  })
  const { pid } = relay.child
  if (pid === undefined) throw new Error('the relay listens and has no process')
  return {
    port,
    pid,
    configuration,
    log: () => {
      try {
        return readFileSync(logFile, 'utf8')
      } catch {
        return ''
      }
    },
    output: () => relay.output(),
    command: (...args) => run(join(root, 'hermetic'), [...args, '--config', configuration]),
    stop: () => relay.stop(),
  }
}
