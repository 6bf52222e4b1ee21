/** `--server` and `--anchor`, for the commands that ask the DNS and validate what it says. */
import { visible } from '../judgement/visible.ts'
import { readAnchors } from '../protocol/dnssec/anchors.ts'
import type { TrustAnchor } from '../protocol/dnssec/types.ts'
import { parseNameServer } from '../system/name-server.ts'
import { nameOf, readBounded, textOf } from './certificate-file.ts'
import { CliFailure } from './failure.ts'

/** @throws CliFailure 64 when it is not a name server as the configuration has them. */
export function serverOption(text: string): string {
  if (parseNameServer(text) !== null) return text
  throw new CliFailure(
    'cli.usage',
    `--server: '${visible(text, 80)}' is not an address, or address:port`,
    'For example --server 192.0.2.53 or --server [2001:db8::53]:5353; over TLS, with the name that its certificate proves, --server tls://192.0.2.53#dns.example',
  )
}

/** A file of trust anchors, read and as it stands. @throws CliFailure 65 */
export function anchorOption(file: string): { readonly anchors: readonly TrustAnchor[]; readonly text: string } {
  const hint = 'It needs DS or DNSKEY records as a zone file has them, such as those of dns-root-data.'
  const text = textOf(readBounded(file, '--anchor', { bytes: maxAnchorFileBytes, hint }))
  const read = readAnchors(text)
  if (read.kind === 'anchors') return { anchors: read.anchors, text }
  const where = read.line === null ? '' : `, line ${read.line}`
  throw new CliFailure('cli.bad-input', `--anchor: ${nameOf(file)}${where}: ${read.says}`, hint)
}

const maxAnchorFileBytes = 1024 * 1024
