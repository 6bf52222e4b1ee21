/**
 * From the codes of the system and of OpenSSL to our reasons: why a connection or a TLS handshake of ours failed.
 * A code that is not known keeps its text as the detail; nothing is guessed.
 */
import type { TlsReason } from '../protocol/tls/reasons.ts'
import type { Failure, NetReason } from './failure.ts'

/** A code such as `ECONNREFUSED` or `ERR_SSL_WRONG_VERSION_NUMBER`, and the text that came with it. */
export interface Fault {
  readonly code: string
  readonly message: string
}

export function connectFailure({ code, message }: Fault): Failure {
  const reason = netReasons.get(code) ?? 'net.failed'
  return { reason, detail: reason === 'net.refused' ? null : message, reply: null }
}

export function handshakeFailure({ code, message }: Fault): Failure {
  const alert = alertName(code)
  if (alert !== null)
    return { reason: alertReasons.get(alert) ?? 'tls.alert', detail: `alert ${alert}`, reply: null }
  return { reason: tlsReasons.get(code) ?? 'tls.handshake-failed', detail: openSslText(message), reply: null }
}

/** OpenSSL speaks of a TLS fault, rather than the system of a connection. */
export function isTlsCode(code: string): boolean {
  return code.startsWith('ERR_SSL_')
}

/** `ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION`, `ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE`: the alert's name by RFC 8446 §6.2. */
function alertName(code: string): string | null {
  return /_ALERT_(.+)$/.exec(code)?.[1]?.toLowerCase() ?? null
}

/** `40B7…:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/…:` is told by its fourth part. */
function openSslText(message: string): string {
  return /:error:[^:]*:[^:]*:[^:]*:([^:]+)/.exec(message)?.[1] ?? message
}

const netReasons: ReadonlyMap<string, NetReason> = new Map([
  ['ECONNREFUSED', 'net.refused'],
  ['TIMEOUT', 'net.timeout'],
  ['ETIMEDOUT', 'net.timeout'],
  ['ENETUNREACH', 'net.unreachable'],
  ['EHOSTUNREACH', 'net.unreachable'],
  ['EHOSTDOWN', 'net.unreachable'],
  ['EADDRNOTAVAIL', 'net.unreachable'],
  ['ENETDOWN', 'net.unreachable'],
  ['ECONNRESET', 'net.reset'],
  ['EPIPE', 'net.reset'],
])

const alertReasons: ReadonlyMap<string, TlsReason> = new Map([
  ['protocol_version', 'tls.no-common-version'],
  ['insufficient_security', 'tls.no-common-cipher'],
])

const tlsReasons: ReadonlyMap<string, TlsReason> = new Map([
  ['TIMEOUT', 'tls.timeout'],
  ['ETIMEDOUT', 'tls.timeout'],
  ['CLOSED', 'tls.closed'],
  ['ECONNRESET', 'tls.closed'],
  ['EPIPE', 'tls.closed'],
  ['ERR_SSL_UNEXPECTED_EOF_WHILE_READING', 'tls.closed'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls.not-tls'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'tls.not-tls'],
  ['ERR_SSL_BAD_RECORD_TYPE', 'tls.not-tls'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'tls.no-common-version'],
  ['ERR_SSL_VERSION_TOO_LOW', 'tls.no-common-version'],
  ['ERR_SSL_WRONG_SSL_VERSION', 'tls.no-common-version'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'tls.no-common-cipher'],
  ['ERR_SSL_WRONG_CIPHER_RETURNED', 'tls.no-common-cipher'],
  ['ERR_SSL_UNKNOWN_CIPHER_RETURNED', 'tls.no-common-cipher'],
  ['ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM', 'tls.no-common-cipher'],
  ['ERR_SSL_NO_SUITABLE_KEY_SHARE', 'tls.no-common-cipher'],
  ['ERR_SSL_WRONG_SIGNATURE_TYPE', 'tls.no-common-cipher'],
  ['ERR_SSL_DH_KEY_TOO_SMALL', 'tls.short-dh-prime'],
  ['ERR_SSL_UNKNOWN_SECURITY_BITS', 'tls.short-dh-prime'],
  ['ERR_SSL_MODULUS_TOO_SMALL', 'tls.short-dh-prime'],
  ['ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED', 'tls.no-secure-renegotiation'],
])
