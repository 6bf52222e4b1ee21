/**
 * A plan: what is acceptable for a destination, decided before anything is sent (ARCHITECTURE decisions 1 and 2).
 */

/** How a next hop's *name* can be authenticated, weakest first: from an unsigned MX answer, by MTA-STS, by a secure MX answer, by the operator. */
export type NameProof = 'unauthenticated' | 'mta-sts' | 'secure-mx' | 'configured'

/** How a TLS *peer* can be authenticated, weakest first. `clear`: no TLS at all. */
export type PeerProof = 'clear' | 'encrypted' | 'pkix' | 'dane-ta' | 'dane-ee'

/**
 * What an operator asks of a route. `dane`: whatever TLSA records prove, and `opportunistic` where there are none (RFC 7672 §2.2). `dane-only`: nothing
 * without TLSA records that can be used, at hosts that a secure answer named (RFC 7672 §6).
 */
export type Level = 'none' | 'opportunistic' | 'dane' | 'encrypt' | 'verify' | 'dane-only'

/** A name the peer's certificate may carry, and where that name is from. An alias behind it never replaces it (case 3). */
export interface ReferenceIdentifier {
  readonly name: string
  /** `secure-alias`: the name at the end of a secure chain of aliases, which begins at one of the others (RFC 7672 §2.2.2, §3.2.2). */
  readonly from: 'operator' | 'mx-name' | 'recipient-domain' | 'secure-alias'
}

/** What was found of TLSA records for one address of one host (RFC 7672 §2.2), as the plan was made. */
export type DanePlan =
  | {
      readonly kind: 'records'
      /** The TLSA base domain: SNI, and first of the names. */
      readonly base: string
      /** Where it is from: the host is no alias; its full expansion; the host's own name although it is an alias. */
      readonly from: 'host' | 'expansion' | 'alias'
      /** `_25._tcp.` and the base. */
      readonly owner: string
      /** Names passed through by CNAME from the owner to the records. They change nothing else (RFC 7672 §2.2.3). */
      readonly aliases: readonly string[]
      readonly records: readonly PlannedRecord[]
      /** `authenticate`: at least one record counts. `encrypt`: none can be used, so TLS is owed, and who the peer is is not asked. */
      readonly asks: 'authenticate' | 'encrypt'
    }
  | {
      readonly kind: 'none'
      readonly because: NoDane
      /** Owners that were asked for, in order; empty when none was. */
      readonly asked: readonly string[]
    }

export interface PlannedRecord {
  /** `3 1 1 8d02…`, the data in lower case, whole. */
  readonly text: string
  readonly state: 'counts' | 'shadowed' | 'unusable'
}

export type NoDane =
  /** Answers are not validated: `dns.trust` says so, or the servers make it impossible. */
  | 'dns-not-validated'
  /** The host is an address, and has no name that could own records. */
  | 'no-name'
  /** The zone of the host's address is not signed: nobody was asked for records (RFC 7672 §2.2.2). */
  | 'host-insecure'
  /** Proven: there are none. */
  | 'absent'
  /** There are some, or none, and nothing vouches for that. */
  | 'records-insecure'

export interface Plan {
  readonly level: Level
  readonly starttls: 'never' | 'if-offered' | 'required'
  /** TLS from the first byte (port 465) instead of STARTTLS. */
  readonly implicitTls: boolean
  /** The least acceptable on each axis. A channel that reaches less is never used. */
  readonly least: { readonly name: NameProof; readonly peer: PeerProof }
  /** How the next hop's name was in fact authenticated. */
  readonly name: NameProof
  /** Acceptable certificate names. Never empty. */
  readonly references: readonly ReferenceIdentifier[]
  /** The name sent as SNI; null for an address literal (RFC 6066 §3). Always one of `references`; under DANE the TLSA base domain. */
  readonly sni: string | null
  /** Null: the level does not ask for TLSA records. */
  readonly dane: DanePlan | null
}
