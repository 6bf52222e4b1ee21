/**
 * `hermetic tour`: starts lab and relay, lets the tour play, and on a terminal stays up until Ctrl-C.
 *
 * Exit 0 only when everything came out as expected; interrupted before its end it is stopped at once, and exits as a shell expects of a signal (130).
 * State is in a directory of the tour's own and stays there until the next tour.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { judge, reasonsOf, traceBefore } from '../../lab/judge.ts'
import type { Lab } from '../../lab/lab.ts'
import { play } from '../../lab/play.ts'
import type { RelayUnderTest } from '../../lab/relay-under-test.ts'
import type { TourMessage } from '../../tour/messages.ts'
import type { Played, Stage } from '../../tour/stage.ts'
import { claimStateDirectory } from '../../tour/state-directory.ts'
import { openingLine, runTour } from '../../tour/tour.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { aborted, firstSignal, orInterrupted, whileUp } from '../interruption.ts'
import type { LabRelay } from '../lab-relay.ts'

export async function run({ once }: { readonly once: boolean }, context: Context): Promise<number> {
  const staysUp = !once && !context.json && process.stdout.isTTY === true
  const interruption = firstSignal()
  const state = claim()
  context.say(openingLine(state.path))
  let showsLog = false
  let lab: Lab | null = null
  let relay: LabRelay | null = null
  try {
    // Only now: the first line is not to wait for all that a relay is made of.
    const { startLab } = await import('../../lab/lab.ts')
    const { startLabRelay } = await import('../lab-relay.ts')
    lab = await startLab()
    relay = await startLabRelay(lab, {
      state: state.path,
      port: firstPort,
      log: line => {
        if (showsLog) context.say(line)
      },
    })
    // What a scenario still says after the interruption is about a relay that is being stopped.
    const tell = (line: string) => {
      if (!interruption.aborted) context.say(painted(line, context))
    }
    const document = await orInterrupted(
      runTour(stage(lab, relay, interruption), { staysUp, hasSwaks: isInstalled('swaks'), tell }),
      interruption,
    )
    if (context.json) context.answer({ ...document }, '')
    if (staysUp) {
      showsLog = true
      await aborted(interruption)
    }
    return document.ok ? asHoped : answerIsNo
  } finally {
    // The hosts first: what is on its way to them need not be waited for.
    await lab?.close()
    await relay?.stop()
    state.release()
  }
}

function claim(): ReturnType<typeof claimStateDirectory> {
  try {
    return claimStateDirectory()
  } catch (error) {
    throw new CliFailure(
      'cli.start',
      `the tour can keep its state nowhere: ${error instanceof Error ? error.message : String(error)}`,
      'Set XDG_STATE_HOME or TMPDIR to a directory that this user may write.',
    )
  }
}

function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some(folder => folder !== '' && existsSync(join(folder, program)))
}

function stage(lab: Lab, relay: LabRelay, interruption: AbortSignal): Stage {
  const played = whileUp(relay, interruption)
  return {
    relay: relay.smtp,
    hostCount: lab.hosts.length,
    configuration: relay.configuration,
    play: (name, message) => playOne(lab, played, name, message),
  }
}

async function playOne(
  lab: Lab,
  relay: RelayUnderTest,
  name: string,
  message: TourMessage | null,
): Promise<Played> {
  const { scenarios } = await import('../../lab/scenarios.ts')
  const scenario = scenarios.find(candidate => candidate.name === name)
  if (scenario === undefined) throw new Error(`the lab has no scenario ${name}`)
  const seen = await play(lab, relay, scenario, message ?? undefined)
  const { ok, happened, differences } = judge(scenario, seen)
  const [arrival] = seen.arrivals
  return {
    ok,
    happened,
    differences,
    message: seen.message,
    arrival:
      arrival === undefined
        ? null
        : { host: arrival.host, sni: arrival.tls?.sni ?? null, tls: arrival.tls?.version ?? null },
    identical:
      arrival === undefined || seen.submission === null
        ? null
        : traceBefore(seen.submission.content, arrival.content) !== null,
    sessions: seen.sessions,
    reasons: reasonsOf(seen),
    reply:
      seen.injection?.reply == null ? null : `${seen.injection.reply.code} ${seen.injection.reply.lines[0] ?? ''}`,
    incidents: seen.incidents.map(({ code }) => code),
  }
}

function painted(line: string, { paint }: Context): string {
  if (line.startsWith('ok ')) return paint('green', 'ok') + line.slice(2)
  return line.startsWith('FAILED') ? paint('red', 'FAILED') + line.slice(6) : line
}

/** The tour's port, else the next free one. */
const firstPort = 2525
