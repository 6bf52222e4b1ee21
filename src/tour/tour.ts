/**
 * The tour: plays its steps one after the other and tells them, in at most 25 lines of at most 100 columns.
 *
 * Success means that every step came out as the lab expects and every message that had to arrive did, byte for byte. It decides nothing itself: marks come from the stage's
 * record. What it shows passes `visible`.
 */
import { visible } from '../judgement/visible.ts'
import type { Played, Stage } from './stage.ts'
import { type Step, steps } from './steps.ts'

export interface TourDocument {
  readonly schema: 'hermetic.tour/1'
  readonly ok: boolean
  readonly relay: { readonly address: string; readonly port: number }
  readonly configuration: string
  readonly steps: readonly {
    readonly scenario: string
    readonly title: string
    readonly ok: boolean
    readonly others: string | null
    readonly did: string
    readonly message: string | null
    readonly differences: readonly string[]
  }[]
  /** The messages that were compared at the receiver. */
  readonly compared: readonly { readonly what: string; readonly bytes: number; readonly identical: boolean }[]
  /** Commands to try. */
  readonly tryNext: readonly string[]
}

export interface TourOptions {
  /** The relay stays up when the tour is told. */
  readonly staysUp: boolean
  /** swaks(1), a mail client for tests, is installed here. */
  readonly hasSwaks: boolean
  /** Receives each line when it is known, without its line end. */
  tell(line: string): void
}

/** Told before anything is started, so that something is seen at once. As long as the path is: one that is cut leads nowhere. */
export function openingLine(state: string): string {
  return visible(`Hermetic's tour. State, kept until the next tour: ${shellPath(state)}`, longestPath)
}

export async function runTour(stage: Stage, options: TourOptions): Promise<TourDocument> {
  const { staysUp, tell } = options
  const { relay } = stage
  tell(
    `Relay: SMTP on ${relay.address}:${relay.port}. Lab: DNS and ${stage.hostCount} mail hosts. All on loopback, in this process.`,
  )
  const told: TourDocument['steps'][number][] = []
  const compared: TourDocument['compared'][number][] = []
  for (const step of steps) {
    const message = step.message?.() ?? null
    const played = await stage.play(step.scenario, message)
    const line = describe(step, played)
    told.push(line)
    if (message !== null && played.identical !== null)
      compared.push({ what: message.what, bytes: message.content.length, identical: played.identical })
    if (step.lines === 'one') {
      tell(`${mark(line.ok)} ${visible(`${step.title}: ${line.did}`, columns - 7)}`)
      continue
    }
    tell(`${mark(line.ok)} ${line.title}`)
    if (line.others !== null) tell(`  others    ${line.others}`)
    tell(`  Hermetic  ${line.did}`)
  }
  const complete = compared.length === comparedMessages && compared.every(({ identical }) => identical)
  const list = compared.map(({ what, identical }) => (identical ? what : `${what} DIFFERS`)).join(', ')
  tell(`${mark(complete)} Byte-identical save Received fields: ${visible(list || 'none arrived', columns - 44)}`)

  const ok = complete && told.every(step => step.ok)
  const tryNext = commands(stage, told, options)
  tell(
    staysUp
      ? 'Stays up until Ctrl-C and shows its log from here. Try, in another terminal here:'
      : 'The tour has ended; its records are kept until the next one. Try:',
  )
  for (const command of tryNext) tell(`  ${command}`)
  return {
    schema: 'hermetic.tour/1',
    ok,
    relay,
    configuration: stage.configuration,
    steps: told,
    compared,
    tryNext,
  }
}

function describe(step: Step, played: Played): TourDocument['steps'][number] {
  const { title, scenario, others } = step
  const did = played.ok ? step.did(played) : `${played.differences[0] ?? 'not as expected'} (${played.happened})`
  const shown = {
    title: visible(title, columns - 7),
    others: others === null ? null : visible(others, columns - 12),
  }
  return {
    scenario,
    ok: played.ok,
    ...shown,
    did: visible(did, columns - 12),
    message: played.message,
    differences: played.differences,
  }
}

/**
 * Three commands that work as they stand, from the checkout: while it stays up, with its DNS and its relay; once it has ended, without.
 */
function commands(stage: Stage, told: TourDocument['steps'], options: TourOptions): readonly string[] {
  const first = told.find(({ message }) => message !== null)?.message ?? ''
  const config = `--config ${shellPath(stage.configuration)}`
  const { address, port } = stage.relay
  const log = `./hermetic log ${first} ${config}`
  const queue = `./hermetic queue list ${config}`
  if (!options.staysUp) return [`./hermetic log ${config}`, log, queue]
  const send = `swaks --server ${address}:${port} --tls --from alice@sender.example --to bob@dev.example`
  return [log, `./hermetic route user@et.example ${config}`, options.hasSwaks ? send : queue]
}

/** A path for a shell: short where nothing needs quotes, as quotes would keep `~` from being the home directory. */
function shellPath(path: string): string {
  if (!/^[\w./-]+$/.test(path)) return `'${path.replaceAll("'", `'\\''`)}'`
  const home = process.env['HOME']
  return home !== undefined && home !== '/' && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}

function mark(ok: boolean): string {
  return ok ? 'ok    ' : 'FAILED'
}

const columns = 100
/** Linux's longest path, and room for words and escapes. */
const longestPath = 8_192
/** Messages that must arrive: all but the one with the wrong certificate. */
const comparedMessages = 6
