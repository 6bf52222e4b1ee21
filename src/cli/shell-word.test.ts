import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { shellWord } from './shell-word.ts'

test.each(['chain.pem', 'a b;rm.der', "it's.pem", '$(id)', '`id`', '*', 'bücher.pem', '"', 'a\\b'])(
  '%j is one word',
  name => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(name)}`], { encoding: 'utf8' })).toBe(name)
  },
)

test.each([
  ['-rf', './-rf'],
  ['-', '-'],
  ['a\nb', 'FILE'],
  ['\x1b[31m', 'FILE'],
  ['', 'FILE'],
])('%j becomes %j', (name, word) => {
  expect(shellWord(name)).toBe(word)
})
