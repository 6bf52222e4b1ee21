/** `npm start`: the tour as a newcomer sees it, and the commands it ends with, as printed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { submit } from '../../src/lab/client.ts'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { type Finished, run } from '../support/process.ts'

const home = temporaryDirectory('tour')
afterAll(() => home.remove())
const env = { HOME: home.path, XDG_STATE_HOME: '', NO_COLOR: '1' }
const usualState = join(home.path, '.local', 'state', 'hermetic-tour')

const tour = (...args: string[]) => run(join(root, 'hermetic'), ['tour', ...args], { env })
const shell = (command: string) => run('/bin/sh', ['-c', command], { env, cwd: root })
/** What the tests' runner keeps byte by byte. */
const text = ({ stdout }: Finished) => Buffer.from(stdout, 'latin1').toString('utf8')
const commandsIn = (lines: readonly string[]) =>
  lines
    .filter(line => /^ {2}(?:\.\/hermetic|swaks) /.test(line))
    .map(line => line.trim())
    .slice(-3)

describe('the tour, told once', () => {
  let done: Finished
  let lines: readonly string[]
  beforeAll(async () => {
    done = await tour('--once')
    lines = text(done).trimEnd().split('\n')
  })

  test('everything came out as expected', () => {
    expect(text(done)).not.toContain('FAILED')
    expect(text(done)).not.toContain('…')
    expect(lines.filter(line => line.startsWith('ok '))).toHaveLength(9)
    expect(done.code).toBe(0)
  })

  test('fits 25 lines of 100 columns, its state directory aside', () => {
    expect(lines.length).toBeLessThanOrEqual(25)
    for (const line of lines.slice(1, -3)) expect(line.length, line).toBeLessThanOrEqual(100)
  })

  test('ends with three commands that work as they stand', async () => {
    const commands = commandsIn(lines)
    expect(commands).toHaveLength(3)
    for (const command of commands) {
      const ran = await shell(command)
      expect(ran.code, `${command}\n${ran.stdout}${ran.stderr}`).toBe(0)
      expect(ran.stdout.length, command).toBeGreaterThan(0)
    }
  })

  test('the message with the wrong certificate waits in the queue', async () => {
    const { stdout } = await shell(`./hermetic queue list --config ${usualState}/hermetic.yaml`)
    expect(stdout).toContain('bob@wrong.example')
  })

  test('a second one is clean', async () => {
    const messages = async () => {
      const { stdout } = await shell(`./hermetic queue list --json --config ${usualState}/hermetic.yaml`)
      return stdout.split('bob@wrong.example').length
    }
    const before = await messages()
    expect((await tour('--once')).code).toBe(0)
    expect(await messages()).toBe(before)
    expect(existsSync(`${usualState}-2`)).toBe(false)
  })
})

describe('the tour', () => {
  test('as a document has every step, and its messages compared', async () => {
    const { code, stdout } = await tour('--json')
    const document = JSON.parse(Buffer.from(stdout, 'latin1').toString('utf8'))
    expect(document).toMatchObject({ schema: 'hermetic.tour/1', ok: true })
    expect(document.steps).toHaveLength(8)
    expect(
      document.compared.map(({ what, identical }: { what: string; identical: boolean }) => [what, identical]),
    ).toEqual([
      ['small', true],
      ['non-Latin', true],
      ['8-bit', true],
      ['25 MB', true],
      ['attachment', true],
      ['long lines', true],
    ])
    expect(code).toBe(0)
  })

  test('takes the next free port when 2525 is taken, and two at once have states of their own', async () => {
    const holder = await hold(2525)
    try {
      const both = await Promise.all([tour('--once'), tour('--once')])
      const ports = both.map(done => /SMTP on 127\.0\.0\.1:(\d+)/.exec(text(done))?.[1])
      const states = both.map(done => /State[^\n]*?(\S+hermetic-tour\S*)/.exec(text(done))?.[1])
      expect(both.map(({ code }) => code)).toEqual([0, 0])
      expect(ports).not.toContain('2525')
      expect(new Set(ports).size).toBe(2)
      expect(new Set(states).size).toBe(2)
    } finally {
      holder?.close()
    }
  })

  // While it starts, between scenarios, and while 25 MB are on their way.
  test.each([1, 3, 6, 12, 13])('interrupted after line %i says so, and nothing else, and is over', async line => {
    const child = spawn(join(root, 'hermetic'), ['tour'], { env: { ...process.env, ...env } })
    let out = ''
    let err = ''
    let interruptedAt = 0
    child.stdout.on('data', bytes => {
      out += String(bytes)
      if (interruptedAt > 0 || out.split('\n').length <= line) return
      interruptedAt = out.length
      child.kill('SIGINT')
    })
    child.stderr.on('data', bytes => {
      err += String(bytes)
    })
    expect(await once(child, 'close')).toEqual([130, null])
    expect(err).toBe('hermetic: interrupted\n')
    expect(out).not.toContain('FAILED')
    expect(out).not.toContain('Try:')
    const first = claimedState(out)
    expect(JSON.parse(readFileSync(join(first, '.hermetic-tour'), 'utf8')).holder).toBeNull()
  })

  test('on a terminal stays up, shows its log, and ends with Ctrl-C', async () => {
    const transcript = join(home.path, 'terminal')
    // exec: a shell between terminal and tour would get the Ctrl-C, too, and dash then exits with 130, whatever its child did.
    const terminal = spawn('script', ['-qfec', `exec ${join(root, 'hermetic')} tour`, transcript], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, ...env },
    })
    const ended = once(terminal, 'close')
    try {
      await expect.poll(() => commandsIn(linesOf(transcript)).length, { timeout: 60_000, interval: 100 }).toBe(3)
      const shown = linesOf(transcript)
      for (const command of commandsIn(shown).filter(line => line.startsWith('./'))) {
        const ran = await shell(command)
        expect(ran.code, `${command}\n${ran.stdout}${ran.stderr}`).toBe(0)
      }
      const port = Number(/SMTP on 127\.0\.0\.1:(\d+)/.exec(shown.join('\n'))?.[1])
      const content = Buffer.from('Subject: by hand\r\n\r\nHello\r\n')
      const mail = { from: 'alice@sender.example', to: ['bob@office.example'], content, smtputf8: false }
      expect((await submit({ address: '127.0.0.1', port }, mail)).accepted).toBe(true)
      await expect
        .poll(() => linesOf(transcript).at(-1), { timeout: 30_000, interval: 100 })
        .toContain('Completed')
    } finally {
      terminal.stdin?.write('\x03')
    }
    expect(await ended).toEqual([0, null])
  })
})

function claimedState(told: string): string {
  return (/State[^\n]*?(\S+hermetic-tour\S*)/.exec(told)?.[1] ?? '').replace('~', home.path)
}

function linesOf(path: string): readonly string[] {
  return read(path).trimEnd().split(/\r?\n/)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Null when somebody holds it already, which serves as well. */
function hold(port: number): Promise<Server | null> {
  return new Promise(resolve => {
    const server = createServer()
    server.on('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
