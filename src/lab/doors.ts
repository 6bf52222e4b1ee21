/**
 * Doors: addresses and ports of the lab that are real, inside a network namespace, and lead to the loopback ports its hosts listen on.
 *
 * Success means that every door listens. Octets pass unchanged and in the pieces they came in, an end on one side is passed on as an end. A door
 * says nothing of its own; a host that cannot be reached behind it is a connection that closes.
 */
import { once } from 'node:events'
import net from 'node:net'

export interface Door {
  readonly address: string
  readonly port: number
  readonly to: { readonly address: string; readonly port: number }
}

export interface Doors {
  close(): Promise<void>
}

/** @throws what the system says against an address or port; those that were open are closed then */
export async function openDoors(doors: readonly Door[]): Promise<Doors> {
  const sockets = new Set<net.Socket>()
  const servers: net.Server[] = []
  const close = async (): Promise<void> => {
    const closed = servers.map(server => once(server, 'close'))
    for (const server of servers) server.close()
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
  }
  try {
    for (const { address, port, to } of doors) {
      const server = net.createServer({ allowHalfOpen: true }, outside => {
        const inside = net.connect({ host: to.address, port: to.port, allowHalfOpen: true })
        join(outside, inside)
        for (const socket of [outside, inside]) {
          sockets.add(socket)
          socket.on('close', () => sockets.delete(socket))
        }
      })
      server.listen(port, address)
      await once(server, 'listening')
      servers.push(server)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

function join(one: net.Socket, other: net.Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.on('close', () => {
      if (!from.readableEnded) to.destroy()
    })
  }
}
