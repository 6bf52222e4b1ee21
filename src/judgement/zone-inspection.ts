/** What was heard when a zone was asked about: all that an audit of it (zone-audit.ts) goes by. Types only; cli/zone-inspection.ts fills them. */
import type { Message } from '../protocol/dns/message.ts'
import type { Name } from '../protocol/dns/name.ts'
import type { ValidatedAnswer, WireQuestion } from '../protocol/dnssec/types.ts'
import type { AuditAnswers } from './zone-questions.ts'

export interface ZoneInspection extends AuditAnswers {
  readonly domain: Name
  /** Milliseconds since 1970: what signatures were held against. */
  readonly atMs: number
  /** Every message, and every question that none came for, in the order in which they came. */
  readonly heard: readonly HeardReply[]
  /** In the order in which they are asked. */
  readonly servers: readonly InspectedServer[]
}

export interface HeardReply {
  readonly question: WireQuestion
  /** `cache`: heard before. Null: nothing came. */
  readonly over: 'udp' | 'tcp' | 'tls' | 'cache' | null
  readonly bytes: number
  readonly server: string | null
  /** Null: none that could be used. */
  readonly message: Message | null
  readonly why: string | null
}

export interface InspectedServer {
  readonly server: string
  /** Whether it answered anything at all. */
  readonly isThere: boolean
  /** Of a server over TLS: why it is not proved to be the one that was to be asked; else null. */
  readonly unproven: string | null
  readonly signatures: 'arrive' | 'stripped' | 'unknown'
  readonly tcp: 'works' | 'fails' | 'unknown'
  readonly clock: 'sane' | 'ahead' | 'behind' | 'unknown'
  /** What it says alone; nothing when it is the only one. */
  readonly answers: readonly ValidatedAnswer[]
}
