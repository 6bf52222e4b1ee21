/**
 * Who is believed to be a name server that is asked over TLS (RFC 8310 §8.1): whose certificate proves its name, by the judge of every other peer without
 * TLSA records, OpenSSL's second opinion included (ARCHITECTURE decision 7).
 *
 * Roots are read when the first server is judged, as most relays ask in clear text or on their own machine.
 */

import { judgePeer } from '../judgement/peer.ts'
import { visible } from '../judgement/visible.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import type { NameServerTrust } from '../system/dns-connection.ts'
import { rememberTrust } from './trust.ts'

/**
 * @param roots PEM of the only roots to trust; null: Mozilla's
 * @param now milliseconds since 1970
 */
export function createNameServerTrust(roots: string | null, now: () => number): NameServerTrust {
  const trustIn = rememberTrust()
  return {
    context: () => trustIn(roots).context,
    unproven(name, { chain, authorized, error }) {
      const { failure } = judgePeer([{ name, from: 'operator' }], {
        chain: chain.map(({ raw }) => parseCertificate(raw)),
        roots: trustIn(roots).roots,
        atMs: now(),
        openssl: { authorized, error },
      })
      if (failure === null) return null
      const { reason, detail } = failure
      return visible(detail === null ? reason : `${reason}, ${detail}`)
    },
  }
}
