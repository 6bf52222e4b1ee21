/**
 * Takes one large message into a spool and reads it back, for the test of how much memory that needs: prints by how much the process grew at its largest.
 *
 *     node large-message.ts DIRECTORY MEGABYTES
 */
import { openSpool } from '../sqlite-spool.ts'
import { sampleMessage } from './samples.ts'

const megabytes = Number(process.argv[3])
const spool = await openSpool({ directory: process.argv[2] ?? '', partition: 0, minFreeBytes: 0, now: Date.now })
const before = process.memoryUsage.rss()
let largest = before

const message = sampleMessage(spool)
const body = spool.openBody()
// In pieces as a socket gives them; always the same one, so that what is measured is the spool's memory and not this loop's garbage.
const piece = Buffer.alloc(65536, 'x')
for (let i = 0; i < megabytes * 16; i++) {
  const fault = await body.write(piece)
  if (fault !== undefined) throw new Error(fault.says)
  largest = Math.max(largest, process.memoryUsage.rss())
  // A socket gives the loop a turn between two reads.
  if (i % 4 === 0) await new Promise(setImmediate)
}
const fault = await spool.accept(message, body)
if (fault !== null) throw new Error(fault.says)
let readBytes = 0
for await (const part of spool.read(message.id)) {
  readBytes += part.length
  largest = Math.max(largest, process.memoryUsage.rss())
}
await spool.close()
process.stdout.write(
  JSON.stringify({ grownMb: Math.round((largest - before) / 1048576), sizeBytes: body.size, readBytes }),
)
