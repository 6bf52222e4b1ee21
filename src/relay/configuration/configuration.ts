/**
 * The operator's configuration: YAML -> Settings, whole or not at all.
 *
 * Success means that every option has the right form and that the files it names as patterns and roots could be read. It does not mean that the relay
 * can start: ports, keys and stores are tried by the relay itself. Nothing is asked of the network.
 */
import type { Settings } from '../settings.ts'
import { checkDocument } from './check.ts'
import { parseSource, type Source } from './document.ts'
import type { Problem } from './problem.ts'
import { type Complete, settingsFrom, whyUnreadable } from './settings-from.ts'
import { realSurroundings, type Surroundings } from './surroundings.ts'

export type Loaded = Complete | { readonly problems: readonly Problem[] }

/** @param path The file, or null for the built-in defaults. */
export function loadConfiguration(path: string | null, surroundings: Surroundings = realSurroundings()): Loaded {
  if (path === null) return parseConfiguration('', null, surroundings)
  let text: string
  try {
    text = surroundings.read(path)
  } catch (error) {
    return { problems: [unreadable(path, whyUnreadable(error))] }
  }
  return parseConfiguration(text, path, surroundings)
}

/** The same from text. `file` is where problems are said to be, and what relative paths are relative to. */
export function parseConfiguration(text: string, file: string | null, surroundings = realSurroundings()): Loaded {
  const parsed = parseSource(text)
  if ('faults' in parsed)
    return {
      problems: parsed.faults.map(({ line, column, says }) => ({
        ...unreadable(file, says),
        line,
        column,
        expected: 'well-formed YAML',
        example: 'hostname: mail.example.org',
      })),
    }
  return completed(parsed, file, surroundings)
}

/** Settings with every default, for parts that are started without a file (tests, the tour). */
export function defaultSettings(overrides: Partial<Settings> = {}): Settings {
  const loaded = loadConfiguration(null)
  if ('problems' in loaded) throw new Error('the defaults are not a valid configuration')
  return { ...loaded.settings, ...overrides }
}

/**
 * What a running relay does with a configuration that was read again: the old one stays when the new one is bad, and what cannot
 * change while it runs keeps its old value.
 */
export function reloadConfiguration(
  running: Settings,
  path: string | null,
  surroundings: Surroundings = realSurroundings(),
): Reloaded {
  const loaded = loadConfiguration(path, surroundings)
  if ('problems' in loaded) return { kind: 'kept', problems: loaded.problems }
  const { settings, remarks } = loaded
  const changed = fixedWhileRunning.filter(
    ({ value }) => JSON.stringify(value(settings)) !== JSON.stringify(value(running)),
  )
  return {
    kind: 'taken',
    settings: changed.reduce((wanted, { keep }) => keep(wanted, running), settings),
    needRestart: changed.map(({ option }) => option),
    remarks,
  }
}

export type Reloaded =
  /** The new one is bad: the old one holds. */
  | { readonly kind: 'kept'; readonly problems: readonly Problem[] }
  /** `needRestart`: these options changed in the file, but the old value holds until a restart. */
  | {
      readonly kind: 'taken'
      readonly settings: Settings
      readonly needRestart: readonly string[]
      readonly remarks: readonly string[]
    }

/**
 * What cannot change while the relay runs, by its name in the file: sockets are bound, stores are open on threads of their own, the log file is held, and
 * the DNS client has its cache and its servers. Everything else changes at once: parts look it up when they need it.
 */
export const fixedWhileRunning: readonly {
  readonly option: string
  readonly value: (settings: Settings) => unknown
  /** The settings with the value that the running relay has. */
  readonly keep: (settings: Settings, running: Settings) => Settings
}[] = [
  ...(['listen', 'state', 'log', 'dns'] as const).map(option => ({
    option,
    value: (settings: Settings) => settings[option],
    keep: (settings: Settings, running: Settings) => ({ ...settings, [option]: running[option] }),
  })),
  {
    option: 'limits.min_free',
    value: ({ limits }) => limits.minFreeBytes,
    keep: (settings, { limits: { minFreeBytes } }) => ({
      ...settings,
      limits: { ...settings.limits, minFreeBytes },
    }),
  },
]

function completed(source: Source, file: string | null, surroundings: Surroundings): Loaded {
  const configuration = checkDocument(file, source)
  if ('problems' in configuration) return configuration
  const loaded = settingsFrom(configuration, { file, source, surroundings })
  const isEmpty = file !== null && (source.value ?? null) === null
  if ('problems' in loaded || !isEmpty) return loaded
  return { ...loaded, remarks: ['the file is empty: built-in defaults', ...loaded.remarks] }
}

function unreadable(file: string | null, found: string): Problem {
  return {
    file,
    line: null,
    column: null,
    option: '',
    expected: 'a readable configuration file',
    found,
    suggestion: null,
    example: null,
  }
}
