/**
 * `hermetic dns --zone-audit DOMAIN`: what the owner of a zone, and the postmaster who depends on it, should know: chain, keys, ends of signatures, proofs of absence,
 * MX and TLSA; `hermetic.zone-audit/1`.
 *
 * It asks recursive servers, as senders of mail do, and validates what they send from the trust anchors down. No server of the zone itself is asked, no host is visited.
 *
 * Exit 0: nothing is wrong. 1: something is broken. 2: warnings only. 69: no server answers.
 */
import { domainToASCII } from 'node:url'
import { createNameServerTrust } from '../../hop/name-server-trust.ts'
import { visible } from '../../judgement/visible.ts'
import { zoneAudit, zoneAuditExitCode } from '../../judgement/zone-audit.ts'
import { zoneAuditText } from '../../judgement/zone-audit-text.ts'
import { type Name, parseName } from '../../protocol/dns/name.ts'
import { readAnchors, rootAnchors } from '../../protocol/dnssec/anchors.ts'
import { negativeAnchors } from '../../protocol/dnssec/private-names.ts'
import { createDnsWire } from '../../system/dns-wire.ts'
import { configured } from '../configured.ts'
import type { Context } from '../context.ts'
import { anchorOption, serverOption } from '../dns-options.ts'
import { CliFailure } from '../failure.ts'
import { timeOption } from '../time-option.ts'
import { inspectZone } from '../zone-inspection.ts'
import type { DnsOptions } from './dns.ts'

export async function audit(
  domainText: string,
  type: string | undefined,
  options: DnsOptions,
  context: Context,
): Promise<number> {
  // What was typed is looked at before any file.
  const domain = domainOf(domainText)
  if (type !== undefined)
    throw new CliFailure('cli.usage', '--zone-audit takes a domain, and no type of records', example)
  if (options.trace === true)
    throw new CliFailure(
      'cli.usage',
      '--zone-audit has no --trace',
      'With --zone-audit, --json has all that was found.',
    )
  const given = (options.server ?? []).map(serverOption)
  const atMs = options.at === undefined ? null : timeOption(options.at, '--at')
  const anchorsGiven = options.anchor === undefined ? null : anchorOption(options.anchor).anchors
  // Whoever names a server wants its answer, and not what is configured for others, unless he names the configuration, too.
  const dns = given.length > 0 && context.config === null ? null : configured(context.config).settings.dns
  const servers = given.length > 0 ? given : (dns?.servers ?? [])
  const read = dns?.anchors == null ? null : readAnchors(dns.anchors)
  const anchors = anchorsGiven ?? (read?.kind === 'anchors' ? read.anchors : rootAnchors)
  const own = (dns?.insecure ?? []).map(parseName).filter(name => name !== null)

  const tls = createNameServerTrust(dns?.tlsRoots ?? null, Date.now)
  const wire = createDnsWire({ servers, tls, timeoutMs: dns?.timeoutMs ?? defaultTimeoutMs })
  try {
    const inspection = await inspectZone(domain, {
      wire,
      anchors,
      insecure: negativeAnchors(own, anchors),
      now: () => atMs ?? Date.now(),
    })
    if (inspection === null)
      throw new CliFailure(
        'cli.dns-unreachable',
        `no server answers: ${visible(wire.servers().join(', '), 200)}`,
        'Check the address and the way there, or name another server: --server 192.0.2.53',
      )
    const document = zoneAudit(inspection)
    context.answer({ ...document }, zoneAuditText(document, context.paint))
    return zoneAuditExitCode(document)
  } finally {
    await wire.close()
  }
}

/** @throws CliFailure 64 */
function domainOf(text: string): Name {
  const ascii = /^[\x21-\x7e]+$/.test(text) ? text : domainToASCII(text)
  const name = ascii === '' ? null : parseName(ascii)
  if (name === null)
    throw new CliFailure('cli.usage', `'${visible(text, 80)}' is not a name that the DNS can hold`, example)
  // Labels are put before it to ask for what is not there.
  if (ascii.length > longestDomain)
    throw new CliFailure('cli.usage', `'${visible(text, 80)}' is too long to be audited`, example)
  return name
}

const example = 'For example: hermetic dns --zone-audit example.org'
const longestDomain = 200
/** As the configuration has it by default, which is not read where the servers are given. */
const defaultTimeoutMs = 10_000
