/**
 * Outgoing connections: TCP with a time limit, and TLS on top of it.
 *
 * Success of `secureClient` means only that a handshake was completed: the certificate is not judged here (`rejectUnauthorized` is off),
 * and whoever calls must not write a byte of mail before it was. No session is ever resumed, because a resumed one shows no certificate.
 * Failures are values with the system's or OpenSSL's own code; what they mean is for others.
 */
import { constants, type X509Certificate } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  DEFAULT_CIPHERS,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'

interface ConnectionFault {
  readonly kind: 'failed'
  /** `ECONNREFUSED`, `ERR_SSL_WRONG_VERSION_NUMBER`; `TIMEOUT` when our own limit ended it, `CLOSED` when the peer did without a word, `STOPPED` when we stopped. */
  readonly code: string
  readonly message: string
}

/** How long to wait, and what ends the wait early. */
export interface Patience {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export type Connected = { readonly kind: 'connected'; readonly socket: Socket } | ConnectionFault

export type Secured = { readonly kind: 'secured'; readonly socket: TLSSocket } | ConnectionFault

/** Connects to an address. Nothing is read from the socket before somebody listens to its data. */
export function connectTcp(
  target: { readonly address: string; readonly port: number },
  { timeoutMs, signal }: Patience,
): Promise<Connected> {
  return new Promise(resolve => {
    const socket = connect({ host: target.address, port: target.port, noDelay: true })
    // Stays when all others leave: between two owners an error has nobody else, and would end the process.
    socket.on('error', () => {})
    const end = (result: Connected) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onStop)
      socket.off('connect', onConnect)
      if (result.kind === 'failed') socket.destroy()
      else socket.off('error', onError)
      resolve(result)
    }
    const onConnect = () => end({ kind: 'connected', socket })
    const onError = (error: Error) => end(faultOf(error))
    const onStop = () => end(stopped)
    const timer = setTimeout(() => end(timedOut(timeoutMs)), timeoutMs)
    socket.on('connect', onConnect)
    socket.on('error', onError)
    signal.addEventListener('abort', onStop)
    if (signal.aborted) onStop()
  })
}

export interface ClientTlsOptions {
  readonly context: SecureContext
  /** The name for SNI; null sends none. */
  readonly sni: string | null
}

/** A TLS handshake as the client on a connected socket, which must have no listeners any more and is ours from here on. */
export function secureClient(
  socket: Socket,
  { context, sni }: ClientTlsOptions,
  { timeoutMs, signal }: Patience,
): Promise<Secured> {
  return new Promise(resolve => {
    const secured = connectTls({
      socket,
      secureContext: context,
      ...(sni === null ? {} : { servername: sni }),
      rejectUnauthorized: false,
      // Names are judged by our own rule; without this line OpenSSL's opinion on the path would be mixed with Node's on the name.
      checkServerIdentity: () => undefined,
    })
    const end = (result: Secured) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onStop)
      secured.off('secureConnect', onSecure)
      secured.off('end', onEnd)
      secured.off('close', onEnd)
      if (result.kind === 'failed') {
        secured.destroy()
        socket.destroy()
      } else secured.off('error', onError)
      resolve(result)
    }
    const onSecure = () => end({ kind: 'secured', socket: secured })
    const onError = (error: Error) => end(faultOf(error))
    const onEnd = () => end({ kind: 'failed', code: 'CLOSED', message: 'closed by the peer' })
    const onStop = () => end(stopped)
    const timer = setTimeout(() => end(timedOut(timeoutMs)), timeoutMs)
    secured.on('secureConnect', onSecure)
    secured.on('error', onError)
    secured.on('end', onEnd)
    secured.on('close', onEnd)
    // As in `connectTcp`. The raw socket, too, may still report what the TLS one reported already.
    secured.on('error', () => {})
    socket.on('error', () => {})
    signal.addEventListener('abort', onStop)
    if (signal.aborted) onStop()
  })
}

/** Which chain a server is asked to show: whichever it prefers, or only one whose own key is RSA, or ECDSA (RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1). */
export type ServerKeys = 'any' | 'rsa' | 'ecdsa'

/**
 * What a client's context trusts and refuses.
 * @param roots PEM of the only roots to trust; null: Mozilla's, as Node carries them.
 * @param keys other than `any` leaves out what the other kind of key would sign, so that a server without such a chain cannot shake hands
 */
export function createClientContext(roots: string | null, keys: ServerKeys = 'any'): SecureContext {
  return createSecureContext({
    // What an operator trusts is trusted, also an intermediate or a server's own certificate: as our own validation has it.
    ...(roots === null ? {} : { ca: roots, allowPartialTrustChain: true }),
    ...(keys === 'any' ? {} : onlyKeys[keys]),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  })
}

/** PEM of the roots that `createClientContext(null)` trusts. */
export function defaultRoots(): string {
  return getCACertificates('default').join('\n')
}

export interface TlsSessionFacts {
  /** `TLSv1.3`. */
  readonly version: string | null
  readonly cipher: string | null
  readonly group: string | null
  /** As sent, leaf first; empty when the peer sent none. At most 100: OpenSSL takes no more than some 100 KB of them in any case. */
  readonly chain: readonly X509Certificate[]
  /** OpenSSL's opinion on the path alone. `error`: its code, such as `CERT_HAS_EXPIRED`. */
  readonly authorized: boolean
  readonly error: string | null
}

export function tlsSessionFacts(socket: TLSSocket): TlsSessionFacts {
  const chain: X509Certificate[] = []
  // The property's name lies: it walks what the peer sent in the order of the wire, not who issued what.
  let next = socket.getPeerX509Certificate()
  while (next !== undefined && chain.length < maxChainLength) {
    chain.push(next)
    next = next.issuerCertificate
  }
  const { authorizationError } = socket
  return {
    version: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    group: groupOf(socket),
    chain,
    authorized: socket.authorized && !socket.isSessionReused(),
    error: authorizationError === undefined || authorizationError === null ? null : String(authorizationError),
  }
}

function groupOf(socket: TLSSocket): string | null {
  const info = socket.getEphemeralKeyInfo()
  if (info === null || !('type' in info) || typeof info.type !== 'string') return null
  const name = 'name' in info && typeof info.name === 'string' ? info.name : null
  const size = 'size' in info && typeof info.size === 'number' ? String(info.size) : null
  // TLS 1.3 with a group that is neither DH nor a plain curve: its name says all.
  if (info.type === 'TLSGroup') return name
  return [info.type, name, size].filter(part => part !== null && part !== '').join(' ')
}

function faultOf(error: Error): ConnectionFault {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
  return { kind: 'failed', code, message: error.message }
}

function timedOut(timeoutMs: number): ConnectionFault {
  return { kind: 'failed', code: 'TIMEOUT', message: `nothing within ${timeoutMs / 1000} s` }
}

const stopped: ConnectionFault = { kind: 'failed', code: 'STOPPED', message: 'stopped by us' }

const maxChainLength = 100

/** TLS 1.3 goes by the signature algorithms alone; in TLS 1.2 the cipher suite names the kind of key, too. */
const onlyKeys = {
  rsa: {
    sigalgs: ['rsa_pss_rsae', 'rsa_pss_pss', 'rsa_pkcs1']
      .flatMap(kind => [`${kind}_sha256`, `${kind}_sha384`, `${kind}_sha512`])
      .join(':'),
    ciphers: `${DEFAULT_CIPHERS}:!aECDSA`,
  },
  ecdsa: {
    sigalgs: 'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512',
    ciphers: `${DEFAULT_CIPHERS}:!aRSA`,
  },
} as const satisfies Record<Exclude<ServerKeys, 'any'>, object>
