/**
 * Where other mail servers do otherwise than Hermetic with the hosts of the lab, and who is right. lab-senders.test.ts sees to it that the list is whole, and no longer than
 * that; docs/dane.md shows it.
 */
import type { Scenario } from '../../src/lab/scenarios.ts'
import type { SenderName } from './support/lab-senders.ts'

export interface LabDisagreement {
  /** Who is right, and by which RFC. */
  readonly why: string
  readonly senders: readonly SenderName[]
  /** By their names. */
  readonly scenarios: readonly Scenario['name'][]
}

export const labDisagreements: readonly LabDisagreement[] = [
  {
    why: 'Postfix lets the names of the next hop do although nobody vouches for the MX answer that led here; RFC 7672 §3.2.2 has the name of the MX host alone do then, so we are right.',
    senders: ['Postfix'],
    scenarios: ['insecure-mx-next-hop-name'],
  },
  {
    why: 'They hold the certificate of a host that the operator named against the TLSA base domain alone; where that is the expanded name, RFC 7672 §3.2.2 has the name as written do, too, so we are right.',
    senders: ['Postfix', 'Exim'],
    scenarios: ['smarthost-alias'],
  },
  {
    why: 'Their resolver, unbound, still believes signatures that rest on SHA-1, so the records count for them; they prove nothing to us by default (RFC 9905). It is the resolver that decides, not the mail server.',
    senders: ['Postfix', 'Exim'],
    scenarios: ['sha1-zone'],
  },
  {
    why: 'Postfix writes the message anew in quoted-printable; RFC 6152 §3 allows that and a return alike, and we change no octet, so that no signature breaks.',
    senders: ['Postfix'],
    scenarios: ['no-8bitmime'],
  },
  {
    why: 'Exim sends 8-bit octets whether they are welcome or not; RFC 6152 §3 forbids it, so we are right.',
    senders: ['Exim'],
    scenarios: ['no-8bitmime'],
  },
  {
    why: 'Exim asks for records only where an alias ends, and only if the address there is secure; RFC 7672 §2.2.2 and §2.2.3 send a client on to the name as published, so we (and Postfix) are right.',
    senders: ['Exim'],
    scenarios: ['mx-alias-tlsa-at-alias', 'mx-alias-records-insecure-at-target', 'secure-alias-insecure-host'],
  },
  {
    why: 'Exim takes no name but the TLSA base domain; behind a secure MX answer RFC 7672 §3.2.2 has the next hop, and what it expands to, do as well, so we (and Postfix) are right.',
    senders: ['Exim'],
    scenarios: ['ta-next-hop-name', 'next-hop-alias', 'next-hop-alias-own-name'],
  },
  {
    why: 'Exim asks for no records behind an insecure MX answer; RFC 7672 §2.2.1 leaves that to the client, and we (and Postfix) hold the host to what it has published.',
    senders: ['Exim'],
    scenarios: ['insecure-mx-secure-host', 'insecure-mx-no-match', 'insecure-mx-next-hop-name'],
  },
  {
    why: 'Exim lets any record fit, and compares no digests with each other; RFC 7671 §9, which RFC 7672 §5 demands, has only the strongest count, so we (and Postfix) are right.',
    senders: ['Exim'],
    scenarios: ['shadowed-digest'],
  },
  {
    why: 'Exim, by GnuTLS, ends no path at a certificate that only the DNS holds; RFC 7672 §3.1.2 warns servers of such clients, so both are allowed.',
    senders: ['Exim'],
    scenarios: ['anchor-only-in-dns'],
  },
  {
    why: 'GnuTLS refuses the handshake where the key usage of the leaf has no digitalSignature, as RFC 5280 §4.2.1.3 has it; OpenSSL lets it pass, and so do we, since the record has proved the issuer, and tell of it.',
    senders: ['Exim'],
    scenarios: ['key-encipherment-only'],
  },
  {
    why: 'GnuTLS would rather have RSA than ECDSA, and is shown the chain that has a record; each judges the certificate that it was shown, so both are right, and such a domain is half broken.',
    senders: ['Exim'],
    scenarios: ['two-chains-one-recorded'],
  },
  {
    why: 'Where DANE is a must, Exim returns the message at once, and is content with records that it cannot use; RFC 7672 §2.2.1 and §6 have it delayed, so we (and Postfix) are right.',
    senders: ['Exim'],
    scenarios: ['dane-only-without-tlsa', 'dane-only-unusable', 'dane-only-insecure-mx'],
  },
  {
    why: 'Exim sees the handshake fail, and sends to the same host in clear text at once; RFC 7435 lets it. We take bytes behind the 220 for what they are, somebody in the middle (RFC 3207 §4.2), and send nothing to that host.',
    senders: ['Exim'],
    scenarios: ['injected-replies', 'injected-replies-only'],
  },
]

/** Scenarios that no message of another sender can play. */
export const notPlayed: readonly { readonly scenario: Scenario['name']; readonly because: string }[] = [
  { scenario: 'injection', because: 'it is an attack on the relay as a server' },
]
