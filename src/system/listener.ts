/**
 * Listening sockets: binds an address and port, the next free one if asked, and says in a sentence why it cannot.
 *
 * Success is a socket that hands out connections unread: reading begins with the first `data` listener. It keeps no count of them and ends none.
 *
 * An IPv6 address takes IPv6 only: `::` beside `0.0.0.0` on one port are two listeners, on every system and whatever `net.ipv6.bindv6only` says.
 */
import { createServer, type Server, type Socket } from 'node:net'

export interface ListenOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  /** When taken: try so many ports behind it. */
  readonly tryNext: number
  readonly onConnection: (socket: Socket) => void
  /** Accepting failed after listening began: too many open files, as a rule. */
  readonly onTrouble: (says: string) => void
}

export type ListenResult =
  | { readonly kind: 'listening'; readonly address: string; readonly port: number; close(): void }
  | {
      readonly kind: 'refused'
      readonly why: 'taken' | 'forbidden' | 'not-our-address' | 'failed'
      readonly says: string
      readonly hint: string
    }

export async function listen(options: ListenOptions): Promise<ListenResult> {
  const last = options.port === 0 ? 0 : Math.min(options.port + options.tryNext, 65_535)
  for (let port = options.port; ; port++) {
    const bound = await bind(options, port)
    if (!(bound instanceof Error)) return bound
    if (codeOf(bound) !== 'EADDRINUSE' || port >= last) return refusal(options, port, bound)
  }
}

function bind(
  options: ListenOptions,
  port: number,
): Promise<Extract<ListenResult, { kind: 'listening' }> | Error> {
  const { onConnection, onTrouble } = options
  return new Promise(resolve => {
    // Half-open: a client may close its side behind QUIT, or behind the final dot, and is owed its replies all the same.
    const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection)
    server.once('error', resolve)
    server.listen({ host: options.address, port, backlog, ipv6Only: true }, () => {
      server.removeListener('error', resolve)
      server.on('error', error => onTrouble(`Accepting a connection failed: ${error.message}.`))
      const bound = server.address()
      resolve({
        kind: 'listening',
        address: options.address,
        port: bound !== null && typeof bound === 'object' ? bound.port : port,
        close: () => server.close(),
      })
    })
  })
}

function refusal({ address, port, tryNext }: ListenOptions, tried: number, error: Error): ListenResult {
  const place = `${address.includes(':') ? `[${address}]` : address}:${port}`
  const kind = 'refused'
  switch (codeOf(error)) {
    case 'EADDRINUSE': {
      const which = tried > port ? `${place} and the ${tryNext} ports behind it are` : `${place} is`
      return {
        kind,
        why: 'taken',
        says: `${which} taken by another program.`,
        hint: `Find it with "ss -ltnp 'sport = :${port}'" and stop it, or give listen another port.`,
      }
    }
    case 'EACCES':
      return {
        kind,
        why: 'forbidden',
        says: `This user may not listen on ${place}: ports below 1024 need a privilege.`,
        hint: 'Start the relay as a service with CAP_NET_BIND_SERVICE, or listen on 2525 and let the firewall forward to it.',
      }
    case 'EADDRNOTAVAIL':
      return {
        kind,
        why: 'not-our-address',
        says: `${address} is not an address of this machine.`,
        hint: 'See "ip address" for those it has; 0.0.0.0 listens on all of IPv4, :: on all of IPv6.',
      }
    default:
      return {
        kind,
        why: 'failed',
        says: `Listening on ${place} failed: ${error.message}.`,
        hint: 'Check address and port in listen.',
      }
  }
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined
}

/** Connections that the kernel holds until we take them: a burst of clients is not to see resets. */
const backlog = 1024
