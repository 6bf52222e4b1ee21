/**
 * `hermetic queue list | show | retry | remove`: the spool, through the relay that runs on it or, when none does, directly.
 *
 * Exit 1: there is no such message, nothing to retry, or the message is being delivered and cannot be removed.
 */
import { existsSync } from 'node:fs'
import { openJournal } from '../../journal/sqlite-journal.ts'
import { wrapped } from '../../judgement/columns.ts'
import { timestamp } from '../../judgement/evidence-of.ts'
import { standingSeverity } from '../../judgement/standing-text.ts'
import { visible } from '../../judgement/visible.ts'
import { isMessageId, type MessageId } from '../../protocol/mail/message-id.ts'
import { askRelay } from '../../relay/control/client.ts'
import type { AnswerTo, ControlRequest, RelayHealth } from '../../relay/control/protocol.ts'
import { removeMessage } from '../../relay/control/queue-operations.ts'
import { countDrops } from '../../relay/maildrop/drop.ts'
import type { Settings } from '../../relay/settings.ts'
import { statePaths } from '../../relay/state-paths.ts'
import type { Spool, StoredMessage } from '../../spool/spool.ts'
import { openSpool } from '../../spool/sqlite-spool.ts'
import { StoreRefused } from '../../system/sqlite.ts'
import { configured } from '../configured.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { dropsWait } from '../maildrop-text.ts'
import { bytes, senderText, shared, span, table } from '../table.ts'

type QueueSpool = Pick<Spool, 'list' | 'show' | 'expedite' | 'remove'>
type QueueRequest = Extract<ControlRequest, { op: `queue.${string}` }>

/** Most messages that one request asks for. */
const pageSize = 1_000
const maxSentenceChars = 1_200

export async function list(options: { readonly limit: number }, context: Context): Promise<number> {
  const { settings } = configured(context.config)
  const messages: StoredMessage[] = []
  let through: Through = 'relay'
  while (messages.length < options.limit) {
    const after = messages.at(-1)?.id ?? null
    const limit = Math.min(pageSize, options.limit - messages.length)
    const asked = await ask(settings, { op: 'queue.list', after, limit }, async spool => ({
      messages: await spool.list(after, limit),
    }))
    through = asked.through
    messages.push(...asked.answer.messages)
    if (asked.answer.messages.length < limit) break
  }
  const maildrop = countDrops(statePaths(settings.state).maildrop)
  const health = through === 'relay' ? await healthOf(settings) : null
  context.answer(
    { schema: 'hermetic.queue/1', through, messages: messages.map(documentOf), maildrop, health },
    [
      ...healthLines(health, context),
      listText(messages, Date.now(), (maildrop ?? 0) > 0),
      ...dropsWait(maildrop),
      ...noted(through, messages.length, context),
    ].join('\n'),
  )
  return asHoped
}

export async function show(id: string, context: Context): Promise<number> {
  const { settings } = configured(context.config)
  const { through, answer } = await ask(settings, { op: 'queue.show', id: checkedId(id) }, async spool => ({
    message: await spool.show(id),
  }))
  const { message } = answer
  context.answer(
    { schema: 'hermetic.queue-message/1', through, message: message === null ? null : documentOf(message) },
    message === null ? notThere(id) : showText(message, Date.now()),
  )
  return message === null ? answerIsNo : asHoped
}

export async function retry(id: string | null, all: boolean, context: Context): Promise<number> {
  if ((id === null) === !all)
    throw new CliFailure(
      'cli.usage',
      id === null
        ? "'queue retry' needs the id of a message, or --all"
        : "'queue retry' takes an id or --all, not both",
      "'hermetic queue list' shows the ids.",
    )
  const { settings } = configured(context.config)
  const { through, answer } = await ask(
    settings,
    { op: 'queue.retry', id: id === null ? null : checkedId(id) },
    async spool => ({ touched: await spool.expedite(id, Date.now()) }),
  )
  const count = answer.touched === 1 ? '1 message is' : `${answer.touched} messages are`
  const said = answer.touched > 0 ? `${count} due now` : id === null ? 'nothing waits' : notThere(id)
  context.answer(
    { schema: 'hermetic.queue-retry/1', through, touched: answer.touched },
    [said, ...noted(through, answer.touched, context)].join('\n'),
  )
  return answer.touched > 0 || all ? asHoped : answerIsNo
}

export async function remove(id: string, context: Context): Promise<number> {
  const { settings } = configured(context.config)
  const { through, answer } = await ask(settings, { op: 'queue.remove', id: checkedId(id) }, async spool => {
    const removed = await removeMessage(spool, id)
    // What a relay does when it is asked: else the log would tell for ever that the message waits.
    if (removed.outcome === 'removed') await recordRemoval(settings, id, context)
    return removed
  })
  const said = {
    removed: `${id} is removed; nobody is told`,
    'in-work': `${id} is being delivered right now: try again when 'hermetic log ${id}' shows the outcome`,
    unknown: notThere(id),
  }
  context.answer({ schema: 'hermetic.queue-remove/1', through, id, outcome: answer.outcome }, said[answer.outcome])
  return answer.outcome === 'removed' ? asHoped : answerIsNo
}

/** What the relay depends on and cannot mend; null when it ended meanwhile, or does not tell. */
async function healthOf(settings: Settings): Promise<RelayHealth | null> {
  const asked = await askRelay(settings.state, { op: 'status' })
  return asked.kind === 'answer' ? (asked.answer.health ?? null) : null
}

/** First, as it may be why mail waits; nothing when all is well. */
function healthLines(health: RelayHealth | null, { paint }: Context): string[] {
  if (health === null || health.dns.says.length === 0) return []
  const colour = standingSeverity(health.dns) === 'error' ? 'red' : 'yellow'
  const [first = '', ...more] = health.dns.says
  const others = more.length === 0 ? '' : " 'hermetic config check' says more."
  return wrapped(`DNSSEC: ${visible(first, maxSentenceChars)}${others}`, '', '  ').map(line => paint(colour, line))
}

type Through = 'relay' | 'spool'

/** Asks the relay; when none runs, does the same on the spool itself. */
async function ask<R extends QueueRequest>(
  settings: Settings,
  request: R,
  directly: (spool: QueueSpool) => Promise<AnswerTo<R>>,
): Promise<{ readonly through: Through; readonly answer: AnswerTo<R> }> {
  const asked = await askRelay(settings.state, request)
  if (asked.kind === 'answer') return { through: 'relay', answer: asked.answer }
  if (asked.kind === 'failed')
    throw new CliFailure(
      'cli.relay-unreachable',
      asked.says,
      `${asked.hint} The relay's state is in ${settings.state}.`,
    )
  const directory = statePaths(settings.state).spool
  // Looking must not make a store where no relay ever was.
  if (!existsSync(directory)) return { through: 'spool', answer: await directly(emptySpool) }
  try {
    const spool = await openSpool({
      directory,
      partition: 0,
      minFreeBytes: settings.limits.minFreeBytes,
      now: Date.now,
    })
    try {
      return { through: 'spool', answer: await directly(spool) }
    } finally {
      await spool.close()
    }
  } catch (error) {
    if (error instanceof StoreRefused) throw new CliFailure('cli.store-unreachable', error.message, error.hint)
    throw error
  }
}

/** Only while the spool is open here: then no relay writes the journal. The message is gone in any case, so trouble with the journal is only told. */
async function recordRemoval(settings: Settings, id: MessageId, context: Context): Promise<void> {
  try {
    const journal = await openJournal({ directory: statePaths(settings.state).journal })
    journal.record({ kind: 'removed', at: timestamp(Date.now()), message: id })
    await journal.close()
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error
    context.remark(`the journal does not know of it: ${error.message} ${error.hint}`)
  }
}

const emptySpool: QueueSpool = {
  list: () => Promise.resolve([]),
  show: () => Promise.resolve(null),
  expedite: () => Promise.resolve(0),
  remove: () => Promise.resolve(false),
}

function checkedId(id: string): MessageId {
  if (isMessageId(id)) return id
  throw new CliFailure(
    'cli.usage',
    `"${visible(id, 40)}" is not the id of a message`,
    "Ids have 13 letters and digits, such as 01k9v3p0c2ma7; 'hermetic queue list' shows them.",
  )
}

function notThere(id: string): string {
  return `there is no message ${id} in the spool: 'hermetic log ${id}' tells what became of it`
}

function noted(through: Through, waiting: number, context: Context): string[] {
  if (through === 'relay') return []
  const when = waiting === 0 ? '' : ` ${waiting === 1 ? 'It is' : 'They are'} delivered when one is started.`
  return [context.paint('dim', `No relay runs; this is the spool itself.${when}`)]
}

function documentOf(message: StoredMessage) {
  return {
    id: message.id,
    from: message.envelope.from?.text ?? '',
    sizeBytes: message.sizeBytes,
    received: time(message.receivedAtMs),
    expires: time(message.expiresAtMs),
    via: message.origin.via,
    client: message.origin.address,
    pending: message.pending.map(({ index, attempts, nextAttemptAtMs, lastFailure }) => ({
      recipient: message.envelope.recipients[index]?.text ?? '',
      attempts,
      nextAttempt: time(nextAttemptAtMs),
      lastFailure,
    })),
  }
}

function listText(messages: readonly StoredMessage[], nowMs: number, dropsWaitToo: boolean): string {
  if (messages.length === 0) return dropsWaitToo ? 'nothing waits in the spool' : 'nothing waits'
  const rows = messages.map(message => {
    const { pending, envelope } = message
    const [first] = pending
    const more = pending.length > 1 ? ` +${pending.length - 1}` : ''
    const next = Math.min(...pending.map(one => one.nextAttemptAtMs))
    return [
      message.id,
      span(nowMs - message.receivedAtMs),
      bytes(message.sizeBytes),
      senderText(envelope.from?.text ?? ''),
      `${envelope.recipients[first?.index ?? 0]?.text ?? ''}${more}`,
      String(Math.max(0, ...pending.map(one => one.attempts))),
      next <= nowMs ? 'now' : span(next - nowMs),
    ]
  })
  const [from, to] = shared(60, [rows.map(row => row[3] ?? ''), rows.map(row => row[4] ?? '')])
  return table(
    [
      { title: 'id', width: 15 },
      { title: 'age', width: 6, align: 'right' },
      { title: 'size', width: 7, align: 'right' },
      { title: 'from', width: from },
      { title: 'to', width: to },
      { title: 'tries', width: 6, align: 'right' },
      { title: 'next', width: 6, align: 'right' },
    ],
    rows,
  )
}

function showText(message: StoredMessage, nowMs: number): string {
  const { origin, envelope } = message
  const source = origin.address === null ? origin.via : `${origin.via} from ${visible(origin.address)}`
  return [
    `${message.id}  from <${visible(envelope.from?.text ?? '')}>`,
    `  received ${time(message.receivedAtMs)} by ${source}, ${bytes(message.sizeBytes)}${origin.tls === null ? '' : `, ${visible(origin.tls)}`}`,
    `  returned to its sender after ${time(message.expiresAtMs)}`,
    ...message.pending.flatMap(({ index, attempts, nextAttemptAtMs, lastFailure }) => [
      `  to <${visible(envelope.recipients[index]?.text ?? '')}>`,
      `    ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}, next ${nextAttemptAtMs <= nowMs ? 'now' : `in ${span(nextAttemptAtMs - nowMs)}`}${lastFailure === null ? '' : `, last failure ${visible(lastFailure)}`}`,
    ]),
    `  'hermetic log ${message.id}' tells its life so far`,
  ].join('\n')
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
