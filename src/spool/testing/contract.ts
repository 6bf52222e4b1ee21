/** What every spool must do. Each implementation runs this suite, the one in memory included. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ContentUnreadable, fileBodyBytes, type NewMessage, type Spool } from '../spool.ts'
import { sampleBytes, sampleMessage, t0, writeAll } from './samples.ts'

export interface SpoolUnderTest {
  readonly spool: Spool
  /** Closes it if it is open, and removes what it left. */
  end(): Promise<void>
}

export async function readAll(spool: Spool, id: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of spool.read(id)) {
    expect(piece.length).toBeLessThanOrEqual(fileBodyBytes)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

export function spoolContract(name: string, make: () => Promise<SpoolUnderTest>): void {
  describe(`${name} is a spool`, () => {
    let made: SpoolUnderTest
    let spool: Spool
    beforeEach(async () => {
      made = await make()
      spool = made.spool
    })
    afterEach(() => made.end())

    async function accept(message: NewMessage, content = sampleBytes(100)): Promise<NewMessage> {
      const body = spool.openBody()
      expect(await writeAll(body, content)).toBeNull()
      expect(await spool.accept(message, body)).toBeNull()
      return message
    }

    test('a message that was accepted is shown just as it was given, with all recipients pending', async () => {
      const message = await accept(sampleMessage(spool, 2))
      const untried = { attempts: 0, nextAttemptAtMs: t0, lastFailure: null }
      expect(await spool.show(message.id)).toEqual({
        ...message,
        sizeBytes: 100,
        pending: [
          { index: 0, ...untried },
          { index: 1, ...untried },
        ],
      })
    })

    test.each([0, 1, 4096, fileBodyBytes - 1, fileBodyBytes, fileBodyBytes + 1, 3_000_001])(
      'a content of %i bytes is read back byte by byte the same',
      async size => {
        const content = sampleBytes(size)
        const { id } = await accept(sampleMessage(spool), content)
        const read = await readAll(spool, id)
        expect(read.length).toBe(size)
        expect(read.equals(content)).toBe(true)
        expect((await spool.show(id))?.sizeBytes).toBe(size)
      },
    )

    test('a body tells its size and, while it is small, its content, before and after it was accepted', async () => {
      const body = spool.openBody()
      await writeAll(body, Buffer.from('one two'), 4)
      expect(body.size).toBe(7)
      expect(Buffer.from(body.content() ?? []).toString()).toBe('one two')
      const message = sampleMessage(spool)
      await spool.accept(message, body)
      expect(Buffer.from(body.content() ?? []).toString()).toBe('one two')
      expect((await readAll(spool, message.id)).toString()).toBe('one two')
      const large = spool.openBody()
      await writeAll(large, sampleBytes(fileBodyBytes))
      expect(large.content()).toBeNull()
      large.discard()
    })

    test('discarding a body keeps nothing of it, and does nothing once it was accepted', async () => {
      for (const size of [10, 2 * fileBodyBytes]) {
        const body = spool.openBody()
        await writeAll(body, sampleBytes(size))
        body.discard()
        body.discard()
      }
      expect((await spool.counts()).messages).toBe(0)
      const message = sampleMessage(spool)
      const body = spool.openBody()
      await writeAll(body, sampleBytes(2 * fileBodyBytes))
      const accepted = spool.accept(message, body)
      body.discard()
      expect(await accepted).toBeNull()
      body.discard()
      expect((await readAll(spool, message.id)).length).toBe(2 * fileBodyBytes)
    })

    test('an id is never given twice, however many one millisecond asks for and wherever the clock goes', () => {
      const ids = Array.from({ length: 100_000 }, (_, i) => spool.newId(t0 - i))
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.toSorted()).toEqual(ids)
    })

    test('a second message with the same id is refused and the first is left as it was', async () => {
      const message = await accept(sampleMessage(spool), Buffer.from('first'))
      const body = spool.openBody()
      await writeAll(body, Buffer.from('second'))
      expect(await spool.accept(message, body)).toMatchObject({ kind: 'failed' })
      expect((await readAll(spool, message.id)).toString()).toBe('first')
      expect((await spool.counts()).messages).toBe(1)
    })

    test('an accepted message is leased: it is handed out only after it was released', async () => {
      const { id } = await accept(sampleMessage(spool))
      expect(await spool.take(t0, 10)).toEqual([])
      spool.release(id)
      expect((await spool.take(t0, 10)).map(one => one.id)).toEqual([id])
      expect(await spool.take(t0, 10)).toEqual([])
      spool.release(id)
      expect((await spool.take(t0, 10)).map(one => one.id)).toEqual([id])
    })

    test('messages are handed out oldest due first, not before they are due, and no more than asked for', async () => {
      const messages: NewMessage[] = []
      for (const delay of [30, 10, 20, 40])
        messages.push(await accept({ ...sampleMessage(spool), receivedAtMs: t0 + delay }))
      for (const { id } of messages) spool.release(id)
      const [a, b, c, d] = messages
      expect(await spool.take(t0 + 9, 10)).toEqual([])
      expect((await spool.take(t0 + 35, 2)).map(one => one.id)).toEqual([b?.id, c?.id])
      expect((await spool.take(t0 + 35, 2)).map(one => one.id)).toEqual([a?.id])
      expect((await spool.take(t0 + 40, 2)).map(one => one.id)).toEqual([d?.id])
    })

    test('however leases come and go, each waiting message is handed out once to each round', async () => {
      const messages: string[] = []
      for (let i = 0; i < 40; i++) messages.push((await accept(sampleMessage(spool, 1, t0 + (i % 5)))).id)
      for (const id of messages) spool.release(id)
      for (let round = 0; round < 3; round++) {
        const seen: string[] = []
        for (;;) {
          const taken = await spool.take(t0 + 10, 7)
          if (taken.length === 0) break
          seen.push(...taken.map(one => one.id))
          const first = taken[0]
          // Some go back while others are still being handed out, some are put off.
          if (first !== undefined && seen.length < 60) spool.release(first.id)
        }
        expect(new Set(seen)).toEqual(new Set(messages))
        for (const [i, id] of messages.entries()) {
          if (i % 3 === 0) spool.release(id)
          else
            await spool.settle({
              id,
              done: [],
              deferred: [{ index: 0, nextAttemptAtMs: t0 + 5, failure: 'net.refused' }],
            })
        }
      }
    })

    test('with the last recipient done the message is gone', async () => {
      const { id } = await accept(sampleMessage(spool, 3))
      await spool.settle({ id, done: [1], deferred: [] })
      expect((await spool.show(id))?.pending.map(one => one.index)).toEqual([0, 2])
      await spool.settle({ id, done: [2, 0], deferred: [] })
      expect(await spool.show(id)).toBeNull()
      expect(await spool.counts()).toEqual({
        messages: 0,
        bytes: 0,
        oldestReceivedAtMs: null,
        nextAttemptAtMs: null,
      })
      await expect(readAll(spool, id)).rejects.toBeInstanceOf(ContentUnreadable)
    })

    test('all recipients at once, none of them tried before, are done as well', async () => {
      const { id } = await accept(sampleMessage(spool, 3), sampleBytes(fileBodyBytes + 1))
      await spool.settle({ id, done: [2, 0, 1], deferred: [] })
      expect(await spool.show(id)).toBeNull()
    })

    test('a recipient named twice, or one that does not exist, does not count for another', async () => {
      const { id } = await accept(sampleMessage(spool, 2))
      await spool.settle({ id, done: [0, 0], deferred: [] })
      expect((await spool.show(id))?.pending.map(one => one.index)).toEqual([1])
      await spool.settle({ id, done: [7], deferred: [] })
      expect((await spool.show(id))?.pending.map(one => one.index)).toEqual([1])
    })

    test('a deferral counts the attempt, keeps the reason, moves the due time and leaves others as they were', async () => {
      const { id } = await accept(sampleMessage(spool, 3))
      const later = { index: 1, nextAttemptAtMs: t0 + 60_000, failure: 'net.timeout' }
      await spool.settle({ id, done: [0], deferred: [later] })
      expect((await spool.show(id))?.pending).toEqual([
        { index: 1, attempts: 1, nextAttemptAtMs: t0 + 60_000, lastFailure: 'net.timeout' },
        { index: 2, attempts: 0, nextAttemptAtMs: t0, lastFailure: null },
      ])
      expect((await spool.take(t0, 1)).map(one => one.id)).toEqual([id])
      await spool.settle({ id, done: [2], deferred: [] })
      expect((await spool.counts()).nextAttemptAtMs).toBe(t0 + 60_000)
      expect(await spool.take(t0 + 59_999, 1)).toEqual([])
      expect((await spool.take(t0 + 60_000, 1)).map(one => one.id)).toEqual([id])
      await spool.settle({ id, done: [], deferred: [{ ...later, nextAttemptAtMs: t0 + 90_000 }] })
      expect((await spool.show(id))?.pending[0]?.attempts).toBe(2)
    })

    test('a note in the middle of an attempt is recorded, and the message stays with whoever has it', async () => {
      const { id } = await accept(sampleMessage(spool, 4))
      const later = { index: 1, nextAttemptAtMs: t0 + 60_000, failure: 'net.timeout' }
      expect(await spool.settle({ id, done: [2], deferred: [], lease: 'keep' })).toBeNull()
      expect(await spool.settle({ id, done: [0], deferred: [later], lease: 'keep' })).toBeNull()
      const left = [
        { index: 1, attempts: 1, nextAttemptAtMs: t0 + 60_000, lastFailure: 'net.timeout' },
        { index: 3, attempts: 0, nextAttemptAtMs: t0, lastFailure: null },
      ]
      expect((await spool.show(id))?.pending).toEqual(left)
      expect(await spool.take(t0 + 60_000, 1)).toEqual([])
      expect(await spool.remove(id)).toBe(false)
      expect((await spool.counts()).nextAttemptAtMs).toBeNull()
      // Saying it again at the end does no harm.
      expect(await spool.settle({ id, done: [0, 2], deferred: [] })).toBeNull()
      expect(await spool.take(t0, 1)).toMatchObject([{ id, pending: left }])
      expect(await spool.settle({ id, done: [3], deferred: [], lease: 'keep' })).toBeNull()
      spool.release(id)
      expect((await spool.counts()).nextAttemptAtMs).toBe(t0 + 60_000)
      expect(await spool.take(t0 + 59_999, 1)).toEqual([])
      expect(await spool.take(t0 + 60_000, 1)).toMatchObject([{ id }])
      expect(await spool.settle({ id, done: [1], deferred: [], lease: 'keep' })).toBeNull()
      expect(await spool.show(id)).toBeNull()
      expect((await spool.counts()).messages).toBe(0)
    })

    test('a note about a message that nobody has gives it to nobody', async () => {
      const { id } = await accept(sampleMessage(spool, 2))
      spool.release(id)
      await spool.settle({ id, done: [0], deferred: [], lease: 'keep' })
      expect((await spool.take(t0, 1)).map(one => one.id)).toEqual([id])
    })

    test('settling or releasing a message that is gone does nothing', async () => {
      const { id } = await accept(sampleMessage(spool))
      await spool.settle({ id, done: [0], deferred: [] })
      expect(await spool.settle({ id, done: [0], deferred: [] })).toBeNull()
      spool.release(id)
      spool.release('not an id')
      expect((await spool.counts()).messages).toBe(0)
    })

    test.each([50, fileBodyBytes + 5, 2_000_000])(
      'a notice of %i bytes made durable with a settlement is there when the message is gone, and free to be taken',
      async size => {
        const { id } = await accept(sampleMessage(spool))
        const notice = {
          ...sampleMessage(spool),
          origin: { via: 'dsn', address: null, helo: null, tls: null },
        } as const
        const content = sampleBytes(size, 9)
        expect(
          await spool.settle({ id, done: [0], deferred: [], notify: { message: notice, content } }),
        ).toBeNull()
        expect(await spool.show(id)).toBeNull()
        const [taken] = await spool.take(t0, 10)
        expect(taken).toMatchObject({ ...notice, sizeBytes: size })
        expect((await readAll(spool, notice.id)).equals(content)).toBe(true)
      },
    )

    test('counts tell how much there is, since when, and when the next one falls due that nobody has', async () => {
      const first = await accept(sampleMessage(spool, 1, t0 + 1))
      const second = await accept(sampleMessage(spool, 1, t0 + 2), sampleBytes(fileBodyBytes + 1))
      const bytes = 100 + fileBodyBytes + 1
      const both = { messages: 2, bytes, oldestReceivedAtMs: t0 + 1 }
      expect(await spool.counts()).toEqual({ ...both, nextAttemptAtMs: null })
      spool.release(second.id)
      expect(await spool.counts()).toEqual({ ...both, nextAttemptAtMs: t0 + 2 })
      spool.release(first.id)
      expect(await spool.counts()).toEqual({ ...both, nextAttemptAtMs: t0 + 1 })
    })

    test('the list goes on after an id, by age, leased or not', async () => {
      const ids: string[] = []
      for (let i = 0; i < 5; i++) ids.push((await accept(sampleMessage(spool))).id)
      expect((await spool.list(null, 2)).map(one => one.id)).toEqual(ids.slice(0, 2))
      expect((await spool.list(ids[1] ?? null, 10)).map(one => one.id)).toEqual(ids.slice(2))
      expect(await spool.list(ids[4] ?? null, 10)).toEqual([])
    })

    test('expedition makes every pending recipient of one message, or of all, due now', async () => {
      const ids: string[] = []
      for (let i = 0; i < 3; i++) {
        const { id } = await accept(sampleMessage(spool, 2))
        ids.push(id)
        const deferred = [0, 1].map(index => ({
          index,
          nextAttemptAtMs: t0 + 1000 * (index + 1),
          failure: 'net.refused',
        }))
        await spool.settle({ id, done: [], deferred })
      }
      const [one] = ids
      expect(await spool.expedite(one ?? null, t0 + 5)).toBe(1)
      expect((await spool.show(one ?? ''))?.pending.map(p => [p.attempts, p.nextAttemptAtMs])).toEqual([
        [1, t0 + 5],
        [1, t0 + 5],
      ])
      expect((await spool.take(t0 + 5, 10)).map(m => m.id)).toEqual([one])
      expect(await spool.expedite('01k9v3p0c2ma7', t0)).toBe(0)
      expect(await spool.expedite(null, t0 + 6)).toBe(3)
      expect((await spool.take(t0 + 6, 10)).map(m => m.id)).toEqual(ids.slice(1))
    })

    test('a message is removed unless somebody has it', async () => {
      const { id } = await accept(sampleMessage(spool), sampleBytes(fileBodyBytes))
      expect(await spool.remove(id)).toBe(false)
      spool.release(id)
      expect(await spool.remove(id)).toBe(true)
      expect(await spool.remove(id)).toBe(false)
      expect(await spool.remove('no id')).toBe(false)
      expect(await spool.show(id)).toBeNull()
    })

    test('what is asked for at the same time is answered each for itself', async () => {
      const messages = Array.from({ length: 200 }, () => sampleMessage(spool))
      await Promise.all(messages.map((message, i) => accept(message, sampleBytes(20_000 + i, i))))
      const read = await Promise.all(messages.map(({ id }) => readAll(spool, id)))
      expect(read.every((bytes, i) => bytes.equals(sampleBytes(20_000 + i, i)))).toBe(true)
      await Promise.all(messages.map(({ id }) => spool.settle({ id, done: [0], deferred: [] })))
      expect((await spool.counts()).messages).toBe(0)
    })
  })
}
