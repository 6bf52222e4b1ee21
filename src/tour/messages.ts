/**
 * The messages of the tour: real MIME, the same bytes every time (RFC 2045, RFC 5322, RFC 6532), each hard on a relay in its own way.
 *
 * Content has CRLF line ends, no line over 998 octets (RFC 5322 §2.1.1), and is not dot-stuffed.
 */
import { createCipheriv } from 'node:crypto'

export interface TourMessage {
  /** What it is, in a few words: `8-bit`. */
  readonly what: string
  readonly from: string
  readonly to: readonly string[]
  readonly content: Buffer
  /** UTF-8 in the header or an address: SMTPUTF8 is asked for (RFC 6531 §3.4). */
  readonly smtputf8: boolean
}

const sender = 'alice@sender.example'

/** Header and body in seven scripts, to an address that is not ASCII. */
export function nonLatin(): TourMessage {
  const to = 'иван@dev.example'
  const lines = [
    ...header('Алиса', to, 'Привет, 世界: שלום, γειά, नमस्ते 🕊', 'non-latin'),
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Кириллица, ελληνικά, 日本語、漢字、한국어, हिन्दी, ไทย.',
    'שלום עולם · مرحبا بالعالم · direction changes in the middle of a line.',
    'e + combining acute: e\u0301, and the same precomposed: \u00e9. Nobody may make them equal.',
    '.',
    '.. a line of one dot stands above, and this one begins with two.',
  ]
  return { what: 'non-Latin', from: sender, to: [to], content: text(lines), smtputf8: true }
}

/** Latin-1, where nearly every octet from 160 on is bad UTF-8. */
export function eightBit(): TourMessage {
  const to = 'bob@injected.example'
  const upper = Buffer.from(Array.from({ length: 96 }, (_, i) => 160 + i))
  const head = text([
    ...header('Alice', to, 'Every octet of Latin-1', 'eight-bit'),
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: 8bit',
    '',
  ])
  const line = Buffer.concat([upper, crlf])
  return {
    what: '8-bit',
    from: sender,
    to: [to],
    content: Buffer.concat([head, ...Array.from({ length: 40 }, () => line)]),
    smtputf8: false,
  }
}

/** multipart/mixed with a binary file of 200,000 octets in base64, a preamble and an epilogue. */
export function attachment(): TourMessage {
  const to = 'bob@opportunistic.example'
  return {
    what: 'attachment',
    from: sender,
    to: [to],
    content: mixed(to, 'A file', 'attachment', noise(200_000)),
    smtputf8: false,
  }
}

/** Header and body lines of exactly 998 octets before their CRLF, some of them dots. */
export function longestLines(): TourMessage {
  const to = 'bob@down.example'
  const body = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? '.' : String(i % 10)).repeat(longestLine))
  const lines = [
    ...header('Alice', to, 'Lines at the limit', 'longest-lines'),
    `X-Long: ${'x'.repeat(longestLine - 'X-Long: '.length)}`,
    'Content-Type: text/plain; charset=us-ascii',
    'Content-Transfer-Encoding: 7bit',
    '',
    ...body,
  ]
  return { what: 'long lines', from: sender, to: [to], content: text(lines), smtputf8: false }
}

/** 25 MB on the wire, to the octet. */
export function large(): TourMessage {
  const to = 'bob@office.example'
  const bytes = 25 * 1024 * 1024
  const without = mixed(to, 'A large file', 'large', Buffer.alloc(0)).length
  // 57 octets of the file make a line of 78.
  const wholeLines = Math.floor((bytes - without) / 78) - 1
  const almost = mixed(to, 'A large file', 'large', noise(wholeLines * 57))
  const filler = Buffer.from(`${'The rest is filled up.'.padEnd(bytes - almost.length - 2, '.')}\r\n`)
  return {
    what: '25 MB',
    from: sender,
    to: [to],
    content: Buffer.concat([almost, filler]),
    smtputf8: false,
  }
}

/** Small and plain: what happens to it is what matters. */
export function small(to: string, subject: string): TourMessage {
  const lines = [
    ...header('Alice', to, subject, 'small'),
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'This message must not get there.',
  ]
  return { what: 'small', from: sender, to: [to], content: text(lines), smtputf8: false }
}

function header(name: string, to: string, subject: string, id: string): string[] {
  return [
    `From: ${name} <${sender}>`,
    `To: <${to}>`,
    `Subject: ${subject}`,
    'Date: Sat, 21 Nov 2026 12:00:00 +0000',
    `Message-ID: <${id}.tour@sender.example>`,
    'MIME-Version: 1.0',
  ]
}

function mixed(to: string, subject: string, id: string, file: Buffer): Buffer {
  const boundary = '=_tour_boundary_=7f3a'
  const opening = text([
    ...header('Alice', to, subject, id),
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    'This is a message in several parts.',
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'The file is attached.',
    `--${boundary}`,
    'Content-Type: application/octet-stream',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="${id}.bin"`,
    '',
  ])
  const closing = text([`--${boundary}--`, 'What stands behind the last boundary travels too.'])
  return Buffer.concat([opening, base64Lines(file), closing])
}

/** RFC 2045 §6.8: lines of at most 76. */
function base64Lines(file: Buffer): Buffer {
  const encoded = file.toString('base64')
  const lines: string[] = []
  for (let at = 0; at < encoded.length; at += 76) lines.push(encoded.slice(at, at + 76), '\r\n')
  return Buffer.from(lines.join(''), 'latin1')
}

/** Octets without a pattern, the same every time. */
function noise(bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes))
}

function text(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n`)
}

const crlf = Buffer.from('\r\n')
/** RFC 5322 §2.1.1: octets of a line, its CRLF apart. */
const longestLine = 998
