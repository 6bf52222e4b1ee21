/** docs/configuration.md and the schema say the same, in both directions. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { findings } from '../../judgement/findings.ts'
import { fixedWhileRunning, parseConfiguration } from './configuration.ts'
import { exampleConfiguration } from './example.ts'
import { configurationJsonSchema } from './schema.ts'

const docs = join(import.meta.dirname, '../../../docs')
const page = readFileSync(join(docs, 'configuration.md'), 'utf8')

interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly additionalProperties?: Node | false
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
}

interface Option {
  readonly default: string
  readonly description: string
  readonly examples: readonly unknown[]
}

/** Every option that can be written, as `routes[].to.host`. */
function optionsOf(node: Node, path = ''): Map<string, Option> {
  const found = new Map<string, Option>()
  for (const part of [node, ...(node.anyOf ?? [])]) {
    for (const [key, value] of Object.entries(part.properties ?? {})) {
      const name = path === '' ? key : `${path}.${key}`
      found.set(name, {
        default:
          isSection(value) || value.default === undefined
            ? ''
            : stringify(value.default, { collectionStyle: 'flow', lineWidth: 0 }).trim(),
        description: value.description ?? '',
        examples: value.examples ?? [],
      })
      // Patterns are one form everywhere, and have a section of their own.
      if (!isPatterns(value)) for (const [inner, option] of optionsOf(value, name)) found.set(inner, option)
    }
    if (part.items !== undefined)
      for (const [inner, option] of optionsOf(part.items, `${path}[]`)) found.set(inner, option)
  }
  return found
}

const isSection = (node: Node) => node.properties !== undefined
const isPatterns = (node: Node) => node.anyOf?.some(form => form.anyOf !== undefined) === true

/** Rows of the page's tables: option, default, description. */
function rowsOf(text: string): Map<string, { default: string; description: string }> {
  const rows = new Map<string, { default: string; description: string }>()
  for (const [, name = '', preset = '', description = ''] of text.matchAll(
    /^\| `([^`]+)` \| (?:`([^`]*)`)? ?\| (.*) \|$/gm,
  ))
    rows.set(name, { default: preset, description })
  return rows
}

const options = optionsOf(configurationJsonSchema() as Node)
const rows = rowsOf(page)

test('every option is on the page, and every row of the page is an option', () => {
  expect([...rows.keys()].toSorted()).toEqual([...options.keys()].toSorted())
})

test.each([...options])('%s has the default and the description that the page says', (name, option) => {
  expect(rows.get(name)?.default).toBe(option.default)
  expect(option.description).not.toBe('')
  expect(rows.get(name)?.description).toContain(option.description)
})

test('options are called what they are called in the file, on every page and in every advice', () => {
  const pages = readdirSync(docs)
    .filter(name => name.endsWith('.md'))
    .map(name => readFileSync(join(docs, name), 'utf8'))
  const seen = { host: 'mx.example', detail: '', reply: '' }
  const advice = Object.values(findings).map(({ says, remedy }) => `${says(seen)} ${remedy(seen)}`)
  const known = new Set([...options.keys()].map(name => name.replaceAll('[]', '')))
  const sections = new Set([...known].map(name => name.split('.')[0]))
  const keys = new Set([...known].map(lastOf))

  const isWrong = (name: string) => {
    if (name in findings || known.has(name)) return false
    const key = lastOf(name)
    const inSnakeCase = key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    return (name !== key && sections.has(name.split('.')[0])) || (inSnakeCase !== key && keys.has(inSnakeCase))
  }
  const named = [...pages, ...advice].flatMap(text =>
    [...text.matchAll(/`(\w+(?:\.\w+)*)`/g)].map(([, name = '']) => name),
  )
  expect(named.length).toBeGreaterThan(100)
  expect(named.filter(isWrong)).toEqual([])
})

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

test('the pages name what only a restart changes', () => {
  const fixed = fixedWhileRunning.map(({ option }) => option).toSorted()
  const operations = readFileSync(join(docs, 'operations.md'), 'utf8')
  for (const words of [
    /Only a restart changes (.*?);/.exec(page),
    /What needs a restart:\*\* (.*?)\. /.exec(operations),
  ])
    expect([...(words?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name).toSorted()).toEqual(fixed)
})

test('every YAML block of the page is a valid configuration', () => {
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block)
  expect(blocks.length).toBeGreaterThan(2)
  for (const block of blocks) expect(parseConfiguration(block, null)).toHaveProperty('settings')
})

test('the JSON Schema accepts the example and refuses what the loader refuses', () => {
  const validate = new Ajv2020({ strict: false }).compile(configurationJsonSchema())
  expect(validate(parse(exampleConfiguration))).toBe(true)
  expect(validate({})).toBe(true)
  for (const bad of [
    'hostnam: a',
    'dns: { timeout: 5 }',
    'routes: [{ to: { hots: a } }]',
    'limits: { message: 50 MB }',
  ])
    expect(validate(parse(bad))).toBe(false)
})
