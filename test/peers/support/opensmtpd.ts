/**
 * An OpenSMTPD of our own, from the unpacked Debian package. Its paths are compiled in, so it runs in a mount namespace
 * where its spool, its helpers and /var/run are folders of the test. Needs root.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, listening, must, start } from '../../support/process.ts'

const unpacked = join(process.env['HERMETIC_PEERS'] ?? '/opt/hermetic-peers', 'opensmtpd')

export interface OpenSmtpdOptions {
  readonly directory: string
  readonly certificate?: { readonly chain: string; readonly key: string }
  /** Where everything goes: `smtp://127.0.0.1:2525`, `smtp+tls://…`, `smtp+notls://…`. */
  readonly relay: string
}

export interface OpenSmtpd {
  readonly port: number
  log(): string
  stop(): Promise<void>
}

export async function startOpenSmtpd(options: OpenSmtpdOptions): Promise<OpenSmtpd> {
  const { directory, certificate } = options
  const port = await freePort()
  const run = join(directory, 'run')
  const spool = join(directory, 'spool')
  for (const each of [directory, run, spool]) {
    mkdirSync(each, { recursive: true })
    chmodSync(each, 0o755)
  }
  for (const [name, owner, mode] of [
    ['offline', 'root:opensmtpq', 0o770],
    ['purge', 'opensmtpq:root', 0o700],
    ['temporary', 'opensmtpq:root', 0o700],
    ['incoming', 'opensmtpq:root', 0o700],
    ['queue', 'opensmtpq:root', 0o700],
    ['corrupt', 'opensmtpq:root', 0o700],
  ] as const) {
    mkdirSync(join(spool, name), { recursive: true })
    await must('chown', [owner, join(spool, name)])
    chmodSync(join(spool, name), mode)
  }
  chmodSync(spool, 0o711)
  const configuration = join(directory, 'smtpd.conf')
  writeFileSync(
    configuration,
    [
      ...(certificate === undefined
        ? []
        : [`pki test cert "${certificate.chain}"`, `pki test key "${certificate.key}"`]),
      'smtp max-message-size 120M',
      `listen on 127.0.0.1 port ${port}${certificate === undefined ? '' : ' tls pki test'} hostname opensmtpd.test.example`,
      `action "out" relay host ${options.relay} helo opensmtpd.test.example`,
      'match from any for any action "out"',
      '',
    ].join('\n'),
  )
  chmodSync(configuration, 0o600)
  const script = [
    'mount --make-rprivate /',
    'mkdir -p /var/spool/smtpd /usr/libexec/opensmtpd /var/lib/opensmtpd/empty',
    `mount --bind ${spool} /var/spool/smtpd`,
    `mount --bind ${unpacked}/usr/libexec/opensmtpd /usr/libexec/opensmtpd`,
    `mount --bind ${run} /var/run`,
    `exec ${unpacked}/usr/sbin/smtpd -d -f ${configuration}`,
  ].join(' && ')
  const daemon = start('unshare', ['--mount', 'sh', '-c', script])
  try {
    await listening(port)
  } catch (error) {
    throw new Error(`OpenSMTPD did not start: ${daemon.output()}\n${String(error)}`)
  }
  return { port, log: () => daemon.output(), stop: () => daemon.stop() }
}
