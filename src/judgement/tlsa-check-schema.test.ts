import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { readChain } from '../protocol/x509/pem.ts'
import { createAuthority } from '../system/certificate-maker.ts'
import { type tlsaCheckDocumentSchema, tlsaCheckSchema } from './testing/tlsa-check-schema.ts'
import { planOf, visitAtMs, visitedAddress } from './testing/tlsa-visits.ts'
import { type CheckInput, tlsaCheck } from './tlsa-check.ts'
import type { TlsaCheckDocument } from './tlsa-check-document.ts'
import { nextCertificate } from './tlsa-next.ts'

/** True only if either type can stand for the other: a key more or less on one side does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const typesAgree: Same<z.infer<typeof tlsaCheckDocumentSchema>, TlsaCheckDocument> = true

const host = 'mx.example.org'
const { chain } = await (await createAuthority({ commonName: 'Root' })).leaf({ names: [host] })
const stranger = `3 1 1 ${'00'.repeat(32)}`
const refused = { reason: 'net.refused', detail: null, reply: null } as const
const input = (more: Partial<CheckInput>): CheckInput => ({
  domain: 'example.org',
  as: 'domain',
  port: 25,
  atMs: visitAtMs,
  addresses: [],
  skipped: [],
  failure: null,
  dns: [],
  ...more,
})
const mismatched = [visitedAddress(host, planOf(host, [stranger]), [['any', chain]])]

describe('docs/tlsa-check.schema.json', () => {
  test('is what the types say (vitest -u writes it anew)', async () => {
    expect(typesAgree).toBe(true)
    await expect(`${JSON.stringify(tlsaCheckSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../docs/tlsa-check.schema.json',
    )
  })

  const validate = new Ajv2020({ allErrors: true, formats: { 'date-time': true } }).compile(tlsaCheckSchema())

  test.each<[string, TlsaCheckDocument]>([
    ['without a host', tlsaCheck(input({ failure: { reason: 'dns.null-mx', detail: null, reply: null } }))],
    ['a mismatch', tlsaCheck(input({ addresses: mismatched }))],
    [
      'without records',
      tlsaCheck(input({ addresses: [visitedAddress(host, planOf(host, []), [['any', chain]])] })),
    ],
    [
      'nobody there',
      tlsaCheck(input({ addresses: [visitedAddress(host, planOf(host, [stranger]), [['any', refused]])] })),
    ],
    [
      'with the next certificate',
      tlsaCheck(
        input({ addresses: mismatched, skipped: [{ host: 'mx2', address: null, failure: refused }] }),
        nextCertificate({
          addresses: mismatched,
          leftOut: [],
          next: readChain(chain),
          atMs: visitAtMs,
          ttlOf: () => 300,
        }),
      ),
    ],
  ])('a document is valid: %s', (_, document) => {
    expect(validate(JSON.parse(JSON.stringify(document))) || validate.errors).toBe(true)
  })

  test('a key more is not', () => {
    expect(validate({ ...tlsaCheck(input({})), key: 'secret' })).toBe(false)
  })
})
