import type { DnssecReason } from '../dnssec/reasons.ts'

/** Why the DNS did not lead to a host that mail can be sent to. */
export type DnsReason =
  | 'dns.no-such-domain'
  /** RFC 7505: `MX 0 .` says that the domain takes no mail. */
  | 'dns.null-mx'
  | 'dns.lookup-failed'
  | 'dns.timeout'
  | 'dns.alias-loop'
  /** Whoever answers for a server that is asked over TLS has no certificate for its name (RFC 8310 §8.1). */
  | 'dns.server-unproven'
  /** Answers cannot be validated with the servers there are, and mail may not go on without. */
  | 'dns.validation-unavailable'
  /** By the clock of this machine the signatures of the trust anchor's own zone have ended or not begun: that clock is wrong, or what the servers send is old. */
  | 'dns.clock-wrong'
  /** There are more hosts or addresses than one attempt looks at: the rest said nothing, least of all no. */
  | 'dns.too-many-hosts'
  | 'dns.name-invalid'
  /** No MX, and the domain itself has no address. */
  | 'dns.no-mail-host'
  /** Every MX host is ourselves, or only hosts that we must not pass the message back to (RFC 5321 §5.1). */
  | 'dns.mx-points-to-us'
  /** An MX host has no address at all. */
  | 'dns.host-without-address'
  /** Every address of a host named by a stranger's DNS is loopback, private, link-local or our own. */
  | 'dns.address-forbidden'
  /** The domain is an address literal, and names such an address itself. */
  | 'dns.literal-forbidden'

/** Whether it may pass by itself: while such a reason stands in the way, nothing is final. The register of findings says the same. What is bogus may be mended. */
export function mayPass(reason: DnsReason | DnssecReason): boolean {
  return reason.startsWith('dnssec.') || passingDnsReasons.some(passing => passing === reason)
}

export const passingDnsReasons: readonly DnsReason[] = [
  'dns.lookup-failed',
  'dns.timeout',
  'dns.alias-loop',
  'dns.server-unproven',
  'dns.validation-unavailable',
  'dns.clock-wrong',
  'dns.too-many-hosts',
]
