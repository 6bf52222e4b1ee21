/**
 * Debian's unbound as a validating resolver that forwards everything to one server, for benchmarks: one thread, and what it keeps can be flushed.
 * It asks at most one question for each that it is asked: it neither fetches ahead nor answers one name by the proof of another (`aggressive-nsec`).
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { encodeMessage, makeQuery } from '../../src/protocol/dns/message.ts'
import type { WireQuestion } from '../../src/protocol/dnssec/types.ts'
import { freePort, run, start, until } from '../../test/support/process.ts'

export interface Unbound {
  /** Asks all of them, so many at a time. @throws Error for an answer that is not secure */
  ask(questions: readonly WireQuestion[], concurrency: number): Promise<void>
  flush(): Promise<void>
  /** CPU time it has taken so far, in microseconds, by the kernel's scheduler; null where that does not tell. */
  cpuUs(): number | null
  stop(): Promise<void>
}

/** What it says of itself; null when it is neither where test/peers/install puts it nor on the path. */
export async function unboundVersion(): Promise<string | null> {
  const said = await run(program(), ['-V']).catch(() => null)
  return said === null ? null : (/^Version (\S+)/m.exec(said.stdout)?.[1] ?? 'unknown')
}

/** @param forwardTo port of a server on 127.0.0.1. @param keys of the root, as master-file lines */
export async function startUnbound(
  directory: string,
  forwardTo: number,
  keys: readonly string[],
): Promise<Unbound> {
  const port = await freePort()
  const control = join(directory, `control-${port}`)
  const anchors = join(directory, `root-${port}.key`)
  const configuration = join(directory, `unbound-${port}.conf`)
  writeFileSync(anchors, `${keys.join('\n')}\n`)
  const lines = [
    'server:',
    ` interface: 127.0.0.1@${port}`,
    ' num-threads: 1',
    ' username: ""',
    ' chroot: ""',
    ' pidfile: ""',
    ` directory: "${directory}"`,
    ' use-syslog: no',
    ' do-ip6: no',
    ' do-not-query-localhost: no',
    ' aggressive-nsec: no',
    ' trust-anchor-signaling: no',
    ` trust-anchor-file: "${anchors}"`,
    'remote-control:',
    ' control-enable: yes',
    ` control-interface: ${control}`,
    ' control-use-cert: no',
    'forward-zone:',
    ' name: "."',
    ` forward-addr: 127.0.0.1@${forwardTo}`,
  ]
  writeFileSync(configuration, `${lines.join('\n')}\n`)
  const daemon = start(program(), ['-d', '-c', configuration])
  await until(() => existsSync(control), 'unbound listens', 10_000, 20).catch(() => {
    throw new Error(`unbound did not start: ${daemon.output()}`)
  })
  const socket = createSocket('udp4')
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let heard = (_: Buffer): void => undefined
  socket.on('message', message => heard(message))

  return {
    ask(questions, concurrency) {
      const queries = questions.map(queryOf)
      return new Promise((resolve, reject) => {
        let sent = 0
        let answered = 0
        const late = setTimeout(
          () => reject(new Error(`unbound answered ${answered} of ${queries.length}`)),
          30_000,
        )
        const sendNext = () => {
          const query = queries[sent]
          if (query === undefined) return
          query.writeUInt16BE(sent++, 0)
          socket.send(query)
        }
        heard = message => {
          const asked = questions[message.readUInt16BE(0)]
          const isSecure = (message.readUInt16BE(2) & adBit) !== 0 && (message.readUInt16BE(2) & 0xf) === 0
          if (isSecure && ++answered < queries.length) return sendNext()
          clearTimeout(late)
          if (isSecure) resolve()
          else reject(new Error(`unbound does not say secure: ${JSON.stringify(asked)}`))
        }
        for (let first = 0; first < concurrency; first++) sendNext()
      })
    },
    async flush() {
      const connection = createConnection(control)
      connection.end('UBCT1 flush_zone .\n')
      let said = ''
      for await (const bytes of connection) said += String(bytes)
      if (!said.startsWith('ok')) throw new Error(`unbound was not flushed: ${said}`)
    },
    cpuUs() {
      try {
        return Number(readFileSync(`/proc/${daemon.child.pid}/schedstat`, 'latin1').split(' ')[0]) / 1_000
      } catch {
        return null
      }
    },
    async stop() {
      socket.close()
      await daemon.stop()
    },
  }
}

/** AD is set: who asks wants to know, and not the signatures (RFC 6840 §5.7). */
function queryOf({ name, type }: WireQuestion): Buffer {
  const edns = { udpPayloadBytes: 1_232, version: 0, dnssecOk: false, options: [] }
  return Buffer.from(encodeMessage({ ...makeQuery({ id: 0, name, type, edns }), authenticData: true }))
}

/** Where test/peers/install puts it, so that no name server is started; else an installed one. */
function program(): string {
  const unpacked = join(process.env['HERMETIC_PEERS'] ?? '/opt/hermetic-peers', 'unbound/usr/sbin/unbound')
  return existsSync(unpacked) ? unpacked : 'unbound'
}

const adBit = 0x20
