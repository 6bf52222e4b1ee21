/**
 * The journal: what happened to every message, and the evidence for it (ARCHITECTURE decision 4). Written behind the work, never in a message's way: a
 * crash may lose its last second, the spool loses nothing. Read by `hermetic log`, also while no relay runs.
 */
import type { DeliveryDocument, SessionDocument, Timestamp } from '../judgement/evidence.ts'
import type { MessageId } from '../protocol/mail/message-id.ts'

/** A step in a message's life. */
export type LifeEvent =
  | {
      readonly kind: 'accepted'
      readonly at: Timestamp
      readonly message: MessageId
      readonly from: string
      readonly recipients: readonly string[]
      readonly sizeBytes: number
      readonly via: string
      readonly client: string | null
      readonly helo: string | null
      readonly tls: string | null
    }
  | {
      readonly kind: 'attempted'
      readonly at: Timestamp
      readonly message: MessageId
      readonly delivery: DeliveryDocument
    }
  /** A DSN was made for it. */
  | {
      readonly kind: 'returned'
      readonly at: Timestamp
      readonly message: MessageId
      readonly dsn: MessageId
      readonly recipients: readonly string[]
    }
  | { readonly kind: 'completed'; readonly at: Timestamp; readonly message: MessageId }
  | { readonly kind: 'removed'; readonly at: Timestamp; readonly message: MessageId }

/** Something a client did to us that belongs to no message: bytes injected before TLS, a refused relay attempt, too many errors. */
export interface IncidentEvent {
  readonly kind: 'incident'
  readonly at: Timestamp
  /** Dotted: `starttls.bytes-after-command`. */
  readonly code: string
  readonly client: string
  readonly says: string
}

export interface Journal {
  /** Never waits, never throws. When the writer cannot keep up the oldest unwritten go, and their number is recorded. */
  record(event: LifeEvent | IncidentEvent): void
  /**
   * Keeps a session's evidence: whole when it failed or differs from the newest success of that host, else only its id and time referring to that one
   * (stored once by content). Never waits.
   */
  keep(session: SessionDocument): void
  flush(): Promise<void>
  close(): Promise<void>
}

/** What `hermetic log` reads. Opens the store read-only. */
export interface JournalReader {
  /** The newest messages (or those whose sender, recipient or id contains `matching`), newest first. */
  recent(limit: number, matching: string | null): readonly MessageSummary[]
  life(id: MessageId): readonly LifeEvent[]
  delivery(id: string): DeliveryDocument | null
  session(id: string): SessionDocument | null
  /** The newest connection to that address of that host, whatever came of it. */
  lastSeen(target: {
    readonly host: string
    readonly address: string
    readonly port: number
  }): SessionDocument | null
  incidents(limit: number): readonly IncidentEvent[]
  close(): void
}

export interface MessageSummary {
  readonly message: MessageId
  readonly at: Timestamp
  readonly from: string
  readonly recipients: readonly string[]
  readonly sizeBytes: number
  /** `failed`: for good, and there was no sender to return it to, as with a bounce. */
  readonly state: 'queued' | 'delivered' | 'deferred' | 'returned' | 'failed' | 'removed'
  /** The newest thing known, in one line. */
  readonly says: string
}
