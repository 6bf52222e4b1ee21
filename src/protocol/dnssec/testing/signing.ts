/**
 * Keys and signatures for tests, over any records and with any field wrong on purpose. The bytes to be signed are put together here once more,
 * from RFC 4034 §3.1.8.1, so that a mistake in canonical.ts is not made twice: owners and names in RDATA must already be in lower case.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { nameBytes, type ResourceRecord } from '../../dns/message.ts'
import type { Name } from '../../dns/name.ts'
import { classInternet, typeNumbers } from '../../dns/numbers.ts'
import { dnskeyRdata, rrsigHead } from '../encoding.ts'
import { readDnskey } from '../records.ts'
import type { Dnskey, Rrsig } from '../types.ts'

export interface SigningKey {
  readonly dnskey: Dnskey
  readonly privateKey: KeyObject
}

export type RrsigFields = Omit<Rrsig, 'signature' | 'head'>

/** @param bits of the modulus, for RSA */
export function makeKey(algorithm: number, flags = 257, bits = 1024): SigningKey {
  const { publicKey, privateKey } = generate(algorithm, bits)
  return { dnskey: asDnskey(dnskeyRdata(flags, algorithm, publicKeyField(publicKey))), privateKey }
}

/** The same key with other flags. */
export function withFlags({ dnskey, privateKey }: SigningKey, flags: number): SigningKey {
  return { dnskey: asDnskey(dnskeyRdata(flags, dnskey.algorithm, dnskey.publicKey)), privateKey }
}

export function asDnskey(rdata: Uint8Array): Dnskey {
  const dnskey = readDnskey({ rdata })
  if (dnskey === 'malformed') throw new Error('not a DNSKEY')
  return dnskey
}

export function dnskeyRecord(zone: Name, dnskey: Dnskey, ttlSeconds = 3600): ResourceRecord {
  return { name: zone, type: typeNumbers.DNSKEY, class: classInternet, ttlSeconds, rdata: dnskey.rdata }
}

/** An RRSIG for records of one owner and type, the way the zone would make it but for `changes`. The owner as signed comes from the labels in them. */
export function signRecords(
  records: readonly ResourceRecord[],
  signer: Name,
  key: SigningKey,
  changes: Partial<RrsigFields> = {},
): ResourceRecord {
  const [first] = records
  if (first === undefined) throw new Error('nothing to sign')
  const isWildcard = first.name[0]?.length === 1 && first.name[0][0] === 0x2a
  const fields = {
    typeCovered: first.type,
    algorithm: key.dnskey.algorithm,
    labels: first.name.length - (isWildcard ? 1 : 0),
    originalTtlSeconds: first.ttlSeconds,
    inception: testInception,
    expiration: testExpiration,
    keyTag: key.dnskey.keyTag,
    signer,
    ...changes,
  }
  const head = rrsigHead(fields)
  const owner =
    fields.labels < first.name.length - (isWildcard ? 1 : 0)
      ? [Uint8Array.of(0x2a), ...first.name.slice(first.name.length - fields.labels)]
      : first.name
  const sorted = records.map(({ rdata }) => rdata).sort(Buffer.compare)
  const data = Buffer.concat([
    head,
    ...sorted.flatMap(rdata => {
      const middle = Buffer.alloc(10)
      middle.writeUInt16BE(first.type, 0)
      middle.writeUInt16BE(first.class, 2)
      middle.writeUInt32BE(fields.originalTtlSeconds, 4)
      middle.writeUInt16BE(rdata.length, 8)
      return [nameBytes(owner), middle, rdata]
    }),
  ])
  return {
    name: first.name,
    type: typeNumbers.RRSIG,
    class: first.class,
    ttlSeconds: first.ttlSeconds,
    rdata: Buffer.concat([head, signature(data, key)]),
  }
}

export const testNowMs = Date.UTC(2026, 0, 15)
export const testInception = testNowMs / 1000 - 86_400
export const testExpiration = testNowMs / 1000 + 86_400

function signature(data: Uint8Array, { dnskey, privateKey }: SigningKey): Uint8Array {
  const hash = { 5: 'sha1', 7: 'sha1', 8: 'sha256', 10: 'sha512', 13: 'sha256', 14: 'sha384' }[dnskey.algorithm]
  return sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
}

function generate(algorithm: number, bits: number): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (algorithm) {
    case 13:
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 14:
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 15:
      return generateKeyPairSync('ed25519')
    case 16:
      return generateKeyPairSync('ed448')
    default:
      return generateKeyPairSync('rsa', { modulusLength: bits })
  }
}

function publicKeyField(publicKey: KeyObject): Uint8Array {
  const { x = '', y = '', n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  if (n === '') return Buffer.concat([bytes(x), bytes(y)])
  return Buffer.concat([Uint8Array.of(bytes(e).length), bytes(e), bytes(n)])
}
