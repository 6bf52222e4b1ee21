/**
 * A sink for benchmarks: STARTTLS with the given certificate, and the connection ends after one message, so that the sender needs a new one for the next.
 * Run as a process of its own: node tls-sink.ts PORT CHAIN KEY. Prints the number of messages so far, at most ten times a second.
 */
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

const [port, chain = '', key = ''] = process.argv.slice(2)
const secureContext = createSecureContext({ cert: readFileSync(chain), key: readFileSync(key) })
let messages = 0
let printed = 0

function converse(socket: Socket, secured: boolean): void {
  let data = false
  let text = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (;;) {
      if (data) {
        const end = text.indexOf('\r\n.\r\n')
        if (end < 0) {
          text = text.slice(-4)
          return
        }
        data = false
        text = text.slice(end + 5)
        messages++
        socket.end('250 2.0.0 taken\r\n')
        return
      }
      const end = text.indexOf('\r\n')
      if (end < 0) return
      const command = text.slice(0, end)
      text = text.slice(end + 2)
      const verb = command.slice(0, 4).toUpperCase()
      if (verb === 'EHLO')
        socket.write(`250-sink.example\r\n250-PIPELINING\r\n${secured ? '' : '250-STARTTLS\r\n'}250 8BITMIME\r\n`)
      else if (verb === 'STAR') {
        socket.removeAllListeners('data')
        socket.write('220 go\r\n')
        converse(new TLSSocket(socket, { isServer: true, secureContext }), true)
        return
      } else if (verb === 'DATA') {
        data = true
        text = `\r\n${text}`
        socket.write('354 go\r\n')
      } else if (verb === 'QUIT') {
        socket.end('221 bye\r\n')
        return
      } else socket.write('250 2.0.0 ok\r\n')
    }
  })
}

createServer({ noDelay: true }, socket => {
  socket.write('220 sink.example ESMTP\r\n')
  converse(socket, false)
}).listen(Number(port), '127.0.0.1', 1024)

setInterval(() => {
  if (messages !== printed) {
    printed = messages
    process.stdout.write(`mesg=${messages}\n`)
  }
}, 20)
