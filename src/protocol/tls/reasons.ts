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
