/**
 * The spool: the durable store of messages that we have answered for and not yet passed on.
 *
 * Success of `accept` means that body and envelope survive a power cut: only then may a 250 be sent. What it does not do: decide
 * when or where a message goes next. It keeps what it is told, in one partition (a directory) that one process owns.
 * Every implementation runs the contract suite in `testing/contract.ts`.
 */
import type { Envelope } from '../protocol/mail/envelope.ts'
import type { MessageId } from '../protocol/mail/message-id.ts'

/** A message in the course of being received. Small ones stay in memory; from 256 KB on they go to a file. */
export interface BodyWriter {
  /** Takes ownership of the bytes. Resolves at once while there is room; else when the store has caught up: that is the backpressure. Resolves to a `StoreFault` when the disk says no; later writes then do nothing. */
  write(bytes: Uint8Array): undefined | Promise<undefined | StoreFault>
  readonly size: number
  /** The whole content in one piece while it is small (under `fileBodyBytes`), else null. Also after `accept`. */
  content(): Uint8Array | null
  /** Throws the bytes away (the client left, or the content was refused). Safe to call at any time, also after `accept`, where it does nothing. */
  discard(): void
}

/** The disk said no. `full` answers 452, `failed` 451. `says` is for the log, in plain words. */
export interface StoreFault {
  readonly kind: 'full' | 'failed'
  readonly says: string
}

/** What is known of a message when it is taken in. */
export interface NewMessage {
  readonly id: MessageId
  readonly envelope: Envelope
  readonly receivedAtMs: number
  /** After this time what is left undelivered is returned to the sender. */
  readonly expiresAtMs: number
  /** Where it came from: for the log and for routes on the source. */
  readonly origin: Origin
}

export interface Origin {
  readonly via: 'smtp' | 'sendmail' | 'dsn'
  /** The client's address; null when it did not come over the network. */
  readonly address: string | null
  readonly helo: string | null
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384` or null. */
  readonly tls: string | null
}

/** A recipient that is not done yet. */
export interface Pending {
  /** Stable within the message: its place in the envelope. */
  readonly index: number
  readonly attempts: number
  readonly nextAttemptAtMs: number
  /** Code of the failure that deferred it last. */
  readonly lastFailure: string | null
}

export interface StoredMessage extends NewMessage {
  readonly sizeBytes: number
  readonly pending: readonly Pending[]
}

/** What came of an attempt, for the recipients it concerned. Those not named are left as they were. */
export interface Settlement {
  readonly id: MessageId
  /** Delivered, returned or removed: gone from the spool for good. With the last one, the message goes too. */
  readonly done: readonly number[]
  readonly deferred: readonly {
    readonly index: number
    readonly nextAttemptAtMs: number
    readonly failure: string
  }[]
  /**
   * `keep`: a note in the middle of an attempt. What is done is recorded, and the message stays with whoever has it, who settles it again at the end.
   * Nobody comes to have it by that. Default: `give-back`.
   */
  readonly lease?: 'keep' | 'give-back'
  /** A message of our own (a DSN) that must become durable in the same commit, so that no crash can lose it. */
  readonly notify?: { readonly message: NewMessage; readonly content: Uint8Array }
}

export interface SpoolCounts {
  readonly messages: number
  readonly bytes: number
  readonly oldestReceivedAtMs: number | null
  /** When the next message falls due of those that nobody has leased; null when there is none. */
  readonly nextAttemptAtMs: number | null
}

export interface Spool {
  /** Makes a new id. Ids from one spool are never given twice, also across restarts. */
  newId(nowMs: number): MessageId
  /** Begins to receive a body. */
  openBody(): BodyWriter
  /**
   * Makes a message durable: body, envelope and recipients in one commit, shared with others that wait (group commit).
   * Resolves to null when it is safe, to the fault when it is not (and then nothing of it is left behind).
   * The message is leased to the caller: `take` will not hand it out until it was settled or released.
   */
  accept(message: NewMessage, body: BodyWriter): Promise<StoreFault | null>
  /** Hands out up to `limit` messages that have a recipient due at `nowMs`, oldest due first, and leases them to the caller. */
  take(nowMs: number, limit: number): Promise<readonly StoredMessage[]>
  /** Gives a lease back without an attempt. Does nothing when there is none. */
  release(id: MessageId): void
  /**
   * Records what came of an attempt and gives the lease back, unless it is to be kept. Who is done may be named again later. Resolves when it is
   * recorded, and no end of this process can undo it; the caller need not wait. Only a `notify` is safe from a power cut, too: a mere note that is lost there means one more attempt, never a lost message.
   * When the disk says no it resolves to the fault, but the settlement is kept, the message stays leased, and it is tried again until it is
   * recorded: what was delivered is not delivered twice because a disk was full. The caller does not repeat it.
   */
  settle(settlement: Settlement): Promise<StoreFault | null>
  /** The content in pieces of at most 256 KB, from the first byte. Throws `ContentUnreadable` when the file is gone or short. */
  read(id: MessageId): AsyncIterable<Uint8Array>
  counts(): Promise<SpoolCounts>
  /** For `queue list`: by age, after the given id. */
  list(after: MessageId | null, limit: number): Promise<readonly StoredMessage[]>
  show(id: MessageId): Promise<StoredMessage | null>
  /** Makes all that is pending due now: one message, or all of them (null). Resolves to how many messages that concerns, those due already included. */
  expedite(id: MessageId | null, nowMs: number): Promise<number>
  /** Removes a message without telling anybody. False when there is none, or when it is leased. */
  remove(id: MessageId): Promise<boolean>
  /** Flushes and closes. Nothing may be called afterwards. */
  close(): Promise<void>
}

/** Bodies from this size on are files beside the store (ARCHITECTURE decision 8). */
export const fileBodyBytes = 256 * 1024

/** The content of a message cannot be read back: our disk's fault, never the peer's. */
export class ContentUnreadable extends Error {}
