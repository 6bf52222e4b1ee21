import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCommandLine, parseHelloName, parseMail, parseRecipient } from './command.ts'

describe('a line is a verb and its argument', () => {
  test.each([
    ['EHLO a.example', 'EHLO', 'a.example'],
    ['ehlo  a.example ', 'EHLO', 'a.example'],
    ['Mail From:<a@b>', 'MAIL', 'From:<a@b>'],
    ['DATA', 'DATA', ''],
    ['DATA   ', 'DATA', ''],
    ['NOOP whatever', 'NOOP', 'whatever'],
    ['VRFY ünal', 'VRFY', 'ünal'],
  ])('%j', (line, verb, argument) => {
    expect(parseCommandLine(Buffer.from(line))).toEqual({ kind: 'command', verb, argument })
  })

  test.each([
    ['', 'unknown-command'],
    [' EHLO x', 'unknown-command'],
    ['EHLO\tx', 'unknown-command'],
    ['FOO bar', 'unknown-command'],
    ['constructor', 'unknown-command'],
    ['EXPN list', 'not-implemented'],
    ['AUTH PLAIN', 'not-implemented'],
    ['BDAT 5 LAST', 'bdat-not-offered'],
    ['GET / HTTP/1.1', 'not-smtp'],
    ['POST / HTTP/1.1', 'not-smtp'],
    ['Host: mx.example', 'not-smtp'],
    ['Subject:x', 'not-smtp'],
    ['NOOP \0', 'control-character'],
    ['EHLO \x1b[1m', 'control-character'],
  ])('%j is refused: %s', (line, fault) => {
    expect(parseCommandLine(Buffer.from(line))).toEqual({ kind: 'fault', fault })
  })

  test('what is neither ASCII nor UTF-8 is refused', () => {
    expect(parseCommandLine(Buffer.from('VRFY \xfc', 'latin1'))).toEqual({ kind: 'fault', fault: 'not-utf8' })
  })

  test('any octets have an answer', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(parseCommandLine(Buffer.from(bytes)).kind).toMatch(/^(?:command|fault)$/)
      }),
    )
  })
})

test('of a greeting the first word is the name, and it must be printable ASCII', () => {
  expect(parseHelloName('a.example my first computer')).toBe('a.example')
  expect(parseHelloName('[192.0.2.1]')).toBe('[192.0.2.1]')
  expect(parseHelloName('')).toBeNull()
  expect(parseHelloName('bücher.example')).toBeNull()
  expect(parseHelloName('a'.repeat(256))).toBeNull()
})

describe('MAIL', () => {
  const plain = { sizeBytes: null, body: '7BIT', smtputf8: false }
  test.each([
    ['FROM:<a@b>', plain],
    ['from: <a@b>', plain],
    ['FROM:<a@b> SIZE=123', { ...plain, sizeBytes: 123 }],
    ['FROM:<a@b> body=8bitmime  size=0', { ...plain, sizeBytes: 0, body: '8BITMIME' }],
    ['FROM:<a@b> SMTPUTF8 BODY=7BIT', { ...plain, smtputf8: true }],
    ['FROM:<a@b> SIZE=99999999999999999999', { ...plain, sizeBytes: 1e20 }],
  ])('%s', (argument, parameters) => {
    expect(parseMail(argument)).toMatchObject({ kind: 'mail', from: { domain: 'b' }, parameters })
  })

  test.each([
    ['', 'mail-syntax'],
    ['<a@b>', 'mail-syntax'],
    ['FROM <a@b>', 'mail-syntax'],
    ['FROM:a@b', 'sender-address'],
    ['FROM:<postmaster>', 'sender-address'],
    ['FROM:<ü@b>', 'sender-needs-smtputf8'],
    ['FROM:<a@ü>', 'sender-needs-smtputf8'],
    ['FROM:<a@b> SIZE', 'parameter-malformed'],
    ['FROM:<a@b> SIZE=', 'parameter-malformed'],
    ['FROM:<a@b> SIZE=-1', 'parameter-malformed'],
    ['FROM:<a@b> SIZE=1 SIZE=1', 'parameter-malformed'],
    ['FROM:<a@b> SIZE=123456789012345678901', 'parameter-malformed'],
    ['FROM:<a@b> BODY=BINARYMIME', 'parameter-malformed'],
    ['FROM:<a@b> SMTPUTF8=yes', 'parameter-malformed'],
    ['FROM:<a@b> RET=HDRS', 'parameter-unknown'],
    ['FROM:<a@b> AUTH=<>', 'parameter-unknown'],
    ['FROM:<a@b> FUTURERELEASE=12', 'parameter-unknown'],
  ])('%s is refused: %s', (argument, fault) => {
    expect(parseMail(argument)).toMatchObject({ kind: 'fault', fault })
  })

  test('with SMTPUTF8 an address may be written in any script', () => {
    expect(parseMail('FROM:<ü@bücher.example> SMTPUTF8')).toMatchObject({
      kind: 'mail',
      from: { local: 'ü', domain: 'xn--bcher-kva.example', text: 'ü@bücher.example' },
    })
  })
})

test.each([
  ['TO:<a@b>', false, 'recipient'],
  ['To: <Postmaster>', false, 'recipient'],
  ['TO:<ü@b>', true, 'recipient'],
  ['TO:<ü@b>', false, 'recipient-needs-smtputf8'],
  ['TO:<>', false, 'recipient-address'],
  ['TO:a@b', false, 'recipient-address'],
  ['<a@b>', false, 'rcpt-syntax'],
  ['TO:<a@b> NOTIFY=NEVER', false, 'parameter-unknown'],
])('RCPT %s (with SMTPUTF8: %s) is %s', (argument, smtputf8, outcome) => {
  const parsed = parseRecipient(argument, smtputf8)
  expect(parsed.kind === 'fault' ? parsed.fault : parsed.kind).toBe(outcome)
})
