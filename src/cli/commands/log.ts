/**
 * `hermetic log`: what became of messages, from the journal; works whether a relay runs or not.
 *
 * Without an id the newest messages, with one the life of a message step by step, with --attempt one attempt to deliver with everything that was seen of
 * its hosts, with --incidents what clients did to us. Exit 1: the journal knows nothing of that id, or no message fits.
 */
import type { JournalReader, MessageSummary } from '../../journal/journal.ts'
import { openJournalReader } from '../../journal/journal-reader.ts'
import { wrapped } from '../../judgement/columns.ts'
import type { DeliveryDocument, SessionDocument } from '../../judgement/evidence.ts'
import { deliveryLines } from '../../judgement/text.ts'
import { visible } from '../../judgement/visible.ts'
import { isMessageId } from '../../protocol/mail/message-id.ts'
import { countDrops, isInMaildrop } from '../../relay/maildrop/drop.ts'
import { statePaths } from '../../relay/state-paths.ts'
import { StoreRefused } from '../../system/sqlite.ts'
import { configured } from '../configured.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { lifeLines } from '../life-lines.ts'
import { dropsWait } from '../maildrop-text.ts'
import { bytes, senderText, shared, table } from '../table.ts'

export interface LogOptions {
  readonly matching?: string
  /** The id of a delivery; true: the last one of the message. */
  readonly attempt?: string | true
  readonly incidents?: boolean
  readonly limit: number
}

export function run(id: string | null, options: LogOptions, context: Context): number {
  const { settings } = configured(context.config)
  if (id !== null && !isMessageId(id))
    throw new CliFailure(
      'cli.usage',
      `"${visible(id, 40)}" is not the id of a message`,
      `To search: hermetic log --matching ${/^[\w.@-]{1,40}$/.test(id) ? id : 'TEXT'}`,
    )
  let reader: JournalReader | null = null
  try {
    reader = openJournalReader({ directory: statePaths(settings.state).journal })
    if (options.attempt !== undefined) return attempt(reader, id, options.attempt, context)
    if (options.incidents === true) return incidents(reader, options.limit, context)
    const { maildrop } = statePaths(settings.state)
    return id === null ? recent(reader, maildrop, options, context) : life(reader, maildrop, id, context)
  } catch (error) {
    if (error instanceof StoreRefused) throw new CliFailure('cli.store-unreachable', error.message, error.hint)
    throw error
  } finally {
    reader?.close()
  }
}

function recent(
  reader: JournalReader,
  maildrop: string,
  { limit, matching }: LogOptions,
  context: Context,
): number {
  const messages = reader.recent(limit, matching ?? null)
  const none = matching === undefined ? 'no message yet' : `no message matches "${visible(matching, 60)}"`
  const drops = matching === undefined ? countDrops(maildrop) : null
  context.answer(
    { schema: 'hermetic.log/1', messages, maildrop: drops },
    [
      messages.length === 0 ? none : `${summaryTable(messages)}\n'hermetic log ID' tells the life of one.`,
      ...dropsWait(drops),
    ].join('\n'),
  )
  return messages.length === 0 && matching !== undefined ? answerIsNo : asHoped
}

function life(reader: JournalReader, maildrop: string, id: string, context: Context): number {
  const events = reader.life(id)
  const none = isInMaildrop(maildrop, id)
    ? `message ${id} lies in the maildrop until a relay takes it in: 'hermetic serve' starts one`
    : `the journal knows no message ${id}`
  context.answer(
    { schema: 'hermetic.life/1', message: id, events },
    events.length === 0 ? none : lifeLines(events).join('\n'),
  )
  return events.length === 0 ? answerIsNo : asHoped
}

/** @param message Whose attempt is meant, when that was said. @param wanted The delivery, or true for the last one. */
function attempt(reader: JournalReader, message: string | null, wanted: string | true, context: Context): number {
  // Without a message before it the option takes what comes next for its value: the message, as a rule.
  const of = message ?? (wanted !== true && isMessageId(wanted) ? wanted : null)
  if (of === null && wanted === true)
    throw new CliFailure(
      'cli.usage',
      '--attempt needs a message or a delivery',
      "'hermetic log ID --attempt' shows the last attempt to deliver a message.",
    )
  const delivery = wanted === true || wanted === of ? lastAttempt(reader, of) : reader.delivery(wanted)
  const sessions = (delivery?.sessions ?? [])
    .map(session => reader.session(session))
    .filter((session): session is SessionDocument => session !== null)
  const none =
    wanted === true || wanted === of
      ? `the journal knows no attempt to deliver ${of ?? ''}`
      : `the journal knows no attempt ${visible(wanted, 60)}: 'hermetic log ID' shows those of a message`
  context.answer(
    { schema: 'hermetic.attempt/1', delivery, sessions },
    delivery === null ? none : deliveryLines(delivery, sessions).join('\n'),
  )
  return delivery === null ? answerIsNo : asHoped
}

function lastAttempt(reader: JournalReader, message: string | null): DeliveryDocument | null {
  const last = message === null ? undefined : reader.life(message).findLast(({ kind }) => kind === 'attempted')
  return last?.kind === 'attempted' ? last.delivery : null
}

function incidents(reader: JournalReader, limit: number, context: Context): number {
  const events = reader.incidents(limit)
  const lines = events.flatMap(({ at, code, client, says }) =>
    wrapped(`${at} [${visible(client)}] ${visible(code)}: ${visible(says)}`, '', '    '),
  )
  context.answer(
    { schema: 'hermetic.incidents/1', incidents: events },
    lines.length === 0 ? 'no incident' : lines.join('\n'),
  )
  return asHoped
}

function summaryTable(messages: readonly MessageSummary[]): string {
  const rows = messages.map(({ message, at, sizeBytes, state, from, recipients }) => [
    message,
    at.slice(0, 19).replace('T', ' '),
    bytes(sizeBytes),
    state,
    senderText(from),
    `${recipients[0] ?? ''}${recipients.length > 1 ? ` +${recipients.length - 1}` : ''}`,
  ])
  const [from, to] = shared(50, [rows.map(row => row[4] ?? ''), rows.map(row => row[5] ?? '')])
  return table(
    [
      { title: 'id', width: 15 },
      { title: 'when (UTC)', width: 20 },
      { title: 'size', width: 6, align: 'right' },
      { title: 'state', width: 10 },
      { title: 'from', width: from },
      { title: 'to', width: to },
    ],
    rows,
  )
}
