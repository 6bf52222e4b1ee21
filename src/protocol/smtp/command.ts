/**
 * The grammar of one command line (RFC 5321 §4.1, RFC 1870, RFC 6152, RFC 6531, RFC 3207): from bytes to a command, or to the fault it is answered with.
 *
 * Success means that the line is a command of ours with arguments by the grammar. Whether it may come now is the machine's business (server.ts),
 * whether it is granted the caller's.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { isInternational, type Path, parsePath, pathFaultSays } from '../mail/address.ts'
import type { CommandFault } from './faults.ts'
import type { MailParameters } from './server.ts'

export type Verb =
  | 'EHLO'
  | 'HELO'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'RSET'
  | 'NOOP'
  | 'VRFY'
  | 'HELP'
  | 'QUIT'
  | 'STARTTLS'

/** A line split into verb and the rest, or what is wrong with it as a whole. */
export type CommandLine =
  | { readonly kind: 'command'; readonly verb: Verb; readonly argument: string }
  | { readonly kind: 'fault'; readonly fault: CommandFault }

export type MailArgument =
  | { readonly kind: 'mail'; readonly from: Path | null; readonly parameters: MailParameters }
  | ArgumentFault
export type RecipientArgument = { readonly kind: 'recipient'; readonly to: Path } | ArgumentFault

/** `more`: words of our own to say behind the register's. */
export interface ArgumentFault {
  readonly kind: 'fault'
  readonly fault: CommandFault
  readonly more?: string
}

/** The longest host name behind EHLO that is handed on; a longer one is refused. */
export const maxHelloNameBytes = 255

export function parseCommandLine(line: Buffer): CommandLine {
  const ascii = isAscii(line)
  if (!ascii && !isUtf8(line)) return fault('not-utf8')
  const text = line.toString(ascii ? 'latin1' : 'utf8')
  if (controlCharacter.test(text)) return fault('control-character')
  const blank = text.indexOf(' ')
  const word = (blank === -1 ? text : text.slice(0, blank)).toUpperCase()
  const verb = verbs.get(word)
  // White space before the line's end is tolerated (RFC 5321 §4.1.1).
  if (verb !== undefined)
    return { kind: 'command', verb, argument: blank === -1 ? '' : text.slice(blank + 1).trim() }
  return fault(otherWords.get(word) ?? (looksLikeHeader.test(text) ? 'not-smtp' : 'unknown-command'))
}

/** The client's name as written: the first word, since some add remarks behind it (RFC 5321 §4.1.1.1). Not checked further; null when there is none to use. */
export function parseHelloName(argument: string): string | null {
  const name = argument.split(' ', 1)[0] ?? ''
  return name === '' || name.length > maxHelloNameBytes || /[^!-~]/.test(name) ? null : name
}

/** The argument of MAIL: `FROM:<path>` and the parameters of the extensions we offer. */
export function parseMail(argument: string): MailArgument {
  // Blanks behind the colon are wrong (RFC 5321 §3.3) and harmless; so many devices send them that they are let pass.
  if (!/^FROM:/i.test(argument)) return { kind: 'fault', fault: 'mail-syntax' }
  const parsed = parsePath(argument.slice(5).trimStart(), 'reverse')
  if (parsed.kind === 'fault') return { kind: 'fault', fault: 'sender-address', more: pathFaultSays[parsed.fault] }
  const parameters = parsed.rest === '' ? noParameters : parseMailParameters(parsed.rest)
  if (typeof parameters === 'string') return { kind: 'fault', fault: parameters }
  const from = parsed.path
  if (from !== null && !parameters.smtputf8 && isInternational(from))
    return { kind: 'fault', fault: 'sender-needs-smtputf8' }
  return { kind: 'mail', from, parameters }
}

/** @param smtputf8 the transaction's MAIL had the parameter */
export function parseRecipient(argument: string, smtputf8: boolean): RecipientArgument {
  if (!/^TO:/i.test(argument)) return { kind: 'fault', fault: 'rcpt-syntax' }
  const parsed = parsePath(argument.slice(3).trimStart(), 'forward')
  if (parsed.kind === 'fault')
    return { kind: 'fault', fault: 'recipient-address', more: pathFaultSays[parsed.fault] }
  if (parsed.path === null) throw new Error('a forward-path was parsed to nothing')
  if (parsed.rest !== '') return { kind: 'fault', fault: 'parameter-unknown' }
  if (!smtputf8 && isInternational(parsed.path)) return { kind: 'fault', fault: 'recipient-needs-smtputf8' }
  return { kind: 'recipient', to: parsed.path }
}

function parseMailParameters(text: string): MailParameters | 'parameter-unknown' | 'parameter-malformed' {
  let sizeBytes: number | null = null
  let body: MailParameters['body'] | null = null
  let smtputf8 = false
  for (const parameter of text.split(' ')) {
    if (parameter === '') continue
    const equals = parameter.indexOf('=')
    const keyword = (equals === -1 ? parameter : parameter.slice(0, equals)).toUpperCase()
    const value = equals === -1 ? null : parameter.slice(equals + 1).toUpperCase()
    switch (keyword) {
      case 'SIZE':
        // RFC 1870 §6: up to twenty digits. What no number holds exactly is too big anyhow.
        if (sizeBytes !== null || value === null || !/^\d{1,20}$/.test(value)) return 'parameter-malformed'
        sizeBytes = Number(value)
        break
      case 'BODY':
        if (body !== null || (value !== '7BIT' && value !== '8BITMIME')) return 'parameter-malformed'
        body = value
        break
      case 'SMTPUTF8':
        if (smtputf8 || value !== null) return 'parameter-malformed'
        smtputf8 = true
        break
      default:
        return 'parameter-unknown'
    }
  }
  return { sizeBytes, body: body ?? '7BIT', smtputf8 }
}

function fault(what: CommandFault): CommandLine {
  return { kind: 'fault', fault: what }
}

const noParameters: MailParameters = { sizeBytes: null, body: '7BIT', smtputf8: false }

const verbs: ReadonlyMap<string, Verb> = new Map(
  (['EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA', 'RSET', 'NOOP', 'VRFY', 'HELP', 'QUIT', 'STARTTLS'] as const).map(
    verb => [verb, verb],
  ),
)

/** Words that deserve another answer than "not recognized". */
const otherWords: ReadonlyMap<string, CommandFault> = new Map<string, CommandFault>([
  ...['EXPN', 'AUTH', 'ETRN', 'ATRN', 'TURN', 'SEND', 'SOML', 'SAML', 'LHLO', 'BURL'].map(
    word => [word, 'not-implemented'] as const,
  ),
  ['BDAT', 'bdat-not-offered'],
  // A browser made to talk to us (a cross-protocol attack) would carry commands in the body of its request.
  ...['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'CONNECT', 'PATCH', 'TRACE', 'PRI'].map(
    word => [word, 'not-smtp'] as const,
  ),
])

/**
 * A header field in place of a command: an HTTP request's, or the content of a client that never noticed that DATA was refused.
 * Either way more of somebody's text follows, which must not be taken for commands.
 */
const looksLikeHeader = /^[!-9;-~]+[ \t]*:/
/** A tab may stand for the blank in what people type; the verb is then not found. */
const controlCharacter = /[\x00-\x08\x0a-\x1f\x7f]/
