/** What the spool's owner and its thread say to each other: a batch of operations, and one answer to each, in order. */
import type { MessageId } from '../protocol/mail/message-id.ts'
import type { Settlement, StoreFault } from './spool.ts'

/** Where the thread finds a body: at an offset in the shared slab, in a file of the bodies directory, or right here when it is too large for the slab. */
export type BodyPlace = number | string | Uint8Array

/** A message as it goes into the tables. */
export interface MessageRow {
  readonly id: MessageId
  readonly sizeBytes: number
  /** How many recipients. */
  readonly recipients: number
  /** When it is due first. */
  readonly dueMs: number
  /** `Meta` as JSON text: the thread has no need to look into it. */
  readonly meta: string
  readonly body: BodyPlace
}

export type Operation =
  | { readonly kind: 'accept'; readonly row: MessageRow }
  | (Pick<Settlement, 'id' | 'done' | 'deferred'> & {
      readonly kind: 'settle'
      readonly lease: 'keep' | 'give-back'
      readonly notify: MessageRow | null
    })
  | { readonly kind: 'release'; readonly id: MessageId }
  | { readonly kind: 'take'; readonly nowMs: number; readonly limit: number }
  | { readonly kind: 'read'; readonly id: MessageId }
  | { readonly kind: 'counts' }
  | { readonly kind: 'list'; readonly after: MessageId | null; readonly limit: number }
  | { readonly kind: 'show'; readonly id: MessageId }
  /** One message, or the next ones by age after an id: no more at once than one commit should hold up others for. */
  | {
      readonly kind: 'expedite'
      readonly which: { readonly one: MessageId } | { readonly after: MessageId | null }
      readonly nowMs: number
    }
  | { readonly kind: 'remove'; readonly id: MessageId }
  /** All ids up to this time may be in use. */
  | { readonly kind: 'reserve'; readonly untilMs: number }

/** A message as it comes out of the tables. */
export interface StoredRow {
  readonly id: MessageId
  readonly size: number
  readonly meta: string
  /** `PendingRow[]` as JSON; null while no attempt was recorded, when all recipients are pending. */
  readonly pending: string | null
}

/** index, attempts, next attempt, last failure. */
export type PendingRow = readonly [number, number, number, string | null]

/** Where the content of a message is. */
export interface ContentRow {
  readonly size: number
  readonly file: string | null
  readonly content: Uint8Array | null
}

/** How many messages it concerned, and the id to go on after; null when that was all. */
export interface Expedited {
  readonly messages: number
  readonly last: MessageId | null
}

/** In the order of the batch. A `StoreFault` in place of an answer: the disk said no to that operation. */
export type Answers = readonly unknown[]

export function isFault(answer: unknown): answer is StoreFault {
  return typeof answer === 'object' && answer !== null && 'kind' in answer && 'says' in answer
}

export interface OpenedStore {
  /** Ids up to this time may have been given. */
  readonly reservedMs: number
}

export interface StoreData {
  readonly directory: string
  readonly minFreeBytes: number
  readonly slab: SharedArrayBuffer
}
