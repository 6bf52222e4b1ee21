/** Opens TLS connections by STARTTLS and holds them: node idle-clients.ts PORT COUNT. Prints `held N` when all stand, and ends with its standard input. */
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

const [port = 0, count = 1] = process.argv.slice(2).map(Number)
const held: unknown[] = []

/** From a loopback address of its own for every 200, so that a limit per client address does not stand in the way. */
function one(index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const plain = connect({ port, host: '127.0.0.1', localAddress: `127.0.${1 + Math.floor(index / 200)}.1` })
    plain.on('error', reject)
    let text = ''
    let step = 0
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (!/(^|\n)\d\d\d [^\n]*\n$/.test(text)) return
      text = ''
      if (step++ === 0) plain.write('EHLO idle.example\r\n')
      else if (step === 2) plain.write('STARTTLS\r\n')
      else {
        plain.removeListener('data', read)
        const secure = connectTls({ socket: plain, rejectUnauthorized: false }, () =>
          secure.write('EHLO idle.example\r\n'),
        )
        secure.on('error', reject)
        secure.once('data', () => {
          held.push(secure)
          resolve()
        })
      }
    }
    plain.on('data', read)
  })
}

for (let from = 0; from < count; from += 50)
  await Promise.all(Array.from({ length: Math.min(50, count - from) }, (_, index) => one(from + index)))
process.stdout.write(`held ${held.length}\n`)
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
