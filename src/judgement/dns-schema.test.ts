import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { type DnsDocument, dnsDocument } from './dns-document.ts'
import { answered } from './testing/dns-answers.ts'
import { type dnsDocumentSchema, dnsSchema } from './testing/dns-schema.ts'

/** True only if either type can stand for the other: a key more or less on one side does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const typesAgree: Same<z.infer<typeof dnsDocumentSchema>, DnsDocument> = true

describe('docs/dns.schema.json', () => {
  test('is what the types say (vitest -u writes it anew)', async () => {
    expect(typesAgree).toBe(true)
    await expect(`${JSON.stringify(dnsSchema(), null, 2)}\n`).toMatchFileSnapshot('../../docs/dns.schema.json')
  })

  const validate = new Ajv2020({ allErrors: true, formats: { 'date-time': true } }).compile(dnsSchema())

  test.each([
    'mx.nsec.example A',
    'host.nsec3.example AAAA',
    'nothing.nsec3.example A',
    'within.aliases.example A',
    'host.unsigned.example A',
    'host.expired.example A',
    '_25._tcp.mx.silent.example TLSA',
  ])('a document is valid: %s', question => {
    expect(validate(JSON.parse(JSON.stringify(dnsDocument(answered(question))))) || validate.errors).toBe(true)
  })

  const sound = dnsDocument(answered('mx.nsec.example A'))
  test.each([
    ['a key more', { ...sound, key: 'secret' }],
    ['a key less', { ...sound, steps: undefined }],
    ['an unknown security', { ...sound, security: 'fine' }],
    ['a reason that is none of the DNS', { ...sound, reason: 'tls.handshake-failed' }],
  ])('%s is not', (_, broken) => {
    expect(validate(JSON.parse(JSON.stringify(broken)))).toBe(false)
  })
})
