/**
 * What `sendmail` does with a message on its standard input: reads it as programs of this machine write it, finds the recipients, completes the
 * header, and leaves one drop for the relay.
 *
 * Success means that the drop is durable; nothing has been routed and nobody has been asked anything. It does not rewrite: addresses without a domain
 * get the relay's name in the envelope only, and 8-bit text stays as it is. Memory is bounded: the header by 1 MB, the body passes in pieces.
 */

import { visible } from '../../judgement/visible.ts'
import { isInternational, type Path, parseAddress, pathFaultSays } from '../../protocol/mail/address.ts'
import type { MessageId } from '../../protocol/mail/message-id.ts'
import { parseAddressList } from './address-list.ts'
import { type Drop, openDrop } from './drop.ts'
import { isHeaderLine, prepareHeader } from './header.ts'
import { createTextLines } from './text-lines.ts'

export interface Submission {
  /** The envelope's sender: an address with or without a domain; `''` for the null sender. */
  readonly sender: string
  readonly fullName: string | null
  /** From the command line: each an address, or a list of them as in a header. */
  readonly recipients: readonly string[]
  /** -t */
  readonly recipientsFromHeader: boolean
  /** Without -i: a lone dot ends the message. */
  readonly dotEnds: boolean
}

export interface SubmitParts {
  readonly directory: string
  readonly hostname: string
  /** Where mail for our postmaster goes; null: as it is. */
  readonly postmaster: string | null
  readonly limits: { readonly messageBytes: number; readonly textLineBytes: number; readonly recipients: number }
  readonly now: () => number
  readonly random: () => number
}

export type Submitted =
  | { readonly kind: 'dropped'; readonly id: MessageId; readonly recipients: readonly string[] }
  /** `content`: the message is at fault. `recipients`: nobody to send it to. `disk`: the drop cannot be written (`code` of the system). */
  | {
      readonly kind: 'refused'
      readonly because: 'content' | 'recipients' | 'address' | 'too-big'
      readonly says: string
    }
  | { readonly kind: 'disk'; readonly code: string; readonly says: string }

const longestHeaderBytes = 1024 * 1024

export async function submit(
  input: AsyncIterable<Buffer>,
  submission: Submission,
  parts: SubmitParts,
): Promise<Submitted> {
  const sender = senderOf(submission, parts.hostname)
  if (typeof sender === 'string') return { kind: 'refused', because: 'address', says: sender }
  const from = sender
  const reader = createTextLines({
    dotEnds: submission.dotEnds,
    longestLineBytes: parts.limits.textLineBytes,
    isHeaderLine: belongsToHeader,
  })
  let header: Buffer[] | null = []
  let headerBytes = 0
  /** What was taken for the end of the header, where that was no empty line. */
  let headerEnd: { readonly number: number; readonly line: Buffer } | null = null
  let size = 0
  const made: { drop: Drop | null } = { drop: null }
  let recipients: readonly string[] = []

  /** Ends the header, and opens the drop with it. */
  async function begin(lines: readonly Buffer[]): Promise<Submitted | null> {
    const prepared = prepareHeader(
      lines,
      {
        from: from?.text ?? `postmaster@${parts.hostname}`,
        fullName: submission.fullName,
        date: new Date(parts.now()),
        messageId: `${parts.now().toString(36)}.${Math.floor(parts.random() * 2 ** 48).toString(36)}@${parts.hostname}`,
      },
      submission.recipientsFromHeader,
    )
    if ('field' in prepared) {
      return {
        kind: 'refused',
        because: 'address',
        says: `the field ${visible(prepared.field, 60)}: ${prepared.says}`,
      }
    }
    const found = recipientsOf([...submission.recipients.flatMap(addressesIn), ...prepared.recipients], parts)
    if ('says' in found) return { kind: 'refused', because: 'address', says: found.says }
    if (found.paths.length === 0)
      return { kind: 'refused', because: 'recipients', says: `the message names no recipient${endOfHeader()}` }
    if (found.paths.length > parts.limits.recipients)
      return { kind: 'refused', because: 'recipients', says: `more than ${parts.limits.recipients} recipients` }
    recipients = found.paths.map(path => path.text)
    const smtputf8 = [...found.paths, ...(from === null ? [] : [from])].some(isInternational)
    const envelope = { schema: 'hermetic.drop/1', from: from?.text ?? null, recipients, smtputf8 } as const
    made.drop = await openDrop(parts.directory, envelope, parts.now(), parts.random)
    await writeLines([...prepared.lines, Buffer.alloc(0)])
    return null
  }

  async function writeLines(lines: readonly Buffer[]): Promise<void> {
    if (lines.length === 0) return
    const bytes = Buffer.concat(lines.flatMap(line => [line, crlf]))
    size += bytes.length
    if (size <= parts.limits.messageBytes) await made.drop?.write(bytes)
  }

  async function take(lines: readonly Buffer[]): Promise<Submitted | null> {
    let body = lines
    if (header !== null) {
      const count = headerLines(lines, header.length)
      header.push(...lines.slice(0, count))
      headerBytes += lines.slice(0, count).reduce((sum, line) => sum + line.length + 2, 0)
      if (headerBytes > longestHeaderBytes)
        return { kind: 'refused', because: 'content', says: 'the header has more than 1 MB' }
      if (count === lines.length) return null
      // A line that cannot belong to a header begins the body, also without the empty line between.
      const end = lines[count]
      if (end !== undefined && end.length > 0) headerEnd = { number: header.length + 1, line: end }
      body = lines.slice(end?.length === 0 ? count + 1 : count)
      const complete = withoutMailbox(header)
      header = null
      const refused = await begin(complete)
      if (refused !== null) return refused
    }
    await writeLines(body)
    return size > parts.limits.messageBytes ? tooBig(parts.limits.messageBytes) : null
  }

  async function run(): Promise<Submitted> {
    for await (const bytes of input) {
      const refused = await take(reader.feed(bytes))
      if (refused !== null) return refused
      if (reader.ended) break
    }
    let refused = await take(reader.feed('end'))
    if (refused === null && header !== null) refused = await begin(withoutMailbox(header))
    if (refused !== null) return refused
    await made.drop?.commit()
    return { kind: 'dropped', id: made.drop?.id ?? '', recipients }
  }

  function endOfHeader(): string {
    if (headerEnd === null) return ''
    const { number, line } = headerEnd
    return `: line ${number}, "${visible(line.toString('utf8'), 60)}", is no header field, so the header ended before it`
  }

  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error
    return { kind: 'disk', code: String(error.code), says: error.message }
  } finally {
    await made.drop?.discard().catch(() => {})
  }
}

/**
 * The path for an address as a person or program of this machine writes it: without a domain it belongs to this relay, and the relay's
 * postmaster may live elsewhere. A sentence when it is no address.
 */
export function localPath(
  text: string,
  own: { readonly hostname: string; readonly postmaster: string | null },
): Path | string {
  const whole = text.includes('@') ? text : `${text}@${own.hostname}`
  const isPostmaster = whole.toLowerCase() === `postmaster@${own.hostname}`
  const path = parseAddress(isPostmaster ? (own.postmaster ?? whole) : whole)
  return typeof path === 'string' ? `"${visible(text, 100)}" is not an address: ${pathFaultSays[path]}` : path
}

function senderOf(submission: Submission, hostname: string): Path | null | string {
  return submission.sender === '' || submission.sender === '<>'
    ? null
    : localPath(submission.sender, { hostname, postmaster: null })
}

/** One argument may hold a list as a header does: `a@x.example,b@y.example`, `Pat <a@x.example>`. What is no list is judged as one address. */
function addressesIn(argument: string): readonly string[] {
  const list = parseAddressList(argument)
  return 'addresses' in list && list.addresses.length > 0 ? list.addresses : [argument]
}

/** Each address once: `To` and `Cc` may name the same. */
function recipientsOf(texts: readonly string[], own: SubmitParts): { paths: Path[] } | { says: string } {
  const paths = new Map<string, Path>()
  for (const text of texts) {
    const path = localPath(text, own)
    if (typeof path === 'string') return { says: path }
    const key = `${path.local}@${path.domain}`
    if (!paths.has(key)) paths.set(key, path)
  }
  return { paths: [...paths.values()] }
}

function headerLines(lines: readonly Buffer[], before: number): number {
  const end = lines.findIndex((line, i) => !belongsToHeader(line, before + i === 0))
  return end < 0 ? lines.length : end
}

function belongsToHeader(line: Buffer, isFirst: boolean): boolean {
  return isHeaderLine(line, isFirst) || (isFirst && isMailboxLine(line))
}

/** Programs that keep mail in mbox files hand its first line over too: `From pat Tue Feb  3 …`. */
function withoutMailbox(lines: readonly Buffer[]): readonly Buffer[] {
  return lines[0] !== undefined && isMailboxLine(lines[0]) ? lines.slice(1) : lines
}

function isMailboxLine(line: Buffer): boolean {
  return /^>?From /.test(line.subarray(0, 6).toString('latin1'))
}

function tooBig(bytes: number): Submitted {
  return { kind: 'refused', because: 'too-big', says: `the message has more than ${bytes} bytes` }
}

const crlf = Buffer.from('\r\n')
