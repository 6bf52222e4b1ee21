/**
 * The settings of a relay, parsed and complete: what `configuration/` makes of the operator's YAML. Nothing here is optional that has a default.
 */
import type { Level } from '../judgement/plan.ts'
import type { ClientTimeouts } from '../protocol/smtp/client.ts'
import type { ServerLimits } from '../protocol/smtp/server.ts'

export interface Settings {
  /** Our name in greetings, EHLO, Received and DSNs. */
  readonly hostname: string
  /** Directory that holds spool, journal, knowledge, maildrop, control socket and self-made keys. */
  readonly state: string
  readonly listen: readonly Listener[]
  readonly tls: { readonly certificates: readonly { readonly chain: string; readonly key: string }[] }
  /** Client networks (CIDR) that may send to any recipient. */
  readonly relayFrom: readonly string[]
  /** Recipient domains accepted from anybody (`example.org`, `*.example.org`, `.example.org`). */
  readonly relayTo: readonly string[]
  /** Where mail for `postmaster` without a domain and `postmaster@` our own name goes; null: to `postmaster@hostname` by the routes. */
  readonly postmaster: string | null
  readonly routes: readonly RouteRule[]
  readonly dns: DnsSettings
  readonly limits: RelayLimits
  readonly timeouts: OutgoingTimeouts
  readonly retry: RetrySettings
  readonly log: { readonly format: 'human' | 'json'; readonly file: string | null }
}

/** How long we wait for the servers that we deliver to, in ms. */
export interface OutgoingTimeouts extends ClientTimeouts {
  readonly connectMs: number
  readonly handshakeMs: number
}

export interface Listener {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly tls: 'none' | 'starttls' | 'implicit'
  /** When taken: try the next ports up to this many (the tour); 0 for servers. */
  readonly tryNext: number
}

/** Patterns: `user@example.org`, `example.org`, `*.example.org` (below it), `.example.org` (it and below); for sources: addresses and CIDR. */
export interface Match {
  readonly recipient: readonly string[] | null
  readonly sender: readonly string[] | null
  readonly source: readonly string[] | null
  /** Any MX host of the recipient's domain (case 4). */
  readonly mx: readonly string[] | null
}

/** First match wins. All conditions given must hold; none given: always. Lists and files are resolved already. */
export interface RouteRule {
  readonly name: string
  readonly match: Match
  readonly to:
    | { readonly kind: 'mx' }
    | {
        readonly kind: 'host'
        readonly hosts: readonly { readonly name: string; readonly port: number }[]
        readonly implicitTls: boolean
        readonly ipv4Only: boolean
        /** PEM text of the only roots to trust; null: Mozilla's. */
        readonly roots: string | null
      }
    | { readonly kind: 'reject'; readonly code: number; readonly enhanced: string; readonly text: string }
  readonly level: Level
}

export interface DnsSettings {
  /** As `parseNameServer` reads them; empty: /etc/resolv.conf. */
  readonly servers: readonly string[]
  /** PEM of the roots that vouch for servers over TLS; null: Mozilla's. */
  readonly tlsRoots: string | null
  readonly hostsFile: string | null
  readonly timeoutMs: number
  /** Who is believed that an answer is secure: our own validation; the AD bit of the servers; nobody. */
  readonly trust: 'validate' | 'ad' | 'none'
  /** With `ad`: servers that are asked in clear text beyond loopback are believed, too. */
  readonly adFromAnywhere: boolean
  /** Mail waits while answers cannot be validated, instead of going on without DANE. */
  readonly require: boolean
  /** Names at and below which nothing is validated, beside those that are never global (RFC 7646). */
  readonly insecure: readonly string[]
  /** Text of a file with trust anchors; null: those of the public root. */
  readonly anchors: string | null
  /** Strangers' MX hosts may have these addresses although they are loopback, private, link-local (CIDR). */
  readonly allowAddresses: readonly string[]
}

export interface RelayLimits {
  readonly server: ServerLimits
  /** Connections served at a time; further ones are answered 421. */
  readonly connections: number
  readonly connectionsPerAddress: number
  /** A client must complete a command, or send something of a message, within this time, in ms (RFC 5321 §4.5.3.2.7: 5 minutes). */
  readonly idleMs: number
  /** Content must arrive at this rate at least, after a grace of `idleMs`, so that slow bytes cannot hold a place for ever. */
  readonly contentBytesPerSecond: number
  /** A connection ends after this time, whatever it does. */
  readonly sessionMs: number
  /** How long a client that may not send anywhere is watched before it is greeted; who speaks in that time is refused. 0: only a turn. */
  readonly greetingDelayMs: number
  /** TLS handshakes must be over by then. */
  readonly handshakeMs: number
  /** Outgoing connections, in all and to one next hop. */
  readonly deliveries: number
  readonly deliveriesPerNextHop: number
  /** Messages in work at a time; what is accepted beyond waits in the spool. */
  readonly activeMessages: number
  /** Content kept in memory for messages in work. */
  readonly activeBytes: number
  /** Free disk space below which mail is answered 452. */
  readonly minFreeBytes: number
}

export interface RetrySettings {
  /** Waiting time after the 1st, 2nd … attempt, in ms; the last one repeats. */
  readonly scheduleMs: readonly number[]
  /** A message this old is returned to its sender. */
  readonly expireMs: number
  /** A bounce this old is dropped. */
  readonly expireBounceMs: number
}
