/**
 * The spool on SQLite: `spool.db` and `bodies/` in a directory that one process has at a time, by a lock that dies with it.
 *
 * Success of `openSpool` means that what a crash left is recovered and everything kept can be taken. The work is done elsewhere: group-commit.ts gathers
 * what is asked, store.ts answers it on a thread of its own, body.ts receives bodies.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises'
import type { MessageId } from '../protocol/mail/message-id.ts'
import { passedThrough } from '../system/large-traffic.ts'
import { createBody, type ReceivedBody } from './body.ts'
import { type Content, startGroupCommit } from './group-commit.ts'
import { createMessageIds } from './ids.ts'
import { messageOf, rowOf } from './meta.ts'
import { type ContentRow, type Expedited, isFault, type Operation, type StoredRow } from './protocol.ts'
import {
  type BodyWriter,
  ContentUnreadable,
  fileBodyBytes,
  type NewMessage,
  type Spool,
  type SpoolCounts,
  type StoreFault,
} from './spool.ts'
import { bodyPath } from './store.ts'

export interface SpoolOptions {
  /** Made when it is not there. */
  readonly directory: string
  /** 0 to 31: which part of the relay's whole spool this directory is. */
  readonly partition: number
  /** Free disk space below which nothing is taken in, so that settlements still find room. */
  readonly minFreeBytes: number
  /** The wall clock, in ms. */
  readonly now: () => number
  /** The spool's thread died, which only a bug or the want of memory can cause: from here on it answers everything with a fault. */
  readonly lost?: (error: Error) => void
}

/**
 * Opens a partition, or makes it.
 * @throws {StoreRefused} when the directory cannot be written, belongs to a process that runs, is on a full disk, or holds a newer format.
 */
export async function openSpool({ directory, partition, minFreeBytes, now, lost }: SpoolOptions): Promise<Spool> {
  const store = await startGroupCommit(directory, minFreeBytes, lost ?? (() => {}))
  const bodies = new WeakMap<BodyWriter, ReceivedBody>()
  const bodyFiles = { path: (name: string) => bodyPath(directory, name), minFreeBytes }
  const ids = createMessageIds(partition, Math.max(store.opened.reservedMs, now() - 1), reserve)
  /** Settlements that the disk refused: known only here until it takes them. */
  let refused: { readonly operation: Operation; readonly content: Content | null }[] = []
  let refusedTimer: NodeJS.Timeout | null = null

  function reserve(untilMs: number): void {
    store.add({ operation: { kind: 'reserve', untilMs }, content: null, answer: () => {} })
  }

  function change(operation: Operation, content: Content | null): Promise<StoreFault | null> {
    return new Promise(resolve => {
      store.add({ operation, content, answer: answer => resolve(isFault(answer) ? answer : null) })
    })
  }

  function ask<T>(operation: Operation): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = (answer: unknown): void => {
        if (isFault(answer)) reject(new Error(answer.says))
        // Both ends of the thread are this program: store.ts answers each kind of operation with its own type.
        else resolve(answer as T)
      }
      store.add({ operation, content: null, answer })
    })
  }

  async function acceptFile(message: NewMessage, body: ReceivedBody): Promise<StoreFault | null> {
    const sealed = await body.seal()
    if ('kind' in sealed) return sealed
    const operation = { kind: 'accept', row: rowOf(message, body.size, sealed.file) } as const
    const fault = await change(operation, null)
    if (fault !== null) await unlink(bodyPath(directory, sealed.file)).catch(() => {})
    return fault
  }

  function settleUntilRecorded(
    operation: Operation,
    content: Content | null,
    first: (fault: StoreFault | null) => void,
  ): void {
    const answer = (answer: unknown): void => {
      const fault = isFault(answer) ? answer : null
      if (fault !== null) {
        refused.push({ operation, content })
        refusedTimer ??= setTimeout(settleRefused, settleAgainMs)
      }
      first(fault)
    }
    store.add({ operation, content, answer })
  }

  function settleRefused(): void {
    refusedTimer = null
    const again = refused
    refused = []
    for (const { operation, content } of again) settleUntilRecorded(operation, content, () => {})
  }

  return {
    newId: ids.newId,
    openBody() {
      const body = createBody(bodyFiles)
      bodies.set(body, body)
      return body
    },
    accept(message, writer) {
      const body = bodies.get(writer)
      if (body === undefined) throw new Error('this body is of another spool')
      body.claim()
      const pieces = body.pieces()
      if (pieces === null) return acceptFile(message, body)
      return change({ kind: 'accept', row: rowOf(message, body.size, 0) }, { pieces, bytes: body.size })
    },
    async take(nowMs, limit) {
      return (await ask<StoredRow[]>({ kind: 'take', nowMs, limit })).map(messageOf)
    },
    release(id) {
      store.add({ operation: { kind: 'release', id }, content: null, answer: () => {} })
    },
    settle({ id, done, deferred, lease = 'give-back', notify }) {
      const operation: Operation = {
        kind: 'settle',
        id,
        done,
        deferred,
        lease,
        notify: notify === undefined ? null : rowOf(notify.message, notify.content.length, 0),
      }
      const content = notify === undefined ? null : { pieces: [notify.content], bytes: notify.content.length }
      return new Promise(resolve => settleUntilRecorded(operation, content, resolve))
    },
    async *read(id) {
      const found = await ask<ContentRow | null>({ kind: 'read', id })
      if (found === null) throw new ContentUnreadable(`There is no message ${id}.`)
      const { size, file, content } = found
      if (file !== null) yield* readFile(id, bodyPath(directory, file), size)
      else if (content === null || content.length !== size)
        throw new ContentUnreadable(`The content of ${id} is not there in full.`)
      else for (let at = 0; at < size; at += fileBodyBytes) yield content.subarray(at, at + fileBodyBytes)
    },
    counts: () => ask<SpoolCounts>({ kind: 'counts' }),
    async list(after, limit) {
      return (await ask<StoredRow[]>({ kind: 'list', after, limit })).map(messageOf)
    },
    async show(id) {
      const row = await ask<StoredRow | null>({ kind: 'show', id })
      return row === null ? null : messageOf(row)
    },
    async expedite(id, nowMs) {
      if (id !== null) return (await ask<Expedited>({ kind: 'expedite', which: { one: id }, nowMs })).messages
      let messages = 0
      let after: MessageId | null = null
      do {
        const part: Expedited = await ask<Expedited>({ kind: 'expedite', which: { after }, nowMs })
        messages += part.messages
        after = part.last
      } while (after !== null)
      return messages
    },
    remove: id => ask<boolean>({ kind: 'remove', id }),
    async close() {
      if (refusedTimer !== null) clearTimeout(refusedTimer)
      settleRefused()
      // After an orderly end the next ids need not be ahead of the clock.
      reserve(ids.lastMs)
      await store.close()
      if (refusedTimer !== null) clearTimeout(refusedTimer)
    },
  }
}

async function* readFile(id: MessageId, path: string, size: number): AsyncGenerator<Uint8Array> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    throw new ContentUnreadable(`The file with the content of ${id} cannot be opened.`, { cause: error })
  }
  try {
    for (let at = 0; at < size; ) {
      const piece = Buffer.allocUnsafeSlow(Math.min(filePieceBytes, size - at))
      const { bytesRead } = await handle.read(piece, 0, piece.length, at)
      if (bytesRead === 0) throw new ContentUnreadable(`The file with the content of ${id} is too short: ${path}`)
      at += bytesRead
      yield bytesRead === piece.length ? piece : piece.subarray(0, bytesRead)
      passedThrough(bytesRead)
    }
  } catch (error) {
    if (error instanceof ContentUnreadable) throw error
    throw new ContentUnreadable(`The file with the content of ${id} cannot be read.`, { cause: error })
  } finally {
    await handle.close()
  }
}

/** A file is read in pieces of this size: of larger ones much more garbage gathers in memory before it is collected (measured: 66 MB at 256 KB). */
const filePieceBytes = 64 * 1024

/** How long a settlement waits that the disk refused. */
const settleAgainMs = 1000
