/** Why an answer is bogus or insecure, and what is worth telling of one that is secure. */

/** A chain is meant to exist, and is broken: the answer is not used, and whatever needs it waits. */
export type BogusReason =
  /** The zone is signed, and these records came without a signature. */
  | 'dnssec.signature-missing'
  | 'dnssec.signature-bad'
  | 'dnssec.signature-expired'
  | 'dnssec.signature-not-yet-valid'
  /** Signed by a zone that is not the one that owns the name. */
  | 'dnssec.signer-not-zone'
  /** No key of the zone has the tag and the algorithm of the signature. */
  | 'dnssec.key-missing'
  /** The zone's DNSKEY set is not signed by a key that its DS, or the anchor, names. */
  | 'dnssec.no-trusted-key'
  /** The only fitting key has the REVOKE bit (RFC 5011 §2.1). */
  | 'dnssec.key-revoked'
  | 'dnssec.dnskey-missing'
  /** That there is no such name, no such record, or no DS, was said and not proven. */
  | 'dnssec.denial-unproven'
  /** A proof of the parent used for the child, or of the child for the parent. */
  | 'dnssec.denial-of-wrong-zone'
  /** A wildcard was used without a proof that the name itself does not exist (RFC 4035 §5.3.4). */
  | 'dnssec.wildcard-unproven'
  /** DNAME and the CNAME made of it do not fit (RFC 6672 §5.3.1). */
  | 'dnssec.dname-mismatch'
  | 'dnssec.malformed'
  | 'dnssec.over-budget'

/** It is proven, or configured, that nothing vouches for the answer. */
export type InsecureReason =
  /** The parent proves that there is no DS. */
  | 'dnssec.unsigned-delegation'
  /** The delegation lies in a span of opt-out (RFC 5155 §6). */
  | 'dnssec.opt-out'
  /** Every DS names an algorithm or a digest that is not known here (RFC 4035 §5.2). */
  | 'dnssec.unknown-algorithms'
  /** Every DS names an algorithm with SHA-1 (RFC 9905). */
  | 'dnssec.sha1-algorithms'
  /** More NSEC3 iterations than are counted as proof (RFC 9276 §3.2). */
  | 'dnssec.too-many-iterations'
  /** A negative trust anchor of the operator, or of the names that are never global. */
  | 'dnssec.negative-anchor'

/** Nothing could be found out. */
export type IndeterminateReason = 'dnssec.no-anchor'

export type DnssecReason = BogusReason | InsecureReason | IndeterminateReason
