/**
 * Domain names as the DNS has them: a list of labels, each 1 to 63 arbitrary bytes, 255 bytes in all on the wire
 * (RFC 1035 §3.1, RFC 2181 §11), compared without regard to ASCII case (RFC 4343 §3).
 *
 * Text is the presentation form of RFC 1035 §5.1: `\.` for a dot inside a label, `\065` for a byte. Parsing and
 * formatting undo each other exactly. Nothing here knows what a host name is, except `isHostName`.
 */

/** Labels from the leftmost to the one below the root. The root is the empty list. */
export type Name = readonly Uint8Array[]

export const root: Name = []

/** Bytes in a label at most, and in a name on the wire with its length bytes and the root (RFC 1035 §2.3.4). */
export const maxLabelBytes = 63
export const maxNameBytes = 255

/** A name from its presentation form, with or without the last dot; null when it is none. `''` and `'.'` are the root. */
export function parseName(text: string): Name | null {
  if (text === '' || text === '.') return root
  // The longest presentation form has every byte escaped; anything longer need not be looked at.
  if (text.length > maxNameBytes * 4) return null
  const labels: Uint8Array[] = []
  const label: number[] = []
  let wireBytes = 1
  const endLabel = () => {
    if (label.length === 0 || label.length > maxLabelBytes) return false
    wireBytes += label.length + 1
    labels.push(Uint8Array.from(label))
    label.length = 0
    return wireBytes <= maxNameBytes
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === dot) {
      if (!endLabel()) return null
    } else if (code === backslash) {
      const byte = readEscape(text, at + 1)
      if (byte === null) return null
      label.push(byte.value)
      at += byte.length
    } else if (code > 0x20 && code < 0x7f) label.push(code)
    else return null
  }
  if (label.length > 0 && !endLabel()) return null
  return labels
}

/** The presentation form without the last dot; the root is `''`. Case is kept. `parseName` reads it back to the same bytes. */
export function formatName(name: Name): string {
  return name.map(formatLabel).join('.')
}

/** The presentation form in lower case: equal for two names exactly when `equalNames` says so. */
export function nameKey(name: Name): string {
  return formatName(name).toLowerCase()
}

/** Equal but for ASCII case (RFC 4343 §3). */
export function equalNames(one: Name, other: Name): boolean {
  return one.length === other.length && one.every((label, index) => equalLabels(label, other[index] ?? label))
}

/** Whether `name` is `ancestor` or below it. Everything is below the root. */
export function isAtOrBelow(name: Name, ancestor: Name): boolean {
  return name.length >= ancestor.length && equalNames(name.slice(name.length - ancestor.length), ancestor)
}

/** Bytes the name takes on the wire, uncompressed. */
export function wireLength(name: Name): number {
  return name.reduce((sum, label) => sum + label.length + 1, 1)
}

/**
 * Whether this can be the name of a host: letters, digits and hyphens (RFC 1123 §2.1), the last label not all digits, so
 * that it cannot be taken for an IPv4 address. Underscores are let through: hosts with them exist and can be reached.
 */
export function isHostName(name: Name): boolean {
  const last = name.at(-1)
  if (last === undefined || last.every(isDigit)) return false
  return name.every(label => label.every(isHostByte) && label[0] !== hyphen && label.at(-1) !== hyphen)
}

function formatLabel(label: Uint8Array): string {
  let text = ''
  for (const byte of label) {
    if (byte <= 0x20 || byte >= 0x7f) text += `\\${String(byte).padStart(3, '0')}`
    else if (special.has(byte)) text += `\\${String.fromCharCode(byte)}`
    else text += String.fromCharCode(byte)
  }
  return text
}

/** What follows a backslash: three decimal digits, or any other one character that stands for itself (RFC 1035 §5.1). */
function readEscape(text: string, at: number): { value: number; length: number } | null {
  const code = text.charCodeAt(at)
  if (!(code >= 0x20 && code < 0x7f)) return null
  if (!isDigit(code)) return { value: code, length: 1 }
  const digits = text.slice(at, at + 3)
  if (!/^[0-9]{3}$/.test(digits)) return null
  const value = Number(digits)
  return value > 255 ? null : { value, length: 3 }
}

function equalLabels(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (lower(one[at] ?? 0) !== lower(other[at] ?? 0)) return false
  return true
}

const lower = (byte: number) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)
const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39
const isHostByte = (byte: number) =>
  isDigit(byte) || (lower(byte) >= 0x61 && lower(byte) <= 0x7a) || byte === hyphen || byte === underscore

const dot = 0x2e
const backslash = 0x5c
const hyphen = 0x2d
const underscore = 0x5f

/** Characters with a meaning in a master file (RFC 1035 §5.1), escaped so that the text can be pasted into one. */
const special = new Set([...'."\\();@$'].map(character => character.charCodeAt(0)))
