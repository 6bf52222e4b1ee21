import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { StoreRefused } from '../system/sqlite.ts'
import { ContentUnreadable, fileBodyBytes, type NewMessage, type Spool } from './spool.ts'
import { openSpool } from './sqlite-spool.ts'
import { readAll, spoolContract } from './testing/contract.ts'
import { sampleBytes, sampleMessage, t0, writeAll } from './testing/samples.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(where = directory, minFreeBytes = 0): Promise<Spool> {
  return openSpool({ directory: where, partition: 3, minFreeBytes, now: () => t0 })
}

async function accept(spool: Spool, content: Uint8Array, message = sampleMessage(spool)): Promise<NewMessage> {
  const body = spool.openBody()
  await writeAll(body, content)
  expect(await spool.accept(message, body)).toBeNull()
  return message
}

function bodyFiles(where = directory): string[] {
  return readdirSync(join(where, 'bodies'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

spoolContract('the spool on SQLite', async () => {
  const own = mkdtempSync(join(tmpdir(), 'spool-'))
  const spool = await open(own)
  return {
    spool,
    async end() {
      await spool.close()
      rmSync(own, { recursive: true })
    },
  }
})

describe('after a restart', () => {
  test('everything is there, and nothing is leased any more', async () => {
    const first = await open()
    const small = await accept(first, sampleBytes(500))
    const large = await accept(first, sampleBytes(300_000))
    const gone = await accept(first, sampleBytes(400_000))
    await first.settle({ id: gone.id, done: [0], deferred: [] })
    await first.settle({
      id: small.id,
      done: [],
      deferred: [{ index: 0, nextAttemptAtMs: t0 + 9, failure: 'net.reset' }],
    })
    await first.close()

    const second = await open()
    expect(await second.counts()).toMatchObject({ messages: 2, bytes: 300_500, nextAttemptAtMs: t0 })
    const taken = await second.take(t0 + 9, 10)
    expect(taken.map(one => one.id)).toEqual([large.id, small.id])
    expect(taken[1]?.pending).toEqual([
      { index: 0, attempts: 1, nextAttemptAtMs: t0 + 9, lastFailure: 'net.reset' },
    ])
    expect((await readAll(second, large.id)).equals(sampleBytes(300_000))).toBe(true)
    expect(bodyFiles()).toHaveLength(1)
    await second.close()
  })

  test('what was noted while its message was still in work is not handed out again', async () => {
    const first = await open()
    const { id } = await accept(first, sampleBytes(500), sampleMessage(first, 3))
    await first.settle({ id, done: [0, 2], deferred: [], lease: 'keep' })
    await first.close()

    const second = await open()
    const taken = await second.take(t0, 10)
    expect(taken.map(one => [one.id, one.pending.map(({ index }) => index)])).toEqual([[id, [1]]])
    await second.close()
  })

  test('ids go on above the old ones although the clock went back', async () => {
    const ids: string[] = []
    for (const atMs of [t0, t0 - 3_600_000, t0 + 1]) {
      const spool = await open()
      for (let i = 0; i < 3; i++) ids.push(spool.newId(atMs))
      await spool.close()
    }
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('body files that no message has are swept away, the others stay', async () => {
    const first = await open()
    const { id } = await accept(first, sampleBytes(300_000))
    const left = first.openBody()
    await writeAll(left, sampleBytes(2_000_000))
    await first.close()
    writeFileSync(join(directory, 'bodies', '00', '00orphan'), 'half a body')
    expect(bodyFiles().length).toBeGreaterThan(1)
    const second = await open()
    expect(bodyFiles()).toHaveLength(1)
    expect((await readAll(second, id)).length).toBe(300_000)
    await second.close()
    left.discard()
  })

  test('a log that was not folded in is read: nothing depends on an orderly end', async () => {
    const first = await open()
    const message = await accept(first, sampleBytes(100))
    const copy = `${directory}-copy`
    execFileSync('cp', ['-r', directory, copy])
    await first.close()
    const second = await open(copy)
    expect((await second.take(t0, 1)).map(one => one.id)).toEqual([message.id])
    expect(second.newId(t0 - 1000) > message.id).toBe(true)
    await second.close()
    rmSync(copy, { recursive: true })
  })
})

describe('the body of a message', () => {
  test('is a file from 256 KB on, and the file goes with the message', async () => {
    const spool = await open()
    await accept(spool, sampleBytes(fileBodyBytes - 1))
    expect(bodyFiles()).toHaveLength(0)
    const { id } = await accept(spool, sampleBytes(fileBodyBytes))
    expect(bodyFiles()).toHaveLength(1)
    await spool.settle({ id, done: [0], deferred: [] })
    await vi.waitFor(() => expect(bodyFiles()).toHaveLength(0))
    await spool.close()
  })

  test('cannot be read when its file is short or gone, and says so', async () => {
    const spool = await open()
    const short = await accept(spool, sampleBytes(700_000))
    for (const file of bodyFiles()) truncateSync(file, 600_000)
    await expect(readAll(spool, short.id)).rejects.toBeInstanceOf(ContentUnreadable)
    for (const file of bodyFiles()) rmSync(file)
    await expect(readAll(spool, short.id)).rejects.toBeInstanceOf(ContentUnreadable)
    await spool.close()
  })

  test('leaves no file behind when it is discarded', async () => {
    const spool = await open()
    const bodies = Array.from({ length: 5 }, () => spool.openBody())
    // One in the middle of its first write, the others at rest.
    await Promise.all(bodies.slice(1).map(body => writeAll(body, sampleBytes(1_500_000))))
    void bodies[0]?.write(sampleBytes(1_500_000))
    for (const body of bodies) body.discard()
    await vi.waitFor(() => expect(bodyFiles()).toHaveLength(0))
    await spool.close()
  })

  test('of 100 MB takes less than 64 MB of memory', async () => {
    const script = join(import.meta.dirname, 'testing', 'large-message.ts')
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, directory, '100'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = await output(child)
    const { grownMb, sizeBytes, readBytes } = JSON.parse(lines)
    expect(sizeBytes).toBe(100 * 1024 * 1024)
    expect(readBytes).toBe(sizeBytes)
    expect(grownMb).toBeLessThan(64)
  })
})

describe('a spool that cannot be opened is refused with a sentence and what to do', () => {
  async function refusal(where = directory): Promise<StoreRefused> {
    const error: unknown = await open(where).then(
      () => null,
      (caught: unknown) => caught,
    )
    if (!(error instanceof StoreRefused)) throw new Error(`expected a refusal, got ${String(error)}`)
    expect(error.message).toMatch(/^[^\n]+\.$/)
    expect(error.hint).toMatch(/^[^\n]+\.$/)
    return error
  }

  test('the directory is no directory', async () => {
    writeFileSync(join(directory, 'file'), '')
    expect((await refusal(join(directory, 'file', 'spool'))).reason).toBe('unwritable')
    expect((await refusal(join(directory, 'file'))).reason).toBe('unwritable')
  })

  test('another process that runs has it; once it is killed the spool is free', async () => {
    const child = acceptLoop()
    await once(child.stdout ?? child, 'data')
    const error = await refusal()
    expect(error.reason).toBe('owned')
    expect(error.message).toContain(`process ${child.pid}`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const spool = await open()
    await spool.close()
  })

  test('this process has it already', async () => {
    const spool = await open()
    expect((await refusal()).reason).toBe('owned')
    await spool.close()
  })

  test('it was written by a newer version', async () => {
    const spool = await open()
    await spool.close()
    const database = new DatabaseSync(join(directory, 'spool.db'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect((await refusal()).reason).toBe('newer')
  })

  test('the file is of another program, or no database', async () => {
    const database = new DatabaseSync(join(directory, 'spool.db'))
    database.exec('CREATE TABLE bookmarks (url TEXT)')
    database.close()
    expect((await refusal()).reason).toBe('foreign')
    writeFileSync(join(directory, 'spool.db'), 'not a database, '.repeat(1000))
    expect((await refusal()).reason).toBe('damaged')
  })

  test.skipIf(process.getuid?.() !== 0)('the disk is full (needs root, to mount a small one)', async () => {
    const disk = smallDisk()
    try {
      writeFileSync(join(disk, 'filler'), Buffer.alloc(4 * 1024 * 1024 - 8192))
      expect((await refusal(disk)).reason).toBe('full')
    } finally {
      unmount(disk)
    }
  })
})

describe('when the disk says no', () => {
  test('nothing is taken in while there is less free space than asked for', async () => {
    const spool = await open(directory, Number.MAX_SAFE_INTEGER)
    for (const size of [100, 300_000]) {
      const body = spool.openBody()
      await writeAll(body, sampleBytes(size))
      expect(await spool.accept(sampleMessage(spool), body)).toMatchObject({ kind: 'full' })
    }
    expect((await spool.counts()).messages).toBe(0)
    expect(bodyFiles()).toEqual([])
    await spool.close()
  })

  test.skipIf(process.getuid?.() !== 0)(
    'a full disk costs nothing that was kept, settlements are remembered, work goes on with the first free space, and the spool opens on it (needs root, to mount a small disk)',
    async () => {
      const disk = smallDisk()
      writeFileSync(join(disk, 'room'), Buffer.alloc(500_000))
      const spool = await open(disk)
      try {
        const kept: NewMessage[] = []
        let refused = 0
        for (let i = 0; i < 60; i++) {
          const message = sampleMessage(spool)
          const body = spool.openBody()
          await writeAll(body, sampleBytes(i % 5 === 0 ? 300_000 : 100_000, i))
          const fault = await spool.accept(message, body)
          if (fault === null) kept.push(message)
          else {
            refused++
            expect(fault.kind).toBe('full')
          }
        }
        expect(kept.length).toBeGreaterThan(3)
        expect(refused).toBeGreaterThan(3)
        expect((await spool.counts()).messages).toBe(kept.length)
        expect((await spool.list(null, 100)).map(one => one.id)).toEqual(kept.map(one => one.id))
        for (const { id } of kept) await readAll(spool, id)

        // Not a byte left, even for the log: what is settled now is recorded at once if the log has room inside, else later.
        fill(disk)
        const [first, second] = kept
        await spool.settle({ id: first?.id ?? '', done: [0], deferred: [] })
        rmSync(join(disk, 'room'))
        await vi.waitFor(async () => expect(await spool.show(first?.id ?? '')).toBeNull(), { timeout: 10_000 })
        await spool.settle({ id: second?.id ?? '', done: [0], deferred: [] })
        for (const { id } of kept.slice(2, -1)) await spool.settle({ id, done: [0], deferred: [] })
        const again = await accept(spool, sampleBytes(100_000, 7))
        expect((await readAll(spool, again.id)).equals(sampleBytes(100_000, 7))).toBe(true)
        await spool.close()
        fill(disk)
        const reopened = await open(disk)
        expect((await reopened.list(null, 100)).map(one => one.id)).toEqual([kept.at(-1)?.id, again.id])
        await reopened.close()
      } finally {
        await spool.close()
        unmount(disk)
      }
    },
  )
})

describe('a settlement that the disk refuses', () => {
  test('is told, keeps its message from others, and is recorded as soon as the disk takes it', async () => {
    const empty = await open()
    await empty.close()
    // A stand-in for a disk that fails: nothing can be deleted while the spool holds fewer than three messages.
    const database = new DatabaseSync(join(directory, 'spool.db'))
    database.exec(`CREATE TRIGGER broken BEFORE DELETE ON message WHEN (SELECT count(*) FROM message) < 3
                   BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END`)
    database.close()
    const spool = await open()
    const first = await accept(spool, sampleBytes(10))
    const notice = sampleMessage(spool)
    const settled = spool.settle({
      id: first.id,
      done: [0],
      deferred: [],
      notify: { message: notice, content: sampleBytes(20) },
    })
    // In the same commit, which fails as a whole: the message is refused, nothing half of the settlement is kept.
    const body = spool.openBody()
    await writeAll(body, sampleBytes(30))
    expect(await spool.accept(sampleMessage(spool), body)).toMatchObject({ kind: 'failed' })
    expect(await settled).toMatchObject({ kind: 'failed', says: expect.stringContaining('the disk is broken') })
    expect((await spool.list(null, 10)).map(one => one.id)).toEqual([first.id])
    expect(await spool.take(t0, 10)).toEqual([])

    const more = [await accept(spool, sampleBytes(10)), await accept(spool, sampleBytes(10))]
    await vi.waitFor(async () => expect(await spool.show(first.id)).toBeNull(), { timeout: 10_000 })
    expect((await spool.list(null, 10)).map(one => one.id)).toEqual([notice.id, ...more.map(one => one.id)])
    expect((await spool.take(t0, 10)).map(one => one.id)).toEqual([notice.id])
    await spool.close()
  })
})

describe('the store', () => {
  test('brings forward more messages than one commit takes', async () => {
    const spool = await open()
    const messages = Array.from({ length: 4100 }, () => sampleMessage(spool))
    await Promise.all(messages.map(message => accept(spool, sampleBytes(10), message)))
    await Promise.all(
      messages.map(({ id }) =>
        spool.settle({
          id,
          done: [],
          deferred: [{ index: 0, nextAttemptAtMs: t0 + 1e6, failure: 'net.refused' }],
        }),
      ),
    )
    expect(await spool.expedite(null, t0 + 5)).toBe(4100)
    const seen = new Set<string>()
    for (let taken = await spool.take(t0 + 5, 999); taken.length > 0; taken = await spool.take(t0 + 5, 999))
      for (const { id } of taken) seen.add(id)
    expect(seen.size).toBe(4100)
    await spool.close()
  })

  test('gives the disk back what a drained spool does not need', async () => {
    const spool = await open()
    const messages = Array.from({ length: 200 }, () => sampleMessage(spool))
    await Promise.all(messages.map(message => accept(spool, sampleBytes(150_000), message)))
    await Promise.all(messages.map(({ id }) => spool.settle({ id, done: [0], deferred: [] })))
    await vi.waitFor(
      async () => {
        await spool.counts()
        const database = statSync(join(directory, 'spool.db')).size
        expect(database).toBeLessThan(29_000_000)
      },
      { timeout: 10_000, interval: 200 },
    )
    await spool.close()
    expect(existsSync(join(directory, 'spool.db-wal'))).toBe(false)
  })

  test('answers what is asked after its end with a fault', async () => {
    const spool = await open()
    const body = spool.openBody()
    await spool.close()
    expect(await spool.accept(sampleMessage(spool), body)).toMatchObject({ kind: 'failed' })
    await expect(spool.counts()).rejects.toThrow('closed')
  })
})

describe('kill -9', () => {
  test('loses nothing that was answered for, and repeats no id', { timeout: 60_000 }, async () => {
    const accepted = new Map<string, { size: number; seed: number }>()
    const settling = new Set<string>()
    for (let round = 0; round < 5; round++) {
      const child = acceptLoop()
      let lines = 0
      let text = ''
      child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
        lines += piece.split('\n').length - 1
        if (lines > 40 * (round + 1)) child.kill('SIGKILL')
      })
      await once(child, 'close')
      for (const line of text.split('\n').slice(0, -1)) {
        const [what, id = '', size, seed] = line.split(' ')
        if (what === 'settling') settling.add(id)
        else {
          expect(accepted.has(id)).toBe(false)
          accepted.set(id, { size: Number(size), seed: Number(seed) })
        }
      }
    }
    expect(accepted.size).toBeGreaterThan(100)
    const spool = await open()
    for (const [id, { size, seed }] of accepted) {
      if (settling.has(id) && (await spool.show(id)) === null) continue
      const content = await readAll(spool, id)
      expect(content.equals(sampleBytes(size, seed)), `content of ${id}`).toBe(true)
    }
    // All can be taken, those included that were accepted and whose answer was not seen any more.
    const { messages } = await spool.counts()
    expect(await spool.take(Date.now() + 10_000, 1_000_000)).toHaveLength(messages)
    for (const one of await spool.list(null, 1_000_000))
      expect((await readAll(spool, one.id)).length).toBe(one.sizeBytes)
    await spool.close()
  })
})

function acceptLoop(): ChildProcess {
  const script = join(import.meta.dirname, 'testing', 'accept-loop.ts')
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function output(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  await once(child, 'close')
  return text
}

/** A disk of 4 MB in memory. */
function smallDisk(): string {
  const disk = join(directory, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk])
  return disk
}

function unmount(disk: string): void {
  execFileSync('umount', ['-l', disk])
}

function fill(disk: string): void {
  for (const size of [65536, 4096, 1])
    try {
      for (;;) writeFileSync(join(disk, 'filler'), Buffer.alloc(size), { flag: 'a' })
    } catch {
      // Full, as wanted.
    }
}
