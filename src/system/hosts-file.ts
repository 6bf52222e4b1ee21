/**
 * Names of hosts(5), for hosts that an operator configured: `192.0.2.1  mail.example.local  mail`.
 *
 * A name that stands in the file is answered from it for both address families and never asked elsewhere. Names are compared
 * without regard to case; lines that are not an address and a name are passed over.
 */
import { canonicalIp, parseIp } from '../protocol/ip.ts'

export interface HostEntry {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

/** Entries by name, in lower case without the last dot. */
export function parseHostsFile(text: string): ReadonlyMap<string, HostEntry> {
  const entries = new Map<string, { ipv4: string[]; ipv6: string[] }>()
  for (const line of text.split('\n')) {
    const [written = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/[ \t]+/)
    const address = canonicalIp(written)
    if (address === null) continue
    for (const each of names) {
      const name = each.toLowerCase().replace(/\.$/, '')
      const entry: { ipv4: string[]; ipv6: string[] } = entries.get(name) ?? { ipv4: [], ipv6: [] }
      entries.set(name, entry)
      const list: string[] = parseIp(address)?.length === 4 ? entry.ipv4 : entry.ipv6
      if (!list.includes(address)) list.push(address)
    }
  }
  return entries
}
