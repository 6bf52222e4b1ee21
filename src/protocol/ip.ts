/**
 * IP addresses as bytes: 4 for IPv4, 16 for IPv6, and their text forms both ways.
 *
 * Success means the text is one address in the plain form that standards agree on: four decimals without leading
 * zeros, or RFC 4291 §2.2. It deliberately takes no octal, no hexadecimal, no shortened IPv4, no zone index: these are the
 * forms that two programs read differently. What an address may be used for is decided in judgement/addresses.ts.
 */

/** The bytes of an address: 4 or 16. Null when the text is not exactly one address. An IPv4-mapped IPv6 address stays 16 bytes. */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** The canonical text of an address: RFC 5952 for IPv6. Throws for anything but 4 or 16 bytes, which is our own mistake. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new RangeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`)
  // RFC 5952 §5: the mapped form shows its IPv4 address.
  if (isIpv4Mapped(bytes)) return `::ffff:${bytes.subarray(12).join('.')}`
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0),
  )
  const gap = longestZeroRun(groups)
  const hex = (part: readonly number[]) => part.map(group => group.toString(16)).join(':')
  if (gap === null) return hex(groups)
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`
}

/** `::ffff:0:0/96`, RFC 4291 §2.5.5.2. */
export function isIpv4Mapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false
  return bytes.subarray(0, 10).every(byte => byte === 0)
}

/** The same address in its canonical text, or null when the text is no address. */
export function canonicalIp(text: string): string | null {
  const bytes = parseIp(text)
  return bytes === null ? null : formatIp(bytes)
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.', 5)
  if (parts.length !== 4) return null
  const bytes = new Uint8Array(4)
  for (const [index, part] of parts.entries()) {
    // A leading zero means octal to some programs and nothing to others, so it means no address here.
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part)) return null
    const value = Number(part)
    if (value > 255) return null
    bytes[index] = value
  }
  return bytes
}

function parseIpv6(text: string): Uint8Array | null {
  if (text.length > longestIpv6Text) return null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const before = groupsOf(halves[0] ?? '', halves.length === 1)
  const after = groupsOf(halves[1] ?? '', true)
  if (before === null || after === null) return null
  const given = before.length + after.length
  // `::` stands for at least one group (RFC 4291 §2.2); without it all eight are written.
  if (halves.length === 2 ? given > 7 : given !== 8) return null
  const bytes = new Uint8Array(16)
  const put = (groups: readonly number[], from: number) => {
    for (const [index, group] of groups.entries()) {
      bytes[(from + index) * 2] = group >> 8
      bytes[(from + index) * 2 + 1] = group & 0xff
    }
  }
  put(before, 0)
  put(after, 8 - after.length)
  return bytes
}

/** The 16-bit groups of one side of `::`. Only where the address ends may the last two be written as an IPv4 address. */
function groupsOf(text: string, isEnd: boolean): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const tail = isEnd && index === parts.length - 1 ? parseIpv4(part) : null
      if (tail === null) return null
      groups.push(((tail[0] ?? 0) << 8) | (tail[1] ?? 0), ((tail[2] ?? 0) << 8) | (tail[3] ?? 0))
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

/** Where `::` goes: the first of the longest runs of at least two zero groups (RFC 5952 §4.2). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } | null {
  let best = { start: 0, length: 1 }
  let start = 0
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === 0) continue
    if (index - start > best.length) best = { start, length: index - start }
    start = index + 1
  }
  return best.length < 2 ? null : best
}

/** Eight groups of four digits, the last two as IPv4: `ffff:…:255.255.255.255`. */
const longestIpv6Text = 45
