/** An Exim (GnuTLS) of our own, from the unpacked Debian package: configuration, spool and log in a folder of the test. Needs root. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Background, freePort, listening, must, start } from '../../support/process.ts'

export const eximBinary = join(process.env['HERMETIC_PEERS'] ?? '/opt/hermetic-peers', 'exim/usr/sbin/exim4')

export interface EximOptions {
  readonly directory: string
  /** Everything goes to this host, by the transport settings below. */
  readonly smarthost?: { readonly port: number; readonly transport?: readonly string[] }
  /** PEM chain and key for STARTTLS as a server. */
  readonly certificate?: { readonly chain: string; readonly key: string }
  /** Lines of the main section on top of ours. */
  readonly main?: readonly string[]
}

export interface Exim {
  readonly port: number
  /** Where mail is delivered to when there is no smarthost: one file, messages one after the other, between marker lines. */
  readonly mailbox: string
  log(): string
  stop(): Promise<void>
}

export async function startExim(options: EximOptions): Promise<Exim> {
  const { directory } = options
  const port = await freePort()
  for (const each of [directory, ...['spool', 'log', 'mail'].map(name => join(directory, name))]) {
    mkdirSync(each, { recursive: true })
    chmodSync(each, 0o755)
  }
  const mailbox = join(directory, 'mail', 'mailbox')
  writeFileSync(mailbox, '')
  const certificate = options.certificate
  const lines = [
    'exim_user = Debian-exim',
    'exim_group = Debian-exim',
    `exim_path = ${eximBinary}`,
    `spool_directory = ${directory}/spool`,
    `log_file_path = ${directory}/log/%slog`,
    `pid_file_path = ${directory}/exim.pid`,
    'primary_hostname = exim.test.example',
    `daemon_smtp_ports = ${port}`,
    'local_interfaces = 127.0.0.1',
    'acl_smtp_rcpt = accept',
    'acl_smtp_data = accept',
    'log_selector = +tls_cipher +tls_peerdn +tls_sni +tls_certificate_verified +smtp_connection',
    'host_lookup =',
    'message_size_limit = 120M',
    'smtp_accept_max = 0',
    'queue_only = false',
    'keep_environment =',
    ...(certificate === undefined
      ? ['tls_advertise_hosts =']
      : [
          'tls_advertise_hosts = *',
          `tls_certificate = ${certificate.chain}`,
          `tls_privatekey = ${certificate.key}`,
        ]),
    ...(options.main ?? []),
    'begin acl',
    'begin routers',
    ...(options.smarthost === undefined
      ? ['keep:', '  driver = accept', '  transport = file']
      : ['out:', '  driver = manualroute', '  transport = smtp', '  route_list = * 127.0.0.1', '  self = send']),
    'begin transports',
    'file:',
    '  driver = appendfile',
    `  file = ${mailbox}`,
    '  user = Debian-exim',
    '  message_prefix = "MESSAGE-BEGIN $sender_address\\n"',
    '  message_suffix = "MESSAGE-END\\n"',
    '  escape_string =',
    '  check_string =',
    '  no_mode_fail_narrower',
    '  no_check_owner',
    ...(options.smarthost === undefined
      ? []
      : [
          'smtp:',
          '  driver = smtp',
          '  hosts = 127.0.0.1',
          `  port = ${options.smarthost.port}`,
          '  allow_localhost',
          ...(options.smarthost.transport ?? []).map(line => `  ${line}`),
        ]),
    'begin retry',
    '* * F,1h,1s',
  ]
  const configuration = join(directory, 'exim.conf')
  writeFileSync(configuration, `${lines.join('\n')}\n`)
  await must('chown', [
    '-R',
    'Debian-exim:Debian-exim',
    join(directory, 'spool'),
    join(directory, 'log'),
    join(directory, 'mail'),
  ])
  await must('chown', ['root:root', configuration])
  const daemon: Background = start(eximBinary, ['-C', configuration, '-bdf', '-q1m'])
  try {
    await listening(port)
  } catch (error) {
    throw new Error(`Exim did not start: ${daemon.output()}\n${String(error)}`)
  }
  return {
    port,
    mailbox,
    log: () => {
      const path = join(directory, 'log', 'mainlog')
      return existsSync(path) ? readFileSync(path, 'latin1') : ''
    },
    stop: () => daemon.stop(),
  }
}
