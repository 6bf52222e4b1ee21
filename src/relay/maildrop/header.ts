/**
 * The header of a message that a program of this machine hands to `sendmail`: whom it is for, what must not travel, what is missing
 * (RFC 5322 §3.6, RFC 6409 §8).
 *
 * Success is the header as it will be sent and the recipients that it names. It changes nothing that is there, except that Bcc goes; and it does not
 * look into the body.
 */
import { mailDate } from '../../protocol/mail/date.ts'
import { parseAddressList } from './address-list.ts'

export interface HeaderFacts {
  /** `pat@example.org`, for a missing From. */
  readonly from: string
  /** Its display name; null for none. */
  readonly fullName: string | null
  readonly date: Date
  /** Without angle brackets. */
  readonly messageId: string
}

export interface PreparedHeader {
  /** The fields' lines, without the empty line that ends the header. */
  readonly lines: readonly Buffer[]
  /** Addresses of To, Cc and Bcc; of the Resent- ones if there are any (RFC 5322 §3.6.6). */
  readonly recipients: readonly string[]
}

export interface HeaderFault {
  readonly field: string
  readonly says: string
}

interface Field {
  /** In lower case. */
  readonly name: string
  readonly lines: readonly Buffer[]
}

/** Whether a line can belong to a header after these lines: the beginning of a field, or the continuation of one. */
export function isHeaderLine(line: Buffer, isFirst: boolean): boolean {
  if (line.length === 0) return false
  if (line[0] === 0x20 || line[0] === 0x09) return !isFirst
  return fieldName.test(line.subarray(0, 200).toString('latin1'))
}

/** @param recipientsWanted Whether the recipients are to be read from the header (-t): only then a malformed list is a fault. */
export function prepareHeader(
  lines: readonly Buffer[],
  facts: HeaderFacts,
  recipientsWanted: boolean,
): PreparedHeader | HeaderFault {
  const fields = fieldsOf(lines)
  const names = new Set(fields.map(field => field.name))
  const recipients: string[] = []
  if (recipientsWanted) {
    const resent = ['resent-to', 'resent-cc', 'resent-bcc']
    const wanted = resent.some(name => names.has(name)) ? resent : ['to', 'cc', 'bcc']
    for (const field of fields.filter(({ name }) => wanted.includes(name))) {
      const list = parseAddressList(bodyOf(field))
      if ('expected' in list)
        return { field: field.name, says: `expected ${list.expected} at character ${list.offset + 1}` }
      recipients.push(...list.addresses)
    }
  }
  // Above the Resent- fields that are there: all of one resending stand together (RFC 5322 §3.6.6).
  const firstResent = fields.findIndex(({ name }) => name.startsWith('resent-'))
  const kept = fields
    .toSpliced(Math.max(0, firstResent), 0, ...(firstResent < 0 ? [] : missingResent(names, facts)))
    .filter(({ name }) => name !== 'bcc' && name !== 'resent-bcc')
    .flatMap(field => field.lines)
  const added: string[] = []
  // RFC 5322 §3.6: Date and From are the two fields that every message has.
  if (!names.has('from')) added.push(`From: ${mailbox(facts.from, facts.fullName)}`)
  if (!names.has('date')) added.push(`Date: ${mailDate(facts.date.getTime())}`)
  if (!names.has('message-id')) added.push(`Message-ID: <${facts.messageId}>`)
  return { lines: [...kept, ...added.map(line => Buffer.from(line))], recipients }
}

/** RFC 5322 §3.6.6: whoever resends a message says who and when; the fields of its author stay as they are. */
function missingResent(names: ReadonlySet<string>, facts: HeaderFacts): Field[] {
  const wanted: readonly [string, string][] = [
    ['Resent-From', mailbox(facts.from, facts.fullName)],
    ['Resent-Date', mailDate(facts.date.getTime())],
    ['Resent-Message-ID', `<resent.${facts.messageId}>`],
  ]
  return wanted
    .map(([name, value]) => ({ name: name.toLowerCase(), lines: [Buffer.from(`${name}: ${value}`)] }))
    .filter(({ name }) => !names.has(name))
}

/** A display name that is not plain words is quoted; one that is not ASCII is an encoded word (RFC 2047 §2). */
function mailbox(address: string, fullName: string | null): string {
  const name = fullName?.replace(/[\x00-\x1f\x7f]+/g, ' ').trim() ?? ''
  if (name === '') return address
  if (!/^[\x20-\x7e]*$/.test(name)) return `${encodedWords(name)} <${address}>`
  if (/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+$/.test(name)) return `${name} <${address}>`
  return `"${name.replace(/["\\]/g, '\\$&')}" <${address}>`
}

/** RFC 2047 §2: at most 75 characters each, and §5 (3): no character cut in two. */
function encodedWords(text: string): string {
  const words: string[] = []
  let word = ''
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word)
      word = ''
    }
    word += character
  }
  words.push(word)
  return words.map(each => `=?utf-8?B?${Buffer.from(each).toString('base64')}?=`).join('\r\n ')
}

function fieldsOf(lines: readonly Buffer[]): Field[] {
  const fields: { name: string; lines: Buffer[] }[] = []
  for (const line of lines) {
    const last = fields.at(-1)
    if (last !== undefined && (line[0] === 0x20 || line[0] === 0x09)) last.lines.push(line)
    else {
      const name = fieldName.exec(line.subarray(0, 200).toString('latin1'))?.[1] ?? ''
      fields.push({ name: name.toLowerCase(), lines: [line] })
    }
  }
  return fields
}

function bodyOf(field: Field): string {
  const text = field.lines.map(line => line.toString('utf8')).join('\r\n')
  return text.slice(text.indexOf(':') + 1)
}

/** RFC 5322 §3.6.8; blanks before the colon are the obsolete form (§4.5). */
const fieldName = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/
