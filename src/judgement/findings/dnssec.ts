/** Findings about DNSSEC: the part of the register (findings.ts) for the reasons of protocol/dnssec. */
import type { DnssecReason } from '../../protocol/dnssec/reasons.ts'
import type { FindingEntry } from './entry.ts'

/** An answer that cannot be trusted is not used: what needs it waits, and a zone that is repaired heals it. */
const bogus = {
  severity: 'error',
  culprit: 'zone',
  condemns: 'host',
  lasting: 'for-now',
  enhanced: '4.7.5',
} as const

/** Nothing is wrong with the answer but that nobody vouches for it. */
const insecure = { ...bogus, severity: 'info' } as const

export const dnssecFindings = {
  'dnssec.signature-missing': {
    ...bogus,
    spec: 'RFC 4035 §5.3.1',
    says: s => `The zone is signed, and these records of it came without a signature that covers them${s.detail}.`,
    remedy: () =>
      'If other signed zones fail as well, the resolver takes signatures away: use one that passes DNSSEC on. Else the owner of the zone must sign all of it again, and look for a name server that serves an unsigned copy.',
  },
  'dnssec.signature-bad': {
    ...bogus,
    spec: 'RFC 4035 §5.3.3',
    says: s =>
      `A signature does not fit the records that it is to prove: one of the two was changed on the way${s.detail}.`,
    remedy: () =>
      'The owner of the zone must sign it again, and see that nothing edits the zone after it was signed. If others find it sound, something between here and there changes answers.',
  },
  'dnssec.signature-expired': {
    ...bogus,
    spec: 'RFC 4035 §5.3.1',
    says: s => `The signature has expired${s.detail}.`,
    remedy: () =>
      "The owner of the zone must sign it again, and find out why that did not happen by itself, or why one of its name servers has not got the new zone. If many zones fail so, this machine's clock is ahead.",
  },
  'dnssec.signature-not-yet-valid': {
    ...bogus,
    spec: 'RFC 4035 §5.3.1',
    says: s => `The signature is not valid yet${s.detail}.`,
    remedy: () =>
      "Check this machine's clock first: if it is behind, many zones fail so. If it is right, that of the zone's signer is ahead, and its owner must sign again.",
  },
  'dnssec.signer-not-zone': {
    ...bogus,
    spec: 'RFC 4035 §5.3.1',
    says: s => `The records are signed by a zone that is not the one they lie in${s.detail}.`,
    remedy: () =>
      'The owner of the zone must sign it with its own name as signer; parent and child on one name server need a zone file each.',
  },
  'dnssec.key-missing': {
    ...bogus,
    spec: 'RFC 4035 §5.3.1',
    says: s => `The signature was made with a key that the zone does not publish${s.detail}.`,
    remedy: () =>
      'The owner of the zone must publish the key that signs it, and after a change of keys keep the old one until the last signature made with it has left all caches.',
  },
  'dnssec.no-trusted-key': {
    ...bogus,
    spec: 'RFC 4035 §5.2',
    says: s =>
      `The zone's keys are vouched for by none that its parent, or the trust anchor, names with a DS record${s.detail}.`,
    remedy: () =>
      'The owner of the zone must have the parent publish a DS record of the key that signs the DNSKEY set now; if the zone is no longer to be signed, the DS must be taken out first.',
  },
  'dnssec.key-revoked': {
    ...bogus,
    spec: 'RFC 5011 §2.1',
    says: s => `The only key that fits says of itself that it is revoked${s.detail}.`,
    remedy: () =>
      'The owner of the zone must sign with another key, and have the parent name that one in its DS records.',
  },
  'dnssec.dnskey-missing': {
    ...bogus,
    spec: 'RFC 4035 §5.2',
    says: s => `The parent says that the zone is signed, and there are no keys at it${s.detail}.`,
    remedy: () =>
      'If the zone is not to be signed, its owner must have the parent take the DS records out; if it is, its name servers must serve the signed zone.',
  },
  'dnssec.denial-unproven': {
    ...bogus,
    spec: 'RFC 4035 §5.4',
    says: s => `It was said that there is no such name or record, and not proven${s.detail}.`,
    remedy: () =>
      'If other signed zones fail as well, the resolver takes NSEC and NSEC3 records away: use one that passes DNSSEC on. Else the owner of the zone must sign it again, whole, and have all its name servers serve the same zone.',
  },
  'dnssec.denial-of-wrong-zone': {
    ...bogus,
    spec: 'RFC 6840 §4.1',
    says: s =>
      `The proof that there is no such name or record is from another zone, the parent or the child${s.detail}.`,
    remedy: () =>
      'The owner of the zone must look at its name servers: one that serves parent and child mixes them up, or somebody replays proofs where they do not belong.',
  },
  'dnssec.wildcard-unproven': {
    ...bogus,
    spec: 'RFC 4035 §5.3.4',
    says: s =>
      `The records are made from a wildcard, and it is not proven that the name itself does not exist${s.detail}.`,
    remedy: () =>
      'If others find it sound, the resolver leaves out the NSEC or NSEC3 record beside the answer: use another. Else the owner of the zone must look at its name servers.',
  },
  'dnssec.dname-mismatch': {
    ...bogus,
    spec: 'RFC 6672 §5.3.1',
    says: s => `The alias does not lead to where the DNAME record that it is made from says${s.detail}.`,
    remedy: () =>
      'Something between here and there changes answers, or the name server is faulty; the resolver, then the owner of the zone, must be looked at.',
  },
  'dnssec.malformed': {
    ...bogus,
    spec: 'RFC 4034 §5.1',
    says: s => `Records that the proof needs cannot be read${s.detail}.`,
    remedy: () => 'The owner of the zone that has them must publish them anew.',
  },
  'dnssec.over-budget': {
    ...bogus,
    spec: null,
    says: s =>
      `To validate the answer takes more work than one answer may cost, as zones that attack validators do${s.detail}.`,
    remedy: () =>
      'The owner of the zone must have fewer keys and signatures, keys without equal tags, and NSEC3 without iterations; zones in good order need a small part of what is allowed.',
  },
  'dnssec.unsigned-delegation': {
    ...insecure,
    spec: 'RFC 4035 §5.2',
    says: s => `The zone is not signed: its parent proves that it names no key for it${s.detail}.`,
    remedy: () =>
      'Nothing is broken. Who wants the answers to be proven must sign the zone, and have the parent publish its DS record.',
  },
  'dnssec.opt-out': {
    ...insecure,
    spec: 'RFC 5155 §6',
    says: s => `The name lies where the zone above leaves unsigned delegations out of its proofs${s.detail}.`,
    remedy: () =>
      'Nothing is broken. Who wants the answers to be proven must sign the zone, and have the parent publish its DS record.',
  },
  'dnssec.unknown-algorithms': {
    ...insecure,
    severity: 'warning',
    spec: 'RFC 4035 §5.2',
    says: s => `The zone is signed with algorithms, or named with digests, that are not known here${s.detail}.`,
    remedy: () =>
      'The owner of the zone should sign with ECDSA P-256 (algorithm 13), and have a DS with SHA-256 published: until then the zone counts as not signed.',
  },
  'dnssec.sha1-algorithms': {
    ...insecure,
    severity: 'warning',
    spec: 'RFC 9905 §2',
    says: s => `The zone is signed with SHA-1 alone, which proves nothing any more${s.detail}.`,
    remedy: () =>
      'The owner of the zone must change from algorithm 5 or 7 to ECDSA P-256 (algorithm 13): until then the zone counts as not signed.',
  },
  'dnssec.too-many-iterations': {
    ...insecure,
    severity: 'warning',
    spec: 'RFC 9276 §3.2',
    says: s => `The zone's proofs ask for more NSEC3 iterations than are done, and so prove nothing${s.detail}.`,
    remedy: () => 'The owner of the zone must set the iterations to 0, and the salt to nothing, and sign again.',
  },
  'dnssec.negative-anchor': {
    ...insecure,
    culprit: 'operator',
    spec: null,
    says: s => `Nothing is validated here: the name is private, or the operator says so${s.detail}.`,
    remedy: () =>
      'Nothing to do if that is meant; whoever answers for these names inside the network is believed without a proof.',
  },
  'dnssec.no-anchor': {
    ...bogus,
    culprit: 'operator',
    spec: 'RFC 4035 §4.3',
    says: s => `No trust anchor is known for the name or anything above it${s.detail}.`,
    remedy: () =>
      'The operator must give an anchor for the zone, or for the root: without one nothing can be proven.',
  },
} as const satisfies Record<DnssecReason, FindingEntry>
