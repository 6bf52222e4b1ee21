/** A large message costs disk, not memory: through the whole relay as a process, in and out. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startHermetic, temporaryDirectory } from '../support/hermetic.ts'
import { until } from '../support/process.ts'
import { startSink } from '../support/sink.ts'
import { submit } from '../support/source.ts'

const megabyte = 1024 * 1024

/** In bytes: now, and the most it ever was. */
function resident(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024
  return { now: of('VmRSS'), most: of('VmHWM') }
}

test.for([{ tls: false }, { tls: true }])(
  'a message of 100 MB takes less than 64 MB of extra memory (TLS: $tls)',
  async ({ tls }) => {
    const directory = temporaryDirectory('memory')
    const sink = await startSink()
    const hermetic = await startHermetic({
      directory: directory.path,
      yaml: [
        'limits: { message: 120MB }',
        'routes:',
        `  - { name: sink, to: { host: 127.0.0.1, port: ${sink.port} } }`,
      ],
    })
    try {
      // The first message loads what is loaded once.
      await submit(hermetic.port, Buffer.from('Subject: small\r\n\r\nsmall\r\n'), { tls })
      await until(() => sink.received.length === 1, 'the small message has arrived')
      const before = resident(hermetic.pid)
      const content = Buffer.alloc(100 * megabyte, `${'x'.repeat(98)}\r\n`)
      content.write('Subject: large\r\n\r\n')
      await submit(hermetic.port, content, { tls })
      await until(() => sink.received.length === 2, 'the large message has arrived', 60_000)
      expect(sink.received[1]?.content.subarray(-content.length).equals(content)).toBe(true)
      expect(resident(hermetic.pid).most - before.now).toBeLessThan(64 * megabyte)
    } finally {
      await hermetic.stop()
      await sink.stop()
      directory.remove()
    }
  },
)
