/** The first flight of a TLS client as OpenSSL makes it. */
import { createServer } from 'node:net'
import { connect } from 'node:tls'

let made: Promise<Buffer> | null = null

export function clientHello(): Promise<Buffer> {
  made ??= new Promise((resolve, reject) => {
    const server = createServer(socket => {
      socket.once('data', (bytes: Buffer) => {
        socket.destroy()
        server.close()
        resolve(bytes)
      })
    })
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
    })
  })
  return made
}
