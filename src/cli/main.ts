/**
 * One process, one command. `./hermetic` comes here by start.js; tests call it directly.
 *
 * The exit code says what came of it (README: 0 as hoped, 1 the answer is no, 2 partly, 64 wrong usage, 65 a bad file, 69 a service out of
 * reach, 74 its output cannot be written, 78 bad configuration; `sendmail` adds 73 and 75 of sysexits.h, an interrupted `tour` or `lab run` 130). Commands are loaded when they are called, so that starting is quick.
 */
import { keepCompiledCode } from './compile-cache.js'

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
