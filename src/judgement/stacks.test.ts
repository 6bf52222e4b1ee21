import { describe, expect, test } from 'vitest'
import type { KeyUsage } from '../protocol/x509/model.ts'
import type { LeafKey } from './key-usage.ts'
import { stackNames, stackOpinion, stackOpinions } from './stacks.ts'
import type { KeyExchange, StackName } from './verify-document.ts'

const leaf = (kind: LeafKey['kind'], usages: readonly KeyUsage[] | null): LeafKey => ({
  kind,
  keyUsage: usages === null ? null : new Set(usages),
})
const exchanges = ['rsa', 'ecdhe', 'tls1.3'] as const satisfies readonly KeyExchange[]
const leaves: readonly (readonly [string, LeafKey])[] = (['rsa', 'ec', 'other'] as const).flatMap(kind =>
  ([null, [], ['digitalSignature'], ['keyEncipherment'], ['digitalSignature', 'keyEncipherment']] as const).map(
    usages => [`${kind} ${usages === null ? 'absent' : `[${usages.join()}]`}`, leaf(kind, usages)] as const,
  ),
)

describe('an RSA leaf', () => {
  const would = (stack: StackName, usages: readonly KeyUsage[] | null, exchange: KeyExchange) =>
    stackOpinion(stack, leaf('rsa', usages), exchange).would

  test.each<[readonly KeyUsage[] | null, KeyExchange, 'accept' | 'refuse']>([
    [['keyEncipherment'], 'rsa', 'accept'],
    [['keyEncipherment'], 'ecdhe', 'refuse'],
    [['keyEncipherment'], 'tls1.3', 'refuse'],
    [['digitalSignature'], 'rsa', 'refuse'],
    [['digitalSignature'], 'ecdhe', 'accept'],
    [['digitalSignature'], 'tls1.3', 'accept'],
    [['digitalSignature', 'keyEncipherment'], 'rsa', 'accept'],
    [['digitalSignature', 'keyEncipherment'], 'tls1.3', 'accept'],
    [['keyCertSign'], 'rsa', 'refuse'],
    [null, 'rsa', 'accept'],
    [null, 'ecdhe', 'accept'],
    [null, 'tls1.3', 'accept'],
  ])(
    'with key usage %j and key exchange %s: GnuTLS, Exim and Java %s, OpenSSL accepts',
    (usages, exchange, strict) => {
      expect(would('gnutls', usages, exchange)).toBe(strict)
      expect(would('exim-gnutls', usages, exchange)).toBe(strict)
      expect(would('jsse', usages, exchange)).toBe(strict)
      for (const lenient of ['openssl', 'postfix', 'hermetic'] as const)
        expect(would(lenient, usages, exchange)).toBe('accept')
    },
  )
})

test('an EC leaf without digitalSignature is refused by OpenSSL for ECDHE in TLS 1.2, and not in TLS 1.3', () => {
  const agreement = leaf('ec', ['keyAgreement'])
  expect(stackOpinion('openssl', agreement, 'ecdhe')).toMatchObject({ would: 'refuse', proof: 'source' })
  expect(stackOpinion('openssl', agreement, 'tls1.3')).toMatchObject({ would: 'accept', proof: 'lab' })
  expect(stackOpinion('gnutls', agreement, 'tls1.3')).toMatchObject({ would: 'refuse', proof: 'lab' })
})

test('a leaf that an authority made for itself passes OpenSSL’s handshake, and not its judgement of the path', () => {
  const authority = leaf('rsa', ['keyCertSign', 'cRLSign'])
  const { would, because } = stackOpinion('openssl', authority, 'tls1.3')
  expect(would).toBe('accept')
  expect(because).toMatch(/; where it judges the path it refuses a leaf with none of digitalSignature/)
  expect(stackOpinion('openssl', leaf('rsa', ['keyAgreement']), 'tls1.3').because).not.toContain('path')
})

test('no stack does RSA key exchange with a key that only signs', () => {
  for (const stack of stackNames)
    expect(stackOpinion(stack, leaf('ec', null), 'rsa')).toMatchObject({ would: 'unknown', proof: 'unproven' })
})

describe('without a key exchange', () => {
  test('the opinion is that for TLS 1.3, and says where another ends otherwise', () => {
    const opinions = stackOpinions(leaf('rsa', ['keyEncipherment']), null)
    expect(opinions.map(({ stack }) => stack)).toEqual(stackNames)
    expect(opinions[0]).toEqual({
      stack: 'gnutls',
      would: 'refuse',
      because:
        'the key usage lacks digitalSignature, which TLS 1.3 needs: it hangs up with “Key usage violation”; the priority string `NORMAL:%COMPAT` lets it pass; with RSA key exchange it would accept',
      proof: 'lab',
    })
  })

  test('it says nothing of others where the key usage is not why they differ', () => {
    const opinions = stackOpinions(leaf('rsa', ['digitalSignature', 'keyEncipherment']), null)
    for (const { because, stack } of opinions) expect(because, stack).not.toContain('it would')
  })
})

describe.each(leaves)('every cell of %s', (_, key) => {
  test.each([...exchanges, null])('key exchange %s has a short clause', exchange => {
    for (const { stack, because } of stackOpinions(key, exchange)) {
      expect(because, stack).not.toMatch(/\.$|undefined|null/)
      expect(because.length, stack).toBeLessThan(290)
    }
  })

  test('only a stack that tests run is proven in the lab, with RSA and P-256 keys', () => {
    for (const exchange of exchanges)
      for (const { stack, proof } of stackOpinions(key, exchange))
        if (proof === 'lab') {
          expect(['gnutls', 'openssl', 'exim-gnutls', 'postfix', 'hermetic']).toContain(stack)
          expect(key.kind).not.toBe('other')
        }
  })
})
