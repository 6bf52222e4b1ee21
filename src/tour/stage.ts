/**
 * What the tour needs of its surroundings. It imports neither lab nor relay: `cli/` starts both and hands them in behind this.
 */
import type { SessionDocument } from '../judgement/evidence.ts'
import type { TourMessage } from './messages.ts'

export interface Stage {
  /** Where the relay takes mail. */
  readonly relay: { readonly address: string; readonly port: number }
  /** Mail hosts of the lab that are up. */
  readonly hostCount: number
  /** The relay's configuration file, which names its state directory. */
  readonly configuration: string
  /** Plays a scenario of the lab, by name, with this message in place of its own. */
  play(scenario: string, message: TourMessage | null): Promise<Played>
}

/** What happened, from the record of the lab's hosts and the relay's journal. */
export interface Played {
  readonly ok: boolean
  /** In one line. */
  readonly happened: string
  /** Where it differs from what had to happen. */
  readonly differences: readonly string[]
  /** The id that the relay gave the message; null when it took none. */
  readonly message: string | null
  /** The host that holds the message, and the SNI it was asked for. */
  readonly arrival: { readonly host: string; readonly sni: string | null; readonly tls: string | null } | null
  /** The same bytes at the receiver, save trace fields; null where none were to arrive. */
  readonly identical: boolean | null
  /** The relay's connections, in order. */
  readonly sessions: readonly SessionDocument[]
  /** Codes that the message was deferred or returned for. */
  readonly reasons: readonly string[]
  /** What an attacker was told. */
  readonly reply: string | null
  readonly incidents: readonly string[]
}
