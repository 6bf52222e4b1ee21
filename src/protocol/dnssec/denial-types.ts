/** What a proof of absence comes to (RFC 4035 §5.4, RFC 5155 §8). Types only. */
import type { BogusReason } from './reasons.ts'

export type Denial =
  /** Secure: a signature of the zone says so. */
  | { readonly kind: 'proven' }
  /**
   * Insecure: the name lies in a span of opt-out, where an unsigned delegation may be or not (RFC 5155 §6, §9.2). No more than that is known,
   * and nothing that the zone has signed lies there.
   */
  | { readonly kind: 'opt-out' }
  /** Insecure: the zone asks for more hashing than is done for a proof (RFC 9276 §3.2). */
  | { readonly kind: 'too-many-iterations' }
  | Unproven

/** Bogus: what was said about the absence does not hold. */
export interface Unproven {
  readonly kind: 'unproven'
  readonly reason: BogusReason
  /** One sentence; names in it are in presentation form. */
  readonly detail: string
}

/** For a DS, `proven` means an unsigned delegation. */
export type NoDs =
  | Denial
  /** Secure: the zone goes on here. The name is no delegation, or does not exist. */
  | { readonly kind: 'not-delegated' }
