/** What is wrong with a configuration, so that an operator can put it right without asking anybody. */
export interface Problem {
  /** Null: no file is involved. */
  readonly file: string | null
  /** From 1; null when the whole file is meant. */
  readonly line: number | null
  readonly column: number | null
  /** The option, as `routes[0].to.host`; empty for the whole document. */
  readonly option: string
  readonly expected: string
  /** What stands there: text from outside, shown through `visible` already. */
  readonly found: string
  /** The nearest right word, when what was found looks like a slip. */
  readonly suggestion: string | null
  /** The right form, as it is written in the file. */
  readonly example: string | null
}

/** One line, in the form that editors jump to: `file:line:column: …`. */
export function problemText(problem: Problem): string {
  const { file, line, column, option, expected, found, suggestion, example } = problem
  const place = [file, line, column].filter(part => part !== null).join(':')
  const meant = suggestion === null ? '' : `; did you mean ${suggestion}?`
  const form = example === null ? '' : ` (example: ${example})`
  return `${place === '' ? '' : `${place}: `}${option === '' ? '' : `${option}: `}expected ${expected}, found ${found}${meant}${form}`
}

/** `routes[0].to.host` */
export function optionName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, key) =>
      typeof key === 'number' ? `${name}[${key}]` : name === '' ? String(key) : `${name}.${String(key)}`,
    '',
  )
}
