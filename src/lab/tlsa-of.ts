/** TLSA records for zones that are written down as text, of certificates that the lab has just made (RFC 6698 §2.1). */
import { hash } from 'node:crypto'
import { createTlsa, tlsaText } from '../protocol/dane/tlsa.ts'
import { readChain } from '../protocol/x509/pem.ts'

/** Usage, selector and matching type, as zone files have them. */
export type TlsaNumbers = `${number} ${0 | 1} ${0 | 1 | 2}`

/**
 * The data of a record that names this certificate: `2 1 1 8d02…`.
 * @param pem the first certificate in it counts
 */
export function tlsaOf(numbers: TlsaNumbers, pem: string): string {
  const [read] = readChain(pem)
  if (read?.kind !== 'certificate') throw new Error('the lab made what is no certificate')
  const [usage, selector, matchingType] = numbers.split(' ').map(Number)
  if (usage === undefined || selector === undefined || matchingType === undefined)
    throw new RangeError(`not the numbers of a TLSA record: ${numbers}`)
  const [record] = createTlsa(read.certificate, {
    usages: [usage],
    selectors: [selector],
    matchingTypes: [matchingType],
  })
  if (record === undefined) throw new Error('one of each makes a record')
  return tlsaText(record)
}

/** A record with a digest of nothing that there is; every `salt` another. */
export function strangeTlsa(numbers: `${number} ${number} 1` | `${number} ${number} 2`, salt = ''): string {
  const digest = numbers.endsWith(' 2') ? 'sha512' : 'sha256'
  return `${numbers} ${hash(digest, `no certificate ${salt}`)}`
}
