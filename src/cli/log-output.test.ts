import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogFile, createLogStream } from './log-output.ts'

let directory = ''
let path = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'))
  path = join(directory, 'mail.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Until the file holds so many lines. */
async function lines(file: string, count: number): Promise<string[]> {
  for (;;) {
    const found = (existsSync(file) ? readFileSync(file, 'utf8') : '').split('\n').slice(0, -1)
    if (found.length >= count) return found
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('lines are appended in their order, and closing writes what is left', async () => {
  const first = createLogFile(path, () => {})
  for (let i = 0; i < 1_000; i++) first.line(`line ${i}`)
  expect((await lines(path, 1_000))[999]).toBe('line 999')
  first.line('last')
  first.close()
  expect((await lines(path, 1_001))[1_000]).toBe('last')
  const second = createLogFile(path, () => {})
  second.line('next life')
  second.close()
  expect(await lines(path, 1_002)).toHaveLength(1_002)
  expect(statSync(path).mode & 0o007).toBe(0)
})

test('after the file was moved away, reopen makes a new one', async () => {
  const log = createLogFile(path, () => {})
  log.line('old')
  await lines(path, 1)
  renameSync(path, `${path}.1`)
  log.reopen()
  log.line('new')
  expect(await lines(path, 1)).toEqual(['new'])
  expect(await lines(`${path}.1`, 1)).toEqual(['old'])
  log.close()
})

test('a disk that is full is told once', async () => {
  const told: string[] = []
  const log = createLogFile('/dev/full', text => told.push(text))
  for (let i = 0; i < 3; i++) {
    log.line('x')
    while (told.length === 0) await new Promise(resolve => setImmediate(resolve))
  }
  log.close()
  expect(told[0]).toContain('/dev/full cannot be written')
  expect(told.filter(text => text.includes('cannot be written'))).toHaveLength(1)
})

test('a file that cannot be opened is the error of the system', () => {
  expect(() => createLogFile(join(directory, 'gone', 'x'), () => {})).toThrow('ENOENT')
})

test('a stream that cannot be written costs lines, and nobody dies of it', async () => {
  const full = new Writable({ write: (_bytes, _encoding, done) => done(new Error('ENOSPC')) })
  createLogStream(full).line('lost')
  await new Promise(resolve => setImmediate(resolve))
  expect(full.errored?.message).toBe('ENOSPC')
})
