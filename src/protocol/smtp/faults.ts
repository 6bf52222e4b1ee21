/**
 * Everything the server's machine refuses by itself: the reply, the reason a person reads, and whether the conversation goes on.
 * One register, so that code, enhanced code (RFC 3463; its class follows from the reply) and text cannot disagree.
 *
 * It holds nothing about policy: who may send what to whom is refused by whoever answers the machine's events.
 */
import { type Reply, reply } from './reply.ts'
import type { ContentFault, ServerFaultCode } from './server.ts'

interface FaultEntry {
  readonly code: ServerFaultCode
  readonly reply: number
  /** Subject and detail of the enhanced code. */
  readonly detail: string
  readonly says: string
  readonly spec: string
  /** After these the conversation cannot be trusted to be in step, or should not go on. */
  readonly closes?: true
}

const commandFaults = {
  'too-long': {
    code: 'smtp.command-too-long',
    reply: 500,
    detail: '5.2',
    says: 'Line too long: nothing of it was understood',
    spec: 'RFC 5321 §4.5.3.1.9',
  },
  'bare-cr': {
    code: 'smtp.line-ending',
    reply: 500,
    detail: '5.2',
    says: 'There is a carriage return without line feed in that line: commands end in CRLF',
    spec: 'RFC 5321 §2.3.8',
  },
  'bare-lf': {
    code: 'smtp.line-ending',
    reply: 500,
    detail: '5.2',
    says: 'There is a line feed without carriage return in that line: commands end in CRLF',
    spec: 'RFC 5321 §2.3.8',
  },
  'control-character': {
    code: 'smtp.command-malformed',
    reply: 500,
    detail: '5.2',
    says: 'There are control characters in that line',
    spec: 'RFC 5321 §4.1.2',
  },
  'not-utf8': {
    code: 'smtp.command-malformed',
    reply: 500,
    detail: '5.2',
    says: 'That line is neither ASCII nor UTF-8',
    spec: 'RFC 6531 §3.2',
  },
  'unknown-command': {
    code: 'smtp.command-unknown',
    reply: 500,
    detail: '5.2',
    says: 'Command not recognized: HELP lists what this server understands',
    spec: 'RFC 5321 §4.2.4',
  },
  'not-implemented': {
    code: 'smtp.command-unknown',
    reply: 502,
    detail: '5.1',
    says: 'Command not implemented here',
    spec: 'RFC 5321 §4.2.4',
  },
  'bdat-not-offered': {
    code: 'smtp.command-unknown',
    reply: 421,
    detail: '5.1',
    says: 'BDAT was not offered, and what follows it cannot be told from commands: closing',
    spec: 'RFC 3030 §2',
    closes: true,
  },
  'argument-not-allowed': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '5.4',
    says: 'That command takes no argument',
    spec: 'RFC 5321 §4.3.2',
  },
  'hello-name': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '5.4',
    says: 'Say your host name behind EHLO or HELO, as in EHLO client.example.org',
    spec: 'RFC 5321 §4.1.1.1',
  },
  'verify-what': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '5.4',
    says: 'VRFY needs a user or an address',
    spec: 'RFC 5321 §4.1.1.6',
  },
  'mail-syntax': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '5.4',
    says: 'Syntax: MAIL FROM:<address>',
    spec: 'RFC 5321 §4.1.1.2',
  },
  'rcpt-syntax': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '5.4',
    says: 'Syntax: RCPT TO:<address>',
    spec: 'RFC 5321 §4.1.1.3',
  },
  'sender-address': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '1.7',
    says: 'Bad sender address',
    spec: 'RFC 5321 §4.1.2',
  },
  'recipient-address': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '1.3',
    says: 'Bad recipient address',
    spec: 'RFC 5321 §4.1.2',
  },
  'sender-needs-smtputf8': {
    code: 'smtp.argument-malformed',
    reply: 550,
    detail: '6.7',
    says: 'A sender address beyond ASCII needs the SMTPUTF8 parameter',
    spec: 'RFC 6531 §3.5',
  },
  'recipient-needs-smtputf8': {
    code: 'smtp.argument-malformed',
    reply: 553,
    detail: '6.7',
    says: 'A recipient address beyond ASCII needs SMTPUTF8 with MAIL',
    spec: 'RFC 6531 §3.5',
  },
  'parameter-unknown': {
    code: 'smtp.parameter-unknown',
    reply: 555,
    detail: '5.4',
    says: 'Parameter not recognized: only those of the extensions offered may be used',
    spec: 'RFC 5321 §4.1.1.11',
  },
  'parameter-malformed': {
    code: 'smtp.argument-malformed',
    reply: 501,
    detail: '5.4',
    says: 'Bad parameter: SIZE=number, BODY=7BIT or BODY=8BITMIME, SMTPUTF8, each once',
    spec: 'RFC 5321 §4.1.2',
  },
  'declared-too-big': {
    code: 'smtp.message-too-big',
    reply: 552,
    detail: '3.4',
    says: 'The message is larger than this server takes',
    spec: 'RFC 1870 §6.1',
  },
  'hello-first': {
    code: 'smtp.bad-sequence',
    reply: 503,
    detail: '5.1',
    says: 'Say EHLO first',
    spec: 'RFC 5321 §4.1.4',
  },
  'mail-first': {
    code: 'smtp.bad-sequence',
    reply: 503,
    detail: '5.1',
    says: 'There is no sender yet: MAIL comes first',
    spec: 'RFC 5321 §4.1.4',
  },
  'rcpt-first': {
    code: 'smtp.bad-sequence',
    reply: 503,
    detail: '5.1',
    says: 'There is no recipient yet: RCPT comes first',
    spec: 'RFC 5321 §4.1.4',
  },
  'no-valid-recipients': {
    code: 'smtp.bad-sequence',
    reply: 554,
    detail: '5.1',
    says: 'No valid recipients',
    spec: 'RFC 5321 §3.3',
  },
  'nested-mail': {
    code: 'smtp.bad-sequence',
    reply: 503,
    detail: '5.1',
    says: 'A transaction is open already: end it with DATA or RSET',
    spec: 'RFC 5321 §4.1.4',
  },
  'too-many-recipients': {
    code: 'smtp.too-many-recipients',
    reply: 452,
    detail: '5.3',
    says: 'Too many recipients in one transaction: send the rest in another',
    spec: 'RFC 5321 §4.5.3.1.10',
  },
  'tls-already': {
    code: 'smtp.bad-sequence',
    reply: 503,
    detail: '5.1',
    says: 'This conversation is inside TLS already',
    spec: 'RFC 3207 §4.2',
  },
  'tls-not-offered': {
    code: 'smtp.command-unknown',
    reply: 502,
    detail: '5.1',
    says: 'STARTTLS is not offered here',
    spec: 'RFC 5321 §4.2.4',
  },
  'bytes-behind-starttls': {
    code: 'smtp.bad-sequence',
    reply: 554,
    detail: '5.1',
    says: 'Clear text was sent behind STARTTLS: closing',
    spec: 'RFC 3207 §4.2',
    closes: true,
  },
  'bytes-behind-hello': {
    code: 'smtp.bad-sequence',
    reply: 554,
    detail: '5.1',
    says: 'More was sent before the answer to EHLO or HELO, which must end a group of commands: closing',
    spec: 'RFC 2920 §3.1',
    closes: true,
  },
  'bytes-behind-refused-data': {
    code: 'smtp.bad-sequence',
    reply: 421,
    detail: '5.1',
    says: 'More was sent behind DATA before it was refused, and content cannot be told from commands: closing',
    spec: 'RFC 2920 §3.1',
    closes: true,
  },
  'not-smtp': {
    code: 'smtp.not-smtp',
    reply: 421,
    detail: '7.0',
    says: 'This is a mail server, and that was not SMTP: closing',
    spec: 'RFC 5321 §3.8',
    closes: true,
  },
  'tls-in-clear': {
    code: 'smtp.not-smtp',
    reply: 421,
    detail: '7.0',
    says: 'TLS does not begin at once on this port: say EHLO and STARTTLS first. Closing',
    spec: 'RFC 3207 §4',
    closes: true,
  },
  'too-many-errors': {
    code: 'smtp.too-many-errors',
    reply: 421,
    detail: '7.0',
    says: 'Too many errors: closing',
    spec: 'RFC 5321 §3.8',
    closes: true,
  },
} as const satisfies Record<string, FaultEntry>

export type CommandFault = keyof typeof commandFaults

/** What the log is told about a fault. */
export function faultCode(fault: CommandFault): ServerFaultCode {
  return commandFaults[fault].code
}

export function faultCloses(fault: CommandFault): boolean {
  const entry: FaultEntry = commandFaults[fault]
  return entry.closes === true
}

/** @param more said behind the register's words, never text from outside */
export function faultReply(fault: CommandFault, more?: string): Reply {
  return replyOf(commandFaults[fault], more)
}

const contentFaults: Readonly<Record<ContentFault, Omit<FaultEntry, 'code'>>> = {
  'smtp.bare-cr': {
    reply: 550,
    detail: '6.0',
    says: 'The message has a carriage return without line feed: lines must end in CRLF',
    spec: 'RFC 5321 §2.3.8',
  },
  'smtp.bare-lf': {
    reply: 550,
    detail: '6.0',
    says: 'The message has a line feed without carriage return: lines must end in CRLF',
    spec: 'RFC 5321 §2.3.8',
  },
  'smtp.nul': {
    reply: 550,
    detail: '6.0',
    says: 'The message has a NUL octet, which no mail can carry',
    spec: 'RFC 5322 §2.1',
  },
  'smtp.line-too-long': {
    reply: 550,
    detail: '6.0',
    says: 'The message has a line longer than mail allows',
    spec: 'RFC 5321 §4.5.3.1.6',
  },
  'smtp.message-too-big': {
    reply: 552,
    detail: '3.4',
    says: 'The message is larger than this server takes',
    spec: 'RFC 5321 §4.5.3.1.9',
  },
  'smtp.too-many-received': {
    reply: 554,
    detail: '4.6',
    says: 'The message has passed through too many hosts: it is probably going in a circle',
    spec: 'RFC 5321 §6.3',
  },
}

export function contentFaultReply(fault: ContentFault): Reply {
  return replyOf(contentFaults[fault])
}

function replyOf(entry: Omit<FaultEntry, 'code'>, more?: string): Reply {
  const says = more === undefined ? entry.says : `${entry.says}: ${more}`
  return reply(entry.reply, `${Math.trunc(entry.reply / 100)}.${entry.detail}`, says)
}
