/**
 * `hermetic lab list | run`: the scenarios, and the real relay put through them. Exit 0 when all came out as expected, 1 otherwise.
 *
 * A run keeps its state in a temporary directory, which is removed when it ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judge } from '../../lab/judge.ts'
import { startLab } from '../../lab/lab.ts'
import { play } from '../../lab/play.ts'
import { type Scenario, scenarios } from '../../lab/scenarios.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { startLabRelay } from '../lab-relay.ts'

export function list(context: Context): number {
  context.answer(
    {
      schema: 'hermetic.lab-scenarios/1',
      scenarios: scenarios.map(({ name, says, expects, from }) => ({ name, says, expects, from })),
    },
    [
      ...scenarios.flatMap(asParagraph),
      '',
      "'hermetic lab run NAME' plays one, 'hermetic lab run --all' all.",
    ].join('\n'),
  )
  return asHoped
}

function asParagraph({ name, says, expects, from }: Scenario): readonly string[] {
  return [`${name}  (${from})`, `  ${says}`, `  -> ${expects}`]
}

export async function run(names: readonly string[], all: boolean, context: Context): Promise<number> {
  const chosen = choose(names, all)
  const state = mkdtempSync(join(tmpdir(), 'hermetic-lab-'))
  const rows: Row[] = []
  try {
    const lab = await startLab()
    try {
      const relay = await startLabRelay(lab, { state, port: 0, log: () => undefined })
      try {
        for (const scenario of chosen) {
          const seen = await play(lab, relay, scenario)
          rows.push({ scenario, ms: seen.ms, message: seen.message, ...judge(scenario, seen) })
        }
      } finally {
        await relay.stop()
      }
    } finally {
      await lab.close()
    }
  } finally {
    rmSync(state, { recursive: true, force: true })
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
    text(rows, context),
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
  const unknown = names.filter(name => !scenarios.some(scenario => scenario.name === name))
  if (unknown.length > 0)
    throw new CliFailure(
      'cli.usage',
      `the lab has no scenario '${unknown.map(name => name.slice(0, 60)).join("', '")}'`,
      `There are: ${scenarios.map(({ name }) => name).join(', ')}.`,
    )
  return all ? scenarios : scenarios.filter(({ name }) => names.includes(name))
}

function text(rows: readonly Row[], context: Context): string {
  const lines = rows.flatMap(({ scenario, ok, happened, differences }) => [
    `${ok ? context.paint('green', 'ok    ') : context.paint('red', 'FAILED')} ${context.paint('bold', scenario.name)}  (${scenario.from})`,
    `       ${scenario.says}`,
    `       expected  ${scenario.expects}`,
    `       happened  ${happened}`,
    ...differences.map(difference => `       ${context.paint('red', 'but')}       ${difference}`),
  ])
  const failed = rows.filter(({ ok }) => !ok).length
  return [
    ...lines,
    '',
    failed === 0 ? `${rows.length} as expected` : `${failed} of ${rows.length} not as expected`,
  ].join('\n')
}
