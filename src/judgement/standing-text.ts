/** Whether answers of the DNS can be trusted here, in words: one rendering for the log, `queue` and `config check`. It adds no opinion to the standing. */
import type { DnsStanding } from './evidence.ts'

/** In a phrase. */
export function standingPhrase({ trust, validation }: DnsStanding): string {
  switch (validation) {
    case 'works':
      return trust === 'ad'
        ? 'the resolver validates answers, and is believed'
        : 'signatures arrive, and answers are validated'
    case 'unavailable':
      return 'answers cannot be validated, so mail goes on without DANE'
    case 'required':
      return 'answers cannot be validated, so mail waits, as dns.require says'
    case 'lost':
      return 'answers were validated before and cannot be now, so mail waits'
    case 'unknown':
      return 'it is not known whether answers can be validated'
    case 'off':
      return 'off, as dns.trust says: no TLSA record counts'
    default:
      return validation satisfies never
  }
}

/** How urgent it is. */
export function standingSeverity({ validation, says }: DnsStanding): 'info' | 'warning' | 'error' {
  if (validation === 'required' || validation === 'lost') return 'error'
  return says.length === 0 ? 'info' : 'warning'
}

/** Everything worth telling, one sentence or phrase a line. Where something is wrong its sentences say all. */
export function standingTexts(standing: DnsStanding): readonly string[] {
  const { validation, says } = standing
  return validation === 'works' || says.length === 0 ? [standingPhrase(standing), ...says] : says
}
