/**
 * The date-time of RFC 5322 §3.3 from a time in milliseconds: `Sat, 21 Nov 2026 03:23:28 +0100`.
 *
 * Always with seconds, a four-digit year and a numeric offset: RFC 5321 §4.4 forbids the obsolete forms. It knows no time zones: the offset comes in.
 */

/**
 * @param timeMs Since 1970 in UTC; years 0 to 9999.
 * @param offsetMinutes East of UTC: 60 for Central Europe in winter. RFC 5321 §4.4 prefers local time with its offset.
 */
export function mailDate(timeMs: number, offsetMinutes = 0): string {
  const local = new Date(timeMs + offsetMinutes * 60_000)
  const weekday = weekdays[local.getUTCDay()] ?? ''
  const month = months[local.getUTCMonth()] ?? ''
  const year = String(local.getUTCFullYear()).padStart(4, '0')
  const clock = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(two).join(':')
  const away = Math.abs(offsetMinutes)
  const offset = `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(away / 60))}${two(away % 60)}`
  return `${weekday}, ${local.getUTCDate()} ${month} ${year} ${clock} ${offset}`
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
