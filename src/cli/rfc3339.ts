/**
 * A time as RFC 3339 §5.6 writes it, offset included: `2026-03-01T12:00:00Z`, `2026-03-01T12:00:00.5+01:00`.
 *
 * Nothing else is taken: no time without an offset, no day that the month does not have. A leap second is the second before it.
 */

/** Milliseconds since 1970; null when the text is no such time. */
export function parseRfc3339(text: string): number | null {
  const match = pattern.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  if (year === undefined || month === undefined || day === undefined) return null
  if (hour === undefined || minute === undefined || second === undefined) return null
  const offsetMinutes = offsetOf(match[8] ?? '')
  if (hour > 23 || minute > 59 || second > 60 || offsetMinutes === null) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  date.setUTCHours(hour, minute, Math.min(second, 59), Math.trunc(Number(`0${match[7] ?? ''}`) * 1_000))
  return date.getTime() - offsetMinutes * 60_000
}

function offsetOf(text: string): number | null {
  if (/^z$/i.test(text)) return 0
  const [hours = 0, minutes = 0] = text.slice(1).split(':').map(Number)
  if (hours > 23 || minutes > 59) return null
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i
