/**
 * A thread that owns a store, so that no commit, sync or checkpoint ever holds up the loop that serves sockets (ARCHITECTURE decision 8).
 *
 * The owner posts a batch and gets one reply for it; it posts the next when it has the reply, so that what comes in meanwhile makes the next batch.
 * Both ends are the same program: what crosses is not checked again. It does not know what a batch means.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { StoreRefused } from './sqlite.ts'

/** The owner's end. */
export interface StoreThread<Opened, Batch> {
  /** What the store said of itself when it was opened. */
  readonly opened: Opened
  post(batch: Batch): void
  /** Closes the store and ends the thread. The reply to the last batch must have come. */
  close(): Promise<void>
}

/** The thread's end. */
export interface ThreadStore<Opened, Batch, Reply> {
  readonly opened: Opened
  handle(batch: Batch): Reply
  /** Runs after a reply was sent, so that nobody waits for it. */
  afterwards?(): void
  close(): void
}

/**
 * Starts the module as a thread in the given role; it must call `serveStore` with the same one at its top level.
 * @throws {StoreRefused} when the store cannot be opened.
 */
export async function startStoreThread<Opened, Batch, Reply>(options: {
  readonly module: URL
  readonly role: string
  /** Given to the store's `open`. */
  readonly data: unknown
  onReply(reply: Reply): void
  /** The thread died, which only a bug or the want of memory can cause. There will be no further reply. */
  onLost(error: Error): void
}): Promise<StoreThread<Opened, Batch>> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>()
  const worker = new Worker(options.module, {
    workerData: { role: options.role, data: options.data },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    name: options.role,
  })
  let isOpen = false
  let isClosing = false
  worker.on('message', (message: FromThread<Opened, Reply>) => {
    if ('reply' in message) options.onReply(message.reply)
    else if ('opened' in message) {
      isOpen = true
      resolve(message.opened)
    } else {
      const { reason, says, hint } = message.refused
      reject(new StoreRefused(reason, says, hint))
    }
  })
  const lost = (error: Error): void => {
    if (!isOpen) reject(error)
    else if (!isClosing) options.onLost(error)
  }
  worker.once('error', lost)
  const exited = new Promise<void>(done => {
    worker.once('exit', code => {
      lost(new Error(`the thread "${options.role}" ended with code ${code}`))
      done()
    })
  })
  const opened = await promise
  return {
    opened,
    post: batch => worker.postMessage(batch),
    close() {
      isClosing = true
      worker.postMessage(null)
      return exited
    },
  }
}

/** Makes this module a store's thread when it was started as one, and does nothing otherwise. */
export function serveStore<Data, Opened, Batch, Reply>(
  role: string,
  open: (data: Data) => ThreadStore<Opened, Batch, Reply>,
): void {
  const port = parentPort
  if (isMainThread || port === null || workerData?.role !== role) return
  let store: ThreadStore<Opened, Batch, Reply>
  try {
    store = open(workerData.data)
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error
    const { reason, message: says, hint } = error
    port.postMessage({ refused: { reason, says, hint } })
    return
  }
  port.on('message', (batch: Batch | null) => {
    if (batch === null) {
      store.close()
      port.close()
      return
    }
    port.postMessage({ reply: store.handle(batch) })
    store.afterwards?.()
  })
  port.postMessage({ opened: store.opened })
}

type FromThread<Opened, Reply> =
  | { readonly opened: Opened }
  | { readonly reply: Reply }
  | { readonly refused: { readonly reason: StoreRefused['reason']; readonly says: string; readonly hint: string } }
