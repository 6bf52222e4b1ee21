/**
 * `hermetic lab up --real-ports` as a foreign mail server meets it: Postfix resolves, judges and delivers in the lab's network namespace, and `lab status`
 * tells what it did. What Postfix logs and what the hosts saw must be the same story.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { type Finished, must, run, start, until } from '../support/process.ts'
import { type Postfix, startPostfix } from './support/postfix.ts'

const namespace = `hermetic-lab-test-${process.pid}`
const directory = temporaryDirectory('real-ports')
const env = { XDG_STATE_HOME: join(directory.path, 'state') }
const hermetic = (...args: string[]): Promise<Finished> =>
  run(join(root, 'hermetic'), args, { env, timeoutMs: 150_000 })
const inside = (...command: string[]): Promise<Finished> => run('ip', ['netns', 'exec', namespace, ...command])

/** Null: they can be had. */
async function obstacle(): Promise<string | null> {
  if (process.platform !== 'linux') return 'this is not Linux'
  if (process.getuid?.() !== 0) return 'only root may make a network namespace'
  const probe = `hermetic-probe-${process.pid}`
  const made = await run('ip', ['netns', 'add', probe]).catch(() => null)
  if (made?.code !== 0) return 'the system makes no network namespace here'
  await run('ip', ['netns', 'delete', probe])
  return null
}
const why = await obstacle()
const title = why === null ? 'a lab with real ports' : `a lab with real ports (left out: ${why})`

interface Visit {
  readonly tls: { readonly version: string; readonly sni: string | null } | null
  readonly came: string
  readonly mails: readonly {
    readonly accepted: readonly string[]
    readonly content: string | null
    readonly over: string
  }[]
}
interface Status {
  readonly up: boolean
  readonly resolver: { readonly questions: number }
  readonly hosts: readonly {
    readonly name: string
    readonly messages: number
    readonly newest: readonly Visit[]
  }[]
}

async function visitsAt(host: string): Promise<readonly Visit[]> {
  const { stdout } = await hermetic('lab', 'status', '--json')
  const status: Status = JSON.parse(stdout)
  const found = status.hosts.find(({ name }) => name === host)
  if (found === undefined) throw new Error(`the lab has no host ${host}`)
  return found.newest
}

describe.skipIf(why !== null)(title, () => {
  let postfix: Postfix
  beforeAll(async () => {
    const up = await hermetic('lab', 'up', '--real-ports', '--namespace', namespace, '--json')
    expect(up.stdout).toContain('"hermetic.lab-up/1"')
    postfix = await startPostfix({
      directory: join(directory.path, 'postfix'),
      port: 2526,
      namespace,
      main: {
        disable_dns_lookups: 'no',
        smtp_host_lookup: 'dns',
        smtp_dns_support_level: 'dnssec',
        smtp_tls_security_level: 'dane',
        smtp_tls_loglevel: '1',
        relayhost: '',
      },
    })
  })
  afterAll(async () => {
    await postfix?.stop()
    await hermetic('lab', 'down')
    directory.remove()
  })

  async function send(to: string): Promise<string> {
    await postfix.submit('ada@source.example', to, `Subject: to ${to}\n\nHello.\n`)
    const line = () =>
      postfix
        .log()
        .split('\n')
        .find(each => each.includes(`to=<${to}>`) && each.includes('status='))
    await until(() => line() !== undefined, `Postfix has tried ${to}`, 60_000)
    return line() ?? ''
  }

  test('shows nothing of itself outside', async () => {
    expect((await run('ip', ['address'])).stdout).not.toContain('192.0.2.77/32')
    expect((await inside('ip', 'address', 'show', 'lo')).stdout).toContain('192.0.2.77/32')
  })

  test.each([
    ['et.example', 'mx06.et.example', 'Verified', /Matched DANE TA certificate at depth 1/],
    ['expired-ee.example', 'mx.expired-ee.example', 'Verified', /Matched DANE EE certificate at depth 0/],
  ])('posttls-finger proves %s', async (domain, _, standing, matched) => {
    const { stdout, stderr } = await inside('posttls-finger', '-c', '-l', 'dane', '-L', 'summary,verbose', domain)
    expect(stdout + stderr).toMatch(matched)
    expect(stdout + stderr).toContain(`${standing} TLS connection established`)
  })

  test('Postfix delivers where TLSA records prove the host, and the host has seen it', async () => {
    expect(await send('bob@et.example')).toContain('status=sent')
    expect(postfix.log()).toContain('Verified TLS connection established to mx06.et.example[192.0.2.77]:25')
    expect((await visitsAt('mx06.et.example')).at(-1)).toMatchObject({
      tls: { version: 'TLSv1.3', sni: 'mx06.et.example' },
      came: 'delivered',
      mails: [{ accepted: ['bob@et.example'], content: 'kept', over: 'tls' }],
    })
  })

  test('Postfix defers where no record matches, and has said no mail command', async () => {
    expect(await send('bob@mixed-mismatch.example')).toContain('status=deferred')
    const visits = await visitsAt('mx.mixed-mismatch.example')
    expect(visits.length).toBeGreaterThan(0)
    for (const visit of visits) expect(visit).toMatchObject({ came: 'left-after-tls', mails: [] })
  })

  test('Postfix defers where the TLSA records are bogus, and visits nobody', async () => {
    expect(await send('bob@tlsa-bogus.example')).toContain('status=deferred')
    expect(await visitsAt('mx.tlsa-bogus.example')).toEqual([])
  })

  test('a relay of ours delivers with the configuration that lies there', async () => {
    const configuration = join(env.XDG_STATE_HOME, 'hermetic-lab', 'relay', 'hermetic.yaml')
    const relay = start('ip', [
      'netns',
      'exec',
      namespace,
      join(root, 'hermetic'),
      'serve',
      '--config',
      configuration,
    ])
    const message = 'From: ada@source.example\nTo: carl@et.example\nSubject: ours\n\nHello.\n'
    await until(
      async () => (await run(join(root, 'hermetic'), ['queue', 'list', '--config', configuration])).code === 0,
      'the relay answers',
    )
    await must(
      join(root, 'hermetic'),
      ['sendmail', '--config', configuration, '-f', 'ada@source.example', 'carl@et.example'],
      { input: message },
    )
    await until(
      async () =>
        (await visitsAt('mx06.et.example')).some(({ mails }) =>
          mails.some(({ accepted, content }) => accepted.includes('carl@et.example') && content === 'kept'),
        ),
      'the relay has delivered',
    )
    await relay.stop()
  })

  test('is told of by status, and a second one is not started', async () => {
    const again = await hermetic('lab', 'up', '--real-ports', '--namespace', namespace, '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ already: true, namespace })
    const other = await hermetic('lab', 'up', '--real-ports', '--namespace', `${namespace}-2`, '--json')
    expect(other.code).toBe(69)
    const text = (await hermetic('lab', 'status')).stdout
    expect(text).toContain(`in the network namespace ${namespace}`)
    expect(text).toMatch(/TLSv1\.3, SNI mx06\.et\.example: delivered/)
  })
})

describe.skipIf(why !== null)(`${title}: its end`, () => {
  const traces = [`/run/netns/${namespace}`, `/etc/netns/${namespace}`]
  beforeAll(async () => {
    expect((await hermetic('lab', 'up', '--real-ports', '--namespace', namespace)).code).toBe(0)
    for (const each of traces) expect(existsSync(each)).toBe(true)
  })

  test('after a crash it is up no longer, and says what it left; down removes that', async () => {
    const { pid } = JSON.parse((await hermetic('lab', 'status', '--json')).stdout)
    process.kill(pid, 'SIGKILL')
    await until(async () => (await hermetic('lab', 'status')).code === 1, 'it is gone')
    expect((await hermetic('lab', 'status')).stdout).toContain(`left the network namespace ${namespace}`)
    const up = await hermetic('lab', 'up', '--json')
    expect(up.code).toBe(69)
    expect(up.stdout).toContain('did not end in order')
    expect((await hermetic('lab', 'down')).code).toBe(0)
    for (const each of traces) expect(existsSync(each)).toBe(false)
    expect((await hermetic('lab', 'down')).stdout).toContain('No lab of this user was up')
  })

  test("a namespace that is somebody else's is neither used nor removed", async () => {
    await must('ip', ['netns', 'add', namespace])
    const up = await hermetic('lab', 'up', '--real-ports', '--namespace', namespace, '--json')
    expect(up.code).toBe(69)
    expect(up.stdout).toContain('is there already')
    await hermetic('lab', 'down')
    expect(existsSync(`/run/netns/${namespace}`)).toBe(true)
    await must('ip', ['netns', 'delete', namespace])
  })

  test('down ends it, in order', async () => {
    expect((await hermetic('lab', 'up', '--real-ports', '--namespace', namespace)).code).toBe(0)
    const { stdout } = await hermetic('lab', 'down', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ ended: { namespace }, removed: [] })
    for (const each of traces) expect(existsSync(each)).toBe(false)
  })
})
