/**
 * Real mail clients that try one TLS handshake each with a server on loopback, TLS from the first byte, and do not care who it is: what is
 * left is what their library says of the handshake itself. A failure counts as `refuse` only with the client's own word for it.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectTcp, createClientContext, secureClient } from '../../../src/system/outgoing.ts'
import { must, run } from '../../support/process.ts'
import { eximBinary } from './exim.ts'

export interface Outcome {
  readonly did: 'accept' | 'refuse' | 'neither'
  /** What the program printed that decided. */
  readonly says: string
}

export interface MailClient {
  readonly name: string
  connect(port: number): Promise<Outcome>
}

/** @param options a priority string: `NORMAL`. */
export function gnutlsCli(priority: string): MailClient {
  return {
    name: `gnutls-cli ${priority}`,
    async connect(port) {
      const { code, stdout, stderr } = await run('gnutls-cli', [
        ...['--insecure', `--priority=${priority}`, '-p', String(port), '127.0.0.1'],
      ])
      return outcomeOf(
        stdout + stderr,
        /Handshake was completed/,
        /\*\*\* Fatal error: Key usage violation.*/,
        code,
      )
    },
  }
}

export const opensslClient: MailClient = {
  name: 'openssl s_client',
  async connect(port) {
    const { code, stdout, stderr } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`])
    return outcomeOf(stdout + stderr, /New, TLSv1\.[23], Cipher is [^(].*/, /ecc cert not for signing/, code)
  },
}

export const posttlsFinger: MailClient = {
  name: 'posttls-finger',
  async connect(port) {
    const { code, stdout, stderr } = await run('posttls-finger', [
      ...['-w', '-c', '-l', 'encrypt', '-t', '10', '-T', '10', `[127.0.0.1]:${port}`],
    ])
    return outcomeOf(stdout + stderr, /TLS connection established to .*/, /ecc cert not for signing/, code)
  },
}

/** The client half of Hermetic itself. */
export const hermeticClient: MailClient = {
  name: 'hermetic',
  async connect(port) {
    const patience = { timeoutMs: 10_000, signal: new AbortController().signal }
    const connected = await connectTcp({ address: '127.0.0.1', port }, patience)
    if (connected.kind === 'failed') return { did: 'neither', says: connected.message }
    const secured = await secureClient(
      connected.socket,
      { context: createClientContext(null), sni: null },
      patience,
    )
    if (secured.kind === 'failed')
      return {
        did: secured.code === 'ERR_SSL_ECC_CERT_NOT_FOR_SIGNING' ? 'refuse' : 'neither',
        says: secured.message,
      }
    const says = secured.socket.getProtocol() ?? ''
    secured.socket.destroy()
    return { did: 'accept', says }
  },
}

/** Exim delivers one message to it, once: no daemon. @param priority of `tls_require_ciphers`; null: Exim's own default. */
export async function eximClient(directory: string, priority: string | null): Promise<MailClient> {
  for (const each of [directory, ...['spool', 'log'].map(name => join(directory, name))]) {
    mkdirSync(each, { recursive: true })
    chmodSync(each, 0o755)
  }
  const configuration = join(directory, 'exim.conf')
  writeFileSync(
    configuration,
    `${[
      'exim_user = Debian-exim',
      'exim_group = Debian-exim',
      `exim_path = ${eximBinary}`,
      `spool_directory = ${directory}/spool`,
      `log_file_path = ${directory}/log/%slog`,
      'primary_hostname = exim.test.example',
      'log_selector = +tls_cipher +tls_certificate_verified',
      'trusted_users = root',
      'keep_environment =',
      'begin routers',
      ...['out:', '  driver = manualroute', '  transport = smtp', '  route_list = * 127.0.0.1', '  self = send'],
      'begin transports',
      ...['smtp:', '  driver = smtp', '  protocol = smtps', '  allow_localhost', '  hosts_require_tls = *'],
      // The recipient's local part is the port.
      '  port = $local_part',
      '  tls_try_verify_hosts = :',
      // What was deferred before would go out over a later connection to the same address, whatever its port.
      '  connection_max_messages = 1',
      ...(priority === null ? [] : [`  tls_require_ciphers = ${priority}`]),
      'begin retry',
      '* * F,1h,1h',
    ].join('\n')}\n`,
  )
  await must('chown', ['-R', 'Debian-exim:Debian-exim', join(directory, 'spool'), join(directory, 'log')])
  await must('chown', ['root:root', configuration])
  return {
    name: `exim ${priority ?? 'by default'}`,
    async connect(port) {
      await run(
        eximBinary,
        ['-C', configuration, '-odi', '-oi', '-f', 'ada@source.example', `${port}@sink.example`],
        { input: 'Subject: handshake\n\nhello\n' },
      )
      const lines = readFileSync(join(directory, 'log', 'mainlog'), 'latin1').split('\n')
      const mine = lines.filter(line => line.includes(` ${port}@sink.example `)).join('\n')
      return outcomeOf(mine, / => .*X=.*/, /\(gnutls_handshake\): Key usage violation.*/, null)
    },
  }
}

function outcomeOf(printed: string, accepted: RegExp, refused: RegExp, code: number | null): Outcome {
  const refusal = refused.exec(printed)
  if (refusal !== null) return { did: 'refuse', says: refusal[0] }
  const acceptance = accepted.exec(printed)
  if (acceptance !== null) return { did: 'accept', says: acceptance[0] }
  return { did: 'neither', says: `exit ${code}\n${printed}` }
}
