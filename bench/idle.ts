/**
 * npm run bench:idle: the relay's memory per idle TLS connection: 5,000 clients have done STARTTLS and EHLO and say nothing more.
 * Options: --connections N (5000). Beside it, the same for Postfix at 50 connections (a process each), where it is installed and we are root.
 */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startPostfix } from '../test/peers/support/postfix.ts'
import { freePort, listening, must, start, until } from '../test/support/process.ts'

const { values } = parseArgs({ options: { connections: { type: 'string', default: '5000' } } })
const connections = Number(values.connections)
const directory = mkdtempSync(join(tmpdir(), 'hermetic-idle-'))
chmodSync(directory, 0o755)

/** Proportional set size: pages shared with other processes count in part. In KB. */
function memoryKb(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0)
}

async function hold(port: number, count: number): Promise<() => Promise<void>> {
  const clients = spawn(
    process.execPath,
    [join(import.meta.dirname, 'support/idle-clients.ts'), String(port), String(count)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  let text = ''
  clients.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await until(() => text.includes('held') || clients.exitCode !== null, `${count} connections are held`, 240_000)
  if (!text.includes('held')) throw new Error('the clients could not open their connections')
  return async () => {
    clients.stdin.end()
    await until(() => clients.exitCode !== null, 'the clients are gone')
  }
}

try {
  const port = await freePort()
  const configuration = join(directory, 'hermetic.yaml')
  writeFileSync(
    configuration,
    [
      'hostname: idle.test.example',
      `state: ${join(directory, 'state')}`,
      'listen:',
      `  - { address: 127.0.0.1, port: ${port}, tls: starttls }`,
      `limits: { connections: ${connections + 100}, connections_per_address: 1000 }`,
      'dns: { trust: none }',
      '',
    ].join('\n'),
  )
  const relay = start(join(import.meta.dirname, '..', 'hermetic'), ['serve', '--config', configuration])
  await listening(port)
  const warm = await hold(port, 20)
  await warm()
  await sleep(1_000)
  const pid = relay.child.pid ?? 0
  const before = memoryKb(pid)
  const release = await hold(port, connections)
  await sleep(3_000)
  const after = memoryKb(pid)
  process.stdout.write(
    `hermetic: ${connections} idle TLS connections, ${Math.round(before / 1024)} MB before, ${Math.round(after / 1024)} MB with them: ${((after - before) / connections).toFixed(1)} KB each\n`,
  )
  await release()
  await relay.stop()

  if (process.getuid?.() === 0 && existsSync('/usr/sbin/postfix')) {
    const key = join(directory, 'key.pem')
    const chain = join(directory, 'chain.pem')
    await must('openssl', [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=bench.example'.split(
        ' ',
      ),
      ...['-keyout', key, '-out', chain],
    ])
    const postfix = await startPostfix({
      directory: join(directory, 'postfix'),
      port: await freePort(),
      main: { smtpd_tls_security_level: 'may', smtpd_tls_chain_files: `${key}, ${chain}` },
    })
    const count = 50
    const holding = await hold(postfix.port, count)
    const servers = readdirSync('/proc').filter(name => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/comm`, 'latin1').trim() === 'smtpd'
      } catch {
        return false
      }
    })
    const sum = servers.reduce((total, name) => total + memoryKb(Number(name)), 0)
    process.stdout.write(
      `postfix:  ${count} idle TLS connections, ${servers.length} smtpd processes: ${(sum / count).toFixed(1)} KB each\n`,
    )
    await holding()
    await postfix.stop()
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
