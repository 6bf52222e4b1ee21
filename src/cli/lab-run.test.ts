/** `hermetic lab run` as a process of its own: however it ends, its directory is gone, and a shell is told how it ended. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const main = join(import.meta.dirname, 'start.js')
let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-run-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** @param onFirst with the first words on standard output */
function labRun(args: readonly string[], onFirst: (child: Child) => void = () => {}): Promise<Ran> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'lab', 'run', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: directory, NODE_COMPILE_CACHE: '' },
    })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      if (out === '') onFirst(child)
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      err += text
    })
    child.on('close', code => resolve({ code, out, err }))
  })
}

const left = () => readdirSync(directory).filter(name => name.startsWith('hermetic-lab-run-'))

describe('a run that does not come to its end', () => {
  test('ends with Ctrl-C at once, says so, exits with 130, and leaves nothing', { timeout: 60_000 }, async () => {
    let during: readonly string[] = []
    const { code, err, out } = await labRun(['--all'], child => {
      during = left()
      child.kill('SIGINT')
    })
    expect({ code, err, left: left() }).toEqual({ code: 130, err: 'hermetic: interrupted\n', left: [] })
    expect(during).toHaveLength(1)
    expect(out).not.toContain('as expected')
  })

  test('leaves nothing either when its reader goes away', { timeout: 60_000 }, async () => {
    const { code, err } = await labRun(['--all'], child => child.stdout.destroy())
    expect({ code, err, left: left() }).toEqual({ code: 0, err: '', left: [] })
  })
})

test('one scenario is told within a page, and leaves nothing', { timeout: 60_000 }, async () => {
  const { code, out } = await labRun(['alias'])
  expect(code).toBe(0)
  expect(out.split('\n').filter(line => line.length > 100)).toEqual([])
  expect(out.replace(/\n +/g, ' ')).toContain(
    "what the operator wrote, not the alias's target happened  delivered",
  )
  expect(left()).toEqual([])
})

const misused: readonly [string, readonly string[], string][] = [
  ['a name that was mistyped', ['nine-record'], 'Did you mean nine-records?'],
  ['each of two that were', ['nine-record', 'alis'], 'Did you mean nine-records, alias?'],
  ['a name that nobody can guess', ['zzz'], "'zzz'\n'hermetic lab list' lists them all."],
  ['a name beside --all', ['--all', 'alias'], 'Leave --all out to play those alone.'],
  ['a name that would move a terminal', ['a\u001bb'], "'a\\x1bb'"],
]

test.each(misused)('%s is wrong usage, and the right one is told', async (_, args, says) => {
  const { code, out, err } = await labRun(args)
  expect([code, out]).toEqual([64, ''])
  expect(err).toContain(says)
})
