/** Codes of the audit of a zone (zone-audit.ts): severity, who must act, what to do, and where it is written. What was found is said where it is found. */
import type { Severity } from './evidence.ts'
import type { ZoneActor } from './zone-audit-document.ts'

interface Entry {
  readonly severity: Severity
  readonly actor: ZoneActor
  readonly remedy: string
  readonly spec: string | null
}

export type ZoneCode = keyof typeof zoneFindings

const zone = { severity: 'warning', actor: 'zone' } as const
const broken = { severity: 'error', actor: 'zone' } as const
const mail = { severity: 'warning', actor: 'mail' } as const

export const zoneFindings = {
  'zone.bogus': { ...broken, remedy: '', spec: 'RFC 4035 §5' },
  'zone.signature-expired': { ...broken, remedy: '', spec: 'RFC 4035 §5.3.1' },
  'zone.signature-not-yet-valid': { ...broken, remedy: '', spec: 'RFC 4035 §5.3.1' },
  'zone.denial-unproven': { ...broken, remedy: '', spec: 'RFC 4035 §5.4' },
  'zone.unanswered': {
    ...broken,
    remedy: 'Look at the name servers of the zone, one by one, and at the way from the resolver to them.',
    spec: null,
  },
  'zone.tlsa-unanswered': {
    ...broken,
    remedy:
      'Replace or repair the name servers or the load balancer that answer for this name: they have to answer questions for TLSA, if only with a proven "no".',
    spec: 'RFC 7672 §2.2',
  },
  'zone.unsigned': {
    ...zone,
    remedy:
      'Sign the zone with ECDSA P-256 (algorithm 13), and then have the parent publish the DS record of its key.',
    spec: 'RFC 4035 §5.2',
  },
  'zone.ds-missing': {
    ...zone,
    actor: 'parent',
    remedy:
      'Have the parent publish the DS record of the key that signs the DNSKEY set; if it is not to be signed, take the signatures out.',
    spec: 'RFC 4035 §5.2',
  },
  'zone.ds-without-key': {
    ...zone,
    actor: 'parent',
    remedy: 'Have the parent take this DS record out, unless its key is about to be published.',
    spec: 'RFC 6781 §4.1.2',
  },
  'zone.ds-sha1': {
    ...zone,
    actor: 'parent',
    remedy:
      'Have the parent publish a DS record with SHA-256 (digest type 2) of the same key, and take out the one with SHA-1.',
    spec: 'RFC 8624 §3.3',
  },
  'zone.sha1-algorithm': {
    ...zone,
    remedy: 'Roll over to ECDSA P-256 (algorithm 13), and have the parent change the DS record with it.',
    spec: 'RFC 9905 §2',
  },
  'zone.unknown-algorithm': {
    ...zone,
    remedy:
      'Sign with ECDSA P-256 (algorithm 13), and have a DS record with SHA-256 published; take out what few can verify.',
    spec: 'RFC 8624 §3.1',
  },
  'zone.algorithm-incomplete': {
    ...zone,
    remedy: 'Sign the whole zone with this algorithm too, or take its keys out of the DNSKEY set.',
    spec: 'RFC 4035 §2.2',
  },
  'zone.key-weak': {
    ...zone,
    remedy:
      'Roll over to ECDSA P-256 (algorithm 13), whose answers are smaller as well, or to RSA keys of 2048 bits.',
    spec: 'RFC 6781 §3.4.2',
  },
  'zone.key-tags-equal': {
    ...zone,
    remedy:
      'Make new keys until all tags differ: validators try each key with the tag of a signature, and give up soon.',
    spec: 'RFC 4034 appendix B',
  },
  'zone.key-revoked': {
    ...zone,
    remedy:
      'Take it out of the DNSKEY set, when those who trust the key itself, and not through a DS, have had 30 days to see it.',
    spec: 'RFC 5011 §2.1',
  },
  'zone.signature-ends-soon': {
    ...zone,
    remedy:
      'See that the signer runs, and that every name server has the newest zone; sign again well before the end.',
    spec: 'RFC 6781 §4.4.2',
  },
  'zone.signature-shorter-than-ttl': {
    ...zone,
    remedy: 'Sign again sooner, or lower the TTL: what lies in caches outlives the signature over it.',
    spec: 'RFC 6781 §4.4.2',
  },
  'zone.signature-long': {
    ...zone,
    remedy:
      'Sign for two weeks or so: for as long as a signature holds, whoever kept an old answer can replay it.',
    spec: 'RFC 6781 §4.4.2',
  },
  'zone.signature-from-future': {
    ...zone,
    remedy: "Set the clock of the zone's signer; a signature should begin an hour before it is made.",
    spec: 'RFC 4035 §5.3.1',
  },
  'zone.nsec3-iterations': {
    ...zone,
    remedy: 'Set the iterations of NSEC3 to 0 and sign again; or take NSEC.',
    spec: 'RFC 9276 §3.1',
  },
  'zone.nsec3-salt': {
    ...zone,
    severity: 'info',
    remedy: 'Leave the salt out (`-`) when the zone is signed the next time.',
    spec: 'RFC 9276 §3.1',
  },
  'zone.nsec3-opt-out': {
    ...zone,
    remedy:
      'Sign without opt-out: only a zone with very many unsigned delegations, as registries have, gains by it.',
    spec: 'RFC 9276 §3.1',
  },
  'zone.answer-large': {
    ...zone,
    severity: 'info',
    remedy: 'Nothing, as long as TCP works everywhere; ECDSA keys, or fewer records at the name, make it smaller.',
    spec: 'RFC 7766 §5',
  },
  'zone.not-validated': {
    ...zone,
    severity: 'info',
    actor: 'nobody',
    remedy: 'Nothing, if that is meant: the name is private, or `dns.insecure` of the configuration has it.',
    spec: 'RFC 7646 §2',
  },
  'zone.servers-differ': {
    ...zone,
    actor: 'resolver',
    remedy:
      'Wait for as long as the TTL, and ask again; if they still differ, look for a name server of the zone that has an old copy, and for a resolver that changes answers.',
    spec: null,
  },
  'zone.server-silent': {
    ...zone,
    actor: 'resolver',
    remedy: 'Look at the address and at the way there, or leave the server out: questions wait for it in vain.',
    spec: null,
  },
  'zone.server-strips': {
    ...broken,
    actor: 'resolver',
    remedy:
      'Ask another resolver (`--server`, `dns.servers`): one that passes DNSSEC records on, such as an unbound of your own.',
    spec: 'RFC 4035 §3.2.1',
  },
  'zone.server-tcp': {
    ...zone,
    actor: 'resolver',
    remedy:
      'Open TCP port 53 on the way to it, or ask another resolver: answers that do not fit a datagram are lost.',
    spec: 'RFC 7766 §5',
  },
  'zone.clock': {
    ...broken,
    actor: 'clock',
    remedy:
      'Set the clock of this machine, and keep it right with NTP, or give `--at` a time at which the signatures hold.',
    spec: 'RFC 4035 §5.3.1',
  },
  'zone.no-such-name': {
    ...mail,
    remedy: 'Look at how the name is spelt.',
    spec: null,
  },
  'zone.mx-insecure': {
    ...mail,
    remedy:
      'Have the zone signed that the MX answer is from, or where the alias leads: until then TLSA records of the hosts prove little.',
    spec: 'RFC 7672 §2.2.1',
  },
  'zone.mx-host-insecure': {
    ...mail,
    remedy:
      "Have the host's zone signed, or name hosts in a zone that is: senders ask for no TLSA records here, and take any certificate.",
    spec: 'RFC 7672 §2.2.2',
  },
  'zone.mx-host-missing': {
    ...mail,
    severity: 'error',
    remedy: 'Give the host an address, or take the MX record out.',
    spec: 'RFC 5321 §5.1',
  },
  'zone.mx-host-alias': {
    ...mail,
    remedy:
      'Let the MX record name the host itself: an MX host must not be an alias, and senders differ over which name counts.',
    spec: 'RFC 2181 §10.3',
  },
  'zone.tlsa-absent': {
    ...mail,
    severity: 'info',
    remedy:
      "Publish TLSA records (`hermetic tlsa create` makes them), once the certificate's renewal keeps them in step.",
    spec: 'RFC 7672 §2.2',
  },
  'zone.tlsa-partial': {
    ...mail,
    remedy:
      'Publish TLSA records for every MX host: whoever can disturb the proven hosts leads mail to the others.',
    spec: 'RFC 7672 §2.2.1',
  },
  'zone.tlsa-unusable': {
    ...mail,
    remedy:
      'Publish `3 1 1` or `2 1 1` (`hermetic tlsa create` makes them), and take out what no sender of mail can act on.',
    spec: 'RFC 7672 §3.1.3',
  },
  'zone.tlsa-insecure': {
    ...mail,
    remedy: 'Have the zone of the records signed, or take them out: nobody may go by them as they are.',
    spec: 'RFC 7672 §2.2',
  },
} as const satisfies Record<string, Entry>
