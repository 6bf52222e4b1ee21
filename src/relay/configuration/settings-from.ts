/**
 * Settings from a configuration that has the right shape: defaults that depend on the machine, lists and pattern files resolved,
 * relative paths made absolute (they are relative to the configuration file), and what one option asks of another.
 *
 * It reads the files that are named, but it opens no store, binds no port and asks no DNS: that is the relay's start.
 */
import { X509Certificate } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { parseNetwork as parseCidr } from '../../judgement/addresses.ts'
import { visible } from '../../judgement/visible.ts'
import { defaultClientTimeouts } from '../../protocol/smtp/client.ts'
import type { Match, RouteRule, Settings } from '../settings.ts'
import { problemAt } from './check.ts'
import type { Source } from './document.ts'
import type { Problem } from './problem.ts'
import type { Configuration } from './schema.ts'
import { type Surroundings, stateDirectory } from './surroundings.ts'
import { checkTrust } from './trust.ts'
import {
  type Parsed,
  parseHostName,
  parseMailPattern,
  parseNamePattern,
  parseNetwork,
  writeDuration,
} from './values.ts'

/** Settings, and remarks on what is allowed but seldom meant. */
export interface Complete {
  readonly settings: Settings
  readonly remarks: readonly string[]
  /** What this machine has beside the file and does not fit it: no relay should start with it, but who only hands in mail or looks at the queue need not care. */
  readonly atStart: readonly Problem[]
}

type Path = readonly PropertyKey[]
type Route = Configuration['routes'][number]
type Written = NonNullable<Route['when']['recipient']>
type ReadPattern = (text: string) => Parsed<string>

export function settingsFrom(
  configuration: Configuration,
  from: { readonly file: string | null; readonly source: Source; readonly surroundings: Surroundings },
): Complete | { readonly problems: readonly Problem[] } {
  const { file, source, surroundings } = from
  const problems: Problem[] = []
  const atStart: Problem[] = []
  const remarks: string[] = []
  const blame = (path: Path, expected: string, more: { words?: readonly string[]; found?: string } = {}) => {
    problems.push(problemAt(file, source, { path, expected, ...more }))
  }
  const absolute = (path: string) =>
    resolve(file === null ? surroundings.directory : dirname(resolve(surroundings.directory, file)), path)

  function read(path: string, at: Path, what: string): string | null {
    try {
      return surroundings.read(absolute(path))
    } catch (error) {
      blame(at, what, { found: `${visible(absolute(path), 200)}: ${whyUnreadable(error)}` })
      return null
    }
  }

  /** The patterns of a file, one a line, `#` comments. Problems name the place in that file. */
  function patternFile(path: string, at: Path, readPattern: ReadPattern): string[] {
    const text = read(path, at, 'a readable file of patterns')
    return (text ?? '').split(/\r?\n/).flatMap((line, number) => {
      const pattern = line.replace(/(^|\s)#.*$/, '').trim()
      if (pattern === '') return []
      const parsed = readPattern(pattern)
      if ('value' in parsed) return [parsed.value]
      problems.push({
        file: absolute(path),
        line: number + 1,
        column: line.indexOf(pattern) + 1,
        option: '',
        expected: parsed.expected,
        found: `"${visible(pattern, 60)}"`,
        suggestion: null,
        example: 'example.org',
      })
      return []
    })
  }

  function inline(pattern: string, at: Path, readPattern: ReadPattern): string[] {
    const parsed = readPattern(pattern)
    if ('value' in parsed) return [parsed.value]
    blame(at, parsed.expected)
    return []
  }

  function list(name: string, at: Path, readPattern: ReadPattern): string[] {
    const found = configuration.lists[name]
    if (found === undefined) {
      const names = Object.keys(configuration.lists)
      blame(
        at,
        names.length === 0 ? 'a list that is defined under lists' : `one of the lists ${names.join(', ')}`,
        {
          words: names.map(known => `@${known}`),
        },
      )
      return []
    }
    if (!Array.isArray(found)) return patternFile(found.file, ['lists', name, 'file'], readPattern)
    return found.flatMap((pattern, i) => inline(pattern, ['lists', name, i], readPattern))
  }

  function patterns(written: Written | undefined, at: Path, readPattern: ReadPattern): string[] | null {
    if (written === undefined) return null
    const several = Array.isArray(written)
    return (several ? written : [written]).flatMap((one, i) => {
      const here = several ? [...at, i] : at
      if (typeof one !== 'string') return patternFile(one.file, [...here, 'file'], readPattern)
      return one.startsWith('@') ? list(one.slice(1), here, readPattern) : inline(one, here, readPattern)
    })
  }

  function match(when: Route['when'], at: Path): Match {
    return {
      recipient: patterns(when.recipient, [...at, 'recipient'], text => parseMailPattern(text, 'recipient')),
      sender: patterns(when.sender, [...at, 'sender'], text => parseMailPattern(text, 'sender')),
      source: patterns(when.source, [...at, 'source'], parseNetwork),
      mx: patterns(when.mx, [...at, 'mx'], parseNamePattern),
    }
  }

  function route(written: Route, index: number): RouteRule {
    const at = ['routes', index]
    const { to } = written
    if (to !== 'mx' && 'reject' in to && written.tls !== undefined)
      blame([...at, 'tls'], 'no tls option on a route that rejects')
    return {
      name: written.name ?? `route ${index + 1}`,
      match: match(written.when, [...at, 'when']),
      to: target(to, [...at, 'to']),
      level: written.tls ?? (to === 'mx' ? 'dane' : 'opportunistic'),
    }
  }

  function target(to: Route['to'], at: Path): RouteRule['to'] {
    if (to === 'mx') return { kind: 'mx' }
    if ('reject' in to) {
      const enhanced = `${Math.trunc(to.code / 100)}.7.1`
      return { kind: 'reject', code: to.code, enhanced, text: to.reject }
    }
    const hosts = Array.isArray(to.host) ? to.host : [to.host]
    const port = to.port ?? (to.implicit_tls ? 465 : 25)
    return {
      kind: 'host',
      hosts: hosts.map(host => ({ name: host.name, port: host.port ?? port })),
      implicitTls: to.implicit_tls,
      ipv4Only: to.ipv4_only,
      roots: to.roots === undefined ? null : roots(to.roots, [...at, 'roots']),
    }
  }

  function roots(path: string, at: Path): string | null {
    const text = read(path, at, 'a readable PEM file of certificates')
    if (text === null) return null
    // Node takes any text: of one without a certificate it trusts nobody, and what stands behind a broken one it leaves out, both without a word.
    const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
    if (begun > 0 && blocks.length === begun && blocks.every(isCertificate)) return text
    const found = begun === 0 ? 'no certificate in it' : 'a certificate in it cannot be read'
    blame(at, 'a PEM file of certificates', { found: `${visible(absolute(path), 200)}: ${found}` })
    return text
  }

  const { limits, timeouts, retry } = configuration

  for (const [i, network] of configuration.relay.from.entries())
    if (isTooWide(network))
      blame(
        ['relay', 'from', i],
        'networks of your own, IPv4 from /8 and IPv6 from /16 on: this would make an open relay; name only the clients that are yours',
      )
  const used = new Set<string>()
  for (const [i, written] of configuration.routes.entries()) {
    if (written.name !== undefined && used.has(written.name))
      blame(['routes', i, 'name'], 'a name that no route above has')
    used.add(written.name ?? '')
  }
  for (const [i, { port, address }] of configuration.listen.entries())
    if (
      port !== 0 &&
      configuration.listen.findIndex(other => other.port === port && other.address === address) < i
    )
      blame(['listen', i], 'an address and port that no listener above has')
  if (limits.active_memory < 1024 * 1024) blame(['limits', 'active_memory'], 'a size of at least 1MB')
  if (limits.message < 64 * 1024) blame(['limits', 'message'], 'a size of at least 64KB (RFC 5321 §4.5.3.1.7)')
  if (limits.command_line < 512) blame(['limits', 'command_line'], 'a size of at least 512B (RFC 5321 §4.5.3.1.4)')
  if (limits.command_line > 64 * 1024) blame(['limits', 'command_line'], 'a size of at most 64KB')
  if (limits.greeting_delay > 60_000)
    blame(['limits', 'greeting_delay'], 'a duration of at most 1m: clients give up')
  if (limits.text_line < 1000) blame(['limits', 'text_line'], 'a size of at least 1000B (RFC 5321 §4.5.3.1.6)')
  if (limits.text_line > 1024 * 1024) blame(['limits', 'text_line'], 'a size of at most 1MB')

  const routes = configuration.routes.map(route)
  const last = routes.findIndex(({ match: m }) => Object.values(m).every(condition => condition === null))
  if (last >= 0)
    for (const unreachable of routes.slice(last + 1))
      remarks.push(
        `route "${unreachable.name}" is never reached: "${routes[last]?.name}" before it takes everything`,
      )
  for (const { name, to, level } of routes)
    if (to.kind === 'mx' && level === 'verify')
      remarks.push(
        `route "${name}": verify on mx proves the names of the MX records, also where nothing proves those; dane-only takes only names that DNSSEC proves`,
      )
  const { anchors } = checkTrust(configuration, routes, {
    blame,
    blameAtStart: (path, expected, more) => atStart.push(problemAt(file, source, { path, expected, ...more })),
    problem: problem => problems.push(problem),
    remark: text => remarks.push(text),
    read,
    absolute,
    resolvConf() {
      try {
        return surroundings.read('/etc/resolv.conf')
      } catch {
        return ''
      }
    },
  })

  const hostname = configuration.hostname ?? machineName(surroundings)
  if (!hostname.includes('.'))
    remarks.push(`hostname "${hostname}" is not fully qualified: other servers may refuse it; set hostname`)

  const outgoing = {
    connectMs: timeouts.connect,
    handshakeMs: timeouts.handshake,
    greetingMs: timeouts.greeting,
    mailMs: timeouts.mail,
    rcptMs: timeouts.rcpt,
    dataMs: timeouts.data,
    contentMs: timeouts.content,
    finalDotMs: timeouts.final_dot,
    commandMs: timeouts.command,
    quitMs: timeouts.quit,
  }
  if (outgoing.finalDotMs < defaultClientTimeouts.finalDotMs)
    remarks.push(
      `timeouts.final_dot is ${writeDuration(outgoing.finalDotMs)}: giving up before 10m makes duplicates (RFC 5321 §4.5.3.2.6)`,
    )

  if (problems.length > 0) return { problems }
  const settings: Settings = {
    hostname,
    state: configuration.state ?? stateDirectory(surroundings, file),
    listen: configuration.listen.map(listener => ({ ...listener, tryNext: 0 })),
    tls: {
      certificates: configuration.tls.certificates.map(({ chain, key }) => ({
        chain: absolute(chain),
        key: absolute(key),
      })),
    },
    relayFrom: configuration.relay.from,
    relayTo: configuration.relay.to,
    postmaster: configuration.postmaster ?? null,
    routes,
    dns: {
      servers: configuration.dns.servers,
      tlsRoots:
        configuration.dns.tls_roots === undefined
          ? null
          : roots(configuration.dns.tls_roots, ['dns', 'tls_roots']),
      hostsFile: configuration.dns.hosts_file === false ? null : absolute(configuration.dns.hosts_file),
      timeoutMs: configuration.dns.timeout,
      trust: configuration.dns.trust,
      adFromAnywhere: configuration.dns.ad_from_anywhere,
      require: configuration.dns.require,
      insecure: configuration.dns.insecure,
      anchors,
      allowAddresses: configuration.dns.allow_addresses,
    },
    limits: {
      server: {
        commandLineBytes: limits.command_line,
        textLineBytes: limits.text_line,
        recipients: limits.recipients,
        errors: limits.errors,
        messageBytes: limits.message,
        receivedFields: limits.received_fields,
      },
      connections: limits.connections,
      connectionsPerAddress: limits.connections_per_address,
      idleMs: limits.idle,
      contentBytesPerSecond: limits.content_per_second,
      sessionMs: limits.session,
      greetingDelayMs: limits.greeting_delay,
      handshakeMs: limits.handshake,
      deliveries: limits.deliveries,
      deliveriesPerNextHop: limits.deliveries_per_next_hop,
      activeMessages: limits.active_messages,
      activeBytes: limits.active_memory,
      minFreeBytes: limits.min_free,
    },
    timeouts: outgoing,
    retry: { scheduleMs: retry.schedule, expireMs: retry.expire, expireBounceMs: retry.expire_bounces },
    log: {
      format: configuration.log.format,
      file: configuration.log.file === undefined ? null : absolute(configuration.log.file),
    },
  }
  return { settings, remarks, atStart }
}

/** Why a file cannot be read, in plain words. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'this user may not read it',
    EISDIR: 'this is a directory',
    ENOTDIR: 'a part of the path is not a directory',
  }
  return words[code] ?? visible(error instanceof Error ? error.message : String(error), 200)
}

/** Wider than anybody's own network. Unique local and link-local addresses (RFC 4193, RFC 4291 §2.5.6) are nobody's on the Internet. */
function isTooWide(network: string): boolean {
  const parsed = parseCidr(network)
  if (parsed === null) return false
  const [first = 0, second = 0] = parsed.bytes
  if (parsed.bytes.length === 4) return parsed.prefixBits < 8
  const isLocal = (first & 0xfe) === 0xfc || (first === 0xfe && (second & 0xc0) === 0x80)
  return parsed.prefixBits < (isLocal ? 7 : 16)
}

function machineName(surroundings: Surroundings): string {
  const name = parseHostName(surroundings.hostname)
  return 'value' in name ? name.value : 'localhost'
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem) !== null
  } catch {
    return false
  }
}
