/** The command line as users run it: a process of its own. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const main = join(import.meta.dirname, '..', 'start.js')

export function hermetic(args: readonly string[], input: string | Uint8Array = '', cwd?: string): Promise<Ran> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { cwd })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      err += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('close', code => resolve({ code, out, err }))
  })
}

/** What the command's document is, the caller knows: tests of the schemas hold it to that. */
export async function hermeticJson<Document = Record<string, unknown>>(
  args: readonly string[],
  input: string | Uint8Array = '',
) {
  const { code, out, err } = await hermetic([...args, '--json'], input)
  const document: Document = JSON.parse(out)
  return { code, err, document }
}
