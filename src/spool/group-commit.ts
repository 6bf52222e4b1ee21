/**
 * The owner's end of the store's thread: gathers operations, posts them as one batch, and answers when that one commit is durable. While it
 * syncs the next batch gathers, so the busier the relay the fewer syncs a message costs.
 *
 * Bodies cross in shared memory, copied once. Every operation is answered exactly once, with a fault when the thread is gone.
 */
import { startStoreThread } from '../system/store-thread.ts'
import type { Answers, OpenedStore, Operation, StoreData } from './protocol.ts'
import { fileBodyBytes, type StoreFault } from './spool.ts'
import { storeModule, storeRole } from './store.ts'

export interface GroupCommit {
  readonly opened: OpenedStore
  add(call: Call): void
  /** Waits for the answers to all that was added, then ends the thread. What is added afterwards is answered with a fault. */
  close(): Promise<void>
}

export interface Call {
  readonly operation: Operation
  /** The message that the operation carries, if it does: goes to shared memory, and the operation is told where. */
  readonly content: Content | null
  answer(answer: unknown): void
}

export interface Content {
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
}

/** @throws {StoreRefused} */
export async function startGroupCommit(
  directory: string,
  minFreeBytes: number,
  lost: (error: Error) => void,
): Promise<GroupCommit> {
  const slab = new SharedArrayBuffer(slabBytes)
  const slabView = new Uint8Array(slab)
  let waiting: Call[] = []
  let inFlight: readonly Call[] | null = null
  let isScheduled = false
  let gone: StoreFault | null = null
  let whenQuiet: (() => void) | null = null

  const thread = await startStoreThread<OpenedStore, readonly Operation[], Answers>({
    module: storeModule,
    role: storeRole,
    data: { directory, minFreeBytes, slab } satisfies StoreData,
    onReply(answers) {
      const calls = inFlight ?? []
      inFlight = null
      for (const [index, call] of calls.entries()) call.answer(answers[index])
      if (waiting.length > 0) schedule()
      else whenQuiet?.()
    },
    onLost(error) {
      refuseAll({ kind: 'failed', says: `The spool's thread is gone: ${error.message}` })
      lost(error)
    },
  })

  function refuseAll(fault: StoreFault): void {
    gone = fault
    const calls = [...(inFlight ?? []), ...waiting]
    inFlight = null
    waiting = []
    for (const call of calls) call.answer(fault)
    whenQuiet?.()
  }

  /** Posts at the end of this turn of the loop, so that whatever else arrives in it shares the commit. */
  function schedule(): void {
    if (isScheduled || inFlight !== null) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      if (waiting.length > 0 && gone === null) thread.post(nextBatch())
    })
  }

  /** As many operations as one commit should take, their content copied to the slab. */
  function nextBatch(): readonly Operation[] {
    const batch: Operation[] = []
    let used = 0
    for (const { operation, content } of waiting) {
      const bytes = content?.bytes ?? 0
      if (batch.length === maxBatch || (used > 0 && used + bytes > slabBytes)) break
      if (content === null) batch.push(operation)
      else if (bytes > slabBytes) batch.push(carrying(operation, Buffer.concat(content.pieces)))
      else {
        batch.push(carrying(operation, used))
        for (const piece of content.pieces) {
          slabView.set(piece, used)
          used += piece.length
        }
      }
    }
    inFlight = waiting
    waiting = batch.length === waiting.length ? [] : waiting.splice(batch.length)
    return batch
  }

  return {
    opened: thread.opened,
    add(call) {
      if (gone !== null) {
        call.answer(gone)
        return
      }
      waiting.push(call)
      schedule()
    },
    async close() {
      if (gone !== null) return
      if (waiting.length > 0 || inFlight !== null) {
        const quiet = Promise.withResolvers<void>()
        whenQuiet = quiet.resolve
        await quiet.promise
      }
      gone ??= { kind: 'failed', says: 'The spool is closed.' }
      await thread.close()
    },
  }
}

/** The operation, told where the content is. */
function carrying(operation: Operation, body: number | Uint8Array): Operation {
  if (operation.kind === 'accept') return { kind: 'accept', row: { ...operation.row, body } }
  if (operation.kind === 'settle' && operation.notify !== null)
    return { ...operation, notify: { ...operation.notify, body } }
  return operation
}

/** Memory shared with the thread for the content of one batch. Room for four of the largest bodies that are no files; a longer DSN crosses as a copy. */
const slabBytes = 4 * fileBodyBytes

/** So many operations take some 20 ms at most, and nobody waits for more than two batches. */
const maxBatch = 1000
