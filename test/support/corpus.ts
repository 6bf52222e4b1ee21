/** Messages whose bytes must come out as they went in. Deterministic; each a whole content with CRLF lines. */

const latin1 = (text: string) => Buffer.from(text, 'latin1')

function header(subject: string, ...more: string[]): string {
  return [
    'From: Ada <ada@source.example>',
    'To: <bob@sink.example>',
    `Subject: ${subject}`,
    'Date: Sat, 21 Nov 2026 03:04:05 +0000',
    // Postfix and OpenSMTPD add one where it is missing.
    `Message-ID: <${subject.replaceAll(/[^a-z0-9]/g, '')}@source.example>`,
    'MIME-Version: 1.0',
    ...more,
    '',
    '',
  ].join('\r\n')
}

/** `length` octets that look random and are always the same. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 42
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[i] = state >>> 16
  }
  return bytes
}

function base64Lines(bytes: Buffer): string {
  return `${(bytes.toString('base64').match(/.{1,76}/g) ?? []).join('\r\n')}\r\n`
}

export interface Sample {
  readonly name: string
  readonly content: Buffer
  readonly eightBit: boolean
}

export const corpus: readonly Sample[] = [
  { name: 'a plain message', eightBit: false, content: latin1(`${header('plain')}Hello Bob,\r\n\r\nAda\r\n`) },
  {
    name: 'lines that begin with dots',
    eightBit: false,
    content: latin1(`${header('dots')}.\r\n..\r\n...three\r\n.one\r\ntext.\r\n\r\n.\r\n`),
  },
  {
    name: 'lines at the limit of 998 octets',
    eightBit: false,
    content: latin1(`${header('long')}${'a'.repeat(998)}\r\n.${'b'.repeat(997)}\r\n${'c'.repeat(998)}\r\n`),
  },
  {
    name: 'UTF-8 with 8BITMIME',
    eightBit: true,
    content: Buffer.from(
      `${header('=?utf-8?q?Gr=C3=BC=C3=9Fe?=', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit')}Grüße aus Köln, Привет, 你好 🙂\r\n`,
      'utf8',
    ),
  },
  {
    name: 'Latin-1 octets that are no UTF-8',
    eightBit: true,
    content: latin1(
      `${header('latin1', 'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit')}caf\xe9 \xfc\xff\xfe\r\n`,
    ),
  },
  {
    name: 'an attachment of 300 KB',
    eightBit: false,
    content: latin1(
      `${header('attachment', 'Content-Type: application/octet-stream', 'Content-Transfer-Encoding: base64')}${base64Lines(noise(220_000))}`,
    ),
  },
  { name: 'an empty body', eightBit: false, content: latin1(header('empty')) },
]

/** What the sender wrote, without the trace fields that relays put before it. */
export function withoutTrace(content: Buffer): Buffer {
  const start = content.indexOf('From: Ada')
  return start < 0 ? content : content.subarray(start)
}
