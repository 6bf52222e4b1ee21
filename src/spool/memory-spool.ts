/**
 * A spool in memory: what the relay's parts are tested with, and the plainest statement of what a spool does. It passes the same contract suite;
 * it only does not survive the process.
 */
import type { MessageId } from '../protocol/mail/message-id.ts'
import { createMessageIds } from './ids.ts'
import { untried } from './meta.ts'
import {
  type BodyWriter,
  ContentUnreadable,
  fileBodyBytes,
  type NewMessage,
  type Pending,
  type Settlement,
  type Spool,
  type StoredMessage,
  type StoreFault,
} from './spool.ts'

interface Kept {
  readonly message: NewMessage
  readonly content: Uint8Array
  pending: readonly Pending[]
  isLeased: boolean
}

/** @param diskFault Asked before each change: what the disk says, for tests of what others do then. */
export function createMemorySpool(partition = 0, diskFault: () => StoreFault | null = () => null): Spool {
  const kept = new Map<MessageId, Kept>()
  const bodies = new WeakMap<BodyWriter, MemoryBody>()
  const ids = createMessageIds(partition, 0, () => {})
  let isClosed = false

  function byAge(): Kept[] {
    return [...kept.values()].sort((a, b) => (a.message.id < b.message.id ? -1 : 1))
  }

  function keep(message: NewMessage, content: Uint8Array, isLeased: boolean): StoreFault | null {
    if (isClosed) return { kind: 'failed', says: 'The spool is closed.' }
    const fault = diskFault()
    if (fault !== null) return fault
    if (kept.has(message.id)) return { kind: 'failed', says: `There is a message ${message.id} already.` }
    kept.set(message.id, { message, content, pending: untried(message), isLeased })
    return null
  }

  function record({ id, done, deferred, lease, notify }: Settlement): StoreFault | null {
    const fault = notify === undefined ? diskFault() : keep(notify.message, notify.content, false)
    if (fault !== null) return fault
    const found = kept.get(id)
    if (found === undefined) return null
    const left = found.pending.filter(one => !done.includes(one.index))
    found.pending = left.map(one => {
      const deferral = deferred.find(other => other.index === one.index)
      if (deferral === undefined) return one
      const { index, nextAttemptAtMs, failure } = deferral
      return { index, attempts: one.attempts + 1, nextAttemptAtMs, lastFailure: failure }
    })
    if (lease !== 'keep') found.isLeased = false
    if (found.pending.length === 0) kept.delete(id)
    return null
  }

  return {
    newId: ids.newId,
    openBody() {
      const body = createMemoryBody()
      bodies.set(body, body)
      return body
    },
    accept(message, writer) {
      const body = bodies.get(writer)
      if (body === undefined) throw new Error('this body is of another spool')
      return Promise.resolve(keep(message, body.claim(), true))
    },
    take(nowMs, limit) {
      const due = byAge()
        .filter(one => !one.isLeased && dueMs(one) <= nowMs)
        .sort((a, b) => dueMs(a) - dueMs(b))
        .slice(0, limit)
      for (const one of due) one.isLeased = true
      return Promise.resolve(due.map(stored))
    },
    release(id) {
      const found = kept.get(id)
      if (found !== undefined) found.isLeased = false
    },
    settle(settlement) {
      const fault = record(settlement)
      if (fault !== null && !isClosed) {
        const again = (): void => {
          if (!isClosed && record(settlement) !== null) setTimeout(again, 100).unref()
        }
        setTimeout(again, 100).unref()
      }
      return Promise.resolve(fault)
    },
    async *read(id) {
      const content = await Promise.resolve(kept.get(id)?.content)
      if (content === undefined) throw new ContentUnreadable(`There is no message ${id}.`)
      for (let at = 0; at < content.length; at += fileBodyBytes) yield content.subarray(at, at + fileBodyBytes)
    },
    counts() {
      const all = byAge()
      const due = all.filter(one => !one.isLeased).map(dueMs)
      return Promise.resolve({
        messages: all.length,
        bytes: all.reduce((sum, one) => sum + one.content.length, 0),
        oldestReceivedAtMs: all[0]?.message.receivedAtMs ?? null,
        nextAttemptAtMs: due.length === 0 ? null : Math.min(...due),
      })
    },
    list(after, limit) {
      const later = byAge().filter(one => after === null || one.message.id > after)
      return Promise.resolve(later.slice(0, limit).map(stored))
    },
    show(id) {
      const found = kept.get(id)
      return Promise.resolve(found === undefined ? null : stored(found))
    },
    expedite(id, nowMs) {
      const which = byAge().filter(one => id === null || one.message.id === id)
      for (const one of which)
        one.pending = one.pending.map(pending => ({
          ...pending,
          nextAttemptAtMs: Math.min(pending.nextAttemptAtMs, nowMs),
        }))
      return Promise.resolve(which.length)
    },
    remove(id) {
      const found = kept.get(id)
      return Promise.resolve(found !== undefined && !found.isLeased && kept.delete(id))
    },
    close() {
      isClosed = true
      return Promise.resolve()
    },
  }
}

interface MemoryBody extends BodyWriter {
  claim(): Uint8Array
}

function createMemoryBody(): MemoryBody {
  const pieces: Uint8Array[] = []
  let size = 0
  let owner: 'writer' | 'spool' | 'nobody' = 'writer'
  const whole = (): Uint8Array => Buffer.concat(pieces)
  return {
    get size() {
      return size
    },
    write(bytes) {
      if (owner === 'writer') {
        pieces.push(bytes)
        size += bytes.length
      }
      return undefined
    },
    content: () => (size < fileBodyBytes ? whole() : null),
    discard() {
      if (owner === 'writer') owner = 'nobody'
    },
    claim() {
      if (owner !== 'writer') throw new Error('this body was accepted or discarded before')
      owner = 'spool'
      return whole()
    },
  }
}

function dueMs(one: Kept): number {
  return Math.min(...one.pending.map(pending => pending.nextAttemptAtMs))
}

function stored({ message, content, pending }: Kept): StoredMessage {
  return { ...message, sizeBytes: content.length, pending }
}
