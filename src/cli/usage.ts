/**
 * What is wrong with a command line before its parser takes it apart: a command or option that does not exist and the one that was meant, a word
 * too many where an option was wanted, an option given twice that takes one value.
 *
 * The parser stops at the first thing that it misses, and names that: `verify --chian x` lacks --chain, `verfy --chain x` has an unknown option.
 * Here words are read from the left, so that what was mistyped is told as it was typed. What is not told here is left to the parser.
 */
import type { Command, Option } from 'commander'
import { visible } from '../judgement/visible.ts'
import { nearest } from '../relay/configuration/nearest.ts'
import { shellWord } from './shell-word.ts'

export interface Usage {
  /** As typed: `hermetic cert show`; the furthest command that there is. */
  readonly command: string
  readonly problem: UsageProblem | null
}

export interface UsageProblem {
  readonly says: string
  /** Empty when nobody can tell what was meant. */
  readonly meant: string
}

/** Collects the values of an option that may be given again. */
export function several(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

export function readUsage(program: Command, argv: readonly string[]): Usage {
  let command = program
  const path = [program.name()]
  const given = new Set<Option>()
  const operands: string[] = []
  const told = (says: string, meant = ''): Usage => ({ command: path.join(' '), problem: { says, meant } })
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') break
    if (/^-./.test(word)) {
      const [name = ''] = word.split('=')
      if (helpOptions.has(name)) return { command: path.join(' '), problem: null }
      const options = optionsOf(command, program)
      const option = options.find(one => one.long === name || one.short === name)
      if (option === undefined) {
        const near = name.startsWith('--') ? nearest(name, namesOf(options)) : null
        return told(`unknown option '${visible(name, 60)}'`, near === null ? '' : `Did you mean ${near}?`)
      }
      if (!option.required && !option.optional) continue
      if (given.has(option) && option.parseArg !== several && !option.variadic)
        return told(`${name} is given twice, and takes one value`, 'Leave one of them out.')
      given.add(option)
      const next = argv[at + 1]
      if (!word.includes('=') && next !== undefined && (option.required || !next.startsWith('-'))) at++
      continue
    }
    const sub = command.commands.find(one => one.name() === word)
    if (sub !== undefined && operands.length === 0) {
      command = sub
      path.push(word)
      continue
    }
    if (command.commands.length > 0)
      return { command: path.join(' '), problem: unknownCommand(command, program, word) }
    operands.push(word)
  }
  const [operand] = operands
  // The one command whose file is an option.
  if (operand !== undefined && command.registeredArguments.length === 0 && lacks(command, '--chain', given))
    return told(`too many arguments for '${command.name()}'`, `Did you mean --chain ${shellWord(operand)}?`)
  return { command: path.join(' '), problem: null }
}

function unknownCommand(command: Command, program: Command, word: string): UsageProblem {
  const names = command.commands.map(one => one.name())
  const near = nearest(word, names)
  const shown = visible(word, 60)
  const isTop = command === program
  const says = isTop ? `there is no command '${shown}'` : `'${command.name()}' has no '${shown}'`
  if (near !== null) return { says, meant: `Did you mean ${isTop ? near : `${command.name()} ${near}`}?` }
  return { says: `${says}${isTop ? '; there are ' : ', only '}${names.join(', ')}`, meant: '' }
}

function optionsOf(command: Command, program: Command): readonly Option[] {
  return command === program ? program.options : [...command.options, ...program.options]
}

function namesOf(options: readonly Option[]): readonly string[] {
  return [...options.flatMap(({ long }) => long ?? []), '--help']
}

function lacks(command: Command, long: string, given: ReadonlySet<Option>): boolean {
  return command.options.some(option => option.long === long && !given.has(option))
}

const helpOptions: ReadonlySet<string> = new Set(['--help', '-h'])
