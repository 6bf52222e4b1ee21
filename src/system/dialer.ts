/**
 * Where a connection to `host`/`address`/`port` really goes (ARCHITECTURE decision 12). The relay uses `direct`. The lab and tests give a
 * map, so that everything runs without root while names, SNI and later TLSA owners stay those of port 25.
 */
export interface DialTarget {
  readonly host: string
  readonly address: string
  readonly port: number
}

export type Dialer = (target: DialTarget) => { readonly address: string; readonly port: number } | 'unreachable'

/** Connects to the target itself. */
export const direct: Dialer = ({ address, port }) => ({ address, port })

/**
 * A dialer from a map of `address:port` (or `host:port`) to `address:port`. What is not in the map is unreachable,
 * except loopback: a lab never touches an address outside it.
 */
export function mapped(map: ReadonlyMap<string, { readonly address: string; readonly port: number }>): Dialer {
  return ({ host, address, port }) => {
    const target = map.get(`${address}:${port}`) ?? map.get(`${host}:${port}`)
    if (target !== undefined) return target
    return address.startsWith('127.') || address === '::1' ? { address, port } : 'unreachable'
  }
}
