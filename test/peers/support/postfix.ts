/**
 * A Postfix of our own: its configuration, queue and log in a folder of the test, on loopback ports of the machine or of a network namespace. Needs
 * root, as Postfix does.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listening, must, run } from '../../support/process.ts'

export interface PostfixOptions {
  readonly directory: string
  readonly port: number
  /** A second listener with TLS from the first byte. */
  readonly implicitTlsPort?: number
  /** Where it runs and sends; it takes mail by `submit` then, for its port is not ours to reach. Unless given, where we are. */
  readonly namespace?: string
  /** main.cf settings on top of ours. */
  readonly main?: Readonly<Record<string, string>>
}

export interface Postfix {
  readonly port: number
  /** Hands in a message by its `sendmail`. */
  submit(from: string, to: string, content: string): Promise<void>
  log(): string
  /** Number of messages in its queue. */
  queued(): Promise<number>
  /** Everything in the queue is tried at once. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const { directory, port, namespace } = options
  const inside = (command: string, args: readonly string[]): [string, string[]] =>
    namespace === undefined ? [command, [...args]] : ['ip', ['netns', 'exec', namespace, command, ...args]]
  const configuration = join(directory, 'conf')
  const log = join(directory, 'postfix.log')
  for (const each of [directory, configuration, join(directory, 'queue'), join(directory, 'data')]) {
    mkdirSync(each, { recursive: true })
    chmodSync(each, 0o755)
  }
  await must('chown', ['postfix:', join(directory, 'data')])
  const main: Record<string, string> = {
    compatibility_level: '3.6',
    myhostname: 'postfix.test.example',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    queue_directory: join(directory, 'queue'),
    data_directory: join(directory, 'data'),
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    maillog_file: log,
    maillog_file_prefixes: directory,
    alias_maps: '',
    alias_database: '',
    local_recipient_maps: '',
    smtpd_relay_restrictions: 'permit_mynetworks,reject',
    smtpd_client_connection_count_limit: '0',
    smtpd_client_connection_rate_limit: '0',
    default_process_limit: '200',
    message_size_limit: '120000000',
    mailbox_size_limit: '0',
    minimal_backoff_time: '2s',
    queue_run_delay: '2s',
    disable_dns_lookups: 'yes',
    smtp_host_lookup: 'native',
    ...options.main,
  }
  writeFileSync(
    join(configuration, 'main.cf'),
    Object.entries(main)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  )
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    ...(options.implicitTlsPort === undefined
      ? []
      : [`127.0.0.1:${options.implicitTlsPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes`]),
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'proxymap unix - - n - - proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'showq unix n - n - - showq',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'discard unix - - n - - discard',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ]
  writeFileSync(join(configuration, 'master.cf'), `${services.join('\n')}\n`)
  await must(...inside('postfix', ['-c', configuration, 'start']), { timeoutMs: 60_000 })
  if (namespace === undefined) await listening(port)
  return {
    port,
    async submit(from, to, content) {
      await must(...inside('sendmail', ['-C', configuration, '-f', from, '-i', to]), { input: content })
    },
    log: () => {
      try {
        return readFileSync(log, 'latin1')
      } catch {
        return ''
      }
    },
    async queued() {
      const { stdout } = await run(...inside('postqueue', ['-c', configuration, '-j']))
      return stdout.split('\n').filter(line => line.trim() !== '').length
    },
    async flush() {
      await run(...inside('postqueue', ['-c', configuration, '-f']))
    },
    async stop() {
      await run(...inside('postfix', ['-c', configuration, 'stop']))
    },
  }
}
