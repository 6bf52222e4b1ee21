/**
 * A process that accepts messages into a spool until it is killed, for the crash test: prints each id once it was answered for, with
 * the length and seed of its content, and settles every fourth one at once (printing that too).
 *
 *     node accept-loop.ts DIRECTORY
 */
import { openSpool } from '../sqlite-spool.ts'
import { sampleBytes, sampleMessage, writeAll } from './samples.ts'

const spool = await openSpool({ directory: process.argv[2] ?? '', partition: 0, minFreeBytes: 0, now: Date.now })

async function loop(lane: number): Promise<never> {
  for (let turn = 0; ; turn++) {
    const seed = lane * 1000 + turn
    // Mostly small ones; now and then one that is a file.
    const size = turn % 10 === 9 ? 300_000 + seed : 1000 + seed
    const message = sampleMessage(spool, 1, Date.now())
    const body = spool.openBody()
    await writeAll(body, sampleBytes(size, seed))
    const fault = await spool.accept(message, body)
    if (fault !== null) throw new Error(fault.says)
    process.stdout.write(`accepted ${message.id} ${size} ${seed}\n`)
    if (turn % 4 === 0) {
      process.stdout.write(`settling ${message.id}\n`)
      await spool.settle({ id: message.id, done: [0], deferred: [] })
    }
  }
}

await Promise.all(Array.from({ length: 8 }, (_, lane) => loop(lane)))
