import { describe, expect, test } from 'vitest'
import { makeRecord } from '../protocol/dns/records.ts'
import type { ValidatedAnswer } from '../protocol/dnssec/types.ts'
import { type DnsInquiry, type DnsResolver, dnsDocument, dnsExitCode } from './dns-document.ts'
import { dnsText } from './dns-text.ts'
import { answered } from './testing/dns-answers.ts'

const page = (question: string, more: Partial<DnsInquiry> = {}, detail: 'answer' | 'trace' = 'answer') =>
  dnsText(dnsDocument(answered(question, more)), detail)
const headOf = (question: string) => dnsDocument(answered(question)).says
const findingOf = (question: string, more: Partial<DnsInquiry> = {}) =>
  dnsDocument(answered(question, more)).finding

describe('the first line says what there is, how far it can be trusted, and why:', () => {
  test.each([
    ['nsec.example MX', 'nsec.example MX: 1 record, secure: signatures prove it from the root down.'],
    [
      '_25._tcp.mx.nsec3.example TLSA',
      '_25._tcp.mx.nsec3.example TLSA: 2 records, secure: signatures prove them from the root down.',
    ],
    [
      'within.aliases.example A',
      'within.aliases.example A: 2 records by way of 2 aliases, secure: signatures prove them from the root down.',
    ],
    [
      'host.nsec.example AAAA',
      'host.nsec.example AAAA: no AAAA record, secure: signatures prove that from the root down.',
    ],
    [
      'nothing.nsec3.example A',
      'nothing.nsec3.example A: no such name, secure: signatures prove that from the root down.',
    ],
    [
      'host.unsigned.example A',
      'host.unsigned.example A: 2 records, insecure: nobody vouches for the answer, as unsigned.example is not signed.',
    ],
    [
      'nothing.unsigned.example A',
      'nothing.unsigned.example A: no such name, insecure: a server says so and nobody vouches for it, as unsigned.example is not signed.',
    ],
    [
      'www.from-unsigned.unsigned-tld A',
      'www.from-unsigned.unsigned-tld A: 2 records by way of an alias, insecure: the end is proven, and an alias on the way there is not, as unsigned-tld is not signed.',
    ],
    [
      'host.expired.example A',
      'host.expired.example A: no answer that can be used, bogus: the signature has expired.',
    ],
    [
      '_25._tcp.mx.servfail.example TLSA',
      '_25._tcp.mx.servfail.example TLSA: no answer, indeterminate: the server answered SERVFAIL to _25._tcp.mx.servfail.example TLSA.',
    ],
  ])('%s', (question, says) => {
    expect(headOf(question)).toBe(says)
  })
})

test('the root is called so in sentences, where a dot would be taken for their end', () => {
  const { steps } = dnsDocument(answered('. NS'))
  expect(steps.length).toBeGreaterThan(0)
  expect(steps.filter(({ says }) => / \.(?: |\.|$)/.test(says))).toEqual([])
})

test('the page of a proven answer is the sentence, where it came from, and the records', () => {
  expect(page('_25._tcp.mx.nsec3.example TLSA').split('\n')).toEqual([
    '_25._tcp.mx.nsec3.example TLSA: 2 records, secure: signatures prove them from the root down.',
    'from 192.0.2.53:53; 6 questions; good for 300 s; judged at 2026-01-15T12:00:00.000Z',
    '',
    '_25._tcp.mx.nsec3.example. 300 IN TLSA ( 3 1 1',
    '    0011223300112233001122330011223300112233001122330011223300112233 )',
    '_25._tcp.mx.nsec3.example. 300 IN TLSA ( 2 1 1',
    '    4455667744556677445566774455667744556677445566774455667744556677 )',
  ])
})

test('aliases are told with the security of each', () => {
  expect(page('to-unsigned.aliases.example A')).toContain(
    '\n  to-unsigned.aliases.example -> host.unsigned.example (CNAME), secure\n',
  )
})

test('the trace has the chain from the root down, and the questions', () => {
  const text = page('nsec.example MX', {}, 'trace')
  expect(text).toMatch(/^ {2}secure {2}The root is signed: trust anchor \d+ vouches for its key \d+\.$/m)
  expect(text).toMatch(/^ {2}secure {2}nsec\.example MX is signed by nsec\.example\.$/m)
  expect(text).toContain('Questions to 192.0.2.53:53, checking by the server off')
  expect(text).toContain('  nsec.example MX: NOERROR, UDP, 3 ms, 180 bytes, RD RA CD DO, 2+0 records, 1 signature')
})

describe('who must act is', () => {
  const stripping: DnsResolver = {
    signatures: 'stripped',
    tcp: 'works',
    clock: 'unknown',
    says: ['The server 192.0.2.53:53 does not pass DNSSEC signatures on: nothing can be validated with it.'],
    servers: [],
  }
  test.each<[string, Partial<DnsInquiry>, string, RegExp]>([
    ['host.expired.example A', {}, 'zone', /^the owner of expired\.example$/],
    ['host.ds-wrong-digest.example A', {}, 'zone-and-parent', /^the owner of ds-wrong-digest\.example, through/],
    ['host.stripped.example A', { resolver: stripping }, 'resolver', /runs the resolver/],
    [
      'host.expired.example A',
      { resolver: { ...stripping, signatures: 'arrive', clock: 'ahead' } },
      'clock',
      /clock/,
    ],
    ['host.unsigned.example A', {}, 'nobody', /nobody/],
    ['_25._tcp.mx.servfail.example TLSA', {}, 'zone', /^the owner of the zone$/],
  ])('%s %o: %s', (question, more, actor, acts) => {
    const finding = findingOf(question, more)
    expect(finding?.actor).toBe(actor)
    expect(finding?.acts).toMatch(acts)
  })

  test('whoever runs the resolver, where one over TLS did not prove its name, with the remedy of just that', () => {
    const { answer } = answered('_25._tcp.mx.servfail.example TLSA')
    const finding = findingOf('host.nsec.example A', { answer: { ...answer, reason: 'dns.server-unproven' } })
    expect(finding).toMatchObject({ code: 'dns.server-unproven', actor: 'resolver', zone: null })
    expect(finding?.acts).toMatch(/runs the resolver/)
    expect(finding?.remedy).toContain('`dns.tls_roots`')
  })

  test('told with what was seen, what it means and what to do', () => {
    const text = page('host.stripped.example A', { resolver: stripping })
    expect(text).toContain('What is wrong\n  error: dnssec.')
    expect(text).toContain('    Who must act: whoever runs the resolver that is asked here.')
    expect(text).toContain('    What to do: Ask another resolver')
    expect(text).toContain('Also\n    The server 192.0.2.53:53 does not pass DNSSEC signatures on')
  })
})

describe('what another server saved', () => {
  const passes: DnsInquiry['passes'] = [
    {
      checking: 'disabled',
      avoided: [],
      outcome: 'failed',
      security: 'bogus',
      reason: 'dnssec.signature-missing',
      servers: ['192.0.2.1:53'],
    },
    {
      checking: 'disabled',
      avoided: ['192.0.2.1:53'],
      outcome: 'records',
      security: 'secure',
      reason: null,
      servers: ['192.0.2.2:53'],
    },
  ]
  test('is told, with whom to look into', () => {
    expect(dnsDocument(answered('nsec.example MX', { passes })).notes).toEqual([
      'What 192.0.2.1:53 sent first was bogus (dnssec.signature-missing); the answer here is from 192.0.2.2:53. Look into the first one.',
    ])
  })
})

describe('the exit code is', () => {
  test.each<[ValidatedAnswer['outcome'], ValidatedAnswer['security'], number]>([
    ['records', 'secure', 0],
    ['records', 'insecure', 0],
    ['records', 'indeterminate', 2],
    ['no-data', 'secure', 1],
    ['no-such-name', 'insecure', 1],
    ['no-data', 'indeterminate', 2],
    ['failed', 'bogus', 2],
    ['failed', 'indeterminate', 2],
  ])('%s, %s: %i', (outcome, security, code) => {
    expect(dnsExitCode({ outcome, security })).toBe(code)
  })
})

test('whatever a zone holds, lines are plain and at most 100 columns', () => {
  const inquiry = answered('nsec.example TXT')
  const hostile = ['\u001b]0;owned\u0007', '\u202e', 'x'.repeat(255), '"; $(reboot) \\'].map(text =>
    Buffer.from(text),
  )
  const records = Array.from({ length: 80 }, (_, i) =>
    makeRecord(`a${'\\027'.repeat(i % 60)}.example`, 300, { type: 'TXT', text: hostile }),
  )
  const text = dnsText(dnsDocument({ ...inquiry, answer: { ...inquiry.answer, records } }), 'trace')
  for (const line of text.split('\n')) {
    expect(line).toMatch(/^[\x20-\x7e…]*$/)
    expect(line.length).toBeLessThanOrEqual(100)
  }
  expect(text).toContain('; … and 30 more records; --json has them all')
})
