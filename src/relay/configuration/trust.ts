/**
 * What the options about DNSSEC ask of each other, and of routes: who is believed that a DNS answer is secure, from which trust anchors on, and which levels
 * can mean something then.
 *
 * Success is the text of the anchors and no problem. It asks no server: whether one is good for it is found out by a probe.
 */
import { networkContains, parseAddress, parseNetwork } from '../../judgement/addresses.ts'
import { visible } from '../../judgement/visible.ts'
import { isAtOrBelow, type Name, nameKey, parseName } from '../../protocol/dns/name.ts'
import { readAnchors } from '../../protocol/dnssec/anchors.ts'
import { negativeAnchors } from '../../protocol/dnssec/private-names.ts'
import type { TrustAnchor } from '../../protocol/dnssec/types.ts'
import { parseNameServer } from '../../system/name-server.ts'
import { parseResolvConf } from '../../system/resolv-conf.ts'
import type { RouteRule } from '../settings.ts'
import type { Problem } from './problem.ts'
import type { Configuration } from './schema.ts'

/** How settings-from.ts tells problems and reads files. */
export interface TrustTools {
  /** A problem at an option. */
  blame(path: readonly PropertyKey[], expected: string, more?: { readonly found?: string }): void
  /** The same for what only concerns who asks the DNS: the relay itself, and who checks for it. */
  blameAtStart(path: readonly PropertyKey[], expected: string, more: { readonly found: string }): void
  /** A problem in another file. */
  problem(problem: Problem): void
  remark(text: string): void
  /** The text of a file that an option names; null when it cannot be read, which was told then. */
  read(path: string, at: readonly PropertyKey[], what: string): string | null
  absolute(path: string): string
  /** The text of the system's resolv.conf; empty when there is none. */
  resolvConf(): string
}

/** @returns the text of the anchors; null: those of the public root */
export function checkTrust(
  configuration: Configuration,
  routes: readonly RouteRule[],
  tools: TrustTools,
): { readonly anchors: string | null } {
  const { dns } = configuration
  const anchors = dns.anchors === undefined ? null : anchorsText(dns.anchors, tools)
  if (dns.trust === 'ad' && !dns.ad_from_anywhere) checkServers(dns.servers, tools)
  if (dns.trust === 'none' && dns.require)
    tools.blame(
      ['dns', 'require'],
      'false, because dns.trust is none: nothing would ever be validated, and all mail to MX hosts would wait',
    )
  checkLevels(configuration, routes, neverSecure(configuration, anchors), tools)
  remarkOnTls(configuration, tools)

  const unused = [
    ...(dns.trust !== 'ad' && dns.ad_from_anywhere ? ['dns.ad_from_anywhere'] : []),
    ...(dns.trust !== 'validate' && dns.insecure.length > 0 ? ['dns.insecure'] : []),
    ...(dns.trust !== 'validate' && anchors !== null ? ['dns.anchors'] : []),
  ]
  for (const option of unused) tools.remark(`${option} means nothing, because dns.trust is ${dns.trust}`)
  if (dns.trust === 'ad' && dns.ad_from_anywhere)
    tools.remark(
      'dns.ad_from_anywhere: whoever is on the way to the DNS servers can make any answer look secure; dns.trust: validate needs no such faith',
    )
  return { anchors }
}

/** The AD bit has no signature: it is worth as much as the way that it came (RFC 4035 §4.9.3, RFC 7672 §2.1.3). */
function checkServers(servers: readonly string[], tools: TrustTools): void {
  for (const [i, server] of servers.entries())
    if (!isOutOfReach(server)) tools.blame(['dns', 'servers', i], onlyThisMachine)
  if (servers.length > 0) return
  const elsewhere = parseResolvConf(tools.resolvConf()).servers.filter(server => !isOutOfReach(server))
  if (elsewhere.length > 0)
    tools.blameAtStart(['dns', 'trust'], `validate, or in /etc/resolv.conf only ${onlyThisMachine}`, {
      found: `"ad" with ${elsewhere.join(', ')} in /etc/resolv.conf`,
    })
}

/** At and below these no answer is ever secure. Empty where that is not for this relay to say. */
function neverSecure({ dns }: Configuration, anchors: string | null): readonly Name[] {
  // Anchors that cannot be read were told of; what they would lift is not known.
  if (dns.trust !== 'validate' || (dns.anchors !== undefined && anchors === null)) return []
  const read = anchors === null ? null : readAnchors(anchors)
  const known: readonly TrustAnchor[] = read?.kind === 'anchors' ? read.anchors : []
  return negativeAnchors(
    dns.insecure.map(parseName).filter(name => name !== null),
    known,
  )
}

/** @param insecure see `neverSecure` */
function checkLevels(
  configuration: Configuration,
  routes: readonly RouteRule[],
  insecure: readonly Name[],
  tools: TrustTools,
): void {
  const { trust } = configuration.dns
  const isInsecure = (text: string) => {
    const name = parseName(text)
    return name !== null && insecure.some(zone => isAtOrBelow(name, zone))
  }
  const opportunistic: string[] = []
  for (const [i, { name, to, level, match }] of routes.entries()) {
    if (to.kind === 'reject' || (level !== 'dane' && level !== 'dane-only')) continue
    if (trust === 'none' && level === 'dane-only')
      tools.blame(
        ['routes', i, 'tls'],
        'another level, because dns.trust is none: no TLSA record would ever count, and all mail of this route would wait',
      )
    if (trust === 'none' && level === 'dane') opportunistic.push(`route "${name}"`)
    if (to.kind === 'mx' && level === 'dane-only') checkDomains(i, name, match.recipient ?? [], isInsecure, tools)
    if (to.kind !== 'host' || trust === 'none') continue
    const addresses = to.hosts.filter(host => parseAddress(host.name) !== null).map(host => host.name)
    if (addresses.length > 0 && level === 'dane-only')
      tools.blame(
        ['routes', i, 'tls'],
        `another level, or the name of ${addresses.join(', ')}: an address has no name that could own TLSA records`,
      )
    if (addresses.length > 0 && level === 'dane')
      tools.remark(
        `route "${name}": ${addresses.join(', ')} has no name that could own TLSA records, so dane asks no more than opportunistic there`,
      )
    const unprovable = to.hosts
      .map(host => host.name)
      .filter(host => !addresses.includes(host) && isInsecure(host))
    const others = to.hosts.length - unprovable.length
    if (level === 'dane-only' && unprovable.length > 0 && others === 0)
      tools.blame(
        ['routes', i, 'tls'],
        `another level, because no answer about ${shortList(unprovable)} can be secure (${whyNever}), and all mail of this route would wait`,
      )
    else
      for (const host of unprovable)
        tools.remark(
          level === 'dane-only'
            ? `route "${name}": no answer about ${host} can be secure (${whyNever}): under dane-only no mail goes to it`
            : `route "${name}": no answer about ${host} can be secure (${whyNever}): dane asks no more than opportunistic there`,
        )
  }
  if (opportunistic.length > 0)
    tools.remark(
      `dns.trust is none, so dane asks no more than opportunistic: ${shortList(opportunistic)}, and mail that no route takes`,
    )
}

/** Mail to MX hosts that only an insecure answer names waits under `dane-only` (RFC 7672 §2.2.1). */
function checkDomains(
  index: number,
  route: string,
  recipients: readonly string[],
  isInsecure: (name: string) => boolean,
  tools: TrustTools,
): void {
  const unprovable = recipients.filter(pattern => isInsecure(domainOf(pattern)))
  if (unprovable.length === 0) return
  if (unprovable.length === recipients.length)
    tools.blame(
      ['routes', index, 'tls'],
      `another level, because no MX answer of ${shortList(unprovable.map(domainOf))} can be secure (${whyNever}), and all mail of this route would wait`,
    )
  else
    tools.remark(
      `route "${route}": no MX answer of ${shortList(unprovable.map(domainOf))} can be secure (${whyNever}): under dane-only mail there waits`,
    )
}

/** Of `user@example.org`, `*.example.org` and the like: what all names that it stands for are at or below. */
function domainOf(pattern: string): string {
  return pattern.slice(pattern.lastIndexOf('@') + 1).replace(/^(?:\*\.|\.)/, '')
}

/** The text of a file whose every record can be used; null when it cannot, which was told then. */
function anchorsText(path: string, tools: TrustTools): string | null {
  const text = tools.read(path, ['dns', 'anchors'], 'a readable file of trust anchors')
  if (text === null) return null
  if (text.length > mostAnchorChars) {
    tools.blame(['dns', 'anchors'], 'a file of trust anchors', {
      found: `${tools.absolute(path)}: more than a megabyte`,
    })
    return null
  }
  const read = readAnchors(text)
  if (read.kind === 'anchors') {
    const zones = [...new Set(read.anchors.map(({ zone }) => nameKey(zone)))]
    if (read.anchors.every(({ zone }) => zone.length > 0))
      tools.remark(
        `dns.anchors has no key of the root, so no answer outside of ${visible(shortList(zones), 200)} can be secure; put the keys of the root into it as well, unless that is meant`,
      )
    return text
  }
  const says = `${read.says.charAt(0).toLowerCase()}${read.says.slice(1).replace(/\.$/, '')}`
  tools.problem({
    file: tools.absolute(path),
    line: read.line,
    column: null,
    option: '',
    expected: 'trust anchors, DS or DNSKEY records',
    found: `${read.line === null ? 'a file' : 'a line'} that cannot be used: ${says}`,
    suggestion: null,
    example: '. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D',
  })
  return null
}

/** On this machine, or asked over TLS and by its certificate: nobody can be on the way. */
function isOutOfReach(text: string): boolean {
  const server = parseNameServer(text)
  if (server === null) return false
  const address = parseAddress(server.address)
  const isOnThisMachine = address !== null && loopback.some(network => networkContains(network, address))
  return isOnThisMachine || isOverTls(text)
}

function isOverTls(server: string): boolean {
  return (parseNameServer(server)?.authenticationName ?? null) !== null
}

/** One server that is asked in clear text tells everybody on the way what the others were to keep. */
function remarkOnTls({ dns }: Configuration, tools: TrustTools): void {
  const [overTls] = dns.servers.filter(isOverTls)
  const inClear = dns.servers.filter(server => !isOverTls(server))
  if (overTls === undefined && dns.tls_roots !== undefined)
    tools.remark('dns.tls_roots means nothing, because none of dns.servers is asked over TLS (tls://)')
  if (overTls !== undefined && inClear.length > 0)
    tools.remark(
      `dns.servers: ${shortList(inClear)} ${inClear.length === 1 ? 'is' : 'are'} asked in clear text, also when a server over TLS does not answer; name only tls:// where nobody on the way is to read along`,
    )
}

function shortList(names: readonly string[]): string {
  const more = names.length - shownNames
  return more > 0 ? `${names.slice(0, shownNames).join(', ')} and ${more} more` : names.join(', ')
}

const loopback = ['127.0.0.0/8', '::1'].flatMap(text => parseNetwork(text) ?? [])
const onlyThisMachine =
  'servers of this machine (127.0.0.0/8, ::1) or over TLS (tls://192.0.2.53#dns.example), because dns.trust: ad believes a bit that anybody on the way from another one can set; dns.trust: validate works with any, and dns.ad_from_anywhere: true believes all'
const whyNever = 'the name is private, or below dns.insecure'
const shownNames = 5
const mostAnchorChars = 1024 * 1024
