/**
 * Turns what the schema says against a document into problems that an operator can act on: where, what was expected, what was found,
 * the nearest right word, and an example.
 *
 * Of an option that may have several forms only the form is reported that the operator most likely meant; an unknown key that
 * is nearly a missing one is reported once.
 */
import { stringify } from 'yaml'
import type * as z from 'zod'
import { visible } from '../../judgement/visible.ts'
import type { Source } from './document.ts'
import { nearest } from './nearest.ts'
import { optionName, type Problem } from './problem.ts'
import { type Configuration, configurationJsonSchema, configurationSchema } from './schema.ts'

type Issue = z.core.$ZodIssue

/** Everything that is known about one wrong place, before it is put in words. */
interface Fault {
  readonly path: readonly PropertyKey[]
  readonly at: 'value' | 'key'
  readonly expected: string
  readonly words: readonly string[]
}

export function checkDocument(
  file: string | null,
  source: Source,
): Configuration | { problems: readonly Problem[] } {
  const result = configurationSchema.safeParse(source.value ?? {})
  if (result.success) return result.data
  const faults = result.error.issues.flatMap(issue => faultsOf(issue, []))
  return { problems: withoutEchoes(faults, source).map(fault => problemAt(file, source, fault)) }
}

/** Makes a problem of a place in the document: also for what the schema cannot see. */
export function problemAt(
  file: string | null,
  source: Source,
  fault: {
    path: readonly PropertyKey[]
    at?: 'value' | 'key'
    expected: string
    words?: readonly string[]
    found?: string
  },
): Problem {
  const { path, at = 'value', expected, words = [] } = fault
  const place = at === 'key' ? source.keyPlace(path) : source.place(path)
  const written = at === 'key' ? String(path.at(-1)) : source.text(path)
  const word = written?.replace(/^(['"])(.*)\1$/, '$2')
  const suggestion = word === undefined ? null : nearest(word, words)
  return {
    file,
    line: place.line,
    column: place.column,
    option: optionName(path),
    expected,
    found: fault.found ?? (written === null || written.trim() === '' ? 'nothing' : quoted(word ?? written)),
    suggestion,
    example: at === 'key' ? exampleOfKey(path, suggestion) : exampleAt(path, written),
  }
}

function quoted(written: string): string {
  const [first = '', ...more] = written.trim().split(/\r?\n/)
  const shown = visible(first, 60)
  return `"${shown}"${more.length > 0 ? ' …' : ''}`
}

function faultsOf(issue: Issue, base: readonly PropertyKey[]): Fault[] {
  const path = [...base, ...issue.path]
  const expected = issue.message
  switch (issue.code) {
    case 'unrecognized_keys': {
      const words = keysAt(path)
      const known = words.length === 0 ? 'no option here' : `one of ${words.join(', ')}`
      return issue.keys.map(key => ({ path: [...path, key], at: 'key', expected: known, words }))
    }
    case 'invalid_key':
      return [{ path, at: 'key', expected: issue.issues[0]?.message ?? expected, words: [] }]
    case 'invalid_union': {
      const meant = likeliest(issue.errors)
      return meant === null
        ? [{ path, at: 'value', expected, words: enumeratedAt(path) }]
        : meant.flatMap(inner => faultsOf(inner, path))
    }
    case 'invalid_value':
      return [{ path, at: 'value', expected, words: issue.values.map(String) }]
    default:
      return [{ path, at: 'value', expected, words: [] }]
  }
}

/** The form with the fewest faults among those whose outermost kind fits; null when none does. */
function likeliest(forms: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = forms.filter(
    issues =>
      !issues.some(issue => issue.path.length === 0 && ['invalid_type', 'invalid_value'].includes(issue.code)),
  )
  const unfolded = fitting.filter(
    issues =>
      !issues.some(
        issue => issue.path.length === 0 && issue.code === 'invalid_union' && likeliest(issue.errors) === null,
      ),
  )
  return unfolded.toSorted((a, b) => a.length - b.length)[0] ?? null
}

/** Drops `host is missing` when `hots` beside it was reported as a slip for `host`. */
function withoutEchoes(faults: readonly Fault[], source: Source): readonly Fault[] {
  const meant = new Set(
    faults
      .filter(fault => fault.at === 'key')
      .map(fault =>
        optionName([...fault.path.slice(0, -1), nearest(String(fault.path.at(-1)), fault.words) ?? '']),
      ),
  )
  return faults.filter(
    fault => fault.at === 'key' || source.text(fault.path) !== null || !meant.has(optionName(fault.path)),
  )
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | false
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly examples?: readonly unknown[]
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
}

let schemaRoot: SchemaNode | null = null

/** Every form that the value at this path may have. */
function nodesAt(path: readonly PropertyKey[]): SchemaNode[] {
  schemaRoot ??= configurationJsonSchema() as SchemaNode
  let nodes = forms(schemaRoot)
  for (const step of path)
    nodes = nodes
      .flatMap(node => {
        const next =
          typeof step === 'number' ? node.items : (node.properties?.[String(step)] ?? node.additionalProperties)
        return next ? [next] : []
      })
      .flatMap(forms)
  return nodes
}

function forms(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(forms)]
}

function keysAt(path: readonly PropertyKey[]): string[] {
  return nodesAt(path).flatMap(node => Object.keys(node.properties ?? {}))
}

function enumeratedAt(path: readonly PropertyKey[]): string[] {
  return nodesAt(path).flatMap(node =>
    [...(node.enum ?? []), ...(node.const === undefined ? [] : [node.const])].map(String),
  )
}

/** Of a misspelled option: how the one that was meant is written; else how the options around it are. */
function exampleOfKey(path: readonly PropertyKey[], meant: string | null): string | null {
  const around = path.slice(0, -1)
  return meant === null ? exampleAt(around, null) : exampleAt([...around, meant], null)
}

/**
 * The right form of the option, or of the nearest one around it that has an example.
 * @param written What stands there and was refused: no example
 */
function exampleAt(path: readonly PropertyKey[], written: string | null): string | null {
  for (let length = path.length; length > 0; length--) {
    const part = path.slice(0, length)
    const nodes = nodesAt(part)
    const [example] = [
      ...nodes.flatMap(node => node.examples ?? []),
      ...nodes.flatMap(node => (node.default === undefined ? [] : [node.default])),
    ]
      .filter(value => !isEmptyValue(value))
      .map(value => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim())
      .filter(inline => inline !== written?.trim())
    if (example === undefined) continue
    const last = part.at(-1)
    return typeof last === 'number' ? `- ${example}` : `${String(last)}: ${example}`
  }
  return null
}

/** A section's default: it shows nothing. */
function isEmptyValue(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
