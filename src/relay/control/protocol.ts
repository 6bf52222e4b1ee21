/**
 * What is said on the control socket: one JSON request a line, one JSON answer a line, in turn.
 *
 * The socket lies in the state directory with mode 0600: who may connect may do everything, so there is no further permission.
 * A request that is not one of these is answered with a fault, never with silence.
 */
import * as z from 'zod'
import type { DnsStanding } from '../../judgement/evidence.ts'
import type { StoredMessage } from '../../spool/spool.ts'

const id = z.string().regex(/^[0-9a-hjkmnp-tv-z]{13}$/, 'not a message id')

export const controlRequest = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('status') }),
  z.strictObject({ op: z.literal('queue.list'), after: id.nullable(), limit: z.int().min(1).max(1_000) }),
  z.strictObject({ op: z.literal('queue.show'), id }),
  /** Null: everything. */
  z.strictObject({ op: z.literal('queue.retry'), id: id.nullable() }),
  z.strictObject({ op: z.literal('queue.remove'), id }),
  z.strictObject({ op: z.literal('reload') }),
])

export type ControlRequest = z.output<typeof controlRequest>

/** What each operation answers. */
export interface ControlAnswers {
  readonly status: RelayStatus
  readonly 'queue.list': { readonly messages: readonly StoredMessage[] }
  readonly 'queue.show': { readonly message: StoredMessage | null }
  /** How many messages are due now because of it. */
  readonly 'queue.retry': { readonly touched: number }
  /** `in-work`: it is being delivered right now. */
  readonly 'queue.remove': { readonly outcome: 'removed' | 'in-work' | 'unknown' }
  readonly reload: ReloadAnswer
}

export type AnswerTo<R extends ControlRequest> = ControlAnswers[R['op']]

export interface RelayStatus {
  readonly version: string
  readonly pid: number
  readonly startedAtMs: number
  readonly hostname: string
  readonly listeners: readonly { readonly address: string; readonly port: number; readonly tls: string }[]
  readonly messages: number
  readonly bytes: number
  readonly oldestReceivedAtMs: number | null
  readonly nextAttemptAtMs: number | null
  readonly idle: boolean
  /** Missing: the relay was started by a version that does not tell it. */
  readonly health?: RelayHealth
}

/** What the relay depends on and cannot mend itself. */
export interface RelayHealth {
  /** Whether answers of the DNS can be told secure from insecure, as last found. */
  readonly dns: DnsStanding
}

export type ReloadAnswer =
  | { readonly kind: 'kept'; readonly problems: readonly string[] }
  | { readonly kind: 'taken'; readonly needRestart: readonly string[]; readonly remarks: readonly string[] }

/** An answer as it goes over the socket. */
export type ControlReply =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly says: string }

/** Longest request line; the longest real one is under 200 bytes. */
export const longestRequestBytes = 4 * 1024

/** Longest answer that a client reads: a thousand messages with many recipients each. */
export const longestAnswerBytes = 256 * 1024 * 1024
