/**
 * Which certificates a TLSA record names, by their octets alone (RFC 6698 §2.1): usage, names, dates and signatures play no part.
 *
 * Each certificate is hashed once for each selector and matching type that is asked about, so that many records against many
 * certificates cost their sum and not their product.
 */
import { hash } from 'node:crypto'
import type { Certificate, PublicKey } from '../x509/model.ts'
import { associationOf } from './tlsa.ts'
import type { Tlsa } from './types.ts'

export interface CertificateIndex {
  /**
   * Places of the certificates whose octets, or whose key's, the record's data are or digest; in ascending order. Empty for a
   * selector or matching type that is not defined; computed for every usage, those that mail does not use included.
   */
  positionsOf(record: Tlsa): readonly number[]
  /** Digests computed so far: what it has cost. */
  readonly digests: number
}

/** @param certificates null: what stands in this place is no certificate, and nothing names it */
export function indexCertificates(certificates: readonly (Certificate | null)[]): CertificateIndex {
  const tables = new Map<string, ReadonlyMap<string, readonly number[]>>()
  let digests = 0

  const tableOf = (selector: number, matchingType: number): ReadonlyMap<string, readonly number[]> => {
    const name = `${selector} ${matchingType}`
    const known = tables.get(name)
    if (known !== undefined) return known
    const table = new Map<string, number[]>()
    for (const [position, certificate] of certificates.entries()) {
      const association = certificate === null ? null : associationOf(certificate, selector, matchingType)
      if (association === null) continue
      digests++
      const key = tableKey(association, matchingType)
      const positions = table.get(key)
      if (positions === undefined) table.set(key, [position])
      else positions.push(position)
    }
    tables.set(name, table)
    return table
  }

  return {
    positionsOf(record) {
      const table = tableOf(record.selector, record.matchingType)
      if (table.size === 0) return []
      if (record.matchingType === 0) digests++
      return table.get(tableKey(record.data, record.matchingType)) ?? []
    },
    get digests() {
      return digests
    },
  }
}

/** The same for two certificates exactly when their octets are. */
export function certificateId(certificate: Certificate): string {
  const known = certificateIds.get(certificate)
  if (known !== undefined) return known
  const id = digestOf(certificate.der)
  certificateIds.set(certificate, id)
  return id
}

/** The same for two keys exactly when their octets are; never that of a certificate. */
export function keyId(publicKey: PublicKey): string {
  return `key ${digestOf(publicKey.spki)}`
}

/** Digests stand for themselves; whole octets are digested, so that no key of a table is long. */
function tableKey(association: Uint8Array, matchingType: number): string {
  return matchingType === 0 ? digestOf(association) : Buffer.from(association).toString('latin1')
}

function digestOf(octets: Uint8Array): string {
  return hash('sha512', octets, 'base64')
}

/** Certificates do not change, so each is digested once. */
const certificateIds = new WeakMap<Certificate, string>()
