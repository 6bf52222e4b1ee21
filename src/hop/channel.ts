/**
 * Channels: conversations past their verdict. Made here and nowhere else, and only from a verdict that was not refused
 * (ARCHITECTURE decision 1).
 */
import type { Failure } from '../judgement/failure.ts'
import type { Verdict } from '../judgement/verdict.ts'
import type { ServerOffers } from '../protocol/smtp/client.ts'
import type { Conversation } from './conversation.ts'
import { failedForAll, transact, unmetDemand } from './transaction.ts'
import type {
  AuthenticatedChannel,
  Candidate,
  Channel,
  TransactionResult,
  UnauthenticatedChannel,
} from './types.ts'

export interface ChannelParts {
  readonly candidate: Candidate
  readonly verdict: Exclude<Verdict, { kind: 'refused' }>
  readonly offers: ServerOffers
  readonly session: string
  readonly tls: string | null
  readonly expiresAtMs: number
  readonly conversation: Conversation
  readonly quitMs: number
}

export function mintChannel(parts: ChannelParts): Channel {
  const { conversation, offers, candidate, verdict, session, tls, expiresAtMs } = parts
  let isBusy = false
  let isClosing = false

  const base = {
    candidate,
    verdict,
    session,
    tls,
    expiresAtMs,
    offers: {
      pipelining: offers.pipelining,
      eightBitMime: offers.eightBitMime,
      smtputf8: offers.smtputf8,
      enhancedStatusCodes: offers.enhancedStatusCodes,
      sizeBytes: offers.sizeBytes,
    },
    get usable() {
      return conversation.over === null && !isClosing
    },
    async send(mail: Parameters<Channel['send']>[0]): Promise<TransactionResult> {
      if (isBusy) throw new Error('a channel passes one message at a time')
      if (isClosing || conversation.over !== null)
        return failedForAll(mail, conversation.over ?? closedByUs, false)
      const unmet = unmetDemand(mail, offers)
      if (unmet !== null) return failedForAll(mail, unmet, true)
      isBusy = true
      try {
        return await transact(conversation, mail)
      } finally {
        isBusy = false
      }
    },
    close(): Promise<void> {
      if (isClosing || conversation.over !== null) return Promise.resolve()
      isClosing = true
      return leave(conversation, parts.quitMs)
    },
    abort() {
      isClosing = true
      conversation.destroy()
    },
  }
  // `minted` exists for the type checker only: a channel cannot be written down anywhere else, so this is the one cast that makes it.
  return verdict.kind === 'authenticated'
    ? withUsable<AuthenticatedChannel>(base, { authenticated: true })
    : withUsable<UnauthenticatedChannel>(base, { authenticated: false })
}

/** Says QUIT when the conversation is in order, waits a moment for the answer, and drops the connection. */
export async function leave(conversation: Conversation, quitMs: number): Promise<void> {
  if (conversation.isIdle) {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>(resolve => {
      timer = setTimeout(resolve, quitMs)
    })
    // Whatever comes of a goodbye, the connection goes.
    await Promise.race([conversation.ask(client => client.quit()).catch(() => {}), limit])
    clearTimeout(timer)
  }
  conversation.destroy()
}

/** Adds a field in place, so that the getter `usable` stays one. */
function withUsable<T extends Channel>(base: object, field: { readonly authenticated: T['authenticated'] }): T {
  return Object.assign(base, field) as unknown as T
}

const closedByUs: Failure = { reason: 'smtp.closed', detail: 'closed by us', reply: null }
