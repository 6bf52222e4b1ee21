/** Why a TLS handshake of ours failed before any certificate was judged. */
export type TlsReason =
  | 'tls.handshake-failed'
  | 'tls.not-tls'
  | 'tls.closed'
  | 'tls.timeout'
  | 'tls.no-common-version'
  | 'tls.no-common-cipher'
  | 'tls.short-dh-prime'
  | 'tls.no-secure-renegotiation'
  | 'tls.alert'

/** Why a peer's certificate chain did not prove the name that was asked of it. */
export type CertificateReason =
  | 'x509.no-certificate'
  | 'x509.name-mismatch'
  | 'x509.untrusted-root'
  | 'x509.self-signed'
  | 'x509.missing-intermediate'
  | 'x509.expired'
  | 'x509.not-yet-valid'
  | 'x509.path-invalid'
