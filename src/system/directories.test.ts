import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectories } from './directories.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'directories-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('makes what is missing, tells the first of it, and changes nothing that is there', () => {
  const path = join(directory, 'a', 'b', 'c')
  expect(makeDirectories(path, 0o700)).toBe(join(directory, 'a'))
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(makeDirectories(path, 0o755)).toBeNull()
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test('says that a part of the path is a file, or leads nowhere', () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  symlinkSync(join(directory, 'gone'), join(directory, 'link'))
  expect(() => makeDirectories(file, 0o700)).toThrow(`EEXIST: file already exists, mkdir '${file}'`)
  expect(() => makeDirectories(join(file, 'a', 'b'), 0o700)).toThrow(
    `EEXIST: file already exists, mkdir '${file}'`,
  )
  expect(() => makeDirectories(join(directory, 'link', 'a'), 0o700)).toThrow('EEXIST')
})

test.runIf(process.platform === 'linux')(
  'ends under /proc, where nothing can be made (Linux only: others have no such directory)',
  () => {
    expect(() => makeDirectories('/proc/hermetic/state', 0o700)).toThrow('/proc/hermetic')
  },
)
