/**
 * Postfix and Exim as senders in the lab: one message for every scenario from each, by DANE where there are TLSA records, and what became of it by the sender's own log.
 *
 * The recipient's local part is the name of the scenario. Next hops and levels that the lab's operator configured are configured here in each one's own words. Nothing is
 * tried twice: what a first attempt comes to is what is told. The scenarios are not judged here.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { submissionFor } from '../../../src/lab/play.ts'
import type { Scenario } from '../../../src/lab/scenarios.ts'
import type { ConfiguredHop } from '../../../src/lab/situation.ts'
import { must, run, until } from '../../support/process.ts'
import { eximBinary } from './exim.ts'
import type { LabInNamespace } from './lab-namespace.ts'
import { startPostfix } from './postfix.ts'

/** What a sender says became of a message. */
export interface Fate {
  readonly did: 'delivered' | 'deferred' | 'returned'
  /** The host, for what was delivered. */
  readonly at: string | null
  /**
   * `proved`: that the peer is the right one. `half-proved`: that it is the host which an answer without signatures named. `encrypted`: nothing of the
   * peer. Null unless it was delivered.
   */
  readonly proof: 'proved' | 'half-proved' | 'encrypted' | 'clear' | null
  /** The words of its log. */
  readonly says: string
}

export type SenderName = 'Postfix' | 'Exim'

export interface Sender {
  readonly name: SenderName
  /** The envelope's sender. */
  readonly address: string
  version(): Promise<string>
  /** By the names of the scenarios. */
  send(scenarios: readonly Scenario[]): Promise<ReadonlyMap<string, Fate>>
}

export function recipientFor({ name, act }: Scenario): string {
  return `${name}@${act.kind === 'mail' ? (act.to.split('@')[1] ?? '') : ''}`
}

export interface SenderOptions {
  readonly directory: string
  readonly lab: LabInNamespace
  readonly hops: readonly ConfiguredHop[]
}

export function postfixSender({ directory, lab, hops }: SenderOptions): Sender {
  const inline = (entries: readonly (readonly [string, string])[]) =>
    `inline:{ ${entries.map(([key, value]) => `{ ${key} = ${value} }`).join(', ')} }`
  const nextHop = ({ domain, to }: ConfiguredHop) => (to === 'mx' ? domain : `[${to.host}]:${to.port}`)
  const levels = {
    verify: `secure match=nexthop tafile=${lab.roots}`,
    'dane-only': 'dane-only',
    dane: 'dane',
    // Of no hop in the lab.
    none: 'none',
    opportunistic: 'may',
    encrypt: 'encrypt',
  } as const
  return {
    name: 'Postfix',
    address: postfixAddress,
    async version() {
      const { stdout } = await must('postconf', ['-d', '-h', 'mail_version'])
      return stdout.trim()
    },
    async send(scenarios) {
      const postfix = await startPostfix({
        directory,
        port: 2526,
        namespace: lab.namespace,
        main: {
          disable_dns_lookups: 'no',
          smtp_host_lookup: 'dns',
          smtp_dns_support_level: 'dnssec',
          smtp_tls_security_level: 'dane',
          smtp_tls_loglevel: '1',
          smtp_tls_policy_maps: inline(hops.map(hop => [nextHop(hop), levels[hop.level]])),
          transport_maps: inline(
            hops.flatMap(hop => (hop.to === 'mx' ? [] : [[hop.domain, `smtp:${nextHop(hop)}`] as const])),
          ),
          smtp_connect_timeout: '20s',
          smtp_helo_timeout: '30s',
          smtp_starttls_timeout: '15s',
          // Once.
          minimal_backoff_time: '1h',
          queue_run_delay: '1h',
          // One session after another, so that the lines of each stand together.
          smtp_connection_cache_on_demand: 'no',
        },
      })
      try {
        await inTurn(4, scenarios, scenario =>
          postfix.submit(postfixAddress, recipientFor(scenario), contentFor(scenario)),
        )
        let fates = new Map<string, Fate>()
        await until(
          () => {
            fates = readPostfixLog(postfix.log())
            return scenarios.every(({ name }) => fates.has(name))
          },
          'Postfix has tried all messages',
          80_000,
          250,
        ).catch((error: unknown) => {
          const missing = scenarios.filter(({ name }) => !fates.has(name)).map(({ name }) => name)
          throw new Error(`${String(error)}: not ${missing.join(', ')}\n${postfix.log().slice(-8_000)}`)
        })
        return fates
      } finally {
        await postfix.stop()
      }
    },
  }
}

/** A process delivers one message at a time: what it says of TLS is about the message that it tells of next. */
function readPostfixLog(log: string): Map<string, Fate> {
  const fates = new Map<string, Fate>()
  const words = new Map<string, string>()
  for (const line of log.split('\n')) {
    const [, pid = '', text = ''] = /\/(?:smtp|error)\[(\d+)\]: (.*)/.exec(line) ?? []
    const word = /^(\w+) TLS connection established to /.exec(text)?.[1]
    if (word !== undefined) words.set(pid, word)
    const to = /to=<([^@>]+)@[^>]*>, relay=([^[,]+)[^,]*, .*status=(\w+) \((.*)\)$/.exec(text)
    if (to === null) continue
    const [, name = '', relay = '', status = '', reason = ''] = to
    const word1 = words.get(pid)
    words.delete(pid)
    if (fates.has(name)) continue
    fates.set(
      name,
      status === 'sent'
        ? {
            did: 'delivered',
            at: relay,
            proof: word1 === undefined ? 'clear' : (postfixProofs[word1] ?? 'encrypted'),
            says: word1 === undefined ? 'no TLS' : word1,
          }
        : { did: status === 'deferred' ? 'deferred' : 'returned', at: null, proof: null, says: reason },
    )
  }
  return fates
}

const postfixProofs: Readonly<Record<string, Fate['proof']>> = { Verified: 'proved', Trusted: 'half-proved' }

export function eximSender({ directory, lab, hops }: SenderOptions): Sender {
  return {
    name: 'Exim',
    address: eximAddress,
    async version() {
      // It also says that it has no configuration file, and fails.
      const { stdout } = await run(eximBinary, ['-bV'])
      return /^Exim version (\S+)/.exec(stdout)?.[1] ?? ''
    },
    async send(scenarios) {
      for (const each of [directory, ...['spool', 'log'].map(name => join(directory, name))]) {
        mkdirSync(each, { recursive: true })
        chmodSync(each, 0o755)
      }
      const configuration = join(directory, 'exim.conf')
      writeFileSync(configuration, `${eximConfiguration(directory, hops, lab.roots).join('\n')}\n`)
      await must('chown', ['-R', 'Debian-exim:Debian-exim', join(directory, 'spool'), join(directory, 'log')])
      await must('chown', ['root:root', configuration])
      const log = () => {
        const path = join(directory, 'log', 'mainlog')
        return existsSync(path) ? readFileSync(path, 'latin1') : ''
      }
      const exim = (...args: string[]) => lab.inside(eximBinary, ['-C', configuration, ...args])
      await inTurn(4, scenarios, scenario =>
        must(...exim('-odq', '-oi', '-f', eximAddress, recipientFor(scenario)), { input: contentFor(scenario) }),
      )
      const ids = [...log().matchAll(/ (\S+) <= \S+ .*? for \S+$/gm)].map(([, id = '']) => id)
      // By force: what it remembers of a host from another message keeps none from being tried.
      await inTurn(6, ids, id => run(...exim('-M', id), { timeoutMs: 80_000 }))
      const fates = readEximLog(log())
      const missing = scenarios.filter(({ name }) => !fates.has(name)).map(({ name }) => name)
      if (missing.length > 0)
        throw new Error(`Exim has not tried all messages: not ${missing.join(', ')}\n${log().slice(-8_000)}`)
      return fates
    },
  }
}

function eximConfiguration(directory: string, hops: readonly ConfiguredHop[], roots: string): readonly string[] {
  const router = (name: string, domains: string, lines: readonly string[]) => [
    `${name}:`,
    `  domains = ${domains}`,
    '  dnssec_request_domains = *',
    '  self = send',
    ...lines.map(line => `  ${line}`),
  ]
  const transport = (name: string, lines: readonly string[]) => [
    `${name}:`,
    '  driver = smtp',
    '  dnssec_request_domains = *',
    '  connection_max_messages = 1',
    '  connect_timeout = 20s',
    '  command_timeout = 15s',
    '  hosts_try_prdr =',
    '  hosts_try_chunking =',
    ...lines.map(line => `  ${line}`),
  ]
  return [
    'exim_user = Debian-exim',
    'exim_group = Debian-exim',
    `exim_path = ${eximBinary}`,
    `spool_directory = ${directory}/spool`,
    `log_file_path = ${directory}/log/%slog`,
    'primary_hostname = exim.test.example',
    'local_interfaces = 127.0.0.1',
    'disable_ipv6',
    'dns_dnssec_ok = 1',
    'log_selector = +tls_cipher +tls_certificate_verified +received_recipients',
    'trusted_users = root',
    'keep_environment =',
    'host_lookup =',
    'begin routers',
    ...hops.flatMap(({ domain, to, level }, i) =>
      router(
        `hop${i}`,
        domain,
        to === 'mx'
          ? ['driver = dnslookup', `transport = ${eximTransports[level]}`]
          : [
              'driver = manualroute',
              `transport = ${eximTransports[level]}`,
              `route_list = * ${to.host}::${to.port} bydns`,
            ],
      ),
    ),
    ...router('mx', '*', ['driver = dnslookup', 'transport = dane']),
    'begin transports',
    ...transport('dane', ['hosts_try_dane = *']),
    ...transport('dane_only', ['hosts_require_dane = *']),
    ...transport('verify', [
      'hosts_try_dane =',
      'hosts_require_tls = *',
      'tls_verify_hosts = *',
      'tls_verify_cert_hostnames = *',
      `tls_verify_certificates = ${roots}`,
    ]),
    'begin retry',
    '* * F,1d,1h',
  ]
}

const eximTransports = {
  verify: 'verify',
  'dane-only': 'dane_only',
  dane: 'dane',
  // Of no hop in the lab.
  none: 'dane',
  opportunistic: 'dane',
  encrypt: 'dane',
} as const

function readEximLog(log: string): Map<string, Fate> {
  const fates = new Map<string, Fate>()
  for (const line of log.split('\n')) {
    const [, mark = '', name = '', rest = ''] = / (=>|==|\*\*) ([^@ ]+)@\S+(.*)$/.exec(line) ?? []
    if (name === '' || fates.has(name)) continue
    if (mark === '=>') {
      const words = / CV=(\S+)/.exec(rest)?.[1]
      const isClear = !rest.includes(' X=')
      fates.set(name, {
        did: 'delivered',
        at: / H=(\S+)/.exec(rest)?.[1] ?? null,
        proof: isClear ? 'clear' : words === 'no' || words === undefined ? 'encrypted' : 'proved',
        says: isClear ? 'no TLS' : `CV=${words}`,
      })
    } else {
      const says = rest.replace(/^ R=\S+/, '').replace(/^ T=\S+/, '')
      fates.set(name, { did: mark === '==' ? 'deferred' : 'returned', at: null, proof: null, says: says.trim() })
    }
  }
  return fates
}

/** So many at a time: it is not our machine alone. */
async function inTurn<T>(width: number, all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  const waiting = [...all]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await act(next)
  }
  await Promise.all(Array.from({ length: width }, work))
}

function contentFor(scenario: Scenario): string {
  return submissionFor(scenario).content.toString('utf8').replaceAll('\r\n', '\n')
}

const postfixAddress = 'postfix@sender.example'
const eximAddress = 'exim@sender.example'
