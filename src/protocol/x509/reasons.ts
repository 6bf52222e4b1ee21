/** What can be said against a certificate, a path or a name. Whether it refuses is decided by the profile: rules.ts. */

/** Refused by both profiles: what could admit a wrong peer. */
export type X509Refusal =
  | 'x509.no-certificate'
  | 'x509.malformed'
  | 'x509.name-mismatch'
  | 'x509.untrusted-root'
  | 'x509.self-signed'
  | 'x509.missing-intermediate'
  | 'x509.expired'
  | 'x509.not-yet-valid'
  | 'x509.bad-signature'
  /** MD5, SHA-1 and older. */
  | 'x509.weak-signature'
  /** A signature algorithm, key type or curve we do not verify. */
  | 'x509.unsupported-algorithm'
  /** The algorithm inside the signed part is not the one outside. */
  | 'x509.algorithm-mismatch'
  /** RSA below 1,024 bits: within reach of a patient stranger. */
  | 'x509.key-too-weak'
  | 'x509.issuer-not-ca'
  | 'x509.path-length'
  /** More certificates between leaf and anchor than the caller allows. */
  | 'x509.path-too-long'
  | 'x509.issuer-key-usage'
  | 'x509.extended-key-usage'
  /** The key usage of the leaf permits nothing that a TLS handshake needs: an authority's certificate, served as a leaf. */
  | 'x509.leaf-key-usage'
  | 'x509.name-constraints'
  | 'x509.unknown-critical-extension'
  | 'x509.over-budget'

/** Faults of issuance: `strict` refuses them, `mail` reports them. */
export type X509IssuanceFault =
  /** Not DER, and yet its value is beyond doubt. */
  | 'x509.encoding'
  /** Of an extension that plays no part in validation. */
  | 'x509.extension-unreadable'
  | 'x509.key-short'
  | 'x509.key-size-odd'
  | 'x509.missing-aki'
  | 'x509.missing-ski'
  | 'x509.aki-issuer'
  | 'x509.aki-mismatch'
  | 'x509.key-id-critical'
  | 'x509.serial-number'
  | 'x509.old-version'
  | 'x509.basic-constraints-not-critical'
  | 'x509.leaf-is-ca'
  | 'x509.leaf-may-sign'
  | 'x509.san-not-critical'
  | 'x509.san-critical'
  | 'x509.no-san'
  | 'x509.name-constraints-not-critical'
  | 'x509.name-constraints-in-leaf'
  | 'x509.name-constraints-empty'
  | 'x509.policy-constraints-not-critical'
  | 'x509.malformed-name'
  | 'x509.public-suffix-wildcard'
  | 'x509.cn-not-in-san'

/** Said, never refused for. */
export type X509Remark =
  | 'x509.no-extended-key-usage'
  /** keyUsage without digitalSignature: GnuTLS hangs up on (EC)DHE and TLS 1.3 (case 2). */
  | 'x509.key-usage-no-signature'
  /** keyUsage without keyEncipherment: GnuTLS hangs up on RSA key exchange. */
  | 'x509.key-usage-no-encipherment'
  | 'x509.chain-out-of-order'
  | 'x509.chain-has-strangers'
  | 'x509.root-sent'

export type X509Reason = X509Refusal | X509IssuanceFault | X509Remark
