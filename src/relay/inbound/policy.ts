/**
 * Who may send to whom: asked at every RCPT, before the routes. Closed by default.
 *
 * Accepted are recipients in `relayTo` from anybody, any recipient from a client in `relayFrom`, and the postmaster (RFC 5321 §4.5.1). Nothing else:
 * an open relay is found and abused within hours. Only the domain counts; `user%other@ours` and `other!user@ours` are mailboxes of ours like any other.
 */
import { type Path, parseAddress, parseAddressLiteral, unquotedLocal } from '../../protocol/mail/address.ts'
import { addressLiteral } from '../../protocol/mail/received.ts'
import { type Reply, reply } from '../../protocol/smtp/reply.ts'
import { compileNames, compileNetworks } from '../routing/patterns.ts'
import type { Settings } from '../settings.ts'

export type RecipientVerdict =
  /** `recipient`: whom the message goes to in fact, the operator's choice for the postmaster. `isPostmaster`: no route may reject it. */
  | { readonly kind: 'accept'; readonly recipient: Path; readonly isPostmaster: boolean }
  | { readonly kind: 'refuse'; readonly reply: Reply }

export interface RelayPolicy {
  /** Whether the client may send to any recipient. Ask once a connection. */
  maySendAnywhere(clientAddress: string): boolean
  /** @param ourAddress Where the client reached us: a postmaster at this address literal is ours. */
  decide(client: RelayClient, to: Path): RecipientVerdict
}

export interface RelayClient {
  readonly address: string
  readonly ourAddress: string
  readonly maySendAnywhere: boolean
}

export function createRelayPolicy(
  settings: Pick<Settings, 'hostname' | 'relayFrom' | 'relayTo' | 'postmaster'>,
): RelayPolicy {
  const from = compileNetworks(settings.relayFrom)
  const to = compileNames(settings.relayTo)
  const hostname = settings.hostname.toLowerCase()
  return {
    maySendAnywhere: address => from.matches(address),
    decide(client, recipient) {
      // `"postmaster"` is the same mailbox (RFC 5321 §4.1.2).
      if (unquotedLocal(recipient).toLowerCase() === 'postmaster') {
        const isOurs = recipient.domain === '' || recipient.domain === hostname
        if (isOurs || recipient.domain === literalOf(client.ourAddress))
          return { kind: 'accept', recipient: postmasterPath(settings), isPostmaster: true }
        if (to.matches(recipient.domain)) return { kind: 'accept', recipient, isPostmaster: true }
      }
      if (client.maySendAnywhere || to.matches(recipient.domain))
        return { kind: 'accept', recipient, isPostmaster: false }
      // How it could be allowed is for the operator to know, and stands in the incident: a stranger has no use for it.
      const says = `Relaying denied: this server takes no mail for ${recipient.domain} from your address`
      return { kind: 'refuse', reply: reply(550, '5.7.1', says) }
    },
  }
}

/** In the form that literals of recipients have. */
function literalOf(address: string): string | null {
  return parseAddressLiteral(addressLiteral(address))
}

/** Where mail for the postmaster of this machine goes: whom the operator named, else `postmaster` at our name, by the routes. */
export function postmasterPath({ hostname, postmaster }: Pick<Settings, 'hostname' | 'postmaster'>): Path {
  const named = postmaster === null ? null : parseAddress(postmaster)
  if (named !== null && typeof named !== 'string') return named
  return { local: 'postmaster', domain: hostname.toLowerCase(), text: `postmaster@${hostname}` }
}
