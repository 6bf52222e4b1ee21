/**
 * `hermetic tlsa check DOMAIN`: visits every MX host and address as the relay would, with every chain that each shows, and holds the TLSA records against
 * them; with `--next`, also against the certificate that is to come; `hermetic.tlsa-check/1`.
 *
 * It asks the DNS, validates the answers in process whatever `dns.trust` says, and speaks SMTP as far as the certificates: greeting, EHLO, STARTTLS, EHLO, QUIT. No mail
 * command is ever sent. Hosts that a stranger's DNS names are not visited at private or loopback addresses, unless `dns.allow_addresses` has them.
 *
 * Exit 0: every host, address and chain proves itself. 1: nothing does, or mail has no way. 2: partly. 69: no name server answers or can be validated, or
 * no address of any host can be reached. With `--next`, of what comes: 0: nothing breaks. 2: records must be published before. 1: no record helps, or nobody can tell.
 */
import { randomInt } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { createNameServerTrust } from '../../hop/name-server-trust.ts'
import type { Destination, Itinerary } from '../../hop/types.ts'
import { createVisitor, type VisitPatience } from '../../hop/visit.ts'
import type { Failure } from '../../judgement/failure.ts'
import { exitCodeOfCheck, isNobodyReached, tlsaCheck, type VisitedAddress } from '../../judgement/tlsa-check.ts'
import { tlsaCheckText } from '../../judgement/tlsa-check-text.ts'
import { nextCertificate } from '../../judgement/tlsa-next.ts'
import { tlsaSubjects } from '../../judgement/tlsa-subjects.ts'
import { visible } from '../../judgement/visible.ts'
import { readValidationMemory } from '../../knowledge/knowledge-reader.ts'
import { isHostName, parseName } from '../../protocol/dns/name.ts'
import { typeNumbers } from '../../protocol/dns/numbers.ts'
import { readRrsig } from '../../protocol/dnssec/records.ts'
import { canonicalIp } from '../../protocol/ip.ts'
import type { Read } from '../../protocol/x509/model.ts'
import { statePaths } from '../../relay/state-paths.ts'
import { type Dialer, direct } from '../../system/dialer.ts'
import { createDnsWire, type DnsWire } from '../../system/dns-wire.ts'
import { createTrustedResolver } from '../../system/trusted-resolver.ts'
import { readCertificates } from '../certificate-file.ts'
import { configured } from '../configured.ts'
import type { Context } from '../context.ts'
import { anchorOption, serverOption } from '../dns-options.ts'
import { CliFailure } from '../failure.ts'
import { timeOption } from '../time-option.ts'

/** As commander hands them over. */
export interface TlsaCheckOptions {
  readonly next?: string
  readonly port: number
  readonly asHost?: true
  readonly server?: readonly string[]
  readonly anchor?: string
  readonly at?: string
}

/** What the lab and tests change: where connections really go, and how long they may take. */
export interface TlsaCheckSurroundings {
  readonly dialer?: Dialer
  readonly allowAddresses?: readonly string[]
  readonly patience?: Partial<VisitPatience>
}

export async function check(
  domainText: string,
  options: TlsaCheckOptions,
  context: Context,
  surroundings: TlsaCheckSurroundings = {},
): Promise<number> {
  // What was typed is looked at before any file.
  const destination = destinationOf(domainText, options)
  const given = (options.server ?? []).map(serverOption)
  const atMs = options.at === undefined ? null : timeOption(options.at, '--at')
  const next = options.next === undefined ? null : nextIn(options.next, atMs ?? Date.now())
  const { settings } = configured(context.config)
  const { dns } = settings
  const anchors = options.anchor === undefined ? dns.anchors : anchorOption(options.anchor).text
  const now = () => atMs ?? Date.now()
  const servers = given.length > 0 ? given : dns.servers
  const { timeoutMs } = dns
  // The certificates of name servers are of today, whatever the time to judge others by.
  const tls = createNameServerTrust(dns.tlsRoots, Date.now)

  const resolver = createTrustedResolver({
    servers,
    tls,
    timeoutMs,
    hostsFile: null,
    trust: 'validate',
    adFromAnywhere: false,
    require: false,
    insecure: dns.insecure,
    anchors,
    memory: readValidationMemory(statePaths(settings.state).knowledge),
    clock: now,
  })
  const visitor = createVisitor({
    resolver,
    dialer: surroundings.dialer ?? direct,
    hostname: settings.hostname,
    allowAddresses: surroundings.allowAddresses ?? dns.allowAddresses,
    now,
    random: below => randomInt(below),
    ...(surroundings.patience === undefined ? {} : { patience: surroundings.patience }),
  })
  try {
    const standing = await resolver.probe()
    if (standing.validation !== 'works')
      throw new CliFailure(
        'cli.dns-unreachable',
        standing.validation === 'unknown'
          ? 'no name server gives an answer that can be validated'
          : standing.validation === 'mistimed'
            ? 'the signatures of the root do not hold at this time, so nobody can tell what is published'
            : 'the name servers pass no signatures on, so nobody can tell what is published',
        standing.validation === 'mistimed'
          ? 'Set the clock of this machine, or give a time at which they hold: --at 2026-01-15T12:00:00Z'
          : 'Other resolvers are named with --server 192.0.2.53, the trust anchors of another root with --anchor FILE.',
        {
          fields: { dns: standing },
          lines: standing.says.map(line => visible(line, maxSentenceChars)),
        },
      )
    const itinerary = await visitor.itinerary(destination)
    if (itinerary.candidates.length === 0 && itinerary.failure?.reason === 'dns.timeout')
      throw new CliFailure(
        'cli.dns-unreachable',
        `no answer came for ${visible(domainText, 80)}: ${visible(itinerary.failure.detail ?? 'timeout', 200)}`,
        'Try again later, or ask another resolver: --server 192.0.2.53',
      )
    const skipped = itinerary.skipped.map(each => ({ ...each, failure: failureAsNamed(each.failure) }))
    const progress = progressOn(itinerary.candidates.length)
    const visits = await visitor.visitAll(itinerary, progress.tell).finally(progress.end)
    const addresses = itinerary.candidates.map(
      (candidate, index): VisitedAddress => ({ ...candidate, visits: visits[index] ?? [] }),
    )
    const ttls =
      next === null ? new Map<string, number>() : await signedTtls(itinerary, { servers, tls, timeoutMs })
    const document = tlsaCheck(
      {
        domain: destination.kind === 'mx' ? destination.domain : (destination.hosts[0]?.name ?? ''),
        as: destination.kind === 'mx' ? 'domain' : 'host',
        port: options.port,
        atMs: now(),
        addresses,
        skipped,
        failure: itinerary.failure === null ? null : failureAsNamed(itinerary.failure),
        dns: itinerary.dns,
      },
      next === null
        ? null
        : nextCertificate({
            addresses,
            leftOut: skipped.map(({ host }) => host),
            next,
            atMs: now(),
            ttlOf: owner => ttls.get(owner) ?? receivedTtl(itinerary, owner),
          }),
    )
    if (isNobodyReached(document))
      throw new CliFailure(
        'cli.peer-unreachable',
        document.as === 'host'
          ? `${visible(document.domain, 80)} cannot be reached at port ${document.port}`
          : `no host of ${visible(document.domain, 80)} can be reached at port ${document.port}`,
        document.port === smtpPort
          ? 'Many networks let nobody out to port 25: try from a machine that sends mail.'
          : `Look whether the service listens at port ${document.port}, and whether a firewall is in between.`,
        { fields: { check: document }, lines: [tlsaCheckText(document)] },
      )
    context.answer({ ...document }, tlsaCheckText(document, context.paint))
    return exitCodeOfCheck(document)
  } finally {
    await visitor.close()
    await resolver.close()
  }
}

/** There is no route here: the name is from the command line. */
function failureAsNamed(failure: Failure): Failure {
  return failure.reason === 'policy.route-host-not-found'
    ? { ...failure, reason: 'dns.host-without-address' }
    : failure
}

/** @throws CliFailure 64 */
function destinationOf(text: string, { port, asHost }: TlsaCheckOptions): Destination {
  const ascii = /^[\x21-\x7e]+$/.test(text) ? text.toLowerCase() : domainToASCII(text)
  const bare = ascii.replace(/\.$/, '')
  const name = parseName(bare)
  if (text.includes('@'))
    throw new CliFailure(
      'cli.usage',
      `'${visible(text, 80)}' is an address, and a domain is wanted`,
      `For example: hermetic tlsa check ${visible(text.slice(text.lastIndexOf('@') + 1), 80)}`,
    )
  if (canonicalIp(text.replace(/^\[(?:IPv6:)?(.*)\]$/i, '$1')) !== null)
    throw new CliFailure(
      'cli.usage',
      `${visible(text, 80)} is an address, and TLSA records belong to names`,
      example,
    )
  if (bare === '' || name === null || name.length === 0 || !isHostName(name))
    throw new CliFailure('cli.usage', `'${visible(text, 80)}' is not a name of a domain`, example)
  if (asHost === true)
    return {
      kind: 'hosts',
      hosts: [{ name: bare, port }],
      level: 'dane',
      implicitTls: port === submissionsPort,
      ipv4Only: false,
      roots: null,
    }
  if (port === smtpPort) return { kind: 'mx', domain: bare, level: 'dane' }
  throw new CliFailure(
    'cli.usage',
    `--port ${port}: mail to a domain goes to port 25 of its MX hosts`,
    `If ${bare} is the host itself: hermetic tlsa check ${bare} --as-host --port ${port}`,
  )
}

/** The chain as the server will send it: its own certificate first, wherever it stands in the file. @throws CliFailure 65 */
function nextIn(file: string, atMs: number): readonly Read[] {
  const next = readCertificates(file, '--next')
  const [first] = next
  if (first?.kind !== 'certificate')
    throw new CliFailure(
      'cli.bad-input',
      `--next: the first block of the file cannot be read as a certificate: ${visible(first?.detail ?? '', 200)}`,
      ownFirst,
    )
  // Whatever a lone certificate calls itself, it is what the server will show.
  if (next.length === 1) return next
  const subjects = tlsaSubjects({ chain: next, atMs, host: null })
  if (subjects === 'several' || subjects.own === null)
    throw new CliFailure(
      'cli.bad-input',
      subjects === 'several'
        ? "--next: the file begins with an authority's certificate and holds those of several servers"
        : '--next: the file holds certificates of authorities alone, and none of a server',
      ownFirst,
    )
  const { position } = subjects.own
  return [...next.slice(position, position + 1), ...next.slice(0, position), ...next.slice(position + 1)]
}

/**
 * What zones say of their TLSA records' lives: a resolver hands out what is left, and the signature holds the whole (RFC 4034 §3.1.4). Aliases on the
 * way live as well, and the longest counts.
 */
async function signedTtls(
  { candidates }: Itinerary,
  options: Parameters<typeof createDnsWire>[0],
): Promise<ReadonlyMap<string, number>> {
  const owners = new Set(
    candidates.flatMap(({ plan }) => (plan.dane?.kind === 'records' ? [plan.dane.owner] : [])),
  )
  const wire = createDnsWire(options)
  try {
    const found = await Promise.all([...owners].map(async owner => [owner, await signedTtl(wire, owner)] as const))
    return new Map(found.flatMap(([owner, ttl]) => (ttl === null ? [] : [[owner, ttl] as const])))
  } finally {
    await wire.close()
  }
}

async function signedTtl(wire: DnsWire, owner: string): Promise<number | null> {
  const name = parseName(owner)
  if (name === null) return null
  const reply = await wire.ask({ name, type: typeNumbers.TLSA }, { checking: 'disabled', avoid: [] })
  if (reply.kind !== 'message') return null
  const ttls = reply.message.answers.flatMap(record => {
    if (record.type !== typeNumbers.RRSIG) return [record.ttlSeconds]
    const signature = readRrsig(record)
    return signature === 'malformed' ? [] : [signature.originalTtlSeconds]
  })
  return ttls.length === 0 ? null : Math.min(Math.max(...ttls), longestTtlSeconds)
}

function receivedTtl({ dns }: Itinerary, owner: string): number | null {
  return dns.find(({ name, type }) => name === owner && type === 'TLSA')?.ttlSeconds ?? null
}

/** How many addresses are done, in one line that is gone afterwards; for people at a terminal. */
function progressOn(all: number): { tell(done: number): void; end(): void } {
  if (process.stderr.isTTY !== true || all === 0) return { tell() {}, end() {} }
  const write = (text: string) => void process.stderr.write(`\r\u001b[K${text}`)
  write(`Visiting ${all === 1 ? 'one address' : `${all} addresses`} …`)
  return {
    tell: done => write(`Visited ${done} of ${all} addresses …`),
    end: () => write(''),
  }
}

const example = 'For example: hermetic tlsa check example.org'
const ownFirst = "The server's own certificate must come first; 'hermetic cert show' tells more."
const maxSentenceChars = 1_200
const smtpPort = 25
/** RFC 8314 §3.3: TLS from the first byte. */
const submissionsPort = 465
/** A week: what anybody caches at most. */
const longestTtlSeconds = 604_800
