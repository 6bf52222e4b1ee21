/**
 * How a name server is written: an address with its port, or `tls://` for one that is asked over TLS (RFC 7858) and must prove a name (RFC 8310 §5, the
 * strict profile).
 *
 * What is read here is written by the operator. The forms are those of other programs: `tls://192.0.2.53`, as CoreDNS and dnsproxy have it, and `#name`, as
 * unbound and systemd-resolved have it.
 */
import { isIPv6 } from 'node:net'
import { parseIp } from '../protocol/ip.ts'

export interface NameServer {
  readonly address: string
  readonly port: number
  /** What its certificate must prove (RFC 8310 §2): lower case, no last dot. Null: it is asked in clear text. */
  readonly authenticationName: string | null
}

/** RFC 1035 §4.2. */
export const clearPort = 53

/** RFC 7858 §3.1. */
export const tlsPort = 853

/**
 * `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`; with `tls://` before and `#dns.example` behind, over TLS. IPv6 with a port is written
 * in brackets. Null when it is none of these.
 */
export function parseNameServer(text: string): NameServer | null {
  const [, address, name] = /^tls:\/\/([^#]*)#(.*)$/i.exec(text) ?? []
  if (address === undefined || name === undefined) {
    const place = parsePlace(text, clearPort)
    return place === null ? null : { ...place, authenticationName: null }
  }
  const place = parsePlace(address, tlsPort)
  const authenticationName = parseAuthenticationName(name)
  return place === null || authenticationName === null ? null : { ...place, authenticationName }
}

/** `192.0.2.53:53`, `[2001:db8::53]:53`, `tls://192.0.2.53:853#dns.example`: with the port always, and as `parseNameServer` reads it. */
export function nameServerText({ address, port, authenticationName }: NameServer): string {
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return authenticationName === null ? place : `tls://${place}#${authenticationName}`
}

function parsePlace(text: string, usualPort: number): { readonly address: string; readonly port: number } | null {
  // A link-local server may carry its interface: `fe80::1%eth0`.
  if (parseIp(text) !== null || isIPv6(text)) return { address: text, port: usualPort }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([0-9.]+))(?::([0-9]{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? plain ?? ''
  const isAddress = bracketed === undefined ? parseIp(address)?.length === 4 : isIPv6(address)
  const port = digits === undefined ? usualPort : Number(digits)
  return isAddress && port >= 1 && port <= 65_535 ? { address, port } : null
}

/** A host name of two labels or more, in A-labels: what certificates carry. An address is none. */
function parseAuthenticationName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '')
  const isHostName =
    /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
  return isHostName && /^[\x21-\x7e]+$/.test(text) ? name : null
}
