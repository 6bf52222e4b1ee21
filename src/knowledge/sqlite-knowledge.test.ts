import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeptZone } from '../protocol/dnssec/kept-zone.ts'
import type { StoredKnowledge } from './knowledge.ts'
import { readValidationMemory } from './knowledge-reader.ts'
import { maxKeptZones } from './proof-table.ts'
import { openKnowledge } from './sqlite-knowledge.ts'

const minute = 60_000
const target = '192.0.2.1:25'
let directory: string
let nowMs: number
let knowledge: StoredKnowledge
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'knowledge-'))
  nowMs = 1_800_000_000_000
  knowledge = await open()
})
afterEach(async () => {
  await knowledge.close()
  rmSync(directory, { recursive: true })
})

function open(): Promise<StoredKnowledge> {
  return openKnowledge({ directory, now: () => nowMs })
}

async function restart(): Promise<void> {
  await knowledge.close()
  knowledge = await open()
}

test('a target that fails is avoided for a minute, and for twice as long with each further failure, up to an hour', () => {
  expect(knowledge.hint(target)).toBeNull()
  const minutes: number[] = []
  for (let i = 1; i <= 8; i++) {
    knowledge.failed(target, 'net.timeout', nowMs)
    const hint = knowledge.hint(target)
    expect(hint).toMatchObject({ target, failures: i, reason: 'net.timeout' })
    minutes.push(((hint?.avoidUntilMs ?? 0) - nowMs) / minute)
  }
  expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
})

test('a target that answers is avoided no more and begins anew', () => {
  knowledge.answered(target)
  knowledge.failed(target, 'net.refused', nowMs)
  knowledge.failed(target, 'net.refused', nowMs)
  knowledge.answered(target)
  expect(knowledge.hint(target)).toBeNull()
  expect(knowledge.hints()).toEqual([])
  knowledge.failed(target, 'net.refused', nowMs)
  expect(knowledge.hint(target)?.failures).toBe(1)
})

test('hints and counters survive a restart, what was forgotten stays forgotten', async () => {
  for (const one of ['a:25', 'b:25', 'c:25']) knowledge.failed(one, 'net.timeout', nowMs)
  knowledge.count('accepted')
  knowledge.count('accepted', 41)
  const before = knowledge.hints()
  await restart()
  expect(knowledge.hints()).toEqual(before)
  knowledge.answered('b:25')
  knowledge.failed('a:25', 'net.reset', nowMs)
  knowledge.count('accepted')
  await restart()
  expect(knowledge.hint('a:25')).toMatchObject({ failures: 2, reason: 'net.reset' })
  expect(knowledge.hint('b:25')).toBeNull()
  expect(knowledge.hint('c:25')).toMatchObject({ failures: 1 })
  expect(knowledge.counters()).toEqual({ accepted: 43 })
})

test('a hint that is long past is dropped, running or at a start', async () => {
  knowledge.failed(target, 'net.timeout', nowMs)
  nowMs += 2 * minute
  expect(knowledge.hint(target)?.failures).toBe(1)
  nowMs += 120 * minute
  expect(knowledge.hint(target)).toBeNull()
  knowledge.failed(target, 'net.timeout', nowMs)
  expect(knowledge.hint(target)?.failures).toBe(1)
  nowMs += 122 * minute
  await restart()
  expect(knowledge.hints()).toEqual([])
})

test('there is a bound: the hint that failed longest ago makes room', () => {
  for (let i = 0; i < 10_000; i++) knowledge.failed(`host${i}:25`, 'net.timeout', nowMs)
  knowledge.failed('host0:25', 'net.timeout', nowMs)
  knowledge.failed('one more:25', 'net.timeout', nowMs)
  expect(knowledge.hints()).toHaveLength(10_000)
  expect(knowledge.hint('host0:25')).not.toBeNull()
  expect(knowledge.hint('host1:25')).toBeNull()
})

test('when name servers last passed signatures on survives a restart', async () => {
  const { validation } = knowledge
  expect(validation.lastWorked('192.0.2.53:53')).toBeNull()
  validation.worked('192.0.2.53:53', nowMs - minute)
  validation.worked('192.0.2.53:53', nowMs)
  validation.worked('ad 127.0.0.1:53', nowMs - minute)
  expect(validation.lastWorked('192.0.2.53:53')).toBe(nowMs)
  await restart()
  expect(knowledge.validation.lastWorked('192.0.2.53:53')).toBe(nowMs)
  expect(knowledge.validation.lastWorked('ad 127.0.0.1:53')).toBe(nowMs - minute)
  expect(knowledge.validation.lastWorked('127.0.0.1:53')).toBeNull()
})

test('what is known of name servers can be read beside the relay, and where nothing can be read nothing is known', async () => {
  knowledge.validation.worked('192.0.2.53:53', nowMs)
  await knowledge.close()
  const memory = readValidationMemory(directory)
  expect(memory.lastWorked('192.0.2.53:53')).toBe(nowMs)
  expect(memory.lastWorked('192.0.2.54:53')).toBeNull()
  expect(readValidationMemory(join(directory, 'nowhere')).lastWorked('192.0.2.53:53')).toBeNull()
  writeFileSync(join(directory, 'knowledge.db'), 'no database')
  expect(readValidationMemory(directory).lastWorked('192.0.2.53:53')).toBeNull()
  rmSync(join(directory, 'knowledge.db'))
  knowledge = await open()
})

test('of name servers only the last hundred sets are known', async () => {
  for (let i = 0; i <= 100; i++) knowledge.validation.worked(`192.0.2.${i}:53`, nowMs + i)
  knowledge.validation.worked('192.0.2.1:53', nowMs + 200)
  knowledge.validation.worked('one more', nowMs + 201)
  await restart()
  const known = Array.from({ length: 101 }, (_, i) => knowledge.validation.lastWorked(`192.0.2.${i}:53`))
  expect(known.slice(0, 4)).toEqual([null, nowMs + 200, null, nowMs + 3])
  expect(known.filter(one => one !== null)).toHaveLength(99)
})

test('a file from before name servers were known is brought up to date, with what it holds', async () => {
  knowledge.failed(target, 'net.timeout', nowMs)
  await knowledge.close()
  const database = new DatabaseSync(join(directory, 'knowledge.db'))
  database.exec('DROP TABLE validation; DROP TABLE proof; DROP TABLE proof_seen; PRAGMA user_version = 1')
  database.close()
  knowledge = await open()
  expect(knowledge.hint(target)?.failures).toBe(1)
  knowledge.validation.worked('192.0.2.53:53', nowMs)
  await restart()
  expect(knowledge.validation.lastWorked('192.0.2.53:53')).toBe(nowMs)
})

describe('proofs of zones', () => {
  const proof = (zone: string): KeptZone => ({
    zone,
    trust: 'trust',
    keptAtMs: nowMs,
    expiresAtMs: nowMs + minute,
    proof: '{"kind":"secure"}',
    sum: 'sum',
  })
  const onFile = (does: (database: DatabaseSync) => unknown) => {
    const database = new DatabaseSync(join(directory, 'knowledge.db'))
    does(database)
    database.close()
  }

  test('survive a restart, those of the root too, and what was forgotten stays forgotten', async () => {
    for (const zone of ['', 'example', 'other.example']) knowledge.proofs.keep(proof(zone))
    await restart()
    knowledge.proofs.begin('trust', nowMs)
    expect(knowledge.proofs.take('')).toEqual(proof(''))
    knowledge.proofs.forget('example')
    await restart()
    knowledge.proofs.begin('trust', nowMs)
    expect(knowledge.proofs.take('')).toEqual(proof(''))
    expect(knowledge.proofs.take('example')).toBeNull()
    expect(knowledge.proofs.take('other.example')).toEqual(proof('other.example'))
  })

  test('when the relay last ran is known, for a clock that is set back while it does not', async () => {
    knowledge.proofs.keep(proof('example'))
    await restart()
    nowMs += 30_000
    await restart()
    nowMs -= 1
    knowledge.proofs.begin('trust', nowMs)
    expect(knowledge.proofs.take('example')).toBeNull()
  })

  test('nobody else may read the file', () => {
    expect(statSync(join(directory, 'knowledge.db')).mode & 0o777).toBe(0o600)
  })

  test.each<[string, string]>([
    ['of which the table is gone', 'DROP TABLE proof'],
    ['of which a column is gone', 'ALTER TABLE proof DROP COLUMN sum'],
    ['with a number that is none', 'UPDATE proof SET kept_at = 9223372036854775807'],
  ])('a file %s has none, and keeps everything else', async (_, damage) => {
    knowledge.proofs.keep(proof('example'))
    knowledge.count('accepted')
    await knowledge.close()
    onFile(database => database.exec(damage))
    knowledge = await open()
    knowledge.proofs.begin('trust', nowMs)
    expect(knowledge.proofs.take('example')).toBeNull()
    knowledge.proofs.keep(proof('new.example'))
    knowledge.count('accepted')
    await restart()
    expect(knowledge.counters()).toEqual({ accepted: 2 })
  })

  test('a page of them that is overwritten costs them, and nothing else', async () => {
    for (let i = 0; i < 100; i++) knowledge.proofs.keep(proof(`zone${i}.example`))
    knowledge.count('accepted')
    await knowledge.close()
    let at = 0
    onFile(database => {
      const found = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'proof'").get()
      const size = database.prepare('PRAGMA page_size').get()
      at = (Number(found?.['rootpage']) - 1) * Number(size?.['page_size'])
    })
    const file = openSync(join(directory, 'knowledge.db'), 'r+')
    writeSync(file, new Uint8Array(4096).fill(0xa5), 0, 4096, at)
    closeSync(file)
    knowledge = await open()
    knowledge.proofs.begin('trust', nowMs)
    expect(knowledge.proofs.take('zone1.example')).toBeNull()
    knowledge.proofs.keep(proof('new.example'))
    knowledge.count('accepted')
    await restart()
    expect(knowledge.counters()).toEqual({ accepted: 2 })
  })

  test('of a file that holds too many the newest are read, and the others go', async () => {
    await knowledge.close()
    const extra = 5
    onFile(database => {
      database.exec('BEGIN')
      const insert = database.prepare('INSERT INTO proof VALUES (?, ?, ?, ?, ?, ?)')
      for (let i = 0; i < maxKeptZones + extra; i++)
        insert.run(`zone${i}`, 'trust', nowMs - minute + i, nowMs + minute, '{}', '')
      database.exec('COMMIT')
    })
    knowledge = await open()
    knowledge.proofs.begin('trust', nowMs)
    expect(knowledge.proofs.take(`zone${extra - 1}`)).toBeNull()
    expect(knowledge.proofs.take(`zone${extra}`)).not.toBeNull()
    await knowledge.close()
    onFile(database => {
      expect(database.prepare('SELECT count(*) AS n FROM proof').get()?.['n']).toBe(maxKeptZones)
    })
    knowledge = await open()
  })
})
