import { expect, test } from 'vitest'
import { nameText } from './distinguished-name.ts'
import { readChain, readPemBlocks } from './pem.ts'
import { certificate, commonName, pemOf } from './testing/der.ts'

const one = pemOf(certificate({ subject: commonName('one') }))
const two = pemOf(certificate({ subject: commonName('two') }))
const key = pemOf(Buffer.from('not to be read'), 'PRIVATE KEY')

const texts: readonly (readonly [what: string, text: string, told: readonly string[]])[] = [
  ['nothing', '', []],
  ['no block', 'CN=one\nCN=two\n', []],
  ['one', one, ['CN=one']],
  ['two, in their order', two + one, ['CN=two', 'CN=one']],
  ['text around and between', `subject=one\n${one}\nissuer: two\n${two}end`, ['CN=one', 'CN=two']],
  ['a key before', key + one, ['CN=one']],
  ['a key that does not end', `-----BEGIN PRIVATE KEY-----\nAA\n${one}`, ['CN=one']],
  ['CR LF', one.replaceAll('\n', '\r\n'), ['CN=one']],
  ['no line breaks', one.replaceAll('\n', ''), ['CN=one']],
  ['blanks before each line', one.replaceAll(/^/gm, '    '), ['CN=one']],
  ['no line break between', one.trimEnd() + two, ['CN=one', 'CN=two']],
  ['the label of old', one.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'), ['CN=one']],
  ['another label', one.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'), []],
  ['an END alone', `-----END CERTIFICATE-----\n${one}`, ['CN=one']],
  ['no END', one.slice(0, -27), ['the block has no END, in the block at line 1']],
  [
    'no END before the next',
    one.replace(/-----END.*\n/, '') + two,
    ['the block has no END, in the block at line 1', 'CN=two'],
  ],
  [
    'another END',
    one.replace('END CERTIFICATE', 'END PRIVATE KEY') + two,
    ['the block ends as PRIVATE KEY, in the block at line 1', 'CN=two'],
  ],
  [
    'what is not base64',
    one.replace('MI', 'M*') + two,
    ['the block is not base64, in the block at line 1', 'CN=two'],
  ],
  ['base64 of another alphabet', one.replace('MI', '-_'), ['the block is not base64, in the block at line 1']],
  ['a digit too many', one.replace('MI', 'MIA'), ['the block is not base64, in the block at line 1']],
  ['padding in the middle', one.replace('MI', 'M='), ['the block is not base64, in the block at line 1']],
  [
    'headers inside',
    one.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n'),
    ['the block is not base64, in the block at line 1'],
  ],
  [
    'an empty block',
    `\n\n${pemOf(Buffer.alloc(0))}`,
    ['the certificate is missing at octet 0, in the block at line 3'],
  ],
  [
    'no certificate inside',
    pemOf(Buffer.from('0500', 'hex')),
    ['the certificate is missing or of another type at octet 0, in the block at line 1'],
  ],
  [
    'more than a certificate inside',
    pemOf(Buffer.concat([certificate(), Buffer.of(0)])),
    [expect.stringMatching(/^something follows the certificate at octet \d+, in the block at line 1$/)],
  ],
]

test.each(texts)('%s: every certificate is read in its place, or said to be none', (_, text, told) => {
  const chain = readChain(text)
  expect(
    chain.map(read => (read.kind === 'certificate' ? nameText(read.certificate.subject) : read.detail)),
  ).toEqual(told)
})

test('every cut of a chain has the certificates that end before it, and at most one that does not', () => {
  for (let end = 0; end <= one.length + two.length; end++) {
    const kinds = readChain((one + two).slice(0, end)).map(read => read.kind)
    const whole = end >= one.length + two.length - 1 ? 2 : end >= one.length - 1 ? 1 : 0
    expect(kinds.filter(kind => kind === 'certificate')).toHaveLength(whole)
    expect(kinds.length - whole).toBeLessThanOrEqual(1)
  }
})

test('a hundred certificates are read, and one place says that there were more', () => {
  expect(readChain(one.repeat(100)).map(read => read.kind)).toEqual(Array(100).fill('certificate'))
  const more = readChain(one.repeat(300))
  expect(more).toHaveLength(101)
  expect(more.at(-1)).toMatchObject({
    kind: 'malformed',
    detail: 'more than 100 certificates; the rest was not read, from line 801 on',
  })
  expect(readChain(one.repeat(300), 300).every(read => read.kind === 'certificate')).toBe(true)
})

test('a block that is too long is not decoded', () => {
  const [read] = readChain(pemOf(Buffer.alloc(4 * 1024 * 1024)))
  expect(read).toMatchObject({ kind: 'malformed', detail: 'the block is too long, in the block at line 1' })
})

test('what octets there were is kept, and none where there were none', () => {
  expect(readChain(pemOf(Buffer.from('0500', 'hex')))[0]).toMatchObject({ der: new Uint8Array([5, 0]) })
  expect(readChain(one.replace('MI', 'M*'))[0]).toMatchObject({ der: new Uint8Array(0) })
})

test('blocks of the labels asked for are found, with label and line', () => {
  expect(readPemBlocks(one + key, ['PRIVATE KEY'], 10)).toEqual([
    {
      label: 'PRIVATE KEY',
      line: 9,
      body: { kind: 'octets', octets: new Uint8Array(Buffer.from('not to be read')) },
    },
  ])
})

test('a million edges without a line break are answered', () => {
  const edges = '-----BEGIN CERTIFICATE-----'.repeat(200_000)
  expect(readChain(edges)).toHaveLength(101)
  expect(readChain('-----BEGIN X-----'.repeat(200_000))).toHaveLength(0)
  expect(readChain('-'.repeat(5_000_000))).toHaveLength(0)
})
