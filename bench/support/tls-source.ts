/**
 * A source of mail for benchmarks: a new connection with STARTTLS for every message, `sessions` at a time.
 * Run as a process of its own: node tls-source.ts PORT MESSAGES SESSIONS BYTES
 */
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'

const [port = 0, messages = 1, sessions = 1, bytes = 4096] = process.argv.slice(2).map(Number)
const line = `${'x'.repeat(76)}\r\n`
const body = `Subject: bench\r\nFrom: <a@source.example>\r\n\r\n${line.repeat(Math.ceil(bytes / line.length))}`
let left = messages
let failed = 0

function one(): Promise<void> {
  return new Promise((resolve, reject) => {
    const plain = connectTcp(port, '127.0.0.1')
    plain.setNoDelay(true)
    plain.on('error', reject)
    const steps = ['EHLO source.example\r\n', 'STARTTLS\r\n']
    const inside = [
      'EHLO source.example\r\n',
      'MAIL FROM:<a@source.example>\r\n',
      'RCPT TO:<b@sink.example>\r\n',
      'DATA\r\n',
      `${body}.\r\n`,
      'QUIT\r\n',
    ]
    let text = ''
    const done = /(^|\n)(\d)\d\d [^\n]*\n$/
    const onPlain = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (!done.test(text)) return
      text = ''
      const step = steps.shift()
      if (step !== undefined) {
        plain.write(step)
        return
      }
      plain.removeListener('data', onPlain)
      const secure = connectTls({ socket: plain, rejectUnauthorized: false }, () =>
        secure.write(inside.shift() ?? ''),
      )
      secure.on('error', reject)
      secure.on('data', (piece: Buffer) => {
        text += piece.toString('latin1')
        const match = done.exec(text)
        if (match === null) return
        if (match[2] !== '2' && match[2] !== '3') failed++
        text = ''
        const next = inside.shift()
        if (next === undefined) secure.end()
        else secure.write(next)
      })
      secure.on('close', () => resolve())
    }
    plain.on('data', onPlain)
  })
}

async function session(): Promise<void> {
  while (left > 0) {
    left--
    await one()
  }
}

await Promise.all(Array.from({ length: sessions }, session))
if (failed > 0) {
  process.stderr.write(`${failed} negative replies\n`)
  process.exitCode = 1
}
