import { describe, expect, test } from 'vitest'
import type { CertificateEvidence } from './evidence.ts'
import type { VerifyDocument, VerifyFinding, VerifyRecord } from './verify-document.ts'
import { rangesText, shortRecord, validityText, verifyText } from './verify-text.ts'

const at = '2026-03-01T00:00:00.000Z'

function certificate(position: number, more: Partial<CertificateEvidence> = {}): CertificateEvidence {
  return {
    position,
    subject: `CN=C${position}`,
    issuer: `CN=C${position + 1}`,
    names: [],
    keyUsage: ['keyCertSign', 'cRLSign'],
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2026-04-01T00:00:00.000Z',
    key: 'EC P-256',
    sha256: String(position).padStart(64, '0'),
    ...more,
  }
}

function record(index: number, more: Partial<VerifyRecord> = {}): VerifyRecord {
  return {
    index,
    text: `2 1 1 ${String(index).repeat(8)}${'0'.repeat(48)}${String(index).padStart(8, 'a')}`,
    state: 'counts',
    matches: [],
    why: 'It names no certificate that was sent.',
    ...more,
  }
}

const keyUsage: VerifyFinding = {
  code: 'x509.key-usage-no-signature',
  severity: 'warning',
  culprit: 'peer',
  position: 0,
  says: 'The key usage of the certificate does not permit signatures.',
  remedy: 'The operator of the server should have the certificate reissued with digitalSignature.',
}

const nine: VerifyDocument = {
  schema: 'hermetic.verify/1',
  verdict: 'authenticated',
  says: 'Record 7 names CN=R3, which issued the certificate, and that carries mx06.et.example.',
  by: 'dane-ta',
  depth: 1,
  record: 7,
  path: [
    { position: 0, subject: 'CN=et.example' },
    { position: 1, subject: 'CN=R3' },
  ],
  records: Array.from({ length: 9 }, (_, index) =>
    record(
      index,
      index === 7
        ? {
            matches: [{ depth: 1, position: 1, subject: 'CN=R3' }],
            why: 'It names CN=R3 at depth 1, and decides.',
          }
        : {},
    ),
  ),
  certificates: [
    certificate(0, {
      subject: 'CN=et.example',
      issuer: 'CN=R3',
      key: 'RSA 2048',
      keyUsage: ['keyEncipherment'],
      names: [
        { type: 'dns', value: 'et.example' },
        { type: 'dns', value: 'mx06.et.example' },
        { type: 'cn', value: 'et.example' },
      ],
    }),
    certificate(1, { subject: 'CN=R3', issuer: 'CN=Root' }),
  ],
  names: { tried: ['mx06.et.example'], matched: 'mx06.et.example' },
  findings: [keyUsage],
  stacks: [
    { stack: 'gnutls', would: 'refuse', because: 'key usage lacks digitalSignature', proof: 'lab' },
    { stack: 'openssl', would: 'accept', because: 'any of three bits will do', proof: 'lab' },
  ],
  at,
}

const columns = (text: string) => Math.max(...text.split('\n').map(line => line.length))

test('nine records of which one matches fit on a page, and the one that decides is marked', () => {
  expect(verifyText(nine)).toBe(
    `Record 7 names CN=R3, which issued the certificate, and that carries mx06.et.example.
authenticated by dane-ta, record 7, depth 1; judged at 2026-03-01T00:00:00.000Z

TLSA records against the certificates as sent (0 is the leaf)
       record                     0    1
    0  2 1 1 00000000…aaaaaaa0    ·    ·   no match
    1  2 1 1 11111111…aaaaaaa1    ·    ·   no match
    2  2 1 1 22222222…aaaaaaa2    ·    ·   no match
    3  2 1 1 33333333…aaaaaaa3    ·    ·   no match
    4  2 1 1 44444444…aaaaaaa4    ·    ·   no match
    5  2 1 1 55555555…aaaaaaa5    ·    ·   no match
    6  2 1 1 66666666…aaaaaaa6    ·    ·   no match
  > 7  2 1 1 77777777…aaaaaaa7    ·  yes   decides, depth 1
    8  2 1 1 88888888…aaaaaaa8    ·    ·   no match

  Records 0 to 6 and 8: It names no certificate that was sent.
  Record 7: It names CN=R3 at depth 1, and decides.

Certificates as sent
   0  CN=et.example
      issuer   CN=R3
      names    et.example, mx06.et.example
      key      RSA 2048; only for keyEncipherment
      valid    2026-01-01 to 2026-04-01, 31 days left
   1  CN=R3
      issuer   CN=Root
      names    none
      key      EC P-256; only for keyCertSign, cRLSign
      valid    2026-01-01 to 2026-04-01, 31 days left

Names
  tried    mx06.et.example
  carried  et.example, mx06.et.example
  CN       et.example
  fits     mx06.et.example

Findings
  warning: x509.key-usage-no-signature (peer; certificate 0)
    The key usage of the certificate does not permit signatures.
    What to do: The operator of the server should have the certificate reissued with
    digitalSignature.

What TLS libraries do in the handshake with this leaf, by its key usage alone
  refuse   gnutls  key usage lacks digitalSignature (lab)
  accept   openssl (lab)`,
  )
})

test('colours change no column', () => {
  const painted = verifyText(nine, (style, text) => `\x1b[${style.length}m${text}\x1b[0m`)
  expect(painted).not.toBe(verifyText(nine))
  expect(painted.replaceAll(/\x1b\[\d+m/g, '')).toBe(verifyText(nine))
})

describe('a thousand records', () => {
  const many: VerifyDocument = {
    ...nine,
    record: 900,
    records: Array.from({ length: 1_000 }, (_, index) => {
      if (index === 900)
        return record(index, { matches: [{ depth: 1, position: 1, subject: 'CN=R3' }], why: 'It decides.' })
      if (index % 100 === 3) return record(index, { state: 'unusable', why: 'Usage 0 is not for mail.' })
      return record(index)
    }),
  }
  const text = verifyText(many)

  test('are summarised: those that match, some of the others, and counts', () => {
    expect(text).toContain('  > 900  2 1 1 ')
    expect(text).toContain('  … and 994 more: 985 no match, 9 unusable; --json has them all')
    expect(text).toContain('  Records 3, 103, 203, 303, 403, 503 and others: Usage 0 is not for mail.')
    expect(text.split('\n').length).toBeLessThan(60)
  })

  test('of which all match still leave the deciding one on the page', () => {
    const matches = [{ depth: 1, position: 1, subject: 'CN=R3' }]
    const all = verifyText({ ...many, records: many.records.map(one => ({ ...one, matches })) })
    expect(all).toContain('  > 900  2 1 1 ')
    expect(all.split('\n').length).toBeLessThan(80)
  })

  test('of which each says something else are told by the first ones', () => {
    const all = verifyText({ ...many, records: many.records.map(one => ({ ...one, why: `It is ${one.index}.` })) })
    expect(all).toContain('… and 988 more sentences')
  })
})

test('of a hundred certificates those that matter are shown: the leaf, the path, what records name', () => {
  const hundred = {
    ...nine,
    certificates: Array.from({ length: 100 }, (_, index) => certificate(index)),
    records: [record(0, { matches: [{ depth: 1, position: 77, subject: 'CN=R3' }] })],
    path: [
      { position: 0, subject: 'CN=C0' },
      { position: 77, subject: 'CN=R3' },
    ],
    record: 0,
  }
  const text = verifyText(hundred)
  expect(text).toMatch(/record +0 +77\n/)
  expect(text).toContain('  77  CN=C77')
  expect(text).toContain('… and 98 more certificates')
  expect(text).toContain('  depth 1  CN=R3 (sent as 77)')
})

test('what stands only in a record has a column of its own', () => {
  const text = verifyText({
    ...nine,
    record: 0,
    depth: 1,
    records: [record(0, { matches: [{ depth: 1, position: null, subject: 'CN=Root' }] })],
    path: [
      { position: 0, subject: 'CN=C0' },
      { position: null, subject: 'CN=Root' },
    ],
  })
  expect(text).toMatch(/0 +1 +in DNS\n/)
  expect(text).toMatch(/· +· +yes {3}decides, depth 1\n/)
  expect(text).toContain('CN=Root (not sent)')
})

describe('hostile text', () => {
  const nasty = `\x1b[31m\r\nhermetic: fine\u202e${'x'.repeat(5_000)}`
  const hostile: VerifyDocument = {
    ...nine,
    says: nasty,
    at: nasty,
    records: [
      record(0, { text: `2 1 1 ${nasty}`, why: nasty, matches: [{ depth: null, position: 0, subject: nasty }] }),
    ],
    certificates: [
      certificate(0, {
        subject: nasty,
        issuer: nasty,
        names: Array.from({ length: 40_000 }, () => ({ type: 'dns' as const, value: nasty })),
        notBefore: null,
        notAfter: null,
        key: null,
      }),
    ],
    names: { tried: [nasty], matched: nasty },
    path: [{ position: null, subject: nasty }],
    findings: Array.from({ length: 5_000 }, (_, index) => ({
      ...keyUsage,
      says: `${index}${nasty}`,
      remedy: nasty,
    })),
  }
  const text = verifyText(hostile)

  test('neither reaches the terminal nor fills it', () => {
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/)
    expect(columns(text)).toBeLessThanOrEqual(100)
    expect(text.split('\n').length).toBeLessThan(900)
    expect(text).toMatch(/and\s+39,992\s+more/)
    expect(text).toContain('… and 4,980 more findings')
  })
})

test('the same finding of several certificates is told once, and errors come first', () => {
  const text = verifyText({
    ...nine,
    findings: [
      { ...keyUsage, code: 'x509.missing-aki', position: 2 },
      { ...keyUsage, code: 'x509.missing-aki', position: 0 },
      { ...keyUsage, code: 'x509.missing-aki', position: 1 },
      { ...keyUsage, code: 'x509.expired', severity: 'error', position: null },
    ],
  })
  expect(text.indexOf('error: x509.expired (peer)')).toBeLessThan(
    text.indexOf('warning: x509.missing-aki (peer; certificates 0 to 2)'),
  )
  expect(text.match(/missing-aki/g)).toHaveLength(1)
})

test('a block that is no certificate, and a chain without anything, have their page', () => {
  const none = { subject: null, issuer: null, keyUsage: null, notBefore: null, notAfter: null, key: null }
  const text = verifyText({
    ...nine,
    verdict: 'not-authenticated',
    by: null,
    depth: null,
    record: null,
    path: [],
    records: [],
    certificates: [certificate(0, none)],
    names: { tried: [], matched: null },
    findings: [],
    stacks: [],
  })
  expect(text).toContain('   0  cannot be read as a certificate')
  expect(text).not.toContain('TLSA')
  expect(text).toContain('  tried    none was given')
})

test.each([
  [[], ''],
  [[3], '3'],
  [[3, 4], '3 and 4'],
  [[0, 1, 2, 3, 4, 5, 6, 8], '0 to 6 and 8'],
  [[0, 2, 4, 6], '0, 2, 4 and 6'],
  [[0, 2, 4, 6, 8, 10, 12], '0, 2, 4, 6, 8, 10 and others'],
])('%j is told as "%s"', (numbers, text) => {
  expect(rangesText(numbers)).toBe(text)
})

test.each([
  ['2 1 1 8d02505c', '2 1 1 8d02505c'],
  [`3 1 1 ${'ab'.repeat(32)}`, '3 1 1 abababab…abababab'],
  ['255 255 255 ', '255 255 255'],
])('the record %j is shortened to %j', (text, short) => {
  expect(shortRecord(text)).toBe(short)
})

test.each([
  ['2026-01-01T00:00:00.000Z', '2026-03-13T00:00:00.000Z', '2026-01-01 to 2026-03-13, 12 days left'],
  ['2026-01-01T00:00:00.000Z', '2026-03-01T05:30:00.000Z', '2026-01-01 to 2026-03-01, 5 hours left'],
  ['2026-01-01T00:00:00.000Z', '2026-02-28T00:00:00.000Z', '2026-01-01 to 2026-02-28, ended 1 day before'],
  ['2026-03-04T00:00:00.000Z', '2026-04-01T00:00:00.000Z', '2026-03-04 to 2026-04-01, begins 3 days later'],
  [null, null, 'an unreadable time to an unreadable time'],
])('dates %s to %s are told as "%s"', (from, to, text) => {
  expect(validityText(from, to, at)).toBe(text)
})
