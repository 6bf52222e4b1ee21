import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimStateDirectory, type Places } from './state-directory.ts'

let base: string
let places: Places
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hermetic-test-'))
  places = { stateHome: undefined, home: join(base, 'home'), temporary: join(base, 'tmp') }
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const usual = () => join(base, 'home', '.local', 'state', 'hermetic-tour')

describe('the state directory of the tour', () => {
  test('is under the home directory, for this user only', () => {
    const { path } = claimStateDirectory(places)
    expect(path).toBe(usual())
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('is under XDG_STATE_HOME when that is an absolute path, and only then', () => {
    const state = join(base, 'xdg')
    expect(claimStateDirectory({ ...places, stateHome: state }).path).toBe(join(state, 'hermetic-tour'))
    expect(claimStateDirectory({ ...places, stateHome: 'relative' }).path).toBe(usual())
  })

  test('is in the temporary directory when the home directory exists and can hold nothing, as /proc', () => {
    const { path } = claimStateDirectory({ ...places, home: '/proc' })
    expect(path).toMatch(new RegExp(`^${places.temporary}/hermetic-tour-`))
  })

  test('is emptied of an earlier tour that is over', () => {
    const first = claimStateDirectory(places)
    mkdirSync(join(first.path, 'spool'))
    writeFileSync(join(first.path, 'spool', 'old'), 'x')
    first.release()
    const second = claimStateDirectory(places)
    expect(second.path).toBe(first.path)
    expect(existsSync(join(second.path, 'spool'))).toBe(false)
  })

  test('is another one while a tour holds it', () => {
    const first = claimStateDirectory(places)
    const second = claimStateDirectory(places)
    const third = claimStateDirectory(places)
    expect([first.path, second.path, third.path]).toEqual([usual(), `${usual()}-2`, `${usual()}-3`])
  })

  test('is taken over from a tour that died, even if its process number lives again', () => {
    const { path } = claimStateDirectory(places)
    const mark = join(path, '.hermetic-tour')
    for (const holder of ['999999999 1', `${process.pid} 1`]) {
      writeFileSync(mark, JSON.stringify({ holder }))
      writeFileSync(join(path, 'old'), 'x')
      expect(claimStateDirectory(places).path).toBe(path)
      expect(existsSync(join(path, 'old'))).toBe(false)
    }
  })

  test('is never one that somebody else filled', () => {
    mkdirSync(usual(), { recursive: true })
    writeFileSync(join(usual(), 'precious'), 'x')
    expect(claimStateDirectory(places).path).toBe(`${usual()}-2`)
    expect(readFileSync(join(usual(), 'precious'), 'utf8')).toBe('x')
  })

  test('is never behind a link', () => {
    const elsewhere = join(base, 'elsewhere')
    mkdirSync(elsewhere)
    writeFileSync(join(elsewhere, '.hermetic-tour'), '{}')
    writeFileSync(join(elsewhere, 'precious'), 'x')
    mkdirSync(join(base, 'home', '.local', 'state'), { recursive: true })
    symlinkSync(elsewhere, usual())
    expect(claimStateDirectory(places).path).toBe(`${usual()}-2`)
    expect(existsSync(join(elsewhere, 'precious'))).toBe(true)
  })

  test('links inside it are removed, not followed', () => {
    const precious = join(base, 'precious')
    mkdirSync(precious)
    writeFileSync(join(precious, 'kept'), 'x')
    const first = claimStateDirectory(places)
    symlinkSync(precious, join(first.path, 'link'))
    first.release()
    claimStateDirectory(places)
    expect(existsSync(join(precious, 'kept'))).toBe(true)
  })

  test('is in the temporary directory when there can be none at home', () => {
    writeFileSync(join(base, 'home'), 'a file, so nothing can be made below it')
    const { path } = claimStateDirectory(places)
    expect(path.startsWith(join(base, 'tmp', 'hermetic-tour-'))).toBe(true)
  })
})
