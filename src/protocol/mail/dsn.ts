/**
 * Writes a delivery status notification that says mail was not delivered: a `multipart/report` (RFC 6522 §3) of a text for people, the fields of
 * RFC 3464 §2 for machines, and the header of the original message. RFC 6522 §3 would have the whole content returned unless less was asked for: we do
 * not, knowingly. The sender has it, and whoever's address was forged must not get it.
 *
 * Success means: content ready to be sent from the null sender, with CRLF line ends and lines under 998 octets. It is ASCII throughout, so that any
 * server takes it, with one exception: when the address it goes to is not ASCII, that address stands in `To:` and the message needs SMTPUTF8.
 * Addresses beyond ASCII are reported by RFC 6533 §4.1.
 *
 * Nothing it is given can break out of its place: control characters in field values and line breaks in texts are replaced. That is the last line of
 * defence; how text from outside is *shown* is decided by the caller, who passes it through `visible` before. It does not decide who gets a notification, or that one is due.
 */
import { canonicalIp } from '../ip.ts'
import { isInternational, type Path } from './address.ts'
import { mailDate } from './date.ts'
import type { Demands } from './envelope.ts'

export interface FailedRecipient {
  readonly recipient: Path
  /** Its address as people are shown it. The field for machines keeps the exact one. */
  readonly shown: string
  /** RFC 3463: `5.1.1`. Class 4 says that we gave up on something that might have passed. */
  readonly status: string
  /** The host that answered; null when none did. */
  readonly remoteMta: string | null
  /** `smtp` for a reply of that host (RFC 3464 §2.3.6), `x-hermetic` for words of ours. */
  readonly diagnostic: { readonly type: 'smtp' | 'x-hermetic'; readonly text: string }
  /** What happened, and who must act: one or two sentences for the sender. */
  readonly says: string
  readonly remedy: string
  readonly lastAttemptAtMs: number
}

export interface FailureNotice {
  /** Our name. */
  readonly reportingMta: string
  /** The sender of the original message. */
  readonly to: Path
  /** Of the notification itself, unique: becomes its Message-ID and part of the boundary. */
  readonly id: string
  readonly writtenAtMs: number
  /** The id under which our log knows the original, when it came, and its ENVID (RFC 3461) if it had one. */
  readonly original: {
    readonly id: string
    readonly arrivedAtMs: number
    readonly envid: string | null
    /** Its header as stored, at most the first 64 KB are returned. */
    readonly header: Uint8Array
    readonly smtputf8: boolean
  }
  /** Never empty. */
  readonly recipients: readonly FailedRecipient[]
}

export function writeFailureNotice(notice: FailureNotice): {
  readonly content: Uint8Array
  readonly demands: Demands
} {
  const { to, id, reportingMta, writtenAtMs } = notice
  const parts = [forPeople(notice), forMachines(notice), originalHeader(notice)]
  const boundary = boundaryFor(id, parts)
  const international = isInternational(to)
  const lines = [
    `From: Mail Delivery System <MAILER-DAEMON@${field(reportingMta)}>`,
    ...folded('To: ', `<${international ? field(to.text, 'keep') : field(to.text)}>`),
    `Date: ${mailDate(writtenAtMs)}`,
    'Subject: Undelivered mail: it could not be passed on',
    `Message-ID: <${field(id)}@${field(reportingMta)}>`,
    // RFC 3834 §5: nobody's robot shall answer this.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    ` boundary="${boundary}"`,
    '',
    'This is a report in several parts, in MIME format.',
    '',
    ...parts.flatMap(part => [`--${boundary}`, ...part]),
    `--${boundary}--`,
    '',
  ]
  return {
    content: Buffer.from(lines.join('\r\n'), 'utf8'),
    demands: { eightBit: international, smtputf8: international },
  }
}

function forPeople({ reportingMta, original, recipients }: FailureNotice): string[] {
  const several = recipients.length > 1
  const text = [
    `This is the mail system at ${oneLine(reportingMta)}.`,
    '',
    `Your message could not be delivered to the ${several ? 'addresses' : 'address'} below.`,
    'No further attempts will be made.',
    `It arrived here on ${mailDate(original.arrivedAtMs)}; our log knows it as ${oneLine(original.id)}.`,
  ]
  for (const { shown, status, diagnostic, remoteMta, says, remedy } of recipients) {
    text.push('', `<${oneLine(shown)}>`)
    text.push(...wrapped(`What happened: ${oneLine(says)}`), ...wrapped(`What to do: ${oneLine(remedy)}`))
    const who = remoteMta === null ? 'This relay' : oneLine(remoteMta)
    text.push(...wrapped(`${who} said: ${oneLine(diagnostic.text)} (status ${oneLine(status)})`))
  }
  text.push('', 'The header of your message is attached, its content is not.')
  return encoded('text/plain; charset=utf-8', text.join('\r\n'))
}

/** RFC 3464 §2.1: a group of fields about the message, and one for each recipient, with a blank line between. */
function forMachines({ reportingMta, original, recipients }: FailureNotice): string[] {
  const international = recipients.some(({ recipient }) => isInternational(recipient))
  const lines = [
    ...(original.envid === null ? [] : folded('Original-Envelope-Id: ', field(original.envid))),
    `Reporting-MTA: dns; ${field(reportingMta)}`,
    `X-Hermetic-Message-Id: ${field(original.id)}`,
    `Arrival-Date: ${mailDate(original.arrivedAtMs)}`,
  ]
  for (const { recipient, status, remoteMta, diagnostic, lastAttemptAtMs } of recipients)
    lines.push(
      '',
      // RFC 6533 §4.1: the form as written, in the type that holds UTF-8.
      ...(isInternational(recipient)
        ? folded('Final-Recipient: utf-8; ', field(recipient.text, 'keep'))
        : folded('Final-Recipient: rfc822; ', field(recipient.text))),
      'Action: failed',
      `Status: ${field(status)}`,
      ...(remoteMta === null ? [] : folded('Remote-MTA: dns; ', field(mtaName(remoteMta)))),
      ...folded(`Diagnostic-Code: ${diagnostic.type}; `, field(diagnostic.text)),
      `Last-Attempt-Date: ${mailDate(lastAttemptAtMs)}`,
    )
  const type = international ? 'message/global-delivery-status' : 'message/delivery-status'
  return encoded(type, [...lines, ''].join('\r\n'))
}

/** A domain name, or an address in brackets as in mail addresses (RFC 5321 §4.1.3). */
function mtaName(host: string): string {
  const address = canonicalIp(host)
  if (address === null) return host
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

/** RFC 6522 §4, or RFC 6533 §4.3 when the message was sent with SMTPUTF8 and its header needs it. */
function originalHeader({ original }: FailureNotice): string[] {
  const { header, smtputf8 } = original
  const text = Buffer.from(header.buffer, header.byteOffset, Math.min(header.length, maxHeaderBytes)).toString(
    'latin1',
  )
  // latin1 keeps every octet as it is, one character each. Bare line ends cannot be: the receiving side refused them.
  const whole = header.length <= maxHeaderBytes ? text : text.slice(0, text.lastIndexOf('\r\n') + 2)
  const isAscii = !beyondAscii.test(whole)
  return encoded(smtputf8 && !isAscii ? 'message/global-headers' : 'text/rfc822-headers', whole, 'octets')
}

/**
 * A body part: its fields, a blank line, and the text, as it is when that is safe in 7 bits and short lines, else in quoted-printable (RFC 2045 §6.7),
 * which RFC 6533 §4.4 allows for the `message/global-…` types too.
 */
function encoded(type: string, text: string, as: 'characters' | 'octets' = 'characters'): string[] {
  const plain = !/[^\t\r\n\x20-\x7e]/.test(text) && text.split('\r\n').every(line => line.length <= 990)
  const fields = [`Content-Type: ${type}`, ...(plain ? [] : ['Content-Transfer-Encoding: quoted-printable']), '']
  if (plain) return [...fields, ...text.split('\r\n')]
  const octets = as === 'octets' ? text : Buffer.from(text, 'utf8').toString('latin1')
  return [...fields, ...octets.split('\r\n').flatMap(quotedPrintable)]
}

/** One line of octets (as latin1 characters) as lines of at most 76 characters. */
function quotedPrintable(line: string): string[] {
  const lines: string[] = []
  let current = ''
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    const isBlankAtEnd = (code === 0x20 || code === 0x09) && i === line.length - 1
    const literal = (code >= 0x21 && code <= 0x7e && code !== 0x3d) || code === 0x20 || code === 0x09
    const piece =
      literal && !isBlankAtEnd ? line.charAt(i) : `=${code.toString(16).toUpperCase().padStart(2, '0')}`
    if (current.length + piece.length > 75) {
      lines.push(`${current}=`)
      current = ''
    }
    current += piece
  }
  lines.push(current)
  return lines
}

/** `=_` cannot stand in quoted-printable; what stands in plain parts is looked at. */
function boundaryFor(id: string, parts: readonly (readonly string[])[]): string {
  const base = `=_${id.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)}`
  for (let n = 0; ; n++) {
    const boundary = n === 0 ? base : `${base}_${n}`
    if (!parts.some(part => part.some(line => line.startsWith(`--${boundary}`)))) return boundary
  }
}

/** A field in lines of at most 76 characters where it has blanks, folded anyhow before RFC 5322 §2.1.1's limit (RFC 3464 §2.1.1). */
function folded(name: string, value: string): string[] {
  const [first = '', ...rest] = wrapped(name + value)
  return [first, ...rest.map(line => ` ${line}`)]
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of text.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > 75) {
      lines.push(current)
      current = ''
    }
    current = current === '' ? word : `${current} ${word}`
    while (current.length > longestWord) {
      lines.push(current.slice(0, longestWord))
      current = current.slice(longestWord)
    }
  }
  return current === '' ? lines : [...lines, current]
}

/** A value for a field: no control characters, and no character beyond ASCII unless it is kept: it becomes `\x{2B}`, the form of RFC 6533 §3. */
function field(text: string, beyond: 'keep' | 'escape' = 'escape'): string {
  const safe = oneLine(text)
  if (beyond === 'keep' || !beyondAscii.test(safe)) return safe
  let ascii = ''
  for (const character of safe) {
    const code = character.codePointAt(0) ?? 0
    ascii += code < 0x80 ? character : `\\x{${code.toString(16).toUpperCase()}}`
  }
  return ascii
}

const oneLine = (text: string) => text.replace(/[\x00-\x1f\x7f-\x9f]+/g, '?')

const beyondAscii = /[^\x00-\x7f]/
const maxHeaderBytes = 64 * 1024
const longestWord = 500
