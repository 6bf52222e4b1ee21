/**
 * `hermetic lab list | run`: the scenarios, and the real relay put through them. Exit 0 when all came out as expected, 1 otherwise.
 *
 * A run keeps its state in a temporary directory, which is removed when it ends, however it ends: interrupted (exit 130), or with nobody left to read it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pageColumns, wrapped } from '../../judgement/columns.ts'
import { visible } from '../../judgement/visible.ts'
import { judge } from '../../lab/judge.ts'
import { type Lab, startLab } from '../../lab/lab.ts'
import { play } from '../../lab/play.ts'
import type { Scenario } from '../../lab/scenario.ts'
import { scenarios } from '../../lab/scenarios.ts'
import { nearest } from '../../relay/configuration/nearest.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { firstSignal, orInterrupted, whileUp } from '../interruption.ts'
import { type LabRelay, startLabRelay } from '../lab-relay.ts'
import { type Column, tableHead, tableRow } from '../table.ts'

export function list(context: Context): number {
  context.answer(
    {
      schema: 'hermetic.lab-scenarios/1',
      scenarios: scenarios.map(scenario => {
        const { name, says, expects, from } = scenario
        return { name, says, expects, from, to: recipientOf(scenario) }
      }),
    },
    [
      ...scenarios.flatMap(scenario => {
        const { name, says, expects, from } = scenario
        const to = recipientOf(scenario)
        return [
          `${context.paint('bold', name)}  (${from})`,
          ...wrapped(to === null ? says : `${to}: ${says}`, listIndent, listIndent),
          ...wrapped(`-> ${expects}`, listIndent, `${listIndent}   `),
          '',
        ]
      }),
      `${scenarios.length} scenarios. 'hermetic lab run NAME' plays one and tells what must come of it,`,
      "'hermetic lab run --all' plays all; 'hermetic lab up' lets your own programs in.",
    ].join('\n'),
  )
  return asHoped
}

/** Where another mail server would have to send to meet it; null for what is no mail. */
function recipientOf({ act }: Scenario): string | null {
  return act.kind === 'mail' ? act.to : null
}

export async function run(names: readonly string[], all: boolean, context: Context): Promise<number> {
  const chosen = choose(names, all)
  const interruption = firstSignal()
  const state = mkdtempSync(join(tmpdir(), 'hermetic-lab-run-'))
  // Also where the process ends from elsewhere: its output is closed (`| head`), or the disk is full.
  const remove = () => rmSync(state, { recursive: true, force: true, maxRetries: removeRetries })
  process.once('exit', remove)
  const rows: Row[] = []
  // One is told at length; of more there is a line each, as they end.
  const isTable = chosen.length > 1
  if (isTable) context.say(tableHead(runColumns))
  let lab: Lab | null = null
  let relay: LabRelay | null = null
  try {
    lab = await startLab()
    interruption.throwIfAborted()
    relay = await startLabRelay(lab, { state, port: 0, log: () => undefined })
    const played = whileUp(relay, interruption)
    for (const scenario of chosen) {
      const seen = await orInterrupted(play(lab, played, scenario), interruption)
      const row = { scenario, ms: seen.ms, message: seen.message, ...judge(scenario, seen) }
      rows.push(row)
      if (isTable) context.say(asTableRow(row, context))
    }
  } finally {
    // The hosts first: what is on its way to them need not be waited for.
    await lab?.close()
    await relay?.stop()
    remove()
    process.off('exit', remove)
  }

  const ok = rows.every(row => row.ok)
  context.answer(
    {
      schema: 'hermetic.lab/1',
      ok,
      scenarios: rows.map(({ scenario: { name, says, expects, from }, ...row }) => ({
        name,
        says,
        expects,
        from,
        ...row,
      })),
    },
    isTable
      ? [...rows.filter(row => !row.ok).flatMap(row => ['', ...atLength(row, context)]), '', summary(rows)].join(
          '\n',
        )
      : rows.flatMap(row => atLength(row, context)).join('\n'),
  )
  return ok ? asHoped : answerIsNo
}

interface Row {
  readonly scenario: Scenario
  readonly ok: boolean
  readonly happened: string
  readonly differences: readonly string[]
  readonly message: string | null
  readonly ms: number
}

function choose(names: readonly string[], all: boolean): readonly Scenario[] {
  if (names.length === 0 && !all)
    throw new CliFailure('cli.usage', 'which scenario?', "Name one or more of 'hermetic lab list', or give --all.")
  const known = scenarios.map(({ name }) => name)
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0) {
    const meant = [...new Set(unknown.slice(0, 5).flatMap(name => nearest(name, known) ?? []))]
    throw new CliFailure(
      'cli.usage',
      `the lab has no scenario '${unknown.map(name => visible(name, 60)).join("', '")}'`,
      `${meant.length === 0 ? '' : `Did you mean ${meant.join(', ')}? `}'hermetic lab list' lists them all.`,
    )
  }
  if (all && names.length > 0)
    throw new CliFailure(
      'cli.usage',
      '--all plays every scenario, and names were given too',
      'Leave --all out to play those alone.',
    )
  return all ? scenarios : scenarios.filter(({ name }) => names.includes(name))
}

function asTableRow({ scenario, happened, ok }: Row, context: Context): string {
  const cells = [scenario.name, scenario.expects, happened, ok ? 'ok' : 'FAILED']
  const [first = '', ...more] = tableRow(runColumns, cells, 'wrap').split('\n')
  const end = ok ? 'ok' : 'FAILED'
  const painted = first.endsWith(end)
    ? first.slice(0, -end.length) + context.paint(ok ? 'green' : 'red', end)
    : first
  return [painted, ...more].join('\n')
}

function atLength({ scenario, ok, happened, differences }: Row, context: Context): readonly string[] {
  return [
    `${ok ? context.paint('green', 'ok    ') : context.paint('red', 'FAILED')} ${context.paint('bold', scenario.name)}  (${scenario.from})`,
    ...wrapped(scenario.says, atLengthIndent, atLengthIndent),
    ...told('expected', scenario.expects),
    ...told('happened', happened),
    ...differences.flatMap(difference => {
      const [first = '', ...more] = told('but', difference)
      return [first.replace('but', () => context.paint('red', 'but')), ...more]
    }),
  ]
}

/** `expected  Delivered …`, going on below the text. */
function told(what: string, text: string): string[] {
  const first = `${atLengthIndent}${what.padEnd(10)}`
  return wrapped(text, first, ' '.repeat(first.length))
}

function summary(rows: readonly Row[]): string {
  const failed = rows.filter(({ ok }) => !ok).length
  return failed === 0 ? `${rows.length} as expected` : `${failed} of ${rows.length} not as expected`
}

const atLengthIndent = ' '.repeat(7)
/** A thread of the relay may still write into it. */
const removeRetries = 5
/** Names stay whole. */
const nameWidth = scenarios.reduce((most, { name }) => Math.max(most, name.length), 0) + 2
const listIndent = '    '
const runColumns: readonly Column[] = [
  { title: 'Scenario', width: nameWidth },
  { title: 'Expected', width: Math.floor((pageColumns - nameWidth - 7) / 2) },
  { title: 'Happened', width: Math.ceil((pageColumns - nameWidth - 7) / 2) },
  { title: '', width: 7 },
]
