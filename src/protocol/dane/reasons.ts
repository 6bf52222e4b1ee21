/** Why TLSA records did not authenticate a peer, and what is worth telling about them. */
export type DaneReason =
  /** Records count, and none of them names a certificate that leads to the leaf. */
  | 'dane.no-match'
  /** Whether there are records could not be found out, or what came of them is bogus: the host may not be used (RFC 7672 §2.1.2). */
  | 'dane.lookup-failed'
  /** The route takes mail only to hosts with TLSA records, and there are none that can be used (RFC 7672 §6). */
  | 'dane.required'
  /** The same, and nothing vouches for the MX records (RFC 7672 §2.2.1). */
  | 'dane.mx-insecure'
  /** The host has records, and does not do STARTTLS (RFC 7672 §2.2). */
  | 'dane.no-starttls'
  /** Every record is unusable: RFC 7672 §2.2 asks for TLS, and for no more. */
  | 'dane.all-unusable'
  /** Some records are unusable. */
  | 'dane.record-unusable'
  /** A weaker digest beside a stronger one: RFC 7671 §9. */
  | 'dane.record-shadowed'
  /** A usage 2 record names the leaf. */
  | 'dane.ta-is-leaf'
  /** A usage 3 record names a certificate that is not the leaf. */
  | 'dane.ee-not-leaf'
  /** A record names a certificate that the server did not send, and that we were told of. */
  | 'dane.issuer-not-sent'
  /** Roots were given beside TLSA records, and play no part: RFC 7672 §3.1.3. */
  | 'dane.roots-ignored'
