/** A lab that stays up, by the commands that anybody would use, as any user: up, looked at, visited, ended, killed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { LabStatus, UpDocument } from '../../src/cli/lab-text.ts'
import { submit } from '../../src/lab/client.ts'
import { processIdentity } from '../../src/system/process-identity.ts'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { type Finished, run, start, until } from '../support/process.ts'

const directory = temporaryDirectory('lab-up')
const env = { XDG_STATE_HOME: join(directory.path, 'state') }
const hermetic = (...args: string[]): Promise<Finished> =>
  run(join(root, 'hermetic'), args, { env, timeoutMs: 150_000 })

afterEach(async () => {
  await hermetic('lab', 'down')
})
afterAll(() => directory.remove())

async function up(): Promise<UpDocument> {
  const { code, stdout, stderr } = await hermetic('lab', 'up', '--json')
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

async function status(): Promise<LabStatus> {
  const { code, stdout } = await hermetic('lab', 'status', '--json')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

/** One that has ended may wait for somebody to notice. */
const isAlive = (pid: number): boolean => processIdentity(pid) !== null

async function hostOf(name: string) {
  const host = (await status()).hosts.find(each => each.name === name)
  if (host === undefined) throw new Error(`the lab has no host ${name}`)
  return host
}

describe('hermetic lab up', () => {
  test('brings a lab up that others can use, once, and down takes it away', async () => {
    const none = await hermetic('lab', 'status', '--json')
    expect(none.code).toBe(1)
    expect(JSON.parse(none.stdout)).toMatchObject({ schema: 'hermetic.lab-status/1', up: false, leftovers: [] })

    const document = await up()
    expect(document).toMatchObject({
      schema: 'hermetic.lab-up/1',
      already: false,
      namespace: null,
      resolver: null,
    })
    expect(isAlive(document.pid)).toBe(true)
    expect(await up()).toEqual({ ...document, already: true })

    const { address, port } = document.dns
    const asked = await hermetic(
      ...['dns', '_25._tcp.mx06.et.example', 'TLSA', '--server', `${address}:${port}`],
      ...['--anchor', document.files.anchors, '--json'],
    )
    expect(JSON.parse(asked.stdout)).toMatchObject({ security: 'secure' })
    expect((await status()).dns.questions).toBeGreaterThan(0)
    const route = await hermetic('route', 'bob@et.example', '--config', document.files.configuration)
    expect(route.stdout).toMatch(/mx06\.et\.example \[192\.0\.2\.77\] port 25/)
    expect(route.code).toBe(0)

    const down = await hermetic('lab', 'down')
    expect(down).toMatchObject({ code: 0 })
    expect(down.stdout).toContain(`process ${document.pid}`)
    expect(isAlive(document.pid)).toBe(false)
    expect(existsSync(join(document.files.directory, 'lab.sock'))).toBe(false)
    expect((await hermetic('lab', 'down')).stdout).toContain('No lab of this user was up')
  })

  test('tells who came to its hosts, and what they did', async () => {
    await up()
    const before = await hostOf('mx2.down.example')
    expect(before).toMatchObject({ visits: 0, messages: 0, newest: [] })
    const [address = '', port] = before.listens?.split(':') ?? []
    await submit(
      { address, port: Number(port) },
      {
        from: 'ada@source.example',
        to: ['bob@down.example'],
        content: Buffer.from('Subject: x\r\n\r\ny\r\n'),
        smtputf8: false,
      },
    )
    expect(await hostOf('mx2.down.example')).toMatchObject({
      visits: 1,
      messages: 1,
      newest: [
        {
          tls: { version: 'TLSv1.3' },
          came: 'delivered',
          mails: [{ from: 'ada@source.example', accepted: ['bob@down.example'], content: 'kept', over: 'tls' }],
        },
      ],
    })
    const text = (await hermetic('lab', 'status')).stdout
    expect(text).toMatch(/mx2\.down\.example {2}198\.51\.100\.32: 1 visit, 1 message kept/)
    expect(text).toContain('MAIL from <ada@source.example>: to <bob@down.example>, kept')
    expect(text).toMatch(/mx1\.down\.example .* down on purpose/)
  })

  test('called twice at once brings up one', async () => {
    const [one, other] = await Promise.all([up(), up()])
    expect(one.pid).toBe(other.pid)
  })

  test('killed, is up no longer and stands in the way of nothing', async () => {
    const { pid } = await up()
    process.kill(pid, 'SIGKILL')
    await until(async () => (await hermetic('lab', 'status')).code === 1, 'it is gone')
    expect((await up()).already).toBe(false)
  })

  test('stopped in the middle, it is still ended by down, and nobody else is', async () => {
    const { pid } = await up()
    process.kill(pid, 'SIGSTOP')
    const down = await hermetic('lab', 'down')
    expect(down.code).toBe(0)
    expect(isAlive(pid)).toBe(false)
  })

  test('in the foreground it ends with a signal, in order', async () => {
    const lab = start(join(root, 'hermetic'), ['lab', 'up', '--foreground'], { env })
    await until(() => lab.output().includes('Ctrl-C'), 'it is up', 120_000)
    const { pid, files } = await status()
    expect(pid).toBe(lab.child.pid)
    lab.child.kill('SIGINT')
    await until(() => lab.child.exitCode !== null, 'it has ended')
    expect(lab.child.exitCode).toBe(0)
    expect(existsSync(join(files.directory, 'lab.sock'))).toBe(false)
  })

  test('says where it cannot keep its state', async () => {
    const { code, stdout } = await run(join(root, 'hermetic'), ['lab', 'up', '--json'], {
      env: { XDG_STATE_HOME: '/proc/none', TMPDIR: '/proc/none' },
    })
    expect(code).toBe(69)
    expect(JSON.parse(stdout)).toMatchObject({ code: 'cli.start' })
  })

  test.each([
    ['a namespace of a strange name', ['--real-ports', '--namespace', '../etc']],
    ['a namespace without real ports', ['--namespace', 'other']],
    ['an argument', ['all']],
  ])('%s is wrong usage', async (_, args) => {
    const { code, stdout } = await hermetic('lab', 'up', ...args, '--json')
    expect(code).toBe(64)
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'hermetic.error/1', code: 'cli.usage' })
  })
})
