/** What lies in the maildrop, in words: mail that `sendmail` took while no relay runs is in no spool and no journal yet. */

/** @param count What `countDrops` found. */
export function dropsWait(count: number | null): string[] {
  if (count === null || count === 0) return []
  const waiting = count === 1 ? '1 message waits' : `${count} messages wait`
  return [
    `${waiting} in the maildrop until a relay takes ${count === 1 ? 'it' : 'them'} in: 'hermetic serve' starts one.`,
  ]
}
