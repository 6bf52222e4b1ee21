import { expect, test } from 'vitest'
import { isHeaderLine, prepareHeader } from './header.ts'

const facts = {
  from: 'pat@box.example',
  fullName: null,
  date: new Date('2026-02-03T04:05:06Z'),
  messageId: 'x@box.example',
}

function prepared(header: readonly string[], more: { fullName?: string | null; wanted?: boolean } = {}) {
  const lines = header.map(line => Buffer.from(line))
  const result = prepareHeader(lines, { ...facts, fullName: more.fullName ?? null }, more.wanted ?? true)
  return 'lines' in result ? { ...result, lines: result.lines.map(String) } : result
}

const complete = ['From: a@b.example', 'Date: Tue, 3 Feb 2026 04:05:06 +0000', 'Message-ID: <1@b.example>']

test('a complete header is left as it is, byte by byte', () => {
  const header = [...complete, 'To: c@d.example', 'X-Odd :  kept', 'Subject: folded', '\tover lines']
  expect(prepared(header)).toEqual({ lines: header, recipients: ['c@d.example'] })
})

test('From, Date and Message-ID are added where they are missing', () => {
  expect(prepared(['Subject: x']).valueOf()).toEqual({
    lines: [
      'Subject: x',
      'From: pat@box.example',
      'Date: Tue, 3 Feb 2026 04:05:06 +0000',
      'Message-ID: <x@box.example>',
    ],
    recipients: [],
  })
})

test.each([
  ['Pat Smith', 'From: Pat Smith <pat@box.example>'],
  ['Smith, "P." \\', 'From: "Smith, \\"P.\\" \\\\" <pat@box.example>'],
  ['Jörg', 'From: =?utf-8?B?SsO2cmc=?= <pat@box.example>'],
  ['a\r\nBcc: x@y', 'From: "a Bcc: x@y" <pat@box.example>'],
])('the full name %j is written %j', (fullName, line) => {
  const header = prepared([], { fullName })
  expect('lines' in header && header.lines[0]).toBe(line)
})

test('recipients come from To, Cc and Bcc, and Bcc does not travel, folded or not', () => {
  const header = [...complete, 'To: A <a@x>,', ' b@x', 'bcc: secret@x,', '\tmore@x', 'CC: c@x', 'Bcc: third@x']
  expect(prepared(header)).toEqual({
    lines: [...complete, 'To: A <a@x>,', ' b@x', 'CC: c@x'],
    recipients: ['a@x', 'b@x', 'secret@x', 'more@x', 'c@x', 'third@x'],
  })
})

test('of a resent message the recipients are those of the Resent- fields; who resends it and when is added above them', () => {
  const header = [...complete, 'To: a@x', 'Resent-To: b@x', 'Resent-Bcc: c@x', 'Bcc: d@x']
  expect(prepared(header)).toEqual({
    lines: [
      ...complete,
      'To: a@x',
      'Resent-From: pat@box.example',
      'Resent-Date: Tue, 3 Feb 2026 04:05:06 +0000',
      'Resent-Message-ID: <resent.x@box.example>',
      'Resent-To: b@x',
    ],
    recipients: ['b@x', 'c@x'],
  })
})

test('Resent- fields that are complete stay as they are', () => {
  const header = ['Resent-Date: x', 'Resent-From: r@x', 'Resent-Message-ID: <2@x>', 'Resent-To: b@x', ...complete]
  expect(prepared(header)).toEqual({ lines: header, recipients: ['b@x'] })
})

test('a malformed list is a fault only when the recipients are wanted from it', () => {
  expect(prepared(['To: a@x b@y'])).toEqual({ field: 'to', says: 'expected an address at character 2' })
  expect(prepared([...complete, 'To: a@x b@y'], { wanted: false })).toEqual({
    lines: [...complete, 'To: a@x b@y'],
    recipients: [],
  })
})

test.each([
  ['Subject: x', true, true],
  ['X-A:', true, true],
  [' folded', false, true],
  [' folded', true, false],
  ['', false, false],
  ['Hello world', false, false],
  ['Hello world: x', false, false],
  ['http://example.org', false, true],
])('%j as a header line (first: %s): %s', (line, isFirst, is) => {
  expect(isHeaderLine(Buffer.from(line), isFirst)).toBe(is)
})
