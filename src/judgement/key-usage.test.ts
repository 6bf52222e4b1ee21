import { describe, expect, test } from 'vitest'
import type { KeyUsage } from '../protocol/x509/model.ts'
import { keyUsageFindings, keyUsageFit, type LeafKey, leafKey } from './key-usage.ts'
import type { KeyExchange } from './verify-document.ts'

const rsa = (...usages: readonly KeyUsage[]): LeafKey => ({ kind: 'rsa', keyUsage: new Set(usages) })
const ec = (...usages: readonly KeyUsage[]): LeafKey => ({ kind: 'ec', keyUsage: new Set(usages) })

test('the kind of a key is what it can do in a handshake', () => {
  expect(leafKey({ kind: 'rsa', bits: 2048, exponentBits: 17 }, null).kind).toBe('rsa')
  expect(leafKey({ kind: 'ec', curve: 'P-256' }, null).kind).toBe('ec')
  expect(leafKey({ kind: 'rsa-pss', bits: 2048, exponentBits: 17 }, null).kind).toBe('other')
  expect(leafKey({ kind: 'ed25519' }, null).kind).toBe('other')
})

test.each<[string, LeafKey, KeyExchange, string]>([
  ['no extension', { kind: 'rsa', keyUsage: null }, 'rsa', 'absent'],
  ['no extension', { kind: 'ec', keyUsage: null }, 'tls1.3', 'absent'],
  ['encipherment', rsa('keyEncipherment'), 'rsa', 'fits'],
  ['encipherment', rsa('keyEncipherment'), 'ecdhe', 'lacking'],
  ['signature', rsa('digitalSignature'), 'rsa', 'lacking'],
  ['signature', rsa('digitalSignature'), 'tls1.3', 'fits'],
  ['an empty extension', rsa(), 'tls1.3', 'lacking'],
  ['an EC key', ec('keyEncipherment'), 'rsa', 'impossible'],
])('%s with %o for %s: %s', (_, leaf, exchange, fit) => {
  expect(keyUsageFit(leaf, exchange)).toBe(fit)
})

describe('findings', () => {
  const codes = (leaf: LeafKey, exchange: KeyExchange | null) =>
    keyUsageFindings(leaf, exchange).map(({ code, severity }) => `${severity} ${code}`)

  test('lacking digitalSignature is a warning, unless RSA key exchange alone is asked about', () => {
    for (const exchange of [null, 'ecdhe', 'tls1.3'] as const)
      expect(codes(rsa('keyEncipherment'), exchange)).toEqual(['warning x509.key-usage-no-signature'])
    expect(codes(rsa('keyEncipherment'), 'rsa')).toEqual([])
  })

  test('lacking keyEncipherment is worth telling, and a warning for RSA key exchange', () => {
    expect(codes(rsa('digitalSignature'), null)).toEqual(['info x509.key-usage-no-encipherment'])
    expect(codes(rsa('digitalSignature'), 'rsa')).toEqual(['warning x509.key-usage-no-encipherment'])
    expect(codes(rsa('digitalSignature'), 'tls1.3')).toEqual([])
  })

  test('a key that only signs needs no keyEncipherment', () => {
    expect(codes(ec('digitalSignature'), null)).toEqual([])
    expect(codes(ec('digitalSignature'), 'rsa')).toEqual([])
    expect(codes(ec('keyAgreement'), null)).toEqual(['warning x509.key-usage-no-signature'])
  })

  test('without the extension there is nothing to say', () => {
    expect(codes({ kind: 'rsa', keyUsage: null }, null)).toEqual([])
  })
})
