/**
 * The entry of `./hermetic`: one process, one command.
 *
 * The exit code says what came of it (README: 0 as hoped, 1 the answer is no, 2 partly, 64 wrong usage, 65 a bad file, 69 a service out of
 * reach, 74 its output cannot be written, 78 bad configuration; `sendmail` adds 73 and 75 of sysexits.h, an interrupted `tour` 130). Commands are loaded when they are called, so that starting is quick.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { compileCacheDirectory } from './compile-cache.ts'

keepCompiledCode()
// A reader that went away (`| head`) is no failure of ours; there is nobody left to tell anything.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The log of a relay, on a disk that is full or with its reader gone: it costs lines, and mail goes on.
    if (stream.listenerCount('error') > 1) return
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    if (stream !== process.stderr)
      process.stderr.write(`hermetic: standard output cannot be written (${error.code ?? error.message})\n`)
    process.exit(74)
  })

// The last line, for a fault of ours where nobody catches it. A relay has one of its own.
process.on('uncaughtException', (error: unknown) => {
  if (process.listenerCount('uncaughtException') > 1) return
  const says = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`hermetic: a fault of Hermetic itself: ${says}\nPlease report it, with the lines above.\n`)
  process.exit(70)
})

const { run } = await import('./program.ts')
process.exitCode = await run(process.argv.slice(2))

function keepCompiledCode(): void {
  // Set by whoever started us: Node has taken it already, and the choice is his.
  if ((process.env['NODE_COMPILE_CACHE'] ?? '') !== '') return
  const packages = join(import.meta.dirname, '..', '..', 'node_modules')
  const directory = compileCacheDirectory({ packages, env: process.env, uid: process.getuid?.() ?? null })
  if (directory === null) return
  enableCompileCache(directory)
  // Threads look for it here.
  process.env['NODE_COMPILE_CACHE'] = directory
}
