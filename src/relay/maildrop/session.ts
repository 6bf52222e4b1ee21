/**
 * `sendmail -bs`: an SMTP conversation over standard input and output, whose messages go to the maildrop.
 *
 * The machine is the one that the relay serves with (RFC 5321), so order, limits and faults are the same. Each 250 after content means one durable drop. There
 * is no TLS and no permission to ask: whoever can run this may send as `sendmail` does. It ends with QUIT, at the end of input, or when the machine closes.
 */

import type { Path } from '../../protocol/mail/address.ts'
import { isInternational } from '../../protocol/mail/address.ts'
import { reply } from '../../protocol/smtp/reply.ts'
import { createSmtpServer, type ServerEvent, type ServerLimits } from '../../protocol/smtp/server.ts'
import { type Drop, type DropEnvelope, openDrop } from './drop.ts'
import { localPath } from './submit.ts'

export interface SessionParts {
  readonly directory: string
  readonly hostname: string
  readonly postmaster: string | null
  readonly limits: ServerLimits
  readonly now: () => number
  readonly random: () => number
}

/** @returns how many messages were taken. */
export async function serveStandardInput(
  input: AsyncIterable<Buffer>,
  write: (bytes: Uint8Array) => Promise<void>,
  parts: SessionParts,
): Promise<number> {
  const server = createSmtpServer({
    hostname: parts.hostname,
    limits: parts.limits,
    offerStartTls: false,
    secured: true,
    greets: true,
    isScript: true,
  })
  let from: Path | null = null
  let recipients: Path[] = []
  let smtputf8 = false
  let drop: Drop | null = null
  /** What the system said against the drop: the answer at the end of the content. */
  let trouble: string | null = null
  let taken = 0

  async function forget(): Promise<void> {
    const unfinished = drop
    drop = null
    recipients = []
    trouble = null
    await unfinished?.discard().catch(() => {})
  }

  /** Runs what may fail for the system's reasons, and keeps the first reason. */
  async function attempt(work: () => Promise<void>): Promise<void> {
    if (trouble !== null) return
    try {
      await work()
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error)
    }
  }

  async function act(event: ServerEvent): Promise<void> {
    switch (event.kind) {
      case 'hello':
        server.answer(reply(250, null, parts.hostname))
        return
      case 'mail':
        await forget()
        from = event.from
        smtputf8 = event.parameters.smtputf8
        server.answer(reply(250, '2.1.0', 'Sender accepted'))
        return
      case 'recipient': {
        const path = event.to.domain === '' ? localPath(event.to.text, parts) : event.to
        if (typeof path === 'string') server.answer(reply(553, '5.1.3', 'Not an address'))
        else {
          recipients.push(path)
          server.answer(reply(250, '2.1.5', 'Recipient accepted'))
        }
        return
      }
      case 'data':
        await attempt(async () => {
          const isUtf8 = smtputf8 || [...recipients, ...(from === null ? [] : [from])].some(isInternational)
          const envelope: DropEnvelope = {
            schema: 'hermetic.drop/1',
            from: from?.text ?? null,
            recipients: recipients.map(path => path.text),
            smtputf8: isUtf8,
          }
          drop = await openDrop(parts.directory, envelope, parts.now(), parts.random)
        })
        server.answer(
          trouble === null
            ? reply(354, null, 'End with CRLF.CRLF')
            : reply(451, '4.3.0', 'The maildrop cannot be written'),
        )
        return
      case 'content':
        await attempt(async () => drop?.write(event.bytes))
        return
      case 'content-end':
        if (event.facts.fault === null) {
          await attempt(async () => drop?.commit())
          const id = drop?.id ?? ''
          if (trouble === null) taken++
          server.answer(
            trouble === null
              ? reply(250, '2.0.0', `Queued as ${id}`)
              : reply(451, '4.3.0', 'The maildrop cannot be written'),
          )
        }
        await forget()
        return
      case 'verify':
        server.answer(reply(252, '2.5.0', 'Send a message and see'))
        return
      case 'reset':
        await forget()
        return
      case 'starttls':
      case 'quit':
      case 'fault':
        return
      default:
        event satisfies never
    }
  }

  async function advance(): Promise<'closed' | 'open'> {
    for (;;) {
      const next = server.next()
      if (typeof next !== 'string') {
        await act(next)
        if (next.kind === 'quit') break
        continue
      }
      await flush()
      if (next === 'closed') break
      return 'open'
    }
    await flush()
    return 'closed'
  }

  async function flush(): Promise<void> {
    const bytes = server.output()
    if (bytes !== null) await write(bytes)
  }

  try {
    await flush()
    for await (const bytes of input) {
      server.receive(bytes)
      if ((await advance()) === 'closed') return taken
    }
    server.receive('end')
    await advance()
    return taken
  } finally {
    await forget()
  }
}
