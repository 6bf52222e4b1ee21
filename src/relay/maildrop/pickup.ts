/**
 * The relay's end of the maildrop: takes each drop into the spool and deletes it.
 *
 * Success for one drop: the message is durable in the spool, and only then the file is gone. Killed between the two, the relay finds the file
 * again; its name is the id of the message, so a message that the spool still holds is not taken twice. Nothing is delivered before
 * the deletion is durable, so that a message which the spool no longer holds cannot have left a file either: no duplicate.
 *
 * Who writes here is any user of this machine, and not trusted: only plain files with one name are opened (no link leads to a file
 * the user may not read), sizes are bounded, and content is checked as SMTP would. What is wrong goes to `rejected/` beside a notice, and
 * is never retried. A full disk leaves drops where they are. It makes no routing decision.
 */
import { constants, type FSWatcher, watch } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { visible } from '../../judgement/visible.ts'
import { type Path, parseAddress } from '../../protocol/mail/address.ts'
import { mailDate } from '../../protocol/mail/date.ts'
import type { MessageId } from '../../protocol/mail/message-id.ts'
import { localReceivedField } from '../../protocol/mail/received.ts'
import { type ContentReader, createContentReader } from '../../protocol/smtp/content.ts'
import type { ContentFault } from '../../protocol/smtp/server.ts'
import type { BodyWriter, NewMessage, Spool, StoreFault } from '../../spool/spool.ts'
import type { Delivery, Reporter } from '../ports.ts'
import { dropSuffix, isDropName, unfinishedSuffix } from './drop.ts'

/** `hostname`, `limits` and `expireMs` are looked up for each drop, so that getters may change them. */
export interface MaildropParts {
  /** From `ensureMaildrop`. */
  readonly directory: string
  readonly hostname: string
  readonly spool: Pick<Spool, 'openBody' | 'accept' | 'show' | 'release'>
  readonly delivery: Pick<Delivery, 'submit' | 'hasRoom' | 'wake'>
  readonly reporter: Reporter
  readonly limits: {
    readonly messageBytes: number
    readonly textLineBytes: number
    readonly recipients: number
    readonly receivedFields: number
  }
  /** How long a message may wait, in ms. */
  readonly expireMs: number
  readonly now: () => number
}

export interface MaildropPickup {
  /** Takes in what lies there now; resolves when that is done. Also called by itself when something arrives. */
  scan(): Promise<void>
  /** Finishes the drop in work, then stops. */
  close(): Promise<void>
}

/** What became of one drop. */
type Taken =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'bad'; readonly says: string }
  /** The spool cannot take it now. */
  | { readonly kind: 'later'; readonly fault: StoreFault }
  /** Gone, or not finished: another look will tell. */
  | { readonly kind: 'not-now' }

export function createMaildropPickup(parts: MaildropParts): MaildropPickup {
  const { directory, spool, delivery, reporter, now } = parts
  let running: Promise<void> | null = null
  let again = false
  let closed = false
  let toldFault: string | null = null
  const undeletable = new Set<MessageId>()

  async function scanOnce(): Promise<void> {
    const names = await readdir(directory).catch((error: unknown) => {
      reporter.notice('error', `the maildrop cannot be read: ${says(error)}`)
      return []
    })
    for (const name of names.toSorted()) {
      if (closed) return
      if (name.endsWith(unfinishedSuffix)) await sweep(name)
      if (!isDropName(name) || undeletable.has(name.slice(0, -dropSuffix.length))) continue
      const taken = await take(name).catch((error: unknown): Taken => ({ kind: 'bad', says: says(error) }))
      if (taken.kind === 'bad') await reject(name, taken.says)
      else if (taken.kind === 'later') {
        // Once per trouble, not once per poll.
        if (toldFault !== taken.fault.says)
          reporter.notice('error', `mail waits in the maildrop: ${taken.fault.says}`)
        toldFault = taken.fault.says
        return
      } else if (taken.kind === 'accepted') toldFault = null
    }
  }

  function scan(): Promise<void> {
    if (closed) return running ?? Promise.resolve()
    again = true
    running ??= (async () => {
      while (again && !closed) {
        again = false
        await scanOnce()
      }
      running = null
    })()
    return running
  }

  async function take(name: string): Promise<Taken> {
    const id = name.slice(0, -dropSuffix.length)
    const path = join(directory, name)
    if ((await spool.show(id)) !== null) {
      // Taken in before, by a life that ended before the deletion.
      await remove(path)
      return { kind: 'accepted' }
    }
    const opened = await openPlain(path)
    if (!('file' in opened)) return opened
    const { file, uid } = opened
    try {
      return await takeFile(id, path, file, uid)
    } finally {
      await file.close()
    }
  }

  async function takeFile(id: MessageId, path: string, file: FileHandle, uid: number): Promise<Taken> {
    const reader = piecesOf(file)
    const first = await firstLine(reader)
    if (first === null) return { kind: 'bad', says: 'it has no envelope' }
    const envelope = envelopeOf(first.line, parts.limits.recipients)
    if (typeof envelope === 'string') return { kind: 'bad', says: envelope }
    const receivedAtMs = now()
    const body = spool.openBody()
    const content = createContentReader(parts.limits, 'plain')
    const trace = localReceivedField({ by: parts.hostname, uid, id, date: mailDate(receivedAtMs) })
    const fault = await fill(body, content, first.rest, reader, Buffer.from(trace))
    const facts = content.facts()
    const wrong = facts.fault ?? (content.atLineStart() ? null : 'unfinished')
    if (fault !== null || wrong !== null) body.discard()
    if (fault !== null) return { kind: 'later', fault }
    if (wrong !== null) return { kind: 'bad', says: wrongContent(wrong, parts.limits) }
    const message: NewMessage = {
      id,
      envelope: {
        from: envelope.from,
        recipients: envelope.recipients,
        demands: { eightBit: facts.eightBit, smtputf8: envelope.smtputf8 },
      },
      receivedAtMs,
      expiresAtMs: receivedAtMs + parts.expireMs,
      origin: { via: 'sendmail', address: null, helo: null, tls: null },
    }
    const sizeBytes = body.size
    const refused = await spool.accept(message, body)
    if (refused !== null) return { kind: 'later', fault: refused }
    reporter.event({
      kind: 'accepted',
      // Once it is durable, and not when it was found: the log has other lines in between.
      at: new Date(now()).toISOString(),
      message: id,
      from: envelope.from?.text ?? '',
      recipients: envelope.recipients.map(recipient => recipient.text),
      sizeBytes,
      via: 'sendmail',
      client: null,
      helo: null,
      tls: null,
    })
    await remove(path).catch((error: unknown) => {
      // The message is ours now all the same. Taking its file again later would send it twice.
      undeletable.add(id)
      reporter.notice(
        'error',
        `${path} was taken in but cannot be deleted; delete it before the next start: ${says(error)}`,
      )
    })
    const pending = envelope.recipients.map((_, index) => ({
      index,
      attempts: 0,
      nextAttemptAtMs: receivedAtMs,
      lastFailure: null,
    }))
    if (delivery.hasRoom(sizeBytes)) delivery.submit({ ...message, sizeBytes, pending }, body.content())
    else {
      spool.release(id)
      delivery.wake()
    }
    return { kind: 'accepted' }
  }

  async function remove(path: string): Promise<void> {
    await unlink(path)
    const handle = await open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async function reject(name: string, why: string): Promise<void> {
    const rejected = join(directory, 'rejected')
    try {
      await mkdir(rejected, { recursive: true, mode: 0o700 })
      await rename(join(directory, name), join(rejected, name))
      reporter.notice('warning', `a drop was refused and lies in ${rejected}/${name} now: ${why}`)
    } catch (error) {
      reporter.notice('error', `a bad drop ${name} (${why}) cannot be moved away: ${says(error)}`)
    }
  }

  /** Removes what a sendmail that was killed left unfinished: nobody was told that it was taken. */
  async function sweep(name: string): Promise<void> {
    const path = join(directory, name)
    try {
      if (now() - (await stat(path)).mtimeMs > unfinishedMs) await unlink(path)
    } catch {
      // Finished or gone meanwhile.
    }
  }

  const watcher = watchDirectory(directory, () => void scan())
  const poll = setInterval(() => void scan(), pollMs)
  poll.unref()
  void scan()

  return {
    scan,
    async close() {
      closed = true
      watcher?.close()
      clearInterval(poll)
      await running
    },
  }
}

/** Only a plain file that has this one name: a link could lead to what its maker may not read, a pipe could block for ever. */
async function openPlain(path: string): Promise<{ file: FileHandle; uid: number } | Taken> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    return code === 'ENOENT' ? { kind: 'not-now' } : { kind: 'bad', says: says(error) }
  }
  const status = await file.stat()
  if (status.isFile() && status.nlink === 1) return { file, uid: status.uid }
  await file.close()
  return { kind: 'bad', says: 'it is not a plain file with one name' }
}

const envelopeShape = z.object({
  schema: z.literal('hermetic.drop/1'),
  from: z.string().nullable(),
  recipients: z.array(z.string()).min(1),
  smtputf8: z.boolean(),
})

interface DropFacts {
  readonly from: Path | null
  readonly recipients: readonly Path[]
  readonly smtputf8: boolean
}

function envelopeOf(line: Buffer, mostRecipients: number): DropFacts | string {
  let json: unknown
  try {
    json = JSON.parse(line.toString('utf8'))
  } catch {
    return 'its envelope is not JSON'
  }
  const parsed = envelopeShape.safeParse(json)
  if (!parsed.success) return 'its envelope is not one that sendmail writes'
  const { from, recipients, smtputf8 } = parsed.data
  if (recipients.length > mostRecipients) return `it has more than ${mostRecipients} recipients`
  const sender = from === null ? null : parseAddress(from)
  if (typeof sender === 'string') return 'its sender is not an address'
  const paths = recipients.map(parseAddress).filter(path => typeof path !== 'string')
  return paths.length === recipients.length
    ? { from: sender, recipients: paths, smtputf8 }
    : 'one of its recipients is not an address'
}

/** Pieces of a file, each in memory of its own: the spool takes ownership of them. */
async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer, void> {
  for (;;) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(pieceBytes) })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function firstLine(pieces: AsyncGenerator<Buffer, void>): Promise<{ line: Buffer; rest: Buffer } | null> {
  let line: Buffer = Buffer.alloc(0)
  while (line.length < longestEnvelopeBytes) {
    const { value, done } = await pieces.next()
    if (done || value === undefined) return null
    line = Buffer.concat([line, value])
    const end = line.indexOf(0x0a)
    if (end >= 0) return { line: line.subarray(0, end), rest: line.subarray(end + 1) }
  }
  return null
}

async function fill(
  body: BodyWriter,
  content: ContentReader,
  rest: Buffer,
  pieces: AsyncGenerator<Buffer, void>,
  trace: Buffer,
): Promise<StoreFault | null> {
  let fault = await body.write(trace)
  for (
    let piece: Buffer | undefined = rest;
    piece !== undefined;
    piece = (await pieces.next()).value ?? undefined
  ) {
    content.read(piece)
    if (content.facts().fault !== null || fault !== undefined) break
    if (piece.length > 0) fault = await body.write(piece)
  }
  return fault ?? null
}

function wrongContent(
  wrong: ContentFault | 'unfinished',
  limits: { readonly messageBytes: number; readonly textLineBytes: number; readonly receivedFields: number },
): string {
  switch (wrong) {
    case 'smtp.bare-lf':
      return 'a line feed without its carriage return'
    case 'smtp.bare-cr':
      return 'a carriage return without its line feed'
    case 'smtp.nul':
      return 'a NUL byte'
    case 'smtp.line-too-long':
      return `a line of more than ${limits.textLineBytes} bytes`
    case 'smtp.message-too-big':
      return `more than ${limits.messageBytes} bytes`
    case 'smtp.too-many-received':
      return `more than ${limits.receivedFields} Received fields: it loops`
    case 'unfinished':
      return 'it does not end with a line end'
  }
}

function watchDirectory(directory: string, changed: () => void): FSWatcher | null {
  try {
    const watcher = watch(directory, (_event, name) => {
      if (name === null || isDropName(name)) changed()
    })
    watcher.on('error', () => watcher.close())
    watcher.unref()
    return watcher
  } catch {
    // No inotify left, or none at all: the poll still finds everything.
    return null
  }
}

function says(error: unknown): string {
  return visible(error instanceof Error ? error.message : String(error), 200)
}

const pollMs = 20_000
const pieceBytes = 64 * 1024
const longestEnvelopeBytes = 16 * 1024 * 1024
const unfinishedMs = 36 * 60 * 60_000
