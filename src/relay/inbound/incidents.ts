/**
 * Tells of what clients did to us, without letting them fill the journal: the first of a kind from an address is told at once, the next ones are
 * counted and told with the first one after a minute. Memory is bounded, whatever number of addresses take part.
 */
import type { IncidentEvent } from '../../journal/journal.ts'
import { visible } from '../../judgement/visible.ts'

export interface Incidents {
  /** @param says One sentence; may hold text from outside. @param client An address. */
  tell(code: string, client: string, says: string): void
}

export function createIncidents(report: (event: IncidentEvent) => void, now: () => number): Incidents {
  /** When each was told last, and how many were not told since. In the order of that time. */
  const told = new Map<string, { readonly atMs: number; untold: number }>()
  return {
    tell(code, client, says) {
      const key = `${code} ${client}`
      const nowMs = now()
      const last = told.get(key)
      if (last !== undefined && nowMs - last.atMs < quietMs && nowMs >= last.atMs) {
        last.untold += 1
        return
      }
      told.delete(key)
      if (told.size >= maxRemembered) {
        const [oldest] = told.keys()
        if (oldest !== undefined) told.delete(oldest)
      }
      told.set(key, { atMs: nowMs, untold: 0 })
      const more =
        last === undefined || last.untold === 0
          ? ''
          : ` (and ${last.untold} more since the last time this was told)`
      const at = new Date(nowMs).toISOString()
      report({ kind: 'incident', at, code, client, says: `${visible(says)}${more}` })
    },
  }
}

const quietMs = 60_000
const maxRemembered = 10_000
