/** Whether answers of the DNS can be trusted here, in words: one rendering for the log, `queue` and `config check`. It adds no opinion to the standing. */
import type { DnsStanding, Severity } from './evidence.ts'

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
    case 'mistimed':
      return 'by the clock of this machine no signature of the root holds, so mail waits'
    case 'unknown':
      return 'it is not known whether answers can be validated'
    case 'off':
      return 'off, as dns.trust says: no TLSA record counts'
    default:
      return validation satisfies never
  }
}

/** Whether nothing can be told secure from insecure, and mail waits for that. While nobody answers it waits too, as it would anyway. */
export function makesMailWait(validation: DnsStanding['validation']): boolean {
  return validation === 'required' || validation === 'lost' || validation === 'mistimed'
}

/** How urgent it is. */
export function standingSeverity({ validation, says }: DnsStanding): Severity {
  if (makesMailWait(validation)) return 'error'
  return says.length === 0 ? 'info' : 'warning'
}

/** Everything worth telling, one sentence or phrase a line. Where something is wrong its sentences say all; good news is none the worse for what is said beside it. */
export function standingNotices(
  standing: DnsStanding,
): readonly { readonly severity: Severity; readonly text: string }[] {
  const { validation, says } = standing
  const severity = standingSeverity(standing)
  return [
    ...(validation === 'works' || says.length === 0
      ? [{ severity: 'info', text: standingPhrase(standing) } as const]
      : []),
    ...says.map(text => ({ severity, text })),
  ]
}
