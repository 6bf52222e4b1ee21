/**
 * `hermetic dns NAME [TYPE]`: asks recursive servers, validates what they send from the trust anchors down, and says what is there, how far it can be
 * trusted, and why; `hermetic.dns/1`.
 *
 * It believes no server, and asks none for its opinion until its own is that the answer is bogus. Where the answer cannot be trusted the servers are looked at
 * as well, since a resolver that takes signatures away, or a wrong clock, makes everything look broken, and one that is silent may be so about this name alone. The
 * hosts file and search suffixes play no part.
 *
 * Exit 0: records. 1: no such name or record. 2: bogus or indeterminate. 69: no server answers.
 */
import { domainToASCII } from 'node:url'
import { createNameServerTrust } from '../../hop/name-server-trust.ts'
import { type DnsAsked, dnsDocument, dnsExitCode, isThere, plainName } from '../../judgement/dns-document.ts'
import { dnsText } from '../../judgement/dns-text.ts'
import { visible } from '../../judgement/visible.ts'
import { type Name, parseName } from '../../protocol/dns/name.ts'
import { typeFromName, typeName, typeNumbers } from '../../protocol/dns/numbers.ts'
import { reverseName } from '../../protocol/dns/reverse.ts'
import { readAnchors, rootAnchors } from '../../protocol/dnssec/anchors.ts'
import { isQueryType } from '../../protocol/dnssec/denial-rules.ts'
import { negativeAnchors } from '../../protocol/dnssec/private-names.ts'
import type { TrustAnchor } from '../../protocol/dnssec/types.ts'
import { canonicalIp, parseIp } from '../../protocol/ip.ts'
import { createDnsWire } from '../../system/dns-wire.ts'
import { createValidatingResolver, type ResolvedAnswer } from '../../system/validating-resolver.ts'
import { configured } from '../configured.ts'
import type { Context } from '../context.ts'
import { anchorOption, serverOption } from '../dns-options.ts'
import { CliFailure } from '../failure.ts'
import { timeOption } from '../time-option.ts'

/** As commander hands them over. */
export interface DnsOptions {
  readonly trace?: true
  readonly server?: readonly string[]
  readonly anchor?: string
  readonly at?: string
}

export async function run(
  nameText: string,
  type: string | undefined,
  options: DnsOptions,
  context: Context,
): Promise<number> {
  // What was typed is looked at before any file.
  const question = questionOf(nameText, type)
  const given = (options.server ?? []).map(serverOption)
  const atMs = options.at === undefined ? null : timeOption(options.at, '--at')
  const anchorsGiven = options.anchor === undefined ? null : anchorOption(options.anchor).anchors
  // Whoever names a server wants its answer, and not what is configured for others, unless he names the configuration, too.
  const dns = given.length > 0 && context.config === null ? null : configured(context.config).settings.dns
  const servers = given.length > 0 ? given : (dns?.servers ?? [])
  const timeoutMs = dns?.timeoutMs ?? defaultTimeoutMs
  const anchors = anchorsGiven ?? configuredAnchors(dns?.anchors ?? null)
  const now = () => atMs ?? Date.now()

  const tls = createNameServerTrust(dns?.tlsRoots ?? null, Date.now)
  const wire = createDnsWire({ servers, tls, timeoutMs })
  try {
    const own = (dns?.insecure ?? []).map(parseName).filter(name => name !== null)
    const insecure = negativeAnchors(own, anchors)
    const resolver = createValidatingResolver({ wire, anchors, insecure, now })
    const answer = await resolver.resolve(question.name, question.type)
    const isDoubtful = answer.security === 'bogus' || answer.security === 'indeterminate'
    const probed = isDoubtful ? await resolver.probe() : null
    // A server that is silent about this name alone answers the probe.
    const isHeard = answer.asked.some(({ server }) => server !== null) || isThere(probed)
    if (!isHeard) throw unreachable(wire.servers(), answer)
    const document = dnsDocument({
      answer,
      passes: answer.passes,
      asked: answer.asked.map(
        ({ question: asked, ...how }): DnsAsked => ({
          name: plainName(asked.name),
          type: typeName(asked.type),
          ...how,
        }),
      ),
      resolver: probed,
      servers: wire.servers(),
      atMs: now(),
    })
    context.answer({ ...document }, dnsText(document, options.trace === true ? 'trace' : 'answer', context.paint))
    return dnsExitCode(document)
  } finally {
    await wire.close()
  }
}

/** @throws CliFailure 64 */
function questionOf(text: string, given: string | undefined): { readonly name: Name; readonly type: number } {
  const address = canonicalIp(text.replace(/^\[(?:IPv6:)?(.*)\]$/i, '$1'))
  const typeText = given ?? (address === null ? 'A' : 'PTR')
  const ascii = /^[\x21-\x7e]+$/.test(text) ? text : domainToASCII(text)
  const bytes = address === null ? null : parseIp(address)
  const name = bytes !== null ? reverseName(bytes) : ascii === '' ? null : parseName(ascii)
  const type = typeFromName(typeText)
  if (name === null)
    throw new CliFailure('cli.usage', `'${visible(text, 80)}' is not a name that the DNS can hold`, example)
  if (type === null)
    throw new CliFailure(
      'cli.usage',
      typeFromName(text) === null
        ? `'${visible(typeText, 60)}' is not a type of records`
        : `the name comes first, then the type: hermetic dns ${visible(typeText, 80)} ${visible(text, 20)}`,
      'Types are written as MX or TLSA, or as a number: TYPE52.',
    )
  if (isQueryType(type) || type === typeNumbers.RRSIG)
    throw new CliFailure(
      'cli.usage',
      `${typeName(type)} is no type whose records can be validated`,
      'Ask for the type of records that you need; their signatures come along.',
    )
  if (type === typeNumbers.DS && name.length === 0)
    throw new CliFailure(
      'cli.usage',
      'the root has no DS records: a trust anchor stands in their place',
      "'hermetic dns . DNSKEY' shows its keys.",
    )
  return { name, type }
}

/** Read once already, when the configuration was checked. */
function configuredAnchors(text: string | null): readonly TrustAnchor[] {
  const read = text === null ? null : readAnchors(text)
  return read?.kind === 'anchors' ? read.anchors : rootAnchors
}

function unreachable(servers: readonly string[], { asked }: ResolvedAnswer): CliFailure {
  const whys = [...new Set(asked.flatMap(({ why }) => why ?? []))].join(', ')
  return new CliFailure(
    'cli.dns-unreachable',
    `no server answers: ${visible(servers.join(', '), 200)} (${visible(whys, 200)})`,
    'Check the address and the way there, or name another server: --server 192.0.2.53',
  )
}

const example = 'For example: hermetic dns _25._tcp.mx.example.org TLSA'
/** As the configuration has it by default, which is not read where the servers are given. */
const defaultTimeoutMs = 10_000
