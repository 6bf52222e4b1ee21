/**
 * The machine's resolver configuration (resolv.conf(5)): its name servers, and the two options that concern waiting.
 *
 * `search`, `domain` and `ndots` are deliberately not read: RFC 5321 §5.1 forbids a relay to complete partial names. A file
 * that is missing or names no server means a server on this machine.
 */
import { isIP } from 'node:net'

export interface ResolvConf {
  /** Addresses, in the order of the file; at least one. */
  readonly servers: readonly string[]
  /** `options timeout:n`, in ms; null when not given. */
  readonly timeoutMs: number | null
  /** `options attempts:n`; null when not given. */
  readonly attempts: number | null
}

/** Servers used at most; the C library uses three. */
export const maxServers = 8

/** The same bounds as the C library's (RES_MAXRETRANS, RES_MAXRETRY). */
export const maxTimeoutSeconds = 30
export const maxAttempts = 5

/** What the text of the file says. Lines that mean nothing are passed over, as everywhere. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  let timeoutMs: number | null = null
  let attempts: number | null = null
  for (const line of text.split('\n')) {
    // A comment begins with the line; what follows the words that count is passed over.
    const [keyword, ...values] = line.trim().split(/[ \t]+/)
    if (keyword === 'nameserver') {
      const address = values[0] ?? ''
      if (isIP(address) !== 0 && servers.length < maxServers && !servers.includes(address)) servers.push(address)
    } else if (keyword === 'options') {
      for (const option of values) {
        const [, name, digits] = /^(timeout|attempts):([0-9]{1,9})$/.exec(option) ?? []
        const value = Number(digits)
        if (name === 'timeout') timeoutMs = Math.min(Math.max(value, 1), maxTimeoutSeconds) * 1000
        if (name === 'attempts') attempts = Math.min(Math.max(value, 1), maxAttempts)
      }
    }
  }
  return { servers: servers.length === 0 ? ['127.0.0.1'] : servers, timeoutMs, attempts }
}
