/**
 * What the lab needs of a relay. The lab imports none: `cli/` starts the real one and hands it in, so that the relay is judged by a room that knows
 * nothing of its insides.
 */
import type { IncidentEvent, LifeEvent } from '../journal/journal.ts'
import type { SessionDocument } from '../judgement/evidence.ts'
import type { Level } from '../judgement/plan.ts'
import type { MessageId } from '../protocol/mail/message-id.ts'
import type { Lab } from './lab.ts'
import { documentationNetworks } from './world.ts'

/** How the lab's operator set the relay up, in the relay's own terms but none of its types. */
export interface RelaySetup {
  readonly hostname: string
  /** `address:port` of the only DNS server. */
  readonly dnsServers: readonly string[]
  /** Seconds that one question may take: some servers of the lab never answer. */
  readonly dnsTimeoutSeconds: number
  /** Networks that an MX may point to although no real host is there. */
  readonly allowAddresses: readonly string[]
  /** What stands in a file of trust anchors: the lab's root, and no other. */
  readonly anchors: string
  /** Everything else goes to its MX, at the level that is the default. */
  readonly routes: readonly {
    readonly recipientDomain: string
    readonly to: { readonly host: string; readonly port: number } | 'mx'
    readonly level: Level
    /** PEM of the only roots, where certificates are checked against such. */
    readonly roots: string
  }[]
}

export interface RelayUnderTest {
  /** Where it takes mail, with STARTTLS. */
  readonly smtp: { readonly address: string; readonly port: number }
  /** Resolves when nothing is due or in work, true, or at the deadline, false. */
  settled(deadlineMs: number): Promise<boolean>
  /** What its journal holds, written or not yet seen: the caller asks again. */
  life(message: MessageId): Promise<readonly LifeEvent[]>
  session(id: string): Promise<SessionDocument | null>
  incidents(): Promise<readonly IncidentEvent[]>
}

export function relaySetup(lab: Lab): RelaySetup {
  return {
    hostname: 'relay.hermetic.example',
    dnsServers: [`${lab.dns.address}:${lab.dns.port}`],
    dnsTimeoutSeconds: 3,
    allowAddresses: documentationNetworks,
    anchors: lab.anchors,
    routes: lab.hops.map(({ domain, to, level }) => ({ recipientDomain: domain, to, level, roots: lab.root })),
  }
}
