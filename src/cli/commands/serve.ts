/**
 * `hermetic serve`: the relay in the foreground. SIGTERM and SIGINT end it in good order, a second one at once; SIGHUP reads the configuration again.
 *
 * A fault of our own that nobody caught ends the process with 70, told in the log, and with what was in work put off: whoever supervises it starts it
 * again, and it does not begin with the message that may have met the fault.
 */
import { reloadConfiguration } from '../../relay/configuration/configuration.ts'
import type { Relay } from '../../relay/relay.ts'
import type { Settings } from '../../relay/settings.ts'
import { direct } from '../../system/dialer.ts'
import { version } from '../../system/version.ts'
import { configuredToStart } from '../configured.ts'
import { asHoped, type Context } from '../context.ts'
import { CliFailure, failures } from '../failure.ts'
import { createLogFile, createLogStream, type LogOutput } from '../log-output.ts'
import { startFailure } from '../start-failure.ts'

export async function run(context: Context): Promise<number> {
  const { settings, file, remarks } = configuredToStart(context.config)
  for (const remark of remarks) context.remark(`note: ${remark}`)
  const log = openLog(settings, context)
  // From the first: whoever has started it may end it in good order at any moment, also before it has said that it serves.
  const ended = askedToEnd()
  // After the configuration is known to be good: what is wrong there is told without loading a relay.
  const { startRelay } = await import('../../relay/relay.ts')
  const relay = await startRelay(settings, {
    dialer: direct,
    resolver: null,
    log: line => log.line(line),
    reread: running => reloadConfiguration(running, file),
  }).catch((error: unknown) => {
    throw startFailure(error, settings)
  })

  endByFault(relay, () => log.close(), context)
  process.on('SIGHUP', () => {
    log.reopen()
    void relay.reload()
  })

  const document = {
    schema: 'hermetic.serve/1' as const,
    version: version(),
    pid: process.pid,
    hostname: settings.hostname,
    state: settings.state,
    configuration: file,
    listeners: relay.listeners,
  }
  context.answer(
    document,
    [
      `hermetic ${document.version} serves as ${settings.hostname}, process ${process.pid}`,
      ...relay.listeners.map(({ address, port, tls }) => `  listens on ${address} port ${port}, TLS: ${tls}`),
      `  state in ${settings.state}, configuration ${file ?? 'built in'}, log ${settings.log.file ?? 'here'}`,
    ].join('\n'),
  )

  await ended
  await relay.stop()
  log.close()
  return asHoped
}

/** Resolves with the first SIGTERM or SIGINT; the second ends the process at once. */
function askedToEnd(): Promise<void> {
  return new Promise(resolve => {
    let asked = false
    const end = () => {
      if (asked) process.exit(1)
      asked = true
      resolve()
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
  })
}

/** The last line: what is thrown where nobody catches it, rejections included. */
function endByFault(relay: Relay, closeLog: () => void, context: Context): void {
  let isEnding = false
  const end = () => {
    closeLog()
    process.exit(failures['cli.internal'])
  }
  process.on('uncaughtException', error => {
    // One that meets the end itself must not keep it from coming.
    if (isEnding) return end()
    isEnding = true
    setTimeout(end, abandonMs)
    context.remark(
      `hermetic: a fault of Hermetic itself ends it: ${error instanceof Error ? error.message : String(error)}`,
    )
    context.remark('Please report it, with the line in the log that has its stack.')
    relay.abandon(error).then(end, end)
  })
}

/** A log file, or standard output; under --json that has the one document and nothing else. */
function openLog(settings: Settings, context: Context): LogOutput {
  const path = settings.log.file
  if (path === null) return createLogStream(context.json ? process.stderr : process.stdout)
  try {
    return createLogFile(path, text => context.remark(`hermetic: ${text}`))
  } catch (error) {
    throw new CliFailure(
      'cli.start',
      `the log file ${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      'Make its directory writable for this user, or leave log.file out.',
    )
  }
}

/** What is in work must be recorded as put off by then. */
const abandonMs = 2_000
