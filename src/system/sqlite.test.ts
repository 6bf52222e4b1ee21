import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase, openForReading, pragmaNumber, type StoreSchema } from './sqlite.ts'

const first: StoreSchema = {
  applicationId: 77,
  migrations: ['CREATE TABLE name (text TEXT); INSERT INTO name VALUES (1)'],
}
const second: StoreSchema = {
  applicationId: 77,
  migrations: [...first.migrations, "ALTER TABLE name ADD COLUMN kind TEXT DEFAULT 'old'"],
}
const third: StoreSchema = {
  applicationId: 77,
  migrations: [...second.migrations, 'DELETE FROM name; CREATE TABLE name (text TEXT)'],
}

let path: string
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'sqlite-')), 'store.db')
})
afterEach(() => rmSync(join(path, '..'), { recursive: true }))

function open(schema: StoreSchema, access: 'exclusive' | 'shared' = 'shared'): DatabaseSync {
  return openDatabase({ path, schema, synchronous: 'OFF', access })
}

test('a new file gets all steps, and an older one those that it lacks, with what it holds', () => {
  // As a version before the first would have left it: made, with nothing in it.
  new DatabaseSync(path).close()
  const old = open(first)
  old.exec("INSERT INTO name VALUES ('kept')")
  expect(pragmaNumber(old, 'user_version')).toBe(1)
  old.close()
  const database = open(second)
  expect(pragmaNumber(database, 'user_version')).toBe(2)
  expect(database.prepare('SELECT * FROM name').all()).toEqual([
    { text: '1', kind: 'old' },
    { text: 'kept', kind: 'old' },
  ])
  database.close()
  open(second).close()
})

test('a step that fails leaves the file as it was', () => {
  open(second).close()
  expect(() => open(third)).toThrow('cannot be opened')
  const database = open(second)
  expect(database.prepare('SELECT count(*) AS n FROM name').get()).toEqual({ n: 1 })
  database.close()
})

test('a file is refused that a newer program or another one wrote, and one that others have for themselves', () => {
  open(second).close()
  expect(() => open(first)).toThrow(/newer version/)
  expect(() => openForReading(path, first)).toThrow(/newer version/)
  expect(() => open({ ...second, applicationId: 78 })).toThrow(/another program/)
  const mine = open(second, 'exclusive')
  expect(() => open(second)).toThrow(`in use by process ${process.pid}`)
  mine.close()
})

test('what is there and cannot be opened is refused, not taken for nothing', () => {
  mkdirSync(path)
  expect(() => openForReading(path, first)).toThrow(/cannot be read/)
  expect(() => openForReading(join(path, '..', 'none', 'store.db'), first)).not.toThrow()
})

test('reading finds nothing where there is no file yet, and an older file is not read before it was brought up to date', () => {
  expect(openForReading(path, first)).toBeNull()
  open(first).close()
  expect(openForReading(path, second)).toBeNull()
  const writer = open(second)
  const reader = openForReading(path, second)
  writer.exec("INSERT INTO name (text) VALUES ('new')")
  expect(reader?.prepare('SELECT count(*) AS n FROM name').get()).toEqual({ n: 2 })
  expect(() => reader?.exec('DELETE FROM name')).toThrow('readonly')
  reader?.close()
  writer.close()
})
