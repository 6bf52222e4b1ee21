/** TLSA records for people. */

/** `2 1 1 8d02505c…`: enough to find it in a zone. */
export function shortRecord(text: string): string {
  const [usage = '', selector = '', type = '', data = ''] = text.split(' ')
  return `${usage} ${selector} ${type} ${data.slice(0, shownHex)}${data.length > shownHex ? '…' : ''}`
}

const shownHex = 16
