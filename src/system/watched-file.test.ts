import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWatchedFile } from './watched-file.ts'

let directory = ''
let clock = 0
let parsed = 0
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hermetic-watched-'))
  clock = 0
  parsed = 0
})
afterEach(() => rmSync(directory, { recursive: true }))

const watch = (maxBytes?: number) => {
  const path = join(directory, 'file')
  const parse = (text: string) => {
    parsed++
    return text
  }
  return { path, read: createWatchedFile(path, parse, () => clock, maxBytes) }
}

test('a change is seen after a second, and an unchanged file is not read again', () => {
  const { path, read } = watch()
  writeFileSync(path, 'one')
  expect(read()).toBe('one')
  writeFileSync(path, 'three')
  expect(read()).toBe('one')
  clock = 1000
  expect(read()).toBe('three')
  const before = parsed
  clock = 5000
  expect(read()).toBe('three')
  expect(parsed).toBe(before)
})

test('a file that is missing, goes away, or is too large is read as empty', () => {
  const { path, read } = watch(10)
  expect(read()).toBe('')
  writeFileSync(path, 'here')
  clock = 1000
  expect(read()).toBe('here')
  writeFileSync(path, 'x'.repeat(11))
  clock = 2000
  expect(read()).toBe('')
  rmSync(path)
  clock = 3000
  expect(read()).toBe('')
})
