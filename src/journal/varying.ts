/**
 * Splits a session's evidence into what is the same each time one connects to a host, and what differs: so that the first is stored once,
 * and every session can still be shown exactly as it was.
 */
import type { DnsEvidence, SessionDocument, TlsEvidence } from '../judgement/evidence.ts'

/** What differs although nothing changed: who and when, how long, DNS cache times, and the greeting, in which servers put dates and queue ids. */
export interface Varying {
  readonly id: string
  readonly at: string
  readonly ms: SessionDocument['ms']
  readonly greeting: string | null
  readonly dns: readonly Pick<DnsEvidence, 'ttlSeconds' | 'server'>[]
}

export function split(session: SessionDocument): {
  readonly varying: Varying
  readonly constant: SessionDocument
} {
  const { id, at, ms, smtp, dns } = session
  return {
    varying: {
      id,
      at,
      ms,
      greeting: smtp.greeting?.text ?? null,
      dns: dns.map(({ ttlSeconds, server }) => ({ ttlSeconds, server })),
    },
    constant: {
      ...session,
      id: '',
      at: '',
      ms: { connect: null, greeting: null, handshake: null },
      smtp: { ...smtp, greeting: smtp.greeting === null ? null : { ...smtp.greeting, text: '' } },
      dns: dns.map(one => ({ ...one, ttlSeconds: null, server: null })),
    },
  }
}

/** A content as it may stand in the store: what older versions wrote lacks what was added to the vocabulary since. */
export type StoredContent = Omit<SessionDocument, 'tls'> & {
  readonly tls: (Omit<TlsEvidence, 'path' | 'sent'> & Partial<Pick<TlsEvidence, 'path' | 'sent'>>) | null
}

export function rejoin(constant: StoredContent, varying: Varying): SessionDocument {
  const { greeting } = constant.smtp
  return {
    ...constant,
    tls: constant.tls === null ? null : { path: null, sent: constant.tls.chain.length, ...constant.tls },
    id: varying.id,
    at: varying.at,
    ms: varying.ms,
    smtp: { ...constant.smtp, greeting: greeting === null ? null : { ...greeting, text: varying.greeting ?? '' } },
    dns: constant.dns.map((one, index) => ({ ...one, ...varying.dns[index] })),
  }
}
