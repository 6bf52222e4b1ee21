/**
 * What travels beside a message's content (RFC 5321 §2.3.1): who sent it, to whom, and what it demands of a hop.
 */
import type { Path } from './address.ts'

/** What a message needs from every hop that is to carry it. Observed in the content, not only declared. */
export interface Demands {
  /** Octets above 127 in the content: the hop must offer 8BITMIME (RFC 6152). */
  readonly eightBit: boolean
  /** SMTPUTF8 was asked for with MAIL, or an address is not ASCII (RFC 6531 §3.1). */
  readonly smtputf8: boolean
}

export interface Envelope {
  /** The reverse-path; `null` is the null sender `<>`, to which nothing is ever returned. */
  readonly from: Path | null
  readonly recipients: readonly Path[]
  readonly demands: Demands
  /** RFC 3461 ENVID, when the client gave one. */
  readonly envid?: string
}
