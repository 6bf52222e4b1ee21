/** The settings of a command: from `--config`, $HERMETIC_CONFIG or the system's file; or the failure (78) that lists every problem. */
import { wrapped } from '../judgement/columns.ts'
import { type Loaded, loadConfiguration } from '../relay/configuration/configuration.ts'
import { type Problem, problemText } from '../relay/configuration/problem.ts'
import { configurationFile, realSurroundings } from '../relay/configuration/surroundings.ts'
import type { Settings } from '../relay/settings.ts'
import { CliFailure } from './failure.ts'

export interface Configured {
  readonly settings: Settings
  /** The file it came from; null for the defaults alone. */
  readonly file: string | null
  readonly remarks: readonly string[]
  /** What keeps a relay from starting with it on this machine; other commands need not care. */
  readonly atStart: readonly Problem[]
}

/** @throws CliFailure 78 when the file is bad, or no relay may start with it here */
export function configuredToStart(option: string | null): Configured {
  const loaded = configured(option)
  if (loaded.atStart.length > 0) throw configurationFailure(loaded.atStart)
  return loaded
}

export function configured(option: string | null): Configured {
  const surroundings = realSurroundings()
  const file = configurationFile(option, surroundings)
  const loaded: Loaded = loadConfiguration(file, surroundings)
  if ('problems' in loaded) throw configurationFailure(loaded.problems)
  return { ...loaded, file }
}

export function configurationFailure(problems: readonly Problem[]): CliFailure {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  return new CliFailure(
    'cli.configuration',
    `the configuration has ${count}`,
    "'hermetic config example' prints a configuration that works; docs/configuration.md has every option.",
    {
      fields: {
        problems: problems.slice(0, shownProblems),
        omitted: Math.max(0, problems.length - shownProblems),
      },
      lines: problemLines(problems.map(problemText)),
    },
  )
}

/** A file that is no configuration at all has hundreds: the first ones tell. */
export function problemLines(problems: readonly string[]): string[] {
  const more = problems.length - shownProblems
  return [
    ...problems.slice(0, shownProblems).flatMap(problem => wrapped(problem, '  ', '    ')),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ]
}

const shownProblems = 10
