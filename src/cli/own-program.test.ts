import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownProgram } from './own-program.ts'

let directory = ''
let script = ''
let bin = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'own-program-'))
  bin = join(directory, 'bin')
  script = join(directory, 'a clone', 'hermetic')
  mkdirSync(bin)
  mkdirSync(join(directory, 'a clone'))
  writeFileSync(script, '')
})
afterEach(() => rmSync(directory, { recursive: true }))

const called = (path: string, from = directory) => ownProgram({ script, path, directory: from })

test('it is called by its name where PATH finds it', () => {
  symlinkSync(script, join(bin, 'hermetic'))
  expect(called(`/nowhere:${bin}`)).toBe('hermetic')
})

test('in a clone it is called by its path, quoted where a shell wants that', () => {
  expect(called(bin)).toBe(`'${script}'`)
  expect(called('')).toBe(`'${script}'`)
  expect(called(bin, join(directory, 'a clone'))).toBe('./hermetic')
})

test('another program of that name is not meant', () => {
  writeFileSync(join(bin, 'hermetic'), '')
  expect(called(bin)).toBe(`'${script}'`)
})

test('without the script of a clone the name is all that is known', () => {
  rmSync(script)
  expect(called(bin)).toBe('hermetic')
})
