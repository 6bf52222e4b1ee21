/**
 * What somebody did at a host of the lab, told in a few lines: one connection as the host saw it, made into facts that a postmaster looks for.
 *
 * It judges nobody: that a client left after the handshake is what a client does that did not like the certificate. Texts are cut; what they hold is
 * from outside, and passes `visible` before anybody sees it.
 */
import type { Visit } from './host.ts'

export interface VisitReport {
  /** RFC 3339. */
  readonly at: string
  /** What the client called itself last. */
  readonly helo: string | null
  /** Null: it came to no TLS session. */
  readonly tls: { readonly version: string; readonly cipher: string; readonly sni: string | null } | null
  /** What went wrong with TLS, in the host's words. */
  readonly tlsError: string | null
  readonly came: Came
  /** Every MAIL and what became of it, the newest ones when there were very many. */
  readonly mails: readonly MailReport[]
}

/** How far the client came. */
export type Came =
  /** At least one message was kept. */
  | 'delivered'
  /** Mail commands were given, and no message was kept. */
  | 'mail-commands'
  /** The handshake was done, and no mail command given. */
  | 'left-after-tls'
  /** STARTTLS was said, and the handshake not done. */
  | 'left-during-tls'
  /** Neither STARTTLS nor a mail command. */
  | 'left'

export interface MailReport {
  readonly from: string
  /** Whether the command came inside TLS. */
  readonly over: 'tls' | 'clear'
  readonly accepted: readonly string[]
  readonly refused: readonly string[]
  /** The reply to the content; null when none was sent, or no answer given. */
  readonly content: 'kept' | 'refused' | null
}

/** @param visit may still grow: what is there now is told */
export function reportVisit(visit: Visit): VisitReport {
  const { tls, tlsError } = visit
  const mails = readMails(visit.transcript)
  return {
    at: new Date(visit.atMs).toISOString(),
    helo: lastHelo([...visit.clear, ...visit.secured]),
    tls,
    tlsError: tlsError === null ? null : cut(tlsError),
    came: cameOf(visit, mails),
    mails: mails.slice(-mostMails),
  }
}

function cameOf(visit: Visit, mails: readonly MailReport[]): Came {
  if (mails.some(({ content }) => content === 'kept')) return 'delivered'
  if ([...visit.clear, ...visit.secured].some(line => /^(?:MAIL|RCPT|DATA)\b/i.test(line))) return 'mail-commands'
  if (visit.tls !== null) return 'left-after-tls'
  return visit.clear.some(line => /^STARTTLS\b/i.test(line)) ? 'left-during-tls' : 'left'
}

function lastHelo(lines: readonly string[]): string | null {
  const line = lines.findLast(each => /^(?:EHLO|HELO) /i.test(each))
  return line === undefined ? null : cut(line.slice(5))
}

interface Draft {
  from: string
  over: 'tls' | 'clear'
  accepted: string[]
  refused: string[]
  content: MailReport['content']
}

/** The transcript has each command with its replies behind it; those of EHLO have several lines. */
function readMails(transcript: readonly string[]): readonly MailReport[] {
  const mails: Draft[] = []
  let open: Draft | null = null
  let over: Draft['over'] = 'clear'
  let command = ''
  for (const line of transcript) {
    if (line.startsWith('C: ')) {
      command = line.slice(3)
      continue
    }
    const code = /^S: (\d)\d\d(?: |$)/.exec(line)?.[1]
    if (code === undefined) continue
    const isAccepted = code === '2'
    const verb = /^\([0-9]+ octets of content\)$/.test(command) ? 'content' : command.slice(0, 4).toUpperCase()
    if (verb === 'STAR' && isAccepted) over = 'tls'
    if (verb === 'MAIL' && isAccepted) {
      open = { from: addressIn(command), over, accepted: [], refused: [], content: null }
      mails.push(open)
    } else if (verb === 'RCPT' && open !== null) {
      const side = isAccepted ? open.accepted : open.refused
      if (side.length < mostRecipients) side.push(addressIn(command))
    } else if (verb === 'content' && open !== null) {
      open.content = isAccepted ? 'kept' : 'refused'
      open = null
    } else if (verb === 'RSET' || verb === 'EHLO' || verb === 'HELO') open = null
    command = ''
  }
  return mails
}

/** `MAIL FROM:<a@b> SIZE=1`: the address, cut; the null sender is empty. */
function addressIn(command: string): string {
  return cut(/<([^>]*)>/.exec(command)?.[1] ?? '')
}

function cut(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`
}

const longestText = 256
const mostMails = 20
const mostRecipients = 50
