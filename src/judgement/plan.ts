/**
 * A plan: what is acceptable for a destination, decided before anything is sent (ARCHITECTURE decisions 1 and 2).
 */

/** How a next hop's *name* can be authenticated, weakest first: from an unsigned MX answer, by MTA-STS, by a secure MX answer, by the operator. */
export type NameProof = 'unauthenticated' | 'mta-sts' | 'secure-mx' | 'configured'

/** How a TLS *peer* can be authenticated, weakest first. `clear`: no TLS at all. */
export type PeerProof = 'clear' | 'encrypted' | 'pkix' | 'dane-ta' | 'dane-ee'

/** What an operator asks of a route. `dane` and `dane-only` need DNSSEC and are not there yet. */
export type Level = 'none' | 'opportunistic' | 'encrypt' | 'verify'

/** A name the peer's certificate may carry, and where that name is from. An alias behind it never replaces it (case 3). */
export interface ReferenceIdentifier {
  readonly name: string
  readonly from: 'operator' | 'mx-name' | 'recipient-domain'
}

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
  /** The name sent as SNI; null for an address literal (RFC 6066 §3). Always one of `references`. */
  readonly sni: string | null
}
