import { describe, expect, test } from 'vitest'
import { oid, sequence, set, utf8String } from '../../../test/certificates/der.ts'
import { keyOf } from '../../../test/certificates/keys.ts'
import {
  extension,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
  type Recipe,
  subjectAltName,
  unknownExtension,
} from '../../../test/certificates/maker.ts'
import { parseCertificate } from './certificate.ts'
import type { Certificate, GeneralName } from './model.ts'
import {
  criticalFaults,
  isRefused,
  issuerFaults,
  leafFaults,
  leafKeyUsageFaults,
  linkFaults,
  rules,
} from './rules.ts'

const issuer = makeAuthority({ subject: 'CN=Issuer', key: keyOf('issuer') })

describe('the table', () => {
  test.each(Object.entries(rules))('%s has a sentence and a source', (_reason, { what, spec }) => {
    expect(what).toMatch(/^[A-Z].*\.$/s)
    expect(spec ?? 'RFC 5280 §1').toMatch(/^(?:RFC \d+|CA\/B BR) §[\d.]+(?: \([a-z]\))?$/)
  })

  test('strict refuses all that mail refuses', () => {
    for (const [reason, { mail, strict }] of Object.entries(rules))
      expect([reason, mail === 'refuse' && strict === 'report']).toEqual([reason, false])
  })
})

describe('faults of a leaf', () => {
  const faultsOf = (recipe: Parameters<typeof makeLeaf>[0], purpose: 'server' | 'client' = 'server') =>
    leafFaults(parsed(makeLeaf({ issuer, ...recipe })), purpose).map(({ reason }) => reason)

  test('an ordinary one has none', () => {
    expect(faultsOf({})).toEqual([])
  })

  test.each<readonly [string, Parameters<typeof makeLeaf>[0], readonly string[]]>([
    ['no names', { names: [], subject: 'CN=mx.example.com' }, ['x509.no-san']],
    ['another common name', { subject: 'CN=other.example.com' }, ['x509.cn-not-in-san']],
    ['its common name in capitals: it is to be a copy', { subject: 'CN=MX.example.com' }, ['x509.cn-not-in-san']],
    ['an address as common name', { names: ['192.0.2.1', '2001:db8::1'], subject: 'CN=2001:db8::1' }, []],
    [
      'an address written otherwise',
      { names: ['2001:db8::1'], subject: 'CN=2001:DB8:0::1' },
      ['x509.cn-not-in-san'],
    ],
    ['keyCertSign', { extensions: { keyUsage: keyUsage(['keyCertSign']) } }, ['x509.leaf-may-sign']],
    [
      'a critical SAN beside a subject',
      { extensions: { subjectAltName: subjectAltName(['mx.example.com'], 'critical') } },
      ['x509.san-critical'],
    ],
    ['no purposes', { extensions: { extendedKeyUsage: null } }, ['x509.no-extended-key-usage']],
  ])('%s', (_what, recipe, reasons) => {
    expect(faultsOf(recipe)).toEqual(reasons)
  })

  test('the common name of a client is its own affair', () => {
    expect(faultsOf({ subject: 'CN=other.example.com' }, 'client')).toEqual([])
  })
})

describe('common names beyond number', () => {
  const subjectOf = (count: number) =>
    sequence(...Array.from({ length: count }, () => set(sequence(oid('2.5.4.3'), utf8String('mx.example.com')))))

  test('of more than sixteen none is looked for, and strict refuses them', () => {
    const [few, many] = [16, 17].map(count => parsed(makeLeaf({ issuer, subject: subjectOf(count) })))
    if (few === undefined || many === undefined) throw new Error('two were made')
    expect(leafFaults(few, 'server')).toEqual([])
    expect(leafFaults(many, 'server')).toEqual([{ reason: 'x509.cn-not-in-san', detail: '17 common names' }])
    expect(isRefused('strict', 'x509.cn-not-in-san', many)).toBe(true)
    expect(isRefused('mail', 'x509.cn-not-in-san', many)).toBe(false)
  })

  test.each([1, 16, 200])(
    'alternative names are read once, whatever is asked and for however many common names: %i',
    count => {
      const leaf = parsed(makeLeaf({ issuer, subject: subjectOf(count), names: ['other.example.com'] }))
      let reads = 0
      const alternativeNames = Array.from(
        { length: 1_000 },
        (): GeneralName => ({
          type: 'dns',
          get value() {
            reads++
            return 'other.example.com'
          },
        }),
      )
      const counted: Certificate = { ...leaf, alternativeNames }
      for (let round = 0; round < 10; round++) {
        expect(leafFaults(counted, 'server')).toHaveLength(1)
        expect(isRefused('strict', 'x509.cn-not-in-san', counted)).toBe(true)
      }
      // Each is put among the copies, and among the hosts.
      expect(reads).toBeLessThanOrEqual(2_000)
    },
  )
})

describe('what strict refuses only sometimes', () => {
  test.each<readonly [string, readonly string[], boolean]>([
    ['CN=other.example.com', ['mx.example.com'], true],
    ['CN=MX.example.com', ['mx.example.com'], true],
    ['CN=xn--nxasmq6b.example.com', ['mx.example.com'], true],
    ['CN=bücher.example.com', ['xn--bcher-kva.example.com'], true],
    ['CN=192.168.001.001', ['192.168.1.1'], true],
    ['CN=0xC0A80101', ['192.168.1.1'], true],
    ['CN=2001:db8:0:0:1:0:0:1', ['2001:db8::1:0:0:1'], true],
    ['CN=example.com', ['mx.example.com'], false],
    ['CN=example.com', ['*.example.com'], false],
    ['CN=mx.example.com', ['192.0.2.1'], false],
    ['CN=Mail Server', ['mx.example.com'], false],
    ['CN=mailserver', ['mx.example.com'], false],
  ])('a common name that leads astray: %s beside %j', (subject, names, isMisleading) => {
    const leaf = parsed(makeLeaf({ issuer, subject, names }))
    expect(isRefused('strict', 'x509.cn-not-in-san', leaf)).toBe(isMisleading)
    expect(isRefused('mail', 'x509.cn-not-in-san', leaf)).toBe(false)
  })

  test('a leaf that is an authority in full is only reported, one that may not sign is refused', () => {
    const mayNot = parsed(
      makeAuthority({ key: keyOf('a'), extensions: { keyUsage: keyUsage(['digitalSignature']) } }),
    )
    expect(isRefused('strict', 'x509.leaf-is-ca', parsed(issuer))).toBe(false)
    expect(isRefused('strict', 'x509.leaf-is-ca', mayNot)).toBe(true)
  })
})

describe('the key usage of a leaf', () => {
  const told = (purpose: 'server' | 'client', ...usages: Parameters<typeof keyUsage>[0]) =>
    leafKeyUsageFaults(parsed(makeLeaf({ issuer, extensions: { keyUsage: keyUsage(usages) } })), purpose)

  test.each([
    ['digitalSignature', 'fits', 'fits'],
    ['keyAgreement', 'fits', 'fits'],
    ['keyEncipherment', 'fits', 'lacks'],
    ['nonRepudiation', 'lacks', 'lacks'],
    ['dataEncipherment', 'lacks', 'lacks'],
    ['keyCertSign', 'lacks', 'lacks'],
  ] as const)('%s alone: %s a server, %s a client, as OpenSSL has it', (usage, server, client) => {
    expect(told('server', usage).length).toBe(server === 'fits' ? 0 : 1)
    expect(told('client', usage).length).toBe(client === 'fits' ? 0 : 1)
  })

  test('what it is for is told, and without the extension there is nothing to tell', () => {
    expect(told('server', 'keyCertSign', 'cRLSign')).toEqual([
      { reason: 'x509.leaf-key-usage', detail: 'it is for keyCertSign, cRLSign' },
    ])
    const none = parsed(makeLeaf({ issuer, extensions: { keyUsage: null } }))
    expect(leafKeyUsageFaults(none, 'server')).toEqual([])
  })

  test('strict lets an authority in full be the last of a path (RFC 5280 §4.2.1.9), mail does not', () => {
    const signer = parsed(makeLeaf({ issuer, extensions: { keyUsage: keyUsage(['keyCertSign']) } }))
    expect(isRefused('mail', 'x509.leaf-key-usage', parsed(issuer))).toBe(true)
    expect(isRefused('strict', 'x509.leaf-key-usage', parsed(issuer))).toBe(false)
    expect(isRefused('strict', 'x509.leaf-key-usage', signer)).toBe(true)
  })
})

test('an issuer has an identifier, and what it signed points at it', () => {
  const nameless = parsed(
    makeAuthority({ subject: 'CN=B', key: keyOf('b'), extensions: { subjectKeyIdentifier: null } }),
  )
  expect(issuerFaults(nameless).map(({ reason }) => reason)).toEqual(['x509.missing-ski'])
  expect(issuerFaults(parsed(issuer))).toEqual([])
  const [leaf, other] = [parsed(makeLeaf({ issuer })), parsed(makeAuthority({ key: keyOf('c') }))]
  expect(linkFaults(leaf, parsed(issuer))).toEqual([])
  expect(linkFaults(leaf, nameless)).toEqual([])
  expect(linkFaults(leaf, null)).toEqual([])
  expect(linkFaults(leaf, other).map(({ reason }) => reason)).toEqual(['x509.aki-mismatch'])
})

describe('critical extensions', () => {
  test.each<readonly [string, Recipe, readonly string[]]>([
    ['one that nobody knows', { more: [unknownExtension('critical')] }, ['1.3.6.1.4.1.55555.1']],
    ['the same, not critical', { more: [unknownExtension('not-critical')] }, []],
    [
      'policies, of which none is demanded',
      { more: [extension('2.5.29.32', Buffer.of(0x30, 0), 'critical')] },
      [],
    ],
    [
      'policyConstraints, which demand one',
      { more: [extension('2.5.29.36', Buffer.of(0x30, 0), 'critical')] },
      ['2.5.29.36'],
    ],
  ])('%s', (_what, recipe, oids) => {
    expect(criticalFaults(parsed(makeLeaf({ issuer, ...recipe }))).map(({ detail }) => detail)).toEqual(oids)
  })
})

function parsed(made: Made): Certificate {
  const read = parseCertificate(made.der)
  if (read.kind !== 'certificate') throw new Error(read.detail)
  return read.certificate
}
