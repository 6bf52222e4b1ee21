/**
 * The one door for everything that is told (ARCHITECTURE decision 4): the journal, the counters and the log are fed from here, and nowhere else, so that they agree.
 *
 * It never throws and never waits. It keeps nothing: the journal and the knowledge store do, and `log` writes.
 */
import type { IncidentEvent, Journal, LifeEvent } from '../journal/journal.ts'
import type { DnsStanding } from '../judgement/evidence.ts'
import { timestamp } from '../judgement/evidence-of.ts'
import { standingSeverity } from '../judgement/standing-text.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import { failedSessionLine, humanLines, jsonLine, noticeLine, standingLines } from './log-lines.ts'
import type { Reporter } from './ports.ts'

/** The door of the relay itself: no part of it has anything to tell of the DNS. */
export interface RelayReporter extends Reporter {
  /** Whether answers of the DNS can be trusted, as it is from now on. */
  standing(standing: DnsStanding): void
}

export interface ReporterParts {
  readonly journal: Pick<Journal, 'record' | 'keep'>
  readonly knowledge: Pick<Knowledge, 'count'>
  /** Receives each line, without its line end. */
  readonly log: (line: string) => void
  readonly format: 'human' | 'json'
  /** For the lines about what carries no time of its own, or that of its beginning. Default: the system's clock. */
  readonly now?: () => number
}

export function createReporter({ journal, knowledge, log, format, now = Date.now }: ReporterParts): RelayReporter {
  /** What is told must not stop what is done: a fault in here is told in its turn, once, and that is all. */
  function safely(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      try {
        log(
          noticeLine(
            timestamp(now()),
            'error',
            `reporting failed: ${error instanceof Error ? error.message : String(error)}`,
          ),
        )
      } catch {
        // Nobody is left to tell.
      }
    }
  }

  return {
    event(event) {
      safely(() => {
        journal.record(event)
        count(event, knowledge)
        if (format === 'json') log(jsonLine(event))
        else for (const line of humanLines(event)) log(line)
      })
    },
    session(document) {
      safely(() => {
        journal.keep(document)
        if (document.failure === null) return knowledge.count('sessions.served')
        knowledge.count('sessions.failed')
        // The session's own time is when it began. Times of lines rise, and it may have taken minutes to fail.
        const at = timestamp(now())
        const { id, at: began, host, address, port, plan, verdict, failure } = document
        const planned = { level: plan.level, name: plan.name }
        // The whole document is in the journal, under this id.
        const brief = { kind: 'session', at, id, began, host, address, port, planned, verdict, failure }
        log(format === 'json' ? jsonLine(brief) : failedSessionLine(at, document))
      })
    },
    standing(standing) {
      safely(() => {
        const at = timestamp(now())
        if (format === 'json')
          log(jsonLine({ kind: 'dns', at, severity: standingSeverity(standing), ...standing }))
        else for (const line of standingLines(at, standing)) log(line)
      })
    },
    notice(severity, text) {
      safely(() => {
        const at = timestamp(now())
        log(format === 'json' ? jsonLine({ kind: 'notice', at, severity, text }) : noticeLine(at, severity, text))
      })
    },
  }
}

function count(event: LifeEvent | IncidentEvent, knowledge: Pick<Knowledge, 'count'>): void {
  switch (event.kind) {
    case 'accepted':
      knowledge.count('messages.accepted')
      knowledge.count('bytes.accepted', event.sizeBytes)
      return
    case 'attempted':
      for (const { outcome } of event.delivery.recipients) knowledge.count(`recipients.${outcome}`)
      return
    case 'returned':
      knowledge.count('messages.returned')
      return
    case 'completed':
      knowledge.count('messages.completed')
      return
    case 'removed':
      knowledge.count('messages.removed')
      return
    case 'incident':
      knowledge.count('incidents')
      knowledge.count(`incidents.${event.code}`)
      return
    default:
      event satisfies never
  }
}
