/**
 * `hermetic sendmail`: what programs of this machine call as `sendmail`. Reads a message, leaves it in the maildrop, and returns.
 *
 * Options: -t (recipients from the header), -i and -oi (a lone dot does not end the message), -f and -r (envelope sender), -F (full name), -bs (SMTP on
 * standard input), -bm (the default). Known options that mean nothing here are accepted; those that ask for what this command does not do are refused.
 * Exit codes: 0 taken, 64 wrong usage, 65 the message or its addresses, 73 the maildrop cannot be written by this user, 75 it cannot be written now, 78.
 */
import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { ensureMaildrop, maildropName } from '../../relay/maildrop/drop.ts'
import { serveStandardInput } from '../../relay/maildrop/session.ts'
import { type Submission, type SubmitParts, submit } from '../../relay/maildrop/submit.ts'
import { configured } from '../configured.ts'
import { asHoped, createContext } from '../context.ts'
import { CliFailure } from '../failure.ts'

interface SendmailOptions {
  readonly mode: 'message' | 'smtp' | 'help'
  readonly recipientsFromHeader: boolean
  readonly dotEnds: boolean
  readonly sender: string | null
  readonly fullName: string | null
  readonly recipients: readonly string[]
  readonly json: boolean
  readonly config: string | null
}

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseSendmail(argv)
  const context = createContext(options)
  if (options.mode === 'help') {
    context.answer({ schema: 'hermetic.help/1', text: help }, help)
    return asHoped
  }
  const { settings } = configured(options.config)
  const { server } = settings.limits
  const parts: SubmitParts = {
    directory: join(settings.state, maildropName),
    hostname: settings.hostname,
    postmaster: settings.postmaster,
    limits: server,
    now: Date.now,
    random: Math.random,
  }
  await prepared(settings.state)

  if (options.mode === 'smtp') {
    const taken = await serveStandardInput(process.stdin, write, { ...parts, limits: server })
    if (options.json) context.remark(`${taken} taken`)
    return asHoped
  }
  if (options.recipients.length === 0 && !options.recipientsFromHeader)
    throw new CliFailure(
      'cli.usage',
      'nobody to send to: no address was given, and no -t',
      "'hermetic sendmail -t' takes the recipients from the message.",
    )
  const submission: Submission = { ...options, sender: options.sender ?? ownName() }
  const result = await submit(process.stdin, submission, parts)
  switch (result.kind) {
    case 'dropped':
      // sendmail is silent when all is well: cron mails whatever is printed.
      if (context.json)
        context.answer({ schema: 'hermetic.sendmail/1', id: result.id, recipients: result.recipients }, '')
      return asHoped
    case 'refused':
      throw new CliFailure('cli.bad-input', `the message was not taken: ${result.says}`, 'Nothing was sent.')
    case 'disk':
      throw diskFailure(result.code, result.says, settings.state)
    default:
      return result satisfies never
  }
}

/** Throws a usage failure for what it does not know. */
export function parseSendmail(argv: readonly string[]): SendmailOptions {
  const words = [...argv]
  const recipients: string[] = []
  let mode: SendmailOptions['mode'] = 'message'
  let recipientsFromHeader = false
  let dotEnds = true
  let sender: string | null = null
  let fullName: string | null = null
  let json = false
  let config: string | null = null

  /** The value of an option: the rest of the word, or the next word. */
  function argumentOf(option: string, rest: string): string {
    if (rest !== '') return rest
    const next = words.shift()
    if (next === undefined) throw usage(`${option} needs a value`)
    return next
  }

  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      recipients.push(...words.splice(0))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      recipients.push(word)
      continue
    }
    if (word === '--json') json = true
    else if (word === '--help') mode = 'help'
    else if (word === '--config') config = argumentOf('--config', '')
    else if (word.startsWith('--config=')) config = word.slice('--config='.length)
    else if (word === '-t') recipientsFromHeader = true
    else if (word === '-i' || word === '-oi') dotEnds = false
    else if (word === '-ti' || word === '-it') {
      recipientsFromHeader = true
      dotEnds = false
    } else if (word === '-bs') mode = 'smtp'
    else if (word === '-bm') mode = 'message'
    else if (/^-[fr]/.test(word)) sender = argumentOf(word.slice(0, 2), word.slice(2))
    else if (word.startsWith('-F')) fullName = argumentOf('-F', word.slice(2))
    else if (word.startsWith('-o')) continue
    else if (/^-[BCLNORVXhp]/.test(word)) argumentOf(word.slice(0, 2), word.slice(2))
    else if (/^-[GUmnv]$/.test(word)) continue
    else if (word === '-bp') throw usage('-bp is not known here', "'hermetic queue list' shows what waits.")
    else throw usage(`the option ${word.slice(0, 40)} is not known`)
  }
  return { mode, recipientsFromHeader, dotEnds, sender, fullName, recipients, json, config }
}

function usage(says: string, hint = "'hermetic sendmail --help' shows the options."): CliFailure {
  return new CliFailure('cli.usage', says, hint)
}

async function prepared(state: string): Promise<void> {
  try {
    await ensureMaildrop(state, process.getuid?.() === 0)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw diskFailure(code, error instanceof Error ? error.message : String(error), state)
  }
}

function diskFailure(code: string, says: string, state: string): CliFailure {
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST'].includes(code))
    return new CliFailure(
      'cli.try-later',
      `the maildrop in ${state} cannot be written now: ${says}`,
      'Try again later; nothing was taken.',
    )
  const owner = otherOwner(state)
  if (owner !== null)
    return new CliFailure(
      'cli.cannot-create',
      `the maildrop in ${state} is closed to this user: it belongs to user ${owner}, and a relay that does not run as root keeps its maildrop private`,
      'Nothing was sent. Hand the mail in by SMTP where the relay listens, or run the relay as root or as the service in contrib/ (docs/operations.md).',
    )
  return new CliFailure(
    'cli.cannot-create',
    `the maildrop in ${state} cannot be made or written: ${says}`,
    'Nothing was sent. Start the relay, which makes it, or name another configuration with --config.',
  )
}

/** The user, not root and not ours, to whom the maildrop or the state directory around it belongs, as a number; null when that is not what is wrong. */
function otherOwner(state: string): number | null {
  for (const path of [join(state, maildropName), state]) {
    try {
      const { uid } = statSync(path)
      if (uid !== 0 && uid !== process.getuid?.()) return uid
    } catch {
      // Closed too, or not there.
    }
  }
  return null
}

function ownName(): string {
  try {
    return userInfo().username
  } catch {
    // A user without an entry in the password file.
    return process.env['LOGNAME'] ?? `uid${process.getuid?.() ?? ''}`
  }
}

function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, error => {
      if (error) reject(error)
      else resolve()
    })
  })
}

const help = `usage: hermetic sendmail [options] [recipient...] < message

  -t          take the recipients from To, Cc and Bcc
  -i, -oi     a line with a single dot does not end the message
  -f ADDRESS  envelope sender ('<>' for none); -r is the same
  -F NAME     full name for a From field that is missing
  -bs         speak SMTP on standard input and output
  --config FILE, --json

Exit codes: 0 taken, 64 wrong usage, 65 the message or its addresses, 73 this user cannot write to
the maildrop, 75 not now, 78 bad configuration.

Example:
  hermetic sendmail -t < message`
